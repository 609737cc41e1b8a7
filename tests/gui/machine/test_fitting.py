"""Tests that fits are done off the event loop, under the cuts, on any run, and not too often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pygama.analysis.fit_request import FitRequest
from pygama.analysis.regions import CUT_AWAY, measure_region
from pygama_gui.bridge import Bridge
from pygama_gui.machine import fitting
from pygama_gui.session import changes, cut_changes, fit_changes
from pygama_gui.session.state import Fit, NamedRegion, Run
from pygama_gui.views import madeup

LINE = 8670.0
WAIT_MS = 60_000
FIT = Fit("line", "trap_max", FitRequest(8300.0, 9050.0, (LINE,)))


@pytest.fixture
def taken(bridge: Bridge, a_run: Callable[..., Run]) -> Bridge:
    for job_id, number in ((1, 9001), (2, 72)):
        run = a_run(number)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(job_id, run)
        bridge.take(job_id, madeup.partial(20_000, seed=job_id, n_channels=2))
    bridge.change(fit_changes.add_fits, [FIT])
    return bridge


def fitted(qtbot: QtBot, bridge: Bridge, run_id: str, name: str = "line") -> fitting.Outcome:
    bridge.fitting.ask(run_id)
    qtbot.waitUntil(lambda: bridge.fitting.outcome(run_id, name) is not None, timeout=WAIT_MS)
    return bridge.fitting.outcome(run_id, name)


def test_a_fit_finds_the_line_that_was_made_up(qtbot: QtBot, taken: Bridge) -> None:
    (peak,) = fitted(qtbot, taken, taken.session.selected).found.peaks
    assert abs(peak.position - LINE) < 5 * peak.position_error < 10
    assert peak.area == pytest.approx(0.052 * 20_000, abs=5 * peak.area_error)


def test_the_same_fit_is_done_on_another_run(qtbot: QtBot, taken: Bridge) -> None:
    first, second = (fitted(qtbot, taken, run.run_id).found.peaks[0] for run in taken.session.runs)
    assert first != second
    assert first.position == pytest.approx(second.position, abs=5)


def test_a_peak_that_a_cut_takes_away_is_still_known(qtbot: QtBot, taken: Bridge) -> None:
    run_id = taken.session.selected
    before = fitted(qtbot, taken, run_id).found
    taken.change(cut_changes.add_cut, "above", "trap_max > 9200")
    taken.fitting.ask(run_id)
    qtbot.waitUntil(lambda: bool(taken.fitting.outcome(run_id, "line").why_not), timeout=WAIT_MS)
    assert taken.fitting.fullest(run_id, FIT) is before
    taken.change(fit_changes.change_fit, "line", replace(FIT.request, high=9000.0))
    assert taken.fitting.fullest(run_id, taken.session.fits[0]) is None


def test_a_cut_of_the_marked_region_leaves_no_net_counts(qtbot: QtBot, taken: Bridge) -> None:
    run_id = taken.session.selected
    taken.change(changes.mark_region, (8600.0, 8740.0))
    taken.change(cut_changes.add_cut, "region", "8600 <= trap_max < 8740")
    taken.fitting.ask(run_id)
    qtbot.waitUntil(lambda: taken.fitting.measured_mark(run_id) is not None, timeout=WAIT_MS)
    found = taken.fitting.measured_mark(run_id).found
    assert found.gross > 800
    assert np.isnan(found.net) and np.isnan(found.fwhm)
    assert found.why_no_net == CUT_AWAY


def test_a_cut_within_the_window_of_a_fit_leaves_the_peak_as_it_is(qtbot: QtBot, taken: Bridge) -> None:
    run_id = taken.session.selected
    (whole,) = fitted(qtbot, taken, run_id).found.peaks
    taken.change(cut_changes.add_cut, "narrow", "8580 <= trap_max < 8760")
    taken.fitting.ask(run_id)
    qtbot.waitUntil(lambda: taken.fitting.outcome(run_id, "line").left is not None, timeout=WAIT_MS)
    outcome = taken.fitting.outcome(run_id, "line")
    assert 8580 <= outcome.left[0] < 8590 and 8750 < outcome.left[1] <= 8760
    (peak,) = outcome.found.peaks
    assert abs(peak.area - whole.area) < whole.area_error
    assert abs(peak.fwhm - whole.fwhm) < whole.fwhm_error


def test_a_fit_of_a_channel_takes_its_rows_alone(qtbot: QtBot, taken: Bridge) -> None:
    live = taken.live(taken.session.selected)
    taken.change(fit_changes.add_fits, [replace(FIT, name="one", channel=live.channels[0])])
    both = fitted(qtbot, taken, taken.session.selected).found.counts.sum()
    one = fitted(qtbot, taken, taken.session.selected, "one").found.counts.sum()
    assert one == pytest.approx(both / 2, rel=0.1)


def test_a_changed_request_is_fitted_again(qtbot: QtBot, taken: Bridge) -> None:
    run_id = taken.session.selected
    fitted(qtbot, taken, run_id)
    taken.change(fit_changes.change_fit, "line", replace(FIT.request, shape="hpge"))
    taken.fitting.ask(run_id)
    qtbot.waitUntil(
        lambda: taken.fitting.outcome(run_id, "line").found.request.shape == "hpge", timeout=WAIT_MS
    )


def test_a_run_that_grows_is_fitted_again_only_after_a_while(
    qtbot: QtBot, taken: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = taken.session.selected
    before = fitted(qtbot, taken, run_id).found.counts.sum()
    taken.take(1, madeup.partial(20_000, seed=9))
    asked: list[str] = []
    monkeypatch.setattr(taken.counting, "count", lambda owner, *_: asked.append(owner))
    taken.fitting.ask(run_id)
    assert asked == []
    monkeypatch.undo()
    with qtbot.waitSignal(taken.fitting.due, timeout=WAIT_MS):
        pass
    taken.fitting.ask(run_id)
    qtbot.waitUntil(
        lambda: taken.fitting.outcome(run_id, "line").found.counts.sum() > 1.5 * before, timeout=WAIT_MS
    )


def test_whole_numbers_are_counted_in_bins_of_whole_width(qtbot: QtBot, taken: Bridge) -> None:
    rng = np.random.default_rng(2)
    for run in taken.session.runs[:1]:
        taken.adopt(7, run)
        energy = rng.normal(1000, 30, 5000).round().astype(np.int64)
        taken.take(7, replace(madeup.partial(5000), columns={"channel": energy * 0, "energy": energy}))
        taken.change(fit_changes.add_fits, [Fit("int", "energy", FitRequest(850.0, 1150.0, (1000.0,)))])
        outcome = fitted(qtbot, taken, run.run_id, "int")
    widths = np.diff(outcome.found.edges)
    assert widths == pytest.approx(np.full(len(widths), round(widths[0])))
    assert outcome.found.edges[0] % 1 == 0.5
    assert outcome.found.p_value > 1e-3


def test_a_column_that_the_run_lacks_is_told(qtbot: QtBot, taken: Bridge) -> None:
    taken.change(fit_changes.add_fits, [replace(FIT, name="other", column="gone")])
    assert fitted(qtbot, taken, taken.session.selected, "other").why_not == "the run has no gone"


def test_a_request_that_cannot_be_met_is_told(qtbot: QtBot, taken: Bridge) -> None:
    taken.change(fit_changes.change_fit, "line", replace(FIT.request, shape="square"))
    assert "square" in fitted(qtbot, taken, taken.session.selected).why_not


def test_a_kept_region_is_measured_as_the_library_does_on_the_same_counts(
    qtbot: QtBot, taken: Bridge
) -> None:
    region = NamedRegion("line", "trap_max", 8600.0, 8740.0)
    taken.change(fit_changes.keep_region, region)
    run_id = taken.session.selected
    taken.fitting.ask(run_id)
    qtbot.waitUntil(lambda: taken.fitting.measured(run_id, "line") is not None, timeout=WAIT_MS)
    found = taken.fitting.measured(run_id, "line").found
    values = taken.live(run_id).columns.column("trap_max")
    counts, edges = np.histogram(values, 128, (8530.0, 8810.0))
    seconds = taken.live(run_id).duration_s
    expected = measure_region(counts, edges, 8600.0, 8740.0, live_time_s=seconds)
    assert found.gross == ((values >= 8600.0) & (values < 8740.0)).sum()
    assert (found.net, found.centroid, found.rate) == (expected.net, expected.centroid, expected.rate)


def test_the_marked_region_holds_what_it_will_hold_when_it_is_kept(qtbot: QtBot, taken: Bridge) -> None:
    run_id, marked = taken.session.selected, (8601.3, 8740.9)
    taken.change(changes.show_spectrum, replace(taken.session.spectrum, column="trap_max", channel=1))
    taken.change(changes.mark_region, marked)
    assert taken.fitting.is_to_be_measured(run_id)
    taken.change(fit_changes.keep_region, NamedRegion("line", "trap_max", *marked, channel=1))
    taken.fitting.ask(run_id)
    qtbot.waitUntil(lambda: taken.fitting.measured(run_id, "line") is not None, timeout=WAIT_MS)
    assert not taken.fitting.is_to_be_measured(run_id)
    assert taken.fitting.measured_mark(run_id).found == taken.fitting.measured(run_id, "line").found
    taken.change(changes.mark_region, (8600.0, 8740.0))
    assert taken.fitting.measured_mark(run_id) is None


def test_fit_and_region_of_one_name_do_not_get_in_each_others_way(qtbot: QtBot, taken: Bridge) -> None:
    taken.change(fit_changes.keep_region, NamedRegion("line", "gone", 0.0, 1.0))
    run_id = taken.session.selected
    assert fitted(qtbot, taken, run_id).why_not == ""
    qtbot.waitUntil(lambda: taken.fitting.measured(run_id, "line") is not None, timeout=WAIT_MS)
    assert taken.fitting.measured(run_id, "line").problem == "the run has no gone"


def test_nothing_is_said_of_a_run_whose_rows_are_still_being_read(
    qtbot: QtBot, taken: Bridge, a_run: Callable[..., Run]
) -> None:
    run = a_run(5)
    taken.change(changes.add_runs, [run])
    taken.adopt(9, run)
    taken.fitting.ask(run.run_id)
    assert not taken.counting.is_busy
    assert taken.fitting.outcome(run.run_id, "line") is None
