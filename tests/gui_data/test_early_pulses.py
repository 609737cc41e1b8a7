"""Tests what is said of a baseline that is measured within the pulses."""

from __future__ import annotations

import numpy as np
import pytest

from pygama_gui.data.early_pulses import early_in_chain, early_pulses
from pygama_gui.session.state import Step

N_SAMPLES, RISE = 1000, 400


def pulses(n: int = 60, *, height: float = 500.0, sigma: float = 3.0, seed: int = 1) -> np.ndarray:
    """Make steps at sample 400 that decay slowly, in white noise; (n, 1000)."""
    rng = np.random.default_rng(seed)
    t = np.arange(N_SAMPLES) - RISE
    shape = np.where(t >= 0, np.exp(-np.maximum(t, 0) / 3000), 0.0)
    heights = height * rng.uniform(0.5, 2.0, n)
    waves = 8000 + heights[:, None] * shape + rng.normal(0, sigma, (n, N_SAMPLES))
    return np.clip(waves, 0, 65535).astype(np.uint16)


@pytest.mark.parametrize("name", ["fit_baseline", "avg_baseline", "baseline_rms"])
@pytest.mark.parametrize("height", [500.0, -500.0])
def test_a_stretch_that_reaches_into_the_pulses_is_told_with_a_way_out(name: str, height: float) -> None:
    found = early_pulses(Step(name, {"i_end": 450}), pulses(height=height), 10.0)
    assert found is not None
    assert (found.start, found.end, found.n, found.n_clear, found.begin) == (0, 450, 60, 60, RISE)
    assert found.words == (
        "100 % of 60 pulses begin within the samples of the baseline, 0 to 450: set i_end to 400 or less"
    )


def test_a_stretch_before_the_pulses_is_well() -> None:
    for end in (50, 200, RISE):
        assert early_pulses(Step("fit_baseline", {"i_end": end}), pulses(), 10.0) is None
    assert early_pulses(Step("fit_baseline", {"i_end": "4 us"}), pulses(), 10.0) is None
    assert early_pulses(Step("fit_baseline", {"i_end": "5 us"}), pulses(), 10.0) is not None


def test_neither_noise_nor_tails_nor_a_few_early_pulses_are_told() -> None:
    step = Step("fit_baseline", {"i_end": 350})
    assert early_pulses(step, pulses(height=0.0), 10.0) is None
    on_tails = pulses() + 2000 * np.exp(-np.arange(N_SAMPLES) / 800)
    assert early_pulses(step, on_tails, 10.0) is None
    some_early = pulses()
    some_early[::5, 100:] += 400
    assert early_pulses(step, some_early, 10.0) is None
    some_early[::2, 100:] += 400
    assert early_pulses(step, some_early, 10.0) is not None


def test_a_robust_baseline_is_led_away_by_pulses_in_more_than_half_of_it_alone() -> None:
    assert early_pulses(Step("robust_baseline", {"i_end": 600}), pulses(), 10.0) is None
    assert early_pulses(Step("robust_baseline", {"i_end": 1000}), pulses(), 10.0) is not None


def test_only_steps_that_measure_the_baseline_as_recorded_are_looked_at() -> None:
    waves = pulses()
    assert early_pulses(Step("noise_rms", {"i_end": 900}), waves, 10.0) is None
    assert early_pulses(Step("trap_filter"), waves, 10.0) is None
    assert early_pulses(Step("unheard_of"), waves, 10.0) is None
    assert early_pulses(Step("fit_baseline", {"i_end": 900}, enabled=False), waves, 10.0) is None
    assert early_pulses(Step("fit_baseline", {"i_end": 900}), waves[:0], 10.0) is None
    of_channels = Step("fit_baseline", {"i_end": 900}, channels={"3": {"i_end": 300}})
    assert early_pulses(of_channels, waves, 10.0) is None
    chain = (Step("avg_baseline", {"i_end": 200}), Step("fit_baseline", {"i_end": 900}))
    found = early_in_chain(chain, waves, 10.0)
    assert found is not None
    assert found.end == 900
    assert early_in_chain(chain[:1], waves, 10.0) is None
