"""Chooses events by cuts: named pieces of text that say yes or no of each row.

A range that was dragged and a polygon that was drawn are expressions like any typed one, so a cut has one
form in a file, in a script, in the undo list and in the window; `as_range` and `as_polygon` find the shape
again in a text, so that a hand can move it. A cut may name other cuts. Cut files know nothing of the data.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pygama.analysis.expression_nodes import (
    FUNCTIONS,
    RESERVED,
    Call,
    Column,
    Comparison,
    ExpressionError,
    Joined,
    Node,
    Number,
    corners_of,
    name_text,
    number_text,
)
from pygama.analysis.expressions import Expression, parse
from pygama.errors import OutputError, SettingsError
from pygama.quick_dataclass import dataclass

MARK = "pygama cuts"
"""The entry by which a cut file is known; its value is the version."""
VERSION = 1
MOST_BYTES = 50_000_000
OF_TIME = frozenset(
    ("time_s", "timestamp", "ts_hi", "ts_lo", "event_number", "event", "row", "run", "sub_run")
)
"""Columns that grow with time, or tell runs apart: nobody knows how long what a cut of them chooses was."""

Point = tuple[float, float]
Interval = tuple[float, float]
EVERYWHERE: Interval = (-math.inf, math.inf)


@dataclass(frozen=True)
class Cut:
    """A named expression. inverted: rows that the expression refuses pass, and the others do not."""

    name: str
    expression: str
    color: str = ""
    enabled: bool = True
    inverted: bool = False


@dataclass(frozen=True)
class RangeOf:
    """A range of a column; an end that is not there is infinite."""

    column: str
    low: float
    high: float
    has_low: bool = True
    has_high: bool = False

    @property
    def text(self) -> str:
        """The range as an expression. has_low, has_high: whether the ends themselves are in it."""
        column = name_text(self.column)
        below = f"{number_text(self.low)} {'<=' if self.has_low else '<'} "
        above = f" {'<=' if self.has_high else '<'} {number_text(self.high)}"
        if math.isinf(self.low):
            return column + above
        if math.isinf(self.high):
            return f"{column} {'>=' if self.has_low else '>'} {number_text(self.low)}"
        return below + column + above


@dataclass(frozen=True)
class PolygonOf:
    """A polygon over two columns."""

    x: str
    y: str
    points: tuple[Point, ...]


def range_cut(column: str, low: float, high: float) -> str:
    """Write `low <= column < high`; an infinite end is left out, and ends in the wrong order are swapped.

    Raises SettingsError if an end is NaN or both are infinite.
    """
    low, high = (float(high), float(low)) if high < low else (float(low), float(high))
    if not low <= high or (math.isinf(low) and math.isinf(high)):
        raise SettingsError(f"a range needs an end that is a number, not '{low}' and '{high}'")
    return RangeOf(_column_name(column), low, high).text


def polygon_cut(x: str, y: str, points: Iterable[Sequence[float]]) -> str:
    """Write `inside(x, y, x1, y1, ...)` for the corners; raises SettingsError if they make no polygon."""
    corners = [(float(point[0]), float(point[1])) for point in points]
    if len(corners) < 3 or not all(math.isfinite(number) for corner in corners for number in corner):
        raise SettingsError(f"a polygon needs three corners or more that are numbers, not '{corners}'")
    numbers = ", ".join(number_text(number) for corner in corners for number in corner)
    return f"inside({name_text(_column_name(x))}, {name_text(_column_name(y))}, {numbers})"


def as_range(expression: str) -> RangeOf | None:
    """Find the range that an expression describes: `a <= x < b`, `x >= a & x < b`, `x < b`; else None."""
    node = _parsed(expression)
    is_pair = isinstance(node, Joined) and node.operators == ("&",)
    ends = [end for part in (node.parts() if is_pair and node else (node,)) for end in _ends(part)]
    columns = {column for column, *_ in ends}
    sides = [is_low for _, is_low, _, _ in ends]
    if len(columns) != 1 or None in columns or sides.count(True) > 1 or sides.count(False) > 1:
        return None
    low, has_low = next(((end, has) for _, is_low, end, has in ends if is_low), (-math.inf, True))
    high, has_high = next(((end, has) for _, is_low, end, has in ends if not is_low), (math.inf, False))
    return RangeOf(columns.pop() or "", low, high, has_low, has_high)


def as_polygon(expression: str) -> PolygonOf | None:
    """Find the polygon that an expression describes, `inside(x, y, ...)` of two columns; else None."""
    node = _parsed(expression)
    if not isinstance(node, Call) or node.function != "inside":
        return None
    x, y = node.arguments[:2]
    if not (isinstance(x, Column) and isinstance(y, Column)):
        return None
    return PolygonOf(x.name, y.name, tuple((float(a), float(b)) for a, b in corners_of(node)))


def reach_of(expression: str, column: str) -> Interval:
    """Give an interval of a column outside of which nothing passes an expression; infinite where none shows.

    The ends of ranges and polygons count, also among other conditions; what cuts of other names say does not:
    `CutSet.reach` knows them.
    """
    node = _parsed(expression)
    return EVERYWHERE if node is None else _reach_of(node, column, lambda _name: EVERYWHERE)


class CutSet:
    """Cuts in their order; a row passes if it passes all that are switched on.

    In an expression, the name of a cut means what passes that cut, turned round if it is inverted, whether it
    is switched on or not. A column of the same name is refused where it could be meant. Raises SettingsError
    for names that are no words, or are there twice, and for cuts that name each other in a circle;
    ExpressionError for an expression that cannot be read.
    """

    def __init__(self, cuts: Iterable[Cut] = ()) -> None:
        self.cuts = tuple(cuts)
        self._by_name: dict[str, Cut] = {}
        self._parsed: dict[str, Expression] = {}
        for cut in self.cuts:
            self._add(cut)
        self.in_order = self._in_order()
        """The names, each after those of the cuts that it names."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CutSet) and self.cuts == other.cuts

    def __hash__(self) -> int:
        return hash(self.cuts)

    def __repr__(self) -> str:
        return f"CutSet({list(self.cuts)!r})"

    def __len__(self) -> int:
        return len(self.cuts)

    def __iter__(self) -> Iterator[Cut]:
        return iter(self.cuts)

    def __getitem__(self, name: str) -> Cut:
        return self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the cuts, in their order."""
        return tuple(cut.name for cut in self.cuts)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that the cuts read, each once."""
        read = dict.fromkeys(name for cut in self.cuts for name in self._parsed[cut.name].columns)
        return tuple(name for name in read if name not in self._by_name)

    def reads(self, name: str) -> tuple[str, ...]:
        """Give the columns that a cut reads, by itself or through cuts that it names."""
        cuts = (name, *self.needs(name))
        read = dict.fromkeys(column for cut in cuts for column in self._parsed[cut].columns)
        return tuple(column for column in read if column not in self._by_name)

    def needs(self, name: str) -> tuple[str, ...]:
        """Give the cuts that a cut names, by itself or through others."""
        found: dict[str, None] = {}
        waiting = self._named(name)
        while waiting:
            other = waiting.pop()
            if other not in found:
                found[other] = None
                waiting += self._named(other)
        return tuple(cut for cut in self.names if cut in found)

    def reach(self, name: str, column: str) -> Interval:
        """Give an interval of a column outside of which nothing passes a cut, by itself or by those it names.

        Infinite where none shows, as for a cut that is inverted.
        """

        def of_named(other: str) -> Interval:
            return self.reach(other, column) if other in self._by_name else EVERYWHERE

        if self._by_name[name].inverted:
            return EVERYWHERE
        return _reach_of(self._parsed[name].node, column, of_named)

    @property
    def text(self) -> str:
        """Say which cuts a row must pass, and what they and the cuts that they name are."""
        on = [cut.name for cut in self if cut.enabled]
        named = dict.fromkeys(other for name in on for other in (name, *self._named(name)))
        texts = {name: self[name].expression for name in named}
        said = [
            f"{name} = " + (f"~({text})" if self[name].inverted else text) for name, text in texts.items()
        ]
        return "; ".join([" & ".join(on), *said])

    def masks(
        self,
        columns: Mapping[str, Any],
        *,
        only: Collection[str] | None = None,
        known: Mapping[str, np.ndarray] | None = None,
        n_rows: int | None = None,
        keep_on: Callable[[], object] | None = None,
    ) -> dict[str, np.ndarray]:
        """Give what passes each cut by itself, name -> (n_rows,) bool, in the order of the cuts.

        only: names of the cuts that are wanted; None: all. known: what passes some of them, which is taken
        as it is. n_rows: None: as many as the columns have.
        keep_on: is called now and then, and may raise to stop.
        """
        self._refuse_two_meanings(columns)
        n_rows = self.n_rows(columns) if n_rows is None else n_rows
        found = dict(known or {})
        wanted = set(self.names if only is None else only)
        wanted |= {other for name in wanted - found.keys() for other in self.needs(name)}
        for name in self.in_order:
            if name in wanted and name not in found:
                others = [other for other in self._by_name if other != name]  # it is not meant by itself
                both = _Both(found, columns, others)
                found[name] = self._mask(self._by_name[name], both, n_rows, keep_on)
        asked = self.names if only is None else only
        return {name: found[name] for name in self.names if name in asked}

    def mask(
        self,
        columns: Mapping[str, Any],
        *,
        leave_out: Collection[str] = (),
        n_rows: int | None = None,
        keep_on: Callable[[], object] | None = None,
    ) -> np.ndarray:
        """Give what passes all cuts that are switched on but those of `leave_out`, (n_rows,) bool."""
        used = [cut.name for cut in self.cuts if cut.enabled and cut.name not in leave_out]
        n_rows = self.n_rows(columns) if n_rows is None else n_rows
        passes = np.ones(n_rows, np.bool_)
        for mask in self.masks(columns, only=used, n_rows=n_rows, keep_on=keep_on).values():
            passes &= mask
        return passes

    def n_nan(self, columns: Mapping[str, Any]) -> dict[str, int]:
        """Count the rows of which each cut cannot say much: one of the columns it reads is NaN there."""
        has_nan: dict[str, np.ndarray] = {}
        for name in self.columns:
            values = np.asarray(columns[name])
            if values.dtype.kind == "f":
                has_nan[name] = np.isnan(values)
        counts = {}
        for cut in self.cuts:
            marked = [has_nan[name] for name in self.reads(cut.name) if name in has_nan]
            counts[cut.name] = int(np.logical_or.reduce(marked).sum()) if marked else 0
        return counts

    def check(self, columns: Mapping[str, Any]) -> None:
        """Raise what stands in the way of applying the cuts to these columns; no row is looked at."""
        few = {name: np.asarray(columns[name])[:0] for name in self.columns if name in columns}
        others = {str(name): np.empty(0) for name in columns if name not in few}
        self.masks(others | few, n_rows=0)

    def n_rows(self, columns: Mapping[str, Any]) -> int:
        """Say how many rows the columns have."""
        names = [*(name for name in self.columns if name in columns), *columns]
        return len(columns[names[0]]) if names else 0

    def _add(self, cut: Cut) -> None:
        where = f"cut '{cut.name}'"
        if not cut.name.isidentifier() or cut.name in RESERVED or cut.name in FUNCTIONS:
            raise SettingsError(
                f"{where}: a cut is named by a word of letters, digits and '_' that the language does not use"
            )
        if cut.name in self._by_name:
            raise SettingsError(f"{where} is there twice; give one of them another name")
        try:
            self._parsed[cut.name] = parse(cut.expression)
        except ExpressionError as error:
            raise error.inside(where) from None
        self._by_name[cut.name] = cut

    def _refuse_two_meanings(self, columns: Mapping[str, Any]) -> None:
        for cut in self.cuts:
            for name in self._named(cut.name):
                if name in columns:
                    both = f"cut '{cut.name}' reads '{name}', which is a cut and a column"
                    raise SettingsError(f"{both}; give that cut another name")

    def _in_order(self) -> tuple[str, ...]:
        """Give the names such that each cut stands after those that it names."""
        order: dict[str, None] = {}
        waiting = dict.fromkeys(self.names)
        while waiting:
            ready = [name for name in waiting if all(other not in waiting for other in self._named(name))]
            if not ready:
                raise self._circle(next(iter(waiting)), waiting)
            for name in ready:
                order[name] = waiting.pop(name)
        return tuple(order)

    def _named(self, name: str) -> list[str]:
        return [other for other in self._parsed[name].columns if other in self._by_name]

    def _circle(self, name: str, waiting: Collection[str]) -> SettingsError:
        path = [name]
        while path[-1] not in path[:-1]:
            path.append(next(other for other in self._named(path[-1]) if other in waiting))
        circle = path[path.index(path[-1]) :]
        if len(circle) == 2:
            return SettingsError(
                f"cut '{circle[0]}' names itself; give it another name than the column that it reads"
            )
        return SettingsError(f"cuts name each other in a circle: {' -> '.join(circle)}; take one out")

    def _mask(
        self, cut: Cut, columns: Mapping[str, Any], n_rows: int, keep_on: Callable[[], object] | None
    ) -> np.ndarray:
        try:
            mask = self._parsed[cut.name].mask(columns, n_rows=n_rows, keep_on=keep_on)
        except ExpressionError as error:
            raise error.inside(f"cut '{cut.name}'") from None
        return np.logical_not(mask, out=mask) if cut.inverted else mask


