"""Shows waveforms with what the chain makes of them: the newest of a run under way, any of a finished one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QHideEvent, QResizeEvent
from PyQt5.QtWidgets import QAction, QLayout, QMenu, QVBoxLayout, QWidget

from pygama.analysis.calibration import Calibration
from pygama.quick_dataclass import dataclass
from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.samples import Sample
from pygama_gui.data.selection import waveforms_of
from pygama_gui.data.shaping import SUBTRACTED, Look, OfRun, Shaped, energy_source, height_unit, shape
from pygama_gui.data.typical import Extremes
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import calibrations_of
from pygama_gui.session.state import DataSet, Run, Session, Step, WaveformChoice
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.waveforms.actions import PAN, WaveformActions
from pygama_gui.views.waveforms.bar import WaveformBar
from pygama_gui.views.waveforms.boxes import WaveformBoxes
from pygama_gui.views.waveforms.browser import Browser
from pygama_gui.views.waveforms.contrast import KINDS, Contrasted
from pygama_gui.views.waveforms.cursors import FAR, Cursors, cursor_words
from pygama_gui.views.waveforms.export import Exporter
from pygama_gui.views.waveforms.many import Aside, ManyWaveforms, Neighbours
from pygama_gui.views.waveforms.pictures import TracesPicture
from pygama_gui.views.waveforms.summed import Dense, Noisy
from pygama_gui.views.waveforms.telling import Telling
from pygama_gui.views.waveforms.traces import Traces, outputs_of, traces_of
from pygama_gui.views.waveforms.tracing import Traced, Tracer
from pygama_gui.views.waveforms.typical import ExtremeWaveforms
from pygama_gui.widgets import theme
from pygama_gui.widgets.box_zoom import BoxZoom
from pygama_gui.widgets.checklist import Item
from pygama_gui.widgets.parts import label
from pygama_gui.widgets.plot import Plot, ZoomBox

LEAST = 300
"""No view is narrower, in pixels: what has no room then is in the menu."""
READING = "Reading the waveforms…"
NO_CURSORS = "Cursors stand in waveforms and their density, not in a noise spectrum"


@dataclass(frozen=True)
class Drawn:
    """What is on the plot, for cursors and exports. others: the waveforms behind, sample for sample."""

    sample: Sample
    traces: Traces
    names: Mapping[str, str]
    others: Shaped | None


class WaveformView(View):
    """Waveforms: one by one, over each other, as a density of many, or the spectrum of their noise."""

    TITLE = "Waveforms"
    HELP = "The waveform as recorded, and what each step of the chain makes of it with the present settings."
    SHORTCUTS = (
        ("n", "Next waveform"),
        ("Shift+N", "Previous waveform"),
        ("j", "Jump to a waveform"),
        ("Shift+J", "Jump to an event"),
        ("Space", "Freeze the waveforms alone, or follow; play or stop"),
        ("g", "Play through"),
        ("i", "Only events in the region of the spectrum"),
        ("Shift+I", "Only events that pass the cuts"),
        ("w", "Waveforms"),
        ("d", "Density of many"),
        ("s", "Noise spectrum"),
        ("e", "Inside of the chosen cut"),
        ("Shift+E", "Outside of the chosen cut"),
        ("t", "Difference of inside and outside"),
        ("b", "Mark a box: what passes through becomes a cut"),
        ("Del", "Remove the chosen box"),
        ("Esc", "Give up marking a box"),
        ("q", "Most typical and most extreme waveforms"),
        ("v", "Choose curves and values"),
        ("m", "Show or hide the cursors"),
        ("o", "The other cursor"),
        ("a", "Show all"),
        ("r", "Reset axes"),
        ("x", "Autoscale x"),
        ("y", "Autoscale y"),
        ("+", "Zoom in"),
        ("-", "Zoom out"),
        ("Left", "Move the cursor, or the picture"),
        ("Right", "Move the cursor, or the picture"),
        ("u", "Above the baseline or raw counts"),
        ("Shift+U", "Normalise to the maximum"),
        ("k", "Energy in keV"),
        ("Ctrl+Alt+S", "Save as PNG, SVG or CSV"),
        ("Ctrl+C", "Copy as CSV"),
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        box = BoxZoom()
        self.plot = Plot("Waveform plot", "time (µs)", "ADC counts", box=box)
        self.plot.fill_menu = self._fill_menu
        self.drawn_boxes = WaveformBoxes(self, self.plot, box)
        self.browser = Browser(self, bridge, self.redraw_soon, self._forget_height)
        self.traces_picture = TracesPicture(self.plot)
        self.many = ManyWaveforms(bridge, self.redraw_soon)
        self.density, self.noise = Dense(self, self.many), Noisy(self, self.many)
        self.contrast = Contrasted(self)
        self.cursors = Cursors(self.plot, lambda at: self.choose(cursors=at))
        self.exporter = Exporter(self)
        self.drawn_now: Drawn | None = None
        self._measured: tuple[float | None, Traces | None] | None = None
        self._neighbours = Neighbours(bridge, self.redraw_soon)
        self._shaping_others = Aside(bridge, self.redraw_soon)
        self._tracer = Tracer(bridge, self._take_traces)
        self.telling = Telling(self)
        self.bar = WaveformBar(self)
        self._make_words()
        self._lay_out()
        self.commands = WaveformActions(self)
        self.plot.box.double_clicked.connect(lambda _at: self.show_all())
        self.plot.box.sigResized.connect(self.redraw_soon)
        self.plot.box.zoom_changed.connect(self._zoomed)
        self.plot.scene().sigMouseClicked.connect(self._clicked)

    @classmethod
    def demo(cls) -> WaveformView:
        """Show a made-up pulse."""
        view = cls(Bridge())
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001)
        view.bridge.change(changes.add_runs, [run])
        view.bridge.adopt(1, run)
        numbers = {"channel": 0, "period_ns": madeup.PERIOD_NS, "event_number": 512, "time_s": 0.462381}
        live = view.bridge.data[run.run_id]
        for message in madeup.messages(run.path, n_partials=2):
            view.bridge.take(1, message)
        live.samples.add(Sample(madeup.DECODER, madeup.pulse(39_000.0), numbers))
        view.redraw_soon()
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with waveforms."""
        return self.commands.all

    def keys_go_to(self) -> Plot:
        """Leave the keys with the plot when a control is clicked."""
        return self.plot

    def boxes(self) -> dict[str, ZoomBox]:
        """Give what a person can zoom."""
        return {"waveforms": self.plot.box}

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        bar = self.bar
        browsing = [bar.previous, bar.place, bar.next, bar.follow]
        choices = [bar.passing, bar.roi, bar.channel, bar.overlay, bar.steps]
        return [self.plot, self.extremes.words, *browsing, *choices]

    def _make_words(self) -> None:
        self.reading = label(tone="soft", px=theme.SMALL)
        self.reading.setAccessibleName("Cursors")
        self.reading.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reading.setWordWrap(True)
        self.reading.setContentsMargins(10, 0, 8, 0)
        self.reading.hide()
        self.extremes = ExtremeWaveforms(self.plot, self.show_event)
        self.problem = label(tone="bad", px=theme.SMALL)
        self.problem.setWordWrap(True)
        self.problem.setContentsMargins(10, 0, 8, 0)
        self.problem.hide()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.plot, 1)
        column.addWidget(self.reading)
        column.addWidget(self.extremes.words)
        column.addWidget(self.problem)
        column.addWidget(self.bar.row)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Yield: what has no room then is in the menu."""
        return QSize(LEAST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave out what the menu has as well where there is no room."""
        super().resizeEvent(event)
        self.bar.suit(self.width(), self.height())

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Rest while nobody looks."""
        super().hideEvent(event)
        self.browser.stop_playing()

    # What the session and the jobs bring

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change of run, chain or choice brings."""
        if old.selected != new.selected:
            self.plot.box.forget_zoom()
            self._forget_height()
            self.browser.begin_anew()
            self.redraw_soon()
        elif _selection_of(old) != _selection_of(new):
            self.browser.select_anew()
            self._forget_height()
            self.redraw_soon()
        if _axes_of(old) != _axes_of(new):
            self.plot.box.forget_zoom()
        elif _heights_of(old) != _heights_of(new):
            self.plot.box.zoomed_y = False
        if old.waveforms.pace != new.waveforms.pace:
            self.browser.set_pace()
        if old.chain is new.chain and replace(old.waveforms, cursors=new.waveforms.cursors) == new.waveforms:
            self._show_cursors()
        elif old.chain is not new.chain or old.waveforms != new.waveforms:
            self._forget_height()
            self.redraw_soon()
        if (old.chain, old.calibrations, old.selected) != (new.chain, new.calibrations, new.selected):
            self.commands.show_energy()
        if new.waveforms.is_calibrated and old.calibrations != new.calibrations:
            self._forget_height()
            self.redraw_soon()
        if old.spectrum.roi != new.spectrum.roi or (old.cuts, old.cut) != (new.cuts, new.cut):
            self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Say why there is nothing to see."""
        if (self.browser.sample is None or self.browser.is_on_disk) and self.session.selected in run_ids:
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Take new waveforms."""
        if self.session.selected in run_ids:
            self.browser.look_at_data()
            self.redraw_soon()

    def _forget_height(self) -> None:
        self.traces_picture.forget_height()

    # What a person does

    @property
    def sample(self) -> Sample | None:
        """The waveform that is shown."""
        return self.browser.sample

    @property
    def choice(self) -> WaveformChoice:
        """What the session says is to be shown."""
        return self.session.waveforms

    def choose(self, **values: Any) -> None:
        """Change what is shown."""
        self.bridge.change(changes.show_waveforms, replace(self.choice, **values))

    def step(self, by: int) -> None:
        """Go to another waveform."""
        self._forget_height()
        self.browser.step(by)

    def go_to(self, place: int) -> None:
        """Show the waveform at a place, counted from 0; stays within what there is."""
        self._forget_height()
        self.browser.stop_playing()
        self.browser.go_to(place)

    def go_to_event(self, number: int) -> None:
        """Show the waveform of an event, where there is one with this number."""
        self._forget_height()
        self.browser.go_to_event(number)

    def show_event(self, number: int, run: int | None = None) -> None:
        """Show the waveform of an event that a picture of many named, whatever the cuts say of it."""
        chosen = next((cut for cut in self.session.cuts if cut.name == self.session.cut), None)
        is_passing = self.choice.picture == "density" or (
            self.choice.picture == "inside" and (chosen is None or chosen.enabled)
        )
        keeps = self.choice.is_only_passing and is_passing
        self.choose(picture="traces", overlay=1, is_only_passing=keeps)
        self._forget_height()
        self.browser.go_to_event(number, run)
        self.plot.setFocus()

    def toggle_extremes(self) -> None:
        """Show the most typical and the most extreme waveforms over a density, or no longer."""
        self.choose(has_extremes=not self.choice.has_extremes)

    def mark_box(self) -> None:
        """Let the next drag mark a box; what passes through it becomes a cut."""
        self.drawn_boxes.begin()

    def give_up(self) -> None:
        """Leave the field of the number; let a drag zoom again."""
        self.drawn_boxes.cancel()
        if self.bar.place.hasFocus():
            self.plot.setFocus()

    def toggle_following(self) -> None:
        """Freeze the view or follow the newest waveform; in a finished run, play through or stop."""
        self._forget_height()
        if self.browser.is_live and not self.browser.is_playing:
            self.browser.toggle_following()
        else:
            self.browser.play()

    def toggle_only_roi(self) -> None:
        """Show only events in the region of the spectrum, or all."""
        if self.session.spectrum.roi is not None or self.choice.is_only_roi:
            self.choose(is_only_roi=not self.choice.is_only_roi)

    def toggle_only_passing(self) -> None:
        """Show only events that pass the cuts, or all."""
        self.choose(is_only_passing=not self.choice.is_only_passing)

    def toggle_baseline(self) -> None:
        """Show heights above the baseline, or counts as recorded."""
        is_raw = not self.look.needs_baseline
        self.choose(is_above_baseline=is_raw, is_normalised=False, is_calibrated=False)

    def toggle_normalised(self) -> None:
        """Show all waveforms equally high, or not."""
        self.choose(is_normalised=not self.choice.is_normalised, is_calibrated=False)

    def toggle_calibrated(self) -> None:
        """Show heights in keV where the chain or a calibration gives the energy, or in ADC counts."""
        is_known = energy_source(self.session.chain, self.calibrations) is not None
        if is_known or self.choice.is_calibrated:
            self.choose(is_calibrated=not self.choice.is_calibrated, is_normalised=False)

    def toggle_hidden(self, name: str) -> None:
        """Show or hide a curve or a value."""
        self.choose(hidden=self.choice.hidden ^ {name})

    def toggle_cursors(self) -> None:
        """Show two cursors, a third and two thirds through what is in view, or hide them."""
        if self.choice.picture == "noise":
            self.bridge.log(NO_CURSORS)
        elif self.choice.cursors is not None:
            self.choose(cursors=None)
        else:
            (low, high), _ = self.plot.box.viewRange()
            places = (low + (high - low) / 3, low + 2 * (high - low) / 3)
            first, second = (self.cursors.sample_at(place) for place in places)
            self.choose(cursors=(first, second))

    def next_cursor(self) -> None:
        """Let keys move the other cursor."""
        self.cursors.activate(1 - self.cursors.active)
        self.redraw_soon()

    def nudge(self, by: int) -> None:
        """Move the active cursor by samples; the picture where there are no cursors."""
        if self.cursors.is_shown:
            self.cursors.move_to(self.cursors.at()[self.cursors.active] + by)
        else:
            self.plot.box.pan(PAN * by * (5 / FAR if abs(by) == FAR else 1))

    def _clicked(self, event: Any) -> None:
        """Put the active cursor where somebody clicks with Ctrl; choose the box where one clicks without."""
        at = self.plot.box.mapSceneToView(event.scenePos())
        is_plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        if is_plain and self.plot.box.sceneBoundingRect().contains(event.scenePos()):
            self.drawn_boxes.choose_at(at)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier and self.choice.picture != "noise":
            event.accept()
            sample = self.cursors.sample_at(at.x())
            if self.choice.cursors is None:
                self.choose(cursors=(sample, sample))
            else:
                self.cursors.move_to(sample)

    def show_all(self) -> None:
        """Show the whole waveform."""
        self.plot.box.forget_zoom()
        self._forget_height()
        self.redraw_soon()

    def autoscale_x(self) -> None:
        """Show all of x."""
        self.plot.box.zoomed_x = False
        self.redraw_soon()

    def autoscale_y(self) -> None:
        """Show all of y."""
        self.plot.box.zoomed_y = False
        self._forget_height()
        self.redraw_soon()

    def ask_export(self) -> None:
        """Ask where to save what is shown."""
        self.exporter.ask()

    def copy_csv(self) -> None:
        """Copy what is shown as a table."""
        self.exporter.copy()

    def _zoomed(self) -> None:
        if self.choice.picture in ("density", *KINDS) or self.choice.overlay > 1:
            self.redraw_soon()

    # Drawing

    @property
    def look(self) -> Look:
        """How waveforms are looked at."""
        return Look.of(self.choice, self.calibrations, self._of_runs)

    @property
    def calibrations(self) -> tuple[Calibration, ...]:
        """Those that hold for the run; of a data set, one of each column, though each run has its own."""
        run = self.session.run(self.session.selected)
        if not isinstance(run, DataSet):
            return calibrations_of(self.session, run)
        every = (one for of_run in self._of_runs for one in of_run.calibrations)
        return tuple({one.column: one for one in every}.values())

    @property
    def _of_runs(self) -> tuple[OfRun, ...]:
        run = self.session.run(self.session.selected)
        runs = [member.run for member in run.members] if isinstance(run, DataSet) else []
        return tuple(OfRun(one.run_number, one.sub_run, calibrations_of(self.session, one)) for one in runs)

    @property
    def x_per_sample(self) -> float:
        """What a sample is along x: µs, or 1 where the period is not known."""
        period_ns = None if self._measured is None else self._measured[0]
        return (period_ns or 1000.0) / 1000.0

    @property
    def n_samples(self) -> int:
        """Samples of the waveform that is shown; 0 where there is none."""
        return 0 if self.browser.sample is None else len(self.browser.sample.waveform)

    def redraw(self) -> None:
        """Draw what was chosen of the waveforms that are selected, and the boxes over them."""
        self._redraw_waveforms()
        self.drawn_boxes.draw()

    def _redraw_waveforms(self) -> None:
        self.browser.look_at_rows()
        self.browser.choose_live()
        self.bar.show_channels()
        self.bar.show_state()
        self.bar.steps.set_items(self.step_items())
        sample, live = self.browser.sample, self.browser.live
        if self.choice.picture in KINDS and live is not None:
            self._hide_all(but="contrast")
            self._draw_contrast(live)
            return
        self.plot.show_hint("" if sample is not None else self.telling.why_empty())
        if sample is None or live is None:
            self._hide_all()
            return
        draw = {"density": self._draw_density, "noise": self._draw_noise}.get(self.choice.picture)
        if draw is not None:
            self._hide_all(but=self.choice.picture)
            draw(live, sample)
        elif self._draw_sample(sample):
            self.drawn.emit()

    def _draw_sample(self, sample: Sample) -> bool:
        """Draw a waveform with what the chain makes of it; False where that is still being computed."""
        traced = self._tracer.trace(self.browser.live_run, sample, self.session.chain)
        if traced is not None:
            self._paint(sample, *traced)
        return traced is not None

    def _paint(self, sample: Sample, made: dict[str, Any], problem: str) -> None:
        self._hide_all(but="traces")
        chain, look = self.session.chain, self.look
        traces = traces_of(sample, made, chain, look)
        names = {"": "waveform, baseline subtracted" if traces.is_above_baseline else "waveform"}
        names |= {name: self._name_of(name, traces) for name in traces.computed}
        others = self._others(sample)
        self.drawn_now = Drawn(sample, traces, names, others)
        self._say(problem or traces.problem or self.browser.said)
        self._label_axes(sample.period_ns, traces.unit, is_above=traces.is_above_baseline)
        self.traces_picture.draw_others(others)
        self.traces_picture.draw(traces, names, self.choice.hidden)
        is_steady = self.browser.is_following or self.browser.is_playing
        self.traces_picture.fit(traces, self.choice.hidden, only_grows=is_steady)
        self._measured = (sample.period_ns, traces)
        self._show_cursors()

    def _name_of(self, name: str, traces: Traces) -> str:
        scale = traces.scales.get(name, 1.0)
        return chain_facts.step_words(self.session.chain, name) + (f" × {scale:g}" if scale != 1.0 else "")

    def _others(self, sample: Sample) -> Shaped | None:
        """Give the waveforms that are laid behind: the newest, or those that follow in the file."""
        live, n = self.browser.live, self.choice.overlay - 1
        if live is None or n < 1:
            return None
        run_id, selection = self.session.selected, self.browser.selection
        bunch = self._neighbours.want(run_id, live, selection, self.browser.place, n, sample)
        if bunch is None:
            return None
        chain, look = self.session.chain, self.look
        others: Shaped | None = self._shaping_others.get(
            self.kind, (bunch, chain), lambda: shape(bunch, chain, look)
        )
        return others

    def _draw_density(self, live: LiveRun, _sample: Sample) -> None:
        found = self.density.draw(live)
        self._say(self.browser.said)
        self.bar.show_state()
        if found is None:
            self.extremes.hide()
            self._hide_cursors()
            self.plot.show_hint(READING)
            return
        extremes, period_ns = found
        self._label_axes(period_ns, self._height_unit, is_above=self.look.needs_baseline)
        self._show_extremes(extremes, period_ns)
        self._measured = (period_ns, None)
        self._show_cursors()
        self.drawn.emit()

    def _draw_contrast(self, live: LiveRun) -> None:
        """Draw waveforms inside and outside of the chosen cut."""
        hint = self.contrast.draw(live, self.choice.picture, self.browser.channel)
        self._say(self.browser.said)
        self.plot.show_hint(hint)
        found = self.contrast.found
        self.bar.show_state()
        if found is None or hint:
            period_ns = None if self.browser.sample is None else self.browser.sample.period_ns
            self._label_axes(period_ns, self._height_unit, is_above=self.look.needs_baseline)
            self.contrast.picture.hide()
            self.extremes.hide()
            self._hide_cursors()
            return
        self._label_axes(found.period_ns, self._height_unit, is_above=self.look.needs_baseline)
        self._show_extremes(self.contrast.extremes(self.choice.picture), found.period_ns)
        self._measured = (found.period_ns, None)
        self._show_cursors()
        self.drawn.emit()

    @property
    def kind(self) -> Any:
        """What an earlier result must be of to stand in for one that is still being computed."""
        return self.browser.live_run, self.browser.selection, self.look

    def _show_extremes(self, extremes: Extremes, period_ns: float | None) -> None:
        if self.choice.has_extremes:
            self.extremes.show(extremes, (period_ns or 1000.0) / 1000.0)
        else:
            self.extremes.hide()

    def _draw_noise(self, live: LiveRun, sample: Sample) -> None:
        is_drawn = self.noise.draw(live, sample)
        self._say(self.browser.said)
        if not is_drawn:
            self.plot.show_hint(READING)
            return
        self.bar.show_state()
        self.drawn.emit()

    @property
    def _height_unit(self) -> str:
        """What the heights of many waveforms are in."""
        return height_unit(self.session.chain, self.look)

    def _label_axes(self, period_ns: float | None, height_unit: str, *, is_above: bool) -> None:
        self.plot.label_axes(*self.telling.axes(period_ns, height_unit, is_above=is_above))

    def _show_cursors(self) -> None:
        """Show the cursors where they were put, and say what is between them."""
        if self._measured is None:
            return
        period_ns, traces = self._measured
        at = self.choice.cursors
        start = 0.0 if traces is None else traces.start
        step = (period_ns or 1000.0) / 1000.0
        if at is None:
            self.cursors.hide()
            self.cursors.set_scale(step, start - round(start))
            self.reading.hide()
            return
        self.cursors.show(at, step, start - round(start))
        unit = self._height_unit if traces is None else traces.unit
        heights = None if traces is None else traces.raw
        self.reading.setText(cursor_words(at, -round(start), heights, period_ns, unit))
        self.reading.show()

    def _hide_cursors(self) -> None:
        """Hide them where nothing is drawn that they could stand on."""
        self.cursors.hide()
        self.reading.hide()

    def _say(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def _take_traces(
        self, live: LiveRun | None, sample: Sample, chain: tuple[Step, ...], traced: Traced
    ) -> None:
        """Draw what came, though a later one may be wanted by now: else a slow chain would show nothing."""
        is_shown = self.isVisible() and self.choice.picture == "traces"
        if is_shown and live is self.browser.live_run and self.browser.sample is not None:
            self._paint(sample, *traced)
            self.drawn.emit()
        if self.browser.sample is not sample or self.session.chain is not chain:
            self.redraw_soon()

    def _hide_all(self, *, but: str = "") -> None:
        """Draw nothing but one kind of picture."""
        if but != "traces":
            self.drawn_now = None
            self.traces_picture.hide()
        if but != "density":
            self.density.hide()
        if but != "contrast":
            self.contrast.hide()
        if but not in ("density", "contrast"):
            self.extremes.hide()
        if but != "noise":
            self.noise.hide()
        if but in ("", "noise"):
            self._measured = None
            self._hide_cursors()
        if not but:
            self._say(self.browser.said)

    def rehearse(self) -> None:
        """Draw a made-up waveform once, unseen."""
        numbers = {"period_ns": madeup.PERIOD_NS}
        self._draw_sample(Sample(madeup.DECODER, madeup.pulse(30_000.0), numbers))
        self.plot.grab()
        self._forget_height()
        self._hide_all()
        self.plot.show_hint(self.telling.why_empty())

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.plot.recolor()
        for picture in (self.traces_picture, self.noise.picture, self.contrast.picture):
            picture.recolor()
        self.bar.recolor()
        self.redraw_soon()

    # What can be drawn

    @property
    def channels(self) -> list[int]:
        """The channels that are offered."""
        return self.bar.channels

    def step_items(self) -> list[Item]:
        """List what the chain makes: waves with their colours, levels and times."""
        chain, hidden = self.session.chain, self.choice.hidden
        outputs = outputs_of(chain)
        undrawn = (SUBTRACTED,) if self.look.needs_baseline else ()
        waves = [name for name, one in outputs.items() if one.is_wave and name not in undrawn]
        first = [one.of for one in outputs.values() if one.marks == "level" and one.of in waves][-1:]
        self.traces_picture.know([*first, *reversed(waves)])
        items = [Item("", "waveform", "" not in hidden, theme.current().tokens["trace"])] if waves else []
        for name in waves:
            text = f"{name}: {chain_facts.step_words(chain, name)}"
            items.append(Item(name, text, name not in hidden, self.traces_picture.color(name)))
        marker = theme.current().tokens["marker"]
        marked = [(name, one.marks) for name, one in outputs.items() if one.marks]
        return items + [Item(name, name, name not in hidden, marker, kind) for name, kind in marked]

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self.view_actions())


def _selection_of(session: Session) -> Any:
    return waveforms_of(session, session.waveforms.channel)


def _axes_of(session: Session) -> Any:
    """Give what decides what x is."""
    return session.waveforms.picture, session.waveforms.aligned_by


def _heights_of(session: Session) -> Any:
    """Give what decides what y is."""
    choice = session.waveforms
    return Look.of(choice, session.calibrations), choice.is_log, choice.is_amplitude
