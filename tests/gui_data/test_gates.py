"""Tests the shapes of cuts in a plane: found in their text, hit, moved, and written again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.analysis.expressions import parse
from pygama_gui.data.gates import Band, Part, Polygon, gate_of, is_inside, part_at, rectangle, top_of

VIEW = ((0.0, 100.0), (0.0, 10.0))
PX = (0.1, 0.01)
BOX = rectangle((10.0, 20.0), (1.0, 2.0))


def test_a_polygon_is_found_in_its_text_and_written_the_same() -> None:
    text = "inside(e, a, 1, 2, 3, 4, 5, 0)"
    gate = gate_of(text, "e", "a")
    assert gate == Polygon(((1.0, 2.0), (3.0, 4.0), (5.0, 0.0)))
    assert gate.text("e", "a") == text


def test_a_polygon_over_swapped_columns_keeps_their_order() -> None:
    text = "inside(a, e, 2, 1, 4, 3, 0, 5)"
    gate = gate_of(text, "e", "a")
    assert gate == Polygon(((1.0, 2.0), (3.0, 4.0), (5.0, 0.0)), is_turned=True)
    assert gate.text("e", "a") == text


def test_a_range_is_a_band_across_its_axis() -> None:
    gate = gate_of("3 <= a < 4", "e", "a")
    assert isinstance(gate, Band)
    assert gate.axis == 1
    assert gate.outline(*VIEW)[:, 1].tolist() == [3, 3, 4, 4]
    assert gate.text("e", "a") == "3 <= a < 4"


@pytest.mark.parametrize("text", ["a < 3 & e < 4", "sqrt(e) < 3", "inside(e, b, 1, 2, 3, 4, 5, 0)", "e <"])
def test_other_cuts_have_no_shape_here(text: str) -> None:
    assert gate_of(text, "e", "a") is None


def test_a_band_keeps_which_ends_belong_to_it_when_it_moves() -> None:
    gate = gate_of("3 < a <= 4", "e", "a")
    assert gate is not None
    assert gate.moved(Part("body"), (99.0, 1.0)).text("e", "a") == "4 < a <= 5"
    assert gate.moved(Part("side", 1), (0.0, -3.0)).text("e", "a") == "1 < a <= 3"


def test_an_open_band_stays_open() -> None:
    gate = gate_of("a > 3", "e", "a")
    assert gate is not None
    assert gate.moved(Part("body"), (0.0, 1.0)).text("e", "a") == "a > 4"
    assert part_at(gate, (50.0, 8.0), PX, VIEW) == Part("body")
    assert part_at(gate, (50.0, 3.03), PX, VIEW) == Part("side", 0)
    assert np.isfinite(gate.outline(*VIEW)).all()


def test_corner_side_and_body_are_told_apart() -> None:
    assert part_at(BOX, (10.3, 1.02), PX, VIEW) == Part("corner", 0)
    assert part_at(BOX, (20.3, 1.5), PX, VIEW) == Part("side", 1)
    assert part_at(BOX, (15.0, 1.5), PX, VIEW) == Part("body")
    assert part_at(BOX, (25.0, 1.5), PX, VIEW) is None


def test_a_rectangle_stays_one_when_a_corner_or_a_side_moves() -> None:
    by_corner = BOX.moved(Part("corner", 2), (5.0, 0.5))
    assert by_corner == rectangle((10.0, 25.0), (1.0, 2.5))
    by_side = BOX.moved(Part("side", 0), (5.0, -0.5))
    assert by_side == rectangle((10.0, 20.0), (0.5, 2.0))


def test_a_corner_of_another_polygon_moves_alone() -> None:
    gate = Polygon(((0.0, 0.0), (4.0, 0.0), (5.0, 3.0)))
    assert gate.moved(Part("corner", 2), (1.0, 1.0)).points == ((0.0, 0.0), (4.0, 0.0), (6.0, 4.0))
    assert gate.moved(Part("side", 0), (1.0, 1.0)).points == ((1.0, 1.0), (5.0, 1.0), (5.0, 3.0))


def test_corners_come_and_go_and_three_stay() -> None:
    more = BOX.with_corner(1, (22.0, 1.5))
    assert more.points[2] == (22.0, 1.5)
    assert more.without_corner(2) == BOX
    three = Polygon(((0.0, 0.0), (4.0, 0.0), (5.0, 3.0)))
    assert three.without_corner(0) is three


def test_corners_are_rounded_to_a_tenth_of_a_pixel() -> None:
    gate = Polygon(((1234.56789, 0.123456), (2.0, 1.0), (3.0, 4.0))).rounded(10.0, 0.001)
    assert gate.points[0] == (1235.0, 0.1235)


def test_what_the_hand_did_not_move_is_not_rounded() -> None:
    text = "inside(e, a, 1234.567, 0.123456, 2000.125, 0.123456, 2000.125, 1.000125, 1234.567, 1.000125)"
    gate = gate_of(text, "e", "a")
    assert isinstance(gate, Polygon)
    moved = gate.moved(Part("corner", 2), (10.0, 0.01)).rounded(10.0, 0.01, gate)
    assert moved.text("e", "a") == (
        "inside(e, a, 1234.567, 0.123456, 2010, 0.123456, 2010, 1.01, 1234.567, 1.01)"
    )
    band = gate_of("1234.567 <= e < 2000.125", "e", "a")
    assert isinstance(band, Band)
    assert band.moved(Part("side", 1), (10.0, 0.0)).rounded(10.0, 0.01, band).text("e", "a") == (
        "1234.567 <= e < 2010"
    )


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=8, unique=True))
def test_inside_for_the_hand_is_inside_for_the_cut(points: list[tuple[int, int]]) -> None:
    gate = Polygon(tuple((float(x), float(y)) for x, y in points))
    # Places that lie on no line through two corners.
    x, y = (part.ravel() for part in np.meshgrid(np.arange(20) + 0.4142, np.arange(20) + 0.7321))
    expected = parse(gate.text("e", "a")).mask({"e": x, "a": y})
    corners = gate.outline(*VIEW)
    assert [is_inside(np.array(place), corners) for place in zip(x, y, strict=True)] == expected.tolist()


def test_words_stand_at_what_is_seen_of_a_gate() -> None:
    assert top_of(rectangle((50.0, 500.0), (5.0, 50.0)).outline(*VIEW), *VIEW) == (100.0, 10.0)
