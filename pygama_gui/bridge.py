"""Joins the session and the jobs with Qt: signals, and the one timer that all drawing hangs on.

The timer runs 20 times a second while a job is under way or a view waits to be redrawn, and not at all
otherwise. Messages of the workers change state at once; views are redrawn on the tick, hidden ones when
they are shown.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import numpy as np
from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

from pygama.analysis.calibration import Calibration
from pygama.analysis.counting import Interval
from pygama.progress import Done, Failed, Message, Note, Partial, StoppedByRequest
from pygama_gui.counting import Answer, Counting
from pygama_gui.data.channels import CODE, codes_of, names_of, without_ignored
from pygama_gui.data.cutting import Passing, joined, readable
from pygama_gui.data.dragged import Indexes, interval_of
from pygama_gui.data.energies import all_energies
from pygama_gui.data.linked import Counter, Counts, Rows, Want
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.outputs import Outputs, find_outputs, read_columns
from pygama_gui.data.samples import SampleRing, Tier1Waveforms, import_readers
from pygama_gui.data.selection import passing_of
from pygama_gui.data.tally import Figures, Peak
from pygama_gui.fitting import Fitting
from pygama_gui.jobs.board import JobBoard, JobState, Search, state_sentence
from pygama_gui.jobs.bundle import write_bundle
from pygama_gui.jobs.following import PATIENCE_S
from pygama_gui.jobs.leftovers import remove_orphans
from pygama_gui.jobs.record_words import FoundRecord, search
from pygama_gui.jobs.room import FLOOR_BYTES, Need, free_bytes, need_of
from pygama_gui.jobs.runner import JobRunner
from pygama_gui.jobs.spec import JobSpec, threads_for
from pygama_gui.jobs.watch import FolderWatch, NewRun
from pygama_gui.session import places
from pygama_gui.session.calibration_changes import calibrations_of
from pygama_gui.session.state import Run, Session
from pygama_gui.session.store import Store

WithAndWithout = tuple[list[Counts | None], list[Counts | None]]
"""Histograms under the cuts with one of them, and without it."""
TICK_MS = 50
HAND_TICK_MS = 10
"""While something is dragged."""
DISK_EVERY_TICKS = 200
ROOM_EVERY_TICKS = 20
WATCH_MS = 3000
"""A folder that is watched is looked into this often."""
N_LINES = 5000
N_FIRST = 50
"""Waveforms of an earlier session's file that are read at once, to be laid over each other."""
KEPT_RUNS, KEPT_BYTES = 12, 400_000_000
"""Rows of so many runs, and of so many bytes, stay in memory; beyond, those not looked at for longest go."""
CUT_FIGURES = "figures of the cuts"
DRAW_S = 0.002
"""Views are redrawn on one tick until this much time is gone; painting comes on top."""

logger = logging.getLogger("pygama_gui")


class Drawn(Protocol):
    """What the tick redraws."""

    def isVisible(self) -> bool: ...  # noqa: N802  (Qt's name)

    def draw_if_due(self) -> None: ...


class LiveRun:
    """What is known of one run's data: columns of all rows so far, and the newest sample waveforms."""

    def __init__(self, calibrations: tuple[Calibration, ...] = ()) -> None:
        self.columns = LiveColumns()
        self.calibrations = calibrations
        """What energies are made with, as rows come."""
        self.samples = SampleRing()
        self.channels: list[int] = []
        """Codes of the channels that have rows."""
        self.tier1: Path | None = None
        """The finished Tier 1 file."""
        self._times = (math.inf, -math.inf)
        """The earliest and the latest event."""

    def take(self, partial: Partial) -> None:
        """Keep the rows and waveforms of a message."""
        self.take_columns(partial.columns)
        self.samples.take(partial)

    @property
    def n_bytes(self) -> int:
        """What it takes in memory, about."""
        return self.columns.n_bytes + self.samples.n_bytes

    @property
    def duration_s(self) -> float:
        """From the first event to the last, by the cards' clock; 0 where it is not known."""
        span = self._times[1] - self._times[0]
        return span if span > 0 and math.isfinite(span) else 0.0

    def take_columns(self, columns: Mapping[str, np.ndarray]) -> None:
        """Keep rows, with the codes of their channels."""
        if "time_s" in columns:
            times = np.asarray(columns["time_s"], float)
            known = times[np.isfinite(times)]
            if len(known):
                first, last = self._times
                self._times = (min(first, float(known.min())), max(last, float(known.max())))
        codes = codes_of(columns)
        columns = {**columns, **all_energies(self.calibrations, columns, codes)}
        if codes is None:
            self.columns.append(columns)
            return
        self.columns.append({**columns, CODE: codes})
        new = set(np.unique(codes[codes >= 0]).tolist()) - set(self.channels)
        if new:
            self.channels = sorted({*self.channels, *new})

    def calibrated(
        self, calibrations: tuple[Calibration, ...], energies: Mapping[str, np.ndarray], n_rows: int
    ) -> LiveRun:
        """Give the run with other energies, which are known of the first `n_rows`: data that begin anew."""
        made = LiveRun(calibrations)
        made.samples, made.channels, made.tier1, made._times = (
            self.samples,
            self.channels,
            self.tier1,
            self._times,
        )
        rest = self.snapshot(calibrations, n_rows)
        codes = self.columns.column(CODE, n_rows) if CODE in self.columns else None
        new = all_energies(calibrations, rest, codes)
        whole = {
            name: np.concatenate([values, new[name]]) if len(new[name]) else values
            for name, values in energies.items()
        }
        before = [one.energy_column for one in self.calibrations]
        made.columns = self.columns.with_columns(whole, without=before)
        return made

    def snapshot(self, calibrations: Iterable[Calibration], start: int = 0) -> dict[str, np.ndarray]:
        """Give the columns that calibrations need, as they stand now, from a row on."""
        names = {one.column for one in calibrations}
        return {name: self.columns.column(name, start) for name in names if name in self.columns}


