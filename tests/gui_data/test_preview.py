"""Tests the sample on which settings are tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pygama.block import Block
from pygama.processing.base import Tier1Processor
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.data import preview
from pygama_gui.data.preview import Asked, Axis, Bench, GridScan
from pygama_gui.data.samples import Sample
from pygama_gui.session.state import DEFAULT_CHAIN, Step

PERIOD_NS, N_SAMPLES, LINE = 10.0, 600, 5000.0
CHAIN = tuple(
    {
        "fit_baseline": Step("fit_baseline", {"i_end": 200}),
        "trap_filter": Step("trap_filter", {"rise": 80, "flat": 20}),
    }.get(step.step, step)
    for step in DEFAULT_CHAIN
)


def with_setting(place: int, **settings: object) -> tuple[Step, ...]:
    step = CHAIN[place]
    return (*CHAIN[:place], replace(step, settings={**step.settings, **settings}), *CHAIN[place + 1 :])


@pytest.fixture(scope="module")
def block() -> Block:
    """Steps of 5000 ADC counts in white noise, and among them a fifth of any height."""
    rng = np.random.default_rng(7)
    n = 1500
    heights = np.where(np.arange(n) % 5 == 0, rng.uniform(1000, 9000, n), LINE)
    waves = 1000 + heights[:, None] * (np.arange(N_SAMPLES) >= 300) + rng.normal(0, 40, (n, N_SAMPLES))
    rows = np.zeros(n, [("channel", np.int64), ("event_number", np.int64), ("period_ns", np.float64)])
    rows["event_number"], rows["period_ns"] = np.arange(n) + 100, PERIOD_NS
    return Block("made_up", rows, np.round(waves).astype(np.uint16))


def asked(chain: tuple[Step, ...] = CHAIN, line: tuple[float, float] | None = (4900.0, 5100.0)) -> Asked:
    return Asked(chain, CHAIN, "trap_max", line)


def test_a_moved_setting_gives_what_the_whole_chain_gives(block: Block) -> None:
    bench = Bench(block)
    for chain in (CHAIN, with_setting(2, rise=40), with_setting(2, rise=60), with_setting(0, i_end=150)):
        whole = Tier1Processor.from_chain([step.to_chain() for step in chain]).run(block)["trap_max"]
        np.testing.assert_allclose(bench.values(chain, "trap_max"), whole, rtol=1e-9)


def test_a_chain_that_cannot_run_does_not_spoil_the_next(block: Block) -> None:
    bench = Bench(block)
    bench.compare(asked())
    assert bench.compare(asked((CHAIN[0], *CHAIN[2:]))).problem == "the chain gives no trap_max now"
    found = bench.compare(asked((*CHAIN, Step("baseline_rms", {"i_end": 200}))))
    assert found.problem == ""
    assert found.new is not None


def test_a_chain_that_is_too_slow_for_a_slider_gets_fewer_of_the_same_waveforms(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "QUICK_S", 1e-9)
    bench = Bench(block)
    assert bench.compare(asked()).n == 1500
    for rise in (70, 60, 50):
        found = bench.compare(asked(with_setting(2, rise=rise)))
    assert found.n == preview.LEAST_ROWS
    assert found.old is not None and found.new is not None
    assert found.old.sum() == pytest.approx(found.new.sum(), abs=10)
    assert len(bench.whole) == 1500


def test_the_same_settings_make_no_difference(block: Block) -> None:
    found = Bench(block).compare(asked())
    assert found.change == 0.0
    assert found.old_fit == found.new_fit


def test_shorter_averages_make_the_peak_wider_as_its_events_tell(block: Block) -> None:
    bench, chain = Bench(block), with_setting(2, rise=20)
    found = bench.compare(asked(chain))
    is_line = np.arange(len(block)) % 5 != 0
    spreads = [np.std(bench.values(one, "trap_max")[is_line]) for one in (CHAIN, chain)]
    assert found.change == pytest.approx(spreads[1] / spreads[0] - 1, abs=0.05)
    assert found.change > 0.3
    assert found.sigmas > 5


def test_counts_of_both_spectra_are_of_the_same_events(block: Block) -> None:
    found = Bench(block).compare(asked(with_setting(2, rise=60)))
    assert found.n == len(block)
    assert found.old is not None and found.new is not None
    assert found.old.sum() == pytest.approx(found.new.sum(), abs=0.01 * len(block))


def test_a_peak_that_moved_is_found_where_its_events_went(block: Block) -> None:
    chain = (*CHAIN[:2], Step("pole_zero", {"tau": 3000.0}), *CHAIN[2:])
    found = Bench(block).compare(asked(chain))
    assert found.new_fit is not None and found.old_fit is not None
    assert found.scale == pytest.approx(found.new_fit.position / found.old_fit.position, rel=2e-3)
    assert found.scale > 1.01


def test_a_change_of_the_same_events_is_known_better_than_of_others(block: Block) -> None:
    found = Bench(block).compare(asked(with_setting(2, rise=70)))
    assert found.old_fit is not None and found.new_fit is not None
    of_others = np.hypot(
        found.old_fit.fwhm_error / found.old_fit.fwhm, found.new_fit.fwhm_error / found.new_fit.fwhm
    )
    assert 0 < found.change_error < 0.7 * of_others


def test_the_error_of_a_change_takes_the_same_events_into_account() -> None:
    """Of widths of two measurements that correlate by r, the spread is that of many repeated samples."""
    rng = np.random.default_rng(3)
    n, r, repeats = 400, 0.9, 600
    x = rng.normal(0, 1, (repeats, n))
    y = r * x + np.sqrt(1 - r * r) * rng.normal(0, 1, (repeats, n))
    spread = np.std(np.log(y.std(axis=1) / x.std(axis=1)))
    one = 1 / np.sqrt(2 * n)
    found = preview.correlation(x[0], y[0], 1.0, 1.0)
    assert found == pytest.approx(r, abs=0.03)
    assert np.sqrt(2 * one**2 * (1 - found**2)) == pytest.approx(spread, rel=0.15)
    assert np.sqrt(2) * one > 2 * spread  # what it would be for events of their own


def test_a_click_finds_the_window_of_the_peak(block: Block) -> None:
    bench = Bench(block)
    window = bench.line_at(asked(), 5010.0)
    assert window is not None
    assert window[0] < LINE < window[1]
    assert bench.line_at(asked(), 7000.0) is None


def test_a_peak_that_stands_out_is_suggested(block: Block) -> None:
    window = Bench(block).suggested_line(asked())
    assert window is not None
    assert window[0] < LINE < window[1]


def test_no_second_pulse_is_no_value_that_lacks(block: Block) -> None:
    chain = (*CHAIN, Step("current"), Step("count_pulses", outputs={"tp_second": "tp_other"}))
    *_, facts = Bench(block).facts(chain)
    assert facts.n_nan[5] == 0
    assert 5 not in facts.first_nan


def test_facts_count_waveforms_without_a_value_and_name_the_first(block: Block) -> None:
    chain = (*CHAIN, Step("time_points"), Step("rise_time"))
    spoilt = Block(block.decoder, block.rows, block.waveforms.copy())  # type: ignore[union-attr]
    assert spoilt.waveforms is not None
    spoilt.waveforms[3] = 1000  # a flat line reaches no part of its height
    *_, facts = Bench(spoilt).facts(chain)
    assert facts.is_whole
    assert set(facts.costs) == {0, 1, 2, 3, 4, 5}
    assert facts.n_nan[4] >= 1
    assert facts.n_nan[5] == 0  # it only passes on what it was given
    assert "event 103, channel 0" in facts.first_nan[4]


def test_a_baseline_that_reaches_into_the_pulses_is_told_of_its_step(block: Block) -> None:
    *_, facts = Bench(block).facts(with_setting(0, i_end=320))
    assert list(facts.early) == [0]
    assert facts.early[0].endswith("the samples of the baseline, 0 to 320: set i_end to 300 or less")
    *_, facts = Bench(block).facts(CHAIN)
    assert facts.early == {}


def test_a_step_that_fails_is_named_with_its_reason(block: Block) -> None:
    *_, facts = Bench(block).facts(
        (*CHAIN, Step("fit_baseline", {"i_end": 5000}, outputs={"bl_int": "b", "bl_slope": "s"}))
    )
    assert list(facts.failed) == [4]
    assert "600" in facts.failed[4]


def test_a_waveform_is_taken_through_the_chain_up_to_the_step_that_fails() -> None:
    wave = 1000 + 4000 * (np.arange(N_SAMPLES) >= 300)
    sample = Sample("made_up", wave, {"period_ns": PERIOD_NS})
    whole = preview.trace(CHAIN, sample)
    assert {"wf_blsub", "wf_trap", "trap_max"} <= set(whole)
    broken = preview.trace(with_setting(2, rise=N_SAMPLES + 1), sample)
    assert set(whole) - set(broken) == {"wf_trap", "trap_max"}
    np.testing.assert_array_equal(broken["wf_blsub"], whole["wf_blsub"])
    assert set(preview.trace(with_setting(0, i_end=-5), sample)) == {"waveform"}


def test_the_newest_waveforms_that_are_alike_make_a_sample() -> None:
    samples = [
        Sample("a", np.full(n, 7, np.uint16), {"event_number": n, "bl_int": 3.0, "period_ns": 10.0})
        for n in (50, 60, 60)
    ]
    block = preview.sample_of_ring(samples)
    assert block is not None and block.waveforms is not None
    assert block.waveforms.shape == (2, 60)
    assert block.rows.dtype.names == ("event_number", "period_ns")


def test_a_file_gives_the_sample_of_a_channel_and_the_chain_it_was_made_with(tmp_path: Path) -> None:
    raw = write_run(tmp_path / "Run5", RunShape(run_number=5, n_events=300, n_samples=2000, channels=(0, 1)))
    chain = [step.to_chain() for step in CHAIN]
    process_run(raw, output_dir=tmp_path, processor=Tier1Processor.from_chain(chain))
    whole = preview.sample_of_file(tmp_path / "t1_run5.h5", None)
    codes = np.unique(preview._codes(whole.block))
    assert len(codes) == 2
    one = preview.sample_of_file(tmp_path / "t1_run5.h5", int(codes[1]))
    assert 0 < len(one.block) < len(whole.block)
    assert set(preview._codes(one.block)) == {codes[1]}
    assert set(preview._codes(one.mixed)) == set(codes)
    assert (whole.code, one.code) == (None, codes[1])
    nobody = preview.sample_of_file(tmp_path / "t1_run5.h5", 77)
    assert (nobody.code, len(nobody.block)) == (None, len(whole.block))
    assert preview.chain_of_file(tmp_path / "t2_run5.h5") == CHAIN


def test_more_of_a_file_is_read_for_a_channel_with_a_small_share_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = write_run(tmp_path / "Run5", RunShape(run_number=5, n_events=900, n_samples=2000, channels=(0, 1)))
    process_run(raw, output_dir=tmp_path)
    monkeypatch.setattr(preview, "MOST_ROWS", 160)
    tier1 = tmp_path / "t1_run5.h5"
    code = int(preview._codes(preview.sample_of_file(tier1, None).block)[0])
    few, more = (preview.sample_of_file(tier1, code, share) for share in (1.0, 0.5))
    assert len(few.block) < 110
    assert 130 < len(more.block) <= 160


def test_a_grid_is_covered_coarse_to_fine() -> None:
    cells = preview.coarse_to_fine(5, 4)
    assert sorted(cells) == [(i, j) for i in range(5) for j in range(4)]
    assert cells[:2] == [(0, 0), (4, 0)]
    assert set(cells[:6]) >= {(0, 0), (4, 0), (2, 2)}


def test_a_scan_finds_the_longer_averages_sharper(block: Block) -> None:
    scan = GridScan(block, asked(), Axis(2, "rise", (20, 80)), Axis(2, "flat", (10, 20)))
    found = dict(scan.cells())
    assert set(found) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    tried = found[(0, 0)]
    assert not isinstance(tried, str) and not isinstance(found[(1, 0)], str)
    assert tried.resolution > 1.5 * found[(1, 0)].resolution


def test_a_scan_finds_the_peak_where_the_settings_have_moved_it(block: Block) -> None:
    moved = asked(with_setting(2, rise=400))
    scan = GridScan(block, moved, Axis(2, "rise", (400, 420)), Axis(2, "flat", (20, 30)))
    tried = dict(scan.cells())[(0, 0)]
    assert not isinstance(tried, str)
    assert tried.fit.position == pytest.approx(0.75 * LINE, rel=0.003)  # 300 of 400 samples hold the step
    assert tried.scale == 1.0


def test_a_cell_that_does_not_fit_the_waveforms_says_so(block: Block) -> None:
    scan = GridScan(block, asked(), Axis(2, "rise", (80, 2000)), Axis(0, "i_end", (200, 900)))
    found = dict(scan.cells())
    assert not isinstance(found[(0, 0)], str)
    assert isinstance(found[(1, 1)], str)


def test_the_line_that_is_suggested_has_many_events_far_up() -> None:
    rng = np.random.default_rng(4)
    flat = rng.uniform(0, 60_000, 4000)
    low, high, few = (rng.normal(at, 8.0, n) for at, n in ((8_000, 900), (38_000, 500), (57_500, 40)))
    found = preview.suggest_line(np.concatenate([flat, low, high, few]))
    assert found is not None
    assert found[0] < 38_000 < found[1]
    assert found[1] - found[0] < 600


def test_a_pulser_with_many_events_is_not_taken_for_a_line() -> None:
    rng = np.random.default_rng(4)
    lines = [
        rng.normal(at, width, n) for at, width, n in ((8_500, 12, 250), (38_000, 23, 63), (43_640, 2, 106))
    ]
    found = preview.line_to_judge_by(np.concatenate([rng.uniform(0, 34_000, 1200), *lines]))
    assert found is not None
    assert found[0] < 38_000 < found[1]
    alone = preview.line_to_judge_by(np.concatenate([rng.uniform(0, 34_000, 1200), lines[-1]]))
    assert alone is not None
    assert alone[0] < 43_640 < alone[1]


@pytest.mark.parametrize("seed", [3, 5])
def test_a_clump_of_events_within_a_broad_peak_is_not_taken_for_the_peak(seed: int) -> None:
    rng = np.random.default_rng(seed)
    broad, clump = rng.normal(20_800.0, 46.0, 60), rng.normal(20_830.0, 6.0, 12)
    found = preview.peak_window(np.concatenate([broad, clump, rng.uniform(500.0, 40_000.0, 700)]), 20_830.0)
    assert found is not None
    assert (found[1] - found[0]) / preview.WINDOW_IN_FWHM == pytest.approx(108.0, rel=0.3)


def test_of_two_lines_beside_each_other_one_is_found() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(20_800.0, 11.0, 300), rng.normal(21_000.0, 11.0, 300)])
    found = preview.peak_window(values, 20_800.0)
    assert found is not None
    assert (found[1] - found[0]) / preview.WINDOW_IN_FWHM == pytest.approx(25.9, rel=0.15)
