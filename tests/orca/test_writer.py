"""The writer, against the byte vectors of the format's description."""

import io

import numpy as np
import pytest

from pygama.errors import OutputError
from pygama.orca.header import Card, parse_header
from pygama.orca.writer import RunWriter, header_bytes, run_header

PLIST = run_header(
    run_number=72, start_time=1538352000, record_types={"R": {"Run": (3, "ORRunDecoderForRun")}}
)
HEADER_BYTES = len(header_bytes(PLIST))


def written(stream: io.BytesIO) -> bytes:
    return stream.getvalue()[HEADER_BYTES:]


def test_run_start_heartbeat_and_stop_are_the_known_bytes():
    stream = io.BytesIO()
    with RunWriter(stream, PLIST) as run:
        run.run_start(72, 0x5BB16380)
        run.heartbeat(0x5BB1639E)
        run.run_stop(0x5BB17190)
    assert written(stream).hex(" ", 16).split() == [
        "04000c0021000000480000008063b15b",
        "04000c00080000001e0000009e63b15b",
        "04000c0000000000480000009071b15b",
    ]


def test_a_sub_run_ends_with_its_number_and_the_next_begins_behind_a_new_header():
    stream = io.BytesIO()
    run = RunWriter(stream, PLIST)
    run.run_start(72, 0)
    run.sub_run(0)
    first = run.offset
    run.sub_run(0x5BB16768)
    data = stream.getvalue()[first:]
    assert np.frombuffer(data[:16], "<u4").tolist() == [0x000C0004, 0x00010010, 0x48, 0x5BB16768]
    assert np.frombuffer(data[-16:], "<u4").tolist() == [0x000C0004, 0x00020020, 0x48, 0x5BB16768]
    assert parse_header(data[16:]).sub_run == 2


def test_the_three_forms_of_a_record():
    stream = io.BytesIO()
    run = RunWriter(stream, PLIST)
    run.record(7, [0x21, 1280])
    run.record(6, [0xC46535FF], form="extended")
    run.record(-33, [(1 << 21) | (6 << 16) | (3 << 12) | 0x7AB], form="short")
    assert np.frombuffer(written(stream), "<u4").tolist() == [
        *(0x001C0003, 0x21, 1280),
        *(0x00180000, 3, 0xC46535FF),
        0x842637AB,
    ]


def test_equal_records_are_written_in_one_go():
    stream = io.BytesIO()
    run = RunWriter(stream, PLIST)
    run.records(5, np.array([[0, 1, 2], [0, 3, 4]], np.uint32))
    assert np.frombuffer(written(stream), "<u4").tolist() == [5 << 18 | 3, 1, 2, 5 << 18 | 3, 3, 4]
    assert (run.packets, run.offset) == (2, HEADER_BYTES + 24)


def test_big_endian_files_have_swapped_words():
    stream = io.BytesIO()
    run = RunWriter(stream, PLIST, big_endian=True)
    run.records(5, np.array([[0, 1]], np.uint32))
    assert written(stream).hex() == "0014000200000001"


def test_a_record_too_long_for_the_long_form_is_refused():
    run = RunWriter(io.BytesIO(), PLIST)
    with pytest.raises(ValueError, match="262144 words has no long form"):
        run.record(5, np.zeros(0x3FFFF, np.uint32))


@pytest.mark.parametrize("n_more", range(4))
def test_a_header_knows_its_own_length_and_has_1_to_4_bytes_of_padding(n_more):
    record = header_bytes(PLIST | {"Comment": "x" * n_more})
    n_text = int.from_bytes(record[4:8], "little")
    assert len(record) == 4 * (2 + n_text // 4 + 1)
    assert parse_header(record).plist["Header Length"] == len(record)


def test_cards_are_put_in_their_crates_and_read_back():
    cards = (Card("ORSIS3302Model", 0, 8, {"clockSource": 0}), Card("ORGretina4MModel", 2, 9, {}))
    device = Card("ORMJDPreAmpModel", -1, -1, {"preampID": 7})
    plist = run_header(run_number=1, start_time=0, cards=cards, aux=[device])
    assert [crate["CrateNumber"] for crate in plist["ObjectInfo"]["Crates"]] == [0, 2]
    assert "MJDPreAmp" in plist["ObjectInfo"]["AuxHw"][0]
    read = parse_header(header_bytes(plist)).cards
    assert [(card.class_name, card.crate, card.card) for card in read] == [
        ("ORSIS3302Model", 0, 8),
        ("ORGretina4MModel", 2, 9),
        ("ORMJDPreAmpModel", -1, -1),
    ]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        RunWriter(tmp_path / "none" / "Run1", PLIST)
