"""Shows the table of efficiencies: what is left after each cut, and what each takes away alone."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAbstractButton, QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from pygama_gui.data.tally import Figures
from pygama_gui.views.cuts import cut_words
from pygama_gui.widgets import theme

ABOUT = {
    "cut": "In their order",
    "left": "Events that pass this cut and all above",
    "passes": "Of the events that passed the cuts above, with half of the interval of one standard deviation "
    "(Clopper and Pearson); of all events for a cut that is off",
    "alone": "Events that this cut alone takes away",
}
ROW_PX = 22


class CutTable(QTableWidget):
    """The efficiencies of the cuts."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Efficiencies of the cuts")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFont(theme.font(theme.SMALL))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setCornerButtonEnabled(False)
        self.findChild(QAbstractButton).setAccessibleName("Select all")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setFont(theme.font(theme.SMALL))
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._head: tuple[str, ...] = ()

    def show_figures(self, figures: Figures) -> None:
        """Write the figures."""
        head, rows = cut_words.table(figures)
        if head != self._head:
            self._head = head
            self.setColumnCount(len(head))
            self.setHorizontalHeaderLabels(head)
        about = [*ABOUT.values(), *map(cut_words.about_peak, figures.peaks)]
        for column, told in enumerate(about):
            self.horizontalHeaderItem(column).setToolTip(told)
        self.setRowCount(len(rows))
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                self._write(at, column, text)
        header, bar = self.horizontalHeader(), self.horizontalScrollBar()
        header.resizeSections(QHeaderView.ResizeMode.ResizeToContents)  # else its length is that of before
        wide = header.length() > self.viewport().width()
        room = bar.sizeHint().height() if wide else 0
        self.setFixedHeight(header.sizeHint().height() + ROW_PX * len(rows) + room + 4)

    def _write(self, at: int, column: int, text: str) -> None:
        item = self.item(at, column)
        if item is None:
            item = QTableWidgetItem()
            side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
            item.setTextAlignment(int(side | Qt.AlignmentFlag.AlignVCenter))
            self.setItem(at, column, item)
        if item.text() != text:
            item.setText(text)
