"""Counts rows of columns in the bins of histograms, many histograms in one pass.

The functions that end in `plainly` are the truth; `_counting.pyx` does the same, compiled, where it could be
built. Bins are equal and the edges decide: bin i holds edges[i] <= value < edges[i + 1], as in the live
histograms, so the high end of the last bin is outside. A table has three more places along each side, for
values below, above and NaN, so nothing that is counted gets lost. Values are compared as float64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

compiled: ModuleType | None
try:
    compiled = import_module("pygama.analysis._counting")
except ImportError:
    compiled = None

MOST_BINS = 1 << 24
"""Places in one table."""
MOST_ROWS = (1 << 31) - 1
OUTSIDE = 3
"""Places along a side for values below, above and NaN."""
BLOCK = 65536
_KINDS = {kind: at for at, kind in enumerate(["f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])}


@dataclass(frozen=True)
class Axis:
    """Equal bins of a column."""

    column: str
    low: float
    high: float
    n_bins: int

    def __post_init__(self) -> None:
        width = self.high - self.low
        if not (math.isfinite(self.low) and math.isfinite(width) and width > 0):
            given = f"from {self.low} to {self.high}"
            raise SettingsError(
                f"the bins of '{self.column}' must go from a low to a high number, not {given}"
            )
        if not 1 <= self.n_bins <= MOST_BINS:
            raise SettingsError(
                f"the bins of '{self.column}' must be from 1 to {MOST_BINS}, not {self.n_bins}"
            )

    @cached_property
    def edges(self) -> np.ndarray:
        """(n_bins + 1,), rising."""
        return np.linspace(self.low, self.high, self.n_bins + 1)

    @cached_property
    def per_bin(self) -> float:
        """Bins in one unit of the column."""
        return self.n_bins / (self.high - self.low)

    @cached_property
    def near(self) -> float:
        """How far from an edge, in bins, a value may seem to be on the wrong side of it."""
        rounding = self.n_bins + max(abs(self.low), abs(self.high)) * self.per_bin
        near = 16 * np.finfo(np.float64).eps * rounding
        return float(near) if near < 0.25 else 1.0


@dataclass(frozen=True)
class Wanted:
    """A histogram of one column, or of two against each other."""

    x: Axis
    y: Axis | None = None

    def __post_init__(self) -> None:
        if math.prod(self.shape) > MOST_BINS:
            raise SettingsError(f"a histogram of {self.shape} bins is too large; {MOST_BINS} are the most")

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (self.x,) if self.y is None else (self.x, self.y)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its table, with the places outside."""
        return tuple(axis.n_bins + OUTSIDE for axis in self.axes)


@dataclass(frozen=True)
class Interval:
    """Rows of a column from `low` up to but without `high`; is_open: there is no high end.

    is_inverted: the other rows, NaN with them.
    """

    column: str
    low: float
    high: float
    is_open: bool = False
    is_inverted: bool = False

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Say which values it holds, (n,) bool."""
        values = np.asarray(values, np.float64)
        inside = (values >= self.low) & ((values < self.high) | self.is_open)
        return ~inside if self.is_inverted else inside


class Columns(Mapping[str, np.ndarray]):
    """Columns of numbers of one length, each in one piece and of a type that can be counted.

    Raises SettingsError for a column that is not there, is no column of numbers or has another length.
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._given = columns
        self._ready: dict[str, np.ndarray] = {}
        self._n_rows: int | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._ready:
            self._ready[name] = self._made_ready(name)
        return self._ready[name]

    def __contains__(self, name: object) -> bool:
        return name in self._given

    def __iter__(self) -> Any:
        return iter(self._given)

    def __len__(self) -> int:
        return len(list(iter(self._given)))

    @property
    def n_rows(self) -> int:
        """How many rows the columns have; 0 if there are none."""
        if self._n_rows is None:
            self._n_rows = next((len(self._given[name]) for name in self._given), 0)
        return self._n_rows

    def _made_ready(self, name: str) -> np.ndarray:
        if name not in self._given:
            raise SettingsError(f"column '{name}' is not there, so it cannot be counted")
        values = np.asarray(self._given[name])
        if values.ndim != 1 or values.dtype.kind not in "biuf":
            raise SettingsError(f"column '{name}' is not one number a row, so it cannot be counted")
        if len(values) != self.n_rows or len(values) > MOST_ROWS:
            raise SettingsError(f"column '{name}' has {len(values)} rows, not {self.n_rows}")
        if values.dtype.kind == "b":
            values = values.view(np.uint8)
        native = values.dtype.newbyteorder("=")
        kind = native if native.str[1:] in _KINDS else np.dtype(np.float64)
        return np.ascontiguousarray(values, kind)


