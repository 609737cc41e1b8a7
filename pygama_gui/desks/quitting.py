"""Asks before the window closes while runs are under way, and keeps what a followed run has so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMessageBox

from pygama.utils import plural

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow


class Quitting:
    """Whether the window may close."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._may_quit = False

    def allow(self) -> None:
        """Let the window close without a question."""
        self._may_quit = True

    def end(self) -> None:
        """Close the window without a question; what followed runs have so far is kept in whole files."""
        self._keep_and_quit(self._window.bridge.followed())

    def is_free(self) -> bool:
        """Tell whether nothing would be lost; ask if something would."""
        bridge = self._window.bridge
        if self._may_quit or not self._window.remembers or not bridge.active():
            return True
        self._ask(bridge.active(), bridge.followed())
        return False

    def _ask(self, active: list[str], followed: list[str]) -> None:
        name = self._window.bridge.name_of
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Quit pygama")
        what = name(active[0]) if len(active) == 1 else plural(len(active), "run")
        box.setText(f"{what} {'is' if len(active) == 1 else 'are'} still under way.")
        said = ["What was finished before stays; a run that is stopped must be processed again."]
        if followed:
            names = ", ".join(map(name, followed))
            said.insert(0, f"Of {names}, which is followed, what has come so far can be kept in whole files.")
            keep = box.addButton("Keep it and quit", QMessageBox.ButtonRole.AcceptRole)
            keep.clicked.connect(lambda: self._keep_and_quit(followed))
        box.setInformativeText(" ".join(said))
        stop = box.addButton("Stop and quit", QMessageBox.ButtonRole.DestructiveRole)
        stop.clicked.connect(self._quit)
        box.setDefaultButton(box.addButton("Go on", QMessageBox.ButtonRole.RejectRole))
        box.open()

    def _keep_and_quit(self, followed: list[str]) -> None:
        """Close the files of the followed runs; the window goes when the last one is whole."""
        bridge = self._window.bridge
        for run_id in bridge.active():
            bridge.stop_following(run_id) if run_id in followed else bridge.stop(run_id)
        bridge.all_ended.connect(self._quit)
        if not bridge.active():
            self._quit()

    def _quit(self) -> None:
        self.allow()
        self._window.close()
