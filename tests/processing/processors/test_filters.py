"""Filters of finite length: closed forms, loops that do the same by hand, and the laws of linear filters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.errors import SettingsError
from pygama.processing.declare import RecordTooShort
from pygama.processing.processors.filters import (
    convolved,
    current,
    cusp_filter,
    derivative,
    moving_window,
    savitzky_golay,
    zac_filter,
)
from pygama.processing.processors.transforms import (
    asym_trap_filter,
    double_pole_zero,
    pole_zero,
    trap_filter,
)

K = np.arange(300.0)
STEP = np.where(K < 100, 0.0, 1000.0)[None, :]
RAMP = 3 * K[None, :]


def settled(name, function, **settings):
    return pytest.param(lambda waves: function(waves, **settings), id=name)


LINEAR = [
    settled("pole_zero", pole_zero, tau=40),
    settled("double_pole_zero", double_pole_zero, tau=80, tau2=9, fraction=0.2),
    settled("trap_filter", trap_filter, rise=30, flat=11),
    settled("asym_trap_filter", asym_trap_filter, rise=5, flat=7, fall=40),
    settled("moving_window", moving_window, length=9, passes=3),
    settled("savitzky_golay", savitzky_golay, length=13, order=4),
    settled("derivative", derivative),
    settled("current", current, length=6),
    settled("cusp_filter", cusp_filter, rise=40, flat=9, sigma=15),
    settled("zac_filter", zac_filter, rise=40, flat=9, sigma=15),
]


@pytest.mark.parametrize("linear", LINEAR)
@given(seed=st.integers(0, 999), one=st.floats(-100, 100), other=st.floats(-100, 100))
@settings(deadline=None, max_examples=15)
def test_the_filter_of_a_sum_is_the_sum_of_the_filtered(linear, seed, one, other):
    x, y = np.random.default_rng(seed).normal(0, 100, (2, 3, 200))
    assert np.allclose(linear(one * x + other * y), one * linear(x) + other * linear(y), rtol=0, atol=1e-6)


@pytest.mark.parametrize("linear", LINEAR)
@given(seed=st.integers(0, 999), by=st.integers(1, 80))
@settings(deadline=None, max_examples=15)
def test_a_pulse_that_comes_later_is_filtered_later(linear, seed, by):
    x = np.zeros((2, 300))
    x[:, 30:60] = np.random.default_rng(seed).normal(0, 100, (2, 30))
    later = np.roll(x, by, axis=1)
    assert np.allclose(linear(later)[:, by + 10 : -10], linear(x)[:, 10 : -by - 10], rtol=0, atol=1e-8)


# windows


def test_the_moving_window_of_a_step_is_a_ramp_of_its_length():
    smooth = moving_window(STEP, length=4)[0]
    assert np.array_equal(smooth[98:105], [0, 0, 250, 500, 750, 1000, 1000])


def test_the_moving_window_averages_what_there_is_at_the_beginning():
    assert np.array_equal(moving_window(np.array([[4, 8, 12, 16]]), length=3), [[4, 6, 8, 12]])


def test_two_passes_are_one_after_the_other():
    once = moving_window(STEP, length=7)
    assert np.array_equal(moving_window(STEP, length=7, passes=2), moving_window(once, length=7))


def test_a_level_stays_as_it_is():
    assert np.allclose(moving_window(np.full((1, 50), 65535, np.uint16), length=50, passes=10), 65535)


# Savitzky-Golay


@pytest.mark.parametrize(("length", "order"), [(5, 0), (5, 2), (21, 3), (9, 8), (1, 0), (51, 5)])
def test_savitzky_golay_is_a_polynomial_fitted_around_each_sample(length, order):
    x = np.random.default_rng(1).normal(0, 100, 60)
    half = length // 2
    expected = []
    for k in range(60):
        begin = min(max(k - half, 0), 60 - length)
        place = np.arange(length) - (k - begin)
        expected.append(np.polyfit(place / max(half, 1), x[begin : begin + length], order)[-1])
    assert np.allclose(savitzky_golay(x[None, :], length=length, order=order)[0], expected, atol=1e-7)


@pytest.mark.parametrize("order", [0, 1, 3, 6])
def test_savitzky_golay_leaves_a_polynomial_of_its_order_alone(order):
    polynomial = ((K - 120) / 100) ** order
    smooth = savitzky_golay(polynomial[None, :], length=31, order=order)
    assert np.allclose(smooth, polynomial, rtol=0, atol=1e-10)


def test_the_well_known_weights_of_five_samples():
    spike = np.zeros((1, 9))
    spike[0, 4] = 35
    assert np.allclose(savitzky_golay(spike, length=5, order=2)[0, 2:7], [-3, 12, 17, 12, -3], atol=1e-12)


def test_a_sample_that_is_not_a_number_spoils_only_what_is_fitted_to_it():
    x = np.zeros((1, 40))
    x[0, 20] = np.nan
    spoilt = np.isnan(savitzky_golay(x, length=7, order=2)[0])
    assert np.array_equal(np.flatnonzero(spoilt), np.arange(17, 24))


def test_an_even_number_of_samples_has_no_middle():
    with pytest.raises(SettingsError, match="^length must be an odd number of samples, not 20$"):
        savitzky_golay(STEP, length=20)


def test_an_order_as_large_as_the_length_is_refused():
    with pytest.raises(SettingsError, match="^order must be less than length, 5, not 5$"):
        savitzky_golay(STEP, length=5, order=5)


# differences


def test_the_derivative_of_a_ramp_is_its_slope_everywhere():
    assert np.array_equal(derivative(RAMP), np.full((1, 300), 3.0))


def test_the_derivative_of_a_sine_is_its_cosine():
    wave = np.sin(2 * np.pi * K / 60)[None, :]
    expected = np.sin(2 * np.pi / 60) * np.cos(2 * np.pi * K / 60)
    assert np.allclose(derivative(wave)[0, 1:-1], expected[1:-1], rtol=0, atol=1e-12)


def test_unsigned_samples_that_fall_have_a_negative_derivative():
    assert np.array_equal(derivative(np.array([[9, 5, 1]], np.uint16)), [[-4, -4, -4]])


def test_the_derivative_of_a_single_sample_is_zero():
    assert np.array_equal(derivative(np.array([[7.0]])), [[0.0]])


def test_the_current_of_a_step_is_its_height_spread_over_the_length():
    flow = current(STEP, length=10)[0]
    assert np.array_equal(flow[99:112], [0.0] + [100.0] * 10 + [0.0] * 2)


def test_the_current_of_a_ramp_is_its_slope_and_begins_at_zero():
    flow = current(RAMP, length=4)[0]
    assert np.array_equal(flow[:6], [0, 0.75, 1.5, 2.25, 3, 3])


def test_the_area_of_the_current_is_the_charge():
    assert current(STEP, length=10).sum() == pytest.approx(1000)


def test_a_level_carries_no_current_however_high():
    assert np.array_equal(current(np.full((1, 20), 65535, np.uint16), length=20), np.zeros((1, 20)))


# cusps


def cusp_by_hand(x: np.ndarray, rise: int, flat: int, sigma: float, *, zero_area: bool) -> np.ndarray:
    """Weigh the differences of the waveform one by one."""
    shape = []
    for k in range(2 * rise + flat):
        u = min(k + 1, rise, 2 * rise + flat - k - 1)
        shape.append(math.sinh(u / sigma) / math.sinh(rise / sigma))
    if zero_area:
        area = sum(shape)
        parabola = []
        for k in range(2 * rise + flat):
            u = min(k + 1, rise, 2 * rise + flat - k - 1)
            parabola.append((u - rise / 2) ** 2 - (rise / 2) ** 2)
        scale = area / sum(parabola)
        shape = [value - scale * dip for value, dip in zip(shape, parabola, strict=True)]
    differences = [x[0], *np.diff(x)]
    shaped = []
    for k in range(len(x)):
        terms = [differences[k - j] * shape[j] for j in range(min(k + 1, len(shape)))]
        shaped.append(math.fsum(terms))
    return np.array(shaped)


@pytest.mark.parametrize(
    ("rise", "flat", "sigma"), [(30, 12, 8.0), (60, 0, 500.0), (2, 5, 1.0), (200, 90, 50)]
)
@pytest.mark.parametrize("zero_area", [False, True], ids=["cusp", "zac"])
def test_the_cusps_are_what_loops_make_of_the_differences(rise, flat, sigma, zero_area):
    x = np.random.default_rng(2).integers(0, 16000, (2, 300)).astype(np.uint16)
    shaped = (zac_filter if zero_area else cusp_filter)(x, rise=rise, flat=flat, sigma=sigma)
    for row in range(2):
        expected = cusp_by_hand(x[row].astype(float), rise, flat, sigma, zero_area=zero_area)
        assert np.allclose(
            shaped[row], expected, rtol=0, atol=1e-9 * 16000 * max(1, np.abs(expected).max() / 16000)
        )


@pytest.mark.parametrize("function", [cusp_filter, zac_filter])
def test_a_step_has_its_height_on_the_flat_top(function):
    shaped = function(STEP, rise=50, flat=20, sigma=10)[0]
    assert np.allclose(shaped[:100], 0, atol=1e-9)
    assert np.allclose(shaped[149:170], 1000, atol=1e-9)
    assert shaped.max() == pytest.approx(1000)
    assert np.allclose(shaped[219:], 0, atol=1e-9)


def test_a_cusp_of_straight_flanks_is_the_trapezoid():
    x = np.random.default_rng(3).normal(0, 1000, (3, 300))
    assert np.allclose(
        cusp_filter(x, rise=40, flat=15, sigma=1e9), trap_filter(x, rise=40, flat=15), atol=1e-8
    )


def test_the_zero_area_cusp_of_a_step_has_no_area():
    assert zac_filter(STEP, rise=50, flat=20, sigma=10).sum() == pytest.approx(0, abs=1e-6)


def test_a_slope_gives_nothing_in_the_zero_area_cusp_and_something_in_the_cusp():
    inside = slice(121, None)
    assert np.allclose(zac_filter(RAMP, rise=50, flat=20, sigma=10)[0, inside], 0, atol=1e-9)
    assert cusp_filter(RAMP, rise=50, flat=20, sigma=10)[0, inside].min() > 10


def test_a_sharp_cusp_does_not_overflow():
    shaped = cusp_filter(STEP, rise=150, flat=0, sigma=0.01)[0]
    assert shaped[249] == pytest.approx(1000)
    assert abs(shaped[248]) < 1e-9


@pytest.mark.parametrize("function", [cusp_filter, zac_filter])
def test_a_flat_top_longer_than_the_record_is_never_left(function):
    shaped = function(STEP, rise=50, flat=5000, sigma=10)[0]
    assert np.allclose(shaped[149:], 1000, rtol=0, atol=1e-7)


@pytest.mark.parametrize("function", [cusp_filter, zac_filter])
@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_not_finite_spoils_its_row(function, strange):
    x = np.zeros((2, 300))
    x[0, 200] = strange
    assert np.isnan(function(x, rise=20)).all(axis=1).tolist() == [True, False]


@pytest.mark.parametrize("n_samples", [1, 2, 37, 300])
@pytest.mark.parametrize("n_weights", [1, 2, 33, 300])
def test_a_convolution_by_the_fourier_transform_is_a_convolution(n_samples, n_weights):
    rng = np.random.default_rng(4)
    x, weights = rng.normal(0, 1, (2, n_samples)), rng.normal(0, 1, n_weights)
    expected = np.array([np.convolve(row, weights)[:n_samples] for row in x])
    assert np.allclose(convolved(x, weights), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (moving_window, "length"),
        (savitzky_golay, "length"),
        (current, "length"),
        (cusp_filter, "rise"),
        (zac_filter, "rise"),
    ],
)
def test_a_filter_longer_than_the_record_is_refused(function, name):
    with pytest.raises(
        RecordTooShort, match=f"^{name} must be 300 or less, the length of the waveforms, not 301$"
    ):
        function(STEP, **{name: 301})
