"""Puts a finished file in the place of an old one, in one step, for one writer at a time.

A file is written as `name.part` beside its place and renamed when whole, so a killed program leaves the old
file untouched. `name.lock`, made with O_EXCL, says who writes; it works where HDF5's own locking fails (NFS).
What a dead process left behind is removed, with a line in the log.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

from pygama.errors import OutputError
from pygama.quick_dataclass import dataclass
from pygama.storage.hdf5 import reason_of

_log = logging.getLogger(__name__)

_UNREADABLE_AFTER_S = 60.0
"""A lock that says nothing for so long was left by a program that died while making it."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds a lock. started: what the system says of its start, "" where it says nothing."""

    host: str
    pid: int
    started: str = ""

    def is_alive(self) -> bool:
        """Say whether it may still be at work; of other hosts nothing is known, so yes."""
        if self.host != platform.node() or os.name == "nt":
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        now = _start_of(self.pid)
        return not now or not self.started or now == self.started


def _start_of(pid: int) -> str:
    """Read when a process started, in ticks since boot; "" where there is no /proc, 'ended' for a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "ended" if fields[0] == "Z" else fields[19]


def this_process() -> Owner:
    """Describe the process that asks."""
    return Owner(platform.node(), os.getpid(), _start_of(os.getpid()))


class Draft:
    """The right to write one file. Ends with `publish` or `discard`.

    Raises OutputError if the folder cannot be written or another process writes the same file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self.aside = path.with_name(path.name + ".part.aside")
        self.lock = path.with_name(path.name + ".lock")
        self._held = False
        try:
            self._take_lock()
            if self.part.exists():
                self.part.unlink()
                _log.warning("%s: removed what an earlier, unfinished attempt had left", self.part.name)
            self.aside.unlink(missing_ok=True)
        except OSError as error:
            self._release()
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path.name} cannot be written to '{self.path.parent}': {reason_of(error)}; "
            "choose a folder that exists and that you may write to"
        )

    def _take_lock(self) -> None:
        while not self._held:
            try:
                lock = os.open(self.lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                self._remove_stale_lock()
                continue
            self._held = True
            with os.fdopen(lock, "w") as stream:
                json.dump(asdict(this_process()), stream)

    def _remove_stale_lock(self) -> None:
        try:
            text = self.lock.read_text()
            age_s = time.time() - self.lock.stat().st_mtime
        except FileNotFoundError:
            return
        owner = _read_owner(text)
        if owner.is_alive() if owner else age_s < _UNREADABLE_AFTER_S:
            raise self._in_use(owner)
        self._move_away(text)
        _log.warning("%s: removed the lock of a process that has ended", self.lock.name)

    def _move_away(self, text: str) -> None:
        """Remove the lock that reads `text`, and no other: a rival may have been quicker."""
        aside = self.lock.with_name(f"{self.lock.name}.{os.getpid()}")
        try:
            self.lock.rename(aside)
        except FileNotFoundError:
            return
        if aside.read_text() == text:
            aside.unlink()
        else:
            aside.rename(self.lock)

    def _in_use(self, owner: Owner | None) -> OutputError:
        if owner is None:
            who = "another program"
        elif owner == this_process():
            who = "this program"
        else:
            who = f"process {owner.pid} on '{owner.host}'"
        return OutputError(
            f"{self.path.name} is being written by {who}; wait for it to end, or, if it is gone, "
            f"delete '{self.lock}'"
        )

    def put_aside(self) -> Path:
        """Move the part out of the way, so that another can be begun."""
        self.part.replace(self.aside)
        return self.aside

    def publish(self) -> None:
        """Put the finished part in its place, and let others write."""
        try:
            self.part.replace(self.path)
        except OSError as error:
            raise self._cannot_write(error) from error
        self._release()

    def discard(self) -> None:
        """Remove the part and leave the old file as it was."""
        if self._held:
            self.part.unlink(missing_ok=True)
            self.aside.unlink(missing_ok=True)
            self._release()

    def _release(self) -> None:
        if self._held:
            self.lock.unlink(missing_ok=True)
            self._held = False


def _read_owner(text: str) -> Owner | None:
    try:
        fields = json.loads(text)
        return Owner(str(fields["host"]), int(fields["pid"]), str(fields.get("started", "")))
    except (ValueError, KeyError, TypeError):
        return None
