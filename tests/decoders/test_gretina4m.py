"""The Gretina4M against a real record start and a record worked out by hand."""

import numpy as np
import pytest

from pygama.decoders import Gretina4M
from pygama.decoders.gretina4m import N_SAMPLES
from pygama.orca.header import Card

GOLDEN = "00100402 00290007 aaaaaaaa 03ff1558 89abcdef ec780012 000001ff"
REAL_BYTES = "00000a00 aaaaaaaa d1000000 e178f144 29009b9d e2510b20 eb432900 03000000"


def record_of(head):
    return np.concatenate([np.array(head, np.uint32), np.zeros(1026 - len(head), np.uint32)])


def test_a_record_worked_out_by_hand_gives_back_its_fields(header_with, packets_of):
    record = record_of([int(word, 16) for word in GOLDEN.split()])
    record[17:20] = [0xFFFEFFFD, 0x0000FFFF, 0x00020001]
    header = header_with()
    decoded = Gretina4M(header).decode(packets_of(header, [record]))
    row = decoded.rows[0]
    assert (row["crate"], row["card"], row["channel"], row["board_id"]) == (1, 9, 8, 0x155)
    assert (row["timestamp"], row["energy"]) == (0x001289ABCDEF, -5000)
    first = decoded.samples.first[0]
    assert decoded.samples.source[first : first + 6].tolist() == [-3, -2, -1, 0, 1, 2]
    assert decoded.samples.count[0] == 2018


def test_a_real_record_start_gives_its_time_and_signed_energy(header_with, packets_of):
    words = np.frombuffer(bytes.fromhex(REAL_BYTES.replace(" ", "")), "<u4")
    header = header_with()
    row = Gretina4M(header).decode(packets_of(header, [record_of([0, *words.tolist()])])).rows[0]
    assert (row["card"], row["channel"], row["board_id"]) == (10, 1, 0xD)
    assert row["timestamp"] == 177250334945
    assert row["energy"] == -1925733


def test_two_packets_in_a_record_make_two_rows(header_with, packets_of):
    record = np.concatenate([record_of([0, 0x00290000, 0xAAAAAAAA, 1]), np.zeros(1024, np.uint32)])
    record[1026:1028] = [0xAAAAAAAA, 2]
    header = header_with()
    rows = Gretina4M(header).decode(packets_of(header, [record])).rows
    assert rows["channel"].tolist() == [1, 2]
    assert rows["card"].tolist() == [9, 9]
    assert rows["event_number"].tolist() == [1, 1]


def test_a_record_without_its_marker_is_kept_apart(header_with, packets_of):
    header = header_with()
    decoded = Gretina4M(header).decode(packets_of(header, [record_of([0, 0, 0xAAAAAAAB])]))
    assert decoded.damaged.reason == ["no packet marker 0xAAAAAAAA"]


def test_the_pre_summed_tail_is_noted_for_its_channel_alone(header_with, packets_of):
    tail = [0] * 10
    tail[8] = 252
    parameters = {"FtCnt": tail, "Mrpsrt": [3] * 10, "Mrpsdv": [1] * 10}
    header = header_with(Card("ORGretina4MModel", 1, 9, parameters))
    records = [record_of([0, 0x00290000, 0xAAAAAAAA, channel]) for channel in (8, 7)]
    rows = Gretina4M(header).decode(packets_of(header, records)).rows
    assert rows["presum_start"].tolist() == [1766, 2018]
    assert rows["presum_rate"].tolist() == [10, 1]
    assert rows["presum_divisor"].tolist() == [2, 1]


def test_what_is_encoded_is_decoded(header_with, packets_of):
    header = header_with()
    loader = Gretina4M(header)
    waves = np.arange(2018, dtype=np.int16)[None] - 1000
    columns = {"crate": 3, "card": 17, "channel": [9], "board_id": 4095, "timestamp": 2**48 - 1}
    record = loader.encode_events({**columns, "energy": -(2**24)}, waves)
    decoded = loader.decode(packets_of(header, list(record)))
    row = decoded.rows[0]
    assert {name: row[name] for name in columns} == {**columns, "channel": 9}
    assert row["energy"] == -(2**24)
    first = decoded.samples.first[0]
    assert (decoded.samples.source[first : first + 2018] == waves[0]).all()


@pytest.mark.parametrize("code", [float("nan"), float("inf"), 2**64, "x"])
def test_a_pre_sum_setting_that_is_no_number_counts_as_not_set(header_with, packets_of, code):
    card = Card("ORGretina4MModel", 1, 9, {"FtCnt": [code] * 10})
    header = header_with(card)
    loader = Gretina4M(header)
    columns = {"crate": 1, "card": 9, "channel": 3, "timestamp": 5, "energy": 0}
    records = loader.encode_events(columns, np.zeros((1, N_SAMPLES), np.int16))
    assert loader.decode(packets_of(header, records)).rows["presum_start"].tolist() == [N_SAMPLES]
