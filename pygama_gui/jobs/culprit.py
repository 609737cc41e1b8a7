"""Finds the one record of a raw file that ends the worker which processes it.

The records behind the last that a dead worker told of are halved again and again, each half processed in a
process of its own that writes nothing, until one record is left that ends its worker alone. While one process
tries its half, the next one gets ready.
"""

from __future__ import annotations

import bz2
import gzip
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from pygama.errors import PygamaError
from pygama.orca.packets import RawFile
from pygama.quick_dataclass import dataclass
from pygama_gui.jobs import worker
from pygama_gui.jobs.spec import JobSpec

TRIAL_S = 120.0
"""A trial that takes longer is taken for one that hangs, as if its worker had ended."""
NEAR_BYTES = 32 << 20
"""Of the records behind the last that was told of, so many bytes are tried first."""
LOOK_S = 0.1
"""How often a trial that is under way looks whether the search was stopped."""
MOST_RECORDS = 1 << 20
IsStopped = Callable[[], bool]
Ended = tuple[bool, int | None]
"""Whether a worker died or hung, and its exit code."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """The record that ends its worker: where it begins, how long it is, and how the worker ended."""

    offset: int
    n_bytes: int
    exit_code: int | None

    def read(self, path: Path) -> bytes:
        """Read the record as it stands in the (decompressed) file."""
        with open_raw(path) as file:
            file.seek(self.offset)
            return file.read(self.n_bytes)


def open_raw(path: Path) -> IO[bytes]:
    """Open a raw file for reading, decompressed where it is compressed."""
    with path.open("rb") as file:
        start = file.read(3)
    if start[:2] == b"\x1f\x8b":
        return cast("IO[bytes]", gzip.open(path))
    return cast("IO[bytes]", bz2.open(path)) if start == b"BZh" else path.open("rb")


def find_culprit(
    spec: JobSpec,
    last_offset: int,
    *,
    is_stopped: IsStopped = lambda: False,
    tell_left: Callable[[int], None] = lambda _n: None,
    target: str = "pygama_gui.jobs.work:process",
) -> Culprit | None:
    """Search the records from the last that was told of on; None where no single one ends a worker.

    tell_left: told how many records it may still be. Takes seconds: call it from a thread. Raises
    RawFileError where the file cannot be read.
    """
    places = [place for place in _records_from(spec.path, last_offset) if place[0] not in spec.skip]
    if not places:
        return None

    with _Trials(spec, places, target, is_stopped) as trials:
        first, end = _deadly_part(places, last_offset, trials.ends, tell_left)
        while end - first > 1:
            tell_left(end - first)
            middle = (first + end) // 2
            first, end = (first, middle) if trials.ends(first, middle)[0] else (middle, end)
        ended, code = trials.ends(first, end) if end > first else (False, None)
    return Culprit(*places[first], code) if ended else None


def _deadly_part(
    places: list[tuple[int, int]],
    last_offset: int,
    ends: Callable[[int, int], Ended],
    tell_left: Callable[[int], None],
) -> tuple[int, int]:
    """Find a part of the records that ends its worker: the nearest ones first, then ever larger parts."""
    first, size_bytes = 0, NEAR_BYTES
    limit = last_offset + size_bytes
    while first < len(places):
        tell_left(len(places) - first)
        end = first + max(sum(offset < limit for offset, _ in places[first:]), 1)
        if ends(first, end)[0]:
            return first, end
        size_bytes *= 2
        first, limit = end, limit + size_bytes
    return 0, 0


def _records_from(path: Path, offset: int) -> list[tuple[int, int]]:
    """List the records (offset, bytes) from an offset on, at most as many as a search makes sense for."""
    places: list[tuple[int, int]] = []
    with RawFile(path) as raw:
        for packets in raw:
            later = packets.offset >= offset
            places += zip(packets.offset[later].tolist(), packets.stored_bytes[later].tolist(), strict=True)
            if len(places) > MOST_RECORDS:
                break
    return places


class _Trial:
    """A process that gets ready, and tries some records when it is told to."""

    def __init__(self, target: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_try, args=(theirs, target), name="pygama trial", daemon=True
        )
        self._process.start()
        theirs.close()

    def run(self, spec: JobSpec, is_stopped: IsStopped) -> Ended:
        """Let it do the work: whether it died or hung, and its exit code."""
        with suppress(OSError):  # it is gone already: that is found out below
            self._pipe.send(spec)
        if _hears(self._pipe, is_stopped):
            with suppress(EOFError, OSError):
                self._pipe.recv()
                return False, None
        elif is_stopped():
            return False, None
        self._process.join(1.0)
        return True, self._process.exitcode

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()


class _Trials:
    """Tries parts of the records, each in a fresh process. A context manager."""

    def __init__(
        self, spec: JobSpec, places: list[tuple[int, int]], target: str, is_stopped: IsStopped
    ) -> None:
        self._spec, self._places, self._target, self._is_stopped = spec, places, target, is_stopped
        self._deadly: dict[tuple[int, int], Ended] = {}
        self._next: _Trial | None = None

    def __enter__(self) -> _Trials:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._next is not None:
            self._next.close()

    def ends(self, first: int, end: int) -> Ended:
        """Process some records: whether that ends the worker, and its exit code."""
        if self._is_stopped():
            return False, None
        if (first, end) in self._deadly:
            return self._deadly[first, end]
        trial, self._next = self._next or _Trial(self._target), _Trial(self._target)
        within = (self._places[first][0], self._places[end - 1][0] + 1)
        try:
            ended = trial.run(replace(self._spec, within=within, follow_s=None), self._is_stopped)
        finally:
            trial.close()
        if ended[0]:
            self._deadly[first, end] = ended
        return ended


def _hears(pipe: Connection, is_stopped: IsStopped) -> bool:
    """Wait for a trial to tell something or to end; False if it takes too long or the search is stopped."""
    end = time.monotonic() + TRIAL_S
    while time.monotonic() < end and not is_stopped():
        if pipe.poll(LOOK_S):
            return True
    return False


def _try(pipe: Connection, target: str) -> None:
    """Get ready, do the work that is sent and tell that it came to an end, unless the process goes first."""
    worker.end_with_parent()
    worker.settle()
    from pygama_gui.jobs import telling

    work = telling.find(target)
    try:
        spec = pipe.recv()
    except EOFError:  # nobody needs it
        os._exit(0)
    with suppress(PygamaError, Exception):  # an error that is told is no crash
        work(spec, lambda _message: None)
    pipe.send("ended")
    pipe.close()
    os._exit(0)  # what a half-done library call left behind must not change the answer
