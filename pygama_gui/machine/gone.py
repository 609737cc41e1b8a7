"""Looks whether files that were told to be gone are back, as after a disk was mounted again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge
    from pygama_gui.session.state import Run

LOOK_MS = 2000
"""Files that are gone are looked for this often."""


class Gone(QObject):
    """The files that nobody could open because they are not where they were."""

    back = pyqtSignal(object)
    """Files that are there again, or that nobody needs any more, as a set of paths."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._files: set[Path] = set()
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(LOOK_MS)
        self.timer.timeout.connect(self._look)

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def why_unread(self, run: Run, what: str = "events") -> str:
        """Say why nothing is known yet of a run of Tier files that were given; empty of a raw one.

        what: that is read of them.
        """
        if run.is_raw:
            return ""
        if gone := [file for file in (run.path, run.tier1) if file in self._files]:
            return f"{gone[0].name} is not where it was. Bring it back, or open it where it is now."
        return f"Reading the {what}…"

    def add(self, path: Path) -> None:
        """Note that a file is gone; it is told of once, until it is back."""
        self._files.add(path)
        self.timer.start()

    def let_go(self, paths: Iterable[Path | None]) -> None:
        """Note that nobody needs files any more that were gone, as those that were opened elsewhere."""
        if gone := self._files & {path for path in paths if path is not None}:
            self._files -= gone
            self.back.emit(gone)

    def found(self, paths: Iterable[Path | None]) -> None:
        """Note that files could be read, and tell of those that were gone."""
        there = self._files & {path for path in paths if path is not None}
        if not there:
            return
        self._files -= there
        names = ", ".join(sorted(path.name for path in there))
        self._bridge.log(f"{names} {'is' if len(there) == 1 else 'are'} back")
        self.back.emit(there)

    def _look(self) -> None:
        """Look for them in the thread that looks at disks: one that hangs is waited for there."""
        wanted = frozenset(self._files)
        self._bridge.threads.do("look at disk", lambda: {one for one in wanted if one.is_file()}, self._take)

    def _take(self, there: set[Path]) -> None:
        self.found(there)
        if self._files and not self._bridge.is_closed:
            self.timer.start()
