"""Sorts events into slices of time, and takes rates, medians and scatters of each, with errors.

Every value of a slice has its own error: of counts after Poisson, of medians from the spread within it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from pygama.analysis.groups import Groups
from pygama.quick_dataclass import dataclass

WIDTHS = (
    *(base * 10.0**power for power in range(-3, 1) for base in (1, 2, 5)),
    *(10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0),
    *(3600.0, 7200.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0, 604_800.0),
)
"""Widths of slices that a person can read off an axis, in s."""
N_SLICES, EVENTS_IN_SLICE = 60, 40
"""Slices that are aimed at, and events that each should have."""
MOST_SLICES = 2000
LEAST_EVENTS = 5
"""Events that a median is taken of."""
LEAST_EXPOSURE = 0.5
"""Share of a slice that the run must have covered."""
LEAST_SLICES = 6
"""Slices that it takes to tell whether something moved."""
N_FOR_LATENESS = 100_000
"""Newest hits by which it is seen how late hits come, at most."""
MOST_LATE_S = 60.0
MAD_TO_SIGMA = 1.4826
MEDIAN_ERROR = math.sqrt(math.pi / 2)
"""Error of the median of n normal values, in standard deviations, times √n."""
SCATTER_ERROR = 1.167
"""Error of a standard deviation that a median absolute deviation gives, relative, times √n."""
ONE_EACH = "one event of each channel does not tell how it scatters"
KINDS = ("rate", "baseline", "noise", "position", "width", "column")


@dataclass(frozen=True)
class Series:
    """One quantity in slices. times: middles, s; values, errors: one standard deviation, NaN where unknown.

    kind: one of KINDS. half_widths: of the slices, s. scatter: of single events within each slice, where
    it is drawn. spread: that of all slices in the middle, NaN where it is not known.
    """

    kind: str
    name: str
    unit: str
    times: np.ndarray
    half_widths: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    scatter: np.ndarray | None = None
    spread: float = math.nan
    note: str = ""
    """Why there are no values, where there are none."""

    @property
    def is_known(self) -> np.ndarray:
        """(n,) bool: where there is a value."""
        return np.isfinite(self.values)


def suitable_width(duration: float, n_events: int) -> float:
    """Choose the width of slices, s: about 60 of them, fewer where each would have too few events."""
    wanted = duration / n_of_slices(n_events) if duration > 0 else 1.0
    return next((width for width in WIDTHS if width >= 0.999 * wanted), WIDTHS[-1])


def n_of_slices(n_events: int) -> int:
    """Choose how many slices are aimed at."""
    return min(N_SLICES, max(n_events // EVENTS_IN_SLICE, LEAST_SLICES))


def next_width(width: float, by: int, duration: float) -> float:
    """Give the next wider (by = 1) or narrower (-1) width that makes 2 to 2000 slices."""
    allowed = [one for one in WIDTHS if 2 <= duration / one <= MOST_SLICES] or [width]
    beyond = [one for one in allowed if (one > 1.001 * width if by > 0 else one < 0.999 * width)]
    if not beyond:
        return min(allowed, key=lambda one: abs(one - width))
    return min(beyond) if by > 0 else max(beyond)


def lateness(times: np.ndarray) -> float:
    """Give by how much the latest of the newest hits came behind others, s. times: (n,) s, as they came.

    Cards are read out by turns, so hits come behind later ones of other channels: of so many of the newest
    seconds of a run that grows some hits are still to come. Times that are wild count for a minute.
    """
    newest = times[-N_FOR_LATENESS:]
    newest = newest[np.isfinite(newest)]
    if not len(newest):
        return 0.0
    return min(float((np.maximum.accumulate(newest) - newest).max()), MOST_LATE_S)


class Slices:
    """Rows sorted into slices of equal width.

    times: (n,) s, in any order; rows without a time are left out. span: first and last time of the run.
    """

    def __init__(
        self, times: np.ndarray, width: float, span: tuple[float, float], *, is_growing: bool = False
    ) -> None:
        first, last = math.floor(span[0] / width), math.floor(span[1] / width)
        n = max(last - first + (0 if is_growing else 1), 0)
        self.edges = (first + np.arange(n + 1)) * width
        places = np.floor(times / width) - first
        inside = np.flatnonzero((places >= 0) & (places < n))
        found = places[inside].astype(np.int32 if n > 30_000 else np.int16)
        self._order = inside[np.argsort(found, kind="stable")]
        self.counts = np.bincount(found, minlength=n)[:n]
        self._ends = np.cumsum(self.counts)
        low, high = np.maximum(self.edges[:-1], span[0]), np.minimum(self.edges[1:], span[1])
        self.exposure = np.maximum(high - low, 0.0)
        """Time of each slice that the run covered, s."""
        self.is_covered = self.exposure >= LEAST_EXPOSURE * width

    @property
    def times(self) -> np.ndarray:
        """Middles of the slices, s."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    def groups(self, values: np.ndarray, join: int = 1) -> list[np.ndarray]:
        """Give the values of each slice, or of so many neighbouring slices together."""
        ends = self._ends[join - 1 :: join] if join > 1 else self._ends
        if join > 1 and len(self._ends) % join:
            ends = np.append(ends, self._ends[-1])
        return np.split(values[self._order], ends[:-1]) if len(ends) else []

    def joined_edges(self, join: int) -> tuple[np.ndarray, np.ndarray]:
        """Give middles and half widths of so many neighbouring slices together."""
        starts = self.edges[:-1][::join]
        stops = np.append(self.edges[join::join], self.edges[-1])[: len(starts)]
        return (starts + stops) / 2, (stops - starts) / 2


