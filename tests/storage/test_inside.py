"""Looks into files of every kind: our own, those of pandas, those of others, and those made to do harm."""

import base64
import os
import pickle
import re
import subprocess
import sys
import zlib

import numpy as np
import pandas as pd
import pytest
import tables

from pygama.errors import TierFileError
from pygama.storage.inside import Column, InsideFile, look_inside, read_column, read_rows
from pygama.storage.writer import TierWriter
from pygama.utils import grouped


class Hostile:
    """Makes a folder on being unpickled."""

    def __init__(self, marker, call=os.mkdir):
        self.marker, self.call = str(marker), call

    def __reduce__(self):
        return self.call, (self.marker,)


def pickled(value, protocol=0):
    return np.bytes_(pickle.dumps(value, protocol))


def set_attribute(path, node, name, value):
    """Write an attribute below what PyTables checks."""
    with tables.open_file(path, "a") as file:
        found = file.get_node(node)
        found._v_attrs._g_setattr(found, name, np.array(value))


def says(sentences, pattern):
    return any(re.search(pattern, sentence) for sentence in sentences)


# What is in a file


def test_our_own_table_is_told_with_columns_samples_and_texts(tmp_path, make_block):
    with TierWriter(tmp_path / "t1.h5") as writer:
        writer.write("Card", make_block(5, 4))
        writer.set_texts("/", {"run_number": "72", "header": "{" + "x" * 100_000 + "}"})
    contents = look_inside(tmp_path / "t1.h5")
    assert [node.path for node in contents.nodes] == ["/", "/Card"]
    table = contents.node("Card")
    assert (table.kind, table.n_rows, table.trouble) == ("table", 5, "")
    assert table.columns == (
        Column("channel", "int64"),
        Column("energy", "int64"),
        Column("time_s", "float64", "s"),
        Column("card", "int64"),
        Column("(4 samples)", "uint16", width=4),
    )
    texts = {one.name: one.text for one in contents.node("/").attributes}
    assert texts["run_number"] == "72"
    assert len(texts["header"]) == 100_002
    assert contents.refused == ()
    assert contents.n_bytes == (tmp_path / "t1.h5").stat().st_size


def test_sizes_and_packing_are_told(write, make_block):
    node = look_inside(write(make_block(100, 1000), chunk_rows=64, compression="zlib")).node("Card")
    assert (node.chunk, node.packing) == ((64,), "zlib, shuffled")
    assert 0 < node.stored_bytes < 100 * 2000


def test_rows_are_read_as_a_slice_takes_them(write, make_block):
    path = write(make_block(10), chunk_rows=4)
    rows = read_rows(path, "Card", 3, 6)
    assert list(rows) == ["channel", "energy", "time_s", "card", "(4 samples)"]
    assert rows["energy"].tolist() == [30, 40, 50]
    assert rows["(4 samples)"].tolist() == [[1000 * i + k for k in range(4)] for i in (3, 4, 5)]
    assert read_rows(path, "/Card", 9, 99, ["time_s"])["time_s"].tolist() == [9 / 4]
    assert read_rows(path, "Card", 4, 4, ["time_s"])["time_s"].tolist() == []


def test_a_column_is_read_in_part(write, make_block):
    path = write(make_block(10), chunk_rows=4)
    assert read_column(path, "Card", "energy", 2, 5).tolist() == [20, 30, 40]
    assert read_column(path, "Card", "energy").tolist() == list(range(0, 100, 10))
    assert read_column(path, "Card", "(4 samples)", 1, 2).tolist() == [[1000, 1001, 1002, 1003]]


def test_a_column_larger_than_one_step_is_whole(write, make_block, monkeypatch):
    monkeypatch.setattr("pygama.storage.inside_rows.STEP_BYTES", 100)
    assert read_column(write(make_block(50)), "Card", "channel").tolist() == list(range(50))


def test_a_long_waveform_beside_the_table_is_one_of_its_columns(write, make_block):
    path = write(make_block(3, 9000, dtype="u4"))
    node = look_inside(path).node("Card")
    assert node.columns[-1] == Column("waveform", "uint32", width=9000)
    assert read_rows(path, "Card", 2, 3)["waveform"][0, :3].tolist() == [2000, 2001, 2002]


