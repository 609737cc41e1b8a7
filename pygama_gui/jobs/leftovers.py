"""Removes what a worker that was killed left beside its output: the unfinished file and its lock.

A lock file `<output>.lock` names the host and the process that writes `<output>.part` (pygama.storage makes
both, and would remove them at the next attempt; here they go at once).
"""

from __future__ import annotations

import contextlib
import json
import math
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any


def remove_leftovers(folder: Path, pid: int, since: float = math.inf) -> list[Path]:
    """Remove unfinished files and locks of a process of this machine that has ended; give their paths.

    since: Unix seconds at which it was given its job. A lock made after that and still empty is taken for
    its own: it was killed before it could write its name.
    """
    return _remove_where(folder, lambda owner: owner["pid"] == pid, since)


def remove_orphans(folder: Path) -> list[Path]:
    """Remove the same of all processes of this machine that have ended, as after the window was killed."""
    from pygama.storage.publish import Owner

    def is_orphan(owner: dict[str, Any]) -> bool:
        return not Owner(owner["host"], owner["pid"], str(owner.get("started", ""))).is_alive()

    return _remove_where(folder, is_orphan)


def _remove_where(
    folder: Path, is_wanted: Callable[[dict[str, Any]], bool], since: float = math.inf
) -> list[Path]:
    removed: list[Path] = []
    for lock in folder.glob("*.lock"):
        if _has_owner(lock, is_wanted) or _is_empty_since(lock, since):
            part = lock.with_suffix(".part")
            aside = part.with_name(f"{part.name}.aside")
            removed += [path for path in (part, aside, lock) if _remove(path)]
    return removed


def _has_owner(lock: Path, is_wanted: Callable[[dict[str, Any]], bool]) -> bool:
    try:
        owner = json.loads(lock.read_text(encoding="utf-8"))
        is_here = owner["host"] == socket.gethostname() and isinstance(owner["pid"], int)
        return bool(is_here and is_wanted(owner))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _is_empty_since(lock: Path, since: float) -> bool:
    try:
        found = lock.stat()
    except OSError:
        return False
    return found.st_size == 0 and found.st_mtime >= since


def _remove(path: Path) -> bool:
    with contextlib.suppress(OSError):
        path.unlink()
        return True
    return False
