"""Finds the parameters that make counts most likely, within limits, and their covariance.

Steps by the curvature that is expected on average (Fisher's) lead to the minimum in a few evaluations;
iminuit goes the rest of the way and says whether it is one. The covariance comes from the curvature there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from pygama.analysis.region_model import RegionModel
from pygama.analysis.region_sums import Sums, sums_of
from pygama.quick_dataclass import dataclass

NO_PRIORS: Mapping[str, tuple[float, float]] = MappingProxyType({})
_AT_LIMIT = 0.01
"""In errors: so near a limit, and pushed there, a parameter stands at it."""
_NO_COUNTS = 1e-3
"""A parameter that moves fewer counts than this on its way to a limit, and is pushed there, stands at it."""
_IDLE = 1e-6
"""What makes no difference changes the likelihood ratio by less, over all of its range."""
_N_CALLS = 2000
_N_SECANTS, _ENOUGH, _LOWER = 25, 0.01, 0.02
"""Steps to an end of an interval, how near to 1 the growth must come, and what makes a better minimum."""


@dataclass(frozen=True)
class Start:
    """Where parameters start, between which limits they are sought, and which of them stay; (k,) each."""

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_fixed: np.ndarray


@dataclass(frozen=True)
class Minimum:
    """Where the likelihood ratio is least; (k,) each.

    is_held: the parameter stands at a limit. is_idle: it makes no difference there.
    """

    values: np.ndarray
    chi2: float
    is_held: np.ndarray
    is_idle: np.ndarray
    is_valid: bool


class Cost:
    """Likelihood ratio of counts and model, with its derivatives; what was worked out last is kept.

    priors: parameters that are known beforehand, name -> (value, error); each adds the square of its
    distance in errors.
    """

    def __init__(
        self, model: RegionModel, counts: np.ndarray, priors: Mapping[str, tuple[float, float]] = NO_PRIORS
    ) -> None:
        self.model, self.counts = model, np.asarray(counts, float)
        self.known = np.array([priors.get(name, (0.0, 1.0))[0] for name in model.names])
        self.weight = np.array([priors[name][1] ** -2 if name in priors else 0.0 for name in model.names])
        self._has_priors = bool(self.weight.any())
        self._sums_of = sums_of(model, self.counts)
        self._key = b""
        self._sums: Sums | None = None

    def value(self, values: Any) -> float:
        """Give the likelihood ratio, and what distances from priors add to it."""
        values = np.asarray(values, float)
        chi2 = self._at(values).chi2
        if self._has_priors:
            chi2 += float((self.weight * (values - self.known) ** 2).sum())
        return chi2

    def chi2(self, values: np.ndarray) -> float:
        """Give the likelihood ratio of the counts alone."""
        return self._at(values).chi2

    def gradient(self, values: Any) -> np.ndarray:
        """Give its derivatives, (k,)."""
        values = np.asarray(values, float)
        slope = self._at(values).slope
        return slope + 2 * self.weight * (values - self.known) if self._has_priors else slope

    def fisher(self, values: np.ndarray) -> np.ndarray:
        """Give half of the curvature that is expected on average, (k, k): the inverse of the covariance."""
        curvature = self._at(values).curvature
        return curvature + np.diag(self.weight) if self._has_priors else curvature

    def reach(self, values: np.ndarray) -> np.ndarray:
        """Give the counts that each parameter moves by one unit of its own, (k,)."""
        return np.maximum(self._at(values).reach, 1e-300)

    def _at(self, values: np.ndarray) -> Sums:
        key = values.tobytes()
        if self._sums is None or key != self._key:
            self._key, self._sums = key, self._sums_of(values)
        return self._sums


def minimise(cost: Cost, start: Start) -> Minimum:
    """Find the minimum from a start."""
    values = _approach(cost, start)
    for _ in range(4):
        is_held, is_idle = _standing(cost, values, start)
        values = np.where(is_held, _nearest_limit(values, start), values)
        values, is_valid = _descend(cost, values, start, is_held | is_idle)
        now_held, now_idle = _standing(cost, values, start)
        if ((now_held | now_idle) == (is_held | is_idle)).all():
            break
    return Minimum(values, cost.value(values), is_held, is_idle, is_valid)


def _approach(cost: Cost, start: Start) -> np.ndarray:
    """Go to the minimum by steps of the expected curvature, shortened until each is a gain."""
    values, damping = start.values, 1e-3
    best = cost.value(values)
    for _ in range(40):
        slope, curvature = cost.gradient(values), 2 * cost.fisher(values)
        is_held, is_idle = _standing(cost, values, start)
        free = np.flatnonzero(~(start.is_fixed | is_held | is_idle))
        matrix = curvature[np.ix_(free, free)]
        size = np.sqrt(np.diag(matrix))
        scaled = matrix / np.outer(size, size) + damping * np.eye(len(free))
        step = np.zeros(len(values))
        step[free] = -np.linalg.solve(scaled, slope[free] / size) / size
        tried = np.clip(values + step, start.low, start.high)
        gain = best - cost.value(tried)
        if gain > 0:
            values, best, damping = tried, best - gain, max(damping / 10, 1e-9)
        else:
            damping *= 10
        if 0 <= gain < 1e-5 or damping > 1e6:
            break
    return values


def _descend(cost: Cost, values: np.ndarray, start: Start, is_out: np.ndarray) -> tuple[np.ndarray, bool]:
    """Let iminuit find the minimum in what is neither fixed nor out; gives where, and whether it is one."""
    from iminuit import Minuit

    is_fixed = start.is_fixed | is_out
    if is_fixed.all():
        return values, True
    minuit = Minuit(cost.value, values, grad=cost.gradient, name=cost.model.names)
    minuit.errordef, minuit.strategy, minuit.tol = Minuit.LEAST_SQUARES, 0, 0.01
    minuit.limits = list(zip(start.low, start.high, strict=True))
    known = np.diag(cost.fisher(values))
    minuit.errors = np.where(is_fixed, 1.0, 1 / np.sqrt(np.maximum(known, 1e-300)))
    minuit.fixed = is_fixed
    minuit.migrad(ncall=_N_CALLS)
    return np.array(minuit.values), bool(minuit.valid)


def _standing(cost: Cost, values: np.ndarray, start: Start) -> tuple[np.ndarray, np.ndarray]:
    """Say which parameters stand at a limit and are pushed there, and which make no difference; (k,) each."""
    slope, known = cost.gradient(values), np.diag(cost.fisher(values))
    width = start.high - start.low
    span = np.where(np.isfinite(width), width, np.maximum(np.abs(values), 1.0))
    is_idle = known * span**2 < _IDLE
    near = np.maximum(_AT_LIMIT / np.sqrt(np.where(is_idle, np.inf, known)), _NO_COUNTS / cost.reach(values))
    is_low = (values - start.low <= near) & (slope > 0)
    is_high = (start.high - values <= near) & (slope < 0)
    return (is_low | is_high) & ~is_idle & ~start.is_fixed, is_idle & ~start.is_fixed


def _nearest_limit(values: np.ndarray, start: Start) -> np.ndarray:
    return np.where(values - start.low < start.high - values, start.low, start.high)


def covariance(cost: Cost, at: Minimum, is_fixed: np.ndarray) -> tuple[np.ndarray, bool]:
    """Give the covariance of all parameters, (k, k), and whether the curvature is that of a minimum.

    Rows of what is fixed or makes no difference are 0. Parameters at a limit count as if the likelihood went
    on beyond it, so that the errors of the others are not too small. The curvature is the change of the
    derivatives over a hundredth of an error; where it is not that of a minimum, the one expected on average
    stands in.
    """
    fisher = cost.fisher(at.values)
    is_idle = at.is_idle | (np.diag(fisher) <= 0)  # the last steps may have made one idle
    free = np.flatnonzero(~(is_fixed | is_idle))
    whole = np.zeros((len(at.values), len(at.values)))
    if not len(free):
        return whole, True
    fisher = fisher[np.ix_(free, free)]
    scale = 1 / np.sqrt(np.diag(fisher))
    seen = np.array(
        [_change(cost, at.values, int(i), _AT_LIMIT * by)[free] for i, by in zip(free, scale, strict=True)]
    )
    # At a limit the curvature need not be that of a minimum: the one expected on average then is as good.
    for matrix, is_known in ((0.5 * (seen + seen.T), True), (fisher, bool(at.is_held.any()))):
        scaled = matrix * np.outer(scale, scale)
        if np.isfinite(scaled).all() and np.linalg.eigvalsh(scaled)[0] > 1e-9:
            whole[np.ix_(free, free)] = np.linalg.inv(scaled) * np.outer(scale, scale)
            return whole, is_known
    whole[np.ix_(free, free)] = np.nan
    return whole, False


def _change(cost: Cost, values: np.ndarray, i: int, step: float) -> np.ndarray:
    """Give half of the second derivatives of the likelihood ratio by parameter i and each other, (k,)."""
    ends = [values.copy(), values.copy()]
    ends[0][i] -= step
    ends[1][i] += step
    return (cost.gradient(ends[1]) - cost.gradient(ends[0])) / (4 * step)


def profile_intervals(
    cost: Cost, start: Start, names: Sequence[str], errors: Sequence[float]
) -> list[tuple[float, float]]:
    """Give between which values of each of some parameters the likelihood ratio grows by less than 1.

    The others are at their best for each value. start: the minimum and the limits; an end that would lie
    beyond a limit is that limit. errors: of the parameters, about. NaN where there is no end, for what is
    fixed, and where a better minimum turned up on the way.
    """
    ends = []
    for name, error in zip(names, errors, strict=True):
        i = cost.model.names.index(name)
        if start.is_fixed[i] or not error > 0:
            ends.append((float("nan"), float("nan")))
        else:
            ends.append((_profile_end(cost, start, i, -error), _profile_end(cost, start, i, error)))
    return ends


def _profile_end(cost: Cost, start: Start, i: int, step: float) -> float:
    """Find where the profile has grown by 1, by secants of its root, which is nearly straight."""
    best, limit = cost.value(start.values), float(start.high[i] if step > 0 else start.low[i])
    own = np.arange(len(start.values)) == i
    inner, outer = float(start.values[i]), math.inf if step > 0 else -math.inf
    root_inner, values = 0.0, start.values
    x = inner + step
    for _ in range(_N_SECANTS):
        x = min(x, limit) if step > 0 else max(x, limit)
        held = replace(start, values=np.where(own, x, values), is_fixed=start.is_fixed | own)
        values = _approach(cost, held)
        grown = cost.value(values) - best
        if grown < -_LOWER or not math.isfinite(grown):
            return math.nan
        if abs(grown - 1) < _ENOUGH or (x == limit and grown < 1):
            return x
        root = math.sqrt(max(grown, 0.0))
        if root > 1:
            outer, x = x, x + (inner - x) * (root - 1) / max(root - root_inner, 1e-9)
        else:
            gained = max(root - root_inner, 1e-9)
            reach = min((1 - root) * abs(x - inner) / gained, 2 * abs(step))
            inner, root_inner = x, root
            x += math.copysign(max(reach, 0.01 * abs(step)), step)
        if math.isfinite(outer) and not min(inner, outer) < x < max(inner, outer):
            x = 0.5 * (inner + outer)
    return x
