"""Looks how much room the disk has, off the event loop, and pauses what writes where hardly any is left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from pygama_gui.jobs.room import FLOOR_BYTES, Need, free_bytes, need_of
from pygama_gui.session.state import Run

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge


class DiskRoom(QObject):
    """The room on the disks that are written to; a network disk may take its time to tell."""

    known = pyqtSignal(object)
    """Bytes free where the output goes; None where nobody knows."""
    halted = pyqtSignal(str, object)
    """A sentence about runs that were paused because the disk is nearly full, or gone, and their ids."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._is_looking = False
        # files that were given up are gone by then, and the last of the regular looks was a while ago
        bridge.all_ended.connect(self.look)

    def look_for(self, runs: Sequence[Run], folder: Path, then: Callable[[int | None, Need], None]) -> None:
        """Look how much room a folder has and what runs may need beside those under way there."""
        bridge = self._bridge
        wanted = list(runs)
        done_raw: list[tuple[int, tuple[Path, ...]]] = []
        done_tier1: list[tuple[int, tuple[Path, ...]]] = []
        for run in bridge.session.runs:
            state = bridge.state(run.run_id)
            if state is not None and state.state == "done" and not run.is_given:
                made = tuple(path for path in state.outputs if path != run.tier1)
                (done_raw if run.is_raw else done_tier1).append((run.size_bytes, made))
            elif bridge.is_active(run.run_id) and bridge.folder_of(run) == folder and run not in runs:
                wanted.append(run)
        raw_bytes = sum(run.size_bytes for run in wanted if run.is_raw)
        tier1_bytes = sum(run.size_bytes for run in wanted if not run.is_raw)
        bridge.threads.do(
            "look at disk",
            lambda: (free_bytes(folder), need_of(raw_bytes, done_raw, tier1_bytes, done_tier1)),
            lambda found: self._take_found(folder, found, then),
        )

    def _take_found(
        self, folder: Path, found: tuple[int | None, Need], then: Callable[[int | None, Need], None]
    ) -> None:
        self._tell_known({folder: found[0]})
        then(*found)

    def _tell_known(self, free: Mapping[Path, int | None]) -> None:
        """Tell what was found, where it is about the folder that output goes to."""
        folder = self._bridge.session.output_dir
        if folder is not None and folder in free:
            self.known.emit(free[folder])

    def look(self) -> None:
        """Ask how much room the output folder has."""
        if (folder := self._bridge.session.output_dir) is not None:
            self._bridge.threads.do("look at disk", lambda: free_bytes(folder), self.known.emit)

    def watch(self) -> None:
        """Ask how much room there is where jobs are writing, unless the last answer is still to come."""
        folders = {spec.output_dir for spec in self._bridge.writing().values()}
        if folders and not self._is_looking:
            self._is_looking = True

            def look() -> tuple[dict[Path, int | None], set[Path]]:
                gone = {folder for folder in folders if _is_gone(folder)}
                return {folder: free_bytes(folder) for folder in folders}, gone

            self._bridge.threads.do("look at disk", look, lambda found: self._halt(*found))

    def _halt(self, free: Mapping[Path, int | None], gone: Collection[Path] = ()) -> None:
        """Pause the jobs that write where hardly any room is left, or no folder; nothing is lost by it."""
        self._is_looking = False
        self._tell_known(free)
        bridge, reasons = self._bridge, {}
        for run_id, spec in bridge.writing().items():
            room, state = free.get(spec.output_dir), bridge.state(run_id)
            if state is None or state.state != "running":
                continue
            if spec.output_dir in gone:
                reasons[run_id] = (
                    f"the output folder '{spec.output_dir}' is not there any more; bring it back and go on, "
                    "or stop and choose another"
                )
            elif room is not None and room < FLOOR_BYTES:
                reasons[run_id] = f"{room / 1e6:.0f} MB left on the output disk; make room, then go on"
        if not reasons:
            return
        for run_id, why in reasons.items():
            bridge.halt(run_id, why)
            bridge.log(f"{bridge.name_of(run_id)}: paused: {why}", "warning")
        names = ", ".join(map(bridge.name_of, reasons))
        self.halted.emit(f"{names}: paused: {next(iter(reasons.values()))}", list(reasons))


def _is_gone(folder: Path) -> bool:
    """Tell whether a folder was removed or renamed; one that cannot be looked at may be there."""
    try:
        folder.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
