"""Tells of each hit what all hits of its run tell together: whether it is a pulse, and what comes with it.

What is told are columns beside those of Tier 2, which cuts may name as any other:

- `is_pulser`: whether the hit is a pulse of the pulser (`pygama.analysis.pulser`).
- `event`, `multiplicity`, `n_channels`: number of the event that the hit belongs to, in order of time, how
  many hits that has, and of how many channels (`pygama.analysis.events`).

They are made anew from the file whenever they are asked for; no file keeps them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pygama.analysis.events import Events, build_events
from pygama.analysis.places import places_of
from pygama.analysis.pulser import PulserTag, tag_pulser
from pygama.errors import SettingsError, TierFileError
from pygama.quick_dataclass import dataclass
from pygama.utils import plural

PULSER = "is_pulser"
EVENT, MULTIPLICITY, N_CHANNELS = "event", "multiplicity", "n_channels"
OF_EVENTS = (EVENT, MULTIPLICITY, N_CHANNELS)
NAMES = (PULSER, *OF_EVENTS)
HEIGHTS = ("trap_max", "energy")
"""Columns by which the pulser is found, the first that is there."""
PLACE = ("time_s", "channel", "card", "crate")

_TABLE = "data"


@dataclass(frozen=True, slots=True)
class Tagging:
    """What is to be told of the hits of a run.

    has_pulser: whether the pulser is looked for, by the column `amplitude`, or the first of `HEIGHTS` that is
    there. pulser_in: places 'crate/card/channel' where it is looked for; none: everywhere. window_s: hits so
    close in time are one event; None: none are built. is_sliding, same_clock: as in `build_events`. Raises
    SettingsError for a window below 0.
    """

    has_pulser: bool = False
    window_s: float | None = None
    is_sliding: bool = False
    same_clock: bool = False
    amplitude: str = ""
    pulser_in: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.window_s is not None and not 0 <= self.window_s < float("inf"):
            raise SettingsError(f"a window is 0 s or longer, not '{self.window_s}'")

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are made."""
        return (PULSER,) * self.has_pulser + (OF_EVENTS if self.window_s is not None else ())

    @property
    def words(self) -> str:
        """How events are built, in words; empty where none are."""
        if self.window_s is None:
            return ""
        parts = [f"window {self.window_s:g} s"]
        parts += ["sliding"] * self.is_sliding + ["one clock"] * self.same_clock
        return ", ".join(parts)

    def needed(self, there: Collection[str]) -> tuple[str, ...]:
        """Give those of the columns that are there that it reads."""
        heights = (self.amplitude,) if self.amplitude else HEIGHTS
        height = next((name for name in heights if name in there), "")
        wanted = (*PLACE, height) if self.has_pulser else PLACE
        return tuple(name for name in wanted if name in there)


@dataclass(frozen=True, slots=True)
class Tagged:
    """What was told: name -> (n_hits,). lines: what was found, said in words, and what was not.

    pulser: what is known of the pulser; None where it was not looked for, or is nowhere. missing: those of
    the lines that say what was looked for in vain, as a pulser, so that no hit is a pulse.
    """

    columns: dict[str, np.ndarray]
    lines: tuple[str, ...]
    pulser: PulserTag | None = None
    missing: tuple[str, ...] = ()


