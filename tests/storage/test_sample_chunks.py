import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pygama.errors import TierFileError
from pygama.storage import sample_chunks
from pygama.storage.chunks import Unpacker, codec_for_samples, load_blosc, load_zstd
from pygama.storage.sample_chunks import unpack_samples, unpack_stored_samples

needs_kernel = pytest.mark.skipif(not sample_chunks.COMPILED, reason="the kernel is not compiled")
NO_SHUFFLE, BYTE_SHUFFLE, BIT_SHUFFLE = 0, 1, 2


def noisy_samples(n_samples, seed=1):
    return np.random.default_rng(seed).normal(5000, 20, n_samples).astype(np.uint16)


def chunk_of(samples):
    return codec_for_samples("zstd", 2).compress(samples.view(np.uint8))


def without_checksum(chunk):
    return chunk[:-4]


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
@settings(deadline=None)
@given(st.integers(0, 700), st.integers(0, 2**32 - 1), st.integers(0, 1))
def test_samples_become_the_planes_of_their_bits(n_groups, seed, shift):
    samples = np.random.default_rng(seed).integers(0, 1 << 16, 8 * n_groups, np.uint16)
    memory = np.zeros(samples.nbytes + 1, np.uint8)
    guarded = np.full(samples.nbytes + 128, 0xA5, np.uint8)
    memory[shift : shift + samples.nbytes] = samples.view(np.uint8)
    for plainly in (False, True):
        planes = guarded[64:-64]
        planes[:] = 0
        sample_chunks.compiled.split_samples(memory[shift:][: samples.nbytes], planes, plainly=plainly)
        assert planes.tobytes() == planes_of(samples).tobytes()
        assert (guarded[:64] == 0xA5).all() and (guarded[-64:] == 0xA5).all()


@needs_kernel
@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40_000), st.integers(0, 16), st.integers(0, 2**32 - 1))
def test_samples_are_packed_into_the_bytes_that_blosc_makes(n_samples, n_bits, seed):
    samples = np.random.default_rng(seed).integers(0, 1 << n_bits, n_samples).astype(np.uint16)
    codec = codec_for_samples("zstd", 2)
    packed = codec.compress(samples.view(np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_chunks, "compiled", None)
        assert codec.compress(samples.view(np.uint8)) == packed


@needs_kernel
@pytest.mark.parametrize(("n_planes", "n_out"), [(32, 16), (16, 32), (24, 24)])
def test_planes_that_do_not_fit_are_refused(n_planes, n_out):
    with pytest.raises(ValueError, match=f"{n_planes} bytes of planes do not make {n_out} bytes"):
        sample_chunks.compiled.join_samples(np.zeros(n_planes, np.uint8), np.zeros(n_out, np.uint8))
    with pytest.raises(ValueError, match=f"{n_planes} bytes of samples do not make {n_out} bytes"):
        sample_chunks.compiled.split_samples(np.zeros(n_planes, np.uint8), np.zeros(n_out, np.uint8))


@needs_kernel
@pytest.mark.parametrize("n_samples", [128 * 2060, 64 * 4000, 40_000, 33_000])
def test_a_chunk_of_samples_is_unpacked_here_as_blosc_does_it(n_samples):
    samples = noisy_samples(n_samples)
    chunk, out = without_checksum(chunk_of(samples)), np.empty(samples.nbytes, np.uint8)
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
    chunk, out = chunk_of(samples), np.empty(samples.nbytes, np.uint8)
    assert not unpack_samples(without_checksum(chunk), out, load_zstd())
    assert unpacked(chunk, samples.nbytes) == samples.tobytes()


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


@needs_kernel
@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 9000), st.integers(0, 2**32 - 1))
def test_the_checksum_is_that_of_zlib(offset, n_bytes, seed):
    data = np.random.default_rng(seed).integers(0, 256, offset + n_bytes, np.uint8)[offset:]
    checksum = sample_chunks.compiled.crc32
    assert checksum(data) == checksum(data, plainly=True) == zlib.crc32(data)
    assert checksum(data[offset:], checksum(data[:offset])) == zlib.crc32(data)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
