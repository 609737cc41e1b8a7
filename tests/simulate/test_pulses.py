import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.simulate.pulses import (
    Electronics,
    Pulses,
    WaveformMaker,
    collected,
    digitise,
    noise_bank,
    rising_edges,
)

QUIET = Electronics(decay=1000.0, white_noise=0.0, slow_noise=0.0)
ONE_SITE = np.array([[1.0]])


@functools.cache
def maker(n_samples=2000, electronics=QUIET):
    return WaveformMaker(np.random.default_rng(1), n_samples, electronics, longest_drift=120.0)


def flat(maker, n=1, level=100.0):
    return maker.baselines(np.full(n, level), np.zeros(n), np.zeros(n, int))


def pulse(start, height, drift=40.0):
    return Pulses(np.array([start]), np.array([height]), np.array([[drift]]), ONE_SITE)


def test_half_of_the_charge_of_one_site_is_collected_after_half_its_drift_time():
    charge = collected(np.array([[-1.0, 0.0, 20.0, 40.0, 99.0]]), np.array([[40.0]]), ONE_SITE)
    assert charge[0].tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_two_sites_are_collected_in_their_own_times():
    charge = collected(np.array([[10.0, 40.0]]), np.array([[40.0, 10.0]]), np.array([[0.25, 0.75]]))
    assert pytest.approx(charge[0, 0]) == 0.75 + 0.25 * 0.15625
    assert charge[0, 1] == 1.0


def test_without_decay_the_edge_ends_at_the_whole_charge():
    edges = rising_edges(np.array([0.3]), np.array([[40.0]]), ONE_SITE, 43, 1e12)
    assert edges[0, 0] == 0.0
    assert pytest.approx(edges[0, -1]) == 1.0


def test_after_one_decay_time_1_in_e_of_the_height_is_left():
    waves = flat(make := maker())
    make.add(waves, pulse(200.0, 5000.0))
    above = waves[0] - 100.0
    assert above[300] / np.e == pytest.approx(above[1300], rel=1e-4)


def test_the_tail_goes_on_where_the_edge_ends():
    waves = flat(make := maker())
    make.add(waves, pulse(200.0, 5000.0))
    ratio = (waves[0, 246:400] - 100.0) / (waves[0, 245:399] - 100.0)
    np.testing.assert_allclose(ratio, np.exp(-1 / 1000), rtol=1e-5)


def test_nothing_happens_before_the_pulse():
    waves = flat(make := maker())
    make.add(waves, pulse(200.5, 5000.0))
    assert (waves[0, :201] == 100.0).all()
    assert waves[0, 202] > 100.0


@settings(deadline=None, max_examples=50)
@given(
    start=st.floats(0, 1500),
    height=st.floats(10, 60000),
    drift=st.floats(5, 120),
)
def test_a_pulse_is_as_high_as_its_charge_less_what_decays_meanwhile(start, height, drift):
    waves = flat(make := maker(), level=0.0)
    make.add(waves, pulse(start, height, drift))
    assert height * np.exp(-(drift + 1) / 1000) <= waves.max() * (1 + 1e-5)
    assert waves.max() <= height * (1 + 1e-5)


def test_of_a_pulse_before_the_record_only_the_tail_is_seen():
    whole, late = flat(make := maker(), level=0.0), flat(make, level=0.0)
    make.add(whole, pulse(0.0, 8000.0))
    make.add(late, pulse(-500.0, 8000.0))
    np.testing.assert_allclose(late[0, :1000], whole[0, 500:1500], rtol=1e-4)


def test_a_pulse_that_begins_just_before_the_record_shows_the_end_of_its_edge():
    whole, late = flat(make := maker(), level=0.0), flat(make, level=0.0)
    make.add(whole, pulse(10.0, 8000.0))
    make.add(late, pulse(-10.0, 8000.0))
    np.testing.assert_allclose(late[0, :1000], whole[0, 20:1020], rtol=1e-4)


def test_a_pulse_behind_the_record_leaves_no_trace():
    waves = flat(make := maker())
    make.add(waves, pulse(2500.0, 8000.0))
    assert (waves == 100.0).all()


def test_a_pulse_at_the_last_sample_does_not_run_over():
    waves = flat(make := maker())
    make.add(waves, pulse(1990.0, 8000.0))
    assert waves[0, -1] > 100.0


def test_noise_has_the_strength_and_the_memory_asked_for():
    electronics = Electronics(white_noise=3.0, slow_noise=4.0, slow_length=20.0)
    noise = noise_bank(np.random.default_rng(5), 1 << 19, electronics).astype(float)
    assert pytest.approx(noise.std(), rel=0.03) == 5.0
    assert 16 * np.exp(-1) == pytest.approx((noise[20:] * noise[:-20]).mean(), rel=0.05)


def test_noise_joins_its_own_beginning_without_a_step():
    smooth = Electronics(white_noise=0.0, slow_noise=1.0, slow_length=1e4)
    noise = noise_bank(np.random.default_rng(5), 1 << 16, smooth)
    assert abs(noise[0] - noise[-1]) < 0.1


def test_any_place_in_the_noise_bank_gives_a_whole_waveform():
    make = maker(3000, Electronics())
    waves = make.baselines(np.zeros(3), np.zeros(3), np.array([0, (1 << 20) - 1, (1 << 31) - 1]))
    assert (waves.std(axis=1) > 2).all()


def test_a_sloping_baseline_rises_by_its_slope_each_sample():
    waves = maker().baselines(np.array([50.0]), np.array([0.5]), np.array([0]))
    assert waves[0, :3].tolist() == [50.0, 50.5, 51.0]


def test_the_same_draws_give_the_same_samples_in_any_grouping():
    starts, heights = np.array([100.2, 250.7]), np.array([4000.0, 90.0])
    drift, share = np.array([[30.0], [110.0]]), np.ones((2, 1))

    def waves(rows):
        make = maker(600, Electronics())
        made = make.baselines(np.full(2, 9.0)[rows], np.zeros(2)[rows], np.array([77, 12345])[rows])
        make.add(made, Pulses(starts[rows], heights[rows], drift[rows], share[rows]))
        return made

    alone = np.concatenate([waves(slice(0, 1)), waves(slice(1, 2))])
    np.testing.assert_array_equal(alone, waves(slice(0, 2)))


def test_samples_are_whole_counts_within_the_range_and_overflow_is_told():
    waves = np.array([[-5.0, 2.4, 2.6], [1.0, 70000.0, 3.0]], np.float32)
    samples, saturated = digitise(waves, "<u2", 0, 65535)
    assert samples.tolist() == [[0, 2, 3], [1, 65535, 3]]
    assert saturated.tolist() == [False, True]
