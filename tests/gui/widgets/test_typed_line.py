"""Tests who gets undo in a line: what is being typed, or the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAction, QMainWindow
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.typed_line import TypedLine


@pytest.fixture
def line(qtbot: QtBot) -> Iterator[TypedLine]:
    """Give a line in a window that has an undo of its own, which counts itself in `undone`."""
    window = QMainWindow()
    qtbot.addWidget(window)
    line = TypedLine()
    line.setText("wf_trap")
    window.setCentralWidget(line)
    line.undone = 0  # type: ignore[attr-defined]

    def undo() -> None:
        line.undone += 1  # type: ignore[attr-defined]

    action = QAction("Undo", window)
    action.setShortcut("Ctrl+Z")
    action.triggered.connect(undo)
    window.addAction(action)
    window.show()
    window.activateWindow()
    line.setFocus()
    qtbot.waitUntil(line.hasFocus)
    yield line
    window.close()


def undo(qtbot: QtBot, line: TypedLine) -> int:
    qtbot.keyClick(line, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    return line.undone  # type: ignore[attr-defined,no-any-return]


def test_a_line_in_which_nothing_was_typed_leaves_undo_to_the_window(qtbot: QtBot, line: TypedLine) -> None:
    assert undo(qtbot, line) == 1


def test_what_is_half_typed_is_undone_in_the_line(qtbot: QtBot, line: TypedLine) -> None:
    qtbot.keyClicks(line, "2")
    assert undo(qtbot, line) == 0
    assert line.text() == "wf_trap"


def test_what_was_entered_is_undone_by_the_window(qtbot: QtBot, line: TypedLine) -> None:
    qtbot.keyClicks(line, "2")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert undo(qtbot, line) == 1
    assert line.text() == "wf_trap2"
