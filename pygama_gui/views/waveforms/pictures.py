"""Draws waveforms on one plot in three ways: curves, a density of many, a spectrum of their noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QRectF
from PyQt5.QtGui import QColor, QFontMetrics

from pygama_gui.data.density import Density
from pygama_gui.data.noise import NoiseSpectrum
from pygama_gui.data.shaping import Shaped
from pygama_gui.views.waveforms.markers import Markers
from pygama_gui.views.waveforms.traces import Traces
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.plot import LOW_LEGEND_GAP, Legend, Plot
from pygama_gui.widgets.shades import color_table

MOST_CURVES = 50
MOST_POINTS = 40_000
"""Points of all other waveforms together: what can be painted between two blinks."""
OTHERS_SHARE = 0.55
"""How much of their colour other waveforms have."""
PADDING = 0.06
WORDS_PX = 26
"""Room above the highest curve for the words beside its marker."""
WIDE_LEGEND = 0.5
"""Part of a plot's width from which on the names of curves would lie over these."""
NAME_ROOM = 66
"""Pixels that a legend takes beside the longest of its names: the line before it, and what is around it."""
DECADES = 12.0
"""A noise spectrum is drawn over as many decades at most: from a pulse down to the noise."""


class TracesPicture:
    """The waveform, what the chain makes of it, and others behind it."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.legend = Legend(plot)
        self.markers = Markers(plot)
        self.curves: dict[str, pg.PlotDataItem] = {}
        """By the name of the wave; '' is the waveform itself."""
        self.others: list[pg.PlotCurveItem] = []
        self.names: dict[str, str] = {}
        """Names of curves, as the legend says them."""
        self._colors: dict[str, int] = {}
        self._y_range: tuple[float, float] | None = None
        self._rise_px = 0.0
        """Where the pulse rises, as long as nobody zoomed."""

    def color(self, name: str) -> str:
        """Give the colour of a wave: the same one as long as the window is open."""
        return theme.current().series(self._colors.setdefault(name, len(self._colors)))

    def color_on_paper(self, name: str) -> str:
        """Give the colour of a wave, or of the waveform itself, on white: that of the light theme."""
        paper = theme.theme("light")
        return (
            paper.series(self._colors.setdefault(name, len(self._colors))) if name else paper.tokens["trace"]
        )

    def know(self, names: Iterator[str] | list[str]) -> None:
        """Give waves their colours in this order."""
        for name in names:
            self.color(name)

    def draw(self, traces: Traces, names: Mapping[str, str], hidden: frozenset[str]) -> None:
        """Draw curves and markers. names: what the legend says of each curve, in order."""
        self.know(list(reversed(traces.computed)))
        for name in [name for name in self.curves if name not in names]:
            self._plot.removeItem(self.curves.pop(name))
        for name in names:
            curve = self._curve(name)
            pen = theme.thin_pen(self.color(name)) if name else theme.current().pen("trace")
            y = traces.computed[name] if name else traces.raw
            curve.setData(traces.x, y, pen=pen, skipFiniteCheck=bool(np.isfinite(y).all()))
            curve.setVisible(name not in hidden)
        shown = {name: text for name, text in names.items() if name not in hidden}
        self._write_legend(self._fitting(shown, traces))
        levels = [level for level in traces.levels if level.name not in hidden]
        self.markers.draw(levels, [one for one in traces.instants if one.name not in hidden])
        start = traces.raw[: max(len(traces.raw) // 3, 1)]
        middle = (np.min(traces.raw) + np.max(traces.raw)) / 2
        self.legend.place(at_top=float(np.median(start)) <= middle)

    def draw_others(self, shaped: Shaped | None) -> None:
        """Draw other waveforms behind."""
        heights = np.empty((0, 0)) if shaped is None else shaped.heights[-MOST_CURVES:]
        while len(self.others) > len(heights):
            self._plot.removeItem(self.others.pop())
        while len(self.others) < len(heights):
            self.others.append(pg.PlotCurveItem())
            self._plot.addItem(self.others[-1])
        if shaped is None:
            return
        pen = theme.thin_pen(theme.mixed("faint", "panel", OTHERS_SHARE))
        step = (shaped.period_ns or 1000.0) / 1000.0
        starts = shaped.starts[-MOST_CURVES:]
        for curve, y, start in zip(self.others, heights, starts, strict=True):
            x, y = self._in_view((np.arange(len(y)) - start) * step, y)
            curve.setData(x, y, pen=pen, connect="finite")

    def _in_view(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the least and the most of each pixel or two where samples crowd, of what is in view."""
        box = self._plot.box
        if box.zoomed_x:
            first, last = np.searchsorted(x, box.viewRange()[0])
            x, y = x[max(first - 1, 0) : last + 1], y[max(first - 1, 0) : last + 1]
        n_groups = min(int(box.width()), MOST_POINTS // (2 * max(len(self.others), 1)))
        n = len(x) // max(n_groups, 1)
        if n < 3:
            return x, y
        whole = len(x) // n * n
        groups = y[:whole].reshape(-1, n)
        least_and_most = np.column_stack((groups.min(axis=1), groups.max(axis=1))).ravel()
        return np.repeat(x[:whole:n], 2), least_and_most

    def fit(self, traces: Traces, hidden: frozenset[str], *, only_grows: bool) -> None:
        """Show all of it, unless somebody zoomed; `only_grows`: the height stays as it was, or grows."""
        box = self._plot.box
        curves = [curve for curve in self.others if curve.yData is not None and len(curve.yData)]
        if not box.zoomed_x:
            ends = [(traces.x[0], traces.x[-1]), *((curve.xData[0], curve.xData[-1]) for curve in curves)]
            box.setXRange(min(low for low, _ in ends), max(high for _, high in ends), padding=0.02)
        self.markers.keep_clear(self._legend_areas())
        if box.zoomed_y:
            return
        shown = [y for name, y in (("", traces.raw), *traces.computed.items()) if name not in hidden]
        shown += [curve.yData for curve in curves]
        known = np.concatenate([np.empty(0), *(y[np.isfinite(y)] for y in shown)])
        if not len(known):
            return
        low, high = float(known.min()), float(known.max())
        if self._y_range is not None and only_grows:
            low, high = min(low, self._y_range[0]), max(high, self._y_range[1])
        self._y_range = (low, high)
        room = PADDING * (high - low) or 1.0
        above, below = self._room_px()
        px = (high - low) / max(box.height() - above - below, 1.0)
        box.setYRange(low - max(room, below * px), high + max(3.2 * room, above * px), padding=0)

    def _room_px(self) -> tuple[float, float]:
        """Give the room above and below the curves: for the words of markers, and for names that are wide."""
        place, box = self.legend.geometry(), self._plot.box
        is_narrow = place.width() < WIDE_LEGEND * box.width() and (
            place.right() < self._rise_px or box.zoomed_x
        )
        if not self.legend.isVisible() or is_narrow:
            return WORDS_PX, 0.0
        if self.legend.is_at_top:
            beside = self.legend.is_in_line  # the words of a marker stand to the right of it
            return place.bottom() + (LOW_LEGEND_GAP if beside else WORDS_PX), 0.0
        return WORDS_PX, box.height() - place.top()

    def forget_height(self) -> None:
        """Let the next waveform have a height of its own."""
        self._y_range = None

    def hide(self) -> None:
        """Draw nothing."""
        for curve in (*self.curves.values(), *self.others):
            curve.setData([], [])
        self.markers.draw((), ())
        self.legend.hide()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.legend.recolor()

    def _legend_areas(self) -> list[QRectF]:
        if not self.legend.isVisible():
            return []
        return [self.legend.geometry()]

    def _curve(self, name: str) -> pg.PlotDataItem:
        if name not in self.curves:
            curve = pg.PlotDataItem()
            self._plot.addItem(curve)
            curve.setClipToView(True)
            curve.setDownsampling(auto=True, method="peak")
            curve.setZValue(10 if name else 5)
            self.curves[name] = curve
        return self.curves[name]

    def _fitting(self, names: dict[str, str], traces: Traces) -> dict[str, str]:
        """Leave the settings of steps out of names that would lie over the rise of the pulse."""
        x, raw = traces.x, traces.raw
        rise = int(np.argmax(np.abs(raw - raw[0]) > np.ptp(raw) / 2)) if len(raw) else 0
        box, metrics = self._plot.box, QFontMetrics(theme.font(theme.SMALL))
        room = box.width() * (x[rise] - x[0]) / ((x[-1] - x[0]) or 1.0) if len(raw) else 0.0
        self._rise_px = room
        widest = max((metrics.horizontalAdvance(text) for text in names.values()), default=0)
        short = {name: _without_settings(text) for name, text in names.items()}
        is_clear = len(set(short.values())) == len(short)
        return names if box.zoomed_x or widest + NAME_ROOM < room or not is_clear else short

    def _write_legend(self, wanted: dict[str, str]) -> None:
        if wanted != self.names:
            same_curves = wanted.keys() == self.names.keys()
            self.names = wanted
            if same_curves:
                for (_, words_of), text in zip(self.legend.items, wanted.values(), strict=True):
                    words_of.setText(text)
                self.legend.resize(0.0, 0.0)  # its names are as wide as it lets them be
                self.legend.layout.activate()
                self.legend.updateSize()
            else:
                self.legend.clear()
                for name, text in wanted.items():
                    self.legend.addItem(self.curves[name], text)
        for swatch, _ in self.legend.items:
            swatch.update()  # it takes the pen of its curve when it is painted


def _without_settings(words: str) -> str:
    """'trap_filter rise 400 flat 200 × 10' -> 'trap_filter × 10'."""
    text, times, scale = words.partition(" × ")
    return text.partition(" ")[0].rstrip(",") + times + scale


class DensityPicture:
    """How often many waveforms pass through each place, on a logarithmic scale of colours."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.image = pg.ImageItem()
        self.image.setZValue(-5)
        self.image.hide()
        plot.addItem(self.image)
        self._drawn: tuple[Density, str] | None = None
        self.density: Density | None = None

    def draw(self, density: Density, period_ns: float | None) -> None:
        """Draw counts."""
        self.density = density
        self.image.show()
        name = theme.current().name
        if self._drawn is not None and self._drawn[0] is density and self._drawn[1] == name:
            return
        self._drawn = (density, name)
        most = max(int(density.counts.max(initial=1)), 1)
        self.image.setLookupTable(color_table(name))
        heights = np.log10(density.counts.astype(np.float32) + 1.0)
        self.image.setImage(heights, autoLevels=False, levels=(0.0, math.log10(most + 1.0)))
        step = (period_ns or 1000.0) / 1000.0
        (x0, x1), (y0, y1) = density.x_range, density.y_range
        self.image.setRect(QRectF(x0 * step, y0, (x1 - x0) * step, y1 - y0))

    def fit(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        """Show all of it, unless somebody zoomed."""
        box = self._plot.box
        if not box.zoomed_x:
            box.setXRange(*x_range, padding=0.02)
        if not box.zoomed_y:
            box.setYRange(*y_range, padding=0.02)

    def hide(self) -> None:
        """Draw nothing."""
        self.density = None
        self.image.hide()


class NoisePicture:
    """The spectrum of the noise of the waveform shown, and the mean of many."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.one, self.mean = pg.PlotDataItem(), pg.PlotDataItem()
        self.one.setZValue(4)
        self.mean.setZValue(6)
        self.legend = Legend(plot, is_left=False)
        self.legend.hide()
        self._names: tuple[str, ...] = ()
        for curve in (self.one, self.mean):
            plot.addItem(curve)
            curve.setDownsampling(auto=True, method="peak")

    def draw(
        self, one: NoiseSpectrum | None, mean: NoiseSpectrum, *, is_amplitude: bool, is_log: bool
    ) -> None:
        """Draw spectra."""
        faint = theme.current().color("faint")
        names = []
        shown = []
        self._plot.y_axis.is_log = is_log
        for spectrum, curve, pen in (
            (one, self.one, theme.thin_pen(_see_through(faint))),
            (mean, self.mean, theme.current().pen("accent")),
        ):
            if spectrum is None:
                curve.setData([], [])
                continue
            # The mean was taken off: the first value is 0 and says nothing.
            x = spectrum.frequencies[1:]
            y = _log(spectrum.heights(is_amplitude=is_amplitude)[1:], is_log=is_log)
            curve.setData(x, y, pen=pen, connect="finite")
            shown.append((x, y))
            what = "this waveform" if curve is self.one else mean_words(spectrum)
            names.append((curve, what))
        self._write_legend(names)
        self._fit(shown, is_log=is_log)

    def _write_legend(self, names: list[tuple[pg.PlotDataItem, str]]) -> None:
        texts = tuple(text for _, text in names)
        if texts != self._names:
            self._names = texts
            self.legend.clear()
            for curve, text in names:
                self.legend.addItem(curve, text)
        self.legend.setVisible(bool(names))
        for swatch, _ in self.legend.items:
            swatch.update()

    def _fit(self, shown: list[tuple[np.ndarray, np.ndarray]], *, is_log: bool) -> None:
        box = self._plot.box
        if not shown:
            return
        if not box.zoomed_x:
            box.setXRange(0.0, max(float(x[-1]) for x, _ in shown if len(x)), padding=0.02)
        heights = np.concatenate([y[np.isfinite(y)] for _, y in shown])
        if box.zoomed_y or not len(heights):
            return
        top = float(heights.max())
        low = max(float(np.quantile(heights, 0.01)), top - DECADES) - 0.2 if is_log else 0.0
        box.setYRange(low, top + (0.3 if is_log else 0.1 * top), padding=0 if is_log else 0.02)

    def hide(self) -> None:
        """Draw nothing."""
        for curve in (self.one, self.mean):
            curve.setData([], [])
        self._plot.y_axis.is_log = False
        self.legend.hide()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.legend.recolor()


def _see_through(color: QColor) -> QColor:
    color.setAlpha(150)
    return color


def mean_words(spectrum: NoiseSpectrum) -> str:
    """Say of how many waveforms a spectrum is the mean."""
    said = f"mean of {words.count(spectrum.n_waveforms)}"
    left_out = f"{words.count(spectrum.n_loud)} with a pulse in the baseline left out"
    return f"{said}, {left_out}" if spectrum.n_loud else said


def _log(heights: np.ndarray, *, is_log: bool) -> np.ndarray:
    if not is_log:
        return heights
    with np.errstate(divide="ignore"):
        return np.where(heights > 0, np.log10(heights), np.nan)
