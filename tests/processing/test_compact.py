"""Compact Tier 2: what is rounded, how far, and that it is the same wherever the rows come from."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.analysis.peaks import fit_peak
from pygama.errors import SettingsError
from pygama.processing.base import Tier1Processor
from pygama.processing.compact import STEPS, TIME_STEP_S, compact_columns, left_out, rounded
from pygama.processing.run import process_run
from pygama.processing.settings import check_settings, read_settings
from pygama.processing.tier0 import ProcessTier0
from pygama.processing.tier1 import ProcessTier1
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile

DECODER = "ORSIS3302DecoderForEnergy"
WINDOW = {"window": "max", "n_samp": 800}
THORIUM = "2018-9-25-Th228Run9001"


@pytest.fixture(scope="module")
def raw_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return write_run(folder / "Run5", RunShape(run_number=5, n_events=2000, n_samples=1200, seed=3))


@pytest.fixture(scope="module")
def t1_file(raw_file):
    return ProcessTier0(raw_file, output_dir=raw_file.parent)


@pytest.fixture(scope="module")
def workers():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def with_times(**keywords) -> Tier1Processor:
    """Make a chain with columns of each unit that has a step, and one without a unit."""
    chain = Tier1Processor(default_list=True, **keywords)
    for name in ("time_points", "current", "a_max", "a_over_e"):
        chain.add(name)
    return chain


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(sorted(STEPS.values())))
def test_a_number_moves_by_half_a_step_at_most_and_lies_on_one(value, step):
    made = rounded(np.array([value]), step)[0]
    assert abs(made - value) <= step / 2
    assert abs(value) > 2**900 or made % step == 0
    assert rounded(np.array([made]), step)[0] == made


def test_what_is_no_number_stays_what_it_is():
    values = np.array([np.nan, np.inf, -np.inf, 1.7e308])
    np.testing.assert_array_equal(rounded(values, STEPS["adc"]), values)


def test_steps_are_powers_of_two_so_that_rounding_is_exact():
    for step in (*STEPS.values(), TIME_STEP_S):
        assert np.frexp(step)[0] == 0.5


def test_columns_without_a_step_and_waveforms_are_left_alone():
    columns = {"energy_x": np.array([0.3]), "wf_trap": np.array([[0.3, 0.7]]), "trap_max": np.array([0.3])}
    made = compact_columns(columns, {"energy_x": "1/sample", "trap_max": "adc"})
    assert made["energy_x"] is columns["energy_x"]
    assert made["wf_trap"] is columns["wf_trap"]
    assert made["trap_max"][0] == 77 / 256


def test_the_end_of_a_window_is_left_out_only_where_its_begin_tells_it(raw_file, tmp_path):
    assert left_out(("ts_hi", "ts_lo", "timestamp", "energy")) == {"ts_hi"}
    assert left_out(("ts_hi", "energy")) == frozenset()
    cut = ProcessTier0(raw_file, output_dir=tmp_path, settings=WINDOW)
    chain = {"fit_baseline": {"i_end": 250}, "trap_filter": {"rise": 80, "flat": 20}}
    full = pd.read_hdf(ProcessTier1(cut, Tier1Processor(chain, default_list=True), out_dir=tmp_path))
    small = Tier1Processor(chain, default_list=True, compact=True)
    rows = pd.read_hdf(ProcessTier1(cut, small, out_dir=tmp_path, suffix=".c"))
    assert "ts_hi" not in rows
    behind = (WINDOW["n_samp"] - 1) * rows["period_ns"]
    np.testing.assert_array_equal(rows["ts_lo"] + behind, full["ts_hi"])


def test_a_compact_file_holds_what_a_full_one_does_rounded_by_the_unit_of_each_column(t1_file, tmp_path):
    full = pd.read_hdf(ProcessTier1(t1_file, with_times(), out_dir=tmp_path))
    small = pd.read_hdf(ProcessTier1(t1_file, with_times(compact=True), out_dir=tmp_path, suffix=".c"))
    assert [*full.columns] == [*small.columns]
    assert (full.dtypes == small.dtypes).all()
    units = with_times().columns
    for name in small:
        step = TIME_STEP_S if name == "time_s" else STEPS.get(units.get(name, ""), 0.0)
        apart = np.abs(full[name] - small[name]).max()
        assert apart <= step / 2
        assert (apart > 0) == (step > 0)


def test_the_file_is_about_half_as_large(tmp_path):
    shape = RunShape(run_number=5, n_events=20_000, n_samples=600, pulse_at=300, seed=3)
    t1_file = ProcessTier0(write_run(tmp_path / "Run5", shape), output_dir=tmp_path)
    chain = {"fit_baseline": {"i_end": 250}, "trap_filter": {"rise": 80, "flat": 20}}
    sizes = []
    for compact in (False, True):
        processor = Tier1Processor(chain, default_list=True, compact=compact)
        path = ProcessTier1(t1_file, processor, out_dir=tmp_path, suffix=f".{compact:d}")
        sizes.append(path.stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]


def test_memory_two_passes_one_pass_and_workers_give_the_same_rows(raw_file, t1_file, tmp_path, workers):
    two = pd.read_hdf(ProcessTier1(t1_file, with_times(compact=True), out_dir=tmp_path))
    for folder in ("one", "workers"):
        (tmp_path / folder).mkdir()
    process_run(raw_file, output_dir=tmp_path / "one", processor=with_times(compact=True))
    pd.testing.assert_frame_equal(pd.read_hdf(tmp_path / "one" / "t2_run5.h5"), two)
    far = ProcessTier1(t1_file, with_times(compact=True), out_dir=tmp_path / "workers", executor=workers)
    pd.testing.assert_frame_equal(pd.read_hdf(far), two)
    with TierFile(t1_file) as file:
        columns = with_times(compact=True).run(file.table(DECODER).read())
    for name, values in columns.items():
        np.testing.assert_array_equal(values, two[name])


def test_waveforms_that_are_saved_are_not_rounded(t1_file, tmp_path):
    waves = []
    for compact in (False, True):
        chain = Tier1Processor(default_list=True, compact=compact)
        path = ProcessTier1(t1_file, chain, out_dir=tmp_path, save_waves=["wf_trap"], suffix=f".{compact:d}")
        with TierFile(path) as file:
            waves.append(file.table("data").read(0, 50).traces["wf_trap"])
    np.testing.assert_array_equal(*waves)


def test_settings_say_it_and_a_file_made_again_of_them_is_the_same(t1_file, tmp_path):
    first = ProcessTier1(t1_file, with_times(compact=True), out_dir=tmp_path)
    settings = read_settings(first)
    assert settings["compact"] is True
    again = ProcessTier1(t1_file, Tier1Processor.from_settings(settings), out_dir=tmp_path, suffix=".2")
    assert first.read_bytes() == again.read_bytes()
    assert "compact" not in with_times().to_texts()


@pytest.mark.parametrize("given_", [1, "yes", None, []])
def test_anything_but_yes_and_no_is_refused(given_):
    with pytest.raises(SettingsError, match=r"mine\.json: compact must be true or false, not "):
        check_settings({"compact": given_}, name="mine.json")


def test_copies_of_a_chain_stay_compact():
    chain = Tier1Processor(compact=True)
    assert chain.for_run(3).is_compact
    assert chain.with_settings({"trap_filter": {"rise": 100}}).is_compact
    assert not Tier1Processor.from_settings({"compact": False}).is_compact


def test_the_command_beats_the_settings_file(t1_file, tmp_path):
    from pygama.__main__ import main

    (tmp_path / "mine.json").write_text(json.dumps({"compact": False}))
    options = ["-o", str(tmp_path), "--settings", str(tmp_path / "mine.json")]
    assert main(["tier1", str(t1_file), *options, "--compact"]) == 0
    assert read_settings(tmp_path / "t2_run5.h5")["compact"] is True


def test_peaks_of_a_real_source_are_not_moved_nor_widened(real_run, tmp_path):
    """Position and FWHM of both lines of thorium stay within a hundredth of their own errors."""
    settings = {"trap_filter": {"rise": 300, "flat": 150}, "pole_zero": {"tau": 5130}}
    t1_file = ProcessTier0(real_run(THORIUM), output_dir=tmp_path)
    heights = []
    for compact in (False, True):
        chain = Tier1Processor(settings, compact=compact)
        for name in ("fit_baseline", "bl_subtract", "pole_zero", "trap_filter", "trap_max"):
            chain.add(name)
        path = ProcessTier1(t1_file, chain, out_dir=tmp_path, suffix=f".{compact:d}")
        heights.append(pd.read_hdf(path)["trap_max"].to_numpy())
    assert 0 < np.abs(heights[1] - heights[0]).max() <= STEPS["adc"] / 2
    for around in (8945, 40142):
        full, small = (fit_peak(values, around, around * 0.03) for values in heights)
        assert small.position == pytest.approx(full.position, abs=0.01 * full.position_error)
        assert small.fwhm == pytest.approx(full.fwhm, abs=0.01 * full.fwhm_error)
        in_peak = np.abs(heights[0] - full.position) < 2 * full.fwhm
        for moment in (np.mean, np.std):
            pair = [moment(values[in_peak]) for values in heights]
            assert pair[1] == pytest.approx(pair[0], abs=1e-4 * np.std(heights[0][in_peak]))
