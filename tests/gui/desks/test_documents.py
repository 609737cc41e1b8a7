"""Tests what is written by name: sessions, and scripts that give the spectrum on screen bin by bin."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, cut_changes, exports, saved
from pygama_gui.session.state import Run, Session

WAIT_MS = 60_000


@pytest.fixture
def window(open_window: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    monkeypatch.setattr(sys, "argv", ["script"])
    return open_window()


@pytest.fixture
def out(window: MainWindow, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    window.bridge.change(changes.choose_output_dir, folder)
    return folder


@pytest.fixture
def processed(qtbot: QtBot, window: MainWindow, tmp_path: Path, out: Path) -> Run:
    """A run that the window processed with a chain of its own, and whose spectrum it shows."""
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=500, n_samples=1200, pulse_at=500))
    window.bridge.change(changes.set_setting, 2, "rise", 150)
    window.arrivals.add_paths([raw], process=True)
    qtbot.waitUntil(lambda: _is_done(window), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.spectrum.shown() is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.bridge.timer.isActive(), timeout=WAIT_MS)
    run = window.bridge.session.selected_run
    assert run is not None
    return run


def _is_done(window: MainWindow) -> bool:
    state = window.bridge.state(window.bridge.session.selected)
    return state is not None and state.state == "done"


def on_screen(window: MainWindow) -> tuple[np.ndarray, np.ndarray]:
    picture = window.spectrum.picture
    assert picture is not None
    return picture.edges, picture.counts


def read_spectrum(path: Path) -> np.ndarray:
    with path.open(newline="", encoding="utf-8") as file:
        return np.array(list(csv.reader(file))[1:], float)


def rows_of(path: Path) -> bytes:
    with TierFile(path) as file:
        return file.table("data").read().rows.tobytes()


def run_script(path: Path, folder: Path) -> None:
    command = [sys.executable, str(path), str(folder)]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("channel", [None, 1])
def test_a_saved_script_gives_the_table_and_the_spectrum_on_screen(
    window: MainWindow, processed: Run, out: Path, tmp_path: Path, channel: int | None
) -> None:
    if channel is not None:
        window.spectrum.controls.choose_channel(1 + channel)
    window.spectrum.rebin(0.5)
    window.spectrum.redraw()
    edges, counts = on_screen(window)
    window.documents.export([processed], tmp_path / "run12.py", exports.as_script)
    (tmp_path / "again").mkdir()
    run_script(tmp_path / "run12.py", tmp_path / "again")
    assert rows_of(tmp_path / "again" / "t2_run12.h5") == rows_of(out / "t2_run12.h5")
    found = read_spectrum(tmp_path / "again" / "run12_trap_max.csv")
    assert np.array_equal(found[:, 0], edges[:-1])
    assert np.array_equal(found[:, 1], edges[1:])
    assert np.array_equal(found[:, 2], counts)
    assert counts.sum() > 100


def test_what_is_exported_behind_another_tab_is_of_the_column_that_is_chosen(
    window: MainWindow, processed: Run
) -> None:
    window.go_to_tab(1)
    before = window.spectrum.shown()
    window.spectrum.choose_column("bl_int")
    after = window.spectrum.shown()
    assert before is not None
    assert after is not None
    assert before.low <= 0 < before.high / 2
    assert after.low > 0


def test_each_channel_on_screen_is_a_column_of_a_saved_spectrum(window: MainWindow, processed: Run) -> None:
    window.spectrum.controls.choose_channel(1)
    shown = window.spectrum.shown()
    assert shown is not None
    assert [name for name, _ in shown.channels] == ["channel 0", "channel 1", "channel 2"]


def test_a_copied_command_stands_with_its_settings(window: MainWindow, processed: Run, out: Path) -> None:
    window.menus.export_actions[0].trigger()
    assert QApplication.clipboard().text() == exports.as_command(window.bridge.session, processed)
    assert '"rise": 150' in (out / "run12.settings.json").read_text()


def test_a_command_without_an_output_folder_asks_for_one(
    window: MainWindow, a_run: Callable[..., Run]
) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.menus.export_actions[0].trigger()
    assert window.banner.act_buttons[0].text() == "Choose a folder…"


def test_what_cannot_be_written_is_told(window: MainWindow, a_run: Callable[..., Run], out: Path) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    (out / "file").touch()
    window.documents.export(window.bridge.session.runs, out / "file" / "run.py", exports.as_script)
    assert window.banner.isVisible()
    assert "run.py" in window.banner.words.text()


def test_exports_need_a_run(window: MainWindow, a_run: Callable[..., Run]) -> None:
    assert not any(action.isEnabled() for action in window.menus.export_actions)
    window.bridge.change(changes.add_runs, [a_run()])
    assert all(action.isEnabled() for action in window.menus.export_actions)


def test_a_session_is_saved_and_opened_by_name(
    window: MainWindow, a_run: Callable[..., Run], out: Path
) -> None:
    path = out / "mine.pygama-session.json"
    window.bridge.change(changes.set_setting, 2, "rise", 123)
    window.bridge.change(changes.add_runs, [a_run()])
    window.documents.save_as(path)
    for _ in range(2):
        window.bridge.store.undo()
    window.arrivals.add_paths([path])
    assert window.bridge.session.chain[2].settings == {"rise": 123}
    assert [run.run_number for run in window.bridge.session.runs] == [9001]
    window.menus.undo_action.trigger()
    assert (window.bridge.session.runs, window.bridge.session.chain) == ((), Session().chain)


def test_saving_again_writes_the_same_file(window: MainWindow, out: Path) -> None:
    window.documents.save_as(out / "mine.pygama-session.json")
    window.bridge.change(changes.set_setting, 2, "rise", 123)
    window.documents.save()
    assert saved.load(out / "mine.pygama-session.json").chain[2].settings == {"rise": 123}


def test_runs_that_are_not_where_they_were_are_told(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run], out: Path
) -> None:
    saved.save(changes.add_runs(Session(), [a_run()]), out / "old.json")
    window.arrivals.add_paths([out / "old.json"])
    sentence = "1 of the 1 runs of this session are not where they were: 2018-9-25-Th228Run9001"
    qtbot.waitUntil(lambda: sentence in window.log.text.toPlainText(), timeout=WAIT_MS)


def test_a_session_file_that_is_none_says_what_and_where(window: MainWindow, out: Path) -> None:
    (out / "bad.pygama-session.json").write_text('{"pygama-gui session": 2, "tab": "two"}')
    window.arrivals.add_paths([out / "bad.pygama-session.json"])
    assert "bad.pygama-session.json" in window.banner.words.text()
    assert "tab must be a whole number, not 'two'" in window.banner.words.text()


def test_the_waveforms_that_pass_the_cuts_are_saved_as_tier_1(
    qtbot: QtBot, window: MainWindow, processed: Run, tmp_path: Path
) -> None:
    live = window.bridge.live(processed.run_id)
    assert live is not None
    values = live.columns.column("trap_max").copy()
    middle = float(np.median(values))
    window.waveform_saving.ask()
    assert "No cut is on" in window.banner.words.text()
    window.bridge.change(cut_changes.add_cut, "high", f"trap_max > {middle!r}")
    window.waveform_saving.save(processed, tmp_path / "high.h5")
    qtbot.waitUntil(lambda: "that pass as" in window.bridge.lines[-1], timeout=WAIT_MS)
    with TierFile(tmp_path / "high.h5") as file:
        table = next(file.table(key) for key in file.keys if key.endswith("ForEnergy"))
        assert len(table) == (values > middle).sum()
        assert '"cut": "high; high = trap_max > ' in file.texts("/")["selection"]


def test_a_saved_script_applies_the_cuts_that_are_on(
    qtbot: QtBot, window: MainWindow, processed: Run, tmp_path: Path
) -> None:
    live = window.bridge.live(processed.run_id)
    assert live is not None
    columns = live.columns
    expected = ((columns.column("trap_max") <= 2000) & (columns.column("channel") == 1)).sum()
    for name, expression in (
        ("high", "trap_max > 2000"),
        ("few", "high & channel == 1"),
        ("odd", "no_such_column > 1"),
    ):
        window.bridge.change(cut_changes.add_cut, name, expression)
    window.bridge.change(cut_changes.invert_cut, "high", True)
    qtbot.waitUntil(lambda: on_screen(window)[1].sum() == expected, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.bridge.timer.isActive(), timeout=WAIT_MS)
    edges, counts = on_screen(window)
    window.documents.export([processed], tmp_path / "run12.py", exports.as_script)
    (tmp_path / "again").mkdir()
    run_script(tmp_path / "run12.py", tmp_path / "again")
    found = read_spectrum(tmp_path / "again" / "run12_trap_max.csv")
    assert np.array_equal(found[:, 0], edges[:-1])
    assert np.array_equal(found[:, 2], counts)
    assert 0 < expected < len(columns) / 2
