"""Takes Tier files that are dropped or opened: as runs where that can be, else into the panel of files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pygama.errors import TierFileError
from pygama.quick_dataclass import dataclass
from pygama_gui.data.chain_facts import written_out
from pygama_gui.data.outputs import find_outputs
from pygama_gui.data.trends import HEIGHTS
from pygama_gui.jobs.board import counted
from pygama_gui.session import changes, tier_files
from pygama_gui.session.calibration_changes import raw_column
from pygama_gui.session.state import Run, Session, Step
from pygama_gui.session.tier_files import TierKind
from pygama_gui.views.runs.cards import run_name, run_title
from pygama_gui.views.runs.set_making import make_set

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

AS_ONE = "Tier 2 files that may be one data set"
"""What the banner is about where several were opened together."""


OTHER_CHAIN = "the chain of a Tier 2 file"
"""What the banner is about where one was made with another chain than the present one."""


NO_FILES: Mapping[str, Sequence[Path]] = MappingProxyType({})


@dataclass(frozen=True)
class TierRuns:
    """What Tier files of a drop are. runs: those that they make; raw: runs of raw files with them, by id.

    joined: raw files whose Tier files make a run of the list, by its id. tier1: Tier 1 files of runs in the
    list that had none, by id. made: the Tier 2 files of those runs that need not be processed, by id; None of
    one without events. beside: runs in the list with files of their own, by the files that came with their
    raw file once more. moved: files of runs in the list that are not where they were, by id. copies: files
    that are there as well, each with the run. unfit: files that are no run, with the reason.
    """

    runs: tuple[Run, ...] = ()
    raw: Mapping[str, Run] = field(default_factory=dict)
    joined: Mapping[str, Run] = field(default_factory=dict)
    tier1: Mapping[str, Path] = field(default_factory=dict)
    made: Mapping[str, Path | None] = field(default_factory=dict)
    beside: Mapping[Path, Run] = field(default_factory=dict)
    moved: Mapping[str, Run] = field(default_factory=dict)
    copies: tuple[tuple[Path, Run], ...] = ()
    unfit: tuple[tuple[Path, str], ...] = ()


def look_at_tiers(
    paths: Iterable[Path],
    raw: Sequence[Run],
    listed: Sequence[Run],
    folder: Path | None,
    unread: Collection[str] = (),
    held: Mapping[str, Sequence[Path]] = NO_FILES,
) -> TierRuns:
    """Look into Tier files, in the thread that reads files.

    raw: runs of raw files that came with them; listed: runs that are there; folder: that of the output.
    unread: ids of those in the list of which there are no rows, which take the files as theirs. held: the
    files that runs in the list were made into, by id; where these are gone, so do they.
    """
    unread = {*unread, *_without_files(listed, held)}
    kinds, unfit = tier_files.kinds_of(paths)
    with_files: dict[str, Run] = {}
    beside: dict[Path, Run] = {}
    known = {run.path: run for run in listed}
    joined = _joined([run for run in raw if run.path not in known], listed)
    came = [known.get(run.path, run) for run in raw if run not in joined.values()]
    waiting = [run for run in listed if run.run_id in unread and run not in came]
    for run in (*came, *waiting):
        own = [one for one in kinds if tier_files.is_of_raw(run, one.identity)]
        if run.path in known and run.run_id not in unread:
            beside |= {one.path: run for one in own}
            continue
        tier1, tier2 = (next((one.path for one in own if one.tier == tier), None) for tier in (1, 2))
        if tier2 is not None:
            with_files[run.run_id] = replace(run, tier1=tier1, tier2=tier2)
        if tier2 is not None or run.path not in known:  # else the chain runs over the Tier 1 file alone
            kinds = [one for one in kinds if one not in own]
    tier1_of = _tier1_of(kinds, listed)
    kinds = [one for one in kinds if one.path not in tier1_of.values()]
    runs = tier_files.put_together(kinds, [] if folder is None else [folder])
    runs, moved, copies = _in_new_places(runs, listed)
    found = ((run.run_id, find_outputs(run, folder or run.path.parent)) for run in runs)
    made = {run_id: outputs.tier2 for run_id, outputs in found if outputs is not None}
    return TierRuns(tuple(runs), with_files, joined, tier1_of, made, beside, moved, copies, tuple(unfit))


def _without_files(listed: Iterable[Run], held: Mapping[str, Sequence[Path]]) -> set[str]:
    """Give the ids of runs of raw files whose rows are in no file any more."""
    files = {run.run_id: held.get(run.run_id, ()) or (run.tier2,) for run in listed if run.is_raw}
    last = {run_id: paths[-1] for run_id, paths in files.items()}
    return {run_id for run_id, path in last.items() if path is not None and not path.is_file()}


def _in_new_places(
    runs: Sequence[Run], listed: Sequence[Run]
) -> tuple[list[Run], dict[str, Run], tuple[tuple[Path, Run], ...]]:
    """Tell files of runs in the list, which were moved, and copies of them from those of other runs."""
    others: list[Run] = []
    moved: dict[str, Run] = {}
    copies: list[tuple[Path, Run]] = []
    for run in runs:
        is_known = any(run.path in (one.path, one.tier1, one.tier2) for one in listed)
        there_now = (*listed, *others, *moved.values())
        alike = [one for one in there_now if not is_known and tier_files.is_same_file(one, run)]
        there = next((one for one in alike if one.path.is_file()), None)
        gone = next((one for one in alike if one.run_id not in moved), None)
        if there is not None:
            copies.append((run.path, there))
        elif gone is not None:
            moved[gone.run_id] = replace(run, run_id=gone.run_id)
        else:
            others.append(_with_own_id(run, listed))
    return others, moved, tuple(copies)


def _with_own_id(run: Run, listed: Iterable[Run]) -> Run:
    """Give an id that no run has whose file was moved away from there."""
    taken = {one.run_id for one in listed if one.path != run.path}
    ids = (f"{run.run_id} ({n})" if n > 1 else run.run_id for n in range(1, len(taken) + 2))
    return replace(run, run_id=next(one for one in ids if one not in taken))


def _joined(raw: Sequence[Run], listed: Sequence[Run]) -> dict[str, Run]:
    """Find the raw files of runs in the list that are there by their Tier 2 files alone."""
    found: dict[str, Run] = {}
    for one in listed:
        alike = [run for run in raw if run.run_number == one.run_number and run not in found.values()]
        if one.is_raw or one.tier2 is None or not alike:
            continue
        try:
            identity = tier_files.kind_of(one.tier2).identity
        except (TierFileError, OSError):
            continue
        own = next((run for run in alike if tier_files.is_of_raw(run, identity)), None)
        if own is not None:
            found[one.run_id] = own
    return found


def _tier1_of(kinds: Sequence[TierKind], listed: Iterable[Run]) -> dict[str, Path]:
    """Find the Tier 1 files of runs in the list that lack theirs, unless its Tier 2 file came as well."""
    found = {}
    paths = {one.path for one in kinds}
    for run in listed:
        if run.tier2 is None or run.tier1 is not None or run.tier2 in paths:
            continue
        try:
            identity = tier_files.kind_of(run.tier2).identity
        except (TierFileError, OSError):
            continue
        own = next((one.path for one in kinds if one.tier == 1 and one.identity == identity), None)
        if own is not None:
            found[run.run_id] = own
    return found


class TierArrivals:
    """The Tier files that come into the window."""

    def __init__(self, window: MainWindow) -> None:
        self._window, self._bridge = window, window.bridge
        self._offered: frozenset[str] = frozenset()
        """Ids of the runs that may be looked at as one."""
        self._unseen: set[str] = set()
        """Ids of the runs whose columns nobody has seen yet."""
        self._whose_chain = ""
        """Id of the run whose chain is offered."""
        self._bridge.data_grew.connect(self._suit_column)
        self._bridge.session_changed.connect(self._take_offer_back)

    def without_known(self, tiers: TierRuns) -> tuple[TierRuns, list[Run]]:
        """Leave out the files of runs that are in the list already; gives these as well."""
        known, new = [], []
        for run in tiers.runs:
            owner = self._owner_of(run)
            if owner is None:
                new.append(run)
            elif owner not in known:
                known.append(owner)
        return replace(tiers, runs=tuple(new)), known

    def _owner_of(self, run: Run) -> Run | None:
        """Find the run in the list that the file was made of, or that it was given for."""
        for one in self._bridge.session.runs:
            state = self._bridge.state(one.run_id)
            outputs = state.outputs if state is not None and state.state == "done" else ()
            if run.path in (one.path, one.tier1, one.tier2, *outputs):
                return one
        return None

    def unread(self) -> set[str]:
        """Give the ids of the runs of raw files without rows: not processed, or to no end, nor given any."""
        runs = [one for one in self._bridge.session.runs if one.is_raw and not one.is_given]
        states = ((one.run_id, self._bridge.state(one.run_id)) for one in runs)
        return {run_id for run_id, state in states if state is None or state.state in ("failed", "stopped")}

    def held(self) -> dict[str, tuple[Path, ...]]:
        """Give the files that runs in the list were made into, by id."""
        states = ((run.run_id, self._bridge.state(run.run_id)) for run in self._bridge.session.runs)
        done = ((run_id, state) for run_id, state in states if state is not None and state.state == "done")
        return {run_id: state.outputs for run_id, state in done if state.outputs}

    def take_moved(self, moved: Mapping[str, Run]) -> None:
        """Have runs read from where their files are now."""
        for run_id, run in moved.items():
            before = self._bridge.session.run(run_id)
            if before is None:
                continue
            self._bridge.change(changes.take_new_place, run_id, run)
            self._bridge.gone.let_go((before.path, before.tier1, before.tier2))
            name = self._bridge.name_of(run_id)
            self._bridge.log(
                f"{name} is read from {run.path} now: it is not in {before.path.parent} any more"
            )

    def take_given(self, raw: Mapping[str, Run]) -> None:
        """Give runs in the list the Tier files that came with their raw files once more."""
        for run_id, given in raw.items():
            run = self._bridge.session.run(run_id)
            if run is not None and given.tier2 is not None and run.tier2 != given.tier2:
                state = self._bridge.state(run_id)
                was = state.outputs[-1] if state is not None and state.outputs else run.tier2
                self._bridge.change(changes.take_tier_files, run_id, given.tier1, given.tier2, was)

    def take_joined(self, joined: Mapping[str, Run]) -> None:
        """Give runs of Tier files the raw files that came later."""
        for run_id, raw in joined.items():
            self._bridge.change(changes.take_raw, run_id, raw)
            self._bridge.log(f"{raw.path.name} is the raw file of {self._bridge.name_of(run_id)}")

    def take_waveforms(self, tier1: Mapping[str, Path]) -> None:
        """Give runs of Tier 2 files the Tier 1 files that came later."""
        for run_id, path in tier1.items():
            self._bridge.change(changes.take_tier1, run_id, path)
            self._bridge.log(f"{path.name} holds the waveforms of {self._bridge.name_of(run_id)}")

    def tell(self, tiers: TierRuns, known: Collection[Run]) -> None:
        """Say what Tier files are, and what there is to see of them; several may be one data set."""
        of_tier2 = [run for run in tiers.runs if run.path == run.tier2]
        if len(of_tier2) > 1:
            self._offer_as_one(of_tier2)
        for run in known:
            self._bridge.log(f"{run_title(run)} is in the list already")
        for run in tiers.raw.values():
            self._bridge.log(f"{run_name(run)} is shown from its Tier files; process it to make them anew")
        for run in tiers.runs:
            self._bridge.log(_words_for(run, tiers.made))
            if (other := tiers.beside.get(run.path)) is not None:
                self._bridge.log(
                    f"{run.path.name} is a run of its own: {run_name(other)} has its files already"
                )
        self._unseen |= {run.run_id for run in tiers.runs if run.is_given}
        if tiers.unfit:
            self.show_unfit(tiers.unfit)

    def _suit_column(self, run_ids: set[str]) -> None:
        """Have the spectrum show a height that a Tier 2 file has, where it has not the one that is chosen."""
        session = self._bridge.session
        live = self._bridge.live(session.selected)
        if session.selected not in self._unseen & run_ids or live is None or not len(live.columns):
            return
        self._unseen.discard(session.selected)
        self._offer_chain(session.selected_run, live.chain)
        shown = session.spectrum
        if {shown.column, raw_column(session, shown.column)}.isdisjoint(live.columns.names):
            numbers = [name for name in live.columns.names if live.columns.column(name).dtype.kind == "f"]
            heights = [name for name in HEIGHTS if name in live.columns]
            if wanted := [*heights, *numbers]:
                self._bridge.change(changes.show_spectrum, replace(shown, column=wanted[0]))

    def show_unfit(self, unfit: Sequence[tuple[Path, str]]) -> None:
        """Show files that are no runs in the panel of files, and say why of the first one."""
        self._window.arrivals.show_files(path for path, _ in unfit)
        for path, why in unfit:
            self._bridge.log(why if path.name in why else f"{path.name}: {why}", "warning")
        others = f" ({counted(len(unfit) - 1, 'other file')} as well)" if len(unfit) > 1 else ""
        self._window.banner.say(
            f"Only the panel Files shows {unfit[0][0].name}{others}. {unfit[0][1]}", level="warning"
        )

    def _offer_as_one(self, runs: Sequence[Run]) -> None:
        """Offer to look at several Tier 2 files as one data set."""

        def make() -> None:
            self._window.banner.dismiss()
            if why := make_set(self._bridge, runs):
                self._window.banner.say(why, level="warning")

        self._offered = frozenset(run.run_id for run in runs)
        self._window.banner.say(
            f"{counted(len(runs), 'Tier 2 file')} were opened, each as a run for itself.",
            level="offer",
            remedies=[("Look at them as one", make)],
            about=AS_ONE,
        )

    def _offer_chain(self, run: Run | None, chain: tuple[Step, ...]) -> None:
        """Offer the chain that a Tier 2 file was made with, where it is another one; take none unasked."""
        is_same = written_out(chain) == written_out(self._bridge.session.chain)
        if run is None or not chain or is_same or self._window.banner.isVisible():
            return

        def take() -> None:
            self._bridge.change(changes.take_chain, chain)  # which takes the offer back
            self._bridge.log(f"Took the chain of {run.path.name}")

        self._whose_chain = run.run_id
        made = run.path if run.tier2 is None else run.tier2
        self._window.banner.say(
            f"{made.name} was made with another chain than the one beside it.",
            level="offer",
            remedies=[("Take its chain", take)],
            about=OTHER_CHAIN,
        )

    def _take_offer_back(self, old: Session, session: Session) -> None:
        """Offer nothing any more that is about runs which are not in the list, as after undo.

        The chain of a run is offered until another run, or another chain, is chosen.
        """
        if self._whose_chain and (session.selected != self._whose_chain or session.chain != old.chain):
            self._whose_chain = ""
            self._window.banner.dismiss_about({OTHER_CHAIN})
        if not all(session.run(run_id) for run_id in self._offered):
            self._offered = frozenset()
            self._window.banner.dismiss_about({AS_ONE})


def _words_for(run: Run, made: Mapping[str, Path | None]) -> str:
    """Say what of a run is there. made: as in `TierRuns`."""
    name = run.path.name
    if run.tier2 is not None and run.tier1 is not None:
        other = run.tier1 if run.path == run.tier2 else run.tier2
        return f"{name} is shown with {other.name}"
    if run.tier2 is not None:
        return f"{name} is shown without waveforms: its Tier 1 file is not beside it"
    if run.run_id not in made:
        return f"{name} holds waveforms"
    tier2 = made[run.run_id]
    return f"{name} holds no event" if tier2 is None else f"{name} is shown with {tier2}, made of it before"
