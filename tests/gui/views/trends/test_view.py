"""Tests the trends: what they follow, say and mark, and that they keep what a person chose to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.progress import Partial
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes, cut_changes
from pygama_gui.session.calibration_changes import take_calibration
from pygama_gui.session.state import Run, SpectrumChoice
from pygama_gui.views import following, madeup
from pygama_gui.views.trends.view import TrendsView, window_text
from pygama_gui.widgets.plot import Plot

WAIT_MS = 60_000


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> TrendsView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = TrendsView(bridge)
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    qtbot.waitExposed(made)
    return made


def run_of(
    n: int = 6000, *, n_channels: int = 2, step: float = 0.0, seed: int = 1, end: float = 600.0
) -> Partial:
    """Make events of ten minutes, of which the baseline moves by `step` half-way."""
    rng = np.random.default_rng(seed)
    partial = madeup.partial(n, seed=seed, n_channels=n_channels)
    partial.columns["time_s"] = np.sort(rng.uniform(0.0, end, n))
    partial.columns["bl_int"] = rng.normal(8000.0, 3.0, n) + step * (partial.columns["time_s"] > 300.0)
    return partial


def feed(qtbot: QtBot, view: TrendsView, partial: Partial, *, is_end: bool = True) -> None:
    run_id = view.bridge.take(1, partial)
    if is_end:
        view.bridge.take(1, madeup.end())
    view.bridge.data_grew.emit({run_id})
    n_rows = len(view.bridge.data[run_id].columns)
    view.bridge.jobs_changed.emit({run_id})
    qtbot.waitUntil(lambda: followed_rows(view) == n_rows, timeout=WAIT_MS)


def followed_rows(view: TrendsView) -> int:
    return view.shown[0][1].n_rows if view.shown else 0


def change(qtbot: QtBot, view: TrendsView, **values: object) -> None:
    """Change what is shown, and wait until it is followed."""
    view._change(**values)
    view.redraw()
    qtbot.waitUntil(lambda: not view._following._wanted and not view._following._is_busy, timeout=WAIT_MS)
    view.redraw()


def test_an_empty_view_says_how_to_fill_it(view: TrendsView) -> None:
    view.redraw()
    assert view.hint.text() == "Waiting for the first events…"


def test_rate_baseline_and_its_scatter_are_followed(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    shown = [kind for kind in view.plots if view._rows[kind].isVisible()]
    assert shown[:3] == ["rate", "baseline", "noise"]
    rate = view.plots["rate"].lines[0].series
    assert np.nansum(rate.values * 10) == pytest.approx(6000, rel=0.02)  # slices of 10 s cover ten minutes
    assert view.plots["rate"].labels["left"] == "Hz"


@pytest.mark.parametrize("width", [600, 380])  # its room in windows 1280 and 952 wide
def test_what_is_said_of_a_trend_is_whole_in_a_narrow_window(
    qtbot: QtBot, view: TrendsView, width: int
) -> None:
    view.resize(width, 660)
    feed(qtbot, view, run_of(step=4.0))
    view.redraw()
    assert [told.shown.replace("\n", " ") for told in view.told.values()] == [
        told.text() for told in view.told.values()
    ]
    told = view.told["baseline"]
    qtbot.waitUntil(lambda: told.height() >= 2 * told.fontMetrics().lineSpacing(), timeout=WAIT_MS)


def test_no_axis_shows_a_rate_or_a_noise_below_zero(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    plot = view.plots["rate"]
    few = replace(plot.lines[0], series=replace(plot.lines[0].series, errors=plot.lines[0].series.values + 5))
    plot.draw([few], "Hz", has_band=False)
    assert plot.box.viewRange()[1][0] == 0.0


def test_what_moved_is_said_with_time_and_significance(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of(step=5.0))
    words = view.told["baseline"].text()
    assert words.startswith("baseline +")
    assert (
        " since 10:28:20 UTC (" in words
        or " since 10:28:40 UTC (" in words
        or " since 10:28:00 UTC (" in words
    )
    assert "all channels: baseline +" in view.summary.text()
    assert "rate" in view.summary.text().partition("; ")[2]


def test_a_peak_of_several_channels_in_adc_counts_is_said_to_be_one(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    assert "▲ peaks of 2 channels together: the gain of one may move unseen" in view.summary.text()
    assert "gain" not in view.summary.text().partition("▲")[0], "a channel that left the peak is not seen"
    assert view.told["position"].text().endswith("choose one or each channel, or calibrate all")
    assert view.told["width"].text().endswith("what lies between the gains of the channels is in it")
    change(qtbot, view, channel=0)
    assert view.plots["position"].lines
    assert "▲" not in view.summary.text()
    change(qtbot, view, channel=None, is_apart=True)
    assert "▲" not in view.summary.text()


def test_a_peak_of_one_channel_or_in_kev_is_not_warned_of(qtbot: QtBot, view: TrendsView) -> None:
    curves = {f"0/0/{n}": ChannelCalibration(Curve((0.0, 0.07), np.zeros((2, 2)))) for n in range(2)}
    view.bridge.change(take_calibration, Calibration("trap_max", channels=curves))
    view.bridge.change(changes.show_spectrum, SpectrumChoice("trap_max_kev"))
    feed(qtbot, view, run_of())
    qtbot.waitUntil(lambda: bool(view.plots["position"].lines), timeout=WAIT_MS)
    assert view.plots["position"].lines[0].series.unit == "keV"
    assert "▲" not in view.summary.text()


def test_the_calibration_of_other_channels_does_not_take_the_peak_away(
    qtbot: QtBot, view: TrendsView
) -> None:
    other = {"5/1/7": ChannelCalibration(Curve((0.0, 0.07), np.zeros((2, 2))))}
    view.bridge.change(take_calibration, Calibration("trap_max", made_from=("Run1",), channels=other))
    view.bridge.change(changes.show_spectrum, SpectrumChoice("trap_max_kev"))
    feed(qtbot, view, run_of())
    qtbot.waitUntil(lambda: bool(view.plots["position"].lines), timeout=WAIT_MS)
    assert view.plots["position"].lines[0].series.unit == "ADC"


def test_a_steady_run_is_called_steady(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    assert view.told["baseline"].text().startswith("baseline steady · median ")


def test_slices_can_be_made_wider_and_narrower(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    width = view.shown[0][1].width
    view.slice_anew(1)
    assert view.choice.width is not None
    assert view.choice.width > width
    view.slice_anew(-1)
    assert view.choice.width == width


def test_the_keys_of_the_slices_are_those_of_the_bins(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    width = view.shown[0][1].width
    view.plots["rate"].setFocus()
    qtbot.keyClick(view.plots["rate"], Qt.Key.Key_BracketLeft)
    assert view.choice.width is not None
    assert view.choice.width < width


def test_the_newest_slice_is_drawn_when_the_run_has_ended(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of(), is_end=False)
    before = len(view.plots["rate"].lines[0].series.times)
    run_id = view.bridge.take(1, madeup.end())
    view.bridge.jobs_changed.emit({run_id})
    qtbot.waitUntil(lambda: len(view.plots["rate"].lines[0].series.times) == before + 1, timeout=WAIT_MS)


def test_a_zoom_in_time_is_shared_and_stays_while_the_run_grows(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of(2000, end=200.0), is_end=False)
    box = view.plots["baseline"].box
    box.setXRange(50.0, 100.0, padding=0)
    box._mark_zoomed(x=True)
    assert view.plots["rate"].box.viewRange()[0] == pytest.approx([50.0, 100.0])
    feed(qtbot, view, run_of(4000, seed=2), is_end=False)
    assert view.plots["rate"].box.viewRange()[0] == pytest.approx([50.0, 100.0])
    view.show_all()
    view.redraw()
    assert view.plots["noise"].box.viewRange()[0][1] > 500.0


def test_a_hidden_view_follows_nothing(qtbot: QtBot, view: TrendsView) -> None:
    view.hide()
    run_id = view.bridge.take(1, run_of())
    view.bridge.data_grew.emit({run_id})
    view.bridge.tick()
    assert not view._following._is_busy
    assert view.shown == []


def test_channels_are_gone_through_and_laid_over_each_other(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    view._next_channel(1)
    assert view.choice.is_apart
    change(qtbot, view)
    assert [line.name for line in view.plots["rate"].lines] == ["channel 0", "channel 1"]
    assert "channel 1" in view.key.text()
    view._next_channel(1)
    assert view.choice.channel == view.channels_offered[0]


def test_a_further_column_is_followed_with_its_scatter(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    change(qtbot, view, column="bl_slope")
    assert view._rows["column"].isVisible()
    series = view.plots["column"].lines[0].series
    assert series.scatter is not None
    assert np.nanmedian(series.scatter) == pytest.approx(1e-3, rel=0.1)


def test_values_outside_the_band_have_another_shape_and_are_counted(qtbot: QtBot, view: TrendsView) -> None:
    partial = run_of()
    late = (partial.columns["time_s"] > 400.0) & (partial.columns["time_s"] < 420.0)
    partial.columns["bl_int"][late] += 50.0
    feed(qtbot, view, partial)
    assert "2 slices outside the band" in view.told["baseline"].text()
    drawn = view.plots["baseline"]._drawn[0]
    assert len(drawn.outs.getData()[0]) == 2
    assert drawn.outs.opts["symbol"] != drawn.points.opts["symbol"]
    change(qtbot, view, has_band=False)
    assert len(drawn.outs.getData()[0] if drawn.outs.getData()[0] is not None else []) == 0
    assert not view.plots["baseline"].band.isVisible()


def test_the_band_can_come_from_the_run_before(
    qtbot: QtBot, view: TrendsView, a_run: Callable[..., Run]
) -> None:
    earlier = a_run(9000)
    view.bridge.change(changes.add_runs, [earlier])
    view.bridge.adopt(2, earlier)
    view.bridge.take(2, run_of(seed=5))
    view.bridge.take(2, replace(madeup.end(), outputs=(Path("t2_run9000.h5"),)))
    feed(qtbot, view, run_of(step=40.0))
    change(qtbot, view, n_reference=1)
    qtbot.waitUntil(lambda: "of Run 9000" in view.told["baseline"].text(), timeout=WAIT_MS)
    assert "30 slices outside the band" in view.told["baseline"].text()
    assert "outside" not in view.summary.text(), "half of the run lies inside"


def test_a_run_outside_the_band_of_the_one_before_is_told_in_the_summary(
    qtbot: QtBot, view: TrendsView, a_run: Callable[..., Run]
) -> None:
    earlier = a_run(9000)
    view.bridge.change(changes.add_runs, [earlier])
    view.bridge.adopt(2, earlier)
    view.bridge.take(2, run_of(seed=5))
    view.bridge.take(2, replace(madeup.end(), outputs=(Path("t2_run9000.h5"),)))
    partial = run_of()
    partial.columns["bl_int"] += 40.0
    feed(qtbot, view, partial)
    assert "outside" not in view.summary.text()
    change(qtbot, view, n_reference=1)
    qtbot.waitUntil(lambda: "▲ baseline outside the band of Run 9000" in view.summary.text(), timeout=WAIT_MS)


def test_without_an_earlier_run_the_band_is_said_to_be_missing(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    change(qtbot, view, n_reference=1)
    assert "no earlier run" in view.told["rate"].text()


def test_a_marked_time_is_shown_and_moves_by_slices(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    view.plots["rate"].box.region_dragged.emit(100.0, 160.0)
    view.redraw()
    assert view.choice.window == (100.0, 160.0)
    assert all(plot.window.isVisible() for kind, plot in view.plots.items() if kind != "column")
    assert view.cut_button.isVisible()
    width = view.shown[0][1].width
    view.nudge(1)
    assert view.choice.window == (100.0 + width, 160.0 + width)
    view.bridge.change(changes.show_trends, replace(view.choice, window=None))
    view.redraw()
    assert not view.plots["rate"].window.isVisible()


@pytest.mark.parametrize("height", [300, 900])
def test_the_times_stand_below_the_trends_in_a_window_of_any_height(
    qtbot: QtBot, view: TrendsView, height: int
) -> None:
    feed(qtbot, view, run_of())
    view.resize(700, height)
    view.redraw()
    rate, times = view.plots["rate"], view.times
    bar = view._area.verticalScrollBar()
    assert bar is not None
    qtbot.waitUntil(lambda: bar.isVisible() == (height == 300))
    assert times.isVisible()
    assert times.geometry().top() >= view._area.geometry().bottom()
    assert times.labels["bottom"].startswith("UTC, 2018-09-25")
    rate.box.setXRange(100.0, 200.0, padding=0)
    assert times.box.viewRange()[0] == pytest.approx([100.0, 200.0])

    def ends(plot: Plot) -> list[int]:
        seen = [plot.box.mapViewToScene(QPointF(seconds, 0.0)) for seconds in plot.box.viewRange()[0]]
        return [plot.mapTo(view, plot.mapFromScene(at)).x() for at in seen]

    qtbot.waitUntil(lambda: ends(rate) == pytest.approx(ends(times), abs=1))


def test_what_is_done_with_a_marked_time_is_offered_only_where_there_is_one(view: TrendsView) -> None:
    entries = [action for action in view.view_actions() if "mark" in action.text()]
    assert [action.isEnabled() for action in entries] == [True, False, False, False]  # the first gives up
    view._change(window=(100.0, 160.0))
    assert all(action.isEnabled() for action in entries)
    view._change(window=None)
    assert not entries[-1].isEnabled()


def test_the_axis_tells_utc_where_the_start_of_the_run_is_known(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    axis = view.plots["rate"].time_axis
    assert axis.start == 1537871000.0
    assert axis.tickStrings([0.0], 1.0, 1.0) == ["10:23:20"]
    ((step, ticks),) = axis.tickValues(0.0, 600.0, 500.0)
    assert step == 120.0
    assert axis.tickStrings(ticks, 1.0, step) == ["10:24", "10:26", "10:28", "10:30", "10:32"]


@pytest.mark.parametrize(("n", "has_numbers"), [(1, False), (6000, True)])
def test_the_axis_of_what_has_no_value_has_no_numbers(
    qtbot: QtBot, view: TrendsView, n: int, *, has_numbers: bool
) -> None:
    feed(qtbot, view, run_of(n))
    shown = [plot for kind, plot in view.plots.items() if view.is_shown(kind)]
    assert len(shown) > 1
    assert {plot.y_axis.style["showValues"] for plot in shown} == {has_numbers}


def test_a_run_of_one_event_is_drawn_without_fuss(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, madeup.partial(1))
    assert view.summary.text().endswith("too few events to tell") or "too few" in view.summary.text()


def test_a_marked_time_becomes_a_cut_that_all_views_follow(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    view.cut_window()
    assert view.session.cuts == ()  # nothing is marked yet
    view._change(window=(100.0, 160.0))
    view.redraw()
    view.cut_button.click()
    (cut,) = view.session.cuts
    assert (cut.name, cut.expression) == ("time", window_text((100.0, 160.0)))
    change(qtbot, view)
    rate = view.plots["rate"].lines[0].series
    outside = (rate.times < 100.0) | (rate.times > 160.0)
    assert rate.values[outside].max() == 0.0
    assert rate.values[~outside].mean() == pytest.approx(10.0, rel=0.2)
    view._change(window=(200.0, 300.0))
    view.cut_window()
    assert len({one.name for one in view.session.cuts}) == 2


def mark_and_cut(qtbot: QtBot, view: TrendsView, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mark the time from 100 to 200 s, make a cut of it, and have each move of the mouse heard."""
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)
    feed(qtbot, view, run_of())
    change(qtbot, view, window=(100.0, 200.0))
    view.cut_button.click()
    change(qtbot, view)


