"""Changes the calibrations of a session, and says which of them holds for a run and a column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from pygama.analysis.calibration import Calibration, ChannelCalibration, place_text
from pygama.analysis.curves import Curve
from pygama_gui.session.state import DataSet, Run, Session, ranges_of

KEV = "_kev"
"""What the name of a column of energies ends with."""


def take_calibration(session: Session, calibration: Calibration) -> Session:
    """Take calibration.

    It comes before all others; one of the same column and runs gives way to it. Channels that show the column
    show its energies from now on.
    """
    key = (calibration.column, calibration.made_from)
    others = [one for one in session.calibrations if (one.column, one.made_from) != key]
    channels = session.channel_grid
    if channels.column == calibration.column:
        channels = replace(channels, column=calibration.column + KEV)
    return replace(session, calibrations=(calibration, *others), channel_grid=channels)


def forget_calibration(session: Session, column: str) -> Session:
    """Forget the calibrations of a column."""
    left = tuple(one for one in session.calibrations if one.column != column)
    if left == session.calibrations:
        return session
    shown, channels = session.spectrum, session.channel_grid
    if raw_column(session, shown.column) == column != shown.column:
        roi, markers = carried_over(session, column)
        shown = replace(shown, column=column, width=None, roi=roi, markers=markers)
    if channels.column == column + KEV:
        channels = replace(channels, column=column)
    return replace(session, calibrations=left, spectrum=shown, channel_grid=channels)


def calibrations_of(session: Session, run: Run | None) -> tuple[Calibration, ...]:
    """Give the calibration of each column that holds for a run.

    One made from it goes first. Without one, that of the run taken nearest in time holds, earlier or later,
    since gains drift; the newest of equals, and the newest of all where the time of one is not known, as of
    one from a file of another run. `borrowed` says where one holds that is not the run's own.
    """
    by_column: dict[str, list[Calibration]] = {}
    for one in session.calibrations:
        by_column.setdefault(one.column, []).append(one)
    return tuple(_holding(session, run, ones) for ones in by_column.values())


def calibrations_made_from(session: Session, run: Run) -> tuple[Calibration, ...]:
    """Give the calibrations that were made from a run."""
    return tuple(one for one in session.calibrations if _is_of(one, run))


def _holding(session: Session, run: Run | None, ones: Sequence[Calibration]) -> Calibration:
    own = next((one for one in ones if _is_of(one, run)), None)
    if own is not None:
        return own
    apart = [_time_apart(session, run, one) for one in ones]
    return ones[0] if None in apart else min(zip(apart, ones, strict=True), key=lambda one: one[0] or 0)[1]


def _time_apart(session: Session, run: Run | None, calibration: Calibration) -> int | None:
    """Give the seconds between the starts of a run and of the nearest that a calibration was made from."""
    if run is None or not run.start_time:
        return None
    known = (*session.runs, *(member.run for one in session.data_sets for member in one.members))
    starts = [one.start_time for one in known if one.start_time and _is_of(calibration, one)]
    return min((abs(start - run.start_time) for start in starts), default=None)


def borrowed(session: Session, run: Run | None, column: str) -> str:
    """Say whose calibration gives the energies of a column where a run has none of its own, or ''.

    column: the raw one or that of energies. Of a data set, each run that has none is named.
    """
    raw = raw_column(session, column)
    if isinstance(run, DataSet):
        told = [(one.run, _whose(session, one.run, raw)) for one in run.members]
        of = {whose: [one for one, its in told if its == whose] for _, whose in told if whose}
        return "; ".join(f"{_numbered(runs)} calibrated by {whose}" for whose, runs in of.items())
    whose = _whose(session, run, raw)
    return f"calibrated by {whose}" if whose else ""


def _whose(session: Session, run: Run | None, column: str) -> str:
    """Name the runs of the calibration that a run borrows, and why it is that one; '' where it is its own."""
    ones = [one for one in session.calibrations if one.column == column]
    if run is None or not ones:
        return ""
    one = _holding(session, run, ones)
    if _is_of(one, run):
        return ""
    name = ", ".join(one.made_from) or "a file"
    if len(ones) == 1:
        return f"{name}, the only calibration"
    is_timed = None not in [_time_apart(session, run, each) for each in ones]
    return f"{name}, {'the nearest in time' if is_timed else 'the newest'}"


def _numbered(runs: Sequence[Run]) -> str:
    return f"run{'s' if len(runs) > 1 else ''} {ranges_of(run.run_number for run in runs)}"


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
