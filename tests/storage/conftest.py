"""Small runs and files for the tests of the storage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pygama.block import Block
from pygama.storage.writer import TierWriter

ROWS = np.dtype([("channel", "i8"), ("energy", "i8"), ("time_s", "f8"), ("card", "i8")])


@pytest.fixture
def make_block() -> Callable[..., Block]:
    """Make rows numbered from `first`: row i has channel i, energy 10 i, samples 1000 i + 0, 1, 2 …"""

    def make(n_rows: int = 5, n_samples: int = 4, *, first: int = 0, dtype: str = "u2") -> Block:
        numbers = np.arange(first, first + n_rows)
        rows = np.zeros(n_rows, ROWS)
        rows["channel"], rows["energy"], rows["time_s"] = numbers, 10 * numbers, numbers / 4
        waveforms = (1000 * numbers[:, None] + np.arange(n_samples)).astype(dtype) if n_samples else None
        return Block("Card", rows, waveforms)

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write blocks into table 'Card' of a new file and give its path."""

    def write_file(*blocks: Block, name: str = "t1.h5", queryable: bool = False, **options: object) -> Path:
        path = tmp_path / name
        with TierWriter(path, **options) as writer:  # type: ignore[arg-type]
            for block in blocks:
                writer.write("Card", block, queryable=queryable)
        return path

    return write_file


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as executor:
        yield executor
