"""A button that opens a list of things to show or hide, which stays open while they are ticked."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QPoint, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt5.QtWidgets import QFrame, QListWidget, QListWidgetItem, QToolButton, QVBoxLayout

from pygama.quick_dataclass import dataclass
from pygama_gui.widgets import theme

SWATCH = QSize(16, 12)
MOST_ROWS = 16
NAME = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Item:
    """One line of the list: its name, what it says, whether it is ticked, and the colour that it has."""

    name: str
    words: str
    is_on: bool
    color: str = ""
    kind: str = "curve"
    """'curve', 'level' or 'time': the shape of its swatch; 'plain': it has none."""


class CheckList(QToolButton):
    """Says in its words what the list is of; emits the name of what was ticked or unticked."""

    toggled_one = pyqtSignal(str)

    def __init__(self, words: str, name: str) -> None:
        super().__init__()
        self.setObjectName("button")
        self.setText(words)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFont(theme.font(theme.SMALL))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._items: tuple[Item, ...] = ()
        self.popup = QFrame(self, Qt.WindowType.Popup)
        self.popup.setObjectName("checkList")
        self.list = QListWidget(self.popup)
        self.list.setAccessibleName(name)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setIconSize(SWATCH)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self.popup)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.list)
        self.list.itemChanged.connect(lambda item: self.toggled_one.emit(str(item.data(NAME))))
        self.clicked.connect(lambda _checked=False: self.open())

    def set_items(self, items: Sequence[Item]) -> None:
        """Fill the list; what has not changed is left alone."""
        if tuple(items) == self._items:
            return
        same = [one.name for one in items] == [one.name for one in self._items]
        self._items = tuple(items)
        self.setEnabled(bool(items))
        with QSignalBlocker(self.list):
            if not same:
                self.list.clear()
                for _ in items:
                    self.list.addItem(QListWidgetItem())
            for row, item in enumerate(items):
                self._fill(self.list.item(row), item)

    def _fill(self, line: QListWidgetItem | None, item: Item) -> None:
        assert line is not None
        line.setText(item.words)
        line.setData(NAME, item.name)
        line.setIcon(QIcon() if item.kind == "plain" else _swatch(item))
        line.setFlags(line.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        line.setCheckState(Qt.CheckState.Checked if item.is_on else Qt.CheckState.Unchecked)

    def open(self) -> None:
        """Open the list above the button, or below it where there is no room above."""
        rows = min(max(self.list.count(), 1), MOST_ROWS)
        height = sum(max(self.list.sizeHintForRow(row), 18) for row in range(rows)) + 16
        width = min(max(self.list.sizeHintForColumn(0) + 44, 180), 420)
        self.popup.resize(width, height)
        corner = self.mapToGlobal(QPoint(self.width() - width, -height - 4))
        if corner.y() < 0:
            corner = self.mapToGlobal(QPoint(self.width() - width, self.height() + 4))
        self.popup.move(max(corner.x(), 0), corner.y())
        self.popup.show()
        self.list.setFocus()
        if self.list.currentRow() < 0:
            self.list.setCurrentRow(0)

    def recolor(self) -> None:
        """Draw the swatches anew."""
        items, self._items = self._items, ()
        self.set_items(items)


def _swatch(item: Item) -> QIcon:
    ratio = 2
    pixmap = QPixmap(SWATCH * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    pen = theme.thin_pen(QColor(item.color or theme.current().tokens["trace"]))
    pen.setWidth(2)
    pen.setCosmetic(False)
    if item.kind != "curve":
        pen.setStyle(Qt.PenStyle.DashLine if item.kind == "level" else Qt.PenStyle.DotLine)
    painter.setPen(pen)
    if item.kind == "time":
        painter.drawLine(8, 0, 8, SWATCH.height())
    else:
        painter.drawLine(0, 6, SWATCH.width(), 6)
    painter.end()
    return QIcon(pixmap)
