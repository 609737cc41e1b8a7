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

from pygama.processing.declare import REGISTRY
from pygama.processing.processors import (
    baselines,
    calculators,
    filters,
    pulse_shape,
    quality,
    timing,
    transforms,
)


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


def _asym_trap_filter(case: Case) -> Twin:
    rise, flat, fall = case["rise"], min(case["flat"], case.n_samples), case["fall"]
    transforms.check_length("rise", rise, case.n_samples)
    transforms.check_length("fall", fall, case.n_samples)
    return lambda waves: compiled.asymmetric_trapezoids(_waves(waves), rise, flat, fall)


_WIDEST_BEND = 50
"""For flanks that are so nearly straight the sums would lose digits."""


def _cusp_filter(case: Case) -> Twin | None:
    return _cusp(case, part=0.0)


def _zac_filter(case: Case) -> Twin | None:
    return _cusp(case, part=filters.parabola_part(case["rise"], case["flat"], case["sigma"]))


def _cusp(case: Case, part: float) -> Twin | None:
    rise, flat, sigma = case["rise"], min(case["flat"], case.n_samples), case["sigma"]
    transforms.check_length("rise", rise, case.n_samples)
    if sigma > _WIDEST_BEND * rise:
        return None
    return lambda waves: compiled.cusps(_waves(waves), rise, flat, sigma, part)


def _bl_subtract_polynomial(case: Case) -> Twin:
    begin, end, order = case["i_start"], case["i_end"], case["order"]
    calculators.check_stretch(case.n_samples, begin, end)
    calculators.check_order(order, end - begin)
    inside, everywhere = transforms.projection(begin, end, case.n_samples, order)
    inside, everywhere = np.ascontiguousarray(inside), np.ascontiguousarray(everywhere.T)
    return lambda waves: compiled.without_polynomials(_waves(waves, "Hhd"), begin, end, inside, everywhere)


def _moving_window(case: Case) -> Twin:
    length, passes = case["length"], case["passes"]
    transforms.check_length("length", length, case.n_samples)
    return lambda waves: compiled.moving_windows(_waves(waves), length, passes)


def _savitzky_golay(case: Case) -> Twin:
    filters.check_smoothing(case["length"], case["order"], case.n_samples)
    weights = np.ascontiguousarray(filters.smoothing_weights(case["length"], case["order"]))
    return lambda waves: compiled.smoothed(_waves(waves), weights)


def _derivative(case: Case) -> Twin:
    return lambda waves: compiled.derivatives(_waves(waves))


def _current(case: Case) -> Twin:
    length = case["length"]
    transforms.check_length("length", length, case.n_samples)
    return lambda waves: compiled.currents(_waves(waves), length)


def _stretch(case: Case) -> tuple[int, int]:
    calculators.check_stretch(case.n_samples, case["i_start"], case["i_end"])
    return case["i_start"], case["i_end"]


def _part(waves: np.ndarray, begin: int, end: int) -> np.ndarray:
    return _waves(waves[:, begin:end], "Hhd")


def _avg_baseline(case: Case) -> Twin:
    begin, end = _stretch(case)
    return lambda waves: compiled.means(_part(waves, begin, end), 0, end - begin)


def _fit_baseline(case: Case) -> Twin:
    begin, end = _stretch(case)
    calculators.check_order(case["order"], end - begin)
    at_zero, slope = (np.ascontiguousarray(w) for w in calculators.fit_weights(begin, end, case["order"]))
    return lambda waves: compiled.lines(_part(waves, begin, end), 0, end - begin, at_zero, slope)


def _baseline_rms(case: Case) -> Twin:
    begin, end = _stretch(case)
    calculators.check_order(case["order"], end - begin, n_spare=1)
    basis = np.ascontiguousarray(baselines.orthonormal(begin, end, case["order"]).T)
    return lambda waves: compiled.rms_about_polynomials(_part(waves, begin, end), 0, end - begin, basis)


def _robust_baseline(case: Case) -> Twin:
    begin, end = _stretch(case)
    baselines.check_parts(begin, end)
    position = baselines.positions(begin, end)
    parts = np.array_split(np.arange(end - begin), baselines.N_PARTS)
    ends = np.array([part[-1] + 1 for part in parts], np.int64)
    centres = np.array([position[part].mean() for part in parts])
    shape = position, ends, centres, baselines.N_ROUNDS, baselines.SIGMA_OF_MAD
    return lambda waves: compiled.robust_lines(_waves(waves), begin, end, case["n_sigma"], *shape)


