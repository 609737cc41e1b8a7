"""Tests gates under the hand, with a real mouse: they become cuts, and their cuts follow them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from pygama.analysis.cuts import as_polygon, as_range
from pygama.analysis.expressions import parse
from pygama.progress import Partial
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes, cut_changes
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.plane.view import PlaneView

WAIT_MS = 60_000
LEFT, NO_KEY, ALT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier
BOX = "inside(trap_max, a_over_e, 8000, 0.8, 20000, 0.8, 20000, 1, 8000, 1)"


@pytest.fixture(autouse=True)
def every_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no move of the mouse be passed over because it comes too soon after the last."""
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)


@pytest.fixture
def partial() -> Partial:
    return madeup.shaped_partial(6000)


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run], partial: Partial) -> PlaneView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = PlaneView(bridge)
    qtbot.addWidget(made, before_close_func=lambda widget: widget.bridge.close())
    made.resize(900, 620)
    made.show()
    qtbot.waitExposed(made)
    bridge.data_grew.emit({bridge.take(1, partial)})
    made.draw_if_due()
    qtbot.waitUntil(lambda: made.plane is not None, timeout=WAIT_MS)
    made.draw_if_due()
    made.plot.setFocus()
    return made


def pixel_of(view: PlaneView, x: float, y: float) -> QPoint:
    return view.plot.mapFromScene(view.box.mapViewToScene(QPointF(x, y)))


@pytest.fixture
def click(qtbot: QtBot, view: PlaneView) -> Callable[..., None]:
    def at(x: float, y: float, key: Any = NO_KEY) -> None:
        qtbot.mouseClick(view.plot.viewport(), LEFT, key, pixel_of(view, x, y))

    return at


@pytest.fixture
def drag(qtbot: QtBot, view: PlaneView, move_mouse: Callable[..., None]) -> Callable[..., None]:
    def along(start: tuple[float, float], end: tuple[float, float], key: Any = NO_KEY) -> None:
        place, first, last = view.plot.viewport(), pixel_of(view, *start), pixel_of(view, *end)
        qtbot.mousePress(place, LEFT, key, first)
        for share in (0.3, 0.6, 1.0):
            move_mouse(place, first + (last - first) * share, key)
        qtbot.mouseRelease(place, LEFT, key, last)

    return along


def corners(view: PlaneView, at: int = 0) -> np.ndarray:
    polygon = as_polygon(view.session.cuts[at].expression)
    assert polygon is not None
    return np.array(polygon.points)


def draw_triangle(click: Callable[..., None]) -> None:
    for corner in ((5000, 0.6), (30_000, 0.6), (30_000, 0.95)):
        click(*corner)


def test_clicks_and_return_make_a_cut(qtbot: QtBot, view: PlaneView, click: Callable[..., None]) -> None:
    qtbot.keyClick(view.plot, Qt.Key.Key_G)
    assert view.bar.info.text().startswith("Click, or arrows and Space, to set corners")
    draw_triangle(click)
    assert view.bar.info.text().startswith("3 corners")
    qtbot.keyClick(view.plot, Qt.Key.Key_Return)
    (cut,) = view.session.cuts
    assert cut.expression.startswith("inside(trap_max, a_over_e, ")
    assert corners(view)[:, 0] == pytest.approx([5000, 30_000, 30_000], rel=0.01)
    assert corners(view)[:, 1] == pytest.approx([0.6, 0.6, 0.95], abs=0.005)
    assert view.gates.mode == ""


