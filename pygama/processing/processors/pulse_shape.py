"""Tells single-site events, multi-site events and those at a surface apart by the shape of their pulses."""

from __future__ import annotations

import numpy as np

from pygama.processing.declare import Gap, PeriodNs, Span, Values, Waves, calculator
from pygama.processing.processors.transforms import check_length


@calculator(a_max="adc/sample")
def a_max(wf_current: Waves) -> Values:
    """Take the maximum of the current: A.

    In ADC counts a sample; NaN where a sample is. (n_rows, n_samples) in, (n_rows,) out.

    Formula
    -------
    a_max = max(x)

    Source: D. Budjáš et al., JINST 4 (2009) P10007.
    """
    return wf_current.max(axis=1)


@calculator(a_over_e="1/sample")
def a_over_e(a_max: Values, trap_max: Values) -> Values:
    """Divide the maximum of the current by the energy: lower for events of several sites.

    ADC counts a sample over ADC counts: in 1/sample. NaN where the energy is not above 0 or one of the two is
    not finite. Twice (n_rows,) in, (n_rows,) out.

    Formula
    -------
    a_over_e = a_max / trap_max

    Source: D. Budjáš et al., JINST 4 (2009) P10007; S. I. Alvis et al. (MAJORANA), Phys. Rev. C 99 (2019)
    065501.
    """
    good = np.isfinite(a_max) & np.isfinite(trap_max) & (trap_max > 0)
    return np.where(good, np.divide(a_max, trap_max, dtype=np.float64), np.nan)


@calculator(tail_slope="adc/sample")
def tail_slope(
    wf_blsub: Waves, tp_99: Values, period_ns: PeriodNs, *, delay: Gap = 200, length: Span = 100
) -> Values:
    """Measure how the pulse goes on after its edge: charge that is collected late makes it rise.

    The end of the record less a stretch soon after `tp_99`, divided by the distance of the two, in ADC counts
    a sample. Of a waveform without the preamplifier's decay, so put `pole_zero` before it; then it is 0 where
    no charge comes late. NaN where `tp_99` is, where the two stretches overlap, and where a sample of the row
    is NaN. (n_rows, n_samples) and (n_rows,) in, (n_rows,) out.

    Formula
    -------
    first = ceil(tp_99 / period_ns) + delay, last = n - length
    tail_slope = (mean(x[last:n]) - mean(x[first:first+length])) / (last - first)

    Settings
    --------
    delay : from 99 % of the maximum to the first stretch
    length : length of each of the two stretches

    Source: definition, after the delayed charge recovery of I. J. Arnquist et al. (MAJORANA), Eur. Phys. J. C
    82 (2022) 226.
    """
    n_samples = wf_blsub.shape[1]
    check_length("length", length, n_samples)
    begin = np.ceil(tp_99 / period_ns) + delay
    latest = n_samples - 2 * length
    fits = (begin >= 0) & (begin <= latest)
    first = np.where(fits, begin, 0).astype(np.intp)
    total = np.zeros((len(wf_blsub), n_samples + 1))
    np.cumsum(wf_blsub, axis=1, out=total[:, 1:])
    rows = np.arange(len(wf_blsub))
    late = total[:, -1] - total[:, n_samples - length]
    early = total[rows, np.minimum(first + length, n_samples)] - total[rows, first]
    slope = (late - early) / (length * (n_samples - length - first))
    return np.where(fits, slope, np.nan)
