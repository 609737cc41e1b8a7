"""Takes whatever is dropped, opened or comes into a watched folder, each as what it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer, pyqtSignal
from PyQt5.QtWidgets import QFileDialog

from pygama.channel_map import is_channel_map
from pygama_gui.desks.tier_arrivals import AS_ONE, OTHER_CHAIN, TierArrivals, TierRuns, look_at_tiers
from pygama_gui.jobs import watch
from pygama_gui.jobs.board import counted
from pygama_gui.jobs.following import PATIENCE_S, PROOF_S
from pygama_gui.jobs.watch import Fresh, NewRun
from pygama_gui.session import changes, files, pictured, saved
from pygama_gui.session.files import Found
from pygama_gui.session.state import Run
from pygama_gui.views.cuts.view import is_cuts
from pygama_gui.views.runs.cards import run_title
from pygama_gui.widgets.dialogs import ask_folder, file_dialog

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

MANY_RUNS = 8
"""More runs than this in one drop wait for a person to start them."""
PATIENCE_MS = 300
"""What takes longer says that it is under way."""
GROWTH_MS = 700
"""A file that was written to lately is looked at once more after so long: what grew meanwhile is followed."""
FOLLOWED = (
    f"may still grow: followed until nothing came for {PROOF_S / 60:.3g} min, "
    f"once it has grown for {PATIENCE_S / 60:.3g} min; Ctrl+Space ends it"
)
FILES_HEIGHT = 320
MOST_LOOKED_AT = 8
"""Files that are held over the window are looked into, as many at most."""
DROP_WORDS = {
    "runs": "Drop to add the runs",
    "picture": "Drop to bring the view back",
    "session": "Drop to open the session",
    "settings": "Drop to use the settings",
    "cuts": "Drop to use the cuts",
    "calibration": "Drop to use the calibration",
    "channel map": "Drop to name the channels",
    "plug-in": "Drop to add the plug-in",
    "tier": "Drop to open as Tier files",
}
"""What comes of letting files go, by their kind."""
SINGLE_WORDS = {"runs": "Drop to add the run", "tier": "Drop to open as a Tier file"}
"""The same of a file alone, where it differs."""
ELSEWHERE = "Only files on this computer can be dropped"


class Arrivals(QObject):
    """What comes into the window."""

    refused = pyqtSignal()
    """A file could not be taken as a run."""
    opened = pyqtSignal()
    """Runs were taken of which none is processed: their files are there."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._bridge = window, window.bridge
        self._tiers = TierArrivals(window)
        self._bridge.opening.connect(self._let_go)
        self._bridge.not_taken.connect(self.tell_not_taken)

    def add_paths(self, paths: Iterable[Path], *, process: bool | None = None) -> None:
        """Take files and folders: runs, sessions, settings, cuts, calibrations, channel maps and plug-ins.

        A picture that was saved here brings back what it shows, and a plug-in is run once somebody agreed.
        What cannot be taken says why.

        process: whether the runs are started; None: as the session says.
        """
        window = self._window
        self._bridge.opening.emit()
        by_kind: dict[str, list[Path]] = {}
        for path in paths:
            by_kind.setdefault(_kind_of(path), []).append(path)
        takers: dict[str, Callable[[Path], object]] = {
            "session": window.documents.open,  # first: it takes the place of all that was there
            "calibration": window.fits.calibration.load,
            "channel map": window.settings_files.take_channel_map,
            "cuts": self._take_cuts,
            "plug-in": window.settings_files.add_plugin,
            "settings": window.settings_files.load,
            "picture": window.documents.open_picture,
        }
        for kind, take in takers.items():
            for path in by_kind.get(kind, ()):
                take(path)
        if raw := by_kind.get("runs"):
            self._look_for_runs(raw, process=process)

    def tell_not_taken(self, why: str, details: str = "") -> None:
        """Say why a file was not taken, until the next one is opened; the log keeps it."""
        self._window.banner.say(why, details, level="warning")
        self._bridge.log(why, "warning")

    def _let_go(self) -> None:
        """Say no longer what became of files that were opened before."""
        self._window.banner.let_go()
        self._window.banner.dismiss_about({AS_ONE, OTHER_CHAIN})
        self._window.runs.show_refused(())

    def refuse(self, urls: Sequence[str]) -> None:
        """Say that what lies elsewhere is not taken."""
        reason = "is not on this computer; save it, then drop the file"
        self._window.runs.show_refused(tuple((Path(url), f"{Path(url).name} {reason}") for url in urls))
        for url in urls:
            self._bridge.log(f"{url} {reason}", "warning")

    def _take_cuts(self, path: Path) -> None:
        self._window.cuts.load(path)
        self._window.show_cuts()

    def _look_for_runs(self, paths: list[Path], *, process: bool | None) -> None:
        looking = QTimer(self._window)
        looking.setSingleShot(True)
        looking.timeout.connect(lambda: self._bridge.log(f"Looking for runs in {paths[0].name}…"))
        looking.start(PATIENCE_MS)

        listed, folder = self._bridge.session.runs, self._bridge.session.output_dir
        unread, held = self._tiers.unread(), self._tiers.held()

        def look() -> tuple[Found, TierRuns, dict[Path, Fresh]]:
            found = files.find_runs(paths)
            tiers = look_at_tiers(found.hdf5, found.runs, listed, folder, unread, held)
            return found, tiers, watch.fresh_of(run.path for run in found.runs)

        self._bridge.in_background(
            look,
            lambda answer: self._take_found(*answer, process=process, looking=looking),
            looking.deleteLater,
        )

    def _take_found(
        self,
        found: Found,
        tiers: TierRuns,
        fresh: dict[Path, Fresh],
        *,
        process: bool | None,
        looking: QTimer,
    ) -> None:
        took_long = not looking.isActive()
        looking.stop()  # else it may say so before it is gone
        looking.deleteLater()
        found = self._without_known(found)
        tiers, listed = self._tiers.without_known(tiers)
        joined = {run.path for run in tiers.joined.values()}
        raw = [tiers.raw.get(run.run_id, run) for run in found.runs if run.path not in joined]
        new = self._new_among(raw, tiers, process=process)
        self._bridge.change(changes.add_runs if raw else changes.open_tier_files, (*raw, *tiers.runs))
        self._tiers.take_given(tiers.raw)
        self._tiers.take_moved(tiers.moved)
        self._tiers.take_joined(tiers.joined)
        self._tiers.take_waveforms(tiers.tier1)
        refused = (*found.refused, *((path, _copy_words(path, run)) for path, run in tiers.copies))
        self._tell_refused(refused)
        if took_long and not refused and (raw or not found.hdf5):
            self._bridge.log(f"{counted(len(raw), 'run')} found")
        self._tiers.tell(tiers, listed)
        shown = [run.run_id for run in (*raw, *tiers.runs, *listed)]
        shown += [*tiers.joined, *tiers.raw, *tiers.tier1, *tiers.moved]
        if shown := [*shown, *(run.run_id for _, run in tiers.copies)]:
            self._bridge.change(changes.select_run, shown[0])
        if new:
            self._start(new, fresh)
        if refused or tiers.unfit:
            self.refused.emit()
        elif shown and not new:
            self.opened.emit()

    def _new_among(self, raw: Iterable[Run], tiers: TierRuns, *, process: bool | None) -> list[Run]:
        """Give the runs that are to be processed: those that are new and have no files yet."""
        known = {run.path for run in self._bridge.session.runs}
        new = [run for run in raw if (process or run.path not in known) and run.run_id not in tiers.raw]
        new += [run for run in tiers.runs if run.run_id not in tiers.made]
        if process is None:
            process = self._bridge.session.process_on_add and len(new) <= MANY_RUNS
        return new if process else []

    def _tell_refused(self, refused: tuple[tuple[Path, str], ...]) -> None:
        """Say which files are no runs."""
        self._window.runs.show_refused(refused)
        for path, reason in refused:
            self._bridge.log(reason if path.name in reason else f"{path.name}: {reason}", "warning")

    def _start(self, runs: list[Run], fresh: dict[Path, Fresh]) -> None:
        """Process runs, and follow those whose files grow.

        Of files that may grow, the one written to last is followed until it proves to be finished: a DAQ may
        write seldom. For the others, a look at their sizes a moment later tells.
        """
        if finished := [run for run in runs if run.path not in fresh]:
            self._window.processing.start(finished)
        newest = watch.written_last({run.path: fresh[run.path] for run in runs if run.path in fresh})
        if maybe := [run for run in runs if run.path == newest]:
            self._bridge.log(f"{run_title(maybe[0])} {FOLLOWED}")
            self._window.processing.start(maybe, unsure=True)
        unsure = [run for run in runs if run.path in fresh and run.path != newest]
        if not unsure:
            return

        def take(growing: set[Path]) -> None:
            for follow in (True, False):
                listed = [run for run in unsure if self._bridge.session.run(run.run_id) is not None]
                if some := [run for run in listed if (run.path in growing) == follow]:
                    self._window.processing.start(some, follow=follow)

        wait = QTimer(self)
        wait.setSingleShot(True)
        wait.timeout.connect(lambda: self._bridge.in_background(lambda: watch.grown(fresh), take))
        wait.timeout.connect(wait.deleteLater)
        wait.start(GROWTH_MS)

    def _without_known(self, found: Found) -> Found:
        """Leave out runs that are there under another name, and say so."""
        runs: list[Run] = []
        refused = list(found.refused)
        by_header: defaultdict[str, list[Run]] = defaultdict(list)
        for one in self._bridge.session.runs:
            by_header[one.header_sha256].append(one)
        for run in found.runs:
            known = files.known_as(run, by_header[run.header_sha256])
            if known is None:
                runs.append(run)
                by_header[run.header_sha256].append(run)
            else:
                title = run_title(known)
                refused.append((run.path, f"{run.path.name} is in the list as {title}: the same header"))
                self._bridge.change(changes.select_run, known.run_id)
        return Found(tuple(runs), tuple(refused), found.hdf5)

    def show_files(self, paths: Iterable[Path]) -> None:
        """Show what is in Tier files, where the keyboard goes on."""
        for path in paths:
            self._window.files.open_file(path)
            self._window.show_bottom(self._window.files_dock, FILES_HEIGHT)
            self._window.files.tree.setFocus()
            self._bridge.log(f"{path.name} is in the files panel")

    def take_new(self, new: list[NewRun]) -> None:
        """Take runs that have come into the folder that is watched; the list may have their Tier 2 files."""
        runs, listed = [one.run for one in new], self._bridge.session.runs
        folder = self._bridge.session.output_dir
        self._bridge.in_background(
            lambda: look_at_tiers((), runs, listed, folder).joined, lambda joined: self._add_new(new, joined)
        )

    def _add_new(self, new: list[NewRun], joined: Mapping[str, Run]) -> None:
        """Add runs that have come; one that still grows is followed."""
        self._tiers.take_joined(joined)
        ours = {run.path for run in joined.values()}
        found = self._without_known(Found(tuple(one.run for one in new if one.run.path not in ours)))
        known = {run.path for run in self._bridge.session.runs}
        self._bridge.change(changes.add_runs, found.runs)
        for _, reason in found.refused:
            self._bridge.log(reason)
        fresh = [run for run in found.runs if run.path not in known]
        for run in fresh:
            self._bridge.log(f"{run_title(run)} has come into the folder that is watched")
        if fresh and self._bridge.session.process_on_add:
            growing = {one.run.path for one in new if one.is_growing}
            for follow in (True, False):
                if runs := [run for run in fresh if (run.path in growing) == follow]:
                    self._window.processing.start(runs, follow=follow)

    def watch_folder(self, is_wanted: bool) -> None:  # noqa: FBT001
        """Ask for a folder to watch for new runs, or watch none."""
        if not is_wanted:
            self._bridge.change(changes.watch_folder, None)
            self._bridge.log("No folder is watched any more")
            return
        ask_folder(
            self._window,
            "Watch a folder for new runs",
            self.last_folder(),
            self._take_watched,
            lambda: self._window.menus.show_watched(self._bridge.session.watched),
        )

    def _take_watched(self, folder: Path) -> None:
        self._bridge.change(changes.watch_folder, folder)
        self._bridge.log(f"Watching {folder}: runs that come into it are added")

    def ask_open(self) -> None:
        """Ask for raw files."""
        dialog = file_dialog(self._window, "Open raw files", self.last_folder())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.add_paths(Path(name) for name in names))
        dialog.open()

    def ask_open_folder(self) -> None:
        """Ask for a folder with raw files."""
        ask_folder(
            self._window,
            "Open a folder with raw files",
            self.last_folder(),
            lambda folder: self.add_paths([folder]),
        )

    def ask_open_tier(self) -> None:
        """Ask for Tier files, and show them as runs."""
        self._ask_tier(self.add_paths)

    def ask_look_into(self) -> None:
        """Ask for Tier files to look into in the panel of files."""
        self._ask_tier(self.show_files)

    def _ask_tier(self, take: Callable[[Iterator[Path]], None]) -> None:
        dialog = file_dialog(
            self._window, "Open Tier files", self._bridge.session.output_dir or self.last_folder()
        )
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters(["Tier and other HDF5 files (*.h5 *.hdf5 *.lh5 *.hdf)", "All files (*)"])
        dialog.filesSelected.connect(lambda names: take(Path(name) for name in names))
        dialog.open()

    def last_folder(self) -> Path:
        """Give the folder of the file that was taken last."""
        recent = self._bridge.session.recent
        return recent[0].parent if recent else Path.home()