def test_what_is_not_there_is_named_with_what_is(write, make_block):
    path = write(make_block())
    with pytest.raises(TierFileError, match="no column 'enrgy'; it has channel, energy"):
        read_rows(path, "Card", columns=["enrgy"])
    with pytest.raises(TierFileError, match="/Crad cannot be read"):
        read_rows(path, "Crad")
    with pytest.raises(TierFileError, match="holds no rows; choose a table"):
        read_rows(path, "/")


@pytest.mark.parametrize("data", [b"no", b"", None])
def test_a_file_that_is_not_hdf5_says_so(tmp_path, data):
    if data is not None:
        (tmp_path / "x.h5").write_bytes(data)
    with pytest.raises(TierFileError, match=r"x\.h5'? is not a"):
        look_inside(tmp_path / "x.h5")


def test_a_file_cut_short_says_so(write, make_block):
    path = write(make_block(100, 1000))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(TierFileError, match=r"t1\.h5 cannot be read: it is cut short, .*\d bytes are there"):
        look_inside(path)


def test_a_closed_file_says_so(write, make_block):
    with InsideFile(write(make_block())) as file:
        pass
    with pytest.raises(TierFileError, match="is closed"):
        file.rows("Card")


# What pandas and others write


@pytest.mark.filterwarnings("ignore::pandas.errors.PerformanceWarning")
def test_a_fixed_frame_with_lists_dicts_and_text_is_read_as_plain_data(tmp_path):
    path = tmp_path / "t1_run72.h5"
    frame = pd.DataFrame(
        {"n": [1, 2, 3], "l": [[1], [2, 3], []], "d": [{"a": 1.5}, {}, {}], "s": ["x", "yy", None]}
    )
    frame.to_hdf(path, key="ORSIS3302Model", format="fixed")
    node = look_inside(path).node("ORSIS3302Model")
    assert (node.kind, node.n_rows, node.trouble) == ("frame", 3, "")
    assert [(column.name, column.kind) for column in node.columns] == [
        ("n", "int64"),
        ("l", "pickled"),
        ("d", "pickled"),
        ("s", "pickled"),
    ]
    rows = read_rows(path, "ORSIS3302Model", 0, 2)
    assert rows["n"].tolist() == [1, 2]
    assert (rows["l"], rows["d"], rows["s"][:2]) == ([[1], [2, 3]], [{"a": 1.5}, {}], ["x", "yy"])


@pytest.mark.filterwarnings("ignore::pandas.errors.PerformanceWarning")
def test_a_fixed_frame_with_numbers_for_names_is_read(tmp_path):
    pd.DataFrame({"n": [1, 2], 0: [3, 4]}).to_hdf(tmp_path / "x.h5", key="Card", format="fixed")
    rows = read_rows(tmp_path / "x.h5", "Card")
    assert {name: values.tolist() for name, values in rows.items()} == {"n": [1, 2], "0": [3, 4]}


def test_an_appended_frame_of_pandas_is_read(tmp_path):
    frame = pd.DataFrame({"channel": [1, 2], "energy": [0.5, 1.5], "name": ["a", "bc"]})
    frame.to_hdf(tmp_path / "t2.h5", key="data", format="table", data_columns=["name"])
    rows = read_rows(tmp_path / "t2.h5", "data")
    assert {name: values.tolist() for name, values in rows.items()} == {
        "channel": [1, 2],
        "energy": [0.5, 1.5],
        "name": [b"a", b"bc"],
    }


def test_a_group_of_arrays_of_one_length_is_a_table_of_columns(tmp_path):
    with tables.open_file(tmp_path / "raw.lh5", "w") as file:
        group = file.create_group("/", "geds")
        file.create_array(group, "energy", np.arange(4.0)).attrs.units = "keV"
        file.create_carray(group, "values", obj=np.arange(12).reshape(4, 3))
    node = look_inside(tmp_path / "raw.lh5").node("geds")
    assert (node.kind, node.n_rows) == ("columns", 4)
    assert node.columns == (Column("energy", "float64", "keV"), Column("values", "int64", width=3))
    rows = read_rows(tmp_path / "raw.lh5", "geds", 1, 3)
    assert (rows["energy"].tolist(), rows["values"].tolist()) == ([1, 2], [[3, 4, 5], [6, 7, 8]])


