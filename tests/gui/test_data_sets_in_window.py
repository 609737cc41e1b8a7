"""Tests data sets in the window: made of the list, drawn, browsed, and written as scripts."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt5.QtCore import QItemSelectionModel, QPointF, QRectF, Qt
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.analysis.fit_request import FitRequest
from pygama.boxes import rows_through
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.data import live_set, passes
from pygama_gui.data.files_waveforms import FilesWaveforms
from pygama_gui.data.health import Survey
from pygama_gui.data.linked import Axis, Want
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.tally import Figures
from pygama_gui.desks.writing import Writing
from pygama_gui.machine.fitting import Outcome
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, cut_changes, exports
from pygama_gui.session.calibration_changes import take_calibration
from pygama_gui.session.files import read_run
from pygama_gui.session.state import DataSet, Fit
from pygama_gui.views.base import View
from pygama_gui.views.runs.cards import BESIDE_ROLE
from pygama_gui.views.runs.set_making import RangeDialog, make_set_of_numbers
from pygama_gui.views.surveying import Declared
from pygama_gui.views.trends import telling
from pygama_gui.widgets import theme

WAIT_MS = 60_000
BOTH = pytest.mark.parametrize("most_rows", [10_000, 300], ids=["in memory", "on disk"])
N_EVENTS = {11: 150, 12: 200, 14: 250}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs 11, 12 and 14 with their files."""
    made = tmp_path_factory.mktemp("runs")
    for number, n in N_EVENTS.items():
        shape = RunShape(run_number=number, n_events=n, n_samples=900, pulse_at=400, seed=number)
        process_run(write_run(made / f"Run{number}", shape), output_dir=made)
    return made


