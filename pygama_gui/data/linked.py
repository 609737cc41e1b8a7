"""Counts what the views show: histograms of a column or of two, of all rows or of those that pass the cuts.

A view says what it wants counted and draws what comes back; who counts, when and in which thread is no
matter of views. Counts that are there are kept: only the rows that came since are added to them, and where a
cut was moved, only the rows that pass now and did not before, or the other way round, are counted again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from pygama.analysis.counting import Axis as Bins
from pygama.analysis.counting import Columns, Wanted, count, count_rows, empty_tables
from pygama.analysis.cuts import CutSet
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import Part, Passing, applicable, joined, part_of
from pygama_gui.data.dragged import Dragged, Indexes
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

PASSING, ALL, FAILING = "passing", "all", "failing"
"""Rows that pass every cut that is on, all rows, and those that any such cut takes away."""
MOST_HELD = 200
"""Histograms that are kept, at most."""
MOST_OF_ONE, MOST_OF_PLANE = 12, 3
"""Counts of one histogram that are kept, of one column or two, each under another state of the cuts."""
MOST_PEAKS = 16
"""Peaks whose rows are kept."""
N_ALONG = 60
"""Bins along which survival is given."""
N_LOOKED_AT = 20_000
MOST_TABLES, MOST_STATES, MOST_PRODUCTS, MOST_PARTS = 4, 4, 2, 12
"""Tables that histograms are kept of; masks of cuts joined, of those that stay, and of cuts by themselves."""
AT_ONCE = 1 << 18
"""Rows that are counted before the window may get its turn."""
WORTH_WHILE = 0.4
"""Share of changed rows above which all are counted anew."""

Rows = Mapping[str, np.ndarray]
"""Columns of one run as they stand now: name -> (n_rows,)."""


class Cuts(Protocol):
    """What tells which rows pass; equal ones let the same rows pass."""

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that are read."""

    def mask(self, columns: Rows) -> np.ndarray:
        """Tell which rows pass, (n_rows,) bool."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Axis:
    """Equal bins of a column: bin i holds edges[i] <= value < edges[i + 1]."""

    column: str
    low: float
    high: float
    n_bins: int

    @property
    def edges(self) -> np.ndarray:
        """(n_bins + 1,) in the column's unit."""
        return np.linspace(self.low, self.high, self.n_bins + 1)


