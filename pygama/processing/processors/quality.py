"""Measures noise, saturation and pile-up: whether a waveform is fit for what is to be read from it."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from pygama.processing.declare import (
    Factor,
    Level,
    Limits,
    PeriodNs,
    Sample,
    Span,
    Values,
    Waves,
    calculator,
    transform,
)
from pygama.processing.processors.calculators import check_stretch

Taper = Annotated[str, Limits(choices=("none", "hann"))]

SIGMA_OF_MAD = 1.4826
"""Standard deviation of normal noise over its median absolute deviation."""


@calculator(noise_rms="adc")
def noise_rms(wf_blsub: Waves, *, i_start: Sample = 0, i_end: Sample = 500) -> Values:
    """Measure the noise of any waveform where it has no pulse.

    The root of the mean square about the mean of the stretch, in ADC counts. Of a filter's noise, with the
    filtered waveform for its input. NaN where a sample of the stretch is. (n_rows, n_samples) in, (n_rows,)
    out.

    Formula
    -------
    m = mean(x[i_start:i_end])
    noise_rms = sqrt(mean((x[i_start:i_end] - m)**2))

    Settings
    --------
    i_start : first sample of the stretch without a pulse
    i_end : the stretch ends before this sample

    Source: definition.
    """
    check_stretch(wf_blsub.shape[1], i_start, i_end)
    return wf_blsub[:, i_start:i_end].astype(np.float64).std(axis=1)


@transform(psd="adc^2/MHz")
def psd(
    waveform: Waves, period_ns: PeriodNs, *, i_start: Sample = 0, i_end: Sample = 500, taper: Taper = "none"
) -> Waves:
    """Give the power spectrum of the noise where there is no pulse.

    The one-sided periodogram of the stretch less its mean, squared ADC counts a MHz: value k belongs to the
    frequency k / (N * period). Without a taper the sum of the values times their distance, 1 / (N * period),
    is the mean square of the samples about their mean. A row with a sample in the stretch that is not finite
    becomes NaN. Average over many rows: one spectrum is as uncertain as it is large. (n_rows, n_samples) in,
    (n_rows, N // 2 + 1) out, with N the samples of the stretch.

    Formula
    -------
    N = i_end - i_start, s[j] = x[i_start+j] - mean(x[i_start:i_end])
    w[j] = 1, or 0.5 - 0.5 * cos(2 * pi * (j + 0.5) / N) for hann
    f[k] = sum(w[j] * s[j] * exp(-2i * pi * j * k / N)) over j = 0 .. N - 1
    y[k] = c[k] * 1e-3 * period_ns * abs(f[k])**2 / sum(w**2)
    c[k] = 1 for k = 0 and k = N / 2, 2 for all others

    Settings
    --------
    i_start : first sample of the stretch without a pulse
    i_end : the stretch ends before this sample
    taper : hann lets strong lines leak less into their surroundings

    Source: P. D. Welch, IEEE Trans. Audio Electroacoust. 15 (1967) 70, with a single segment.
    """
    check_stretch(waveform.shape[1], i_start, i_end)
    n_stretch = i_end - i_start
    stretch = waveform[:, i_start:i_end].astype(np.float64)
    stretch[~np.isfinite(stretch).all(axis=1)] = np.nan
    stretch -= stretch.mean(axis=1)[:, None]
    weights = np.ones(n_stretch)
    if taper == "hann":
        weights = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(n_stretch) + 0.5) / n_stretch)
    amplitude = np.fft.rfft(stretch * weights, axis=1)
    power = (np.square(amplitude.real) + np.square(amplitude.imag)) * (1e-3 * period_ns)
    power /= np.square(weights).sum()
    power[:, 1 : (n_stretch + 1) // 2] *= 2
    return power


@calculator(n_sat_low="samples", n_sat_high="samples", is_saturated="")
def saturation(
    waveform: Waves, *, low: Level | None = None, high: Level | None = None
) -> tuple[Values, Values, Values]:
    """Count the samples at the ends of the digitizer's range.

    `low` and `high` in ADC counts. Without a bound, the end of the sample type counts, such as 0 and 65535;
    samples of floating point have no end and need bounds. All NaN where a sample is NaN.
    (n_rows, n_samples) in, three times (n_rows,) out.

    Formula
    -------
    n_sat_low = number of k with x[k] <= low
    n_sat_high = number of k with x[k] >= high
    is_saturated = 1 where n_sat_low + n_sat_high > 0, else 0

    Settings
    --------
    low : lowest value that the digitizer gives; empty for that of the sample type
    high : highest value that the digitizer gives; empty for that of the sample type

    Source: definition.
    """
    floor, ceiling = range_ends(waveform.dtype, low, high)
    at_floor = np.count_nonzero(waveform <= floor, axis=1).astype(np.float64)
    at_ceiling = np.count_nonzero(waveform >= ceiling, axis=1).astype(np.float64)
    is_saturated = (at_floor + at_ceiling > 0).astype(np.float64)
    if waveform.dtype.kind == "f":
        unknown = np.isnan(waveform).any(axis=1)
        for count in (at_floor, at_ceiling, is_saturated):
            count[unknown] = np.nan
    return at_floor, at_ceiling, is_saturated


def range_ends(sample_type: np.dtype, low: int | None, high: int | None) -> tuple[float, float]:
    """Give the bounds of `saturation`, those of the sample type where they are not given."""
    floor, ceiling = -np.inf, np.inf
    if sample_type.kind in "iu":
        floor, ceiling = np.iinfo(sample_type).min, np.iinfo(sample_type).max
    return floor if low is None else low, ceiling if high is None else high


@calculator(rare=("tp_second",), n_pulses="", is_pile_up="", tp_second="ns")
def count_pulses(
    wf_current: Waves, period_ns: PeriodNs, *, n_sigma: Factor = 6.0, gap: Span = 100
) -> tuple[Values, Values, Values]:
    """Count the pulses in a waveform by the peaks of its current.

    A pulse begins where the current, in ADC counts a sample, rises far over its median, after `gap` samples
    or more that did not; the noise is 1.4826 times the median distance from the median, which short pulses
    hardly change. `n_pulses` is their number, `is_pile_up` tells whether there is more than one, `tp_second`
    is when the second begins, in ns from the first sample, NaN where there is none. All NaN where a sample is
    NaN. (n_rows, n_samples) in, three times (n_rows,) out.

    A pulse from before the record, on whose tail another one rides, has no current left and is not counted:
    the slope of the baseline (`bl_slope` of `fit_baseline`) tells of it.

    Formula
    -------
    above[k] = x[k] > median(x) + n_sigma * 1.4826 * median(abs(x - median(x)))
    begins: all k with above[k] and none of above[k-gap] .. above[k-1]; before the record none is
    n_pulses = number of begins
    is_pile_up = 1 where n_pulses > 1, else 0
    tp_second = period_ns * second of begins

    Settings
    --------
    n_sigma : height of a peak in units of the noise
    gap : peaks closer than this are one pulse, of several sites

    Source: definition.
    """
    n_samples = wf_current.shape[1]
    middle = np.median(wf_current, axis=1)[:, None]
    noise = SIGMA_OF_MAD * np.median(np.abs(wf_current - middle), axis=1)[:, None]
    above = wf_current > middle + n_sigma * noise
    gap = min(gap, n_samples)
    n_above = np.zeros((len(above), gap + 1 + n_samples), np.intp)
    np.cumsum(above, axis=1, out=n_above[:, gap + 1 :])
    begins = above & (n_above[:, gap:-1] == n_above[:, :n_samples])
    n_pulses = np.count_nonzero(begins, axis=1).astype(np.float64)
    second = np.cumsum(begins, axis=1) == 2
    tp_second = np.where(n_pulses > 1, second.argmax(axis=1) * period_ns, np.nan)
    is_pile_up = (n_pulses > 1).astype(np.float64)
    unknown = np.isnan(middle[:, 0])
    n_pulses[unknown] = is_pile_up[unknown] = np.nan
    return n_pulses, is_pile_up, tp_second
