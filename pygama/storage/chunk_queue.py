"""Gathers rows into chunks, has them compressed and writes them to the file in a fixed order.

Rows are laid straight into a reused buffer of one chunk. Full buffers are compressed, in a pool if there is
one, and written by the caller's thread strictly in the order in which they were filled.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pygama.storage.chunks import Codec

CHUNKS_UNDER_WAY = 16
"""Chunks that are being compressed or wait to be written. The same on every machine, because the places of
chunks in a file depend on it."""
_CHUNKS_UNCOMPRESSED = 2 * (os.cpu_count() or 1)
"""Chunks among them that may wait to be compressed, each with its buffer: bounds the memory."""

Fill = Callable[[np.ndarray, slice], None]
"""Writes the rows of a slice into a buffer of as many rows, (n_rows, row_bytes) uint8."""


@dataclass(slots=True)
class _Waiting:
    rows: ChunkedRows
    first: int
    n_rows: int
    chunk: Future[bytes] | bytes
    buffer: np.ndarray | None

    def give_back(self) -> None:
        """Let the buffer, which is compressed, be filled again."""
        if self.buffer is not None:
            self.rows.spare.append(self.buffer)
            self.buffer = None


class ChunkQueue:
    """Chunks on their way to the file, first in, first out."""

    def __init__(self, pool: Executor | None) -> None:
        self._pool = pool
        self._waiting: deque[_Waiting] = deque()

    def put(self, rows: ChunkedRows, n_rows: int, buffer: np.ndarray) -> None:
        """Compress a buffer and write it in its turn; once compressed, the buffer goes to `rows.spare`."""
        chunk: Future[bytes] | bytes
        if self._pool is None:
            chunk = rows.codec.compress(buffer.reshape(-1))
        else:
            chunk = self._pool.submit(rows.codec.compress, buffer.reshape(-1))
        self._waiting.append(_Waiting(rows, rows.n_rows, n_rows, chunk, buffer))
        self._write_down_to(CHUNKS_UNDER_WAY)
        self._wait_for_the_pool()

    def _wait_for_the_pool(self) -> None:
        chunks = [item.chunk for item in self._waiting if isinstance(item.chunk, Future)]
        wait([chunk for chunk in chunks if not chunk.done()][:-_CHUNKS_UNCOMPRESSED])

    def give_back_buffers(self) -> None:
        """Let all buffers that are compressed be filled again."""
        for item in self._waiting:
            if isinstance(item.chunk, bytes) or item.chunk.done():
                item.give_back()

    def _write_down_to(self, n_waiting: int) -> None:
        # Never "those that are ready": where a chunk lies in the file would depend on the pool's pace.
        while len(self._waiting) > n_waiting:
            self._write(self._waiting.popleft())

    def _write(self, item: _Waiting) -> None:
        chunk = item.chunk if isinstance(item.chunk, bytes) else item.chunk.result()
        item.give_back()
        leaf = item.rows.leaf
        leaf.truncate(item.first + item.n_rows)
        leaf.write_chunk((item.first, *(0 for _ in leaf.shape[1:])), chunk)

    def flush(self) -> None:
        """Write all that waits."""
        self._write_down_to(0)

    def drop(self) -> None:
        """Forget all that waits."""
        for item in self._waiting:
            if isinstance(item.chunk, Future):
                item.chunk.cancel()
        self._waiting.clear()


@dataclass(slots=True)
class ChunkedRows:
    """A table or an array that grows by whole chunks."""

    leaf: Any
    codec: Codec
    chunk_rows: int
    row_bytes: int
    queue: ChunkQueue
    n_rows: int = 0
    """Rows handed to the queue; those in the buffer come on top."""
    spare: list[np.ndarray] = field(default_factory=list)
    _buffer: np.ndarray | None = None
    _filled: int = 0

    @property
    def n_total(self) -> int:
        """Rows so far, those in the buffer included."""
        return self.n_rows + self._filled

    def append(self, n_rows: int, fill: Fill) -> None:
        """Take `n_rows` more, which `fill` writes into the buffers it is given."""
        done = 0
        while done < n_rows:
            if self._buffer is None:
                self._buffer = self._take_buffer()
            step = min(self.chunk_rows - self._filled, n_rows - done)
            fill(self._buffer[self._filled : self._filled + step], slice(done, done + step))
            self._filled += step
            done += step
            if self._filled == self.chunk_rows:
                self.send()

    def _take_buffer(self) -> np.ndarray:
        self.queue.give_back_buffers()
        return self.spare.pop() if self.spare else np.empty((self.chunk_rows, self.row_bytes), np.uint8)

    def send(self) -> None:
        """Send what is in the buffer on its way; only the last chunk may be short."""
        if self._buffer is not None and self._filled:
            self._buffer[self._filled :] = 0
            self.queue.put(self, self._filled, self._buffer)
            self.n_rows += self._filled
            self._buffer, self._filled = None, 0
