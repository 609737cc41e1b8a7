"""Says what the processing of runs would cost, going by those that were processed so far."""

from __future__ import annotations

from collections.abc import Iterable

from pygama_gui.jobs.board import JobState, counted, duration


def seconds_for(n_bytes: int, n_runs: int, states: Iterable[JobState], at_once: int) -> float | None:
    """Estimate how long runs of this size would take together; None where nothing was processed yet.

    states: of other jobs; those that were done here, from a file that did not grow, tell how quick it goes.
    at_once: runs that share the cores, as those did.
    """
    known = [one for one in states if one.state == "done" and one.made_on is None and not one.follows]
    done_bytes = sum(one.total_bytes for one in known)
    seconds = sum(one.elapsed_s for one in known)
    if not done_bytes or not seconds:
        return None
    return n_bytes / done_bytes * seconds / max(min(at_once, n_runs), 1)


def cost_words(n_runs: int, size: str, seconds: float | None, what: str = "raw data") -> str:
    """Say it: '3 runs, 146 MB of raw data, about 6.0 s going by the runs so far'. size: in words."""
    if not n_runs:
        return ""
    text = f"{counted(n_runs, 'run')}, {size} of {what}"
    return text if seconds is None else f"{text}, about {duration(seconds)} going by the runs so far"
