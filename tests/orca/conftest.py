"""Makes small ORCA files, whole and damaged, and reads them back."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pygama.orca.packets import FrameReport, RawFile
from pygama.orca.writer import RUN_DECODER, RunWriter, run_header

TYPES = {
    "ORRunModel": {"Run": (3, RUN_DECODER)},
    "Digitizer": {"Wave": (5, "WaveDecoder"), "Other": (6, "WaveDecoder")},
    "Shaper": {"Adc": (-33, "AdcDecoder")},
    "Histogram": {"Bins": (9, "BinsDecoder")},
}


@dataclass(frozen=True)
class Record:
    """A record as read: where, which, and its words from word 1 on."""

    offset: int
    number: int
    key: int
    words: tuple[int, ...]


@dataclass
class Read:
    records: list[Record]
    report: FrameReport

    @property
    def offsets(self) -> list[int]:
        return [record.offset for record in self.records]


@pytest.fixture(scope="session")
def plist() -> dict[str, Any]:
    """A header: run 72, which declares the keys 3, 5, 6, -33 and 9."""
    return run_header(run_number=72, start_time=1538352000, record_types=TYPES)


@pytest.fixture(scope="session")
def start(plist: dict[str, Any]) -> Callable[..., tuple[io.BytesIO, RunWriter]]:
    """Begin a file in memory."""

    def start(**options: Any) -> tuple[io.BytesIO, RunWriter]:
        stream = io.BytesIO()
        return stream, RunWriter(stream, plist, **options)

    return start


@pytest.fixture(scope="session")
def read_all(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Read]:
    """Write bytes to a file and read all its records."""
    path = tmp_path_factory.mktemp("orca") / "Run72"

    def read_all(data: bytes, **options: Any) -> Read:
        path.write_bytes(data)
        return read_path(path, **options)

    return read_all


@pytest.fixture(scope="session")
def read_file() -> Callable[..., Read]:
    """Read all records of a file."""
    return read_path


def read_path(path: Path, **options: Any) -> Read:
    records = []
    with RawFile(path, **options) as file:
        for packets in file:
            for i in range(len(packets)):
                first, size = int(packets.start[i]), int(packets.size[i])
                words = (
                    packets.words[first + 1 : first + size] if size > 1 else packets.words[first : first + 1]
                )
                place = (int(packets.offset[i]), int(packets.number[i]), int(packets.key[i]))
                records.append(Record(*place, tuple(words.tolist())))
    return Read(records, file.report)


@pytest.fixture(scope="session")
def waves() -> Callable[..., np.ndarray]:
    """Make equal records of 400 words: noisy samples around a baseline, with a pulse."""

    def waves(n: int, baseline: float = 8000.0, seed: int = 1) -> np.ndarray:
        rng = np.random.default_rng(seed)
        samples = rng.normal(baseline, 4.0, (n, 798))
        samples[:, 400:500] += 2000
        words = np.zeros((n, 400), np.uint32)
        words[:, 1:] = samples.astype(np.int16).view(np.uint32)
        return words

    return waves
