"""Tests plots: thinning, axes and the mouse."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pyqtgraph as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt5.QtCore import QPoint, QPointF, QRectF, Qt
from PyQt5.QtGui import QPainter, QPixmap, QWheelEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.plot import CountAxis, Legend, Plot, grouped_ticks, histogram_path


def test_bins_are_drawn_as_steps() -> None:
    x, y = histogram_path(np.array([0.0, 1.0, 2.0]), np.array([3, 5]), (0.0, 2.0), 100)
    assert x.tolist() == [0, 1, 1, 2]
    assert y.tolist() == [3, 3, 5, 5]


def test_logarithms_have_a_floor_of_half_a_count() -> None:
    _, y = histogram_path(np.array([0.0, 1.0, 2.0]), np.array([0, 100]), (0.0, 2.0), 100, is_log=True)
    assert y[0] == pytest.approx(np.log10(0.5))
    assert y[-1] == pytest.approx(2.0)


def test_bins_out_of_view_are_left_out() -> None:
    edges = np.arange(1001.0)
    x, _ = histogram_path(edges, np.ones(1000, int), (100.0, 110.0), 1000)
    assert x.min() >= 98
    assert x.max() <= 112


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=3000), st.integers(10, 200))
def test_thinning_keeps_the_highest_bin_and_few_points(counts: list[int], width: int) -> None:
    values = np.array(counts)
    x, y = histogram_path(np.arange(len(values) + 1.0), values, (0.0, float(len(values))), width)
    assert len(x) == len(y)
    assert y.max() == values.max()
    assert len(x) <= max(2 * len(values), 16 * width)
    assert (np.diff(x) >= 0).all()


def test_ticks_are_grouped_from_ten_thousand_on() -> None:
    assert grouped_ticks(["5000", "20000", "0.5"]) == ["5000", "20\u202f000", "0.5"]


@pytest.mark.usefixtures("themed")
def test_a_logarithmic_axis_names_the_decades_only(qtbot: QtBot) -> None:
    axis = CountAxis("left")
    axis.is_log = True
    (spacing, decades), (_, parts) = axis.tickValues(-0.3, 2.5, 300)
    assert decades == [0.0, 1.0, 2.0]
    assert axis.tickStrings(decades, 1.0, spacing) == ["1", "10", "100"]
    assert set(axis.tickStrings(parts, 1.0, 0.1)) == {""}


@pytest.fixture
def plot(qtbot: QtBot, themed: object, monkeypatch: pytest.MonkeyPatch) -> Plot:
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", -1)
    made = Plot("Plot", "x", "y")
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.box.setXRange(0, 100, padding=0)
    made.show()
    qtbot.waitExposed(made)
    return made


def drag(
    qtbot: QtBot, plot: Plot, move: Callable[..., None], start: int, end: int, modifier: Qt.KeyboardModifier
) -> None:
    port = plot.viewport()
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(port, left, modifier, QPoint(start, 150))
    for x in np.linspace(start, end, 6).astype(int):
        move(port, QPoint(int(x), 150), modifier)
    qtbot.mouseRelease(port, left, modifier, QPoint(end, 150))


def test_a_drag_to_the_right_zooms_into_the_band(
    qtbot: QtBot, plot: Plot, move_mouse: Callable[..., None]
) -> None:
    drag(qtbot, plot, move_mouse, 200, 400, Qt.KeyboardModifier.NoModifier)
    low, high = plot.box.viewRange()[0]
    assert 0 < low < high < 100
    assert plot.box.zoomed_x


def test_a_drag_that_is_given_up_zooms_nothing_and_the_next_one_does(
    qtbot: QtBot, plot: Plot, move_mouse: Callable[..., None]
) -> None:
    port = plot.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    for x in (250, 300):
        move_mouse(port, QPoint(x, 150))
    plot.box.cancel()
    move_mouse(port, QPoint(400, 150))
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=QPoint(400, 150))
    assert plot.box.viewRange()[0] == [0, 100]
    drag(qtbot, plot, move_mouse, 200, 400, Qt.KeyboardModifier.NoModifier)
    assert plot.box.zoomed_x


def test_the_first_drag_after_a_menu_zooms_as_any_other(
    qtbot: QtBot, plot: Plot, move_mouse: Callable[..., None]
) -> None:
    qtbot.mousePress(
        plot.viewport(), Qt.MouseButton.RightButton, pos=QPoint(300, 150)
    )  # its menu has the release
    drag(qtbot, plot, move_mouse, 200, 400, Qt.KeyboardModifier.NoModifier)
    low, high = plot.box.viewRange()[0]
    assert 0 < low < high < 100


def test_a_drag_to_the_left_zooms_out(qtbot: QtBot, plot: Plot, move_mouse: Callable[..., None]) -> None:
    drag(qtbot, plot, move_mouse, 400, 200, Qt.KeyboardModifier.NoModifier)
    low, high = plot.box.viewRange()[0]
    assert high - low == pytest.approx(200)


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier])
def test_a_drag_with_alt_or_shift_marks_a_region(
    qtbot: QtBot, plot: Plot, move_mouse: Callable[..., None], modifier: Qt.KeyboardModifier
) -> None:
    with qtbot.waitSignal(plot.box.region_dragged) as dragged:
        drag(qtbot, plot, move_mouse, 400, 200, modifier)
    low, high = dragged.args
    assert 0 < low < high < 100
    assert plot.box.viewRange()[0] == pytest.approx([0, 100])


def test_a_label_that_has_no_room_gives_way_to_a_short_one(plot: Plot) -> None:
    plot.label_axes("time (µs)", "ADC counts above baseline", "ADC counts")
    assert plot.y_axis.labelText == "ADC counts above baseline"
    plot.resize(600, 150)
    assert plot.y_axis.labelText == "ADC counts"


@pytest.mark.parametrize("is_log", [False, True])
def test_a_very_low_plot_has_no_label_that_is_cut_and_no_numbers_on_each_other(
    plot: Plot, is_log: bool
) -> None:
    plot.label_axes("time (µs)", "ADC counts above baseline", "ADC counts")
    plot.y_axis.is_log = is_log
    plot.box.setYRange(0.0, 6.0 if is_log else 110_000.0, padding=0)
    for height in (300, 70, 60, 300):
        plot.resize(600, height)
        plot.grab()
        paper = QPixmap(600, height)
        painter = QPainter(paper)
        numbers = [rect for rect, _, _ in plot.y_axis.generateDrawSpecs(painter)[2]]
        painter.end()
        assert numbers
        assert not any(one.intersects(other) for one, other in combinations(numbers, 2))
        assert plot.y_axis.labelText == ("ADC counts above baseline" if height == 300 else "")


def test_a_plot_shows_that_keys_go_there(qtbot: QtBot, plot: Plot) -> None:
    plot.setFocus()
    qtbot.waitUntil(plot.box._focus_mark.isVisible)
    plot.clearFocus()
    assert not plot.box._focus_mark.isVisible()


def test_zooming_in_and_out_again_gives_the_same_view(plot: Plot) -> None:
    plot.box.zoom(0.5)
    assert plot.box.viewRange()[0] == pytest.approx([25, 75])
    plot.box.zoom(2.0)
    assert plot.box.viewRange()[0] == pytest.approx([0, 100])


def test_an_empty_plot_has_no_numbers_on_its_axes(plot: Plot) -> None:
    plot.show_hint("No spectrum yet.")
    assert not plot.x_axis.style["showValues"]
    plot.show_hint("")
    assert plot.x_axis.style["showValues"]


def test_a_hint_stands_in_an_empty_plot(plot: Plot) -> None:
    plot.show_hint("No spectrum yet.")
    assert plot._hint.isVisible()
    plot.show_hint("")
    assert not plot._hint.isVisible()


@pytest.mark.parametrize("stands", [True, False])
def test_heights_that_stand_on_the_floor_stay_there_when_they_are_zoomed(
    qtbot: QtBot, plot: Plot, stands: bool
) -> None:
    plot.box.setYRange(0, 100, padding=0)
    plot.box.stands_on_floor = stands
    place = plot.mapFromScene(plot.box.mapViewToScene(QPointF(50.0, 50.0)))
    left, shift = Qt.MouseButton.NoButton, Qt.KeyboardModifier.ShiftModifier
    turn = QWheelEvent(
        QPointF(place),
        QPointF(place),
        QPoint(),
        QPoint(0, 120),
        left,
        shift,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(plot.viewport(), turn)
    low, high = plot.box.viewRange()[1]
    assert high < 100
    assert (low == pytest.approx(0)) == stands


@pytest.mark.usefixtures("themed")
def test_a_low_plot_has_its_label_at_the_end_of_the_numbers(qtbot: QtBot) -> None:
    plot = Plot("low", "trap_max (ADC counts)", "counts")
    qtbot.addWidget(plot)
    plot.box.setXRange(0.0, 50.0, padding=0)
    plot.show()
    for height, is_low in ((300, False), (120, True), (300, False)):
        plot.resize(500, height)
        QApplication.processEvents()
        plot.grab()
        axis = plot.x_axis
        label = axis.label.sceneBoundingRect()
        paper = QPixmap(500, 300)
        painter = QPainter(paper)
        numbers = [axis.mapRectToScene(rect) for rect, _, _ in axis.generateDrawSpecs(painter)[2]]
        painter.end()
        assert axis.is_low is is_low
        assert numbers
        assert not any(rect.intersects(label) for rect in numbers)
        assert plot.sceneRect().contains(label)


@pytest.mark.usefixtures("themed")
@pytest.mark.parametrize("width", range(170, 400, 20))
def test_numbers_and_label_of_a_narrow_plot_stand_clear(qtbot: QtBot, width: int) -> None:
    plot = Plot("narrow", "trap_max (ADC counts)", "counts")
    qtbot.addWidget(plot)
    plot.box.setXRange(0.0, 58_000.0, padding=0)
    plot.resize(width, 160)
    plot.show()
    plot.grab()
    paper = QPixmap(width, 160)
    painter = QPainter(paper)
    numbers = [rect for rect, _, _ in plot.x_axis.generateDrawSpecs(painter)[2]]
    painter.end()
    assert numbers
    assert not any(one.intersects(other) for one, other in combinations(numbers, 2))
    assert plot.x_axis.label.boundingRect().width() <= plot.x_axis.width()
    assert plot.labels["bottom"] == "trap_max (ADC counts)"


@pytest.mark.usefixtures("themed")
def test_a_label_too_long_for_the_end_of_the_numbers_stays_below(qtbot: QtBot) -> None:
    plot = Plot("low", "a quantity with a name that takes most of the axis (unit)", "counts")
    qtbot.addWidget(plot)
    plot.resize(400, 120)
    plot.show()
    assert not plot.x_axis.is_low
    plot.label_axes("x", "counts")
    assert plot.x_axis.is_low


@pytest.mark.usefixtures("themed")
@pytest.mark.parametrize(
    ("width", "height", "is_there"), [(700, 300, True), (200, 300, False), (700, 60, False), (700, 90, True)]
)
def test_names_of_curves_are_away_where_they_would_take_the_plot(
    qtbot: QtBot, width: int, height: int, is_there: bool
) -> None:
    plot = Plot("curves", "x", "y")
    qtbot.addWidget(plot)
    plot.resize(width, height)
    plot.show()
    QApplication.processEvents()
    legend = Legend(plot)
    for name in ("waveform, baseline subtracted", "trap_filter rise 400 flat 200"):
        legend.addItem(pg.PlotCurveItem([0, 1], [0, 1]), name)
    legend.place(at_top=True)
    assert legend.isVisible() is is_there


def test_the_label_of_the_heights_stands_clear_of_six_figures_and_a_sign(qtbot: QtBot) -> None:
    plot = Plot("A plot", "time (µs)", "ADC counts above baseline")
    qtbot.addWidget(plot)
    plot.resize(500, 400)
    plot.show()
    plot.box.setYRange(-210_000, 210_000, padding=0)
    numbers = [text for _, _, text in texts_of(plot.y_axis)]
    assert "-200\u202f000" in numbers
    label = plot.y_axis.mapRectFromItem(plot.y_axis.label, plot.y_axis.label.boundingRect())
    assert min(place.left() for place, _, _ in texts_of(plot.y_axis)) >= label.right()


def texts_of(axis: CountAxis) -> list[tuple[QRectF, int, str]]:
    pixmap = QPixmap(10, 10)
    painter = QPainter(pixmap)
    texts: list[tuple[QRectF, int, str]] = axis.generateDrawSpecs(painter)[2]
    painter.end()
    return texts
