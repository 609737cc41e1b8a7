"""Puts one-pass kernels in the place of runs of steps, where they could be compiled.

The plain functions of `calculators` and `transforms` are the truth and do the work where there is no kernel.
A new kernel is one more entry in `FUSIONS`; where several end with the same step, the longest comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from pygama.processing.processors.transforms import lost_per_sample, trap_filter
from pygama.quick_dataclass import dataclass


def _import_compiled() -> ModuleType | None:
    try:
        return import_module("pygama.processing.kernels._chain")
    except ImportError:
        return None


compiled = _import_compiled()
COMPILED = compiled is not None

Kernel = Callable[..., tuple[np.ndarray, ...]]
"""Takes what the first step reads and gives the single values that the steps write, in order, row for row."""
Settings = Mapping[str, Mapping[str, Any]]
"""Name of a processor -> its settings."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """Steps, each reading what the one before gives, that a kernel can do at once.

    build: settings of the steps, samples of the waveform that the first reads -> the kernel, or None where it
    does not do these settings.
    """

    steps: tuple[str, ...]
    build: Callable[[Settings, int], Kernel | None]


def takes(waveform: np.ndarray) -> bool:
    """Tell whether the kernels were compiled and read samples of this type."""
    return COMPILED and waveform.ndim == 2 and waveform.dtype.char in "Hh" and waveform.dtype.isnative


def _samples(waveform: np.ndarray) -> np.ndarray:
    return waveform if waveform.strides[1] == waveform.itemsize else np.ascontiguousarray(waveform)


def _mean_kernel(settings: Settings, n_samples: int) -> Kernel | None:
    begin, end = _stretch(settings["avg_baseline"])

    def means(waveform: np.ndarray) -> tuple[np.ndarray, ...]:
        assert compiled is not None
        return (compiled.baselines(_samples(waveform), begin, end, 0)[0],)

    return means


def _line_kernel(settings: Settings, n_samples: int) -> Kernel | None:
    stretch, order = _stretch(settings["fit_baseline"]), settings["fit_baseline"]["order"]
    if order > 1:
        return None

    def lines(waveform: np.ndarray) -> tuple[np.ndarray, ...]:
        assert compiled is not None
        return compiled.baselines(_samples(waveform), *stretch, order)

    return lines


def _trapezoid_kernel(settings: Settings, n_samples: int) -> Kernel | None:
    shape = _trapezoid(settings, n_samples)
    if shape is None:
        return None

    def maxima(waveform: np.ndarray, bl_int: np.ndarray, bl_slope: np.ndarray) -> tuple[np.ndarray, ...]:
        assert compiled is not None
        line = np.ascontiguousarray(bl_int, np.float64), np.ascontiguousarray(bl_slope, np.float64)
        return (compiled.trapezoid_maxima(_samples(waveform), *line, *shape),)

    return maxima


def _line_and_trapezoid_kernel(settings: Settings, n_samples: int) -> Kernel | None:
    stretch, order = _stretch(settings["fit_baseline"]), settings["fit_baseline"]["order"]
    shape = _trapezoid(settings, n_samples)
    if order > 1 or shape is None:
        return None

    def lines_and_maxima(waveform: np.ndarray) -> tuple[np.ndarray, ...]:
        assert compiled is not None
        return compiled.baselines_and_maxima(_samples(waveform), *stretch, order, *shape)

    return lines_and_maxima


def _stretch(settings: Mapping[str, Any]) -> tuple[int, int]:
    return settings["i_start"], settings["i_end"]


def _trapezoid(settings: Settings, n_samples: int) -> tuple[Any, ...] | None:
    """Give what the kernels want to know of the trapezoid, or None where they can't do it."""
    rise, flat = settings["trap_filter"]["rise"], min(settings["trap_filter"]["flat"], n_samples)
    tau = settings["pole_zero"]["tau"] if "pole_zero" in settings else None
    if rise > _LONGEST_RISE:
        return None
    return rise, flat, *_baseline_tables(n_samples, rise, flat), 0.0 if tau is None else lost_per_sample(tau)


_LONGEST_RISE = 32767
"""The sum of so many samples of 16 bits fits 31 bits."""


@lru_cache(maxsize=64)
def _baseline_tables(n_samples: int, rise: int, flat: int) -> tuple[np.ndarray, np.ndarray]:
    """Give `rise` times the trapezoid of the constant 1 and of the ramp 0, 1, 2 …"""
    lines = np.stack([np.ones(n_samples), np.arange(n_samples, dtype=np.float64)])
    # Sums of whole numbers are whole; the division by `rise` has blurred them.
    constant, ramp = np.rint(trap_filter(lines, rise=rise, flat=flat) * rise)
    return constant, ramp


_TRAPEZOID = ("bl_subtract", "trap_filter", "trap_max")
_CORRECTED_TRAPEZOID = ("bl_subtract", "pole_zero", "trap_filter", "trap_max")

FUSIONS = (
    Fusion(("fit_baseline", *_CORRECTED_TRAPEZOID), _line_and_trapezoid_kernel),
    Fusion(("fit_baseline", *_TRAPEZOID), _line_and_trapezoid_kernel),
    Fusion(_CORRECTED_TRAPEZOID, _trapezoid_kernel),
    Fusion(_TRAPEZOID, _trapezoid_kernel),
    Fusion(("fit_baseline",), _line_kernel),
    Fusion(("avg_baseline",), _mean_kernel),
)
