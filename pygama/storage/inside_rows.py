"""Reads the rows of whatever lies in an HDF5 file, as columns; the ways of storing them are told apart here.

Every source checks what it is asked for against what may be read at once: sizes that a file claims cost
nothing to claim.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pygama.errors import TierFileError
from pygama.quick_dataclass import dataclass
from pygama.storage.elsewhere import file_of_values
from pygama.storage.frame_layout import FrameLayout, read_layout
from pygama.storage.hdf5 import tables
from pygama.storage.reader import attributes_of
from pygama.storage.safe import items_of
from pygama.storage.stored_rows import StoredRows
from pygama.storage.units import unit_of
from pygama.utils import grouped

MOST_BYTES = 64 * 1024 * 1024
"""What is given at once, whatever was asked for."""
LARGEST_CHUNK = 256 * 1024 * 1024
"""Bytes that must be decompressed to get at one row."""
WIDEST = 65_536
"""Values of one row that are shown."""
STEP_BYTES = 8 * 1024 * 1024

Columns = dict[str, "np.ndarray | list[Any]"]


@dataclass(frozen=True)
class Column:
    """One column. kind: its type in words. width: values in a row; 0 where that varies."""

    name: str
    kind: str
    unit: str = ""
    width: int = 1


class Source:
    """Rows of one table, frame, array or group of arrays."""

    kind = "unknown"

    def __init__(self, where: str, n_rows: int, columns: Sequence[Column]) -> None:
        self.where = where
        self.n_rows = n_rows
        self.columns = tuple(columns)
        self._names = {column.name for column in columns}

    def check(self, name: str) -> None:
        """Raise TierFileError if there is no such column."""
        if name not in self._names:
            there = ", ".join(column.name for column in self.columns[:20])
            raise TierFileError(f"{self.where} has no column {name!r}; it has {there}")

    @property
    def row_bytes(self) -> int:
        """What is read for one row."""
        raise NotImplementedError

    def read(self, start: int, stop: int, names: Sequence[str]) -> Columns:
        """Read rows start..stop, no more than fit."""
        raise NotImplementedError

    def read_columns(self, names: Sequence[str], start: int, stop: int) -> dict[str, np.ndarray]:
        """Read columns, some rows at a time, as far as MOST_BYTES go."""
        step = max(STEP_BYTES // max(self.row_bytes, 1), 1)
        parts: list[Columns] = []
        n_bytes = 0
        for first in range(start, max(stop, start + 1), step):
            parts.append(self.read(first, min(first + step, stop), names))
            for name, values in parts[-1].items():
                if isinstance(values, list):
                    raise TierFileError(f"{self.where}: column {name!r} holds no numbers")
                n_bytes += values.nbytes
            if n_bytes >= MOST_BYTES:
                break
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def _fitting(self, start: int, stop: int) -> int:
        """Give the end of the rows that fit. Raises TierFileError where not one does."""
        if self.row_bytes > MOST_BYTES:
            raise TierFileError(
                f"{self.where}: one row takes {grouped(self.row_bytes)} bytes, too many to be shown"
            )
        return min(stop, start + max(MOST_BYTES // max(self.row_bytes, 1), 1))


def find_source(node: Any, path: Path) -> Source | None:
    """Find what reads the rows of a PyTables node; None where there are none."""
    where = f"{path.name}: {node._v_pathname}"
    if isinstance(node, tables.Group):
        return _find_in_group(node, path, where)
    if isinstance(node, tables.UnImplemented) or not isinstance(node, tables.Leaf):
        raise TierFileError(f"{where} holds a kind of data that is not known here")
    elsewhere = file_of_values(node)
    if elsewhere is not None:
        raise TierFileError(f"{where} has its values in another file, '{elsewhere}', which is not read")
    if isinstance(node, tables.Table):
        return TableRows(node, where)
    if isinstance(node, tables.VLArray):
        return _ragged(node, where)
    return ArrayRows(node, where)


def _find_in_group(group: Any, path: Path, where: str) -> Source | None:
    kind = attributes_of(group).get("pandas_type", "")
    if kind == "frame" and "axis0" in group:
        return FixedRows(group, where)
    if "table" in group and isinstance(group._f_get_child("table"), tables.Table):
        table = group._f_get_child("table")
        try:
            return FrameRows(group, table, path, where)
        except TierFileError:
            return TableRows(table, where)  # not laid out as pandas does: its fields as they are
    return _arrays_of_one_length(group, where)


class FrameRows(Source):
    """An appendable frame of pandas, ours among them, with the arrays that lie beside it."""

    kind = "table"

    def __init__(self, group: Any, table: Any, path: Path, where: str) -> None:
        _check_chunk(table, where)
        self._layout: FrameLayout = read_layout(
            attributes_of(group), attributes_of(table), table.dtype, where
        )
        self._rows = StoredRows(table, path)
        n_samples = len(self._layout.samples)
        self._samples = f"({n_samples} samples)"
        columns = [
            Column(name, kind_words(self._layout.rows_type[name]), unit_of(name))
            for name in self._layout.columns
        ]
        if n_samples:
            columns.append(Column(self._samples, kind_words(self._layout.sample_type), width=n_samples))
        self._beside: dict[str, Source] = {}
        for node in group._f_iter_nodes("Leaf"):
            if node is not table and int(node.nrows) == self._rows.n_rows:
                source = find_source(node, path)
                if source is not None and not isinstance(node, tables.Table):
                    self._beside[node._v_name] = source
        columns += [
            Column(name, source.columns[0].kind, source.columns[0].unit, source.columns[0].width)
            for name, source in self._beside.items()
        ]
        super().__init__(where, self._rows.n_rows, columns)

    @property
    def row_bytes(self) -> int:
        """That of the table; arrays beside it see to themselves."""
        return int(self._layout.record.itemsize)

    def read(self, start: int, stop: int, names: Sequence[str]) -> Columns:
        """Read rows; arrays beside the table only where they are asked for."""
        stop = self._fitting(start, stop)
        found: Columns = {}
        if any(name not in self._beside for name in names):
            records = self._rows.fetch(start, stop).unpack()
            for name in names:
                if name == self._samples:
                    waveforms = self._layout.waveforms(records)
                    assert waveforms is not None
                    found[name] = waveforms[:, :WIDEST].copy()
                elif name not in self._beside:
                    found[name] = self._layout.column(records, name).copy()
        for name in set(names) & self._beside.keys():
            found[name] = _only(self._beside[name].read(start, stop, [self._beside[name].columns[0].name]))
        return _even({name: found[name] for name in names})


class TableRows(Source):
    """A table of PyTables, or of anybody else, by its fields."""

    kind = "table"

    def __init__(self, table: Any, where: str) -> None:
        self._table = table
        dtype: np.dtype = table.dtype
        _check_chunk(table, where)
        columns = [
            Column(str(name), kind_words(dtype[name].base), unit_of(str(name)), math.prod(dtype[name].shape))
            for name in dtype.names or ()
        ]
        super().__init__(where, int(table.nrows), columns)

    @property
    def row_bytes(self) -> int:
        """All fields of a row."""
        return int(self._table.dtype.itemsize)

    def read(self, start: int, stop: int, names: Sequence[str]) -> Columns:
        """Read whole records."""
        stop = self._fitting(start, stop)
        records = self._table.read(start, stop)
        return {name: _flat(np.asarray(records[name])) for name in names}


class ArrayRows(Source):
    """An array, row by row along its first dimension."""

    kind = "array"

    def __init__(self, array: Any, where: str) -> None:
        self._array = array
        shape = tuple(int(size) for size in array.shape)
        inner = tuple(int(size) for size in array.atom.shape)
        self._is_scalar = not shape
        self._rest = (*shape[1:], *inner)
        _check_chunk(array, where)
        column = Column(
            array._v_name, kind_words(array.atom.dtype.base), _unit_beside(array), math.prod(self._rest)
        )
        super().__init__(where, shape[0] if shape else 1, [column])

    @property
    def row_bytes(self) -> int:
        """What of a row is read."""
        values = self._rest if len(self._rest) != 1 else (min(self._rest[0], WIDEST),)
        return int(self._array.atom.dtype.base.itemsize) * math.prod(values)

    def read(self, start: int, stop: int, names: Sequence[str]) -> Columns:
        """Read rows, of wide ones the first WIDEST values."""
        stop = self._fitting(start, stop)
        if self._is_scalar:
            values = np.asarray(self._array.read()).reshape(1)
        elif len(self._array.shape) == 2:
            values = np.asarray(self._array[start:stop, :WIDEST])
        else:
            values = np.asarray(self._array[start:stop])
        return dict.fromkeys(names, _flat(values))


class RaggedRows(Source):
    """An array of varying length, row for row."""

    kind = "ragged"

    def __init__(self, array: Any, where: str, kind: str, load: Callable[[Any, int], Any]) -> None:
        self._array, self._load = array, load
        super().__init__(where, int(array.nrows), [Column(array._v_name, kind, _unit_beside(array), 0)])

    @property
    def row_bytes(self) -> int:
        """Not known before; each row is asked for its size."""
        return 1

    def read(self, start: int, stop: int, names: Sequence[str]) -> Columns:
        """Read rows until there is as much as may be."""
        found: list[Any] = []
        room = MOST_BYTES
        for row in range(start, stop):
            room -= self._size_of(row)
            if room < 0 and found:
                break
            found.append(self._load(self._array, row))
        return dict.fromkeys(names, found)

    def _size_of(self, row: int) -> int:
        size = int(self._array.get_row_size(row))
        if size > MOST_BYTES:
            raise TierFileError(f"{self.where}: row {row} takes {grouped(size)} bytes, too many to be shown")
        return size


class _Objects(RaggedRows):
    kind = "objects"


def _ragged(node: Any, where: str) -> Source:
    if not isinstance(node.atom, tables.Atom):
        words = {"vlstring": "text", "vlunicode": "text"}.get(node.atom.kind, "pickled")
        maker = _Objects if words == "pickled" else RaggedRows
        return maker(node, where, words, _load_plain)
    return RaggedRows(node, where, kind_words(node.atom.dtype.base), _load_numbers)


def _load_numbers(node: Any, row: int) -> np.ndarray:
    return np.asarray(node.read(row, row + 1)[0])


def _load_plain(node: Any, row: int) -> Any:
    value = node.read(row, row + 1)[0]
    found = items_of(value)
    return value if found is None else found[0]


class FixedRows(Source):
    """A frame that pandas stored in its fixed form; what it pickled is read where it is plain data."""

    kind = "frame"

    def __init__(self, group: Any, where: str) -> None:
        self._group = group
        shown = _labels(group._f_get_child("axis0"), where)
        self._places: dict[str, tuple[str, int]] = {}
        kinds: dict[str, str] = {}
        for number in range(int(group._v_attrs["nblocks"])):
            values = f"block{number}_values"
            for place, label in enumerate(_labels(group._f_get_child(f"block{number}_items"), where)):
                self._places[label] = (values, place)
                kinds[label] = self._kind_of(values)
        missing = [label for label in shown if label not in self._places]
        if missing:
            raise TierFileError(f"{where}: its columns and their names do not agree")
        super().__init__(
            where, self._count(), [Column(label, kinds[label], unit_of(label)) for label in shown]
        )

    def _kind_of(self, values: str) -> str:
        node = self._group._f_get_child(values)
        return "pickled" if isinstance(node, tables.VLArray) else kind_words(node.atom.dtype.base)

    def _count(self) -> int:
        index = self._group._f_get_child("axis1")
        if not isinstance(index, tables.VLArray):
            return int(index.nrows)
        found = items_of(index.read(0, 1)[0])
        return 0 if found is None else len(found[0])

    @property
    def row_bytes(self) -> int:
        """About what a row takes."""
        return 8 * max(len(self.columns), 1)

    def read(self, start: int, stop: int, names: Sequence[str]) -> Columns:
        """Read rows of the blocks that are asked for; a pickled block is read as a whole."""
        stop = self._fitting(start, stop)
        blocks: dict[str, Any] = {}
        found: Columns = {}
        for name in names:
            block, place = self._places[name]
            if block not in blocks:
                blocks[block] = self._read_block(block, start, stop)
            found[name] = blocks[block](place)
        return found

    def _read_block(self, name: str, start: int, stop: int) -> Callable[[int], Any]:
        node = self._group._f_get_child(name)
        if not isinstance(node, tables.VLArray):
            _check_chunk(node, self.where)
            values = np.asarray(node[start:stop])
            return lambda place: values[:, place]
        items, n_columns = self._unpickle(node)
        return lambda place: items[place::n_columns][start:stop]

    def _unpickle(self, node: Any) -> tuple[list[Any], int]:
        size = int(node.get_row_size(0))
        if size > MOST_BYTES:
            raise TierFileError(
                f"{self.where}: {node._v_name} takes {grouped(size)} bytes, too many to be shown"
            )
        found = items_of(node.read(0, 1)[0])
        if found is None or len(found[1]) not in (1, 2):
            raise TierFileError(f"{self.where}: {node._v_name} is pickled in a way that is not known")
        return found[0], max(found[1][1], 1) if len(found[1]) == 2 else 1


def _labels(node: Any, where: str) -> list[str]:
    if int(node.nrows) > WIDEST:
        raise TierFileError(f"{where}: it has {grouped(int(node.nrows))} columns, too many to be shown")
    if isinstance(node, tables.VLArray):
        found = items_of(node.read(0, 1)[0]) if int(node.nrows) else ([], ())
        labels = [] if found is None else found[0]
    else:
        labels = np.asarray(node.read()).tolist()
    return [_label(label) for label in labels]


def _label(label: Any) -> str:
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


class ColumnRows(Source):
    """A group of arrays of one length: a table whose columns lie apart, as in LH5."""

    kind = "columns"

    def __init__(self, sources: Mapping[str, Source], n_rows: int, where: str) -> None:
        self._sources = sources
        columns = [
            Column(name, source.columns[0].kind, source.columns[0].unit, source.columns[0].width)
            for name, source in sources.items()
        ]
        super().__init__(where, n_rows, columns)

    @property
    def row_bytes(self) -> int:
        """That of all arrays."""
        return sum(source.row_bytes for source in self._sources.values())

    def read(self, start: int, stop: int, names: Sequence[str]) -> Columns:
        """Read the arrays that are asked for."""
        found = {
            name: _only(self._sources[name].read(start, stop, [self._sources[name].columns[0].name]))
            for name in names
        }
        return _even(found)


def _arrays_of_one_length(group: Any, where: str) -> Source | None:
    sources: dict[str, Source] = {}
    for node in group._f_iter_nodes("Leaf"):
        if isinstance(node, tables.Table | tables.UnImplemented):
            return None
        try:
            source = find_source(node, Path(where.partition(": ")[0]))
        except TierFileError:
            return None  # said of the node itself
        assert source is not None
        sources[node._v_name] = source
    lengths = {source.n_rows for source in sources.values()}
    if len(sources) < 2 or len(lengths) != 1:
        return None
    return ColumnRows(sources, lengths.pop(), where)


def kind_words(kind: np.dtype | None) -> str:
    """Name a type as people do."""
    if kind is None:
        return ""
    if kind.kind in "SU":
        return f"text ({kind.itemsize // (4 if kind.kind == 'U' else 1)})"
    return f"record of {len(kind.names)}" if kind.names else kind.name


def _unit_beside(node: Any) -> str:
    for name in ("units", "unit"):
        if name in node._v_attrs and isinstance(node._v_attrs[name], str):
            unit = str(node._v_attrs[name])[:40]
            return "" if unit == "none" else unit
    return unit_of(node._v_name)


def _check_chunk(leaf: Any, where: str) -> None:
    n_bytes = math.prod(map(int, leaf.chunkshape or (0,))) * int(leaf.dtype.itemsize)
    if n_bytes > LARGEST_CHUNK:
        raise TierFileError(
            f"{where} is stored in pieces of {grouped(n_bytes)} bytes, too large to be looked into"
        )


def _flat(values: np.ndarray) -> np.ndarray:
    """Put all values of a row side by side, those that are shown: (n_rows,) or (n_rows, n)."""
    return values if values.ndim < 2 else values.reshape(len(values), -1)[:, :WIDEST]


def _only(columns: Columns) -> np.ndarray | list[Any]:
    return next(iter(columns.values()))


def _even(columns: Columns) -> Columns:
    """Cut all columns to the rows that every one of them has."""
    n_rows = min(map(len, columns.values()), default=0)
    return {name: values[:n_rows] for name, values in columns.items()}
