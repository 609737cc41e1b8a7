"""Shows how efficient cuts are: what is left after each, and what each leaves of every peak.

Neither table scrolls sideways: peaks are rows, and where not every cut has room for a column of its own, only
the chosen one has it beside all cuts together.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
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
ROW_PX, BESIDE = 22, 14
LEAST_NAME, MOST_NAME = 52, 130
"""Width that the first column asks for at least and at most, in pixels; longer names are cut."""


class _Table(QTableWidget):
    """Rows of figures behind a name each."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setFont(theme.font(theme.SMALL))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setCornerButtonEnabled(False)
        self.findChild(QAbstractButton).setAccessibleName("Select all")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setFont(theme.font(theme.SMALL))
        self._head: tuple[str, ...] = ()

    def write(self, head: tuple[str, ...], rows: Sequence[Sequence[str]]) -> None:
        """Write the head and the rows."""
        if head != self._head:
            self._head = head
            self.setColumnCount(len(head))
            self.setHorizontalHeaderLabels(head)
            self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setRowCount(len(rows))
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                self._write(at, column, text)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + ROW_PX * len(rows) + 4)

    def needed(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
        """Give the width that this head and these rows need, very long names cut."""
        metrics = self.fontMetrics()
        columns = zip(head, *rows, strict=True)
        widths = [max(metrics.horizontalAdvance(text) for text in column) + BESIDE for column in columns]
        return max(min(widths[0], MOST_NAME), LEAST_NAME) + sum(widths[1:])

    def _write(self, at: int, column: int, text: str) -> None:
        item = self.item(at, column)
        if item is None:
            item = QTableWidgetItem()
            side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
            item.setTextAlignment(int(side | Qt.AlignmentFlag.AlignVCenter))
            self.setItem(at, column, item)
        if item.text() != text:
            item.setText(text)
            item.setToolTip(text)


class CutTable(_Table):
    """The efficiencies of the cuts."""

    def __init__(self) -> None:
        super().__init__("Efficiencies of the cuts")

    def show_figures(self, figures: Figures) -> None:
        """Write the figures."""
        head, rows = cut_words.table(figures)
        self.write(head, rows)
        for column, told in enumerate(ABOUT.values()):
            self.horizontalHeaderItem(column).setToolTip(told)


class SurvivalTable(_Table):
    """What the cuts leave of each peak."""

    def __init__(self) -> None:
        super().__init__("Survival of the peaks")
        self._shown: tuple[Figures, str] | None = None

    def show_figures(self, figures: Figures, chosen: str) -> None:
        """Write the figures. chosen: name of the cut that has a column in any case."""
        self._shown = (figures, chosen)
        head, rows = cut_words.survival_table(figures)
        if len(head) > 3 and self.needed(head, rows) > self.viewport().width():
            head, rows = cut_words.survival_table(figures, chosen)
        self.write(head, rows)
        for at, peak in enumerate(figures.peaks):
            self.item(at, 0).setToolTip(cut_words.about_peak(peak))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Give as many cuts a column as have room."""
        super().resizeEvent(event)
        if self._shown is not None:
            self.show_figures(*self._shown)
