"""Tests the waveform view: which waveform it shows and what it draws of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.data.samples import Sample
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views import chain_facts, madeup
from pygama_gui.views.waveforms import WaveformView


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> WaveformView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = WaveformView(bridge)
    qtbot.addWidget(made)
    made.resize(700, 420)
    made.show()
    qtbot.waitExposed(made)
    run_id = bridge.take(1, madeup.partial(50, n_waveforms=5, n_channels=2))
    bridge.data_grew.emit({run_id})
    made.draw_if_due()
    return made


def test_the_newest_waveform_is_shown_while_following(view: WaveformView) -> None:
    assert view.browser.place == 4
    assert view.info.text().startswith("newest")


def test_the_time_axis_is_in_microseconds(view: WaveformView) -> None:
    x, _ = view.traces_picture.curves[""].getOriginalDataset()
    assert view.plot.labels["bottom"] == "time (µs)"
    assert x[1] == pytest.approx(0.016)


def test_going_back_freezes_the_view(view: WaveformView) -> None:
    view.step(-1)
    view.draw_if_due()
    assert (view.browser.is_following, view.browser.place) == (False, 3)
    assert view.info.text().startswith("of the newest 5")
    assert view.place_field.text() == "4"


def test_going_beyond_the_ends_stays_within(view: WaveformView) -> None:
    view.go_to(-5)
    assert view.browser.place == 0
    view.go_to(99)
    assert view.browser.place == 4


def test_what_the_chain_makes_is_drawn_over_the_waveform(view: WaveformView) -> None:
    assert set(view.traces_picture.curves) == {"", "wf_trap"}
    _, raw = view.traces_picture.curves[""].getOriginalDataset()
    assert abs(np.median(raw[:500])) < 5


def test_a_number_that_is_typed_is_gone_to(qtbot: QtBot, view: WaveformView) -> None:
    view.ask_jump()
    qtbot.keyClicks(view.place_field, "2")
    qtbot.keyClick(view.place_field, Qt.Key.Key_Return)
    view.draw_if_due()
    assert (view.browser.place, view.place_field.text()) == (1, "2")


def test_words_in_place_of_a_number_go_nowhere(qtbot: QtBot, view: WaveformView) -> None:
    view.go_to(2)
    view.draw_if_due()
    view.ask_jump()
    qtbot.keyClicks(view.place_field, "the last")
    qtbot.keyClick(view.place_field, Qt.Key.Key_Return)
    view.draw_if_due()
    assert (view.browser.place, view.place_field.text()) == (2, "3")


def test_names_stand_where_a_negative_pulse_leaves_room(view: WaveformView) -> None:
    numbers = {"channel": 0, "period_ns": madeup.PERIOD_NS}
    down = 20_000 - madeup.pulse(9000.0).astype(np.int64)
    view._draw_sample(Sample(madeup.DECODER, down, numbers))
    assert not view.traces_picture.legend._is_at_top
    view._draw_sample(Sample(madeup.DECODER, madeup.pulse(9000.0), numbers))
    assert view.traces_picture.legend._is_at_top


def test_a_step_that_is_new_is_computed_aside_and_then_drawn(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(changes.add_step, "pole_zero")
    view.draw_if_due()
    assert "wf_pz" not in view.traces_picture.curves
    qtbot.waitUntil(lambda: "wf_pz" in view.traces_picture.curves)


def test_a_slow_chain_is_computed_aside_and_still_follows(
    qtbot: QtBot, view: WaveformView, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    traces_of = chain_facts.traces_of

    def slow(*given: Any) -> tuple[dict[str, Any], str]:
        gate.wait(30)
        return traces_of(*given)

    monkeypatch.setattr(chain_facts, "traces_of", slow)
    view._is_quick = False
    view.bridge.change(changes.set_setting, 2, "rise", 111)
    view.draw_if_due()
    assert view.traces_picture.names["wf_trap"] == "trap_filter rise 400 flat 200"
    view.bridge.change(changes.set_setting, 2, "rise", 222)
    gate.set()
    qtbot.waitUntil(lambda: view.traces_picture.names["wf_trap"] == "trap_filter rise 222 flat 200")


def test_a_waveform_of_one_value_is_drawn(view: WaveformView) -> None:
    view._draw_sample(Sample(madeup.DECODER, np.full(2000, 8000, np.uint16), {"period_ns": 16.0}))
    (low, high) = view.plot.box.viewRange()[1]
    assert low < 0 < high


def test_a_view_without_room_leaves_the_rarer_controls_to_the_menu(view: WaveformView) -> None:
    assert view.overlay_box.isVisible()
    view.resize(400, 300)
    assert not view.overlay_box.isVisible()


def test_one_channel_needs_no_choice(view: WaveformView) -> None:
    assert view.channel_box.isVisible()
    view.bridge.adopt(1, view.session.runs[0])
    run_id = view.bridge.take(1, madeup.partial(20, n_channels=1))
    view.bridge.data_grew.emit({run_id})
    view.draw_if_due()
    assert not view.channel_box.isVisible()


def test_a_changed_setting_is_seen_on_the_next_tick(view: WaveformView) -> None:
    _, before = view.traces_picture.curves["wf_trap"].getOriginalDataset()
    view.bridge.change(changes.set_setting, 2, "rise", 100)
    view.bridge.tick()
    _, after = view.traces_picture.curves["wf_trap"].getOriginalDataset()
    assert not np.array_equal(before, after)
    assert view.traces_picture.names["wf_trap"] == "trap_filter rise 100 flat 200"


def test_values_stand_beside_their_markers(view: WaveformView) -> None:
    assert view.traces_picture.markers.names == {"trap_max"}
    view.bridge.change(changes.show_waveforms, replace(view.choice, is_above_baseline=False))
    view.draw_if_due()
    assert view.traces_picture.markers.names == {"trap_max", "bl_int"}
    assert view.traces_picture.markers.words_of("bl_int").startswith("baseline 81")
    assert view.plot.labels["left"] == "ADC counts"


def test_a_chain_that_cannot_run_says_why(view: WaveformView) -> None:
    view.bridge.change(changes.remove_step, 1)
    view.draw_if_due()
    assert "wf_blsub" in view.problem.text()
    assert "" in view.traces_picture.curves


def test_a_channel_shows_only_its_own_waveforms(view: WaveformView) -> None:
    view.bridge.change(changes.show_waveforms, replace(view.choice, channel=1))
    view.go_to(0)
    view.draw_if_due()
    assert view.browser.sample is not None
    assert view.browser.sample.channel == 1


def test_other_waveforms_are_laid_behind(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(changes.show_waveforms, replace(view.choice, overlay=5))
    view.draw_if_due()
    qtbot.waitUntil(lambda: len(view.traces_picture.others) == 4)
    view.bridge.change(changes.show_waveforms, replace(view.choice, overlay=1))
    view.draw_if_due()
    assert view.traces_picture.others == []


def test_the_zoom_of_a_person_stays(view: WaveformView) -> None:
    view.plot.box.setXRange(14, 16, padding=0)
    view.plot.box._mark_zoomed(x=True)
    view.step(-1)
    view.draw_if_due()
    assert view.plot.box.viewRange()[0] == pytest.approx([14, 16])
