"""Shows the histogram of a column as it grows; keeps the zoom that a person chose, and measures a region."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, QSignalBlocker
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QAction, QCheckBox, QMenu, QVBoxLayout

from pygama_gui.bridge import Bridge, LiveRun
from pygama_gui.data.live import LiveHistogram
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session, SpectrumChoice
from pygama_gui.views import chain_facts, madeup
from pygama_gui.views.base import View
from pygama_gui.views.roi import Region, measure
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import Elided, choice_box, icon_button, row
from pygama_gui.widgets.plot import LOG_FLOOR, Plot, histogram_path, plot_actions

N_FINE = 2**14
"""Bins that are counted; what is shown joins a power of two of them."""
FIRST_ROWS = 100_000
ROWS_A_TICK = 400_000
"""Values counted on one tick, so that a long column never blocks the window."""
N_FILLED = 4096
"""Bins in view above which the area is not filled; filling costs more than the line."""
ENDS = {"failed": "failed", "stopped": "was stopped"}
HIDDEN_COLUMNS = ("period_ns", "crate", "card")


@dataclass
class Counted:
    """A histogram of one column of a run, and how many of its rows it holds."""

    key: tuple[int, str, int | None]
    histogram: LiveHistogram | None = None
    n_rows: int = 0
    is_empty: bool = True

    def catch_up(self, live: LiveRun) -> bool:
        """Count some of the rows that are new; tell whether all are counted."""
        _, column, channel = self.key
        limit = ROWS_A_TICK if self.histogram is not None else FIRST_ROWS
        values = live.columns.column(column, self.n_rows)[:limit]
        n_new = len(values)
        if channel is not None and "channel" in live.columns:
            values = values[live.columns.column("channel", self.n_rows)[:n_new] == channel]
        self.n_rows += n_new
        if self.histogram is not None:
            self.histogram.add(values)
        elif len(values):
            self.histogram = LiveHistogram.around(values, N_FINE)
        return self.n_rows >= len(live.columns)


class SpectrumView(View):
    """The spectrum of any column, live."""

    TITLE = "Spectrum"
    HELP = (
        "The histogram of a column, growing while the run is processed. Drag to the right to zoom in, "
        "to the left to zoom out; Alt- or Shift-drag to measure a region."
    )
    SHORTCUTS = (
        ("a", "Show all"),
        ("r", "Reset axes"),
        ("x", "Autoscale x"),
        ("y", "Autoscale y"),
        ("l", "Logarithmic or linear"),
        ("[", "Twice as many bins"),
        ("]", "Half as many bins"),
        ("f", "Bring the region into view"),
        ("Del", "Remove the region"),
        (".", "Next channel"),
        (",", "Previous channel"),
        ("Left", "Move the region by a bin"),
        ("Right", "Move the region by a bin"),
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.plot = Plot("Spectrum plot", "trap_max (ADC)", "counts")
        self.plot.fill_menu = self._fill_menu
        self.curve = pg.PlotCurveItem()
        self.plot.addItem(self.curve)
        self.region_item = self._make_region()
        self.region_words = pg.TextItem(anchor=(0, 0))
        self.region_words.setFont(theme.font(theme.NORMAL))
        self.plot.addItem(self.region_words, ignoreBounds=True)
        self._counted: Counted | None = None
        self._columns: tuple[str, ...] = ()
        self._channels: list[int] = []
        self._factor = 0
        self._make_controls()
        self._lay_out()
        self._actions = plot_actions(self.plot, self._entries())
        self.plot.box.region_dragged.connect(self._set_region)
        self.plot.box.zoom_changed.connect(self.redraw_soon)
        self.plot.box.sigResized.connect(self.redraw_soon)
        self.plot.box.double_clicked.connect(self._double_clicked)

    @classmethod
    def demo(cls) -> SpectrumView:
        """Show a made-up spectrum with a region."""
        view = cls(Bridge())
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001)
        view.bridge.change(changes.add_runs, [run])
        view.bridge.adopt(1, run)
        for message in madeup.messages(run.path):
            view.bridge.take(1, message)
        view.bridge.change(changes.show_spectrum, replace(view.choice, roi=(8300.0, 9050.0)))
        view.redraw_soon()
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with the spectrum."""
        return self._actions

    def _entries(self) -> list[tuple[str, str, Any]]:
        return [
            ("Show &all", "A", self.show_all),
            ("&Reset axes", "R", self.show_all),
            ("Autoscale &x", "X", self.autoscale_x),
            ("Autoscale &y", "Y", self.autoscale_y),
            ("&Logarithmic / linear", "L", self.toggle_log),
            ("&More bins", "[", lambda: self.rebin(0.5)),
            ("&Fewer bins", "]", lambda: self.rebin(2.0)),
            ("Mark a re&gion", "Shift+R", self._begin_region),
            ("Bring the region into &view", "F", self.show_region),
            ("R&emove the region", "Del", lambda: self._change(roi=None)),
            ("Move the region left", "Left", lambda: self.move_region(-1)),
            ("Move the region right", "Right", lambda: self.move_region(1)),
            ("Move the region far left", "Shift+Left", lambda: self.move_region(-10)),
            ("Move the region far right", "Shift+Right", lambda: self.move_region(10)),
            ("&Next channel", ".", lambda: self._next_channel(1)),
            ("&Previous channel", ",", lambda: self._next_channel(-1)),
        ]

    def _make_region(self) -> pg.LinearRegionItem:
        region = pg.LinearRegionItem((0, 1), swapMode="none")
        region.setZValue(15)
        region.hide()
        for line in region.lines:
            line.setCursor(pg.QtCore.Qt.CursorShape.SizeHorCursor)
        region.sigRegionChangeFinished.connect(
            lambda: self._change(roi=tuple(map(float, region.getRegion())))
        )
        region.sigRegionChanged.connect(lambda: self._measure(region.getRegion()))
        self.plot.addItem(region, ignoreBounds=True)
        return region

    def _make_controls(self) -> None:
        self.column_box = choice_box("Column of the spectrum", self.choice.column)
        self.column_box.activated.connect(self._choose_column)
        self.channel_box = choice_box("Channel of the spectrum", "all channels")
        self.channel_box.activated.connect(self._choose_channel)
        self.log_box = QCheckBox("log")
        self.log_box.setAccessibleName("Logarithmic counts")
        self.log_box.setToolTip("Logarithmic counts (L)")
        self.log_box.toggled.connect(lambda is_log: self._change(is_log=is_log))
        self.more_button = icon_button("bins_more", "More bins ([)", lambda: self.rebin(0.5))
        self.fewer_button = icon_button("bins_fewer", "Fewer bins (])", lambda: self.rebin(2.0))
        self.all_button = icon_button("all", "Show all (A)", self.show_all)
        self.info = Elided()

    def _lay_out(self) -> None:
        controls = row(self.column_box, self.channel_box, self.log_box, self.more_button, self.fewer_button)
        controls.addWidget(self.all_button)
        controls.addWidget(self.info, 1)
        controls.setContentsMargins(8, 2, 8, 6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.plot, 1)
        column.addLayout(controls)

    # What the session and the jobs bring

    @property
    def choice(self) -> SpectrumChoice:
        """What the session says is to be shown."""
        return self.session.spectrum

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change of run or choice brings."""
        if old.selected != new.selected or old.spectrum.column != new.spectrum.column:
            self.plot.box.forget_zoom()
        if old.spectrum.is_log != new.spectrum.is_log:
            self.plot.box.zoomed_y = False
        if old.selected != new.selected or old.spectrum != new.spectrum:
            self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Say why there is nothing to see."""
        if self._counted is None and self.session.selected in run_ids:
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Count new rows."""
        if self.session.selected in run_ids:
            self.redraw_soon()

    # What a person does

    def show_all(self) -> None:
        """Show the whole spectrum."""
        self.plot.box.forget_zoom()

    def autoscale_x(self) -> None:
        """Show all of x."""
        self.plot.box.zoomed_x = False
        self.redraw_soon()

    def autoscale_y(self) -> None:
        """Show all counts of what is in view."""
        self.plot.box.zoomed_y = False
        self.redraw_soon()

    def toggle_log(self) -> None:
        """Show counts as logarithms, or as they are."""
        self._change(is_log=not self.choice.is_log)

    def rebin(self, by: float) -> None:
        """Make the bins wider or narrower."""
        histogram = self._histogram
        if histogram is not None:
            factor = min(max(self._factor * by, 1), histogram.n_bins // 8)
            self._change(width=factor * self._fine_width(histogram))

    def show_region(self) -> None:
        """Bring the region into view."""
        if self.choice.roi is not None:
            low, high = self.choice.roi
            self.plot.box.setXRange(low - 2 * (high - low), high + 2 * (high - low), padding=0)
            self.plot.box.zoomed_x = True
            self.redraw_soon()

    def move_region(self, bins: int) -> None:
        """Move the region by some bins."""
        histogram, roi = self._histogram, self.choice.roi
        if histogram is not None and roi is not None:
            by = bins * self._factor * self._fine_width(histogram)
            self._change(roi=(roi[0] + by, roi[1] + by))

    def _begin_region(self) -> None:
        self.plot.box.is_region_wanted = True
        self.info.setText("Drag over the spectrum to mark a region")

    def _set_region(self, low: float, high: float) -> None:
        self._change(roi=(low, high))

    def _change(self, **values: Any) -> None:
        self.bridge.change(changes.show_spectrum, replace(self.choice, **values))

    def _choose_column(self, index: int) -> None:
        self.bridge.change(
            changes.show_spectrum,
            replace(self.choice, column=self.column_box.itemText(index), width=None, roi=None),
        )

    def _choose_channel(self, index: int) -> None:
        self._change(channel=self._channels[index - 1] if index else None)

    def _next_channel(self, by: int) -> None:
        if self._channels:
            at = self.channel_box.currentIndex() + by
            self._choose_channel(at % (len(self._channels) + 1))

    def _double_clicked(self, at: QPointF) -> None:
        self.show_all()

    # Drawing

    @property
    def _histogram(self) -> LiveHistogram | None:
        return None if self._counted is None else self._counted.histogram

    def redraw(self) -> None:
        """Count what is new and draw the spectrum."""
        live = self.bridge.live(self.session.selected)
        self._show_columns(live)
        counted = self._count(live)
        self.plot.show_hint("" if counted is not None else self._why_empty(live))
        if counted is None:
            self._show_nothing()
            return
        edges, counts = self._binned(counted)
        self._fit(edges, counts)
        self._draw(edges, counts)
        self._show_region(edges, counts)
        self._show_info(counted, edges)
        self.drawn.emit()

    def _count(self, live: LiveRun | None) -> LiveHistogram | None:
        if live is None or self.choice.column not in live.columns:
            self._counted = None
            return None
        key = (id(live), self.choice.column, self.choice.channel)
        if self._counted is None or self._counted.key != key:
            self._counted, self._factor = Counted(key), 0
        if not self._counted.catch_up(live):
            self.redraw_soon()
        return self._counted.histogram

    def _binned(self, histogram: LiveHistogram) -> tuple[np.ndarray, np.ndarray]:
        """Join bins to the width that was chosen, or to one that suits the number of counts."""
        counts = histogram.counts
        if self.choice.width is not None:
            wanted = self.choice.width / self._fine_width(histogram)
            self._factor = _power_of_two(wanted, histogram.n_bins // 8)
        elif not self.plot.box.zoomed_x or not self._factor:
            self._factor = _power_of_two(
                _occupied(counts) / _suitable_bins(int(counts.sum())), histogram.n_bins // 8
            )
        joined = counts.reshape(-1, self._factor).sum(axis=1)
        return histogram.edges[:: self._factor], joined

    def _fine_width(self, histogram: LiveHistogram) -> float:
        return (histogram.high - histogram.low) / histogram.n_bins

    def _fit(self, edges: np.ndarray, counts: np.ndarray) -> None:
        box = self.plot.box
        if not box.zoomed_x:
            filled = np.flatnonzero(counts)
            low, high = (edges[filled[0]], edges[filled[-1] + 1]) if len(filled) else (edges[0], edges[-1])
            room = 0.025 * (high - low)
            box.setXRange(low - room, high + room, padding=0)
        if not box.zoomed_y:
            (low, high), _ = box.viewRange()
            first, last = np.searchsorted(edges, [low, high])
            top = float(counts[max(first - 1, 0) : max(last, 1)].max(initial=1))
            if self.choice.is_log:
                box.setYRange(LOG_FLOOR, math.log10(top) * 1.06 + 0.3, padding=0)
            else:
                box.setYRange(-0.05 * top, 1.1 * top, padding=0)

    def _draw(self, edges: np.ndarray, counts: np.ndarray) -> None:
        is_log = self.choice.is_log
        self.plot.y_axis.is_log = is_log
        view = tuple(self.plot.box.viewRange()[0])
        width = max(int(self.plot.box.width()), 100)
        x, y = histogram_path(edges, counts, (view[0], view[1]), width, is_log=is_log)
        present = theme.current()
        level = LOG_FLOOR if is_log else 0.0
        is_filled = len(x) <= 2 * N_FILLED
        self.curve.setData(
            x,
            y,
            pen=present.pen("accent"),
            brush=present.color("fill") if is_filled else None,
            fillLevel=level if is_filled else None,
            skipFiniteCheck=True,
        )
        unit = chain_facts.unit_of(self.choice.column)
        width_words = f"{edges[1] - edges[0]:.4g} {unit}".strip()
        x_words = f"{self.choice.column} ({_long_unit(unit)})" if unit else self.choice.column
        self.plot.label_axes(x_words, f"counts / {width_words}")

    def _show_region(self, edges: np.ndarray, counts: np.ndarray) -> None:
        roi = self.choice.roi
        self.region_item.setVisible(roi is not None)
        self.region_words.setVisible(roi is not None)
        if roi is None:
            return
        self._color_region()
        with QSignalBlocker(self.region_item):
            self.region_item.setRegion(roi)
        self._measure(roi)

    def _measure(self, roi: tuple[float, float]) -> None:
        histogram = self._histogram
        if histogram is None:
            return
        # The finest bins are too fine for few counts; those on screen hide the width of a narrow peak.
        factor = max(self._factor // 4, 1)
        counts = histogram.counts.reshape(-1, factor).sum(axis=1)
        found = measure(histogram.edges[::factor], counts, *roi)
        self.region_words.setText(region_words(found, chain_facts.unit_of(self.choice.column)))
        self.region_words.setColor(theme.current().color("marker"))
        self.region_words.fill = pg.mkBrush(_see_through(theme.current().color("panel")))
        self._place_words(roi)

    def _place_words(self, roi: tuple[float, float]) -> None:
        """Write beside the region, on the side where there is room."""
        (left, right), (bottom, top) = self.plot.box.viewRange()
        needed = self.region_words.boundingRect().width() * (right - left) / max(self.plot.box.width(), 1.0)
        is_left = roi[1] + needed > right and roi[0] - needed > left
        self.region_words.setAnchor((1, 0) if is_left else (0, 0))
        self.region_words.setPos(roi[0] if is_left else roi[1], top - 0.04 * (top - bottom))

    def _color_region(self) -> None:
        color = theme.current().color("marker")
        pen = theme.current().pen("marker")
        for line in self.region_item.lines:
            line.setPen(pen)
            line.setHoverPen(pen)
        for alpha, brush in ((38, self.region_item.setBrush), (60, self.region_item.setHoverBrush)):
            color.setAlpha(alpha)
            brush(color)

    def rehearse(self) -> None:
        """Draw a made-up spectrum once, unseen."""
        histogram = LiveHistogram.around(madeup.heights(2000), N_FINE)
        edges, counts = self._binned(histogram)
        self._fit(edges, counts)
        self._draw(edges, counts)
        self.plot.grab()
        self._show_nothing()
        self._factor = 0

    def _show_nothing(self) -> None:
        self.curve.setData([], [])
        self.region_item.hide()
        self.region_words.hide()
        self.info.setText("")

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.plot.recolor()
        for button in (self.more_button, self.fewer_button, self.all_button):
            button.setIcon(theme.icon(str(button.property("icon_name")), "text"))
        self.redraw_soon()

    # Words and controls

    def _why_empty(self, live: LiveRun | None) -> str:
        state = self.bridge.state(self.session.selected)
        if self.session.selected_run is None:
            return "The spectrum of the selected run appears here."
        if state is None:
            return "No spectrum yet. Process the run to see it."
        if live is not None and len(live.columns):
            return f"The chain writes no {self.choice.column}."
        if not state.has_ended:
            return "Waiting for the first events…"
        return (
            "No events in this run."
            if state.state == "done"
            else f"No spectrum: the run {ENDS[state.state]}."
        )

    def _show_info(self, histogram: LiveHistogram, edges: np.ndarray) -> None:
        parts = [f"{words.count(histogram.n_values)} events"]
        outside = histogram.underflow + histogram.overflow
        parts += [f"{words.count(outside)} outside"] if outside else []
        parts += [f"{words.count(histogram.n_nan)} without a value"] if histogram.n_nan else []
        self.info.setText(" · ".join(parts))

    def _show_columns(self, live: LiveRun | None) -> None:
        names: tuple[str, ...] = ()
        channels: list[int] = []
        if live is not None:
            names = tuple(name for name in live.columns.names if name not in HIDDEN_COLUMNS)
            names = tuple(name for name in names if live.columns.column(name).dtype.kind in "iuf")
            channels = live.samples.channels()
        if names and names != self._columns:
            self._columns = names
            self.column_box.clear()
            self.column_box.addItems(names)
        if channels and channels != self._channels:
            self._channels = channels
            self.channel_box.clear()
            self.channel_box.addItems(["all channels", *(f"channel {channel}" for channel in channels)])
        self.column_box.setCurrentIndex(self.column_box.findText(self.choice.column))
        chosen = self.choice.channel
        self.channel_box.setCurrentIndex(self._channels.index(chosen) + 1 if chosen in self._channels else 0)
        with QSignalBlocker(self.log_box):
            self.log_box.setChecked(self.choice.is_log)

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self._actions)


def region_words(found: Region | None, unit: str) -> str:
    """Say what a region holds."""
    if found is None:
        return "too narrow"
    first = f"gross {words.count(found.gross)}"
    if not math.isfinite(found.net):
        return f"{first}   no room for the background"
    first += f"   net {words.with_error(found.net, found.net_error)}"
    if not math.isfinite(found.centroid):
        return f"{first}\nno peak"
    second = f"centroid {found.centroid:.1f} {unit}"
    if math.isfinite(found.fwhm):
        second += f"\nFWHM {words.three_digits(found.fwhm)} {unit}"
    return f"{first}\n{second}"


def _see_through(color: QColor) -> QColor:
    color.setAlpha(200)
    return color


def _power_of_two(wanted: float, limit: int) -> int:
    return int(min(2 ** max(round(math.log2(max(wanted, 1.0))), 0), limit))


def _occupied(counts: np.ndarray) -> int:
    filled = np.flatnonzero(counts)
    return int(filled[-1] - filled[0] + 1) if len(filled) else len(counts)


def _suitable_bins(n: int) -> float:
    return min(max(12.0 * math.sqrt(n), 150.0), 1200.0)


def _long_unit(unit: str) -> str:
    return "ADC counts" if unit == "ADC" else unit
