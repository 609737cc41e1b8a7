"""Writes ORCA files: headers, records in every form, and the run records that frame a run.

For simulated runs and for tests. Records are written as they are asked for, good or not, so a file with
any kind of damage can be made.
"""

from __future__ import annotations

import copy
import plistlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal

import numpy as np

from pygama.errors import OutputError
from pygama.orca.header import RUN_DECODER, Card, data_id, record_key

Form = Literal["long", "extended", "short"]
RecordTypes = Mapping[str, Mapping[str, tuple[int, str]]]
"""{group: {name: (record key, decoder)}}, as {"ORSIS3302": {"Energy": (2, "ORSIS3302DecoderForEnergy")}}."""

RUN_RECORDS: RecordTypes = {"ORRunModel": {"Run": (1, RUN_DECODER)}}
HEARTBEAT_S = 30
LONGEST = 0x3FFFF
"""Words that fit in a long-form record."""

_START, _SUB_RUN_END, _SUB_RUN_START, _HEARTBEAT = 0x21, 0x10, 0x20, 0x08
_REFERENCE_S = 978307200  # 2001-01-01 in unix time


class RunWriter:
    """A run file being written; begins with its header. A context manager.

    target: a path, or a binary stream, which is left open. offset is the number of bytes written so far
    and packets the number of the last record, counted as the reader counts them.
    """

    def __init__(
        self, target: str | Path | BinaryIO, header_plist: Mapping[str, Any], *, big_endian: bool = False
    ) -> None:
        self._is_ours = isinstance(target, str | Path)
        self._stream: BinaryIO = target if not isinstance(target, str | Path) else _create(Path(target))
        self._big_endian = big_endian
        self.offset = 0
        self.packets = -1
        self._run_number = self._sub_run = 0
        self.header(header_plist)

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, unless it was given as a stream."""
        if self._is_ours:
            self._stream.close()

    def header(self, plist: Mapping[str, Any]) -> None:
        """Write a header record; the run records that follow have the key that it declares."""
        self._plist = plist
        self._run_key = _run_key(plist)
        self.raw(header_bytes(plist, big_endian=self._big_endian))
        self.packets += 1

    def record(self, key: int, payload: Sequence[int] | np.ndarray, form: Form = "long") -> None:
        """Write one record. payload: its words from word 1 on; for a short one, its 26 bits of payload."""
        words = np.asarray(payload, np.uint32)
        if form == "short":
            self._write(np.asarray([data_id(key) | int(words[0]) & 0x3FFFFFF], np.uint32))
        elif form == "extended":
            self._write(np.concatenate([np.asarray([data_id(key), len(words) + 2], np.uint32), words]))
        else:
            self._write(np.concatenate([np.asarray([_first_word(key, len(words) + 1)], np.uint32), words]))
        self.packets += 1

    def records(self, key: int, words: np.ndarray) -> None:
        """Write equal long-form records in one go.

        words: (n, size) uint32; column 0 is free and will be set to the first word of the records.
        """
        words[:, 0] = _first_word(key, words.shape[1])
        self._write(words)
        self.packets += len(words)

    def raw(self, data: bytes) -> None:
        """Write bytes as they are; they do not count as a packet."""
        self._stream.write(data)
        self.offset += len(data)

    def run_start(self, number: int, time: int) -> None:
        """Write the record of a run start; time in unix seconds."""
        self._run_number, self._sub_run = number, 0
        self._run_record(_START, number, time)

    def heartbeat(self, time: int) -> None:
        """Write a heartbeat, which announces the next one in 30 s."""
        self.record(self._run_key, [_HEARTBEAT, HEARTBEAT_S, time])

    def run_stop(self, time: int) -> None:
        """Write the record of a run stop."""
        self._run_record(0, self._run_number, time)

    def sub_run(self, time: int) -> None:
        """Write the end of this sub-run, a header for the next, and its start."""
        self._run_record(_SUB_RUN_END, self._run_number, time)
        self._sub_run += 1
        self.header(_with_sub_run(self._plist, self._sub_run))
        self._run_record(_SUB_RUN_START, self._run_number, time)

    def _run_record(self, flags: int, number: int, time: int) -> None:
        self.record(self._run_key, [flags | self._sub_run << 16, number, time])

    def _write(self, words: np.ndarray) -> None:
        data = np.ascontiguousarray(words, ">u4" if self._big_endian else "<u4")
        if data.size:
            self._stream.write(data.data)
        self.offset += data.nbytes


def run_header(
    *,
    run_number: int,
    start_time: int,
    cards: Sequence[Card] = (),
    aux: Sequence[Card] = (),
    record_types: RecordTypes = RUN_RECORDS,
    sub_run: int = 0,
    crate_class: str = "ORVme64CrateModel",
) -> dict[str, Any]:
    """Make the property list of a header as ORCA writes it.

    start_time: unix seconds. cards are grouped in crates of class `crate_class`; aux are devices outside of
    crates. Declare the run records in `record_types` too if there are to be any (`RUN_RECORDS`).
    """
    run = {
        "Class Name": "ORRunModel",
        "RunNumber": run_number,
        "SubRunNumber": sub_run,
        "startTime": start_time,
        "refTime": float(np.float32(start_time - _REFERENCE_S)),
        "runType": 0,
        "quickStart": False,
        "remoteControl": False,
    }
    return {
        "Document Info": {
            "documentName": "simulated",
            "OrcaVersion": "10.0",
            "date": "01/01/18 12:00:00",
            "dataVersion": 3,
        },
        "ObjectInfo": {
            "Crates": _crates(cards, crate_class),
            "DataChain": [{"Run Control": run}],
            "AuxHw": [{_device_name(device.class_name): _entry(device)} for device in aux],
        },
        "ReadoutDescription": [],
        "dataDescription": {
            group: {name: _description(key, decoder) for name, (key, decoder) in kinds.items()}
            for group, kinds in record_types.items()
        },
    }


def header_bytes(plist: Mapping[str, Any], *, big_endian: bool = False) -> bytes:
    """Make a header record, with its own length in 'Header Length' and 1 to 4 bytes of padding."""
    plist = dict(plist)
    n_words = 0
    text = b""
    while plist.get("Header Length") != 4 * n_words or not text:
        plist["Header Length"] = 4 * n_words
        text = plistlib.dumps(plist, fmt=plistlib.FMT_XML, sort_keys=True)
        n_words = 2 + len(text) // 4 + 1
    order: Literal["big", "little"] = "big" if big_endian else "little"
    head = (n_words & LONGEST).to_bytes(4, order) + len(text).to_bytes(4, order)
    return (head + text).ljust(4 * n_words, b"\0")


def _create(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _first_word(key: int, n_words: int) -> int:
    if key < 0 or not 0 < n_words <= LONGEST:
        raise ValueError(f"a record of key {key} and {n_words} words has no long form")
    return data_id(key) | n_words


def _run_key(plist: Mapping[str, Any]) -> int:
    for kinds in plist.get("dataDescription", {}).values():
        for entry in kinds.values():
            if entry.get("decoder") == RUN_DECODER:
                return record_key(entry["dataId"])
    return 0


def _with_sub_run(plist: Mapping[str, Any], sub_run: int) -> dict[str, Any]:
    changed = copy.deepcopy(dict(plist))
    for link in changed["ObjectInfo"]["DataChain"]:
        if "Run Control" in link:
            link["Run Control"]["SubRunNumber"] = sub_run
    return changed


def _crates(cards: Sequence[Card], crate_class: str) -> list[dict[str, Any]]:
    numbers = dict.fromkeys(card.crate for card in cards)
    return [
        {
            "ClassName": crate_class,
            "CrateNumber": number,
            "FirstSlot": 0,
            "Cards": [{**_entry(card), "Card": card.card} for card in cards if card.crate == number],
        }
        for number in numbers
    ]


def _entry(card: Card) -> dict[str, Any]:
    return {**card.parameters, "Class Name": card.class_name}


def _device_name(class_name: str) -> str:
    return class_name.removeprefix("OR").removesuffix("Model")


def _description(key: int, decoder: str) -> dict[str, Any]:
    return {"dataId": data_id(key), "decoder": decoder, "length": -1, "variable": True}
