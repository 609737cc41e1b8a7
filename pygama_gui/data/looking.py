"""Looks into Tier files for the window: what is in them, pages of rows, columns piece by piece.

All of it belongs to the one thread that reads files. The file that was read last stays open, since opening it
takes longer than reading a page; `close` lets it go, so that a job may put a new one in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.errors import TierFileError
from pygama.quick_dataclass import dataclass

if TYPE_CHECKING:
    from pygama.storage.inside import Columns, FileContents, InsideFile

PIECE_BYTES = 16_000_000
"""What is read between two looks at whether it is still wanted."""
MOST_PIECE_ROWS = 400_000


@dataclass(frozen=True)
class Problem:
    """What went wrong in reading, as a sentence."""

    text: str


@dataclass(frozen=True)
class Piece:
    """Some rows of columns: name -> (n,). stop: the row behind the last one."""

    columns: dict[str, np.ndarray] = field(default_factory=dict)
    stop: int = 0


class FileReader:
    """Reads one file after the other."""

    def __init__(self) -> None:
        self._open: tuple[tuple[Path, int, int], InsideFile] | None = None

    def contents(self, path: Path) -> FileContents | Problem:
        """Tell all that is in a file."""
        return self._try(path, lambda file: file.contents())

    def rows(
        self, path: Path, key: str, start: int, stop: int, columns: Sequence[str] | None = None
    ) -> Columns | Problem:
        """Read some rows."""
        return self._try(path, lambda file: file.rows(key, start, stop, columns))

    def piece(
        self, path: Path, key: str, columns: Sequence[str], start: int, stop: int, row_bytes: int
    ) -> Piece | Problem:
        """Read the next rows of some columns, as many as take little time."""
        n_rows = min(max(PIECE_BYTES // max(row_bytes, 1), 1), MOST_PIECE_ROWS)
        end = min(start + n_rows, stop)

        def read(file: InsideFile) -> Piece:
            found = file.some_columns(key, list(dict.fromkeys(columns)), start, end)
            return Piece(found, start + min(map(len, found.values())))

        return self._try(path, read)

    def close(self) -> None:
        """Let the file go."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _try(self, path: Path, read: Callable[[InsideFile], Any]) -> Any:
        try:
            return read(self._file(path))
        except (TierFileError, OSError) as error:
            self.close()
            return Problem(str(error))

    def _file(self, path: Path) -> InsideFile:
        from pygama.storage.inside import InsideFile, keep_quiet

        keep_quiet()
        about = path.stat() if path.exists() else None
        stamp = (path, about.st_mtime_ns, about.st_ino) if about is not None else (path, 0, 0)
        if self._open is None or self._open[0] != stamp:
            self.close()
            self._open = (stamp, InsideFile(path))
        return self._open[1]
