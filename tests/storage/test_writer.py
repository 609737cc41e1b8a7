import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pygama.block import Block
from pygama.errors import OutputError, SettingsError
from pygama.storage.chunk_queue import CHUNKS_UNDER_WAY
from pygama.storage.reader import TierFile
from pygama.storage.writer import TierWriter

KINDS = st.sampled_from(["i8", "f8", "u2", "i4", "f4", "?", "S3", "S11", "u1", ">i4"])
SAMPLES = st.sampled_from(["u2", "i2", "f4", ">u2", "i4"])


@st.composite
def blocks(draw):
    """Draw the same columns and waveforms, parted into blocks in any way."""
    names = draw(st.lists(st.sampled_from("abcdefghij"), min_size=1, unique=True))
    rows = draw(npst.arrays(np.dtype([(name, draw(KINDS)) for name in names]), st.integers(0, 40)))
    n_samples = draw(st.integers(0, 9))
    waveforms = draw(npst.arrays(draw(SAMPLES), (len(rows), n_samples))) if n_samples else None
    traces = {"slow": draw(npst.arrays("u4", (len(rows), 3)))} if draw(st.booleans()) else {}
    whole = Block("Card", rows, waveforms, traces)
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    return whole, [whole[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True)]


def same(found, expected):
    assert found.tobytes() == expected.astype(found.dtype).tobytes()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    blocks(),
    st.sampled_from(["lz4", "zstd", "zlib", "none"]),
    st.sampled_from([None, 1, 7, 8]),
    st.booleans(),
    st.integers(1, 50),
)
def test_what_is_written_is_read(tmp_path, parts, compression, chunk_rows, queryable, n_rows):
    whole, pieces = parts
    with TierWriter(tmp_path / "t.h5", compression=compression, chunk_rows=chunk_rows) as writer:
        for piece in pieces:
            writer.write("Card", piece, queryable=queryable)
    with TierFile(tmp_path / "t.h5") as file:
        table = file.table("Card")
        read = list(table.blocks(n_rows))
        found = table.read()
    assert sum(map(len, read)) == len(whole)
    assert all(len(block) <= n_rows for block in read)
    assert found.rows.dtype.names == whole.rows.dtype.names
    for name in whole.rows.dtype.names:
        same(found.rows[name], whole.rows[name])
        same(np.concatenate([found.rows[name][:0], *(block.rows[name] for block in read)]), whole.rows[name])
    if whole.waveforms is None:
        assert found.waveforms is None
    else:
        same(found.waveforms, whole.waveforms)
        same(np.concatenate([found.waveforms[:0], *(block.waveforms for block in read)]), whole.waveforms)
    assert found.traces.keys() == whole.traces.keys()
    for name, trace in whole.traces.items():
        same(found.traces[name], trace)


def test_rows_are_numbered_across_blocks(write, make_block):
    path = write(make_block(3), make_block(2, first=3))
    with tables.open_file(path) as file:
        assert file.root.Card.table.read()["index"].tolist() == [0, 1, 2, 3, 4]


def test_rows_are_counted_while_they_are_written(tmp_path, make_block):
    with TierWriter(tmp_path / "t1.h5", chunk_rows=4) as writer:
        assert (writer.rows("Card"), writer.keys) == (0, ())
        writer.write("Card", make_block(5))
        writer.write("/Card", make_block(2))
        assert (writer.rows("/Card"), writer.keys) == (7, ("Card",))


def test_equal_input_makes_equal_bytes_with_and_without_a_pool(write, make_block, pool):
    parts = [make_block(100, 50, first=first) for first in range(0, 400, 100)]
    plain = write(*parts, name="a.h5", chunk_rows=8).read_bytes()
    again = write(*parts, name="b.h5", chunk_rows=8).read_bytes()
    pooled = write(*parts, name="c.h5", chunk_rows=8, pool=pool).read_bytes()
    assert len(parts) * 100 / 8 > 2 * CHUNKS_UNDER_WAY
    assert plain == again == pooled


