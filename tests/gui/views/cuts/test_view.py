"""Tests the panel of the cuts, and their ranges on the spectrum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration, MatchedLine
from pygama.analysis.curves import Curve
from pygama.analysis.cuts import Cut, load_cuts
from pygama.analysis.efficiency import peak_bands, survival_at
from pygama.analysis.fit_request import FitRequest
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes, cut_changes, fit_changes
from pygama_gui.session.calibration_changes import take_calibration
from pygama_gui.session.state import Fit, Run
from pygama_gui.views import madeup
from pygama_gui.views.cuts import cut_words
from pygama_gui.views.cuts.card import CutCard
from pygama_gui.views.cuts.view import CutsView, is_cuts, name_problem
from pygama_gui.views.spectrum.ranges import FAINT
from pygama_gui.views.spectrum.view import SpectrumView
from pygama_gui.widgets import words

N_ROWS = 4000
WAIT_MS = 60_000
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def live(bridge: Bridge, a_run: Callable[..., Run]) -> Bridge:
    """A bridge with a made-up run under way."""
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.take(1, madeup.partial(N_ROWS))
    return bridge


@pytest.fixture
def view(qtbot: QtBot, live: Bridge) -> Iterator[CutsView]:
    made = CutsView(live)
    qtbot.addWidget(made)
    made.resize(340, 700)
    made.show()
    qtbot.waitExposed(made)
    yield made


def column(bridge: Bridge, name: str) -> np.ndarray:
    return bridge.data[bridge.session.selected].columns.column(name)


def type_into(qtbot: QtBot, card: CutCard, text: str) -> None:
    card.field.setFocus()
    card.field.selectAll()
    qtbot.keyClicks(card.field, text)
    popup = card.field._completer.popup() if card.field._completer else None
    if popup is not None:
        popup.hide()


def test_the_example_of_a_cut_is_in_kev_where_the_run_is_calibrated(view: CutsView) -> None:
    bridge, run = view.bridge, view.session.selected_run
    assert run is not None
    assert "such as 8300 <= trap_max < 9050, or" in view.hint.text()
    curve = Curve((0.0, 0.1), ((0.0, 0.0), (0.0, 0.0)))
    places = ((583.2, True), (2614.5, True), (9000.0, False))
    lines = tuple(MatchedLine("", kev, 0.1, is_used=is_used) for kev, is_used in places)
    channels = {"0/0/0": ChannelCalibration(curve, lines)}
    bridge.change(take_calibration, Calibration("trap_max", made_from=run.raw_names, channels=channels))
    assert "such as 2604 <= trap_max_kev < 2624, or" in view.hint.text()


def test_a_typed_cut_is_added_with_a_colour_of_its_own(qtbot: QtBot, view: CutsView) -> None:
    for text in ("trap_max > 500", "trap_max < 9000"):
        view.new_field.setText(text)
        qtbot.keyClick(view.new_field, Qt.Key.Key_Return)
    cuts = view.session.cuts
    assert [(cut.name, cut.expression) for cut in cuts] == [
        ("cut1", "trap_max > 500"),
        ("cut2", "trap_max < 9000"),
    ]
    assert cuts[0].color != cuts[1].color
    assert view.new_field.text() == ""


def test_a_card_says_how_many_events_pass(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500")
    qtbot.waitUntil(lambda: view.found is not None, timeout=WAIT_MS)
    n = int((column(view.bridge, "trap_max") > 500).sum())
    assert 0 < n < N_ROWS
    assert view.cards[0].figures.text().startswith(f"{n} of 4000 · ")
    assert "pass all" in view.summary.text()


def test_what_is_typed_is_applied_while_it_makes_sense(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500")
    type_into(qtbot, view.cards[0], "trap_max > 7")
    assert view.session.cuts[0].expression == "trap_max > 7"
    assert view.bridge.store.undo_label == "change cut (cut1)"
    view.bridge.store.undo()
    assert view.session.cuts[0].expression == "trap_max > 500"
    assert view.cards[0].field.text() == "trap_max > 500"


def test_a_mistake_is_marked_at_its_character_and_changes_nothing(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500")
    card = view.cards[0]
    type_into(qtbot, card, "trap_max > (3")
    assert view.session.cuts[0].expression == "trap_max > 500"
    assert card.amiss.text().startswith("✕ not applied: ")
    assert card.field.wrong_at is not None
    assert card.field.accessibleDescription() == card.amiss.text()
    qtbot.keyClick(card.field, Qt.Key.Key_Escape)
    assert card.field.text() == "trap_max > 500"
    assert card.amiss.isHidden()


def test_an_unknown_column_is_told_and_taken_only_with_return(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500")
    card = view.cards[0]
    type_into(qtbot, card, "trap_mux > 3")
    assert view.session.cuts[0].expression == "trap_max > 500"
    assert "'trap_max'" in card.amiss.text()
    qtbot.keyClick(card.field, Qt.Key.Key_Return)
    assert view.session.cuts[0].expression == "trap_mux > 3"
    assert card.amiss.text().startswith("▲ not applied: column 'trap_mux' is not there")


def test_columns_cuts_and_functions_are_offered(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500", "trapped")
    view.new_field.setFocus()
    qtbot.keyClicks(view.new_field, "1 < tra")
    completer = view.new_field._completer
    assert completer is not None
    model = completer.completionModel()
    offered = [model.index(at, 0).data() for at in range(model.rowCount())]
    assert offered == ["trapped", "trap_max"]
    completer.activated[str].emit("trap_max")
    assert view.new_field.text() == "1 < trap_max"
    completer.popup().hide()


def test_the_region_of_the_spectrum_becomes_a_cut(view: CutsView) -> None:
    assert not view.region_button.isEnabled()
    view.bridge.change(changes.mark_region, (8300.0, 9050.0))
    assert view.region_button.isEnabled()
    view.region_button.click()
    assert view.session.cuts[0].expression == "8300 <= trap_max < 9050"


def test_the_same_region_is_no_second_cut(view: CutsView) -> None:
    view.bridge.change(changes.mark_region, (8300.0, 9050.0))
    view.take_region()
    view.add("trap_max < 5")
    view.take_region()
    assert [cut.expression for cut in view.session.cuts] == ["8300 <= trap_max < 9050", "trap_max < 5"]
    assert view.session.cut == view.session.cuts[0].name


def test_keys_switch_invert_copy_move_and_remove(qtbot: QtBot, view: CutsView) -> None:
    for name in ("a", "b"):
        view.add("trap_max > 500", name)
    view.bridge.change(cut_changes.choose_cut, "a")
    view.cards[0].setFocus()
    qtbot.keyClick(view.cards[0], Qt.Key.Key_Space)
    assert not view.session.cuts[0].enabled
    qtbot.keyClick(view.cards[0], Qt.Key.Key_I, CONTROL | Qt.KeyboardModifier.AltModifier)
    assert view.session.cuts[0].inverted
    qtbot.keyClick(view.cards[0], Qt.Key.Key_Down, CONTROL)
    assert [cut.name for cut in view.session.cuts] == ["b", "a"]
    qtbot.keyClick(view.cards[1], Qt.Key.Key_D, CONTROL)
    assert [cut.name for cut in view.session.cuts] == ["b", "a", "a1"]
    view.cards[2].setFocus()
    qtbot.keyClick(view.cards[2], Qt.Key.Key_Delete)
    assert [cut.name for cut in view.session.cuts] == ["b", "a"]


def test_renaming_by_keyboard_keeps_the_card(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500")
    view.add("~cut1")
    card = view.cards[0]
    view.bridge.change(cut_changes.choose_cut, "cut1")
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_F2)
    card.name_field.setText("high")
    qtbot.keyClick(card.name_field, Qt.Key.Key_Return)
    assert [(cut.name, cut.expression) for cut in view.session.cuts] == [
        ("high", "trap_max > 500"),
        ("cut2", "~high"),
    ]
    assert view.cards[0] is card
    assert card.title.text() == "high"


@pytest.mark.parametrize(
    ("name", "why"), [("a b", "word"), ("and", "word"), ("_x", "letter"), ("taken", "another"), ("", "word")]
)
def test_a_name_that_cannot_be_is_refused_in_words(name: str, why: str) -> None:
    assert why in name_problem(name, ["taken"])
    assert name_problem("high_2", ["taken"]) == ""


def test_a_drag_of_the_dots_moves_the_card(view: CutsView) -> None:
    for name in ("a", "b", "c"):
        view.add("trap_max > 500", name)
    QApplication.processEvents()
    first, last = view.cards[0], view.cards[2]
    below = last.mapToGlobal(last.rect().bottomLeft())
    first.handle.dragged.emit(below)
    assert not view.column.drop_line.isHidden()
    first.handle.dropped.emit(below)
    assert [cut.name for cut in view.session.cuts] == ["b", "c", "a"]


def test_a_card_that_is_moved_keeps_the_focus(qtbot: QtBot, view: CutsView) -> None:
    for name in ("a", "b"):
        view.add("trap_max > 500", name)
    view.activateWindow()
    view.cards[1].setFocus()
    qtbot.waitUntil(view.cards[1].hasFocus)
    moved = view.cards[1]
    moved.handle.dropped.emit(view.cards[0].mapToGlobal(QPoint(5, 1)))
    assert [cut.name for cut in view.session.cuts] == ["b", "a"]
    qtbot.waitUntil(lambda: view.cards[0] is moved and moved.hasFocus())


def test_the_table_is_copied_as_text(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500", "high")
    view.bridge.change(changes.mark_region, (8300.0, 9050.0))
    qtbot.waitUntil(lambda: view.found is not None and bool(view.found.peaks), timeout=WAIT_MS)
    view.toggle_table()
    assert view.table.isVisible()
    assert view.table.item(0, 0).text() == "high"
    view.copy_table()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:3] == ["cut", "n in", "n out"]
    n = int((column(view.bridge, "trap_max") > 500).sum())
    assert lines[1].split("\t")[:3] == ["high", str(N_ROWS), str(n)]
    assert len({len(line.split("\t")) for line in lines}) == 1


def test_a_card_shows_what_it_alone_takes_away_and_its_curve_larger(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500", "high")
    view.add("trap_max < 3000", "low")
    qtbot.waitUntil(lambda: view.found is not None and len(view.found.curves) == 2, timeout=WAIT_MS)
    values = column(view.bridge, "trap_max")
    assert view.cards[1].lost.text().startswith(words.count(int((values >= 3000).sum())))
    card = view.cards[1]
    assert card.figures.isVisible() and card.lost.isVisible() and card.survival.isVisible()
    assert view.found is not None
    curve = view.found.curves["low"]
    assert curve.n_in.sum() == np.histogram(values[values > 500], curve.edges)[0].sum()
    view.cards[1].survival.click()
    large = view.cards[1].survival.large
    assert large is not None and large.isVisible()
    assert large.title.text() == "low"
    large.close()


def test_a_new_cut_is_scrolled_into_view_with_its_figures(qtbot: QtBot, view: CutsView) -> None:
    view.resize(320, 420)
    for name in ("first", "second", "third", "fourth", "fifth"):
        view.add("abs(bl_slope) < 2e-3", name)

    def is_in_view() -> bool:
        card, seen = view.cards[-1], view.column.viewport().rect()
        at = card.mapTo(view.column.viewport(), card.rect().topLeft())
        return card.lost.isVisible() and seen.contains(QRect(at, card.size()))

    qtbot.waitUntil(is_in_view, timeout=WAIT_MS)


def test_the_fitted_peak_has_its_survival_in_the_table(qtbot: QtBot, view: CutsView) -> None:
    view.add("abs(bl_slope) < 2e-3", "steady")
    fit = Fit("one", "trap_max", FitRequest(8400.0, 8950.0, (8675.0,)))
    view.bridge.change(fit_changes.add_fits, [fit])
    view.redraw()
    qtbot.waitUntil(lambda: view.found is not None and bool(view.found.peaks), timeout=WAIT_MS)
    assert view.found is not None
    peak = view.found.peaks[0]
    passes = np.abs(column(view.bridge, "bl_slope")) < 2e-3
    assert peak.by_all == survival_at(column(view.bridge, "trap_max"), passes, peak.peak.bands)
    view.toggle_table()
    table = view.survival_table
    assert table.isVisible()
    assert table.horizontalHeaderItem(0).text() == "peak (ADC)"
    assert f"{table.item(0, 0).text()} ADC" == peak.peak.bands.name
    assert table.item(0, 1).text() == table.item(0, 2).text() == cut_words.survival(peak.by_all)


def test_a_survival_that_may_be_all_or_nothing_is_not_told() -> None:
    bands = peak_bands("line", 100, 2)
    values, passes = np.array([96.5, 100.0, 101.0, 104.5]), np.array([True, True, False, False])
    assert cut_words.survival(survival_at(values, passes, bands)) == "—"
    values, passes = np.full(100, 100.0), np.arange(100) < 60
    assert cut_words.survival(survival_at(values, passes, bands)) == "60 ± 5 %"


def test_the_survival_of_a_peak_that_does_not_pass_is_told_as_none(qtbot: QtBot, view: CutsView) -> None:
    fit = Fit("line", "trap_max", FitRequest(8300.0, 9050.0, (8670.0,)))
    view.bridge.change(fit_changes.add_fits, [fit])
    run_id = view.session.selected
    view.bridge.fitting.ask(run_id)
    qtbot.waitUntil(lambda: view.bridge.fitting.outcome(run_id, "line") is not None, timeout=WAIT_MS)
    view.add("trap_max > 9200", "above")
    view.bridge.fitting.ask(run_id)
    qtbot.waitUntil(lambda: bool(view.bridge.fitting.outcome(run_id, "line").why_not), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view.found is not None and len(view.found.table.rows) == 1, timeout=WAIT_MS)
    view.redraw()
    qtbot.waitUntil(lambda: len(view.found.peaks) == 1, timeout=WAIT_MS)
    (peak,) = view.found.peaks
    assert abs(peak.by_all.value) <= 3 * max(peak.by_all.error, 0.01)


def test_where_not_every_cut_has_room_the_chosen_one_is_told_beside_all(qtbot: QtBot, view: CutsView) -> None:
    names = ["first", "second", "third", "fourth", "fifth", "sixth"]
    for name in names:
        view.add("abs(bl_slope) < 2e-3", name)
    fit = Fit("one", "trap_max", FitRequest(8400.0, 8950.0, (8675.0,)))
    view.bridge.change(fit_changes.add_fits, [fit])
    view.bridge.fitting.ask(view.session.selected)
    qtbot.waitUntil(lambda: view.found is not None and bool(view.found.peaks), timeout=WAIT_MS)
    view.toggle_table()
    view.bridge.change(cut_changes.choose_cut, "second")
    table = view.survival_table

    def heads() -> list[str]:
        return [table.horizontalHeaderItem(at).text() for at in range(table.columnCount())]

    view.resize(320, 600)
    qtbot.waitUntil(lambda: heads() == ["peak (ADC)", "second", "all"], timeout=WAIT_MS)
    view.resize(900, 600)
    qtbot.waitUntil(lambda: heads() == ["peak (ADC)", *names, "all"], timeout=WAIT_MS)
    for one in (table, view.table):
        assert one.horizontalHeader().length() <= one.viewport().width()
    (peak,) = view.found.peaks
    pair = replace(peak.peak.bands, name="21\u202f235 + 21\u202f291 ADC")
    peaks = (replace(peak, peak=replace(peak.peak, bands=pair)),)
    view.resize(320, 600)
    table.show_figures(replace(view.found, peaks=peaks), "second")
    assert table.item(0, 0).text() == "21\u202f235 + 21\u202f291"
    assert table.fontMetrics().horizontalAdvance(table.item(0, 0).text()) < table.columnWidth(0)


def test_names_of_peaks_of_several_columns_keep_their_units(qtbot: QtBot, view: CutsView) -> None:
    view.add("abs(bl_slope) < 2e-3", "steady")
    fit = Fit("one", "trap_max", FitRequest(8400.0, 8950.0, (8675.0,)))
    view.bridge.change(fit_changes.add_fits, [fit])
    view.redraw()
    qtbot.waitUntil(lambda: view.found is not None and bool(view.found.peaks), timeout=WAIT_MS)
    (peak,) = view.found.peaks
    other = replace(peak, peak=replace(peak.peak, column="trap_max_keV", bands=peak_bands("DEP", 1592.5, 3)))
    head, rows = cut_words.survival_table(replace(view.found, peaks=(peak, other)))
    assert head[0] == "peak"
    assert [row[0] for row in rows] == [peak.peak.bands.name, "DEP"]


def test_cuts_that_are_off_are_not_said_to_pass_all(qtbot: QtBot, view: CutsView) -> None:
    view.add("trap_max > 500", "high")
    qtbot.waitUntil(lambda: " pass all · " in view.summary.text(), timeout=WAIT_MS)
    view.cards[0].on_box.click()
    qtbot.waitUntil(lambda: view.summary.text() == "No cut is on", timeout=WAIT_MS)


def test_a_cut_file_is_written_and_read_again(view: CutsView, tmp_path: Path) -> None:
    view.add("trap_max > 500", "high")
    cuts = view.session.cuts
    path = tmp_path / "cuts.json"
    view.save(path)
    assert is_cuts(path)
    assert load_cuts(path).cuts == cuts
    view.bridge.change(cut_changes.remove_all_cuts)
    view.load(path)
    assert view.session.cuts == cuts


def test_a_file_that_holds_no_cuts_is_told(qtbot: QtBot, view: CutsView, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}", encoding="utf-8")
    assert not is_cuts(path)
    with qtbot.waitSignal(view.bridge.not_taken) as told:
        view.load(path)
    assert "other.json" in told.args[0]
    assert view.session.cuts == ()


def test_shares_are_written_with_their_intervals() -> None:
    from pygama.analysis.efficiency import ratio

    assert cut_words.share(ratio(500, 1000)) == "50.0 % (48.4–51.6)"
    assert cut_words.short_share(ratio(500, 1000)) == "50.0 ± 1.6 %"
    assert cut_words.short_share(ratio(2, 1000)) == "0.20 +0.26 −0.13 %"
    assert cut_words.short_share(ratio(0, 1000)) == "< 0.18 %"
    assert cut_words.short_share(ratio(1000, 1000)) == "> 99.82 %"
    assert cut_words.share(ratio(0, 0)) == "—"


# Ranges on the spectrum


@pytest.fixture
def spectrum(qtbot: QtBot, live: Bridge, monkeypatch: pytest.MonkeyPatch) -> Iterator[SpectrumView]:
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", -1)
    made = SpectrumView(live)
    qtbot.addWidget(made)
    made.resize(800, 420)
    made.show()
    qtbot.waitExposed(made)
    made.draw_if_due()
    yield made


def redrawn(view: SpectrumView) -> SpectrumView:
    view.redraw()
    return view


def test_a_range_of_the_shown_column_is_drawn_and_others_are_not(spectrum: SpectrumView) -> None:
    change = spectrum.bridge.change
    change(cut_changes.add_cut, "peak", "8300 <= trap_max < 9050", "#009E73")
    change(cut_changes.add_cut, "steady", "abs(bl_slope) < 1")
    change(cut_changes.add_cut, "flat", "-1 < bl_slope < 1")
    bands = redrawn(spectrum).cut_ranges.bands
    assert list(bands) == ["peak"]
    assert bands["peak"].item.getRegion() == (8300, 9050)
    change(changes.show_spectrum, replace(spectrum.choice, column="bl_slope"))
    assert list(redrawn(spectrum).cut_ranges.bands) == ["flat"]


def test_dragging_an_edge_rewrites_the_cut_in_one_step_of_undo(spectrum: SpectrumView) -> None:
    spectrum.bridge.change(cut_changes.add_cut, "peak", "8300 <= trap_max < 9050")
    band = redrawn(spectrum).cut_ranges.bands["peak"]
    for high in (9500, 10_000, 12_000):
        band.item.lines[1].setValue(high)
    band.item.sigRegionChangeFinished.emit(band.item)
    text = spectrum.session.cuts[0].expression
    assert text.startswith("8300 <= trap_max < 1")
    assert 11_900 < float(text.rpartition("<")[2]) < 12_100
    spectrum.bridge.store.undo()
    assert spectrum.session.cuts[0].expression == "8300 <= trap_max < 9050"


def test_dragging_one_edge_leaves_the_other_as_it_was_written(spectrum: SpectrumView) -> None:
    spectrum.bridge.change(cut_changes.add_cut, "peak", "8300.123 <= trap_max < 9050")
    band = redrawn(spectrum).cut_ranges.bands["peak"]
    for high in (9500, 12_000):
        band.item.lines[1].setValue(high)
        redrawn(spectrum)
    assert spectrum.session.cuts[0].expression.startswith("8300.123 <= trap_max < 1")


def test_the_edge_of_a_cut_made_of_the_region_is_dragged_and_not_the_region(
    qtbot: QtBot,
    spectrum: SpectrumView,
    move_mouse: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spectrum.bridge.change(changes.mark_region, (8300.0, 20_050.0))
    spectrum.bridge.change(cut_changes.add_cut, "peak", "8300 <= trap_max < 20050")
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)
    plot, place = redrawn(spectrum).plot, spectrum.plot.viewport()
    height = sum(plot.box.viewRange()[1]) / 2
    start, end = (plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, height))) for x in (20_050, 30_000))
    qtbot.mousePress(place, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.3, 0.6, 1.0):
        move_mouse(place, start + (end - start) * share)
    qtbot.mouseRelease(place, Qt.MouseButton.LeftButton, pos=end)
    assert spectrum.choice.roi == (8300.0, 20_050.0)
    assert float(spectrum.session.cuts[0].expression.rpartition("<")[2]) == pytest.approx(30_000, rel=0.02)


def test_a_range_with_one_end_keeps_the_other_open(spectrum: SpectrumView) -> None:
    spectrum.bridge.change(cut_changes.add_cut, "low", "trap_max >= 500")
    band = redrawn(spectrum).cut_ranges.bands["low"]
    assert [line.isVisible() for line in band.item.lines] == [True, False]
    band.item.lines[0].setValue(700)
    text = spectrum.session.cuts[0].expression
    assert text.startswith("trap_max >= ")
    assert 690 < float(text.rpartition(" ")[2]) < 710


def test_while_an_edge_is_dragged_nothing_waits_for_the_tick(spectrum: SpectrumView) -> None:
    bridge, drawn = spectrum.bridge, []
    bridge.tick()
    spectrum.drawn.connect(lambda: drawn.append(True))
    bridge.timer.setInterval(10_000_000)
    bridge.timer.stop()
    spectrum.redraw_soon()
    QApplication.processEvents()
    assert drawn == []
    bridge.counting.serve_first("spectrum")
    bridge.timer.setInterval(10_000_000)
    spectrum.redraw_soon()
    QApplication.processEvents()
    assert drawn
    bridge.counting.serve_first("")


def mouse_drag(
    qtbot: QtBot, spectrum: SpectrumView, move_mouse: Callable[..., None], start: float, end: float
) -> None:
    """Drag with the mouse from one value of the column to another."""
    port, box = spectrum.plot.viewport(), spectrum.plot.box
    y = sum(box.viewRange()[1]) / 2
    at = [spectrum.plot.mapFromScene(box.mapViewToScene(QPointF(x, y))) for x in (start, end)]
    move_mouse(port, at[0])
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=at[0])
    for share in (0.3, 0.6, 1.0):
        move_mouse(port, at[0] + (at[1] - at[0]) * share)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at[1])


def test_the_mouse_drags_an_edge(
    qtbot: QtBot, spectrum: SpectrumView, move_mouse: Callable[..., None]
) -> None:
    spectrum.bridge.change(cut_changes.add_cut, "peak", "10000 <= trap_max < 20000")
    redrawn(spectrum)
    mouse_drag(qtbot, spectrum, move_mouse, 20_000, 30_000)
    text = spectrum.session.cuts[0].expression
    assert text.startswith("10000 <= trap_max < ")
    assert abs(float(text.rpartition("<")[2]) - 30_000) < 300
    assert not spectrum.plot.box.zoomed_x


def test_a_drag_between_the_edges_zooms(
    qtbot: QtBot, spectrum: SpectrumView, move_mouse: Callable[..., None]
) -> None:
    spectrum.bridge.change(cut_changes.add_cut, "peak", "10000 <= trap_max < 30000")
    redrawn(spectrum)
    mouse_drag(qtbot, spectrum, move_mouse, 15_000, 25_000)
    assert spectrum.session.cuts[0].expression == "10000 <= trap_max < 30000"
    low, high = spectrum.plot.box.viewRange()[0]
    assert abs(low - 15_000) < 300 and abs(high - 25_000) < 300


def test_a_cut_that_goes_takes_its_band_along(spectrum: SpectrumView) -> None:
    spectrum.bridge.change(cut_changes.add_cut, "low", "trap_max >= 500")
    redrawn(spectrum)
    spectrum.bridge.change(cut_changes.remove_cut, "low")
    assert redrawn(spectrum).cut_ranges.bands == {}


def test_an_inverted_band_is_hatched_and_one_that_is_off_is_dashed(spectrum: SpectrumView) -> None:
    spectrum.bridge.change(cut_changes.add_cut, "low", "trap_max >= 500")
    spectrum.bridge.change(cut_changes.invert_cut, "low", True)
    band = redrawn(spectrum).cut_ranges.bands["low"]
    assert band.item.brush.style() == Qt.BrushStyle.BDiagPattern
    spectrum.bridge.change(cut_changes.switch_cut, "low", False)
    redrawn(spectrum)
    assert band.item.lines[0].pen.style() == Qt.PenStyle.DashLine
    assert "not low (off)" in band.words.toPlainText()


def test_cuts_of_a_session_are_shown(qtbot: QtBot, live: Bridge) -> None:
    live.change(cut_changes.take_cuts, [Cut("a", "trap_max > 3")])
    made = CutsView(live)
    qtbot.addWidget(made)
    assert [card.cut.name for card in made.cards] == ["a"]


def test_a_range_is_painted_anew_when_another_cut_is_chosen(
    spectrum: SpectrumView, monkeypatch: pytest.MonkeyPatch
) -> None:
    spectrum.bridge.change(cut_changes.add_cut, "peak", "8300 <= trap_max < 9050")
    band = redrawn(spectrum).cut_ranges.bands["peak"]
    painted: list[int] = []
    monkeypatch.setattr(band.item, "update", lambda: painted.append(band.item.currentBrush.color().alpha()))
    spectrum.bridge.change(cut_changes.add_cut, "other", "trap_max > 5")
    redrawn(spectrum)
    assert painted == [FAINT]


def test_the_tables_scroll_in_a_low_panel(qtbot: QtBot, view: CutsView) -> None:
    for name in ("first", "second", "third", "fourth", "fifth", "sixth"):
        view.add("abs(bl_slope) < 2e-3", name)
    qtbot.waitUntil(lambda: view.found is not None and len(view.found.table.rows) == 6, timeout=WAIT_MS)
    before = view.minimumSizeHint().height()
    view.toggle_table()
    assert view.minimumSizeHint().height() < before + 100


def test_the_line_of_a_new_cut_leaves_undo_to_the_window_once_the_cut_is_made(
    qtbot: QtBot, view: CutsView
) -> None:
    def is_taken() -> bool:
        """Tell whether the line keeps Ctrl+Z for what is typed in it."""
        event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, CONTROL)
        event.ignore()
        view.new_field.event(event)
        return event.isAccepted()

    view.new_field.setFocus()
    assert not is_taken()
    qtbot.keyClicks(view.new_field, "trap_max > 2000")
    assert is_taken()
    qtbot.keyClick(view.new_field, Qt.Key.Key_Return)
    assert len(view.session.cuts) == 1
    assert not is_taken()
    qtbot.keyClicks(view.new_field, "trap_max >")
    qtbot.keyClick(view.new_field, Qt.Key.Key_Return)
    assert is_taken()


def test_what_is_done_with_cuts_is_offered_where_there_are_any(qtbot: QtBot, bridge: Bridge) -> None:
    view = CutsView(bridge)
    qtbot.addWidget(view)

    def offered() -> list[str]:
        names = ("Re&name the cut", "Remo&ve the cut", "Remove all cuts", "&Add a cut…", "&Load cuts…")
        return [one.text() for one in view.view_actions() if one.text() in names and one.isEnabled()]

    assert offered() == ["&Add a cut…", "&Load cuts…"]
    view.add("trap_max > 100", "high")
    assert len(offered()) == 5
    bridge.change(cut_changes.remove_all_cuts)
    assert offered() == ["&Add a cut…", "&Load cuts…"]
