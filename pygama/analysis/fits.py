"""Fits regions of spectra: one or more peaks on their background, with errors to trust.

A `FitRequest` says what is wanted and can be kept in a file; a `RegionFit` is what came out. Counts in bins
are compared with the integral of the model over them, by the extended likelihood of Poisson counts, so that
bins may be as wide as the peak and hold few counts. iminuit finds the best values, with derivatives worked
out by hand; errors come from the curvature of the likelihood there.

The background is `background` · (1 + `slope` · u) counts a unit, where u runs from -1 to 1 over the window:
it is never negative for a slope between -1 and 1, and a slope means the same in a longer run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from pygama.analysis.goodness import probability, signed_deviances
from pygama.analysis.likelihood import Cost, Minimum, Start, covariance, minimise, profile_intervals
from pygama.analysis.peaks import MIN_COUNTS, first_guess
from pygama.analysis.region_model import RegionModel
from pygama.analysis.search import FoundPeak, checked_histogram, find_peaks, moved_starts
from pygama.analysis.shapes import FWHM_PER_SIGMA, FWTM_PER_SIGMA, Shape
from pygama.analysis.trust import UNLIKELY, Doubt, doubtful, doubts_of, intervals, verdict
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama.utils import plural

SHAPES = ("gauss", "hpge")
BACKGROUNDS = ("linear", "step")
ERRORS = ("auto", "parabola", "likelihood")
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
MIN_SIGNIFICANCE = 2.5
"""A peak whose area is fewer errors above 0 is told as none."""
MOVED = 25.0
"""By so much must chi2 be better where peaks are found elsewhere than asked: five standard deviations."""
REACH, TOGETHER = 5.0, 3.0
"""In FWHM: how far the window of `around_peak` reaches, and how near peaks are fitted together."""
BINS_A_PEAK = 100
"""Bins of `fit_values`, where the request names none."""
_NAME = re.compile(r"(area|position|sigma)(_[1-9]\d*)?|tail_fraction|tail_slope|step|background|slope")
_DOMAIN = {
    "area": (0.0, math.inf),
    "sigma": (0.0, math.inf),
    "tail_fraction": (0.0, 1.0),
    "tail_slope": (0.0, math.inf),
    "step": (0.0, 1.0),
    "background": (0.0, math.inf),
    "slope": (-1.0, 1.0),
}
"""What values of a parameter make sense."""


@dataclass(frozen=True)
class FitRequest:
    """What to fit: a window, its peaks and their shape.

    low, high: ends of the window. positions: where peaks stand, about; empty: they are found. What is found
    elsewhere in the window is told as a doubt. shape: 'gauss', or 'hpge' for a Gaussian with a low-energy
    tail and a step. background: 'linear', or 'step' to add a step
    under each Gaussian (an 'hpge' has one in any case). share_width: whether all peaks have one sigma.
    fixed, limits: of parameters by name: area_1, position_1, sigma (sigma_1 where widths are not shared),
    tail_fraction, tail_slope, step, background, slope; see `parameter_names`. n_bins: bins of the window;
    None: those of the histogram, or a number that suits the peaks. priors: what is known of parameters
    beforehand, name -> (value, error). With few counts (`FEW_FOR_A_TAIL`) an 'hpge' gets usual ones for tail
    and step, which the result states; those that are fixed, limited or have a prior are left alone. errors:
    'auto' takes intervals from the likelihood where its top is no parabola, 'likelihood' always (some ten
    milliseconds a parameter), 'parabola' never.
    """

    low: float
    high: float
    positions: tuple[float, ...] = ()
    shape: str = "gauss"
    background: str = "linear"
    share_width: bool = True
    fixed: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    n_bins: int | None = None
    priors: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    errors: str = "auto"

    def __getstate__(self) -> dict[str, Any]:
        """Give plain mappings to pickle, so that requests and fits can go to another process."""
        plain = {name: dict(getattr(self, name)) for name in ("fixed", "limits", "priors")}
        return self.__dict__ | plain


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of the fit and its error.

    is_fixed: held at the request's wish, and known exactly. is_at_limit: it ran into a limit, or makes no
    difference there (the slope of a tail without counts), and then its error is NaN; else its error says how
    steep the likelihood is, and the other errors allow for it. errors: downwards and upwards, from the
    likelihood itself, where `error` is not to be trusted; None where it is.
    """

    name: str
    value: float
    error: float
    is_fixed: bool = False
    is_at_limit: bool = False
    errors: tuple[float, float] | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """What lies within one standard deviation: from the likelihood where `error` does not hold."""
        down, up = self.errors or (self.error, self.error)
        return self.value - down, self.value + up


