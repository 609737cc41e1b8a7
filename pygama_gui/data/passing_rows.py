"""Lets the library pick rows by the cuts of a session, which may read energies and the number of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from pygama.analysis.calibration import Calibration
from pygama.analysis.cuts import CutSet
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import codes_of
from pygama_gui.data.energies import all_energies
from pygama_gui.data.live_set import RUN

PLACE = ("crate", "card", "channel")


@dataclass(frozen=True)
class CutsOfRun:
    """The cuts of a session on the files of one run. run: its number, where it is one of a data set."""

    cuts: CutSet
    calibrations: Sequence[Calibration] = ()
    run: int | None = None

    @property
    def text(self) -> str:
        """Say what rows must pass."""
        return self.cuts.text

    @cached_property
    def _made_of(self) -> dict[str, str]:
        """Give the columns that are made, by names, and what each is made of."""
        made = {one.energy_column: one.column for one in self.calibrations}
        return {name: made[name] for name in self.cuts.columns if name in made}

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the file that are needed."""
        own = [name for name in self.cuts.columns if name != RUN or self.run is None]
        return tuple(dict.fromkeys(self._made_of.get(name, name) for name in own))

    def mask(self, columns: Mapping[str, Any]) -> np.ndarray:
        """Tell which rows pass all cuts that are on, (n_rows,) bool."""
        read = {name: np.asarray(columns[name]) for name in self.columns}
        n = len(next(iter(read.values()), np.asarray(columns["event_number"])))
        if self._made_of:
            places = {name: np.asarray(columns[name]) for name in PLACE if name in columns}
            read |= all_energies(self.calibrations, read, codes_of(places))
        if self.run is not None:
            read[RUN] = np.full(n, self.run)
        return self.cuts.mask(read, n_rows=n)
