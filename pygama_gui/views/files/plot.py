"""Draws columns of a file: one as a histogram, two against each other, samples of a row as a trace."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QRectF

from pygama_gui.data.binning import Density, Histogram
from pygama_gui.widgets import theme
from pygama_gui.widgets.plot import LOG_FLOOR, Plot, histogram_path

MOST_POINTS = 5000
"""Points that are drawn one by one; more become a density image."""
MARGIN = 0.04
DARK_BEGIN = 0.25
"""Of the colours for a dark ground; those before cannot be told from it."""


class FilePlot(Plot):
    """One picture at a time."""

    def __init__(self) -> None:
        super().__init__("Plot of columns", "", "")
        self.is_log = False
        self._shown: Histogram | Density | np.ndarray | tuple[np.ndarray, np.ndarray] | None = None
        self.curve = pg.PlotCurveItem()
        self.points = pg.ScatterPlotItem(size=4, pxMode=True)
        self.image = pg.ImageItem()
        for item in (self.image, self.curve, self.points):
            self.addItem(item)
        self.box.zoom_changed.connect(self._draw)
        self.box.sigResized.connect(self._draw)
        self.box.double_clicked.connect(lambda _at: self.show_all())

    def show_histogram(self, found: Histogram, name: str) -> None:
        """Draw the counts of one column."""
        self.label_axes(name, "counts")
        self._show(found)

    def show_trace(self, samples: np.ndarray, name: str) -> None:
        """Draw the samples of one row, (n,)."""
        self.label_axes("sample", name)
        self._show(samples)

    def show_pairs(self, found: Density | tuple[np.ndarray, np.ndarray], x_name: str, y_name: str) -> None:
        """Draw two columns against each other: points, or a density image."""
        self.label_axes(x_name, y_name)
        self._show(found)

    def show_nothing(self, hint: str) -> None:
        """Say what would be there."""
        self._clear()
        self._shown = None
        self.label_axes("", "")
        self.show_hint(hint)

    def set_log(self, is_log: bool) -> None:  # noqa: FBT001
        """Show counts as logarithms, or as they are."""
        self.is_log = is_log
        self.box.zoomed_y = False
        self._draw()

    def show_all(self) -> None:
        """Show all of it."""
        self.box.forget_zoom()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        super().recolor()
        if hasattr(self, "_shown"):
            self._draw()

    def _show(self, what: Any) -> None:
        is_other = type(what) is not type(self._shown)
        self._shown = what
        self.show_hint("")
        if is_other:
            self.box.zoomed_x = self.box.zoomed_y = False
        self._clear()
        self._draw()

    def _clear(self) -> None:
        self.curve.setData([], [])
        self.points.setData([], [])
        self.image.clear()
        for item in (self.curve, self.points, self.image):
            item.hide()

    def _draw(self) -> None:
        shown = self._shown
        self.y_axis.is_log = self.is_log and isinstance(shown, Histogram)
        if isinstance(shown, Histogram):
            self._draw_histogram(shown)
        elif isinstance(shown, Density):
            self._draw_density(shown)
        elif isinstance(shown, tuple):
            self._draw_points(*shown)
        elif shown is not None:
            self._draw_trace(shown)

    def _draw_histogram(self, found: Histogram) -> None:
        present = theme.current()
        self._fit_x(float(found.edges[0]), float(found.edges[-1]))
        (low, high), _ = self.box.viewRange()
        inside = found.counts[
            max(int(np.searchsorted(found.edges, low)) - 1, 0) : int(np.searchsorted(found.edges, high)) + 1
        ]
        top = float(inside.max(initial=0))
        if self.is_log:
            self._fit_y(LOG_FLOOR, math.log10(max(top, 1.0)) * 1.06 + 0.3)
        else:
            self._fit_y(0.0, max(top, 1.0) * 1.08)
        width = max(int(self.box.width()), 100)
        x, y = histogram_path(found.edges, found.counts, (low, high), width, is_log=self.is_log)
        fill = present.color("fill") if len(x) < 2 * 4096 else None
        self.curve.setData(
            x, y, pen=present.pen("accent"), brush=fill, fillLevel=LOG_FLOOR if self.is_log else 0.0
        )
        self.curve.show()

    def _draw_trace(self, samples: np.ndarray) -> None:
        good = samples[np.isfinite(samples)]
        low, high = (float(good.min()), float(good.max())) if len(good) else (0.0, 1.0)
        margin = max((high - low) * MARGIN, 0.5)
        self._fit_x(0.0, float(max(len(samples) - 1, 1)))
        self._fit_y(low - margin, high + margin)
        self.curve.setData(
            np.arange(len(samples), dtype=np.float64),
            samples.astype(np.float64),
            pen=theme.current().pen("trace"),
            brush=None,
            fillLevel=None,
        )
        self.curve.show()

    def _draw_points(self, x: np.ndarray, y: np.ndarray) -> None:
        for fit, values in ((self._fit_x, x), (self._fit_y, y)):
            low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
            margin = (high - low) * MARGIN or 0.5
            fit(low - margin, high + margin)
        color = theme.current().color("accent")
        color.setAlpha(150)
        self.points.setData(x, y, pen=None, brush=color)
        self.points.show()

    def _draw_density(self, found: Density) -> None:
        self._fit_x(*found.x)
        self._fit_y(*found.y)
        with np.errstate(divide="ignore"):
            heights = np.log10(found.counts.astype(np.float32))
        top = max(float(heights.max(initial=0.0)), 0.3)
        colors = pg.colormap.get("inferno" if theme.current().name == "dark" else "viridis")
        begin = DARK_BEGIN if theme.current().name == "dark" else 0.0
        table = colors.getLookupTable(begin, 1.0, 256, alpha=True)
        levels = np.clip((heights + 0.3) / (top + 0.3) * 255, 0, 255)
        rgba = table[np.where(found.counts > 0, levels, 0).astype(np.uint8)]
        rgba[found.counts == 0] = 0
        self.image.setImage(rgba, axisOrder="col-major", levels=(0, 255))
        self.image.setRect(QRectF(found.x[0], found.y[0], found.x[1] - found.x[0], found.y[1] - found.y[0]))
        self.image.show()

    def _fit_x(self, low: float, high: float) -> None:
        if not self.box.zoomed_x:
            self.box.setXRange(low, high, padding=0)

    def _fit_y(self, low: float, high: float) -> None:
        if not self.box.zoomed_y:
            self.box.setYRange(low, high, padding=0)
