"""Reads the header record of an ORCA file: which run it is, its cards, and its record types.

A header is an XML property list behind two words: the length of the record in words and that of the text
in bytes. Record types are known by their key: the id of the long form (1 to 8191), or the id of the short
form (32 to 63) with a minus sign. The table of keys holds for one header only; no key is ever fixed.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from xml.parsers.expat import ExpatError

from pygama.errors import RawFileError
from pygama.quick_dataclass import dataclass
from pygama.utils import grouped

HEAD_BYTES = 13
"""What `HeaderExtent.sniff` needs to see: two words and '<?xml'."""
MAX_HEADER_BYTES = 256 << 20
RUN_DECODER = "ORRunDecoderForRun"
RUN_RECORD_WORDS = 4

_LENGTH_MASK = 0x3FFFF
_RUN_IN_NAME = re.compile(r"Run_?(\d+)(?:\.(\d+))?(?:\.orca)?(?:\.gz|\.bz2)?$")
_PARSE_ERRORS = (
    ExpatError,
    plistlib.InvalidFileException,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
)


@dataclass(frozen=True)
class Card:
    """One card with its settings; devices outside of crates (AuxHw) have crate and card -1."""

    class_name: str
    crate: int
    card: int
    parameters: dict[str, Any]


@dataclass(frozen=True)
class RecordType:
    """One entry of the header's dataDescription, such as key 2, group 'ORSIS3302', name 'Energy'."""

    key: int
    decoder: str
    group: str
    name: str


@dataclass(frozen=True)
class Header:
    """What a run says of itself.

    start_time is in unix seconds (UT), 0 where the header tells no possible time; size_bytes is that of the
    record; decoders gives the name of the decoder for each record key (several keys may share one).
    """

    plist: dict[str, Any]
    run_number: int
    sub_run: int
    start_time: int
    size_bytes: int
    record_types: tuple[RecordType, ...]
    decoders: dict[int, str]
    cards: tuple[Card, ...]

    def cards_of(self, *class_names: str) -> tuple[Card, ...]:
        """Pick the cards of these classes, in the order of the header."""
        return tuple(card for card in self.cards if card.class_name in class_names)

    def keys_of(self, decoder: str) -> tuple[int, ...]:
        """Find the record keys that this decoder reads."""
        return tuple(kind.key for kind in self.record_types if kind.decoder == decoder)


@dataclass(frozen=True, slots=True)
class HeaderExtent:
    """Where a header record ends and its text ends, read from its first bytes."""

    big_endian: bool
    size_bytes: int
    text_bytes: int

    @classmethod
    def sniff(cls, start: bytes) -> HeaderExtent | None:
        """Recognise the start of a header record, in either byte order; None if it is something else."""
        if start[8:HEAD_BYTES] != b"<?xml":
            return None
        for big_endian in (False, True):
            order: Literal["big", "little"] = "big" if big_endian else "little"
            w0, n = int.from_bytes(start[:4], order), int.from_bytes(start[4:8], order)
            if (words := header_words(w0, n)) and n <= MAX_HEADER_BYTES:
                return cls(big_endian, 4 * words, n)
        return None


def header_words(w0: int, text_bytes: int) -> int:
    """Length in words of a header record, or 0 where its first two words do not fit each other.

    0 to 7 bytes of padding are accepted. Above 1 MiB the length in w0 has lost its high bits.
    """
    shortest = (8 + text_bytes + 3) // 4
    for words in (shortest, shortest + 1):
        if words & _LENGTH_MASK == w0:
            return words
    return 0


def parse_header(record: bytes, *, name: str = "header") -> Header:
    """Read a header record, from its first word on, in either byte order.

    name: the file's name, for messages, and for the run number where the header has none.
    Raises RawFileError.
    """
    extent = HeaderExtent.sniff(record)
    if extent is None:
        raise RawFileError(not_orca(record, name))
    if len(record) < extent.text_bytes + 8:
        raise RawFileError(
            f"{name}: the header is cut short: of its {grouped(extent.size_bytes)} bytes only "
            f"{grouped(len(record))} are there"
        )
    return header_of(_read_plist(record[8 : 8 + extent.text_bytes], name), extent.size_bytes, name=name)


def header_of(plist: Mapping[str, Any], size_bytes: int, *, name: str = "header") -> Header:
    """Read a header from its property list. Raises RawFileError where it cannot be one."""
    types = tuple(_record_types(_dict_in(plist, "dataDescription", name), name))
    hardware = plist.get("ObjectInfo", {})
    if not isinstance(hardware, dict):
        raise RawFileError(f"{name}: 'ObjectInfo' of the header must be a dictionary, not {_short(hardware)}")
    run = _run_control(hardware)
    return Header(
        plist=dict(plist),
        run_number=_run_number(run, name),
        sub_run=_whole(run.get("SubRunNumber", 0), "SubRunNumber", name),
        start_time=_start_time(run, name),
        size_bytes=size_bytes,
        record_types=types,
        decoders={kind.key: kind.decoder for kind in types},
        cards=(*_crate_cards(hardware), *_aux_devices(hardware)),
    )


def number_from_name(path: str | Path) -> int | None:
    """Find the run number in a file name such as '2018-9-30-BackgroundRun72.gz'."""
    found = _RUN_IN_NAME.search(Path(path).name)
    return int(found[1]) if found else None


