"""Counts and gathers what is wanted of a data set on disk, all of it in one pass over its files.

A pass goes on for a moment at a time, so that others have their turn in the thread that reads files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from pygama_gui.data.channels import CLOCK
from pygama_gui.data.linked import ALL, Counts, Cuts, Want, add_block, nothing_of
from pygama_gui.data.live_set import LiveSet, read_from_files

STEP_S = 0.25
"""So long one run of reading takes before others have their turn."""
SHOW_S = 2.0
"""What is gathered is shown so often, and sooner at the beginning."""

Task = tuple[Cuts | None, Want]
Answer = Callable[[list[Any]], None]


class Gathering(Protocol):
    """What is made of rows while they come by, block by block."""

    columns: frozenset[str]
    """Names of the columns that it needs."""

    def add(self, rows: dict[str, np.ndarray]) -> None:
        """Take the next rows, in the thread that reads files."""

    def found(self, *, is_whole: bool) -> Any:
        """Give what is known, of all rows or of those so far; None: nothing before all came."""


@dataclass
class Wish:
    """What somebody wants of a data set: histograms, or something gathered."""

    live: LiveSet
    tasks: tuple[Task, ...]
    then: Answer
    begin: Callable[[], Gathering] | None = None
    """Makes what gathers, in the thread that reads files; `then` gets what it found."""
    about: Hashable = None
    """What is gathered: equal for equal wishes."""
    can_wait: bool = False
    """Whether it is for nobody who looks and waits: all else goes before it."""

    @property
    def key(self) -> Hashable:
        """Equal wishes are not counted again."""
        return self.live, self.tasks, self.about


@dataclass
class Pass:
    """One pass over the files of a data set, and all that is counted in it."""

    live: LiveSet
    wishes: dict[str, Wish]
    n_done: int = 0
    is_stopped: bool = False
    is_interrupted: bool = False
    """Whether it is to be laid aside after this step, and gone on with later."""
    counts: dict[Task, np.ndarray] = field(default_factory=dict)
    chosen: dict[Task, int] = field(default_factory=dict)
    gatherings: dict[str, Gathering] = field(default_factory=dict)
    so_far: dict[str, Any] = field(default_factory=dict)
    """What was gathered by some rows, to be shown."""
    steps: Generator[dict[str, np.ndarray]] | None = None
    _spans: list[tuple[float, float]] | None = None
    """What was known of the times of the runs at the beginning, if that makes a difference."""
    _began_at: float = 0.0
    _shown_at: float = 0.0

    @property
    def can_wait(self) -> bool:
        """Whether nobody waits for any of it."""
        return all(wish.can_wait for wish in self.wishes.values())

    def _begin(self) -> Generator[dict[str, np.ndarray]]:
        names: set[str] = set()
        for owner, wish in self.wishes.items():
            for cuts, want in wish.tasks:
                names |= want.columns | (set() if cuts is None or want.rows == ALL else self._there(cuts))
                self.counts[cuts, want] = nothing_of(want)
                self.chosen[cuts, want] = 0
            if wish.begin is not None:
                self.gatherings[owner] = wish.begin()
                names |= {name for name in self.gatherings[owner].columns if name in self.live.columns}
        self._spans = list(self.live.spans) if CLOCK in names else None
        self._began_at = self._shown_at = time.perf_counter()
        return read_from_files(self.live, names)

    def _there(self, cuts: Cuts) -> set[str]:
        """Give the columns of cuts that the data set has; a cut that lacks one is not applied."""
        return {name for name in cuts.columns if name in self.live.columns}

    def go_on(self) -> bool:
        """Count for a moment; tells whether all is counted."""
        end = time.perf_counter() + STEP_S
        if self.steps is None:
            self.steps = self._begin()
        for rows in self.steps:
            self._add(rows)
            if self.is_stopped:
                self._show(after=0.0)
                break
            if time.perf_counter() > end:
                self._show(after=min(SHOW_S, self._shown_at - self._began_at))
                return False
        self.steps.close()
        return True

    @property
    def is_out_of_time(self) -> bool:
        """Whether runs turned out to be longer than was known, so that times were wrong."""
        return self._spans is not None and self._spans != self.live.spans

    def _add(self, rows: dict[str, np.ndarray]) -> None:
        for cuts, want in self.counts:
            self.chosen[cuts, want] += add_block(want, self.counts[cuts, want], rows, cuts)
        for gathering in self.gatherings.values():
            gathering.add(rows)
        self.n_done += len(next(iter(rows.values())))

    def _show(self, after: float) -> None:
        """See now and then what was gathered so far."""
        if self.gatherings and time.perf_counter() > self._shown_at + after:
            self.so_far = {owner: one.found(is_whole=False) for owner, one in self.gatherings.items()}
            self._shown_at = time.perf_counter()

    def counted(self, task: Task) -> Counts:
        """Give what was counted so far, of the rows so far."""
        return Counts(task[1], self.counts[task].copy(), self.n_done, self.chosen[task])
