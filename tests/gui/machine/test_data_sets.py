"""Tests that many runs are looked at as one, in memory and from their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.block import Block
from pygama.storage import TierWriter
from pygama_gui.bridge import Bridge
from pygama_gui.data import live_set, passes
from pygama_gui.data.channels import CLOCK
from pygama_gui.data.found_columns import FoundColumn
from pygama_gui.data.linked import ALL, Axis, Want
from pygama_gui.data.live_set import LiveSet, look_at
from pygama_gui.data.tally import Figures, Peak, peak_of_region
from pygama_gui.session import changes, cut_changes, set_changes
from pygama_gui.session.calibration_changes import take_calibration
from pygama_gui.session.state import DataSet, Member, Run, Session

WAIT_MS = 60_000
KIND = np.dtype(
    [("event_number", "i8"), ("crate", "i8"), ("card", "i8"), ("channel", "i8"), ("time_s", "f8")]
    + [("trap_max", "f8")]
)
N_ROWS = {72: 700, 73: 300, 80: 500}


def rows_of(run: int) -> np.ndarray:
    n = N_ROWS[run]
    rng = np.random.default_rng(run)
    rows = np.zeros(n, KIND)
    rows["event_number"] = np.arange(n)
    rows["channel"] = rng.integers(0, 2, n)
    rows["time_s"] = np.linspace(0.5, 10.5, n)
    rows["trap_max"] = np.round(rng.exponential(500, n), 1)
    return rows


def member_of(folder: Path, run: int, sub_run: int = 0) -> Member:
    name = f"{run}.{sub_run}" if sub_run else f"{run}"
    path = folder / f"t2_run{name}.h5"
    with TierWriter(path, chunk_rows=64) as writer:
        writer.write("data", Block("data", rows_of(run)), queryable=True)
        writer.set_texts("/", {"run_number": str(run), "sub_run": str(sub_run)})
    raw = folder / f"Run{name}"
    return Member(Run(str(raw), raw, run, sub_run), path)


@pytest.fixture
def data_set(bridge: Bridge, tmp_path: Path) -> DataSet:
    """Runs 72, 73 and 80 of 700, 300 and 500 rows."""
    return set_changes.data_set_of(bridge.session, [member_of(tmp_path, run) for run in N_ROWS])


@pytest.fixture
def loaded(qtbot: QtBot, bridge: Bridge, data_set: DataSet) -> Callable[[], LiveSet]:
    """Make the data set, and wait until its rows, or some of them, are there."""

    def load() -> LiveSet:
        bridge.change(set_changes.make_data_set, data_set)
        wait_for(qtbot, lambda: len(getattr(bridge.live(data_set.run_id), "columns", ())) > 0)
        live = bridge.live(data_set.run_id)
        assert isinstance(live, LiveSet)
        return live

    return load


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no more than 1000 rows be taken into memory, and look at 90 of larger ones."""
    monkeypatch.setattr(live_set, "MOST_ROWS", 1000)
    monkeypatch.setattr(live_set, "SAMPLE_ROWS", 90)


