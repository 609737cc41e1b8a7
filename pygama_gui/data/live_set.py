"""Holds the rows of a data set: those of all its runs one after the other, or a sample of very many.

Up to `MOST_ROWS` and `MOST_BYTES` all rows are in memory, and every view works as with one run. Beyond, the
columns hold a sample, by which ranges and names are chosen, and what is shown is counted from the files.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from pygama.analysis.calibration import Calibration
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CLOCK, CODE, codes_of
from pygama_gui.data.energies import all_energies
from pygama_gui.data.found_columns import FoundColumn
from pygama_gui.data.hit_tags import Told
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.outputs import TABLE
from pygama_gui.session.state import DataSet, Member

MOST_ROWS, MOST_BYTES = 10_000_000, 1_500_000_000
"""Rows of a data set that are taken into memory, and bytes of them, at most."""
SAMPLE_ROWS, SAMPLE_PIECES = 400_000, 8
"""Rows of a larger one that are looked at to choose ranges by, and pieces of each run that they come from."""
ROWS_AT_ONCE = 131_072
RUN = "run"
"""Name of the column that tells the runs of a data set apart."""
SUB_RUN = "sub_run"
"""Name of the column that tells the sub-runs of one run apart, where a data set has some."""
OWN = (RUN, SUB_RUN, "row")
"""Columns that the library's data sets add."""


@dataclass(frozen=True)
class Facts:
    """What the files of a data set say of themselves. n_rows, row_bytes: of each run."""

    n_rows: tuple[int, ...]
    row_bytes: tuple[int, ...]
    made_on: float
    apart: str = ""
    """The run whose waveforms do not lie row for row beside its numbers, where one of a large set does so."""

    @property
    def total(self) -> int:
        """Rows of all runs."""
        return sum(self.n_rows)

    @property
    def is_in_memory(self) -> bool:
        """Whether the rows are few enough to be taken into memory."""
        n_bytes = sum(n * size for n, size in zip(self.n_rows, self.row_bytes, strict=True))
        return self.total <= MOST_ROWS and n_bytes <= MOST_BYTES


def look_at(data_set: DataSet) -> Facts:
    """Read what the files say; raises TierFileError or OSError."""
    from pygama.storage import TierFile

    n_rows, row_bytes, made_on = [], [], 0.0
    for member in data_set.members:
        made_on = max(made_on, member.tier2.stat().st_mtime)
        with TierFile(member.tier2) as file:
            table = file.table(TABLE) if TABLE in file.keys else None
            n_rows.append(0 if table is None else table.n_rows)
            row_bytes.append(0 if table is None else table.row_bytes)
    facts = Facts(tuple(n_rows), tuple(row_bytes), made_on)
    if facts.is_in_memory:
        return facts
    pairs = zip(data_set.members, n_rows, strict=True)
    return replace(facts, apart=next((one.run.title for one, n in pairs if _is_apart(one, n)), ""))


def _is_apart(member: Member, n_rows: int) -> bool:
    """Tell whether the waveforms of a run are in several tables, or are not as many as its rows."""
    from pygama_gui.data.samples import Tier1Waveforms

    if member.tier1 is None:
        return False
    file = Tier1Waveforms(member.tier1)
    try:
        return [len(rows) for _, rows in file.rows_of()] != [n_rows]
    finally:
        file.close()


