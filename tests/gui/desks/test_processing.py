"""Tests what is said of runs that are processed again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.processing.digest import file_digests
from pygama.simulate import RunShape, write_run
from pygama_gui.data.calibrated_with import noted
from pygama_gui.main_window import MainWindow
from pygama_gui.session import calibration_changes, changes
from pygama_gui.session.state import Run

WAIT_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    """Give a window with a run that was processed and calibrated."""
    made = open_window(output_dir=tmp_path)
    shape = RunShape(run_number=7, n_events=400, n_samples=900, pulse_at=400, channels=(0, 1))
    made.arrivals.add_paths([write_run(tmp_path / "Run7", shape)])
    wait_for(qtbot, made, 1)
    one = ChannelCalibration(curve=Curve((0.0, 0.5), ((0.0, 0.0), (0.0, 0.0))))
    calibration = Calibration("trap_max", made_from=("Run7",), channels={"0/8/0": one})
    chain = made.bridge.live(made.bridge.session.selected).chain
    made.bridge.change(calibration_changes.take_calibration, noted(calibration, chain))
    return made


def wait_for(qtbot: QtBot, window: MainWindow, n_jobs: int) -> None:
    def is_done() -> bool:
        state = window.bridge.state(window.bridge.session.selected)
        return state is not None and state.state == "done" and state.job_id == n_jobs

    qtbot.waitUntil(is_done, timeout=WAIT_MS)


def process_with_rise(qtbot: QtBot, window: MainWindow, rise: int, n_jobs: int) -> None:
    names = [step.step for step in window.bridge.session.chain]
    window.bridge.change(changes.set_setting, names.index("trap_filter"), "rise", rise)
    window.processing.start_selected()
    wait_for(qtbot, window, n_jobs)


def test_a_run_that_another_chain_makes_anew_is_offered_to_be_calibrated(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.processing.start_selected()
    wait_for(qtbot, window, 2)
    assert not window.banner.isVisible()
    process_with_rise(qtbot, window, 150, 3)
    said = "Run 7 was calibrated when another chain made its rows: its lines may stand elsewhere now."
    assert window.banner.words.text() == said
    process_with_rise(qtbot, window, 400, 4)
    assert not window.banner.isVisible(), "the chain is that of the calibration again"
    process_with_rise(qtbot, window, 150, 5)
    window.banner.act_buttons[0].click()
    qtbot.waitUntil(lambda: window.fits.calibration.proposal is not None, timeout=WAIT_MS)
    assert window.fits.isVisible()
    window.bridge.change(calibration_changes.take_calibration, window.fits.calibration.proposal)
    assert not window.banner.isVisible()


def test_energies_of_another_chain_are_told_in_another_session_too(
    qtbot: QtBot, window: MainWindow, open_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    (calibration,) = window.bridge.session.calibrations
    assert file_digests([tmp_path / "t2_run7.h5"], "trap_max", ["0/8/0"]) == calibration.digests
    for rise, is_told in ((400, False), (150, True)):
        process_with_rise(qtbot, window, rise, 2 + is_told)
        wait_until_idle(qtbot, window)  # two windows of one program would read HDF5 in two threads at once
        later = open_window(output_dir=tmp_path)
        later.bridge.change(calibration_changes.take_calibration, calibration)
        later.arrivals.add_paths([tmp_path / "t2_run7.h5"])
        qtbot.waitUntil(lambda shown=later: has_rows(shown), timeout=WAIT_MS)
        wait_until_idle(qtbot, later)
        assert later.bridge.live(later.bridge.session.selected).chain
        later.fits.calibration.show_present()
        told = "when another chain made its rows: lines may stand elsewhere"
        assert (told in later.fits.calibration.state.text()) is is_told
        said = "Run 7 was calibrated when another chain made its rows: its lines may stand elsewhere now."
        assert later.banner.words.text().startswith(said) is is_told


def has_rows(window: MainWindow) -> bool:
    live = window.bridge.live(window.bridge.session.selected)
    return live is not None and len(live.columns) > 0


def wait_until_idle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.bridge.threads.are_idle, timeout=WAIT_MS)


def test_nothing_is_saved_beside_the_demo_run_by_itself(
    open_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    bridge = open_window().bridge
    demo = bridge._demo_folder
    run = Run("demo", demo / "DemoRun1", 1)
    bridge.change(changes.add_runs, [run])
    assert bridge.folder_of(run) == demo
    assert bridge.saving_folder() == Path.home()
    bridge.change(changes.choose_output_dir, tmp_path)
    assert bridge.saving_folder() == tmp_path