def test_a_marked_time_is_dragged_and_its_cut_goes_along(
    qtbot: QtBot, view: TrendsView, move_mouse: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_and_cut(qtbot, view, monkeypatch)
    plot = view.plots["rate"]
    (x0, x1), (y0, y1) = plot.box.viewRange()
    start, end = (
        plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, (y0 + y1) / 2))) for x in (150.0, 250.0)
    )
    qtbot.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=start)
    for x in (start.x() + 10, (start.x() + end.x()) // 2, end.x()):
        move_mouse(plot.viewport(), QPoint(x, start.y()))
    qtbot.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=end)
    window = view.choice.window
    assert window is not None
    per_px = (x1 - x0) / plot.box.width()
    assert window == pytest.approx((200.0, 300.0), abs=3 * per_px)
    assert window[1] - window[0] == pytest.approx(100.0)
    (cut,) = view.session.cuts
    assert cut.expression == window_text(window)
    assert (plot.box.zoomed_x, plot.box.zoomed_y) == (False, False)
    view.bridge.store.undo()
    assert view.session.cuts[0].expression == window_text((100.0, 200.0))


def test_escape_puts_a_marked_time_and_its_cut_back(
    qtbot: QtBot, view: TrendsView, move_mouse: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_and_cut(qtbot, view, monkeypatch)
    before, plot = view.session, view.plots["rate"]
    height = sum(plot.box.viewRange()[1]) / 2
    start, end = (plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, height))) for x in (150.0, 250.0))
    qtbot.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.6):
        move_mouse(plot.viewport(), start + (end - start) * share)
    assert view.session.cuts != before.cuts
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    move_mouse(plot.viewport(), end)
    qtbot.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=end)
    assert (view.session.cuts, view.choice.window) == (before.cuts, (100.0, 200.0))
    view.bridge.store.undo()
    assert view.session.cuts == ()


