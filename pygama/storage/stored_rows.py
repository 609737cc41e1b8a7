"""Reads rows of one stored table or array, whole compressed chunks at a time.

HDF5 is only touched by the caller's thread: it says where the chunks lie. What it gives (`PackedRows`) is
read from there and decompressed in any thread, while the file is open; pickled, it takes the bytes with it.
Tables that other programs wrote in other ways are read through PyTables instead, whole records at a time,
because reading one field of a few rows reads thousands.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pygama.errors import TierFileError
from pygama.quick_dataclass import dataclass
from pygama.storage.chunk_map import Place, places_of_chunks
from pygama.storage.chunks import HEADER_BYTES, Unpacker, is_snappy, load_blosc
from pygama.storage.hdf5 import WAY_OUT, tables
from pygama.storage.sample_chunks import unpack_stored_samples
from pygama.utils import grouped

_LEAST_CHUNK_BYTES = 16
"""What the smallest compressed chunk takes in a file."""


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where a compressed chunk lies in an open file. Pickled, it becomes the chunk itself."""

    file: int
    offset: int
    n_bytes: int

    def read(self, n_bytes: int | None = None) -> bytes:
        """Read it, or its first bytes, in any thread; what the file lacks is missing at the end."""
        return os.pread(self.file, self.n_bytes if n_bytes is None else n_bytes, self.offset)

    def view(self) -> memoryview:
        """Read it into memory of this thread, which its next call writes over."""
        if not hasattr(os, "preadv") or self.n_bytes > _LONGEST_KEPT:
            return memoryview(self.read())
        memory = getattr(_of_thread, "memory", None)
        if memory is None or len(memory) < self.n_bytes:
            memory = _of_thread.memory = bytearray(self.n_bytes + self.n_bytes // 4)
        part = memoryview(memory)[: self.n_bytes]
        return part[: os.preadv(self.file, [part], self.offset)]

    def __reduce__(self) -> tuple[type[bytes], tuple[bytes]]:
        return bytes, (self.read(),)


_of_thread = threading.local()
_LONGEST_KEPT = 4 * 1024 * 1024
"""Bytes: for larger chunks no memory is kept."""


def _head(chunk: bytes | ChunkPlace) -> bytes:
    return chunk[:HEADER_BYTES] if isinstance(chunk, bytes) else chunk.read(HEADER_BYTES)


def _length(chunk: bytes | ChunkPlace) -> int:
    return len(chunk) if isinstance(chunk, bytes) else chunk.n_bytes


def _places_in(leaf: Any) -> int | None:
    """Give the descriptor of a leaf's file if chunks can be read there without HDF5, or None."""
    file = leaf._v_file
    return file.fileno() if hasattr(os, "pread") and not file.get_userblock_size() else None


class Scratch:
    """Memory to decompress into, used again and again: fresh memory costs as much as decompressing does.

    Pickled, it stays behind.
    """

    def __init__(self) -> None:
        self._spare: dict[int, list[np.ndarray]] = {}

    def take(self, n_bytes: int) -> np.ndarray:
        """Give memory, (n_bytes,) uint8, with anything in it."""
        try:
            return self._spare[n_bytes].pop()
        except LookupError:
            return np.empty(n_bytes, np.uint8)

    def give(self, memory: np.ndarray) -> None:
        """Take memory back, which nobody looks at any more."""
        self._spare.setdefault(len(memory), []).append(memory)

    def __reduce__(self) -> tuple[type[Scratch], tuple[()]]:
        return Scratch, ()


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Some rows as they lie in the file.

    chunks: compressed, each of `chunk_rows` rows; of all of their rows, `n_rows` from `skip` on are meant.
    records: the rows themselves, where they did not come as chunks. where, first: the file and the node, and
    the number of the first row that is meant, to be named where a chunk is damaged.
    """

    kind: np.dtype
    row_shape: tuple[int, ...]
    n_rows: int
    skip: int = 0
    chunk_rows: int = 0
    chunks: tuple[bytes | ChunkPlace, ...] = ()
    unpacker: Unpacker | None = None
    records: np.ndarray | None = None
    where: str = ""
    first: int = 0

    @property
    def n_bytes(self) -> int:
        """Memory that `unpack_into` needs; 0 where it needs none."""
        return len(self.chunks) * self.unpacker.chunk_bytes if self.unpacker is not None else 0

    @property
    def is_guarded(self) -> bool:
        """Whether each chunk has a checksum, which `unpack` looks at."""
        return self.unpacker is not None and all(
            self.unpacker.has_checksum(
                _head(chunk), chunk.n_bytes if isinstance(chunk, ChunkPlace) else len(chunk)
            )
            for chunk in self.chunks
        )

    def unpack(self) -> np.ndarray:
        """Decompress: (n_rows, *row_shape) of `kind`, contiguous."""
        return self.unpack_into(np.empty(self.n_bytes, np.uint8))

    def unpack_into(self, memory: np.ndarray) -> np.ndarray:
        """Decompress into `memory`, (n_bytes,) uint8, and view the rows there."""
        if self.records is not None:
            return np.ascontiguousarray(self.records)
        if self.unpacker is not None and self.chunks:
            places = memory.reshape(len(self.chunks), self.unpacker.chunk_bytes)
            done = self._unpack_samples(places)
            for number, (chunk, place) in enumerate(
                zip(self.chunks[done:], places[done:], strict=True), done
            ):
                try:
                    self.unpacker.unpack(chunk if isinstance(chunk, bytes) else chunk.view(), place)
                except TierFileError as error:
                    raise TierFileError(f"{self._rows_of(number)} are damaged; {WAY_OUT}") from error
        rows = memory.view(self.kind).reshape(len(self.chunks) * self.chunk_rows, *self.row_shape)
        return rows[self.skip : self.skip + self.n_rows]

    def _rows_of(self, number: int) -> str:
        """Name the rows of a chunk."""
        begin = self.first - self.skip + number * self.chunk_rows
        return f"{self.where}: rows {begin} to {begin + self.chunk_rows - 1}"

    def _unpack_samples(self, out: np.ndarray) -> int:
        """Decompress the first chunks at once, where they lie in the file and are samples; gives how many."""
        assert self.unpacker is not None
        stored = [chunk for chunk in self.chunks if isinstance(chunk, ChunkPlace)]
        if self.unpacker.packing != "blosc" or len(stored) < len(self.chunks):
            return 0
        places = [(chunk.offset, chunk.n_bytes) for chunk in stored]
        return unpack_stored_samples(stored[0].file, places, out)


class Rows(Protocol):
    """Rows that can be fetched by number."""

    n_rows: int
    chunk_rows: int

    def fetch(self, start: int, stop: int) -> PackedRows: ...

    def near(self, row: int) -> tuple[np.ndarray, int]: ...


class MemoryRows:
    """Rows that are in memory already."""

    def __init__(self, records: np.ndarray) -> None:
        self._records = records
        self.n_rows = len(records)
        self.chunk_rows = 1

    def fetch(self, start: int, stop: int) -> PackedRows:
        """Take rows start..stop."""
        part = self._records[start:stop]
        return PackedRows(part.dtype, part.shape[1:], len(part), records=part)

    def near(self, row: int) -> tuple[np.ndarray, int]:
        """Give rows with `row` among them, and its place there."""
        return self._records, row


class StoredRows:
    """Rows of one PyTables leaf (a Table, or an array of two dimensions) of the file at `path`."""

    def __init__(self, leaf: Any, path: Path) -> None:
        self._leaf = leaf
        self._path = path
        self._where = f"{path.name}: {leaf._v_pathname}"
        self.kind: np.dtype = leaf.dtype
        self.row_shape = tuple(int(size) for size in leaf.shape[1:])
        self.n_rows = int(leaf.nrows)
        self.chunk_rows = int(leaf.chunkshape[0]) if leaf.chunkshape else 1
        self._check_number()
        self._unpacker = self._find_unpacker()
        self._file = _places_in(leaf)
        self._may_be_snappy = True
        self._near: tuple[int, np.ndarray] | None = None
        self._near_memory = np.empty(0, np.uint8)

    def _check_number(self) -> None:
        """Refuse a number of rows for whose chunks the file has no room: memory would be asked for them."""
        n_bytes = self._path.stat().st_size
        if self.n_rows // self.chunk_rows * _LEAST_CHUNK_BYTES > n_bytes:
            raise TierFileError(
                f"{self._where}: it says {grouped(self.n_rows)} rows, for which its "
                f"{grouped(n_bytes)} bytes have no room: it is damaged; process the raw file again"
            )

    def _find_unpacker(self) -> Unpacker | None:
        leaf = self._leaf
        whole_rows = leaf.chunkshape is not None and tuple(leaf.chunkshape[1:]) == self.row_shape
        if not whole_rows or leaf.byteorder not in (sys.byteorder, "irrelevant"):
            return None
        filters = tables.utilsextension.get_filters(leaf._v_parent._v_objectid, leaf._v_name) or {}
        chunk_bytes = self.chunk_rows * self.kind.itemsize * int(np.prod(self.row_shape, dtype=np.int64))
        match list(filters):
            case ["blosc"]:
                load_blosc()
                return Unpacker("blosc", chunk_bytes)
            case ["deflate"]:
                return Unpacker("zlib", chunk_bytes)
            case ["shuffle", "deflate"]:
                return Unpacker("zlib", chunk_bytes, self.kind.itemsize)
        return None

    def fetch(self, start: int, stop: int) -> PackedRows:
        """Take rows start..stop, 0 <= start <= stop <= n_rows, from the file, not yet decompressed."""
        n_rows = stop - start
        if self._unpacker is None or not n_rows:
            return self._read_through_pytables(start, stop)
        first = start // self.chunk_rows
        chunks = []
        for number in range(first, -(-stop // self.chunk_rows)):
            chunk = self._find_chunk(number * self.chunk_rows)
            if chunk is None:
                return self._read_through_pytables(start, stop)
            if self._unpacker.packing == "blosc" and self._is_snappy(chunk):
                return self._records(_read_snappy(self._path, self._leaf._v_pathname, start, stop))
            chunks.append(chunk)
        skip = start - first * self.chunk_rows
        return PackedRows(
            self.kind,
            self.row_shape,
            n_rows,
            skip,
            self.chunk_rows,
            tuple(chunks),
            self._unpacker,
            where=self._where,
            first=start,
        )

    def _is_snappy(self, chunk: bytes | ChunkPlace) -> bool:
        """Tell it of a chunk; once one is compressed otherwise, none of the table is asked any more."""
        found = is_snappy(_head(chunk)) if self._may_be_snappy else False
        self._may_be_snappy = found is not False
        return bool(found)

    def _find_chunk(self, first_row: int) -> bytes | ChunkPlace | None:
        """Find a compressed chunk; None if it is missing or was stored uncompressed."""
        coords = (first_row, *(0 for _ in self.row_shape))
        place = self._place(coords)
        if place is None:
            return None
        left_out, offset, n_bytes = place
        if left_out:
            return None
        if self._file is None:
            return self._leaf.read_chunk(coords)
        return ChunkPlace(self._file, offset, n_bytes)

    def _place(self, coords: tuple[int, ...]) -> Place | None:
        if self._places is not None:
            return self._places.get(coords[0])
        info = self._leaf.chunk_info(coords)
        return None if info.offset is None else (info.filter_mask, info.offset, info.size)

    @cached_property
    def _places(self) -> dict[int, Place] | None:
        return places_of_chunks(self._leaf)

    def _read_through_pytables(self, start: int, stop: int) -> PackedRows:
        return self._records(self._leaf.read(start, stop))

    def _records(self, records: np.ndarray) -> PackedRows:
        plain = np.asarray(records).astype(self.kind, copy=False)
        return PackedRows(self.kind, self.row_shape, len(plain), records=plain)

    def near(self, row: int) -> tuple[np.ndarray, int]:
        """Give decompressed rows with `row` among them, and its place there.

        They are good until rows near another are asked for, whose memory is the same.
        """
        first = row // self.chunk_rows * self.chunk_rows
        if self._near is None or self._near[0] != first:
            self._near = None
            packed = self.fetch(first, min(first + self.chunk_rows, self.n_rows))
            if len(self._near_memory) != packed.n_bytes:
                self._near_memory = np.empty(packed.n_bytes, np.uint8)
            self._near = (first, packed.unpack_into(self._near_memory))
        return self._near[1], row - first


def _read_snappy(path: Path, node: str, start: int, stop: int) -> np.ndarray:
    """Read rows that need the snappy codec through h5py, if it is there."""
    try:
        import h5py
        import hdf5plugin  # noqa: F401  (brings the codec)
    except ImportError:
        raise TierFileError(
            f"{path.name}: {node} is compressed with blosc:snappy, which current PyTables cannot read; "
            "run: pip install h5py hdf5plugin"
        ) from None
    with h5py.File(path, "r") as file:
        return file[node][start:stop]