def record_key(data_id: int) -> int:
    """Turn a header's dataId (unshifted, perhaps negative) into a record key."""
    field = data_id & 0xFFFFFFFF
    return -(field >> 26) if field >> 31 else field >> 18


def data_id(key: int) -> int:
    """Turn a record key into a header's dataId, which is also the id part of a record's first word."""
    return -key << 26 if key < 0 else key << 18


def not_orca(start: bytes, name: str) -> str:
    """Say why bytes are not the start of an ORCA file."""
    looks_like = {
        b"\x89HDF": "an HDF5 file, such as our Tier 1 and Tier 2",
        b"FCIO": "a plain FCIO file",
        b"PK\x03\x04": "a zip archive, which must be unpacked first",
        b"%PDF": "a PDF document",
        b"\x89PNG": "a picture",
        b"root": "a ROOT file",
        b"<?xm": "a property list without a record around it",
    }.get(start[:4])
    found = f"it is {looks_like}" if looks_like else f"it begins with {_as_read(start[:8])}"
    return (
        f"{name} is not ORCA data: {found}; expected was a header record, with '<?xml' at "
        "byte 8. Choose a file written by ORCA's Data File object"
    )


def _as_read(found: bytes) -> str:
    """Write bytes as the letters that they are, or by their numbers: 'hello', the bytes 00 1F 8B."""
    text = found.decode("latin-1").rstrip()
    return f"'{text}'" if text.isascii() and text.isprintable() else f"the bytes {found.hex(' ').upper()}"


def _read_plist(text: bytes, name: str) -> dict[str, Any]:
    try:
        plist = plistlib.loads(text.rstrip(b"\0"), fmt=plistlib.FMT_XML)
    except _PARSE_ERRORS as error:
        raise RawFileError(f"{name}: the XML of the header cannot be read: {error}") from error
    if not isinstance(plist, dict):
        raise RawFileError(f"{name}: the header must be a dictionary, not {_short(plist)}")
    return plist


def _record_types(description: Mapping[str, Any], name: str) -> Iterator[RecordType]:
    for group, kinds in description.items():
        for kind, entry in _dicts_in(kinds):
            if "dataId" not in entry:
                continue
            key = record_key(_whole(entry["dataId"], f"dataId of {group}/{kind}", name))
            if key != 0:
                yield RecordType(key, str(entry.get("decoder", f"{group}/{kind}")), group, kind)


def _run_control(hardware: Mapping[str, Any]) -> Mapping[str, Any]:
    for link in _list_in(hardware, "DataChain"):
        if isinstance(run := link.get("Run Control"), dict):
            return run
    return {}


def _crate_cards(hardware: Mapping[str, Any]) -> Iterator[Card]:
    for crate in _list_in(hardware, "Crates"):
        number = _place(crate.get("CrateNumber"), -1)
        for card in _list_in(crate, "Cards"):
            slot = _place(card.get("Card"), -1)
            yield _card(card, number, slot)
            for daughter in _list_in(card, "DaughterCards"):
                yield _card(daughter, number, _place(daughter.get("Card"), slot))


def _aux_devices(hardware: Mapping[str, Any]) -> Iterator[Card]:
    for entry in _list_in(hardware, "AuxHw"):
        values = list(entry.items())
        if len(values) == 1 and isinstance(values[0][1], dict):
            name, entry = values[0]
            yield _card(entry, -1, -1, name)
        else:
            yield _card(entry, -1, -1)


def _card(parameters: dict[str, Any], crate: int, card: int, name: str = "") -> Card:
    class_name = parameters.get("Class Name", parameters.get("ClassName", name))
    return Card(str(class_name), crate, card, parameters)


def _run_number(run: Mapping[str, Any], name: str) -> int:
    if "RunNumber" in run:
        return _whole(run["RunNumber"], "RunNumber", name)
    number = number_from_name(name)
    if number is None:
        raise RawFileError(
            f"{name}: neither the header ('RunNumber' in 'Run Control') nor the name of the file says which "
            "run it is; rename it to something like 'Run42'"
        )
    return number


def _start_time(run: Mapping[str, Any], name: str) -> int:
    time = _number(run.get("startTime", 0), "startTime", name)
    return time if 0 <= time < 1 << 32 else 0


def _whole(value: Any, what: str, name: str) -> int:
    number = _number(value, what, name)
    if not abs(number) < 1 << 63:
        raise RawFileError(f"{name}: {what} of the header must be a number of 64 bits, not {_short(value)}")
    return number


def _number(value: Any, what: str, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise RawFileError(f"{name}: {what} of the header must be a number, not {_short(value)}") from None


def _place(value: Any, otherwise: int) -> int:
    return int(value) if isinstance(value, int) else otherwise


def _dict_in(plist: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    value = plist.get(key)
    if not isinstance(value, dict):
        raise RawFileError(
            f"{name}: the header has no {key!r}, the table of its record types, so no record can be read"
            if value is None
            else f"{name}: {key!r} of the header must be a dictionary, not {_short(value)}"
        )
    return value


def _list_in(plist: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    values = plist.get(key)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _dicts_in(plist: Any) -> list[tuple[str, dict[str, Any]]]:
    values = plist.items() if isinstance(plist, dict) else ()
    return [(name, value) for name, value in values if isinstance(value, dict)]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
