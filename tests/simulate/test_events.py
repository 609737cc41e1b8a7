import numpy as np
import pytest

from pygama.simulate import RunShape, benchmark_shape
from pygama.simulate.events import channel_gains, draw_events, readout_times
from pygama.simulate.spectrum import KINDS

PULSER = KINDS.index("pulser")


def draw(**settings):
    shape = RunShape(**settings)
    return draw_events(shape, np.random.default_rng([shape.seed, 0]))


def test_each_channel_has_rising_timestamps():
    events = draw(n_events=3000)
    for place in range(3):
        assert (np.diff(events["timestamp"][events["place"] == place]) > 0).all()


def test_a_bank_is_read_out_channel_by_channel():
    events = draw(n_events=3000)
    for time in np.unique(readout_times(events)):
        bank = events[readout_times(events) == time]
        assert (np.diff(bank["place"].astype(int)) >= 0).all()
    assert (np.diff(readout_times(events)) >= 0).all()


def test_triggers_come_at_the_rate_asked_for():
    events = draw(n_events=10_000, rate_hz=50.0, pulser_hz=0.0)
    assert events["time_s"].max() == pytest.approx(200.0, rel=0.05)


def test_timestamps_count_10_ns():
    events = draw(n_events=100)
    np.testing.assert_allclose(events["timestamp"] * 1e-8, events["time_s"], atol=1e-8)


def test_the_pulser_fires_in_all_channels_at_once_and_in_even_steps():
    events = draw(n_events=3000, pulser_hz=2.0)
    times = np.unique(events["time_s"][events["kind"] == PULSER], return_counts=True)
    np.testing.assert_allclose(np.diff(times[0]), 0.5)
    assert (times[1][:-1] == 3).all()


def test_pulser_amplitudes_are_one_number():
    events = draw(n_events=3000, gain_spread=0.0)
    amplitude = events["amplitude_adc"][events["kind"] == PULSER]
    np.testing.assert_allclose(amplitude, 3000.0 * 14.7)


def test_forced_triggers_hold_no_pulse():
    events = draw(n_events=3000, forced=0.1)
    forced = events[events["kind"] == KINDS.index("baseline")]
    assert 200 < len(forced) < 400
    assert (forced["amplitude_adc"] == 0).all()


def test_gains_are_those_of_the_channels():
    shape = RunShape(n_events=5000, gain_spread=0.1, pile_up=0.0)
    events = draw(n_events=5000, gain_spread=0.1, pile_up=0.0)
    gains = channel_gains(shape)
    assert len(set(gains)) == 3
    line = events["energy_kev"] == 2614.511
    for place, gain in enumerate(gains):
        here = events["amplitude_adc"][line & (events["place"] == place)]
        assert here.mean() / 2614.511 == pytest.approx(gain, rel=1e-3)


def test_a_gain_that_drifts_grows_evenly_from_the_first_event_to_the_last():
    steady, growing = draw(n_events=3000), draw(n_events=3000, gain_drift=0.01)
    some = steady["amplitude_adc"] > 0
    ratio = growing["amplitude_adc"][some] / steady["amplitude_adc"][some]
    times = steady["time_s"]
    np.testing.assert_allclose(
        ratio, 1 + 0.01 * ((times - times[0]) / (times[-1] - times[0]))[some], atol=1e-4
    )


def test_the_benchmark_has_its_pulses_at_an_edge():
    shape = benchmark_shape()
    events = draw_events(shape, np.random.default_rng(1))
    away = np.abs(events["t0_sample"] - 16_000)
    assert np.count_nonzero(away > 15_000) == 52
    assert np.count_nonzero(away < 10) == 31_383 - 52


@pytest.mark.parametrize("n_events", [0, 1])
def test_a_run_may_be_nearly_empty(n_events):
    assert len(draw(n_events=n_events)) == n_events
