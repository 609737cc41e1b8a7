"""Calculates single values from waveforms: one number a row, a column of Tier 2."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pygama.errors import SettingsError
from pygama.processing.declare import Order, RecordTooShort, Sample, Values, Waves, calculator


@calculator(bl_avg="adc")
def avg_baseline(waveform: Waves, *, i_start: Sample = 0, i_end: Sample = 500) -> Values:
    """Average the samples before the pulse.

    In ADC counts; NaN where a sample of the stretch is. (n_rows, n_samples) in, (n_rows,) out.

    Formula
    -------
    bl_avg = mean(x[i_start:i_end])

    Settings
    --------
    i_start : first sample of the stretch
    i_end : the stretch ends before this sample

    Source: definition.
    """
    check_stretch(waveform.shape[1], i_start, i_end)
    stretch = waveform[:, i_start:i_end]
    return stretch.sum(axis=1, dtype=_sum_type(stretch)) / (i_end - i_start)


@calculator(bl_int="adc", bl_slope="adc/sample")
def fit_baseline(
    waveform: Waves, *, i_start: Sample = 0, i_end: Sample = 500, order: Order = 1
) -> tuple[Values, Values]:
    """Fit a polynomial to the samples before the pulse.

    By least squares, against the sample number counted from the start of the waveform. `bl_int` is the fit's
    value at sample 0 in ADC counts, `bl_slope` its slope there in ADC counts a sample. Of order 2 and more
    only these first two terms are given; of order 0 the slope is 0. NaN where a sample of the stretch is.
    (n_rows, n_samples) in, twice (n_rows,) out.

    Formula
    -------
    p(k) = c0 + c1 * k + ... + c_order * k**order
    c0, c1 ... make sum((x[k] - p(k))**2) over k = i_start .. i_end - 1 least
    bl_int = c0
    bl_slope = c1

    Settings
    --------
    i_start : first sample of the stretch
    i_end : the stretch ends before this sample
    order : order of the polynomial; 1 is a line

    Source: linear least squares, NIST/SEMATECH e-Handbook of Statistical Methods, 4.4.3.1.
    """
    check_stretch(waveform.shape[1], i_start, i_end)
    check_order(order, i_end - i_start)
    at_zero, slope = fit_weights(i_start, i_end, order)
    stretch = waveform[:, i_start:i_end].astype(np.float64)
    # Without its mean the stretch is small, and no digits are lost to the size of the baseline.
    mean = stretch.mean(axis=1)
    stretch -= mean[:, None]
    return mean + np.einsum("ij,j->i", stretch, at_zero), np.einsum("ij,j->i", stretch, slope)


@calculator(trap_max="adc")
def trap_max(wf_trap: Waves) -> Values:
    """Take the maximum of the trapezoid: the energy, not calibrated.

    In ADC counts; NaN where a sample is NaN. (n_rows, n_samples) in, (n_rows,) out.

    Formula
    -------
    trap_max = max(x)

    Source: definition; of a trapezoid, V. T. Jordanov, G. F. Knoll, NIM A 345 (1994) 337.
    """
    return wf_trap.max(axis=1)


def check_stretch(n_samples: int, i_start: int, i_end: int) -> None:
    """Refuse a stretch that is empty or reaches beyond the waveform."""
    if i_start >= i_end:
        raise SettingsError(f"i_start must be less than i_end, {i_end}, not {i_start}")
    if i_end > n_samples:
        raise RecordTooShort(f"i_end must be {n_samples} or less, the length of the waveforms, not {i_end}")


def check_order(order: int, n_fitted: int, *, n_spare: int = 0) -> None:
    """Refuse a polynomial with more terms than there are samples, less `n_spare` of them."""
    if order >= n_fitted - n_spare:
        less = f" less {n_spare}" if n_spare else ""
        raise SettingsError(
            f"order must be less than the number of samples fitted{less}, {n_fitted - n_spare}, not {order}"
        )


def powers(begin: int, end: int, i_start: int, i_end: int, order: int) -> np.ndarray:
    """Give the powers of the position of samples `begin` to `end - 1`, (end - begin, order + 1).

    Positions count from the middle of the stretch from `i_start` to `i_end` in units of half its length, so
    that no power of the samples fitted grows large.
    """
    centre, half = (i_start + i_end - 1) / 2, (i_end - i_start) / 2
    return np.vander((np.arange(begin, end) - centre) / half, order + 1, increasing=True)


@lru_cache(maxsize=64)
def fit_weights(i_start: int, i_end: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the weights of the samples in the fit's value and slope at sample 0."""
    centre, half = (i_start + i_end - 1) / 2, (i_end - i_start) / 2
    coefficients = np.linalg.pinv(powers(i_start, i_end, i_start, i_end, order))
    degree = np.arange(order + 1)
    zero = -centre / half
    value = zero**degree
    slope = np.concatenate([[0.0], degree[1:] * zero ** (degree[1:] - 1)]) / half
    return value @ coefficients, slope @ coefficients


def _sum_type(samples: np.ndarray) -> type:
    return np.int64 if samples.dtype.kind in "iu" else np.float64
