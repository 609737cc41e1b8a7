"""Tests which waveforms of many are named as most like the others and least like them."""

from __future__ import annotations

import numpy as np
import pytest

from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import Look, Shaped, shape
from pygama_gui.data.typical import Extremes, distances_of, extremes_of, mean_of

STEP = np.r_[np.zeros(8), np.ones(8)]
"""Half of it baseline: the mean of its first eighth is 0."""


def bunch(*rows: np.ndarray, **numbers: np.ndarray) -> Bunch:
    n = len(rows)
    return Bunch(
        np.array(rows), {"period_ns": np.full(n, 10.0), "event_number": 100 + np.arange(n)} | numbers
    )


def picked(of: Bunch, n: int = 1, look: Look | None = None) -> Extremes:
    look = look or Look()
    return extremes_of(of, (), look, shape(of, (), look), n)


def test_the_distance_is_the_root_mean_square_difference_from_the_mean_shape() -> None:
    found = distances_of(Shaped(np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 0.4]]), np.zeros(3), None))
    # the mean is 0, 0.8
    assert found == pytest.approx([0.2 / np.sqrt(2), 0.2 / np.sqrt(2), 0.4 / np.sqrt(2)])


def test_shapes_are_compared_whatever_their_height_and_baseline() -> None:
    slow = np.r_[np.zeros(8), np.linspace(0, 1, 8)]
    found = picked(bunch(3 * STEP + 50, 900 * STEP + 7, 40 * slow, 8 * STEP))
    (extreme,) = found.extreme
    assert extreme.event == 102
    assert found.typical[0].event in (100, 101, 103)
    assert found.typical[0].distance < extreme.distance


def test_the_nearest_and_the_farthest_come_first() -> None:
    rows = [STEP + np.r_[np.zeros(8), -bend * np.arange(8) / 8] for bend in (0.0, 0.1, 0.2, 0.3, 0.9)]
    found = picked(bunch(*rows), n=2)
    assert [one.event for one in found.typical] == [103, 102]
    assert [one.event for one in found.extreme] == [104, 100]


def test_they_are_drawn_as_they_are_looked_at() -> None:
    found = picked(
        bunch(*(STEP * height + 5 for height in (2.0, 4.0, 6.0))), look=Look(is_above_baseline=False)
    )
    assert sorted({*found.typical[0].heights.tolist()})[0] == 5
    assert found.typical[0].x.tolist() == list(range(16))


def test_none_is_named_where_both_kinds_would_be_the_same_waveforms() -> None:
    assert picked(bunch(STEP, STEP), n=1) == Extremes()


def test_a_waveform_that_was_left_out_of_the_picture_is_not_named() -> None:
    rows = [STEP, STEP, STEP, np.r_[np.zeros(15), 1.0]]
    of = bunch(*rows)
    whole = shape(of, (), Look())
    without = Shaped(whole.heights[:3], whole.starts[:3], whole.period_ns, 1, np.arange(3))
    found = extremes_of(of, (), Look(), without, 1)
    assert 103 not in [one.event for one in (*found.typical, *found.extreme)]


def test_the_run_of_a_data_set_goes_with_the_event() -> None:
    found = picked(bunch(STEP, STEP, STEP, run=np.array([7, 8, 9])))
    assert found.typical[0].run == 7


def test_the_mean_of_aligned_waveforms_is_taken_sample_by_sample_from_time_0() -> None:
    shaped = Shaped(np.array([[0.0, 2.0, 4.0], [2.0, 4.0, 6.0]]), np.array([1.0, 0.0]), None)
    x, mean = mean_of(shaped)
    assert x.tolist() == [-1, 0, 1, 2]
    assert mean.tolist() == [0, 2, 4, 6]


def test_the_mean_is_not_known_where_only_few_waveforms_reach() -> None:
    shaped = Shaped(np.ones((5, 3)), np.array([1.0, 0.0, 0.0, 0.0, 0.0]), None)
    _, mean = mean_of(shaped)
    assert np.isnan(mean[0])
    assert mean[1:].tolist() == [1, 1, 1]


def test_a_sample_without_a_value_does_not_count() -> None:
    _, mean = mean_of(Shaped(np.array([[1.0, np.nan], [3.0, np.nan]]), np.zeros(2), None))
    assert mean[0] == 2
    assert np.isnan(mean[1])
