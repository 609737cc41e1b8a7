"""Tests boxes over waveforms in the window: drawn by hand, looked for aside, applied everywhere."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QPointF, QRectF, Qt
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from pygama import boxes as library
from pygama.boxes import as_box, rows_through
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.data import live_set
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.selection import waveforms_of
from pygama_gui.machine import boxes as module
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, cut_changes, exports
from pygama_gui.session.files import read_run
from pygama_gui.views.runs.set_making import make_set_of_numbers
from pygama_gui.views.waveforms.boxes import DRAG
from pygama_gui.widgets import theme

WAIT_MS = 60_000
N_EVENTS = {11: 150, 12: 200}
TEXT = "through(410, 500, 2000, 8000, bl_int, bl_slope)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs 11 and 12 with their files."""
    made = tmp_path_factory.mktemp("runs")
    for number, n in N_EVENTS.items():
        shape = RunShape(run_number=number, n_events=n, n_samples=900, pulse_at=400, seed=number)
        process_run(write_run(made / f"Run{number}", shape), output_dir=made)
    return made


@pytest.fixture
def window(
    qtbot: QtBot, open_window: Callable[..., MainWindow], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    """A window that shows the waveforms of run 11, processed before."""
    monkeypatch.setattr(sys, "argv", ["script"])
    made = open_window(output_dir=folder, size=(1300, 800))
    bridge = made.bridge
    bridge.change(changes.add_runs, [read_run(folder / f"Run{number}") for number in N_EVENTS])
    bridge.change(changes.select_run, bridge.session.runs[0].run_id)
    bridge.change(changes.choose_layout, "Inspect")
    bridge.change(changes.choose_tab, 1)
    qtbot.waitUntil(lambda: made.waveforms.sample is not None, timeout=WAIT_MS)
    settle(qtbot, made)
    return made


def settle(qtbot: QtBot, window: MainWindow) -> None:
    bridge = window.bridge
    qtbot.waitUntil(
        lambda: bridge.boxes.is_idle and not (bridge.timer.isActive() or bridge.counting.is_busy),
        timeout=WAIT_MS,
    )


def expected(folder: Path, text: str, number: int = 11) -> np.ndarray:
    return rows_through(folder / f"t1_run{number}.h5", folder / f"t2_run{number}.h5", [text])[text]


def known(window: MainWindow, text: str = TEXT) -> bool:
    live = window.bridge.live(window.bridge.session.selected)
    return live is not None and text in live.columns


def wait_known(qtbot: QtBot, window: MainWindow, text: str = TEXT) -> None:
    qtbot.waitUntil(lambda: known(window, text), timeout=WAIT_MS)
    settle(qtbot, window)


def wait_figures(qtbot: QtBot, window: MainWindow, passes: np.ndarray) -> None:
    """Wait until the panel of cuts says how many pass all of them."""
    cuts = window.cuts
    qtbot.waitUntil(
        lambda: cuts.found is not None and cuts.found.table.total.n_out == passes.sum(), timeout=WAIT_MS
    )


def drag(
    qtbot: QtBot,
    window: MainWindow,
    corners: tuple[tuple[float, float], tuple[float, float]],
    move_mouse: Callable[..., None],
    modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Drag from corner to corner, in the units of the axes."""
    plot = window.waveforms.plot
    start, end = (plot.mapFromScene(plot.box.mapViewToScene(QPointF(*one))) for one in corners)
    viewport: QWidget = plot.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, modifier, start)
    for share in (0.3, 0.7, 1.0):
        way = end - start
        move_mouse(viewport, start + QPoint(round(share * way.x()), round(share * way.y())), modifier)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, modifier, end)


def show_density(qtbot: QtBot, window: MainWindow) -> None:
    window.waveforms.choose(picture="density")
    qtbot.waitUntil(lambda: window.waveforms.density.picture.density is not None, timeout=WAIT_MS)
    settle(qtbot, window)


def test_a_box_drawn_over_the_density_is_a_cut_that_filters_every_view(
    qtbot: QtBot, window: MainWindow, folder: Path, move_mouse: Callable[..., None]
) -> None:
    show_density(qtbot, window)
    step = window.waveforms.x_per_sample
    box = ((410 * step, 8000.0), (500 * step, 2000.0))
    drag(qtbot, window, box, move_mouse, Qt.KeyboardModifier.ShiftModifier)
    (cut,) = window.bridge.session.cuts
    found = as_box(cut.expression)
    assert found is not None
    assert (abs(found.first - 410), abs(found.last - 500)) <= (2, 2)
    assert found.above == ("bl_int", "bl_slope")
    assert cut.color == theme.OKABE_ITO[0]
    wait_known(qtbot, window, cut.expression)
    passes = expected(folder, cut.expression)
    assert 5 < passes.sum() < 140
    live = window.bridge.live(window.bridge.session.selected)
    assert live is not None
    assert np.array_equal(live.columns.column(cut.expression), passes)
    qtbot.waitUntil(lambda: window.waveforms.browser.n == passes.sum(), timeout=WAIT_MS)
    wait_figures(qtbot, window, passes)
    assert waveforms_of(window.bridge.session, None).mask(live.columns).sum() == passes.sum()


def test_a_key_lets_the_next_drag_mark_a_box_and_escape_gives_up(
    qtbot: QtBot, window: MainWindow, move_mouse: Callable[..., None]
) -> None:
    show_density(qtbot, window)
    window.waveforms.plot.setFocus()
    qtbot.keyClick(window.waveforms.plot, Qt.Key.Key_B)
    assert window.waveforms.plot.box.is_region_wanted
    assert window.bridge.lines[-1].endswith(DRAG)
    qtbot.keyClick(window.waveforms.plot, Qt.Key.Key_Escape)
    assert not window.waveforms.plot.box.is_region_wanted
    qtbot.keyClick(window.waveforms.plot, Qt.Key.Key_B)
    drag(qtbot, window, ((1.0, 100.0), (3.0, 3000.0)), move_mouse)
    assert len(window.bridge.session.cuts) == 1
    assert not window.waveforms.plot.box.is_region_wanted


def test_heights_as_recorded_give_a_box_without_a_baseline(qtbot: QtBot, window: MainWindow) -> None:
    window.waveforms.choose(picture="density", is_above_baseline=False)
    settle(qtbot, window)
    window.waveforms.drawn_boxes.take(QRectF(QPointF(1.0, 9000.0), QPointF(2.0, 12_000.0)))
    found = as_box(window.bridge.session.cuts[0].expression)
    assert found is not None and found.above == ()


@pytest.mark.parametrize(
    ("look", "words"),
    [({"is_normalised": True}, "ADC counts"), ({"aligned_by": "tp_50"}, "from the first sample")],
)
def test_no_box_is_made_of_heights_and_times_that_no_script_could_find_again(
    qtbot: QtBot, window: MainWindow, look: dict[str, object], words: str
) -> None:
    window.waveforms.choose(picture="density", **look)
    window.waveforms.drawn_boxes.take(QRectF(1.0, 0.1, 1.0, 0.5))
    assert window.bridge.session.cuts == ()
    assert words in window.bridge.lines[-1]
    window.waveforms.mark_box()
    assert not window.waveforms.plot.box.is_region_wanted


def test_a_run_without_its_baseline_says_so(window: MainWindow) -> None:
    live = window.waveforms.browser.live
    assert live is not None
    live.columns = live.columns.with_columns({}, without=["bl_slope"])
    window.waveforms.drawn_boxes.take(QRectF(1.0, 100.0, 1.0, 500.0))
    assert window.bridge.session.cuts == ()
    assert "no column of the baseline" in window.bridge.lines[-1]


def test_a_box_is_drawn_where_its_heights_are_those_of_the_picture(qtbot: QtBot, window: MainWindow) -> None:
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    wait_known(qtbot, window)
    boxes, step = window.waveforms.drawn_boxes, window.waveforms.x_per_sample
    line, words = boxes._drawn["edge"]
    assert line.xData.min() == pytest.approx(409.5 * step)
    assert line.xData.max() == pytest.approx(500.5 * step)
    assert (line.yData.min(), line.yData.max()) == (2000, 8000)
    assert words.toPlainText() == "edge"
    picture = window.waveforms.exporter.picture()
    assert picture is not None
    assert picture.curves[-1].name == "edge"
    window.waveforms.choose(is_above_baseline=False)
    window.waveforms.redraw()
    assert boxes._drawn == {}


def test_a_box_can_be_moved_and_stretched_by_hand(
    qtbot: QtBot, window: MainWindow, folder: Path, move_mouse: Callable[..., None]
) -> None:
    show_density(qtbot, window)
    bridge, step = window.bridge, window.waveforms.x_per_sample
    bridge.change(cut_changes.add_cut, "edge", TEXT)
    bridge.change(cut_changes.choose_cut, "")
    wait_known(qtbot, window)
    middle = 455 * step
    drag(qtbot, window, ((middle, 8000.0), (middle, 6000.0)), move_mouse)
    stretched = as_box(bridge.session.cuts[0].expression)
    assert stretched is not None and bridge.session.cut == "edge"
    assert (stretched.first, stretched.last, stretched.low, stretched.above) == (
        410,
        500,
        2000,
        ("bl_int", "bl_slope"),
    )
    assert stretched.high == pytest.approx(6000, abs=200)
    wait_known(qtbot, window, stretched.text)
    assert np.array_equal(
        bridge.live(bridge.session.selected).columns.column(stretched.text), expected(folder, stretched.text)
    )
    drag(qtbot, window, ((middle, 4000.0), (middle + 50 * step, 5000.0)), move_mouse)
    moved = as_box(bridge.session.cuts[0].expression)
    assert moved is not None
    assert moved.last - moved.first == 90
    assert moved.high - moved.low == pytest.approx(stretched.high - 2000)
    assert moved.first == pytest.approx(460, abs=3)
    assert moved.low == pytest.approx(3000, abs=200)
    assert not window.waveforms.plot.box.zoomed_x
    bridge.store.undo()
    assert bridge.session.cuts[0].expression == stretched.text
    settle(qtbot, window)


def test_a_box_under_the_hand_goes_back_with_escape(
    qtbot: QtBot, window: MainWindow, move_mouse: Callable[..., None]
) -> None:
    show_density(qtbot, window)
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    wait_known(qtbot, window)
    plot, step = window.waveforms.plot, window.waveforms.x_per_sample
    start = plot.mapFromScene(plot.box.mapViewToScene(QPointF(455 * step, 8000.0)))
    qtbot.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for by in (10, 20, 40):
        move_mouse(plot.viewport(), start + QPoint(0, by), Qt.KeyboardModifier.NoModifier)
    boxes = window.waveforms.drawn_boxes
    assert boxes.shown()["edge"][1].high < 8000
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert boxes.shown()["edge"][1].high == 8000
    move_mouse(plot.viewport(), start + QPoint(0, 60), Qt.KeyboardModifier.NoModifier)
    qtbot.mouseRelease(
        plot.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start + QPoint(0, 60)
    )
    assert window.bridge.session.cuts[0].expression == TEXT
    assert not plot.box.zoomed_x


def test_a_click_chooses_a_box_and_delete_removes_it(qtbot: QtBot, window: MainWindow) -> None:
    show_density(qtbot, window)
    bridge, plot = window.bridge, window.waveforms.plot
    bridge.change(cut_changes.add_cut, "edge", TEXT)
    bridge.change(cut_changes.choose_cut, "")
    wait_known(qtbot, window)
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Delete)
    assert len(bridge.session.cuts) == 1
    middle = plot.mapFromScene(plot.box.mapViewToScene(QPointF(455 * window.waveforms.x_per_sample, 5000.0)))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert bridge.session.cut == "edge"
    qtbot.keyClick(plot, Qt.Key.Key_Delete)
    assert bridge.session.cuts == ()


def test_looking_says_how_far_it_is_and_can_be_stopped_and_gone_on_with(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP_S", 0.0)
    monkeypatch.setattr(library, "_BLOCK_BYTES", 1)
    bridge, run_id = window.bridge, window.bridge.session.selected
    bridge.change(cut_changes.add_cut, "edge", TEXT)
    (card,) = window.cuts.cards
    assert "looking through the waveforms: " in card.amiss.text()
    assert card.looking.text() == "Stop"
    card.looking.click()
    qtbot.waitUntil(lambda: bridge.boxes.is_idle, timeout=WAIT_MS)
    assert not known(window)
    assert "stopped after" in card.amiss.text()
    assert card.looking.text() == "Look again"
    bridge.change(cut_changes.add_cut, "other", "trap_max > 0")
    assert bridge.boxes.is_idle
    other = TEXT.replace("2000", "2500")
    bridge.change(cut_changes.add_cut, "higher", other)
    wait_known(qtbot, window, other)
    assert not known(window)
    bridge.change(cut_changes.remove_cut, "higher")
    card.looking.click()
    wait_known(qtbot, window)
    assert card.amiss.isHidden()
    assert card.looking.isHidden()
    wait_figures(qtbot, window, expected(folder, TEXT))
    assert bridge.boxes.why(run_id, TEXT) == ""


def test_a_box_that_is_not_wanted_any_more_is_left(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP_S", 0.0)
    monkeypatch.setattr(library, "_BLOCK_BYTES", 1)
    other = TEXT.replace("2000", "3000")
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    window.bridge.change(cut_changes.edit_cut, "edge", other)
    wait_known(qtbot, window, other)
    assert not known(window)


def test_undoing_and_redoing_a_box_looks_through_no_waveform_again(qtbot: QtBot, window: MainWindow) -> None:
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    wait_known(qtbot, window)
    window.bridge.store.undo()
    settle(qtbot, window)
    live = window.bridge.live(window.bridge.session.selected)
    window.bridge.store.redo()
    assert window.bridge.boxes.is_idle
    assert window.bridge.live(window.bridge.session.selected) is live


def test_what_passes_is_no_column_to_choose(qtbot: QtBot, window: MainWindow) -> None:
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    wait_known(qtbot, window)
    live = window.bridge.live(window.bridge.session.selected)
    assert live is not None
    assert TEXT not in live.columns.names
    assert live.columns.hidden == (TEXT,)


def test_another_run_is_looked_through_when_it_is_selected(
    qtbot: QtBot, window: MainWindow, folder: Path
) -> None:
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    wait_known(qtbot, window)
    window.bridge.change(changes.select_run, window.bridge.session.runs[1].run_id)
    wait_known(qtbot, window)
    live = window.bridge.live(window.bridge.session.selected)
    assert live is not None
    assert np.array_equal(live.columns.column(TEXT), expected(folder, TEXT, 12))


def test_all_runs_of_a_data_set_are_looked_through(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    assert make_set_of_numbers(window.bridge, "11-12") == ""
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    wait_known(qtbot, window)
    live = window.bridge.live(window.bridge.session.selected)
    assert isinstance(live, LiveSet)
    both = np.concatenate([expected(folder, TEXT, number) for number in N_EVENTS])
    assert np.array_equal(live.columns.column(TEXT), both)


def test_all_runs_of_a_data_set_on_disk_are_looked_through(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(live_set, "SAMPLE_ROWS", 90)
    monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 64)
    assert make_set_of_numbers(window.bridge, "11-12") == ""
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    wait_known(qtbot, window)
    both = np.concatenate([expected(folder, TEXT, number) for number in N_EVENTS])
    wait_figures(qtbot, window, both)
    live = window.bridge.live(window.bridge.session.selected)
    assert isinstance(live, LiveSet) and live.is_on_disk
    blocks = list(live_set.read_from_files(live, [TEXT, "trap_max"]))
    assert np.array_equal(np.concatenate([block[TEXT] for block in blocks]), both)
    heights = np.concatenate([block["trap_max"] for block in blocks])
    passing = set(heights[both].tolist())
    sample = live.columns.column("trap_max").tolist()
    assert live.columns.column(TEXT).tolist() == [one in passing for one in sample]
    assert f"{both.sum()} of 350 waveforms pass {TEXT}" in window.bridge.lines[-1]


def test_looking_through_a_data_set_on_disk_can_be_stopped(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", 300)
    monkeypatch.setattr(module, "STEP_S", 0.0)
    monkeypatch.setattr(library, "_BLOCK_BYTES", 1)
    assert make_set_of_numbers(window.bridge, "11-12") == ""
    bridge = window.bridge
    bridge.change(cut_changes.add_cut, "edge", TEXT)
    qtbot.waitUntil(lambda: not bridge.boxes.is_idle, timeout=WAIT_MS)
    bridge.boxes.stop(bridge.session.selected)
    settle(qtbot, window)
    assert not known(window)
    why = bridge.boxes.why(bridge.session.selected, TEXT)
    assert why.startswith("stopped after ") and why.endswith(" of 350 waveforms")
    bridge.boxes.look_again(bridge.session.selected)
    wait_known(qtbot, window)


def test_the_place_among_the_waveforms_is_kept_where_it_passes(qtbot: QtBot, window: MainWindow) -> None:
    window.waveforms.go_to(7)
    settle(qtbot, window)

    def is_there() -> bool:
        shown = window.waveforms.sample
        return shown is not None and shown.place == 7

    qtbot.waitUntil(is_there, timeout=WAIT_MS)
    sample = window.waveforms.sample
    assert sample is not None
    event = sample.numbers["event_number"]
    window.bridge.change(cut_changes.add_cut, "all", "through(0, 899, -1e6, 1e6)")
    wait_known(qtbot, window, "through(0, 899, -1000000, 1000000)")
    assert window.waveforms.sample is not None
    assert window.waveforms.sample.numbers["event_number"] == event


def test_a_column_that_the_run_lacks_for_the_baseline_is_named(window: MainWindow) -> None:
    window.bridge.change(cut_changes.add_cut, "edge", "through(1, 2, 3, 4, bl_x)")
    (card,) = window.cuts.cards
    assert "no column 'bl_x'" in card.amiss.text()
    assert window.bridge.boxes.is_idle


@pytest.mark.parametrize("is_set", [False, True])
def test_the_script_counts_what_the_window_counts(
    qtbot: QtBot, window: MainWindow, folder: Path, tmp_path: Path, is_set: bool
) -> None:
    if is_set:
        assert make_set_of_numbers(window.bridge, "11-12") == ""
    window.bridge.change(cut_changes.add_cut, "edge", TEXT)
    wait_known(qtbot, window)
    session, run = window.bridge.session, window.bridge.session.selected_run
    assert run is not None
    script = tmp_path / "script.py"
    script.write_text(exports.as_script(session, [run]))
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "not applied" not in done.stdout
    (written,) = tmp_path.glob("*_trap_max.csv")
    with written.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    n = sum(expected(folder, TEXT, number).sum() for number in (N_EVENTS if is_set else [11]))
    assert sum(int(row[2]) for row in rows) == n
