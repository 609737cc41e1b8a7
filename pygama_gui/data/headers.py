"""Lays headers of runs side by side: every value with the words for its place, and what differs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Literal

from pygama.errors import TierFileError
from pygama.quick_dataclass import dataclass
from pygama_gui.session.state import Run

Place = tuple[str, ...]
SEPARATOR = " · "
MOST_CHANNELS = 64
"""Longer lists of a card's values are not one for each channel."""
CHANGES_EACH_RUN: frozenset[Place] = frozenset(
    {
        ("Document Info", "date"),
        ("Header Length",),
        ("Run Control", "RunNumber"),
        ("Run Control", "SubRunNumber"),
        ("Run Control", "startTime"),
        ("Run Control", "refTime"),
    }
)
"""Ends of the places of values that ORCA writes anew with each run: that they differ is no news."""
MOST_LETTERS = 80
"""Of a value in a sentence: whole tables stand as text in some headers."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the same in two headers; the side where it is missing is ''."""

    place: str
    kind: Literal["changed", "added", "removed"]
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """Say it: 'ORSIS3302Model card 8 · threshold ch 3: 120 → 180'.

        Of a text of many lines, as the map of the detectors is, the first line that differs is told.
        """
        if self.kind == "changed":
            return f"{self.place}{_changed_lines(self.before, self.after)}"
        return f"{self.place}: {self.kind}, {_in_short(self.after or self.before)}"


def read_plist(run: Run) -> Mapping[str, Any]:
    """Read the header of a run, from its raw file or its Tier 1 file; for the thread that reads files.

    Raises PygamaError, or OSError of a raw file, where it cannot be had.
    """
    from pygama.orca.packets import read_header
    from pygama.storage.reader import texts_of_file

    if run.is_raw:
        return read_header(run.path).plist
    if run.tier1 is None:
        raise TierFileError(f"{run.path.name} is of Tier 2, and has no header: that is in the Tier 1 file")
    try:
        plist = json.loads(texts_of_file(run.tier1).get("header", ""))
    except ValueError:
        plist = None
    if not isinstance(plist, dict):
        raise TierFileError(f"{run.tier1.name} holds no header of a run")
    return plist


def values_of(plist: Any, place: Place = (), *, is_card: bool = False) -> Iterator[tuple[Place, Any]]:
    """Give every single value of a property list, with the names on the way to it.

    Cards and crates are named by their number, not by where they stand in a list; the values of a card that
    stand in a list are named by their channel.
    """
    if isinstance(plist, Mapping):
        is_card = "Card" in plist and "Class Name" in plist
        for name, value in plist.items():
            yield from values_of(value, (*place, str(name)), is_card=is_card)
    elif isinstance(plist, list | tuple):
        for name, value in named_items(plist, is_card=is_card):
            yield from values_of(value, (*place, name))
    else:
        yield place, plist


def named_items(items: list[Any] | tuple[Any, ...], *, is_card: bool = False) -> list[tuple[str, Any]]:
    """Name the entries of a list: crates and cards by their numbers, values of a card by their channel."""
    names = [
        _name(item, at, is_channel=is_card and len(items) <= MOST_CHANNELS) for at, item in enumerate(items)
    ]
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return list(zip(unique, items, strict=True))


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], leave_out: Collection[Place] = ()
) -> list[Difference]:
    """List what differs between two headers, in the order of the second; what is gone comes last.

    leave_out: ends of places that are not looked at.
    """
    old, new = (
        {place: value for place, value in values_of(plist) if not _ends_in(place, leave_out)}
        for plist in (before, after)
    )
    found = []
    for place, value in new.items():
        if place not in old:
            found.append(Difference(words_of(place), "added", "", text_of(value)))
        elif old[place] != value:
            found.append(Difference(words_of(place), "changed", text_of(old[place]), text_of(value)))
    gone = [place for place in old if place not in new]
    return found + [Difference(words_of(place), "removed", text_of(old[place]), "") for place in gone]


def _ends_in(place: Place, ends: Collection[Place]) -> bool:
    return any(place[-len(end) :] == end for end in ends)


def words_of(place: Place) -> str:
    """Join the names on the way to a value; the channel stands behind the name of the value."""
    words = ""
    for name in place:
        is_number = name.startswith(("ch ", "["))
        words += name if not words else f" {name}" if is_number else f"{SEPARATOR}{name}"
    return (
        words.removeprefix(f"ObjectInfo{SEPARATOR}")
        .replace(f"Crates{SEPARATOR}", "")
        .replace(f"Cards{SEPARATOR}", "")
    )


def text_of(value: Any) -> str:
    """Write a single value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _name(item: Any, at: int, *, is_channel: bool) -> str:
    if isinstance(item, Mapping):
        if "CrateNumber" in item:
            return f"crate {item['CrateNumber']}"
        kind = item.get("Class Name")
        if kind is not None and "Card" in item:
            return f"{kind} card {item['Card']}"
        if kind is not None:
            return str(kind)
    return f"ch {at}" if is_channel else f"[{at}]"


def _changed_lines(before: str, after: str) -> str:
    """Say what changed: ': 120 → 180', or ', line 12: 120 → 180 and 3 more lines' of a text with lines."""
    pairs = zip_longest(before.splitlines() or [""], after.splitlines() or [""], fillvalue="")
    differing = [(at, *pair) for at, pair in enumerate(pairs, 1) if pair[0] != pair[1]]
    if "\n" not in before + after or not differing:
        return f": {_in_short(before)} → {_in_short(after)}"
    at, old, new = differing[0]
    n_more = len(differing) - 1
    more = f" and {n_more} more line{'s' if n_more > 1 else ''}" if n_more else ""
    return f", line {at}: {_in_short(old)} → {_in_short(new)}{more}"


def _in_short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