@pytest.mark.parametrize("kernel", [pytest.param(True, marks=needs_kernel), False])
def test_a_bit_that_has_changed_anywhere_in_a_chunk_is_noticed(monkeypatch, codec, kernel):
    if not kernel:
        monkeypatch.setattr(sample_chunks, "compiled", None)
        monkeypatch.setattr("pygama.storage.chunks.crc32", zlib.crc32)
    samples = noisy_samples(20_000)
    chunk = codec_for_samples(codec, 2).compress(samples.view(np.uint8))
    assert unpacked(chunk, samples.nbytes) == samples.tobytes()
    for at in (*range(64), *range(64, len(chunk), 997), *range(len(chunk) - 8, len(chunk))):
        damaged = bytearray(chunk)
        damaged[at] ^= 1 << at % 8
        with pytest.raises(TierFileError, match="a damaged chunk"):
            unpacked(bytes(damaged), samples.nbytes)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_chunk_without_a_checksum_damaged_anywhere_writes_nowhere_else(data):
    samples = noisy_samples(40_000)
    chunk = bytearray(without_checksum(chunk_of(samples)))
    for _ in range(data.draw(st.integers(1, 4))):
        chunk[data.draw(st.integers(0, 60) | st.integers(0, len(chunk) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(chunk)[: data.draw(st.integers(0, len(chunk)) | st.just(len(chunk)))]
    try:
        unpacked(damaged, samples.nbytes)
    except TierFileError as error:
        assert "a damaged chunk" in str(error)


def stored(tmp_path, chunks, gap=7):
    """Write chunks into a file, `gap` bytes apart, and give their places."""
    path, places = tmp_path / "chunks", []
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(bytes(gap))
            places.append((file.tell(), len(chunk)))
            file.write(chunk)
    return path, places


def unpacked_from(path, places, n_bytes):
    """Unpack between two guards of 64 bytes, which must stay as they are: how many, and all the bytes."""
    memory = np.full(len(places) * n_bytes + 128, 0xA5, np.uint8)
    with path.open("rb") as file:
        out = memory[64:-64].reshape(len(places), n_bytes)
        done = unpack_stored_samples(file.fileno(), places, out)
    assert (memory[:64] == 0xA5).all() and (memory[-64:] == 0xA5).all()
    return done, out


needs_zstd = pytest.mark.skipif(
    not sample_chunks.COMPILED or sample_chunks._find_zstd() is None,
    reason="the system has no libzstd, or the kernel is not compiled",
)


@needs_zstd
@pytest.mark.parametrize("n_chunks", [1, 4, 64])
def test_chunks_of_a_file_are_unpacked_in_one_go(tmp_path, n_chunks):
    samples = [noisy_samples(33_000, seed) for seed in range(n_chunks)]
    path, places = stored(tmp_path, [chunk_of(some) for some in samples])
    done, out = unpacked_from(path, places, 66_000)
    assert done == n_chunks
    assert out.tobytes() == np.concatenate(samples).tobytes()


@needs_zstd
def test_chunks_of_a_file_need_no_checksum(tmp_path):
    samples = noisy_samples(33_000)
    path, places = stored(tmp_path, [without_checksum(chunk_of(samples)), chunk_of(samples)])
    done, out = unpacked_from(path, places, 66_000)
    assert done == 2
    assert out.tobytes() == 2 * samples.tobytes()


@needs_zstd
def test_chunks_of_other_lengths_may_follow(tmp_path):
    for n_samples in (33_000, 40_000, 33_000):
        path, places = stored(tmp_path, [chunk_of(noisy_samples(n_samples))] * 2)
        assert unpacked_from(path, places, 2 * n_samples)[0] == 2


def of_another_codec(samples):
    return codec_for_samples("lz4", 2).compress(samples.view(np.uint8))


def cut_short(samples):
    return chunk_of(samples)[:-5]


def with_another_checksum(samples):
    chunk = bytearray(chunk_of(samples))
    chunk[-1] ^= 1
    return bytes(chunk)


def with_another_frame(samples):
    chunk = bytearray(without_checksum(chunk_of(samples)))
    chunk[24:28] = bytes(4)
    return bytes(chunk)


def of_fewer_samples(samples):
    return chunk_of(samples[:-8])


def not_compressible(samples):
    return chunk_of(np.random.default_rng(1).integers(0, 1 << 16, len(samples), np.uint16))


@needs_zstd
@pytest.mark.parametrize(
    "make",
    [
        of_another_codec,
        cut_short,
        with_another_checksum,
        with_another_frame,
        of_fewer_samples,
        not_compressible,
    ],
)
def test_a_chunk_of_another_form_is_left_to_others_and_all_behind_it(tmp_path, make):
    samples = noisy_samples(33_000)
    path, places = stored(tmp_path, [chunk_of(samples), make(samples), chunk_of(samples)])
    done, out = unpacked_from(path, places, 66_000)
    assert done == 1
    assert out[0].tobytes() == samples.tobytes()


@needs_zstd
def test_a_file_that_ends_too_early_is_noticed(tmp_path):
    samples = noisy_samples(33_000)
    path, places = stored(tmp_path, [chunk_of(samples)] * 2)
    path.write_bytes(path.read_bytes()[:-1])
    assert unpacked_from(path, places, 66_000)[0] == 1


@needs_zstd
@given(st.data())
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_chunk_of_a_file_damaged_anywhere_writes_nowhere_else(tmp_path, data):
    samples = noisy_samples(20_000)
    chunk = bytearray(without_checksum(chunk_of(samples)))
    for _ in range(data.draw(st.integers(1, 4))):
        chunk[data.draw(st.integers(0, 60) | st.integers(0, len(chunk) - 1))] = data.draw(st.integers(0, 255))
    path, places = stored(tmp_path, [bytes(chunk)])
    done, out = unpacked_from(path, places, samples.nbytes)
    if done:
        assert out.tobytes() == load_blosc().decompress(bytes(chunk))


def test_without_a_zstd_of_the_system_nothing_is_done_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sample_chunks, "_find_zstd", lambda: None)
    path, places = stored(tmp_path, [chunk_of(noisy_samples(33_000))])
    assert unpacked_from(path, places, 66_000)[0] == 0


_BESIDE_ANOTHER = """
import ctypes, importlib.util, os, sys, threading
import numpy as np
name = sys.argv[1] if sys.argv[1].startswith("lib") else importlib.util.find_spec(sys.argv[1]).origin
ctypes.CDLL(name, mode=os.RTLD_GLOBAL | os.RTLD_NOW)
from pygama.storage.sample_chunks import unpack_stored_samples

out = np.zeros((1, int(sys.argv[4])), np.uint8)
with open(sys.argv[2], "rb") as file:
    places = [(7, int(sys.argv[3]))]
    work = lambda: print(unpack_stored_samples(file.fileno(), places, out))
    for _ in range(3):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
"""


@needs_zstd
@pytest.mark.parametrize("another", ["libzstd.so.1", "numcodecs.zstd"])
def test_another_zstd_loaded_for_all_does_no_harm(tmp_path, another):
    samples = noisy_samples(33_000)
    path, places = stored(tmp_path, [chunk_of(samples)])
    command = [sys.executable, "-c", _BESIDE_ANOTHER, another, str(path), str(places[0][1]), "66000"]
    checked = {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3", "PYTHONMALLOC": "malloc"}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **checked}, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n1\n1\n"), done.stderr
