"""Tests fitting and calibrating with the whole window, by keys and drops, on the real Th-228 run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDropEvent
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.calibration_file import write_calibration
from pygama.analysis.curves import Curve
from pygama_gui.main_window import MainWindow
from pygama_gui.session import saved
from pygama_gui.session.state import Session
from pygama_gui.widgets.keysheet import keys_of

WAIT_MS = 60_000


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    return open_window(output_dir=tmp_path)


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    window.dropEvent(QDropEvent(QPoint(300, 300), copy, data, buttons, keys))


def test_a_dropped_calibration_is_taken(window: MainWindow, tmp_path: Path) -> None:
    curve = ChannelCalibration(Curve((0.2, 0.068), ((1e-4, 0.0), (0.0, 1e-10))), source="Th-228")
    path = tmp_path / "calibration.json"
    write_calibration(path, Calibration("trap_max", channels=MappingProxyType({"0/5/0": curve})))
    drop(window, path)
    (taken,) = window.bridge.session.calibrations
    assert taken.energy_column == "trap_max_kev"
    assert window.bridge.store.undo_label == "take calibration"


def test_the_real_run_is_calibrated_and_fitted_by_keys(
    qtbot: QtBot, window: MainWindow, real_run: Callable[[str], Path]
) -> None:
    bridge, spectrum, panel = window.bridge, window.spectrum, window.fits.calibration
    drop(window, real_run("2018-9-25-Th228Run9001"))
    qtbot.waitUntil(lambda: spectrum.picture is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not bridge.active(), timeout=WAIT_MS)
    window.activateWindow()
    spectrum.plot.setFocus()
    qtbot.waitUntil(spectrum.plot.hasFocus, timeout=WAIT_MS)
    QTest.keyClick(spectrum.plot, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: panel.proposal is not None, timeout=WAIT_MS)
    assert window.fits_dock.isVisible()
    qtbot.waitUntil(panel.use_button.isVisible, timeout=WAIT_MS)
    panel.use_button.click()
    run_id = bridge.session.selected
    qtbot.waitUntil(lambda: "trap_max_kev" in bridge.live(run_id).columns, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: spectrum.plot.labels["bottom"] == "trap_max_kev (keV)", timeout=WAIT_MS)
    # The axis has its name before the energies are counted.
    qtbot.waitUntil(
        lambda: spectrum.picture is not None and spectrum.picture.edges[-1] < 9000, timeout=WAIT_MS
    )
    spectrum.peaks.read_out(583.0)
    QTest.keyClick(spectrum.plot, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: bool(spectrum.peaks.shown_fits()), timeout=WAIT_MS)
    (peak,) = spectrum.peaks.chosen().peaks
    assert peak.position == pytest.approx(583.187, abs=4 * peak.position_error)
    assert 1.0 < peak.fwhm < 4.0
    bridge.store.undo()
    assert bridge.session.fits == ()


def test_a_calibration_that_comes_with_a_session_is_taken_into_it(window: MainWindow, tmp_path: Path) -> None:
    curve = ChannelCalibration(Curve((0.2, 0.068), ((1e-4, 0.0), (0.0, 1e-10))), source="Th-228")
    channels = MappingProxyType({"0/5/0": curve})
    write_calibration(tmp_path / "calibration.json", Calibration("trap_max", channels=channels))
    saved.save(Session(), tmp_path / "session.json")
    window.arrivals.add_paths([tmp_path / "calibration.json", tmp_path / "session.json"])
    (taken,) = window.bridge.session.calibrations
    assert taken.column == "trap_max"


@pytest.mark.parametrize("is_for_all", [False, True])
def test_what_the_spectrum_shows_is_calibrated_by_a_key_in_it(
    qtbot: QtBot, window: MainWindow, real_run: Callable[[str], Path], is_for_all: bool
) -> None:
    spectrum, panel = window.spectrum, window.fits.calibration
    drop(window, real_run("2018-9-25-Th228Run9001"))
    qtbot.waitUntil(lambda: spectrum.picture is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.bridge.active(), timeout=WAIT_MS)
    window.activateWindow()
    spectrum.plot.setFocus()
    qtbot.waitUntil(spectrum.plot.hasFocus, timeout=WAIT_MS)
    keys = Qt.KeyboardModifier.ShiftModifier
    if is_for_all:
        keys |= Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(spectrum.plot, Qt.Key.Key_K, keys)
    qtbot.waitUntil(lambda: panel.proposal is not None, timeout=WAIT_MS)
    assert window.fits_dock.isVisible()
    assert dict(keys_of(window.menuBar()))["Spectrum"].count(("Shift+K", "Calibrate what is shown")) == 1
