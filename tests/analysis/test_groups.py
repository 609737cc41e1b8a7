"""Tests medians of groups of rows that are found without sorting again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis.groups import Groups, middles_plainly

NUMBERS = st.one_of(
    st.integers(-5, 5).map(float), st.floats(-1e6, 1e6), st.sampled_from([np.nan, np.inf, 1e-300])
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(NUMBERS, st.integers(-1, 3), st.booleans()), max_size=60))
def test_medians_are_those_of_numpy_whichever_rows_are_chosen(table):
    values = np.array([one[0] for one in table], np.float64)
    group_of = np.array([one[1] for one in table], np.int16)
    chosen = np.array([one[2] for one in table], np.bool_)
    groups = Groups(values, group_of, 4)
    numbers, medians, deviations = groups.middles(chosen)
    plain = middles_plainly(groups, chosen)
    for one, other in zip((numbers, medians, deviations), plain, strict=True):
        assert np.array_equal(one, other, equal_nan=True)
    for group in range(4):
        its = values[chosen & (group_of == group) & np.isfinite(values)]
        assert numbers[group] == len(its)
        if len(its):
            assert medians[group] == np.median(its)
            assert deviations[group] == np.median(np.abs(its - np.median(its)))
        else:
            assert np.isnan(medians[group])


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint64])
def test_values_of_any_kind_are_taken_as_float64(kind):
    rng = np.random.default_rng(1)
    values, group_of = rng.integers(0, 90, 500).astype(kind), rng.integers(0, 5, 500)
    _, medians, _ = Groups(values, group_of, 5).middles(np.ones(500, bool))
    assert medians.tolist() == [np.median(values[group_of == group]) for group in range(5)]
