"""Lays words out as records of a stretch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from pygama.orca.header import Card, Header, header_of
from pygama.orca.packets import Packets
from pygama.orca.writer import run_header


@pytest.fixture
def header_with() -> Callable[..., Header]:
    """Make a header with the given cards, run 72, started at Unix time 1538352000."""

    def make(*cards: Card) -> Header:
        return header_of(run_header(run_number=72, start_time=1538352000, cards=cards, record_types={}), 0)

    return make


@pytest.fixture
def packets_of() -> Callable[..., Packets]:
    """Put records (lists of words or rows of an array) one behind the other."""

    def make(header: Header, records: Sequence) -> Packets:
        rows = [np.asarray(record, np.uint32) for record in records]
        size = np.array([len(row) for row in rows], np.int64)
        start = np.concatenate(([0], np.cumsum(size)[:-1])) if len(rows) else np.zeros(0, np.int64)
        number = np.arange(1, len(rows) + 1)
        key = np.full(len(rows), 1, np.int32)
        words = np.concatenate(rows) if rows else np.zeros(0, np.uint32)
        return Packets(words, start, size, key, number, 4 * start, header)

    return make
