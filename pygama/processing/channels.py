"""Gives channels settings of their own: which ones hold for the channel of a row.

In a settings file a step may have, beside its settings,

    "channels": {"0/5/2": {"tau": 5120}, "5/3": {"tau": "51 us"}, "7": {"tau": 4800}}

The place of a channel is crate/card/channel, card/channel in any crate, or channel on any card; the more it
says, the stronger it is. In place of the braces the name of a table may stand, as `lookup` reads it: what it
holds under the names of the processor's settings is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from pygama.errors import SettingsError
from pygama.processing.declare import Processor
from pygama.processing.processors.lookup import table_entries

Place = tuple[int | None, int | None, int | None]
"""(crate, card, channel), None where it is not known."""

COLUMNS = ("crate", "card", "channel")
_PLACE = re.compile(r"\d+(/\d+){0,2}")


def read_channels(processor: Processor, given: Any) -> dict[str, dict[str, Any]]:
    """Read the settings of channels, or the table that is named for them; raises SettingsError."""
    if isinstance(given, str):
        return _from_table(processor, given)
    if not isinstance(given, Mapping):
        raise SettingsError(f"channels must be places and their settings in braces, not {given!r}")
    return dict(given)


def _from_table(processor: Processor, table: str) -> dict[str, dict[str, Any]]:
    names = [*(setting.name for setting in processor.settings), *processor.renamed]
    channels = {}
    for place, entry in table_entries(table).items():
        own = {name: entry[name] for name in names if name in entry}
        if own:
            channels["/".join(map(str, place))] = own
    if not channels:
        raise SettingsError(f"{table}: no channel has a setting of {processor.name}: {', '.join(names)}")
    return channels


def check_channels(processor: Processor, channels: Mapping[str, Any]) -> None:
    """Raise SettingsError if a place is none or there twice, or its settings are wrong."""
    known: dict[tuple[int, ...], str] = {}
    for place, settings in channels.items():
        if not isinstance(place, str) or not _PLACE.fullmatch(place):
            raise SettingsError(
                f"a channel is given as crate/card/channel, card/channel or channel, not {place!r}"
            )
        if (other := known.setdefault(tuple(map(int, place.split("/"))), place)) != place:
            raise SettingsError(f"{other!r} and {place!r} are one channel; leave one of them out")
        if not isinstance(settings, Mapping):
            raise SettingsError(
                f"channel {place}: settings must be names and values in braces, not {settings!r}"
            )
        try:
            processor.check(settings)
        except SettingsError as problem:
            raise type(problem)(f"channel {place}: {problem}") from problem


def by_specificity(channels: Mapping[str, Mapping[str, Any]], place: Place) -> Iterator[Mapping[str, Any]]:
    """Give the settings that hold at a place, the strongest last."""
    for n_known in (1, 2, 3):
        wanted = place[3 - n_known :]
        for name, settings in channels.items():
            if tuple(map(int, name.split("/"))) == wanted:
                yield settings


def idle_places(channels: Iterable[str], places: Iterable[Place]) -> list[str]:
    """Name those for which no row came."""
    there = {place[3 - n_known :] for place in places for n_known in (1, 2, 3)}
    return [name for name in channels if tuple(map(int, name.split("/"))) not in there]


def places_of(rows: np.ndarray) -> np.ndarray:
    """Give crate, card and channel of each row, (n_rows, 3); NaN where there is no such column."""
    names = rows.dtype.names or ()
    places = np.full((len(rows), 3), np.nan)
    for number, name in enumerate(COLUMNS):
        if name in names:
            places[:, number] = rows[name]
    return places


def place_of(numbers: np.ndarray) -> Place:
    """Read a row of `places_of`."""
    crate, card, channel = (int(number) if np.isfinite(number) else None for number in numbers.tolist())
    return crate, card, channel
