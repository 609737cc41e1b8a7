"""Decodes the records of a card from one table of its bits.

A card is one small class: a table of `Bits`, the rules that a good record keeps, and where its samples lie.
From the table come the columns, the encoder that writes simulated records, and the description of a packet.
All decoding is done on whole stretches of records at once, in 64 bits before any shift.

Words are numbered as in the long form of a record: w0 is the head, w1 the first word behind it. Negative
numbers count from the end of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pygama.orca.header import Card, Header
from pygama.quick_dataclass import dataclass
from pygama.utils import distinct

if TYPE_CHECKING:
    from pygama.orca.packets import Packets

MAX_RAW_BYTES = 65536
"""Of a damaged record, at most so many bytes are kept."""


@dataclass(frozen=True, slots=True)
class Bits:
    """One column of numbers: which bits of which word hold it.

    above: further parts (word, low bit, width), each placed above the bits before it.
    signed: two's complement over the whole width. real: the word is an IEEE float32.
    """

    name: str
    word: int
    low: int = 0
    width: int = 32
    unit: str = ""
    about: str = ""
    above: tuple[tuple[int, int, int], ...] = ()
    signed: bool = False
    real: bool = False

    @property
    def parts(self) -> tuple[tuple[int, int, int], ...]:
        """All (word, low bit, width), lowest first."""
        return ((self.word, self.low, self.width), *self.above)

    def decode(self, packets: Packets) -> np.ndarray:
        """Read the column, (n,) int64 or float64."""
        if self.real:
            with np.errstate(invalid="ignore"):  # signalling NaNs
                return word_of(packets, self.word).view(np.float32).astype(np.float64)
        value = np.zeros(len(packets), np.uint64)
        shift = 0
        for word, low, width in self.parts:
            part = word_of(packets, word).astype(np.uint64) >> np.uint64(low)
            value |= (part & np.uint64((1 << width) - 1)) << np.uint64(shift)
            shift += width
        number = value.astype(np.int64)
        if self.signed:
            number[number >= 1 << (shift - 1)] -= 1 << shift
        return number

    def encode(self, values: Any, records: np.ndarray) -> None:
        """Put the values into records, (n, size) uint32 with w0 in column 0."""
        if self.real:
            records[:, self.word] = np.asarray(values, np.float32).view(np.uint32)
            return
        number = np.asarray(values).astype(np.int64).view(np.uint64)
        for word, low, width in self.parts:
            part = (number & np.uint64((1 << width) - 1)) << np.uint64(low)
            records[:, word] |= part.astype(np.uint32)
            number = number >> np.uint64(width)


@dataclass(frozen=True, slots=True)
class Made:
    """One column of numbers that is not plain bits of a word, for the description of a decoder."""

    name: str
    unit: str = ""
    about: str = ""


def word_of(packets: Packets, word: int) -> np.ndarray:
    """Take word `word` of every record, (n,) uint32; negative words count from the end."""
    return packets.words[packets.start + (word if word >= 0 else packets.size + word)]


def located(first: int = 1) -> tuple[Bits, Bits, Bits]:
    """Give the crate, card and channel of the location word that most VME cards share."""
    return (
        Bits("crate", first, 21, 4, about="number of the crate"),
        Bits("card", first, 16, 5, about="slot of the card in its crate"),
        Bits("channel", first, 8, 8, about="channel of the card"),
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """What a good record keeps: `holds` gives a mask, `broken` says what is wrong where it is False."""

    broken: str
    holds: Callable[[Packets], np.ndarray]


@dataclass(slots=True)
class Damaged:
    """Records that don't hold together, kept apart and counted by reason."""

    number: np.ndarray
    offset: np.ndarray
    n_bytes: np.ndarray
    reason: list[str]
    raw: list[np.ndarray]
    """The records as they stand in the file, uint8, at most MAX_RAW_BYTES of each."""

    def __len__(self) -> int:
        return len(self.reason)


