import os
import pickle
import struct
import sys
import threading

import numpy as np
import pandas as pd
import pytest
import tables

from pygama.block import Block
from pygama.errors import TierFileError
from pygama.storage import reader
from pygama.storage.hdf5 import what_happened
from pygama.storage.reader import TierFile
from pygama.storage.writer import TierWriter


def test_keys_are_listed_without_a_slash(tmp_path, make_block):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("CardB", make_block())
        writer.write("CardA", make_block(0))
    with TierFile(tmp_path / "t1.h5") as file:
        assert file.keys == ("CardA", "CardB")
        assert file.table("/CardA").n_rows == 0


def test_a_table_says_what_it_holds(write, make_block):
    block = make_block(5, 4)
    block.traces["slow"] = np.zeros((5, 3))
    with TierFile(write(block)) as file:
        table = file.table("Card")
        assert table.columns == ("channel", "energy", "time_s", "card")
        assert table.labels == ("channel", "energy", "time_s", "card", 0, 1, 2, 3)
        assert (table.n_rows, table.n_samples, table.sample_dtype) == (5, 4, np.dtype("u2"))
        assert (table.traces, len(table), table.key) == ({"slow": 3}, 5, "Card")


def test_rows_are_read_as_a_slice_takes_them(write, make_block):
    with TierFile(write(make_block(10), chunk_rows=4)) as file:
        table = file.table("Card")
        assert table.read(3, 6).rows["channel"].tolist() == [3, 4, 5]
        assert table.read(8).rows["channel"].tolist() == [8, 9]
        assert table.read(-1).waveforms.tolist() == [[9000, 9001, 9002, 9003]]
        assert len(table.read(7, 3)) == 0
        assert table.read(4, 4).waveforms.shape == (0, 4)


def test_without_waveforms_traces_are_left_out_too(write, make_block):
    block = make_block(3)
    block.traces["slow"] = np.zeros((3, 2))
    with TierFile(write(block)) as file:
        read = file.table("Card").read(waveforms=False)
        assert (read.waveforms, read.traces, len(read)) == (None, {}, 3)


def test_blocks_are_whole_chunks_of_at_most_the_rows_asked_for(write, make_block):
    with TierFile(write(make_block(20), chunk_rows=4)) as file:
        table = file.table("Card")
        assert [len(block) for block in table.blocks(11)] == [8, 8, 4]
        assert [len(block) for block in table.blocks(3)] == [3, 1, 3, 1, 3, 1, 3, 1, 3, 1]
        assert [len(block) for block in table.blocks(100)] == [20]


def test_blocks_come_in_order_from_a_pool(write, make_block, pool):
    with TierFile(write(make_block(100), chunk_rows=4)) as file:
        blocks = list(file.table("Card").blocks(8, pool=pool))
    assert np.concatenate([block.rows["channel"] for block in blocks]).tolist() == list(range(100))
    assert np.concatenate([block.waveforms[:, 0] for block in blocks]).tolist() == [
        1000 * i % 65536 for i in range(100)
    ]


def test_one_may_stop_in_the_middle_of_the_blocks(write, make_block, pool):
    with TierFile(write(make_block(100), chunk_rows=4)) as file:
        for block in file.table("Card").blocks(8, pool=pool):
            assert len(block) == 8
            break


def only_copies(block):
    return Block(block.decoder, block.rows, block.waveforms.copy())


def test_what_is_made_of_the_blocks_is_right_though_their_memory_is_used_again(write, make_block, pool):
    block = make_block(100)
    block.traces["slow"] = np.arange(300).reshape(100, 3)
    addresses = []

    def doubled(part):
        addresses.append(part.waveforms.ctypes.data)
        return Block(part.decoder, part.rows, 2 * part.waveforms, {"slow": -part.traces["slow"]})

    with TierFile(write(block, chunk_rows=4)) as file:
        for threads in (None, pool):
            made = list(file.table("Card").blocks(8, pool=threads, then=doubled))
            assert (
                np.concatenate([part.waveforms for part in made]).tolist() == (2 * block.waveforms).tolist()
            )
            assert (
                np.concatenate([part.traces["slow"] for part in made]).tolist()
                == (-block.traces["slow"]).tolist()
            )
    # The last block, of 4 rows, has memory of its own size.
    assert len(set(addresses[:12])) == 1


