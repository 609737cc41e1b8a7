"""Makes histograms of one column or two, of the rows that pass cuts, as fast as memory gives the rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from pygama.analysis.counting import Axis, Columns, Interval, Wanted, bins_plainly, count, empty_tables
from pygama.quick_dataclass import dataclass

__all__ = ["Axis", "Histogram", "Wanted", "histogram", "histogram_2d", "histograms", "weighted_histogram"]

STRETCH = 1 << 20
"""Rows between two looks at whether to keep on."""
FEW_ROWS = 200_000
"""With fewer, a second thread does not pay."""


@dataclass(frozen=True)
class Histogram:
    """Counts of a histogram; table: with the places for values below, above and NaN, one dimension or two."""

    wanted: Wanted
    table: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """(n_x,) or (n_x, n_y)."""
        return self.table[tuple(slice(axis.n_bins) for axis in self.wanted.axes)]

    @property
    def edges(self) -> tuple[np.ndarray, ...]:
        """The edges along each side, (n + 1,) each."""
        return tuple(axis.edges for axis in self.wanted.axes)

    @property
    def n_rows(self) -> int:
        """How many rows were counted, with those outside."""
        return int(self.table.sum())

    @property
    def n_outside(self) -> int:
        """How many of them are in no bin."""
        return self.n_rows - int(self.counts.sum())

    @property
    def underflow(self) -> int:
        """Values below the bins of x."""
        return self._at(0)

    @property
    def overflow(self) -> int:
        """Values above the bins of x, or at their end."""
        return self._at(1)

    @property
    def n_nan(self) -> int:
        """Values of x that are NaN."""
        return self._at(2)

    def _at(self, place: int) -> int:
        return int(self.table[self.wanted.x.n_bins + place].sum())


def histogram(values: Any, low: float, high: float, n_bins: int, *, mask: Any = None) -> Histogram:
    """Count values in equal bins, edges[i] <= value < edges[i + 1]; mask: (n,) bool, those that count."""
    columns, wanted = {"x": np.asarray(values)}, Wanted(Axis("x", low, high, n_bins))
    return histograms(columns, [wanted], mask=mask)[0]


def histogram_2d(
    x: Any, y: Any, x_bins: tuple[float, float, int], y_bins: tuple[float, float, int], *, mask: Any = None
) -> Histogram:
    """Count pairs of values; x_bins, y_bins: low, high and number of the bins; mask: (n,) bool."""
    columns = {"x": np.asarray(x), "y": np.asarray(y)}
    return histograms(columns, [Wanted(Axis("x", *x_bins), Axis("y", *y_bins))], mask=mask)[0]


def weighted_histogram(values: Any, weights: Any, axis: Axis) -> np.ndarray:
    """Add up weights in bins: (n_bins + 3,) float64, with the places for below, above and NaN."""
    bins = bins_plainly(axis, np.asarray(values))
    return np.bincount(bins, np.asarray(weights, np.float64), axis.n_bins + 3)


def histograms(
    columns: Mapping[str, Any],
    wanted: Sequence[Wanted],
    *,
    mask: Any = None,
    inside: Interval | None = None,
    keep_on: Callable[[], object] | None = None,
    n_threads: int | None = None,
) -> tuple[Histogram, ...]:
    """Count several histograms in one pass over the rows.

    mask: (n_rows,) bool, rows that are counted. inside: only rows that it holds. keep_on: is called before
    each stretch of rows, and may raise to stop. n_threads: None: as many as there are processors.
    """
    ready = columns if isinstance(columns, Columns) else Columns(columns)
    mask = None if mask is None else np.ascontiguousarray(mask)
    tables = counted(ready, wanted, mask=mask, inside=inside, keep_on=keep_on, n_threads=n_threads)
    return tuple(Histogram(one, table) for one, table in zip(wanted, tables, strict=True))


def counted(
    columns: Columns,
    wanted: Sequence[Wanted],
    *,
    mask: np.ndarray | None = None,
    inside: Interval | None = None,
    keep_on: Callable[[], object] | None = None,
    n_threads: int | None = None,
) -> list[np.ndarray]:
    """Give the tables of `histograms`, int32."""
    n_rows = columns.n_rows
    for name in {axis.column for one in wanted for axis in one.axes}:
        columns[name]  # a column that does not fit is told before threads start
    n_threads = min(n_threads or os.cpu_count() or 1, max(n_rows // FEW_ROWS, 1))

    def part(at: int) -> list[np.ndarray]:
        tables = empty_tables(wanted)
        stop = n_rows * (at + 1) // n_threads
        for start in range(n_rows * at // n_threads, stop, STRETCH):
            if keep_on is not None:
                keep_on()
            some = min(start + STRETCH, stop)
            count(columns, wanted, tables, start=start, stop=some, mask=mask, inside=inside)
        return tables

    if n_threads == 1:
        return part(0)
    with ThreadPoolExecutor(n_threads - 1, "counting") as pool:
        others = [pool.submit(part, at) for at in range(1, n_threads)]
        tables = part(0)
        for other in others:
            for table, more in zip(tables, other.result(), strict=True):
                table += more
    return tables
