"""Has something found out of all rows of each run of a data set on disk, one run after the other.

The rows of one run alone are in memory at a time. They are read a moment at a time in the thread that reads
files, so that others have their turn, and looked at in a thread of another kind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama_gui.data.live_set import LiveSet, read_run
from pygama_gui.data.passes import STEP_S
from pygama_gui.jobs.board import counted
from pygama_gui.machine.threads import Kind

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge


class EachRun:
    """One way through the runs of a data set.

    names: columns that are read. work: gets the place of a run and its rows, in the thread of a kind; what it
    gives is kept in `found`. is_wanted: asked before each step; nothing more is done once it says no. news:
    called after each run, and in the end. fail: called if something went wrong.
    """

    def __init__(
        self,
        bridge: Bridge,
        live: LiveSet,
        names: Iterable[str],
        kind: Kind,
        work: Callable[[int, dict[str, np.ndarray]], Any],
        *,
        is_wanted: Callable[[], bool],
        news: Callable[[], None],
        fail: Callable[[], None],
    ) -> None:
        self._bridge, self._live, self._names, self._kind, self._work = bridge, live, set(names), kind, work
        self._is_wanted, self._news, self._fail = is_wanted, news, fail
        self._steps: Generator[dict[str, np.ndarray]] | None = None
        self._rows: dict[str, np.ndarray] = {}
        self._n_read = 0
        self.found: list[Any] = []
        """What was made of each run so far."""

    @property
    def is_done(self) -> bool:
        """Whether all runs were looked at."""
        return len(self.found) == len(self._live.members)

    @property
    def words(self) -> str:
        """Say how far it is: '3 of 20 runs'."""
        return f"{len(self.found)} of {counted(len(self._live.members), 'run')}"

    def go_on(self) -> None:
        """Begin, or go on with the next step."""
        if self._is_wanted():
            self._bridge.in_background(self._read, self._look_at, self._fail)
        elif self._steps is not None:
            self._bridge.in_background(self._steps.close, lambda _nothing: None)

    def _read(self) -> bool:
        """Read for a moment; tells whether the run is read."""
        end = time.perf_counter() + STEP_S
        if self._steps is None:
            self._steps = read_run(self._live, len(self.found), self._names)
            columns = self._live.columns
            self._rows = {name: columns.column(name)[:0] for name in self._names if name in columns}
            self._n_read = 0
        for rows in self._steps:
            self._keep(rows)
            if time.perf_counter() > end:
                return False
        self._steps = None
        return True

    def _keep(self, block: dict[str, np.ndarray]) -> None:
        if not self._n_read:
            n_rows = self._live.facts.n_rows[len(self.found)]
            self._rows = {name: np.empty(n_rows, values.dtype) for name, values in block.items()}
        stop = self._n_read + len(next(iter(block.values())))
        for name, values in block.items():
            self._rows[name][self._n_read : stop] = values
        self._n_read = stop

    def _look_at(self, is_read: bool) -> None:  # noqa: FBT001  (what the reading gave)
        if not is_read or not self._is_wanted():
            self.go_on()
            return
        number, rows = len(self.found), self._rows
        self._rows = {}
        self._bridge.threads.do(self._kind, lambda: self._work(number, rows), self._take, self._fail)

    def _take(self, found: Any) -> None:
        self.found.append(found)
        if not self.is_done:
            self.go_on()
        if self._is_wanted():
            self._news()
