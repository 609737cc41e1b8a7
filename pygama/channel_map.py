"""Reads a channel map: which detector hangs on which channel of which card, which are to be ignored, remarks.

A CSV file has a line of names first, then a line a channel; a JSON file has a list of objects, or an object
with that list as 'channels'. Names: crate, card, channel (whole numbers), name, and, where wanted, ignore
(yes or no) and remark.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

_NEEDED = ("crate", "card", "channel", "name")
_KNOWN = (*_NEEDED, "ignore", "remark")
_YES, _NO = {"1", "yes", "y", "true", "x"}, {"", "0", "no", "n", "false"}
_MOST = {"crate": 1023, "card": 1023, "channel": 1023}


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel and the detector on it."""

    crate: int
    card: int
    channel: int
    name: str
    ignore: bool = False
    remark: str = ""


def read_channel_map(path: str | Path) -> tuple[Channel, ...]:
    """Read a map from a JSON or CSV file.

    Raises SettingsError, which names line and column (or entry and name) of what is wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} cannot be read: {getattr(error, 'strerror', error)}") from error
    entries = _json_entries(text, path.name) if path.suffix == ".json" else _csv_entries(text, path.name)
    return channels_of(entries)


def is_channel_map(path: Path) -> bool:
    """Tell whether a file looks like a channel map: any CSV file, and JSON with a list of channels."""
    if path.suffix != ".json":
        return path.suffix == ".csv"
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    return isinstance(data, list) or (isinstance(data, dict) and "channels" in data)


def channels_of(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Channel, ...]:
    """Check entries, each with the words for its place; raises SettingsError."""
    channels: list[Channel] = []
    taken: dict[str, str] = {}
    for place, entry in entries:
        one = _channel(entry, place)
        address = f"crate {one.crate}, card {one.card}, channel {one.channel}"
        for what in (address, f"the name {one.name!r}"):
            if what in taken:
                raise SettingsError(f"{place}: {what} is there already, in {taken[what]}")
            taken[what] = place.rpartition(": ")[2]
        channels.append(one)
    return tuple(channels)


def _csv_entries(text: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        dialect: Any = csv.Sniffer().sniff(text.partition("\n")[0], ",;\t")
    except csv.Error:
        dialect = csv.excel
    reader = csv.reader(io.StringIO(text), dialect, skipinitialspace=True)
    titles = [title.strip().lower() for title in next(reader, [])]
    _check_titles(titles, f"{name}: line 1")
    for cells in reader:
        if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            place = f"{name}: line {reader.line_num}"
            if len(cells) > len(titles):
                raise SettingsError(f"{place}: {len(cells)} columns, but line 1 names {len(titles)}")
            yield place, dict(zip(titles, cells, strict=False))


def _json_entries(text: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{name}: this is no JSON ({error})") from error
    entries = data.get("channels") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise SettingsError(f"{name}: expected was a list of channels, or an object with the list 'channels'")
    for number, entry in enumerate(entries, start=1):
        place = f"{name}: entry {number}"
        if not isinstance(entry, dict):
            raise SettingsError(f"{place} must be an object, not {entry!r}")
        _check_titles(list(entry), place)
        yield place, entry


def _check_titles(titles: list[str], place: str) -> None:
    if missing := [title for title in _NEEDED if title not in titles]:
        raise SettingsError(f"{place}: the column {missing[0]!r} is missing; needed are {', '.join(_NEEDED)}")
    if unknown := [title for title in titles if title not in _KNOWN]:
        raise SettingsError(f"{place}: the column {unknown[0]!r} is not known; known are {', '.join(_KNOWN)}")


def _channel(entry: Mapping[str, Any], place: str) -> Channel:
    name = str(entry.get("name") or "").strip()
    if not name:
        raise SettingsError(f"{place}, column 'name': the name of the detector is missing")
    crate, card, channel = (_whole(entry.get(column), column, place) for column in _MOST)
    ignore = _flag(entry.get("ignore"), place)
    return Channel(crate, card, channel, name, ignore, str(entry.get("remark") or "").strip())


def _whole(value: Any, column: str, place: str) -> int:
    try:
        number = int(str(value).strip())
    except ValueError:
        number = -1
    if not 0 <= number <= _MOST[column] or isinstance(value, bool):
        raise SettingsError(
            f"{place}, column {column!r}: a whole number from 0 to {_MOST[column]} is needed, not {value!r}"
        )
    return number


def _flag(value: Any, place: str) -> bool:
    word = "" if value is None else str(value).strip().lower()
    if word not in _YES | _NO:
        raise SettingsError(f"{place}, column 'ignore': yes or no is needed, not {value!r}")
    return word in _YES