def median_and_scatter(values: np.ndarray) -> tuple[float, float]:
    """Give the median of finite values and their robust standard deviation; NaN without any."""
    known = values[np.isfinite(values)]
    if not len(known):
        return math.nan, math.nan
    middle = _median(known)
    return middle, MAD_TO_SIGMA * _median(np.abs(known - middle))


def _median(values: np.ndarray) -> float:
    """Give the median of finite values, as NumPy does in far more time; they are put in another order."""
    middle, is_odd = divmod(len(values), 2)
    values.partition(middle)
    above = float(values[middle])
    return above if is_odd else (float(values[:middle].max()) + above) / 2


def error_of_median(errors: np.ndarray) -> float:
    """Give the error of a median of values with such errors, as for normal values; NaN without any.

    The median of many values knows less than their mean, by a factor of √(π/2); within 3 % for any number.
    """
    known = errors[np.isfinite(errors)]
    if not len(known):
        return math.nan
    n_odd = len(known) | 1
    share = max(math.pi / (2 * n_odd + math.pi - 2), 1 / len(known))
    return float(np.median(known)) * math.sqrt(share)


# Series


def rate_of(slices: Slices) -> Series:
    """Count events a second; the error is √n, of one count where there is none."""
    ok = slices.is_covered
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(ok, slices.counts / slices.exposure, np.nan)
        errors = np.where(ok, np.sqrt(np.maximum(slices.counts, 1)) / slices.exposure, np.nan)
    return _series(slices, "rate", "rate", "Hz", values, errors)


def median_of(slices: Slices, values: np.ndarray, kind: str, name: str, unit: str) -> Series:
    """Take the median of a column in each slice."""
    found = [_median_with_error(group) for group in slices.groups(np.asarray(values, np.float64))]
    middles, errors, scatter = np.array(found, np.float64).reshape(-1, 3).T
    return _with_scatter(_series(slices, kind, name, unit, middles, errors), scatter)


def _with_scatter(series: Series, scatter: np.ndarray) -> Series:
    known = scatter[np.isfinite(scatter)]
    spread = float(np.median(known)) if len(known) else math.nan
    return replace(series, scatter=scatter if series.kind == "column" else None, spread=spread)


