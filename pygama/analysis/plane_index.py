"""Finds the points that one of two polygons holds and the other does not, without looking at all points.

A point is inside where it has an odd number of sides to its right, so which points change is decided by those
sides alone that only one of the polygons has. The points lie in cells of a grid; looked at are those in the
cells that such a side goes through, and in cells that lie between two of them. Each is then decided by the
very comparisons that decide a polygon, so that the answer is the same to the last bit.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from pygama.analysis.counting import Columns, buckets, rows_by_bucket
from pygama.analysis.expression_nodes import points_left_of, sides_of

N_STRIPS = 250
"""Strips along an axis, each with about as many points; all cells must have numbers of 16 bits."""
SAMPLED = 1 << 16
SLACK = 1e-12
"""Where a side lies is known so well, relative to its place and its length."""

Side = tuple[float, float, float, float]


class PlaneIndex:
    """Points by the cells of a grid whose strips hold about equally many. x, y: (n,) numbers."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        columns = Columns({"x": x, "y": y})
        x_knots, y_knots = (_knots(columns[name]) for name in ("x", "y"))
        self._x_knots: list[float] = x_knots.tolist()
        self._y_knots: list[float] = y_knots.tolist()
        # Two more places along x: below the first knot, and NaN.
        self._width = len(self._x_knots) + 2
        cells = buckets(columns["y"], y_knots) * np.uint16(self._width)
        cells += buckets(columns["x"], x_knots)
        self._rows, self._starts = rows_by_bucket(cells, self._width * (len(self._y_knots) + 2))

    def near(self, sides: np.ndarray) -> list[np.ndarray]:
        """Give rows, in pieces, among which are all with an odd number of the sides to their right.

        sides: (n, 4), as those of a closed polygon or of the difference of two.
        """
        known: list[Side] = [tuple(side) for side in sides.tolist()]
        ends = sorted({end for _, y1, y2, _ in known for end in (y1, y2)})
        pieces: list[tuple[int, int]] = []
        if not ends:
            return []
        knots = self._y_knots
        for strip in range(bisect_right(knots, ends[0]), bisect_right(knots, ends[-1]) + 1):
            low = max(knots[strip - 1] if strip else -math.inf, ends[0])
            high = min(knots[strip] if strip < len(knots) else math.inf, ends[-1])
            places = [low, *(end for end in ends if low < end < high), high]
            found = [run for part in pairwise(places) for run in self._runs(known, *part)]
            pieces += [(strip * self._width + first, strip * self._width + last + 1) for first, last in found]
        return [self._rows[self._starts[first] : self._starts[last]] for first, last in _joined(pieces)]

    def _runs(self, sides: Iterable[Side], low: float, high: float) -> list[tuple[int, int]]:
        """Give the first and last columns of cells with changed points, for y from low to high."""
        crossings = [_ends(side, low, high) for side in sides if side[1] <= low and side[2] >= high]
        crossings.sort(key=sum)
        knots = self._x_knots
        columns = [(bisect_right(knots, left), bisect_right(knots, right)) for left, right in crossings]
        between = [
            (min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(columns[::2], columns[1::2], strict=False)
        ]
        return columns + between


def changed_sides(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Give the sides that only one of two polygons has, as `sides_of`; before, after: corners (n, 2)."""
    odd: dict[Side, bool] = {}
    for side in (*sides_of(before).tolist(), *sides_of(after).tolist()):
        odd[tuple(side)] = not odd.get(tuple(side), False)
    return np.array([side for side, is_odd in odd.items() if is_odd], np.float64).reshape(-1, 4)


def changed_points(x: np.ndarray, y: np.ndarray, sides: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Give those of some rows that only one of two polygons holds; sides: as `changed_sides` gives them."""
    chosen_x, chosen_y = (np.asarray(values[rows], np.float64) for values in (x, y))
    return rows[points_left_of(chosen_x, chosen_y, sides)]


def _ends(side: Side, low: float, high: float) -> tuple[float, float]:
    """Give between which x a side lies for y from low to high, a little more than that."""
    x1, y1, _, slope = side
    places = [x1 + (y - y1) * slope for y in (low, high)]
    if not all(map(math.isfinite, places)):
        return -1e308, 1e308
    room = SLACK * (abs(x1) + max(abs(place - x1) for place in places))
    return min(places) - room, max(places) + room


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join runs of cells that touch or overlap."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(pieces):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def _knots(values: np.ndarray) -> np.ndarray:
    some = np.asarray(values[:: max(len(values) // SAMPLED, 1)], np.float64)
    some = np.sort(some[np.isfinite(some)])
    places = np.linspace(0, len(some) - 1, N_STRIPS + 1)[1:-1].astype(np.int64)
    return np.unique(some[places]) if len(some) else np.zeros(1)
