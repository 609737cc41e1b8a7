"""Answers 'is the detector well?' in one line of measured numbers."""

from __future__ import annotations

import contextlib
import math
import operator
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QApplication, QVBoxLayout

from pygama.errors import PygamaError
from pygama.utils import local_text
from pygama_gui.bridge import Bridge
from pygama_gui.data import health
from pygama_gui.data.channels import CLOCK, CODE, code_of
from pygama_gui.data.early_pulses import EarlyPulses, early_in_chain
from pygama_gui.data.headers import CHANGES_EACH_RUN, Difference, differences, read_plist
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.moves import OF_RUN, OF_SET, find_move
from pygama_gui.data.samples import bunch_of
from pygama_gui.data.shift import Check, Level, Rates, level_of, rates
from pygama_gui.data.shift_page import MEASURED, ShiftPage, as_markdown
from pygama_gui.data.slices import Series
from pygama_gui.data.trend_words import Clock, clock_start, gone_words, move_words
from pygama_gui.data.trends import OF_PEAK, Trends, aligned
from pygama_gui.jobs.board import JobState, as_sentence, counted
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import KEV, curve_of, raw_column
from pygama_gui.session.state import SHIFT_LAYOUT, DataSet, Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.figure_words import baseline_words, rate_words
from pygama_gui.views.following import Following, asked_of, history
from pygama_gui.views.strip.checks import FAR_OFF, LOW_DISK, checks
from pygama_gui.views.strip.figures import NOT_FOUND, Figure, FigureLine
from pygama_gui.views.strip.page import ShiftWindow
from pygama_gui.views.strip.telling import (
    FROZEN,
    N_BASELINE,
    SLIGHT,
    beside,
    channels_words,
    gain_words,
    live_time_tip,
    live_time_words,
    mean_and_spread,
    mean_rate,
    members_words,
    place_words,
    rate_now,
    rate_over,
    rate_text,
    reasons,
    state_age_tone,
    state_remark,
    state_words,
    why_no_live_time,
)
from pygama_gui.views.strip.warned import n_warnings, warned
from pygama_gui.views.surveying import Surveying
from pygama_gui.widgets import menu_words, words
from pygama_gui.widgets.parts import button

N_WAVEFORMS = 60
"""Waveforms, the newest, in which pulses within the samples of the baseline are looked for."""
N_NEWEST_TIMES = 1_000_000
"""Rows, the newest, that the present rate is taken of."""
RESTS = 20.0
"""While a run grows, channels and trends are looked at in one part in so many of the time, for each."""
TIP_LETTERS = 90
"""Letters of a line under the mouse."""
UNKNOWN_RATE = (math.nan, math.nan)
EARLY = ("pulses within it", "warn", "warn")
"""Remark and tones of a baseline that is measured within the pulses."""
BASELINES = ("bl_int", "bl_avg", "fc_baseline")
HEIGHT = "trap_max"
LEVELS = ("baseline", "noise", "position", "width")
NO_SPAN = "too few events, or all at one time"
NO_TIME, NO_PEAK = "the events carry no time", "no clear peak was found"
FIND_LIVE_TIME = "Run > Find the live time looks through all rows for it, run by run"
"""What is said of a data set on disk."""
STILL_COUNTED = "not all is counted yet"
NOT_LOOKED = "not looked for yet"
KEEPS_UP = 0.8
"""Share of the events of the channel with the most that the followed one has at least."""
EVERY_S = 0.25
"""Figures that change more often cannot be read."""


