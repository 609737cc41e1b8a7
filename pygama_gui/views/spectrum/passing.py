"""Knows how many of the events in each bin of a spectrum pass the cuts, as it is told by and by."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from pygama_gui.bridge import Bridge
from pygama_gui.data.linked import ALL, PASSING, Axis, Counts, Cuts, Want
from pygama_gui.data.live import LiveHistogram
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.selection import passing_of

MOST_KNOWN = 64
State = tuple[LiveRun, int, Cuts | None]
"""What counts hold for: the data of a run, its rows, and the cuts."""


class Passing:
    """The newest counts of each run and channel. `came` is called when newer ones are there."""

    def __init__(self, bridge: Bridge, came: Callable[[], None]) -> None:
        self._bridge = bridge
        self._came = came
        self._n_sampled: dict[str, int] = {}
        self._asked: dict[tuple[str, Want], State] = {}
        self._known: OrderedDict[tuple[str, Want], tuple[State, Counts]] = OrderedDict()

    @property
    def are_cuts_on(self) -> bool:
        """Tell whether any cut takes events away."""
        return passing_of(self._bridge.session) is not None

    def counts(self, run_id: str, column: str, channel: int | None, like: LiveHistogram) -> np.ndarray | None:
        """Give the passing counts in the bins of a histogram, the newest that are known; ask for newer ones.

        None where there are no cuts, and before the first answer.
        """
        if not self.are_cuts_on:
            return None
        found = self._newest(run_id, column, channel, like, PASSING)
        self._n_sampled[run_id] = 0 if found is None else found.n_sampled
        return None if found is None else found.counts

    def n_sampled(self, run_id: str) -> int:
        """Tell by how many rows of a sample what was given last is estimated; 0 where it was counted."""
        return self._n_sampled.get(run_id, 0) if self.are_cuts_on else 0

    def all_counts(self, run_id: str, column: str, channel: int | None, like: LiveHistogram) -> Counts | None:
        """Give the counts of all rows, with cuts or without, as `counts` does those that pass."""
        return self._newest(run_id, column, channel, like, ALL)

    def _newest(
        self, run_id: str, column: str, channel: int | None, like: LiveHistogram, rows: str
    ) -> Counts | None:
        cuts, live = passing_of(self._bridge.session), self._bridge.live(run_id)
        if live is None:
            return None
        cuts = None if rows == ALL else cuts
        want = Want(Axis(column, like.low, like.high, like.n_bins), channel=channel, rows=rows)
        key, state = (run_id, want), (live, len(live.columns), cuts)
        if self._asked.get(key) != state:
            self._asked[key] = state
            self._bridge.counting.count(
                f"spectrum {run_id} {channel} {rows}",
                run_id,
                [want],
                lambda counts: self._take(key, state, counts),
                takes_estimates=True,
            )
        known = self._known.get(key)
        return known[1] if known is not None and known[0][0].is_same_as(live) else None

    def _take(self, key: tuple[str, Want], state: State, counts: list[Counts | None]) -> None:
        if counts[0] is not None:
            self._known[key] = (state, counts[0])
            self._known.move_to_end(key)
            if len(self._known) > MOST_KNOWN:
                gone, _ = self._known.popitem(last=False)
                self._asked.pop(gone, None)
            self._came()
