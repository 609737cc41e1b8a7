"""Draws levels and times over curves, with the numbers beside them so that no two lie over each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyqtgraph as pg
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter
from PyQt5.QtWidgets import QGraphicsSimpleTextItem, QStyleOptionGraphicsItem, QWidget

from pygama_gui.views.waveforms.traces import Instant, Level
from pygama_gui.widgets import theme
from pygama_gui.widgets.plot import Plot

GAP_PX = 3
POINT_PX = 7


class Words(QGraphicsSimpleTextItem):
    """A text on a ground that lets curves through only faintly."""

    ground = QColor()

    def paint(
        self,
        painter: QPainter | None,
        option: QStyleOptionGraphicsItem | None,
        widget: QWidget | None = None,
    ) -> None:
        """Draw the ground, then the text."""
        assert painter is not None
        painter.fillRect(self.boundingRect().adjusted(-2, 0, 2, 0), self.ground)
        super().paint(painter, option, widget)


class Markers:
    """Lines at levels and at times, points where a curve is as high as a level, and their words."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._lines: dict[str, pg.InfiniteLine] = {}
        self._words: dict[str, Words] = {}
        self._levels: Sequence[Level] = ()
        self._instants: Sequence[Instant] = ()
        self._points = pg.ScatterPlotItem(size=POINT_PX, pxMode=True)
        self._points.setZValue(21)
        plot.addItem(self._points)
        self._taken: list[QRectF] = []
        plot.box.sigRangeChanged.connect(lambda *_: self.place_words())

    @property
    def names(self) -> set[str]:
        """Names of all that is marked."""
        return set(self._lines)

    def words_of(self, name: str) -> str:
        """Give the words beside a marker."""
        return self._words[name].text()

    def draw(self, levels: Sequence[Level], instants: Sequence[Instant]) -> None:
        """Draw these markers and no others."""
        self._levels, self._instants = levels, instants
        wanted = {*(one.name for one in levels), *(one.name for one in instants)}
        for name in [name for name in self._lines if name not in wanted]:
            self._plot.removeItem(self._lines.pop(name))
            self._plot.box.scene().removeItem(self._words.pop(name))
        for level in levels:
            self._mark(level.name, level.words, level.height, angle=0)
        for instant in instants:
            self._mark(instant.name, instant.words, instant.x, angle=90)
        points = [level.point for level in levels if level.point is not None]
        color = theme.current().color("marker")
        self._points.setData(
            x=[x for x, _ in points], y=[y for _, y in points], pen=theme.thin_pen(color), brush=color
        )
        self.place_words()

    def keep_clear(self, areas: Iterable[QRectF]) -> None:
        """Write nothing in these areas, in pixels of the plot's box."""
        self._taken = list(areas)
        self.place_words()

    def _mark(self, name: str, text: str, value: float, *, angle: int) -> None:
        if name not in self._lines:
            line = pg.InfiniteLine(angle=angle, movable=False)
            line.setZValue(20)
            self._plot.addItem(line)
            self._lines[name] = line
            words = Words(self._plot.box)
            words.setFont(theme.font(theme.SMALL))
            words.setZValue(22)
            self._words[name] = words
        line, words = self._lines[name], self._words[name]
        style = Qt.PenStyle.DashLine if angle == 0 else Qt.PenStyle.DotLine
        line.setPen(theme.current().pen("marker", style))
        line.setValue(value)
        words.setBrush(theme.current().color("marker"))
        words.ground = theme.current().color("panel")
        words.ground.setAlpha(205)
        if words.text() != text:
            words.setText(text)

    def place_words(self) -> None:
        """Write beside each marker, where nothing is written yet."""
        box = self._plot.box
        taken, area = list(self._taken), QRectF(0, 0, box.width(), box.height())
        for level in sorted(self._levels, key=lambda one: -one.height):
            y = box.mapFromView(QPointF(0.0, level.height)).y()
            self._place_at_level(self._words[level.name], y, area, taken)
        for instant in sorted(self._instants, key=lambda one: one.x):
            x = box.mapFromView(QPointF(instant.x, 0.0)).x()
            self._place_at_time(self._words[instant.name], x, area, taken)

    def _place_at_level(self, words: Words, y: float, area: QRectF, taken: list[QRectF]) -> None:
        """Write above a level at the right edge, farther to the left where that is taken."""
        size = words.boundingRect().size()
        spot = QRectF(QPointF(area.right() - size.width() - GAP_PX, y - size.height()), size)
        if not area.top() <= y <= area.bottom():
            words.hide()
            return
        if spot.top() < area.top():
            spot.moveTop(y + 1)
        while (hit := _hit(spot, taken)) is not None:
            spot.moveRight(hit.left() - 2 * GAP_PX)
        words.setVisible(spot.left() >= area.left())
        words.setPos(spot.topLeft())
        taken.append(spot)

    def _place_at_time(self, words: Words, x: float, area: QRectF, taken: list[QRectF]) -> None:
        """Write at the right of a time near the top, farther down where that is taken."""
        size = words.boundingRect().size()
        if not area.left() <= x <= area.right():
            words.hide()
            return
        is_left = x + size.width() + 2 * GAP_PX > area.right()
        spot = QRectF(QPointF(x - size.width() - 2 * GAP_PX if is_left else x + 2 * GAP_PX, 2.0), size)
        while (hit := _hit(spot, taken)) is not None:
            spot.moveTop(hit.bottom() + 1)
        words.setVisible(spot.bottom() <= area.bottom())
        words.setPos(spot.topLeft())
        taken.append(spot)


def _hit(spot: QRectF, taken: Iterable[QRectF]) -> QRectF | None:
    return next((one for one in taken if one.intersects(spot)), None)
