"""Counts what is quickly counted of the channels while a hand moves an edge: events, rates, small spectra.

Only rows between the old and the new edge are counted again. All else that a survey tells, states and levels,
stays that of the cuts before, and the survey says so. Bins stay where they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from pygama_gui.data.channels import CODE
from pygama_gui.data.health import N_BINS, Survey, clock_name, duration_of, rate_with_error
from pygama_gui.data.linked import Axis, Counter, Cuts, Rows, Want, n_of


class Recounter:
    """Counts channels under other cuts; to be used in one thread at a time, that of the counter."""

    def __init__(self) -> None:
        self._places: tuple[tuple[Hashable, tuple[int, ...], int] | None, np.ndarray] = (None, np.empty(0))
        self._rising: tuple[tuple[Hashable, str, int] | None, bool] = (None, False)

    def recount(
        self, counter: Counter, table: Hashable, rows: Rows, cuts: Cuts | None, earlier: Survey
    ) -> Survey:
        """Give a survey whose events, rates and spectra are those under other cuts.

        table: as in `Counter.count`. earlier: a survey of the same rows.
        """
        codes = tuple(earlier.codes)
        place = f"place among {codes}"
        rows = {**rows, place: self._places_of(table, rows[CODE], codes)}
        by_channel = Axis(place, 0.0, float(len(codes)), len(codes))
        wants = [Want(by_channel)]
        if earlier.column:
            ends = float(earlier.edges[0]), float(earlier.edges[-1])
            wants.append(Want(Axis(earlier.column, *ends, N_BINS), by_channel))
        each, *spectra = counter.count(table, rows, cuts, wants)
        assert each is not None
        passes = None if cuts is None else counter.mask(table, rows, cuts)
        duration = self._duration(table, rows, passes)
        figures = []
        for at, (one, n) in enumerate(zip(earlier.figures, each.counts.tolist(), strict=True)):
            rate, error = rate_with_error(n, duration)
            counts = spectra[0].counts[:, at] if spectra and spectra[0] is not None else one.counts
            figures.append(replace(one, n_events=n, rate=rate, rate_error=error, counts=counts))
        return replace(earlier, figures=tuple(figures), duration=duration, is_recounted=True)

    def _places_of(self, table: Hashable, codes_of_rows: np.ndarray, codes: Sequence[int]) -> np.ndarray:
        """Give which channel each row is of, below 0 where it is none of them."""
        key = (table, tuple(codes), len(codes_of_rows))
        if self._places[0] != key:
            ranks = np.argsort(codes, kind="stable").astype(np.int16)
            wanted = np.asarray(codes)[ranks]
            found = np.minimum(np.searchsorted(wanted, codes_of_rows), len(wanted) - 1)
            places = np.where(wanted[found] == codes_of_rows, ranks[found], np.int16(-1))
            self._places = (key, places)
        return self._places[1]

    def _duration(self, table: Hashable, rows: Rows, passes: np.ndarray | None) -> float:
        """Give how long the rows that pass last, s; of times that rise from their first and last row."""
        name = clock_name(rows)
        if not name or not n_of(rows):
            return duration_of(np.empty(0))
        times = rows[name]
        if passes is None:
            return duration_of(times)
        if not self._is_rising(table, name, times):
            return duration_of(times[passes])
        first, last = int(passes.argmax()), len(passes) - 1 - int(passes[::-1].argmax())
        return duration_of(times[[first, last]] if passes[first] and last > first else np.empty(0))

    def _is_rising(self, table: Hashable, name: str, times: np.ndarray) -> bool:
        key = (table, name, len(times))
        if self._rising[0] != key:
            self._rising = (key, bool(np.isfinite(times).all()) and bool((times[1:] >= times[:-1]).all()))
        return self._rising[1]
