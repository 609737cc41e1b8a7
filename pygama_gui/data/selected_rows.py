"""Holds which rows of a data set on disk are selected, a bit for each, and finds them by their number.

A hundred million rows take 12.5 MB. They are known from the first on, as far as the files were read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CODE
from pygama_gui.data.linked import Rows, n_of
from pygama_gui.data.selection import Selection

CHUNK = 32_768
"""Rows that are counted together."""
N_BYTES = CHUNK // 8
ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1).sum(axis=1, dtype=np.uint8)
"""Bits that are set in each byte, (256,)."""


class Selected(Protocol):
    """Rows that are selected, in their order: the first has place 0."""

    @property
    def is_whole(self) -> bool:
        """Whether all rows were looked at."""

    @property
    def n_known(self) -> int:
        """How many rows were looked at, from the first on."""

    def __len__(self) -> int: ...

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Give the rows at some places, (n,) int64."""

    def place(self, row: int) -> int | None:
        """Give the place of a row; None where it is not selected."""


@dataclass(frozen=True)
class AllRows:
    """All rows, as `Selected`."""

    n_known: int
    is_whole: bool = True

    def __len__(self) -> int:
        return self.n_known

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Give the places themselves."""
        return np.asarray(places, np.int64)

    def place(self, row: int) -> int | None:
        """Give the row itself."""
        return row


class SelectedRows:
    """Those of the first rows whose bit is set, as `Selected`. ends: rows selected up to each chunk's end."""

    def __init__(self, bits: np.ndarray, ends: np.ndarray, n_known: int, *, is_whole: bool) -> None:
        self._bits, self._ends, self.n_known, self.is_whole = bits, ends, n_known, is_whole

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Give the rows at some places; raises IndexError beyond the end."""
        places = np.asarray(places, np.int64)
        if len(places) and not (places.min() >= 0 and places.max() < len(self)):
            raise IndexError(int(places.max()))
        chunks, found = np.searchsorted(self._ends, places, "right"), np.empty(len(places), np.int64)
        for chunk in np.unique(chunks).tolist():
            here = chunks == chunk
            found[here] = chunk * CHUNK + self._set_in(chunk)[places[here] - self._before(chunk)]
        return found

    def place(self, row: int) -> int | None:
        """Give the place of a row; None where it is not selected, or was not looked at."""
        if not 0 <= row < self.n_known:
            return None
        chunk, at = divmod(row, CHUNK)
        those = self._set_in(chunk)
        place = int(np.searchsorted(those, at))
        return self._before(chunk) + place if place < len(those) and those[place] == at else None

    def _before(self, chunk: int) -> int:
        return int(self._ends[chunk - 1]) if chunk else 0

    def _set_in(self, chunk: int) -> np.ndarray:
        """Give which rows of a chunk are selected; of what is still being written, those that were known."""
        of_chunk = np.unpackbits(self._bits[chunk * N_BYTES : (chunk + 1) * N_BYTES])
        return np.flatnonzero(of_chunk[: self.n_known - chunk * CHUNK])


class GatheredRows:
    """Notes while rows come by which of them are selected, for some selections in one pass."""

    def __init__(self, selections: Sequence[Selection], n_rows: int) -> None:
        self._n_rows, self._n_known = n_rows, 0
        self._bits = {one: np.zeros(-(-n_rows // 8), np.uint8) for one in selections}
        self._left = {one: np.empty(0, bool) for one in selections}
        self.columns = frozenset({CODE}).union(*(one.columns for one in selections))

    def add(self, rows: Rows) -> None:
        """Look at the next rows."""
        n, first = n_of(rows), (self._n_known - self._n_known % 8) // 8
        for selection, bits in self._bits.items():
            new = np.concatenate([self._left[selection], selection.mask(_Columns(rows, n))])
            packed = np.packbits(new)
            bits[first : first + len(packed)] = packed
            self._left[selection] = new[len(new) - len(new) % 8 :]
        self._n_known += n

    def found(self, *, is_whole: bool = True) -> Mapping[Selection, Selected]:
        """Give what is selected of the rows so far; of the last few of them only in the end."""
        n_known = self._n_known if is_whole else self._n_known - self._n_known % 8
        return {
            selection: SelectedRows(bits, _ends(bits[: -(-n_known // 8)]), n_known, is_whole=is_whole)
            for selection, bits in self._bits.items()
        }


class _Columns:
    """Columns of one block."""

    def __init__(self, rows: Rows, n: int) -> None:
        self._rows, self._n = rows, n

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def __len__(self) -> int:
        return self._n

    def column(self, name: str) -> np.ndarray:
        """Give a column."""
        return self._rows[name]


def _ends(bits: np.ndarray) -> np.ndarray:
    """Count the bits up to the end of each chunk."""
    starts = np.arange(0, len(bits), N_BYTES)
    return np.cumsum(
        [int(ONES[bits[at : at + N_BYTES]].sum(dtype=np.int64)) for at in starts], dtype=np.int64
    )
