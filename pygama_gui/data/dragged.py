"""Finds what passes a range whose edge was moved, from what passed before and an index of its column.

Of ten million rows only those between the old and the new edge are looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from pygama.analysis.counting import Columns, Interval, changes
from pygama.analysis.cuts import Cut, as_range
from pygama.analysis.linked import BucketIndex

LEAST_ROWS = 200_000
"""Of fewer rows all are looked at as quickly."""
LARGEST_SHARE = 0.125
"""If more of the rows than this lie between the edges, looking at all is quicker."""
MOST_INDEXES = 4
EXACT_BYTES = 4
"""Whole numbers of as many bytes are the same in float64; longer ones may not be."""


class Indexes:
    """Indexes of columns; may be asked from several threads while one makes them."""

    def __init__(self) -> None:
        self._held: dict[tuple[Hashable, str], tuple[int, BucketIndex]] = {}

    def are_needed(self, table: Hashable, column: str, n_rows: int) -> bool:
        """Tell whether an index of so many rows would help and is not there."""
        return n_rows >= LEAST_ROWS and self.get(table, column, n_rows) is None

    def prepare(self, table: Hashable, column: str, values: np.ndarray) -> None:
        """Make the index of a column."""
        held = dict(self._held)
        held.pop((table, column), None)
        held[table, column] = (len(values), BucketIndex(np.ascontiguousarray(values, np.float64)))
        self._held = dict(list(held.items())[-MOST_INDEXES:])

    def get(self, table: Hashable, column: str, n_rows: int) -> BucketIndex | None:
        """Give the index of a column, if it is there for so many rows."""
        held = self._held.get((table, column))
        return held[1] if held is not None and held[0] == n_rows else None


class Dragged:
    """What passed the ranges that were moved last, and the indexes of their columns; for one thread."""

    def __init__(self, indexes: Indexes) -> None:
        self.indexes = indexes
        self._last: OrderedDict[tuple[Hashable, str], tuple[Interval, np.ndarray]] = OrderedDict()

    def pieces(
        self, table: Hashable, before: Interval, after: Interval, n_rows: int
    ) -> list[np.ndarray] | None:
        """Give rows among which are all that only one of two intervals holds; None without an index of them.

        None as well where that is not quicker than looking at all.
        """
        index = self.indexes.get(table, after.column, n_rows)
        if index is None:
            return None
        if (before.column, before.is_inverted) != (after.column, after.is_inverted):
            return None
        found = index.between_edges(before, after)
        return found if sum(map(len, found)) <= LARGEST_SHARE * n_rows else None

    def changed(
        self,
        before: Interval,
        after: Interval,
        rows: Mapping[str, np.ndarray],
        others: np.ndarray | None,
        pieces: Sequence[np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give which of some rows come into an interval, and which go out of it.

        others: (n_rows,) bool, the rows that are looked at; None: all.
        """
        columns = Columns({after.column: rows[after.column]})
        found = [changes(columns, before, after, others, piece) for piece in pieces]
        empty = np.empty(0, np.uint32)
        come = [numbers[signs > 0] for numbers, signs in found]
        go = [numbers[signs < 0] for numbers, signs in found]
        return np.concatenate([empty, *come]), np.concatenate([empty, *go])

    def mask(
        self, table: Hashable, interval: Interval, rows: Mapping[str, np.ndarray], n_rows: int
    ) -> np.ndarray | None:
        """Give what passes a range, (n_rows,) bool, from what passed the one before it.

        None where that is not known or not quicker.
        """
        held = self._last.get((table, interval.column))
        if held is None or len(held[1]) != n_rows:
            return None
        pieces = self.pieces(table, held[0], interval, n_rows)
        if pieces is None:
            return None
        come, go = self.changed(held[0], interval, rows, None, pieces)
        passes = held[1].copy()
        passes[come], passes[go] = True, False
        return passes

    def keep(self, table: Hashable, interval: Interval, passes: np.ndarray) -> None:
        """Remember what passes a range."""
        self._last[table, interval.column] = (interval, passes)
        self._last.move_to_end((table, interval.column))
        while len(self._last) > MOST_INDEXES:
            self._last.popitem(last=False)


def interval_of(cut: Cut, rows: Mapping[str, np.ndarray]) -> Interval | None:
    """Give the interval that a cut is, where float64 decides as its expression does; else None."""
    found = as_range(cut.expression)
    if found is None or found.column not in rows:
        return None
    dtype = rows[found.column].dtype
    if dtype.kind not in "iuf" or (dtype.kind in "iu" and dtype.itemsize > EXACT_BYTES):
        return None
    low = found.low if found.has_low else float(np.nextafter(found.low, np.inf))
    high = float(np.nextafter(found.high, np.inf)) if found.has_high else found.high
    is_open = bool(np.isinf(found.high))
    return Interval(found.column, low, high, is_open=is_open, is_inverted=cut.inverted)
