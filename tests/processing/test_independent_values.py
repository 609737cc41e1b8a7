"""Every processor beside values that another program worked out in another way.

`values_made.json` and `values_th228.json` were written by `tests/benchmarks/peer_direct.py numbers`, which
uses SciPy, NumPy's fits, sums of products and loops, and shares no line with the library: of pulses made by
whole numbers here, and of events of the real thorium run, where that is beside the checkout. Each file says
with which versions. The same comparison over all 1000 real pulses, and with dspeed, is in
`tests/benchmarks/test_peer.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pygama.block import Block
from pygama.processing.base import Tier1Processor
from pygama.processing.chain import Chain
from pygama.processing.declare import REGISTRY
from pygama.processing.tier0 import ProcessTier0
from pygama.storage import TierFile

HERE = Path(__file__).parent
CHAIN = json.loads((HERE / "independent_chain.json").read_text(encoding="utf-8"))["chain"]
THORIUM = "2018-9-25-Th228Run9001"
AGREEMENT = 1e-9
"""Largest difference that rounding may make, in parts of the waveform's largest sample."""


def made_pulses() -> np.ndarray:
    """Make seven waveforms of whole numbers, the same on every machine, (7, 1836).

    A pulse, a small one on the tail of another, two in one record, one beyond the range, noise alone, one
    that begins late, and one with another in the baseline.
    """
    k = np.arange(1836)

    def pulse(begin: int, rise: int, height: int) -> np.ndarray:
        since = k - begin
        edge = height * np.clip(since, 0, rise) // rise
        return np.where(since > rise, height * 5000 // (5000 + since - rise), edge)

    waves = np.array(
        [
            pulse(911, 37, 20_000),
            pulse(902, 25, 900) + pulse(-3000, 30, 30_000),
            pulse(700, 40, 6000) + pulse(1133, 18, 9000),
            pulse(905, 22, 64_000),
            pulse(2000, 10, 0),
            pulse(1500, 60, 2500),
            pulse(380, 20, 3000) + pulse(908, 30, 12_000),
        ]
    )
    event = np.arange(len(waves))[:, None]
    draws = [(k * k * 7919 + k * 104_729 * draw + (event + draw) * 15_485_863) % 1009 for draw in range(1, 9)]
    noise = sum(draw % 5 - 2 for draw in draws)  # close to a normal distribution of 4 ADC counts
    return np.clip(8000 + waves + noise, 0, 65535).astype(np.uint16)


def results(waves: np.ndarray, *, fused: bool = True) -> dict[str, np.ndarray]:
    """Run every processor, as the other program did."""
    columns = {"period_ns": 10.0, "presum_start": 1200.0, "presum_rate": 4.0, "presum_divisor": 2.0}
    rows = np.empty(len(waves), [(name, "f8") for name in columns])
    for name, value in columns.items():
        rows[name] = value
    steps = Tier1Processor.from_chain(CHAIN).steps
    names = [name for step in steps for name in step.writes]
    return Chain(steps, outputs=names, fused=fused).run(Block("", rows, waves))


def expected_of(name: str) -> dict[str, Any]:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def differences(waves: np.ndarray, expected: Mapping[str, Any], *, fused: bool = True) -> dict[str, float]:
    """Give the largest difference of each value, in parts of what rounding can be measured by."""
    largest = waves.max(axis=1).astype(float)
    found = {}
    for name, made in results(waves, fused=fused).items():
        there = np.array(expected[name], dtype=float)  # null is NaN
        if made.shape != there.shape:
            made = made[:, expected["samples_of_spectra" if name.startswith("psd") else "samples"]]
        assert np.array_equal(np.isnan(made), np.isnan(there)), name
        scale = scale_of(name, there, largest)
        found[name] = float(np.nan_to_num(np.abs(made - there) / scale).max())
    return found


def scale_of(name: str, there: np.ndarray, largest: np.ndarray) -> np.ndarray | float:
    """Give the waveform's largest sample for heights; for others what matters for them."""
    if name.startswith("psd"):
        return there.max(axis=1, keepdims=True)
    if name in SPANS:
        return largest / SPANS[name]
    if name in TIMES:
        return 1000.0  # ns: the places of samples are whole, between them the heights count
    if name in NUMBERS:
        return np.maximum(np.abs(there), 1e-3)
    return largest if there.ndim == 1 else largest[:, None]


SPANS = {"bl_slope": 500, "robust_slope": 500, "tail_slope": 100}
"""Slopes, and the samples that they are measured over."""
TIMES = {"tp_max", "tp_min", "tp_01", "tp_10", "tp_50", "tp_90", "tp_99", "t0", "rise_time", "drift_time"}
NUMBERS = {
    *("n_sat_low", "n_sat_high", "is_saturated", "robust_kept", "a_over_e"),
    *("n_pulses", "is_pile_up", "tp_second"),
}


@pytest.mark.parametrize("fused", [True, False], ids=["kernels", "plain"])
def test_made_pulses_give_the_values_of_another_program(fused):
    found = differences(made_pulses(), expected_of("values_made.json"), fused=fused)
    assert {name: part for name, part in found.items() if part > AGREEMENT} == {}


@pytest.mark.parametrize("fused", [True, False], ids=["kernels", "plain"])
def test_real_pulses_give_the_values_of_another_program(real_run, tmp_path, fused):
    expected = expected_of("values_th228.json")
    ProcessTier0(real_run(THORIUM), output_dir=tmp_path)
    with TierFile(tmp_path / "t1_run9001.h5") as file:
        waves = file.table("ORSIS3302DecoderForEnergy").read().waveforms[expected["events"]]
    found = differences(waves, expected, fused=fused)
    assert {name: part for name, part in found.items() if part > AGREEMENT} == {}


def test_every_processor_of_waveforms_is_compared():
    compared = {entry["step"] for entry in CHAIN}
    # Their answers are what stands in a table; test_lookup.py has them.
    assert {name for name, known in REGISTRY.items() if _is_ours(known)} - compared <= {"lookup", "calibrate"}


def _is_ours(processor: Any) -> bool:
    return processor.function.__module__.startswith("pygama.processing")


def test_the_made_pulses_have_what_is_rare():
    expected = expected_of("values_made.json")
    assert max(expected["n_sat_high"]) > 0
    assert 2 in expected["n_pulses"]
    assert min(expected["robust_kept"]) < 0.9
    assert None in expected["tail_slope"]
    assert None in expected["t0"]