def wait_for(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    qtbot.waitUntil(is_so, timeout=WAIT_MS)


def all_rows() -> np.ndarray:
    return np.concatenate([rows_of(run) for run in N_ROWS])


def answers_of(
    qtbot: QtBot, bridge: Bridge, data_set: DataSet, wants: list[Want], owner: str = "view"
) -> list[Any]:
    """Have something counted until nothing is under way; gives each answer that came."""
    found: list[Any] = []
    bridge.counting.count(owner, data_set.run_id, wants, found.append)
    wait_for(qtbot, lambda: bool(found) and not bridge.counting.is_busy)
    return found


WANT = Want(Axis("trap_max", 0.0, 2000.0, 40))


def test_the_rows_of_all_runs_follow_one_another(
    bridge: Bridge, loaded: Callable[[], LiveSet], data_set: DataSet
) -> None:
    live = loaded()
    assert not live.is_on_disk
    assert np.array_equal(live.columns.column("trap_max"), all_rows()["trap_max"])
    assert np.array_equal(live.columns.column("run"), np.repeat([72, 73, 80], [700, 300, 500]))
    assert [live.part_of(row) for row in (0, 699, 700, 1499)] == [0, 0, 1, 2]
    state = bridge.state(data_set.run_id)
    assert state is not None and (state.state, state.rows) == ("done", 1500)


@pytest.mark.parametrize("most_rows", [10_000, 100])
def test_sub_runs_of_a_run_are_told_apart_by_a_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_rows: int
) -> None:
    monkeypatch.setattr(live_set, "MOST_ROWS", most_rows)
    made = set_changes.data_set_of(Session(), [member_of(tmp_path, 73, at) for at in (0, 1)])
    live = LiveSet(made, live_set.look_at(made), ((), ()))
    list(live_set.read_rows(live))
    assert set(live.columns.column("sub_run").tolist()) == {0, 1}
    blocks = list(live_set.read_from_files(live, ["run", "sub_run"]))
    told = {name: np.concatenate([one[name] for one in blocks]).tolist() for name in ("run", "sub_run")}
    assert told == {"run": [73] * 600, "sub_run": [0] * 300 + [1] * 300}


def test_waveforms_asked_for_before_the_rows_are_read_are_left_alone(
    qtbot: QtBot, bridge: Bridge, data_set: DataSet
) -> None:
    members = tuple(replace(one, tier1=one.tier2) for one in data_set.members)
    data_set = replace(data_set, members=members)
    bridge.data[data_set.run_id] = LiveSet(data_set, look_at(data_set), ())
    told: list[str] = []
    bridge.loading.read_waveforms(
        data_set.run_id, lambda _waves: told.append("read"), told.append, lambda: told.append("given up")
    )
    done: list[bool] = []
    bridge.in_background(lambda: True, done.append, lambda: None)
    wait_for(qtbot, lambda: bool(done))
    assert told == []


def test_the_clock_goes_on_from_run_to_run_without_what_lies_between(loaded: Callable[[], LiveSet]) -> None:
    live = loaded()
    clock = live.columns.column(CLOCK)
    assert np.allclose(clock[[0, 699, 700, 999, 1000, 1499]], [0, 10, 10, 20, 20, 30])
    assert live.duration_s == pytest.approx(30.0)


def calibration(raw: str, slope: float) -> Calibration:
    one = ChannelCalibration(curve=Curve((0.0, slope), ((0.0, 0.0), (0.0, 0.0))))
    return Calibration("trap_max", made_from=(raw,), channels={"0/0/0": one, "0/0/1": one})


def calibrate_each(bridge: Bridge) -> np.ndarray:
    """Calibrate runs 72 and 73 each by itself; gives the energies that are right."""
    bridge.change(take_calibration, calibration("Run73", 3.0))
    bridge.change(take_calibration, calibration("Run72", 2.0))
    factor = np.repeat([2.0, 3.0, 2.0], list(N_ROWS.values()))  # the newest holds for run 80
    return factor * all_rows()["trap_max"]


def test_each_run_has_the_energies_of_its_own_calibration(
    qtbot: QtBot, bridge: Bridge, loaded: Callable[[], LiveSet], data_set: DataSet
) -> None:
    loaded()
    right = calibrate_each(bridge)

    def are_right() -> bool:
        live = bridge.live(data_set.run_id)
        found = live is not None and "trap_max_kev" in live.columns
        return found and np.allclose(live.columns.column("trap_max_kev"), right)

    wait_for(qtbot, are_right)


def test_energies_are_right_from_the_start_where_the_calibrations_were_there(
    bridge: Bridge, loaded: Callable[[], LiveSet]
) -> None:
    right = calibrate_each(bridge)
    assert np.allclose(loaded().columns.column("trap_max_kev"), right)


