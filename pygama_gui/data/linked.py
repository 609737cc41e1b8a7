"""Counts what the views show: histograms of a column or of two, of all rows or of those that pass the cuts.

A view says what it wants counted and draws what comes back; who counts, when and in which thread is no
matter of views. Counts that are there are kept, and only the rows that came since are added to them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pygama_gui.data.channels import CODE

PASSING, ALL, FAILING = "passing", "all", "failing"
"""Rows that pass every cut that is on, all rows, and those that any such cut takes away."""
MOST_HELD = 200
"""Histograms that are kept, at most."""

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
    channel and the cuts left, whether or not their values lie inside the axes.
    """

    want: Want
    counts: np.ndarray
    n_rows: int = 0
    n_chosen: int = 0


class Counter:
    """Counts histograms of growing tables; to be used in one thread at a time."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Hashable, Cuts | None, Want], Counts] = OrderedDict()
        self._masks: dict[tuple[Hashable, Cuts], np.ndarray] = {}

    def count(
        self, table: Hashable, rows: Rows, cuts: Cuts | None, wants: Sequence[Want]
    ) -> list[Counts | None]:
        """Count what is wanted of a table; None where it lacks a column.

        table: stands for the table; the rows of one that was counted before are those of then and new ones.
        """
        return [
            self._counted(table, rows, cuts, want) if want.columns <= rows.keys() else None for want in wants
        ]

    def mask(self, table: Hashable, rows: Rows, cuts: Cuts) -> np.ndarray:
        """Tell which rows pass, (n_rows,) bool."""
        held = self._masks.get((table, cuts), np.zeros(0, bool))
        n_rows = n_of(rows)
        if len(held) < n_rows:
            new = cuts.mask({name: values[len(held) :] for name, values in rows.items()})
            held = np.concatenate([held, new])
            self._masks = {key: mask for key, mask in self._masks.items() if key[0] is not table}
            self._masks[table, cuts] = held
        return held[:n_rows]

    def _counted(self, table: Hashable, rows: Rows, cuts: Cuts | None, want: Want) -> Counts:
        key = (table, None if want.rows == ALL else cuts, want)
        held = self._held.pop(key, None)
        if held is None:
            shape = want.x.n_bins if want.y is None else (want.x.n_bins, want.y.n_bins)
            held = Counts(want, np.zeros(shape, np.int64))
        if held.n_rows < n_of(rows):
            held = self._with_new_rows(held, table, rows, cuts)
        self._held[key] = held
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return held

    def _with_new_rows(self, held: Counts, table: Hashable, rows: Rows, cuts: Cuts | None) -> Counts:
        want, start = held.want, held.n_rows
        chosen = self._chosen(want, table, rows, cuts, start)
        new = [
            values if chosen is None else values[chosen]
            for values in (rows[axis.column][start:] for axis in (want.x, want.y) if axis is not None)
        ]
        counts = held.counts + (_count_1d(new[0], want.x) if want.y is None else _count_2d(new, want))
        return Counts(want, counts, n_of(rows), held.n_chosen + len(new[0]))

    def _chosen(
        self, want: Want, table: Hashable, rows: Rows, cuts: Cuts | None, start: int
    ) -> np.ndarray | None:
        """Tell which of the rows from `start` on are counted; None: all."""
        chosen: np.ndarray | None = None
        if cuts is not None and want.rows != ALL:
            passing = self.mask(table, rows, cuts)[start:]
            chosen = passing if want.rows == PASSING else ~passing
        elif want.rows == FAILING:
            chosen = np.zeros(n_of(rows) - start, bool)
        if want.channel is not None and CODE in rows:
            of_channel = rows[CODE][start:] == want.channel
            chosen = of_channel if chosen is None else chosen & of_channel
        return chosen


def n_of(rows: Rows) -> int:
    """Give the number of rows."""
    return len(next(iter(rows.values()))) if rows else 0


def _places(values: np.ndarray, axis: Axis) -> np.ndarray:
    """Give the bin of each value, (n,) intp; -1 where it lies outside or is NaN."""
    values = np.asarray(values, np.float64)
    inside = (values >= axis.low) & (values < axis.high)
    known = np.where(inside, values, axis.low)
    edges = axis.edges
    found = ((known - axis.low) * (axis.n_bins / (axis.high - axis.low))).astype(np.intp)
    np.minimum(found, axis.n_bins - 1, out=found)
    # The product may round across an edge; the edges decide.
    found -= known < edges[found]
    found += known >= edges[1:][found]
    return np.where(inside, found, -1)


def _count_1d(values: np.ndarray, axis: Axis) -> np.ndarray:
    return np.bincount(_places(values, axis) + 1, minlength=axis.n_bins + 1)[1:]


def _count_2d(values: Sequence[np.ndarray], want: Want) -> np.ndarray:
    assert want.y is not None
    x, y = _places(values[0], want.x), _places(values[1], want.y)
    is_inside = (x >= 0) & (y >= 0)
    joint = x[is_inside] * want.y.n_bins + y[is_inside]
    return np.bincount(joint, minlength=want.x.n_bins * want.y.n_bins).reshape(want.x.n_bins, want.y.n_bins)
