"""Draws a spectrum: the curve, all events behind it, other runs over it, and the strip below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg

from pygama.quick_dataclass import dataclass
from pygama_gui.data import chain_facts, spectra
from pygama_gui.data.spectrum_pictures import Below
from pygama_gui.views.spectrum.overlays import Over
from pygama_gui.widgets import theme
from pygama_gui.widgets.plot import heights_of, histogram_path

if TYPE_CHECKING:
    from pygama_gui.views.spectrum.view import SpectrumView

N_FILLED = 4096
"""Bins in view above which the area is not filled; filling costs more than the line."""
FEW_BINS = 2
LEAST_SHARE = 0.01
"""Values that fill no more than a few of the finest bins are shown in a range of this share of their size."""
ALL_SHARE = 0.45
"""Of its colour: the spectrum of all events behind that of those which pass the cuts."""
LEAST_WITH_STRIP = 290
"""A lower view, in pixels, keeps its height for the spectrum."""


@dataclass(frozen=True)
class Picture:
    """What is drawn: edges (n + 1,) and counts (n,) of the bins on screen.

    unit: height of a count. of_all: counts of all events, where `counts` are of those that pass the cuts.
    """

    edges: np.ndarray
    counts: np.ndarray
    unit: float = 1.0
    over: tuple[Over, ...] = ()
    of_all: np.ndarray | None = None
    is_rate: bool = False
    is_estimate: bool = False
    """Whether what passes is estimated by a sample of the rows."""

    def heights(self, *, is_log: bool) -> np.ndarray:
        """Give how high the bins are drawn, the highest of all curves, (n,)."""
        curves = [self.counts, *(one.heights for one in self.over)]
        curves += [] if self.of_all is None else [self.of_all]
        return heights_of(np.max(curves, axis=0), is_log=is_log, unit=self.unit)


class SpectrumDrawing:
    """The curves of one spectrum."""

    def __init__(self, view: SpectrumView) -> None:
        self._view = view
        self.all_curve, self.curve = pg.PlotCurveItem(), pg.PlotCurveItem()
        for curve in (self.all_curve, self.curve):
            view.plot.addItem(curve)

    def clear(self) -> None:
        """Draw nothing, on axes of the chosen column."""
        self._view.plot.label_axes(self._column_words(), "counts")
        for curve in (self.curve, self.all_curve):
            curve.setData([], [])

    def fit(self, picture: Picture) -> None:
        """Show what there is, as far as nobody chose what to see."""
        box, edges = self._view.plot.box, picture.edges
        behind = picture.counts if picture.of_all is None else picture.of_all
        if not box.zoomed_x:
            first, last = spectra.occupied(behind)
            low, high = float(edges[first]), float(edges[last])
            if last - first <= FEW_BINS:
                more = LEAST_SHARE * max(abs(low), abs(high))
                low, high = low - more / 2, high + more / 2
            room = 0.025 * (high - low)
            box.setXRange(low - room, high + room, padding=0)
        if not box.zoomed_y:
            (low, high), _ = box.viewRange()
            first, last = np.searchsorted(edges, [low, high])
            over = [one.heights for one in picture.over]
            shown = over if self._view.is_apart else [behind, *over]
            top = max(float(heights[max(first - 1, 0) : max(last, 1)].max(initial=1)) for heights in shown)
            unit = picture.unit
            if self._view.choice.is_log:
                box.setYRange(_floor(picture), math.log10(top) * 1.06 + 0.3 + math.log10(unit), padding=0)
            else:
                box.setYRange(-0.05 * top * unit, 1.1 * top * unit, padding=0)

    def draw(self, picture: Picture) -> None:
        """Draw the spectrum itself, before that of all events where cuts take some away."""
        is_log = self._view.choice.is_log
        self._view.plot.y_axis.is_log = is_log
        present = theme.current()
        x, y = self._path(picture, picture.counts)
        # What a curve was fitted to is raw beside it.
        line = present.pen("trace" if self._view.peaks.shown_fits() else "accent")
        level = _floor(picture) if is_log else 0.0
        is_filled = len(x) <= 2 * N_FILLED
        self.curve.setData(
            x,
            y,
            pen=line,
            brush=present.color("fill") if is_filled else None,
            fillLevel=level if is_filled else None,
            skipFiniteCheck=True,
        )
        self.curve.setOpacity(theme.ESTIMATED if picture.is_estimate else 1.0)
        if picture.of_all is None:
            self.all_curve.setData([], [])
        else:
            pen = theme.thin_pen(theme.mixed("trace", "panel", ALL_SHARE))
            self.all_curve.setData(*self._path(picture, picture.of_all), pen=pen, skipFiniteCheck=True)
        self._label(picture)

    def _path(self, picture: Picture, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = self._view.plot.box.viewRange()[0]
        width = max(int(self._view.plot.box.width()), 100)
        is_log = self._view.choice.is_log
        return histogram_path(picture.edges, counts, (low, high), width, is_log=is_log, unit=picture.unit)

    def _column_words(self) -> str:
        unit, column = chain_facts.unit_of(self._view.choice.column), self._view.choice.column
        return f"{column} ({_long_unit(unit)})" if unit else column

    def _label(self, picture: Picture) -> None:
        unit, x_words = chain_facts.unit_of(self._view.choice.column), self._column_words()
        if picture.is_rate:
            self._view.plot.label_axes(
                x_words, " / ".join(["counts", *([unit] if unit else []), "s"]), "rate"
            )
        else:
            width = f"{picture.edges[1] - picture.edges[0]:.4g} {unit}".strip()
            self._view.plot.label_axes(x_words, f"counts / {width}", "counts")

    def draw_over(self, picture: Picture) -> None:
        """Draw what is laid over the spectrum, with its names."""
        over, is_apart = picture.over, self._view.is_apart
        self.curve.setVisible(not is_apart)
        first = 0 if is_apart else 1
        self._view.overlays.draw(
            over, picture.edges, is_log=self._view.choice.is_log, unit=picture.unit, first=first
        )
        is_named = bool(over) and not is_apart
        main = (self._view.bridge.name_of(self._view.session.selected), self.curve) if is_named else None
        self._view.overlays.name(main, [one.name for one in over])

    def draw_strip(self, picture: Picture) -> None:
        """Draw below how the spectrum differs from a fit or another run, where that is wanted."""
        below = self.below(picture)
        if below is None or self._view.height() < LEAST_WITH_STRIP:
            self._view.strip.hide()
            return
        low, high = self._view.plot.box.viewRange()[0]
        shown = spectra.Compared(below.values, below.errors)
        self._view.strip.draw(below.edges, shown, (low, high), level=below.level, label=below.label)

    def below(self, picture: Picture) -> Below | None:
        """Say what is drawn below; None where that is nothing."""
        strip = self._view.choice.strip
        fit = self._view.peaks.residuals_wanted()
        if fit is not None:
            return Below(fit.edges, fit.residuals(), np.zeros(len(fit.counts)), 0.0, "pull (σ)")
        other = None if self._view.is_apart or not picture.over else picture.over[0]
        if other is None or strip not in ("difference", "ratio"):
            return None
        if strip == "ratio":
            shown = spectra.ratio(picture.counts, other.counts, other.scale)
            return Below(picture.edges, shown.values, shown.errors, 1.0, "ratio")
        shown = spectra.difference(picture.counts, other.counts, other.scale)
        unit = picture.unit
        return Below(picture.edges, shown.values * unit, shown.errors * unit, 0.0, "difference")


def _floor(picture: Picture) -> float:
    """Give where half a count is drawn as a logarithm."""
    return float(heights_of(np.zeros(1), is_log=True, unit=picture.unit)[0])


def _long_unit(unit: str) -> str:
    return "ADC counts" if unit == "ADC" else unit
