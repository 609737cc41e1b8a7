"""Brings many waveforms and what is computed of them, without ever holding up the window."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from pygama_gui.bridge import Bridge
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.samples import Bunch, Sample, Tier1Waveforms, bunch_of, joined, spread
from pygama_gui.data.selection import Selection

MOST_SAMPLES = 10_000_000
"""Samples of many waveforms that are held at a time."""


class Aside:
    """Computes one thing at a time in a thread; what was wanted last is computed next."""

    def __init__(self, bridge: Bridge, changed: Callable[[], None]) -> None:
        self._bridge, self._changed = bridge, changed
        self._key: tuple[Hashable, ...] = ()
        self._result: Any = None
        self._is_busy = False

    def get(self, kind: Hashable, key: Hashable, work: Callable[[], Any]) -> Any:
        """Give the newest result of this kind, which may be of an earlier key; None before the first one."""
        if (kind, key) != self._key and not self._is_busy:
            self._is_busy = True
            self._bridge.compute(work, lambda result: self._take((kind, key), result), self._fail)
        return self._result if self._key and self._key[0] == kind else None

    def _take(self, key: tuple[Hashable, ...], result: Any) -> None:
        self._is_busy = False
        self._key, self._result = key, result
        self._changed()

    def _fail(self) -> None:
        self._is_busy = False


class ManyWaveforms:
    """Waveforms spread over a finished file, read group after group, or the newest of a run under way."""

    def __init__(self, bridge: Bridge, changed: Callable[[], None]) -> None:
        self._bridge, self._changed = bridge, changed
        self._key: tuple[LiveRun, Selection, int, bool] | None = None
        self._groups: list[np.ndarray] | None = None
        self._is_reading = self._is_old = False
        self._ring: tuple[tuple[int, ...], Bunch | None] = ((), None)
        self.bunch: Bunch | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all were read, of all rows."""
        return self._groups == [] and self._key is not None and self._key[3]

    def want(self, run_id: str, live: LiveRun, selection: Selection, n: int) -> Bunch | None:
        """Give what is there of the waveforms that are wanted, and have more read."""
        if live.tier1 is None:
            self._key = None
            return self._newest(live, selection, n)
        is_whole = True
        if live.is_on_disk:
            rows = self._bridge.data_sets.waveform_rows.want(f"waveforms {id(self)}", live, selection)
            if rows is None:
                self._key = self._groups = self.bunch = None
                return None
            is_whole = rows.is_whole
        key = (live, selection, n, is_whole)
        if key != self._key:
            # Those of the first rows stay until some of all rows are there.
            self._is_old = self._key is not None and key[:3] == self._key[:3]
            self._key, self._groups = key, None
            self.bunch = self.bunch if self._is_old else None
        if not self._is_reading and self._groups != []:
            self._is_reading = True
            groups = self._groups
            self._bridge.loading.read_waveforms(
                run_id,
                lambda file: _read_group(file, selection, n, groups),
                lambda answer: self._take(key, *answer),
                self._fail,
            )
        return self.bunch

    def _newest(self, live: LiveRun, selection: Selection, n: int) -> Bunch | None:
        samples = live.samples.selected(selection)[-n:]
        ends = (id(samples[0]), id(samples[-1]), len(samples)) if samples else (0,)
        if self._ring[0] != ends or self.bunch is not self._ring[1]:
            self.bunch = bunch_of(samples)
            self._ring = (ends, self.bunch)
        return self.bunch

    def _take(
        self, key: tuple[LiveRun, Selection, int, bool], groups: list[np.ndarray], read: Bunch | None
    ) -> None:
        self._is_reading = False
        if key == self._key:
            self._groups = groups
            if read is not None:
                self.bunch = read if self.bunch is None or self._is_old else joined([self.bunch, read])
                self._is_old = False
        self._changed()

    def _fail(self) -> None:
        self._is_reading = False
        self._groups = []


class Neighbours:
    """A few waveforms to lay behind one: those that follow in the file, or the newest of a run under way."""

    def __init__(self, bridge: Bridge, changed: Callable[[], None]) -> None:
        self._bridge, self._changed = bridge, changed
        self._key: tuple[LiveRun, Selection, int, int] | None = None
        self._newest: tuple[int, int, Bunch | None] = (-1, 0, None)
        self._is_reading = False
        self._bunch: Bunch | None = None

    def want(
        self, run_id: str, live: LiveRun, selection: Selection, place: int, n: int, sample: Sample
    ) -> Bunch | None:
        """Give n waveforms beside a sample; those that were read before until the right ones are there."""
        if live.tier1 is None:
            self._key = None
            return self._of_ring(live, selection, n, sample)
        key = (live, selection, place, n)
        if self._key is not None and self._key[:2] != key[:2]:
            self._bunch = None
        if key != self._key and not self._is_reading:
            self._is_reading = True
            self._bridge.loading.read_waveforms(
                run_id,
                lambda file: file.bunch(_after(place, n, file.count(selection)), selection),
                lambda bunch: self._take(key, bunch),
                self._fail,
            )
        return self._bunch

    def _of_ring(self, live: LiveRun, selection: Selection, n: int, sample: Sample) -> Bunch | None:
        others = [other for other in live.samples.selected(selection) if other is not sample][-n:]
        newest = (id(others[-1]) if others else -1, len(others))
        if self._newest[:2] != newest:
            self._newest = (*newest, bunch_of(others))
        return self._newest[2]

    def _take(self, key: tuple[LiveRun, Selection, int, int], bunch: Bunch | None) -> None:
        self._is_reading = False
        self._key, self._bunch = key, bunch
        self._changed()

    def _fail(self) -> None:
        self._is_reading = False


def _after(place: int, n: int, n_there: int) -> range:
    """Give the n places after one; near the end, those before it as well."""
    first = max(min(place + 1, n_there - n), 0)
    return range(first, min(first + n, n_there))


def _read_group(
    file: Tier1Waveforms, selection: Selection, n: int, groups: list[np.ndarray] | None
) -> tuple[list[np.ndarray], Bunch | None]:
    """Read the next group; gives those that are left, and the waveforms."""
    if groups is None:
        groups = spread(file.count(selection), min(n, MOST_SAMPLES // max(file.n_samples, 1)))
    if not groups:
        return [], None
    return groups[1:], file.bunch(groups[0], selection)
