"""Looks into a folder again and again, and finds the runs that are new in it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

from pygama.errors import PygamaError
from pygama_gui.jobs.following import ends_with_stop
from pygama_gui.session.files import may_be_a_run, read_run
from pygama_gui.session.state import Run

FRESH_S = 60.0
"""A file that was written to within this time, and does not end with the stop of its run, still grows."""


class NewRun(NamedTuple):
    """A run that has come, and whether its file still grows."""

    run: Run
    is_growing: bool


class FolderWatch:
    """The files that lie directly in a folder; those that are there at the first look are not new.

    A file whose header is not whole yet is looked at again when it has grown.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: set[str] = set()
        self._unfit: dict[str, int] = {}
        """Files that were no runs at the last look, with the size they had."""
        self._is_first = True

    def look(self) -> list[NewRun]:
        """Give the runs that have come since the last look. Raises OSError if the folder cannot be read."""
        found: list[NewRun] = []
        with os.scandir(self.folder) as entries:
            unknown = [entry.name for entry in entries if entry.name not in self._known and _is_plain(entry)]
        if self._is_first:
            self._known.update(unknown)
            self._is_first = False
            return found
        for name in sorted(unknown):
            if (new := self._new_run(self.folder / name)) is not None:
                self._known.add(name)
                self._unfit.pop(name, None)
                found.append(new)
        return found

    def _new_run(self, path: Path) -> NewRun | None:
        try:
            about = path.stat()
        except OSError:
            return None  # gone again
        try:
            if self._unfit.get(path.name) == about.st_size or not may_be_a_run(path):
                return None
            run = read_run(path)
        except (PygamaError, OSError):
            self._unfit[path.name] = about.st_size
            return None
        is_fresh = time.time() - about.st_mtime < FRESH_S
        return NewRun(run, is_fresh and not ends_with_stop(path))


def _is_plain(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_file()
