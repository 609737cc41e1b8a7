"""Makes tables of a few rows that look like the rest and never scroll sideways.

A value has its error below it, a sentence is wrapped, and where there is still no room the lesser columns go.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QRect, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAbstractButton, QAbstractItemView, QFrame, QHeaderView, QTableWidget

from pygama_gui.widgets import theme

MOST_HEIGHT = 300
"""Higher tables, in pixels, are scrolled."""
LEAST_NAME = 64
"""Width of the first column at least, in pixels; its names are cut where it is narrower than they are."""
BESIDE, ABOVE = 10, 10
"""Room beside and above the words of a cell, both sides together."""


class RowTable(QTableWidget):
    """A table whose rows are chosen whole.

    dispensable: columns that go where there is no room, the first of them first.
    """

    def __init__(self, n_columns: int, dispensable: Sequence[int] = ()) -> None:
        super().__init__(0, n_columns)
        self._dispensable = tuple(dispensable)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show as many columns as there is room for."""
        super().resizeEvent(event)
        self.make_room()
        self._keep_chosen_in_view()

    def make_room(self) -> None:
        """Share the width among the columns; make rows, and the table, as high as what is in them."""
        columns = range(1, self.columnCount())
        for at in columns:
            self.setColumnHidden(at, False)  # the head of a hidden column asks for no width
        widths = {at: self._width_of(at) for at in columns}
        room = self.viewport().width() - LEAST_NAME
        for at in self._dispensable:
            if sum(widths.values()) <= room:
                break
            widths.pop(at)
        for at in columns:
            self.setColumnHidden(at, at not in widths)
            self.setColumnWidth(at, widths.get(at, 0))
        total = sum(widths.values())
        name_room = max(self.viewport().width() - total, LEAST_NAME)
        heights = [self._height_of(row, total, name_room) for row in range(self.rowCount())]
        is_other = heights != [self.rowHeight(row) for row in range(self.rowCount())]
        for row, height in enumerate(heights):
            self.setRowHeight(row, height)
        head = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(min(head + sum(heights), MOST_HEIGHT) + 2 * self.frameWidth() + 2)
        if is_other:
            self._keep_chosen_in_view()

    def _keep_chosen_in_view(self) -> None:
        """Scroll to all of the row that is chosen: rows grow after Qt has scrolled to it."""
        if (chosen := self.currentIndex()).isValid():
            self.updateGeometries()  # else the scroll bar ends where it did before
            self.scrollTo(chosen)

    def _width_of(self, column: int) -> int:
        """Give the width that a column needs: of its longest line, or of its head."""
        metrics = self.fontMetrics()
        texts = [self._text(row, column) for row in range(self.rowCount()) if self.columnSpan(row, 1) == 1]
        lines = [line for text in texts for line in text.split("\n")]
        widest = max((metrics.horizontalAdvance(line) for line in lines), default=0)
        return max(widest + BESIDE, self.horizontalHeader().sectionSizeHint(column))

    def _height_of(self, row: int, room: int, name_room: int) -> int:
        name = self._wrapped_height(self._text(row, 0), name_room)
        if self.columnSpan(row, 1) > 1:
            return max(name, self._wrapped_height(self._text(row, 1), room)) + ABOVE
        n = max(self._text(row, at).count("\n") + 1 for at in range(1, self.columnCount()))
        return max(name, n * self.fontMetrics().lineSpacing()) + ABOVE

    def _wrapped_height(self, text: str, room: int) -> int:
        place = QRect(0, 0, room - BESIDE, MOST_HEIGHT)
        return self.fontMetrics().boundingRect(place, int(Qt.TextFlag.TextWordWrap), text).height()

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return "" if item is None else item.text()


def quiet_table(name: str, heads: Sequence[str], dispensable: Sequence[int] = ()) -> RowTable:
    """Give a table with these heads; nothing in it is typed over by itself."""
    table = RowTable(len(heads), dispensable)
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(heads))
    table.verticalHeader().hide()
    table.findChild(QAbstractButton).setAccessibleName("Select all rows")  # Qt's own, in the corner
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setFont(theme.font(theme.SMALL))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setFrameShape(QFrame.Shape.NoFrame)
    header = table.horizontalHeader()
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    header.setHighlightSections(False)
    header.setFont(theme.font(theme.SMALL))
    return table


def unit_below(head: str, unit: str) -> str:
    """Put the unit of a column below its head, where it has one."""
    return f"{head}\n({unit})" if unit else head


def error_below(text: str) -> str:
    """Put the error of a value below it, '3510.1 ± 1.1', and uneven ones below each other: '117 +27 −29'."""
    value, plus, errors = text.partition(" +")
    if not plus:
        return text.replace(" ± ", "\n± ", 1)
    up, minus, down = errors.partition(" −")
    return f"{value}\n+{up}" + (f"\n−{down}" if minus else "")
