"""Detector names in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from pygama.channel_map import Channel
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, saved
from pygama_gui.session.state import ChannelMap, Run
from pygama_gui.views import madeup


@pytest.fixture
def window(open_window: Callable[..., MainWindow]) -> MainWindow:
    return open_window()


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "map.csv"
    path.write_text("crate,card,channel,name,ignore\n0,0,0,P1,\n0,0,1,P2,\n0,0,2,P3,yes\n")
    return path


def texts(window: MainWindow) -> list[list[str]]:
    boxes = (window.waveforms.bar.channel, window.spectrum.controls.channel_box)
    return [[box.itemText(at) for at in range(box.count())] for box in boxes]


def test_detectors_are_named_and_ignored_ones_left_out_of_lists(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run], csv: Path
) -> None:
    run = a_run(5)
    window.bridge.change(changes.add_runs, [run])
    window.bridge.adopt(1, run)
    window.bridge.take(1, madeup.partial(400, n_channels=4))
    window.bridge.data_grew.emit({run.run_id})
    qtbot.waitUntil(lambda: "channel 3" in texts(window)[1], timeout=20_000)
    window.arrivals.add_paths([csv])
    named = ["P1", "P2", "channel 3"]
    qtbot.waitUntil(
        lambda: texts(window) == [["all channels", *named], ["all channels", "each channel", *named]],
        timeout=20_000,
    )
    qtbot.waitUntil(lambda: "1 ignored" in window.strip.figures["CHANNELS"].remark.text(), timeout=20_000)
    live = window.bridge.live(run.run_id)
    assert live is not None
    assert live.channels == [0, 1, 2, 3]
    assert len(live.columns) == 400
    window.bridge.store.undo()
    qtbot.waitUntil(lambda: "channel 0" in texts(window)[0], timeout=20_000)


def test_detectors_on_cards_that_the_run_lacks_are_none_of_its_channels(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    shape = RunShape(run_number=5, n_events=400, n_samples=1200, pulse_at=500, channels=(0, 1))
    raw = write_run(tmp_path / "Run5", shape)
    process_run(raw, output_dir=tmp_path)
    window.bridge.change(changes.choose_output_dir, tmp_path)
    window.bridge.change(changes.process_on_add, False)
    detectors = tuple(
        Channel(0, card, channel, f"P{card}{channel}") for card in (8, 9) for channel in range(4)
    )
    window.bridge.change(changes.take_channel_map, ChannelMap(tmp_path / "map.csv", detectors))
    window.arrivals.add_paths([raw])
    channels = window.strip.figures["CHANNELS"]
    qtbot.waitUntil(lambda: channels.value.text() == "✕ 2 not ok", timeout=20_000)
    assert channels.remark.text() == "✕ P82, P83 DEAD"
    window.bridge.change(changes.take_channel_map, ChannelMap(None, (*detectors[:2], *detectors[4:])))
    qtbot.waitUntil(lambda: channels.value.text() == "✓ 2", timeout=20_000)
    assert channels.remark.text() == "all ok, 4 not in this run"
    window.go_to_tab(5)
    qtbot.waitUntil(lambda: len(window.channels.surveyed.codes) == 2, timeout=20_000)


def test_what_was_said_of_a_bad_map_goes_with_a_good_one(window: MainWindow, csv: Path) -> None:
    (bad := csv.with_name("bad.csv")).write_text("crate,card,channel,name\n0,0,x,P1\n")
    window.arrivals.add_paths([bad])
    assert window.banner.isVisible()
    window.arrivals.add_paths([csv])
    assert not window.banner.isVisible()


def test_the_session_keeps_the_map_itself(window: MainWindow, csv: Path, tmp_path: Path) -> None:
    window.settings_files.take_channel_map(csv)
    csv.unlink()
    saved.save(window.bridge.session, tmp_path / "session.json")
    kept = saved.load(tmp_path / "session.json").channel_map
    assert kept.path == csv
    assert kept.channels[2] == Channel(0, 0, 2, "P3", ignore=True)


def test_a_map_with_a_mistake_is_told_and_changes_nothing(window: MainWindow, csv: Path) -> None:
    csv.write_text("crate,card,channel,name\n0,0,x,P1\n")
    window.settings_files.take_channel_map(csv)
    assert "line 2, column 'channel'" in window.banner.words.text()
    assert window.bridge.session.channel_map.channels == ()


def test_a_map_is_forgotten_only_where_there_is_one(window: MainWindow, csv: Path) -> None:
    assert not window.menus.forget_map_action.isEnabled()
    window.arrivals.add_paths([csv])
    assert window.menus.forget_map_action.isEnabled()
    window.menus.forget_map_action.trigger()
    assert not window.menus.forget_map_action.isEnabled()
    window.bridge.store.undo()
    assert window.menus.forget_map_action.isEnabled()
