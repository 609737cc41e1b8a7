"""Draws two columns against each other: an image of counts, projections at its edges, profile and points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QWidget

from pygama_gui.data.linked import Axis
from pygama_gui.data.plane import Points, Profile
from pygama_gui.widgets import theme
from pygama_gui.widgets.plot import DRAG_PX, ZOOM_OUT, Plot, ZoomBox, grouped_ticks, histogram_path
from pygama_gui.widgets.shades import ShadeBar, color_table, grey_table

EDGE_PX = 84
"""Height of the projection on x, width of that on y."""
FLAT_PX = 16
"""A band that is lower than this zooms x alone, one that is narrower y alone."""
X_AXIS_PX, ABOVE_PX = 40, 6
POINT_PX, SMALL_POINT_PX, MANY_POINTS = 5, 3, 1500
PICK_PX = 12
"""A click hits a point that is not farther than this."""


class PlaneBox(ZoomBox):
    """A view box of two quantities: a band zooms both, or one where it is flat."""

    clicked = pyqtSignal(object, object)
    """Where, and the keys that were held."""
    band_dragged = pyqtSignal(object)
    """The corners of a band that was wanted, as a QRectF."""

    def __init__(self) -> None:
        super().__init__()
        self.region_along = ""
        """'x' or 'y': the region that is wanted goes over all of the other axis."""

    def mark_zoomed(self, *, x: bool = False, y: bool = False) -> None:
        """Keep what is seen: somebody chose it."""
        self._mark_zoomed(x=x, y=y)

    def mouseClickEvent(self, event: Any) -> None:  # noqa: N802  (pyqtgraph's name)
        """Tell where somebody clicked."""
        if event.button() == Qt.MouseButton.LeftButton and not event.double():
            event.accept()
            self.clicked.emit(self.mapSceneToView(event.scenePos()), event.modifiers())

    def zoom(self, factor: float) -> None:
        """See `factor` times as much of both, around the middle."""
        (x0, x1), (y0, y1) = self.viewRange()
        self._scale(x=factor, y=factor, at=QPointF((x0 + x1) / 2, (y0 + y1) / 2))

    def pan_by(self, x: float, y: float) -> None:
        """Go a share of what is in view to the right and up."""
        (x0, x1), (y0, y1) = self.viewRange()
        self.translateBy(x=x * (x1 - x0), y=y * (y1 - y0))
        self._mark_zoomed(x=x != 0, y=y != 0)

    def _drag_band(self, event: Any, *, is_region: bool) -> None:
        start, end = event.buttonDownPos(), event.pos()
        band = self._band_of(start, end, is_region=is_region)
        if not event.isFinish():
            self._show_band(band.left(), band.right(), is_region=is_region)
            if self._band is not None:
                self._band.setRect(band)
            return
        self._hide_band()
        if max(abs(end.x() - start.x()), abs(end.y() - start.y())) < DRAG_PX:
            return
        view = self.mapToView(band.topLeft()), self.mapToView(band.bottomRight())
        corners = QRectF(*view).normalized()
        if is_region:
            self.is_region_wanted = False
            self.band_dragged.emit(corners)
        elif end.x() < start.x() - DRAG_PX:
            self.zoom(ZOOM_OUT)
        else:
            self._zoom_to(corners, is_x=band.width() < self.width(), is_y=band.height() < self.height())

    def _band_of(self, start: QPointF, end: QPointF, *, is_region: bool) -> QRectF:
        """Give the band between two places; over all of x or y where it is flat and no region."""
        band = QRectF(start, end).normalized()
        is_flat = band.height() < FLAT_PX <= band.width() and not is_region
        is_thin = band.width() < FLAT_PX <= band.height() and not is_region
        if is_flat or (is_region and self.region_along == "x"):
            band = QRectF(band.left(), 0.0, band.width(), self.height())
        elif is_thin or (is_region and self.region_along == "y"):
            band = QRectF(0.0, band.top(), self.width(), band.height())
        return band

    def _zoom_to(self, corners: QRectF, *, is_x: bool, is_y: bool) -> None:
        if is_x:
            self.setXRange(corners.left(), corners.right(), padding=0)
        if is_y:
            self.setYRange(corners.top(), corners.bottom(), padding=0)
        self._mark_zoomed(x=is_x, y=is_y)


class StillBox(ZoomBox):
    """A view box that follows another one and takes no mouse."""

    def __init__(self) -> None:
        super().__init__()
        self.setMouseEnabled(x=False, y=False)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802  (Qt's name)
        """Leave the wheel to others."""
        event.ignore()

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802  (pyqtgraph's name)
        """Leave drags to others."""
        event.ignore()


class EdgePlot(Plot):
    """The projection at an edge of the plane: its long axis is that of the plane, and not written again."""

    def __init__(self, name: str, *, is_upright: bool) -> None:
        super().__init__(name, "", "", box=StillBox())
        self._is_upright = is_upright
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(False)
        self.frame.grid.setContentsMargins(0, ABOVE_PX, 0 if is_upright else 8, 0)
        if is_upright:
            self.setFixedWidth(EDGE_PX)
            self.y_axis.hide()
        else:
            self.setFixedHeight(EDGE_PX)
            self.x_axis.hide()
        self.curve, self.inside = pg.PlotCurveItem(), pg.PlotCurveItem()
        for z, curve in enumerate((self.curve, self.inside)):
            curve.setZValue(z)
            self.addItem(curve)

    def _write_labels(self) -> None:
        """Write none: what the axes are stands at the plane."""

    def draw(self, axis: Axis, counts: np.ndarray, inside: np.ndarray | None) -> None:
        """Draw the sums of the plane, and of what lies inside a gate."""
        present = theme.current()
        top = max(float(counts.max(initial=0)), 1.0)
        ends = (-0.04 * top, 1.08 * top)
        view = (axis.low, axis.high)
        for curve, values, token in ((self.curve, counts, "accent"), (self.inside, inside, "marker")):
            if values is None:
                curve.setData([], [])
                continue
            x, y = histogram_path(axis.edges, values, view, 4000)
            x, y = np.concatenate((x[:1], x, x[-1:])), np.concatenate(([0.0], y, [0.0]))
            brush = present.color("fill") if token == "accent" else None
            pairs = (y, x) if self._is_upright else (x, y)
            curve.setData(*pairs, pen=present.pen(token), fillLevel="enclosed", brush=brush)
        self._set_height(ends)
        if self._is_upright:
            number = 10.0 ** math.floor(math.log10(top))
            number *= next(step for step in (5, 2, 1) if step * number <= top)
            self.x_axis.setTicks([[(0.0, "0"), (number, grouped_ticks([f"{number:g}"])[0])]])

    def _set_height(self, ends: tuple[float, float]) -> None:
        if self._is_upright:
            self.box.setXRange(*ends, padding=0)
        else:
            self.box.setYRange(*ends, padding=0)

    def follow(self, view: tuple[float, float]) -> None:
        """See what the plane sees."""
        if self._is_upright:
            self.box.setYRange(*view, padding=0)
        else:
            self.box.setXRange(*view, padding=0)

    def clear_curves(self) -> None:
        """Draw nothing."""
        self.curve.setData([], [])
        self.inside.setData([], [])


class PlanePlot(QWidget):
    """The plane with its edges and the bar of its colours."""

    def __init__(self) -> None:
        super().__init__()
        self.box = PlaneBox()
        self.plot = Plot("Plane plot", "", "", box=self.box)
        self.top = EdgePlot("Projection on x", is_upright=False)
        self.right = EdgePlot("Projection on y", is_upright=True)
        self.bar = ShadeBar((ABOVE_PX, X_AXIS_PX))
        self.behind, self.image = pg.ImageItem(), pg.ImageItem()
        self.points = pg.ScatterPlotItem(size=POINT_PX, pen=None, pxMode=True)
        self.points.mouseClickEvent = lambda event: event.ignore()  # clicks are for the box
        self.chosen = pg.ScatterPlotItem(size=3 * POINT_PX, pxMode=True)
        self.profile, self.profile_low, self.profile_high = (pg.PlotCurveItem() for _ in range(3))
        self.bars = pg.PlotCurveItem()
        self._points = Points(np.empty(0, np.intp), np.empty(0), np.empty(0))
        items = (self.behind, self.image, self.points, self.profile_low, self.profile_high, self.bars)
        for z, item in enumerate((*items, self.profile, self.chosen)):
            item.setZValue(z - 20)
            self.plot.addItem(item)
        self._lay_out()
        self.box.sigRangeChanged.connect(lambda *_: self._follow())
        self.recolor()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.top, 0, 0)
        grid.addWidget(self.plot, 1, 0)
        grid.addWidget(self.right, 1, 1)
        grid.addWidget(self.bar, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setRowStretch(1, 1)

    def show_edges(self, *, is_wanted: bool) -> None:
        """Show the projections, or leave the room to the plane."""
        self.top.setVisible(is_wanted)
        self.right.setVisible(is_wanted)

    def _follow(self) -> None:
        x, y = (tuple(ends) for ends in self.box.viewRange())
        self.top.follow(x)
        self.right.follow(y)

    def draw_image(self, shades: np.ndarray | None, behind: np.ndarray | None, x: Axis, y: Axis) -> None:
        """Draw places in the table of colours, (n_x, n_y) uint8, and in that of greys behind them."""
        place = QRectF(x.low, y.low, x.high - x.low, y.high - y.low)
        tables = (color_table(theme.current().name), grey_table())
        for item, values, table in zip((self.image, self.behind), (shades, behind), tables, strict=True):
            item.setVisible(values is not None)
            if values is not None:
                # Colours are looked up here: the item would hand its table to Qt number by number.
                item.setImage(np.take(table, values, axis=0), autoLevels=False)
                item.setRect(place)

    def draw_profile(self, profile: Profile | None) -> None:
        """Draw a profile with the errors of its slices, and the middle 68 % where that is known."""
        none = np.empty(0)
        x, y = (none, none) if profile is None else (profile.x, profile.y)
        bars = (none, none)
        if profile is not None:
            ends = np.column_stack((profile.y - profile.error, profile.y + profile.error))
            bars = (np.repeat(x, 2), ends.ravel())
        low, high = (none if profile is None or part is None else part for part in _band(profile))
        pen = theme.current().pen("text")
        self.profile.setData(x, y, pen=pen, connect="finite")
        known = np.isfinite(bars[0])
        self.bars.setData(bars[0][known], bars[1][known], pen=pen, connect="pairs")
        for curve, part in ((self.profile_low, low), (self.profile_high, high)):
            dots = theme.current().pen("text", Qt.PenStyle.DotLine)
            curve.setData(x[: len(part)], part, pen=dots, connect="finite")

    def draw_points(self, points: Points | None) -> None:
        """Draw single events."""
        self._points = points or Points(np.empty(0, np.intp), np.empty(0), np.empty(0))
        size = POINT_PX if len(self._points.x) < MANY_POINTS else SMALL_POINT_PX
        brush = theme.current().color("accent")
        self.points.setData(x=self._points.x, y=self._points.y, brush=brush, size=size)

    def mark_point(self, at: tuple[float, float] | None) -> None:
        """Draw a ring around an event."""
        x, y = ([], []) if at is None else ([at[0]], [at[1]])
        ring = pg.mkPen(theme.current().color("marker"), width=2)
        self.chosen.setData(x=x, y=y, pen=ring, brush=None)

    def point_at(self, at: QPointF) -> int | None:
        """Give the place among the points of the one that lies at a place of the view; None if none does."""
        if not len(self._points.rows):
            return None
        width, height = self.box.viewPixelSize()
        distance = np.hypot((self._points.x - at.x()) / width, (self._points.y - at.y()) / height)
        nearest = int(np.argmin(distance))
        return nearest if distance[nearest] <= PICK_PX else None

    def clear(self) -> None:
        """Draw nothing."""
        self.image.hide()
        self.behind.hide()
        self.draw_profile(None)
        self.draw_points(None)
        self.mark_point(None)
        self.top.clear_curves()
        self.right.clear_curves()
        self.bar.show_scale(None)

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        for plot in (self.plot, self.top, self.right):
            plot.recolor()
        self.bar.update()


def _band(profile: Profile | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    return (None, None) if profile is None else (profile.low, profile.high)
