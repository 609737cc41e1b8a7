"""Saves the rows of a run as a table for other programs, in the thread that reads files."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QProgressDialog

from pygama.errors import SettingsError
from pygama_gui.data.cutting import joined, readable
from pygama_gui.data.figures import kind_of
from pygama_gui.data.tables import KINDS, Further, Stopped, save_table
from pygama_gui.jobs.board import counted
from pygama_gui.session.calibration_changes import calibrations_of
from pygama_gui.session.state import Run
from pygama_gui.widgets.dialogs import file_dialog

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

PATIENCE_MS = 600
"""What takes longer shows how far it is."""
LEAST_WIDTH = 360


class TableSaving(QObject):
    """What asks for a name and writes the table of a run."""

    got_on = pyqtSignal(object, int)
    """A dialog, and how far its writing is, in percent."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.folder: Path | None = None
        self.got_on.connect(lambda dialog, percent: dialog.setValue(percent))

    def ask(self, run: Run, *, only_passing: bool) -> None:
        """Ask for a name, whose end says the kind."""
        if self._source(run) is None:
            return
        filters = {f"{words} (*.{suffix})": suffix for suffix, words in KINDS.items()}
        folder = self.folder or self._window.bridge.folder_of(run) or Path.home()
        title = "Save the rows that pass the cuts" if only_passing else "Save the table"
        dialog = file_dialog(self._window, title, folder)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(filters))
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(f"{run.stem}{'_passing' if only_passing else ''}.csv")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(filters[chosen]))
        dialog.fileSelected.connect(lambda name: self.save(run, Path(name), only_passing=only_passing))
        dialog.open()

    def save(self, run: Run, path: Path, *, only_passing: bool) -> None:
        """Write the table of a run; the log says when it is there."""
        bridge, source = self._window.bridge, self._source(run)
        if source is None:
            return
        if kind_of(path) not in KINDS:
            path = path.with_name(path.name + ".csv")
        self.folder = path.parent
        session = bridge.session
        further = Further(calibrations_of(session, run), session.channel_map.channels)
        passing = joined(session.cuts) if only_passing else None
        if only_passing:
            self._tell_unreadable()
        stopped, dialog = Event(), self._progress(path)
        dialog.canceled.connect(stopped.set)

        def on_rows(done: int, total: int) -> None:
            if stopped.is_set() or bridge.is_closed:
                raise Stopped
            self.got_on.emit(dialog, 99 * done // max(total, 1))

        def write() -> int | None:
            try:
                return save_table(source, path, further, passing, on_rows)
            except Stopped:
                return None
            except OSError as error:
                raise SettingsError(f"{path.name} could not be written: {error.strerror or error}") from error

        def tell(n_rows: int | None) -> None:
            dialog.deleteLater()
            if n_rows is None:
                bridge.log(f"Stopped; {path.name} was not written", "warning")
            else:
                bridge.log(f"Saved {counted(n_rows, 'row')} of {bridge.name_of(run.run_id)} as {path}")

        bridge.in_background(write, tell, dialog.deleteLater)

    def _source(self, run: Run) -> Path | None:
        """Give the Tier 2 file of a run; say so where there is none yet."""
        bridge = self._window.bridge
        state = bridge.state(run.run_id)
        if state is None or state.state != "done" or not state.outputs:
            bridge.log(f"{bridge.name_of(run.run_id)} has no table yet: process it first", "warning")
            return None
        return state.outputs[-1]

    def _tell_unreadable(self) -> None:
        cuts = self._window.bridge.session.cuts
        _, problems = readable(cuts)
        for cut in cuts:
            if cut.enabled and cut.name in problems:
                words = f"The cut {cut.name} is not applied: {problems[cut.name].sentence}"
                self._window.bridge.log(words, "warning")

    def _progress(self, path: Path) -> QProgressDialog:
        dialog = QProgressDialog(f"Saving {path.name}…", "Stop", 0, 100, self._window)
        dialog.setAccessibleName("How far the saving is")
        dialog.setWindowTitle("Save the table")
        dialog.setMinimumDuration(PATIENCE_MS)
        dialog.setMinimumWidth(LEAST_WIDTH)
        dialog.setAutoReset(False)
        dialog.setAutoClose(False)
        return dialog
