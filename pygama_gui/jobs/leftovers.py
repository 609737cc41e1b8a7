"""Removes what a worker that was killed left beside its output: the unfinished file and its lock.

A lock file `<output>.lock` names the host and the process that writes `<output>.part` (pygama.storage makes
both, and would remove them at the next attempt; here they go at once).
"""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path


def remove_leftovers(folder: Path, pid: int) -> list[Path]:
    """Remove unfinished files and locks of a process of this machine that has ended; give their paths."""
    removed = []
    for lock in folder.glob("*.lock"):
        if _is_held_by(lock, pid):
            part = lock.with_suffix(".part")
            removed += [path for path in (part, lock) if _remove(path)]
    return removed


def _is_held_by(lock: Path, pid: int) -> bool:
    try:
        owner = json.loads(lock.read_text(encoding="utf-8"))
        return bool(owner["host"] == socket.gethostname() and owner["pid"] == pid)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _remove(path: Path) -> bool:
    with contextlib.suppress(OSError):
        path.unlink()
        return True
    return False
