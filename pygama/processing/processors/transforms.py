"""Transforms waveforms: each gives a waveform a row, in float64."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pygama.processing.declare import (
    Fraction,
    Gap,
    Order,
    RecordTooShort,
    Sample,
    Span,
    TimeConstant,
    Values,
    Waves,
    transform,
)
from pygama.processing.processors.calculators import check_order, check_stretch, powers


@transform(wf_blsub="adc")
def bl_subtract(waveform: Waves, bl_int: Values, bl_slope: Values) -> Waves:
    """Subtract the baseline, a line, from each waveform.

    In ADC counts. A NaN stays where it is; of a baseline, it fills the row. (n_rows, n_samples) and twice
    (n_rows,) in, (n_rows, n_samples) out.

    Formula
    -------
    y[k] = x[k] - (bl_int + bl_slope * k)

    Source: definition.
    """
    position = np.arange(waveform.shape[1], dtype=np.float64)
    return waveform - (bl_int[:, None] + bl_slope[:, None] * position)


@transform(wf_blsub="adc")
def bl_subtract_polynomial(
    waveform: Waves, *, i_start: Sample = 0, i_end: Sample = 500, order: Order = 2
) -> Waves:
    """Fit a polynomial to the samples before the pulse and subtract it from each waveform.

    By least squares, continued over the whole waveform, in ADC counts. Takes the place of `fit_baseline` and
    `bl_subtract`. A polynomial of order 2 and more runs away beyond the stretch that it was fitted to: use it
    for stretches that reach over most of the waveform. A NaN in the stretch makes the whole row NaN.
    (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    p(k): polynomial of the order that makes sum((x[k] - p(k))**2) over k = i_start .. i_end - 1 least
    y[k] = x[k] - p(k)

    Settings
    --------
    i_start : first sample of the stretch
    i_end : the stretch ends before this sample
    order : order of the polynomial; 0 is the mean, 1 a line

    Source: linear least squares, NIST/SEMATECH e-Handbook of Statistical Methods, 4.4.3.1.
    """
    check_stretch(waveform.shape[1], i_start, i_end)
    check_order(order, i_end - i_start)
    flat = waveform.astype(np.float64)
    flat -= flat[:, i_start:i_end].mean(axis=1)[:, None]
    inside, everywhere = projection(i_start, i_end, waveform.shape[1], order)
    flat -= np.einsum("ik,jk->ij", np.einsum("ij,kj->ik", flat[:, i_start:i_end], inside), everywhere)
    return flat


@transform(wf_pz="adc", replaces="wf_blsub")
def pole_zero(wf_blsub: Waves, *, tau: TimeConstant = 5000) -> Waves:
    """Undo the decay of the preamplifier, so that a pulse stays at its height.

    In ADC counts: exact for a sampled exponential. After a NaN all is NaN. Filters after this step read the
    corrected waveform. (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    y[k] = y[k-1] + x[k] - x[k-1] * exp(-1 / tau)
    y[-1] = x[-1] = 0

    Settings
    --------
    tau : decay time of the preamplifier

    Source: V. T. Jordanov, G. F. Knoll, NIM A 345 (1994) 337.
    """
    before = np.cumsum(wf_blsub, axis=1, dtype=np.float64)
    before -= wf_blsub
    before *= lost_per_sample(tau)
    before += wf_blsub
    return before


@transform(wf_pz="adc", replaces="wf_blsub")
def double_pole_zero(
    wf_blsub: Waves,
    *,
    tau: TimeConstant = 5000,
    tau2: TimeConstant = 500,
    fraction: Fraction = 0.02,
) -> Waves:
    """Undo a decay of two parts, so that a pulse stays at its height.

    For pulses that decay as (1 - fraction) * exp(-t / tau) + fraction * exp(-t / tau2): v lacks the second
    part, and `pole_zero` with `tau` does the rest. In ADC counts; exact for a sampled decay of two parts;
    with `fraction` 0 the same as `pole_zero`. After a NaN all is NaN. Filters after this step read the
    corrected waveform. (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    a = exp(-1 / tau), b = exp(-1 / tau2), c = b + fraction * (a - b)
    v[k] = c * v[k-1] + x[k] - b * x[k-1]
    y[k] = y[k-1] + v[k] - a * v[k-1]
    y[-1] = v[-1] = x[-1] = 0

    Settings
    --------
    tau : decay time of the first part
    tau2 : decay time of the second part
    fraction : part of the height that decays with tau2

    Source: definition; the quotient of the z-transforms of a step and of such a decay.
    """
    b, c = second_decay(tau, tau2, fraction)
    # One sample of all rows lies in one piece, since each depends on the one before it.
    x = np.array(wf_blsub.T, dtype=np.float64, order="C")
    lagging = x.copy()
    lagging[1:] -= b * x[:-1]
    for k in range(1, len(lagging)):
        lagging[k] += c * lagging[k - 1]
    return pole_zero(np.ascontiguousarray(lagging.T), tau=tau)


@transform(wf_trap="adc", renamed={"rt": "rise", "ft": "flat"}, ignored=("dt",))
def trap_filter(wf_blsub: Waves, *, rise: Span = 400, flat: Gap = 200) -> Waves:
    """Shape each waveform into a trapezoid.

    The mean of the last `rise` samples less the mean of the `rise` samples that end `rise + flat` earlier,
    in ADC counts: a step becomes a trapezoid of its height. After a NaN all is NaN.
    (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    y[k] = y[k-1] + (x[k] - x[k-rise] - x[k-rise-flat] + x[k-2*rise-flat]) / rise
    y[j] = x[j] = 0 for j < 0

    Settings
    --------
    rise : length of each of the two averages
    flat : gap between them

    Source: V. T. Jordanov, G. F. Knoll, NIM A 345 (1994) 337.
    """
    n_samples = wf_blsub.shape[1]
    check_length("rise", rise, n_samples)
    shaped = wf_blsub.astype(np.float64)
    for delay, add in ((rise, np.subtract), (rise + flat, np.subtract), (2 * rise + flat, np.add)):
        if delay < n_samples:
            later = shaped[:, delay:]
            add(later, wf_blsub[:, : n_samples - delay], out=later)
    np.cumsum(shaped, axis=1, out=shaped)
    shaped /= rise
    return shaped


@transform(wf_atrap="adc")
def asym_trap_filter(wf_blsub: Waves, *, rise: Span = 10, flat: Gap = 10, fall: Span = 400) -> Waves:
    """Shape each waveform into a trapezoid with flanks of different lengths, to find where pulses begin.

    The mean of the last `rise` samples less the mean of the `fall` samples that end `rise + flat` earlier, in
    ADC counts: a step becomes a trapezoid of its height that begins to rise at the step. With `rise` and
    `fall` equal it is `trap_filter`. After a NaN all is NaN. (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    y[k] = y[k-1] + (x[k] - x[k-rise]) / rise - (x[k-rise-flat] - x[k-rise-flat-fall]) / fall
    y[j] = x[j] = 0 for j < 0

    Settings
    --------
    rise : length of the later average
    flat : gap between the averages
    fall : length of the earlier average

    Source: definition; V. T. Jordanov, G. F. Knoll, NIM A 345 (1994) 337 for equal flanks.
    """
    n_samples = wf_blsub.shape[1]
    check_length("rise", rise, n_samples)
    check_length("fall", fall, n_samples)
    shaped = mean_of_last(wf_blsub, rise)
    if rise + flat < n_samples:
        shaped[:, rise + flat :] -= mean_of_last(wf_blsub, fall)[:, : n_samples - rise - flat]
    return shaped


def mean_of_last(waves: np.ndarray, length: int) -> np.ndarray:
    """Average the last `length` samples at each place; samples before the record count as 0."""
    mean = np.cumsum(waves, axis=1, dtype=np.float64)
    mean[:, length:] -= mean[:, :-length].copy()
    mean /= length
    return mean


def check_length(name: str, length: int, n_samples: int) -> None:
    """Refuse a filter that is longer than the waveform."""
    if length > n_samples:
        raise RecordTooShort(f"{name} must be {n_samples} or less, the length of the waveforms, not {length}")


@lru_cache(maxsize=32)
def projection(i_start: int, i_end: int, n_samples: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the weights of the samples of the stretch in each term, and each term at all samples."""
    inside = np.linalg.pinv(powers(i_start, i_end, i_start, i_end, order))
    return inside, powers(0, n_samples, i_start, i_end, order)


def second_decay(tau: float, tau2: float, fraction: float) -> tuple[float, float]:
    """Give b and c of `double_pole_zero`: what decays with `tau2`, and both parts together, in a sample."""
    a, b = float(np.exp(-1 / tau)), float(np.exp(-1 / tau2))
    return b, b + fraction * (a - b)


def lost_per_sample(tau: float) -> float:
    """Give the part of its height that a pulse loses from one sample to the next."""
    return float(-np.expm1(-1 / tau))