def test_a_polygon_is_drawn_by_keys_alone(qtbot: QtBot, view: PlaneView) -> None:
    (left, right), (low, high) = view.box.viewRange()
    middle = ((left + right) / 2, (low + high) / 2)
    view.gates.hover(None)
    qtbot.keyClick(view.plot, Qt.Key.Key_G)
    qtbot.keyClick(view.plot, Qt.Key.Key_Space)
    qtbot.keyClick(view.plot, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view.plot, Qt.Key.Key_Space)
    qtbot.keyClick(view.plot, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view.plot, Qt.Key.Key_Up)
    qtbot.keyClick(view.plot, Qt.Key.Key_Space)
    qtbot.keyClick(view.plot, Qt.Key.Key_Return)
    assert view.box.viewRange() == [[left, right], [low, high]]
    far = middle[0] + 0.1 * (right - left)
    assert corners(view)[:, 0] == pytest.approx([middle[0], far, far], rel=0.005)
    up = middle[1] + 0.11 * (high - low)
    assert corners(view)[:, 1] == pytest.approx([middle[1], middle[1], up], abs=0.005)


def test_the_cursor_of_a_polygon_stays_in_view(qtbot: QtBot, view: PlaneView) -> None:
    left = view.box.viewRange()[0][0]
    view.gates.begin("polygon")
    view.nudge(-100, 0, is_far=True)
    view.gates.set_corner()
    assert view.gates.draft[0][0] == pytest.approx(left)


def test_a_double_click_closes_the_polygon(qtbot: QtBot, view: PlaneView, click: Callable[..., None]) -> None:
    qtbot.keyClick(view.plot, Qt.Key.Key_G)
    draw_triangle(click)
    before = view.box.viewRange()
    at = pixel_of(view, 5000, 0.95)
    place = view.plot.viewport()
    qtbot.mouseClick(place, LEFT, NO_KEY, at)
    qtbot.mouseDClick(place, LEFT, NO_KEY, at)
    assert len(corners(view)) == 4
    assert view.box.viewRange() == before


def test_a_click_on_the_first_corner_closes_the_polygon(
    qtbot: QtBot, view: PlaneView, click: Callable[..., None]
) -> None:
    qtbot.keyClick(view.plot, Qt.Key.Key_G)
    draw_triangle(click)
    click(5000, 0.6)
    assert len(corners(view)) == 3


def test_a_double_click_on_the_first_corner_closes_and_shows_nothing_else(
    qtbot: QtBot, view: PlaneView, click: Callable[..., None]
) -> None:
    view.box.setXRange(1000, 35_000, padding=0)
    view.box.mark_zoomed(x=True)
    qtbot.keyClick(view.plot, Qt.Key.Key_G)
    draw_triangle(click)
    at, place = pixel_of(view, 5000, 0.6), view.plot.viewport()
    qtbot.mouseClick(place, LEFT, NO_KEY, at)
    qtbot.mouseDClick(place, LEFT, NO_KEY, at)
    assert len(corners(view)) == 3
    assert view.box.zoomed_x


def test_backspace_takes_the_last_corner_back(
    qtbot: QtBot, view: PlaneView, click: Callable[..., None]
) -> None:
    qtbot.keyClick(view.plot, Qt.Key.Key_G)
    draw_triangle(click)
    click(10_000, 1.1)
    qtbot.keyClick(view.plot, Qt.Key.Key_Backspace)
    qtbot.keyClick(view.plot, Qt.Key.Key_Return)
    assert len(corners(view)) == 3


def test_escape_gives_up_and_makes_nothing(
    qtbot: QtBot, view: PlaneView, click: Callable[..., None], drag: Callable[..., None]
) -> None:
    qtbot.keyClick(view.plot, Qt.Key.Key_G)
    draw_triangle(click)
    qtbot.keyClick(view.plot, Qt.Key.Key_Escape)
    qtbot.keyClick(view.plot, Qt.Key.Key_Return)
    assert view.session.cuts == ()
    drag((5000, 0.9), (20_000, 0.7))
    assert view.box.zoomed_x


def test_two_corners_are_no_gate(qtbot: QtBot, view: PlaneView, click: Callable[..., None]) -> None:
    qtbot.keyClick(view.plot, Qt.Key.Key_G)
    click(5000, 0.6)
    click(9000, 0.9)
    qtbot.keyClick(view.plot, Qt.Key.Key_Return)
    assert view.session.cuts == ()


