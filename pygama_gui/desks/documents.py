"""Opens and saves sessions as files, and writes runs down as commands, scripts and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QApplication

from pygama.errors import SettingsError
from pygama.processing.settings import write_settings
from pygama_gui.desks.processing import NO_FOLDER
from pygama_gui.keeping import missing
from pygama_gui.session import changes, exports, pictured, saved
from pygama_gui.session.exports import Shown
from pygama_gui.session.state import DataSet, Run, Session
from pygama_gui.widgets.dialogs import ask_open, ask_save

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

KIND = f"Sessions (*{saved.SUFFIX} *.json)"

Export = Callable[[Session, Sequence[Run], Shown | None, Mapping[str, Path]], str]


class Documents:
    """What a person writes and opens by name."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.path: Path | None = None
        """The file that the session was opened from or saved as."""

    def ask_open(self) -> None:
        """Ask for a session file and open it."""
        ask_open(self._window, "Open a session", self._folder(), KIND, self._open_chosen)

    def _open_chosen(self, path: Path) -> None:
        self._window.bridge.opening.emit()
        self.open(path)

    def open(self, path: Path) -> bool:
        """Take everything from a session file; runs that are under way stay. Tells whether it was one."""
        bridge = self._window.bridge
        try:
            session = saved.load(path)
        except (SettingsError, OSError) as error:
            self._window.arrivals.tell_not_taken(_sentence(path, error))
            return False
        bridge.change(changes.open_session, session, bridge.active())
        self.path = path
        bridge.log(f"Opened the session {path.name}")
        bridge.in_background(lambda: missing(session), lambda gone: self._tell_missing(session, gone))
        return True

    def open_picture(self, path: Path) -> bool:
        """Show what a picture shows, if its runs are still there. Tells whether it said so."""
        bridge = self._window.bridge
        try:
            view = pictured.view_of(path)
        except (SettingsError, OSError) as error:
            self._window.arrivals.tell_not_taken(_sentence(path, error))
            return False
        bridge.change(changes.bring_back, view.session)
        self._window.take_zooms(view.zooms)
        if view.event is not None:
            self._window.waveforms.browser.bring_back(view.event)
        bridge.log(f"Brought back what {path.name} shows")
        bridge.in_background(
            lambda: missing(view.session), lambda gone: self._tell_missing(view.session, gone)
        )
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
        if not self._write(path, lambda at: saved.save(self._window.bridge.session, at)):
            return
        self.path = path
        self._window.bridge.note_saved(path)
        self._window.bridge.log(f"Saved the session as {path}")

    # What works without the window

    def copy_commands(self, runs: Sequence[Run]) -> None:
        """Copy a line for a shell for each run, and write the settings that it names beside the output."""
        session, bridge = self._window.bridge.session, self._window.bridge
        lines, written = [], []
        runs = [each for run in runs for each in _each_run(run)]
        if lacking := [run for run in runs if not run.can_be_processed]:
            words = (
                f"No command makes {lacking[0].path.name}: it is of Tier 2, and there is no Tier 1 file of it"
            )
            self._window.banner.say(words, level="warning")
        for run in [run for run in runs if run.can_be_processed]:
            folder = bridge.folder_of(run)
            if folder is None:
                self._ask_for_folder()
                return
            path = exports.settings_path(session, run, folder=folder)
            if not self._write(path, lambda at: write_settings(at, **exports.settings_of(session))):
                return
            lines.append(exports.as_command(session, run, folder=folder))
            written.append(path.name)
        if not lines:
            return
        QApplication.clipboard().setText("\n".join(lines))
        what = "the command" if len(lines) == 1 else f"{len(lines)} commands"
        bridge.log(f"Copied {what}; the settings are in {', '.join(written)} in the output folder")

    def ask_save_script(self, runs: Sequence[Run]) -> None:
        """Ask for the name of a Python script that does with runs what the window does, and write it."""
        kind = "Python scripts (*.py)"
        self._ask_export(runs, ".py", kind, "Save as a Python script", exports.as_script)

    def ask_save_notebook(self, runs: Sequence[Run]) -> None:
        """Ask for the name of a notebook that does with runs what the window does, and write it."""
        kind = "Notebooks (*.ipynb)"
        self._ask_export(runs, ".ipynb", kind, "Save as a notebook", exports.as_notebook)

    def export(self, runs: Sequence[Run], path: Path, make: Export) -> None:
        """Write a script or a notebook."""
        bridge = self._window.bridge
        folders = {run.run_id: folder for run in runs if (folder := bridge.folder_of(run)) is not None}
        text = make(bridge.session, runs, self._window.spectrum.shown(), folders)
        if self._write(path, lambda at: saved.write_whole(at, text)):
            bridge.note_saved(path)
            bridge.log(f"Saved {path}")

    def _ask_export(self, runs: Sequence[Run], suffix: str, kind: str, title: str, make: Export) -> None:
        if runs:
            stem = runs[0].stem + (f"-{runs[-1].run_number}" if len(runs) > 1 else "")
            suggested = self._window.bridge.saving_folder() / f"{stem}{suffix}"
            ask_save(self._window, title, suggested, kind, lambda path: self.export(runs, path, make))

    def _ask_for_folder(self) -> None:
        words = "A command says where the files go: choose the output folder first"
        remedy = ("Choose a folder…", lambda: self._window.processing.ask_output_dir([]))
        self._window.banner.say(words, level="warning", remedies=[remedy], about=NO_FOLDER)

    def _write(self, path: Path, write: Callable[[Path], None]) -> bool:
        try:
            write(path)
        except (OSError, ValueError) as error:
            self._window.banner.say(_sentence(path, error), repr(error))
            return False
        return True

    def _folder(self) -> Path:
        if self.path is not None:
            return self.path.parent
        return self._window.bridge.saving_folder()

    def _tell_missing(self, session: Session, gone: list[Path]) -> None:
        if gone:
            names = ", ".join(path.name for path in gone[:3]) + ("…" if len(gone) > 3 else "")
            words = f"{len(gone)} of the {len(session.runs)} runs of this session are not where they were: "
            self._window.bridge.log(f"{words}{names}", "warning")


def _each_run(run: Run) -> list[Run]:
    """Give the runs of a data set, or the run itself."""
    return [one.run for one in run.members] if isinstance(run, DataSet) else [run]


def _sentence(path: Path, error: Exception) -> str:
    return f"{path.name}: {error.strerror or error}" if isinstance(error, OSError) else str(error)