class StripView(View):
    """The status strip; always visible."""

    TITLE = "Status"
    HELP = "How the selected run stands: state, rate, baseline, channels, and room on the disk."

    view_asked = pyqtSignal(str)
    """A figure was clicked; where it leads, as figures.LEADS has it."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._free: int | None = None
        self._kind: str | None = None
        self._drawn_at = 0.0
        self._following = Following(self, has_cuts=False, rests=RESTS)
        self._surveying = Surveying(self, has_cuts=False, rests=RESTS)
        self._surveyed = health.Survey()
        self._frozen: set[str] = set()
        """Runs that are followed and stand still."""
        self._why: dict[str, str] = {}
        """Why something is not known of the run, by the name of its line on the shift page."""
        self._logged: set[tuple[str, int, str]] = set()
        """Run, channel and state of channels that were not well while their run was under way."""
        self._page: ShiftWindow | None = None
        self._rate_course: Series | None = None
        self._trends: Trends | None = None
        self._levels: dict[str, tuple[Series, Level]] = {}
        self._told_levels: dict[str, tuple[tuple[Series, ...], tuple[str, float], Level | None]] = {}
        """What a level was found from, and the level: a sign of life of a quiet run changes nothing."""
        self._told_baseline: tuple[object, tuple[str, str]] = ((None, 0), ("", ""))
        self._whose_peak = ""
        """The channel whose peak is followed, where there are several."""
        self._early: tuple[tuple[object, ...], EarlyPulses | None] = ((), None)
        self._rates = Rates()
        self._mean: tuple[object, tuple[float, float]] = ((None, 0), UNKNOWN_RATE)
        self._busiest_held: tuple[LiveRun | None, int] = (None, 0)
        """The channel with the most events of a run that grows."""
        self._most: tuple[object, int] = ((None, 0), 0)
        self.report_action = menu_words.name(
            QAction(self), "Copy s&hift report | elog e-log summary status clipboard"
        )
        self.report_action.triggered.connect(lambda _checked=False: self.copy_report())
        self.page_action = menu_words.name(
            QAction(self),
            "&Open the shift page… | elog e-log logbook check-list checklist sign remarks html csv report",
        )
        self.page_action.triggered.connect(lambda _checked=False: self.open_page())
        self.live_time_action = menu_words.name(
            QAction(self), "F&ind the live time | dead time livetime pulser"
        )
        self.live_time_action.triggered.connect(lambda _checked=False: self.find_live_time())
        self._line = FigureLine()
        self.figures = self._line.figures
        self._line.view_asked.connect(self.view_asked)
        self.page_button = button(
            "Shift page…", "Open the shift page", "Note the shift down: remarks, signature"
        )
        self.page_button.clicked.connect(lambda _checked=False: self.open_page())
        self._line.add_button(self.page_button)
        self._show_button()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._line)
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
        return [self.page_action, self.report_action, self.live_time_action]

    def on_session(self, old: Session, new: Session) -> None:
        """Show another run, or what another choice of channel, line or reference says."""
        is_other_run = old.selected != new.selected or old.runs is not new.runs
        is_other_run |= old.trends != new.trends or old.line != new.line
        if is_other_run or old.channel_map is not new.channel_map:
            self.redraw_soon()
        if old.output_dir != new.output_dir:
            self.bridge.room.look()
        if old.layout != new.layout:
            self._show_button()
            self._fit()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Show how the job stands: a new state at once, new figures a few times a second."""
        if self.session.selected not in run_ids:
            self._show_trouble()
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

    def _show_button(self) -> None:
        """Show the way to the shift page to those who are on shift."""
        self.page_button.setVisible(self.session.layout == SHIFT_LAYOUT)

    def _fit(self) -> None:
        self._line.fit(self.width())

    def _show_run(self, run: Run) -> None:
        state = self.bridge.state(run.run_id)
        began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.start_time)) if run.start_time > 0 else ""
        if isinstance(run, DataSet):
            self.figures["RUN"].show_value(run.name, members_words([one.run for one in run.members]))
        else:
            self.figures["RUN"].show_value(str(run.run_number), began)
        if run.start_time > 0:
            self.figures["RUN"].setToolTip(f"{run.path}\nbegan {local_text(run.start_time)}")
        self._show_state(state, is_given=run.is_given)
        self._log_silence(run.run_id, state)
        live = self.bridge.live(run.run_id)
        has_rows = live is not None and len(live.columns) > 0
        self._survey(run, live if has_rows else None)
        self._show_rate(live, state)
        self._show_live_time(run, live)
        self._show_baseline(live)
        self._show_peak()
        self._show_channels()
        self._show_trouble()
        if state is None or state.has_ended:
            for figure in self.figures.values():
                figure.forget_room()

    def _show_state(self, state: JobState | None, *, is_given: bool) -> None:
        if state is None:
            remark = "not read" if is_given else "not processed"
            self.figures["STATE"].show_value("■ READY", remark, "soft")
            self.figures["EVENTS"].show_value(words.UNKNOWN)
            return
        value, tone = state_words(state)
        is_other = self.figures["STATE"].whole != value
        self.figures["STATE"].show_value(value, state_remark(state), tone, state_age_tone(state))
        if is_other:
            self.figures["STATE"].forget_room()
        if state.made_on is not None:
            told = self.figures["STATE"].toolTip()
            self.figures["STATE"].setToolTip(f"{told}\n{local_text(state.made_on)}")
        is_known = state.rows or state.state == "done"
        self.figures["EVENTS"].show_value(words.count(state.rows) if is_known else words.UNKNOWN)

    def _log_silence(self, run_id: str, state: JobState | None) -> None:
        """Note in the log when a run that is followed stands still, and when it goes on."""
        is_frozen = state is not None and state_words(state) == FROZEN
        if is_frozen and run_id not in self._frozen:
            self._frozen.add(run_id)
            self.bridge.log(f"{self.bridge.name_of(run_id)}: no event for a minute", "warning")
        elif run_id in self._frozen and not is_frozen:
            self._frozen.remove(run_id)
            if state is not None and not state.has_ended:
                self.bridge.log(f"{self.bridge.name_of(run_id)}: events come again")

    def _survey(self, run: Run, live: LiveRun | None) -> None:
        """Have channels and trends looked at, and take what is known of them."""
        self._surveyed, self._trends, self._levels = health.Survey(), None, {}
        self._rate_course, self._why = None, {}
        if live is None:
            return
        if far := self.bridge.data_sets.how_far(run.run_id):
            self._why = dict.fromkeys((*MEASURED.values(), "channels"), f"{STILL_COUNTED}: {far}")
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
        self._rate_course = None if everything is None else everything.of("rate")
        for kind in LEVELS:
            trends = self._trends if kind in OF_PEAK else everything
            if trends is not None and trends.is_whole:
                self._take_level(trends, kind)
                if kind not in self._levels and trends.n_rows:
                    self._why[MEASURED[kind]] = _why_no_level(kind, trends.of(kind))

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
            own = OF_SET if isinstance(self.session.selected_run, DataSet) else OF_RUN
            level = level_of(series, known, k, source, own)
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
        return self._busiest(live)

    def _busiest(self, live: LiveRun) -> int | None:
        """Give the channel with the most events; while a run grows, the same one as long as it keeps up."""
        counts = {one.code: one.n_events for one in self._surveyed.figures}
        if not counts:
            return None
        state, held = self.bridge.state(self.session.selected), self._busiest_held
        has_ended = state is None or state.has_ended
        most = max(counts, key=lambda code: counts[code])
        is_same = held[0] is not None and held[0].is_same_as(live)
        if is_same and not has_ended and counts.get(held[1], 0) >= KEEPS_UP * counts[most]:
            return held[1]
        self._busiest_held = (live, most)
        return most

    def _show_rate(self, live: LiveRun | None, state: JobState | None) -> None:
        """Show the detector's rate by the cards' own clock: now beside its mean, or the mean of all."""
        self._rates = Rates()
        if live is None or "time_s" not in live.columns:
            self.figures["RATE"].show_value(words.UNKNOWN)
            self._why["rate"] = NO_TIME if live is not None and live.n_rows else ""
            self._mean = ((None, 0), UNKNOWN_RATE)
            return
        if live.is_on_disk:
            self._mean = ((live, live.n_rows), rate_over(live.n_rows, live.duration_s))
            self.figures["RATE"].show_value(rate_text(self._mean[1][0]))
            return
        times = live.columns.column(CLOCK if CLOCK in live.columns else "time_s")
        if self._mean[0] != (live, len(times)):
            self._mean = ((live, len(times)), mean_rate(times))
        mean = rate_text(self._mean[1][0])
        self._why["rate"] = NO_SPAN
        is_running = state is not None and not state.has_ended
        self._rates = rates(times[-N_NEWEST_TIMES:])
        if state is not None and state_age_tone(state) != "soft":
            self._rates = self._rates.silent_for(state.age_s or 0.0)
        if not is_running or not math.isfinite(self._rates.now):
            read = f"read at {words.size(state.bytes_per_s)}/s" if state is not None and is_running else ""
            self.figures["RATE"].show_value(mean, read if state is not None and state.bytes_per_s else "")
            return
        is_off = abs(self._rates.sigma) >= FAR_OFF
        now = rate_now(self._rates)
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
        chosen = channel if channel in live.channels else None
        asked = (live.times, chosen, self.bridge.channel_name)
        figure.show_value(*live_time_words(*asked))
        self._why["live time"] = "" if figure.is_known else why_no_live_time(*asked)
        figure.setToolTip(live_time_tip(*asked))

    def _show_no_live_time(self, run: Run, figure: Figure) -> None:
        """Say that the live time is looked for, or of a data set on disk how to have it found."""
        timing = self.bridge.timing
        far, can_find = timing.how_far(run.run_id), timing.can_find(run.run_id)
        figure.show_value(NOT_FOUND if far or can_find else words.UNKNOWN, far or NOT_LOOKED * can_find)
        if can_find:
            figure.setToolTip(FIND_LIVE_TIME)
            self._why["live time"] = FIND_LIVE_TIME

    def _show_baseline(self, live: LiveRun | None) -> None:
        name = next((name for name in BASELINES if live is not None and name in live.columns), None)
        if live is None or name is None:
            self.figures["BASELINE"].show_value(words.UNKNOWN)
            return
        if self._told_baseline[0] != (live, len(live.columns)):
            values = np.asarray(live.columns.column(name)[-N_BASELINE:], np.float64)
            if CODE in live.columns:
                values = aligned(values, live.columns.column(CODE)[-N_BASELINE:])
            self._told_baseline = ((live, len(live.columns)), mean_and_spread(values))
        value, unit = self._told_baseline[1]
        known, early = self._levels.get("baseline"), self._early_pulses(live)
        remark = beside(unit, None if known is None else known[1]) if early is None else EARLY
        sign = "" if early is None else "▲ "  # a narrow strip has no room for the remark
        self.figures["BASELINE"].show_value(f"{sign}{value} {unit}".rstrip(), *remark)
        if early is not None:
            self.figures["BASELINE"].setToolTip(f"{early.words}, and process the run again")
            return
        told = [self.figures["BASELINE"].toolTip()]
        if known is not None and known[1].moved:
            told.append(self._move_words(known[0]))
            if known[1].is_slight:
                told.append(f"That is {SLIGHT}")
        if " ± " in value:
            told.append("The median, ± how single events scatter about it")
        self.figures["BASELINE"].setToolTip("\n".join(told))

    def _move_words(self, series: Series) -> str:
        """Say what moved since when, as Trends does."""
        run = self.session.selected_run
        began = 0 if run is None or isinstance(run, DataSet) else run.start_time
        clock = Clock(clock_start(began, float(series.times[0])), 2 * float(series.half_widths[0]))
        told = gone_words(series, clock).removeprefix("▲ ") or move_words(series, find_move(series), clock)
        return f"{as_sentence(told)}: Trends shows it"

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
        figure.has_value, self._whose_peak = "position" in self._levels, ""
        if trends is None or trends.anchor is None or not figure.has_value:
            figure.caption.setText("PEAK")
            figure.show_value(words.UNKNOWN)
            return
        _, place = self._levels["position"]
        channel = trends.asked.channel
        whose = "" if channel is None else self.bridge.channel_name(channel)
        is_one_of_many = len(self.bridge.shown(self._surveyed.codes)) > 1
        name = trends.anchor.name.partition(" ")[0] or "PEAK"
        self._whose_peak = whose if is_one_of_many else ""
        figure.caption.setText(f"{name} · {self._whose_peak}" if self._whose_peak else name)
        value, is_width_ok, how = self._width_words(trends)
        is_ok = place.is_ok and is_width_ok
        remark = gain_words(place, trends.asked.unit(trends.anchor.column))
        figure.show_value(value if is_ok else f"▲ {value}", remark, "", "soft" if is_ok else "warn")
        moved = [
            self._move_words(series)
            for series, level in (self._levels[kind] for kind in OF_PEAK if kind in self._levels)
            if level.moved or level.is_gone
        ]
        of = f"{how} of {whose}" if whose else how
        is_chosen = not is_one_of_many or channel == self.session.trends.channel
        as_in = "as in Trends" if is_chosen else "as in Trends where that channel is chosen"
        at = place_words(place, trends.asked.unit(trends.anchor.column))
        lines = [
            f"{value} {at}" if remark == at else f"{value} {at}, {remark}",
            *moved,
            f"{of}, {as_in}; that of a region or of a sample may differ within its error",
        ]
        if trends.is_line_missed:
            lines.append("No clear peak is where the preview has one; another one is followed")
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

    def _show_trouble(self) -> None:
        """Show what went wrong: warnings of what is chosen, runs that failed; and how many runs wait."""
        run = self.session.selected_run
        n = 0 if run is None else n_warnings(self.bridge, run)
        states = [self.bridge.state(run.run_id) for run in self.session.runs]
        n_failed = sum(one is not None and one.state == "failed" for one in states)
        sign, noun = f"▲ {n}", "warning" if n == 1 else "warnings"
        if n_failed:
            remark = f"run{'s' if n_failed > 1 else ''} failed{f' · {sign} {noun}' if n else ''}"
            self.figures["ERRORS"].show_value(f"✕ {n_failed}", remark, "bad", "bad")
        elif n:
            self.figures["ERRORS"].show_value(sign, noun, "warn", "warn")
        else:
            self.figures["ERRORS"].show_value("0")
        if (n_failed or n) and run is not None:
            told = (f"{when}: {what}" if when else what for when, what in warned(self.bridge, run))
            lines = [*(textwrap.fill(one, TIP_LETTERS) for one in told), "The log (Ctrl+L) says more"]
            self.figures["ERRORS"].setToolTip("\n".join(lines))
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

    # The shift page

    def copy_report(self) -> None:
        """Copy what a shifter notes down, with what the header changed since the run before."""
        self._with_page(self._copy)

    def open_page(self) -> None:
        """Open the page of the shift, for remarks and a signature."""
        run = self.session.selected_run
        if self._page is not None and run is not None and self._page.run_id != run.run_id:
            self._page.reject()
        if self._page is None and run is not None:
            self._page = ShiftWindow(self, run, self.open_page)
            self._page.finished.connect(lambda _code: self._forget_page())
        self._with_page(self._show_page, self._show_page_without_header)

    def _with_page(
        self, then: Callable[[str, ShiftPage], None], at_once: Callable[[str, ShiftPage], None] | None = None
    ) -> None:
        """Make the page of the selected run, and hand it on once the headers are compared.

        at_once: gets it before that.
        """
        run = self.session.selected_run
        if run is None:
            self.bridge.log("There is no run to report on", "warning")
            return
        self.redraw()
        page = self._page_of(run)
        pair = self._to_compare(run)
        if pair is None:
            then(run.run_id, page)
            return
        if at_once is not None:
            at_once(run.run_id, page)
        before, after = pair
        is_listed = self.session.run(before.run_id) is not None
        name = self.bridge.name_of(before.run_id) if is_listed else before.title

        def take(found: list[Difference] | None) -> None:
            differing = None if found is None else tuple(found)
            then(run.run_id, replace(page, against=name, found=differing))

        self.bridge.in_background(lambda: _header_differences(before, after), take)

    def _to_compare(self, run: Run) -> tuple[Run, Run] | None:
        """Give the run before in the list, and the run; of a data set, which has no header, both its ends."""
        if isinstance(run, DataSet):
            first, last = run.members[0].run, run.members[-1].run
            return None if first == last else (first, last)
        single = [one for one in self.session.runs if not isinstance(one, DataSet)]
        at = single.index(run) if run in single else 0
        return (single[at - 1], run) if at else None

    def _page_of(self, run: Run) -> ShiftPage:
        """Take the figures, but for the headers."""
        names = self.bridge.names(self._surveyed.codes)
        rows = tuple(
            (name, its.words, rate_words(one), baseline_words(one).removeprefix("bl "), its.why)
            for name, one, its in zip(names, self._surveyed.figures, self._surveyed.health, strict=True)
        )
        courses = {series.name: series for series, _ in self._levels.values()}
        if self._rate_course is not None:
            courses["rate"] = self._rate_course
        notes, name = self.session.notes_on(run.run_id), self.bridge.name_of(run.run_id)
        return ShiftPage(
            name,
            counted(len(run.members), "run") if isinstance(run, DataSet) else run.path.name,
            time.time(),
            tuple(self.checks()),
            rows,
            courses=courses,
            remarks=notes.remarks,
            note=notes.note,
            who=self.session.shifter,
            warnings=tuple(warned(self.bridge, run)),
            n_runs=len(run.members) if isinstance(run, DataSet) else 1,
        )

    def _copy(self, run_id: str, page: ShiftPage) -> None:
        QApplication.clipboard().setText(as_markdown(page))
        self.bridge.log(f"{page.title}: copied the shift report")

    def _show_page(self, run_id: str, page: ShiftPage, *, is_header_known: bool = True) -> None:
        if self._page is not None and self._page.run_id == run_id:
            self._page.show_page(page, is_header_known=is_header_known)
            self._page.show()
            self._page.raise_()

    def _show_page_without_header(self, run_id: str, page: ShiftPage) -> None:
        self._show_page(run_id, page, is_header_known=False)

    def _forget_page(self) -> None:
        self._page = None

    def checks(self) -> list[Check]:
        """Give the lines of the check-list."""
        early, levels, mean = self._early[1], self._levels, self._mean[1]
        return checks(
            self.figures,
            self._rates,
            early,
            levels,
            self._surveyed,
            self._free,
            mean,
            whose_peak=self._whose_peak,
            why=self._why,
        )

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


def _why_no_level(kind: str, found: Series | None) -> str:
    """Say why a quantity is not known of a run whose rows were followed."""
    if found is not None:
        return found.note
    return NO_PEAK if kind in OF_PEAK else ""


def _header_differences(before: Run, run: Run) -> list[Difference] | None:
    with contextlib.suppress(PygamaError, OSError):
        return differences(read_plist(before), read_plist(run), CHANGES_EACH_RUN)
    return None
