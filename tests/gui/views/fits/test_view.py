"""Tests the panel of fits: its table, and the form of the chosen one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtCore import QRect, Qt
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.fit_request import FitRequest
from pygama.analysis.region_fit import Parameter, RegionFit
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes, fit_changes
from pygama_gui.session.state import Fit, NamedRegion, Run
from pygama_gui.views import madeup
from pygama_gui.views.fits.form import FIXED, FREE, LIMITED, in_words, unit_of_parameter, value_words
from pygama_gui.views.fits.view import FitsView, figures

WAIT_MS = 60_000


@pytest.fixture
def view(qtbot: QtBot, themed: object) -> Iterator[FitsView]:
    made = FitsView.demo()
    qtbot.addWidget(made)
    made.resize(340, 700)
    made.show()
    qtbot.waitExposed(made)
    wait_for_peaks(qtbot, made)
    yield made
    made.bridge.close()


def wait_for_peaks(qtbot: QtBot, view: FitsView) -> None:
    def are_there() -> bool:
        view.redraw()
        return all(row.peak is not None for row in view._rows)

    qtbot.waitUntil(are_there, timeout=WAIT_MS)


def act(view: FitsView, words: str) -> None:
    (action,) = [one for one in view.view_actions() if one.text().replace("&", "") == words]
    action.trigger()


def texts(view: FitsView, row: int) -> list[str]:
    return [view.table.item(row, column).text() for column in range(view.table.columnCount())]


def test_the_table_has_a_row_for_each_peak(view: FitsView) -> None:
    assert view.table.rowCount() == 2
    name, position, fwhm, area, chi2, p, fwtm = texts(view, 1)
    assert name.endswith("8670 ADC")
    assert all("±" in text for text in (position, fwhm, area, fwtm))
    assert "/" in chi2 and float(p.removeprefix("< ")) <= 1


def heads(view: FitsView) -> list[str]:
    return [view.table.horizontalHeaderItem(at).text() for at in range(view.table.columnCount())]


def test_heads_have_units_and_rows_where_these_differ(qtbot: QtBot, view: FitsView) -> None:
    of_fit = ["Fit", "Position\n(ADC)", "FWHM\n(ADC)", "Area\n(counts)", "χ²/ndof", "p", "FWTM\n(ADC)"]
    assert heads(view) == of_fit
    assert "ADC" not in texts(view, 0)[1]
    fit = replace(view.session.fits[0], name="baselines", column="timestamp")
    view.bridge.change(fit_changes.add_fits, [fit])
    qtbot.waitUntil(lambda: view.redraw() or view.table.rowCount() == 3, timeout=WAIT_MS)
    assert heads(view)[1:4] == ["Position", "FWHM", "Area\n(counts)"]
    assert texts(view, 0)[1].endswith(" ADC")
    assert all(text[-1].isdigit() for text in texts(view, 0)[2:4])


def test_choosing_a_row_shows_its_form(view: FitsView) -> None:
    view.table.setCurrentCell(0, 0)
    view.redraw()
    assert view.session.fit == "3550 ADC"
    assert view.form.name_field.text() == "3550 ADC"


def test_another_shape_is_fitted_and_undone(qtbot: QtBot, view: FitsView) -> None:
    view.form.shape_box.activated.emit(1)
    wait_for_peaks(qtbot, view)
    assert view.session.chosen_fit.request.shape == "hpge"
    qtbot.waitUntil(
        lambda: view.redraw() or "tail_fraction" in view._rows[-1].found.parameters, timeout=WAIT_MS
    )
    assert "tail_fraction" in view.form.rows
    view.bridge.store.undo()
    view.redraw()
    assert "tail_fraction" not in view.form.rows


def test_a_parameter_is_fixed_at_what_was_found_and_then_at_what_is_typed(
    qtbot: QtBot, view: FitsView
) -> None:
    row = view.form.rows["sigma"]
    found = view._rows[-1].found.parameters["sigma"].value
    row.box.setCurrentText(FIXED)
    row.box.activated.emit(1)
    assert view.session.chosen_fit.request.fixed["sigma"] == pytest.approx(found)
    view.redraw()
    assert row.fixed_field.isVisible()
    row.fixed_field.setText("25,5")
    row.fixed_field.editingFinished.emit()
    assert dict(view.session.chosen_fit.request.fixed) == {"sigma": 25.5}
    qtbot.waitUntil(
        lambda: (
            view.redraw()
            or (view._rows[-1].found is not None and view._rows[-1].found.parameters["sigma"].value == 25.5)
        ),
        timeout=WAIT_MS,
    )


def show_failed(qtbot: QtBot, view: FitsView, request: FitRequest) -> RegionFit:
    """Show a fit of a region without a peak."""
    view.bridge.change(fit_changes.add_fits, [Fit("nothing", "trap_max", request)])
    qtbot.waitUntil(lambda: view.redraw() or view._rows[-1].note not in ("", "…"), timeout=WAIT_MS)
    found = view.bridge.fitting.outcome(view.session.selected, "nothing").found
    assert not found.converged
    return found


def hold(view: FitsView, name: str, kind: str) -> None:
    box = view.form.rows[name].box
    box.setCurrentText(kind)
    box.activated.emit(box.currentIndex())


def test_a_parameter_of_a_fit_that_failed_is_held_where_the_fit_began(qtbot: QtBot, view: FitsView) -> None:
    failed = show_failed(qtbot, view, FitRequest(4500.0, 5500.0, (5000.0,)))
    hold(view, "sigma", FIXED)
    assert view.session.chosen_fit.request.fixed["sigma"] == pytest.approx(failed.start["sigma"])
    view.redraw()
    qtbot.waitUntil(
        lambda: view.redraw() or "where the fit began" in view.form.rows["sigma"].value_label.text(),
        timeout=WAIT_MS,
    )
    hold(view, "sigma", FREE)
    view.redraw()
    assert "where the fit began" not in view.form.rows["sigma"].value_label.text()
    hold(view, "sigma", LIMITED)
    low, high = view.session.chosen_fit.request.limits["sigma"]
    assert low < failed.start["sigma"] < high


def test_where_no_value_is_known_one_is_asked_for(qtbot: QtBot, view: FitsView) -> None:
    show_failed(qtbot, view, FitRequest(61_000.0, 61_400.0, (61_200.0,)))  # has no counts
    hold(view, "position_1", FIXED)
    assert dict(view.session.chosen_fit.request.fixed) == {"position_1": 61_200.0}
    hold(view, "sigma", FIXED)
    assert "sigma" not in view.session.chosen_fit.request.fixed
    row = view.form.rows["sigma"]
    view.redraw()
    assert (row.box.currentText(), row.value_label.text()) == (FIXED, "type the value in ADC")
    assert row.fixed_field.isVisible() and row.fixed_field.text() == ""
    row.fixed_field.setText("25")
    row.fixed_field.editingFinished.emit()
    assert view.session.chosen_fit.request.fixed["sigma"] == 25.0
    view.redraw()
    assert "type" not in row.value_label.text()


def test_peaks_are_fitted_at_the_places_that_are_typed(qtbot: QtBot, view: FitsView) -> None:
    assert view.form.places_field.text() == "8670"
    assert not view.form.width_box.isVisible()
    view.form.places_field.setText("8700,5; 8640")
    view.form.places_field.editingFinished.emit()
    assert view.session.chosen_fit.request.positions == (8640.0, 8700.5)
    view.redraw()
    assert view.form.places_field.text() == "8640; 8700.5"
    assert view.form.width_box.isVisible()
    assert "area_2" in view.form.rows
    view.form._hold("area_2", 100.0, None)
    assert dict(view.session.chosen_fit.request.fixed) == {"area_2": 100.0}
    view.redraw()
    view.form.places_field.setText("")
    view.form.places_field.editingFinished.emit()
    assert view.session.chosen_fit.request.positions == ()


def test_a_place_that_is_no_number_is_marked_and_nothing_changes(view: FitsView) -> None:
    before = view.session.chosen_fit.request
    view.form.places_field.setText("8640; there")
    view.form.places_field.editingFinished.emit()
    assert view.session.chosen_fit.request == before
    assert view.form.places_field.property("tone") == "bad"


def test_what_is_fixed_of_a_peak_goes_with_it(view: FitsView) -> None:
    view.form._change(positions=(8640.0, 8700.0))
    view.redraw()
    view.form._hold("area_2", 100.0, None)
    view.redraw()
    view.form._change(positions=(8670.0,))
    assert dict(view.session.chosen_fit.request.fixed) == {}


def test_a_parameter_is_limited_and_freed(view: FitsView) -> None:
    row = view.form.rows["position_1"]
    row.box.setCurrentText(LIMITED)
    row.box.activated.emit(2)
    low, high = view.session.chosen_fit.request.limits["position_1"]
    assert low < 8670 < high
    view.redraw()
    row.low_field.setText("no number")
    row.low_field.editingFinished.emit()
    assert view.session.chosen_fit.request.limits["position_1"] == (low, high)
    assert row.low_field.property("tone") == "bad"
    row.box.setCurrentText(FREE)
    row.box.activated.emit(0)
    assert dict(view.session.chosen_fit.request.limits) == {}


def test_what_is_fixed_of_a_shape_goes_with_it(view: FitsView) -> None:
    view._change(view.session.chosen_fit.request)
    view.form._change(shape="hpge")
    view.redraw()
    view.form._hold("tail_fraction", 0.1, None)
    view.redraw()
    view.form._change(shape="gauss")
    assert dict(view.session.chosen_fit.request.fixed) == {}


def test_a_fit_is_renamed_and_removed_by_keys(qtbot: QtBot, view: FitsView) -> None:
    view.form.name_field.setText("Tl-208")
    view.form.name_field.editingFinished.emit()
    assert [fit.name for fit in view.session.fits] == ["3550 ADC", "Tl-208"]
    view.activateWindow()
    view.table.setFocus()
    qtbot.waitUntil(view.table.hasFocus, timeout=WAIT_MS)
    qtbot.keyClick(view.table, Qt.Key.Key_Delete)
    assert [fit.name for fit in view.session.fits] == ["3550 ADC"]


def test_the_table_is_copied_and_exported(view: FitsView, tmp_path: Path) -> None:
    view.export(tmp_path / "fits.csv")
    lines = (tmp_path / "fits.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("run,fit,column,channel,peak,position,position_error")
    act(view, "Copy the table as text")
    assert QApplication.clipboard().text().splitlines()[1].split("\t")[1] == "3550 ADC"


def test_another_run_is_fitted_by_itself_and_compared(qtbot: QtBot, view: FitsView) -> None:
    other = Run("2", Path("2018-Run72"), 72)
    view.bridge.change(changes.add_runs, [other])
    view.bridge.adopt(2, other)
    moved = madeup.partial(4000, seed=5)
    moved.columns["trap_max"] *= 1.01
    view.bridge.take(2, moved)
    before = texts(view, 1)[1]
    view.bridge.change(changes.show_spectrum, view.session.spectrum.__class__(others=("2",)))
    qtbot.waitUntil(lambda: view.redraw() or view.drift.text() != "", timeout=WAIT_MS)
    assert view.drift.text().startswith("Run 9001 against Run 72: position −90 ± 2 ADC (−10.32 ‰")
    view.bridge.change(changes.select_run, "2")
    wait_for_peaks(qtbot, view)
    assert texts(view, 1)[1] != before


def test_without_fits_the_panel_says_how_to_make_one(view: FitsView) -> None:
    act(view, "Remove all fits")
    view.redraw()
    assert view.hint.isVisible()
    assert not view.table.isVisible()


def test_kept_regions_are_listed_renamed_and_removed(qtbot: QtBot, view: FitsView) -> None:
    view.bridge.change(fit_changes.keep_region, NamedRegion("8670 ADC", "trap_max", 8600.0, 8740.0))
    table = view.regions.table

    def is_measured() -> bool:
        view.redraw()
        return "±" in table.item(0, 1).text()

    qtbot.waitUntil(is_measured, timeout=WAIT_MS)
    assert all("±" in table.item(0, column).text() for column in (1, 3, 4, 6))
    table.setCurrentCell(0, 0)
    table.item(0, 0).setText("Tl-208")
    assert [region.name for region in view.session.regions] == ["Tl-208"]
    looked: list[object] = []
    view.look_asked.connect(looked.append)
    view.regions.look()
    view.regions.copy()
    assert looked == list(view.session.regions)
    assert QApplication.clipboard().text().splitlines()[1].startswith("Tl-208\t")
    view.regions.remove()
    assert view.session.regions == ()


@pytest.mark.parametrize("width", [270, 340, 700])
def test_the_table_needs_no_scrolling_to_the_side(view: FitsView, width: int) -> None:
    view.resize(width, 700)
    view.redraw()
    table = view.table
    shown = [at for at in range(table.columnCount()) if not table.isColumnHidden(at)]
    assert shown[:4] == [0, 1, 2, 3]
    assert width < 700 or len(shown) == table.columnCount()
    assert table.horizontalHeader().length() <= table.viewport().width()
    for at in shown[1:]:
        lines = [line for row in range(2) for line in table.item(row, at).text().split("\n")]
        assert table.columnWidth(at) >= max(map(table.fontMetrics().horizontalAdvance, lines))


def test_the_form_tells_what_a_narrow_table_leaves_out(view: FitsView) -> None:
    assert view.form.figures.text() == figures(view._rows[-1])
    assert re.match(r"FWTM \S.* ADC · χ²/ndof ", view.form.figures.text())


def test_parameters_of_a_fit_have_their_units(view: FitsView) -> None:
    units = {name: row.value_label.text().split()[-1] for name, row in view.form.rows.items()}
    assert (units["area_1"], units["position_1"], units["sigma"]) == ("counts", "ADC", "ADC")
    assert view.form.rows["background"].value_label.text().endswith(" counts / ADC")
    given = [unit_of_parameter(name, "keV") for name in ("tail_slope", "tail_fraction", "step", "slope")]
    assert given == ["keV", "", "", ""]
    assert unit_of_parameter("background", "") == "counts per unit"


def test_peaks_of_one_width_say_what_they_share_once(qtbot: QtBot, view: FitsView) -> None:
    two = Fit("two", "trap_max", FitRequest(3000.0, 9200.0, (3550.0, 8670.0)))
    view.bridge.change(fit_changes.add_fits, [two])
    wait_for_peaks(qtbot, view)
    rows = [row for row in view._rows if row.fit.name == "two"]
    assert len(rows) == 2
    assert figures(*rows) == figures(rows[0])
    assert view.form.figures.text().count("χ²") == 1


def test_a_note_names_parameters_as_the_form_does() -> None:
    told = in_words("errors of area_1, position_2 and tail_slope differ; step 0.005 ± 0.01")
    assert told == "errors of area 1, position 2 and tail length differ; step 0.005 ± 0.01"


def test_why_a_fit_failed_is_told_whole(qtbot: QtBot, view: FitsView) -> None:
    nothing = Fit("nothing", "trap_max", FitRequest(51_000.0, 51_200.0, (51_100.0,)))
    view.bridge.change(fit_changes.add_fits, [nothing])
    qtbot.waitUntil(lambda: view.redraw() or len(view._rows[-1].note) > 20, timeout=WAIT_MS)
    table, row = view.table, len(view._rows) - 1
    said = table.item(row, 1).text()
    assert said == view._rows[-1].note
    width = sum(table.columnWidth(at) for at in range(1, table.columnCount()))
    flags = int(Qt.TextFlag.TextWordWrap)
    needed = table.fontMetrics().boundingRect(QRect(0, 0, width - 10, 500), flags, said)
    assert needed.height() > 20
    assert table.rowHeight(row) >= needed.height()


def test_a_long_number_shows_where_it_begins(view: FitsView) -> None:
    row = view.form.rows["position_1"]
    row.show_value(None, 30580.123, None)
    assert row.fixed_field.cursorPosition() == 0


def test_the_form_says_why_errors_are_not_to_be_taken_as_they_stand(qtbot: QtBot, view: FitsView) -> None:
    def found() -> RegionFit:
        view.redraw()
        return view._rows[-1].found

    assert not found().doubts
    view.form.shape_box.activated.emit(1)
    qtbot.waitUntil(lambda: found() is not None and "step" in found().parameters, timeout=WAIT_MS)
    assert "prior" in {doubt.code for doubt in found().doubts}
    assert "taken as known beforehand: tail share" in view.form.note.text()
    assert texts(view, view.table.rowCount() - 1)[0].startswith("▲ ")


def test_a_parameter_that_makes_no_difference_is_not_said_to_stand_at_a_limit() -> None:
    held = Parameter("background", 0.0, 0.15, is_at_limit=True, errors=(0.0, 0.04))
    assert value_words(held) == "0, at its limit"
    fixed = Parameter("position_1", 38461.25, 0.0, is_fixed=True)
    assert value_words(fixed) == "38\u202f461.2"
    assert value_words(fixed, "ADC") == "38\u202f461.2 ADC"
    assert value_words(Parameter("slope", 0.7, math.nan, is_at_limit=True)) == "not told by the counts"


@pytest.mark.parametrize("width", [340, 262])
def test_what_is_chosen_of_a_fit_is_shown_whole(qtbot: QtBot, view: FitsView, width: int) -> None:
    view._choose(0)
    view._change(replace(view.session.chosen_fit.request, background="linear"))
    view.redraw()
    view.resize(width, 700)
    boxes = (view.form.shape_box, view.form.background_box)
    qtbot.waitUntil(lambda: all(box.whole_words() == box.toolTip() for box in boxes), timeout=WAIT_MS)
    assert all(box.geometry().right() < box.parentWidget().width() for box in boxes)


def test_the_panel_asks_for_no_height_for_its_table(view: FitsView) -> None:
    assert view.minimumSizeHint().height() < 160


def test_what_is_done_with_fits_is_offered_where_there_are_any(qtbot: QtBot, bridge: Bridge) -> None:
    view = FitsView(bridge)
    qtbot.addWidget(view)

    def offered() -> list[str]:
        names = ("&Remove the fit", "Fit everything &again", "R&emove all fits", "&Take a calibration…")
        return [one.text() for one in view.view_actions() if one.text() in names and one.isEnabled()]

    assert offered() == ["&Take a calibration…"]
    bridge.change(fit_changes.add_fits, [Fit("peak", "trap_max", FitRequest(10.0, 20.0, (15.0,)))])
    assert len(offered()) == 4
    bridge.change(fit_changes.remove_all_fits)
    assert offered() == ["&Take a calibration…"]