@dataclass(slots=True)
class Samples:
    """Where the samples of each record lie; nothing is copied until a window is cut.

    source: 1-D array in the card's sample type over the words of the stretch.
    first, count: (n,) index of the first sample and number of samples.
    oldest, valid: (n,) for ring buffers: index of the oldest sample within the ring (-1 where the samples
    are in order) and number of samples in the ring.
    """

    source: np.ndarray
    first: np.ndarray
    count: np.ndarray
    oldest: np.ndarray | None = None
    valid: np.ndarray | None = None

    def __getitem__(self, rows: np.ndarray | slice) -> Samples:
        return Samples(
            self.source,
            self.first[rows],
            self.count[rows],
            None if self.oldest is None else self.oldest[rows],
            None if self.valid is None else self.valid[rows],
        )


@dataclass(slots=True)
class Trace:
    """A further array of each record: first word and number of words."""

    source: np.ndarray
    first: np.ndarray
    count: np.ndarray

    def __getitem__(self, rows: np.ndarray | slice) -> Trace:
        return Trace(self.source, self.first[rows], self.count[rows])


@dataclass(slots=True)
class Decoded:
    """What a decoder makes of the records of a stretch."""

    decoder: str
    rows: np.ndarray
    samples: Samples | None
    traces: dict[str, Trace]
    damaged: Damaged
    group: np.ndarray | None = None
    """For slow control whose records differ in shape: the number that tells them apart."""

    def __getitem__(self, rows: np.ndarray | slice) -> Decoded:
        """Take some rows; the damaged records stay."""
        return Decoded(
            self.decoder,
            self.rows[rows],
            None if self.samples is None else self.samples[rows],
            {name: trace[rows] for name, trace in self.traces.items()},
            self.damaged,
            None if self.group is None else self.group[rows],
        )


