"""Says in words what the plane shows, what is under the cursor, or why it shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtCore import QPointF

from pygama_gui.data import chain_facts
from pygama_gui.data.linked import Axis
from pygama_gui.data.live_run import LiveRun
from pygama_gui.jobs.board import counted
from pygama_gui.session.calibration_changes import raw_column
from pygama_gui.views.plane.columns import numbers_of
from pygama_gui.views.plane.points import MOST_POINTS
from pygama_gui.widgets import words

if TYPE_CHECKING:
    from pygama_gui.views.plane.view import Plane, PlaneView

ENDS = {"failed": "failed", "stopped": "was stopped"}


def why_empty(view: PlaneView, live: LiveRun | None) -> str:
    """Say why nothing is drawn, and what to do."""
    state = view.bridge.state(view.session.selected)
    if (run := view.session.selected_run) is None:
        return "Two columns of the selected run appear here, against each other."
    if why := view.bridge.data_sets.why_empty(view.session.selected):
        return why
    if state is None:
        return view.bridge.gone.why_unread(run) or "No events yet. Process the run to see them."
    if live is not None and len(live.columns):
        return _what_lacks(view, live)
    if not state.has_ended:
        return words.waiting_for("events", follows=state.follows)
    if state.state != "done":
        return f"No events: the run {ENDS[state.state]}."
    return "Reading the events…" if state.made_on is not None and state.rows else "No events in this run."


def _what_lacks(view: PlaneView, live: LiveRun) -> str:
    lacking = [name for name in (view.x_name, view.y_name) if name not in numbers_of(live)]
    if not lacking:
        return next(
            (why for name in (view.x_name, view.y_name) if (why := _why_no_value(view, live, name))), ""
        )
    return f"The chain writes no {' and no '.join(dict.fromkeys(lacking))}. Choose other columns below."


def _why_no_value(view: PlaneView, live: LiveRun, name: str) -> str:
    if live.columns.has_values(name):
        return ""
    raw = raw_column(view.session, name)
    if raw == name:
        return f"{name} has no value in any of these events."
    return f"{raw} is not calibrated for these channels.\nChoose {raw}, or calibrate it in Fits."


def under_cursor(plane: Plane, at: QPointF, *, is_normalised: bool, is_short: bool = False) -> str:
    """Say what the bin under the cursor holds; nothing beside the picture.

    is_short: without the names of the columns.
    """
    places = [
        int(np.searchsorted(axis.edges, value, side="right")) - 1
        for axis, value in ((plane.x, at.x()), (plane.y, at.y()))
    ]
    if not all(0 <= place < axis.n_bins for place, axis in zip(places, (plane.x, plane.y), strict=True)):
        return ""
    axes = zip((plane.x, plane.y), places, strict=True)
    x, y = (_bin_words(axis, place, is_short=is_short) for axis, place in axes)
    n = int(plane.counts[places[0], places[1]])
    sampled = [words.sampled(plane.n_sampled)] if plane.n_sampled else []
    parts = [*sampled, counted(n, "event"), x, y]
    if is_normalised:
        total = int(plane.counts[places[0]].sum())
        parts.insert(len(sampled) + 1, f"{100 * n / max(total, 1):.3g} % of the slice")
    return " · ".join(parts)


def in_view(view: PlaneView, plane: Plane) -> str:
    """Say how many events are in view, and how many are not."""
    progress = view.bridge.data_sets.progress(view.session.selected)
    parts = [progress.words] if plane.live.is_on_disk and progress is not None else []
    parts += [words.sampled(plane.n_sampled)] if plane.n_sampled else []
    parts += [f"{counted(plane.n_inside, 'event')} in view"]
    outside = plane.n_chosen - plane.n_inside
    parts += [f"{words.count(outside)} outside"] if outside else []
    cut = plane.n_rows - plane.n_chosen
    if plane.behind is not None and cut and view.channel is None:
        parts.append(f"{words.count(cut)} cut away")
    if view.choice.style == "points" and view.points is None and plane.n_inside >= MOST_POINTS:
        parts.append(f"points below {words.count(MOST_POINTS)}: zoom in")
    return " · ".join(parts)


def _bin_words(axis: Axis, place: int, *, is_short: bool = False) -> str:
    """Write the bin of a column: its ends with their unit; is_short: without its name."""
    low, high = axis.edges[place], axis.edges[place + 1]
    digits = max(0, -int(np.floor(np.log10(high - low))))
    is_exact = all(abs(round(end, digits) - end) < 1e-3 * (high - low) for end in (low, high))
    digits += 0 if is_exact else 1
    ends = " to ".join(words.grouped(end, digits) for end in (low, high)).replace("-", "−")
    name = "" if is_short else axis.column
    return f"{name} {ends} {chain_facts.unit_of(axis.column)}".strip()
