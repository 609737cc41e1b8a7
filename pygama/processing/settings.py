"""Reads and writes settings files: options of Tier 0 and the chain of Tier 1, as JSON.

    {"tier0": {"window": "max", "n_samp": 2000},
     "chain": [{"step": "fit_baseline", "settings": {"i_end": 800}}]}

What may stand in a file follows from what processors and options declare; so does the schema for editors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pygama.errors import SettingsError
from pygama.processing.declare import REGISTRY, Processor, Setting, settings_of
from pygama.processing.steps import Step, nearest

_ENTRIES = ("tier0", "chain")
_TIME_PATTERN = r"^\s*[0-9]*[.,]?[0-9]+([eE][-+]?[0-9]+)?\s*(ns|us|µs|μs|ms|s|samples?)\s*$"


def read_settings(path: Path | str, *, tier0: type | None = None) -> dict[str, Any]:
    """Read a settings file and check it: {"tier0": {…}, "chain": […]}, each only where the file has it.

    tier0: dataclass of the options of Tier 0; without it they are taken as they stand. Raises SettingsError
    naming file, step, setting, bound and value.
    """
    path = Path(path)
    try:
        settings = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_doubles)
    except OSError as problem:
        raise SettingsError(f"{path}: cannot be read: {problem.strerror or problem}") from problem
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise SettingsError(f"{path.name}: {where}: not JSON: {problem.msg}") from problem
    except (UnicodeDecodeError, RecursionError, ValueError) as problem:
        raise SettingsError(f"{path.name}: not a settings file: {problem}") from problem
    except SettingsError as problem:
        raise SettingsError(f"{path.name}: {problem}") from problem
    return check_settings(settings, name=path.name, tier0=tier0)


def write_settings(
    path: Path | str,
    *,
    tier0: Mapping[str, Any] | None = None,
    chain: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write a settings file, whole or not at all."""
    path = Path(path)
    settings = {"tier0": tier0, "chain": chain}
    text = json.dumps(
        {name: value for name, value in settings.items() if value is not None}, indent=2, allow_nan=False
    )
    part = path.with_name(path.name + ".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def check_settings(settings: Any, *, name: str = "settings", tier0: type | None = None) -> dict[str, Any]:
    """Check what a settings file holds and return it; raises SettingsError beginning with `name`."""
    try:
        return _checked(settings, tier0)
    except SettingsError as problem:
        raise type(problem)(f"{name}: {problem}") from problem


def _checked(settings: Any, tier0: type | None) -> dict[str, Any]:
    if not isinstance(settings, Mapping):
        raise SettingsError(
            f'a settings file must be like {{"tier0": {{}}, "chain": []}}, not {_short(settings)}'
        )
    for name in settings:
        if name not in _ENTRIES:
            raise SettingsError(f"unknown entry {name!r}; {nearest(name, _ENTRIES)}")
    checked: dict[str, Any] = {}
    if "tier0" in settings:
        checked["tier0"] = _checked_options(settings["tier0"], tier0)
    if "chain" in settings:
        checked["chain"] = _checked_chain(settings["chain"])
    return checked


def _checked_options(given: Any, tier0: type | None) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise SettingsError(f"tier0 must be names and values in braces, not {_short(given)}")
    if tier0 is None:
        return dict(given)
    known = {option.name: option for option in settings_of(tier0)}
    for name in given:
        if name not in known:
            raise SettingsError(f"tier0: unknown option {name!r}; {nearest(name, known)}")
    try:
        # Before the data are read no sampling period is known, so a time cannot become samples.
        checked = {name: known[name].check(value, float("nan")) for name, value in given.items()}
        tier0(**checked)
    except SettingsError as problem:
        raise SettingsError(f"tier0: {problem}") from problem
    return checked


def _checked_chain(chain: Any) -> list[dict[str, Any]]:
    if not isinstance(chain, list):
        raise SettingsError(f"chain must be a list of steps in brackets, not {_short(chain)}")
    steps = []
    for number, entry in enumerate(chain, 1):
        name = entry.get("step") if isinstance(entry, Mapping) else None
        try:
            step = Step.from_json(entry)
            step.check()
        except SettingsError as problem:
            where = f"step {number}, {name}" if isinstance(name, str) else f"step {number}"
            raise type(problem)(f"{where}: {problem}") from problem
        steps.append(step.to_json())
    return steps


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{name!r} is given twice in the same braces")
    return dict(pairs)


def schema(*, tier0: type | None = None) -> dict[str, Any]:
    """Make the JSON Schema (2020-12) of settings files from all that is declared."""
    properties: dict[str, Any] = {"tier0": {"type": "object"}}
    if tier0 is not None:
        properties["tier0"] = _object({item.name: _setting_schema(item) for item in settings_of(tier0)})
    steps = [_step_schema(processor) for processor in REGISTRY.values()]
    properties["chain"] = {"type": "array", "items": {"oneOf": steps}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of pygama",
        **_object(properties),
    }


def _object(properties: Mapping[str, Any], *, required: Sequence[str] = ()) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


def _step_schema(processor: Processor) -> dict[str, Any]:
    settings = {item.name: _setting_schema(item) for item in processor.settings}
    for old, new in processor.renamed.items():
        settings[old] = {**settings[new], "deprecated": True}
    for old in processor.ignored:
        settings[old] = {"description": "has no effect", "deprecated": True}
    settings["test"] = {"type": "boolean", "description": "draw the step for one waveform", "default": False}
    reads = [name for name, kind in processor.reads if kind != "period"]
    properties = {
        "step": {"const": processor.name, "description": processor.summary},
        "settings": _object(settings),
        "inputs": _object({name: {"type": "string"} for name in reads}),
        "outputs": _object({name: {"type": "string"} for name, _ in processor.writes}),
        "enabled": {"type": "boolean", "default": True},
    }
    return _object(properties, required=["step"])


def _setting_schema(setting: Setting) -> dict[str, Any]:
    made: dict[str, Any] = {"description": setting.about, "default": setting.default}
    if setting.unit:
        made["description"] = f"{setting.about} ({setting.unit})"
    if setting.choices:
        made["enum"] = [*setting.choices, *([None] if setting.optional else [])]
        return made
    names = {int: "integer", float: "number", bool: "boolean", str: "string"}
    types = [names[setting.type]]
    for bound, value in (("minimum", setting.low), ("maximum", setting.high)):
        if value is not None:
            made[bound] = value
    if setting.unit == "samples":
        types.append("string")
        made["pattern"] = _TIME_PATTERN
    types += ["null"] if setting.optional else []
    made["type"] = types if len(types) > 1 else types[0]
    return made
