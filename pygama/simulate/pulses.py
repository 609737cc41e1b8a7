"""Makes waveforms of a germanium detector whose true answers are known.

All interactions of an event begin at once; the charge of each is collected over its own drift time, and the
preamplifier lets the sum decay exponentially. Noise is a white part plus a slow one, an autoregression of
first order. Long waveforms stay cheap: noise is cut at random places out of a bank made once, and the
tail is one table, scaled for each pulse.
"""

from __future__ import annotations

import numpy as np

from pygama.quick_dataclass import dataclass

_BANK = 1 << 20


@dataclass(frozen=True, slots=True)
class Electronics:
    """The chain from the detector to the samples; lengths in samples, heights in ADC counts."""

    decay: float = 5000.0
    """Decay time of the preamplifier."""
    white_noise: float = 2.6
    slow_noise: float = 1.5
    slow_length: float = 20.0
    """Correlation length of the slow part."""


def noise_bank(rng: np.random.Generator, n_samples: int, electronics: Electronics) -> np.ndarray:
    """Make noise, (n_samples,) float32 in ADC counts, that joins its own beginning without a step."""
    white = rng.standard_normal(n_samples)
    memory = np.exp(-1.0 / electronics.slow_length)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(n_samples))
    slow = np.fft.irfft(np.fft.rfft(rng.standard_normal(n_samples)) / (1 - memory * turn), n_samples)
    slow *= np.sqrt(1 - memory**2)
    return (electronics.white_noise * white + electronics.slow_noise * slow).astype(np.float32)


def collected(since: np.ndarray, drift: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Give the part of the charge that is collected, 0 to 1.

    since: (n, n_times) samples since the interaction. drift: (n, n_sites) drift time of each site in samples.
    share: (n, n_sites) its share of the charge; each row sums to 1. Returns (n, n_times).
    """
    charge = np.zeros(since.shape)
    for site in range(drift.shape[1]):
        u = np.clip(since / np.maximum(drift[:, site, None], 1e-9), 0.0, 1.0)
        charge += share[:, site, None] * u * u * (3.0 - 2.0 * u)
    return charge


def rising_edges(
    fraction: np.ndarray, drift: np.ndarray, share: np.ndarray, n_samples: int, decay: float
) -> np.ndarray:
    """Make the first samples of pulses of unit charge, decay included, (n, n_samples).

    fraction: (n,) how far into the first sample the interaction lies, 0 to 1.
    """
    k = np.arange(n_samples)
    charge = collected(k - fraction[:, None], drift, share)
    arriving = np.diff(charge, axis=1, prepend=0.0)
    return np.cumsum(arriving * np.exp(k / decay), axis=1) * np.exp(-k / decay)


@dataclass(frozen=True, slots=True)
class Pulses:
    """One pulse for each waveform.

    start: (n,) position of the interaction in samples, also before the record or behind it.
    height: (n,) charge in ADC counts; 0 where there is no pulse. drift, share: (n, n_sites), see `collected`.
    """

    start: np.ndarray
    height: np.ndarray
    drift: np.ndarray
    share: np.ndarray


class WaveformMaker:
    """Makes waveforms of `n_samples` samples; the same draws give the same samples in any grouping.

    longest_drift: the longest drift time there will be, in samples.
    """

    def __init__(
        self, rng: np.random.Generator, n_samples: int, electronics: Electronics, *, longest_drift: float
    ) -> None:
        self.n_samples = n_samples
        self._n_edge = int(np.ceil(longest_drift)) + 2
        self.electronics = electronics
        bank = noise_bank(rng, _BANK, electronics)
        self._noise = np.concatenate([bank, np.resize(bank, n_samples)])
        self._ramp = np.arange(n_samples, dtype=np.float32)
        self._tail = np.exp(-np.arange(n_samples) / electronics.decay).astype(np.float32)
        self._spare = np.empty(n_samples, np.float32)

    def baselines(self, level: np.ndarray, slope: np.ndarray, noise_at: np.ndarray) -> np.ndarray:
        """Make waveforms without a pulse, (n, n_samples) float32.

        level: (n,) ADC at sample 0. slope: (n,) ADC a sample. noise_at: (n,) place in the noise bank, any
        whole number.
        """
        waves = np.multiply.outer(slope.astype(np.float32), self._ramp)
        waves += level.astype(np.float32)[:, None]
        for wave, at in zip(waves, (noise_at % _BANK).tolist(), strict=True):
            wave += self._noise[at : at + self.n_samples]
        return waves

    def add(self, waves: np.ndarray, pulses: Pulses) -> None:
        """Add a pulse to each of the waveforms."""
        rows = np.flatnonzero(pulses.height)
        if not len(rows):
            return
        start, drift = pulses.start[rows].astype(float), pulses.drift[rows].astype(float)
        first = np.floor(start)
        edges = rising_edges(start - first, drift, pulses.share[rows], self._n_edge, self.electronics.decay)
        edges *= pulses.height[rows, None].astype(float)
        for row, begin, edge in zip(rows.tolist(), first.astype(int).tolist(), edges, strict=True):
            self._add_one(waves[row], begin, edge)

    def _add_one(self, wave: np.ndarray, begin: int, edge: np.ndarray) -> None:
        begin_tail = begin + len(edge)
        low, high = max(begin, 0), min(begin_tail, self.n_samples)
        if low < high:
            wave[low:high] += edge[low - begin : high - begin]
        at = max(begin_tail, 0)
        n_tail = self.n_samples - at
        if n_tail > 0:
            height = edge[-1] * np.exp(-(at - begin_tail + 1) / self.electronics.decay)
            tail = np.multiply(self._tail[:n_tail], np.float32(height), out=self._spare[:n_tail])
            wave[at:] += tail


def digitise(waves: np.ndarray, sample_type: str, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Round to whole ADC counts and cut at the ends of the range; the waves given are overwritten.

    Returns the samples, (n, n_samples) of `sample_type`, and which rows went over the upper end, (n,) bool.
    """
    np.rint(waves, out=waves)
    saturated = waves.max(axis=1) > high
    np.clip(waves, low, high, out=waves)
    return waves.astype(sample_type), saturated
