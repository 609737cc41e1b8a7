"""Finds which waveforms of data sets on disk are selected, in passes over their files."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.samples import EVERYTHING
from pygama_gui.data.selected_rows import AllRows, GatheredRows, Selected
from pygama_gui.data.selection import Selection

if TYPE_CHECKING:
    from pygama_gui.bridge import Bridge

MOST_HELD = 6
"""Selections whose rows are kept."""
WAVEFORM_ROWS = "rows of waveforms"


class WaveformRows:
    """The rows that are selected, as far as they are known."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._held: OrderedDict[tuple[LiveRun, Selection], Selected] = OrderedDict()
        self._wanted: dict[str, tuple[LiveRun, Selection]] = {}
        """Who wants which; what one of them wanted before is wanted no more."""

    def want(self, owner: str, live: LiveRun, selection: Selection) -> Selected | None:
        """Give what is known of the rows that are selected, and have the rest found; None before the first.

        Views are told by an announcement when there is more. Of what is in memory, None is given: there,
        files of waveforms find rows by themselves.
        """
        if not (isinstance(live, LiveSet) and live.is_on_disk):
            return None
        if selection == EVERYTHING:
            self._wanted.pop(owner, None)
            return AllRows(live.n_rows)
        self._wanted[owner] = (live, selection)
        if (live, selection) in self._held:
            self._held.move_to_end((live, selection))
        found = self._held.get((live, selection))
        if found is None or not found.is_whole:
            self._find(live)
        return found

    def known(self, live: LiveRun) -> Mapping[Selection, Selected]:
        """Give all that is known of a data set."""
        return {selection: rows for (its, selection), rows in self._held.items() if its is live}

    def _find(self, live: LiveSet) -> None:
        wanted = {selection for its, selection in self._wanted.values() if its is live}
        lacking = [one for one in wanted if not self._is_known(live, one)]
        self._bridge.data_sets.gather(
            WAVEFORM_ROWS,
            live,
            frozenset(lacking),
            lambda: GatheredRows(lacking, live.n_rows),
            lambda found: self._take(live, found),
        )

    def _is_known(self, live: LiveRun, selection: Selection) -> bool:
        found = self._held.get((live, selection))
        return found is not None and found.is_whole

    def _take(self, live: LiveSet, found: Mapping[Selection, Selected]) -> None:
        present = self._bridge.data
        for key in [key for key in self._held if key[0] not in present.values()]:
            del self._held[key]
        self._wanted = {who: one for who, one in self._wanted.items() if one[0] in present.values()}
        for selection, rows in found.items():
            self._held[live, selection] = rows
            self._held.move_to_end((live, selection))
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        self._bridge.announce([run_id for run_id, its in present.items() if its is live])
