"""Runs jobs in worker processes: starts, pauses, stops and hears them, and never waits for one.

Each job has a process of its own, so a crash takes nothing else down. A thread for each worker receives its
messages into a deque and does nothing else; everything else happens in the caller's thread, which asks with
`hear()` some 20 times a second while there is work. A spare worker that has done its imports is kept ready.

Workers are spawned, never forked: a fork takes the window's threads, locks and display with it. They are
started from the calling thread, which must be the main one: on Linux a worker dies with the thread that
started it.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from multiprocessing import connection
from multiprocessing.connection import Connection
from types import TracebackType

from pygama.progress import Done, Failed, Message, Partial, Progress, StoppedByRequest
from pygama.utils import grouped
from pygama_gui.jobs import worker
from pygama_gui.jobs.leftovers import remove_leftovers
from pygama_gui.jobs.spec import JobSpec

__all__ = ["JobRunner", "JobSpec"]

PROCESS = "pygama_gui.jobs.work:process"
"""What a worker does with a job, as 'module:function'; the function takes (spec, tell)."""
PATIENCE_S = 2.0
"""A worker that was asked to end and has not after this time is killed."""
CLOSING_S = 0.8
"""The same, when the window closes."""
CLOCK_S = 2.0
"""Times of files may be this much behind the clock."""
SPARE_AFTER_S = 1.0
"""A new spare is started when the jobs have shown something for so long, or when all have ended."""


class JobRunner:
    """Runs at most `limit` jobs at a time; the others wait in the order in which they came.

    Jobs that follow a growing file are not counted: they start at once.
    """

    def __init__(self, limit: int = 1, target: str = PROCESS, *, warm: bool = True) -> None:
        self.limit = limit
        self.target = target
        self.woken: Callable[[], None] = lambda: None
        """Called, by any thread, when a worker falls silent: `hear()` is to be asked though nothing runs."""
        self._is_warm = warm
        self._is_closed = False
        self._was_taken = False
        self._is_held = False
        self._waiting: dict[int, JobSpec] = {}
        self._running: dict[int, _Worker] = {}
        self._leaving: list[_Worker] = []
        self._spare: _Worker | None = None
        self._told: list[tuple[int, Message]] = []

    def __enter__(self) -> JobRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def busy(self) -> bool:
        """Whether there is anything that `hear()` must be asked for."""
        has_lost_spare = self._spare is not None and self._spare.has_fallen_silent
        return bool(self._told or self._waiting or self._running or self._leaving or has_lost_spare)

    @property
    def waiting(self) -> tuple[int, ...]:
        """Jobs that wait for their turn, in order."""
        return tuple(self._waiting)

    @property
    def running(self) -> tuple[int, ...]:
        """Jobs that have a worker, paused ones too."""
        return tuple(self._running)

    @property
    def is_held(self) -> bool:
        """Whether those that wait are held back although there may be room for them."""
        return self._is_held

    def warm_up(self) -> None:
        """Start the spare worker, so that the first job need not wait for imports."""
        if self._is_warm and self._spare is None and not self._is_closed:
            with contextlib.suppress(OSError):  # the job that needs a worker tells what is wrong
                self._spare = self._new_worker()

    def submit(self, job_id: int, spec: JobSpec) -> None:
        """Start a job, or let it wait when as many as allowed are running.

        Raises ValueError if a job of this number has not ended.
        """
        if self._is_closed:
            raise RuntimeError("the runner is closed and takes no jobs")
        if job_id in self._waiting or job_id in self._running:
            raise ValueError(f"job {job_id} has not ended; stop it before it is submitted again")
        self._waiting[job_id] = spec
        self._start_waiting()

    def stop(self, job_id: int) -> None:
        """Ask a job to end, or take it out of the queue; one that has ended is left alone."""
        if self._waiting.pop(job_id, None):
            self._told.append((job_id, StoppedByRequest()))
        elif job := self._running.get(job_id):
            job.stop(PATIENCE_S)

    def move(self, job_id: int, place: int) -> None:
        """Put a waiting job at a place among the waiting, 0 being the next; others are left alone."""
        if job_id not in self._waiting:
            return
        order = [other for other in self._waiting if other != job_id]
        order.insert(max(place, 0), job_id)
        self._waiting = {other: self._waiting[other] for other in order}

    def allow(self, limit: int) -> None:
        """Let so many jobs run at a time from now on; those that run go on."""
        if limit < 1:
            raise ValueError(f"one job or more must be allowed at a time, not {limit}")
        self.limit = limit
        self._start_waiting()

    def pause(self, job_id: int) -> None:
        """Let a running job halt at its next message; it keeps its place among the running."""
        if job := self._running.get(job_id):
            job.say("pause")

    def hold(self) -> None:
        """Start none of those that wait until `let_go()`, or until nothing is left to be done."""
        self._is_held = bool(self._waiting or self._running)

    def let_go(self) -> None:
        """Start those that wait again, as soon as there is room."""
        self._is_held = False
        self._start_waiting()

    def finish(self, job_id: int) -> None:
        """Let a job that follows a file end well, with what has come so far; one that waits is taken out."""
        if job := self._running.get(job_id):
            job.say("finish")
        else:
            self.stop(job_id)

    def resume(self, job_id: int) -> None:
        """Let a paused job go on."""
        if job := self._running.get(job_id):
            job.say("resume")

    def hear(self) -> list[tuple[int, Message]]:
        """Give what the jobs told since the last call, as (job, message), each job's in its order."""
        heard, self._told = self._told, []
        for job_id, job in list(self._running.items()):
            heard += [(job_id, message) for message in job.hear()]
            if job.has_ended:
                self._leaving.append(self._running.pop(job_id))
        self._let_dead_spare_go()
        self._leaving = [job for job in self._leaving if not job.is_gone()]
        self._is_held = self._is_held and bool(self._waiting or self._running)
        self._start_waiting()
        self._replace_spare()
        return heard

    def close(self) -> None:
        """End every process within about a second; nothing is left behind."""
        self._is_closed = True
        self._waiting.clear()
        workers = [*self._running.values(), *self._leaving]
        if self._spare:
            self._spare.kill()
            workers.append(self._spare)
        for job in self._running.values():
            job.stop(CLOSING_S)
        _wait_for_all(workers, CLOSING_S)
        for one in workers:
            one.bury()
        self._running, self._leaving, self._spare = {}, [], None

    def _start_waiting(self) -> None:
        while not self._is_closed and (job_id := self._next()) is not None:
            spec = self._waiting.pop(job_id)
            try:
                job = self._take_worker()
            except OSError as error:
                text = f"{spec.path.name}: no worker process could be started ({error}); end other programs"
                self._told.append((job_id, Failed(f"{text} and start the job again.")))
                continue
            job.give(spec)
            self._running[job_id] = job

    def _next(self) -> int | None:
        """Give the job to start now: the first that waits if there is room, else one that follows a file."""
        n_running = sum(not job.follows for job in self._running.values())
        has_room = n_running < self.limit and not self._is_held
        return next(
            (id_ for id_, spec in self._waiting.items() if has_room or spec.follow_s is not None), None
        )

    def _take_worker(self) -> _Worker:
        self._was_taken = True
        spare, self._spare = self._spare, None
        if spare and not spare.is_alive():
            spare.bury()
            spare = None
        return spare or self._new_worker()

    def _new_worker(self) -> _Worker:
        return _Worker(self.target, lambda: self.woken())

    def _let_dead_spare_go(self) -> None:
        if self._spare is not None and self._spare.has_fallen_silent:
            self._spare.leave()
            self._leaving.append(self._spare)
            self._spare = None

    def _replace_spare(self) -> None:
        # Imports of a new spare would delay the first spectrum of a job that has just been started.
        if self._was_taken and all(job.shown_for_s >= SPARE_AFTER_S for job in self._running.values()):
            self._was_taken = False
            self.warm_up()