class DataLoader:
    """Decodes the records of one card family."""

    name: ClassVar[str]
    """The decoder's name in the header of a run."""
    also: ClassVar[tuple[str, ...]] = ()
    """Other names of the same layout."""
    beside: ClassVar[tuple[str, ...]] = ()
    """Names of records without rows, which tell how the others are read."""
    card_classes: ClassVar[tuple[str, ...]] = ()
    """Classes of the cards whose parameters go into the Tier 1 file; those that have the name under which the
    header declares the records go there too."""
    fields: ClassVar[tuple[Bits, ...]] = ()
    made: ClassVar[tuple[Made, ...]] = ()
    """Columns of a decoder that does not read them from plain bits."""
    first_columns: ClassVar[tuple[str, ...]] = ()
    """Columns that come first, in this order; the others follow as they are declared."""
    min_words: ClassVar[int] = 2

    def __init__(self, header: Header) -> None:
        self.header = header
        self.cards = {(card.crate, card.card): card for card in header.cards_of(*self.card_classes)}

    def rules(self) -> Sequence[Rule]:
        """Say what a good record keeps, beyond its least length."""
        return ()

    def unpack(self, packets: Packets) -> tuple[Packets, Packets]:
        """Give heads and bodies: w0 and w1 are read from the first, all else from the second.

        They are the same but for cards that pack several events into a record.
        """
        return packets, packets

    def more_columns(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Work out columns that are not plain bits."""
        return {}

    def samples(self, packets: Packets, columns: dict[str, np.ndarray]) -> Samples | None:
        """Say where the samples lie; None for slow control."""
        return None

    def traces(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, Trace]:
        """Say where further arrays lie."""
        return {}

    def group(self, packets: Packets) -> np.ndarray | None:
        """Tell records of different shape apart; None where all are alike."""
        return None

    def decode(self, packets: Packets) -> Decoded:
        """Decode records of this decoder; those that break a rule go to `damaged`."""
        good, damaged = self.sort_out(packets)
        heads, bodies = self.unpack(good)
        columns: dict[str, np.ndarray] = {}
        for bits in self.fields:
            columns[bits.name] = bits.decode(heads if 0 <= bits.word <= 1 else bodies)
        columns["event_number"] = bodies.number.astype(np.int64)
        columns.update(self.more_columns(bodies, columns))
        samples = self.samples(bodies, columns)
        traces = self.traces(bodies, columns)
        return Decoded(self.name, self.table(columns), samples, traces, damaged, self.group(bodies))

    def table(self, columns: dict[str, np.ndarray]) -> np.ndarray:
        """Put the columns side by side, `first_columns` first, hidden ones (with a leading _) left out."""
        shown = [name for name in columns if not name.startswith("_")]
        names = [name for name in self.first_columns if name in columns]
        names += [name for name in shown if name not in names]
        dtype = [(name, np.float64 if columns[name].dtype.kind == "f" else np.int64) for name in names]
        rows = np.empty(len(columns[names[0]]), dtype)
        for name in names:
            rows[name] = columns[name]
        return rows

    def sort_out(self, packets: Packets) -> tuple[Packets, Damaged]:
        """Part the records that hold together from those that don't."""
        long_enough = Rule(
            f"shorter than {self.min_words} words", lambda records: records.size >= self.min_words
        )
        good = np.ones(len(packets), bool)
        reasons: dict[int, str] = {}
        for rule in (long_enough, *self.rules()):
            rows = np.flatnonzero(good)
            broken = rows[~rule.holds(packets if len(rows) == len(packets) else packets[rows])]
            good[broken] = False
            reasons.update(dict.fromkeys(broken.tolist(), rule.broken))
        if not reasons:
            return packets, damaged_records(packets[:0], [])
        order = sorted(reasons)
        return packets[good], damaged_records(packets[np.array(order)], [reasons[i] for i in order])

    def encode(self, columns: Mapping[str, Any], n_words: int) -> np.ndarray:
        """Write records of `n_words` words from columns, (n, n_words) uint32; w0 is left free."""
        n_rows = max(np.size(values) for values in columns.values())
        records = np.zeros((n_rows, n_words), np.uint32)
        for bits in self.fields:
            if bits.name in columns:
                bits.encode(np.broadcast_to(columns[bits.name], n_rows), records)
        return records


class Digitizer(DataLoader):
    """A card that records waveforms."""

    def period_ns(self, card: Card | None) -> float:
        """Sampling period in ns, from the card's parameters; NaN where the clock is external."""
        raise NotImplementedError

    def tick_ns(self, card: Card | None) -> float:
        """Period of the timestamp's clock in ns."""
        return self.period_ns(card)

    def timing(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give time_s, from the card's own clock, and period_ns of each row."""
        period, tick = np.empty(len(columns["card"])), np.empty(len(columns["card"]))
        for place, rows in by_place(columns):
            card = self.cards.get(place)
            period[rows], tick[rows] = self.period_ns(card), self.tick_ns(card)
        return {"time_s": columns["timestamp"] * tick * 1e-9, "period_ns": period}


class Poller(DataLoader):
    """A device that is read out now and then: slow control."""

    def unix_time(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give time_s, seconds since run start, from the record's Unix time."""
        return {"time_s": (columns["timestamp"] - self.header.start_time).astype(np.float64)}


def by_place(columns: Mapping[str, np.ndarray]) -> Iterable[tuple[tuple[int, int], np.ndarray]]:
    """Give the rows of each (crate, card)."""
    place = columns["crate"] << 32 | columns["card"]
    for value in distinct(place):
        yield (value >> 32, value & 0xFFFFFFFF), place == value


def damaged_records(packets: Packets, reasons: list[str]) -> Damaged:
    """Copy records that don't hold together out of the stretch."""
    raw = packets.stored(MAX_RAW_BYTES)
    return Damaged(packets.number.copy(), packets.offset.copy(), packets.stored_bytes, reasons, raw)


@dataclass(slots=True)
class Registry:
    """Which decoder reads which records."""

    classes: dict[str, type[DataLoader]] = field(default_factory=dict)

    def add(self, *decoders: type[DataLoader]) -> None:
        """Make decoders known by all their names."""
        for decoder in decoders:
            for name in (decoder.name, *decoder.also, *decoder.beside):
                self.classes[name] = decoder
