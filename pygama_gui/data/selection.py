"""Says which events are looked at: those of a channel, those that pass a cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pygama_gui.data.channels import CODE, codes_of
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
    """Which events are looked at: those of a channel (None: all) that pass a cut (None: all)."""

    channel: int | None = None
    cut: RangeCut | None = None

    def mask(self, columns: Columns) -> np.ndarray:
        """Tell which rows are selected, (n_rows,) bool."""
        chosen = np.ones(len(columns), bool)
        if self.channel is not None and CODE in columns:
            chosen &= columns.column(CODE) == self.channel
        if self.cut is not None:
            chosen &= self.cut.mask(columns)
        return chosen

    def passes(self, numbers: Mapping[str, Any]) -> bool:
        """Tell whether one event is selected, by its numbers."""
        is_of_channel = self.channel is None or _code(numbers) == self.channel
        return is_of_channel and (self.cut is None or self.cut.passes(numbers))


def cut_of(session: Session) -> RangeCut | None:
    """Give the cut that the waveforms have to pass; None where there is none."""
    spectrum = session.spectrum
    if not session.waveforms.is_only_roi or spectrum.roi is None:
        return None
    return RangeCut(spectrum.column, *spectrum.roi, None if spectrum.is_apart else spectrum.channel)


def passing_of(session: Session) -> Cuts | None:
    """Give the cuts that are on, joined; None where there are none."""
    return None


def _code(numbers: Mapping[str, Any]) -> int | None:
    code = codes_of(numbers)
    return None if code is None else int(code)
