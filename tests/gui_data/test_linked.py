"""Tests the counting of what the linked views show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis.cuts import Cut, CutSet
from pygama.analysis.efficiency import (
    efficiency_table,
    peak_bands,
    ratio,
    survival_at,
    survival_curve,
)
from pygama_gui.data import dragged, linked
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import joined
from pygama_gui.data.linked import ALL, FAILING, PASSING, Axis, Counter, Rows, Want
from pygama_gui.data.tally import Peak, peak_of_region, share_of

X, Y = Axis("x", 0.0, 10.0, 20), Axis("y", -2.0, 2.0, 7)
WANTS = tuple(
    Want(X, y, channel, rows) for y in (None, Y) for channel in (None, 2) for rows in (PASSING, ALL, FAILING)
)


def made(n: int, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 11, n)
    x[::13] = np.nan
    return {"x": x, "y": rng.normal(size=n), CODE: rng.integers(0, 4, n)}


def by_hand(rows: Rows, passing: np.ndarray, want: Want) -> np.ndarray:
    chosen = {PASSING: passing, FAILING: ~passing, ALL: np.ones(len(passing), bool)}[want.rows]
    if want.channel is not None:
        chosen = chosen & (rows[CODE] == want.channel)
    chosen = chosen & np.isfinite(rows["x"]) & (rows["x"] < want.x.high)
    if want.y is None:
        return np.histogram(rows["x"][chosen], want.x.edges)[0]
    chosen &= rows["y"] < want.y.high
    return np.histogram2d(rows["x"][chosen], rows["y"][chosen], (want.x.edges, want.y.edges))[0]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linked, "AT_ONCE", 100)


@pytest.mark.usefixtures("small_blocks")
def test_counts_are_those_of_numpy_while_a_cut_moves_and_rows_come() -> None:
    counter, rows, table = Counter(), made(1000), object()
    for n, high in ((400, 5.0), (400, 5.1), (700, 4.9), (1000, 4.9), (1000, 9.5), (1000, 0.1)):
        now = {name: values[:n] for name, values in rows.items()}
        cuts = joined((Cut("a", f"1 <= x < {high}"), Cut("b", "y > 0.3", inverted=True)))
        assert cuts is not None
        passing = (now["x"] >= 1) & (now["x"] < high) & ~(now["y"] > 0.3)
        for want, found in zip(WANTS, counter.count(table, now, cuts, WANTS), strict=True):
            assert found is not None
            assert np.array_equal(found.counts, by_hand(now, passing, want)), (n, high, want)


@pytest.mark.usefixtures("small_blocks")
def test_the_number_of_chosen_rows_follows_the_cut() -> None:
    counter, rows, table = Counter(), made(1000), object()
    for high in (5.0, 5.2, 5.1):
        cuts = joined((Cut("a", f"x < {high}"),))
        (found,) = counter.count(table, rows, cuts, [Want(X)])
        assert found is not None
        assert found.n_chosen == int((rows["x"] < high).sum())


def test_only_rows_between_the_edges_are_counted_when_an_edge_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    counter, rows, table = Counter(), made(1000), object()
    counter.count(table, rows, joined((Cut("a", "x < 5"),)), [Want(X)])
    counted: list[int] = []
    count_rows = linked.count_rows

    def noted(columns: object, wanted: object, tables: object, which: np.ndarray, signs: np.ndarray) -> None:
        counted.append(len(which))
        count_rows(columns, wanted, tables, which, signs)  # type: ignore[arg-type]

    monkeypatch.setattr(linked, "count_rows", noted)
    monkeypatch.setattr(linked, "count", lambda *_args, **_kwargs: pytest.fail("all rows were counted"))
    counter.count(table, rows, joined((Cut("a", "x < 5.5"),)), [Want(X)])
    assert sum(counted) == int(((rows["x"] >= 5) & (rows["x"] < 5.5)).sum()) > 0


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int32, np.int64])
def test_an_index_of_the_dragged_column_changes_no_count(
    kind: type, inverted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dragged, "LEAST_ROWS", 10)
    rng = np.random.default_rng(5)
    x = rng.integers(0, 100, 5000).astype(kind)
    if x.dtype.kind == "f":
        x[::7] = np.nan
    rows, table, counter, want = {"x": x}, object(), Counter(), Want(Axis("x", 0, 100, 100))
    counter.dragged.indexes.prepare(table, ("x",), x)
    assert not counter.dragged.indexes.are_needed(table, ("x",), len(x))
    assert counter.dragged.indexes.are_needed(table, ("x",), len(x) + 1)
    ranges = ["10 <= x < 50", "10 <= x <= 51", "10 < x < 51", "x < 51", "x >= 12", "11.5 <= x < 12", "x > 12"]
    for text in ranges:
        cuts = joined((Cut("a", text, inverted=inverted),))
        assert cuts is not None
        (found,) = counter.count(table, rows, cuts, [want])
        expected = np.histogram(x[cuts.mask(rows) & np.isfinite(x)], want.x.edges)[0]
        assert found is not None
        assert np.array_equal(found.counts, expected), text
        assert found.n_chosen == int(cuts.mask(rows).sum())


def test_a_dragged_edge_looks_only_at_rows_near_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dragged, "LEAST_ROWS", 10)
    rows, table, counter = made(5000), object(), Counter()
    counter.dragged.indexes.prepare(table, ("x",), rows["x"])
    counter.count(table, rows, joined((Cut("a", "x < 5"),)), [Want(X)])
    monkeypatch.setattr(linked, "_extended", lambda *_args: pytest.fail("all rows were looked at"))
    (found,) = counter.count(table, rows, joined((Cut("a", "x < 5.1"),)), [Want(X)])
    assert found is not None
    assert found.n_chosen == int((rows["x"] < 5.1).sum())


@pytest.mark.parametrize("rows_of", [PASSING, FAILING])
@pytest.mark.parametrize("channel", [None, 2])
def test_a_drag_among_other_cuts_counts_as_numpy_does(
    channel: int | None, rows_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dragged, "LEAST_ROWS", 10)
    rows, table, counter, want = made(5000), object(), Counter(), Want(X, None, channel, rows_of)
    counter.dragged.indexes.prepare(table, ("x",), rows["x"])
    others = (Cut("b", "y > 0.3", inverted=True), Cut("c", "y > -1 & x != 4"))
    for high in (5.0, 5.1, 4.95, 5.3):
        cuts = joined((Cut("a", f"1 <= x < {high}"), *others))
        assert cuts is not None
        (found,) = counter.count(table, rows, cuts, [want])
        assert found is not None
        assert np.array_equal(found.counts, by_hand(rows, cuts.mask(rows), want))


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("rows_of", [PASSING, FAILING])
def test_a_dragged_polygon_counts_as_if_all_rows_were_looked_at(
    inverted: bool, rows_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dragged, "LEAST_ROWS", 10)
    monkeypatch.setattr(dragged, "LARGEST_SHARE", 1.0)
    rows, table, counter, want = made(5000), object(), Counter(), Want(X, Y, 2, rows_of)
    counter.dragged.indexes.prepare(table, ("x", "y"), rows["x"], rows["y"])
    other = Cut("b", "x > 2.5")
    for top in (1.0, 1.05, 0.9, 0.9, -0.5):
        text = f"inside(x, y, 1, -1, 6, -1.2, 6.{round(100 * abs(top)):03d}, {top}, 2, 0.8)"
        cuts = joined((Cut("a", text, inverted=inverted), other))
        assert cuts is not None
        (found,) = counter.count(table, rows, cuts, [want])
        assert found is not None
        assert np.array_equal(found.counts, by_hand(rows, cuts.mask(rows), want)), text


def test_a_dragged_corner_looks_only_at_rows_near_its_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dragged, "LEAST_ROWS", 10)
    rows, table, counter = made(20_000), object(), Counter()
    counter.dragged.indexes.prepare(table, ("x", "y"), rows["x"], rows["y"])
    counter.count(table, rows, joined((Cut("a", "inside(x, y, 1, -1, 6, -1, 6, 1)"),)), [Want(X)])
    monkeypatch.setattr(linked, "_extended", _held_alone)
    cuts = joined((Cut("a", "inside(x, y, 1, -1, 6, -1, 6, 1.02)"),))
    assert cuts is not None
    (found,) = counter.count(table, rows, cuts, [Want(X)])
    assert found is not None
    assert found.n_chosen == int(cuts.mask(rows).sum())


def _held_alone(held: np.ndarray | None, *_args: object) -> np.ndarray:
    assert held is not None, "all rows were looked at"
    return held


def test_only_some_indexes_are_kept() -> None:
    indexes = dragged.Indexes()
    for table in range(8):
        indexes.prepare(table, ("x",), np.arange(50.0))
    kept = [table for table in range(8) if indexes.get(table, ("x",), 50) is not None]
    assert kept == [4, 5, 6, 7]
    assert not indexes.are_needed(0, ("x",), 50)


def test_counts_with_and_without_a_cut_are_both_kept_while_it_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, table, counter = made(1000), object(), Counter()
    steady = Cut("b", "y > 0")
    counter.count(table, rows, joined((Cut("a", "x < 9"), steady)), [Want(X)])
    counter.count(table, rows, joined((steady,)), [Want(X)])
    monkeypatch.setattr(linked.Counter, "_moved", _only_a_moved_cut(linked.Counter._moved))
    monkeypatch.setattr(linked, "count", lambda *_args, **_kwargs: pytest.fail("all rows were counted"))
    for high in (8.9, 8.8, 8.7):
        (found,) = counter.count(table, rows, joined((Cut("a", f"x < {high}"), steady)), [Want(X)])
        assert found is not None
        assert found.n_chosen == int(((rows["x"] < high) & (rows["y"] > 0)).sum())
        (without,) = counter.count(table, rows, joined((steady,)), [Want(X)])
        assert without is not None
        assert without.n_chosen == int((rows["y"] > 0).sum())


def _only_a_moved_cut(moved: Callable[..., object]) -> Callable[..., object]:
    def checked(counter: Counter, held: Any, table: object, rows: Rows, cuts: Any) -> object:
        assert len(held.cuts.cuts) == len(cuts.cuts), "counted from what another set of cuts lets pass"
        return moved(counter, held, table, rows, cuts)

    return checked


def test_taking_all_cuts_away_shows_all_rows_again() -> None:
    counter, rows, table = Counter(), made(500), object()
    (everything,) = counter.count(table, rows, None, [Want(X)])
    counter.count(table, rows, joined((Cut("a", "x < 5"),)), [Want(X)])
    (again,) = counter.count(table, rows, None, [Want(X)])
    assert everything is not None and again is not None
    assert np.array_equal(again.counts, everything.counts)
    (failing,) = counter.count(table, rows, None, [Want(X, rows=FAILING)])
    assert failing is not None
    assert failing.counts.sum() == failing.n_chosen == 0


def test_a_table_that_lacks_a_column_gives_nothing() -> None:
    (found,) = Counter().count(object(), {"y": np.zeros(3)}, None, [Want(X)])
    assert found is None


def test_only_some_tables_and_states_are_remembered() -> None:
    counter = Counter()
    for table in range(10):
        for high in range(20):
            counter.count(table, made(50), joined((Cut("a", f"x < {high}"),)), [Want(X)])
    assert len({key[0] for key in counter._held}) <= linked.MOST_TABLES
    assert max(map(len, counter._held.values())) <= linked.MOST_OF_ONE
    assert len(counter._masks) <= linked.MOST_STATES
    assert len(counter._parts) <= linked.MOST_PARTS


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 10), st.booleans(), st.booleans(), st.sampled_from(["x", "y", "z"])),
        min_size=1,
        max_size=4,
    )
)
def test_efficiencies_are_those_of_the_library(given_cuts: list[tuple[float, bool, bool, str]]) -> None:
    rows = made(300) | {"z": np.arange(300)}
    cuts = CutSet(
        Cut(f"c{at}", f"{column} < {high!r}", "", enabled, inverted)
        for at, (high, enabled, inverted, column) in enumerate(given_cuts)
    )
    found = Counter().figures(object(), rows, cuts)
    assert found.table == efficiency_table(cuts, rows)


@settings(max_examples=60, deadline=None)
@given(st.integers(1000, 3_000_000), st.integers(1000, 3_000_000))
def test_the_quick_interval_of_many_counts_is_that_of_clopper_and_pearson(kept: int, lost: int) -> None:
    quick, exact = share_of(kept, kept + lost), ratio(kept, kept + lost)
    width = exact.high - exact.low
    assert abs(quick.low - exact.low) < 1e-4 * width
    assert abs(quick.high - exact.high) < 1e-4 * width


def test_the_interval_of_few_counts_is_exact() -> None:
    assert share_of(999, 5000) == ratio(999, 5000)
    assert share_of(4001, 5000) == ratio(4001, 5000)


def test_a_cut_whose_column_is_not_there_is_left_out_of_the_efficiencies() -> None:
    cuts = CutSet([Cut("a", "x < 5"), Cut("b", "nowhere > 1")])
    found = Counter().figures(object(), made(100), cuts)
    assert [row.name for row in found.table.rows] == ["a"]


def test_survival_in_a_region_is_that_of_the_library_for_what_passed_before() -> None:
    rows = made(2000)
    cuts = CutSet([Cut("a", "y > -0.5"), Cut("off", "y > 0", enabled=False), Cut("b", "y < 1")])
    peak = peak_of_region("x", 4.0, 6.0)
    assert peak is not None
    (found,) = Counter().figures(object(), rows, cuts, [peak]).peaks
    before = rows["y"] > -0.5
    expected = survival_at(rows["x"][before], rows["y"][before] < 1, peak.bands)
    assert found.by_cut == {
        "a": survival_at(rows["x"], before, peak.bands),
        "b": expected,
    }
    assert found.by_all == survival_at(rows["x"], before & (rows["y"] < 1), peak.bands)


def test_survival_in_a_peak_of_a_channel_is_that_of_the_library() -> None:
    rows = made(4000)
    cuts, bands = CutSet([Cut("a", "y > -0.5")]), peak_bands("5", 5.0, 0.5)
    both = [Peak("x", bands, 2), Peak("nowhere", bands), Peak("x", bands)]
    of_two, of_all = Counter().figures(object(), rows, cuts, both).peaks
    its = rows[CODE] == 2
    assert of_two.by_all == survival_at(rows["x"][its], rows["y"][its] > -0.5, bands)
    assert of_all.by_all == survival_at(rows["x"], rows["y"] > -0.5, bands)


def test_the_curves_of_survival_are_those_of_the_library_while_a_cut_moves() -> None:
    rows, table, counter = made(4000), object(), Counter()
    for high in (1.0, 0.9, 0.4):
        cuts = CutSet(
            [Cut("a", "y > -0.5", inverted=True), Cut("off", "y > 0", enabled=False), Cut("b", f"y < {high}")]
        )
        curves = counter.figures(table, rows, cuts, along="x").curves
        assert list(curves) == ["a", "b"]
        passes = ~(rows["y"] > -0.5)
        for name, before, its in (("a", rows["y"] == rows["y"], passes), ("b", passes, rows["y"] < high)):
            expected = survival_curve(rows["x"][before], its[before], curves[name].edges)
            found = curves[name].curve
            for what in ("n_in", "n_out", "low", "high"):
                assert np.array_equal(getattr(found, what), getattr(expected, what), equal_nan=True), (
                    name,
                    what,
                )


def test_a_range_that_ends_beside_a_peak_is_told_from_cuts_that_leave_its_bands() -> None:
    bands = peak_bands("5", 5.0, 0.5)
    cuts = CutSet(
        [
            Cut("below", "x < 6.5"),
            Cut("around", "1 < x < 9"),
            Cut("off", "x < 5", enabled=False),
            Cut("other", "y < 5"),
            Cut("gate", "inside(x, y, 4, -9, 6, -9, 6, 9)"),
        ]
    )
    (found,) = Counter().figures(object(), made(500), cuts, [Peak("x", bands)]).peaks
    assert found.through == {"below"}
