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
from pygama_gui.session.tier_files import TABLE, TierKind, identity_of, kind_of

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


def paths_made(run: Run, folder: Path) -> tuple[Path, ...]:
    """Name the files that are written when a run is processed."""
    tiers = ("t1", "t2") if run.is_raw else ("t2",)
    return tuple(folder / f"{tier}_run{run.run_number}{run.suffix}.h5" for tier in tiers)


def find_outputs(run: Run, folder: Path) -> Outputs | None:
    """Look for the files of a run in a folder; those that were given of it go first.

    None where there is no Tier 2 file that holds this run, unless its Tier 1 file holds no event either.
    """
    if run.tier2 is not None and run.is_given:
        return _given(run, run.tier2)
    made = _find_made(run, folder) if run.is_raw else _find_made_of_tier1(run, folder)
    return _given(run, run.tier2) if made is None and run.tier2 is not None else made


def _given(run: Run, tier2: Path) -> Outputs | None:
    """Give the files of a run that were given; None where the Tier 2 file cannot be read any more."""
    inside = _look_into(None, tier2)
    if inside is None:
        return None
    tier1 = run.tier1 if run.tier1 is not None and run.tier1.is_file() else None
    return Outputs(tier1, tier2, inside.n_rows, tier2.stat().st_mtime, _size_of(run.path), inside.warned)


def _find_made_of_tier1(run: Run, folder: Path) -> Outputs | None:
    """Look for what was made of a Tier 1 file that was given."""
    if run.tier1 is None:
        return None
    try:
        given = kind_of(run.tier1)
    except (TierFileError, OSError):
        return None
    (tier2,) = paths_made(run, folder)
    made = _look_into(given, tier2)
    size = _size_of(run.path)
    if made is not None:
        return Outputs(run.tier1, tier2, made.n_rows, tier2.stat().st_mtime, size, made.warned)
    if given.has_events:
        return None
    return Outputs(run.tier1, None, 0, run.tier1.stat().st_mtime, size)


def _find_made(run: Run, folder: Path) -> Outputs | None:
    """Look for what was made of a raw file."""
    tier1, tier2 = paths_made(run, folder)
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


def _look_into(run: Run | TierKind | None, path: Path) -> _Inside | None:
    """Look into a file; None where it is not there, cannot be read or holds another run than that asked for.

    run: the raw run or the file of which it must be made; None: whatever it holds.
    """
    from pygama.processing.outputs import warnings_in
    from pygama.storage import TierFile

    if not path.is_file():
        return None
    try:
        with TierFile(path) as file:
            texts = file.texts("/")
            if run is not None and not _holds(run, path, texts):
                return None
            n_rows = file.table(TABLE).n_rows if TABLE in file.keys else 0
            tables = (file.table(key) for key in file.keys)
            has_events = any(one.n_rows and one.n_samples for one in tables)
            return _Inside(n_rows, has_events, tuple(warnings_in(texts)))
    except (TierFileError, OSError):
        return None


def _holds(run: Run | TierKind, path: Path, texts: dict[str, str]) -> bool:
    if isinstance(run, TierKind):
        return identity_of(path, texts) == run.identity
    if identity_of(path, texts)[-1]:  # a selection of its events
        return False
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
