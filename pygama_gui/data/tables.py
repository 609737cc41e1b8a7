"""Writes the rows of a run for other programs, with energies and detectors as further columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pygama.analysis.calibration import Calibration
from pygama.analysis.tagging import Tagged, Tagging, TagsInTurn
from pygama.channel_map import Channel
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import code_of, codes_of
from pygama_gui.data.cutting import Passing
from pygama_gui.data.energies import all_energies
from pygama_gui.data.hit_tags import tell
from pygama_gui.data.live_set import RUN
from pygama_gui.data.outputs import TABLE

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
class Rows:
    """The files of a run whose rows are written. number: of the run, where there are several.

    tagging: what is told of the hits, in further columns.
    """

    tier2: Path
    tier1: Path | None
    further: Further
    number: int | None = None
    tagging: Tagging = Tagging()

    def added(self, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give the further columns of rows, name -> (n,)."""
        made = self.further(columns)
        if self.number is not None and RUN not in columns:
            n = len(next(iter(columns.values()), ()))
            made[RUN] = np.full(n, self.number, np.int32)
        return made


class _Chosen:
    """The rows that pass cuts, asked for block after block. through: what passes boxes, (n_rows,) bool."""

    def __init__(self, passing: Passing, through: Mapping[str, np.ndarray]) -> None:
        self._passing, self._through = passing, through
        self._at = 0
        self.columns = frozenset(passing.columns - through.keys())

    def mask(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Tell which of the next rows pass, (n_rows,) bool."""
        n = len(next(iter(columns.values()))) if columns else None
        stop = next((len(one) for one in self._through.values()), 0) if n is None else self._at + n
        here, self._at = slice(self._at, stop), stop
        return self._passing.mask({**columns, **{name: mask[here] for name, mask in self._through.items()}})


class _Added:
    """Gives the further columns of rows that are asked for block after block."""

    def __init__(self, rows: Rows, told: Mapping[str, np.ndarray]) -> None:
        self._rows = rows
        self._told = TagsInTurn(Tagged(dict(told), ()))

    def __call__(self, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give them of the next rows."""
        told = {name: values for name, values in self._told(columns).items() if name not in columns}
        return {**self._rows.added(columns), **told}


def save_table(
    sources: Sequence[Rows],
    path: Path,
    passing: Passing | None,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write the rows that pass (None: all); returns how many. Raises as `write_tables` does.

    Cuts that name boxes need the Tier 1 files.
    """
    from pygama.storage.table_files import Source, write_tables

    events = dict.fromkeys(one.tagging.words for one in sources)
    return write_tables(
        [Source(one.tier2, _chosen(one, passing), _Added(one, _told_of(one))) for one in sources],
        path,
        about={"cuts": "" if passing is None else passing.words, "events": "; ".join(filter(None, events))},
        on_rows=on_rows,
    )


def _told_of(source: Rows) -> Mapping[str, np.ndarray]:
    """Tell of the hits of a run what is asked for; what cannot be told is left out, as in the window."""
    if not source.tagging.names:
        return {}
    from pygama.storage import TierFile

    with TierFile(source.tier2) as file:
        if TABLE not in file.keys:
            return {}
        table = file.table(TABLE)
        rows = {name: np.asarray(table.column(name)) for name in source.tagging.needed(table.columns)}
    return tell([rows], source.tagging)[0]


def _chosen(source: Rows, passing: Passing | None) -> _Chosen | None:
    from pygama.boxes import boxes_among, rows_through

    if passing is None:
        return None
    if not (boxes := boxes_among(passing.columns)):
        return _Chosen(passing, {})
    if source.tier1 is None:
        raise SettingsError(f"{source.tier2.name}: there is no Tier 1 file to look through for the boxes")
    return _Chosen(passing, rows_through(source.tier1, source.tier2, boxes))