def test_a_larger_one_is_counted_from_its_files_as_if_it_were_in_memory(
    qtbot: QtBot, bridge: Bridge, on_disk: None, loaded: Callable[[], LiveSet], data_set: DataSet
) -> None:
    live = loaded()
    assert live.is_on_disk and live.n_rows == 1500
    assert len(live.columns) < 200
    rows = all_rows()
    bridge.change(cut_changes.add_cut, "late", "time_s > 3 & run != 73")
    runs = np.repeat(list(N_ROWS), list(N_ROWS.values()))
    passes = (rows["time_s"] > 3) & (runs != 73)
    wants = [WANT, Want(WANT.x, channel=1, rows=ALL), Want(WANT.x, Axis("time_s", 0.0, 12.0, 6))]
    counts = answers_of(qtbot, bridge, data_set, wants)[-1]
    edges = WANT.x.edges
    expected = np.histogram(rows["trap_max"][passes & (rows["trap_max"] < 2000)], edges)[0]
    assert np.array_equal(counts[0].counts, expected)
    of_1 = (rows["channel"] == 1) & (rows["trap_max"] < 2000)
    assert np.array_equal(counts[1].counts, np.histogram(rows["trap_max"][of_1], edges)[0])
    inside = passes & (rows["trap_max"] < 2000)
    both = np.histogram2d(rows["trap_max"][inside], rows["time_s"][inside], (edges, np.arange(0, 13, 2)))[0]
    assert np.array_equal(counts[2].counts, both)
    assert counts[0].n_rows == 1500
    assert counts[0].n_chosen == passes.sum()


def test_energies_of_a_larger_one_are_those_of_each_run(
    qtbot: QtBot, bridge: Bridge, on_disk: None, loaded: Callable[[], LiveSet], data_set: DataSet
) -> None:
    right = calibrate_each(bridge)
    loaded()
    axis = Axis("trap_max_kev", 0.0, 4000.0, 40)
    counts = answers_of(qtbot, bridge, data_set, [Want(axis)])[-1]
    assert np.array_equal(counts[0].counts, np.histogram(right[right < 4000], axis.edges)[0])


