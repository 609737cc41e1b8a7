"""Tests where cuts let something pass of a column."""

from __future__ import annotations

import math
from pathlib import Path

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.analysis.cuts import Cut
from pygama_gui.session.cut_reach import reach_of_cuts
from pygama_gui.session.state import DataSet, Member, Run, Session


def made_from(*names: str, **slopes: float) -> Calibration:
    """Make a calibration of channels by their numbers: 'c0=0.5' says 0.5 keV an ADC count."""
    channels = {
        f"0/0/{name[1:]}": ChannelCalibration(curve=Curve((0.0, slope), ((0.0, 0.0), (0.0, 0.0))))
        for name, slope in slopes.items()
    }
    return Calibration("trap_max", made_from=names, channels=channels)


def test_cuts_reach_as_far_in_energies_as_in_what_they_are_made_of() -> None:
    cuts = (Cut("a", "trap_max > 100"), Cut("b", "trap_max_kev < 80 & bl_int > 3"))
    ignored = (Cut("c", "trap_max < 50", enabled=False), Cut("d", "trap_max > 40", inverted=True))
    session = Session(cuts=(*cuts, *ignored), calibrations=(made_from(c0=0.5),))
    assert reach_of_cuts(session, None, "trap_max", None) == (100.0, 160.0)
    assert reach_of_cuts(session, None, "trap_max_kev", None) == (50.0, 80.0)
    assert reach_of_cuts(session, None, "bl_int", None) == (3.0, math.inf)


def test_cuts_reach_as_far_as_those_that_they_name() -> None:
    cuts = (Cut("a", "trap_max < 100", enabled=False), Cut("b", "a & bl_int > 3"))
    session = Session(cuts=cuts, calibrations=(made_from(c0=0.5),))
    assert reach_of_cuts(session, None, "trap_max", None) == (-math.inf, 100.0)
    assert reach_of_cuts(session, None, "trap_max_kev", None) == (-math.inf, 50.0)


def test_cuts_of_all_channels_reach_as_far_as_in_any_of_them() -> None:
    session = Session(cuts=(Cut("a", "10 < trap_max < 20"),), calibrations=(made_from(c0=0.5, c1=2.0),))
    assert reach_of_cuts(session, None, "trap_max_kev", None) == (5.0, 40.0)
    assert reach_of_cuts(session, None, "trap_max_kev", 1) == (20.0, 40.0)


def test_cuts_of_a_data_set_reach_as_far_as_in_any_of_its_runs() -> None:
    runs = [Run(f"r{number}", Path(f"Run{number}"), number) for number in (1, 2)]
    members = tuple(Member(run, Path(f"t2_run{run.run_number}.h5")) for run in runs)
    both = DataSet("set", runs[0].path, 1, name="both", members=members)
    session = Session(
        cuts=(Cut("a", "10 < trap_max < 20"),),
        calibrations=(made_from("Run1", c0=0.5), made_from("Run2", c0=2.0)),
    )
    assert reach_of_cuts(session, both, "trap_max_kev", None) == (5.0, 40.0)
    assert reach_of_cuts(session, runs[1], "trap_max_kev", None) == (20.0, 40.0)
