"""Draws further histograms over a spectrum, in the same bins: each channel for itself, or another run."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg

from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CODE
from pygama_gui.data.live import LiveHistogram
from pygama_gui.data.live_run import LiveRun
from pygama_gui.widgets import theme
from pygama_gui.widgets.plot import Legend, Plot, histogram_path

FIRST_ROWS = 100_000
"""Values that the range of a histogram is chosen by."""
PIECE = 50_000
"""Values that are counted before the clock is looked at."""


@dataclass
class Counted:
    """A histogram of one column of a run, and how many of its rows it holds."""

    key: tuple[LiveRun, str, int | None]
    histogram: LiveHistogram | None = None
    n_rows: int = 0

    def catch_up(self, n_bins: int, end: float) -> bool:
        """Count new rows until a time by `perf_counter`, a piece at least; tell whether all are counted."""
        self._count_piece(n_bins)
        while self.n_rows < len(self.key[0].columns) and time.perf_counter() < end:
            self._count_piece(n_bins)
        return self.n_rows >= len(self.key[0].columns)

    def _count_piece(self, n_bins: int) -> None:
        live, column, channel = self.key
        limit = PIECE if self.histogram is not None else FIRST_ROWS
        values = live.columns.column(column, self.n_rows)[:limit]
        n_new = len(values)
        if channel is not None and CODE in live.columns:
            values = values[live.columns.column(CODE, self.n_rows)[:n_new] == channel]
        self.n_rows += n_new
        if self.histogram is not None:
            self.histogram.add(values)
        elif len(values):
            self.histogram = LiveHistogram.around(values, n_bins)


@dataclass(frozen=True)
class Part:
    """What is to be laid over a spectrum. scale: what its counts are multiplied by."""

    name: str
    run_id: str
    live: LiveRun
    channel: int | None = None
    scale: float = 1.0


@dataclass(frozen=True)
class Over:
    """A part that was counted, in the bins on screen: counts (n,), not scaled."""

    name: str
    counts: np.ndarray
    scale: float = 1.0

    @property
    def heights(self) -> np.ndarray:
        """The scaled counts, (n,)."""
        return self.counts * self.scale


class Overlays:
    """The further histograms of one spectrum with their curves and names."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._curves: list[pg.PlotCurveItem] = []
        self._counted: dict[tuple[LiveRun, str, int | None], Counted] = {}
        self._names: tuple[str, ...] = ()
        self.legend = Legend(plot, is_left=False)
        self.legend.hide()

    def count(self, parts: list[Part], column: str, like: LiveHistogram, end: float) -> bool:
        """Count new rows of each part in the spectrum's bins, until a time; tell whether all are counted."""
        wanted = {
            (part.live, column, part.channel)
            for part in parts
            if column in part.live.columns and not part.live.is_on_disk
        }
        kept = {key: one for key, one in self._counted.items() if key in wanted and _has_bins_of(one, like)}
        for key in wanted - kept.keys():
            kept[key] = Counted(key, LiveHistogram(like.low, like.high, like.n_bins, grows=False))
        self._counted = kept
        are_done = [one.catch_up(like.n_bins, end) for one in kept.values()]
        return all(are_done)

    def counts(self, part: Part, column: str) -> np.ndarray | None:
        """Give the counts of a part in the finest bins; None where it has no such column."""
        counted = self._counted.get((part.live, column, part.channel))
        return None if counted is None or counted.histogram is None else counted.histogram.counts

    def draw(
        self, shown: Sequence[Over], edges: np.ndarray, *, is_log: bool, unit: float, first: int
    ) -> None:
        """Draw histograms; edges: (n + 1,). unit: height of a count. first: colour of the first one."""
        while len(self._curves) < len(shown):
            self._curves.append(pg.PlotCurveItem())
            self._plot.addItem(self._curves[-1])
        low, high = self._plot.box.viewRange()[0]
        width = max(int(self._plot.box.width()), 100)
        for curve in self._curves[len(shown) :]:
            curve.setData([], [])
        for index, (curve, over) in enumerate(zip(self._curves, shown, strict=False)):
            x, y = histogram_path(edges, over.heights, (low, high), width, is_log=is_log, unit=unit)
            pen = theme.thin_pen(theme.current().series(first + index))
            curve.setData(x, y, pen=pen, skipFiniteCheck=True)

    def name(self, main: tuple[str, pg.PlotCurveItem] | None, names: list[str]) -> None:
        """Write the legend: the spectrum itself, where it is named, and the others."""
        wanted = (*([main[0]] if main else []), *names)
        if wanted != self._names:
            self._names = wanted
            self.legend.clear()
            for text, curve in (*([main] if main else []), *zip(names, self._curves, strict=False)):
                self.legend.addItem(curve, text)
        self.legend.setVisible(bool(wanted))
        for swatch, _ in self.legend.items:
            swatch.update()


def _has_bins_of(counted: Counted, like: LiveHistogram) -> bool:
    histogram = counted.histogram
    return histogram is not None and (histogram.low, histogram.high) == (like.low, like.high)
