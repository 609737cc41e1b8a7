"""Lists what was warned of, of a run or of all runs of a data set, and which runs failed."""

from __future__ import annotations

from pygama_gui.bridge import Bridge
from pygama_gui.jobs.board import JobState, told_warnings
from pygama_gui.session.state import DataSet, Run, ranges_of


def n_warnings(bridge: Bridge, run: Run) -> int:
    """Count what was warned of; of a data set, in all its runs that are in the list."""
    return sum(state.warnings for _, state in _told_by(bridge, run))


def warned(bridge: Bridge, run: Run) -> list[tuple[str, str]]:
    """List (when, what) of what was warned of, and of runs of the list that failed."""
    pairs = [(one, bridge.state(one.run_id)) for one in bridge.session.runs]
    failed = [(one, its) for one, its in pairs if its is not None and its.state == "failed"]
    return [
        *_warnings(bridge, run),
        *(("", f"{bridge.name_of(one.run_id)} failed: {its.text}") for one, its in failed),
    ]


def _told_by(bridge: Bridge, run: Run) -> list[tuple[Run, JobState]]:
    runs = [one.run for one in run.members] if isinstance(run, DataSet) else [run]
    states = [(one, bridge.state(one.run_id)) for one in runs]
    return [(one, state) for one, state in states if state is not None]


def _warnings(bridge: Bridge, run: Run) -> list[tuple[str, str]]:
    """List them; what several runs of a data set were warned of is said once, with their numbers."""
    told = [(one, told_warnings(state)) for one, state in _told_by(bridge, run)]
    if not isinstance(run, DataSet):
        return [line for _, lines in told for line in lines]
    found: dict[str, list[tuple[Run, str]]] = {}
    for one, lines in told:
        for when, what in lines:
            found.setdefault(what, []).append((one, when))
    return [(_when(its), f"{_names(bridge, its)}: {what}") for what, its in found.items()]


def _when(its: list[tuple[Run, str]]) -> str:
    return its[0][1] if len(its) == 1 else ""


def _names(bridge: Bridge, its: list[tuple[Run, str]]) -> str:
    if len(its) == 1:
        run_id = its[0][0].run_id
        return bridge.name_of(run_id) if bridge.session.run(run_id) is not None else its[0][0].title
    return f"Runs {ranges_of(one.run_number for one, _ in its)}"
