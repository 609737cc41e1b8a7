"""Covers the window while files are held over it, and says that they may be let go."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QFrame, QVBoxLayout, QWidget

from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import label

ROOM = 16
"""Around the words, in pixels, where nothing shines through."""


class DropVeil(QFrame):
    """A frame over the whole of its parent."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QVBoxLayout(self)
        self.words = label(px=22, bold=True)
        column.addWidget(self.words, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Let the window shine through."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = theme.current().color("accent_soft")
        ground.setAlpha(215)
        painter.setBrush(ground)
        painter.setPen(QPen(theme.current().color("accent"), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -2, -2), 10, 10)
        ground.setAlpha(255)  # words that shine through would be read into those that are said
        painter.setBrush(ground)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(self.words.geometry().adjusted(-ROOM, -ROOM, ROOM, ROOM), 10, 10)

    def cover(self, words: str = "") -> None:
        """Show over all of the parent. words: what comes of letting go; empty: what was said last."""
        if words:
            self.words.setText(words)
        self.setGeometry(self.parentWidget().rect().adjusted(6, 6, -6, -6))
        self.raise_()
        self.show()
