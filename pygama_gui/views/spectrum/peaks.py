"""Does with the peaks of a spectrum what a person asks for: fit, integrate, search, mark, read out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt5.QtCore import QPointF, Qt

from pygama.analysis.fit_request import FitRequest
from pygama.analysis.fit_starts import around_peak
from pygama.analysis.lines import lines_of
from pygama.analysis.peaks import first_guess
from pygama.analysis.region_fit import RegionFit
from pygama.analysis.search import FoundPeak, find_peaks
from pygama_gui.data import chain_facts
from pygama_gui.data.health import COLUMNS_OF_RANGE, at_end_of_range
from pygama_gui.data.linked import Rows
from pygama_gui.machine.fitting import Outcome
from pygama_gui.session import changes, fit_changes
from pygama_gui.session.calibration_changes import calibrations_of, of_channel, raw_column
from pygama_gui.session.state import Fit, NamedRegion
from pygama_gui.views.spectrum.fit_curves import FitCurves, Scale
from pygama_gui.views.spectrum.fit_ends import FitEnds
from pygama_gui.views.spectrum.marks import NEAR_PX, Lines, PeakMarks, nearest
from pygama_gui.views.spectrum.region import all_region_words
from pygama_gui.views.spectrum.room import Room
from pygama_gui.widgets import words
from pygama_gui.widgets.plot import heights_of

if TYPE_CHECKING:
    from pygama_gui.views.spectrum.drawing import Picture
    from pygama_gui.views.spectrum.view import SpectrumView

SEEN_PERCENT = 2.0
"""Lines with fewer photons in 100 decays are fitted beside their neighbours, but not marked."""
MOST_LINES = 40
"""Gamma lines that are marked, at most; the strongest."""
NO_PEAK = "No peak stands out from what is in view"
LEAST_BINS = 16
"""In fewer of the finest bins nobody can tell where a window is highest."""
REGION_FWHM = 1.8
"""Half of a region that is marked around a peak, in FWHM."""
SEEN_SHARE = 0.04
"""Residuals are drawn by themselves where the fit takes such a part of the picture."""


class SpectrumPeaks:
    """Fits, found peaks, markers and the read-out cursor of one spectrum."""

    def __init__(self, view: SpectrumView) -> None:
        self._view = view
        self._fits = FitCurves(view.plot)
        self.fit_ends = FitEnds(view)
        self._marks = PeakMarks(view.plot)
        self._markers = Lines(view.plot, "marker", Qt.PenStyle.SolidLine, 13)
        self._lines = Lines(view.plot, "soft", Qt.PenStyle.DotLine, 2)
        self._kept = Lines(view.plot, "marker", Qt.PenStyle.DashLine, 5)
        self._reading = Lines(view.plot, "text", Qt.PenStyle.DashLine, 21)
        self.found: tuple[FoundPeak, ...] = ()
        """Peaks that were searched for."""
        self._untold: set[str] = set()
        """Names of fits that were asked for, until it is known what came out."""
        self._failed: set[tuple[str, str]] = set()
        """Runs and fits of which it was told why they were not made."""
        self.cursor: float | None = None
        """Where the read-out stands."""
        self._mouse: QPointF | None = None
        """Where the mouse is, on the scene: the axes may move below it."""
        self._is_told_later = False
        """Whether what the region holds is to be written as soon as it is measured."""
        scene = view.plot.scene()
        scene.sigMouseMoved.connect(self._follow_mouse)
        scene.sigMouseClicked.connect(self._clicked)
        view.bridge.fitting.fitted.connect(self._fitted)
        view.bridge.fitting.due.connect(view.redraw_soon)

    # The mouse

    def _follow_mouse(self, at: QPointF) -> None:
        box = self._view.plot.box
        self._mouse = QPointF(at) if box.sceneBoundingRect().contains(at) else None

    def _clicked(self, event: Any) -> None:
        """Read out where somebody clicks with Ctrl."""
        wanted = Qt.KeyboardModifier.ControlModifier
        if event.modifiers() & wanted and event.button() == Qt.MouseButton.LeftButton and not event.double():
            event.accept()
            self.read_out(float(self._view.plot.box.mapSceneToView(event.scenePos()).x()))

    def double_clicked(self, at: QPointF) -> None:
        """Fit the peak under the mouse; above the curve, show all."""
        picture = self._view.picture
        if picture is None or at.y() > self._height_at(at.x(), picture):
            self._view.show_all()
        else:
            self.fit_at(float(at.x()))

    @property
    def here(self) -> float:
        """Give the place that keys are about: the read-out cursor, the mouse, or the middle."""
        if self.cursor is not None:
            return self.cursor
        box = self._view.plot.box
        if self._mouse is None:
            return float(np.mean(box.viewRange()[0]))
        return float(box.mapSceneToView(self._mouse).x())

    def _height_at(self, x: float, picture: Picture) -> float:
        at = int(np.searchsorted(picture.edges, x, side="right")) - 1
        near = picture.counts[max(at - 1, 0) : max(at + 2, 0)]
        if not len(near):
            return -np.inf
        return float(
            heights_of(near.max(keepdims=True), is_log=self._view.choice.is_log, unit=picture.unit)[0]
        )

    # Fits

    def fit_here(self) -> None:
        """Fit the peak at the cursor."""
        self.fit_at(self.here)

    def fit_at(self, x: float) -> None:
        """Fit the peak that stands near a place."""
        bins = self._view.fine_bins()
        if bins is None or not bins[0][0] <= x <= bins[0][-1]:
            return
        edges, counts = bins
        self._compute(partial(around_peak, counts, edges, x), lambda request: self._add([request]))

    def fit_region(self) -> None:
        """Fit what is in the region."""
        roi = self._view.choice.roi
        if roi is None:
            self._view.bridge.log("Mark a region to fit: Alt- or Shift-drag over the spectrum", "warning")
            self._view.want_region()
        else:
            self._add([FitRequest(*roi)])

    def fit_found(self) -> None:
        """Fit all peaks that were found in view; search for them first where they were not."""
        bins = self._view.fine_bins()
        if bins is None:
            return
        edges, counts = bins
        (low, high), _ = self._view.plot.box.viewRange()
        known = [peak for peak in self.found if low < peak.position < high]
        column, run_id = self._view.choice.column, self._view.session.selected
        rows = self._view.bridge.rows_of(run_id, {column, *COLUMNS_OF_RANGE})

        def requests() -> tuple[list[FitRequest], list[FoundPeak]]:
            peaks, at_end = _without_end(known or _searched(edges, counts, low, high), rows, column)
            return _each_once(around_peak(counts, edges, peak.position) for peak in peaks), at_end

        self._compute(requests, lambda found: self._try_out(run_id, *found))

    def _try_out(self, run_id: str, requests: list[FitRequest], at_end: list[FoundPeak]) -> None:
        """Fit what was found, and keep the fits that find a peak."""
        view = self._view
        unit = chain_facts.unit_of(view.choice.column)
        for peak in at_end:
            name = _name_at([peak.position], unit)
            view.bridge.log(f"{name} is not fitted: its events are at the end of the range")
        if not (requests or at_end):
            view.bridge.log(NO_PEAK)
        fits = [self._fit_of(request) for request in requests if not self._is_there(request)]
        if fits:
            view.bridge.fitting.try_out(run_id, fits, self._keep_good)

    def _keep_good(self, outcomes: Sequence[Outcome]) -> None:
        bridge = self._view.bridge
        for outcome in outcomes:
            if outcome.why_not:
                bridge.log(f"Fit {outcome.fit.name} is not kept: {outcome.why_not}", "warning")
        if good := [outcome.fit for outcome in outcomes if not outcome.why_not]:
            self.found = ()
            bridge.change(fit_changes.add_fits, good)

    def _fit_of(self, request: FitRequest) -> Fit:
        return Fit(self._name_of(request), self._view.choice.column, request, self._view.channel)

    def _add(self, requests: list[FitRequest]) -> None:
        view = self._view
        fits = [self._fit_of(request) for request in requests if not self._is_there(request)]
        if fits:
            self.found = ()
            self._untold |= {fit.name for fit in fits}
            view.bridge.change(fit_changes.add_fits, fits)

    def _is_there(self, request: FitRequest) -> bool:
        """Tell whether a request is that of a fit which is there already; choose it."""
        choice, channel = self._view.choice, self._view.channel
        same = [
            fit
            for fit in self._view.session.fits
            if (fit.column, fit.channel, fit.request) == (choice.column, channel, request)
        ]
        for fit in same:
            self._view.bridge.change(fit_changes.choose_fit, fit.name)
            self._untold.add(fit.name)
        self._tell_of_failures(self._view.session.selected)
        return bool(same)

    def _name_of(self, request: FitRequest) -> str:
        at = request.positions or (self._highest_in(request),)
        return _name_at(at, chain_facts.unit_of(self._view.choice.column))

    def _highest_in(self, request: FitRequest) -> float:
        """Give where the counts of a window are highest; its middle where that cannot be told."""
        bins = self._view.fine_bins()
        edges, counts = bins if bins is not None else (np.arange(2.0), np.zeros(1))
        first, last = np.searchsorted(edges, [request.low, request.high])
        if last - first < LEAST_BINS or not counts[first:last].any():
            return 0.5 * (request.low + request.high)
        return first_guess(counts[first : last - 1].astype(float), edges[first:last])[1]

    def _chosen_here(self) -> Fit | None:
        """Give the chosen fit if it is of what is on screen, whatever came out of it."""
        view, fit = self._view, self._view.session.chosen_fit
        if fit is None or view.is_apart or (fit.column, fit.channel) != (view.choice.column, view.channel):
            return None
        return fit

    def shown_fits(self) -> list[tuple[RegionFit, bool]]:
        """Give the fits of the spectrum on screen, each with whether it is the chosen one."""
        view, session = self._view, self._view.session
        found = []
        for fit in session.fits:
            outcome = view.bridge.fitting.outcome(session.selected, fit.name)
            is_here = (fit.column, fit.channel) == (view.choice.column, view.channel)
            result = None if outcome is None else outcome.found
            if is_here and not view.is_apart and result is not None and result.converged:
                found.append((result, fit.name == session.fit))
        return found

    def chosen(self) -> RegionFit | None:
        """Give the chosen fit, where it is one of the spectrum on screen."""
        return next((fit for fit, is_chosen in self.shown_fits() if is_chosen), None)

    def residuals_wanted(self) -> RegionFit | None:
        """Give the fit whose residuals are drawn below, if any are."""
        fit, strip = self.chosen(), self._view.choice.strip
        if fit is None or strip == "residuals":
            return fit
        low, high = self._view.plot.box.viewRange()[0]
        seen = min(fit.edges[-1], high) - max(fit.edges[0], low)
        return fit if strip == "automatic" and seen > SEEN_SHARE * (high - low) else None

    def _fitted(self, run_id: str) -> None:
        if run_id == self._view.session.selected:
            if self._is_told_later and self._view.choice.roi is not None:
                self.integrate()
            self._is_told_later &= self._view.choice.roi is not None
            self._view.redraw_soon()
            self._tell_of_failures(run_id)

    def _tell_of_failures(self, run_id: str) -> None:
        """Say what kept fits from being made: nothing is drawn, and their panel may be out of sight."""
        bridge = self._view.bridge
        for name in sorted(self._untold):
            if (outcome := bridge.fitting.outcome(run_id, name)) is not None:
                self._untold.remove(name)
                if outcome.why_not:
                    self._failed.add((run_id, name))
                    bridge.log(f"Fit {name}: {outcome.why_not}", "warning")
        for name in [name for of, name in self._failed if of == run_id]:
            outcome = bridge.fitting.outcome(run_id, name)
            if outcome is None or not outcome.why_not:
                self._failed.remove((run_id, name))
            if outcome is not None and not outcome.why_not:
                bridge.log(f"Fit {name} is made now")

    # Searching, integrating, marking

    def search(self) -> None:
        """Search the peaks in view, or take the marks of the last search away."""
        if self.found:
            self._take_found(())
            return
        bins = self._view.fine_bins()
        if bins is None:
            return
        edges, counts = bins
        low, high = self._view.plot.box.viewRange()[0]
        self._compute(lambda: _searched(edges, counts, low, high), self._take_found)

    def _take_found(self, found: tuple[FoundPeak, ...]) -> None:
        if not found and not self.found:
            self._view.bridge.log(NO_PEAK)
        self.found = found
        self._view.redraw_soon()

    def unfitted(self) -> tuple[FoundPeak, ...]:
        """Give the peaks that were found and that no fit on screen has, whose words would say it again."""
        places = [peak.position for fit, _ in self.shown_fits() for peak in fit.peaks]
        return tuple(
            peak for peak in self.found if not any(abs(x - peak.position) < peak.fwhm for x in places)
        )

    def integrate(self) -> None:
        """Write what the region holds to the log; without one, mark the peak at the cursor."""
        view = self._view
        roi = view.choice.roi
        if roi is None:
            self._mark_around(self.here)
            return
        fitting, run_id = view.bridge.fitting, view.session.selected
        self._is_told_later = fitting.is_to_be_measured(run_id)
        if self._is_told_later:
            fitting.ask(run_id)
            return
        found, unit = view.measured(roi), chain_facts.unit_of(view.choice.column)
        ends = f"{words.level(roi[0])} to {words.level(roi[1])} {unit}".rstrip()
        name, told = view.bridge.name_of(view.session.selected), all_region_words(found, unit)
        view.bridge.log(f"{name}: {view.choice.column} {ends}: {told}")

    def keep_region(self) -> None:
        """Keep the region under a name, to be measured on every run."""
        view, roi = self._view, self._view.choice.roi
        if roi is None:
            view.bridge.log("Mark a region to keep: Alt- or Shift-drag over the spectrum", "warning")
            return
        name = _name_at([0.5 * (roi[0] + roi[1])], chain_facts.unit_of(view.choice.column))
        region = NamedRegion(name, view.choice.column, *roi, view.channel)
        view.bridge.change(fit_changes.keep_region, region)

    def kept(self) -> list[NamedRegion]:
        """Give the regions that were kept of what is on screen."""
        view = self._view
        shown = (view.choice.column, view.channel)
        return [one for one in view.session.regions if (one.column, one.channel) == shown]

    def _kept_regions(self) -> list[tuple[float, str]]:
        """Give the ends of the regions that were kept of what is on screen."""
        return [end for one in self.kept() for end in ((one.low, one.name), (one.high, ""))]

    def _mark_around(self, x: float) -> None:
        bins = self._view.fine_bins()
        if bins is None:
            return
        edges, counts = bins

        def mark(found: tuple[FoundPeak, ...]) -> None:
            if found:
                peak = min(found, key=lambda one: abs(one.position - x))
                half = REGION_FWHM * peak.fwhm
                roi = (peak.position - half, peak.position + half)
                self._view.bridge.change(changes.mark_region, roi)

        low, high = self._view.plot.box.viewRange()[0]
        self._compute(lambda: _searched(edges, counts, low, high), mark)

    def mark(self) -> None:
        """Mark the place of the cursor."""
        self._view.bridge.change(changes.set_markers, (*self._view.choice.markers, self.here))

    def read_out(self, x: float | None) -> None:
        """Put the read-out at a place, or take it away."""
        self.cursor = x
        self._view.redraw_soon()

    def toggle_cursor(self) -> None:
        """Put the read-out where the mouse is or in the middle, or take it away."""
        self.read_out(self.here if self.cursor is None else None)

    def toggle_lines(self) -> None:
        """Show the gamma lines of the calibrated spectrum, or no longer."""
        self._view.choose(has_lines=not self._view.choice.has_lines)

    def gamma_lines(self) -> list[tuple[float, str]]:
        """Give the lines of the source that was calibrated with, the strongest first."""
        view, choice = self._view, self._view.choice
        column = raw_column(view.session, choice.column)
        held = [
            one for one in calibrations_of(view.session, view.session.selected_run) if one.column == column
        ]
        one = of_channel(held[0], view.channel) if held else None
        if not choice.has_lines or one is None or one.curve is None:
            return []
        lines = sorted(
            lines_of(one.source.split(" + "), min_intensity=SEEN_PERCENT),
            key=lambda line: -(line.intensity or 0.0),
        )
        is_raw = column == choice.column
        places = one.curve.value([line.energy_kev for line in lines]) if is_raw else None
        return [
            (
                line.energy_kev if places is None else float(places[at]),
                f"{line.origin} {line.energy_kev:.1f}",
            )
            for at, line in enumerate(lines[:MOST_LINES])
        ]

    def remove_marker(self) -> bool:
        """Remove the marker under the mouse or the cursor; tell whether there was one."""
        (low, high), _ = self._view.plot.box.viewRange()
        reach = NEAR_PX * (high - low) / max(self._view.plot.box.width(), 1.0)
        markers = self._view.choice.markers
        near = nearest(markers, self.here, reach)
        if near is not None:
            self._view.bridge.change(changes.set_markers, [x for x in markers if x != near])
        return near is not None

    def clear(self) -> bool:
        """Take found peaks and the read-out away, and let go of a fit's ends; tell whether there were any."""
        had = bool(self.found) or self.cursor is not None or self.fit_ends.is_held
        self.fit_ends.let_go()
        self.found, self.cursor = (), None
        return had

    # Drawing

    def draw(self, picture: Picture, room: Room) -> None:
        """Draw everything over the bins on screen."""
        view = self._view
        view.bridge.fitting.ask(view.session.selected)
        is_log, unit_words = view.choice.is_log, chain_facts.unit_of(view.choice.column)
        self.fit_ends.draw(self._chosen_here())
        room.spare(self.fit_ends.shown)
        self._fits.draw(self.shown_fits(), Scale(picture.edges, picture.unit, is_log, unit_words), room)
        read = [] if self.cursor is None else [(self.cursor, self._read(self.cursor, picture))]
        self._reading.draw(read, room)
        marks = [(x, f"{words.level(x)} {unit_words}".rstrip()) for x in view.choice.markers]
        self._markers.draw(marks, room)
        low, high = room.left, room.right
        self._kept.draw(self._kept_regions(), room)
        self._lines.draw([one for one in self.gamma_lines() if low < one[0] < high], room)
        self._marks.draw(
            self.unfitted(),
            picture.edges,
            picture.counts,
            room,
            unit=picture.unit,
            is_log=is_log,
            unit_words=unit_words,
        )

    def hide(self) -> None:
        """Draw nothing."""
        room, edges = Room(self._view.plot), np.arange(2.0)
        self._fits.draw([], Scale(edges, 1.0, False, ""), room)
        self.fit_ends.draw(None)
        self._marks.draw((), edges, np.zeros(1), room, unit=1.0, is_log=False)
        for lines in (self._markers, self._reading, self._lines, self._kept):
            lines.draw([], room)

    def _read(self, x: float, picture: Picture) -> str:
        """Say what stands at a place."""
        unit = chain_facts.unit_of(self._view.choice.column)
        told = f"{words.level(x)} {unit}".rstrip()
        at = int(np.searchsorted(picture.edges, x, side="right")) - 1
        if 0 <= at < len(picture.counts):
            told += f"\n{words.count(picture.counts[at])} counts"
        return told

    def _compute(self, work: Any, then: Any) -> None:
        self._view.bridge.compute(work, then, lambda: None)


