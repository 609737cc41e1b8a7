"""Filters applied to pulses whose answers can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pygama.errors import SettingsError
from pygama.processing.declare import RecordTooShort
from pygama.processing.processors.calculators import avg_baseline, fit_baseline, trap_max
from pygama.processing.processors.transforms import (
    asym_trap_filter,
    bl_subtract,
    bl_subtract_polynomial,
    double_pole_zero,
    mean_of_last,
    pole_zero,
    trap_filter,
)

STEP = np.where(np.arange(3000) < 1000, 0.0, 1000.0)[None, :]


def trapezoid_of_2018(waves: np.ndarray, *, rise: int, flat: int) -> np.ndarray:
    """The filter of the 2018 demo, whose last sign is wrong."""
    change = waves.copy()
    for delay in (rise, rise + flat, 2 * rise + flat):
        change[:, delay:] -= waves[:, :-delay]
    return np.cumsum(change, axis=1) / rise


def test_a_step_becomes_a_trapezoid_of_its_height():
    assert trap_max(trap_filter(STEP)) == [1000.0]


def test_the_trapezoid_of_a_step_rises_stays_and_falls_where_it_should():
    shaped = trap_filter(STEP, rise=400, flat=200)[0]
    assert shaped[999] == 0
    assert shaped[1199] == 500
    assert (shaped[1399:1600] == 1000).all()
    assert shaped[1799] == 500
    assert (shaped[1999:] == 0).all()


def test_samples_before_the_record_count_as_zero():
    assert np.array_equal(trap_filter(np.ones((1, 6)), rise=2, flat=1)[0], [0.5, 1, 1, 0.5, 0, 0])


def test_a_trapezoid_longer_than_the_record_is_still_a_trapezoid():
    assert np.array_equal(trap_filter(np.ones((1, 4)), rise=4, flat=100)[0], [0.25, 0.5, 0.75, 1])


def test_a_rise_longer_than_the_record_is_refused():
    with pytest.raises(RecordTooShort, match="^rise must be 4 or less, the length of the waveforms, not 5$"):
        trap_filter(np.ones((1, 4)), rise=5)


def test_a_baseline_offset_does_not_grow_into_an_energy_as_it_did_in_2018():
    offset = np.full((1, 3000), -1.0)
    assert trapezoid_of_2018(offset, rise=400, flat=200).max() == pytest.approx(10.0)
    assert trap_filter(offset, rise=400, flat=200).max() == 0.0


def test_the_flat_top_of_a_clean_step_is_that_of_2018():
    shaped, old = trap_filter(STEP), trapezoid_of_2018(STEP, rise=400, flat=200)
    assert np.array_equal(shaped[0, :1600], old[0, :1600])


def test_the_trapezoid_of_a_decaying_pulse_droops():
    after = np.arange(3000) - 1000
    pulse = np.where(after < 0, 0, 1000 * np.exp(-np.maximum(after, 0) / 5000))[None, :]
    assert trap_max(trap_filter(pulse)) == pytest.approx([961], abs=0.5)


def test_pole_zero_makes_a_decaying_pulse_flat():
    after = np.arange(3000) - 1000
    pulse = np.where(after < 0, 0, 1000 * np.exp(-np.maximum(after, 0) / 5000))[None, :]
    assert np.allclose(pole_zero(pulse, tau=5000), STEP, rtol=0, atol=1e-9)


def test_pole_zero_is_the_recursion_that_it_says_it_is():
    x = np.random.default_rng(2).normal(0, 100, 50)
    y, last_x, last_y = [], 0.0, 0.0
    for sample in x:
        last_y += sample - last_x * np.exp(-1 / 20)
        last_x = sample
        y.append(last_y)
    assert np.allclose(pole_zero(x[None, :], tau=20), y, rtol=0, atol=1e-10)


def test_the_baseline_line_is_subtracted():
    waveform = np.array([[10, 12, 14], [5, 5, 5]], np.uint16)
    flat = bl_subtract(waveform, np.array([10.0, 6.0]), np.array([2.0, 0.0]))
    assert np.array_equal(flat, [[0, 0, 0], [-1, -1, -1]])


def test_a_baseline_above_an_unsigned_sample_gives_a_negative_one():
    assert bl_subtract(np.zeros((1, 1), np.uint16), np.array([1.0]), np.array([0.0])) == [[-1.0]]


def decay_of_two_parts(tau: float, tau2: float, fraction: float) -> np.ndarray:
    after = np.arange(3000) - 1000
    late = np.maximum(after, 0)
    decay = (1 - fraction) * np.exp(-late / tau) + fraction * np.exp(-late / tau2)
    return np.where(after < 0, 0, 1000 * decay)[None, :]


@pytest.mark.parametrize(("tau", "tau2", "fraction"), [(5000, 200, 0.03), (300, 8000, 0.5), (5000, 50, 1.0)])
def test_double_pole_zero_makes_a_decay_of_two_parts_flat(tau, tau2, fraction):
    pulse = decay_of_two_parts(tau, tau2, fraction)
    flat = double_pole_zero(pulse, tau=tau, tau2=tau2, fraction=fraction)
    assert np.allclose(flat, STEP, rtol=0, atol=1e-8)


def test_double_pole_zero_is_the_recursion_of_its_z_transforms():
    x = np.random.default_rng(2).normal(0, 100, 60)
    a, b, f = np.exp(-1 / 20), np.exp(-1 / 4), 0.3
    c = b + f * (a - b)
    y = np.zeros(62)
    w = np.concatenate([[0, 0], x])
    for k in range(2, 62):
        y[k] = w[k] - (a + b) * w[k - 1] + a * b * w[k - 2] + (1 + c) * y[k - 1] - c * y[k - 2]
    assert np.allclose(double_pole_zero(x[None, :], tau=20, tau2=4, fraction=f), y[2:], rtol=0, atol=1e-9)


def test_double_pole_zero_without_a_second_part_is_pole_zero():
    x = np.random.default_rng(3).integers(0, 1000, (4, 500)).astype(np.uint16)
    double = double_pole_zero(x, tau=700, tau2=30, fraction=0.0)
    assert np.allclose(double, pole_zero(x, tau=700), rtol=0, atol=1e-8)


def test_the_asymmetric_trapezoid_of_a_step_rises_stays_and_falls_where_it_should():
    shaped = asym_trap_filter(STEP, rise=10, flat=20, fall=400)[0]
    assert shaped[999] == 0
    assert shaped[1000] == 100
    assert (shaped[1009:1030] == 1000).all()
    assert shaped[1229] == 500
    assert (shaped[1429:] == 0).all()


@pytest.mark.parametrize(("rise", "flat"), [(1, 0), (7, 3), (40, 30), (100, 0), (100, 10**30)])
def test_an_asymmetric_trapezoid_of_equal_flanks_is_the_symmetric_one(rise, flat):
    x = np.random.default_rng(4).integers(0, 65536, (3, 100)).astype(np.uint16)
    asymmetric = asym_trap_filter(x, rise=rise, flat=flat, fall=rise)
    assert np.allclose(asymmetric, trap_filter(x, rise=rise, flat=flat), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["rise", "fall"])
def test_a_flank_longer_than_the_record_is_refused(name):
    with pytest.raises(
        RecordTooShort, match=f"^{name} must be 4 or less, the length of the waveforms, not 5$"
    ):
        asym_trap_filter(np.ones((1, 4)), **{"rise": 2, "fall": 2, name: 5})


def test_the_mean_of_the_last_samples_counts_those_before_the_record_as_zero():
    assert np.array_equal(mean_of_last(np.array([[2, 4, 6, 8]]), 2), [[1, 3, 5, 7]])


def test_a_polynomial_baseline_is_taken_away_everywhere():
    k = np.arange(200.0)
    curve = 7 + 0.5 * k - 0.01 * k**2
    waveform = np.array([curve, curve + np.where(k >= 150, 100, 0)])
    flat = bl_subtract_polynomial(waveform, i_start=10, i_end=100, order=2)
    assert np.allclose(flat[0], 0, rtol=0, atol=1e-9)
    assert np.allclose(flat[1], np.where(k >= 150, 100, 0), rtol=0, atol=1e-9)


@pytest.mark.parametrize("order", [0, 1])
def test_a_polynomial_of_low_order_does_what_fit_and_subtraction_do(order):
    waveform = np.random.default_rng(5).integers(0, 65536, (4, 300)).astype(np.uint16)
    line = fit_baseline(waveform, i_start=20, i_end=220, order=order)
    flat = bl_subtract_polynomial(waveform, i_start=20, i_end=220, order=order)
    assert np.allclose(flat, bl_subtract(waveform, *line), rtol=0, atol=1e-8)


def test_what_is_left_of_the_stretch_has_no_mean():
    waveform = np.random.default_rng(6).normal(1000, 30, (3, 400))
    flat = bl_subtract_polynomial(waveform, i_end=300, order=5)
    assert np.allclose(avg_baseline(flat, i_end=300), 0, atol=1e-9)


def test_a_polynomial_needs_more_samples_than_its_order():
    with pytest.raises(
        SettingsError, match="^order must be less than the number of samples fitted, 3, not 3$"
    ):
        bl_subtract_polynomial(np.ones((1, 10)), i_end=3, order=3)


@pytest.mark.parametrize("function", [pole_zero, double_pole_zero, trap_filter, asym_trap_filter])
def test_after_a_sample_that_is_not_a_number_nothing_is_known(function):
    waves = np.zeros((1, 500))
    waves[0, 450] = np.nan
    assert np.array_equal(np.isnan(function(waves)[0]), np.arange(500) >= 450)
