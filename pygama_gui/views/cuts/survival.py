"""Shows what of the events survives a cut along a column: a small line in the card, larger on a click."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QPainter, QPaintEvent, QPolygonF
from PyQt5.QtWidgets import QFrame, QToolButton, QVBoxLayout, QWidget

from pygama_gui.data import chain_facts
from pygama_gui.data.tally import CurveCounts
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import label
from pygama_gui.widgets.plot import Plot

LINE = QSize(74, 20)
MARGIN = 3
LARGE = QSize(560, 320)
FEW = 10
"""Bins with fewer events before the cut are left out of the small line."""


class SurvivalLine(QToolButton):
    """The share of the events that survives a cut, from the lowest to the highest values of a column."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("quiet")
        self.setFixedSize(LINE)
        self.setAccessibleName("Survival along the spectrum's column")
        self.found: CurveCounts | None = None
        self._name = ""
        self.large: SurvivalPicture | None = None
        self.clicked.connect(lambda _checked=False: self.open())
        self.hide()

    def show_curve(self, name: str, found: CurveCounts | None) -> None:
        """Show what survives a cut; None: nothing."""
        self.found, self._name = found, name
        self.setVisible(found is not None)
        if found is not None:
            self.setAccessibleName(f"Survival of {name} along {found.column}, larger on a click")
            self.setToolTip(
                f"What passes {name}, of what passed the cuts above, along {found.column}. Click: larger"
            )
        if self.large is not None and self.large.isVisible() and found is not None:
            self.large.show_curve(name, found)
        self.update()

    def open(self) -> None:
        """Show it larger, beside the card."""
        if self.found is None:
            return
        if self.large is None:
            self.large = SurvivalPicture(self)
        self.large.show_curve(self._name, self.found)
        self.large.place(self)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Paint the line between none and all."""
        super().paintEvent(event)
        if self.found is None:
            return
        present, area = theme.current(), QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        painter = QPainter(self)
        painter.setPen(present.pen("line"))
        for y in (area.top(), area.bottom()):
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(present.pen("accent"))
        for part in _stretches(self.found):
            at = area.left() + (part[:, 0] + 0.5) / len(self.found.n_in) * area.width()
            height = area.bottom() - part[:, 1] * area.height()
            pairs = zip(at.tolist(), height.tolist(), strict=True)
            painter.drawPolyline(QPolygonF([QPointF(*pair) for pair in pairs]))


def _stretches(found: CurveCounts) -> list[np.ndarray]:
    """Give places and shares, (n, 2), of neighbouring bins that hold enough."""
    bins = np.flatnonzero(found.n_in >= FEW)
    share = found.n_out[bins] / found.n_in[bins]
    gaps = np.flatnonzero(np.diff(bins) > 1) + 1
    return [part for part in np.split(np.column_stack((bins, share)), gaps) if len(part)]


class SurvivalPicture(QFrame):
    """The share that survives in each bin, with its interval; Esc or a click beside it closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("card")
        self.resize(LARGE)
        self.title, self.about = label(bold=True), label(tone="soft", px=theme.SMALL)
        self.plot = Plot("Survival", "", "passes (%)")
        self.bars, self.points = pg.PlotCurveItem(), pg.PlotCurveItem()
        for item in (self.bars, self.points):
            self.plot.addItem(item)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 6)
        column.setSpacing(4)
        for part in (self.title, self.about, self.plot):
            column.addWidget(part)
        column.setStretchFactor(self.plot, 1)

    def show_curve(self, name: str, found: CurveCounts) -> None:
        """Draw what survives a cut."""
        curve = found.curve
        self.title.setText(name)
        self.about.setText("Of what passed the cuts above, with the interval of one standard deviation")
        unit = chain_facts.unit_of(found.column)
        self.plot.label_axes(f"{found.column} ({unit})" if unit else found.column, "passes (%)")
        known = np.flatnonzero(found.n_in > 0)
        edges, shares = curve.edges, 100 * curve.value[known]
        middles = (edges[:-1] + edges[1:])[known] / 2
        ends = np.column_stack((100 * curve.low[known], 100 * curve.high[known])).ravel()
        self.bars.setData(np.repeat(middles, 2), ends, pen=theme.current().pen("accent"), connect="pairs")
        sides = np.column_stack((edges[:-1][known], edges[1:][known])).ravel()
        self.points.setData(sides, np.repeat(shares, 2), pen=theme.current().pen("accent"), connect="pairs")
        self.plot.box.setXRange(float(edges[0]), float(edges[-1]), padding=0)
        self.plot.box.setYRange(-2.0, 102.0, padding=0)
        self.plot.setAccessibleDescription(f"{len(known)} bins of {found.column}")

    def place(self, beside: QWidget) -> None:
        """Open at the left of a widget, on the screen."""
        self.plot.recolor()
        at = beside.mapToGlobal(QPoint(0, beside.height()))
        screen = beside.screen().availableGeometry()
        x = min(max(at.x() - self.width(), screen.left()), screen.right() - self.width())
        y = min(max(at.y(), screen.top()), screen.bottom() - self.height())
        self.move(x, y)
        self.show()
