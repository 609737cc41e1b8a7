"""Writes and reads how a picture was made."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pygama.errors import TierFileError
from pygama.storage import how_made as module
from pygama.storage.how_made import how_made, metadata

MADE = {"run": 9001, "cut": "trap_max > 3 & (a < 'ü')", "nested": {"list": [1, 2.5, None, "a\\b\n"]}}


def picture(path: Path, made: dict[str, object]) -> Path:
    figure = Figure(figsize=(1, 1))
    FigureCanvasAgg(figure)
    figure.savefig(path, metadata=metadata(path.suffix, made))
    return path


@pytest.mark.parametrize("suffix", module.SUFFIXES)
def test_what_is_written_into_a_picture_is_read_again(tmp_path: Path, suffix: str) -> None:
    assert how_made(picture(tmp_path / f"one{suffix}", MADE)) == MADE


@pytest.mark.parametrize("suffix", module.SUFFIXES)
def test_a_picture_without_a_word_gives_nothing(tmp_path: Path, suffix: str) -> None:
    figure = Figure(figsize=(1, 1))
    FigureCanvasAgg(figure)
    figure.savefig(tmp_path / f"one{suffix}")
    assert how_made(tmp_path / f"one{suffix}") is None


def test_another_kind_of_picture_is_refused() -> None:
    with pytest.raises(TierFileError, match=r"'.gif'"):
        metadata(".gif", MADE)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize(
    "body",
    [
        (b"tEXt", b'pygama\0{"a": 1}'),
        (b"zTXt", b"pygama\0\0" + zlib.compress(b'{"a": 1}')),
        (b"iTXt", b'pygama\0\0\0en\0\0{"a": 1}'),
        (b"iTXt", b"pygama\0\1\0\0\0" + zlib.compress(b'{"a": 1}')),
    ],
)
def test_every_kind_of_text_in_a_png_is_read(tmp_path: Path, body: tuple[bytes, bytes]) -> None:
    (tmp_path / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(*body) + chunk(b"IEND", b""))
    assert how_made(tmp_path / "one.png") == {"a": 1}


def test_a_text_that_unpacks_to_too_much_is_passed_over(tmp_path: Path) -> None:
    bomb = chunk(b"zTXt", b"pygama\0\0" + zlib.compress(b" " * (module.MOST_BYTES + 1)))
    (tmp_path / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bomb)
    assert how_made(tmp_path / "one.png") is None


@given(st.binary(max_size=200), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"%PDF-1.4 /Keywords (", b"<svg "]))
def test_damaged_pictures_say_nothing_and_break_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bytes
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "one.png"
    path.write_bytes(head + data)
    assert how_made(path) is None


def test_a_word_that_was_altered_is_not_believed(tmp_path: Path) -> None:
    path = picture(tmp_path / "one.png", {"cut": "trap_max > 1"})
    assert how_made(path) == {"cut": "trap_max > 1"}
    path.write_bytes(path.read_bytes().replace(b"trap_max > 1", b"trap_max > 7"))
    assert how_made(path) is None