def test_a_larger_one_says_how_far_its_counting_is(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    told: list[str] = []
    bridge.jobs_changed.connect(
        lambda _ids: told.append(str(getattr(bridge.data_sets.progress(data_set.run_id), "words", "")))
    )
    answers = answers_of(qtbot, bridge, data_set, [WANT])
    assert [each[0].n_rows for each in answers] == [700, 1000, 1500, 1500]
    assert "counted 700 of 1500 rows" in told
    assert bridge.data_sets.progress(data_set.run_id) is None


def test_what_was_counted_is_not_counted_again(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    first = answers_of(qtbot, bridge, data_set, [WANT])[-1]
    monkeypatch.setattr(passes, "read_from_files", lambda *_args: pytest.fail("read again"))
    again = answers_of(qtbot, bridge, data_set, [WANT], "another view")
    assert len(again) == 1
    assert again[0][0] is not None and np.array_equal(again[0][0].counts, first[0].counts)


def test_counting_can_be_stopped_and_begun_again(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    found: list[Any] = []

    def take(counts: list[Any]) -> None:
        found.append(counts[0].n_rows)
        bridge.data_sets.stop(data_set.run_id)

    bridge.counting.count("view", data_set.run_id, [WANT], take)
    wait_for(qtbot, lambda: bool(found) and not bridge.counting.is_busy)
    progress = bridge.data_sets.progress(data_set.run_id)
    assert progress is not None and progress.is_stopped
    assert found[-1] == progress.n_done == 1000
    bridge.data_sets.look_again(data_set.run_id)
    wait_for(qtbot, lambda: len(getattr(bridge.live(data_set.run_id), "columns", ())) > 0)
    assert answers_of(qtbot, bridge, data_set, [WANT])[-1][0].n_rows == 1500


def test_a_wish_that_changes_begins_the_pass_anew_and_others_keep_theirs(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    other = Want(Axis("trap_max", 0.0, 100.0, 10))
    old: list[Any] = []
    new: list[Any] = []
    plane: list[Any] = []

    def change(counts: list[Any]) -> None:
        old.append(counts[0].n_rows)
        if len(old) == 1:
            bridge.counting.count("spectrum", data_set.run_id, [other], new.append)

    first = Want(Axis("trap_max", 0.0, 10.0, 10))
    bridge.counting.count("what the others wait for", data_set.run_id, [first], lambda _counts: None)
    bridge.counting.count("spectrum", data_set.run_id, [WANT], change)
    bridge.counting.count("plane", data_set.run_id, [WANT], plane.append)
    wait_for(qtbot, lambda: bool(new) and not bridge.counting.is_busy)
    assert old == [700]
    assert new[-1][0].want == other and new[-1][0].n_rows == 1500
    assert plane[-1][0].want == WANT and plane[-1][0].n_rows == 1500


class _RowsSeen:
    """Notes which rows came by."""

    columns = frozenset({"time_s"})

    def __init__(self) -> None:
        self.rows: list[float] = []

    def add(self, rows: dict[str, np.ndarray]) -> None:
        self.rows += rows["time_s"].tolist()

    def found(self, *, is_whole: bool) -> list[float]:
        return list(self.rows)


def test_what_can_wait_is_laid_aside_for_what_somebody_waits_for_and_goes_on(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = loaded()
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    monkeypatch.setattr(passes, "SHOW_S", 0.0)
    told: list[tuple[str, int]] = []
    seen: list[list[float]] = []

    def take(rows: list[float]) -> None:
        seen.append(rows)
        told.append(("strip", len(rows)))
        if len(told) == 1:
            bridge.counting.count(
                "view", data_set.run_id, [WANT], lambda found: told.append(("view", found[0].n_rows))
            )

    bridge.data_sets.gather("strip", live, "rows", _RowsSeen, take, can_wait=True)
    wait_for(qtbot, lambda: bool(told) and not bridge.counting.is_busy)
    last_of_view = max(at for at, (who, _) in enumerate(told) if who == "view")
    assert told[last_of_view] == ("view", 1500)
    assert all(who == "strip" for who, _ in told[last_of_view + 1 :])
    assert told[-1] == ("strip", 1500)
    assert seen[-1] == all_rows()["time_s"].tolist()  # each row once


def test_nothing_is_counted_anew_until_the_hand_that_drags_an_edge_rests(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    answers_of(qtbot, bridge, data_set, [WANT])
    begun: list[object] = []
    begin = passes.Pass._begin
    monkeypatch.setattr(passes.Pass, "_begin", lambda self: (begun.append(1), begin(self))[1])
    bridge.data_sets._rest.setInterval(100_000)
    bridge.counting.serve_first("view")
    found: list[Any] = []
    bridge.change(cut_changes.add_cut, "low", "trap_max < 290")
    for edge in (300, 310, 320):
        bridge.change(cut_changes.edit_cut, "low", f"trap_max < {edge}")
        bridge.counting.count("view", data_set.run_id, [WANT], found.append)
        done: list[bool] = []
        bridge.in_background(lambda: True, done.append)
        wait_for(qtbot, lambda done=done: bool(done))
    assert begun == [] and found == []
    bridge.counting.serve_first("")
    wait_for(qtbot, lambda: bool(found) and not bridge.counting.is_busy)
    assert len(begun) == 1
    assert found[-1][0].n_chosen == np.count_nonzero(all_rows()["trap_max"] < 320)


@pytest.fixture
def sample(bridge: Bridge, on_disk: None, loaded: Callable[[], LiveSet]) -> np.ndarray:
    """Give the heights in memory of a set on disk under the cut `trap_max < 300`, whose edge is dragged."""
    heights = loaded().columns.column("trap_max")
    bridge.data_sets._rest.setInterval(100_000)
    bridge.counting.serve_first("view")
    bridge.change(cut_changes.add_cut, "low", "trap_max < 300")
    return heights


def count_by_sample(bridge: Bridge, data_set: DataSet, found: list[Any]) -> None:
    bridge.counting.count("view", data_set.run_id, [WANT], found.append, takes_estimates=True)


def test_a_sample_tells_what_an_edge_lets_pass_while_the_hand_moves(
    qtbot: QtBot, bridge: Bridge, sample: np.ndarray, data_set: DataSet
) -> None:
    found: list[Any] = []
    count_by_sample(bridge, data_set, found)
    wait_for(qtbot, lambda: bool(found))
    (estimate,) = found[0]
    assert (estimate.n_rows, estimate.n_sampled) == (1500, len(sample))
    assert 90 <= len(sample) < 200
    assert estimate.n_chosen == round(np.count_nonzero(sample < 300) * 1500 / len(sample))
    expected = np.histogram(sample[sample < 300], WANT.x.edges)[0] * 1500 / len(sample)
    assert np.abs(estimate.counts - expected).max() <= 0.5
    bridge.counting.serve_first("")
    wait_for(qtbot, lambda: not bridge.counting.is_busy)
    (exact,) = found[-1]
    assert (exact.n_sampled, exact.n_chosen) == (0, np.count_nonzero(all_rows()["trap_max"] < 300))


def test_what_a_sample_tells_stays_until_all_rows_are_counted(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    bridge.data_sets._rest.setInterval(100_000)
    bridge.counting.serve_first("view")
    bridge.change(cut_changes.add_cut, "low", "trap_max < 300")
    found: list[Any] = []
    count_by_sample(bridge, data_set, found)
    wait_for(qtbot, lambda: bool(found))
    bridge.counting.serve_first("")
    wait_for(qtbot, lambda: not bridge.counting.is_busy)
    is_estimate = [one.n_sampled > 0 for (one,) in found]
    assert sum(is_estimate) > 2
    assert is_estimate == sorted(is_estimate, reverse=True)
    assert all(one.n_rows == 1500 for (one,) in found)
    assert found[-1][0].n_sampled == 0


def test_what_a_sample_tells_too_late_is_not_handed_over(
    qtbot: QtBot, bridge: Bridge, on_disk: None, loaded: Callable[[], LiveSet], data_set: DataSet
) -> None:
    loaded()
    answers_of(qtbot, bridge, data_set, [WANT])
    bridge.data_sets._rest.setInterval(100_000)
    bridge.counting.serve_first("view")
    bridge.change(cut_changes.add_cut, "low", "trap_max < 300")
    found: list[Any] = []
    count_by_sample(bridge, data_set, found)
    bridge.counting.serve_first("")
    bridge.change(cut_changes.remove_all_cuts)
    count_by_sample(bridge, data_set, found)  # what was counted before
    wait_for(qtbot, lambda: bool(found) and not bridge.counting.is_busy)
    assert [one.n_sampled for (one,) in found] == [0]


def test_a_pass_stands_still_while_the_hand_moves(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = loaded()
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    bridge.data_sets._rest.setInterval(100_000)
    counted: list[int] = []
    bridge.data_sets.count("other", live, [(None, WANT)], lambda found: counted.append(found[0].n_rows))
    wait_for(qtbot, lambda: bool(counted))
    bridge.counting.serve_first("view")
    bridge.change(cut_changes.add_cut, "low", "trap_max < 300")
    found: list[Any] = []
    count_by_sample(bridge, data_set, found)
    wait_for(qtbot, lambda: bool(found) and bridge.data_sets._is_waiting_for_hand)
    n = len(counted)
    for _ in range(3):
        done: list[bool] = []
        bridge.in_background(lambda: True, done.append)
        wait_for(qtbot, lambda done=done: bool(done))
    assert len(counted) == n
    assert counted[-1] < 1500
    bridge.counting.serve_first("")
    wait_for(qtbot, lambda: not bridge.counting.is_busy)
    assert counted[-1] == 1500
    assert found[-1][0].n_sampled == 0


def test_a_sample_tells_what_the_cuts_do_while_the_hand_moves(
    qtbot: QtBot, bridge: Bridge, sample: np.ndarray, data_set: DataSet
) -> None:
    found: list[Figures] = []
    bridge.counting.tally(data_set.run_id, (), "trap_max", found.append)
    wait_for(qtbot, lambda: bool(found))
    assert (found[0].n_sampled, found[0].is_whole) == (len(sample), False)
    assert found[0].table.total.n_out == np.count_nonzero(sample < 300)
    bridge.counting.serve_first("")
    wait_for(qtbot, lambda: not bridge.counting.is_busy)
    assert (found[-1].n_sampled, found[-1].is_whole) == (0, True)
    assert found[-1].table.total.n_out == np.count_nonzero(all_rows()["trap_max"] < 300)


def test_a_cut_that_cannot_be_applied_has_nothing_counted_anew(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    bridge.change(cut_changes.add_cut, "low", "trap_max < 300")
    first = answers_of(qtbot, bridge, data_set, [WANT])[-1]
    monkeypatch.setattr(passes, "read_from_files", lambda *_args: pytest.fail("read again"))
    bridge.change(cut_changes.add_cut, "box", "through(1, 2, 3, 4)")
    bridge.change(cut_changes.add_cut, "of_box", "box & trap_max > 0")
    again = answers_of(qtbot, bridge, data_set, [WANT])
    assert len(again) == 1
    assert np.array_equal(again[0][0].counts, first[0].counts)


def test_what_was_counted_without_a_column_is_kept_when_that_is_found(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = loaded()
    box, passing = "through(1, 2, 3, 4)", FoundColumn(np.bool_)
    for rows in N_ROWS.values():
        passing.add_run(np.arange(rows) < 10)
    answers_of(qtbot, bridge, data_set, [WANT])
    made = live.with_found_boxes({box: passing})
    bridge.data_sets.take_over(live, made, [box])
    bridge.data[data_set.run_id] = made
    begun: list[object] = []
    begin = passes.Pass._begin
    monkeypatch.setattr(passes.Pass, "_begin", lambda self: (begun.append(1), begin(self))[1])
    assert answers_of(qtbot, bridge, data_set, [WANT])[-1][0].n_chosen == 1500
    assert begun == []
    bridge.change(cut_changes.add_cut, "box", box)
    assert answers_of(qtbot, bridge, data_set, [WANT])[-1][0].n_chosen == 30
    assert len(begun) == 1


def test_a_hand_that_rests_without_letting_go_is_counted_for(
    qtbot: QtBot, bridge: Bridge, on_disk: None, loaded: Callable[[], LiveSet], data_set: DataSet
) -> None:
    loaded()
    bridge.counting.serve_first("view")
    assert answers_of(qtbot, bridge, data_set, [WANT])[-1][0].n_rows == 1500
    bridge.counting.serve_first("")


def test_a_pass_over_rows_that_are_calibrated_anew_is_given_up(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = loaded()
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    seen: list[int] = []

    def calibrate(counts: list[Any]) -> None:
        seen.append(counts[0].n_rows)
        bridge.change(take_calibration, calibration("Run72", 2.0))
        bridge.data[data_set.run_id] = before.calibrated(bridge.calibrations_of(data_set.run_id), {}, 0)

    bridge.counting.count("view", data_set.run_id, [WANT], calibrate)
    wait_for(qtbot, lambda: bool(seen) and not bridge.counting.is_busy)
    assert seen == [700]
    assert answers_of(qtbot, bridge, data_set, [WANT])[-1][0].n_rows == 1500


def test_what_cuts_do_to_a_larger_one_is_counted_from_its_files(
    qtbot: QtBot, bridge: Bridge, on_disk: None, loaded: Callable[[], LiveSet], data_set: DataSet
) -> None:
    loaded()
    bridge.change(cut_changes.add_cut, "low", "trap_max < 300")
    found: list[Figures] = []
    bridge.counting.tally(data_set.run_id, (), "trap_max", found.append)
    wait_for(qtbot, lambda: bool(found))
    (low,) = found[0].table.rows
    assert low.alone.n_out == np.count_nonzero(all_rows()["trap_max"] < 300)
    assert low.alone.n_in == 1500


def test_what_cuts_leave_of_a_peak_of_a_larger_one_is_counted_once(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    bridge.change(cut_changes.add_cut, "low", "channel == 1")
    n_passes: list[object] = []
    begin = passes.Pass._begin
    monkeypatch.setattr(passes.Pass, "_begin", lambda self: (n_passes.append(1), begin(self))[1])
    region = peak_of_region("trap_max", 300.0, 400.0)
    assert region is not None

    def figures_of(peaks: tuple[Peak, ...]) -> Figures:
        found: list[Figures] = []
        bridge.counting.tally(data_set.run_id, peaks, "trap_max", found.append)
        wait_for(qtbot, lambda: bool(found) and found[-1].is_whole and not bridge.counting.is_busy)
        return found[-1]

    rows = all_rows()
    inside = (rows["trap_max"] >= 300) & (rows["trap_max"] < 400)
    (peak,) = figures_of((region,)).peaks
    assert peak.by_all.kept.window == np.count_nonzero(inside & (rows["channel"] == 1))
    assert peak.by_all.lost.window == np.count_nonzero(inside & (rows["channel"] == 0))
    assert not figures_of(()).peaks
    assert len(n_passes) == 2
    assert figures_of((region,)).peaks == (peak,)
    assert len(n_passes) == 2


def test_figures_that_are_asked_for_anew_do_not_come_late(
    qtbot: QtBot,
    bridge: Bridge,
    on_disk: None,
    loaded: Callable[[], LiveSet],
    data_set: DataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded()
    bridge.change(cut_changes.add_cut, "low", "trap_max < 300")
    region = peak_of_region("trap_max", 300.0, 400.0)
    assert region is not None
    known: list[Figures] = []
    bridge.counting.tally(data_set.run_id, (), "trap_max", known.append)
    wait_for(qtbot, lambda: bool(known) and not bridge.counting.is_busy)
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    late: list[Figures] = []
    found: list[Figures] = []
    bridge.counting.tally(data_set.run_id, (region,), "trap_max", late.append)
    bridge.counting.tally(data_set.run_id, (), "trap_max", found.append)
    wait_for(qtbot, lambda: bool(found) and not bridge.counting.is_busy)
    assert found == [known[-1]]
    assert not late


def test_files_that_are_missing_are_named(qtbot: QtBot, bridge: Bridge, data_set: DataSet) -> None:
    data_set.members[1].tier2.unlink()
    bridge.change(set_changes.make_data_set, data_set)
    wait_for(qtbot, lambda: bool(bridge.data_sets.trouble(data_set.run_id)))
    assert bridge.data_sets.trouble(data_set.run_id) == "t2_run73.h5 is not where it was"
    assert bridge.state(data_set.run_id) is None


def test_reading_into_memory_can_be_stopped(
    qtbot: QtBot, bridge: Bridge, data_set: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "STEP_S", 0.0)
    bridge.jobs_changed.connect(
        lambda _ids: bridge.data_sets.progress(data_set.run_id) and bridge.data_sets.stop(data_set.run_id)
    )
    bridge.change(set_changes.make_data_set, data_set)

    def is_stopped() -> bool:
        progress = bridge.data_sets.progress(data_set.run_id)
        return progress is not None and progress.is_stopped

    wait_for(qtbot, is_stopped)
    live = bridge.live(data_set.run_id)
    assert live is not None and len(live.columns) == 0


def test_removing_it_removes_no_file_and_can_be_undone(
    bridge: Bridge, loaded: Callable[[], LiveSet], data_set: DataSet
) -> None:
    loaded()
    bridge.change(set_changes.remove_data_set, data_set.run_id)
    assert bridge.session.data_sets == ()
    assert all(one.tier2.exists() for one in data_set.members)
    bridge.store.undo()
    assert bridge.session.data_sets == (data_set,)
    assert "remove data set from the list" in bridge.store.redo_label


def test_it_follows_its_files_when_a_run_is_processed_again(
    qtbot: QtBot, bridge: Bridge, loaded: Callable[[], LiveSet], data_set: DataSet, tmp_path: Path
) -> None:
    before = loaded()
    bridge.data_sets.forget_files([data_set.members[0].tier2])
    wait_for(
        qtbot,
        lambda: (
            bridge.live(data_set.run_id) not in (None, before)
            and len(getattr(bridge.live(data_set.run_id), "columns", ())) == 1500
        ),
    )


def test_selecting_another_run_keeps_the_rows_of_the_set(
    bridge: Bridge, loaded: Callable[[], LiveSet], data_set: DataSet, a_run: Callable[..., Run]
) -> None:
    live = loaded()
    bridge.change(changes.add_runs, [a_run()])
    bridge.change(changes.select_run, bridge.session.runs[0].run_id)
    assert bridge.live(data_set.run_id) is live
