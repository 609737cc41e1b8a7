"""Starts runs, asks for what they need first, and does what helps those that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QFileDialog

from pygama.analysis.calibration import Calibration
from pygama_gui.data import chain_facts
from pygama_gui.data.calibrated_with import of_another_chain
from pygama_gui.data.refusals import too_long_for
from pygama_gui.data.wiring import not_made
from pygama_gui.jobs import remedies
from pygama_gui.jobs.board import counted
from pygama_gui.jobs.room import FLOOR_BYTES, Need
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import calibrations_made_from
from pygama_gui.session.state import DataSet, Run, Session, Step
from pygama_gui.views.runs.cards import run_name
from pygama_gui.widgets import words
from pygama_gui.widgets.dialogs import ask_folder, file_dialog

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

SHORT_OF_ROOM, AMISS, NO_FOLDER = "short of room", "chain that cannot run", "no output folder"
"""What the banner is about where the disk seems too small, a step lacks something, or no folder is chosen."""
REWRITTEN = "files that another program wrote"
OTHER_GAIN = "calibration of another chain"
"""What it is about where a run was calibrated before another chain made its rows."""


class Processing:
    """The runs that a person has processed."""

    def __init__(self, window: MainWindow) -> None:
        self._window, self._bridge = window, window.bridge
        self._told_of: dict[str, tuple[tuple[Calibration, ...], tuple[Step, ...]]] = {}
        """Calibrations of a run, by its id, and the chain of its rows, of which all was told."""
        self._bridge.jobs_changed.connect(self._tell_other_gain)
        self._bridge.data_grew.connect(self._tell_other_gain)
        self._bridge.session_changed.connect(self._take_gain_back)

    def start(
        self, runs: list[Run], *, first: bool = False, follow: bool = False, unsure: bool = False
    ) -> None:
        """Start runs; the output folder is asked for the first time. Data sets are passed over.

        first: before all that wait. follow: their files still grow; unsure: they may.
        """
        asked = [run for run in runs if not isinstance(run, DataSet)]
        runs = [run for run in asked if run.can_be_processed]
        if asked and not runs:
            self._tell_nothing_to_process(asked[0])
            return
        chain = self._bridge.session.chain
        for index, amiss in chain_facts.what_is_amiss(chain).items():
            self._refuse_step(index, amiss)
            return
        if not self._window.plugins.are_as_agreed(
            chain, lambda: self.start(runs, first=first, follow=follow, unsure=unsure)
        ):
            return
        if lost := not_made(self._bridge.session):
            self._refuse_lost(lost)
            return
        runs = self._without_too_short(runs)
        by_folder: dict[Path | None, list[Run]] = {}
        for run in runs:
            by_folder.setdefault(self._bridge.folder_of(run), []).append(run)
        homeless = by_folder.pop(None, [])
        for folder, at_home in by_folder.items():
            if folder is not None:
                self._start_in(at_home, folder, first=first, follow=follow, unsure=unsure)
        if homeless:
            self.ask_output_dir(homeless)

    def _tell_nothing_to_process(self, run: Run) -> None:
        self._window.banner.say(
            f"{run.path.name} is of Tier 2, which is made of waveforms: drop the Tier 1 file of the run, or "
            "its raw file, to process it",
            level="warning",
        )

    def _start_in(self, runs: list[Run], folder: Path, *, first: bool, follow: bool, unsure: bool) -> None:
        """Start runs, but for those that another program has made files of: that is asked before."""

        def begin(some: list[Run]) -> None:
            self._start_if_room(some, folder, first=first, follow=follow, unsure=unsure)

        def take(others: Mapping[str, list[Path]]) -> None:
            if free := [run for run in runs if run.run_id not in others]:
                begin(free)
            if made := [run for run in runs if run.run_id in others]:
                self._ask_rewritten(made, [path for paths in others.values() for path in paths], begin)

        idle = [run for run in runs if not self._bridge.is_active(run.run_id)]
        self._bridge.rewritten.look_before(idle, folder, take)

    def _ask_rewritten(self, runs: list[Run], paths: list[Path], begin: Callable[[list[Run]], None]) -> None:
        """Say that another program made files of runs, and offer to read these instead."""
        names = _names(runs)
        others = f"{paths[-1].name}{' and others' if len(runs) > 1 else ''}"

        def read() -> None:
            self._window.banner.dismiss_about({REWRITTEN})
            self._read_rewritten(paths, runs)

        def go_on() -> None:
            self._window.banner.dismiss_about({REWRITTEN})
            begin(runs)

        told = f"{names}: another program has made {others} meanwhile, which would be lost."
        self._bridge.log(told, "warning")
        self._window.banner.say(
            told,
            level="warning",
            remedies=[("Read what it made", read), ("Process all the same", go_on)],
            about=REWRITTEN,
        )

    def tell_rewritten(self, paths: set[Path]) -> None:
        """Say that files of what is shown were written anew by another program, and offer to read them."""
        runs = [run for run in self._bridge.session.runs if paths & set(self._outputs_of(run))]
        if not runs:
            return

        def read() -> None:
            self._window.banner.dismiss_about({REWRITTEN})
            self._read_rewritten(paths, runs)

        names = ", ".join(sorted(path.name for path in paths))
        told = f"{_names(runs)}: another program wrote {names} anew; what is shown is what was there before."
        self._bridge.log(told, "warning")
        self._window.banner.say(told, level="warning", remedies=[("Read it anew", read)], about=REWRITTEN)

    def _outputs_of(self, run: Run) -> tuple[Path, ...]:
        state = self._bridge.state(run.run_id)
        return () if state is None else state.outputs

    def _read_rewritten(self, paths: Iterable[Path], runs: Iterable[Run]) -> None:
        self._bridge.rewritten.take(paths, runs)
        self._bridge.log(f"{_names(list(runs))}: read what another program has made")

    def _start_if_room(
        self, runs: list[Run], folder: Path, *, first: bool, follow: bool, unsure: bool
    ) -> None:
        """Start runs if the disk seems to have room for them."""

        def begin() -> None:
            self._window.banner.dismiss_about({SHORT_OF_ROOM, OTHER_GAIN})
            self._bridge.change(changes.redo_runs, [run.run_id for run in runs])
            for run in runs:
                self._told_of.pop(run.run_id, None)
            self._bridge.start(runs, folder, follow=follow, unsure=unsure)
            for run in reversed(runs if first else []):
                self._bridge.place_in_queue(run.run_id, 0)

        def start_if_room(free: int | None, need: Need) -> None:
            if free is None or free >= need.n_bytes + FLOOR_BYTES:
                begin()
                return
            names = _names(runs)
            need_words, free_words, floor = map(words.size, (need.n_bytes, free, FLOOR_BYTES))
            self._window.banner.say(
                f"{names} may need {need_words} ({need.basis}), and {free_words} is free on the output disk, "
                f"of which {floor} is to stay free.",
                level="warning",
                remedies=[
                    ("Start all the same", begin),
                    ("Choose a folder…", lambda: self.ask_output_dir(runs)),
                ],
                about=SHORT_OF_ROOM,
            )

        self._bridge.room.look_for(runs, folder, start_if_room)

    def _tell_other_gain(self, run_ids: set[str]) -> None:
        """Say of a run that its energies are those of another chain than the one that made its rows.

        Of one that was processed anew, and of one that is looked at, whenever either was done; once.
        """
        session = self._bridge.session
        for run_id in run_ids:
            live, run, state = self._bridge.live(run_id), session.run(run_id), self._bridge.state(run_id)
            if live is None or run is None or (state is not None and state.state != "done"):
                continue
            made_with = (calibrations_made_from(session, run), live.chain)
            if self._told_of.get(run_id) == made_with:
                continue
            is_due = any(of_another_chain(one, live.chain) for one in made_with[0])
            if is_due and run_id != session.selected and state is None:
                continue
            self._told_of[run_id] = made_with
            if is_due:
                self._window.banner.say(
                    f"{self._bridge.name_of(run_id)} was calibrated when another chain made its rows: "
                    "its lines may stand elsewhere now.",
                    level="offer",
                    remedies=[("Calibrate it anew", partial(self._calibrate, run_id))],
                    about=OTHER_GAIN,
                )

    def _calibrate(self, run_id: str) -> None:
        """Show the calibration of a run that is proposed for the rows that it has now."""
        self._bridge.change(changes.select_run, run_id)
        self._window.fits.come_to_sight()
        self._window.fits.calibration.calibrate()

    def _take_gain_back(self, old: Session, new: Session) -> None:
        if old.calibrations is not new.calibrations:
            self._window.banner.dismiss_about({OTHER_GAIN})
        if old.calibrations is not new.calibrations or old.selected != new.selected:
            self._tell_other_gain({new.selected})

    def _without_too_short(self, runs: list[Run]) -> list[Run]:
        """Leave out the runs whose waveforms are known to be too short for the chain, and say so of one."""
        found = {
            run.run_id: too_long_for(
                self._bridge.session, self._bridge.live(run.run_id), of_tier1=not run.is_raw
            )
            for run in runs
        }
        refused = [run for run in runs if found[run.run_id] is not None]
        for run in refused[:1]:
            others = f" ({counted(len(refused) - 1, 'other run')} as well)" if len(refused) > 1 else ""
            index, amiss = found[run.run_id] or (0, "")
            self._refuse_step(index, amiss, f"{self._bridge.name_of(run.run_id)} is not started{others}. ")
        return [run for run in runs if run not in refused]

    def _refuse_step(self, index: int, amiss: str, what: str = "") -> None:
        """Say which step keeps runs from being started, and offer to go there."""
        words = f"{what}Step {index + 1}, {self._bridge.session.chain[index].step}: {amiss}"
        go = ("Show the step", lambda: self._window.chain.show_step(index))
        self._window.banner.say(words, level="warning", remedies=[go], about=AMISS)

    def _refuse_lost(self, names: tuple[str, ...]) -> None:
        """Say what is to be kept and is not made any more, and offer to do without it."""

        def forget() -> None:
            session, change = self._bridge.session, self._bridge.change
            change(changes.keep_columns, [name for name in session.outputs if name not in names])
            change(changes.keep_waves, [name for name in session.save_waves if name not in names])
            self._window.banner.dismiss()

        listed = " and ".join(names)
        self._window.banner.say(
            f"No step that is on makes {listed}, which is to be kept in the Tier 2 file",
            level="warning",
            remedies=[("Keep the others", forget)],
        )

    def start_selected(self) -> None:
        """Process the run that is looked at."""
        if (run := self._bridge.session.selected_run) is not None:
            self.start([run])

    def start_next(self, run: Run) -> None:
        """Process a run before all others that wait."""
        if self._bridge.is_active(run.run_id):
            self._bridge.place_in_queue(run.run_id, 0)
        else:
            self.start([run], first=True)

    def follow(self, run: Run) -> None:
        """Follow a run whose file still grows, or no longer."""
        state = self._bridge.state(run.run_id)
        if state is not None and state.follows and not state.has_ended:
            self._bridge.stop_following(run.run_id)
        elif not self._bridge.is_active(run.run_id):
            self.start([run], follow=True)

    def show_halted(self, sentence: str, run_ids: list[str]) -> None:
        """Tell of runs that were paused, and offer to let them go on."""

        def go_on() -> None:
            self._window.banner.dismiss()
            self._bridge.go_on(run_ids)

        self._window.banner.say(sentence, level="warning", remedies=[("Go on", go_on)])

    def mend(self, run: Run, act: str) -> None:
        """Do what helps a run that failed; `act` is that of one of its remedies."""
        state = self._bridge.state(run.run_id)
        match act:
            case "aside" if state is not None and (other := remedies.other_name(state.text)) is not None:
                self._bridge.change(changes.write_aside, run.run_id, other[1])
            case "skip" if state is not None and state.culprit is not None:
                self._bridge.change(changes.skip_record, run.run_id, state.culprit.offset)
            case "folder":
                self.ask_output_dir([run])
                return
            case "search":
                self._bridge.culprits.find(run.run_id)
                self._window.banner.dismiss_about({run.run_id})
                return
            case "stop search":
                self._bridge.culprits.stop(run.run_id)
                return
            case "bundle":
                self.ask_save_bundle(run)
                return
            case "read":
                self._bridge.data_sets.look_again(run.run_id)
                return
            case "stop reading":
                self._bridge.data_sets.stop(run.run_id)
                return
        self._window.banner.dismiss_about({run.run_id})
        self.start([self._bridge.session.run(run.run_id) or run])

    def show_trouble(self, sentence: str, details: str, run_id: str) -> None:
        """Tell what went wrong with a run, and offer what helps."""
        run = self._bridge.session.run(run_id)
        acts = []
        if run is not None:
            found = remedies.remedies_for(self._bridge.state(run_id))
            acts = [(one.words, partial(self.mend, run, one.act)) for one in found]
        self._window.banner.say(sentence, details, remedies=acts, about=run_id)

    def ask_save_bundle(self, run: Run) -> None:
        """Ask where to save what is known of a crash."""
        dialog = file_dialog(self._window, "Save the crash bundle", self._bridge.saving_folder(run))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Crash bundles (*.zip)")
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(f"crash_run{run.run_number}.zip")
        dialog.fileSelected.connect(lambda name: self._bridge.note_saved(Path(name)))
        dialog.fileSelected.connect(lambda name: self._bridge.culprits.save_bundle(run.run_id, Path(name)))
        dialog.open()

    def ask_output_dir(self, then_process: list[Run]) -> None:
        """Ask where Tier 1 and Tier 2 files go, then process runs."""
        start = self._bridge.session.output_dir or Path.home()

        def complain() -> None:
            if then_process:
                self._bridge.log("Nothing was processed: no output folder was chosen", "warning")

        title = "Choose the folder for Tier 1 and Tier 2 files"
        ask_folder(
            self._window, title, start, lambda folder: self._take_output_dir(folder, then_process), complain
        )

    def _take_output_dir(self, folder: Path, then_process: list[Run]) -> None:
        self._bridge.change(changes.choose_output_dir, folder)
        self._window.banner.dismiss_about({NO_FOLDER})
        self._bridge.log(f"Tier 1 and Tier 2 files go to {folder}")
        if then_process:
            self.start(then_process)


def _names(runs: Sequence[Run]) -> str:
    """Name the first of some runs, and count the others."""
    return run_name(runs[0]) + (f" and {len(runs) - 1} more" if len(runs) > 1 else "")
