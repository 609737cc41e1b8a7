"""Draws one quantity against time: values with errors, the band that they are expected in, a window."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QColor

from pygama.quick_dataclass import dataclass
from pygama_gui.data.moves import Band, is_outside
from pygama_gui.data.slices import Series
from pygama_gui.widgets import theme
from pygama_gui.widgets.held_range import HeldRange
from pygama_gui.widgets.plot import Plot, ValueAxis, ZoomBox

STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
N_TICKS = 6
MOST_BARS = 400
"""Values in view above which errors are not drawn; nobody could tell them apart."""
POINT_PX, OUT_PX = 4, 11
TICKS_PX, TIMES_PX, RIGHT_PX = 5, 38, 8
"""Room below a plot for its ticks alone, height of a line of times with what they are, and what is free at
the right of each plot."""
SYMBOLS = ("o", "s", "d", "p", "h", "star")
SHAPES = ("●", "■", "◆", "⬟", "⬢", "★")
"""Shapes of the values of channels that are laid over each other, for pyqtgraph and in words."""

NEVER_NEGATIVE = ("rate", "noise", "width")
"""What is 0 at least, whatever its errors: the axis goes no lower."""


@dataclass(frozen=True)
class Line:
    """The values of one channel, with the name of the channel."""

    name: str
    series: Series
    band: Band | None


class TimeAxis(ValueAxis):
    """An axis of time: UTC where it is known when the run's clock was 0, seconds else."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.start: float | None = None

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        """Put ticks at round times of the day."""
        step = next((one for one in STEPS_S if one * N_TICKS >= high - low), STEPS_S[-1])
        if self.start is None or high - low < N_TICKS / 2:
            return super().tickValues(low, high, size)[:1]
        while (high - low) / step > 2 * N_TICKS:
            step *= 2
        first = math.ceil((self.start + low) / step) * step
        return [(float(step), [at - self.start for at in np.arange(first, self.start + high, step).tolist()])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Write times of the day."""
        if self.start is None:
            return super().tickStrings(values, scale, spacing)
        if spacing < 1:
            at = [self.start + value for value in values]
            digits = max(math.ceil(-math.log10(spacing)), 1)
            return [
                f"{time.strftime('%H:%M', time.gmtime(one))}:{one % 60:0{3 + digits}.{digits}f}" for one in at
            ]
        pattern = "%H:%M:%S" if spacing < 60 else "%H:%M" if spacing < 43_200 else "%d %b"
        return [time.strftime(pattern, time.gmtime(self.start + value + 1e-6)) for value in values]


class _Drawn:
    """The items of one channel."""

    def __init__(self, plot: Plot) -> None:
        self.cloud = [pg.PlotCurveItem(connect="finite") for _ in range(2)]
        self.bars = pg.ErrorBarItem(x=np.zeros(1), y=np.zeros(1), height=np.zeros(1), beam=0)
        self.curve = pg.PlotCurveItem(connect="finite")
        self.points = pg.ScatterPlotItem(size=POINT_PX, pxMode=True)
        self.outs = pg.ScatterPlotItem(size=OUT_PX, pxMode=True, symbol="t")
        self.items = [*self.cloud, self.bars, self.curve, self.points, self.outs]
        for height, item in enumerate(self.items):
            item.setZValue(height)
            plot.addItem(item)

    def hide(self) -> None:
        for item in self.items:
            item.hide()

    def draw(self, line: Line, color: QColor | str, index: int, *, has_bars: bool) -> None:
        series, outside = line.series, is_outside(line.series, line.band)
        ok = series.is_known
        pen = theme.thin_pen(color)
        self.curve.setData(series.times, series.values, pen=theme.thin_pen(_faint(color)), connect="finite")
        inside = ok & ~outside
        symbol = SYMBOLS[index % len(SYMBOLS)]
        self.points.setData(
            x=series.times[inside], y=series.values[inside], pen=pen, brush=color, symbol=symbol
        )
        warn = theme.current().color("warn")
        self.outs.setData(x=series.times[outside], y=series.values[outside], pen=warn, brush=warn)
        bars = np.flatnonzero(ok)
        self.bars.setVisible(has_bars and bool(len(bars)))
        if has_bars and len(bars):
            self.bars.setData(
                x=series.times[bars], y=series.values[bars], height=2 * series.errors[bars], pen=pen, beam=0
            )
        for item in (self.curve, self.points, self.outs):
            item.show()
        self._draw_cloud(series, color)

    def _draw_cloud(self, series: Series, color: QColor | str) -> None:
        """Draw the scatter of single events as two thin lines."""
        for sign, curve in zip((-1, 1), self.cloud, strict=True):
            curve.setVisible(series.scatter is not None)
            if series.scatter is not None:
                pen = theme.thin_pen(_faint(color), Qt.PenStyle.DotLine)
                curve.setData(series.times, series.values + sign * series.scatter, pen=pen, connect="finite")


def _faint(color: QColor | str) -> QColor:
    made = QColor(color)
    made.setAlpha(120)
    return made


class TimeLine(Plot):
    """The times of plots that stand on top of each other, with no height but their own."""

    labels_in_line = False

    def __init__(self) -> None:
        self.time_axis = TimeAxis()
        super().__init__("Times of the trends", "time", "", x_axis=self.time_axis)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setInteractive(False)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.time_axis.setHeight(TIMES_PX)
        self.setFixedHeight(TIMES_PX)
        self.y_axis.setStyle(showValues=False, tickLength=0)
        self.leave_room(0)

    def leave_room(self, px: int) -> None:
        """End as far from the right as plots beside something, such as a bar to scroll them."""
        self.frame.grid.setContentsMargins(0, 0, RIGHT_PX + px, 0)

    def follow(self, box: ZoomBox) -> None:
        """Show the times that a plot shows, from now on."""
        box.sigXRangeChanged.connect(lambda _box, ends: self.box.setXRange(*ends, padding=0))

    def show_times(self, start: float | None, words: str) -> None:
        """Write the times after the start of the run's clock, and what they are."""
        self.time_axis.start = start
        self.label_axes(words, "")


class TrendPlot(Plot):
    """One quantity against time."""

    window_moved = pyqtSignal(float, float)
    """Where the marked stretch of time is dragged to."""
    window_set_down = pyqtSignal()

    labels_in_line = False

    def __init__(self, kind: str) -> None:
        self.time_axis = TimeAxis()
        super().__init__(f"Trend of the {kind}", "", kind, x_axis=self.time_axis)
        self.time_axis.setStyle(showValues=False)  # plots on top of each other share one line of times
        self.time_axis.setHeight(TICKS_PX)
        self.time_axis.showLabel(False)
        self.kind = kind
        self.setMinimumHeight(44)
        self._drawn: list[_Drawn] = []
        self.band = pg.LinearRegionItem((0, 1), orientation="horizontal", movable=False)
        self.middle = pg.InfiniteLine(angle=0, movable=False)
        self.window = HeldRange()
        self.window.sigRegionChanged.connect(self._tell_window)
        self.window.sigRegionChangeFinished.connect(lambda _item: self.window_set_down.emit())
        for height, item in ((-20, self.band), (-19, self.middle), (7, self.window)):
            item.setZValue(height)
            item.hide()
            self.addItem(item)
        self.lines: Sequence[Line] = ()

    def draw(self, lines: Sequence[Line], unit: str, *, has_band: bool) -> None:
        """Draw the values of one channel, with its band, or of several."""
        self.lines = lines
        while len(self._drawn) < len(lines):
            self._drawn.append(_Drawn(self))
        for drawn in self._drawn[len(lines) :]:
            drawn.hide()
        n_in_view = sum(len(line.series.times) for line in lines)
        for index, line in enumerate(lines):
            shown = line if has_band else Line(line.name, line.series, None)
            self._drawn[index].draw(
                shown, theme.current().series(index), index, has_bars=n_in_view <= MOST_BARS
            )
        self._draw_band(lines[0].band if has_band and len(lines) == 1 else None)
        self.label_axes("", unit or self.kind)
        self.x_axis.showLabel(False)
        self.y_axis.setStyle(showValues=any(line.series.is_known.any() for line in lines))
        self._fit(lines, has_band=has_band)

    def show_window(self, window: tuple[float, float] | None) -> None:
        """Mark a stretch of time."""
        self.window.setVisible(window is not None)
        if window is not None:
            if not self.window.is_held:
                with QSignalBlocker(self.window):
                    self.window.setRegion(window)
            color = theme.current().color("marker")
            for line in self.window.lines:
                line.setPen(theme.current().pen("marker"))
            color.setAlpha(38)
            self.window.setBrush(color)

    def _tell_window(self) -> None:
        low, high = sorted(self.window.getRegion())
        self.window_moved.emit(float(low), float(high))

    def _draw_band(self, band: Band | None) -> None:
        self.band.setVisible(band is not None)
        self.middle.setVisible(band is not None)
        if band is None:
            return
        self.band.setRegion((band.middle - band.half, band.middle + band.half))
        color = theme.current().color("ok")
        color.setAlpha(28)
        self.band.setBrush(color)
        for line in self.band.lines:
            line.setPen(theme.current().pen("line"))
        self.middle.setPen(theme.current().pen("line", Qt.PenStyle.DashLine))
        self.middle.setValue(band.middle)

    def _fit(self, lines: Sequence[Line], *, has_band: bool) -> None:
        """Show all values that are in view, and the band; what a person zoomed stays."""
        if self.box.zoomed_y:
            return
        ends: list[float] = []
        low, high = self.box.viewRange()[0]
        for line in lines:
            series = line.series
            seen = series.is_known & (series.times >= low) & (series.times <= high)
            error = np.nan_to_num(series.errors[seen])
            if series.scatter is not None:
                error = np.maximum(error, np.nan_to_num(series.scatter[seen]))
            ends += (series.values[seen] - error).tolist() + (series.values[seen] + error).tolist()
            if has_band and line.band is not None and len(lines) == 1:
                ends += [line.band.middle - line.band.half, line.band.middle + line.band.half]
        if not ends:
            return
        bottom, top = min(ends), max(ends)
        room = 0.08 * (top - bottom) or 0.01 * abs(top) or 1.0
        least = bottom - room
        self.box.setYRange(max(least, 0.0) if self.kind in NEVER_NEGATIVE else least, top + room, padding=0)
