"""Compresses and decompresses the chunks of a table, outside HDF5.

PyTables passes Blosc a type size of 1 for rows wider than 255 bytes, and its shuffle then does nothing. A
chunk's own header carries its type size, so chunks that are compressed here, with the size of a sample, are
half as large and still read by everybody. It also runs in any thread: HDF5 never does.
Behind what Blosc made lies its CRC-32, of which Blosc and HDF5 take no notice; files that were written before
2026-11 have none.
Blosc comes from numcodecs (version 1 chunks), with its own threads off.
"""

from __future__ import annotations

import importlib
import importlib.util
import struct
import sys
import threading
import zlib
from types import ModuleType
from typing import Any, Literal

import numpy as np

from pygama.errors import SettingsError, TierFileError
from pygama.quick_dataclass import dataclass
from pygama.storage.sample_chunks import CHECKSUM, crc32, pack_samples, unpack_samples

CHOICES = ("lz4", "zstd", "zlib", "none")
WIDEST_TYPE = 255
"""Bytes: the largest type size of Blosc."""

_CHUNK_BYTES = 1024 * 1024
_CHUNK_BYTES_UNPACKED = 64 * 1024
"""The last chunk of a table is stored whole: without compression that costs room."""

_BLOSC_HEADER = struct.Struct("<BBBBIII")
HEADER_BYTES = _BLOSC_HEADER.size
_BLOSC_VERSION, _STORED_AS_IT_IS, _SNAPPY = 2, 0x02, 2
_BIT_SHUFFLE = 2
_LEVEL_OF_NUMBERS = 2
"""Of zstd, for rows without samples: 0.5 % smaller than 1 in a tenth more time; 3 would take 70 % more."""

_OF_SAMPLES, _ZSTD_LEVEL = ("zstd", 1, 2, True), 1
"""Codec of 16-bit samples that is also done without Blosc, and the level that zstd's own is at Blosc's 1."""

_lock = threading.Lock()
_loaded: dict[str, ModuleType] = {}


def check_compression(name: str) -> str:
    """Return one of CHOICES, or raise SettingsError naming them. 'blosc:lz4' means 'lz4'."""
    plain = name.removeprefix("blosc:") if isinstance(name, str) else ""
    if plain not in CHOICES:
        choices = ", ".join(repr(choice) for choice in CHOICES)
        raise SettingsError(f"compression must be one of {choices}, not {name!r}; 'lz4' is the fastest")
    return plain


@dataclass(frozen=True, slots=True)
class Codec:
    """How the chunks of one table are compressed.

    type_size: bytes; bytes (or bits) of equal place within this many are stored side by side.
    whole: Blosc works on the chunk in one piece: smaller, and for zstd quicker to read too.
    """

    name: str
    level: int
    type_size: int
    whole: bool = False

    def compress(self, chunk: np.ndarray) -> bytes:
        """Compress a chunk, (n_bytes,) uint8, and put a checksum behind it; zlib has one inside."""
        if self.name == "none":
            return chunk.tobytes()
        if self.name == "zlib":
            return zlib.compress(_planes(chunk, self.type_size).data, self.level)
        if (self.name, self.level, self.type_size, self.whole) == _OF_SAMPLES:
            packed = pack_samples(chunk, _ZSTD_LEVEL, load_zstd())
            if packed is not None:
                return packed
        # Not every numcodecs takes a type size; all take that of the items they are given.
        items = chunk if len(chunk) % self.type_size else chunk.view(f"V{self.type_size}")
        block_bytes = len(chunk) if self.whole else 0
        packed = load_blosc().compress(items, self.name.encode(), self.level, _BIT_SHUFFLE, block_bytes)
        return packed + CHECKSUM.pack(crc32(packed))


def codec_for(compression: str, row_bytes: int, sample_bytes: int) -> Codec:
    """Choose how to compress rows of `row_bytes`, mostly samples of `sample_bytes` (0: no samples)."""
    if compression == "zlib":
        return Codec("zlib", 1, row_bytes)
    if compression == "none":
        return Codec("none", 0, 1)
    if sample_bytes and row_bytes > WIDEST_TYPE:
        return codec_for_samples(compression, sample_bytes)
    level = 5 if compression != "zstd" else 1 if sample_bytes else _LEVEL_OF_NUMBERS
    return Codec(compression, level, _part_of_a_row(row_bytes), whole=True)


def codec_for_samples(compression: str, sample_bytes: int) -> Codec:
    """Choose how to compress an array of samples."""
    if compression == "zlib":
        return Codec("zlib", 1, sample_bytes)
    if compression == "none":
        return Codec("none", 0, 1)
    if compression == "zstd":
        return Codec("zstd", 1, sample_bytes, whole=True)
    return Codec(compression, 5, sample_bytes)


