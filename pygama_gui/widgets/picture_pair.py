"""Shows two pictures below each other, or side by side where that would make both of them too low."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QSplitter, QWidget

LOW, WIDE = 340, 560
"""Lower and wider than this, in pixels, the pictures stand side by side."""


class PicturePair(QSplitter):
    """Two pictures with a handle between them; their shares stay when they turn."""

    def __init__(self, first: QWidget, second: QWidget, shares: tuple[int, int]) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self.setHandleWidth(6)
        self.addWidget(first)
        self.addWidget(second)
        self.setSizes(list(shares))
        self.setChildrenCollapsible(False)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Ask for the room of one picture above or beside the other, whichever way they stand now."""
        least = [picture.minimumSizeHint() for picture in self._shown()]
        if not least:
            return super().minimumSizeHint()
        return QSize(max(one.width() for one in least), max(one.height() for one in least))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Turn where there is another shape of room."""
        self.turn()
        super().resizeEvent(event)

    def turn(self) -> None:
        """Stand side by side, or below each other, as the room has it."""
        least = sum(picture.minimumSizeHint().height() for picture in self._shown())
        is_flat = (self.height() < LOW and self.width() >= WIDE) or self.height() < least
        wanted = Qt.Orientation.Horizontal if is_flat else Qt.Orientation.Vertical
        if wanted != self.orientation():
            shares = self.sizes()
            self.setOrientation(wanted)
            # Qt says 0 of a hidden one, and keeps its share by itself.
            if len(self._shown()) == self.count():
                self.setSizes(shares)

    def _shown(self) -> list[QWidget]:
        pictures = [self.widget(at) for at in range(self.count())]
        return [one for one in pictures if one is not None and not one.isHidden()]
