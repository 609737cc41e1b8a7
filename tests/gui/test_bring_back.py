"""Drops pictures of each view on a fresh window, which then shows the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from PyQt5.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt5.QtGui import QDropEvent, QImage
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration, Recipe, place_text
from pygama.analysis.curves import Curve
from pygama.analysis.fit_request import FitRequest
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama.storage.spectrum_files import read_spectrum
from pygama_gui.main_window import MainWindow
from pygama_gui.session import calibration_changes, changes, cut_changes, fit_changes, tag_changes
from pygama_gui.session.pictured import view_of
from pygama_gui.session.state import Fit

WAIT_MS = 60_000
KINDS = ("png", "svg", "pdf")
SAME = (
    "tab",
    "calibrations",
    "spectrum",
    "plane",
    "trends",
    "channel_grid",
    "waveforms",
    "cuts",
    "tagging",
    "fits",
    "fit",
    "chain",
)
VIEWS = {"waveforms": 1, "spectrum": 2, "plane": 3, "trends": 4, "channels": 5}


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> Callable[[], MainWindow]:
    """Make windows that know where the processed run of this test lies, and show nothing yet."""
    shape = RunShape(run_number=12, n_events=400, n_samples=900, pulse_at=400)
    process_run(write_run(tmp_path / "Run12", shape), output_dir=tmp_path)

    def make() -> MainWindow:
        made = open_window(output_dir=tmp_path, size=(1200, 800))
        made.bridge.change(changes.process_on_add, False)
        return made

    return make


def drop(window: MainWindow, path: Path) -> None:
    """Let a file go over the window."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, mime, left, none))


