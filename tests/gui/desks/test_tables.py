"""Saves the table of a run from the window."""

from __future__ import annotations

import csv
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from pygama.channel_map import Channel
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.desks.writing import Writing
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, cut_changes
from pygama_gui.session.state import ChannelMap, Run

WAIT_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    shape = RunShape(run_number=12, n_events=200, n_samples=900, pulse_at=400)
    process_run(write_run(tmp_path / "Run12", shape), output_dir=tmp_path)
    made = open_window(output_dir=tmp_path)
    made.arrivals.add_paths([tmp_path / "Run12"], process=False)
    qtbot.waitUntil(lambda: made.spectrum.shown() is not None, timeout=WAIT_MS)
    return made


def run_of(window: MainWindow) -> Run:
    run = window.bridge.session.selected_run
    assert run is not None
    return run


def rows_of(
    qtbot: QtBot, window: MainWindow, path: Path, *, only_passing: bool = False
) -> list[dict[str, str]]:
    window.tables.save(run_of(window), path, only_passing=only_passing)
    qtbot.waitUntil(lambda: f"as {path}" in "".join(window.bridge.lines), timeout=WAIT_MS)
    return list(csv.DictReader(path.read_text().splitlines()))


def heights(tmp_path: Path) -> list[float]:
    with TierFile(tmp_path / "t2_run12.h5") as file:
        return file.table("data").column("trap_max").tolist()


def test_every_row_is_saved_and_the_log_says_so(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    rows = rows_of(qtbot, window, tmp_path / "one.csv")
    expected = heights(tmp_path)
    assert [float(row["trap_max"]) for row in rows] == expected
    assert "detector" not in rows[0]
    assert f"Saved {len(expected)} rows of Run 12 as" in window.bridge.lines[-1]


def test_only_the_rows_that_pass_the_cuts_are_saved(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    assert not window.runs.passing_action.isEnabled()
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 1000", "#0072B2")
    assert window.runs.passing_action.isEnabled()
    rows = rows_of(qtbot, window, tmp_path / "one.csv", only_passing=True)
    expected = [value for value in heights(tmp_path) if value > 1000]
    assert [float(row["trap_max"]) for row in rows] == expected
    assert 0 < len(rows) < len(heights(tmp_path))


def test_detectors_of_the_channel_map_are_a_column(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    first = rows_of(qtbot, window, tmp_path / "one.csv")[0]
    place = [int(first.get(name, "0")) for name in ("crate", "card", "channel")]
    known = Channel(*place, "GE01")
    window.bridge.change(changes.take_channel_map, ChannelMap(None, (known,)))
    rows = rows_of(qtbot, window, tmp_path / "two.csv")
    names = {row["channel"]: row["detector"] for row in rows}
    assert names.pop(first["channel"]) == "GE01"
    assert set(names.values()) <= {""}


@pytest.mark.parametrize(("suffix", "package"), [("parquet", "pyarrow"), ("root", "uproot")])
def test_a_missing_package_is_told_with_what_to_install(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, suffix: str, package: str
) -> None:
    if find_spec(package):
        pytest.skip(f"{package} is here")
    told: list[str] = []
    window.bridge.went_wrong.connect(lambda sentence, *_: told.append(sentence))
    window.tables.save(run_of(window), tmp_path / f"one.{suffix}", only_passing=False)
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    assert told == [f"this needs the package {package}: pip install 'pygama-gui[{suffix}]'"]
    assert not list(tmp_path.glob("one*"))


def test_a_cut_on_a_column_that_is_not_there_is_refused(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    told: list[str] = []
    window.bridge.went_wrong.connect(lambda sentence, *_: told.append(sentence))
    window.bridge.change(cut_changes.add_cut, "odd", "nowhere > 1", "#0072B2")
    window.tables.save(run_of(window), tmp_path / "one.csv", only_passing=True)
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    assert "has no column 'nowhere'" in told[0]


def test_stop_leaves_no_file(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = window.tables._writing
    begun: list[Writing] = []

    def remember(path: Path) -> Writing:
        begun.append(begin(path))
        return begun[-1]

    def at_once(work: Any, then: Any, *_otherwise: Any) -> None:
        begun[0].dialog.findChild(QPushButton).click()
        then(work())

    monkeypatch.setattr(window.tables, "_writing", remember)
    monkeypatch.setattr(window.bridge, "in_background", at_once)
    window.tables.save(run_of(window), tmp_path / "one.csv", only_passing=False)
    assert "Stopped; one.csv was not written" in window.bridge.lines[-1]
    assert not list(tmp_path.glob("one*"))


def test_a_run_without_a_table_says_so(window: MainWindow, a_run: Callable[..., Run]) -> None:
    run = a_run(77)
    window.bridge.change(changes.add_runs, [run])
    window.tables.ask(run, only_passing=False)
    assert "Run 77 has no table yet: process it first" in window.bridge.lines[-1]
