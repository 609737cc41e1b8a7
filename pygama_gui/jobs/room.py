"""Estimates the room that runs need on the disk, and looks how much there is."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from pygama.quick_dataclass import dataclass

FLOOR_BYTES = 200_000_000
"""With less room than this left, jobs are halted before the disk is full."""


@dataclass(frozen=True, slots=True)
class Need:
    """Room that runs may need. is_measured: by what others made; else as much as the raw files."""

    n_bytes: int
    is_measured: bool

    @property
    def basis(self) -> str:
        """Say how the need was estimated."""
        if self.is_measured:
            return "going by the runs processed so far"
        return "if Tier 1 and Tier 2 take as much room as the raw data"


def need_of(raw_bytes: int, done: Iterable[tuple[int, Iterable[Path]]] = ()) -> Need:
    """Estimate what raw data of this size need.

    done: raw size and output files of runs that were processed. Without any, Tier 1 and Tier 2 together are
    taken to be as large as the raw file, which is seldom exceeded.
    """
    raw = made = 0
    for size, outputs in done:
        written = sum(map(_size_of, outputs))
        if size and written:
            raw, made = raw + size, made + written
    return (
        Need(round(raw_bytes * made / raw), is_measured=True) if raw else Need(raw_bytes, is_measured=False)
    )


def free_bytes(folder: Path) -> int | None:
    """Look how much room a folder has; None where it cannot be told. A network disk may take its time."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
