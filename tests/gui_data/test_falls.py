"""Tests that channels are found whose rate fell while that of the others did not."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pygama_gui.data.channels import CODE
from pygama_gui.data.falls import falls
from pygama_gui.data.health import survey
from pygama_gui.data.silence import EXPECTED

RNG = np.random.default_rng(3)


def run_of(*rates: tuple[float, float], length: float = 600.0) -> dict[str, np.ndarray]:
    """Make a run of channels with a rate in its first half and another one in the second, Hz."""
    times, codes = [], []
    for code, (before, after) in enumerate(rates):
        for rate, begin in ((before, 0.0), (after, length / 2)):
            n = RNG.poisson(rate * length / 2)
            times.append(RNG.uniform(begin, begin + length / 2, n))
            codes.append(np.full(n, code))
    order = np.argsort(np.concatenate(times))
    return {"time_s": np.concatenate(times)[order], CODE: np.concatenate(codes)[order]}


def fell(rows: dict[str, np.ndarray]) -> list[float]:
    return falls(rows["time_s"], rows[CODE], int(rows[CODE].max()) + 1)


def test_a_channel_that_falls_to_a_fifth_is_quiet_and_says_so() -> None:
    rows = run_of((30.0, 30.0), (30.0, 6.0), (30.0, 30.0))
    assert fell(rows) == [0.0, pytest.approx(0.75, abs=0.06), 0.0]
    found = survey(rows, None, [0, 1, 2], "trap_max").health
    assert [one.state for one in found] == ["ok", "quiet", "ok"]
    assert found[1].why.startswith("its rate fell by 7")
    assert found[1].why.endswith(" %, that of the others did not")


@pytest.mark.parametrize(
    "rates",
    [
        [(30.0, 30.0), (30.0, 30.0), (2.0, 2.0)],
        [(30.0, 20.0), (30.0, 30.0), (30.0, 30.0)],  # not by so much
        [(30.0, 5.0), (30.0, 5.0), (30.0, 5.0)],  # the source was taken away
        [(30.0, 30.0), (30.0, 300.0), (30.0, 30.0)],  # another one is noisy
        [(6.0, 30.0), (30.0, 30.0), (30.0, 30.0)],
        [(30.0, 6.0)],  # nobody can say that others went on
    ],
)
def test_no_channel_is_called_quiet_for_less(rates: list[tuple[float, float]]) -> None:
    assert set(fell(run_of(*rates))) == {0.0}


def test_steady_channels_are_not_called_quiet_by_chance() -> None:
    assert not any(sum(fell(run_of((1.0, 1.0), (3.0, 3.0), (9.0, 9.0)))) for _ in range(50))


def test_hits_that_come_late_make_no_channel_quiet() -> None:
    rows = run_of((30.0, 30.0), (30.0, 30.0))
    is_kept = (rows[CODE] == 0) | (rows["time_s"] < 560.0)
    late = {name: np.concatenate([values[is_kept], values[~is_kept][:1]]) for name, values in rows.items()}
    assert fell(late) == [0.0, 0.0]


def test_a_run_without_times_or_with_few_events_tells_nothing() -> None:
    places = np.arange(500) % 2
    assert falls(np.full(500, np.nan), places, 2) == [0.0, 0.0]
    assert falls(np.arange(20.0), places[:20], 2) == [0.0, 0.0]
    assert falls(np.zeros(500), places, 2) == [0.0, 0.0]


def test_rows_of_no_channel_and_without_a_time_count_with_the_others_or_not_at_all() -> None:
    rows = run_of((30.0, 6.0), (30.0, 30.0), (30.0, 30.0))
    places = np.where(rows[CODE] == 0, 0, -1)
    expected = fell(rows)[0]
    assert expected > 0.6
    assert falls(rows["time_s"], places, 1) == [expected]
    times = np.concatenate([rows["time_s"][:300], np.full(70_000, np.nan), rows["time_s"][300:]])
    assert falls(times, np.insert(places, 300, np.zeros(70_000, int)), 1) == [expected]


def without(rows: dict[str, np.ndarray], code: int, *gaps: tuple[float, float]) -> dict[str, np.ndarray]:
    """Leave out the events of a channel in some times."""
    times = rows["time_s"]
    is_gone = (rows[CODE] == code) & np.logical_or.reduce(
        [(times > low) & (times < high) for low, high in gaps]
    )
    return {name: values[~is_gone] for name, values in rows.items()}


def test_a_channel_that_gave_nothing_for_a_while_is_named_with_how_long_and_what_is_missing() -> None:
    rows = without(run_of((30.0, 30.0), (10.0, 10.0), (30.0, 30.0)), 1, (200.0, 320.0))
    found = survey(rows, None, [0, 1, 2], "trap_max")
    assert [one.state for one in found.health] == ["ok", "quiet", "ok"]
    assert found.figures[1].paused.lasted == pytest.approx(110.0, abs=10.0)
    assert found.figures[1].paused.expected == pytest.approx(1100.0, rel=0.15)
    why = r"no event for 2 min in between, where \d+ were expected"
    assert re.fullmatch(why, found.health[1].why)


@pytest.mark.parametrize(
    ("code", "gaps"),
    [
        (1, [(100.0, 200.0), (300.0, 400.0)]),  # cards that are read out by turns
        (1, [(0.0, 200.0)]),  # it was switched on later
        (2, [(200.0, 320.0)]),  # too rare to tell
    ],
)
def test_no_pause_is_told_where_nobody_can_be_sure(code: int, gaps: list[tuple[float, float]]) -> None:
    rows = without(run_of((30.0, 30.0), (10.0, 10.0), (0.1, 0.1)), code, *gaps)
    found = survey(rows, None, [0, 1, 2], "trap_max")
    assert [one.paused.expected >= EXPECTED for one in found.figures] == [False] * 3


def test_a_time_in_which_no_channel_gives_anything_is_no_pause_of_one() -> None:
    rows = run_of((30.0, 30.0), (30.0, 30.0))
    rows = without(without(rows, 0, (200.0, 300.0)), 1, (200.0, 300.0))
    assert [one.state for one in survey(rows, None, [0, 1], "trap_max").health] == ["ok", "ok"]
