"""Tests that columns of a data set on disk give back what was put in, in few bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pygama_gui.data.found_columns import FoundColumn


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_any_stretch_of_yes_and_no_comes_back(values: list[bool], first: int, n: int) -> None:
    column = FoundColumn(np.bool_)
    column.add_run(np.ones(3, np.bool_))
    column.add_run(np.array(values, np.bool_))
    first = min(first, len(values))
    stop = min(first + n, len(values))
    found = column.rows(1, first, stop)
    assert found.dtype == np.bool_
    assert found.tolist() == values[first:stop]


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20))
def test_whole_numbers_come_back_in_their_type(values: list[int]) -> None:
    column = FoundColumn(np.int32)
    column.add_run(np.array(values, np.int32))
    found = column.rows(0, 0, len(values))
    assert found.dtype == np.int32
    assert found.tolist() == values


def test_a_bit_is_kept_of_yes_and_no_and_a_byte_of_small_numbers() -> None:
    flags, counts = FoundColumn(np.bool_), FoundColumn(np.int32)
    flags.add_run(np.zeros(8000, np.bool_))
    counts.add_run(np.full(8000, 3, np.int32))
    assert (flags.n_bytes, counts.n_bytes) == (1000, 8000)
