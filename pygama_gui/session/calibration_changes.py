"""Changes the calibrations of a session, and says which of them holds for a run and a column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from pygama.analysis.calibration import Calibration, ChannelCalibration, place_text
from pygama.analysis.curves import Curve
from pygama_gui.session.state import Run, Session

KEV = "_kev"
"""What the name of a column of energies ends with."""


def take_calibration(session: Session, calibration: Calibration) -> Session:
    """Take calibration.

    It comes before all others; one of the same column and runs gives way to it.
    """
    key = (calibration.column, calibration.made_from)
    others = [one for one in session.calibrations if (one.column, one.made_from) != key]
    return replace(session, calibrations=(calibration, *others))


def forget_calibration(session: Session, column: str) -> Session:
    """Forget the calibrations of a column."""
    left = tuple(one for one in session.calibrations if one.column != column)
    if left == session.calibrations:
        return session
    shown = session.spectrum
    if raw_column(session, shown.column) == column != shown.column:
        roi, markers = carried_over(session, column)
        shown = replace(shown, column=column, width=None, roi=roi, markers=markers)
    return replace(session, calibrations=left, spectrum=shown)


def calibrations_of(session: Session, run: Run | None) -> tuple[Calibration, ...]:
    """Give the calibration of each column that holds for a run: made from it, or else the newest."""
    found: dict[str, Calibration] = {}
    for one in session.calibrations:
        is_own = _is_of(one, run)
        if one.column not in found or (is_own and not _is_of(found[one.column], run)):
            found[one.column] = one
    return tuple(found.values())


def raw_column(session: Session, column: str) -> str:
    """Give the column that a column of energies is made of; the column itself where it is none."""
    return next((one.column for one in session.calibrations if one.energy_column == column), column)


def curve_of(session: Session, run: Run | None, column: str, channel: int | None) -> Curve | None:
    """Give the curve of a column's energies for a channel; for all together, that of the first channel."""
    for one in calibrations_of(session, run):
        if one.column == column:
            known = of_channel(one, channel)
            return None if known is None else known.curve
    return None


def carried_over(session: Session, column: str) -> tuple[tuple[float, float] | None, tuple[float, ...]]:
    """Give the region and the markers of the spectrum in the unit of another column.

    They go with a column to its energies and back; of any other column they make no sense: None and ().
    """
    shown, raw = session.spectrum, raw_column(session, column)
    curve = curve_of(session, session.selected_run, raw, shown.channel)
    if raw != raw_column(session, shown.column) or curve is None:
        return None, ()
    places = [*(shown.roi or ()), *shown.markers]
    found = (curve.value(places) if column == raw else curve.energy(places)).tolist() if places else []
    if not all(math.isfinite(place) for place in found):
        return None, ()
    roi, markers = (None, found) if shown.roi is None else (found[:2], found[2:])
    return None if roi is None else (min(roi), max(roi)), tuple(markers)


def of_channel(calibration: Calibration, channel: int | None) -> ChannelCalibration | None:
    """Give the calibration of a channel by its code; of the first that has a curve where it is None."""
    if channel is not None:
        return calibration.channels.get(place_text(channel))
    return next((one for one in calibration.channels.values() if one.curve is not None), None)


def with_channels(calibration: Calibration, channels: Mapping[str, ChannelCalibration]) -> Calibration:
    """Put the calibrations of some channels into one."""
    return replace(calibration, channels=MappingProxyType({**calibration.channels, **channels}))


def _is_of(calibration: Calibration, run: Run | None) -> bool:
    return run is not None and not set(run.raw_names).isdisjoint(calibration.made_from)
