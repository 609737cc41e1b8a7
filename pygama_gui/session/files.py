"""Finds runs by their content."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pygama.errors import PygamaError
from pygama.quick_dataclass import dataclass
from pygama_gui.session.state import Run

HDF5 = b"\x89HDF\r\n\x1a\n"
"""How every HDF5 file begins."""
HDF5_NAMES = (".h5", ".hdf5", ".lh5", ".hdf")
"""How their names end."""
TIER_NAME = re.compile(r"t[12]_.*\.(h5|hdf5)$")
"""Names of Tier files, as this program gives them."""


@dataclass(frozen=True)
class Found:
    """What a drop or a dialog brought: runs, files that cannot be taken with the reason, and HDF5 files."""

    runs: tuple[Run, ...] = ()
    refused: tuple[tuple[Path, str], ...] = ()
    hdf5: tuple[Path, ...] = ()


def find_runs(paths: Iterable[Path]) -> Found:
    """Look at files, and into folders for all ORCA runs in them; where there is none, for Tier files.

    A file that was named is refused with the reason; a file that merely lies in a folder is passed over.
    HDF5 files are only known as such: `tier_files` tells which of them are of a run.
    """
    runs: list[Run] = []
    refused: list[tuple[Path, str]] = []
    hdf5: list[Path] = []
    for path in paths:
        if is_hdf5(path):
            hdf5.append(path)
        elif path.is_dir():
            inside = [run for file in _files_in(path) if isinstance(run := _run_or_reason(file), Run)]
            runs += inside
            tiers = [] if inside else _tier_files_in(path)
            hdf5 += tiers
            if (reason := _why_not_all_of(path)) or not (inside or tiers):
                refused.append((path, reason or "no ORCA run and no Tier file in this folder"))
        elif isinstance(run := _run_or_reason(path), Run):
            runs.append(run)
        else:
            refused.append((path, run))
    return Found(tuple(runs), tuple(refused), tuple(hdf5))


def read_run(path: Path) -> Run:
    """Read the header of a raw file; raises RawFileError or OSError."""
    from pygama.orca.packets import read_header

    path = path.resolve()
    header = read_header(path)
    return Run(
        run_id=str(path),
        path=path,
        run_number=header.run_number,
        sub_run=header.sub_run,
        start_time=header.start_time,
        size_bytes=path.stat().st_size,
        decoders=tuple(dict.fromkeys(header.decoders.values())),
        header_sha256=_sha256(header.plist),
    )


def _sha256(plist: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plist, sort_keys=True, default=repr).encode()).hexdigest()


def known_as(run: Run, runs: Iterable[Run]) -> Run | None:
    """Find the run among others that has the same header, whatever its file is called."""
    if not run.header_sha256:
        return None
    others = (one for one in runs if one.header_sha256 == run.header_sha256 and one.path != run.path)
    return next((one for one in others if one.path.exists()), None)


def _run_or_reason(path: Path) -> Run | str:
    try:
        return read_run(path)
    except PygamaError as error:
        if path.suffix in HDF5_NAMES and path.is_file():
            return f"{path.name} is no HDF5 file, whatever its name says; nor is it ORCA data"
        return str(error).replace(str(path), path.name)
    except OSError as error:
        return error.strerror or str(error)


def _why_not_all_of(folder: Path) -> str:
    """Say what of a folder cannot be looked at; empty where all of it can be."""
    try:
        with os.scandir(folder):
            pass
    except OSError as error:
        return f"cannot be opened ({error.strerror or error})"
    inside = (path for path in sorted(folder.rglob("*")) if not path.name.startswith("."))
    closed = [path for path in inside if os.path.exists(path) and not _is_open(path)]  # noqa: PTH110  (see below)
    if not closed:
        return ""
    others = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
    return f"{closed[0].relative_to(folder)}{others} cannot be opened (no permission)"


def _is_open(path: Path) -> bool:
    return os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK)


def is_hdf5(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(HDF5)) == HDF5
    except OSError:
        return False


def _files_in(folder: Path) -> Iterator[Path]:
    """All files that may be runs: not hidden, not empty, no HDF5, in order of their names."""
    for file in sorted(folder.rglob("*")):
        # Path.is_file raises where a folder may be listed but not entered
        if os.path.isfile(file) and not file.name.startswith(".") and may_be_a_run(file):  # noqa: PTH113
            yield file


def _tier_files_in(folder: Path) -> list[Path]:
    """Find the files in a folder that are named as Tier files are."""
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return []
    return [file for file in inside if TIER_NAME.match(file.name) and is_hdf5(file)]


def may_be_a_run(file: Path) -> bool:
    """Tell by its name and size whether a file may be a raw run."""
    if file.suffix in {".h5", ".hdf5", ".png", ".json", ".npz", ".part", ".lock", ".txt", ".md", ".py"}:
        return False
    try:
        return file.stat().st_size > 16
    except OSError:
        return False