def test_blocks_that_are_given_out_have_memory_of_their_own(write, make_block):
    with TierFile(write(make_block(16), chunk_rows=4)) as file:
        blocks = list(file.table("Card").blocks(4))
    assert len({block.waveforms.ctypes.data for block in blocks}) == 4


def test_whoever_stops_in_the_middle_waits_for_the_threads_that_still_read(
    write, make_block, pool, monkeypatch
):
    under_way, may_go_on, done = threading.Event(), threading.Event(), []

    def held_up(block):
        if block.rows["channel"][0] == 8:
            under_way.set()
            may_go_on.wait(30)
            done.append(8)
        return only_copies(block)

    def wait(futures):
        may_go_on.set()
        really_wait(futures)

    really_wait = reader.wait
    monkeypatch.setattr(reader, "wait", wait)
    with TierFile(write(make_block(100), chunk_rows=4)) as file:
        blocks = file.table("Card").blocks(8, pool=pool, then=held_up)
        assert len(next(blocks)) == 8
        assert under_way.wait(30)
        blocks.close()
        has_waited = done == [8]
    may_go_on.set()
    assert has_waited


def test_where_the_system_cannot_read_at_a_place_hdf5_does(write, make_block, pool, monkeypatch):
    monkeypatch.delattr(os, "pread")
    block = make_block(100)
    with TierFile(write(block, chunk_rows=4)) as file:
        blocks = list(file.table("Card").blocks(8, pool=pool, then=only_copies))
    assert np.concatenate([part.waveforms for part in blocks]).tolist() == block.waveforms.tolist()


def test_a_file_with_something_before_its_hdf5_is_read(write, make_block):
    block = make_block(100)
    path = write(block, chunk_rows=4)
    with (
        tables.open_file(path) as file,
        tables.open_file(path.with_name("behind.h5"), "w", user_block_size=512) as behind,
    ):
        file.copy_children(file.root, behind.root, recursive=True)
    with TierFile(path.with_name("behind.h5")) as file:
        assert file.table("Card").read().waveforms.tolist() == block.waveforms.tolist()


@pytest.mark.parametrize("is_pooled", [False, True])
def test_columns_are_mapped_block_for_block_in_order(write, make_block, pool, is_pooled):
    path = write(make_block(50), chunk_rows=8)
    with TierFile(path) as file:
        made = file.table("Card").map_columns(
            lambda first, columns: (first, columns.n_rows, int(columns["energy"].sum())),
            17,
            pool=pool if is_pooled else None,
        )
        assert list(made) == [
            (0, 16, sum(range(0, 160, 10))),
            (16, 16, sum(range(160, 320, 10))),
            (32, 16, sum(range(320, 480, 10))),
            (48, 2, 480 + 490),
        ]


def test_mapped_columns_have_the_names_of_the_table_and_no_others(write, make_block):
    with TierFile(write(make_block(3))) as file:
        table = file.table("Card")
        assert list(table.map_columns(lambda first, columns: tuple(columns), 10)) == [table.columns]
        with pytest.raises(KeyError):
            list(table.map_columns(lambda first, columns: columns["nothing"], 10))


def test_rows_are_read_by_number_in_the_order_asked_for(write, make_block):
    path = write(make_block(50), chunk_rows=8)
    with TierFile(path) as file:
        block = file.table("Card").rows_at(np.array([49, 3, 17, 3, 16]))
        none = file.table("Card").rows_at(np.zeros(0, int))
    assert block.rows["channel"].tolist() == [49, 3, 17, 3, 16]
    assert block.waveforms[:, 1].tolist() == [49001, 3001, 17001, 3001, 16001]
    assert len(none) == 0


@pytest.mark.parametrize("row", [-1, 50])
def test_a_row_that_is_not_there_is_named(row, write, make_block):
    with (
        TierFile(write(make_block(50))) as file,
        pytest.raises(TierFileError, match=f"has no row {row}: it has"),
    ):
        file.table("Card").rows_at(np.array([3, row]))


def test_a_column_is_read_alone(write, make_block):
    with TierFile(write(make_block(10), chunk_rows=4)) as file:
        assert file.table("Card").column("time_s").tolist() == [i / 4 for i in range(10)]


def test_a_column_that_is_not_there_is_named_with_those_that_are(write, make_block):
    expected = "no column 'enrgy'; it has channel, energy"
    with TierFile(write(make_block())) as file, pytest.raises(TierFileError, match=expected):
        file.table("Card").column("enrgy")


