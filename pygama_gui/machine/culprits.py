"""Searches the record that ended a worker, in a thread of its own, and saves what is known of a crash."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, Qt, pyqtSignal

from pygama_gui.jobs.board import Search
from pygama_gui.jobs.bundle import write_bundle
from pygama_gui.jobs.record_words import FoundRecord, search

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge


class Culprits(QObject):
    """The searches that are under way."""

    _left = pyqtSignal(str, int, int)
    """Of a run and its job: how many records it may still be. Told in the thread of the search."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._left.connect(self._narrow, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]
        self._stopped: dict[int, Event] = {}

    def find(self, run_id: str) -> None:
        """Search the record that ended the worker of a run."""
        bridge = self._bridge
        state, spec, target = bridge.state(run_id), bridge.spec_of(run_id), bridge.runner.target
        if state is None or spec is None or state.ended_after is None or state.search == "under way":
            return
        job_id, after = state.job_id, state.ended_after
        stopped = self._stopped[job_id] = Event()
        bridge.board.search(job_id)
        bridge.log(f"{bridge.name_of(run_id)}: searching for the record that ended the worker…")
        bridge.announce([run_id])
        bridge.threads.do(
            "find record",
            lambda: search(
                spec, after, stopped.is_set, lambda left: self._left.emit(run_id, job_id, left), target
            ),
            lambda found: self._take(run_id, job_id, found),
            lambda: self._take(run_id, job_id, None),
        )

    def _narrow(self, run_id: str, job_id: int, left: int) -> None:
        if job_id in self._stopped:
            self._bridge.board.search(job_id, left)
            self._bridge.announce([run_id])

    def _take(self, run_id: str, job_id: int, found: FoundRecord | None) -> None:
        bridge, is_stopped = self._bridge, self._stopped.pop(job_id).is_set()
        name = bridge.name_of(run_id)
        if found is None or is_stopped:
            bridge.board.end_search(job_id, "stopped")
            bridge.log(f"{name}: the search for the record was ended")
        else:
            kind: Search = "none" if found.culprit is None else "found"
            bridge.board.end_search(job_id, kind, found.culprit, found.text)
            bridge.log(f"{name}: {found.text}", "error")
            state = bridge.state(run_id)
            if state is not None and state.job_id == job_id:
                bridge.went_wrong.emit(f"{name}: {state.text}", state.details, run_id)
        bridge.announce([run_id])

    def stop(self, run_id: str) -> None:
        """End the search for the record of a run."""
        state = self._bridge.state(run_id)
        if state is not None and state.job_id in self._stopped:
            self._stopped[state.job_id].set()

    def stop_all(self) -> None:
        """End all searches."""
        for stopped in self._stopped.values():
            stopped.set()

    def save_bundle(self, run_id: str, path: Path) -> None:
        """Write what is known of a crash into a zip."""
        bridge = self._bridge
        state, spec, name = bridge.state(run_id), bridge.spec_of(run_id), bridge.name_of(run_id)
        if state is None or spec is None:
            return
        about = (name, spec.path.name)
        lines = [line for line in bridge.lines if any(word in line for word in about)]
        bridge.in_background(
            lambda: write_bundle(
                path, spec, state.text, details=state.details, culprit=state.culprit, log=lines
            ),
            lambda saved: bridge.log(f"{name}: saved the crash bundle as {saved}"),
        )
