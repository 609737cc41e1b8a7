"""Says what one job is to do: plain values only, so that it travels to a worker process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One run to process.

    tier0: options of Tier 0, name -> value. chain: steps as in a settings file, in order.
    plugins: path and SHA-256 of files with further processors, to be run only while they hold that.
    n_max: packets at most; None takes them all. suffix: goes behind the run number in the file names.
    skip: byte offsets of records to leave out. within: take only the records from one byte offset on and
    before another, and write nothing: to find the one that ends a worker.
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