def test_alt_and_a_drag_make_a_rectangle(view: PlaneView, drag: Callable[..., None]) -> None:
    drag((8000, 0.8), (20_000, 1.0), ALT)
    assert corners(view)[:, 0] == pytest.approx([8000, 20_000, 20_000, 8000], rel=0.01)
    assert corners(view)[:, 1] == pytest.approx([0.8, 0.8, 1.0, 1.0], abs=0.005)
    assert not view.box.zoomed_x


@pytest.mark.parametrize(
    ("key", "column", "low", "high"),
    [(Qt.Key.Key_X, "trap_max", 8000, 20_000), (Qt.Key.Key_Y, "a_over_e", 0.8, 1.0)],
)
def test_a_drag_makes_a_range_of_one_axis(
    qtbot: QtBot,
    view: PlaneView,
    drag: Callable[..., None],
    key: Qt.Key,
    column: str,
    low: float,
    high: float,
) -> None:
    qtbot.keyClick(view.plot, key, Qt.KeyboardModifier.ShiftModifier)
    drag((8000, 0.8), (20_000, 1.0))
    found = as_range(view.session.cuts[0].expression)
    assert found is not None
    assert found.column == column
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.01)


def test_a_corner_of_a_gate_is_dragged_and_undone_at_once(view: PlaneView, drag: Callable[..., None]) -> None:
    text = "inside(trap_max, a_over_e, 8000, 0.8, 20000, 0.7, 15000, 1)"
    view.bridge.change(cut_changes.add_cut, "psd", text)
    drag((15_000, 1.0), (25_000, 1.1))
    assert corners(view)[2] == pytest.approx([25_000, 1.1], rel=0.01)
    assert corners(view)[0] == pytest.approx([8000, 0.8])
    view.bridge.store.undo()
    assert view.session.cuts[0].expression == text


def test_each_drag_is_undone_on_its_own(view: PlaneView, drag: Callable[..., None]) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    drag((20_000, 1.0), (25_000, 1.05))
    once = view.session.cuts[0].expression
    drag((25_000, 1.05), (30_000, 1.1))
    view.bridge.store.undo()
    assert view.session.cuts[0].expression == once
    view.bridge.store.undo()
    assert view.session.cuts[0].expression == BOX


def test_a_side_of_a_rectangle_moves_alone(view: PlaneView, drag: Callable[..., None]) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    drag((20_000, 0.9), (30_000, 0.95))
    assert corners(view)[:, 0] == pytest.approx([8000, 30_000, 30_000, 8000], rel=0.01)
    assert corners(view)[:, 1].tolist() == [0.8, 0.8, 1.0, 1.0]


def test_the_body_of_the_chosen_gate_moves_all_of_it(view: PlaneView, drag: Callable[..., None]) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    drag((14_000, 0.9), (24_000, 0.8))
    assert corners(view)[:, 0] == pytest.approx([18_000, 30_000, 30_000, 18_000], rel=0.01)
    assert corners(view)[:, 1] == pytest.approx([0.7, 0.7, 0.9, 0.9], abs=0.005)


def test_in_a_gate_that_is_not_chosen_a_drag_zooms(view: PlaneView, drag: Callable[..., None]) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    view.bridge.change(cut_changes.choose_cut, "")
    drag((10_000, 0.95), (18_000, 0.85))
    assert view.box.zoomed_x
    assert view.session.cuts[0].expression == BOX


@pytest.mark.parametrize("key", [ALT, Qt.KeyboardModifier.ShiftModifier], ids=["alt", "shift"])
def test_a_click_with_a_key_puts_a_corner_on_a_side_and_delete_takes_it_away(
    qtbot: QtBot, view: PlaneView, click: Callable[..., None], key: Qt.KeyboardModifier
) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    click(14_000, 0.8, key)
    assert len(corners(view)) == 5
    assert corners(view)[1] == pytest.approx([14_000, 0.8], rel=0.01)
    view._moved(view.box.mapViewToScene(QPointF(14_000, 0.8)))
    qtbot.keyClick(view.plot, Qt.Key.Key_Delete)
    assert len(corners(view)) == 4


