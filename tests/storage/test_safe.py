import os
import pickle

import numpy as np
import pytest
import tables

from pygama.errors import TierFileError
from pygama.storage.reader import TierFile
from pygama.storage.safe import only_plain_data


class Hostile:
    """Makes a file on being unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def test_the_hostile_sample_works_on_an_unguarded_reader(tmp_path):
    pickle.loads(pickle.dumps(Hostile(tmp_path / "was run"), 0))
    assert (tmp_path / "was run").exists()


@pytest.mark.parametrize("node", ["/", "/Card", "/Card/table"])
def test_a_hostile_attribute_is_refused_and_not_run(write, make_block, tmp_path, node):
    path = write(make_block())
    with tables.open_file(path, "a") as file:
        file.get_node(node)._v_attrs.evil = Hostile(tmp_path / "was run")
    with pytest.raises(TierFileError, match=r"asks Python for '(posix|nt)\.mkdir'"), TierFile(path) as file:
        file.texts("/")
        file.table("Card")
    assert not (tmp_path / "was run").exists()


def test_a_hostile_attribute_in_the_place_of_one_of_pandas_is_refused(write, make_block, tmp_path):
    path = write(make_block())
    with tables.open_file(path, "a") as file:
        file.root.Card._v_attrs.non_index_axes = Hostile(tmp_path / "was run")
    with pytest.raises(TierFileError, match="could run a program"):
        TierFile(path)
    assert not (tmp_path / "was run").exists()


def test_a_hostile_array_of_objects_is_refused_and_not_run(write, make_block, tmp_path):
    path = write(make_block(1))
    with tables.open_file(path, "a") as file:
        file.create_vlarray("/Card", "raw", tables.ObjectAtom()).append(Hostile(tmp_path / "was run"))
    with TierFile(path) as file:
        table = file.table("Card")
        assert len(table.read()) == 1
        with pytest.raises(TierFileError, match="'raw' is pickled"):
            table.read_ragged("raw")
    assert not (tmp_path / "was run").exists()


def test_an_array_of_objects_read_by_pytables_itself_under_the_guard_is_refused(tmp_path):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.create_vlarray("/", "raw", tables.ObjectAtom()).append(Hostile(tmp_path / "was run"))
    refused = pytest.raises(TierFileError, match=r"x\.h5")
    with tables.open_file(tmp_path / "x.h5") as file, refused, only_plain_data("x.h5"):
        file.root.raw.read()
    assert not (tmp_path / "was run").exists()


def read_guarded(path, data):
    """Store a pickle as an attribute and read it as PyTables does, under the guard."""
    with tables.open_file(path, "w") as file:
        file.root._v_attrs.value = np.bytes_(data)
    with only_plain_data("x.h5"), tables.open_file(path) as file:
        return file.root._v_attrs.value


@pytest.mark.parametrize(
    "value",
    [[1, "a", None], {1: {"names": [None]}, "index": {}}, [(0, "index")], [1.5, True], np.int64(7), [b"x"]],
    ids=repr,
)
def test_plain_data_is_read(tmp_path, value):
    assert read_guarded(tmp_path / "x.h5", pickle.dumps(value, 0)) == value


def test_numbers_of_numpy_become_plain_numbers(tmp_path):
    value = read_guarded(tmp_path / "x.h5", pickle.dumps([np.int64(-3), np.float32(1.5), np.bool_(True)], 0))
    assert [type(number) for number in value] == [int, float, bool]
    assert value == [-3, 1.5, True]


@pytest.mark.parametrize(
    "value", [np.arange(3), np.dtype("O"), {1, 2}, range(3), np.datetime64("2018-01-01")]
)
def test_anything_else_is_not_made(tmp_path, value):
    data = pickle.dumps(value, 0)
    try:
        found = read_guarded(tmp_path / "x.h5", data)
    except TierFileError:
        return
    assert not isinstance(found, type(value))


@pytest.mark.parametrize(
    "data",
    [
        b"cnumpy\ndtype\n}S'a'\nI1\nsb.",
        b"cnumpy\ndtype\n(NS'x'\nI1\nu.",
        b"c_codecs\nencode\n(Va\nVrot13\ntR.",
        b"cnumpy._core.multiarray\nscalar\n(Va\nVb\ntR.",
        b"cnumpy\ndtype\n(VO\nI0\nI1\ntR.",
    ],
)
def test_the_allowed_calls_cannot_be_bent(tmp_path, data):
    found = read_guarded(tmp_path / "x.h5", data)
    assert bytes(found) == data
    assert read_guarded(tmp_path / "x.h5", pickle.dumps(np.int64(7), 0)) == 7


def test_others_in_the_process_keep_the_usual_unpickler(tmp_path):
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.root._v_attrs.value = {"a set": {1, 2}}
        file.create_vlarray("/", "raw", tables.ObjectAtom()).append(Hostile)
    with tables.open_file(tmp_path / "x.h5") as file:
        assert file.root._v_attrs.value == {"a set": {1, 2}}
        assert file.root.raw[0] is Hostile


def test_a_refusal_is_not_remembered_for_the_next_file(write, make_block, tmp_path):
    good, bad = write(make_block()), write(make_block(), name="bad.h5")
    with tables.open_file(bad, "a") as file:
        file.root.Card._v_attrs.evil = Hostile(tmp_path / "was run")
    with pytest.raises(TierFileError):
        TierFile(bad)
    with TierFile(good) as file:
        assert file.table("Card").n_rows == 5
