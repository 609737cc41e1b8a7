"""Measures a region of a spectrum: gross and net counts, centroid and width.

Net area after the method of the counting-room programs: the background is a straight line through the
mean of a few bins on each side, and its error counts too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE_SHARE = 0.5
"""Bins on each side that make the background, as a share of those in the region."""


@dataclass(frozen=True, slots=True)
class Region:
    """What a region holds. Positions and widths are in the unit of the x axis; NaN where there is no peak."""

    gross: float
    net: float
    net_error: float
    centroid: float
    fwhm: float


def measure(edges: np.ndarray, counts: np.ndarray, low: float, high: float) -> Region | None:
    """Measure the bins whose centres lie from low to high; None where there are fewer than three.

    edges: (n + 1,), counts: (n,).
    """
    centres = (edges[:-1] + edges[1:]) / 2
    first, last = np.searchsorted(centres, [low, high])
    n = int(last - first)
    if n < 3:
        return None
    inside = counts[first:last].astype(np.float64)
    n_side = max(1, round(SIDE_SHARE * n))
    left, right = counts[max(first - n_side, 0) : first], counts[last : last + n_side]
    if not len(left) or not len(right):
        return Region(float(inside.sum()), np.nan, np.nan, np.nan, np.nan)
    at = (np.arange(n) + 0.5 + n_side / 2) / (n + n_side)
    peak = inside - (left.mean() + (right.mean() - left.mean()) * at)
    error = np.sqrt(
        inside.sum() + (n / 2) ** 2 * (left.sum() / len(left) ** 2 + right.sum() / len(right) ** 2)
    )
    net = float(peak.sum())
    if net <= error:
        return Region(float(inside.sum()), net, float(error), np.nan, np.nan)
    centroid = float((peak * centres[first:last]).sum() / net)
    return Region(float(inside.sum()), net, float(error), centroid, _fwhm(edges[first : last + 1], peak))


def _fwhm(edges: np.ndarray, peak: np.ndarray) -> float:
    """Give the width at half the height, found by straight lines between the bins; NaN where it runs out."""
    centres = (edges[:-1] + edges[1:]) / 2
    top = int(peak.argmax())
    half = peak[top] / 2
    left = np.flatnonzero(peak[: top + 1] < half)
    right = np.flatnonzero(peak[top:] < half)
    if not len(left) or not len(right) or half <= 0:
        return float("nan")
    i, j = int(left[-1]), top + int(right[0])
    x_left = np.interp(half, peak[i : i + 2], centres[i : i + 2])
    x_right = np.interp(half, peak[j : j - 2 : -1], centres[j : j - 2 : -1])
    return float(x_right - x_left)