class LiveSet(LiveRun):
    """What is known of a data set. calibrations: of each run, in order."""

    def __init__(self, data_set: DataSet, facts: Facts, calibrations: tuple[Any, ...]) -> None:
        super().__init__(calibrations)
        self.members = data_set.members
        self.facts = facts
        self.starts: list[int] = []
        """Row of the columns where each run begins."""
        self.spans: list[tuple[float, float]] = []
        """First and last time of each run, s, by its own clock; as far as is known of one on disk."""
        self.found: Mapping[str, FoundColumn] = {}
        """Columns of all rows of one on disk that are in no file: what passes boxes, what is told of hits."""
        if all(one.tier1 is not None for one in data_set.members) and not facts.apart:
            self.tier1 = data_set.members[0].tier1

    @property
    def n_rows(self) -> int:
        """Rows that there are, whether or not all of them are in memory."""
        return self.facts.total

    @property
    def is_on_disk(self) -> bool:
        """Whether the columns hold some of the rows alone; what is counted is counted from the files."""
        return not self.facts.is_in_memory

    @property
    def duration_s(self) -> float:
        """The sum over the runs of the time from the first event to the last; 0 where one is not known."""
        seconds = [_length(span) for span in self.spans]
        return sum(seconds) if seconds and min(seconds) > 0 else 0.0

    @property
    def n_bytes(self) -> int:
        """What it takes in memory, about."""
        return super().n_bytes + sum(one.n_bytes for one in self.found.values())

    def begin_run(self) -> None:
        """Note that the rows of the next run follow."""
        self.starts.append(len(self.columns))
        self._times = (math.inf, -math.inf)

    def end_run(self) -> None:
        """Note that those were all rows of the run."""
        self.spans.append(self._times)

    def take_columns(self, columns: Mapping[str, np.ndarray]) -> None:
        """Keep rows of the run that was begun last."""
        n = len(next(iter(columns.values())))
        super().take_columns({**self.place_columns(len(self.starts) - 1, n), **columns})

    def place_columns(self, number: int, n: int) -> dict[str, np.ndarray]:
        """Give the columns that say which run, and sub-run where there are some, `n` rows are of."""
        run = self.members[number].run
        places = {RUN: np.full(n, run.run_number, np.int32)}
        if any(one.run.sub_run for one in self.members):
            places[SUB_RUN] = np.full(n, run.sub_run, np.int32)
        return places

    def clock_shift(self, number: int) -> float:
        """Give what makes a time of a run one of data taking, without what lies between the runs."""
        first, _ = self.spans[number]
        before = sum(_length(span) for span in self.spans[:number])
        return before - first if math.isfinite(first) else 0.0

    def widen(self, number: int, times: np.ndarray) -> None:
        """Note times of a run that may lie outside of what is known of it."""
        known = times[np.isfinite(times)]
        if len(known):
            first, last = self.spans[number]
            self.spans[number] = (min(first, float(known.min())), max(last, float(known.max())))

    def set_clock(self) -> None:
        """Make the times that go on from run to run: of data taking, without what lies between the runs."""
        if "time_s" not in self.columns:
            return
        times = np.array(self.columns.column("time_s"), np.float64)
        for number, rows in enumerate(self._parts()):
            times[rows] += self.clock_shift(number)
        self.columns = self.columns.with_columns({CLOCK: times})

    def _parts(self) -> list[slice]:
        ends = [*self.starts[1:], len(self.columns)]
        return [slice(start, end) for start, end in zip(self.starts, ends, strict=True)]

    def part_of(self, row: int) -> int:
        """Tell to which run a row of the columns belongs."""
        return int(np.searchsorted(self.starts, row, "right")) - 1

    def energies(
        self,
        calibrations: tuple[Any, ...],
        columns: Mapping[str, np.ndarray],
        codes: np.ndarray | None,
        start: int = 0,
    ) -> dict[str, np.ndarray]:
        """Make the columns of energies of some rows, each run's with its own calibrations."""
        n = max(map(len, columns.values()), default=0)
        wanted = {one.energy_column: one.column for one in self._each_of(calibrations)}
        found = {name: np.full(n, np.nan) for name, raw in wanted.items() if raw in columns}
        ends = [*self.starts[1:], max(start + n, *self.starts)] if self.starts else []
        for number, (first, end) in enumerate(zip(self.starts, ends, strict=True)):
            here = slice(max(first - start, 0), min(end - start, n))
            if here.start < here.stop:
                part = {name: values[here] for name, values in columns.items()}
                own = all_energies(calibrations[number], part, None if codes is None else codes[here])
                for name, values in own.items():
                    found[name][here] = values
        return found

    def _each_of(self, calibrations: Iterable[Any]) -> list[Calibration]:
        return [one for of_run in calibrations for one in of_run]

    def with_found_boxes(self, passing: Mapping[str, FoundColumn], without: Iterable[str] = ()) -> LiveSet:
        """Do what `with_boxes` does for a set on disk, with columns of all its rows."""
        made = copy(self)
        made.columns = self.columns.with_hidden(self._of_sample(passing), without)
        gone = set(without)
        made.found = {name: one for name, one in self.found.items() if name not in gone} | dict(passing)
        return made

    def with_found_tags(self, columns: Mapping[str, FoundColumn], told: Told) -> LiveSet:
        """Do what `with_tags` does for a set on disk, with columns of all its rows."""
        made = copy(self)
        gone = set(self.told.names)
        made.columns = self.columns.with_columns(self._of_sample(columns), without=gone)
        made.found = {name: one for name, one in self.found.items() if name not in gone} | dict(columns)
        made.told = told
        return made

    def _of_sample(self, columns: Mapping[str, FoundColumn]) -> dict[str, np.ndarray]:
        """Give the rows of columns that the sample is made of."""
        stretches = [
            (number, first, stop)
            for number, n_rows in enumerate(self.facts.n_rows)
            for first, stop in (_stretches(self, n_rows) if n_rows else ())
        ]
        return {name: np.concatenate([one.rows(*at) for at in stretches]) for name, one in columns.items()}


