"""The compiled walk and its plain twin."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.orca import framing
from pygama.orca.framing import END, MORE, Heads, Memory

KEYS = (1, 2, 3, -33)


def words_of(*values: int) -> np.ndarray:
    return np.array(values, "<u4").view(np.uint8)


def walk(data: np.ndarray, at_end: bool = True) -> tuple[framing.Walked, list[tuple[int, int, int]]]:
    heads = Heads.room_for(100)
    walked = framing.walk(data, 0, len(data), at_end, False, Memory.of(KEYS), heads)
    n = walked.n
    return walked, list(
        zip(heads.at[:n].tolist(), heads.key[:n].tolist(), heads.words[:n].tolist(), strict=True)
    )


@pytest.mark.skipif(os.environ.get("PYGAMA_NO_COMPILER") == "1", reason="no compiler was expected here")
def test_the_compiled_walk_is_the_one_in_use():
    assert framing.IS_COMPILED


def test_long_extended_and_short_records_are_told_apart():
    data = words_of(1 << 18 | 2, 7, 2 << 18, 3, 7, 33 << 26 | 1 << 31, 1 << 18 | 2, 7)
    _, heads = walk(data)
    assert heads == [(0, 1, 2), (8, 2, 3), (20, -33, 1), (24, 1, 2)]


def test_a_record_whose_successor_is_not_there_yet_is_held_back():
    walked, heads = walk(
        words_of(1 << 18 | 2, 7, 1 << 18 | 2, 7, 1 << 18 | 2, 7, 1 << 18 | 2, 7, 1 << 18 | 2, 7), False
    )
    assert (walked.status, walked.at, len(heads)) == (MORE, 32, 4)


def test_at_the_end_of_the_data_nothing_is_held_back():
    walked, heads = walk(words_of(1 << 18 | 2, 7))
    assert (walked.status, walked.at, len(heads)) == (END, 8, 1)


@st.composite
def heads_and_noise(draw: st.DrawFn) -> bytes:
    """Bytes that look like records here and there."""
    head = st.builds(lambda key, size: [key << 18 | size], st.integers(0, 4), st.integers(0, 40))
    noise = st.lists(
        st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 4 << 18 | 4, 1 << 18 | 2])), max_size=20
    )
    record = st.builds(
        lambda key, n: [key << 18 | n] + [0xFFFFFFFF] * (n - 1), st.integers(1, 3), st.integers(2, 60)
    )
    parts = draw(st.lists(st.one_of(head, noise, record, record), max_size=60))
    shift = draw(st.binary(max_size=3))
    return shift + np.array([word for part in parts for word in part], "<u4").tobytes()


def outcome(walk, search, data: np.ndarray, start: int, at_end: bool, big_endian: bool) -> tuple:  # type: ignore[no-untyped-def]
    memory, heads = Memory.of(KEYS), Heads.room_for(8)
    first = walk(data, 0, len(data), at_end, big_endian, memory, heads)
    found = search(data, start, len(data), at_end, big_endian, memory)
    again = walk(data, start, len(data), at_end, big_endian, memory, heads)
    table = (memory.n_pairs, memory.n_lengths, memory.shortest, memory.longest, memory.pairs)
    taken = (heads.at, heads.words, heads.key, heads.extended)
    return (
        first,
        found,
        again,
        *(a.tolist() for a in table[:1]),
        *(a[: again.n].tolist() for a in taken),
        hash(b"".join(a.tobytes() for a in table)),
    )


@settings(deadline=None, max_examples=150)
@given(heads_and_noise(), st.integers(0, 50), st.booleans(), st.booleans())
def test_the_compiled_walk_and_search_are_the_plain_ones(data, start, at_end, big_endian):
    bytes_ = np.frombuffer(data + b"\0" * 64, np.uint8)[: max(len(data), 51)].copy()
    compiled = outcome(framing.walk, framing.search, bytes_, start, at_end, big_endian)
    plain = outcome(framing.walk_plain, framing.search_plain, bytes_, start, at_end, big_endian)
    assert compiled == plain


@pytest.mark.parametrize("search", [framing.search, framing.search_plain])
@settings(deadline=None, max_examples=200)
@given(heads_and_noise(), st.integers(0, 50), st.integers(1, 16), st.booleans())
def test_what_lies_behind_the_bytes_that_were_read_has_no_say(search, data, start, n_words, at_end):
    before = np.frombuffer(data + b"\0" * 64, np.uint8)[: max(len(data), 51)].copy()
    found = [
        search(np.concatenate([before, rest]), start, len(before), at_end, False, Memory.of(KEYS))
        for rest in (np.zeros(4096, np.uint8), np.tile(before[-4 * n_words :], 200))
    ]
    assert found[0] == found[1]


def test_a_record_that_was_not_read_to_its_end_is_not_called_repeated():
    twice = memoryview(bytes(range(16)) * 3)
    for fill, is_repeated in ((24, False), (31, False), (32, True)):
        source = framing.Bytes(twice, fill, False, False, Memory.of(KEYS))
        assert framing._is_repeated(source, 0, 16, 16) == is_repeated
