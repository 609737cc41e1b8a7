"""Keeps the peaks of channels that were fitted to all events of a run, for every view that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

from pygama_gui.data.live_run import LiveRun

if TYPE_CHECKING:
    from pygama_gui.data.health import Peak

Peaks: TypeAlias = "dict[int, tuple[int, Peak]]"
"""Code -> events that the peak was fitted to, and the peak."""


class KnownPeaks:
    """Peaks by run and column, as long as the run is held; with other calibrations they are others."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[object, dict[str, tuple[object, Peaks]]] = WeakKeyDictionary()

    def of(self, live: LiveRun, column: str) -> Peaks:
        """Give what is known of a column, to be added to; what is told of hits makes no difference."""
        of_run = self._known.setdefault(live.samples, {})
        if column not in of_run or of_run[column][0] is not live.calibrations:
            of_run[column] = (live.calibrations, {})
        return of_run[column][1]
