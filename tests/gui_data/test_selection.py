"""Tests which events are looked at."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.analysis.cuts import Cut
from pygama_gui.data.channels import CODE
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.selection import RangeCut, Selection, cut_of, reach_of_cuts
from pygama_gui.session.state import Session


@pytest.fixture
def columns() -> LiveColumns:
    made = LiveColumns()
    made.append({"trap_max": np.array([1.0, 5.0, np.nan, 9.0, 5.0]), CODE: np.array([0, 0, 0, 1, 1])})
    return made


def test_a_range_passes_both_of_its_ends_and_no_nan(columns: LiveColumns) -> None:
    assert RangeCut("trap_max", 5.0, 9.0).mask(columns).tolist() == [False, True, False, True, True]


def test_a_cut_on_one_channel_passes_no_other(columns: LiveColumns) -> None:
    assert RangeCut("trap_max", 0.0, 9.0, channel=1).mask(columns).tolist() == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_cuts_reach_as_far_in_energies_as_in_what_they_are_made_of() -> None:
    one = ChannelCalibration(curve=Curve((0.0, 0.5), ((0.0, 0.0), (0.0, 0.0))))
    made = Calibration("trap_max", channels={"0/0/0": one})
    cuts = (Cut("a", "trap_max > 100"), Cut("b", "trap_max_kev < 80 & bl_int > 3"))
    ignored = (Cut("c", "trap_max < 50", enabled=False), Cut("d", "trap_max > 40", inverted=True))
    session = Session(cuts=(*cuts, *ignored), calibrations=(made,))
    assert reach_of_cuts(session, None, "trap_max", None) == (100.0, 160.0)
    assert reach_of_cuts(session, None, "trap_max_kev", None) == (50.0, 80.0)
    assert reach_of_cuts(session, None, "bl_int", None) == (3.0, math.inf)


def test_a_column_that_is_not_there_passes_nothing(columns: LiveColumns) -> None:
    assert not RangeCut("energy", 0.0, 9.0).mask(columns).any()


def test_channel_and_cut_both_count(columns: LiveColumns) -> None:
    selection = Selection(0, RangeCut("trap_max", 4.0, 6.0))
    assert selection.mask(columns).tolist() == [False, True, False, False, False]


def test_one_event_passes_as_its_row_does() -> None:
    selection = Selection(0, RangeCut("trap_max", 4.0, 6.0))
    assert selection.passes({"trap_max": 5.0, "channel": 0})
    assert not selection.passes({"trap_max": 5.0, "channel": 1})
    assert not selection.passes({"trap_max": 7.0, "channel": 0})
    assert not selection.passes({"trap_max": float("nan"), "channel": 0})
    assert not selection.passes({"channel": 0})


def test_the_region_of_the_spectrum_is_the_cut_where_that_is_wanted() -> None:
    session = Session()
    session = replace(session, spectrum=replace(session.spectrum, roi=(1.0, 2.0), channel=3))
    assert cut_of(session) is None
    session = replace(session, waveforms=replace(session.waveforms, is_only_roi=True))
    assert cut_of(session) == RangeCut("trap_max", 1.0, 2.0, 3)
    assert cut_of(replace(session, spectrum=replace(session.spectrum, roi=None))) is None
