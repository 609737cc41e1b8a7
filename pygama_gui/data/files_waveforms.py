"""Reads waveforms of a data set on disk: which of them are selected is known by bits, not by columns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import numpy as np

from pygama_gui.data import live_set
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.outputs import TABLE
from pygama_gui.data.samples import EVERYTHING, Bunch, Sample, joined
from pygama_gui.data.selected_rows import AllRows, Selected
from pygama_gui.data.selection import Selection
from pygama_gui.data.set_waveforms import SetWaveforms

LOOKED_AT = 16_384
"""Rows that are looked at together, at most, for those of an event."""
MOST_SEEN = 50
"""Waveforms whose rows are remembered, so that their events need not be looked for."""


class FilesWaveforms(SetWaveforms):
    """Waveforms of all runs of a data set whose rows are in files, as `SetWaveforms`. One thread's own."""

    def __init__(self, live: LiveSet) -> None:
        super().__init__(live)
        self._starts = np.concatenate([[0], np.cumsum(live.facts.n_rows)])
        self._selected: Mapping[Selection, Selected] = {}
        self._seen: OrderedDict[tuple[int, int], int] = OrderedDict()
        """Run, by its place, and event number -> row, of the waveforms that were read last."""

    def know(self, selected: Mapping[Selection, Selected]) -> None:
        """Take what is known of the rows that are selected."""
        self._selected = selected

    def count(self, selection: Selection = EVERYTHING) -> int:
        """Count the waveforms that are selected, as far as is known."""
        return len(self._of(selection))

    def sample(self, place: int, selection: Selection = EVERYTHING) -> Sample:
        """Read the waveform at a place among those selected; raises IndexError beyond the end."""
        row = int(self._of(selection).rows(np.array([place]))[0])
        number = self._run_of(row)
        found = self._file(number).sample(row - int(self._starts[number]))
        self._seen[number, int(found.numbers.get("event_number", -1))] = row
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return Sample(found.decoder, found.waveform, self._with_run(found.numbers, number), place)

    def place_in(self, members: Iterable[int], event_number: int, selection: Selection) -> int | None:
        """Find the first waveform of an event in some of the runs, by their places, as far as is known."""
        selected = self._of(selection)
        for at in members:
            if (seen := self._seen.get((at, event_number))) is not None:
                if (place := selected.place(seen)) is not None:
                    return place
                continue  # it is not selected: there is no need to look for it
            for row in self._rows_of_event(at, event_number, selected.n_known):
                if (place := selected.place(row)) is not None:
                    return place
        return None

    def bunch(self, places: Iterable[int], selection: Selection = EVERYTHING) -> Bunch | None:
        """Read the waveforms at places among those selected; those unlike the first are left out."""
        rows, parts = self._of(selection).rows(np.sort(np.fromiter(places, np.int64))), []
        for number in np.unique(np.searchsorted(self._starts, rows, "right") - 1).tolist():
            first, stop = self._starts[number : number + 2].tolist()
            found = self._file(number).bunch(rows[(rows >= first) & (rows < stop)] - first)
            if found is not None:
                parts.append(self._of_run(found, number))
        return joined(parts) if parts else None

    def _of(self, selection: Selection) -> Selected:
        if selection == EVERYTHING:
            return AllRows(int(self._starts[-1]))
        return self._selected.get(selection, AllRows(0))

    def _run_of(self, row: int) -> int:
        return int(np.searchsorted(self._starts, row, "right")) - 1

    def _rows_of_event(self, number: int, event_number: int, n_known: int) -> Iterable[int]:
        """Look for an event in the Tier 2 file of a run, whose rows are in the order of their records."""
        from pygama.boxes import EVENT, PER_RECORD
        from pygama.storage import TierFile

        first, stop = self._starts[number : number + 2].tolist()
        n = min(stop, n_known) - first
        if n <= 0:
            return
        with TierFile(self._members[number].tier2) as file:
            table = file.table(TABLE)

            def events(start: int, end: int) -> np.ndarray:
                return table.read(start, min(end, n), waveforms=False).rows[EVENT]

            low, high = 0, n  # rows before low are of earlier records, those from high on are not
            while high - low > min(LOOKED_AT, live_set.ROWS_AT_ONCE):
                middle = (low + high) // 2
                low, high = (
                    (middle + 1, high) if events(middle, middle + 1)[0] < event_number else (low, middle)
                )
            found = np.flatnonzero(events(low, high + PER_RECORD) == event_number)
        yield from (found + first + low).tolist()
