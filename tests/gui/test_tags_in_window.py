"""Tests the pulser and events in the window: asked for by menu or cut, told aside, applied everywhere."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAbstractButton, QAction, QComboBox, QLineEdit, QTableWidget
from pytestqt.qtbot import QtBot

from pygama.analysis.tagging import OF_EVENTS, Tagging, tags_of
from pygama.processing.run import process_run
from pygama.progress import Partial
from pygama.simulate import RunShape, read_truth, write_run
from pygama.storage import TierFile
from pygama_gui.bridge import Bridge
from pygama_gui.data import live_set
from pygama_gui.data.hit_tags import Told
from pygama_gui.data.linked import Axis, Counts, Want
from pygama_gui.data.live_set import LiveSet
from pygama_gui.machine import each_run
from pygama_gui.machine import tagging as module
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, cut_changes, exports, saved, tag_changes
from pygama_gui.session.files import read_run
from pygama_gui.session.state import Run
from pygama_gui.views.runs.set_making import make_set_of_numbers
from pygama_gui.widgets import words
from pygama_gui.widgets.palette import entries_of

WAIT_MS = 60_000
US = 1e-6
WINDOW = Tagging(has_pulser=True, window_s=US)
TWO_CARDS = 13


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs 11 and 12 of one card, and run 13 of two, with a pulser and coincidences, and their files."""
    made = tmp_path_factory.mktemp("runs")
    for number, n in ((11, 2500), (12, 1500), (TWO_CARDS, 1500)):
        shape = RunShape(
            run_number=number,
            n_events=n,
            n_samples=900,
            pulse_at=400,
            rate_hz=150.0,
            pulser_hz=5.0,
            dead_time_s=2e-3,
            coincident=0.05,
            cards=(8, 9) if number == TWO_CARDS else (8,),
            seed=number,
        )
        process_run(write_run(made / f"Run{number}", shape), output_dir=made)
    return made


