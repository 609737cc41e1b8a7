"""Tests what is said of settings files that do not suit the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from pygama.simulate import RunShape, write_run
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes

WAIT_MS = 60_000


def test_settings_of_another_electronics_are_told_when_they_are_opened(
    qtbot: QtBot, tmp_path: Path, open_window: Callable[..., MainWindow]
) -> None:
    window = open_window()
    window.bridge.change(changes.process_on_add, False)
    shape = RunShape(run_number=7, n_events=20, n_samples=900, pulse_at=400, channels=(0, 1))
    window.arrivals.add_paths([write_run(tmp_path / "Run7", shape)])
    qtbot.waitUntil(lambda: window.bridge.session.selected != "", timeout=WAIT_MS)
    settings = {
        "tier0": {"digitizer": "ORGretina4MWaveformDecoder", "window": "max", "n_samp": 100},
        "chain": [{"step": "fit_baseline", "channels": {"5": {"i_end": 50}, "1": {"i_end": 60}}}],
    }
    (path := tmp_path / "other.json").write_text(json.dumps(settings))
    window.arrivals.add_paths([path])
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.words.text() == (
        "other.json: the window is for ORGretina4MWaveformDecoder, which Run 7 does not have: no windows are "
        "cut; settings are given for channel 5, which Run 7 does not have"
    )
    assert window.bridge.session.tier0["digitizer"] == "ORGretina4MWaveformDecoder"


def test_settings_that_suit_the_run_are_told_nothing_of(
    qtbot: QtBot, tmp_path: Path, open_window: Callable[..., MainWindow]
) -> None:
    window = open_window()
    window.bridge.change(changes.process_on_add, False)
    window.arrivals.add_paths([write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=20))])
    qtbot.waitUntil(lambda: window.bridge.session.selected != "", timeout=WAIT_MS)
    settings = {"tier0": {"digitizer": "ORSIS3302DecoderForEnergy"}, "chain": [{"step": "fit_baseline"}]}
    (path := tmp_path / "own.json").write_text(json.dumps(settings))
    window.arrivals.add_paths([path])
    qtbot.waitUntil(lambda: len(window.bridge.session.chain) == 1, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.bridge.threads.are_idle, timeout=WAIT_MS)
    assert not window.banner.isVisible()
