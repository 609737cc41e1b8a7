"""Estimates the room that runs need on the disk, and looks how much there is."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from pygama.quick_dataclass import dataclass

FLOOR_BYTES = 200_000_000
"""With less room than this left, jobs are halted before the disk is full."""
TIER2_SHARE = 0.1
"""Room that Tier 2 takes beside Tier 1, as long as nothing was made; of long waveforms it is less."""


@dataclass(frozen=True, slots=True)
class Need:
    """Room that runs may need. is_measured: by what others made; else by a rule. is_of_raw: of raw files."""

    n_bytes: int
    is_measured: bool
    is_of_raw: bool = True

    @property
    def basis(self) -> str:
        """Say how the need was estimated."""
        if self.is_measured:
            return "going by the runs processed so far"
        if self.is_of_raw:
            return "if Tier 1 and Tier 2 take as much room as the raw data"
        return "if Tier 2 takes a tenth of the room of Tier 1"


Done = Iterable[tuple[int, Iterable[Path]]]
"""Sizes of files that were processed, and what was made of each."""


def need_of(raw_bytes: int, done: Done = (), tier1_bytes: int = 0, done_tier1: Done = ()) -> Need:
    """Estimate what raw data and Tier 1 files of these sizes need.

    done, done_tier1: raw and Tier 1 files that were processed. Without any, Tier 1 and Tier 2 together are
    taken to be as large as the raw file, and Tier 2 a tenth of Tier 1; both are seldom exceeded.
    """
    of_raw, of_tier1 = _share_made(done), _share_made(done_tier1)
    need = raw_bytes * (1.0 if of_raw is None else of_raw)
    need += tier1_bytes * (TIER2_SHARE if of_tier1 is None else of_tier1)
    unknown = [size for size, share in ((raw_bytes, of_raw), (tier1_bytes, of_tier1)) if share is None]
    return Need(round(need), is_measured=not any(unknown), is_of_raw=bool(raw_bytes and of_raw is None))


def _share_made(done: Done) -> float | None:
    """Give how large what was made is beside what it was made of; None where nothing was made."""
    given = made = 0
    for size, outputs in done:
        written = sum(map(_size_of, outputs))
        if size and written:
            given, made = given + size, made + written
    return made / given if given else None


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