def wait_for(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    qtbot.waitUntil(is_so, timeout=WAIT_MS)


def told(window: MainWindow) -> str:
    """Give the sentence on the banner."""
    return window.banner.words.text()


def has_picture(window: MainWindow, name: str) -> bool:
    view: Any = window.views[name]
    return view.exporter.picture() is not None


def set_up(qtbot: QtBot, window: MainWindow, tmp_path: Path, name: str) -> None:
    """Show a run with a cut, a fit and a region, one view in front and zoomed."""
    window.arrivals.add_paths([tmp_path / "Run12"])
    wait_for(qtbot, lambda: window.spectrum.shown() is not None)
    bridge = window.bridge
    bridge.change(cut_changes.add_cut, "quiet", "bl_slope > -1", "#D55E00")
    bridge.change(tag_changes.build_events, 1e-6)
    bridge.change(fit_changes.add_fits, [Fit("one", "trap_max", FitRequest(500.0, 3000.0))])
    bridge.change(changes.mark_region, (1000.0, 2000.0))
    if name == "spectrum":
        calibrate(qtbot, window)
    bridge.change(changes.choose_tab, VIEWS[name])
    wait_for(qtbot, lambda: has_picture(window, name))
    for box in window.views[name].boxes().values():
        (low, high), _ = box.viewRange()
        third = (high - low) / 3
        box.setXRange(low + third, high - third, padding=0)
        box._mark_zoomed(x=True)
    wait_for(qtbot, lambda: not bridge.timer.isActive() and has_picture(window, name))


def calibrate(qtbot: QtBot, window: MainWindow) -> None:
    """Calibrate all channels, and show the energies."""
    bridge = window.bridge
    live = bridge.live(bridge.session.selected)
    assert live is not None
    one = ChannelCalibration(Curve((0.5, 0.5), ((1e-4, 0.0), (0.0, 1e-10)), 4.5, 3), source="Th-228")
    channels = MappingProxyType({place_text(code): one for code in live.channels})
    made = Calibration("trap_max", Recipe(("Th-228",)), (), channels)
    bridge.change(calibration_changes.take_calibration, made)
    wait_for(qtbot, lambda: has_column(window, "trap_max_kev"))
    window.spectrum.choose_column("trap_max_kev")
    wait_for(qtbot, lambda: has_picture(window, "spectrum"))


def has_column(window: MainWindow, column: str) -> bool:
    live = window.bridge.live(window.bridge.session.selected)
    return live is not None and column in live.columns


def saved(qtbot: QtBot, window: MainWindow, name: str, path: Path) -> Path:
    exporter: Any = getattr(window, name).exporter
    exporter.save(exporter.picture(), path)
    wait_for(qtbot, path.exists)
    return path


@pytest.mark.parametrize("name", VIEWS)
def test_a_picture_of_each_view_brings_it_back(
    qtbot: QtBot, window: Callable[[], MainWindow], tmp_path: Path, name: str
) -> None:
    first = window()
    set_up(qtbot, first, tmp_path, name)
    paths = {kind: saved(qtbot, first, name, tmp_path / f"one.{kind}") for kind in KINDS}
    wanted, zooms = first.bridge.session, {k: box.zoom_taken for k, box in first.views[name].boxes().items()}
    kind = KINDS[list(VIEWS).index(name) % len(KINDS)]
    assert view_of(paths["png"]) == view_of(paths["svg"]) == view_of(paths["pdf"])
    second = window()
    drop(second, paths[kind])
    wait_for(qtbot, lambda: has_picture(second, name) and not second.bridge.timer.isActive())
    found = second.bridge.session
    assert {part: getattr(found, part) for part in SAME} == {part: getattr(wanted, part) for part in SAME}
    assert found.selected_run == wanted.selected_run
    assert second.tabs.currentIndex() == VIEWS[name]
    for key, zoom in zooms.items():
        assert zoom[0] is not None
        assert second.views[name].boxes()[key].zoom_taken[0] == pytest.approx(zoom[0])


def test_a_picture_of_a_tier_2_file_alone_brings_it_back_also_once_it_was_moved(
    qtbot: QtBot, open_window: Callable[..., MainWindow], window: Callable[[], MainWindow], tmp_path: Path
) -> None:
    (given := tmp_path / "given").mkdir()
    path = (tmp_path / "t2_run12.h5").rename(given / "t2_run12.h5")
    first = open_window(output_dir=tmp_path / "out", size=(1200, 800))
    first.arrivals.add_paths([path])
    wait_for(qtbot, lambda: has_picture(first, "spectrum"))
    first.bridge.change(changes.choose_tab, VIEWS["spectrum"])
    first.spectrum.toggle_log()
    first.spectrum.look_at(600.0, 2900.0)
    first.bridge.change(fit_changes.add_fits, [Fit("one", "trap_max", FitRequest(500.0, 3000.0))])
    wait_for(qtbot, lambda: not first.bridge.timer.isActive() and has_picture(first, "spectrum"))
    picture, wanted = saved(qtbot, first, "spectrum", tmp_path / "one.png"), first.bridge.session

    def is_brought_back(made: MainWindow) -> bool:
        found = made.bridge.session
        is_same = all(getattr(found, part) == getattr(wanted, part) for part in SAME)
        low, high = made.spectrum.plot.box.viewRange()[0]
        is_seen = (low, high) == pytest.approx((600.0, 2900.0))
        return is_same and is_seen and has_picture(made, "spectrum")

    second = open_window(output_dir=tmp_path / "other", size=(1200, 800))
    drop(second, picture)
    wait_for(qtbot, lambda: is_brought_back(second))
    assert [run.path for run in second.bridge.session.runs] == [path]

    third = open_window(output_dir=tmp_path / "third", size=(1200, 800))
    moved = path.rename(tmp_path / "t2_run12.h5")
    drop(third, picture)
    wait_for(qtbot, lambda: str(path) in told(third))
    third.arrivals.add_paths([moved])
    wait_for(qtbot, lambda: is_brought_back(third))


def test_a_calibrated_spectrum_is_stored_with_its_energies(
    qtbot: QtBot, window: Callable[[], MainWindow], tmp_path: Path
) -> None:
    made = window()
    set_up(qtbot, made, tmp_path, "spectrum")
    live = made.bridge.live(made.bridge.session.selected)
    assert live is not None
    qtbot.waitUntil(lambda: live.times is not None, timeout=60_000)
    picture = made.spectrum.exporter.picture()
    assert picture is not None
    read = read_spectrum(saved(qtbot, made, "spectrum", tmp_path / "one.spe"))
    assert read.unit == "keV"
    edges, counts = made.spectrum.fine_bins() or ([], [])
    assert read.edges == pytest.approx(edges)
    assert read.counts.tolist() == list(counts)
    assert picture.live_time_s > 1.0
    assert read.live_time_s == pytest.approx(picture.live_time_s)
    assert picture.about["calibration"] == "trap_max with Th-228"
    assert made.spectrum.exporter.name() == "run12_trap_max_kev"


def test_a_picture_of_somebody_else_is_told_and_changes_nothing(
    window: Callable[[], MainWindow], tmp_path: Path
) -> None:
    made = window()
    before = made.bridge.session
    path = tmp_path / "holiday.png"
    QImage(4, 4, QImage.Format.Format_RGB32).save(str(path))
    drop(made, path)
    assert made.bridge.session is before
    assert made.banner.isVisible()
    assert "holiday.png does not say how it was made" in told(made)


def test_a_damaged_picture_is_told_and_changes_nothing(
    qtbot: QtBot, window: Callable[[], MainWindow], tmp_path: Path
) -> None:
    made = window()
    set_up(qtbot, made, tmp_path, "spectrum")
    path = saved(qtbot, made, "spectrum", tmp_path / "one.png")
    data = path.read_bytes()
    before = made.bridge.session
    for damaged in (b"", data[:20], data[: data.index(b"pygama\0") + 40], data.replace(b'"runs"', b'"rust"')):
        path.write_bytes(damaged)
        drop(made, path)
        assert made.bridge.session is before
        assert "one.png does not say how it was made" in told(made)
        made.banner.dismiss()


@pytest.mark.parametrize("is_processed", [True, False])
def test_a_picture_of_a_waveform_brings_its_event_back(
    qtbot: QtBot, window: Callable[[], MainWindow], tmp_path: Path, is_processed: bool
) -> None:
    first = window()
    set_up(qtbot, first, tmp_path, "waveforms")
    first.waveforms.go_to(25)
    wait_for(qtbot, lambda: first.waveforms.browser.place == 25 and not first.waveforms.browser.is_reading)
    wait_for(qtbot, lambda: not first.bridge.timer.isActive())  # a picture shows what was drawn
    shown = first.waveforms.sample
    assert shown is not None
    path = saved(qtbot, first, "waveforms", tmp_path / "one.png")
    if not is_processed:
        for tier in tmp_path.glob("t?_run12.h5"):
            tier.unlink()
    second = window()
    drop(second, path)
    if not is_processed:
        wait_for(qtbot, second.runs.process_action.isEnabled)
        second.runs.process_action.trigger()

    def is_there() -> bool:
        found = second.waveforms.sample
        return found is not None and found.numbers["event_number"] == shown.numbers["event_number"]

    wait_for(qtbot, is_there)
    second.waveforms.step(1)
    wait_for(qtbot, lambda: not is_there() and not second.waveforms.browser.is_reading)


def test_a_step_to_another_waveform_is_not_lost_when_new_columns_come(
    qtbot: QtBot, window: Callable[[], MainWindow], tmp_path: Path
) -> None:
    made = window()
    set_up(qtbot, made, tmp_path, "waveforms")
    bridge, browser = made.bridge, made.waveforms.browser
    wait_for(qtbot, lambda: bridge.threads.are_idle and not browser.is_reading)
    browser.go_to(25)
    wait_for(qtbot, lambda: not browser.is_reading)
    run_id = bridge.session.selected
    for _ in range(2):  # while it is read, and when it is there
        browser.step(1)
        at = browser.place
        for is_there in (False, True):
            if is_there:
                wait_for(qtbot, lambda: not browser.is_reading)
            live = bridge.data[run_id]
            bridge.data[run_id] = live.calibrated(live.calibrations, {}, len(live.columns))
            bridge.data_grew.emit({run_id})
            wait_for(qtbot, lambda: not browser.is_reading)
            assert browser.sample is not None
            assert (browser.place, browser.sample.place) == (at, at)
    assert browser.place == 27


def test_a_place_is_kept_while_nobody_knows_how_many_waveforms_there_are(
    qtbot: QtBot, window: Callable[[], MainWindow], tmp_path: Path
) -> None:
    made = window()
    set_up(qtbot, made, tmp_path, "waveforms")
    browser = made.waveforms.browser
    wait_for(qtbot, lambda: made.bridge.threads.are_idle and not browser.is_reading)
    browser.begin_anew()
    assert browser.is_reading
    assert browser.n == 0
    browser.go_to(25)
    wait_for(qtbot, lambda: not browser.is_reading)
    assert browser.place == 25
    browser.begin_anew()
    browser.go_to(10**6)
    wait_for(qtbot, lambda: not browser.is_reading)
    assert browser.place == browser.n - 1
