"""Draws a low plot below a spectrum, in the same x: residuals of a fit, a difference or a ratio of runs."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt

from pygama_gui.data.spectra import Compared
from pygama_gui.widgets import theme
from pygama_gui.widgets.plot import Plot

HEIGHT = 104
MOST_BARS = 2500
"""Error bars that are drawn, at most: where more bins are in view, there would be only bars."""
ROOM = 1.15


class Strip(Plot):
    """The low plot. Its x is that of the spectrum; dragging and the wheel are handed to it."""

    def __init__(self) -> None:
        super().__init__("Strip below the spectrum", "", "")
        self.setFixedHeight(HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.x_axis.setStyle(showValues=False)
        self.x_axis.setHeight(8)
        self._curve = pg.PlotCurveItem()
        self._bars = pg.PlotCurveItem(connect="pairs")
        self._level = pg.InfiniteLine(0.0, angle=0)
        for item in (self._level, self._bars, self._curve):
            self.addItem(item)
        self.hide()

    def draw(
        self, edges: np.ndarray, shown: Compared, view: tuple[float, float], *, level: float, label: str
    ) -> None:
        """Draw values with their errors; edges: (n + 1,). level: where a line stands for 'the same'."""
        first = max(int(np.searchsorted(edges, view[0], side="right")) - 2, 0)
        last = min(int(np.searchsorted(edges, view[1], side="left")) + 1, len(shown.values))
        edges, values = edges[first : last + 1], shown.values[first:last]
        errors = shown.errors[first:last]
        known = np.isfinite(values)
        present = theme.current()
        self._curve.setData(
            np.repeat(edges, 2)[1:-1] if len(values) else [],
            np.repeat(values, 2),
            connect="finite",
            pen=present.pen("accent"),
        )
        self._draw_bars(0.5 * (edges[1:] + edges[:-1])[known], values[known], errors[known])
        self._level.setValue(level)
        self._level.setPen(present.pen("soft"))
        self.label_axes("", label)
        self.box.setXRange(*view, padding=0)
        self.box.setYRange(*_range_of(values[known], errors[known], level), padding=0)
        self.show()

    def _draw_bars(self, x: np.ndarray, values: np.ndarray, errors: np.ndarray) -> None:
        if len(x) > MOST_BARS:
            x = x[:0]
        ends = np.column_stack([values - errors, values + errors])[: len(x)].ravel()
        pen = theme.thin_pen(theme.mixed("accent", "panel", 0.45))
        self._bars.setData(np.repeat(x, 2), ends, connect="pairs", pen=pen)


def _range_of(values: np.ndarray, errors: np.ndarray, level: float) -> tuple[float, float]:
    """Give what is seen of y: the values and the usual error, with the level among them.

    Where a large error explains a value it is not followed: a ratio of few counts would squeeze all others.
    """
    if not len(values):
        return level - 1.0, level + 1.0
    usual = float(np.median(errors))
    share = 0.002 if usual else 0.0  # pulls say with all of them how well a fit does
    off = values - level
    followed = np.where(np.abs(off) < 2 * errors, np.clip(off, -2 * usual, 2 * usual), off)
    low, high = np.quantile(level + followed, [share, 1 - share]).tolist()
    low, high = min(low - usual, level), max(high + usual, level)
    middle, half = (low + high) / 2, max((high - low) / 2, 1e-9) * ROOM
    return middle - half, middle + half
