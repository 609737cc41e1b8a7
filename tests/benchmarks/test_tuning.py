"""How long a slider has to wait: 10 000 waveforms of 2000 samples filtered again, and the line fitted again.

pytest -m benchmark_suite tests/benchmarks/test_tuning.py
"""

from __future__ import annotations

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pygama.block import Block
from pygama.processing.base import Tier1Processor
from pygama.tuning import Line, Tuner

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(1800)]

N_ROWS, N_SAMPLES, HEIGHT, TAU = 10000, 2000, 10000.0, 3000.0

CHAINS = {
    "default chain": ("fit_baseline", "bl_subtract", "trap_filter", "trap_max"),
    "with pole_zero": ("fit_baseline", "bl_subtract", "pole_zero", "trap_filter", "trap_max"),
    "with double_pole_zero": ("fit_baseline", "bl_subtract", "double_pole_zero", "trap_filter", "trap_max"),
    "with cusp_filter": ("fit_baseline", "bl_subtract", "pole_zero", "cusp_filter", "trap_max"),
}


@pytest.fixture(scope="module")
def sample() -> Block:
    """Half the pulses in one line, the others anywhere; charge comes evenly over a varied time and decays."""
    rng = np.random.default_rng(4)
    waves = np.empty((N_ROWS, N_SAMPLES), np.uint16)
    heights = np.where(rng.random(N_ROWS) < 0.5, HEIGHT, rng.uniform(1000, 20000, N_ROWS))
    for first in range(0, N_ROWS, 1000):
        since = np.clip(np.arange(N_SAMPLES) - rng.uniform(995, 1005, 1000)[:, None], 0, None)
        rise = rng.uniform(5, 80, 1000)[:, None]
        after = np.clip(since - rise, 0, None)
        pulse = (
            heights[first : first + 1000, None] * TAU / rise * (np.exp(-after / TAU) - np.exp(-since / TAU))
        )
        noise = 20 * rng.standard_normal((1000, N_SAMPLES))
        waves[first : first + 1000] = np.rint(1000 + pulse + noise)
    return Block("X", np.zeros(N_ROWS, [("period_ns", "f8")]), waves)


@pytest.mark.parametrize("name", CHAINS)
def test_a_slider_is_followed(name, sample, report):
    chain = Tier1Processor({step: {"tau": TAU} for step in ("pole_zero", "double_pole_zero")})
    shaper = next(step for step in CHAINS[name] if step.endswith("_filter"))
    for step in CHAINS[name]:
        inputs = {"wf_trap": "wf_cusp"} if shaper == "cusp_filter" and step == "trap_max" else {}
        chain.add(step, {"rise": 200, "flat": 100} if step == shaper else {}, inputs=inputs)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        around = float(np.median(chain.run(sample)["trap_max"]))
        tuner = Tuner(sample, chain, Line(around, 0.05 * around), pool=pool)
        seconds: dict[str, list[float]] = {"filter": [], "filter and fit": []}
        for rise in range(150, 330, 15):
            for act, done in ((tuner.values, "filter"), (tuner.try_settings, "filter and fit")):
                began = time.perf_counter()
                act({f"{shaper}.rise": rise})
                seconds[done].append(time.perf_counter() - began)
    for done, taken in seconds.items():
        figure = f"{1e3 * statistics.median(taken):.0f} ms ({1e3 * min(taken):.0f} best)"
        report.add(f"10 000 waveforms, {done}, {name}", figure, "", "100 ms")
