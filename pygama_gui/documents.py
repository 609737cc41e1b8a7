"""Opens and saves sessions as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pygama.errors import SettingsError
from pygama_gui.keeping import missing
from pygama_gui.session import changes, saved
from pygama_gui.session.state import Session
from pygama_gui.widgets.dialogs import ask_open, ask_save

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

KIND = f"Sessions (*{saved.SUFFIX} *.json)"


class Documents:
    """The session as a file that a person named."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.path: Path | None = None
        """The file that the session was opened from or saved as."""

    def ask_open(self) -> None:
        """Ask for a session file and open it."""
        ask_open(self._window, "Open a session", self._folder(), KIND, self.open)

    def open(self, path: Path) -> bool:
        """Take everything from a session file; runs that are under way stay. Tells whether it was one."""
        bridge = self._window.bridge
        try:
            session = saved.load(path)
        except (SettingsError, OSError) as error:
            self._window.banner.say(_sentence(path, error), level="warning")
            return False
        bridge.change(changes.open_session, session, bridge.active())
        self.path = path
        bridge.log(f"Opened the session {path.name}")
        bridge.in_background(lambda: missing(session), lambda gone: self._tell_missing(session, gone))
        return True

    def save(self) -> None:
        """Save the session in its file; asks for one the first time."""
        if self.path is None:
            self.ask_save()
        else:
            self.save_as(self.path)

    def ask_save(self) -> None:
        """Ask for the name of a session file and write it."""
        suggested = self._folder() / (self.path.name if self.path is not None else f"mine{saved.SUFFIX}")
        ask_save(self._window, "Save the session", suggested, KIND, self.save_as)

    def save_as(self, path: Path) -> None:
        """Write the session as a file."""
        self._window.layouts.note()
        try:
            saved.save(self._window.bridge.session, path)
        except (OSError, ValueError) as error:
            self._window.banner.say(_sentence(path, error), repr(error))
            return
        self.path = path
        self._window.bridge.log(f"Saved the session as {path}")

    def _folder(self) -> Path:
        if self.path is not None:
            return self.path.parent
        return self._window.bridge.session.output_dir or Path.home()

    def _tell_missing(self, session: Session, gone: list[Path]) -> None:
        if gone:
            names = ", ".join(path.name for path in gone[:3]) + ("…" if len(gone) > 3 else "")
            words = f"{len(gone)} of the {len(session.runs)} runs of this session are not where they were: "
            self._window.bridge.log(f"{words}{names}", "warning")


def _sentence(path: Path, error: Exception) -> str:
    return f"{path.name}: {error.strerror}" if isinstance(error, OSError) else str(error)