class TagsInTurn:
    """Gives what was told of rows that are asked for block after block, as `write_table` does."""

    def __init__(self, tagged: Tagged) -> None:
        self._tagged = tagged
        self._at = 0

    def __call__(self, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give it of the next rows; columns: of these, any of them says how many."""
        here = slice(self._at, self._at + len(next(iter(columns.values()))))
        self._at = here.stop
        return {name: values[here] for name, values in self._tagged.columns.items()}


def tag_hits(columns: Mapping[str, Any], tagging: Tagging, is_pulser: np.ndarray | None = None) -> Tagged:
    """Tell of each hit of a run what is asked for.

    columns: of Tier 2, as `Tagging.needed` names them, in any order. is_pulser: (n_hits,) the pulses, where
    they are known already: the words tell coincidences with them apart. Where no channel has a pulser, no hit
    is a pulse, and a line says why. A hit without a time belongs to no event: event -1 of 0 hits. Raises
    SettingsError where columns lack, where none of the channels named for the pulser is there, and where the
    clocks of cards are not known to agree.
    """
    made: dict[str, np.ndarray] = {}
    lines: list[str] = []
    missing: list[str] = []
    tag: PulserTag | None = None
    if tagging.has_pulser:
        is_pulser, tag, missing = _pulses(columns, tagging)
        made[PULSER] = is_pulser
        lines += [*(tag.lines() if tag is not None else ()), *missing]
    if tagging.window_s is not None:
        events, said = _events(columns, tagging, is_pulser)
        made |= events
        lines += said
    return Tagged(made, tuple(lines), tag, tuple(missing))


def _pulses(columns: Mapping[str, Any], tagging: Tagging) -> tuple[np.ndarray, PulserTag | None, list[str]]:
    needed = tagging.needed(tuple(columns))
    height = tagging.amplitude or next((name for name in HEIGHTS if name in needed), HEIGHTS[0])
    if lacking := [name for name in ("time_s", "channel", height) if name not in columns]:
        raise SettingsError(f"finding the pulser needs the column {lacking[0]!r}")
    wanted = {name: np.asarray(columns[name]) for name in needed}
    rows, missing = _rows_in(wanted, tagging.pulser_in)
    is_pulser = np.zeros(len(wanted["time_s"]), np.bool_)
    try:
        tag = tag_pulser({name: values[rows] for name, values in wanted.items()}, amplitude=height)
    except SettingsError as problem:
        return is_pulser, None, [*missing, f"pulser: {problem}; no hit is marked as a pulse"]
    is_pulser[rows] = tag.is_pulser
    return is_pulser, tag, missing


def _rows_in(
    columns: Mapping[str, np.ndarray], places: Collection[str]
) -> tuple[slice | np.ndarray, list[str]]:
    """Give the rows of some places, all where none is named, and say which of them are not there."""
    if not places:
        return slice(None), []
    number, known = places_of(columns, "finding the pulser")
    is_wanted = np.array([place in places for place in known], np.bool_)
    unknown = [place for place in places if place not in known]
    if known and not is_wanted.any():
        there = ", ".join(known)
        raise SettingsError(
            f"the pulser is to be looked for in channel {unknown[0]}, which is not there; there are {there}"
        )
    missing = [f"pulser: there is no channel {place}" for place in unknown] if known else []
    return (np.flatnonzero(is_wanted[number]) if known else np.zeros(0, np.intp)), missing


def _events(
    columns: Mapping[str, Any], tagging: Tagging, is_pulser: np.ndarray | None
) -> tuple[dict[str, np.ndarray], list[str]]:
    assert tagging.window_s is not None
    if "time_s" not in columns:
        raise SettingsError("building events needs the column 'time_s', which is not among those given")
    is_timed = np.isfinite(np.asarray(columns["time_s"], np.float64))
    timed = {name: np.asarray(columns[name])[is_timed] for name in PLACE if name in columns}
    built = build_events(timed, tagging.window_s, sliding=tagging.is_sliding, same_clock=tagging.same_clock)
    made = {EVENT: np.full(len(is_timed), -1, np.int64)}
    made |= {name: np.zeros(len(is_timed), np.int64) for name in (MULTIPLICITY, N_CHANNELS)}
    made[EVENT][is_timed] = built.event
    made[MULTIPLICITY][is_timed] = built.multiplicity
    made[N_CHANNELS][is_timed] = built.table[N_CHANNELS][built.event]
    lines = said_of(built, None if is_pulser is None else is_pulser[is_timed])
    if n_lost := int(np.count_nonzero(~is_timed)):
        lines.append(f"{n_lost} hits have no time, and belong to no event")
    return made, lines


def said_of(built: Events, is_pulser: np.ndarray | None = None) -> list[str]:
    """Say how many events there are, how many coincidences, and how many of these chance makes.

    is_pulser: (n_hits,) which of the hits are pulses, where that is known; chance is then that of the others.
    """
    of_what = f"{plural(len(built.event), 'hit')} of {plural(len(built.places), 'channel')}"
    lines = [f"{of_what} make {plural(len(built), 'event')}"]
    n_channels = built.table[N_CHANNELS]
    for channels, count in enumerate(np.bincount(n_channels, minlength=2)[1:].tolist(), start=1):
        lines.append(f"  {channels} channel{'s' if channels > 1 else ''}: {count}")
    if len(built.places) < 2 or not len(built):
        return lines
    line = f"coincidences of two channels or more: {built.coincidences()}"
    is_wanted = np.ones(len(built.event), np.bool_)
    if is_pulser is not None and is_pulser.any():
        of_pulser = np.unique(built.event[is_pulser])
        n_pulser = int(np.count_nonzero(n_channels[of_pulser] > 1))
        is_wanted = ~is_pulser
        line += f", {n_pulser} of them with the pulser, {built.coincidences() - n_pulser} without"
    times = built.table["time_s"]
    real_s = float(times[-1] - times[0]) if len(times) > 1 else 0.0
    if real_s > 0:
        chance = built.accidentals(real_s, is_wanted)
        line += f"; chance makes {chance.expected:.3g} ± {chance.error:.2g}"
        line += " without it" if is_wanted.sum() < len(is_wanted) else ""
    return [*lines, line]


def tags_of(t2_file: Path | str, tagging: Tagging) -> Tagged:
    """Read a Tier 2 file and tell of each of its rows what is asked for.

    Raises SettingsError as `tag_hits` does, and for a file that has columns of these names itself;
    TierFileError for a file that is none.
    """
    from pygama.storage import TierFile  # imported late: the window knows taggings before it opens a file

    path = Path(t2_file)
    with TierFile(path) as file:
        if _TABLE not in file.keys:
            raise TierFileError(f"{path.name} holds no table '{_TABLE}': it has no events")
        table = file.table(_TABLE)
        if taken := [name for name in tagging.names if name in table.columns]:
            raise SettingsError(f"{path.name} has a column {taken[0]!r} of its own: leave the tagging out")
        columns = {name: np.asarray(table.column(name)) for name in tagging.needed(table.columns)}
    try:
        return tag_hits(columns, tagging)
    except SettingsError as problem:
        raise SettingsError(f"{path.name}: {problem}") from problem


def wanted_by(names: Collection[str], tagging: Tagging) -> Tagging:
    """Give of a tagging what a cut asks for, by the names of the columns that it reads.

    The pulser is looked for if it is named; events need the window. Raises SettingsError where that lacks.
    """
    of_events = [name for name in OF_EVENTS if name in names]
    if of_events and tagging.window_s is None:
        raise SettingsError(
            f"{of_events[0]!r} is known when events were built: give the window in which hits belong "
            "together, as window_s=1e-6 (--window 1e-6)"
        )
    return Tagging(
        PULSER in names,
        tagging.window_s if of_events else None,
        tagging.is_sliding,
        tagging.same_clock,
        tagging.amplitude,
        tagging.pulser_in,
    )
