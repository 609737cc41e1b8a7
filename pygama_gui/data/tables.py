"""Writes the rows of a run for other programs, with energies and detectors as further columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pygama.analysis.calibration import Calibration
from pygama.channel_map import Channel
from pygama_gui.data.channels import code_of, codes_of
from pygama_gui.data.cutting import Passing
from pygama_gui.data.energies import all_energies

KINDS = {
    "csv": "CSV table",
    "parquet": "Parquet table",
    "lh5": "LH5 table, numbers only",
    "root": "ROOT tree, numbers only",
}
DETECTOR = "detector"


class Stopped(Exception):  # noqa: N818  (it is no error)
    """Somebody stopped the writing."""


@dataclass(frozen=True)
class Further:
    """Makes the energies of calibrations and the names of detectors, as far as they are known."""

    calibrations: Sequence[Calibration] = ()
    detectors: Sequence[Channel] = ()

    def __call__(self, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give the further columns of rows, name -> (n,); '' for a channel that the map does not know."""
        codes = codes_of(columns)
        made = all_energies(self.calibrations, columns, codes)
        if codes is not None and self.detectors and DETECTOR not in columns:
            made[DETECTOR] = self._names(codes)
        return made

    def _names(self, codes: np.ndarray) -> np.ndarray:
        known = sorted((code_of(one), one.name) for one in self.detectors)
        places, names = np.array([code for code, _ in known]), np.array(["", *(name for _, name in known)])
        at = np.searchsorted(places, codes)
        is_known = places[np.minimum(at, len(places) - 1)] == codes
        return names[np.where(is_known, at + 1, 0)]


@dataclass(frozen=True)
class _Chosen:
    """The rows that pass cuts, read from the columns that there are."""

    passing: Passing
    columns: frozenset[str]

    def mask(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Tell which rows pass, (n_rows,) bool."""
        return self.passing.mask(columns)


def save_table(
    source: Path,
    path: Path,
    further: Further,
    passing: Passing | None,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write the rows that pass (None: all); returns how many. Raises as `write_table` does."""
    from pygama.storage.table_files import write_table

    chosen = None if passing is None else _Chosen(passing, passing.columns)
    return write_table(source, path, chosen=chosen, added=further, on_rows=on_rows)
