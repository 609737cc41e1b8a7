"""What a fit of a region gave: parameters and peaks with their errors, and the curves to draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np

from pygama.analysis.fit_request import FitRequest
from pygama.analysis.goodness import signed_deviances
from pygama.analysis.region_model import RegionModel
from pygama.analysis.shapes import Shape
from pygama.analysis.trust import Doubt, verdict
from pygama.quick_dataclass import dataclass


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
    start: values of the parameters that the fit began with, by name; those of the request where it could not
    begin.
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
    start: Mapping[str, float] = field(default_factory=dict)

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
