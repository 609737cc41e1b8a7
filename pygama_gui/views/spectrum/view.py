"""Shows the histogram of a column as it grows; keeps the zoom that a person chose, and measures a region."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QVBoxLayout, QWidget

from pygama.analysis.regions import Region, measure_region
from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts, spectra
from pygama_gui.data.live import LiveHistogram
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.selection import passing_of
from pygama_gui.jobs.board import counted
from pygama_gui.machine.fitting import Measured
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import KEV, borrowed, carried_over, raw_column
from pygama_gui.session.cut_reach import reach_of_cuts
from pygama_gui.session.exports import ALL_CHANNELS, Shown
from pygama_gui.session.state import Fit, NamedRegion, Run, Session, SpectrumChoice
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.spectrum import actions as spectrum_actions
from pygama_gui.views.spectrum.actions import SpectrumActions
from pygama_gui.views.spectrum.controls import SpectrumControls
from pygama_gui.views.spectrum.counting import N_FINE, SpectrumCounting, fine_width, seconds_words
from pygama_gui.views.spectrum.drawing import Picture, SpectrumDrawing
from pygama_gui.views.spectrum.export import SpectrumExporter
from pygama_gui.views.spectrum.peaks import SpectrumPeaks
from pygama_gui.views.spectrum.ranges import CutRanges
from pygama_gui.views.spectrum.region import RegionMark, region_words
from pygama_gui.views.spectrum.room import Room
from pygama_gui.views.spectrum.strip import Strip
from pygama_gui.widgets import words
from pygama_gui.widgets.plot import Plot, ZoomBox

MOST_APART = 12
ENDS = {"failed": "failed", "stopped": "was stopped"}
PAN, FAR = 0.1, 5
"""Share of the picture that an arrow key moves it by, and how many times that with Shift."""
PEAK_ZOOM = 20
"""Going to a peak when all is in view zooms in as many times."""
N_REGION_BINS = 64
"""A region is measured in about as many bins, whatever the bins on screen."""


class SpectrumView(View):
    """The spectrum of any column, live."""

    TITLE = "Spectrum"
    HELP = (
        "The histogram of a column, growing while the run is processed. Drag to the right to zoom in, "
        "to the left to zoom out; Alt- or Shift-drag to measure a region; double-click on a peak to fit it; "
        "Ctrl-click to read out."
    )
    SHORTCUTS = spectrum_actions.SHORTCUTS

    calibrate_asked = pyqtSignal()
    """Somebody wants to calibrate with the fitted peaks."""
    calibrate_shown_asked = pyqtSignal()
    """Somebody wants the lines found in what is shown."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.plot = Plot("Spectrum plot", "trap_max (ADC)", "counts")
        self.drawing = SpectrumDrawing(self)
        self.region = RegionMark(self.plot, lambda *roi: self._measure(roi), lambda *roi: self._mark(roi))
        self.strip = Strip()
        self.picture: Picture | None = None
        self._is_first_look = False
        """What is on screen."""
        self.counting = SpectrumCounting(self)
        self.overlays = self.counting.overlays
        self._others_before: tuple[str, ...] = ()
        self._peaks_seen: list[float] = []
        self.cut_ranges = CutRanges(self, self.plot)
        self.peaks = SpectrumPeaks(self)
        self.controls = SpectrumControls(self)
        self.exporter = SpectrumExporter(self)
        self.actions_of = SpectrumActions(self)
        self.plot.fill_menu = self.actions_of.fill_menu
        self.beside_menu = self.actions_of.compare_menu
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.plot, 1)
        column.addWidget(self.strip)
        self._line = self.controls.row(self.beside_menu)
        column.addWidget(self._line)

    def _connect(self) -> None:
        box = self.plot.box
        box.stands_on_floor = True
        box.region_dragged.connect(lambda low, high: self._mark((low, high)))
        box.zoom_changed.connect(self.redraw_soon)
        box.sigResized.connect(self.redraw_soon)
        box.double_clicked.connect(self.peaks.double_clicked)
        self.strip.box.zoom_changed.connect(self._take_zoom_of_strip)
        self.strip.box.double_clicked.connect(lambda _at: self.show_all())

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

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave the room to the picture where there is little."""
        super().resizeEvent(event)
        self._line.suit_height(self.height())

    def view_actions(self) -> list[QAction]:
        """Give what can be done with the spectrum."""
        return self.actions_of.all

    def keys_go_to(self) -> Plot:
        """Leave the keys with the plot when a control is clicked."""
        return self.plot

    def boxes(self) -> dict[str, ZoomBox]:
        """Give what a person can zoom."""
        return {"spectrum": self.plot.box}

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [self.plot, *self.controls.stops()]

    # What the session and the jobs bring

    @property
    def choice(self) -> SpectrumChoice:
        """What the session says is to be shown."""
        return self.session.spectrum

    @property
    def channel(self) -> int | None:
        """The chosen channel, where the run has it."""
        live = self.bridge.live(self.session.selected)
        chosen = self.choice.channel
        return chosen if live is not None and chosen in live.channels else None

    @property
    def is_apart(self) -> bool:
        """Tell whether each channel is drawn for itself."""
        return self.choice.is_apart and 1 < len(self.controls.channels) <= MOST_APART

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change brings."""
        before, now = old.spectrum, new.spectrum
        if before.column != now.column:
            self.plot.box.forget_zoom()
        if old.selected != new.selected:
            self.plot.box.zoomed_y, self._is_first_look = False, True
        if old.selected != new.selected or before.column != now.column:
            self.peaks.clear()
        if _heights_of(before) != _heights_of(now):
            self.plot.box.zoomed_y = False
        shown = ("selected", "spectrum", "runs", "fits", "fit", "regions", "channel_map", "calibrations")
        is_other = any(getattr(old, name) is not getattr(new, name) for name in shown)
        if is_other or passing_of(old) != passing_of(new):
            self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Say why there is nothing to see, or how far a data set on disk is counted."""
        if self.session.selected not in run_ids:
            return
        if self.counting.counted is None:
            self.redraw_soon()
        elif self.picture is not None and (histogram := self._histogram) is not None:
            self._show_info(histogram)  # of a data set on disk, how far it is counted

    def on_data(self, run_ids: set[str]) -> None:
        """Count new rows."""
        if run_ids & {self.session.selected, *self.choice.others}:
            self.redraw_soon()

    # What a person does

    def choose(self, **values: Any) -> None:
        """Change what is shown."""
        self.bridge.change(changes.show_spectrum, replace(self.choice, **values))

    def choose_column(self, column: str) -> None:
        """Show another column; region and markers go with it from ADC counts to energies and back."""
        if column != self.choice.column:
            roi, markers = carried_over(self.session, column)
            self.choose(column=column, width=None, roi=roi, markers=markers)

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
        self.choose(is_log=not self.choice.is_log)

    def toggle_rate(self) -> None:
        """Show the rate density, as counts/keV/s, or counts per bin."""
        self.choose(is_rate=not self.choice.is_rate)

    def toggle_strip(self, strip: str) -> None:
        """Draw something below, or no longer."""
        self.choose(strip="automatic" if self.choice.strip == strip else strip)

    def rebin(self, by: float) -> None:
        """Make the bins wider or narrower."""
        histogram = self._histogram
        if histogram is not None:
            drawn_next = self.counting.join_by(histogram)  # a second key may come before the first is drawn
            factor = min(max(drawn_next * by, 1), histogram.n_bins // spectra.LEAST_JOINED)
            self.choose(width=factor * fine_width(histogram))

    def show_region(self) -> None:
        """Bring the region into view."""
        if self.choice.roi is not None:
            low, high = self.choice.roi
            self.look_at(low - 2 * (high - low), high + 2 * (high - low))

    def look_at(self, low: float, high: float) -> None:
        """Show a stretch of x."""
        self.plot.box.setXRange(low, high, padding=0)
        self.plot.box.zoomed_x = True
        self.redraw_soon()

    def look_at_fit(self, fit: Fit | NamedRegion) -> None:
        """Show a fit or a region, with its column and channel."""
        self.choose_column(fit.column)
        self.choose(channel=fit.channel, is_apart=False)
        low, high = (
            (fit.low, fit.high) if isinstance(fit, NamedRegion) else (fit.request.low, fit.request.high)
        )
        if isinstance(fit, NamedRegion):
            self._mark((low, high))
        self.look_at(low - 0.3 * (high - low), high + 0.3 * (high - low))

    def nudge(self, bins: int) -> None:
        """Move an end of the fit that was taken, the read-out or the region by some bins, or the picture."""
        histogram, roi = self._histogram, self.choice.roi
        if histogram is not None and self.peaks.fit_ends.is_held:
            self.peaks.fit_ends.nudge(bins * self._factor * fine_width(histogram))
        elif histogram is not None and self.peaks.cursor is not None:
            self.peaks.read_out(self.peaks.cursor + bins * self._factor * fine_width(histogram))
        elif roi is None:
            self.plot.box.pan(PAN * bins / max(abs(bins), 1) * (1 if abs(bins) == 1 else FAR))
        elif histogram is not None:
            by = bins * self._factor * fine_width(histogram)
            self._mark((roi[0] + by, roi[1] + by), merge="region")

    def centre_on_peak(self) -> None:
        """Go to the highest peak that was not visited since all was shown, keeping the zoom."""
        histogram = self._histogram
        if histogram is None:
            return
        fine = self.counting.fine_counts(histogram)
        first, last = spectra.occupied(fine)  # in bins that suit the whole, peaks are a few bins wide
        suitable = (last - first) / spectra.suitable_bins(int(fine.sum()))
        factor = spectra.power_of_two(suitable, histogram.n_bins)
        edges, counts = histogram.edges[::factor], spectra.joined(fine, factor)
        (low, high), _ = self.plot.box.viewRange()
        half = (high - low) / 2
        if not self.plot.box.zoomed_x:
            half, self._peaks_seen = half / PEAK_ZOOM, []
        at = spectra.next_peak((edges[:-1] + edges[1:]) / 2, counts, self._peaks_seen, apart=half / 4)
        if at is None:
            self._peaks_seen = []
            return
        self._peaks_seen.append(at)
        self.look_at(at - half, at + half)

    def lay_beside(self, run_id: str) -> None:
        """Show another run in the same picture; the same one again takes it away."""
        others = self.choice.others
        self.choose(
            others=tuple(one for one in others if one != run_id) if run_id in others else (*others, run_id)
        )

    def toggle_beside(self) -> None:
        """Take the other runs away, or show those that were shown last."""
        before, self._others_before = self._others_before, self.choice.others or self._others_before
        self.choose(others=() if self.choice.others else before)

    def begin_region(self) -> None:
        """Let the next drag mark a region; asked for once more, mark all that is in view."""
        if self.plot.box.is_region_wanted:
            self.plot.box.cancel()
            low, high = self.plot.box.viewRange()[0]
            self._mark((float(low), float(high)))
            self.redraw_soon()
        else:
            self.want_region()

    def want_region(self) -> None:
        """Let the next drag mark a region."""
        self.plot.box.is_region_wanted = True
        self.redraw_soon()

    def give_up(self) -> None:
        """Put back what the mouse holds; else let a drag zoom again, and take peaks and read-out away."""
        given_up = [self.region.item.let_go(), self.cut_ranges.give_up(), self.peaks.fit_ends.give_up()]
        if not any(given_up):
            self.plot.box.cancel()
            self.peaks.clear()
        self.redraw_soon()

    def remove_under_mouse(self) -> None:
        """Remove the marker under the mouse; the region where there is none."""
        if not self.peaks.remove_marker():
            self._mark(None)

    def _mark(self, roi: tuple[float, float] | None, merge: str = "") -> None:
        self.bridge.change(changes.mark_region, roi, merge=merge)

    def _take_zoom_of_strip(self) -> None:
        """Look where somebody dragged to in the strip."""
        if self.strip.box.zoomed_x:
            self.strip.box.zoomed_x = self.strip.box.zoomed_y = False
            self.look_at(*self.strip.box.viewRange()[0])

    # Counting

    @property
    def _histogram(self) -> LiveHistogram | None:
        return self.counting.histogram

    @property
    def _factor(self) -> int:
        return self.counting.factor

    def fine_bins(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Give edges and counts of the finest bins; None where there are none."""
        histogram = self._histogram
        return None if histogram is None else (histogram.edges, self.counting.fine_counts(histogram))

    # Drawing

    def redraw(self) -> None:
        """Count what is new and draw the spectrum."""
        live = self.bridge.live(self.session.selected)
        for run_id in (self.session.selected, *self.choice.others):
            self.bridge.timing.ask(run_id)
        self._leave_lost_energies(live)
        self.controls.show(live)
        histogram = self.counting.count(live)
        why = self._why_empty(live) if histogram is None else self._why_no_value(histogram)
        self.plot.show_hint(why)
        if histogram is None or live is None or why:
            self._show_nothing()
            if histogram is not None:
                self._show_info(histogram)
            return
        self._leave_empty_place(histogram)
        self.picture = self.counting.pictured(live, histogram)
        self.drawing.fit(self.picture)
        self.drawing.draw(self.picture)
        self.drawing.draw_over(self.picture)
        room = Room(self.plot)
        if self.overlays.legend.isVisible():
            room.close(self.overlays.legend.geometry())
        room.lay(self.picture.edges, self.picture.heights(is_log=self.choice.is_log))
        self._show_region(room)
        self.cut_ranges.draw(self.choice.column)
        room.spare([*(self.choice.roi or ()), *self.cut_ranges.ends()])
        self.peaks.draw(self.picture, room)
        self.drawing.draw_strip(self.picture)
        self._show_info(histogram)
        self.drawn.emit()

    def _leave_empty_place(self, histogram: LiveHistogram) -> None:
        """Look at the same place of another run, or at all of it where it has no counts there."""
        if self._is_first_look and histogram.n_values:
            self._is_first_look = False
            first, last = np.searchsorted(histogram.edges, self.plot.box.viewRange()[0])
            if not histogram.counts[max(first - 1, 0) : last].any():
                self.plot.box.forget_zoom()

    def _leave_lost_energies(self, live: LiveRun | None) -> None:
        """Show the raw column where the calibration of the energies was taken back."""
        column = self.choice.column
        raw = column.removesuffix(KEV)
        is_lost = column != raw and raw_column(self.session, column) == column
        if is_lost and live is not None and column not in live.columns and raw in live.columns:
            self.choose_column(raw)

    def shown(self) -> Shown | None:
        """Say what is on screen and not in the session; None where nothing is.

        Behind another tab: what will be on screen.
        """
        self.draw_if_due()
        picture, live = self.picture, self.bridge.live(self.session.selected)
        if picture is None or live is None:
            return None
        codes = live.channels if self.is_apart else [self.channel] if self.channel is not None else []
        shown = self.bridge.shown(live.channels)
        known = dict(zip(shown, self.bridge.names(shown), strict=True))
        named = tuple((known[code], code) for code in codes if code in known)
        low, high = self.plot.box.viewRange()[0]
        unit = chain_facts.unit_of(self.choice.column)
        channels = named or ((ALL_CHANNELS, None),)
        edges = picture.edges
        return Shown(float(edges[0]), float(edges[-1]), len(edges) - 1, (low, high), channels, unit)

    def _show_region(self, room: Room) -> None:
        roi = self.choice.roi
        if roi is None:
            self.region.hide()
            return
        self.region.show(roi)
        self._measure(roi, room)

    def _measure(self, roi: tuple[float, float], room: Room | None = None) -> None:
        if self._histogram is not None:
            told = region_words(self.measured(roi), chain_facts.unit_of(self.choice.column))
            told += f"\n{why}" if (why := self._why_about(roi)) else ""
            self.region.write(told, roi, room or Room(self.plot))

    def _why_about(self, roi: tuple[float, float]) -> str:
        """Say why what a region of a data set on disk holds is not known exactly; empty where it is."""
        selected, live = self.session.selected, self.bridge.live(self.session.selected)
        if n_sampled := self.counting.passing.n_sampled(selected):
            return words.sampled(n_sampled)
        if self._exact(roi) is not None or live is None or not live.is_on_disk:
            return ""
        return "by whole bins, until it is counted"

    def _exact(self, roi: tuple[float, float]) -> Measured | None:
        """Give what a region holds, if it is the marked one and is counted."""
        exact = self.bridge.fitting.measured_mark(self.session.selected)
        return exact if exact is not None and (exact.fit.low, exact.fit.high) == roi else None

    def measured(self, roi: tuple[float, float]) -> Region | None:
        """Measure a region of the spectrum: the marked one as those that are kept, as soon as it is counted.

        Until then, in bins of the histogram, whose edges are not those of the region.
        """
        if (exact := self._exact(roi)) is not None:
            return exact.found
        histogram = self._histogram
        if histogram is None:
            return None
        wanted = (roi[1] - roi[0]) / fine_width(histogram) / N_REGION_BINS
        factor = spectra.power_of_two(wanted, histogram.n_bins)
        counts = spectra.joined(self.counting.fine_counts(histogram), factor)
        live = self.bridge.live(self.session.selected)
        seconds = None if live is None else self.counting.seconds(live) or None
        n_sampled = self.counting.passing.n_sampled(self.session.selected)
        scale = live.n_rows / n_sampled if live is not None and n_sampled else 1.0
        within = reach_of_cuts(self.session, self.session.selected_run, self.choice.column, self.channel)
        edges = histogram.edges[::factor]
        found = measure_region(counts / scale, edges, *roi, live_time_s=seconds, within=within)
        return found if found is None or scale == 1.0 else found.scaled(scale)

    def rehearse(self) -> None:
        """Draw a made-up spectrum once, unseen."""
        histogram = LiveHistogram.around(madeup.heights(2000), N_FINE)
        factor = self.counting.join_by(histogram)
        picture = Picture(histogram.edges[::factor], spectra.joined(histogram.counts, factor))
        self.drawing.fit(picture)
        self.drawing.draw(picture)
        self.plot.grab()
        self._show_nothing()
        self.plot.show_hint(self._why_empty(None))

    def _show_nothing(self) -> None:
        self.picture = None
        self.drawing.clear()
        self.overlays.draw((), np.zeros(1), is_log=False, unit=1.0, first=0)
        self.overlays.name(None, [])
        self.cut_ranges.hide()
        self.strip.hide()
        self.region.hide()
        self.peaks.hide()
        self.controls.info.setText("")

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.plot.recolor()
        self.strip.recolor()
        self.overlays.legend.recolor()
        self.redraw_soon()

    # Words

    def _why_empty(self, live: LiveRun | None) -> str:
        state = self.bridge.state(self.session.selected)
        if (run := self.session.selected_run) is None:
            return "The spectrum of the selected run appears here."
        if why := self.bridge.data_sets.why_empty(self.session.selected):
            return why
        if state is None:
            return self.bridge.gone.why_unread(run) or "No spectrum yet. Process the run to see it."
        if live is not None and raw_column(self.session, self.choice.column) in live.columns:
            return "Computing the energies…"
        if live is not None and len(live.columns):
            if run.tier2 is not None and run.is_given:
                return f"There is no {self.choice.column} in {run.tier2.name}. Choose another column below."
            return f"The chain writes no {self.choice.column}."
        if not state.has_ended:
            return words.waiting_for("events", follows=state.follows)
        if state.state != "done":
            return f"No spectrum: the run {ENDS[state.state]}."
        return "Reading the events…" if state.rows else "No events in this run."

    def _why_no_value(self, histogram: LiveHistogram) -> str:
        """Say why there is nothing to count, though there are events; "" where there is."""
        if self.choice.others or not histogram.n_nan or histogram.n_nan < histogram.n_values:
            return ""
        column = self.choice.column
        raw = raw_column(self.session, column)
        if raw == column:
            return f"{column} has no value in any of these events."
        return f"{raw} is not calibrated for these channels.\nChoose {raw}, or calibrate it in Fits."

    def _show_info(self, histogram: LiveHistogram) -> None:
        if self.plot.box.is_region_wanted:
            self._say("Drag over the spectrum, or Shift+R for all in view; Esc gives up", "Drag, or Shift+R")
            return
        if held := self.peaks.fit_ends.held_words:
            self._say(f"Left and Right move the {held}; E takes the next, Esc lets go", f"← → {held}")
            return
        progress = self.bridge.data_sets.progress(self.session.selected)
        live = self.bridge.live(self.session.selected)
        parts, short = [counted(histogram.n_values, "event")], ""
        if self.counting.passing.are_cuts_on and self.picture is not None:
            n_passing = words.count(self.picture.counts.sum())
            parts = [f"{n_passing} of {parts[0]} pass and lie here"]
            short = f"{n_passing} of {words.count(histogram.n_values)} pass here"
        outside = histogram.underflow + histogram.overflow
        parts += [f"{words.count(outside)} outside"] if outside else []
        parts += [f"{words.count(histogram.n_nan)} without a value"] if histogram.n_nan else []
        if live is not None and self.picture is not None and self.choice.is_rate:
            parts.append(seconds_words(live, self.channel, is_rate=self.picture.is_rate))
        if live is not None and live.is_on_disk and progress is not None:
            parts.insert(0, progress.words)
        if n_sampled := self.counting.passing.n_sampled(self.session.selected):
            parts.insert(0, words.sampled(n_sampled))
        has_values = histogram.n_values > histogram.n_nan
        if has_values and self.choice.column != raw_column(self.session, self.choice.column):
            whose = borrowed(self.session, self.session.selected_run, self.choice.column)
            parts += [f"▲ {whose}"] if whose else []
        self._say(" · ".join(parts), short)

    def _say(self, text: str, short: str) -> None:
        """Write below the spectrum. short: where there is no room."""
        self.controls.info.setText(text)
        self.controls.info.short = short


def _heights_of(shown: SpectrumChoice) -> tuple[object, ...]:
    """Give what heights depend on: a height that was chosen to be seen suits no other ones."""
    return (
        *(shown.is_log, shown.is_rate, shown.width),
        *(shown.channel, shown.is_apart, shown.is_only_passing),
    )