def read_rows(live: LiveSet) -> Generator[int]:
    """Read all rows into memory, or a sample of them, block for block; gives the rows read so far."""
    done = 0
    if not live.is_on_disk:
        live.columns.make_room(live.n_rows)
    for member, n_rows in zip(live.members, live.facts.n_rows, strict=True):
        live.begin_run()
        for block in _sample_of(live, member, n_rows) if live.is_on_disk else _all_of(member, n_rows):
            live.take_columns(block)
            done += len(next(iter(block.values())))
            yield done
        live.end_run()
    live.set_clock()


def _all_of(member: Member, n_rows: int) -> Iterator[dict[str, np.ndarray]]:
    """Read all rows of a run; what is compressed is unpacked in all threads."""
    from pygama.dataset import DataSet as Table

    if n_rows:
        table = Table(member.tier2)
        yield from table.blocks([name for name in table.columns if name not in OWN], rows=ROWS_AT_ONCE)


def _sample_of(live: LiveSet, member: Member, n_rows: int) -> Iterator[dict[str, np.ndarray]]:
    from pygama.storage import TierFile

    with TierFile(member.tier2) as file:
        for first, last in _stretches(live, n_rows) if n_rows else ():
            rows = file.table(TABLE).read(first, last, waveforms=False).rows
            yield {name: rows[name].copy() for name in rows.dtype.names or ()}


def _stretches(live: LiveSet, n_rows: int) -> list[tuple[int, int]]:
    """Say which rows of a run make the sample: pieces from all over it, with its first and last."""
    share = max(math.ceil(SAMPLE_ROWS * n_rows / max(live.facts.total, 1) / SAMPLE_PIECES), 1)
    if share * SAMPLE_PIECES >= n_rows:
        return [(0, n_rows)]
    starts = np.linspace(0, n_rows - share, SAMPLE_PIECES).astype(int).tolist()
    return [(at, min(at + share, n_rows)) for at in sorted(set(starts))]


def _length(span: tuple[float, float]) -> float:
    """Give how long a run lasted, s; 0 where that is not known."""
    return span[1] - span[0] if span[0] <= span[1] else 0.0


def read_from_files(live: LiveSet, names: Iterable[str]) -> Generator[dict[str, np.ndarray]]:
    """Give columns of all rows, block for block, with channels and energies; NaN where a run has none.

    The clock of data taking is that of `live.spans` as they were at the beginning. What is seen meanwhile of
    the times widens these; a sample of the rows need not hold the first and the last event.
    """
    wanted = {*names, CODE}
    wanted |= {"time_s"} if CLOCK in wanted else set()
    shifts = [live.clock_shift(number) for number in range(len(live.members))] if CLOCK in wanted else []
    for number in range(len(live.members)):
        for rows in read_run(live, number, wanted - {CLOCK}):
            if shifts:
                live.widen(number, rows["time_s"])
                rows[CLOCK] = rows["time_s"] + shifts[number]
            yield rows


def read_run(live: LiveSet, number: int, names: Iterable[str]) -> Generator[dict[str, np.ndarray]]:
    """Give columns of all rows of one run, by its place, as `read_from_files` gives those of all."""
    wanted, at = set(names), 0
    found = {name: one for name, one in live.found.items() if name in wanted}
    if live.facts.n_rows[number]:
        for rows in _rows_of(live.members[number], live.calibrations[number], wanted - found.keys()):
            n = len(next(iter(rows.values())))
            places = live.place_columns(number, n)
            rows |= {name: one.rows(number, at, at + n) for name, one in found.items()}
            yield {**rows, **{name: places[name] for name in places if name in wanted}}
            at += n


def _rows_of(
    member: Member, calibrations: Sequence[Calibration], wanted: set[str]
) -> Iterator[dict[str, np.ndarray]]:
    from pygama.dataset import DataSet as Table

    table = Table(member.tier2)
    made = {one.energy_column: one.column for one in calibrations}
    raw = {made.get(name, name) for name in wanted} | {"crate", "card", "channel"}
    read = [name for name in table.columns if name in raw and name not in OWN]
    for block in table.blocks(read or table.columns[:1], rows=ROWS_AT_ONCE):
        n = len(next(iter(block.values())))
        codes = codes_of(block)
        rows = {**block, **all_energies(calibrations, block, codes)}
        if codes is not None:
            rows[CODE] = codes
        rows |= {name: np.full(n, np.nan) for name in wanted - rows.keys() - {CODE}}
        yield {name: rows[name] for name in wanted if name in rows}
