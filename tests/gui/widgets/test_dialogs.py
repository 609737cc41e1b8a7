"""Asks for folders as the window does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QSize, QUrl
from PyQt5.QtWidgets import QApplication, QFileDialog, QLineEdit, QListView, QTreeView, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.views.chain.scan import ScanWindow
from pygama_gui.views.cuts.hits import HitsDialog
from pygama_gui.views.runs.headers import HeaderWindow
from pygama_gui.widgets.dialogs import LEAST_PLACES, PLACE_ROOM, ask_folder, file_dialog


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


def test_the_places_at_the_side_of_a_file_dialog_are_read_whole(qtbot: QtBot, tmp_path: Path) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = file_dialog(parent, "Choose", tmp_path)
    dialog.setSidebarUrls([QUrl.fromLocalFile(str(tmp_path))])
    dialog.open()
    qtbot.waitExposed(dialog)
    places = dialog.findChild(QListView, "sidebar")
    assert places is not None
    assert places.viewport().width() >= LEAST_PLACES - PLACE_ROOM
    dialog.reject()


def test_sizes_and_dates_of_files_are_read_whole(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "2018-9-25-Th228Run9001").write_bytes(b"0" * 3_716_204)
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = file_dialog(parent, "Choose", tmp_path)
    dialog.open()
    qtbot.waitExposed(dialog)
    files = dialog.findChild(QTreeView, "treeView")
    assert files is not None
    qtbot.waitUntil(lambda: files.model().rowCount(files.rootIndex()) == 1)
    file = files.model().index(0, 0, files.rootIndex())
    date = file.sibling(0, 3).data()
    qtbot.waitUntil(lambda: files.columnWidth(3) >= files.fontMetrics().horizontalAdvance(date))
    assert files.header().length() <= files.viewport().width()
    dialog.reject()


def test_choosing_no_folder_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    parent, told = QWidget(), list[str]()
    qtbot.addWidget(parent)
    ask_folder(parent, "Choose", tmp_path, lambda _folder: told.append("taken"), lambda: told.append("none"))
    dialog_of(parent).reject()
    assert told == ["none"]


@pytest.mark.parametrize(
    "make",
    [
        lambda parent, bridge: ScanWindow(bridge, parent),
        lambda parent, bridge: HitsDialog(bridge, parent),
        lambda parent, bridge: HeaderWindow(parent, "Header", ("Name", "Value")),
        lambda parent, bridge: file_dialog(parent, "Choose", Path.home()),
    ],
)
def test_a_window_beside_the_main_one_is_no_higher_than_a_low_screen(
    qtbot: QtBot,
    bridge: Bridge,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[QWidget, Bridge], QWidget],
) -> None:
    room = QSize(960, 520)  # 1920 x 1040 where all is twice as large
    monkeypatch.setattr(type(QApplication.primaryScreen()), "availableSize", lambda _: room)
    parent = QWidget()
    qtbot.addWidget(parent)
    made = make(parent, bridge)
    made.ensurePolished()
    for size in (made.size(), made.minimumSizeHint()):
        assert (size.width() < room.width(), size.height() < room.height()) == (True, True)
