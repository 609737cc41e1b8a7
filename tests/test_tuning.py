"""Tuning on made-up pulses whose best settings are known."""

import numpy as np
import pytest

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.base import Tier1Processor
from pygama.tuning import Line, Tuner

HEIGHT = 10000.0
TAU = 3000.0


@pytest.fixture(scope="module")
def sample():
    """600 pulses of one height: charge that comes evenly over a varied time and decays, and white noise."""
    rng = np.random.default_rng(4)
    n, n_samples = 600, 1600
    since = np.clip(np.arange(n_samples) - rng.uniform(695, 705, n)[:, None], 0, None)
    rise = rng.uniform(5, 80, n)[:, None]
    after = np.clip(since - rise, 0, None)
    pulse = HEIGHT * TAU / rise * (np.exp(-after / TAU) - np.exp(-since / TAU))
    waves = np.rint(1000 + pulse + 20 * rng.standard_normal((n, n_samples))).astype(np.uint16)
    return Block("X", np.zeros(n, [("period_ns", "f8")]), waves)


@pytest.fixture
def tuner(sample):
    chain = Tier1Processor({"pole_zero": {"tau": TAU}, "trap_filter": {"rise": 200, "flat": 100}})
    for name in ("fit_baseline", "bl_subtract", "pole_zero", "trap_filter", "trap_max"):
        chain.add(name)
    return Tuner(sample, chain, Line(around=HEIGHT, width=150))


def test_with_the_settings_as_they_are_the_line_is_where_it_was(tuner):
    tried = tuner.try_settings({})
    assert tried.scale == 1.0
    assert tried.fit.position == pytest.approx(HEIGHT, rel=2e-3)


def test_averaging_over_more_samples_makes_the_line_sharper(tuner):
    long = tuner.try_settings({"trap_filter.rise": 300})
    short = tuner.try_settings({"trap_filter.rise": 10})
    assert short.fit.fwhm > 1.5 * long.fit.fwhm


def test_a_scan_finds_the_decay_time_that_was_put_in(tuner):
    scan = tuner.scan({"pole_zero.tau": np.linspace(2000, 5000, 7).tolist()})
    value, error = scan.optimum("pole_zero.tau")
    assert abs(value - TAU) < max(3 * error, 300)
    assert error > 0


def test_a_scan_of_two_settings_tries_all_pairs_the_last_quickest(tuner):
    scan = tuner.scan({"trap_filter.rise": [100, 200], "trap_filter.flat": [50, 100, 150]})
    tried = [tuple(one.settings.values()) for one in scan.tried]
    assert tried == [(100, 50), (100, 100), (100, 150), (200, 50), (200, 100), (200, 150)]
    assert scan.best in scan.as_good()


def test_a_peak_that_moves_is_found_again(tuner):
    assert tuner.try_settings({"pole_zero.tau": 1500.0}).scale > 1.02


def test_a_step_can_be_named_by_its_place(tuner):
    assert tuner.try_settings({"4.rise": 300}).fit == tuner.try_settings({"trap_filter.rise": 300}).fit


def test_a_step_that_is_not_there_is_refused_with_those_there_are(tuner):
    with pytest.raises(SettingsError, match="'cusp' is not in the chain; the chain is fit_baseline"):
        tuner.try_settings({"cusp.rise": 3})


def test_a_value_out_of_bounds_is_refused(tuner):
    with pytest.raises(SettingsError, match="rise must be"):
        tuner.try_settings({"trap_filter.rise": 0})


def test_a_line_without_events_is_refused(sample):
    with pytest.raises(SettingsError, match="too few to tune on"):
        Tuner(sample, Tier1Processor(default_list=True), Line(around=3000, width=50))
