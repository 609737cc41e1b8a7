import numpy as np
import pandas as pd
import pytest
import tables

from pygama.block import Block
from pygama.errors import OutputError, TierFileError
from pygama.storage.frame_layout import plan_layout
from pygama.storage.hdf5 import description
from pygama.storage.reader import TierFile
from pygama.storage.writer import TierWriter

KINDS = {
    "wide": "i8",
    "exact": "f8",
    "name": "S4",
    "good": "?",
    "small": "u2",
    "tiny": "i1",
    "single": "f4",
    "half": "i4",
    "letter": "S1",
    "large": "u4",
}


@pytest.fixture
def rows():
    rows = np.zeros(6, list(KINDS.items()))
    for name in ("wide", "exact", "small", "tiny", "single", "half", "large"):
        rows[name] = np.arange(6)
    rows["name"] = [b"a", b"bc", "µ".encode(), b"", b"d e", b"a"]
    rows["letter"] = [b"x", b"y"] * 3
    rows["good"] = [True, False] * 3
    return rows


@pytest.fixture(params=[False, True], ids=["blocks", "queryable"])
def path(request, tmp_path, rows):
    path = tmp_path / "t.h5"
    samples = np.arange(30, dtype="i2").reshape(6, 5)
    with TierWriter(path, chunk_rows=4) as writer:
        writer.write("data", Block("data", rows, samples), queryable=request.param)
    return path


def test_pandas_says_what_it_says_of_its_own(path):
    with pd.HDFStore(path, "r") as store:
        assert store.keys() == ["/data"]
        said = str(store.get_storer("data"))
    assert said.startswith("frame_table  (typ->appendable,nrows->6,ncols->15,indexers->[index],dc->[")


def test_without_data_columns_pandas_says_that_there_are_none(tmp_path, make_block):
    with TierWriter(tmp_path / "t.h5") as writer:
        writer.write("ORSIS3302DecoderForEnergy_512", make_block(5, 2000))
    with pd.HDFStore(tmp_path / "t.h5", "r") as store:
        said = str(store.get_storer("ORSIS3302DecoderForEnergy_512"))
    assert said == "frame_table  (typ->appendable,nrows->5,ncols->2004,indexers->[index],dc->[])"


def test_pandas_shows_columns_in_their_order_and_samples_by_number(path):
    frame = pd.read_hdf(path)
    assert list(frame.columns) == [*KINDS, 0, 1, 2, 3, 4]
    assert all(type(label) is int for label in frame.columns[-5:])
    assert frame.index.tolist() == [0, 1, 2, 3, 4, 5]


def test_pandas_reads_every_value(path, rows):
    frame = pd.read_hdf(path)
    for name, kind in KINDS.items():
        if kind.startswith("S"):
            assert frame[name].tolist() == [text.decode() for text in rows[name]]
        else:
            assert frame[name].dtype == kind
            assert frame[name].tolist() == rows[name].tolist()
    assert frame[[0, 1, 2, 3, 4]].to_numpy().tolist() == np.arange(30).reshape(6, 5).tolist()
    assert frame[4].dtype == "i2"


def test_pandas_reads_parts(path):
    assert pd.read_hdf(path, "data", start=2, stop=5)["wide"].tolist() == [2, 3, 4]
    assert list(pd.read_hdf(path, "data", columns=["exact", 3]).columns) == ["exact", 3]
    assert pd.read_hdf(path, "data", where="index >= 4").index.tolist() == [4, 5]
    chunks = pd.read_hdf(path, "data", chunksize=4, iterator=True)
    assert [len(chunk) for chunk in chunks] == [4, 2]


@pytest.mark.parametrize("queryable", [False, True])
def test_pandas_appends_to_our_tables(tmp_path, rows, queryable):
    path = tmp_path / "t.h5"
    one_text = rows[[name for name in KINDS if name != "letter"]]
    samples = np.arange(30, dtype="i2").reshape(6, 5)
    with TierWriter(path, chunk_rows=4) as writer:
        writer.write("data", Block("data", one_text, samples), queryable=queryable)
    frame = pd.read_hdf(path)
    with pd.HDFStore(path) as store:
        store.append("data", frame)
    again = pd.read_hdf(path)
    assert len(again) == 12
    pd.testing.assert_frame_equal(again.iloc[:6], frame)
    pd.testing.assert_frame_equal(again.iloc[6:], frame)
    with TierFile(path) as file:
        assert file.table("data").column("name").tolist()[6:8] == [b"a", b"bc"]


