"""Finds when things happen in a waveform, in ns from its first sample, and picks heights at such times.

Between two samples the waveform is a straight line. What cannot be found is NaN.
"""

from __future__ import annotations

import numpy as np

from pygama.processing.declare import Factor, Gap, PeriodNs, Sample, Values, Waves, calculator
from pygama.processing.processors.calculators import check_stretch

PARTS = (0.01, 0.10, 0.50, 0.90, 0.99)


@calculator(wf_max="adc", tp_max="ns")
def wf_max(wf_blsub: Waves, period_ns: PeriodNs) -> tuple[Values, Values]:
    """Take the highest sample and its time.

    `wf_max` in ADC counts; `tp_max` in ns from the first sample, of the first sample so high. Both NaN where
    a sample is. (n_rows, n_samples) in, twice (n_rows,) out.

    Formula
    -------
    wf_max = max(x)
    tp_max = period_ns * k, the first k with x[k] = wf_max

    Source: definition.
    """
    return _at(wf_blsub, wf_blsub.argmax(axis=1), period_ns)


@calculator(wf_min="adc", tp_min="ns")
def wf_min(wf_blsub: Waves, period_ns: PeriodNs) -> tuple[Values, Values]:
    """Take the lowest sample and its time.

    `wf_min` in ADC counts; `tp_min` in ns from the first sample, of the first sample so low. Both NaN where
    a sample is. (n_rows, n_samples) in, twice (n_rows,) out.

    Formula
    -------
    wf_min = min(x)
    tp_min = period_ns * k, the first k with x[k] = wf_min

    Source: definition.
    """
    return _at(wf_blsub, wf_blsub.argmin(axis=1), period_ns)


@calculator(tp_01="ns", tp_10="ns", tp_50="ns", tp_90="ns", tp_99="ns")
def time_points(wf_blsub: Waves, period_ns: PeriodNs) -> tuple[Values, ...]:
    """Find when the pulse reaches 1, 10, 50, 90 and 99 % of its maximum.

    Searched backwards from the first of the highest samples, in ADC counts: the last sample before it that is
    at or below the part of the maximum, and from there along the line to the next sample. In ns from the
    first sample. NaN where the maximum is not above 0, where the waveform does not come down so far before
    it, and where a sample is NaN. Noise moves the outer ones: of a noisy waveform, read a smoothed one.
    (n_rows, n_samples) in, five times (n_rows,) out.

    Formula
    -------
    tp = period_ns * (k + (part * max(x) - x[k]) / (x[k+1] - x[k])), part = 0.01, 0.1, 0.5, 0.9, 0.99
    k: the last one before the first highest sample with x[k] <= part * max(x)

    Source: definition.
    """
    top, highest = wf_blsub.argmax(axis=1), wf_blsub.max(axis=1).astype(np.float64)
    highest[~(np.isfinite(highest) & (highest > 0))] = np.nan
    return tuple(period_ns * last_rise_through(wf_blsub, part * highest, top) for part in PARTS)


@calculator(t0="ns")
def t0(
    wf_atrap: Waves,
    period_ns: PeriodNs,
    *,
    i_start: Sample = 0,
    i_end: Sample = 500,
    n_sigma: Factor = 5.0,
) -> Values:
    """Find when the pulse begins.

    Searched backwards from the maximum of the asymmetric trapezoid, in ADC counts, to where it last rises
    through a threshold above its own noise, along the line between the two samples. In ns from the first
    sample. NaN where the maximum is not above the threshold or the waveform does not come down to it before
    the maximum, and where a sample is NaN. Another waveform than the trapezoid can be named for its input.
    (n_rows, n_samples) in, (n_rows,) out.

    Formula
    -------
    m = mean(x[i_start:i_end]), s = sqrt(mean((x[i_start:i_end] - m)**2))
    threshold = m + n_sigma * s
    t0 = period_ns * (k + (threshold - x[k]) / (x[k+1] - x[k]))
    k: the last one before the first highest sample with x[k] <= threshold

    Settings
    --------
    i_start : first sample of the stretch without a pulse
    i_end : the stretch ends before this sample
    n_sigma : height of the threshold in units of the noise

    Source: definition.
    """
    check_stretch(wf_atrap.shape[1], i_start, i_end)
    stretch = wf_atrap[:, i_start:i_end].astype(np.float64)
    threshold = stretch.mean(axis=1) + n_sigma * stretch.std(axis=1)
    threshold[~(wf_atrap.max(axis=1) > threshold)] = np.nan
    return period_ns * last_rise_through(wf_atrap, threshold, wf_atrap.argmax(axis=1))