def test_tables_arrays_and_ragged_rows_of_others_are_read(tmp_path):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.create_table("/", "t", np.array([(1, [2.0, 3.0])], [("a", "i4"), ("b", "f8", (2,))]))
        file.create_array("/", "one", 7)
        file.create_array("/", "cube", np.arange(12).reshape(2, 3, 2))
        file.create_vlarray("/", "ragged", tables.Int16Atom()).append([1, 2, 3])
        file.create_vlarray("/", "words", tables.VLUnicodeAtom()).append("grün")
    path = tmp_path / "x.h5"
    assert read_rows(path, "t")["b"].tolist() == [[2.0, 3.0]]
    assert read_rows(path, "one")["one"].tolist() == [7]
    assert read_rows(path, "cube")["cube"].tolist() == [list(range(6)), list(range(6, 12))]
    assert [row.tolist() for row in read_rows(path, "ragged")["ragged"]] == [[1, 2, 3]]
    assert read_rows(path, "words")["words"] == ["grün"]
    assert look_inside(path).refused == ()
    kinds = {node.name: node.kind for node in look_inside(path).nodes[1:]}
    assert kinds == {"cube": "array", "one": "array", "ragged": "ragged", "t": "table", "words": "ragged"}


def test_links_are_told_and_not_followed(tmp_path):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.create_soft_link("/", "soft", "/nowhere")
        file.create_external_link("/", "other", f"{tmp_path / 'not there.h5'}:/data")
        file.create_array("/", "a", [1, 2])
    contents = look_inside(tmp_path / "x.h5")
    assert contents.node("soft").trouble == "/soft is a link to '/nowhere' in this file, and is not followed"
    assert "is not followed; open that file itself" in contents.node("other").trouble
    assert contents.node("a").n_rows == 2
    with pytest.raises(TierFileError):
        read_rows(tmp_path / "x.h5", "other")


# What PyTables cannot write: a dataset of texts, one whose values are in other.bin, one sewn together
# from other.h5, one from the file itself, and an attribute of opaque bytes (made with h5py).
OF_OTHERS = zlib.decompress(
    base64.b64decode(
        "eNrtWE1Kw0AUnkmaJgTFKAhtV90I4qK4KbhU2moXYkVddGdbDbQIjdoUiydob+DSjeARBC/gJbyBd6gzmffSZLABRWql"
        "821e3syX+XnzzZtkRtXy/rKdswmHZZEUcUgUY0A7F/exvgGWgh2CfdawnAZ1GShfhfZl3tlJpcLZYwnYz3ZKWIsoLCKq"
        "lb1jbuvg74B90+I83x34PWa9u27ge32/17l0Sc8VBdyet91bV9Jtfkq/lBiCQ9EXSqZUFGD3aHVWz2uyrJ4r3QlfFco1"
        "mOW+poliC9rTKUpbHslwrtbh9KhW5jHB/TxMJ/MxmwyMZB7OuppJ5m2CrWeTeZgn8vp86pmSdKKuMFxGqCsnoDoWzm1X"
        "0pMm6SmfiUdMYAl8SkzGtYh33bzps82wHvQx2Q/N1oWU4f82HjbwbDkeU/eXiIfJ5kuBw0+iB/Prc8QOdYPxwxPIlpiN"
        "mea7jJSnXsw4z/NZMiu0Ot0fx53tEWuSw6I+fz4o1Q5pZCNTaTwtKf+F+gnXCeZDJIIYeLtIBjHdRcdBIuuLPv8MeB9t"
        "FeFzgJTkdgtB6v9uk48br/fxvLWizlwFBQUFBQUFBQUFBQWFxQOV/vP1yM+zqP/l+ywd77PExUNKx1sJ0fMavMVJTx/m"
        "1bzdk84uHql/EY9PFF5iow=="
    )
)


@pytest.fixture
def of_others(tmp_path):
    """Lay a file that PyTables cannot write, and the files that it points at."""
    (tmp_path / "others.h5").write_bytes(OF_OTHERS)
    (tmp_path / "other.bin").write_bytes(b"not yours!")
    with tables.open_file(tmp_path / "other.h5", "w") as file:
        file.create_array("/", "x", np.arange(5))
    return tmp_path / "others.h5"


