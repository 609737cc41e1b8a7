"""Saves what a view shows: asks for a name, writes in a thread, and says in the log when it is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from PyQt5.QtWidgets import QApplication, QFileDialog, QWidget

from pygama.errors import SettingsError
from pygama_gui.data.figures import KINDS, kind_of
from pygama_gui.views.base import View
from pygama_gui.widgets.dialogs import file_dialog

P = TypeVar("P")


class Saver(Generic[P]):
    """Puts together what is shown, and writes it aside. What is shown is what a subclass says."""

    KINDS: ClassVar[Mapping[str, str]] = KINDS
    TITLE: ClassVar[str] = "Save what is shown"
    NOTHING: ClassVar[str] = "There is nothing to save yet"

    def __init__(self, view: View) -> None:
        self._of = view

    def picture(self) -> P | None:
        """Put together what is shown; None where there is nothing."""
        raise NotImplementedError

    def name(self) -> str:
        """Suggest a name for the file, without its end."""
        raise NotImplementedError

    def write(self, picture: P, path: Path) -> None:
        """Write a file, in a thread. Raises OSError."""
        raise NotImplementedError

    def table(self, picture: P) -> str:
        """Give what is shown as CSV."""
        raise NotImplementedError

    def over(self) -> QWidget:
        """Give the window over which names are asked for."""
        return self._of

    def told(self, text: str, *, is_saved: bool) -> None:
        """Take what became of a file; the log, or the banner, says it in any case."""

    def ask(self) -> None:
        """Ask for a name, whose end says the kind."""
        self._of.draw_if_due()  # the menus stand over other views, too
        picture = self.picture()
        if picture is None:
            self._of.bridge.log(self.NOTHING, "warning")
            return
        filters = {f"{words} (*.{suffix})": suffix for suffix, words in self.KINDS.items()}
        first = next(iter(self.KINDS))
        dialog = file_dialog(self.over(), self.TITLE, self._of.bridge.saving_folder())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(filters))
        dialog.setDefaultSuffix(first)
        dialog.selectFile(f"{self.name()}.{first}")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(filters[chosen]))
        dialog.fileSelected.connect(lambda name: self.save(picture, Path(name)))
        dialog.open()

    def save(self, picture: P, path: Path) -> None:
        """Write a file in a thread; the log says when it is there. A name of no known end gets the first."""
        if kind_of(path) not in self.KINDS:
            path = path.with_name(f"{path.name}.{next(iter(self.KINDS))}")
        bridge = self._of.bridge
        failed: list[str] = []

        def write() -> None:
            try:
                self.write(picture, path)
            except OSError as error:
                failed.append(f"{path.name} could not be written: {error.strerror or error}")
                raise SettingsError(failed[0]) from error

        def saved(_nothing: None) -> None:
            bridge.note_saved(path)
            bridge.log(f"Saved {path}")
            self.told(f"Saved {path}", is_saved=True)

        bridge.compute(write, saved, lambda: self.told("".join(failed), is_saved=False))

    def copy(self) -> None:
        """Copy what is shown as a table."""
        self._of.draw_if_due()
        picture = self.picture()
        if picture is None:
            self._of.bridge.log(self.NOTHING, "warning")
            return
        text = self.table(picture)
        QApplication.clipboard().setText(text)
        n_rows = sum(not line.startswith("#") for line in text.splitlines()) - 1
        self._of.bridge.log(f"Copied {n_rows} rows as CSV")

    def run_name(self) -> list[str]:
        """Give what file names begin with: the run, where there is one."""
        run: Any = self._of.session.selected_run
        return [] if run is None else [run.stem]
