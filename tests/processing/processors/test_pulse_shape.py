"""Current, A/E and the slope of the tail of pulses made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pygama.processing.declare import RecordTooShort
from pygama.processing.processors.filters import current
from pygama.processing.processors.pulse_shape import a_max, a_over_e, tail_slope

K = np.arange(2000.0)


def edge(begin: float, length: float, height: float) -> np.ndarray:
    return height * np.clip((K - begin) / length, 0, 1)


def test_the_largest_current_of_a_straight_edge_is_its_slope():
    assert a_max(current(edge(900, 50, 1000)[None, :], length=10)) == pytest.approx([20])


def test_two_sites_have_less_current_for_the_same_energy():
    one, two = edge(900, 50, 1000), edge(900, 50, 500) + edge(1000, 50, 500)
    largest = a_max(current(np.array([one, two]), length=10))
    assert a_over_e(largest, np.array([1000.0, 1000.0])) == pytest.approx([0.02, 0.01])


def test_a_over_e_does_not_change_with_height():
    heights = np.array([10.0, 100.0, 60000.0])
    largest = a_max(current(np.array([edge(900, 50, height) for height in heights])))
    assert a_over_e(largest, heights) == pytest.approx([0.02] * 3)


@pytest.mark.parametrize("energy", [0.0, -5.0, np.nan, np.inf])
def test_without_energy_there_is_no_ratio(energy):
    assert np.isnan(a_over_e(np.array([1.0]), np.array([energy]))).all()


def test_a_flat_tail_has_no_slope():
    assert tail_slope(edge(900, 50, 1000)[None, :], np.array([9500.0]), 10.0) == pytest.approx([0], abs=1e-12)


def test_a_tail_that_rises_in_a_line_has_the_slope_of_the_line():
    rising = edge(900, 50, 1000) + 0.05 * (K - 950) * (K > 950)
    assert tail_slope(rising[None, :], np.array([9500.0]), 10.0) == pytest.approx([0.05])


def test_the_slope_is_that_between_the_means_of_two_stretches():
    # From sample 6 on: 6 7 8 | 9 | 10 21 20, the last 4 apart from the first.
    wave = np.array([[0, 0, 0, 9, 9, 9, 6, 7, 8, 9, 10, 21, 20]], np.uint16)
    assert tail_slope(wave, np.array([3.5]), 1.0, delay=2, length=3) == pytest.approx([(17 - 7) / 4])


def test_the_slope_grows_with_the_height_of_the_pulse():
    wave = np.random.default_rng(3).normal(0, 1, (1, 2000))
    tp_99 = np.array([9000.0])
    assert tail_slope(30 * wave + 5, tp_99, 10.0) == pytest.approx(30 * tail_slope(wave, tp_99, 10.0))


@pytest.mark.parametrize("tp_99", [np.nan, np.inf, -1e9, 16010.0, 1e300])
def test_where_the_stretches_do_not_fit_there_is_no_slope(tp_99):
    assert np.isnan(tail_slope(K[None, :], np.array([tp_99]), 10.0)).all()


def test_the_last_place_where_the_stretches_fit_is_taken():
    assert tail_slope(K[None, :], np.array([16000.0]), 10.0) == pytest.approx([1])


def test_a_stretch_longer_than_the_record_is_refused():
    with pytest.raises(RecordTooShort, match="^length must be 50 or less"):
        tail_slope(np.zeros((1, 50)), np.zeros(1), 10.0, length=51)
