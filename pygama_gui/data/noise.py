"""Gives the noise spectrum of waveforms, by the function that the chain has for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pygama.processing.processors.quality import psd
from pygama.quick_dataclass import dataclass
from pygama_gui.data.density import SAMPLES_AT_ONCE
from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import baseline_stretch
from pygama_gui.session.state import Step

UNKNOWN_PERIOD_NS = 1000.0
"""With it, MHz are cycles a sample."""
LEAST_SAMPLES = 2


@dataclass(frozen=True)
class NoiseSpectrum:
    """Mean power of the noise. frequencies: (k,) in MHz, or cycles a sample where the period is not known.

    power: (k,) in squared ADC counts a MHz, or squared ADC counts times samples. stretch: the samples that it
    is of. n_waveforms: how many were averaged; those with samples that are not finite are left out.
    """

    frequencies: np.ndarray
    power: np.ndarray
    stretch: tuple[int, int]
    n_waveforms: int
    taper: str
    is_period_known: bool

    def heights(self, *, is_amplitude: bool) -> np.ndarray:
        """Give the power, or its root."""
        return np.sqrt(self.power) if is_amplitude else self.power


def noise_spectrum(bunch: Bunch, chain: Sequence[Step], *, is_whole_record: bool) -> NoiseSpectrum:
    """Average the power spectra of waveforms, of their baselines or, with a Hann taper, of all of them."""
    n_samples = bunch.waveforms.shape[1]
    start, end = baseline_stretch(chain, n_samples, bunch.period_ns)
    if is_whole_record or end - start < LEAST_SAMPLES:
        start, end = 0, n_samples
    taper = "hann" if is_whole_record else "none"
    period_ns = bunch.period_ns or UNKNOWN_PERIOD_NS
    total, n_finite = np.zeros((end - start) // 2 + 1), 0
    at_once = max(SAMPLES_AT_ONCE // n_samples, 1)
    for first in range(0, len(bunch), at_once):
        waveforms = bunch.waveforms[first : first + at_once]
        power = psd(waveforms, period_ns, i_start=start, i_end=end, taper=taper)
        power = power[np.isfinite(power).all(axis=1)]
        total += power.sum(axis=0)
        n_finite += len(power)
    mean = total / n_finite if n_finite else np.full(len(total), np.nan)
    frequencies = np.fft.rfftfreq(end - start, 1e-3 * period_ns)
    return NoiseSpectrum(frequencies, mean, (start, end), n_finite, taper, bunch.period_ns is not None)
