"""Scrolls what is inside up and down where it has no room, and never sideways."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QSize, Qt
from PyQt5.QtWidgets import QFrame, QScrollArea, QWidget

SCROLL_BAR = 10


class Scrolled(QScrollArea):
    """A scroll area that asks for the width of what it holds; Qt's own would cut it.

    least: height below which the window does not go, in pixels.
    """

    def __init__(self, inside: QWidget, *, least: int) -> None:
        super().__init__()
        self._least = least
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside.setObjectName("inside")
        self.setWidget(inside)
        inside.installEventFilter(self)
        for ground in (inside, self.viewport()):
            ground.setAutoFillBackground(False)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the width of what is inside, with room for the scroll bar, and no more than its height."""
        inside = self.widget()
        if inside is None:
            return QSize(SCROLL_BAR, self._least)
        return QSize(
            inside.minimumSizeHint().width() + SCROLL_BAR, min(self._least, inside.sizeHint().height())
        )

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the size of what is inside now; Qt's own remembers what it was."""
        inside = self.widget()
        size = super().sizeHint()
        return size if inside is None else QSize(size.width(), inside.sizeHint().height())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Ask again when something inside came or went."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
