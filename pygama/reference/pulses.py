"""Gives the pulses that the pictures show: of a raw run, or made up where there is none.

Events are chosen by what the default steps say of them, so that any run of a source will do.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.plan import bind
from pygama.processing.steps import Step
from pygama.quick_dataclass import dataclass
from pygama.reference.examples import chain_to, writer_of
from pygama.simulate.pulses import Electronics, Pulses, WaveformMaker, digitise

PERIOD_NS = 16.0
ADC_PER_KEV = 15.35
"""Height of a pulse behind `pole_zero` and `trap_filter`, of the run of 2018 and of what is made up."""
LINES_KEV = (238.6, 583.2, 2614.5)
_TOP = 65520
"""Highest value of the digitizer."""


@dataclass(frozen=True, slots=True)
class Run:
    """Waveforms of one channel, and which of them show something.

    block: (n_rows, n_samples). events: what an event shows -> its row. origin: what the pulses are, in words.
    """

    block: Block
    events: Mapping[str, int]
    origin: str

    def event(self, kind: str) -> Block:
        """Give the one row that shows something."""
        row = self.events[kind]
        return self.block[row : row + 1]


def real_pulses(raw_file: Path) -> Run:
    """Read the waveforms of the first channel of a raw run; raises what reading a run raises."""
    from pygama.processing.run import process_run
    from pygama.storage import TierFile

    with tempfile.TemporaryDirectory() as folder:
        done = process_run(raw_file, output_dir=Path(folder), tiers=(1,))
        with TierFile(done.outputs[0]) as file:
            tables = [file.table(key) for key in file.keys]
            blocks = [table.read() for table in tables if table.n_samples]
    if not blocks:
        raise SettingsError(f"{raw_file.name} has no waveforms to draw; name a run of a digitizer")
    block = blocks[0][blocks[0].rows["channel"] == blocks[0].rows["channel"][0]]
    # The header of the run of 2018 is made up and says 10 ns.
    block.rows["period_ns"] = PERIOD_NS
    return Run(block, _chosen(block), "Th-228, real pulse")


def made_up_pulses(n_rows: int = 240) -> Run:
    """Make pulses of the same kind: lengths, noise and lines as in the run of 2018."""
    rng = np.random.default_rng(228)
    n_samples, row = 1836, np.arange(n_rows)
    maker = WaveformMaker(
        rng, n_samples, Electronics(decay=5130.0, white_noise=11.0, slow_noise=9.0), longest_drift=90.0
    )
    noise_at = rng.integers(0, 1 << 20, n_rows)
    waves = maker.baselines(np.full(n_rows, 8162.0), np.zeros(n_rows), noise_at)

    def add(chosen: np.ndarray, start: float, height: np.ndarray) -> None:
        drift = rng.uniform(50, 90, (n_rows, 2))
        share = np.full((n_rows, 2), 0.5)
        maker.add(waves, Pulses(np.full(n_rows, start), np.where(chosen, height, 0), drift, share))

    lines = ADC_PER_KEV * np.array(LINES_KEV)
    continuum = rng.uniform(1000, 38000, n_rows)
    height = np.where(row % 2 == 0, lines[row // 2 % 3] + rng.normal(0, 8, n_rows), continuum)
    height[-3:] = 70000
    add(row >= 0, 880.0, height)
    add(row % 4 == 1, -1500.0, np.full(n_rows, 40000.0))
    add(row % 20 == 4, 1500.0, np.full(n_rows, 6000.0))
    add(row % 20 == 10, 540.0, np.full(n_rows, 3000.0))
    samples, _ = digitise(waves, "uint16", 0, _TOP)
    rows = np.zeros(n_rows, [("crate", "i8"), ("card", "i8"), ("channel", "i8"), ("period_ns", "f8")])
    rows["card"], rows["period_ns"] = 5, PERIOD_NS
    block = Block("ORSIS3302DecoderForEnergy", rows, samples)
    return Run(block, _chosen(block), "made-up pulse")


def values_of(block: Block, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Give the values that the steps of the examples give of all rows, (n_rows,) each."""
    return bind(together(names), block, period_ns=PERIOD_NS, outputs=names).run(block)


def together(names: tuple[str, ...]) -> list[Step]:
    """Give the steps that lead to several values, each once and in an order in which they work."""
    steps: dict[str, Step] = {}
    for name in names:
        writer = writer_of(name)
        assert writer is not None
        for step in chain_to(writer.name):
            steps.setdefault(step.name, step)
    return list(steps.values())


def _chosen(block: Block) -> dict[str, int]:
    """Choose an event for each thing to be shown: the one that does it best."""
    values = values_of(block, ("bl_slope", "bl_rms", "n_pulses", "tp_second", "trap_max", "n_sat_high"))
    height, slope, n_pulses = values["trap_max"], np.abs(values["bl_slope"]), values["n_pulses"]
    whole = values["n_sat_high"] == 0
    single = whole & (n_pulses == 1) & (slope < 0.02)
    small, plain, large = (ADC_PER_KEV * line for line in LINES_KEV)
    later = whole & (values["tp_second"] > 1350 * PERIOD_NS) & (values["tp_second"] < 1600 * PERIOD_NS)
    return {
        "small": _best(single, -np.abs(height - small)),
        "plain": _best(single, -np.abs(height - plain)),
        "large": _best(single, -np.abs(height - large)),
        "tail": _best(whole & (values["bl_slope"] < 0) & (height > 5000), slope),
        "pile_up": _best(later & (slope < 0.1), -np.abs(height - small)),
        "early": _best(whole & (n_pulses == 2) & (values["bl_slope"] > 1), -values["bl_rms"]),
        "saturated": _best(values["n_sat_high"] > 0, -values["n_sat_high"]),
    }


def _best(able: np.ndarray, score: np.ndarray) -> int:
    """Give the row of the highest score among those that are able to, or of all where none is."""
    score = np.where(np.isfinite(score), score, -np.inf)
    return int(np.argmax(np.where(able, score, -np.inf) if able.any() else score))
