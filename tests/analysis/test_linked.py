"""Histograms that follow cuts step by step are those that are counted afresh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis import counting, linked
from pygama.analysis.counting import Axis, Columns, Wanted
from pygama.analysis.cuts import Cut, CutSet, polygon_cut, range_cut
from pygama.analysis.expressions import ExpressionError
from pygama.analysis.histograms import counted
from pygama.analysis.linked import BucketIndex, LinkedCounts
from pygama.errors import Stopped

N = 3000


def _made_up():
    rng = np.random.default_rng(5)
    energy = rng.normal(50, 20, N)
    energy[:40] = rng.choice([np.nan, np.inf, -np.inf, 30, 60], 40)
    return {
        "energy": energy,
        "shape": rng.normal(1, 0.1, N).astype(np.float32),
        "channel": rng.integers(0, 12, N).astype(np.uint16),
        "stamp": rng.integers(2**60, 2**60 + 100, N),
        "card": rng.choice(["a", "b"], N),
    }


COLUMNS = _made_up()
SPECTRUM = Wanted(Axis("energy", 0, 100, 50))
PLANE = Wanted(Axis("energy", 0, 100, 20), Axis("shape", 0.5, 1.5, 20))
CHANNELS = Wanted(Axis("channel", 0, 12, 12))


def afresh(cuts, wanted):
    tables = counted(Columns(COLUMNS), wanted, mask=CutSet(cuts).mask(COLUMNS), n_threads=1)
    return [table.tolist() for table in tables]


def tables(counts, cuts, wanted, **how):
    return [found.table.tolist() for found in counts.counts(CutSet(cuts), wanted, **how)]


@pytest.fixture(autouse=True)
def _always_step_by_step(monkeypatch):
    monkeypatch.setattr(linked, "LARGEST_SHARE", 1.0)
    monkeypatch.setattr(linked, "N_BUCKETS", 64)


@pytest.fixture
def counts():
    made = LinkedCounts(COLUMNS, n_threads=1)
    for column in ("energy", "shape", "channel"):
        made.prepare(column)
    return made


def test_only_rows_between_the_edges_are_looked_at(counts):
    wanted = [SPECTRUM, PLANE]
    counts.counts(CutSet([Cut("a", "30 <= energy < 60")]), wanted)
    assert counts.n_rows_counted == N
    moved = [Cut("a", "30 <= energy < 61")]
    assert tables(counts, moved, wanted) == afresh(moved, wanted)
    n_between = ((COLUMNS["energy"] >= 60) & (COLUMNS["energy"] < 61)).sum()
    assert n_between <= counts.n_rows_counted <= n_between + 2 * N / 64
    counts.counts(CutSet(moved), wanted)
    assert counts.n_rows_counted == 0


def test_without_an_index_all_rows_are_counted():
    counts = LinkedCounts(COLUMNS)
    for high in (60, 61):
        cuts = [Cut("a", f"30 <= energy < {high}"), Cut("b", "card == 'a'")]
        assert tables(counts, cuts, [SPECTRUM]) == afresh(cuts, [SPECTRUM])
        assert counts.n_rows_counted == N


def test_a_far_move_counts_all_rows(counts, monkeypatch):
    monkeypatch.setattr(linked, "LARGEST_SHARE", 0.1)
    counts.counts(CutSet([Cut("a", "energy < 60")]), [SPECTRUM])
    assert tables(counts, [Cut("a", "energy < 20")], [SPECTRUM]) == afresh(
        [Cut("a", "energy < 20")], [SPECTRUM]
    )
    assert counts.n_rows_counted == N


def test_views_with_other_cuts_do_not_disturb_each_other(counts):
    energy, shape = Cut("a", "energy < 60"), Cut("b", "shape < 1")
    for cuts, view in (([energy, shape], "all"), ([shape], "under the hand")) * 2:
        assert tables(counts, cuts, [SPECTRUM], view=view) == afresh(cuts, [SPECTRUM])
    assert counts.n_rows_counted == 0


def test_a_new_histogram_does_not_make_the_others_count_again(counts):
    cuts = [Cut("a", "energy < 60")]
    counts.counts(CutSet(cuts), [SPECTRUM])
    assert tables(counts, cuts, [SPECTRUM, CHANNELS]) == afresh(cuts, [SPECTRUM, CHANNELS])
    assert tables(counts, [], [SPECTRUM, CHANNELS]) == afresh([], [SPECTRUM, CHANNELS])


def test_only_the_polygon_that_is_edited_is_evaluated_again(counts, monkeypatch):
    asked, masks = [], CutSet.masks

    def recorded(self, *given, **how):
        asked.extend(how["only"] if "known" in how else [])
        return masks(self, *given, **how)

    monkeypatch.setattr(CutSet, "masks", recorded)
    for top in (1.1, 1.2):
        gate = Cut("gate", polygon_cut("energy", "shape", [(20, 0.9), (80, 0.9), (50, top)]))
        cuts = [Cut("odd", "channel % 2 == 1"), gate, Cut("card_a", "card == 'a'")]
        assert tables(counts, cuts, [PLANE]) == afresh(cuts, [PLANE])
    assert sorted(asked) == ["card_a", "gate", "gate", "odd"]


def test_whole_numbers_that_float64_cannot_hold_are_compared_exactly(counts):
    counts.prepare("stamp")
    for at in (50, 51):
        cuts = [Cut("a", f"stamp < {2**60 + at}")]
        assert tables(counts, cuts, [SPECTRUM]) == afresh(cuts, [SPECTRUM])


def test_an_end_that_float64_cannot_hold_is_compared_exactly():
    counts = LinkedCounts({"stamp": np.array([2**53, 0])})
    wanted = [Wanted(Axis("stamp", 0, 2**54, 2))]
    assert tables(counts, [Cut("a", f"stamp < {2**53 + 1}")], wanted) == [[1, 1, 0, 0, 0]]


def test_a_count_that_was_stopped_can_be_taken_up(counts):
    def stop():
        raise Stopped("the next move has come")

    tables(counts, [Cut("a", "energy < 60")], [SPECTRUM])
    for high in (50, 40):
        with pytest.raises(Stopped):
            counts.counts(CutSet([Cut("a", f"energy < {high}")]), [SPECTRUM], keep_on=stop)
    cuts = [Cut("a", "energy < 45")]
    assert tables(counts, cuts, [SPECTRUM]) == afresh(cuts, [SPECTRUM])


def test_a_cut_that_does_not_fit_is_told_and_leaves_the_counts_as_they_were(counts):
    cuts = [Cut("a", "energy < 60")]
    before = tables(counts, cuts, [SPECTRUM])
    with pytest.raises(ExpressionError, match="cut 'a': column 'enrgy' is not there"):
        counts.counts(CutSet([Cut("a", "enrgy < 60")]), [SPECTRUM])
    assert tables(counts, cuts, [SPECTRUM]) == before


def test_a_table_that_was_given_stays_as_it_is(counts):
    (before,) = counts.counts(CutSet([Cut("a", "energy < 60")]), [SPECTRUM])
    kept = before.table.copy()
    counts.counts(CutSet([Cut("a", "energy < 70")]), [SPECTRUM])
    assert (before.table == kept).all()


def test_many_moves_do_not_fill_the_memory(counts, monkeypatch):
    monkeypatch.setattr(linked, "MOST_KEYS", 10)
    for at in range(40):
        cuts = [Cut("a", range_cut("energy", 20, 50 + at)), Cut("b", "channel > 3")]
        assert tables(counts, cuts, [SPECTRUM]) == afresh(cuts, [SPECTRUM])
    assert len(counts._keys) <= 13


@pytest.mark.parametrize("values", [[], [np.nan] * 5, [3.0] * 5, [np.inf, -np.inf, np.nan, 0]])
def test_an_index_of_odd_columns_finds_all_rows(values):
    index = BucketIndex(np.array(values, float))
    start, stop = index.between(-np.inf, np.inf)
    assert sorted(index.rows[start:stop].tolist()) == np.flatnonzero(~np.isnan(values)).tolist()


NUMBERS = st.one_of(
    st.integers(-20, 120).map(float), st.floats(0, 100), st.sampled_from(COLUMNS["energy"][40:80].tolist())
)
SIDES = st.sampled_from(
    ["{0} <= energy < {1}", "{0} < energy <= {1}", "energy >= {0}", "energy < {1}", "energy <= {0}"]
)
OTHERS = st.lists(
    st.sampled_from(
        [
            Cut("odd", "channel % 2 == 1"),
            Cut("low_shape", "shape < 1", inverted=True),
            Cut("either", "odd | shape > 1.05"),
            Cut("gate", "inside(energy, shape, 20, 0.8, 80, 0.8, 50, 1.2)"),
            Cut("card_a", "card == 'a'"),
            Cut("off", "energy > 30", enabled=False),
        ]
    ),
    unique=True,
)


@pytest.mark.parametrize("which", ["compiled", "plain"])
@settings(max_examples=40, deadline=None)
@given(OTHERS, st.lists(st.tuples(SIDES, NUMBERS, NUMBERS, st.booleans()), min_size=2, max_size=6))
def test_a_drag_ends_where_counting_afresh_would(which, others, moves):
    if which == "compiled" and counting.compiled is None:
        pytest.skip("the compiled counting is not built")
    others = [cut for cut in others if cut.name != "either" or Cut("odd", "channel % 2 == 1") in others]
    kept = counting.compiled
    counting.compiled = kept if which == "compiled" else None
    try:
        counts = LinkedCounts(COLUMNS, n_threads=1)
        counts.prepare("energy")
        for text, low, high, is_inverted in moves:
            cuts = [Cut("hand", text.format(low, high), inverted=is_inverted), *others]
            assert tables(counts, cuts, [SPECTRUM, PLANE, CHANNELS]) == afresh(
                cuts, [SPECTRUM, PLANE, CHANNELS]
            )
    finally:
        counting.compiled = kept
