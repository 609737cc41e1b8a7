"""Shows the header of a run as a tree that can be searched, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import (
    QApplication,
    QDialog,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.bridge import Bridge
from pygama_gui.data.headers import Difference, differences, named_items, read_plist, text_of
from pygama_gui.jobs.board import counted
from pygama_gui.session.state import Run
from pygama_gui.views.runs.cards import run_name, run_title
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import button, label, room_on_screen, row

SIZE = QSize(800, 620)
MARKS = {"changed": "≠ changed", "added": "+ added", "removed": "− removed"}


class HeaderWindow(QDialog):
    """A window of its own that stands beside the work: a search field over a tree."""

    def __init__(self, parent: QWidget, title: str, columns: tuple[str, ...]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.resize(SIZE.boundedTo(room_on_screen()))
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search names and values")
        self.search.setAccessibleName("Search names and values")
        self.search.setClearButtonEnabled(True)
        self.count = label("Reading…", tone="soft", px=theme.SMALL)
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(list(columns))
        self.tree.setAccessibleName(title)
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(False)
        self.tree.setAcceptDrops(False)
        header = self.tree.header()
        assert header is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        copy = button("Copy", "Copy the lines that are shown")
        copy.clicked.connect(self._copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.search)
        column.addWidget(self.tree, 1)
        column.addLayout(row(self.count, None, copy))
        self.search.textChanged.connect(self._filter)

    def show_header(self, plist: Mapping[str, Any]) -> None:
        """Fill in a property list."""
        _add_all(self.tree.invisibleRootItem(), plist)
        self.tree.expandToDepth(0)
        self._settle((380,))

    def show_differences(self, found: list[Difference]) -> None:
        """Fill in what differs between two headers."""
        for one in found:
            item = QTreeWidgetItem([one.place, MARKS[one.kind], one.before, one.after])
            for at in range(4):
                item.setToolTip(at, one.sentence)
            self.tree.addTopLevelItem(item)
        self.tree.setRootIsDecorated(False)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the channel stands at the end
        self._settle((400, 92, 130))

    def _settle(self, widths: tuple[int, ...]) -> None:
        for at, width in enumerate(widths):
            self.tree.setColumnWidth(at, width)
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        """Show what holds all the words that are searched, with the way to it."""
        wanted = text.casefold().split()
        root = self.tree.invisibleRootItem()
        assert root is not None
        shown = sum(_show_matching(child, wanted, "") for child in _children(root))
        self.count.setText(counted(shown, "value") + (" found" if wanted else ""))

    def _copy(self) -> None:
        root = self.tree.invisibleRootItem()
        assert root is not None
        QApplication.clipboard().setText("\n".join(_lines(root, "")))


def show_header(parent: QWidget, bridge: Bridge, run: Run) -> HeaderWindow:
    """Open a window with the header of a run."""
    window = HeaderWindow(parent, f"Header of {run_title(run)}", ("Name", "Value"))
    window.show()
    _read(bridge, (run,), window, lambda headers: window.show_header(headers[0]))
    return window


def compare_headers(parent: QWidget, bridge: Bridge, run: Run, other: Run) -> HeaderWindow:
    """Open a window with what differs between the headers of two runs."""
    title = f"Header of {run_title(run)}, compared with {run_title(other)}"
    window = HeaderWindow(parent, title, ("Where", "What", run_name(other), run_name(run)))
    window.show()
    _read(bridge, (other, run), window, lambda headers: window.show_differences(differences(*headers)))
    return window


def _read(bridge: Bridge, runs: tuple[Run, ...], window: HeaderWindow, then: Any) -> None:
    is_open = [True]
    window.finished.connect(lambda _code: is_open.clear())
    bridge.in_background(
        lambda: [read_plist(run) for run in runs],
        lambda headers: then(headers) if is_open else None,
        lambda: _close(window) if is_open else None,
    )


def _close(window: HeaderWindow) -> None:
    window.close()


def _add_all(parent: QTreeWidgetItem | None, plist: Any, *, is_card: bool = False) -> None:
    assert parent is not None
    if isinstance(plist, Mapping):
        is_card = "Card" in plist and "Class Name" in plist
        entries = [(str(name), value) for name, value in plist.items()]
    else:
        entries = named_items(plist, is_card=is_card)
        is_card = False
    for name, value in entries:
        is_group = isinstance(value, Mapping | list | tuple)
        item = QTreeWidgetItem([name, _in_short(value) if is_group else text_of(value)])
        item.setToolTip(1, item.text(1))
        parent.addChild(item)
        if is_group:
            _add_all(item, value, is_card=is_card)


def _in_short(value: Any) -> str:
    if isinstance(value, Mapping) or any(isinstance(one, Mapping | list | tuple) for one in value):
        return "" if value else "empty"
    return ", ".join(map(text_of, value)) or "empty"


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = (item.child(at) for at in range(item.childCount()))
    return [child for child in found if child is not None]


def _show_matching(item: QTreeWidgetItem, wanted: list[str], above: str) -> int:
    """Hide an item that does not match; gives the number of single values that are shown."""
    columns = item.columnCount()
    words = " ".join([above, *(item.text(at) for at in range(columns))]).casefold()
    children = _children(item)
    if not children:
        is_shown = all(word in words for word in wanted)
        item.setHidden(not is_shown)
        return int(is_shown)
    n_shown = sum(_show_matching(child, wanted, f"{above} {item.text(0)}") for child in children)
    item.setHidden(not n_shown and bool(wanted))
    item.setExpanded(bool(wanted) and n_shown > 0 or not wanted and item.parent() is None)
    return n_shown


def _lines(item: QTreeWidgetItem, indent: str) -> list[str]:
    lines = []
    for child in _children(item):
        if not child.isHidden():
            texts = [child.text(at) for at in range(child.columnCount())]
            lines += [indent + "\t".join(texts), *_lines(child, indent + "  ")]
    return lines
