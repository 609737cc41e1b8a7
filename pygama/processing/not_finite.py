"""Counts the values that are no numbers, so that none is lost without a word."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class NotFinite:
    """Counts of NaN and of infinity by column."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, int]] = {}
        """Column -> {"nan": rows, "inf": rows}; of waveforms, rows with such a sample. None is left out."""
        self.n_rows = 0

    def count(self, columns: Mapping[str, np.ndarray], n_rows: int) -> None:
        """Take in the columns of a block of rows."""
        self.n_rows += n_rows
        for name, array in columns.items():
            self._add(name, *_found(array))

    def join(self, other: NotFinite) -> None:
        """Take in what another one counted."""
        self.n_rows += other.n_rows
        for name, counts in other.counts.items():
            self._add(name, counts["nan"], counts["inf"])

    def _add(self, name: str, n_nan: int, n_infinite: int) -> None:
        if n_nan or n_infinite:
            counts = self.counts.setdefault(name, {"nan": 0, "inf": 0})
            counts["nan"] += n_nan
            counts["inf"] += n_infinite

    def sentences(self) -> list[str]:
        """Say for how many rows a column has no number."""
        return [
            f"of {self.n_rows} rows, " + ", ".join(f"{name} {count}" for name, count in found.items()) + words
            for kind, words in (("nan", " have no value (NaN)"), ("inf", " are infinite"))
            if (found := {name: counts[kind] for name, counts in sorted(self.counts.items()) if counts[kind]})
        ]


def _found(array: np.ndarray) -> tuple[int, int]:
    """Count the rows with NaN, and those with infinity but no NaN."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return 0, 0
    rows = array.reshape(len(array), -1)
    is_nan = np.isnan(rows).any(axis=1)
    return int(is_nan.sum()), int((np.isinf(rows).any(axis=1) & ~is_nan).sum())
