"""Answers 'is the detector well?' in one line of measured numbers."""

from __future__ import annotations

import contextlib
import math
import operator
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PyQt5.QtCore import QSize
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QApplication, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from pygama.errors import PygamaError
from pygama.utils import signed_text
from pygama_gui.bridge import Bridge
from pygama_gui.data import health
from pygama_gui.data.channels import CLOCK, CODE, code_of
from pygama_gui.data.early_pulses import EarlyPulses, early_in_chain
from pygama_gui.data.headers import Difference, differences
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.run_times import RunTimes, Spell
from pygama_gui.data.samples import bunch_of
from pygama_gui.data.shift import Check, Level, Rates, level_of, rates, report
from pygama_gui.data.slices import Series, median_and_scatter
from pygama_gui.data.trends import Trends, aligned
from pygama_gui.jobs.board import JobState, as_sentence, counted, how_far
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import KEV, curve_of, raw_column
from pygama_gui.session.state import DataSet, Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.figure_words import baseline_words, rate_words
from pygama_gui.views.following import Following, asked_of, history
from pygama_gui.views.surveying import Surveying
from pygama_gui.widgets import menu_words, theme, words
from pygama_gui.widgets.parts import label

N_BASELINE = 20_000
"""Rows, the newest, that the baseline is taken over."""
N_WAVEFORMS = 60
"""Waveforms, the newest, in which pulses within the samples of the baseline are looked for."""
N_NEWEST_TIMES = 1_000_000
"""Rows, the newest, that the present rate is taken of."""
N_NAMED = 2
"""Channels that are named; more are counted."""
MOST_REASONS, TIP_LETTERS = 10, 90
"""Channels that are told of under the mouse, each with what ails it, and letters of a line there."""
RESTS = 20.0
"""While a run grows, channels and trends are looked at in one part in so many of the time, for each."""
FAR_OFF = 5.0
"""Standard deviations from which on a rate is another one."""
SIGN = "▲"
"""What stands before all that is not as it should be."""
SIDE, SPACING, TIGHT, REMARK_GAP = 14, 18, 12, 5
DISPENSABLE = (
    *("RUN", "LIVE TIME", "ERRORS", "DISK", "QUEUE", "RATE", "PEAK", "BASELINE", "STATE"),
    *("CHANNELS", "EVENTS"),
)
"""Figures in the order in which they give up their remarks where there is no room."""
WITH_ERROR = ("BASELINE", "RATE", "PEAK")
"""Figures in the order in which they then give up their errors, which stay under the mouse."""
LESSER = ("EVENTS", "LIVE TIME", "QUEUE", "RUN", "DISK", "RATE", "BASELINE")
"""Figures in the order in which they go where even that is too much."""
BASELINES = ("bl_int", "bl_avg", "fc_baseline")
HEIGHT = "trap_max"
LEVELS = ("baseline", "noise", "position", "width")
LOW_DISK = 5e9
LONGEST_NOTE = 300
"""Characters of a tooltip that says why something is not known."""
FIND_LIVE_TIME = "Run > Find the live time looks through all rows for it, run by run"
"""What is said of a data set on disk."""
EVERY_S = 0.25
"""Figures that change more often cannot be read."""

EARLY = ("pulses within it", "warn", "warn")
"""Remark and tones of a baseline that is measured within the pulses."""

STATES = {
    "waiting": ("■ WAITING", "soft"),
    "running": ("▶ PROCESSING", "accent"),
    "paused": ("■ PAUSED", "warn"),
    "done": ("✓ DONE", "ok"),
    "failed": ("✕ FAILED", "bad"),
    "stopped": ("■ STOPPED", "soft"),
}

LIVE_STATES = {"running": ("● LIVE", "ok"), "done": ("✓ FINISHED", "ok")}
FROZEN = ("■ FROZEN", "bad")
OLD_S, STALE_S = 10.0, 60.0
"""Ages of the newest event of a run that is followed, in s, above which it is told in another tone."""


