"""Tells of each hit of a run, or of each run of a data set, what all its hits tell together.

What cannot be told has a reason in place of a column, so that no view fails by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

import numpy as np

from pygama.analysis.tagging import EVENT, MULTIPLICITY, N_CHANNELS, OF_EVENTS, PULSER, Tagged, Tagging
from pygama.errors import PygamaError
from pygama.quick_dataclass import dataclass

if TYPE_CHECKING:
    from pygama.analysis.pulser import PulseTrain

Rows = Mapping[str, np.ndarray]

UNTOLD: Mapping[str, np.ndarray] = {
    PULSER: np.array(False),
    EVENT: np.array(-1, np.int32),
    MULTIPLICITY: np.array(0, np.int32),
    N_CHANNELS: np.array(0, np.int32),
}
"""What stands for hits of which nothing was told yet: no pulse, and of no event."""
SAME_CLOCK = "One clock drives all cards"
"""What a person ticks to say so."""
_OWN_CLOCKS = ": say same_clock=True"
_REMEDY = "; leave the pulser out"
"""Where the library goes on to what can be done about it in a script."""


@dataclass(frozen=True)
class Found:
    """What was found in the hits of one run.

    trains: place 'crate/card/channel' -> what is known of its pulses; without: place -> why there are none.
    why_no_pulser: where no channel has one. events: how many there are, in words.
    """

    trains: Mapping[str, PulseTrain] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)
    why_no_pulser: str = ""
    events: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    """All of it, as the library says it."""


@dataclass(frozen=True)
class Told:
    """What was told of a run or a data set, of its first `n_rows`.

    names: the columns that were made; missing: column -> why it is not there. found: of each run, in order.
    is_whole: whether no further rows were to come.
    """

    tagging: Tagging = Tagging()
    n_rows: int = 0
    names: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    found: tuple[Found, ...] = ()
    is_whole: bool = False

    def refusals(self, names: Iterable[str]) -> tuple[str, ...]:
        """Say why what was asked for could not be told, of some columns; each sentence once."""
        names = tuple(names)
        whys = [self.missing[name] for name in names if name in self.missing]
        whys += [one.why_no_pulser for one in self.found if one.why_no_pulser and PULSER in names]
        return tuple(dict.fromkeys(whys))


def untold(names: Iterable[str], n: int) -> dict[str, np.ndarray]:
    """Give the columns of hits of which nothing was told yet, (n,) each."""
    return {name: np.full(n, UNTOLD[name]) for name in names}


def tell(parts: Sequence[Rows], tagging: Tagging) -> tuple[dict[str, np.ndarray], Told]:
    """Tell of the rows of each run what is asked for: name -> (n_rows of all runs,).

    The events of each run are numbered from 0, as in its file.
    """
    made: dict[str, np.ndarray] = {}
    missing: dict[str, str] = {}
    found = [Found() for _ in parts]
    for asked in (replace(tagging, window_s=None), replace(tagging, has_pulser=False)):
        if not asked.names:
            continue
        try:
            told = _told_of_each(parts, asked, made.get(PULSER))
        except PygamaError as problem:
            missing |= dict.fromkeys(asked.names, _sentence(asked, str(problem)))
            continue
        for name in asked.names:
            made[name] = _joined([one.columns[name] for one in told], UNTOLD[name].dtype)
        found = [_with(before, one, asked) for before, one in zip(found, told, strict=True)]
    n_rows = sum(map(_n_of, parts))
    return made, Told(tagging, n_rows, tuple(made), missing, tuple(found))


def joined_told(each: Sequence[Told], tagging: Tagging) -> Told:
    """Put together what was told of the runs of a data set, one by one; what one lacks, none has."""
    missing: dict[str, str] = {}
    for one in each:
        missing = {**one.missing, **missing}
    names = tuple(name for name in tagging.names if name not in missing)
    found = tuple(_without(part, missing) for one in each for part in one.found)
    return Told(tagging, sum(one.n_rows for one in each), names, missing, found)


def _without(found: Found, missing: Collection[str]) -> Found:
    if PULSER in missing:
        found = Found(events=found.events, lines=found.lines)
    return replace(found, events=()) if EVENT in missing else found


def _told_of_each(parts: Sequence[Rows], tagging: Tagging, is_pulser: np.ndarray | None) -> list[Tagged]:
    from pygama.analysis.tagging import tag_hits

    told, at = [], 0
    for part in parts:
        here = slice(at, at + _n_of(part))
        told.append(tag_hits(part, tagging, None if is_pulser is None else is_pulser[here]))
        at = here.stop
    return told


def _with(before: Found, told: Tagged, asked: Tagging) -> Found:
    lines = (*before.lines, *told.lines)
    if not asked.has_pulser:
        return replace(before, events=told.lines, lines=lines)
    if told.pulser is None:
        why = told.lines[0].removeprefix("pulser: ").partition(_REMEDY)[0]
        return replace(before, why_no_pulser=why, lines=lines)
    return replace(before, trains=told.pulser.trains, without=told.pulser.without, lines=lines)


def _sentence(asked: Tagging, problem: str) -> str:
    """Say why, with what a person can do in the window."""
    why, clocks, _ = problem.partition(_OWN_CLOCKS)
    if clocks:
        why += f"; tick '{SAME_CLOCK}' in Cuts > Build events if that is so"
    return f"{'the pulser is not tagged' if asked.has_pulser else 'no events are built'}: {why}"


def why_not(name: str, tagging: Tagging) -> str:
    """Say what a person has to ask for, for a column to be there; empty where it was asked for."""
    if name in OF_EVENTS and tagging.window_s is None:
        return f"'{name}' is known when events were built: Cuts > Build events…"
    if name == PULSER and not tagging.has_pulser:
        return "the pulser is tagged once the cut is there"
    return ""


def _joined(pieces: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    return np.concatenate(pieces).astype(dtype, copy=False)


def _n_of(rows: Rows) -> int:
    return len(next(iter(rows.values()), ()))
