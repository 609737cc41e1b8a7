"""Tuning on made-up pulses whose best settings are known."""

import json

import numpy as np
import pytest

from pygama.analysis.peaks import PeakFit
from pygama.block import Block
from pygama.errors import SettingsError, TierFileError
from pygama.processing.base import Tier1Processor
from pygama.processing.tier0 import ProcessTier0
from pygama.processing.tier1 import ProcessTier1
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama.tuning import Line, Scan, Tried, Tuner, _jackknifed, read_axes, read_sample

HEIGHT = 10000.0
TAU = 3000.0


@pytest.fixture(scope="module")
def sample():
    """600 pulses of one height: charge that comes evenly over a varied time and decays, and white noise."""
    rng = np.random.default_rng(4)
    n, n_samples = 600, 1600
    since = np.clip(np.arange(n_samples) - rng.uniform(695, 705, n)[:, None], 0, None)
    rise = rng.uniform(5, 80, n)[:, None]
    after = np.clip(since - rise, 0, None)
    pulse = HEIGHT * TAU / rise * (np.exp(-after / TAU) - np.exp(-since / TAU))
    waves = np.rint(1000 + pulse + 20 * rng.standard_normal((n, n_samples))).astype(np.uint16)
    return Block("X", np.zeros(n, [("period_ns", "f8")]), waves)


def tuner_of(sample):
    chain = Tier1Processor({"pole_zero": {"tau": TAU}, "trap_filter": {"rise": 200, "flat": 100}})
    for name in ("fit_baseline", "bl_subtract", "pole_zero", "trap_filter", "trap_max"):
        chain.add(name)
    return Tuner(sample, chain, Line(around=HEIGHT, width=150))


@pytest.fixture
def tuner(sample):
    return tuner_of(sample)


def test_with_the_settings_as_they_are_the_line_is_where_it_was(tuner):
    tried = tuner.try_settings({})
    assert tried.scale == 1.0
    assert tried.fit.position == pytest.approx(HEIGHT, rel=2e-3)


def test_averaging_over_more_samples_makes_the_line_sharper(tuner):
    long = tuner.try_settings({"trap_filter.rise": 300})
    short = tuner.try_settings({"trap_filter.rise": 10})
    assert short.fit.fwhm > 1.5 * long.fit.fwhm


def test_a_scan_finds_the_decay_time_that_was_put_in(tuner):
    scan = tuner.scan({"pole_zero.tau": np.linspace(2000, 5000, 7).tolist()})
    value, error = scan.optimum("pole_zero.tau")
    assert abs(value - TAU) < 2 * error
    assert 0 < error < 150


def test_a_scan_of_two_settings_tries_all_pairs_the_last_quickest(tuner):
    scan = tuner.scan({"trap_filter.rise": [100, 200], "trap_filter.flat": [50, 100, 150]})
    tried = [tuple(one.settings.values()) for one in scan.tried]
    assert tried == [(100, 50), (100, 100), (100, 150), (200, 50), (200, 100), (200, 150)]
    assert scan.best in scan.as_good()


def test_a_peak_that_moves_is_found_again(tuner):
    assert tuner.try_settings({"pole_zero.tau": 1500.0}).scale > 1.02


def test_a_step_can_be_named_by_its_place(tuner):
    assert tuner.try_settings({"4.rise": 300}).fit == tuner.try_settings({"trap_filter.rise": 300}).fit


def test_a_step_that_is_not_there_is_refused_with_those_there_are(tuner):
    with pytest.raises(SettingsError, match="'cusp' is not in the chain; the chain is fit_baseline"):
        tuner.try_settings({"cusp.rise": 3})


def test_a_value_out_of_bounds_is_refused(tuner):
    with pytest.raises(SettingsError, match="rise must be"):
        tuner.try_settings({"trap_filter.rise": 0})


def test_a_line_without_events_is_refused(sample):
    with pytest.raises(SettingsError, match="too few to tune on"):
        Tuner(sample, Tier1Processor(default_list=True), Line(around=3000, width=50))


