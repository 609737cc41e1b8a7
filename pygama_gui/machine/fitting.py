"""Fits the regions of the session on any run, off the event loop, and keeps what came out.

What is to be fitted is counted as all histograms are, under the present cuts, and fitted in the thread for
long computations. A run that grows is fitted again once a second, and only while somebody looks.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from pygama.analysis.fits import fit_region
from pygama.analysis.region_fit import RegionFit
from pygama.analysis.regions import Region, measure_region
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama_gui.data.linked import Axis, Counts, Cuts, Want
from pygama_gui.data.selection import chooses_times, passing_of
from pygama_gui.session.cut_reach import Interval, reach_of_cuts
from pygama_gui.session.state import Fit, NamedRegion, Session

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge
    from pygama_gui.data.live_run import LiveRun

AGAIN_MS = 1000
N_BINS = 240
"""Bins of a window, about, where the request names none."""
MOST_BINS = 960
N_REGION_BINS = 64
"""Bins of a region, about."""

MARKED = ""
"""Stands for the region that is marked in the spectrum, which has no name."""

Asked = Fit | NamedRegion
State = tuple["LiveRun", int, Cuts | None]
"""What a fit holds for: the data of a run, its rows, and the cuts."""


@dataclass(frozen=True)
class Outcome:
    """What a fit gave on a run. found: None where it could not be begun; `problem` says why then."""

    fit: Fit
    state: State
    found: RegionFit | None = None
    problem: str = ""
    left: Interval | None = None
    """What cuts leave of the window; None where they leave it whole."""

    @property
    def why_not(self) -> str:
        """Why there are no peaks; empty where there are."""
        if self.found is None:
            return self.problem
        return "" if self.found.converged else self.found.note


@dataclass(frozen=True)
class Measured:
    """What a region holds on a run. found: None where it is too narrow, or `problem` says why."""

    fit: NamedRegion
    state: State
    found: Region | None = None
    problem: str = ""


class Fitting(QObject):
    """All outcomes, by run and what was asked for."""

    fitted = pyqtSignal(str)
    """Id of a run that has new outcomes."""
    due = pyqtSignal()
    """A second went by since a run that grows was fitted: who looks may ask again."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._outcomes: dict[tuple[str, type, str], Outcome | Measured] = {}
        self._fullest: dict[tuple[str, str], tuple[LiveRun, Fit, RegionFit]] = {}
        self._asked: dict[str, tuple[State, tuple[Asked, ...]]] = {}
        self._last: dict[str, float] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AGAIN_MS)
        self._timer.timeout.connect(self.due.emit)

    def outcome(self, run_id: str, name: str) -> Outcome | None:
        """Give the newest outcome of a fit on a run; None before the first, and when the data began anew."""
        known = self._outcomes.get((run_id, Fit, name))
        is_present = isinstance(known, Outcome) and known.state[0] is self._bridge.live(run_id)
        return known if is_present and isinstance(known, Outcome) else None

    def fullest(self, run_id: str, fit: Fit) -> RegionFit | None:
        """Give what a fit came out as when most events passed; None where it never converged on the run.

        A cut that takes a peak away leaves nothing to be fitted, and its survival is asked for all the same.
        """
        live, known, found = self._fullest.get((run_id, fit.name), (None, None, None))
        return found if live is self._bridge.live(run_id) and known == fit else None

    def measured(self, run_id: str, name: str) -> Measured | None:
        """Give what a region holds on a run; None before it was measured, and when the data began anew."""
        known = self._outcomes.get((run_id, NamedRegion, name))
        is_present = isinstance(known, Measured) and known.state[0] is self._bridge.live(run_id)
        return known if is_present and isinstance(known, Measured) else None

    def measured_mark(self, run_id: str) -> Measured | None:
        """Give what the region that is marked in the spectrum holds on a run; None before it was measured.

        None too of a data set on disk under other cuts than it was measured with: there, counting is slow.
        """
        known = self.measured(run_id, MARKED)
        live, session = self._bridge.live(run_id), self._bridge.session
        if known is None or live is None or known.fit != _marked(session, live):
            return None
        return None if live.is_on_disk and known.state[2] != passing_of(session) else known

    def is_to_be_measured(self, run_id: str) -> bool:
        """Whether a region is marked in the spectrum of a run that is not measured yet."""
        marked = _marked(self._bridge.session, self._bridge.live(run_id))
        return marked is not None and self.measured_mark(run_id) is None

    def forget(self) -> None:
        """Fit everything again when it is asked for."""
        self._outcomes, self._fullest, self._asked = {}, {}, {}
        self.due.emit()

    def measure_again(self, run_id: str) -> None:
        """Measure the regions of a run anew, because its live time became known."""
        stale = [key for key in self._outcomes if key[0] == run_id and key[1] is NamedRegion]
        for key in stale:
            del self._outcomes[key]
        if stale:
            self._asked.pop(run_id, None)
            self.due.emit()

    def ask(self, run_id: str) -> None:
        """Have those fits done on a run that are new, were changed, or hold for fewer rows or other cuts."""
        live, session = self._bridge.live(run_id), self._bridge.session
        if live is None or not len(live.columns):
            return  # of a run whose rows are being read nothing is said
        state: State = (live, len(live.columns), passing_of(session))
        wanted = [one for one in _all_of(session, live) if self._is_stale(run_id, one, state)]
        if not wanted or self._asked.get(run_id) == (state, tuple(wanted)):
            return
        if all(self._only_grew(run_id, fit, state) for fit in wanted) and not self._is_time(run_id):
            self._timer.start()
            return
        self._asked[run_id] = (state, tuple(wanted))
        self._last[run_id] = time.monotonic()
        wants, reaches = [_want(fit, live) for fit in wanted], self._reaches(run_id, wanted)
        self._bridge.counting.count(
            f"fits {run_id}", run_id, wants, lambda counts: self._fit(run_id, state, wanted, reaches, counts)
        )

    def try_out(self, run_id: str, fits: Sequence[Fit], then: Callable[[Sequence[Outcome]], None]) -> None:
        """Have fits done on a run that are not in the session, and hand their outcomes over once."""
        live = self._bridge.live(run_id)
        if live is None or not len(live.columns):
            return
        state: State = (live, len(live.columns), passing_of(self._bridge.session))
        reaches = self._reaches(run_id, fits)
        is_done = False

        def fit_all(counts: Sequence[Counts | None]) -> None:
            nonlocal is_done
            if not is_done and all(_are_all(counted, live) for counted in counts):
                is_done = True
                wanted = list(zip(fits, counts, reaches, strict=True))
                self._bridge.compute(
                    lambda: [_fitted(fit, state, counted, reach) for fit, counted, reach in wanted],
                    then,
                    lambda: None,
                )

        self._bridge.counting.count(
            f"tried fits {run_id}", run_id, [_want(fit, live) for fit in fits], fit_all
        )

    def _reaches(self, run_id: str, all_asked: Sequence[Asked]) -> list[Interval]:
        """Give where the present cuts let something pass of what each fit or region is of."""
        session = self._bridge.session
        run = session.run(run_id)
        return [reach_of_cuts(session, run, one.column, one.channel) for one in all_asked]

    def _is_time(self, run_id: str) -> bool:
        return time.monotonic() - self._last.get(run_id, -math.inf) >= 0.9 * AGAIN_MS / 1000

    def _is_stale(self, run_id: str, fit: Asked, state: State) -> bool:
        known = self._outcomes.get((run_id, type(fit), fit.name))
        return known is None or known.fit != fit or known.state != state

    def _only_grew(self, run_id: str, fit: Asked, state: State) -> bool:
        known = self._outcomes.get((run_id, type(fit), fit.name))
        return known is not None and known.fit == fit and known.state[::2] == state[::2]

    def _fit(
        self,
        run_id: str,
        state: State,
        fits: Sequence[Asked],
        reaches: Sequence[Interval],
        counts: Sequence[Counts | None],
    ) -> None:
        wanted = [
            (fit, state, counted, reach)
            for fit, counted, reach in zip(fits, counts, reaches, strict=True)
            if fit.name != MARKED or _are_all(counted, state[0])
        ]
        self._bridge.compute(
            lambda: [_outcome(*one) for one in wanted if self._is_wanted(one[0])],
            lambda outcomes: self._take(run_id, outcomes),
            lambda: None,
        )

    def _is_wanted(self, asked: Asked) -> bool:
        """Whether it is still as it was asked for: ends that are dragged have gone on meanwhile."""
        session = self._bridge.session  # never changed, only replaced: a thread may read it
        return asked.name == MARKED or asked in (*session.fits, *session.regions)

    def _take(self, run_id: str, outcomes: Sequence[Outcome | Measured]) -> None:
        session, live = self._bridge.session, self._bridge.live(run_id)
        present = {(type(one), one.name): one for one in _all_of(session, live)}
        for outcome in outcomes:
            key = (type(outcome.fit), outcome.fit.name)
            if present.get(key) == outcome.fit:
                self._outcomes[run_id, *key] = outcome
                self._keep_fullest(run_id, outcome)
        self.fitted.emit(run_id)

    def _keep_fullest(self, run_id: str, outcome: Outcome | Measured) -> None:
        if isinstance(outcome, Outcome) and outcome.found is not None and outcome.found.converged:
            before = self.fullest(run_id, outcome.fit)
            if before is None or before.counts.sum() <= outcome.found.counts.sum():
                self._fullest[run_id, outcome.fit.name] = (outcome.state[0], outcome.fit, outcome.found)


