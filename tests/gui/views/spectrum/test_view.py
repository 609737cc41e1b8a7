"""Tests the spectrum: what it counts, and that it keeps what a person chose to see."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from pygama.progress import Partial
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes, cut_changes
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.spectrum.region import region_words
from pygama_gui.views.spectrum.view import SpectrumView


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> SpectrumView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = SpectrumView(bridge)
    qtbot.addWidget(made)
    made.resize(700, 420)
    made.show()
    qtbot.waitExposed(made)
    return made


def feed(view: SpectrumView, partial: Partial) -> None:
    run_id = view.bridge.take(1, partial)
    view.bridge.data_grew.emit({run_id})
    view.draw_if_due()


def shown_counts(view: SpectrumView) -> int:
    histogram = view._histogram
    assert histogram is not None
    return histogram.n_values


def zoom(view: SpectrumView, low: float, high: float) -> None:
    view.plot.box.setXRange(low, high, padding=0)
    view.plot.box._mark_zoomed(x=True)
    view.redraw()


def test_every_row_is_counted_once(view: SpectrumView) -> None:
    feed(view, madeup.partial(300, seed=1))
    feed(view, madeup.partial(200, seed=2))
    view.redraw()
    assert shown_counts(view) == 500


def test_the_zoom_of_a_person_stays_while_the_run_grows(view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    view.plot.box.setXRange(8000, 9500, padding=0)
    view.plot.box._mark_zoomed(x=True)
    feed(view, madeup.partial(300, seed=2))
    assert view.plot.box.viewRange()[0] == pytest.approx([8000, 9500])
    view.show_all()
    view.draw_if_due()
    assert view.plot.box.viewRange()[0][1] > 30_000


@pytest.mark.parametrize("other", [{"channel": 1}, {"width": 1000.0}, {"is_apart": True}])
def test_heights_that_were_zoomed_are_fitted_to_another_channel_and_other_bins(
    view: SpectrumView, other: dict[str, Any]
) -> None:
    feed(view, madeup.partial(4000, n_channels=3))
    zoom(view, 2000, 9500)
    view.plot.box.setYRange(0, 1e6, padding=0)
    view.plot.box._mark_zoomed(y=True)
    feed(view, madeup.partial(300, n_channels=3, seed=2))
    assert view.plot.box.viewRange()[1][1] == pytest.approx(1e6)
    view.choose(**other)
    view.redraw()
    assert view.plot.box.viewRange()[0] == pytest.approx([2000, 9500])
    assert view.plot.box.viewRange()[1][1] < 5000


def looked_at(view: SpectrumView, run: Run) -> tuple[float, float]:
    view.bridge.change(changes.select_run, run.run_id)
    view.redraw()
    return view.plot.box.viewRange()[0]


def test_another_run_is_shown_where_somebody_looks_unless_it_has_nothing_there(
    view: SpectrumView, a_run: Callable[..., Run]
) -> None:
    feed(view, madeup.partial(2000))
    first, second, small = view.session.selected_run, a_run(72), a_run(73)
    for job_id, run, scale in ((2, second, 1.0), (3, small, 0.01)):
        view.bridge.change(changes.add_runs, [run])
        view.bridge.adopt(job_id, run)
        theirs = madeup.partial(2000, seed=job_id)
        theirs.columns["trap_max"] = scale * theirs.columns["trap_max"]
        view.bridge.take(job_id, theirs)
    looked_at(view, first)
    zoom(view, 8000, 9500)
    assert looked_at(view, second) == pytest.approx([8000, 9500])
    assert looked_at(view, small)[1] < 1000


def test_bins_suit_what_is_in_view(view: SpectrumView) -> None:
    feed(view, madeup.partial(20_000))
    view.redraw()
    wide = view._factor
    zoom(view, 8000, 9500)
    assert view._factor < wide / 4


def test_bins_stay_fine_when_a_zoomed_run_begins_anew(view: SpectrumView) -> None:
    partial = madeup.partial(20_000)
    feed(view, partial)
    zoom(view, 8000, 9500)
    fine = view._factor
    view.bridge.adopt(1, view.session.runs[0])
    feed(view, madeup.partial(20))
    feed(view, partial)
    view.redraw()
    assert view._factor == fine


def test_a_run_that_begins_anew_is_counted_anew(view: SpectrumView) -> None:
    for n in (300, 200, 100):
        view.bridge.adopt(1, view.session.runs[0])
        feed(view, madeup.partial(n))
        assert shown_counts(view) == n


def test_one_event_stands_in_a_range_that_can_be_read(view: SpectrumView) -> None:
    partial = madeup.partial(1)
    partial.columns["trap_max"][:] = 8262.0
    feed(view, partial)
    (low, high), _ = view.plot.box.viewRange()
    assert 10 < high - low < 1000
    assert low < 8262 < high


def test_a_channel_that_the_run_lacks_shows_all(view: SpectrumView) -> None:
    view.bridge.change(changes.show_spectrum, view.choice.__class__(channel=77))
    feed(view, madeup.partial(300, n_channels=2))
    assert shown_counts(view) == 300


def test_each_channel_is_drawn_for_itself(view: SpectrumView) -> None:
    partial = madeup.partial(600, n_channels=3)
    feed(view, partial)
    view.controls.choose_channel(1)
    view.redraw()
    assert {over.name: int(over.counts.sum()) for over in view.picture.over} == {
        f"channel {n}": int((partial.columns["channel"] == n).sum()) for n in range(3)
    }
    assert not view.drawing.curve.isVisible()


def test_another_run_is_scaled_to_the_same_time(view: SpectrumView, a_run: Callable[..., Run]) -> None:
    other = a_run(72)
    view.bridge.change(changes.add_runs, [other])
    view.bridge.adopt(2, other)
    mine, theirs = madeup.partial(300), madeup.partial(400, seed=2)
    mine.columns["time_s"] = np.linspace(0.0, 2.0, 300)
    theirs.columns["time_s"] = np.linspace(0.0, 4.0, 400)
    view.bridge.take(2, theirs)
    feed(view, mine)
    view.bridge.change(changes.select_run, "2018-9-25-Th228Run9001")
    view.lay_beside(other.run_id)
    view.redraw()
    (over,) = view.picture.over
    assert over.name == "Run 72 × 0.500"
    assert over.heights.sum() == pytest.approx(200, rel=0.02)
    view.toggle_beside()
    view.redraw()
    assert view.picture.over == ()


@pytest.fixture
def compared(view: SpectrumView, a_run: Callable[..., Run]) -> SpectrumView:
    """The run of the view took 2 s and has 300 events; two others took 4 s and have 400 each."""
    mine = madeup.partial(300)
    mine.columns["time_s"] = np.linspace(0.0, 2.0, 300)
    feed(view, mine)
    for job_id, number in ((2, 72), (3, 73)):
        other = a_run(number)
        view.bridge.change(changes.add_runs, [other])
        view.bridge.adopt(job_id, other)
        theirs = madeup.partial(400, seed=number)
        theirs.columns["time_s"] = np.linspace(0.0, 4.0, 400)
        view.bridge.take(job_id, theirs)
        view.lay_beside(other.run_id)
    view.redraw()
    return view


def test_several_runs_are_laid_over_each_other(compared: SpectrumView) -> None:
    assert [over.name for over in compared.picture.over] == ["Run 72 × 0.500", "Run 73 × 0.500"]
    compared.toggle_beside()
    compared.redraw()
    assert compared.picture.over == ()
    compared.toggle_beside()
    compared.redraw()
    assert len(compared.picture.over) == 2


def test_the_legend_covers_no_words(compared: SpectrumView) -> None:
    right = compared.plot.box.viewRange()[0][1]
    compared.bridge.change(changes.set_markers, [0.9 * right, 0.97 * right])
    compared.redraw()
    assert compared.overlays.legend.isVisible()
    legend = compared.overlays.legend.mapRectToScene(compared.overlays.legend.boundingRect())
    shown = [text for _, text in compared.peaks._markers._items if text.isVisible()]
    assert len(shown) == 2
    assert not any(legend.intersects(text.mapRectToScene(text.boundingRect())) for text in shown)


def test_a_rate_adds_up_to_the_events_a_second(compared: SpectrumView) -> None:
    compared.toggle_rate()
    compared.redraw()
    picture = compared.picture
    width = picture.edges[1] - picture.edges[0]
    mine, theirs = (
        counts.sum() * picture.unit * width for counts in (picture.counts, picture.over[0].heights)
    )
    assert (mine, theirs) == pytest.approx((300 / 2.0, 400 / 4.0), rel=0.02)
    assert compared.plot.labels["left"] == "counts / ADC / s"


def test_a_cut_on_times_leaves_counts_and_says_so(qtbot: QtBot, compared: SpectrumView) -> None:
    compared.toggle_rate()
    compared.bridge.change(cut_changes.add_cut, "early", "time_s < 1", "#009E73")
    qtbot.waitUntil(lambda: compared.redraw() or not compared.picture.is_rate, timeout=60_000)
    assert compared.plot.labels["left"].startswith("counts / ")
    assert "/ s" not in compared.plot.labels["left"]
    assert "no rate: a cut chooses among times" in compared.controls.info.text()
    region = compared.measured((200.0, 600.0))
    assert region is not None
    assert math.isnan(region.rate)


def test_the_difference_to_another_run_is_drawn_below(compared: SpectrumView) -> None:
    compared.toggle_strip("difference")
    compared.redraw()
    assert compared.strip.isVisible()
    _, heights = compared.strip._curve.getData()
    assert np.nansum(heights) / 2 == pytest.approx(300 - 0.5 * 400, abs=8)
    compared.toggle_strip("difference")
    compared.redraw()
    assert not compared.strip.isVisible()


def test_a_drag_in_the_strip_zooms_the_spectrum(compared: SpectrumView) -> None:
    compared.toggle_strip("ratio")
    compared.redraw()
    compared.strip.box.setXRange(8000, 9000, padding=0)
    compared.strip.box._mark_zoomed(x=True)
    compared.redraw()
    assert compared.plot.box.viewRange()[0] == pytest.approx([8000, 9000])
    assert compared.strip.box.viewRange()[0] == pytest.approx([8000, 9000])


def test_the_next_highest_peak_comes_into_the_middle(view: SpectrumView) -> None:
    feed(view, madeup.partial(20_000))
    view.redraw()
    seen = []
    for _ in range(3):
        view.centre_on_peak()
        view.redraw()
        seen.append(sum(view.plot.box.viewRange()[0]) / 2)
    assert sorted(seen) == pytest.approx([position for position, _ in madeup.LINES], rel=0.02)


def test_giving_up_a_region_lets_a_drag_zoom_again(view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    view.begin_region()
    view.redraw()
    assert view.controls.info.text().startswith("Drag over the spectrum")
    view.give_up()
    view.redraw()
    assert not view.plot.box.is_region_wanted
    assert view.controls.info.text() == "300 events"


def test_arrows_move_the_picture_where_there_is_no_region(view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    zoom(view, 8000, 9000)
    view.nudge(1)
    assert view.plot.box.viewRange()[0] == pytest.approx([8100, 9100])


def test_a_channel_shows_only_its_own_rows(view: SpectrumView) -> None:
    partial = madeup.partial(400, n_channels=3)
    feed(view, partial)
    view.bridge.change(changes.show_spectrum, view.choice.__class__(channel=2))
    view.draw_if_due()
    assert shown_counts(view) == int((partial.columns["channel"] == 2).sum())


def test_another_column_begins_a_new_histogram(view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    view.bridge.change(changes.show_spectrum, view.choice.__class__(column="bl_int"))
    view.draw_if_due()
    assert view.plot.labels["bottom"] == "bl_int (ADC counts)"
    (low, high), _ = view.plot.box.viewRange()
    assert low < madeup.BASELINE < high


def test_the_axis_says_how_wide_a_bin_is(view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    view.bridge.change(changes.show_spectrum, view.choice.__class__(width=80.0))
    view.draw_if_due()
    assert view.plot.labels["left"] == "counts / 80 ADC"


def test_more_bins_are_narrower_by_two(view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    before = view._factor
    view.rebin(0.5)
    view.draw_if_due()
    assert view._factor == before // 2


def test_keys_for_fewer_bins_count_also_before_the_first_is_drawn(view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    before = view._factor
    view.rebin(0.5)
    view.rebin(0.5)
    view.draw_if_due()
    assert view._factor == before // 4


def test_logarithmic_counts_fit_the_axis(view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    view.toggle_log()
    view.draw_if_due()
    assert view.plot.y_axis.is_log
    assert view.plot.box.viewRange()[1][1] < 4


def test_a_region_is_measured_and_can_be_removed(view: SpectrumView) -> None:
    feed(view, madeup.partial(4000))
    view.plot.box.region_dragged.emit(8300.0, 9050.0)
    view.draw_if_due()
    assert view.session.spectrum.roi == (8300.0, 9050.0)
    assert "net" in view.region.words.toPlainText()
    view.choose(roi=None)
    view.draw_if_due()
    assert not view.region.words.isVisible()


def test_a_region_moves_by_whole_bins(view: SpectrumView) -> None:
    feed(view, madeup.partial(400))
    view.choose(roi=(8300.0, 9050.0), width=80.0)
    view.draw_if_due()
    view.nudge(2)
    assert view.session.spectrum.roi == pytest.approx((8460.0, 9210.0))


def test_what_a_region_holds_is_said_with_its_error() -> None:
    from pygama.analysis.regions import Region

    words = region_words(Region(325, 226, 21, 8673.04, 2.4, 59.9, 4.1), "ADC")
    assert words == "gross 325   net 226 ± 21\ncentroid 8673 ± 2 ADC\nFWHM 60 ± 4 ADC"
    alone = Region(12_325, math.nan, math.nan, why_no_net="a cut leaves nothing beside it")
    assert region_words(alone, "ADC") == "gross 12\u202f325\nno net: a cut leaves nothing beside it"


def test_values_that_are_not_there_are_said_not_drawn(view: SpectrumView) -> None:
    partial = madeup.partial(100)
    partial.columns["trap_max"][:7] = np.nan
    feed(view, partial)
    assert "7 without a value" in view.controls.info.text()


def test_an_empty_plot_says_how_to_fill_it(view: SpectrumView) -> None:
    view.redraw()
    assert view.plot._hint.text() == "Waiting for the first events…"


def test_a_region_is_marked_without_the_mouse(qtbot: QtBot, view: SpectrumView) -> None:
    feed(view, madeup.partial(300))
    zoom(view, 8000, 9000)
    view.plot.setFocus()
    qtbot.keyClick(view.plot, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert view.choice.roi is None
    qtbot.keyClick(view.plot, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert view.choice.roi == pytest.approx((8000, 9000))
    assert not view.plot.box.is_region_wanted
