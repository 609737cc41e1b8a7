"""Decodes the records in which ORCA keeps FCIO since 2025: FlashCam's own messages, as bytes.

A record holds a stream of messages behind its first two words. A message is a negative number, its kind, and
frames, each a number of bytes and as many bytes. Lengths are odd numbers of samples, so what follows them is
aligned to two bytes only. Where each trace comes from is in the configuration, which comes once, before the
events. What software triggers add (messages 8 to 10) is passed over.

Source: real records of 2025 and ORCA's writer.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pygama.decoders.base import Bits, DataLoader, Decoded, Digitizer, Made, Samples, damaged_records
from pygama.orca.header import Card, Header
from pygama.quick_dataclass import dataclass

if TYPE_CHECKING:
    from pygama.orca.packets import Packets

CONFIG, EVENT, SPARSE, HEADER = 1, 3, 6, 7
"""Kinds of messages."""
PROTOCOL, PROTOCOL_BYTES = -1000000001, 64
"""What a stream begins with."""
HEAD_BYTES = 8
TRACE_HEAD = 2
"""Numbers before the samples of a trace: baseline and energy of the firmware."""
_NUMBER = struct.Struct("<i")

Frame = tuple[int, int]
"""Where a frame lies in its record, and its bytes."""


class _BrokenError(ValueError):
    """What does not hold together, in words."""


@dataclass(frozen=True)
class _Config:
    """What a stream says of itself. places: (n_traces, 4), crate, card, address and channel of each trace."""

    n_samples: int
    period_ns: float
    places: np.ndarray


@dataclass(frozen=True)
class _Event:
    """An event of a stream: its traces, and where in the record, in bytes, each begins.

    n_numbers: of two bytes, of each trace.
    """

    kind: int
    stamp: tuple[int, int, int, int]
    """FlashCam's number, seconds, ticks and most ticks."""
    offset: tuple[int, int]
    """Seconds and microseconds, Unix time, of the beginning of the counters."""
    config: _Config
    traces: Sequence[int]
    begins: Sequence[int]
    n_numbers: Sequence[int]


def messages_of(stream: bytes | memoryview) -> list[tuple[int, list[Frame]]]:
    """Part the bytes of a record, of which the first 8 are ORCA's, into messages.

    Gives the kind and the frames of each. Raises ValueError where a frame is longer than the record.
    """
    found: list[tuple[int, list[Frame]]] = []
    at, end = HEAD_BYTES, len(stream)
    while at + _NUMBER.size <= end:
        (number,) = _NUMBER.unpack_from(stream, at)
        at += _NUMBER.size
        if number == PROTOCOL:
            at += PROTOCOL_BYTES
        elif number < 0:
            found.append((-number, []))
        elif at + number > end or not found:
            raise _BrokenError("a frame of FCIO does not fit into its record")
        else:
            found[-1][1].append((at, number))
            at += number
    return found


