"""Tells places and widths of a column as the chain writes it, or in keV by the curve of a calibration."""

from __future__ import annotations

from typing import Any

import numpy as np

from pygama.analysis.curves import Curve
from pygama.analysis.peaks import PeakFit
from pygama.quick_dataclass import dataclass
from pygama_gui.data.chain_facts import unit_of
from pygama_gui.session.calibration_changes import KEV


@dataclass(frozen=True)
class Measure:
    """A column and the curve that makes energies of it; without one it is told as it is written."""

    column: str
    curve: Curve | None = None

    @property
    def name(self) -> str:
        """The column that is told: that of the energies, where there is a curve."""
        return self.column if self.curve is None else f"{self.column}{KEV}"

    @property
    def unit(self) -> str:
        """What places and widths are told in; '' where the column has no unit."""
        return unit_of(self.column) if self.curve is None else "keV"

    def shown(self, places: Any) -> np.ndarray:
        """Give places of the column, any shape, as they are told."""
        return np.asarray(places, float) if self.curve is None else self.curve.energy(places)

    def written(self, places: Any) -> np.ndarray:
        """Give the places of the column, any shape, that are told like this; NaN where there are none."""
        return np.asarray(places, float) if self.curve is None else self.curve.value(places)

    def width(self, fit: PeakFit, scale: float = 1.0) -> tuple[float, float]:
        """Give the FWHM of a peak and its error.

        scale: by how much higher its events stand than where the curve was made. With a curve the width is
        that at equal gain; without one that of the values as they are.
        """
        if self.curve is None:
            return fit.fwhm, fit.fwhm_error
        slope = abs(float(self.curve.slope(fit.position / scale))) / scale
        return slope * fit.fwhm, slope * fit.fwhm_error
