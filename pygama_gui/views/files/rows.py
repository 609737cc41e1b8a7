"""Gives a table view the rows of a file, page by page as they come into sight."""

from __future__ import annotations

import csv
import io
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt5.QtCore import QAbstractTableModel, QModelIndex, Qt

from pygama_gui.views.files.tree import title_of
from pygama_gui.widgets import words

if TYPE_CHECKING:
    from pygama.storage.inside_rows import Column, Columns

PAGE = 200
MOST_PAGES = 100
MOST_SHOWN = 1_000_000
"""Rows that one table view can show; further ones are reached by their number."""
MOST_COLUMNS = 300
N_PREVIEW = 8
"""Samples written in a cell."""
CELL_CHARACTERS = 60

DISPLAY, TIP, ALIGNMENT = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.TextAlignmentRole,
)
DOWN = Qt.Orientation.Vertical  # looking them up for each cell would take longer than writing it
LEFT, RIGHT = (
    int(side | Qt.AlignmentFlag.AlignVCenter)
    for side in (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight)
)

Ask = Callable[[int, int], None]
"""Asks for rows start..stop; `take` gets them."""


class RowsModel(QAbstractTableModel):
    """Rows of one table."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: tuple[Column, ...] = ()
        self.n_rows = 0
        self.first = 0
        self.problem = ""
        self._pages: OrderedDict[int, Columns] = OrderedDict()
        self._wanted: list[int] = []
        self._asked: int | None = None
        self._ask: Ask = lambda start, stop: None

    def show(self, columns: Sequence[Column], n_rows: int, ask: Ask, first: int = 0) -> None:
        """Show rows from `first` on; `ask` is called for what comes into sight."""
        self.beginResetModel()
        self.columns, self.n_rows, self.first = tuple(columns)[:MOST_COLUMNS], n_rows, first
        self._pages, self._wanted, self._asked, self.problem = OrderedDict(), [], None, ""
        self._ask = ask
        self.endResetModel()

    def take(self, start: int, found: Columns) -> None:
        """Take the rows that were asked for; fewer than asked for are all that fitted."""
        page, self._asked = start // PAGE, None
        self._pages[page] = {name: _preview(values) for name, values in found.items()}
        while len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)
        top, bottom = start - self.first, min(start + PAGE, self.n_rows) - 1 - self.first
        last = self.rowCount() - 1
        if last >= 0:
            at = self.index(min(max(top, 0), last), 0)
            self.dataChanged.emit(at, self.index(min(max(bottom, 0), last), len(self.columns) - 1))
        self._ask_next()

    def fail(self, text: str) -> None:
        """Take that rows could not be read."""
        self.problem, self._asked, self._wanted = text, None, []

    def _want(self, page: int) -> None:
        if page in self._wanted or page == self._asked or self.problem:
            return
        self._wanted = [*self._wanted[-2:], page]  # what was passed by in scrolling is not read
        self._ask_next()

    def _ask_next(self) -> None:
        if self._asked is None and self._wanted:
            self._asked = self._wanted.pop()
            self._ask(self._asked * PAGE, min((self._asked + 1) * PAGE, self.n_rows))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name)
        """Count the rows that are shown."""
        return 0 if parent.isValid() else min(self.n_rows - self.first, MOST_SHOWN)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name)
        """Count the columns that are shown."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(  # noqa: N802  (Qt's name)
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Name columns with their units, and number rows from 0 as programs do."""
        if role not in (DISPLAY, TIP):
            return None
        if orientation == DOWN:
            return words.count(self.first + section) if role == DISPLAY else None
        if not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == DISPLAY:
            return title_of(column)
        if role == TIP:
            return f"{column.name}: {column.kind}. Double-click to draw it"
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Write a value, or '…' until it is read."""
        if not index.isValid():
            return None
        if role == ALIGNMENT:
            return LEFT if self.columns[index.column()].kind.startswith(("text", "pickled")) else RIGHT
        if role not in (DISPLAY, TIP):
            return None
        found = self._value(self.first + index.row(), self.columns[index.column()].name)
        if found is None:
            return "…" if role == DISPLAY else None
        text = cell_words(found[0], self.columns[index.column()].width)
        return text[:CELL_CHARACTERS] if role == DISPLAY else text[:2000]

    def _value(self, row: int, name: str) -> tuple[Any] | None:
        page, at = divmod(row, PAGE)
        if page not in self._pages:
            self._want(page)
            return None
        values = self._pages[page].get(name)
        return (values[at],) if values is not None and at < len(values) else None


def _preview(values: np.ndarray | list[Any]) -> np.ndarray | list[Any]:
    if isinstance(values, np.ndarray) and values.ndim > 1:
        return values[:, :N_PREVIEW].copy()
    return values


def cell_words(value: Any, width: int = 1) -> str:
    """Write a value in a cell: seven digits of a number, the first few of several."""
    from pygama.storage.as_text import as_text

    if isinstance(value, np.ndarray) and value.ndim:
        shown = " ".join(cell_words(one) for one in value[:N_PREVIEW])
        return f"{shown} …" if max(width, len(value)) > N_PREVIEW else shown
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"{value:.9g}"
    return as_text(value, 2000)


def as_csv(names: Sequence[str], found: Columns) -> str:
    """Write rows as CSV with a line of names; several values in a row are parted by spaces."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in zip(*(found[name] for name in names), strict=True):
        writer.writerow([_plain(value) for value in row])
    return out.getvalue()


def _plain(value: Any) -> str:
    from pygama.storage.as_text import as_text

    if isinstance(value, np.ndarray):
        return " ".join(_plain(one) for one in value)
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value) if isinstance(value, float) else as_text(value)