class _Both(Mapping[str, Any]):
    """Masks of cuts before columns of the data."""

    def __init__(
        self, masks: Mapping[str, np.ndarray], columns: Mapping[str, Any], cuts: Collection[str]
    ) -> None:
        self._masks, self._columns, self._cuts = masks, columns, cuts

    def __getitem__(self, name: str) -> Any:
        return self._masks[name] if name in self._masks else self._columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self._masks or name in self._columns

    def __iter__(self) -> Iterator[str]:
        yield from self._columns
        yield from (name for name in self._cuts if name not in self._columns)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def save_cuts(cuts: Iterable[Cut], path: Path) -> None:
    """Write a cut file, whole or not at all; raises OutputError if it cannot be, and what `CutSet` does."""
    entries = ",\n".join("  " + json.dumps(asdict(cut), ensure_ascii=False) for cut in CutSet(cuts))
    from pygama.storage.publish import Draft

    draft = Draft(Path(path))
    try:
        text = f'{{\n "{MARK}": {VERSION},\n "cuts": [\n{entries}\n ]\n}}\n'
        draft.part.write_text(text, encoding="utf-8")
        draft.publish()
    except OSError as error:
        raise OutputError(f"{draft.path.name} cannot be written: {error.strerror or error}") from error
    finally:
        draft.discard()


