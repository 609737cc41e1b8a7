"""What cuts do to events: known intervals, counts by hand, and toys of known survival."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.analysis.cuts import Cut, CutSet
from pygama.analysis.efficiency import (
    ONE_SIGMA,
    Counts,
    PeakBands,
    Survival,
    beta_below,
    beta_quantile,
    efficiency_table,
    interval,
    peak_bands,
    ratio,
    survival_at,
    survival_at_peaks,
    survival_curve,
)
from pygama.errors import SettingsError


@pytest.mark.parametrize(
    ("low", "high", "n_out", "n_in"),
    [
        # 0 and all of n: the tail is (1 - p)^n, by hand.
        (0.0, 1 - 0.025 ** (1 / 10), 0, 10),
        (0.025 ** (1 / 10), 1.0, 10, 10),
        (1 - 0.975 ** (1 / 5), 0.716417936118089, 1, 5),
        (0.025**1.0, 1.0, 1, 1),
    ],
)
def test_intervals_that_can_be_reckoned_by_hand(low, high, n_out, n_in):
    assert interval(n_out, n_in, 0.95) == pytest.approx((low, high), rel=1e-12)


def _tail(p, n_out, n_in):
    """The probability of n_out or more of n_in."""
    return math.fsum(math.comb(n_in, k) * p**k * (1 - p) ** (n_in - k) for k in range(n_out, n_in + 1))


@given(st.integers(1, 60), st.data(), st.sampled_from([0.5, ONE_SIGMA, 0.9, 0.99]))
def test_the_ends_of_an_interval_leave_the_tails_that_they_must(n_in, data, level):
    n_out = data.draw(st.integers(0, n_in))
    low, high = interval(n_out, n_in, level)
    if n_out:
        assert _tail(low, n_out, n_in) == pytest.approx((1 - level) / 2, rel=1e-9)
    if n_out < n_in:
        assert 1 - _tail(high, n_out + 1, n_in) == pytest.approx((1 - level) / 2, rel=1e-7)


@pytest.mark.parametrize("n_out", [1, 7, 50_000_000, 99_999_999])
def test_an_interval_of_a_hundred_million_is_that_of_its_limit(n_out):
    n_in = 100_000_000
    low, high = interval(n_out, n_in)
    if n_out == 50_000_000:
        assert (high - low) / 2 == pytest.approx(math.sqrt(0.25 / n_in), rel=1e-3)
    else:  # that of a Poisson count: exp(-m) sums
        few = min(n_out, n_in - n_out)
        end = n_in * (high if n_out == few else 1 - low)
        below = sum(math.exp(-end) * end**k / math.factorial(k) for k in range(few + 1))
        assert below == pytest.approx((1 - ONE_SIGMA) / 2, rel=1e-5)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(1, 1e4), st.floats(1, 1e4))
def test_a_quantile_is_where_the_distribution_says(p, a, b):
    assert beta_below(beta_quantile(p, a, b), a, b) == pytest.approx(p, rel=1e-8)


def test_a_beta_distribution_by_hand():
    assert beta_below(0.3, 1, 1) == pytest.approx(0.3, rel=1e-14)
    assert beta_below(0.3, 2, 1) == pytest.approx(0.09, rel=1e-14)
    assert beta_below(0.3, 2, 2) == pytest.approx(3 * 0.09 - 2 * 0.027, rel=1e-14)
    assert (beta_below(0, 2, 2), beta_below(1, 2, 2)) == (0, 1)


def test_no_events_have_no_efficiency():
    none = ratio(0, 0)
    assert math.isnan(none.value)
    assert math.isnan(none.low)


@pytest.mark.parametrize("wrong", [(3, 2, 0.9), (-1, 2, 0.9), (1, 2, 1.0)])
def test_counts_that_make_no_sense_are_refused(wrong):
    with pytest.raises(SettingsError, match="has no interval"):
        interval(*wrong)


def test_a_table_by_hand():
    columns = {"e": np.array([1.0, 2, 3, 4, 5, np.nan]), "c": np.array([1, 1, 1, 2, 2, 2])}
    cuts = CutSet(
        [
            Cut("low", "e > 1"),
            Cut("off", "e < 5", enabled=False),
            Cut("one", "c == 2", inverted=True),
            Cut("high", "e < 4"),
        ]
    )
    table = efficiency_table(cuts, columns)
    low, off, one, high = table.rows
    assert [(row.alone.n_in, row.alone.n_out) for row in table.rows] == [(6, 4), (6, 4), (6, 3), (6, 3)]
    assert (low.in_order.n_in, low.in_order.n_out) == (6, 4)
    assert off.in_order is None
    assert (one.in_order.n_in, one.in_order.n_out) == (4, 2)
    assert (high.in_order.n_in, high.in_order.n_out) == (2, 2)
    assert (table.total.n_in, table.total.n_out) == (6, 2)
    assert [row.n_lost_alone for row in table.rows] == [1, 0, 0, 0]
    assert [row.n_nan for row in table.rows] == [1, 1, 0, 1]


def test_a_cut_that_is_off_tells_what_it_would_take_away_as_well():
    columns = {"e": np.arange(10.0)}
    cuts = CutSet([Cut("low", "e > 3"), Cut("off", "e < 8", enabled=False)])
    assert [row.n_lost_alone for row in efficiency_table(cuts, columns).rows] == [4, 2]


@given(st.lists(st.tuples(*[st.booleans()] * 3), min_size=1, max_size=40), st.tuples(*[st.booleans()] * 3))
def test_what_is_lost_to_a_cut_alone_comes_back_without_it(rows, are_on):
    a, b, c = np.array(rows).T
    columns = {"a": a, "b": b, "c": c}
    cuts = CutSet([Cut(f"cut_{name}", name, "", on) for name, on in zip("abc", are_on, strict=True)])
    table = efficiency_table(cuts, columns)
    for row, is_on in zip(table.rows, are_on, strict=True):
        without = cuts.mask(columns, leave_out=[row.name])
        with_it = without & columns[row.name.removeprefix("cut_")]
        assert row.n_lost_alone == int(without.sum()) - int(with_it.sum())
        assert (row.in_order is None) == (not is_on)
    assert table.total.n_out == int(cuts.mask(columns).sum())


def test_an_empty_set_of_cuts_has_an_empty_table():
    table = efficiency_table(CutSet(), {"e": np.arange(3)})
    assert table.rows == ()
    assert (table.total.n_in, table.total.n_out) == (3, 3)


def test_side_bands_on_a_sloping_background_leave_the_peak():
    bands = PeakBands("line", (10, 12), (4, 8), (13, 14))
    assert bands.weights == pytest.approx((2 * (1 - 5 / 7.5) / 4, 2 * (5 / 7.5) / 1))

    def line(low, high):  # the integral of 3 + 2 x
        return 3 * (high - low) + high**2 - low**2

    below, above = bands.weights
    assert below * line(4, 8) + above * line(13, 14) == pytest.approx(line(10, 12))


def test_survival_by_hand():
    bands = PeakBands("line", (10, 12), (8, 10), (12, 14))
    survival = Survival(bands, Counts(100, 10, 10), Counts(60, 40, 40))
    assert (survival.n_out, survival.n_in) == (90, 110)
    assert survival.value == pytest.approx(90 / 110)
    expected = math.sqrt(20**2 * (100 + 5) + 90**2 * (60 + 20)) / 110**2
    assert survival.error == pytest.approx(expected)


def test_without_background_the_error_is_that_of_a_binomial():
    bands = peak_bands("line", 100, 2)
    survival = Survival(bands, Counts(30, 0, 0), Counts(70, 0, 0))
    assert survival.error == pytest.approx(math.sqrt(0.3 * 0.7 / 100))


def test_none_of_a_few_is_not_sure():
    bands = peak_bands("line", 100, 2)
    survival = Survival(bands, Counts(0, 0, 0), Counts(10, 0, 0))
    assert (survival.value, survival.error) == (0, pytest.approx(0.1))


def test_nothing_above_the_side_bands_has_no_survival():
    survival = survival_at(np.zeros(4), np.ones(4, bool), peak_bands("line", 100, 2))
    assert math.isnan(survival.value)
    assert math.isnan(survival.error)


def test_bands_that_overlap_are_refused():
    with pytest.raises(SettingsError, match="must follow each other"):
        PeakBands("line", (10, 12), (8, 11), (12, 14))
    with pytest.raises(SettingsError, match="a width above 0"):
        peak_bands("line", 100, 0)


def test_the_survival_of_toys_is_right_within_its_errors():
    rng = np.random.default_rng(11)
    bands = peak_bands("line", 100, 2.355)
    pulls = []
    for _ in range(1000):
        peak = rng.normal(100, 1, rng.poisson(400))
        flat = rng.uniform(80, 120, rng.poisson(2000))
        passes = np.concatenate([rng.random(len(peak)) < 0.8, rng.random(len(flat)) < 0.3])
        survival = survival_at(np.concatenate([peak, flat]), passes, bands)
        pulls.append((survival.value - 0.8) / survival.error)
    assert abs(np.mean(pulls)) < 0.1
    assert abs(np.std(pulls) - 1) < 0.1


def test_several_peaks_are_counted_each_in_its_own_bands():
    values = np.array([100.0] * 4 + [200.0] * 5 + [96.0, np.nan])
    passes = np.array([True, True, True, False] + [True] * 5 + [True, True])
    first, second = survival_at_peaks(values, passes, [peak_bands("a", 100, 1), peak_bands("b", 200, 1)])
    assert (first.kept, first.lost) == (Counts(3, 1, 0), Counts(1, 0, 0))
    assert second.value == 1


def test_a_curve_has_an_interval_in_each_bin_that_is_not_empty():
    curve = survival_curve([0.0, 0.5, 1.0, 3.0, np.nan], [True, False, True, True, True], [0, 1, 2, 3])
    assert curve.n_in.tolist() == [2, 1, 0]
    assert curve.n_out.tolist() == [1, 1, 0]
    assert curve.value[:2].tolist() == [0.5, 1.0]
    assert np.isnan(curve.value[2]) and np.isnan(curve.low[2])
    assert (curve.low[0], curve.high[0]) == interval(1, 2)
