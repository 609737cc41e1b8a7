"""Chooses the columns of the plane and the limits and bins of its axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pygama_gui.data import chain_facts
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.linked import Axis
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.plane import LOOKED_AT, Limits, axis_of, keeps, limits_of, some_of, suitable_bins

if TYPE_CHECKING:
    from pygama_gui.views.plane.view import PlaneView

GREW = 1.1
"""Limits are looked at again when there are so many times as many rows."""
HIDDEN = ("period_ns", "crate", "card", CODE, CLOCK)
ENERGIES = ("trap_max_kev", "trap_max", "energy_kev", "energy")
SHAPES = ("a_over_e", "a_max", "rise_time", "drift_time", "bl_int")


@dataclass
class _Held:
    """Limits that were chosen, and the rows that there were then."""

    limits: Limits
    n_rows: int


class Axes:
    """What the axes of one plane are."""

    def __init__(self, view: PlaneView) -> None:
        self._view = view
        self._held: dict[tuple[object, ...], _Held] = {}

    def first(self, names: Sequence[str], but: str = "") -> str:
        """Give the first of the names that the run has a column of; else any column."""
        known = numbers_of(self._view.bridge.live(self._view.session.selected))
        return next((name for name in (*names, *known) if name in known and name != but), names[0])

    def of(self, live: LiveRun, name: str) -> Axis:
        """Choose the bins of a column: of all that is worth seeing, or of what somebody zoomed to."""
        view = self._view
        is_x = name == view.x_name
        limits = self._limits(live, name)
        if view.box.zoomed_x if is_x else view.box.zoomed_y:
            low, high = view.box.viewRange()[0 if is_x else 1]
            limits = Limits(low, high, limits.is_whole)
        n_values = live.n_rows if view.plane is None or live.is_on_disk else view.plane.n_chosen
        width = view.choice.x_width if is_x else view.choice.y_width
        return axis_of(name, limits, suitable_bins(n_values), width)

    def _limits(self, live: LiveRun, name: str) -> Limits:
        """Choose the limits of a column; those that were chosen before stay as long as they suit."""
        channel = self._view.channel
        of = (id(live.samples), id(live.calibrations), live.told.tagging)
        key = (*of, name, channel)
        held, n_rows = self._held.get(key), len(live.columns)
        if held is not None and n_rows < GREW * held.n_rows:
            return held.limits
        n_channels = max(len(live.channels), 1)
        values = live.columns.column(name)
        if channel is not None:
            some = some_of(live.columns.column(CODE), n_channels * LOOKED_AT)
            values = some_of(values, n_channels * LOOKED_AT)[some == channel]
        found = limits_of(values)
        limits = held.limits if held is not None and keeps(held.limits, found) else found
        self._held = {one: kept for one, kept in self._held.items() if one[: len(of)] == of}
        self._held[key] = _Held(limits, n_rows)
        return limits


def numbers_of(live: LiveRun | None) -> tuple[str, ...]:
    """Give the names of the columns that hold numbers and are worth seeing."""
    if live is None:
        return ()
    names = (name for name in live.columns.names if name not in HIDDEN)
    return tuple(name for name in names if live.columns.column(name).dtype.kind in "biuf")


def with_unit(column: str) -> str:
    """Name a column with its unit."""
    unit = chain_facts.unit_of(column)
    return f"{column} ({'ADC counts' if unit == 'ADC' else unit})" if unit else column
