"""Shows what is in Tier files: a tree, what is said of each part, its rows, and pictures of its columns.

Nothing in a file is run, whoever wrote it, and all reading is done in the thread for it. A file that was
looked at is let go after a few seconds, and before jobs start, so that new ones can be put in its place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt5.QtCore import QItemSelectionModel, QModelIndex, QSignalBlocker, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QAction,
    QApplication,
    QHeaderView,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.bridge import Bridge
from pygama_gui.data.looking import FileReader, Problem
from pygama_gui.session.state import Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.files.details import DetailsPage
from pygama_gui.views.files.pages import PlotPage, RowsPage
from pygama_gui.views.files.tree import Entry, FileTree
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import Elided, button, label, panel, row
from pygama_gui.widgets.plot import plot_actions

if TYPE_CHECKING:
    from pygama.storage.checking import Checked

PAGES = ("Details", "Rows", "Plot")
DETAILS, ROWS, PLOT = range(3)
LET_GO_MS = 4000
MOST_OPENED = 30
EMPTY = "No file yet. Drop a Tier 1 or Tier 2 file here, or process a run: its files are then listed."
DEMO_ROWS = 400
LEAST_TREE, LEAST_HEIGHT = 330, 56
TYPE, N_ROWS, SIZE = 1, 2, 3
"""Columns of the tree beside the names."""
NARROW_TREE = 420
WIDTHS = {TYPE: (84, 58), N_ROWS: (74, 54), SIZE: (68, 68)}
"""Of each column, in pixels, where the tree is wide and where it is narrow."""


class NameTree(QTreeView):
    """A tree that leaves its names the room: where it is narrow, the size stands in the details alone."""

    def __init__(self) -> None:
        super().__init__()
        self._is_narrow: bool | None = None

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave out what stands elsewhere."""
        super().resizeEvent(event)
        self.suit()

    def dataChanged(  # noqa: N802  (Qt's name)
        self, first: QModelIndex, last: QModelIndex, roles: Iterable[int] = ()
    ) -> None:
        """Let what is said of a file that cannot be read stand whole."""
        super().dataChanged(first, last, list(roles))
        if not first.parent().isValid():
            self._widen(first.row())

    def _widen(self, at: int) -> None:
        entry = self.model().index(at, TYPE)
        needed = self.sizeHintForIndex(entry).width() + 2
        is_told = bool(entry.data(Qt.ItemDataRole.DisplayRole))
        if is_told and needed > self.columnWidth(TYPE):
            self.setColumnWidth(TYPE, needed)

    def suit(self) -> None:
        """Give the columns the width that suits the tree, unless it is as narrow or as wide as before."""
        is_narrow = self.width() < NARROW_TREE
        if is_narrow == self._is_narrow or self.model() is None:
            return
        self._is_narrow = is_narrow
        self.setColumnHidden(SIZE, is_narrow)
        for section, (wide, narrow) in WIDTHS.items():
            self.setColumnWidth(section, narrow if is_narrow else wide)
        for at in range(self.model().rowCount()):
            self._widen(at)


