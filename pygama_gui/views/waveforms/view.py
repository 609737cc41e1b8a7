"""Shows waveforms with what the chain makes of them: the newest of a run under way, any of a finished one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QHideEvent, QResizeEvent
from PyQt5.QtWidgets import QAction, QCheckBox, QLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.density import Density, count_density, full_frame
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.noise import NoiseSpectrum, noise_spectrum
from pygama_gui.data.samples import Bunch, Sample, bunch_of
from pygama_gui.data.selection import waveforms_of
from pygama_gui.data.shaping import SUBTRACTED, Look, Shaped, calibration_of, shape
from pygama_gui.data.typical import Extremes, extremes_of
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session, Step, WaveformChoice
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.waveforms.actions import OVERLAYS, PAN, WaveformActions
from pygama_gui.views.waveforms.boxes import WaveformBoxes
from pygama_gui.views.waveforms.browser import Browser
from pygama_gui.views.waveforms.contrast import KINDS, Contrasted
from pygama_gui.views.waveforms.cursors import FAR, Cursors, cursor_words
from pygama_gui.views.waveforms.export import Exporter
from pygama_gui.views.waveforms.many import Aside, ManyWaveforms, Neighbours
from pygama_gui.views.waveforms.pictures import DensityPicture, NoisePicture, TracesPicture
from pygama_gui.views.waveforms.traces import Traces, outputs_of, traces_of
from pygama_gui.views.waveforms.tracing import Traced, Tracer
from pygama_gui.views.waveforms.typical import ExtremeWaveforms
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.box_zoom import BoxZoom
from pygama_gui.widgets.checklist import CheckList, Item
from pygama_gui.widgets.parts import Controls, Elided, choice_box, icon_button, label
from pygama_gui.widgets.plot import Plot, ZoomBox

LEAST, WIDE, WIDER = 300, 470, 620
"""A narrower view has its rarer controls in the menu alone."""
PICTURES = (*(("traces", n) for n in OVERLAYS), *((kind, 1) for kind in ("density", "noise", *KINDS)))
"""What the list of pictures offers: the kind, and the waveforms over each other."""
CONTRAST_WORDS = ("inside the cut", "outside the cut", "inside − outside")
DENSITY_PX = (800, 400)
"""Size of a density image, at most."""
ENDS = {"failed": "failed", "stopped": "was stopped"}
EVENT = re.compile(r"\s*(?:e|event)\s*([\d\s\u2009]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Drawn:
    """What is on the plot, for cursors and exports."""

    sample: Sample
    traces: Traces
    names: Mapping[str, str]


class WaveformView(View):
    """Waveforms: one by one, over each other, as a density of many, or the spectrum of their noise."""

    TITLE = "Waveforms"
    HELP = "The waveform as recorded, and what each step of the chain makes of it with the present settings."
    SHORTCUTS = (
        ("n", "Next waveform"),
        ("Shift+N", "Previous waveform"),
        ("j", "Jump to a waveform"),
        ("Shift+J", "Jump to an event"),
        ("Space", "Freeze or follow; play or stop"),
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
        self.browser = Browser(bridge, self.redraw_soon, self._forget_height)
        self.traces_picture = TracesPicture(self.plot)
        self.density_picture = DensityPicture(self.plot)
        self.noise_picture = NoisePicture(self.plot)
        self.contrast = Contrasted(self)
        self.cursors = Cursors(self.plot, lambda at: self.choose(cursors=at))
        self.exporter = Exporter(self)
        self.drawn_now: Drawn | None = None
        self.noise: tuple[NoiseSpectrum | None, NoiseSpectrum] | None = None
        self._n_left_out = 0
        self._measured: tuple[float | None, Traces | None] | None = None
        self.channels: list[int] = []
        self._channel_names: list[str] = []
        self._many = ManyWaveforms(bridge, self.redraw_soon)
        self._neighbours = Neighbours(bridge, self.redraw_soon)
        self._shaping_others = Aside(bridge, self.redraw_soon)
        self._shaping = Aside(bridge, self.redraw_soon)
        self._counting = Aside(bridge, self.redraw_soon)
        self._averaging = Aside(bridge, self.redraw_soon)
        self._tracer = Tracer(bridge, self._take_traces)
        self._make_controls()
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

    def boxes(self) -> dict[str, ZoomBox]:
        """Give what a person can zoom."""
        return {"waveforms": self.plot.box}

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        buttons = [self.previous_button, self.place_field, self.next_button, self.follow_button]
        return [
            self.plot,
            self.extremes.words,
            *buttons,
            self.pass_box,
            self.roi_box,
            self.channel_box,
            self.overlay_box,
            self.steps_button,
        ]

    def _make_controls(self) -> None:
        self.previous_button = icon_button("previous", "Previous waveform (Shift+N)", lambda: self.step(-1))
        self.next_button = icon_button("next", "Next waveform (N)", lambda: self.step(1))
        self.place_field = QLineEdit()
        self.place_field.setAcceptDrops(False)
        self.place_field.setFixedWidth(72)
        self.place_field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.place_field.setFont(theme.font(theme.SMALL))
        self.place_field.setAccessibleName("Number of the waveform")
        self.place_field.setToolTip(
            "Number of the waveform; type another, or 'event' and its number, and press Return (J, Shift+J)"
        )
        self.place_field.returnPressed.connect(self._jump)
        self.place_field.editingFinished.connect(self._show_info)
        self.follow_button = icon_button(
            "pause", "Freeze the view; the work goes on (Space)", self.toggle_following
        )
        self.info = Elided()
        self.channel_box = choice_box("Channel of the waveforms", "all channels")
        self.channel_box.activated.connect(self._choose_channel)
        overlays = ("1 waveform", *(f"{n} waveforms" for n in OVERLAYS[1:]))
        self.overlay_box = choice_box(
            "Picture of the waveforms", *overlays, "density", "noise", *CONTRAST_WORDS
        )
        self.overlay_box.activated.connect(self._choose_picture)
        self.steps_button = CheckList("Curves", "Curves and values that are drawn (V)")
        self.steps_button.toggled_one.connect(self.toggle_hidden)
        self.roi_box = QCheckBox("in region")
        self.roi_box.setAccessibleName("Only events in the region of the spectrum")
        self.roi_box.clicked.connect(self.toggle_only_roi)
        self.pass_box = QCheckBox("passing")
        self.pass_box.setAccessibleName("Only events that pass the cuts")
        self.pass_box.setToolTip("Only events that pass the cuts (Shift+I)")
        self.pass_box.clicked.connect(self.toggle_only_passing)
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
        self.controls = Controls(
            (self.previous_button, self.place_field, self.next_button, self.follow_button),
            self.info,
            (self.pass_box, self.roi_box, self.channel_box, self.overlay_box, self.steps_button),
        )
        self.channel_box.hide()
        column = QVBoxLayout(self)
        column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.plot, 1)
        column.addWidget(self.reading)
        column.addWidget(self.extremes.words)
        column.addWidget(self.problem)
        column.addWidget(self.controls)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Yield: what has no room then is in the menu."""
        return QSize(LEAST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave out what the menu has as well where there is no room."""
        super().resizeEvent(event)
        self.controls.suit_height(self.height())
        self.overlay_box.setVisible(self.width() >= WIDE)
        self.steps_button.setVisible(self.width() >= WIDE)
        self.roi_box.setVisible(self.width() >= WIDER)
        self._show_pass_box()

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
        if self.place_field.hasFocus():
            self.plot.setFocus()

    def ask_jump(self) -> None:
        """Let a number be typed."""
        self.place_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.place_field.selectAll()

    def ask_jump_to_event(self) -> None:
        """Let the number of an event be typed."""
        self.place_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.place_field.setText("event ")
        self.place_field.setModified(True)

    def _jump(self) -> None:
        """Go to the number that was typed; what is no number is left."""
        text = self.place_field.text()
        event = EVENT.match(text)
        digits = "".join(character for character in event[1] if character.isdecimal()) if event else ""
        self.place_field.setModified(False)
        self._forget_height()
        if event:
            self.browser.go_to_event(int(digits or 0))
        elif digits := "".join(character for character in text if character.isdecimal()):
            self.go_to(int(digits) - 1)
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
        """Show heights in keV where the chain gives the energy, or in ADC counts."""
        if calibration_of(self.session.chain) is not None or self.choice.is_calibrated:
            self.choose(is_calibrated=not self.choice.is_calibrated, is_normalised=False)

    def toggle_hidden(self, name: str) -> None:
        """Show or hide a curve or a value."""
        self.choose(hidden=self.choice.hidden ^ {name})

    def toggle_cursors(self) -> None:
        """Show two cursors, a third and two thirds through what is in view, or hide them."""
        if self.choice.cursors is not None:
            self.choose(cursors=None)
        elif self.choice.picture != "noise":
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
        """Put the active cursor where somebody clicks with Ctrl."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self.choice.picture != "noise":
            event.accept()
            sample = self.cursors.sample_at(self.plot.box.mapSceneToView(event.scenePos()).x())
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
        return Look.of(self.choice)

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
        self._show_channels()
        self._show_info()
        self.steps_button.set_items(self.step_items())
        sample, live = self.browser.sample, self.browser.live
        if self.choice.picture in KINDS and live is not None:
            self._hide_all(but="contrast")
            self._draw_contrast(live)
            return
        self.plot.show_hint("" if sample is not None else self._why_empty())
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
        self.drawn_now = Drawn(sample, traces, names)
        self._say(problem or traces.problem or self.browser.said)
        self._label_axes(sample.period_ns, is_above=traces.is_above_baseline)
        self.traces_picture.draw_others(self._others(sample))
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
            self._kind, (bunch, chain), lambda: shape(bunch, chain, look)
        )
        return others

    def _draw_density(self, live: LiveRun, sample: Sample) -> None:
        bunch = self._many.want(self.session.selected, live, self.browser.selection, self.choice.n_many)
        found = None if bunch is None else self._count(bunch)
        self._say(self.browser.said)
        if found is None:
            self.density_picture.hide()
            self.extremes.hide()
            self._show_info()
            self.plot.show_hint("Reading the waveforms…")
            return
        shaped, frame, extremes, density = found
        self._label_axes(shaped.period_ns, is_above=self.look.needs_baseline)
        step = (shaped.period_ns or 1000.0) / 1000.0
        (x0, x1), y_range = frame
        self.density_picture.fit((x0 * step, x1 * step), y_range)
        self.density_picture.draw(density, shaped.period_ns)
        self._show_extremes(extremes, shaped.period_ns)
        self._n_left_out = shaped.n_left_out
        self._show_info()
        self._measured = (shaped.period_ns, None)
        self._show_cursors()
        self.drawn.emit()

    def _draw_contrast(self, live: LiveRun) -> None:
        """Draw waveforms inside and outside of the chosen cut."""
        hint = self.contrast.draw(live, self.choice.picture, self.browser.channel)
        self._say(self.browser.said)
        self.plot.show_hint(hint)
        found = self.contrast.found
        self._show_info()
        if found is None or hint:
            self.contrast.picture.hide()
            self.extremes.hide()
            return
        self._label_axes(found.period_ns, is_above=self.look.needs_baseline)
        self._show_extremes(self.contrast.extremes(self.choice.picture), found.period_ns)
        self._measured = (found.period_ns, None)
        self._show_cursors()
        self.drawn.emit()

    @property
    def _kind(self) -> Any:
        """What an earlier result must be of to stand in for one that is still being computed."""
        return self.browser.live_run, self.browser.selection, self.look

    def _show_extremes(self, extremes: Extremes, period_ns: float | None) -> None:
        if self.choice.has_extremes:
            self.extremes.show(extremes, (period_ns or 1000.0) / 1000.0)
        else:
            self.extremes.hide()

    def _count(self, bunch: Bunch) -> tuple[Shaped, Any, Extremes, Density] | None:
        """Count the density of waveforms aside; give what there is of it."""
        chain, look = self.session.chain, self.look

        def shape_all() -> tuple[Shaped, Any, Extremes]:
            shaped = shape(bunch, chain, look)
            return shaped, full_frame(shaped), extremes_of(bunch, chain, look, shaped)

        found = self._shaping.get(self._kind, (bunch, chain), shape_all)
        if found is None:
            return None
        shaped, frame, extremes = found
        x_range, y_range = self._view_frame(shaped, frame)
        px = self.plot.box.size()
        size = (min(DENSITY_PX[0], max(int(px.width()), 1)), min(DENSITY_PX[1], max(int(px.height()), 1)))
        density = self._counting.get(
            self._kind,
            (shaped, x_range, y_range, size),
            lambda: count_density(shaped, x_range, y_range, size),
        )
        return None if density is None else (shaped, frame, extremes, density)

    def _view_frame(self, shaped: Shaped, frame: Any) -> Any:
        """Give the frame to count in: what a person zoomed to, or all of it."""
        box, step = self.plot.box, (shaped.period_ns or 1000.0) / 1000.0
        (x0, x1), (y0, y1) = box.viewRange()
        x_range = (x0 / step, x1 / step) if box.zoomed_x else frame[0]
        return x_range, (y0, y1) if box.zoomed_y else frame[1]

    def _draw_noise(self, live: LiveRun, sample: Sample) -> None:
        bunch = self._many.want(self.session.selected, live, self.browser.selection, self.choice.n_many)
        chain, is_whole = self.session.chain, self.choice.is_whole_record
        self._say(self.browser.said)
        mean: NoiseSpectrum | None = None
        if bunch is not None:
            mean = self._averaging.get(
                (self._kind, is_whole),
                (bunch, chain),
                lambda: noise_spectrum(bunch, chain, is_whole_record=is_whole),
            )
        if mean is None:
            self.noise_picture.hide()
            self.plot.show_hint("Reading the waveforms…")
            return
        alone = bunch_of([sample])
        one = None if alone is None else noise_spectrum(alone, chain, is_whole_record=is_whole)
        self.noise = (one, mean)
        x_label, y_label = noise_labels(mean, is_amplitude=self.choice.is_amplitude)
        self.plot.label_axes(x_label, y_label, y_label)
        self.noise_picture.draw(one, mean, is_amplitude=self.choice.is_amplitude, is_log=self.choice.is_log)
        self._show_info()
        self.drawn.emit()

    def _label_axes(self, period_ns: float | None, *, is_above: bool) -> None:
        unit = "µs" if period_ns else "samples"
        since = f" from {self.choice.aligned_by}" if self.choice.aligned_by else ""
        self.plot.label_axes(f"time{since} ({unit})", self.height_words(is_above=is_above), self.height_unit)

    def height_words(self, *, is_above: bool) -> str:
        """Say what the heights are."""
        if self.choice.is_normalised:
            return "height / maximum"
        if self.choice.is_calibrated:
            return "energy (keV)"
        return "ADC counts above baseline" if is_above else "ADC counts"

    @property
    def height_unit(self) -> str:
        """Say what the heights are in, shortly."""
        if self.choice.is_normalised:
            return "maximum"
        return "keV" if self.choice.is_calibrated else "ADC counts"

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
        unit = {"keV": "keV", "maximum": ""}.get(self.height_unit, "ADC")
        heights = None if traces is None else traces.raw
        self.reading.setText(cursor_words(at, -round(start), heights, period_ns, unit))
        self.reading.show()

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
            self.density_picture.hide()
        if but != "contrast":
            self.contrast.hide()
        if but not in ("density", "contrast"):
            self.extremes.hide()
        if but != "noise":
            self.noise = None
            self.noise_picture.hide()
        if but in ("", "noise"):
            self._measured = None
            self.cursors.hide()
            self.reading.hide()
        if not but:
            self._say(self.browser.said)

    def rehearse(self) -> None:
        """Draw a made-up waveform once, unseen."""
        numbers = {"period_ns": madeup.PERIOD_NS}
        self._draw_sample(Sample(madeup.DECODER, madeup.pulse(30_000.0), numbers))
        self.plot.grab()
        self._forget_height()
        self._hide_all()
        self.plot.show_hint(self._why_empty())

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.plot.recolor()
        for picture in (self.traces_picture, self.noise_picture, self.contrast.picture):
            picture.recolor()
        self.steps_button.recolor()
        for one in (self.previous_button, self.next_button, self.follow_button):
            one.setIcon(theme.icon(str(one.property("icon_name")), "text"))
        self.redraw_soon()

    # Words and controls

    def _why_empty(self) -> str:
        state = self.bridge.state(self.session.selected)
        if self.session.selected_run is None:
            return "Waveforms of the selected run appear here."
        data_sets, selected = self.bridge.data_sets, self.session.selected
        if why := data_sets.why_no_waveforms(selected) or data_sets.why_empty(selected):
            return why
        if self.browser.is_looking:
            far = self.browser.how_far or "looking for waveforms that pass"
            return f"{far[:1].upper()}{far[1:]}."
        if state is None:
            return "No waveforms yet. Process the run to see them."
        if not state.has_ended:
            if self.cut_words and len(self.browser.live.samples if self.browser.live else ()):
                return f"No waveform so far passes: {self.cut_words}."
            return words.waiting_for("waveforms", follows=state.follows)
        if state.state != "done":
            return f"No waveforms: the run {ENDS[state.state]}."
        if self.cut_words and not self.browser.is_reading and self._is_read:
            return f"No waveform passes: {self.cut_words}."
        if self.browser.is_reading or (state.rows and not self._is_read):
            return "Reading the waveforms…"
        return (
            "No waveforms in this run."
            if self.browser.is_finished
            else "There is no Tier 1 file of this run."
        )

    @property
    def _is_read(self) -> bool:
        """Whether the files of an earlier session have been read."""
        live = self.bridge.live(self.session.selected)
        return live is not None and len(live.columns) > 0

    @property
    def cut_words(self) -> str:
        """Say by what the events that are shown are chosen."""
        selection = self.browser.selection
        parts = []
        if (cut := selection.cut) is not None:
            unit = chain_facts.unit_of(cut.column)
            parts.append(f"{cut.column} {cut.low:.6g} to {cut.high:.6g} {unit}".rstrip())
        if selection.passing is not None:
            names = [
                f"not {cut.name}" if cut.inverted else cut.name for cut in self.session.cuts if cut.enabled
            ]
            parts.append(f"passing {', '.join(names)}")
        return ", ".join(parts)

    def _show_info(self) -> None:
        browser = self.browser
        self.follow_button.setEnabled(browser.is_live or browser.n > 1)
        self._set_follow_icon()
        for one in (self.previous_button, self.next_button, self.place_field):
            one.setEnabled(browser.n > 0)
        self._show_roi()
        self._show_pass_box()
        sample = browser.sample
        self._show_place(sample)
        if sample is None and self.choice.picture not in KINDS:
            self.info.setText("")
            return
        if sample is None or self.choice.picture in KINDS:
            self.info.setText(self.contrast.words(self.choice.picture))
            return
        parts = [self._many_words() or self._place_words(sample)]
        if self.cut_words:
            parts.append(self.cut_words)
        if self.choice.picture != "density":
            parts += self._sample_words(sample)
        self.info.setText(" · ".join(parts))

    def _many_words(self) -> str:
        density = self.density_picture.density
        if self.choice.picture == "density" and density is not None:
            left_out = f", {self._n_left_out} left out" if self._n_left_out else ""
            return f"{words.count(density.n_waveforms)} of {words.count(self.browser.n)} waveforms{left_out}"
        return ""

    def _sample_words(self, sample: Sample) -> list[str]:
        parts = []
        if sample.channel is not None:
            parts.append(self.bridge.names([*self.channels, sample.channel])[-1])
        number = sample.numbers.get("event_number")
        if number is not None and (sample.place is not None or not self.browser.is_following):
            parts.append(f"event {words.count(float(number))}")
        if "time_s" in sample.numbers:
            time_s = float(sample.numbers["time_s"])
            parts.append(f"{time_s:.6f} s" if time_s < 10 else f"{time_s:.3f} s")
        return parts

    def _show_roi(self) -> None:
        roi = self.session.spectrum.roi
        self.roi_box.setEnabled(roi is not None)
        self.roi_box.setChecked(self.choice.is_only_roi and roi is not None)
        why = "Only events in the region of the spectrum (I)"
        none = "Mark a region in the spectrum first: Alt-drag over a peak"
        self.roi_box.setToolTip(why if roi is not None else none)
        action = self.commands.only_roi
        action.setEnabled(roi is not None)
        action.setChecked(self.choice.is_only_roi and roi is not None)

    def _show_pass_box(self) -> None:
        has_cuts = any(cut.enabled for cut in self.session.cuts)
        self.pass_box.setVisible(has_cuts and self.width() >= WIDER)
        self.pass_box.setChecked(self.choice.is_only_passing)
        self.commands.only_passing.setChecked(self.choice.is_only_passing)

    def _set_follow_icon(self) -> None:
        browser = self.browser
        name = "pause" if (browser.is_live and browser.is_following) or browser.is_playing else "play"
        if self.follow_button.property("icon_name") != name:
            self.follow_button.setProperty("icon_name", name)
            self.follow_button.setIcon(theme.icon(name, "text"))
        if browser.is_live:
            about = (
                "Freeze the view; the work goes on (Space)"
                if name == "pause"
                else "Follow the newest (Space)"
            )
        else:
            about = "Stop (Space)" if name == "pause" else "Show one waveform after the other (Space)"
        if self.follow_button.toolTip() != about:
            self.follow_button.setToolTip(about)
            self.follow_button.setAccessibleName(about)

    def _place_words(self, sample: Sample) -> str:
        browser = self.browser
        if sample.place is not None:
            return f"of {words.count(browser.n)}" + (" so far" if browser.is_looking else "")
        if browser.is_following or browser.is_finished:
            number = sample.numbers.get("event_number")
            return "newest" if number is None else f"newest, packet {words.count(float(number))}"
        return f"of the newest {browser.n}"

    def _show_place(self, sample: Sample | None) -> None:
        """Write the number of the waveform into its field, unless somebody types there."""
        if self.place_field.hasFocus() and self.place_field.isModified():
            return
        browser = self.browser
        is_known = sample is not None and not (browser.is_live and browser.is_following)
        place = browser.place if sample is None or sample.place is None else sample.place
        self.place_field.setText(words.count(place + 1) if is_known else "")

    def _show_channels(self) -> None:
        live = self.browser.live
        channels = [] if live is None else self.bridge.shown(live.channels)
        names = self.bridge.names(channels)
        if (channels, names) != (self.channels, self._channel_names):
            self.channels, self._channel_names = channels, names
            self.channel_box.clear()
            self.channel_box.addItems(["all channels", *names])
            self.channel_box.setVisible(len(channels) > 1)
        chosen = self.browser.channel
        self.channel_box.setCurrentIndex(channels.index(chosen) + 1 if chosen in channels else 0)
        shown = (self.choice.picture, self.choice.overlay if self.choice.picture == "traces" else 1)
        self.overlay_box.setCurrentIndex(PICTURES.index(shown) if shown in PICTURES else 0)

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

    def _choose_channel(self, index: int) -> None:
        self.choose(channel=self.channels[index - 1] if index else None)

    def _choose_picture(self, index: int) -> None:
        picture, overlay = PICTURES[index]
        self.choose(picture=picture, **({"overlay": overlay} if picture == "traces" else {}))

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self.view_actions())


def noise_labels(spectrum: NoiseSpectrum, *, is_amplitude: bool) -> tuple[str, str]:
    """Name the axes of a noise spectrum, with their units."""
    unit = "MHz" if spectrum.is_period_known else "1/sample"
    x_label = f"frequency ({unit})"
    if is_amplitude:
        return x_label, "noise (ADC / √MHz)" if spectrum.is_period_known else "noise (ADC · √samples)"
    return x_label, "noise power (ADC² / MHz)" if spectrum.is_period_known else "noise power (ADC² · samples)"


def _selection_of(session: Session) -> Any:
    return waveforms_of(session, session.waveforms.channel)


def _axes_of(session: Session) -> Any:
    """Give what decides what x is."""
    return session.waveforms.picture, session.waveforms.aligned_by


def _heights_of(session: Session) -> Any:
    """Give what decides what y is."""
    choice = session.waveforms
    return Look.of(choice), choice.is_log, choice.is_amplitude
