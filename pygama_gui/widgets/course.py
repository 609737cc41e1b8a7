"""Paints a quantity against time, as small as a word."""

from __future__ import annotations

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSize
from PyQt5.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QSizePolicy, QWidget

from pygama_gui.widgets import theme

SIZE = QSize(150, 26)
MARGIN = 2.0
BAND_ALPHA = 45


class CourseLine(QWidget):
    """points: (n, 2) in a box of 1 x 1, y up. band: lower and upper end of where they are expected."""

    def __init__(self, name: str, points: np.ndarray, band: tuple[float, float] | None) -> None:
        super().__init__()
        self.points, self.band = points, band
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self.setToolTip(f"{name}{', before the band it is expected in' if band is not None else ''}")

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the size."""
        return SIZE

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Paint the band and the line."""
        area = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.band is not None:
            low, high = self.band
            ground = theme.current().color("ok")
            ground.setAlpha(BAND_ALPHA)
            top, height = area.bottom() - high * area.height(), max((high - low) * area.height(), 1.0)
            painter.fillRect(QRectF(area.left(), top, area.width(), height), ground)
        painter.setPen(QPen(theme.current().color("accent"), 1.2))
        x = area.left() + area.width() * self.points[:, 0]
        y = area.bottom() - area.height() * self.points[:, 1]
        painter.drawPolyline(QPolygonF([QPointF(*at) for at in zip(x.tolist(), y.tolist(), strict=True)]))
