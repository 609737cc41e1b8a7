"""Says what one job is to do: plain values only, so that it travels to a worker process."""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path
from typing import Any

from pygama.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One run to process.

    tier0: options of Tier 0, name -> value. chain: steps as in a settings file, in order.
    plugins: path and SHA-256 of files with further processors, to be run only while they hold that.
    n_max: packets at most; None takes them all. suffix: goes behind the run number in the file names.
    skip: byte offsets of records to leave out. within: take only the records from one byte offset on and
    before another, and write nothing: to find the one that ends a worker. n_threads: None takes all cores but
    the one for the window. follow_s: follow a file that still grows until nothing came for so long; proof_s:
    a file that may be finished is given so long to begin to grow.
    outputs: columns of the chain to keep, all where none is named; compact: round them; save_waves: waveforms
    to keep beside them.
    is_tier1: the file is that of Tier 1, and Tier 2 alone is made of it.
    """

    path: Path
    output_dir: Path
    tier0: dict[str, Any] = field(default_factory=dict)
    chain: list[dict[str, Any]] = field(default_factory=list)
    n_max: int | None = None
    compression: str = "zstd"
    suffix: str = ""
    skip: tuple[int, ...] = ()
    within: tuple[int, int] | None = None
    plugins: tuple[tuple[Path, str], ...] = ()
    n_threads: int | None = None
    follow_s: float | None = None
    proof_s: float | None = None
    outputs: tuple[str, ...] = ()
    compact: bool = False
    save_waves: tuple[str, ...] = ()
    is_tier1: bool = False


def threads_for(n_jobs: int) -> int:
    """Share the cores out to jobs that run at once; one core is left to the window."""
    return max((os.cpu_count() or 1) - 1, 1) // n_jobs or 1
