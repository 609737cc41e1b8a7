"""Finds the Tier 1 and Tier 2 files that were made of a run earlier, and reads what the views show of them.

All of it belongs to the one thread that reads files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pygama.errors import TierFileError
from pygama.quick_dataclass import dataclass
from pygama_gui.session.state import Run

TABLE = "data"
"""Name of the one table of a Tier 2 file."""
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Outputs:
    """Files that hold a run; one without events has no Tier 2. made_on: Unix seconds.

    raw_bytes: size of the raw file now, which may have grown since the run was added; 0 where it is gone.
    """

    tier1: Path | None
    tier2: Path | None
    n_rows: int
    made_on: float
    raw_bytes: int = 0
    warned: tuple[str, ...] = ()
    """What the pass warned of that made them."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are there."""
        return tuple(path for path in (self.tier1, self.tier2) if path is not None)


def find_outputs(run: Run, folder: Path) -> Outputs | None:
    """Look for the files of a run in a folder.

    None where there is no Tier 2 file that holds this run, unless its Tier 1 file holds no event either.
    """
    tier1, tier2 = (folder / f"{prefix}_run{run.run_number}{run.suffix}.h5" for prefix in ("t1", "t2"))
    of_tier1, of_tier2 = _look_into(run, tier1), _look_into(run, tier2)
    raw_bytes = _size_of(run.path)
    if of_tier2 is not None:
        waveforms = tier1 if of_tier1 is not None else None
        made_on = tier2.stat().st_mtime
        return Outputs(waveforms, tier2, of_tier2.n_rows, made_on, raw_bytes, of_tier2.warned)
    if of_tier1 is not None and not of_tier1.has_events:
        return Outputs(tier1, None, 0, tier1.stat().st_mtime, raw_bytes, of_tier1.warned)
    return None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@dataclass(frozen=True)
class _Inside:
    """What a file holds of a run. n_rows: of the table of Tier 2."""

    n_rows: int
    has_events: bool
    warned: tuple[str, ...]


def _look_into(run: Run, path: Path) -> _Inside | None:
    """Look into a file; None where it is not there, cannot be read or holds another run."""
    from pygama.processing.outputs import warnings_in
    from pygama.storage import TierFile

    if not path.is_file():
        return None
    try:
        with TierFile(path) as file:
            if not _holds(run, texts := file.texts("/")):
                return None
            n_rows = file.table(TABLE).n_rows if TABLE in file.keys else 0
            tables = (file.table(key) for key in file.keys)
            has_events = any(one.n_rows and one.n_samples for one in tables)
            return _Inside(n_rows, has_events, tuple(warnings_in(texts)))
    except (TierFileError, OSError):
        return None


def _holds(run: Run, texts: dict[str, str]) -> bool:
    wanted = {
        "raw_file": run.path.name,
        "run_number": str(run.run_number),
        "sub_run": str(run.sub_run),
        "start_time": str(run.start_time),
    }
    return all(texts.get(name) == value for name, value in wanted.items())


def read_tier0(path: Path) -> dict[str, Any] | None:
    """Read the options of Tier 0 that a file was made with; None where it does not say."""
    from pygama.storage import TierFile

    with TierFile(path) as file:
        text = file.texts("/").get("tier0", "")
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def read_columns(tier2: Path) -> Iterator[dict[str, np.ndarray]]:
    """Read all columns of a Tier 2 file, some rows at a time: name -> (n_rows,)."""
    from pygama.storage import TierFile

    with TierFile(tier2) as file:
        for block in file.table(TABLE).blocks(ROWS_AT_ONCE, waveforms=False):
            yield {name: block.rows[name].copy() for name in block.rows.dtype.names or ()}
