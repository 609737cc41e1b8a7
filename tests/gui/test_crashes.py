"""A run whose worker dies at one record: found, skipped, packed. With workers that really die."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from pygama.orca.packets import RawFile
from pygama.simulate import RunShape, write_run
from pygama_gui.bridge import Bridge
from pygama_gui.jobs.remedies import remedies_for
from pygama_gui.jobs.runner import JobRunner
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, files, saved
from pygama_gui.session.store import Store
from pygama_gui.views.runs.cards import STATE_ROLE, run_sentence

sys.path.insert(0, str(Path(__file__).parent.parent / "gui_jobs"))  # for workers too
WAIT_MS = 90_000


@pytest.fixture
def raw_run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "Run5", RunShape(run_number=5, n_events=30, n_samples=200, seed=3))


@pytest.fixture
def offsets(raw_run: Path) -> list[int]:
    with RawFile(raw_run) as raw:
        return [int(offset) for offset in np.concatenate([packets.offset for packets in raw])]


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    runner = JobRunner(1, "job_targets:crash_at_records", warm=False)
    return open_window(Bridge(Store(), runner), output_dir=tmp_path / "out")


def crash(qtbot: QtBot, window: MainWindow, raw_run: Path, *deadly: int, alone: bool = True) -> str:
    window.bridge.change(changes.set_tier0, "deadly", list(deadly))
    window.bridge.change(changes.set_tier0, "alone", alone)
    run = files.read_run(raw_run)
    window.bridge.change(changes.add_runs, [run])
    window.processing.start([run])
    wait_for(qtbot, window, run.run_id, "failed")
    return run.run_id


def wait_for(qtbot: QtBot, window: MainWindow, run_id: str, state: str, search: str = "") -> None:
    def there() -> bool:
        job = window.bridge.state(run_id)
        return job is not None and job.state == state and job.search == search

    qtbot.waitUntil(there, timeout=WAIT_MS)


def words_of(window: MainWindow, run_id: str) -> list[str]:
    return [one.words for one in remedies_for(window.bridge.state(run_id))]


def test_the_record_is_found_named_and_skipped(
    qtbot: QtBot, window: MainWindow, raw_run: Path, offsets: list[int]
) -> None:
    deadly = offsets[17]
    run_id = crash(qtbot, window, raw_run, deadly)
    assert words_of(window, run_id) == ["Find the record", "Run again"]
    assert window.banner.act_buttons[0].text() == "Find the record"
    window.banner.act_buttons[0].click()
    assert run_sentence(window.bridge.state(run_id))[0].startswith("▶ searching")
    qtbot.waitUntil(lambda: (window.bridge.state(run_id).search_left or 0) > 1, timeout=WAIT_MS)
    wait_for(qtbot, window, run_id, "failed", "found")
    sentence = run_sentence(window.bridge.state(run_id))[0].replace("\u202f", "")
    assert f"the record at byte {deadly} ends its worker" in sentence
    assert "ORSIS3302DecoderForEnergy crate 0 card" in sentence
    assert "signal 11 (SIGSEGV)" in sentence
    assert words_of(window, run_id) == ["Skip it and go on", "Save bundle…"]
    assert window.banner.isVisible()
    window.banner.act_buttons[0].click()
    wait_for(qtbot, window, run_id, "done")
    run = window.bridge.session.run(run_id)
    assert run is not None
    assert run.skip == (deadly,)
    assert window.bridge.store.undo_label == "skip a record of a run (run 5)"


def test_the_session_file_keeps_what_is_skipped(window: MainWindow, raw_run: Path, tmp_path: Path) -> None:
    run = files.read_run(raw_run)
    window.bridge.change(changes.add_runs, [run])
    window.bridge.change(changes.skip_record, run.run_id, 4711)
    saved.save(window.bridge.session, tmp_path / "session.json")
    assert saved.load(tmp_path / "session.json").runs[0].skip == (4711,)
    window.bridge.store.undo()
    assert window.bridge.session.runs[0].skip == ()


def test_a_bundle_holds_the_record_and_the_lines_of_its_run(
    qtbot: QtBot, window: MainWindow, raw_run: Path, offsets: list[int], tmp_path: Path
) -> None:
    run_id = crash(qtbot, window, raw_run, offsets[9])
    window.bridge.log("Run 99: nothing to do with it")
    run = window.bridge.session.runs[0]
    window.processing.mend(run, "search")
    wait_for(qtbot, window, run_id, "failed", "found")
    window.processing.mend(run, "bundle")
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    assert not dialog.isModal() or dialog.windowModality() != 2
    dialog.fileSelected.emit(str(tmp_path / "crash.zip"))
    dialog.close()
    qtbot.waitUntil((tmp_path / "crash.zip").exists, timeout=WAIT_MS)
    with zipfile.ZipFile(tmp_path / "crash.zip") as bundle:
        assert json.loads(bundle.read("record.json"))["offset"] == offsets[9]
        log = bundle.read("log.txt").decode()
    assert "searching for the record" in log
    assert "Run 99" not in log


def test_where_no_record_does_it_that_is_said(
    qtbot: QtBot, window: MainWindow, raw_run: Path, offsets: list[int]
) -> None:
    run_id = crash(qtbot, window, raw_run, offsets[9], alone=False)
    window.processing.mend(window.bridge.session.runs[0], "search")
    wait_for(qtbot, window, run_id, "failed", "none")
    assert "no single record" in run_sentence(window.bridge.state(run_id))[0]
    assert words_of(window, run_id) == ["Run again", "Save bundle…"]


def test_a_search_can_be_stopped(qtbot: QtBot, window: MainWindow, raw_run: Path, offsets: list[int]) -> None:
    run_id = crash(qtbot, window, raw_run, offsets[9])
    run = window.bridge.session.runs[0]
    window.processing.mend(run, "search")
    index = window.runs.model.place_of(run_id)
    assert index.data(STATE_ROLE).search == "under way"
    assert words_of(window, run_id) == ["Stop searching"]
    window.processing.mend(run, "stop search")
    wait_for(qtbot, window, run_id, "failed", "stopped")
    assert words_of(window, run_id) == ["Find the record", "Run again"]


def test_the_earlier_failure_stays_on_the_card_until_the_run_succeeds(
    qtbot: QtBot, window: MainWindow, raw_run: Path, offsets: list[int]
) -> None:
    run_id = crash(qtbot, window, raw_run, offsets[9])
    assert window.runs.retry_action.isEnabled()
    window.bridge.change(changes.set_tier0, "deadly", [])
    window.runs.retry_action.trigger()
    told = "tried again; earlier: The worker was ended by signal 11"
    qtbot.waitUntil(lambda: told in window.runs.model.place_of(run_id).data(0x0B), timeout=WAIT_MS)
    wait_for(qtbot, window, run_id, "done")
    assert "earlier" not in window.runs.model.place_of(run_id).data(0x0B)