class FilesView(View):
    """Any Tier file, part by part."""

    TITLE = "Files"
    HELP = (
        "What is in Tier 1 and Tier 2 files, and other HDF5 files: tables, columns, attributes, rows, and "
        "pictures of a column or two. Nothing in a file is run."
    )
    SHORTCUTS = (
        ("F5", "Read the file again"),
        ("Ctrl+W", "Take the file off the list"),
        ("Ctrl+C", "Copy the selected rows as CSV"),
        ("Ctrl+Alt+C", "Copy Python code that reads the table"),
        ("Alt+1", "Details"),
        ("Alt+2", "Rows"),
        ("Alt+3", "Plot"),
    )

    open_asked = pyqtSignal()
    """A person wants to choose a file."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.reader = FileReader()
        self._opened: list[Path] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._stamp: int | None = None
        self._entry: Entry | None = None
        self._to_show: Path | None = None
        self._wanted: list[str] = []
        self._due_pages: set[int] = set()
        self._let_go = QTimer(self)
        self._let_go.setSingleShot(True)
        self._let_go.setInterval(LET_GO_MS)
        self._let_go.timeout.connect(self._close_file)
        self._make_tree()
        self._make_pages()
        self._lay_out()
        self._actions = plot_actions(
            self,
            [
                ("R&ead the file again", "F5", self.reload),
                (
                    "Chec&k that the whole file can be read | verify checksum damage corrupt",
                    "",
                    self.check_file,
                ),
                ("Copy P&ython code that reads the table", "Ctrl+Alt+C", self.copy_code),
                None,
                *(
                    (f"Show &{name.lower()}", f"Alt+{at + 1}", lambda at=at: self.go_to_page(at))
                    for at, name in enumerate(PAGES)
                ),
            ],
        )
        remove = plot_actions(self.tree, [("&Take the file off the list", "Ctrl+W", self.remove_file)])
        self._actions += [*remove, *self.rows.actions_of_table, *self.picture.actions_of_plot]
        bridge.at_close.append(self.reader.close)
        bridge.started.connect(lambda _run_ids: self._close_file())
        self._show_empty()

    @classmethod
    def demo(cls) -> FilesView:
        """Show a small Tier file with made-up pulses."""
        from pygama.block import Block
        from pygama.storage import TierWriter

        view = cls(Bridge())
        view._folder = tempfile.TemporaryDirectory(prefix="pygama-files-")
        view.bridge.at_close.append(view._folder.cleanup)
        path = Path(view._folder.name) / "t1_run9001.h5"
        columns = madeup.partial(DEMO_ROWS, n_waveforms=1).columns
        rows = np.zeros(DEMO_ROWS, [(name, values.dtype) for name, values in columns.items()])
        for name, values in columns.items():
            rows[name] = values
        waveforms = np.stack([madeup.pulse(height, seed=at) for at, height in enumerate(rows["trap_max"])])
        with TierWriter(path) as writer:
            writer.write(madeup.DECODER, Block(madeup.DECODER, rows, waveforms))
            writer.set_texts(
                "/", {"run_number": "9001", "header": '{"Document Info": {"OrcaVersion": "10.0"}}'}
            )
        view._opened = [path]  # not read in the thread for it: a demo is there at once
        view._list()
        view._take_contents(view.model.files[0], view.reader.contents(path))
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with files."""
        return self._actions

    # Laying out

    def _make_tree(self) -> None:
        self.model = FileTree()
        self.tree = NameTree()
        self.tree.setModel(self.model)
        self.tree.setAccessibleName("Files and what is in them")
        self.tree.setUniformRowHeights(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # ends tell names apart
        self.tree.setFont(theme.font(theme.SMALL))
        self.tree.setIndentation(14)
        self.tree.setAllColumnsShowFocus(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setToolTip("Select two columns with Ctrl to draw them against each other")
        header = self.tree.header()
        header.setFont(theme.font(theme.SMALL))
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(44)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for section in (TYPE, N_ROWS, SIZE):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.Interactive)
        self.tree.suit()
        self.tree.expanded.connect(lambda index: self._read_if_due(self.model.entry(index)))
        self.tree.selectionModel().selectionChanged.connect(lambda _now, _before: self._selected())
        self.tree.activated.connect(lambda _index: self._activated())

    def _make_pages(self) -> None:
        self.details = DetailsPage()
        self.rows = RowsPage(self.bridge, self.reader)
        self.picture = PlotPage(self.bridge, self.reader)
        self.rows.draw_asked.connect(self._draw)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setObjectName("small")
        self.tabs.setFont(theme.font(theme.SMALL, bold=True))
        self.tabs.setAccessibleName("What to show of the file")
        self.pages = QStackedWidget()
        for name, page in zip(PAGES, (self.details, self.rows, self.picture), strict=True):
            self.tabs.addTab(name)
            self.pages.addWidget(page)
        self.tabs.currentChanged.connect(self._show_page)

    def _lay_out(self) -> None:
        self.place = Elided()
        self.open_button = button("Open…", "Open a Tier file", "Open a Tier 1, Tier 2 or other HDF5 file")
        self.open_button.clicked.connect(self.open_asked.emit)
        self.code_button = button(
            "Copy as Python",
            "Copy Python code that reads the table",
            "Copy code that reads the table (Ctrl+Alt+C)",
        )
        self.code_button.clicked.connect(self.copy_code)
        for one in (self.open_button, self.code_button):
            one.setObjectName("compact")
        self.empty = label(EMPTY, tone="soft")
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        for one in (self.tree, self.empty):
            one.setMinimumHeight(LEAST_HEIGHT)
        self.beside = QWidget()
        inside = QVBoxLayout(self.beside)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        top = row(self.tabs, spacing=8)
        top.addWidget(self.place, 1)
        inside.addLayout(top)
        inside.addWidget(self.pages, 1)
        left = QWidget()
        left.setMinimumWidth(LEAST_TREE)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row(label(self.TITLE, bold=True), None, self.code_button, self.open_button))
        column.addWidget(self.tree, 1)
        column.addWidget(self.empty, 1)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(10)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(left)
        self.split.addWidget(self.beside)
        self.split.setSizes([400, 690])
        self.split.setStretchFactor(1, 1)
        frame, outer = panel(margin=10, spacing=6)
        outer.addWidget(self.split, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(frame)

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [self.code_button, self.open_button, self.tree, self.tabs]

    # Which files

    def open_file(self, path: Path) -> None:
        """Show what is in a file."""
        path = Path(path)
        if path not in self._opened and path not in self._of_run():
            self._opened = [path, *self._opened][:MOST_OPENED]
        self._to_show = path
        self._list()
        entry = next((one for one in self.model.files if one.path == path), None)
        if entry is not None:
            self._read(entry)

    def remove_file(self) -> None:
        """Take the selected file off the list; those of the selected run stay."""
        if self._entry is not None and self._entry.path in self._opened:
            self._opened.remove(self._entry.path)
            self._entry = None
            self._list()
            self._selected()

    def reload(self) -> None:
        """Read the selected file again."""
        if self._entry is not None:
            self._read(self._entry.file, again=True)

    def check_file(self) -> None:
        """Read all of the chosen file, else of those of the run, and say which rows are damaged."""
        paths = self._of_run() if self._entry is None else [self._entry.file.path]
        if not paths:
            self.bridge.log("There is no file to check yet", "warning")
        for path in paths:
            self.bridge.log(f"{path.name}: reading all of it…")
            self.bridge.in_background(partial(_checked, self.reader, path), partial(self._tell_checked, path))

    def _tell_checked(self, path: Path, found: Checked) -> None:
        told = f"{path.name}: {found.summary()}"
        if found.damaged:
            self.bridge.went_wrong.emit(told, "\n".join(found.damaged), "")
        self.bridge.log(told, "error" if found.damaged else "info")

    def on_session(self, old: Session, new: Session) -> None:
        """List the files of the selected run."""
        if old.selected != new.selected or old.runs is not new.runs:
            self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """List the files of a run that was processed, and read those again that are new."""
        if self.session.selected in run_ids:
            self.redraw_soon()

    def redraw(self) -> None:
        """List the files and read what is new."""
        self._list()
        state = self.bridge.state(self.session.selected)
        stamp = None if state is None or state.state != "done" else id(state)
        if stamp is not None and stamp != self._stamp:
            self._stamp = stamp
            for path in self._of_run():
                for entry in [one for one in self.model.files if one.path == path]:
                    self._read(entry, again=True)

    def _of_run(self) -> list[Path]:
        """Give the finished files of the selected run, or those that were given of it."""
        run, state = self.session.selected_run, self.bridge.state(self.session.selected)
        if state is not None and state.state == "done":
            return list(state.outputs)
        return [] if run is None else [path for path in (run.tier1, run.tier2) if path is not None]

    def _list(self) -> None:
        own = self._of_run()
        paths = [*own, *(path for path in self._opened if path not in own)]
        if paths == [entry.path for entry in self.model.files]:
            return
        kept = None if self._entry is None else (self._entry.path, self._entry.key)
        with QSignalBlocker(self.tree.selectionModel()):
            self.model.show(paths)
            for entry in self.model.files:
                if entry.contents is not None:
                    self.tree.expand(self.model.index_of(entry))
        self._entry = None
        found = next((one for one in self.model.files if kept is not None and one.path == kept[0]), None)
        if found is not None and kept is not None:
            self._select(self._find(found, kept[1]) or found)
        else:
            self._selected()
        self._show_empty()

    def _show_empty(self) -> None:
        is_empty = not self.model.files
        self.empty.setVisible(is_empty)
        self.tree.setVisible(not is_empty)
        self.beside.setVisible(not is_empty)
        self.code_button.setEnabled(self._entry is not None)

    # Reading

    def _read_if_due(self, entry: Entry | None) -> None:
        if entry is not None and entry.is_file and entry.contents is None and not entry.problem:
            self._read(entry)

    def _read(self, entry: Entry, *, again: bool = False) -> None:
        if entry.is_reading or (entry.contents is not None and not again):
            self._show_asked(entry)
            return
        entry.is_reading = True
        self.model.renew(entry)
        self.bridge.in_background(
            lambda: self.reader.contents(entry.path), lambda found: self._take_contents(entry, found)
        )
        self._let_go.start()

    def _take_contents(self, entry: Entry, found: Any) -> None:
        if entry not in self.model.files:
            return
        kept = self._entry.key if self._entry is not None and self._entry.path == entry.path else None
        if kept is not None:
            self._entry = None
        self.model.fill(entry, found)
        self.tree.expand(self.model.index_of(entry))
        if isinstance(found, Problem):
            self.bridge.log(found.text, "warning")
        elif found.refused:
            n = len(found.refused)
            more = f" (and {n - 1} more, see Files)" if n > 1 else ""
            first = found.refused[0].removeprefix(f"{entry.path.name}: ")
            self.bridge.log(f"{entry.path.name}: {first}{more}", "warning")
        if kept is not None:
            self._select(self._find(entry, kept) or entry)
        else:
            self._show_asked(entry)
        self.drawn.emit()

    def _show_asked(self, entry: Entry) -> None:
        """Select the largest table of a file that was asked for, or where nothing is selected yet."""
        if entry.is_reading or not (self._to_show == entry.path or self._entry is None):
            return
        if self._to_show == entry.path:
            self._to_show = None
        tables = [one for one in entry.children if one.node is not None and one.node.has_rows]
        largest = max(tables, key=lambda one: len(one.node.columns) * (one.node.n_rows or 0), default=entry)
        self._select(largest)

    def _find(self, entry: Entry, key: str) -> Entry | None:
        """Find a part of a file by its path."""
        for child in entry.children:
            if child.column is None and child.key == key:
                return child
            if key.startswith(child.key + "/") and (found := self._find(child, key)) is not None:
                return found
        return None

    def _close_file(self) -> None:
        self.bridge.in_background(self.reader.close, lambda _nothing: None)

    # What is shown

    def _select(self, entry: Entry) -> None:
        index = self.model.index_of(entry)
        flag = QItemSelectionModel.SelectionFlag
        self.tree.selectionModel().setCurrentIndex(
            index, QItemSelectionModel.SelectionFlags(flag.ClearAndSelect) | flag.Rows
        )
        self.tree.scrollTo(index)
        self._selected()

    def _selected(self) -> None:
        entries = [self.model.entry(index) for index in self.tree.selectionModel().selectedRows()]
        chosen = [entry for entry in entries if entry is not None]
        current = self.model.entry(self.tree.currentIndex())
        entry = current if current in chosen else (chosen[-1] if chosen else None)
        self._wanted = []
        if entry is not None and entry.column is not None:
            same = [
                one
                for one in chosen
                if one.column is not None and (one.path, one.key) == (entry.path, entry.key)
            ]
            self._wanted = [one.name for one in same[:2]]
        if entry is not None:
            self._read_if_due(entry)
        self._entry = entry
        where = (
            "" if entry is None else entry.path.name if entry.is_file else f"{entry.path.name} · {entry.key}"
        )
        self.place.setText(where)
        self.code_button.setEnabled(entry is not None)
        self._due_pages = {DETAILS, ROWS, PLOT}
        self._show_page(self.tabs.currentIndex())

    def _show_page(self, page: int) -> None:
        self.pages.setCurrentIndex(page)
        if page != PLOT:
            self.picture.stop()
        if page not in self._due_pages:
            return
        self._due_pages.discard(page)
        if page == DETAILS:
            self.details.show_entry(self._entry)
        elif page == ROWS:
            self.rows.show_entry(self._entry)
        else:
            self.picture.show_entry(self._entry, self._wanted)
        self._let_go.start()

    def _activated(self) -> None:
        """Go on from the tree: to the picture of a column, to the rows of a table."""
        if self._entry is not None and (self._entry.column is not None or self._entry.node is not None):
            self.go_to_page(PLOT if self._entry.column is not None else ROWS)

    def go_to_page(self, page: int) -> None:
        """Show details, rows or the picture."""
        self.tabs.setCurrentIndex(page)

    def _draw(self, column: str, number: int) -> None:
        self._wanted = [column]
        self.picture.row = number
        self._due_pages.add(PLOT)
        if self.tabs.currentIndex() == PLOT:
            self._show_page(PLOT)
        else:
            self.go_to_page(PLOT)
        self.picture.go_to_row(number)

    def copy_code(self) -> None:
        """Put Python code that reads the selected table on the clipboard."""
        if self._entry is None:
            return
        contents = self._entry.file.contents
        if contents is not None and any("could run a program" in sentence for sentence in contents.refused):
            self.bridge.log(
                f"No code was copied: other programs would run what is pickled in {self._entry.path.name}",
                "warning",
            )
            return
        QApplication.clipboard().setText(code_for(self._entry))
        self.bridge.log(f"Copied code that reads {self._entry.path.name}")

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.details.recolor()
        self.picture.plot.recolor()
        self.tree.viewport().update()


def code_for(entry: Entry) -> str:
    """Write Python code that reads a part of a file."""
    path, node = str(entry.path), entry.node
    if node is not None and (node.kind == "frame" or (node.kind == "table" and entry.contents is None)):
        is_pandas = any(one.name == "pandas_type" for one in node.attributes)
        if is_pandas:
            part = "" if (node.n_rows or 0) < 1_000_000 or node.kind == "frame" else ", start=0, stop=100_000"
            lines = ["import pandas as pd", "", f"data = pd.read_hdf({path!r}, {node.path!r}{part})"]
            if entry.column is not None and entry.column.width == 1:
                lines.append(f"column = data[{entry.column.name!r}]")
            return "\n".join(lines) + "\n"
    key = "/" if node is None else node.path
    reads = "print(file)" if key == "/" else f"data = file.get_node({key!r})"
    if node is not None and node.n_rows is not None and node.kind != "columns":
        reads += "[:]"
    return f"import tables\n\nwith tables.open_file({path!r}) as file:\n    {reads}\n"


def _checked(reader: FileReader, path: Path) -> Checked:
    """Read a whole file, in the thread for it."""
    from pygama.storage.checking import check_file

    reader.close()
    return check_file(path)