def empty_tables(wanted: Sequence[Wanted]) -> list[np.ndarray]:
    """Make a table of zeros for each histogram."""
    return [np.zeros(one.shape, np.int32) for one in wanted]


def count(
    columns: Columns,
    wanted: Sequence[Wanted],
    tables: Sequence[np.ndarray],
    *,
    start: int = 0,
    stop: int | None = None,
    mask: np.ndarray | None = None,
    inside: Interval | None = None,
) -> None:
    """Add the rows from `start` to `stop` to the tables, int32 of `Wanted.shape`.

    mask: (n_rows,) bool, rows that are counted. inside: only rows that it holds.
    """
    stop = columns.n_rows if stop is None else stop
    if mask is not None:
        _fit(mask, columns.n_rows)
    if compiled is None:
        count_plainly(columns, wanted, tables, start=start, stop=stop, mask=mask, inside=inside)
        return
    axes, places = _axes_of(columns, wanted)
    flat, of_mask = [table.reshape(-1) for table in tables], None if mask is None else mask.view(np.int8)
    compiled.count(axes, places, flat, of_mask, _range_of(columns, inside), None, None, start, stop)


def count_rows(
    columns: Columns,
    wanted: Sequence[Wanted],
    tables: Sequence[np.ndarray],
    rows: np.ndarray,
    signs: np.ndarray,
) -> None:
    """Add to the tables, or take away, the rows (n,) uint32, each with its sign (n,) int8."""
    if not len(rows):
        return
    if compiled is None:
        count_rows_plainly(columns, wanted, tables, rows, signs)
        return
    axes, places = _axes_of(columns, wanted)
    flat = [table.reshape(-1) for table in tables]
    compiled.count(axes, places, flat, None, None, rows, signs, 0, len(rows))


