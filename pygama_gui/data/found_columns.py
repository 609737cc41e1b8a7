"""Holds columns that were found out of all rows of a data set on disk, as small as their values allow.

A yes or no takes a bit: 12.5 MB for a hundred million rows. Whole numbers take as few bytes as they need.
"""

from __future__ import annotations

import numpy as np


class FoundColumn:
    """A column of all rows of a data set, run after run; it is never changed once it is handed on."""

    def __init__(self, dtype: np.dtype | type) -> None:
        self.dtype = np.dtype(dtype)
        self._pieces: list[np.ndarray] = []

    @property
    def n_bytes(self) -> int:
        """What it takes in memory."""
        return sum(piece.nbytes for piece in self._pieces)

    def add_run(self, values: np.ndarray) -> None:
        """Add the rows of the next run, (n_rows,)."""
        if self.dtype == np.bool_:
            self._pieces.append(np.packbits(np.asarray(values, np.bool_)))
        else:
            self._pieces.append(np.asarray(values).astype(_smallest(values)))

    def rows(self, number: int, first: int, stop: int) -> np.ndarray:
        """Give rows of a run, by its place: (stop - first,)."""
        piece = self._pieces[number]
        if self.dtype != np.bool_:
            return piece[first:stop].astype(self.dtype)
        start = first // 8
        bits = np.unpackbits(piece[start : -(-stop // 8)])
        return bits[first - 8 * start : stop - 8 * start].view(np.bool_)


def _smallest(values: np.ndarray) -> np.dtype:
    """Give the smallest type of whole numbers that holds the values."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    return np.promote_types(np.min_scalar_type(low), np.min_scalar_type(high))