def _part_of_a_row(row_bytes: int) -> int:
    """Find the largest equal part of a row that Blosc takes as a type: columns then lie side by side."""
    for parts in range(1, row_bytes // 8 + 1):
        if row_bytes % parts == 0 and row_bytes // parts <= WIDEST_TYPE:
            return row_bytes // parts
    return 8


def rows_in_a_chunk(row_bytes: int, codec: Codec) -> int:
    """Find the power of two that makes chunks of 0.5 to 1 MB, smaller ones where they stay as they are."""
    limit = _CHUNK_BYTES_UNPACKED if codec.name == "none" else _CHUNK_BYTES
    return 1 << max((limit // row_bytes).bit_length() - 1, 0)


Packing = Literal["blosc", "zlib"]


@dataclass(frozen=True, slots=True)
class Unpacker:
    """How the chunks of one stored table become bytes again.

    shuffle_size: bytes of HDF5's own shuffle, which goes with zlib; 1 means none.
    """

    packing: Packing
    chunk_bytes: int
    shuffle_size: int = 1

    def has_checksum(self, head: bytes, n_bytes: int) -> bool:
        """Say whether a chunk of `n_bytes` that begins with `head` has a checksum."""
        return self.packing == "zlib" or n_bytes == _read_header(head).stored_bytes + CHECKSUM.size

    def unpack(self, chunk: bytes | memoryview, out: np.ndarray) -> None:
        """Decompress into `out`, (chunk_bytes,) uint8. Raises TierFileError for a damaged chunk."""
        try:
            if self.packing == "blosc":
                self._unpack_blosc(chunk, out)
            else:
                self._unpack_zlib(chunk, out)
        except (RuntimeError, ValueError, zlib.error) as error:
            raise TierFileError(f"a damaged chunk: {error}") from error

    def _unpack_blosc(self, chunk: bytes | memoryview, out: np.ndarray) -> None:
        header = _read_header(chunk)
        if len(chunk) == header.stored_bytes + CHECKSUM.size:
            chunk = _without_checksum(chunk)
        if header.n_bytes != self.chunk_bytes or header.stored_bytes != len(chunk):
            raise ValueError(
                f"its header says {header.stored_bytes} bytes that become {header.n_bytes}, "
                f"it has {len(chunk)} and should become {self.chunk_bytes}"
            )
        if not unpack_samples(chunk, out, load_zstd()):
            load_blosc().decompress(chunk, out)

    def _unpack_zlib(self, chunk: bytes | memoryview, out: np.ndarray) -> None:
        data = zlib.decompressobj().decompress(chunk, self.chunk_bytes + 1)
        if len(data) != self.chunk_bytes:
            raise ValueError(f"it becomes {len(data)} bytes and should become {self.chunk_bytes}")
        planes = np.frombuffer(data, np.uint8)
        size = self.shuffle_size
        out.reshape(-1, size)[:] = planes.reshape(size, -1).T


def _planes(chunk: np.ndarray, size: int) -> np.ndarray:
    """Do what HDF5's shuffle filter does: first bytes first, then the second ones."""
    return np.ascontiguousarray(chunk.reshape(-1, size).T)


@dataclass(frozen=True, slots=True)
class _BloscHeader:
    version: int
    flags: int
    n_bytes: int
    stored_bytes: int


def _read_header(chunk: bytes | memoryview) -> _BloscHeader:
    if len(chunk) < _BLOSC_HEADER.size:
        raise ValueError(f"{len(chunk)} bytes are too few for a Blosc chunk")
    version, _, flags, _, n_bytes, _, stored_bytes = _BLOSC_HEADER.unpack_from(chunk)
    if version != _BLOSC_VERSION:
        raise ValueError(f"a Blosc chunk of version {version}, not {_BLOSC_VERSION}")
    return _BloscHeader(version, flags, n_bytes, stored_bytes)


def _without_checksum(chunk: bytes | memoryview) -> memoryview:
    packed, said = memoryview(chunk)[: -CHECKSUM.size], chunk[-CHECKSUM.size :]
    if CHECKSUM.pack(crc32(packed)) != said:
        raise ValueError("its checksum does not fit: bytes of it have changed since it was written")
    return packed


def is_snappy(chunk: bytes) -> bool | None:
    """Say whether a Blosc chunk needs the snappy codec, which current wheels lack.

    None where the chunk is stored as it is: that says nothing of the others of its table.
    """
    flags = chunk[2] if len(chunk) > 2 else _STORED_AS_IT_IS
    return None if flags & _STORED_AS_IT_IS else flags >> 5 == _SNAPPY


def load_blosc() -> Any:
    """Import numcodecs' Blosc, once, with its own threads off."""
    blosc = _load("blosc")
    blosc.__dict__["use_threads"] = False
    return blosc


def load_zstd() -> Any:
    """Import numcodecs' zstd, once: what Blosc's chunks hold inside."""
    return _load("zstd")


def _load(codec: str) -> ModuleType:
    with _lock:
        if codec not in _loaded:
            _loaded[codec] = _import_codec(codec)
    return _loaded[codec]


def _import_codec(codec: str) -> ModuleType:
    """Import one codec of numcodecs without the forty others beside it: 7 ms instead of 50."""
    name = f"numcodecs.{codec}"
    found = None if "numcodecs" in sys.modules else importlib.util.find_spec("numcodecs")
    if found is None:
        return importlib.import_module(name)
    sys.modules["numcodecs"] = importlib.util.module_from_spec(found)
    try:
        return importlib.import_module(name)
    finally:
        del sys.modules["numcodecs"]
