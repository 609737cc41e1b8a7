"""Histograms by hand, against NumPy, and the compiled counting against the plain one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis import counting, histograms
from pygama.analysis.counting import (
    Axis,
    Columns,
    Interval,
    Wanted,
    bins_plainly,
    buckets,
    buckets_plainly,
    changes,
    changes_plainly,
    count,
    count_plainly,
    count_rows,
    count_rows_plainly,
    empty_tables,
    rows_by_bucket,
)
from pygama.analysis.histograms import histogram, histogram_2d, weighted_histogram
from pygama.errors import SettingsError, Stopped
from pygama_gui.data.live import LiveHistogram

NAN, INF = np.nan, np.inf
needs_compiled = pytest.mark.skipif(counting.compiled is None, reason="the compiled counting is not built")


@pytest.fixture(params=["compiled", "plain"])
def either(request, monkeypatch):
    """Run a test with the compiled counting and with the plain one."""
    if request.param == "plain":
        monkeypatch.setattr(counting, "compiled", None)
    elif counting.compiled is None:
        pytest.skip("the compiled counting is not built")


@pytest.mark.usefixtures("either")
def test_a_histogram_by_hand():
    found = histogram([-1, 0, 0.5, 1, 1.9, 2, 3, NAN, INF, -INF], 0, 2, 2)
    assert found.counts.tolist() == [2, 2]
    assert (found.underflow, found.overflow, found.n_nan) == (2, 3, 1)
    assert (found.n_rows, found.n_outside) == (10, 6)
    assert found.edges[0].tolist() == [0, 1, 2]


@pytest.mark.usefixtures("either")
def test_a_histogram_of_two_columns_by_hand():
    x, y = [0, 0, 1, 1, 1, 5, NAN], [0, 2, 1, 1, NAN, 1, NAN]
    found = histogram_2d(x, y, (0, 2, 2), (0, 3, 3), mask=[True, True, True, False, True, True, True])
    assert found.counts.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert (found.n_rows, found.n_outside, found.n_nan, found.overflow) == (6, 3, 1, 1)


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize(
    "kind", ["f8", "f4", "f2", ">f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
)
def test_every_type_of_numbers_is_counted(kind):
    values = np.array([0, 1, 1, 0, 1] * 1000).astype(kind)
    assert histogram(values, 0, 2, 2).counts.tolist() == [2000, 3000]
    assert histogram(values[::2], 0, 2, 2).counts.tolist() == [1000, 1500]


@pytest.mark.usefixtures("either")
def test_many_rows_are_counted_by_several_threads_as_by_one():
    values = np.random.default_rng(2).normal(size=450_001)
    mask = values > -1.5
    columns, wanted = {"x": values}, [Wanted(Axis("x", -2, 2, 50))]
    expected = np.histogram(values[mask], 50, (-2, 2))[0]
    for n_threads in (1, 2, 3, None):
        (found,) = histograms.histograms(columns, wanted, mask=mask, n_threads=n_threads)
        assert (found.counts == expected).all()
        assert found.n_rows == mask.sum()


def test_counting_can_be_stopped():
    def stop():
        raise Stopped("enough")

    for n_threads in (1, 2):
        with pytest.raises(Stopped):
            histograms.histograms(
                {"x": np.zeros(500_000)}, [Wanted(Axis("x", 0, 1, 2))], keep_on=stop, n_threads=n_threads
            )


def test_weights_are_added_up():
    found = weighted_histogram([0, 0.5, 1, 7], [1, -2.5, 4, 8], Axis("x", 0, 2, 2))
    assert found.tolist() == [-1.5, 4, 0, 8, 0]


def test_no_rows_make_an_empty_histogram():
    assert histogram([], 0, 1, 4).counts.tolist() == [0] * 4


@pytest.mark.parametrize(
    ("words", "make"),
    [
        ("from a low to a high number", lambda: Axis("x", 1, 1, 5)),
        ("from a low to a high number", lambda: Axis("x", 0, INF, 5)),
        ("from a low to a high number", lambda: Axis("x", NAN, 1, 5)),
        ("must be from 1 to", lambda: Axis("x", 0, 1, 0)),
        ("is too large", lambda: Wanted(Axis("x", 0, 1, 5000), Axis("x", 0, 1, 5000))),
        ("column 'y' is not there", lambda: Columns({"x": [1]})["y"]),
        ("column 'x' is not one number a row", lambda: Columns({"x": ["a"]})["x"]),
        ("column 'y' has 2 rows, not 1", lambda: Columns({"x": [1], "y": [1, 2]})["y"]),
        ("a mask is 2 times yes or no", lambda: histogram([1, 2], 0, 3, 3, mask=[1, 0])),
        ("a mask is 2 times yes or no", lambda: histogram([1, 2], 0, 3, 3, mask=[True])),
    ],
)
def test_what_cannot_be_counted_is_refused(words, make):
    with pytest.raises(SettingsError, match=words):
        make()


def test_a_data_frame_is_counted():
    frame = pd.DataFrame({"x": [0.5, 1.5, 1.6], "n": [1, 2, 3]})
    (found,) = histograms.histograms(frame, [Wanted(Axis("n", 0, 4, 4))])
    assert found.counts.tolist() == [0, 1, 1, 1]


# Awkward edges: rounding goes across them, and bins that are hardly wider than the numbers are apart.
LIMITS = st.one_of(
    st.tuples(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6)).map(lambda at: (at[0], at[0] + at[1])),
    st.tuples(st.integers(-50, 50), st.integers(1, 100)).map(lambda at: (at[0] / 10, (at[0] + at[1]) / 10)),
    st.sampled_from([(1e15, 1e15 + 10), (1.0, 1.0 + 1e-14), (-1e300, 1e300), (0.0, 5e-300)]),
).filter(lambda at: at[0] < at[1])


@st.composite
def _axes(draw, column):
    low, high = draw(LIMITS)
    return Axis(column, low, high, draw(st.sampled_from([1, 2, 3, 7, 10, 97, 1000])))


def _values_near(axis, draw, n):
    edges = axis.edges.tolist()
    near = st.sampled_from(edges).flatmap(
        lambda edge: st.sampled_from([edge, np.nextafter(edge, INF), np.nextafter(edge, -INF)])
    )
    anywhere = st.floats(axis.low, axis.high)
    some = st.one_of(near, anywhere, st.sampled_from([NAN, INF, -INF, 0.0, -0.0]))
    return np.array(draw(st.lists(some, min_size=n, max_size=n)))


@settings(max_examples=200, deadline=None)
@given(_axes("x"), st.data())
def test_the_edges_decide(axis, data):
    values = _values_near(axis, data.draw, 12)
    bins = bins_plainly(axis, values).tolist()
    for value, at in zip(values.tolist(), bins, strict=True):
        if at < axis.n_bins:
            assert axis.edges[at] <= value < axis.edges[at + 1]
        else:
            assert at == axis.n_bins + (0 if value < axis.low else 1 if value >= axis.high else 2)
    found = histogram(values, axis.low, axis.high, axis.n_bins)
    assert found.table.tolist() == np.bincount(bins, minlength=axis.n_bins + 3).tolist()


@settings(max_examples=100, deadline=None)
@given(st.integers(-50, 50), st.integers(1, 100), st.integers(1, 50), st.data())
def test_bins_are_those_of_a_live_histogram(low, width, n_bins, data):
    axis = Axis("x", low / 10, (low + width) / 10, n_bins)
    values = _values_near(axis, data.draw, 20)
    live = LiveHistogram(axis.low, axis.high, n_bins, grows=False)
    live.add(values)
    found = histogram(values, axis.low, axis.high, n_bins)
    assert found.counts.tolist() == live.counts.tolist()
    assert (found.underflow, found.overflow, found.n_nan) == (live.underflow, live.overflow, live.n_nan)


KINDS = ["f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
INTERVALS = st.builds(
    Interval,
    st.just("x"),
    st.sampled_from([-INF, -3.0, 0.0, 1.0, 2.5, 100.0]),
    st.sampled_from([-2.0, 0.0, 1.0, 2.0, 50.0, INF]),
    is_open=st.booleans(),
    is_inverted=st.booleans(),
)


def _made_up(seed, kind, n):
    """Columns with numbers, NaN and infinities where the type has them, and a mask of any density."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1, 3, n) if kind.startswith("f") else rng.integers(0, 100, n)
    x = x.astype(kind)
    if kind.startswith("f") and n:
        x[rng.integers(0, n, n // 5 + 1)] = rng.choice([NAN, INF, -INF, 0, 1], n // 5 + 1)
    columns = Columns({"x": x, "y": rng.normal(0, 1, n), "z": rng.integers(0, 9, n).astype("u2")})
    return columns, rng.random(n) < rng.choice([0, 0.02, 0.5, 0.98, 1])


WANTED = [
    Wanted(Axis("x", -2, 5.1, 13)),
    Wanted(Axis("z", 0, 9, 9)),
    Wanted(Axis("y", -1, 1, 7), Axis("x", -2, 5.1, 13)),
    Wanted(Axis("z", 1, 4, 30), Axis("z", 0, 9, 9)),
]


@needs_compiled
@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32), st.sampled_from(KINDS), st.integers(0, 5000), st.none() | INTERVALS, st.booleans()
)
def test_compiled_counting_is_plain_counting(seed, kind, n, inside, has_mask):
    columns, mask = _made_up(seed, kind, n)
    mask = mask if has_mask else None
    start, stop = sorted(np.random.default_rng(seed).integers(0, n + 1, 2).tolist())
    found, expected = empty_tables(WANTED), empty_tables(WANTED)
    count(columns, WANTED, found, start=start, stop=stop, mask=mask, inside=inside)
    count_plainly(columns, WANTED, expected, start=start, stop=stop, mask=mask, inside=inside)
    for one, other in zip(found, expected, strict=True):
        assert (one == other).all()


