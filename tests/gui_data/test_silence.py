"""Tests that when channels were there is found while their rows come by as from all rows at once."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama_gui.data.silence import Presences, presence_of

PLACES = st.lists(st.integers(-1, 3), max_size=60)


@given(PLACES, st.lists(st.integers(0, 60), max_size=5), st.booleans())
def test_block_for_block_gives_what_all_rows_give(
    places: list[int], cuts: list[int], has_times: bool
) -> None:
    found, rows = Presences(4), np.array(places, np.int64)
    times = np.cumsum(np.arange(len(rows)) % 7) - 0.5 * (rows == 2) if has_times else None
    if times is not None:
        times[3::5] = np.nan
    ends = [0, *sorted(cuts), len(rows)]
    for first, stop in zip(ends, ends[1:], strict=False):
        found.add(rows[first:stop], None if times is None else times[first:stop])
    assert found.n_all == len(rows)
    for place in range(4):
        expected = presence_of(np.flatnonzero(rows == place), len(rows), times)
        assert astuple(found.of(place)) == pytest.approx(astuple(expected), nan_ok=True)


def test_what_is_missing_is_told_by_the_lesser_of_share_and_rate() -> None:
    at = np.arange(0, 200, 2)
    assert presence_of(at, 1000, None).missing(1000) == pytest.approx(100 / 99 * 801)
    # The others gave ten times as much afterwards: by its own rate 100 in 198 s, 80 in the 80 s behind it.
    times = np.concatenate([np.arange(200.0), 199.0 + 0.1 * np.arange(800)])
    assert presence_of(at, 1000, times).missing(1000) == pytest.approx(100 / 198 * (199.0 + 79.9 - 198.0))


def test_a_channel_that_was_away_as_long_before_misses_nothing() -> None:
    at = np.concatenate([np.arange(30), np.arange(500, 530)])
    assert presence_of(at, 1400, None).missing(1400) == 0.0
    assert presence_of(at, 1500, None).missing(1500) > 0.0


def test_rows_without_a_time_do_not_hide_what_is_missing() -> None:
    at, times = np.arange(0, 200, 2), np.arange(1000.0)
    times[[0, 198, 999]] = np.nan
    assert presence_of(at, 1000, times).missing(1000) == pytest.approx(100 / 194 * (998 - 196))
