"""Tests the plane: what it counts, what the mouse and the keys do, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.progress import Partial
from pygama_gui.bridge import Bridge
from pygama_gui.data.linked import Axis, Counter, Want
from pygama_gui.session import calibration_changes, changes
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.plane.view import Plane, PlaneView

WAIT_MS = 60_000
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def every_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no move of the mouse be passed over because it comes too soon after the last."""
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> PlaneView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = PlaneView(bridge)
    qtbot.addWidget(made, before_close_func=lambda widget: widget.bridge.close())
    made.resize(900, 620)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def feed(qtbot: QtBot, view: PlaneView) -> Callable[[Partial], Partial]:
    def take(partial: Partial) -> Partial:
        view.bridge.data_grew.emit({view.bridge.take(1, partial)})
        settle(qtbot, view)
        return partial

    return take


def settle(qtbot: QtBot, view: PlaneView) -> Plane:
    """Wait until what is wanted now was counted and drawn."""
    view.redraw()

    def is_counted() -> bool:
        live, plane = view.bridge.live(view.session.selected), view.plane
        if live is None or plane is None or plane.n_rows != len(live.columns):
            return False
        wanted = tuple(view.axes.of(live, name) for name in (view.x_name, view.y_name))
        return (plane.x, plane.y, plane.channel) == (*wanted, view.channel)

    qtbot.waitUntil(is_counted, timeout=WAIT_MS)
    assert view.plane is not None
    return view.plane


def widths(plane: Plane) -> list[float]:
    return [(axis.high - axis.low) / axis.n_bins for axis in (plane.x, plane.y)]


def pixel_of(view: PlaneView, x: float, y: float) -> QPoint:
    return view.plot.mapFromScene(view.box.mapViewToScene(QPointF(x, y)))


def drag(
    view: PlaneView, qtbot: QtBot, move: Callable[..., None], start: QPoint, end: QPoint, **keys: Any
) -> None:
    place = view.plot.viewport()
    modifier = keys.get("modifier", Qt.KeyboardModifier.NoModifier)
    qtbot.mousePress(place, LEFT, modifier, start)
    for share in (0.3, 0.6, 1.0):
        move(place, start + (end - start) * share, modifier)
    qtbot.mouseRelease(place, LEFT, modifier, end)


def test_every_row_is_counted_once(view: PlaneView, feed: Callable[[Partial], Partial]) -> None:
    partial = feed(madeup.shaped_partial(3000))
    plane = view.plane
    assert plane is not None
    assert (plane.x.column, plane.y.column) == ("trap_max", "a_over_e")
    (expected,) = Counter().count("all", partial.columns, None, [Want(plane.x, plane.y)])
    assert expected is not None
    np.testing.assert_array_equal(plane.counts, expected.counts)
    assert plane.n_inside > 2950
    assert plane.n_chosen == 3000


def test_new_rows_are_added(qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]) -> None:
    feed(madeup.shaped_partial(6000))
    feed(madeup.shaped_partial(400, seed=2))
    assert view.plane is not None
    assert view.plane.n_rows == 6400


def test_a_hidden_plane_counts_nothing(view: PlaneView, feed: Callable[[Partial], Partial]) -> None:
    feed(madeup.shaped_partial(3000))
    before = view.plane
    view.hide()
    asked: list[str] = []
    view.bridge.counting.count = lambda *_args, **_named: asked.append("asked")  # type: ignore[method-assign]
    view.bridge.data_grew.emit({view.bridge.take(1, madeup.shaped_partial(100, seed=2))})
    view.bridge.tick()
    assert (asked, view.plane) == ([], before)
    view.show()
    assert asked == ["asked"]


def test_a_growing_run_is_not_counted_at_every_tick(
    view: PlaneView, feed: Callable[[Partial], Partial], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(madeup.shaped_partial(3000))
    monkeypatch.setattr("pygama_gui.views.plane.view.time.monotonic", lambda: view._drawn_at + 0.1)
    view._is_due = False
    view.bridge.data_grew.emit({view.bridge.take(1, madeup.shaped_partial(100, seed=2))})
    assert view._later.isActive()
    assert not view._is_due


def test_dragging_to_the_right_zooms_to_the_band(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial], move_mouse: Callable[..., None]
) -> None:
    feed(madeup.shaped_partial(6000))
    drag(view, qtbot, move_mouse, pixel_of(view, 4000, 1.02), pixel_of(view, 20_000, 0.8))
    (x0, x1), (y0, y1) = view.box.viewRange()
    assert (x0, x1) == pytest.approx((4000, 20_000), rel=0.02)
    assert (y0, y1) == pytest.approx((0.8, 1.02), abs=0.01)
    plane = settle(qtbot, view)
    assert plane.x.low <= x0 < plane.x.low + 500
    assert plane.x.n_bins > 60