def known_scatter(scatter: float | np.ndarray) -> np.ndarray:
    """Give scatters, NaN in place of 0: one event of each channel does not tell how it scatters."""
    return np.where(np.asarray(scatter) > 0, scatter, np.nan)


def scatter_of(slices: Slices, values: np.ndarray, name: str, unit: str) -> Series:
    """Take the scatter of a column from event to event in each slice, as a robust standard deviation."""
    scatters, errors = [], []
    for group in slices.groups(np.asarray(values, np.float64)):
        n = int(np.isfinite(group).sum())
        scatter = median_and_scatter(group)[1] if n >= 2 * LEAST_EVENTS else math.nan
        scatters.append(scatter)
        errors.append(scatter * SCATTER_ERROR / math.sqrt(max(n, 1)))
    return _of_scatters(slices, name, unit, np.array(scatters), np.array(errors))


class MiddlesOf(Protocol):
    """Medians of groups, and the medians of the distances from them: (n_groups,) each, NaN without any."""

    n: np.ndarray
    medians: np.ndarray
    deviations: np.ndarray

    def std(self, group: int) -> float:
        """Give the standard deviation of a group."""


class Middles:
    """Medians of values that are sorted already, by slice; chosen: (n_rows,) bool, the rows that count."""

    def __init__(self, groups: Groups, chosen: np.ndarray) -> None:
        self._groups, self._chosen = groups, chosen
        self.n, self.medians, self.deviations = groups.middles(chosen)

    def std(self, group: int) -> float:
        """Give the standard deviation of the chosen values of a slice."""
        return float(self._groups.values_of(group, self._chosen).std())


def quick_median_of(slices: Slices, middles: MiddlesOf, kind: str, name: str, unit: str) -> Series:
    """Give what `median_of` gives, of values that are sorted or counted already."""
    is_enough = middles.n >= LEAST_EVENTS
    scatter = np.where(is_enough, MAD_TO_SIGMA * middles.deviations, np.nan)
    spread = scatter.copy()
    for group in np.flatnonzero(is_enough & (scatter == 0.0)).tolist():
        spread[group] = middles.std(group)
    errors = MEDIAN_ERROR * spread / np.sqrt(np.maximum(middles.n, 1))
    series = _series(slices, kind, name, unit, np.where(is_enough, middles.medians, np.nan), errors)
    return _with_scatter(series, scatter)


def quick_scatter_of(slices: Slices, middles: MiddlesOf, name: str, unit: str) -> Series:
    """Give what `scatter_of` gives, of values that are sorted or counted already."""
    scatter = np.where(middles.n >= 2 * LEAST_EVENTS, MAD_TO_SIGMA * middles.deviations, np.nan)
    errors = scatter * SCATTER_ERROR / np.sqrt(np.maximum(middles.n, 1))
    return _of_scatters(slices, name, unit, scatter, errors)


def _of_scatters(slices: Slices, name: str, unit: str, scatters: np.ndarray, errors: np.ndarray) -> Series:
    values = known_scatter(scatters)
    series = _series(slices, "noise", name, unit, values, np.where(np.isnan(values), np.nan, errors))
    return replace(series, note=ONE_EACH) if (scatters == 0).any() and series.note else series


def _median_with_error(group: np.ndarray) -> tuple[float, float, float]:
    known = group[np.isfinite(group)]
    if len(known) < LEAST_EVENTS:
        return math.nan, math.nan, math.nan
    middle, scatter = median_and_scatter(known)
    spread = scatter or float(known.std())
    return middle, MEDIAN_ERROR * spread / math.sqrt(len(known)), scatter


def _series(
    slices: Slices, kind: str, name: str, unit: str, values: np.ndarray, errors: np.ndarray
) -> Series:
    half = np.full(len(values), 0.5 * (slices.edges[1] - slices.edges[0]) if len(values) else 0.0)
    note = "" if np.isfinite(values).any() else "too few events in every slice"
    return Series(kind, name, unit, slices.times, half, values, errors, note=note)
