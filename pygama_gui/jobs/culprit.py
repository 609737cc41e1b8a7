"""Finds the one record of a raw file that ends the worker which processes it.

The records behind the last that a dead worker told of are halved again and again, each half processed in a
process of its own that writes nothing, until one record is left that ends its worker alone.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from pygama.errors import PygamaError
from pygama.orca.packets import RawFile
from pygama_gui.jobs import worker
from pygama_gui.jobs.spec import JobSpec

TRIAL_S = 120.0
"""A trial that takes longer is taken for one that hangs, as if its worker had ended."""
MOST_RECORDS = 1 << 20


@dataclass(frozen=True, slots=True)
class Culprit:
    """The record that ends its worker: where it begins, how long it is, and how the worker ended."""

    offset: int
    n_bytes: int
    exit_code: int | None

    def read(self, path: Path) -> bytes:
        """Read the record as it stands in the file."""
        with path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.n_bytes)


def find_culprit(
    spec: JobSpec,
    last_offset: int,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    target: str = "pygama_gui.jobs.work:process",
) -> Culprit | None:
    """Search the records from the last that was told of on; None where no single one ends a worker.

    Takes seconds: call it from a thread. Raises RawFileError where the file cannot be read.
    """
    places = [place for place in _records_from(spec.path, last_offset) if place[0] not in spec.skip]
    if not places:
        return None
    first, end = 0, len(places)
    code: int | None = None
    while end - first > 1:
        if is_stopped():
            return None
        middle = (first + end) // 2
        ended, middle_code = _ends_its_worker(spec, places[first:middle], target)
        if ended:
            end, code = middle, middle_code
        else:
            first = middle
    ended, code = _ends_its_worker(spec, places[first:end], target)
    return Culprit(*places[first], code) if ended else None


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


def _ends_its_worker(spec: JobSpec, places: list[tuple[int, int]], target: str) -> tuple[bool, int | None]:
    """Process some records in a fresh process: whether it died or hung, and its exit code."""
    within = (places[0][0], places[-1][0] + 1)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    trial = replace(spec, within=within)
    process = context.Process(target=_try, args=(theirs, trial, target), name="pygama trial", daemon=True)
    process.start()
    theirs.close()
    try:
        has_told = ours.poll(TRIAL_S)
        if has_told:
            with suppress(EOFError, OSError):
                ours.recv()
                return False, None
        process.join(1.0)
        return True, process.exitcode
    finally:
        ours.close()
        if process.is_alive():
            process.kill()
        process.join()
        process.close()


def _try(pipe: Connection, spec: JobSpec, target: str) -> None:
    """Do the work and tell that it came to an end, whichever, unless the process goes first."""
    worker.settle()
    from pygama_gui.jobs import telling

    with suppress(PygamaError, Exception):  # an error that is told is no crash
        telling.find(target)(spec, lambda _message: None)
    pipe.send("ended")
    pipe.close()
    os._exit(0)  # what a half-done library call left behind must not change the answer
