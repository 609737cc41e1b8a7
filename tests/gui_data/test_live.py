"""Columns and histograms that grow give what the same rows at once would give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pygama_gui.data.live import LiveColumns, LiveHistogram, LiveTables, round_range, round_up

BLOCKS = st.lists(hnp.arrays(np.int64, st.integers(0, 700)), max_size=12)


@settings(max_examples=40)
@given(BLOCKS)
def test_columns_hold_all_rows_in_order(blocks):
    live = LiveColumns()
    for block in blocks:
        live.append({"energy": block})
    expected = np.concatenate([*blocks, np.empty(0, np.int64)])
    assert live.n_rows == len(live) == len(expected)
    if blocks:
        np.testing.assert_array_equal(live.column("energy"), expected)
        assert live.column("energy").dtype == np.int64


def test_rows_from_a_place_on_are_given():
    live = LiveColumns()
    live.append({"x": np.arange(10)})
    assert live.column("x", 7).tolist() == [7, 8, 9]


def test_a_view_does_not_change_when_rows_arrive():
    live = LiveColumns()
    live.append({"x": np.arange(3)})
    view = live.column("x")
    live.append({"x": np.arange(5000)})
    assert view.tolist() == [0, 1, 2]


def test_a_view_cannot_be_written_to():
    live = LiveColumns()
    live.append({"x": np.arange(3)})
    with pytest.raises(ValueError, match="read-only"):
        live.column("x")[0] = 9


def test_a_column_that_appears_later_is_nan_before():
    live = LiveColumns()
    live.append({"x": np.array([1, 2])})
    live.append({"x": np.array([3]), "y": np.array([4])})
    assert live.names == ("x", "y")
    np.testing.assert_array_equal(live.column("y"), [np.nan, np.nan, 4.0])


def test_a_column_that_a_block_lacks_is_nan_there():
    live = LiveColumns()
    live.append({"x": np.array([1]), "y": np.array([2]), "name": np.array(["a"])})
    live.append({"x": np.array([3])})
    np.testing.assert_array_equal(live.column("y"), [2.0, np.nan])
    assert live.column("name").tolist() == ["a", ""]
    assert live.column("x").dtype == np.int64


def test_a_column_widens_to_the_type_that_holds_all():
    live = LiveColumns()
    live.append({"x": np.array([1]), "name": np.array(["short"])})
    live.append({"x": np.array([0.5]), "name": np.array(["much longer"])})
    assert live.column("x").tolist() == [1.0, 0.5]
    assert live.column("name").tolist() == ["short", "much longer"]


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="equal length"):
        LiveColumns().append({"x": np.arange(2), "y": np.arange(3)})


def test_tables_are_kept_by_job_and_decoder():
    tables = LiveTables()
    tables.append(1, "A", {"x": np.arange(2)})
    tables.append(1, "B", {"x": np.arange(3)})
    tables.append(2, "A", {"x": np.arange(4)})
    tables.append(1, "A", {"x": np.arange(2)})
    assert {decoder: len(table) for decoder, table in tables.of_job(1).items()} == {"A": 4, "B": 3}
    tables.drop(1)
    assert list(tables) == [(2, "A")]
    assert len(tables.table(2, "A")) == 4


def test_a_value_on_an_edge_belongs_to_the_bin_above():
    histogram = LiveHistogram(0, 4, 4, grows=False)
    histogram.add(np.array([0, 1, 1, 3.999, 4]))
    assert histogram.counts.tolist() == [1, 2, 0, 1]
    assert histogram.overflow == 1


def test_what_lies_outside_and_what_is_no_number_is_counted():
    histogram = LiveHistogram(0, 4, 4, grows=False)
    histogram.add(np.array([-1, -np.inf, np.nan, 9, 4, np.inf, 2]))
    assert (histogram.underflow, histogram.overflow, histogram.n_nan) == (2, 3, 1)
    assert histogram.n_values == 7


@settings(max_examples=40)
@given(st.lists(hnp.arrays(np.float64, st.integers(0, 50), elements=st.floats(-10, 10)), max_size=8))
def test_values_added_bit_by_bit_give_the_histogram_of_all(blocks):
    histogram = LiveHistogram(-7.3, 7.1, 13, grows=False)
    for block in blocks:
        histogram.add(block)
    values = np.concatenate([*blocks, []])
    inside = values[values < histogram.high]
    np.testing.assert_array_equal(histogram.counts, np.histogram(inside, histogram.edges)[0])
    assert histogram.n_values == len(values)


def test_the_range_doubles_upwards_by_joining_pairs_of_bins():
    histogram = LiveHistogram(0, 4, 4)
    histogram.add(np.array([0, 1, 3]))
    histogram.add(np.full(9, 5.0))
    assert (histogram.low, histogram.high) == (0, 8)
    assert histogram.counts.tolist() == [2, 1, 9, 0]
    assert histogram.overflow == 0


def test_the_range_doubles_downwards_too():
    histogram = LiveHistogram(0, 4, 4)
    histogram.add(np.array([0, 1, 3]))
    histogram.add(np.full(9, -3.0))
    assert (histogram.low, histogram.high) == (-4, 4)
    assert histogram.counts.tolist() == [9, 0, 2, 1]


def test_a_few_wild_values_do_not_squeeze_the_others():
    histogram = LiveHistogram(0, 4, 4)
    histogram.add(np.array([1e9] * 8 + [1.0] * 5))
    assert histogram.high == 4
    assert histogram.overflow == 8


def test_infinite_values_never_make_the_range_grow():
    histogram = LiveHistogram(0, 4, 4)
    histogram.add(np.full(100, np.inf))
    assert (histogram.high, histogram.overflow) == (4, 100)


def test_the_largest_numbers_there_are_do_no_harm():
    histogram = LiveHistogram(0, 4, 4)
    histogram.add(np.full(100, 1.7e308))
    assert histogram.n_values == 100


@settings(max_examples=40)
@given(st.lists(hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(-5000, 5000)), max_size=8))
def test_growing_loses_no_value_and_puts_each_in_its_bin(blocks):
    histogram = LiveHistogram(0, 16, 16)
    for block in blocks:
        histogram.add(block)
    values = np.concatenate([*blocks, []])
    assert histogram.n_values == len(values)
    assert histogram.underflow == np.sum(values < histogram.low)
    inside = values[values < histogram.high]
    np.testing.assert_array_equal(histogram.counts, np.histogram(inside, histogram.edges)[0])


def test_counts_that_were_given_stay_as_they_are():
    histogram = LiveHistogram(0, 4, 4)
    counts = histogram.counts
    histogram.add(np.array([1]))
    assert counts.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, np.inf), (np.nan, 1)])
def test_a_range_that_is_none_is_refused(low, high):
    with pytest.raises(ValueError, match="from a low to a high number"):
        LiveHistogram(low, high, 4)


@pytest.mark.parametrize(("n_bins", "grows"), [(0, False), (0, True), (3, True)])
def test_bins_that_cannot_be_are_refused(n_bins, grows):
    with pytest.raises(ValueError, match="bin"):
        LiveHistogram(0, 1, n_bins, grows=grows)


def test_a_histogram_around_values_holds_them():
    histogram = LiveHistogram.around(np.array([10.0, 500.0, 2700.0]), 1000)
    assert (histogram.low, histogram.high) == (0, 5000)
    assert histogram.counts[[2, 100, 540]].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("values", "n_bins", "expected"),
    [
        (np.array([], float), 100, (0, 100)),
        (np.array([np.nan, np.inf]), 100, (0, 100)),
        (np.array([0.0, 95.0]), 100, (0, 100)),
        (np.array([3, 4]), 100, (0, 100)),
        (np.array([1e9, 1e9 + 10]), 100, (1e9 - 0.4, 1e9 + 19.6)),
        (np.array([-10.0, 10.0]), 100, (-10.5, 39.5)),
    ],
)
def test_a_range_is_round_and_leaves_a_margin(values, n_bins, expected):
    assert round_range(values, n_bins) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40)
@given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6)))
def test_a_chosen_range_holds_nearly_all_values(values):
    low, high = round_range(values, 100)
    assert np.sum((values < low) | (values >= high)) <= 2


@pytest.mark.parametrize(("number", "expected"), [(0.3, 0.5), (1, 1), (1.1, 2), (5.01, 10), (1234, 2000)])
def test_rounding_up_gives_1_2_or_5_times_a_power_of_ten(number, expected):
    assert round_up(number) == pytest.approx(expected)


def test_a_column_of_nan_alone_has_no_values() -> None:
    table = LiveColumns()
    table.append({"none": np.full(3, np.nan), "one": np.array([np.nan, np.nan, 2.0]), "whole": np.arange(3)})
    assert [table.has_values(name) for name in ("none", "one", "whole")] == [False, True, True]