class Figure(QWidget):
    """A caption with a value and a remark."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self.caption = label(caption, tone="soft", px=theme.CAPTION, bold=True)
        self.has_value = True
        self.value = label(words.UNKNOWN, px=theme.LARGE, bold=True)
        self.remark = label(tone="soft", px=theme.SMALL)
        line = QHBoxLayout()
        line.setSpacing(REMARK_GAP)
        line.addWidget(self.value)
        line.addWidget(self.remark)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.caption)
        column.addLayout(line)
        self.whole = ""
        """The value with its error."""
        self._tones = ("", "soft")
        self._has_remark = self._has_error = True
        self.width_with_remark = self.width_alone = self.width_short = 0
        self.show_value(words.UNKNOWN)

    def show_value(self, value: str, remark: str = "", tone: str = "", remark_tone: str = "soft") -> None:
        """Show a value."""
        self.whole, self._tones = value, (tone, remark_tone)
        self.remark.setText(remark)
        theme.mark(self.remark, "tone", remark_tone)
        self.setAccessibleName(f"{self.caption.text()}: {value} {remark}".strip())
        self.setToolTip(f"{value} {remark}".strip())
        self._take_room()

    @property
    def warns(self) -> bool:
        """Whether the remark alone tells that something is not as it should be."""
        return self.remark.text().startswith(SIGN)

    def forget_room(self) -> None:
        """Take no more room than the present value needs."""
        self.width_with_remark = self.width_alone = self.width_short = 0
        self._take_room()

    def _take_room(self) -> None:
        """Note the room that is needed; it only grows, so that no figure jumps while another one counts."""
        remark = REMARK_GAP + self.remark.sizeHint().width() if self.remark.text() else 0
        least = self.caption.sizeHint().width()
        self.width_short = max(self.width_short, least, self._width_of(has_remark=False, has_error=False))
        self.width_alone = max(self.width_alone, least, self._width_of(has_remark=False, has_error=True))
        both = self._width_of(has_remark=True, has_error=True) + remark
        self.width_with_remark = max(self.width_with_remark, both, self.width_alone)
        self._write()

    def _width_of(self, *, has_remark: bool, has_error: bool) -> int:
        self.value.setText(self._text(has_remark, has_error))
        return self.value.sizeHint().width()

    def _text(self, has_remark: bool, has_error: bool) -> str:
        """Give what is written as the value; it takes over the sign of a remark that warns and is hidden."""
        sign = f"{SIGN} " if self.warns and not has_remark else ""
        return sign + (self.whole if has_error else words.without_error(self.whole))

    def _write(self) -> None:
        self.value.setText(self._text(self._has_remark, self._has_error))
        tone, remark_tone = self._tones
        theme.mark(self.value, "tone", remark_tone if self.warns and not self._has_remark else tone)

    def show_parts(self, *, has_remark: bool, has_error: bool) -> None:
        """Show or hide the remark and the error of the value, and take the room for them."""
        self._has_remark, self._has_error = has_remark, has_error
        self.remark.setVisible(has_remark and bool(self.remark.text()))
        self._write()
        width = self.width_with_remark if has_remark else self.width_alone
        width = width if has_error else self.width_short
        if width != self.minimumWidth():
            self.setMinimumWidth(width)


class _Narrow(QFrame):
    """A frame that may be narrower than what is in it."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Ask for the height alone."""
        return QSize(200, super().minimumSizeHint().height())


