"""Looks up what is known of a channel, and turns heights into energies with it.

A table is a JSON file: a list with an entry for each channel, such as

    [{"crate": 0, "card": 8, "channel": 2, "tau": 5000, "energy": [-0.8, 0.412]}]

or an SQLite file (.db, .sqlite, .sqlite3) whose table `channels` has the columns crate, card, channel and
others, where several numbers are text such as '[-0.8, 0.412]'.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pygama.errors import SettingsError
from pygama.processing.declare import NeededText, Text, Values, calculator

Place = tuple[int, int, int]
"""(crate, card, channel)."""

_PLACE = ("crate", "card", "channel")
_LARGEST = float(np.finfo(np.float64).max)
_SQLITE = (".db", ".sqlite", ".sqlite3")


@calculator(looked_up="")
def lookup(
    crate: Values, card: Values, channel: Values, *, table: NeededText = "", field: Text = "value"
) -> Values:
    """Look up one number of each channel in a table.

    Give the output a name of its own where several are looked up; the unit is the table's, such as ADC
    counts. NaN for channels that the table lacks, or that have no such field. Three times (n_rows,) in,
    (n_rows,) out.

    Formula
    -------
    looked_up = table[crate, card, channel][field]

    Settings
    --------
    table : JSON or SQLite file, from the working folder on
    field : name of the number in the table

    Source: definition.
    """
    numbers = _by_place(_field(table, field), crate, card, channel)
    if numbers.shape[1] > 1:
        raise SettingsError(f"{table}: {field!r} is a list of numbers, but lookup takes a single one")
    return numbers[:, 0]


@calculator(energy_kev="keV")
def calibrate(
    trap_max: Values,
    crate: Values,
    card: Values,
    channel: Values,
    *,
    table: NeededText = "",
    field: Text = "energy",
) -> Values:
    """Turn heights into energies with each channel's own polynomial.

    In keV, of the height in ADC counts. The table has the numbers c for the channel; two make a line, more
    undo a nonlinearity. NaN for channels that the table lacks, and where the height is. Four times (n_rows,)
    in, (n_rows,) out.

    Formula
    -------
    c = table[crate, card, channel][field]
    energy_kev = c[0] + c[1] * trap_max + c[2] * trap_max**2 + ...

    Settings
    --------
    table : JSON or SQLite file, from the working folder on
    field : name of the list of numbers in the table

    Source: definition.
    """
    numbers = _by_place(_field(table, field), crate, card, channel)
    energy = np.zeros(len(numbers))
    for order in range(numbers.shape[1] - 1, -1, -1):
        energy = energy * trap_max + numbers[:, order]
    return energy


def _by_place(
    numbers: Mapping[Place, tuple[float, ...]], crate: np.ndarray, card: np.ndarray, channel: np.ndarray
) -> np.ndarray:
    """Give each row the numbers of its channel, (n_rows, most numbers of a channel); 0 where it has fewer."""
    places = np.stack([crate, card, channel], axis=1).astype(np.float64)
    kinds, group = np.unique(places, axis=0, return_inverse=True)
    known = np.full((len(kinds), max(len(own) for own in numbers.values())), np.nan)
    for row, kind in enumerate(kinds.tolist()):
        own = numbers.get(tuple(kind))
        if own is not None:
            known[row] = 0.0
            known[row, : len(own)] = own
    return known[group.reshape(-1)]


def _field(table: str, field: str) -> Mapping[Place, tuple[float, ...]]:
    """Give the numbers that a table has under a name, by channel; raises SettingsError."""
    entries = table_entries(table)
    numbers = {place: entry[field] for place, entry in entries.items() if field in entry}
    if not numbers:
        known = sorted({name for entry in entries.values() for name in entry})
        raise SettingsError(f"{table}: no channel has {field!r}; there are {', '.join(known) or 'none'}")
    return {place: _numbers(table, place, field, value) for place, value in numbers.items()}


def table_entries(table: str) -> Mapping[Place, Mapping[str, Any]]:
    """Read all that a table has of each channel, by (crate, card, channel); raises SettingsError."""
    if not table.strip():
        raise SettingsError("table must be the name of a JSON or SQLite file, not empty")
    try:
        stamp = Path(table).stat()
    except OSError as problem:
        raise _unreadable(table, problem) from problem
    return _entries(table, stamp.st_mtime_ns, stamp.st_size)


def _unreadable(table: str, problem: Exception) -> SettingsError:
    reason = getattr(problem, "strerror", None) or problem
    return SettingsError(f"table '{table}' cannot be read: {reason}")


@lru_cache(maxsize=8)
def _entries(table: str, changed_ns: int, n_bytes: int) -> dict[Place, dict[str, Any]]:
    """Read a table; the time of its last change and its size tell whether it must be read anew."""
    path = Path(table)
    rows = _sqlite_rows(path) if path.suffix.lower() in _SQLITE else _json_rows(path)
    entries: dict[Place, dict[str, Any]] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping) or not all(type(row.get(name)) is int for name in _PLACE):
            raise SettingsError(f"{table}: entry {number} must have whole numbers as {', '.join(_PLACE)}")
        place = row["crate"], row["card"], row["channel"]
        if place in entries:
            raise SettingsError(f"{table}: entry {number} is the second one for {_name(place)}")
        entries[place] = {
            name: value for name, value in row.items() if name not in _PLACE and value is not None
        }
    return entries


def _json_rows(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise _unreadable(str(path), problem) from problem
    if not isinstance(rows, list):
        raise SettingsError(f"{path}: must be a list with an entry for each channel, in brackets")
    return rows


def _sqlite_rows(path: Path) -> list[Any]:
    import sqlite3

    try:
        base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            base.row_factory = sqlite3.Row
            return [dict(row) for row in base.execute("SELECT * FROM channels")]
        finally:
            base.close()
    except sqlite3.Error as problem:
        raise _unreadable(str(path), problem) from problem


def _numbers(table: str, place: Place, field: str, value: Any) -> tuple[float, ...]:
    """Read one number or a list of them, also as text."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    listed = value if isinstance(value, list) else [value]
    if not listed or not all(type(number) in (int, float) and abs(number) <= _LARGEST for number in listed):
        raise SettingsError(f"{table}: {field!r} of {_name(place)} must be numbers, not {value!r}")
    return tuple(float(number) for number in listed)


def _name(place: Place) -> str:
    return "crate {}, card {}, channel {}".format(*place)
