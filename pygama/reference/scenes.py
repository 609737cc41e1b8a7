"""Runs the steps that lead to a processor on one event, and keeps all that they make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.processing.declare import REGISTRY, Processor
from pygama.processing.plan import bind
from pygama.processing.steps import Step
from pygama.quick_dataclass import dataclass
from pygama.reference.examples import TABLE, chain_to, example
from pygama.reference.pulses import PERIOD_NS, Run

_UNITS = {"adc": "ADC", "adc/sample": "ADC/sample", "": ""}
CHANNELS: list[dict[str, Any]] = [
    {"crate": 0, "card": 5, "channel": 0, "tau": 5130, "energy": [0.0, 0.06515]},
    {"crate": 0, "card": 5, "channel": 1, "tau": 4870, "energy": [-0.3, 0.0661]},
    {"crate": 0, "card": 5, "channel": 2, "tau": 5310, "energy": [0.2, 0.0648]},
]
"""The table of channels of the examples."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the steps up to a processor made of one event.

    arrays: name -> (n_samples,) or a number. before: what the processor reads -> the array that it took.
    """

    processor: Processor
    run: Run
    settings: Mapping[str, Any]
    arrays: Mapping[str, Any]
    before: Mapping[str, str]

    def read(self, name: str) -> np.ndarray:
        """Give a waveform that the processor reads."""
        return np.asarray(self.arrays[self.before[name]], dtype=np.float64)

    @property
    def wave(self) -> str:
        """The name of the one waveform that the processor reads, as the steps before it call it."""
        names = [self.before[name] for name, kind in self.processor.reads if kind == "waves"]
        return names[0]

    def at(self, name: str) -> float:
        """Give a time in samples."""
        return float(self.arrays[name]) / PERIOD_NS


def scene(name: str, block: Block, run: Run, folder: Path) -> Scene:
    """Run the steps up to a processor on one event and keep all that they make."""
    steps = [with_table(step, folder) for step in chain_to(name)]
    names = [written for step in steps for written in step.writes]
    plan = bind(steps, block, period_ns=PERIOD_NS, outputs=names, fused=False)
    made = plan.run(block)
    arrays: dict[str, Any] = {key: block.rows[key][0] for key in block.rows.dtype.names or ()}
    arrays["waveform"] = None if block.waveforms is None else block.waveforms[0]
    arrays.update({key: array[0] for key, array in made.items()})
    operation = plan.operations[-1]
    read = [key for key, kind in REGISTRY[name].reads if kind != "period"]
    settings = REGISTRY[name].check(example(name).settings, PERIOD_NS)
    return Scene(REGISTRY[name], run, settings, arrays, dict(zip(read, operation.reads, strict=True)))


def with_table(step: Step, folder: Path) -> Step:
    """Write the table of channels, if the step names it, and name it by where it lies."""
    if step.settings.get("table") != TABLE:
        return step
    table = folder / TABLE
    table.write_text(json.dumps(CHANNELS), encoding="utf-8")
    return replace(step, settings={**step.settings, "table": str(table)})


def unit_of(name: str) -> str:
    """Give the unit of an array as it stands in the pictures."""
    units = {"waveform": "adc"}
    units.update(pair for processor in REGISTRY.values() for pair in processor.writes)
    return _UNITS.get(units.get(name, ""), units.get(name, ""))


def number(scene: Scene, name: str) -> str:
    """Give name, value and unit of a number."""
    value = float(scene.arrays[name])
    text = f"{value:.5g}".replace("nan", "NaN")
    return " ".join([f"{name} = {text}", unit_of(name)]).strip()
