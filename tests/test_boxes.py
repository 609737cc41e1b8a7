"""Tests which waveforms are said to pass through a box of samples and heights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pygama import DataSet, boxes
from pygama.analysis.cuts import Cut, CutSet
from pygama.analysis.expression_nodes import ExpressionError
from pygama.analysis.expressions import parse
from pygama.boxes import Box, Passages, as_box, boxes_among, numbers_of, rows_through
from pygama.errors import SettingsError, Stopped, TierFileError
from pygama.processing.run import process_run
from pygama.retrieve import select_events
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile

CARD = "ORSIS3302DecoderForEnergy"
LEVEL = ("bl_int", "bl_slope")
TEXT = "through(620, 640, 5000, 9000, bl_int, bl_slope)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Tier 1 and Tier 2 of a simulated run."""
    folder = tmp_path_factory.mktemp("run")
    shape = RunShape(run_number=4, seed=4, n_events=300, n_samples=1600, pulse_at=600)
    t1, t2 = process_run(write_run(folder / "Run4", shape), output_dir=folder).outputs
    return t1, t2


@pytest.fixture(scope="module")
def expected(run) -> np.ndarray:
    """What passes `TEXT`, from what pandas reads."""
    old, new = pd.read_hdf(run[0], CARD), pd.read_hdf(run[1])
    assert old["event_number"].tolist() == new["event_number"].tolist()
    at = np.arange(620, 641)
    base = new["bl_int"].to_numpy()[:, None] + new["bl_slope"].to_numpy()[:, None] * at
    heights = old[list(at)].to_numpy() - base
    passes = (heights.max(axis=1) >= 5000) & (heights.min(axis=1) < 9000)
    assert 10 < passes.sum() < 250
    return passes


def test_a_waveform_passes_that_has_a_sample_in_the_box() -> None:
    waveforms = np.array([[0, 10, 20, 30]])
    assert Box(1, 2, 15, 25).mask(waveforms, {}).tolist() == [True]
    assert Box(0, 1, 15, 25).mask(waveforms, {}).tolist() == [False]


def test_a_steep_edge_passes_through_a_box_between_two_samples() -> None:
    waveforms = np.array([[0, 0, 1000, 1000]])
    assert Box(1, 2, 400, 500).mask(waveforms, {}).tolist() == [True]
    assert Box(2, 3, 400, 500).mask(waveforms, {}).tolist() == [False]


def test_the_low_height_belongs_to_a_box_and_the_high_one_does_not() -> None:
    assert Box(0, 0, 5, 7).mask(np.array([[4], [5], [6], [7]]), {}).tolist() == [False, True, True, False]


def test_heights_are_above_the_line_of_the_baseline() -> None:
    waveforms = np.array([[100, 110, 120], [100, 100, 100]])
    columns = {"bl_int": np.array([100.0, 100.0]), "bl_slope": np.array([10.0, 0.0])}
    assert Box(2, 2, 15, 25, ("bl_int",)).mask(waveforms, columns).tolist() == [True, False]
    assert Box(2, 2, -1, 1, LEVEL).mask(waveforms, columns).tolist() == [True, True]


def test_unsigned_samples_do_not_wrap_round() -> None:
    waveforms = np.array([[5]], np.uint16)
    assert Box(0, 0, -6, -4, ("bl_int",)).mask(waveforms, {"bl_int": np.array([10])}).tolist() == [True]


def test_no_waveform_passes_whose_baseline_is_unknown_or_whose_record_ends_before() -> None:
    waveforms = np.array([[5, 5]])
    assert Box(0, 1, 0, 10, ("b",)).mask(waveforms, {"b": np.array([np.nan])}).tolist() == [False]
    assert Box(2, 3, 0, 10).mask(waveforms, {}).tolist() == [False]
    assert Box(1, 3, 0, 10).mask(waveforms, {}).tolist() == [True]


def test_a_box_is_written_and_read_again() -> None:
    box = Box(620, 640, -5.5, 9000, LEVEL)
    assert box.text == "through(620, 640, -5.5, 9000, bl_int, bl_slope)"
    assert as_box(box.text) == box
    assert as_box("trap_max > 5") is None
    assert as_box("through(") is None
    assert as_box(Box(0, 1, 2, 3, ("a b",)).text) == Box(0, 1, 2, 3, ("a b",))