class _Worker:
    """One worker process, the pipe to it and the thread that receives from it."""

    def __init__(self, target: str, woken: Callable[[], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=worker.run, args=(theirs, target), name="pygama worker", daemon=True
        )
        try:
            self.process.start()
        except OSError:
            self._pipe.close()
            raise
        finally:
            theirs.close()  # else the end of the worker would not be seen as the end of the pipe
        self._arrived: deque[Message | None] = deque()
        self._reader = threading.Thread(
            target=_receive, args=(self._pipe, self._arrived, woken), name="hear worker", daemon=True
        )
        self._reader.start()
        self._spec: JobSpec | None = None
        self._given_at = math.inf
        self._last: Progress | None = None
        self._kill_at = math.inf
        self._is_silent = False
        self._is_stopping = False
        self._shown_at = math.inf
        self.has_ended = False

    @property
    def shown_for_s(self) -> float:
        """For how long there has been something to see of the job; below 0 while there is nothing."""
        return time.monotonic() - self._shown_at

    @property
    def follows(self) -> bool:
        """Whether the job follows a file; it does little, so it takes nobody's place."""
        return self._spec is not None and self._spec.follow_s is not None

    @property
    def has_fallen_silent(self) -> bool:
        """Whether a worker without a job has ended, or will: it has nothing else to say."""
        return bool(self._arrived)

    def leave(self) -> None:
        """Let a worker without a job end."""
        self._hurry(PATIENCE_S)

    def give(self, spec: JobSpec) -> None:
        """Hand over the job."""
        self._spec = spec
        self._given_at = time.time()
        self.say(spec)

    def say(self, word: JobSpec | str | int) -> None:
        """Send to the worker; one that is dead is noticed by hear()."""
        with contextlib.suppress(OSError):
            self._pipe.send(word)

    def stop(self, patience_s: float) -> None:
        """Ask the worker to end, and kill it if it doesn't."""
        self._is_stopping = True
        self._hurry(patience_s)
        self.say("stop")

    def hear(self) -> list[Message]:
        """Give the messages that have arrived; the last of all is an ending, whatever happens."""
        messages: list[Message] = []
        while self._arrived and not self.has_ended:
            message = self._arrived.popleft()
            if message is None:
                self._is_silent = True
                self._hurry(PATIENCE_S)
            else:
                self._note(message)
                messages.append(message)
        if messages and not self.has_ended:
            self.say(len(messages))
        if not self.has_ended:
            messages += self._end_if_dead()
        return messages

    def _note(self, message: Message) -> None:
        if isinstance(message, Progress):
            self._last = message
        elif isinstance(message, Partial):
            self._shown_at = min(self._shown_at, time.monotonic())
        elif isinstance(message, Done | Failed | StoppedByRequest):
            self.has_ended = True
            self._hurry(PATIENCE_S)

    def _end_if_dead(self) -> list[Message]:
        self._kill_if_late()
        if not self._is_silent or self.is_alive():
            return []
        self.has_ended = True
        self._clean_up()
        if self._is_stopping:
            return [StoppedByRequest()]
        return [Failed(self._how_it_died(), ended_after=self._ended_after())]

    def _ended_after(self) -> int | None:
        """Give the place of the last record that was told of; a Tier 1 file has none."""
        if self._spec is not None and self._spec.is_tier1:
            return None
        return self._last.offset if self._last else 0

    def _how_it_died(self) -> str:
        name = self._spec.path.name if self._spec else "its job"
        # records are told of some hundred at a time, those of the first stretch not before its end
        place, again = f"at the beginning of {name}", "Start the job again."
        if self._spec and self._spec.is_tier1:
            place = _rows_in_doubt(self._last, name)
            again = f"Start the job again; if it ends there once more, check {name} in the panel Files."
        elif self._last:
            place = f"near byte {grouped(self._last.offset)} of {name}"
        end = exit_sentence(self.process.exitcode)
        return f"{end} {place}; no output was changed. {again}"

    def is_alive(self) -> bool:
        """Say whether the process is there; its exit code may have been taken by somebody else."""
        if self.process.exitcode is not None:
            return False
        if not connection.wait([self.process.sentinel], 0):
            return True
        self.process.join(PATIENCE_S)
        return False

    def is_gone(self) -> bool:
        """Say whether a worker that has ended has left, and clear away what it leaves."""
        self._kill_if_late()
        if self.is_alive():
            return False
        self.bury()
        return True

    def bury(self) -> None:
        """Kill the process if it lives, and free everything held for it."""
        if self.is_alive():
            self.kill()
            self.process.join(1.0)
        if not self.has_ended:
            self._clean_up()
        self._reader.join(1.0)
        if not self._reader.is_alive():
            self._pipe.close()

    def kill(self) -> None:
        """End the process and whatever it started."""
        if not self.is_alive():
            return
        if self.process.pid and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()  # it may not yet have a group of its own

    def _hurry(self, patience_s: float) -> None:
        self._kill_at = min(self._kill_at, time.monotonic() + patience_s)

    def _kill_if_late(self) -> None:
        if time.monotonic() > self._kill_at:
            self.kill()

    def _clean_up(self) -> None:
        if self._spec and self.process.pid:
            remove_leftovers(self._spec.output_dir, self.process.pid, self._given_at - CLOCK_S)


def _rows_in_doubt(last: Progress | None, name: str) -> str:
    """Say in which rows of a Tier 1 file a worker ended; threads are ahead of what was told."""
    if last is None:
        return f"at the beginning of {name}"
    if last.begun > last.rows:
        return f"in rows {grouped(last.rows + 1)} to {grouped(last.begun)} of {name}"
    return f"after row {grouped(last.rows)} of {name}"


def exit_sentence(code: int | None) -> str:
    """Say how a process ended, as the beginning of a sentence."""
    if code is None:
        return "The worker ended"
    if code >= 0:
        return f"The worker ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown to Python"
    why = ", as the system does when memory runs out," if name == "SIGKILL" else ""
    return f"The worker was ended by signal {-code} ({name}){why}"


def _receive(pipe: Connection, arrived: deque[Message | None], woken: Callable[[], None]) -> None:
    try:
        while True:
            arrived.append(pipe.recv())
    except (EOFError, OSError, pickle.UnpicklingError):
        arrived.append(None)
        woken()


def _wait_for_all(workers: list[_Worker], patience_s: float) -> None:
    end = time.monotonic() + patience_s
    sentinels = {one.process.sentinel for one in workers}
    while sentinels and (left := end - time.monotonic()) > 0:
        sentinels -= set(connection.wait(list(sentinels), left))
