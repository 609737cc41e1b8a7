"""Reads what a processor or a set of options declares, so that nothing has to be said twice.

A processor is a plain function: its positional parameters are what it reads from the intercom, its
keyword-only parameters are what a person may set, and the decorator's keywords are what it writes, with
the unit. Forms, JSON schema, reference pages, the dependency check and the generic tests all come from here.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import typing
from collections.abc import Callable, Collection, Mapping
from itertools import takewhile
from typing import Annotated, Any, Literal

import numpy as np

from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

Kind = Literal["waves", "values", "period"]


class RecordTooShort(SettingsError):
    """A setting that is right in itself but does not fit waveforms of this length."""


@dataclass(frozen=True, slots=True)
class Reads:
    """Marks what a positional parameter takes from the intercom."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Limits:
    """Marks what a person may set: unit and bounds (inclusive), or the choices there are."""

    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    about: str = ""
    needed: bool = False
    """Nothing is done before somebody gives it, for there is no default that would do."""


Waves = Annotated[np.ndarray, Reads("waves")]
"""Waveforms, (n_rows, n_samples)."""
Values = Annotated[np.ndarray, Reads("values")]
"""One number a row, (n_rows,)."""
PeriodNs = Annotated[float, Reads("period")]
"""The sampling period of the rows at hand, in ns."""

Sample = Annotated[int, Limits("samples", low=0)]
"""A position in the waveform."""
Span = Annotated[int, Limits("samples", low=1)]
"""A length of at least one sample."""
Gap = Annotated[int, Limits("samples", low=0)]
"""A length that may be zero."""
TimeConstant = Annotated[float, Limits("samples", low=1e-3)]
"""A decay time."""
Order = Annotated[int, Limits("", low=0, high=8)]
"""The order of a polynomial."""
Level = Annotated[int, Limits("adc")]
"""A height of samples."""
Factor = Annotated[float, Limits("", low=0)]
"""How many times something."""
Fraction = Annotated[float, Limits("", low=0, high=1)]
"""A part of a whole."""
Text = Annotated[str, Limits()]
"""A name: of a file, of a column."""
NeededText = Annotated[str, Limits(needed=True)]
Switch = Annotated[bool, Limits()]

