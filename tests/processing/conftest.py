"""Writes raw runs with plain struct, apart from the library's own writer."""

from __future__ import annotations

import plistlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

START = 1538352000


@dataclass
class PlainRun:
    """A raw run and what went into it."""

    path: Path
    waves: np.ndarray
    packet: list[int]
    """Packet number of each waveform's record."""


def header_bytes(run_number: int, clock: int, note: str) -> bytes:
    card = {
        "Class Name": "ORSIS3302Model",
        "Card": 8,
        "clockSource": clock,
        "thresholds": [64] * 8,
        "sampleLengths": [32000] * 4,
        "remark": note,
    }
    describe = {"variable": True, "length": -1}
    header = {
        "Document Info": {"documentName": "replay", "OrcaVersion": "10.0"},
        "ObjectInfo": {
            "Crates": [{"ClassName": "ORVme64CrateModel", "CrateNumber": 0, "FirstSlot": 0, "Cards": [card]}],
            "DataChain": [{"Run Control": {"RunNumber": run_number, "SubRunNumber": 0, "startTime": START}}],
        },
        "dataDescription": {
            "1DHisto": {"Histograms": {"dataId": 4 << 18, "decoder": "OR1DHistoDecoder", **describe}},
            "ORRunModel": {"Run": {"dataId": 5 << 18, "decoder": "ORRunDecoderForRun", **describe}},
            "ORSIS3302": {
                "Energy": {"dataId": 1 << 18, "decoder": "ORSIS3302DecoderForEnergy", **describe},
                "LostData": {"dataId": 3 << 18, "decoder": "ORSIS3302DecoderForLostData", **describe},
                "MCA": {"dataId": 2 << 18, "decoder": "ORSIS3302DecoderForMca", **describe},
            },
        },
    }
    xml = plistlib.dumps(header)
    n_words = 2 + len(xml) // 4 + 1
    return struct.pack("<II", n_words, len(xml)) + xml + bytes(4 * n_words - 8 - len(xml))


def record_bytes(samples: np.ndarray, channel: int, ticks: int, energy: int) -> bytes:
    n_words = 10 + len(samples) // 2
    head = (
        1 << 18 | n_words,
        8 << 16 | channel << 8,
        len(samples) // 2,
        0,
        ticks >> 32 << 16 | channel,
        ticks & 0xFFFFFFFF,
    )
    return (
        struct.pack("<6I", *head)
        + samples.astype("<u2").tobytes()
        + struct.pack("<4I", energy, 7, 0, 0xDEADBEEF)
    )


def run_record(flags: int, number: int, time: int) -> bytes:
    return struct.pack("<4I", 5 << 18 | 4, flags, number, time)


def pulses(rng: np.random.Generator, n_rows: int, n_samples: int, at: np.ndarray) -> np.ndarray:
    """Steps with an exponential tail on a noisy baseline, above 32767 for the largest."""
    k = np.arange(n_samples)
    height = rng.uniform(1000, 40000, n_rows)[:, None]
    since = k - at[:, None]
    pulse = np.where(since >= 0, height * np.exp(-np.clip(since, 0, None) / 30000.0), 0.0)
    return np.clip(8000 + 3 * rng.standard_normal((n_rows, n_samples)) + pulse, 0, 65535).astype(np.uint16)


@pytest.fixture
def plain_run(tmp_path: Path) -> Callable[..., PlainRun]:
    """Write a SIS3302 run; the first `n_edge` pulses lie so that a window of 2000 samples does not fit."""

    def write(
        n_rows: int = 24,
        n_samples: int = 32000,
        n_edge: int = 3,
        run_number: int = 72,
        clock: int = 0,
        note: str = "",
        name: str = "2018-9-30-BackgroundRun72",
    ) -> PlainRun:
        rng = np.random.default_rng(run_number)
        at = np.full(n_rows, n_samples // 2) + rng.integers(-200, 200, n_rows)
        at[:n_edge] = n_samples - 500
        waves = pulses(rng, n_rows, n_samples, at)
        path = tmp_path / name
        packet = []
        with path.open("wb") as file:
            file.write(header_bytes(run_number, clock, note))
            file.write(run_record(0x21, run_number, START))
            file.write(run_record(0x8, 30, START))
            for row in range(n_rows):
                packet.append(3 + row)
                file.write(record_bytes(waves[row], row % 2, 2**33 + 1000 * row, 100 + row))
            file.write(run_record(0x0, run_number, START + 60))
        return PlainRun(path, waves, packet)

    return write
