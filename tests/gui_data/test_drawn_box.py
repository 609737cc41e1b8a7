"""Tests how boxes over waveforms move under a hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.boxes import Box
from pygama_gui.data.drawn_box import MOVES, moved_box, outline_of
from pygama_gui.data.gates import Part

BOX = Box(410, 500, 2000.0, 8000.0, ("bl_int",))
PARTS = [Part(kind, number) for kind, moves in MOVES.items() for number in range(len(moves))] + [Part("body")]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Part("side", 0), (410, 500, 2100.0, 8000.0)),
        (Part("side", 1), (410, 507, 2000.0, 8000.0)),
        (Part("side", 2), (410, 500, 2000.0, 8100.0)),
        (Part("side", 3), (417, 500, 2000.0, 8000.0)),
        (Part("corner", 0), (417, 500, 2100.0, 8000.0)),
        (Part("corner", 1), (410, 507, 2100.0, 8000.0)),
        (Part("corner", 2), (410, 507, 2000.0, 8100.0)),
        (Part("corner", 3), (417, 500, 2000.0, 8100.0)),
        (Part("body"), (417, 507, 2100.0, 8100.0)),
    ],
)
def test_only_the_ends_under_the_hand_move(part: Part, expected: tuple[int, int, float, float]) -> None:
    moved = moved_box(BOX, part, (7.2, 100.4), 10.0, 900)
    assert (moved.first, moved.last, moved.low, moved.high) == expected
    assert moved.above == BOX.above


def test_the_outline_lies_half_a_sample_around() -> None:
    corners = outline_of(BOX).points
    assert corners == ((409.5, 2000.0), (500.5, 2000.0), (500.5, 8000.0), (409.5, 8000.0))


def test_ends_that_cross_change_places() -> None:
    moved = moved_box(BOX, Part("corner", 0), (150.0, 7000.0), 10.0, 900)
    assert (moved.first, moved.last, moved.low, moved.high) == (500, 560, 8000.0, 9000.0)


@given(
    st.sampled_from(PARTS),
    st.floats(-3000, 3000),
    st.floats(-1e5, 1e5),
    st.floats(1e-3, 1e3),
)
def test_a_moved_box_is_a_box_within_the_record(part: Part, along: float, up: float, px: float) -> None:
    moved = moved_box(BOX, part, (along, up), px, 900)
    assert 0 <= moved.first <= moved.last < 900
    assert moved.low < moved.high
    if part.kind == "body":
        assert moved.last - moved.first == 90
        assert moved.high - moved.low == pytest.approx(6000.0)


def test_a_box_beyond_a_shorter_record_is_not_torn_apart() -> None:
    moved = moved_box(BOX, Part("body"), (5.0, 0.0), 10.0, 300)
    assert moved.last - moved.first == 90
