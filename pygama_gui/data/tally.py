"""Counts what each cut does, block by block, from what passes each of them by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

import numpy as np

from pygama.analysis.cuts import CutSet, as_range
from pygama.analysis.efficiency import (
    CutEfficiency,
    EfficiencyTable,
    PeakBands,
    Ratio,
    Survival,
    SurvivalCurve,
    curve_of_counts,
    ratio,
    survival_at,
)
from pygama.quick_dataclass import dataclass

MANY = 1000
SIDE_SHARE = 0.5
"""Width of each side band, as a share of that of the region."""


@dataclass(frozen=True)
class Peak:
    """A peak of a column, and the bands beside it. channel: code of the one that it is of; None: of all."""

    column: str
    bands: PeakBands
    channel: int | None = None


@dataclass(frozen=True)
class PeakSurvival:
    """What survives in a peak. by_cut: of each cut that is on, of what passed those before it.

    through: cuts that are on and have an edge in the peak or its bands, which then show no background.
    """

    peak: Peak
    by_cut: Mapping[str, Survival]
    by_all: Survival
    through: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class CurveCounts:
    """What passed the cuts before one, and what passes it as well, in bins of a column; edges: (n + 1,)."""

    column: str
    edges: np.ndarray
    n_in: np.ndarray
    n_out: np.ndarray

    @property
    def curve(self) -> SurvivalCurve:
        """The share in each bin with its interval."""
        return curve_of_counts(self.n_in, self.n_out, self.edges)


@dataclass(frozen=True)
class Figures:
    """What each cut does."""

    table: EfficiencyTable
    peaks: tuple[PeakSurvival, ...] = ()
    curves: Mapping[str, CurveCounts] = field(default_factory=lambda: MappingProxyType({}))
    """Of each cut that is on, of what passed those before it."""
    n_all: int = 0
    """Rows that there are, where they come block by block."""
    n_sampled: int = 0
    """Rows of a sample that this is of, while an edge is dragged; 0 where it is of all."""

    @property
    def is_whole(self) -> bool:
        """Whether all rows that there are were counted."""
        return self.table.total.n_in >= self.n_all


def peak_of_region(column: str, low: float, high: float) -> Peak | None:
    """Take a region as a peak with a band on each side; None where it has no width."""
    side = SIDE_SHARE * (high - low)
    if not (side > 0 and math.isfinite(side)):
        return None
    return Peak(column, PeakBands("region", (low, high), (low - side, low), (high, high + side)))


def share_of(n_out: int, n_in: int) -> Ratio:
    """Give the share with its interval of one standard deviation, quickly for very many counts.

    With `MANY` counts on both sides, it is the interval of Wilson with half a count to either side, which is
    that of Clopper and Pearson to a ten-thousandth of its width.
    """
    if min(n_out, n_in - n_out) < MANY:
        return ratio(n_out, n_in)
    low, high = (_wilson(n_out + sign * 0.5, n_in, sign) for sign in (-1.0, 1.0))
    return Ratio(n_in, n_out, low, high)


def _wilson(n_out: float, n_in: int, z: float) -> float:
    """Give the end of the interval of Wilson, z standard deviations away."""
    p = n_out / n_in
    spread = math.sqrt(p * (1 - p) / n_in + (z / (2 * n_in)) ** 2)
    return (p + z * z / (2 * n_in) + z * spread) / (1 + z * z / n_in)


def rows_near(values: np.ndarray, bands: PeakBands, at_once: int) -> np.ndarray:
    """Give the numbers of the rows in a peak or beside it, (n,) intp."""
    found = [np.empty(0, np.intp)]
    for start in range(0, len(values), at_once):
        block = values[start : start + at_once]
        found.append(np.flatnonzero((block >= bands.below[0]) & (block < bands.above[1])) + start)
    return np.concatenate(found)


def survivals(
    cuts: CutSet, values: np.ndarray, masks: Mapping[str, np.ndarray], bands: PeakBands
) -> tuple[Mapping[str, Survival], Survival]:
    """Give what survives each cut that is on of what passed those before it, and what survives all.

    values: (n,), masks: name -> (n,) bool.
    """
    left = np.ones(len(values), bool)
    found = {}
    for cut in cuts:
        if cut.enabled:
            found[cut.name] = survival_at(values[left], masks[cut.name][left], bands)
            left &= masks[cut.name]
    return found, survival_at(values, left, bands)


def cuts_through(cuts: CutSet, peak: Peak) -> frozenset[str]:
    """Name the ranges of the peak's own column, of the cuts that are on, that end in it or its bands."""
    low, high = peak.bands.below[0], peak.bands.above[1]
    found = [(cut.name, as_range(cut.expression)) for cut in cuts if cut.enabled]
    return frozenset(
        name
        for name, one in found
        if one is not None
        and one.column == peak.column
        and any(low < end < high for end in (one.low, one.high))
    )


class Tally:
    """Counts block by block what each cut does."""

    def __init__(self, cuts: CutSet) -> None:
        self._cuts = cuts
        self._alone = dict.fromkeys(cuts.names, 0)
        self._left = dict.fromkeys(cuts.names, 0)
        self._lost_alone = dict.fromkeys(cuts.names, 0)

    def add(self, masks: Mapping[str, np.ndarray]) -> None:
        """Add a block. masks: name -> (n,) bool, of each cut by itself."""
        if not masks:
            return
        left = np.ones(len(next(iter(masks.values()))), bool)
        failed_one, failed_more = ~left, ~left
        for cut in self._cuts:
            mask = masks[cut.name]
            self._alone[cut.name] += int(np.count_nonzero(mask))
            if cut.enabled:
                left &= mask
                self._left[cut.name] += int(np.count_nonzero(left))
                failed_more |= failed_one & ~mask
                failed_one |= ~mask
        failed_one &= ~failed_more
        for cut in self._cuts:
            by_it_alone = failed_one if cut.enabled else left
            self._lost_alone[cut.name] += int(np.count_nonzero(by_it_alone & ~masks[cut.name]))

    def table(self, n_nan: Mapping[str, int], n_rows: int) -> EfficiencyTable:
        """Give what was counted, of so many rows."""
        found, n_before = [], n_rows
        for cut in self._cuts:
            in_order = None
            if cut.enabled:
                in_order = share_of(self._left[cut.name], n_before)
                n_before = self._left[cut.name]
            alone = share_of(self._alone[cut.name], n_rows)
            lost = self._lost_alone[cut.name]
            found.append(CutEfficiency(cut.name, alone, in_order, lost, n_nan[cut.name]))
        return EfficiencyTable(tuple(found), share_of(n_before, n_rows))
