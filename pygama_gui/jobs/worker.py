"""Turns a fresh process into a worker that takes one job and never outlives the window.

Nothing heavy is imported at the top: the limits on threads count only if they are set before NumPy is
imported, and the ties to the window should be there as early as can be.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path

NICENESS = 10
"""How far workers stand back behind the window."""
GROUP_NICENESS = 10
"""The same for the session of a worker: with less, the window's loop waits for a core."""
PARENT_GONE = 9
"""Exit code of a worker whose window has ended."""

_SET_PARENT_DEATH_SIGNAL = 1
_THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
)


def run(pipe: Connection, target: str) -> None:
    """Live as a worker: settle, import the target ('module:function'), do one job and return."""
    end_with_parent()
    settle()
    from pygama_gui.jobs import telling

    telling.serve(pipe, target)


def end_with_parent() -> None:
    """End this process when the window ends, however it ends."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        # A C call that holds the GIL would keep the watching thread from ever running.
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent.pid:
            os._exit(PARENT_GONE)
    threading.Thread(target=_watch, args=(parent.sentinel,), name="watch parent", daemon=True).start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(PARENT_GONE)


def _stand_back_as_a_group() -> None:
    """Where Linux shares the cores out by session, niceness counts for the session as a whole only."""
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(GROUP_NICENESS))


def settle() -> None:
    """Leave the window's group, so that Ctrl+C in its terminal is not for us, and stand back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
        _stand_back_as_a_group()
    for name in _THREAD_LIMITS:
        os.environ[name] = "1"
