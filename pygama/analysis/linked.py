"""Keeps the histograms of all views in step with the cuts, while a hand drags an edge.

When one range cut moves, only rows between its old and its new edges are counted again: an index holds the
rows in buckets of nearly equal size by the value of the column that is dragged, so these rows are found
without looking at the others. Counts are whole numbers, so what was moved step by step is equal to what is
counted afresh. What passes each cut is kept, so that of other changes only the cut that is edited is
evaluated again, and only rows for which that makes a difference are counted; if they are many, all are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from pygama.analysis.counting import (
    Columns,
    Interval,
    Wanted,
    buckets,
    changes,
    count_rows,
    rows_by_bucket,
)
from pygama.analysis.cuts import Cut, CutSet, as_range
from pygama.analysis.expressions import parse
from pygama.analysis.histograms import Histogram, counted
from pygama.quick_dataclass import dataclass

N_BUCKETS = 4096
SAMPLED = 1 << 17
"""Values that the buckets are chosen by."""
LARGEST_SHARE = 1 / 8
"""If more of the rows than this lie between the edges, counting all afresh is quicker."""
MOST_MASKS, MOST_PRODUCTS, MOST_TABLES, MOST_KEYS = 64, 4, 64, 100_000
_EXACT_WHOLE = 2**53
_Kept = TypeVar("_Kept")


class BucketIndex:
    """The rows of a column in buckets: i holds knots[i - 1] <= value < knots[i], and the last one NaN."""

    def __init__(self, values: np.ndarray) -> None:
        self.knots = _knots(values)
        of_rows = buckets(values, self.knots)
        self.rows, self.starts = rows_by_bucket(of_rows, len(self.knots) + 2)

    def between(self, low: float, high: float) -> tuple[int, int]:
        """Give where in `rows` the buckets begin and end that hold all of low <= value <= high."""
        first, last = np.searchsorted(self.knots, [low, high], side="right")
        return int(self.starts[first]), int(self.starts[last + 1])

    def between_edges(self, before: Interval, after: Interval) -> list[np.ndarray]:
        """Give the rows, in pieces, among which are all that only one of two intervals holds."""
        pieces = []
        for old, new in ((before.low, after.low), (_end(before), _end(after))):
            if old != new:
                pieces.append(self.between(min(old, new), max(old, new)))
        pieces.sort()
        if len(pieces) == 2 and pieces[1][0] <= pieces[0][1]:
            pieces = [(pieces[0][0], max(pieces[0][1], pieces[1][1]))]
        return [self.rows[start:stop] for start, stop in pieces]


@dataclass(frozen=True)
class _State:
    """What was counted last: with which cuts, by their keys."""

    keys: frozenset[int]
    table: np.ndarray


class LinkedCounts:
    """Histograms of columns that follow a set of cuts.

    columns: name -> (n_rows,), which do not change. Not to be used by two threads at once; `prepare` alone
    may be called from another one.
    """

    def __init__(self, columns: Mapping[str, Any], *, n_threads: int | None = None) -> None:
        self._given = columns
        self._columns = Columns(columns)
        self._n_threads = n_threads
        self._indexes: dict[str, BucketIndex] = {}
        self._is_exact: dict[str, bool] = {}
        self._keys: dict[tuple[Any, ...], int] = {}
        self._intervals: dict[int, Interval | None] = {}
        self._masks: OrderedDict[int, np.ndarray] = OrderedDict()
        self._products: OrderedDict[frozenset[int], np.ndarray] = OrderedDict()
        self._states: OrderedDict[tuple[str, Wanted], _State] = OrderedDict()
        self.n_rows_counted = 0
        """How many rows were looked at by the last call of `counts`."""

    def prepare(self, column: str) -> None:
        """Make the index of a column, so that the edges of its cuts can be dragged; once for each column."""
        if column not in self._indexes:
            self._indexes[column] = BucketIndex(self._columns[column])

    def counts(
        self,
        cuts: CutSet,
        wanted: Sequence[Wanted],
        *,
        view: str = "",
        keep_on: Callable[[], object] | None = None,
    ) -> tuple[Histogram, ...]:
        """Count what passes all cuts that are on.

        view: who asks; views that ask for the same histogram with other cuts do not disturb each other.
        keep_on: is called now and then, and may raise to stop; the next call then starts from what was there.
        Raises ExpressionError or SettingsError for cuts and columns that do not fit.
        """
        self.n_rows_counted = 0
        if len(self._keys) > MOST_KEYS:
            self._forget()
        names = self._names_by_key(cuts)
        keys = frozenset(names)
        for before, some in self._by_state(wanted, view).items():
            if before == keys:
                continue
            tables = self._moved(before, keys, some, view, cuts, names, keep_on)
            if tables is None:
                tables = self._changed(before, keys, some, view, cuts, names, keep_on)
            if tables is None:
                tables = self._afresh(keys, some, cuts, names, keep_on)
            for one, table in zip(some, tables, strict=True):
                _keep(self._states, (view, one), _State(keys, table), MOST_TABLES)
        return tuple(Histogram(one, self._states[view, one].table) for one in wanted)

    def _forget(self) -> None:
        for kept in (self._keys, self._intervals, self._masks, self._products, self._states):
            kept.clear()

    def _by_state(self, wanted: Iterable[Wanted], view: str) -> dict[frozenset[int] | None, list[Wanted]]:
        """Group histograms by the cuts that they were last counted with."""
        groups: dict[frozenset[int] | None, list[Wanted]] = {}
        for one in dict.fromkeys(wanted):
            state = self._states.get((view, one))
            groups.setdefault(state.keys if state else None, []).append(one)
        return groups

    def _moved(
        self,
        before: frozenset[int] | None,
        keys: frozenset[int],
        wanted: Sequence[Wanted],
        view: str,
        cuts: CutSet,
        names: Mapping[int, str],
        keep_on: Callable[[], object] | None,
    ) -> list[np.ndarray] | None:
        """Give the tables after one range has moved; None if that is not what happened, or not quicker."""
        moved = None if before is None else self._one_range(before - keys, keys - before)
        index = self._indexes.get(moved[0].column) if moved else None
        if before is None or moved is None or index is None:
            return None
        pieces = index.between_edges(*moved)
        self.n_rows_counted = sum(map(len, pieces))
        if self.n_rows_counted > LARGEST_SHARE * self._columns.n_rows:
            return None
        mask = self._passes(before & keys, cuts, names, keep_on)
        tables = [self._states[view, one].table.copy() for one in wanted]
        for piece in pieces:
            if keep_on is not None:
                keep_on()
            count_rows(self._columns, wanted, tables, *changes(self._columns, *moved, mask, piece))
        return tables

    def _changed(
        self,
        before: frozenset[int] | None,
        keys: frozenset[int],
        wanted: Sequence[Wanted],
        view: str,
        cuts: CutSet,
        names: Mapping[int, str],
        keep_on: Callable[[], object] | None,
    ) -> list[np.ndarray] | None:
        """Give the tables after few rows came in or went out; None if that is not known, or they are many."""
        passed = self._products.get(before) if before else None
        passes = self._passes(keys, cuts, names, keep_on) if passed is not None else None
        if passed is None or passes is None:
            return None
        rows = np.flatnonzero(passed != passes).astype(np.uint32)
        if len(rows) > LARGEST_SHARE * self._columns.n_rows:
            return None
        self.n_rows_counted = len(rows)
        tables = [self._states[view, one].table.copy() for one in wanted]
        count_rows(self._columns, wanted, tables, rows, np.where(passes[rows], 1, -1).astype(np.int8))
        return tables

    def _one_range(self, gone: frozenset[int], come: frozenset[int]) -> tuple[Interval, Interval] | None:
        if len(gone) != 1 or len(come) != 1:
            return None
        (old,), (new,) = ([self._intervals[key] for key in keys] for keys in (gone, come))
        fits = old and new and (old.column, old.is_inverted) == (new.column, new.is_inverted)
        return (old, new) if fits and old and new else None

    def _afresh(
        self,
        keys: frozenset[int],
        wanted: Sequence[Wanted],
        cuts: CutSet,
        names: Mapping[int, str],
        keep_on: Callable[[], object] | None,
    ) -> list[np.ndarray]:
        """Count all rows; a range whose rows are not known is looked at on the way."""
        new = [key for key in keys if key not in self._masks and self._intervals[key] is not None]
        inside = self._intervals[new[0]] if len(new) == 1 else None
        mask = self._passes(keys - set(new) if inside else keys, cuts, names, keep_on)
        self.n_rows_counted = self._columns.n_rows
        return counted(
            self._columns, wanted, mask=mask, inside=inside, keep_on=keep_on, n_threads=self._n_threads
        )

    def _passes(
        self,
        keys: frozenset[int],
        cuts: CutSet,
        names: Mapping[int, str],
        keep_on: Callable[[], object] | None,
    ) -> np.ndarray | None:
        """Give what passes some cuts, each of which is evaluated only if it is new; None for no cut."""
        if not keys:
            return None
        if keys not in self._products:
            mask = np.ones(self._columns.n_rows, np.bool_)
            for one in self._masks_of(keys, cuts, names, keep_on):
                mask &= one
            _keep(self._products, keys, mask, MOST_PRODUCTS)
        self._products.move_to_end(keys)
        return self._products[keys]

    def _masks_of(
        self,
        keys: Iterable[int],
        cuts: CutSet,
        names: Mapping[int, str],
        keep_on: Callable[[], object] | None,
    ) -> Iterator[np.ndarray]:
        for key in keys:
            if key not in self._masks:
                known = {names[one]: mask for one, mask in self._masks.items() if one in names}
                found = cuts.masks(
                    self._given, only=[names[key]], known=known, n_rows=self._columns.n_rows, keep_on=keep_on
                )
                _keep(self._masks, key, found[names[key]], MOST_MASKS)
            self._masks.move_to_end(key)
            yield self._masks[key]

    def _names_by_key(self, cuts: CutSet) -> dict[int, str]:
        """Give each cut that is on by its key; what passes cuts of one key is the same."""
        of_cut: dict[str, int] = {}
        for name in cuts.in_order:
            cut = cuts[name]
            expression = parse(cut.expression)
            named = tuple(of_cut.get(column, -1) for column in expression.columns)
            key = self._keys.setdefault((expression.text, cut.inverted, named), len(self._keys))
            if key not in self._intervals:
                self._intervals[key] = None if any(at >= 0 for at in named) else self._interval(cut)
            of_cut[name] = key
        return {of_cut[cut.name]: cut.name for cut in cuts if cut.enabled}

    def _interval(self, cut: Cut) -> Interval | None:
        """Give the interval that a cut is, if float64 decides as the expression does."""
        found = as_range(cut.expression)
        if found is None or found.column not in self._columns or not self._is_exactly_known(found.column):
            return None
        low = found.low if found.has_low else float(np.nextafter(found.low, np.inf))
        high = float(np.nextafter(found.high, np.inf)) if found.has_high else found.high
        if any(np.isfinite(end) and abs(end) >= _EXACT_WHOLE for end in (low, high)):
            return None
        is_open = found.high == np.inf
        return Interval(found.column, low, high, is_open=is_open, is_inverted=cut.inverted)

    def _is_exactly_known(self, column: str) -> bool:
        """Say whether float64 holds the values of a column without rounding."""
        if column not in self._is_exact:
            values = np.asarray(self._given[column])
            is_exact = values.ndim == 1 and values.dtype.kind in "biuf"
            if is_exact and values.dtype.kind in "iu" and values.dtype.itemsize == 8 and len(values):
                is_exact = max(int(values.max()), -int(values.min())) <= _EXACT_WHOLE
            self._is_exact[column] = is_exact
        return self._is_exact[column]


def _knots(values: np.ndarray) -> np.ndarray:
    """Choose values between which about equally many lie; at least one."""
    some = np.asarray(values[:: max(len(values) // SAMPLED, 1)], np.float64)
    some = np.sort(some[~np.isnan(some)])
    places = np.linspace(0, len(some) - 1, N_BUCKETS + 1)[1:-1].astype(np.int64)
    return np.unique(some[places]) if len(some) else np.zeros(1)


def _end(interval: Interval) -> float:
    return np.inf if interval.is_open else interval.high


def _keep(kept: OrderedDict[Any, _Kept], key: Any, value: _Kept, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
