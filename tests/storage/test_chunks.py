import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.errors import SettingsError, TierFileError
from pygama.storage.chunks import (
    CHOICES,
    Codec,
    Unpacker,
    check_compression,
    codec_for,
    codec_for_samples,
    is_snappy,
    load_blosc,
    rows_in_a_chunk,
)


@given(
    st.sampled_from(["lz4", "zstd", "zlib"]),
    st.integers(1, 600),
    st.sampled_from([0, 1, 2, 4]),
    st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_what_is_compressed_comes_back(compression, row_bytes, sample_bytes, n_rows, random):
    codec = codec_for(compression, row_bytes, sample_bytes)
    chunk = np.frombuffer(random.randbytes(n_rows * row_bytes), np.uint8)
    packing = "zlib" if compression == "zlib" else "blosc"
    out = np.zeros_like(chunk)
    Unpacker(packing, len(chunk), codec.type_size).unpack(codec.compress(chunk), out)
    assert out.tobytes() == chunk.tobytes()


def test_without_compression_a_chunk_stays_as_it_is():
    assert codec_for("none", 3, 0).compress(np.frombuffer(b"abc", np.uint8)) == b"abc"


def test_compression_may_be_spelled_as_pandas_does():
    assert [check_compression(f"blosc:{name}") for name in CHOICES] == list(CHOICES)


@pytest.mark.parametrize("name", ["snappy", "blosc:snappy", "gzip", ""])
def test_an_unknown_compression_is_refused_with_the_choices(name):
    with pytest.raises(SettingsError, match=f"'lz4', 'zstd', 'zlib', 'none', not '{name}'"):
        check_compression(name)


def test_rows_with_waveforms_are_shuffled_by_sample():
    assert codec_for("lz4", 4120, 2).type_size == 2


@pytest.mark.parametrize("codec", [codec_for("zstd", 4120, 2), codec_for_samples("zstd", 2)])
def test_zstd_works_on_a_chunk_of_samples_in_one_piece(codec):
    samples = np.random.default_rng(1).integers(0, 16, 300_000, np.uint16).view(np.uint8)
    _, _, _, _, n_bytes, block_bytes, _ = struct.unpack_from("<BBBBIII", codec.compress(samples))
    assert (n_bytes, block_bytes) == (600_000, 600_000)


def test_narrow_rows_are_shuffled_into_columns():
    assert codec_for("lz4", 112, 0).type_size == 112


def test_rows_too_wide_for_a_type_are_shuffled_by_equal_parts():
    assert codec_for("lz4", 304, 0).type_size == 152


def test_a_chunk_has_between_half_a_megabyte_and_one():
    codec = codec_for_samples("lz4", 2)
    sizes = [row_bytes * rows_in_a_chunk(row_bytes, codec) for row_bytes in (1, 112, 4120, 64_000)]
    assert all(512 * 1024 <= size <= 1024 * 1024 for size in sizes)


def test_a_row_larger_than_a_chunk_is_a_chunk():
    assert rows_in_a_chunk(10**7, Codec("lz4", 5, 2)) == 1


def test_a_damaged_chunk_is_an_error_of_the_file():
    chunk = Codec("lz4", 5, 2).compress(np.arange(1000, dtype=np.uint8))
    out = np.empty(1000, np.uint8)
    for bad in (b"", chunk[:10], chunk[:-1], b"\x09" + chunk[1:], chunk + b"x"):
        with pytest.raises(TierFileError, match="damaged chunk"):
            Unpacker("blosc", 1000).unpack(bad, out)


def test_a_chunk_that_would_become_too_long_is_an_error_of_the_file():
    chunk = Codec("lz4", 5, 2).compress(np.zeros(2000, np.uint8))
    with pytest.raises(TierFileError, match="become 2000"):
        Unpacker("blosc", 1000).unpack(chunk, np.empty(1000, np.uint8))


def test_a_zlib_chunk_that_would_become_too_long_is_an_error_of_the_file():
    chunk = Codec("zlib", 1, 1).compress(np.zeros(2000, np.uint8))
    with pytest.raises(TierFileError, match="should become 1000"):
        Unpacker("zlib", 1000).unpack(chunk, np.empty(1000, np.uint8))


def test_snappy_is_told_by_the_header_of_a_chunk():
    header = bytearray(Codec("lz4", 5, 2).compress(np.zeros(100, np.uint8)))
    assert not is_snappy(bytes(header))
    header[2] = 2 << 5
    assert is_snappy(bytes(header))


def test_a_chunk_labelled_snappy_but_stored_as_it_is_needs_no_snappy():
    assert is_snappy(bytes([2, 1, 2 << 5 | 0x02]) + bytes(13)) is None


def test_numcodecs_can_be_imported_whole_after_its_blosc():
    code = """
from pygama.storage.chunks import load_blosc
blosc = load_blosc()
import numcodecs
assert numcodecs.blosc is blosc
codec = numcodecs.Blosc()
assert bytes(codec.decode(codec.encode(b"pulse" * 99))) == b"pulse" * 99
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_threads_of_blosc_are_off():
    assert load_blosc().use_threads is False
