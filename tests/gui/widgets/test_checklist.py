"""Tests the list of things to show or hide."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from pygama_gui.widgets import theme
from pygama_gui.widgets.checklist import CheckList, Item
from pygama_gui.widgets.parts import button

ITEMS = [Item("wf_trap", "trap_filter", True, "#0B6BCB"), Item("tp_50", "tp_50", False, kind="time")]


@pytest.fixture
def box(qtbot: QtBot, themed: object) -> CheckList:
    made = CheckList("Curves", "Curves that are drawn")
    qtbot.addWidget(made)
    made.set_items(ITEMS)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_its_button_has_the_line_of_every_other_button(qtbot: QtBot, box: CheckList) -> None:
    other = button("Other", "Another button")
    qtbot.addWidget(other)
    other.show()
    qtbot.waitExposed(other)
    box.clearFocus()
    edges = [one.grab().toImage().pixelColor(0, one.height() // 2).name() for one in (other, box)]
    assert edges == [theme.current().color("line").name()] * 2


@pytest.mark.parametrize("name", theme.NAMES)
def test_the_box_of_what_is_not_ticked_is_seen(qtbot: QtBot, box: CheckList, name: str) -> None:
    theme.apply(name)
    box.open()
    line = box.list.visualItemRect(box.list.item(1))
    picture = box.list.viewport().grab(line).toImage()
    drawn = {picture.pixelColor(x, picture.height() // 2).name() for x in range(20)}
    box.popup.hide()
    theme.apply("light")
    assert theme.theme(name).color("faint").name() in drawn


def test_a_list_of_nothing_cannot_be_opened(box: CheckList) -> None:
    box.set_items([])
    assert not box.isEnabled()


def test_space_ticks_the_line_that_the_keys_are_on(qtbot: QtBot, box: CheckList) -> None:
    box.open()
    with qtbot.waitSignal(box.toggled_one) as told:
        qtbot.keyClick(box.list, Qt.Key.Key_Space)
    assert told.args == ["wf_trap"]
    box.popup.hide()


def test_a_plain_line_has_no_swatch(box: CheckList) -> None:
    box.set_items([ITEMS[0], Item("bl_int", "bl_int", True, kind="plain")])
    assert [box.list.item(row).icon().isNull() for row in (0, 1)] == [False, True]


def test_filling_the_list_ticks_nothing_by_itself(box: CheckList) -> None:
    told: list[str] = []
    box.toggled_one.connect(told.append)
    box.set_items([Item("wf_trap", "trap_filter", False), ITEMS[1]])
    line = box.list.item(0)
    assert line is not None
    assert line.checkState() == Qt.CheckState.Unchecked
    assert told == []


def test_the_line_that_the_keys_are_on_stays(box: CheckList) -> None:
    box.list.setCurrentRow(1)
    box.set_items([Item("wf_trap", "trap_filter", False), ITEMS[1]])
    assert box.list.currentRow() == 1
