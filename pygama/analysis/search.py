"""Finds the peaks of a spectrum, and says how sure each is.

At every bin and for a row of widths, the counts within 1.25 FWHM are compared with two bands on each side, by
the significance of Li and Ma for a background that is itself counted. A band that holds much more than the
other of its side is left out, so that a neighbouring peak does no harm; the side that holds more stands for
the background, so that steps, Compton edges and falling backgrounds, which never exceed both sides, give no
peaks. A peak is where the significance is greatest in position and in width: what still gains at the next
width is part of something wider.

Source: T.-P. Li, Y.-Q. Ma, ApJ 272 (1983) 317, equation 17.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pygama.analysis.shapes import FWHM_PER_SIGMA
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

Width = float | Callable[[np.ndarray], np.ndarray]
"""FWHM: a number, or a function of positions."""
_INSIDE = 0.625
"""Half of the stretch that holds the peak, in FWHM."""
_BANDS = ((1.0, 1.8), (1.8, 2.8))
"""The two bands of a side: from, to, in FWHM from the peak."""
_TELLING, _TIMES = 3.0, 1.5
"""By how many standard deviations, and how many times, a band must exceed the other to be left out."""
_GAIN, _ERROR = 1.85, 1.36
"""The mean of a Gaussian within 1.25 FWHM of a place moves by 0.46 of what the place is off: what undoes
that, and what it makes of the error, in sigma over the root of the counts there."""
_WIDER = 5.0
"""So many times wider than the more significant peaks, a peak is taken for an edge or a hump."""
_MERGED, _MAY_BE_MERGED, _N_NEXT = 1.5, 1.2, 4
"""So many times wider than the median of so many peaks next to it, a peak is searched again with their width,
or left to a fit, which tells several from one: of two equal lines one FWHM apart, the search finds 1.4 times
the width."""
_LEAST_BINS = 2.0
_RATIO = 1.35
"""From one width to the next."""
_NO_GAIN = 1.02
"""So many times more significant at the next width is no gain: one count more of 25 gives as much. Where
there is no background at all, every stray count beside a peak does so, up to the widest."""
_MOST_SHARE = 1 / 150
"""The widest peak, as a part of the spectrum."""
_FWHM_SHARES = (0.1195, 0.8805)
"""Shares of a Gaussian that lie below the two ends of its FWHM."""


@dataclass(frozen=True, slots=True)
class FoundPeak:
    """A peak in the unit of x. counts: above the background, within 1.25 FWHM. significance: in standard
    deviations of the background, rather too small than too large."""

    position: float
    position_error: float
    fwhm: float
    counts: float
    significance: float


def find_peaks(
    counts: np.ndarray, edges: np.ndarray, *, fwhm: Width | None = None, threshold: float = 4.0
) -> tuple[FoundPeak, ...]:
    """Find the peaks of a histogram, in order of position.

    counts: (n,), edges: (n + 1,), rising, of bins about as wide as each other. fwhm: expected width, in the
    unit of x; None: widths from two bins on are tried. threshold: significance from which a peak counts.
    Raises SettingsError for a histogram that is none, or a width or threshold that is not above 0.
    """
    counts, edges = checked_histogram(counts, edges)
    if not threshold > 0:
        raise SettingsError(f"threshold must be above 0 standard deviations, not '{threshold}'")
    counts = np.where(np.isfinite(counts) & (counts > 0), counts, 0.0)
    if len(counts) < 8:
        return ()
    spectrum = _Spectrum(counts, edges)
    widths = _widths_to_try(len(counts)) if fwhm is None else [_in_bins(fwhm, edges)]
    rows = [spectrum.significance(width, threshold) for width in widths]
    found: list[FoundPeak] = []
    for _, row, at in _candidates(rows, widths, threshold, is_scan=fwhm is None):
        width = float(np.broadcast_to(widths[row], counts.shape)[at])
        reach = (_INSIDE * width + 1) * float(edges[at + 1] - edges[at])
        place = 0.5 * float(edges[at] + edges[at + 1])
        if not any(abs(place - other.position) <= reach + _INSIDE * other.fwhm for other in found):
            peak = spectrum.measure(at, width, float(rows[row][at]), is_known=fwhm is not None)
            found += [] if peak is None else [peak]
    if fwhm is None:
        found = _without_humps(found)
        found = [part for peak in found for part in _parts(peak, found, counts, edges, threshold)]
    return tuple(sorted(found, key=lambda peak: peak.position))


def moved_starts(
    counts: np.ndarray, edges: np.ndarray, asked: Sequence[float], fitted: Sequence[float]
) -> list[tuple[float, ...]]:
    """Give where to look for peaks that were not found where they were asked for.

    counts: (n,), edges: (n + 1,) of the window. asked, fitted: positions. All are moved by the same, so that
    one after the other stands at the highest peak of the window; no choices where a fitted one stands there.
    """
    found = find_peaks(counts, edges)
    highest = max(found, key=lambda peak: peak.significance, default=None)
    if highest is None or any(abs(at - highest.position) < highest.fwhm for at in fitted):
        return []
    choices = [tuple(at + highest.position - one for at in asked) for one in asked]
    return [choice for choice in choices if all(edges[0] < at < edges[-1] for at in choice)]


def mean_bin_width(edges: np.ndarray) -> float:
    """Give the width of the bins between edges, (n + 1,), where they are as good as equal."""
    return float(edges[-1] - edges[0]) / (len(edges) - 1)


def checked_histogram(counts: Any, edges: Any) -> tuple[np.ndarray, np.ndarray]:
    """Give counts and edges as floats; raises SettingsError where they are no histogram."""
    counts, edges = np.asarray(counts, float), np.asarray(edges, float)
    is_one = edges.ndim == 1 and counts.shape == (max(len(edges) - 1, 1),)
    if not is_one or not (np.diff(edges) > 0).all():
        raise SettingsError(
            "a histogram needs one rising edge more than counts, "
            f"not counts of shape '{counts.shape}' and edges of shape '{edges.shape}'"
        )
    return counts, edges


class _Spectrum:
    """Counts with their running sum, padded so that every stretch around a bin can be asked for."""

    def __init__(self, counts: np.ndarray, edges: np.ndarray) -> None:
        self.counts, self.edges, self.n = counts, edges, len(counts)
        total = np.cumsum(counts)
        self.below = np.concatenate((np.zeros(self.n + 1), total, np.full(self.n + 1, total[-1])))
        self.bins = np.arange(self.n)

    def significance(self, width: float | np.ndarray, threshold: float) -> np.ndarray:
        """Give the significance of a peak at each bin, (n,); 0 where it is far below the threshold."""
        reach = _reach(width)
        at = self._worth_a_look(reach, threshold)
        half, first, second, third = (one[at] if one.ndim else one for one in reach)
        inside, n_inside = self._sum(at, -half, half + 1), 2.0 * half + 1
        left, n_left = self._side(at, 1 - first, 1 - second, 1 - third)
        right, n_right = self._side(at, first, second, third)
        is_left = left * n_right > right * n_left
        beside, n_beside = np.where(is_left, left, right), np.where(is_left, n_left, n_right)
        alpha = n_inside / n_beside
        found = np.zeros(self.n)
        found[at] = np.where(inside > alpha * beside, li_ma(inside, beside, alpha), 0.0)
        return found

    def _worth_a_look(self, reach: tuple[np.ndarray, ...], threshold: float) -> np.ndarray:
        """List the bins at which there is much more than in the least of the four bands."""
        half, first, second, third = reach
        inside = self._sum(self.bins, -half, half + 1)
        bands = ((1 - second, 1 - first), (first, second), (1 - third, 1 - second), (second, third))
        least = self._sum(self.bins, *bands[0]) / (bands[0][1] - bands[0][0])
        for a, b in bands[1:]:
            least = np.minimum(least, self._sum(self.bins, a, b) / (b - a))
        is_worth = inside - (2 * half + 1) * least > 0.7 * threshold * np.sqrt(inside + 1)
        return np.flatnonzero(is_worth & (self.bins >= second) & (self.bins < self.n - second))

    def measure(self, at: int, width: float, significance: float, *, is_known: bool) -> FoundPeak | None:
        """Measure the peak at a bin: its width from where its counts lie, its place from their mean."""
        _, first, second, third = _reach(width)
        one = np.array([at])
        sides = [(first, second, third), (1 - first, 1 - second, 1 - third)]
        densities = [counts[0] / n_bins[0] for counts, n_bins in (self._side(one, *side) for side in sides)]
        background, reach = float(np.mean(densities)), int(first)
        low, high = max(at - reach, 0), min(at + reach + 1, self.n)
        net = np.maximum.accumulate(np.cumsum(self.counts[low:high] - background))
        if net[-1] <= 0:
            return None
        bin_width = float(self.edges[at + 1] - self.edges[at])
        fwhm = width * bin_width
        if not is_known:
            shares = np.concatenate(([0.0], np.maximum(net, 0.0)))
            ends = np.interp(np.array(_FWHM_SHARES) * shares[-1], shares, self.edges[low : high + 1])
            fwhm = max(float(ends[1] - ends[0]), bin_width)
            if not ends[0] <= 0.5 * float(self.edges[at] + self.edges[at + 1]) <= ends[1]:
                # without background, all places whose stretch holds the whole peak are as significant
                at = int(np.searchsorted(self.edges, 0.5 * float(ends[0] + ends[1]))) - 1
        position, n_net, n_all = self._mean(at, fwhm, background)
        error = _ERROR * fwhm / FWHM_PER_SIGMA * math.sqrt(max(n_all, 1.0)) / max(n_net, 1.0)
        return FoundPeak(position, error, fwhm, n_net, significance)

    def _mean(self, at: int, fwhm: float, background: float) -> tuple[float, float, float]:
        """Give the mean position within 1.25 FWHM around itself, and the counts there: net and all."""
        bin_width = float(self.edges[at + 1] - self.edges[at])
        reach = max(_INSIDE * fwhm, bin_width)
        n_near = math.ceil(3 * reach / bin_width) + 2
        near = slice(max(at - n_near, 0), min(at + n_near + 1, self.n))
        counts, left, right = self.counts[near], self.edges[:-1][near], self.edges[1:][near]
        first = position = 0.5 * float(self.edges[at] + self.edges[at + 1])
        n_net = n_all = 0.0
        for _ in range(8):
            low, high = np.maximum(left, position - reach), np.minimum(right, position + reach)
            share = np.maximum(high - low, 0.0) / (right - left)
            n_all, n_net = float((counts * share).sum()), float(((counts - background) * share).sum())
            if n_net <= 0:
                break
            mean = float(((counts - background) * share * 0.5 * (low + high)).sum()) / n_net
            position += _GAIN * (mean - position)
            position = min(max(position, first - 2 * reach), first + 2 * reach)
        return position, n_net, n_all

    def _sum(self, at: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Give the counts from `first` to `last` bins after each bin of `at`, the last not among them."""
        if at is self.bins and not first.ndim:
            a, b = (min(max(int(by), -self.n), self.n) + self.n for by in (first, last))
            return self.below[b : b + self.n] - self.below[a : a + self.n]
        a, b = (np.clip(at + by, 0, self.n) + self.n for by in (first, last))
        return self.below[b] - self.below[a]

    def _side(
        self, at: np.ndarray, first: np.ndarray, second: np.ndarray, third: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give the counts of a side and its bins: of the near band, the far one, or both.

        One band alone where the other holds too much to be background.
        """
        near = self._sum(at, np.minimum(first, second), np.maximum(first, second))
        far = self._sum(at, np.minimum(second, third), np.maximum(second, third))
        n_near, n_far = np.abs(second - first), np.abs(third - second)
        by_near, by_far = near * n_far, far * n_near
        chance = _TELLING * np.sqrt(near * n_far**2 + far * n_near**2 + n_near * n_far)
        is_whole = (at + third >= 0) & (at + third <= self.n)
        use_near = ~is_whole | ((by_far - by_near > chance) & (by_far > _TIMES * by_near))
        use_far = is_whole & (by_near - by_far > chance) & (by_near > _TIMES * by_far)
        counts = np.where(use_near, near, np.where(use_far, far, near + far))
        n_bins = np.where(use_near, n_near, np.where(use_far, n_far, n_near + n_far)).astype(float)
        return counts, n_bins


def li_ma(inside: np.ndarray, beside: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Give the significance of counts `inside` against a background of alpha times those `beside`."""
    total = inside + beside
    on = inside * np.log(np.maximum((1 + alpha) / alpha * inside / total, 1e-300))
    off = beside * np.log(np.maximum((1 + alpha) * beside / total, 1e-300))
    return np.sqrt(np.maximum(2 * (on + off), 0.0))


def _reach(width: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give, in bins: half of the stretch inside, and where the two bands of a side begin and end."""
    width = np.asarray(width, float)
    half = np.maximum(np.rint(_INSIDE * width - 0.5), 0).astype(int)
    first = np.maximum(np.rint(_BANDS[0][0] * width), half + 1).astype(int)
    second = np.maximum(np.rint(_BANDS[0][1] * width), first + 2).astype(int)
    third = np.maximum(np.rint(_BANDS[1][1] * width), second + (second - first)).astype(int)
    return half, first, second, third


def _widths_to_try(n: int) -> list[float]:
    widest = max(_MOST_SHARE * n, min(n / 6, 40.0))
    n_widths = max(math.ceil(math.log(widest / _LEAST_BINS) / math.log(_RATIO)), 1) + 1
    return [_LEAST_BINS * _RATIO**i for i in range(n_widths)]


def _in_bins(fwhm: Width, edges: np.ndarray) -> np.ndarray:
    centres = 0.5 * (edges[1:] + edges[:-1])
    width = np.broadcast_to(np.asarray(fwhm(centres) if callable(fwhm) else fwhm, float), centres.shape)
    if not (np.isfinite(width) & (width > 0)).all():
        raise SettingsError("fwhm must be above 0 everywhere in the spectrum")
    # What is wider than the spectrum is not found in it, however wide.
    widest = np.minimum(width, 2 * (edges[-1] - edges[0]))
    return np.maximum(widest / np.diff(edges), _LEAST_BINS / 2)


def _candidates(
    rows: list[np.ndarray], widths: list[Any], threshold: float, *, is_scan: bool
) -> list[tuple[float, int, int]]:
    """List significance, row and bin of what is greatest among its neighbours, the most significant first."""
    found = []
    for row, values in enumerate(rows):
        if is_scan and row == len(rows) - 1:
            break
        inner = values[1:-1]
        tops = np.flatnonzero((inner >= threshold) & (inner >= values[:-2]) & (inner > values[2:])) + 1
        if is_scan and len(tops):
            reach = math.ceil(widths[row] / 2)
            ends = np.clip(np.column_stack((tops - reach, tops + reach + 1)), 0, len(values) - 1)
            wider = np.maximum.reduceat(rows[row + 1], ends.ravel())[::2]
            tops = tops[wider <= _NO_GAIN * values[tops]]
        found += [(float(values[at]), row, at) for at in tops.tolist()]
    return sorted(found, reverse=True)


def _without_humps(found: list[FoundPeak]) -> list[FoundPeak]:
    """Leave out what is far wider than the peaks before it, which are more significant."""
    kept: list[FoundPeak] = []
    for peak in found:
        if len(kept) < 3 or peak.fwhm <= _WIDER * float(np.median([other.fwhm for other in kept])):
            kept.append(peak)
    return kept


def _parts(
    peak: FoundPeak, found: list[FoundPeak], counts: np.ndarray, edges: np.ndarray, threshold: float
) -> list[FoundPeak]:
    """Look again, with the width of its neighbours, at a peak that is much wider; give what it is made of."""
    expected = _width_beside(peak, found)
    if peak.fwhm < _MERGED * expected:
        return [peak]
    ends = [peak.position - 3 * peak.fwhm, peak.position + 3 * peak.fwhm]
    low, high = np.clip(np.searchsorted(edges, ends), 0, len(counts))
    parts = find_peaks(counts[low:high], edges[low : high + 1], fwhm=expected, threshold=threshold)
    parts = tuple(one for one in parts if abs(one.position - peak.position) < peak.fwhm)
    return list(parts) if len(parts) > 1 else [peak]


def may_be_several(peak: FoundPeak, found: Sequence[FoundPeak]) -> bool:
    """Tell whether a peak is so much wider than those next to it that it may be several that overlap."""
    return peak.fwhm >= _MAY_BE_MERGED * _width_beside(peak, found)


def _width_beside(peak: FoundPeak, found: Sequence[FoundPeak]) -> float:
    """Give the usual width of the peaks next to one; infinity where there are too few to tell."""
    others = sorted(
        (one for one in found if one is not peak), key=lambda one: abs(one.position - peak.position)
    )
    return float(np.median([one.fwhm for one in others[:_N_NEXT]])) if len(others) > 1 else math.inf
