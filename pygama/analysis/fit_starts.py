"""Where a fit of a region begins: its window, its peaks, and first values of all parameters."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from pygama.analysis.fit_request import FitRequest, limits_of, reach_of
from pygama.analysis.likelihood import Cost, Start
from pygama.analysis.peaks import first_guess
from pygama.analysis.search import (
    FoundPeak,
    checked_histogram,
    find_peaks,
    may_be_several,
    mean_bin_width,
)
from pygama.errors import SettingsError
from pygama.utils import number_text

FEW_FOR_A_TAIL = 3000.0
"""With fewer counts in the peaks, tail and step of an 'hpge' are held near what is usual.

As guessed before the fit, so that an actual 3500 may count as fewer where the tail is long. There is no jump
to smooth: in toys on both sides (2900 and 3100 counts held, 4500 free) the centroid is off by -0.2, -0.3 and
+0.2 % of the FWHM for tails two errors longer, larger and with two more of step than usual, at a spread of
1.6, 1.9 and 2.0 %; without any tail by +1.4, +1.5 and +1.2 %, at 1.4, 1.3 and 2.8 %, since a share of the
tail cannot come out below 0. The FWHM is off by 0.6 % or less, at 1.4 to 3 %.
"""
USUAL_FRACTION, USUAL_SLOPE, USUAL_STEP = (0.15, 0.15), (1.5, 1.0), (0.005, 0.01)
"""Of germanium detectors: the tail's share and length (in sigma) and the step, each give or take."""
REACH, TOGETHER = 5.0, 3.0
"""In FWHM: how far the window of `around_peak` reaches, and how near peaks are fitted together."""


def around_peak(counts: Any, edges: Any, x: float) -> FitRequest:
    """Choose what to fit for the peak under `x`: its window, and the neighbours that overlap with it.

    counts: (n,), edges: (n + 1,) of the whole spectrum. The window reaches five FWHM to both sides and stops
    short of strong neighbours; peaks closer than three FWHM are fitted together. One that is much wider than
    those beside it has no position: the fit finds out whether it is two. Where no peak stands out near `x`,
    the window is one around `x` itself. Raises SettingsError for an `x` outside the histogram.
    """
    counts, edges = checked_histogram(counts, edges)
    if not edges[0] <= x <= edges[-1]:
        raise SettingsError(
            f"a peak to fit must lie between {number_text(edges[0])} and {number_text(edges[-1])}, "
            f"not at '{number_text(x)}'"
        )
    found = find_peaks(counts, edges)
    bin_width = mean_bin_width(edges)
    near = [peak for peak in found if abs(peak.position - x) <= 2 * max(peak.fwhm, 2 * bin_width)]
    if not near:
        return _around(x, 20 * bin_width, edges)
    chosen = min(near, key=lambda peak: abs(peak.position - x))
    together = [peak for peak in found if _overlap(peak, chosen)]
    fwhm = max(chosen.fwhm, 2 * bin_width)
    low = max(together[0].position - REACH * fwhm, float(edges[0]))
    high = min(together[-1].position + REACH * fwhm, float(edges[-1]))
    for other in (peak for peak in found if peak not in together):
        keep_off = 1.5 * max(other.fwhm, fwhm)
        if other.position < chosen.position:
            low = max(low, other.position + keep_off)
        else:
            high = min(high, other.position - keep_off)
    is_told_by_fit = len(together) == 1 and may_be_several(chosen, found)
    positions = () if is_told_by_fit else tuple(peak.position for peak in together)
    return FitRequest(float(low), float(high), positions)


def _overlap(peak: FoundPeak, chosen: FoundPeak) -> bool:
    """Say whether a peak must be fitted with the chosen one: it lies near, and is not lost beside it."""
    is_near = abs(peak.position - chosen.position) < TOGETHER * max(peak.fwhm, chosen.fwhm)
    return is_near and peak.significance > 0.1 * chosen.significance


def _around(x: float, half: float, edges: np.ndarray) -> FitRequest:
    low, high = max(x - half, float(edges[0])), min(x + half, float(edges[-1]))
    return FitRequest(low, high, (x,) if low < x < high else ())


