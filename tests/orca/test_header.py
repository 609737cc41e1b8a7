"""Headers: what a run says of itself, and what is said when it can't be read."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from pygama.errors import RawFileError
from pygama.orca.header import (
    Card,
    HeaderExtent,
    data_id,
    header_of,
    number_from_name,
    parse_header,
    record_key,
)
from pygama.orca.packets import read_header
from pygama.orca.writer import header_bytes, run_header
from pygama.utils import grouped

TYPES = {"Run": (3, "RunDecoder"), "Same": (4, "RunDecoder"), "Short": (-33, "AdcDecoder")}
SHARED = Path(__file__).parents[2] / "../shared/data"


def a_header(**changes: Any) -> dict[str, Any]:
    return run_header(run_number=72, start_time=1538352000, record_types={"Group": TYPES}) | changes


def test_a_header_says_which_run_it_is_and_when_it_began():
    header = parse_header(header_bytes(run_header(run_number=72, start_time=1538352000, sub_run=2)))
    assert (header.run_number, header.sub_run, header.start_time) == (72, 2, 1538352000)


def test_run_control_is_found_wherever_it_lies_in_the_chain():
    plist = a_header()
    plist["ObjectInfo"]["DataChain"].insert(0, {"Data File": {}})
    assert header_of(plist, 0).run_number == 72


def test_keys_lead_to_decoders_and_several_may_share_one():
    header = header_of(a_header(), 0)
    assert header.decoders == {3: "RunDecoder", 4: "RunDecoder", -33: "AdcDecoder"}
    assert header.keys_of("RunDecoder") == (3, 4)


@pytest.mark.parametrize("data_id_in_file", [33 << 26, (33 << 26) - (1 << 32)])
def test_a_short_id_may_be_stored_as_a_large_or_a_negative_number(data_id_in_file):
    assert record_key(data_id_in_file) == -33


@pytest.mark.parametrize("key", [1, 8191, -32, -63])
def test_a_key_survives_the_way_to_the_file_and_back(key):
    assert record_key(data_id(key)) == key


def test_a_dictionary_of_the_real_file_is_read_as_id_7():
    assert record_key(1835008) == 7


def test_cards_of_crates_daughter_cards_and_both_kinds_of_devices_are_listed():
    plist = a_header()
    daughter = {"Class Name": "Daughter", "gain": 4}
    plist["ObjectInfo"]["Crates"] = [
        {"ClassName": "Crate", "CrateNumber": 1},
        {
            "ClassName": "Crate",
            "CrateNumber": 0,
            "Cards": [{"Class Name": "Carrier", "Card": 8, "DaughterCards": [daughter]}],
        },
    ]
    nested, flat = (
        {"Class Name": "ORMJDPreAmpModel", "preampID": 7},
        {"Class Name": "Listener", "uniqueID": 1},
    )
    plist["ObjectInfo"]["AuxHw"] = [{"MJDPreAmp": nested}, flat]
    header = header_of(plist, 0)
    assert [(card.class_name, card.crate, card.card) for card in header.cards] == [
        ("Carrier", 0, 8),
        ("Daughter", 0, 8),
        ("ORMJDPreAmpModel", -1, -1),
        ("Listener", -1, -1),
    ]
    assert header.cards_of("ORMJDPreAmpModel", "Daughter") == (
        Card("Daughter", 0, 8, daughter),
        Card("ORMJDPreAmpModel", -1, -1, nested),
    )


@pytest.mark.parametrize("n_padding", range(8))
def test_zero_to_seven_bytes_of_padding_are_accepted(n_padding):
    text = header_bytes(a_header())[8:].rstrip(b"\0")
    text += b"\n" * (-(len(text) + n_padding) % 4)
    size = 8 + len(text) + n_padding
    record = (size // 4).to_bytes(4, "little") + len(text).to_bytes(4, "little") + text + bytes(n_padding)
    assert parse_header(record).size_bytes == size


@pytest.mark.parametrize("big_endian", [False, True])
def test_the_byte_order_is_recognised(big_endian):
    extent = HeaderExtent.sniff(header_bytes(a_header(), big_endian=big_endian))
    assert extent is not None
    assert extent.big_endian == big_endian


def test_a_header_above_1_mib_is_measured_by_its_text():
    record = header_bytes(a_header(Comment="x" * (1 << 20)))
    assert 4 * (int.from_bytes(record[:4], "little")) < len(record)
    assert parse_header(record).size_bytes == len(record)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("2018-9-30-BackgroundRun72", 72),
        ("Run7.orca.gz", 7),
        ("R_Run12.3", 12),
        ("prefix_Run_4.bz2", 4),
        ("l200-p13-r007-aph-20250101T003931Z.orca", None),
    ],
)
def test_the_name_of_a_file_tells_the_run_number(name, number):
    assert number_from_name(name) == number


def test_the_name_stands_in_for_a_header_without_run_control():
    plist = a_header(ObjectInfo={})
    assert header_of(plist, 0, name="data/Run31").run_number == 31
    with pytest.raises(RawFileError, match="rename it to something like 'Run42'"):
        header_of(plist, 0, name="data/file")


def test_a_header_without_its_table_of_records_is_refused():
    plist = a_header()
    del plist["dataDescription"]
    with pytest.raises(RawFileError, match="no 'dataDescription'"):
        header_of(plist, 0)


@pytest.mark.parametrize(
    ("place", "value"),
    [("dataDescription", [1]), ("ObjectInfo", "no"), ("dataDescription", {"A": {"B": {"dataId": "x"}}})],
)
def test_values_of_the_wrong_kind_are_named(place, value):
    with pytest.raises(RawFileError, match=place.removesuffix("Info")[:4]):
        header_of(a_header(**{place: value}), 0)


def test_broken_xml_is_told_as_such():
    record = header_bytes(a_header()).replace(b"</plist>", b"</plost>")
    with pytest.raises(RawFileError, match="Run5: the XML of the header cannot be read"):
        parse_header(record, name="Run5")


def test_entities_are_refused_before_they_grow():
    bomb = b'<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><plist><string>&b;</string></plist>'
    text = b'<?xml version="1.0"?>' + bomb
    record = (
        (2 + len(text) // 4 + 1).to_bytes(4, "little") + len(text).to_bytes(4, "little") + text + bytes(4)
    )
    with pytest.raises(RawFileError, match="cannot be read"):
        parse_header(record)


def test_a_header_cut_short_is_told_with_both_sizes():
    record = header_bytes(a_header())
    with pytest.raises(RawFileError, match=f"of its {grouped(len(record))} bytes only 100 are there"):
        parse_header(record[:100])


def test_only_the_header_is_read_also_from_gzip(tmp_path):
    path = tmp_path / "Run72.gz"
    path.write_bytes(gzip.compress(header_bytes(a_header()) + b"no record at all"))
    assert read_header(path).run_number == 72


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real runs in ../shared/data")
@pytest.mark.parametrize(
    ("name", "run", "start", "n_cards"),
    [
        ("L200-comm-20220519-phy-geds.orca", 1280, 1652986635, 47),
        ("l200-p13-r007-aph-20250101T003931Z.orca", 35300, 1735691971, 48),
        ("2018-9-25-Th228Run9001", 9001, 1537868606, 1),
    ],
)
def test_headers_of_real_runs_are_read(name, run, start, n_cards):
    header = read_header(SHARED / name)
    assert (header.run_number, header.start_time, len(header.cards)) == (run, start, n_cards)
    assert header.plist["Header Length"] == header.size_bytes
