"""Decompresses chunks of 16-bit samples in less time than Blosc does, where the kernel could be compiled.

Wheels of numcodecs undo Blosc's bit shuffle with the oldest vectors of a machine. Of the chunks that
`chunks.Codec` makes of samples (version 1, zstd, bit shuffle, in one piece), zstd is done by numcodecs' zstd
and the shuffle here. All other chunks, and damaged ones, are left to Blosc.
"""

from __future__ import annotations

import struct
import threading
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np


def _import_compiled() -> ModuleType | None:
    try:
        return import_module("pygama.storage._bit_planes")
    except ImportError:
        return None


compiled = _import_compiled()
COMPILED = compiled is not None

_HEAD = struct.Struct("<BBBBIIIII")
"""Blosc's header, the place of the only block, the length of its only stream."""
_SAMPLES_OF_ZSTD = (2, 1, 0x94, 2)
"""Versions of Blosc's form and of zstd's; zstd, in one stream, shuffled by bits; bytes of a sample."""
_LARGEST = 4 * 1024 * 1024
"""Bytes: for larger chunks no memory is kept."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SIZE_AT = {0xA0: 5, 0x80: 6}
"""Fifth byte of a zstd frame -> where the four bytes lie that tell how long its content is."""

_of_thread = threading.local()


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