@pytest.mark.parametrize(("name", "other"), [("outside", "other.bin"), ("sewn", "other.h5")])
def test_values_that_lie_in_another_file_are_not_read(of_others, monkeypatch, name, other):
    monkeypatch.chdir(of_others.parent)
    said = f"others.h5: /{name} has its values in another file, '{other}', which is not read"
    contents = look_inside(of_others)
    assert contents.node(name).trouble == said
    assert contents.node("/").trouble == ""
    with pytest.raises(TierFileError, match="which is not read"):
        read_rows(of_others, name)


def test_values_sewn_together_from_the_file_itself_are_read(of_others):
    assert read_rows(of_others, "sewn_here")["sewn_here"].tolist() == [0, 1, 2, 3, 4]


def test_an_attribute_of_an_unknown_type_is_told_and_is_not_none(of_others):
    (opaque,) = look_inside(of_others).node("own").attributes
    assert opaque.text == "not shown: it is of a type that is not known here"


def test_an_attribute_that_is_none_is_shown_as_none(tmp_path):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.root._v_attrs.nothing = None
    (nothing,) = look_inside(tmp_path / "x.h5").node("/").attributes
    assert (nothing.text, nothing.refused) == ("None", "")


def test_a_dataset_that_pytables_cannot_read_says_so_without_a_warning(of_others):
    assert look_inside(of_others).node("texts").trouble == (
        "others.h5: /texts holds a kind of data that is not known here"
    )


# Files made to do harm


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("call", [os.mkdir, os.system, eval, exec], ids=lambda call: call.__name__)
def test_a_hostile_attribute_is_told_and_not_run(write, make_block, tmp_path, protocol, call):
    marker = tmp_path / "was run"
    words = {os.mkdir: f"{marker}", os.system: f"mkdir '{marker}'"}
    code = words.get(call, f"__import__('os').mkdir({str(marker)!r})")
    path = write(make_block())
    with tables.open_file(path, "a") as file:
        file.root._v_attrs.evil = pickled(Hostile(code, call), protocol)
        file.root.Card._v_attrs.evil = pickled([1, {"a": Hostile(code, call)}], protocol)
        file.root.Card.table.attrs.evil = pickled(Hostile(code, call), protocol)
    contents = look_inside(path)
    rows = read_rows(path, "Card", 0, 2)
    assert not marker.exists()
    assert rows["energy"].tolist() == [0, 10]
    for place in ("/: attribute 'evil'", "/Card: attribute 'evil'", "/Card: attribute 'table: evil'"):
        expected = (
            rf"{place} asks Python for '\w+\.{call.__name__}', which could run a program; it was not run"
        )
        assert says(contents.refused, expected)
    pickle.loads(pickle.dumps(Hostile(code, call), protocol))
    assert marker.exists(), "the sample does no harm to an unguarded reader, so it shows nothing"


def test_nothing_is_run_where_this_is_the_first_that_opens_a_file(tmp_path):
    with tables.open_file(tmp_path / "x.h5", "w"):
        pass
    set_attribute(tmp_path / "x.h5", "/", "FILTERS", pickled(Hostile(tmp_path / "was run")))
    with tables.open_file(tmp_path / "x.h5", "a") as file:
        (tmp_path / "was run").rmdir()  # this one was not guarded
        file.root._v_attrs.evil = Hostile(tmp_path / "was run")
    code = (
        "import sys; from pathlib import Path; from pygama.storage.inside import look_inside; "
        "print(look_inside(Path(sys.argv[1])).refused)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.h5")], capture_output=True, text=True, check=True
    )
    assert "'evil' asks Python for" in done.stdout
    assert not (tmp_path / "was run").exists()


@pytest.mark.parametrize(
    "name", ["CLASS", "TITLE", "VERSION", "FILTERS", "pandas_type", "nblocks", "_v_attrnames"]
)
def test_a_hostile_attribute_in_the_place_of_one_that_is_needed_is_not_run(tmp_path, name):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        group = file.create_group("/", "bad")
        file.create_array("/", "good", [1, 2, 3])
        file.create_array(group, "inner", [1])
    set_attribute(tmp_path / "x.h5", "/bad", name, pickled(Hostile(tmp_path / "was run")))
    contents = look_inside(tmp_path / "x.h5")
    assert not (tmp_path / "was run").exists()
    assert contents.node("good").n_rows == 3
    assert read_rows(tmp_path / "x.h5", "good")["good"].tolist() == [1, 2, 3]


