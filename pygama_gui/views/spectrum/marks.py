"""Marks places of a spectrum: those a person marked, the cursor, peaks that were found, gamma lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt

from pygama.analysis.search import FoundPeak
from pygama_gui.views.spectrum.room import Room, words_item, write
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.plot import Plot, heights_of

MOST_NAMED = 14
"""Peaks whose places are written, at most; the most significant."""
NEAR_PX = 6
"""So near is a place under the mouse."""


class Lines:
    """Upright lines with words at their top, as many as are wanted."""

    def __init__(self, plot: Plot, token: str, style: Qt.PenStyle, z: float) -> None:
        self._plot, self._token, self._style, self._z = plot, token, style, z
        self._items: list[tuple[pg.InfiniteLine, pg.TextItem]] = []

    def draw(self, places: Sequence[tuple[float, str]], room: Room) -> None:
        """Draw lines; words that would lie over others are left out, so the first have the right of way."""
        while len(self._items) < len(places):
            line = pg.InfiniteLine(angle=90)
            line.setZValue(self._z)
            self._plot.addItem(line)
            self._items.append((line, words_item(self._plot, self._z + 1)))
        for line, text in self._items[len(places) :]:
            line.hide()
            text.hide()
        pen = theme.current().pen(self._token, self._style)
        for (line, text), (x, about) in zip(self._items, places, strict=False):
            line.setValue(x)
            line.setPen(pen)
            line.show()
            write(text, about, self._token)
            if not about or not room.left <= x <= room.right:
                text.hide()
            else:
                room.place(text, x, room.top, is_beside=True)


class PeakMarks:
    """Small triangles over the peaks that were found, with position and significance."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._points = pg.ScatterPlotItem(symbol="t", size=8, pxMode=True)
        self._points.setZValue(16)
        plot.addItem(self._points)
        self._words: list[pg.TextItem] = []

    def draw(
        self,
        peaks: Sequence[FoundPeak],
        edges: np.ndarray,
        counts: np.ndarray,
        room: Room,
        *,
        unit: float,
        is_log: bool,
        unit_words: str = "",
    ) -> None:
        """Draw peaks over the bins on screen: edges (n + 1,), counts (n,). unit: height of a count."""
        present = theme.current()
        seen = [peak for peak in peaks if room.left < peak.position < room.right]
        heights = [_height(peak, edges, counts, unit=unit, is_log=is_log) + 8 * room.per_y for peak in seen]
        brush = pg.mkBrush(present.color("marker"))
        self._points.setData(
            [peak.position for peak in seen], heights, brush=brush, pen=present.pen("marker")
        )
        order = sorted(range(len(seen)), key=lambda i: -seen[i].significance)[:MOST_NAMED]
        while len(self._words) < len(order):
            self._words.append(words_item(self._plot, 17))
        for text in self._words[len(order) :]:
            text.hide()
        for text, i in zip(self._words, order, strict=False):
            write(text, found_words(seen[i], unit_words), "marker")
            room.place_at_peak(text, seen[i].position, heights[i] + 6 * room.per_y, 0.7 * seen[i].fwhm)


def _height(peak: FoundPeak, edges: np.ndarray, counts: np.ndarray, *, unit: float, is_log: bool) -> float:
    """Give how high the highest bin of a peak is drawn."""
    ends = np.searchsorted(edges, [peak.position - peak.fwhm, peak.position + peak.fwhm])
    first, last = max(int(ends[0]) - 1, 0), max(int(ends[1]), 1)
    return float(heights_of(counts[first:last].max(initial=0, keepdims=True), is_log=is_log, unit=unit)[0])


def found_words(peak: FoundPeak, unit: str) -> str:
    """Say where a peak was found, and how sure it is."""
    position = f"{words.with_error(peak.position, peak.position_error)} {unit}".rstrip()
    return f"{position}\n{peak.significance:.0f} σ"


def nearest(places: Iterable[float], x: float, reach: float) -> float | None:
    """Give the place nearest to x; None where none is within reach."""
    near = [place for place in places if abs(place - x) <= reach]
    return min(near, key=lambda place: abs(place - x), default=None)