def _all_of(session: Session, live: LiveRun | None) -> list[Asked]:
    marked = _marked(session, live)
    return [*session.fits, *session.regions, *([] if marked is None else [marked])]


def _marked(session: Session, live: LiveRun | None) -> NamedRegion | None:
    """Give the region that is marked in the spectrum."""
    choice = session.spectrum
    if choice.roi is None or live is None or choice.column not in live.columns:
        return None
    return NamedRegion(
        MARKED, choice.column, *choice.roi, choice.channel if choice.channel in live.channels else None
    )


def _are_all(counted: Counts | None, live: LiveRun) -> bool:
    """Whether all rows of a data set on disk were counted; of all others they always are."""
    return counted is None or not live.is_on_disk or counted.n_rows >= live.n_rows


def _want(asked: Asked, live: LiveRun) -> Want:
    """Say what is counted: some hundred bins, into which whole numbers are never split unevenly."""
    if isinstance(asked, Fit):
        request = asked.request
        n = request.n_bins or min(N_BINS * max(len(request.positions), 1), MOST_BINS)
        low, high = request.low, request.high
    else:  # with as much on both sides as makes the background
        n, half = 2 * N_REGION_BINS, (asked.high - asked.low) / 2
        low, high = asked.low - half, asked.high + half
    if (
        asked.column in live.columns
        and live.columns.column(asked.column, len(live.columns)).dtype.kind in "iu"
    ):
        width = max(math.ceil((high - low) / n), 1)
        low = math.floor(low) - 0.5
        n = max(math.ceil((high - low) / width), 1)
        high = low + n * width
    return Want(Axis(asked.column, low, high, n), channel=asked.channel)