@calculator(rise_time="ns")
def rise_time(tp_10: Values, tp_90: Values) -> Values:
    """Give the time from 10 to 90 % of the maximum.

    In ns; NaN where one of the two is. Twice (n_rows,) in, (n_rows,) out.

    Formula
    -------
    rise_time = tp_90 - tp_10

    Source: definition.
    """
    return np.subtract(tp_90, tp_10, dtype=np.float64)


@calculator(drift_time="ns")
def drift_time(t0: Values, tp_99: Values) -> Values:
    """Give the time from the beginning of the pulse to 99 % of its maximum.

    In ns; NaN where one of the two is. Twice (n_rows,) in, (n_rows,) out.

    Formula
    -------
    drift_time = tp_99 - t0

    Source: definition.
    """
    return np.subtract(tp_99, t0, dtype=np.float64)


@calculator(trap_ftp="adc")
def fixed_time_pickoff(wf_trap: Waves, t0: Values, period_ns: PeriodNs, *, delay: Gap = 560) -> Values:
    """Take the height of the trapezoid at a fixed time after the beginning of the pulse.

    On the line between the two samples around `t0` and `delay`, in ADC counts. The flat top of `trap_filter`
    lies from `rise` to `rise + flat` after a step; the default is four fifths of the way along it, for its
    defaults. NaN where the time is, where it lies outside the record, and where one of the two samples is
    NaN. (n_rows, n_samples) and (n_rows,) in, (n_rows,) out.

    Formula
    -------
    p = t0 / period_ns + delay
    i = floor(p)
    trap_ftp = x[i] + (p - i) * (x[i+1] - x[i])

    Settings
    --------
    delay : how long after the beginning of the pulse

    Source: definition.
    """
    return height_at(wf_trap, t0 / period_ns + delay)


def last_rise_through(waves: np.ndarray, level: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Give where each row last rises through its level before a sample, in samples, NaN where it doesn't."""
    n_samples = waves.shape[1]
    rows = np.arange(len(waves))
    below = (waves <= level[:, None]) & (np.arange(n_samples) < before[:, None])
    last = n_samples - 1 - below[:, ::-1].argmax(axis=1)
    here = waves[rows, last].astype(np.float64)
    rise = waves[rows, np.minimum(last + 1, n_samples - 1)] - here
    return np.where(below[rows, last], last + (level - here) / rise, np.nan)


def height_at(waves: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Give the height of each row at a position in samples, between them by a line; NaN outside."""
    last = waves.shape[1] - 1
    inside = (position >= 0) & (position <= last)
    place = np.where(inside, position, 0.0)
    low = place.astype(np.intp)
    rows = np.arange(len(waves))
    here = waves[rows, low].astype(np.float64)
    height = here + (place - low) * (waves[rows, np.minimum(low + 1, last)] - here)
    return np.where(inside, height, np.nan)


def _at(waves: np.ndarray, sample: np.ndarray, period_ns: float) -> tuple[np.ndarray, np.ndarray]:
    height = waves[np.arange(len(waves)), sample].astype(np.float64)
    return height, np.where(np.isnan(height), np.nan, sample * period_ns)