@needs_compiled
@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32), st.sampled_from(KINDS), st.integers(0, 5000), INTERVALS, INTERVALS, st.booleans()
)
def test_compiled_changes_are_plain_changes(seed, kind, n, before, after, has_mask):
    columns, mask = _made_up(seed, kind, n)
    mask = mask if has_mask else None
    rows = np.random.default_rng(seed).permutation(n).astype(np.uint32)
    found = changes(columns, before, after, mask, rows)
    expected = changes_plainly(columns, before, after, mask, rows)
    assert found[0].tolist() == expected[0].tolist()
    assert found[1].tolist() == expected[1].tolist()
    tables, plain_tables = empty_tables(WANTED), empty_tables(WANTED)
    count_rows(columns, WANTED, tables, *found)
    count_rows_plainly(columns, WANTED, plain_tables, *expected)
    for one, other in zip(tables, plain_tables, strict=True):
        assert (one == other).all()


@needs_compiled
@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(KINDS),
    st.integers(0, 3000),
    st.lists(st.floats(-5, 100), min_size=1, max_size=40, unique=True),
)
def test_compiled_buckets_are_plain_buckets(seed, kind, n, knots):
    columns, _ = _made_up(seed, kind, n)
    knots = np.sort(np.array(knots))
    of_rows = buckets(columns["x"], knots)
    assert of_rows.tolist() == buckets_plainly(columns["x"], knots).tolist()
    rows, starts = rows_by_bucket(of_rows, len(knots) + 2)
    assert rows.tolist() == np.argsort(of_rows, kind="stable").tolist()
    for at in range(len(knots) + 2):
        assert (of_rows[rows[starts[at] : starts[at + 1]]] == at).all()