def changes(
    columns: Columns, before: Interval, after: Interval, mask: np.ndarray | None, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find which of the rows come in or go out when an interval changes: rows uint32, signs int8 1 or -1."""
    if compiled is None:
        return changes_plainly(columns, before, after, mask, rows)
    out_rows, signs = np.empty(len(rows), np.uint32), np.empty(len(rows), np.int8)
    old, new = _range_of(columns, before), _range_of(columns, after)
    n = compiled.changes(old, new, None if mask is None else mask.view(np.int8), rows, out_rows, signs)
    return out_rows[:n], signs[:n]


def bins_plainly(axis: Axis, values: np.ndarray) -> np.ndarray:
    """Give the place of each value along a side of the table: its bin; below, above, NaN after the last."""
    values = np.asarray(values, np.float64)
    bins = np.searchsorted(axis.edges, values, side="right") - 1
    bins[values < axis.low] = axis.n_bins
    bins[values >= axis.high] = axis.n_bins + 1
    bins[np.isnan(values)] = axis.n_bins + 2
    return bins


def count_plainly(
    columns: Columns,
    wanted: Sequence[Wanted],
    tables: Sequence[np.ndarray],
    *,
    start: int,
    stop: int,
    mask: np.ndarray | None,
    inside: Interval | None,
) -> None:
    """Do what `count` does, in plain NumPy."""
    for first in range(start, stop, BLOCK):
        rows = np.arange(first, min(first + BLOCK, stop), dtype=np.uint32)
        if mask is not None:
            rows = rows[mask[rows]]
        if inside is not None:
            rows = rows[inside.holds(columns[inside.column][rows])]
        count_rows_plainly(columns, wanted, tables, rows, np.ones(len(rows), np.int8))


def count_rows_plainly(
    columns: Columns,
    wanted: Sequence[Wanted],
    tables: Sequence[np.ndarray],
    rows: np.ndarray,
    signs: np.ndarray,
) -> None:
    """Do what `count_rows` does, in plain NumPy."""
    for one, table in zip(wanted, tables, strict=True):
        bins = tuple(bins_plainly(axis, columns[axis.column][rows]) for axis in one.axes)
        np.add.at(table, bins, signs.astype(np.int32))


def changes_plainly(
    columns: Columns, before: Interval, after: Interval, mask: np.ndarray | None, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Do what `changes` does, in plain NumPy."""
    values = columns[after.column][rows]
    signs = after.holds(values).astype(np.int8) - before.holds(values).astype(np.int8)
    if mask is not None:
        signs *= mask[rows]
    return rows[signs != 0], signs[signs != 0]


def buckets(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Give how many of the rising knots lie at or below each value, len(knots) + 1 for NaN; (n,) uint16.

    values: (n,) as `Columns` has them. knots: at least one, float64.
    """
    if compiled is None or not len(values):
        return buckets_plainly(values, knots)
    out = np.empty(len(values), np.uint16)
    compiled.buckets(*_address_of(values), knots, out)
    return out


def buckets_plainly(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Do what `buckets` does, in plain NumPy."""
    values = np.asarray(values, np.float64)
    found = np.searchsorted(knots, values, side="right")
    found[np.isnan(values)] = len(knots) + 1
    return found.astype(np.uint16)


def rows_by_bucket(of_rows: np.ndarray, n_buckets: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the rows by their bucket, in order within each, (n,) uint32, and where each bucket begins.

    The second, (n_buckets + 1,), ends with the number of rows.
    """
    starts = np.zeros(n_buckets + 1, np.int64)
    np.cumsum(np.bincount(of_rows, minlength=n_buckets), out=starts[1:])
    if compiled is None:
        return np.argsort(of_rows, kind="stable").astype(np.uint32), starts
    rows = np.empty(len(of_rows), np.uint32)
    compiled.sort_rows(of_rows, starts.copy(), rows)
    return rows, starts


def _fit(mask: np.ndarray, n_rows: int) -> None:
    if mask.dtype != np.bool_ or mask.shape != (n_rows,) or not mask.flags.c_contiguous:
        raise SettingsError(f"a mask is {n_rows} times yes or no, not {mask.dtype} of shape {mask.shape}")


def _axes_of(columns: Columns, wanted: Sequence[Wanted]) -> tuple[list[tuple[Any, ...]], np.ndarray]:
    """Give each axis once, and the places of the axes of each histogram."""
    order = dict.fromkeys(axis for one in wanted for axis in one.axes)
    place = {axis: at for at, axis in enumerate(order)}
    places = [at for one in wanted for at in (place[one.x], -1 if one.y is None else place[one.y])]
    axes = [
        (*_address_of(columns[axis.column]), axis.low, axis.high, axis.per_bin, axis.near, axis.edges)
        for axis in order
    ]
    return axes, np.array([*places, 0], np.int64)


def _range_of(columns: Columns, inside: Interval | None) -> tuple[Any, ...] | None:
    if inside is None:
        return None
    address = _address_of(columns[inside.column])
    return (*address, inside.low, inside.high, int(inside.is_open), int(inside.is_inverted))


def _address_of(values: np.ndarray) -> tuple[int, int]:
    return values.ctypes.data, _KINDS[values.dtype.str[1:]]