_LARGEST = float(np.finfo(np.float64).max)
_TIME_UNITS_NS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}
_TIME = re.compile(r"\s*([-+]?[0-9]*[.,]?[0-9]+(?:[eE][-+]?\d+)?)\s*(ns|us|µs|μs|ms|s|samples?)\s*")


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a person may set: all that a form, a schema or a check needs."""

    name: str
    type: type
    default: Any
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    about: str = ""
    optional: bool = False
    """None is allowed and means: not used, or chosen by the program."""
    needed: bool = False
    """Nothing is done before somebody gives it."""

    def check(self, value: Any, period_ns: float | None = None) -> Any:
        """Return the value in its own type, or raise SettingsError saying what is wrong.

        Text is read as a person types it: '1,5', '400', '4 us'. A time with a unit needs `period_ns`
        to become samples; without it, it is checked for form only and returned as text.
        """
        if value is None or (self.optional and isinstance(value, str) and not value.strip()):
            if self.optional:
                return None
            raise SettingsError(f"{self.name} must be {self._expected()}, not empty")
        if self.type is bool:
            return self._check_bool(value)
        if self.type is str:
            return self._check_text(value)
        if isinstance(value, str):
            read = self._read(value, period_ns)
            return read if isinstance(read, str) else self._check_number(read, shown=repr(value.strip()))
        return self._check_number(value, shown=repr(value))

    def _check_bool(self, value: Any) -> bool:
        if isinstance(value, bool | np.bool_):
            return bool(value)
        raise SettingsError(f"{self.name} must be true or false, not {value!r}")

    def _check_text(self, value: Any) -> str:
        if not isinstance(value, str) or (self.choices and value not in self.choices):
            raise SettingsError(f"{self.name} must be {self._expected()}, not {value!r}")
        return value

    def _read(self, text: str, period_ns: float | None) -> Any:
        if self.unit == "samples" and (found := _TIME.fullmatch(text)):
            number = float(found[1].replace(",", "."))
            if found[2].startswith("sample"):
                return number
            if self.low is not None and self.low >= 0 and (number < 0 or number == 0 < self.low):
                raise SettingsError(f"{self.name} must be {self._range()}, not {text.strip()!r}")
            if not abs(number) <= _LARGEST / _TIME_UNITS_NS[found[2]]:
                raise SettingsError(f"{self.name} must be {self._expected()}, not {text.strip()!r}")
            if period_ns is None:
                return text.strip()
            if not period_ns > 0 or not np.isfinite(period_ns):
                raise SettingsError(
                    f"{self.name} is {text.strip()!r}, but the sampling period is unknown; give it in samples"
                )
            samples = number * _TIME_UNITS_NS[found[2]] / period_ns
            is_whole = self.type is int and np.isfinite(samples)
            return round(samples) if is_whole else samples
        try:
            return float(text.strip().replace(",", "."))
        except ValueError:
            raise SettingsError(f"{self.name} must be {self._expected()}, not {text!r}") from None

    def _check_number(self, value: Any, shown: str) -> int | float:
        is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not is_number or not abs(value) <= _LARGEST or (self.type is int and value != int(value)):
            raise SettingsError(f"{self.name} must be {self._expected()}, not {shown}")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise SettingsError(f"{self.name} must be {self._range()}, not {shown}")
        return self.type(value)

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None:
            return f"{self.high:g}{unit} or less"
        if self.high is None:
            return f"{self.low:g}{unit.removesuffix('s') if self.low == 1 else unit} or more"
        return f"from {self.low:g} to {self.high:g}{unit}"

    def _expected(self) -> str:
        if self.choices:
            return "one of " + ", ".join(repr(choice) for choice in self.choices)
        kind = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}[self.type]
        unit = f" of {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"{kind}{unit} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{kind}{unit}, {self.low:g} or more"
        if self.high is not None:
            return f"{kind}{unit}, {self.high:g} or less"
        return kind + unit


@dataclass(frozen=True, slots=True)
class Processor:
    """A function and all that it declares."""

    name: str
    function: Callable[..., Any]
    reads: tuple[tuple[str, Kind], ...]
    writes: tuple[tuple[str, str], ...]
    """(name, unit) of each output, in the order in which the function returns them."""
    writes_waves: bool
    settings: tuple[Setting, ...]
    renamed: Mapping[str, str]
    ignored: tuple[str, ...]
    replaces: str = ""
    """The wave that later steps read in the new version from here on, unless they name another."""
    rare: frozenset[str] = frozenset()
    """Outputs that have no value, NaN, for most waveforms, and need none."""

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]

    @property
    def help(self) -> str:
        """The docstring."""
        return inspect.getdoc(self.function) or ""

    @property
    def formula(self) -> str:
        """The lines under 'Formula' in the docstring, empty where there is no such part."""
        return "\n".join(docstring_section(self.help, "Formula"))

    def setting(self, name: str) -> Setting:
        """Find a setting by its name or its old name."""
        name = self.renamed.get(name, name)
        for setting in self.settings:
            if setting.name == name:
                return setting
        known = ", ".join(setting.name for setting in self.settings) or "none"
        raise SettingsError(f"{self.name} has no setting {name!r}; it has {known}")

    def check(self, values: Mapping[str, Any], period_ns: float | None = None) -> dict[str, Any]:
        """Return all settings with the given values in place of the defaults, checked."""
        checked = {setting.name: setting.default for setting in self.settings}
        for name, value in values.items():
            if name in self.ignored:
                continue
            setting = self.setting(name)
            checked[setting.name] = setting.check(value, period_ns)
        return checked


REGISTRY: dict[str, Processor] = {}
"""All processors by name, in the order in which they were declared."""


def calculator(
    *,
    renamed: Mapping[str, str] | None = None,
    ignored: tuple[str, ...] = (),
    rare: tuple[str, ...] = (),
    **writes: str,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function that gives one number a row for each of `writes` (name=unit).

    renamed: old name -> present name of a setting. ignored: old settings that never had an effect. rare:
    those of `writes` that are NaN for most waveforms, and nobody need look why.
    """
    return _declarer(writes, waves=False, renamed=renamed, ignored=ignored, rare=rare)


