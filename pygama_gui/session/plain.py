"""Turns frozen dataclasses into plain JSON data and back; what does not fit is told with its place.

The fields and their types are the only description of a file: a field that is added is saved and read
without another line. Reading makes only what the types name: text, numbers, paths, and dataclasses of ours.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from pygama.errors import SettingsError

REST = "rest"
"""A dataclass with a field of this name keeps there what it does not know, and it is written again."""


def to_plain(value: Any) -> Any:
    """Give a value as JSON can hold it: dataclasses as names and values, sets in order, paths as text."""
    if is_dataclass(value):
        plain = {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
        return plain.pop(REST, {}) | plain
    if isinstance(value, Mapping):
        return {str(key): to_plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(to_plain(inner) for inner in value)
    if isinstance(value, tuple | list):
        return [to_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def from_plain(kind: Any, data: Any, where: str = "") -> Any:
    """Read a value of a type; raises SettingsError that says what does not fit, and where."""
    if kind is Any:
        return data
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass(kind, data, where)
    if get_origin(kind) in (Union, types.UnionType):
        return _optional(kind, data, where)
    read = _READERS.get(get_origin(kind) or kind)
    if read is None:
        raise TypeError(f"{kind} cannot be read from plain data")
    return read(get_args(kind), data, where)


def _dataclass(kind: type, data: Any, where: str) -> Any:
    given = dict(_names_and_values((str, Any), data, where))
    hints, read = _hints(kind), {}
    for field in fields(kind):
        if field.name in given and field.name != REST:
            read[field.name] = from_plain(
                hints[field.name], given.pop(field.name), _inside(where, field.name)
            )
        elif _is_needed(field):
            raise SettingsError(f"{where or 'the file'} has no {field.name!r}")
    if REST in hints:
        read[REST] = types.MappingProxyType(given)
    return kind(**read)


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


@lru_cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _optional(kind: Any, data: Any, where: str) -> Any:
    inner = [one for one in get_args(kind) if one is not type(None)]
    return None if data is None else from_plain(inner[0], data, where)


def _text(_inner: tuple[Any, ...], data: Any, where: str) -> str:
    return str(_one_of(str, "text", data, where))


def _truth(_inner: tuple[Any, ...], data: Any, where: str) -> bool:
    return bool(_one_of(bool, "true or false", data, where))


def _whole(_inner: tuple[Any, ...], data: Any, where: str) -> int:
    return int(_one_of(int, "a whole number", data, where))


def _number(_inner: tuple[Any, ...], data: Any, where: str) -> float:
    try:
        number = float(_one_of(int | float, "a number", data, where))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _unfit("a number", data, where)
    return number


def _path(_inner: tuple[Any, ...], data: Any, where: str) -> Path:
    return Path(_text((), data, where))


def _many(inner: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    entries = _one_of(list, "a list", data, where)
    kinds = (inner[0],) * len(entries) if inner[1:] == (...,) else inner
    if len(kinds) != len(entries):
        raise _unfit(f"a list of {len(kinds)}", data, where)
    pairs = zip(kinds, entries, strict=True)
    return tuple(from_plain(kind, entry, f"{where}[{at}]") for at, (kind, entry) in enumerate(pairs))


def _set(inner: tuple[Any, ...], data: Any, where: str) -> frozenset[Any]:
    return frozenset(_many((inner[0], ...), data, where))


def _names_and_values(inner: tuple[Any, ...], data: Any, where: str) -> Mapping[str, Any]:
    given = _one_of(dict, "names and values in braces", data, where)
    read = {name: from_plain(inner[1], value, _inside(where, name)) for name, value in given.items()}
    return types.MappingProxyType(read)


_READERS: dict[Any, Callable[[tuple[Any, ...], Any, str], Any]] = {
    str: _text,
    bool: _truth,
    int: _whole,
    float: _number,
    Path: _path,
    tuple: _many,
    frozenset: _set,
    Mapping: _names_and_values,
}


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _one_of(kind: Any, words: str, data: Any, where: str) -> Any:
    is_fit = isinstance(data, kind) and (kind is bool or not isinstance(data, bool))
    if not is_fit:
        raise _unfit(words, data, where)
    return data


def _unfit(words: str, data: Any, where: str) -> SettingsError:
    shown = repr(data)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return SettingsError(f"{where or 'the file'} must be {words}, not {shown}")
