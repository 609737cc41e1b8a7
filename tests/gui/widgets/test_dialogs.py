"""Asks for folders as the window does."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtWidgets import QFileDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.dialogs import ask_folder


def dialog_of(parent: QWidget) -> QFileDialog:
    dialog = parent.findChild(QFileDialog)
    assert dialog is not None
    return dialog


def test_a_folder_that_is_typed_is_taken(qtbot: QtBot, tmp_path: Path) -> None:
    parent, taken = QWidget(), list[Path]()
    qtbot.addWidget(parent)
    (tmp_path / "out").mkdir()
    ask_folder(parent, "Choose", tmp_path, taken.append)
    dialog_of(parent).findChild(QLineEdit).setText(str(tmp_path / "out"))
    dialog_of(parent).accept()
    assert taken == [tmp_path / "out"]


def test_the_inner_one_is_taken_where_qt_gives_the_outer_folder_too(qtbot: QtBot, tmp_path: Path) -> None:
    parent, taken = QWidget(), list[Path]()
    qtbot.addWidget(parent)
    ask_folder(parent, "Choose", tmp_path, taken.append)
    dialog_of(parent).filesSelected.emit([str(tmp_path), str(tmp_path / "out")])
    dialog_of(parent).reject()
    assert taken == [tmp_path / "out"]


def test_choosing_no_folder_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    parent, told = QWidget(), list[str]()
    qtbot.addWidget(parent)
    ask_folder(parent, "Choose", tmp_path, lambda _folder: told.append("taken"), lambda: told.append("none"))
    dialog_of(parent).reject()
    assert told == ["none"]
