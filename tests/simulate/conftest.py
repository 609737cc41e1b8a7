from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Records = list[tuple[int, np.ndarray]]


@pytest.fixture(scope="session")
def records_of() -> Callable[[Path], Records]:
    """Read (key, words with w0) of all records behind the header, without the library."""

    def read(path: Path) -> Records:
        words = np.frombuffer(path.read_bytes(), "<u4")
        at, records = int(words[0] & 0x3FFFF), []
        while at < len(words):
            n_words = int(words[at] & 0x3FFFF)
            records.append((int(words[at] >> 18), words[at : at + n_words]))
            at += n_words
        assert at == len(words)
        return records

    return read