class StripView(View):
    """The status strip; always visible."""

    TITLE = "Status"
    HELP = "How the selected run stands: state, rate, baseline, channels, and room on the disk."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._free: int | None = None
        self._kind: str | None = None
        self._drawn_at = 0.0
        captions = (
            "RUN",
            "STATE",
            "RATE",
            "LIVE TIME",
            "EVENTS",
            "BASELINE",
            "PEAK",
            "CHANNELS",
            "ERRORS",
            "QUEUE",
            "DISK",
        )
        self._following = Following(self, has_cuts=False, rests=RESTS)
        self._surveying = Surveying(self, has_cuts=False, rests=RESTS)
        self._surveyed = health.Survey()
        self._logged: set[tuple[str, int, str]] = set()
        """Run, channel and state of channels that were not well while their run was under way."""
        self._trends: Trends | None = None
        self._levels: dict[str, tuple[Series, Level]] = {}
        self._told_levels: dict[str, tuple[tuple[Series, ...], tuple[str, float], Level | None]] = {}
        """What a level was found from, and the level: a sign of life of a quiet run changes nothing."""
        self._told_baseline: tuple[object, tuple[str, str]] = ((None, 0), ("", ""))
        self._early: tuple[tuple[object, ...], EarlyPulses | None] = ((), None)
        self._rates = Rates()
        self._mean: tuple[object, str] = ((None, 0), "")
        self._most: tuple[object, int] = ((None, 0), 0)
        self.report_action = menu_words.name(
            QAction(self), "Copy s&hift report | elog e-log summary status clipboard"
        )
        self.report_action.triggered.connect(lambda _checked=False: self.copy_report())
        self.live_time_action = menu_words.name(
            QAction(self), "F&ind the live time | dead time livetime pulser"
        )
        self.live_time_action.triggered.connect(lambda _checked=False: self.find_live_time())
        self.figures = {caption: Figure(caption) for caption in captions}
        frame = _Narrow()
        frame.setObjectName("bar")
        self._line = line = QHBoxLayout(frame)
        line.setContentsMargins(SIDE, 6, SIDE, 7)
        line.setSpacing(SPACING)
        for figure in self.figures.values():
            line.addWidget(figure)
        line.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        bridge.room.known.connect(self._take_disk)
        bridge.timing.known.connect(lambda _run_id: self.redraw_soon())
        self._run_id = ""

    @classmethod
    def demo(cls) -> StripView:
        """Show a run under way."""
        bridge = Bridge()
        view = cls(bridge)
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001, 0, 1537871000, 3_746_840)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(1, run)
        for message in madeup.messages(run.path):
            bridge.take(1, message)
        bridge.room.known.emit(212_000_000_000)
        view.redraw_soon()
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with the figures."""
        return [self.report_action, self.live_time_action]

    def on_session(self, old: Session, new: Session) -> None:
        """Show another run, or what another choice of channel, line or reference says."""
        is_other_run = old.selected != new.selected or old.runs is not new.runs
        is_other_run |= old.trends != new.trends or old.line != new.line
        if is_other_run or old.channel_map is not new.channel_map:
            self.redraw_soon()
        if old.output_dir != new.output_dir:
            self.bridge.room.look()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Show how the job stands: a new state at once, new figures a few times a second."""
        if self.session.selected not in run_ids:
            self._show_trouble(self.bridge.state(self.session.selected))
            self._fit()
            return
        state = self.bridge.state(self.session.selected)
        kind, now = None if state is None else state.state, time.monotonic()
        if kind != self._kind or now - self._drawn_at >= EVERY_S:
            self._kind, self._drawn_at = kind, now
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Show figures of the rows: a few times a second, and the last ones."""
        state = self.bridge.state(self.session.selected)
        if state is not None and state.has_ended and self.session.selected in run_ids:
            self.redraw_soon()
        else:
            self.on_jobs(run_ids)

    def redraw(self) -> None:
        """Show all figures."""
        run = self.session.selected_run
        run_id = "" if run is None else run.run_id
        if run_id != self._run_id:
            self._run_id = run_id
            self.figures["PEAK"].caption.setText("PEAK")
            for figure in self.figures.values():
                figure.show_value(words.UNKNOWN)
                figure.forget_room()
        if run is not None:
            self._show_run(run)
        self._show_disk()
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show as many remarks as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hide remarks, the least important ones first, then errors, then values, until the rest has room."""
        shown = {caption: figure for caption, figure in self.figures.items() if figure.has_value}
        room = self.width() - 2 * SIDE - SPACING * (len(shown) - 1)
        needed = sum(figure.width_with_remark for figure in shown.values())
        remarks = {name: one.width_with_remark - one.width_alone for name, one in shown.items()}
        quiet: list[str] = []
        for caption in sorted(DISPENSABLE, key=lambda caption: self.figures[caption].warns):
            if needed <= room:
                break
            if caption in shown:
                needed -= remarks[caption]
                quiet.append(caption)
        # Where a long remark had to go in the end, shorter ones may stay.
        for caption in reversed(quiet[:-1]):
            if needed + remarks[caption] <= room:
                needed += remarks[caption]
                quiet.remove(caption)
        is_tight = needed > room
        room += (SPACING - TIGHT) * (len(shown) - 1) if is_tight else 0
        short: set[str] = set()
        for caption in WITH_ERROR:
            if needed <= room:
                break
            if caption in shown:
                needed -= shown[caption].width_alone - shown[caption].width_short
                short.add(caption)
        for caption in LESSER:
            if needed <= room:
                break
            if caption in shown:
                figure = shown.pop(caption)
                needed -= figure.width_short if caption in short else figure.width_alone
                room += TIGHT
        self._line.setSpacing(TIGHT if is_tight else SPACING)
        for caption, figure in self.figures.items():
            figure.show_parts(has_remark=caption not in quiet, has_error=caption not in short)
            figure.setVisible(caption in shown)
        self._line.activate()  # else what was written is painted first in the places of before

    def _show_run(self, run: Run) -> None:
        state = self.bridge.state(run.run_id)
        began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.start_time)) if run.start_time > 0 else ""
        if isinstance(run, DataSet):
            self.figures["RUN"].show_value(run.name, counted(len(run.members), "run"))
        else:
            self.figures["RUN"].show_value(str(run.run_number), began)
        if run.start_time > 0:
            local = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(run.start_time))
            self.figures["RUN"].setToolTip(f"{run.path}\nbegan at {local} (local time)")
        self._show_state(state)
        live = self.bridge.live(run.run_id)
        has_rows = live is not None and len(live.columns) > 0
        self._survey(run, live if has_rows else None)
        self._show_rate(live, state)
        self._show_live_time(run, live)
        self._show_baseline(live)
        self._show_peak()
        self._show_channels()
        self._show_trouble(state)
        if state is None or state.has_ended:
            for figure in self.figures.values():
                figure.forget_room()

    def _show_state(self, state: JobState | None) -> None:
        if state is None:
            self.figures["STATE"].show_value("■ READY", "not processed", "soft")
            self.figures["EVENTS"].show_value(words.UNKNOWN)
            return
        value, tone = _state_words(state)
        is_other = self.figures["STATE"].whole != value
        self.figures["STATE"].show_value(value, _state_remark(state), tone, _age_tone(state))
        if is_other:
            self.figures["STATE"].forget_room()
        is_known = state.rows or state.state == "done"
        self.figures["EVENTS"].show_value(words.count(state.rows) if is_known else words.UNKNOWN)

    def _survey(self, run: Run, live: LiveRun | None) -> None:
        """Have channels and trends looked at, and take what is known of them."""
        self._surveyed, self._trends, self._levels = health.Survey(), None, {}
        if live is None:
            return
        if CODE in live.columns:
            energy = HEIGHT + KEV
            column = energy if energy in live.columns and live.columns.has_values(energy) else HEIGHT
            found = self._surveying.want(run, live, column)
            if found is None or not found.is_whole:  # channels that are still to come would be called dead
                found = health.Survey()
            self._surveyed = replace(found, health=self._surveying.health(run, found))
        ask = replace(asked_of(self.bridge, run.run_id, None), column="", width=None, has_peak=False)
        peak = replace(ask, channel=self._channel(live), has_peak=True)
        raw = raw_column(self.session, peak.peak_column)
        is_energy = raw != peak.peak_column and not isinstance(run, DataSet)
        if is_energy and peak.channel is not None and curve_of(self.session, run, raw, peak.channel) is None:
            peak = replace(peak, peak_column=raw, line=self.session.line)
        asks = [ask, peak]
        everything, self._trends = self._following.want(live, asks)
        for kind in LEVELS:
            trends = self._trends if kind in ("position", "width") else everything
            if trends is not None and trends.is_whole:
                self._take_level(trends, kind)

    def _take_level(self, trends: Trends, kind: str) -> None:
        """Note how a quantity stands beside the band that it is expected in."""
        series = trends.of(kind)
        if series is None:
            return
        past = history(self.bridge, self._following, trends, self.session.trends.n_reference)
        known = [one for _, other in past if (one := other.of(kind)) is not None]
        source, k = ", ".join(name for name, _ in past), self.session.trends.k
        asked = (series, *known)
        before, about, level = self._told_levels.get(kind, ((), (), None))
        is_same = len(before) == len(asked) and all(map(operator.is_, before, asked))
        if not is_same or about != (source, k):
            level = level_of(series, known, k, source)
            self._told_levels[kind] = (asked, (source, k), level)
        if level is not None:
            self._levels[kind] = (series, level)

    def _channel(self, live: LiveRun) -> int | None:
        """Give the channel whose peak is followed: the chosen one, else the one with the most events."""
        chosen = self.session.trends.channel
        if chosen in live.channels:
            return chosen
        if live.is_on_disk:  # else what is asked for would change when the channels are known
            codes = live.columns.column(CODE)
            if self._most[0] != (live, len(codes)):
                values, n_events = np.unique(codes, return_counts=True)
                self._most = ((live, len(codes)), int(values[n_events.argmax()]))
            return self._most[1]
        figures = self._surveyed.figures
        return max(figures, key=lambda one: one.n_events).code if figures else None

    def _show_rate(self, live: LiveRun | None, state: JobState | None) -> None:
        """Show the detector's rate by the cards' own clock: now beside its mean, or the mean of all."""
        self._rates = Rates()
        if live is None or "time_s" not in live.columns:
            self.figures["RATE"].show_value(words.UNKNOWN)
            return
        if live.is_on_disk:
            self.figures["RATE"].show_value(_rate_text(live.n_rows, live.duration_s))
            return
        times = live.columns.column(CLOCK if CLOCK in live.columns else "time_s")
        if self._mean[0] != (live, len(times)):
            self._mean = ((live, len(times)), _mean_rate(times))
        mean = self._mean[1]
        is_running = state is not None and not state.has_ended
        self._rates = rates(times[-N_NEWEST_TIMES:])
        if not is_running or not math.isfinite(self._rates.now):
            read = f"read at {words.size(state.bytes_per_s)}/s" if state is not None and is_running else ""
            self.figures["RATE"].show_value(mean, read if state is not None and state.bytes_per_s else "")
            return
        is_off = abs(self._rates.sigma) >= FAR_OFF
        now = f"{words.with_error(self._rates.now, self._rates.now_error)} Hz"
        remark = f"mean {words.three_digits(self._rates.mean)}"
        self.figures["RATE"].show_value(f"▲ {now}" if is_off else now, remark, "warn" if is_off else "")

    def _show_live_time(self, run: Run, live: LiveRun | None) -> None:
        """Show which part of the time the channels were live, and in the tooltip how that was found."""
        figure = self.figures["LIVE TIME"]
        self.bridge.timing.ask(run.run_id)
        channel = self.session.trends.channel
        if live is None or live.times is None:
            self._show_no_live_time(run, figure)
            return
        found = live.times.of(channel if channel in live.channels else None)
        figure.show_value(*live_time_words(found))
        figure.setToolTip(live_time_tip(found, live.times))

    def _show_no_live_time(self, run: Run, figure: Figure) -> None:
        """Say that the live time is looked for, or of a data set on disk how to have it found."""
        timing = self.bridge.timing
        far, can_find = timing.how_far(run.run_id), timing.can_find(run.run_id)
        figure.show_value("?" if far or can_find else words.UNKNOWN, far)
        if can_find:
            figure.setToolTip(FIND_LIVE_TIME)

    def _show_baseline(self, live: LiveRun | None) -> None:
        name = next((name for name in BASELINES if live is not None and name in live.columns), None)
        if live is None or name is None:
            self.figures["BASELINE"].show_value(words.UNKNOWN)
            return
        if self._told_baseline[0] != (live, len(live.columns)):
            values = np.asarray(live.columns.column(name)[-N_BASELINE:], np.float64)
            if CODE in live.columns:
                values = aligned(values, live.columns.column(CODE)[-N_BASELINE:])
            self._told_baseline = ((live, len(live.columns)), _mean_and_spread(values))
        value, unit = self._told_baseline[1]
        known, early = self._levels.get("baseline"), self._early_pulses(live)
        remark = _beside(unit, None if known is None else known[1]) if early is None else EARLY
        sign = "" if early is None else "▲ "  # a narrow strip has no room for the remark
        self.figures["BASELINE"].show_value(f"{sign}{value} {unit}".rstrip(), *remark)
        if early is not None:
            self.figures["BASELINE"].setToolTip(f"{early.words}, and process the run again")
        elif " ± " in value:
            told = self.figures["BASELINE"].toolTip()
            self.figures["BASELINE"].setToolTip(f"{told}\nThe median, ± how single events scatter about it")

    def _early_pulses(self, live: LiveRun) -> EarlyPulses | None:
        """Look, as often as at the channels, whether the baseline was measured within the pulses."""
        asked = (live.samples, self._surveyed.figures)
        if not (self._early[0] and all(map(operator.is_, self._early[0], asked))):
            bunch = bunch_of(live.samples.of(None)[-N_WAVEFORMS:])
            found = None if bunch is None else early_in_chain(live.chain, bunch.waveforms, bunch.period_ns)
            self._early = (asked, found)
        return self._early[1]

    def _show_peak(self) -> None:
        """Show width and place of the peak that is followed, beside what is expected."""
        figure, trends = self.figures["PEAK"], self._trends
        figure.has_value = "position" in self._levels
        if trends is None or trends.anchor is None or not figure.has_value:
            figure.caption.setText("PEAK")
            figure.show_value(words.UNKNOWN)
            return
        _, place = self._levels["position"]
        channel = trends.asked.channel
        whose = "" if channel is None else self.bridge.names([channel])[0]
        is_one_of_many = len(self.bridge.shown(self._surveyed.codes)) > 1
        name = trends.anchor.name.partition(" ")[0] or "PEAK"
        figure.caption.setText(f"{name} · {whose}" if whose and is_one_of_many else name)
        value, is_width_ok, how = self._width_words(trends)
        is_ok = place.is_ok and is_width_ok
        remark = _gain_words(place, trends.asked.unit(trends.anchor.column))
        figure.show_value(value if is_ok else f"▲ {value}", remark, "", "soft" if is_ok else "warn")
        of = f"{how} of {whose}" if whose else how
        is_chosen = not is_one_of_many or channel == self.session.trends.channel
        as_in = "as in Trends" if is_chosen else "as in Trends where that channel is chosen"
        at = _place_words(place, trends.asked.unit(trends.anchor.column))
        lines = [
            f"{value} {at}" if remark == at else f"{value} {at}, {remark}",
            f"{of}, {as_in}; that of a region or of a sample may differ within its error",
        ]
        if trends.is_line_missed:
            lines.append("No clear peak is where one was chosen; another one is followed")
        figure.setToolTip("\n".join(lines))

    def _width_words(self, trends: Trends) -> tuple[str, bool, str]:
        """Give the width, whether it is as expected, and how it was found, or why it is not known."""
        if "width" not in self._levels:
            found = trends.of("width")
            return f"FWHM {words.UNKNOWN}", True, "no width" if found is None else as_sentence(found.note)
        series, level = self._levels["width"]
        n_fits = int(series.is_known.sum())
        how = "One fit" if n_fits == 1 else f"Median of {n_fits} fits to slices of time"
        return f"FWHM {words.with_error(level.value, level.error)} {series.unit}".rstrip(), level.is_ok, how

    def _show_channels(self) -> None:
        found = self._surveyed
        if not found.figures:
            self.figures["CHANNELS"].show_value(words.UNKNOWN)
            return
        live = self.bridge.live(self.session.selected)
        n_ignored = 0 if live is None else len(live.channels) - len(self.bridge.shown(live.channels))
        names = self.bridge.names(found.codes)
        mapped = self.bridge.shown(code_of(one) for one in self.session.channel_map.channels)
        n_absent = len(set(mapped) - set(found.codes))
        self.figures["CHANNELS"].show_value(*channels_words(found, names, n_ignored, n_absent))
        if why := reasons(found, names):
            self.figures["CHANNELS"].setToolTip("\n".join(why))
        self._log_new_states(found, names)

    def _log_new_states(self, found: health.Survey, names: list[str]) -> None:
        """Note in the log when a channel of a run under way is not well for the first time, and why."""
        run_id = self.session.selected
        state = self.bridge.state(run_id)
        if state is None or state.has_ended:
            return
        for code, name, one in zip(found.codes, names, found.health, strict=True):
            if one.state != "ok" and (run_id, code, one.state) not in self._logged:
                self._logged.add((run_id, code, one.state))
                told = f"{self.bridge.name_of(run_id)}: {name} is {one.state}: {one.why}"
                self.bridge.log(told, "warning")

    def _show_trouble(self, state: JobState | None) -> None:
        """Show what went wrong: warnings of this run, runs that failed; and how many runs wait."""
        n = 0 if state is None else state.warnings
        states = [self.bridge.state(run.run_id) for run in self.session.runs]
        n_failed = sum(one is not None and one.state == "failed" for one in states)
        sign, noun = f"▲ {n}", "warning" if n == 1 else "warnings"
        if n_failed:
            remark = f"run{'s' if n_failed > 1 else ''} failed{f' · {sign} {noun}' if n else ''}"
            self.figures["ERRORS"].show_value(f"✕ {n_failed}", remark, "bad", "bad")
        elif n:
            self.figures["ERRORS"].show_value(sign, noun, "warn", "warn")
            told = [textwrap.fill(one, TIP_LETTERS) for one in state.warned] if state is not None else []
            self.figures["ERRORS"].setToolTip("\n".join([*told, "The log (Ctrl+L) says more"]))
        else:
            self.figures["ERRORS"].show_value("0")
        waiting = len(self.bridge.queue())
        self.figures["QUEUE"].has_value = waiting > 0
        self.figures["QUEUE"].show_value(str(waiting), "waiting")

    def find_live_time(self) -> None:
        """Have the live time of a data set on disk found; that of all others is found unasked."""
        run_id = self.session.selected
        if self.bridge.timing.can_find(run_id):
            self.bridge.timing.find(run_id)
        else:
            self.bridge.log(
                "The live time is found by itself; only data sets counted from disk wait for this"
            )

    # The shift report

    def copy_report(self) -> None:
        """Copy what a shifter notes down, with what the header changed since the run before."""
        run = self.session.selected_run
        if run is None:
            self.bridge.log("There is no run to report on", "warning")
            return
        self.redraw()
        runs = list(self.session.runs)
        at = runs.index(run) if run in runs else 0
        before = runs[at - 1] if at else None
        if before is None:
            self._copy(run, "", None)
            return
        name = self.bridge.name_of(before.run_id)
        self.bridge.in_background(
            lambda: _header_differences(before, run), lambda found: self._copy(run, name, found)
        )

    def _copy(self, run: Run, against: str, found: list[Difference] | None) -> None:
        names = self.bridge.names(self._surveyed.codes)
        rows = [
            (name, its.words, rate_words(one), baseline_words(one).removeprefix("bl "), its.why)
            for name, one, its in zip(names, self._surveyed.figures, self._surveyed.health, strict=True)
        ]
        title = f"{self.bridge.name_of(run.run_id)} · {run.path.name}"
        QApplication.clipboard().setText(report(title, self.checks(), rows, against, found))
        self.bridge.log(f"{self.bridge.name_of(run.run_id)}: copied the shift report")

    def checks(self) -> list[Check]:
        """Give the lines of the check-list."""
        seen = {name: _text(figure) for name, figure in self.figures.items()}
        made = [Check("run", seen["RUN"]), Check("state", seen["STATE"])]
        is_known = math.isfinite(self._rates.now)
        allowed = f"{words.with_error(self._rates.mean, self._rates.mean_error)} Hz" if is_known else ""
        now = f"{words.with_error(self._rates.now, self._rates.now_error)} Hz, at the end" if is_known else ""
        is_ok = abs(self._rates.sigma) < FAR_OFF if is_known else None
        made += [Check("rate", now or seen["RATE"], allowed, is_ok), Check("events", seen["EVENTS"])]
        made.append(Check("live time", seen["LIVE TIME"]))
        if (early := self._early[1]) is not None:
            begin = f"sample {early.end}, pulses begin at {early.begin}"
            made.append(Check("baseline until", begin, f"{early.begin} or less", is_ok=False))
        for series, level in self._levels.values():
            made.append(_check_of(series.name, series.unit, level))
        if self._surveyed.health:
            n_ok = sum(one.state == "ok" for one in self._surveyed.health)
            n = len(self._surveyed.health)
            made.append(Check("channels", f"{n_ok} of {n} ok", "all", n_ok == n))
        made.append(Check("errors", seen["ERRORS"], "0", seen["ERRORS"] == "0"))
        made.append(Check("queue", seen["QUEUE"] if self.figures["QUEUE"].has_value else "0 waiting"))
        if self._free is not None:
            room = words.size(LOW_DISK)
            made.append(Check("disk", seen["DISK"], f"{room} or more", self._free >= LOW_DISK))
        return made

    def _take_disk(self, free: int | None) -> None:
        self._free = free
        self._show_disk()
        self._fit()

    def _show_disk(self) -> None:
        self.figures["DISK"].has_value = self._free is not None
        if self._free is None:
            self.figures["DISK"].show_value(words.UNKNOWN)
        else:
            is_low = self._free < LOW_DISK
            value = ("▲ " if is_low else "") + words.size(self._free)
            self.figures["DISK"].show_value(value, "free", "warn" if is_low else "")


