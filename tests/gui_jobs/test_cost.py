"""Tests what is told of the cost of a click before it is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygama_gui.jobs.board import JobState
from pygama_gui.jobs.cost import cost_words, seconds_for


def done(total_bytes: int, elapsed_s: float, **others: object) -> JobState:
    state: dict[str, object] = {"state": "done", "total_bytes": total_bytes, "elapsed_s": elapsed_s} | others
    return JobState(1, Path("Run1"), **state)  # type: ignore[arg-type]


def test_time_goes_with_size_as_it_did_before() -> None:
    assert seconds_for(300, 1, [done(100, 2.0), done(100, 4.0)], 1) == pytest.approx(9.0)


@pytest.mark.parametrize(("n_runs", "at_once", "seconds"), [(4, 2, 4.0), (1, 2, 8.0), (4, 1, 8.0)])
def test_runs_at_once_share_the_time(n_runs: int, at_once: int, seconds: float) -> None:
    assert seconds_for(400, n_runs, [done(100, 2.0)], at_once) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "state",
    [
        done(100, 2.0, made_on=1.0),
        done(100, 2.0, follows=True),
        done(100, 2.0, state="failed"),
        done(0, 2.0),
        done(100, 0.0),
    ],
)
def test_jobs_that_tell_nothing_of_the_pace_are_left_out(state: JobState) -> None:
    assert seconds_for(300, 1, [state], 1) is None


def test_it_is_said_in_words() -> None:
    assert cost_words(1, "48.5 MB", None) == "1 run, 48.5 MB of raw data"
    told = cost_words(3, "146 MB", 6.0)
    assert told == "3 runs, 146 MB of raw data, about 6.0 s going by the runs so far"
    assert cost_words(0, "0 bytes", None) == ""
