"""Reads a Tier file whole and says which of its rows are damaged, and whether names and texts are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pygama.errors import TierFileError
from pygama.quick_dataclass import dataclass
from pygama.storage.hdf5 import WAY_OUT
from pygama.storage.reader import Table, TierFile
from pygama.storage.stored_rows import StoredRows
from pygama.utils import plural

_RAGGED_ROWS = 512


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a file.

    n_rows: of all tables. damaged: a sentence for each stretch of rows that cannot be read, and for names and
    texts. n_chunks, n_unguarded: stored chunks, and those without a checksum, of which damage may go unseen.
    has_guarded_texts: whether names and texts have a checksum.
    """

    n_tables: int
    n_rows: int
    damaged: tuple[str, ...]
    n_chunks: int
    n_unguarded: int
    has_guarded_texts: bool

    def summary(self) -> str:
        """Say in one line how the file is."""
        held = f"{plural(self.n_rows, 'row')} in {plural(self.n_tables, 'table')}"
        if self.damaged:
            return f"damaged in {plural(len(self.damaged), 'place')}; it holds {held}"
        if not self._unguarded:
            return f"whole: {held}, all checksums fit"
        return (
            f"can be read: {held}; {' and '.join(self._unguarded)} have no checksum, "
            "so bytes of them that have changed may go unseen"
        )

    @property
    def _unguarded(self) -> tuple[str, ...]:
        chunks = (f"{self.n_unguarded} of {self.n_chunks} chunks",) if self.n_unguarded else ()
        return chunks if self.has_guarded_texts else (*chunks, "names and texts")


def check_file(path: Path) -> Checked:
    """Read all of a Tier file; raises TierFileError where it cannot even be opened."""
    with TierFile(path) as file:
        check = _Check(file)
        check.texts()
        for key in file.keys:
            check.table(key)
        return Checked(
            len(file.keys),
            check.n_rows,
            tuple(check.damaged),
            check.n_chunks,
            check.n_unguarded,
            check.has_guarded_texts,
        )


class _Check:
    def __init__(self, file: TierFile) -> None:
        self._file = file
        self.damaged: list[str] = []
        self.n_rows = self.n_chunks = self.n_unguarded = 0
        self.has_guarded_texts = False

    def texts(self) -> None:
        try:
            fits = self._file.texts_fit()
        except TierFileError as error:
            self.damaged.append(f"{error} (met in its names and texts)")
            return
        self.has_guarded_texts = fits is not None
        if fits is False:
            self.damaged.append(
                f"{self._file.path.name}: its names and texts, settings and header among them, are not those "
                f"that were written; {WAY_OUT}"
            )

    def table(self, key: str) -> None:
        try:
            table = self._file.table(key)
        except TierFileError as error:
            self.damaged.append(str(error))
            return
        self.n_rows += table.n_rows
        for rows in table.stored:
            for first in range(0, rows.n_rows, rows.chunk_rows):
                self._chunk(rows, first)
        for name in table.ragged:
            self._ragged(table, name)

    def _chunk(self, rows: StoredRows, first: int) -> None:
        self.n_chunks += 1
        try:
            with self._file.reading():
                packed = rows.fetch(first, min(first + rows.chunk_rows, rows.n_rows))
            packed.unpack_into(np.empty(packed.n_bytes, np.uint8))
        except TierFileError as error:
            self.damaged.append(str(error))
        else:
            self.n_unguarded += not packed.is_guarded

    def _ragged(self, table: Table, name: str) -> None:
        for first in range(0, table.n_rows, _RAGGED_ROWS):
            self.n_chunks += 1
            self.n_unguarded += 1
            try:
                table.read_ragged(name, first, first + _RAGGED_ROWS)
            except TierFileError as error:
                self.damaged.append(str(error))
                return
