"""Has the channels of a run looked at off the event loop: figures and states first, then peak by peak."""

from __future__ import annotations

import contextlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import field, replace

import numpy as np

from pygama.errors import PygamaError
from pygama.quick_dataclass import dataclass
from pygama_gui.data import chain_facts
from pygama_gui.data.channels import CLOCK, CODE, card_of, code_of
from pygama_gui.data.dragged import LEAST_ROWS
from pygama_gui.data.gain import N_PARTS, Gone, Watch, find_newly_gone, parts_of
from pygama_gui.data.headers import read_plist
from pygama_gui.data.health import (
    SATURATION,
    SLOPE,
    Health,
    Peak,
    Survey,
    cards_of,
    clock_name,
    enabled_channels,
    ends_of,
    peak_of_channel,
    survey,
    with_gain,
)
from pygama_gui.data.known_peaks import Peaks
from pygama_gui.data.linked import Cuts, Rows
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.recounting import Recounter
from pygama_gui.data.selection import passing_of
from pygama_gui.data.survey_from_files import CountedPeaks, FoundSurvey, GatheredSurvey
from pygama_gui.data.trend_words import Clock, clock_start
from pygama_gui.data.trends import BASELINES, HEIGHTS, NOISES
from pygama_gui.session.state import DataSet, Run
from pygama_gui.views.base import View
from pygama_gui.views.following import RESTS, Hand, Rest

GROWTH, EVERY_S = 1.05, 4.0
"""Channels are looked at anew when there are so many times the rows, or more rows and so many seconds on."""
N_TOGETHER = 2
"""Peaks that are fitted at a stretch, before others have their turn."""
PEAKS_EVERY_S, PEAKS_REST = 60.0, 20.0
"""Peaks of a run that grows are fitted anew after so many seconds, and so many times as long as all take."""
N_NEWEST = 200_000
"""Events, of all channels, among which a peak may be missing that was there before."""
LEAST_IN_PEAK = 50
"""Events of a channel in which a peak is looked for."""
MOST_OF_FILES = 12
"""Surveys of data sets on disk that are kept, each under other cuts or of another column."""


@dataclass(frozen=True)
class Declared:
    """What the header of a run tells of its channels: codes of those switched on, and of cards in crates."""

    enabled: list[int] = field(default_factory=list)
    cards: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _State:
    """What a survey was made of."""

    live: LiveRun
    column: str
    codes: tuple[int, ...]
    cuts: Cuts | None


@dataclass
class _Held:
    state: _State
    survey: Survey
    peaks: Peaks = field(default_factory=dict)
    counted: CountedPeaks | None = None
    """What peaks of a data set on disk are fitted to, until all are."""
    gone: Mapping[int, Gone] = field(default_factory=dict)
    """Peaks that are missing among the newest events, by channel."""


