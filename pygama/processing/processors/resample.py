"""Brings waveforms whose samples lie at unequal distances to one sampling period."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pygama.processing.declare import Span, Values, Waves, transform


@transform(wf_resampled="adc", replaces="waveform")
def resample_multisampled(
    waveform: Waves,
    presum_start: Values,
    presum_rate: Values,
    presum_divisor: Values,
    *,
    length: Span | None = None,
) -> Waves:
    """Bring a waveform with a pre-summed end to the sampling period of its beginning.

    From sample `presum_start` on, each sample is the sum of `presum_rate` samples divided by
    `presum_divisor`. It becomes their mean, in ADC counts, put at the middle of the time that it spans;
    between the middles the waveform is a straight line, before the first and after the last one it is level.
    Steps after this one read the result in place of the raw waveform. Where a waveform ends before `length`,
    the rest is NaN; as many samples as the waveform has are always there. Rows whose three columns are not
    finite, or whose rate is not a whole number of 1 or more or divisor not above 0, become NaN; a NaN spreads
    to the samples made from it. (n_rows, n_samples) and three times (n_rows,) in, (n_rows, length) out.

    Formula
    -------
    before i = presum_start: m[i] = x[i], c[i] = i
    from there on: m[i] = x[i] * presum_divisor / presum_rate
        c[i] = presum_start + (i - presum_start) * presum_rate + (presum_rate - 1) / 2
    y[k] = m[i] + (k - c[i]) / (c[i+1] - c[i]) * (m[i+1] - m[i]), where c[i] <= k <= c[i+1]
    y[k] = NaN for k from presum_start + (n - presum_start) * presum_rate to length - 1

    Settings
    --------
    length : samples to give; empty for as many as the waveform has

    Source: ORCA's Gretina4M settings, as the decoder reads them; the straight line is a definition.
    """
    n_samples = waveform.shape[1]
    even = np.full((len(waveform), n_samples if length is None else length), np.nan)
    for place, rows in _alike(presum_start, presum_rate, presum_divisor):
        start, rate, divisor = place
        start, rate = int(np.clip(start, 0, n_samples)), int(rate)
        means = waveform[rows].astype(np.float64)
        means[:, start:] *= divisor / rate
        even[rows] = _on_a_line(means, start, rate, even.shape[1])
    return even


def _alike(
    start: np.ndarray, rate: np.ndarray, divisor: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Go through the rows that are summed in the same way; those that make no sense are left out."""
    columns = np.stack([start, rate, divisor], axis=1).astype(np.float64)
    kinds, group = np.unique(columns, axis=0, return_inverse=True)
    for number, kind in enumerate(kinds):
        _, rate_here, divisor_here = kind
        if np.isfinite(kind).all() and rate_here >= 1 and rate_here == int(rate_here) and divisor_here > 0:
            yield kind, np.flatnonzero(group.reshape(-1) == number)


def _on_a_line(means: np.ndarray, start: int, rate: int, length: int) -> np.ndarray:
    """Read means, of which those from `start` on span `rate` samples, at samples 0 to `length - 1`."""
    n_samples = means.shape[1]
    middles = np.arange(n_samples, dtype=np.float64)
    middles[start:] = start + (middles[start:] - start) * rate + (rate - 1) / 2
    n_there = start + (n_samples - start) * rate
    wanted = np.arange(min(length, n_there), dtype=np.float64)
    later = np.clip(np.searchsorted(middles, wanted), 1, max(n_samples - 1, 1))
    earlier = later - 1
    later = np.minimum(later, n_samples - 1)
    span = np.maximum(middles[later] - middles[earlier], 1.0)
    part = np.clip((wanted - middles[earlier]) / span, 0.0, 1.0)
    even = np.full((len(means), length), np.nan)
    # A sample that lies at a middle takes nothing, not even NaN, from its neighbour.
    low = np.where(part == 1, later, earlier)
    high = np.where(part == 0, earlier, later)
    even[:, : len(wanted)] = means[:, low] + part * (means[:, high] - means[:, low])
    return even
