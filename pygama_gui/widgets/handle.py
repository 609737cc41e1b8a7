"""Gives the dots by which a card is dragged to another place."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QApplication, QLabel

from pygama_gui.widgets import theme

LEAST = 22
"""A handle is no smaller than this, to be hit by hand."""


class Handle(QLabel):
    """The dots by which a card is dragged; tells where the mouse is, as a point on the screen."""

    dragged = pyqtSignal(QPoint)
    dropped = pyqtSignal(QPoint)

    def __init__(self, about: str) -> None:
        super().__init__("⋮⋮")
        self.setFont(theme.font())
        self.setProperty("tone", "faint")
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setMinimumSize(LEAST, LEAST)
        self.setToolTip(about)
        self._pressed_at: QPoint | None = None
        self._is_dragging = False

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Begin."""
        if event is not None:
            self._pressed_at, self._is_dragging = event.globalPos(), False

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Go on, once the mouse has moved enough not to be a click."""
        if event is None or self._pressed_at is None:
            return
        moved = (event.globalPos() - self._pressed_at).manhattanLength()
        self._is_dragging |= moved >= QApplication.startDragDistance()
        if self._is_dragging:
            self.dragged.emit(event.globalPos())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """End."""
        if event is not None and self._is_dragging:
            self.dropped.emit(event.globalPos())
        self._pressed_at, self._is_dragging = None, False
