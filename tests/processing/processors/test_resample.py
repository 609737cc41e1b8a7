"""Waveforms with a pre-summed end brought to one period."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.block import Block
from pygama.processing.chain import Chain
from pygama.processing.processors.resample import resample_multisampled
from pygama.processing.steps import Step


def presummed(even: np.ndarray, start: int, rate: int, divisor: int) -> np.ndarray:
    """Sum the end of one waveform as the card does."""
    sums = even[start:].reshape(-1, rate).sum(axis=1) / divisor
    return np.concatenate([even[:start], sums])


def resampled(wave, start, rate, divisor, **given):
    columns = (np.array([float(value)]) for value in (start, rate, divisor))
    return resample_multisampled(np.atleast_2d(wave), *columns, **given)[0]


def test_a_waveform_that_is_not_summed_stays_as_it_is():
    wave = np.arange(20, dtype=np.int16)
    assert np.array_equal(resampled(wave, 20, 1, 1), wave)


def test_a_level_stays_level():
    wave = presummed(np.full(60, 7.0), 20, 4, 2)
    assert np.array_equal(wave[20:], np.full(10, 14.0))
    assert np.array_equal(resampled(wave, 20, 4, 2, length=60), np.full(60, 7.0))


@given(
    start=st.integers(2, 30), rate=st.sampled_from([1, 2, 4, 8, 10]), divisor=st.sampled_from([1, 2, 4, 8])
)
@settings(deadline=None, max_examples=40)
def test_a_ramp_stays_a_ramp_up_to_the_middle_of_its_last_sum(start, rate, divisor):
    even = 5 + 3 * np.arange(start + 12 * rate, dtype=float)
    made = resampled(presummed(even, start, rate, divisor), start, rate, divisor, length=len(even))
    end = len(even) - (rate + 1) // 2
    assert np.allclose(made[:end], even[:end], rtol=1e-12)


def test_each_sum_stands_in_the_middle_of_its_time():
    # Samples 0 1 | sums of 3 at the places 2..4 and 5..7, whose middles are 3 and 6.
    made = resampled(np.array([0, 3, 30, 60]), 2, 3, 1, length=8)
    assert np.allclose(made, [0, 3, 6.5, 10, 13 + 1 / 3, 16 + 2 / 3, 20, 20])


def test_as_many_samples_as_before_are_given_unless_told_otherwise():
    assert len(resampled(np.arange(12), 4, 4, 4)) == 12


def test_beyond_the_end_of_the_record_nothing_is_known():
    made = resampled(np.ones(10), 8, 2, 2, length=15)
    assert np.array_equal(np.isnan(made), np.arange(15) >= 12)


def test_each_row_has_its_own_way_of_summing():
    even = np.sin(np.arange(40) / 9)
    waves = np.array([presummed(even, 12, 4, 2)[:19], even[:19]])
    made = resample_multisampled(waves, np.array([12, 19]), np.array([4, 1]), np.array([2, 1]))
    assert np.array_equal(made[1], even[:19])
    assert np.array_equal(made[0], resampled(waves[0], 12, 4, 2))


@pytest.mark.parametrize(
    ("rate", "divisor"), [(0, 1), (1.5, 1), (-2, 1), (2, 0), (2, -1), (np.nan, 1), (2, np.nan), (np.inf, 1)]
)
def test_a_row_whose_summing_makes_no_sense_has_no_waveform(rate, divisor):
    assert np.isnan(resampled(np.ones(9), 4, rate, divisor)).all()


def test_a_sample_that_is_not_a_number_spoils_only_its_surroundings():
    wave = np.ones(20)
    wave[15] = np.nan
    made = resampled(wave, 10, 4, 4, length=50)
    # Sum 15 stands at 31.5; its neighbours, at 27.5 and 35.5, are whole.
    assert np.array_equal(np.flatnonzero(np.isnan(made)), np.arange(28, 36))


def test_a_sample_that_was_not_summed_and_is_not_a_number_spoils_itself_alone():
    wave = np.ones(20)
    wave[5] = np.nan
    assert np.array_equal(np.flatnonzero(np.isnan(resampled(wave, 10, 4, 4))), [5])


def test_later_steps_read_the_even_waveform_in_place_of_the_raw_one():
    even = np.where(np.arange(800) < 300, 100.0, 900.0)
    wave = presummed(even, 400, 4, 4)
    rows = np.array([(400, 4, 4)], [("presum_start", "i8"), ("presum_rate", "i8"), ("presum_divisor", "i8")])
    chain = Chain(
        [
            Step("resample_multisampled", {"length": 800}),
            Step("fit_baseline", {"i_end": 250}),
            Step("bl_subtract"),
            Step("trap_filter", {"rise": 100, "flat": 20}),
            Step("trap_max"),
        ],
        keep=["wf_resampled"],
    )
    results = chain.run(Block("made_up", rows, wave.astype(np.int16)[None, :]))
    assert results["wf_resampled"].shape == (1, 800)
    assert results["trap_max"] == pytest.approx([800])
