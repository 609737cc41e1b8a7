"""Holds what is known of one run's data, while it is processed and when its files are read again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.analysis.calibration import Calibration
from pygama.progress import Partial
from pygama_gui.data.channels import CODE, codes_of
from pygama_gui.data.energies import all_energies
from pygama_gui.data.hit_tags import Told, untold
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.samples import SampleRing

if TYPE_CHECKING:
    from pygama_gui.data.run_times import RunTimes


class LiveRun:
    """What is known of one run's data: columns of all rows so far, and the newest sample waveforms."""

    def __init__(self, calibrations: tuple[Any, ...] = ()) -> None:
        self.columns = LiveColumns()
        self.calibrations = calibrations
        """What energies are made with, as rows come."""
        self.samples = SampleRing()
        self.channels: list[int] = []
        """Codes of the channels that have rows."""
        self.tier1: Path | None = None
        """The finished Tier 1 file."""
        self.times: RunTimes | None = None
        """How long it was live, where that was looked for."""
        self.told = Told()
        """What is told of its hits by all of them together, in columns beside the others."""
        self.waiting: list[Mapping[str, np.ndarray]] = []
        """Rows that came since: they join the columns when they were told of, too."""
        self._times = (math.inf, -math.inf)
        """The earliest and the latest event."""

    @property
    def n_rows(self) -> int:
        """Rows that there are, whether or not all of them are in memory."""
        return len(self.columns)

    @property
    def is_on_disk(self) -> bool:
        """Whether the columns hold some of the rows alone; what is counted is counted from the files."""
        return False

    def take(self, partial: Partial) -> None:
        """Keep the rows and waveforms of a message."""
        self.take_columns(partial.columns)
        self.samples.take(partial)

    @property
    def n_bytes(self) -> int:
        """What it takes in memory, about."""
        return self.columns.n_bytes + self.samples.n_bytes

    @property
    def duration_s(self) -> float:
        """From the first event to the last, by the cards' clock; 0 where it is not known."""
        span = self._times[1] - self._times[0]
        return span if span > 0 and math.isfinite(span) else 0.0

    def seconds(self, channel: int | None = None) -> float:
        """Give the live time of a channel, of all the mean; where it is not known, the time of the events.

        0 where not even that is known. A pulser tells the part that was live: it counts for all the time
        that the run records or the events last, what came since it was found included.
        """
        if self.times is None:
            return self.duration_s
        found = self.times.of(channel)
        if not math.isfinite(found.live_s):
            return self.duration_s
        return found.fraction * max(found.real_s, self.duration_s)

    def is_same_as(self, other: LiveRun) -> bool:
        """Tell whether it holds the same rows, whatever their energies."""
        return self.samples is other.samples

    def take_columns(self, columns: Mapping[str, np.ndarray]) -> None:
        """Keep rows, with the codes of their channels; where hits are told of, they wait for that."""
        if self.told.names:
            self.waiting.append(columns)
            return
        if "time_s" in columns:
            times = np.asarray(columns["time_s"], float)
            known = times[np.isfinite(times)]
            if len(known):
                first, last = self._times
                self._times = (min(first, float(known.min())), max(last, float(known.max())))
        codes = codes_of(columns)
        columns = {**columns, **self.energies(self.calibrations, columns, codes, len(self.columns))}
        if codes is None:
            self.columns.append(columns)
            return
        self.columns.append({**columns, CODE: codes})
        new = set(np.unique(codes[codes >= 0]).tolist()) - set(self.channels)
        if new:
            self.channels = sorted({*self.channels, *new})

    def energies(
        self,
        calibrations: tuple[Any, ...],
        columns: Mapping[str, np.ndarray],
        codes: np.ndarray | None,
        start: int = 0,
    ) -> dict[str, np.ndarray]:
        """Make the columns of energies of rows of which the first has the number `start`, name -> (n,)."""
        return all_energies(calibrations, columns, codes)

    def _each_of(self, calibrations: Iterable[Any]) -> Iterable[Calibration]:
        """Give the calibrations one by one."""
        return calibrations

    def calibrated(
        self, calibrations: tuple[Any, ...], energies: Mapping[str, np.ndarray], n_rows: int
    ) -> LiveRun:
        """Give the run with other energies, which are known of the first `n_rows`: data that begin anew."""
        made = copy(self)
        made.calibrations = calibrations
        rest = self.snapshot(calibrations, n_rows)
        codes = self.columns.column(CODE, n_rows) if CODE in self.columns else None
        new = self.energies(calibrations, rest, codes, n_rows)
        whole = {
            name: np.concatenate([values, new[name]]) if len(new[name]) else values
            for name, values in energies.items()
        }
        before = [one.energy_column for one in self._each_of(self.calibrations)]
        made.columns = self.columns.with_columns(whole, without=before)
        return made

    def with_boxes(self, passing: Mapping[str, np.ndarray], without: Iterable[str] = ()) -> LiveRun:
        """Give the run with what passes through boxes, (n_rows,) bool each: data that begin anew."""
        made = copy(self)
        made.columns = self.columns.with_hidden(passing, without)
        return made

    def with_tags(self, columns: Mapping[str, np.ndarray], told: Told) -> LiveRun:
        """Give the run with what is told of its first `told.n_rows` hits, (n_rows,): data that begin anew.

        Rows that waited join them as far as they were told of; where nothing is told, all do.
        """
        made = copy(self)
        made.columns, made.told = self.columns.with_columns({}, without=self.told.names), Told()
        made.waiting = list(self.waiting)
        while made.waiting and (not columns or len(made.columns) < told.n_rows):
            made.take_columns(made.waiting.pop(0))
        n = len(made.columns) - told.n_rows
        rest = untold(columns, n)
        whole = {name: np.append(values, rest[name]) if n else values for name, values in columns.items()}
        made.columns, made.told = made.columns.with_columns(whole), told
        return made

    def snapshot(self, calibrations: Iterable[Any], start: int = 0) -> dict[str, np.ndarray]:
        """Give the columns that calibrations need, as they stand now, from a row on."""
        names = {one.column for one in self._each_of(calibrations)}
        return {name: self.columns.column(name, start) for name in names if name in self.columns}


def tier1_among(outputs: Iterable[Path]) -> Path | None:
    """Give the Tier 1 file among those that were written; None where there is none."""
    return next((path for path in outputs if path.name.startswith("t1_")), None)
