"""Tests what is said while files are held over the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from pygama.analysis.cuts import Cut, save_cuts
from pygama_gui.desks.arrivals import drop_words
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes
from pygama_gui.session.state import Run

WAIT_MS = 60_000


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Run72", "Run73"), "Drop to add the runs"),
        (("Run72",), "Drop to add the run"),
        (("run72_trap_max.png",), "Drop to bring the view back"),
        (("mine.py",), "Drop to add the plug-in"),
        (("Run72", "run72_trap_max.png"), "Drop to open the files"),
        ((), "Only files on this computer can be dropped"),
    ],
)
def test_the_window_says_what_comes_of_letting_go(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert drop_words([tmp_path / name for name in names]) == said


def test_a_tier_file_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    (path := tmp_path / "t2_run72").write_bytes(b"\x89HDF\r\n\x1a\n")
    assert drop_words([path]) == "Drop to open as a Tier file"


def test_a_folder_may_hold_more_than_one_run(tmp_path: Path) -> None:
    assert drop_words([tmp_path]) == "Drop to add the runs"


def test_cuts_are_known_by_what_is_in_the_file(tmp_path: Path) -> None:
    save_cuts([Cut("large", "trap_max > 3")], path := tmp_path / "large.json")
    assert drop_words([path]) == "Drop to use the cuts"


def test_the_next_drop_lets_go_what_is_said_of_the_last_one(
    tmp_path: Path, open_window: Callable[..., MainWindow]
) -> None:
    window = open_window()
    (bad := tmp_path / "bad.json").write_text("{")
    (good := tmp_path / "good.json").write_text('{"tier0": {}}')
    window.arrivals.add_paths([bad, good])
    assert "bad.json" in window.banner.words.text()
    assert window.banner.isVisible()
    assert any("bad.json" in line for line in window.bridge.lines)
    window.arrivals.add_paths([good])
    assert not window.banner.isVisible()


def test_a_plug_in_that_is_dropped_waits_for_consent(
    tmp_path: Path, open_window: Callable[..., MainWindow]
) -> None:
    window = open_window()
    (plugin := tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    window.arrivals.add_paths([plugin])
    assert window.consent.isVisible()
    assert "mine.py" in window.consent.words.text()
    assert not (tmp_path / "ran").exists()


def test_a_file_that_was_refused_is_named_until_the_next_drop(
    qtbot: QtBot, tmp_path: Path, open_window: Callable[..., MainWindow]
) -> None:
    window = open_window()
    (tmp_path / "notes").write_text("no run at all, but long enough to be looked at")
    (good := tmp_path / "good.json").write_text('{"tier0": {}}')
    window.arrivals.add_paths([tmp_path / "notes"])
    qtbot.waitUntil(lambda: not window.runs.refusals.isHidden(), timeout=WAIT_MS)
    window.arrivals.add_paths([good])
    assert window.runs.refusals.isHidden()


def test_cuts_that_cannot_be_taken_are_told_until_the_next_drop(
    tmp_path: Path, open_window: Callable[..., MainWindow]
) -> None:
    window = open_window()
    window.cuts.load(tmp_path / "none.json")
    assert "none.json" in window.banner.words.text()
    (good := tmp_path / "good.json").write_text('{"tier0": {}}')
    window.arrivals.add_paths([good])
    assert not window.banner.isVisible()


def test_an_error_stays_over_a_drop(tmp_path: Path, open_window: Callable[..., MainWindow]) -> None:
    window = open_window()
    (good := tmp_path / "good.json").write_text('{"tier0": {}}')
    window.banner.say("The worker was ended by signal 9")
    window.arrivals.add_paths([good])
    assert window.banner.isVisible()


def test_a_chain_that_was_changed_is_no_longer_said_to_lack_something(
    open_window: Callable[..., MainWindow], a_run: Callable[..., Run]
) -> None:
    window = open_window()
    run = a_run()
    window.bridge.change(changes.add_runs, [run])
    window.bridge.change(changes.remove_step, 1)
    window.processing.start([run])
    assert window.banner.words.text().startswith("Step ")
    window.bridge.store.undo()
    assert not window.banner.isVisible()
