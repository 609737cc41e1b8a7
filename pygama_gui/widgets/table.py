"""Makes tables of a few rows that look like the rest: no grid, rows chosen whole, as high as they need."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtWidgets import QAbstractButton, QAbstractItemView, QFrame, QHeaderView, QTableWidget

from pygama_gui.widgets import theme

ROW_HEIGHT, MOST_ROWS, SCROLL_HEIGHT = 28, 7, 16
"""More rows than these are scrolled."""


def quiet_table(name: str, heads: Sequence[str]) -> QTableWidget:
    """Give a table with these heads; nothing in it is typed over by itself."""
    table = QTableWidget(0, len(heads))
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