def _outcome(asked: Asked, state: State, counted: Counts | None, within: Interval) -> Outcome | Measured:
    """Fit or measure what was counted. within: where the cuts let counts pass."""
    made = _fitted if isinstance(asked, Fit) else _measured
    return made(asked, state, counted, within)  # type: ignore[arg-type]


def _fitted(fit: Fit, state: State, counted: Counts | None, within: Interval) -> Outcome:
    if counted is None:
        return Outcome(fit, state, problem=f"the run has no {fit.column}")
    counts, edges = _histogram_of(counted)
    if within[0] >= edges[-1] or within[1] <= edges[0]:
        return Outcome(fit, state, problem="the cuts leave nothing of its window")
    try:
        found = fit_region(counts, edges, fit.request, within=within)
    except SettingsError as error:
        return Outcome(fit, state, problem=str(error))
    is_whole = within[0] <= edges[0] and within[1] >= edges[-1]
    left = None if is_whole else (max(within[0], float(edges[0])), min(within[1], float(edges[-1])))
    return Outcome(fit, state, found, left=left)


def _measured(region: NamedRegion, state: State, counted: Counts | None, within: Interval) -> Measured:
    if counted is None:
        return Measured(region, state, problem=f"the run has no {region.column}")
    live, _, cuts = state
    seconds = None if chooses_times(cuts) else live.seconds(region.channel) or None
    try:
        found = measure_region(
            *_histogram_of(counted), region.low, region.high, live_time_s=seconds, within=within
        )
    except SettingsError as error:
        return Measured(region, state, problem=str(error))
    return Measured(region, state, found)


def _histogram_of(counted: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Give counts and edges."""
    return counted.counts.astype(np.float64), counted.want.x.edges