def test_the_wheel_zooms_x_and_with_shift_y(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000))
    at = pixel_of(view, 20_000, 0.9)
    spans = [view.box.viewRange()]
    for key in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
        place = view.plot.viewport()
        step = QPoint(0, 120)
        buttons, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(
            QPointF(at), QPointF(place.mapToGlobal(at)), QPoint(), step, buttons, key, phase, False
        )
        QApplication.sendEvent(place, event)
        spans.append(view.box.viewRange())
    (x0, y0), (x1, y1), (x2, y2) = [[high - low for low, high in ends] for ends in spans]
    assert x1 < 0.9 * x0
    assert y1 == y0
    assert x2 == x1
    assert y2 < 0.9 * y1


def test_a_flat_band_zooms_x_alone(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial], move_mouse: Callable[..., None]
) -> None:
    feed(madeup.shaped_partial(6000))
    height = view.box.viewRange()[1]
    drag(view, qtbot, move_mouse, pixel_of(view, 4000, 0.9), pixel_of(view, 20_000, 0.9))
    assert view.box.viewRange()[0] == pytest.approx([4000, 20_000], rel=0.02)
    assert view.box.viewRange()[1] == height
    assert (view.box.zoomed_x, view.box.zoomed_y) == (True, False)


def test_dragging_to_the_left_zooms_out(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial], move_mouse: Callable[..., None]
) -> None:
    feed(madeup.shaped_partial(6000))
    (x0, x1), _ = view.box.viewRange()
    drag(view, qtbot, move_mouse, pixel_of(view, 20_000, 0.9), pixel_of(view, 4000, 0.8))
    (low, high), _ = view.box.viewRange()
    assert high - low == pytest.approx(2 * (x1 - x0))


def test_the_zoom_of_a_person_stays_while_the_run_grows(
    view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000))
    view.box._zoom_to(view.box.viewRect().adjusted(5000, 0.1, -5000, -0.1), is_x=True, is_y=True)
    before = view.box.viewRange()
    feed(madeup.shaped_partial(6000, seed=2))
    assert view.box.viewRange() == before
    view.show_all()
    view.draw_if_due()
    assert view.box.viewRange()[0][0] == 0.0


def test_keys_change_the_bins_in_place(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000))
    first = settle(qtbot, view)
    view.plot.setFocus()
    qtbot.keyClick(view.plot, Qt.Key.Key_BracketLeft)
    finer = settle(qtbot, view)
    assert widths(finer) == pytest.approx([width / 2 for width in widths(first)])
    qtbot.keyClick(view.plot, Qt.Key.Key_BracketRight, Qt.KeyboardModifier.AltModifier)
    x_back = settle(qtbot, view)
    assert widths(x_back) == pytest.approx([widths(first)[0], widths(first)[1] / 2])
    qtbot.keyClick(view.plot, Qt.Key.Key_0)
    assert settle(qtbot, view).y == first.y