def test_any_waveform_is_found(write, make_block):
    with TierFile(write(make_block(10), chunk_rows=4)) as file:
        table = file.table("Card")
        for row in (9, 0, 5, 4, 3):
            assert table.waveform(row).tolist() == [1000 * row + i for i in range(4)]


def test_a_waveform_is_a_copy(write, make_block):
    with TierFile(write(make_block())) as file:
        table = file.table("Card")
        table.waveform(1)[:] = 0
        assert table.waveform(1).tolist() == [1000, 1001, 1002, 1003]


@pytest.mark.parametrize("row", [-1, 5])
def test_a_waveform_that_is_not_there_is_refused(write, make_block, row):
    with (
        TierFile(write(make_block(5))) as file,
        pytest.raises(TierFileError, match=f"no waveform of row {row}"),
    ):
        file.table("Card").waveform(row)


def test_a_table_that_is_not_there_is_named_with_those_that_are(write, make_block):
    with (
        TierFile(write(make_block())) as file,
        pytest.raises(TierFileError, match="no table 'Crad'; it holds 'Card'"),
    ):
        file.table("Crad")


def test_a_closed_file_says_so(write, make_block):
    with TierFile(write(make_block())) as file:
        table = file.table("Card")
    with pytest.raises(TierFileError, match=r"t1\.h5 is closed"):
        table.read()


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(TierFileError, match="is not a file"):
        TierFile(tmp_path / "t1.h5")


def test_a_file_that_is_not_hdf5_says_so(tmp_path):
    (tmp_path / "t1.h5").write_text("no")
    with pytest.raises(TierFileError, match=r"t1\.h5 cannot be read as a Tier file"):
        TierFile(tmp_path / "t1.h5")


def test_a_file_cut_short_says_so(write, make_block):
    path = write(make_block(100, 1000))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(TierFileError, match="cannot be read"):
        TierFile(path)


def test_a_file_whose_inner_order_is_damaged_says_what_happened_and_what_to_do(write, make_block):
    data = bytearray(write(make_block(100, 1000)).read_bytes())
    path = write(make_block(100, 1000))
    data[100:2000] = b"\xa5" * 1900
    path.write_bytes(data)
    with pytest.raises(TierFileError) as caught:
        TierFile(path).table("Card").read()
    assert str(caught.value) == (
        "t1.h5 cannot be read as a Tier file: its content is damaged, as by a disk or a copy that failed; "
        "copy it anew or process the raw file again"
    )
    assert caught.value.__cause__ is not None, "HDF5's own words are there for who looks for them"


def test_a_file_that_may_not_be_read_is_not_called_damaged():
    assert what_happened(PermissionError(13, "Permission denied")) == (
        "Permission denied; try again, or look at its disk and its rights"
    )
    locked = OSError("unable to lock file, errno = 11, error message = 'Resource temporarily unavailable'")
    assert what_happened(locked).startswith("Resource temporarily unavailable; try again")


def test_a_damaged_chunk_says_so(write, make_block):
    path = write(make_block(100, 1000))
    with tables.open_file(path) as file:
        offset = file.root.Card.table.chunk_info((0,)).offset
    data = bytearray(path.read_bytes())
    data[offset + 2000] ^= 0x04
    path.write_bytes(data)
    says = r"t1\.h5: /Card/table: rows 0 to \d+ are damaged; copy it anew or process the raw file again"
    with TierFile(path) as file, pytest.raises(TierFileError, match=says):
        file.table("Card").read()


def test_arrays_of_another_length_beside_a_table_are_refused(write, make_block):
    path = write(make_block(3))
    with tables.open_file(path, "a") as file:
        file.create_earray("/Card", "slow", tables.Int16Atom(), (0, 2)).append(np.zeros((2, 2), "i2"))
    with TierFile(path) as file, pytest.raises(TierFileError, match="has 3 rows, but 'slow' beside it 2"):
        file.table("Card")


def frame(n_rows=70, sample_type="u2", **columns):
    """What the demo of 2018 made: single values, then a column a sample."""
    values = {"channel": np.arange(n_rows), "energy": np.arange(n_rows) / 2, **columns}
    samples = np.arange(n_rows * 9).reshape(n_rows, 9).astype(sample_type)
    return pd.concat([pd.DataFrame(values), pd.DataFrame(samples)], axis=1), samples


