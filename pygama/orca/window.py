"""Slides a window over the bytes of a file, plain or compressed, that may still grow.

A piece of the file is read ahead by one background thread while the caller works on the one before. Two
buffers take turns, because fresh memory costs three times as much as a copy: what is left of a piece is
copied in front of the next one, where room was left for it.
"""

from __future__ import annotations

import bz2
import io
import os
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np

from pygama.errors import RawFileError

Follow = Callable[[], bool]
"""Asked at the end of a file that still grows: is more expected?"""

_WAIT_S = 0.2
_COMPRESSED_BYTES = 1 << 18
_PAGE_BYTES = 4096
_ALIGNED_BYTES = 64
"""Words are seen where they lie, so what is copied in front of a piece must be aligned as the piece is."""


class _Bytes(Protocol):
    def readinto(self, buffer: memoryview) -> int: ...
    def place(self) -> int | None: ...


class _Plain:
    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; less than that only at the end of the file."""
        n = 0
        while n < len(buffer) and (got := self._raw.readinto(buffer[n:])):
            n += got
        return n

    def place(self) -> None:
        """The place in the file is that in the bytes read."""


class _Inflated:
    """Reads gzip and bzip2, also of several members, and keeps all that can be had of a stream cut short."""

    def __init__(self, raw: io.FileIO, start: Callable[[], zlib._Decompress | bz2.BZ2Decompressor]) -> None:
        self._raw = raw
        self._start = start
        self._stream = start()
        self._is_fed = False
        self._waiting = b""
        self.failure = ""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; less than that only at the end of the file or of what can be read of it."""
        n = 0
        while n < len(buffer) and not self.failure:
            part = self._next_part(len(buffer) - n)
            if part is None:
                break
            buffer[n : n + len(part)] = part
            n += len(part)
        return n

    def place(self) -> int:
        """Compressed bytes taken so far."""
        return self._raw.tell() - len(self._waiting)

    def _next_part(self, most: int) -> bytes | None:
        if self._stream.eof:
            self._waiting = self._stream.unused_data.lstrip(b"\0")
            self._stream, self._is_fed = self._start(), False
        taken = self._waiting
        if not taken and getattr(self._stream, "needs_input", True):
            taken = self._raw.read(_COMPRESSED_BYTES) or b""
        self._is_fed |= bool(taken)
        try:
            part = self._stream.decompress(taken, most)
        except (OSError, zlib.error) as error:
            self.failure = str(error)
            return None
        self._waiting = getattr(self._stream, "unconsumed_tail", b"")
        is_over = not part and not taken and getattr(self._stream, "needs_input", True)
        if is_over and self._is_fed and not self._stream.eof:
            self.failure = "the compressed data end early"
        return None if is_over else part