def test_a_channel_shows_only_its_own_rows(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    partial = feed(madeup.shaped_partial(3000, n_channels=3))
    view.plot.setFocus()
    qtbot.keyClick(view.plot, Qt.Key.Key_Period)
    qtbot.keyClick(view.plot, Qt.Key.Key_Period)
    assert settle(qtbot, view).n_chosen == int((partial.columns["channel"] == 1).sum())
    qtbot.keyClick(view.plot, Qt.Key.Key_Comma)
    qtbot.keyClick(view.plot, Qt.Key.Key_Comma)
    assert settle(qtbot, view).n_chosen == 3000


def test_the_range_suits_the_channel(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    partial = madeup.shaped_partial(3000, n_channels=2)
    of_one = partial.columns["channel"] == 1
    partial.columns["trap_max"][of_one] = np.linspace(100.0, 900.0, of_one.sum())
    feed(partial)
    assert view.box.viewRange()[0][1] > 10_000
    view.next_channel(-1)
    assert 900 < settle(qtbot, view).x.high < 1000


def test_the_columns_are_chosen_in_their_boxes(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(3000))
    view.bar.y.activated.emit(view.bar.y.findText("bl_int"))
    plane = settle(qtbot, view)
    assert plane.y.column == "bl_int"
    assert plane.y.low < madeup.BASELINE < plane.y.high
    assert view.plot.labels["left"] == "bl_int (ADC counts)"


def test_time_comes_and_goes_by_a_key(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(3000))
    view.plot.setFocus()
    qtbot.keyClick(view.plot, Qt.Key.Key_T)
    assert settle(qtbot, view).x.column == "time_s"
    qtbot.keyClick(view.plot, Qt.Key.Key_T)
    assert settle(qtbot, view).x.column == "trap_max"
    qtbot.keyClick(view.plot, Qt.Key.Key_S)
    swapped = settle(qtbot, view)
    assert (swapped.x.column, swapped.y.column) == ("a_over_e", "trap_max")


def test_a_run_without_the_column_says_so(view: PlaneView) -> None:
    view.bridge.take(1, madeup.partial(100))
    view.choose(y="a_over_e")
    view.redraw()
    assert view.plot._hint.text().startswith("The chain writes no a_over_e.")
    assert view.plane is None


def test_without_a_over_e_something_else_is_shown(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.partial(3000))
    assert view.y_name == "bl_int"


def test_the_cursor_reads_the_bin_under_it(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000))
    plane = settle(qtbot, view)
    at = np.unravel_index(np.argmax(plane.counts), plane.counts.shape)
    x, y = (
        (axis.edges[place] + axis.edges[place + 1]) / 2
        for axis, place in zip((plane.x, plane.y), at, strict=True)
    )
    view._moved(view.box.mapViewToScene(QPointF(x, y)))
    assert view.bar.info.text().startswith(f"{plane.counts.max()} events · trap_max ")
    view._moved(QPointF(-10.0, -10.0))
    assert view.bar.info.text().endswith("outside")


def test_projections_are_the_sums_of_what_is_in_view(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000))
    plane = settle(qtbot, view)
    _, heights = view.canvas.top.curve.getData()
    assert heights.max() == plane.counts.sum(axis=1).max()
    heights, _ = view.canvas.right.curve.getData()
    assert heights.max() == plane.counts.sum(axis=0).max()
    view.toggle("has_edges")
    view.draw_if_due()
    assert not view.canvas.top.isVisible()


def test_projections_see_what_the_plane_sees(view: PlaneView, feed: Callable[[Partial], Partial]) -> None:
    feed(madeup.shaped_partial(6000))
    view.box.setXRange(4000, 9000, padding=0)
    view.box.setYRange(0.9, 1.1, padding=0)
    assert view.canvas.top.box.viewRange()[0] == pytest.approx([4000, 9000])
    assert view.canvas.right.box.viewRange()[1] == pytest.approx([0.9, 1.1])


def test_few_events_are_points_and_a_click_chooses_one(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    partial = madeup.shaped_partial(300)
    partial.columns["trap_max"][7], partial.columns["a_over_e"][7] = 30_000.0, 0.55
    feed(partial)
    qtbot.waitUntil(lambda: view.points is not None, timeout=WAIT_MS)
    assert not view.canvas.image.isVisible()
    chosen: list[int] = []
    view.event_chosen.connect(chosen.append)
    qtbot.mouseClick(view.plot.viewport(), LEFT, pos=pixel_of(view, 30_000.0, 0.55))
    assert chosen == [int(partial.columns["event_number"][7])]
    assert view.canvas.chosen.getData()[0][0] == 30_000.0
    assert view.shown_event.peek.isVisible()
    assert view.shown_event.peek.words.startswith(f"event {chosen[0]} · channel ")
    qtbot.keyClick(view.plot, Qt.Key.Key_Escape)
    assert not view.shown_event.peek.isVisible()
    assert len(view.canvas.chosen.getData()[0]) == 0


def test_a_scale_of_colours_is_offered_where_there_are_colours(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(300))
    qtbot.waitUntil(lambda: view.points is not None, timeout=WAIT_MS)
    assert not view.bar.log.isEnabled()
    assert "one by one" in view.bar.log.toolTip()
    view.toggle_style()
    qtbot.waitUntil(lambda: view.points is None, timeout=WAIT_MS)
    qtbot.waitUntil(view.bar.log.isEnabled, timeout=WAIT_MS)


def test_many_events_are_no_points(qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]) -> None:
    feed(madeup.shaped_partial(6000))
    assert view.points is None
    assert view.canvas.image.isVisible()
    view.choose(style="points")
    settle(qtbot, view)
    assert "zoom in" in view.bar.info.text()


def test_the_profile_goes_round_by_a_key(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000))
    view.plot.setFocus()
    seen = []
    for _ in range(3):
        qtbot.keyClick(view.plot, Qt.Key.Key_O)
        settle(qtbot, view)
        drawn = [curve.getData()[0] for curve in (view.canvas.profile, view.canvas.profile_low)]
        seen.append((view.choice.profile, *(x is not None and len(x) > 10 for x in drawn)))
    assert seen == [("mean", True, False), ("median", True, True), ("", False, False)]


