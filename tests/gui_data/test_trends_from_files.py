"""Tests that a data set on disk is followed as one in memory is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.analysis.cuts import Cut
from pygama.block import Block
from pygama.storage import TierWriter
from pygama_gui.data import live_set, trends_from_files
from pygama_gui.data.anchors import Anchor
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.cutting import joined
from pygama_gui.data.linked import Cuts
from pygama_gui.data.live_set import LiveSet, look_at, read_from_files, read_rows
from pygama_gui.data.trends import Asked, Trender, Trends
from pygama_gui.data.trends_from_files import GatheredTrends
from pygama_gui.session import set_changes
from pygama_gui.session.state import Member, Run, Session

KIND = np.dtype(
    [("event_number", "i8"), ("channel", "i8"), ("time_s", "f8"), ("trap_max", "f8"), ("bl_int", "f8")]
    + [("bl_rms", "f8"), ("n_peaks", "i8")]
)
N_ROWS = {1: 9000, 2: 6000, 3: 12_000}


def rows_of(run: int) -> np.ndarray:
    """Make two channels with a peak on a slope; the gain and the baseline move from run to run."""
    n = N_ROWS[run]
    rng = np.random.default_rng(run)
    rows = np.zeros(n, KIND)
    rows["event_number"] = np.arange(n)
    rows["channel"] = rng.integers(0, 2, n)
    # Records of cards are not in order of time, and the first one is not in the file's first rows.
    rows["time_s"] = 100.0 + np.roll(np.sort(rng.uniform(0, n / 10, n)), n // 3)
    is_peak = rng.random(n) < 0.4
    rows["trap_max"] = np.where(is_peak, rng.normal(2000 + run, 3, n), rng.exponential(600, n))
    rows["bl_int"] = rng.normal(8000 + 700 * rows["channel"] + 2 * run, 5, n)
    rows["bl_rms"] = rng.gamma(9, 0.5, n)
    rows["n_peaks"] = rng.poisson(1.4, n)
    rows["bl_int"][::97], rows["time_s"][5::501] = np.nan, np.nan
    return rows


def calibration_of(run: int) -> Calibration:
    curve = Curve((0.0, 1000 / (2000 + run)), ((0.0, 0.0), (0.0, 0.0)))
    channels = {place: ChannelCalibration(curve=curve) for place in ("0/0/0", "0/0/1")}
    return Calibration("trap_max", channels=channels)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LiveSet]:
    """Read the three runs into memory, or a sample of them."""
    members = []
    for run in N_ROWS:
        path = tmp_path / f"t2_run{run}.h5"
        with TierWriter(path, chunk_rows=512) as writer:
            writer.write("data", Block("data", rows_of(run)), queryable=True)
            writer.set_texts("/", {"run_number": str(run), "sub_run": "0"})
        members.append(Member(Run(str(run), tmp_path / f"Run{run}", run), path))
    data_set = set_changes.data_set_of(Session(), members)

    def read(*, on_disk: bool, calibrated: bool = False) -> LiveSet:
        monkeypatch.setattr(live_set, "MOST_ROWS", 1000 if on_disk else 10**6)
        monkeypatch.setattr(live_set, "SAMPLE_ROWS", 6000)
        monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 2048)
        calibrations = tuple((calibration_of(run),) if calibrated else () for run in N_ROWS)
        live = LiveSet(data_set, look_at(data_set), calibrations)
        list(read_rows(live))
        assert live.is_on_disk == on_disk
        return live

    return read


def gathered(live: LiveSet, cuts: Cuts | None, *asks: Asked) -> list[Trends]:
    """Follow it in passes over the files, until the times of the runs are known."""
    while True:
        spans, gathering = list(live.spans), GatheredTrends(live, cuts, asks)
        for rows in read_from_files(live, gathering.columns):
            gathering.add(rows)
        if spans == live.spans:
            return gathering.found()


def held(live: LiveSet, cuts: Cuts | None, asked: Asked) -> Trends:
    names = (*live.columns.names, CODE, CLOCK)
    return Trender().follow("set", {name: live.columns.column(name) for name in names}, cuts, asked)


def differences(found: Trends, expected: Trends, kind: str) -> np.ndarray:
    """Give by how much values differ, in their errors."""
    one, other = found.of(kind), expected.of(kind)
    assert one is not None
    assert other is not None
    assert (one.name, one.unit) == (other.name, other.unit)
    assert np.array_equal(one.times, other.times)
    assert np.array_equal(one.is_known, other.is_known)
    known = one.is_known
    assert known.sum() > 5
    assert one.errors[known] == pytest.approx(other.errors[known], rel=0.4)
    return np.abs(one.values - other.values)[known] / np.maximum(other.errors[known], 1e-9)


@pytest.mark.parametrize("cut", ["", "trap_max > 300 & bl_int < 8710", "n_peaks == 2", "time_s > 400"])
@pytest.mark.parametrize(
    "asked",
    [
        Asked(column="n_peaks"),
        Asked(channel=1, width=50.0),
        Asked(channel=0, peak_column="trap_max", line=(1960.0, 2040.0), is_line_fixed=True),
    ],
)
def test_a_set_on_disk_is_followed_to_the_numbers_of_one_in_memory(
    load: Callable[..., LiveSet], asked: Asked, cut: str
) -> None:
    cuts = joined((Cut("a", cut),)) if cut else None
    expected = held(load(on_disk=False), cuts, asked)
    (found,) = gathered(load(on_disk=True), cuts, asked)
    assert (found.width, found.span, found.n_rows) == (expected.width, expected.span, 27_000)
    assert found.n_chosen == expected.n_chosen
    assert [one.kind for one in found.series] == [one.kind for one in expected.series]
    assert differences(found, expected, "rate").max() == 0.0
    for kind in ("baseline", "noise", *(("column",) if asked.column else ())):
        # The levels that lay channels on each other are of the sample: rows near the median change places.
        is_laid = kind == "baseline" and asked.channel is None
        assert differences(found, expected, kind).max() < (0.5 if is_laid else 0.1), kind
    # The bins of the fits are not the same ones.
    for kind in ("position", "width"):
        assert np.median(differences(found, expected, kind)) < 0.3, kind


def test_energies_of_each_run_are_followed(load: Callable[..., LiveSet]) -> None:
    asked = Asked(peak_column="trap_max_kev")
    expected = held(load(on_disk=False, calibrated=True), None, asked)
    (found,) = gathered(load(on_disk=True, calibrated=True), None, asked)
    assert differences(found, expected, "position").max() < 1.0
    series = found.of("position")
    assert series is not None
    # In the channels' unit it moves by 1 from run to run.
    assert series.values == pytest.approx(1000.0, abs=0.4)


def test_a_set_on_disk_is_followed_by_the_peak_of_all_its_events_whatever_passes(
    load: Callable[..., LiveSet],
) -> None:
    live = load(on_disk=True)
    (whole,) = gathered(live, None, Asked(channel=0))
    (cut,) = gathered(live, joined((Cut("few", "n_peaks == 4"),)), Asked(channel=0))
    assert whole.anchor is not None
    assert cut.anchor == whole.anchor


@pytest.mark.parametrize("cut", ["", "n_peaks == 2"])
def test_the_chosen_line_of_a_set_on_disk_is_followed_however_many_slices_there_are(
    load: Callable[..., LiveSet], monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    monkeypatch.setattr(trends_from_files, "MOST_CELLS", 10_000)
    cuts = joined((Cut("a", cut),)) if cut else None
    asked = Asked(channel=0, width=50.0, peak_column="trap_max", line=(1960.0, 2040.0))
    (found,) = gathered(load(on_disk=True), cuts, asked)
    assert found.anchor == Anchor("trap_max", 1960.0, 2040.0)
    assert not found.is_line_missed
    position = found.of("position")
    assert position is not None
    assert np.nanmedian(position.values) == pytest.approx(2002, abs=1.5)


def test_times_out_of_order_make_a_second_pass_and_no_more(load: Callable[..., LiveSet]) -> None:
    live, whole = load(on_disk=True), load(on_disk=False)
    live = load(on_disk=True)
    assert live.spans != whole.spans
    list(read_from_files(live, [CLOCK]))
    assert live.spans == whole.spans
    assert live.duration_s == whole.duration_s


def test_what_is_known_half_way_ends_with_the_newest_whole_slice(load: Callable[..., LiveSet]) -> None:
    live = load(on_disk=True)
    list(read_from_files(live, [CLOCK]))
    gathering = GatheredTrends(live, None, (Asked(width=50.0),))
    for rows in read_from_files(live, gathering.columns):
        gathering.add(rows)
        if gathering.found(is_whole=False)[0].n_rows > 15_000:
            break
    (found,) = gathering.found(is_whole=False)
    assert not found.is_whole
    rate = found.of("rate")
    assert rate is not None
    # Of the third run, which lasts from 1500 to 2700 s, some rows have come, not in order of their times.
    assert np.isnan(rate.values[rate.times > gathering._parts[0]._newest]).all()
    assert rate.is_known[rate.times < 1450].all()
    assert found.of("position") is None


def test_many_slices_and_channels_take_bounded_memory(
    load: Callable[..., LiveSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = load(on_disk=True)
    monkeypatch.setattr(trends_from_files, "MOST_CELLS", 100_000)
    gathering = GatheredTrends(live, None, [Asked(channel=channel, width=5.0) for channel in (0, 1)])
    n_bytes = 0
    for part in gathering._parts:
        n_bytes += sum(groups.counts.nbytes for groups in part._binned.values())
        assert part._fine is not None
        n_bytes += part._fine.counts.nbytes
    assert n_bytes <= 4 * 3 * 100_000