@dataclass(frozen=True, slots=True)
class FittedPeak:
    """A peak in the unit of x; errors are of one standard deviation.

    position: of the Gaussian, which a tail leaves where it is. fwhm, fwtm: full width at half and at a tenth
    of the greatest height of the whole shape, tail included, without the background and the step. area:
    counts of Gaussian and tail. …_errors: downwards and upwards, where the single error is not to be trusted;
    None where it is, or where they are not known (of widths with a tail).
    """

    position: float
    position_error: float
    fwhm: float
    fwhm_error: float
    fwtm: float
    fwtm_error: float
    area: float
    area_error: float
    position_errors: tuple[float, float] | None = None
    fwhm_errors: tuple[float, float] | None = None
    fwtm_errors: tuple[float, float] | None = None
    area_errors: tuple[float, float] | None = None

    @property
    def significance(self) -> float:
        """How many errors the area lies above 0."""
        return self.area / self.area_error if self.area_error > 0 else math.nan


@dataclass(frozen=True, eq=False)
class RegionFit:
    """What a fit of a region gave.

    counts, edges: (n,) and (n + 1,) of the bins that were fitted. covariance: (k, k) in the order of
    `parameters`, 0 for those that were fixed or make no difference. chi2: likelihood ratio of Baker and
    Cousins, to be compared with ndof; p_value: probability of one as large, which holds for few counts too.
    Where `converged` is False, `note` says why and there may be no peaks; otherwise it says what to look at.
    doubts: why errors are not to be taken as they stand, each with a code (`trust.CODES`), the parameters and
    a sentence. priors: what was taken as known beforehand, by the request or for lack of counts.
    """

    request: FitRequest
    counts: np.ndarray
    edges: np.ndarray
    peaks: tuple[FittedPeak, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    covariance: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    chi2: float = math.nan
    ndof: int = 0
    p_value: float = math.nan
    converged: bool = False
    note: str = ""
    doubts: tuple[Doubt, ...] = ()
    priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Whether the errors can be trusted, as a sentence."""
        return verdict(self.doubts) if self.converged else self.note

    def doubts_about(self, name: str) -> tuple[Doubt, ...]:
        """Give what is doubtful about one parameter."""
        return tuple(one for one in self.doubts if name in one.about or not one.about)

    def density(self, x: Any) -> np.ndarray:
        """Give the fitted counts a unit at `x`; times the bin width they lie on the histogram."""
        return self.background(x) + sum(self.peak(i, x) for i in range(len(self.peaks)))

    def background(self, x: Any) -> np.ndarray:
        """Give the background, steps included, in counts a unit at `x`; NaN where nothing was fitted."""
        x = np.atleast_1d(np.asarray(x, float))
        if not self.parameters:
            return np.full(len(x), math.nan)
        value = self._value
        u = (x - 0.5 * (self.edges[0] + self.edges[-1])) / (0.5 * (self.edges[-1] - self.edges[0]))
        line = value("background", 0.0) * (1 + value("slope", 0.0) * u)
        steps = (p.area * self._shape(i).step_density(x, p.position) for i, p in enumerate(self.peaks))
        return line + sum(steps)

    def peak(self, index: int, x: Any) -> np.ndarray:
        """Give one of the `peaks` alone, without background and step, in counts a unit at `x`."""
        one = self.peaks[index]
        return one.area * self._shape(index).density(np.atleast_1d(np.asarray(x, float)), one.position)

    def expected(self) -> np.ndarray:
        """Give the counts that the fit expects in each bin, (n,); NaN where nothing was fitted."""
        if not self.parameters:
            return np.full(len(self.counts), math.nan)
        names = tuple(self.parameters)
        return RegionModel(names, self.edges).expected(
            np.array([self.parameters[name].value for name in names])
        )

    def residuals(self) -> np.ndarray:
        """Give how far each bin lies from the fit, in standard deviations, (n,); the squares make up chi2."""
        return signed_deviances(self.counts, self.expected())

    def _value(self, name: str, default: float) -> float:
        one = self.parameters.get(name)
        return default if one is None else one.value

    def _shape(self, index: int) -> Shape:
        sigma = self._value(f"sigma_{index + 1}", 0.0) or self._value("sigma", 1.0)
        value = self._value
        return Shape(sigma, value("tail_fraction", 0.0), value("tail_slope", 1.0), value("step", 0.0))


def parameter_names(request: FitRequest, n_peaks: int | None = None) -> tuple[str, ...]:
    """Name the parameters of a request in their order; n_peaks: where it leaves the positions to be found."""
    n = n_peaks if n_peaks is not None else max(len(request.positions), 1)
    names = [f"{name}_{i}" for i in range(1, n + 1) for name in ("area", "position")]
    is_one_width = request.share_width or n == 1
    names += ["sigma"] if is_one_width else [f"sigma_{i}" for i in range(1, n + 1)]
    if request.shape == "hpge":
        names += ["tail_fraction", "tail_slope"]
    if request.shape == "hpge" or request.background == "step":
        names.append("step")
    return (*names, "background", "slope")


def fit_values(values: Any, request: FitRequest) -> RegionFit:
    """Fit the peaks in values, one number an event; those outside the window and NaNs are left out.

    Raises SettingsError for a request that cannot be met; see `fit_region`.
    """
    _check(request)
    numbers = np.asarray(values, float).ravel()
    n_bins = request.n_bins or BINS_A_PEAK * min(max(len(request.positions), 1), 4)
    inside = numbers[(numbers >= request.low) & (numbers <= request.high)]
    counts, edges = np.histogram(inside, bins=n_bins, range=(request.low, request.high))
    return _fit(counts.astype(float), edges, request)


def fit_region(counts: Any, edges: Any, request: FitRequest) -> RegionFit:
    """Fit the peaks in the bins of a histogram that lie in the window of the request.

    counts: (n,), edges: (n + 1,), rising; of bins that reach over an end of the window, those are taken of
    which more than half lies within. Raises SettingsError for a request that cannot be met, or no histogram;
    data that cannot be fitted give a fit that is not `converged` and says why.
    """
    _check(request)
    counts, edges = checked_histogram(counts, edges)
    centres = 0.5 * (edges[1:] + edges[:-1])
    first, last = np.searchsorted(centres, [request.low, request.high])
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
    limits = [_allowed(one, fit.request, _reach(one, sigma, fit.edges)) for one in names]
    start = Start(
        values=np.array([one.value for one in fit.parameters.values()]),
        low=np.array([low for low, _ in limits]),
        high=np.array([high for _, high in limits]),
        is_fixed=np.array([one.is_fixed or math.isnan(one.error) for one in fit.parameters.values()]),
    )
    cost = Cost(RegionModel(names, fit.edges), fit.counts, fit.priors)
    return profile_intervals(cost, start, [name], [fit.parameters[name].error])[0]


def around_peak(counts: Any, edges: Any, x: float) -> FitRequest:
    """Choose what to fit for the peak under `x`: its window, and the neighbours that overlap with it.

    counts: (n,), edges: (n + 1,) of the whole spectrum. The window reaches five FWHM to both sides and stops
    short of strong neighbours; peaks closer than three FWHM are fitted together. Where no peak stands out
    near `x`, the window is one around `x` itself. Raises SettingsError for an `x` outside the histogram.
    """
    counts, edges = checked_histogram(counts, edges)
    if not edges[0] <= x <= edges[-1]:
        raise SettingsError(
            f"a peak to fit must lie between {edges[0]:.6g} and {edges[-1]:.6g}, not at '{x:.6g}'"
        )
    found = find_peaks(counts, edges)
    bin_width = _bin_width(edges)
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
    return FitRequest(float(low), float(high), tuple(peak.position for peak in together))


def _overlap(peak: FoundPeak, chosen: FoundPeak) -> bool:
    """Say whether a peak must be fitted with the chosen one: it lies near, and is not lost beside it."""
    is_near = abs(peak.position - chosen.position) < TOGETHER * max(peak.fwhm, chosen.fwhm)
    return is_near and peak.significance > 0.1 * chosen.significance


def _around(x: float, half: float, edges: np.ndarray) -> FitRequest:
    low, high = max(x - half, float(edges[0])), min(x + half, float(edges[-1]))
    return FitRequest(low, high, (x,) if low < x < high else ())


def _bin_width(edges: np.ndarray) -> float:
    return float(edges[-1] - edges[0]) / (len(edges) - 1)


def _join(counts: np.ndarray, edges: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    starts = np.arange(0, len(counts), n)
    return np.add.reduceat(counts, starts), np.append(edges[starts], edges[-1])


# What a request may say


def _check(request: FitRequest) -> None:
    for problem in _problems(request):
        raise SettingsError(problem)


def _problems(request: FitRequest) -> Iterator[str]:
    low, high = request.low, request.high
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        yield f"a fit needs a window from a lower to a higher end, not from '{low}' to '{high}'"
    for at in request.positions:
        if not low < at < high:
            yield f"position '{at:.6g}' lies outside the window from {low:.6g} to {high:.6g}; widen it"
    for name, value, allowed in (
        ("shape", request.shape, SHAPES),
        ("background", request.background, BACKGROUNDS),
        ("errors", request.errors, ERRORS),
    ):
        if value not in allowed:
            yield f"{name} must be {' or '.join(map(repr, allowed))}, not '{value}'"
    if request.n_bins is not None and request.n_bins < 5:
        yield f"n_bins must be 5 or more, not '{request.n_bins}'"
    yield from _problems_of_names(request)


def _problems_of_names(request: FitRequest) -> Iterator[str]:
    known = parameter_names(request)
    for name in (*request.fixed, *request.limits, *request.priors):
        if name not in known and (request.positions or not _NAME.fullmatch(name)):
            yield f"there is no parameter '{name}'; this fit has {', '.join(known)}"
    for name, value in request.fixed.items():
        least, most = _domain(name)
        if not (math.isfinite(value) and least <= value <= most) or (value == 0 and "sigma" in name):
            yield f"{name} cannot be fixed at '{value}': it lies between {least:g} and {most:g}"
    for name, (value, error) in request.priors.items():
        if not (math.isfinite(value) and 0 < error < math.inf):
            yield f"a prior of {name} is a number and an error above 0, not '{value}' and '{error}'"
    for name, (least, most) in request.limits.items():
        allowed = _domain(name)
        if not max(least, allowed[0]) < min(most, allowed[1]):
            within = f"between {allowed[0]:g} and {allowed[1]:g}, the lower one first"
            yield f"limits of {name} must lie {within}, not go from '{least:.6g}' to '{most:.6g}'"


def _allowed(name: str, request: FitRequest, reach: tuple[float, float]) -> tuple[float, float]:
    """Give the limits of a parameter: the request's within what makes sense, or else those of its reach."""
    domain = _domain(name)
    least, most = request.limits.get(name, reach)
    return max(least, domain[0]), min(most, domain[1])


def _reach(name: str, sigma: float, edges: np.ndarray) -> tuple[float, float]:
    """Give how far a parameter can be told from the bins of a window."""
    widest = 0.5 * float(edges[-1] - edges[0])
    if name == "tail_slope":
        return 0.3 * sigma, widest
    if name.startswith("sigma"):
        return 0.2 * _bin_width(edges), widest
    return (float(edges[0]), float(edges[-1])) if name.startswith("position") else _domain(name)


def _domain(name: str) -> tuple[float, float]:
    return _DOMAIN.get(name.split("_")[0] if name not in _DOMAIN else name, (-math.inf, math.inf))


# The fit


def _fit(counts: np.ndarray, edges: np.ndarray, request: FitRequest) -> RegionFit:
    note = _why_not(counts, edges, request)
    if note:
        return RegionFit(request, counts, edges, note=note)
    positions = request.positions or _find_positions(counts, edges)
    names = parameter_names(request, len(positions))
    cost = Cost(RegionModel(names, edges), counts)
    free = len([name for name in names if name not in request.fixed])
    if len(counts) <= free:
        note = (
            f"{len(counts)} bins for {plural(free, 'value')} to find: widen the window or make bins narrower"
        )
        return RegionFit(request, counts, edges, note=note)
    fit = _fit_from(cost, positions, request)
    held = {*request.fixed, *request.limits, *request.priors}
    is_free = not any(name.startswith("position") for name in held)
    if request.positions and is_free and (not fit.converged or fit.p_value < UNLIKELY):
        return _where_it_went(cost, fit)
    return fit


def _fit_from(cost: Cost, positions: tuple[float, ...], request: FitRequest) -> RegionFit:
    priors = _priors(cost, positions, request)
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
    at, was = (f"{min(places):.6g}" for places in ([peak.position for peak in best.peaks], asked))
    about = tuple(name for name in best.parameters if name.startswith("position"))
    doubt = Doubt("moved", about, f"a peak was found at {at}, not at {was} where it was looked for")
    return replace(best, doubts=(*best.doubts, doubt))


def _priors(cost: Cost, positions: tuple[float, ...], request: FitRequest) -> dict[str, tuple[float, float]]:
    """Give what is known beforehand: by the request, or what is usual where few counts cannot tell."""
    names = cost.model.names
    priors = {name: known for name, known in request.priors.items() if name not in request.fixed}
    if request.shape != "hpge":
        return priors
    start = _start(cost, positions, request, 1.0)
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


def _best_of(
    cost: Cost,
    positions: tuple[float, ...],
    request: FitRequest,
    priors: Mapping[str, tuple[float, float]],
) -> RegionFit:
    """Minimise from one start, and from others where it ended badly; give the likeliest that is a minimum."""
    tries: list[tuple[Minimum, Start]] = []
    for width in (1.0, 0.6, 1.7):
        start = _start(cost, positions, request, width)
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
    window = f"between {request.low:.6g} and {request.high:.6g}"
    if len(counts) < 5:
        return (
            f"{plural(len(counts), 'bin')} {window}: too few to fit; widen the window or make bins narrower"
        )
    if not (np.isfinite(counts).all() and (counts >= 0).all()):
        return f"counts {window} are negative or not numbers: only counts as they were taken can be fitted"
    total = counts.sum()
    return f"{total:.0f} counts {window}: too few to fit" if total < MIN_COUNTS else ""


def _find_positions(counts: np.ndarray, edges: np.ndarray) -> tuple[float, ...]:
    found = find_peaks(counts, edges) if len(counts) >= 16 else ()
    strongest = max((peak.significance for peak in found), default=0.0)
    found = tuple(peak for peak in found if peak.significance > 0.1 * strongest)
    return tuple(peak.position for peak in found) or (first_guess(counts, edges)[1],)


def _start(cost: Cost, positions: tuple[float, ...], request: FitRequest, width: float) -> Start:
    """Choose where each parameter starts, from the counts and the request."""
    counts, edges = cost.counts, cost.model.edges
    sigma = width * _guess_sigma(counts, edges, positions)
    begin = {"tail_fraction": 0.2, "tail_slope": 1.5 * sigma, "step": 0.005, "slope": 0.0}
    rows = []
    for name in cost.model.names:
        kind, _, number = name.partition("_")
        at = begin.get(name, sigma if kind == "sigma" else 1.0)
        reach = _reach(name, sigma, edges)
        if kind == "position":
            at = positions[int(number) - 1]
            reach = _between_others(at, positions, reach)
        least, most = _allowed(name, request, reach)
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
    apart = min(abs(a - b) for i, a in enumerate(positions) for b in positions[:i]) or _bin_width(edges)
    return min(sigma, max(apart / 2, 0.5 * _bin_width(edges)))


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
    )


def _uneven_errors(
    cost: Cost, request: FitRequest, start: Start, at: Minimum, spread: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Give the errors that must come from the likelihood itself, or all where that is asked for."""
    if request.errors == "parabola":
        return {}
    limits = [
        _allowed(name, request, _reach(name, _one_sigma(cost, at), cost.model.edges))
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
        return f"no peak: {total:.3g} ± {error:.2g} counts above the background"
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
        f"peak {i}: {peak.area:.3g} ± {peak.area_error:.2g} counts, not above the background"
        for i, peak in enumerate(peaks, 1)
        if not peak.area > MIN_SIGNIFICANCE * peak.area_error and not parameters[f"area_{i}"].is_fixed
    ]
    notes += [
        f"{one.name} stands at its limit {one.value:.4g}"
        for one in parameters.values()
        if one.is_at_limit and math.isfinite(one.error)
    ]
    notes += [one.words for one in doubts if one.code == "prior"]
    return "; ".join(notes)
