"""Fits regions of spectra: one or more peaks on their background, with errors to trust.

A `FitRequest` says what is wanted and can be kept in a file; a `RegionFit` is what came out. Counts in bins
are compared with the integral of the model over them, by the extended likelihood of Poisson counts, so that
bins may be as wide as the peak and hold few counts. iminuit finds the best values, with derivatives worked
out by hand; errors come from the curvature of the likelihood there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pygama.analysis.fit_request import FitRequest, check_request, limits_of, parameter_names, reach_of
from pygama.analysis.fit_starts import find_positions, priors_of, start_at
from pygama.analysis.goodness import probability
from pygama.analysis.likelihood import Cost, Minimum, Start, covariance, minimise, profile_intervals
from pygama.analysis.peaks import MIN_COUNTS
from pygama.analysis.region_fit import FittedPeak, Parameter, RegionFit
from pygama.analysis.region_model import RegionModel
from pygama.analysis.search import checked_histogram, mean_bin_width, moved_starts
from pygama.analysis.shapes import FWHM_PER_SIGMA, FWTM_PER_SIGMA
from pygama.analysis.trust import UNLIKELY, Doubt, doubtful, doubts_of, intervals
from pygama.errors import SettingsError
from pygama.utils import number_text, plural

MIN_SIGNIFICANCE = 2.5
"""A peak whose area is fewer errors above 0 is told as none."""
MOVED = 25.0
"""By so much must chi2 be better where peaks are found elsewhere than asked: five standard deviations."""
SPLITS = ((-0.4, 0.4), (-0.25, 0.6), (-0.6, 0.25))
"""Where two peaks are tried that look like one, in its FWHM from its place."""
BINS_A_PEAK = 100
"""Bins of `fit_values`, where the request names none."""


def fit_values(values: Any, request: FitRequest) -> RegionFit:
    """Fit the peaks in values, one number an event; those outside the window and NaNs are left out.

    Raises SettingsError for a request that cannot be met; see `fit_region`.
    """
    check_request(request)
    numbers = np.asarray(values, float).ravel()
    n_bins = request.n_bins or BINS_A_PEAK * min(max(len(request.positions), 1), 4)
    inside = numbers[(numbers >= request.low) & (numbers <= request.high)]
    counts, edges = np.histogram(inside, bins=n_bins, range=(request.low, request.high))
    return _fit(counts.astype(float), edges, request)


def fit_region(
    counts: Any,
    edges: Any,
    request: FitRequest,
    *,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> RegionFit:
    """Fit the peaks in the bins of a histogram that lie in the window of the request.

    counts: (n,), edges: (n + 1,), rising; of bins that reach over an end of the window, those are taken of
    which more than half lies within. within: where cuts let counts pass; bins that do not lie whole within it
    are left out, as they would be taken for background that is not there. Raises SettingsError for a request
    that cannot be met, or no histogram; data that cannot be fitted give a fit that is not `converged` and
    says why.
    """
    check_request(request)
    counts, edges = checked_histogram(counts, edges)
    centres = 0.5 * (edges[1:] + edges[:-1])
    first, last = np.searchsorted(centres, [request.low, request.high])
    slack = 1e-6 * mean_bin_width(edges)
    first = max(first, np.searchsorted(edges, within[0] - slack))
    last = max(min(last, np.searchsorted(edges, within[1] + slack, side="right") - 1), first)
    counts, edges = counts[first:last], edges[first : last + 1]
    if request.n_bins is not None and len(counts) > request.n_bins:
        counts, edges = _join(counts, edges, math.ceil(len(counts) / request.n_bins))
    return _fit(counts, edges, request)


def interval(fit: RegionFit, name: str) -> tuple[float, float]:
    """Give the interval of one standard deviation of a parameter, from the likelihood itself.

    It need not be symmetrical, so it holds where counts are few or the parameter stands at a limit, which is
    then one of its ends; the others are at their best for each value. NaN where there is none. Raises
    SettingsError for a name that the fit does not have. Takes some ten milliseconds.
    """
    if name not in fit.parameters:
        known = ", ".join(fit.parameters) or "none: nothing was fitted"
        raise SettingsError(f"there is no parameter '{name}'; this fit has {known}")
    names = tuple(fit.parameters)
    sigma = fit.peaks[0].fwhm / FWHM_PER_SIGMA
    limits = [limits_of(one, fit.request, reach_of(one, sigma, fit.edges)) for one in names]
    start = Start(
        values=np.array([one.value for one in fit.parameters.values()]),
        low=np.array([low for low, _ in limits]),
        high=np.array([high for _, high in limits]),
        is_fixed=np.array([one.is_fixed or math.isnan(one.error) for one in fit.parameters.values()]),
    )
    cost = Cost(RegionModel(names, fit.edges), fit.counts, fit.priors)
    return profile_intervals(cost, start, [name], [fit.parameters[name].error])[0]


def _join(counts: np.ndarray, edges: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    starts = np.arange(0, len(counts), n)
    return np.add.reduceat(counts, starts), np.append(edges[starts], edges[-1])


def _fit(counts: np.ndarray, edges: np.ndarray, request: FitRequest) -> RegionFit:
    note = _why_not(counts, edges, request)
    if note:
        return RegionFit(request, counts, edges, note=note, start=_asked(request))
    positions = request.positions or find_positions(counts, edges)
    names = parameter_names(request, len(positions))
    cost = Cost(RegionModel(names, edges), counts)
    free = len([name for name in names if name not in request.fixed])
    if len(counts) <= free:
        note = (
            f"{len(counts)} bins for {plural(free, 'value')} to find: widen the window or make bins narrower"
        )
        return RegionFit(request, counts, edges, note=note, start=_asked(request))
    fit = _fit_from(cost, positions, request)
    held = {*request.fixed, *request.limits, *request.priors}
    is_free = not any(name.startswith("position") for name in held)
    if is_free and request.positions and (not fit.converged or fit.p_value < UNLIKELY):
        return _where_it_went(cost, fit)
    is_one_held = any(name.startswith("area") for name in held)
    if is_free and not (request.positions or is_one_held) and fit.converged and fit.p_value < UNLIKELY:
        return _as_two(fit)
    return fit


def _asked(request: FitRequest) -> dict[str, float]:
    """Give the values that a request itself names, of a fit that cannot begin."""
    return {f"position_{i}": at for i, at in enumerate(request.positions, 1)} | dict(request.fixed)


def _fit_from(cost: Cost, positions: tuple[float, ...], request: FitRequest) -> RegionFit:
    priors = priors_of(cost, positions, request)
    return _best_of(Cost(cost.model, cost.counts, priors), positions, request, priors)


def _where_it_went(cost: Cost, fit: RegionFit) -> RegionFit:
    """Fit again where the highest peak of the window stands, if none of the fitted ones is that.

    A gain that moved by some widths, as from run to run, leaves a start at the old place on flat ground.
    """
    asked = fit.request.positions
    are_all_there = all(peak.area > MIN_SIGNIFICANCE * peak.area_error for peak in fit.peaks)
    fitted = asked if not fit.converged else [peak.position for peak in fit.peaks] if are_all_there else []
    starts = moved_starts(cost.counts, cost.model.edges, asked, fitted)
    tried = [one for one in (_fit_from(cost, start, fit.request) for start in starts) if one.converged]
    if not tried:
        return fit
    best = min(tried, key=lambda one: one.chi2)
    if fit.converged and best.chi2 > fit.chi2 - MOVED:
        return fit
    at, was = (number_text(min(places)) for places in ([peak.position for peak in best.peaks], asked))
    about = tuple(name for name in best.parameters if name.startswith("position"))
    doubt = Doubt("moved", about, f"a peak was found at {at}, not at {was} where it was looked for")
    return replace(best, doubts=(*best.doubts, doubt))


def _as_two(fit: RegionFit) -> RegionFit:
    """Fit two peaks where one that was found does not explain the counts, if they do.

    The search takes two that overlap for a wide one. One peak with a tail is no two: two Gaussians explain
    it as well, as far as a few ten thousand counts tell, so that is tried before.
    """
    if len(fit.peaks) != 1:
        return fit
    one = fit.peaks[0]
    tailed = fit
    if fit.request.shape != "hpge":
        model = RegionModel(parameter_names(replace(fit.request, shape="hpge"), 1), fit.edges)
        tailed = _fit_from(Cost(model, fit.counts), (one.position,), replace(fit.request, shape="hpge"))
    if tailed.converged and tailed.p_value >= UNLIKELY:
        return fit
    cost = Cost(RegionModel(parameter_names(fit.request, 2), fit.edges), fit.counts)
    starts = [tuple(one.position + share * one.fwhm for share in pair) for pair in SPLITS]
    inside = [start for start in starts if fit.edges[0] < start[0] and start[1] < fit.edges[-1]]
    tried = [_fit_from(cost, start, fit.request) for start in inside]
    least = min(fit.chi2, tailed.chi2 if tailed.converged else fit.chi2) - MOVED
    good = [two for two in tried if two.converged and two.p_value >= UNLIKELY and two.chi2 < least]
    return min(good, key=lambda two: two.chi2, default=fit)


def _best_of(
    cost: Cost,
    positions: tuple[float, ...],
    request: FitRequest,
    priors: Mapping[str, tuple[float, float]],
) -> RegionFit:
    """Minimise from one start, and from others where it ended badly; give the likeliest that is a minimum."""
    tries: list[tuple[Minimum, Start]] = []
    for width in (1.0, 0.6, 1.7):
        start = start_at(cost, positions, request, width)
        tries.append((minimise(cost, start), start))
        last = tries[-1][0]
        is_out = (last.is_held | last.is_idle)[: 2 * len(positions)]
        if last.is_valid and not is_out.any():
            break
    at, start = min(tries, key=lambda one: (not one[0].is_valid, one[0].chi2))
    return _result(cost, request, start, _in_order(cost, at, positions, request), priors)


def _in_order(cost: Cost, at: Minimum, positions: tuple[float, ...], request: FitRequest) -> Minimum:
    """Number peaks that have changed places on the way as their starting positions are numbered."""
    model, n = cost.model, len(positions)
    if any(name[-1].isdigit() for name in (*request.fixed, *request.limits, *request.priors)):
        return at
    found = np.argsort([model.place(i, at.values)[1] for i in range(n)])
    came_from = np.empty(n, int)
    came_from[np.argsort(positions)] = found
    order = np.arange(len(at.values))
    for name in ("area", "position", "sigma"):
        places = np.array([model.index(name, i) for i in range(n)])
        order[places] = places[came_from]
    return replace(at, values=at.values[order], is_held=at.is_held[order], is_idle=at.is_idle[order])


def _why_not(counts: np.ndarray, edges: np.ndarray, request: FitRequest) -> str:
    window = f"between {number_text(request.low)} and {number_text(request.high)}"
    if len(counts) < 5:
        return (
            f"{plural(len(counts), 'bin')} {window}: too few to fit; widen the window or make bins narrower"
        )
    if not (np.isfinite(counts).all() and (counts >= 0).all()):
        return f"counts {window} are negative or not numbers: only counts as they were taken can be fitted"
    total = counts.sum()
    return f"{plural(round(total), 'count')} {window}: too few to fit" if total < MIN_COUNTS else ""


def _result(
    cost: Cost, request: FitRequest, start: Start, at: Minimum, priors: Mapping[str, tuple[float, float]]
) -> RegionFit:
    names, model = cost.model.names, cost.model
    spread, is_known = covariance(cost, at, start.is_fixed)
    errors = np.where(at.is_idle, math.nan, np.sqrt(np.diag(spread)))
    peaks = tuple(_peak(i, model, at.values, spread) for i in range(model.n_peaks))
    why = _what_is_wrong(cost, at, spread, peaks, is_known)
    uneven = {} if why else _uneven_errors(cost, request, start, at, spread)
    known = {name: each for name, each in uneven.items() if all(map(math.isfinite, each))}
    marks = zip(names, at.values, errors, start.is_fixed, at.is_held | at.is_idle, strict=True)
    parameters = {
        name: Parameter(name, float(value), float(error), bool(is_fixed), bool(is_held), known.get(name))
        for name, value, error, is_fixed, is_held in marks
    }
    # a prior that says more than the counts leaves less to be free
    told = float(np.nan_to_num(cost.weight * np.diag(spread)).sum())
    n_free = float((~start.is_fixed).sum()) - min(told, len(priors))
    chi2 = cost.chi2(at.values)
    p_value = probability(chi2, model.expected(at.values), n_free)
    doubts = doubts_of(names, at, uneven, priors, p_value) if not why else ()
    return RegionFit(
        request,
        cost.counts,
        model.edges,
        peaks=tuple(_with_uneven(peak, i, model, known) for i, peak in enumerate(peaks)),
        parameters=parameters,
        covariance=spread,
        chi2=chi2,
        ndof=len(cost.counts) - round(n_free),
        p_value=p_value,
        converged=not why,
        note=why or _what_to_look_at(peaks, parameters, doubts),
        doubts=doubts or ((Doubt("not_converged", (), why),) if why else ()),
        priors=dict(priors),
        start=dict(zip(names, start.values.tolist(), strict=True)),
    )


def _uneven_errors(
    cost: Cost, request: FitRequest, start: Start, at: Minimum, spread: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Give the errors that must come from the likelihood itself, or all where that is asked for."""
    if request.errors == "parabola":
        return {}
    limits = [
        limits_of(name, request, reach_of(name, _one_sigma(cost, at), cost.model.edges))
        for name in cost.model.names
    ]
    low, high = np.array(limits).T
    wide = replace(start, low=low, high=high)
    free = np.flatnonzero(~(start.is_fixed | at.is_idle)).tolist()
    which = free if request.errors == "likelihood" else doubtful(cost, at, spread, wide)
    return intervals(cost, at, wide, which, spread)


