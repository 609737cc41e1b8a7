import subprocess
import sys

import numpy as np
import pytest
import tables

from pygama.storage import chunk_map, stored_rows
from pygama.storage.chunk_map import places_of_chunks
from pygama.storage.reader import TierFile


@pytest.fixture
def path(write, make_block):
    return write(make_block(50, 300), chunk_rows=4)


def test_chunks_are_found_where_pytables_says_one_by_one(path):
    with tables.open_file(str(path)) as file:
        leaf = file.root.Card.table
        infos = {row: leaf.chunk_info((row,)) for row in range(0, 50, 4)}
        expected = {row: (info.filter_mask, info.offset, info.size) for row, info in infos.items()}
        assert places_of_chunks(leaf) == expected


def test_chunks_of_arrays_are_found_by_their_first_row(write, make_block):
    block = make_block(10)
    block.traces["slow"] = np.arange(30.0).reshape(10, 3)
    with tables.open_file(str(write(block, chunk_rows=4))) as file:
        assert sorted(places_of_chunks(file.root.Card.slow) or ()) == [0, 4, 8]


def test_chunks_that_are_not_stored_are_left_out(tmp_path):
    with tables.open_file(str(tmp_path / "sparse.h5"), "w") as file:
        array = file.create_earray("/", "array", tables.Int64Atom(), (0, 2), chunkshape=(4, 2))
        array.truncate(12)
        array.write_chunk((4, 0), np.zeros((4, 2), np.int64).tobytes())
        assert list(places_of_chunks(array) or ()) == [4]


def test_an_hdf5_that_cannot_say_it_all_at_once_is_asked_chunk_by_chunk(path, monkeypatch):
    with TierFile(path) as file:
        expected = file.table("Card").read()
    monkeypatch.setattr(chunk_map, "_function", lambda: None)
    with TierFile(path) as file:
        read = file.table("Card").read()
    assert read.rows.tolist() == expected.rows.tolist()
    assert np.array_equal(read.waveforms, expected.waveforms)


def test_hdf5_is_asked_once_for_all_chunks(path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        stored_rows, "places_of_chunks", lambda leaf: asked.append(1) or places_of_chunks(leaf)
    )
    monkeypatch.setattr(tables.Leaf, "chunk_info", lambda *_: pytest.fail("asked for one chunk"))
    with TierFile(path) as file:
        assert sum(map(len, file.table("Card").blocks(4))) == 50
    assert asked == [1]


def test_an_older_hdf5_is_not_asked(monkeypatch):
    monkeypatch.setattr(tables, "hdf5_version", "1.12.3")
    assert chunk_map._function() is None


def test_a_chunk_read_again_into_the_same_memory_is_its_own(path):
    with TierFile(path) as file:
        rows = file.table("Card")._rows
        first, second = (rows._find_chunk(row) for row in (0, 4))
        for place in (first, second, first):
            assert bytes(place.view()) == place.read()


def test_two_threads_that_ask_hdf5_at_once_both_come_to_an_end(write, make_block):
    """HDF5 holds a lock of its own while it walks: whoever waits for it may have the interpreter."""
    path = write(make_block(2000), chunk_rows=1)
    code = f"""
import sys, threading, tables
from pygama.storage.chunk_map import places_of_chunks
sys.setswitchinterval(1e-6)
file = tables.open_file({str(path)!r})
leaf, n = file.root.Card.table, []
def walk():
    for _ in range(50):
        n.append(len(places_of_chunks(leaf)))
thread = threading.Thread(target=walk)
thread.start()
while thread.is_alive():
    tables.is_hdf5_file({str(path)!r})
print(set(n))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["{2000}"], done.stderr
