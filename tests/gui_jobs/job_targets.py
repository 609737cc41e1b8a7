"""Gives workers something to do in tests: each function is a target of a JobRunner.

What a target is to do is said in the options of the job (`spec.tier0`).
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import threading
from pathlib import Path

import numpy as np

from pygama.errors import RawFileError
from pygama.orca.packets import RawFile
from pygama.progress import Done, Note, Partial, Progress, Started, Tell
from pygama_gui.jobs.spec import JobSpec


def count(spec: JobSpec, tell: Tell) -> None:
    """Tell of `n` blocks of 10 rows, numbered through."""
    n = spec.tier0["n"]
    tell(Started(spec.path, n, 72, 0, 0, ("Card",)))
    for block in range(n):
        tell(Partial("Card", {"number": np.arange(10 * block, 10 * block + 10)}))
        tell(Progress(block + 1, n, block + 1, 10 * block + 10))
    tell(Done((spec.output_dir / "t2.h5",), 10 * n, 0.5))


def return_quietly(spec: JobSpec, tell: Tell) -> None:
    """Tell some progress and return without a word."""
    tell(Progress(1, 1, 1, 42))


def work_until_told(spec: JobSpec, tell: Tell) -> None:
    """Tell progress until stopped; leave a file behind if the work could clean up."""
    step = 0
    pause = threading.Event()
    try:
        while True:
            step += 1
            tell(Progress(step, 0, step, step, offset=1000 + step))
            pause.wait(0.002)
    finally:
        tell(Note("cleaned up"))
        (spec.output_dir / "cleaned up").touch()


def work_until_let_go(spec: JobSpec, tell: Tell) -> None:
    """Tell progress until the file 'go' is there."""
    pause = threading.Event()
    tell(Note(f"started {os.getpid()}"))
    while not (spec.output_dir / "go").exists():
        tell(Progress(1, 2, 1, 1))
        pause.wait(0.002)


def hold_the_gil(spec: JobSpec, tell: Tell) -> None:
    """Never let another thread run, nor hear a stop."""
    tell(Note(f"started {os.getpid()}"))
    ctypes.PyDLL(None).sleep(600)


def fail(spec: JobSpec, tell: Tell) -> None:
    """Raise what `error` names."""
    errors = {
        "known": RawFileError("Run72: not a raw file; choose another"),
        "unknown": ZeroDivisionError("division by zero"),
        "memory": MemoryError(),
    }
    tell(Progress(3, 10, 3, 3))
    raise errors[spec.tier0["error"]]


def die(spec: JobSpec, tell: Tell) -> None:
    """End without a word, by the signal or exit code that is asked for, with an unfinished file beside."""
    if "host" in spec.tier0:
        _leave_files(spec.output_dir, spec.tier0["host"])
    if not spec.tier0.get("early"):
        tell(Progress(5, 10, 5, 5, offset=123456, begun=spec.tier0.get("begun", 0)))
    if "exit" in spec.tier0:
        os._exit(spec.tier0["exit"])
    os.kill(os.getpid(), getattr(signal, spec.tier0["signal"]))
    threading.Event().wait(60)


def _leave_files(folder: Path, host: str) -> None:
    (folder / "t1_run72.h5.part").touch()
    (folder / "t1_run72.h5.lock").write_text(json.dumps({"host": host, "pid": os.getpid()}))


def describe_process(spec: JobSpec, tell: Tell) -> None:
    """Tell what kind of process this is, a note a fact."""
    tell(Note(f"leads its group: {os.getpid() == os.getpgrp()}"))
    tell(Note(f"ignores Ctrl+C: {signal.getsignal(signal.SIGINT) == signal.SIG_IGN}"))
    tell(Note(f"threads: {os.environ['OPENBLAS_NUM_THREADS']}"))
    tell(Note(f"niceness: {os.nice(0)}"))


def die_at_records(spec: JobSpec, tell: Tell) -> None:
    """End by a signal when a record that is named as deadly, and not to be skipped, is among those to do."""
    assert spec.within is not None
    first, end = spec.within
    for offset in spec.tier0["deadly"]:
        if first <= offset < end and offset not in spec.skip:
            os.kill(os.getpid(), signal.SIGSEGV)
            threading.Event().wait(60)


def crash_at_records(spec: JobSpec, tell: Tell) -> None:
    """Work through a run and die at deadly records; in trials only if they are so `alone`."""
    with RawFile(spec.path) as raw:
        tell(Started(spec.path, raw.size_bytes, raw.header.run_number, 0, 0, ("Card",)))
        offsets = [int(offset) for packets in raw for offset in packets.offset]
    first, end = spec.within or (0, offsets[-1] + 1)
    is_deadly = spec.within is None or spec.tier0["alone"]
    for offset in offsets:
        if first <= offset < end and offset not in spec.skip:
            if is_deadly and offset in spec.tier0["deadly"]:
                os.kill(os.getpid(), signal.SIGSEGV)
                threading.Event().wait(60)
            if offset == offsets[2]:
                tell(Progress(offset, offsets[-1], 3, 3, offset))
    tell(Done((), len(offsets), 0.5))
