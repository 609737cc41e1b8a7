"""Finds room for words over a plot, so that no two lie on each other, and none on the curve if it can be."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QRectF

from pygama_gui.widgets import theme
from pygama_gui.widgets.plot import Plot

GROUND = 200
"""Of 255: how much the ground of words hides of what lies below."""
N_PLACES = 4
"""Places below each other that are tried."""
GAP_PX = 4
FAR_OFF = 2.0
"""Words stand no more than so many times their width beside what they are of, to lie over no upright line."""
TOUCH_PX = 1.0
"""Words that begin or end at an upright line do not lie over it, nor over one that is drawn in its place."""
RISE = 3.0
"""Words go up so many times their height to get out of the curve's way, at most."""


class Room:
    """What is taken of a plot, in pixels; made anew for each drawing, and the first comes first."""

    def __init__(self, plot: Plot) -> None:
        box = plot.box
        (self.left, self.right), (self.bottom, self.top) = box.viewRange()
        self.per_x = (self.right - self.left) / max(box.width(), 1.0)
        self.per_y = (self.top - self.bottom) / max(box.height(), 1.0)
        self._taken: list[tuple[float, float, float, float]] = []
        self._closed: list[tuple[float, float, float, float]] = []
        self._edges, self._heights = np.zeros(1), np.zeros(0)
        self._uprights: list[float] = []

    def spare(self, places: Iterable[float]) -> None:
        """Keep words beside other places off these, where lines stand that can be dragged."""
        self._uprights += [x for x in places if self.left < x < self.right]

    def close(self, area: QRectF) -> None:
        """Keep an area free of words, in pixels of the plot's box: those that would lie there go below it."""
        left, right = (self.left + x * self.per_x for x in (area.left(), area.right()))
        bottom, top = (self.top - y * self.per_y for y in (area.bottom(), area.top()))
        self._closed.append((left, right, bottom, top))
        self._taken.append((left, right, bottom, top))

    def lay(self, edges: np.ndarray, heights: np.ndarray) -> None:
        """Say how high the curve is drawn in bins of edges (n + 1,): words of peaks keep clear of it."""
        self._edges, self._heights = edges, heights

    def place_at_peak(self, item: pg.TextItem, x: float, y: float, half_width: float) -> bool:
        """Show words over a peak, beside it, or as `place` does: first where the curve is not covered.

        They lie over an upright line only where there is no room between or beside these. y: where the foot
        would stand above the peak; half_width: of the peak, which words beside leave free.
        """
        size = item.boundingRect()
        width, height = size.width() * self.per_x, size.height() * self.per_y
        gap = half_width + GAP_PX * self.per_x
        near = [x - width / 2, x + gap, x - gap - width]
        inside = [min(max(begins, self.left), self.right - width) for begins in near]
        free = [one for one in inside + self._outside(x, width) if not self._is_crossed(one, width)]
        for begins in free + inside:
            clear = self._height_of_curve(begins, begins + width) + GAP_PX * self.per_y
            foot = max(min(y, self.top - height), clear)
            is_near = foot <= y + RISE * height and foot + height <= self.top
            if is_near and self._take(begins, begins + width, foot, foot + height):
                self._show(item, begins, foot)
                return True
        return self.place(item, x, y)

    def _outside(self, x: float, width: float) -> list[float]:
        """Give where words may begin beyond upright lines on either side of a place, the nearest first."""
        gap = GAP_PX * self.per_x
        begins = [one + gap if one > x else one - gap - width for one in self._uprights]
        begins.sort(key=lambda one: abs(one + width / 2 - x))
        near = [one for one in begins if abs(one + width / 2 - x) <= FAR_OFF * width]
        return [one for one in near if self.left <= one <= self.right - width]

    def _is_crossed(self, begins: float, width: float) -> bool:
        touch = TOUCH_PX * self.per_x
        return any(begins + touch < one < begins + width - touch for one in self._uprights)

    def _height_of_curve(self, low: float, high: float) -> float:
        first, last = np.searchsorted(self._edges, [low, high])
        seen = self._heights[max(int(first) - 1, 0) : int(last)]
        return float(seen.max()) if len(seen) else self.bottom

    def place(self, item: pg.TextItem, x: float, y: float, *, is_beside: bool = False) -> bool:
        """Show words with the middle of their foot at a place, or beside it; hide them for lack of room.

        They are kept inside of the plot, and moved down where other words are.
        """
        size = item.boundingRect()
        width, height = size.width() * self.per_x, size.height() * self.per_y
        begins = self._beside(x, width) if is_beside else x - width / 2
        begins = min(max(begins, self.left), self.right - width)
        foot = min(max(y, self.bottom), self.top - height)
        for left, right, bottom, top in self._closed:
            if left < begins + width and begins < right and bottom < foot + height and foot < top:
                foot = bottom - height
        for _ in range(N_PLACES):
            if foot >= self.bottom and self._take(begins, begins + width, foot, foot + height):
                self._show(item, begins, foot)
                return True
            foot -= height
        item.hide()
        return False

    def _beside(self, x: float, width: float) -> float:
        """Give where words beside a place begin: first where they are in view and over no upright line.

        To its right, to its left, or behind the next upright line there, if that is near.
        """
        behind = min((one for one in self._uprights if one > x), default=x)
        before = max((one for one in self._uprights if one < x), default=x)
        for begins in (x, x - width, behind, before - width):
            ends = begins + width
            if (
                not self._is_crossed(begins, width)
                and ends <= self.right
                and begins >= self.left
                and abs(begins - x) <= 2 * width
            ):
                return begins
        return x if x + width <= self.right else x - width

    def _show(self, item: pg.TextItem, begins: float, foot: float) -> None:
        item.setAnchor((0.0, 1.0))
        item.setPos(begins, foot)
        item.show()

    def _take(self, left: float, right: float, bottom: float, top: float) -> bool:
        is_free = not any(
            left < other[1] and right > other[0] and bottom < other[3] and top > other[2]
            for other in self._taken
        )
        if is_free:
            self._taken.append((left, right, bottom, top))
        return is_free


def words_item(plot: Plot, z: float) -> pg.TextItem:
    """Make words that stand in a plot."""
    item = pg.TextItem()
    item.setFont(theme.font(theme.SMALL))
    item.setZValue(z)
    plot.addItem(item)
    return item


def write(item: pg.TextItem, text: str, token: str) -> None:
    """Write words in one of the colours of the theme, on a ground that hides most of what lies below."""
    ground = theme.current().color("panel")
    ground.setAlpha(GROUND)
    item.setText(text)
    item.setColor(theme.current().color(token))
    item.fill = pg.mkBrush(ground)
