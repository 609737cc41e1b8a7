"""Looks through the waveforms of the runs that are shown for the boxes that cuts name.

In the one thread that reads files, for a moment at a time, so that others have their turn. What passes
becomes a column of the run, so that every view knows it; it says how far it is, and can be stopped. Of a data
set on disk a bit for each row is kept.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtCore import QObject, pyqtSignal

from pygama_gui.data.cutting import readable
from pygama_gui.data.found_columns import FoundColumn
from pygama_gui.data.live_set import LiveSet, read_run
from pygama_gui.jobs.board import counted

if TYPE_CHECKING:
    from pygama.boxes import Box
    from pygama_gui.bridge import Bridge
    from pygama_gui.data.live_run import LiveRun

STEP_S = 0.25
"""So long one run of reading takes before others have their turn."""
MOST_UNUSED = 8
"""Boxes that no cut names any more and that are kept for undo, of each run."""


@dataclass
class _Looking:
    """What is looked for in the waveforms of one run."""

    run_id: str
    live: LiveRun
    boxes: dict[str, Box]
    n_rows: int
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    found: dict[str, FoundColumn] = field(default_factory=dict)
    """In place of masks, for a data set on disk."""
    n_passing: Counter[str] = field(default_factory=Counter)
    n_done: int = 0
    trouble: str = ""
    is_stopped: bool = False
    _steps: Generator[int] | None = None

    def go_on(self) -> bool:
        """Look for a moment; tells whether all was looked through."""
        from pygama.errors import PygamaError

        end = time.perf_counter() + STEP_S
        if self._steps is None:
            self._steps = self._look()
        try:
            for n in self._steps:
                self.n_done += n
                if self.is_stopped:
                    break
                if time.perf_counter() > end:
                    return False
        except (PygamaError, OSError) as error:
            self.trouble = str(error)
        self._steps.close()
        return True

    def _look(self) -> Generator[int]:
        from pygama.boxes import EVENT

        names = {EVENT}.union(*(box.above for box in self.boxes.values()))
        names = {name for name in names if name in self.live.columns}
        if isinstance(self.live, LiveSet) and self.live.is_on_disk:
            yield from self._look_in_files(self.live, names)
            return
        self.masks = {name: np.zeros(self.n_rows, np.bool_) for name in self.boxes}
        columns = {name: self.live.columns.column(name) for name in names}
        for path, rows in _parts_of(self.live):
            masks = yield from self._masks_of(path, {name: values[rows] for name, values in columns.items()})
            for name, mask in masks.items():
                self.masks[name][rows] = mask

    def _look_in_files(self, live: LiveSet, names: set[str]) -> Generator[int]:
        """Look through a data set on disk: the columns of one run are in memory at a time."""
        self.found = {name: FoundColumn(np.bool_) for name in self.boxes}
        for number, member in enumerate(live.members):
            blocks = []
            for block in read_run(live, number, names):
                blocks.append(block)
                yield 0
            masks = dict.fromkeys(self.boxes, np.zeros(0, np.bool_))
            if blocks and member.tier1 is not None:
                columns = {name: np.concatenate([block[name] for block in blocks]) for name in names}
                masks = yield from self._masks_of(member.tier1, columns)
            for name, mask in masks.items():
                self.found[name].add_run(mask)

    def _masks_of(
        self, tier1: Path, columns: dict[str, np.ndarray]
    ) -> Generator[int, None, dict[str, np.ndarray]]:
        """Tell which rows of one run pass, name -> (n_rows,)."""
        from pygama.boxes import Passages
        from pygama.storage import TierFile

        passages = Passages(columns, self.boxes)
        with TierFile(tier1) as file:
            yield from passages.steps(file)
        self.n_passing.update({name: int(mask.sum()) for name, mask in passages.masks.items()})
        return passages.masks


class Boxes(QObject):
    """What is known of boxes, and what is being looked for."""

    changed = pyqtSignal(str)
    """Id of a run of which more is known, or less."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._present: _Looking | None = None
        self._given_up: list[tuple[LiveRun, str, str]] = []
        """A run, a box, and why it is not looked for: it was stopped, or it could not be."""
        bridge.session_changed.connect(lambda _old, _new: self.look())
        bridge.data_grew.connect(lambda _run_ids: self.look())

    @property
    def is_idle(self) -> bool:
        """Whether nothing is looked for."""
        return self._present is None

    def look(self) -> None:
        """Look for what is wanted and not known, one run after the other; leave what is not wanted."""
        present = self._present
        if present is not None:
            if not present.boxes.keys() <= self._wanted().keys():
                present.is_stopped = True
            return
        for run_id in self._bridge.loading.looked_at:
            boxes, live = self._lacking(run_id), self._bridge.live(run_id)
            if boxes and live is not None:
                self._present = _Looking(run_id, live, boxes, live.n_rows)
                self._go_on(self._present)
                return

    def stop(self, run_id: str) -> None:
        """Stop looking through the waveforms of a run."""
        if (present := self._present) is not None and present.run_id == run_id:
            present.is_stopped = True
            words = f"stopped after {_how_far(present)}"
            self._given_up += [(present.live, name, words) for name in present.boxes]

    def look_again(self, run_id: str) -> None:
        """Look for what was stopped or could not be looked for."""
        live = self._bridge.live(run_id)
        self._given_up = [one for one in self._given_up if live is None or not one[0].is_same_as(live)]
        self.changed.emit(run_id)
        self.look()

    def why(self, run_id: str, name: str) -> str:
        """Say why it is not known what passes through a box; empty where it is."""
        live = self._bridge.live(run_id)
        if live is None or name in live.columns:
            return ""
        if given_up := self._why_given_up(live, name):
            return given_up
        if not _has_waveforms(live):
            if self._bridge.is_active(run_id):
                return "waveforms are looked through when the run is done"
            return (
                self._bridge.data_sets.why_no_waveforms(run_id) or "there is no Tier 1 file to look through"
            )
        box = self._wanted().get(name)
        if box is not None and (lacking := [one for one in box.above if one not in live.columns]):
            return f"the run has no column {lacking[0]!r} for the baseline of the box"
        present = self._present
        if present is not None and present.run_id == run_id and name in present.boxes:
            return f"looking through the waveforms: {_how_far(present)}"
        return "the waveforms are not looked through yet"

    def is_looking(self, run_id: str, name: str) -> bool:
        """Tell whether a box is being looked for in the waveforms of a run."""
        present = self._present
        return (
            present is not None
            and not present.is_stopped
            and present.run_id == run_id
            and name in present.boxes
        )

    def can_look_again(self, run_id: str, name: str) -> bool:
        """Tell whether looking was stopped, or went wrong."""
        live = self._bridge.live(run_id)
        return live is not None and name not in live.columns and bool(self._why_given_up(live, name))

    def _why_given_up(self, live: LiveRun, name: str) -> str:
        return next((why for one, box, why in self._given_up if box == name and one.is_same_as(live)), "")

    def _wanted(self) -> dict[str, Box]:
        """Give the boxes that the cuts name."""
        from pygama.boxes import boxes_among

        cuts, _ = readable(self._bridge.session.cuts)
        return boxes_among(cuts.columns)

    def _lacking(self, run_id: str) -> dict[str, Box]:
        """Give the boxes that can be looked for in a run and were not."""
        live = self._bridge.live(run_id)
        if live is None or not _has_waveforms(live) or not len(live.columns):
            return {}
        return {
            name: box
            for name, box in self._wanted().items()
            if name not in live.columns
            and all(one in live.columns for one in box.above)
            and not self._why_given_up(live, name)
        }

    def _go_on(self, present: _Looking) -> None:
        self.changed.emit(present.run_id)
        self._bridge.in_background(
            present.go_on,
            lambda is_done: self._take(present) if is_done else self._go_on(present),
            lambda: self._end(present),
        )

    def _take(self, present: _Looking) -> None:
        bridge = self._bridge
        self._present = None
        if present.trouble:
            bridge.log(f"{bridge.name_of(present.run_id)}: {present.trouble}", "warning")
            self._given_up += [(present.live, name, present.trouble) for name in present.boxes]
        is_taken = not present.trouble and not present.is_stopped and self._hand_over(present)
        self.changed.emit(present.run_id)
        if is_taken:
            bridge.data_grew.emit({present.run_id})  # looks for what comes next, too
        else:
            self.look()

    def _hand_over(self, present: _Looking) -> bool:
        """Give what was found to the run, where it is still the same; tell whether it is."""
        bridge = self._bridge
        live = bridge.live(present.run_id)
        is_same = live is not None and live.is_same_as(present.live)
        if live is None or not is_same or live.n_rows != present.n_rows:
            return False
        unused = self._unused(live)
        if isinstance(live, LiveSet) and live.is_on_disk:
            made = live.with_found_boxes(present.found, unused)
            bridge.data_sets.take_over(live, made, (*present.found, *unused))
            bridge.data[present.run_id] = made
        else:
            bridge.data[present.run_id] = live.with_boxes(present.masks, unused)
        there = bridge.data.values()
        self._given_up = [one for one in self._given_up if any(one[0].is_same_as(each) for each in there)]
        for name in present.boxes:
            n, of = present.n_passing[name], counted(present.n_rows, "waveform")
            bridge.log(f"{bridge.name_of(present.run_id)}: {n} of {of} pass {name}")
        return True

    def _end(self, present: _Looking) -> None:
        self._given_up += [(present.live, name, "the waveforms could not be read") for name in present.boxes]
        self._present = None
        self.changed.emit(present.run_id)
        self.look()

    def _unused(self, live: LiveRun) -> list[str]:
        wanted = self._wanted()
        return [name for name in live.columns.hidden if name not in wanted][:-MOST_UNUSED]


def _has_waveforms(live: LiveRun) -> bool:
    """Tell whether the waveforms of all rows are in Tier 1 files, in one table or several."""
    if isinstance(live, LiveSet):
        return all(member.tier1 is not None for member in live.members)
    return live.tier1 is not None


def _parts_of(live: LiveRun) -> list[tuple[Path, slice]]:
    """Give the Tier 1 files of a run or of all runs of a data set, and their rows."""
    n_rows = len(live.columns)
    if not isinstance(live, LiveSet):
        assert live.tier1 is not None
        return [(live.tier1, slice(0, n_rows))]
    ends = [*live.starts[1:], n_rows]
    return [
        (member.tier1, slice(start, end))
        for member, start, end in zip(live.members, live.starts, ends, strict=True)
        if member.tier1 is not None and start < end
    ]


def _how_far(looking: _Looking) -> str:
    number = counted(looking.n_done, "row").rsplit(" ", 1)[0]
    return f"{number} of {counted(looking.n_rows, 'waveform')}"
