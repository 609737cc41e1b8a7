"""Shows what is said of a part of a file: size, packing, attributes, and long texts to search in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QStandardItem, QStandardItemModel, QTextCursor, QTextDocument
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.jobs.board import counted
from pygama_gui.views.files.tree import Entry, kind_of
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import button, icon_button, label, row

if TYPE_CHECKING:
    from pygama.storage.inside import Attribute

MOST_CHARACTERS = 400_000
"""Of a text on screen; 'Copy' takes all of it."""
IN_A_LINE = 200
WIDEST_NAME, LEAST_SECTION = 108, 40
"""Pixels of the columns of attributes: a value yields, as the whole of it stands beside the list."""
MOST_SENTENCES = 4
_PLAIN_LIST = re.compile(r"\[[^\[\]{}]*\]")
_LINE_ENDS = re.compile(r"\s*\n\s*")
FIRST = ("header", "chain", "tier0")
"""Texts that are shown first where a file has them."""


class DetailsPage(QWidget):
    """Facts, attributes, and the text of one of them."""

    def __init__(self) -> None:
        super().__init__()
        self._attributes: tuple[Attribute, ...] = ()
        self._text = ""
        self.facts = label(tone="soft", px=theme.SMALL)
        self.facts.setWordWrap(True)
        self.facts.setAccessibleName("Facts about what is chosen")
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.trouble = label(tone="warn", px=theme.SMALL)
        self.trouble.setWordWrap(True)
        self.trouble.setAccessibleName("What was not read")
        self.trouble.hide()
        self._make_list()
        self._make_text()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.list)
        split.addWidget(self._beside)
        split.setSizes([300, 520])
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 4, 4)
        column.setSpacing(6)
        column.addWidget(self.facts)
        column.addWidget(self.trouble)
        column.addWidget(split, 1)

    def _make_list(self) -> None:
        self.model = QStandardItemModel(0, 2)
        self.list = QTreeView()
        self.list.setAccessibleName("Attributes")
        self.list.setModel(self.model)
        self.list.setMinimumWidth(160)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.header().setMinimumSectionSize(LEAST_SECTION)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setAllColumnsShowFocus(True)
        self.list.header().setFont(theme.font(theme.SMALL))
        self.list.setFont(theme.font(theme.SMALL))
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.selectionModel().currentRowChanged.connect(lambda index, _old: self._show(index.row()))

    def _make_text(self) -> None:
        self.search = QLineEdit()
        self.search.setAcceptDrops(False)
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search in the text")
        self.search.setClearButtonEnabled(True)
        for clear in self.search.findChildren(QAbstractButton):
            clear.setAccessibleName("Clear the search")
        self.search.setMinimumWidth(110)
        self.search.textChanged.connect(lambda _text: self._find_first())
        self.search.returnPressed.connect(lambda: self.go_on(is_back=False))
        self.hits = label(tone="soft", px=theme.SMALL)
        self.previous_button = icon_button("previous", "Previous place", lambda: self.go_on(is_back=True))
        self.next_button = icon_button("next", "Next place (Return)", lambda: self.go_on(is_back=False))
        self.copy_button = button("Copy", "Copy the whole text")
        self.copy_button.setObjectName("compact")
        self.copy_button.clicked.connect(lambda: QApplication.clipboard().setText(self._text))
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAcceptDrops(False)
        self.text.setFont(theme.font(theme.SMALL))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.text.setAccessibleName("Text of the attribute")
        self.text.setPlaceholderText("Choose an attribute to read all of it.")
        by = Qt.TextInteractionFlag
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlags(by.TextSelectableByMouse) | by.TextSelectableByKeyboard
        )
        self._beside = QWidget()
        column = QVBoxLayout(self._beside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.hits, self.previous_button, self.next_button):
            widget.hide()
        controls = row(self.hits, self.previous_button, self.next_button, self.copy_button, spacing=6)
        controls.insertWidget(0, self.search, 1)
        column.addLayout(controls)
        column.addWidget(self.text, 1)

    def show_entry(self, entry: Entry | None) -> None:
        """Tell what is known of a part of a file."""
        self.facts.setText("" if entry is None else facts_of(entry))
        sentences = [] if entry is None else troubles_of(entry)
        self.trouble.setText("\n".join(f"▲ {sentence}" for sentence in sentences))
        self.trouble.setVisible(bool(sentences))
        node = None if entry is None else entry.node
        attributes = () if node is None else node.attributes
        if attributes != self._attributes or not attributes:
            self._attributes = attributes
            self._fill()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self._fill()

    def _fill(self) -> None:
        self.model.clear()
        self.model.setHorizontalHeaderLabels(["Attribute", "Value"])
        for one in self._attributes:
            value = QStandardItem(" ".join(one.text[:IN_A_LINE].split()))
            value.setForeground(theme.current().color("warn" if one.refused else "soft"))
            self.model.appendRow([QStandardItem(one.name), value])
        header = self.list.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.list.resizeColumnToContents(0)
        self.list.setColumnWidth(0, min(self.list.columnWidth(0), WIDEST_NAME))
        self.list.setColumnWidth(1, LEAST_SECTION)  # the last one is stretched from here
        names = [one.name for one in self._attributes]
        wanted = next((names.index(name) for name in FIRST if name in names), 0)
        if names:
            self.list.setCurrentIndex(self.model.index(wanted, 0))
        else:
            self._write("")

    def _show(self, at: int) -> None:
        self._write(self._attributes[at].text if 0 <= at < len(self._attributes) else "")

    def _write(self, text: str) -> None:
        self._text = pretty(text)
        shown = self._text[:MOST_CHARACTERS]
        if len(self._text) > MOST_CHARACTERS:
            shown += f"\n… {words.count(len(self._text) - MOST_CHARACTERS)} more characters: Copy takes all"
        self.text.setPlainText(shown)
        self._find_first()

    def _find_first(self) -> None:
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        wanted = self.search.text()
        n = self.text.toPlainText().lower().count(wanted.lower()) if wanted else 0
        self.hits.setText("" if not wanted else f"{words.count(n)} found" if n else "not found")
        for widget in (self.hits, self.previous_button, self.next_button):
            widget.setVisible(bool(wanted))
        self.copy_button.setHidden(bool(wanted))
        if wanted:
            self.text.find(wanted)

    def go_on(self, *, is_back: bool) -> None:
        """Go to the next or the previous place of what is searched, around the end."""
        wanted = self.search.text()
        flags = QTextDocument.FindFlags(QTextDocument.FindFlag.FindBackward) if is_back else None
        found = self.text.find(wanted, flags) if flags is not None else self.text.find(wanted)
        if wanted and not found:
            end = QTextCursor.MoveOperation.End if is_back else QTextCursor.MoveOperation.Start
            self.text.moveCursor(end)
            if flags is not None:
                self.text.find(wanted, flags)
            else:
                self.text.find(wanted)


def pretty(text: str) -> str:
    """Lay JSON out in lines, lists of numbers in one; all else stays as it is."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        laid_out = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
    return _PLAIN_LIST.sub(lambda found: _LINE_ENDS.sub(" ", found[0]), laid_out)