def test_equal_input_makes_equal_bytes_with_everything_beside_the_table(tmp_path, make_block, pool):
    block = make_block(20)
    block.traces["slow"] = np.arange(60).reshape(20, 3)

    def make(path: Path, executor) -> bytes:
        with TierWriter(path, pool=executor, chunk_rows=3) as writer:
            writer.write("Card", block)
            writer.write("Other", make_block(7, 0), queryable=True)
            writer.write_ragged("Other", "raw", [np.arange(n, dtype="u1") for n in range(7)])
            writer.rename("Card", "Renamed")
            writer.set_texts("/", {"chain": "{}", "long": "x" * 70_000, "empty": ""})
        return path.read_bytes()

    assert make(tmp_path / "a.h5", None) == make(tmp_path / "b.h5", pool)


def test_a_file_carries_no_dates(write, make_block, tmp_path):
    block = make_block(3)
    block.traces["slow"] = np.zeros((3, 2))
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("Card", block)
        writer.write_ragged("Card", "raw", [np.zeros(2, "u1")] * 3)
        writer.set_texts("/", {"long": "x" * 70_000})
    with tables.open_file(tmp_path / "t1.h5") as file:
        leaves = list(file.walk_nodes("/", "Leaf"))
        assert len(leaves) == 4
        assert {leaf._get_obj_timestamps().ctime for leaf in leaves} == {0}


def test_long_waveforms_lie_in_an_array_beside_the_table(write, make_block):
    path = write(make_block(3, 8193, dtype="u4"), make_block(2, 8193, first=3, dtype="u4"))
    with tables.open_file(path) as file:
        assert file.root.Card.waveform.shape == (5, 8193)
        assert "values_block_2" not in file.root.Card.table.colnames
    with TierFile(path) as file:
        table = file.table("Card")
        assert (table.n_samples, table.sample_dtype, table.traces) == (8193, np.dtype("u4"), {})
        assert table.read(3, 5).waveforms[:, -1].tolist() == [11192, 12192]
        assert table.waveform(4)[:2].tolist() == [4000, 4001]
        assert [len(block) for block in table.blocks(4)] == [4, 1]
        assert table.read(waveforms=False).waveforms is None


def test_the_widest_waveforms_are_still_columns(write, make_block):
    with TierFile(write(make_block(2, 8192))) as file:
        table = file.table("Card")
        assert table.labels[-1] == 8191
        assert table.read().waveforms.shape == (2, 8192)


def test_no_copy_of_the_whole_is_kept(tmp_path, make_block):
    with TierWriter(tmp_path / "t1.h5", chunk_rows=4) as writer:
        for first in range(0, 4000, 100):
            writer.write("Card", make_block(100, first=first))
        rows = writer._stored["Card"].rows
        assert len(rows.spare) <= 2


def test_an_unknown_compression_touches_no_file(tmp_path):
    with pytest.raises(SettingsError):
        TierWriter(tmp_path / "t1.h5", compression="blosc:snappy")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file_and_nothing_else(write, make_block, tmp_path):
    path = write(make_block(3))
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), TierWriter(path) as writer:
        writer.write("Card", make_block(9))
        raise ZeroDivisionError
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_but_the_file_stays(write, make_block, tmp_path):
    path = write(make_block(3))
    assert list(tmp_path.iterdir()) == [path]


def test_closing_twice_and_abandoning_afterwards_does_nothing(tmp_path, make_block):
    writer = TierWriter(tmp_path / "t1.h5")
    writer.write("Card", make_block(3))
    writer.close()
    writer.close()
    writer.abandon()
    assert (tmp_path / "t1.h5").exists()


def test_a_second_writer_of_the_same_file_is_refused(tmp_path):
    with TierWriter(tmp_path / "t1.h5"), pytest.raises(OutputError, match=r"t1\.h5 is being written by this"):
        TierWriter(tmp_path / "t1.h5")


