"""Makes and reads chunks of 16-bit samples in less time than Blosc does, where the kernel could be compiled.

Wheels of numcodecs do Blosc's bit shuffle with the oldest vectors of a machine. Of the chunks that
`chunks.Codec` makes of samples (version 1, zstd, bit shuffle, in one piece), zstd is done by numcodecs' zstd
and the shuffle here; the bytes are the same. All other chunks, and damaged ones, are left to Blosc.

A chunk made here has a checksum behind it, which zstd and Blosc would not look for and we do.

Where the system has a libzstd, as nearly every Linux does, several chunks are read and unpacked in one call,
without the interpreter; elsewhere it is one chunk at a time.
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np


def _import_compiled() -> ModuleType | None:
    try:
        return import_module("pygama.storage._sample_chunks")
    except ImportError:
        return None


compiled = _import_compiled()
COMPILED = compiled is not None

crc32: Callable[..., int] = zlib.crc32 if compiled is None else compiled.crc32
"""CRC-32 of some bytes, and of what lies before them, as zlib has it."""

_HEAD = struct.Struct("<BBBBIIIII")
"""Blosc's header, the place of the only block, the length of its only stream."""
_SAMPLES_OF_ZSTD = (2, 1, 0x94, 2)
"""Versions of Blosc's form and of zstd's; zstd, in one stream, shuffled by bits; bytes of a sample."""
CHECKSUM = struct.Struct("<I")
"""What stands behind a chunk."""
_LEAST_GAIN = 64
"""Bytes: what zstd makes smaller by less is left to Blosc."""
_LARGEST = 4 * 1024 * 1024
"""Bytes: for larger chunks no memory is kept."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SIZE_AT = {0xA0: 5, 0x80: 6}
"""Fifth byte of a zstd frame -> where the four bytes lie that tell how long its content is."""

_TO_ITSELF = os.RTLD_NOW | os.RTLD_LOCAL | getattr(os, "RTLD_DEEPBIND", 0) if hasattr(os, "RTLD_NOW") else 0
"""The library calls its own functions, whatever other zstd a program has loaded for all."""

_of_thread = threading.local()


def pack_samples(samples: np.ndarray, level: int, zstd: Any) -> bytes | None:
    """Compress samples, (n_bytes,) uint8; None where that is left to Blosc.

    level: of zstd. zstd: numcodecs' module.
    """
    n_bytes = len(samples)
    if compiled is None or n_bytes % 16 or not 0 < n_bytes <= _LARGEST:
        return None
    planes = _planes(n_bytes)
    compiled.split_samples(samples, planes)
    frame = zstd.compress(planes, level)
    if len(frame) + _LEAST_GAIN > n_bytes:  # Blosc may store it as it is
        return None
    head = _HEAD.pack(
        *_SAMPLES_OF_ZSTD, n_bytes, n_bytes, _HEAD.size + len(frame), _HEAD.size - 4, len(frame)
    )
    return b"".join((head, frame, CHECKSUM.pack(crc32(frame, crc32(head)))))


def unpack_stored_samples(file: int, places: Sequence[tuple[int, int]], out: np.ndarray) -> int:
    """Read and decompress the first of some chunks of a file into `out`, (n_chunks, n_bytes) uint8.

    file: its descriptor. places: offset and bytes of each chunk, its checksum included. Gives how many chunks
    were done: those behind are left to others, because one is damaged or of another form.
    """
    n_bytes = out.shape[1]
    functions = _find_zstd()
    if compiled is None or functions is None or n_bytes % 16 or not 0 < n_bytes <= _LARGEST:
        return 0
    bench = getattr(_of_thread, "bench", None)
    if bench is None or bench.unpacked_bytes != n_bytes:
        bench = _of_thread.bench = compiled.Bench(*functions, n_bytes)
    return bench.unpack(file, places, out.reshape(-1))


@cache
def _find_zstd() -> tuple[int, int, int] | None:
    """Find the functions that Bench needs in the system's libzstd; None where there is none."""
    try:
        library = ctypes.CDLL("libzstd.so.1", mode=_TO_ITSELF)
        found = (library.ZSTD_createDCtx, library.ZSTD_freeDCtx, library.ZSTD_decompressDCtx)
    except (AttributeError, OSError):
        return None
    create, release, decompress = (ctypes.cast(function, ctypes.c_void_p).value for function in found)
    return None if create is None or release is None or decompress is None else (create, release, decompress)


def unpack_samples(chunk: bytes | memoryview, out: np.ndarray, zstd: Any) -> bool:
    """Decompress a chunk into `out`, (n_bytes,) uint8, or give False where that is left to Blosc.

    zstd: numcodecs' module.
    Raises RuntimeError or ValueError where zstd finds the chunk damaged.
    """
    n_bytes = len(out)
    stream = _stream_of(chunk, n_bytes)
    if compiled is None or stream is None:
        return False
    planes = _planes(n_bytes)
    zstd.decompress(stream, planes)
    compiled.join_samples(planes, out)
    return True


def _stream_of(chunk: bytes | memoryview, n_bytes: int) -> memoryview | None:
    """Find the zstd frame that holds `n_bytes` of planes of samples; None in chunks of any other form."""
    if len(chunk) < _HEAD.size + 10 or n_bytes % 16 or n_bytes > _LARGEST:
        return None
    *form, said_bytes, block_bytes, stored_bytes, first, stream_bytes = _HEAD.unpack_from(chunk)
    if tuple(form) != _SAMPLES_OF_ZSTD or (said_bytes, block_bytes) != (n_bytes, n_bytes):
        return None
    if (stored_bytes, first, stream_bytes) != (len(chunk), _HEAD.size - 4, len(chunk) - _HEAD.size):
        return None
    stream = memoryview(chunk)[_HEAD.size :]
    return stream if _content_bytes(stream) == n_bytes else None


def _content_bytes(frame: memoryview) -> int:
    """Read how long the content of a zstd frame is; 0 where it is short, or said in another way."""
    place = _SIZE_AT.get(frame[4])
    if place is None or frame[:4] != _ZSTD_MAGIC:
        return 0
    return int.from_bytes(frame[place : place + 4], "little")


def _planes(n_bytes: int) -> np.ndarray:
    """Give memory of this thread for the planes of a chunk, with anything in it."""
    planes: np.ndarray | None = getattr(_of_thread, "planes", None)
    if planes is None or len(planes) != n_bytes:
        planes = _of_thread.planes = np.empty(n_bytes, np.uint8)
    return planes
