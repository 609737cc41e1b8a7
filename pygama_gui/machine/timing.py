"""Finds how long runs were live, off the event loop, and lets the views know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.run_times import RunTimes, added_times, records_of, rows_for, run_times
from pygama_gui.machine.each_run import EachRun

if TYPE_CHECKING:
    from pygama.analysis.live_time import TimeEstimate
    from pygama_gui.bridge import Bridge

GROWTH = 2.0
"""A run that grows is looked at anew when it has so many times the rows."""


class Timing(QObject):
    """The live times of runs; each is kept with the data that it was found in."""

    known = pyqtSignal(str)
    """Id of a run whose live time is known, or known not to be."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._asked: dict[int, tuple[LiveRun, int, bool]] = {}
        self._runs: tuple[LiveSet, EachRun] | None = None
        """The way through the runs of a data set on disk."""

    def ask(self, run_id: str) -> None:
        """Have the live time of a run found, unless it is known of its rows; of one in memory."""
        bridge, live = self._bridge, self._bridge.live(run_id)
        if live is None or not len(live.columns):
            return
        if live.is_on_disk:
            return
        n_rows, has_ended = len(live.columns), not (bridge.is_active(run_id) or live.n_waiting)
        _, n_asked, was_ended = self._asked.get(id(live.samples), (live, 0, False))
        is_due = n_rows >= GROWTH * n_asked or (has_ended and not was_ended)
        if not is_due:
            return
        there = bridge.data.values()
        held = [one for one in self._asked.values() if any(one[0].is_same_as(each) for each in there)]
        self._asked = {id(one[0].samples): one for one in held}
        self._asked[id(live.samples)] = (live, n_rows, has_ended)
        paths = [one.tier1 for one in live.members] if isinstance(live, LiveSet) else [live.tier1]
        bridge.in_background(
            lambda: [records_of(path if has_ended else None) for path in paths],
            lambda records: self._find(run_id, live, n_rows, records),
        )

    def how_far(self, run_id: str) -> str:
        """Say how many runs of a data set on disk were looked at: '3 of 20 runs'; empty where none are."""
        live = self._bridge.live(run_id)
        if live is None or self._runs is None or not self._runs[0].is_same_as(live):
            return ""
        return self._runs[1].words

    def can_find(self, run_id: str) -> bool:
        """Tell whether a run is a data set on disk whose live time can be found, and was not."""
        live = self._bridge.live(run_id)
        is_on_disk = isinstance(live, LiveSet) and live.is_on_disk and len(live.columns) > 0
        return live is not None and is_on_disk and live.times is None and not self.how_far(run_id)

    def find(self, run_id: str) -> None:
        """Have the live time of a data set on disk found, run by run; it takes long."""
        live = self._bridge.live(run_id)
        if not (self.can_find(run_id) and isinstance(live, LiveSet)):
            return
        paths = [one.tier1 for one in live.members]

        def is_wanted() -> bool:
            present = self._bridge.live(run_id)
            return present is not None and present.is_same_as(live)

        def news() -> None:
            if runs.is_done:
                self._runs = None
                self._take(run_id, live, added_times(runs.found))
            else:
                self.known.emit(run_id)

        def fail() -> None:
            self._runs = None
            self._take(run_id, live, RunTimes(live.n_rows, missing=("the files could not be read",)))

        runs = EachRun(
            self._bridge,
            live,
            rows_for(live.columns.names),
            "find live time",
            lambda number, rows: run_times(rows, records[number]),
            is_wanted=is_wanted,
            news=news,
            fail=fail,
        )
        records: list[TimeEstimate | str] = []
        self._runs = (live, runs)

        def begin(found: list[TimeEstimate | str]) -> None:
            records[:] = found
            runs.go_on()

        self._bridge.in_background(lambda: [records_of(path) for path in paths], begin, fail)
        self.known.emit(run_id)

    def _find(self, run_id: str, live: LiveRun, n_rows: int, records: list[TimeEstimate | str]) -> None:
        columns = live.columns
        rows = {name: columns.column(name)[:n_rows] for name in rows_for(columns.names)}
        starts = live.starts if isinstance(live, LiveSet) else [0]
        parts = [slice(*ends) for ends in zip(starts, [*starts[1:], n_rows], strict=True)]

        def find() -> RunTimes:
            found = [
                run_times({name: values[part] for name, values in rows.items()}, one)
                for part, one in zip(parts, records, strict=True)
            ]
            return found[0] if len(found) == 1 else added_times(found)

        self._bridge.threads.do("find live time", find, lambda found: self._take(run_id, live, found))

    def _take(self, run_id: str, live: LiveRun, found: RunTimes) -> None:
        live.times = found
        if (present := self._bridge.live(run_id)) is not None and present.is_same_as(live):
            present.times = found
        self.known.emit(run_id)