def test_times_with_a_unit_can_be_tried(sample):
    rows = sample.rows.copy()
    rows["period_ns"] = 10.0
    chain = Tier1Processor({"trap_filter": {"rise": 200, "flat": 100}})
    for name in ("fit_baseline", "bl_subtract", "trap_filter", "trap_max"):
        chain.add(name)
    around = float(np.median(chain.run(Block("X", rows, sample.waveforms))["trap_max"]))
    tuner = Tuner(Block("X", rows, sample.waveforms), chain, Line(around=around, width=1500))
    timed = tuner.scan(read_axes(["trap_filter.rise=1:3:1 us"]))
    plain = tuner.scan({"trap_filter.rise": [100, 200, 300]})
    assert [one.fit for one in timed.tried] == [one.fit for one in plain.tried]
    assert timed.optimum("trap_filter.rise")[0] == pytest.approx(plain.optimum("trap_filter.rise")[0] / 100)


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("trap_filter.rise=200:600:200", ("trap_filter.rise", [200, 400, 600])),
        ("trap_filter.rise=1:2:0.5 us", ("trap_filter.rise", ["1 us", "1.5 us", "2 us"])),
        ("4.tau=40 us,50 us", ("4.tau", ["40 us", "50 us"])),
        ("pole_zero.tau=5000", ("pole_zero.tau", [5000])),
        ("psd.taper=none,hann", ("psd.taper", ["none", "hann"])),
    ],
)
def test_what_to_try_is_read_from_a_text(text, axis):
    assert list(read_axes([text]).items()) == [axis]


@pytest.mark.parametrize(
    "text", ["rise=1,2", "trap_filter.rise", "a.b=", "a.b=1:2", "a.b=2:1:1", "a.b=0:1:0"]
)
def test_what_cannot_be_tried_is_refused(text):
    with pytest.raises(SettingsError):
        read_axes([text])


def test_the_table_of_a_scan_marks_the_best_and_gives_the_optimum(tuner):
    scan = tuner.scan({"pole_zero.tau": [2000, 2500, 3000, 3500, 4000]})
    lines = scan.lines()
    assert lines[0].split()[0] == "pole_zero.tau"
    assert sum(line.endswith("  best") for line in lines) == 1
    value, error = scan.optimum("pole_zero.tau")
    assert f"Optimum of pole_zero.tau: {value:.5g} ± {error:.3g}" in lines
    told = scan.as_dict()
    assert told["optimum"]["pole_zero.tau"] == {"value": value, "error": error, "beyond": ""}
    assert json.loads(json.dumps(told)) == told
    assert (told["note"], scan.is_paired) == ("", True)
    one_by_one = Scan(scan.axes, tuple(tuner.steps_of(scan.axes)))
    assert (one_by_one.optimum("pole_zero.tau")[0], one_by_one.is_paired) == (value, False)
    assert one_by_one.optimum("pole_zero.tau")[1] > error
    assert "the error of an optimum is an upper limit" in one_by_one.lines()[-1]
    assert one_by_one.as_dict()["note"] == one_by_one.lines()[-1]


def test_two_settings_differ_less_by_chance_than_their_errors_say(sample):
    """Held against independent parts of the sample, each of which tries both settings."""
    parts = [sample[np.arange(start, len(sample), 6)] for start in range(6)]
    pairs = [tuner_of(part).scan({"trap_filter.rise": [200, 350]}).tried for part in parts]
    spread = np.std([two.resolution - one.resolution for one, two in pairs], ddof=1)
    independent = np.mean([np.hypot(one.resolution_error, two.resolution_error) for one, two in pairs])
    said = np.mean([_jackknifed(np.subtract(two.without, one.without)) for one, two in pairs])
    assert spread < 0.6 * independent
    assert 0.5 * spread < said < 0.7 * independent


def test_the_error_of_an_optimum_is_that_of_independent_samples(sample):
    parts = [sample[np.arange(start, len(sample), 6)] for start in range(6)]
    taus = {"pole_zero.tau": [2800, 2900, 3000, 3100, 3200, 3300]}
    value, error = np.transpose([tuner_of(part).scan(taus).optimum("pole_zero.tau") for part in parts])
    assert 0.5 < error.mean() / value.std(ddof=1) < 2
    assert abs(value.mean() - TAU) < error.mean()


def test_only_what_differs_by_chance_is_as_good():
    def tried(rise, resolution, shifts):
        fit = PeakFit(
            (900.0, 1100.0), 50, position=1000.0, fwhm=1000 * resolution, fwhm_error=2.0, converged=True
        )
        return Tried({"a.rise": rise}, fit, 1.0, tuple(resolution + shift for shift in shifts))

    common = 1e-4 * np.arange(20)
    scan = Scan({"a.rise": (1, 2)}, (tried(1, 0.010, common), tried(2, 0.011, common)))
    assert [one.settings["a.rise"] for one in scan.as_good()] == [1]
    apart = Scan({"a.rise": (1, 2)}, (tried(1, 0.010, common), tried(2, 0.011, common[::-1])))
    assert [one.settings["a.rise"] for one in apart.as_good()] == [1, 2]