class _Buffer:
    """A piece of the file with room in front of it.

    The piece begins with a page of memory. What the system's memory allocator gives begins 16 bytes behind
    one, and there many processors copy from the system's pages, which hold the file, three times as slowly.
    """

    def __init__(self, room: int, piece_bytes: int) -> None:
        self.room = -(-room // _ALIGNED_BYTES) * _ALIGNED_BYTES
        memory = np.empty(self.room + piece_bytes + _PAGE_BYTES, np.uint8)
        begin = -(memory.ctypes.data + self.room) % _PAGE_BYTES
        self.bytes = memory[begin : begin + self.room + piece_bytes]

    def piece(self) -> memoryview:
        return self.bytes.data[self.room :]


class Window:
    """The bytes data[begin:fill] of a file, at byte `offset(begin)` of it; `begin` is the caller's to move.

    at_end: nothing follows `fill`. The buffer `data` is another one after `reach()`, and what the last
    one held is overwritten.
    """

    def __init__(self, path: Path, piece_bytes: int, follow: Follow | None = None) -> None:
        self._path = path
        self._raw = _open(path)
        self._source = _source_of(self._raw)
        self._follow = follow
        self._piece_bytes = piece_bytes
        self._current = _Buffer(0, 0)
        self._spare = _Buffer(max(piece_bytes // 8, 64), piece_bytes)
        self._thread: ThreadPoolExecutor | None = None
        self._ahead: Future[tuple[int, int | None]] | None = None
        self._place: int | None = 0
        self.begin = self.fill = self._base = 0
        self.at_end = False

    @property
    def data(self) -> np.ndarray:
        """The buffer, uint8."""
        return self._current.bytes

    @property
    def size_bytes(self) -> int:
        """Size of the file on disk now."""
        return os.fstat(self._raw.fileno()).st_size

    @property
    def position(self) -> int:
        """Bytes of the file on disk that are done with."""
        return self.offset(self.begin) if self._place is None else self._place

    @property
    def failure(self) -> str:
        """Why a compressed file could not be read to its end; empty if it could."""
        return getattr(self._source, "failure", "")

    def offset(self, at: int) -> int:
        """Byte offset in the (decompressed) file of a place in `data`."""
        return self._base + at

    def read_ahead(self) -> None:
        """From now on, read the next piece in the background."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="orca-read")
            self._ask()

    def reach(self, n_bytes: int) -> None:
        """Read until `n_bytes` from `begin` on are there, or else the end of the file (at_end)."""
        while self.fill - self.begin < n_bytes and not self.at_end:
            self._append()

    def close(self) -> None:
        """Wait for the background read and close the file."""
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)
        self._raw.close()

    def _append(self) -> None:
        n = self._next_piece()
        if n == 0:
            self.at_end = True
            return
        n_kept = self.fill - self.begin
        if n_kept > self._spare.room:
            self._spare = self._enlarged(self._spare, n_kept, n)
        start = self._spare.room - n_kept
        self._spare.bytes[start : start + n_kept] = self.data[self.begin : self.fill]
        self._base = self.offset(self.begin) - start
        self._current, self._spare = self._spare, self._current
        if not len(self._spare.bytes):
            self._spare = _Buffer(self._current.room, self._piece_bytes)
        self.begin, self.fill = start, self._current.room + n
        self.at_end = n < self._piece_bytes and self._follow is None
        self._ask()

    def _enlarged(self, buffer: _Buffer, n_kept: int, n_read: int) -> _Buffer:
        larger = _Buffer(2 * n_kept, self._piece_bytes)
        larger.bytes[larger.room : larger.room + n_read] = buffer.bytes[buffer.room : buffer.room + n_read]
        return larger

    def _ask(self) -> None:
        if self._thread is not None:
            self._ahead = self._thread.submit(self._read, self._spare)

    def _read(self, buffer: _Buffer) -> tuple[int, int | None]:
        return self._source.readinto(buffer.piece()), self._source.place()

    def _next_piece(self) -> int:
        """Read into the spare buffer, or take what was read ahead; waits while the file is being followed."""
        try:
            ahead, self._ahead = self._ahead, None
            n, self._place = ahead.result() if ahead else self._read(self._spare)
            while n == 0 and not self.failure and self._follow is not None:
                # Look once more after the question: something may have been written before the answer.
                is_more_expected = self._follow()
                n, self._place = self._read(self._spare)
                if n == 0 and not is_more_expected:
                    break
                if n == 0:
                    time.sleep(_WAIT_S)
        except OSError as error:
            raise RawFileError(f"{self._path} cannot be read: {error.strerror or error}") from error
        return n


_NO_FILE = "{} is not a file on disk; save it to one first"


def _open(path: Path) -> io.FileIO:
    if path.is_fifo():
        # Opening it would wait for somebody to write into it.
        raise RawFileError(_NO_FILE.format(path))
    try:
        raw = io.FileIO(path)
    except IsADirectoryError:
        raise RawFileError(f"{path} is a folder; choose the files in it") from None
    except FileNotFoundError:
        raise RawFileError(f"{path}: there is no such file") from None
    except OSError as error:
        raise RawFileError(f"{path} cannot be opened ({error.strerror or error})") from error
    if not raw.seekable():
        raw.close()
        raise RawFileError(_NO_FILE.format(path))
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(raw.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    return raw


def _source_of(raw: io.FileIO) -> _Bytes:
    start = raw.read(3)
    raw.seek(0)
    if start[:2] == b"\x1f\x8b":
        return _Inflated(raw, lambda: zlib.decompressobj(31))
    if start == b"BZh":
        return _Inflated(raw, bz2.BZ2Decompressor)
    return _Plain(raw)