def test_the_wheel_on_the_scale_changes_its_top(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000))
    suited = view.canvas.bar.scale
    assert suited is not None
    view.canvas.bar.scaled.emit(2.0)
    view.draw_if_due()
    assert view.canvas.bar.scale is not None
    assert view.canvas.bar.scale.top == 2 * suited.top
    view.autoscale_z()
    view.draw_if_due()
    assert view.canvas.bar.scale == suited


def test_the_table_holds_every_bin_that_has_counts(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000))
    plane = settle(qtbot, view)
    view.exporter.copy()
    lines = QApplication.clipboard().text().splitlines()
    assert "# run: 9001" in lines
    table = [line for line in lines if not line.startswith("#")]
    assert table[0] == "trap_max,a_over_e,counts"
    assert sum(int(line.split(",")[2]) for line in table[1:]) == plane.n_inside


def test_what_is_normalised_is_saved_so(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial], tmp_path: Path
) -> None:
    feed(madeup.shaped_partial(6000))
    view.toggle("is_normalised")
    plane = settle(qtbot, view)
    picture = view.exporter.picture()
    assert picture is not None
    name, shares = picture.columns[-1]
    assert name == "percent of the slice"
    assert shares.sum() == pytest.approx(100 * np.count_nonzero(plane.counts.sum(axis=1)))
    view.exporter.save(picture, tmp_path / "plane.svg")
    qtbot.waitUntil(lambda: (tmp_path / "plane.svg").exists(), timeout=WAIT_MS)
    assert "percent of the slice" in (tmp_path / "plane.svg").read_text()


def test_the_plane_is_saved_as_a_picture(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial], tmp_path: Path
) -> None:
    feed(madeup.shaped_partial(6000))
    picture = view.exporter.picture()
    assert picture is not None
    view.exporter.save(picture, tmp_path / "plane.png")
    qtbot.waitUntil(lambda: (tmp_path / "plane.png").exists(), timeout=WAIT_MS)
    assert (tmp_path / "plane.png").read_bytes()[:4] == b"\x89PNG"


def test_the_axis_of_a_whole_number_column_has_a_bin_for_each(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    feed(madeup.shaped_partial(6000, n_channels=3))
    view.choose_y("channel")
    assert settle(qtbot, view).y == Axis("channel", -0.5, 2.5, 3)


def test_the_waveform_of_the_chosen_event_is_shown_and_opened(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    partial = madeup.shaped_partial(300)
    partial.columns["trap_max"][0], partial.columns["a_over_e"][0] = 30_000.0, 0.55
    feed(partial)
    qtbot.waitUntil(lambda: view.points is not None, timeout=WAIT_MS)
    qtbot.mouseClick(view.plot.viewport(), LEFT, pos=pixel_of(view, 30_000.0, 0.55))
    assert partial.waveforms is not None
    np.testing.assert_array_equal(view.shown_event.peek.waveform, partial.waveforms[0])
    with qtbot.waitSignal(view.waveform_asked, timeout=WAIT_MS):
        qtbot.mouseClick(view.shown_event.peek, LEFT)


def test_a_chosen_event_is_told_from_its_number_on_another_channel(
    qtbot: QtBot, view: PlaneView, feed: Callable[[Partial], Partial]
) -> None:
    partial = madeup.shaped_partial(300)
    for name, values in (("trap_max", (20_000.0, 30_000.0)), ("a_over_e", (0.55, 0.55)), ("channel", (0, 1))):
        partial.columns[name][:2] = values
    partial.columns["event_number"][:2] = 7
    feed(partial)
    qtbot.waitUntil(lambda: view.points is not None, timeout=WAIT_MS)
    qtbot.mouseClick(view.plot.viewport(), LEFT, pos=pixel_of(view, 30_000.0, 0.55))
    assert view.canvas.chosen.getData()[0][0] == 30_000.0


def test_energies_that_no_event_has_say_what_to_do(qtbot: QtBot, view: PlaneView) -> None:
    curve = ChannelCalibration(curve=Curve((0.0, 0.1), ((0.0, 0.0), (0.0, 0.0))))
    elsewhere = Calibration("trap_max", made_from=("Run1",), channels={"0/5/9": curve})
    view.bridge.change(calibration_changes.take_calibration, elsewhere)
    view.bridge.change(changes.show_plane, replace(view.session.plane, x="trap_max_kev", y="bl_int"))
    view.bridge.data_grew.emit({view.bridge.take(1, madeup.partial(500))})
    told = "trap_max is not calibrated for these channels.\nChoose trap_max, or calibrate it in Fits."
    qtbot.waitUntil(lambda: (view.redraw(), view.plot._hint.text() == told)[1], timeout=WAIT_MS)