def noise_of(value: float) -> float:
    """Give a resolution with noise that falls and noise that grows; it is least at 20 * sqrt(10) = 63.2."""
    return 0.01 * float(np.hypot(40 / value, value / 100))


def scan_of(values, resolution=noise_of):
    """A scan with known resolutions, whose groups differ by chance a little."""
    chance = np.random.default_rng(1).normal(0, 1e-6, (len(values), 20))
    fits = [
        PeakFit((900.0, 1100.0), 50, position=1.0, fwhm=resolution(one), fwhm_error=1e-3, converged=True)
        for one in values
    ]
    tried = (
        Tried({"a.rise": value}, fit, 1.0, tuple(fit.fwhm + own))
        for value, fit, own in zip(values, fits, chance, strict=True)
    )
    return Scan({"a.rise": tuple(values)}, tuple(tried))


@pytest.mark.parametrize(
    "values",
    [
        (10, 20, 40, 80, 160, 320),
        (320, 20, 40, 160, 80, 10),
        (20, 60, 100, 140, 180),
        (10, 60, 110, 160, 210),
    ],
)
def test_values_far_from_the_best_do_not_lead_the_optimum_away(values):
    scan = scan_of(values)
    value, error = scan.optimum("a.rise")
    beside = np.sort(values)[[0, 1, 2]] if scan.best.settings["a.rise"] < 80 else (40, 80, 160)
    assert beside[0] < value < beside[2]
    assert abs(value - 20 * np.sqrt(10)) < error


def test_an_optimum_among_values_close_together_is_that_of_the_parabola_through_all():
    value, error = scan_of((55, 59, 63, 67, 71), lambda value: 0.01 + 1e-7 * (value - 61.5) ** 2).optimum(
        "a.rise"
    )
    assert value == pytest.approx(61.5, abs=3 * error)
    assert error < 1.2


def test_a_value_that_was_tried_twice_counts_once():
    twice = scan_of((40, 60, 60, 80, 100)).optimum("a.rise")
    assert twice[0] == pytest.approx(scan_of((40, 60, 80, 100)).optimum("a.rise")[0], rel=1e-3)
    assert scan_of((60, 60, 80, 80)).optimum("a.rise") == (60, 10)


@pytest.mark.parametrize(
    ("tried", "where", "best"), [([3100, 3900, 4700], "below", 3100), ([1300, 1900, 2500], "above", 2500)]
)
def test_an_optimum_that_lies_beyond_what_was_tried_is_not_given(tuner, tried, where, best):
    scan = tuner.scan({"pole_zero.tau": tried})
    assert scan.beyond("pole_zero.tau") == where
    words = f"not found; {best} is best, the last that was tried: try values {where} it"
    assert f"Optimum of pole_zero.tau: {words}" in scan.lines()


def test_the_chain_with_the_best_settings_can_be_taken_over(tuner):
    chain = tuner.with_settings({"trap_filter.rise": 333})
    assert [step["settings"]["rise"] for step in chain if step["step"] == "trap_filter"] == [333]


@pytest.fixture(scope="module")
def t1_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    raw = write_run(folder / "Run5", RunShape(run_number=5, n_events=400, n_samples=1000, seed=3))
    return ProcessTier0(raw, output_dir=folder)


def test_a_sample_comes_from_all_over_the_file(t1_file):
    part = read_sample(t1_file, 64)
    assert len(part) == 64
    assert part.waveforms.shape == (64, 1000)
    with TierFile(t1_file) as file:
        everything = file.table("ORSIS3302DecoderForEnergy").read().rows["event_number"]
    assert part.rows["event_number"][[0, -1]].tolist() == everything[[0, -1]].tolist()
    assert (np.diff(part.rows["event_number"]) > 0).all()


def test_a_sample_can_be_of_one_channel(t1_file):
    part = read_sample(t1_file, 1000, channel=0)
    assert set(part.rows["channel"].tolist()) == {0}
    with pytest.raises(TierFileError, match="no waveform of channel 77"):
        read_sample(t1_file, 1000, channel=77)


def test_a_file_without_waveforms_is_refused(tmp_path, t1_file):
    t2_file = ProcessTier1(t1_file, Tier1Processor(default_list=True), out_dir=tmp_path)
    with pytest.raises(TierFileError, match="has no waveforms; is it a Tier 1 file"):
        read_sample(t2_file)
