"""Tests that what a person set comes back, however the window ended; the window is killed for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.tagging import Tagging
from pygama.processing.settings import write_settings
from pygama.simulate import RunShape, write_run
from pygama_gui import app, keeping
from pygama_gui.bridge import Bridge
from pygama_gui.keeping import Keeper
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, places, saved
from pygama_gui.session.state import Session
from pygama_gui.widgets import theme

WAIT_S = 60.0


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Give a way to start the real window; what still runs at the end is killed."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "pygama_gui", *map(str, arguments)]
        running.append(subprocess.Popen(command, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"}))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def wait_for(process: subprocess.Popen[bytes], is_true: Callable[[Session], bool]) -> Session:
    """Wait until the session that was autosaved is as wanted."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        assert process.poll() is None, "the window ended by itself"
        if places.session_file().exists():
            session = saved.load(places.session_file())
            if is_true(session):
                return session
        time.sleep(0.02)
    raise AssertionError(f"not so within {WAIT_S} s: {places.session_file().read_text()}")


def test_everything_comes_back_after_the_window_was_killed(
    tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]], qapp: QApplication
) -> None:
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=50, n_samples=1000))
    (tmp_path / "out").mkdir()
    chain = [{"step": "fit_baseline"}, {"step": "bl_subtract", "enabled": False}]
    write_settings(tmp_path / "mine.json", tier0={"n_samp": 900}, chain=chain)
    tagging = Tagging(has_pulser=True, window_s=2e-6, same_clock=True)
    shown = replace(Session(), layout="On shift", tab=2, tagging=tagging)
    saved.save(shown, tmp_path / "a.pygama-session.json")
    first = started(
        tmp_path / "mine.json", tmp_path / "a.pygama-session.json", raw, "--output", tmp_path / "out"
    )
    wait_for(first, lambda session: bool(session.runs and session.tier0 and session.geometry))
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = started("--theme", "dark")
    came_back = wait_for(second, lambda session: session.theme == "dark")
    assert [run.path for run in came_back.runs] == [raw]
    assert came_back.to_chain() == chain
    assert dict(came_back.tier0) == {"n_samp": 900}
    assert came_back.tagging == tagging
    assert (came_back.output_dir, came_back.layout, came_back.tab) == (tmp_path / "out", "On shift", 2)
    os.kill(second.pid, signal.SIGKILL)
    second.wait()
    window = app.make_window(app.parser().parse_args([]), remembers=True)
    try:
        window.show()
        assert (window.log_dock.isVisible(), window.settings_dock.isVisible()) == (True, False)
        assert (window.tabs.currentIndex(), theme.current().name) == (2, "dark")
        assert "was ended last time before it could close" in window.log.text.toPlainText()
    finally:
        window.close()
        theme.apply("light")
    assert not places.running_file().exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGTERM that a program hears")
def test_a_window_that_the_system_ends_saves_and_closes_as_it_should(
    tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=50, n_samples=1000))
    process = started(raw, "--output", tmp_path)
    wait_for(process, lambda session: bool(session.runs and session.geometry))
    process.terminate()
    assert process.wait(WAIT_S) == 0
    assert [run.path for run in saved.load(places.session_file()).runs] == [raw]
    assert not places.running_file().exists()


@pytest.fixture
def keeper(bridge: Bridge) -> Iterator[Keeper]:
    made = Keeper(bridge)
    bridge.session_changed.connect(lambda _old, _new: made.save_soon())
    yield made
    made.end()


def test_a_change_is_saved_without_being_asked(qtbot: QtBot, bridge: Bridge, keeper: Keeper) -> None:
    bridge.change(changes.set_tier0, "n_samp", 1000)
    qtbot.waitUntil(lambda: places.session_file().exists(), timeout=30_000)
    assert saved.load(places.session_file()).tier0 == {"n_samp": 1000}


def test_changes_in_a_row_are_saved_once_and_nothing_is_saved_without_a_change(
    qtbot: QtBot, bridge: Bridge, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Session] = []
    monkeypatch.setattr(saved, "save", lambda session, _path: written.append(session))
    for n in range(1000, 1100):
        bridge.change(changes.set_tier0, "n_samp", n)
    qtbot.waitUntil(lambda: keeper._saved is bridge.session, timeout=30_000)
    keeper._save()
    assert written == [bridge.session]


def test_a_disk_that_is_full_is_told_once(
    qtbot: QtBot, bridge: Bridge, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_session: Session, _path: Path) -> None:
        raise OSError(28, "No space left on device")

    told: list[str] = []
    bridge.logged.connect(lambda text, _level: told.append(text))
    monkeypatch.setattr(saved, "save", full)
    for _ in range(2):
        keeper._save()
        qtbot.waitUntil(lambda: not keeper._is_saving, timeout=30_000)
    folder = places.session_file().parent
    sentence = (
        f"What is set is not kept for the next start, because '{folder}' cannot be written "
        "(No space left on device); File > Save session as… keeps it elsewhere"
    )
    assert told == [sentence]


def test_a_window_that_closed_is_not_taken_for_one_that_was_killed(bridge: Bridge) -> None:
    for _ in range(2):
        keeper = Keeper(bridge)
        assert not keeper.begin()
        keeper.end()


def test_what_a_killed_window_left_half_written_is_removed(bridge: Bridge) -> None:
    half = places.session_file().with_name("session.json.4711.part")
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_text("{")
    keeper = Keeper(bridge)
    keeper.begin()
    keeper.end()
    assert not half.exists()


def test_a_damaged_session_is_put_aside(themed: object) -> None:
    places.session_file().parent.mkdir(parents=True, exist_ok=True)
    places.session_file().write_text(json.dumps({saved.MARK: 2, "tab": []}))
    session, problem = keeping.restored()
    assert session == Session()
    assert "tab must be a whole number, not []" in problem
    assert "session.damaged.json" in problem
    assert not places.session_file().exists()


def test_an_opened_session_shows_its_layout(qtbot: QtBot, themed: object, tmp_path: Path) -> None:
    window = MainWindow(Bridge())
    qtbot.addWidget(window)
    window.show()
    window.layouts.choose("Tune")
    window.documents.save_as(tmp_path / "tune.pygama-session.json")
    window.layouts.choose("Process")
    assert window.runs_dock.isVisible()
    window.arrivals.add_paths([tmp_path / "tune.pygama-session.json"])
    assert (window.bridge.session.layout, window.runs_dock.isVisible()) == ("Tune", False)
    assert window.menus.layout_actions["Tune"].isChecked()
    window.bridge.store.undo()
    assert (window.bridge.session.layout, window.runs_dock.isVisible()) == ("Process", True)
    window.close()


def test_of_two_windows_the_first_one_is_remembered(qtbot: QtBot, bridge: Bridge) -> None:
    first, second = Keeper(bridge), Keeper(Bridge())
    assert (first.begin(), second.begin()) == (False, False)
    assert (first.is_alone, second.is_alone) == (True, False)
    second._bridge.change(changes.choose_theme, "dark")
    second.save_soon()
    second.end()
    assert not places.session_file().exists()
    second._bridge.close()
    first.end()
    assert saved.load(places.session_file()).theme == "light"
