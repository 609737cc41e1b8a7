"""Looks into a folder again and again, and finds the runs that are new in it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pygama.errors import PygamaError
from pygama_gui.jobs.following import PROOF_S, ends_with_stop
from pygama_gui.session.files import may_be_a_run, read_run
from pygama_gui.session.state import Run

FRESH_S = PROOF_S
"""A file that was written to within this time, and does not end with the stop of its run, still grows."""

MOST_FOLDERS = 5000
"""Folders inside the one that is watched, at most."""
SETTLED_NS = 2_000_000_000
"""A folder that changed later than this may change again without a new time."""


class NewRun(NamedTuple):
    """A run that has come, and whether its file still grows."""

    run: Run
    is_growing: bool


class FolderWatch:
    """The files in a folder and in those inside it; those that are there at the first look are not new.

    A folder is read again only when its time says that something came or went, so a deep tree of old runs
    costs little. A file whose header is not whole yet is looked at again when it has grown.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: set[Path] = set()
        self._unfit: dict[Path, int] = {}
        """Files that were no runs at the last look, with the size they had."""
        self._folders: dict[Path, tuple[int, list[Path], list[Path]]] = {}
        """Folders that were read: their time then, the folders and the files in them."""
        self._is_first = True

    def look(self) -> list[NewRun]:
        """Give the runs that have come since the last look. Raises OSError if the folder cannot be read."""
        found: list[NewRun] = []
        unknown = [path for path in self._files() if path not in self._known]
        if self._is_first:
            self._known.update(unknown)
            self._is_first = False
            return found
        for path in sorted(unknown):
            if (new := self._new_run(path)) is not None:
                self._known.add(path)
                self._unfit.pop(path, None)
                found.append(new)
        return found

    def _files(self) -> list[Path]:
        """List all files; of folders inside that cannot be read, none."""
        files = list(self._read(self.folder))
        left = list(self._folders[self.folder][1])
        for _ in range(MOST_FOLDERS):
            if not left:
                break
            folder = left.pop()
            try:
                files += self._read(folder)
            except OSError:
                self._folders.pop(folder, None)
                continue
            left += self._folders[folder][1]
        return files

    def _read(self, folder: Path) -> list[Path]:
        """Give the files of a folder, read from the disk only if it changed."""
        changed_at = folder.stat().st_mtime_ns
        held = self._folders.get(folder)
        is_settled = changed_at < time.time_ns() - SETTLED_NS
        if held is None or held[0] != changed_at:
            with os.scandir(folder) as entries:
                plain = [entry for entry in entries if not entry.name.startswith(".")]
            folders = [folder / entry.name for entry in plain if entry.is_dir(follow_symlinks=False)]
            files = [folder / entry.name for entry in plain if entry.is_file()]
            # More may come within the tick of the disk's clock: until then, the time says nothing.
            held = self._folders[folder] = (changed_at if is_settled else -1, folders, files)
        return held[2]

    def _new_run(self, path: Path) -> NewRun | None:
        try:
            about = path.stat()
        except OSError:
            return None  # gone again
        try:
            if self._unfit.get(path) == about.st_size or not may_be_a_run(path):
                return None
            run = read_run(path)
        except (PygamaError, OSError):
            self._unfit[path] = about.st_size
            return None
        return NewRun(run, _may_grow(path, about))


class Fresh(NamedTuple):
    """What tells later whether a file has grown: its size and the time it was written to, in s since 1970."""

    size: int
    written_at: float


def _may_grow(path: Path, about: os.stat_result) -> bool:
    return time.time() - about.st_mtime < FRESH_S and not ends_with_stop(path)


def fresh_of(paths: Iterable[Path]) -> dict[Path, Fresh]:
    """Give those raw files that may be growing: written to lately, and without a stop."""
    fresh = {}
    for path in paths:
        try:
            about = path.stat()
        except OSError:
            continue
        if _may_grow(path, about):
            fresh[path] = Fresh(about.st_size, about.st_mtime)
    return fresh


def written_last(fresh: Mapping[Path, Fresh]) -> Path | None:
    """Give the file that was written to last: where a DAQ writes one run after another, only it can grow."""
    return max(fresh, key=lambda path: fresh[path].written_at, default=None)


def grown(fresh: Mapping[Path, Fresh]) -> set[Path]:
    """Give those files that are larger than they were."""
    found = set()
    for path, then in fresh.items():
        with suppress(OSError):
            if path.stat().st_size > then.size:
                found.add(path)
    return found