@pytest.fixture
def window(
    qtbot: QtBot, open_window: Callable[..., MainWindow], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    """A window whose list has the three runs, processed."""
    monkeypatch.setattr(sys, "argv", ["script"])
    made = open_window(output_dir=folder)
    bridge = made.bridge
    bridge.change(changes.add_runs, [read_run(folder / f"Run{number}") for number in N_EVENTS])
    qtbot.waitUntil(lambda: all(bridge.state(run.run_id) for run in bridge.session.runs), timeout=WAIT_MS)
    return made


def made_set(qtbot: QtBot, window: MainWindow) -> DataSet:
    """Make a data set of all three, and wait until it is drawn."""
    assert make_set_of_numbers(window.bridge, "11-12, 14") == ""
    found = window.bridge.session.selected_run
    assert isinstance(found, DataSet)
    qtbot.waitUntil(
        lambda: isinstance(live := window.bridge.live(found.run_id), LiveSet) and len(live.columns) > 0,
        timeout=WAIT_MS,
    )
    qtbot.waitUntil(lambda: window.spectrum.shown() is not None, timeout=WAIT_MS)
    settle(qtbot, window)
    return found


def settle(qtbot: QtBot, window: MainWindow) -> None:
    bridge = window.bridge
    qtbot.waitUntil(lambda: not (bridge.timer.isActive() or bridge.counting.is_busy), timeout=WAIT_MS)


def heights_in(folder: Path) -> np.ndarray:
    parts = []
    for number in N_EVENTS:
        with TierFile(folder / f"t2_run{number}.h5") as file:
            parts.append(file.table("data").column("trap_max"))
    return np.concatenate(parts)


def test_the_selected_runs_become_a_data_set_with_a_card(qtbot: QtBot, window: MainWindow) -> None:
    runs = window.runs
    assert not runs.set_action.isEnabled()
    select = QItemSelectionModel.SelectionFlag.Select
    for row in (0, 1, 2):
        runs.list.selectionModel().select(runs.model.index(row), select)
    assert runs.set_action.isEnabled()
    runs.set_action.trigger()
    (made,) = window.bridge.session.data_sets
    assert made.name == "Runs 11-12, 14"
    qtbot.waitUntil(lambda: window.bridge.state(made.run_id) is not None, timeout=WAIT_MS)
    n = sum(N_EVENTS.values())
    told = runs.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert told.startswith(f"Runs 11-12, 14 · 3 runs, {n} events, ")
    tip = runs.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert all(f"t2_run{number}.h5" in tip for number in N_EVENTS)


def click_with_ctrl(qtbot: QtBot, window: MainWindow, row: int) -> None:
    place = window.runs.list.visualRect(window.runs.model.index(row)).center()
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(window.runs.list.viewport(), Qt.MouseButton.LeftButton, control, place)


def test_runs_laid_beside_each_other_are_marked_and_become_a_data_set(
    qtbot: QtBot, window: MainWindow
) -> None:
    runs, bridge = window.runs, window.bridge
    bridge.change(changes.select_run, runs.model.runs[1].run_id)
    click_with_ctrl(qtbot, window, 2)
    assert [runs.model.index(row).data(BESIDE_ROLE) for row in (0, 1, 2)] == [0, 0, 1]
    told = runs.model.index(2).data(Qt.ItemDataRole.AccessibleTextRole)
    assert told.endswith(", laid beside the selected run")
    assert runs.set_action.isEnabled()
    runs.set_action.trigger()
    (made,) = bridge.session.data_sets
    assert made.numbers == "12, 14"
    assert bridge.session.spectrum.others == ()


def test_the_colour_of_its_curve_is_on_the_card_of_a_run_laid_beside(
    qtbot: QtBot, window: MainWindow
) -> None:
    def shows_colour() -> bool:
        image = window.runs.list.viewport().grab(window.runs.list.visualRect(window.runs.model.index(2)))
        pixels = image.toImage()
        found = {pixels.pixel(x, y) for x in range(pixels.width()) for y in range(pixels.height())}
        return QColor(theme.current().series(1)).rgb() in found

    window.bridge.change(changes.select_run, window.runs.model.runs[1].run_id)
    assert not shows_colour()
    click_with_ctrl(qtbot, window, 2)
    assert shows_colour()


def test_a_card_is_renamed_in_its_place(qtbot: QtBot, window: MainWindow) -> None:
    made = made_set(qtbot, window)
    window.runs.model.setData(window.runs.model.place_of(made.run_id), "Calibration")
    assert window.bridge.session.data_sets[0].name == "Calibration"
    assert window.windowTitle().startswith("Calibration · 3 runs")
    flags = [window.runs.model.flags(window.runs.model.index(row)) for row in (0, 1)]
    assert [bool(one & Qt.ItemFlag.ItemIsEditable) for one in flags] == [True, False]


def test_a_range_of_runs_is_asked_for_and_what_is_missing_is_told(qtbot: QtBot, window: MainWindow) -> None:
    dialog = RangeDialog(window.bridge, window)
    qtbot.addWidget(dialog)
    assert dialog.field.text() == "11-12, 14"
    dialog.field.setText("11-14")
    dialog.accept()
    assert dialog.problem.text() == "▲ The list has no run 13"
    dialog.field.setText("seven")
    dialog.accept()
    assert "72-75, 80" in dialog.problem.text()
    assert window.bridge.session.data_sets == ()
    dialog.field.setText("11, 14")
    dialog.accept()
    assert [one.numbers for one in window.bridge.session.data_sets] == ["11, 14"]


@pytest.mark.parametrize("most_rows", [10_000, 300], ids=["in memory", "on disk"])
def test_the_spectrum_of_a_data_set_holds_the_events_of_all_runs(
    qtbot: QtBot, window: MainWindow, folder: Path, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    made_set(qtbot, window)
    picture = window.spectrum.picture
    assert picture is not None
    values = heights_in(folder)
    expected = np.histogram(values[values < picture.edges[-1]], picture.edges)[0]
    assert np.array_equal(picture.counts, expected)
    assert picture.counts.sum() > 500


def test_a_spectrum_on_disk_follows_the_hand_by_a_sample_and_says_so(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "SAMPLE_ROWS", 240)
    made_set(qtbot, window)
    bridge, spectrum, values = window.bridge, window.spectrum, heights_in(folder)
    bridge.change(cut_changes.add_cut, "low", "trap_max < 4000")
    window.show_cuts()
    settle(qtbot, window)
    bridge.change(changes.mark_region, (500.0, 2500.0))
    settle(qtbot, window)
    exact = spectrum.measured((500.0, 2500.0))
    bridge.data_sets._rest.setInterval(100_000)
    bridge.counting.serve_first("spectrum")
    bridge.change(cut_changes.edit_cut, "low", "trap_max < 3000")
    qtbot.waitUntil(lambda: spectrum.picture.is_estimate, timeout=WAIT_MS)
    n = len(bridge.live(bridge.session.selected).columns)
    assert 240 <= n < 300
    assert f"from a sample of {n} rows" in spectrum.controls.info.text()
    estimate = spectrum.measured((500.0, 2500.0))
    assert estimate.gross == pytest.approx(exact.gross, rel=0.3)
    assert estimate.net_error > 1.2 * exact.net_error  # that of the sample
    assert spectrum.drawing.curve.opacity() < 1
    assert not spectrum.picture.counts[spectrum.picture.edges[:-1] > 3000].any()
    qtbot.waitUntil(lambda: "from a sample" in window.cuts.summary.text(), timeout=WAIT_MS)
    bridge.counting.serve_first("")
    settle(qtbot, window)
    qtbot.waitUntil(lambda: not spectrum.picture.is_estimate, timeout=WAIT_MS)
    assert "sample" not in spectrum.controls.info.text() + window.cuts.summary.text()
    assert spectrum.drawing.curve.opacity() == 1
    assert spectrum.picture.counts.sum() == np.count_nonzero(values < 3000)


@BOTH
def test_a_region_of_a_data_set_is_counted_between_its_very_ends(
    qtbot: QtBot, window: MainWindow, folder: Path, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    made_set(qtbot, window)
    bridge, spectrum, values = window.bridge, window.spectrum, heights_in(folder)
    told: list[str] = []
    draw_each_step(monkeypatch, spectrum)
    spectrum.drawn.connect(lambda: told.append(spectrum.region.words.toPlainText()))
    roi = (1234.5, 4321.5)
    bridge.change(changes.mark_region, roi)
    for cut in ("", "trap_max < 3000"):
        if cut:
            bridge.change(cut_changes.add_cut, "low", cut)
        expected = int(((values >= roi[0]) & (values < (3000 if cut else roi[1]))).sum())
        qtbot.waitUntil(lambda n=expected: spectrum.measured(roi).gross == n, timeout=WAIT_MS)
        settle(qtbot, window)
        spectrum.redraw()
        assert told[-1].startswith(f"gross {expected}")
        assert "whole bins" not in told[-1]
    assert any("by whole bins, until it is counted" in one for one in told) == (most_rows == 300)


@BOTH
def test_fits_are_tried_out_once_all_of_a_data_set_is_counted(
    qtbot: QtBot, window: MainWindow, folder: Path, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    made_set(qtbot, window)
    bridge, values = window.bridge, heights_in(folder)
    told: list[Sequence[Outcome]] = []
    bridge.fitting.try_out(
        bridge.session.selected, [Fit("all", "trap_max", FitRequest(500.0, 40_000.0, n_bins=50))], told.append
    )
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    settle(qtbot, window)
    ((outcome,),) = told
    assert outcome.found.counts.sum() == ((values >= 500.0) & (values < 40_000.0)).sum()
    assert bridge.session.fits == ()


@pytest.mark.parametrize("tab", [2, 3], ids=["spectrum", "plane"])
def test_how_far_a_set_is_counted_is_no_longer_told_when_it_is(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch, tab: int
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    made = made_set(qtbot, window)
    window.go_to_tab(tab)
    info = window.spectrum.controls.info if tab == 2 else window.plane.bar.info
    qtbot.waitUntil(lambda: " events" in info.text(), timeout=WAIT_MS)
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    told: list[str] = []
    window.bridge.jobs_changed.connect(lambda _run_ids: told.append(info.text()))
    live = window.bridge.live(made.run_id)
    window.bridge.data_sets.count("other", live, [(None, Want(Axis("bl_int", 0.0, 1e4, 10)))], lambda _: None)
    settle(qtbot, window)
    assert any("counted 0 of 600 rows" in one for one in told)
    assert "counted" not in info.text()


@pytest.mark.parametrize("is_notebook", [False, True], ids=["script", "notebook"])
def test_what_is_saved_of_a_data_set_gives_the_spectrum_on_screen(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, is_notebook: bool
) -> None:
    window.bridge.change(cut_changes.add_cut, "late", "time_s > 0.01 & run != 12")
    made = made_set(qtbot, window)
    window.spectrum.rebin(2.0)
    window.spectrum.redraw()
    settle(qtbot, window)
    picture = window.spectrum.picture
    assert picture is not None and 50 < picture.counts.sum() < 450
    script = tmp_path / "set.py"
    if is_notebook:
        window.documents.export([made], tmp_path / "set.ipynb", exports.as_notebook)
        script.write_text(_code_of(tmp_path / "set.ipynb", tmp_path))
    else:
        window.documents.export([made], script, exports.as_script)
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "3 runs, 600 rows" in done.stdout
    (written,) = tmp_path.glob("*_trap_max.csv")
    with written.open(newline="", encoding="utf-8") as file:
        found = np.array(list(csv.reader(file))[1:], float)
    assert np.array_equal(found[:, 0], picture.edges[:-1])
    assert np.array_equal(found[:, 2], picture.counts)


def _code_of(notebook: Path, folder: Path) -> str:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return code.replace("OUTPUT = None", f"OUTPUT = {str(folder)!r}")


def test_the_commands_of_a_data_set_make_its_files(qtbot: QtBot, window: MainWindow) -> None:
    made = made_set(qtbot, window)
    window.documents.copy_commands([made])
    lines = QApplication.clipboard().text().splitlines()
    assert [line.split()[2].rsplit("/", 1)[-1] for line in lines] == ["Run11", "Run12", "Run14"]


@BOTH
def test_each_waveform_of_a_data_set_is_that_of_its_own_run(
    qtbot: QtBot, window: MainWindow, folder: Path, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    made_set(qtbot, window)
    browser = window.waveforms.browser
    qtbot.waitUntil(lambda: browser.n == 600 and browser.sample is not None, timeout=WAIT_MS)
    for run, row, place in ((11, 0, 0), (12, 60, 210), (14, 249, 599)):
        browser.go_to(place)
        qtbot.waitUntil(lambda place=place: browser.sample.place == place, timeout=WAIT_MS)
        with TierFile(folder / f"t1_run{run}.h5") as file:
            key = next(key for key in file.keys if file.table(key).n_samples)
            assert np.array_equal(browser.sample.waveform, file.table(key).waveform(row))
        assert browser.sample.numbers["run"] == run


@BOTH
def test_an_event_of_one_run_is_not_taken_for_that_of_another(
    qtbot: QtBot, window: MainWindow, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    made_set(qtbot, window)
    browser = window.waveforms.browser
    qtbot.waitUntil(lambda: browser.n == 600, timeout=WAIT_MS)
    live = window.bridge.live(window.bridge.session.selected)
    assert live is not None
    number = int(live.columns.column("event_number")[400])
    assert live.columns.column("run")[400] == 14
    browser.go_to_event(number, 14)
    qtbot.waitUntil(
        lambda: browser.sample is not None and browser.sample.numbers.get("run") == 14, timeout=WAIT_MS
    )
    assert browser.sample is not None and browser.sample.numbers["event_number"] == number
    view = window.waveforms
    view.draw_if_due()
    assert " · run 14 · " in view.bar.info.text()
    picture = view.exporter.picture()
    assert picture is not None and picture.about["run"] == "14"
    assert picture.about["title"].startswith(f"Run 14, event {number}")
    assert view.exporter.name().endswith(f"_run14_event{number}")


@BOTH
def test_cuts_and_channels_hold_for_waveforms_of_a_data_set(
    qtbot: QtBot, window: MainWindow, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    window.bridge.change(cut_changes.add_cut, "of12", "run == 12")
    made_set(qtbot, window)
    qtbot.waitUntil(lambda: window.waveforms.browser.n == N_EVENTS[12], timeout=WAIT_MS)
    window.bridge.change(changes.choose_channel, 1)
    live = window.bridge.live(window.bridge.session.selected)
    assert live is not None
    is_it = (live.columns.column("run") == 12) & (live.columns.column("channel") == 1)
    if window.waveforms.browser.channel is not None:
        qtbot.waitUntil(lambda: window.waveforms.browser.n == int(is_it.sum()), timeout=WAIT_MS)


@BOTH
def test_waveforms_of_a_data_set_are_in_kev_by_the_calibration_of_each_run(
    qtbot: QtBot, window: MainWindow, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    slopes = {11: 0.5, 12: 2.0, 14: 0.25}
    for number, slope in slopes.items():
        window.bridge.change(take_calibration, calibrated(number, slope))
    made_set(qtbot, window)
    window.bridge.change(changes.choose_tab, 1)
    view, heights = window.waveforms, {}
    qtbot.waitUntil(lambda: view.browser.sample is not None and view.browser.n > 420, timeout=WAIT_MS)
    settle(qtbot, window)
    for is_in_kev in (False, True):
        if is_in_kev:
            view.commands.find("Energy in keV").trigger()
        for number, place in ((11, 20), (12, 220), (14, 420)):
            view.browser.go_to(place)
            qtbot.waitUntil(lambda place=place: shown_place(window) == place, timeout=WAIT_MS)
            view.redraw()
            shown = view.traces_picture.curves[""].getOriginalDataset()[1]
            heights[number, is_in_kev] = float(np.ptp(shown))
    assert view.plot.labels["left"] == "energy (keV)"
    for number, slope in slopes.items():
        assert heights[number, True] == pytest.approx(slope * heights[number, False])


def shown_place(window: MainWindow) -> int | None:
    sample = window.waveforms.browser.sample
    return None if sample is None else sample.place


def show_waveforms(qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """Show the waveforms of a set on disk of which 20 rows are read at once."""
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 20)
    made = made_set(qtbot, window)
    window.bridge.change(changes.choose_tab, 1)
    qtbot.waitUntil(lambda: window.waveforms.browser.sample is not None, timeout=WAIT_MS)
    settle(qtbot, window)
    return made


def events_that_pass(folder: Path, least: float) -> list[tuple[int, int]]:
    """Give run and event of those whose height is above a level."""
    found = []
    for number in N_EVENTS:
        with TierFile(folder / f"t2_run{number}.h5") as file:
            passes_it = file.table("data").column("trap_max") > least
            found += [(number, one) for one in file.table("data").column("event_number")[passes_it].tolist()]
    return found


def shown_event(window: MainWindow) -> tuple[int, int]:
    sample = window.waveforms.browser.sample
    assert sample is not None
    return int(sample.numbers["run"]), int(sample.numbers["event_number"])


def test_waveforms_of_a_set_on_disk_that_pass_are_stepped_through(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_waveforms(qtbot, window, monkeypatch)
    browser, events = window.waveforms.browser, events_that_pass(folder, 3000.0)
    assert 50 < len(events) < 550
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 3000")
    qtbot.waitUntil(lambda: browser.n == len(events) and not browser.is_looking, timeout=WAIT_MS)
    settle(qtbot, window)
    browser.go_to(0)
    for place in (0, 1, 2, len(events) - 1, len(events) - 2):
        if place in (1, 2):
            window.waveforms.step(1)
        else:
            browser.go_to(place)
        qtbot.waitUntil(lambda at=place: browser.sample.place == at, timeout=WAIT_MS)
        assert shown_event(window) == events[place]
    window.waveforms.redraw()
    assert f"of {len(events)} · " in window.waveforms.bar.info.text()
    middle = events[len(events) // 2]
    browser.go_to_event(middle[1], middle[0])
    qtbot.waitUntil(lambda: browser.sample.place == len(events) // 2, timeout=WAIT_MS)
    assert shown_event(window) == middle


def test_the_waveform_that_is_shown_stays_when_a_cut_lets_it_pass(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_waveforms(qtbot, window, monkeypatch)
    browser, events = window.waveforms.browser, events_that_pass(folder, 3000.0)
    run, event = events[-3]
    browser.go_to_event(event, run)
    qtbot.waitUntil(lambda: shown_event(window) == (run, event), timeout=WAIT_MS)
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    monkeypatch.setattr(passes, "SHOW_S", 0.0)
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 3000")
    qtbot.waitUntil(lambda: browser.n == len(events) and not browser.is_looking, timeout=WAIT_MS)
    settle(qtbot, window)
    qtbot.waitUntil(lambda: browser.sample is not None and shown_event(window) == (run, event))
    assert browser.place == len(events) - 3


def test_waveforms_that_pass_are_shown_while_others_are_looked_for(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_waveforms(qtbot, window, monkeypatch)
    view, browser = window.waveforms, window.waveforms.browser
    events = events_that_pass(folder, 3000.0)
    draw_each_step(monkeypatch, view)
    seen: list[tuple[str, tuple[int, int]]] = []
    view.drawn.connect(lambda: seen.append((view.bar.info.text(), shown_event(window))))
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 3000")
    qtbot.waitUntil(lambda: browser.n == len(events) and not browser.is_looking, timeout=WAIT_MS)
    settle(qtbot, window)
    early = [(told, event) for told, event in seen if " so far" in told]
    assert early
    assert all(event in events for _, event in early)
    view.redraw()
    assert " so far" not in view.bar.info.text()


def test_stopping_the_search_keeps_the_waveforms_that_were_found(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = show_waveforms(qtbot, window, monkeypatch)
    bridge, browser = window.bridge, window.waveforms.browser
    monkeypatch.setattr(passes, "STEP_S", 0.0)

    def stop(_run_ids: object) -> None:
        progress = bridge.data_sets.progress(made.run_id)
        if progress is not None and progress.n_done > 128:
            bridge.data_sets.stop(made.run_id)

    bridge.jobs_changed.connect(stop)
    bridge.change(cut_changes.add_cut, "high", "trap_max > 3000")
    qtbot.waitUntil(lambda: bridge.data_sets.is_stopped(bridge.data[made.run_id]), timeout=WAIT_MS)
    bridge.jobs_changed.disconnect(stop)
    qtbot.waitUntil(lambda: browser.sample is not None and browser.n > 0, timeout=WAIT_MS)
    settle(qtbot, window)
    events = events_that_pass(folder, 3000.0)
    assert 0 < browser.n < len(events)
    assert shown_event(window) in events
    last = browser.n - 1
    browser.go_to(last)
    qtbot.waitUntil(lambda: browser.sample.place == last, timeout=WAIT_MS)
    assert shown_event(window) == events[last]
    assert "stopped: press 'Read again'" in browser.how_far


@pytest.mark.parametrize("picture", ["density", "noise", "inside", "difference"])
def test_pictures_of_many_waveforms_of_a_set_on_disk_are_of_those_that_pass(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch, picture: str
) -> None:
    show_waveforms(qtbot, window, monkeypatch)
    view = window.waveforms
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 3000")
    view.choose(picture=picture, n_many=10_000)
    n = len(events_that_pass(folder, 3000.0))
    if picture == "density":
        qtbot.waitUntil(
            lambda: (found := view.density.picture.density) is not None and found.n_waveforms == n,
            timeout=WAIT_MS,
        )
        qtbot.waitUntil(lambda: f"{n} of {n} waveforms" in view.bar.info.text(), timeout=WAIT_MS)
    elif picture == "noise":
        qtbot.waitUntil(lambda: view.many.is_whole, timeout=WAIT_MS)
        assert view.many.bunch is not None
        assert len(view.many.bunch) == n
        assert (view.many.bunch.numbers["run"] == 14).sum() > 20
    else:
        qtbot.waitUntil(
            lambda: (
                (found := view.contrast.found) is not None
                and found.inside is not None
                and found.outside is not None
                and (found.inside.n_waveforms, found.outside.n_waveforms) == (n, 600 - n)
            ),
            timeout=WAIT_MS,
        )


def test_other_waveforms_are_laid_behind_one_of_a_set_on_disk(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_waveforms(qtbot, window, monkeypatch)
    view, events = window.waveforms, events_that_pass(folder, 3000.0)
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 3000")
    view.choose(picture="traces", overlay=10)
    qtbot.waitUntil(lambda: view.browser.n == len(events), timeout=WAIT_MS)
    view.browser.go_to(20)
    qtbot.waitUntil(lambda: view.browser.sample.place == 20, timeout=WAIT_MS)

    def are_behind() -> bool:
        bunch = view._neighbours._bunch
        numbers = [] if bunch is None else bunch.numbers["event_number"].tolist()
        return numbers == [event for _, event in events[21:30]]

    qtbot.waitUntil(are_behind, timeout=WAIT_MS)


def test_an_event_that_was_seen_is_not_looked_for_in_the_files(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_waveforms(qtbot, window, monkeypatch)
    looked_for: list[int] = []
    look = FilesWaveforms._rows_of_event
    monkeypatch.setattr(
        FilesWaveforms,
        "_rows_of_event",
        lambda self, at, event, n: (looked_for.append(event), look(self, at, event, n))[1],
    )
    browser = window.waveforms.browser
    run, event = shown_event(window)
    window.bridge.change(cut_changes.add_cut, "others", f"run != {run} | event_number != {event}")
    qtbot.waitUntil(lambda: browser.n == 599 and not browser.is_looking, timeout=WAIT_MS)
    settle(qtbot, window)
    qtbot.waitUntil(lambda: browser.sample is not None and shown_event(window) != (run, event))
    assert looked_for == []


def test_a_box_drawn_over_waveforms_of_a_set_on_disk_filters_every_view(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = show_waveforms(qtbot, window, monkeypatch)
    bridge, step = window.bridge, window.waveforms.x_per_sample
    window.waveforms.choose(picture="density")
    settle(qtbot, window)
    n = window.waveforms.n_samples
    window.waveforms.drawn_boxes.begin()
    assert window.waveforms.plot.box.is_region_wanted
    window.waveforms.drawn_boxes.take(
        QRectF(QPointF(0.6 * n * step, 2000.0), QPointF(0.7 * n * step, 40_000.0))
    )
    (cut,) = bridge.session.cuts

    def is_known() -> bool:
        live = bridge.live(made.run_id)
        return live is not None and cut.expression in live.columns and bridge.boxes.is_idle

    qtbot.waitUntil(is_known, timeout=WAIT_MS)
    passes_it = np.concatenate(
        [
            rows_through(folder / f"t1_run{number}.h5", folder / f"t2_run{number}.h5", [cut.expression])[
                cut.expression
            ]
            for number in N_EVENTS
        ]
    )
    assert 50 < passes_it.sum() < 550
    qtbot.waitUntil(lambda: window.waveforms.browser.n == passes_it.sum(), timeout=WAIT_MS)
    found: list[Any] = []
    axis = Axis("trap_max", 0.0, 20_000.0, 50)
    bridge.counting.count("test", made.run_id, [Want(axis)], found.append)
    qtbot.waitUntil(lambda: bool(found) and not bridge.counting.is_busy, timeout=WAIT_MS)
    values = heights_in(folder)[passes_it]
    assert np.array_equal(found[-1][0].counts, np.histogram(values[values < axis.high], axis.edges)[0])


def test_a_set_on_disk_whose_waveforms_are_not_row_for_row_names_the_run(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "_is_apart", lambda member, n_rows: n_rows == N_EVENTS[12])
    made_set(qtbot, window)
    window.bridge.change(changes.choose_tab, 1)
    assert window.waveforms.telling.why_empty().startswith(
        "Run 12 has waveforms of several kinds, or not one for"
    )
    assert window.waveforms.browser.sample is None


@pytest.mark.parametrize("most_rows", [10_000, 300], ids=["in memory", "from the files"])
def test_the_trends_of_a_data_set_go_on_from_run_to_run(
    qtbot: QtBot, window: MainWindow, most_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    made_set(qtbot, window)
    window.bridge.change(changes.choose_tab, 4)
    qtbot.waitUntil(lambda: bool(window.trends.shown), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.trends.shown[0][1].is_whole, timeout=WAIT_MS)
    (_, trends) = window.trends.shown[0]
    live = window.bridge.live(window.bridge.session.selected)
    assert live is not None
    assert trends.n_rows == 600
    assert trends.span[1] - trends.span[0] == pytest.approx(live.duration_s)
    assert telling.time_words(window.trends).startswith("time of data taking, run after run (s)")


def strip_of(qtbot: QtBot, window: MainWindow) -> dict[str, str]:
    """Give the figures of the strip, once all of them are known."""
    bridge, figures = window.bridge, window.strip.figures

    def is_known() -> bool:
        live = bridge.live(bridge.session.selected)
        is_told = live is not None and live.times is not None
        return is_told and figures["CHANNELS"].value.text() != "—" and "baseline" in window.strip._levels

    qtbot.waitUntil(is_known, timeout=WAIT_MS)
    settle(qtbot, window)
    window.strip.redraw()
    return {name: f"{one.value.text()} {one.remark.text()}".strip() for name, one in figures.items()}


def test_the_strip_says_of_a_set_on_disk_what_it_says_of_one_in_memory(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = made_set(qtbot, window)
    in_memory = strip_of(qtbot, window)
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 64)
    window.bridge.data_sets.look_again(made.run_id)
    qtbot.waitUntil(lambda: getattr(window.bridge.live(made.run_id), "is_on_disk", False), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.bridge.timing.can_find(made.run_id), timeout=WAIT_MS)
    window.strip.redraw()
    assert window.strip.figures["LIVE TIME"].value.text() == "?"
    assert "Find the live time" in window.strip.figures["LIVE TIME"].toolTip()
    window.strip.live_time_action.trigger()
    from_files = strip_of(qtbot, window)
    for name in ("RUN", "RATE", "LIVE TIME", "EVENTS", "CHANNELS"):
        assert "—" not in in_memory[name]
        assert from_files[name] == in_memory[name]
    level, scatter = (float(one) for one in from_files["BASELINE"].split(" ADC")[0].split(" ± "))
    level_there, scatter_there = (float(one) for one in in_memory["BASELINE"].split(" ADC")[0].split(" ± "))
    assert level == pytest.approx(level_there, abs=0.5 * scatter_there)
    assert scatter == pytest.approx(scatter_there, rel=0.5)


def draw_each_step(monkeypatch: pytest.MonkeyPatch, view: View) -> None:
    """Let a pass over the files go on, block by block, each time that the view was drawn."""
    drawn, go_on = threading.Semaphore(0), passes.Pass.go_on

    def step(present: passes.Pass) -> bool:
        drawn.acquire(timeout=1.0)
        return go_on(present)

    monkeypatch.setattr(passes, "STEP_S", 0.0)
    monkeypatch.setattr(passes, "SHOW_S", 0.0)
    monkeypatch.setattr(passes.Pass, "go_on", step)
    view.drawn.connect(drawn.release)


def test_trends_from_the_files_follow_the_cuts_and_say_how_far_they_are(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 64)
    made = made_set(qtbot, window)
    bridge, view = window.bridge, window.trends
    bridge.change(changes.choose_tab, 4)
    qtbot.waitUntil(lambda: bool(view.shown) and view.shown[0][1].is_whole, timeout=WAIT_MS)
    draw_each_step(monkeypatch, view)
    summaries: list[str] = []
    view.drawn.connect(lambda: summaries.append("late" if view.shown[0][1].late else view.summary.text()))
    bridge.change(cut_changes.add_cut, "high", "trap_max > 500", "#009E73")
    qtbot.waitUntil(lambda: "late" in summaries, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not view.shown[0][1].late and view.shown[0][1].is_whole, timeout=WAIT_MS)
    settle(qtbot, window)
    assert any(text.startswith("counted ") and " of 600 rows" in text for text in summaries)
    assert not view.summary.text().startswith("counted")
    expected = int((heights_in(Path(made.members[0].tier2).parent) > 500).sum())
    assert view.shown[0][1].n_chosen == expected


def test_trends_that_are_stopped_show_what_was_followed_and_say_how_to_go_on(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 64)
    made = made_set(qtbot, window)
    bridge, view = window.bridge, window.trends
    monkeypatch.setattr(passes, "STEP_S", 0.0)

    def stop(_run_ids: object) -> None:
        progress = bridge.data_sets.progress(made.run_id)
        if progress is not None and progress.n_done > 128:
            bridge.data_sets.stop(made.run_id)

    bridge.jobs_changed.connect(stop)
    bridge.change(changes.choose_tab, 4)
    qtbot.waitUntil(lambda: bridge.data_sets.is_stopped(bridge.data[made.run_id]), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(view.shown) and not view.shown[0][1].is_whole, timeout=WAIT_MS)
    settle(qtbot, window)
    assert "rows, stopped: press 'Read again' on its card to go on" in view.summary.text()
    assert 128 < view.shown[0][1].n_rows < 600
    bridge.jobs_changed.disconnect(stop)
    bridge.data_sets.look_again(made.run_id)
    qtbot.waitUntil(lambda: bool(view.shown) and view.shown[0][1].is_whole, timeout=WAIT_MS)


def surveyed(qtbot: QtBot, window: MainWindow) -> Survey:
    """Wait until all channels were looked at, under the present cuts, and their peaks were fitted."""
    view = window.channels
    window.bridge.change(changes.choose_tab, 5)
    qtbot.waitUntil(lambda: bool(view.tiles) and view.surveyed.is_whole, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not (view.surveyed.is_late or view._surveying.is_busy), timeout=WAIT_MS)
    settle(qtbot, window)
    view.redraw()
    return view.surveyed


@pytest.mark.parametrize("cut", ["", "trap_max > 1000 & run != 12"])
def test_the_channels_of_a_data_set_on_disk_are_those_of_one_in_memory(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    if cut:
        window.bridge.change(cut_changes.add_cut, "a", cut)
    made = made_set(qtbot, window)
    expected = surveyed(qtbot, window)
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    window.bridge.data_sets.look_again(made.run_id)
    qtbot.waitUntil(
        lambda: (live := window.bridge.live(made.run_id)) is not None and live.is_on_disk, timeout=WAIT_MS
    )
    qtbot.waitUntil(lambda: window.channels.surveyed is not expected, timeout=WAIT_MS)
    found = surveyed(qtbot, window)
    assert found.codes == expected.codes
    assert found.n_rows == found.n_all == 600
    assert found.duration == pytest.approx(expected.duration)
    for one, other in zip(found.figures, expected.figures, strict=True):
        assert one.n_events == other.n_events
        assert one.counts.sum() == pytest.approx(other.counts.sum(), abs=2)  # edges are of a sample
        assert one.baseline == pytest.approx(other.baseline, abs=0.2 * other.baseline_rms)
    assert [one.state for one in found.health] == [one.state for one in expected.health]
    assert window.channels.summary.text().startswith(f"{len(found.codes)} channels: ")


def test_channels_from_the_files_say_how_far_they_are_and_are_of_earlier_cuts_until_then(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 64)
    made = made_set(qtbot, window)
    bridge, view = window.bridge, window.channels
    surveyed(qtbot, window)
    draw_each_step(monkeypatch, view)
    seen: list[tuple[bool, str, str]] = []
    view.drawn.connect(
        lambda: seen.append((view.surveyed.is_late, view.summary.text(), view.tiles[0].lines[0]))
    )
    bridge.change(cut_changes.add_cut, "high", "trap_max > 500", "#009E73")
    qtbot.waitUntil(lambda: any(is_late for is_late, _, _ in seen), timeout=WAIT_MS)
    found = surveyed(qtbot, window)
    late, fresh = (
        [(told, rate) for is_late, told, rate in seen if is_late == wanted] for wanted in (True, False)
    )
    assert all("(of the cuts before) " in told and rate.startswith("(") for told, rate in late)
    assert any(told.startswith("counted ") and " of 600 rows" in told for told, _ in fresh)
    assert not any(rate.startswith("(") for _, rate in fresh)
    assert not view.summary.text().startswith("counted")
    expected = int((heights_in(Path(made.members[0].tier2).parent) > 500).sum())
    assert sum(one.n_events for one in found.figures) == expected
    n_passes = len(seen)
    bridge.change(cut_changes.remove_cut, "high")
    assert len(seen) == n_passes
    view.redraw()
    assert sum(one.n_events for one in view.surveyed.figures) == 600  # known from before


def test_channels_that_are_stopped_show_what_was_seen_and_say_how_to_go_on(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 64)
    made = made_set(qtbot, window)
    bridge, view = window.bridge, window.channels
    monkeypatch.setattr(passes, "STEP_S", 0.0)

    def stop(_run_ids: object) -> None:
        progress = bridge.data_sets.progress(made.run_id)
        if progress is not None and progress.n_done > 128:
            bridge.data_sets.stop(made.run_id)

    bridge.jobs_changed.connect(stop)
    bridge.change(changes.choose_tab, 5)
    qtbot.waitUntil(lambda: bridge.data_sets.is_stopped(bridge.data[made.run_id]), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(view.tiles) and not view.surveyed.is_whole, timeout=WAIT_MS)
    settle(qtbot, window)
    assert "rows, stopped: press 'Read again' on its card to go on · " in view.summary.text()
    assert 128 < view.surveyed.n_rows < 600
    bridge.jobs_changed.disconnect(stop)
    bridge.data_sets.look_again(made.run_id)
    assert surveyed(qtbot, window).n_rows == 600


def test_survival_in_a_region_of_a_data_set_on_disk_is_that_of_one_in_memory(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = window.bridge
    bridge.change(cut_changes.add_cut, "some", "channel != 1")
    bridge.change(cut_changes.add_cut, "not12", "run != 12")
    made = made_set(qtbot, window)
    bridge.change(changes.mark_region, (2000.0, 6000.0))
    window.cuts_dock.show()
    window.cuts_dock.raise_()

    def figures(n_all: int) -> Figures:
        def are_there() -> bool:
            found = window.cuts.found
            return found is not None and found.n_all == n_all and found.is_whole and bool(found.peaks)

        qtbot.waitUntil(are_there, timeout=WAIT_MS)
        settle(qtbot, window)
        assert window.cuts.found is not None
        return window.cuts.found

    expected = figures(0)
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    bridge.data_sets.look_again(made.run_id)
    found = figures(600)
    assert found.table == expected.table
    assert found.peaks == expected.peaks
    assert found.peaks[0].by_all.kept.window > 20
    assert list(found.curves) == ["some", "not12"]
    assert window.cuts.cards[1].survival.isVisibleTo(window.cuts)


def test_figures_of_cuts_say_that_they_are_of_the_rows_so_far(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 64)
    made_set(qtbot, window)
    window.cuts_dock.show()
    window.cuts_dock.raise_()
    view = window.cuts
    draw_each_step(monkeypatch, view)
    told: list[str] = []
    view.drawn.connect(lambda: told.append(view.summary.text()))
    window.bridge.change(cut_changes.add_cut, "some", "channel != 1")
    qtbot.waitUntil(lambda: view.found is not None and view.found.is_whole, timeout=WAIT_MS)
    settle(qtbot, window)
    assert any(one.startswith("so far: ") and " of 600 " not in one for one in told)
    assert " of 600 " in view.summary.text()
    assert "so far" not in view.summary.text()


def test_a_channel_that_the_sample_lacks_is_found_in_the_files(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    made_set(qtbot, window)
    live = window.bridge.live(window.bridge.session.selected)
    assert live is not None
    everything = list(live.channels)
    live.channels = everything[:-1]
    monkeypatch.setattr("pygama_gui.views.surveying._read_declared", lambda run: Declared())
    found = surveyed(qtbot, window)
    qtbot.waitUntil(lambda: window.channels.surveyed.codes == everything, timeout=WAIT_MS)
    assert live.channels == everything
    assert found.n_rows == 600


def saved(qtbot: QtBot, window: MainWindow, words: str) -> str:
    """Wait for a line of the log that says what was saved."""
    qtbot.waitUntil(lambda: any(words in line for line in window.bridge.lines), timeout=WAIT_MS)
    return next(line for line in window.bridge.lines if words in line)


def calibrated(number: int, slope: float) -> Calibration:
    """A calibration of all channels of a run."""
    one = ChannelCalibration(curve=Curve((0.0, slope), ((0.0, 0.0), (0.0, 0.0))))
    places = [f"0/{card}/{channel}" for card in range(20) for channel in range(8)]
    return Calibration("trap_max", made_from=(f"Run{number}",), channels=dict.fromkeys(places, one))


@pytest.mark.parametrize("most_rows", [10_000, 300], ids=["in memory", "on disk"])
def test_the_table_of_a_data_set_has_the_rows_of_all_runs_that_pass(
    qtbot: QtBot,
    window: MainWindow,
    folder: Path,
    tmp_path: Path,
    most_rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    made = made_set(qtbot, window)
    assert window.runs.table_action.isEnabled() and not window.runs.passing_action.isEnabled()
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 2000 & run != 12")
    assert window.runs.passing_action.isEnabled()
    assert window.runs.table_action in window.runs.menu_for(made).actions()
    window.tables.save(made, tmp_path / "set.csv", only_passing=True)
    saved(qtbot, window, "as " + str(tmp_path / "set.csv"))
    with (tmp_path / "set.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = []
    for number in (11, 14):
        with TierFile(folder / f"t2_run{number}.h5") as tier2:
            expected += [
                (number, one) for one in tier2.table("data").column("trap_max").tolist() if one > 2000
            ]
    assert [(int(row["run"]), float(row["trap_max"])) for row in rows] == expected
    assert 20 < len(rows) < 400


def test_a_table_of_what_passes_through_a_box_is_that_of_the_waveforms(
    qtbot: QtBot, window: MainWindow, folder: Path, tmp_path: Path
) -> None:
    text = "through(410, 500, 2000, 8000, bl_int, bl_slope)"
    made = made_set(qtbot, window)
    window.bridge.change(cut_changes.add_cut, "edge", text)
    window.tables.save(made, tmp_path / "set.csv", only_passing=True)
    saved(qtbot, window, "as " + str(tmp_path / "set.csv"))
    with (tmp_path / "set.csv").open(newline="") as file:
        events = [(int(row["run"]), int(row["event_number"])) for row in csv.DictReader(file)]
    expected = []
    for number in N_EVENTS:
        t1, t2 = (folder / f"t{tier}_run{number}.h5" for tier in (1, 2))
        with TierFile(t2) as tier2:
            numbers = tier2.table("data").column("event_number")
        expected += [(number, one) for one in numbers[rows_through(t1, t2, [text])[text]].tolist()]
    assert events == expected
    assert 50 < len(events) < 590


def test_the_waveforms_that_pass_are_saved_run_by_run(
    qtbot: QtBot, window: MainWindow, folder: Path, tmp_path: Path
) -> None:
    made = made_set(qtbot, window)
    window.waveform_saving.ask()
    assert "No cut is on" in window.banner.words.text()
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 2000 & run != 12")
    window.waveform_saving.save_all(made, tmp_path)
    line = saved(qtbot, window, "that pass in")
    assert "in 2 files" in line
    n_all = 0
    for number in (11, 14):
        with TierFile(folder / f"t2_run{number}.h5") as tier2:
            table = tier2.table("data")
            wanted = table.column("event_number")[table.column("trap_max") > 2000]
        with TierFile(tmp_path / f"t1_run{number}_passing.h5") as file:
            key = next(key for key in file.keys if file.table(key).n_samples)
            assert file.table(key).column("event_number").tolist() == wanted.tolist()
        n_all += len(wanted)
    assert f"Saved {n_all} events" in line
    assert not (tmp_path / "t1_run12_passing.h5").exists()


def test_waveforms_are_saved_by_a_cut_on_energies(
    qtbot: QtBot, window: MainWindow, folder: Path, tmp_path: Path
) -> None:
    for number, slope in ((11, 0.5), (14, 0.25)):
        window.bridge.change(take_calibration, calibrated(number, slope))
    run = window.bridge.session.runs[0]
    window.bridge.change(changes.select_run, run.run_id)
    window.bridge.change(cut_changes.add_cut, "high", "trap_max_kev > 1000")
    window.waveform_saving.save(run, tmp_path / "high.h5")
    saved(qtbot, window, "that pass as")
    with TierFile(folder / "t2_run11.h5") as tier2:
        expected = int((tier2.table("data").column("trap_max") * 0.5 > 1000).sum())
    with TierFile(tmp_path / "high.h5") as file:
        key = next(key for key in file.keys if file.table(key).n_samples)
        assert file.table(key).n_rows == expected
        assert "trap_max_kev > 1000" in file.texts("/")["selection"]
    assert 10 < expected < 140


def test_saving_waveforms_can_be_stopped_and_leaves_no_half_file(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = made_set(qtbot, window)
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 0")
    monkeypatch.setattr(Writing, "is_stopped", property(lambda _self: True))
    window.waveform_saving.save_all(made, tmp_path)
    saved(qtbot, window, "were not all written")
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_without_waveforms_names_the_run_that_lacks_them(qtbot: QtBot, window: MainWindow) -> None:
    made = made_set(qtbot, window)
    members = (replace(made.members[0], tier1=None), *made.members[1:])
    session = replace(window.bridge.session, data_sets=(replace(made, members=members),))
    window.bridge.change(cut_changes.add_cut, "high", "trap_max > 0")
    session = replace(session, cuts=window.bridge.session.cuts)
    window.bridge.change(lambda _old: session)
    window.waveform_saving.ask()
    assert "there is none of Run 11" in window.banner.words.text()
