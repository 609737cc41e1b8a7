"""Tests fitting, searching, marking and reading out in the spectrum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt5.QtCore import QPointF, QRectF, Qt
from pytestqt.qtbot import QtBot

from pygama.analysis.fit_request import FitRequest
from pygama.analysis.search import FoundPeak
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes, cut_changes, fit_changes
from pygama_gui.session.state import Fit, Run
from pygama_gui.views import madeup
from pygama_gui.views.spectrum.drawing import Picture
from pygama_gui.views.spectrum.overlays import Over
from pygama_gui.views.spectrum.room import Room, words_item, write
from pygama_gui.views.spectrum.view import SpectrumView

LINE = 8670.0
WAIT_MS = 60_000


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> SpectrumView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.take(1, madeup.partial(20_000))
    made = SpectrumView(bridge)
    qtbot.addWidget(made)
    made.resize(800, 420)
    made.show()
    qtbot.waitExposed(made)
    made.redraw()
    return made


def wait_for_fits(qtbot: QtBot, view: SpectrumView, n: int) -> None:
    def are_there() -> bool:
        view.redraw()
        return len(view.peaks.shown_fits()) == n

    qtbot.waitUntil(are_there, timeout=WAIT_MS)


def test_a_double_click_on_a_peak_fits_it(qtbot: QtBot, view: SpectrumView) -> None:
    view.look_at(8000, 9500)
    view.redraw()
    view.plot.box.double_clicked.emit(QPointF(LINE, 5.0))
    wait_for_fits(qtbot, view, 1)
    (peak,) = view.peaks.chosen().peaks
    assert abs(peak.position - LINE) < 5 * peak.position_error
    assert [fit.name for fit in view.session.fits] == ["8670 ADC"] or view.session.fits[0].name.endswith(
        "ADC"
    )
    words = [item.toPlainText() for item in view.peaks._fits._words if item.isVisible()]
    assert any("FWHM" in text and "χ²/ndof" in text for text in words)


def test_a_double_click_above_the_curve_shows_all(view: SpectrumView) -> None:
    view.look_at(8000, 9500)
    view.redraw()
    view.plot.box.double_clicked.emit(QPointF(8200.0, 1e5))
    view.redraw()
    assert view.session.fits == ()
    assert view.plot.box.viewRange()[0][1] > 30_000


def test_the_region_is_fitted_with_the_peaks_in_it(qtbot: QtBot, view: SpectrumView) -> None:
    view.bridge.change(changes.mark_region, (8400.0, 8950.0))
    view.peaks.fit_region()
    wait_for_fits(qtbot, view, 1)
    (fit,) = view.session.fits
    assert (fit.request.low, fit.request.high) == (8400.0, 8950.0)
    view.peaks.fit_region()
    assert view.session.fits == (fit,)


def test_a_fit_that_gives_nothing_says_why_each_time(qtbot: QtBot, view: SpectrumView) -> None:
    told: list[tuple[str, str]] = []
    view.bridge.logged.connect(lambda text, level: told.append((text, level)))
    view.bridge.change(changes.mark_region, (61_000.0, 61_400.0))
    view.peaks.fit_region()
    view.redraw()
    qtbot.waitUntil(lambda: len(told) == 1, timeout=WAIT_MS)
    outcome = view.bridge.fitting.outcome(view.session.selected, "61\u202f200 ADC")
    assert outcome is not None
    assert told == [(f"Fit 61\u202f200 ADC: {outcome.why_not}", "warning")]
    view.peaks.fit_region()
    assert told == [told[0]] * 2
    view.bridge.change(fit_changes.set_fit_range, "61\u202f200 ADC", 8400.0, 8950.0)
    view.redraw()
    qtbot.waitUntil(lambda: len(told) == 3, timeout=WAIT_MS)
    assert told[-1] == ("Fit 61\u202f200 ADC is made now", "info")


def test_residuals_stand_below_a_fit_that_is_in_view(qtbot: QtBot, view: SpectrumView) -> None:
    view.look_at(8000, 9500)
    view.redraw()
    view.peaks.fit_at(LINE)
    wait_for_fits(qtbot, view, 1)
    assert view.strip.isVisible()
    assert view.strip.labels["left"] == "pull (σ)"
    view.choose(strip="nothing")
    view.redraw()
    assert not view.strip.isVisible()


def test_peaks_are_searched_in_view_and_taken_away(qtbot: QtBot, view: SpectrumView) -> None:
    view.peaks.search()
    qtbot.waitUntil(lambda: len(view.peaks.found) == 3, timeout=WAIT_MS)
    places = [peak.position for peak in view.peaks.found]
    assert places == pytest.approx([line for line, _ in madeup.LINES], rel=1e-3)
    view.redraw()
    assert len(view.peaks._marks._points.data) == 3
    told = [item.toPlainText() for item in view.peaks._marks._words if item.isVisible()]
    assert told and all(" ADC\n" in text and text.endswith("σ") for text in told)
    view.give_up()
    view.redraw()
    assert len(view.peaks._marks._points.data) == 0


def test_a_peak_that_is_fitted_is_not_marked_a_second_time(qtbot: QtBot, view: SpectrumView) -> None:
    view.peaks.fit_at(LINE)
    wait_for_fits(qtbot, view, 1)
    view.peaks.search()
    qtbot.waitUntil(lambda: len(view.peaks.found) == 3, timeout=WAIT_MS)
    view.redraw()
    marked = [peak.position for peak in view.peaks.unfitted()]
    assert len(view.peaks._marks._points.data) == len(marked) == 2
    assert not any(abs(place - LINE) < 100 for place in marked)


def test_all_peaks_in_view_are_fitted_and_undone_at_once(qtbot: QtBot, view: SpectrumView) -> None:
    view.peaks.fit_found()
    wait_for_fits(qtbot, view, 3)
    view.bridge.store.undo()
    assert view.session.fits == ()


def test_where_no_peak_is_in_view_fitting_all_says_so(qtbot: QtBot, view: SpectrumView) -> None:
    told: list[str] = []
    view.bridge.logged.connect(lambda text, _level: told.append(text))
    view.look_at(20_000, 21_000)
    view.peaks.fit_found()
    qtbot.waitUntil(lambda: told == ["No peak stands out from what is in view"], timeout=WAIT_MS)
    assert view.session.fits == ()


def test_a_fit_of_all_in_view_that_fails_is_told_and_not_kept(qtbot: QtBot, view: SpectrumView) -> None:
    told: list[str] = []
    view.bridge.logged.connect(lambda text, _level: told.append(text))
    view.peaks.found = tuple(FoundPeak(at, 1.0, 50.0, 100.0, 9.0) for at in (LINE, 30_000.0))
    view.peaks.fit_found()
    wait_for_fits(qtbot, view, 1)
    assert len(view.session.fits) == 1
    (why,) = told
    assert why.startswith("Fit 30\u202f000 ADC is not kept: ")


def test_where_events_pile_up_at_the_end_of_the_range_nothing_is_fitted(
    qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    made = madeup.partial(20_000)
    heights = made.columns["trap_max"]
    heights[::100] = np.random.default_rng(1).normal(57_500.0, 8.0, 200)
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.take(1, made)
    view = SpectrumView(bridge)
    qtbot.addWidget(view)
    view.resize(800, 420)
    view.show()
    view.redraw()
    told: list[str] = []
    bridge.logged.connect(lambda text, _level: told.append(text))
    view.peaks.fit_found()
    wait_for_fits(qtbot, view, 3)
    assert not [fit for fit in view.session.fits if fit.request.high > 50_000]
    assert [text for text in told if "57\u202f50" in text and "at the end of the range" in text]


def test_keys_are_about_the_place_under_the_mouse_also_after_a_zoom(view: SpectrumView) -> None:
    view.look_at(8000, 9500)
    view.redraw()
    at = view.plot.box.mapViewToScene(QPointF(8750.0, 5.0))
    view.plot.scene().sigMouseMoved.emit(at)
    assert view.peaks.here == pytest.approx(8750.0)
    view.look_at(30_000, 45_000)
    view.redraw()
    assert view.peaks.here == pytest.approx(37_500.0)
    view.peaks.mark()
    assert view.session.spectrum.markers == (pytest.approx(37_500.0),)


def test_markers_are_set_at_the_cursor_and_removed_there(view: SpectrumView) -> None:
    view.peaks.read_out(8400.0)
    view.peaks.mark()
    assert view.session.spectrum.markers == (8400.0,)
    view.remove_under_mouse()
    assert view.session.spectrum.markers == ()


def test_a_ctrl_click_reads_out_and_arrows_move_it_by_a_bin(qtbot: QtBot, view: SpectrumView) -> None:
    view.look_at(8000, 9500)
    view.redraw()
    at = view.plot.mapFromScene(view.plot.box.mapViewToScene(QPointF(LINE, 5.0)))
    qtbot.mouseClick(view.plot.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at)
    qtbot.waitUntil(lambda: view.peaks.cursor is not None, timeout=WAIT_MS)
    before = view.peaks.cursor
    assert before == pytest.approx(LINE, abs=5)
    view.redraw()
    assert "counts" in view.peaks._reading._items[0][1].toPlainText()
    view.nudge(2)
    width = view.picture.edges[1] - view.picture.edges[0]
    assert view.peaks.cursor == pytest.approx(before + 2 * width)


def test_integrating_marks_the_peak_at_the_cursor_then_tells_it(qtbot: QtBot, view: SpectrumView) -> None:
    view.look_at(8000, 9500)
    view.redraw()
    view.peaks.read_out(LINE)
    view.peaks.integrate()
    qtbot.waitUntil(lambda: view.session.spectrum.roi is not None, timeout=WAIT_MS)
    low, high = view.session.spectrum.roi
    assert low < LINE < high < low + 300
    lines: list[str] = []
    view.bridge.logged.connect(lambda text, _level: lines.append(text))
    view.peaks.integrate()
    qtbot.waitUntil(lambda: bool(lines), timeout=WAIT_MS)
    assert all(word in lines[-1] for word in ("net", "centroid", "FWHM", "FWTM", "counts/s"))


def test_fits_of_another_column_are_not_drawn(qtbot: QtBot, view: SpectrumView) -> None:
    view.peaks.fit_at(LINE)
    wait_for_fits(qtbot, view, 1)
    view.choose_column("bl_int")
    view.redraw()
    assert view.peaks.shown_fits() == []


def test_what_is_written_beside_the_region_is_counted_between_its_very_ends(
    qtbot: QtBot, view: SpectrumView
) -> None:
    roi = (8601.3, 8740.9)
    view.bridge.change(changes.mark_region, roi)
    view.redraw()
    qtbot.waitUntil(lambda: not view.bridge.fitting.is_to_be_measured(view.session.selected), timeout=WAIT_MS)
    values = view.bridge.live(view.session.selected).columns.column("trap_max")
    found = view.measured(roi)
    assert found is not None
    assert found.gross == ((values >= roi[0]) & (values < roi[1])).sum()


def test_a_region_is_kept_by_the_name_of_its_place_and_drawn(view: SpectrumView) -> None:
    view.bridge.change(changes.mark_region, (8600.0, 8740.0))
    view.peaks.keep_region()
    (kept,) = view.session.regions
    assert (kept.name, kept.low, kept.high, kept.column) == ("8670 ADC", 8600.0, 8740.0, "trap_max")
    view.bridge.change(changes.mark_region, None)
    view.redraw()
    drawn = [line.value() for line, _ in view.peaks._kept._items if line.isVisible()]
    assert drawn == [8600.0, 8740.0]
    view.look_at_fit(kept)
    assert view.session.spectrum.roi == (8600.0, 8740.0)


def test_words_of_fits_that_are_not_chosen_wait_for_room(qtbot: QtBot, view: SpectrumView) -> None:
    view.peaks.fit_found()
    wait_for_fits(qtbot, view, 3)

    def written() -> list[str]:
        return [item.toPlainText() for item in view.peaks._fits._words if item.isVisible()]

    chosen = view.session.fit
    assert len(written()) == 1
    digits = ["".join(filter(str.isdecimal, text))[:3] for text in (written()[0], chosen)]
    assert digits[0] == digits[1]
    (low, high), _ = view.plot.box.viewRange()
    for fit in view.session.fits:
        if fit.name != chosen:
            middle = 0.5 * (fit.request.low + fit.request.high)
            view.look_at(middle - 1000, middle + 1000)
            view.redraw()
            assert len(written()) == 1


def test_words_of_a_region_out_of_view_are_not_written(view: SpectrumView) -> None:
    view.bridge.change(changes.mark_region, (8300.0, 9000.0))
    view.redraw()
    assert view.region.words.isVisible()
    view.look_at(2000, 4000)
    view.redraw()
    assert not view.region.words.isVisible()
    view.show_region()
    view.redraw()
    assert view.region.words.isVisible()


def test_a_low_view_keeps_its_height_for_the_spectrum(qtbot: QtBot, view: SpectrumView) -> None:
    view.look_at(8000, 9500)
    view.redraw()
    view.peaks.fit_at(LINE)
    wait_for_fits(qtbot, view, 1)
    assert view.strip.isVisible()
    view.resize(800, 240)
    view.redraw()
    assert not view.strip.isVisible()
    view.resize(800, 420)
    view.redraw()
    assert view.strip.isVisible()


def covered(view: SpectrumView, item: pg.TextItem) -> bool:
    """Tell whether words lie over the curve."""
    picture = view.picture
    assert picture is not None
    room = Room(view.plot)
    area = item.boundingRect()
    low, foot = item.pos().x(), item.pos().y()
    high = low + area.width() * room.per_x
    inside = (picture.edges[1:] > low) & (picture.edges[:-1] < high)
    return bool((picture.heights(is_log=view.choice.is_log)[inside] > foot).any())


def test_words_of_peaks_do_not_cover_the_spectrum_seen_whole(qtbot: QtBot, view: SpectrumView) -> None:
    view.peaks.search()
    qtbot.waitUntil(lambda: bool(view.peaks.found), timeout=WAIT_MS)
    view.redraw()
    shown = [item for item in view.peaks._marks._words if item.isVisible()]
    assert len(shown) > 1
    assert not any(covered(view, item) for item in shown)
    view.peaks.fit_found()
    qtbot.waitUntil(lambda: len(view.session.fits) > 1, timeout=WAIT_MS)
    wait_for_fits(qtbot, view, len(view.session.fits))
    (words,) = [item for item in view.peaks._fits._words if item.isVisible()]
    assert not covered(view, words)


def test_the_height_of_a_picture_is_that_of_its_highest_curve() -> None:
    counts, over = np.array([4.0, 1.0, 2.0]), Over("other run", np.array([1.0, 3.0, 0.0]), 2.0)
    picture = Picture(np.arange(4.0), counts, 0.5, (over,), np.array([5.0, 1.0, 8.0]))
    assert picture.heights(is_log=False).tolist() == [2.5, 3.0, 4.0]


def test_words_go_below_an_area_that_is_kept_free(view: SpectrumView) -> None:
    room, item = Room(view.plot), words_item(view.plot, 1)
    write(item, "Tl-208 2614.5", "text")
    box = view.plot.box
    room.close(QRectF(box.width() / 2, 0.0, box.width() / 2, 90.0))
    assert room.place(item, room.right, room.top, is_beside=True)
    assert item.pos().y() + item.boundingRect().height() * room.per_y <= room.top - 89.9 * room.per_y
    other = words_item(view.plot, 1)
    write(other, "Tl-208 583.2", "text")
    assert room.place(other, room.left, room.top, is_beside=True)
    assert other.pos().y() == pytest.approx(room.top - other.boundingRect().height() * room.per_y)


def test_names_of_lines_do_not_lie_over_what_can_be_dragged(view: SpectrumView) -> None:
    view.look_at(8000, 9500)
    view.redraw()
    item = words_item(view.plot, 20)
    write(item, "Tl-208 2614.5", "soft")

    def placed(*uprights: float) -> tuple[float, float]:
        room = Room(view.plot)
        room.spare(uprights)
        assert room.place(item, LINE, room.top, is_beside=True)
        return item.pos().x() - LINE, item.boundingRect().width() * room.per_x

    assert placed()[0] == 0
    begins, width = placed(LINE + 20)
    assert begins == pytest.approx(-width)
    begins, width = placed(LINE - 20, LINE + 20)
    assert begins == pytest.approx(20)
    for end in np.linspace(19, 20, 9):
        begins, width = placed(LINE - end - 0.01, LINE - end, LINE + end, LINE + end + 10)
        assert begins == pytest.approx(-end - width)


def test_words_of_a_peak_at_the_top_stand_beside_it(view: SpectrumView) -> None:
    room, item = Room(view.plot), words_item(view.plot, 1)
    write(item, "123 ADC", "text")
    width = item.boundingRect().width() * room.per_x
    middle, top = (room.left + room.right) / 2, room.top - room.per_y
    bin_width = (room.right - room.left) / 101
    edges = room.left + bin_width * np.arange(102)
    heights = np.zeros(101)
    heights[50] = top
    room.lay(edges, heights)
    assert room.place_at_peak(item, middle, top, bin_width)
    assert item.pos().x() > middle
    other = words_item(view.plot, 1)
    write(other, "456 ADC", "text")
    assert room.place_at_peak(other, middle, top, bin_width)
    assert other.pos().x() + width < middle


@pytest.mark.parametrize("half", [100, 150, 400])
def test_words_of_a_fit_do_not_lie_over_its_own_ends(qtbot: QtBot, view: SpectrumView, half: float) -> None:
    view.look_at(7500, 10_000)
    request = FitRequest(LINE - half, LINE + half, (LINE,))
    view.bridge.change(fit_changes.add_fits, [Fit("line", "trap_max", request)])
    wait_for_fits(qtbot, view, 1)
    view.redraw()
    (item,) = [one for one in view.peaks._fits._words if one.isVisible()]
    ends = view.peaks.fit_ends.shown
    assert len(ends) == 2
    low, room = item.pos().x(), Room(view.plot)
    width = item.boundingRect().width() * room.per_x
    assert not any(low < end < low + width for end in ends)
    view.bridge.change(changes.mark_region, (LINE - 0.9 * half, LINE + 0.9 * half))
    view.redraw()
    low = item.pos().x()
    px = 1.01 * room.per_x
    assert not any(low + px < end < low + width - px for end in (*ends, *(view.choice.roi or ())))


@pytest.fixture
def fitted(qtbot: QtBot, view: SpectrumView) -> SpectrumView:
    """Show a fit of a peak that was asked for."""
    view.look_at(8000, 9500)
    view.bridge.change(fit_changes.add_fits, [Fit("line", "trap_max", FitRequest(8400, 8950, (LINE,)))])
    wait_for_fits(qtbot, view, 1)
    return view


def range_of(view: SpectrumView) -> tuple[float, float]:
    """Give the range of the only fit."""
    return view.session.fits[0].request.low, view.session.fits[0].request.high


def test_the_mouse_drags_an_end_of_a_fit_which_is_redone_and_undone_at_once(
    qtbot: QtBot, fitted: SpectrumView, move_mouse: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)
    fitted.bridge.change(changes.mark_region, (8400.0, 8950.0))
    fitted.redraw()
    plot, place = fitted.plot, fitted.plot.viewport()
    height = sum(plot.box.viewRange()[1]) / 2
    start, end = (plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, height))) for x in (8950, 9200))
    move_mouse(place, start)
    qtbot.mousePress(place, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.6, 1.0):
        move_mouse(place, start + (end - start) * share)
    qtbot.mouseRelease(place, Qt.MouseButton.LeftButton, pos=end)
    low, high = range_of(fitted)
    assert (low, high) == (8400, pytest.approx(9200, abs=5))
    assert fitted.choice.roi == (8400.0, 8950.0)

    def is_redone() -> bool:
        fitted.redraw()
        return bool(fitted.peaks.chosen().edges[-1] > 9150)

    qtbot.waitUntil(is_redone, timeout=WAIT_MS)
    assert fitted.bridge.store.undo_label == "change range of fit (line)"
    fitted.bridge.store.undo()
    assert range_of(fitted) == (8400, 8950)


@pytest.mark.parametrize(
    ("what", "at"), [("fit", 8950.0), ("region", 8600.0), ("region", 8650.0), ("cut", 9100.0)]
)
def test_escape_puts_back_what_the_mouse_holds(
    qtbot: QtBot,
    fitted: SpectrumView,
    move_mouse: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    at: float,
) -> None:
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)
    bridge, plot, place = fitted.bridge, fitted.plot, fitted.plot.viewport()
    bridge.change(cut_changes.add_cut, "peak", "9100 <= trap_max < 9200")
    bridge.change(changes.mark_region, (8600.0, 8700.0))
    bridge.change(fit_changes.set_fit_range, "line", 8400.0, 8950.0, merge="range line")
    fitted.redraw()
    before, label = bridge.session, bridge.store.undo_label
    height = sum(plot.box.viewRange()[1]) / 2
    start, end = (plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, height))) for x in (at, at + 70))
    move_mouse(place, start)
    qtbot.mousePress(place, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.6):
        move_mouse(place, start + (end - start) * share)
    moved = fitted.region.item.getRegion() if what == "region" else bridge.session
    assert moved != ((8600.0, 8700.0) if what == "region" else before)
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    move_mouse(place, end)
    qtbot.mouseRelease(place, Qt.MouseButton.LeftButton, pos=end)
    fitted.redraw()
    assert (bridge.session.fits, bridge.session.cuts) == (before.fits, before.cuts)
    assert bridge.session.spectrum == before.spectrum
    assert fitted.region.item.getRegion() == (8600.0, 8700.0)
    assert bridge.store.undo_label == label
    assert bridge.store.redo_label == ""


def test_dragging_one_end_of_a_fit_leaves_the_other_where_it_was(fitted: SpectrumView) -> None:
    fitted.bridge.change(fit_changes.set_fit_range, "line", 8400.123, 8950.0)
    fitted.redraw()
    fitted.peaks.fit_ends.item.lines[1].setValue(9100)
    low, high = range_of(fitted)
    assert low == 8400.123
    assert high == pytest.approx(9100, abs=1)


def test_an_end_of_a_fit_stops_before_its_peak(fitted: SpectrumView) -> None:
    fitted.peaks.fit_ends.item.lines[0].setValue(8800)
    low, high = range_of(fitted)
    assert LINE - 2 < low < LINE
    assert high == 8950


def test_keys_move_one_end_of_a_fit_then_the_other_then_both(fitted: SpectrumView) -> None:
    width = fitted.picture.edges[1] - fitted.picture.edges[0]
    fitted.peaks.fit_ends.take_next()
    fitted.redraw()
    assert "lower end of the fit" in fitted.controls.info.text()
    assert fitted.controls.info.short == "← → lower end of the fit"
    fitted.nudge(-1)
    assert range_of(fitted) == (pytest.approx(8400 - width), 8950)
    fitted.peaks.fit_ends.take_next()
    fitted.nudge(10)
    assert range_of(fitted) == (pytest.approx(8400 - width), pytest.approx(8950 + 10 * width))
    fitted.peaks.fit_ends.take_next()
    fitted.nudge(1)
    assert range_of(fitted) == (pytest.approx(8400), pytest.approx(8950 + 11 * width))
    fitted.bridge.store.undo()
    assert range_of(fitted) == (pytest.approx(8400 - width), pytest.approx(8950 + 10 * width))
    fitted.bridge.store.redo()
    fitted.give_up()
    before = fitted.plot.box.viewRange()[0]
    fitted.nudge(1)
    assert range_of(fitted)[0] == pytest.approx(8400)
    assert fitted.plot.box.viewRange()[0] != before


def test_ends_of_a_fit_that_lie_too_close_are_not_in_the_way(fitted: SpectrumView) -> None:
    assert fitted.peaks.fit_ends.item.isVisible()
    fitted.show_all()
    fitted.redraw()
    assert not fitted.peaks.fit_ends.item.isVisible()
    fitted.peaks.fit_ends.take_next()
    fitted.redraw()
    assert fitted.peaks.fit_ends.item.isVisible()
