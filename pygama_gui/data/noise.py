"""Gives the noise spectrum of waveforms, by the function that the chain has for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pygama.processing.processors.quality import psd
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import codes_of
from pygama_gui.data.density import SAMPLES_AT_ONCE
from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import baseline_stretch
from pygama_gui.session.state import Step

UNKNOWN_PERIOD_NS = 1000.0
"""With it, MHz are cycles a sample."""
LEAST_SAMPLES = 2
LOUD = 10.0
"""A baseline with so many times the median mean square of its channel holds a pulse or its tail, too."""
ROUNDING = 1 / 12
"""Mean square that comes of whole ADC counts."""


@dataclass(frozen=True)
class NoiseSpectrum:
    """Mean power of the noise. frequencies: (k,) in MHz, or cycles a sample where the period is not known.

    power: (k,) in squared ADC counts a MHz, or squared ADC counts times samples. stretch: the samples that it
    is of. n_waveforms: how many were averaged; those with samples that are not finite are left out, and
    n_loud whose baseline holds an earlier pulse or its tail: a single one would stand above all noise.
    """

    frequencies: np.ndarray
    power: np.ndarray
    stretch: tuple[int, int]
    n_waveforms: int
    taper: str
    is_period_known: bool
    n_loud: int = 0

    def heights(self, *, is_amplitude: bool) -> np.ndarray:
        """Give the power, or its root."""
        return np.sqrt(self.power) if is_amplitude else self.power


def noise_spectrum(bunch: Bunch, chain: Sequence[Step], *, is_whole_record: bool) -> NoiseSpectrum:
    """Average the power spectra of waveforms, of their baselines or, with a Hann taper, of all of them."""
    n_samples = bunch.waveforms.shape[1]
    start, end = baseline_stretch(chain, n_samples, bunch.period_ns)
    if is_whole_record or end - start < LEAST_SAMPLES:
        start, end = 0, n_samples
    is_baseline = (start, end) != (0, n_samples)
    is_loud = _are_loud(bunch, start, end) if is_baseline else np.zeros(len(bunch), bool)
    taper = "hann" if is_whole_record else "none"
    period_ns = bunch.period_ns or UNKNOWN_PERIOD_NS
    total, n_finite = np.zeros((end - start) // 2 + 1), 0
    at_once = max(SAMPLES_AT_ONCE // n_samples, 1)
    for first in range(0, len(bunch), at_once):
        waveforms = bunch.waveforms[first : first + at_once][~is_loud[first : first + at_once]]
        power = psd(waveforms, period_ns, i_start=start, i_end=end, taper=taper)
        power = power[np.isfinite(power).all(axis=1)]
        total += power.sum(axis=0)
        n_finite += len(power)
    mean = total / n_finite if n_finite else np.full(len(total), np.nan)
    frequencies = np.fft.rfftfreq(end - start, 1e-3 * period_ns)
    is_known = bunch.period_ns is not None
    return NoiseSpectrum(frequencies, mean, (start, end), n_finite, taper, is_known, int(is_loud.sum()))


def _are_loud(bunch: Bunch, start: int, end: int) -> np.ndarray:
    """Tell which waveforms hold more than noise from start to end, (n,); each is held against its channel."""
    at_once = max(SAMPLES_AT_ONCE // (end - start), 1)
    squares = [
        np.var(bunch.waveforms[first : first + at_once, start:end], axis=1, dtype=np.float64)
        for first in range(0, len(bunch), at_once)
    ]
    mean_square = np.concatenate([np.zeros(0), *squares])
    codes = codes_of(bunch.numbers)
    is_loud = np.zeros(len(bunch), bool)
    for code in [None] if codes is None else np.unique(codes):
        rows = np.isfinite(mean_square) & (True if codes is None else codes == code)
        if rows.any():
            is_loud |= rows & (mean_square > LOUD * max(np.median(mean_square[rows]), ROUNDING))
    return is_loud