def live_time_words(found: Spell) -> tuple[str, str]:
    """Say which part of the time was live, and by which way: '98.72 %', 'by pulser'; '?' if not known."""
    if not math.isfinite(found.fraction):
        return "?", ""
    return f"{100 * found.fraction:.2f} %", f"by {found.way}"


def live_time_tip(found: Spell, times: RunTimes) -> str:
    """Say in words how the live time was found, or why it is not known."""
    lines = [f"The live time is not known: {_in_short(found.note)}"]
    if math.isfinite(found.fraction):
        live = words.with_error(found.live_s, found.live_error_s)
        lines = [f"{live} s of {found.real_s:.6g} s were live, found by {found.way}", found.note]
    if times.records is not None:
        lines.append(times.records.line())
    return "\n".join(lines)


def _in_short(note: str) -> str:
    """Leave out what is said of each further channel: whole clauses, as many as can be read at a glance."""
    if len(note) <= LONGEST_NOTE:
        return note
    end = note.rfind("; ", 0, LONGEST_NOTE)
    return f"{note[: end if end > 0 else LONGEST_NOTE]}; …"


def _state_words(state: JobState) -> tuple[str, str]:
    if state.follows and state.state in LIVE_STATES:
        return FROZEN if _age_tone(state) == "bad" else LIVE_STATES[state.state]
    return STATES[state.state]


