"""Tests that files which another program writes into the same folder are noticed, and not lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.processing.base import Tier1Processor
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes
from pygama_gui.session.files import read_run
from pygama_gui.session.state import Run

WAIT_MS = 60_000


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    shape = RunShape(run_number=5, n_events=60, n_samples=1500, damaged=0)
    return write_run(tmp_path / "Run5", shape)


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    (folder := tmp_path / "out").mkdir()
    return open_window(output_dir=folder)


@pytest.fixture
def run(qtbot: QtBot, window: MainWindow, raw: Path) -> Run:
    """A run of the list that has no files yet."""
    made = read_run(raw)
    window.bridge.change(changes.add_runs, [made])
    qtbot.waitUntil(lambda: window.bridge.threads.are_idle, timeout=WAIT_MS)
    return made


def by_another_program(raw: Path, window: MainWindow) -> Path:
    """Process the run with another chain, as a second window would."""
    folder, chain = window.bridge.session.output_dir, Tier1Processor()
    chain.add("avg_baseline")
    process_run(raw, output_dir=folder, processor=chain)
    assert folder is not None
    return folder / "t2_run5.h5"


def columns_of(path: Path) -> tuple[str, ...]:
    with TierFile(path) as file:
        return tuple(file.table("data").kinds)


def process(qtbot: QtBot, window: MainWindow, run: Run) -> None:
    with qtbot.waitSignal(window.bridge.all_ended, timeout=WAIT_MS):
        window.processing.start([run])
    qtbot.waitUntil(lambda: window.bridge.threads.are_idle, timeout=WAIT_MS)


def button_of(window: MainWindow, words: str) -> Callable[[], None]:
    return next(one for one in window.banner.act_buttons if one.text() == words).click


def test_files_that_another_program_made_meanwhile_are_not_lost_unasked(
    qtbot: QtBot, window: MainWindow, run: Run, raw: Path
) -> None:
    process(qtbot, window, run)
    assert not window.banner.isVisible()
    tier2 = by_another_program(raw, window)
    window.processing.start([run])
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    told = "Run 5: another program has made t2_run5.h5 meanwhile, which would be lost."
    assert window.banner.words.text().startswith(told)
    assert not window.bridge.active()
    button_of(window, "Read what it made")()
    live = window.bridge.live
    qtbot.waitUntil(
        lambda: (one := live(run.run_id)) is not None and "bl_avg" in one.columns, timeout=WAIT_MS
    )
    assert not window.banner.isVisible()
    assert "trap_max" not in columns_of(tier2)
    process(qtbot, window, run)  # what was read may be made anew
    assert "trap_max" in columns_of(tier2)


def test_they_are_made_anew_where_a_person_says_so(
    qtbot: QtBot, window: MainWindow, run: Run, raw: Path
) -> None:
    tier2 = by_another_program(raw, window)  # the list did not have its files before
    window.processing.start([run])
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    with qtbot.waitSignal(window.bridge.all_ended, timeout=WAIT_MS):
        button_of(window, "Process all the same")()
    assert "trap_max" in columns_of(tier2)
    assert not window.banner.isVisible()


def test_what_is_shown_is_told_to_be_of_before_and_can_be_read_anew(
    qtbot: QtBot, window: MainWindow, run: Run, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(qtbot, window, run)
    by_another_program(raw, window)
    window.bridge.rewritten.look()
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    told = "Run 5: another program wrote t1_run5.h5, t2_run5.h5 anew; what is shown is what was there before."
    assert window.banner.words.text().startswith(told)
    window.banner.dismiss()
    window.bridge.rewritten.look()
    qtbot.waitUntil(lambda: window.bridge.threads.are_idle, timeout=WAIT_MS)
    assert not window.banner.isVisible()  # once is enough
    by_another_program(raw, window)
    monkeypatch.setattr(window, "isActiveWindow", lambda: True)
    QApplication.sendEvent(window, QEvent(QEvent.Type.ActivationChange))  # somebody comes back to it
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    button_of(window, "Read it anew")()
    live = window.bridge.live
    qtbot.waitUntil(
        lambda: (one := live(run.run_id)) is not None and "bl_avg" in one.columns, timeout=WAIT_MS
    )


def test_its_own_files_ask_for_nothing(qtbot: QtBot, window: MainWindow, run: Run) -> None:
    for _ in range(2):
        process(qtbot, window, run)
        window.bridge.rewritten.look()
        qtbot.waitUntil(lambda: window.bridge.threads.are_idle, timeout=WAIT_MS)
        assert not window.banner.isVisible()


def test_a_run_that_has_just_come_says_that_its_files_are_made_anew(
    qtbot: QtBot, window: MainWindow, raw: Path
) -> None:
    tier2 = by_another_program(raw, window)
    with qtbot.waitSignal(window.bridge.all_ended, timeout=WAIT_MS):
        window.arrivals.add_paths([raw], process=True)
    assert "trap_max" in columns_of(tier2)
    assert any(
        line.endswith("Run 5: t2_run5.h5 is there already, and is made anew") for line in window.bridge.lines
    )