def load_cuts(path: Path) -> CutSet:
    """Read a cut file; raises SettingsError that says what does not fit, OSError if it cannot be read."""
    path = Path(path)
    try:
        return _cuts_of(_read_json(path))
    except ExpressionError as error:
        raise error.inside(f"{path.name}, {error.where}") from None
    except SettingsError as error:
        raise SettingsError(f"{path.name}: {error}") from None


def _read_json(path: Path) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise SettingsError(f"a cut file has less than {MOST_BYTES // 1_000_000} MB")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SettingsError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(str(error)) from None


def _cuts_of(data: Any) -> CutSet:
    version = data.get(MARK) if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SettingsError(
            f"this is not a cut file: it has no entry '{MARK}' with the number of its version"
        )
    if version > VERSION:
        raise SettingsError(f"this cut file is of version {version}, and {VERSION} is the newest known here")
    entries = data.get("cuts")
    if not isinstance(entries, list):
        raise SettingsError("it has no list 'cuts'")
    return CutSet(_cut_of(entry, f"cut {at}") for at, entry in enumerate(entries, 1))


def _cut_of(entry: Any, where: str) -> Cut:
    if not isinstance(entry, dict):
        raise SettingsError(f"{where} must be names and values in braces, not {entry!r:.60}")
    kinds = {field.name: bool if isinstance(field.default, bool) else str for field in fields(Cut)}
    for name in ("name", "expression"):
        if name not in entry:
            raise SettingsError(f"{where} has no '{name}'")
    for name, value in entry.items():
        if name not in kinds:
            raise SettingsError(f"{where} has an entry '{name}', which is not known")
        if not isinstance(value, kinds[name]):
            words = "text" if kinds[name] is str else "true or false"
            raise SettingsError(f"{where}: '{name}' must be {words}, not {value!r:.60}")
    return Cut(**entry)


