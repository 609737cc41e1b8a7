"""Tests where cuts let something pass of a column."""

from __future__ import annotations

import math

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.analysis.cuts import Cut
from pygama_gui.session.cut_reach import reach_of_cuts
from pygama_gui.session.state import Session


def test_cuts_reach_as_far_in_energies_as_in_what_they_are_made_of() -> None:
    one = ChannelCalibration(curve=Curve((0.0, 0.5), ((0.0, 0.0), (0.0, 0.0))))
    made = Calibration("trap_max", channels={"0/0/0": one})
    cuts = (Cut("a", "trap_max > 100"), Cut("b", "trap_max_kev < 80 & bl_int > 3"))
    ignored = (Cut("c", "trap_max < 50", enabled=False), Cut("d", "trap_max > 40", inverted=True))
    session = Session(cuts=(*cuts, *ignored), calibrations=(made,))
    assert reach_of_cuts(session, None, "trap_max", None) == (100.0, 160.0)
    assert reach_of_cuts(session, None, "trap_max_kev", None) == (50.0, 80.0)
    assert reach_of_cuts(session, None, "bl_int", None) == (3.0, math.inf)
