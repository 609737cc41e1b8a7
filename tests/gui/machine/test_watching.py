"""Runs that come by themselves, and runs that are there already under another name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from pygama.simulate import RunShape, write_run
from pygama_gui.machine import watching
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, files

WAIT_MS = 60_000


@pytest.fixture
def window(
    open_window: Callable[..., MainWindow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    monkeypatch.setattr(watching, "WATCH_MS", 20)
    return open_window(output_dir=tmp_path / "out")


@pytest.fixture
def raw_run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "Run8", RunShape(run_number=8, n_events=50, n_samples=1000))


def test_a_run_that_comes_into_a_watched_folder_is_added_and_processed(
    qtbot: QtBot, window: MainWindow, raw_run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "daq"
    folder.mkdir()
    assert not window.bridge.watching.timer.isActive()
    window.arrivals._take_watched(folder)
    qtbot.waitUntil(window.bridge.watching.timer.isActive, timeout=WAIT_MS)
    assert window.menus.watch_action.text() == "&Watching daq"
    shutil.copy(raw_run, folder / "Run8")
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 1, timeout=WAIT_MS)
    run_id = window.bridge.session.runs[0].run_id
    qtbot.waitUntil(
        lambda: (job := window.bridge.state(run_id)) is not None and job.state == "done", timeout=WAIT_MS
    )
    window.menus.watch_action.trigger()
    assert window.bridge.session.watched is None
    assert not window.bridge.watching.timer.isActive()


def test_a_folder_that_cannot_be_watched_is_told_once(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    window.arrivals._take_watched(tmp_path / "later")
    qtbot.waitUntil(lambda: any("cannot be watched" in line for line in window.bridge.lines), timeout=WAIT_MS)
    (tmp_path / "later").mkdir()
    qtbot.waitUntil(lambda: window.bridge.watching.problem == "", timeout=WAIT_MS)
    assert sum("cannot be watched" in line for line in window.bridge.lines) == 1


def test_a_copy_of_a_run_is_recognised_by_its_header(
    qtbot: QtBot, window: MainWindow, raw_run: Path, tmp_path: Path
) -> None:
    window.bridge.change(changes.process_on_add, False)
    window.arrivals.add_paths([raw_run])
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 1, timeout=WAIT_MS)
    other = write_run(tmp_path / "Run9", RunShape(run_number=9, n_events=5, n_samples=200))
    window.arrivals.add_paths([other])
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 2, timeout=WAIT_MS)
    assert window.bridge.session.selected == str(other)
    copy = tmp_path / "a copy"
    shutil.copy(raw_run, copy)
    window.arrivals.add_paths([copy])
    qtbot.waitUntil(lambda: bool(window.runs.refusals.text()), timeout=WAIT_MS)
    assert window.runs.refusals.text() == "▲ a copy is in the list as Run 8 · Run8"
    assert window.bridge.session.selected == str(raw_run)
    assert len(window.bridge.session.runs) == 2


def test_a_run_whose_file_was_moved_can_be_added_again(raw_run: Path, tmp_path: Path) -> None:
    known = files.read_run(raw_run)
    moved = raw_run.rename(tmp_path / "moved")
    assert files.known_as(files.read_run(moved), [known]) is None