def test_a_new_mark_leaves_the_cut_of_the_last_one_alone(qtbot: QtBot, view: TrendsView) -> None:
    feed(qtbot, view, run_of())
    view._change(window=(100.0, 200.0))
    view.cut_window()
    view.plots["rate"].box.region_dragged.emit(300.0, 400.0)
    assert view.session.cuts[0].expression == window_text((100.0, 200.0))
    view.nudge(1)
    assert view.session.cuts[0].expression == window_text((100.0, 200.0))


def test_a_marked_time_reads_as_a_cut() -> None:
    assert window_text((100.0, 160.5)) == "100 <= time_s < 160.5"


def test_a_dragged_edge_is_followed_but_for_the_peak_which_comes_when_the_hand_rests(
    qtbot: QtBot, view: TrendsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LEAST_ROWS", 1)
    view.bridge.change(cut_changes.add_cut, "hand", "trap_max < 90000")
    feed(qtbot, view, run_of())
    own, live = view._following, view.bridge.data[view.session.selected]
    qtbot.waitUntil(
        lambda: own._trender.ready_for(live, view.shown[0][1]) is not None,
        timeout=WAIT_MS,
    )
    before = view.shown[0][1]
    heights = view.bridge.data[view.session.selected].columns.column("trap_max")
    limit = float(np.median(heights))
    own._hand._timer.setInterval(WAIT_MS)
    view.bridge.counting.serve_first("spectrum")
    view.bridge.change(cut_changes.edit_cut, "hand", f"trap_max < {limit}")
    qtbot.waitUntil(lambda: view.shown[0][1].late == ("position", "width"), timeout=WAIT_MS)
    moved = view.shown[0][1]
    assert moved.n_chosen == int((heights < limit).sum())
    assert moved.of("position") is before.of("position")
    assert view.told["position"].text().startswith("of the cuts before: ")
    assert view.plots["position"].frame.opacity() < view.plots["rate"].frame.opacity() == 1.0
    own._hand._timer.start(0)
    view.bridge.counting.serve_first("")
    qtbot.waitUntil(lambda: not view.shown[0][1].late, timeout=WAIT_MS)
    assert view.shown[0][1].n_chosen == moved.n_chosen
    assert view.plots["position"].frame.opacity() == 1.0
    assert not view.told["position"].text().startswith("of the cuts before")


def test_the_width_of_the_band_is_undone_by_its_name(view: TrendsView) -> None:
    before = view.choice
    words = {action.text().replace("&", ""): action for action in view.actions()}
    next(action for text, action in words.items() if text.startswith("Band of ") and "3" in text).trigger()
    assert view.choice.k == 3.0
    assert view.bridge.store.undo_label == "choose the reference band of the trends"
    view.bridge.store.undo()
    assert view.choice == before
