"""Joins the session and the jobs with Qt: signals, and the one timer that all drawing hangs on.

The timer runs 20 times a second while a job is under way or a view waits to be redrawn, four times while
nothing comes from runs that are followed, and not at all otherwise. Messages of the workers change state at
once; views are redrawn on the tick, hidden ones when they are shown.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from pygama.errors import FileGone
from pygama.progress import Done, Failed, Message, Note, Partial, Progress, StoppedByRequest
from pygama.utils import utc_text
from pygama_gui.data.channels import names_of, without_ignored
from pygama_gui.data.known_peaks import KnownPeaks
from pygama_gui.data.linked import Rows
from pygama_gui.data.live_run import LiveRun, tier1_among
from pygama_gui.data.outputs import Outputs
from pygama_gui.data.samples import import_readers
from pygama_gui.jobs.board import JobBoard, JobState, state_sentence
from pygama_gui.jobs.following import PATIENCE_S, PROOF_S
from pygama_gui.jobs.leftovers import remove_orphans
from pygama_gui.jobs.runner import JobRunner
from pygama_gui.jobs.spec import JobSpec, threads_for
from pygama_gui.machine.boxes import Boxes
from pygama_gui.machine.counting import Counting
from pygama_gui.machine.culprits import Culprits
from pygama_gui.machine.data_sets import DataSets
from pygama_gui.machine.fitting import Fitting
from pygama_gui.machine.gone import Gone
from pygama_gui.machine.loading import Loading
from pygama_gui.machine.rewritten import Rewritten
from pygama_gui.machine.room import DiskRoom
from pygama_gui.machine.tagging import HitTags
from pygama_gui.machine.threads import TURN_MS, Threads
from pygama_gui.machine.timing import Timing
from pygama_gui.machine.watching import Watching
from pygama_gui.session import places
from pygama_gui.session.calibration_changes import calibrations_of
from pygama_gui.session.saved import chain_of
from pygama_gui.session.state import DataSet, Run, Session
from pygama_gui.session.store import Store

TICK_MS = 50
HAND_TICK_MS = 10
"""While something is dragged."""
QUIET_TICK_MS, QUIET_TICKS = 250, 40
"""While nothing but signs of life came for so many ticks, of a run that is followed and does not grow."""
DISK_EVERY_TICKS = 200
ROOM_EVERY_TICKS = 20
N_LINES = 5000
DRAW_S = 0.002
"""Views are redrawn on one tick until this much time is gone; painting comes on top."""
HEAR_S = 0.012
"""Messages are taken on one tick until so much work is done, as where a hundred jobs are stopped at once."""
APART_S = 0.004
"""After more work than this on messages, views are redrawn in another turn, that a hand comes between."""

logger = logging.getLogger("pygama_gui")


class Drawn(Protocol):
    """What the tick redraws."""

    def is_in_sight(self) -> bool: ...

    def draw_if_due(self) -> None: ...


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
    """A sentence for the banner, its details, and what it is about: a run, by its id, or a file."""
    opening = pyqtSignal()
    """A person opens or drops files: what is said of earlier ones is stale."""
    not_taken = pyqtSignal(str, str)
    """Why a file was not taken, and the details."""
    started = pyqtSignal(object)
    """Ids of the runs that were started."""
    _woken = pyqtSignal()
    """A worker has something to be heard; from any thread."""
    all_ended = pyqtSignal()
    """No job is waiting or running any more."""

    def __init__(self, store: Store | None = None, runner: JobRunner | None = None) -> None:
        super().__init__()
        self.store = store or Store()
        self.runner = runner or JobRunner(limit=self.store.session.n_jobs)
        self.board = JobBoard()
        self.data: dict[str, LiveRun] = {}
        self._demo_folder = places.demo_folder()
        self._saved_in: Path | None = None
        """Where a person saved something last."""
        self.gone = Gone(self)
        """Files that were told to be gone; nobody is told again before they are back."""
        self._job_ids = count(1)
        self._job_of: dict[str, int] = {}
        self._run_of: dict[int, str] = {}
        self._spec_of: dict[int, JobSpec] = {}
        self.lines: deque[str] = deque(maxlen=N_LINES)
        self._heard: deque[tuple[int, Message]] = deque()
        """The newest lines of the log."""
        self._noted: dict[int, Note] = {}
        self._due: dict[int, Drawn] = {}
        self._n_ticks = self._n_quiet = 0
        self._is_hurried = False
        self.at_close: list[Callable[[], None]] = []
        """What lets go of files, called when nobody reads any more."""
        self.threads = Threads()
        self.threads.failed.connect(self._tell_failed)
        self.counting = Counting(self)
        self.fitting = Fitting(self)
        self.data_sets = DataSets(self)
        self.loading = Loading(self)
        self.boxes = Boxes(self)
        self.hit_tags = HitTags(self)
        self.timing = Timing(self)
        self.timing.known.connect(self.fitting.measure_again)
        self.watching = Watching(self)
        self.room = DiskRoom(self)
        self.rewritten = Rewritten(self)
        self.peaks = KnownPeaks()
        self.culprits = Culprits(self)
        self.store.listeners.append(self.session_changed.emit)
        self.session_changed.connect(self._look_at_session)
        self.gone.back.connect(self._show_again)
        self.timer = QTimer(self)
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self.tick)
        self._woken.connect(self._wake)  # in the thread of the window
        self.runner.woken = self._woken.emit

    @property
    def session(self) -> Session:
        """The present session."""
        return self.store.session

    @property
    def is_closed(self) -> bool:
        """Whether the program is ending."""
        return self.threads.is_closed

    def change(self, change: Callable[..., Session], *args: Any, merge: str = "") -> None:
        """Change the session."""
        self.store.change(change, *args, merge=merge)

    def warm_up(self) -> None:
        """Get ready: a spare worker, threads, modules that read files, what earlier sessions made or left."""
        self.runner.warm_up()
        self.threads.warm_up()
        self.in_background(import_readers, lambda _nothing: None)
        if (folder := self.session.output_dir) is not None:
            self.in_background(lambda: remove_orphans(folder), self._log_removed)
        self.loading.look_for_outputs()
        if self.session.watched is not None:
            self.watching.begin()

    # Jobs

    def start(
        self, runs: Iterable[Run], output_dir: Path, *, follow: bool = False, unsure: bool = False
    ) -> None:
        """Process runs with the present settings; runs that are under way are left alone.

        follow: files that still grow are followed until they are finished; unsure: so are those that may
        grow, and a file that does not is taken for finished soon.
        """
        session = self.session
        idle = [run for run in runs if not self.is_active(run.run_id)]
        tier0, chain, plugins = dict(session.tier0), session.to_chain(), _plugins_of(session)
        threads = threads_for(session.n_jobs)
        for run in idle:
            follow_s = PATIENCE_S if run.is_raw and (follow or unsure) else None
            spec = JobSpec(
                run.path if run.is_raw else run.tier1 or run.path,
                output_dir,
                tier0,
                chain,
                suffix=run.suffix,
                plugins=plugins,
                skip=run.skip,
                n_threads=threads,
                follow_s=follow_s,
                proof_s=PROOF_S if unsure and follow_s else None,
                outputs=session.outputs,
                compact=session.compact,
                save_waves=session.save_waves,
                is_tier1=not run.is_raw,
            )
            self._submit(run, spec)
        self.board.line_up(self.runner.waiting)
        self.data_grew.emit({run.run_id for run in idle})
        self.started.emit({run.run_id for run in idle})
        self.announce([run.run_id for run in self.session.runs])
        self._n_quiet = 0
        self._pace()
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
            self._let_queue_go()
        elif self.has_begun(run_id):
            self.runner.pause(job_id)
            self.board.pause(job_id, time.monotonic(), is_starting=True)
        self.announce([run_id])

    def has_begun(self, run_id: str) -> bool:
        """Tell whether a run is under way, or paused: it has a worker, which may have told nothing yet."""
        state = self.state(run_id)
        if state is None or state.has_ended:
            return False
        return state.state != "waiting" or state.job_id in self.runner.running

    def stop(self, run_id: str) -> None:
        """Stop a run that is waiting or under way."""
        if self.is_active(run_id):
            self.runner.stop(self._job_of[run_id])
            self.timer.start()

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
        """Pause all runs that are under way, and the queue with them; let all go on where each is paused.

        A run that is as good as done may end before it hears of it: the next one is not to begin then.
        """
        states = {run_id: self.state(run_id) for run_id in self.active()}
        begun = [run_id for run_id in states if self.has_begun(run_id)]
        paused = [run_id for run_id in begun if (state := states[run_id]) and state.state == "paused"]
        if len(paused) == len(begun) and (paused or self.is_held):
            self._let_queue_go()
            self.go_on(paused)
            return
        self.runner.hold()
        for run_id in begun:
            if run_id not in paused:
                self.pause(run_id)
        self.announce(self.queue())

    @property
    def is_held(self) -> bool:
        """Whether runs that wait are held back until all go on."""
        return self.runner.is_held

    def _let_queue_go(self) -> None:
        if self.runner.is_held:
            self.runner.let_go()
            self.board.line_up(self.runner.waiting)
            self.announce(self.active())
            self.timer.start()

    def _line_up(self) -> None:
        """Tell the jobs that wait their places."""
        moved = self.board.line_up(self.runner.waiting)
        if moved:
            self.announce({self._run_of[job_id] for job_id in moved})

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

    def note_saved(self, path: Path) -> None:
        """Begin where this file was saved when the next one is to be."""
        self._saved_in = path.parent

    def saving_folder(self, run: Run | None = None) -> Path:
        """Give the folder to begin in: where anything was saved last, else that of the files of a run.

        run: by default the one that is looked at. The files of the demo run lie where nobody looks for any.
        """
        run = run or self.session.selected_run
        of_run = self.session.output_dir if run is None else self.folder_of(run)
        if of_run == self._demo_folder:
            of_run = self.session.output_dir
        return self._saved_in or of_run or Path.home()

    def state(self, run_id: str) -> JobState | None:
        """Give the state of the newest job of a run; None where there was none."""
        job_id = self._job_of.get(run_id)
        return None if job_id is None else self.board[job_id]

    def is_active(self, run_id: str) -> bool:
        """Tell whether a run is waiting or under way."""
        state = self.state(run_id)
        return state is not None and state.state in ("waiting", "running", "paused")

    def spec_of(self, run_id: str) -> JobSpec | None:
        """Give what the newest job of a run was told to do; None where it was not started in this session."""
        job_id = self._job_of.get(run_id)
        return None if job_id is None else self._spec_of.get(job_id)

    def writing(self) -> dict[str, JobSpec]:
        """Give the runs whose workers are under way, and what they were told to do."""
        running = [job_id for job_id in self.runner.running if job_id in self._spec_of]
        return {self._run_of[job_id]: self._spec_of[job_id] for job_id in running}

    def halt(self, run_id: str, why: str) -> None:
        """Pause a run for a reason that it then shows."""
        job_id = self._job_of[run_id]
        self.runner.pause(job_id)
        self.board.pause(job_id, time.monotonic(), why)
        self.announce([run_id])

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

    # The tick

    def tick(self) -> None:
        """Hear the workers and redraw what is due, in another turn of the loop where much was heard."""
        began = time.thread_time()
        self._hear()
        if time.thread_time() - began < APART_S:
            self._draw()
        else:
            QTimer.singleShot(TURN_MS, self._draw)
        self._n_ticks += 1
        if self._n_ticks % DISK_EVERY_TICKS == 1:
            self.room.look()
        if self._n_ticks % ROOM_EVERY_TICKS == 1:
            self.room.watch()
        if not (self.runner.busy or self._due or self._heard):
            self.timer.stop()
        self._pace()

    def _wake(self) -> None:
        """Hear the workers though no job is under way."""
        if not self.is_closed and not self.timer.isActive():
            self.timer.start()

    def _pace(self) -> None:
        """Tick as often as there is something to do."""
        is_quiet = self._n_quiet >= QUIET_TICKS and not self._due
        wanted = HAND_TICK_MS if self._is_hurried else QUIET_TICK_MS if is_quiet else TICK_MS
        if self.timer.interval() != wanted:
            self.timer.setInterval(wanted)

    def _draw(self) -> None:
        """Redraw what is due; what would take too long is left for the next tick, first in line."""
        end = time.perf_counter() + DRAW_S
        while self._due and time.perf_counter() < end:
            view = self._due.pop(next(iter(self._due)))
            if view.is_in_sight():
                view.draw_if_due()

    def hurry(self, *, is_wanted: bool) -> None:
        """Draw more often while something is dragged."""
        self._is_hurried = is_wanted
        self._pace()

    def redraw_soon(self, view: Drawn) -> None:
        """Redraw a view on the next tick; at the next turn of the loop while something is dragged."""
        self._due.setdefault(id(view), view)
        self._pace()
        if not self.timer.isActive():
            self.timer.start()
        if self.counting.has_first:
            QTimer.singleShot(0, self._draw)  # a hand feels the wait for the tick

    def take(self, job_id: int, message: Message) -> str:
        """Take one message of a job; gives the id of its run."""
        run_id = self._run_of[job_id]
        if isinstance(message, Partial):
            self.data[run_id].take(message)
        else:
            self.board.apply(job_id, message, time.monotonic(), time.time())
            if isinstance(message, Failed | StoppedByRequest) and run_id in self.data:
                self.board.keep_rows(job_id, len(self.data[run_id].every))
            self._log(job_id, run_id, message)
        return run_id

    def _hear(self) -> None:
        self._heard += self.runner.hear()
        self._n_quiet += 1
        if not self._heard:
            return
        heard, told = self._take_heard()
        if any(not isinstance(message, Progress) for _, message in heard):
            self._n_quiet = 0
        told |= {self._run_of[job_id] for job_id in self.board.line_up(self.runner.waiting)}
        grew = {self._run_of[job_id] for job_id, message in heard if self._changes_data(job_id, message)}
        self.announce(told)
        if grew:
            self.data_grew.emit(grew)
        if any(isinstance(message, Done) for _, message in heard):
            self.loading.let_go()
        is_end = any(isinstance(message, Done | Failed | StoppedByRequest) for _, message in heard)
        if is_end and not self.active():
            self.all_ended.emit()

    def _take_heard(self) -> tuple[list[tuple[int, Message]], set[str]]:
        """Take messages until the time for them is used; gives them and the ids of their runs."""
        taken: list[tuple[int, Message]] = []
        told: set[str] = set()
        end = time.thread_time() + HEAR_S
        while self._heard and (not taken or time.thread_time() < end):
            taken.append(self._heard.popleft())
            told.add(self.take(*taken[-1]))
        return taken, told

    def _changes_data(self, job_id: int, message: Message) -> bool:
        """Tell whether there is something else to see after a message."""
        is_end = isinstance(message, Failed | StoppedByRequest)
        return isinstance(message, Partial | Done) or (is_end and self._source(job_id) is not None)

    def _source(self, job_id: int) -> Path | None:
        """Give the Tier 1 file that a job reads; None of one that reads raw data."""
        spec = self._spec_of.get(job_id)
        return spec.path if spec is not None and spec.is_tier1 else None

    def _submit(self, run: Run, spec: JobSpec) -> None:
        job_id, before = next(self._job_ids), self.live(run.run_id)
        self._adopt(job_id, run, follows=spec.follow_s is not None)
        of_file = before.tier0 if before is not None else None
        self.data[run.run_id].tier0 = of_file if spec.is_tier1 else spec.tier0
        self.data[run.run_id].chain = chain_of(spec.chain)
        self._spec_of[job_id] = spec
        self.runner.submit(job_id, spec)

    def adopt(self, job_id: int, run: Run, *, follows: bool = False) -> None:
        """Make a job the present one of a run; its data begin anew."""
        self._adopt(job_id, run, follows=follows)
        self.data_grew.emit({run.run_id})

    def _adopt(self, job_id: int, run: Run, *, follows: bool) -> None:
        before = self.state(run.run_id)
        failure = "" if before is None else (before.text if before.state == "failed" else before.earlier)
        self._job_of[run.run_id] = job_id
        self._run_of[job_id] = run.run_id
        if before is not None and before.state == "done":
            failure = ""
        self.board.add(job_id, run.path, earlier=failure, follows=follows)
        self.data[run.run_id] = LiveRun(self.calibrations_of(run.run_id))

    def announce(self, run_ids: Iterable[str]) -> None:
        """Tell the views that the jobs of runs have changed."""
        self.jobs_changed.emit(set(run_ids))

    def _log(self, job_id: int, run_id: str, message: Message) -> None:
        name = self.name_of(run_id)
        if isinstance(message, Note):
            if self._noted.get(job_id) != message:
                self.log(f"{name}: {message.text}", message.level)
            self._noted[job_id] = message
        elif isinstance(message, Done):
            self.data[run_id].tier1 = tier1_among(message.outputs, self.session.run(run_id))
            self._forget_overwritten(run_id, message.outputs)
            self.data_sets.forget_files(message.outputs)
            self.gone.found(message.outputs)
            self.rewritten.note(message.outputs)
            self.log(f"{name}: {state_sentence(self.board[job_id])}")
        elif isinstance(message, Failed):
            self._show_source(job_id, run_id)
            self.log(f"{name}: {message.text}", "error")
            self.went_wrong.emit(f"{name}: {message.text}", message.details, run_id)
        elif isinstance(message, StoppedByRequest):
            self._show_source(job_id, run_id)
            self.log(f"{name}: stopped; no output was changed", "warning")

    def _show_source(self, job_id: int, run_id: str) -> None:
        """Show the waveforms of a Tier 1 file again, where the chain did not come to its end over it."""
        if (source := self._source(job_id)) is not None:
            self.data[run_id].tier1 = source

    def name_of(self, run_id: str) -> str:
        """Name a run by its number, and by its file where several have the number."""
        run = self.session.run(run_id)
        if run is None:
            return "Run"
        if isinstance(run, DataSet):
            return run.name
        is_alone = sum(other.run_number == run.run_number for other in self.session.runs) == 1
        return run.title if is_alone else f"{run.title} ({run.path.name})"

    def names(self, codes: Iterable[int]) -> list[str]:
        """Name channels by their detectors, where the channel map knows them."""
        return names_of(codes, self.session.channel_map.channels)

    def channel_name(self, code: int, run_id: str = "") -> str:
        """Name a channel as it is named among all of a run, of the selected one where none is given."""
        live = self.live(run_id or self.session.selected)
        return self.names([*self.shown([] if live is None else live.channels), code])[-1]

    def shown(self, codes: Iterable[int]) -> list[int]:
        """Leave out the channels that the channel map says to ignore."""
        return without_ignored(codes, self.session.channel_map.channels)

    def _forget_overwritten(self, run_id: str, outputs: Iterable[Path]) -> None:
        """Forget what is known of runs whose files now hold another one."""
        run, sets = self.session.run(run_id), {one.run_id for one in self.session.data_sets}
        written = set(outputs) - (set() if run is None or run.is_raw else {run.tier1})
        others = [other for other in self._job_of if other != run_id and other not in sets]
        for other in [other for other in others if not self.is_active(other)]:
            if written & set(self.board[self._job_of[other]].outputs):
                self.log(f"{self.name_of(other)}: its files were replaced by those of {self.name_of(run_id)}")
                self._job_of.pop(other)
                self.data.pop(other, None)
                self.announce([other])
                self.data_grew.emit({other})
                self.loading.look_again(other)

    def _look_at_session(self, old: Session, new: Session) -> None:
        before, after = (
            (one.runs, one.data_sets, one.output_dir, one.selected, one.spectrum.others) for one in (old, new)
        )
        if before != after:
            self._forget_other_files(old, new)
            self.loading.look_for_outputs()
            self.rewritten.look()
        if old.watched != new.watched:
            self.watching.begin()
        # without a calibration of its own, a run takes that of the run nearest in time
        has_moved = old.runs is not new.runs or old.data_sets is not new.data_sets
        if old.calibrations is not new.calibrations or (new.calibrations and has_moved):
            for run_id in tuple(self.data):
                self.loading.calibrate(run_id)
        if old.channel_map is not new.channel_map:
            self.data_grew.emit(set(self.data))
        if new.n_jobs != self.runner.limit:
            self.runner.allow(new.n_jobs)
            self._line_up()

    def _forget_other_files(self, old: Session, new: Session) -> None:
        """Forget the rows of runs that other Tier files were given of, or taken from."""
        for run in new.runs if old.runs is not new.runs else ():
            known = old.run(run.run_id)
            is_other = known is not None and (known.tier1, known.tier2) != (run.tier1, run.tier2)
            if is_other and not self.is_active(run.run_id):
                self.loading.forget(run.run_id)
                self.forget_rows(run.run_id)

    def calibrations_of(self, run_id: str) -> tuple[Any, ...]:
        """Give what the energies of a run are made with; of a data set, those of each of its runs."""
        run = self.session.run(run_id)
        if isinstance(run, DataSet):
            return tuple(calibrations_of(self.session, one.run) for one in run.members)
        return calibrations_of(self.session, run)

    def restore(self, found: Iterable[tuple[Run, Outputs]]) -> None:
        """Show runs as processed whose files were found."""
        found = list(found)
        for run, one in found:
            self._restore(run, one.paths, one.n_rows, one.made_on, one.raw_bytes, one.warned)
        self.announce([run.run_id for run, _ in found])

    def restore_rows(self, run: Run, outputs: tuple[Path, ...], n_rows: int, made_on: float) -> None:
        """Show a data set whose rows are in files."""
        self._restore(run, outputs, n_rows, made_on)
        self.announce([run.run_id])

    def _restore(
        self,
        run: Run,
        outputs: tuple[Path, ...],
        n_rows: int,
        made_on: float,
        raw_bytes: int = 0,
        warned: tuple[str, ...] = (),
    ) -> None:
        job_id = next(self._job_ids)
        self._job_of[run.run_id], self._run_of[job_id] = job_id, run.run_id
        self.board.restore(job_id, run.path, outputs, n_rows, made_on, raw_bytes, warned)
        self.rewritten.note(outputs)

    def forget_rows(self, run_id: str) -> None:
        """Forget the rows of a data set, or of a run; its files are to be read again."""
        self._job_of.pop(run_id, None)
        self.data.pop(run_id, None)
        self.announce([run_id])
        self.data_grew.emit({run_id})

    def _log_removed(self, removed: list[Path]) -> None:
        if removed:
            names = ", ".join(path.name for path in removed)
            self.log(f"Removed what a program that ended early had left: {names}")

    # The rest

    def log(self, text: str, level: str = "info") -> None:
        """Write a line to the log."""
        self.lines.append(f"{utc_text(time.time())} {level}: {text}")
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
        self.threads.do("read files", work, then, otherwise)

    def compute(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None] = lambda: None,
    ) -> None:
        """Do work that takes long and reads nothing in a thread, as `in_background` does with files."""
        self.threads.do("compute", work, then, otherwise)

    def tell_gone(self, path: Path) -> None:
        """Tell that a file is not where it was, once until it is back."""
        self._tell_failed(FileGone(path))

    def _tell_failed(self, error: BaseException) -> None:
        about = ""
        if isinstance(error, FileGone):
            if error.path in self.gone:
                return
            self.gone.add(error.path)
            about = str(error.path)
        self.log(str(error), "error")
        cause = f"\n{error.__cause__!r}" if error.__cause__ is not None else ""
        self.went_wrong.emit(str(error), f"{error!r}{cause}", about)

    def _show_again(self, paths: set[Path]) -> None:
        """Have those views look again that lacked a file, and read the rows that could not be read."""
        for run_id, live in tuple(self.data.items()):
            state, run = self.state(run_id), self.session.run(run_id)
            is_unread = not len(live.columns) and state is not None and not paths.isdisjoint(state.outputs)
            is_unseen = state is None and live.tier1 is None and run is not None and run.tier1 in paths
            if is_unread or is_unseen:
                del self.data[run_id]
        for run in self.session.runs:
            if run.tier2 in paths:
                self.loading.forget(run.run_id)
        self.loading.look_for_outputs()
        if run_ids := {run_id for run_id, live in self.data.items() if live.tier1 in paths}:
            self.data_grew.emit(run_ids)

    def close(self) -> None:
        """End the workers and the reading thread."""
        if self.is_closed:
            return
        self.threads.is_closed = True
        self.runner.woken = lambda: None
        self.timer.stop()
        self.watching.timer.stop()
        self.gone.timer.stop()
        self.culprits.stop_all()
        self.runner.close()
        self.threads.close()
        self.loading.close()
        for let_go in self.at_close:
            let_go()


def _plugins_of(session: Session) -> tuple[tuple[Path, str], ...]:
    from pygama.processing.plugins import plugins_of

    return tuple((one.path, one.sha256) for one in plugins_of(step.step for step in session.chain))
