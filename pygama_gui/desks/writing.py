"""Shows how far the writing of a file is, in a small window with a button that stops it."""

from __future__ import annotations

from threading import Event

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QProgressDialog, QWidget

PATIENCE_MS = 600
"""What takes longer shows how far it is."""
LEAST_WIDTH = 360


class Writing(QObject):
    """The writing of one thing. `tell` may be called from any thread."""

    _got_on = pyqtSignal(int)

    def __init__(self, parent: QWidget, title: str, name: str) -> None:
        super().__init__(parent)
        self._stopped = Event()
        self.dialog = QProgressDialog(f"Saving {name}…", "Stop", 0, 100, parent)
        self.dialog.setAccessibleName("How far the saving is")
        self.dialog.setWindowTitle(title)
        self.dialog.setMinimumDuration(PATIENCE_MS)
        self.dialog.setMinimumWidth(LEAST_WIDTH)
        self.dialog.setAutoReset(False)
        self.dialog.setAutoClose(False)
        self.dialog.canceled.connect(self._stopped.set)
        self._got_on.connect(self.dialog.setValue)

    @property
    def is_stopped(self) -> bool:
        """Whether somebody stopped it."""
        return self._stopped.is_set()

    def tell(self, done: float, total: float) -> None:
        """Say how far it is."""
        self._got_on.emit(int(99 * done / max(total, 1)))

    def end(self) -> None:
        """Take the window away."""
        self.dialog.deleteLater()
        self.deleteLater()
