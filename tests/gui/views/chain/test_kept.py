"""Chooses in the window what of the chain's results is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from pygama.processing.compact import STEPS
from pygama.processing.settings import read_settings
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, saved
from pygama_gui.session.state import Session, Step
from pygama_gui.views.chain.view import ChainView

WAIT_MS = 60_000
COLUMNS = ["bl_int", "bl_slope", "trap_max"]


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    return open_window(output_dir=tmp_path, shows=False)


def tick(view: ChainView, words: str) -> None:
    """Tick or untick the line that begins with these words."""
    listed = view.kept.button.list
    line = next(one for row in range(listed.count()) if (one := listed.item(row)).text().startswith(words))
    is_on = line.checkState() == Qt.CheckState.Checked
    line.setCheckState(Qt.CheckState.Unchecked if is_on else Qt.CheckState.Checked)


def test_all_columns_and_no_waveforms_are_kept_at_first(window: MainWindow) -> None:
    assert window.chain.kept.words.text() == "Tier 2 keeps all 3 columns"
    assert window.bridge.session.keeps() == {}


def test_what_is_unticked_is_not_kept_and_ticked_again_leaves_nothing_set(window: MainWindow) -> None:
    tick(window.chain, "bl_slope")
    assert window.bridge.session.outputs == ("bl_int", "trap_max")
    assert window.chain.kept.words.text() == "Tier 2 keeps 2 of 3 columns"
    tick(window.chain, "bl_slope")
    assert window.bridge.session.outputs == ()


def test_the_last_column_stays(window: MainWindow) -> None:
    for name in COLUMNS:
        tick(window.chain, name)
    assert window.bridge.session.outputs == ("trap_max",)
    listed = window.chain.kept.button.list
    ticked = [listed.item(row).text() for row in range(listed.count()) if listed.item(row).checkState()]
    assert ticked == ["trap_max"]


def test_a_run_keeps_the_columns_and_the_waveforms_that_were_ticked(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=30, n_samples=900, pulse_at=400))
    tick(window.chain, "bl_slope")
    tick(window.chain, "wf_blsub")
    window.arrivals.add_paths([raw], process=True)
    qtbot.waitUntil(lambda: (tmp_path / "t2_run12.h5").exists(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.bridge.active(), timeout=WAIT_MS)
    with TierFile(tmp_path / "t2_run12.h5") as file:
        assert "trap_max" in file.table("data").columns
        assert "bl_slope" not in file.table("data").columns
    made_with = read_settings(tmp_path / "t2_run12.h5")
    assert made_with["outputs"] == ["bl_int", "trap_max"]
    assert made_with["save_waves"] == ["wf_blsub"]


def test_a_run_is_rounded_where_compact_is_ticked(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=30, n_samples=900, pulse_at=400))
    tick(window.chain, "compact: ")
    assert window.chain.kept.words.text() == "Tier 2 keeps all 3 columns, compact"
    assert window.bridge.store.undo_label == "choose whether Tier 2 is compact"
    window.arrivals.add_paths([raw], process=True)
    qtbot.waitUntil(lambda: (tmp_path / "t2_run12.h5").exists(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.bridge.active(), timeout=WAIT_MS)
    assert read_settings(tmp_path / "t2_run12.h5")["compact"] is True
    with TierFile(tmp_path / "t2_run12.h5") as file:
        assert not np.any(file.table("data").read().rows["trap_max"] % STEPS["adc"])
    tick(window.chain, "compact: ")
    assert window.bridge.session.keeps() == {}


def test_a_settings_file_brings_and_takes_what_is_kept(window: MainWindow, tmp_path: Path) -> None:
    tick(window.chain, "bl_int")
    tick(window.chain, "waveform")
    tick(window.chain, "compact: ")
    window.settings_files.save(tmp_path / "mine.json")
    kept = window.bridge.session.keeps()
    window.bridge.change(changes.set_chain, window.bridge.session.chain)
    assert window.bridge.session.keeps() == {}
    window.settings_files.load(tmp_path / "mine.json")
    assert (
        window.bridge.session.keeps()
        == kept
        == {
            "outputs": ["bl_slope", "trap_max"],
            "save_waves": ["waveform"],
            "compact": True,
        }
    )


def test_what_no_step_makes_any_more_stops_the_start_and_can_be_left_out(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=30, n_samples=900, pulse_at=400))
    window.bridge.change(changes.keep_columns, ["trap_max", "tail_slope"])
    window.arrivals.add_paths([raw], process=True)
    qtbot.waitUntil(lambda: "tail_slope" in window.banner.words.text(), timeout=WAIT_MS)
    assert not window.bridge.active()
    window.banner.act_buttons[0].click()
    assert window.bridge.session.outputs == ("trap_max",)


def test_what_is_kept_follows_a_new_name_and_comes_back_with_the_session(tmp_path: Path) -> None:
    session = changes.keep_columns(Session(chain=(Step("wf_max"),)), ["wf_max"])
    renamed = changes.rename_output(session, 0, "wf_max", "top")
    assert renamed.outputs == ("top",)
    path = tmp_path / f"mine{saved.SUFFIX}"
    saved.save(replace(renamed, save_waves=("waveform",)), path)
    assert saved.load(path).keeps() == {"outputs": ["top"], "save_waves": ["waveform"]}
