"""Baselines and maxima of waveforms whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from pygama.errors import SettingsError
from pygama.processing.declare import RecordTooShort
from pygama.processing.processors.calculators import avg_baseline, fit_baseline, trap_max

RAMP = np.arange(10, dtype=np.uint16)[None, :]


def test_the_average_baseline_is_the_mean_of_the_stretch():
    assert avg_baseline(RAMP, i_start=2, i_end=5) == [3.0]


def test_the_average_of_large_samples_does_not_overflow():
    assert avg_baseline(np.full((1, 40000), 65535, np.uint16), i_end=40000) == [65535.0]


def test_the_average_takes_the_last_sample_too():
    assert avg_baseline(RAMP, i_end=10) == [4.5]


def test_a_line_is_found_exactly():
    waveform = (7 + 3 * np.arange(100))[None, :]
    bl_int, bl_slope = fit_baseline(waveform, i_end=50)
    assert bl_int == pytest.approx([7], abs=1e-11)
    assert bl_slope == pytest.approx([3], abs=1e-12)


def test_the_line_is_counted_from_the_first_sample_of_the_waveform_not_of_the_stretch():
    bl_int, _ = fit_baseline(RAMP, i_start=4, i_end=9)
    assert bl_int == pytest.approx([0], abs=1e-12)


def test_two_equal_steps_have_the_slope_of_their_line():
    # 0 0 1 1 against 0 1 2 3: slope = (sum of k*w - 4 * 1.5 * 0.5) / (sum of k*k - 4 * 1.5**2) = 2 / 5
    bl_int, bl_slope = fit_baseline(np.array([[0, 0, 1, 1]]), i_end=4)
    assert bl_slope == pytest.approx([0.4])
    assert bl_int == pytest.approx([-0.1])


def test_order_0_gives_the_mean_and_no_slope():
    bl_int, bl_slope = fit_baseline(RAMP, i_end=10, order=0)
    assert (bl_int, bl_slope) == (pytest.approx([4.5]), [0.0])


@pytest.mark.parametrize("order", [2, 3, 8])
def test_a_polynomial_gives_its_first_two_terms(order):
    k = np.arange(60.0)
    bl_int, bl_slope = fit_baseline((5 + 2 * k + 0.25 * k**2)[None, :], i_start=10, i_end=60, order=order)
    assert bl_int == pytest.approx([5], abs=1e-6)
    assert bl_slope == pytest.approx([2], abs=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_the_fit_agrees_with_numpys_own(order):
    waveform = np.random.default_rng(1).integers(0, 65536, (5, 300)).astype(np.uint16)
    expected = np.polynomial.polynomial.polyfit(
        np.arange(20, 280) / 100, waveform[:, 20:280].T.astype(float), order
    )
    bl_int, bl_slope = fit_baseline(waveform, i_start=20, i_end=280, order=order)
    assert np.allclose(bl_int, expected[0], atol=1e-6)
    assert np.allclose(bl_slope, expected[1] / 100 if order else 0, atol=1e-8)


@pytest.mark.parametrize("calculator", [avg_baseline, fit_baseline])
def test_a_stretch_beyond_the_waveform_is_refused_with_bound_and_value(calculator):
    with pytest.raises(
        RecordTooShort, match="^i_end must be 10 or less, the length of the waveforms, not 11$"
    ):
        calculator(RAMP, i_end=11)


@pytest.mark.parametrize("calculator", [avg_baseline, fit_baseline])
def test_an_empty_stretch_is_refused(calculator):
    with pytest.raises(SettingsError, match="^i_start must be less than i_end, 5, not 5$"):
        calculator(RAMP, i_start=5, i_end=5)


def test_a_fit_needs_more_samples_than_its_order():
    with pytest.raises(
        SettingsError, match="^order must be less than the number of samples fitted, 2, not 2$"
    ):
        fit_baseline(RAMP, i_end=2, order=2)


def test_the_maximum_of_a_trapezoid_is_its_highest_sample():
    assert np.array_equal(trap_max(np.array([[1.0, 5.0, 2.0], [-3.0, -1.0, -2.0]])), [5.0, -1.0])


def test_the_maximum_is_not_a_number_where_a_sample_is_not():
    assert np.isnan(trap_max(np.array([[1.0, np.nan]]))).all()
