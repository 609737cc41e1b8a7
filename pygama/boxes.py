"""Says which waveforms pass through a box of samples and heights.

A box stands in a cut as `through(910, 950, 4000, 6000, bl_int, bl_slope)`: samples 910 to 950, heights from
4000 to below 6000 above the line `bl_int + bl_slope * sample`. A waveform passes if the line through its
samples lies in the box at some place: if its highest sample there reaches the low height and its lowest one
stays below the high one. The text is the name of a column of yes and no, which is made here of a Tier 1 file:
in a Tier 2 file there is no waveform to look through.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pygama.analysis.expression_nodes import ExpressionError, Through, name_text, number_text
from pygama.analysis.expressions import parse
from pygama.errors import SettingsError, TierFileError
from pygama.progress import Progress, Tell, tell_nobody
from pygama.quick_dataclass import dataclass

if TYPE_CHECKING:  # what reads files is imported late: the window knows boxes before it opens one
    from pygama.storage import Table, TierFile

PER_RECORD = 1 << 12
"""A record of a card holds fewer rows than this."""
EVENT = "event_number"
_BLOCK_BYTES = 8 << 20


class Rows(Protocol):
    """Columns of Tier 2: name -> (n_rows,)."""

    def __getitem__(self, name: str, /) -> Any: ...

    def __contains__(self, name: object, /) -> bool: ...


@dataclass(frozen=True)
class Box:
    """A box of samples, the last included, and heights in ADC counts, the high one not included.

    above: the column of the baseline, and that of its slope a sample, where there are any; without them the
    heights are those that were recorded.
    """

    first: int
    last: int
    low: float
    high: float
    above: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (0 <= self.first <= self.last and self.low < self.high and len(self.above) <= 2):
            raise SettingsError(f"a box has samples from 0 up and heights, both in order, not {self}")

    @property
    def text(self) -> str:
        """The box as an expression."""
        numbers = (number_text(one) for one in (self.first, self.last, self.low, self.high))
        return f"through({', '.join((*numbers, *map(name_text, self.above)))})"

    def mask(self, waveforms: np.ndarray, rows: Rows) -> np.ndarray:
        """Tell which waveforms pass, (n,) bool; waveforms: (n, n_samples), rows: their columns.

        Where the baseline is NaN, and where the record ends before the box, none does.
        """
        seen = waveforms[:, self.first : self.last + 1]
        if not seen.shape[1]:
            return np.zeros(len(waveforms), np.bool_)
        heights = seen.astype(np.float64)
        if self.above:
            heights -= np.asarray(rows[self.above[0]], np.float64)[:, None]
        if len(self.above) > 1:
            at = np.arange(self.first, self.first + seen.shape[1])
            heights -= np.asarray(rows[self.above[1]], np.float64)[:, None] * at
        with np.errstate(invalid="ignore"):
            passes: np.ndarray = (heights.max(axis=1) >= self.low) & (heights.min(axis=1) < self.high)
        return passes


def as_box(text: str) -> Box | None:
    """Find the box that an expression is, or the name of a column; None where it is none."""
    try:
        node = parse(text).node
    except ExpressionError:
        return None
    if not isinstance(node, Through):
        return None
    first, last, low, high = node.numbers
    return Box(int(first), int(last), low, high, node.above)


def boxes_among(names: Iterable[str]) -> dict[str, Box]:
    """Give the boxes among the names of columns that a cut reads, by their names."""
    found = {name: as_box(name) for name in names if name.startswith("through(")}
    return {name: box for name, box in found.items() if box is not None}


class Passages:
    """What passes through boxes, of the rows of one Tier 2 table: masks, name -> (n_rows,) bool.

    columns: 'event_number', and the baselines that the boxes name, of all rows, in the order of Tier 2.
    Raises SettingsError for columns that are not there.
    """

    def __init__(self, columns: Rows, boxes: Mapping[str, Box]) -> None:
        self._boxes = dict(boxes)
        names = {EVENT}.union(*(box.above for box in boxes.values()))
        if lacking := sorted(name for name in names if name not in columns):
            raise SettingsError(f"there is no column {lacking[0]!r}, which the box asks for")
        self._columns = {name: np.asarray(columns[name]) for name in names}
        numbers = numbers_of(self._columns[EVENT])
        self._order = np.argsort(numbers, kind="stable")
        self._numbers = numbers[self._order]
        self.masks = {name: np.zeros(len(numbers), np.bool_) for name in boxes}
        self.n_found = 0
        """Rows whose waveforms were seen."""

    def steps(self, file: TierFile, pool: Executor | None = None) -> Iterator[int]:
        """Look through all waveforms of a Tier 1 file, block for block; gives how many of a block."""
        from pygama.processing.tier1 import digitizer_tables

        for table in digitizer_tables(file, None):
            if not table.n_samples:
                continue
            numbering = Numbering(table)
            n_rows = max(_BLOCK_BYTES // max(table.row_bytes, 2 * table.n_samples), 1)
            for block in table.blocks(n_rows, pool=pool):
                assert block.waveforms is not None
                self._take(numbering.of(block.rows[EVENT]), block.waveforms)
                yield len(block)

    def _take(self, numbers: np.ndarray, waveforms: np.ndarray) -> None:
        at = np.searchsorted(self._numbers, numbers)
        at[at == len(self._numbers)] = 0
        is_known = self._numbers[at] == numbers if len(self._numbers) else np.zeros(len(at), np.bool_)
        rows = self._order[at[is_known]] if len(self._numbers) else np.zeros(0, np.intp)
        seen = waveforms[is_known]
        columns = {name: values[rows] for name, values in self._columns.items()}
        for name, box in self._boxes.items():
            self.masks[name][rows] = box.mask(seen, columns)
        self.n_found += len(rows)


def rows_through(
    t1_file: Path | str,
    t2_file: Path | str,
    names: Collection[str],
    *,
    tell: Tell = tell_nobody,
    pool: Executor | None = None,
) -> dict[str, np.ndarray]:
    """Tell for boxes, given as texts, which rows of a Tier 2 file pass: text -> (n_rows,) bool.

    Raises SettingsError for what is no box and for columns that are not there, TierFileError for files that
    do not belong together. `tell` may raise errors.Stopped.
    """
    from pygama.processing.tier2_sink import KEY
    from pygama.storage import TierFile

    boxes = boxes_among(names)
    if no_box := [name for name in names if name not in boxes]:
        raise SettingsError(f"{no_box[0]!r} is no box; write it as 'through(910, 950, 4000, 6000, bl_int)'")
    with TierFile(Path(t1_file)) as t1, TierFile(Path(t2_file)) as t2:
        table = t2.table(KEY)
        wanted = {EVENT}.union(*(box.above for box in boxes.values()))
        columns = {name: np.asarray(table.column(name)) for name in wanted if name in table.columns}
        try:
            passages = Passages(columns, boxes)
        except SettingsError as error:
            raise SettingsError(f"{t2.path.name}: {error}") from None
        n_done = 0
        for n in passages.steps(t1, pool):
            n_done += n
            tell(Progress(n_done, max(table.n_rows, n_done), n_done, passages.n_found))
        check_found(passages, table.n_rows, t1.path.name, t2.path.name)
    return passages.masks


def check_found(passages: Passages, n_rows: int, tier1: str, tier2: str) -> None:
    """Raise TierFileError if waveforms of some rows were not there."""
    if passages.n_found != n_rows:
        raise TierFileError(
            f"{tier2} has {n_rows} rows, but {tier1} the waveforms of {passages.n_found} of these; they are "
            "not of one run: process the raw run again"
        )


def numbers_of(events: np.ndarray) -> np.ndarray:
    """Number rows by their record and their place among its rows, (n,) int64, in any order of records."""
    events = np.asarray(events)
    order = np.argsort(events, kind="stable")
    ordered = events[order]
    numbers = np.empty(len(events), np.int64)
    place = np.arange(len(events)) - np.searchsorted(ordered, ordered)
    numbers[order] = ordered.astype(np.int64) * PER_RECORD + place
    return numbers


class Numbering:
    """Numbers the rows of a table by their record and their place in it, block for block."""

    def __init__(self, table: Table) -> None:
        if EVENT not in table.columns:
            raise TierFileError(f"{table.path.name}: table '{table.key}' has no column '{EVENT}'")
        self._where = f"{table.path.name}: table '{table.key}'"
        self._last = -1
        self._rows = 0

    def of(self, events: np.ndarray) -> np.ndarray:
        """Number the next rows, (n,) int64; raises TierFileError if their records are not in order."""
        if not len(events):
            return np.zeros(0, np.int64)
        if events[0] < self._last or (np.diff(events) < 0).any():
            raise TierFileError(f"{self._where} is not in the order of the run, so its rows cannot be found")
        place = np.arange(len(events)) - np.searchsorted(events, events)
        place[events == self._last] += self._rows
        self._rows = int(place[-1]) + 1
        self._last = int(events[-1])
        return events.astype(np.int64) * PER_RECORD + place
