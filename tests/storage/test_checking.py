"""What `pygama check` says of whole, old and damaged files."""

from contextlib import suppress

import numpy as np
import pytest
import tables

from pygama.__main__ import main
from pygama.errors import TierFileError
from pygama.storage import TierFile, TierWriter, text_sums
from pygama.storage.checking import check_file


def places_of(path, table="/Card/table"):
    with tables.open_file(path) as file:
        leaf = file.get_node(table)
        return [
            leaf.chunk_info((row, *(0 for _ in leaf.shape[1:])))
            for row in range(0, leaf.nrows, leaf.chunkshape[0])
        ]


def change(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("compression", ["zstd", "lz4", "zlib"])
def test_a_file_as_it_was_written_is_whole(tmp_path, make_block, compression):
    path = tmp_path / "t1.h5"
    with TierWriter(path, compression=compression) as writer:
        writer.write("Card", make_block(300, 1000))
    checked = check_file(path)
    assert (checked.n_rows, checked.damaged, checked.n_unguarded) == (300, (), 0)
    assert checked.summary() == "whole: 300 rows in 1 table, all checksums fit"


def test_what_has_no_checksum_is_counted(tmp_path, make_block):
    path = tmp_path / "t1.h5"
    with TierWriter(path, compression="none") as writer:
        writer.write("Card", make_block(30, 100))
        writer.write_ragged("Card", "hits", [np.arange(3)] * 30)
    checked = check_file(path)
    assert checked.n_unguarded == checked.n_chunks > 1
    assert "have no checksum" in checked.summary()


def test_each_damaged_stretch_is_named_by_its_rows(tmp_path, make_block, capsys):
    path = tmp_path / "t1.h5"
    with TierWriter(path, chunk_rows=50) as writer:
        writer.write("Card", make_block(300, 1000))
    for number in (1, 4):
        change(path, places_of(path)[number].offset + 900)
    checked = check_file(path)
    assert [text.split(": ")[2].split(" are")[0] for text in checked.damaged] == [
        "rows 50 to 99",
        "rows 200 to 249",
    ]
    assert main(["check", str(path)]) == 1
    assert capsys.readouterr().out.startswith(
        "t1.h5: damaged in 2 places; it holds 300 rows in 1 table\n  t1.h5: "
    )


@pytest.mark.parametrize("where", ["head", "sum"])
def test_damage_in_front_and_in_the_checksum_is_named(tmp_path, make_block, where):
    path = tmp_path / "t1.h5"
    with TierWriter(path) as writer:
        writer.write("Card", make_block(30, 1000))
    (place,) = places_of(path)
    change(path, place.offset if where == "head" else place.offset + place.size - 1)
    assert "rows 0 to" in check_file(path).damaged[0]


def test_long_waveforms_beside_a_table_are_read_too(tmp_path, make_block):
    path = tmp_path / "t1.h5"
    with TierWriter(path) as writer:
        writer.write("Card", make_block(40, 10_000))
    change(path, places_of(path, "/Card/waveform")[0].offset + 5000)
    assert "/Card/waveform: rows 0 to" in check_file(path).damaged[0]


def test_a_table_that_cannot_be_opened_does_not_keep_the_others_from_being_read(tmp_path, make_block):
    path = tmp_path / "t1.h5"
    with TierWriter(path) as writer:
        writer.write("Card", make_block(30, 100))
        writer.write("Other", make_block(20, 100))
    with tables.open_file(path, "a") as file:
        del file.root.Card._v_attrs["non_index_axes"]
    checked = check_file(path)
    assert (checked.n_tables, checked.n_rows) == (2, 20)
    assert ["names and texts" in text for text in checked.damaged] == [True, False]


def test_a_file_made_by_pytables_alone_is_read_without_a_checksum(tmp_path, make_block):
    path, copy = tmp_path / "t1.h5", tmp_path / "copy.h5"
    with TierWriter(path) as writer:
        writer.write("Card", make_block(300, 1000))
    with tables.open_file(path) as file:
        file.copy_file(str(copy))
    checked = check_file(copy)
    assert checked.damaged == ()
    assert checked.n_unguarded == checked.n_chunks
    with TierFile(path) as first, TierFile(copy) as second:
        np.testing.assert_array_equal(
            first.table("Card").read().waveforms, second.table("Card").read().waveforms
        )


def test_what_is_no_tier_file_is_an_error(tmp_path, capsys):
    (tmp_path / "raw").write_bytes(b"no HDF5")
    with pytest.raises(TierFileError, match="not HDF5"):
        check_file(tmp_path / "raw")
    assert main(["check", str(tmp_path / "raw"), str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err


TEXTS = {"chain": '[{"step": "trap_filter", "settings": {"rise": 400}}]', "header": "<plist>" * 20_000}


@pytest.fixture
def with_texts(tmp_path, make_block):
    """Make a file with a short and a long text, for the file and for a table."""
    path = tmp_path / "t1.h5"
    with TierWriter(path) as writer:
        writer.write("Card", make_block(30, 100), queryable=True)
        writer.set_texts("/", TEXTS)
        writer.set_texts("Card", TEXTS)
    return path


@pytest.mark.parametrize("text", [b'"rise": 400', b"<plist>", b"Card", b"non_index_axes", b"data_columns"])
def test_a_name_or_a_text_that_has_changed_is_told(with_texts, text):
    data = with_texts.read_bytes()
    places = [at for at in range(len(data)) if data.startswith(text, at)][:12]
    assert places
    for at in places:
        change(with_texts, at + len(text) - 1)
        with suppress(TierFileError):  # it cannot even be opened
            assert check_file(with_texts).damaged, at
        with_texts.write_bytes(data)
    assert check_file(with_texts).summary() == "whole: 30 rows in 1 table, all checksums fit"


def test_changed_settings_are_told_in_a_sentence(with_texts):
    change(with_texts, with_texts.read_bytes().index(b'"rise": 400') + 8)
    (told,) = check_file(with_texts).damaged
    assert told.startswith("t1.h5: its names and texts, settings and header among them, are not those")


def test_a_file_of_before_is_read_and_told_to_have_no_checksum_of_its_texts(with_texts):
    with tables.open_file(with_texts, "a") as file:
        del file.root._v_attrs["texts_crc32"]
    with TierFile(with_texts) as file:
        assert file.texts("/") == TEXTS
    assert check_file(with_texts).summary() == (
        "can be read: 30 rows in 1 table; names and texts have no checksum, "
        "so bytes of them that have changed may go unseen"
    )


def test_the_checksum_is_none_of_the_texts(with_texts):
    with TierFile(with_texts) as file:
        assert file.texts("/") == file.texts("Card") == TEXTS


def test_the_layout_of_rows_is_written_down_in_words_that_no_version_changes():
    rows = np.dtype([("channel", "<i8"), ("waveform", ">u2", (3, 2)), ("at", [("x", "<f4")])])
    assert text_sums._layout(rows) == "[channel:<i8()@0 waveform:>u2(3,2)@8 at:[x:<f4()@0]()@20]()"
    assert text_sums._layout(np.dtype("S5")) == "|S5()"
