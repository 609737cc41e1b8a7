"""Calibrates the column of the spectrum: proposes lines for its peaks, and says how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from pygama.analysis import drift
from pygama.analysis.calibration import (
    Calibration,
    ChannelCalibration,
    MatchedLine,
    Recipe,
    confidence_words,
    place_text,
)
from pygama.analysis.calibration_file import read_calibration, write_calibration
from pygama.analysis.curves import Curve
from pygama.analysis.lines import sources
from pygama.analysis.region_fit import FittedPeak
from pygama.errors import OutputError, SettingsError
from pygama_gui.bridge import Bridge
from pygama_gui.data.calibrated_with import noted, of_another_chain
from pygama_gui.data.channels import CODE
from pygama_gui.data.energies import N_FINE, calibrated, calibrated_counts, fine_range, from_peaks, gain_unit
from pygama_gui.data.linked import Axis, Counts, Want
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.selection import passing_of
from pygama_gui.jobs.board import counted
from pygama_gui.session import calibration_changes, changes
from pygama_gui.session.codes import code_at
from pygama_gui.session.state import Run, Session
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.dialogs import file_dialog
from pygama_gui.widgets.parts import Controls, Wrapped, button, choice_box, label
from pygama_gui.widgets.plot import Plot, ZoomBox
from pygama_gui.widgets.typed_line import TypedLine

FIND_OUT = "any source"
GAIN_WIDTH, GAIN_WITHIN = 80, 0.1
"""Pixels of the field of the gain, and how far off, relative, the gain may be."""
PLOT_HEIGHT = 134
N_POINTS = 200
LINES_OF_STATE = 5
"""Lines at most that say whose calibration holds."""
MOST_TOLD = 3
"""Channels whose refusal is told in full, at most."""
NEAR = 0.01
"""A drift is that of the chosen line where the two are no farther apart than this share of the energy."""
LEAST_STRETCH = 1.05
"""Errors that are larger by less are not told to be."""
WHAT_ERRORS = (
    "Errors of gain, offset and bend, and the grey band of the residuals, come from the errors of the fitted "
    "peaks. Where the lines scatter more than these, χ² above ndof, they are multiplied by √(χ²/ndof), the "
    "scale factor of the Particle Data Group"
)
GO_ON = "press 'Read again' on its card, then calibrate"


class CalibrationPanel(QWidget):
    """Source and kind of curve, the proposal in words and in two plots, and what is done with it."""

    answered = pyqtSignal()
    """Something is proposed, or it is said why not."""

    def __init__(self, bridge: Bridge, redraw_soon: Callable[[], None]) -> None:
        super().__init__()
        self.bridge = bridge
        self._redraw_soon = redraw_soon
        self.proposal: Calibration | None = None
        """What was found and is not used yet."""
        self._about: tuple[str, str] = ("", "")
        self._is_busy = False
        self._counted: LiveRun | None = None
        """The data set that is being counted, to be calibrated then."""
        self.state = Wrapped()
        self.state.most_lines = LINES_OF_STATE
        self.source_box = choice_box("Source that was there", FIND_OUT, *(one.name for one in sources()))
        for at, one in enumerate(sources(), 1):
            self.source_box.setItemData(at, one.title, Qt.ItemDataRole.ToolTipRole)
        self.bend_box = _check("parabola", "Let the curve bend")
        self.zero_box = _check("through 0", "Let the value 0 have no energy")
        self.gain_field = TypedLine()
        self.gain_field.setAccessibleName("Expected gain")
        self.gain_field.setToolTip("Units of the column per keV that are expected, to 10 %; empty: not known")
        self.gain_field.setFixedWidth(GAIN_WIDTH)
        self.gain_field.setAcceptDrops(False)  # files are for the window
        self.gain_field.editingFinished.connect(self._mark_gain)
        self.gain_unit = label(tone="soft", px=theme.SMALL)
        self.calibrate_button = button("Calibrate", "Calibrate what the spectrum shows")
        self.calibrate_button.clicked.connect(lambda: self.calibrate_shown())
        self.use_button = button("Use it", "Use the calibration that is proposed", primary=True)
        self.use_button.clicked.connect(lambda: self.use())
        self.drop_button = button("Drop it", "Drop the calibration that is proposed")
        self.drop_button.clicked.connect(lambda: self.drop())
        self.words = label(tone="soft", px=theme.SMALL)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("What the calibration says")
        self.words.setToolTip(WHAT_ERRORS)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.residuals = _LinePlot("Residuals of the calibration", "residual (keV)")
        self.widths = _LinePlot("Resolution against energy", "FWHM (keV)")
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.addWidget(label("Calibration", bold=True), 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.state, 1)
        column.addLayout(head)
        kind = (self.source_box, self.bend_box, self.zero_box)
        column.addWidget(Controls(kind, QWidget(), margins=(0, 0, 0, 0)))
        gain = QHBoxLayout()
        gain.addWidget(label("gain about", tone="soft", px=theme.SMALL))
        gain.addWidget(self.gain_field)
        gain.addWidget(self.gain_unit)
        gain.addStretch(1)
        column.addLayout(gain)
        acts = QHBoxLayout()
        for widget in (self.calibrate_button, self.use_button, self.drop_button):
            acts.addWidget(widget)
        acts.addStretch(1)
        column.addLayout(acts)
        column.addWidget(self.words)
        column.addWidget(self.residuals)
        column.addWidget(self.widths)

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        boxes = [self.source_box, self.bend_box, self.zero_box, self.gain_field]
        return [*boxes, self.calibrate_button, self.use_button, self.drop_button]

    @property
    def session(self) -> Session:
        """The present session."""
        return self.bridge.session

    @property
    def column(self) -> str:
        """The column that is calibrated: that of the spectrum, or the one its energies are made of."""
        return calibration_changes.raw_column(self.session, self.session.spectrum.column)

    @property
    def recipe(self) -> Recipe:
        """What to calibrate with, as the controls say."""
        source = self.source_box.currentText()
        gain = self._gain
        return Recipe(
            source=() if source == FIND_OUT else (source,),
            gain_range=None if gain is None else ((1 - GAIN_WITHIN) * gain, (1 + GAIN_WITHIN) * gain),
            is_quadratic=self.bend_box.isChecked(),
            is_through_zero=self.zero_box.isChecked(),
        )

    @property
    def _gain(self) -> float | None:
        """The gain that is expected; None where none, or no number above 0, was typed."""
        try:
            gain = words.number(self.gain_field.text())
        except ValueError:
            return None
        return gain if gain > 0 and math.isfinite(gain) else None

    def _mark_gain(self) -> None:
        is_wrong = bool(self.gain_field.text().strip()) and self._gain is None
        theme.mark(self.gain_field, "tone", "bad" if is_wrong else "")

    # What a person does

    def calibrate_shown(self) -> None:
        """Calibrate the channel of the spectrum, or all where it shows all."""
        channel = self.session.spectrum.channel
        live = self.bridge.live(self.session.selected)
        self.calibrate([channel] if live is not None and channel in live.channels else None)

    def calibrate(self, wanted: Iterable[int | None] | None = None, peaks: Iterable[FittedPeak] = ()) -> None:
        """Calibrate channels by their codes, all for None; off the event loop.

        peaks: lay the curve through these, which a person fitted, rather than through all lines.
        """
        live, run, column = self.bridge.live(self.session.selected), self.session.selected_run, self.column
        if live is None or run is None or column not in live.columns or self._is_busy:
            return
        places = [code for code in (wanted or self.bridge.shown(live.channels) or [0]) if code is not None]
        recipe, fitted, made_from = self.recipe, tuple(peaks), run.raw_names
        if live.is_on_disk:
            self._calibrate_counted(live, run, places, fitted)
            return
        values = live.columns.column(column)
        codes = live.columns.column(CODE) if CODE in live.columns else None
        cuts = passing_of(self.session)
        rows = {} if cuts is None else self.bridge.rows_of(run.run_id, {CODE, column, *cuts.columns})

        chain = live.chain

        def work() -> Calibration:
            own_values, own_codes = values, codes
            if cuts is not None:
                passing = cuts.mask(rows)[: len(values)]
                own_values = values[: len(passing)][passing]
                own_codes = None if codes is None else codes[: len(passing)][passing]
            found = calibrated(own_values, own_codes, places, recipe, column=column, made_from=made_from)
            return noted(_through_peaks(found, fitted, recipe), chain)

        self._begin(run.run_id)
        self.bridge.compute(work, self._propose, self._end)

    def _calibrate_counted(
        self, live: LiveRun, run: Run, places: Sequence[int], fitted: tuple[FittedPeak, ...]
    ) -> None:
        """Calibrate by counts in fine bins, where the rows are too many to be held."""
        if self.bridge.data_sets.is_stopped(live):
            self.bridge.log(f"The counting of {run.title} was stopped: {GO_ON}", "warning")
            return
        column, recipe, made_from = self.column, self.recipe, run.raw_names
        low, high = fine_range(live.columns.column(column))
        axis = Axis(column, low, high, N_FINE)
        wants = [Want(axis, channel=code if live.channels else None) for code in places]

        def work(counts: Sequence[Counts]) -> Calibration:
            names = [place_text(code) for code in places]
            found = calibrated_counts(counts, names, recipe, column=column, made_from=made_from)
            return noted(_through_peaks(found, fitted, recipe), live.chain)

        def take(found: list[Counts | None]) -> None:
            counts = [one for one in found if one is not None]
            if self._counted is not live or not self._is_busy:
                return
            if len(counts) < len(found) or self.bridge.data_sets.is_stopped(live):
                self._end()
            elif counts[0].n_rows == live.n_rows:
                self._counted = None
                self.bridge.compute(lambda: work(counts), self._propose, self._end)

        self._begin(run.run_id)
        self._counted = live
        self.bridge.counting.count("calibration", run.run_id, wants, take)

    def _begin(self, run_id: str) -> None:
        self._is_busy, self.proposal = True, None
        self._about = (run_id, self.column)
        self._redraw_soon()

    def _end(self) -> None:
        self._is_busy, self._counted = False, None
        self._redraw_soon()
        self.answered.emit()

    def _propose(self, found: Calibration) -> None:
        self.proposal = found
        self._end()

    def use(self) -> None:
        """Use the calibration that is proposed, and show the energies."""
        found = self.proposal
        if found is None or not self.has_proposal:
            return
        good = {place: one for place, one in found.channels.items() if one.curve is not None}
        key = (found.column, found.made_from)
        before = [one for one in self.session.calibrations if (one.column, one.made_from) == key]
        whole = Calibration(found.column, found.recipe, found.made_from, before[0].channels if before else {})
        self.take(calibration_changes.with_channels(whole, good))

    def take(self, calibration: Calibration) -> None:
        """Use a calibration, and show the energies."""
        self.proposal = None
        self.bridge.change(calibration_changes.take_calibration, calibration)
        shown = self.session.spectrum
        if shown.column == calibration.column:
            energies = calibration.energy_column
            roi, markers = calibration_changes.carried_over(self.session, energies)
            choice = replace(shown, column=energies, width=None, roi=roi, markers=markers, has_lines=True)
            self.bridge.change(changes.show_spectrum, choice)
        names = ", ".join(calibration.made_from) or "a file"
        self.bridge.log(
            f"{calibration.energy_column} is there: {counted(_n_good(calibration), 'channel')} of {names}"
        )
        self._redraw_soon()

    def drop(self) -> None:
        """Drop the proposal."""
        self.proposal = None
        self._redraw_soon()

    def forget(self) -> None:
        """Forget the calibrations of the column."""
        self.proposal = None
        self.bridge.change(calibration_changes.forget_calibration, self.column)

    # Files

    def ask_save(self) -> None:
        """Ask where to save the calibration."""
        held = self.held
        if held is None:
            self.bridge.log("There is no calibration to save", "warning")
            return
        dialog = self._dialog("Save the calibration")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.selectFile(f"calibration_{held.column}.json")
        dialog.fileSelected.connect(lambda name: self.save(Path(name)))
        dialog.open()

    def save(self, path: Path) -> None:
        """Save the calibration of the column and run."""
        if self.held is None:
            return
        try:
            write_calibration(path, self.held)
        except OutputError as error:
            self.bridge.went_wrong.emit(str(error), repr(error), "")
            return
        self.bridge.note_saved(path)
        self.bridge.log(f"Saved the calibration as {path}")

    def ask_load(self) -> None:
        """Ask for a calibration file."""
        dialog = self._dialog("Take a calibration")
        dialog.fileSelected.connect(lambda _name: self.bridge.opening.emit())
        dialog.fileSelected.connect(lambda name: self.load(Path(name)))
        dialog.open()

    def load(self, path: Path) -> None:
        """Take the calibration of a file."""
        try:
            found = read_calibration(path)
        except SettingsError as error:
            self.bridge.not_taken.emit(str(error), repr(error))
            return
        self.take(found)

    def _dialog(self, title: str) -> QFileDialog:
        dialog = file_dialog(self, title, self.bridge.saving_folder())
        dialog.setNameFilter("Calibrations (*.json)")
        return dialog

    # Showing

    @property
    def held(self) -> Calibration | None:
        """The calibration that holds for the selected run and the column."""
        found = calibration_changes.calibrations_of(self.session, self.session.selected_run)
        return next((one for one in found if one.column == self.column), None)

    @property
    def has_proposal(self) -> bool:
        """Whether a calibration is proposed that can be used."""
        return self.proposal is not None and _n_good(self.proposal) > 0

    @property
    def can_forget(self) -> bool:
        """Whether there are calibrations of the column, of any run."""
        return any(one.column == self.column for one in self.session.calibrations)

    def show_present(self) -> None:
        """Show the proposal, or else what holds."""
        if self._about != (self.session.selected, self.column):
            self.proposal = None
        held, is_new = self.held, self.proposal is not None
        found = self.proposal or held
        live = self.bridge.live(self.session.selected)
        if self._counted is not None and self._counted not in self.bridge.data.values():
            self._is_busy, self._counted = False, None  # what was counted is not there any more
        can = live is not None and self.column in live.columns and len(live.columns) > 0
        one_channel = live is not None and self.session.spectrum.channel in live.channels
        is_several = live is not None and len(self.bridge.shown(live.channels)) > 1
        self.calibrate_button.setEnabled(can and not self._is_busy)
        what = " channel" if one_channel else " all" if is_several else ""
        self.calibrate_button.setText(f"Calibrate{what}")
        self.gain_unit.setText(f"{gain_unit(self.column)}/keV")
        self.use_button.setVisible(self.has_proposal)
        self.drop_button.setVisible(is_new)
        self.state.setText(self._state(held))
        one = None if found is None else calibration_changes.of_channel(found, self._shown_channel(found))
        busy = "Calibrating…" if self._counted is None else "Counting, then calibrating…"
        told = busy if self._is_busy else self._words(found, one, is_new=is_new)
        self.words.setText(words.together(told))
        self.words.setVisible(bool(told))
        self._draw(None if self._is_busy else one)

    def _shown_channel(self, found: Calibration) -> int | None:
        channel = self.session.spectrum.channel
        return channel if channel is not None and place_text(channel) in found.channels else None

    def _state(self, held: Calibration | None) -> str:
        if held is None:
            return f"{self.column} is not calibrated"
        whose = calibration_changes.borrowed(self.session, self.session.selected_run, self.column)
        said = f"{self.column} of {', '.join(held.made_from) or 'a file'}"
        if whose:
            said = f"{self.column}: no calibration of its own, {whose}"
        live = self.bridge.live(self.session.selected)
        if live is not None and of_another_chain(held, live.chain):
            said += " ▲ when another chain made its rows: lines may stand elsewhere"
        return said

    def _words(self, found: Calibration | None, one: ChannelCalibration | None, *, is_new: bool) -> str:
        if found is None:
            return "Name the source, or let it be found out; the peaks are matched to its lines."
        parts = []
        if len(found.channels) > 1:
            parts.append(f"{_n_good(found)} of {counted(len(found.channels), 'channel')} calibrated.")
        refused = [(place, known.refused) for place, known in found.channels.items() if known.curve is None]
        named = self._names_of_places(found)
        for place, why in refused[:MOST_TOLD]:
            parts.append(f"▲ {named[place]} refused: {why}.")
        if len(refused) > MOST_TOLD:
            parts.append(f"▲ {len(refused) - MOST_TOLD} more refused.")
        if one is not None and one.curve is not None:
            place = self._place(found) if len(found.channels) > 1 else ""
            whose = named[place] if place else ""
            parts += list(channel_words(one, found.column, is_new=is_new, whose=whose))
        return "\n".join([*parts, *self._drift(found)])

    def _names_of_places(self, found: Calibration) -> dict[str, str]:
        """Name the channels of a calibration as they are named elsewhere, among those of the run."""
        live = self.bridge.live(self.session.selected)
        places = [*found.channels, *map(place_text, [] if live is None else live.channels)]
        return dict(zip(places, self.bridge.names(map(code_at, places)), strict=True))

    def _drift(self, new: Calibration) -> list[str]:
        """Say what moved against the calibration of a run laid beside, or of the nearest one before."""
        old, place = self._to_compare_with(new), self._place(new)
        if old is None:
            return []
        moved = [one for one in drift.compare(old, new) if one.place == place]
        wanted = self._chosen_energy(new)
        told = [one for one in moved if one.energy_kev is None]
        lines = [one for one in moved if one.energy_kev is not None]
        near = [one for one in lines if wanted and abs((one.energy_kev or 0) - wanted) < NEAR * wanted]
        told += near[:1] or lines[-1:]
        named = self._names_of_places(new)
        return [f"Against {', '.join(old.made_from)}: {one.words(named[place])}" for one in told]

    def _to_compare_with(self, new: Calibration) -> Calibration | None:
        session = self.session
        known = [
            one
            for one in session.calibrations
            if one.column == new.column and one.made_from and one.made_from != new.made_from
        ]
        beside = session.run(session.spectrum.others[0]) if session.spectrum.others else None
        if beside is not None:
            return next((one for one in known if beside.path.name in one.made_from), None)
        selected = session.selected_run
        if selected is None or selected.path.name not in new.made_from:
            return None  # the calibration is that of another run
        order = [run.path.name for run in session.runs]
        here = min((order.index(name) for name in new.made_from if name in order), default=len(order))
        steps = [(order.index(name) - here, one) for one in known for name in one.made_from if name in order]
        nearest = min(steps, key=lambda step: (step[0] > 0, abs(step[0])), default=None)
        return None if nearest is None else nearest[1]

    def _place(self, found: Calibration) -> str:
        """Give the place of the channel that is shown."""
        shown = calibration_changes.of_channel(found, self._shown_channel(found))
        return next((place for place, one in found.channels.items() if one is shown), "")

    def _chosen_energy(self, found: Calibration) -> float:
        """Give the energy of the line that settings are judged by; 0 where none is chosen."""
        line, one = self.session.line, calibration_changes.of_channel(found, self._shown_channel(found))
        if line is None or one is None or one.curve is None:
            return 0.0
        return float(one.curve.energy(0.5 * (line[0] + line[1])))

    def _draw(self, one: ChannelCalibration | None) -> None:
        used = (
            [] if one is None else [line for line in one.lines if line.is_used and line.position is not None]
        )
        self.residuals.setVisible(len(used) > 1)
        self.widths.setVisible(len(used) > 1 and one is not None and one.resolution is not None)
        if one is None or len(used) < 2:
            return
        energies = np.array([line.energy_kev for line in used])
        x = np.linspace(0, energies.max() * 1.08, N_POINTS)
        if one.curve is not None:
            residuals = [line.residual_kev or 0.0 for line in used]
            errors = [line.residual_error_kev or 0.0 for line in used]
            band = one.curve.energy_error(np.maximum(one.curve.value(x), 0.0))
            self.residuals.draw(energies, residuals, errors, x, np.zeros(len(x)), _names(used), band=band)
        if one.resolution is not None:
            widths = [line.fwhm_kev or 0.0 for line in used]
            errors = [line.fwhm_error_kev or 0.0 for line in used]
            self.widths.draw(energies, widths, errors, x, one.resolution.fwhm(x), _names(used))

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        for plot in (self.residuals, self.widths):
            plot.recolor()


class _ScrolledBox(ZoomBox):
    """A view box in a panel that scrolls: the wheel is the panel's."""

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:  # noqa: N802  (Qt's name)
        """Leave the wheel to the panel."""
        event.ignore()


