"""Smooths, differentiates and shapes waveforms with filters of finite length.

Two ways to take a filter's weights to the samples: one sample at a time for short filters, whose NaN stays
where it is, and by the fast Fourier transform for long ones, where it fills the row.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np

from pygama.errors import SettingsError
from pygama.processing.declare import Gap, Limits, Order, Span, TimeConstant, Waves, transform
from pygama.processing.processors.transforms import check_length

Passes = Annotated[int, Limits("", low=1, high=10)]
"""How many times one after the other."""
Flank = Annotated[int, Limits("samples", low=2)]
"""A flank with room for a curve."""

_ROWS_AT_A_TIME = 8
"""Rows whose spectra stay in the processor's cache."""


@transform(wf_avg="adc")
def moving_window(wf_blsub: Waves, *, length: Span = 10, passes: Passes = 1) -> Waves:
    """Average each sample with those before it.

    In ADC counts; at the beginning, over the samples that there are. A pulse arrives (length - 1) / 2 samples
    later with each pass. After a NaN all is NaN. (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    y[k] = mean(x[max(k-length+1, 0):k+1])
    and again with y for x, until it was done `passes` times

    Settings
    --------
    length : length of the window
    passes : how many times the window goes over the waveform

    Source: definition.
    """
    n_samples = wf_blsub.shape[1]
    check_length("length", length, n_samples)
    count = np.minimum(np.arange(1, n_samples + 1), length)
    smooth = wf_blsub
    for _ in range(passes):
        smooth = np.cumsum(smooth, axis=1, dtype=np.float64)
        smooth[:, length:] -= smooth[:, :-length].copy()
        smooth /= count
    return smooth


@transform(wf_sg="adc")
def savitzky_golay(wf_blsub: Waves, *, length: Span = 21, order: Order = 3) -> Waves:
    """Smooth each waveform with polynomials, which keep heights and edges better than averages do.

    Each sample becomes the value there of a polynomial fitted by least squares to the `length` samples around
    it, in ADC counts; nearer to an end than half of that, the polynomial of the first or last `length`
    samples is taken. A polynomial of the order or less stays as it is. No delay. NaN where a sample fitted
    is. (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    b = min(max(k - (length - 1) / 2, 0), n - length)
    p(j): polynomial of the order that makes sum((x[j] - p(j))**2) over j = b .. b + length - 1 least
    y[k] = p(k)

    Settings
    --------
    length : samples fitted, an odd number
    order : order of the polynomial, less than length

    Source: A. Savitzky, M. J. E. Golay, Anal. Chem. 36 (1964) 1627.
    """
    check_smoothing(length, order, wf_blsub.shape[1])
    half = length // 2
    weights = smoothing_weights(length, order)
    waves = wf_blsub.astype(np.float64)
    smooth = np.empty_like(waves)
    windows = np.lib.stride_tricks.sliding_window_view(waves, length, axis=1)
    end = waves.shape[1] - half
    smooth[:, half:end] = np.einsum("ijk,k->ij", windows, weights[half])
    smooth[:, :half] = np.einsum("ik,jk->ij", waves[:, :length], weights[:half])
    smooth[:, end:] = np.einsum("ik,jk->ij", waves[:, -length:], weights[half + 1 :])
    return smooth


@transform(wf_deriv="adc/sample")
def derivative(wf_blsub: Waves) -> Waves:
    """Differentiate each waveform, without delay.

    In ADC counts a sample; 0 for a waveform of one sample. NaN where a sample used is.
    (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    y[k] = (x[k+1] - x[k-1]) / 2
    y[0] = x[1] - x[0]
    y[n-1] = x[n-1] - x[n-2]

    Source: definition; the central difference.
    """
    waves = wf_blsub.astype(np.float64)
    if waves.shape[1] < 2:
        return waves - waves
    return np.gradient(waves, axis=1)


@transform(wf_current="adc/sample")
def current(wf_blsub: Waves, *, length: Span = 10) -> Waves:
    """Give the current whose charge the waveform is, averaged over a short time.

    The mean of the last `length` differences, in ADC counts a sample. Samples before the record count as the
    first one, so the current begins at 0. NaN where one of the two samples is.
    (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    y[k] = (x[k] - x[max(k-length, 0)]) / length

    Settings
    --------
    length : time over which the current is averaged

    Source: definition.
    """
    n_samples = wf_blsub.shape[1]
    check_length("length", length, n_samples)
    flow = wf_blsub.astype(np.float64)
    before = np.concatenate([np.repeat(flow[:, :1], length, axis=1), flow[:, : n_samples - length]], axis=1)
    flow -= before
    flow /= length
    return flow


@transform(wf_cusp="adc")
def cusp_filter(wf_blsub: Waves, *, rise: Span = 400, flat: Gap = 200, sigma: TimeConstant = 200) -> Waves:
    """Shape each waveform into a cusp: of a finite length, with a flat top.

    A step becomes a flank of `rise` samples that bends upwards, `flat` samples more at the step's height, and
    the same flank downwards: h, times the step, in ADC counts. That is the cusp convolved with the
    differences of the waveform, so put `pole_zero` before it. A `sigma` much above `rise` makes it
    `trap_filter`. Its maximum is the energy: `trap_max` with wf_cusp for its input. A row with a sample that
    is not finite becomes NaN. (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    u[i] = max(min(i + 1, rise, 2 * rise + flat - 1 - i), 0)
    h[i] = sinh(u[i] / sigma) / sinh(rise / sigma)
    y[k] = sum(h[i] * (x[k-i] - x[k-i-1])) over i = 0 .. k
    x[-1] = 0

    Settings
    --------
    rise : length of each flank
    flat : length of the flat top
    sigma : how fast the flanks bend; the shorter, the sharper the cusp

    Source: M. Agostini et al. (GERDA), Eur. Phys. J. C 75 (2015) 255.
    """
    n_samples = wf_blsub.shape[1]
    check_length("rise", rise, n_samples)
    return convolved(wf_blsub, np.diff(cusp(rise, flat, sigma, n_samples), prepend=0.0))