class Bridge(QObject):
    """The session, the jobs and their data, for the views."""

    session_changed = pyqtSignal(object, object)
    jobs_changed = pyqtSignal(object)
    """Ids of the runs whose jobs have told something."""
    data_grew = pyqtSignal(object)
    """Ids of the runs that have new rows or waveforms, or whose data begin anew."""
    logged = pyqtSignal(str, str)
    """A line for the log, and its level: 'info', 'warning' or 'error'."""
    went_wrong = pyqtSignal(str, str, str)
    """A sentence for the banner, its details, and the id of the run that it is about, where it is."""
    started = pyqtSignal(object)
    """Ids of the runs that were started."""
    all_ended = pyqtSignal()
    """No job is waiting or running any more."""
    disk_known = pyqtSignal(object)
    came = pyqtSignal(object)
    """Runs that are new in the folder that is watched, as a list of NewRun."""
    halted = pyqtSignal(str, object)
    """A sentence about runs that were paused because the disk is nearly full, and their ids."""
    _came_back = pyqtSignal(object, object, object)

    def __init__(self, store: Store | None = None, runner: JobRunner | None = None) -> None:
        super().__init__()
        self.store = store or Store()
        self.runner = runner or JobRunner(limit=self.store.session.n_jobs)
        self.board = JobBoard()
        self.data: dict[str, LiveRun] = {}
        self._demo_folder = places.demo_folder()
        self._job_ids = count(1)
        self._job_of: dict[str, int] = {}
        self._run_of: dict[int, str] = {}
        self._spec_of: dict[int, JobSpec] = {}
        self._stop_search: dict[int, Event] = {}
        self.lines: deque[str] = deque(maxlen=N_LINES)
        """The newest lines of the log."""
        self._looked_for: set[tuple[str, Path, str]] = set()
        self._noted: dict[int, Note] = {}
        self._due: dict[int, Drawn] = {}
        self._tier1: tuple[LiveRun, Tier1Waveforms] | None = None
        self._n_ticks = 0
        self._is_closed = False
        self.at_close: list[Callable[[], None]] = []
        """What lets go of files, called when nobody reads any more."""
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read files")
        self._computer = ThreadPoolExecutor(1, thread_name_prefix="compute")
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="look at disk")
        self._is_looking = False
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="find record")
        self._counter = ThreadPoolExecutor(1, thread_name_prefix="count")
        self._tallier = ThreadPoolExecutor(1, thread_name_prefix="tally cuts")
        self._indexes = Indexes()
        self._counting = Counting(
            lambda work, then, otherwise: self._submit_to(self._counter, work, then, otherwise),
            self._indexes,
        )
        # Aside, that no view waits for them.
        self._tallying = Counting(
            lambda work, then, otherwise: self._submit_to(self._tallier, work, then, otherwise),
            self._indexes,
        )
        self._preparing: set[tuple[int, str, int]] = set()
        self.fitting = Fitting(self)
        # Queued: what is done at once must not be handed over in the middle of asking for it.
        self._came_back.connect(  # type: ignore[call-arg]
            lambda then, otherwise, future: self._finish(then, otherwise, future),
            Qt.ConnectionType.QueuedConnection,
        )
        self.store.listeners.append(self.session_changed.emit)
        self.session_changed.connect(self._look_at_session)
        self._folder: FolderWatch | None = None
        self._watch_problem = ""
        self._watch_timer = QTimer(self)
        self._watch_timer.setSingleShot(True)
        self._watch_timer.setInterval(WATCH_MS)
        self._watch_timer.timeout.connect(self._look_again)
        self.timer = QTimer(self)
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self.tick)

    @property
    def session(self) -> Session:
        """The present session."""
        return self.store.session

    @property
    def is_closed(self) -> bool:
        """Whether the program is ending."""
        return self._is_closed

    def change(self, change: Callable[..., Session], *args: Any, merge: str = "") -> None:
        """Change the session."""
        self.store.change(change, *args, merge=merge)

    def warm_up(self) -> None:
        """Get ready: a spare worker, the modules that read files, and what earlier sessions made or left."""
        self.runner.warm_up()
        self.in_background(import_readers, lambda _nothing: None)
        if (folder := self.session.output_dir) is not None:
            self.in_background(lambda: remove_orphans(folder), self._log_removed)
        self._look_for_outputs()
        if self.session.watched is not None:
            self._watch()

    # Jobs

    def start(self, runs: Iterable[Run], output_dir: Path, *, follow: bool = False) -> None:
        """Process runs with the present settings; runs that are under way are left alone.

        follow: files that still grow are followed until they are finished.
        """
        session = self.session
        idle = [run for run in runs if not self.is_active(run.run_id)]
        for run in idle:
            tier0, chain = dict(session.tier0), session.to_chain()
            threads = threads_for(session.n_jobs)
            spec = JobSpec(
                run.path,
                output_dir,
                tier0,
                chain,
                suffix=run.suffix,
                plugins=_plugins_of(session),
                skip=run.skip,
                n_threads=threads,
                follow_s=PATIENCE_S if follow else None,
            )
            self._submit(run, spec)
        self.board.line_up(self.runner.waiting)
        self.started.emit({run.run_id for run in idle})
        self._announce([run.run_id for run in self.session.runs])
        self.timer.start()

    def pause(self, run_id: str) -> None:
        """Pause a run, or let it go on."""
        state = self.state(run_id)
        if state is None:
            return
        job_id = self._job_of[run_id]
        if state.state == "paused":
            self.runner.resume(job_id)
            self.board.resume(job_id, time.monotonic())
        elif state.state == "running":
            self.runner.pause(job_id)
            self.board.pause(job_id, time.monotonic())
        self._announce([run_id])

    def stop(self, run_id: str) -> None:
        """Stop a run that is waiting or under way."""
        if self.is_active(run_id):
            self.runner.stop(self._job_of[run_id])
            self.timer.start()

    # Room on the disk

    def look_for_room(
        self, runs: Sequence[Run], folder: Path, then: Callable[[int | None, Need], None]
    ) -> None:
        """Look how much room a folder has and what runs may need beside those under way there."""
        raw_bytes = sum(run.size_bytes for run in runs)
        done = []
        for run in self.session.runs:
            state = self.state(run.run_id)
            if state is not None and state.state == "done":
                done.append((run.size_bytes, state.outputs))
            elif self.is_active(run.run_id) and self.folder_of(run) == folder and run not in runs:
                raw_bytes += run.size_bytes
        self._submit_to(
            self._disk,
            lambda: (free_bytes(folder), need_of(raw_bytes, done)),
            lambda found: then(*found),
            lambda: None,
        )

    def look_at_disk(self) -> None:
        """Ask how much room the output folder has; a network disk may take its time."""
        if (folder := self.session.output_dir) is not None:
            self._submit_to(self._disk, lambda: free_bytes(folder), self.disk_known.emit, lambda: None)

    def _watch_room(self) -> None:
        """Ask how much room there is where jobs are writing, unless the last answer is still to come."""
        folders = {self._spec_of[job_id].output_dir for job_id in self._writing()}
        if folders and not self._is_looking:
            self._is_looking = True
            self._submit_to(
                self._disk,
                lambda: {folder: free_bytes(folder) for folder in folders},
                self._halt_where_full,
                lambda: None,
            )

    def _writing(self) -> list[int]:
        return [job_id for job_id in self.runner.running if job_id in self._spec_of]

    def _halt_where_full(self, free: Mapping[Path, int | None]) -> None:
        """Pause the jobs that write where hardly any room is left; nothing is lost."""
        self._is_looking = False
        halted = []
        for job_id in self._writing():
            room = free.get(self._spec_of[job_id].output_dir)
            if room is None or room >= FLOOR_BYTES or self.board[job_id].state != "running":
                continue
            self.runner.pause(job_id)
            why = f"{room / 1e6:.0f} MB left on the output disk; make room, then go on"
            self.board.pause(job_id, time.monotonic(), why)
            halted.append(self._run_of[job_id])
        for run_id in halted:
            self.log(f"{self.name_of(run_id)}: paused: {self.board[self._job_of[run_id]].halted}", "warning")
        if halted:
            names = ", ".join(map(self.name_of, halted))
            self.halted.emit(f"{names}: paused: {self.board[self._job_of[halted[0]]].halted}", halted)
            self._announce(halted)

    # The folder that is watched

    def _watch(self) -> None:
        """Begin to watch the folder of the session, or end it."""
        self._watch_timer.stop()
        self._folder = None if self.session.watched is None else FolderWatch(self.session.watched)
        if self._folder is not None:
            self._look_into(self._folder)

    def _look_again(self) -> None:
        if self._folder is not None:
            self._look_into(self._folder)

    def _look_into(self, folder: FolderWatch) -> None:
        """Look for new runs in the reading thread, and again when that is done and some time has passed."""
        if folder is self._folder:
            self._submit_to(
                self._reader, lambda: _new_runs(folder), lambda new: self._take_new(folder, new), lambda: None
            )

    def _take_new(self, folder: FolderWatch, new: list[NewRun] | str) -> None:
        if folder is not self._folder:
            return
        if isinstance(new, str):
            if new != self._watch_problem:
                self.log(f"{folder.folder} cannot be watched for now: {new}", "warning")
            self._watch_problem = new
        elif new:
            self.came.emit(new)
        if not isinstance(new, str):
            self._watch_problem = ""
        self._watch_timer.start()

    # The queue

    def queue(self) -> list[str]:
        """Give the ids of the runs that wait, in the order in which they will be processed."""
        return [self._run_of[job_id] for job_id in self.runner.waiting if job_id in self._run_of]

    def is_waiting(self, run_id: str) -> bool:
        """Tell whether a run waits for its turn."""
        state = self.state(run_id)
        return state is not None and state.state == "waiting"

    def place_in_queue(self, run_id: str, place: int) -> None:
        """Put a run that waits at a place among those that wait, 0 being the next."""
        if self.is_waiting(run_id):
            self.runner.move(self._job_of[run_id], place)
            self._line_up()

    def move_in_queue(self, run_id: str, by: int) -> None:
        """Put a run that waits so many places later, or earlier."""
        queue = self.queue()
        if run_id in queue:
            self.place_in_queue(run_id, max(queue.index(run_id) + by, 0))

    def go_on(self, run_ids: Iterable[str]) -> None:
        """Let those of the runs go on that are paused."""
        for run_id in run_ids:
            state = self.state(run_id)
            if state is not None and state.state == "paused":
                self.pause(run_id)

    def pause_all(self) -> None:
        """Pause all runs that are under way; let all go on where each is paused."""
        states = {run_id: self.state(run_id) for run_id in self.active()}
        wanted = "running" if any(one and one.state == "running" for one in states.values()) else "paused"
        for run_id, state in states.items():
            if state is not None and state.state == wanted:
                self.pause(run_id)

    def _line_up(self) -> None:
        """Tell the jobs that wait their places."""
        moved = self.board.line_up(self.runner.waiting)
        if moved:
            self._announce({self._run_of[job_id] for job_id in moved})

    # The record that ends a worker

    def find_record(self, run_id: str) -> None:
        """Search the record that ended the worker of a run, in a thread of its own."""
        state = self.state(run_id)
        if state is None or state.ended_after is None or state.search == "under way":
            return
        job_id, after = state.job_id, state.ended_after
        spec, target = self._spec_of[job_id], self.runner.target
        stopped = self._stop_search[job_id] = Event()
        self.board.search(job_id)
        self.log(f"{self.name_of(run_id)}: searching for the record that ended the worker…")
        self._announce([run_id])
        self._submit_to(
            self._searcher,
            lambda: search(spec, after, stopped.is_set, target),
            lambda found: self._take_culprit(job_id, found),
            lambda: self._take_culprit(job_id, None),
        )

    def stop_search(self, run_id: str) -> None:
        """End the search for a record."""
        state = self.state(run_id)
        if state is not None and state.job_id in self._stop_search:
            self._stop_search[state.job_id].set()

    def save_bundle(self, run_id: str, path: Path) -> None:
        """Write what is known of a crash into a zip."""
        state, name = self.state(run_id), self.name_of(run_id)
        if state is None or state.job_id not in self._spec_of:
            return
        spec = self._spec_of[state.job_id]
        about = (name, spec.path.name)
        lines = [line for line in self.lines if any(word in line for word in about)]
        self.in_background(
            lambda: write_bundle(
                path, spec, state.text, details=state.details, culprit=state.culprit, log=lines
            ),
            lambda saved: self.log(f"{name}: saved the crash bundle as {saved}"),
        )

    def _take_culprit(self, job_id: int, found: FoundRecord | None) -> None:
        run_id, is_stopped = self._run_of[job_id], self._stop_search.pop(job_id).is_set()
        name = self.name_of(run_id)
        if found is None or is_stopped:
            self.board.end_search(job_id, "stopped")
            self.log(f"{name}: the search for the record was ended")
        else:
            kind: Search = "none" if found.culprit is None else "found"
            self.board.end_search(job_id, kind, found.culprit, found.text)
            self.log(f"{name}: {found.text}", "error")
            if self._job_of.get(run_id) == job_id:
                state = self.board[job_id]
                self.went_wrong.emit(f"{name}: {state.text}", state.details, run_id)
        self._announce([run_id])

    def stop_following(self, run_id: str) -> None:
        """Follow the file of a run no longer; what has come so far is kept in whole files."""
        state = self.state(run_id)
        if state is not None and state.follows and self.is_active(run_id):
            self.board.resume(state.job_id, time.monotonic())
            self.runner.finish(state.job_id)
            self.timer.start()

    def followed(self) -> list[str]:
        """Give the ids of the runs whose files are followed."""
        states = ((run_id, self.state(run_id)) for run_id in self.active())
        return [run_id for run_id, state in states if state is not None and state.follows]

    def stop_all(self) -> None:
        """Stop all runs that are waiting or under way."""
        for run_id in reversed(self.active()):
            self.stop(run_id)

    def folder_of(self, run: Run) -> Path | None:
        """Give the folder for the files of a run; None before one was chosen."""
        return self._demo_folder if run.path.parent == self._demo_folder else self.session.output_dir

    def state(self, run_id: str) -> JobState | None:
        """Give the state of the newest job of a run; None where there was none."""
        job_id = self._job_of.get(run_id)
        return None if job_id is None else self.board[job_id]

    def is_active(self, run_id: str) -> bool:
        """Tell whether a run is waiting or under way."""
        state = self.state(run_id)
        return state is not None and state.state in ("waiting", "running", "paused")

    def active(self) -> list[str]:
        """Give the ids of the runs that are waiting or under way."""
        return [run_id for run_id in self._job_of if self.is_active(run_id)]

    def live(self, run_id: str) -> LiveRun | None:
        """Give what is known of a run's data; None before its first job."""
        return self.data.get(run_id)

    def rows_of(self, run_id: str, names: Iterable[str]) -> Rows:
        """Give columns of a run as they stand now; those that it does not have are left out."""
        live = self.live(run_id)
        if live is None:
            return {}
        return {name: live.columns.column(name) for name in names if name in live.columns}

    def count(self, owner: str, run_id: str, wants: Sequence[Want], then: Answer) -> None:
        """Have histograms of a run counted under the present cuts, then hand them to `then`, in order.

        owner: who asks; what it asked before and did not get yet is forgotten. None stands for a histogram
        of a column that the run does not have. Nothing is told of a run that has no data yet.
        """
        live = self.live(run_id)
        if live is None:
            return
        cuts = passing_of(self.session)
        names = {CODE}.union(*(want.columns for want in wants), () if cuts is None else cuts.columns)
        self._counting.ask(owner, live, self.rows_of(run_id, names), cuts, wants, then)

    def count_cuts(self, run_id: str, peak: Peak | None, then: Callable[[Figures], None]) -> None:
        """Have it counted what each cut does to a run; no view waits for it."""
        live = self.live(run_id)
        if live is None:
            return
        cuts, _ = readable(self.session.cuts)
        columns = {CODE, *live.columns.names[:1], *cuts.columns, *([] if peak is None else [peak.column])}
        rows = self.rows_of(run_id, columns)
        self._tallying.work(CUT_FIGURES, lambda counter: counter.figures(live, rows, cuts, peak), then)
        if not self.is_active(run_id):
            for cut in cuts:
                self._prepare_drag(live, interval_of(cut, rows), rows)

    def _prepare_drag(self, live: LiveRun, interval: Interval | None, rows: Rows) -> None:
        """Make an index of the column of a range, so that its edges can be dragged among very many rows."""
        if interval is None or not self._indexes.are_needed(live, interval.column, len(live.columns)):
            return
        column = interval.column
        if (key := (id(live), column, len(live.columns))) not in self._preparing:
            self._preparing.add(key)
            self.compute(
                lambda: self._indexes.prepare(live, column, rows[column]),
                lambda _nothing: self._preparing.discard(key),
                lambda: None,
            )

    def count_each(
        self,
        owner: str,
        run_id: str,
        names: Sequence[str],
        wants: Sequence[Want],
        then: Callable[[list[WithAndWithout]], None],
    ) -> None:
        """Have histograms of a run counted with each of some cuts and without it, all others as they are.

        names: of the cuts, switched on or not. owner, then: as in `count`.
        """
        live = self.live(run_id)
        if live is None:
            return
        both = [(self._cuts_with(name, is_on=True), self._cuts_with(name, is_on=False)) for name in names]
        read = {CODE}.union(*(want.columns for want in wants))
        rows = self.rows_of(run_id, read.union(*(one.columns for pair in both for one in pair if one)))

        def work(counter: Counter) -> list[WithAndWithout]:
            return [
                (counter.count(live, rows, with_it, wants), counter.count(live, rows, without, wants))
                for with_it, without in both
            ]

        self._counting.work(owner, work, then)

    def _cuts_with(self, name: str, *, is_on: bool) -> Passing | None:
        return joined(
            tuple(replace(cut, enabled=is_on) if cut.name == name else cut for cut in self.session.cuts)
        )

    @property
    def is_counting(self) -> bool:
        """Whether something waits to be counted, or is being counted."""
        return not (self._counting.is_idle and self._tallying.is_idle and not self._preparing)

    def count_first(self, owner: str) -> None:
        """Serve the view under the hand before all others, and draw more often; '' ends it.

        owner: how the names begin under which it asks.
        """
        self._counting.first = owner
        self.timer.setInterval(HAND_TICK_MS if owner else TICK_MS)

    # The tick

    def tick(self) -> None:
        """Hear the workers, then redraw what is due."""
        self._hear()
        self._draw()
        self._n_ticks += 1
        if self._n_ticks % DISK_EVERY_TICKS == 1:
            self.look_at_disk()
        if self._n_ticks % ROOM_EVERY_TICKS == 1:
            self._watch_room()
        if not self.runner.busy and not self._due:
            self.timer.stop()

    def _draw(self) -> None:
        """Redraw what is due; what would take too long is left for the next tick, first in line."""
        end = time.perf_counter() + DRAW_S
        while self._due and time.perf_counter() < end:
            view = self._due.pop(next(iter(self._due)))
            if view.isVisible():
                view.draw_if_due()

    def redraw_soon(self, view: Drawn) -> None:
        """Redraw a view on the next tick; at the next turn of the loop while something is dragged."""
        self._due.setdefault(id(view), view)
        if not self.timer.isActive():
            self.timer.start()
        if self._counting.first:
            QTimer.singleShot(0, self._draw)  # a hand feels the wait for the tick

    def take(self, job_id: int, message: Message) -> str:
        """Take one message of a job; gives the id of its run."""
        run_id = self._run_of[job_id]
        if isinstance(message, Partial):
            self.data[run_id].take(message)
        else:
            self.board.apply(job_id, message, time.monotonic())
            self._log(job_id, run_id, message)
        return run_id

    def _hear(self) -> None:
        heard = self.runner.hear()
        if not heard:
            return
        told = {self.take(job_id, message) for job_id, message in heard}
        told |= {self._run_of[job_id] for job_id in self.board.line_up(self.runner.waiting)}
        grew = {self._run_of[job_id] for job_id, message in heard if isinstance(message, Partial | Done)}
        self._announce(told)
        if grew:
            self.data_grew.emit(grew)
        if any(isinstance(message, Done) for _, message in heard):
            self._let_go()
        is_end = any(isinstance(message, Done | Failed | StoppedByRequest) for _, message in heard)
        if is_end and not self.active():
            self.all_ended.emit()

    def _submit(self, run: Run, spec: JobSpec) -> None:
        job_id = next(self._job_ids)
        self.adopt(job_id, run, follows=spec.follow_s is not None)
        self._spec_of[job_id] = spec
        self.runner.submit(job_id, spec)

    def adopt(self, job_id: int, run: Run, *, follows: bool = False) -> None:
        """Make a job the present one of a run; its data begin anew."""
        before = self.state(run.run_id)
        failure = "" if before is None else (before.text if before.state == "failed" else before.earlier)
        self._job_of[run.run_id] = job_id
        self._run_of[job_id] = run.run_id
        if before is not None and before.state == "done":
            failure = ""
        self.board.add(job_id, run.path, earlier=failure, follows=follows)
        self.data[run.run_id] = LiveRun(self._calibrations_of(run.run_id))
        self.data_grew.emit({run.run_id})

    def _announce(self, run_ids: Iterable[str]) -> None:
        self.jobs_changed.emit(set(run_ids))

    def _log(self, job_id: int, run_id: str, message: Message) -> None:
        name = self.name_of(run_id)
        if isinstance(message, Note):
            if self._noted.get(job_id) != message:
                self.log(f"{name}: {message.text}", message.level)
            self._noted[job_id] = message
        elif isinstance(message, Done):
            self.data[run_id].tier1 = _tier1_among(message.outputs)
            self._forget_overwritten(run_id, message.outputs)
            self.log(f"{name}: {state_sentence(self.board[job_id])}")
        elif isinstance(message, Failed):
            self.log(f"{name}: {message.text}", "error")
            self.went_wrong.emit(f"{name}: {message.text}", message.details, run_id)
        elif isinstance(message, StoppedByRequest):
            self.log(f"{name}: stopped; no output was changed", "warning")

    def name_of(self, run_id: str) -> str:
        """Name a run by its number, and by its file where several have the number."""
        run = self.session.run(run_id)
        if run is None:
            return "Run"
        is_alone = sum(other.run_number == run.run_number for other in self.session.runs) == 1
        return f"Run {run.run_number}" if is_alone else f"Run {run.run_number} ({run.path.name})"

    def names(self, codes: Iterable[int]) -> list[str]:
        """Name channels by their detectors, where the channel map knows them."""
        return names_of(codes, self.session.channel_map.channels)

    def shown(self, codes: Iterable[int]) -> list[int]:
        """Leave out the channels that the channel map says to ignore."""
        return without_ignored(codes, self.session.channel_map.channels)

    def _forget_overwritten(self, run_id: str, outputs: Iterable[Path]) -> None:
        """Forget what is known of runs whose files now hold another one."""
        for other in [other for other in self._job_of if other != run_id and not self.is_active(other)]:
            if set(outputs) & set(self.board[self._job_of[other]].outputs):
                self.log(f"{self.name_of(other)}: its files were replaced by those of {self.name_of(run_id)}")
                self._job_of.pop(other)
                self.data.pop(other, None)
                self._announce([other])
                self.data_grew.emit({other})

    # Files of earlier sessions

    def _look_at_session(self, old: Session, new: Session) -> None:
        before, after = ((one.runs, one.output_dir, one.selected, one.spectrum.others) for one in (old, new))
        if before != after:
            self._look_for_outputs()
        if old.watched != new.watched:
            self._watch()
        if old.calibrations is not new.calibrations:
            for run_id in tuple(self.data):
                self._calibrate(run_id)
        if old.channel_map is not new.channel_map:
            self.data_grew.emit(set(self.data))
        if new.n_jobs != self.runner.limit:
            self.runner.allow(new.n_jobs)
            self._line_up()

    def _look_for_outputs(self) -> None:
        """Look for files of runs that were not processed in this session, and show those of the selected."""
        for run in self.session.runs:
            if run.run_id not in self._job_of and (folder := self.folder_of(run)) is not None:
                self._look_for(run, folder)
        self._load_shown()

    @property
    def looked_at(self) -> tuple[str, ...]:
        """Ids of the runs that the views show."""
        return self.session.selected, *self.session.spectrum.others

    def _load_shown(self) -> None:
        for run_id in self.looked_at:
            if run_id in self.data:
                self.data[run_id] = self.data.pop(run_id)  # the last one that goes
            self._load(run_id)
        self._let_go()

    def _let_go(self) -> None:
        """Let go of rows of runs not looked at for longest; the finished files can be read again."""
        n_bytes = sum(live.n_bytes for live in self.data.values())
        for run_id in tuple(self.data):
            if len(self.data) <= KEPT_RUNS and n_bytes <= KEPT_BYTES:
                return
            state = self.state(run_id)
            if run_id not in self.looked_at and state is not None and state.state == "done" and state.outputs:
                n_bytes -= self.data.pop(run_id).n_bytes

    def _load(self, run_id: str) -> None:
        """Read the files of a finished run, unless its rows are there."""
        state = self.state(run_id)
        if state is not None and state.state == "done" and state.outputs and run_id not in self.data:
            calibrations = self._calibrations_of(run_id)
            self.data[run_id] = LiveRun(calibrations)
            self.in_background(
                lambda: self._read_outputs(state, calibrations),
                lambda live: self._show_read(run_id, state, live),
            )

    def _look_for(self, run: Run, folder: Path) -> None:
        key = (run.run_id, folder, run.suffix)
        if key not in self._looked_for:
            self._looked_for.add(key)
            self.in_background(lambda: find_outputs(run, folder), lambda found: self._take_found(run, found))

    def _take_found(self, run: Run, found: Outputs | None) -> None:
        if found is None or run.run_id in self._job_of or self.session.run(run.run_id) is None:
            return
        job_id = next(self._job_ids)
        self._job_of[run.run_id], self._run_of[job_id] = job_id, run.run_id
        self.board.restore(job_id, run.path, found.paths, found.n_rows, found.made_on)
        self._announce([run.run_id])
        self._load_shown()

    def _read_outputs(self, state: JobState, calibrations: tuple[Calibration, ...]) -> LiveRun:
        """Read the rows of the files of an earlier session, and its first waveforms."""
        live = LiveRun(calibrations)
        live.tier1 = _tier1_among(state.outputs)
        for columns in read_columns(state.outputs[-1]) if state.rows else ():
            live.take_columns(columns)
            if self._is_closed:
                return live
        if live.tier1 is not None:
            waveforms = Tier1Waveforms(live.tier1)
            for place in range(min(waveforms.count(), N_FIRST)):
                live.samples.add(waveforms.sample(place))
            waveforms.close()
        return live

    def _show_read(self, run_id: str, state: JobState, live: LiveRun) -> None:
        if self.state(run_id) is state:
            self.data[run_id] = live
            self.data_grew.emit({run_id})
            self._calibrate(run_id)

    # Energies

    def _calibrations_of(self, run_id: str) -> tuple[Calibration, ...]:
        return calibrations_of(self.session, self.session.run(run_id))

    def _calibrate(self, run_id: str) -> None:
        """Make the energies of a run as the session says, in a thread, unless they are so already."""
        live, wanted = self.live(run_id), self._calibrations_of(run_id)
        if live is None or live.calibrations == wanted:
            return
        n_rows, columns = len(live.columns), live.snapshot(wanted)
        codes = live.columns.column(CODE) if CODE in live.columns else None

        def show(energies: dict[str, np.ndarray]) -> None:
            if self.live(run_id) is live and self._calibrations_of(run_id) == wanted:
                self.data[run_id] = live.calibrated(wanted, energies, n_rows)
                self.data_grew.emit({run_id})
            else:
                self._calibrate(run_id)

        self.compute(lambda: all_energies(wanted, columns, codes), show, lambda: None)

    def _log_removed(self, removed: list[Path]) -> None:
        if removed:
            names = ", ".join(path.name for path in removed)
            self.log(f"Removed what a program that ended early had left: {names}")

    # The rest

    def log(self, text: str, level: str = "info") -> None:
        """Write a line to the log."""
        self.lines.append(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {level}: {text}")
        logger.log({"info": logging.INFO, "warning": logging.WARNING}.get(level, logging.ERROR), text)
        self.logged.emit(text, level)

    def in_background(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None] = lambda: None,
    ) -> None:
        """Do work that reads files in the one thread for it, then hand its result to `then` in this one.

        otherwise: called if the work went wrong, which the banner tells.
        """
        self._submit_to(self._reader, work, then, otherwise)

    def compute(
        self, work: Callable[[], Any], then: Callable[[Any], None], otherwise: Callable[[], None]
    ) -> None:
        """Do work that takes long and reads nothing in a thread, as `in_background` does with files."""
        self._submit_to(self._computer, work, then, otherwise)

    def _submit_to(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None],
    ) -> None:
        if not self._is_closed:
            future = pool.submit(work)
            future.add_done_callback(lambda done: self._came_back.emit(then, otherwise, done))

    def _finish(
        self, then: Callable[[Any], None], otherwise: Callable[[], None], future: Future[Any]
    ) -> None:
        if future.cancelled() or self._is_closed:
            return
        error = future.exception()
        if error is not None:
            self.log(str(error), "error")
            self.went_wrong.emit(str(error), repr(error), "")
            otherwise()
            return
        then(future.result())

    def read_waveforms(
        self,
        run_id: str,
        work: Callable[[Tier1Waveforms], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None],
    ) -> None:
        """Do work with the finished Tier 1 file of a run, in the thread that reads files."""
        live = self.data[run_id]
        if live.tier1 is not None:
            self.in_background(lambda: work(self._waveforms_of(live)), then, otherwise)

    def _waveforms_of(self, live: LiveRun) -> Tier1Waveforms:
        if self._tier1 is None or self._tier1[0] is not live:
            assert live.tier1 is not None
            self._close_tier1()
            self._tier1 = (live, Tier1Waveforms(live.tier1, live.columns))
        return self._tier1[1]

    def _close_tier1(self) -> None:
        if self._tier1 is not None:
            self._tier1[1].close()
            self._tier1 = None

    def close(self) -> None:
        """End the workers and the reading thread."""
        if self._is_closed:
            return
        self._is_closed = True
        self.timer.stop()
        self._watch_timer.stop()
        for stopped in self._stop_search.values():
            stopped.set()
        self.runner.close()
        reading = (self._reader, self._computer, self._searcher, self._disk)
        for pool in (*reading, self._counter, self._tallier):
            pool.shutdown(wait=True, cancel_futures=True)
        self._close_tier1()
        for let_go in self.at_close:
            let_go()


def _plugins_of(session: Session) -> tuple[tuple[Path, str], ...]:
    from pygama.processing.plugins import plugins_of

    return tuple((one.path, one.sha256) for one in plugins_of(step.step for step in session.chain))


def _new_runs(folder: FolderWatch) -> list[NewRun] | str:
    try:
        return folder.look()
    except OSError as error:
        return error.strerror or str(error)


def _tier1_among(outputs: Iterable[Path]) -> Path | None:
    return next((path for path in outputs if path.name.startswith("t1_")), None)
