"""Following a run while its file grows, with a real worker."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from pygama.orca.packets import RawFile
from pygama.processing.run import process_run
from pygama.progress import Progress, Started
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.bridge import QUIET_TICK_MS, TICK_MS, Bridge
from pygama_gui.jobs.board import JobState
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, files
from pygama_gui.session.state import Run
from pygama_gui.views.runs.cards import run_sentence

WAIT_MS = 90_000
N_EVENTS = 1500


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    return open_window(output_dir=tmp_path / "out")


@pytest.fixture
def pieces(tmp_path: Path) -> tuple[bytes, int]:
    """Give a whole run, and a place between two of its records."""
    whole = write_run(tmp_path / "whole", RunShape(run_number=8, n_events=N_EVENTS, n_samples=500))
    with RawFile(whole) as raw:
        offsets = np.concatenate([packets.offset for packets in raw])
    return whole.read_bytes(), int(offsets[len(offsets) // 2])


def follow(qtbot: QtBot, window: MainWindow, path: Path) -> Callable[[], JobState]:
    run = files.read_run(path)
    window.bridge.change(changes.add_runs, [run])
    window.runs.follow_action.trigger()

    def state() -> JobState:
        found = window.bridge.state(run.run_id)
        return JobState(0, path) if found is None else found

    qtbot.waitUntil(lambda: state().rows > 0, timeout=WAIT_MS)
    return state


def test_a_growing_run_is_followed_to_its_stop(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    path = tmp_path / "Run8"
    path.write_bytes(raw[:middle])
    state = follow(qtbot, window, path)
    assert run_sentence(state())[0].startswith("● live, newest ")
    first = state().rows
    assert 0 < first < N_EVENTS
    window.strip.draw_if_due()
    assert window.strip.figures["STATE"].value.text() == "● LIVE"
    with path.open("ab") as file:
        file.write(raw[middle:])
    qtbot.waitUntil(lambda: state().state == "done", timeout=WAIT_MS)
    assert state().rows == process_run(tmp_path / "whole", tiers=()).rows
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"t1_run8.h5", "t2_run8.h5"}


def test_a_run_that_grows_when_it_is_dropped_is_followed_at_once(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    path = tmp_path / "Run8"
    path.write_bytes(raw[: middle // 2])

    def write_more(_old: object, _new: object) -> None:
        with path.open("r+b") as file:
            file.write(raw[:middle])

    window.bridge.session_changed.connect(write_more)
    window.arrivals.add_paths([path])
    qtbot.waitUntil(lambda: window.bridge.is_active(str(path)), timeout=WAIT_MS)
    state = window.bridge.state(str(path))
    assert state is not None
    assert state.follows
    window.bridge.stop_following(str(path))
    qtbot.waitUntil(lambda: not window.bridge.is_active(str(path)), timeout=WAIT_MS)


def test_a_run_without_a_stop_that_is_old_is_processed_to_its_end(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    path = tmp_path / "Run8"
    path.write_bytes(raw[:middle])
    os.utime(path, (1.5e9, 1.5e9))
    window.arrivals.add_paths([path])
    qtbot.waitUntil(lambda: window.bridge.is_active(str(path)), timeout=WAIT_MS)
    state = window.bridge.state(str(path))
    assert state is not None
    assert not state.follows
    qtbot.waitUntil(lambda: not window.bridge.is_active(str(path)), timeout=WAIT_MS)


def test_a_run_whose_daq_writes_seldom_is_followed_too(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    path = tmp_path / "Run8"
    path.write_bytes(raw[:middle])
    window.arrivals.add_paths([path])

    def state() -> JobState:
        return window.bridge.state(str(path)) or JobState(0, path)

    qtbot.waitUntil(lambda: state().rows > 0, timeout=WAIT_MS)
    assert state().follows
    told = window.log.text.toPlainText()
    assert "may still grow: followed until nothing came for 1 min, once it has grown for 10 min" in told
    qtbot.waitUntil(lambda: window.bridge.timer.interval() == QUIET_TICK_MS, timeout=WAIT_MS)
    with path.open("ab") as file:
        file.write(raw[middle:])
    qtbot.waitUntil(lambda: state().state == "done", timeout=WAIT_MS)
    assert state().rows == process_run(tmp_path / "whole", tiers=()).rows


def test_of_runs_that_may_grow_only_the_one_written_to_last_is_followed(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    older = write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=100, n_samples=500))
    older.write_bytes(older.read_bytes()[:-16])
    os.utime(older, (time.time() - 30.0,) * 2)
    newer = tmp_path / "Run8"
    newer.write_bytes(raw[:middle])
    window.arrivals.add_paths([older, newer])

    def follows(path: Path) -> bool | None:
        state = window.bridge.state(str(path))
        return None if state is None else state.follows

    qtbot.waitUntil(lambda: None not in (follows(older), follows(newer)), timeout=WAIT_MS)
    assert (follows(older), follows(newer)) == (False, True)
    window.bridge.stop_following(str(newer))
    qtbot.waitUntil(
        lambda: not any(window.bridge.is_active(str(one)) for one in (older, newer)), timeout=WAIT_MS
    )


def test_stopping_to_follow_keeps_what_has_come(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    path = tmp_path / "Run8"
    path.write_bytes(raw[:middle])
    state = follow(qtbot, window, path)
    assert window.runs.follow_action.text() == "Stop &following"
    window.runs.follow_action.trigger()
    qtbot.waitUntil(lambda: state().state == "done", timeout=WAIT_MS)
    assert 0 < state().rows < N_EVENTS
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"t1_run8.h5", "t2_run8.h5"}


def test_the_age_of_the_newest_event_is_told_in_a_tone(bridge: Bridge, a_run: Callable[..., Run]) -> None:
    run = a_run(5)
    bridge.adopt(1, run, follows=True)
    bridge.board.apply(1, Started(run.path, 4_000_000, 5, 0, 0, ()), 10.0)
    assert run_sentence(bridge.board[1]) == ("● live, waiting for the first events", "ok")
    progress = Progress(1_000_000, 1_000_000, 500, 500)
    bridge.board.apply(1, progress, 12.0)
    for now, told in (
        (14.0, ("● live, newest 2.0 s old", "ok")),
        (24.0, ("▲ no event for 12 s", "warn")),
        (84.0, ("■ frozen for 1 min 12 s", "bad")),
    ):
        assert run_sentence(bridge.board.apply(1, progress, now)) == told


def test_quitting_while_a_run_is_followed_keeps_what_has_come(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    path = tmp_path / "Run8"
    path.write_bytes(raw[:middle])
    state = follow(qtbot, window, path)
    rows = state().rows
    window.remembers = True
    assert not window.close()
    box = window.findChild(QMessageBox)
    assert box is not None and "Run 8 is still under way" in box.text()
    keep = next(button for button in box.buttons() if button.text() == "Keep it and quit")
    keep.click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT_MS)
    with TierFile(tmp_path / "out" / "t2_run8.h5") as file:
        assert len(file.table("data")) >= rows


def test_going_on_keeps_the_window_and_its_jobs(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    path = tmp_path / "Run8"
    path.write_bytes(raw[:middle])
    state = follow(qtbot, window, path)
    window.remembers = True
    window.close()
    box = window.findChild(QMessageBox)
    assert box is not None
    box.defaultButton().click()
    window.remembers = False
    assert window.isVisible()
    assert not state().has_ended


def test_a_followed_run_that_does_not_grow_is_asked_less_often_and_views_are_still_drawn_at_once(
    qtbot: QtBot, window: MainWindow, pieces: tuple[bytes, int], tmp_path: Path
) -> None:
    raw, middle = pieces
    path = tmp_path / "Run8"
    path.write_bytes(raw[:middle])
    follow(qtbot, window, path)
    bridge = window.bridge
    qtbot.waitUntil(lambda: bridge.timer.interval() == QUIET_TICK_MS, timeout=WAIT_MS)
    bridge.redraw_soon(window.spectrum)
    assert bridge.timer.interval() == TICK_MS
    qtbot.waitUntil(lambda: bridge.timer.interval() == QUIET_TICK_MS, timeout=WAIT_MS)
    with path.open("ab") as file:
        file.write(raw[middle:])
    qtbot.waitUntil(lambda: bridge.timer.interval() == TICK_MS, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not bridge.timer.isActive(), timeout=WAIT_MS)
