"""Has runs followed in time off the event loop: one wish at a time, anew when enough rows have come."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QTimer

from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.dragged import LEAST_ROWS
from pygama_gui.data.linked import Cuts, Rows
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.outputs import read_columns
from pygama_gui.data.selection import passing_of
from pygama_gui.data.trends import Asked, Trender, Trends, columns_for
from pygama_gui.session.state import Session
from pygama_gui.views.base import View

GROWTH = 1.05
"""A run is followed anew when it has so many times the rows."""
MOST_HELD = 400
RESTS = 3.0
"""While a run grows, nothing is done anew before so many times the time that it took the last time."""


class Rest:
    """Leaves the one thread that computes to others for a while: work that took long comes seldom."""

    def __init__(self, owner: View, rests: float = RESTS) -> None:
        self._rests = rests
        self._began = self._until = 0.0
        self._timer = QTimer(owner)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(owner.redraw_soon)

    def begin(self) -> None:
        """Note that work begins."""
        self._began = time.monotonic()

    def end(self) -> None:
        """Note that work is done."""
        now = time.monotonic()
        self._until = now + self._rests * (now - self._began)

    def is_due(self) -> bool:
        """Tell whether it is time for work that can wait; else the owner is redrawn when it is."""
        left = self._until - time.monotonic()
        if left > 0 and not self._timer.isActive():
            self._timer.start(round(1000 * left) + 1)
        return left <= 0


class Following:
    """What was followed of runs; the owner is redrawn when something came.

    has_cuts: whether only events that pass the cuts are followed. rests: see RESTS.
    """

    def __init__(self, owner: View, *, has_cuts: bool = True, rests: float = RESTS) -> None:
        self._bridge, self._news, self._has_cuts = owner.bridge, owner.redraw_soon, has_cuts
        self._rest = Rest(owner, rests)
        self._trender = Trender()
        self._held: dict[tuple[LiveRun, Asked], tuple[Trends, object]] = {}
        self._wanted: list[tuple[LiveRun, Asked]] = []
        self._is_busy = False
        self._read: dict[str, LiveRun | None] = {}
        """Runs whose files were read only for this; None while they are."""

    def want(self, live: LiveRun, asks: Sequence[Asked]) -> list[Trends | None]:
        """Give what is known of a run, and have followed what is old or missing.

        Where there is nothing for a wish yet, what was known of its channel is given.
        """
        cuts = self._cuts()
        found: list[Trends | None] = []
        for asked in asks:
            held = self._held.get((live, asked))
            is_due = held is None or held[1] != cuts
            if held is not None and not is_due and _is_old(held[0], live):
                is_due = not asked.is_growing or self._rest.is_due()
            if is_due:
                self._wanted = [one for one in self._wanted if one != (live, asked)] + [(live, asked)]
            found.append(held[0] if held is not None else self._last_of(live, asked))
        self._next()
        return found

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
        return self._read[run_id]

    def _take_read(self, run_id: str, live: LiveRun) -> None:
        self._read[run_id] = live
        self._news()

    def _last_of(self, live: LiveRun, asked: Asked) -> Trends | None:
        same = (
            held[0]
            for (table, one), held in reversed(self._held.items())
            if table is live and one.channel == asked.channel
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
        known = {*self._bridge.data.values(), *(one for one in self._read.values() if one is not None)}
        self._held = {
            key: held for key, held in self._held.items() if key[0] in known and key != (live, asked)
        }
        while len(self._held) >= MOST_HELD:
            self._held.pop(next(iter(self._held)))
        self._held[live, asked] = (trends, cuts)
        self._rest.end()
        if cuts is not None and not asked.is_growing and trends.n_rows >= LEAST_ROWS:
            # Its cuts may be dragged next; what is sorted once is followed quickly from then on.
            self._bridge.compute(lambda: self._trender.prepare(live, rows, trends), lambda _nothing: None)
        self._end()
        self._news()

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
    named = (choice.column, session.spectrum.column, "bl_int", "trap_max")
    return Asked(
        channel=channel,
        width=choice.width,
        column=choice.column,
        peak_column=session.spectrum.column if session.line is not None else "",
        line=session.line,
        is_growing=state is not None and not state.has_ended,
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
    asked = replace(trends.asked, width=trends.width, is_growing=False)
    if anchor is not None:
        asked = replace(asked, line=(anchor.low, anchor.high), peak_column=anchor.column, is_line_fixed=True)
    for run in good:
        table = following.table_of(run.run_id)
        known = following.want(table, [asked])[0] if table is not None else None
        if known is not None and known.asked == asked:
            found.append((bridge.name_of(run.run_id), known))
    return found


def _is_good(bridge: Bridge, run_id: str) -> bool:
    state = bridge.state(run_id)
    return state is not None and state.state == "done"
