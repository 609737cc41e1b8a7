"""Reads what finished runs left in files: for runs of earlier sessions, and for those let go of in between.

All of it in the one thread that reads files. Rows of the runs that were looked at last stay in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.analysis.calibration import Calibration
from pygama_gui.data.channels import CODE
from pygama_gui.data.files_waveforms import FilesWaveforms
from pygama_gui.data.live_run import LiveRun, tier1_among, tier2_among
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.outputs import Outputs, find_outputs, read_columns, read_tier0
from pygama_gui.data.preview import chain_of_file
from pygama_gui.data.samples import Tier1Waveforms
from pygama_gui.data.set_waveforms import SetWaveforms
from pygama_gui.jobs.board import JobState
from pygama_gui.session.state import DataSet, Run

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge

Waveforms = Tier1Waveforms | SetWaveforms

N_FIRST = 50
"""Waveforms of an earlier session's file that are read at once, to be laid over each other."""
N_TOGETHER = 25
"""Runs whose files are looked for at a time: views are told once of them all, and a reader waits little."""
KEPT_RUNS, KEPT_BYTES = 12, 400_000_000
"""Rows of so many runs, and of so many bytes, stay in memory; beyond, those not looked at for longest go."""


class Loading:
    """The files of finished runs."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._looked_for: set[tuple[Run, Path]] = set()
        self._tier1: tuple[LiveRun, Waveforms] | None = None

    def look_for_outputs(self) -> None:
        """Look for files of runs that were not processed in this session, and show those of the selected."""
        bridge = self._bridge
        new: list[tuple[Run, Path]] = []
        for run in bridge.session.runs:
            folder = bridge.folder_of(run) or (None if run.is_raw else run.path.parent)
            if bridge.state(run.run_id) is not None or folder is None:
                continue
            if (run, folder) not in self._looked_for:
                self._looked_for.add((run, folder))
                new.append((run, folder))
        new.sort(key=lambda one: one[0].run_id not in self.looked_at)
        for at in range(0, len(new), N_TOGETHER):
            self._look_for(new[at : at + N_TOGETHER])
        bridge.data_sets.look()
        self._load_shown()

    def _look_for(self, runs: Sequence[tuple[Run, Path]]) -> None:
        """Look for the files of some runs, each in its folder."""

        def look() -> tuple[list[tuple[Run, Outputs]], list[Path]]:
            answers = [(run, find_outputs(run, folder)) for run, folder in runs if not self._bridge.is_closed]
            lacking = (run.tier2 for run, found in answers if found is None)
            gone = [path for path in lacking if path is not None and not path.is_file()]
            return [(run, found) for run, found in answers if found is not None], gone

        def take(answer: tuple[list[tuple[Run, Outputs]], list[Path]]) -> None:
            self._take_found(*answer)
            self._bridge.rewritten.note_looked_for(run.run_id for run, _ in runs)

        self._bridge.in_background(look, take)

    def _take_found(self, found: list[tuple[Run, Outputs]], gone: list[Path]) -> None:
        bridge = self._bridge
        for path in gone:
            bridge.tell_gone(path)
        # a run that was given another file since is looked for anew
        known = {run for run in bridge.session.runs if bridge.state(run.run_id) is None}
        if wanted := [(run, outputs) for run, outputs in found if run in known]:
            for run, _ in wanted:
                bridge.data.pop(run.run_id, None)  # waveforms alone, of a Tier 1 file
            bridge.restore(wanted)
            self._load_shown()

    def look_again(self, run_id: str) -> None:
        """Look once more for the files of a run, because other files were written in their place."""
        self.forget(run_id)
        self.look_for_outputs()

    def forget(self, run_id: str) -> None:
        """Forget that the files of a run were looked for."""
        self._looked_for = {one for one in self._looked_for if one[0].run_id != run_id}

    @property
    def looked_at(self) -> tuple[str, ...]:
        """Ids of the runs that the views show."""
        session = self._bridge.session
        return session.selected, *session.spectrum.others

    def _load_shown(self) -> None:
        data = self._bridge.data
        for run_id in self.looked_at:
            if run_id in data:
                data[run_id] = data.pop(run_id)  # the last one that goes
            self._load(run_id)
            self._load_waveforms(run_id)
        self.let_go()

    def let_go(self) -> None:
        """Let go of rows of runs not looked at for longest; the finished files can be read again."""
        data = self._bridge.data
        n_bytes = sum(live.n_bytes for live in data.values())
        for run_id in tuple(data):
            if len(data) <= KEPT_RUNS and n_bytes <= KEPT_BYTES:
                return
            if run_id not in self.looked_at and self._finished(run_id) is not None:
                n_bytes -= data.pop(run_id).n_bytes

    def _finished(self, run_id: str) -> JobState | None:
        """Give the state of a run whose files are there and whole; None of any other."""
        state = self._bridge.state(run_id)
        return state if state is not None and state.state == "done" and state.outputs else None

    def _load(self, run_id: str) -> None:
        """Read the files of a finished run, unless its rows are there."""
        state = self._finished(run_id)
        if state is not None and run_id not in self._bridge.data:
            calibrations = self._bridge.calibrations_of(run_id)
            if isinstance(data_set := self._bridge.session.run(run_id), DataSet):
                self._bridge.data_sets.load(data_set, calibrations)
                return
            self._bridge.data[run_id] = LiveRun(calibrations)
            run = self._bridge.session.run(run_id)
            self._bridge.in_background(
                lambda: self._read_outputs(run, state, calibrations),
                lambda live: self._show_read(run_id, state, live),
            )

    def _load_waveforms(self, run_id: str) -> None:
        """Have the waveforms of a Tier 1 file ready that the chain has not run over yet."""
        bridge, run = self._bridge, self._bridge.session.run(run_id)
        if run is None or run.tier1 is None or run.is_raw or run_id in bridge.data:
            return
        if bridge.state(run_id) is not None or run.is_given:
            return
        tier1 = run.tier1
        bridge.data[run_id] = LiveRun(bridge.calibrations_of(run_id))

        def read() -> LiveRun:
            live = LiveRun(bridge.calibrations_of(run_id))
            _take_first_waveforms(live, tier1)
            with closing(Tier1Waveforms(tier1)) as waveforms:
                live.some_codes = waveforms.some_codes()
                live.channels = np.unique(live.some_codes).tolist()
            return live

        bridge.in_background(read, lambda live: self._show_read(run_id, None, live))

    def _read_outputs(
        self, run: Run | None, state: JobState, calibrations: tuple[Calibration, ...]
    ) -> LiveRun:
        """Read the rows of the files of an earlier session, and its first waveforms."""
        live = LiveRun(calibrations)
        tier1, tier2 = tier1_among(state.outputs, run), tier2_among(state.outputs, run)
        live.chain = () if tier2 is None else (chain_of_file(tier2) or ())
        for columns in () if tier2 is None or not state.rows else read_columns(tier2):
            live.take_columns(columns)
            if self._bridge.is_closed:
                return live
        if tier1 is not None:
            _take_first_waveforms(live, tier1)
        return live

    def _show_read(self, run_id: str, state: JobState | None, live: LiveRun) -> None:
        if self._bridge.state(run_id) is state:
            self._bridge.data[run_id] = live
            self._bridge.data_grew.emit({run_id})
            self.calibrate(run_id)

    def calibrate(self, run_id: str) -> None:
        """Make the energies of a run as the session says, in a thread, unless they are so already."""
        bridge = self._bridge
        live, wanted = bridge.live(run_id), bridge.calibrations_of(run_id)
        if live is None or live.calibrations == wanted:
            return
        n_rows, columns = len(live.columns), live.snapshot(wanted)
        codes = live.columns.column(CODE) if CODE in live.columns else None

        def show(energies: dict[str, np.ndarray]) -> None:
            if bridge.live(run_id) is live and bridge.calibrations_of(run_id) == wanted:
                bridge.data[run_id] = live.calibrated(wanted, energies, n_rows)
                bridge.data_grew.emit({run_id})
            else:
                self.calibrate(run_id)

        bridge.compute(lambda: live.energies(wanted, columns, codes), show)

    def read_waveforms(
        self,
        run_id: str,
        work: Callable[[Any], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None],
    ) -> None:
        """Do work with the finished Tier 1 file of a run, in the thread that reads files.

        Nothing is done while the rows of a data set are still being read: nobody knows yet which are a run's.
        """
        read, run, live = self.reader(run_id), self._bridge.session.run(run_id), self._bridge.data[run_id]
        if read is None:
            return
        files = {one.tier1 for one in run.members} if isinstance(run, DataSet) else {live.tier1}

        def take(found: Any) -> None:
            self._bridge.gone.found(files)
            then(found)

        self._bridge.in_background(lambda: work(read()), take, otherwise)

    def reader(self, run_id: str) -> Callable[[], Any] | None:
        """Give what opens a run's waveforms, in the thread that reads files; None before they are there."""
        live = self._bridge.data[run_id]
        if live.tier1 is None or (isinstance(live, LiveSet) and not live.starts):
            return None
        known = self._bridge.data_sets.waveform_rows.known(live)

        def read() -> Any:
            file = self._waveforms_of(live)
            if isinstance(file, FilesWaveforms):
                file.know(known)
            return file

        return read

    def _waveforms_of(self, live: LiveRun) -> Waveforms:
        if self._tier1 is None or self._tier1[0] is not live:
            assert live.tier1 is not None
            self.close()
            if isinstance(live, LiveSet):
                self._tier1 = (live, FilesWaveforms(live) if live.is_on_disk else SetWaveforms(live))
            else:
                self._tier1 = (live, Tier1Waveforms(live.tier1, live.columns))
        return self._tier1[1]

    def close(self) -> None:
        """Let go of the file that waveforms were read from last."""
        if self._tier1 is not None:
            self._tier1[1].close()
            self._tier1 = None


def _take_first_waveforms(live: LiveRun, tier1: Path) -> None:
    """Have the first waveforms of a Tier 1 file at hand, and the first of each of its tables."""
    live.tier1, live.tier0 = tier1, read_tier0(tier1)
    with closing(Tier1Waveforms(tier1)) as waveforms:
        first = range(min(waveforms.count(), N_FIRST))
        for place in (*(place for place in waveforms.first_places() if place not in first), *first):
            live.samples.add(waveforms.sample(place))
