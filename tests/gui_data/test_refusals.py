"""Tests what is told, before a job starts, of a chain that asks for longer waveforms than a run has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pygama.channel_map import Channel
from pygama_gui.data.channels import code_of
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.refusals import foreign_to, too_long_for
from pygama_gui.data.samples import Sample
from pygama_gui.data.wiring import free_outputs
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session

LONG = changes.set_setting(Session(), 0, "i_end", 5000)


def run_with(*lengths: int) -> LiveRun:
    """Make a run that has shown waveforms of these lengths, each of a digitizer of its own."""
    live = LiveRun()
    live.tier0 = {}
    for number, length in enumerate(lengths):
        numbers = {"crate": 0, "card": 1, "channel": 1, "event_number": number, "period_ns": 10.0}
        live.samples.add(Sample(f"digitizer{number}", np.zeros(length, np.uint16), numbers))
    return live


def test_a_step_that_asks_for_more_samples_than_there_are_is_told() -> None:
    words = "i_end must be 2000 or less, the length of the waveforms, not 5000"
    assert too_long_for(LONG, run_with(2000)) == (0, words)


def test_a_chain_that_fits_is_told_nothing_of() -> None:
    assert too_long_for(Session(), run_with(2000)) is None


def test_waveforms_of_one_digitizer_that_are_long_enough_do() -> None:
    assert too_long_for(LONG, run_with(2000, 6000)) is None


def test_a_setting_of_one_channel_is_looked_at_as_well() -> None:
    own = changes.set_channels(Session(), 0, {"1": {"i_end": 5000}})
    assert too_long_for(own, run_with(2000)) is not None


def test_a_time_is_as_long_as_the_sampling_period_makes_it() -> None:
    in_time = changes.set_setting(Session(), 0, "i_end", "30 us")
    assert too_long_for(in_time, run_with(2000)) is not None
    assert too_long_for(in_time, run_with(4000)) is None


def test_a_step_whose_columns_are_not_kept_is_not_tried() -> None:
    first = Session().chain[0]
    both = changes.duplicate_step(Session(), 0, free_outputs(Session().chain, first))
    long = changes.set_setting(both, 1, "i_end", 5000)
    assert too_long_for(long, run_with(2000)) is not None
    assert too_long_for(changes.keep_columns(long, ["trap_max"]), run_with(2000)) is None


@pytest.mark.parametrize("live", [None, LiveRun(), run_with()])
def test_nothing_is_told_of_waveforms_that_nobody_has_seen(live: LiveRun | None) -> None:
    assert too_long_for(LONG, live) is None


def test_nothing_is_told_where_another_window_is_cut_now() -> None:
    live = run_with(2000)
    live.tier0 = {"window": "max", "n_samp": 2000}
    assert too_long_for(LONG, live) is None
    same = changes.set_tier0(changes.set_tier0(LONG, "window", "max"), "n_samp", 2000)
    assert too_long_for(same, live) is not None


RUN = Run("Run12", Path("Run12"), 12, decoders=("ORSIS3302DecoderForEnergy", "ORRunDecoderForRun"))


def test_waveforms_of_a_tier_1_file_are_looked_at_however_windows_are_cut_now() -> None:
    live = run_with(2000)
    live.tier0 = {"window": "max", "n_samp": 2000}
    assert too_long_for(LONG, live) is None
    assert too_long_for(LONG, live, of_tier1=True) is not None


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (
            "max",
            "the window is for ORGretina4MWaveformDecoder, which Run 12 does not have: no windows are cut",
        ),
        ("none", "the window is for ORGretina4MWaveformDecoder, which Run 12 does not have"),
    ],
)
def test_a_digitizer_that_the_run_does_not_have_is_told(window: str, words: str) -> None:
    session = changes.set_tier0(Session(), "digitizer", "ORGretina4MWaveformDecoder")
    session = changes.set_tier0(session, "window", window)
    session = changes.set_tier0(session, "n_samp", 100)
    assert foreign_to(session, RUN, []) == [words]


def test_the_digitizer_of_the_run_is_told_nothing_of_nor_is_one_of_a_run_that_tells_none() -> None:
    own = changes.set_tier0(Session(), "digitizer", "ORSIS3302DecoderForEnergy")
    assert foreign_to(own, RUN, []) == []
    other = changes.set_tier0(Session(), "digitizer", "ORGretina4MWaveformDecoder")
    assert foreign_to(other, Run("t2", Path("t2"), 12), []) == []


def test_settings_for_channels_that_the_run_does_not_have_are_told() -> None:
    session = changes.set_channels(
        Session(), 0, {"7": {"i_end": 50}, "2": {"i_end": 60}, "0/9/2": {"i_end": 5}}
    )
    there = [code_of(Channel(0, 8, channel, "a")) for channel in (0, 1, 2)]
    words = "settings are given for channel 7, 0/9/2, which Run 12 does not have"
    assert foreign_to(session, RUN, there) == [words]
    assert foreign_to(session, RUN, []) == []
    assert foreign_to(changes.enable_step(session, 0, False), RUN, there) == []
