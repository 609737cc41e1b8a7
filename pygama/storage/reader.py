"""Reads Tier 1 and Tier 2 files: ours, and those that pandas wrote since 2018.

Nothing in a file is ever run (see `safe`). Decompression can go to a pool; the file itself is read by the
caller's thread, and a TierFile is for one thread at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from pygama.block import Block
from pygama.errors import FileGone, TierFileError
from pygama.quick_dataclass import dataclass
from pygama.storage.fixed_frame import read_fixed_frame
from pygama.storage.frame_layout import PANDAS_NAMES, FrameLayout, plain_labels, read_layout
from pygama.storage.hdf5 import may_be_hdf5, quiet, tables, what_happened
from pygama.storage.opening import close, open_to_read
from pygama.storage.safe import only_plain_data
from pygama.storage.stored_rows import MemoryRows, PackedRows, Rows, Scratch, StoredRows
from pygama.storage.text_sums import LONG_TEXTS, sum_fits

WAVEFORM_ARRAY = "waveform"
"""The array beside a table that holds waveforms too long to be columns."""
BLOCKS_AHEAD = 4
"""Blocks that are decompressed in a pool before they are asked for: bounds the memory."""

_COLUMN_BYTES = 8 * 1024 * 1024
_T = TypeVar("_T")


class TierFile:
    """A Tier file, open for reading; use it in a `with` statement or close it.

    Raises TierFileError if the file is not there, damaged, not HDF5, or asks for a program to be run.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._file: Any = None
        self._kinds: dict[str, str] = {}
        if not self.path.is_file():
            raise FileGone(self.path)
        if not may_be_hdf5(self.path):
            raise TierFileError(
                f"{self.path.name} cannot be read as a Tier file: it is not HDF5; "
                "of a raw file, make its Tier 1 file first"
            )
        try:
            with only_plain_data(self.path.name), _read_errors(self.path), quiet():
                self._file = open_to_read(self.path)
                self._kinds = {group._v_name: kind for group, kind in self._frames()}
        except BaseException:
            self.close()
            raise

    def _frames(self) -> Iterator[tuple[Any, str]]:
        for group in self._file.iter_nodes("/", "Group"):
            if "pandas_type" in group._v_attrs:
                yield group, str(group._v_attrs["pandas_type"])

    def __enter__(self) -> TierFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; its tables can no longer be read."""
        if self._file is not None:
            file, self._file = self._file, None
            with only_plain_data(self.path.name):
                close(file)

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Give the open PyTables file, safe to touch inside the `with` statement."""
        if self._file is None:
            raise TierFileError(f"{self.path.name} is closed; open it again to read from it")
        with only_plain_data(self.path.name), _read_errors(self.path):
            yield self._file

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the tables, without a leading slash, in alphabetical order."""
        return tuple(sorted(self._kinds))

    def table(self, key: str) -> Table:
        """Find a table by its name.

        Raises TierFileError if there is none, or if its content is pickled.
        """
        name = key.strip("/")
        if name not in self._kinds:
            there = ", ".join(repr(each) for each in self.keys) or "no tables"
            raise TierFileError(f"{self.path.name}: there is no table '{name}'; it holds {there}")
        return Table(self, name, is_fixed=self._kinds[name] == "frame")

    def names(self, key: str) -> frozenset[str] | None:
        """Tell cheaply what a table has: columns, arrays beside it, and "waveform" where there are samples.

        None where only `table` can tell.
        """
        with self.reading() as file:
            group = file.root[key.strip("/")]
            try:
                labels = plain_labels(attributes_of(group)["non_index_axes"][0][1])
            except (LookupError, TypeError, ValueError):
                return None
            samples = [WAVEFORM_ARRAY] if any(isinstance(label, int) for label in labels) else []
            return frozenset(
                {*(label for label in labels if isinstance(label, str)), *group._v_children, *samples}
            )

    def texts(self, key: str) -> dict[str, str]:
        """Read the texts stored with a table, or with the file (key "/")."""
        with self.reading() as file, quiet():
            return _texts_of(file, file.root if key == "/" else file.root[key.strip("/")])

    def texts_fit(self) -> bool | None:
        """Tell whether all names and texts are as they were written; None where no checksum guards them.

        Raises TierFileError where they cannot be read.
        """
        with self.reading() as file:
            return sum_fits(file)


def texts_of_file(path: Path) -> dict[str, str]:
    """Read the texts stored with a file as `TierFile.texts` does, without looking at its tables."""
    with only_plain_data(path.name), _read_errors(path), quiet():
        file = open_to_read(path)
        try:
            return _texts_of(file, file.root)
        finally:
            close(file)


def _texts_of(file: Any, group: Any) -> dict[str, str]:
    texts = {}
    for name in group._v_attrs._f_list("user"):
        if name not in PANDAS_NAMES and isinstance(group._v_attrs[name], str):
            texts[name] = str(group._v_attrs[name])
    if LONG_TEXTS in group:
        for node in file.iter_nodes(group[LONG_TEXTS], "Array"):
            texts[node._v_name] = node.read().tobytes().decode("utf-8", "replace")
    return texts


@contextmanager
def _read_errors(path: Path) -> Iterator[None]:
    """Turn what PyTables raises for damaged files into TierFileError."""
    try:
        yield
    except (
        OSError,
        tables.HDF5ExtError,
        tables.NodeError,
        LookupError,
        AttributeError,
        TypeError,
        ValueError,
        SystemError,
    ) as error:
        raise TierFileError(f"{path.name} cannot be read as a Tier file: {what_happened(error)}") from error


@dataclass(frozen=True, slots=True)
class _PackedBlock:
    """A block whose rows are still compressed."""

    key: str
    layout: FrameLayout
    records: PackedRows
    arrays: dict[str, PackedRows]
    waveforms: bool

    def unpack(self) -> Block:
        return self._block(self.records.unpack(), {name: rows.unpack() for name, rows in self.arrays.items()})

    def _block(self, records: np.ndarray, arrays: dict[str, np.ndarray]) -> Block:
        waveforms = arrays.pop(WAVEFORM_ARRAY, None)
        if waveforms is None and self.waveforms:
            waveforms = self.layout.waveforms(records)
        return Block(self.key, self.layout.rows(records), waveforms, arrays)

    def unpack_then(self, then: Then, scratch: Scratch) -> Block:
        """Unpack into memory that is used again once `then` has made something of the block."""
        memory = {name: scratch.take(rows.n_bytes) for name, rows in self.arrays.items()}
        of_records = scratch.take(self.records.n_bytes)
        try:
            arrays = {name: rows.unpack_into(memory[name]) for name, rows in self.arrays.items()}
            return then(self._block(self.records.unpack_into(of_records), arrays))
        finally:
            for used in (of_records, *memory.values()):
                scratch.give(used)


Then = Callable[[Block], Block]
"""Makes another block of one, row for row, and keeps nothing of it."""


class Columns(Mapping[str, np.ndarray]):
    """The single-valued columns of some rows, each a view that is made when it is asked for, (n_rows,)."""

    def __init__(self, layout: FrameLayout, records: np.ndarray) -> None:
        self._layout, self._records = layout, records
        self.n_rows = len(records)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._layout.columns:
            raise KeyError(name)
        return self._layout.column(self._records, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layout.columns)

    def __len__(self) -> int:
        return len(self._layout.columns)


@dataclass(frozen=True, slots=True)
class _PackedColumns:
    """Rows that are still compressed, of which some columns are wanted."""

    first: int
    layout: FrameLayout
    records: PackedRows

    def unpack_then(self, then: Callable[[int, Columns], _T], scratch: Scratch) -> _T:
        memory = scratch.take(self.records.n_bytes)
        try:
            return then(self.first, Columns(self.layout, self.records.unpack_into(memory)))
        finally:
            scratch.give(memory)


class Table:
    """One table of a Tier file and what lies beside it. Made by `TierFile.table`.

    key: its name, which is that of the decoder.
    labels: all columns in the order to show them: names, and whole numbers for samples.
    columns: names of the single-valued columns among them.
    n_samples: of each waveform, 0 where there are none; sample_dtype: their type, or None.
    traces: name -> length of the further arrays, row for row.
    ragged: names of arrays of varying length, row for row.
    """

    def __init__(self, file: TierFile, key: str, *, is_fixed: bool) -> None:
        self.key = key
        self._file = file
        self._where = f"{file.path.name}: table '{key}'"
        self._arrays: dict[str, StoredRows] = {}
        self.ragged: tuple[str, ...] = ()
        self._rows: Rows
        with file.reading() as handle, quiet():
            group = handle.root[key]
            if is_fixed:
                self._layout, records = read_fixed_frame(group, self._where)
                self._rows = MemoryRows(records)
            else:
                self._open(group)
        self.n_rows = self._rows.n_rows
        self.labels = self._layout.labels
        self.columns = self._layout.columns
        self.traces = {
            name: array.row_shape[0] for name, array in self._arrays.items() if name != WAVEFORM_ARRAY
        }
        self.n_samples, self.sample_dtype = self._samples()

    def _open(self, group: Any) -> None:
        if "table" not in group or not isinstance(group["table"], tables.Table):
            raise TierFileError(
                f"{self._where} holds no rows in a form that can be read; use pandas to read it"
            )
        table = group["table"]
        self._rows = StoredRows(table, self._file.path)
        self._layout = read_layout(attributes_of(group), attributes_of(table), table.dtype, self._where)
        for node in group._f_iter_nodes("EArray"):
            if node.ndim == 2:
                self._arrays[node._v_name] = self._open_array(node)
        self.ragged = tuple(node._v_name for node in group._f_iter_nodes("VLArray"))

    def _open_array(self, node: Any) -> StoredRows:
        array = StoredRows(node, self._file.path)
        if array.n_rows != self._rows.n_rows:
            raise TierFileError(
                f"{self._where} has {self._rows.n_rows} rows, but '{node._v_name}' beside it {array.n_rows}; "
                "process the raw file again"
            )
        return array

    def _samples(self) -> tuple[int, np.dtype | None]:
        if WAVEFORM_ARRAY in self._arrays:
            array = self._arrays[WAVEFORM_ARRAY]
            return array.row_shape[0], array.kind
        return len(self._layout.samples), self._layout.sample_type

    def __len__(self) -> int:
        return self.n_rows

    @property
    def path(self) -> Path:
        """The file that it is in."""
        return self._file.path

    @property
    def stored(self) -> tuple[StoredRows, ...]:
        """Its rows and the arrays beside them as they lie in the file; none where it is in memory already."""
        rows = (self._rows,) if isinstance(self._rows, StoredRows) else ()
        return (*rows, *self._arrays.values())

    @property
    def kinds(self) -> dict[str, np.dtype]:
        """Types of the single-valued columns."""
        return {name: self._layout.rows_type[name] for name in self.columns}

    @property
    def row_bytes(self) -> int:
        """What one row takes, decompressed, without the arrays beside."""
        return self._layout.record.itemsize

    def read(self, start: int = 0, stop: int | None = None, *, waveforms: bool = True) -> Block:
        """Read rows start..stop, as in a slice. Without waveforms, traces are left out as well."""
        first, last, _ = slice(start, stop).indices(self.n_rows)
        return self._fetch(first, max(first, last), waveforms=waveforms).unpack()

    def blocks(
        self,
        n_rows: int,
        *,
        pool: Executor | None = None,
        waveforms: bool = True,
        then: Then | None = None,
        n_ahead: int = BLOCKS_AHEAD,
    ) -> Iterator[Block]:
        """Read all rows in order, in blocks of at most `n_rows`, decompressed ahead in `pool` if given.

        Blocks are made of whole stored chunks where that is possible, so they can be a little smaller.
        then: what is done with each block there, row for row; no array of the block may be left in what it
        gives, because their memory is used again. n_ahead: blocks that may wait; more where `then` gives
        little, so that the pool has work while who asks is busy.
        """
        whole = self.block_rows(n_rows)
        packed = (
            self._fetch(first, min(first + whole, self.n_rows), waveforms=waveforms)
            for first in range(0, self.n_rows, whole)
        )
        for block in _unpack_in_order(packed, pool, then, n_ahead):
            for first in range(0, len(block), n_rows):
                yield block[first : first + n_rows] if len(block) > n_rows else block

    def block_rows(self, n_rows: int) -> int:
        """Give how many rows `blocks` reads at a time: whole chunks of the widest array, at least one."""
        chunk_rows = self._rows.chunk_rows
        if WAVEFORM_ARRAY in self._arrays:
            chunk_rows = self._arrays[WAVEFORM_ARRAY].chunk_rows
        return max(n_rows // chunk_rows, 1) * chunk_rows

    def _fetch(self, start: int, stop: int, *, waveforms: bool) -> _PackedBlock:
        with self._file.reading():
            arrays = {name: array.fetch(start, stop) for name, array in self._arrays.items() if waveforms}
            return _PackedBlock(self.key, self._layout, self._rows.fetch(start, stop), arrays, waveforms)

    def map_columns(
        self, then: Callable[[int, Columns], _T], n_rows: int, *, pool: Executor | None = None
    ) -> Iterator[_T]:
        """Give what `then` makes of the number of the first row and the columns, block for block, in order.

        `then` runs in `pool` if given, ahead of who asks. The columns are views of memory that is used
        again: nothing of them may be left in what it gives. Blocks have at most about `n_rows` rows. Rows
        are stored whole, so one column costs as much to decompress as all.
        """
        step = max(n_rows // self._rows.chunk_rows, 1) * self._rows.chunk_rows
        packed = (self._packed_columns(first, step) for first in range(0, self.n_rows, step))
        yield from _then_in_order(packed, pool, then)

    def _packed_columns(self, first: int, step: int) -> _PackedColumns:
        with self._file.reading():
            last = min(first + step, self.n_rows)
            return _PackedColumns(first, self._layout, self._rows.fetch(first, last))

    def rows_at(self, rows: np.ndarray) -> Block:
        """Read rows by their numbers, in the order asked for, with waveforms and traces.

        Raises TierFileError for a row that is not there.
        """
        numbers, back = np.unique(np.asarray(rows, np.int64), return_inverse=True)
        if len(numbers) and not 0 <= numbers[0] <= numbers[-1] < self.n_rows:
            wrong = numbers[-1] if numbers[0] >= 0 else numbers[0]
            raise TierFileError(f"{self._where} has no row {wrong}: it has {self.n_rows} rows")
        chunk = numbers // self.block_rows(1)
        near = np.split(numbers, np.flatnonzero(np.diff(chunk)) + 1) if len(numbers) else []
        parts = [self.read(int(some[0]), int(some[-1]) + 1)[some - some[0]] for some in near]
        return joined_blocks(parts or [self.read(0, 0)])[back.reshape(-1)]

    def column(self, name: str) -> np.ndarray:
        """Read one single-valued column, (n_rows,)."""
        if name not in self.columns:
            raise TierFileError(f"{self._where} has no column {name!r}; it has {', '.join(self.columns)}")
        values = np.empty(self.n_rows, self._layout.rows_type[name])
        step = self._rows.chunk_rows * max(
            _COLUMN_BYTES // (self._layout.record.itemsize * self._rows.chunk_rows), 1
        )
        for first in range(0, self.n_rows, step):
            last = min(first + step, self.n_rows)
            with self._file.reading():
                packed = self._rows.fetch(first, last)
            values[first:last] = self._layout.column(packed.unpack(), name)
        return values

    def waveform(self, row: int) -> np.ndarray:
        """Read one waveform, (n_samples,); quick for rows near the one asked for before."""
        if not 0 <= row < self.n_rows or not self.n_samples:
            raise TierFileError(
                f"{self._where} has no waveform of row {row}: "
                f"it has {self.n_rows} rows of {self.n_samples} samples"
            )
        with self._file.reading():
            if WAVEFORM_ARRAY in self._arrays:
                rows, place = self._arrays[WAVEFORM_ARRAY].near(row)
                return rows[place].copy()
            records, place = self._rows.near(row)
        waveforms = self._layout.waveforms(records[place : place + 1])
        assert waveforms is not None
        return waveforms[0].copy()

    def read_ragged(self, name: str, start: int = 0, stop: int | None = None) -> list[np.ndarray]:
        """Read arrays of varying length, one a row, of rows start..stop."""
        if name not in self.ragged:
            raise TierFileError(f"{self._where} has no arrays {name!r}; it has {self.ragged}")
        with self._file.reading() as handle:
            node = handle.root[self.key][name]
            if not isinstance(node.atom, tables.Atom):
                raise TierFileError(
                    f"{self._where}: {name!r} is pickled, which could run a program, and is not read; "
                    "use pandas if you trust the file"
                )
            return node.read(*slice(start, stop).indices(self.n_rows)[:2])


def attributes_of(node: Any) -> dict[str, Any]:
    """Give the attributes of a node, under a guard of `safe`."""
    # From PyTables' own memory of them: asking for one by name would read and unpickle it a second time.
    attributes = node._v_attrs
    return {name: attributes.__dict__[name] for name in attributes._f_list("user")}


def joined_blocks(blocks: Sequence[Block]) -> Block:
    """Put blocks of equal columns and lengths behind one another."""
    if len(blocks) == 1:
        return blocks[0]
    waveforms = [block.waveforms for block in blocks if block.waveforms is not None]
    return Block(
        blocks[0].decoder,
        np.concatenate([block.rows for block in blocks]),
        np.concatenate(waveforms) if waveforms else None,
        {name: np.concatenate([block.traces[name] for block in blocks]) for name in blocks[0].traces},
    )


def _unpack(packed: _PackedBlock, then: Then | None, scratch: Scratch) -> Block:
    return packed.unpack() if then is None else packed.unpack_then(then, scratch)


def _unpack_in_order(
    packed: Iterable[_PackedBlock], pool: Executor | None, then: Then | None, n_ahead: int
) -> Iterator[Block]:
    scratch = Scratch()
    yield from _in_order(((_unpack, block, then, scratch) for block in packed), pool, n_ahead)


def _then_in_order(
    packed: Iterable[_PackedColumns], pool: Executor | None, then: Callable[[int, Columns], _T]
) -> Iterator[_T]:
    scratch = Scratch()
    calls = ((_PackedColumns.unpack_then, one, then, scratch) for one in packed)
    yield from _in_order(calls, pool, BLOCKS_AHEAD)


def _in_order(calls: Iterable[tuple[Any, ...]], pool: Executor | None, n_ahead: int) -> Iterator[Any]:
    """Make calls, function first, `n_ahead` of them ahead in a pool, and give their results in order."""
    if pool is None:
        yield from (function(*arguments) for function, *arguments in calls)
        return
    ahead: deque[Future[Any]] = deque()
    try:
        for call in calls:
            ahead.append(pool.submit(*call))
            if len(ahead) > n_ahead:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        # Those that are under way still read from the file.
        wait([future for future in ahead if not future.cancel()])