def transform(
    *,
    renamed: Mapping[str, str] | None = None,
    ignored: tuple[str, ...] = (),
    replaces: str = "",
    **writes: str,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function that gives a waveform a row, named and measured as in `writes` (name=unit).

    replaces: the wave of which this is a better version. Steps after it that read that wave without
    saying from where get this one.
    """
    return _declarer(writes, waves=True, renamed=renamed, ignored=ignored, replaces=replaces)


def _declarer(
    writes: Mapping[str, str],
    *,
    waves: bool,
    renamed: Mapping[str, str] | None,
    ignored: tuple[str, ...],
    replaces: str = "",
    rare: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        quiet = _without_warnings(function)
        processor = read_processor(
            quiet, writes, waves=waves, renamed=renamed or {}, ignored=ignored, replaces=replaces, rare=rare
        )
        REGISTRY[processor.name] = processor
        return quiet

    return declare


def _without_warnings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let NaN and infinity pass through a processor by its own rule, without a word of NumPy's."""

    @functools.wraps(function)
    def quiet(*arrays: Any, **settings: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arrays, **settings)

    return quiet


def read_processor(
    function: Callable[..., Any],
    writes: Mapping[str, str],
    *,
    waves: bool,
    renamed: Mapping[str, str],
    ignored: tuple[str, ...],
    replaces: str = "",
    rare: Collection[str] = (),
) -> Processor:
    """Read the signature and the docstring of a function into a Processor."""
    hints = typing.get_type_hints(function, include_extras=True)
    about = settings_about(inspect.getdoc(function) or "")
    reads: list[tuple[str, Kind]] = []
    settings: list[Setting] = []
    for name, parameter in inspect.signature(function).parameters.items():
        try:
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                settings.append(_setting(name, hints.get(name), parameter.default, about.get(name, "")))
            else:
                reads.append((name, _marker(hints.get(name), Reads).kind))
        except TypeError as problem:
            raise TypeError(f"{function.__name__}: {name}: {problem}") from None
    name = getattr(function, "__name__", "?")
    return Processor(
        name,
        function,
        tuple(reads),
        tuple(writes.items()),
        waves,
        tuple(settings),
        dict(renamed),
        ignored,
        replaces,
        frozenset(rare),
    )


def settings_of(options: type) -> tuple[Setting, ...]:
    """Read the fields of a dataclass of options into settings, in order."""
    hints = typing.get_type_hints(options, include_extras=True)
    about = settings_about(inspect.getdoc(options) or "")
    return tuple(
        _setting(field.name, hints[field.name], field.default, about.get(field.name, ""))
        for field in dataclasses.fields(options)
    )


def settings_about(docstring: str) -> dict[str, str]:
    """Read the 'Settings' part of a docstring: name -> what it says, lines joined."""
    about: dict[str, str] = {}
    name = ""
    for line in docstring_section(docstring, "Settings"):
        found = re.fullmatch(r"(\w+)\s*:\s*(.*)", line)
        if found:
            name = found[1]
            about[name] = found[2].strip()
        elif name:
            about[name] += " " + line.strip()
    return about


def docstring_section(docstring: str, heading: str) -> list[str]:
    """Give the lines under a heading that is underlined with dashes, up to the next empty line."""
    lines = docstring.splitlines()
    for place, (line, below) in enumerate(zip(lines, lines[1:], strict=False)):
        if line.strip() == heading and set(below.strip()) == {"-"}:
            return list(takewhile(str.strip, lines[place + 2 :]))
    return []


def _setting(name: str, hint: Any, default: Any, about: str) -> Setting:
    if default is inspect.Parameter.empty:
        raise TypeError("a setting needs a default")
    optional = False
    if type(None) in typing.get_args(hint):
        optional = True
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    limits = _marker(hint, Limits)
    base = typing.get_args(hint)[0]
    return Setting(
        name,
        base,
        default,
        limits.unit,
        limits.low,
        limits.high,
        limits.choices,
        about or limits.about,
        optional,
        limits.needed,
    )


def _marker(hint: Any, kind: type) -> Any:
    for part in getattr(hint, "__metadata__", ()):
        if isinstance(part, kind):
            return part
    wanted = "Waves, Values or PeriodNs" if kind is Reads else "Sample, Span and the like"
    given = "none" if hint is None else f"{hint!r}"
    raise TypeError(f"its type must be one of pygama.processing.declare, {wanted}, not {given}")
