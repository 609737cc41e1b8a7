"""Tests that a run is followed in time."""

from __future__ import annotations

import math
import weakref

import numpy as np
import pytest

from pygama.analysis.cuts import Cut
from pygama_gui.data import trends as trends_module
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import joined
from pygama_gui.data.linked import Counter
from pygama_gui.data.moves import find_move
from pygama_gui.data.slices import Series
from pygama_gui.data.trend_words import Clock, sentence
from pygama_gui.data.trends import Asked, Trender


def series(values: np.ndarray, error: float = 1.0, kind: str = "baseline", width: float = 60.0) -> Series:
    n = len(values)
    times = (np.arange(n) + 0.5) * width
    return Series(
        kind, kind, "ADC", times, np.full(n, width / 2), np.asarray(values, float), np.full(n, error)
    )


def test_what_lies_between_channels_is_not_scatter() -> None:
    rng = np.random.default_rng(7)
    codes = rng.integers(0, 3, 30_000)
    times = np.sort(rng.uniform(0.0, 100.0, 30_000))
    values = rng.normal(8000.0, 2.0, 30_000) + 500.0 * codes + 40.0 * (times > 50.0)
    trends = Trender().follow("run", {"time_s": times, CODE: codes, "bl_int": values}, None, Asked(width=5.0))
    baseline, noise = trends.of("baseline"), trends.of("noise")
    assert baseline is not None
    assert noise is not None
    assert np.nanmedian(noise.values) == pytest.approx(2.0, rel=0.1)
    move = find_move(baseline)
    assert move is not None
    assert move.since == 50.0
    assert move.size == pytest.approx(40.0, abs=0.5)


def test_only_rows_of_the_channel_that_pass_the_cuts_are_followed() -> None:
    class Late:
        columns = frozenset({"time_s"})

        def mask(self, columns: dict[str, np.ndarray]) -> np.ndarray:
            return columns["time_s"] >= 50.0

    rows = {"time_s": np.arange(100.0), CODE: np.arange(100) % 2}
    trends = Trender().follow("run", rows, Late(), Asked(channel=1, width=10.0))
    assert trends.n_chosen == 25
    assert trends.series[0].values.tolist()[:9] == [0, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5]


def test_slices_of_which_hits_are_still_to_come_are_left_out_while_a_run_grows() -> None:
    turns = [np.linspace(at, at + 3.0, 300, endpoint=False) for at in range(0, 60, 3) for _ in range(3)]
    times = np.concatenate(turns)[:-250]  # of the third channel the newest hits are not read out yet
    rows = {"time_s": times, CODE: np.repeat(np.arange(60) % 3, 300)[:-250]}
    growing = Trender().follow("run", rows, None, Asked(width=0.5, is_growing=True, has_peak=False))
    rate = growing.of("rate")
    assert rate is not None
    assert rate.times[-1] < 57.5
    np.testing.assert_allclose(rate.values, 300.0)
    assert growing.span == (0.0, times.max())
    ended = Trender().follow("run", rows, None, Asked(width=0.5, has_peak=False)).of("rate")
    assert ended is not None and ended.values[-1] < 250.0
    asked = Asked(width=0.5, ends_early=True, has_peak=False)
    cut = (trender := Trender()).follow("run", rows, None, asked)
    trender.prepare("run", rows, cut)
    for one in (cut, trender.follow("run", rows, None, asked)):
        np.testing.assert_allclose(one.series[0].values, 300.0)


@pytest.mark.parametrize("times", [[], [math.nan], [3.0]])
def test_a_run_with_hardly_an_event_is_followed_without_fuss(times: list[float]) -> None:
    trends = Trender().follow("run", {"time_s": np.array(times)}, None, Asked())
    assert sentence("all channels", trends, Clock()) == "all channels: too few events to tell"