class Surveying:
    """What is known of the channels of the selected run; the owner is redrawn when something came.

    has_cuts: whether only events that pass the cuts are looked at. rests: see following.RESTS.
    """

    def __init__(self, owner: View, *, has_cuts: bool = True, rests: float = RESTS) -> None:
        self._bridge, self._news = owner.bridge, owner.redraw_soon
        self._has_cuts = has_cuts
        self._rest, self._hand = Rest(owner, rests), Hand(owner)
        self._fitted_at: dict[int, float] = {}
        self._fit_took_s = 0.0
        self._recounter = Recounter()
        self._is_recounting = False
        self._held: _Held | None = None
        self._of_files: OrderedDict[_State, _Held] = OrderedDict()
        self._is_busy = False
        self._headers: dict[str, Declared | None] = {}

    def want(self, run: Run, live: LiveRun, column: str) -> Survey | None:
        """Give what is known of the channels of a run, and have looked at what is old or missing."""
        codes = tuple(self.codes(run, live))
        state = _State(live, column, codes, passing_of(self._bridge.session) if self._has_cuts else None)
        if isinstance(live, LiveSet) and live.is_on_disk:
            return self._want_from_files(run, live, state)
        held = self._held
        if held is not None and self._is_under_hand(held, state):
            if held.state != state and not self._is_recounting:
                self._recount(held, state)
        elif not self._is_busy:
            is_known = held is not None and held.state == state and not held.survey.is_recounted
            if held is None or not is_known or self._is_old(run, held, live):
                self._look(state)
            else:
                self._fit(held, self._lacking(run, held))
        return held.survey if held is not None and held.state.live.is_same_as(live) else None

    # From the files

    def _want_from_files(self, run: Run, live: LiveSet, state: _State) -> Survey | None:
        """Give what is known of a data set on disk; what was found under other cuts is said to be late."""
        known = self._of_files.get(state)
        if known is None or not known.survey.is_whole:
            self._bridge.data_sets.gather(
                f"channels {id(self)}",
                live,
                state,
                lambda: GatheredSurvey(live, state.cuts, state.codes, state.column),
                lambda found: self._take_from_files(live, state, found),
                can_wait=not self._has_cuts,
            )
        if known is None:
            held = self._held if self._held is not None and self._held.state.live is live else None
            return None if held is None else replace(held.survey, is_late=True)
        self._held = known
        if known.counted is not None and not self._is_busy:
            self._fit_counted(known, self._lacking(run, known))
        return known.survey

    def _take_from_files(self, live: LiveSet, state: _State, found: FoundSurvey) -> None:
        self._of_files[state] = _Held(state, found.survey, counted=found.peaks)
        self._of_files.move_to_end(state)
        present = self._bridge.data.values()
        for one in [one for one in self._of_files if one.live not in present]:
            del self._of_files[one]
        while len(self._of_files) > MOST_OF_FILES:
            self._of_files.popitem(last=False)
        if not set(found.others) <= set(live.channels):
            live.channels = sorted({*live.channels, *found.others})  # the sample had none of their rows
        self._news()

    def _fit_counted(self, held: _Held, codes: list[int]) -> None:
        counted, figures = held.counted, {one.code: one for one in held.survey.figures}
        if not codes or counted is None:
            held.counted = None
            return
        self._is_busy = True
        self._bridge.compute(
            lambda: {code: (figures[code].n_events, counted.peak(code)) for code in codes},
            lambda found: self._take_peaks(held, found),
            self._end,
        )

    @property
    def is_busy(self) -> bool:
        """Whether channels are looked at, or will be when the hand rests."""
        return self._is_busy or self._is_recounting or self._hand.moved_just_now

    def _is_under_hand(self, held: _Held, state: _State) -> bool:
        """Tell whether what is known moves with the hand that drags a cut, but for what takes long."""
        n_rows, is_same = len(state.live.columns), replace(held.state, cuts=state.cuts) == state
        if not (self._hand.is_there and is_same and held.survey.n_rows == n_rows >= LEAST_ROWS):
            return False
        return held.state != state or (held.survey.is_recounted and self._hand.moves)

    def _recount(self, held: _Held, state: _State) -> None:
        self._is_recounting = True
        self._follow(
            held, state, lambda found: self._take_recounted(held, state, found), self._end_recounting
        )

    def _make_ready(self, held: _Held) -> None:
        """Count once what a hand that drags a cut will want to see, so that its first move is as quick."""
        if self._has_cuts and held.state.cuts is not None and held.survey.n_rows >= LEAST_ROWS:
            self._follow(held, held.state, lambda _found: None, lambda: None)

    def _follow(
        self, held: _Held, state: _State, take: Callable[[Survey], None], fail: Callable[[], None]
    ) -> None:
        names = {CODE, CLOCK, "time_s", held.survey.column, *(state.cuts.columns if state.cuts else ())}
        rows = _rows(state.live.columns, names)
        self._bridge.counting.follow(
            f"channels {id(self)}",
            lambda counter: self._recounter.recount(counter, state.live, rows, state.cuts, held.survey),
            lambda found: found,
            take,
            fail,
        )

    def _take_recounted(self, held: _Held, state: _State, found: Survey) -> None:
        self._hand.note_move()
        self._held = _Held(state, found, held.peaks, gone=held.gone)
        self._end_recounting()
        self._news()

    def _end_recounting(self) -> None:
        self._is_recounting = False

    def peak(self, code: int) -> Peak:
        """Give the peak of a channel; of NaN where none is known."""
        return Peak() if self._held is None else self._held.peaks.get(code, (0, Peak()))[1]

    def health(self, run: Run, found: Survey) -> tuple[Health, ...]:
        """Say of each channel how it is, its gain with it as far as its peak is known."""
        start = 0 if isinstance(run, DataSet) else run.start_time
        step = found.duration / N_PARTS if found.duration > 0 else 1.0
        clock, unit = Clock(clock_start(start, found.first), step), chain_facts.unit_of(found.column)
        gone = {} if self._held is None else self._held.gone
        return tuple(
            with_gain(health, self.peak(one.code), unit, clock, gone.get(one.code))
            for one, health in zip(found.figures, found.health, strict=True)
        )

    def codes(self, run: Run, live: LiveRun) -> list[int]:
        """Give the channels with events, and those of the map and of the header, whether they have or not.

        Detectors of the map on cards that the run does not have are none of its channels.
        """
        mapped = [code_of(one) for one in self._bridge.session.channel_map.channels]
        declared = self._declared_by(run)
        there = {*live.channels, *(() if declared is None else declared.enabled)}
        return self._bridge.shown(sorted({*there, *(code for code in mapped if _has(declared, there, code))}))

    def _declared_by(self, run: Run) -> Declared | None:
        """Give what the header says; None until it was read."""
        if run.run_id not in self._headers:
            self._headers[run.run_id] = None
            self._bridge.in_background(
                lambda: _read_declared(run), lambda found: self._take_declared(run.run_id, found)
            )
        return self._headers[run.run_id]

    def _take_declared(self, run_id: str, found: Declared) -> None:
        self._headers[run_id] = found
        self._news()

    def _is_old(self, run: Run, held: _Held, live: LiveRun) -> bool:
        n, state = len(live.columns), self._bridge.state(run.run_id)
        has_ended = state is None or state.has_ended
        if has_ended:
            return n > held.survey.n_rows
        has_grown = n > held.survey.n_rows * GROWTH
        return n > held.survey.n_rows and (has_grown or self._rest.is_over(EVERY_S)) and self._rest.is_due()

    def _look(self, state: _State) -> None:
        columns = state.live.columns
        names = {CODE, CLOCK, "time_s", state.column, *HEIGHTS, *BASELINES, *NOISES, SLOPE, *SATURATION}
        rows = _rows(columns, names | (set(state.cuts.columns) if state.cuts is not None else set()))
        loudness = state.live.samples.loudness.ratios()
        watches = self._watches(state)
        self._is_busy = True
        self._rest.begin()
        self._bridge.compute(
            lambda: (
                survey(rows, state.cuts, state.codes, state.column, loudness),
                _newly_gone(rows, state.cuts, state.column, watches),
            ),
            lambda found: self._take(state, *found),
            self._end,
        )

    def _watches(self, state: _State) -> dict[int, Watch]:
        """Give by what the newest events of channels are judged whose peak is known."""
        known = ((code, peak.in_time) for code, (_, peak) in self._peaks_of(state, self._held).items())
        return {code: one.watch for code, one in known if one is not None and one.watch is not None}

    def _take(self, state: _State, found: Survey, gone: Mapping[int, Gone]) -> None:
        held = self._held
        is_outrun = held is not None and held.survey.is_recounted and held.state != state
        if not is_outrun:  # else a hand moved the cuts on, and newer counts are shown
            self._held = _Held(state, found, self._peaks_of(state, held), gone=gone)
            self._make_ready(self._held)
        self._rest.end()
        self._end()
        self._news()

    def _peaks_of(self, state: _State, held: _Held | None) -> Peaks:
        """Give the peaks that are known already: those that all views share, or those of the same cuts."""
        if state.cuts is None:
            return self._bridge.peaks.of(state.live, state.column)
        is_same = held is not None and _of(held.state) == _of(state) and not held.survey.is_recounted
        return held.peaks if held is not None and is_same else {}

    def _lacking(self, run: Run, held: _Held) -> list[int]:
        """Give channels whose peak was not fitted, to half of the events that there are now, or long ago."""
        state = self._bridge.state(run.run_id)
        has_ended = state is None or state.has_ended
        figures = held.survey.figures
        wait_s = max(PEAKS_EVERY_S, PEAKS_REST * self._fit_took_s * math.ceil(len(figures) / N_TOGETHER))
        before = time.monotonic() - wait_s

        def grown_by(code: int) -> float:
            return 1 if has_ended else GROWTH if self._fitted_at.get(code, math.inf) < before else 2

        return [
            one.code
            for one in figures
            if one.n_events >= LEAST_IN_PEAK
            and one.n_events > held.peaks.get(one.code, (0, Peak()))[0] * grown_by(one.code)
        ][:N_TOGETHER]

    def _fit(self, held: _Held, codes: list[int]) -> None:
        if not codes or not held.survey.column:
            return
        cuts = held.state.cuts
        names = {CODE, CLOCK, "time_s", held.survey.column, *(cuts.columns if cuts is not None else ())}
        rows = _rows(held.state.live.columns, names)
        self._is_busy = True
        began = time.monotonic()
        self._bridge.compute(
            lambda: _peaks(rows, cuts, codes, held.survey.column),
            lambda found: self._take_fitted(held, found, began),
            self._end,
        )

    def _take_fitted(self, held: _Held, found: dict[int, tuple[int, Peak]], began: float) -> None:
        now = time.monotonic()
        self._fit_took_s = now - began
        self._fitted_at.update(dict.fromkeys(found, now))
        self._take_peaks(held, found)

    def _take_peaks(self, held: _Held, found: dict[int, tuple[int, Peak]]) -> None:
        held.peaks.update(found)
        self._end()
        self._news()

    def _end(self) -> None:
        self._is_busy = False


