"""The SIS3302 against records worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.decoders import SIS3302
from pygama.orca.header import Card

# Crate 1, card 6, channel 3, timestamp 0x001289abcdef, samples 1000…1003, 40000…40003.
PLAIN = """0014000e 00260300 00000004 00000000 00120003 89abcdef
           03e903e8 03eb03ea 9c419c40 9c439c42 0001e240 000004b0 01000000 deadbeef"""
RING = """00140010 00260301 00000004 00000000 00120003 89abcdef 00000008 00000003
          9c429c41 03e89c43 03ea03e9 9c4003eb 0001e240 000004b0 01000000 deadbeef"""
SAMPLES = [1000, 1001, 1002, 1003, 40000, 40001, 40002, 40003]


def words(text):
    return [int(word, 16) for word in text.split()]


def samples_of(decoded, row=0):
    first, count = decoded.samples.first[row], decoded.samples.count[row]
    return decoded.samples.source[first : first + count].tolist()


def test_a_record_gives_its_place_time_and_energy(header_with, packets_of):
    header = header_with()
    row = SIS3302(header).decode(packets_of(header, [words(PLAIN)])).rows[0]
    assert (row["crate"], row["card"], row["channel"]) == (1, 6, 3)
    assert row["timestamp"] == 79619149295
    assert row["time_s"] == pytest.approx(796.19149295, abs=1e-12)
    assert (row["energy"], row["energy_first"]) == (123456, 1200)


def test_samples_above_32767_stay_positive(header_with, packets_of):
    header = header_with()
    assert samples_of(SIS3302(header).decode(packets_of(header, [words(PLAIN)]))) == SAMPLES


def test_a_ring_tells_where_its_oldest_sample_is(header_with, packets_of):
    header = header_with()
    samples = SIS3302(header).decode(packets_of(header, [words(RING)])).samples
    assert (samples.oldest[0], samples.valid[0], samples.count[0]) == (3, 8, 8)


def test_the_2018_timestamp_lost_its_high_bits(header_with, packets_of):
    record = words(PLAIN)
    header = header_with()
    in_2018 = record[5] + (record[4] >> 16)
    assert in_2018 == 2309737985
    assert SIS3302(header).decode(packets_of(header, [record])).rows["timestamp"][0] == 79619149295


@pytest.mark.parametrize(
    ("word", "value", "reason"),
    [
        (13, 0xDEADBEE0, "no footer 0xDEADBEEF"),
        (2, 5, "lengths disagree"),
        (3, 1, "lengths disagree"),
    ],
)
def test_a_record_that_does_not_hold_together_is_kept_apart(header_with, packets_of, word, value, reason):
    header = header_with()
    bad = words(PLAIN)
    bad[word] = value
    decoded = SIS3302(header).decode(packets_of(header, [words(PLAIN), bad, words(PLAIN)]))
    assert decoded.rows["event_number"].tolist() == [1, 3]
    assert decoded.damaged.reason == [reason]
    assert decoded.damaged.offset.tolist() == [56]
    assert decoded.damaged.raw[0].tobytes() == np.array(bad, "<u4").tobytes()


def test_a_record_too_short_to_hold_a_header_is_kept_apart(header_with, packets_of):
    header = header_with()
    decoded = SIS3302(header).decode(packets_of(header, [[0x00140003, 0, 0]]))
    assert decoded.damaged.reason == ["shorter than 10 words"]


def test_a_ring_longer_than_its_waveform_is_kept_apart(header_with, packets_of):
    header = header_with()
    bad = words(RING)
    bad[6] = 9
    assert len(SIS3302(header).decode(packets_of(header, [bad])).damaged) == 1


@pytest.mark.parametrize(("source", "period"), [(0, 10.0), (1, 20.0), (2, 40.0), (3, 100.0), (4, 1000.0)])
def test_the_period_follows_the_clock_source(header_with, packets_of, source, period):
    header = header_with(Card("ORSIS3302Model", 1, 6, {"clockSource": source}))
    row = SIS3302(header).decode(packets_of(header, [words(PLAIN)])).rows[0]
    assert row["period_ns"] == period
    assert row["time_s"] == pytest.approx(79619149295 * period * 1e-9)


def test_an_external_clock_has_no_known_period(header_with, packets_of):
    header = header_with(Card("ORSIS3302Model", 1, 6, {"clockSource": 6}))
    row = SIS3302(header).decode(packets_of(header, [words(PLAIN)])).rows[0]
    assert np.isnan(row["period_ns"])
    assert np.isnan(row["time_s"])


@settings(max_examples=50, deadline=None)
@given(
    crate=st.integers(0, 15),
    card=st.integers(0, 31),
    channel=st.integers(0, 7),
    timestamp=st.integers(0, 2**48 - 1),
    energy=st.integers(0, 2**32 - 1),
    n_samples=st.integers(0, 20).map(lambda n: 2 * n),
    n_energy=st.integers(0, 5),
)
def test_what_is_encoded_is_decoded(crate, card, channel, timestamp, energy, n_samples, n_energy):
    from pygama.orca.header import header_of
    from pygama.orca.packets import Packets
    from pygama.orca.writer import run_header

    header = header_of(run_header(run_number=1, start_time=0, cards=[], record_types={}), 0)
    loader = SIS3302(header)
    waves = np.arange(n_samples, dtype=np.uint16)[None] + 60000
    trace = np.arange(n_energy, dtype=np.uint32)[None] + 2**31
    columns = {"crate": [crate], "card": [card], "channel": [channel], "timestamp": [timestamp]}
    record = loader.encode_events({**columns, "energy": [energy]}, waves, trace)
    n_words = record.shape[1]
    packets = Packets(
        record.reshape(-1), *(np.array([value]) for value in (0, n_words, 1, 1, 0)), header=header
    )
    decoded = loader.decode(packets)
    row = decoded.rows[0]
    assert [row[name] for name in ("crate", "card", "channel")] == [crate, card, channel]
    assert (row["timestamp"], row["energy"]) == (timestamp, energy)
    assert samples_of(decoded) == waves[0].tolist()
    if n_energy:
        told = decoded.traces["energy_waveform"]
        assert told.source[told.first[0] : told.first[0] + told.count[0]].tolist() == trace[0].tolist()
