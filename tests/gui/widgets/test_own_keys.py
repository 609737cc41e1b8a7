"""Tests that controls keep their keys where a view has the same ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QCheckBox, QComboBox, QMainWindow, QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.expression_field import ExpressionField
from pygama_gui.widgets.own_keys import Menu, MenuBarKeys, OwnKeys
from pygama_gui.widgets.plot import plot_actions

Parts = tuple[QWidget, QWidget, QCheckBox, QComboBox, list[str]]


@pytest.fixture
def parts(qtbot: QtBot) -> Parts:
    view, plot, check, choices = QWidget(), QWidget(), QCheckBox("only"), QComboBox()
    plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    plot.setMinimumHeight(40)
    choices.addItems(["all", "channel 0", "channel 1"])
    column = QVBoxLayout(view)
    for one in (plot, check, choices):
        column.addWidget(one)
    done: list[str] = []

    def note(key: str) -> Callable[[], object]:
        return lambda: done.append(key)

    plot_actions(view, [(key, key, note(key)) for key in ("Space", "Down", "N", "C")])
    OwnKeys(view, plot)
    qtbot.addWidget(view)
    view.show()
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    return view, plot, check, choices, done


def test_space_presses_the_control_that_has_the_focus(qtbot: QtBot, parts: Parts) -> None:
    _, _, check, _, done = parts
    check.setFocus()
    qtbot.keyClick(check, Qt.Key.Key_Space)
    assert check.isChecked()
    assert done == []


def test_other_keys_of_the_view_work_on_a_control(qtbot: QtBot, parts: Parts) -> None:
    _, plot, check, _, done = parts
    check.setFocus()
    qtbot.keyClick(check, Qt.Key.Key_N)
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Space)
    assert done == ["N", "Space"]


def test_arrows_choose_in_a_list_closed_or_open(qtbot: QtBot, parts: Parts) -> None:
    _, _, _, choices, done = parts
    choices.setFocus()
    qtbot.keyClick(choices, Qt.Key.Key_Down)
    assert choices.currentText() == "channel 0"
    choices.showPopup()
    opened = choices.view()
    assert opened is not None
    qtbot.waitUntil(opened.isVisible)
    qtbot.keyClick(opened, Qt.Key.Key_Down)
    assert opened.currentIndex().row() == 2
    assert done == []
    choices.hidePopup()


@pytest.mark.parametrize(
    ("key", "chosen"),
    [(Qt.Key.Key_Return, "channel 0"), (Qt.Key.Key_Enter, "channel 0"), (Qt.Key.Key_Escape, "all")],
)
def test_return_takes_what_an_open_list_stands_on_and_esc_closes_it(
    qtbot: QtBot, parts: Parts, key: Qt.Key, chosen: str
) -> None:
    view, _, _, choices, done = parts
    plot_actions(view, [(one, one, lambda: done.append("view")) for one in ("Return", "Enter", "Esc")])
    choices.showPopup()
    opened = choices.view()
    assert opened is not None
    qtbot.waitUntil(opened.isVisible)
    qtbot.keyClick(opened, Qt.Key.Key_Down)
    qtbot.keyClick(opened, key)
    qtbot.waitUntil(lambda: not opened.isVisible())
    assert choices.currentText() == chosen
    assert done == []


def test_a_letter_in_an_open_list_goes_to_what_begins_with_it(qtbot: QtBot, parts: Parts) -> None:
    _, _, _, choices, done = parts
    choices.showPopup()
    opened = choices.view()
    assert opened is not None
    qtbot.waitUntil(opened.isVisible)
    qtbot.keyClick(opened, Qt.Key.Key_C)
    assert opened.currentIndex().row() == 1
    assert done == []
    choices.hidePopup()


def test_a_click_on_a_control_leaves_the_keys_with_the_plot(qtbot: QtBot, parts: Parts) -> None:
    _, plot, check, _, done = parts
    qtbot.mouseClick(check, Qt.MouseButton.LeftButton)
    assert check.isChecked()
    assert plot.hasFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Down)
    assert done == ["Down"]


def test_ctrl_e_in_a_line_of_text_is_the_windows(qtbot: QtBot) -> None:
    window, done = QWidget(), []
    field = ExpressionField("cut", list)
    column = QVBoxLayout(window)
    column.addWidget(field)
    plot_actions(window, [("Save as Python script", "Ctrl+E", lambda: done.append("saved"))])
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    field.setFocus()
    qtbot.keyClicks(field, "trap_max")
    qtbot.keyClick(field, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert (field.text(), done) == ("trap_max", ["saved"])


@pytest.fixture
def menus(qtbot: QtBot) -> tuple[QMainWindow, QMenu, list[str]]:
    """Give a window whose plot has the focus, and whose menu holds two actions with one key."""
    window, plot = QMainWindow(), QWidget()
    plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    window.setCentralWidget(plot)
    bar = window.menuBar()
    assert bar is not None
    keys = MenuBarKeys(bar)
    done: list[str] = []
    menu = Menu("&Waveform", window)
    menu.installEventFilter(keys)
    bar.addMenu(menu)
    bar.addMenu("&Spectrum").addAction("nothing")
    for view in (plot, window):

        def note() -> None:
            done.append("N")

        menu.addActions(plot_actions(view, [("next", "N", note)]))
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    plot.setFocus()
    return window, menu, done


def test_escape_in_a_menu_gives_the_keyboard_back(
    qtbot: QtBot, menus: tuple[QMainWindow, QMenu, list[str]]
) -> None:
    window, menu, _ = menus
    bar, plot = window.menuBar(), window.centralWidget()
    assert bar is not None
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(menu.isVisible)
    qtbot.keyClick(menu, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.focusWidget() is plot)
    assert not menu.isVisible()
    assert bar.activeAction() is None


def test_letters_and_arrows_go_through_the_menus_while_the_bar_has_the_keyboard(
    qtbot: QtBot, menus: tuple[QMainWindow, QMenu, list[str]]
) -> None:
    window, menu, done = menus
    bar = window.menuBar()
    assert bar is not None
    qtbot.keyClick(window, Qt.Key.Key_Alt)
    qtbot.waitUntil(bar.hasFocus)
    qtbot.keyClick(bar, Qt.Key.Key_N)
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert bar.activeAction() is bar.actions()[1]
    qtbot.keyClick(bar, Qt.Key.Key_W)
    qtbot.waitUntil(menu.isVisible)
    menu.close()
    assert done == []


def test_a_letter_in_an_open_menu_chooses_from_it(
    qtbot: QtBot, menus: tuple[QMainWindow, QMenu, list[str]]
) -> None:
    window, menu, done = menus
    menu.addAction("&Normal").triggered.connect(lambda: done.append("normal"))
    menu.popup(window.mapToGlobal(window.rect().center()))
    qtbot.waitUntil(menu.isVisible)
    qtbot.keyClick(menu, Qt.Key.Key_N)
    assert done == ["normal"]
    assert not menu.isVisible()
