"""Says whether the errors of a fit can be trusted, and gives those that need not be symmetrical.

The error of a parameter comes from the curvature of the likelihood at its top. That holds where the
likelihood is a parabola as far as one error, so each fit is looked at there: one step of an error to both
sides, the others moved along as their correlations say, must cost one unit. Where it does not, where a
parameter stands at a limit, or goes with one that does, the interval is taken from the likelihood itself.

What was found is said twice: as a code, for programs, and as a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pygama.analysis.likelihood import Cost, Minimum, Start, profile_intervals
from pygama.quick_dataclass import dataclass
from pygama.utils import number_text

CODES = ("not_converged", "misfit", "at_limit", "prior", "no_interval", "asymmetric", "unknown", "moved")
"""What can be doubted, the gravest first."""
UNLIKELY = 1e-3
"""A p-value below this says that the model is not that of the counts."""
_NOT_ROUND = 0.1
"""So much may the cost of a step of one error differ from one unit."""
_GOES_WITH = 0.2
"""Correlation with a parameter at a limit from which on an interval is taken from the likelihood."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason not to take an error as it stands.

    code: one of `CODES`. about: names of parameters; empty: all of them.
    """

    code: str
    about: tuple[str, ...]
    words: str

    @property
    def is_about_peaks(self) -> bool:
        """Whether more than the background is doubtful, and it is not told by uneven errors alone."""
        return self.code != "asymmetric" and not (self.about and {*self.about} <= {"background", "slope"})


def is_round(cost: Cost, at: Minimum, spread: np.ndarray, start: Start, i: int) -> bool:
    """Say whether the likelihood of parameter `i` is a parabola as far as one error to both sides."""
    error = math.sqrt(max(spread[i, i], 0.0))
    if not error > 0:
        return True
    best = cost.value(at.values)
    for sign in (-1.0, 1.0):
        tried = at.values + sign * spread[:, i] / error
        if not start.low[i] < tried[i] < start.high[i]:
            return False
        if abs(cost.value(np.clip(tried, start.low, start.high)) - best - 1) > _NOT_ROUND:
            return False
    return True


def doubtful(cost: Cost, at: Minimum, spread: np.ndarray, start: Start) -> list[int]:
    """Choose the parameters whose interval must come from the likelihood itself."""
    known = np.sqrt(np.maximum(np.diag(spread), 1e-300))
    correlation = np.abs(spread / np.outer(known, known))
    goes_with = correlation[:, at.is_held].max(axis=1, initial=0.0) > _GOES_WITH
    free = np.flatnonzero(~(start.is_fixed | at.is_idle))
    return [
        int(i) for i in free if at.is_held[i] or goes_with[i] or not is_round(cost, at, spread, start, int(i))
    ]


def intervals(
    cost: Cost, at: Minimum, start: Start, which: Sequence[int], spread: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Give errors downwards and upwards of some parameters, name -> (down, up); NaN where there is no end.

    start: the limits. spread: (k, k) covariance, to begin with.
    """
    here = Start(at.values, start.low, start.high, start.is_fixed | at.is_idle)
    names = [cost.model.names[i] for i in which]
    errors = [math.sqrt(max(spread[i, i], 0.0)) for i in which]
    ends = profile_intervals(cost, here, names, errors)
    values = [float(at.values[i]) for i in which]
    return {
        name: (max(value - low, 0.0), max(high - value, 0.0))
        for name, value, (low, high) in zip(names, values, ends, strict=True)
    }


def doubts_of(
    names: Sequence[str],
    at: Minimum,
    errors: Mapping[str, tuple[float, float]],
    priors: Mapping[str, tuple[float, float]],
    p_value: float,
) -> tuple[Doubt, ...]:
    """Say what is doubtful about a fit that converged.

    errors: of those parameters whose interval came from the likelihood. priors: what was taken as known.
    """
    return tuple(_doubts(names, at, errors, priors, p_value))


def _doubts(
    names: Sequence[str],
    at: Minimum,
    errors: Mapping[str, tuple[float, float]],
    priors: Mapping[str, tuple[float, float]],
    p_value: float,
) -> Iterator[Doubt]:
    if p_value < UNLIKELY:
        yield Doubt(
            "misfit",
            (),
            f"counts like these are unlikely for this model (p {p_value:.1g}): no error is to be trusted, "
            "choose another shape, background or window, or more peaks",
        )
    held = tuple(name for name, is_held in zip(names, at.is_held, strict=True) if is_held)
    if held:
        yield Doubt(
            "at_limit", held, f"{_and(held)} {_stand(held)} at a limit: the interval has one side only"
        )
    if priors:
        known = ", ".join(
            f"{name} {number_text(value, 3)} ± {number_text(error, 2)}"
            for name, (value, error) in priors.items()
        )
        yield Doubt("prior", tuple(priors), f"taken as known beforehand: {known}")
    lost = tuple(name for name, each in errors.items() if not all(map(math.isfinite, each)))
    if lost:
        yield Doubt("no_interval", lost, f"no interval was found for {_and(lost)}: do not trust their errors")
    uneven = tuple(name for name in errors if name not in (*held, *lost))
    if uneven:
        yield Doubt(
            "asymmetric", uneven, f"errors of {_and(uneven)} differ upwards and downwards: take the intervals"
        )
    idle = tuple(name for name, is_idle in zip(names, at.is_idle, strict=True) if is_idle)
    if idle:
        yield Doubt("unknown", idle, f"the counts do not tell {_and(idle)}")


def _stand(names: Sequence[str]) -> str:
    return "stands" if len(names) == 1 else "stand"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def verdict(doubts: Sequence[Doubt]) -> str:
    """Say all doubts in a sentence."""
    return "; ".join(one.words for one in doubts) if doubts else "the errors hold"