@dataclass(frozen=True)
class Want:
    """A histogram to be counted, of one column or of two against each other.

    channel: only rows of this channel; None: of all. rows: PASSING, ALL or FAILING.
    """

    x: Axis
    y: Axis | None = None
    channel: int | None = None
    rows: str = PASSING

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that are counted."""
        return frozenset({self.x.column} if self.y is None else {self.x.column, self.y.column})


@dataclass(frozen=True)
class Counts:
    """counts: (n_x,) or (n_x, n_y) int64. n_rows: rows that were looked at; n_chosen: those of them that the
    channel and the cuts left, whether or not their values lie inside the axes. n_sampled: rows of a sample
    by which all of this is estimated; 0 where rows were counted.
    """

    want: Want
    counts: np.ndarray
    n_rows: int = 0
    n_chosen: int = 0
    n_sampled: int = 0

    def as_estimate(self, n_rows: int) -> Counts:
        """Take the rows that were counted for a sample of `n_rows`."""
        scale = n_rows / max(self.n_rows, 1)
        counts = np.rint(self.counts * scale).astype(np.int64)
        return replace(
            self, counts=counts, n_rows=n_rows, n_chosen=round(self.n_chosen * scale), n_sampled=self.n_rows
        )


@dataclass(frozen=True)
class _Held:
    """Counts under a state of the cuts."""

    counts: Counts
    cuts: Cuts | None


@dataclass(frozen=True)
class _Change:
    """Rows that a change of the cuts lets pass, and those that it takes away. of: table, cuts and rows."""

    of: tuple[Hashable, Cuts | None, Cuts | None, int]
    entering: np.ndarray
    leaving: np.ndarray

    def __len__(self) -> int:
        return len(self.entering) + len(self.leaving)


class Counter:
    """Counts histograms of growing tables; to be used in one thread at a time.

    indexes: of columns whose ranges are dragged; other counters may share them.
    """

    def __init__(self, indexes: Indexes | None = None) -> None:
        self._held: OrderedDict[tuple[Hashable, Want], list[_Held]] = OrderedDict()
        self._products: OrderedDict[tuple[Hashable, frozenset[Hashable]], np.ndarray] = OrderedDict()
        self._masks: OrderedDict[tuple[Hashable, Cuts], np.ndarray] = OrderedDict()
        self._parts: OrderedDict[tuple[Hashable, Hashable], np.ndarray] = OrderedDict()
        self._n_nan: OrderedDict[tuple[Hashable, frozenset[str]], tuple[int, int]] = OrderedDict()
        self.dragged = Dragged(indexes or Indexes())
        self._near: OrderedDict[tuple[Hashable, Peak, int], np.ndarray] = OrderedDict()
        self._along: dict[tuple[Hashable, str], tuple[int, Axis]] = {}
        self._changes: list[_Change] = []

    def count(
        self, table: Hashable, rows: Rows, cuts: Cuts | None, wants: Sequence[Want]
    ) -> list[Counts | None]:
        """Count what is wanted of a table; None where it lacks a column.

        table: stands for the table; the rows of one that was counted before are those of then and new ones.
        """
        found = [
            self._counted(table, rows, cuts, want) if want.columns <= rows.keys() else None for want in wants
        ]
        self._forget_old()
        return found

    def mask(self, table: Hashable, rows: Rows, cuts: Cuts) -> np.ndarray:
        """Tell which rows pass, (n_rows,) bool."""
        return self._mask(table, rows, cuts)[: n_of(rows)]

    def figures(
        self, table: Hashable, rows: Rows, cuts: CutSet, peaks: Sequence[Peak] = (), along: str = ""
    ) -> Figures:
        """Say what each cut does that these rows have the columns for, and what survives in peaks.

        along: a column along which the survival is given too; empty: none.
        """
        known, _ = applicable(cuts, rows)
        masks = {name: self._part(table, rows, *part_of(known, name)) for name in known.names}
        tally = Tally(known)
        for start in range(0, n_of(rows), AT_ONCE):
            tally.add({name: mask[start : start + AT_ONCE] for name, mask in masks.items()})
        n_nan = {name: self._n_nan_of(table, rows, frozenset(known.reads(name))) for name in known.names}
        survived = [self._survival(table, rows, known, masks, one) for one in peaks if one.column in rows]
        curves = self._curves(table, rows, known, along) if along in rows else {}
        self._forget_old()
        return Figures(tally.table(n_nan, n_of(rows)), tuple(survived), curves)

    def _survival(
        self, table: Hashable, rows: Rows, cuts: CutSet, masks: Mapping[str, np.ndarray], peak: Peak
    ) -> PeakSurvival:
        near = self._rows_near(table, rows, peak)
        values = rows[peak.column][near]
        found = survivals(cuts, values, {name: mask[near] for name, mask in masks.items()}, peak.bands)
        return PeakSurvival(peak, *found, through=cuts_through(cuts, peak))

    def _rows_near(self, table: Hashable, rows: Rows, peak: Peak) -> np.ndarray:
        key = (table, peak, n_of(rows))
        held = self._near.pop(key, None)
        if held is None:
            held = rows_near(rows[peak.column], peak.bands, AT_ONCE)
            if peak.channel is not None and CODE in rows:
                held = held[rows[CODE][held] == peak.channel]
        self._near[key] = held
        while len(self._near) > MOST_PEAKS:
            self._near.popitem(last=False)
        return held

    def _curves(self, table: Hashable, rows: Rows, cuts: CutSet, along: str) -> dict[str, CurveCounts]:
        """Give what passes the cuts one after the other, in bins of a column."""
        axis = self._axis_along(table, rows, along)
        before, curves = self._after(table, rows, cuts, 0, axis), {}
        for n, cut in enumerate(cuts, 1):
            if cut.enabled:
                after = self._after(table, rows, cuts, n, axis)
                curves[cut.name] = CurveCounts(along, axis.edges, before.counts, after.counts)
                before = after
        return curves

    def _after(self, table: Hashable, rows: Rows, cuts: CutSet, n: int, axis: Axis) -> Counts:
        """Count what passes the first n cuts."""
        first = tuple(replace(cut, enabled=cut.enabled and at < n) for at, cut in enumerate(cuts))
        return self._counted(table, rows, joined(first), Want(axis))

    def _axis_along(self, table: Hashable, rows: Rows, along: str) -> Axis:
        """Choose bins that hold nearly all values; they stay as they are until there are twice as many."""
        held = self._along.get((table, along))
        if held is None or n_of(rows) >= 2 * held[0] or n_of(rows) < held[0]:
            held = (n_of(rows), axis_along(along, rows[along]))
            self._along = {(table, along): held}
        return held[1]

    def _n_nan_of(self, table: Hashable, rows: Rows, names: frozenset[str]) -> int:
        """Count the rows where one of the columns is NaN."""
        names = frozenset(name for name in names if rows[name].dtype.kind == "f")
        if not names:
            return 0
        n_seen, n_nan = self._n_nan.pop((table, names), (0, 0))
        for start in range(n_seen, n_of(rows), AT_ONCE):
            parts = [np.isnan(rows[name][start : start + AT_ONCE]) for name in names]
            n_nan += int(np.count_nonzero(np.logical_or.reduce(parts)))
        self._n_nan[table, names] = (n_of(rows), n_nan)
        return n_nan

    def _mask(self, table: Hashable, rows: Rows, cuts: Cuts) -> np.ndarray:
        held, n_rows = self._masks.pop((table, cuts), None), n_of(rows)
        if held is None or len(held) < n_rows:
            if isinstance(cuts, Passing):
                held = self._joined(table, rows, cuts)
            else:
                held = _extended(held, rows, cuts.mask)
        self._masks[table, cuts] = held
        return held

    def _joined(self, table: Hashable, rows: Rows, cuts: Passing) -> np.ndarray:
        """Join the cuts; those that stayed as they were are not evaluated again."""
        return self._product(table, rows, cuts.parts(rows))

    def _product(self, table: Hashable, rows: Rows, parts: Mapping[Hashable, Part]) -> np.ndarray:
        """Give what passes all of some cuts; never to be written to."""
        masks = [self._part(table, rows, key, part) for key, part in parts.items()]
        if len(masks) < 2:
            return masks[0] if masks else np.ones(n_of(rows), bool)
        passing = masks[0] & masks[1]
        for mask in masks[2:]:
            passing &= mask
        return passing

    def _others(self, table: Hashable, rows: Rows, parts: Mapping[Hashable, Part]) -> np.ndarray | None:
        """Give what passes the cuts that stay while one is dragged; None where there are none."""
        if not parts:
            return None
        key = (table, frozenset(parts))
        held = self._products.pop(key, None)
        if held is None or len(held) != n_of(rows):
            held = self._product(table, rows, parts)
        self._products[key] = held
        while len(self._products) > MOST_PRODUCTS:
            self._products.popitem(last=False)
        return held

    def _part(self, table: Hashable, rows: Rows, key: Hashable, part: Part) -> np.ndarray:
        held, n_rows = self._parts.pop((table, key), None), n_of(rows)
        shape = part.shape(rows)
        if held is None and shape is not None:
            held = self.dragged.mask(table, shape, rows, n_rows)
        held = _extended(held, rows, part.mask)
        if shape is not None:
            self.dragged.keep(table, shape, held)
        self._parts[table, key] = held
        return held[:n_rows]

    def _counted(self, table: Hashable, rows: Rows, cuts: Cuts | None, want: Want) -> Counts:
        cuts = None if want.rows == ALL else cuts
        states = self._held.pop((table, want), [])
        held = _nearest(states, cuts)
        # What is there under other cuts stays, as with a cut beside without it; a moved cut takes its place.
        shape = _shape_of(cuts)
        others = [one for one in states if one is not held or _shape_of(one.cuts) != shape]
        if held is not None and held.cuts != cuts:
            held = self._moved(held, table, rows, cuts)
        counts = _nothing(want) if held is None else held.counts
        if counts.n_rows < n_of(rows):
            passing = None if cuts is None else self._mask(table, rows, cuts)
            new = _Rows(rows, want, slice(counts.n_rows, n_of(rows)), passing)
            counts = _added(counts, new, n_rows=n_of(rows))
        most = MOST_OF_ONE if want.y is None else MOST_OF_PLANE
        self._held[table, want] = [_Held(counts, cuts), *others][:most]
        return counts

    def _moved(self, held: _Held, table: Hashable, rows: Rows, cuts: Cuts | None) -> _Held | None:
        """Take away the rows that pass no longer and add those that do now; None where most change."""
        counts, want = held.counts, held.counts.want
        change = self._change(table, rows, held.cuts, cuts, counts.n_rows)
        if len(change) > WORTH_WHILE * counts.n_rows:
            return None
        entering, leaving = change.entering, change.leaving
        if want.rows == FAILING:
            entering, leaving = leaving, entering
        everything = replace(want, rows=ALL)
        counts = _added(counts, _Rows(rows, everything, entering))
        return replace(held, counts=_added(counts, _Rows(rows, everything, leaving, sign=-1)))

    def _change(
        self, table: Hashable, rows: Rows, before: Cuts | None, after: Cuts | None, n_rows: int
    ) -> _Change:
        """Find the rows, of the first `n_rows`, that a change of the cuts lets in or out."""
        of = (table, before, after, n_rows)
        for change in self._changes:
            if change.of == of:
                return change
        found = self._dragged_rows(table, rows, before, after) if n_rows == n_of(rows) else None
        if found is None:
            masks = [None if one is None else self._mask(table, rows, one) for one in (before, after)]
            found = _changed(masks[0], masks[1], n_rows)
        change = _Change(of, *found)
        self._changes = [change, *self._changes[: MOST_OF_ONE - 1]]
        return change

    def _dragged_rows(
        self, table: Hashable, rows: Rows, before: Cuts | None, after: Cuts | None
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Find them by the index of a column, where only one range or polygon was moved; else None."""
        if not (isinstance(before, Passing) and isinstance(after, Passing)):
            return None
        old, new = before.parts(rows), after.parts(rows)
        gone, come = old.keys() - new.keys(), new.keys() - old.keys()
        if len(gone) != 1 or len(come) != 1:
            return None
        was, now = (part.shape(rows) for part in (old[gone.pop()], new[next(iter(come))]))
        if was is None or now is None:
            return None
        pieces = self.dragged.pieces(table, was, now, n_of(rows))
        if pieces is None:
            return None
        others = self._others(table, rows, {key: part for key, part in new.items() if key not in come})
        return self.dragged.changed(was, now, rows, others, pieces)

    def _forget_old(self) -> None:
        """Keep a bounded number of histograms and masks, the newest."""
        tables: dict[int, Hashable] = {}
        for key in reversed(list(self._held)):
            tables[id(key[0])] = key[0]
            if len(tables) > MOST_TABLES:
                del self._held[key]
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        while len(self._masks) > MOST_STATES:
            self._masks.popitem(last=False)
        for kept in (self._parts, self._n_nan):
            while len(kept) > MOST_PARTS:
                kept.popitem(last=False)


