"""Has told of the hits of the runs that are shown what all of them tell together, off the event loop.

What is told becomes columns of the run, so that every view knows them. Of a run that grows it is told anew
now and then, the more seldom the longer it takes; its newest rows wait until then, and no view shows them. Of
a data set on disk it is told run by run: the rows of one alone are in memory, and what is told stays there.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from pygama.analysis.tagging import NAMES, OF_EVENTS, PULSER, Tagging
from pygama.quick_dataclass import dataclass
from pygama_gui.data import live_set
from pygama_gui.data.found_columns import FoundColumn
from pygama_gui.data.hit_tags import UNTOLD, Rows, Told, joined_told, tell, why_not
from pygama_gui.data.live_set import LiveSet
from pygama_gui.jobs.board import counted
from pygama_gui.machine.each_run import EachRun
from pygama_gui.session.state import Session
from pygama_gui.session.tag_changes import wanted_tagging

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge
    from pygama_gui.data.live_run import LiveRun

LEAST_PAUSE_S, PAUSE_SHARE = 2.0, 4.0
"""A run that grows is left alone so long after it was told of, and so many times as long as that took."""
EVENT_BYTES = 8
"""What is told of the events of a data set on disk takes about so many bytes a row."""


@dataclass(frozen=True)
class _Looking:
    """A run that is being told of. own: its columns of these names that came from its file."""

    run_id: str
    live: LiveRun
    wanted: Tagging
    own: frozenset[str]
    is_whole: bool
    began: float
    runs: EachRun | None = None
    """The way through the runs of a data set on disk."""


class HitTags(QObject):
    """What is told of hits, and what is being looked for."""

    told = pyqtSignal(str)
    """Id of a run of which more is known, or less."""
    refused = pyqtSignal(str)
    """A sentence that says why what a person asked for cannot be told."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._present: _Looking | None = None
        self._asked: tuple[str, tuple[str, ...]] = ("", ())
        """For which run a person asked last, and for which columns, until it was told of as a whole."""
        self._ready_at = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)
        bridge.session_changed.connect(self._on_session)
        bridge.data_grew.connect(lambda _run_ids: self.look())
        bridge.jobs_changed.connect(lambda _run_ids: self.look())

    @property
    def wanted(self) -> Tagging:
        """What is to be told."""
        return wanted_tagging(self._bridge.session)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is looked for, and nothing that a run still lacks."""
        return self._present is None and not self._timer.isActive()

    def is_looking(self, run_id: str) -> bool:
        """Tell whether a run is being told of."""
        return self._present is not None and self._present.run_id == run_id

    def of(self, run_id: str) -> Told | None:
        """Give what was told of a run, as was asked for last; None where that is not known yet."""
        live = self._bridge.live(run_id)
        return live.told if live is not None and live.told.tagging == self.wanted else None

    def why(self, run_id: str, name: str) -> str:
        """Say why a column of what is told is not there; empty for other columns, and where it is."""
        live = self._bridge.live(run_id)
        if name not in NAMES or live is None or name in live.columns:
            return ""
        if why := why_not(name, self.wanted):
            return why
        known = self.of(run_id)
        if known is None:
            return f"'{name}' is being found out{self.how_far(run_id)}"
        return known.missing.get(name, "")

    def how_far(self, run_id: str) -> str:
        """Say how many runs of a data set on disk were looked at: ': 3 of 20 runs'; else empty."""
        present = self._present
        if present is None or present.run_id != run_id or present.runs is None:
            return ""
        return f": {present.runs.words} looked at"

    def look(self) -> None:
        """Look for what is wanted and not known, one run after the other."""
        if self._present is not None and not self._is_left(self._present):
            return
        self._present = None
        wanted = self.wanted
        left = [one for one, live in self._bridge.data.items() if live.n_waiting]
        for run_id in dict.fromkeys((*self._bridge.loading.looked_at, *left)):
            live = self._bridge.live(run_id)
            if live is None or not len(live.columns):
                continue
            if not wanted.names and not live.told.tagging.names:
                continue
            if self._is_due(run_id, live, wanted):
                self._look_at(run_id, live, wanted)
                return

    def _is_due(self, run_id: str, live: LiveRun, wanted: Tagging) -> bool:
        told, is_growing = live.told, self._bridge.is_active(run_id)
        if told.tagging != wanted or live.is_on_disk:
            return told.tagging != wanted
        if told.n_rows == len(live.every) and (told.is_whole or is_growing):
            return False
        left_s = self._ready_at - time.monotonic()
        if is_growing and left_s > 0:
            if not self._timer.isActive():
                self._timer.start(int(1000 * left_s) + 1)
            return False
        return True

    def _look_at(self, run_id: str, live: LiveRun, wanted: Tagging) -> None:
        own = [name for name in live.every.names if live.ahead is not None or name not in live.told.names]
        is_whole = not self._bridge.is_active(run_id)
        self._timer.stop()
        if isinstance(live, LiveSet) and live.is_on_disk and wanted.names:
            self._look_through(run_id, live, wanted, frozenset(own))
            return
        self._present = _Looking(run_id, live, wanted, frozenset(own), is_whole, time.monotonic())
        parts = _parts_of(live, wanted.needed(own))
        self._bridge.threads.do(
            "tag hits",
            lambda: tell(parts, wanted),
            lambda found: self._take(*found),
            self._end,
        )
        self.told.emit(run_id)

    def _look_through(self, run_id: str, live: LiveSet, wanted: Tagging, own: frozenset[str]) -> None:
        """Tell of the hits of a data set on disk, run by run."""
        asked, missing = wanted, dict[str, str]()
        if wanted.window_s is not None and EVENT_BYTES * live.n_rows > live_set.MOST_BYTES:
            asked = replace(wanted, window_s=None)
            why = f"no events are built: {counted(live.n_rows, 'row')} are too many; take fewer runs together"
            missing = dict.fromkeys(OF_EVENTS, why)
        columns = {name: FoundColumn(UNTOLD[name].dtype) for name in asked.names if name not in own}

        def look(_number: int, rows: Rows) -> Told:
            made, told = tell([rows], asked)
            for name, column in columns.items():
                column.add_run(made.get(name, np.empty(0, column.dtype)))
            return told

        def news() -> None:
            if not runs.is_done:
                self.told.emit(run_id)
                return
            told = joined_told(runs.found, wanted)
            kept = {name: column for name, column in columns.items() if name in told.names}
            told = replace(told, names=tuple(kept), missing={**told.missing, **missing}, is_whole=True)
            self._take_found(kept, told)

        runs = EachRun(
            self._bridge,
            live,
            wanted.needed(own),
            "tag hits",
            look,
            is_wanted=lambda: self._present is present and not self._is_left(present),
            news=news,
            fail=self._end,
        )
        present = _Looking(run_id, live, wanted, own, True, time.monotonic(), runs)  # noqa: FBT003
        self._present = present
        runs.go_on()
        self.told.emit(run_id)

    def _is_left(self, present: _Looking) -> bool:
        """Tell whether a data set on disk is looked at for nothing: it is gone, or wanted otherwise."""
        live = self._bridge.live(present.run_id)
        is_same = live is not None and live.is_same_as(present.live) and self.wanted == present.wanted
        return present.runs is not None and not is_same

    def _take_found(self, columns: dict[str, FoundColumn], told: Told) -> None:
        present = self._present
        assert present is not None
        self._present = None
        live = self._bridge.live(present.run_id)
        assert isinstance(live, LiveSet)
        made = live.with_found_tags(columns, told)
        self._bridge.data_sets.take_over(live, made, NAMES)
        self._bridge.data[present.run_id] = made
        self._say(present.run_id, told)
        self.told.emit(present.run_id)
        self._bridge.data_grew.emit({present.run_id})

    def _take(self, made: dict[str, np.ndarray], told: Told) -> None:
        """Give what was told to the run, where it is still the same."""
        bridge, present = self._bridge, self._present
        assert present is not None
        self._present = None
        now = time.monotonic()
        self._ready_at = now + max(LEAST_PAUSE_S, PAUSE_SHARE * (now - present.began))
        run_id, live = present.run_id, bridge.live(present.run_id)
        if live is None or not live.is_same_as(present.live):
            self.look()
            return
        kept = {name: values for name, values in made.items() if name not in present.own}
        told = replace(told, names=tuple(kept), is_whole=present.is_whole)
        bridge.data[run_id] = live.with_tags(kept, told) if kept else _without_tags(live, told)
        if told.is_whole:
            self._say(run_id, told)
        self.told.emit(run_id)
        bridge.data_grew.emit({run_id})  # looks for what comes next, too

    def _say(self, run_id: str, told: Told) -> None:
        bridge = self._bridge
        for line in (line for one in told.found for line in one.lines):
            bridge.log(f"{bridge.name_of(run_id)}: {line.strip()}")
        for why in dict.fromkeys(told.missing.values()):
            bridge.log(f"{bridge.name_of(run_id)}: {why}")
        asked_of, names = self._asked
        if run_id == asked_of:
            self._asked = ("", ())
            for why in told.refusals(names)[:1]:
                self.refused.emit(f"{bridge.name_of(run_id)}: {why}")

    def _end(self) -> None:
        """Leave a run as it is, where the work went wrong; its rows are not kept back."""
        present, self._present = self._present, None
        assert present is not None
        live = self._bridge.live(present.run_id)
        if live is not None and live.is_same_as(present.live):
            n = len(live.every)
            missing = dict.fromkeys(present.wanted.names, "what all hits tell together could not be found")
            told = Told(present.wanted, n, (), missing, is_whole=present.is_whole)
            self._bridge.data[present.run_id] = _without_tags(live, told)
            self.told.emit(present.run_id)
            self._bridge.data_grew.emit({present.run_id})

    def _on_session(self, old: Session, new: Session) -> None:
        if old.tagging != new.tagging:
            is_of_pulser = _pulser_part(old.tagging) != _pulser_part(new.tagging)
            self._asked = (new.selected, (PULSER,) if is_of_pulser else OF_EVENTS)
        self.look()


def _without_tags(live: LiveRun, told: Told) -> LiveRun:
    if isinstance(live, LiveSet) and live.is_on_disk:
        return live.with_found_tags({}, told)
    return live.with_tags({}, told)


def _pulser_part(tagging: Tagging) -> Tagging:
    return replace(tagging, window_s=None, is_sliding=False, same_clock=False)


def _parts_of(live: LiveRun, names: tuple[str, ...]) -> list[Rows]:
    """Give columns of each run, as they stand now."""
    columns = live.every
    rows = {name: columns.column(name) for name in names}
    starts = live.starts if isinstance(live, LiveSet) else [0]
    ends = [*starts[1:], len(columns)]
    return [
        {name: values[start:end] for name, values in rows.items()}
        for start, end in zip(starts, ends, strict=True)
    ]
