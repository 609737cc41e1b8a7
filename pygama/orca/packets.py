"""Reads the records of an ORCA file of any size, a stretch at a time, in bounded memory.

A stretch is what one piece of the file holds, at most: it never spans a header record, for a header may
change what the keys mean. While the caller works on one stretch the next piece is read in the background.
Damage is stepped over and told in the report: which bytes, and why.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from pygama.errors import RawFileError
from pygama.orca import framing
from pygama.orca.framing import DAMAGE, FOUND, HEADER, MORE, Head, Heads, Memory, Walked
from pygama.orca.header import (
    HEAD_BYTES,
    RUN_DECODER,
    RUN_RECORD_WORDS,
    Header,
    HeaderExtent,
    not_orca,
    parse_header,
)
from pygama.orca.window import Follow, Window

STRETCH_BYTES = 16 << 20

_MOST_RECORDS = 1 << 16
_IS_BIG_ENDIAN_HOST = sys.byteorder == "big"


@dataclass(slots=True)
class Packets:
    """Records of one stretch, or of one decoder in it, in file order.

    Word k of record i is words[start[i] + k], numbered as in the long form: word 1 is the first of the
    payload. (In the extended form word 0 is then the stored length; a short record is its word 0.)
    """

    words: np.ndarray
    """uint32, native order, of the whole stretch. Valid only until the next stretch is asked for."""
    start: np.ndarray
    """int64 (n,)."""
    size: np.ndarray
    """int64 (n,), in words with word 0; as in the long form: 1 less than stored in the extended form."""
    key: np.ndarray
    """int32 (n,), record keys."""
    number: np.ndarray
    """int64 (n,), 1 for the first record after the first header; each record counts, later headers too."""
    offset: np.ndarray
    """int64 (n,), byte offsets of the records in the (decompressed) file."""
    header: Header
    """The header in force for these records."""
    extended: np.ndarray | None = None
    """bool (n,), records in the extended form, which have one word more in the file; None: there are none."""
    is_swapped: bool = False
    """Whether the file has the other byte order than `words`."""

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, rows: slice | np.ndarray) -> Packets:
        """Take some records, as a slice, indices or a mask."""
        return Packets(
            self.words,
            self.start[rows],
            self.size[rows],
            self.key[rows],
            self.number[rows],
            self.offset[rows],
            self.header,
            None if self.extended is None else self.extended[rows],
            self.is_swapped,
        )

    @property
    def stored_bytes(self) -> np.ndarray:
        """Length of the records in the file, int64 (n,)."""
        return 4 * (self.size if self.extended is None else self.size + self.extended)

    def stored(self, most: int) -> list[np.ndarray]:
        """Copy the records as they stand in the file, uint8, at most `most` bytes of each."""
        first = self.start if self.extended is None else self.start - self.extended
        copies = [
            self.words[start : start + min(n_bytes, most) // 4].copy()
            for start, n_bytes in zip(first.tolist(), self.stored_bytes.tolist(), strict=True)
        ]
        return [(words.byteswap() if self.is_swapped else words).view(np.uint8) for words in copies]

    def of(self, keys: Collection[int]) -> Packets:
        """Take the records with these keys."""
        mask = np.zeros(len(self), bool)
        for key in keys:
            mask |= self.key == key
        return self[mask]


@dataclass(slots=True)
class FrameReport:
    """What was met in the file so far, headers apart from records."""

    kinds: dict[tuple[int, str | None], int] = field(default_factory=dict)
    """Records handed out, by key and by the decoder that the header in force names for it, None if none."""
    headers: int = 1
    skipped: list[tuple[int, int, str]] = field(default_factory=list)
    """Damage: first byte, byte behind the last, and why."""
    cut_short: tuple[int, int, int] | None = None
    """The last record, if it is incomplete: byte offset, bytes there, bytes needed as far as known."""
    failure: str = ""
    """Why a compressed file could not be read to its end."""
    shrunk: tuple[int, int] | None = None
    """Bytes that the file had when it was opened and at its end, where these are fewer."""

    @property
    def counts(self) -> dict[int, int]:
        """Records handed out, by key."""
        counts: Counter[int] = Counter()
        for (key, _), n in self.kinds.items():
            counts[key] += n
        return dict(counts)

    @property
    def unknown(self) -> dict[int, int]:
        """Those among them whose key the header in force did not declare."""
        return {key: n for (key, decoder), n in self.kinds.items() if decoder is None}

    @property
    def packets(self) -> int:
        """Records and later headers so far: the number of the last packet."""
        return sum(self.kinds.values()) + self.headers - 1

    def count(self, packets: Packets) -> None:
        """Count the records of a stretch."""
        for key, n in sorted(Counter(packets.key.tolist()).items()):
            kind = (key, packets.header.decoders.get(key))
            self.kinds[kind] = self.kinds.get(kind, 0) + n


class RawFile:
    """An ORCA file that is read once, from its start to its end. A context manager.

    stretch_bytes: how much is read at a time. n_max: packets to hand out at most. follow: asked at the end
    of the file whether more is expected; while it says so, the file is looked at five times a second.
    Records of up to 256 MiB are read; the buffers grow to hold them. Raises RawFileError if the file cannot
    be opened or does not begin with a header, and while reading if the disk fails.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        stretch_bytes: int = STRETCH_BYTES,
        n_max: int | None = None,
        follow: Follow | None = None,
    ) -> None:
        self.path = Path(path)
        self.report = FrameReport()
        self._left = n_max
        self._window = Window(self.path, stretch_bytes, follow)
        self._first_bytes = self._window.size_bytes
        self._heads = Heads.room_for(min(_MOST_RECORDS, max(stretch_bytes // 4, 2)))
        try:
            self.header = self._header = self._first_header()
        except BaseException:
            self._window.close()
            raise
        self._memory = _memory_of(self.header)

    def __enter__(self) -> RawFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Packets]:
        return self.stretches()

    @property
    def size_bytes(self) -> int:
        """Size of the file on disk now; of a compressed file, the compressed size."""
        return self._window.size_bytes

    @property
    def position(self) -> int:
        """Bytes of the file on disk that are done with; of a compressed file, roughly."""
        return self._window.position

    def close(self) -> None:
        """Close the file."""
        self._window.close()

    def stretches(self) -> Iterator[Packets]:
        """Hand out the records, at least one at a time; words hold until the next stretch is asked for."""
        self._window.read_ahead()
        while self._left != 0:
            walked = self._walk()
            if walked.status == DAMAGE:
                walked = self._look_behind(walked)
            yield from self._hand_out(walked.n, walked.at)
            if self._left == 0:
                return
            if walked.status == MORE:
                self._window.reach(walked.need)
            elif walked.status == HEADER:
                self._next_header(walked.need)
            elif walked.status == DAMAGE:
                self._skip(walked)
            else:
                self._finish(walked.need)
                return

    def _first_header(self) -> Header:
        window = self._window
        window.reach(HEAD_BYTES)
        start = window.data[window.begin : min(window.fill, window.begin + 64)].tobytes()
        if not start:
            raise RawFileError(f"{self.path} is empty" + (f": {window.failure}" if window.failure else ""))
        extent = HeaderExtent.sniff(start)
        if extent is None:
            raise RawFileError(not_orca(start, str(self.path)))
        self.is_big_endian = extent.big_endian
        window.reach(extent.size_bytes)
        return self._parse(extent.size_bytes)

    def _parse(self, size_bytes: int) -> Header:
        window = self._window
        record = window.data[window.begin : min(window.fill, window.begin + size_bytes)]
        header = parse_header(record.tobytes(), name=str(self.path))
        window.begin += len(record)
        return header

    def _next_header(self, size_bytes: int) -> None:
        start, before = self._window.begin, self._header
        try:
            self._header = self._parse(size_bytes)
        except RawFileError as error:
            self._window.begin = start + size_bytes
            self._report_skipped(self._window.offset(start), f"a header that cannot be read ({error})")
            return
        self.report.headers += 1
        if self._left is not None:
            self._left -= 1
        if self._header.decoders != before.decoders:
            self._memory = _memory_of(self._header)

    def _walk(self) -> Walked:
        window = self._window
        return framing.walk(
            window.data,
            window.begin,
            window.fill,
            window.at_end,
            self.is_big_endian,
            self._memory,
            self._heads,
        )

    def _search(self, start: int) -> tuple[int, int]:
        window = self._window
        return framing.search(
            window.data, start, window.fill, window.at_end, self.is_big_endian, self._memory
        )

    def _look_behind(self, walked: Walked) -> Walked:
        """Take back the record before the damage if others begin inside it: it has lost bytes."""
        if walked.n == 0:
            return walked
        last = int(self._heads.at[walked.n - 1])
        status, at = self._search(last + 4)
        if at >= walked.at:
            return walked
        if status == FOUND:
            return Walked(walked.n - 1, last, DAMAGE, 0)
        return Walked(walked.n - 1, last, MORE, self._window.fill - last + 1)

    def _hand_out(self, n: int, end: int) -> Iterator[Packets]:
        begin, self._window.begin = self._window.begin, end
        if self._left is not None:
            n = min(n, self._left)
            self._left -= n
        if n:
            packets = self._packets(n, begin, end)
            self.report.count(packets)
            yield packets

    def _packets(self, n: int, begin: int, end: int) -> Packets:
        heads = self._heads
        extended = heads.extended[:n].astype(np.int64)
        return Packets(
            words=self._words(begin, end),
            start=(heads.at[:n] - begin) // 4 + extended,
            size=heads.words[:n] - extended,
            key=heads.key[:n].copy(),
            number=np.arange(1, n + 1) + self.report.packets,
            offset=heads.at[:n] + self._window.offset(0),
            header=self._header,
            extended=extended.astype(bool) if extended.any() else None,
            is_swapped=self.is_big_endian != _IS_BIG_ENDIAN_HOST,
        )

    def _words(self, begin: int, end: int) -> np.ndarray:
        """Words of a part of the buffer that is not needed as bytes any more."""
        data, start = self._window.data, begin - begin % 4
        if start != begin:
            view = data.data
            view[start : start + end - begin] = view[begin:end]
        words = data[start : start + end - begin].view(np.uint32)
        return words.byteswap(inplace=True) if self.is_big_endian != _IS_BIG_ENDIAN_HOST else words

    def _skip(self, walked: Walked) -> None:
        """Step over damage to where good records begin; without any, a record may just be cut short."""
        window = self._window
        bad, why = window.offset(walked.at), self._why(walked)
        status, at = self._search(walked.at + 1)
        while status == MORE:
            window.begin = at
            window.reach(window.fill - at + 1)
            status, at = self._search(window.begin)
        window.begin = at
        if status != FOUND and walked.need:
            self.report.cut_short = (bad, window.offset(at) - bad, walked.need)
        else:
            self._report_skipped(bad, why)

    def _why(self, walked: Walked) -> str:
        window = self._window
        source = framing.Bytes(window.data.data, window.fill, window.at_end, self.is_big_endian, self._memory)
        head = framing.head_at(source, walked.at)
        if head.kind != "record":
            return f"no head of a record: {source.word(walked.at):#010x}" + _absurd_length(source, walked.at)
        what = f"a record of id {abs(head.key)} and {head.words} words"
        if head.key in self._header.decoders:
            what += f" ({self._header.decoders[head.key]})"
        if walked.need:
            return f"{what} that ends beyond the file, while whole records begin inside it"
        return f"{what} that is not followed by another record"

    def _report_skipped(self, start: int, why: str) -> None:
        """Report damage from `start` to where the window begins, joined to damage right before it."""
        end, skipped = self._window.offset(self._window.begin), self.report.skipped
        if skipped and skipped[-1][1] == start:
            start, _, why = skipped.pop()
        skipped.append((start, end, why))

    def _finish(self, need: int) -> None:
        window = self._window
        start, rest = window.offset(window.begin), window.fill - window.begin
        window.begin = window.fill
        if rest:
            self.report.cut_short = (start, rest, need)
        self.report.failure = window.failure
        if (left := self.size_bytes) < self._first_bytes:
            self.report.shrunk = (self._first_bytes, left)


def _memory_of(header: Header) -> Memory:
    """Start with what a header declares, and with the run records, which are the same in every file."""
    memory = Memory.of(header.decoders)
    for key in header.keys_of(RUN_DECODER):
        if key > 0:
            framing.remember(memory, Head("record", key, RUN_RECORD_WORDS))
    return memory


def _absurd_length(source: framing.Bytes, at: int) -> str:
    """Say the length that the extended form tells, where that is what is wrong."""
    w0 = source.word(at)
    if not 0 < w0 >> 18 < 1 << 13 or w0 & 0x3FFFF or source.fill - at < 8:
        return ""
    return (
        f", id {w0 >> 18} in the extended form with a length of {source.word(at + 4)} words; "
        f"from 2 to {framing.MAX_RECORD_BYTES // 4} can be read"
    )


def read_header(path: str | Path) -> Header:
    """Read the first header of a file and nothing more; gzip, bzip2 and big-endian files too.

    Raises RawFileError.
    """
    with RawFile(path, stretch_bytes=1 << 18) as file:
        return file.header
