"""Walks from record to record, and finds the way back where the framing is damaged.

The only way to the next record is the length in the head of this one, so every head is weighed before it
is believed. Weights come from what the file has shown so far: a pair of key and length that was seen
before weighs 3, as does a length within the range of a key that comes in many lengths; another declared
key, and any declared short form, weighs 1; a stranger weighs nothing, because any word of a waveform can
pass for such a head.

- `walk` takes heads of seen pairs at once. A new pair must lead to a chain of heads that weighs 3, to
  another header or to the end of the data (if its length is within the range of its key, one head of
  any weight will do), and no chain of records may begin inside it. A long chain of few kinds of strangers
  is good too, if none of them looks like samples.
- `search` finds where a chain starts after damage, at any byte. Samples near zero look like heads of small
  records, so there the chain must weigh more and cover 2 kB, or reach the end of the data. Single strangers
  may stand in a chain that has begun well. A chain that starts with a new pair is only second choice, and
  its leading heads are dropped up to the first that can be trusted.

The functions below say it in plain Python; `_framing.pyx` is the same, compiled, and `walk` and `search`
are one or the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from pygama.orca.header import HEAD_BYTES, header_words

MAX_RECORD_BYTES = 256 << 20
"""A longer record is taken as damage."""

MORE, HEADER, DAMAGE, END, FOUND, NOTHING = range(6)
"""What a walk or a search ended with."""

_SLOTS = 8192 + 64
_PAIRS = 1 << 16
_SHORT = 1 << 31
_MASK = 0x3FFFF
_SCATTER = 0x9E3779B97F4A7C15
_SEEN = 3
_MANY_LENGTHS = 4
_CHAIN = 64
_STRANGERS = 8
_ENOUGH = 9
_UNSEEN_CHAIN = 8
_COVERED_BYTES = 2048
_TINY_WORDS = 16
_SMALL_WORDS = 64
_CLOSE = 64
_ALIKE = 4


@dataclass(slots=True)
class Memory:
    """What the file has shown so far: which keys it declares, and which lengths each key had.

    Keys have a slot: the id of the long form, 8192 + id of the short form.
    """

    declared: np.ndarray = field(default_factory=lambda: np.zeros(_SLOTS, np.uint8))
    pairs: np.ndarray = field(default_factory=lambda: np.zeros(_PAIRS, np.uint64))
    n_pairs: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    n_lengths: np.ndarray = field(default_factory=lambda: np.zeros(_SLOTS, np.int64))
    shortest: np.ndarray = field(default_factory=lambda: np.full(_SLOTS, 1 << 40, np.int64))
    longest: np.ndarray = field(default_factory=lambda: np.zeros(_SLOTS, np.int64))

    @classmethod
    def of(cls, keys: Iterable[int]) -> Memory:
        """Start with the keys that a header declares."""
        memory = cls()
        for key in keys:
            memory.declared[slot_of(key)] = 1
        return memory


@dataclass(slots=True)
class Heads:
    """Room for the heads of one stretch: byte position, stored length in words, key, whether extended."""

    at: np.ndarray
    words: np.ndarray
    key: np.ndarray
    extended: np.ndarray

    @classmethod
    def room_for(cls, n: int) -> Heads:
        """Make room for n heads, at least 2."""
        return cls(np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int32), np.empty(n, np.uint8))


class Walked(NamedTuple):
    """Where a walk ended: n heads taken, the position reached, why, and the bytes needed from there."""

    n: int
    at: int
    status: int
    need: int


class Head(NamedTuple):
    """The head of a record. kind: 'record', 'header', 'none' (no head), 'unread' (`words` bytes needed)."""

    kind: str
    key: int = 0
    words: int = 0
    extended: bool = False


class Bytes(NamedTuple):
    """What is in the buffer, and how to read it."""

    data: memoryview
    fill: int
    at_end: bool
    big_endian: bool
    memory: Memory

    def word(self, at: int) -> int:
        """Read a word at any byte."""
        return int.from_bytes(self.data[at : at + 4], "big" if self.big_endian else "little")


def slot_of(key: int) -> int:
    """Place of a key in the tables of a Memory."""
    return key if key >= 0 else 8192 - key


def walk_plain(
    data: np.ndarray, begin: int, fill: int, at_end: bool, big_endian: bool, memory: Memory, out: Heads
) -> Walked:
    """Walk the records in data[begin:fill] and write their heads to `out`, learning their lengths.

    at_end: nothing follows `fill`. big_endian: the byte order of the file. The walk ends before a head
    that cannot be judged yet (MORE; the record that led there is left for the next walk, because it may be
    the one with the wrong length), before a header (HEADER), before a head that cannot be one (DAMAGE;
    `need` is the record's length in bytes if it merely ends beyond the data) or where the data end (END).
    """
    source = Bytes(data.data, fill, at_end, big_endian, memory)
    at, n = begin, 0
    while n < len(out.at):
        head = head_at(source, at)
        size = 4 * head.words
        if head.kind == "unread":
            return Walked(n, at, END, head.words) if at_end else _held_back(out, n, at, head.words)
        if head.kind == "none":
            return Walked(n, at, DAMAGE, 0)
        is_known = head.kind == "header" or _is_seen(memory, head)
        if at + size > fill and at_end:
            return Walked(n, at, DAMAGE, size if is_known or _weight(memory, head) else 0)
        if at + size > fill:
            return Walked(n, at, MORE, size) if is_known else _held_back(out, n, at, size + 16)
        if head.kind == "header":
            return Walked(n, at, HEADER, size)
        if not is_known:
            need = _judge(source, at, head)
            if need:
                return Walked(n, at, DAMAGE, 0) if need < 0 else _held_back(out, n, at, need)
            remember(memory, head)
        out.at[n], out.words[n], out.key[n], out.extended[n] = at, head.words, head.key, head.extended
        n += 1
        at += size
    return _held_back(out, n, at, 0)


def search_plain(
    data: np.ndarray, start: int, fill: int, at_end: bool, big_endian: bool, memory: Memory
) -> tuple[int, int]:
    """Find the first byte from `start` on where a chain of good records begins.

    Return (FOUND, position), (NOTHING, fill), or (MORE, position of the first byte that needs more data).
    """
    source = Bytes(data.data, fill, at_end, big_endian, memory)
    return _search(source, start, fill, is_seen_only=False)


def head_at(source: Bytes, at: int) -> Head:
    """Read the head at a byte."""
    rest = source.fill - at
    if rest < 4:
        return Head("unread", words=4)
    w0 = source.word(at)
    if w0 & _SHORT:
        return Head("record", -(w0 >> 26), 1)
    if w0 >> 18 == 0:
        return _header_at(source, at, w0)
    if w0 & _MASK:
        return Head("record", w0 >> 18, w0 & _MASK)
    if rest < 8:
        return Head("unread", words=8)
    words = source.word(at + 4)
    is_good = 2 <= words <= MAX_RECORD_BYTES // 4
    return Head("record", w0 >> 18, words, extended=True) if is_good else Head("none")


def _header_at(source: Bytes, at: int, w0: int) -> Head:
    if source.fill - at < 8:
        return Head("unread", words=HEAD_BYTES)
    words = header_words(w0, source.word(at + 4))
    if not 0 < words <= MAX_RECORD_BYTES // 4:
        return Head("none")
    if source.fill - at < HEAD_BYTES:
        return Head("unread", words=HEAD_BYTES)
    is_header = source.data[at + 8 : at + HEAD_BYTES] == b"<?xml"
    return Head("header", 0, words) if is_header else Head("none")


def _held_back(out: Heads, n: int, at: int, need: int) -> Walked:
    if n == 0:
        return Walked(0, at, MORE, need)
    last = int(out.at[n - 1])
    return Walked(n - 1, last, MORE, need + at - last)


def _search(source: Bytes, start: int, limit: int, *, is_seen_only: bool) -> tuple[int, int]:
    patience = min(16 * int(source.memory.longest.max()), MAX_RECORD_BYTES // 2)
    stop = source.fill - (3 if source.at_end else HEAD_BYTES - 1)
    second_choice, origin = source.fill, -1
    for at in _hopeful(source, start, min(stop, limit)):
        if at > second_choice + patience:
            break
        head = head_at(source, at)
        if is_seen_only and not (_is_large(head) and _weight(source.memory, head) == _SEEN):
            continue
        chain: list[Head] = []
        verdict, is_first_choice = _verify(source, start, at, chain)
        if verdict == MORE:
            return MORE, at if origin < 0 else origin
        if verdict == FOUND and is_first_choice:
            return FOUND, second_choice if _leads_to(source, second_choice, at) else at
        if verdict == FOUND:
            origin = at if origin < 0 else origin
            second_choice = min(second_choice, at + _untrusted_bytes(source.memory, chain))
    is_over = source.at_end or stop >= limit or stop > second_choice + patience
    if is_over:
        return (FOUND, second_choice) if second_choice < limit else (NOTHING, source.fill)
    return MORE, origin if origin >= 0 else max(start, stop)


def _judge(source: Bytes, at: int, judged: Head) -> int:
    """Weigh the chain behind a new pair: 0 good, -1 bad, otherwise the bytes needed from `at`."""
    weight = 0
    enough = 1 if _weight(source.memory, judged) == _SEEN else _SEEN
    is_declared = bool(source.memory.declared[slot_of(judged.key)])
    strangers: list[Head] = []
    here = believed = at + 4 * judged.words
    for _ in range(_CHAIN):
        is_at_end = source.at_end and source.fill - here < 4
        if is_at_end or weight >= enough or weight and here - at > MAX_RECORD_BYTES:
            return _unless_hidden(source, at, believed, is_seen_only=is_declared and not strangers)
        if here - at > MAX_RECORD_BYTES:
            return -1
        head = head_at(source, here)
        end = here + 4 * head.words
        if head.kind == "header":
            weight = _SEEN
            continue
        if head.kind != "record":
            return here + 16 - at if head.kind == "unread" and not source.at_end else -1
        step = _weight(source.memory, head)
        if head == judged and is_declared:
            step = _SEEN if head.words >= _TINY_WORDS else 1
        weight += step
        if not weight:
            believed = end
        if not step and head not in strangers:
            strangers.append(head)
            if len(strangers) > _STRANGERS:
                return -1
        if end > source.fill and weight < enough:
            if not source.at_end:
                return end + 16 - at
            return _unless_hidden(source, at, source.fill, is_seen_only=False) if step else -1
        here = end
    if is_declared or not any(map(_may_be_samples, (judged, *strangers))):
        return _unless_hidden(source, at, believed, is_seen_only=False)
    return -1


def _may_be_samples(head: Head) -> bool:
    """Whether a stranger may be two samples: a short form, or halves as close as in a baseline."""
    high, low = head.key << 2, 0
    if not head.extended:
        high, low = high | head.words >> 16, head.words & 0xFFFF
    return head.key < 0 or abs(high - low) <= _CLOSE


def _unless_hidden(source: Bytes, at: int, limit: int, *, is_seen_only: bool) -> int:
    """Judge a record by what it holds: 0 good, -1 if a chain begins before `limit`, or the bytes needed."""
    if source.memory.n_pairs[0] >= _PAIRS // 2:
        return 0
    status, _ = _search(source, at + 4, min(limit, source.fill), is_seen_only=is_seen_only)
    return {FOUND: -1, NOTHING: 0}.get(status, source.fill - at + 1)


def _verify(source: Bytes, first: int, start: int, chain: list[Head]) -> tuple[int, bool]:
    """Follow the chain from `start`: FOUND, NOTHING or MORE, and whether its first pair was seen before.

    The bytes from `first` on may be looked at.
    """
    at, weight, is_first_choice, is_behind_stranger = start, 0, False, False
    while True:
        if source.at_end and source.fill - at < 4 and chain:
            is_good = _is_enough(chain, is_first_choice, is_exact=at == source.fill)
            return FOUND if is_good else NOTHING, is_first_choice
        head = head_at(source, at)
        end = at + 4 * head.words
        if head.kind == "unread":
            return NOTHING if source.at_end else MORE, is_first_choice
        if head.kind == "header" and chain:
            return FOUND if is_first_choice or len(chain) >= 2 else NOTHING, is_first_choice
        if head.kind == "header" and end <= source.fill:
            return FOUND, True
        step = _SEEN if head.kind == "header" else _weight(source.memory, head)
        if step == 0 and not is_behind_stranger and _may_hold_stranger(chain, head, is_first_choice):
            if end - start > MAX_RECORD_BYTES or end > source.fill:
                return NOTHING if source.at_end or end <= source.fill else MORE, is_first_choice
            at, is_behind_stranger = end, True
            continue
        if head.kind == "none" or step == 0:
            return NOTHING, is_first_choice
        is_behind_stranger = False
        if not chain:
            is_first_choice = step == _SEEN
            if _is_repeated(source, first, at, 4 * head.words):
                return NOTHING, is_first_choice
        chain.append(head)
        weight += step
        if end > source.fill and source.at_end:
            is_good = is_first_choice and step == _SEEN and len(chain) >= 2
            return FOUND if is_good else NOTHING, is_first_choice
        is_covered = end - start >= _COVERED_BYTES
        if is_covered and is_first_choice and len(chain) >= 3 and weight >= _ENOUGH:
            return FOUND, True
        if is_covered and not is_first_choice and len(chain) >= _UNSEEN_CHAIN:
            return FOUND, False
        if len(chain) == _CHAIN:
            return FOUND, is_first_choice
        if end - start > MAX_RECORD_BYTES:
            return NOTHING, is_first_choice
        if end > source.fill:
            return MORE, is_first_choice
        at = end


def _may_hold_stranger(chain: list[Head], stranger: Head, is_first_choice: bool) -> bool:
    """Whether a chain has begun so well that a stranger may stand in it."""
    if stranger.kind != "record" or not chain or _may_be_samples(stranger):
        return False
    if is_first_choice:
        return _is_large(chain[0]) or len(chain) >= 2
    return _is_large(chain[0]) and chain.count(chain[0]) >= 3


def _is_enough(chain: list[Head], is_first_choice: bool, *, is_exact: bool) -> bool:
    """Whether a chain is long enough, since the data end behind it, or less than a word later."""
    if is_first_choice:
        return is_exact or len(chain) >= 2
    is_pair = len(chain) == 2 and chain[0] == chain[1] and _is_large(chain[0])
    return is_pair or is_exact and len(chain) >= 3


def _leads_to(source: Bytes, at: int, goal: int) -> bool:
    """Whether a chain that begins before `goal` has a head there."""
    while at < goal and (head := head_at(source, at)).kind == "record":
        at += 4 * head.words
    return at == goal


def _is_repeated(source: Bytes, first: int, at: int, size: int) -> bool:
    """Whether a small record is there twice, byte for byte, as in samples that do not change.

    Of one that is not there whole nothing is known yet.
    """
    if size > 4 * _SMALL_WORDS or at + size > source.fill:
        return False
    this, before = source.data[at : at + size], source.data[max(at - size, first) : at]
    return this == before or this == source.data[at + size : min(at + 2 * size, source.fill)]


def _is_large(head: Head) -> bool:
    return head.words >= _TINY_WORDS


def _untrusted_bytes(memory: Memory, chain: list[Head]) -> int:
    """Length of the leading heads of a chain up to the first that can be trusted.

    Heads before the first that was seen before are trusted if most of them are as the very first.
    """
    sizes = [4 * head.words for head in chain]
    for i, head in enumerate(chain):
        if _weight(memory, head) == _SEEN:
            n_alike = chain[: i + 1].count(chain[0])
            return 0 if n_alike >= _ALIKE and 4 * n_alike >= 3 * i else sum(sizes[:i])
        if _is_large(head) and chain.count(head) > 1:
            return sum(sizes[:i])
    for i, head in enumerate(chain):
        if _is_large(head):
            return sum(sizes[:i])
    return 0


def _hopeful(source: Bytes, start: int, stop: int) -> Iterator[int]:
    """Positions whose word could be the head of a declared, a seen or a header record."""
    memory = source.memory
    is_hopeful = (memory.declared > 0) | (memory.n_lengths > 0)
    for block in range(start, stop, 1 << 16):
        end = min(block + (1 << 16), stop)
        near = np.frombuffer(source.data[block : end + 3], np.uint8).astype(np.uint32)
        parts = [near[i : len(near) - 3 + i] for i in range(4)]
        if source.big_endian:
            parts.reverse()
        word = parts[0] | parts[1] << 8 | parts[2] << 16 | parts[3] << 24
        slot = np.where(word & _SHORT, 8192 + (word >> 26), word >> 18)
        is_header = np.zeros(len(word), bool)
        text = np.frombuffer(source.data[block + 8 : min(end + 8, source.fill)], np.uint8)
        is_header[: len(text)] = (slot[: len(text)] == 0) & (text == ord("<"))
        yield from (block + np.flatnonzero(is_hopeful[slot] | is_header)).tolist()


def _weight(memory: Memory, head: Head) -> int:
    slot = slot_of(head.key)
    if head.key < 0:
        return int(memory.declared[slot])
    if (
        memory.n_lengths[slot] >= _MANY_LENGTHS
        and memory.shortest[slot] <= head.words <= memory.longest[slot]
    ):
        return _SEEN
    return _SEEN if _is_seen(memory, head) else int(memory.declared[slot])


def _is_seen(memory: Memory, head: Head) -> bool:
    return memory.pairs[_place(memory, head)] != 0


def remember(memory: Memory, head: Head) -> None:
    """Learn that records of this key can have this length."""
    place = _place(memory, head)
    if memory.pairs[place] or memory.n_pairs[0] >= _PAIRS // 2:
        return
    slot = slot_of(head.key)
    memory.pairs[place] = _code(head)
    memory.n_pairs[0] += 1
    memory.n_lengths[slot] += 1
    memory.shortest[slot] = min(memory.shortest[slot], head.words)
    memory.longest[slot] = max(memory.longest[slot], head.words)


def _place(memory: Memory, head: Head) -> int:
    code = _code(head)
    place = (code * _SCATTER & 0xFFFFFFFFFFFFFFFF) >> 48
    while memory.pairs[place] not in (0, code):
        place = (place + 1) % _PAIRS
    return place


def _code(head: Head) -> int:
    return (slot_of(head.key) << 33 | head.words << 1 | head.extended) + 1


try:
    from pygama.orca._framing import search, walk

    IS_COMPILED = True
except ImportError:
    search, walk = search_plain, walk_plain
    IS_COMPILED = False
