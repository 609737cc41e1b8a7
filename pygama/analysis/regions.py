"""Measures a region of a spectrum: gross and net counts, rate, centroid and widths, with their errors.

Net area after the method of the counting-room programs: the background is a straight line through the
mean of a few bins on each side, and its error counts too. Centroid and widths are those of the highest peak
in the region: far from it there is only the noise of the background.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pygama.analysis.search import checked_histogram
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

SIDE_SHARE = 0.5
"""Bins on each side that make the background, as a share of those in the region."""
REACH = 1.5
"""Half of the stretch around the highest bin that makes the centroid, in full widths at half maximum."""
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Region:
    """What a region holds. Positions and widths are in the unit of the x axis; NaN where there is no peak.

    gross: counts of the region. background: counts of it that the bins beside it tell of. net: the rest.
    rate: net counts a second; NaN without a live time. Errors are of one standard deviation.
    """

    gross: float
    net: float
    net_error: float
    centroid: float = NAN
    centroid_error: float = NAN
    fwhm: float = NAN
    fwhm_error: float = NAN
    fwtm: float = NAN
    fwtm_error: float = NAN
    background: float = NAN
    background_error: float = NAN
    rate: float = NAN
    rate_error: float = NAN

    @property
    def gross_error(self) -> float:
        """Error of the gross counts."""
        return math.sqrt(self.gross)


def measure_region(
    counts: Any, edges: Any, low: float, high: float, *, live_time_s: float | None = None
) -> Region | None:
    """Measure the bins whose centres lie from low to high; None where there are fewer than three.

    counts: (n,), edges: (n + 1,), rising. live_time_s: seconds in which the counts were taken. Where there
    are no bins on one of the sides, only the gross counts are known. Raises SettingsError for a histogram
    that is none and for a live time that is not above 0.
    """
    counts, edges = checked_histogram(counts, edges)
    if live_time_s is not None and not live_time_s > 0:
        raise SettingsError(f"the live time must be above 0 s, not '{live_time_s}'; leave it out if unknown")
    centres = (edges[:-1] + edges[1:]) / 2
    first, last = (int(at) for at in np.searchsorted(centres, [low, high]))
    n = last - first
    if n < 3:
        return None
    inside = counts[first:last]
    n_side = max(1, round(SIDE_SHARE * n))
    left, right = counts[max(first - n_side, 0) : first], counts[last : last + n_side]
    if not len(left) or not len(right):
        return Region(float(inside.sum()), NAN, NAN)
    # How far each bin lies on the way from the middle of the left side to that of the right one.
    way = (np.arange(n) + 0.5 + len(left) / 2) / (n + (len(left) + len(right)) / 2)
    under = left.mean() + (right.mean() - left.mean()) * way
    weights = (1 - way).sum() / len(left), way.sum() / len(right)
    background_error = math.sqrt(left.sum() * weights[0] ** 2 + right.sum() * weights[1] ** 2)
    peak, net = inside - under, float((inside - under).sum())
    error = math.hypot(math.sqrt(inside.sum()), background_error)
    seconds = live_time_s or NAN
    found = {"background": float(under.sum()), "background_error": background_error}
    found |= {"rate": net / seconds, "rate_error": error / seconds}
    if net > error:
        found |= _peak(centres[first:last], peak, inside)
    return Region(float(inside.sum()), net, error, **found)


def _peak(x: np.ndarray, peak: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Give centroid and widths with their errors.

    x, peak, counts: (n,) centres, heights above the background, and counts with it.
    """
    fwhm, fwhm_error = _width(x, peak, counts, 0.5)
    fwtm, fwtm_error = _width(x, peak, counts, 0.1)
    centroid, centroid_error = _centroid(x, peak, counts, fwhm)
    return {
        "centroid": centroid,
        "centroid_error": centroid_error,
        "fwhm": fwhm,
        "fwhm_error": fwhm_error,
        "fwtm": fwtm,
        "fwtm_error": fwtm_error,
    }


def _centroid(x: np.ndarray, peak: np.ndarray, counts: np.ndarray, fwhm: float) -> tuple[float, float]:
    """Give the mean position of the peak and its error, from the bins around the highest one."""
    if math.isfinite(fwhm):
        is_near = np.abs(x - x[int(peak.argmax())]) <= REACH * fwhm
        x, peak, counts = x[is_near], peak[is_near], counts[is_near]
    net = float(peak.sum())
    if net <= 0:
        return NAN, NAN
    centroid = float((peak * x).sum() / net)
    return centroid, float(np.sqrt((counts * (x - centroid) ** 2).sum()) / net)


def _width(x: np.ndarray, peak: np.ndarray, counts: np.ndarray, share: float) -> tuple[float, float]:
    """Give the width at a share of the height and its error, by straight lines between the bins.

    NaN where the peak runs out of the region.
    """
    top = int(peak.argmax())
    level = share * peak[top]
    left = np.flatnonzero(peak[: top + 1] < level)
    right = np.flatnonzero(peak[top:] < level)
    if not len(left) or not len(right) or level <= 0:
        return NAN, NAN
    i, j = int(left[-1]), top + int(right[0])
    x_left, slope_left = _crossing(x, peak, i, level)
    x_right, slope_right = _crossing(x, peak, j - 1, level)
    # A bin at this height and the share of the highest one decide where each flank is crossed.
    at_left = counts[i : i + 2].mean() / slope_left**2
    at_right = counts[j - 1 : j + 1].mean() / slope_right**2
    at_top = counts[top] * share**2 * (1 / abs(slope_left) + 1 / abs(slope_right)) ** 2
    return x_right - x_left, float(np.sqrt(at_left + at_right + at_top))


def _crossing(x: np.ndarray, peak: np.ndarray, i: int, level: float) -> tuple[float, float]:
    """Give where the line from bin i to the next crosses a height, and its slope."""
    slope = float((peak[i + 1] - peak[i]) / (x[i + 1] - x[i]))
    return float(x[i] + (level - peak[i]) / slope), slope
