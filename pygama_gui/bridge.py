"""Joins the session and the jobs with Qt: signals, and the one timer that all drawing hangs on.

The timer runs 20 times a second while a job is under way or a view waits to be redrawn, and not at all
otherwise. Messages of the workers change state at once; views are redrawn on the tick, hidden ones when
they are shown.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from pygama.progress import Done, Failed, Message, Note, Partial, StoppedByRequest
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.samples import Sample, SampleRing, Tier1Waveforms, import_readers
from pygama_gui.jobs.board import JobBoard, JobState, state_sentence
from pygama_gui.jobs.runner import JobRunner
from pygama_gui.jobs.spec import JobSpec
from pygama_gui.session.state import Run, Session
from pygama_gui.session.store import Store

TICK_MS = 50
DISK_EVERY_TICKS = 200
DRAW_S = 0.002
"""Views are redrawn on one tick until this much time is gone; painting comes on top."""

logger = logging.getLogger("pygama_gui")


class Drawn(Protocol):
    """What the tick redraws."""

    def isVisible(self) -> bool: ...  # noqa: N802  (Qt's name)

    def draw_if_due(self) -> None: ...


class LiveRun:
    """What is known of one run's data: columns of all rows so far, and the newest sample waveforms."""

    def __init__(self) -> None:
        self.columns = LiveColumns()
        self.samples = SampleRing()
        self.tier1: Path | None = None
        """The finished Tier 1 file."""

    def take(self, partial: Partial) -> None:
        """Keep the rows and waveforms of a message."""
        self.columns.append(partial.columns)
        self.samples.take(partial)


