"""Tests that a key is told of to who has chosen something from a menu again and again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QAction, QMenuBar
from pytestqt.qtbot import QtBot

from pygama_gui.main_window import MainWindow
from pygama_gui.widgets.key_hints import TIMES, KeyHints


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def choose(qtbot: QtBot, told: list[str]) -> Callable[[str], QAction]:
    """Make a menu with one entry that has keys; the function given chooses it with the mouse."""
    bar = QMenuBar()
    qtbot.addWidget(bar)
    menu = bar.addMenu("&Waveform")
    inner = menu.addMenu("&More")
    actions = {}
    for place, words, keys in ((menu, "&Next…", "N"), (menu, "&Play", ""), (inner, "&Jump", "J")):
        actions[words] = place.addAction(words)
        actions[words].setShortcut(keys)
    bar.hints = KeyHints(bar, told.append)

    def click(words: str) -> QAction:
        action = actions[words]
        place = action.associatedWidgets()[0]
        place.popup(QPoint(50, 50))
        qtbot.mouseClick(place, Qt.MouseButton.LeftButton, pos=place.actionGeometry(action).center())
        qtbot.waitUntil(lambda: not bar.hints._has_just_closed)
        return action

    return click


def test_the_key_is_told_once(choose: Callable[[str], QAction], told: list[str]) -> None:
    for _ in range(TIMES - 1):
        choose("&Next…")
    assert told == []
    for _ in range(TIMES):
        choose("&Next…")
    assert told == ["Next: N does it too"]


def test_what_has_no_key_is_not_told_of(choose: Callable[[str], QAction], told: list[str]) -> None:
    for _ in range(TIMES):
        choose("&Play")
    assert told == []


def test_who_uses_the_key_knows_it(choose: Callable[[str], QAction], told: list[str]) -> None:
    action = choose("&Next…")
    for _ in range(2 * TIMES):
        action.trigger()
    assert told == []


def test_the_window_tells_it_in_its_last_line(qtbot: QtBot, open_window: Callable[..., MainWindow]) -> None:
    window = open_window()
    menu = next(one.menu() for one in window.menuBar().actions() if one.text() == "&View")
    action = next(one for one in menu.actions() if one.shortcut().toString() == "Ctrl+L")
    for _ in range(TIMES):
        menu.popup(QPoint(50, 50))
        qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    assert window.last_line.line.text() == "Show or hide the log: Ctrl+L does it too"
    window.bridge.log("Something happened")
    assert window.last_line.line.text().endswith("Something happened")
