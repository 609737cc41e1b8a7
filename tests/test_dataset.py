from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import pygama
from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.block import Block
from pygama.dataset import DataSet, _edges, _places, read_runs
from pygama.errors import SettingsError, Stopped, TierFileError
from pygama.processing.run import process_run
from pygama.processing.tier0 import ProcessTier0
from pygama.progress import Message, Progress
from pygama.simulate import RunShape, write_run
from pygama.storage import TierWriter

ROWS = np.dtype(
    [("channel", "i8"), ("event_number", "i8"), ("trap_max", "f8"), ("card", "i8"), ("crate", "i8")]
)
N_ROWS = {72: 100, 73: 57, 75: 3}


def tier2_rows(run: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(run)
    rows = np.zeros(n, ROWS)
    rows["channel"] = rng.integers(0, 3, n)
    rows["event_number"] = np.arange(1, n + 1)
    rows["trap_max"] = np.round(rng.exponential(1000, n), 1)
    return rows


def write_tier2(path: Path, run: int, rows: np.ndarray, *, header: str = "", sub_run: int = 0) -> Path:
    with TierWriter(path, chunk_rows=16) as writer:
        writer.write("data", Block("data", rows), queryable=True)
        writer.set_texts(
            "/",
            {
                "run_number": str(run),
                "sub_run": str(sub_run),
                "header_sha256": header,
                "start_time": str(1000 * run),
            },
        )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs of Tier 2, 72, 73 and 75, of 100, 57 and 3 rows."""
    for run, n in N_ROWS.items():
        write_tier2(tmp_path / f"t2_run{run}.h5", run, tier2_rows(run, n))
    return tmp_path


@pytest.fixture
def frame() -> pd.DataFrame:
    """The same rows, by pandas."""
    parts = [pd.DataFrame(tier2_rows(run, n)).assign(run=run) for run, n in N_ROWS.items()]
    return pd.concat(parts, ignore_index=True)


def large(columns) -> np.ndarray:
    return columns["trap_max"] > 500


def test_runs_are_one_table_in_order_of_their_numbers(folder, frame):
    data = DataSet(folder)
    assert len(data) == 160
    assert [part.run for part in data.runs] == [72, 73, 75]
    assert [part.start_time for part in data.runs] == [72000, 73000, 75000]
    assert data.columns == (*ROWS.names, "run", "sub_run", "row")
    read = data.to_frame()
    pd.testing.assert_frame_equal(read[list(frame.columns)].reset_index(drop=True), frame, check_names=False)
    assert read["row"].tolist() == list(range(160))


def test_it_is_a_name_of_pygama_that_is_loaded_when_asked_for():
    assert pygama.DataSet is DataSet
    code = "import pygama, sys; assert 'tables' not in sys.modules; pygama.DataSet"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("72", (72,)),
        ("72-75, 80", (72, 73, 74, 75, 80)),
        ("80 72..73", (72, 73, 80)),
        ("1 - 3;2", (1, 2, 3)),
        (7, (7,)),
        ([75, 72, 72], (72, 75)),
        (range(3), (0, 1, 2)),
    ],
)
def test_lists_of_runs_are_read(text, runs):
    assert read_runs(text) == runs


@pytest.mark.parametrize("text", ["", "a", "75-72", "7-", "1-99999999", "-3"])
def test_what_is_no_list_of_runs_is_refused(text):
    with pytest.raises(SettingsError, match="72-75, 80"):
        read_runs(text)


def test_some_runs_of_a_folder_can_be_taken(folder):
    assert [part.run for part in DataSet(folder, runs="72-73").runs] == [72, 73]


def test_runs_that_are_missing_are_named(folder):
    with pytest.raises(SettingsError, match="run 74, run 76: no file is there"):
        DataSet(folder, runs="72-76")


def test_files_come_by_pattern_or_by_name(folder):
    assert len(DataSet(str(folder / "t2_run7[23].h5"))) == 157
    assert len(DataSet([folder / "t2_run75.h5", folder / "t2_run72.h5"])) == 103


@pytest.mark.parametrize(
    ("files", "words"), [("no*.h5", "fits no file"), ("there.h5", "is not a file"), ([], "needs files")]
)
def test_files_that_are_not_there_are_named(files, words, folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(TierFileError, match=words):
        DataSet(files)


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(TierFileError, match=r"holds no \.h5 files"):
        DataSet(tmp_path)


def test_a_run_that_is_there_twice_is_refused(folder):
    write_tier2(folder / "t2_run72.again.h5", 72, tier2_rows(72, 3))
    with pytest.raises(SettingsError, match=r"both hold run 72, sub-run 0, Tier 2"):
        DataSet(folder)


def test_sub_runs_stand_behind_one_another(tmp_path):
    for sub_run in (1, 0):
        write_tier2(tmp_path / f"t2_run5.{sub_run}.h5", 5, tier2_rows(sub_run, 10 + sub_run), sub_run=sub_run)
    data = DataSet(tmp_path)
    assert [(part.name, part.first_row, part.n_rows) for part in data.runs] == [
        ("run 5", 0, 10),
        ("run 5.1", 10, 11),
    ]


def test_sub_runs_are_told_apart_by_a_column(tmp_path):
    for sub_run in (1, 0):
        write_tier2(tmp_path / f"t2_run5.{sub_run}.h5", 5, tier2_rows(sub_run, 10 + sub_run), sub_run=sub_run)
    data = DataSet(tmp_path)
    assert data.column("sub_run").tolist() == [0] * 10 + [1] * 11
    assert data.count("run == 5 & sub_run == 1") == 11


def test_a_sub_run_may_have_a_calibration_of_its_own(tmp_path):
    for sub_run in (1, 0):
        write_tier2(tmp_path / f"t2_run5.{sub_run}.h5", 5, tier2_rows(sub_run, 10 + sub_run), sub_run=sub_run)
    double, triple = (
        lambda columns, by=by: {"trap_max_kev": by * np.asarray(columns["trap_max"])} for by in (2.0, 3.0)
    )
    data = DataSet(tmp_path, calibrations={5: double, (5, 1): triple})
    by = data.column("trap_max_kev") / data.column("trap_max")
    assert np.round(by, 6).tolist() == [2.0] * 10 + [3.0] * 11


def test_no_rows_are_read_when_it_is_made(folder, monkeypatch):
    monkeypatch.setattr("pygama.storage.stored_rows.StoredRows.fetch", None)
    assert len(DataSet(folder)) == 160


@pytest.mark.parametrize("rows", [1, 16, 40, 1000])
def test_blocks_are_bounded_and_hold_all_rows_in_order(rows, folder, frame):
    blocks = list(DataSet(folder).blocks(["trap_max", "run"], rows=rows))
    assert max(len(block["run"]) for block in blocks) <= max(rows, 16)
    for name in ("trap_max", "run"):
        assert np.array_equal(np.concatenate([block[name] for block in blocks]), frame[name])


def test_blocks_stay_as_they_are_when_later_ones_are_read(folder, frame):
    first, *_ = list(DataSet(folder, n_threads=1).blocks(["trap_max"], rows=16))
    assert np.array_equal(first["trap_max"], frame["trap_max"][:16])


def test_a_cut_picks_rows_everywhere(folder, frame):
    data, kept = DataSet(folder), frame[frame["trap_max"] > 500]
    assert data.count(large) == len(kept)
    assert data.column("row", cut=large).tolist() == kept.index.tolist()
    assert data.to_frame(["channel"], cut=large)["channel"].tolist() == kept["channel"].tolist()
    counts, edges = data.hist("trap_max", 0, 3000, 30, large)
    assert np.array_equal(counts, np.histogram(kept["trap_max"], 30, (0, 3000))[0])
    assert np.array_equal(edges, np.linspace(0, 3000, 31))


class Above:
    """A cut as an expression is one."""

    columns = ("trap_max",)
    text = "trap_max > 500"

    def evaluate(self, columns):
        return columns["trap_max"] > 500


class CutsOf:
    """A set of cuts as one is."""

    def mask(self, columns):
        return columns["trap_max"] > 500


@pytest.mark.parametrize("cut", [Above(), CutsOf()])
def test_expressions_and_sets_of_cuts_are_cuts(cut, folder):
    data = DataSet(folder)
    assert data.count(cut) == data.count(large)


def test_a_text_is_a_cut(folder):
    data = DataSet(folder)
    assert data.count("trap_max > 500") == data.count(large)


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (lambda columns: columns["trap_max"], "must say true or false for each"),
        (lambda columns: columns["a_over_e"] > 1, "asks for the column 'a_over_e'"),
        (lambda columns: np.ones(2, bool), "must say true or false for each"),
        (3, "a cut is a text"),
    ],
)
def test_what_is_no_cut_is_refused(cut, words, folder):
    with pytest.raises(SettingsError, match=words):
        DataSet(folder).count(cut)


def test_two_columns_are_counted_as_numpy_does(folder, frame):
    counts, x, y = DataSet(folder).hist2d(("trap_max", 0, 2000, 20), ("channel", 0, 2, 4))
    expected, x_expected, y_expected = np.histogram2d(
        frame["trap_max"], frame["channel"], (20, 4), ((0, 2000), (0, 2))
    )
    assert np.array_equal(counts, expected)
    assert np.array_equal(x, x_expected)
    assert np.array_equal(y, y_expected)


@given(
    arrays(np.float64, st.integers(0, 50), elements=st.floats(allow_nan=True, allow_infinity=True, width=32)),
    st.floats(-10, 10),
    st.floats(0.1, 20),
    st.integers(1, 30),
)
def test_bins_are_those_of_numpy(values, low, width, bins):
    edges = np.linspace(low, low + width, bins + 1)
    values = np.concatenate([values, edges, np.nextafter(edges, -100), np.nextafter(edges, 100)])
    place, inside = _places(values, _edges(low, low + width, bins))
    expected = np.histogram(values[np.isfinite(values)], bins, (low, low + width))[0]
    assert np.bincount(place[inside], minlength=bins).tolist() == expected.tolist()


@pytest.mark.parametrize(("low", "high", "bins"), [(0, 0, 3), (1, 0, 3), (0, 1, 0), (0, np.inf, 3)])
def test_a_histogram_that_is_none_is_refused(low, high, bins, folder):
    with pytest.raises(SettingsError, match="a histogram needs"):
        DataSet(folder).hist("trap_max", low, high, bins)


@pytest.mark.parametrize(
    ("bins", "told"),
    [
        (10.0, "the number of bins must be a whole number, not 10.0"),
        (10**9, "a histogram has 16777216 bins at most, not 1000000000"),
    ],
)
def test_bins_that_cannot_be_counted_are_refused(bins, told, folder):
    with pytest.raises(SettingsError) as refused:
        DataSet(folder).hist("trap_max", 0, 100, bins)
    assert str(refused.value) == told


def test_bins_of_two_columns_are_bounded_together(folder):
    with pytest.raises(SettingsError, match="16777216 are the most"):
        DataSet(folder).hist2d(("trap_max", 0, 100, 5000), ("channel", 0, 3, 5000))


@pytest.mark.parametrize("runs", [[], (), "", " , "])
def test_a_data_set_of_no_runs_is_refused(folder, runs):
    with pytest.raises(SettingsError, match="the list of runs is empty; give it as '72-75, 80'"):
        DataSet(folder, runs=runs)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda folder: DataSet(folder, n_threads=-3), "n_threads must be 1 or more, or None for all cores"),
        (lambda folder: DataSet(folder, n_threads=0), "n_threads must be 1 or more, or None for all cores"),
        (lambda folder: DataSet(folder, runs=[72.5]), "the number of a run must be a whole number, not 72.5"),
        (
            lambda folder: DataSet(folder).waveforms([1.7]),
            r"rows are whole numbers, as \[0, 5\], not ",
        ),
        (lambda folder: DataSet(folder).waveforms(3), r"rows are whole numbers, as \[0, 5\], not 3"),
    ],
)
def test_what_a_data_set_cannot_take_is_told_in_words(folder, act, told):
    with pytest.raises(SettingsError, match=told):
        act(folder)


def test_a_column_that_some_runs_lack_is_told_with_these_runs(folder):
    more = np.zeros(4, [*ROWS.descr, ("a_over_e", "f8")])
    write_tier2(folder / "t2_run76.h5", 76, more)
    data = DataSet(folder)
    assert "a_over_e" not in data.columns
    with pytest.raises(
        SettingsError, match=r"run 72, run 73, run 75 of the data set: no column for 'a_over_e'"
    ):
        data.hist("a_over_e", 0, 1, 1)
    assert DataSet(folder, runs=76).column("a_over_e").tolist() == [0, 0, 0, 0]


def test_a_column_that_is_nowhere_is_told(folder):
    with pytest.raises(
        SettingsError, match="no run of the data set has a column 'energie'; there are channel"
    ):
        DataSet(folder).count(type("Cut", (Above,), {"columns": ("energie",)})())


def gain(factor: float) -> Callable:
    return lambda columns: {"trap_max_kev": columns["trap_max"] * factor + columns["channel"]}


def test_each_run_has_its_calibration(folder, frame):
    data = DataSet(folder, calibrations={72: gain(2.0), 73: gain(3.0), 75: gain(4.0)})
    factor = frame["run"].map({72: 2.0, 73: 3.0, 75: 4.0})
    expected = frame["trap_max"] * factor + frame["channel"]
    assert np.array_equal(data.column("trap_max_kev"), expected)
    above = data.count(lambda columns: columns["trap_max_kev"] > 1500)
    assert above == (expected > 1500).sum()


def test_one_calibration_does_for_all_runs(folder, frame):
    counts, _ = DataSet(folder, calibrations=gain(0.5)).hist("trap_max_kev", 0, 1000, 10)
    assert counts.sum() == (frame["trap_max"] * 0.5 + frame["channel"] <= 1000).sum()


def test_a_calibration_is_applied_channel_by_channel(folder, frame):
    places = [f"0/0/{channel}" for channel in range(3)]
    curve = Curve((1.0, 0.5), ((0.0, 0.0), (0.0, 0.0)))
    calibration = Calibration("trap_max", channels=dict.fromkeys(places, ChannelCalibration(curve)))
    data = DataSet(folder, calibrations=calibration)
    assert np.allclose(data.column("trap_max_kev"), 1.0 + 0.5 * frame["trap_max"])


def test_runs_without_a_calibration_are_named(folder):
    data = DataSet(folder, calibrations={72: gain(2.0)})
    with pytest.raises(
        SettingsError, match="run 73, run 75 of the data set: no calibration for 'trap_max_kev'"
    ):
        data.column("trap_max_kev")
    with pytest.raises(SettingsError, match="'trap_max_kev' needs calibrations"):
        DataSet(folder).column("trap_max_kev")


def test_progress_goes_up_to_all_rows(folder):
    told: list[Message] = []
    DataSet(folder).count(large, tell=told.append)
    progress = [message for message in told if isinstance(message, Progress)]
    assert [one.rows for one in progress] == sorted(one.rows for one in progress)
    assert progress[-1].rows == 160
    assert progress[-1].fraction == 1.0


def test_work_can_be_stopped(folder):
    def stop(message: Message) -> None:
        raise Stopped("stopped")

    with pytest.raises(Stopped):
        DataSet(folder).hist("trap_max", 0, 1, 1, tell=stop)


def test_a_file_that_changed_meanwhile_is_told(folder):
    data = DataSet(folder)
    write_tier2(folder / "t2_run73.h5", 73, tier2_rows(73, 5))
    with pytest.raises(TierFileError, match="has 5 rows, not 57 as when the data set was made"):
        data.count(large)


@pytest.fixture(scope="module")
def both_tiers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated runs with both tiers."""
    folder = tmp_path_factory.mktemp("both")
    for run in (1, 2):
        shape = RunShape(run_number=run, seed=run, n_events=300, n_samples=1000, pulse_at=600)
        process_run(write_run(folder / f"Run{run}", shape), output_dir=folder)
    return folder


def test_waveforms_of_rows_come_from_tier_1_in_the_order_asked_for(both_tiers):
    data = DataSet(both_tiers)
    assert all(part.tier1 is not None and part.tier2 is not None for part in data.runs)
    rows = [data.n_rows - 1, 5, 299, 5, 310]
    block = data.waveforms(rows)
    events = data.column("event_number")
    assert block.rows["event_number"].tolist() == events[rows].tolist()
    raw = pd.read_hdf(both_tiers / "t1_run1.h5", "ORSIS3302DecoderForEnergy")
    expected = raw[raw["event_number"] == events[5]].iloc[0, -1000:].to_numpy(np.uint16)
    assert np.array_equal(block.waveforms[1], expected)


def test_rows_of_tier_2_are_found_in_a_tier_1_file_with_more_rows(both_tiers, tmp_path):
    """Tier 2 was made of some channels alone."""
    from pygama.storage import TierFile

    with TierFile(both_tiers / "t2_run1.h5") as file:
        rows = file.table("data").read().rows
        header = file.texts("/")["header_sha256"]
    kept = rows[rows["channel"] == 1]
    write_tier2(tmp_path / "t2_run1.h5", 1, kept, header=header)
    data = DataSet([tmp_path, both_tiers / "t1_run1.h5"])
    block = data.waveforms([7, 3])
    assert block.rows["event_number"].tolist() == kept["event_number"][[7, 3]].tolist()
    assert (block.rows["channel"] == 1).all()


def test_tiers_of_different_runs_with_one_number_are_refused(both_tiers, tmp_path):
    write_tier2(tmp_path / "t2_run1.h5", 1, tier2_rows(1, 4), header="another")
    with pytest.raises(SettingsError, match="their headers differ"):
        DataSet([tmp_path, both_tiers / "t1_run1.h5"])


def test_tier_1_alone_is_a_data_set_too(both_tiers):
    data = DataSet(str(both_tiers / "t1_run*.h5"))
    assert len(data) == len(DataSet(str(both_tiers / "t2_run*.h5")))
    assert "trap_max" not in data.columns
    assert data.waveforms([2]).rows["event_number"] == data.column("event_number")[2]


@pytest.fixture(params=[True, False], ids=["with slow control", "with run records alone"])
def empty_run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The Tier 1 file of run 80, which recorded no event."""
    shape = RunShape(run_number=80, n_events=0, pulser_hz=0, slow_control=request.param, histograms=False)
    raw = write_run(tmp_path / "Run80", shape)
    return ProcessTier0(raw, output_dir=tmp_path, decoders=None if request.param else ["ORRunDecoderForRun"])


def test_a_run_without_events_is_a_run_without_rows(folder, frame, empty_run):
    data = DataSet([folder / f"t2_run{run}.h5" for run in N_ROWS] + [empty_run])
    assert [(part.run, part.n_rows) for part in data.runs] == [(72, 100), (73, 57), (75, 3), (80, 0)]
    assert data.columns == (*ROWS.names, "run", "sub_run", "row")
    assert data.to_frame()["trap_max"].tolist() == frame["trap_max"].tolist()
    assert data.count("trap_max > 500") == (frame["trap_max"] > 500).sum()


def test_runs_without_any_event_are_no_data_set(empty_run):
    with pytest.raises(TierFileError, match="t1_run80.h5: no run has an event"):
        DataSet(empty_run)


def test_waveforms_need_a_tier_1_file(folder):
    with pytest.raises(TierFileError, match="run 72 has no Tier 1 file"):
        DataSet(folder).waveforms([0])


def test_rows_beyond_the_data_set_are_refused(folder):
    with pytest.raises(SettingsError, match="has rows 0 to 159, not 3 to 160"):
        DataSet(folder).waveforms([160, 3])


def test_waveforms_of_two_lengths_make_no_array(tmp_path):
    for run, n_samples in ((1, 1000), (2, 800)):
        raw = write_run(
            tmp_path / f"Run{run}", RunShape(run_number=run, n_events=20, n_samples=n_samples, pulse_at=300)
        )
        ProcessTier0(raw, output_dir=tmp_path)
    data = DataSet(tmp_path)
    with pytest.raises(TierFileError, match="waveforms of 800, 1000 samples"):
        data.waveforms([0, len(data) - 1])
