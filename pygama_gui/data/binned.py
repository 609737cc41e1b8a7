"""Finds medians and spreads of groups of values that are too many to be held, from counts in fine bins.

The bins are chosen by a sample. Those of real numbers are as fine as a hundredth of the sample's spread in
the middle and grow with the distance from it, so that no value is too far away to be counted; whole numbers
that do not spread too far have a bin each. What is found differs from what the values themselves would give
by less than a bin.
"""

from __future__ import annotations

import math
from dataclasses import field

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.slices import median_and_scatter

MOST_FINE = 4096
"""Bins of a group, at most."""
FAR = 14.5
"""arsinh of how many spreads the last bin is away from the middle: a million."""


@dataclass(frozen=True, eq=False)
class Scale:
    """Bins for values like those of a sample.

    middle, spread: of the sample. is_whole: the bins are the whole numbers from `middle` on. centres: (n,).
    """

    middle: float
    spread: float
    n_bins: int
    is_whole: bool = False
    centres: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        if self.is_whole:
            centres = self.middle + np.arange(self.n_bins)
        else:
            at = (np.arange(self.n_bins) + 0.5) * (2 * FAR / self.n_bins) - FAR
            centres = self.middle + self.spread * np.sinh(at)
        object.__setattr__(self, "centres", centres)

    @property
    def edges(self) -> np.ndarray:
        """(n + 1,), of bins of real numbers."""
        return self.middle + self.spread * np.sinh(np.arange(self.n_bins + 1) * (2 * FAR / self.n_bins) - FAR)

    @property
    def widths(self) -> np.ndarray:
        """(n,), 0 where a bin is of one value."""
        return np.zeros(self.n_bins) if self.is_whole else np.diff(self.edges)

    def places(self, values: np.ndarray) -> np.ndarray:
        """Give the bin of each value, that at the end for those beyond; (n,) of numbers, none of them NaN."""
        if self.is_whole:
            found = values - self.middle
        else:
            found = (np.arcsinh((values - self.middle) / self.spread) + FAR) * (self.n_bins / (2 * FAR))
        return np.clip(found, 0, self.n_bins - 1).astype(np.int32)


def scale_of(sample: np.ndarray, n_bins: int = MOST_FINE) -> Scale:
    """Choose bins by some of the values; those that are not finite do not count."""
    known = np.asarray(sample, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return Scale(0.0, 1.0, n_bins)
    low, high = float(known.min()), float(known.max())
    room = max((n_bins - (high - low)) / 2, 0.0)
    if high - low < n_bins / 2 and bool((known == np.rint(known)).all()):
        return Scale(math.floor(low - room), 1.0, n_bins, is_whole=True)
    middle, spread = median_and_scatter(known)
    spread = spread or float(known.std()) or max(abs(middle), 1.0) * 1e-6
    return Scale(middle, spread, n_bins)


class BinnedGroups:
    """Counts of values by group and bin, (n_groups, n_bins)."""

    def __init__(self, scale: Scale, n_groups: int) -> None:
        self.scale = scale
        self.counts = np.zeros((n_groups, scale.n_bins), np.uint32)

    def add(self, groups: np.ndarray, values: np.ndarray) -> None:
        """Count values; groups: (n,) whole numbers from 0. What is not finite is left out."""
        known = np.isfinite(values)
        if not known.all():
            groups, values = groups[known], values[known]
        add_places(self.counts, groups, self.scale.places(values))

    def middles(self) -> BinnedMiddles:
        """Give medians and spreads as they stand."""
        return BinnedMiddles(self.counts, self.scale)


def add_places(counts: np.ndarray, groups: np.ndarray, places: np.ndarray) -> None:
    """Add one to counts, (n_groups, n_bins), at each group and place; quickly where groups are neighbours."""
    if not len(groups):
        return
    n_bins = counts.shape[1]
    first, last = int(groups.min()), int(groups.max())
    flat = (groups.astype(np.int64) - first) * n_bins + places
    n = (last - first + 1) * n_bins
    if n <= max(8 * len(flat), 1 << 20):
        counts[first : last + 1] += np.bincount(flat, minlength=n).reshape(-1, n_bins).astype(counts.dtype)
    else:
        found, times = np.unique(flat, return_counts=True)
        counts[first + found // n_bins, found % n_bins] += times.astype(counts.dtype)


class BinnedMiddles:
    """Medians of counted values, and the medians of the distances from them, by group.

    n: (n_groups,) how many there are; medians, deviations: (n_groups,), NaN without any.
    """

    def __init__(self, counts: np.ndarray, scale: Scale) -> None:
        self._counts, self._scale = counts, scale
        self.n = counts.sum(axis=1, dtype=np.int64)
        self.medians, self.deviations = np.full((2, len(counts)), np.nan)
        all_widths, edges = scale.widths, None if scale.is_whole else scale.edges
        for group in np.flatnonzero(self.n).tolist():
            at = np.flatnonzero(counts[group])
            centres, weights = scale.centres[at], counts[group, at].astype(np.int64)
            widths = all_widths[at]
            middle = _median(centres, widths, weights)
            self.medians[group] = middle
            if edges is not None and 2 * weights.max() <= self.n[group]:
                part = slice(at[0], at[-1] + 1)
                self.deviations[group] = _deviation(edges[at[0] : at[-1] + 2], counts[group, part], middle)
            else:
                distances = np.abs(centres - middle)
                order = np.argsort(distances, kind="stable")
                self.deviations[group] = _median(distances[order], widths[order], weights[order])

    def std(self, group: int) -> float:
        """Give the standard deviation of the values of a group."""
        weights = self._counts[group]
        if not weights.any():
            return math.nan
        middle = np.average(self._scale.centres, weights=weights)
        return math.sqrt(np.average((self._scale.centres - middle) ** 2, weights=weights))


def _median(rising: np.ndarray, widths: np.ndarray, weights: np.ndarray) -> float:
    """Give the median of values that lie evenly in bins; rising: the middles of these, weights: how many."""
    ends = np.cumsum(weights)
    n = int(ends[-1])
    ranks = np.array([(n - 1) // 2, n // 2])
    bins = np.searchsorted(ends, ranks, "right")
    share = (ranks - (ends[bins] - weights[bins]) + 0.5) / weights[bins] - 0.5
    # A bin that most of them are in is rather one value than many.
    share[2 * weights[bins] > n] = 0.0
    return float((rising[bins] + share * widths[bins]).mean())


def _deviation(edges: np.ndarray, counts: np.ndarray, middle: float) -> float:
    """Give the distance from the middle within which half of the values are, that lie evenly in bins."""
    below = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    distances = np.sort(np.abs(edges - middle))
    within = np.interp(middle + distances, edges, below) - np.interp(middle - distances, edges, below)
    return float(np.interp(below[-1] / 2, within, distances))


def values_like(counts: np.ndarray, edges: np.ndarray, n_most: int) -> np.ndarray:
    """Give rising values that lie in bins as counted, evenly in each; `n_most` of them at most.

    counts: (n,), edges: (n + 1,).
    """
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1])
    n = min(total, n_most)
    if not n:
        return np.empty(0)
    at = (np.arange(n) + 0.5) * (total / n)
    bins = np.searchsorted(ends, at, "right")
    share = (at - (ends[bins] - counts[bins])) / counts[bins]
    return edges[bins] + share * (edges[bins + 1] - edges[bins])
