"""Draws curves with the mouse and the colours of this program: plots, axes, regions.

pyqtgraph's own mouse (left-drag pans) is known to nobody in this field, so its view box is replaced: drag
to the right to zoom into a band, to the left to zoom out, wheel to zoom, Ctrl-drag to pan, Alt- or
Shift-drag for a region. Histograms are thinned to pixels here; pyqtgraph's step mode cannot be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QContextMenuEvent, QFocusEvent, QFontMetrics, QMouseEvent, QPainterPath, QResizeEvent
from PyQt5.QtWidgets import QAction, QGraphicsGridLayout, QMenu, QSizePolicy, QWidget

from pygama.utils import grouped_text
from pygama_gui.session.pictured import Zoom
from pygama_gui.widgets import menu_words, theme
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import label

pg.setConfigOptions(antialias=False, useOpenGL=False)

ZOOM_OUT = 2.0
DRAG_PX = 5
TICK = -4
LOWEST_PLOT, LOW_PLOT, WIDE_PLOT = 110, 170, 420
"""A plot lower and wider than this, in pixels, has its legend in one line."""
LOG_FLOOR = math.log10(0.5)
AXIS, LOW_AXIS, LABEL_GAP = 40, 24, 4
"""Height of the axis below with its label below the numbers or at their end; room before that label."""
LEGEND_SHARE = 0.5
"""Part of a plot's height from which on a legend is away: the curves would have no room."""
LABEL_SHARE, LABEL_FROM = 0.5, 340
"""Part of the axis, at most, that a label takes at the end of the numbers, in a plot so wide, in pixels."""
LEGEND_GAP, LOW_LEGEND_GAP, LOW_LEGEND_MARGIN = 10, 3, 2
"""Pixels between a legend and the end of its plot, and within it above and below its one line."""
AXIS_ROOM, HINT_MARGIN = 76, 8
AROUND_LABEL = 16
"""Pixels that are left free at both sides of an axis and of the text of its label, all together."""
"""Width of the axis on the left, with room for -200 000, and what is kept free on either side of a hint."""