def test_delete_removes_the_gate(qtbot: QtBot, view: PlaneView) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    view._moved(view.box.mapViewToScene(QPointF(14_000, 0.9)))
    qtbot.keyClick(view.plot, Qt.Key.Key_Delete)
    assert view.session.cuts == ()


def test_arrows_move_the_chosen_gate_by_a_bin(qtbot: QtBot, view: PlaneView) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    assert view.plane is not None
    width = (view.plane.x.high - view.plane.x.low) / view.plane.x.n_bins
    qtbot.keyClick(view.plot, Qt.Key.Key_Right)
    assert corners(view)[0] == pytest.approx([8000 + width, 0.8], abs=1)
    view.bridge.change(cut_changes.choose_cut, "")
    qtbot.keyClick(view.plot, Qt.Key.Key_Right)
    assert view.box.zoomed_x


def test_a_gate_says_how_many_events_it_holds_and_their_share(
    qtbot: QtBot, view: PlaneView, partial: Partial
) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 10000")
    view.bridge.change(cut_changes.choose_cut, "psd")
    view.redraw()
    columns = {name: partial.columns[name] for name in ("trap_max", "a_over_e")}
    high = columns["trap_max"] > 10_000
    inside = parse(BOX).mask(columns) & high
    qtbot.waitUntil(
        lambda: "psd" in view.gates.inside and view.gates.inside["psd"].n_all == high.sum(), timeout=WAIT_MS
    )
    assert view.gates.inside["psd"].n == inside.sum()
    words = view.gates._drawn["psd"].label.toPlainText()
    assert words.startswith("psd\n")
    assert "%" in words


def test_words_of_a_gate_stay_in_a_narrow_view(qtbot: QtBot, view: PlaneView) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 10000")
    view.bridge.change(cut_changes.choose_cut, "psd")
    view.resize(360, 420)
    view.redraw()
    qtbot.waitUntil(lambda: "psd" in view.gates.inside, timeout=WAIT_MS)
    view.gates.draw()
    label = view.gates._drawn["psd"].label
    assert "of what passes the other cuts" in label.toPlainText().replace("\n", " ")
    words, plot = label.mapRectToScene(label.boundingRect()), view.box.sceneBoundingRect()
    assert words.left() >= plot.left() - 1
    assert words.right() <= plot.right() + 1


def test_words_of_gates_lie_neither_over_each_other_nor_over_corners(view: PlaneView) -> None:
    (left, right), (bottom, top) = view.box.viewRange()
    far, high = right - 0.02 * (right - left), top - 0.02 * (top - bottom)
    middle, low = 0.5 * (left + right), 0.5 * (bottom + top)
    corners = ((middle, low), (far - 0.02 * (right - left), high), (far, low))
    shape = ", ".join(f"{number:.6g}" for corner in corners for number in corner)
    view.bridge.change(cut_changes.add_cut, "first", f"inside(trap_max, a_over_e, {shape})")
    view.bridge.change(cut_changes.add_cut, "range", f"{middle:.6g} <= trap_max < {far:.6g}")
    view.bridge.change(cut_changes.choose_cut, "first")
    view.gates.draw()
    first, other = (one.label.mapRectToScene(one.label.boundingRect()) for one in view.gates._drawn.values())
    assert not first.adjusted(1, 1, -1, -1).intersects(other)
    for corner in corners:
        at = view.box.mapViewToScene(QPointF(*corner))
        assert not first.contains(at) and not other.contains(at)


