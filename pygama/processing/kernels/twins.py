"""Gives single steps compiled twins, for where no fusion takes them, if they could be compiled.

The plain functions are the truth: a twin gives what its plain function gives, refuses what it refuses, and
takes any numbers that it takes, for which it makes float64 of other types first. A new twin is one more entry
in `_TWINS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from pygama.processing import calculators, pulse_shape, timing, transforms
from pygama.processing.declare import REGISTRY


def _import_compiled() -> ModuleType | None:
    try:
        return import_module("pygama.processing.kernels._steps")
    except ImportError:
        return None


compiled: Any = _import_compiled()
COMPILED = compiled is not None

Twin = Callable[..., Any]
"""Takes the arrays that the plain function reads, without the period, and gives what it gives."""


class Case:
    """What a twin is built for: the settings, and arrays like those that it will read."""

    def __init__(
        self, settings: Mapping[str, Any], arrays: Sequence[np.ndarray], period_ns: float | None
    ) -> None:
        self.settings = settings
        self.types = [array.dtype for array in arrays]
        self.n_samples: int = next((array.shape[1] for array in arrays if array.ndim == 2), 0)
        self.period_ns = period_ns

    def __getitem__(self, name: str) -> Any:
        return self.settings[name]


def twin(
    name: str, settings: Mapping[str, Any], arrays: Sequence[np.ndarray], period_ns: float | None = None
) -> Twin | None:
    """Give the compiled twin of a processor, or None where there is none for such settings and arrays.

    settings: all of them, checked. arrays: like those that it will read; their values are not looked at.
    Raises SettingsError as the plain function would.
    """
    build = _TWINS.get(REGISTRY[name].function) if name in REGISTRY else None
    if not COMPILED or build is None:
        return None
    if not all(_is_number(array.dtype) and array.shape[1:] != (0,) for array in arrays):
        return None
    return build(Case(settings, arrays, period_ns))


def _is_number(sample_type: np.dtype) -> bool:
    return sample_type.kind in "iuf" and sample_type.itemsize <= 8


def _waves(array: np.ndarray, types: str = "d") -> np.ndarray:
    """Give samples that follow one another, as they are if their type is one of `types`, else in float64."""
    if array.dtype.char in types and array.dtype.isnative:
        good = array.strides[1] == array.itemsize and array.flags.aligned
        return array if good else np.ascontiguousarray(array)
    return np.ascontiguousarray(array, np.float64)


def _values(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, np.float64)


def _bl_subtract(case: Case) -> Twin:
    def subtracted(waveform: np.ndarray, bl_int: np.ndarray, bl_slope: np.ndarray) -> np.ndarray:
        return compiled.subtract_lines(_waves(waveform, "Hhd"), _values(bl_int), _values(bl_slope))

    return subtracted


def _pole_zero(case: Case) -> Twin:
    lost = transforms.lost_per_sample(case["tau"])
    return lambda waves: compiled.pole_zero(_waves(waves), lost)


def _double_pole_zero(case: Case) -> Twin:
    lost = transforms.lost_per_sample(case["tau"])
    second, keep = transforms.second_decay(case["tau"], case["tau2"], case["fraction"])
    return lambda waves: compiled.double_pole_zero(_waves(waves), lost, second, keep)


def _trap_filter(case: Case) -> Twin:
    rise, flat = case["rise"], min(case["flat"], case.n_samples)
    transforms.check_length("rise", rise, case.n_samples)
    return lambda waves: compiled.trapezoids(_waves(waves), rise, flat)


def _row_maximum(case: Case) -> Twin | None:
    # Of other types the maximum has the type of the samples.
    return (lambda waves: compiled.maxima(_waves(waves))) if case.types[0] == np.float64 else None


def _extreme(is_lowest: bool) -> Callable[[Case], Twin]:
    def build(case: Case) -> Twin:
        return lambda waves: compiled.extremes(_waves(waves), case.period_ns, is_lowest)

    return build


_TWINS: dict[Callable[..., Any], Callable[[Case], Twin | None]] = {
    transforms.bl_subtract: _bl_subtract,
    transforms.pole_zero: _pole_zero,
    transforms.double_pole_zero: _double_pole_zero,
    transforms.trap_filter: _trap_filter,
    calculators.trap_max: _row_maximum,
    pulse_shape.a_max: _row_maximum,
    timing.wf_max: _extreme(is_lowest=False),
    timing.wf_min: _extreme(is_lowest=True),
}
"""Plain function -> what builds its twin."""
