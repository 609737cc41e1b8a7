"""Turns positions of peaks into energies: a line or a parabola by weighted least squares, with covariance.

The error of a position counts by the slope of the curve, so the fit is made again until that has settled.
The covariance is that of the errors given; chi2 says whether they were large enough. Where it is more than
ndof they were not, and the errors of coefficients, gain and energies are told larger, by `Curve.stretch`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pygama.analysis.goodness import chi2_survival, scale_factor
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Curve:
    """Energy in keV of a value: E = c[0] + c[1] x + c[2] x².

    coefficients: two or three. covariance: of the coefficients, as many rows of as many. chi2, ndof: of the
    lines that it was fitted to; ndof is 0 where it goes through all of them.
    """

    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    chi2: float = 0.0
    ndof: int = 0

    @property
    def stretch(self) -> float:
        """By how much errors are larger than the covariance says, as the lines scatter more; 1 or above."""
        return scale_factor(self.chi2, self.ndof)

    @property
    def errors(self) -> tuple[float, ...]:
        """Standard deviations of the coefficients; 0 of one that is fixed."""
        return tuple(self.stretch * math.sqrt(self.covariance[k][k]) for k in range(len(self.coefficients)))

    def energy(self, x: Any) -> np.ndarray:
        """Give energies in keV of values of any shape; NaN where the value is."""
        x = np.asarray(x, float)
        energy = np.zeros(x.shape)
        for coefficient in reversed(self.coefficients):
            energy = energy * x + coefficient
        return energy

    def energy_error(self, x: Any) -> np.ndarray:
        """Give the standard deviation of the energies that the coefficients bring, in keV."""
        x = np.asarray(x, float)
        powers = np.stack([x**k for k in range(len(self.coefficients))], axis=-1)
        variance = np.einsum("...i,ij,...j", powers, np.array(self.covariance), powers)
        return self.stretch * np.sqrt(np.maximum(variance, 0.0))

    def slope(self, x: Any) -> np.ndarray:
        """Give keV a unit of the values, at values of any shape."""
        x = np.asarray(x, float)
        slope = np.full(x.shape, self.coefficients[1])
        return slope + 2 * self.coefficients[2] * x if len(self.coefficients) > 2 else slope

    def value(self, energy_kev: Any) -> np.ndarray:
        """Give the values that have these energies, any shape; NaN where the curve does not reach them."""
        energy = np.asarray(energy_kev, float)
        offset, gain = self.coefficients[:2]
        bend = self.coefficients[2] if len(self.coefficients) > 2 else 0.0
        with np.errstate(invalid="ignore"):
            root = np.sqrt(gain**2 + 4 * bend * (energy - offset))
        return 2 * (energy - offset) / (gain + math.copysign(1.0, gain) * root)

    @property
    def gain(self) -> float:
        """Unit of the values a keV, at the value 0."""
        return 1 / self.coefficients[1]

    @property
    def gain_error(self) -> float:
        """Standard deviation of the gain."""
        return self.errors[1] / self.coefficients[1] ** 2


def fit_curve(
    positions: Sequence[float] | np.ndarray,
    position_errors: Sequence[float] | np.ndarray,
    energies_kev: Sequence[float] | np.ndarray,
    energy_errors_kev: Sequence[float] | np.ndarray | float = 0.0,
    *,
    is_quadratic: bool = False,
    is_through_zero: bool = False,
) -> Curve:
    """Fit a curve to positions of known energies, (n,) each.

    is_through_zero: the value 0 has no energy. Raises SettingsError for too few lines and for errors that
    are none.
    """
    x, x_error, y = (np.asarray(each, float) for each in (positions, position_errors, energies_kev))
    y_error = np.broadcast_to(np.asarray(energy_errors_kev, float), y.shape)
    powers = range(int(is_through_zero), 3 if is_quadratic else 2)
    _check(x, x_error, y, y_error, len(powers))
    scale = float(np.abs(x).max())
    design = np.stack([(x / scale) ** k for k in powers], axis=1)
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    for _ in range(_ROUNDS):
        slope = _slope(solution, powers, x / scale) / scale
        weight = 1 / np.hypot(slope * x_error, y_error)
        solution = np.linalg.lstsq(design * weight[:, None], y * weight, rcond=None)[0]
    weighted = design * weight[:, None]
    covariance = np.linalg.inv(weighted.T @ weighted)
    chi2 = float((((y - design @ solution) * weight) ** 2).sum())
    return _curve(solution, covariance, list(powers), scale, chi2, len(x) - len(powers))


def _slope(solution: np.ndarray, powers: range, x: np.ndarray) -> np.ndarray:
    slope = np.zeros(x.shape)
    for power, coefficient in zip(powers, solution.tolist(), strict=True):
        if power:
            slope += power * coefficient * x ** (power - 1)
    return slope


def _check(x: np.ndarray, x_error: np.ndarray, y: np.ndarray, y_error: np.ndarray, n_needed: int) -> None:
    if not x.shape == x_error.shape == y.shape or x.ndim != 1:
        raise SettingsError(
            f"a calibration needs a position, its error and an energy for each line, not '{x.shape}', "
            f"'{x_error.shape}' and '{y.shape}' of them"
        )
    if len(np.unique(x)) < n_needed or len(np.unique(y)) < n_needed:
        raise SettingsError(
            f"a curve with {n_needed} coefficients needs {n_needed} lines or more, not '{len(x)}'"
        )
    errors = np.hypot(x_error, y_error)
    if not (
        np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(errors).all() and (errors > 0).all()
    ):
        raise SettingsError("positions and energies must be numbers, and their errors above 0")


def _curve(
    solution: np.ndarray, covariance: np.ndarray, powers: list[int], scale: float, chi2: float, ndof: int
) -> Curve:
    n = powers[-1] + 1
    back = np.array([scale**-k for k in powers])
    coefficients, full = np.zeros(n), np.zeros((n, n))
    coefficients[powers] = solution * back
    full[np.ix_(powers, powers)] = covariance * np.outer(back, back)
    rows = tuple(tuple(row) for row in full.tolist())
    return Curve(tuple(coefficients.tolist()), rows, chi2, ndof)


def chi2_probability(chi2: float, ndof: int) -> float:
    """Give the probability of so large a chi2 or a larger one by chance; 1 where nothing is left to vary."""
    return 1.0 if ndof <= 0 or chi2 <= 0 else chi2_survival(chi2, ndof)