@dataclass(frozen=True)
class _Rows:
    """Rows to be counted for a want: a stretch of them, or their numbers with signs. passing: of all rows."""

    rows: Rows
    want: Want
    which: slice | np.ndarray
    passing: np.ndarray | None = None
    sign: int = 1

    def add_to(self, counts: np.ndarray) -> int:
        """Add what lies inside the axes to counts, (n_x,) or (n_x, n_y); give how many rows were chosen."""
        x, y = self.want.x, self.want.y
        wanted = Wanted(bins_of(x), None if y is None else bins_of(y))
        tables = empty_tables([wanted])
        columns = Columns({name: self.rows[name] for name in self.want.columns})
        if isinstance(self.which, slice):
            chosen = self._chosen(self.which)
            mask = None
            if chosen is not None:
                mask = np.zeros(columns.n_rows, bool)
                mask[self.which] = chosen
            for start in range(self.which.start, self.which.stop, AT_ONCE):
                stop = min(start + AT_ONCE, self.which.stop)
                count(columns, [wanted], tables, start=start, stop=stop, mask=mask)
        else:
            chosen = self._chosen(self.which)
            which = (self.which if chosen is None else self.which[chosen]).astype(np.uint32)
            count_rows(columns, [wanted], tables, which, np.full(len(which), self.sign, np.int8))
        counts += tables[0][tuple(slice(n) for n in counts.shape)]
        return int(tables[0].sum())

    def _chosen(self, which: slice | np.ndarray) -> np.ndarray | None:
        """Tell which of some rows are counted; None: all."""
        chosen: np.ndarray | None = None
        if self.want.rows != ALL and self.passing is not None:
            chosen = self.passing[which] if self.want.rows == PASSING else ~self.passing[which]
        elif self.want.rows == FAILING:
            n = which.stop - which.start if isinstance(which, slice) else len(which)
            chosen = np.zeros(n, bool)
        if self.want.channel is not None and CODE in self.rows:
            of_channel = self.rows[CODE][which] == self.want.channel
            chosen = of_channel if chosen is None else chosen & of_channel
        return chosen


