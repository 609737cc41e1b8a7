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
from pygama_gui.data.hit_tags import Told
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.samples import SampleRing

if TYPE_CHECKING:
    from pygama_gui.data.run_times import RunTimes
    from pygama_gui.session.state import Run, Step


class LiveRun:
    """What is known of one run's data: columns of all rows so far, and the newest sample waveforms."""

    def __init__(self, calibrations: tuple[Any, ...] = ()) -> None:
        self.columns = LiveColumns()
        self.calibrations = calibrations
        """What energies are made with, as rows come."""
        self.samples = SampleRing()
        self.channels: list[int] = []
        """Codes of the channels that have rows."""
        self.some_codes = np.empty(0, np.int64)
        """Codes of the channels of some rows from all over its file, where no chain has run over it."""
        self.tier1: Path | None = None
        """The finished Tier 1 file."""
        self.tier0: Mapping[str, Any] | None = None
        """The options that its waveforms were cut with, where they are known."""
        self.chain: tuple[Step, ...] = ()
        """The steps that its rows were made with, where they are known."""
        self.times: RunTimes | None = None
        """How long it was live, where that was looked for."""
        self.told = Told()
        """What is told of its hits by all of them together, in columns beside the others."""
        self.ahead: LiveColumns | None = None
        """All rows, where some wait until they were told of as well; `columns` never grows then."""
        self._times = (math.inf, -math.inf)
        """The earliest and the latest event."""

    @property
    def n_rows(self) -> int:
        """Rows that there are, whether or not all of them are in memory."""
        return len(self.columns)

    @property
    def every(self) -> LiveColumns:
        """All rows that came, with those that no view shows yet; without what is told of them."""
        return self.columns if self.ahead is None else self.ahead

    @property
    def n_waiting(self) -> int:
        """Rows that wait until they were told of."""
        return len(self.every) - len(self.columns)

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
        return self.every.n_bytes + self.samples.n_bytes

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
        every = self.every
        if "time_s" in columns:
            times = np.asarray(columns["time_s"], float)
            known = times[np.isfinite(times)]
            if len(known):
                first, last = self._times
                self._times = (min(first, float(known.min())), max(last, float(known.max())))
        codes = codes_of(columns)
        columns = {**columns, **self.energies(self.calibrations, columns, codes, len(every))}
        if codes is None:
            every.append(columns)
            return
        every.append({**columns, CODE: codes})
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
        every = self.every
        rest = self._snapshot(every, calibrations, n_rows)
        codes = every.column(CODE, n_rows) if CODE in every else None
        new = self.energies(calibrations, rest, codes, n_rows)
        # What the calibrations are of may have come with the rows since.
        known = {**dict.fromkeys(new, np.full(n_rows, np.nan)), **energies}
        whole = {
            name: np.concatenate([values, new[name]]) if len(new[name]) else values
            for name, values in known.items()
        }
        before = [one.energy_column for one in self._each_of(self.calibrations)]
        shown = {name: values[: len(self.columns)] for name, values in whole.items()}
        made.columns = self.columns.with_columns(shown, without=before)
        if self.ahead is not None:
            made.ahead = self.ahead.with_columns(whole, without=before)
        return made

    def with_boxes(self, passing: Mapping[str, np.ndarray], without: Iterable[str] = ()) -> LiveRun:
        """Give the run with what passes through boxes, (n_rows,) bool each: data that begin anew."""
        made = copy(self)
        made.columns = self.columns.with_hidden(passing, without)
        return made

    def with_tags(self, columns: Mapping[str, np.ndarray], told: Told) -> LiveRun:
        """Give the run with what is told of its first `told.n_rows` hits, (n_rows,): data that begin anew.

        These are shown; while more come these wait, unless nothing is told.
        """
        made = copy(self)
        without = self.told.names if self.ahead is None else ()
        every = self.every.with_columns({}, without=without)
        made.columns, made.told = every.with_columns(columns), told
        made.ahead = None
        if columns:
            made.columns.n_rows = told.n_rows
            is_all = told.is_whole and told.n_rows == len(every)
            made.ahead = None if is_all else every
        return made

    def snapshot(self, calibrations: Iterable[Any], start: int = 0) -> dict[str, np.ndarray]:
        """Give the columns that calibrations need, as they stand now, from a row on."""
        return self._snapshot(self.columns, calibrations, start)

    def _snapshot(
        self, rows: LiveColumns, calibrations: Iterable[Any], start: int = 0
    ) -> dict[str, np.ndarray]:
        names = {one.column for one in self._each_of(calibrations)}
        return {name: rows.column(name, start) for name in names if name in rows}


def tier1_among(outputs: Iterable[Path], run: Run | None = None) -> Path | None:
    """Give the Tier 1 file among those of a run, whatever it is called if it was given; None without one."""
    outputs = tuple(outputs)
    if run is not None and run.tier1 in outputs:
        return run.tier1
    given = None if run is None else run.tier2
    return next((path for path in outputs if path.name.startswith("t1_") and path != given), None)


def tier2_among(outputs: Iterable[Path], run: Run | None = None) -> Path | None:
    """Give the Tier 2 file among those of a run; None of a run without events."""
    outputs = tuple(outputs)
    tier1 = tier1_among(outputs, run)
    return next((path for path in outputs if path != tier1), None)
