"""Reads Tier 1 and Tier 2 files: ours, and those that pandas wrote since 2018.

Nothing in a file is ever run (see `safe`). Decompression can go to a pool; the file itself is read by the
caller's thread, and a TierFile is for one thread at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.errors import TierFileError
from pygama.storage.fixed_frame import read_fixed_frame
from pygama.storage.frame_layout import PANDAS_NAMES, FrameLayout, read_layout
from pygama.storage.hdf5 import may_be_hdf5, quiet, reason_of, tables
from pygama.storage.safe import only_plain_data
from pygama.storage.stored_rows import MemoryRows, PackedRows, Rows, Scratch, StoredRows

WAVEFORM_ARRAY = "waveform"
"""The array beside a table that holds waveforms too long to be columns."""
LONG_TEXTS = "_texts"
"""The group beside a table, or in the root, that holds texts too long to be attributes."""
BLOCKS_AHEAD = 4
"""Blocks that are decompressed in a pool before they are asked for: bounds the memory."""

_COLUMN_BYTES = 8 * 1024 * 1024


class TierFile:
    """A Tier file, open for reading; use it in a `with` statement or close it.

    Raises TierFileError if the file is not there, damaged, not HDF5, or asks for a program to be run.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._file: Any = None
        self._kinds: dict[str, str] = {}
        if not self.path.is_file():
            raise TierFileError(f"'{self.path}' is not a file; was it moved or is its name misspelled?")
        if not may_be_hdf5(self.path):
            raise TierFileError(
                f"{self.path.name} cannot be read as a Tier file: it is not HDF5; "
                "of a raw file, make its Tier 1 file first"
            )
        try:
            with only_plain_data(self.path.name), _read_errors(self.path), quiet():
                self._file = tables.open_file(str(self.path), "r")
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
                file.close()

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

    def texts(self, key: str) -> dict[str, str]:
        """Read the texts stored with a table, or with the file (key "/")."""
        with self.reading() as file, quiet():
            group = file.root if key == "/" else file.root[key.strip("/")]
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
    ) as error:
        raise TierFileError(
            f"{path.name} cannot be read as a Tier file ({reason_of(error)}); process the raw file again"
        ) from error


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
        self._ragged_rows: dict[str, int] = {}
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
        self.ragged = tuple(self._ragged_rows)
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
        self._ragged_rows = {node._v_name: int(node.nrows) for node in group._f_iter_nodes("VLArray")}

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
    def row_counts(self) -> dict[str, int]:
        """Rows of the table and of each array beside it: all equal in a whole file."""
        beside = {name: array.n_rows for name, array in self._arrays.items()}
        return {"table": self.n_rows, **beside, **self._ragged_rows}

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
    ) -> Iterator[Block]:
        """Read all rows in order, in blocks of at most `n_rows`, decompressed ahead in `pool` if given.

        Blocks are made of whole stored chunks where that is possible, so they can be a little smaller.
        then: what is done with each block there, row for row; no array of the block may be left in what it
        gives, because their memory is used again.
        """
        whole = self._whole_chunks(n_rows)
        packed = (
            self._fetch(first, min(first + whole, self.n_rows), waveforms=waveforms)
            for first in range(0, self.n_rows, whole)
        )
        for block in _unpack_in_order(packed, pool, then):
            for first in range(0, len(block), n_rows):
                yield block[first : first + n_rows] if len(block) > n_rows else block

    def _whole_chunks(self, n_rows: int) -> int:
        """Round to whole chunks of the widest array, at least one."""
        chunk_rows = self._rows.chunk_rows
        if WAVEFORM_ARRAY in self._arrays:
            chunk_rows = self._arrays[WAVEFORM_ARRAY].chunk_rows
        return max(n_rows // chunk_rows, 1) * chunk_rows

    def _fetch(self, start: int, stop: int, *, waveforms: bool) -> _PackedBlock:
        with self._file.reading():
            arrays = {name: array.fetch(start, stop) for name, array in self._arrays.items() if waveforms}
            return _PackedBlock(self.key, self._layout, self._rows.fetch(start, stop), arrays, waveforms)

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


def _unpack(packed: _PackedBlock, then: Then | None, scratch: Scratch) -> Block:
    return packed.unpack() if then is None else packed.unpack_then(then, scratch)


def _unpack_in_order(
    packed: Iterable[_PackedBlock], pool: Executor | None, then: Then | None
) -> Iterator[Block]:
    scratch = Scratch()
    if pool is None:
        yield from (_unpack(block, then, scratch) for block in packed)
        return
    ahead: deque[Future[Block]] = deque()
    try:
        for block in packed:
            ahead.append(pool.submit(_unpack, block, then, scratch))
            if len(ahead) > BLOCKS_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        # Those that are under way still read from the file.
        wait([future for future in ahead if not future.cancel()])