def find_positions(counts: np.ndarray, edges: np.ndarray) -> tuple[float, ...]:
    """Find the peaks that stand out beside the strongest, or else the highest place."""
    found = find_peaks(counts, edges) if len(counts) >= 16 else ()
    strongest = max((peak.significance for peak in found), default=0.0)
    found = tuple(peak for peak in found if peak.significance > 0.1 * strongest)
    return tuple(peak.position for peak in found) or (first_guess(counts, edges)[1],)


def priors_of(
    cost: Cost, positions: tuple[float, ...], request: FitRequest
) -> dict[str, tuple[float, float]]:
    """Give what is known beforehand: by the request, or what is usual where few counts cannot tell."""
    names = cost.model.names
    priors = {name: known for name, known in request.priors.items() if name not in request.fixed}
    if request.shape != "hpge":
        return priors
    start = start_at(cost, positions, request, 1.0)
    values = dict(zip(names, start.values.tolist(), strict=True))
    if sum(value for name, value in values.items() if name.startswith("area_")) >= FEW_FOR_A_TAIL:
        return priors
    sigma = _guess_sigma(cost.counts, cost.model.edges, positions)
    usual = {
        "tail_fraction": USUAL_FRACTION,
        "tail_slope": (USUAL_SLOPE[0] * sigma, USUAL_SLOPE[1] * sigma),
        "step": USUAL_STEP,
    }
    decided = {*request.fixed, *request.limits, *priors}
    return priors | {name: known for name, known in usual.items() if name not in decided}


def start_at(cost: Cost, positions: tuple[float, ...], request: FitRequest, width: float) -> Start:
    """Choose where each parameter starts, from the counts and the request."""
    counts, edges = cost.counts, cost.model.edges
    sigma = width * _guess_sigma(counts, edges, positions)
    begin = {"tail_fraction": 0.2, "tail_slope": 1.5 * sigma, "step": 0.005, "slope": 0.0}
    rows = []
    for name in cost.model.names:
        kind, _, number = name.partition("_")
        at = begin.get(name, sigma if kind == "sigma" else 1.0)
        reach = reach_of(name, sigma, edges)
        if kind == "position":
            at = positions[int(number) - 1]
            reach = _between_others(at, positions, reach)
        least, most = limits_of(name, request, reach)
        if name in request.fixed:
            at, least, most = request.fixed[name], -math.inf, math.inf
        rows.append((min(max(at, least), most), least, most))
    values, low, high = np.array(rows).T
    is_fixed = np.array([name in request.fixed for name in cost.model.names])
    return _with_heights(cost, Start(values, low, high, is_fixed))


def _between_others(
    at: float, positions: tuple[float, ...], reach: tuple[float, float]
) -> tuple[float, float]:
    """Keep a peak between where its neighbours start, so that peaks cannot change places."""
    below = max((other for other in positions if other < at), default=reach[0])
    return below, min((other for other in positions if other > at), default=reach[1])


def _guess_sigma(counts: np.ndarray, edges: np.ndarray, positions: tuple[float, ...]) -> float:
    """Measure the width at half height around the highest of the positions."""
    sigma = first_guess(counts, edges)[2]
    if len(positions) == 1:
        return sigma
    apart = min(abs(a - b) for i, a in enumerate(positions) for b in positions[:i]) or mean_bin_width(edges)
    return min(sigma, max(apart / 2, 0.5 * mean_bin_width(edges)))


def _with_heights(cost: Cost, start: Start) -> Start:
    """Set areas and background, which the counts are proportional to, by weighted least squares."""
    names, values = cost.model.names, start.values.copy()
    is_height = np.array([name.startswith("area_") or name == "background" for name in names])
    free = np.flatnonzero(is_height & ~start.is_fixed)
    values[free] = 0.0
    rest, weight = cost.counts - cost.model.expected(values), 1 / np.sqrt(cost.counts + 1)
    columns = np.empty((len(free), len(rest)))
    for row, i in enumerate(free):
        one = values.copy()
        one[i] = 1.0
        columns[row] = cost.model.expected(one) - cost.model.expected(values)
    if len(free):
        values[free] = np.linalg.lstsq((columns * weight).T, rest * weight, rcond=None)[0]
    mean = cost.counts.sum() / float(cost.model.edges[-1] - cost.model.edges[0])
    least = np.array([0.01 * mean if name == "background" else 3.0 for name in names])
    values[free] = np.maximum(values, least)[free]
    return replace(start, values=np.clip(values, start.low, start.high))
