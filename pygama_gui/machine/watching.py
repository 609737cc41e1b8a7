"""Watches the folder of the session for new runs, in the thread that reads files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from pygama_gui.jobs.watch import FolderWatch, NewRun

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge

WATCH_MS = 3000
"""The folder is looked into this often."""


class Watching(QObject):
    """The folder that is watched, if any."""

    came = pyqtSignal(object)
    """Runs that are new in the folder, as a list of NewRun."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._folder: FolderWatch | None = None
        self.problem = ""
        """Why the folder cannot be looked into for now."""
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(WATCH_MS)
        self.timer.timeout.connect(self._look_again)

    def begin(self) -> None:
        """Begin to watch the folder of the session, or end it where there is none."""
        self.timer.stop()
        watched = self._bridge.session.watched
        self._folder = None if watched is None else FolderWatch(watched)
        self._look_again()

    def _look_again(self) -> None:
        if (folder := self._folder) is not None:
            self._bridge.in_background(
                lambda: _new_runs(folder) if folder is self._folder else [],
                lambda new: self._take(folder, new),
            )

    def _take(self, folder: FolderWatch, new: list[NewRun] | str) -> None:
        if folder is not self._folder:
            return
        if isinstance(new, str):
            if new != self.problem:
                self._bridge.log(f"{folder.folder} cannot be watched for now: {new}", "warning")
            self.problem = new
        else:
            self.problem = ""
            if new:
                self.came.emit(new)
        self.timer.start()


def _new_runs(folder: FolderWatch) -> list[NewRun] | str:
    try:
        return folder.look()
    except OSError as error:
        return error.strerror or str(error)