def test_a_folder_that_is_not_there_is_said_in_one_sentence(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory; choose a folder"):
        TierWriter(tmp_path / "missing" / "t1.h5")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_said_in_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        TierWriter(tmp_path / "t1.h5")


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from pygama.block import Block
from pygama.errors import OutputError
from pygama.storage.writer import TierWriter

limit, path = int(sys.argv[1]), Path(sys.argv[2])
rows = np.zeros(100, [("channel", "i8")])
waveforms = np.random.default_rng(1).integers(0, 65536, (100, 1000), dtype="u2")
try:
    with TierWriter(path, chunk_rows=10) as writer:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for _ in range(5):
            writer.write("Card", Block("Card", rows, waveforms))
        writer.set_texts("/", {"chain": "x" * 50_000})
except OutputError as error:
    print(error)
"""


def write_on_a_disk_of(limit, path):
    return subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(limit), str(path)], capture_output=True, text=True
    )


@pytest.mark.parametrize("limit", [2_000, 300_000, 1_030_000])
def test_a_full_disk_is_said_in_one_sentence_and_leaves_nothing(tmp_path, limit):
    done = write_on_a_disk_of(limit, tmp_path / "t1.h5")
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "t1.h5 could not be written" in done.stdout
    assert "File too large; make room" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_at_the_last_byte_is_found_by_reading_again(tmp_path):
    assert write_on_a_disk_of(0, tmp_path / "t1.h5").stdout == ""
    whole = (tmp_path / "t1.h5").read_bytes()
    done = write_on_a_disk_of(len(whole) - 1, tmp_path / "t1.h5")
    assert done.stderr == ""
    assert "t1.h5 did not come out whole" in done.stdout
    assert (tmp_path / "t1.h5").read_bytes() == whole
    assert list(tmp_path.iterdir()) == [tmp_path / "t1.h5"]


def test_a_table_takes_everything_beside_it_along_when_it_is_renamed(tmp_path, make_block):
    block = make_block(3)
    block.traces["slow"] = np.arange(6).reshape(3, 2)
    with TierWriter(tmp_path / "t1.h5", chunk_rows=2) as writer:
        writer.write("Card", block)
        writer.write_ragged("Card", "raw", [np.array([1, 2], "u1"), np.array([], "u1"), np.array([3], "u1")])
        writer.rename("Card", "Card_4")
        writer.write("Card_4", block[:0])
        writer.write("Card", make_block(2))
        assert writer.keys == ("Card_4", "Card")
    with TierFile(tmp_path / "t1.h5") as file:
        table = file.table("Card_4")
        assert (table.n_rows, table.traces, table.ragged) == (3, {"slow": 2}, ("raw",))
        assert [array.tolist() for array in table.read_ragged("raw")] == [[1, 2], [], [3]]
        assert file.table("Card").n_rows == 2


def test_a_table_cannot_take_the_name_of_another(tmp_path, make_block):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("Card", make_block())
        writer.write("Other", make_block())
        with pytest.raises(OutputError, match="'Card' cannot become 'Other', which is there already"):
            writer.rename("Card", "Other")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (Block("Card", np.zeros(1, [("b", "i8")]), np.zeros((1, 4), "u2")), "columns"),
        (Block("Card", np.zeros(1, [("a", "f8")]), np.zeros((1, 4), "u2")), "column 'a' of type float64"),
        (
            Block("Card", np.zeros(1, [("a", "i8")]), np.zeros((1, 5), "u2")),
            "5 samples do not fit a table of 4",
        ),
        (Block("Card", np.zeros(1, [("a", "i8")])), "0 samples do not fit"),
        (Block("Card", np.zeros(1, [("a", "i8")]), np.zeros((1, 4), "i2")), "samples of type int16"),
        (
            Block("Card", np.zeros(1, [("a", "i8")]), np.zeros((1, 4), "u2"), {"slow": np.zeros((1, 2))}),
            "arrays of",
        ),
    ],
)
def test_rows_that_do_not_fit_those_before_are_refused(tmp_path, block, message):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("Card", Block("Card", np.zeros(1, [("a", "i8")]), np.zeros((1, 4), "u2")))
        with pytest.raises(OutputError, match=message):
            writer.write("Card", block)
        assert writer.rows("Card") == 1


def test_a_longer_text_than_the_column_holds_is_refused(tmp_path):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("Card", Block("Card", np.array([(b"abc",)], [("name", "S3")])))
        with pytest.raises(OutputError, match="column 'name'"):
            writer.write("Card", Block("Card", np.array([(b"abcd",)], [("name", "S4")])))


@pytest.mark.parametrize("name", ["a/b", "_hidden", "", ".."])
def test_a_name_that_hdf5_cannot_hold_is_refused(tmp_path, make_block, name):
    with TierWriter(tmp_path / "t1.h5") as writer, pytest.raises(OutputError, match="cannot be a name"):
        writer.write(name, make_block())


def test_each_row_needs_its_ragged_array(tmp_path, make_block):
    writer = TierWriter(tmp_path / "t1.h5")
    writer.write("Card", make_block(3))
    writer.write_ragged("Card", "raw", [np.zeros(2, "u1")])
    with pytest.raises(OutputError, match="'Card' has 3 rows, but 1 of 'raw'"):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_ragged_arrays_are_not_pickled(tmp_path, make_block):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("Card", make_block(1))
        writer.write_ragged("Card", "raw", [np.array([1, 2], "u4")])
    with tables.open_file(tmp_path / "t1.h5") as file:
        assert file.root.Card.raw.atom == tables.UInt32Atom()


TEXTS = {
    "chain": '{"step": 1}.',
    "empty": "",
    "version": "0.1.0",
    "greek": "µs, Ω",
    "long": "ß" * 40_000,
    "nul": "a\0b",
    "looks-pickled": "cos\nsystem\n(S'true'\ntR.",
}


@pytest.mark.parametrize("key", ["/", "Card"])
def test_texts_come_back_as_they_were(tmp_path, make_block, key):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("Card", make_block())
        writer.set_texts(key, TEXTS)
    with TierFile(tmp_path / "t1.h5") as file:
        assert file.texts(key) == TEXTS
        assert file.texts("Card" if key == "/" else "/") == {}
        assert file.keys == ("Card",)


def test_a_text_may_be_set_again(tmp_path):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.set_texts("/", {"short": "a", "long": "b" * 70_000})
        writer.set_texts("/", {"short": "c" * 70_000, "long": "d"})
    with TierFile(tmp_path / "t1.h5") as file:
        assert file.texts("/") == {"short": "c" * 70_000, "long": "d"}


def test_texts_are_plain_strings_to_other_programs(tmp_path, make_block):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.set_texts("/", {"version": "0.1.0", "empty": ""})
    data = (tmp_path / "t1.h5").read_bytes()
    assert b"0.1.0" in data
    assert b"numpy" not in data


def test_a_text_cannot_take_the_name_of_what_pandas_needs(tmp_path, make_block):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("Card", make_block())
        with pytest.raises(OutputError, match="cannot be named 'pandas_type'"):
            writer.set_texts("Card", {"pandas_type": "x"})


def test_a_text_needs_its_table(tmp_path):
    with TierWriter(tmp_path / "t1.h5") as writer, pytest.raises(OutputError, match="no table 'Card' yet"):
        writer.set_texts("Card", {"chain": ""})


def test_a_complete_file_waits_for_its_place_until_it_is_closed(tmp_path, make_block):
    writer = TierWriter(tmp_path / "t1.h5")
    writer.write("Card", make_block())
    writer.complete()
    assert not (tmp_path / "t1.h5").exists()
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["t1.h5"]


def test_a_complete_file_can_still_be_abandoned(tmp_path, make_block):
    writer = TierWriter(tmp_path / "t1.h5")
    writer.write("Card", make_block())
    writer.complete()
    writer.abandon()
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_the_order_of_texts_leaves_no_trace(tmp_path):
    files = []
    for texts in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}):
        with TierWriter(tmp_path / "t.h5") as writer:
            writer.set_texts("/", texts)
        files.append((tmp_path / "t.h5").read_bytes())
    assert files[0] == files[1]


def test_a_file_that_is_removed_while_it_is_written_is_not_told_as_a_full_disk(tmp_path, make_block):
    folder = tmp_path / "out"
    folder.mkdir()
    writer = TierWriter(folder / "t1.h5")
    writer.write("Card", make_block(30, 100))
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(OutputError, match=r"t1\.h5 was removed from .* choose a folder that stays"):
        writer.close()
