"""Measures a region of a spectrum: gross and net counts, centroid and width, with their errors.

Net area after the method of the counting-room programs: the background is a straight line through the
mean of a few bins on each side, and its error counts too. Centroid and width are those of the highest peak
in the region: far from it there is only the noise of the background.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE_SHARE = 0.5
"""Bins on each side that make the background, as a share of those in the region."""
REACH = 1.5
"""Half of the stretch around the highest bin that makes the centroid, in full widths at half maximum."""
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Region:
    """What a region holds. Positions and widths are in the unit of the x axis; NaN where there is no peak."""

    gross: float
    net: float
    net_error: float
    centroid: float = NAN
    centroid_error: float = NAN
    fwhm: float = NAN
    fwhm_error: float = NAN


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
        return Region(float(inside.sum()), NAN, NAN)
    at = (np.arange(n) + 0.5 + n_side / 2) / (n + n_side)
    peak = inside - (left.mean() + (right.mean() - left.mean()) * at)
    error = np.sqrt(
        inside.sum() + (n / 2) ** 2 * (left.sum() / len(left) ** 2 + right.sum() / len(right) ** 2)
    )
    net = float(peak.sum())
    if net <= error:
        return Region(float(inside.sum()), net, float(error))
    width = _fwhm(centres[first:last], peak, inside)
    centroid = _centroid(centres[first:last], peak, inside, width[0])
    return Region(float(inside.sum()), net, float(error), *centroid, *width)


def _centroid(x: np.ndarray, peak: np.ndarray, counts: np.ndarray, fwhm: float) -> tuple[float, float]:
    """Give the mean position of the peak and its error, from the bins around the highest one.

    x, peak, counts: (n,) centres, heights above the background, and counts with it.
    """
    if np.isfinite(fwhm):
        is_near = np.abs(x - x[int(peak.argmax())]) <= REACH * fwhm
        x, peak, counts = x[is_near], peak[is_near], counts[is_near]
    net = float(peak.sum())
    if net <= 0:
        return NAN, NAN
    centroid = float((peak * x).sum() / net)
    return centroid, float(np.sqrt((counts * (x - centroid) ** 2).sum()) / net)


def _fwhm(x: np.ndarray, peak: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """Give the width at half the height and its error, by straight lines between the bins.

    NaN where the peak runs out of the region.
    """
    top = int(peak.argmax())
    half = peak[top] / 2
    left = np.flatnonzero(peak[: top + 1] < half)
    right = np.flatnonzero(peak[top:] < half)
    if not len(left) or not len(right) or half <= 0:
        return NAN, NAN
    i, j = int(left[-1]), top + int(right[0])
    x_left, slope_left = _crossing(x, peak, i, half)
    x_right, slope_right = _crossing(x, peak, j - 1, half)
    # A bin at half height and half of the highest one decide where each flank is crossed.
    at_left, at_right = (
        counts[i : i + 2].mean() / slope_left**2,
        counts[j - 1 : j + 1].mean() / slope_right**2,
    )
    at_top = counts[top] / 4 * (1 / abs(slope_left) + 1 / abs(slope_right)) ** 2
    return x_right - x_left, float(np.sqrt(at_left + at_right + at_top))


def _crossing(x: np.ndarray, peak: np.ndarray, i: int, half: float) -> tuple[float, float]:
    """Give where the line from bin i to the next crosses half the height, and its slope."""
    slope = float((peak[i + 1] - peak[i]) / (x[i + 1] - x[i]))
    return float(x[i] + (half - peak[i]) / slope), slope
