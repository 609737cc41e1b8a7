"""Puts one-pass kernels in the place of runs of steps, where they could be compiled.

The plain functions of `calculators` and `transforms` are the truth and do the work where there is no kernel.
A new kernel is one more entry in `FUSIONS`; where several end with the same step, the longest comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from pygama.processing.transforms import lost_per_sample, pole_zero, trap_filter


def _import_compiled() -> ModuleType | None:
    try:
        return import_module("pygama.processing.kernels._chain")
    except ImportError:
        return None


compiled = _import_compiled()
COMPILED = compiled is not None

Kernel = Callable[..., tuple[np.ndarray, ...]]
"""Takes what the first step reads and gives what the last step writes, row for row."""
Settings = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Fusion:
    """Steps, each reading the waveform of the one before, that a kernel can do at once.

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
    begin, end = settings[0]["i_start"], settings[0]["i_end"]

    def means(waveform: np.ndarray) -> tuple[np.ndarray, ...]:
        assert compiled is not None
        return (compiled.stretch_means(_samples(waveform), begin, end),)

    return means


def _line_kernel(settings: Settings, n_samples: int) -> Kernel | None:
    begin, end = settings[0]["i_start"], settings[0]["i_end"]
    order = settings[0]["order"]
    if order > 1:
        return None

    def lines(waveform: np.ndarray) -> tuple[np.ndarray, ...]:
        assert compiled is not None
        if order == 0:
            return compiled.stretch_means(_samples(waveform), begin, end), np.zeros(len(waveform))
        return compiled.stretch_lines(_samples(waveform), begin, end)

    return lines


def _trapezoid_kernel(settings: Settings, n_samples: int) -> Kernel | None:
    rise, flat = settings[-2]["rise"], min(settings[-2]["flat"], n_samples)
    tau = settings[1]["tau"] if len(settings) == 4 else None
    if rise > _LONGEST_RISE:
        return None
    tables = _baseline_tables(n_samples, rise, flat, tau)
    lost = 0.0 if tau is None else lost_per_sample(tau)

    def maxima(waveform: np.ndarray, bl_int: np.ndarray, bl_slope: np.ndarray) -> tuple[np.ndarray, ...]:
        assert compiled is not None
        line = np.ascontiguousarray(bl_int, np.float64), np.ascontiguousarray(bl_slope, np.float64)
        return (compiled.trapezoid_maxima(_samples(waveform), *line, rise, flat, *tables, lost),)

    return maxima


_LONGEST_RISE = 32767
"""The sum of so many samples of 16 bits fits 31 bits."""


@lru_cache(maxsize=64)
def _baseline_tables(
    n_samples: int, rise: int, flat: int, tau: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Give `rise` times the trapezoid of the constant 1 and of the ramp 0, 1, 2 …"""
    lines = np.stack([np.ones(n_samples), np.arange(n_samples, dtype=np.float64)])
    if tau is not None:
        lines = pole_zero(lines, tau=tau)
    tables = trap_filter(lines, rise=rise, flat=flat) * rise
    # Sums of whole numbers are whole; the division by `rise` has blurred them.
    constant, ramp = tables if tau is not None else np.rint(tables)
    return constant, ramp


FUSIONS = (
    Fusion(("bl_subtract", "pole_zero", "trap_filter", "trap_max"), _trapezoid_kernel),
    Fusion(("bl_subtract", "trap_filter", "trap_max"), _trapezoid_kernel),
    Fusion(("fit_baseline",), _line_kernel),
    Fusion(("avg_baseline",), _mean_kernel),
)