class _LinePlot(Plot):
    """Points with error bars at the energies of lines, and a curve."""

    def __init__(self, name: str, y_label: str) -> None:
        super().__init__(name, "energy (keV)", y_label, box=_ScrolledBox())
        self.setFixedHeight(PLOT_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._y_label = y_label
        self.box.setMouseEnabled(x=False, y=False)
        self.curve, self.bars = pg.PlotCurveItem(), pg.PlotCurveItem(connect="pairs")
        self.edges = [pg.PlotCurveItem(), pg.PlotCurveItem()]
        self.points = pg.ScatterPlotItem(size=6, pxMode=True, hoverable=True, tip=None)
        for item in (*self.edges, self.curve, self.bars, self.points):
            self.addItem(item)

    def draw(
        self,
        x: np.ndarray,
        y: Iterable[float],
        errors: Iterable[float],
        curve_x: np.ndarray,
        curve_y: np.ndarray,
        names: list[str],
        *,
        band: np.ndarray | None = None,
    ) -> None:
        """Draw points (n,) with their errors, and a curve with the band of its own error around it."""
        values, bars = np.array(list(y)), np.array(list(errors))
        present = theme.current()
        self.label_axes("energy (keV)", self._y_label, "keV")
        self.curve.setData(curve_x, curve_y, pen=present.pen("accent"), connect="finite")
        for edge, sign in zip(self.edges, (-1, 1), strict=True):
            shown = np.full(len(curve_x), np.nan) if band is None else curve_y + sign * band
            edge.setData(curve_x, shown, pen=present.pen("line"), connect="finite")
        ends = np.column_stack([values - bars, values + bars]).ravel()
        self.bars.setData(np.repeat(x, 2), ends, connect="pairs", pen=present.pen("trace"))
        self.points.setData(x, values, data=names, brush=present.color("trace"), pen=present.pen("trace"))
        self.points.setToolTip("\n".join(names))
        low, high = min(float((values - bars).min()), 0.0), max(float((values + bars).max()), 0.0)
        room = 0.12 * (high - low or 1.0)
        self.box.setXRange(0.0, float(curve_x[-1]), padding=0)
        self.box.setYRange(low - room, high + room, padding=0)


def _through_peaks(found: Calibration, fitted: tuple[FittedPeak, ...], recipe: Recipe) -> Calibration:
    """Lay the curves of a calibration through peaks that a person fitted, where there are any."""
    if not fitted:
        return found
    anew = {place: from_peaks(one, fitted, recipe) for place, one in found.channels.items()}
    return calibration_changes.with_channels(found, anew)


def channel_words(one: ChannelCalibration, column: str, *, is_new: bool, whose: str = "") -> Iterable[str]:
    """Say what a channel was calibrated with, how sure that is, and what comes second.

    whose: name of the channel, where there are several.
    """
    n_used = sum(line.is_used for line in one.lines)
    start = f"{whose}: " if whose else ""
    start += f"{'proposed' if whose else 'Proposed'}: " if is_new else ""
    sure, used = confidence_words(one.confidence), f"{n_used} of {len(one.lines)} lines used"
    yield f"{start}{one.source}, {sure} sure, {used}."
    if one.curve is not None:
        yield f"{gain_words(one.curve, gain_unit(column))}."
    if one.rival is not None:
        yield f"Second best: {one.rival.words(gain_unit(column))}."
    if one.note:
        yield f"▲ {one.note}."


def gain_words(curve: Curve, unit: str) -> str:
    """Say what a curve is: its gain, its offset, its bend, and how well it goes through the lines."""
    gain = f"{words.with_error(curve.gain, curve.gain_error)} {unit}/keV"
    errors = curve.errors
    offset = f", offset {words.with_error(curve.coefficients[0], errors[0])} keV" if errors[0] else ""
    fitted = f"χ²/ndof {curve.chi2:.1f}/{curve.ndof}" if curve.ndof else "through all lines"
    fitted += f", errors × {curve.stretch:.2g}" if curve.stretch >= LEAST_STRETCH else ""
    if len(curve.coefficients) > 2 and errors[2]:
        offset += f", bend {curve.coefficients[2] / errors[2]:+.1f} σ"
    return f"{gain}{offset}, {fitted}"


def _names(lines: Iterable[MatchedLine]) -> list[str]:
    return [f"{line.name} {line.energy_kev:.1f} keV" for line in lines]


def _n_good(found: Calibration | None) -> int:
    return 0 if found is None else sum(one.curve is not None for one in found.channels.values())


def _check(text: str, name: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setAccessibleName(name)
    box.setToolTip(name)
    return box
