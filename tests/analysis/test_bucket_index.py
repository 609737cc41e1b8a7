"""An index finds all rows near a moving edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.analysis import bucket_index
from pygama.analysis.bucket_index import BucketIndex
from pygama.analysis.counting import Interval

NUMBERS = st.one_of(st.integers(-20, 120).map(float), st.floats(0, 100))


@pytest.fixture(autouse=True)
def few_buckets(monkeypatch):
    monkeypatch.setattr(bucket_index, "N_BUCKETS", 64)


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(5)
    made = rng.normal(50, 20, 3000)
    made[:40] = rng.choice([np.nan, np.inf, -np.inf, 30, 60], 40)
    return made


@pytest.mark.parametrize("numbers", [[], [np.nan] * 5, [3.0] * 5, [np.inf, -np.inf, np.nan, 0]])
def test_an_index_of_odd_columns_finds_all_rows(numbers):
    index = BucketIndex(np.array(numbers, float))
    start, stop = index.between(-np.inf, np.inf)
    assert sorted(index.rows[start:stop].tolist()) == np.flatnonzero(~np.isnan(numbers)).tolist()


@given(st.tuples(NUMBERS, NUMBERS, st.booleans()), st.tuples(NUMBERS, NUMBERS, st.booleans()))
def test_all_rows_that_one_of_two_intervals_holds_are_found_once(values, before, after):
    old, new = (Interval("x", *sorted(one[:2]), is_open=one[2]) for one in (before, after))

    def inside(one):
        with np.errstate(invalid="ignore"):
            return (values >= one.low) & ((values < one.high) | one.is_open)

    pieces = BucketIndex(values).between_edges(old, new)
    rows = np.concatenate([np.zeros(0, np.uint32), *pieces]).tolist()
    assert len(rows) == len(set(rows))
    assert set(np.flatnonzero(inside(old) != inside(new)).tolist()) <= set(rows)


def test_a_short_move_looks_at_few_rows(values):
    pieces = BucketIndex(values).between_edges(Interval("x", 20, 50), Interval("x", 20, 51))
    assert 0 < sum(map(len, pieces)) < 300