def _of(state: _State) -> tuple[object, ...]:
    """Give what peaks depend on beside the rows that are there, and what is told of these while more come."""
    live = state.live
    made = live.calibrations, live.columns.hidden, live.told.tagging, live.told.is_whole
    return live.samples, made, state.column, state.cuts


def _rows(columns: LiveColumns, names: set[str]) -> Rows:
    return {name: columns.column(name) for name in names if name in columns}


def _peaks(rows: Rows, cuts: Cuts | None, codes: list[int], column: str) -> dict[int, tuple[int, Peak]]:
    passing = None if cuts is None else cuts.mask(rows)
    clock = clock_name(rows)
    span = ends_of(rows[clock]) if clock else (math.nan, math.nan)
    found = {}
    for code in codes:
        is_its = rows[CODE] == code
        which = np.flatnonzero(is_its if passing is None else is_its & passing)
        values = np.asarray(rows[column][which], np.float64)
        parts = parts_of(rows[clock][which], span) if clock else None
        found[code] = (len(values), peak_of_channel(values, parts, span))
    return found


def _newly_gone(rows: Rows, cuts: Cuts | None, column: str, watches: Mapping[int, Watch]) -> dict[int, Gone]:
    """Find the channels whose peak is missing among the newest events."""
    clock = clock_name(rows)
    if not watches or not clock or column not in rows:
        return {}
    newest = {name: values[-N_NEWEST:] for name, values in rows.items()}
    usable = np.isfinite(newest[clock]) & np.isfinite(newest[column])
    usable &= True if cuts is None else cuts.mask(newest)
    found = {}
    for code, watch in watches.items():
        its = usable & (newest[CODE] == code)
        gone = find_newly_gone(watch, newest[column][its], newest[clock][its])
        if gone is not None:
            found[code] = gone
    return found


def _has(declared: Declared | None, there: set[int], code: int) -> bool:
    """Tell whether a run has the card of a channel; where its header tells of no card with events, it may."""
    cards = {card_of(one) for one in there}
    if declared is None:
        return card_of(code) in cards
    return card_of(code) in cards | declared.cards or declared.cards.isdisjoint(cards)


def _read_declared(run: Run) -> Declared:
    if isinstance(run, DataSet):
        each = [_read_declared(one.run) for one in run.members]
        enabled = sorted({code for one in each for code in one.enabled})
        return Declared(enabled, frozenset().union(*(one.cards for one in each)))
    with contextlib.suppress(PygamaError, OSError):
        plist = read_plist(run)
        return Declared(enabled_channels(plist), cards_of(plist))
    return Declared()
