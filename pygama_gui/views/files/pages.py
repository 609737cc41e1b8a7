"""The rows of a part of a file as a table, and pictures of its columns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt5.QtCore import QItemSelectionModel, Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAction,
    QApplication,
    QCheckBox,
    QHeaderView,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.bridge import Bridge
from pygama_gui.data.binning import density, histogram
from pygama_gui.data.looking import FileReader, Piece, Problem
from pygama_gui.jobs.board import counted
from pygama_gui.views.files.plot import MOST_POINTS, FilePlot
from pygama_gui.views.files.rows import MOST_SHOWN, RowsModel, as_csv
from pygama_gui.views.files.tree import Entry, title_of
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import Controls, Elided, button, choice_box, icon_button, label
from pygama_gui.widgets.plot import Entry as Act
from pygama_gui.widgets.plot import plot_actions

if TYPE_CHECKING:
    from pygama.storage.inside import Node
    from pygama.storage.inside_rows import Column

MOST_PLOTTED = 2_000_000
DRAW_EVERY_S = 0.4
MOST_COPIED = 10_000
ROW_HEIGHT = 22
MOST_FINER = 4
COUNTS = "counts"
LIKED = ("trap_max", "energy", "cuspEmax", "values")
"""Columns that are drawn first."""


class RowsPage(QWidget):
    """Rows of a table, read as they come into sight."""

    draw_asked = pyqtSignal(str, int)
    """Name of the column that is to be drawn, and the row of it."""

    def __init__(self, bridge: Bridge, reader: FileReader) -> None:
        super().__init__()
        self._bridge, self._reader = bridge, reader
        self._entry: Entry | None = None
        self.model = RowsModel()
        self.table = QTableView()
        self.table.setAccessibleName("Rows")
        self.table.setModel(self.model)
        self.table.setFont(theme.font(theme.SMALL))
        self.table.setWordWrap(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        side = self.table.verticalHeader()
        side.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        side.setDefaultSectionSize(ROW_HEIGHT)
        self.table.setCornerButtonEnabled(False)
        for corner in self.table.findChildren(QAbstractButton):
            corner.setAccessibleName("All rows")
        for header in (self.table.horizontalHeader(), side):
            header.setHighlightSections(False)
            header.setFont(theme.font(theme.SMALL))
        self.table.horizontalHeader().sectionDoubleClicked.connect(lambda at: self._draw(at, 0))
        self.table.doubleClicked.connect(lambda index: self._draw(index.column(), index.row()))
        self.hint = label(tone="soft")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self._lay_out()
        self.actions_of_table = plot_actions(
            self.table,
            [
                ("Copy the selected rows as &CSV", "Ctrl+C", self.copy),
                ("Dra&w the column, or the samples of the row", "Return", self._draw_current),
            ],
        )

    def _lay_out(self) -> None:
        self.row_field = QLineEdit()
        self.row_field.setAcceptDrops(False)
        self.row_field.setFixedWidth(90)
        self.row_field.setPlaceholderText("Go to row")
        self.row_field.setAccessibleName("Go to row")
        self.row_field.setToolTip("Number of the row, from 0; press Return")
        self.row_field.returnPressed.connect(self._jump)
        self.info = Elided()
        self.copy_button = button(
            "Copy as CSV", "Copy the selected rows as CSV", "Copy the selected rows (Ctrl+C)"
        )
        self.copy_button.clicked.connect(self.copy)
        controls = Controls((self.row_field,), self.info, (self.copy_button,), margins=(0, 0, 0, 0))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 4, 4)
        column.setSpacing(6)
        column.addWidget(self.table, 1)
        column.addWidget(self.hint, 1)
        column.addWidget(controls)

    def show_entry(self, entry: Entry | None) -> None:
        """Show the rows of an entry."""
        node = None if entry is None else entry.node
        if entry is None or node is None or not node.has_rows or node.n_rows is None:
            self._entry = None
            self.model.show((), 0, lambda start, stop: None)
            self._say(_why_no_rows(entry), is_empty=True)
            return
        if self._entry is not None and (self._entry.path, self._entry.key) == (entry.path, entry.key):
            self._entry = entry
            return
        self._entry = entry
        self._begin(0)
        self._size_columns()

    def _begin(self, first: int) -> None:
        assert self._entry is not None and self._entry.node is not None
        entry, node = self._entry, self._entry.node
        columns = node.columns
        self.model.show(columns, node.n_rows or 0, lambda start, stop: self._ask(entry, start, stop), first)
        beyond = f" · {words.count(MOST_SHOWN)} of them from row {words.count(first)} on"
        more = beyond if (node.n_rows or 0) > MOST_SHOWN else ""
        many = f" · the first {len(self.model.columns)} of {len(columns)} columns"
        more += many if len(columns) > len(self.model.columns) else ""
        self._say(f"{counted(node.n_rows or 0, 'row')}{more} · double-click to draw")

    def _say(self, text: str, *, is_empty: bool = False) -> None:
        self.table.setVisible(not is_empty)
        self.hint.setVisible(is_empty)
        self.hint.setText(text if is_empty else "")
        self.info.setText("" if is_empty else text)

    def _size_columns(self) -> None:
        metrics = self.table.fontMetrics()
        for at, column in enumerate(self.model.columns):
            name = str(self.model.headerData(at, Qt.Orientation.Horizontal))
            least = {"text": 120, "pickled": 160}.get(column.kind.partition(" ")[0], 84)
            wide = 300 if column.width != 1 else least
            self.table.setColumnWidth(at, max(metrics.horizontalAdvance(name) + 26, wide))

    def _ask(self, entry: Entry, start: int, stop: int) -> None:
        names = [column.name for column in self.model.columns]
        self._bridge.in_background(
            lambda: self._reader.rows(entry.path, entry.key, start, stop, names),
            lambda found: self._take(entry, start, found),
        )

    def _take(self, entry: Entry, start: int, found: Any) -> None:
        if entry is not self._entry:
            return
        if isinstance(found, Problem):
            self.model.fail(found.text)
            self._say(f"▲ {found.text}", is_empty=True)
        else:
            self.model.take(start, found)

    def _jump(self) -> None:
        digits = "".join(character for character in self.row_field.text() if character.isdecimal())
        if digits and self._entry is not None:
            self.go_to(int(digits))

    def go_to(self, number: int) -> None:
        """Bring a row into sight."""
        if not self.model.n_rows:
            return
        number = min(max(number, 0), self.model.n_rows - 1)
        if not self.model.first <= number < self.model.first + self.model.rowCount():
            self._begin(number // MOST_SHOWN * MOST_SHOWN)
        index = self.model.index(number - self.model.first, max(self.table.currentIndex().column(), 0))
        flag = QItemSelectionModel.SelectionFlag
        self.table.selectionModel().setCurrentIndex(
            index, QItemSelectionModel.SelectionFlags(flag.ClearAndSelect) | flag.Rows
        )
        self.table.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        self.table.setFocus()

    def _draw_current(self) -> None:
        index = self.table.currentIndex()
        if index.isValid():
            self._draw(index.column(), index.row())

    def _draw(self, at: int, shown_row: int) -> None:
        if 0 <= at < len(self.model.columns):
            self.draw_asked.emit(self.model.columns[at].name, self.model.first + shown_row)

    def copy(self) -> None:
        """Put the selected rows on the clipboard as CSV, read anew where they are out of sight."""
        entry = self._entry
        ranges = self.table.selectionModel().selection()
        if entry is None or not len(ranges):
            self._bridge.log("Nothing was copied: select some rows first", "warning")
            return
        start = self.model.first + min(one.top() for one in ranges)
        stop = self.model.first + max(one.bottom() for one in ranges) + 1
        left, right = min(one.left() for one in ranges), max(one.right() for one in ranges)
        names = [column.name for column in self.model.columns[left : right + 1]]
        end = min(stop, start + MOST_COPIED)
        self._bridge.in_background(
            lambda: self._csv(entry, start, end, names), lambda found: self._take_csv(found, stop - start)
        )

    def _csv(self, entry: Entry, start: int, stop: int, names: Sequence[str]) -> tuple[str, int] | Problem:
        found = self._reader.rows(entry.path, entry.key, start, stop, names)
        return found if isinstance(found, Problem) else (as_csv(names, found), len(found[names[0]]))

    def _take_csv(self, found: tuple[str, int] | Problem, n_wanted: int) -> None:
        if isinstance(found, Problem):
            self._bridge.log(found.text, "error")
            return
        QApplication.clipboard().setText(found[0])
        n = found[1]
        first = "" if n == n_wanted else f" the first of {words.count(n_wanted)}: "
        self._bridge.log(f"Copied{first or ' '}{words.count(n)} {'row' if n == 1 else 'rows'} as CSV")


class PlotPage(QWidget):
    """One column as a histogram, two against each other, samples as a trace."""

    def __init__(self, bridge: Bridge, reader: FileReader) -> None:
        super().__init__()
        self._bridge, self._reader = bridge, reader
        self._entry: Entry | None = None
        self._plottable: dict[str, Column] = {}
        self._token = 0
        self._pieces: list[dict[str, np.ndarray]] = []
        self._drawn_at = 0.0
        self._finer = 0
        self.row = 0
        self.plot = FilePlot()
        self.plot.show_hint("Choose a table or an array on the left")
        self._make_controls()
        self.actions_of_plot: list[QAction] = plot_actions(self.plot, self._entries())
        self.plot.fill_menu = lambda menu: menu.addActions(self.actions_of_plot)

    def _entries(self) -> list[Act]:
        return [
            ("Show &all", "A", self.plot.show_all),
            ("&Logarithmic / linear", "L", self.log_box.toggle),
            ("&More bins", "[", lambda: self.rebin(1)),
            ("&Fewer bins", "]", lambda: self.rebin(-1)),
            ("&Next row", "N", lambda: self.step(1)),
            ("Pre&vious row", "Shift+N", lambda: self.step(-1)),
        ]

    def _make_controls(self) -> None:
        self.x_box = choice_box("Column to draw")
        self.y_box = choice_box("Against it: counts, or another column", COUNTS)
        for box in (self.x_box, self.y_box):
            box.activated.connect(lambda _index: self._choose())
        self.log_box = QCheckBox("log")
        self.log_box.setAccessibleName("Logarithmic counts in the picture of a file")
        self.log_box.setToolTip("Logarithmic counts (L)")
        self.log_box.toggled.connect(self.plot.set_log)
        self.previous_button = icon_button("previous", "Previous row (Shift+N)", lambda: self.step(-1))
        self.next_button = icon_button("next", "Next row (N)", lambda: self.step(1))
        self.all_button = icon_button("all", "Show all of the picture (A)", self.plot.show_all)
        self.info = Elided()
        self.against = label("vs", tone="soft", px=theme.SMALL)
        buttons = (self.previous_button, self.next_button, self.all_button)
        boxes = (self.y_box, self.against, self.x_box, self.log_box)
        controls = Controls((*boxes, *buttons), self.info, margins=(8, 0, 4, 2))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(4)
        column.addWidget(self.plot, 1)
        column.addWidget(controls)
        self._show_controls()

    def stop(self) -> None:
        """Read no further for the picture."""
        self._token += 1

    def show_entry(self, entry: Entry | None, wanted: Sequence[str] = ()) -> None:
        """Draw one of the columns of an entry, or the two that are wanted."""
        node = None if entry is None else entry.node
        if entry is None or node is None or not node.has_rows:
            self._entry, self._plottable, self._pieces = None, {}, []
            self.stop()
            self._show_controls()
            self.info.setText("")
            self.plot.show_nothing(_why_no_rows(entry))
            return
        is_same = self._entry is not None and (self._entry.path, self._entry.key) == (entry.path, entry.key)
        self._entry = entry
        if not is_same:
            self.row, self._finer = 0, 0
        self._plottable = {column.name: column for column in node.columns if _can_be_drawn(column)}
        before = [self.x_box.currentText(), self.y_box.currentText()]
        self._fill_boxes()
        names = [name for name in wanted if name in self._plottable]
        if not names:
            names = [name for name in before if name in self._plottable] if is_same else []
        x = names[0] if names else _liked(self._plottable)
        self.x_box.setCurrentText(x)
        self.y_box.setCurrentText(names[1] if len(names) > 1 else COUNTS)
        self._choose()

    def _fill_boxes(self) -> None:
        single = [name for name, column in self._plottable.items() if column.width == 1]
        for box, names in ((self.x_box, list(self._plottable)), (self.y_box, [COUNTS, *single])):
            box.clear()
            box.addItems(names)

    def _show_controls(self) -> None:
        column = self._plottable.get(self.x_box.currentText())
        is_trace = column is not None and column.width != 1
        for widget in (self.y_box, self.against, self.log_box):
            widget.setVisible(column is not None and not is_trace)
        self.log_box.setVisible(column is not None and not is_trace and self.y_box.currentText() == COUNTS)
        for widget in (self.previous_button, self.next_button):
            widget.setVisible(is_trace)
        for widget in (self.x_box, self.all_button):
            widget.setVisible(column is not None)

    def _choose(self) -> None:
        self.plot.box.zoomed_x = self.plot.box.zoomed_y = False
        self._show_controls()
        self._begin()

    def rebin(self, finer: int) -> None:
        """Draw twice or half as many bins."""
        self._finer = min(max(self._finer + finer, -MOST_FINER), MOST_FINER)
        if self._pieces:
            self._draw(self._token, is_last=True)

    def step(self, by: int) -> None:
        """Go to another row of samples."""
        self.go_to_row(self.row + by)

    def go_to_row(self, number: int) -> None:
        """Draw the samples of a row."""
        if self._entry is not None and self._entry.node is not None:
            self.row = min(max(number, 0), max((self._entry.node.n_rows or 1) - 1, 0))
            column = self._plottable.get(self.x_box.currentText())
            if column is not None and column.width != 1:
                self._begin()

    def _begin(self) -> None:
        self._token += 1
        self._pieces = []
        entry, column = self._entry, self._plottable.get(self.x_box.currentText())
        if entry is None or entry.node is None or column is None:
            self.plot.show_nothing("There is no column of numbers here to draw")
            self.info.setText("")
            return
        if not entry.node.n_rows:
            self.plot.show_nothing("There are no rows here")
            self.info.setText("")
        elif column.width != 1:
            self._ask_row(self._token, entry, column)
        else:
            self._drawn_at = time.monotonic()
            self._ask_piece(self._token, entry, 0)

    @property
    def _names(self) -> list[str]:
        names = [self.x_box.currentText(), self.y_box.currentText()]
        return names if names[1] in self._plottable else names[:1]

    def _ask_row(self, token: int, entry: Entry, column: Column) -> None:
        number = self.row
        self._bridge.in_background(
            lambda: self._reader.rows(entry.path, entry.key, number, number + 1, [column.name]),
            lambda found: self._take_row(token, column, number, found),
        )

    def _take_row(self, token: int, column: Column, number: int, found: Any) -> None:
        if token != self._token:
            return
        if isinstance(found, Problem):
            self._fail(found.text)
            return
        samples = np.asarray(found[column.name][0])
        if samples.ndim != 1 or samples.dtype.kind not in "biuf":
            self._fail("These are no numbers that could be drawn")
            return
        self.plot.show_trace(samples, _trace_title(column))
        assert self._entry is not None and self._entry.node is not None
        n_rows = words.count(self._entry.node.n_rows)
        self.info.setText(f"row {words.count(number)} of {n_rows} · {words.count(len(samples))} samples")

    def _ask_piece(self, token: int, entry: Entry, start: int) -> None:
        assert entry.node is not None
        names, node = self._names, entry.node
        stop = min(node.n_rows or 0, MOST_PLOTTED)
        self._bridge.in_background(
            lambda: self._reader.piece(entry.path, entry.key, names, start, stop, row_bytes(node, names)),
            lambda found: self._take_piece(token, entry, found, stop),
        )

    def _take_piece(self, token: int, entry: Entry, found: Piece | Problem, stop: int) -> None:
        if token != self._token:
            return
        if isinstance(found, Problem):
            self._fail(found.text)
            return
        self._pieces.append(found.columns)
        is_last = found.stop >= stop or not any(map(len, found.columns.values()))
        if not is_last:
            self.info.setText(f"reading, {100 * found.stop // max(stop, 1)} %")
            self._ask_piece(token, entry, found.stop)
        if is_last or time.monotonic() - self._drawn_at > DRAW_EVERY_S:
            self._drawn_at = time.monotonic()
            self._draw(token, is_last=is_last)

    def _draw(self, token: int, *, is_last: bool) -> None:
        names, pieces, finer = self._names, list(self._pieces), self._finer
        self._bridge.compute(
            lambda: _picture(pieces, names, finer),
            lambda picture: self._show(token, names, picture, is_last=is_last),
            lambda: None,
        )

    def _show(self, token: int, names: list[str], picture: tuple[Any, int, int], *, is_last: bool) -> None:
        if token != self._token:
            return
        found, n_rows, n_outside = picture
        titles = [title_of(self._plottable[name]) for name in names]
        if len(names) == 1:
            self.plot.show_histogram(found, titles[0])
        else:
            self.plot.show_pairs(found, titles[0], titles[1])
        if is_last:
            self._tell(n_rows, n_outside)

    def _tell(self, n_rows: int, n_outside: int) -> None:
        assert self._entry is not None and self._entry.node is not None
        of_all = self._entry.node.n_rows or 0
        facts = [
            counted(n_rows, "row")
            if n_rows == of_all
            else f"the first {words.count(n_rows)} of {words.count(of_all)} rows"
        ]
        if n_outside:
            facts.append(f"{words.count(n_outside)} no numbers or far out, not drawn")
        self.info.setText(" · ".join(facts))

    def _fail(self, text: str) -> None:
        self.info.setText("")
        self.plot.show_nothing(f"▲ {text}")


def _picture(pieces: list[dict[str, np.ndarray]], names: list[str], finer: int) -> tuple[Any, int, int]:
    """Make what is drawn of the rows so far; also how many they are, and how many values are left out."""
    columns = [np.concatenate([piece[name] for piece in pieces]) for name in names]
    n_rows = len(columns[0])
    if len(columns) == 1:
        found = histogram(columns[0], finer=finer)
        return found, n_rows, found.n_outside
    x, y = (values.astype(np.float64) for values in columns)
    if n_rows > MOST_POINTS:
        image = density(x, y)
        return image, n_rows, image.n_outside
    is_good = np.isfinite(x) & np.isfinite(y)
    return (x[is_good], y[is_good]), n_rows, int((~is_good).sum())


def _can_be_drawn(column: Column) -> bool:
    is_number = column.kind.startswith(("int", "uint", "float", "bool"))
    return is_number and column.kind != "float128"


def _trace_title(column: Column) -> str:
    """Name the values of samples: those of a column a sample have no name of their own."""
    return "ADC counts" if column.name.startswith("(") and not column.unit else title_of(column)


def _liked(plottable: dict[str, Column]) -> str:
    single = [name for name, column in plottable.items() if column.width == 1]
    floats = [name for name in single if plottable[name].kind.startswith("float")]
    liked = [name for name in LIKED if name in plottable]
    return next(iter([*liked, *floats, *single, *plottable]), "")


def row_bytes(node: Node, names: Sequence[str]) -> int:
    """Estimate what must be read for one row of some columns: all of it where they lie side by side."""
    lie_apart = node.kind in ("columns", "array", "frame")
    columns = [one for one in node.columns if one.name in names] if lie_apart else node.columns
    return sum(max(one.width, 1) * _item_bytes(one.kind) for one in columns)


def _item_bytes(kind: str) -> int:
    digits = "".join(character for character in kind if character.isdigit())
    return max(int(digits or 8) // 8, 1) if kind.startswith(("int", "uint", "float")) else 8


def _why_no_rows(entry: Entry | None) -> str:
    if entry is None:
        return "Choose a table or an array on the left"
    if entry.problem:
        return f"▲ {entry.problem}"
    if entry.node is not None and entry.node.trouble:
        return f"▲ {entry.node.trouble}"
    return "Rows are in tables and arrays; choose one on the left"
