"""Reads and writes calibration files: JSON that is plain data, checked word for word and never run.

    {"schema": "pygama calibration", "version": 1, "column": "trap_max", "channels": {"0/8/2": {…}}, …}

What may stand in a file follows from the fields of `Calibration` and of what it holds. A file is written
whole or not at all.
"""

from __future__ import annotations

import json
import math
import os
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.analysis.resolution import ResolutionCurve
from pygama.errors import OutputError, SettingsError

SCHEMA, VERSION = "pygama calibration", 1
MOST_BYTES = 64 * 1024 * 1024
"""A file that is larger is none of ours."""
_PLACE = re.compile(r"\d{1,6}/\d{1,4}/\d{1,4}", re.ASCII)

_Read = Callable[[Any, str], Any]


def write_calibration(path: Path | str, calibration: Calibration) -> None:
    """Write a calibration to a file; raises OutputError where that cannot be done."""
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        try:
            part.write_text(calibration_text(calibration), encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as problem:
        raise OutputError(
            f"{path.name} cannot be written to '{path.parent}': {problem.strerror or problem}; "
            "choose a folder that exists and that you may write to"
        ) from problem


def calibration_text(calibration: Calibration) -> str:
    """Give a calibration as it stands in a file."""
    plain = {"schema": SCHEMA, "version": VERSION, **_plain(calibration)}
    return json.dumps(plain, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def read_calibration(path: Path | str) -> Calibration:
    """Read a calibration file; raises SettingsError that says what is wrong and where."""
    path = Path(path)
    try:
        if path.is_fifo():
            # Reading it would wait for somebody to write into it.
            raise SettingsError(f"{path.name}: not a file on disk; save it to one first")
        if path.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{path.name}: too large for a calibration file")
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise SettingsError(f"{path}: cannot be read: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise SettingsError(f"{path.name}: not a calibration file: it is no UTF-8 text") from problem
    return parse_calibration(text, name=path.name)


def parse_calibration(text: str, *, name: str = "the calibration") -> Calibration:
    """Read a calibration from the text of a file; raises SettingsError beginning with `name`."""
    try:
        return _calibration(_parsed(text))
    except SettingsError as problem:
        raise SettingsError(f"{name}: {problem}") from problem


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_number)
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise SettingsError(f"{where}: not JSON: {problem.msg}") from problem
    except (RecursionError, ValueError) as problem:
        raise SettingsError("not a calibration file: it nests too deep or has numbers too long") from problem


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise SettingsError(f"{double!r} is given twice in the same braces")
    return known


def _no_number(word: str) -> Any:
    raise SettingsError(f"{word} is no number that a calibration has")


def _calibration(data: Any) -> Calibration:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise SettingsError(f'not a calibration file: it does not begin with "schema": "{SCHEMA}"')
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        raise SettingsError(
            f"its version is {_short(version)}, and this program reads {VERSION}; use a newer pygama"
        )
    rest = {name: value for name, value in data.items() if name not in ("schema", "version")}
    calibration: Calibration = _reader(Calibration)(rest, "")
    _check(calibration)
    return calibration


def _check(calibration: Calibration) -> None:
    if not calibration.column:
        raise SettingsError("column must be the name of a column, not empty")
    for place, one in calibration.channels.items():
        if not _PLACE.fullmatch(place):
            raise SettingsError(f"channels: a place is crate/card/channel, as 0/8/2, not {_short(place)}")
        _check_channel(one, f"channels.{place}")


def _check_channel(one: ChannelCalibration, where: str) -> None:
    if (one.curve is None) == (not one.refused):
        raise SettingsError(f"{where} must have a curve, or say in 'refused' why there is none")
    if not 0 <= one.confidence <= 1:
        raise SettingsError(f"{where}.confidence must lie between 0 and 1, not {one.confidence}")
    if one.curve is not None:
        _check_curve(one.curve, f"{where}.curve")
        if not one.curve.coefficients[1]:
            raise SettingsError(f"{where}.curve.coefficients[1] must not be 0: all energies would be one")
    if one.resolution is not None:
        _check_curve(one.resolution, f"{where}.resolution")


def _check_curve(curve: Curve | ResolutionCurve, where: str) -> None:
    n = len(curve.coefficients)
    if n not in (2, 3):
        raise SettingsError(f"{where}.coefficients must be 2 or 3 numbers, not {n}")
    if len(curve.covariance) != n or any(len(row) != n for row in curve.covariance):
        raise SettingsError(f"{where}.covariance must be {n} rows of {n} numbers, as there are coefficients")
    if any(curve.covariance[k][k] < 0 for k in range(n)):
        raise SettingsError(f"{where}.covariance must have no negative number on its diagonal")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value


@lru_cache
def _reader(kind: Any) -> _Read:
    """Make what reads a value of a type, given the value and the words for its place."""
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        read = _reader(next(one for one in inner if one is not types.NoneType))
        return lambda data, where: None if data is None else read(data, where)
    if origin is tuple:
        return _tuple_reader(inner)
    if origin is Mapping:
        return _mapping_reader(inner[1])
    return {str: _text, bool: _truth, int: _whole, float: _number}[kind]


def _dataclass_reader(kind: Any) -> _Read:
    hints = get_type_hints(kind)
    readers = {one.name: _reader(hints[one.name]) for one in fields(kind)}
    needed = [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]

    def read(data: Any, where: str) -> Any:
        given = _one_of(dict, "names and values in braces", data, where)
        dot = f"{where}." if where else ""
        for name in given:
            if name not in readers:
                raise SettingsError(f"{dot}{name} is not known here; known are {', '.join(readers)}")
        for name in needed:
            if name not in given:
                raise SettingsError(f"{dot}{name} is missing")
        return kind(**{name: readers[name](value, dot + name) for name, value in given.items()})

    return read


def _tuple_reader(inner: tuple[Any, ...]) -> _Read:
    is_any_number = inner[1:] == (...,)
    readers = [_reader(kind) for kind in inner if kind is not ...]

    def read(data: Any, where: str) -> Any:
        entries = _one_of(list, "a list", data, where)
        if not is_any_number and len(entries) != len(readers):
            raise SettingsError(f"{where} must be a list of {len(readers)}, not {_short(data)}")
        each = readers * len(entries) if is_any_number else readers
        return tuple(
            one(entry, f"{where}[{i}]") for i, (one, entry) in enumerate(zip(each, entries, strict=True))
        )

    return read


def _mapping_reader(kind: Any) -> _Read:
    read = _reader(kind)

    def read_all(data: Any, where: str) -> Any:
        given = _one_of(dict, "names and values in braces", data, where)
        return types.MappingProxyType({name: read(value, f"{where}.{name}") for name, value in given.items()})

    return read_all


def _text(data: Any, where: str) -> Any:
    return _one_of(str, "text", data, where)


def _truth(data: Any, where: str) -> Any:
    return _one_of(bool, "true or false", data, where)


def _whole(data: Any, where: str) -> Any:
    return _one_of(int, "a whole number", data, where)


def _number(data: Any, where: str) -> float:
    try:
        number = float(_one_of(int | float, "a number", data, where))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SettingsError(f"{where} must be a number that is not too large")
    return number


def _one_of(kind: Any, words: str, data: Any, where: str) -> Any:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise SettingsError(f"{where or 'it'} must be {words}, not {_short(data)}")
    return data


def _short(data: Any) -> str:
    text = repr(data)
    return text if len(text) <= 60 else text[:57] + "..."
