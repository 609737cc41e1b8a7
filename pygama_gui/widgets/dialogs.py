"""Makes the dialogs that ask for files: they let the window work on while they are open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QFileDialog, QHeaderView, QListView, QSplitter, QTreeView, QWidget

from pygama_gui.widgets.parts import room_on_screen

SIZE = QSize(860, 520)
ROWS_LOOKED_AT = 100
"""Rows by which the width of a column is chosen; a folder may hold many."""
LEAST_PLACES, PLACE_ROOM = 140, 24
"""Width of the places at the side at least, and what they need beside their names, in pixels."""


def file_dialog(parent: QWidget, title: str, folder: Path) -> QFileDialog:
    """Make a dialog that goes away when it is closed; shown by its `open`."""
    dialog = QFileDialog(parent, title, str(folder))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.resize(SIZE.boundedTo(room_on_screen()))
    _show_places(dialog)
    _show_columns(dialog)
    return dialog


def _show_places(dialog: QFileDialog) -> None:
    """Give the places at the side the room of their names, up to a third; Qt's own width cuts them.

    A dialog of the desktop has no such parts.
    """
    places, splitter = dialog.findChild(QListView, "sidebar"), dialog.findChild(QSplitter)
    if places is None or splitter is None:
        return
    wanted = places.sizeHintForColumn(0) + 2 * places.frameWidth() + PLACE_ROOM
    width = min(max(wanted, LEAST_PLACES), dialog.width() // 3)
    splitter.setSizes([width, dialog.width() - width])


def _show_columns(dialog: QFileDialog) -> None:
    """Give sizes, kinds and dates the room they need, and the rest to the names; Qt's own widths cut them."""
    files = dialog.findChild(QTreeView, "treeView")
    if files is None or (head := files.header()) is None:
        return
    head.setResizeContentsPrecision(ROWS_LOOKED_AT)
    for column in range(1, head.count()):
        head.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)


def ask_folder(
    parent: QWidget,
    title: str,
    folder: Path,
    then: Callable[[Path], object],
    otherwise: Callable[[], None] = lambda: None,
) -> None:
    """Ask for a folder that is there. otherwise: called where none is chosen.

    Qt's dialog may give the folder it stands in beside the one that was typed, and then tells of no single
    file; the inner one is meant.
    """
    dialog = file_dialog(parent, title, folder)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.filesSelected.connect(lambda names: _hand(then, max(names, key=len)))
    dialog.rejected.connect(otherwise)
    dialog.open()


def ask_open(parent: QWidget, title: str, folder: Path, kind: str, then: Callable[[Path], object]) -> None:
    """Ask for a file that is there. kind: like 'Settings (*.json)'."""
    dialog = file_dialog(parent, title, folder)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilter(kind)
    dialog.fileSelected.connect(lambda name: _hand(then, name))
    dialog.open()


def ask_save(parent: QWidget, title: str, suggested: Path, kind: str, then: Callable[[Path], object]) -> None:
    """Ask for the name of a file to write; the suffix of the suggested name is put to one without any."""
    dialog = file_dialog(parent, title, suggested.parent)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter(kind)
    dialog.setDefaultSuffix("".join(suggested.suffixes).lstrip("."))
    dialog.selectFile(suggested.name)
    dialog.fileSelected.connect(lambda name: _hand(then, name))
    dialog.open()


def _hand(then: Callable[[Path], object], name: str) -> None:
    then(Path(name))
