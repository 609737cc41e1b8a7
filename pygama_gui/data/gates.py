"""Finds the shape of a cut in a plane, moves it as a hand does, and writes it as the text of a cut again.

A gate is a cut whose text says a polygon over the two columns of the plane, or a range of one of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pygama.analysis.cuts import PolygonOf, RangeOf, as_polygon, as_range, polygon_cut
from pygama.analysis.expression_nodes import ExpressionError
from pygama.quick_dataclass import dataclass

Point = tuple[float, float]
GRIP_PX = 6.0
"""A corner or a side is hit by what is not farther than this."""


@dataclass(frozen=True)
class Part:
    """What of a gate is under the hand: a 'corner', a 'side' that begins at a corner, or the 'body'."""

    kind: str
    number: int = 0


@dataclass(frozen=True)
class Polygon:
    """A polygon. is_turned: the text names the column of y first."""

    points: tuple[Point, ...]
    is_turned: bool = False

    @property
    def is_rectangle(self) -> bool:
        """Whether its sides lie along the axes."""
        if len(self.points) != 4:
            return False
        sides = zip(self.points, (*self.points[1:], self.points[0]), strict=True)
        flat = [(a[1] == b[1], a[0] == b[0]) for a, b in sides]
        return [one[0] for one in flat] in ([True, False] * 2, [False, True] * 2) and all(map(any, flat))

    def outline(self, _x: Point, _y: Point) -> np.ndarray:
        """Give the corners, (n, 2)."""
        return np.array(self.points, float)

    def moved(self, part: Part, by: Point) -> Polygon:
        """Move a part; a rectangle stays one."""
        n = len(self.points)
        if part.kind == "body":
            return self._with(dict.fromkeys(range(n), by))
        ends = {part.number} if part.kind == "corner" else {part.number, (part.number + 1) % n}
        if not self.is_rectangle:
            return self._with(dict.fromkeys(ends, by))
        x_moves = {self.points[i][0] for i in ends} if part.kind == "corner" else self._common(ends, 0)
        y_moves = {self.points[i][1] for i in ends} if part.kind == "corner" else self._common(ends, 1)
        return self._with(
            {
                i: (by[0] if x in x_moves else 0.0, by[1] if y in y_moves else 0.0)
                for i, (x, y) in enumerate(self.points)
            }
        )

    def _common(self, ends: set[int], axis: int) -> set[float]:
        """Give the coordinate that both ends of a side have in common, where they do."""
        values = {self.points[i][axis] for i in ends}
        return values if len(values) == 1 else set()

    def _with(self, moves: dict[int, Point]) -> Polygon:
        moved = (
            (x + moves.get(i, (0.0, 0.0))[0], y + moves.get(i, (0.0, 0.0))[1])
            for i, (x, y) in enumerate(self.points)
        )
        return replace(self, points=tuple(moved))

    def with_corner(self, side: int, at: Point) -> Polygon:
        """Put a new corner on a side."""
        return replace(self, points=(*self.points[: side + 1], at, *self.points[side + 1 :]))

    def without_corner(self, number: int) -> Polygon:
        """Take a corner away; three stay."""
        if len(self.points) <= 3:
            return self
        return replace(self, points=self.points[:number] + self.points[number + 1 :])

    def rounded(self, x_px: float, y_px: float, before: Gate | None = None) -> Polygon:
        """Round the corners to what the eye can tell. before: what did not move since then stays."""
        kept = [set() if before is None else before.values(axis) for axis in (0, 1)]
        points = ((_rounded(x, x_px, kept[0]), _rounded(y, y_px, kept[1])) for x, y in self.points)
        return replace(self, points=tuple(points))

    def values(self, axis: int) -> set[float]:
        """Give what it says of x, 0, or of y, 1."""
        return {point[axis] for point in self.points}

    def text(self, x: str, y: str) -> str:
        """Write it as a cut."""
        if self.is_turned:
            return polygon_cut(y, x, [(b, a) for a, b in self.points])
        return polygon_cut(x, y, self.points)


@dataclass(frozen=True)
class Band:
    """A range of the column on one axis, 0 for x or 1 for y. of: as its text says it."""

    axis: int
    of: RangeOf

    def outline(self, x: Point, y: Point) -> np.ndarray:
        """Give the corners of what is seen of it, (4, 2), in a view from x[0] to x[1] and y[0] to y[1]."""
        view = (x, y)[self.axis]
        room = view[1] - view[0]
        low = max(self.of.low, view[0] - room)
        high = min(self.of.high, view[1] + room)
        if self.axis == 0:
            return np.array([(low, y[0] - room), (low, y[1]), (high, y[1]), (high, y[0])], float)
        return np.array([(x[0], low), (x[1], low), (x[1], high), (x[0], high)], float)

    def moved(self, part: Part, by: Point) -> Band:
        """Move the end that a side stands for, or both; ends that cross change places."""
        step = by[self.axis]
        low, high = self.of.low, self.of.high
        if part.kind == "body" or part.number == 0:
            low += step
        if part.kind == "body" or part.number == 1:
            high += step
        return replace(self, of=replace(self.of, low=min(low, high), high=max(low, high)))

    def rounded(self, x_px: float, y_px: float, before: Gate | None = None) -> Band:
        """Round the ends to what the eye can tell. before: what did not move since then stays."""
        px, kept = (x_px, y_px)[self.axis], set() if before is None else before.values(self.axis)
        low, high = (_rounded(end, px, kept) for end in (self.of.low, self.of.high))
        return replace(self, of=replace(self.of, low=low, high=high))

    def values(self, axis: int) -> set[float]:
        """Give what it says of x, 0, or of y, 1."""
        return {self.of.low, self.of.high} if axis == self.axis else set()

    def text(self, _x: str, _y: str) -> str:
        """Write it as a cut."""
        return self.of.text


Gate = Polygon | Band


def gate_of(expression: str, x: str, y: str) -> Gate | None:
    """Find the shape that a cut has in the plane of two columns; None where it has none."""
    try:
        polygon, band = as_polygon(expression), as_range(expression)
    except ExpressionError:
        return None
    if polygon is not None:
        return _polygon(polygon, x, y)
    if band is not None and band.column in (x, y):
        return Band(0 if band.column == x else 1, band)
    return None


def _polygon(polygon: PolygonOf, x: str, y: str) -> Polygon | None:
    if (polygon.x, polygon.y) == (x, y):
        return Polygon(polygon.points)
    if (polygon.x, polygon.y) == (y, x):
        return Polygon(tuple((b, a) for a, b in polygon.points), is_turned=True)
    return None


def rectangle(x: Point, y: Point) -> Polygon:
    """Give the rectangle between two values of x and two of y."""
    return Polygon(((x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])))


def part_at(gate: Gate, at: Point, px: Point, view: tuple[Point, Point]) -> Part | None:
    """Say what of a gate lies at a place; None where nothing does.

    px: size of a pixel in x and y. view: ends of x and of y that are seen.
    """
    scale = np.array(px, float)
    place = np.array(at, float) / scale
    if isinstance(gate, Band):
        ends = np.array((gate.of.low, gate.of.high)) / scale[gate.axis]
        distances = np.abs(ends - place[gate.axis])
        nearest = int(np.argmin(distances))
        if distances[nearest] <= GRIP_PX:
            return Part("side", nearest)
        return Part("body") if ends[0] <= place[gate.axis] <= ends[1] else None
    corners = gate.outline(*view) / scale
    to_corners = np.hypot(*(corners - place).T)
    nearest = int(np.argmin(to_corners))
    if to_corners[nearest] <= GRIP_PX:
        return Part("corner", nearest)
    to_sides = _distances(place, corners, np.roll(corners, -1, axis=0))
    nearest = int(np.argmin(to_sides))
    if to_sides[nearest] <= GRIP_PX:
        return Part("side", nearest)
    return Part("body") if is_inside(place, corners) else None


def is_inside(place: np.ndarray, corners: np.ndarray) -> bool:
    """Tell whether a place, (2,), lies inside a polygon, (n, 2), by the number of sides to its right."""
    x0, y0 = corners.T
    x1, y1 = np.roll(corners, -1, axis=0).T
    crosses = (y0 > place[1]) != (y1 > place[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        there = x0 + (place[1] - y0) * (x1 - x0) / (y1 - y0)
    return bool(np.count_nonzero(crosses & (place[0] < there)) % 2)


def _distances(place: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Give the distance of a place from each of some stretches, (n,)."""
    along = ends - starts
    length = np.maximum((along**2).sum(axis=1), 1e-300)
    share = np.clip(((place - starts) * along).sum(axis=1) / length, 0.0, 1.0)
    return np.hypot(*(place - starts - share[:, np.newaxis] * along).T)


def _rounded(value: float, px: float, kept: set[float]) -> float:
    return value if value in kept else rounded_to(value, px)


def rounded_to(value: float, px: float) -> float:
    """Round a value to two digits of the width of a pixel: no finer than a hand can place it."""
    if not (math.isfinite(value) and px > 0):
        return value
    return round(value, 1 - math.floor(math.log10(px)))


def top_of(corners: np.ndarray, x: Point, y: Point) -> Point:
    """Give the place beside a gate where words have room: right of its highest corner in view."""
    seen = np.clip(corners, (x[0], y[0]), (x[1], y[1]))
    return float(seen[:, 0].max()), float(seen[:, 1].max())


def corners_text(points: Sequence[Point]) -> str:
    """Say how many corners were set, and what comes next."""
    if not points:
        return "Click, or arrows and Space, to set corners of the gate; Esc gives up"
    more = "Return closes" if len(points) > 2 else "click or Space sets more"
    return f"{len(points)} corner{'s' if len(points) > 1 else ''} · {more} · Backspace takes one back"
