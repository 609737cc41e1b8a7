"""Keeps what is known of each job, from what the workers tell: state, rate, time left, result.

Nothing here runs or waits; the time is given by the caller, in seconds of any steady clock. By the other one,
unix_s, people are told when something was warned of.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Literal

from pygama.progress import (
    CUT_SHORT,
    Done,
    Failed,
    Message,
    Note,
    Partial,
    Progress,
    Started,
    StoppedByRequest,
)
from pygama.quick_dataclass import dataclass
from pygama.utils import grouped, utc_text
from pygama_gui.jobs.culprit import Culprit

State = Literal["waiting", "running", "paused", "done", "failed", "stopped"]

Search = Literal["", "under way", "found", "none", "stopped"]

"""Stands between the thousands of a number: lines are never broken at it."""
N_WARNED = 8
OLD_S, STALE_S = 10.0, 60.0
"""Ages of the newest event of a run that is followed, in s, above which it is told in another tone."""
SMOOTHING_S = 1.5
"""Rates follow a change within about this time."""


@dataclass(frozen=True, slots=True)
class JobState:
    """All that is known of one job. Rates are of working time, pauses left out."""

    job_id: int
    path: Path
    state: State = "waiting"
    run_number: int | None = None
    sub_run: int | None = None
    decoders: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    done_bytes: int = 0
    total_bytes: int = 0
    packets: int = 0
    rows: int = 0
    events_per_s: float = 0.0
    bytes_per_s: float = 0.0
    started_at: float | None = None
    heard_at: float | None = None
    """When the counts were last known; None makes the next Progress the first of a new stretch."""
    paused_at: float | None = None
    paused_s: float = 0.0
    elapsed_s: float = 0.0
    warnings: int = 0
    """Lines for the log that were warnings or errors."""
    warned: tuple[str, ...] = ()
    """The first of these lines."""
    is_cut_short: bool = False
    """Whether the raw file ends in the middle of a record."""
    warned_at: tuple[float, ...] = ()
    """When each of them came, Unix seconds; NaN where that is not known, as of an earlier session."""
    text: str = ""
    """What went wrong, for a person."""
    details: str = ""
    """The traceback, where there is one."""
    ended_after: int | None = None
    """Where the worker ended without a word: byte offset of the last record that it told of."""
    place: int | None = None
    """Of a job that waits: how many are before it."""
    follows: bool = False
    """Whether the file still grows and is followed."""
    newest_at: float | None = None
    """When rows last came."""
    earlier: str = ""
    """Why the attempt before this one failed."""
    halted: str = ""
    """Why a job is paused, where it was not a person who paused it."""
    search: Search = ""
    """How the search for the record that ended the worker stands."""
    search_left: int | None = None
    """How many records it may still be; None where that is not known yet."""
    culprit: Culprit | None = None
    """The record that it found."""
    outputs: tuple[Path, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of each table that was written."""
    made_on: float | None = None
    """Unix seconds at which an earlier session wrote the outputs; None for a job of this one."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will be heard of it."""
        return self.state in ("done", "failed", "stopped")

    @property
    def ends_early(self) -> bool:
        """Whether it has ended, and of what was read out last some hits are missing."""
        return self.state in ("stopped", "failed") or (self.has_ended and self.is_cut_short)

    @property
    def fraction(self) -> float:
        """0 to 1; 0 where the size is not known."""
        if self.state == "done":
            return 1.0
        return min(self.done_bytes / self.total_bytes, 1.0) if self.total_bytes else 0.0

    @property
    def eta_s(self) -> float | None:
        """Time left at the present rate; None where it is not known, as once all is read."""
        if self.has_ended:
            return 0.0
        if not self.bytes_per_s or self.done_bytes >= self.total_bytes:
            return None
        return (self.total_bytes - self.done_bytes) / self.bytes_per_s

    @property
    def age_s(self) -> float | None:
        """How long ago the newest rows came, when the job was last heard; None before the first."""
        if self.newest_at is None or self.heard_at is None:
            return None
        return self.heard_at - self.newest_at

    def elapsed_at(self, now: float) -> float:
        """Working time up to now, pauses left out."""
        if self.has_ended or self.started_at is None:
            return self.elapsed_s
        return (now if self.paused_at is None else self.paused_at) - self.started_at - self.paused_s


