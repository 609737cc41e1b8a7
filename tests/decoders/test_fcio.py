"""FCIO records against a real event, and against events laid out by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.decoders import FCIOEventHeaders, FCIOEvents
from pygama.decoders.base import Decoded
from pygama.decoders.fcio import (
    EVENT,
    HEADER,
    SPARSE,
    encode_config,
    encode_message,
    encode_record,
    messages_of,
)
from pygama.orca.header import Card, Header, header_of
from pygama.orca.packets import Packets
from pygama.orca.writer import RUN_RECORDS, RunWriter, run_header
from pygama.processing.run import process_run
from pygama.storage import TierFile

START = 1538352000
ADDRESS, STRANGE = 0x210, 0x7F0
PLACES = {0: (ADDRESS, 0), 1: (ADDRESS, 5), 2: (STRANGE, 3)}
N = 6
DEAD = bytes(20)
REAL = """001c0000 00010001 fffffffa 00000004 0000000b 00000004 00000000
          00000028 68423e20 000f406b 68423e21 00000000 00000000 00000000 00000000 00000000 00000000 00000000
          00000014 00000000 00000000 0656eb13 0ee6b265 00000006
          00000028 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
          00000004 00000001 00000002"""
"""The beginning of a record of 2025 with one trace of 6250 samples, up to the list of traces."""


def ints(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}i", *numbers)


def shorts(numbers: Sequence[int] | np.ndarray) -> bytes:
    return np.asarray(numbers, "<u2").tobytes()


def trace(index: int) -> np.ndarray:
    """Baseline 100 + index, energy 200 + index, and samples."""
    return np.concatenate(([100 + index, 200 + index], 1000 * (index + 1) + np.arange(N)))


def head(number: int) -> list[bytes]:
    offset = ints(START + 2, 500_000, *[0] * 8)
    return [ints(1), ints(0), offset, ints(number, 3, 125_000_000, 249_999_999, 0)]


def full(number: int = 7) -> bytes:
    traces = b"".join(shorts(trace(index)) for index in PLACES)
    return encode_message(EVENT, [*head(number), traces, DEAD])


def sparse(*hit: int, number: int = 8) -> bytes:
    listed = [shorts(trace(index)) for index in hit]
    return encode_message(SPARSE, [*head(number), DEAD, ints(len(hit)), shorts(hit), *listed])


def event_header(*hit: int, number: int = 9) -> bytes:
    numbers = np.array([trace(index)[:2] for index in hit]).ravel()
    return encode_message(HEADER, [*head(number), DEAD, shorts(hit), shorts(numbers)])


@pytest.fixture
def header(header_with: Callable[..., Header]) -> Header:
    return header_with(Card("ORFlashCamADCModel", 2, 4, {"CardAddress": ADDRESS}))


@pytest.fixture
def decode(header: Header, packets_of: Callable[..., Packets]) -> Callable[..., Decoded]:
    """Decode messages, a record each, behind a configuration."""

    def make(*messages: bytes, reader: type = FCIOEvents, config: bytes | None = None) -> Decoded:
        begin = encode_config(PLACES, N) if config is None else config
        records = [encode_record(begin, begins=True), *map(encode_record, messages)]
        return reader(header).decode(packets_of(header, records))

    return make


def waveforms(decoded: Decoded) -> list[list[int]]:
    samples = decoded.samples
    assert samples is not None
    return [
        samples.source[first : first + count].tolist()
        for first, count in zip(samples.first.tolist(), samples.count.tolist(), strict=True)
    ]


def test_an_event_of_all_traces_is_a_row_a_trace(decode: Callable[..., Decoded]) -> None:
    decoded = decode(full())
    rows = decoded.rows
    assert rows["trace_index"].tolist() == [0, 1, 2]
    assert rows["channel"].tolist() == [0, 5, 3]
    assert rows["card_address"].tolist() == [ADDRESS, ADDRESS, STRANGE]
    assert (rows["crate"].tolist(), rows["card"].tolist()) == ([2, 2, 0], [4, 4, STRANGE])
    assert rows["fc_baseline"].tolist() == [100, 101, 102]
    assert rows["energy"].tolist() == [200, 201, 202]
    assert rows["event_number"].tolist() == [2, 2, 2]
    assert rows["fc_event"].tolist() == [7, 7, 7]
    assert rows["timestamp"].tolist() == [3 * 250_000_000 + 125_000_000] * 3
    assert rows["time_s"].tolist() == pytest.approx([2 + 0.5 + 3 + 0.5] * 3, abs=1e-6)
    assert rows["period_ns"].tolist() == [16.0] * 3
    assert waveforms(decoded) == [trace(index)[2:].tolist() for index in PLACES]
    assert len(decoded.damaged) == 0


def test_an_event_of_some_traces_has_those(decode: Callable[..., Decoded]) -> None:
    decoded = decode(sparse(2, 0), sparse(), sparse(1, number=10))
    assert decoded.rows["trace_index"].tolist() == [2, 0, 1]
    assert decoded.rows["fc_event"].tolist() == [8, 8, 10]
    assert decoded.rows["energy"].tolist() == [202, 200, 201]
    assert waveforms(decoded) == [trace(index)[2:].tolist() for index in (2, 0, 1)]


def test_headers_of_events_are_a_table_of_their_own(decode: Callable[..., Decoded]) -> None:
    messages = (full(), event_header(0, 2), sparse(1))
    found = decode(*messages, reader=FCIOEventHeaders)
    assert found.samples is None
    assert found.rows["energy"].tolist() == [200, 202]
    assert found.rows["fc_baseline"].tolist() == [100, 102]
    assert found.rows["fc_event"].tolist() == [9, 9]
    assert "period_ns" not in found.rows.dtype.names
    assert decode(*messages).rows["fc_event"].tolist() == [7, 7, 7, 8]


def test_what_software_triggers_say_is_passed_over(decode: Callable[..., Decoded]) -> None:
    trigger = encode_message(9, [ints(0, 0), b"", ints(5)])
    assert decode(trigger + sparse(1)).rows["trace_index"].tolist() == [1]


def test_cards_of_12_bits_take_a_sample_in_4_ns(decode: Callable[..., Decoded]) -> None:
    decoded = decode(sparse(1), config=encode_config(PLACES, N, n_bits=12))
    assert decoded.rows["period_ns"].tolist() == [4.0]


def test_each_stream_has_a_configuration_of_its_own(
    header: Header, packets_of: Callable[..., Packets]
) -> None:
    other = {0: (ADDRESS, 1)}
    records = [
        encode_record(encode_config(PLACES, N), stream=1, begins=True),
        encode_record(encode_config(other, N), stream=2, begins=True),
        encode_record(sparse(0), stream=2),
        encode_record(sparse(0), stream=1),
    ]
    decoded = FCIOEvents(header).decode(packets_of(header, records))
    assert decoded.rows["channel"].tolist() == [1, 0]


def test_a_configuration_is_remembered_from_stretch_to_stretch(
    header: Header, packets_of: Callable[..., Packets]
) -> None:
    loader = FCIOEvents(header)
    first = loader.decode(packets_of(header, [encode_record(encode_config(PLACES, N), begins=True)]))
    assert len(first.rows) == 0
    assert loader.decode(packets_of(header, [encode_record(sparse(1))])).rows["channel"].tolist() == [5]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (sparse(3), "a trace has no place in the configuration of FCIO"),
        (full()[:-8], "a frame of FCIO does not fit into its record"),
        (encode_message(EVENT, [*head(1), bytes(10), DEAD]), "an event has not the traces and samples"),
        (encode_message(EVENT, head(1)), "message 3 of FCIO lacks frames, or they are too short"),
        (
            encode_message(SPARSE, [*head(1), DEAD, ints(2), shorts([0, 1]), shorts(trace(0))]),
            "an event has not the traces that it lists",
        ),
        (
            encode_message(SPARSE, [*head(1), DEAD, ints(1), shorts([0]), b"odd"]),
            "a trace of FCIO is no whole number of samples",
        ),
        (
            encode_message(SPARSE, [*head(1), DEAD, ints(1), shorts([0]), b"ab"]),
            "a trace of FCIO is no whole number of samples",
        ),
    ],
)
def test_what_does_not_hold_together_is_kept_apart(
    decode: Callable[..., Decoded], message: bytes, reason: str
) -> None:
    decoded = decode(sparse(1), message, sparse(2))
    assert decoded.rows["trace_index"].tolist() == [1, 2]
    (told,) = decoded.damaged.reason
    assert told.startswith(reason)
    assert decoded.damaged.number.tolist() == [3]


def test_events_without_a_configuration_are_kept_apart(
    header: Header, packets_of: Callable[..., Packets]
) -> None:
    decoded = FCIOEvents(header).decode(packets_of(header, [encode_record(sparse(1))]))
    assert decoded.damaged.reason == ["no configuration of its stream came before"]


@pytest.fixture
def run_file(tmp_path: Path) -> tuple[Path, list[int]]:
    """A run of three events of some traces, and where their records begin."""
    types = {"FlashCam": {"Config": (6, "ORFCIOConfigDecoder"), "Event": (7, "ORFCIOEventDecoder")}}
    header = run_header(run_number=5, start_time=START, record_types={**RUN_RECORDS, **types})
    offsets = []
    with RunWriter(tmp_path / "Run5", header) as writer:
        writer.run_start(5, START)
        writer.record(6, encode_record(encode_config(PLACES, N), begins=True)[1:], "extended")
        for hit in ((0,), (1, 2), (2,)):
            offsets.append(writer.offset)
            writer.record(7, encode_record(sparse(*hit))[1:], "extended")
        writer.run_stop(START + 10)
    return tmp_path / "Run5", offsets


def test_a_run_of_such_events_becomes_a_table(run_file: tuple[Path, list[int]], tmp_path: Path) -> None:
    done = process_run(run_file[0], output_dir=tmp_path, tiers=(1,))
    with TierFile(done.outputs[0]) as file:
        table = file.table("ORFCIOEventDecoder").read()
    assert table.rows["trace_index"].tolist() == [0, 1, 2, 2]
    assert len(set(table.rows["event_number"].tolist())) == 3
    assert table.waveforms is not None
    assert table.waveforms.tolist() == [trace(index)[2:].tolist() for index in (0, 1, 2, 2)]


def test_a_part_of_a_run_is_read_by_the_configuration_before_it(
    run_file: tuple[Path, list[int]], tmp_path: Path
) -> None:
    path, offsets = run_file
    done = process_run(path, output_dir=tmp_path, tiers=(1,), within=(offsets[1], offsets[2]))
    with TierFile(done.outputs[0]) as file:
        assert file.table("ORFCIOEventDecoder").read().rows["trace_index"].tolist() == [1, 2]


def test_a_real_record_parts_as_it_was_read_by_hand() -> None:
    words = np.array([int(word, 16) for word in REAL.split()], "<u4")
    samples = shorts([0x3AA0, 0x45D6, 0x3A8E, 0x3A88])
    stream = words.tobytes() + shorts([6]) + ints(len(samples)) + samples
    ((kind, frames),) = messages_of(stream)
    assert kind == SPARSE
    assert [n_bytes for _, n_bytes in frames] == [4, 4, 40, 20, 40, 4, 2, 8]
    at, n_bytes = frames[-1]
    assert stream[at : at + n_bytes] == samples


@given(data=st.data())
def test_records_damaged_anywhere_are_rows_or_kept_apart(data: st.DataObject) -> None:
    header = header_of(run_header(run_number=72, start_time=START, cards=(), record_types={}), 0)
    records = [
        encode_record(encode_config(PLACES, N), begins=True),
        encode_record(full()),
        encode_record(sparse(2, 0)),
        encode_record(event_header(1)),
    ]
    words = np.concatenate(records)
    damaged = words.view(np.uint8)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    size = np.array([len(one) for one in records])
    start = np.concatenate(([0], np.cumsum(size)[:-1]))
    key, number = np.full(4, 1, np.int32), np.arange(1, 5)
    packets = Packets(words, start, size, key, number, 4 * start, header)
    for reader in (FCIOEvents, FCIOEventHeaders):
        decoded = reader(header).decode(packets)
        assert len(decoded.rows) <= 3 * 65536
        if decoded.samples is not None:
            assert (decoded.samples.first + decoded.samples.count <= 2 * len(words)).all()


def test_a_real_run_of_2025_has_its_event_and_all_headers(
    real_run: Callable[[str], Path], tmp_path: Path
) -> None:
    done = process_run(real_run("l200-p13-r007-aph-20250101T003931Z.orca"), output_dir=tmp_path)
    with TierFile(done.outputs[0]) as file:
        event = file.table("ORFCIOEventDecoder").read()
        headers = file.table("ORFCIOEventHeaderDecoder").read().rows
    assert event.waveforms is not None
    assert event.waveforms.shape == (61, 1024)
    assert event.rows["trace_index"].tolist() == list(range(61))
    assert len({(row["crate"], row["card"], row["channel"]) for row in event.rows}) == 61
    start = event.waveforms[:, :100].mean(axis=1)
    apart = np.abs(event.rows["fc_baseline"] - start)
    assert np.median(apart) < 10
    assert apart.max() < 50
    seen = np.unique(np.concatenate((headers["fc_event"], event.rows["fc_event"])))
    assert seen.tolist() == list(range(498))
    assert len(headers) == 497 * 61
    assert (np.diff(headers["time_s"][::61]) > 0).all()
    assert 0 < headers["time_s"].min() < headers["time_s"].max() < 3600