def _age_tone(state: JobState) -> str:
    """Give the tone for the age of the newest event."""
    age_s = state.age_s if state.follows and state.state == "running" else None
    if age_s is None or age_s <= OLD_S:
        return "soft"
    return "warn" if age_s <= STALE_S else "bad"


def _state_remark(state: JobState) -> str:
    if state.follows and state.state == "running":
        if state.age_s is None:
            return ""
        is_fresh = state.age_s <= OLD_S
        age = words.duration(state.age_s)
        return f"newest {age} old" if is_fresh else f"no event for {age}"
    if state.made_on is not None:
        return f"on {time.strftime('%Y-%m-%d %H:%M', time.localtime(state.made_on))}"
    if state.state == "running" and state.eta_s is not None and state.done_bytes:
        return f"{100 * state.fraction:.0f} %, {words.duration(state.eta_s)} left"
    if state.state == "done":
        return f"in {words.duration(state.elapsed_s)}"
    if state.state in ("paused", "stopped", "failed") and state.done_bytes:
        return how_far(state)
    return ""


def channels_words(
    found: health.Survey, names: list[str], n_ignored: int = 0, n_absent: int = 0
) -> tuple[str, str, str, str]:
    """Say how many channels there are, and which of them are not well: value, remark, tones.

    n_absent: detectors of the channel map on cards that the run does not have. A few of a state are
    named, as 'channel 2 SILENT'; more are counted.
    """
    told = []
    for state in health.STATES[:-1]:
        its = [name for name, one in zip(names, found.health, strict=True) if one.state == state]
        if its:
            who = ", ".join(its) if len(its) <= N_NAMED else f"{len(its)} channels"
            told.append(f"{health.MARKS[state]} {who} {state.upper()}")
    if not told:
        others = ((n_ignored, "ignored"), (n_absent, "not in this run"))
        remark = ", ".join(("all ok", *(f"{n} {words}" for n, words in others if n)))
        return f"✓ {len(names)}", remark, "ok", "soft"
    n_ill = sum(one.state != "ok" for one in found.health)
    is_alarm = any(one.tone == "bad" for one in found.health)
    tone = "bad" if is_alarm else "warn"
    return f"{'✕' if is_alarm else '▲'} {n_ill} of {len(names)}", ", ".join(told), tone, tone


