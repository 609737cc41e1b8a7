"""Says where the cuts of a session let something pass of a column, whatever else they ask for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from pygama.analysis.curves import Curve
from pygama.analysis.cuts import EVERYWHERE, CutSet, Interval
from pygama_gui.session.calibration_changes import KEV, calibrations_of, of_channel, raw_column
from pygama_gui.session.cut_reading import readable
from pygama_gui.session.state import DataSet, Run, Session


def reach_of_cuts(session: Session, run: Run | None, column: str, channel: int | None) -> Interval:
    """Give the interval of a column outside of which the cuts let nothing pass, whatever the rest of them.

    A cut of the column that energies are made of reaches as far in these, and the other way round: as far as
    with any of the calibrations, of the channels that are shown and of the runs of a data set.
    """
    known, _ = readable(session.cuts)
    raw = raw_column(session, column)
    partner = f"{raw}{KEV}" if column == raw else raw
    own = _reach(known, column)
    in_partner = _reach(known, partner)
    carried = [
        _carried(in_partner, curve.energy if column != raw else curve.value)
        for curve in _curves(session, run, raw, channel)
    ]
    low = min((one for one, _ in carried), default=-math.inf)
    high = max((one for _, one in carried), default=math.inf)
    return max(own[0], low), min(own[1], high)


def _reach(cuts: CutSet, column: str) -> Interval:
    """Give the interval of a column that all cuts leave, each by itself."""
    ends = [EVERYWHERE, *(cuts.reach(cut.name, column) for cut in cuts if cut.enabled)]
    return max(low for low, _ in ends), min(high for _, high in ends)


def _curves(session: Session, run: Run | None, raw: str, channel: int | None) -> Iterator[Curve]:
    """Give the curves that energies of a run are made with: of a channel, or of all; of each run of a set."""
    runs = [one.run for one in run.members] if isinstance(run, DataSet) else [run]
    found = {id(one): one for each in runs for one in calibrations_of(session, each)}
    for one in found.values():
        if one.column == raw:
            known = one.channels.values() if channel is None else [of_channel(one, channel)]
            yield from (each.curve for each in known if each is not None and each.curve is not None)


def _carried(ends: Interval, to: Callable[[float], np.ndarray]) -> Interval:
    """Carry an interval over; ends that are infinite, or are not reached, are infinite."""
    low, high = (float(to(end)) if math.isfinite(end) else end for end in ends)
    return (low if low == low else -math.inf), (high if high == high else math.inf)
