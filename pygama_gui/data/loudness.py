"""Tells how loud each channel is just now beside the calmest time of its run, by the waveforms that come.

The noise of a waveform is that of its beginning, from sample to sample: neither a tail that falls nor a
baseline that wanders adds to it, and it needs no step of the chain.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

BEGINNING, LEAST_SAMPLES = 8, 16
"""Noise is taken from this part of a record, one in so many, and from as many samples at least."""
N_JUST_NOW, N_STRETCH = 8, 16
"""Waveforms of a channel that tell how loud it is, and those of a stretch that it is compared with."""


class Loudness:
    """The noise of each channel, waveform by waveform; it takes the same room however long a run lasts."""

    def __init__(self) -> None:
        self._newest: dict[int, deque[float]] = {}
        self._stretch: dict[int, list[float]] = {}
        self._calm: dict[int, float] = {}

    def take(self, code: int, waveform: np.ndarray) -> None:
        """Add a waveform of a channel; one that is too short says nothing."""
        noise = noise_of(waveform)
        if not math.isfinite(noise):
            return
        self._newest.setdefault(code, deque(maxlen=N_JUST_NOW)).append(noise)
        stretch = self._stretch.setdefault(code, [])
        stretch.append(noise)
        if len(stretch) == N_STRETCH:
            self._calm[code] = min(self._calm.get(code, math.inf), float(np.median(stretch)))
            stretch.clear()

    def ratios(self) -> dict[int, float]:
        """Give how many times the noise just now is that of the calmest stretch, of channels with one."""
        return {
            code: float(np.median(self._newest[code])) / calm for code, calm in self._calm.items() if calm > 0
        }


def noise_of(waveform: np.ndarray) -> float:
    """Give the noise of a record from sample to sample, as the rms of white noise; NaN of too few samples."""
    start = np.asarray(waveform[: len(waveform) // BEGINNING], np.float64)
    if len(start) < LEAST_SAMPLES:
        return math.nan
    return float(np.sqrt(np.mean(np.diff(start) ** 2) / 2))