@transform(wf_zac="adc")
def zac_filter(wf_blsub: Waves, *, rise: Flank = 400, flat: Gap = 200, sigma: TimeConstant = 200) -> Waves:
    """Shape each waveform into a zero-area cusp, which a sloping baseline does not lift.

    The cusp of `cusp_filter` less a parabola under each flank, of such size that the whole has no area; the
    top keeps the step's height, in ADC counts. A straight line gives 0 once the filter lies within the
    record. Put `pole_zero` before it; its maximum is the energy: `trap_max` with wf_zac for its input. A row
    with a sample that is not finite becomes NaN. (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    u[i] = max(min(i + 1, rise, 2 * rise + flat - 1 - i), 0)
    h[i] = sinh(u[i] / sigma) / sinh(rise / sigma) - q * u[i] * (rise - u[i]), with q such that sum(h) = 0
    y[k] = sum(h[i] * (x[k-i] - x[k-i-1])) over i = 0 .. k
    x[-1] = 0

    Settings
    --------
    rise : length of each flank
    flat : length of the flat top
    sigma : how fast the flanks bend; the shorter, the sharper the cusp

    Source: M. Agostini et al. (GERDA), Eur. Phys. J. C 75 (2015) 255.
    """
    n_samples = wf_blsub.shape[1]
    check_length("rise", rise, n_samples)
    return convolved(wf_blsub, np.diff(zero_area_cusp(rise, flat, sigma, n_samples), prepend=0.0))


@lru_cache(maxsize=32)
def cusp(rise: int, flat: int, sigma: float, n_samples: int) -> np.ndarray:
    """Give what `cusp_filter` makes of a unit step at sample 0, at most (n_samples,)."""
    flank = _flank(rise, sigma)
    top = np.ones(min(flat, n_samples))
    return np.concatenate([flank, top, flank[-2::-1], [0.0]])[:n_samples]


@lru_cache(maxsize=32)
def zero_area_cusp(rise: int, flat: int, sigma: float, n_samples: int) -> np.ndarray:
    """Give what `zac_filter` makes of a unit step at sample 0, at most (n_samples,)."""
    u = np.arange(1.0, rise + 1)
    flank = _flank(rise, sigma) - u * (rise - u) * parabola_part(rise, flat, sigma)
    top = np.ones(min(flat, n_samples))
    return np.concatenate([flank, top, flank[-2::-1], [0.0]])[:n_samples]


def parabola_part(rise: int, flat: int, sigma: float) -> float:
    """Give the size of the parabolas that leave a cusp without area."""
    u = np.arange(1.0, rise + 1)
    area = 2 * _flank(rise, sigma).sum() - 1 + flat
    return float(area / (2 * (u * (rise - u)).sum()))


def _flank(rise: int, sigma: float) -> np.ndarray:
    """Give sinh(u / sigma) / sinh(rise / sigma) for u from 1 to `rise`, also where sinh is too large."""
    u = np.arange(1.0, rise + 1)
    return np.exp((u - rise) / sigma) * np.expm1(-2 * u / sigma) / np.expm1(-2 * rise / sigma)


def convolved(waves: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weigh the last samples at each place, the newest by `weights[0]`; before the record they are 0."""
    n_samples = waves.shape[1]
    size = _quick_size(n_samples + len(weights) - 1)
    weight = np.fft.rfft(weights, size)
    shaped = np.empty(waves.shape)
    for begin in range(0, len(waves), _ROWS_AT_A_TIME):
        rows = slice(begin, begin + _ROWS_AT_A_TIME)
        spectrum = np.fft.rfft(waves[rows].astype(np.float64), size, axis=1)
        spectrum *= weight
        shaped[rows] = np.fft.irfft(spectrum, size, axis=1)[:, :n_samples]
    shaped[~np.isfinite(waves).all(axis=1)] = np.nan
    return shaped


def _quick_size(size: int) -> int:
    """Give the next length that the Fourier transform is quick at: 1, 3, 5 or 9 times a power of two."""
    return min(odd << (-(-size // odd) - 1).bit_length() for odd in (1, 3, 5, 9))


def check_smoothing(length: int, order: int, n_samples: int) -> None:
    """Refuse a length without a middle, too many terms and a filter longer than the waveform."""
    if length % 2 == 0:
        raise SettingsError(f"length must be an odd number of samples, not {length}")
    if order >= length:
        raise SettingsError(f"order must be less than length, {length}, not {order}")
    check_length("length", length, n_samples)


@lru_cache(maxsize=32)
def smoothing_weights(length: int, order: int) -> np.ndarray:
    """Give the weights of `length` samples in the value of their polynomial at each, (length, length)."""
    position = np.linspace(-1.0, 1.0, length) if length > 1 else np.zeros(1)
    powers = np.vander(position, order + 1, increasing=True)
    return powers @ np.linalg.pinv(powers)
