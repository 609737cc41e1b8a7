"""Turns frozen dataclasses into plain JSON data and back; what does not fit is told with its place.

The fields and their types are the only description of a file: a field that is added is saved and read
without another line. Reading makes only what the types name: text, numbers, paths, and dataclasses of ours.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from pygama.errors import SettingsError

REST = "rest"
"""A dataclass with a field of this name keeps there what it does not know, and it is written again."""

Read = Callable[[Any], Any]


class _Unfit(Exception):
    """What does not fit; its place is put together on the way out, from the inside to the outside."""

    def __init__(self, words: str, place: str = "") -> None:
        self.words = words
        self.place = place

    def inside(self, place: str) -> _Unfit:
        """Say what it is inside of."""
        between = "." if self.place and not self.place.startswith("[") else ""
        return _Unfit(self.words, place + between + self.place)


def to_plain(value: Any) -> Any:
    """Give a value as JSON can hold it: dataclasses as names and values, sets in order, paths as text."""
    if value is None or isinstance(value, str | int | float):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        plain = {name: to_plain(getattr(value, name)) for name in _field_names(type(value))}
        return plain.pop(REST, {}) | plain
    if isinstance(value, Mapping):
        return {str(key): to_plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(to_plain(inner) for inner in value)
    if isinstance(value, tuple | list):
        return [to_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(kind: Any, data: Any, where: str = "") -> Any:
    """Read a value of a type; raises SettingsError that says what does not fit, and where.

    where: name of the whole, for the sentence.
    """
    try:
        return _reader(kind)(data)
    except _Unfit as problem:
        at = problem.inside(where) if where else problem
        raise SettingsError(f"{at.place or 'the file'} {problem.words}") from None


@lru_cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@lru_cache
def _reader(kind: Any) -> Read:
    """Make what reads a value of a type; raises _Unfit."""
    if kind is Any:
        return lambda data: data
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_reader(kind)
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = [one for one in get_args(kind) if one is not types.NoneType]
        read = _reader(inner)
        return lambda data: None if data is None else read(data)
    make = _MAKERS.get(get_origin(kind) or kind)
    if make is None:
        raise TypeError(f"{kind} cannot be read from plain data")
    return make(*get_args(kind))


def _dataclass_reader(kind: type) -> Read:
    hints = get_type_hints(kind)
    known = {name: _reader(hints[name]) for name in _field_names(kind) if name != REST}
    needed = [
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    ]

    def read(data: Any) -> Any:
        given = _one_of(dict, "names and values in braces", data)
        for name in needed:
            if name not in given:
                raise _Unfit(f"has no {name!r}")
        values = {name: _inside(name, known[name], given[name]) for name in given if name in known}
        if REST in hints:
            values[REST] = types.MappingProxyType({name: given[name] for name in given if name not in known})
        return kind(**values)

    return read


def _many_reader(*kinds: Any) -> Read:
    is_any_number = kinds[1:] == (...,)
    readers = [_reader(kind) for kind in kinds if kind is not ...]

    def read(data: Any) -> tuple[Any, ...]:
        entries = _one_of(list, "a list", data)
        if not is_any_number and len(entries) != len(readers):
            raise _unfit(f"a list of {len(readers)}", data)
        reads = readers * len(entries) if is_any_number else readers
        pairs = zip(reads, entries, strict=True)
        return tuple(_inside(at, read, entry) for at, (read, entry) in enumerate(pairs))

    return read


def _mapping_reader(_key: Any, value: Any) -> Read:
    read_value = _reader(value)

    def read(data: Any) -> Mapping[str, Any]:
        given = _one_of(dict, "names and values in braces", data)
        values = {name: _inside(name, read_value, inner) for name, inner in given.items()}
        return types.MappingProxyType(values)

    return read


def _set_reader(kind: Any) -> Read:
    read = _many_reader(kind, ...)
    return lambda data: frozenset(read(data))


def _number(data: Any) -> float:
    try:
        number = float(_one_of(int | float, "a number", data))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _unfit("a number", data)
    return number


def _plain_reader(kind: type, words: str) -> Callable[[], Read]:
    return lambda: lambda data: _one_of(kind, words, data)


_MAKERS: dict[Any, Callable[..., Read]] = {
    str: _plain_reader(str, "text"),
    bool: _plain_reader(bool, "true or false"),
    int: _plain_reader(int, "a whole number"),
    float: lambda: _number,
    Path: lambda: lambda data: Path(_one_of(str, "text", data)),
    tuple: _many_reader,
    frozenset: _set_reader,
    Mapping: _mapping_reader,
}


def _inside(place: str | int, read: Read, data: Any) -> Any:
    try:
        return read(data)
    except _Unfit as problem:
        raise problem.inside(place if isinstance(place, str) else f"[{place}]") from None


def _one_of(kind: Any, words: str, data: Any) -> Any:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise _unfit(words, data)
    return data


def _unfit(words: str, data: Any) -> _Unfit:
    shown = repr(data)
    return _Unfit(f"must be {words}, not {shown if len(shown) <= 60 else shown[:57] + '...'}")