class JobBoard:
    """The jobs by number, in the order in which they were added."""

    def __init__(self) -> None:
        self._jobs: dict[int, JobState] = {}

    def __getitem__(self, job_id: int) -> JobState:
        return self._jobs[job_id]

    def __contains__(self, job_id: int) -> bool:
        return job_id in self._jobs

    def __iter__(self) -> Iterator[JobState]:
        return iter(tuple(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job_id: int, path: Path, *, earlier: str = "", follows: bool = False) -> JobState:
        """Enter a job that waits; one of the same number is forgotten. earlier: why the last one failed."""
        return self._keep(JobState(job_id, path, earlier=earlier, follows=follows))

    def line_up(self, waiting: Sequence[int]) -> set[int]:
        """Enter the order of the jobs that wait; gives those whose place is another one now."""
        places = {job_id: place for place, job_id in enumerate(waiting)}
        moved = {job.job_id for job in self if job.place != places.get(job.job_id)}
        for job_id in moved:
            self._keep(replace(self._jobs[job_id], place=places.get(job_id)))
        return moved

    def restore(
        self,
        job_id: int,
        path: Path,
        outputs: tuple[Path, ...],
        rows: int,
        made_on: float,
        total_bytes: int = 0,
        warned: Sequence[str] = (),
    ) -> JobState:
        """Enter a job that an earlier session did, and what it warned of."""
        made = JobState(job_id, path, "done", total_bytes=total_bytes, rows=rows, outputs=outputs)
        kept = tuple(warned[:N_WARNED])
        at = (math.nan,) * len(kept)
        is_cut = any(one.startswith(CUT_SHORT) for one in warned)
        made = replace(made, warnings=len(warned), warned=kept, warned_at=at, is_cut_short=is_cut)
        return self._keep(replace(made, made_on=made_on))

    def remove(self, job_id: int) -> None:
        """Forget a job."""
        del self._jobs[job_id]

    def apply(self, job_id: int, message: Message, now: float, unix_s: float = math.nan) -> JobState:
        """Take in what a job told; after its ending only notes count."""
        return self._keep(advance(self._jobs[job_id], message, now, unix_s))

    def keep_rows(self, job_id: int, n_rows: int) -> JobState:
        """Enter how many rows there are of a job that did not come to its end.

        What its worker told last of rows came before the rows themselves, or after them.
        """
        return self._keep(replace(self._jobs[job_id], rows=n_rows))

    def pause(self, job_id: int, now: float, why: str = "", *, is_starting: bool = False) -> JobState:
        """Enter that a running job was told to halt. why: the reason, where it was not a person's wish.

        is_starting: it waits no more, and its worker has told nothing yet.
        """
        job = self._jobs[job_id]
        if job.state != "running" and not (is_starting and job.state == "waiting"):
            return job
        return self._keep(
            replace(job, state="paused", paused_at=now, elapsed_s=job.elapsed_at(now), halted=why)
        )

    def resume(self, job_id: int, now: float) -> JobState:
        """Enter that a paused job goes on."""
        job = self._jobs[job_id]
        if job.paused_at is None:
            return job
        if job.started_at is None:
            return self._keep(replace(job, state="waiting", paused_at=None, halted=""))
        paused_s = job.paused_s + now - job.paused_at
        return self._keep(
            replace(job, state="running", paused_at=None, paused_s=paused_s, heard_at=None, halted="")
        )

    def search(self, job_id: int, left: int | None = None) -> JobState:
        """Enter that the record which ended the worker is searched; left: how many it may still be."""
        return self._keep(replace(self._jobs[job_id], search="under way", search_left=left))

    def end_search(
        self, job_id: int, search: Search, culprit: Culprit | None = None, text: str = ""
    ) -> JobState:
        """Enter what a search came to, and a better sentence where there is one."""
        job = self._jobs[job_id]
        if not text:
            return self._keep(replace(job, search=search))
        details = "\n\n".join(filter(None, (job.text, job.details)))
        return self._keep(replace(job, search=search, culprit=culprit, text=text, details=details))

    def _keep(self, job: JobState) -> JobState:
        self._jobs[job.job_id] = job
        return job


def advance(job: JobState, message: Message, now: float, unix_s: float = math.nan) -> JobState:
    """Give the state that follows when a job tells a message."""
    if isinstance(message, Note):
        return _noted(job, message, unix_s)
    if job.has_ended:
        return job
    if job.started_at is None and job.state == "paused":
        job = replace(job, started_at=now, paused_at=now, heard_at=now)
    elif job.started_at is None:
        job = replace(job, state="running", started_at=now, heard_at=now)
    job = replace(job, elapsed_s=job.elapsed_at(now))
    match message:
        case Started():
            return _started(job, message)
        case Progress():
            return _progressed(job, message, now)
        case Partial():
            return job
        case Done():
            return _done(job, message)
        case Failed():
            return replace(
                job,
                state="failed",
                text=message.text,
                details=message.details,
                ended_after=message.ended_after,
            )
        case StoppedByRequest():
            return replace(job, state="stopped")


def _noted(job: JobState, message: Note, unix_s: float) -> JobState:
    if message.level == "info":
        return job
    warned, at = (*job.warned, message.text)[:N_WARNED], (*job.warned_at, unix_s)[:N_WARNED]
    is_cut = job.is_cut_short or message.text.startswith(CUT_SHORT)
    return replace(job, warnings=job.warnings + 1, warned=warned, warned_at=at, is_cut_short=is_cut)


def _started(job: JobState, message: Started) -> JobState:
    return replace(
        job,
        run_number=message.run_number,
        sub_run=message.sub_run,
        decoders=message.decoders,
        unsupported=message.unsupported,
        total_bytes=message.total_bytes,
    )


def _progressed(job: JobState, message: Progress, now: float) -> JobState:
    after = replace(
        job,
        done_bytes=message.done_bytes,
        total_bytes=message.total_bytes,
        packets=message.packets,
        rows=message.rows,
        heard_at=now,
        newest_at=now if message.rows > job.rows else job.newest_at,
    )
    seconds = 0.0 if job.heard_at is None else now - job.heard_at
    if seconds <= 0:
        return after
    return replace(
        after,
        events_per_s=_follow(job.events_per_s, (after.rows - job.rows) / seconds, seconds),
        bytes_per_s=_follow(job.bytes_per_s, (after.done_bytes - job.done_bytes) / seconds, seconds),
    )


def _follow(old: float, new: float, seconds: float) -> float:
    return old + (new - old) * -math.expm1(-seconds / SMOOTHING_S) if old else new


def _done(job: JobState, message: Done) -> JobState:
    seconds = message.elapsed_s
    return replace(
        job,
        state="done",
        done_bytes=job.total_bytes,
        rows=message.rows,
        elapsed_s=seconds,
        events_per_s=message.rows / seconds if seconds else 0.0,
        bytes_per_s=job.total_bytes / seconds if seconds else 0.0,
        outputs=message.outputs,
        counts=message.counts,
    )


def state_sentence(job: JobState) -> str:
    """Say how a job stands: a shape and a word, then the figures."""
    percent = f"{100 * job.fraction:.0f} %"
    match job.state:
        case "waiting":
            return _waiting_sentence(job.place)
        case "running":
            return _running_sentence(job, percent)
        case "paused":
            if job.halted:
                return f"■ paused: {job.halted}"
            return f"■ paused {how_far(job)}" if job.follows else f"■ paused, {percent}"
        case "done":
            return _done_sentence(job)
        case "failed":
            if job.search == "under way":
                left = "" if job.search_left is None else f": one of {grouped(job.search_left)}"
                return f"▶ searching for the record that ended the worker{left}…"
            return f"✕ failed: {job.text}"
        case "stopped":
            return f"■ stopped {how_far(job)}" if job.done_bytes else "■ stopped before it began"


def how_far(job: JobState) -> str:
    """Say how far a job came: 'at 42 %', or 'after 1 000 events' of a run whose end nobody knows."""
    if job.follows:
        return f"after {counted(job.rows, 'event')}"
    return f"at {100 * job.fraction:.0f} %"


def _waiting_sentence(place: int | None) -> str:
    if place is None:
        return "■ waiting"
    return f"■ waiting, {ordinal(place + 1)}" if place else "■ waiting, next"


def _live_sentence(job: JobState) -> str:
    age = "" if job.age_s is None else duration(job.age_s)
    match age_tone(job.age_s):
        case "warn":
            return f"▲ no event for {age}"
        case "bad":
            return f"■ frozen for {age}"
    return f"● live, newest {age} old" if age else "● live, waiting for the first events"


def age_tone(age_s: float | None) -> str:
    """Give the tone for the age of the newest event of a run that is followed."""
    if age_s is None or age_s <= OLD_S:
        return "ok"
    return "warn" if age_s <= STALE_S else "bad"


def _running_sentence(job: JobState, percent: str) -> str:
    if job.follows and job.started_at is not None:
        return _live_sentence(job)
    if not job.done_bytes:
        return "▶ starting"
    if not job.total_bytes:
        return f"▶ processing, {grouped(job.rows)} events"
    left = "" if job.eta_s is None else f", {duration(job.eta_s)} left"
    return f"▶ processing, {percent}{left}"


def _done_sentence(job: JobState) -> str:
    if job.made_on is not None:
        text = f"done {date_of(job.made_on)}"
    else:
        text = f"done in {duration(job.elapsed_s)} · {counted(job.rows, 'event')}"
    return f"▲ {text}, {counted(job.warnings, 'warning')}" if job.warnings else f"✓ {text}"


def told_warnings(job: JobState) -> list[tuple[str, str]]:
    """List what a job warned of, each with when: '2026-11-27 01:50:12 UTC', or by when it had ended."""
    latest = "" if job.made_on is None else f"by {utc_text(job.made_on)}"
    pairs = zip(job.warned, job.warned_at, strict=True)
    told = [(utc_text(at) if math.isfinite(at) else latest, text) for text, at in pairs]
    n_more = job.warnings - len(told)
    return [*told, ("", f"and {n_more} more, which the log has")] if n_more > 0 else told


def date_of(unix_s: float) -> str:
    """Write a date and a time: '2026-11-27 01:50 UTC'."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(unix_s))


def ordinal(number: int) -> str:
    """Write a place: '1st', '2nd', '3rd', '11th'."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{grouped(number)}{ending}"


def counted(number: int, noun: str) -> str:
    """Count things: '1 event', '31 331 events'."""
    return f"{grouped(number)} {noun}{'' if number == 1 else 's'}"


def as_sentence(text: str) -> str:
    """Begin with a capital letter, unless the first word is the name of a file or of a column."""
    first = text.partition(" ")[0].rstrip(",;:")
    return f"{text[:1].upper()}{text[1:]}" if first.isalpha() else text


def duration(seconds: float) -> str:
    """Write a time as a person says it: '0.4 s', '12 s', '3 min 20 s', '1 h 05 min'."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
