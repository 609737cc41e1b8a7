"""Says in words what the trends show, what moved of it, or why they show nothing."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from pygama.utils import local_text, utc_text
from pygama_gui.data.chain_facts import unit_of
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.moves import OF_RUN, find_move, is_outside
from pygama_gui.data.slices import KINDS, Series, error_of_median
from pygama_gui.data.trend_words import WORDS, gone_words, move_words, outside_words, sentence
from pygama_gui.data.trends import OF_PEAK, Trends
from pygama_gui.jobs.board import as_sentence
from pygama_gui.session.state import DataSet
from pygama_gui.views.following import EARLIER
from pygama_gui.views.trends.plot import SHAPES
from pygama_gui.widgets import theme, words

if TYPE_CHECKING:
    from pygama_gui.views.trends.view import TrendsView

ENDS = {"failed": "failed", "stopped": "was stopped"}
UNEQUAL = {
    "position": "of one channel it may move unseen: choose one or each channel, or calibrate all",
    "width": "what lies between the gains of the channels is in it",
}
"""What to do about the peak of several channels together, and what it comes to."""
MOSTLY = 0.5
MOST_APART = 12
"""Channels, at most, that are drawn each for itself."""


def summary(view: TrendsView) -> str:
    """Say what moved, and how far following has come."""
    is_all_known = all(trends.is_whole and not trends.late for _, trends in view.shown)
    far = "" if is_all_known else view.bridge.data_sets.how_far(view.session.selected)
    if far and all(trends.late == KINDS for _, trends in view.shown):
        return far
    return f"{far} · {_moved(view)}" if far else _moved(view)


def _moved(view: TrendsView) -> str:
    """Say what moved of all that is shown."""
    if not view.is_apart:
        name, trends = view.shown[0]
        pooled = _pooled(view, trends)
        told = sentence(name, trends, view.clock, OF_PEAK if pooled else ())
        further = (_outside(view, name, trends), pooled)
        return told + _peak_words(trends) + "".join(f" · {one}" for one in further if one)
    moved = []
    for name, trends in view.shown:
        now = [one for one in trends.series if one.kind not in trends.late]
        if any(find_move(one) is not None or gone_words(one, view.clock) for one in now):
            moved.append(sentence(name, trends, view.clock))
    left = len(view.channels_offered) - MOST_APART
    more = f" ({left} more channels are not drawn)" if left > 0 else ""
    return (" · ".join(moved) or f"{len(view.shown)} channels: nothing moved") + more


def _outside(view: TrendsView, name: str, trends: Trends) -> str:
    """Name what lies outside of the band of earlier runs for the greater part of the run."""
    found = []
    for series in trends.series if view.choice.has_band and view.choice.n_reference else ():
        known, band = series.is_known, view.bands.get((name, series.kind))
        if known.any() and band is not None and is_outside(series, band)[known].mean() > MOSTLY:
            found.append(WORDS.get(series.kind, series.name))
    source = next((band.source for band in view.bands.values() if band is not None), "")
    return f"▲ {', '.join(found)} outside the band of {source}" if found else ""


def _peak_words(trends: Trends) -> str:
    """Name the peak that is followed, and say so where it is not the one that was chosen."""
    if trends.anchor is None:
        return ""
    name = f" · peak: {trends.anchor.name}" if trends.anchor.name else ""
    return f"{name} · no clear peak where the preview has one" if trends.is_line_missed else name


def _pooled(view: TrendsView, trends: Trends) -> str:
    """Warn where the peaks of several channels are put into one before their gains are made equal."""
    n, anchor = len(view.channels_offered), trends.anchor
    if anchor is None or trends.asked.channel is not None or n < 2 or unit_of(anchor.column) != "ADC":
        return ""
    return f"▲ peaks of {n} channels together: the gain of one may move unseen, choose each channel"


def words_of(view: TrendsView, found: list[tuple[str, Trends, Series]]) -> str:
    """Say what one trend, of one channel or of each, has come to."""
    if len(found) == 1:
        name, trends, series = found[0]
        late = f"{EARLIER}: " if series.kind in trends.late else ""
        told = late + _words_of_one(view, name, series)
        is_pooled = series.kind in ("position", "width") and bool(_pooled(view, trends))
        return f"{told} · ▲ {UNEQUAL[series.kind]}" if is_pooled else told
    parts = []
    for name, _, series in found:
        move, gone = find_move(series), gone_words(series, view.clock)
        parts += [f"{name}: {gone}"] if gone else []
        parts += [f"{name}: {move_words(series, move, view.clock)}"] if move is not None else []
    late = f"{EARLIER}: " if any(series.kind in trends.late for _, trends, series in found) else ""
    return late + ("; ".join(parts) or "nothing moved")


def _words_of_one(view: TrendsView, name: str, series: Series) -> str:
    if not series.is_known.any():
        return series.note
    band = view.bands.get((name, series.kind))
    move, gone = find_move(series), gone_words(series, view.clock)
    parts = [gone, move_words(series, move, view.clock) if move is not None or not gone else ""]
    middle, error = float(np.nanmedian(series.values)), error_of_median(series.errors[series.is_known])
    parts.append(f"median {words.with_error(middle, error)} {series.unit}".rstrip())
    if view.choice.has_band and band is not None:
        parts.append(
            f"band {words.with_error(band.middle, band.half)} {series.unit}".rstrip()
            + ("" if band.source == OF_RUN else f" of {band.source}")
        )
        parts.append(outside_words(is_outside(series, band)))
    elif view.choice.has_band and view.choice.n_reference:
        parts.append("no earlier run in the list for a band")
    return " · ".join(part for part in parts if part)


def time_words(view: TrendsView) -> str:
    """Say what the times are, and how long the slices."""
    width = view.shown[0][1].width
    slices = f"slices of {words.duration(width) if width >= 1 else f'{width:g} s'}"
    if view.clock.start is None:
        is_set = isinstance(view.session.selected_run, DataSet)
        return f"{'time of data taking, run after run' if is_set else 'run clock'} (s), {slices}"
    day = time.strftime("%Y-%m-%d", time.gmtime(view.clock.start + view.shown[0][1].span[0]))
    return f"UTC, {day}, {slices}"


def both_times(view: TrendsView, seconds: float) -> str:
    """Give a time of the run in UTC, and by the clock on the wall."""
    start = view.clock.start
    if start is None:
        return f"{seconds:.5g} s"
    return f"{utc_text(start + seconds)}\n{local_text(start + seconds)}"


def why_empty(view: TrendsView, live: LiveRun | None) -> str:
    """Say why nothing is drawn, and what to do."""
    state = view.bridge.state(view.session.selected)
    if (run := view.session.selected_run) is None:
        return "The trends of the selected run appear here."
    data_sets, selected = view.bridge.data_sets, view.session.selected
    if why := data_sets.why_empty(selected):
        return why
    if state is None:
        return view.bridge.gone.why_unread(run) or "No trends yet. Process the run to see them."
    if live is not None and len(live.columns):
        if "time_s" not in live.columns:
            return "The events of this run carry no time."
        if live.is_on_disk and (far := data_sets.how_far(selected)):
            return f"{as_sentence(far)}."
        return "Computing the trends…" if state.has_ended else "Following the run…"
    if not state.has_ended:
        return words.waiting_for("events", follows=state.follows)
    if state.state != "done":
        return f"No trends: the run {ENDS[state.state]}."
    return "Reading the events…" if state.made_on is not None and state.rows else "No events in this run."


def key(index: int, name: str) -> str:
    """Name a channel with the shape and the colour of its values, as rich text."""
    shape, color = SHAPES[index % len(SHAPES)], theme.current().series(index)
    return f'<span style="color:{color}">{shape}</span>&nbsp;{escape(name)}'
