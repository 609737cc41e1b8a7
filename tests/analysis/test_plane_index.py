"""Tests the finding of points that change sides when a polygon is moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis import plane_index
from pygama.analysis.expression_nodes import points_inside, points_inside_plainly, sides_of
from pygama.analysis.plane_index import PlaneIndex, changed_points, changed_sides

LEVELS = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-4, 4, allow_nan=False), st.sampled_from([1e-12, 1e9, -1e300])
)
CORNERS = st.lists(st.tuples(LEVELS, LEVELS), min_size=3, max_size=7)


def made(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make points, many of them on whole numbers, some of them not finite."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(scale=2, size=n), rng.normal(scale=2, size=n)
    x[::5], y[::3] = np.round(x[::5]), np.round(y[::3])
    x[::31], y[::37], x[::41], y[::43] = np.nan, np.nan, np.inf, -np.inf
    return x, y


def moved(x: np.ndarray, y: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    sides = changed_sides(before, after)
    pieces = PlaneIndex(x, y).near(sides)
    near = np.concatenate([np.empty(0, np.uint32), *pieces])
    assert len(near) == len(np.unique(near))
    return np.sort(changed_points(x, y, sides, near))


@settings(max_examples=300, deadline=None)
@given(CORNERS, CORNERS, st.integers(0, 9))
def test_all_points_that_only_one_polygon_holds_are_found(before, after, seed):
    x, y = made(700, seed)
    old, new = np.array(before), np.array(after)
    expected = points_inside(x, y, old) != points_inside(x, y, new)
    assert np.array_equal(moved(x, y, old, new), np.flatnonzero(expected))


@settings(max_examples=100, deadline=None)
@given(CORNERS, st.integers(0, 6), st.tuples(LEVELS, LEVELS))
def test_points_are_found_when_one_corner_is_moved(corners, which, to):
    x, y = made(700, 3)
    old, new = np.array(corners), np.array(corners)
    new[which % len(new)] = to
    expected = points_inside(x, y, old) != points_inside(x, y, new)
    assert np.array_equal(moved(x, y, old, new), np.flatnonzero(expected))


def test_a_moved_corner_leaves_the_sides_that_do_not_end_there():
    square = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)])
    other = square.copy()
    other[2] = 2.5, 2.25
    assert len(changed_sides(square, other)) == 3  # the level side of the old one counts as none
    assert len(changed_sides(square, square)) == 0
    assert len(changed_sides(square, square[::-1])) == 0


def test_few_points_are_looked_at_when_a_side_moves_a_little():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(size=200_000), rng.uniform(size=200_000)
    square = np.array([(0.2, 0.2), (0.7, 0.2), (0.7, 0.7), (0.2, 0.7)])
    other = square.copy()
    other[1:3, 0] = 0.705
    near = PlaneIndex(x, y).near(changed_sides(square, other))
    assert sum(map(len, near)) < 0.02 * len(x)


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint64])
def test_points_of_other_kinds_of_numbers_are_compared_as_float64(kind):
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 50, 3000).astype(kind), rng.integers(0, 50, 3000).astype(kind)
    old, new = np.array([(3, 3), (40, 5), (20, 44)], float), np.array([(3, 3), (41, 5), (20, 44)], float)
    expected = points_inside(x, y, old) != points_inside(x, y, new)
    assert expected.any()
    assert np.array_equal(moved(x, y, old, new), np.flatnonzero(expected))


def test_no_points_and_points_without_numbers_have_an_index():
    sides = sides_of(np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]))
    assert sum(map(len, PlaneIndex(np.empty(0), np.empty(0)).near(sides))) == 0
    nothing = np.full(5, np.nan)
    index = PlaneIndex(nothing, nothing)
    assert not points_inside_plainly(nothing, nothing, sides).any()
    assert isinstance(index.near(sides), list)
    assert plane_index.N_STRIPS**2 < 1 << 16
