"""Filters applied to pulses whose answers can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pygama.processing.calculators import trap_max
from pygama.processing.declare import RecordTooShort
from pygama.processing.transforms import bl_subtract, pole_zero, trap_filter

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
