"""Fits how the width of peaks grows with energy: FWHM² = a + b E + c E².

a is the noise of the electronics, b the statistics of charge carriers (Fano), c what is lost of the charge
(trapping, drift of the gain).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pygama.analysis.goodness import scale_factor
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ResolutionCurve:
    """FWHM² in keV² of an energy in keV: c[0] + c[1] E + c[2] E²; see `Curve` for the other fields."""

    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    chi2: float = 0.0
    ndof: int = 0

    @property
    def stretch(self) -> float:
        """By how much errors are larger than the covariance says, as of a `Curve`."""
        return scale_factor(self.chi2, self.ndof)

    @property
    def errors(self) -> tuple[float, ...]:
        """Standard deviations of the coefficients; 0 of one that is fixed."""
        variances = (self.covariance[k][k] for k in range(len(self.coefficients)))
        return tuple(self.stretch * math.sqrt(max(variance, 0.0)) for variance in variances)

    def fwhm(self, energy_kev: Any) -> np.ndarray:
        """Give the full width at half maximum in keV; NaN where the curve has none."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(self._square(energy_kev))

    def fwhm_error(self, energy_kev: Any) -> np.ndarray:
        """Give the standard deviation of that."""
        powers = self._powers(energy_kev)
        variance = np.einsum("...i,ij,...j", powers, np.array(self.covariance), powers)
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.stretch * np.sqrt(np.maximum(variance, 0.0)) / (2 * self.fwhm(energy_kev))

    def _square(self, energy_kev: Any) -> np.ndarray:
        square: np.ndarray = self._powers(energy_kev) @ np.array(self.coefficients)
        return square

    def _powers(self, energy_kev: Any) -> np.ndarray:
        energy = np.asarray(energy_kev, float)
        return np.stack([energy**k for k in range(len(self.coefficients))], axis=-1)


def fit_resolution(
    energies_kev: Sequence[float] | np.ndarray,
    fwhms_kev: Sequence[float] | np.ndarray,
    fwhm_errors_kev: Sequence[float] | np.ndarray,
    *,
    is_quadratic: bool = False,
) -> ResolutionCurve:
    """Fit the widths of peaks, (n,) each, by least squares.

    FWHM² has the error 2 FWHM times that of the FWHM; it is taken with the width of the curve, not with that
    measured, since peaks that came out narrow by chance would else weigh more. A noise that came out below
    0 is taken as 0, and counts as no free coefficient. Raises SettingsError for fewer
    lines than coefficients and for errors that are none.
    """
    energy, fwhm, error = (np.asarray(each, float) for each in (energies_kev, fwhms_kev, fwhm_errors_kev))
    n = 3 if is_quadratic else 2
    if not energy.shape == fwhm.shape == error.shape or energy.ndim != 1 or len(np.unique(energy)) < n:
        raise SettingsError(f"a resolution curve with {n} coefficients needs the widths of {n} lines or more")
    if not (
        np.isfinite(energy).all() and (fwhm > 0).all() and (error > 0).all() and np.isfinite(error).all()
    ):
        raise SettingsError("widths and their errors must be numbers above 0")
    scale = float(np.abs(energy).max())
    design = np.stack([(energy / scale) ** k for k in range(n)], axis=1)
    solution, weight = _solve(design, fwhm, error)
    first = 0
    if solution[0] < 0:  # no noise is less than none: scatter of the widths, so the curve begins at 0
        first = 1
        solution, weight = _solve(design[:, 1:], fwhm, error)
        solution = np.concatenate([[0.0], solution])
    weighted = design[:, first:] * weight[:, None]
    back = np.array([scale**-k for k in range(n)])
    covariance = np.zeros((n, n))
    covariance[first:, first:] = np.linalg.inv(weighted.T @ weighted)
    covariance *= np.outer(back, back)
    chi2 = float((((fwhm**2 - design @ solution) * weight) ** 2).sum())
    rows = tuple(tuple(row) for row in covariance.tolist())
    return ResolutionCurve(tuple((solution * back).tolist()), rows, chi2, len(energy) - n + first)


def _solve(design: np.ndarray, fwhm: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the coefficients, and the weights of the lines at the widths of the curve itself."""
    width = fwhm
    for _ in range(4):
        weight = 1 / (2 * width * error * (width / fwhm))
        solution = np.linalg.lstsq(design * weight[:, None], fwhm**2 * weight, rcond=None)[0]
        width = np.sqrt(np.maximum(design @ solution, (0.3 * fwhm) ** 2))
    return solution, weight
