"""Makes tables of a few rows that look like the rest: no grid, rows chosen whole, as high as they need."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QModelIndex, Qt
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QAbstractButton, QAbstractItemView, QFrame, QHeaderView, QTableWidget

from pygama_gui.widgets import theme

ROW_HEIGHT, MOST_ROWS, SCROLL_HEIGHT = 28, 7, 16
"""More rows than these are scrolled."""
STEP = 40
"""Pixels that an arrow key goes to the side."""


class RowTable(QTableWidget):
    """A table whose rows are chosen whole: choosing one leaves the columns where they are."""

    def scrollTo(  # noqa: N802  (Qt's name)
        self,
        index: QModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Bring a row into view, and no other column."""
        bar = self.horizontalScrollBar()
        assert bar is not None
        x = bar.value()
        super().scrollTo(index, hint)
        bar.setValue(x)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Go to the left and right by what is in view, since no single cell is chosen."""
        ways = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        bar = self.horizontalScrollBar()
        if event is not None and bar is not None and event.key() in ways and not event.modifiers():
            bar.setValue(bar.value() + ways[Qt.Key(event.key())] * STEP)
        else:
            super().keyPressEvent(event)


def quiet_table(name: str, heads: Sequence[str]) -> QTableWidget:
    """Give a table with these heads; nothing in it is typed over by itself."""
    table = RowTable(0, len(heads))
    table.setAccessibleName(name)
    table.setHorizontalHeaderLabels(list(heads))
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    table.findChild(QAbstractButton).setAccessibleName("Select all rows")  # Qt's own, in the corner
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setFont(theme.font(theme.SMALL))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setFrameShape(QFrame.Shape.NoFrame)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setHighlightSections(False)
    header.setFont(theme.font(theme.SMALL))
    return table


def show_height(table: QTableWidget) -> None:
    """Make a table as high as its rows, up to a few."""
    n_shown = min(max(table.rowCount(), 1), MOST_ROWS)
    table.setFixedHeight(ROW_HEIGHT * (n_shown + 1) + SCROLL_HEIGHT)
