"""Tests that what is counted of channels while an edge is dragged is what looking at all rows gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pygama.analysis.cuts import Cut
from pygama_gui.data import dragged, health
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import Passing, joined
from pygama_gui.data.dragged import Indexes
from pygama_gui.data.health import survey
from pygama_gui.data.linked import Counter
from pygama_gui.data.recounting import Recounter

CODES = [7, 3, 250, 12]
"""Of channels, in no order; there are no rows of 12, and rows of 99 belong to none of them."""


def made(seed: int, *, rises: bool, n: int = 400) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    times = rng.uniform(0.0, 60.0, n)
    rows = {
        CODE: rng.choice([3, 7, 250, 99], n),
        "time_s": np.sort(times) if rises else np.where(rng.uniform(size=n) < 0.1, np.nan, times),
        "trap_max": rng.integers(0, 50, n).astype(np.float32),
        "bl_int": rng.normal(100.0, 3.0, n),
    }
    rows["trap_max"][::37], rows["trap_max"][::41] = np.nan, np.inf
    return rows


def between(low: int, high: int) -> Passing | None:
    return joined((Cut("steady", "bl_int > 96"), Cut("hand", f"{low} <= trap_max < {high}")))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 10**6),
    st.booleans(),
    st.lists(st.tuples(st.integers(-2, 30), st.integers(20, 60)), min_size=1, max_size=6),
)
def test_what_follows_a_moved_edge_is_what_a_survey_afresh_tells(
    monkeypatch: pytest.MonkeyPatch, seed: int, rises: bool, moves: list[tuple[int, int]]
) -> None:
    rows = made(seed, rises=rises)
    earlier = survey(rows, between(0, 40), CODES, "trap_max")
    indexes, recounter = Indexes(), Recounter()
    indexes.prepare("run", ("trap_max",), rows["trap_max"])
    counter = Counter(indexes)
    with monkeypatch.context() as patch:
        patch.setattr(dragged, "LEAST_ROWS", 10)
        patch.setattr(dragged, "LARGEST_SHARE", 1.0)
        patch.setattr(health, "shared_edges", lambda _values: earlier.edges)
        for low, high in moves:
            found = recounter.recount(counter, "run", rows, between(low, high), earlier)
            afresh = survey(rows, between(low, high), CODES, "trap_max")
            assert found.is_recounted and not afresh.is_recounted
            assert found.duration == pytest.approx(afresh.duration, rel=0, abs=0, nan_ok=True)
            for one, other, old in zip(found.figures, afresh.figures, earlier.figures, strict=True):
                assert (one.code, one.n_events) == (other.code, other.n_events)
                assert np.array_equal(one.counts, other.counts)
                for what in ("rate", "rate_error"):
                    assert np.array_equal(getattr(one, what), getattr(other, what), equal_nan=True)
                assert one.baseline is old.baseline


def test_without_cuts_and_times_all_rows_are_counted() -> None:
    rows = made(1, rises=True)
    del rows["time_s"]
    earlier = survey(rows, between(0, 40), CODES, "trap_max")
    found = Recounter().recount(Counter(), "run", rows, None, earlier)
    assert [one.n_events for one in found.figures] == [int((rows[CODE] == code).sum()) for code in CODES]
    assert np.isnan(found.figures[0].rate)


def test_what_piles_up_at_the_end_of_the_bins_is_in_the_last_one() -> None:
    heights = np.concatenate([np.linspace(100.0, 900.0, 900), np.full(100, 1000.0)])
    found = survey({CODE: np.zeros(1000, np.int64), "trap_max": heights}, None, [0], "trap_max")
    assert found.figures[0].counts[-1] >= 100
    assert found.figures[0].counts.sum() == 1000
