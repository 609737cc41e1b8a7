"""Fits peaks of spectra, and finds which peaks are which lines.

A peak is a Gaussian on a background that is a straight line, fitted to counts in bins by the extended
likelihood of Poisson counts, so that it holds for few counts as for many and the errors are right for both.
The bins are compared with the integral of the model over them, so they may be as wide as the peak.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pygama.analysis.likelihood import Cost, Minimum, Start, covariance, minimise
from pygama.analysis.region_model import RegionModel
from pygama.analysis.shapes import FWHM_PER_SIGMA
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama.utils import number_text

MIN_COUNTS = 15
"""With fewer counts in the window, no fit is tried."""
_MIN_SIGNIFICANCE, _CLEAR_SIGNIFICANCE = 2.5, 6.0
_MIN_GAIN = 14.0
"""By how much a peak must lower chi2, for it is sought where the counts are highest: of 100 windows without a
peak about 2 have such a place, and 3 to 16 have one where the area alone is 2.5 of its errors."""
_NAMES = ("area_1", "position_1", "sigma", "background", "slope")


@dataclass(frozen=True, slots=True)
class PeakFit:
    """A fitted peak, in the unit of the values; errors are of one standard deviation.

    background_low, background_high: counts a unit at the two ends of the window. chi2: likelihood ratio
    against the counts themselves, to be compared with ndof. Where `converged` is False, `note` says why,
    and numbers that are not known are NaN.
    """

    window: tuple[float, float]
    n_bins: int
    position: float = math.nan
    position_error: float = math.nan
    fwhm: float = math.nan
    fwhm_error: float = math.nan
    area: float = math.nan
    area_error: float = math.nan
    background_low: float = math.nan
    background_high: float = math.nan
    chi2: float = math.nan
    ndof: int = 0
    converged: bool = False
    note: str = ""

    def density(self, x: np.ndarray) -> np.ndarray:
        """Give the fitted counts a unit at `x`; times the bin width it lies on the histogram."""
        sigma = self.fwhm / FWHM_PER_SIGMA
        z = (np.asarray(x, float) - self.position) / sigma
        peak = self.area * np.exp(-0.5 * z * z) / (sigma * math.sqrt(2 * math.pi))
        return peak + self.background(x)

    def background(self, x: np.ndarray) -> np.ndarray:
        """Give the fitted background, counts a unit at `x`."""
        u = (np.asarray(x, float) - self.window[0]) / (self.window[1] - self.window[0])
        return self.background_low + (self.background_high - self.background_low) * u


def fit_peak(values: Any, around: float, width: float, *, n_bins: int = 100) -> PeakFit:
    """Fit the peak near `around` in a window of `width`.

    values: 1-D, one number an event; those outside the window and NaNs are left out. width: of the whole
    window, best 5 to 15 times the FWHM. Raises SettingsError for a window that holds nothing; too few
    counts, or a fit that finds no peak, give a result that is not `converged` and says why.
    """
    if not (width > 0 and math.isfinite(around) and math.isfinite(width)):
        raise SettingsError(f"a fit needs a window of positive width, not '{width}' around '{around}'")
    if n_bins < 8:
        raise SettingsError(f"a fit of 5 parameters needs 8 bins or more, not '{n_bins}'")
    numbers = np.asarray(values, float).ravel()
    low, high = around - width / 2, around + width / 2
    inside = numbers[(numbers >= low) & (numbers <= high)]
    counts, edges = np.histogram(inside, bins=n_bins, range=(low, high))
    return fit_peak_counts(counts, edges)


def fit_peak_counts(counts: Any, edges: Any) -> PeakFit:
    """Fit the one peak in a histogram; counts: (n,), edges: (n + 1,), rising.

    Raises SettingsError for a histogram that is none; see `fit_peak` for what else can happen.
    """
    counts, edges = np.asarray(counts, float), np.asarray(edges, float)
    if edges.ndim != 1 or counts.shape != (len(edges) - 1,) or len(counts) < 8 or (np.diff(edges) <= 0).any():
        raise SettingsError(
            "a fit needs 8 bins or more and one rising edge more than counts, "
            f"not counts of shape '{counts.shape}' and edges of shape '{edges.shape}'"
        )
    window, n_bins = (float(edges[0]), float(edges[-1])), len(counts)
    if counts.sum() < MIN_COUNTS:
        low, high = map(number_text, window)
        note = f"{counts.sum():.0f} counts between {low} and {high}: too few to fit"
        return PeakFit(window, n_bins, note=note)
    return _fit(counts, edges)


def _fit(counts: np.ndarray, edges: np.ndarray) -> PeakFit:
    cost = Cost(RegionModel(_NAMES, edges), counts)
    guess = first_guess(counts, edges)
    for width in (1.0, 0.6, 1.7):
        start = _start(counts, edges, guess, width)
        at = minimise(cost, start)
        if at.is_valid and not at.is_held[:3].any():
            break
    # a background at its limit can only go back from there, so it leaves the others as well known as if fixed
    is_fixed = at.is_held & (np.arange(len(_NAMES)) >= _NAMES.index("background"))
    spread, is_known = covariance(cost, at, is_fixed)
    return _result(cost, at, spread, is_valid=at.is_valid and is_known)


def _start(counts: np.ndarray, edges: np.ndarray, guess: tuple[float, ...], width: float) -> Start:
    """Choose where the parameters start; sigma, times `width`, and the others within what makes sense."""
    area, position, sigma, left, right = guess
    low, high = float(edges[0]), float(edges[-1])
    bin_width = (high - low) / len(counts)
    values = (area, position, sigma * width, 0.5 * (left + right), (right - left) / (right + left))
    least = np.array([0.0, low, bin_width / 5, 0.0, -1.0])
    most = np.array([2 * counts.sum() + 10, high, (high - low) / 2, math.inf, 1.0])
    return Start(np.clip(values, least, most), least, most, np.zeros(len(values), bool))


def _result(cost: Cost, at: Minimum, spread: np.ndarray, *, is_valid: bool) -> PeakFit:
    area, position, sigma, background, slope = at.values.tolist()
    area_error, position_error, sigma_error = np.sqrt(np.maximum(np.diag(spread)[:3], 0.0)).tolist()
    edges = cost.model.edges
    found = PeakFit(
        window=(float(edges[0]), float(edges[-1])),
        n_bins=len(cost.counts),
        position=position,
        position_error=position_error,
        fwhm=sigma * FWHM_PER_SIGMA,
        fwhm_error=sigma_error * FWHM_PER_SIGMA,
        area=area,
        area_error=area_error,
        background_low=background * (1 - slope),
        background_high=background * (1 + slope),
        chi2=at.chi2,
        ndof=len(cost.counts) - len(_NAMES),
    )
    note = _what_is_wrong(cost, at, found) if is_valid else "the fit did not converge"
    return replace(found, converged=not note, note=note)


def _what_is_wrong(cost: Cost, at: Minimum, found: PeakFit) -> str:
    low, high = found.window
    significance = found.area / found.area_error if found.area_error > 0 else 0.0
    area, error = number_text(found.area, 3), number_text(found.area_error, 2)
    above = f"no peak: {area} ± {error} counts above the background"
    if not significance > _MIN_SIGNIFICANCE:
        return above
    if significance < _CLEAR_SIGNIFICANCE and _chi2_without(cost, at) - at.chi2 < _MIN_GAIN:
        return f"{above}, as chance alone gives somewhere in a window"
    if min(found.position - low, high - found.position) < 0.02 * (high - low):
        return "the peak lies at the edge of the window"
    if found.fwhm > 0.3 * FWHM_PER_SIGMA * (high - low):
        return "the peak is as wide as the window"
    return ""


def _chi2_without(cost: Cost, at: Minimum) -> float:
    """Give the least chi2 of a background alone."""
    n_peak = _NAMES.index("background")
    edges, total = cost.model.edges, cost.counts.sum()
    values = np.array([0.0, *at.values[1:n_peak], total / (edges[-1] - edges[0]), 0.0])
    least = np.array([0.0, *at.values[1:n_peak], 0.0, -1.0])
    most = np.array([0.0, *at.values[1:n_peak], math.inf, 1.0])
    return minimise(cost, Start(values, least, most, np.arange(len(_NAMES)) < n_peak)).chi2


def first_guess(counts: np.ndarray, edges: np.ndarray) -> tuple[float, float, float, float, float]:
    """Guess area, position, sigma and the background at both ends from the counts.

    The background is what the outer fifths hold; the peak is the highest stretch above it.
    """
    n, centres = len(counts), 0.5 * (edges[1:] + edges[:-1])
    bin_width = (edges[-1] - edges[0]) / n
    side = max(n // 5, 1)
    low, high = counts[:side].mean(), counts[-side:].mean()
    above = counts - np.linspace(low, high, n)
    smooth = _running_sum(above, max(n // 20, 3))
    top = int(np.argmax(smooth[1:-1])) + 1
    half = smooth > smooth[top] / 2
    left, right = _extent(half, top)
    around = slice(max(left - (top - left), 0), min(right + (right - top) + 1, n))
    area = max(float(above[around].sum()), 3.0)
    weights = np.maximum(above[left : right + 1], 0)
    position = np.average(centres[left : right + 1], weights=weights) if weights.sum() else centres[top]
    sigma = max((right - left + 1) / FWHM_PER_SIGMA, 0.7) * bin_width
    floor = 0.1 / (n * bin_width)
    return area, float(position), sigma, max(low / bin_width, floor), max(high / bin_width, floor)


def _running_sum(values: np.ndarray, n: int) -> np.ndarray:
    return np.convolve(values, np.ones(n), mode="same")


def _extent(mask: np.ndarray, at: int) -> tuple[int, int]:
    """Give the first and last index of the stretch of True around `at`."""
    left = right = at
    while left > 0 and mask[left - 1]:
        left -= 1
    while right < len(mask) - 1 and mask[right + 1]:
        right += 1
    return left, right


@dataclass(frozen=True, slots=True)
class LineMatch:
    """Which peaks are which lines.

    scale: unit of the values a keV, from the fitted peaks that converged. fits: one for each energy.
    """

    energies_kev: tuple[float, ...]
    fits: tuple[PeakFit, ...]
    scale: float
    scale_error: float

    @property
    def n_found(self) -> int:
        """How many lines were fitted."""
        return sum(fit.converged for fit in self.fits)


def match_lines(
    values: Any, energies_kev: Sequence[float], *, scale_range: tuple[float, float] | None = None
) -> LineMatch:
    """Find lines of known energies in uncalibrated values that are proportional to energy, and fit them.

    The ratios of the energies tell the lines from other peaks, so three or more lines that stand out are
    enough. values: 1-D. energies_kev: the lines, in any order. scale_range: least and greatest unit of the
    values a keV; None: from what the values span. Raises SettingsError where there is nothing to match.
    """
    energies = np.asarray(energies_kev, float)
    numbers = np.asarray(values, float).ravel()
    numbers = np.sort(numbers[np.isfinite(numbers) & (numbers > 0)])
    if not len(energies) or (energies <= 0).any():
        raise SettingsError(f"matching needs energies above 0 keV, not '{list(energies_kev)}'")
    if len(numbers) < MIN_COUNTS:
        raise SettingsError(f"matching needs {MIN_COUNTS} values above 0 or more, not '{len(numbers)}'")
    scale = find_scale(numbers, energies, scale_range or _scales_possible(numbers, energies))
    return _fit_lines(numbers, energies, scale)


def find_scale(numbers: np.ndarray, energies: np.ndarray, scale_range: tuple[float, float]) -> float:
    """Find the unit a keV at which the lines stand out most.

    numbers: sorted, above 0. Each line may count for a limited significance only, so that many lines at their
    places win over one strong peak at a wrong one.
    """
    step = 2e-4
    n_steps = int(math.log(scale_range[1] / scale_range[0]) / step) + 2
    scales = scale_range[0] * np.exp(step * np.arange(n_steps))
    score = np.zeros(n_steps)
    for energy in energies.tolist():
        score += np.clip(_significance(numbers, scales * energy, _half_width(energy) / energy), -2.0, 12.0)
    best = np.flatnonzero(score > score.max() - 1.0)
    best = best[np.abs(best - int(np.argmax(score))) < 20]
    return float(np.median(scales[best]))


def _scales_possible(numbers: np.ndarray, energies: np.ndarray) -> tuple[float, float]:
    """The highest line lies below nearly all of the top, and not far down."""
    top = float(np.quantile(numbers, 0.999))
    return top / (8 * energies.max()), 1.05 * float(numbers[-1]) / float(energies.max())


def _half_width(energy_kev: float) -> float:
    """Half the width of a window, in keV, that holds a peak of a germanium detector."""
    return 2.0 + 0.0008 * energy_kev


def _significance(numbers: np.ndarray, at: np.ndarray, half: float) -> np.ndarray:
    """Say how far counts within `half` (relative) of `at` exceed those beside, in standard deviations."""

    def below(factor: float) -> np.ndarray:
        return np.searchsorted(numbers, at * (1 + factor * half))

    inside = below(1) - below(-1)
    beside = 0.5 * ((below(3.5) - below(1.5)) + (below(-1.5) - below(-3.5)))
    return (inside - beside) / np.sqrt(inside + 0.5 * beside + 1.0)


def _fit_lines(numbers: np.ndarray, energies: np.ndarray, scale: float) -> LineMatch:
    fits = [fit_peak(numbers, scale * e, scale * 10 * _half_width(e)) for e in energies.tolist()]
    refined, error = _common_scale(energies, fits)
    return LineMatch(tuple(energies.tolist()), tuple(fits), refined if error else scale, error or math.nan)


def _common_scale(energies: np.ndarray, fits: Sequence[PeakFit]) -> tuple[float, float]:
    """Average position over energy, each with its error; 0 and 0 where no fit converged."""
    good = [
        (fit.position / e, fit.position_error / e)
        for e, fit in zip(energies, fits, strict=True)
        if fit.converged
    ]
    if not good:
        return 0.0, 0.0
    ratio, error = np.array(good).T
    weight = 1.0 / error**2
    return float((ratio * weight).sum() / weight.sum()), float(weight.sum() ** -0.5)