def test_the_projections_show_what_the_chosen_gate_lets_pass(qtbot: QtBot, view: PlaneView) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    view.redraw()

    def heights_inside() -> tuple[np.ndarray, np.ndarray]:
        x, heights = view.canvas.top.inside.getData()
        return (np.empty(0), np.empty(0)) if x is None else (x, heights)

    # how many lie in the gate is known before their projections are drawn
    qtbot.waitUntil(lambda: heights_inside()[1].any(), timeout=WAIT_MS)
    x, heights = heights_inside()
    found = x[np.nonzero(heights)]
    assert found.min() >= 7500
    assert found.max() <= 20_500


def test_what_the_cuts_take_away_is_seen_behind(qtbot: QtBot, view: PlaneView, partial: Partial) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    view.redraw()
    qtbot.waitUntil(lambda: view.plane is not None and view.plane.behind is not None, timeout=WAIT_MS)
    assert view.plane is not None and view.plane.behind is not None
    assert view.plane.behind.sum() > view.plane.counts.sum()
    assert view.canvas.behind.isVisible()
    view.toggle("has_all")
    view.redraw()
    qtbot.waitUntil(lambda: view.plane is not None and view.plane.behind is None, timeout=WAIT_MS)
    assert not view.canvas.behind.isVisible()


def test_cuts_without_a_shape_here_are_not_drawn(view: PlaneView) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    view.bridge.change(cut_changes.add_cut, "other", "bl_int > 3")
    view.redraw()
    assert list(view.gates.shapes()) == ["psd"]
    view.choose_y("bl_int")
    view.redraw()
    assert list(view.gates.shapes()) == ["other"]
    assert list(view.gates._drawn) == ["other"]


def test_the_cut_follows_while_its_gate_is_dragged(
    qtbot: QtBot, view: PlaneView, move_mouse: Callable[..., None]
) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    place, first, last = view.plot.viewport(), pixel_of(view, 20_000, 1.0), pixel_of(view, 30_000, 1.1)
    qtbot.mousePress(place, LEFT, NO_KEY, first)
    move_mouse(place, (first + last) / 2)
    move_mouse(place, last)
    qtbot.waitUntil(lambda: corners(view)[2] == pytest.approx([30_000, 1.1], rel=0.01), timeout=WAIT_MS)
    qtbot.keyClick(view.plot, Qt.Key.Key_Escape)
    assert view.session.cuts[0].expression == BOX
    qtbot.mouseRelease(place, LEFT, NO_KEY, last)
    assert view.session.cuts[0].expression == BOX
    assert not view.box.zoomed_x
    view.bridge.store.undo()
    assert view.session.cuts == (), "there is no drag to be undone"


def test_a_drag_that_the_cut_followed_is_one_step_of_undo(
    qtbot: QtBot, view: PlaneView, move_mouse: Callable[..., None]
) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    place, first, last = view.plot.viewport(), pixel_of(view, 20_000, 1.0), pixel_of(view, 30_000, 1.1)
    qtbot.mousePress(place, LEFT, NO_KEY, first)
    move_mouse(place, (first + last) / 2)
    qtbot.waitUntil(lambda: view.session.cuts[0].expression != BOX, timeout=WAIT_MS)
    move_mouse(place, last)
    qtbot.mouseRelease(place, LEFT, NO_KEY, last)
    assert corners(view)[2] == pytest.approx([30_000, 1.1], rel=0.01)
    view.bridge.store.undo()
    assert view.session.cuts[0].expression == BOX


def test_a_saved_picture_has_the_gates_and_the_cuts(qtbot: QtBot, view: PlaneView) -> None:
    view.bridge.change(cut_changes.add_cut, "psd", BOX)
    view.bridge.change(cut_changes.switch_cut, "psd", False)
    view.redraw()
    qtbot.waitUntil(lambda: "psd" in view.gates.inside, timeout=WAIT_MS)
    picture = view.exporter.picture()
    assert picture is not None
    assert picture.about["cut psd"] == f"{BOX} (off)"
    (curve,) = picture.curves
    assert curve.name.startswith("psd: ")
    assert curve.x.tolist() == [8000, 20_000, 20_000, 8000, 8000]
