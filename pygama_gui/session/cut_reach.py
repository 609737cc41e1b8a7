"""Says where the cuts of a session let something pass of a column, whatever else they ask for."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pygama.analysis.cuts import reach_of
from pygama_gui.session.calibration_changes import KEV, curve_of, raw_column
from pygama_gui.session.cut_reading import readable
from pygama_gui.session.state import Run, Session

Interval = tuple[float, float]
EVERYWHERE: Interval = (-math.inf, math.inf)


def reach_of_cuts(session: Session, run: Run | None, column: str, channel: int | None) -> Interval:
    """Give the interval of a column outside of which the cuts let nothing pass, whatever the rest of them.

    A cut of the column that energies are made of reaches as far in these, and the other way round.
    """
    low, high = EVERYWHERE
    raw = raw_column(session, column)
    curve = curve_of(session, run, raw, channel)
    partner = f"{raw}{KEV}" if column == raw else raw
    known, _ = readable(session.cuts)
    for cut in known:
        if cut.enabled and not cut.inverted:
            ends = [reach_of(cut.expression, column)]
            if curve is not None:
                to = curve.energy if column != raw else curve.value
                ends.append(_carried(reach_of(cut.expression, partner), to))
            low, high = max(low, *(one for one, _ in ends)), min(high, *(one for _, one in ends))
    return low, high


def _carried(ends: Interval, to: Callable[[float], np.ndarray]) -> Interval:
    """Carry an interval over; ends that are infinite, or are not reached, are infinite."""
    low, high = (float(to(end)) if math.isfinite(end) else end for end in ends)
    return (low if low == low else -math.inf), (high if high == high else math.inf)
