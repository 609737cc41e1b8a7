"""Tells when the pulses begin within the samples that the chain takes for the baseline.

A stretch that holds the rising edge spoils the baseline and each height that is made with it, and no column
says so: its values are as steady as those of a good one. The waveforms do. A tail of an earlier pulse goes
the other way than the pulse of its record, and noise has no clear pulse, so neither is taken for one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pygama.errors import PygamaError
from pygama.processing.declare import REGISTRY
from pygama.quick_dataclass import dataclass
from pygama_gui.data.shaping import FALLBACK_NS, RAW, SUBTRACTED, reads_of
from pygama_gui.session.state import Step

MOST_WAVEFORMS = 250
"""Waveforms of which it is told, from all over those that there are."""
LEAST_CLEAR = 5
"""Waveforms with a clear pulse that it takes to tell."""
OFTEN = 0.3
"""Share of these whose pulse begins in the stretch; of some, an earlier one always does."""
RISEN = 0.1
"""Share of the height of a pulse that lies within the stretch."""
CLEAR = 8.0
"""Errors of a median that a rise and a pulse are at least."""
PARTS, LEAST_PART = 16, 4
"""The level at an end of the stretch is the median of such a part of it, of so many samples or more."""
FOOT, FOOT_NOISE = 0.05, 3.0
"""A pulse begins where it rises above this share of its height, and above so many times the noise."""
EARLIEST = 0.25
"""So large a share of the pulses begins before the place that is told."""
ROUNDING = 0.5
"""Noise below which whole ADC counts tell nothing, in these."""
ROBUST = frozenset({"robust_baseline"})
"""Steps that a pulse misleads only where it covers more than half of the stretch."""
_SIGMA_OF_MAD, _ERROR_OF_MEDIAN = 1.4826, 1.2533


@dataclass(frozen=True)
class EarlyPulses:
    """Pulses within the stretch from sample `start` to before `end`: n of n_clear, from sample `begin` on."""

    start: int
    end: int
    n: int
    n_clear: int
    begin: int

    @property
    def words(self) -> str:
        """Say what is so and what to do."""
        often = f"{100 * self.n / self.n_clear:.0f} % of {self.n_clear} pulses begin"
        way_out = f"set i_end to {self.begin} or less" if self.begin > self.start else "set i_end lower"
        return f"{often} within the samples of the baseline, {self.start} to {self.end}: {way_out}"


def early_pulses(step: Step, waveforms: np.ndarray, period_ns: float | None) -> EarlyPulses | None:
    """Look whether the stretch in which a step measures the baseline holds the pulses; None where not.

    waveforms: (n, n_samples), as recorded. None, too, of a step that measures no baseline, or that has other
    settings for some channels.
    """
    stretch = _stretch(step, waveforms.shape[1], period_ns)
    if stretch is None or step.channels or not len(waveforms):
        return None
    n = len(waveforms)
    some = waveforms[np.linspace(0, n - 1, min(n, MOST_WAVEFORMS)).astype(np.intp)]
    return _found_in(some.astype(np.float32), *stretch, is_robust=step.step in ROBUST)


def early_in_chain(
    chain: Sequence[Step], waveforms: np.ndarray, period_ns: float | None
) -> EarlyPulses | None:
    """Give what is found at the first step of a chain that measures the baseline within the pulses."""
    found = (early_pulses(step, waveforms, period_ns) for step in chain)
    return next((one for one in found if one is not None), None)


def _stretch(step: Step, n_samples: int, period_ns: float | None) -> tuple[int, int] | None:
    """Give where a step measures the baseline of waveforms as recorded; None where it does not."""
    known = REGISTRY.get(step.step)
    if known is None or not step.enabled or RAW not in reads_of(step, known):
        return None
    is_baseline = any(name.startswith("bl_") or name == SUBTRACTED for name, _ in known.writes)
    if not is_baseline or not {"i_start", "i_end"} <= {setting.name for setting in known.settings}:
        return None
    try:
        settings = known.check(step.settings, period_ns or FALLBACK_NS)
    except PygamaError:
        return None
    start, end = int(settings["i_start"]), min(int(settings["i_end"]), n_samples)
    return (start, end) if end - start >= 2 * LEAST_PART else None


def _found_in(waves: np.ndarray, start: int, end: int, *, is_robust: bool) -> EarlyPulses | None:
    last = start + (end - start) // 2 if is_robust else end
    n = max((last - start) // PARTS, LEAST_PART)
    if last - start < 2 * n or waves.shape[1] < 3 * n:
        return None
    before = np.median(waves[:, start : start + n], axis=1)
    rise = np.median(waves[:, last - n : last], axis=1) - before
    noise = _SIGMA_OF_MAD * np.median(np.abs(np.diff(waves[:, start:end], axis=1)), axis=1) / math.sqrt(2)
    sure = CLEAR * _ERROR_OF_MEDIAN * np.maximum(noise, ROUNDING) * math.sqrt(2 / n)
    height = _steps(waves - before[:, None], n)
    is_clear = np.abs(height) > sure
    is_early = is_clear & (rise * np.sign(height) > np.maximum(RISEN * np.abs(height), sure))
    n_clear, n_early = int(is_clear.sum()), int(is_early.sum())
    if n_clear < LEAST_CLEAR or n_early < OFTEN * n_clear:
        return None
    up = (waves[is_early] - before[is_early, None]) * np.sign(height[is_early, None])
    begin = _feet(up, np.abs(height[is_early]), noise[is_early])
    return EarlyPulses(start, end, n_early, n_clear, int(np.quantile(begin, EARLIEST, method="lower")))


def _steps(waves: np.ndarray, n: int) -> np.ndarray:
    """Give the steepest step of each waveform, up or down, by medians of n samples; (n_rows,).

    A tail may fall by more than the pulse rises, but not as fast.
    """
    n_parts = waves.shape[1] // n
    levels = np.median(waves[:, : n_parts * n].reshape(len(waves), n_parts, n), axis=2)
    step = levels[:, 2:] - levels[:, :-2]
    return np.take_along_axis(step, np.abs(step).argmax(axis=1)[:, None], axis=1)[:, 0]


def _feet(waves: np.ndarray, heights: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Give where each pulse begins: the sample after the last low one before half of its height."""
    half = (waves > 0.5 * heights[:, None]).argmax(axis=1)
    is_low = waves <= np.maximum(FOOT * heights, FOOT_NOISE * noise)[:, None]
    is_low &= np.arange(waves.shape[1]) < half[:, None]
    return waves.shape[1] - is_low[:, ::-1].argmax(axis=1)
