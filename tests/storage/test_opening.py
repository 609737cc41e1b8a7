"""Tests that damage in HDF5 files is an error, and leaves nothing open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pygama.block import Block
from pygama.errors import TierFileError
from pygama.storage import TierFile
from pygama.storage.hdf5 import tables
from pygama.storage.inside import look_inside, read_rows
from pygama.storage.reader import texts_of_file


@pytest.fixture
def path(write: Callable[..., Path], make_block: Callable[..., Block]) -> Path:
    return write(make_block(20, 30))


def replace(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))


def are_open() -> set[str]:
    return {str(file.filename) for file in tables.file._open_files.handlers}


def read_all(path: Path) -> None:
    """Read a file in all ways; what cannot be read is said by a TierFileError."""
    for read in (read_tables, read_inside, texts_of_file):
        try:
            read(path)
        except TierFileError as error:
            assert path.name in str(error) or "/" in str(error)


def read_tables(path: Path) -> None:
    with TierFile(path) as file:
        for key in file.keys:
            table = file.table(key)
            file.texts(key)
            for name in table.kinds:
                table.column(name)
            table.read()


def read_inside(path: Path) -> None:
    for node in look_inside(path).nodes:
        with suppress(TierFileError):
            read_rows(path, node.path)


@pytest.mark.parametrize("name", [b"pandas_type", b"TITLE", b"VERSION"])
def test_a_name_of_an_attribute_that_is_no_text_is_refused(path: Path, name: bytes) -> None:
    replace(path, name, b"\xff" + name[1:])
    with pytest.raises(TierFileError, match=r"t1\.h5 cannot be read as a Tier file"), TierFile(path) as file:
        file.table("Card")
    assert str(path) not in are_open()


def test_a_name_of_a_node_that_is_no_text_is_refused(path: Path) -> None:
    replace(path, b"Card\0", b"C\xe9rd\0")
    with pytest.raises(TierFileError, match="the name of a node in / is damaged"):
        TierFile(path)
    assert str(path) not in are_open()


@pytest.mark.parametrize("at", range(24, 48))
@pytest.mark.parametrize("value", [0, 0xFF])
def test_a_version_of_the_format_that_is_damaged_is_an_error_or_none(path: Path, at: int, value: int) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"PYTABLES_FORMAT_VERSION") + at] = value
    path.write_bytes(data)
    read_all(path)
    assert str(path) not in are_open()


def test_a_number_of_rows_for_which_there_is_no_room_is_refused(path: Path) -> None:
    data = path.read_bytes()
    extent = (20).to_bytes(8, "little")
    assert data.count(extent) >= 1
    path.write_bytes(data.replace(extent, (7 * 10**16).to_bytes(8, "little")))
    with TierFile(path) as file, pytest.raises(TierFileError, match="have no room: it is damaged"):
        file.table("Card")


def test_the_version_of_the_format_is_that_of_pytables(path: Path) -> None:
    with TierFile(path) as file, file.reading() as opened:
        assert str(opened.format_version) == tables.file.format_version


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_damaged_anywhere_is_read_or_refused(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    try:
        read_all(path)
    finally:
        path.write_bytes(whole)
    assert str(path) not in are_open()
