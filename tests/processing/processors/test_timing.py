"""Times and heights of pulses whose answers can be read off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.processing.declare import RecordTooShort
from pygama.processing.processors.timing import (
    drift_time,
    fixed_time_pickoff,
    height_at,
    last_rise_through,
    rise_time,
    t0,
    time_points,
    wf_max,
    wf_min,
)
from pygama.processing.processors.transforms import asym_trap_filter, trap_filter

K = np.arange(1000.0)
RAMP = np.clip(K - 600, 0, 100)[None, :] * 10
"""0 to sample 600, then 10 a sample to 1000 at sample 700."""


def test_the_maximum_has_its_height_and_the_time_of_its_first_sample():
    assert wf_max(np.array([[1, 7, 7, 2]], np.uint16), 16.0) == ([7.0], [16.0])


def test_the_minimum_has_its_height_and_the_time_of_its_first_sample():
    assert wf_min(np.array([[1, -7, 3, -7]], np.int16), 10.0) == ([-7.0], [10.0])


@pytest.mark.parametrize("function", [wf_max, wf_min])
def test_of_a_waveform_with_a_gap_neither_height_nor_time_is_known(function):
    assert np.isnan(function(np.array([[1.0, np.nan, 3.0]]), 10.0)).all()


def test_a_straight_edge_is_crossed_at_its_parts():
    points = time_points(RAMP, 10.0)
    assert [float(point[0]) for point in points] == pytest.approx([6010, 6100, 6500, 6900, 6990])


def test_times_go_with_the_sampling_period():
    assert time_points(RAMP, 16.0)[2] == pytest.approx([6500 * 1.6])


def test_between_samples_the_edge_is_a_line():
    # 50 % of 8 lies three quarters of the way from 1 to 5.
    assert time_points(np.array([[0.0, 1.0, 5.0, 8.0]]), 1.0)[2] == pytest.approx([1.75])


def test_the_search_goes_backwards_from_the_maximum():
    early = RAMP.copy()
    early[0, 100:110] = 900
    assert time_points(early, 10.0)[2] == pytest.approx([6500])


def test_a_step_is_crossed_between_its_two_samples():
    points = time_points(np.where(K < 500, 0.0, 100.0)[None, :], 1.0)
    assert [float(point[0]) for point in points] == pytest.approx([499.01, 499.1, 499.5, 499.9, 499.99])


def test_the_points_of_a_sine_are_its_arcs():
    wave = np.sin(2 * np.pi * K / 2000)[None, :]
    _, tp_10, tp_50, _, _ = time_points(wave, 1.0)
    assert tp_50 == pytest.approx([1000 / 6], abs=1e-3)
    assert tp_10 == pytest.approx([np.arcsin(0.1) * 1000 / np.pi], abs=1e-3)


@pytest.mark.parametrize(
    "wave",
    [[-3, -2, -1, -5], [0, 0, 0, 0], [5, 6, 7, 8], [0, np.nan, 7, 8], [0, 1, np.inf, 1], [9, 0, 0, 0]],
    ids=["below zero", "nothing", "never so low", "a gap", "without end", "only falling"],
)
def test_what_is_never_crossed_has_no_time(wave):
    assert np.isnan(time_points(np.array([wave], float), 1.0)[2]).all()


@given(
    scale=st.floats(0.01, 1000), at=st.integers(0, 400), seed=st.integers(0, 999), period=st.floats(1, 100)
)
@settings(deadline=None, max_examples=40)
def test_time_points_do_not_change_with_height_and_move_with_the_pulse(scale, at, seed, period):
    rng = np.random.default_rng(seed)
    edge = np.concatenate([np.zeros(5), np.cumsum(rng.exponential(1, 50))])
    wave = np.concatenate([edge, np.full(500, edge[-1])])
    later = np.concatenate([np.zeros(at), wave])
    plain, moved = time_points(wave[None, :], period), time_points(scale * later[None, :], period)
    assert np.allclose(np.array(moved), np.array(plain) + at * period, rtol=1e-9)
    assert (np.diff(np.array(plain), axis=0) > 0).all()


def test_a_level_met_exactly_is_met_at_its_sample():
    assert last_rise_through(np.array([[0.0, 2.0, 4.0]]), np.array([2.0]), np.array([2])) == [1.0]


# t0


def noisy(wave: np.ndarray, sigma: float = 2.0, n_rows: int = 200) -> np.ndarray:
    return wave + sigma * np.random.default_rng(5).standard_normal((n_rows, wave.shape[1]))


def test_the_beginning_of_a_clean_ramp_is_its_foot():
    assert t0(asym_trap_filter(RAMP), 10.0) == pytest.approx([6000])


def test_the_threshold_is_the_noise_times_n_sigma_above_the_mean():
    # Samples of the stretch alternate between 9 and 11: mean 10, rms 1; the ramp passes 15 at sample 600.5.
    wave = np.where(K < 600, 10 + (-1.0) ** K, 10 + 10 * (K - 600))[None, :]
    wave[0, 600:] = 10 + 10 * (K[600:] - 600)
    assert t0(wave, 1.0, n_sigma=5) == pytest.approx([600.5], abs=1e-9, rel=0)


def test_t0_of_noisy_ramps_lies_shortly_after_their_foot():
    found = t0(asym_trap_filter(noisy(RAMP)), 10.0)
    assert np.median(found) == pytest.approx(6040, abs=40)
    assert found.std() < 30


def test_a_larger_pulse_passes_the_threshold_earlier():
    small, large = (t0(asym_trap_filter(noisy(scale * RAMP)), 10.0).mean() for scale in (0.2, 5))
    assert 6000 < large < small


def test_noise_alone_has_no_beginning():
    assert np.isnan(t0(noisy(np.zeros((1, 1000))), 10.0, n_sigma=8)).all()


def test_t0_needs_its_stretch():
    with pytest.raises(RecordTooShort, match="^i_end must be 400 or less"):
        t0(np.zeros((1, 400)), 10.0)


# differences and heights


def test_the_drift_time_is_from_t0_to_99_percent():
    assert np.array_equal(
        drift_time(np.array([5.0, np.nan]), np.array([12.0, 3.0])), [7, np.nan], equal_nan=True
    )


def test_the_rise_time_is_from_10_to_90_percent():
    _, tp_10, _, tp_90, _ = time_points(RAMP, 10.0)
    assert rise_time(tp_10, tp_90) == pytest.approx([800])


@pytest.mark.parametrize(
    ("position", "height"),
    [(0.0, 10), (2.0, 40), (0.25, 12.5), (1.5, 30), (-0.01, np.nan), (2.01, np.nan), (np.nan, np.nan)],
)
def test_heights_lie_on_lines_between_samples_and_nowhere_else(position, height):
    found = height_at(np.array([[10, 20, 40]], np.uint16), np.array([position]))
    assert np.array_equal(found, [height], equal_nan=True)


@pytest.mark.parametrize("position", [np.inf, -np.inf, 1e300])
def test_a_position_without_end_has_no_height(position):
    assert np.isnan(height_at(np.ones((1, 3)), np.array([position]))).all()


def test_the_pickoff_of_a_trapezoid_in_its_flat_top_is_the_step():
    step = np.where(K < 300, 0.0, 1000.0)[None, :]
    shaped = trap_filter(step, rise=100, flat=50)
    begins = np.array([3000.0])
    assert fixed_time_pickoff(shaped, begins, 10.0, delay=140) == [1000.0]
    assert fixed_time_pickoff(shaped, begins, 10.0, delay=50) == pytest.approx([510.0])


def test_a_pickoff_beyond_the_record_is_not_a_number():
    assert np.isnan(fixed_time_pickoff(np.ones((1, 1000)), np.array([5000.0]), 10.0, delay=500)).all()
