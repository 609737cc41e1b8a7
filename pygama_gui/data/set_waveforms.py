"""Reads waveforms of a data set, each from the Tier 1 file of its run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import numpy as np

from pygama_gui.data.live import LiveColumns
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.samples import EVERYTHING, Bunch, Sample, Tier1Waveforms, joined
from pygama_gui.data.selection import Selection
from pygama_gui.session.state import Member

MOST_OPEN = 8
"""Tier 1 files that are open at the same time."""
MOST_KNOWN = 4
"""Selections whose counts are kept."""


class _Rows:
    """The columns of one run of a data set."""

    def __init__(self, columns: LiveColumns, start: int, stop: int) -> None:
        self._columns, self._rows = columns, slice(start, stop)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __len__(self) -> int:
        return self._rows.stop - self._rows.start

    def column(self, name: str) -> np.ndarray:
        """Give the rows of the run."""
        return self._columns.column(name)[self._rows]


class SetWaveforms:
    """Waveforms of all runs of a data set, as `Tier1Waveforms` has those of one. One thread's own."""

    def __init__(self, live: LiveSet) -> None:
        ends = [*live.starts[1:], len(live.columns)]
        self._members = live.members
        self._live = live
        self._rows = [_Rows(live.columns, *part) for part in zip(live.starts, ends, strict=True)]
        self._open: OrderedDict[int, Tier1Waveforms] = OrderedDict()
        self._counts: OrderedDict[Selection, list[int]] = OrderedDict()

    def close(self) -> None:
        """Let the files go."""
        while self._open:
            self._open.popitem()[1].close()

    @property
    def n_samples(self) -> int:
        """Samples of the longest waveforms of the first run."""
        return self._file(0).n_samples

    def count(self, selection: Selection = EVERYTHING) -> int:
        """Count the waveforms that are selected."""
        return sum(self._count_each(selection))

    def sample(self, place: int, selection: Selection = EVERYTHING) -> Sample:
        """Read the waveform at a place among those selected; raises IndexError beyond the end."""
        number, at = self._at(place, selection)
        found = self._file(number).sample(at, selection)
        return Sample(found.decoder, found.waveform, self._with_run(found.numbers, number), place)

    def place_of(self, event_number: int, selection: Selection = EVERYTHING) -> int | None:
        """Find the first waveform of an event among those selected: that of the first run that has it."""
        return self.place_in(range(len(self._members)), event_number, selection)

    def place_of_run(self, run: int, event_number: int, selection: Selection = EVERYTHING) -> int | None:
        """Find the first waveform of an event of a run, by the run's number."""
        runs = (at for at in range(len(self._members)) if self._number_of(at) == run)
        return self.place_in(runs, event_number, selection)

    def place_in(self, members: Iterable[int], event_number: int, selection: Selection) -> int | None:
        """Find the first waveform of an event in some of the runs, by their places."""
        for at in members:
            found = self._file(at).place_of(event_number, selection)
            if found is not None:
                return sum(self._count_each(selection)[:at]) + found
        return None

    def bunch(self, places: Iterable[int], selection: Selection = EVERYTHING) -> Bunch | None:
        """Read the waveforms at places among those selected; those unlike the first are left out."""
        wanted, before, parts = np.sort(np.fromiter(places, np.intp)), 0, []
        for number, n in enumerate(self._count_each(selection)):
            here = wanted[(wanted >= before) & (wanted < before + n)] - before
            found = self._file(number).bunch(here, selection) if len(here) else None
            if found is not None:
                parts.append(self._of_run(found, number))
            before += n
        return joined(parts) if parts else None

    def _count_each(self, selection: Selection) -> list[int]:
        if selection not in self._counts:
            self._counts[selection] = [self._file(at).count(selection) for at in range(len(self._members))]
            if len(self._counts) > MOST_KNOWN:
                self._counts.popitem(last=False)
        return self._counts[selection]

    def _at(self, place: int, selection: Selection) -> tuple[int, int]:
        at = place
        for number, n in enumerate(self._count_each(selection)):
            if at < n:
                return number, at
            at -= n
        raise IndexError(place)

    def _with_run(self, numbers: Mapping[str, float], at: int) -> dict[str, float]:
        """Add to the numbers of a waveform of which run, and sub-run, it is."""
        places = self._live.place_columns(at, 1)
        return {**numbers, **{name: int(values[0]) for name, values in places.items()}}

    def _of_run(self, bunch: Bunch, at: int) -> Bunch:
        """Add to the numbers of waveforms of which run, and sub-run, they are."""
        return Bunch(bunch.waveforms, {**bunch.numbers, **self._live.place_columns(at, len(bunch))})

    def _number_of(self, at: int) -> int:
        member: Member = self._members[at]
        return member.run.run_number

    def _file(self, at: int) -> Tier1Waveforms:
        if at not in self._open:
            path = self._members[at].tier1
            assert path is not None
            while len(self._open) >= MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            self._open[at] = Tier1Waveforms(path, self._rows[at])
        self._open.move_to_end(at)
        return self._open[at]
