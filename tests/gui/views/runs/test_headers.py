"""The menu of a run, its header and what differs from another one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from pygama.simulate import RunShape, write_run
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes, files
from pygama_gui.views.runs.headers import HeaderWindow
from pygama_gui.views.runs.view import RunsView

WAIT_MS = 60_000


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, tmp_path: Path) -> RunsView:
    made = RunsView(bridge)
    qtbot.addWidget(made)
    made.resize(300, 700)
    made.show()
    qtbot.waitExposed(made)
    for number in (7, 8):
        raw = write_run(tmp_path / f"Run{number}", RunShape(run_number=number, n_events=2, n_samples=100))
        bridge.change(changes.add_runs, [files.read_run(raw)])
    return made


def window_of(qtbot: QtBot, view: RunsView) -> HeaderWindow:
    window = view.findChild(HeaderWindow)
    assert window is not None
    qtbot.waitUntil(lambda: window.count.text() != "Reading…", timeout=WAIT_MS)
    return window


def test_the_header_can_be_searched(qtbot: QtBot, view: RunsView) -> None:
    view.header_action.trigger()
    window = window_of(qtbot, view)
    assert not window.isModal()
    everything = int(window.count.text().split()[0].replace("\u202f", ""))
    window.search.setText("runnumber 7")
    assert window.count.text() == "1 value found"
    window._copy()
    assert QApplication.clipboard().text().splitlines()[-1].split() == ["RunNumber", "7"]
    window.search.clear()
    assert int(window.count.text().split()[0].replace("\u202f", "")) == everything > 10
    window.close()


def test_two_headers_are_compared(qtbot: QtBot, view: RunsView, bridge: Bridge) -> None:
    menu = view.menu_for(bridge.session.runs[0])
    compare = next(one for one in menu.findChildren(QMenu) if "Compare" in one.title())
    assert [act.text() for act in compare.actions()] == ["Run 8 · Run8"]
    compare.actions()[0].trigger()
    window = window_of(qtbot, view)
    lines = [window.tree.topLevelItem(at) for at in range(window.tree.topLevelItemCount())]
    told = [[line.text(column) for column in range(4)] for line in lines if line is not None]
    assert any(line[1:] == ["≠ changed", "8", "7"] and line[0].endswith("RunNumber") for line in told)
    window.search.setText("no such thing")
    assert window.count.text() == "0 values found"
    window.close()
    menu.deleteLater()


def test_a_window_that_was_closed_while_its_header_was_read_stays_closed(
    qtbot: QtBot, view: RunsView, bridge: Bridge
) -> None:
    view.header_action.trigger()
    window = view.findChild(HeaderWindow)
    assert window is not None
    window.close()
    done: list[object] = []
    bridge.in_background(lambda: None, done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=WAIT_MS)


def test_the_menu_of_a_run_has_all_that_can_be_done_with_it(view: RunsView, bridge: Bridge) -> None:
    menu = view.menu_for(bridge.session.runs[0])
    words = [act.text().replace("&", "") for act in menu.actions() if not act.isSeparator()]
    assert words == [
        "Process selected run",
        "Process next",
        "Follow the run",
        "Retry failed",
        "Pause / go on",
        "Stop",
        "Earlier in the queue",
        "Later in the queue",
        "Show the header",
        "Compare the header with",
        "Save the table…",
        "Save the rows that pass the cuts…",
        "Show in the file manager",
        "Copy the path",
        "Make a data set of the selected runs",
        "Make a data set of runs…",
        "Remove from the list",
    ]
    view.copy_path_action.trigger()
    assert QApplication.clipboard().text() == str(bridge.session.runs[0].path)
    menu.deleteLater()