def drop_words(paths: Sequence[Path]) -> str:
    """Say what comes of letting files go over the window, by the first few; none are on this computer."""
    looked_at = paths[:MOST_LOOKED_AT]
    kinds = {"tier" if path.is_file() and files.is_hdf5(path) else _kind_of(path) for path in looked_at}
    if not kinds:
        return ELSEWHERE
    if len(kinds) > 1:
        return "Drop to open the files"
    kind = kinds.pop()
    is_single = len(paths) == 1 and not paths[0].is_dir()
    return SINGLE_WORDS.get(kind, DROP_WORDS[kind]) if is_single else DROP_WORDS[kind]


def _copy_words(path: Path, run: Run) -> str:
    """Say that a Tier file is in the list from another place."""
    return f"{path.name} is in the list as {run_title(run)}, in {run.path.parent}: a copy of it"


def _kind_of(path: Path) -> str:
    """Tell what a file is by what it holds; 'runs' where it may be anything else."""
    if saved.is_calibration(path):
        return "calibration"
    if is_cuts(path):
        return "cuts"
    if is_channel_map(path):
        return "channel map"
    if path.suffix == ".json":
        return "session" if saved.is_session(path) else "settings"
    if path.suffix == ".py":
        return "plug-in"
    return "picture" if pictured.is_picture(path) else "runs"
