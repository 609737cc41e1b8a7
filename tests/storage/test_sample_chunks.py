import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.errors import TierFileError
from pygama.storage import sample_chunks
from pygama.storage.chunks import Unpacker, codec_for_samples, load_blosc, load_zstd
from pygama.storage.sample_chunks import unpack_samples

needs_kernel = pytest.mark.skipif(not sample_chunks.COMPILED, reason="the kernel is not compiled")
NO_SHUFFLE, BYTE_SHUFFLE, BIT_SHUFFLE = 0, 1, 2


def noisy_samples(n_samples, seed=1):
    return np.random.default_rng(seed).normal(5000, 20, n_samples).astype(np.uint16)


def chunk_of(samples):
    return codec_for_samples("zstd", 2).compress(samples.view(np.uint8))


def planes_of(samples):
    return np.concatenate([np.packbits(samples >> bit & 1, bitorder="little") for bit in range(16)])


def unpacked(chunk, n_bytes):
    """Unpack between two guards of 64 bytes, which must stay as they are."""
    memory = np.full(n_bytes + 128, 0xA5, np.uint8)
    try:
        Unpacker("blosc", n_bytes).unpack(chunk, memory[64:-64])
    finally:
        assert (memory[:64] == 0xA5).all() and (memory[-64:] == 0xA5).all()
    return memory[64:-64].tobytes()


@needs_kernel
@settings(deadline=None)
@given(st.integers(0, 700), st.integers(0, 2**32 - 1), st.integers(0, 1))
def test_planes_become_the_samples_that_they_were_made_of(n_groups, seed, shift):
    samples = np.random.default_rng(seed).integers(0, 1 << 16, 8 * n_groups, np.uint16)
    memory = np.zeros(samples.nbytes + 1, np.uint8)
    out = memory[shift : shift + samples.nbytes]
    for plainly in (False, True):
        memory[:] = 0
        sample_chunks.compiled.join_samples(planes_of(samples), out, plainly=plainly)
        assert out.tobytes() == samples.tobytes()


@needs_kernel
@pytest.mark.parametrize(("n_planes", "n_out"), [(32, 16), (16, 32), (24, 24)])
def test_planes_that_do_not_fit_are_refused(n_planes, n_out):
    with pytest.raises(ValueError, match=f"{n_planes} bytes of planes do not make {n_out} bytes"):
        sample_chunks.compiled.join_samples(np.zeros(n_planes, np.uint8), np.zeros(n_out, np.uint8))


@needs_kernel
@pytest.mark.parametrize("n_samples", [128 * 2060, 64 * 4000, 40_000, 33_000])
def test_a_chunk_of_samples_is_unpacked_here_as_blosc_does_it(n_samples):
    samples = noisy_samples(n_samples)
    chunk, out = chunk_of(samples), np.empty(samples.nbytes, np.uint8)
    assert unpack_samples(chunk, out, load_zstd())
    assert out.tobytes() == samples.tobytes() == load_blosc().decompress(chunk)


@given(
    st.sampled_from([b"zstd", b"lz4", b"lz4hc", b"blosclz", b"zlib"]),
    st.sampled_from([1, 2, 3, 4, 8, 16, 128, 255]),
    st.sampled_from([NO_SHUFFLE, BYTE_SHUFFLE, BIT_SHUFFLE]),
    st.sampled_from([0, 1024, 65536, 1 << 20]),
    st.integers(128, 90_000),
    st.integers(0, 9),
    st.sampled_from([2, 1 << 10, 1 << 16]),
)
@settings(deadline=None, max_examples=150)
def test_any_chunk_of_blosc_comes_out_as_from_blosc(codec, type_size, shuffle, block, n_samples, level, top):
    blosc = load_blosc()
    samples = np.random.default_rng(n_samples).integers(0, top, n_samples).astype(np.uint16).view(np.uint8)
    items = samples[: len(samples) // type_size * type_size].view(f"V{type_size}")
    chunk = blosc.compress(items, codec, level, shuffle, block)
    assert unpacked(chunk, items.nbytes) == blosc.decompress(chunk) == items.tobytes()


def test_samples_that_cannot_be_compressed_come_back():
    samples = np.random.default_rng(1).integers(0, 1 << 16, 50_000, np.uint16)
    assert unpacked(chunk_of(samples), samples.nbytes) == samples.tobytes()


def test_without_the_kernel_blosc_does_it(monkeypatch):
    samples = noisy_samples(50_000)
    monkeypatch.setattr(sample_chunks, "compiled", None)
    assert not unpack_samples(chunk_of(samples), np.empty(samples.nbytes, np.uint8), load_zstd())
    assert unpacked(chunk_of(samples), samples.nbytes) == samples.tobytes()


@pytest.mark.parametrize("offset", [4, 8, 12, 16, 20, 30])
@pytest.mark.parametrize("number", [0, 1, 2**31 - 1, 2**32 - 1])
def test_a_damaged_number_in_front_is_refused(offset, number):
    samples = noisy_samples(50_000)
    chunk = bytearray(chunk_of(samples))
    struct.pack_into("<I", chunk, offset, number)
    with pytest.raises(TierFileError, match="a damaged chunk"):
        unpacked(bytes(chunk), samples.nbytes)


@pytest.mark.parametrize("content", [49_999, 50_001, 2**16 + 256])
def test_a_frame_of_another_length_than_the_chunk_is_refused(content):
    chunk = chunk_of(noisy_samples(50_000))
    frame = load_zstd().compress(bytes(2 * content), 1)
    head = bytearray(chunk[:24])
    struct.pack_into("<I", head, 12, 24 + len(frame))
    struct.pack_into("<I", head, 20, len(frame))
    with pytest.raises(TierFileError, match="a damaged chunk"):
        unpacked(bytes(head) + frame, 100_000)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_chunk_damaged_anywhere_writes_nowhere_else(data):
    samples = noisy_samples(40_000)
    chunk = bytearray(chunk_of(samples))
    for _ in range(data.draw(st.integers(1, 4))):
        chunk[data.draw(st.integers(0, 60) | st.integers(0, len(chunk) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(chunk)[: data.draw(st.integers(0, len(chunk)) | st.just(len(chunk)))]
    try:
        unpacked(damaged, samples.nbytes)
    except TierFileError as error:
        assert "a damaged chunk" in str(error)
