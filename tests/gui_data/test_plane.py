"""Tests the bins of a plane, the scale of its colours and what its counts sum up to."""

from __future__ import annotations

import numpy as np
import pytest

from pygama_gui.data.channels import CODE
from pygama_gui.data.linked import Axis, Counter, Want
from pygama_gui.data.plane import (
    Limits,
    Scale,
    axis_of,
    keeps,
    limits_of,
    mean_profile,
    median_profile,
    points_in,
    scale_of,
    share_in_slice,
)


def test_a_few_wild_values_do_not_squeeze_all_others() -> None:
    values = np.random.default_rng(1).normal(1.0, 0.01, 10_000)
    values[:50] = 1e6
    values[50:60] = np.nan
    limits = limits_of(values)
    assert 0.9 < limits.low < 0.975
    assert 1.025 < limits.high < 1.1


def test_a_thin_tail_does_not_stretch_the_limits() -> None:
    rng = np.random.default_rng(1)
    tail = rng.uniform(1.0, 5.0, 200)
    limits = limits_of(np.concatenate([rng.normal(1.0, 0.01, 10_000), tail]))
    assert limits.high < 1.15


def test_no_values_still_have_limits() -> None:
    assert limits_of(np.array([np.nan, np.inf])) == Limits(0.0, 1.0)


def test_one_value_lies_inside_of_its_limits() -> None:
    limits = limits_of(np.full(10, 8262.5))
    assert limits.low < 8262.5 < limits.high


def test_what_begins_near_zero_begins_at_zero() -> None:
    assert limits_of(np.linspace(60.0, 50_000.0, 1000)).low == 0.0


def test_limits_stay_while_they_suit() -> None:
    assert keeps(Limits(0.0, 10.0), Limits(0.5, 9.0))
    assert not keeps(Limits(0.0, 10.0), Limits(0.5, 10.5))
    assert not keeps(Limits(0.0, 100.0), Limits(0.0, 10.0))


def test_bins_begin_at_whole_multiples_of_their_width() -> None:
    axis = axis_of("e", Limits(33.0, 971.0), 100)
    assert (axis.low, axis.high, axis.n_bins) == (30.0, 980.0, 95)


def test_whole_numbers_lie_in_the_middle_of_their_bins() -> None:
    axis = axis_of("channel", limits_of(np.array([0, 1, 2, 3])), 100)
    assert [low + 0.5 for low in axis.edges[:4]] == [0.0, 1.0, 2.0, 3.0]


def test_a_width_that_would_make_too_many_bins_is_doubled() -> None:
    assert axis_of("e", Limits(0.0, 1000.0), 100, width=0.25).n_bins == 1000


def test_colours_begin_at_one_count_and_end_at_the_most() -> None:
    scale = Scale(1000.0)
    assert scale.shades(np.array([0, 1, 1000, 5000])).tolist() == [0, 1, 255, 255]
    assert scale.places(np.array([10.0]))[0] == pytest.approx(1 / 3)


def test_colours_of_counts_as_they_are_are_proportional() -> None:
    assert Scale(200.0, is_log=False).shades(np.array([0, 100, 200])).tolist() == [0, 128, 255]


def test_a_slice_of_few_counts_does_not_set_the_scale_of_shares() -> None:
    counts = np.array([[0, 1], [50, 50], [0, 0]])
    assert share_in_slice(counts).tolist() == [[0, 1], [0.5, 0.5], [0, 0]]
    assert scale_of(counts, is_log=True, is_share=True).top == 0.5
    assert scale_of(counts, is_log=True, is_share=False).top == 50


def test_the_profile_is_that_of_the_values() -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(0.0, 10.0, 50_000)
    y = 2.0 * x + rng.normal(0.0, 1.0, len(x))
    axes = Axis("x", 0.0, 10.0, 20), Axis("y", -10.0, 30.0, 400)
    (found,) = Counter().count("t", {"x": x, "y": y}, None, [Want(*axes)])
    assert found is not None
    inside = x < 0.5
    for profile, expected, error in (
        (mean_profile(found.counts, *axes), y[inside].mean(), y[inside].std() / np.sqrt(inside.sum())),
        (median_profile(found.counts, *axes), np.median(y[inside]), 0.0),
    ):
        assert profile.x[0] == 0.25
        assert profile.y[0] == pytest.approx(expected, abs=0.02)
        if error:
            assert profile.error[0] == pytest.approx(error, rel=0.02)
    median = median_profile(found.counts, *axes)
    assert median.low is not None and median.high is not None
    assert median.low[0] == pytest.approx(np.quantile(y[inside], 0.1587), abs=0.05)
    assert median.high[0] == pytest.approx(np.quantile(y[inside], 0.8413), abs=0.05)


def test_a_profile_is_broken_where_a_slice_is_empty() -> None:
    counts = np.array([[0, 5], [0, 0], [5, 0]])
    profile = mean_profile(counts, Axis("x", 0.0, 3.0, 3), Axis("y", 0.0, 2.0, 2))
    np.testing.assert_array_equal(profile.y, [1.5, np.nan, 0.5])
    np.testing.assert_array_equal(profile.x, [0.5, np.nan, 2.5])


def test_points_are_the_rows_of_the_channel_in_view() -> None:
    rows = {"x": np.array([0.5, 0.5, 5.0, 0.9]), "y": np.array([1, 1, 1, 9]), CODE: np.array([0, 1, 0, 0])}
    axes = Axis("x", 0.0, 1.0, 2), Axis("y", 0.0, 5.0, 5)
    assert points_in(rows, *axes, None, None).rows.tolist() == [0, 1]
    assert points_in(rows, *axes, 1, None).rows.tolist() == [1]
