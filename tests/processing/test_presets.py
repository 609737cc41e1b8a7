"""The settings files that ship with the library, on made-up pulses whose answers are known."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from pygama.block import Block
from pygama.processing.base import DEFAULT_CHAIN, Tier1Processor
from pygama.processing.settings import read_settings
from pygama.simulate.pulses import Electronics, Pulses, WaveformMaker, digitise

FOLDER = Path(str(resources.files("pygama.resources"))) / "presets"
NAMES = sorted(path.name for path in FOLDER.glob("*.json"))
START, DRIFT = 900.0, 60.0
PERIOD_NS = 10.0


def pulses(heights: np.ndarray, *, n_sites: int = 1, late: float = 0.0) -> Block:
    """Make pulses of 2000 samples; the second of two sites drifts three times as long. late: ADC a sample."""
    n_rows = len(heights)
    maker = WaveformMaker(np.random.default_rng(1), 2000, Electronics(decay=5000.0), longest_drift=3 * DRIFT)
    where = np.random.default_rng(2).integers(0, 1 << 20, n_rows)
    waves = maker.baselines(np.full(n_rows, 3000.0), np.full(n_rows, 1e-3), where)
    drift = DRIFT * np.array([1.0, 3.0])[:n_sites]
    share = np.full((n_rows, n_sites), 1 / n_sites)
    maker.add(waves, Pulses(np.full(n_rows, START), heights, np.tile(drift, (n_rows, 1)), share))
    waves += (late * np.maximum(np.arange(2000) - START, 0)).astype(np.float32)
    samples, _ = digitise(waves, "u2", 0, 65535)
    rows = np.zeros(n_rows, [("channel", "i8"), ("period_ns", "f8")])
    rows["period_ns"] = PERIOD_NS
    return Block("made_up", rows, samples)


HEIGHTS = np.linspace(2000, 50000, 60)


def run(name: str, block: Block) -> dict[str, np.ndarray]:
    return Tier1Processor.from_chain(read_settings(FOLDER / name)["chain"]).run(block)


def test_the_presets_are_there():
    assert NAMES == ["default.json", "energy.json", "pulse_shape.json"]


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_finds_something_in_every_clean_pulse(name):
    for column, values in run(name, pulses(HEIGHTS)).items():
        assert np.isfinite(values).all() or column == "tp_second", column


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_written_again_as_it_was_read(name):
    chain = read_settings(FOLDER / name)["chain"]
    assert Tier1Processor.from_chain(chain).to_chain() == chain


def test_the_default_preset_is_the_default_chain():
    steps = Tier1Processor.from_chain(read_settings(FOLDER / "default.json")["chain"])
    assert steps.to_chain(defaults=True) == Tier1Processor(default_list=True).to_chain(defaults=True)
    assert tuple(step.name for step in steps.steps) == DEFAULT_CHAIN


def test_the_energies_are_the_heights_of_the_pulses():
    results = run("energy.json", pulses(HEIGHTS))
    assert np.allclose(results["trap_max"], HEIGHTS, rtol=0, atol=6)
    assert np.allclose(results["trap_ftp"], HEIGHTS, rtol=0, atol=6)
    assert np.allclose(results["t0"], START * PERIOD_NS, rtol=0, atol=150)


def test_drift_and_rise_times_are_those_of_the_collected_charge():
    # Of u * u * (3 - 2 * u), 10, 90 and 99 % lie at u = 0.1958, 0.8042 and 0.9411.
    results = run("pulse_shape.json", pulses(np.full(60, 30000.0)))
    assert results["rise_time"] == pytest.approx(DRIFT * PERIOD_NS * 0.6084, abs=25)
    assert results["drift_time"] == pytest.approx(DRIFT * PERIOD_NS * 0.9411, abs=60)


def test_the_current_of_one_site_is_the_steepest_slope_of_its_charge():
    results = run("pulse_shape.json", pulses(np.full(60, 30000.0)))
    assert results["a_over_e"] == pytest.approx(1.5 / DRIFT, rel=0.03)


def test_events_of_two_sites_have_a_lower_a_over_e():
    one, two = (run("pulse_shape.json", pulses(HEIGHTS, n_sites=n))["a_over_e"] for n in (1, 2))
    assert two.max() < 0.8 * one.min()


def test_charge_that_comes_late_is_seen_in_the_slope_of_the_tail():
    clean, late = (run("pulse_shape.json", pulses(HEIGHTS, late=late))["tail_slope"] for late in (0.0, 0.05))
    assert np.abs(clean).max() < 0.02
    assert (late - clean).min() > 0.04


def test_a_single_pulse_is_not_taken_for_pile_up():
    assert (run("pulse_shape.json", pulses(HEIGHTS))["n_pulses"] == 1).all()
