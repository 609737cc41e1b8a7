"""Shows waveforms with what the chain makes of them: the newest of a run under way, any of a finished one."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAction, QInputDialog, QMenu, QVBoxLayout

from pygama_gui.bridge import Bridge, LiveRun
from pygama_gui.data.samples import Sample
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session, WaveformChoice
from pygama_gui.views import chain_facts, madeup
from pygama_gui.views.base import View
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import Elided, button, choice_box, icon_button, label, row
from pygama_gui.widgets.plot import Legend, Plot, plot_actions

FOLLOW_S = 0.4
"""While a run is under way, a new waveform is shown this often."""
OVERLAYS = (1, 5, 20, 50)
BASELINES = ("bl_int", "bl_avg")
SUBTRACTED = "wf_blsub"
MARKED = ("trap_max",)
PADDING = 0.06
ENDS = {"failed": "failed", "stopped": "was stopped"}


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
        self._followed_at = -FOLLOW_S
        self._reading: tuple[str, int, int | None] | None = None
        self._curves: dict[str, pg.PlotDataItem] = {}
        self._others: list[pg.PlotDataItem] = []
        self._levels: dict[str, pg.InfiniteLine] = {}
        self._legend_names: dict[str, str] = {}
        self._y_range: tuple[float, float] | None = None
        self._live_run: LiveRun | None = None
        self._make_controls()
        self._lay_out()
        self._actions = plot_actions(self.plot, self._entries())
        self.plot.box.double_clicked.connect(lambda _at: self.show_all())

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

    def _entries(self) -> list[tuple[str, str, Any]]:
        return [
            ("&Next", "N", lambda: self.step(1)),
            ("&Previous", "Shift+N", lambda: self.step(-1)),
            ("&Jump…", "J", self.ask_jump),
            ("&Freeze / follow", "Space", self.toggle_following),
            ("Show &all", "A", self.show_all),
            ("Reset &axes", "R", self.show_all),
            ("Above the &baseline / raw", "U", self._toggle_baseline),
        ]

    def _make_controls(self) -> None:
        self.previous_button = icon_button("previous", "Previous waveform (Shift+N)", lambda: self.step(-1))
        self.next_button = icon_button("next", "Next waveform (N)", lambda: self.step(1))
        self.jump_button = button("Jump…", "Jump to a waveform (J)")
        self.jump_button.clicked.connect(self.ask_jump)
        self.follow_button = icon_button(
            "pause", "Freeze the view; the work goes on (Space)", self.toggle_following
        )
        self.info = Elided()
        self.channel_box = choice_box("Channel of the waveforms", "all channels")
        self.channel_box.activated.connect(self._choose_channel)
        offered = [f"{n} waveform{'s' if n > 1 else ''}" for n in OVERLAYS]
        self.overlay_box = choice_box("Waveforms laid over each other", *offered)
        self.overlay_box.activated.connect(self._choose_overlay)
        self.problem = label(tone="bad", px=theme.SMALL)
        self.problem.setWordWrap(True)
        self.problem.hide()

    def _lay_out(self) -> None:
        controls = row(self.previous_button, self.next_button, self.jump_button, self.follow_button)
        controls.addWidget(self.info, 1)
        for widget in (self.channel_box, self.overlay_box):
            controls.addWidget(widget)
        controls.setContentsMargins(8, 2, 8, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.plot, 1)
        column.addWidget(self.problem)
        column.addLayout(controls)

    # What the session and the jobs bring

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change of run, chain or choice brings."""
        if old.selected != new.selected:
            self._begin_anew()
        elif old.waveforms.channel != new.waveforms.channel:
            self.place, self._sample = 0, None
            self._ask_for_sample()
        if old.chain is not new.chain or old.waveforms != new.waveforms:
            self._y_range = (
                None if old.waveforms.is_above_baseline != new.waveforms.is_above_baseline else self._y_range
            )
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
        if live is not None and live.tier1 is None and not len(live.samples):
            self._begin_anew()
        elif live is not None and live.tier1 is not None and self._live_run is not None:
            self._end_following()
        self.redraw_soon()

    def _end_following(self) -> None:
        """Go over from the samples of a run under way to its finished file."""
        self._live_run, self.is_following, self.place, self._y_range = None, False, 0, None
        self._ask_for_sample()

    def _begin_anew(self) -> None:
        self.is_following = True
        self.place, self._sample, self._n, self._reading = 0, None, 0, None
        self._followed_at = -FOLLOW_S
        self._y_range = None
        self._live_run = self.bridge.live(self.session.selected)
        self.plot.box.forget_zoom()
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
        """Ask which waveform to show."""
        if not self._n:
            return
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setWindowTitle("Jump")
        dialog.setLabelText(f"Waveform, 1 to {words.count(self._n)}:")
        dialog.setIntRange(1, self._n)
        dialog.setIntValue(self.place + 1)
        dialog.intValueSelected.connect(lambda number: self.go_to(number - 1))
        dialog.open()

    def toggle_following(self) -> None:
        """Freeze the view, or follow the newest waveform again."""
        self.is_following = not self.is_following
        self._y_range = None
        self._followed_at = -FOLLOW_S
        self.redraw_soon()

    def show_all(self) -> None:
        """Show the whole waveform."""
        self.plot.box.forget_zoom()
        self._y_range = None
        self.redraw_soon()

    def _ask_for_sample(self) -> None:
        """Read from the finished Tier 1 file, in the thread that reads files."""
        live = self.bridge.live(self.session.selected)
        if live is None or live.tier1 is None:
            return
        wanted = (self.session.selected, self.place, self.choice.channel)
        if self._reading is None:
            self._reading = wanted
            self.bridge.read_waveform(*wanted, lambda answer: self._take_answer(wanted, answer))

    def _take_answer(
        self, asked: tuple[str, int, int | None], answer: tuple[Sample | None, int, list[int]]
    ) -> None:
        self._reading = None
        if asked[0] != self.session.selected:
            return
        self._sample, self._n, channels = answer
        self._show_channels(channels)
        if asked != (self.session.selected, self.place, self.choice.channel):
            self._ask_for_sample()
        self.redraw_soon()

    def _choose_live(self) -> None:
        """Choose among the sample waveforms of a run under way."""
        live = self.bridge.live(self.session.selected)
        if live is None or live.tier1 is not None:
            return
        self._show_channels(live.samples.channels())
        samples = live.samples.of(self.choice.channel)
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
        self._show_info()
        sample = self._sample
        self.plot.show_hint("" if sample is not None else self._why_empty())
        if sample is None:
            self._hide_all()
            return
        self._draw_sample(sample)
        self.drawn.emit()

    def _draw_sample(self, sample: Sample) -> None:
        made, problem = chain_facts.traces_of(self.session.chain, sample.waveform, sample.period_ns)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        traces = self._traces(sample, made)
        unit = "time (µs)" if sample.period_ns else "time (samples)"
        self.plot.label_axes(unit, "ADC counts above baseline" if traces.is_above_baseline else "ADC counts")
        self._draw_others(sample)
        self._draw(traces)
        self._fit(traces)

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
            pen = (
                theme.current().pen("trace") if not name else pg.mkPen(theme.current().series(index), width=1)
            )
            curve.setData(
                traces.x, traces.computed[name] if name else traces.raw, pen=pen, skipFiniteCheck=True
            )
            curve.setVisible(name not in self.choice.hidden)
        self._write_legend(wanted)
        self.legend.show()
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
        others = live.samples.of(self.choice.channel) if live is not None and self.choice.overlay > 1 else []
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
            curve.setData(x, self._height_of(other), pen=pg.mkPen(color, width=1), skipFiniteCheck=True)

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
        low = min(float(np.nanmin(y)) for y in shown)
        high = max(float(np.nanmax(y)) for y in shown)
        if self._y_range is not None and self.is_following:
            low, high = min(low, self._y_range[0]), max(high, self._y_range[1])
        self._y_range = (low, high)
        room = PADDING * (high - low) or 1.0
        box.setYRange(low - room, high + 3.2 * room, padding=0)

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
        return (
            "No waveforms in this run."
            if state.state == "done"
            else f"No waveforms: the run {ENDS[state.state]}."
        )

    def _show_info(self) -> None:
        live = self.bridge.live(self.session.selected)
        is_live = live is not None and live.tier1 is None
        self.follow_button.setEnabled(is_live)
        self._set_follow_icon()
        for one in (self.previous_button, self.next_button, self.jump_button):
            one.setEnabled(self._n > 0)
        sample = self._sample
        if sample is None:
            self.info.setText("")
            return
        parts = [self._place_words(sample, is_live=is_live)]
        if sample.channel is not None:
            parts.append(f"channel {sample.channel}")
        if "time_s" in sample.numbers:
            time_s = float(sample.numbers["time_s"])
            parts.append(f"t = {time_s:.6f} s" if time_s < 10 else f"t = {time_s:.3f} s")
        self.info.setText(" · ".join(parts))

    def _set_follow_icon(self) -> None:
        name = "pause" if self.is_following else "play"
        if self.follow_button.property("icon_name") != name:
            self.follow_button.setProperty("icon_name", name)
            self.follow_button.setIcon(theme.icon(name, "text"))

    def _place_words(self, sample: Sample, *, is_live: bool) -> str:
        if sample.place is not None:
            return f"waveform {words.count(sample.place + 1)} of {words.count(self._n)}"
        if self.is_following or not is_live:
            number = sample.numbers.get("event_number")
            return "newest" if number is None else f"newest, packet {words.count(float(number))}"
        return f"sample {self.place + 1} of the newest {self._n}"

    def _show_channels(self, channels: list[int]) -> None:
        if channels != self._channels:
            self._channels = channels
            self.channel_box.clear()
            self.channel_box.addItems(["all channels", *(f"channel {channel}" for channel in channels)])
        chosen = self.choice.channel
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
        menu.addSeparator()
        for name in self._curves:
            action = menu.addAction(f"Show {self._legend_names.get(name, name)}")
            action.setCheckable(True)
            action.setChecked(name not in self.choice.hidden)
            action.triggered.connect(lambda _checked=False, name=name: self._toggle_hidden(name))