@pytest.mark.filterwarnings("ignore::pandas.errors.PerformanceWarning")
def test_a_hostile_object_in_a_fixed_frame_is_told_when_it_is_read(tmp_path):
    path = tmp_path / "x.h5"
    frame = pd.DataFrame({"n": [1, 2], "bad": [Hostile(tmp_path / "was run"), None]})
    frame.to_hdf(path, key="Card", format="fixed")
    assert look_inside(path).node("Card").n_rows == 2
    with pytest.raises(TierFileError, match=r"asks Python for '\w+\.mkdir'.* it was not run"):
        read_rows(path, "Card")
    assert read_rows(path, "Card", columns=["n"])["n"].tolist() == [1, 2]
    assert not (tmp_path / "was run").exists()


@pytest.mark.parametrize("value", [[1, "a", None, {"b": (2.5, True)}], {1: [2]}], ids=repr)
def test_an_array_of_plain_objects_is_read_and_a_hostile_one_is_not(tmp_path, value):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        array = file.create_vlarray("/", "objects", tables.ObjectAtom())
        array.append(value)
        array.append(Hostile(tmp_path / "was run"))
    node = look_inside(tmp_path / "x.h5").node("objects")
    assert (node.kind, node.n_rows, node.trouble) == ("objects", 2, "")
    assert read_rows(tmp_path / "x.h5", "objects", 0, 1)["objects"] == [value]
    with pytest.raises(TierFileError, match="which could run a program"):
        read_rows(tmp_path / "x.h5", "objects", 1, 2)
    assert not (tmp_path / "was run").exists()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["i8", ">f4", "O"])
def test_a_pickled_array_is_read_row_by_row(tmp_path, order, kind):
    array = np.arange(6).reshape(2, 3).astype(kind, order=order)
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.create_vlarray("/", "objects", tables.ObjectAtom()).append(array)
    assert read_rows(tmp_path / "x.h5", "objects")["objects"] == [[0, 1, 2, 3, 4, 5]]


