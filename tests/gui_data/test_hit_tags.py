from __future__ import annotations

import numpy as np

from pygama.analysis.tagging import Tagging
from pygama_gui.data.hit_tags import tell, untold, why_not

N = 400


def run(period_s: float | None, *, cards: int = 1, seed: int = 1) -> dict[str, np.ndarray]:
    """Make hits of a channel of each card, every second of them a pulse where there is a period."""
    rng = np.random.default_rng(seed)
    time_s = np.sort(rng.uniform(0, 100, N))
    trap_max = rng.uniform(100, 1000, N)
    if period_s is not None:
        time_s[::2] = period_s * np.arange(N // 2)
        trap_max[::2] = 5000 + rng.normal(0, 1, N // 2)
    card = np.arange(N) % cards
    return {"time_s": time_s, "channel": np.zeros(N, int), "card": card, "trap_max": trap_max}


def test_each_run_is_told_of_by_itself():
    made, told = tell([run(0.5), run(None), run(0.25, seed=2)], Tagging(has_pulser=True, window_s=1e-9))
    first, second, third = (made["is_pulser"][at : at + N] for at in (0, N, 2 * N))
    assert first[::2].all() and third[::2].all() and not second.any()
    assert [round(train.period_s, 6) for one in told.found for train in one.trains.values()] == [0.5, 0.25]
    assert "no interval turns up" in told.found[1].why_no_pulser
    assert [made["event"][at : at + N].min() for at in (0, N, 2 * N)] == [0, 0, 0]
    assert told.n_rows == 3 * N


def test_the_pulser_is_told_of_where_events_cannot_be():
    made, told = tell([run(0.5, cards=2)], Tagging(has_pulser=True, window_s=1e-6))
    assert made["is_pulser"].any()
    assert told.names == ("is_pulser",)
    (why,) = told.refusals(["event", "n_channels"])
    assert why.startswith("no events are built: the cards 0/0, 0/1 may each count time for itself; tick")
    assert told.refusals(["is_pulser"]) == ()


def test_a_column_that_the_pulser_needs_is_named():
    columns = run(0.5)
    del columns["trap_max"]
    made, told = tell([columns], Tagging(has_pulser=True, window_s=1e-6))
    assert sorted(made) == ["event", "multiplicity", "n_channels"]
    assert told.missing["is_pulser"] == (
        "the pulser is not tagged: finding the pulser needs the column 'trap_max'"
    )


def test_hits_of_which_nothing_was_told_are_no_pulses_and_of_no_event():
    columns = untold(("is_pulser", "event", "n_channels"), 2)
    assert {name: values.tolist() for name, values in columns.items()} == {
        "is_pulser": [False, False],
        "event": [-1, -1],
        "n_channels": [0, 0],
    }
    told, _ = tell([run(0.5)], Tagging(has_pulser=True, window_s=1e-6))
    assert all(told[name].dtype == values.dtype for name, values in columns.items())


def test_what_has_to_be_asked_for_is_said():
    assert "Build events" in why_not("multiplicity", Tagging(has_pulser=True))
    assert why_not("multiplicity", Tagging(window_s=0.0)) == ""
    assert why_not("trap_max", Tagging()) == ""
