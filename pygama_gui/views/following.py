"""Has runs followed in time off the event loop: one wish at a time, anew when enough rows have come."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QTimer

from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.anchors import Anchor
from pygama_gui.data.dragged import LEAST_ROWS
from pygama_gui.data.linked import Cuts, Rows
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.outputs import read_columns
from pygama_gui.data.selection import passing_of
from pygama_gui.data.slices import KINDS
from pygama_gui.data.trends import Asked, Ready, Trender, Trends, columns_for
from pygama_gui.data.trends_from_files import GatheredTrends
from pygama_gui.session.calibration_changes import curve_of, raw_column
from pygama_gui.session.state import Session
from pygama_gui.views.base import View

GROWTH = 1.05
"""A run is followed anew when it has so many times the rows."""
MOST_READ = 12
"""Runs whose files were read only for the band of another one, of which a band takes 5; the oldest go."""
MOST_HELD = 400
EARLIER = "of the cuts before"
"""What is said of figures that are not of the present cuts yet."""
HAND_RESTS_MS = 300
"""What takes long is done when a hand has not moved an edge for so long, or lets go of it."""
RESTS = 3.0
"""While a run grows, nothing is done anew before so many times the time that it took the last time."""

LONG_RESTS = 10.0
"""The same, of what is done anew though little came."""


class Rest:
    """Leaves the one thread that computes to others for a while: work that took long comes seldom."""

    def __init__(self, owner: View, rests: float = RESTS) -> None:
        self._rests = rests
        self._began = self._ended = self._until = 0.0
        self._timer = QTimer(owner)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(owner.redraw_soon)

    def begin(self) -> None:
        """Note that work begins."""
        self._began = time.monotonic()

    def end(self) -> None:
        """Note that work is done."""
        self._ended = now = time.monotonic()
        self._until = now + self._rests * (now - self._began)

    def is_over(self, seconds: float) -> bool:
        """Tell whether the last work is so long ago, and ten times as long as it took."""
        took = max(self._ended - self._began, 0.0)
        return time.monotonic() - self._ended >= max(seconds, LONG_RESTS * took)

    def is_due(self) -> bool:
        """Tell whether it is time for work that can wait; else the owner is redrawn when it is."""
        left = self._until - time.monotonic()
        if left > 0 and not self._timer.isActive():
            self._timer.start(round(1000 * left) + 1)
        return left <= 0


class Hand:
    """Tells whether the hand that drags the edge of a cut moves; the owner is redrawn when it rests."""

    def __init__(self, owner: View) -> None:
        self._bridge = owner.bridge
        self._timer = QTimer(owner)
        self._timer.setSingleShot(True)
        self._timer.setInterval(HAND_RESTS_MS)
        self._timer.timeout.connect(owner.redraw_soon)

    def note_move(self) -> None:
        """Note that what it moved is shown: only from then on it may be seen to rest."""
        self._timer.start()

    @property
    def is_there(self) -> bool:
        """Whether something is under the hand."""
        return self._bridge.counting.has_first

    @property
    def moves(self) -> bool:
        """Whether it moved something just now; a view is told when not any more."""
        return self.is_there and self.moved_just_now

    @property
    def moved_just_now(self) -> bool:
        """Whether it moved something just now, even if it let go: what takes long is still to come."""
        return self._timer.isActive()


class Following:
    """What was followed of runs; the owner is redrawn when something came.

    has_cuts: whether only events that pass the cuts are followed. rests: see RESTS.
    """

    def __init__(self, owner: View, *, has_cuts: bool = True, rests: float = RESTS) -> None:
        self._bridge, self._news, self._has_cuts = owner.bridge, owner.redraw_soon, has_cuts
        self._rest, self._hand = Rest(owner, rests), Hand(owner)
        self._trender = Trender()
        self._held: dict[tuple[LiveRun, Asked], tuple[Trends, object]] = {}
        self._wanted: list[tuple[LiveRun, Asked]] = []
        self._is_busy = self._is_moving = False
        self._read: dict[str, LiveRun | None] = {}
        """Runs whose files were read only for this; None while they are."""

    def want(self, live: LiveRun, asks: Sequence[Asked]) -> list[Trends | None]:
        """Give what is known of a run, and have followed what is old or missing.

        Where there is nothing for a wish yet, what was known of its channel is given.
        """
        cuts = self._cuts()
        if isinstance(live, LiveSet) and live.is_on_disk:
            return self._want_from_files(live, asks, cuts)
        found: list[Trends | None] = []
        moved: list[tuple[Trends, Ready]] = []
        for asked in asks:
            held = self._held.get((live, asked))
            ready = None if held is None else self._ready_under_hand(live, *held, cuts)
            if held is not None and ready is not None:
                if held[1] != cuts:
                    moved.append((held[0], ready))
                found.append(held[0])
                continue
            is_due = held is None or held[1] != cuts or bool(held[0].late)
            if held is not None and not is_due and _is_old(held[0], live):
                is_due = not asked.is_growing or self._rest.is_due()
            if is_due:
                self._wanted = [one for one in self._wanted if one != (live, asked)] + [(live, asked)]
            found.append(held[0] if held is not None else self._last_of(live, asked))
        if moved and not self._is_moving:
            self._move(live, moved, cuts)
        self._next()
        return found

    def _want_from_files(
        self, live: LiveSet, asks: Sequence[Asked], cuts: Cuts | None
    ) -> list[Trends | None]:
        """Give what is known of a data set on disk; what was followed under other cuts is said to be late."""
        held = {asked: self._held.get((live, asked)) for asked in asks}
        lacking = tuple(
            asked for asked, one in held.items() if one is None or one[1] != cuts or not one[0].is_whole
        )
        if lacking:
            self._bridge.data_sets.gather(
                f"trends {id(self)}",
                live,
                (cuts, lacking),
                lambda: GatheredTrends(live, cuts, lacking),
                lambda found: self._take_from_files(live, found, cuts),
                can_wait=not self._has_cuts,
            )
        found: list[Trends | None] = []
        for asked, one in held.items():
            known = one[0] if one is not None else self._last_of(live, asked)
            is_late = known is not None and (one is None or one[1] != cuts)
            found.append(replace(known, late=KINDS) if known is not None and is_late else known)
        return found

    def _take_from_files(self, live: LiveSet, found: Sequence[Trends], cuts: Cuts | None) -> None:
        self._make_room(live, [one.asked for one in found])
        self._held |= {(live, one.asked): (one, cuts) for one in found}
        self._news()

    @property
    def is_busy(self) -> bool:
        """Whether something is followed, or will be when the hand rests."""
        return self._is_busy or self._is_moving or self._hand.moved_just_now

    def _ready_under_hand(self, live: LiveRun, trends: Trends, of: object, cuts: Cuts | None) -> Ready | None:
        """Give what is sorted, if what was followed moves with a hand, but for what takes long; else None."""
        is_wanted = self._hand.is_there and (of != cuts or (bool(trends.late) and self._hand.moves))
        return self._trender.ready_for(live, trends) if is_wanted and not _is_old(trends, live) else None

    def _move(self, live: LiveRun, followed: Sequence[tuple[Trends, Ready]], cuts: Cuts | None) -> None:
        names = set[str]() if cuts is None else set(cuts.columns)
        names = names.union(*(columns_for(live.columns.names, one.asked) for one, _ in followed))
        rows = {name: live.columns.column(name) for name in names if name in live.columns}
        self._is_moving = True
        self._bridge.counting.follow(
            f"trends {id(self)}",
            lambda counter: [self._trender.choose(counter, live, rows, cuts, *one) for one in followed],
            lambda chosen: [
                self._trender.moved(live, rows, one, its)
                for (one, _), its in zip(followed, chosen, strict=True)
            ],
            lambda moved: self._take_moved(live, moved, cuts),
            self._end_moving,
        )

    def _take_moved(self, live: LiveRun, moved: Sequence[Trends], cuts: Cuts | None) -> None:
        self._hand.note_move()
        self._held |= {(live, one.asked): (one, cuts) for one in moved if (live, one.asked) in self._held}
        self._end_moving()
        self._news()

    def _end_moving(self) -> None:
        self._is_moving = False

    def _cuts(self) -> Cuts | None:
        return passing_of(self._bridge.session) if self._has_cuts else None

    def table_of(self, run_id: str) -> LiveRun | None:
        """Give the rows of a run, read from its files where need be; None until they are there."""
        live = self._bridge.live(run_id)
        if live is not None and len(live.columns):
            return live
        state = self._bridge.state(run_id)
        if state is None or state.state != "done" or not state.outputs:
            return None
        if run_id not in self._read:
            self._read[run_id] = None
            path = state.outputs[-1]
            self._bridge.in_background(lambda: _read(path), lambda live: self._take_read(run_id, live))
        self._read[run_id] = self._read.pop(run_id)  # the last one that goes
        return self._read[run_id]

    def _take_read(self, run_id: str, live: LiveRun) -> None:
        self._read[run_id] = live
        for other in [one for one, rows in self._read.items() if rows is not None][:-MOST_READ]:
            del self._read[other]
        self._news()

    def _last_of(self, live: LiveRun, asked: Asked) -> Trends | None:
        same = (
            held[0]
            for (table, one), held in reversed(self._held.items())
            if table.is_same_as(live) and one.channel == asked.channel
        )
        return next(same, None)

    def _next(self) -> None:
        if self._is_busy or not self._wanted:
            return
        live, asked = self._wanted.pop(0)
        cuts = self._cuts()
        names = columns_for(live.columns.names, asked) | (cuts.columns if cuts is not None else set())
        rows = {name: live.columns.column(name) for name in names if name in live.columns}
        self._is_busy = True
        self._rest.begin()
        self._bridge.compute(
            lambda: self._trender.follow(live, rows, cuts, asked),
            lambda trends: self._take(live, asked, trends, cuts, rows),
            self._end,
        )

    def _take(self, live: LiveRun, asked: Asked, trends: Trends, cuts: object, rows: Rows) -> None:
        if self._is_outrun(live, asked, cuts):
            self._end()
            self._news()
            return
        self._make_room(live, [asked])
        self._held[live, asked] = (trends, cuts)
        self._rest.end()
        if cuts is not None and not asked.is_growing and trends.n_rows >= LEAST_ROWS:
            # Its cuts may be dragged next; what is sorted once is followed quickly from then on.
            self._bridge.compute(
                lambda: self._trender.prepare(live, rows, trends),
                lambda _nothing: self._make_ready(live, rows, trends),
            )
        self._end()
        self._news()

    def _make_ready(self, live: LiveRun, rows: Rows, trends: Trends) -> None:
        """Count once what a hand that drags a cut will want to see, so that its first move is as quick."""
        ready, cuts = self._trender.ready_for(live, trends), self._cuts()
        if ready is None or self._hand.is_there or not set(() if cuts is None else cuts.columns) <= set(rows):
            return
        self._bridge.counting.follow(
            f"trends {id(self)} {trends.asked.channel}",
            lambda counter: self._trender.choose(counter, live, rows, cuts, trends, ready),
            lambda chosen: chosen,
            lambda _chosen: None,
            lambda: None,
        )

    def _make_room(self, live: LiveRun, asks: Sequence[Asked]) -> None:
        """Forget what is no longer there, what is followed anew, and the oldest."""
        known = {*self._bridge.data.values(), *(one for one in self._read.values() if one is not None)}
        anew = {(live, asked) for asked in asks}
        self._held = {key: held for key, held in self._held.items() if key[0] in known and key not in anew}
        while len(self._held) > MOST_HELD - len(asks):
            self._held.pop(next(iter(self._held)))

    def _is_outrun(self, live: LiveRun, asked: Asked, cuts: object) -> bool:
        """Tell whether a hand moved the cuts on while they were followed, so that newer values are shown."""
        held = self._held.get((live, asked))
        return held is not None and bool(held[0].late) and held[1] != cuts

    def _end(self) -> None:
        self._is_busy = False
        self._next()


def _is_old(trends: Trends, live: LiveRun) -> bool:
    """Tell whether enough rows have come; all of them count for a run that has ended."""
    n = len(live.columns)
    return n > trends.n_rows * (GROWTH if trends.asked.is_growing else 1)


def _read(path: Path) -> LiveRun:
    live = LiveRun()
    for columns in read_columns(path):
        live.take_columns(columns)
    return live


def asked_of(bridge: Bridge, run_id: str, channel: int | None) -> Asked:
    """Put together what the session says is to be followed of a run."""
    session: Session = bridge.session
    choice, state = session.trends, bridge.state(run_id)
    column, line = _line_of(bridge, run_id, channel)
    named = (choice.column, session.spectrum.column, "bl_int", "trap_max")
    return Asked(
        channel=channel,
        width=choice.width,
        column=choice.column,
        peak_column=column,
        line=line,
        is_growing=state is not None and not state.has_ended,
        ends_early=state is not None and state.ends_early,
        units=tuple((name, chain_facts.unit_of(name)) for name in named if name),
    )


def history(bridge: Bridge, following: Following, trends: Trends, n: int) -> list[tuple[str, Trends]]:
    """Give what is known of the last n runs before the selected one that were processed to their end.

    They are followed like the selected one: same channel, same slices, same window of the peak.
    """
    runs = list(bridge.session.runs)
    at = next((i for i, run in enumerate(runs) if run.run_id == bridge.session.selected), 0)
    good = [run for run in runs[:at] if _is_good(bridge, run.run_id)][-n:] if n else []
    anchor, found = trends.anchor, []
    whole = replace(trends.asked, width=trends.width, is_growing=False)
    if anchor is not None:
        whole = replace(whole, line=(anchor.low, anchor.high), peak_column=anchor.column, is_line_fixed=True)
    for run in good:
        table, state = following.table_of(run.run_id), bridge.state(run.run_id)
        asked = replace(whole, ends_early=state is not None and state.ends_early)
        known = following.want(table, [asked])[0] if table is not None else None
        if known is not None and known.asked == asked and _is_of(known.anchor, anchor):
            found.append((bridge.name_of(run.run_id), known))
    return found


def _line_of(bridge: Bridge, run_id: str, channel: int | None) -> tuple[str, tuple[float, float] | None]:
    """Give the line that is followed, and its column; an empty one where none was chosen.

    It was chosen in the preview, in the unit of the chain; where energies are shown and the run has some,
    it is followed in keV. So is the peak of all channels together, whose gains the energies make equal.
    """
    session, live = bridge.session, bridge.live(run_id)
    shown = session.spectrum.column
    column = raw_column(session, shown)
    if column != shown and live is not None and shown in live.columns and not live.columns.has_values(shown):
        shown = column  # calibrated are channels of another run alone
    if session.line is None:
        return (shown if channel is None and column != shown else ""), None
    curve = None if column == shown else curve_of(session, session.run(run_id), column, channel)
    if curve is None:
        return column, session.line
    low, high = curve.energy(session.line).tolist()
    return shown, (low, high)


def _is_of(known: Anchor | None, anchor: Anchor | None) -> bool:
    """Tell whether a peak of another run is of the same column: a run without energies has another one."""
    return known is None or anchor is None or known.column == anchor.column


def _is_good(bridge: Bridge, run_id: str) -> bool:
    state = bridge.state(run_id)
    return state is not None and state.state == "done"