def _parsed(expression: str) -> Node | None:
    try:
        return parse(expression).node
    except ExpressionError:
        return None


def _reach_of(node: Node, column: str, of_named: Callable[[str], Interval]) -> Interval:
    """Give the reach of an expression; of_named: gives that of what is meant by a name alone."""
    if isinstance(node, Column):
        return of_named(node.name)
    if isinstance(node, Joined):
        ends = [_reach_of(part, column, of_named) for part in node.parts()]
        lows, highs = zip(*ends, strict=True)
        if node.operators[0] == "&":
            return max(lows), min(highs)
        return min(lows), max(highs)
    if isinstance(node, Comparison):
        of_column = [(is_low, end) for name, is_low, end, _ in _ends(node) if name == column]
        return (
            max((end for is_low, end in of_column if is_low), default=-math.inf),
            min((end for is_low, end in of_column if not is_low), default=math.inf),
        )
    shape = as_polygon(node.text)
    axis = None if shape is None or column not in (shape.x, shape.y) else (shape.x, shape.y).index(column)
    if shape is None or axis is None:
        return EVERYWHERE
    places = [point[axis] for point in shape.points]
    return min(places), max(places)


def _ends(node: Node | None) -> Iterator[tuple[str | None, bool, float, bool]]:
    """Give the column, whether it is the low end, the end, and whether that is included; None: no end."""
    if not isinstance(node, Comparison):
        yield None, True, 0.0, True
        return
    for left, operator, right in zip(node.operands, node.operators, node.operands[1:], strict=False):
        is_low = operator in (">", ">=")
        if isinstance(left, Number):
            left, right, is_low = right, left, not is_low
        fits = isinstance(left, Column) and isinstance(right, Number) and operator not in ("==", "!=")
        column = left.name if fits and isinstance(left, Column) else None
        yield column, is_low, float(right.number) if isinstance(right, Number) else 0.0, "=" in operator


def _column_name(name: str) -> str:
    if not name or "`" in name or "\n" in name:
        raise SettingsError(f"a column named {name!r} cannot stand in an expression")
    return name
