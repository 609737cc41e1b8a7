"""Noise of baselines, and lines that a pulse within the baseline does not lead away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.errors import SettingsError
from pygama.processing.declare import RecordTooShort
from pygama.processing.processors.baselines import baseline_rms, robust_baseline
from pygama.processing.processors.calculators import fit_baseline

K = np.arange(500.0)


def noisy_lines(n_rows: int = 40, sigma: float = 3.0, n_samples: int = 500) -> np.ndarray:
    rng = np.random.default_rng(11)
    return 1000 + 0.01 * np.arange(n_samples) + sigma * rng.standard_normal((n_rows, n_samples))


def test_the_rms_of_a_line_is_zero():
    assert baseline_rms((5 + 3 * K)[None, :]) == pytest.approx([0], abs=1e-11)


def test_samples_that_alternate_by_one_have_the_rms_of_their_distance_from_the_mean():
    waveform = np.where(np.arange(500) % 2, 11.0, 9.0)[None, :]
    assert baseline_rms(waveform, order=0) == pytest.approx([np.sqrt(500 / 499)])


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_the_rms_is_that_of_numpys_residuals(order):
    waveform = np.random.default_rng(1).integers(0, 65536, (4, 300)).astype(np.uint16)
    position = np.arange(20, 280) / 100
    _, (residuals, *_) = np.polynomial.polynomial.polyfit(
        position, waveform[:, 20:280].T.astype(float), order, full=True
    )
    rms = baseline_rms(waveform, i_start=20, i_end=280, order=order)
    assert np.allclose(rms, np.sqrt(residuals / (260 - order - 1)), rtol=1e-9)


def test_the_rms_does_not_depend_on_level_and_slope():
    noise = np.random.default_rng(2).normal(0, 3, (5, 500))
    assert np.allclose(baseline_rms(noise + 9000 - 2 * K), baseline_rms(noise), rtol=1e-9)


def test_the_rms_needs_a_sample_to_spare():
    with pytest.raises(
        SettingsError, match="^order must be less than the number of samples fitted less 1, 2, not 2$"
    ):
        baseline_rms(K[None, :], i_end=3, order=2)


def test_the_robust_line_finds_a_line_exactly():
    bl_int, bl_slope, bl_kept = robust_baseline((7 + 3 * K)[None, :], i_start=10, i_end=400)
    assert bl_int == pytest.approx([7], abs=1e-9)
    assert bl_slope == pytest.approx([3], abs=1e-11)
    assert bl_kept == [1.0]


def test_without_a_pulse_the_robust_line_is_nearly_that_of_least_squares():
    waveform = noisy_lines()
    bl_int, bl_slope, bl_kept = robust_baseline(waveform)
    plain_int, plain_slope = fit_baseline(waveform)
    assert np.allclose(bl_int, plain_int, rtol=0, atol=0.3)
    assert np.allclose(bl_slope, plain_slope, rtol=0, atol=1e-3)
    assert (bl_kept > 0.97).all()


def middle_error(bl_int: np.ndarray, bl_slope: np.ndarray) -> float:
    return float(np.median(np.abs(bl_int + 250 * bl_slope - 1002.5)))


@pytest.mark.parametrize("at", [0, 120, 250, 330])
@pytest.mark.parametrize("height", [-500.0, 60.0, 20000.0])
def test_a_short_pulse_in_the_baseline_moves_the_robust_line_by_less_than_half_the_noise(at, height):
    tail = np.where(at <= K, height * np.exp(-np.maximum(K - at, 0) / 15), 0.0)
    bl_int, bl_slope, _ = robust_baseline(noisy_lines() + tail)
    assert middle_error(bl_int, bl_slope) < 1.5
    assert middle_error(*fit_baseline(noisy_lines() + tail)) > 1.5


@pytest.mark.parametrize("at", [0, 300])
def test_a_step_over_two_fifths_of_the_baseline_does_not_move_the_robust_line(at):
    clean = noisy_lines()
    step = np.where((at <= K) & (at + 200 > K), 3000.0, 0.0)
    bl_int, bl_slope, bl_kept = robust_baseline(clean + step)
    assert np.allclose(bl_int, 1000, rtol=0, atol=2.5)
    assert np.allclose(bl_slope, 0.01, rtol=0, atol=0.008)
    assert np.allclose(bl_kept, 0.6, atol=0.01)


def test_a_tail_over_the_whole_baseline_is_followed_as_least_squares_does():
    waveform = noisy_lines(sigma=3.0) + 400 * np.exp(-(K + 300) / 5000)
    bl_int, bl_slope, bl_kept = robust_baseline(waveform)
    plain_int, plain_slope = fit_baseline(waveform)
    assert np.allclose(bl_slope, plain_slope, rtol=0, atol=1e-3)
    assert np.allclose(bl_int, plain_int, rtol=0, atol=0.25)
    assert (bl_kept > 0.97).all()


def test_a_quiet_baseline_of_rounded_samples_is_not_trimmed_away():
    waveform = np.rint(100.3 + 0.002 * K)[None, :].astype(np.uint16)
    bl_int, bl_slope, bl_kept = robust_baseline(waveform)
    assert bl_kept == [1.0]
    assert bl_int + 250 * bl_slope == pytest.approx([waveform.mean()], abs=0.01)


@given(level=st.floats(-1e4, 1e4), slope=st.floats(-5, 5), seed=st.integers(0, 99), begin=st.integers(0, 100))
@settings(deadline=None, max_examples=40)
def test_adding_a_line_adds_it_to_the_robust_line(level, slope, seed, begin):
    noise = np.random.default_rng(seed).normal(0, 5, (3, 500))
    plain = robust_baseline(noise, i_start=begin)
    moved = robust_baseline(noise + level + slope * K, i_start=begin)
    assert np.allclose(moved[0], plain[0] + level, rtol=0, atol=1e-6)
    assert np.allclose(moved[1], plain[1] + slope, rtol=0, atol=1e-8)


def test_the_robust_line_needs_a_sample_for_each_of_its_parts():
    with pytest.raises(SettingsError, match="^i_end must be 26 or more with i_start 10, not 25$"):
        robust_baseline(K[None, :], i_start=10, i_end=25)


@pytest.mark.parametrize("calculator", [baseline_rms, robust_baseline])
def test_a_stretch_beyond_the_waveform_is_refused(calculator):
    with pytest.raises(RecordTooShort, match="^i_end must be 500 or less"):
        calculator(K[None, :], i_end=501)
