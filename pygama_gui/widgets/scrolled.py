"""Scrolls what is inside up and down where it has no room, and never sideways."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QFrame, QScrollArea, QWidget

from pygama_gui.widgets.card_column import CardColumn

SCROLL_BAR = 10


class Scrolled(QScrollArea):
    """A scroll area that asks for the width of what it holds; Qt's own would cut it.

    least: height below which the window does not go, in pixels.
    column: cards inside, which scroll on their own unless all of it has to.
    """

    room_changed = pyqtSignal()
    """What is inside has another width or height in sight, as beside a bar that came."""

    def __init__(self, inside: QWidget, *, least: int, column: CardColumn | None = None) -> None:
        super().__init__()
        self._least = least
        self._column = column
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
            self._share()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Have one bar, not one within the other."""
        super().resizeEvent(event)
        self._share()
        self.room_changed.emit()

    def _share(self) -> None:
        inside = self.widget()
        if self._column is None or inside is None:
            return
        least = inside.minimumSizeHint().height() - self._column.extra_height
        self._column.be_whole(is_whole=least > self.viewport().height())
