"""Writes Tier 1 and Tier 2 files: rows come in blocks, whole compressed chunks go out.

Neither dates nor paths nor the pace of a pool leave a trace: equal input makes files of equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.errors import FileGone, OutputError, TierFileError
from pygama.storage.chunk_queue import ChunkedRows, ChunkQueue, Fill
from pygama.storage.chunks import (
    Codec,
    check_compression,
    codec_for,
    codec_for_samples,
    load_blosc,
    rows_in_a_chunk,
)
from pygama.storage.extents import n_rows_in
from pygama.storage.frame_layout import (
    PANDAS_NAMES,
    WIDEST_WAVEFORM,
    FrameLayout,
    little_endian,
    plain_labels,
    plan_layout,
)
from pygama.storage.hdf5 import create_file, description, output_errors, quiet, tables
from pygama.storage.publish import Draft
from pygama.storage.reader import WAVEFORM_ARRAY, TierFile, attributes_of
from pygama.storage.text_sums import LONG_TEXTS, write_sum
from pygama.storage.text_sums import NAME as SUM_OF_TEXTS

_LONGEST_ATTRIBUTE = 60_000
_NAME = re.compile(r"[A-Za-z][^/.\x00]*")
_SYSTEM_NAMES = PANDAS_NAMES | frozenset(
    {"CLASS", "VERSION", "TITLE", "PYTABLES_FORMAT_VERSION", "FILTERS", SUM_OF_TEXTS}
)


@dataclass(slots=True)
class _Stored:
    """A table and what lies beside it."""

    layout: FrameLayout
    rows: ChunkedRows
    arrays: dict[str, ChunkedRows]
    ragged: dict[str, Any] = field(default_factory=dict)


class TierWriter:
    """Writes one Tier file, to `<name>.part` first; use it in a `with` statement, or close or abandon it.

    path: the file to make or replace; its folder must exist.
    compression: one of `chunks.CHOICES`.
    pool: compresses chunks there, a few at a time, instead of in the caller's thread.
    chunk_rows: rows of each chunk; None chooses.

    Raises SettingsError for an unknown compression, OutputError where the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        compression: str = "zstd",
        pool: Executor | None = None,
        chunk_rows: int | None = None,
    ) -> None:
        self.path = Path(path)
        self._compression = check_compression(compression)
        self._chunk_rows = chunk_rows
        self._queue = ChunkQueue(pool)
        self._stored: dict[str, _Stored] = {}
        if self._compression in ("lz4", "zstd"):
            load_blosc()
        self._draft = Draft(self.path)
        self._is_complete = False
        try:
            self._file: Any = create_file(self._draft.part)
        except OutputError:
            self._draft.discard()
            raise

    def __enter__(self) -> TierWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the tables, in the order in which they were made."""
        return tuple(self._stored)

    def rows(self, key: str) -> int:
        """Count the rows of a table; 0 where there is none."""
        name = _plain_key(key)
        return self._stored[name].rows.n_total if name in self._stored else 0

    def write(self, key: str, block: Block, *, queryable: bool = False) -> None:
        """Append rows to a table, which is made at first use.

        Waveforms of up to 8192 samples become columns 0..n-1, longer ones an array `waveform` beside the
        table; traces become arrays beside it. queryable: each column can be used in pandas' `where=`.
        Raises OutputError if the block does not fit the rows before it.
        """
        name = _plain_key(key)
        with output_errors(self.path):
            if name not in self._stored:
                with quiet():
                    self._stored[name] = self._create(name, block, queryable=queryable)
            stored = self._stored[name]
            waveforms, arrays = _apart(block)
            _check_fit(name, stored, block, waveforms, arrays)
            self._append(stored, block, waveforms, arrays)

    def _append(
        self,
        stored: _Stored,
        block: Block,
        waveforms: np.ndarray | None,
        arrays: Mapping[str, np.ndarray],
    ) -> None:
        layout, first = stored.layout, stored.rows.n_total

        def fill_records(buffer: np.ndarray, part: slice) -> None:
            records = buffer.reshape(-1).view(layout.record)
            samples = None if waveforms is None else waveforms[part]
            layout.fill(records, first + part.start, block.rows[part], samples)

        stored.rows.append(len(block), fill_records)
        for name, array in arrays.items():
            stored.arrays[name].append(len(block), _copy_from(array))

    def _create(self, key: str, block: Block, *, queryable: bool) -> _Stored:
        waveforms, arrays = _apart(block)
        n_samples = 0 if waveforms is None else waveforms.shape[1]
        sample_type = None if waveforms is None else waveforms.dtype
        layout = plan_layout(block.rows.dtype, sample_type, n_samples, queryable=queryable)
        group = self._file.create_group("/", _check_name(key))
        stored = _Stored(layout, self._create_table(group, layout), {})
        _set_attributes(group, layout.group_attributes())
        _set_attributes(stored.rows.leaf, layout.table_attributes())
        for name, array in arrays.items():
            stored.arrays[name] = self._create_array(group, name, array)
        return stored

    def _create_table(self, group: Any, layout: FrameLayout) -> ChunkedRows:
        row_bytes = layout.record.itemsize
        sample_bytes = 0 if layout.sample_type is None else layout.sample_type.itemsize
        codec = codec_for(self._compression, row_bytes, sample_bytes)
        chunk_rows = self._chunk_rows or rows_in_a_chunk(row_bytes, codec)
        leaf = self._file.create_table(
            group,
            "table",
            description(layout.record),
            filters=_filters(codec),
            chunkshape=(chunk_rows,),
            track_times=False,
        )
        return ChunkedRows(leaf, codec, chunk_rows, row_bytes, self._queue)

    def _create_array(self, group: Any, name: str, array: np.ndarray) -> ChunkedRows:
        kind, n_values = little_endian(array.dtype), array.shape[1]
        codec = codec_for_samples(self._compression, kind.itemsize)
        chunk_rows = self._chunk_rows or rows_in_a_chunk(kind.itemsize * n_values, codec)
        leaf = self._file.create_earray(
            group,
            _check_name(name),
            tables.Atom.from_dtype(kind),
            (0, n_values),
            filters=_filters(codec),
            chunkshape=(chunk_rows, n_values),
            track_times=False,
        )
        return ChunkedRows(leaf, codec, chunk_rows, kind.itemsize * n_values, self._queue)

    def write_ragged(self, key: str, name: str, arrays: Sequence[np.ndarray]) -> None:
        """Append one 1-D array of any length for each row of a table that is there already."""
        stored = self._find(key)
        if not arrays:
            return
        with output_errors(self.path), quiet():
            self._queue.flush()
            if name not in stored.ragged:
                stored.ragged[name] = self._create_ragged(stored, name, np.asarray(arrays[0]).dtype)
            for array in arrays:
                stored.ragged[name].append(np.asarray(array))

    def _create_ragged(self, stored: _Stored, name: str, kind: np.dtype) -> Any:
        return self._file.create_vlarray(
            stored.rows.leaf._v_parent,
            _check_name(name),
            tables.Atom.from_dtype(kind),
            chunkshape=512,
            track_times=False,
        )

    def rename(self, old_key: str, new_key: str) -> None:
        """Give a table, and all beside it, another name that is still free."""
        old, new = _plain_key(old_key), _check_name(_plain_key(new_key))
        self._find(old)
        if new in self._stored:
            raise OutputError(f"{self.path.name}: '{old}' cannot become '{new}', which is there already")
        with output_errors(self.path), quiet():
            self._queue.flush()
            self._file.rename_node("/", new, name=old)
        self._stored = {new if key == old else key: value for key, value in self._stored.items()}

    def set_texts(self, key: str, texts: Mapping[str, str]) -> None:
        """Store texts with a table, or with the file (key "/"), as HDF5 strings that any program reads."""
        group = self._file.root if key == "/" else self._find(key).rows.leaf._v_parent
        with output_errors(self.path), quiet():
            for name, text in sorted(texts.items()):
                if name in _SYSTEM_NAMES:
                    raise OutputError(
                        f"{self.path.name}: a text cannot be named {name!r}, which HDF5 files need"
                    )
                self._set_text(group, _check_name(name), text)

    def _set_text(self, group: Any, name: str, text: str) -> None:
        self._remove_text(group, name)
        data = text.encode("utf-8", "backslashreplace")
        if len(data) <= _LONGEST_ATTRIBUTE and b"\0" not in data:
            group._v_attrs[name] = data.decode()
            return
        if LONG_TEXTS not in group:
            self._file.create_group(group, LONG_TEXTS)
        self._file.create_array(group[LONG_TEXTS], name, np.frombuffer(data, np.uint8), track_times=False)

    def _remove_text(self, group: Any, name: str) -> None:
        if name in group._v_attrs:
            del group._v_attrs[name]
        if LONG_TEXTS in group and name in group[LONG_TEXTS]:
            self._file.remove_node(group[LONG_TEXTS], name)

    def _find(self, key: str) -> _Stored:
        name = _plain_key(key)
        if name not in self._stored:
            raise OutputError(f"{self.path.name}: there is no table '{name}' yet; write its rows first")
        return self._stored[name]

    def complete(self) -> None:
        """Write the rest and read the file again to check it; `close` then only puts it in its place.

        Of several files that belong together, complete each before the first is closed. Raises OutputError,
        with the old file untouched, if it did not come out whole.
        """
        if self._file is None:
            return
        try:
            with output_errors(self.path):
                self._finish()
            self._check()
        except BaseException:
            self.abandon()
            raise
        self._is_complete = True

    def close(self) -> None:
        """Complete the file and put it in its place; raises what `complete` raises."""
        self.complete()
        if not self._is_complete:
            return
        try:
            self._draft.publish()
        except BaseException:
            self.abandon()
            raise
        self._is_complete = False

    def start_over(self) -> Path:
        """Put the rows so far aside and begin with an empty file again.

        Returns the file with the rows so far; it is the caller's to read and to remove.
        """
        with output_errors(self.path):
            self._finish()
            aside = self._draft.put_aside()
        self._stored = {}
        self._file = create_file(self._draft.part)
        return aside

    def _finish(self) -> None:
        for stored in self._stored.values():
            for rows in (stored.rows, *stored.arrays.values()):
                rows.send()
        self._queue.flush()
        for key, stored in self._stored.items():
            stored.rows.leaf.attrs.NROWS = stored.rows.n_rows
            self._check_ragged(key, stored)
        write_sum(self._file)
        self._close_file()

    def _check_ragged(self, key: str, stored: _Stored) -> None:
        for name, leaf in stored.ragged.items():
            if leaf.nrows != stored.rows.n_rows:
                raise OutputError(
                    f"{self.path.name}: '{key}' has {stored.rows.n_rows} rows, but {leaf.nrows} of {name!r}; "
                    "write one array for each row"
                )

    def _close_file(self) -> None:
        file, self._file = self._file, None
        file.close()

    def _check(self) -> None:
        try:
            with TierFile(self._draft.part) as written:
                for key, stored in self._stored.items():
                    _compare(key, stored, written)
        except FileGone as error:
            raise OutputError(
                f"{self.path.name} was removed from '{self.path.parent}' before it was whole; "
                "choose a folder that stays, and start again"
            ) from error
        except TierFileError as error:
            raise OutputError(
                f"{self.path.name} did not come out whole in '{self.path.parent}'; "
                "the disk may be full: make room and start again"
            ) from error

    def abandon(self) -> None:
        """Forget what was written and leave the old file as it was."""
        self._is_complete = False
        self._queue.drop()
        try:
            if self._file is not None:
                # What the part lacks does not matter: it is thrown away.
                with suppress(OSError, tables.HDF5ExtError):
                    self._close_file()
        finally:
            self._draft.discard()


def _plain_key(key: str) -> str:
    return key.strip("/")


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise OutputError(
            f"{name!r} cannot be a name in an HDF5 file; begin with a letter and leave out '/' and '.'"
        )
    return name


def _filters(codec: Codec) -> Any:
    if codec.name == "none":
        return tables.Filters(complevel=0)
    if codec.name == "zlib":
        return tables.Filters(complevel=codec.level, complib="zlib", shuffle=True)
    return tables.Filters(
        complevel=codec.level, complib=f"blosc:{codec.name}", bitshuffle=True, shuffle=False
    )


def _set_attributes(node: Any, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        node._v_attrs[name] = value


def _apart(block: Block) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
    """Part the waveforms that become columns from the arrays that lie beside the table."""
    arrays = {name: array for name, array in block.traces.items() if array.shape[1]}
    if taken := arrays.keys() & {"table", WAVEFORM_ARRAY, LONG_TEXTS}:
        raise OutputError(
            f"a trace cannot be named {taken.pop()!r}, which the file needs; give it another name"
        )
    if not block.n_samples:
        return None, arrays
    if block.n_samples > WIDEST_WAVEFORM and block.waveforms is not None:
        return None, {WAVEFORM_ARRAY: block.waveforms, **arrays}
    return block.waveforms, arrays


def _copy_from(array: np.ndarray) -> Fill:
    kind = little_endian(array.dtype)

    def fill(buffer: np.ndarray, part: slice) -> None:
        buffer.view(kind)[:] = array[part]

    return fill


def _check_fit(
    key: str, stored: _Stored, block: Block, waveforms: np.ndarray | None, arrays: Mapping[str, np.ndarray]
) -> None:
    """Raise OutputError if a block has not the columns, types and lengths of the blocks before it."""
    expected, given = stored.layout.rows_type, block.rows.dtype
    if given.names != expected.names:
        raise OutputError(f"{key}: rows with columns {given.names} do not fit a table with {expected.names}")
    for name in () if given == expected else expected.names or ():
        if not np.can_cast(given[name], expected[name], "safe"):
            raise OutputError(
                f"{key}: column {name!r} of type {given[name]} does not fit into {expected[name]}"
            )
    n_samples = 0 if waveforms is None else waveforms.shape[1]
    if n_samples != len(stored.layout.samples):
        raise OutputError(
            f"{key}: waveforms of {n_samples} samples do not fit a table of {len(stored.layout.samples)}; "
            "give them a table of their own"
        )
    if waveforms is not None and not _fits(waveforms.dtype, stored.layout.sample_type):
        raise OutputError(
            f"{key}: samples of type {waveforms.dtype} do not fit into {stored.layout.sample_type}"
        )
    given_arrays = {name: (len(array), array.shape[1]) for name, array in arrays.items()}
    expected_arrays = {name: (len(block), array.leaf.shape[1]) for name, array in stored.arrays.items()}
    if given_arrays != expected_arrays:
        raise OutputError(f"{key}: arrays of {given_arrays} do not fit a table with {expected_arrays}")
    for name, array in arrays.items():
        if not _fits(array.dtype, stored.arrays[name].leaf.dtype):
            raise OutputError(
                f"{key}: {name!r} of type {array.dtype} does not fit into {stored.arrays[name].leaf.dtype}"
            )


def _fits(given: np.dtype, stored: np.dtype | None) -> bool:
    return stored is not None and np.can_cast(given, stored, "safe")


def _compare(key: str, stored: _Stored, written: TierFile) -> None:
    """Raise TierFileError if a table does not read back with the rows and columns that went in."""
    with written.reading() as file:
        group = file.root[key]
        names = ("table", *stored.arrays, *stored.ragged)
        counts = {name: n_rows_in(group, name) for name in names}
        labels = plain_labels(attributes_of(group)["non_index_axes"][0][1])
    expected = dict.fromkeys(names, stored.rows.n_rows)
    if counts != expected or labels != stored.layout.labels:
        raise TierFileError(
            f"'{key}' holds rows {counts} instead of {expected}, or lost the names of its columns"
        )
