"""Says which events are looked at: those of a channel, of a region of the spectrum, that pass the cuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from pygama.analysis.cuts import OF_TIME
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CODE, codes_of
from pygama_gui.data.cutting import Passing, joined, sides
from pygama_gui.data.linked import Cuts
from pygama_gui.session.state import Session


class Columns(Protocol):
    """Columns of a table, all of the same length."""

    def __contains__(self, name: str) -> bool: ...

    def __len__(self) -> int: ...

    def column(self, name: str) -> np.ndarray: ...


@dataclass(frozen=True)
class RangeCut:
    """Passes the events whose value of a column lies from low to high, of one channel or of all (None)."""

    column: str
    low: float
    high: float
    channel: int | None = None

    def mask(self, columns: Columns) -> np.ndarray:
        """Tell which rows pass, (n_rows,) bool; none where there is no such column."""
        if self.column not in columns:
            return np.zeros(len(columns), bool)
        values = columns.column(self.column)
        passes = (values >= self.low) & (values <= self.high)
        if self.channel is not None and CODE in columns:
            passes &= columns.column(CODE) == self.channel
        return passes

    def passes(self, numbers: Mapping[str, Any]) -> bool:
        """Tell whether one event passes, by its numbers."""
        value = numbers.get(self.column)
        if value is None or not self.low <= float(value) <= self.high:
            return False
        return self.channel is None or _code(numbers) in (None, self.channel)


@dataclass(frozen=True)
class Selection:
    """Which events are looked at: those of a channel (None: all), in a region, that pass the cuts."""

    channel: int | None = None
    cut: RangeCut | None = None
    passing: Passing | None = None

    @property
    def is_cut(self) -> bool:
        """Whether events are chosen by their numbers."""
        return self.cut is not None or self.passing is not None

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that are read."""
        names = set() if self.channel is None else {CODE}
        if self.cut is not None:
            names |= {self.cut.column} | (set() if self.cut.channel is None else {CODE})
        return frozenset(names | (set() if self.passing is None else self.passing.columns))

    def mask(self, columns: Columns) -> np.ndarray:
        """Tell which rows are selected, (n_rows,) bool."""
        chosen = self.passes_cuts(columns)
        if self.channel is not None and CODE in columns:
            chosen &= columns.column(CODE) == self.channel
        return chosen

    def passes_cuts(self, columns: Columns) -> np.ndarray:
        """Tell which rows pass, whatever their channel, (n_rows,) bool."""
        chosen = np.ones(len(columns), bool)
        if self.cut is not None:
            chosen &= self.cut.mask(columns)
        if self.passing is not None:
            rows = {name: columns.column(name) for name in self.passing.columns if name in columns}
            if rows:
                chosen &= self.passing.mask(rows)
        return chosen

    def passes(self, numbers: Mapping[str, Any]) -> bool:
        """Tell whether one event is selected, by its numbers."""
        return self.chosen_of([numbers])[0]

    def chosen_of(self, numbers: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Tell which events are selected, by their numbers."""
        chosen = [self._is_of_channel(one) and (self.cut is None or self.cut.passes(one)) for one in numbers]
        if self.passing is None or not any(chosen):
            return chosen
        names = [name for name in self.passing.columns if all(name in one for one in numbers)]
        if not names:
            return chosen
        passes = self.passing.mask({name: np.array([one[name] for one in numbers]) for name in names})
        return [is_chosen and bool(one) for is_chosen, one in zip(chosen, passes, strict=True)]

    def _is_of_channel(self, numbers: Mapping[str, Any]) -> bool:
        return self.channel is None or _code(numbers) == self.channel


def cut_of(session: Session) -> RangeCut | None:
    """Give the cut that the waveforms have to pass; None where there is none."""
    spectrum = session.spectrum
    if not session.waveforms.is_only_roi or spectrum.roi is None:
        return None
    return RangeCut(spectrum.column, *spectrum.roi, None if spectrum.is_apart else spectrum.channel)


def passing_of(session: Session) -> Cuts | None:
    """Give the cuts that are on, joined; None where there are none."""
    return joined(session.cuts)


def chooses_times(cuts: Cuts | None) -> bool:
    """Tell whether cuts choose a part of the time, so that no live time belongs to what passes."""
    return cuts is not None and not cuts.columns.isdisjoint(OF_TIME)


def waveforms_of(session: Session, channel: int | None) -> Selection:
    """Say which waveforms are shown, of a channel or of all (None)."""
    passing = joined(session.cuts) if session.waveforms.is_only_passing else None
    return Selection(channel, cut_of(session), passing)


def sides_of(session: Session, channel: int | None) -> tuple[Selection, Selection] | None:
    """Say which waveforms are inside and outside of the chosen cut; None where there are no cuts."""
    found = sides(session.cuts, session.cut)
    if found is None:
        return None
    inside, outside = (Selection(channel, cut_of(session), passing) for passing in found)
    return inside, outside


def _code(numbers: Mapping[str, Any]) -> int | None:
    code = codes_of(numbers)
    return None if code is None else int(code)