def reasons(found: health.Survey, names: list[str]) -> list[str]:
    """Say of each channel that is not well why it is not; of many, of the first ones."""
    pairs = zip(names, found.health, strict=True)
    ill = [f"{name} {one.state}: {one.why}" for name, one in pairs if one.state != "ok"]
    n_more = len(ill) - MOST_REASONS
    return [*ill[:MOST_REASONS], f"and {n_more} more: see Channels"] if n_more > 0 else ill


def _beside(unit: str, level: Level | None) -> tuple[str, str, str]:
    """Give remark and tones for a level beside what is expected of it."""
    if level is None:
        return "", "", "soft"
    if level.moved:
        return f"▲ moved {signed_text(level.moved, 3)} {unit}".replace("-", "−"), "", "warn"
    if not level.is_ok and level.band is not None:
        return f"▲ outside the band of {level.band.source}", "", "warn"
    return "steady" if level.is_followed else "", "", "soft"


def _place_words(place: Level, unit: str) -> str:
    """Say where the peak lies."""
    return f"at {words.with_error(place.value, place.error)} {unit}".rstrip()


def _gain_words(place: Level, unit: str) -> str:
    """Say where the peak lies, and whether it moved."""
    at = _place_words(place, unit)
    if place.moved and place.value:
        return f"gain {signed_text(100 * place.moved / place.value, 2)} %".replace("-", "−")
    if not place.is_ok and place.band is not None:
        return f"{at}, outside the band of {place.band.source}"
    return "gain steady" if place.is_followed else at


