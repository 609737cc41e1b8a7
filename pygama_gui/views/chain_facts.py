"""Looks up what the processors declare: units, what a step reads and writes, what is amiss in a chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pygama.errors import PygamaError
from pygama.processing.base import Tier1Processor
from pygama.processing.declare import REGISTRY, Processor
from pygama_gui.session.state import Step

UNITS = {"adc": "ADC", "": "", "ns": "ns", "samples": "samples"}
KNOWN = {"time_s": "s", "period_ns": "ns", "energy": "ADC", "energy_first": "ADC", "timestamp": "ticks"}
RAW = "waveform"


def processors() -> dict[str, Processor]:
    """Give all processors by name."""
    return REGISTRY


def processor(name: str) -> Processor | None:
    """Find a processor; None for a name that nobody declared."""
    return REGISTRY.get(name)


def unit_of(column: str) -> str:
    """Give the unit of a Tier 2 column; empty where it has none."""
    for known in REGISTRY.values():
        for name, unit in known.writes:
            if name == column:
                return UNITS.get(unit, unit)
    return KNOWN.get(column, "")


def processors_by_kind() -> dict[str, list[Processor]]:
    """Give all processors, sorted by what they are about: the module that each is in."""
    kinds: dict[str, list[Processor]] = {}
    for known in REGISTRY.values():
        kind = known.function.__module__.rpartition(".")[2].replace("_", " ").capitalize()
        kinds.setdefault(kind, []).append(known)
    return kinds


def reads_and_writes(step: Step) -> str:
    """Say what a step reads and writes."""
    known = processor(step.step)
    if known is None:
        return "not a known step"
    return f"{', '.join(_reads(step, known))} → {', '.join(_writes(step, known))}"


def what_is_amiss(chain: Sequence[Step]) -> dict[int, str]:
    """Say for each step that cannot run what it lacks; index -> sentence."""
    written = {RAW: ""}
    amiss: dict[int, str] = {}
    for index, step in enumerate(chain):
        known = processor(step.step)
        if not step.enabled:
            continue
        if known is None:
            amiss[index] = f"'{step.step}' is not a known step; remove it"
            continue
        missing = [name for name in _reads(step, known) if name not in written]
        # What no step makes comes from the card, if it is a number: crate, channel and the like.
        from_card = {name for name, kind in known.reads if kind == "values"} - made_names()
        missing = [name for name in missing if name not in from_card]
        twice = [name for name in _writes(step, known) if name in written]
        if missing:
            amiss[index] = _advice(missing[0], chain, index)
        elif twice:
            amiss[index] = f"writes '{twice[0]}', which {written[twice[0]]} writes already; keep one of them"
        written |= dict.fromkeys(_writes(step, known), step.step)
    return amiss


def made_names() -> set[str]:
    """Give the names of all that any processor writes; columns of other names come from the card."""
    return {name for known in REGISTRY.values() for name, _ in known.writes}


def _reads(step: Step, known: Processor) -> list[str]:
    return [step.inputs.get(name, name) for name, kind in known.reads if kind != "period"]


def _writes(step: Step, known: Processor) -> list[str]:
    return [step.outputs.get(name, name) for name, _ in known.writes]


def traces_of(
    chain: Sequence[Step],
    waveform: np.ndarray,
    period_ns: float | None,
    numbers: Mapping[str, float] | None = None,
) -> tuple[dict[str, Any], str]:
    """Run the chain on one waveform with its numbers: (name -> array or number, what went wrong)."""
    columns = {
        name: float(value)
        for name, value in (numbers or {}).items()
        if _is_number(value) and name not in made_names()
    }
    try:
        made = Tier1Processor.from_chain([step.to_chain() for step in chain])
        return made.trace(waveform, period_ns or 10.0, columns | {"period_ns": period_ns or 10.0}), ""
    except (PygamaError, ValueError) as error:
        return {}, str(error)


def step_words(chain: Sequence[Step], name: str) -> str:
    """Name a computed trace by the step that writes it and its settings: 'trap_filter rise 400 flat 150'."""
    for step in reversed(chain):
        known = processor(step.step)
        if known is not None and step.enabled and name in _writes(step, known):
            values = {setting.name: setting.default for setting in known.settings} | dict(step.settings)
            shown = [f"{key} {value:g}" for key, value in values.items() if _is_number(value)]
            return " ".join((step.step, *shown))
    return name


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _advice(missing: str, chain: Sequence[Step], index: int) -> str:
    for at, step in enumerate(chain):
        known = processor(step.step)
        if known is None or missing not in _writes(step, known):
            continue
        if at < index and not step.enabled:
            return f"reads '{missing}'; switch {step.step} on"
        if at > index:
            return f"reads '{missing}', which nothing before it writes; move {step.step} before it"
    writers = [name for name, known in REGISTRY.items() if missing in {output for output, _ in known.writes}]
    before = f"; put {' or '.join(writers)} before it" if writers else ""
    return f"reads '{missing}', which nothing before it writes{before}"
