"""Counts what each cut does to a data set whose rows are too many to be held, block by block.

Every number is that which the rows in memory would give: what is counted adds up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pygama.analysis.counting import Columns, Wanted, count, empty_tables
from pygama.analysis.cuts import CutSet
from pygama.analysis.efficiency import Counts, Survival
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import part_of
from pygama_gui.data.linked import AT_ONCE, Axis, Rows, bins_of, n_of
from pygama_gui.data.tally import (
    CurveCounts,
    Figures,
    Peak,
    PeakSurvival,
    Tally,
    cuts_through,
    rows_near,
    survivals,
)


class Tallying:
    """Counts what each cut does, in all, in peaks and along a column, in one thread at a time.

    n_rows: that there are. axis: bins along which the survival is given too; None: nowhere.
    """

    def __init__(
        self, cuts: CutSet, n_rows: int, peaks: Sequence[Peak] = (), axis: Axis | None = None
    ) -> None:
        self._cuts, self._n_all, self._n_rows = cuts, n_rows, 0
        self._peaks = [_InPeak(cuts, peak) for peak in peaks]
        self._curves = None if axis is None else _Along(cuts, axis)
        self.columns = frozenset(cuts.columns).union(
            (one.column for one in peaks), (CODE,) if peaks else (), () if axis is None else (axis.column,)
        )
        self._tally = Tally(cuts)
        self._parts = {name: part_of(cuts, name)[1] for name in cuts.names}
        self._reads = {name: tuple(cuts.reads(name)) for name in cuts.names}
        self._n_nan = dict.fromkeys(cuts.names, 0)

    def add(self, rows: Rows) -> None:
        """Add a block."""
        self._n_rows += n_of(rows)
        masks = {name: part.mask(rows) for name, part in self._parts.items()}
        self._tally.add(masks)
        for name, reads in self._reads.items():
            unknown = [np.isnan(rows[one]) for one in reads if rows[one].dtype.kind == "f"]
            if unknown:
                self._n_nan[name] += int(np.count_nonzero(np.logical_or.reduce(unknown)))
        for peak in self._peaks:
            peak.add(rows, masks)
        if self._curves is not None:
            self._curves.add(rows, masks)

    def found(self, *, is_whole: bool = True) -> Figures | None:
        """Give what was counted so far, with the rows that it is of; None before the first of them."""
        if not (self._n_rows or is_whole):
            return None
        peaks = tuple(peak.found() for peak in self._peaks)
        curves = {} if self._curves is None else self._curves.found()
        return Figures(self._tally.table(self._n_nan, self._n_rows), peaks, curves, n_all=self._n_all)


class _InPeak:
    """What survives in a peak."""

    def __init__(self, cuts: CutSet, peak: Peak) -> None:
        self._cuts, self._peak = cuts, peak
        nothing = Survival(peak.bands, Counts(0, 0, 0), Counts(0, 0, 0))
        self._by_cut = {cut.name: nothing for cut in cuts if cut.enabled}
        self._by_all = nothing

    def add(self, rows: Rows, masks: Mapping[str, np.ndarray]) -> None:
        peak = self._peak
        near = rows_near(rows[peak.column], peak.bands, AT_ONCE)
        if peak.channel is not None and CODE in rows:
            near = near[rows[CODE][near] == peak.channel]
        its = {name: mask[near] for name, mask in masks.items()}
        by_cut, by_all = survivals(self._cuts, rows[peak.column][near], its, peak.bands)
        self._by_cut = {name: _sum(one, by_cut[name]) for name, one in self._by_cut.items()}
        self._by_all = _sum(self._by_all, by_all)

    def found(self) -> PeakSurvival:
        through = cuts_through(self._cuts, self._peak)
        return PeakSurvival(self._peak, dict(self._by_cut), self._by_all, through)


class _Along:
    """What passes the cuts one after the other, in bins of a column."""

    def __init__(self, cuts: CutSet, axis: Axis) -> None:
        self._axis, self._names = axis, [cut.name for cut in cuts if cut.enabled]
        self._wanted = Wanted(bins_of(axis))
        self._tables = empty_tables([self._wanted] * (len(self._names) + 1))

    def add(self, rows: Rows, masks: Mapping[str, np.ndarray]) -> None:
        columns, left = Columns({self._axis.column: rows[self._axis.column]}), np.ones(n_of(rows), bool)
        count(columns, [self._wanted], self._tables[:1])
        for at, name in enumerate(self._names, 1):
            left &= masks[name]
            count(columns, [self._wanted], self._tables[at : at + 1], mask=left)

    def found(self) -> dict[str, CurveCounts]:
        counts = [table[: self._axis.n_bins].astype(np.int64) for table in self._tables]
        return {
            name: CurveCounts(self._axis.column, self._axis.edges, before, after)
            for name, before, after in zip(self._names, counts, counts[1:], strict=False)
        }


def _sum(one: Survival, other: Survival) -> Survival:
    pairs = ((one.kept, other.kept), (one.lost, other.lost))
    sums = (Counts(a.window + b.window, a.below + b.below, a.above + b.above) for a, b in pairs)
    return Survival(one.bands, *sums)
