"""Shows the waveform of one event in a corner of another picture: painted, not a plot of its own."""

from __future__ import annotations

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PyQt5.QtWidgets import QWidget

from pygama_gui.widgets import theme

SIZE = (230, 120)
MARGIN, TITLE = 8, 18
CORNER = 8


class Peek(QWidget):
    """A small waveform with a line of words above it, at the upper right of its parent."""

    opened = pyqtSignal()
    """Somebody clicked, to see more of it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(*SIZE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Waveform of the chosen event")
        self.setToolTip("Click to see it in Waveforms")
        self.words = ""
        self.waveform: np.ndarray | None = None
        self.hide()

    def show_waveform(self, words: str, waveform: np.ndarray | None) -> None:
        """Show a waveform, (n_samples,); None: only the words."""
        self.words, self.waveform = words, waveform
        self.setAccessibleDescription(words)
        self.show()
        self.raise_()
        self.update()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Ask for more."""
        if event is not None:
            event.accept()
            self.opened.emit()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Paint the waveform under its words."""
        present = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(present.pen("line"))
        painter.setBrush(present.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CORNER, CORNER)
        inside = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        painter.setFont(theme.font(theme.SMALL))
        painter.setPen(present.color("soft"))
        text = self.fontMetrics().elidedText(self.words, Qt.TextElideMode.ElideRight, round(inside.width()))
        painter.drawText(inside, int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft), text)
        if self.waveform is not None and len(self.waveform) > 1:
            painter.setPen(present.pen("trace"))
            painter.drawPolyline(outline(self.waveform, inside.adjusted(0, TITLE, 0, 0)))


def outline(waveform: np.ndarray, area: QRectF) -> QPolygonF:
    """Give the line of a waveform in an area: the least and the most of each pixel where samples crowd."""
    heights = waveform.astype(np.float64)
    n = max(len(heights) // max(int(area.width()), 1), 1)
    places = np.arange(len(heights), dtype=np.float64)
    if n > 1:
        groups = heights[: len(heights) // n * n].reshape(-1, n)
        heights = np.column_stack((groups.min(axis=1), groups.max(axis=1))).ravel()
        places = np.repeat(places[: len(groups) * n : n], 2)
    low, span = float(heights.min()), float(np.ptp(heights)) or 1.0
    x = area.left() + places * (area.width() / max(places[-1], 1.0))
    y = area.bottom() - (heights - low) * (area.height() / span)
    return QPolygonF([QPointF(*at) for at in zip(x.tolist(), y.tolist(), strict=True)])