STORED = [
    {},
    {"complib": "blosc:lz4", "complevel": 2},
    {"complib": "blosc:zstd", "complevel": 1},
    {"complib": "zlib", "complevel": 1},
    {"complib": "bzip2", "complevel": 1},
    {"complib": "zlib", "complevel": 1, "fletcher32": True},
]


@pytest.mark.parametrize("stored", STORED, ids=str)
@pytest.mark.parametrize("sample_type", ["u2", "i8"])
def test_tables_of_pandas_are_read(tmp_path, stored, sample_type, pool):
    values, samples = frame(sample_type=sample_type)
    path = tmp_path / "t1_run72.h5"
    with pd.HDFStore(path, "w", **stored) as store:
        store.append("Card", values, chunksize=32)
    with TierFile(path) as file:
        table = file.table("Card")
        assert (table.columns, table.n_samples) == (("channel", "energy"), 9)
        block = table.read(5, 60)
        assert block.rows["energy"].tolist() == [i / 2 for i in range(5, 60)]
        assert block.waveforms.tolist() == samples[5:60].tolist()
        assert table.waveform(66).tolist() == samples[66].tolist()
        assert table.column("channel").tolist() == list(range(70))
        blocks = list(table.blocks(16, pool=pool))
        assert np.concatenate([block.waveforms for block in blocks]).tolist() == samples.tolist()


def test_tables_of_pandas_with_data_columns_keep_their_order(tmp_path):
    values, _ = frame(3, name=["a", "bc", "d"])
    values[["channel", "energy", "name"]].to_hdf(
        tmp_path / "t2.h5", key="data", format="table", data_columns=["name", "energy"]
    )
    with TierFile(tmp_path / "t2.h5") as file:
        table = file.table("data")
        assert table.columns == ("channel", "energy", "name")
        assert table.column("name").tolist() == [b"a", b"bc", b"d"]
        assert table.read().waveforms is None


def test_samples_scattered_over_the_record_are_gathered(tmp_path):
    values, samples = frame(4)
    shuffled = values[["energy", 3, "channel", *(i for i in range(9) if i != 3)]].astype({3: "f8", 7: "i8"})
    shuffled.to_hdf(tmp_path / "t1.h5", key="Card", format="table")
    with TierFile(tmp_path / "t1.h5") as file:
        assert file.table("Card").read().waveforms.tolist() == samples.tolist()


def test_labels_made_by_numpy_are_plain_numbers(tmp_path):
    values, samples = frame(4)
    values.columns = pd.Index([*values.columns[:2], *np.arange(9)], dtype=object)
    values.to_hdf(tmp_path / "t1.h5", key="Card", format="table")
    with TierFile(tmp_path / "t1.h5") as file:
        table = file.table("Card")
        assert table.labels == ("channel", "energy", *range(9))
        assert table.read().waveforms.tolist() == samples.tolist()


def test_rows_that_pandas_appends_to_ours_are_read(write, make_block):
    path = write(make_block(5), chunk_rows=4)
    more = pd.read_hdf(path, "Card")
    with pd.HDFStore(path) as store:
        store.append("Card", more)
    with TierFile(path) as file:
        assert file.table("Card").read().waveforms[5:].tolist() == more[[0, 1, 2, 3]].to_numpy().tolist()


def test_a_fixed_frame_of_numbers_is_read(tmp_path):
    values, samples = frame(4)
    values.columns = [str(name) for name in values.columns]
    values[["energy", "channel"]].to_hdf(tmp_path / "t1.h5", key="Model", format="fixed")
    with TierFile(tmp_path / "t1.h5") as file:
        table = file.table("Model")
        assert (file.keys, table.columns) == (("Model",), ("energy", "channel"))
        assert table.read(1, 3).rows.tolist() == [(0.5, 1), (1.0, 2)]
        assert table.column("channel").tolist() == [0, 1, 2, 3]


def test_a_fixed_frame_that_is_pickled_is_listed_but_not_read(tmp_path):
    with pytest.warns(pd.errors.PerformanceWarning):
        pd.DataFrame({"n": [1, 2], "list": [[1], [2, 3]]}).to_hdf(
            tmp_path / "t1.h5", key="Model", format="fixed"
        )
    with TierFile(tmp_path / "t1.h5") as file:
        assert file.keys == ("Model",)
        with pytest.raises(TierFileError, match="table 'Model' is pickled in part"):
            file.table("Model")


