"""Joins, compares and searches the bins of spectra: what is shown of a histogram, and nothing of how."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pygama.quick_dataclass import dataclass

FEWEST_BINS, MOST_BINS = 150.0, 1200.0
LEAST_JOINED = 8
"""Bins that are left, at least, when bins are joined."""
AROUND, APART = 10, 3
"""Bins on each side that a peak must stand out from, and how far from it they begin."""


@dataclass(frozen=True)
class Compared:
    """Bin by bin, one spectrum against another, (n,) each; NaN where a bin says nothing."""

    values: np.ndarray
    errors: np.ndarray


def joined(counts: np.ndarray, factor: int) -> np.ndarray:
    """Join `factor` bins to one; their number is a multiple of it."""
    return counts if factor == 1 else counts.reshape(-1, factor).sum(axis=1)


def power_of_two(wanted: float, n_bins: int) -> int:
    """Give the power of two next to a wanted number of bins to join, of which some are left."""
    return int(min(2 ** max(round(math.log2(max(wanted, 1.0))), 0), n_bins // LEAST_JOINED))


def occupied(counts: np.ndarray) -> tuple[int, int]:
    """Give the first bin with counts and the one after the last; all bins where there are none."""
    filled = np.flatnonzero(counts)
    return (int(filled[0]), int(filled[-1]) + 1) if len(filled) else (0, len(counts))


def suitable_bins(n: int) -> float:
    """Give how many bins suit so many counts."""
    return min(max(12.0 * math.sqrt(n), FEWEST_BINS), MOST_BINS)


def difference(counts: np.ndarray, other: np.ndarray, scale: float) -> Compared:
    """Take `scale` times the counts of another spectrum away, with the error of Poisson counts, (n,) each.

    A bin in which neither has a count says nothing.
    """
    variance = counts + scale**2 * other
    known = variance > 0
    values = np.where(known, counts - scale * other, np.nan)
    return Compared(values, np.where(known, np.sqrt(variance), np.nan))


def ratio(counts: np.ndarray, other: np.ndarray, scale: float) -> Compared:
    """Divide by `scale` times the counts of another spectrum, with the error of Poisson counts, (n,) each.

    A bin in which one of the two has no count says nothing.
    """
    known = (counts > 0) & (other > 0)
    one, two = np.where(known, counts, 1.0), np.where(known, other, 1.0)
    values = one / (scale * two)
    return Compared(
        np.where(known, values, np.nan), np.where(known, values * np.sqrt(1 / one + 1 / two), np.nan)
    )


def next_peak(x: np.ndarray, counts: np.ndarray, seen: Sequence[float], apart: float) -> float | None:
    """Give the place of the highest bin that is at least `apart` from all places seen; None if none is left.

    x, counts: (n,). Only bins that stand out on both sides count, so a threshold is no peak.
    """
    is_peak = np.zeros(len(counts), bool)
    is_peak[1:-1] = (counts[1:-1] >= counts[:-2]) & (counts[1:-1] >= counts[2:])
    means = np.convolve(counts, np.ones(AROUND) / AROUND, "full")  # of each bin and those before it
    before = np.concatenate([np.zeros(APART), means])[: len(counts)]
    after = np.concatenate([means[AROUND - 1 :], np.zeros(APART)])[APART : APART + len(counts)]
    level = np.maximum(before, after)
    is_peak &= counts > level + 4 * np.sqrt(level + 1)
    for place in seen:
        is_peak &= np.abs(x - place) > apart
    if not is_peak.any():
        return None
    return float(x[np.argmax(np.where(is_peak, counts, 0))])