@pytest.fixture
def window(
    qtbot: QtBot, open_window: Callable[..., MainWindow], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    """A window that shows run 11, processed before."""
    monkeypatch.setattr(sys, "argv", ["script"])
    made = open_window(output_dir=folder, size=(1300, 800))
    bridge = made.bridge
    bridge.change(changes.add_runs, [read_run(folder / f"Run{number}") for number in (11, 12, TWO_CARDS)])
    bridge.change(changes.select_run, bridge.session.runs[0].run_id)
    bridge.change(changes.choose_layout, "Inspect")
    bridge.change(changes.choose_tab, 2)
    qtbot.waitUntil(lambda: made.spectrum.shown() is not None, timeout=WAIT_MS)
    settle(qtbot, made)
    return made


def settle(qtbot: QtBot, window: MainWindow) -> None:
    bridge = window.bridge
    qtbot.waitUntil(
        lambda: bridge.hit_tags.is_idle and not (bridge.timer.isActive() or bridge.counting.is_busy),
        timeout=WAIT_MS,
    )


def column(window: MainWindow, name: str) -> np.ndarray | None:
    live = window.bridge.live(window.bridge.session.selected)
    return live.columns.column(name) if live is not None and name in live.columns else None


def wait_column(qtbot: QtBot, window: MainWindow, name: str) -> np.ndarray:
    qtbot.waitUntil(lambda: column(window, name) is not None, timeout=WAIT_MS)
    settle(qtbot, window)
    found = column(window, name)
    assert found is not None
    return found


def expected(folder: Path, tagging: Tagging = WINDOW, number: int = 11) -> dict[str, np.ndarray]:
    return tags_of(folder / f"t2_run{number}.h5", tagging).columns


def truth_of(folder: Path, number: int = 11) -> dict[str, np.ndarray]:
    truth = read_truth(folder / f"Run{number}")
    good = truth["damage"] == 0
    return {name: truth[name][good] for name in ("timestamp", "is_pulser")}


def action(window: MainWindow, text: str) -> QAction:
    actions = [entry.action for entry in entries_of(window.menuBar())]
    (found,) = [one for one in actions if text in one.text().replace("&", "")]
    return found


def counts_of(window: MainWindow) -> int:
    """Give the events in all bins of the spectrum, under the cuts."""
    assert window.cuts.found is not None
    return window.cuts.found.table.total.n_out


def texts(window: MainWindow) -> list[list[str]]:
    table = window.cuts.hits.table
    cells = [[table.item(row, at) for at in range(table.columnCount())] for row in range(table.rowCount())]
    return [["" if cell is None else cell.text() for cell in row] for row in cells]


# The pulser


def test_the_action_tags_the_pulses_that_the_simulator_made_and_no_others(
    qtbot: QtBot, window: MainWindow, folder: Path
) -> None:
    action(window, "Tag the pulser").trigger()
    found, truth = wait_column(qtbot, window, "is_pulser"), truth_of(folder)["is_pulser"]
    assert truth.sum() > 100
    assert found.dtype == np.bool_
    assert found[truth].mean() > 0.99  # efficiency
    assert found[~truth].mean() < 1e-3  # false rate


def test_what_was_found_of_the_pulser_is_shown(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    action(window, "Tag the pulser").trigger()
    wait_column(qtbot, window, "is_pulser")
    hits, truth = window.cuts.hits, truth_of(folder)["is_pulser"]
    assert hits.isVisible()
    qtbot.waitUntil(lambda: len(texts(window)) == 3, timeout=WAIT_MS)
    assert hits.pulser_words.text() == f"{truth.sum()} pulses in 3 channels"
    names, periods, _, pulses, tagged, _ = zip(*texts(window), strict=True)
    assert names == ("channel 0", "channel 1", "channel 2")
    assert all(float(one.split("\n")[0]) == pytest.approx(0.2, abs=1e-6) for one in periods)
    assert sum(int(one.split()[0]) for one in pulses) == truth.sum()
    assert tagged == ("100.00 %",) * 3


def test_the_dialog_grows_with_what_was_found(qtbot: QtBot, window: MainWindow) -> None:
    assert make_set_of_numbers(window.bridge, "11-12, 13") == ""
    window.bridge.change(tag_changes.tag_pulser)
    window.bridge.change(tag_changes.build_events, US)
    hits = window.cuts.hits
    hits.open_for_pulser()
    wait_column(qtbot, window, "is_pulser")
    qtbot.waitUntil(lambda: len(texts(window)) > 6, timeout=WAIT_MS)
    layout = hits.layout()
    assert layout is not None
    assert hits.height() >= layout.totalHeightForWidth(hits.width()) > 460


def test_the_pulser_of_one_channel_alone_is_tagged(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    action(window, "Tag the pulser").trigger()
    wait_column(qtbot, window, "is_pulser")
    channels = window.cuts.hits.channels
    assert channels.text() == "all channels ▾"
    for row in (0, 2):
        channels.list.item(row).setCheckState(Qt.CheckState.Unchecked)
    assert window.bridge.session.tagging.pulser_in == ("0/8/1",)
    assert channels.text() == "channel 1 ▾"
    settle(qtbot, window)
    found, channel = wait_column(qtbot, window, "is_pulser"), column(window, "channel")
    every = expected(folder)["is_pulser"]
    np.testing.assert_array_equal(found, every & (channel == 1))
    assert 0 < found.sum() < every.sum()


def test_the_pulser_is_tagged_in_several_channels_and_never_in_none(qtbot: QtBot, window: MainWindow) -> None:
    action(window, "Tag the pulser").trigger()
    wait_column(qtbot, window, "is_pulser")
    channels = window.cuts.hits.channels
    channels.list.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert window.bridge.session.tagging.pulser_in == ("0/8/0", "0/8/2")
    assert channels.text() == "channel 0, channel 2 ▾"
    settle(qtbot, window)
    found, channel = wait_column(qtbot, window, "is_pulser"), column(window, "channel")
    assert found.any() and not found[channel == 1].any()
    for row in (0, 2):
        channels.list.item(row).setCheckState(Qt.CheckState.Unchecked)
    assert window.bridge.session.tagging.pulser_in == ()
    assert channels.text() == "all channels ▾"
    settle(qtbot, window)


def test_yes_and_no_can_be_looked_at_in_spectrum_and_plane(
    qtbot: QtBot, window: MainWindow, folder: Path
) -> None:
    action(window, "Tag the pulser").trigger()
    found = wait_column(qtbot, window, "is_pulser")
    window.spectrum.choose_column("is_pulser")
    settle(qtbot, window)
    picture = window.spectrum.picture
    assert picture is not None and window.spectrum.controls.column_box.currentText() == "is_pulser"
    counts = picture.counts[(picture.edges[:-1] >= 0) & (picture.edges[:-1] <= 1)]
    assert counts.tolist() == [np.count_nonzero(~found), np.count_nonzero(found)]
    plane = replace(window.bridge.session.plane, x="trap_max", y="is_pulser")
    window.bridge.change(changes.show_plane, plane)
    window.bridge.change(changes.choose_tab, 3)
    qtbot.waitUntil(lambda: window.plane.plane is not None, timeout=WAIT_MS)
    settle(qtbot, window)
    assert window.plane.plane is not None and window.plane.plane.y.column == "is_pulser"
    of_plane = window.plane.plane.counts.sum(axis=0)
    assert of_plane[of_plane > 0].sum() >= len(found) - 10
    assert np.count_nonzero(of_plane) == 2


def test_undo_takes_the_columns_away_and_redo_brings_them_back(qtbot: QtBot, window: MainWindow) -> None:
    action(window, "Tag the pulser").trigger()
    wait_column(qtbot, window, "is_pulser")
    store = window.bridge.store
    assert "tag the pulser" in window.menus.undo_action.text().lower()
    store.undo()
    qtbot.waitUntil(lambda: column(window, "is_pulser") is None, timeout=WAIT_MS)
    assert not window.cuts.hits.pulser_box.isChecked()
    store.redo()
    assert wait_column(qtbot, window, "is_pulser").any()


def test_a_cut_that_names_the_pulser_has_it_tagged(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    n = len(truth_of(folder)["is_pulser"])
    window.cuts.new_field.setFocus()
    qtbot.keyClicks(window.cuts.new_field, "~is_pulser")
    assert "tagged once the cut is there" in window.cuts.new_problem.text()
    qtbot.keyClick(window.cuts.new_field, Qt.Key.Key_Return)
    wait_column(qtbot, window, "is_pulser")
    qtbot.waitUntil(lambda: window.cuts.found is not None and counts_of(window) < n, timeout=WAIT_MS)
    assert counts_of(window) == np.count_nonzero(~expected(folder)["is_pulser"])
    (card,) = window.cuts.cards
    assert not card.amiss.isVisible()
    window.bridge.change(cut_changes.remove_all_cuts)
    qtbot.waitUntil(lambda: column(window, "is_pulser") is None, timeout=WAIT_MS)


def test_a_run_without_a_pulser_says_so_in_a_sentence(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    shape = RunShape(run_number=14, n_events=400, n_samples=900, pulse_at=400, pulser_hz=0.0)
    process_run(write_run(tmp_path / "Run14", shape), output_dir=tmp_path)
    bridge = window.bridge
    bridge.change(changes.choose_output_dir, tmp_path)
    bridge.change(changes.add_runs, [read_run(tmp_path / "Run14")])
    bridge.change(changes.select_run, bridge.session.runs[-1].run_id)
    qtbot.waitUntil(lambda: column(window, "trap_max") is not None, timeout=WAIT_MS)
    action(window, "Tag the pulser").trigger()
    assert not wait_column(qtbot, window, "is_pulser").any()
    assert "no channel has a pulser" in window.banner.words.text()
    assert "o channel has a pulser" in window.cuts.hits.pulser_words.text()
    with qtbot.assertNotEmitted(bridge.hit_tags.refused):  # nobody asked for the pulser this time
        build(qtbot, window, "1", "µs")
        wait_column(qtbot, window, "event")


# Events


def build(qtbot: QtBot, window: MainWindow, text: str, unit: str) -> None:
    action(window, "Build events").trigger()
    hits = window.cuts.hits
    hits.window_field.setText(text)
    hits.unit_box.setCurrentText(unit)
    qtbot.mouseClick(hits.build_button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("is_sliding", [False, True])
def test_events_are_built_as_the_library_builds_them(
    qtbot: QtBot, window: MainWindow, folder: Path, is_sliding: bool
) -> None:
    action(window, "Build events").trigger()
    window.cuts.hits.sliding_box.setChecked(is_sliding)
    build(qtbot, window, "20", "ms")
    asked = Tagging(window_s=0.02, is_sliding=is_sliding)
    assert window.bridge.session.tagging == asked
    wanted = expected(folder, asked)
    for name in OF_EVENTS:
        np.testing.assert_array_equal(wait_column(qtbot, window, name), wanted[name])
    box = window.spectrum.controls.column_box
    assert set(OF_EVENTS) <= {box.itemText(at) for at in range(box.count())}
    assert f"make {wanted['event'].max() + 1} events" in window.cuts.hits.events_words.text()


def test_a_window_that_is_none_is_refused(qtbot: QtBot, window: MainWindow) -> None:
    build(qtbot, window, "-1", "µs")
    assert "0 or more" in window.cuts.hits.events_words.text()
    assert window.bridge.session.tagging == Tagging()


def test_clocks_of_several_cards_are_asked_about(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    bridge, hits = window.bridge, window.cuts.hits
    bridge.change(changes.select_run, bridge.session.runs[2].run_id)
    qtbot.waitUntil(lambda: column(window, "trap_max") is not None, timeout=WAIT_MS)
    bridge.change(cut_changes.add_cut, "single", "n_channels == 1")
    assert "Build events…" in window.cuts.cards[0].amiss.text()
    build(qtbot, window, "1", "µs")
    qtbot.waitUntil(lambda: "tick" in hits.events_words.text(), timeout=WAIT_MS)
    settle(qtbot, window)
    assert "may each count time for itself; tick 'One clock drives all cards'" in hits.events_words.text()
    assert "may each count time for itself" in window.banner.words.text()
    assert "may each count time for itself" in window.cuts.cards[0].amiss.text()
    assert column(window, "event") is None
    qtbot.mouseClick(hits.clock_box, Qt.MouseButton.LeftButton, pos=hits.clock_box.rect().center())
    if not hits.clock_box.isChecked():  # the box itself is at the left of its words
        hits.clock_box.click()
    found = wait_column(qtbot, window, "n_channels")
    asked = Tagging(window_s=US, same_clock=True)
    np.testing.assert_array_equal(found, expected(folder, asked, TWO_CARDS)["n_channels"])


def test_the_runs_of_a_data_set_are_told_of_one_by_one(
    qtbot: QtBot, window: MainWindow, folder: Path
) -> None:
    assert make_set_of_numbers(window.bridge, "11-12") == ""
    window.bridge.change(tag_changes.tag_pulser)
    window.bridge.change(tag_changes.build_events, US)
    wait_column(qtbot, window, "event")
    live = window.bridge.live(window.bridge.session.selected)
    assert isinstance(live, LiveSet)
    for name in ("is_pulser", *OF_EVENTS):
        wanted = np.concatenate([expected(folder, WINDOW, number)[name] for number in (11, 12)])
        np.testing.assert_array_equal(column(window, name), wanted)


def whole(live: object, *names: str) -> dict[str, np.ndarray]:
    """Give columns of all rows of a data set on disk."""
    assert isinstance(live, LiveSet) and live.is_on_disk
    blocks = list(live_set.read_from_files(live, names))
    return {name: np.concatenate([block[name] for block in blocks]) for name in names}


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no more than 2500 rows be taken into memory, and read few of larger ones at once."""
    monkeypatch.setattr(live_set, "MOST_ROWS", 2500)
    monkeypatch.setattr(live_set, "SAMPLE_ROWS", 300)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 501)
    monkeypatch.setattr(each_run, "STEP_S", 0.0)


def test_hits_of_a_data_set_on_disk_are_told_of_as_in_memory(
    qtbot: QtBot, window: MainWindow, folder: Path, on_disk: None
) -> None:
    assert make_set_of_numbers(window.bridge, "11-12") == ""
    bridge = window.bridge
    bridge.change(tag_changes.tag_pulser)
    bridge.change(tag_changes.build_events, US)
    sample = wait_column(qtbot, window, "event")
    live = bridge.live(bridge.session.selected)
    found = whole(live, "is_pulser", *OF_EVENTS, "time_s", "run")
    for name in ("is_pulser", *OF_EVENTS):
        wanted = np.concatenate([expected(folder, WINDOW, number)[name] for number in (11, 12)])
        np.testing.assert_array_equal(found[name], wanted)
    assert found["is_pulser"].dtype == np.bool_
    event_at = dict(zip(zip(found["run"], found["time_s"], strict=True), found["event"], strict=True))
    places = zip(column(window, "run"), column(window, "time_s"), strict=True)
    assert sample.tolist() == [event_at[one] for one in places]
    told = bridge.hit_tags.of(bridge.session.selected)
    assert told is not None and len(told.found) == 2 and told.is_whole
    n = int(found["is_pulser"].sum())
    window.cuts.hits.open_for_pulser()
    assert window.cuts.hits.pulser_words.text().startswith(f"{n} pulses in ")


def test_a_cut_of_pulser_and_events_filters_a_data_set_on_disk(
    qtbot: QtBot, window: MainWindow, folder: Path, on_disk: None
) -> None:
    assert make_set_of_numbers(window.bridge, "11-12") == ""
    bridge = window.bridge
    bridge.change(cut_changes.add_cut, "single", CUT)
    bridge.change(tag_changes.build_events, US)
    wait_column(qtbot, window, "n_channels")
    passes = np.concatenate([passing(folder, number) for number in (11, 12)])
    qtbot.waitUntil(
        lambda: (
            window.cuts.found is not None and window.cuts.found.is_whole and counts_of(window) == passes.sum()
        ),
        timeout=WAIT_MS,
    )
    bridge.store.undo()
    qtbot.waitUntil(lambda: column(window, "n_channels") is None, timeout=WAIT_MS)
    settle(qtbot, window)
    (card,) = window.cuts.cards
    assert "n_channels" in card.amiss.text()
    assert "n_channels" not in bridge.live(bridge.session.selected).found
    counted: list[list[Counts]] = []
    want = Want(Axis("trap_max", -1e9, 1e9, 2))
    bridge.counting.count("test", bridge.session.selected, [want], counted.append)
    settle(qtbot, window)
    assert counted[-1][0].n_chosen == len(passes)


def test_a_data_set_on_disk_is_left_when_nobody_wants_its_pulser_any_more(
    qtbot: QtBot, window: MainWindow, on_disk: None
) -> None:
    assert make_set_of_numbers(window.bridge, "11-12") == ""
    bridge = window.bridge
    bridge.change(tag_changes.tag_pulser)
    qtbot.waitUntil(
        lambda: bridge.hit_tags.how_far(bridge.session.selected) == ": 1 of 2 runs looked at", timeout=WAIT_MS
    )
    assert "1 of 2 runs" in bridge.hit_tags.why(bridge.session.selected, "is_pulser")
    bridge.store.undo()
    settle(qtbot, window)
    assert column(window, "is_pulser") is None


def test_events_of_too_many_rows_are_refused_and_the_pulser_is_tagged_all_the_same(
    qtbot: QtBot, window: MainWindow, on_disk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVENT_BYTES", 1_000_000)
    assert make_set_of_numbers(window.bridge, "11-12") == ""
    window.bridge.change(tag_changes.tag_pulser)
    window.bridge.change(tag_changes.build_events, US)
    wait_column(qtbot, window, "is_pulser")
    window.cuts.hits.open_for_events()
    assert "are too many" in window.cuts.hits.events_words.text()
    assert column(window, "event") is None


# What is kept of it


CUT = "~is_pulser & n_channels == 1"


def passing(folder: Path, number: int = 11) -> np.ndarray:
    tags = expected(folder, WINDOW, number)
    return ~tags["is_pulser"] & (tags["n_channels"] == 1)


@pytest.mark.parametrize("is_set", [False, True])
def test_the_script_counts_what_the_window_counts_bin_by_bin(
    qtbot: QtBot, window: MainWindow, folder: Path, tmp_path: Path, is_set: bool
) -> None:
    if is_set:
        assert make_set_of_numbers(window.bridge, "11-12") == ""
    bridge = window.bridge
    bridge.change(tag_changes.build_events, US)
    bridge.change(cut_changes.add_cut, "single", CUT)
    bridge.change(cut_changes.show_only_passing, True)
    wait_column(qtbot, window, "n_channels")
    window.spectrum.choose_column("multiplicity" if is_set else "trap_max")
    settle(qtbot, window)
    session, run, shown = bridge.session, bridge.session.selected_run, window.spectrum.shown()
    assert run is not None and shown is not None
    script = tmp_path / "script.py"
    script.write_text(exports.as_script(session, [run], shown), encoding="utf-8")
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "not applied" not in done.stdout
    assert "tagging efficiency 100.00 %" in done.stdout
    (written,) = tmp_path.glob("*.csv")
    with written.open(newline="") as file:
        rows = np.array(list(csv.reader(file))[1:], float)
    numbers = [column(window, session.spectrum.column)]
    mask = np.concatenate([passing(folder, number) for number in ((11, 12) if is_set else (11,))])
    edges = np.append(rows[:, 0], rows[-1, 1])
    values = np.asarray(numbers[0], float)[mask]
    counts = np.histogram(values[values < edges[-1]], edges)[0]
    np.testing.assert_array_equal(rows[:, 2], counts)
    assert counts.sum() > 1000
    qtbot.waitUntil(lambda: counts_of(window) == mask.sum(), timeout=WAIT_MS)


def test_the_command_writes_a_table_with_the_columns(
    window: MainWindow, folder: Path, tmp_path: Path
) -> None:
    session = replace(window.bridge.session, output_dir=tmp_path, tagging=replace(WINDOW, is_sliding=True))
    run = session.runs[0]
    line = exports.as_command(session, run)
    _, export = line.split(" && ")
    shutil.copy(folder / "t2_run11.h5", tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(["sh", "-c", export], env=os.environ | {"PATH": path}, check=True, capture_output=True)
    with (tmp_path / "run11_tagged.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = expected(folder, session.tagging)
    assert [int(row["event"]) for row in rows] == wanted["event"].tolist()
    assert sum(row["is_pulser"] == "True" for row in rows) == wanted["is_pulser"].sum()


def test_waveforms_that_pass_are_saved(
    qtbot: QtBot, window: MainWindow, folder: Path, tmp_path: Path
) -> None:
    window.bridge.change(tag_changes.build_events, US)
    window.bridge.change(cut_changes.add_cut, "single", CUT)
    run = window.bridge.session.selected_run
    assert run is not None
    window.waveform_saving.save(run, tmp_path / "single.h5")
    qtbot.waitUntil(lambda: "that pass as" in "".join(window.bridge.lines), timeout=WAIT_MS)
    with TierFile(tmp_path / "single.h5") as file:
        rows = file.table("ORSIS3302DecoderForEnergy").column("source_row")
        assert '"window_s": 1e-06' in file.texts("/")["selection"]
    assert rows.tolist() == np.flatnonzero(passing(folder)).tolist()


def test_waveforms_are_not_saved_by_events_that_nobody_built(window: MainWindow) -> None:
    window.bridge.change(cut_changes.add_cut, "single", "n_channels == 1")
    window.waveform_saving.ask()
    assert "'n_channels' is known when events were built" in window.banner.words.text()


@pytest.mark.parametrize("is_set", [False, True])
def test_the_table_has_the_columns_and_the_cuts_read_them(
    qtbot: QtBot, window: MainWindow, folder: Path, tmp_path: Path, is_set: bool
) -> None:
    if is_set:
        assert make_set_of_numbers(window.bridge, "11-12") == ""
    window.bridge.change(tag_changes.build_events, US)
    window.bridge.change(cut_changes.add_cut, "single", CUT)
    run = window.bridge.session.selected_run
    assert run is not None
    qtbot.waitUntil(lambda: window.bridge.state(run.run_id) is not None, timeout=WAIT_MS)
    window.tables.save(run, tmp_path / "one.csv", only_passing=True)
    qtbot.waitUntil(lambda: "rows of" in "".join(window.bridge.lines), timeout=WAIT_MS)
    with (tmp_path / "one.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = [
        expected(folder, WINDOW, n)["event"][passing(folder, n)] for n in ((11, 12) if is_set else (11,))
    ]
    assert [int(row["event"]) for row in rows] == np.concatenate(wanted).tolist()
    assert {row["is_pulser"] for row in rows} == {"False"}
    parquet = pytest.importorskip("pyarrow.parquet")
    window.tables.save(run, tmp_path / "one.parquet", only_passing=True)
    qtbot.waitUntil((tmp_path / "one.parquet").exists, timeout=WAIT_MS)
    told = parquet.read_schema(tmp_path / "one.parquet").metadata
    assert told[b"cuts"] == f"single: {CUT}".encode()
    assert told[b"events"] == WINDOW.words.encode() == b"window 1e-06 s"


def test_a_session_keeps_what_is_told_of_hits(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    bridge = window.bridge
    bridge.change(tag_changes.tag_pulser, ("0/8/1", "0/8/2"))
    bridge.change(tag_changes.build_events, 2.5e-7, True, True)
    kept = bridge.session.tagging
    saved.save(bridge.session, tmp_path / "one.pygama-session.json")
    bridge.store.undo()
    bridge.store.undo()
    assert bridge.session.tagging == Tagging()
    assert window.documents.open(tmp_path / "one.pygama-session.json")
    assert bridge.session.tagging == kept
    assert wait_column(qtbot, window, "is_pulser").any()


def test_a_session_with_a_window_that_is_none_is_refused(tmp_path: Path, window: MainWindow) -> None:
    path = tmp_path / "one.pygama-session.json"
    window.bridge.change(tag_changes.build_events, US)
    saved.save(window.bridge.session, path)
    path.write_text(path.read_text().replace('"window_s": 1e-06', '"window_s": -1'))
    assert not window.documents.open(path)
    assert "a window is 0 s or longer" in window.banner.words.text()


def test_a_picture_brings_back_what_was_told_of_hits(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    window.bridge.change(tag_changes.build_events, US)
    wait_column(qtbot, window, "event")
    exporter = window.spectrum.exporter
    exporter.save(exporter.picture(), tmp_path / "one.png")
    qtbot.waitUntil((tmp_path / "one.png").exists, timeout=WAIT_MS)
    window.bridge.store.undo()
    assert window.bridge.session.tagging == Tagging()
    assert window.documents.open_picture(tmp_path / "one.png")
    assert window.bridge.session.tagging == Tagging(window_s=US)


# Runs that grow


def growing(bridge: Bridge, folder: Path) -> tuple[Run, Callable[[int, int], None]]:
    """Begin a run that gets its rows from a file, piece by piece."""
    run = Run("1", Path("Run1"), 1)
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    names = ("time_s", "channel", "card", "crate", "trap_max")
    with TierFile(folder / "t2_run11.h5") as file:
        columns = {name: np.array(file.table("data").column(name)) for name in names}

    def grow(first: int, last: int) -> None:
        bridge.take(1, Partial("any", {name: values[first:last] for name, values in columns.items()}))
        bridge.data_grew.emit({"1"})

    return run, grow


def test_a_run_that_grows_is_told_of_again(
    qtbot: QtBot, bridge: Bridge, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAST_PAUSE_S", 0.05)
    monkeypatch.setattr(module, "PAUSE_SHARE", 0.0)
    bridge.change(tag_changes.tag_pulser)
    bridge.change(tag_changes.build_events, US)
    _, grow = growing(bridge, folder)
    wanted = expected(folder)
    n = len(wanted["event"])
    for first in range(0, n, 500):
        grow(first, min(first + 500, n))
        live = bridge.live("1")
        assert live is not None
        assert len(live.columns) + live.n_waiting == min(first + 500, n)
        if "is_pulser" in live.columns:  # no row is shown that was not told of
            assert live.columns.column("is_pulser").dtype == np.bool_
            assert len(live.columns) == live.told.n_rows
        qtbot.waitUntil(lambda: bridge.hit_tags.is_idle, timeout=WAIT_MS)
    live = bridge.live("1")
    assert live is not None and live.told.n_rows == n
    for name in ("is_pulser", *OF_EVENTS):
        np.testing.assert_array_equal(live.columns.column(name), wanted[name])


def test_a_run_that_grows_is_left_alone_for_a_while(qtbot: QtBot, bridge: Bridge, folder: Path) -> None:
    bridge.change(tag_changes.build_events, US)
    _, grow = growing(bridge, folder)
    grow(0, 500)
    qtbot.waitUntil(lambda: not bridge.hit_tags.is_looking("1"), timeout=WAIT_MS)
    grow(500, 1000)
    live = bridge.live("1")
    assert live is not None
    assert not bridge.hit_tags.is_looking("1")
    assert not bridge.hit_tags.is_idle
    assert (live.told.n_rows, len(live.columns), live.n_waiting) == (500, 500, 500)


def test_what_was_known_stays_on_screen_while_a_run_that_grows_is_told_of_again(
    qtbot: QtBot, window: MainWindow, folder: Path
) -> None:
    bridge, view = window.bridge, window.strip
    bridge.change(tag_changes.tag_pulser)
    _, grow = growing(bridge, folder)
    bridge.change(changes.select_run, "1")
    grow(0, 1000)
    qtbot.waitUntil(lambda: view._surveyed.n_rows == 1000 and view._trends is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not bridge.hit_tags.is_looking("1"), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view._surveyed.n_rows == 1000 and view._trends is not None, timeout=WAIT_MS)
    live = bridge.live("1")
    assert live is not None
    bridge.data["1"] = live.with_tags({}, Told())
    view.redraw()  # nothing of these rows was looked at yet
    assert view._surveyed.n_rows == 1000
    assert view._trends is not None


def test_rows_that_come_while_a_run_is_told_of_are_not_lost(
    qtbot: QtBot, bridge: Bridge, folder: Path
) -> None:
    bridge.change(tag_changes.tag_pulser)
    _, grow = growing(bridge, folder)
    grow(0, 1000)
    assert bridge.hit_tags.is_looking("1")
    grow(1000, 1100)
    qtbot.waitUntil(lambda: not bridge.hit_tags.is_looking("1"), timeout=WAIT_MS)
    live = bridge.live("1")
    assert live is not None
    assert len(live.columns) == len(live.columns.column("is_pulser")) == live.told.n_rows == 1000
    assert live.n_waiting == 100
    bridge.change(tag_changes.leave_pulser)
    qtbot.waitUntil(lambda: len(bridge.data["1"].columns) == 1100, timeout=WAIT_MS)


def test_rows_that_wait_are_shown_when_nothing_is_told_any_more(
    qtbot: QtBot, bridge: Bridge, folder: Path
) -> None:
    bridge.change(tag_changes.tag_pulser)
    _, grow = growing(bridge, folder)
    grow(0, 1000)
    qtbot.waitUntil(lambda: not bridge.hit_tags.is_looking("1"), timeout=WAIT_MS)
    grow(1000, 1300)
    grow(1300, 1500)
    bridge.change(tag_changes.leave_pulser)
    qtbot.waitUntil(lambda: len(bridge.data["1"].columns) == 1500, timeout=WAIT_MS)
    live = bridge.data["1"]
    assert not live.n_waiting
    assert "is_pulser" not in live.columns
    with TierFile(folder / "t2_run11.h5") as file:
        wanted = file.table("data").column("trap_max")[:1500]
        np.testing.assert_array_equal(live.columns.column("trap_max"), wanted)


def test_a_run_that_ended_keeps_no_rows_back_even_if_nobody_looks_at_it(
    qtbot: QtBot, bridge: Bridge, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.change(tag_changes.tag_pulser)
    _, grow = growing(bridge, folder)
    grow(0, 1000)
    qtbot.waitUntil(lambda: not bridge.hit_tags.is_looking("1"), timeout=WAIT_MS)
    bridge.change(changes.select_run, "")
    grow(1000, 1500)
    assert bridge.data["1"].n_waiting == 500
    monkeypatch.setattr(bridge, "is_active", lambda _run_id: False)
    bridge.data_grew.emit({"1"})
    qtbot.waitUntil(lambda: bridge.data["1"].told.is_whole, timeout=WAIT_MS)
    assert len(bridge.data["1"].columns) == bridge.data["1"].told.n_rows == 1500


def test_work_that_goes_wrong_keeps_no_rows_back(
    qtbot: QtBot, bridge: Bridge, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_parts: object, _wanted: object) -> None:
        raise RuntimeError("a mistake of the program")

    bridge.change(tag_changes.tag_pulser)
    _, grow = growing(bridge, folder)
    monkeypatch.setattr(module, "tell", fail)
    grow(0, 1000)
    qtbot.waitUntil(lambda: bridge.data["1"].told.n_rows == 1000, timeout=WAIT_MS)
    assert "is_pulser" not in bridge.data["1"].columns
    assert "could not be found" in bridge.hit_tags.why("1", "is_pulser")
    assert "a mistake of the program" in "".join(bridge.lines)


def test_every_control_of_the_dialog_has_a_name_for_screen_readers(window: MainWindow) -> None:
    action(window, "Tag the pulser").trigger()
    kinds = (QAbstractButton, QComboBox, QLineEdit, QTableWidget)
    controls = [one for kind in kinds for one in window.cuts.hits.findChildren(kind)]
    assert len(controls) > 8
    assert [one for one in controls if not one.accessibleName().strip()] == []


def test_the_dialog_says_how_far_a_run_that_grows_was_looked_at(
    qtbot: QtBot, window: MainWindow, folder: Path
) -> None:
    _, grow = growing(window.bridge, folder)
    window.bridge.change(changes.select_run, "1")
    grow(0, 2000)
    action(window, "Tag the pulser").trigger()
    said = window.cuts.hits.pulser_words
    qtbot.waitUntil(lambda: f"of the first {words.count(2000)} hits" in said.text(), timeout=WAIT_MS)
    assert " pulses in " in said.text()
