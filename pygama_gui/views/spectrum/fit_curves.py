"""Draws fits over a spectrum: the curve, its background, and the width written at each peak."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt

from pygama.analysis.region_fit import FittedPeak, RegionFit
from pygama.quick_dataclass import dataclass
from pygama_gui.views.spectrum.room import Room, words_item, write
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.plot import Plot, heights_of

N_POINTS = 240
"""Of a curve."""
N_PARTS, FEW_BINS = 16, 60
"""A curve over fewer bins is drawn bin by bin, as the mean of so many points of each."""
MOST_WORDS = 12
"""Peaks that are written at, at most; the largest."""
PALE = 0.55
LEAST_SHARE = 0.25
"""Words of a fit that is not the chosen one wait until its region is as wide as this share of them."""


@dataclass(frozen=True)
class Scale:
    """How densities are drawn: edges (n + 1,) of the bins on screen, height of a count, unit of x."""

    edges: np.ndarray
    unit: float
    is_log: bool
    unit_words: str

    def path(
        self, density: Callable[[np.ndarray], np.ndarray], low: float, high: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give a density as it lies on the bins, from low to high: x and y of a curve."""
        width = float(self.edges[1] - self.edges[0])
        first, last = np.searchsorted(self.edges, [low, high])
        first, last = max(int(first) - 1, 0), min(int(last), len(self.edges) - 1)
        if last - first >= FEW_BINS or last <= first:
            x = np.linspace(low, high, N_POINTS)
            return x, self.heights(density(x) * width)
        parts = (np.arange(N_PARTS) + 0.5) / N_PARTS * width
        x = self.edges[first:last, None] + parts
        means = density(x.ravel()).reshape(x.shape).mean(axis=1)
        return np.repeat(self.edges[first : last + 1], 2)[1:-1], np.repeat(self.heights(means * width), 2)

    def heights(self, counts: np.ndarray) -> np.ndarray:
        """Give where counts of a bin are drawn."""
        return heights_of(counts, is_log=self.is_log, unit=self.unit)


class FitCurves:
    """The curves of all fits of the spectrum on screen."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._curves: list[tuple[pg.PlotCurveItem, pg.PlotCurveItem]] = []
        self._words: list[pg.TextItem] = []

    def draw(self, fits: Sequence[tuple[RegionFit, bool]], scale: Scale, room: Room) -> None:
        """Draw fits, each with whether it is the chosen one."""
        shown = [one for one in fits if one[0].edges[-1] > room.left and one[0].edges[0] < room.right]
        while len(self._curves) < len(shown):
            self._curves.append((self._curve(12), self._curve(11)))
        for pair in self._curves[len(shown) :]:
            for item in pair:
                item.setData([], [])
        tops = []
        for (fit, is_chosen), (curve, background) in zip(shown, self._curves, strict=False):
            low, high = max(float(fit.edges[0]), room.left), min(float(fit.edges[-1]), room.right)
            color = theme.current().color("accent") if is_chosen else theme.mixed("accent", "panel", PALE)
            x, y = scale.path(fit.density, low, high)
            curve.setData(x, y, pen=theme.thin_pen(color))
            background.setData(
                *scale.path(fit.background, low, high), pen=theme.thin_pen(color, Qt.PenStyle.DashLine)
            )
            tops += [(fit, is_chosen, peak, _at(x, y, peak.position)) for peak in fit.peaks]
        self._write([one for one in tops if room.left < one[2].position < room.right], scale, room)

    def _curve(self, z: float) -> pg.PlotCurveItem:
        item = pg.PlotCurveItem()
        item.setZValue(z)
        self._plot.addItem(item)
        return item

    def _write(self, tops: list[tuple[RegionFit, bool, FittedPeak, float]], scale: Scale, room: Room) -> None:
        tops = sorted(tops, key=lambda one: (not one[1], -one[2].area))[:MOST_WORDS]
        while len(self._words) < len(tops):
            self._words.append(words_item(self._plot, 18))
        for item in self._words[len(tops) :]:
            item.hide()
        for item, (fit, is_chosen, peak, top) in zip(self._words, tops, strict=False):
            text = peak_words(peak, scale.unit_words)
            text += f"\n{goodness_words(fit)}" if is_chosen and peak is fit.peaks[0] else ""
            write(item, text, "text" if is_chosen else "soft")
            wide = float(fit.edges[-1] - fit.edges[0]) / room.per_x
            if not is_chosen and wide < LEAST_SHARE * item.boundingRect().width():
                item.hide()
                continue
            room.place_at_peak(item, peak.position, top + 3 * room.per_y, 0.7 * peak.fwhm)


def _at(x: np.ndarray, y: np.ndarray, place: float) -> float:
    """Give the height of a curve at a place."""
    return float(y[min(int(np.searchsorted(x, place)), len(y) - 1)])


def peak_words(peak: FittedPeak, unit: str) -> str:
    """Say where a peak stands and how wide it is."""
    position = words.with_errors(peak.position, peak.position_error, peak.position_errors)
    fwhm = words.with_errors(peak.fwhm, peak.fwhm_error, peak.fwhm_errors)
    return f"{f'{position} {unit}'.rstrip()}\nFWHM {fwhm} {unit}".rstrip()


def goodness_words(fit: RegionFit) -> str:
    """Say how well a fit describes the counts."""
    return f"χ²/ndof {fit.chi2:.0f}/{fit.ndof}   p {words.p_value(fit.p_value)}"
