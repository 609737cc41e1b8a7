"""Puts files, and what is in them, into a tree whose branches are made when they are opened."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QAbstractItemModel, QModelIndex, Qt

from pygama_gui.data import chain_facts
from pygama_gui.data.looking import Problem
from pygama_gui.widgets import theme, words

if TYPE_CHECKING:
    from pygama.storage.inside import FileContents, Node
    from pygama.storage.inside_rows import Column

HEADINGS = ("Name", "Type", "Rows", "Size")
MOST_COLUMNS = 2000
"""Columns of one table that the tree lists."""
N_GONE = 20
KINDS = {
    "columns": "table (arrays)",
    "frame": "table (fixed)",
    "objects": "pickled",
    "ragged": "of varying length",
}


class Entry:
    """A file, a node in it, or a column of that."""

    def __init__(self, path: Path, parent: Entry | None = None, row: int = 0) -> None:
        self.path, self.parent, self.row = path, parent, row
        self.node: Node | None = None
        self.column: Column | None = None
        self.contents: FileContents | None = None
        self.problem = ""
        self.is_reading = False
        self.n_bytes: int | None = None
        self._children: list[Entry] | None = None

    @property
    def is_file(self) -> bool:
        """Whether this is a whole file."""
        return self.parent is None

    @property
    def file(self) -> Entry:
        """The file that this is in."""
        return self if self.parent is None else self.parent.file

    @property
    def name(self) -> str:
        """What stands in the tree."""
        if self.column is not None:
            return self.column.name
        return self.path.name if self.node is None or self.is_file else self.node.name

    @property
    def key(self) -> str:
        """The path inside of the file."""
        return "/" if self.node is None else self.node.path

    @property
    def children(self) -> list[Entry]:
        """What is inside; nothing as long as the file has not been read."""
        if self._children is None:
            self._children = [] if self.is_file else self.make_children()
        return self._children

    def adopt(self, children: list[Entry]) -> None:
        """Have these inside."""
        self._children = children

    def empty(self) -> None:
        """Have nothing inside any more."""
        self._children = []

    @property
    def may_open(self) -> bool:
        """Whether there is something inside, as far as is known."""
        if self.is_file and self.contents is None:
            return not self.problem
        if self.node is None or self.column is not None:
            return False
        return len(self.node.columns) > 1 or bool(self._nodes_inside()) or self.is_file

    def fill(self, found: FileContents | Problem) -> None:
        """Take what was read of a file."""
        self.is_reading, self._children = False, []
        self.contents = None if isinstance(found, Problem) else found
        self.problem = found.text if isinstance(found, Problem) else ""
        if not isinstance(found, Problem):
            self.node, self.n_bytes = found.node("/"), found.n_bytes

    def _nodes_inside(self) -> tuple[Node, ...]:
        contents = self.file.contents
        return () if contents is None or self.node is None else contents.inside(self.node.path)

    def make_children(self) -> list[Entry]:
        """Make the entries of what is inside."""
        nodes = self._nodes_inside()
        named = {node.name for node in nodes}
        columns = self.node.columns if self.node is not None and self.column is None else ()
        made: list[Entry] = []
        if len(columns) > 1:
            for column in columns[:MOST_COLUMNS]:
                if column.name not in named:
                    entry = Entry(self.path, self, len(made))
                    entry.node, entry.column = self.node, column
                    made.append(entry)
        for node in nodes:
            entry = Entry(self.path, self, len(made))
            entry.node = node
            made.append(entry)
        return made


def kind_of(entry: Entry) -> str:
    """Say what an entry is."""
    if entry.column is not None:
        width = entry.column.width
        beside = "" if width == 1 else f" × {width}" if width else ", varying"
        return entry.column.kind + beside
    if entry.is_file:
        return "reading…" if entry.is_reading else "▲ unreadable" if entry.problem else "file"
    assert entry.node is not None
    if entry.node.kind == "array":
        return " × ".join([entry.node.dtype, *map(str, entry.node.shape[1:])])
    return ("▲ " if entry.node.trouble else "") + KINDS.get(entry.node.kind, entry.node.kind)


class FileTree(QAbstractItemModel):
    """The files and what is in them."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[Entry] = []
        self._gone: deque[list[Entry]] = deque(maxlen=N_GONE)

    def show(self, paths: Sequence[Path]) -> None:
        """List files; what is known of those that are there already is kept."""
        if [entry.path for entry in self.files] == list(paths):
            return
        self.beginResetModel()
        known = {entry.path: entry for entry in self.files}
        self.files = [known.get(path) or Entry(path) for path in paths]
        for row, entry in enumerate(self.files):
            entry.row = row
        self.endResetModel()

    def fill(self, entry: Entry, found: FileContents | Problem) -> None:
        """Take what was read of a file."""
        if entry not in self.files:
            return
        index = self.index_of(entry)
        if before := entry.children:
            self._gone.append(before)  # Qt may still hold their addresses
            self.beginRemoveRows(index, 0, len(before) - 1)
            entry.empty()
            self.endRemoveRows()
        entry.fill(found)
        if after := entry.make_children():
            self.beginInsertRows(index, 0, len(after) - 1)
            entry.adopt(after)
            self.endInsertRows()
        self.renew(entry)

    def renew(self, entry: Entry) -> None:
        """Show anew what stands beside a file."""
        self.dataChanged.emit(self.index_of(entry), self.index_of(entry, len(HEADINGS) - 1))

    def index_of(self, entry: Entry, column: int = 0) -> QModelIndex:
        """Give the place of an entry."""
        return self.createIndex(entry.row, column, entry)

    def entry(self, index: QModelIndex) -> Entry | None:
        """Give the entry at a place; None for no place."""
        return index.internalPointer() if index.isValid() else None

    def index(self, row: int, column: int, parent: QModelIndex = QModelIndex()) -> QModelIndex:  # noqa: B008
        """Give the place of a row."""
        above = self.entry(parent)
        inside = self.files if above is None else above.children
        return self.createIndex(row, column, inside[row]) if 0 <= row < len(inside) else QModelIndex()

    def parent(self, index: QModelIndex) -> QModelIndex:  # type: ignore[override]
        """Give the place that a place is in."""
        entry = self.entry(index)
        return QModelIndex() if entry is None or entry.parent is None else self.index_of(entry.parent)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name)
        """Count what is inside."""
        entry = self.entry(parent)
        return len(self.files) if entry is None else len(entry.children) if parent.column() == 0 else 0

    def hasChildren(self, parent: QModelIndex = QModelIndex()) -> bool:  # noqa: N802, B008  (Qt's name)
        """Tell whether there may be something inside."""
        entry = self.entry(parent)
        return bool(self.files) if entry is None else entry.may_open and parent.column() == 0

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name)
        """Count name, type, rows and size."""
        return len(HEADINGS)

    def headerData(  # noqa: N802  (Qt's name)
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Name what stands in the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section > 1:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give the words of an entry."""
        entry = self.entry(index)
        if entry is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _words_of(entry)[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, _words_of(entry)))
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(entry)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() > 1:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole and index.column():
            is_bad = bool(entry.problem or (entry.node is not None and entry.node.trouble))
            return theme.current().color("warn" if is_bad and index.column() == 1 else "soft")
        if role == Qt.ItemDataRole.FontRole and entry.is_file and index.column() == 0:
            return theme.font(theme.SMALL, bold=True)
        return None


def _words_of(entry: Entry) -> tuple[str, str, str, str]:
    rows = size = ""
    if entry.is_file:
        size = words.size(entry.n_bytes) if entry.n_bytes is not None else ""
    elif entry.column is None and entry.node is not None:
        rows = words.count(entry.node.n_rows) if entry.node.n_rows is not None else ""
        size = words.size(entry.node.stored_bytes) if entry.node.stored_bytes else ""
    name = entry.name if entry.column is None else title_of(entry.column)
    return name, kind_of(entry), rows, size


def title_of(column: Column) -> str:
    """Name a column with its unit, unless the name says it."""
    unit = column.unit or chain_facts.unit_of(column.name)
    return f"{column.name} ({unit})" if unit and not column.name.endswith(f"_{unit}") else column.name


def _tip(entry: Entry) -> str:
    if entry.is_file:
        return entry.problem or str(entry.path)
    assert entry.node is not None
    return entry.node.trouble or entry.node.path
