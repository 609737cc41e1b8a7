"""Tests which events are looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pygama_gui.data.channels import CODE
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.selection import RangeCut, Selection, cut_of
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
