"""Shows the histogram of a column as it grows; keeps the zoom that a person chose, and measures a region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, QSignalBlocker
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QAction, QCheckBox, QMenu, QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge, LiveRun
from pygama_gui.data.channels import CODE
from pygama_gui.data.live import LiveHistogram
from pygama_gui.jobs.board import counted
from pygama_gui.session import changes
from pygama_gui.session.exports import ALL_CHANNELS, Shown
from pygama_gui.session.state import Run, Session, SpectrumChoice
from pygama_gui.views import chain_facts, madeup
from pygama_gui.views.base import View
from pygama_gui.views.overlays import Counted, Overlays, Part
from pygama_gui.views.roi import Region, measure
from pygama_gui.views.spectrum_cuts import CutRanges
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import Elided, choice_box, icon_button, row
from pygama_gui.widgets.plot import LOG_FLOOR, ZOOM_OUT, Entry, Plot, histogram_path, plot_actions

N_FINE = 2**14
"""Bins that are counted; what is shown joins a power of two of them."""
ROWS_A_TICK = 400_000
"""Values counted on one tick, so that a long column never blocks the window."""
N_TOGETHER = 2
"""Entries of the channel box that are not one channel: all of them, and each for itself."""
MOST_APART = 12
N_FILLED = 4096
"""Bins in view above which the area is not filled; filling costs more than the line."""
ENDS = {"failed": "failed", "stopped": "was stopped"}
HIDDEN_COLUMNS = ("period_ns", "crate", "card", CODE)
FEW_BINS = 2
LEAST_SHARE = 0.01
"""Values that fill no more than a few of the finest bins are shown in a range of this share of their size."""
PAN, FAR = 0.1, 5
"""Share of the picture that an arrow key moves it by, and how many times that with Shift."""
PEAK_ZOOM = 20
"""Going to a peak when all is in view zooms in as many times."""
AROUND, APART = 10, 3
"""Bins on each side that a peak must stand out from, and how far from it they begin."""
N_REGION_BINS = 64
"""A region is measured in about as many bins, whatever the bins on screen."""


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
        ("0", "Bins that suit the counts"),
        ("c", "Centre on the next highest peak"),
        ("+", "Zoom in"),
        ("-", "Zoom out"),
        ("b", "Show or hide the other run"),
        ("f", "Bring the region into view"),
        ("Esc", "Give up marking a region"),
        ("Del", "Remove the region"),
        (".", "Next channel"),
        (",", "Previous channel"),
        ("Left", "Move the region by a bin, or the picture"),
        ("Right", "Move the region by a bin, or the picture"),
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
        self._channel_names: list[str] = []
        self._overlays = Overlays(self.plot)
        self._beside_before = ""
        self._factor = 0
        self._peaks_seen: list[float] = []
        self.cut_ranges = CutRanges(self, self.plot)
        self._make_controls()
        self._lay_out()
        self._actions = plot_actions(self.plot, self._entries())
        self.beside_menu = QMenu("Compare &with", self)
        self.beside_menu.aboutToShow.connect(self._fill_beside_menu)
        self._fill_beside_menu()
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

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        boxes = [self.column_box, self.channel_box, self.log_box]
        return [self.plot, *boxes, self.more_button, self.fewer_button, self.all_button]

    def _entries(self) -> list[Entry]:
        return [
            ("Show &all", "A", self.show_all),
            ("&Reset axes", "R", self.show_all),
            ("Autoscale &x", "X", self.autoscale_x),
            ("Autoscale &y", "Y", self.autoscale_y),
            ("&Logarithmic / linear", "L", self.toggle_log),
            None,
            ("&More bins", "[", lambda: self.rebin(0.5)),
            ("&Fewer bins", "]", lambda: self.rebin(2.0)),
            ("A&utomatic bins", "0", lambda: self._change(width=None)),
            None,
            ("&Centre on the next highest peak", "C", self.centre_on_peak),
            ("Zoom &in", "+", lambda: self.plot.box.zoom(1 / ZOOM_OUT)),
            ("Zoom &out", "-", lambda: self.plot.box.zoom(ZOOM_OUT)),
            ("Show / &hide the other run", "B", self.toggle_beside),
            None,
            ("Mark a re&gion", "Shift+R", self._begin_region),
            ("Give up mar&king", "Esc", self._end_marking),
            ("Bring the region into &view", "F", self.show_region),
            ("R&emove the region", "Del", lambda: self._mark(None)),
            None,
            ("Move to the left", "Left", lambda: self.nudge(-1)),
            ("Move to the right", "Right", lambda: self.nudge(1)),
            ("Move far to the left", "Shift+Left", lambda: self.nudge(-10)),
            ("Move far to the right", "Shift+Right", lambda: self.nudge(10)),
            None,
            ("&Next channel", ".", lambda: self._next_channel(1)),
            ("&Previous channel", ",", lambda: self._next_channel(-1)),
        ]

    def _make_region(self) -> pg.LinearRegionItem:
        region = pg.LinearRegionItem((0, 1), swapMode="none")
        region.setZValue(15)
        region.hide()
        for line in region.lines:
            line.setCursor(pg.QtCore.Qt.CursorShape.SizeHorCursor)
        region.sigRegionChangeFinished.connect(lambda: self._set_region(*map(float, region.getRegion())))
        region.sigRegionChanged.connect(lambda: self._measure(region.getRegion()))
        self.plot.addItem(region, ignoreBounds=True)
        return region

    def _make_controls(self) -> None:
        self.column_box = choice_box("Column of the spectrum", self.choice.column)
        self.column_box.activated.connect(self._choose_column)
        self.channel_box = choice_box("Channel of the spectrum", "all channels")
        self.channel_box.activated.connect(self._choose_channel)
        self.channel_box.hide()
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

    @property
    def _channel(self) -> int | None:
        """The chosen channel, where the run has it."""
        live = self.bridge.live(self.session.selected)
        chosen = self.choice.channel
        return chosen if live is not None and chosen in live.channels else None

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change of run or choice brings."""
        if old.selected != new.selected or old.spectrum.column != new.spectrum.column:
            self.plot.box.forget_zoom()
        if old.spectrum.is_log != new.spectrum.is_log:
            self.plot.box.zoomed_y = False
        if old.selected != new.selected or old.spectrum != new.spectrum or old.runs is not new.runs:
            self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Say why there is nothing to see."""
        if self._counted is None and self.session.selected in run_ids:
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Count new rows."""
        if run_ids & {self.session.selected, self.choice.beside}:
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

    def nudge(self, bins: int) -> None:
        """Move the region by some bins; the picture where there is no region."""
        histogram, roi = self._histogram, self.choice.roi
        if roi is None:
            self.plot.box.pan(PAN * bins / max(abs(bins), 1) * (1 if abs(bins) == 1 else FAR))
        elif histogram is not None:
            by = bins * self._factor * self._fine_width(histogram)
            self._mark((roi[0] + by, roi[1] + by), merge="region")

    def centre_on_peak(self) -> None:
        """Go to the highest peak that was not visited since all was shown, keeping the zoom."""
        histogram = self._histogram
        if histogram is None:
            return
        first, last = _occupied(histogram.counts)  # in bins that suit the whole, peaks are a few bins wide
        suitable = (last - first) / _suitable_bins(int(histogram.counts.sum()))
        edges, counts = _joined(histogram, _power_of_two(suitable, histogram.n_bins // 8))
        (low, high), _ = self.plot.box.viewRange()
        half = (high - low) / 2
        if not self.plot.box.zoomed_x:
            half, self._peaks_seen = half / PEAK_ZOOM, []
        at = next_peak((edges[:-1] + edges[1:]) / 2, counts, self._peaks_seen, apart=half / 4)
        if at is None:
            self._peaks_seen = []
            return
        self._peaks_seen.append(at)
        self.plot.box.setXRange(at - half, at + half, padding=0)
        self.plot.box.zoomed_x = True
        self.redraw_soon()

    def lay_beside(self, run_id: str) -> None:
        """Show another run in the same picture; the same one again or '' takes it away."""
        self._beside_before = run_id or self._beside_before
        self._change(beside="" if run_id == self.choice.beside else run_id)

    def toggle_beside(self) -> None:
        """Show the other run that was shown last, or take it away."""
        self.lay_beside(self.choice.beside or self._beside_before)

    def _begin_region(self) -> None:
        self.plot.box.is_region_wanted = True
        self.redraw_soon()

    def _end_marking(self) -> None:
        self.plot.box.cancel()
        self.redraw_soon()

    def _set_region(self, low: float, high: float) -> None:
        self._mark((low, high))

    def _mark(self, roi: tuple[float, float] | None, merge: str = "") -> None:
        self.bridge.change(changes.mark_region, roi, merge=merge)

    def _change(self, **values: Any) -> None:
        self.bridge.change(changes.show_spectrum, replace(self.choice, **values))

    def _choose_column(self, index: int) -> None:
        self.bridge.change(
            changes.show_spectrum,
            replace(self.choice, column=self.column_box.itemText(index), width=None, roi=None),
        )

    def _choose_channel(self, index: int) -> None:
        is_one = index >= N_TOGETHER
        self._change(
            channel=self._channels[index - N_TOGETHER] if is_one else None, is_apart=index == N_TOGETHER - 1
        )

    def _next_channel(self, by: int) -> None:
        if self._channels:
            at = self.channel_box.currentIndex() + by
            self._choose_channel(at % (len(self._channels) + N_TOGETHER))

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
        histogram = self._count(live)
        self.plot.show_hint("" if histogram is not None else self._why_empty(live))
        if histogram is None:
            self._show_nothing()
            return
        edges, counts = self._binned(histogram)
        over = self._laid_over(histogram)
        self._fit(edges, counts, [heights for _, heights in over])
        self._draw(edges, counts)
        self._draw_over(over, edges)
        self._show_region(edges, counts)
        self.cut_ranges.draw(self.choice.column)
        self._show_info(histogram)
        self.drawn.emit()

    def shown(self) -> Shown | None:
        """Say what is on screen and not in the session; None where nothing is."""
        histogram, live = self._histogram, self.bridge.live(self.session.selected)
        if histogram is None or live is None:
            return None
        edges, counts = self._binned(histogram)
        codes = live.channels if self._is_apart else [self._channel] if self._channel is not None else []
        shown = self.bridge.shown(live.channels)
        known = dict(zip(shown, self.bridge.names(shown), strict=True))
        named = tuple((known[code], code) for code in codes if code in known)
        low, high = self.plot.box.viewRange()[0]
        unit = chain_facts.unit_of(self.choice.column)
        channels = named or ((ALL_CHANNELS, None),)
        return Shown(float(edges[0]), float(edges[-1]), len(counts), (low, high), channels, unit)

    def _count(self, live: LiveRun | None) -> LiveHistogram | None:
        if live is None or self.choice.column not in live.columns:
            self._counted = None
            return None
        key = (live, self.choice.column, self._channel)
        if self._counted is None or self._counted.key != key:
            self._counted, self._factor = Counted(key), 0
        if not self._counted.catch_up(N_FINE, ROWS_A_TICK):
            self.redraw_soon()
        return self._counted.histogram

    @property
    def _is_apart(self) -> bool:
        return self.choice.is_apart and 1 < len(self._channels) <= MOST_APART

    def _parts(self) -> list[Part]:
        """Say what is to be laid over the spectrum."""
        live = self.bridge.live(self.session.selected)
        if live is None:
            return []
        parts = []
        if self._is_apart:
            shown = self.bridge.shown(live.channels)
            named = zip(self.bridge.names(shown), shown, strict=True)
            parts = [Part(name, live, channel) for name, channel in named]
        other = self.bridge.live(self.choice.beside)
        if other is not None and other is not live:
            parts.append(_beside(self.bridge.name_of(self.choice.beside), live, other, self._channel))
        return parts

    def _laid_over(self, histogram: LiveHistogram) -> list[tuple[str, np.ndarray]]:
        """Count what is to be laid over the spectrum; give names and heights."""
        parts, column = self._parts(), self.choice.column
        if not self._overlays.count(parts, column, histogram, ROWS_A_TICK):
            self.redraw_soon()
        found = ((part.name, self._overlays.counts(part, column, self._factor)) for part in parts)
        return [(name, heights) for name, heights in found if heights is not None]

    def _draw_over(self, over: list[tuple[str, np.ndarray]], edges: np.ndarray) -> None:
        is_named = bool(over) and not self._is_apart
        self.curve.setVisible(not self._is_apart)
        self._overlays.draw(over, edges, is_log=self.choice.is_log, first_color=0 if self._is_apart else 1)
        main = (self.bridge.name_of(self.session.selected), self.curve) if is_named else None
        self._overlays.name(main, [name for name, _ in over])

    def _binned(self, histogram: LiveHistogram) -> tuple[np.ndarray, np.ndarray]:
        """Join bins to the width that was chosen, or to one that suits the number of counts."""
        counts = histogram.counts
        if self.choice.width is not None:
            wanted = self.choice.width / self._fine_width(histogram)
        else:
            first, last = self._looked_at(histogram, counts)
            wanted = (last - first) / _suitable_bins(int(counts[first:last].sum()))
        self._factor = _power_of_two(wanted, histogram.n_bins // 8)
        return _joined(histogram, self._factor)

    def _looked_at(self, histogram: LiveHistogram, counts: np.ndarray) -> tuple[int, int]:
        """Give the first of the finest bins that are in view, or will be, and the one after the last."""
        if self.plot.box.zoomed_x:
            ends = np.searchsorted(histogram.edges, self.plot.box.viewRange()[0])
            first, last = (int(end) for end in np.clip(ends, 0, histogram.n_bins))
            return (first, last) if last > first else (0, histogram.n_bins)
        return _occupied(counts)

    def _fine_width(self, histogram: LiveHistogram) -> float:
        return (histogram.high - histogram.low) / histogram.n_bins

    def _fit(self, edges: np.ndarray, counts: np.ndarray, over: Sequence[np.ndarray] = ()) -> None:
        box = self.plot.box
        if not box.zoomed_x:
            first, last = _occupied(counts)
            low, high = float(edges[first]), float(edges[last])
            if last - first <= FEW_BINS:
                more = LEAST_SHARE * max(abs(low), abs(high))
                low, high = low - more / 2, high + more / 2
            room = 0.025 * (high - low)
            box.setXRange(low - room, high + room, padding=0)
        if not box.zoomed_y:
            (low, high), _ = box.viewRange()
            first, last = np.searchsorted(edges, [low, high])
            shown = [*over] if self._is_apart else [counts, *over]
            top = max(float(heights[max(first - 1, 0) : max(last, 1)].max(initial=1)) for heights in shown)
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
        self.plot.label_axes(x_words, f"counts / {width_words}", "counts")

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
        factor = _power_of_two(
            (roi[1] - roi[0]) / self._fine_width(histogram) / N_REGION_BINS, histogram.n_bins // 8
        )
        found = measure(*_joined(histogram, factor), *roi)
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
        self.plot.show_hint(self._why_empty(None))

    def _show_nothing(self) -> None:
        self.curve.setData([], [])
        self._overlays.draw([], np.zeros(1), is_log=False, first_color=0)
        self._overlays.name(None, [])
        self.region_item.hide()
        self.region_words.hide()
        self.cut_ranges.hide()
        self.info.setText("")

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.plot.recolor()
        self._overlays.legend.recolor()
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
        if state.state != "done":
            return f"No spectrum: the run {ENDS[state.state]}."
        return "Reading the events…" if state.made_on is not None and state.rows else "No events in this run."

    def _show_info(self, histogram: LiveHistogram) -> None:
        if self.plot.box.is_region_wanted:
            self.info.setText("Drag over the spectrum to mark a region; Esc gives up")
            return
        parts = [counted(histogram.n_values, "event")]
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
            channels = self.bridge.shown(live.channels)
        if names and names != self._columns:
            self._columns = names
            self.column_box.clear()
            self.column_box.addItems(names)
        channel_names = self.bridge.names(channels)
        if channels and (channels, channel_names) != (self._channels, self._channel_names):
            self._channels, self._channel_names = channels, channel_names
            self.channel_box.clear()
            self.channel_box.addItems(["all channels", "each channel", *channel_names])
            self.channel_box.setVisible(len(channels) > 1)
        self.column_box.setCurrentIndex(self.column_box.findText(self.choice.column))
        chosen = self._channel
        is_one = chosen in self._channels
        at = (
            self._channels.index(chosen) + N_TOGETHER
            if chosen is not None and is_one
            else int(self._is_apart)
        )
        self.channel_box.setCurrentIndex(at)
        with QSignalBlocker(self.log_box):
            self.log_box.setChecked(self.choice.is_log)

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self._actions)
        menu.addMenu(self.beside_menu)

    def _fill_beside_menu(self) -> None:
        self.beside_menu.clear()
        others = [run for run in self.session.runs if run.run_id != self.session.selected]
        for run in others:
            action = self.beside_menu.addAction(f"{self.bridge.name_of(run.run_id)} · {run.path.name}")
            action.setCheckable(True)
            action.setChecked(run.run_id == self.choice.beside)
            action.setEnabled(self.bridge.state(run.run_id) is not None)
            action.triggered.connect(lambda _checked=False, run_id=run.run_id: self.lay_beside(run_id))
        if not others:
            self.beside_menu.addAction("there is no other run").setEnabled(False)


def _beside(name: str, live: LiveRun, other: LiveRun, channel: int | None) -> Part:
    """Lay another run over the selected one, scaled to the time that this one took, where both are known."""
    scale = live.duration_s / other.duration_s if live.duration_s and other.duration_s else 1.0
    same = channel if channel in other.channels else None
    return Part(name if scale == 1.0 else f"{name} × {words.three_digits(scale)}", other, same, scale)


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
    second = f"centroid {words.with_error(found.centroid, found.centroid_error)} {unit}".rstrip()
    if found.fwhm_error < found.fwhm:
        second += f"\nFWHM {words.with_error(found.fwhm, found.fwhm_error)} {unit}".rstrip()
    return f"{first}\n{second}"


def next_peak(x: np.ndarray, counts: np.ndarray, seen: list[float], apart: float) -> float | None:
    """Give the place of the highest bin that is at least `apart` from all places seen; None if none is left.

    x, counts: (n,). Only bins that stand out on both sides count, so a threshold is no peak.
    """
    is_peak = np.zeros(len(counts), bool)
    is_peak[1:-1] = (counts[1:-1] >= counts[:-2]) & (counts[1:-1] >= counts[2:])
    means = np.convolve(counts, np.ones(AROUND) / AROUND, "full")  # of each bin and those before it
    before = np.concatenate([np.zeros(APART), means])[: len(counts)]
    after = np.concatenate([means[AROUND - 1 :], np.zeros(APART)])[APART : APART + len(counts)]
    level = np.maximum(before, after)
    is_peak &= counts > level + 4 * np.sqrt(level + 1)
    for place in seen:
        is_peak &= np.abs(x - place) > apart
    if not is_peak.any():
        return None
    return float(x[np.argmax(np.where(is_peak, counts, 0))])


def _see_through(color: QColor) -> QColor:
    color.setAlpha(200)
    return color


def _joined(histogram: LiveHistogram, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Join `factor` of the finest bins to one: edges and counts."""
    return histogram.edges[::factor], histogram.counts.reshape(-1, factor).sum(axis=1)


def _power_of_two(wanted: float, limit: int) -> int:
    return int(min(2 ** max(round(math.log2(max(wanted, 1.0))), 0), limit))


def _occupied(counts: np.ndarray) -> tuple[int, int]:
    """Give the first bin with counts and the one after the last; all bins where there are none."""
    filled = np.flatnonzero(counts)
    return (int(filled[0]), int(filled[-1]) + 1) if len(filled) else (0, len(counts))


def _suitable_bins(n: int) -> float:
    return min(max(12.0 * math.sqrt(n), 150.0), 1200.0)


def _long_unit(unit: str) -> str:
    return "ADC counts" if unit == "ADC" else unit
