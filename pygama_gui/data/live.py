"""Grows columns and histograms while rows arrive, at a cost that does not grow with what is there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

FIRST_ROWS = 1024
"""Room in a new column."""
OUTSIDE_SHARE = 1e-3
OUTSIDE_FEW = 8
"""A histogram grows when more values lie outside than this share of all, and more than a few."""
MARGIN = 0.025
"""Empty share of a round range on either side, at least."""
CHUNK = 32768
"""Values counted at a time: few enough to stay in the processor's cache."""
LOOKED_AT = 100_000
"""Values that a range is chosen by, at most."""
LARGEST = 1e300
"""Values beyond it do not count when a range is chosen; a spread below its inverse is none."""


class LiveColumns:
    """Columns of one table that grows by blocks of rows.

    A column that a block lacks is NaN there, or empty text; whole numbers become float64 for it.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self._columns: dict[str, np.ndarray] = {}
        self.hidden: tuple[str, ...] = ()
        """Columns that are there for cuts, and not for people to choose."""
        self._room = FIRST_ROWS

    def make_room(self, n_rows: int) -> None:
        """Have room for so many rows in each column that comes, so that none has to be moved."""
        self._room = max(self._room, n_rows)

    def __len__(self) -> int:
        return self.n_rows

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that any block had, in the order of their first appearance; not the hidden ones."""
        return tuple(name for name in self._columns if name not in self.hidden)

    @property
    def n_bytes(self) -> int:
        """What the columns take in memory."""
        return sum(held.nbytes for held in self._columns.values())

    def append(self, columns: Mapping[str, np.ndarray]) -> None:
        """Add rows: name -> (n_rows,). Raises ValueError if the columns are not of equal length."""
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of a block must be of equal length, not {lengths}")
        stop = self.n_rows + max(lengths.values(), default=0)
        for name in [*self._columns, *(name for name in columns if name not in self._columns)]:
            self._extend(name, columns.get(name), stop)
        self.n_rows = stop

    def column(self, name: str, start: int = 0) -> np.ndarray:
        """Give the rows from `start` on, read-only and not copied; later rows do not change it."""
        rows = self._columns[name][start : self.n_rows]
        rows.flags.writeable = False
        return rows

    def has_values(self, name: str) -> bool:
        """Tell whether not all rows of a column are NaN, as energies without a calibration are."""
        values = self.column(name)
        if values.dtype.kind != "f":
            return len(values) > 0
        some = values[:: max(len(values) // LOOKED_AT, 1)]
        return bool(np.isfinite(some).any() or np.isfinite(values).any())

    def with_columns(self, columns: Mapping[str, np.ndarray], without: Iterable[str] = ()) -> LiveColumns:
        """Give the table with other columns, (n_rows,) each, in place of some; nothing is copied.

        The table itself is not to be added to any more.
        """
        made = LiveColumns()
        made.n_rows = self.n_rows
        gone = {*without, *columns}
        made._columns = {name: held for name, held in self._columns.items() if name not in gone}
        made._columns |= columns
        made.hidden = tuple(name for name in self.hidden if name not in gone)
        return made

    def with_hidden(self, columns: Mapping[str, np.ndarray], without: Iterable[str] = ()) -> LiveColumns:
        """Give the table with further columns that nobody is asked to choose, as `with_columns` does."""
        made = self.with_columns(columns, without)
        made.hidden = (*made.hidden, *columns)
        return made

    def _extend(self, name: str, values: np.ndarray | None, stop: int) -> None:
        held = self._columns.get(name)
        if held is None:
            held = self._blank(np.asarray(values).dtype, stop)
        if values is None:
            held = _widened(held, absent_dtype(held.dtype), stop)
            held[self.n_rows : stop] = absent_value(held.dtype)
        else:
            held = _widened(held, np.result_type(held, values), stop)
            held[self.n_rows : stop] = values
        self._columns[name] = held

    def _blank(self, dtype: np.dtype, stop: int) -> np.ndarray:
        """Make a new column, absent in the rows that are there."""
        if self.n_rows:
            dtype = absent_dtype(dtype)
        held = np.empty(max(stop, self._room), dtype)
        held[: self.n_rows] = absent_value(dtype) if self.n_rows else 0
        return held


class LiveTables:
    """The growing tables of all jobs, by job and decoder."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, str], LiveColumns] = {}

    def append(self, job_id: int, decoder: str, columns: Mapping[str, np.ndarray]) -> LiveColumns:
        """Add rows to a table, which begins with its first rows; give the table."""
        table = self._tables.setdefault((job_id, decoder), LiveColumns())
        table.append(columns)
        return table

    def table(self, job_id: int, decoder: str) -> LiveColumns:
        """Give a table; KeyError if it has no rows yet."""
        return self._tables[job_id, decoder]

    def of_job(self, job_id: int) -> dict[str, LiveColumns]:
        """Give the tables of one job by decoder."""
        return {decoder: table for (job, decoder), table in self._tables.items() if job == job_id}

    def drop(self, job_id: int) -> None:
        """Forget the tables of a job."""
        self._tables = {key: table for key, table in self._tables.items() if key[0] != job_id}

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(tuple(self._tables))


class LiveHistogram:
    """Counts in equal bins, added to as values arrive; bin i holds edges[i] <= value < edges[i + 1].

    With `grows`, the range doubles when too many values lie outside it, by joining pairs of bins: no count
    is lost, and a few wild values do not squeeze all others into one bin. Values outside are kept, so that
    underflow + counts + overflow + n_nan is always the number of values added.
    """

    def __init__(self, low: float, high: float, n_bins: int = 1000, *, grows: bool = True) -> None:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"the range must go from a low to a high number, not from {low!r} to {high!r}")
        if n_bins < 1 or (grows and n_bins % 2):
            kind = "an even number of bins, 2" if grows else "1 bin"
            raise ValueError(f"a histogram must have {kind} or more, not {n_bins!r}")
        self.low = float(low)
        self.high = float(high)
        self.grows = grows
        self.n_nan = 0
        self._counts = np.zeros(n_bins, np.int64)
        self._below: list[np.ndarray] = []
        self._above: list[np.ndarray] = []
        self.underflow = 0
        self.overflow = 0

    @classmethod
    def around(cls, values: np.ndarray, n_bins: int = 1000, *, grows: bool = True) -> LiveHistogram:
        """Make a histogram of values, in a round range that holds nearly all of them."""
        low, high = round_range(values, n_bins)
        histogram = cls(low, high, n_bins, grows=grows)
        histogram.add(values)
        return histogram

    @classmethod
    def counted(cls, low: float, high: float, counts: np.ndarray, n_outside: int = 0) -> LiveHistogram:
        """Make a histogram of counts, (n_bins,), that were counted elsewhere; n_outside: of no bin."""
        made = cls(low, high, len(counts), grows=False)
        made._counts = np.array(counts, np.int64)
        made.overflow = n_outside
        return made

    @property
    def counts(self) -> np.ndarray:
        """(n_bins,) int64, a copy: it stays as it is when values are added."""
        return self._counts.copy()

    @property
    def edges(self) -> np.ndarray:
        """(n_bins + 1,) in the values' unit."""
        return np.linspace(self.low, self.high, len(self._counts) + 1)

    @property
    def n_bins(self) -> int:
        """The number of bins; it never changes."""
        return len(self._counts)

    @property
    def n_values(self) -> int:
        """How many values were added, those outside and NaN too."""
        return int(self._counts.sum()) + self.underflow + self.overflow + self.n_nan

    def add(self, values: np.ndarray) -> None:
        """Count values, (n,) of any numbers."""
        values = np.asarray(values, np.float64)
        for start in range(0, len(values), CHUNK):
            self._count(values[start : start + CHUNK])
        while self.grows and self._must_grow():
            self._grow()

    def _count(self, values: np.ndarray) -> None:
        inside = values[(values >= self.low) & (values < self.high)]
        self._counts += np.bincount(self._bins(inside), minlength=self.n_bins)
        if len(inside) < len(values):
            self._count_outside(values)

    def _count_outside(self, values: np.ndarray) -> None:
        below, above = values[values < self.low], values[values >= self.high]
        self.n_nan += int(np.isnan(values).sum())
        self.underflow += len(below)
        self.overflow += len(above)
        if self.grows:
            self._below.append(below[np.isfinite(below)])
            self._above.append(above[np.isfinite(above)])

    def _bins(self, values: np.ndarray) -> np.ndarray:
        edges = self.edges
        found = ((values - self.low) * (self.n_bins / (self.high - self.low))).astype(np.intp)
        np.minimum(found, self.n_bins - 1, out=found)
        # The product may round across an edge; the edges decide.
        found -= values < edges[found]
        found += values >= edges[1:][found]
        return found

    def _must_grow(self) -> bool:
        outside = sum(map(len, self._below)) + sum(map(len, self._above))
        has_room = math.isfinite(4 * self.low) and math.isfinite(4 * self.high)
        return outside > max(OUTSIDE_FEW, OUTSIDE_SHARE * self.n_values) and has_room

    def _grow(self) -> None:
        """Double the range towards the side where more values lie outside."""
        joined = self._counts.reshape(-1, 2).sum(axis=1)
        empty = np.zeros_like(joined)
        below, above = np.concatenate([*self._below, []]), np.concatenate([*self._above, []])
        if len(above) >= len(below):
            self.high += self.high - self.low
            self._counts = np.concatenate([joined, empty])
        else:
            self.low -= self.high - self.low
            self._counts = np.concatenate([empty, joined])
        self.underflow -= len(below)
        self.overflow -= len(above)
        self._below, self._above = [], []
        self._count(np.concatenate([below, above]))


def round_range(values: np.ndarray, n_bins: int) -> tuple[float, float]:
    """Choose a round range of `n_bins` bins that holds all values but a few in a thousand.

    The bins are 1, 2 or 5 times a power of ten wide, and at least 1 wide for whole numbers; the range begins
    at 0 where that takes no wider bins. (0, n_bins) where there is nothing to go by.
    """
    values = np.asarray(values)
    values = values[:: max(len(values) // LOOKED_AT, 1)]
    usable = values[np.abs(values) < LARGEST].astype(np.float64)
    if not len(usable):
        return 0.0, float(n_bins)
    low, high = np.quantile(usable, [OUTSIDE_SHARE, 1 - OUTSIDE_SHARE]).tolist()
    margin = MARGIN * (high - low)
    if high - low <= 1 / LARGEST:  # one value says nothing of the spread to come, but something of the size
        margin = abs(high) if abs(high) > 1 / LARGEST else 1.0
    width = round_up((high - low + 2 * margin) / n_bins)
    if values.dtype.kind in "iub":
        width = max(width, 1.0)
    if low >= 0 and high + margin < n_bins * width:
        return 0.0, n_bins * width
    start = math.floor((low - margin) / width) * width
    return start, start + n_bins * width


def round_up(number: float) -> float:
    """Give the next of 1, 2 or 5 times a power of ten, from `number` up."""
    power = 10.0 ** math.floor(math.log10(number))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= number)


def absent_dtype(dtype: np.dtype) -> np.dtype:
    """Give the type that can say that a value is not there."""
    return np.dtype(np.float64) if dtype.kind in "iub" else dtype


def absent_value(dtype: np.dtype) -> float | str | bytes:
    """Give what stands for a value that is not there."""
    if dtype.kind == "U":
        return ""
    return b"" if dtype.kind == "S" else math.nan


def _widened(held: np.ndarray, dtype: np.dtype, stop: int) -> np.ndarray:
    """Give room for `stop` rows of a type; the array itself where it has both."""
    if dtype == held.dtype and stop <= len(held):
        return held
    wider = np.empty(max(stop, len(held) if stop <= len(held) else 2 * len(held)), dtype)
    wider[: len(held)] = held
    return wider
