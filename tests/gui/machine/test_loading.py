"""Keeps few runs in memory and reads the others again when they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pygama.errors import FileGone, TierFileError
from pygama.processing.run import process_run
from pygama.progress import Failed
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.bridge import Bridge
from pygama_gui.data.outputs import Outputs
from pygama_gui.jobs.board import JobState
from pygama_gui.machine import gone
from pygama_gui.machine import loading as module
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, files
from pygama_gui.session.state import Run

WAIT_MS = 60_000


def test_rows_of_runs_not_looked_at_go_and_come_back_the_same(
    qtbot: QtBot, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_RUNS", 2)
    runs = []
    for number in (1, 2, 3, 4):
        shape = RunShape(run_number=number, n_events=40, n_samples=900, pulse_at=400, seed=number)
        runs.append(Run(f"run{number}", write_run(tmp_path / f"Run{number}", shape), number))
    bridge.change(changes.choose_output_dir, tmp_path)
    bridge.change(changes.add_runs, runs)
    bridge.change(changes.select_run, "run1")
    with qtbot.waitSignal(bridge.all_ended, timeout=WAIT_MS):
        bridge.start(runs, tmp_path)
    assert sorted(bridge.data) == ["run1", "run4"]
    bridge.change(changes.select_run, "run2")
    qtbot.waitUntil(lambda: len(bridge.data["run2"].columns) == 40, timeout=WAIT_MS)
    there = bridge.data["run2"].columns.column("trap_max").copy()
    bridge.change(changes.select_run, "run3")
    qtbot.waitUntil(lambda: len(bridge.data["run3"].columns) == 40, timeout=WAIT_MS)
    assert sorted(bridge.data) == ["run2", "run3"]
    with TierFile(tmp_path / "t2_run2.h5") as file:
        assert np.array_equal(file.table("data").column("trap_max"), there)
    assert bridge.data["run2"].n_bytes > there.nbytes


def test_a_file_whose_waveforms_cannot_be_read_is_closed_again(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = RunShape(run_number=5, n_events=40, n_samples=900, pulse_at=400)
    done = process_run(write_run(tmp_path / "Run5", shape), output_dir=tmp_path)
    closed: list[bool] = []
    close = module.Tier1Waveforms.close

    def note(self: module.Tier1Waveforms) -> None:
        closed.append(True)
        close(self)

    def refuse(self: module.Tier1Waveforms, place: int) -> None:
        raise TierFileError(f"waveform {place} is damaged")

    monkeypatch.setattr(module.Tier1Waveforms, "close", note)
    monkeypatch.setattr(module.Tier1Waveforms, "sample", refuse)
    with pytest.raises(TierFileError):
        bridge.loading._read_outputs(None, JobState(1, tmp_path / "Run5", outputs=done.outputs, rows=40), ())
    assert closed == [True]


def test_a_run_that_failed_keeps_what_it_told(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_RUNS", 0)
    run = Run("run1", Path("Run1"), 1)
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.take(1, Failed("cut short"))
    bridge.change(changes.select_run, "")
    assert list(bridge.data) == ["run1"]


def test_files_of_earlier_runs_are_told_of_together_those_looked_at_first(
    bridge: Bridge, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def found(run: Run, folder: Path) -> Outputs:
        looked.append(run.run_id)
        return Outputs(None, None, 0, 0.0)

    monkeypatch.setattr(module, "find_outputs", found)
    runs = [Run(str(n), tmp_path / f"Run{n}", n, 0, 0, 1) for n in range(60)]
    told: list[set[str]] = []
    bridge.change(changes.add_runs, runs)
    bridge.change(changes.select_run, "57")
    bridge.jobs_changed.connect(told.append)
    bridge.change(changes.choose_output_dir, tmp_path)
    qtbot.waitUntil(lambda: bridge.state("59") is not None, timeout=WAIT_MS)
    assert looked[0] == "57"
    assert [len(some) for some in told] == [25, 25, 10]


def test_a_file_that_is_gone_is_told_once_until_it_is_back(
    qtbot: QtBot, bridge: Bridge, tmp_path: Path
) -> None:
    shape = RunShape(run_number=7, n_events=40, n_samples=900, pulse_at=400)
    raw = write_run(tmp_path / "Run7", shape)
    process_run(raw, output_dir=tmp_path)
    bridge.change(changes.choose_output_dir, tmp_path)
    bridge.change(changes.add_runs, [files.read_run(raw)])
    run_id = bridge.session.runs[0].run_id
    qtbot.waitUntil(lambda: run_id in bridge.data and bridge.data[run_id].tier1 is not None, timeout=WAIT_MS)
    tier1, away = tmp_path / "t1_run7.h5", tmp_path / "away"
    told: list[str] = []
    bridge.went_wrong.connect(lambda words, _details, _run: told.append(words))

    def look() -> bool:
        """Look at the waveforms anew; whether they were there."""
        answers: list[bool] = []
        bridge.in_background(bridge.loading.close, lambda _nothing: None)
        bridge.loading.read_waveforms(
            run_id,
            lambda waveforms: waveforms.count(),
            lambda _n: answers.append(True),
            lambda: answers.append(False),
        )
        qtbot.waitUntil(lambda: bool(answers), timeout=WAIT_MS)
        return answers[0]

    tier1.rename(away)
    assert [look() for _ in range(3)] == [False] * 3
    assert told == [str(FileGone(tier1))]
    assert tier1 in bridge.gone
    away.rename(tier1)
    assert look()
    tier1.unlink()
    assert not look()
    assert len(told) == 2
    assert sum("is not a file" in line for line in bridge.lines) == 2


def test_a_file_that_is_back_is_found_by_itself_and_what_lacked_it_is_shown_again(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gone, "LOOK_MS", 50)
    raw = write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=60, n_samples=900, pulse_at=400))
    process_run(raw, output_dir=tmp_path)
    window = open_window()
    bridge = window.bridge
    bridge.change(changes.choose_output_dir, tmp_path)
    bridge.change(changes.process_on_add, False)
    bridge.change(changes.add_runs, [files.read_run(raw)])
    browser = window.waveforms.browser
    qtbot.waitUntil(lambda: browser.sample is not None, timeout=WAIT_MS)
    tier1, away = tmp_path / "t1_run7.h5", tmp_path / "away"
    tier1.rename(away)
    bridge.in_background(bridge.loading.close, lambda _nothing: None)
    browser.step(1)
    qtbot.waitUntil(lambda: window.banner.isVisible(), timeout=WAIT_MS)
    assert browser.sample is None
    away.rename(tier1)
    qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: browser.sample is not None, timeout=WAIT_MS)
    assert browser.place == 1, "where somebody went before it was back"
    assert any("t1_run7.h5 is back" in line for line in bridge.lines)
    assert not bridge.gone.timer.isActive()


def test_waveforms_read_from_a_file_tell_how_they_were_cut(
    qtbot: QtBot, bridge: Bridge, tmp_path: Path
) -> None:
    shape = RunShape(run_number=6, n_events=40, n_samples=900, pulse_at=450)
    raw = write_run(tmp_path / "Run6", shape)
    process_run(raw, output_dir=tmp_path, tier0={"window": "max", "n_samp": 600}, multiprocess=False)
    bridge.change(changes.choose_output_dir, tmp_path)
    bridge.change(changes.add_runs, [files.read_run(raw)])
    run_id = bridge.session.runs[0].run_id
    qtbot.waitUntil(lambda: run_id in bridge.data and bridge.data[run_id].tier0 is not None, timeout=WAIT_MS)
    assert [step.step for step in bridge.data[run_id].chain][:1] == ["fit_baseline"]
    tier0 = bridge.data[run_id].tier0 or {}
    assert (tier0["window"], tier0["n_samp"]) == ("max", 600)
