"""Shows waveforms with what the chain makes of them: the newest of a run under way, any of a finished one."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QLineEdit, QMenu, QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge, LiveRun
from pygama_gui.data.channels import CODE
from pygama_gui.data.samples import Sample
from pygama_gui.jobs.board import counted
from pygama_gui.session import changes
from pygama_gui.session.state import DEFAULT_CHAIN, Run, Session, Step, WaveformChoice
from pygama_gui.views import chain_facts, madeup
from pygama_gui.views.base import View
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import Elided, choice_box, icon_button, label, row
from pygama_gui.widgets.plot import ZOOM_OUT, Entry, Legend, Plot, plot_actions

SLOW_S = 0.015
"""A chain that takes longer for one waveform is computed in a thread."""
FOLLOW_S = 0.4
"""While a run is under way, a new waveform is shown this often."""
OVERLAYS = (1, 5, 20, 50)
BASELINES = ("bl_int", "bl_avg")
SUBTRACTED = "wf_blsub"
MARKED = ("trap_max",)
PADDING = 0.06
PAN = 0.1
WIDE = 470
"""A narrower view has its rarer controls in the menu alone."""
WORDS_PX = 26
"""Room above the highest curve for the words beside its marker."""
ENDS = {"failed": "failed", "stopped": "was stopped"}


def _timed_traces(chain: tuple[Step, ...], sample: Sample) -> tuple[tuple[dict[str, Any], str], float]:
    """Run the chain on a waveform, and say how long it took."""
    began = time.thread_time()
    traced = chain_facts.traces_of(chain, sample.waveform, sample.period_ns, sample.numbers)
    return traced, time.thread_time() - began


@dataclass
class Traces:
    """What is drawn of one waveform. x in µs, or in samples where the period is not known."""

    x: np.ndarray
    raw: np.ndarray
    computed: dict[str, np.ndarray]
    levels: dict[str, float]
    is_above_baseline: bool


class WaveformView(View):
    """Waveforms, one by one or laid over each other."""

    TITLE = "Waveforms"
    HELP = "The waveform as recorded, and what each step of the chain makes of it with the present settings."
    SHORTCUTS = (
        ("n", "Next waveform"),
        ("Shift+N", "Previous waveform"),
        ("j", "Jump to a waveform"),
        ("Space", "Freeze or follow"),
        ("a", "Show all"),
        ("r", "Reset axes"),
        ("x", "Autoscale x"),
        ("y", "Autoscale y"),
        ("+", "Zoom in"),
        ("-", "Zoom out"),
        ("Left", "Move the picture"),
        ("Right", "Move the picture"),
        ("u", "Above the baseline or raw counts"),
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.plot = Plot("Waveform plot", "time (µs)", "ADC counts")
        self.plot.fill_menu = self._fill_menu
        self.legend = Legend(self.plot)
        self.is_following = True
        self.place = 0
        self._sample: Sample | None = None
        self._n = 0
        self._channels: list[int] = []
        self._channel_names: list[str] = []
        self._followed_at = -FOLLOW_S
        self._reading: tuple[str, int, int | None] | None = None
        self._curves: dict[str, pg.PlotDataItem] = {}
        self._others: list[pg.PlotDataItem] = []
        self._levels: dict[str, pg.InfiniteLine] = {}
        self._legend_names: dict[str, str] = {}
        self._y_range: tuple[float, float] | None = None
        self._traced: tuple[Sample, tuple[Step, ...], tuple[dict[str, Any], str]] | None = None
        self._is_tracing = False
        self._is_quick = True
        self._quick_steps = {step.step for step in DEFAULT_CHAIN}
        self._live_run: LiveRun | None = None
        self._is_finished = False
        self._make_controls()
        self._lay_out()
        self._actions = plot_actions(self.plot, self._entries())
        self.plot.box.double_clicked.connect(lambda _at: self.show_all())
        self.plot.box.sigResized.connect(self.redraw_soon)

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
        return self._actions

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        buttons = [self.previous_button, self.place_field, self.next_button, self.follow_button]
        return [self.plot, *buttons, self.channel_box, self.overlay_box]

    def _entries(self) -> list[Entry]:
        return [
            ("&Next", "N", lambda: self.step(1)),
            ("&Previous", "Shift+N", lambda: self.step(-1)),
            ("&Jump to a waveform…", "J", self.ask_jump),
            ("&Freeze / follow", "Space", self.toggle_following),
            None,
            ("Show &all", "A", self.show_all),
            ("Reset &axes", "R", self.show_all),
            ("Autoscale &x", "X", self.autoscale_x),
            ("Autoscale &y", "Y", self.autoscale_y),
            ("Zoom &in", "+", lambda: self.plot.box.zoom(1 / ZOOM_OUT)),
            ("Zoom &out", "-", lambda: self.plot.box.zoom(ZOOM_OUT)),
            ("Move to the left", "Left", lambda: self.plot.box.pan(-PAN)),
            ("Move to the right", "Right", lambda: self.plot.box.pan(PAN)),
            None,
            ("Above the &baseline / raw", "U", self._toggle_baseline),
        ]

    def _make_controls(self) -> None:
        self.previous_button = icon_button("previous", "Previous waveform (Shift+N)", lambda: self.step(-1))
        self.next_button = icon_button("next", "Next waveform (N)", lambda: self.step(1))
        self.place_field = QLineEdit()
        self.place_field.setAcceptDrops(False)
        self.place_field.setFixedWidth(60)
        self.place_field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.place_field.setFont(theme.font(theme.SMALL))
        self.place_field.setAccessibleName("Number of the waveform")
        self.place_field.setToolTip("Number of the waveform; type another and press Return (J)")
        self.place_field.returnPressed.connect(self._jump)
        self.place_field.editingFinished.connect(self._show_info)
        self.follow_button = icon_button(
            "pause", "Freeze the view; the work goes on (Space)", self.toggle_following
        )
        self.info = Elided()
        self.channel_box = choice_box("Channel of the waveforms", "all channels")
        self.channel_box.activated.connect(self._choose_channel)
        self.overlay_box = choice_box("Waveforms laid over each other", *(f"{n} wf" for n in OVERLAYS))
        self.overlay_box.activated.connect(self._choose_overlay)
        self.problem = label(tone="bad", px=theme.SMALL)
        self.problem.setWordWrap(True)
        self.problem.hide()

    def _lay_out(self) -> None:
        controls = row(self.previous_button, self.place_field, self.next_button, self.follow_button)
        controls.addWidget(self.info, 1)
        for widget in (self.channel_box, self.overlay_box):
            controls.addWidget(widget)
        self.channel_box.hide()
        controls.setContentsMargins(8, 2, 8, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.plot, 1)
        column.addWidget(self.problem)
        column.addLayout(controls)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave out what the menu has as well where there is no room."""
        super().resizeEvent(event)
        self.overlay_box.setVisible(self.width() >= WIDE)

    # What the session and the jobs bring

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change of run, chain or choice brings."""
        if old.selected != new.selected:
            self.plot.box.forget_zoom()
            self._begin_anew()
        elif old.waveforms.channel != new.waveforms.channel:
            self.place, self._sample = 0, None
            self._ask_for_sample()
        if old.chain is not new.chain or old.waveforms != new.waveforms:
            self._y_range = None
            self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Say why there is nothing to see."""
        if self._sample is None and self.session.selected in run_ids:
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Take new waveforms."""
        if self.session.selected not in run_ids:
            return
        live = self.bridge.live(self.session.selected)
        if live is not self._live_run:
            self._begin_anew()
        elif live is not None and live.tier1 is not None and not self._is_finished:
            self._end_following()
        self.redraw_soon()

    def _end_following(self) -> None:
        """Go over from the samples of a run under way to its finished file, staying at the waveform."""
        self._is_finished, self.is_following, self._y_range = True, False, None
        self.place = 0 if self._sample is None else self._place_in_file(self._sample)
        self._ask_for_sample()

    def _place_in_file(self, sample: Sample) -> int:
        """Find the row of a sample among those of the chosen channel; 0 where it is not known."""
        live = self.bridge.live(self.session.selected)
        number = sample.numbers.get("event_number")
        if live is None or number is None or "event_number" not in live.columns:
            return 0
        is_it = live.columns.column("event_number") == number
        if self._channel is not None:
            is_it = is_it[live.columns.column(CODE) == self._channel]
        return int(is_it.argmax())

    def _begin_anew(self) -> None:
        self.place, self._sample, self._n, self._reading = 0, None, 0, None
        self._followed_at = -FOLLOW_S
        self._y_range = None
        self._live_run = self.bridge.live(self.session.selected)
        self._is_finished = self._live_run is not None and self._live_run.tier1 is not None
        self.is_following = not self._is_finished
        self._ask_for_sample()
        self.redraw_soon()

    # Which waveform

    @property
    def choice(self) -> WaveformChoice:
        """What the session says is to be shown."""
        return self.session.waveforms

    def step(self, by: int) -> None:
        """Go to another waveform."""
        self.go_to(self.place + by)

    def go_to(self, place: int) -> None:
        """Show the waveform at a place, counted from 0; stays within what there is."""
        self.is_following = False
        self._y_range = None
        self.place = max(0, min(place, self._n - 1)) if self._n else 0
        self._ask_for_sample()
        self.redraw_soon()

    def ask_jump(self) -> None:
        """Let a number be typed."""
        self.place_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.place_field.selectAll()

    def _jump(self) -> None:
        """Go to the number that was typed; what is no number is left."""
        digits = "".join(character for character in self.place_field.text() if character.isdecimal())
        if digits:
            self.go_to(int(digits) - 1)
        self.plot.setFocus()

    def toggle_following(self) -> None:
        """Freeze the view, or follow the newest waveform again."""
        if not self._is_live:
            return
        self.is_following = not self.is_following
        self._y_range = None
        self._followed_at = -FOLLOW_S
        self.redraw_soon()

    def show_all(self) -> None:
        """Show the whole waveform."""
        self.plot.box.forget_zoom()
        self._y_range = None
        self.redraw_soon()

    def autoscale_x(self) -> None:
        """Show all of x."""
        self.plot.box.zoomed_x = False
        self.redraw_soon()

    def autoscale_y(self) -> None:
        """Show all of y."""
        self.plot.box.zoomed_y = False
        self._y_range = None
        self.redraw_soon()

    @property
    def _is_live(self) -> bool:
        """Whether samples of a run come from its job, not from its file."""
        live = self.bridge.live(self.session.selected)
        return live is not None and live.tier1 is None

    @property
    def _channel(self) -> int | None:
        """The chosen channel, where the run has it."""
        live = self.bridge.live(self.session.selected)
        chosen = self.choice.channel
        return chosen if live is not None and chosen in live.channels else None

    def _ask_for_sample(self) -> None:
        """Read from the finished Tier 1 file, in the thread that reads files."""
        live = self.bridge.live(self.session.selected)
        if live is None or live.tier1 is None:
            return
        wanted = (self.session.selected, self.place, self._channel)
        if self._reading is None:
            self._reading = wanted
            self.bridge.read_waveform(
                *wanted, lambda answer: self._take_answer(wanted, answer), self._take_failure
            )

    def _take_answer(self, asked: tuple[str, int, int | None], answer: tuple[Sample | None, int]) -> None:
        self._reading = None
        wanted = (self.session.selected, self.place, self._channel)
        if asked != wanted:
            self._ask_for_sample()
        if asked[0] != self.session.selected or not self._is_finished:
            return
        self._sample, self._n = answer
        self.redraw_soon()

    def _take_failure(self) -> None:
        """Show nothing; the banner says why. The next step tries again."""
        self._reading, self._sample = None, None
        self.redraw_soon()

    def _choose_live(self) -> None:
        """Choose among the sample waveforms of a run under way."""
        live = self.bridge.live(self.session.selected)
        if live is None or live.tier1 is not None:
            return
        samples = live.samples.of(self._channel)
        self._n = len(samples)
        if not samples:
            self._sample = None
            return
        now = time.monotonic()
        if self.is_following and (self._sample is None or now - self._followed_at >= FOLLOW_S):
            self._followed_at = now
            self.place = len(samples) - 1
            self._sample = samples[-1]
        elif not self.is_following:
            self.place = min(self.place, len(samples) - 1)
            self._sample = samples[self.place]

    # Drawing

    def redraw(self) -> None:
        """Draw the waveform, what the chain makes of it, and its values."""
        self._choose_live()
        self._show_channels()
        self._show_info()
        sample = self._sample
        self.plot.show_hint("" if sample is not None else self._why_empty())
        if sample is None:
            self._hide_all()
            return
        if self._draw_sample(sample):
            self.drawn.emit()

    def _draw_sample(self, sample: Sample) -> bool:
        """Draw a waveform with what the chain makes of it; False where that is still being computed."""
        traced = self._trace(sample)
        if traced is not None:
            self._paint(sample, *traced)
        return traced is not None

    def _paint(self, sample: Sample, made: dict[str, Any], problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        traces = self._traces(sample, made)
        unit = "time (µs)" if sample.period_ns else "time (samples)"
        height = "ADC counts above baseline" if traces.is_above_baseline else "ADC counts"
        self.plot.label_axes(unit, height, "ADC counts")
        self._draw_others(sample)
        self._draw(traces)
        start = traces.raw[: max(len(traces.raw) // 3, 1)]
        self.legend.place(at_top=float(np.median(start)) <= (np.min(traces.raw) + np.max(traces.raw)) / 2)
        self._fit(traces)

    def _trace(self, sample: Sample) -> tuple[dict[str, Any], str] | None:
        """Run the chain on a waveform: here if it is known to be quick, else in a thread; None till then."""
        chain = self.session.chain
        if self._traced is not None and self._traced[0] is sample and self._traced[1] is chain:
            return self._traced[2]
        names = {step.step for step in chain if step.enabled}
        if self._is_quick and names <= self._quick_steps:
            traced, took = _timed_traces(chain, sample)
            self._keep(sample, chain, traced, took)
            return traced
        if not self._is_tracing:
            self._is_tracing = True
            live = self._live_run
            self.bridge.compute(
                lambda: _timed_traces(chain, sample),
                lambda answer: self._take_traces(live, sample, chain, answer),
                self._end_tracing,
            )
        return None

    def _end_tracing(self) -> None:
        self._is_tracing = False

    def _take_traces(
        self,
        live: LiveRun | None,
        sample: Sample,
        chain: tuple[Step, ...],
        answer: tuple[tuple[dict[str, Any], str], float],
    ) -> None:
        """Draw what came, though a later one may be wanted by now: else a slow chain would show nothing."""
        self._is_tracing = False
        self._keep(sample, chain, *answer)
        if live is self._live_run and self._sample is not None:
            self._paint(sample, *answer[0])
            self.drawn.emit()
        if self._sample is not sample or self.session.chain is not chain:
            self.redraw_soon()

    def _keep(
        self, sample: Sample, chain: tuple[Step, ...], traced: tuple[dict[str, Any], str], took: float
    ) -> None:
        """Keep what was computed, and whether it was quick enough to be done at once the next time."""
        self._traced = (sample, chain, traced)
        self._is_quick = took < SLOW_S
        if self._is_quick:
            self._quick_steps |= {step.step for step in chain if step.enabled}

    def _traces(self, sample: Sample, made: dict[str, Any]) -> Traces:
        raw = sample.waveform.astype(np.float64)
        x = np.arange(len(raw)) * ((sample.period_ns or 1000.0) / 1000.0)
        computed = {
            name: np.asarray(value, np.float64)
            for name, value in made.items()
            if isinstance(value, np.ndarray) and value.shape == raw.shape and name != chain_facts.RAW
        }
        levels = {name: float(value) for name, value in made.items() if np.ndim(value) == 0}
        baseline = next((levels[name] for name in BASELINES if name in levels), None)
        is_above = self.choice.is_above_baseline and (SUBTRACTED in computed or baseline is not None)
        if is_above:
            raw = computed.pop(SUBTRACTED) if SUBTRACTED in computed else raw - (baseline or 0.0)
        shown = {name: level for name, level in levels.items() if name in MARKED}
        if not is_above and baseline is not None:
            shown["baseline"] = baseline
        return Traces(x, raw, computed, shown, is_above)

    def _draw(self, traces: Traces) -> None:
        words_of_raw = "waveform, baseline subtracted" if traces.is_above_baseline else "waveform"
        wanted = {"": words_of_raw}
        wanted |= {name: chain_facts.step_words(self.session.chain, name) for name in traces.computed}
        for name in [name for name in self._curves if name not in wanted]:
            self.plot.removeItem(self._curves.pop(name))
        for index, name in enumerate(reversed(wanted)):
            curve = self._curve(name)
            pen = theme.current().pen("trace") if not name else theme.thin_pen(theme.current().series(index))
            y = traces.computed[name] if name else traces.raw
            curve.setData(traces.x, y, pen=pen, skipFiniteCheck=bool(np.isfinite(y).all()))
            curve.setVisible(name not in self.choice.hidden)
        self._write_legend(wanted)
        for swatch, _ in self.legend.items:
            swatch.update()  # it takes the pen of its curve when it is painted
        self._draw_levels(traces.levels)

    def _curve(self, name: str) -> pg.PlotDataItem:
        if name not in self._curves:
            curve = pg.PlotDataItem()
            self.plot.addItem(curve)
            curve.setClipToView(True)
            curve.setDownsampling(auto=True, method="peak")
            curve.setZValue(10 if name else 5)
            self._curves[name] = curve
        return self._curves[name]

    def _write_legend(self, wanted: dict[str, str]) -> None:
        if wanted == self._legend_names:
            return
        same_curves = wanted.keys() == self._legend_names.keys()
        self._legend_names = wanted
        if same_curves:
            for (_, words_of), text in zip(self.legend.items, wanted.values(), strict=True):
                words_of.setText(text)
            self.legend.updateSize()
            return
        self.legend.clear()
        for name, text in wanted.items():
            self.legend.addItem(self._curves[name], text)

    def _draw_levels(self, levels: dict[str, float]) -> None:
        for name in [name for name in self._levels if name not in levels]:
            self.plot.removeItem(self._levels.pop(name))
        for name, level in levels.items():
            if name not in self._levels:
                self._levels[name] = self._level_line()
            line = self._levels[name]
            line.setPen(theme.current().pen("marker", Qt.PenStyle.DashLine))
            line.label.setColor(theme.current().color("marker"))
            line.label.setFormat(f"{name} {words.level(level)}")
            line.setValue(level)

    def _level_line(self) -> pg.InfiniteLine:
        options = {"position": 0.985, "anchors": [(1, 1), (1, 1)], "movable": False}
        line = pg.InfiniteLine(angle=0, label="", labelOpts=options)
        line.label.setFont(theme.font(theme.SMALL))
        line.setZValue(20)
        self.plot.addItem(line, ignoreBounds=True)
        return line

    def _draw_others(self, sample: Sample) -> None:
        """Draw the newest other waveforms behind, as many as were chosen."""
        live = self.bridge.live(self.session.selected)
        others = live.samples.of(self._channel) if live is not None and self.choice.overlay > 1 else []
        others = (
            [other for other in others if other is not sample][-(self.choice.overlay - 1) :] if others else []
        )
        while len(self._others) > len(others):
            self.plot.removeItem(self._others.pop())
        while len(self._others) < len(others):
            curve = pg.PlotDataItem()
            self.plot.addItem(curve)
            curve.setDownsampling(auto=True, method="peak")
            self._others.append(curve)
        color = theme.current().color("faint")
        color.setAlpha(110)
        for curve, other in zip(self._others, others, strict=True):
            x = np.arange(len(other.waveform)) * ((other.period_ns or 1000.0) / 1000.0)
            curve.setData(x, self._height_of(other), pen=theme.thin_pen(color), skipFiniteCheck=True)

    def _height_of(self, sample: Sample) -> np.ndarray:
        baseline = next((sample.numbers[name] for name in BASELINES if name in sample.numbers), 0.0)
        return sample.waveform - (float(baseline) if self.choice.is_above_baseline else 0.0)

    def _fit(self, traces: Traces) -> None:
        """Show all of it, unless somebody zoomed; while following, the height only grows."""
        box = self.plot.box
        if not box.zoomed_x:
            box.setXRange(traces.x[0], traces.x[-1], padding=0.02)
        if box.zoomed_y:
            return
        shown = [traces.raw, *(y for name, y in traces.computed.items() if name not in self.choice.hidden)]
        shown += [curve.yData for curve in self._others if curve.yData is not None]
        known = np.concatenate([y[np.isfinite(y)] for y in shown])
        if not len(known):
            return
        low, high = float(known.min()), float(known.max())
        if self._y_range is not None and self.is_following:
            low, high = min(low, self._y_range[0]), max(high, self._y_range[1])
        self._y_range = (low, high)
        room = PADDING * (high - low) or 1.0
        for_words = WORDS_PX * (high - low) / max(box.height() - WORDS_PX, 1.0)
        box.setYRange(low - room, high + max(3.2 * room, for_words), padding=0)

    def _hide_all(self) -> None:
        for curve in (*self._curves.values(), *self._others):
            curve.setData([], [])
        self._draw_levels({})
        self.legend.hide()
        self.problem.hide()

    def rehearse(self) -> None:
        """Draw a made-up waveform once, unseen."""
        self._sample = Sample(madeup.DECODER, madeup.pulse(30_000.0), {"period_ns": madeup.PERIOD_NS})
        self._draw_sample(self._sample)
        self.plot.grab()
        self._sample, self._y_range = None, None
        self._hide_all()
        self.plot.show_hint(self._why_empty())

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.plot.recolor()
        self.legend.recolor()
        for one in (self.previous_button, self.next_button, self.follow_button):
            one.setIcon(theme.icon(str(one.property("icon_name")), "text"))
        self.redraw_soon()

    # Words and controls

    def _why_empty(self) -> str:
        state = self.bridge.state(self.session.selected)
        if self.session.selected_run is None:
            return "Waveforms of the selected run appear here."
        if state is None:
            return "No waveforms yet. Process the run to see them."
        if not state.has_ended:
            return "Waiting for the first waveforms…"
        if state.state != "done":
            return f"No waveforms: the run {ENDS[state.state]}."
        if self._reading is not None or (state.made_on is not None and not self._is_read):
            return "Reading the waveforms…"
        return "No waveforms in this run." if self._is_finished else "There is no Tier 1 file of this run."

    @property
    def _is_read(self) -> bool:
        """Whether the files of an earlier session have been read."""
        live = self.bridge.live(self.session.selected)
        return live is not None and len(live.columns) > 0

    def _show_info(self) -> None:
        self.follow_button.setEnabled(self._is_live)
        self._set_follow_icon()
        for one in (self.previous_button, self.next_button, self.place_field):
            one.setEnabled(self._n > 0)
        sample = self._sample
        self._show_place(sample)
        if sample is None:
            self.info.setText("")
            return
        parts = [self._place_words(sample)]
        if sample.channel is not None:
            parts.append(self.bridge.names([*self._channels, sample.channel])[-1])
        if "time_s" in sample.numbers:
            time_s = float(sample.numbers["time_s"])
            parts.append(f"{time_s:.6f} s" if time_s < 10 else f"{time_s:.3f} s")
        self.info.setText(" · ".join(parts))

    def _set_follow_icon(self) -> None:
        name = "pause" if self.is_following else "play"
        if self.follow_button.property("icon_name") != name:
            self.follow_button.setProperty("icon_name", name)
            self.follow_button.setIcon(theme.icon(name, "text"))

    def _place_words(self, sample: Sample) -> str:
        if sample.place is not None:
            return f"of {words.count(self._n)}"
        if self.is_following or self._is_finished:
            number = sample.numbers.get("event_number")
            return "newest" if number is None else f"newest, packet {words.count(float(number))}"
        return f"of the newest {self._n}"

    def _show_place(self, sample: Sample | None) -> None:
        """Write the number of the waveform into its field, unless somebody types there."""
        if self.place_field.hasFocus() and self.place_field.isModified():
            return
        is_known = sample is not None and not (self._is_live and self.is_following)
        place = self.place if sample is None or sample.place is None else sample.place
        self.place_field.setText(words.count(place + 1) if is_known else "")

    def _show_channels(self) -> None:
        live = self.bridge.live(self.session.selected)
        channels = [] if live is None else self.bridge.shown(live.channels)
        names = self.bridge.names(channels)
        if (channels, names) != (self._channels, self._channel_names):
            self._channels, self._channel_names = channels, names
            self.channel_box.clear()
            self.channel_box.addItems(["all channels", *names])
            self.channel_box.setVisible(len(channels) > 1)
        chosen = self._channel
        self.channel_box.setCurrentIndex(channels.index(chosen) + 1 if chosen in channels else 0)
        self.overlay_box.setCurrentIndex(
            OVERLAYS.index(self.choice.overlay) if self.choice.overlay in OVERLAYS else 0
        )

    def _choose_channel(self, index: int) -> None:
        channel = self._channels[index - 1] if index else None
        self.bridge.change(changes.show_waveforms, replace(self.choice, channel=channel))

    def _choose_overlay(self, index: int) -> None:
        self.bridge.change(changes.show_waveforms, replace(self.choice, overlay=OVERLAYS[index]))

    def _toggle_baseline(self) -> None:
        choice = replace(self.choice, is_above_baseline=not self.choice.is_above_baseline)
        self.bridge.change(changes.show_waveforms, choice)

    def _toggle_hidden(self, name: str) -> None:
        self.bridge.change(changes.show_waveforms, replace(self.choice, hidden=self.choice.hidden ^ {name}))

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self._actions)
        overlay = menu.addMenu("&Lay over each other")
        for index, n in enumerate(OVERLAYS):
            action = overlay.addAction(counted(n, "waveform"))
            action.setCheckable(True)
            action.setChecked(n == self.choice.overlay)
            action.triggered.connect(lambda _checked=False, index=index: self._choose_overlay(index))
        menu.addSeparator()
        for name in self._curves:
            action = menu.addAction(f"Show {self._legend_names.get(name, name)}")
            action.setCheckable(True)
            action.setChecked(name not in self.choice.hidden)
            action.triggered.connect(lambda _checked=False, name=name: self._toggle_hidden(name))
