"""Transforms waveforms: each gives a waveform a row, in float64."""

from __future__ import annotations

import numpy as np

from pygama.processing.declare import Gap, RecordTooShort, Span, TimeConstant, Values, Waves, transform


@transform(wf_blsub="adc")
def bl_subtract(waveform: Waves, bl_int: Values, bl_slope: Values) -> Waves:
    """Subtract the baseline, a line, from each waveform.

    Sample k less `bl_int + bl_slope * k`, in ADC counts. (n_rows, n_samples) in, the same shape out.
    """
    position = np.arange(waveform.shape[1], dtype=np.float64)
    return waveform - (bl_int[:, None] + bl_slope[:, None] * position)


@transform(wf_pz="adc", replaces="wf_blsub")
def pole_zero(wf_blsub: Waves, *, tau: TimeConstant = 5000) -> Waves:
    """Undo the decay of the preamplifier, so that a pulse stays at its height.

    y[k] = y[k-1] + x[k] - x[k-1] * exp(-1 / tau), in ADC counts: exact for a sampled exponential. Samples
    before the record count as 0. Filters after this step read the corrected waveform.
    (n_rows, n_samples) in, the same shape out.

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


@transform(wf_trap="adc", renamed={"rt": "rise", "ft": "flat"}, ignored=("dt",))
def trap_filter(wf_blsub: Waves, *, rise: Span = 400, flat: Gap = 200) -> Waves:
    """Shape each waveform into a trapezoid.

    The mean of the last `rise` samples less the mean of the `rise` samples that end `rise + flat` earlier,
    in ADC counts: a step becomes a trapezoid of its height. Samples before the record count as 0.
    (n_rows, n_samples) in, the same shape out.

    Settings
    --------
    rise : length of each of the two averages
    flat : gap between them

    Source: V. T. Jordanov, G. F. Knoll, NIM A 345 (1994) 337.
    """
    n_samples = wf_blsub.shape[1]
    if rise > n_samples:
        raise RecordTooShort(f"rise must be {n_samples} or less, the length of the waveforms, not {rise}")
    shaped = wf_blsub.astype(np.float64)
    for delay, add in ((rise, np.subtract), (rise + flat, np.subtract), (2 * rise + flat, np.add)):
        if delay < n_samples:
            later = shaped[:, delay:]
            add(later, wf_blsub[:, : n_samples - delay], out=later)
    np.cumsum(shaped, axis=1, out=shaped)
    shaped /= rise
    return shaped


def lost_per_sample(tau: float) -> float:
    """Give the part of its height that a pulse loses from one sample to the next."""
    return float(-np.expm1(-1 / tau))