def facts_of(entry: Entry) -> str:
    """Tell in one line what an entry is."""
    if entry.is_file:
        return "" if entry.n_bytes is None else f"{entry.path} · {_whole(entry.n_bytes)}"
    node = entry.node
    assert node is not None
    facts = [f"{node.path} · {kind_of(entry)}"]
    if entry.column is not None:
        facts = [f"{entry.column.name} · {kind_of(entry)}", f"of {node.path}"]
    if node.n_rows is not None:
        facts.append(counted(node.n_rows, "row"))
    if len(node.columns) > 1 and entry.column is None:
        facts.append(counted(len(node.columns), "column"))
    if node.shape and node.kind == "array":
        facts.append("shape " + " × ".join(words.count(size) for size in node.shape))
    if node.stored_bytes:
        facts.append(f"{_whole(node.stored_bytes)} on disk")
    if node.packing:
        facts.append("not compressed" if node.packing == "none" else f"compressed with {node.packing}")
    if node.chunk:
        facts.append(f"in pieces of {_piece_words(node.chunk)}")
    return " · ".join(facts)


def _whole(n_bytes: int) -> str:
    """Write a size that is not parted from its unit at the end of a line."""
    return words.together(words.size(n_bytes))


def _piece_words(chunk: Sequence[int]) -> str:
    if len(chunk) == 1:
        return counted(chunk[0], "row")
    return " × ".join(words.count(size) for size in chunk)


def troubles_of(entry: Entry) -> list[str]:
    """Give the sentences that say what of an entry was not read."""
    if entry.problem:
        return [entry.problem]
    if entry.is_file and entry.contents is not None:
        refused = entry.contents.refused
        more = len(refused) - MOST_SENTENCES
        return [*refused[:MOST_SENTENCES], *([f"and {more} more such"] if more > 0 else [])]
    node = entry.node
    if node is None:
        return []
    refused_here = [f"Attribute '{one.name}' {one.refused}" for one in node.attributes if one.refused]
    return [*([node.trouble] if node.trouble else []), *refused_here]
