"""Python is typed beside the window, and the window goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.data.console import HELP
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views.console import LOW, ConsoleView
from pygama_gui.widgets import theme

KEY = Qt.Key


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge) -> ConsoleView:
    made = ConsoleView(bridge)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def enter(qtbot: QtBot, view: ConsoleView) -> Callable[[str], str]:
    """Type an input and wait for what it says."""

    def type_in(text: str) -> str:
        before = view.text.toPlainText()
        for line in text.split("\n"):
            QTest.keyClicks(view.prompt, line)
            QTest.keyClick(view.prompt, KEY.Key_Return)
        qtbot.waitUntil(lambda: not view.is_running, timeout=20_000)
        return view.text.toPlainText()[len(before) :]

    return type_in


def test_an_input_and_its_answer_stand_below_each_other(view, enter):
    assert enter("6 * 7") == ">>> 6 * 7\n42\n"
    assert view.prompt.toPlainText() == ""
    assert enter("for i in range(2):\nprint(i)\n") == ">>> for i in range(2):\n...     print(i)\n0\n1\n"
    assert "ZeroDivisionError" in enter("1 / 0")


def test_return_runs_only_what_is_whole_and_control_return_all(qtbot, view, enter):
    QTest.keyClicks(view.prompt, "(1,")
    QTest.keyClick(view.prompt, KEY.Key_Return)
    assert view.prompt.toPlainText() == "(1,\n"
    QTest.keyClick(view.prompt, KEY.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not view.is_running, timeout=20_000)
    assert "SyntaxError" in view.text.toPlainText()


def test_earlier_inputs_come_back_and_what_was_begun_after_them(view, enter):
    enter("1 + 1")
    enter("2 + 2")
    QTest.keyClicks(view.prompt, "half")
    shown = []
    for key in (KEY.Key_Up, KEY.Key_Up, KEY.Key_Up, KEY.Key_Down, KEY.Key_Down):
        QTest.keyClick(view.prompt, key)
        shown.append(view.prompt.toPlainText())
    assert shown == ["2 + 2", "1 + 1", "1 + 1", "2 + 2", "half"]


def test_tab_completes_a_name_and_leaves_an_empty_prompt(view, enter):
    enter("number_of_things = 1")
    QTest.keyClicks(view.prompt, "number_of")
    QTest.keyClick(view.prompt, KEY.Key_Tab)
    assert view.prompt.toPlainText() == "number_of_things"
    view.prompt.clear()
    view.prompt.setFocus()
    QTest.keyClick(view.prompt, KEY.Key_Tab)
    assert view.prompt.toPlainText() == ""
    assert not view.prompt.hasFocus()


def test_what_runs_for_ever_is_stopped_by_its_button(qtbot, view):
    assert not view.stop_button.isEnabled()
    view.run("while True: pass")
    assert view.stop_button.isEnabled()
    assert not view.prompt.isEnabled()
    QTest.qWait(50)
    view.stop_button.click()
    qtbot.waitUntil(lambda: not view.is_running, timeout=20_000)
    assert view.text.toPlainText().endswith("Stopped.\n")
    assert view.prompt.isEnabled()


def test_what_runs_for_ever_does_not_keep_the_program_from_its_end(bridge, view):
    view.run("begun = True\nwhile True: pass")
    while not view.console._names.get("begun"):
        QTest.qWait(5)
    bridge.close()
    assert bridge.threads.is_closed


def test_the_help_that_stands_there_first_is_no_fainter_than_what_must_be_read(view):
    for name in ("light", "dark", "light"):
        if name != theme.current().name:
            theme.apply(name)
            view.recolor()
        image = view.text.viewport().grab().toImage()
        drawn = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
        assert theme.current().color("soft").rgb() in drawn


def test_another_theme_recolours_what_was_said(view, enter):
    enter("1 / 0")
    before = view.text.toPlainText()
    theme.apply("dark")
    view.recolor()
    assert view.text.toPlainText() == before
    block = view.text.document().findBlockByNumber(1)
    color = block.begin().fragment().charFormat().foreground().color().name().lower()
    assert color == theme.current().tokens["bad"].lower()
    theme.apply("light")
    view._clear()
    view.recolor()
    assert view.text.toPlainText() == ""


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge) -> Iterator[MainWindow]:
    made = MainWindow(bridge, remembers=False)
    qtbot.addWidget(made)
    made.resize(1400, 900)
    made.show()
    qtbot.waitExposed(made)
    yield made


def test_letters_typed_in_the_prompt_are_not_keys_of_the_window(qtbot, window):
    window.toggle_console()
    window.console.prompt.setFocus()
    tab = window.bridge.session.tab
    QTest.keyClicks(window.console.prompt, "l2a?")
    assert window.console.prompt.toPlainText() == "l2a?"
    assert window.bridge.session.tab == tab
    window.toggle_console()
    assert not window.console_dock.isVisible()


def test_events_of_the_run_that_is_shown_can_be_asked_for(qtbot, window, a_run, tmp_path: Path):
    import numpy as np

    from pygama_gui.data.live_run import LiveRun
    from pygama_gui.session import cut_changes

    bridge, run = window.bridge, a_run(9001)
    live = LiveRun()
    live.take_columns({"trap_max": np.arange(10.0), "channel": np.zeros(10, np.int32)})
    bridge.data[run.run_id] = live
    bridge.change(changes.add_runs, (run,))
    bridge.change(changes.select_run, run.run_id)
    bridge.change(cut_changes.add_cut, "high", "trap_max > 6", "#009E73")
    window.console.run("len(rows()), len(rows(passing=False)), run")
    qtbot.waitUntil(lambda: not window.console.is_running, timeout=20_000)
    assert window.console.text.toPlainText().endswith("(3, 10, 'Run 9001')\n")
    assert isinstance(run, Run)


def test_a_low_console_leaves_its_title_out(qtbot, view):
    view.resize(700, LOW + 100)
    qtbot.waitUntil(view.title.isVisible)
    view.resize(700, LOW - 40)
    qtbot.waitUntil(lambda: not view.title.isVisible())


def test_the_help_is_narrow_enough_for_a_small_window():
    assert max(len(line) for line in HELP.splitlines()) <= 72