class _Streams(DataLoader):
    """What events and their headers have in common."""

    beside = ("ORFCIOConfigDecoder",)
    card_classes = ("ORFlashCamADCModel", "ORFlashCamADCStdModel", "ORFlashCamTriggerModel")
    fields: ClassVar[tuple[Bits, ...]] = (
        Bits("_readout_id", 1, 16, 16),
        Bits("_stream", 1, 0, 16, about="number of the listener"),
    )
    made: ClassVar[tuple[Made, ...]] = (
        Made("crate", about="number of the crate of the card, by its address"),
        Made("card", about="slot of the card; its address, in crate 0, where the header lacks the card"),
        Made("channel", about="input of the card"),
        Made("card_address", about="address of the card"),
        Made("trace_index", about="place in FlashCam's map of traces"),
        Made("event_type", about="FlashCam's type of the event"),
        Made("fc_event", about="FlashCam's own event number"),
        Made("fc_baseline", "adc", "baseline from the firmware"),
        Made("energy", about="energy from the firmware"),
        Made("timestamp", "ticks", "ticks of 4 ns since FlashCam's start"),
    )
    first_columns = ("channel", "energy", "event_number", "timestamp", "crate", "card")
    kinds: ClassVar[tuple[int, ...]] = ()
    """The messages that become rows."""

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self._configs: dict[int, _Config] = {}
        self._places = {
            address: (card.crate, card.card)
            for card in reversed(header.cards)
            if isinstance(address := card.parameters.get("CardAddress"), int)
        }

    def decode(self, packets: Packets) -> Decoded:
        """Take note of configurations, and decode events; what does not hold together goes to `damaged`."""
        words = packets.words.view(np.uint8)
        events: list[_Event] = []
        records: list[int] = []
        wrong: dict[int, str] = {}
        for record, (start, size) in enumerate(
            zip(packets.start.tolist(), packets.size.tolist(), strict=True)
        ):
            try:
                event = self._read(words[4 * start : 4 * (start + size)].data)
            except _BrokenError as problem:
                wrong[record] = str(problem)
            else:
                if event is not None:
                    events.append(event)
                    records.append(record)
        columns, samples = self._columns(packets, events, records)
        damaged = damaged_records(packets[np.array(sorted(wrong), np.int64)], list(wrong.values()))
        return Decoded(self.name, self.table(columns), self._samples_of(samples), {}, damaged)

    def _samples_of(self, samples: Samples) -> Samples | None:
        return None

    def _read(self, record: memoryview) -> _Event | None:
        """Read a record; None for a configuration, and what is not for us."""
        if len(record) < HEAD_BYTES:
            raise _BrokenError("shorter than 2 words")
        stream = int.from_bytes(record[4:6], "little")
        event: _Event | None = None
        for kind, frames in messages_of(record):
            try:
                if kind == CONFIG:
                    self._configs[stream] = self._config(record, frames)
                elif kind in self.kinds:
                    if stream not in self._configs:
                        raise _BrokenError("no configuration of its stream came before")
                    event = _event(record, kind, frames, self._configs[stream])
            except (IndexError, struct.error, ValueError) as problem:
                if isinstance(problem, _BrokenError):
                    raise
                raise _BrokenError(f"message {kind} of FCIO lacks frames, or they are too short") from problem
        return event

    def _config(self, record: memoryview, frames: Sequence[Frame]) -> _Config:
        n_adcs, n_triggers, n_samples = (_numbers(record, frame)[0] for frame in frames[:3])
        at, n_bytes = frames[10]
        mapped = np.frombuffer(record[at : at + n_bytes // 4 * 4], "<u4")
        n_traces = int(n_adcs + n_triggers)
        if n_samples < 0 or not 0 <= n_traces <= len(mapped):
            raise _BrokenError("the configuration of FCIO has more traces than places for them")
        places = np.empty((n_traces, 4), np.int64)
        for trace, place in enumerate(mapped[:n_traces].tolist()):
            address, channel = place >> 16, place & 0xFFFF
            places[trace] = (*self._places.get(address, (0, address)), address, channel)
        n_bits = _numbers(record, frames[5])[0]
        return _Config(int(n_samples), 16.0 if n_bits >= 16 else 4.0, places)

    def _columns(
        self, packets: Packets, events: Sequence[_Event], records: Sequence[int]
    ) -> tuple[dict[str, np.ndarray], Samples]:
        """Put the traces of all events one behind the other."""
        n_traces = [len(event.traces) for event in events]
        of = np.repeat(np.arange(len(events)), n_traces)

        def joined(name: str) -> np.ndarray:
            numbers = chain.from_iterable(getattr(event, name) for event in events)
            return np.fromiter(numbers, np.int64, sum(n_traces))

        traces = joined("traces")
        starts = packets.start[np.array(records, np.int64)]
        first = 2 * starts[of] + joined("begins") // 2
        places = np.empty((len(traces), 4), np.int64)
        configs = {id(event.config): event.config for event in events}
        which = np.array([id(event.config) for event in events], np.int64)[of]
        for key, config in configs.items():
            places[which == key] = config.places[traces[which == key]]
        stamps = np.array([event.stamp for event in events], np.int64).reshape(-1, 4)[of]
        offsets = np.array([event.offset for event in events], np.int64).reshape(-1, 2)[of]
        source = packets.words.view("<u2")
        per_second = stamps[:, 3] + 1
        since_start = offsets[:, 0] - self.header.start_time + 1e-6 * offsets[:, 1]
        columns = {
            "crate": places[:, 0],
            "card": places[:, 1],
            "channel": places[:, 3],
            "card_address": places[:, 2],
            "trace_index": traces,
            "event_type": np.array([event.kind for event in events], np.int64)[of],
            "fc_event": stamps[:, 0],
            "fc_baseline": source[first].astype(np.int64),
            "energy": source[first + 1].astype(np.int64),
            "event_number": packets.number[np.array(records, np.int64)].astype(np.int64)[of],
            "timestamp": stamps[:, 1] * per_second + stamps[:, 2],
            "time_s": since_start + stamps[:, 1] + stamps[:, 2] / per_second,
        }
        periods = np.array([event.config.period_ns for event in events], float)
        columns |= self._timing(periods[of])
        return columns, Samples(source, first + TRACE_HEAD, joined("n_numbers") - TRACE_HEAD)

    def _timing(self, period_ns: np.ndarray) -> dict[str, np.ndarray]:
        return {}


class FCIOEvents(_Streams, Digitizer):
    """Events with their waveforms, a row a trace: those of all traces, and those of the traces that were hit.

    A record holds an event. Its rows have the same `event_number`, `fc_event` and time.
    """

    name = "ORFCIOEventDecoder"
    kinds = (EVENT, SPARSE)

    def _samples_of(self, samples: Samples) -> Samples:
        return samples

    def _timing(self, period_ns: np.ndarray) -> dict[str, np.ndarray]:
        return {"period_ns": period_ns}

    def period_ns(self, card: Card | None) -> float:
        """16 ns: 62.5 MS/s, of cards of 16 bits; each row has that of its stream."""
        return 16.0


class FCIOEventHeaders(_Streams):
    """Events without waveforms, a row a trace: what the firmware found. They do not go to Tier 2."""

    name = "ORFCIOEventHeaderDecoder"
    kinds = (HEADER,)


def _numbers(record: memoryview, frame: Frame) -> tuple[int, ...]:
    at, n_bytes = frame
    return struct.unpack_from(f"<{n_bytes // 4}i", record, at)


def _event(record: memoryview, kind: int, frames: Sequence[Frame], config: _Config) -> _Event:
    """Find the traces of an event."""
    event_type = _numbers(record, frames[0])[0]
    offset = _numbers(record, frames[2])
    event, seconds, ticks, most = _numbers(record, frames[3])[:4]
    if kind == EVENT:
        traces, begins, n_numbers = _of_all(frames[4], config)
    elif kind == SPARSE:
        traces, begins, n_numbers = _of_some(record, frames)
    else:
        traces, begins, n_numbers = _of_headers(record, frames)
    if max(traces, default=0) >= len(config.places):
        raise _BrokenError("a trace has no place in the configuration of FCIO")
    if any(at % 2 for at in begins) or min(n_numbers, default=TRACE_HEAD) < TRACE_HEAD:
        raise _BrokenError("a trace of FCIO is no whole number of samples")
    stamp = (event, seconds, ticks, most)
    return _Event(event_type, stamp, (offset[0], offset[1]), config, traces, begins, n_numbers)


_Lying = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Traces, where each begins, in bytes, and how many numbers it has."""


def _of_all(frame: Frame, config: _Config) -> _Lying:
    n_traces, n_each = len(config.places), config.n_samples + TRACE_HEAD
    at, n_bytes = frame
    if n_bytes != 2 * n_traces * n_each:
        raise _BrokenError("an event has not the traces and samples that its configuration tells")
    return range(n_traces), range(at, at + n_bytes, 2 * n_each), [n_each] * n_traces


def _of_some(record: memoryview, frames: Sequence[Frame]) -> _Lying:
    traces = _listed(record, frames[6])
    lying = frames[7 : 7 + len(traces)]
    if len(lying) != len(traces) or _numbers(record, frames[5])[0] != len(traces):
        raise _BrokenError("an event has not the traces that it lists")
    if any(n_bytes % 2 for _, n_bytes in lying):
        raise _BrokenError("a trace of FCIO is no whole number of samples")
    return traces, [at for at, _ in lying], [n_bytes // 2 for _, n_bytes in lying]


def _of_headers(record: memoryview, frames: Sequence[Frame]) -> _Lying:
    """Find the two numbers of each trace in the last two frames."""
    traces = _listed(record, frames[-2])
    at, n_bytes = frames[-1]
    if n_bytes != 2 * TRACE_HEAD * len(traces):
        raise _BrokenError("an event has not the traces that it lists")
    return traces, range(at, at + n_bytes, 2 * TRACE_HEAD), [TRACE_HEAD] * len(traces)


def _listed(record: memoryview, frame: Frame) -> tuple[int, ...]:
    at, n_bytes = frame
    return struct.unpack_from(f"<{n_bytes // 2}H", record, at)


def encode_message(kind: int, frames: Sequence[bytes]) -> bytes:
    """Write a message."""
    return _NUMBER.pack(-kind) + b"".join(_NUMBER.pack(len(frame)) + frame for frame in frames)


def encode_record(messages: bytes, *, stream: int = 1, begins: bool = False) -> np.ndarray:
    """Write a record of messages, (n_words,) uint32 with w0 free; begins: with the name of the protocol."""
    tag = _NUMBER.pack(PROTOCOL) + b"FlashCamV1".ljust(PROTOCOL_BYTES, b"\0") if begins else b""
    head = struct.pack("<2I", 0, 1 << 16 | stream)
    whole = head + tag + messages
    return np.frombuffer(whole.ljust(-(-len(whole) // 4) * 4, b"\0"), "<u4").copy()


def encode_config(places: Mapping[int, tuple[int, int]], n_samples: int, *, n_bits: int = 16) -> bytes:
    """Write the message of a configuration; places: trace -> address of its card and channel."""
    mapped = np.array([places[trace][0] << 16 | places[trace][1] for trace in range(len(places))], "<u4")
    numbers = (len(places), 0, n_samples, 1, 1, n_bits, 1, 0, len(places), 0)
    return encode_message(CONFIG, [*map(_NUMBER.pack, numbers), mapped.tobytes(), _NUMBER.pack(1)])
