"""Reads data sets in the one thread that reads files: into memory where they fit, else block for block.

What is read goes on for a moment and then lets others have the thread; it can be stopped, and says how far it
is. Of a data set on disk, everything that waits is counted in one pass over the files.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Generator, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

from pygama.analysis.cuts import CutSet
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.cutting import Passing, applicable, joined
from pygama_gui.data.linked import ALL, Counts, Cuts, axis_along
from pygama_gui.data.live_set import Facts, LiveSet, look_at, read_rows
from pygama_gui.data.passes import STEP_S, Answer, Gathering, Pass, Task, Wish
from pygama_gui.data.tally import Figures, Peak
from pygama_gui.data.tally_from_files import Tallying
from pygama_gui.jobs.board import as_sentence, counted
from pygama_gui.machine.waveform_rows import WaveformRows
from pygama_gui.session.set_changes import missing_files
from pygama_gui.session.state import DataSet, Member

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge
    from pygama_gui.data.live_run import LiveRun

HAND_RESTS_MS = 250
"""Nothing is counted anew while an edge is dragged, until it has not moved for so long."""
GO_ON = "press 'Read again' on its card to go on"
MOST_HELD, MOST_FIGURES = 100, 20
"""Histograms of data sets on disk, and figures of their cuts, that are kept, at most."""


@dataclass(frozen=True)
class Progress:
    """How far something is. what: 'reading' or 'counting'."""

    what: str
    n_done: int
    n_rows: int
    is_stopped: bool = False

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        return self.n_done / max(self.n_rows, 1)

    @property
    def words(self) -> str:
        """Say it: 'counted 12 000 000 of 100 000 000 rows'."""
        past = {"reading": "read", "counting": "counted"}[self.what]
        of = counted(self.n_rows, "row")
        number = counted(self.n_done, "row").rsplit(" ", 1)[0]
        return f"{past} {number} of {of}" + (", stopped" if self.is_stopped else "")


@dataclass(frozen=True)
class Standing:
    """How a data set stands. trouble: why its rows cannot be had. is_large: counted from its files."""

    progress: Progress | None = None
    trouble: str = ""
    is_large: bool = False


@dataclass
class _Reading:
    """A data set on its way into memory."""

    data_set: DataSet
    live: LiveSet
    steps: Generator[int]
    n_done: int = 0
    is_stopped: bool = False

    def go_on(self) -> bool:
        """Read for a moment; tells whether all is read."""
        end = time.perf_counter() + STEP_S
        for n_done in self.steps:
            self.n_done = n_done
            if self.is_stopped:
                break
            if time.perf_counter() > end:
                return False
        self.steps.close()
        return True


class DataSets(QObject):
    """The data sets of the session: whether their files are there, and what is read and counted of them."""

    _hand_over = pyqtSignal(object)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._facts: dict[tuple[Member, ...], Facts | str] = {}
        self._looking: set[tuple[Member, ...]] = set()
        self._reading: dict[str, _Reading] = {}
        self._progress: dict[str, Progress] = {}
        self._waiting: dict[str, Wish] = {}
        self._pass: Pass | None = None
        self._aside: Pass | None = None
        """One that goes on when nobody waits for anything else."""
        self._is_waiting_for_hand = False
        """Whether the pass stands still while a hand moves an edge."""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(HAND_RESTS_MS)
        self._rest.timeout.connect(lambda: self._next())
        self._held: OrderedDict[tuple[LiveSet, Task], Counts] = OrderedDict()
        self._figures: dict[tuple[LiveSet, Hashable], Figures] = {}
        self._stopped: set[LiveSet] = set()
        self.waveform_rows = WaveformRows(bridge)
        self._ending: dict[str, Wish] = {}
        """For whom the last is found at the moment in what was gathered."""
        # Queued: what is known already must not be handed over in the middle of asking for it.
        self._hand_over.connect(lambda work: work(), Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    # Their files

    def look(self) -> None:
        """Look at the files of the data sets that are new."""
        known = set(self._bridge.session.data_sets)
        for one in self._bridge.session.data_sets:
            if one.members not in self._looking:
                self._looking.add(one.members)
                self._bridge.in_background(_look(one), partial(self._take_facts, one))
        for run_id in tuple(self._reading):
            if all(one.run_id != run_id for one in known):
                self._reading.pop(run_id).is_stopped = True

    def _take_facts(self, data_set: DataSet, found: Facts | str) -> None:
        bridge = self._bridge
        self._facts[data_set.members] = found
        present = bridge.session.run(data_set.run_id)
        if not isinstance(present, DataSet) or present.members != data_set.members:
            return
        if isinstance(found, str):
            bridge.log(f"{present.name}: {found}", "warning")
        else:
            outputs = tuple(one.tier2 for one in present.members)
            bridge.restore_rows(present, outputs, found.total, found.made_on)
        bridge.announce([data_set.run_id])
        bridge.loading.look_for_outputs()

    def trouble(self, run_id: str) -> str:
        """Say why the rows of a data set cannot be had; empty where they can."""
        data_set = self._bridge.session.run(run_id)
        found = self._facts.get(data_set.members) if isinstance(data_set, DataSet) else None
        return found if isinstance(found, str) else ""

    def why_empty(self, run_id: str) -> str:
        """Say why a view of a data set has nothing to show yet; empty for a run, and where all is there."""
        if not isinstance(self._bridge.session.run(run_id), DataSet):
            return ""
        if why := self.trouble(run_id):
            return f"{as_sentence(why)}."
        progress = self.progress(run_id)
        if progress is not None and progress.what == "reading":
            return f"{as_sentence(progress.words)}."
        return "" if self._bridge.state(run_id) is not None else "Looking for the files of the data set…"

    def how_far(self, run_id: str) -> str:
        """Say how far the counting of a data set on disk is, and how a stopped one goes on; else empty."""
        live, progress = self._bridge.live(run_id), self.progress(run_id)
        if live is None or not live.is_on_disk or progress is None:
            return ""
        return progress.words + (f": {GO_ON}" if progress.is_stopped else "")

    def why_not(self, run_id: str, what: str) -> str:
        """Say that a view needs all rows in memory, where they are not; what: it would show."""
        live, data_set = self._bridge.live(run_id), self._bridge.session.run(run_id)
        if live is None or not live.is_on_disk or not isinstance(data_set, DataSet):
            return ""
        first = data_set.members[0].run.title
        return (
            f"{counted(live.n_rows, 'row')} are too many to be kept in memory: "
            f"select one of the runs, as {first}, to see {what}."
        )

    def why_no_waveforms(self, run_id: str) -> str:
        """Say why there are no waveforms of a data set, naming a run; empty where there are some."""
        live, data_set = self._bridge.live(run_id), self._bridge.session.run(run_id)
        if not isinstance(live, LiveSet) or live.tier1 is not None or not isinstance(data_set, DataSet):
            return ""
        if run := live.facts.apart:
            return (
                f"{run} has waveforms of several kinds, or not one for each row: among so many rows they "
                "cannot be told apart. Select one of the runs to see its waveforms."
            )
        lacking = next(one.run.title for one in data_set.members if one.tier1 is None)
        return f"{lacking} of the data set has no Tier 1 file, so there are no waveforms; select another run."

    def look_again(self, run_id: str) -> None:
        """Look at the files of a data set once more, and read them anew."""
        data_set = self._bridge.session.run(run_id)
        if isinstance(data_set, DataSet):
            self._looking.discard(data_set.members)
            self._facts.pop(data_set.members, None)
            self._progress.pop(run_id, None)
            self._stopped = {live for live in self._stopped if live is not self._bridge.live(run_id)}
            self._bridge.forget_rows(run_id)
            self.look()

    def forget_files(self, outputs: Sequence[Any]) -> None:
        """Look again at the data sets whose files were written anew."""
        for one in self._bridge.session.data_sets:
            if not {member.tier2 for member in one.members}.isdisjoint(outputs):
                self.look_again(one.run_id)

    def progress(self, run_id: str) -> Progress | None:
        """Say how far the reading or counting of a data set is; None where nothing is under way."""
        return self._progress.get(run_id)

    def standing(self, data_set: DataSet) -> Standing:
        """Say how a data set stands."""
        facts = self._facts.get(data_set.members)
        is_large = isinstance(facts, Facts) and not facts.is_in_memory
        return Standing(self.progress(data_set.run_id), self.trouble(data_set.run_id), is_large)

    def stop(self, run_id: str) -> None:
        """Stop what is read or counted of a data set."""
        if (reading := self._reading.get(run_id)) is not None:
            reading.is_stopped = True
        self._rest.stop()
        self._next()  # what was wished a moment ago ends like what is under way
        if self._pass is not None and self._pass.live is self._bridge.live(run_id):
            self._pass.is_stopped = True
            self._stopped.add(self._pass.live)

    def take_hand_away(self) -> None:
        """Count at once what was wished while an edge was dragged."""
        if self._rest.isActive():
            self._rest.stop()
            self._next()

    def is_stopped(self, live: LiveRun) -> bool:
        """Tell whether somebody stopped the counting of a data set."""
        return live in self._stopped

    # Into memory

    def load(self, data_set: DataSet, calibrations: tuple[Any, ...]) -> None:
        """Read the rows of a data set, or a sample of those that do not fit."""
        facts = self._facts.get(data_set.members)
        if not isinstance(facts, Facts):
            return
        live = LiveSet(data_set, facts, calibrations)
        self._bridge.data[data_set.run_id] = LiveSet(data_set, facts, calibrations)
        reading = _Reading(data_set, live, read_rows(live))
        self._reading[data_set.run_id] = reading
        self._read_on(reading)

    def _read_on(self, reading: _Reading) -> None:
        run_id = reading.data_set.run_id
        if not reading.live.is_on_disk:
            self._say(run_id, Progress("reading", reading.n_done, reading.live.n_rows))
        self._bridge.in_background(
            reading.go_on,
            lambda is_done: self._end_reading(reading) if is_done else self._read_on(reading),
            lambda: self._give_up(reading, "its files could not be read"),
        )

    def _end_reading(self, reading: _Reading) -> None:
        run_id = reading.data_set.run_id
        if self._reading.get(run_id) is not reading:
            return
        del self._reading[run_id]
        if reading.is_stopped:
            self._say(run_id, Progress("reading", reading.n_done, reading.live.n_rows, is_stopped=True))
            return
        self._progress.pop(run_id, None)
        self._bridge.data[run_id] = reading.live
        self._bridge.announce([run_id])
        self._bridge.data_grew.emit({run_id})
        self._bridge.loading.calibrate(run_id)

    def _give_up(self, reading: _Reading, why: str) -> None:
        run_id = reading.data_set.run_id
        self._reading.pop(run_id, None)
        self._progress.pop(run_id, None)
        self._facts[reading.data_set.members] = why
        self._bridge.announce([run_id])

    def _say(self, run_id: str, progress: Progress) -> None:
        self._progress[run_id] = progress
        self._bridge.announce([run_id])

    # From the files

    def count(self, owner: str, live: LiveSet, tasks: Sequence[Task], then: Answer) -> bool:
        """Have histograms counted over all rows; `then` is called again and again with more of them.

        A wish takes the place of the one that `owner` had before. Tells whether all was known already.
        """
        applied = {cuts: _applied(cuts, live) for cuts in {cuts for cuts, _ in tasks}}
        tasks = tuple((None if want.rows == ALL else applied[cuts], want) for cuts, want in tasks)
        return self._want(owner, Wish(live, tasks, then))

    def tally(
        self,
        owner: str,
        live: LiveSet,
        cuts: CutSet,
        peaks: Sequence[Peak],
        along: str,
        then: Callable[[Figures], None],
    ) -> bool:
        """Have it counted what each cut does, in peaks and along a column too; `then` as `gather`.

        Tells whether it was known already.
        """
        known, _ = applicable(cuts, _empty(live))
        wanted = tuple(peak for peak in peaks if peak.column in live.columns)
        axis = axis_along(along, live.columns.column(along)) if along in live.columns else None
        about = (live, (tuple(known), wanted, axis))
        if (held := self._figures.get(about)) is not None:
            self._take_back(owner)
            self._hand_over.emit(lambda: then(held))
            return True

        def take(found: Figures) -> None:
            if found.is_whole:
                present = self._bridge.data.values()
                kept = [(key, one) for key, one in self._figures.items() if key[0] in present]
                self._figures = dict([*kept, (about, found)][-MOST_FIGURES:])
            then(found)

        self.gather(owner, live, about, lambda: Tallying(known, live.n_rows, wanted, axis), take)
        return False

    def gather(
        self,
        owner: str,
        live: LiveSet,
        about: Hashable,
        begin: Callable[[], Gathering],
        then: Callable[[Any], None],
        *,
        can_wait: bool = False,
    ) -> None:
        """Have something made of all rows while they come by, as `count`.

        about: what is made, equal if it is the same. `then` gets what is found: of the rows so far, now and
        then, and of all in the end. can_wait: whether all that others wish goes before it.
        """
        self._want(owner, Wish(live, (), then, begin, about, can_wait))

    def take_over(self, before: LiveSet, after: LiveSet, names: Collection[str]) -> None:
        """Keep what was counted without some columns, where these alone are new or other ones now."""
        for live, task in tuple(self._held):
            cuts, want = task
            read = want.columns | (frozenset() if cuts is None else cuts.columns)
            if live is before and read.isdisjoint(names):
                self._held[after, task] = self._held.pop((live, task))

    def _take_back(self, owner: str) -> None:
        """Forget what `owner` wished; a pass that is under way tells it nothing any more."""
        self._waiting.pop(owner, None)
        self._ending.pop(owner, None)
        if self._pass is not None and (mine := self._pass.wishes.get(owner)) is not None:
            mine.then = lambda _found: None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is read or counted."""
        is_counting = self._pass is not None or self._aside is not None or bool(self._waiting)
        return not (is_counting or self._reading or self._ending)

    def _want(self, owner: str, wish: Wish) -> bool:
        """Have a wish counted; tells whether all of it was known already."""
        self._waiting.pop(owner, None)
        known = [self._held.get((wish.live, task)) for task in wish.tasks]
        if wish.begin is None and all(known):
            self._take_back(owner)
            self._hand_over.emit(lambda: wish.then(known))
            return True
        self._wait_for(owner, wish)
        return False

    def _wait_for(self, owner: str, wish: Wish) -> None:
        if (ending := self._ending.pop(owner, None)) is not None and ending.key == wish.key:
            ending.then = wish.then
            self._ending[owner] = ending
            return
        for present in (self._pass, self._aside):
            if present is None or present.live is not wish.live:
                continue
            if (mine := present.wishes.get(owner)) is not None and mine.key == wish.key:
                mine.then = wish.then
                return
            if mine is not None:
                present.is_stopped = True  # what was asked before is not wanted any more
        self._waiting[owner] = wish
        if self._bridge.counting.has_first:
            self._rest.start()
        else:
            self._hand_over.emit(self._next)  # all that is wished at a time is counted in one pass

    def _next(self) -> None:
        """Begin the next pass; what can wait is left or laid aside while somebody waits for something."""
        hurried = {owner: wish for owner, wish in self._waiting.items() if not wish.can_wait}
        if self._pass is not None and self._is_waiting_for_hand and not self._rest.isActive():
            self._count_on(self._pass)
        if self._pass is not None:
            self._pass.is_interrupted = bool(hurried) and self._pass.can_wait
            return
        if self._rest.isActive():
            return
        if not hurried and self._aside is not None:
            self._go_on_with_aside(self._aside)
            return
        waiting = hurried or self._waiting
        if not waiting:
            return
        live = next(iter(waiting.values())).live
        mine = {owner: wish for owner, wish in waiting.items() if wish.live is live}
        self._waiting = {owner: wish for owner, wish in self._waiting.items() if owner not in mine}
        if not self._is_countable(live):
            self._next()
            return
        self._pass = Pass(live, mine)
        self._count_on(self._pass)

    def _is_countable(self, live: LiveSet) -> bool:
        return live not in self._stopped and live in self._bridge.data.values()

    def _go_on_with_aside(self, aside: Pass) -> None:
        self._aside = None
        self._pass = aside
        if not self._is_countable(aside.live):
            self._end_pass(aside)
            return
        aside.is_interrupted = False
        self._count_on(aside)

    def _count_on(self, present: Pass) -> None:
        self._tell_how_far(present)
        self._is_waiting_for_hand = self._rest.isActive()
        if self._is_waiting_for_hand:  # counting beside it, the window would not follow
            return
        self._bridge.in_background(
            present.go_on,
            lambda is_done: self._take_step(present, is_done=is_done),
            lambda: self._end_pass(present),
        )

    def _take_step(self, present: Pass, *, is_done: bool) -> None:
        if present.live not in self._bridge.data.values():  # calibrated anew, or removed
            self._end_pass(present)
            return
        if present.is_stopped:
            if present.live in self._stopped:
                self._answer(present, is_done=False)
            else:  # begun anew with what is wanted now
                self._waiting = {**present.wishes, **self._waiting}
            self._end_pass(present)
            return
        if is_done and present.is_out_of_time:
            self._waiting = {**present.wishes, **self._waiting}
            self._end_pass(present)
            return
        self._answer(present, is_done=is_done)
        if present.is_interrupted and not is_done:
            self._aside, self._pass = present, None
            self._tell_how_far(present, is_over=True)
            self._next()
        elif is_done:
            for task in present.counts:
                self._held[present.live, task] = present.counted(task)
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
            self._end_pass(present)
        else:
            self._count_on(present)

    def _answer(self, present: Pass, *, is_done: bool) -> None:
        """Hand over what was counted and gathered so far; in the end, the last part of that is done aside."""
        for owner, wish in tuple(present.wishes.items()):
            if owner not in present.gatherings:
                wish.then([present.counted(task) for task in wish.tasks])
            elif is_done:
                self._end_gathering(owner, present.gatherings[owner], wish)
            elif present.so_far.get(owner) is not None:
                wish.then(present.so_far.pop(owner))

    def _end_gathering(self, owner: str, gathering: Gathering, wish: Wish) -> None:
        self._ending[owner] = wish

        def take(found: Any) -> None:
            if self._ending.get(owner) is wish:
                del self._ending[owner]
                if found is not None and wish.live in self._bridge.data.values():
                    wish.then(found)

        self._bridge.compute(lambda: gathering.found(is_whole=True), take, lambda: take(None))

    def _end_pass(self, present: Pass) -> None:
        if present.steps is not None:
            self._bridge.in_background(present.steps.close, lambda _nothing: None)
        self._pass = None
        self._tell_how_far(present, is_over=True)
        self._next()

    def _tell_how_far(self, present: Pass, *, is_over: bool = False) -> None:
        run_id = next((key for key, live in self._bridge.data.items() if live is present.live), "")
        if not run_id:
            return
        if is_over and present.live not in self._stopped:
            self._progress.pop(run_id, None)
        else:
            is_stopped = present.live in self._stopped
            self._progress[run_id] = Progress(
                "counting", present.n_done, present.live.n_rows, is_stopped=is_stopped
            )
        self._bridge.announce([run_id])


def _look(data_set: DataSet) -> Callable[[], Facts | str]:
    def look() -> Facts | str:
        from pygama.errors import TierFileError

        if gone := missing_files(data_set):
            names = ", ".join(path.name for path in gone[:3]) + ("…" if len(gone) > 3 else "")
            are = "is not where it was" if len(gone) == 1 else f"{len(gone)} files are not where they were"
            return f"{names} {are}" if len(gone) == 1 else f"{are}: {names}"
        try:
            return look_at(data_set)
        except (TierFileError, OSError) as error:
            return str(error)

    return look


def _applied(cuts: Cuts | None, live: LiveSet) -> Cuts | None:
    """Leave out the cuts that a data set has not the columns for: without them, the same rows pass."""
    if not isinstance(cuts, Passing):
        return cuts
    known, problems = applicable(CutSet(cuts.cuts), _empty(live))
    return joined(tuple(known)) if problems else cuts


def _empty(live: LiveSet) -> dict[str, np.ndarray]:
    columns = live.columns
    names = (name for name in (*columns.names, *columns.hidden) if name not in (CODE, CLOCK))
    return {name: live.columns.column(name)[:0] for name in names}
