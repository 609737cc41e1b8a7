"""Finds the peak that is followed in time, and fits it in slices: its position and width, with errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from pygama.analysis.peaks import PeakFit, fit_peak, fit_peak_counts, match_lines
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama_gui.data.binned import values_like
from pygama_gui.data.preview import suggest_line
from pygama_gui.data.slices import Series, Slices
from pygama_gui.session.calibration_changes import KEV

IN_PEAK, MOST_FITS = 30, 30
"""Events in the window of a peak that slices are joined for, and the most fits of a run."""
THALLIUM = "Tl-208 2614.5 keV"
ANCHOR_LINES = (238.632, 583.187, 727.330, 860.557, 911.204, 2614.511)
"""Lines of the Th-228 chain, keV, by which Tl-208 is known."""
USUAL = {"Cs-137": 661.657, "Co-60": 1332.492, "K-40": 1460.822, "Tl-208": 2614.511}
"""Lines, keV, by which detectors are watched."""
AGREE, CLEAR, HALF_WINDOW = 1e-3, 4.0, 5.0
"""How well places and energies agree, relative; areas over their errors; window in FWHM to each side."""
MOST_WINDOW = 20.0
"""Width of a window, in FWHM of its peak, above which it is narrowed."""
TELLING = 1 / 3
"""Error of a width, over the width, above which the fit does not tell it."""
BINS_OF_FIT, LEAST_BINS = 80, 8
"""Bins of the window of a peak of many events, and the fewest that are fitted."""
MOST_SOUGHT = 200_000
"""Values among which a peak is looked for, about."""


@dataclass(frozen=True)
class Anchor:
    """The peak that is followed: the window around it in its column, and the name of the line."""

    column: str
    low: float
    high: float
    name: str = ""


def find_anchor(values: np.ndarray, column: str) -> Anchor | None:
    """Look for a peak to follow: Tl-208 where the lines of its chain tell it, else the highest clear one."""
    known = _some_of(values)
    thallium = _thallium(known)
    if thallium is not None:
        half = HALF_WINDOW * thallium.fwhm
        return Anchor(column, thallium.position - half, thallium.position + half, THALLIUM)
    window = suggest_line(known)
    return None if window is None else Anchor(column, *window)


def _some_of(values: np.ndarray) -> np.ndarray:
    """Give the heights among which a peak is looked for."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known) & (known > 0)]
    return known[:: max(len(known) // MOST_SOUGHT, 1)]


def _thallium(values: np.ndarray) -> PeakFit | None:
    """Find Tl-208 at 2614.5 keV by its ratios to two clear lines of its chain or more; else None."""
    try:
        found = match_lines(values, ANCHOR_LINES)
    except SettingsError:
        return None
    agree = [
        fit
        for fit, energy in zip(found.fits, found.energies_kev, strict=True)
        if fit.converged
        and fit.area > CLEAR * fit.area_error
        and abs(fit.position / (energy * found.scale) - 1) < AGREE
    ]
    return found.fits[-1] if len(agree) >= 3 and found.fits[-1] in agree else None


def at_line(values: np.ndarray, column: str, line: tuple[float, float]) -> Anchor | None:
    """Give the line that was chosen if there is a clear peak; else None.

    A window drawn so wide that the peak would lie in one or two bins of its fits is narrowed to the peak.
    """
    fit = fit_peak(values, (line[0] + line[1]) / 2, line[1] - line[0])
    if fit.converged and line[1] - line[0] > MOST_WINDOW * fit.fwhm:
        half = HALF_WINDOW * max(fit.fwhm, (line[1] - line[0]) / BINS_OF_FIT)
        line = max(line[0], fit.position - half), min(line[1], fit.position + half)
    return _anchor_of(fit, column, line, lambda: values)


def _anchor_of(
    fit: PeakFit, column: str, line: tuple[float, float], values: Callable[[], np.ndarray]
) -> Anchor | None:
    """Give the line where the fit of its window is a clear peak; else None. values: all of the column."""
    is_clear = fit.converged and fit.area > CLEAR * fit.area_error
    return Anchor(column, *line, _name_of(fit, column, values)) if is_clear else None


def _name_of(fit: PeakFit, column: str, values: Callable[[], np.ndarray]) -> str:
    """Name a peak: of energies by where the usual lines are, of heights if it is Tl-208; else empty."""
    if not column.endswith(KEV):
        thallium = _thallium(_some_of(values()))
        is_it = thallium is not None and abs(fit.position - thallium.position) < fit.fwhm / 2
        return THALLIUM if is_it else ""
    near = (name for name, energy in USUAL.items() if abs(fit.position - energy) < fit.fwhm / 2)
    return next((f"{name} {USUAL[name]:.1f} keV" for name in near), "")


@dataclass(frozen=True, eq=False)
class FineCounts:
    """Counts in fine equal bins, (n,) or (n_groups, n), from low to high, in which peaks are fitted."""

    counts: np.ndarray
    low: float
    high: float

    @property
    def edges(self) -> np.ndarray:
        """(n + 1,)."""
        return np.linspace(self.low, self.high, self.counts.shape[-1] + 1)

    def total(self) -> FineCounts:
        """Give those of all groups together."""
        return FineCounts(self.counts.sum(axis=0, dtype=np.int64), self.low, self.high)

    def window(self, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
        """Give counts and edges from about low to high, in as many bins as a fit needs or a few more."""
        n_all, width = self.counts.shape[-1], (self.high - self.low) / self.counts.shape[-1]
        first = min(max(round((low - self.low) / width), 0), n_all)
        last = min(max(round((high - self.low) / width), first), n_all)
        by = max((last - first) // BINS_OF_FIT, 1)
        last = first + (last - first) // by * by
        part = self.counts[..., first:last]
        joined = part.reshape(*part.shape[:-1], -1, by).sum(axis=-1, dtype=np.int64)
        return joined, self.low + width * np.arange(first, last + 1, by)

    def fit(self, low: float, high: float) -> PeakFit:
        """Fit the peak between low and high, of one group."""
        counts, edges = self.window(low, high)
        if len(counts) < LEAST_BINS:
            return PeakFit((low, high), len(counts), note="the window lies outside of what was counted")
        return fit_peak_counts(counts, edges)

    def find_anchor(self, column: str, line: tuple[float, float] | None = None) -> Anchor | None:
        """Look for a peak to follow: that at the line if it is clear, or another."""
        if line is not None:
            anchor = _anchor_of(self.fit(*line), column, line, self._values)
            if anchor is not None:
                return anchor
        return find_anchor(self._values(), column)

    def _values(self) -> np.ndarray:
        """Give values that lie as the counts do, of one group."""
        return values_like(self.counts, self.edges, MOST_SOUGHT)


def peak_of_counts(slices: Slices, fine: FineCounts, anchor: Anchor, unit: str) -> tuple[Series, Series]:
    """Do what `peak_of` does, by counts in fine bins of each slice."""
    counts, edges = fine.window(anchor.low, anchor.high)
    join = join_for_fits(counts.sum(axis=1))
    starts = np.arange(0, len(counts), join)
    joined = np.add.reduceat(counts, starts, axis=0) if len(counts) else counts
    few = PeakFit((anchor.low, anchor.high), len(edges) - 1, note="the window is too narrow to be fitted")
    found = [fit_peak_counts(one, edges) if len(one) >= LEAST_BINS else few for one in joined]
    return series_of_fits(slices, join, found, anchor, unit)


class Fits:
    """Fits of the slices that are whole: they do not change while the run grows."""

    def __init__(self) -> None:
        self._held: dict[Hashable, PeakFit] = {}

    def fit(self, key: Hashable, values: np.ndarray, low: float, high: float) -> PeakFit:
        """Fit the peak in a window."""
        inside = values[(values >= low) & (values <= high)]
        whole_key = (key, low, high, len(inside), float(inside.sum()))
        if whole_key not in self._held:
            n_bins = int(min(max(6 * math.sqrt(len(inside)), 30), 80))
            self._held[whole_key] = fit_peak(inside, (low + high) / 2, high - low, n_bins=n_bins)
        return self._held[whole_key]


def peak_of(
    slices: Slices, values: np.ndarray, anchor: Anchor, unit: str, fits: Fits, key: Hashable = None
) -> tuple[Series, Series]:
    """Fit the peak in slices, joined until each has enough events; give its position and its FWHM."""
    values = np.asarray(values, np.float64)
    inside = [((group >= anchor.low) & (group <= anchor.high)).sum() for group in slices.groups(values)]
    join = join_for_fits(inside)
    times, _ = slices.joined_edges(join)
    found = [
        fits.fit((key, place), group, anchor.low, anchor.high)
        for place, group in zip(times.tolist(), slices.groups(values, join), strict=True)
    ]
    return series_of_fits(slices, join, found, anchor, unit)


def join_for_fits(inside: Sequence[int] | np.ndarray) -> int:
    """Say how many neighbouring slices are fitted together, by how many events of each are in the window."""
    n, total = len(inside), int(np.sum(inside))
    n_fits = max(min(total // IN_PEAK, MOST_FITS, n), 1)
    return max(math.ceil(n / n_fits), 1) if n else 1


def series_of_fits(
    slices: Slices, join: int, found: Sequence[PeakFit], anchor: Anchor, unit: str
) -> tuple[Series, Series]:
    """Give position and FWHM of the peak by its fits, one for so many neighbouring slices together.

    A width is left out where its error says that the fit does not tell it.
    """
    times, half = slices.joined_edges(join)
    has_peak = np.array([fit.converged for fit in found], bool)
    tells_width = np.array([fit.converged and fit.fwhm_error < TELLING * fit.fwhm for fit in found], bool)
    no_peak = found[0].note if found else "no slice is whole yet"
    no_width = "too few events to tell the width" if has_peak.any() else no_peak

    def series(kind: str, name: str, what: str, good: np.ndarray, why_none: str) -> Series:
        numbers = np.array([getattr(fit, what) for fit in found], np.float64)
        errors = np.array([getattr(fit, f"{what}_error") for fit in found], np.float64)
        values, errors = np.where(good, numbers, np.nan), np.where(good, errors, np.nan)
        return Series(kind, name, unit, times, half, values, errors, note="" if good.any() else why_none)

    name = anchor.name.partition(" ")[0] or "peak"
    return (
        series("position", f"{name} position", "position", has_peak, no_peak),
        series("width", f"{name} FWHM", "fwhm", tells_width, no_width),
    )