TRICKS = {
    "a place far beyond": (b"(lp99999999999\n.", "could fill the memory"),
    "a binary place far beyond": (b"]r\xff\xff\xff\x7f.", "could fill the memory"),
    "from outside": (b"Pelsewhere\n.", "outside of the file"),
    "binary, from outside": (b"X\x01\x00\x00\x00aQ.", "outside of the file"),
    "an instance": (b"(S'x'\nios\nsystem\n.", r"asks Python for 'os\.system'"),
    "by its parts": (b"cbuiltins\ngetattr\n(cos\n__dict__\nS'x'\ntR.", r"builtins\.getattr"),
    "a name with dots": (b"\x80\x04\x8c\x02os\x8c\x0dpath.os.mkdir\x93.", r"os\.path\.os\.mkdir"),
    "of this program": (b"cpygama.storage.safe\n_thread\n.", r"pygama\.storage\.safe\._thread"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_told_in_a_sentence(tmp_path, trick):
    data, expected = TRICKS[trick]
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.root._v_attrs.evil = np.bytes_(data)
        file.create_array("/", "good", [1, 2, 3])
    contents = look_inside(tmp_path / "x.h5")
    assert says(contents.refused, f"/: attribute 'evil' .*{expected}")
    assert contents.node("good").n_rows == 3


def test_an_array_of_a_mere_number_of_bytes_is_not_made(tmp_path):
    data = b"cnumpy._core.numeric\n_frombuffer\n(I99999999999\ncnumpy\ndtype\n(S'u1'\ntR(I1\ntS'C'\ntR."
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.root._v_attrs.evil = np.bytes_(data)
    attributes = look_inside(tmp_path / "x.h5").node("/").attributes
    assert [(one.name, one.text) for one in attributes] == [("evil", data.decode())]


def test_a_few_bytes_that_stand_for_more_than_the_memory_are_written_in_short(tmp_path):
    bomb = b"(lp0\n" + b"".join(b"(lp%d\ng%d\nag%d\na" % (n, n - 1, n - 1) for n in range(1, 60)) + b"."
    deep = b"(l" * 5000 + b"a" * 4999 + b"."
    number = pickle.dumps(10**4000, 2)
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        for name, data in (("bomb", bomb), ("deep", deep), ("number", number)):
            file.root._v_attrs[name] = np.bytes_(data)
    texts = {one.name: one.text for one in look_inside(tmp_path / "x.h5").node("/").attributes}
    assert all(len(text) < 5000 for text in texts.values())
    assert texts["number"] == "a number of 13288 bits"
    assert texts["deep"] == "[[[[[[[[[…]]]]]]]]]"


@pytest.mark.filterwarnings("ignore::tables.PerformanceWarning")
def test_claimed_sizes_cost_nothing(tmp_path):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.create_carray("/", "long", tables.UInt16Atom(), (1 << 40, 100), chunkshape=(100, 100))
        file.create_carray("/", "wide", tables.UInt16Atom(), (4, 1 << 40), chunkshape=(1, 1000))
        file.create_carray("/", "packed", tables.UInt16Atom(), (1 << 31, 1), chunkshape=(1 << 30, 1))
        file.create_carray("/", "cube", tables.UInt16Atom(), (4, 1 << 20, 1 << 20), chunkshape=(1, 10, 10))
    path = tmp_path / "x.h5"
    contents = look_inside(path)
    assert contents.node("long").n_rows == 1 << 40
    assert len(read_rows(path, "long", 5)["long"]) == 10_000
    assert read_rows(path, "wide")["wide"].shape == (4, 65_536)
    assert read_column(path, "long", "long", 0, 1 << 40).nbytes < 100_000_000
    with pytest.raises(TierFileError, match=f"one row takes {grouped(1 << 41)} bytes, too many"):
        read_rows(path, "cube")
    assert f"is stored in pieces of {grouped(1 << 31)} bytes, too large" in contents.node("packed").trouble


def test_a_group_that_holds_itself_comes_to_an_end(tmp_path):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.create_group("/", "a")
        for name in ("b", "c", "d"):
            file.create_hard_link("/a", name, "/a")
    contents = look_inside(tmp_path / "x.h5")
    assert len(contents.nodes) <= 10_000
    assert says(contents.refused, "more in the file than the first 10000 entries")


def test_data_packed_in_an_unknown_way_say_so_and_the_rest_is_read(tmp_path):
    path = tmp_path / "x.h5"
    with tables.open_file(path, "w") as file:
        file.create_carray("/", "bad", obj=np.arange(100), filters=tables.Filters(1, "zlib", shuffle=False))
        file.create_array("/", "good", [1, 2, 3])
    data = path.read_bytes()
    deflate = b"\x01\x00\x08\x00\x01\x00\x01\x00deflate"
    assert data.count(deflate) == 1
    path.write_bytes(data.replace(deflate, b"\x77\x77" + deflate[2:]))
    assert look_inside(path).node("good").n_rows == 3
    with pytest.raises(TierFileError, match=r"x\.h5: /?bad cannot be read"):
        read_rows(path, "bad")


def test_a_table_with_damaged_names_is_shown_by_its_fields(write, make_block):
    path = write(make_block(3))
    with tables.open_file(path, "a") as file:
        file.root.Card._v_attrs.non_index_axes = [(1, ["other"])]
    node = look_inside(path).node("Card")
    assert [column.name for column in node.columns] == [
        "index",
        "values_block_0",
        "values_block_1",
        "values_block_2",
    ]
    assert read_rows(path, "Card")["index"].tolist() == [0, 1, 2]


def test_real_files_are_told_and_read(real_run, tmp_path):
    from pygama.processing.run import process_run

    process_run(real_run("2018-9-25-Th228Run9001"), output_dir=tmp_path)
    for path in sorted(tmp_path.glob("*.h5")):
        with InsideFile(path) as file:
            contents = file.contents()
            assert contents.refused == ()
            for node in contents.nodes[1:]:
                assert list(file.rows(node.path, 0, 2)) == [column.name for column in node.columns]
    assert contents.node("data").n_rows == 1000
