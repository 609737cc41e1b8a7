"""Reads and writes settings files: options of Tier 0 and the chain of Tier 1, as JSON.

    {"tier0": {"window": "max", "n_samp": 2000},
     "chain": [{"step": "fit_baseline", "settings": {"i_end": 800}}],
     "outputs": ["bl_int"], "compact": true, "save_waves": ["wf_blsub"], "plugins": ["mine.py"]}

All six are optional. outputs: the columns that are wanted of those which the chain gives. compact: whether
they are rounded, so that Tier 2 is half as large. save_waves: the waveforms to keep. plugins: files with more
processors, from the settings file's folder on. A Tier 2 file is a settings file as well: it holds those that
it was made with.

What may stand in a file follows from what processors and options declare; so does the schema for editors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pygama.errors import SettingsError, TierFileError
from pygama.processing import plugins as plug_ins
from pygama.processing.declare import REGISTRY, Processor, Setting, settings_of
from pygama.processing.steps import Step, nearest

_ENTRIES = ("tier0", "chain", "outputs", "compact", "save_waves", "plugins")
_SCHEMA_ENTRY = "$schema"
"""Where a file says which schema it follows, editors check it while it is written."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
_NAME_PATTERN = r"^[^\W\d]\w*$"
_NUMBER_PATTERN = r"^\s*[0-9]*[.,]?[0-9]+([eE][-+]?[0-9]+)?\s*"
_TIME_PATTERN = _NUMBER_PATTERN + r"(ns|us|µs|μs|ms|s|samples?)\s*$"


def read_settings(
    path: Path | str, *, tier0: type | None = None, plugins: Iterable[Path | str] = ()
) -> dict[str, Any]:
    """Read a settings file or what a Tier 2 file was made with, and check it.

    Gives {"tier0": {…}, "chain": […], …}, each entry only where the file has it. tier0: dataclass of the
    options of Tier 0; without it they are taken as they stand. plugins: Python files that may be run, because
    whoever calls says so. Raises SettingsError naming file, step, setting, bound and value; PluginNeeded, one
    of them, where the file names a plug-in that was not run.
    """
    path = Path(path)
    plug_ins.load_plugins(plugins)
    return check_settings(_read(path), name=path.name, tier0=tier0, folder=path.parent)


def _read(path: Path) -> Any:
    try:
        if path.is_fifo():
            # Reading it would wait for somebody to write into it.
            raise SettingsError("not a file on disk; save it to one first")
        with path.open("rb") as file:
            if file.read(len(_HDF5)) == _HDF5:
                return _settings_of_tier2(path)
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_doubles)
    except OSError as problem:
        raise SettingsError(f"{path}: cannot be read: {problem.strerror or problem}") from problem
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise SettingsError(f"{path.name}: {where}: not JSON: {problem.msg}") from problem
    except (UnicodeDecodeError, RecursionError, ValueError) as problem:
        raise SettingsError(f"{path.name}: not a settings file: {problem}") from problem
    except SettingsError as problem:
        raise SettingsError(f"{path.name}: {problem}") from problem


def _settings_of_tier2(path: Path) -> dict[str, Any]:
    """Read the settings that a Tier 2 file was made with."""
    from pygama.storage import TierFile

    try:
        with TierFile(path) as file:
            texts = file.texts("/")
    except TierFileError as problem:
        raise SettingsError(f"its settings cannot be read: {problem}") from problem
    if "chain" not in texts:
        raise SettingsError("it does not say with which chain it was made; is it a Tier 2 file of pygama's?")
    return {name: json.loads(texts[name]) for name in _ENTRIES if name in texts}