def _noise_rms(case: Case) -> Twin:
    begin, end = _stretch(case)
    return lambda waves: compiled.rms(_part(waves, begin, end), 0, end - begin)


def _saturation(case: Case) -> Twin | None:
    sample_type = case.types[0]
    low, high = quality.range_ends(sample_type, case["low"], case["high"])
    if sample_type.char not in "Hhd":
        return None
    return lambda waves: compiled.outside(_waves(waves, "Hhd"), low, high)


def _count_pulses(case: Case) -> Twin | None:
    n_sigma, gap = case["n_sigma"], min(case["gap"], case.n_samples)
    if case.types[0] == np.float32:
        # Its median is of less precision.
        return None
    return lambda waves: compiled.pulses(_waves(waves), case.period_ns, n_sigma, gap, quality.SIGMA_OF_MAD)


def _row_maximum(case: Case) -> Twin | None:
    # Of other types the maximum has the type of the samples.
    return (lambda waves: compiled.maxima(_waves(waves))) if case.types[0] == np.float64 else None


def _extreme(is_lowest: bool) -> Callable[[Case], Twin]:
    def build(case: Case) -> Twin:
        return lambda waves: compiled.extremes(_waves(waves), case.period_ns, is_lowest)

    return build


def _time_points(case: Case) -> Twin:
    parts = np.array(timing.PARTS)
    return lambda waves: tuple(compiled.rises(_waves(waves), case.period_ns, parts))


def _t0(case: Case) -> Twin:
    begin, end = _stretch(case)
    return lambda waves: compiled.beginnings(_waves(waves), case.period_ns, begin, end, case["n_sigma"])


def _fixed_time_pickoff(case: Case) -> Twin | None:
    delay = case["delay"]
    if case.types[1] == np.float32:
        # Such times lie at places of less precision.
        return None
    return lambda waves, t0: compiled.heights_at(_waves(waves), _values(t0), case.period_ns, delay)


def _tail_slope(case: Case) -> Twin | None:
    delay, length = case["delay"], case["length"]
    transforms.check_length("length", length, case.n_samples)
    if case.types[1] == np.float32:
        return None
    return lambda waves, tp_99: compiled.tail_slopes(
        _waves(waves), _values(tp_99), case.period_ns, delay, length
    )


def _a_over_e(case: Case) -> Twin:
    return lambda a_max, trap_max: compiled.ratios(_values(a_max), _values(trap_max))


_TWINS: dict[Callable[..., Any], Callable[[Case], Twin | None]] = {
    baselines.baseline_rms: _baseline_rms,
    baselines.robust_baseline: _robust_baseline,
    calculators.avg_baseline: _avg_baseline,
    calculators.fit_baseline: _fit_baseline,
    calculators.trap_max: _row_maximum,
    filters.current: _current,
    filters.derivative: _derivative,
    filters.moving_window: _moving_window,
    filters.savitzky_golay: _savitzky_golay,
    pulse_shape.a_max: _row_maximum,
    pulse_shape.a_over_e: _a_over_e,
    pulse_shape.tail_slope: _tail_slope,
    quality.count_pulses: _count_pulses,
    quality.noise_rms: _noise_rms,
    quality.saturation: _saturation,
    timing.fixed_time_pickoff: _fixed_time_pickoff,
    timing.t0: _t0,
    timing.time_points: _time_points,
    timing.wf_max: _extreme(is_lowest=False),
    timing.wf_min: _extreme(is_lowest=True),
    transforms.asym_trap_filter: _asym_trap_filter,
    filters.cusp_filter: _cusp_filter,
    filters.zac_filter: _zac_filter,
    transforms.bl_subtract: _bl_subtract,
    transforms.bl_subtract_polynomial: _bl_subtract_polynomial,
    transforms.double_pole_zero: _double_pole_zero,
    transforms.pole_zero: _pole_zero,
    transforms.trap_filter: _trap_filter,
}
"""Plain function -> what builds its twin."""
