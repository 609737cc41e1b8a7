"""Noise, its spectrum, saturation and pile-up of made-up waveforms."""

from __future__ import annotations

import numpy as np
import pytest

from pygama.processing.declare import RecordTooShort
from pygama.processing.processors.filters import current
from pygama.processing.processors.quality import count_pulses, noise_rms, psd, saturation

K = np.arange(2000.0)
PERIOD_NS = 10.0


def steps(*starts: int, n_rows: int = 50, sigma: float = 3.0, height: float = 500.0) -> np.ndarray:
    rng = np.random.default_rng(8)
    wave = sum((np.where(start <= K, height, 0.0) for start in starts), np.zeros(2000))
    return wave + sigma * rng.standard_normal((n_rows, 2000))


# noise


def test_the_rms_of_samples_that_alternate_is_half_their_distance():
    wave = np.where(np.arange(500) % 2, 14, 10).astype(np.uint16)[None, :]
    assert noise_rms(wave) == [2.0]


def test_the_rms_is_that_of_the_stretch():
    wave = np.where(K < 500, 7.0, K)[None, :]
    assert noise_rms(wave) == [0.0]
    assert noise_rms(wave, i_start=500, i_end=502) == [0.5]


def test_the_rms_of_noise_is_its_sigma():
    assert noise_rms(steps(), i_end=2000).mean() == pytest.approx(3.0, abs=0.03)


@pytest.mark.parametrize("n", [2, 3, 64, 501])
def test_the_area_of_the_spectrum_is_the_mean_square_of_the_noise(n):
    wave = np.random.default_rng(9).integers(0, 1000, (4, 600)).astype(np.uint16)
    power = psd(wave, PERIOD_NS, i_start=20, i_end=20 + n)
    assert power.shape == (4, n // 2 + 1)
    per_mhz = 1e3 / (n * PERIOD_NS)
    assert np.allclose(power.sum(axis=1) * per_mhz, wave[:, 20 : 20 + n].var(axis=1), rtol=1e-9)


@pytest.mark.parametrize("taper", ["none", "hann"])
def test_a_sine_is_a_line_at_its_frequency(taper):
    wave = 1000 + 4 * np.sin(2 * np.pi * 30 * K / 500)[None, :]
    power = psd(wave, PERIOD_NS, taper=taper)[0]
    assert power.argmax() == 30
    assert power.sum() * 1e3 / (500 * PERIOD_NS) == pytest.approx(8.0)
    assert power[40:].max() < 1e-9 * power.max()


def test_a_taper_keeps_a_line_between_two_frequencies_together():
    wave = np.sin(2 * np.pi * 30.5 * K / 500)[None, :]
    far = {taper: psd(wave, PERIOD_NS, taper=taper)[0, 100:].max() for taper in ("none", "hann")}
    assert far["hann"] < 1e-3 * far["none"]


@pytest.mark.parametrize("taper", ["none", "hann"])
def test_the_spectrum_of_white_noise_is_level(taper):
    power = psd(steps(n_rows=400), PERIOD_NS, taper=taper)[:, 2:-1].mean(axis=0)
    assert power.mean() == pytest.approx(2 * 9.0 * PERIOD_NS / 1e3, rel=0.01)
    assert power.std() / power.mean() < 0.1


def test_a_longer_period_puts_the_same_noise_into_fewer_megahertz():
    wave = steps(n_rows=1)
    assert np.allclose(psd(wave, 40.0), 4 * psd(wave, 10.0))


@pytest.mark.parametrize("function", [noise_rms, lambda wave, **given: psd(wave, PERIOD_NS, **given)])
def test_noise_needs_its_stretch(function):
    with pytest.raises(RecordTooShort, match="^i_end must be 400 or less"):
        function(np.zeros((1, 400)), i_end=401)


# saturation


def test_samples_at_the_ends_of_their_type_are_counted():
    wave = np.array([[0, 65535, 65535, 9], [1, 65534, 5, 5]], np.uint16)
    low, high, is_saturated = saturation(wave)
    assert (low.tolist(), high.tolist(), is_saturated.tolist()) == ([1, 0], [2, 0], [1, 0])


def test_the_range_of_a_14_bit_digitizer_can_be_given():
    wave = np.array([[-8192, 8191, 8190, 0]], np.int16)
    assert np.array_equal(saturation(wave, low=-8192, high=8190), [[1], [2], [1]])


def test_a_bound_given_for_one_end_leaves_the_other_as_it_was():
    wave = np.array([[0, 16383, 16383, 0]], np.uint16)
    assert np.array_equal(saturation(wave, high=16383), [[2], [2], [1]])


def test_numbers_without_an_end_are_not_saturated_unless_bounds_are_given():
    wave = np.array([[0.0, 1e9]])
    assert np.array_equal(saturation(wave), [[0], [0], [0]])
    assert np.array_equal(saturation(wave, high=100), [[0], [1], [1]])


def test_a_bound_beyond_the_sample_type_is_never_reached():
    assert np.array_equal(saturation(np.array([[0, 65535]], np.uint16), low=-1, high=70000), [[0], [0], [0]])


# pile-up


def counted(waves: np.ndarray, **given: float) -> np.ndarray:
    return np.array(count_pulses(current(waves), PERIOD_NS, **given))


def test_a_single_pulse_is_counted_once():
    n_pulses, is_pile_up, tp_second = counted(steps(900))
    assert (n_pulses == 1).all()
    assert (is_pile_up == 0).all()
    assert np.isnan(tp_second).all()


def test_a_second_pulse_is_found_with_its_time():
    n_pulses, is_pile_up, tp_second = counted(steps(900, 1300))
    assert (n_pulses == 2).all()
    assert (is_pile_up == 1).all()
    assert np.allclose(tp_second, 13000, rtol=0, atol=20)


def test_the_second_of_three_is_timed():
    n_pulses, _, tp_second = counted(steps(300, 900, 1500))
    assert (n_pulses == 3).all()
    assert np.allclose(tp_second, 9000, rtol=0, atol=20)


def test_pulses_closer_than_the_gap_are_one():
    assert (counted(steps(900, 960), gap=100)[0] == 1).all()
    assert (counted(steps(900, 960), gap=20)[0] == 2).all()


def test_noise_has_no_pulses():
    assert (counted(steps(n_rows=300))[0] == 0).all()


def test_the_count_does_not_depend_on_height_and_level():
    waves = steps(700, 1200)
    assert np.array_equal(counted(waves), counted(7 * waves + 100), equal_nan=True)


@pytest.mark.parametrize(("gap", "expected"), [(1, 3), (2, 2), (3, 2), (4, 1), (10**12, 1)])
def test_peaks_are_apart_where_as_many_samples_as_the_gap_lie_below(gap, expected):
    flow = np.zeros((1, 40))
    flow[0, [10, 12, 13, 17]] = 5
    assert count_pulses(flow, 1.0, gap=gap)[0] == [expected]


def test_a_pulse_at_the_very_beginning_counts():
    flow = np.zeros((1, 40))
    flow[0, [0, 30]] = 5
    assert np.array_equal(count_pulses(flow, 2.0, gap=5), [[2], [1], [60]])
