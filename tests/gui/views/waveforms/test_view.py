"""Tests the waveform view: which waveform it shows and what it draws of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt5 import sip
from PyQt5.QtCore import QPointF, Qt, QTimer
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.channel_map import Channel
from pygama.progress import StoppedByRequest
from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.noise import NoiseSpectrum
from pygama_gui.data.samples import N_KEPT, Sample
from pygama_gui.data.shaping import shape
from pygama_gui.session import calibration_changes, changes
from pygama_gui.session.state import DEFAULT_CHAIN, ChannelMap, Run, Step
from pygama_gui.views import madeup
from pygama_gui.views.waveforms.pictures import NAME_ROOM, mean_words
from pygama_gui.views.waveforms.view import WaveformView
from pygama_gui.widgets import theme, words


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> WaveformView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = WaveformView(bridge)
    qtbot.addWidget(made, before_close_func=lambda widget: widget.bridge.close())
    made.resize(700, 420)
    made.show()
    qtbot.waitExposed(made)
    run_id = bridge.take(1, madeup.partial(50, n_waveforms=5, n_channels=2))
    bridge.data_grew.emit({run_id})
    made.draw_if_due()
    return made


def test_the_newest_waveform_is_shown_while_following(view: WaveformView) -> None:
    assert view.browser.place == 4
    number = int(view.browser.sample.numbers["event_number"])
    assert view.bar.info.text().startswith(f"newest, event {words.count(number)} ·")


def test_the_time_axis_is_in_microseconds(view: WaveformView) -> None:
    x, _ = view.traces_picture.curves[""].getOriginalDataset()
    assert view.plot.labels["bottom"] == "time (µs)"
    assert x[1] == pytest.approx(0.016)


def test_going_back_freezes_the_view(view: WaveformView) -> None:
    view.step(-1)
    view.draw_if_due()
    assert (view.browser.is_following, view.browser.place) == (False, 3)
    assert view.bar.info.text().startswith("frozen (Space goes on), of the newest 5")
    assert view.bar.place.text() == "4"


def test_a_frozen_waveform_stays_while_newer_ones_come(view: WaveformView) -> None:
    view.step(-1)
    view.draw_if_due()
    frozen, run_id = view.browser.sample, view.session.selected
    for seed in range(2, 62):
        view.bridge.take(1, madeup.partial(50, seed=seed, n_waveforms=5))
        view.bridge.data_grew.emit({run_id})
        view.draw_if_due()
    assert view.browser.n == N_KEPT
    assert view.browser.sample is frozen
    assert view.bar.place.text() == ""  # it is no longer one of them
    assert view.bar.info.text().startswith(f"frozen (Space goes on), older than the newest {N_KEPT}")
    view.step(1)
    view.draw_if_due()
    assert (view.browser.sample is frozen, view.bar.place.text()) == (False, "2")
    view.toggle_following()
    view.draw_if_due()
    assert view.bar.info.text().startswith("newest")


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
    view.bar.ask_jump()
    qtbot.keyClicks(view.bar.place, "2")
    qtbot.keyClick(view.bar.place, Qt.Key.Key_Return)
    view.draw_if_due()
    assert (view.browser.place, view.bar.place.text()) == (1, "2")


def test_escape_leaves_the_field_of_the_number_for_the_picture(qtbot: QtBot, view: WaveformView) -> None:
    view.activateWindow()
    view.bar.place.setFocus()
    qtbot.keyClicks(view.bar.place, "7?")
    qtbot.keyClick(view.bar.place, Qt.Key.Key_Escape)
    assert view.focusWidget() is view.plot
    assert "?" not in view.bar.place.text()


def test_words_in_place_of_a_number_go_nowhere(qtbot: QtBot, view: WaveformView) -> None:
    view.go_to(2)
    view.draw_if_due()
    view.bar.ask_jump()
    qtbot.keyClicks(view.bar.place, "the last")
    qtbot.keyClick(view.bar.place, Qt.Key.Key_Return)
    view.draw_if_due()
    assert (view.browser.place, view.bar.place.text()) == (2, "3")


def test_names_stand_where_a_negative_pulse_leaves_room(qtbot: QtBot, view: WaveformView) -> None:
    numbers = {"channel": 0, "period_ns": madeup.PERIOD_NS}
    down = Sample(madeup.DECODER, 20_000 - madeup.pulse(9000.0).astype(np.int64), numbers)
    qtbot.waitUntil(lambda: view._draw_sample(down))
    assert not view.traces_picture.legend.is_at_top
    up = Sample(madeup.DECODER, madeup.pulse(9000.0), numbers)
    qtbot.waitUntil(lambda: view._draw_sample(up))
    assert view.traces_picture.legend.is_at_top


@pytest.mark.parametrize(("width", "height"), [(330, 330), (340, 260), (360, 420)])
def test_names_in_a_narrow_plot_cover_neither_curves_nor_numbers(
    qtbot: QtBot, view: WaveformView, width: int, height: int
) -> None:
    view.resize(width, height)
    QApplication.processEvents()
    view.redraw()
    box, legend = view.plot.box, view.traces_picture.legend
    assert legend.isVisible()
    for curve in view.traces_picture.curves.values():
        x, y = curve.getOriginalDataset()
        points = [box.mapFromView(QPointF(*point)) for point in zip(x, y, strict=True)]
        assert not any(legend.geometry().contains(point) for point in points)
    words = view.traces_picture.markers._words["trap_max"]
    assert words.isVisible()
    assert not words.mapRectToParent(words.boundingRect()).intersects(legend.geometry())


def test_names_leave_their_settings_out_where_they_would_cover_the_rise(
    qtbot: QtBot, view: WaveformView
) -> None:
    for width, name in ((1100, "trap_filter rise 400 flat 200"), (330, "trap_filter")):
        view.resize(width, 420)
        QApplication.processEvents()
        view.redraw()
        assert view.traces_picture.names["wf_trap"] == name
    assert view.traces_picture.names[""] == "waveform"
    legend = view.traces_picture.legend
    widest = max(words.item.boundingRect().width() for _, words in legend.items)
    assert legend.width() < widest + NAME_ROOM


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
    view._tracer.is_quick = False
    view.bridge.change(changes.set_setting, 2, "rise", 111)
    view.draw_if_due()
    assert view.traces_picture.names["wf_trap"] == "trap_filter rise 400 flat 200"
    view.bridge.change(changes.set_setting, 2, "rise", 222)
    gate.set()
    qtbot.waitUntil(lambda: view.traces_picture.names["wf_trap"] == "trap_filter rise 222 flat 200")


def test_a_waveform_of_one_value_is_drawn(qtbot: QtBot, view: WaveformView) -> None:
    flat = Sample(madeup.DECODER, np.full(2000, 8000, np.uint16), {"period_ns": 16.0})
    qtbot.waitUntil(lambda: view._draw_sample(flat))
    (low, high) = view.plot.box.viewRange()[1]
    assert low < 0 < high


def test_a_view_without_room_leaves_the_rarer_controls_to_the_menu(view: WaveformView) -> None:
    assert view.bar.overlay.isVisible()
    view.resize(400, 300)
    assert not view.bar.overlay.isVisible()


def test_one_channel_needs_no_choice(view: WaveformView) -> None:
    assert view.bar.channel.isVisible()
    view.bridge.adopt(1, view.session.runs[0])
    run_id = view.bridge.take(1, madeup.partial(20, n_channels=1))
    view.bridge.data_grew.emit({run_id})
    view.draw_if_due()
    assert not view.bar.channel.isVisible()


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


def test_an_event_number_is_gone_to(qtbot: QtBot, view: WaveformView) -> None:
    view.bar.ask_jump_to_event()
    wanted = view.browser.live.samples.of(None)[2].numbers["event_number"]
    qtbot.keyClicks(view.bar.place, str(int(wanted)))
    qtbot.keyClick(view.bar.place, Qt.Key.Key_Return)
    view.draw_if_due()
    assert view.browser.sample is not None
    assert view.browser.sample.numbers["event_number"] == wanted


def test_an_event_that_is_not_there_is_said(qtbot: QtBot, view: WaveformView) -> None:
    view.bar.place.setText("event 123456")
    view.bar.jump()
    view.draw_if_due()
    assert view.problem.text() == "Event 123456 is not among the newest waveforms."


def test_playing_goes_through_and_ends_at_the_last(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.take(1, StoppedByRequest())
    view.choose(pace=50.0)
    view.go_to(1)
    view.browser.play()
    assert view.browser.is_playing
    qtbot.waitUntil(lambda: not view.browser.is_playing)
    assert view.browser.place == 4


def test_playing_a_growing_run_leaves_no_waveform_out(view: WaveformView) -> None:
    def grow(seed: int) -> None:
        for at in range(70):  # all that was kept goes
            view.bridge.take(1, madeup.partial(5, seed=100 * seed + at, n_waveforms=5))
        view.bridge.data_grew.emit({view.session.selected})
        view.draw_if_due()

    grow(1)
    view.browser.go_to(0)
    view.draw_if_due()
    kept = view.browser.live.samples.of(None)
    view.browser.play()
    shown = []
    for seed in range(2, 6):
        shown.append(view.browser.sample)
        grow(seed)
        view.browser._play_on()
        view.draw_if_due()
    assert all(one is other for one, other in zip(shown, kept, strict=False))
    assert (view.browser.place, view.browser.n) == (4, N_KEPT)
    view.browser.go_to(N_KEPT - 1)
    view.draw_if_due()
    assert view.browser.sample is kept[-1]
    view.browser._play_on()  # what came meanwhile
    view.draw_if_due()
    newest = view.browser.live.samples.of(None)
    assert view.browser.sample is newest[0]
    view.step(1)
    view.draw_if_due()
    assert not view.browser.is_playing
    assert view.browser.sample is newest[1]


def test_playing_waits_for_the_newest_waveforms_of_a_run_under_way(view: WaveformView) -> None:
    view.go_to(3)
    view.draw_if_due()
    view.browser.play()
    for _ in range(3):
        view.browser._play_on()
        view.draw_if_due()
    assert (view.browser.place, view.browser.is_playing) == (4, True)
    view.bridge.take(1, madeup.partial(5, seed=9, n_waveforms=1))
    view.browser._play_on()
    view.draw_if_due()
    assert view.browser.place == 5


def test_a_hidden_view_plays_nothing(view: WaveformView) -> None:
    view.go_to(0)
    view.browser.play()
    view.hide()
    assert not view.browser.is_playing


def test_only_events_in_the_region_are_shown(view: WaveformView) -> None:
    values = [sample.numbers["trap_max"] for sample in view.browser.live.samples.of(None)]
    low, high = sorted(values)[1:3]
    view.toggle_only_roi()
    assert not view.choice.is_only_roi  # there is no region yet
    view.bridge.change(changes.show_spectrum, replace(view.session.spectrum, roi=(low, high)))
    view.toggle_only_roi()
    view.go_to(0)
    view.draw_if_due()
    assert view.browser.n == 2
    assert view.browser.sample is not None
    assert low <= view.browser.sample.numbers["trap_max"] <= high
    assert view.bar.roi.isChecked()
    assert f"trap_max {low:.6g} to {high:.6g} ADC" in view.bar.info.text()


def test_a_region_without_events_says_so(view: WaveformView) -> None:
    view.bridge.change(changes.show_spectrum, replace(view.session.spectrum, roi=(-2.0, -1.0)))
    view.choose(is_only_roi=True)
    view.draw_if_due()
    assert view.plot._hint.text() == "No waveform so far passes: trap_max -2 to -1 ADC."


def test_a_curve_is_hidden_by_its_line_in_the_list(view: WaveformView) -> None:
    lines = [view.bar.steps.list.item(row) for row in range(view.bar.steps.list.count())]
    assert [line.data(Qt.ItemDataRole.UserRole) for line in lines] == ["", "wf_trap", "bl_int", "trap_max"]
    lines[1].setCheckState(Qt.CheckState.Unchecked)
    view.draw_if_due()
    assert view.choice.hidden == {"wf_trap"}
    assert not view.traces_picture.curves["wf_trap"].isVisible()
    lines[3].setCheckState(Qt.CheckState.Unchecked)
    view.draw_if_due()
    assert view.traces_picture.markers.names == set()


def test_a_curve_keeps_its_colour(view: WaveformView) -> None:
    before = view.traces_picture.color("wf_trap")
    view.bridge.change(changes.add_step, "savitzky_golay")
    view.draw_if_due()
    assert view.traces_picture.color("wf_trap") == before
    assert view.traces_picture.color("wf_sg") != before


def test_words_of_markers_do_not_lie_over_each_other(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(changes.set_chain, (*DEFAULT_CHAIN, Step("time_points"), Step("wf_max")))
    markers = view.traces_picture.markers
    view.draw_if_due()
    qtbot.waitUntil(lambda: {"tp_01", "tp_99", "wf_max"} <= markers.names)
    areas = [
        item.mapRectToParent(item.boundingRect()) for item in markers._words.values() if item.isVisible()
    ]
    assert len(areas) >= 7
    assert not any(one.intersects(other) for one, other in combinations(areas, 2))


def test_the_density_counts_every_waveform(qtbot: QtBot, view: WaveformView) -> None:
    view.choose(picture="density")
    view.draw_if_due()
    qtbot.waitUntil(lambda: view.density.picture.density is not None)
    assert view.density.picture.density.n_waveforms == 5
    assert view.density.picture.density.counts.sum() == 5 * madeup.N_SAMPLES
    assert view.bar.info.text().startswith("5 of 5 waveforms")
    assert all(curve.yData is None or not len(curve.yData) for curve in view.traces_picture.curves.values())


def test_a_zoomed_density_is_counted_anew(qtbot: QtBot, view: WaveformView) -> None:
    view.choose(picture="density")
    view.draw_if_due()
    qtbot.waitUntil(lambda: view.density.picture.density is not None)
    view.plot.box.setXRange(14, 15, padding=0)
    view.plot.box._mark_zoomed(x=True)
    view.draw_if_due()
    period = madeup.PERIOD_NS / 1000
    expected = pytest.approx((14 / period, 15 / period))
    qtbot.waitUntil(lambda: view.density.picture.density.x_range == expected)


def test_the_noise_spectrum_is_drawn_with_its_units(qtbot: QtBot, view: WaveformView) -> None:
    view.choose(picture="noise")
    view.draw_if_due()
    qtbot.waitUntil(lambda: view.noise.spectra is not None)
    assert view.noise.spectra[1].n_waveforms == 5
    assert view.plot.labels == {"bottom": "frequency (MHz)", "left": "noise power (ADC² / MHz)"}
    view.choose(is_amplitude=True)
    view.draw_if_due()
    assert view.plot.labels["left"] == "noise (ADC / √MHz)"


def test_keys_move_the_active_cursor(qtbot: QtBot, view: WaveformView) -> None:
    view.toggle_cursors()
    view.draw_if_due()
    first, second = view.choice.cursors
    view.nudge(1)
    view.draw_if_due()
    assert view.choice.cursors == (first + 1, second)
    view.next_cursor()
    view.nudge(-10)
    view.draw_if_due()
    assert view.choice.cursors == (first + 1, second - 10)
    n = second - first - 11
    assert f", {words.count(n)} samples" in view.reading.text()
    assert f"Δt {words.count(16 * n)} ns" in view.reading.text()
    view.toggle_cursors()
    view.draw_if_due()
    assert view.reading.isHidden()


def test_a_saved_picture_has_the_cursors_that_are_shown(view: WaveformView) -> None:
    assert view.exporter.picture().cursors == ()
    view.toggle_cursors()
    view.draw_if_due()
    picture = view.exporter.picture()
    first, second = view.choice.cursors
    assert dict(picture.cursors) == pytest.approx({"A": first * 0.016, "B": second * 0.016})
    assert picture.about["cursors"] == view.reading.text().replace("   ", ", ")
    view.toggle_cursors()
    view.draw_if_due()
    assert "cursors" not in view.exporter.picture().about


def test_a_difference_that_wants_a_cut_has_no_axes_of_the_noise(qtbot: QtBot, view: WaveformView) -> None:
    view.choose(picture="noise")
    view.draw_if_due()
    qtbot.waitUntil(lambda: view.plot.labels["bottom"] == "frequency (MHz)")
    view.choose(picture="difference")
    view.draw_if_due()
    assert "Make a cut first" in view.plot._hint.text()
    assert view.plot.labels == {"bottom": "time (µs)", "left": "ADC counts above baseline"}


def test_no_cursors_stand_where_nothing_is_drawn(view: WaveformView) -> None:
    view.toggle_cursors()
    view.draw_if_due()
    assert view.cursors.is_shown
    view.choose(picture="difference")
    view.draw_if_due()
    assert "Make a cut first" in view.plot._hint.text()
    assert (view.cursors.is_shown, view.reading.isHidden()) == (False, True)
    view.choose(picture="traces")
    view.draw_if_due()
    assert (view.cursors.is_shown, view.reading.isHidden()) == (True, False)


def test_a_noise_spectrum_says_that_it_has_no_cursors(view: WaveformView) -> None:
    told: list[str] = []
    view.bridge.logged.connect(lambda text, _level: told.append(text))
    view.toggle_cursors()
    cursors = view.choice.cursors
    view.choose(picture="noise")
    view.draw_if_due()
    view.toggle_cursors()
    assert told == ["Cursors stand in waveforms and their density, not in a noise spectrum"]
    assert view.choice.cursors == cursors
    assert not view.cursors.is_shown


def test_energy_in_kev_says_why_it_is_not_to_be_had(view: WaveformView) -> None:
    energy = view.commands.find("Energy in keV")
    view.toggle_calibrated()
    assert not view.choice.is_calibrated
    heights = view.commands.find("Heights").menu()
    heights.aboutToShow.emit()
    assert not energy.isEnabled()
    assert "No calibration is known" in heights.actions()[-1].text()


def test_a_script_may_leave_without_closing_the_view(view: WaveformView) -> None:
    for one in vars(view.browser).values():
        if isinstance(one, QTimer) and one.parent() is None:
            sip.delete(one)  # as PyQt does at the end with whatever has no parent, in any order
    view.hide()
    assert not view.isVisible()


def test_heights_are_in_kev_once_the_run_is_calibrated(view: WaveformView) -> None:
    curve = ChannelCalibration(Curve((0.0, 0.5), np.zeros((2, 2))))
    channels = {f"0/0/{n}": curve for n in range(2)}
    counts = view.traces_picture.curves[""].getOriginalDataset()[1]
    view.bridge.change(calibration_changes.take_calibration, Calibration("trap_max", channels=channels))
    view.commands.find("Energy in keV").trigger()  # though no menu was opened since
    view.draw_if_due()
    assert view.plot.labels["left"] == "energy (keV)"
    assert view.traces_picture.curves[""].getOriginalDataset()[1] == pytest.approx(counts / 2)
    (level,) = (one for one in view.drawn_now.traces.levels if one.name == "trap_max")
    assert level.words == f"trap_max {words.level(level.height)} keV"
    view.copy_csv()
    lines = QApplication.clipboard().text().splitlines()
    assert {"# heights: energy (keV)", "# energy: trap_max_kev of trap_max"} <= set(lines)


def test_the_axis_says_adc_counts_once_no_calibration_is_known_any_more(view: WaveformView) -> None:
    curve = ChannelCalibration(Curve((0.0, 0.5), np.zeros((2, 2))))
    channels = {f"0/0/{n}": curve for n in range(2)}
    view.bridge.change(calibration_changes.take_calibration, Calibration("trap_max", channels=channels))
    view.toggle_calibrated()
    view.bridge.store.undo()
    view.draw_if_due()
    assert view.choice.is_calibrated
    assert view.plot.labels["left"] == "ADC counts above baseline"


def test_what_is_shown_is_copied_as_a_table(view: WaveformView) -> None:
    view.copy_csv()
    lines = QApplication.clipboard().text().splitlines()
    assert "# run: 9001" in lines
    rows = [line for line in lines if not line.startswith("#")]
    assert "# heights: ADC counts above baseline" in lines
    assert rows[0] == "sample,time_ns,waveform,wf_trap"
    assert len(rows) == 1 + madeup.N_SAMPLES
    assert rows[2].startswith("1,16,")


def test_a_saved_waveform_is_named_by_its_detector(view: WaveformView) -> None:
    view.copy_csv()
    channel = view.browser.sample.channel
    assert f"# channel: {channel}" in QApplication.clipboard().text().splitlines()
    detectors = ChannelMap(Path("map.csv"), (Channel(0, 0, channel, "P42574A"),))
    view.bridge.change(changes.take_channel_map, detectors)
    view.copy_csv()
    lines = QApplication.clipboard().text().splitlines()
    assert "# channel: P42574A" in lines
    assert lines[0].endswith(", P42574A")


@pytest.mark.parametrize("suffix", ["png", "svg", "csv"])
def test_what_is_shown_is_saved(qtbot: QtBot, view: WaveformView, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"wave.{suffix}"
    view.exporter.save(view.exporter.picture(), path)
    qtbot.waitUntil(path.exists, timeout=30_000)


def test_a_saved_picture_has_the_colours_of_the_light_theme_and_the_points_of_the_plot(
    view: WaveformView,
) -> None:
    on_screen = {name: curve.opts["pen"].color().name() for name, curve in view.traces_picture.curves.items()}
    picture = view.exporter.picture()
    assert [one.color.lower() for one in picture.curves] == list(on_screen.values())
    assert len(set(on_screen.values())) > 1
    (level,) = [one for one in view.drawn_now.traces.levels if one.name == "trap_max"]
    assert picture.points == (level.point,)
    theme.apply("dark")
    assert [one.color for one in view.exporter.picture().curves] == [one.color for one in picture.curves]
    view.choose(hidden=frozenset(["trap_max"]))
    view.draw_if_due()
    assert view.exporter.picture().points == ()


def test_waveforms_laid_behind_are_in_the_table_sample_for_sample(qtbot: QtBot, view: WaveformView) -> None:
    view.resize(300, 300)  # so that they are drawn thinned
    view.choose(overlay=5)
    view.draw_if_due()
    qtbot.waitUntil(lambda: len(view.traces_picture.others) == 4)
    columns = dict(view.exporter.picture().columns)
    assert [name for name in columns if name.startswith("waveform")] == [
        "waveform",
        *(f"waveform_{number}" for number in range(2, 6)),
    ]
    others = view.browser.live.samples.of(None)[:-1]
    assert len(columns["waveform_2"]) == madeup.N_SAMPLES
    assert np.ptp(columns["waveform_2"]) == pytest.approx(np.ptp(others[0].waveform.astype(float)), abs=5)


@pytest.mark.parametrize("picture", ["density", "noise"])
def test_other_pictures_have_tables_too(qtbot: QtBot, view: WaveformView, picture: str) -> None:
    view.choose(picture=picture)
    view.draw_if_due()
    qtbot.waitUntil(lambda: view.exporter.picture() is not None)
    names = [name for name, _ in view.exporter.picture().columns]
    assert names[0] == {"density": "time (µs)", "noise": "frequency (MHz)"}[picture]


@pytest.mark.parametrize("is_log", [True, False])
def test_a_noise_spectrum_is_saved_as_far_as_it_is_on_view(
    qtbot: QtBot, view: WaveformView, is_log: bool
) -> None:
    view.choose(picture="noise", is_log=is_log)
    view.draw_if_due()
    qtbot.waitUntil(lambda: view.noise.spectra is not None)
    view.plot.box.setRange(xRange=(2, 5), yRange=(1, 3), padding=0)
    view.plot.box._mark_zoomed(x=True, y=True)
    picture = view.exporter.picture()
    assert picture.x_range == pytest.approx((2, 5))
    assert picture.y_range == pytest.approx((10, 1000) if is_log else (1, 3))


def test_a_saved_noise_spectrum_has_the_colours_of_the_light_theme(qtbot: QtBot, view: WaveformView) -> None:
    view.choose(picture="noise")
    view.draw_if_due()
    qtbot.waitUntil(lambda: view.noise.spectra is not None)
    plotted = (view.noise.picture.mean, view.noise.picture.one)
    on_screen = [curve.opts["pen"].color().name() for curve in plotted]
    colors = [curve.color.lower() for curve in view.exporter.picture().curves]
    assert colors == on_screen
    theme.apply("dark")
    assert [curve.color.lower() for curve in view.exporter.picture().curves] == colors


def test_a_mean_says_of_how_many_waveforms_it_is() -> None:
    one = NoiseSpectrum(np.zeros(2), np.zeros(2), (0, 2), 4278, "none", is_period_known=True, n_loud=37)
    assert mean_words(one) == "mean of 4278, 37 with a pulse in the baseline left out"
    assert mean_words(replace(one, n_loud=0)) == "mean of 4278"


def test_the_noise_of_whole_records_is_on_view_below_the_step_of_the_pulse(
    qtbot: QtBot, view: WaveformView
) -> None:
    view.choose(picture="noise", is_whole_record=True)
    view.draw_if_due()
    qtbot.waitUntil(lambda: view.noise.spectra is not None)
    view.draw_if_due()
    mean = view.noise.spectra[1].power[1:]
    low, _high = view.plot.box.viewRange()[1]
    assert low <= np.log10(np.median(mean))


def test_everything_stands_in_the_menu_with_its_key(view: WaveformView) -> None:
    keys = {
        action.shortcut().toString() for action in view.commands.walk() if not action.shortcut().isEmpty()
    }
    assert {QKeySequence(key).toString() for key, _ in view.SHORTCUTS} <= keys
    assert len(keys) == sum(not action.shortcut().isEmpty() for action in view.commands.walk())


def test_menus_say_what_is_chosen(view: WaveformView) -> None:
    view.choose(aligned_by="tp_50")
    menu = view.commands.find("Align").menu()
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["By tp_50"]


def test_other_heights_keep_the_zoom_in_time(view: WaveformView) -> None:
    view.plot.box.setXRange(14, 16, padding=0)
    view.plot.box._mark_zoomed(x=True, y=True)
    view.toggle_baseline()
    view.draw_if_due()
    assert (view.plot.box.zoomed_x, view.plot.box.zoomed_y) == (True, False)
    view.choose(aligned_by="tp_50")
    assert not view.plot.box.zoomed_x


def test_waveforms_laid_behind_are_thinned_but_keep_their_heights(qtbot: QtBot, view: WaveformView) -> None:
    view.resize(300, 300)
    view.choose(overlay=5)
    view.draw_if_due()
    qtbot.waitUntil(lambda: len(view.traces_picture.others) == 4)
    shaped = shape(view._neighbours._newest[2], view.session.chain, view.look)
    for curve, heights in zip(view.traces_picture.others, shaped.heights, strict=True):
        assert len(curve.yData) < madeup.N_SAMPLES
        assert curve.yData.max() == pytest.approx(heights[:-8].max())
