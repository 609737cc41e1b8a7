"""Tests how waveforms inside and outside of a cut are set against each other."""

from __future__ import annotations

import numpy as np
import pytest

from pygama_gui.data.contrast import contrast, farthest, mean_of
from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import Look, Shaped

RAW = Look(is_above_baseline=False)
SIZE = (100, 50)


def bunch(*rows: list[float]) -> Bunch:
    return Bunch(np.array(rows), {"period_ns": np.full(len(rows), 10.0)})


def compared(inside: Bunch | None, outside: Bunch | None):  # noqa: ANN201
    return contrast(inside, outside, (), RAW, (None, None), SIZE)


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


def test_the_farthest_waveform_comes_first() -> None:
    shaped = Shaped(np.array([[0.0, 0.0], [1.0, 1.0], [9.0, 9.0], [0.5, 0.5]]), np.zeros(4), None)
    x, mean = mean_of(shaped)
    found = farthest(shaped, x, mean, 2)
    assert [y.tolist() for _, y in found] == [[9, 9], [0, 0]]


def test_few_waveforms_have_no_farthest() -> None:
    shaped = Shaped(np.ones((3, 2)), np.zeros(3), None)
    assert farthest(shaped, *mean_of(shaped), 5) == ()


def test_the_difference_is_positive_where_the_inside_lies_and_sums_to_zero() -> None:
    found = compared(bunch([8.0, 8.0], [8.0, 8.0]), bunch([2.0, 2.0]))
    assert found is not None
    assert found.inside is not None and found.outside is not None
    assert (found.inside.n_waveforms, found.outside.n_waveforms) == (2, 1)
    difference = found.difference
    assert difference is not None
    high, low = difference[:, 25:], difference[:, :25]
    assert high.max() == pytest.approx(1) and high.min() == 0
    assert low.min() == pytest.approx(-1) and low.max() == 0
    assert difference.sum() == pytest.approx(0)


def test_equal_sides_do_not_differ() -> None:
    found = compared(bunch([1.0, 5.0], [2.0, 3.0]), bunch([1.0, 5.0], [2.0, 3.0]))
    assert found is not None
    assert found.difference is not None
    assert not found.difference.any()


def test_both_sides_have_one_frame() -> None:
    found = compared(bunch([0.0, 10.0]), bunch([-10.0, 0.0]))
    assert found is not None
    assert found.inside is not None and found.outside is not None
    assert found.inside.density.y_range == found.outside.density.y_range == found.frame[1]
    assert found.frame[1][0] < -10 < 10 < found.frame[1][1]


def test_a_side_without_waveforms_is_none() -> None:
    found = compared(bunch([0.0, 1.0]), None)
    assert found is not None
    assert found.outside is None
    assert found.difference is None
    assert compared(None, None) is None
