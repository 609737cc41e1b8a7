"""Tests which peak the sandbox takes from the spectrum, and from run to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pygama.analysis.peaks import PeakFit
from pygama.errors import TierFileError
from pygama.processing.run import process_run
from pygama.progress import Failed, Partial
from pygama.simulate import RunShape, write_run
from pygama_gui import sandbox as sandbox_module
from pygama_gui.bridge import Bridge
from pygama_gui.data import preview
from pygama_gui.data.preview import Compared
from pygama_gui.sandbox import Sandbox, _chosen_or_most, is_narrow
from pygama_gui.session import changes
from pygama_gui.session.files import read_run
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.chain.preview import PreviewView

WAIT_MS = 60_000


def gone_on(bridge: Bridge, *runs: Run) -> Sandbox:
    """Give a sandbox that was told of the peak of the first run, and then came to the second."""
    sandbox = Sandbox.of(bridge)
    bridge.change(changes.add_runs, list(runs))
    bridge.change(changes.select_run, runs[0].run_id)
    bridge.change(changes.choose_line, (8600.0, 8740.0))
    bridge.change(changes.select_run, runs[1].run_id)
    return sandbox


@pytest.mark.parametrize(
    ("region", "is_of_a_peak"),
    [((950.0, 1050.0), True), ((890.0, 1110.0), False), ((0.0, 40_000.0), False), ((5.0, 5.0), False)],
)
def test_only_a_narrow_region_is_that_of_a_peak(region: tuple[float, float], is_of_a_peak: bool) -> None:
    assert is_narrow(region) == is_of_a_peak


def test_a_wide_region_leaves_the_peak_as_it_is(bridge: Bridge, a_run: Callable[..., Run]) -> None:
    sandbox = Sandbox.of(bridge)
    bridge.change(changes.add_runs, [a_run()])
    bridge.change(changes.mark_region, (8600.0, 8740.0))
    assert sandbox.session.line == (8600.0, 8740.0)
    bridge.change(changes.mark_region, (1000.0, 30_000.0))
    assert sandbox.session.line == (8600.0, 8740.0)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_peak_of_another_run_is_sought_anew_where_this_run_has_none_there(
    bridge: Bridge, a_run: Callable[..., Run], is_there: bool
) -> None:
    sandbox = gone_on(bridge, a_run(1), a_run(2))
    fit = PeakFit((8600.0, 8740.0), 40, converged=is_there)
    found = Compared(sandbox.asked, 10, np.arange(3.0), None, None, old_fit=fit)
    sandbox._take_compared(sandbox._bench, found)
    assert sandbox._is_line_sought == (not is_there)


def test_the_peak_goes_along_with_the_gain_of_the_chain_that_a_run_is_processed_with(
    bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    run = a_run(1)
    sandbox = Sandbox.of(bridge)
    bridge.change(changes.add_runs, [run])
    bridge.change(changes.choose_line, (8600.0, 8740.0))
    fit = PeakFit((8600.0, 8740.0), 40, converged=True)
    found = Compared(sandbox.asked, 10, np.arange(3.0), None, None, new_fit=fit, scale=0.5)
    sandbox._take_compared(sandbox._bench, found)
    sandbox._forget()  # as where the data of the run begin anew
    bridge.started.emit({"another"})
    assert sandbox.session.line == (8600.0, 8740.0)
    bridge.started.emit({run.run_id})
    assert sandbox.session.line == (4300.0, 4370.0)
    bridge.started.emit({run.run_id})  # what was compared was of another place
    assert sandbox.session.line == (4300.0, 4370.0)


def test_the_peak_of_each_run_is_there_again_when_it_is_looked_at_again(
    bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    first, second, third = a_run(1), a_run(2), a_run(3)
    sandbox = gone_on(bridge, first, second, third)
    sandbox._is_from_file = True
    sandbox._take_line(None, None)
    assert sandbox.session.line is None, "this run has no peak, neither there nor elsewhere"
    bridge.change(changes.select_run, third.run_id)
    assert sandbox.session.line == (8600.0, 8740.0)
    sandbox._take_line((9600.0, 9740.0), None)
    for run, line in ((first, (8600.0, 8740.0)), (second, None), (third, (9600.0, 9740.0))):
        bridge.change(changes.select_run, run.run_id)
        assert sandbox.session.line == line


def test_a_peak_is_not_given_up_while_few_waveforms_have_come(
    bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    sandbox = gone_on(bridge, a_run(1), a_run(2))
    sandbox._is_from_file = False
    sandbox._take_line(None, None)
    assert sandbox.session.line == (8600.0, 8740.0)
    sandbox._is_from_file = True
    sandbox._take_line(None, None)
    assert sandbox.session.line is None


@pytest.mark.parametrize(("position", "sought"), [(8620.0, 8620.0), (8670.0, None), (8730.0, 8730.0)])
def test_the_window_comes_along_with_a_peak_that_stands_at_its_edge_in_another_run(
    bridge: Bridge, a_run: Callable[..., Run], position: float, sought: float | None
) -> None:
    sandbox = gone_on(bridge, a_run(1), a_run(2))
    fit = PeakFit((8600.0, 8740.0), 40, position=position, converged=True)
    sandbox._take_compared(
        sandbox._bench, Compared(sandbox.asked, 10, np.arange(3.0), None, None, old_fit=fit)
    )
    assert sandbox._sought == sought


def test_a_peak_that_stands_out_only_in_the_whole_run_is_chosen_then(
    bridge: Bridge, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Found:
        """A sample in which a peak may stand out."""

        line: tuple[float, float] | None = None

        def suggested_line(self, _asked: object) -> tuple[float, float] | None:
            return self.line

    def compute(work: Callable[[], object], then: Callable[[object], None]) -> bool:
        then(work())
        return True

    sandbox, sample = Sandbox.of(bridge), Found()
    bridge.change(changes.add_runs, [a_run()])
    monkeypatch.setattr(sandbox, "_compute", compute)
    monkeypatch.setattr(sandbox, "_bench", sample)
    monkeypatch.setattr(sandbox, "_key", (1, "t1_run.h5", None))  # the file is being read
    assert sandbox._seek_line()
    assert not sandbox._seek_line()
    sample.line = (8600.0, 8740.0)
    monkeypatch.setattr(sandbox, "_is_from_file", True)
    assert sandbox._seek_line()
    assert sandbox.session.line == (8600.0, 8740.0)
    bridge.change(changes.choose_line, None)
    assert not sandbox._seek_line()


def test_the_preview_says_why_it_has_no_sample(
    qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    run, view = a_run(), PreviewView(bridge)
    qtbot.addWidget(view)
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.take(1, madeup.partial(4))
    view.redraw()
    assert view.plot._hint.text() == "A sample is taken once enough waveforms came."
    bridge.take(1, Failed("The disk is full"))
    view.redraw()
    assert view.plot._hint.text() == "No sample: the run came to no finished file."


def test_the_preview_says_that_the_file_of_its_sample_is_gone(
    qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run], tmp_path: Path
) -> None:
    view = PreviewView(bridge)
    qtbot.addWidget(view)
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.take(1, madeup.partial(40))
    bridge.data[run.run_id].tier1 = tmp_path / "t1_run9001.h5"
    view.show()
    qtbot.waitUntil(lambda: view._why_empty() == "No sample: t1_run9001.h5 is not where it was.")
    assert tmp_path / "t1_run9001.h5" in bridge.gone


def test_a_default_that_was_typed_is_no_change(bridge: Bridge, a_run: Callable[..., Run]) -> None:
    bridge.change(changes.add_runs, [a_run()])
    sandbox = Sandbox.of(bridge)
    sandbox._references[bridge.session.selected] = bridge.session.chain
    bridge.change(changes.set_setting, 2, "rise", 400)
    assert not sandbox.is_changed
    bridge.change(changes.set_setting, 2, "rise", 401)
    assert sandbox.is_changed


def test_the_newest_waveforms_are_taken_again_only_when_rows_came_or_the_channel_is_another(
    bridge: Bridge, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sandbox, taken = a_run(), Sandbox.of(bridge), []
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    monkeypatch.setattr(sandbox_module, "LEAST_LIVE", 1)
    monkeypatch.setattr(sandbox_module, "LIVE_EVERY_S", 0.0)
    monkeypatch.setattr(sandbox_module.preview, "sample_of_ring", lambda samples: taken.append(len(samples)))

    def look() -> int:
        sandbox._take_ring(bridge.data[run.run_id])
        return len(taken)

    sandbox._key = (id(bridge.data[run.run_id].samples),)
    bridge.take(1, madeup.partial(4))
    assert look() == 1
    assert look() == 1
    bridge.take(1, madeup.partial(4))
    assert look() == 2
    bridge.change(changes.choose_channel, 0)
    assert look() == 3


def live_sandbox(
    bridge: Bridge, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> tuple[Run, Sandbox]:
    """Give a run under way and a sandbox that takes its newest waveforms whenever it is asked."""
    run, sandbox = a_run(), Sandbox.of(bridge)
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    monkeypatch.setattr(sandbox_module, "LIVE_EVERY_S", 0.0)
    monkeypatch.setattr(sandbox, "_go_on", lambda: None)
    return run, sandbox


def two_channels(n: int, seed: int) -> Partial:
    """Make a message with waveforms of channel 0 and, one in four, of channel 1."""
    partial = madeup.partial(n, seed=seed, n_waveforms=n)
    partial.columns["channel"][:] = partial.waveform_rows["channel"][:] = np.arange(n) % 4 == 0
    return partial


def test_the_newest_waveforms_of_one_channel_are_taken_and_named(
    bridge: Bridge, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sandbox = live_sandbox(bridge, a_run, monkeypatch)
    bridge.take(1, two_channels(40, 1))
    live = bridge.data[run.run_id]
    sandbox._take_ring(live)
    assert (sandbox.n_rows, sandbox.words) == (30, "newest waveforms of channel 0"), "few, but of one"
    assert sandbox.has_few
    bridge.take(1, two_channels(40, 2))
    sandbox._take_ring(live)
    assert (sandbox.n_rows, sandbox.words) == (60, "newest waveforms of channel 0")
    bridge.change(changes.choose_line, (8600.0, 8740.0))
    bridge.take(1, two_channels(120, 3))
    bridge.change(changes.choose_channel, 1)
    sandbox._take_ring(live)
    assert (sandbox.n_rows, sandbox.words) == (50, "newest waveforms of channel 1")
    assert sandbox._is_line_old, "its peaks may stand elsewhere"


def test_a_channel_stays_the_one_of_the_preview_when_another_gets_more_waveforms(
    bridge: Bridge, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sandbox = live_sandbox(bridge, a_run, monkeypatch)
    for seed, code in ((1, 0), (2, 1), (3, 0)):
        partial = madeup.partial(50 + seed, seed=seed, n_waveforms=50 + seed)
        partial.columns["channel"][:] = partial.waveform_rows["channel"][:] = code
        bridge.take(1, partial)
        sandbox._take_ring(bridge.data[run.run_id])
        assert sandbox.words.removeprefix("newest waveforms") == ("" if seed == 1 else " of channel 1")


def of_channels(codes: np.ndarray, seed: int) -> Partial:
    """Make a message with a waveform of each of these channels."""
    partial = madeup.partial(len(codes), seed=seed, n_waveforms=len(codes))
    partial.columns["channel"][:] = partial.waveform_rows["channel"][:] = codes
    return partial


def test_of_many_channels_the_waveforms_of_one_are_gathered_while_a_run_grows(
    bridge: Bridge, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sandbox = live_sandbox(bridge, a_run, monkeypatch)
    n_each = []
    for seed in range(8):
        bridge.take(1, of_channels(np.repeat(np.arange(60), 2), seed))
        sandbox._take_ring(bridge.data[run.run_id])
        n_each.append(sandbox.n_rows)
        assert {sample.channel for sample in bridge.data[run.run_id].samples.gather(0)} == {0}
    assert n_each == [2, 4, 6, 8, 10, 12, 14, 16], "the ring of all keeps 300 waveforms, 5 of each channel"
    assert sandbox.words == "newest waveforms of channel 0"


def test_a_channel_with_few_waveforms_gives_way_to_one_with_many(
    bridge: Bridge, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sandbox = live_sandbox(bridge, a_run, monkeypatch)
    for seed, codes, words in (
        (1, [3] * 11 + [7] * 10 + [5] * 9 + [9] * 10, 3),
        (2, [7] * 4, 3),
        (3, [7] * 9, 7),
    ):
        bridge.take(1, of_channels(np.array(codes), seed))
        sandbox._take_ring(bridge.data[run.run_id])
        assert sandbox.words == f"newest waveforms of channel {words}"


def test_a_peak_is_looked_for_again_in_twice_as_many_waveforms(
    bridge: Bridge, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sandbox = live_sandbox(bridge, a_run, monkeypatch)
    sought: list[int] = []

    def compute(*_: object) -> bool:
        sought.append(sandbox.n_rows)
        return True

    monkeypatch.setattr(sandbox, "_compute", compute)
    for seed in range(5):
        bridge.take(1, of_channels(np.zeros(40, int), seed))
        sandbox._take_ring(bridge.data[run.run_id])
        sandbox._seek_line()
    assert sought == [40, 80, 160]
    bridge.change(changes.choose_line, (1.0, 2.0))
    bridge.change(changes.choose_line, None)
    bridge.take(1, of_channels(np.zeros(200, int), 9))
    sandbox._take_ring(bridge.data[run.run_id])
    assert not sandbox._seek_line(), "no peak is wanted"


@pytest.mark.parametrize(
    ("chosen", "shown", "found"),
    [
        (None, [], (None, 1.0)),
        (None, [3, 5], (5, 0.75)),
        (3, [3, 5], (3, 0.25)),
        (9, [3, 5], (5, 0.75)),
        (None, [3], (None, 1.0)),
    ],
)
def test_a_sample_is_of_the_channel_that_is_shown_or_of_that_with_most_events_if_it_has_enough(
    chosen: int | None, shown: list[int], found: tuple[int | None, float]
) -> None:
    assert _chosen_or_most(chosen, shown, np.repeat([5, 3, 5, 5], 20)) == found


def test_a_sample_that_cannot_be_read_is_told_of_in_the_preview(
    qtbot: QtBot, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_run(
        raw := write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=100)), output_dir=tmp_path
    )

    def refuse(*_: object) -> preview.Sampled:
        raise TierFileError("t1_run7.h5: rows 3 to 4 are damaged")

    monkeypatch.setattr(preview, "sample_of_file", refuse)
    view = PreviewView(bridge)
    qtbot.addWidget(view)
    view.show()
    bridge.change(changes.choose_output_dir, tmp_path)
    bridge.change(changes.add_runs, [read_run(raw)])
    said = "No sample: t1_run7.h5: rows 3 to 4 are damaged"
    qtbot.waitUntil(lambda: view._why_empty() == said, timeout=WAIT_MS)


def test_choosing_the_channel_that_the_preview_shows_reads_nothing_again(
    qtbot: QtBot, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = RunShape(run_number=7, n_events=400, n_samples=900, pulse_at=400, channels=(0, 1))
    process_run(raw := write_run(tmp_path / "Run7", shape), output_dir=tmp_path)
    read, sample_of_file = [], preview.sample_of_file

    def note(tier1: Path, channel: int | None, share: float = 1.0) -> preview.Sampled:
        read.append(channel)
        return sample_of_file(tier1, channel, share)

    monkeypatch.setattr(preview, "sample_of_file", note)
    view = PreviewView(bridge)
    qtbot.addWidget(view)
    view.show()
    bridge.change(changes.choose_output_dir, tmp_path)
    bridge.change(changes.add_runs, [read_run(raw)])
    qtbot.waitUntil(lambda: len(read) == 1 and view.sandbox.n_rows > 0, timeout=WAIT_MS)
    other, shown = sorted(bridge.live(str(raw)).channels, key=lambda code: code == read[0])
    for channel in (shown, None, shown):
        bridge.change(changes.choose_channel, channel)
        assert not view.sandbox._timer.isActive()
    bridge.change(changes.choose_channel, other)
    assert view.sandbox._timer.isActive()
    bridge.change(changes.choose_channel, None)
    assert not view.sandbox._timer.isActive()
    bridge.change(changes.choose_channel, other)
    qtbot.waitUntil(lambda: len(read) == 2, timeout=WAIT_MS)
    assert read == [shown, other]
