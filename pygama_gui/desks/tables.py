"""Saves the rows of a run or a data set as a table for other programs, in the thread that reads files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QFileDialog

from pygama.errors import SettingsError
from pygama_gui.data.cutting import joined, readable
from pygama_gui.data.figures import kind_of
from pygama_gui.data.live_run import tier1_among
from pygama_gui.data.tables import KINDS, Further, Rows, Stopped, save_table
from pygama_gui.desks.writing import Writing
from pygama_gui.jobs.board import counted
from pygama_gui.session.calibration_changes import calibrations_of
from pygama_gui.session.state import DataSet, Run
from pygama_gui.session.tag_changes import wanted_tagging
from pygama_gui.widgets.dialogs import file_dialog

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow


class TableSaving(QObject):
    """What asks for a name and writes the table of a run."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def ask(self, run: Run, *, only_passing: bool) -> None:
        """Ask for a name, whose end says the kind."""
        if not self._sources(run):
            return
        filters = {f"{words} (*.{suffix})": suffix for suffix, words in KINDS.items()}
        folder = self._window.bridge.saving_folder(run)
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
        bridge, sources = self._window.bridge, self._sources(run)
        if not sources:
            return
        if kind_of(path) not in KINDS:
            path = path.with_name(path.name + ".csv")
        bridge.note_saved(path)
        passing = joined(bridge.session.cuts) if only_passing else None
        if only_passing:
            self._tell_unreadable()
        writing = self._writing(path)

        def on_rows(done: int, total: int) -> None:
            if writing.is_stopped or bridge.is_closed:
                raise Stopped
            writing.tell(done, total)

        def write() -> int | None:
            try:
                return save_table(sources, path, passing, on_rows)
            except Stopped:
                return None
            except OSError as error:
                raise SettingsError(f"{path.name} could not be written: {error.strerror or error}") from error

        def tell(n_rows: int | None) -> None:
            writing.end()
            if n_rows is None:
                bridge.log(f"Stopped; {path.name} was not written", "warning")
            else:
                bridge.log(f"Saved {counted(n_rows, 'row')} of {bridge.name_of(run.run_id)} as {path}")

        bridge.in_background(write, tell, writing.end)

    def _sources(self, run: Run) -> list[Rows]:
        """Give the files of a run, or of all runs of a data set; say so where there are none yet."""
        bridge = self._window.bridge
        state = bridge.state(run.run_id)
        if state is None or state.state != "done" or not state.outputs:
            bridge.log(f"{bridge.name_of(run.run_id)} has no table yet: process it first", "warning")
            return []
        tagging = wanted_tagging(bridge.session)
        if isinstance(run, DataSet):
            return [
                Rows(one.tier2, one.tier1, self._further(one.run), one.run.run_number, tagging)
                for one in run.members
            ]
        return [Rows(state.outputs[-1], tier1_among(state.outputs, run), self._further(run), tagging=tagging)]

    def _further(self, run: Run) -> Further:
        session = self._window.bridge.session
        return Further(calibrations_of(session, run), session.channel_map.channels)

    def _tell_unreadable(self) -> None:
        cuts = self._window.bridge.session.cuts
        _, problems = readable(cuts)
        for cut in cuts:
            if cut.enabled and cut.name in problems:
                words = f"The cut {cut.name} is not applied: {problems[cut.name].sentence}"
                self._window.bridge.log(words, "warning")

    def _writing(self, path: Path) -> Writing:
        return Writing(self._window, "Save the table", path.name)
