"""Tests that the channels of a data set on disk are told of as those of one in memory are."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.analysis.cuts import Cut
from pygama.block import Block
from pygama.storage import TierWriter
from pygama_gui.data import live_set, survey_from_files
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.cutting import joined
from pygama_gui.data.gain import parts_of
from pygama_gui.data.health import Figures, Peak, Survey, count_saturated, ends_of, peak_of_channel, survey
from pygama_gui.data.linked import Cuts
from pygama_gui.data.live_set import LiveSet, look_at, read_from_files, read_rows
from pygama_gui.data.survey_from_files import FoundSurvey, GatheredSurvey
from pygama_gui.session import set_changes
from pygama_gui.session.state import DataSet, Member, Run, Session

KIND = np.dtype(
    [("event_number", "i8"), ("channel", "i8"), ("time_s", "f8"), ("trap_max", "f8"), ("bl_int", "f8")]
    + [("bl_rms", "f8")]
)
N_ROWS = {1: 30_000, 2: 20_000, 3: 40_000}
CODES = [0, 1, 2, 3, 4, 7]
"""Channel 7 has no events."""


def rows_of(run: int) -> np.ndarray:
    """Make five channels: a good one, a drifting baseline, a noisy one, a saturated one, a drifting gain."""
    n = N_ROWS[run]
    rng = np.random.default_rng(run)
    rows = np.zeros(n, KIND)
    rows["event_number"] = np.arange(n)
    rows["channel"] = rng.integers(0, 5, n)
    # Records of cards are not in order of time, and the first one is not in the file's first rows.
    rows["time_s"] = 100.0 + np.roll(np.sort(rng.uniform(0, n / 10, n)), n // 3)
    channel, done = rows["channel"], run + (rows["time_s"] - 100.0) / (n / 10)
    is_peak = rng.random(n) < 0.4
    at = 2000 + np.where(channel == 4, 5 * done, 0)
    rows["trap_max"] = np.where(is_peak, rng.normal(at, 3, n), rng.exponential(600, n))
    high = np.flatnonzero((channel == 3) & (rng.random(n) < 0.1))
    rows["trap_max"][high] = 9000.0
    drift = np.where(channel == 1, 9 * run, 0)
    rows["bl_int"] = rng.normal(8000 + 700 * channel + drift, np.where(channel == 1, 3, 5), n)
    rows["bl_rms"] = rng.gamma(9, 0.5, n) * np.where(channel == 2, 8, 1)
    rows["bl_int"][::97], rows["time_s"][5::501], rows["trap_max"][::89] = np.nan, np.nan, np.nan
    return rows


def calibration_of(run: int) -> Calibration:
    curve = Curve((0.0, 1000 / (2000 + 5 * run)), ((0.0, 0.0), (0.0, 0.0)))
    return Calibration("trap_max", channels={f"0/0/{at}": ChannelCalibration(curve=curve) for at in range(5)})


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LiveSet]:
    """Write three runs, and read them into memory, or a sample of them."""

    def write(make: Callable[[int], np.ndarray]) -> DataSet:
        members = []
        for run in N_ROWS:
            path = tmp_path / f"t2_run{run}.h5"
            with TierWriter(path, chunk_rows=512) as writer:
                writer.write("data", Block("data", make(run)), queryable=True)
                writer.set_texts("/", {"run_number": str(run), "sub_run": "0"})
            members.append(Member(Run(str(run), tmp_path / f"Run{run}", run), path))
        return set_changes.data_set_of(Session(), members)

    def read(
        *, on_disk: bool, calibrated: bool = False, make: Callable[[int], np.ndarray] = rows_of
    ) -> LiveSet:
        data_set = write(make)
        monkeypatch.setattr(live_set, "MOST_ROWS", 1000 if on_disk else 10**6)
        monkeypatch.setattr(live_set, "SAMPLE_ROWS", 9000)
        monkeypatch.setattr(live_set, "ROWS_AT_ONCE", 8192)
        calibrations = tuple((calibration_of(run),) if calibrated else () for run in N_ROWS)
        live = LiveSet(data_set, look_at(data_set), calibrations)
        list(read_rows(live))
        assert live.is_on_disk == on_disk
        return live

    return read


def gathered(
    live: LiveSet, cuts: Cuts | None, column: str = "trap_max", codes: list[int] = CODES
) -> FoundSurvey:
    """Look at the channels in passes over the files, until the times of the runs are known."""
    while True:
        spans, gathering = list(live.spans), GatheredSurvey(live, cuts, codes, column)
        for rows in read_from_files(live, gathering.columns):
            gathering.add(rows)
        if spans == live.spans:
            return gathering.found()


def held(live: LiveSet, cuts: Cuts | None, column: str = "trap_max") -> tuple[Survey, dict[int, Peak]]:
    """Look at the channels of rows in memory."""
    rows = {name: live.columns.column(name) for name in (*live.columns.names, CODE, CLOCK)}
    passes = np.ones(len(rows[CODE]), bool) if cuts is None else cuts.mask(rows)
    span, peaks = ends_of(rows[CLOCK]), {}
    for code in CODES:
        its = passes & (rows[CODE] == code)
        peaks[code] = peak_of_channel(rows[column][its], parts_of(rows[CLOCK][its], span), span)
    return survey(rows, cuts, CODES, column), peaks


def same(found: Figures, expected: Figures) -> None:
    """Compare what is known of one channel."""
    exactly = ("code", "n_events", "rate", "rate_error", "newest", "expected")
    assert [getattr(found, one) for one in exactly] == pytest.approx(
        [getattr(expected, one) for one in exactly], nan_ok=True
    )
    assert found.saturated == pytest.approx(expected.saturated, abs=max(0.02 * expected.saturated, 1))
    n = max(expected.n_events, 1)
    error = expected.baseline_rms * math.sqrt(math.pi / 2 / n)
    assert found.baseline == pytest.approx(expected.baseline, abs=0.2 * error, nan_ok=True)
    assert found.baseline_rms == pytest.approx(expected.baseline_rms, rel=0.2 / math.sqrt(n), nan_ok=True)
    assert found.noise == pytest.approx(expected.noise, rel=0.2 / math.sqrt(n), nan_ok=True)
    # Thirds of the time end with a slice of it.
    size = 0.0 if math.isnan(expected.moved) else 0.5 * expected.moved_error + 0.01 * abs(expected.moved)
    assert found.moved == pytest.approx(expected.moved, abs=size, nan_ok=True)
    assert found.moved_error == pytest.approx(expected.moved_error, rel=0.05, nan_ok=True)
    assert found.moved_scatter == pytest.approx(expected.moved_scatter, rel=0.05, nan_ok=True)


@pytest.mark.parametrize("cut", ["", "trap_max > 300 & bl_int < 10_805", "time_s > 1400", "channel != 0"])
def test_channels_of_a_set_on_disk_have_the_figures_of_one_in_memory(
    load: Callable[..., LiveSet], cut: str
) -> None:
    cuts = joined((Cut("a", cut),)) if cut else None
    memory = load(on_disk=False)
    expected, _ = held(memory, cuts)
    found = gathered(load(on_disk=True), cuts).survey
    assert (found.codes, found.column, found.n_rows) == (CODES, "trap_max", 90_000)
    assert (found.baseline_column, found.noise_column) == ("bl_int", "bl_rms")
    assert (found.duration, found.first) == pytest.approx((expected.duration, expected.first))
    for one, other in zip(found.figures, expected.figures, strict=True):
        same(one, other)
    assert [one.state for one in found.health] == [one.state for one in expected.health]
    if not cut:
        states = ["ok", "drifting", "noisy", "saturated", "ok", "dead"]
        assert [one.state for one in found.health] == states
        assert found.health[5].why == expected.health[5].why
    passes = np.ones(90_000, bool) if cuts is None else cuts.mask(_rows(memory))
    for one in found.figures:
        values = memory.columns.column("trap_max")[passes & (memory.columns.column(CODE) == one.code)]
        assert np.array_equal(one.counts, np.histogram(values[values < found.edges[-1]], found.edges)[0])


def _rows(live: LiveSet) -> dict[str, np.ndarray]:
    return {name: live.columns.column(name) for name in (*live.columns.names, CODE, CLOCK)}


@pytest.mark.parametrize("column", ["trap_max", "trap_max_kev"])
def test_peaks_of_channels_of_a_set_on_disk_are_those_of_one_in_memory(
    load: Callable[..., LiveSet], column: str
) -> None:
    _, expected = held(load(on_disk=False, calibrated=True), None, column)
    found = gathered(load(on_disk=True, calibrated=True), None, column)
    assert found.peaks is not None
    for code in CODES:
        peak, other = found.peaks.peak(code), expected[code]
        if code in (3, 7):  # what piles up in one value is no peak
            assert math.isnan(peak.position)
            continue
        # The bins of the fits are not the same ones.
        assert peak.position == pytest.approx(other.position, abs=0.3 * other.position_error)
        assert peak.fwhm == pytest.approx(other.fwhm, abs=0.5 * other.fwhm_error)
        assert peak.position_error == pytest.approx(other.position_error, rel=0.1)
        assert peak.in_time is not None and other.in_time is not None
        assert peak.in_time.n_parts == other.in_time.n_parts
        moves = [one.in_time.move(one.fwhm) for one in (peak, other)]
        assert (moves[0] is None) == (moves[1] is None)
        if column == "trap_max":
            assert (moves[0] is not None) == (code == 4)
            assert moves[0] is None or moves[0].size == pytest.approx(moves[1].size, rel=0.05)


def test_what_is_known_half_way_is_of_the_rows_so_far_and_has_no_peaks(load: Callable[..., LiveSet]) -> None:
    live = load(on_disk=True)
    gathering, n = GatheredSurvey(live, None, CODES, "trap_max"), 0
    for rows in read_from_files(live, gathering.columns):
        gathering.add(rows)
        n += len(rows[CODE])
        if n > 40_000:
            break
    found = gathering.found(is_whole=False)
    assert found.peaks is None
    assert found.survey.n_rows == n == sum(one.n_events for one in found.survey.figures)
    assert not found.survey.is_whole


def test_channels_that_were_not_asked_for_are_named(load: Callable[..., LiveSet]) -> None:
    found = gathered(load(on_disk=True), joined((Cut("a", "channel < 2"),)), codes=[4, 1])
    assert found.others == (0, 2, 3)
    assert [one.n_events > 0 for one in found.survey.figures] == [False, True]


def in_turn(run: int) -> np.ndarray:
    """Make rows in order of time, with channel 2 silent all through the last run."""
    rows = np.sort(rows_of(run), order="time_s")
    return rows[rows["channel"] != 2] if run == 3 else rows


@pytest.mark.parametrize("cut", ["", "trap_max > 300"])
def test_a_channel_that_is_silent_all_through_the_last_run_is_named(
    load: Callable[..., LiveSet], cut: str
) -> None:
    cuts = joined((Cut("a", cut),)) if cut else None
    expected, _ = held(load(on_disk=False, make=in_turn), cuts)
    found = gathered(load(on_disk=True, make=in_turn), cuts).survey
    assert (found.health[2].state, expected.health[2].state) == ("silent", "silent")
    assert found.health[2].why == expected.health[2].why
    assert [one.state for one in found.health] == [one.state for one in expected.health]


def falling(run: int) -> np.ndarray:
    """Make rows of which channel 0 gives a fifth from the second run on."""
    rows = in_turn(run)
    is_left = (rows["channel"] != 0) | (np.arange(len(rows)) % 5 == 0)
    return rows[is_left] if run > 1 else rows


@pytest.mark.parametrize("cut", ["", "event_number % 100 < 2"])
def test_a_channel_whose_rate_fell_is_named_and_told_by_how_much(
    load: Callable[..., LiveSet], cut: str
) -> None:
    cuts = joined((Cut("a", cut),)) if cut else None
    expected, _ = held(load(on_disk=False, make=falling), cuts)
    found = gathered(load(on_disk=True, make=falling), cuts).survey
    assert found.health[0].state == expected.health[0].state == "quiet"
    assert found.figures[0].fell == pytest.approx(expected.figures[0].fell, abs=0.08)
    assert [one.fell > 0 for one in found.figures] == [True, *[one.fell > 0 for one in expected.figures[1:]]]


def pausing(run: int) -> np.ndarray:
    """Make rows of which channel 0 gives none in the second run."""
    rows = in_turn(run)
    return rows[rows["channel"] != 0] if run == 2 else rows


def test_a_channel_that_is_silent_all_through_a_run_in_the_middle_is_named(
    load: Callable[..., LiveSet],
) -> None:
    expected, _ = held(load(on_disk=False, make=pausing), None)
    found = gathered(load(on_disk=True, make=pausing), None).survey
    assert found.health[0].state == expected.health[0].state == "quiet"
    assert found.health[0].why.startswith("no event for ")
    paused = found.figures[0].paused, expected.figures[0].paused
    # The slices are not the same ones.
    assert paused[0].lasted == pytest.approx(paused[1].lasted, rel=0.1)
    assert paused[0].expected == pytest.approx(paused[1].expected, rel=0.15)


def test_a_cut_that_ends_before_the_set_does_makes_no_rate_fall(load: Callable[..., LiveSet]) -> None:
    found = gathered(load(on_disk=True), joined((Cut("a", "time_s < 1400"),))).survey
    assert [one.fell for one in found.figures] == [0.0] * 6


def test_many_channels_take_bounded_memory(
    load: Callable[..., LiveSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = load(on_disk=True)
    monkeypatch.setattr(survey_from_files, "MOST_CELLS", 500_000)
    monkeypatch.setattr(survey_from_files, "MOST_CELLS_OF_LEVELS", 500_000)
    gathering = GatheredSurvey(live, None, list(range(100)), "trap_max")
    tables = [gathering._peaks, gathering._spectra]
    tables += [one._table for one in (*gathering._levels, gathering._moves) if one is not None]
    assert sum(one._table.nbytes for one in tables) < 4 * 4 * 520_000 + 100 * 131 * 4


@pytest.mark.parametrize("n_blocks", [1, 7])
def test_a_pile_at_the_top_is_counted_while_the_top_rises(n_blocks: int) -> None:
    rng = np.random.default_rng(1)
    falling = np.minimum(rng.exponential(5000.0, 5000), 15_000.0)
    for heights in (falling, rng.exponential(5000.0, 5000), np.array([np.nan, -3.0]), np.full(5, 7.0)):
        tops = survey_from_files._TopCounts()
        for part in np.array_split(heights, n_blocks):
            tops.add(part)
        assert tops.saturated == count_saturated({}, heights)


@pytest.mark.parametrize("n_blocks", [1, 7])
def test_the_line_of_a_pulser_at_the_top_is_no_pile(n_blocks: int) -> None:
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0.0, 1000.0, 8000))
    falling = rng.exponential(1500.0, 8000)
    falling[falling > 14_000.0] = 1000.0
    is_pulse = np.arange(8000) % 10 == 0
    times[is_pulse], falling[is_pulse] = np.arange(800) * 1.25, rng.normal(15_000.0, 2.0, 800)
    order = np.argsort(times)
    for by_chance in (False, True):
        found = rng.uniform(0.0, 1000.0, 8000) if by_chance else times
        tops = survey_from_files._TopCounts()
        for part in np.array_split(order, n_blocks):
            tops.add(falling[part], found[part])
        saturated = count_saturated({}, falling, found)
        assert tops.saturated == saturated
        assert saturated == (800 if by_chance else 0)
