"""Finds what passes a range or a polygon that was moved, from what passed before and an index.

Of ten million rows only those between the old and the new edges are looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from pygama.analysis.bucket_index import BucketIndex
from pygama.analysis.counting import Columns, Interval, changes
from pygama.analysis.cuts import Cut, as_polygon, as_range
from pygama.analysis.expression_nodes import points_inside
from pygama.analysis.plane_index import PlaneIndex, changed_points, changed_sides
from pygama.quick_dataclass import dataclass

LEAST_ROWS = 200_000
"""Of fewer rows all are looked at as quickly."""
LARGEST_SHARE = 0.125
"""If more of the rows than this lie between the edges, looking at all is quicker."""
MOST_INDEXES = 4
EXACT_BYTES = 4
"""Whole numbers of as many bytes are the same in float64; longer ones may not be."""


@dataclass(frozen=True)
class Gate:
    """Rows inside a polygon over two columns. is_inverted: the other rows, NaN with them."""

    x: str
    y: str
    corners: tuple[tuple[float, float], ...]
    is_inverted: bool = False


Shape = Interval | Gate
"""What can be dragged."""


def columns_of(shape: Shape) -> tuple[str, ...]:
    """Name the columns that a shape lies over."""
    return (shape.column,) if isinstance(shape, Interval) else (shape.x, shape.y)


class Indexes:
    """Indexes of columns, and of pairs of them; may be asked from several threads while one makes them."""

    def __init__(self) -> None:
        self._held: dict[tuple[Hashable, tuple[str, ...]], tuple[int, BucketIndex | PlaneIndex]] = {}

    def are_needed(self, table: Hashable, columns: tuple[str, ...], n_rows: int) -> bool:
        """Tell whether an index of so many rows would help and is not there."""
        return n_rows >= LEAST_ROWS and self.get(table, columns, n_rows) is None

    def prepare(self, table: Hashable, columns: tuple[str, ...], *values: np.ndarray) -> None:
        """Make the index of a column, or of two against each other."""
        held = dict(self._held)
        held.pop((table, columns), None)
        made: BucketIndex | PlaneIndex
        if len(values) == 1:
            made = BucketIndex(np.ascontiguousarray(values[0], np.float64))
        else:
            made = PlaneIndex(*values)
        held[table, columns] = (len(values[0]), made)
        self._held = dict(list(held.items())[-MOST_INDEXES:])

    def get(self, table: Hashable, columns: tuple[str, ...], n_rows: int) -> BucketIndex | PlaneIndex | None:
        """Give the index of some columns, if it is there for so many rows."""
        held = self._held.get((table, columns))
        return held[1] if held is not None and held[0] == n_rows else None


class Dragged:
    """What passed the shapes that were moved last, and the indexes of their columns; for one thread."""

    def __init__(self, indexes: Indexes) -> None:
        self.indexes = indexes
        self._last: OrderedDict[tuple[Hashable, tuple[str, ...]], tuple[Shape, np.ndarray]] = OrderedDict()

    def pieces(self, table: Hashable, before: Shape, after: Shape, n_rows: int) -> list[np.ndarray] | None:
        """Give rows among which are all that only one of two shapes holds; None without an index of them.

        None as well where that is not quicker than looking at all.
        """
        index = self.indexes.get(table, columns_of(after), n_rows)
        if columns_of(before) != columns_of(after) or before.is_inverted != after.is_inverted:
            return None
        found: list[np.ndarray] | None = None
        if isinstance(index, BucketIndex) and isinstance(before, Interval) and isinstance(after, Interval):
            found = index.between_edges(before, after)
        elif isinstance(index, PlaneIndex) and isinstance(before, Gate) and isinstance(after, Gate):
            found = index.near(_sides(before, after))
        few = found is not None and sum(map(len, found)) <= LARGEST_SHARE * n_rows
        return found if few else None

    def changed(
        self,
        before: Shape,
        after: Shape,
        rows: Mapping[str, np.ndarray],
        others: np.ndarray | None,
        pieces: Sequence[np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give which of some rows come into a shape, and which go out of it.

        others: (n_rows,) bool, the rows that are looked at; None: all.
        """
        empty = np.empty(0, np.uint32)
        if isinstance(before, Gate) and isinstance(after, Gate):
            return _moved_in_plane(before, after, rows, others, np.concatenate([empty, *pieces]))
        assert isinstance(before, Interval) and isinstance(after, Interval)
        columns = Columns({after.column: rows[after.column]})
        found = [changes(columns, before, after, others, piece) for piece in pieces]
        come = [numbers[signs > 0] for numbers, signs in found]
        go = [numbers[signs < 0] for numbers, signs in found]
        return np.concatenate([empty, *come]), np.concatenate([empty, *go])

    def mask(
        self, table: Hashable, shape: Shape, rows: Mapping[str, np.ndarray], n_rows: int
    ) -> np.ndarray | None:
        """Give what passes a shape, (n_rows,) bool, from what passed the one before it.

        None where that is not known or not quicker.
        """
        held = self._last.get((table, columns_of(shape)))
        if held is None or len(held[1]) != n_rows:
            return None
        pieces = self.pieces(table, held[0], shape, n_rows)
        if pieces is None:
            return None
        come, go = self.changed(held[0], shape, rows, None, pieces)
        passes = held[1].copy()
        passes[come], passes[go] = True, False
        return passes

    def keep(self, table: Hashable, shape: Shape, passes: np.ndarray) -> None:
        """Remember what passes a shape."""
        key = (table, columns_of(shape))
        self._last[key] = (shape, passes)
        self._last.move_to_end(key)
        while len(self._last) > MOST_INDEXES:
            self._last.popitem(last=False)


def _sides(before: Gate, after: Gate) -> np.ndarray:
    return changed_sides(np.array(before.corners, np.float64), np.array(after.corners, np.float64))


def _moved_in_plane(
    before: Gate,
    after: Gate,
    rows: Mapping[str, np.ndarray],
    others: np.ndarray | None,
    near: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    near = near if others is None else near[others[near]]
    x, y = rows[after.x], rows[after.y]
    moved = changed_points(x, y, _sides(before, after), near)
    moved_x, moved_y = (np.asarray(values[moved], np.float64) for values in (x, y))
    comes = points_inside(moved_x, moved_y, np.array(after.corners, np.float64)) ^ after.is_inverted
    return moved[comes], moved[~comes]


def shape_of(cut: Cut, rows: Mapping[str, np.ndarray]) -> Shape | None:
    """Give the shape that a cut is and that can be followed by an index; else None."""
    return interval_of(cut, rows) or gate_of(cut, rows)


def gate_of(cut: Cut, rows: Mapping[str, np.ndarray]) -> Gate | None:
    """Give the polygon over two columns that a cut is; else None."""
    found = as_polygon(cut.expression)
    if found is None or any(
        name not in rows or rows[name].dtype.kind not in "iuf" for name in (found.x, found.y)
    ):
        return None
    if not np.isfinite(found.points).all():
        return None
    return Gate(found.x, found.y, found.points, cut.inverted)


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
