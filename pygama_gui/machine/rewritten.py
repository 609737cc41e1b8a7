"""Notices Tier files that another program wrote anew since this one wrote or read them.

Two windows may have one output folder: locks keep them from writing one file at once, and nothing keeps them
from doing so one after the other. What a file was like is noted when it is known, and compared later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from pygama_gui.data.outputs import find_outputs, paths_made
from pygama_gui.session.state import DataSet, Run

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge

Stamp = tuple[int, int, int]
"""When a file was written, its size, and its place on the disk: another one was renamed to it."""


class Rewritten(QObject):
    """The Tier files that this window knows."""

    found = pyqtSignal(object)
    """Files of what is looked at that another program wrote anew, as a set of paths; told once."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._known: dict[Path, Stamp] = {}
        self._told: dict[Path, Stamp] = {}
        self._looked_for: set[str] = set()
        """Ids of the runs whose files were looked for: what came since is of another program."""

    def note(self, paths: Iterable[Path]) -> None:
        """Take files for known as they are now."""
        wanted = list(paths)
        self._look(wanted, lambda stamps: self._known.update(stamps))

    def note_looked_for(self, run_ids: Iterable[str]) -> None:
        """Note that files of runs were looked for."""
        self._looked_for.update(run_ids)

    def look(self) -> None:
        """Look at the files of what is looked at, unless this window writes them."""
        self._look(self._shown(), self._compare)

    def look_before(
        self, runs: Sequence[Run], folder: Path, then: Callable[[dict[str, list[Path]]], None]
    ) -> None:
        """Look which runs have files that this window neither made nor read, before it writes these.

        then: gets the files by the ids of the runs. A file of another run is none of them: the library
        refuses to take its place.
        """
        made = {run.run_id: paths_made(run, folder) for run in runs}
        new = {run.run_id for run in runs if not self._is_looked_at(run)}

        def compare(stamps: Mapping[Path, Stamp]) -> None:
            others = self._others(stamps)
            theirs = {run_id: [one for one in paths if one in others] for run_id, paths in made.items()}
            for run_id in new:
                self._tell_there(run_id, [path for path in made[run_id] if path in stamps])
            doubtful = [run for run in runs if theirs[run.run_id] and run.run_id not in new]
            if not doubtful:
                then({})
                return
            self._bridge.in_background(
                lambda: {run.run_id: theirs[run.run_id] for run in doubtful if _is_made_of(run, folder)},
                then,
                lambda: then({}),
            )

        self._look([path for paths in made.values() for path in paths], compare)

    def _tell_there(self, run_id: str, paths: Sequence[Path]) -> None:
        """Note in the log that a run which has just come has files of an earlier time."""
        if paths:
            name = self._bridge.name_of(run_id)
            self._bridge.log(f"{name}: {paths[-1].name} is there already, and is made anew")

    def _is_looked_at(self, run: Run) -> bool:
        """Tell whether it is known of a run which files it has; of one that has just come it is not."""
        return run.run_id in self._looked_for or self._bridge.state(run.run_id) is not None

    def take(self, paths: Iterable[Path], runs: Iterable[Run]) -> None:
        """Have the rows of runs, and of data sets with them, read from files that another program wrote."""
        bridge = self._bridge
        for run in runs:
            if not bridge.is_active(run.run_id):
                bridge.loading.forget(run.run_id)
                bridge.forget_rows(run.run_id)
        bridge.data_sets.forget_files(list(paths))
        bridge.loading.look_for_outputs()

    def _look(self, paths: Sequence[Path], then: Callable[[Mapping[Path, Stamp]], None]) -> None:
        self._bridge.threads.do("look at disk", lambda: _stamps(paths), then)

    def _others(self, stamps: Mapping[Path, Stamp]) -> set[Path]:
        return {path for path, stamp in stamps.items() if self._known.get(path) != stamp}

    def _compare(self, stamps: Mapping[Path, Stamp]) -> None:
        present = set(self._shown())
        others = {path for path in self._others(stamps) if path in self._known and path in present}
        new = {path for path in others if self._told.get(path) != stamps[path]}
        self._told |= {path: stamps[path] for path in new}
        if new:
            self.found.emit(new)

    def _shown(self) -> list[Path]:
        bridge = self._bridge
        runs = [bridge.session.run(run_id) for run_id in bridge.loading.looked_at]
        ids = [one.run.run_id for run in runs if isinstance(run, DataSet) for one in run.members]
        ids += [run.run_id for run in runs if run is not None]
        states = [bridge.state(run_id) for run_id in ids if not bridge.is_active(run_id)]
        return [
            path for state in states if state is not None and state.state == "done" for path in state.outputs
        ]


def _stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
    """Tell files that are there from others that may take their place."""
    found = {}
    for path in paths:
        try:
            about = path.stat()
        except OSError:
            continue
        found[path] = (about.st_mtime_ns, about.st_size, about.st_ino)
    return found


def _is_made_of(run: Run, folder: Path) -> bool:
    """Tell whether what lies in the output folder is of the run; what was given of it does not count."""
    return find_outputs(replace(run, tier2=None) if run.is_raw or run.tier1 else run, folder) is not None