class ZoomBox(pg.ViewBox):
    """A view box with this program's mouse. `zoomed` is true once a person chose what to see."""

    region_dragged = pyqtSignal(float, float)
    double_clicked = pyqtSignal(object)
    zoom_changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.zoomed_x = False
        self.zoomed_y = False
        self.is_region_wanted = False
        self.grips: Callable[[Any], bool] = lambda _event: False
        """Takes a drag for itself, where there is something to be moved."""
        self.stands_on_floor = False
        """Whether heights are counted from the bottom: it stays where it is when y is zoomed."""
        self._is_given_up = False
        """Whether the rest of a drag does nothing."""
        self._band: pg.QtWidgets.QGraphicsRectItem | None = None
        self._focus_mark = pg.QtWidgets.QGraphicsPathItem(self)
        self._focus_mark.setZValue(1e9)
        self._focus_mark.hide()
        self.sigResized.connect(self._place_focus_mark)
        self.color_focus()
        self.setMouseEnabled(x=True, y=True)
        self.disableAutoRange()
        self.setDefaultPadding(0)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802  (Qt's name)
        """Move what is under the hand, or else zoom, pan or mark a region."""
        event.accept()
        self._is_given_up &= not event.isStart()
        if self.grips(event) or self._is_given_up:
            return
        modifiers = event.modifiers()
        if modifiers & Qt.KeyboardModifier.ControlModifier or event.button() == Qt.MouseButton.MiddleButton:
            self._pan(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            wants_region = modifiers & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier)
            self._drag_band(event, is_region=bool(wants_region) or self.is_region_wanted)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802  (Qt's name)
        """Zoom x at the cursor; y with Shift."""
        event.accept()
        factor = 1.02 ** (-event.delta() * 0.125)
        at = self.mapSceneToView(event.scenePos())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or axis == 1:
            bottom = self.viewRange()[1][0]
            self._scale(y=factor, at=QPointF(at.x(), bottom) if self.stands_on_floor else at)
        else:
            self._scale(x=factor, at=at)

    def mouseDoubleClickEvent(self, event: Any) -> None:  # noqa: N802  (Qt's name)
        """Tell where somebody clicked twice."""
        event.accept()
        self.double_clicked.emit(self.mapSceneToView(event.scenePos()))

    def show_focus(self, *, is_here: bool) -> None:
        """Show by a line along the axes whether keys go here."""
        self._focus_mark.setVisible(is_here)

    def color_focus(self) -> None:
        """Take the colour of the present theme."""
        self._focus_mark.setPen(theme.current().pen("accent"))

    def _place_focus_mark(self) -> None:
        path = QPainterPath(QPointF(0.0, 0.0))
        path.lineTo(0.0, self.height())
        path.lineTo(self.width(), self.height())
        self._focus_mark.setPath(path)

    def zoom(self, factor: float) -> None:
        """See `factor` times as much of x, around the middle."""
        (x0, x1), _ = self.viewRange()
        self._scale(x=factor, at=QPointF((x0 + x1) / 2, 0.0))

    def pan(self, share: float) -> None:
        """Go a share of what is in view to the right."""
        (x0, x1), _ = self.viewRange()
        self.translateBy(x=share * (x1 - x0))
        self._mark_zoomed(x=True)

    def cancel(self) -> None:
        """Give up a region that was to be marked, and what is being dragged until the button is up."""
        self.is_region_wanted, self._is_given_up = False, True
        self._hide_band()

    @property
    def zoom_taken(self) -> Zoom:
        """What a person chose to see."""
        x, y = ((float(low), float(high)) for low, high in self.viewRange())
        return x if self.zoomed_x else None, y if self.zoomed_y else None

    def take_zoom(self, zoom: Zoom) -> None:
        """See again what a person chose to see."""
        x, y = zoom
        self.zoomed_x, self.zoomed_y = x is not None, y is not None
        if x is not None:
            self.setXRange(*x, padding=0)
        if y is not None:
            self.setYRange(*y, padding=0)
        self.zoom_changed.emit()

    def forget_zoom(self) -> None:
        """Let the program choose again what to see."""
        self.zoomed_x = self.zoomed_y = False
        self.zoom_changed.emit()

    def _pan(self, event: Any) -> None:
        moved = self.mapToView(event.pos()) - self.mapToView(event.lastPos())
        self.translateBy(x=-moved.x(), y=-moved.y())
        self._mark_zoomed(x=True, y=True)

    def _scale(self, *, x: float = 1.0, y: float = 1.0, at: QPointF) -> None:
        self.scaleBy(x=x, y=y, center=at)
        self._mark_zoomed(x=x != 1.0, y=y != 1.0)

    def _drag_band(self, event: Any, *, is_region: bool) -> None:
        start, end = event.buttonDownPos(), event.pos()
        if not event.isFinish():
            self._show_band(start.x(), end.x(), is_region=is_region)
            return
        self._hide_band()
        if abs(end.x() - start.x()) < DRAG_PX:
            return
        low, high = sorted((self.mapToView(start).x(), self.mapToView(end).x()))
        if is_region:
            self.is_region_wanted = False
            self.region_dragged.emit(low, high)
        elif end.x() < start.x():
            self.zoom(ZOOM_OUT)
        else:
            self.setXRange(low, high, padding=0)
            self._mark_zoomed(x=True)

    def _mark_zoomed(self, *, x: bool = False, y: bool = False) -> None:
        self.zoomed_x |= x
        self.zoomed_y |= y
        self.zoom_changed.emit()

    def _show_band(self, x0: float, x1: float, *, is_region: bool) -> None:
        if self._band is None:
            self._band = pg.QtWidgets.QGraphicsRectItem(self)
            self._band.setZValue(1e9)
        token = "marker" if is_region else "accent"
        color = theme.current().color(token)
        self._band.setPen(theme.current().pen(token))
        color.setAlpha(40)
        self._band.setBrush(color)
        self._band.setRect(QRectF(min(x0, x1), 0, abs(x1 - x0), self.height()))
        self._band.show()

    def _hide_band(self) -> None:
        if self._band is not None:
            self._band.hide()


class PlainAxis(pg.AxisItem):
    """An axis in the unit it is given in."""

    def updateAutoSIPrefix(self) -> None:  # noqa: N802  (pyqtgraph's name)
        """Leave the label alone: pyqtgraph would lay out its text anew whenever the view moves."""
        self.picture = None
        self.update()


class CountAxis(PlainAxis):
    """The y axis of a histogram, in counts also where the heights are logarithms."""

    is_log = False

    def generateDrawSpecs(self, painter: Any) -> Any:  # noqa: N802  (Qt's name)
        """Leave out the numbers that would lie on the one below, as in a very low plot."""
        specs = super().generateDrawSpecs(painter)
        if specs is None:
            return None
        axis, ticks, texts = specs
        kept: list[Any] = []
        for text in sorted((one for one in texts if one[2]), key=lambda one: -one[0].bottom()):
            if not kept or text[0].bottom() <= kept[-1][0].top():
                kept.append(text)
        return axis, ticks, kept

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        """Give decades and their parts where the heights are logarithms."""
        if not self.is_log:
            return super().tickValues(low, high, size)
        decades = [float(n) for n in range(math.ceil(low), math.floor(high) + 1)]
        parts = [n + math.log10(k) for n in range(math.floor(low), math.ceil(high)) for k in range(2, 10)]
        return [(1.0, decades), (0.1, [value for value in parts if low <= value <= high])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Write counts."""
        if not self.is_log:
            return grouped_ticks(super().tickStrings(values, scale, spacing))
        return [_power_of_ten(value) if spacing == 1.0 else "" for value in values]


class ValueAxis(PlainAxis):
    """An axis whose numbers are grouped with narrow spaces; its label stands below them, or at their end."""

    is_low = False

    def lay_low(self, *, is_low: bool) -> None:
        """Write the label at the end of the line of numbers, in place of those there, or below it."""
        if is_low != self.is_low:
            self.is_low = is_low
            self.setHeight(LOW_AXIS if is_low else AXIS)
            self.resizeEvent()

    def generateDrawSpecs(self, painter: Any) -> Any:  # noqa: N802  (Qt's name)
        """Leave out the numbers where the label stands, and those that would touch another."""
        specs = super().generateDrawSpecs(painter)
        if specs is None:
            return None
        axis, ticks, texts = specs
        end = self.label.x() - LABEL_GAP if self.is_low and self.label.isVisible() else math.inf
        return axis, ticks, _apart([text for text in texts if text[0].right() < end])

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Write the numbers."""
        return grouped_ticks(super().tickStrings(values, scale, spacing))

    def resizeEvent(self, event: Any = None) -> None:  # noqa: N802  (Qt's name)
        """Keep the label inside; pyqtgraph lets it hang over the edge, and '_' is lost."""
        super().resizeEvent(event)
        size, words = self.size(), self.label.boundingRect()
        self.label.setY(size.height() - words.height())
        if self.is_low:
            self.label.setX(size.width() - words.width())


def _apart(texts: list[Any]) -> list[Any]:
    """Give the numbers of an axis that stand clear of the one before: (rectangle, flags, text) each."""
    kept: list[Any] = []
    for text in sorted(texts, key=lambda one: one[0].left()):
        if not kept or text[0].left() >= kept[-1][0].right() + LABEL_GAP:
            kept.append(text)
    return kept


class Frame(pg.GraphicsWidget):
    """A view box with an axis on its left and one below.

    pyqtgraph's PlotItem holds two more axes, a title and a form of forty controls that nobody sees here: they
    take three quarters of the time in which a plot is made.
    """

    def __init__(self, box: ZoomBox, left: pg.AxisItem, bottom: pg.AxisItem) -> None:
        super().__init__()
        self.grid = QGraphicsGridLayout(self)
        self.grid.setSpacing(0)
        for item, row, column in ((box, 0, 1), (left, 0, 0), (bottom, 1, 1)):
            self.grid.addItem(item, row, column)
        self.grid.setRowStretchFactor(0, 1)
        self.grid.setColumnStretchFactor(1, 1)
        for axis in (left, bottom):
            axis.linkToView(box)
            axis.setZValue(-1000)  # else the grid is drawn over curves and words


class Plot(pg.GraphicsView):
    """A plot without title, with quantity and unit on its axes, a faint grid and thin lines."""

    labels_in_line = True
    """Whether the label below moves to the end of the numbers where the plot is low."""

    def __init__(
        self,
        name: str,
        x_label: str,
        y_label: str,
        parent: QWidget | None = None,
        *,
        box: ZoomBox | None = None,
        x_axis: ValueAxis | None = None,
    ) -> None:
        self.box = box or ZoomBox()
        self.x_axis = x_axis or ValueAxis("bottom")
        self.y_axis = CountAxis("left")
        super().__init__(parent)
        self.frame = Frame(self.box, self.y_axis, self.x_axis)
        self.frame.grid.setContentsMargins(0, 6, 8, 0)
        self.setCentralItem(self.frame)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(False)  # files are for the window; a graphics view would swallow them
        self.viewport().setAcceptDrops(False)
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.labels = {"bottom": x_label, "left": y_label}
        self._short_y_label = y_label
        self._written: dict[str, str] = {}
        self.fill_menu: Callable[[QMenu], None] | None = None
        for axis in (self.x_axis, self.y_axis):
            axis.setStyle(tickLength=TICK, tickFont=theme.font(theme.SMALL), maxTickLevel=1)
            axis.enableAutoSIPrefix(False)
        self.y_axis.setWidth(AXIS_ROOM)
        self.x_axis.setHeight(AXIS)
        self._hint = label(tone="soft")
        self._hint.setParent(self)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.hide()
        self.recolor()

    def addItem(self, item: Any) -> None:  # noqa: N802  (pyqtgraph's name)
        """Draw something in the coordinates of the axes."""
        self.box.addItem(item, ignoreBounds=True)

    def removeItem(self, item: Any) -> None:  # noqa: N802  (pyqtgraph's name)
        """Take away what was drawn."""
        self.box.removeItem(item)

    def close(self) -> bool:
        """Close as any widget does; pyqtgraph would take away what is drawn first, and the plot lives on."""
        return QWidget.close(self)

    def show_hint(self, text: str) -> None:
        """Say in the middle of an empty plot what would be there; empty: nothing."""
        if bool(text) != bool(self._hint.text()):
            for axis in (self.x_axis, self.y_axis):
                axis.setStyle(showValues=not text, tickLength=0 if text else TICK)
                axis.setGrid(False if text else 255)
        self._hint.setText(text)
        self._hint.setVisible(bool(text))
        self._place_hint()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Keep the hint in the middle."""
        super().resizeEvent(event)
        if hasattr(self, "_hint"):
            self._place_hint()
            self._lay_low()
            self._write_labels()

    def _place_hint(self) -> None:
        room = max(self.width() - AXIS_ROOM - 2 * HINT_MARGIN, 1)
        metrics = self._hint.fontMetrics()
        wide = min(max(metrics.horizontalAdvance(line) for line in self._hint.text().split("\n")) + 2, room)
        self._hint.setFixedWidth(wide)
        self._hint.setFixedHeight(max(self._hint.heightForWidth(wide), 0))
        self._hint.move((self.width() + AXIS_ROOM - wide) // 2, (self.height() - self._hint.height()) // 2)

    def label_axes(self, x_label: str, y_label: str, short_y_label: str = "") -> None:
        """Name the quantity and the unit of the axes. short_y_label: where there is no room for the whole."""
        self.labels = {"bottom": x_label, "left": y_label}
        self._short_y_label = short_y_label or y_label
        self._lay_low()
        self._write_labels()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        present = theme.current()
        self.setBackground(present.color("panel"))
        for axis in (self.x_axis, self.y_axis):
            axis.setPen(present.pen("line"))
            axis.setTickPen(present.pen("grid"))
            axis.setTextPen(present.color("soft"))
            axis.setGrid(False if self._hint.text() else 255)
        self.box.color_focus()
        self._written = {}
        self._write_labels()

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show that keys go here."""
        super().focusInEvent(event)
        self.box.show_focus(is_here=True)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show that keys go elsewhere."""
        super().focusOutEvent(event)
        self.box.show_focus(is_here=False)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Forget a press whose release went to a menu: beside it pyqtgraph would take no drag."""
        if event is not None and event.buttons() == event.button():
            self.scene().clickEvents, self.scene().dragButtons = [], []
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show our own menu."""
        if event is None or self.fill_menu is None:
            return
        menu = Menu("", self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(event.globalPos())

    def _write_labels(self) -> None:
        metrics, room = QFontMetrics(theme.font(theme.SMALL)), self._room_for_y()
        names = (self.labels["left"], self._short_y_label)
        left = next((name for name in names if metrics.horizontalAdvance(name) < room), "")
        wanted = {"bottom": self._fitting(self.labels["bottom"]), "left": left}
        if wanted == self._written:
            return
        self._written = wanted
        axes = {"bottom": self.x_axis, "left": self.y_axis}
        for side, text in wanted.items():
            style = {"color": theme.current().tokens["soft"], "font-size": f"{theme.SMALL}px"}
            axes[side].setLabel(text, **style)
        for axis in (self.x_axis, self.y_axis):
            axis.resizeEvent()  # puts the label in its place, which setLabel does not
        self.viewport().update()  # else bits of a longer label stay where it stood

    def _fitting(self, label: str) -> str:
        """Leave out the unit where a narrow plot has no room, and the end of what is still too long."""
        metrics, room = QFontMetrics(theme.font(theme.SMALL)), self.width() - AXIS_ROOM - AROUND_LABEL
        if metrics.horizontalAdvance(label) < room or room <= 0:
            return label
        return metrics.elidedText(label.partition(" (")[0], Qt.TextElideMode.ElideRight, room)

    def _lay_low(self) -> None:
        """Let a low plot give its curves the line of the label."""
        room = LABEL_SHARE * (self.width() - AXIS_ROOM)
        fits = QFontMetrics(theme.font(theme.SMALL)).horizontalAdvance(self.labels["bottom"]) < room
        is_flat = self.height() < LOW_PLOT and self.width() >= LABEL_FROM
        self.x_axis.lay_low(is_low=self.labels_in_line and fits and is_flat)

    def _room_for_y(self) -> float:
        return self.height() - (LOW_AXIS if self.x_axis.is_low else self.x_axis.height()) - 6.0


class Legend(pg.LegendItem):
    """Names of curves in a quiet box, at the left or at the right."""

    def __init__(self, plot: Plot, *, is_left: bool = True) -> None:
        offset = (12 if is_left else -12, LEGEND_GAP)
        super().__init__(offset=offset, labelTextSize=f"{theme.SMALL}px", verSpacing=0)
        self._plot = plot
        self._margins = self.layout.getContentsMargins()
        self.is_at_top, self.is_in_line = True, False
        self.setParentItem(plot.box)
        self.recolor()

    def place(self, *, at_top: bool) -> None:
        """Go to the top or to the bottom, in one line where the plot is low; away where there is no room."""
        is_low, is_wide = self._plot.box.height() < LOW_PLOT, self._plot.box.width() > WIDE_PLOT
        self.setColumnCount(max(len(self.items), 1) if is_low and is_wide else 1)
        if (at_top, is_low and is_wide) != (self.is_at_top, self.is_in_line):
            self.is_at_top, self.is_in_line = at_top, is_low and is_wide
            left, top, right, bottom = self._margins
            if self.is_in_line:
                top = bottom = LOW_LEGEND_MARGIN
            self.layout.setContentsMargins(left, top, right, bottom)
            self.updateSize()
            corner = (0, 0) if at_top else (0, 1)
            gap = LOW_LEGEND_GAP if self.is_in_line else LEGEND_GAP
            self.anchor(corner, corner, offset=(12, gap if at_top else -gap))
        self.setVisible((is_wide or self._plot.box.height() > LOWEST_PLOT) and self._has_room())

    def _has_room(self) -> bool:
        box, place = self._plot.box, self.geometry()
        return place.right() < box.width() and place.height() < LEGEND_SHARE * box.height()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        present = theme.current()
        background = present.color("panel")
        background.setAlpha(225)
        self.setBrush(background)
        self.setPen(present.pen("line"))
        self.setLabelTextColor(present.color("text"))
        for _, words in self.items:
            words.setText(words.text, color=present.color("text"))


def histogram_path(
    edges: np.ndarray,
    counts: np.ndarray,
    view: tuple[float, float],
    width_px: int,
    *,
    is_log: bool = False,
    unit: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Give the outline of the bins in view: steps, or the least and the most of each pixel where they crowd.

    edges: (n + 1,), counts: (n,). unit: height of a count. Heights are log10 with a floor of half a count
    where `is_log`.
    """
    first = max(int(np.searchsorted(edges, view[0], side="right")) - 2, 0)
    last = min(int(np.searchsorted(edges, view[1], side="left")) + 1, len(counts))
    if last <= first:
        return np.empty(0), np.empty(0)
    edges, heights = edges[first : last + 1], heights_of(counts[first:last], is_log=is_log, unit=unit)
    per_pixel = len(heights) // max(2 * width_px, 1)
    if per_pixel > 1:
        edges, heights = _thinned(edges, heights, per_pixel)
    return np.repeat(edges, 2)[1:-1], np.repeat(heights, 2)


def heights_of(counts: np.ndarray, *, is_log: bool, unit: float = 1.0) -> np.ndarray:
    """Give where counts are drawn, (n,): as they are, or log10 with a floor of half a count."""
    if not is_log:
        return np.asarray(counts, np.float64) * unit
    return np.log10(np.maximum(counts, 0.5) * unit)


def _thinned(edges: np.ndarray, heights: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Put two bins, the least and the most, in place of 2 n bins."""
    n_groups = len(heights) // (2 * n)
    whole = heights[: n_groups * 2 * n].reshape(n_groups, 2 * n)
    pairs = np.column_stack((whole.min(axis=1), whole.max(axis=1))).ravel()
    rest = heights[n_groups * 2 * n :]
    kept_edges = np.concatenate((edges[: n_groups * 2 * n : n], edges[n_groups * 2 * n :]))
    return kept_edges, np.concatenate((pairs, rest))


def grouped_ticks(texts: Sequence[str]) -> list[str]:
    """Group the thousands of tick labels from 10 000 on."""
    return [grouped_text(text) for text in texts]


def _power_of_ten(exponent: float) -> str:
    if exponent >= 0:
        return grouped_text(str(10 ** round(exponent)))
    return f"{10.0 ** round(exponent):.{-round(exponent)}f}" if exponent >= -4 else f"1e{round(exponent)}"


Entry = tuple[str, str, Callable[[], object]] | None
"""Of a menu: words with other names behind a bar, key, and what it does; None is a line between entries."""


def plot_actions(
    owner: QWidget, entries: Sequence[Entry], first: Callable[[], None] = lambda: None
) -> list[QAction]:
    """Make actions with keys that work while their view has the focus.

    first: is done before each of them, but for those whose keys are later made to work everywhere.
    """

    def done(action: QAction, act: Callable[[], None]) -> None:
        if action.shortcutContext() != Qt.ShortcutContext.WindowShortcut or action.shortcut().isEmpty():
            first()
        act()

    actions = []
    for entry in entries:
        words, key, act = entry or ("", "", lambda: None)
        action = menu_words.name(QAction(owner), words)
        action.setSeparator(entry is None)
        if key:
            action.setShortcut(key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _checked=False, one=action, act=act: done(one, act))
        owner.addAction(action)
        actions.append(action)
    return actions