def _name_at(places: Iterable[float], unit: str) -> str:
    """Name something by where it stands: '38 860 ADC', '583.2 + 585.1 keV'."""
    digits = 1 if unit == "keV" else 0
    return f"{' + '.join(words.grouped(x, digits) for x in places)} {unit}".rstrip()


def _searched(edges: np.ndarray, counts: np.ndarray, low: float, high: float) -> tuple[FoundPeak, ...]:
    """Search peaks between two places; in all of the spectrum, so that they do not depend on the view."""
    return tuple(peak for peak in find_peaks(counts, edges) if low < peak.position < high)


def _without_end(
    peaks: Iterable[FoundPeak], rows: Rows, column: str
) -> tuple[list[FoundPeak], list[FoundPeak]]:
    """Part peaks from those that hold mostly events at the end of the range, whose heights say nothing."""
    if column not in rows:
        return list(peaks), []
    values, is_at_end = np.asarray(rows[column]), at_end_of_range(rows, column)
    parts: tuple[list[FoundPeak], list[FoundPeak]] = ([], [])
    for peak in peaks:
        inside = np.abs(values - peak.position) <= peak.fwhm
        parts[int(is_at_end[inside].sum() > 0.5 * inside.sum())].append(peak)
    return parts


def _each_once(requests: Iterable[FitRequest]) -> list[FitRequest]:
    """Leave out requests for peaks that another one has among its own."""
    kept: list[FitRequest] = []
    for request in requests:
        if not any(set(request.positions) & set(other.positions) for other in kept):
            kept.append(request)
    return kept