QUESTIONS = [
    ("wide > 2 & wide <= 4", [3, 4]),
    ("exact == 2.0", [2]),
    ("name == 'bc'", [1]),
    ("name == 'a'", [0, 5]),
    ("name == 'µ'", [2]),
    ("good == True", [0, 2, 4]),
    ("small >= 5", [5]),
    ("tiny < 1", [0]),
    ("single > 3.5", [4, 5]),
    ("half != 3", [0, 1, 2, 4, 5]),
    ("letter == 'y' & wide > 1", [3, 5]),
    ("large == 4", [4]),
]


@pytest.mark.parametrize(("where", "found"), QUESTIONS)
def test_pandas_can_ask_for_each_column_of_a_queryable_table(tmp_path, rows, where, found):
    with TierWriter(tmp_path / "t2.h5", chunk_rows=4) as writer:
        writer.write("data", Block("data", rows), queryable=True)
    assert pd.read_hdf(tmp_path / "t2.h5", where=where).index.tolist() == found
    with pd.HDFStore(tmp_path / "t2.h5", "r") as store:
        assert store.select("data", where=where, columns=["wide"])["wide"].tolist() == found


def test_pandas_reads_a_file_with_arrays_and_texts_beside_the_table(tmp_path, make_block):
    block = make_block(3)
    block.traces["slow"] = np.zeros((3, 2))
    with TierWriter(tmp_path / "t.h5") as writer:
        writer.write("data", block)
        writer.write_ragged("data", "raw", [np.zeros(1, "u1")] * 3)
        writer.set_texts("data", {"chain": "{}", "long": "x" * 70_000})
        writer.set_texts("/", {"version": "1", "long": "x" * 70_000})
    with pd.HDFStore(tmp_path / "t.h5", "r") as store:
        assert store.keys() == ["/data"]
    assert len(pd.read_hdf(tmp_path / "t.h5")) == 3


def test_pandas_reads_an_empty_table(tmp_path, make_block):
    with TierWriter(tmp_path / "t.h5") as writer:
        writer.write("data", make_block(0))
    assert pd.read_hdf(tmp_path / "t.h5").shape == (0, 8)


def test_pandas_of_all_years_finds_the_version_it_looks_for(path):
    with tables.open_file(path) as file:
        assert file.root.data._v_attrs.pandas_version == "0.15.2"
        assert file.root.data._v_attrs.pandas_type == "frame_table"


def test_columns_of_one_type_share_a_block_and_samples_have_their_own():
    rows = np.dtype([("a", "i8"), ("b", "f8"), ("c", "i8"), ("d", "u2")])
    layout = plan_layout(rows, np.dtype("u2"), 3, queryable=False)
    assert [field.labels for field in layout.fields] == [("a", "c"), ("b",), ("d",), (0, 1, 2)]
    assert layout.labels == ("a", "b", "c", "d", 0, 1, 2)


@pytest.mark.parametrize("kind", ["U3", "O", "c16", "M8[s]", "S0", "(2,)i8"])
def test_a_column_that_cannot_be_stored_is_named(kind):
    with pytest.raises(OutputError, match="column 'a' of type"):
        plan_layout(np.dtype([("a", kind)]), None, 0, queryable=False)


def test_a_queryable_column_cannot_be_named_as_the_index():
    with pytest.raises(OutputError, match="column 'index'"):
        plan_layout(np.dtype([("index", "i8")]), None, 0, queryable=True)


def test_a_queryable_column_cannot_begin_as_names_of_pytables():
    with pytest.raises(OutputError, match="column '_v_max' begins"):
        plan_layout(np.dtype([("_v_max", "f8")]), None, 0, queryable=True)


@pytest.mark.parametrize("name", ["values_cols", "non_index_axes"])
def test_a_table_without_the_names_of_its_columns_is_refused(write, make_block, name):
    path = write(make_block())
    with tables.open_file(path, "a") as file:
        del file.root.Card._v_attrs[name]
    with TierFile(path) as file, pytest.raises(TierFileError, match="names of its columns are missing"):
        file.table("Card")


def test_a_table_whose_columns_and_names_disagree_is_refused(write, make_block):
    path = write(make_block())
    with tables.open_file(path, "a") as file:
        file.root.Card._v_attrs.non_index_axes = [(1, ["a", 0, 1, 2, 3])]
    with TierFile(path) as file, pytest.raises(TierFileError, match="do not agree"):
        file.table("Card")


def test_a_record_is_described_as_pytables_would_describe_it():
    kinds = ("?", "i1", "<i2", "<u4", "<i8", "<f4", "<f8", "S7", ("<u2", (5,)))
    record = np.dtype([(f"c{number}", kind) for number, kind in enumerate(kinds)])
    ours, theirs = tables.Description(description(record)), tables.description.descr_from_dtype(record)[0]
    assert ours._v_dtype == theirs._v_dtype == record
    assert ours._v_names == theirs._v_names
    assert repr(ours._v_dflts) == repr(theirs._v_dflts)
