"""Describes one step of a chain: which processor, with which settings, reading and writing what."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from typing import Any

from pygama.errors import SettingsError
from pygama.processing.channels import Place, by_specificity, check_channels, read_channels
from pygama.processing.declare import REGISTRY, Processor
from pygama.processing.processors import (  # noqa: F401  (they fill the registry)
    baselines,
    calculators,
    filters,
    lookup,
    pulse_shape,
    quality,
    resample,
    timing,
    transforms,
)
from pygama.quick_dataclass import dataclass

_ENTRIES = ("step", "settings", "inputs", "outputs", "enabled", "channels")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain.

    settings: what differs from the declared defaults. inputs: name that the processor reads -> name of the
    array to read in its place. outputs: name that it writes -> name to give it. test: draw the step for one
    waveform. channels: place of a channel -> settings that beat the others there; see
    `pygama.processing.channels`.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    test: bool = False
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("settings", "inputs", "outputs", "channels"):
            object.__setattr__(self, name, dict(getattr(self, name)))

    @property
    def processor(self) -> Processor:
        """What the step's processor declares; raises SettingsError if there is no such processor."""
        return processor_named(self.name)

    @property
    def writes(self) -> tuple[str, ...]:
        """Names of the arrays that the step gives."""
        return tuple(self.outputs.get(name, name) for name, _ in self.processor.writes)

    def check(self) -> None:
        """Raise SettingsError if the step cannot work in any chain."""
        processor = self.processor
        processor.check(self.settings)
        check_channels(processor, self.channels)
        reads = [name for name, kind in processor.reads if kind != "period"]
        _check_names(self.inputs, reads, f"{self.name} reads")
        _check_names(self.outputs, [name for name, _ in processor.writes], f"{self.name} writes")

    def at(self, place: Place) -> Step:
        """Give the step with the settings that hold for one channel."""
        settings = dict(self.settings)
        for own in by_specificity(self.channels, place):
            settings.update(present_names(self.processor, own))
        return replace(self, settings=settings, channels={})

    @classmethod
    def from_json(cls, entry: Any) -> Step:
        """Read a step as settings files hold it; raises SettingsError.

        A table that is named for the settings of channels is read, so that the step holds all it needs.
        """
        if not isinstance(entry, Mapping) or not isinstance(entry.get("step"), str):
            raise SettingsError(f'a step must be like {{"step": "trap_filter"}}, not {entry!r}')
        unknown = [name for name in entry if name not in _ENTRIES]
        if unknown:
            raise SettingsError(_no_entry(unknown[0], processor_named(entry["step"])))
        settings, test = split_test(_mapping(entry, "settings"))
        enabled = entry.get("enabled", True)
        if not isinstance(enabled, bool):
            raise SettingsError(f"enabled must be true or false, not {enabled!r}")
        inputs, outputs = _mapping(entry, "inputs"), _mapping(entry, "outputs")
        channels = read_channels(processor_named(entry["step"]), entry.get("channels", {}))
        return cls(entry["step"], settings, inputs, outputs, enabled, test, channels)

    def to_json(self) -> dict[str, Any]:
        """Give the step as settings files hold it: only what is not the default."""
        entry: dict[str, Any] = {"step": self.name}
        settings = {**self.settings, "test": True} if self.test else dict(self.settings)
        for name, value in (("settings", settings), ("inputs", self.inputs), ("outputs", self.outputs)):
            if value:
                entry[name] = dict(value)
        if self.channels:
            entry["channels"] = {place: dict(own) for place, own in self.channels.items()}
        if not self.enabled:
            entry["enabled"] = False
        return entry


@contextmanager
def named(number: int, name: str) -> Iterator[None]:
    """Put the number and the name of a step before what a SettingsError says."""
    try:
        yield
    except SettingsError as problem:
        raise type(problem)(f"step {number}, {name}: {problem}") from problem


@contextmanager
def from_file(source: str) -> Iterator[None]:
    """Put the name of the settings file before what a SettingsError says; "": there is none."""
    try:
        yield
    except SettingsError as problem:
        if not source:
            raise
        raise type(problem)(f"{source}: {problem}") from problem


def split_test(settings: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Take the key 'test', which every step has, out of the settings of its processor."""
    test = settings.get("test", False)
    if not isinstance(test, bool):
        raise SettingsError(f"test must be true or false, not {test!r}")
    return {name: value for name, value in settings.items() if name != "test"}, test


def present_names(processor: Processor, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Put present names of settings in the place of old ones, and leave out what has no effect."""
    return {
        processor.renamed.get(name, name): value
        for name, value in settings.items()
        if name not in processor.ignored
    }


def processor_named(name: str) -> Processor:
    """Find a processor; raises SettingsError with the nearest names."""
    if name in REGISTRY:
        return REGISTRY[name]
    raise SettingsError(f"there is no processor {name!r}; {nearest(name, REGISTRY)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which of the known names may have been meant."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=3)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "there are " + ", ".join(known) if known else "there are none"


def _no_entry(name: str, processor: Processor) -> str:
    """Say what is wrong with an entry of a step: misspelt, or a setting that stands beside 'settings'."""
    words = f"unknown entry {name!r} in a step"
    present = processor.renamed.get(name, name)
    if present in {setting.name for setting in processor.settings}:
        return f'{words}; settings stand in braces of their own: "settings": {{"{present}": …}}'
    return f"{words}; {nearest(name, _ENTRIES)}"


def _mapping(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name, {})
    if not isinstance(value, Mapping):
        raise SettingsError(f"{name} must be names and values in braces, not {value!r}")
    return value


def _check_names(given: Mapping[str, str], known: list[str], what: str) -> None:
    for old, new in given.items():
        if old not in known:
            raise SettingsError(f"{what} no {old!r}; it has {', '.join(known)}")
        if not isinstance(new, str) or not new.isidentifier():
            raise SettingsError(f"a name must be letters, digits and underscores, not {new!r}")