def _one_sigma(cost: Cost, at: Minimum) -> float:
    return cost.model.shape_of(0, at.values).sigma


def _with_uneven(
    peak: FittedPeak, i: int, model: RegionModel, uneven: Mapping[str, tuple[float, float]]
) -> FittedPeak:
    def of(name: str) -> tuple[float, float] | None:
        return uneven.get(model.names[model.index(name, i)])

    sigma = of("sigma") if "tail_fraction" not in model.at else None
    fwhm, fwtm = (
        (by_sigma * sigma[0], by_sigma * sigma[1]) if sigma else None
        for by_sigma in (FWHM_PER_SIGMA, FWTM_PER_SIGMA)
    )
    return replace(
        peak, position_errors=of("position"), area_errors=of("area"), fwhm_errors=fwhm, fwtm_errors=fwtm
    )


def _peak(i: int, model: RegionModel, values: np.ndarray, covariance: np.ndarray) -> FittedPeak:
    shape = model.shape_of(i, values)
    area, position = model.place(i, values)
    at_area, at_position = model.index("area", i), model.index("position", i)
    widths: list[float] = []
    for share in (0.5, 0.1):
        by_value = np.zeros(len(values))
        for name, slope in shape.width_gradient(share).items():
            if name == "sigma" or name in model.at:
                by_value[model.index(name, i)] = slope
        variance = by_value @ covariance @ by_value
        widths += [shape.width(share), math.sqrt(variance) if variance >= 0 else math.nan]
    error, area_error = (float(covariance[i, i] ** 0.5) for i in (at_position, at_area))
    fwhm, fwhm_error, fwtm, fwtm_error = widths
    return FittedPeak(position, error, fwhm, fwhm_error, fwtm, fwtm_error, area, area_error)


