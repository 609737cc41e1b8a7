"""Measures a region of a spectrum: gross and net counts, rate, centroid and widths, with their errors.

Net area after the method of the counting-room programs: the background is a straight line through the
mean of a few bins on each side, and its error counts too; no counts have the error of one. Centroid and
widths are those of the highest peak in the region (`peak_width.py`): far from it there is only the noise of
the background.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from pygama.analysis.peak_width import Net, Peak
from pygama.analysis.search import checked_histogram
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

SIDE_SHARE = 0.5
"""Bins on each side that make the background, as a share of those in the region."""
LEAST_OF_SIDE = 0.25
"""Where a cut leaves a smaller share of them on a side, they tell of no background."""
NO_ROOM, CUT_AWAY = "no room for the background", "a cut leaves nothing beside it"
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Region:
    """What a region holds. Positions and widths are in the unit of the x axis; NaN where there is no peak.

    gross: counts of the region. background: counts of it that the bins beside it tell of. net: the rest.
    rate: net counts a second; NaN without a live time. Errors are of one standard deviation. why_no_net: why
    nothing but the gross counts is known; empty where more is.
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
    why_no_net: str = ""

    @property
    def gross_error(self) -> float:
        """Error of the gross counts; of none it is that of one."""
        return math.sqrt(max(self.gross, 1.0))

    def scaled(self, scale: float) -> Region:
        """Take its counts for those of a sample of which all are `scale` times as many, errors as well."""
        names = ("gross", "net", "net_error", "background", "background_error", "rate", "rate_error")
        return replace(self, **{name: scale * getattr(self, name) for name in names})


def measure_region(
    counts: Any,
    edges: Any,
    low: float,
    high: float,
    *,
    live_time_s: float | None = None,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Region | None:
    """Measure the bins whose centres lie from low to high; None where there are fewer than three.

    counts: (n,), edges: (n + 1,), rising. live_time_s: seconds in which the counts were taken. within: where
    a cut lets counts pass; bins outside of it are empty whatever the background, and tell nothing of it.
    Where there are no bins on one of the sides, only the gross counts are known. Raises SettingsError for
    a histogram that is none, for counts below 0, and for a live time that is not above 0.
    """
    counts, edges = checked_histogram(counts, edges)
    if live_time_s is not None and not live_time_s > 0:
        raise SettingsError(f"the live time must be above 0 s, not '{live_time_s}'; leave it out if unknown")
    if (counts < 0).any():
        raise SettingsError(
            "a region is measured in counts, which are not below 0: choose a spectrum of counts"
        )
    centres, bins = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    first, last = (int(at) for at in np.searchsorted(centres, [low, high]))
    n = last - first
    if n < 3:
        return None
    inside = counts[first:last]
    n_side = max(1, round(SIDE_SHARE * n))
    begin, end = _first_and_last_within(edges, within)
    left = slice(max(first - n_side, 0, min(begin, first)), first)
    right = slice(last, min(last + n_side, len(counts), max(end, last)))
    least = max(LEAST_OF_SIDE * n_side, 1)
    if (first - begin < min(least, first)) or (end - last < min(least, len(counts) - last)):
        return Region(float(inside.sum()), NAN, NAN, why_no_net=CUT_AWAY)
    if left.start == left.stop or right.start == right.stop:
        return Region(float(inside.sum()), NAN, NAN, why_no_net=NO_ROOM)
    near = slice(left.start, right.stop)
    net = _net(centres[near], bins[near], counts[near], left.stop - left.start, right.stop - right.start)
    own = np.zeros(len(net.x))
    own[first - near.start : last - near.start] = 1.0
    area, gross = float(own @ net.counts), float(inside.sum())
    background_error = math.sqrt(max(net.error(own) ** 2 - gross, 0.0))
    error = math.hypot(math.sqrt(max(gross, 1.0)), background_error)
    seconds = live_time_s or NAN
    found: dict[str, Any] = {"background": gross - area, "background_error": background_error}
    found |= {"rate": area / seconds, "rate_error": error / seconds}
    if area > error:
        found |= _peak(net, float(edges[first]), float(edges[last]))
    return Region(gross, area, error, **found)


def _first_and_last_within(edges: np.ndarray, within: tuple[float, float]) -> tuple[int, int]:
    """Give the first bin that lies whole within two places, and the one after the last."""
    slack = 1e-6 * float(edges[-1] - edges[0]) / (len(edges) - 1)
    begin = int(np.searchsorted(edges, within[0] - slack))
    end = int(np.searchsorted(edges, within[1] + slack, side="right")) - 1
    return min(begin, len(edges) - 1), max(end, 0)


def _net(x: np.ndarray, width: np.ndarray, counts: np.ndarray, n_left: int, n_right: int) -> Net:
    """Take off the straight line through the mean densities of the first and the last bins."""
    ways, spreads, under = [], [], np.zeros(len(x))
    sides = (slice(0, n_left), slice(len(x) - n_right, len(x)))
    middles = [float((x * width)[side].sum() / width[side].sum()) for side in sides]
    for side, own, other in zip(sides, middles, reversed(middles), strict=True):
        total = float(width[side].sum())
        ways.append(width * (x - other) / (own - other))
        spreads.append(max(float(counts[side].sum()), 1.0) / total**2)  # of none as of one
        under += float(counts[side].sum()) / total * ways[-1]
    return Net(x, width, counts - under, counts, np.array(ways), np.array(spreads))


def _peak(net: Net, low: float, high: float) -> dict[str, float]:
    """Give centroid and widths of the highest peak, with their errors."""
    peak = Peak(net, low, high)
    (fwhm, fwhm_error), (fwtm, fwtm_error) = peak.widths((0.5, 0.1))
    place, place_error = peak.centroid(fwhm)
    return {
        "centroid": place,
        "centroid_error": place_error,
        "fwhm": fwhm,
        "fwhm_error": fwhm_error,
        "fwtm": fwtm,
        "fwtm_error": fwtm_error,
    }