@pytest.mark.parametrize("channel", [None, 1])
@pytest.mark.parametrize("has_noise", [True, False])
def test_a_sorted_run_is_followed_to_the_same_numbers_whichever_rows_pass(
    channel: int | None, has_noise: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(6)
    n = 6000
    rows = {
        "time_s": rng.permutation(np.sort(rng.uniform(3.0, 600.0, n))),
        CODE: rng.integers(0, 3, n),
        "bl_int": rng.normal(8000.0, 3.0, n).round(1),
        "trap_max": np.concatenate([rng.normal(2000.0, 5.0, n // 2), rng.uniform(0, 4000, n // 2)]),
        "further": rng.integers(0, 4, n).astype(np.float32),
    }
    rows["bl_int"] += 50.0 * rows[CODE]
    rows["bl_int"][::17], rows["time_s"][::101] = np.nan, np.nan
    if has_noise:
        rows["bl_rms"] = rng.gamma(4.0, 1.0, n)
    asked = Asked(channel=channel, width=10.0, column="further")
    quick, plain = Trender(), Trender()
    first = joined((Cut("a", "trap_max < 3000"),))
    base, counter = quick.follow("run", rows, first, asked), Counter()
    assert quick.ready_for("run", base) is None
    quick.prepare("run", rows, base)
    ready = quick.ready_for("run", base)
    assert ready is not None
    plain.follow("run", rows, first, asked)
    for text in ("trap_max < 3000", "trap_max < 2900 & bl_int > 7990", "further == 2", "time_s > 900"):
        cuts = joined((Cut("a", text),))
        expected = plain.follow("run", rows, cuts, asked)
        with monkeypatch.context() as patch:
            for name in ("median_of", "scatter_of"):
                patch.setattr(trends_module, name, lambda *_args: pytest.fail("values were sorted again"))
            found = quick.follow("run", rows, cuts, asked)
            moved = quick.moved("run", rows, base, quick.choose(counter, "run", rows, cuts, base, ready))
        assert found.anchor == expected.anchor is not None
        assert (found.n_chosen, found.span) == (expected.n_chosen, expected.span)
        for one, other in zip(found.series, expected.series, strict=True):
            assert (one.kind, one.name, one.unit) == (other.kind, other.name, other.unit)
            for what in ("times", "half_widths", "values", "errors"):
                assert np.array_equal(getattr(one, what), getattr(other, what), equal_nan=True), (
                    text,
                    one.kind,
                    what,
                )
        assert (moved.late, moved.n_chosen) == (("position", "width"), expected.n_chosen)
        for one, other in zip(moved.series, expected.series, strict=True):
            if one.kind in moved.late:
                assert one is base.of(one.kind)
                continue
            assert (one.kind, one.name, one.unit) == (other.kind, other.name, other.unit)
            for what in ("times", "half_widths", "values", "errors"):
                assert np.array_equal(getattr(one, what), getattr(other, what), equal_nan=True)


def test_runs_that_are_followed_no_more_are_let_go() -> None:
    class Table:
        """Stands for a run."""

    rng = np.random.default_rng(7)
    rows = {"time_s": np.arange(2000.0), "trap_max": rng.normal(1000.0, 5.0, 2000)}
    trender, tables = Trender(), [Table() for _ in range(20)]
    for table in tables:
        trender.follow(table, rows, None, Asked(column="trap_max", has_peak=True))
    held = [weakref.ref(table) for table in tables]
    del table, tables
    assert 0 < sum(one() is not None for one in held) <= 8


def two_lines(n: int) -> dict[str, np.ndarray]:
    """Make events of two lines: the lower one has most of those that come first, the upper one of all."""
    rng = np.random.default_rng(8)
    is_high = rng.random(n) < np.where(np.arange(n) < n // 2, 0.03, 0.9)
    heights = np.where(is_high, rng.normal(9000.0, 6.0, n), rng.normal(2000.0, 3.0, n))
    is_flat = rng.random(n) < 0.3
    heights[is_flat] = rng.uniform(500.0, 12_000.0, int(is_flat.sum()))
    return {"time_s": np.sort(rng.uniform(0.0, 100.0, n)), "trap_max": heights}


def test_the_peak_of_a_run_that_is_over_does_not_depend_on_when_it_was_first_looked_at() -> None:
    rows = two_lines(600)
    begun = {name: values[:301] for name, values in rows.items()}
    early, late = Trender(), Trender()
    before = early.follow("run", begun, None, Asked(is_growing=True)).anchor
    assert before is not None
    assert before.high < 3000.0
    assert early.follow("run", rows, None, Asked()).anchor == late.follow("run", rows, None, Asked()).anchor
    found = late.follow("run", rows, None, Asked()).anchor
    assert found is not None
    assert found.low > 8000.0


def test_the_peak_is_that_of_all_events_of_the_channel_whatever_passes_the_cuts() -> None:
    rows = two_lines(4000)
    cuts = joined((Cut("early", "time_s < 40"),))
    assert (
        Trender().follow("run", rows, cuts, Asked()).anchor
        == Trender().follow("run", rows, None, Asked()).anchor
    )


def test_a_peak_that_only_cuts_bring_out_is_followed() -> None:
    rng = np.random.default_rng(4)
    n, n_good = 400_000, 200
    rows = {"time_s": np.sort(rng.uniform(0.0, 100.0, n)), "trap_max": rng.uniform(500.0, 12_000.0, n)}
    rows["is_good"] = np.zeros(n, np.int64)
    good = rng.choice(n, n_good, replace=False)
    rows["is_good"][good] = 1
    rows["trap_max"][good[:80]] = rng.normal(9000.0, 10.0, 80)
    assert Trender().follow("run", rows, None, Asked()).anchor is None
    anchor = Trender().follow("run", rows, joined((Cut("good", "is_good == 1"),)), Asked()).anchor
    assert anchor is not None
    assert anchor.low < 9000.0 < anchor.high


@pytest.mark.parametrize(("line", "is_missed"), [((1970.0, 2030.0), False), ((5000.0, 5100.0), True)])
def test_a_chosen_line_without_a_clear_peak_is_told_to_be_missed(
    line: tuple[float, float], is_missed: bool
) -> None:
    trends = Trender().follow("run", two_lines(400), None, Asked(peak_column="trap_max", line=line))
    assert trends.anchor is not None
    assert trends.is_line_missed is is_missed
