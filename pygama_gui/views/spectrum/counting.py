"""Counts what a spectrum shows: its own column, that of other runs, and what of them passes the cuts."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from pygama_gui.data import spectra
from pygama_gui.data.channels import CODE
from pygama_gui.data.live import LiveHistogram
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.selection import chooses_times, passing_of
from pygama_gui.views.spectrum.drawing import Picture
from pygama_gui.views.spectrum.overlays import Counted, Over, Overlays, Part
from pygama_gui.views.spectrum.passing import Passing
from pygama_gui.widgets import words

if TYPE_CHECKING:
    from pygama_gui.views.spectrum.view import SpectrumView

N_FINE = 2**14
"""Bins that are counted; what is shown joins a power of two of them."""
COUNT_S = 0.012
"""Rows are counted on one tick until this much time is gone: a long column never blocks the window."""


class SpectrumCounting:
    """The histograms of one spectrum."""

    def __init__(self, view: SpectrumView) -> None:
        self._view = view
        self.overlays = Overlays(view.plot)
        self.passing = Passing(view.bridge, view.redraw_soon)
        self.counted: Counted | None = None
        self.factor = 0
        """Of the finest bins, how many make one on screen."""

    @property
    def histogram(self) -> LiveHistogram | None:
        """The counts of the selected run, in the finest bins."""
        return None if self.counted is None else self.counted.histogram

    def count(self, live: LiveRun | None) -> LiveHistogram | None:
        """Count new rows of the selected run for a little while; None where it has no such column."""
        if live is None or self._view.choice.column not in live.columns:
            self.counted = None
            return None
        key = (live, self._view.choice.column, self._view.channel)
        if self.counted is None or self.counted.key != key:
            self.counted, self.factor = Counted(key), 0
        if live.is_on_disk:
            return self._counted_on_disk(live)
        if not self.counted.catch_up(N_FINE, time.perf_counter() + COUNT_S):
            self._view.redraw_soon()
        return self.counted.histogram

    def _counted_on_disk(self, live: LiveRun) -> LiveHistogram | None:
        """Give what was counted from the files so far, in bins that are chosen by a sample of the rows."""
        counted, view = self.counted, self._view
        assert counted is not None
        if counted.histogram is None:
            column, channel = view.choice.column, view.channel
            values = live.columns.column(column)
            if channel is not None and CODE in live.columns:
                values = values[live.columns.column(CODE) == channel]
            counted.histogram = LiveHistogram.around(values, N_FINE, grows=False)
        like = counted.histogram
        found = self.passing.all_counts(view.session.selected, view.choice.column, view.channel, like)
        counts = np.zeros(like.n_bins, np.int64) if found is None else found.counts
        n_outside = 0 if found is None else found.n_chosen - int(counts.sum())
        counted.histogram = LiveHistogram.counted(like.low, like.high, counts, n_outside)
        return counted.histogram

    def fine_counts(self, histogram: LiveHistogram) -> np.ndarray:
        """Give the counts of the finest bins; where there are cuts, of the events that pass them."""
        passing = self.passing.counts(
            self._view.session.selected, self._view.choice.column, self._view.channel, histogram
        )
        return histogram.counts if passing is None else passing

    def _parts(self) -> list[Part]:
        """Say what is to be laid over the spectrum."""
        live = self._view.bridge.live(self._view.session.selected)
        if live is None:
            return []
        parts = []
        if self._view.is_apart:
            shown = self._view.bridge.shown(live.channels)
            named = zip(self._view.bridge.names(shown), shown, strict=True)
            parts = [Part(name, self._view.session.selected, live, channel) for name, channel in named]
        for run_id in self._view.choice.others:
            other = self._view.bridge.live(run_id)
            if other is not None and other is not live:
                parts.append(
                    _beside(self._view.bridge.name_of(run_id), run_id, live, other, self._view.channel)
                )
        return parts

    def _laid_over(self, histogram: LiveHistogram) -> tuple[Over, ...]:
        """Count what is to be laid over the spectrum."""
        parts, column = self._parts(), self._view.choice.column
        if not self.overlays.count(parts, column, histogram, time.perf_counter() + COUNT_S):
            self._view.redraw_soon()
        found = ((part, self._counts_of(part, column, histogram)) for part in parts)
        return tuple(
            Over(part.name, spectra.joined(counts, self.factor), part.scale)
            for part, counts in found
            if counts is not None
        )

    def _counts_of(self, part: Part, column: str, histogram: LiveHistogram) -> np.ndarray | None:
        if part.live.is_on_disk and column in part.live.columns:
            every = self.passing.all_counts(part.run_id, column, part.channel, histogram)
            counts = None if every is None else every.counts
        else:
            counts = self.overlays.counts(part, column)
        if counts is None:
            return None
        passing = self.passing.counts(part.run_id, column, part.channel, histogram)
        return counts if passing is None else passing

    def pictured(self, live: LiveRun, histogram: LiveHistogram) -> Picture:
        """Join bins to those on screen, and count what is laid over them."""
        fine = self.fine_counts(histogram)
        self.factor = self.join_by(histogram)
        edges, width = histogram.edges[:: self.factor], fine_width(histogram) * self.factor
        seconds = self.seconds(live)
        is_rate = self._view.choice.is_rate and seconds > 0
        has_all_behind = self.passing.are_cuts_on and not self._view.is_apart
        has_all_behind = has_all_behind and not self._view.choice.is_only_passing
        return Picture(
            edges,
            spectra.joined(fine, self.factor),
            1 / (width * seconds) if is_rate else 1.0,
            self._laid_over(histogram),
            spectra.joined(histogram.counts, self.factor) if has_all_behind else None,
            is_rate,
            bool(self.passing.n_sampled(self._view.session.selected)),
        )

    def seconds(self, live: LiveRun) -> float:
        """Give the live time of the channel that is shown; 0: not known, as with a cut on times."""
        return 0.0 if chooses_times(passing_of(self._view.session)) else live.seconds(self._view.channel)

    def join_by(self, histogram: LiveHistogram) -> int:
        """Say how many of the finest bins make one: by the width that was chosen, or the counts in view.

        Those of all events: so bins stay as they are when a cut is switched or dragged.
        """
        if self._view.choice.width is not None:
            wanted = self._view.choice.width / fine_width(histogram)
        else:
            first, last = self._looked_at(histogram)
            wanted = (last - first) / spectra.suitable_bins(int(histogram.counts[first:last].sum()))
        return spectra.power_of_two(wanted, histogram.n_bins)

    def _looked_at(self, histogram: LiveHistogram) -> tuple[int, int]:
        """Give the first of the finest bins that are in view, or will be, and the one after the last."""
        if self._view.plot.box.zoomed_x:
            ends = np.searchsorted(histogram.edges, self._view.plot.box.viewRange()[0])
            first, last = (int(end) for end in np.clip(ends, 0, histogram.n_bins))
            return (first, last) if last > first else (0, histogram.n_bins)
        return spectra.occupied(histogram.counts)


def _beside(name: str, run_id: str, live: LiveRun, other: LiveRun, channel: int | None) -> Part:
    """Lay another run over the selected one, scaled to the live time of this one, where both are known."""
    same = channel if channel in other.channels else None
    took, its = live.seconds(channel), other.seconds(same)
    scale = took / its if took and its else 1.0
    named = name if scale == 1.0 else f"{name} × {words.three_digits(scale)}"
    return Part(named, run_id, other, same, scale)


def fine_width(histogram: LiveHistogram) -> float:
    """Give the width of the finest bins."""
    return (histogram.high - histogram.low) / histogram.n_bins


def seconds_words(live: LiveRun, channel: int | None, *, is_rate: bool = True) -> str:
    """Say which time counts are divided by, or why they are not."""
    if not is_rate:
        return "no rate: a cut chooses among times" if live.seconds(channel) else "no rate: no time is known"
    found = None if live.times is None else live.times.of(channel)
    if found is None or not math.isfinite(found.live_s):
        return f"per {words.three_digits(live.duration_s)} s from first event to last"
    return f"per {words.three_digits(live.seconds(channel))} s live, by {found.way}"
