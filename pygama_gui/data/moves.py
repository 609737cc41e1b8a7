"""Says where values in time are expected, and what moved: by how much and since when.

A band is the median of a history and so many times its scatter (from the median absolute deviation), never
less than the errors themselves allow. What moved is found by the step, or the straight line, that explains
the slices best; the errors are stretched where neighbouring slices scatter by more than they say.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.slices import LEAST_SLICES, MAD_TO_SIGMA, Series, median_and_scatter

SIGNIFICANT = 5.0
"""Standard deviations from which on something moved; every place of the step was tried."""
USUAL, SLICES_MISSED = 0.8, 1.5
"""A peak is gone that so large a share of the slices had, and that so many slices at the end lack."""
OF_RUN, OF_SET = "this run", "these runs"
"""What a band is of that no earlier run gives."""
_KNOWN: dict[int, tuple[weakref.ref[Series], Move | None]] = {}
"""What moved in the series that are still held, by their ids: words, summary and strip ask for the same."""


@dataclass(frozen=True)
class Band:
    """Where values are expected: middle ± half, k times the scatter of n values. source: of what."""

    middle: float
    half: float
    k: float
    n: int
    source: str = OF_RUN


@dataclass(frozen=True)
class Move:
    """What moved: by how much, with its error, and since when (s); a slope moves all the time.

    level: the value before it.
    """

    size: float
    error: float
    level: float
    since: float
    is_slope: bool = False

    @property
    def sigma(self) -> float:
        """Size over error."""
        return abs(self.size) / self.error if self.error > 0 else 0.0


def band_of(history: Sequence[Series], k: float, source: str = OF_RUN) -> Band | None:
    """Say where values are expected from series of one kind; None with fewer than 3 values.

    Of a steady run whose slices scatter as their errors say, 0.2 % of its own slices lie outside at k = 3 and
    fewer than 0.01 % at k = 4 (normal values: 0.27 and 0.006 %); so one run in eight of 60 slices has one at
    k = 3. Of another run, the band of few slices knows less: 0.4 % at k = 3 of 10 slices, 1.0 % of 3. Where
    slices scatter by more than their errors, 1.3 % lie outside of a band of 20 slices at k = 3, 0.6 % of 60.
    """
    pairs = [(one.values[one.is_known], one.errors[one.is_known]) for one in history]
    values = np.concatenate([values for values, _ in pairs]) if pairs else np.empty(0)
    errors = np.concatenate([errors for _, errors in pairs]) if pairs else np.empty(0)
    if len(values) < 3:
        return None
    middle, scatter = median_and_scatter(values)
    least = float(np.median(errors[np.isfinite(errors)])) if np.isfinite(errors).any() else 0.0
    return Band(middle, k * max(scatter, least), k, len(values), source)


def is_outside(series: Series, band: Band | None) -> np.ndarray:
    """Tell which values lie outside the band by more than k times their own errors allow, (n,) bool."""
    if band is None:
        return np.zeros(len(series.values), bool)
    allowed = np.maximum(band.half, band.k * np.nan_to_num(series.errors))
    return np.nan_to_num(np.abs(series.values - band.middle)) > allowed


def gone_since(series: Series) -> float | None:
    """Say since when a peak that nearly every slice had is missing to the end, s; None where it is there.

    One slice may lack it by chance, or be of hits that are still to come.
    """
    known = np.flatnonzero(series.is_known)
    if series.kind != "position" or not len(known):
        return None
    last, ends = int(known[-1]), series.times + series.half_widths
    is_usual = len(known) >= USUAL * (last + 1)
    is_missing = ends[-1] - ends[last] >= SLICES_MISSED * 2 * series.half_widths[last]
    return float(ends[last]) if is_usual and is_missing else None


def find_move(series: Series) -> Move | None:
    """Find the step, or the steady drift, that explains the slices best; None where nothing moved.

    At least two slices stand on each side of a step. In steady runs of normal values none was found in 2000;
    a step in the middle by 3 errors of a slice is found in 77 of 100 runs of 20 slices, one by 2 errors in 97
    of 100 runs of 60. A step that lasts a tenth of the run needs 5 and 3 errors for 78 and 93 of 100.
    """
    place = id(series)
    held = _KNOWN.get(place)
    if held is None or held[0]() is not series:
        held = _KNOWN[place] = (weakref.ref(series, lambda _: _KNOWN.pop(place, None)), _find(series))
    return held[1]


def _find(series: Series) -> Move | None:
    ok = series.is_known & np.isfinite(series.errors)
    t, y, e = series.times[ok], series.values[ok], series.errors[ok]
    if len(y) < LEAST_SLICES or float(np.ptp(y)) == 0.0:
        return None
    e = _stretched(y, e)
    step, chi2_step = _best_step(t, y, e, float(series.half_widths[0]))
    slope, chi2_slope = _slope(t, y, e)
    best = step if chi2_step <= chi2_slope else slope
    is_real = best.is_slope or _is_lasting(t, y, best)
    return best if best.sigma >= SIGNIFICANT and is_real else None


def _is_lasting(t: np.ndarray, y: np.ndarray, step: Move) -> bool:
    """Tell a step from a few wild slices: the medians on both sides differ by half of it or more."""
    before, after = np.median(y[t < step.since]), np.median(y[t >= step.since])
    return bool((after - before) * np.sign(step.size) >= abs(step.size) / 2)


def _stretched(y: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Stretch errors until neighbours scatter as they say; never shrink them.

    A steep line is no scatter: what lies between neighbours is compared with what usually does.
    """
    e = np.maximum(e, 1e-12 * max(float(np.abs(y).max()), 1e-300))
    pulls = np.diff(y) / np.hypot(e[1:], e[:-1])
    return e * max(MAD_TO_SIGMA * float(np.median(np.abs(pulls - np.median(pulls)))), 1.0)


def _best_step(t: np.ndarray, y: np.ndarray, e: np.ndarray, half: float) -> tuple[Move, float]:
    w = e**-2
    sw, swy, swyy = np.cumsum(w), np.cumsum(w * y), np.cumsum(w * y * y)
    k = np.arange(1, len(y) - 2)  # the last slice before the step
    w1, w2 = sw[k], sw[-1] - sw[k]
    m1, m2 = swy[k] / w1, (swy[-1] - swy[k]) / w2
    sigma = np.abs(m2 - m1) / np.sqrt(1 / w1 + 1 / w2)
    at = int(np.argmax(sigma))
    error = float(np.sqrt(1 / w1[at] + 1 / w2[at]))
    mean = swy[-1] / sw[-1]
    chi2 = float(swyy[-1] - sw[-1] * mean**2) - float(sigma[at]) ** 2
    since = float(t[k[at] + 1]) - half
    return Move(float(m2[at] - m1[at]), error, float(m1[at]), since), chi2


def _slope(t: np.ndarray, y: np.ndarray, e: np.ndarray) -> tuple[Move, float]:
    """Fit a straight line; the size is what it moved from the first slice to the last."""
    w = e**-2
    tm, ym = np.average(t, weights=w), np.average(y, weights=w)
    sxx = float((w * (t - tm) ** 2).sum())
    slope = float((w * (t - tm) * (y - ym)).sum()) / sxx
    chi2 = float((w * (y - ym - slope * (t - tm)) ** 2).sum())
    length = float(t[-1] - t[0])
    level = float(ym + slope * (t[0] - tm))
    return Move(slope * length, length / math.sqrt(sxx), level, float(t[0]), is_slope=True), chi2
