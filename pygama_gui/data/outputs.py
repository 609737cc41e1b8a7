"""Finds the Tier 1 and Tier 2 files that were made of a run earlier, and reads what the views show of them.

All of it belongs to the one thread that reads files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are there."""
        return tuple(path for path in (self.tier1, self.tier2) if path is not None)


def find_outputs(run: Run, folder: Path) -> Outputs | None:
    """Look for the files of a run in a folder.

    None where there is no Tier 2 file that holds this run, unless its Tier 1 file holds no event either.
    """
    tier1, tier2 = (folder / f"{prefix}_run{run.run_number}{run.suffix}.h5" for prefix in ("t1", "t2"))
    n_rows = _rows_of(run, tier2)
    if n_rows is None:
        if not _is_without_events(run, tier1):
            return None
        return Outputs(tier1, None, 0, tier1.stat().st_mtime, _size_of(run.path))
    has_waveforms = _rows_of(run, tier1) is not None
    made_on, raw_bytes = tier2.stat().st_mtime, _size_of(run.path)
    return Outputs(tier1 if has_waveforms else None, tier2, n_rows, made_on, raw_bytes)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_without_events(run: Run, tier1: Path) -> bool:
    """Tell whether a file holds this run, and no waveform of it."""
    from pygama.storage import TierFile

    if not tier1.is_file():
        return False
    try:
        with TierFile(tier1) as file:
            tables = [file.table(key) for key in file.keys]
            return _holds(run, file.texts("/")) and not any(one.n_rows and one.n_samples for one in tables)
    except (TierFileError, OSError):
        return False


def _rows_of(run: Run, path: Path) -> int | None:
    """Give the rows of the run's table in a file; None where the file is not there or holds another run."""
    from pygama.storage import TierFile

    if not path.is_file():
        return None
    try:
        with TierFile(path) as file:
            if not _holds(run, file.texts("/")):
                return None
            return file.table(TABLE).n_rows if TABLE in file.keys else 0
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


def read_columns(tier2: Path) -> Iterator[dict[str, np.ndarray]]:
    """Read all columns of a Tier 2 file, some rows at a time: name -> (n_rows,)."""
    from pygama.storage import TierFile

    with TierFile(tier2) as file:
        for block in file.table(TABLE).blocks(ROWS_AT_ONCE, waveforms=False):
            yield {name: block.rows[name].copy() for name in block.rows.dtype.names or ()}