def axis_along(name: str, values: np.ndarray) -> Axis:
    """Choose bins along which survival is given, that hold nearly all of some values of a column."""
    some = np.asarray(values[:: max(len(values) // N_LOOKED_AT, 1)], np.float64)
    some = some[np.isfinite(some)]
    low, high = np.quantile(some, (0.001, 0.999)).tolist() if len(some) else (0.0, 1.0)
    low = 0.0 if 0 <= low < 0.2 * high else low
    return Axis(name, low, high if high > low else low + 1.0, N_ALONG)


def add_block(want: Want, counts: np.ndarray, rows: Rows, cuts: Cuts | None) -> int:
    """Add rows of a file to counts, (n_x,) or (n_x, n_y); give how many of them were chosen."""
    passing = None if cuts is None or want.rows == ALL else cuts.mask(rows)
    return _Rows(rows, want, slice(0, n_of(rows)), passing).add_to(counts)


def nothing_of(want: Want) -> np.ndarray:
    """Give counts of nothing, (n_x,) or (n_x, n_y)."""
    return _nothing(want).counts


def _nearest(states: Sequence[_Held], cuts: Cuts | None) -> _Held | None:
    """Give the state from which the fewest rows change, as far as can be told without looking at them."""
    shape = _shape_of(cuts)
    order = sorted(states, key=lambda one: (one.cuts != cuts, _shape_of(one.cuts) != shape))
    return order[0] if order else None


def _shape_of(cuts: Cuts | None) -> Hashable:
    """Give which cuts are on and which are turned round, whatever their expressions."""
    if not isinstance(cuts, Passing):
        return cuts
    return tuple((cut.name, cut.enabled, cut.inverted) for cut in cuts.cuts)


def _nothing(want: Want) -> Counts:
    return Counts(
        want, np.zeros(want.x.n_bins if want.y is None else (want.x.n_bins, want.y.n_bins), np.int64)
    )


def _added(held: Counts, rows: _Rows, *, n_rows: int | None = None) -> Counts:
    """Add rows to counts; n_rows: that were looked at then; None: as many as before."""
    counts = held.counts.copy()
    n_chosen = held.n_chosen + rows.add_to(counts)
    return Counts(held.want, counts, held.n_rows if n_rows is None else n_rows, n_chosen)


def bins_of(axis: Axis) -> Bins:
    """Give the same bins to the library."""
    return Bins(axis.column, axis.low, axis.high, axis.n_bins)


def _changed(
    before: np.ndarray | None, after: np.ndarray | None, n_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give the numbers of the rows that pass after and not before, and of those the other way round."""
    entering, leaving = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for start in range(0, n_rows, AT_ONCE):
        part = slice(start, min(start + AT_ONCE, n_rows))
        old = True if before is None else before[part]
        new = np.ones(part.stop - start, bool) if after is None else after[part]
        changed = np.flatnonzero(old != new)
        if len(changed):
            comes = new[changed]
            entering.append(changed[comes] + start)
            leaving.append(changed[~comes] + start)
    return np.concatenate(entering), np.concatenate(leaving)


def _extended(held: np.ndarray | None, rows: Rows, mask: Callable[[Rows], np.ndarray]) -> np.ndarray:
    """Give the mask of all rows, from that of the first of them."""
    n_held = 0 if held is None else len(held)
    if held is not None and n_held >= n_of(rows):
        return held
    new = mask({name: values[n_held:] for name, values in rows.items()})
    return new if held is None else np.concatenate([held, new])


def n_of(rows: Rows) -> int:
    """Give the number of rows."""
    return len(next(iter(rows.values()))) if rows else 0