class Bridge(QObject):
    """The session, the jobs and their data, for the views."""

    session_changed = pyqtSignal(object, object)
    jobs_changed = pyqtSignal(object)
    """Ids of the runs whose jobs have told something."""
    data_grew = pyqtSignal(object)
    """Ids of the runs that have new rows or waveforms, or whose data begin anew."""
    logged = pyqtSignal(str, str)
    """A line for the log, and its level: 'info', 'warning' or 'error'."""
    went_wrong = pyqtSignal(str, str)
    """A sentence for the banner, and its details."""
    all_ended = pyqtSignal()
    """No job is waiting or running any more."""
    disk_known = pyqtSignal(object)
    _came_back = pyqtSignal(object, object)

    def __init__(self, store: Store | None = None, runner: JobRunner | None = None) -> None:
        super().__init__()
        self.store = store or Store()
        self.runner = runner or JobRunner(limit=1)
        self.board = JobBoard()
        self.data: dict[str, LiveRun] = {}
        self._job_ids = count(1)
        self._job_of: dict[str, int] = {}
        self._run_of: dict[int, str] = {}
        self._due: dict[int, Drawn] = {}
        self._tier1: tuple[LiveRun, Tier1Waveforms] | None = None
        self._n_ticks = 0
        self._is_closed = False
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read files")
        self._came_back.connect(lambda then, future: self._finish(then, future))
        self.store.listeners.append(self.session_changed.emit)
        self.timer = QTimer(self)
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self.tick)

    @property
    def session(self) -> Session:
        """The present session."""
        return self.store.session

    def change(self, change: Callable[..., Session], *args: Any, merge: str = "") -> None:
        """Change the session."""
        self.store.change(change, *args, merge=merge)

    def warm_up(self) -> None:
        """Get ready for the first run: a spare worker, and the modules that read files."""
        self.runner.warm_up()
        self.in_background(import_readers, lambda _nothing: None)

    # Jobs

    def start(self, runs: Iterable[Run], output_dir: Path) -> None:
        """Process runs with the present settings; runs that are under way are left alone."""
        session = self.session
        for run in runs:
            if not self.is_active(run.run_id):
                spec = JobSpec(run.path, output_dir, dict(session.tier0), session.to_chain())
                self._submit(run, spec)
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

    # The tick

    def tick(self) -> None:
        """Hear the workers, then redraw what is due."""
        self._hear()
        self._draw()
        self._n_ticks += 1
        if self._n_ticks % DISK_EVERY_TICKS == 1:
            self.look_at_disk()
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
        """Redraw a view on the next tick."""
        self._due.setdefault(id(view), view)
        if not self.timer.isActive():
            self.timer.start()

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
        grew = {self._run_of[job_id] for job_id, message in heard if isinstance(message, Partial | Done)}
        self._announce(told)
        if grew:
            self.data_grew.emit(grew)
        is_end = any(isinstance(message, Done | Failed | StoppedByRequest) for _, message in heard)
        if is_end and not self.active():
            self.all_ended.emit()

    def _submit(self, run: Run, spec: JobSpec) -> None:
        job_id = next(self._job_ids)
        self.adopt(job_id, run)
        self.runner.submit(job_id, spec)

    def adopt(self, job_id: int, run: Run) -> None:
        """Make a job the present one of a run; its data begin anew."""
        self._job_of[run.run_id] = job_id
        self._run_of[job_id] = run.run_id
        self.board.add(job_id, run.path)
        self.data[run.run_id] = LiveRun()
        self.data_grew.emit({run.run_id})

    def _announce(self, run_ids: Iterable[str]) -> None:
        self.jobs_changed.emit(set(run_ids))

    def _log(self, job_id: int, run_id: str, message: Message) -> None:
        run = self.session.run(run_id)
        name = f"Run {run.run_number}" if run else "Run"
        if isinstance(message, Note):
            self.log(f"{name}: {message.text}", message.level)
        elif isinstance(message, Done):
            self.data[run_id].tier1 = _tier1_among(message.outputs)
            self.log(f"{name}: {state_sentence(self.board[job_id])}")
        elif isinstance(message, Failed):
            self.log(f"{name}: {message.text}", "error")
            self.went_wrong.emit(f"{name}: {message.text}", message.details)
        elif isinstance(message, StoppedByRequest):
            self.log(f"{name}: stopped; no output was changed", "warning")

    # The rest

    def log(self, text: str, level: str = "info") -> None:
        """Write a line to the log."""
        logger.log({"info": logging.INFO, "warning": logging.WARNING}.get(level, logging.ERROR), text)
        self.logged.emit(text, level)

    def in_background(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Do work that reads files in the one thread for it, then hand its result to `then` in this one."""
        if self._is_closed:
            return
        future = self._reader.submit(work)
        future.add_done_callback(lambda done: self._came_back.emit(then, done))

    def _finish(self, then: Callable[[Any], None], future: Future[Any]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            self.log(str(error), "error")
            self.went_wrong.emit(str(error), repr(error))
            return
        then(future.result())

    def read_waveform(
        self, run_id: str, place: int, channel: int | None, then: Callable[[Any], None]
    ) -> None:
        """Read a waveform of the finished Tier 1 file; `then` gets (sample or None, how many, channels)."""
        live = self.data[run_id]
        if live.tier1 is not None:
            self.in_background(lambda: self._read(live, place, channel), then)

    def _read(self, live: LiveRun, place: int, channel: int | None) -> tuple[Sample | None, int, list[int]]:
        if self._tier1 is None or self._tier1[0] is not live:
            assert live.tier1 is not None
            self._close_tier1()
            known = live.columns.column("channel") if "channel" in live.columns else None
            self._tier1 = (live, Tier1Waveforms(live.tier1, known))
        file = self._tier1[1]
        n = file.count(channel)
        return (file.sample(min(place, n - 1), channel) if n else None), n, file.channels()

    def _close_tier1(self) -> None:
        if self._tier1 is not None:
            self._tier1[1].close()
            self._tier1 = None

    def look_at_disk(self) -> None:
        """Ask how much room the output folder has; a network disk may take its time."""
        folder = self.session.output_dir
        if folder is not None:
            self.in_background(lambda: _free_bytes(folder), self.disk_known.emit)

    def close(self) -> None:
        """End the workers and the reading thread."""
        if self._is_closed:
            return
        self._is_closed = True
        self.timer.stop()
        self.runner.close()
        self._reader.shutdown(wait=True, cancel_futures=True)
        self._close_tier1()


def _tier1_among(outputs: Iterable[Path]) -> Path | None:
    return next((path for path in outputs if path.name.startswith("t1_")), None)


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