def _check_of(name: str, unit: str, level: Level) -> Check:
    value = f"{words.with_error(level.value, level.error)} {unit}".rstrip()
    if level.moved:
        by = f"{signed_text(level.moved, 3)} {unit}".rstrip().replace("-", "−")
        value += f", moved by {by} ({level.sigma:.1f} σ)"
    if level.band is None:
        return Check(name, value)
    allowed = f"{words.with_error(level.band.middle, level.band.half)} {unit}".rstrip()
    return Check(name, value, f"{allowed}, from {level.band.source}", level.is_ok)


def _text(figure: Figure) -> str:
    return f"{figure.whole} {figure.remark.text()}".strip()


def _header_differences(before: Run, run: Run) -> list[Difference] | None:
    from pygama.orca.packets import read_header

    with contextlib.suppress(PygamaError, OSError):
        return differences(read_header(before.path).plist, read_header(run.path).plist)
    return None


def _mean_and_spread(values: np.ndarray) -> tuple[str, str]:
    """Give the median and the scatter of the newest values; both robust against pulses on a tail."""
    newest = np.asarray(values[-N_BASELINE:], np.float64)
    middle, scatter = median_and_scatter(newest)
    if not math.isfinite(middle):
        return words.UNKNOWN, ""
    # One event of each channel does not tell how it scatters.
    spread = f" ± {words.level(scatter)}" if scatter > 0 else ""
    return f"{words.level(middle)}{spread}", "ADC"


def _mean_rate(times: np.ndarray) -> str:
    """Give the mean rate of events whose times (s) are these."""
    known = times[np.isfinite(times)]
    return _rate_text(len(known), float(known.max() - known.min()) if len(known) > 1 else 0.0)


def _rate_text(n_events: int, span: float) -> str:
    if n_events < 2 or span <= 0:
        return words.UNKNOWN
    rate = (n_events - 1) / span
    return f"{words.count(rate)} Hz" if rate >= 100 else f"{rate:.3g} Hz"