def test_a_box_is_a_column_of_the_cut_that_names_it() -> None:
    cuts = CutSet([Cut("edge", TEXT.replace(", ", ",")), Cut("both", "edge & trap_max > 5")])
    assert cuts.columns == (TEXT, "trap_max")
    assert list(boxes_among(cuts.columns)) == [TEXT]
    columns = {TEXT: np.array([True, False]), "trap_max": np.array([9, 9])}
    assert cuts.mask(columns).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "message", "character"),
    [
        ("through(1, 2, 3)", "takes 4 to 6 arguments, not 3", 1),
        ("through(a, 2, 3, 4)", "begins with numbers", 9),
        ("through(1.5, 2, 3, 4)", "whole numbers from 0 up, in order", 9),
        ("through(3, 2, 3, 4)", "whole numbers from 0 up, in order", 9),
        ("through(-1, 2, 3, 4)", "whole numbers from 0 up, in order", 9),
        ("through(1, 2, 4, 4)", "heights of 'through' must be in order", 15),
        ("through(1, 2, 3, 4, 5)", "must be a column", 21),
        ("through(1, 2, 3, 4, through(1, 2, 3, 4))", "must be a column", 21),
    ],
)
def test_what_is_wrong_with_a_box_is_told_with_its_character(text: str, message: str, character: int) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        parse(text)
    assert caught.value.position + 1 == character


def test_a_cut_without_waveforms_says_so() -> None:
    with pytest.raises(ExpressionError, match="asks for waveforms, and they were not looked through"):
        parse(TEXT).mask({"trap_max": np.zeros(2)})


def test_rows_of_tier_2_pass_whose_waveforms_in_tier_1_do(run, expected, monkeypatch) -> None:
    monkeypatch.setattr(boxes, "_BLOCK_BYTES", 1)
    assert np.array_equal(rows_through(*run, [TEXT])[TEXT], expected)


def test_rows_are_found_in_any_order_of_tier_2(run, expected) -> None:
    frame = pd.read_hdf(run[1]).sample(frac=1, random_state=1)
    columns = {name: frame[name].to_numpy() for name in ("event_number", *LEVEL)}
    passages = Passages(columns, boxes_among([TEXT]))
    with TierFile(run[0]) as file:
        assert sum(passages.steps(file)) == len(frame)
    assert np.array_equal(passages.masks[TEXT], expected[frame.index])


def test_rows_of_one_record_are_numbered_in_their_order() -> None:
    assert (
        numbers_of(np.array([7, 2, 7, 2, 9])) - np.array([7, 2, 7, 2, 9]) * boxes.PER_RECORD
    ).tolist() == [
        0,
        0,
        1,
        1,
        0,
    ]


def test_a_column_that_is_not_there_is_named(run) -> None:
    with pytest.raises(SettingsError, match=f"{run[1].name}: there is no column 'bl_x'"):
        rows_through(*run, ["through(1, 2, 3, 4, bl_x)"])
    with pytest.raises(SettingsError, match="is no box"):
        rows_through(*run, ["trap_max > 1"])


def test_files_of_two_runs_are_refused(run, tmp_path) -> None:
    shape = RunShape(run_number=4, seed=5, n_events=90, n_samples=1600, pulse_at=600)
    t1, _ = process_run(write_run(tmp_path / "Run4", shape), output_dir=tmp_path).outputs
    with pytest.raises(TierFileError, match="not of one run"):
        rows_through(t1, run[1], [TEXT])


def test_looking_through_can_be_stopped(run) -> None:
    def stop(_message: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        rows_through(*run, [TEXT], tell=stop)


def test_waveforms_that_pass_through_a_box_are_retrieved(run, expected, tmp_path) -> None:
    out = select_events(*run, f"{TEXT} & trap_max > 0", tmp_path / "edge.h5")
    assert pd.read_hdf(out, CARD)["source_row"].tolist() == np.flatnonzero(expected).tolist()


def test_a_data_set_counts_what_passes_through_a_box(run, expected, tmp_path) -> None:
    shape = RunShape(run_number=5, seed=6, n_events=90, n_samples=1600, pulse_at=600)
    other = process_run(write_run(tmp_path / "Run5", shape), output_dir=tmp_path).outputs
    second = rows_through(*other, [TEXT])[TEXT]
    data = DataSet([*run, *other])
    assert data.count(TEXT) == expected.sum() + second.sum()
    assert data.column("row", cut=TEXT).tolist() == np.flatnonzero(np.r_[expected, second]).tolist()
    without = DataSet([*run, other[1]])
    with pytest.raises(SettingsError, match="run 5 of the data set: .* needs its Tier 1 and its Tier 2 file"):
        without.count(TEXT)