def snappy_chunk(data):
    """Make a Blosc chunk of one block, in snappy's format: literals of up to 64 kB behind the length."""
    length, rest = b"", len(data)
    while rest >= 128:
        length, rest = length + bytes([rest & 127 | 128]), rest >> 7
    stream = length + bytes([rest])
    for start in range(0, len(data), 1 << 16):
        part = data[start : start + (1 << 16)]
        stream += b"\xf4" + struct.pack("<H", len(part) - 1) + part
    n_stored = 16 + 4 + 4 + len(stream)
    head = struct.pack("<BBBBIII", 2, 1, 2 << 5 | 0x10, 1, len(data), len(data), n_stored)
    return head + struct.pack("<ii", 20, len(stream)) + stream


def store_with_snappy(path):
    """Put chunks compressed with snappy in the place of all chunks of table 'Card'."""
    with tables.open_file(path, "a") as file:
        table = file.root.Card.table
        records, size = table.read(), table.chunkshape[0]
        for first in range(0, len(records), size):
            rows = np.zeros(size, records.dtype)
            part = records[first : first + size]
            rows[: len(part)] = part
            table.write_chunk((first,), snappy_chunk(rows.tobytes()))


def test_a_file_of_2018_that_needs_snappy_names_what_reads_it(write, make_block, monkeypatch):
    path = write(make_block(100, 1000))
    store_with_snappy(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with TierFile(path) as file:
        table = file.table("Card")
        assert table.n_rows == 100
        for read in (table.read, lambda: table.waveform(3), lambda: table.column("energy")):
            with pytest.raises(TierFileError, match="pip install h5py hdf5plugin"):
                read()


def test_a_file_of_2018_is_read_with_h5py_and_hdf5plugin(write, make_block):
    pytest.importorskip("h5py")
    pytest.importorskip("hdf5plugin")
    block = make_block(300, 1000)
    path = write(block, chunk_rows=64)
    store_with_snappy(path)
    with TierFile(path) as file:
        table = file.table("Card")
        assert table.read().waveforms.tolist() == block.waveforms.tolist()
        assert table.waveform(299).tolist() == block.waveforms[299].tolist()


def test_what_is_near_a_waveform_is_not_kept_over_the_next_one(write, make_block):
    block = make_block(40, 1000)
    with TierFile(write(block, chunk_rows=4)) as file:
        table = file.table("Card")
        waveforms = [table.waveform(row) for row in (0, 39, 1, 20, 38)]
    assert [waveform.tolist() for waveform in waveforms] == block.waveforms[[0, 39, 1, 20, 38]].tolist()


def test_a_block_can_be_unpacked_by_another_process(write, make_block):
    with TierFile(write(make_block(10), chunk_rows=4)) as file:
        pickled = pickle.dumps(file.table("Card")._fetch(0, 10, waveforms=True))
    block = pickle.loads(pickled).unpack()
    assert isinstance(block, Block)
    assert block.rows["channel"].tolist() == list(range(10))


def test_no_more_blocks_are_made_than_may_wait(write, make_block, pool):
    made = []
    with TierFile(write(make_block(40), chunk_rows=4)) as file:
        blocks = file.table("Card").blocks(
            4, pool=pool, then=lambda block: made.append(1) or Block("x", block.rows.copy()), n_ahead=2
        )
        next(blocks)
        pool.submit(int).result()
        blocks.close()
    assert len(made) <= 3


def test_names_tell_what_a_table_has_without_opening_it(tmp_path, make_block):
    plain, long = make_block(3, 0), make_block(3, 9000)
    plain.traces["slow"] = np.zeros((3, 2))
    with TierWriter(tmp_path / "t1.h5") as writer:
        for key, block in (("Plain", plain), ("Short", make_block(3, 4)), ("Long", long)):
            writer.write(key, block)
    with TierFile(tmp_path / "t1.h5") as file:
        columns = {"channel", "energy", "time_s", "card", "table"}
        assert file.names("Plain") == columns | {"slow"}
        assert file.names("Short") == file.names("Long") == columns | {"waveform"}


def test_names_of_a_fixed_frame_are_not_cheap(tmp_path):
    pd.DataFrame({"channel": [1, 2]}).to_hdf(tmp_path / "fixed.h5", key="Card", format="fixed")
    with TierFile(tmp_path / "fixed.h5") as file:
        assert file.names("Card") is None
