import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pygama.storage.chunk_queue import ChunkedRows, ChunkQueue
from pygama.storage.chunks import Codec


class Leaf:
    """Stands in for a table of PyTables: keeps what is written."""

    def __init__(self):
        self.shape = (0,)
        self.written = []

    def truncate(self, n_rows):
        self.shape = (n_rows,)

    def write_chunk(self, place, chunk):
        self.written.append((place, len(chunk)))


@pytest.fixture
def one_thread():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def put_chunks(n_chunks, pool):
    """Put chunks of four rows of eight bytes, each compressed before the next; give their buffers."""
    queue, leaf, buffers = ChunkQueue(pool), Leaf(), []
    rows = ChunkedRows(leaf, Codec("zlib", 1, 8), 4, 8, queue)

    def fill(buffer, part):
        buffers.append(buffer.ctypes.data)
        buffer[:] = part.start

    for _ in range(n_chunks):
        rows.append(4, fill)
        if pool is not None:
            pool.submit(int).result()
    rows.send()
    queue.flush()
    return buffers, leaf


def test_a_buffer_is_filled_again_as_soon_as_it_is_compressed(one_thread):
    buffers, _ = put_chunks(3, one_thread)
    assert len(set(buffers)) == 1


@pytest.mark.parametrize("threads", [True, False])
def test_chunks_are_written_in_order(one_thread, threads):
    _, leaf = put_chunks(40, one_thread if threads else None)
    assert [place for place, _ in leaf.written] == [(first,) for first in range(0, 160, 4)]


def test_a_chunk_that_waits_to_be_compressed_keeps_its_buffer(one_thread):
    may_go_on = threading.Event()
    one_thread.submit(may_go_on.wait)
    queue, leaf, buffers = ChunkQueue(one_thread), Leaf(), []
    rows = ChunkedRows(leaf, Codec("none", 0, 1), 4, 8, queue)
    for _ in range(2):
        rows.append(4, lambda buffer, _: buffers.append(buffer.ctypes.data))
    may_go_on.set()
    queue.flush()
    assert len(set(buffers)) == 2
