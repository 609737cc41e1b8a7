"""Says what is to be fitted in a region of a spectrum, and refuses what cannot be.

The background is `background` · (1 + `slope` · u) counts a unit, where u runs from -1 to 1 over the window:
it is never negative for a slope between -1 and 1, and a slope means the same in a longer run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

import numpy as np

from pygama.analysis.search import mean_bin_width
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama.utils import number_text

SHAPES = ("gauss", "hpge")
BACKGROUNDS = ("linear", "step")
ERRORS = ("auto", "parabola", "likelihood")
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


def check_request(request: FitRequest) -> None:
    """Refuse what cannot be met with the SettingsError that says why."""
    for problem in _problems(request):
        raise SettingsError(problem)


def _problems(request: FitRequest) -> Iterator[str]:
    low, high = request.low, request.high
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        yield f"a fit needs a window from a lower to a higher end, not from '{low}' to '{high}'"
    for at in request.positions:
        if not low < at < high:
            yield (
                f"position '{number_text(at)}' lies outside the window from {number_text(low)} "
                f"to {number_text(high)}; widen it"
            )
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
            ends = number_text(least), number_text(most)
            within = f"between {allowed[0]:g} and {allowed[1]:g}, the lower one first"
            yield f"limits of {name} must lie {within}, not go from '{ends[0]}' to '{ends[1]}'"


def limits_of(name: str, request: FitRequest, reach: tuple[float, float]) -> tuple[float, float]:
    """Give the limits of a parameter: the request's within what makes sense, or else those of its reach."""
    domain = _domain(name)
    least, most = request.limits.get(name, reach)
    return max(least, domain[0]), min(most, domain[1])


def reach_of(name: str, sigma: float, edges: np.ndarray) -> tuple[float, float]:
    """Give how far a parameter can be told from the bins of a window."""
    widest = 0.5 * float(edges[-1] - edges[0])
    if name == "tail_slope":
        return 0.3 * sigma, widest
    if name.startswith("sigma"):
        return 0.2 * mean_bin_width(edges), widest
    return (float(edges[0]), float(edges[-1])) if name.startswith("position") else _domain(name)


def _domain(name: str) -> tuple[float, float]:
    return _DOMAIN.get(name.split("_")[0] if name not in _DOMAIN else name, (-math.inf, math.inf))