def write_settings(
    path: Path | str,
    *,
    tier0: Mapping[str, Any] | None = None,
    chain: Sequence[Mapping[str, Any]] | None = None,
    **others: Any,
) -> None:
    """Write a settings file, whole or not at all; others: the further entries of such files."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    part.write_text(settings_text({"tier0": tier0, "chain": chain, **others}), encoding="utf-8")
    part.replace(path)


def settings_text(settings: Mapping[str, Any]) -> str:
    """Give settings as they stand in a file; entries that are None are left out."""
    there = {name: value for name, value in settings.items() if value is not None}
    return json.dumps(there, indent=2, allow_nan=False) + "\n"


def check_settings(
    settings: Any, *, name: str = "settings", tier0: type | None = None, folder: Path | None = None
) -> dict[str, Any]:
    """Check what a settings file holds and return it; raises SettingsError beginning with `name`.

    folder: where files that it names lie, the working one by default.
    """
    try:
        return _checked(settings, tier0, folder or Path.cwd())
    except plug_ins.PluginNeeded as problem:
        raise plug_ins.PluginNeeded(f"{name}: {problem}", problem.path) from problem
    except SettingsError as problem:
        raise type(problem)(f"{name}: {problem}") from problem


def _checked(settings: Any, tier0: type | None, folder: Path) -> dict[str, Any]:
    if not isinstance(settings, Mapping):
        raise SettingsError(
            f'a settings file must be like {{"tier0": {{}}, "chain": []}}, not {_short(settings)}'
        )
    for name in settings:
        if name not in _ENTRIES and name != _SCHEMA_ENTRY:
            raise SettingsError(f"unknown entry {name!r}; {nearest(name, _ENTRIES)}")
    checked: dict[str, Any] = {}
    if "plugins" in settings:
        checked["plugins"] = plug_ins.check_plugins(settings["plugins"], folder)
    if "tier0" in settings:
        checked["tier0"] = _checked_options(settings["tier0"], tier0)
    if "chain" in settings:
        checked["chain"] = _checked_chain(settings["chain"])
    for name in ("outputs", "save_waves"):
        if name in settings:
            checked[name] = _checked_names(name, settings[name])
    if "compact" in settings:
        checked["compact"] = _checked_switch("compact", settings["compact"])
    return {name: checked[name] for name in _ENTRIES if name in checked}


def _checked_names(entry: str, given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise SettingsError(f"{entry} must be a list of names in brackets, not {_short(given)}")
    return given


def _checked_switch(entry: str, given: Any) -> bool:
    if not isinstance(given, bool):
        raise SettingsError(f"{entry} must be true or false, not {_short(given)}")
    return given


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
        checked = {name: known[name].check(value) for name, value in given.items()}
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
    properties: dict[str, Any] = {_SCHEMA_ENTRY: {"type": "string"}, "tier0": {"type": "object"}}
    if tier0 is not None:
        options = {item.name: _setting_schema(item) for item in settings_of(tier0)}
        properties["tier0"] = _object(options)
    steps = [_step_schema(processor) for processor in REGISTRY.values()]
    properties["chain"] = {"type": "array", "items": {"oneOf": steps}}
    names = {"type": "array", "items": {"type": "string"}}
    properties["outputs"] = {
        **names,
        "description": "columns that are wanted; all that the chain gives if left out",
    }
    properties["compact"] = {
        "type": "boolean",
        "default": False,
        "description": "round the columns far below what noise moves them by: Tier 2 is half as large",
    }
    properties["save_waves"] = {**names, "description": "waveforms to keep beside the table, as wf_blsub"}
    properties["plugins"] = {"type": "array", "items": _PLUGIN_SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of pygama",
        **_object(properties),
    }


_PLUGIN_SCHEMA: Mapping[str, Any] = {
    "description": "Python file with more processors; it runs only when you say so",
    "oneOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"file": {"type": "string"}, "sha256": {"type": "string"}},
            "required": ["file"],
            "additionalProperties": False,
        },
    ],
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
    own = dict(settings)
    settings["test"] = {"type": "boolean", "description": "draw the step for one waveform", "default": False}
    reads = [name for name, kind in processor.reads if kind != "period"]
    name_there = {"type": "string", "pattern": _NAME_PATTERN}
    properties = {
        "step": {"const": processor.name, "description": processor.summary},
        "settings": _object(settings),
        "inputs": _object(dict.fromkeys(reads, name_there)),
        "outputs": _object({name: name_there for name, _ in processor.writes}),
        "enabled": {"type": "boolean", "default": True},
        "channels": {
            "description": "settings of single channels, by crate/card/channel, card/channel or channel; "
            "or the table that has them",
            "type": ["object", "string"],
            "patternProperties": {r"^\d+(/\d+){0,2}$": _object(own)},
            "additionalProperties": False,
        },
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
