"""Saves the waveforms of the events that pass the cuts as Tier 1 files, one of each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pygama.analysis.tagging import NAMES, Tagging
from pygama.errors import SettingsError, Stopped
from pygama.progress import Done, Message, Progress
from pygama.quick_dataclass import dataclass
from pygama_gui.data.cutting import readable
from pygama_gui.data.hit_tags import why_not
from pygama_gui.data.live_run import tier1_among, tier2_among
from pygama_gui.data.passing_rows import CutsOfRun
from pygama_gui.data.selection import passing_of
from pygama_gui.desks.writing import Writing
from pygama_gui.jobs.board import as_sentence, counted
from pygama_gui.session.calibration_changes import calibrations_of
from pygama_gui.session.state import DataSet, Run
from pygama_gui.widgets.dialogs import ask_folder, ask_save

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

TITLE = "Save the waveforms that pass"
NO_EVENT = "no event of "
"""How the library begins to say that nothing passes."""


@dataclass(frozen=True)
class Piece:
    """The files of one run, its cuts, and where its waveforms go."""

    tier1: Path
    tier2: Path
    cuts: CutsOfRun
    output: Path
    tagging: Tagging


class WaveformSaving:
    """What asks where the waveforms of the selected run or data set shall go, and writes them."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def ask(self) -> None:
        """Ask for the name of a file, of a data set for a folder; say why where nothing can be written."""
        run = self._window.bridge.session.selected_run
        if why := self._why_not(run):
            self._window.banner.say(why, level="warning")
        elif isinstance(run, DataSet):
            folder = run.members[0].tier2.parent
            ask_folder(self._window, TITLE, folder, lambda path: self.save_all(run, path))
        elif run is not None:
            tier1, _ = self._files(run)[0]
            suggested = _named(self._window.bridge.saving_folder(run), tier1)
            ask_save(self._window, TITLE, suggested, "Tier 1 files (*.h5)", lambda path: self.save(run, path))

    def _why_not(self, run: Run | None) -> str:
        if isinstance(run, DataSet):
            lacking = [one.run.title for one in run.members if one.tier1 is None]
            if lacking:
                return f"Waveforms come from Tier 1 files, and there is none of {', '.join(lacking[:3])}"
            if trouble := self._window.bridge.data_sets.trouble(run.run_id):
                return f"{run.title}: {trouble}"
        elif run is None or not self._files(run):
            return "Waveforms come from the Tier 1 file of a finished run"
        passing = passing_of(self._window.bridge.session)
        if passing is None:
            return "No cut is on: the file would be a copy of the whole Tier 1 file"
        whys = (why_not(name, self._tagging) for name in NAMES if name in passing.columns)
        return next((as_sentence(why) for why in whys if why), "")

    def _files(self, run: Run) -> list[tuple[Path, Path]]:
        """Give the Tier 1 and the Tier 2 file of each run; nothing where one is missing."""
        if isinstance(run, DataSet):
            return [(one.tier1, one.tier2) for one in run.members if one.tier1 is not None]
        state = self._window.bridge.state(run.run_id)
        outputs = state.outputs if state is not None and state.state == "done" else ()
        tier1, tier2 = tier1_among(outputs, run), tier2_among(outputs, run)
        return [] if tier1 is None or tier2 is None else [(tier1, tier2)]

    def save(self, run: Run, path: Path) -> None:
        """Write the waveforms of a run."""
        self._window.bridge.note_saved(path)
        tier1, tier2 = self._files(run)[0]
        self._write(run, [Piece(tier1, tier2, self._cuts_of(run), path, self._tagging)], str(path))

    def save_all(self, data_set: DataSet, folder: Path) -> None:
        """Write the waveforms of each run of a data set into a folder."""
        pieces = [
            Piece(
                tier1, tier2, self._cuts_of(one.run, one.run.run_number), _named(folder, tier1), self._tagging
            )
            for (tier1, tier2), one in zip(self._files(data_set), data_set.members, strict=True)
        ]
        self._write(data_set, pieces, str(folder))

    @property
    def _tagging(self) -> Tagging:
        return self._window.bridge.hit_tags.wanted

    def _cuts_of(self, run: Run, number: int | None = None) -> CutsOfRun:
        session = self._window.bridge.session
        return CutsOfRun(readable(session.cuts)[0], calibrations_of(session, run), number)

    def _write(self, run: Run, pieces: Sequence[Piece], where: str) -> None:
        bridge = self._window.bridge
        shown = pieces[0].output.name if len(pieces) == 1 else counted(len(pieces), "file")
        writing = Writing(self._window, TITLE, shown)

        def tell(at: int, message: Message) -> None:
            if writing.is_stopped or bridge.is_closed:
                raise Stopped("somebody stopped it")
            if isinstance(message, Progress):
                writing.tell(at + message.fraction, len(pieces))

        def write() -> tuple[int, int] | None:
            try:
                return _write_pieces(pieces, tell)
            except Stopped:
                return None

        def end(found: tuple[int, int] | None) -> None:
            writing.end()
            if found is None:
                bridge.log(f"Stopped; the waveforms of {run.title} were not all written", "warning")
                return
            n_events, n_files = found
            files = "" if len(pieces) == 1 else f" in {counted(n_files, 'file')}"
            bridge.log(f"Saved {counted(n_events, 'event')} that pass{files} as {where}")

        bridge.log(f"Writing the waveforms that pass to {shown}…")
        bridge.in_background(write, end, writing.end)


def _write_pieces(pieces: Sequence[Piece], tell: Callable[[int, Message], None]) -> tuple[int, int]:
    """Write the files; gives how many events and files. Runs of which no event passes have none."""
    from pygama.retrieve import select_events

    n_events = n_files = 0
    for at, piece in enumerate(pieces):
        done: list[Done] = []

        def listen(message: Message, at: int = at, done: list[Done] = done) -> None:
            if isinstance(message, Done):
                done.append(message)
            tell(at, message)

        try:
            select_events(
                piece.tier1, piece.tier2, piece.cuts, piece.output, tagging=piece.tagging, tell=listen
            )
        except SettingsError as error:
            if len(pieces) == 1 or not str(error).startswith(NO_EVENT):
                raise
            continue
        n_events, n_files = n_events + done[0].rows, n_files + 1
    if not n_files:
        raise SettingsError("no event of any run passes the cuts; nothing was written")
    return n_events, n_files


def _named(folder: Path, tier1: Path) -> Path:
    return folder / f"{tier1.stem}_passing.h5"
