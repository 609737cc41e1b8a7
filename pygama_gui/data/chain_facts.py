"""Looks up what the processors declare: units, what a step reads and writes, what is amiss in a chain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from pygama.errors import PygamaError
from pygama.processing.base import Tier1Processor
from pygama.processing.declare import REGISTRY, Processor
from pygama.processing.groups import GROUPS
from pygama.processing.plugins import loaded_plugins
from pygama_gui.data.wiring import RAW, made_names, outputs_of, wires
from pygama_gui.session.state import Step

__all__ = ["RAW", "made_names", "wires"]

UNITS = {"adc": "ADC", "adc/sample": "ADC/sample", "": "", "ns": "ns", "samples": "samples"}
TIME = re.compile(r"[0-9.,eE+-]+\s*(ns|us|µs|μs|ms|s)")
KNOWN = {"time_s": "s", "period_ns": "ns", "energy": "ADC", "energy_first": "ADC", "timestamp": "ticks"}


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
    return "keV" if column.endswith("_kev") else KNOWN.get(column, "")


def processors_by_kind() -> dict[str, list[Processor]]:
    """Give all processors by what they are about, in the order of the reference; those of plug-ins last."""
    plugins = {
        name: f"Plug-in {plugin.path.name}" for plugin in loaded_plugins() for name in plugin.processors
    }
    kinds: dict[str, list[Processor]] = {}
    for kind, names in GROUPS.items():
        if own := [REGISTRY[name] for name in names if name in REGISTRY and name not in plugins]:
            kinds[kind] = own
    grouped = {known.name for own in kinds.values() for known in own}
    for name, known in REGISTRY.items():
        if name not in grouped:
            kinds.setdefault(plugins.get(name, "Others"), []).append(known)
    return kinds


def what_is_amiss(chain: Sequence[Step]) -> dict[int, str]:
    """Say for each step that cannot run what it lacks; index -> sentence."""
    return {index: wire.amiss for index, wire in enumerate(wires(chain)) if wire.amiss}


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
        if known is not None and step.enabled and name in outputs_of(step):
            values = {setting.name: setting.default for setting in known.settings} | dict(step.settings)
            shown = [f"{key} {value:g}" for key, value in values.items() if _is_number(value)]
            times = {key: str(value).strip() for key, value in values.items() if is_time(value)}
            shown += [f"{key} {re.sub('us$', 'µs', value)}" for key, value in times.items()]
            return " ".join((step.step, *shown))
    return name


def written_out(chain: Sequence[Step]) -> tuple[Step, ...]:
    """Write every setting out, so that chains that do the same are equal: a default that was typed is one."""
    return tuple(_written_out(step) for step in chain)


def _written_out(step: Step) -> Step:
    known = processor(step.step)
    defaults = {} if known is None else {setting.name: setting.default for setting in known.settings}
    return replace(step, settings=MappingProxyType(defaults | dict(step.settings)))


def is_time(value: Any) -> bool:
    """Tell whether a value of a setting is a time, as '4 us'."""
    return isinstance(value, str) and bool(TIME.fullmatch(value.strip()))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
