"""Says how long a run was live, channel by channel: by its pulser where it has one, else by its time stamps.

Run records tell the real time and nothing of dead time. Where no way tells, the live time stays unknown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from pygama.errors import PygamaError
from pygama.quick_dataclass import dataclass
from pygama_gui.data.linked import Rows
from pygama_gui.data.trends import HEIGHTS, first_of
from pygama_gui.session.codes import CARD, CRATE

if TYPE_CHECKING:
    from pygama.analysis.live_time import TimeEstimate

MOST_ROWS = 5_000_000
"""Events of a run that are looked at, at most."""
COLUMNS = ("time_s", "channel", "card", "crate", *HEIGHTS)
"""What is read."""
LOW = 0.9
"""Part of the time from which on down a live time is told as low: a tenth of all events is not recorded."""
OF_STAMPS = "timestamps: "
"""How the library begins to say why time stamps tell nothing."""


@dataclass(frozen=True)
class Spell:
    """Real and live time, s, and how they were found. live_s: NaN where it is not known; `note` says why."""

    real_s: float
    live_s: float
    live_error_s: float
    way: str
    note: str

    @property
    def fraction(self) -> float:
        """The part of the real time that was live; NaN where it is not known."""
        return self.live_s / self.real_s if self.real_s > 0 else math.nan

    @property
    def is_known(self) -> bool:
        """Whether it is known which part was live."""
        return math.isfinite(self.fraction)

    @property
    def is_low(self) -> bool:
        """Whether it was live for so little of the time, beyond the error, that somebody should look."""
        return self.is_known and self.live_s + self.live_error_s < LOW * self.real_s


@dataclass(frozen=True)
class RunTimes:
    """What is known of a run with so many rows. channels: code -> its time; missing: what is not known."""

    n_rows: int
    channels: Mapping[int, Spell] = field(default_factory=dict)
    records: TimeEstimate | None = None
    missing: tuple[str, ...] = ()

    def of(self, channel: int | None) -> Spell:
        """Give the time of a channel; of all (None), the mean of theirs, where each is known."""
        if channel is not None:
            return self.channels.get(channel) or _unknown(self._why())
        spells = list(self.channels.values())
        if not spells or not all(math.isfinite(one.live_s) for one in spells):
            return _unknown(self._why())
        n = len(spells)
        ways = sorted({one.way for one in spells})
        notes = dict.fromkeys(one.note for one in spells)
        return Spell(
            sum(one.real_s for one in spells) / n,
            sum(one.live_s for one in spells) / n,
            math.hypot(*(one.live_error_s for one in spells)) / n,
            " and ".join(ways),
            next(iter(notes)) if n == 1 else f"mean of {n} channels; {next(iter(notes))}",
        )

    @property
    def low(self) -> list[int]:
        """The channels that were live for too little of the time, the worst one first."""
        codes = [code for code, one in self.channels.items() if one.is_low]
        return sorted(codes, key=lambda code: self.channels[code].fraction)

    @property
    def unknown(self) -> list[int]:
        """The channels of which it is not known."""
        return [code for code, one in self.channels.items() if not one.is_known]

    def _why(self) -> str:
        return "; ".join(self.missing) or "the events carry no channel"


def run_times(rows: Rows, records: TimeEstimate | str) -> RunTimes:
    """Find the live time of each channel of a run; records: of the run, or why there are none."""
    from pygama.analysis.live_time import from_pulser, live_times

    n_rows = len(next(iter(rows.values()), ()))
    known, missing = (None, (records,)) if isinstance(records, str) else (records, ())
    if n_rows > MOST_ROWS:
        return RunTimes(n_rows, {}, known, ("the run has too many events to look at each",))
    try:
        found = live_times(rows, amplitude=first_of(HEIGHTS, rows) or HEIGHTS[0])
    except PygamaError as problem:
        return RunTimes(n_rows, {}, known, (str(problem), *missing))
    channels = {}
    for place, estimate in found.timestamps.items():
        channels[_code(place)] = _spell(estimate, "time stamps")
    for place, train in ({} if found.tag is None else found.tag.trains).items():
        channels[_code(place)] = _spell(from_pulser(train, known), "pulser")
    reasons = _reasons(found.missing)
    channels |= {code: _unknown(reasons[code]) for code in reasons.keys() - channels.keys()}
    others = tuple(one for one in found.missing if not one.startswith("run records"))
    return RunTimes(n_rows, channels, known, (*missing, *others))


def added_times(parts: Sequence[RunTimes]) -> RunTimes:
    """Add up the times of the runs of a data set; a channel is known where it is in all its runs."""
    codes = sorted({code for part in parts for code in part.channels})
    channels = {}
    for code in codes:
        spells = [part.of(code) for part in parts]
        live = sum(one.live_s for one in spells)
        ways = sorted({one.way for one in spells if one.way})
        lacking = next((one.note for one in spells if not math.isfinite(one.live_s)), "")
        channels[code] = Spell(
            sum(one.real_s for one in spells),
            live,
            math.hypot(*(one.live_error_s for one in spells)),
            " and ".join(ways) if math.isfinite(live) else "",
            lacking or f"sum of {len(parts)} runs; {spells[0].note}",
        )
    missing = dict.fromkeys(text for part in parts for text in part.missing)
    return RunTimes(sum(part.n_rows for part in parts), channels, None, tuple(missing))


def records_of(tier1: Path | None) -> TimeEstimate | str:
    """Read the run records of a Tier 1 file; gives the reason where they do not tell the real time."""
    from pygama.analysis.live_time import from_run_records

    if tier1 is None:
        return "there is no Tier 1 file, so there are no run records"
    try:
        return from_run_records(tier1)
    except (PygamaError, OSError) as problem:
        return str(problem)


def rows_for(names: Iterable[str]) -> list[str]:
    """Give those of a run's columns that are read."""
    return [name for name in names if name in COLUMNS]


def _spell(one: TimeEstimate, way: str) -> Spell:
    return Spell(one.real_s, one.live_s, one.live_error_s, way, one.note)


def _unknown(why: str) -> Spell:
    return Spell(math.nan, math.nan, math.nan, "", why)


def _code(place: str) -> int:
    crate, card, channel = (int(part) for part in place.split("/"))
    return crate * CRATE + card * CARD + channel


def _reasons(missing: Iterable[str]) -> dict[int, str]:
    """Give why the library has no estimate of channels, by their codes."""
    parts = [(head, why) for head, _, why in (text.partition(": ") for text in missing)]
    return {_code(head): why.removeprefix(OF_STAMPS) for head, why in parts if head.count("/") == 2}