def _what_is_wrong(
    cost: Cost, at: Minimum, spread: np.ndarray, peaks: tuple[FittedPeak, ...], is_known: bool
) -> str:
    edges = cost.model.edges
    low, width = float(edges[0]), float(edges[-1] - edges[0])
    is_area = np.array([name.startswith("area_") for name in cost.model.names])
    total, error = at.values[is_area].sum(), math.sqrt(max(spread[np.ix_(is_area, is_area)].sum(), 0.0))
    if not total > MIN_SIGNIFICANCE * error:
        return f"no peak: {number_text(total, 3)} ± {number_text(error, 2)} counts above the background"
    if not (at.is_valid and is_known):
        return "the fit did not converge; give positions, or fix what the counts cannot tell"
    if any(min(peak.position - low, low + width - peak.position) < 0.02 * width for peak in peaks):
        return "a peak lies at the edge of the window"
    if any(peak.fwhm > 0.3 * FWHM_PER_SIGMA * width for peak in peaks):
        return "a peak is as wide as the window"
    return ""


def _what_to_look_at(
    peaks: tuple[FittedPeak, ...], parameters: Mapping[str, Parameter], doubts: tuple[Doubt, ...]
) -> str:
    notes = [
        f"peak {i}: {number_text(peak.area, 3)} ± {number_text(peak.area_error, 2)} counts, "
        "not above the background"
        for i, peak in enumerate(peaks, 1)
        if not peak.area > MIN_SIGNIFICANCE * peak.area_error and not parameters[f"area_{i}"].is_fixed
    ]
    notes += [
        f"{one.name} stands at its limit {number_text(one.value)}"
        for one in parameters.values()
        if one.is_at_limit and math.isfinite(one.error)
    ]
    notes += [one.words for one in doubts if one.code == "prior"]
    return "; ".join(notes)
