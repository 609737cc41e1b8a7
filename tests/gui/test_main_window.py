"""Tests the whole window with real files and real workers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import pytest
from PyQt5.QtCore import QEvent, QMimeData, QPoint, QSize, Qt, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QFileDialog,
    QMessageBox,
    QScrollArea,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from pygama.analysis.cuts import Cut, save_cuts
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.bridge import Bridge
from pygama_gui.desks import arrivals
from pygama_gui.jobs.board import counted
from pygama_gui.layouts import LAYOUTS
from pygama_gui.machine.threads import TURN_MS
from pygama_gui.main_window import MainWindow
from pygama_gui.menus import TABS
from pygama_gui.session import changes, files, places, saved
from pygama_gui.session.state import Run, Session
from pygama_gui.views.runs.cards import run_details, run_sentence
from pygama_gui.widgets.keysheet import KeySheet, keys_of
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.palette import entries_of, found

WAIT_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, themed: object) -> Iterator[MainWindow]:
    made = MainWindow(Bridge())
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    close(made)


def close(window: MainWindow) -> None:
    """Close a window, and stop what is still under way."""
    window.close()
    for box in window.findChildren(QMessageBox):
        next(one for one in box.buttons() if one.text() == "Stop and quit").click()


@pytest.fixture
def raw_run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=400, n_samples=1000))


@pytest.fixture
def out(window: MainWindow, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    window.bridge.change(changes.choose_output_dir, folder)
    return folder


def drop(window: QWidget, paths: list[Path], at: QPoint | None = None) -> None:
    at = at or QPoint(300, 300)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    window.dragEnterEvent(QDragEnterEvent(at, copy, data, buttons, keys))
    window.dropEvent(QDropEvent(at, copy, data, buttons, keys))


def state_of(window: MainWindow) -> str:
    state = window.bridge.state(window.bridge.session.selected)
    return "" if state is None else state.state


def test_what_lies_elsewhere_is_refused_in_place(window: MainWindow) -> None:
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/Run5")])
    buttons, keys, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    held = QDragEnterEvent(QPoint(300, 300), copy, data, buttons, keys)
    window.dragEnterEvent(held)
    assert held.isAccepted()
    assert window.veil.words.text() == "Only files on this computer can be dropped"
    window.dropEvent(QDropEvent(QPoint(300, 300), copy, data, buttons, keys))
    assert window.runs.refusals.text() == "▲ Run5 is not on this computer"
    assert not window.veil.isVisible()


def test_an_empty_window_offers_two_things(window: MainWindow) -> None:
    assert window.stack.currentWidget() is window.welcome
    assert window.welcome.open_choice.isVisible()
    assert window.welcome.demo_choice.isVisible()


def test_a_dropped_run_is_processed_and_shown(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path
) -> None:
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    assert {path.name for path in out.iterdir()} == {"t1_run12.h5", "t2_run12.h5"}
    qtbot.waitUntil(lambda: window.waveforms.bar.info.text().startswith("of 400"), timeout=WAIT_MS)
    assert window.spectrum._histogram is not None
    window.waveforms.go_to(17)
    qtbot.waitUntil(lambda: window.waveforms.bar.place.text() == "18", timeout=WAIT_MS)


ELSEWHERE = {
    "find peaks": "Search peaks in view",
    "gauss": "Fit the region",
    "log scale": "Logarithmic / linear",
    "rebin": "More bins",
    "unzoom": "Show all",
    "screenshot": "Copy as picture",
    "night mode": "Dark theme",
    "bigger text": "115 %",
    "shortcuts": "Keys and mouse",
    "exit": "Quit",
    "undo": "Undo",
    "kill": "Stop",
    "resume": "Pause / go on",
    "priority": "Earlier in the queue",
    "parallel": "2, sharing the cores",
    "fft": "Noise spectrum",
    "persistence": "Density of many",
    "superpose": "5 over each other",
    "play speed": "2 waveforms a second",
    "delta t": "Show / hide the cursors",
    "next waveform": "Next",
    "lasso": "Draw a polygon",
    "new cut": "Add a cut…",
    "coincidence": "Build events…",
    "energy calibration": "Calibrate all channels",
    "optimize filter": "Scan two settings…",
    "load config": "Load settings…",
    "parquet": "Save the table…",
    "merge runs": "Make a data set of runs…",
    "command line": "Copy as command",
    "elog": "Copy shift report",
    "errors": "Show or hide the log",
    "look at as one": "Make a data set of runs…",
    "join": "Make a data set of runs…",
    "sum": "Make a data set of runs…",
    "next event": "Next",
    "tau": "pole_zero",
    "hide panel": "Fits panel",
    "resolution": "Fit the region",
    "compare": "Show / hide the other runs",
    "wider range of a fit": "Move the ends of the chosen fit",
}
"""What somebody types, and the command that is meant by it."""


def test_commands_are_found_by_what_other_programs_call_them(window: MainWindow) -> None:
    entries = entries_of(window.menuBar())
    shown = {query: found(query, entries, window.spectrum.plot)[:8] for query in ELSEWHERE}
    missed = [query for query, fits in shown.items() if ELSEWHERE[query] not in [one.words for one in fits]]
    assert missed == []


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("add runs", "Open raw files…"),
        ("open", "Open raw files…"),
        ("save picture", "Save the spectrum…"),
        ("calibrate", "Calibrate with the fitted peaks"),
        ("how do i calibrate", "Calibrate what is shown"),
        ("dark", "Dark theme"),
        ("overlay", "Show / hide the other runs"),
        ("help", "Documentation"),
        ("drift", "Trends"),
        ("drift_time", "drift_time"),
        ("script", "Save as Python script…"),
    ],
)
def test_what_a_newcomer_types_finds_the_command_first(window: MainWindow, query: str, first: str) -> None:
    window.bridge.change(changes.add_runs, [Run("1", Path("Run72"), 72)])
    assert found(query, entries_of(window.menuBar()), window.spectrum.plot)[0].words == first


def test_what_does_the_same_work_elsewhere_stands_in_the_menu_file(window: MainWindow) -> None:
    exports = [entry for entry in entries_of(window.menuBar()) if entry.place == "File › Export"]
    assert [(one.words, one.keys) for one in exports[:3]] == [
        ("Copy as command", "Ctrl+Shift+C"),
        ("Save as Python script…", "Ctrl+E"),
        ("Save as notebook…", "Ctrl+Shift+E"),
    ]
    assert [one.action for one in exports] == window.menus.export_actions


def test_the_timer_rests_when_there_is_nothing_to_do(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path
) -> None:
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.bridge.timer.isActive(), timeout=WAIT_MS)


def test_no_part_of_the_window_swallows_a_drop(window: MainWindow) -> None:
    takers = [part for part in window.findChildren(QWidget) if part.acceptDrops() and not part.isWindow()]
    assert takers == []


def test_a_file_that_is_no_run_says_why_in_place(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no run at all, but long enough to be looked at")
    drop(window, [tmp_path / "notes"])
    qtbot.waitUntil(lambda: not window.runs.refusals.isHidden(), timeout=WAIT_MS)
    assert "notes" in window.runs.refusals.text()
    assert window.bridge.session.runs == ()


def test_a_killed_worker_leaves_a_sentence_and_the_run_can_be_run_again(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, out: Path
) -> None:
    big = write_run(tmp_path / "Run13", RunShape(run_number=13, n_events=6000, n_samples=2000))
    drop(window, [big])
    qtbot.waitUntil(lambda: state_of(window) == "running", timeout=WAIT_MS)
    job = next(iter(window.bridge.runner._running.values()))
    os.kill(job.process.pid or 0, signal.SIGKILL)
    qtbot.waitUntil(lambda: state_of(window) == "failed", timeout=WAIT_MS)
    assert window.banner.isVisible()
    assert "signal 9" in window.banner.words.text()
    window.runs.again_action.trigger()
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    assert (out / "t2_run13.h5").exists()


def test_files_and_folders_of_all_kinds_are_sorted_out_in_one_drop(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    write_run(folder / "Run14", RunShape(run_number=14, n_events=20, n_samples=1000))
    (tmp_path / "notes.txt").write_text("no run at all, but long enough to be looked at")
    (tmp_path / "t1.h5").write_bytes(files.HDF5 + bytes(100))
    (tmp_path / "empty").touch()
    drop(window, [raw_run, folder, tmp_path / "notes.txt", tmp_path / "t1.h5", tmp_path / "empty"])
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 2, timeout=WAIT_MS)
    assert [run.run_number for run in window.bridge.session.runs] == [12, 14]
    assert window.runs.refusals.text().splitlines() == [
        "▲ notes.txt is not ORCA data",
        "▲ empty is empty",
    ]
    qtbot.waitUntil(lambda: "cannot be read" in window.files.details.trouble.text(), timeout=WAIT_MS)
    assert window.files_dock.isVisible()
    qtbot.waitUntil(lambda: not window.bridge.active(), timeout=WAIT_MS)


def test_tier_files_dropped_on_the_files_are_looked_into_there(
    qtbot: QtBot, window: MainWindow, raw_run: Path, tmp_path: Path
) -> None:
    process_run(raw_run, output_dir=tmp_path)
    window.toggle_files()
    qtbot.waitUntil(lambda: not window.files.visibleRegion().isEmpty(), timeout=WAIT_MS)
    at = window.files_dock.geometry().center()
    drop(window, [tmp_path / "t1_run12.h5", tmp_path / "t2_run12.h5"], at)
    qtbot.waitUntil(lambda: len(window.files.model.files) == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.files.details.facts.text().startswith("/data"), timeout=WAIT_MS)
    assert window.files_dock.isVisible()
    assert window.bridge.session.runs == ()
    assert window.runs.refusals.text() == ""
    qtbot.waitUntil(window.files.tree.hasFocus, timeout=WAIT_MS)
    window.toggle_files()
    assert not window.files_dock.isVisible()


def test_the_keys_go_on_in_the_tree_when_a_tier_file_was_opened(
    window: MainWindow, raw_run: Path, tmp_path: Path
) -> None:
    process_run(raw_run, output_dir=tmp_path)
    window.activateWindow()
    window.runs.stop_button.setFocus()
    window.files.open_button.click()
    (dialog,) = window.findChildren(QFileDialog)
    dialog.filesSelected.emit([str(tmp_path / "t2_run12.h5")])
    dialog.close()
    assert window.focusWidget() is window.files.tree
    assert any("t2_run12.h5 is in the files panel" in line for line in window.bridge.lines)


def test_a_long_look_for_runs_says_what_it_found(
    qtbot: QtBot, window: MainWindow, raw_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_run(raw_run, output_dir=tmp_path)
    monkeypatch.setattr(arrivals, "PATIENCE_MS", 0)
    found = files.find_runs
    release = threading.Event()

    def find_late(paths: Iterable[Path]) -> files.Found:
        release.wait(WAIT_MS / 1000)
        return found(paths)

    monkeypatch.setattr(files, "find_runs", find_late)
    told: list[str] = []
    window.bridge.logged.connect(lambda text, _level: told.append(text))
    drop(window, [tmp_path / "t2_run12.h5"])
    qtbot.waitUntil(lambda: any("Looking for runs" in text for text in told), timeout=WAIT_MS)
    release.set()
    qtbot.waitUntil(lambda: "t2_run12.h5 is shown with t1_run12.h5" in told, timeout=WAIT_MS)
    assert sum("Looking for runs" in text for text in told) == 1


def test_a_name_that_another_run_has_is_written_beside_it(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path, tmp_path: Path
) -> None:
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    (tmp_path / "other").mkdir()
    shape = RunShape(run_number=12, n_events=100, n_samples=1000, channels=(0,))
    drop(window, [write_run(tmp_path / "other" / "Run12", shape)])
    qtbot.waitUntil(lambda: state_of(window) == "failed", timeout=WAIT_MS)
    assert window.banner.act_buttons[0].text() == "Write t1_run12.1.h5"
    window.banner.act_buttons[0].click()
    assert not window.banner.isVisible()
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    names = {"t1_run12.h5", "t2_run12.h5", "t1_run12.1.h5", "t2_run12.1.h5"}
    assert {path.name for path in out.iterdir()} == names
    window.runs.again_action.trigger()
    qtbot.waitUntil(lambda: not window.bridge.active(), timeout=WAIT_MS)
    assert state_of(window) == "done"


def test_a_folder_that_cannot_be_written_is_asked_for_anew(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.bridge.change(changes.choose_output_dir, out / "gone")
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: state_of(window) == "failed", timeout=WAIT_MS)
    assert window.banner.act_buttons[0].text() == "Choose a folder…"
    asked: list[list[Run]] = []
    monkeypatch.setattr(window.processing, "ask_output_dir", asked.append)
    window.banner.act_buttons[0].click()
    assert [run.run_number for run in asked[0]] == [12]
    window.processing._take_output_dir(out, asked[0])
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)


def test_what_an_earlier_session_made_is_shown(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path
) -> None:
    process_run(raw_run, output_dir=out)
    window.bridge.change(changes.process_on_add, False)
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: window.waveforms.bar.info.text().startswith("of 400"), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.spectrum.controls.info.text() == "400 events", timeout=WAIT_MS)
    state = window.bridge.state(window.bridge.session.selected)
    assert state is not None
    assert (state.state, state.made_on) == ("done", (out / "t2_run12.h5").stat().st_mtime)
    assert window.bridge.runner.running == ()


def test_the_warnings_of_an_earlier_session_are_told(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path
) -> None:
    process_run(raw_run, output_dir=out, skip=[5])
    window.bridge.change(changes.process_on_add, False)
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    state = window.bridge.state(window.bridge.session.selected)
    assert state is not None
    sentence, tone = run_sentence(state)
    assert sentence.startswith("▲ done 20")
    assert sentence.endswith(f" · {counted(state.warnings, 'warning')}")
    assert tone == "warn"
    assert run_details(state).startswith("▲ done 20")
    assert "▲ nothing was left out at bytes 5: no record that is decoded begins there" in run_details(state)


def test_a_run_whose_files_another_one_took_is_shown_as_not_processed(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path, tmp_path: Path
) -> None:
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    moved = raw_run.rename(tmp_path / "Run12 elsewhere")
    drop(window, [moved])
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    assert window.bridge.state(str(raw_run)) is None
    assert "its files were replaced by those of Run 12 (Run12 elsewhere)" in window.log.text.toPlainText()


def test_a_tier_1_file_that_is_gone_is_told_and_its_waveforms_can_be_tried_again(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path
) -> None:
    process_run(raw_run, output_dir=out)
    window.bridge.change(changes.process_on_add, False)
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: window.waveforms.bar.info.text().startswith("of 400"), timeout=WAIT_MS)
    window.bridge.in_background(window.bridge.loading.close, lambda _nothing: None)
    aside = (out / "t1_run12.h5").rename(out / "aside")
    window.waveforms.go_to(3)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert "t1_run12.h5" in window.banner.words.text()
    aside.rename(out / "t1_run12.h5")
    window.waveforms.go_to(4)
    qtbot.waitUntil(lambda: window.waveforms.bar.place.text() == "5", timeout=WAIT_MS)


def test_a_run_without_events_says_so_in_every_picture(
    qtbot: QtBot, window: MainWindow, out: Path, tmp_path: Path
) -> None:
    drop(window, [write_run(tmp_path / "Run13", RunShape(run_number=13, n_events=0))])
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    plots = (window.preview.plot, window.waveforms.plot, window.spectrum.plot)
    wanted = ["No waveforms in this run.", "No waveforms in this run.", "No events in this run."]
    qtbot.waitUntil(lambda: [plot._hint.text() for plot in plots] == wanted, timeout=WAIT_MS)


def test_closing_the_window_ends_every_process(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path
) -> None:
    window.bridge.runner.warm_up()
    drop(window, [raw_run])
    qtbot.waitUntil(lambda: state_of(window) in ("running", "done"), timeout=WAIT_MS)
    workers = [
        child.pid
        for child in psutil.Process().children(recursive=True)
        if "spawn_main" in str(child.cmdline())
    ]
    assert workers
    close(window)
    assert [
        pid for pid in workers if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"
    ] == []


def test_a_chain_that_cannot_run_is_not_started(window: MainWindow, raw_run: Path, out: Path) -> None:
    window.bridge.change(changes.add_runs, [files.read_run(raw_run)])
    window.bridge.change(changes.enable_step, 1, False)
    window.runs.process()
    assert window.banner.isVisible()
    assert "Step 3, trap_filter" in window.banner.words.text()
    assert state_of(window) == ""


def test_a_run_whose_waveforms_are_too_short_is_not_started(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path
) -> None:
    window.bridge.change(changes.add_runs, [files.read_run(raw_run)])
    window.runs.process()
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    rows = window.bridge.live(window.bridge.session.selected)
    window.bridge.change(changes.set_setting, 0, "i_end", 5000)
    window.runs.process()
    assert window.banner.words.text() == (
        "Run 12 is not started. Step 1, fit_baseline: i_end must be 1000 or less, the length of the "
        "waveforms, not 5000"
    )
    assert state_of(window) == "done"
    assert window.bridge.live(window.bridge.session.selected) is rows
    window.banner.act_buttons[0].click()
    assert window.bridge.session.step == 0
    assert window.chain.cards[0].hasFocus()
    window.bridge.change(changes.set_setting, 0, "i_end", 400)
    assert window.banner.isHidden()


def test_of_several_runs_those_are_started_that_can_be(
    qtbot: QtBot, window: MainWindow, raw_run: Path, out: Path, tmp_path: Path
) -> None:
    long = write_run(tmp_path / "Run13", RunShape(run_number=13, n_events=40, n_samples=6000))
    window.bridge.change(changes.add_runs, [files.read_run(raw_run), files.read_run(long)])
    first, second = window.bridge.session.runs
    with qtbot.waitSignal(window.bridge.all_ended, timeout=WAIT_MS):
        window.processing.start([first, second])
    window.bridge.change(changes.set_setting, 0, "i_end", 5000)
    started: list[set[str]] = []
    window.bridge.started.connect(started.append)
    with qtbot.waitSignal(window.bridge.all_ended, timeout=WAIT_MS):
        window.processing.start([first, second])
    assert set().union(*started) == {second.run_id}
    assert "Run 12 is not started" in window.banner.words.text()


def test_the_session_is_there_at_the_next_start(qtbot: QtBot, window: MainWindow) -> None:
    window.bridge.change(changes.set_setting, 2, "rise", 123)
    window.close()
    assert saved.load(places.session_file()).chain[2].settings == {"rise": 123}


def test_undo_in_the_menu_names_the_change(window: MainWindow) -> None:
    window.bridge.change(changes.set_setting, 2, "rise", 123)
    assert window.menus.undo_action.text() == "&Undo: change a setting of a step (rise of trap_filter)"
    window.menus.undo_action.trigger()
    assert window.bridge.session.chain == Session().chain
    assert not window.menus.undo_action.isEnabled()
    assert "Undone: change a setting of a step (rise of trap_filter)" in window.log.text.toPlainText()
    window.menus.redo_action.trigger()
    assert "Done again: change a setting of a step (rise" in window.log.text.toPlainText()


def test_settings_can_be_saved_and_loaded(window: MainWindow, tmp_path: Path) -> None:
    window.bridge.change(changes.set_setting, 2, "rise", 123)
    window.settings_files.save(tmp_path / "mine.json")
    window.bridge.store.undo()
    window.settings_files.load(tmp_path / "mine.json")
    assert window.bridge.session.chain[2].settings == {"rise": 123}


def folders_begun_in(window: MainWindow) -> set[Path]:
    """Open dialogs that ask for files of many kinds, and give the folders that they begin in."""
    folders = set()
    for ask in (
        window.settings_files.ask_save,
        window.settings_files.ask_load,
        window.settings_files.ask_add_plugin,
        window.settings_files.ask_channel_map,
        window.cuts._ask_save,
        window.cuts._ask_load,
        window.fits.ask_export,
        window.fits.calibration.ask_load,
        window.documents.ask_save,
    ):
        ask()
        (dialog,) = window.findChildren(QFileDialog)
        folders.add(Path(dialog.directory().absolutePath()))
        dialog.reject()
        QApplication.sendPostedEvents(dialog, QEvent.Type.DeferredDelete)
    return folders


def test_dialogs_begin_where_anything_was_saved_last_else_at_the_run(
    window: MainWindow, raw_run: Path, out: Path, tmp_path: Path
) -> None:
    window.bridge.change(changes.add_runs, [files.read_run(raw_run)])
    assert folders_begun_in(window) == {out}
    (elsewhere := tmp_path / "elsewhere").mkdir()
    window.settings_files.save(elsewhere / "mine.json")
    assert folders_begun_in(window) == {elsewhere}


def test_settings_are_offered_under_the_name_of_the_run(window: MainWindow, raw_run: Path, out: Path) -> None:
    window.bridge.change(changes.add_runs, [files.read_run(raw_run)])
    window.settings_files.ask_save()
    (dialog,) = window.findChildren(QFileDialog)
    assert [Path(name).name for name in dialog.selectedFiles()] == ["settings_run12.json"]


def test_a_settings_file_that_is_none_says_so(window: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"chain": 7}')
    window.settings_files.load(tmp_path / "mine.json")
    assert "mine.json" in window.banner.words.text()


def test_tabs_of_panels_have_room_for_their_bold_names_in_another_theme(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.layouts.choose("Inspect")
    panels = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    qtbot.waitUntil(lambda: any(one.count() == 2 for one in panels))
    tabs = next(one for one in panels if one.count() == 2)
    before = tabs.tabRect(1).width()
    window.bridge.change(changes.choose_theme, "dark")
    assert tabs.font().bold()
    assert tabs.tabRect(1).width() == before


@pytest.mark.parametrize(
    ("tab", "waveforms", "spectrum"), [(0, True, True), (1, True, False), (2, False, True)]
)
def test_tabs_show_one_picture_or_both(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., object], tab: int, waveforms: bool, spectrum: bool
) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.bridge.change(changes.choose_tab, tab)
    qtbot.waitUntil(lambda: not window.welcome.isVisible(), timeout=WAIT_MS)
    assert (window.waveforms.isVisible(), window.spectrum.isVisible()) == (waveforms, spectrum)


def test_pictures_take_the_place_of_the_welcome_in_a_turn_of_their_own_and_go_with_the_last_run(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]
) -> None:
    run = a_run()
    window.bridge.change(changes.add_runs, [run])
    window.bridge.change(changes.remove_run, run.run_id)  # before that turn
    qtbot.wait(5 * TURN_MS)
    assert window.stack.currentWidget() is window.welcome
    window.bridge.change(changes.add_runs, [run])
    assert window.stack.currentWidget() is window.welcome
    qtbot.waitUntil(lambda: window.spectrum.isVisible() and window.spectrum.updatesEnabled(), timeout=WAIT_MS)
    window.bridge.change(changes.remove_run, run.run_id)
    assert window.stack.currentWidget() is window.welcome


def test_a_key_of_one_plot_works_in_the_other(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]
) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    qtbot.waitUntil(lambda: not window.welcome.isVisible(), timeout=WAIT_MS)
    window.activateWindow()
    window.waveforms.plot.setFocus()
    qtbot.waitUntil(window.waveforms.plot.hasFocus, timeout=WAIT_MS)
    qtbot.keyClick(window.waveforms.plot, Qt.Key.Key_L)
    assert window.bridge.session.spectrum.is_log


def test_the_window_fits_a_small_screen(qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.bridge.change(changes.set_setting, 2, "rise", 333)
    window.log_dock.show()
    window.resize(1024, 700)
    qtbot.waitUntil(lambda: window.width() <= 1024, timeout=WAIT_MS)
    assert window.height() <= 700


@pytest.mark.parametrize("layout", [layout.name for layout in LAYOUTS])
def test_every_layout_fits_a_small_screen_with_all_controls(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run], layout: str
) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.layouts.choose(layout)
    for view in (window.spectrum.controls, window.trends, window.plane, window.channels):
        if hasattr(view, "channel_box"):
            view.channel_box.show()
    window.resize(1014, 730)
    qtbot.waitUntil(lambda: window.width() <= 1014, timeout=WAIT_MS)
    assert window.height() <= 730


@pytest.mark.parametrize("has_files", [False, True])
@pytest.mark.parametrize("layout", [layout.name for layout in LAYOUTS])
def test_every_layout_fits_half_of_a_screen_of_1920_by_1080_in_each_direction(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run], layout: str, has_files: bool
) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.layouts.choose(layout)
    if has_files:
        window.show_bottom(window.files_dock, 170)
    for tab in range(len(TABS)):
        window.go_to_tab(tab)
        window.resize(952, 500)
        qtbot.waitUntil(lambda: (window.width(), window.height()) == (952, 500), timeout=WAIT_MS)


def test_all_settings_can_be_reached_in_a_low_window(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]
) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.resize(952, 500)
    bar = window.settings_area.verticalScrollBar()
    assert bar is not None
    qtbot.waitUntil(lambda: bar.maximum() > 0, timeout=WAIT_MS)
    views = (window.options, window.chain, window.preview)
    qtbot.waitUntil(
        lambda: all(view.height() >= view.minimumSizeHint().height() for view in views), timeout=WAIT_MS
    )
    for view in views:
        assert view.width() >= view.minimumSizeHint().width()


def test_two_pictures_stand_side_by_side_in_a_low_window(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]
) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.layouts.choose("On shift")
    window.resize(952, 500)
    qtbot.waitUntil(lambda: window.split.orientation() == Qt.Orientation.Horizontal, timeout=WAIT_MS)
    window.resize(952, 900)
    qtbot.waitUntil(lambda: window.split.orientation() == Qt.Orientation.Vertical, timeout=WAIT_MS)


def test_typing_a_setting_moves_no_panel(qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.resize(1024, 700)
    qtbot.waitUntil(lambda: window.width() <= 1024, timeout=WAIT_MS)
    before = window.settings_dock.width()
    for value in (3, 30, 3000):
        window.bridge.change(changes.set_setting, 2, "rise", value)
        QApplication.processEvents()
    assert window.settings_dock.width() == before


def test_the_way_to_the_log_says_whether_it_is_open(window: MainWindow) -> None:
    window.toggle_log()
    assert window.last_line.log_link.text() == "Log ▾"
    window.toggle_log()
    assert window.last_line.log_link.text() == "Log ▴"


def test_the_keyboard_goes_on_in_the_log_and_then_in_the_picture_again(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]
) -> None:
    window.bridge.change(changes.add_runs, [a_run()])
    window.go_to_tab(2)
    window.toggle_log()
    qtbot.waitUntil(window.log.text.hasFocus, timeout=WAIT_MS)
    window.toggle_log()
    qtbot.waitUntil(window.spectrum.plot.hasFocus, timeout=WAIT_MS)


def test_no_key_does_two_things_in_the_window(window: MainWindow) -> None:
    actions = [entry.action for entry in entries_of(window.menuBar())]
    everywhere = [one for one in actions if one.shortcutContext() == Qt.ShortcutContext.WindowShortcut]
    keys = [key.toString() for action in everywhere for key in action.shortcuts()]
    assert len(keys) > 30
    assert len(keys) == len(set(keys))


def test_letters_choose_from_every_menu_though_views_have_the_same_keys(window: MainWindow) -> None:
    left, menus = [action.menu() for action in window.menuBar().actions()], []
    while left:
        menu = left.pop()
        menus.append(menu)
        left += [inner for action in menu.actions() if (inner := action.menu()) is not None]
    assert len(menus) > 30
    assert [menu.title() for menu in menus if not isinstance(menu, Menu)] == []


def test_the_key_sheet_lists_keys_from_the_actions(qtbot: QtBot, window: MainWindow) -> None:
    sheet = KeySheet(window.menuBar(), window)
    found = dict(keys_of(window.menuBar()))
    assert ("Ctrl+O", "Open raw files") in found["File"]
    assert ("L", "Logarithmic / linear") in found["Spectrum"]
    assert (". (dot)", "Next channel") in found["Spectrum"]
    assert ("Space", "Freeze the waveforms alone / follow, play / stop") in found["Waveform"]
    sheet.close()


@pytest.mark.parametrize("width", [1024, 1280, 1920])
def test_the_key_sheet_needs_no_scrolling_to_the_side(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(type(QApplication.primaryScreen()), "availableSize", lambda _: QSize(width, 800))
    sheet = KeySheet(window.menuBar(), window)
    sheet.show()
    qtbot.waitExposed(sheet)
    assert sheet.width() <= width
    scroll = sheet.findChild(QScrollArea)
    assert scroll is not None
    assert scroll.horizontalScrollBar().maximum() == 0
    sheet.close()


def test_keys_of_the_files_panel_do_not_stand_among_those_that_work_everywhere(window: MainWindow) -> None:
    found = dict(keys_of(window.menuBar()))
    assert ("Ctrl+W", "Take the file off the list") in found["In the files panel"]
    assert ("A", "Show all") not in found["View"]
    assert ("Ctrl+1", "Process") in found["View"]


@pytest.mark.parametrize("tab", range(1, 6))
def test_the_keys_of_a_picture_work_when_its_tab_was_clicked(
    qtbot: QtBot, window: MainWindow, tab: int
) -> None:
    window.bridge.change(changes.add_runs, [Run("1", Path("Run1"), 1)])
    window.activateWindow()
    window.runs.stop_button.setFocus()
    qtbot.mouseClick(window.tabs, Qt.MouseButton.LeftButton, pos=window.tabs.tabRect(tab).center())
    view = (window.waveforms, window.spectrum, window.plane, window.trends, window.channels)[tab - 1]
    focus = window.focusWidget()
    assert focus is view or focus in view.stops()


def test_the_keys_go_on_from_picture_to_picture(window: MainWindow) -> None:
    window.bridge.change(changes.add_runs, [Run("1", Path("Run1"), 1)])
    window.activateWindow()
    for tab, view in ((3, window.plane), (4, window.trends), (5, window.channels), (2, window.spectrum)):
        window.go_to_tab(tab)
        focus = window.focusWidget()
        assert focus is view or isinstance(focus, QAbstractScrollArea), tab
        assert focus is not None
        assert focus is view or view.isAncestorOf(focus)


def test_a_region_taken_as_a_cut_shows_the_cuts(window: MainWindow) -> None:
    window.bridge.change(changes.add_runs, [Run("1", Path("Run1"), 1)])
    window.bridge.change(changes.mark_region, (100.0, 200.0))
    assert window.cuts.visibleRegion().isEmpty()
    window.cuts.take_region()
    assert not window.cuts.visibleRegion().isEmpty()


def test_something_unexpected_is_shown_and_not_fatal(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from pygama_gui.app import _catch_all

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    _catch_all(window)
    sys.excepthook(ValueError, ValueError("seven is not a colour"), None)
    assert "seven is not a colour" in window.banner.words.text()


def test_the_theme_changes_every_plot(window: MainWindow) -> None:
    window.bridge.change(changes.choose_theme, "dark")
    image = window.spectrum.plot.grab().toImage()
    assert image.pixelColor(image.width() - 2, 2).name().upper() == "#1B2027"
    window.bridge.change(changes.choose_theme, "light")


def test_a_cut_file_that_is_dropped_is_taken(qtbot: QtBot, bridge: Bridge, tmp_path: Path) -> None:
    window = MainWindow(bridge, remembers=False)
    qtbot.addWidget(window)
    save_cuts([Cut("high", "trap_max > 500", "#009E73")], tmp_path / "cuts.json")
    window.arrivals.add_paths([tmp_path / "cuts.json"])
    assert [cut.name for cut in bridge.session.cuts] == ["high"]
    assert not window.cuts_dock.isHidden()
    window.close()


def test_a_panel_that_is_asked_for_lies_in_front(qtbot: QtBot, window: MainWindow) -> None:
    window.show()
    window.fits_dock.hide()
    toggle = window.fits_dock.toggleViewAction()
    assert toggle is not None
    toggle.trigger()
    qtbot.waitUntil(lambda: not window.fits.visibleRegion().isEmpty(), timeout=WAIT_MS)


def test_an_action_of_a_hidden_panel_brings_it_to_the_front(qtbot: QtBot, window: MainWindow) -> None:
    window.layouts.choose("Process")
    window.settings_dock.raise_()
    assert not window.cuts.isVisible()
    add = next(one for one in window.cuts.view_actions() if one.text() == "&Add a cut…")
    add.trigger()
    qtbot.waitUntil(window.cuts.new_field.hasFocus, timeout=WAIT_MS)
    step = next(one for one in window.chain.view_actions() if one.text().startswith("&Duplicate"))
    step.trigger()
    qtbot.waitUntil(window.chain.isVisible, timeout=WAIT_MS)
    alone = next(one for one in window.cuts.view_actions() if "passing events alone" in one.text())
    alone.trigger()
    assert window.chain.isVisible()


def test_the_library_of_steps_has_room_in_a_low_window(
    qtbot: QtBot, open_window: Callable[..., MainWindow]
) -> None:
    window = open_window(size=(1280, 760))
    assert window.preview.isVisible()
    window.chain.open_library()
    shown = window.chain.library.list
    qtbot.waitUntil(lambda: not window.preview.isVisible() and shown.height() > 150)
    window.chain.close_library()
    qtbot.waitUntil(window.preview.isVisible)


def test_going_back_to_the_size_that_is_drawn_asks_for_nothing(window: MainWindow) -> None:
    told: list[str] = []
    window.bridge.logged.connect(lambda text, _level: told.append(text))
    window.choose_size(130)
    assert window.banner.isVisible()
    assert told == ["Text and buttons are drawn at 130 % when the window is opened again"]
    assert window.banner.property("level") == "offer"  # nothing is wrong
    window.arrivals.add_paths([])
    assert not window.banner.isVisible()
    window.choose_size(115)
    told.clear()
    window.choose_size(100)
    assert not window.banner.isVisible()
    assert not told
    assert window.bridge.session.size_percent == 100


@pytest.mark.parametrize(
    ("caption", "tab"), [("BASELINE", "Trends"), ("EVENTS", "Spectrum"), ("CHANNELS", "Channels")]
)
def test_a_click_on_a_figure_leads_to_what_it_is_taken_from(
    qtbot: QtBot, window: MainWindow, caption: str, tab: str
) -> None:
    qtbot.mouseClick(window.strip.figures[caption].value, Qt.MouseButton.LeftButton)
    assert TABS[window.tabs.currentIndex()] == tab


def test_a_click_on_the_errors_opens_the_log_and_one_on_the_state_nothing(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.log_dock.hide()
    for caption, is_open in (("STATE", False), ("ERRORS", True)):
        qtbot.mouseClick(window.strip.figures[caption], Qt.MouseButton.LeftButton)
        assert (window.log_dock.isVisible(), window.tabs.currentIndex()) == (is_open, 0)
