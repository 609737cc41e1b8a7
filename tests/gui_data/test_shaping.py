"""Tests how waveforms are taken to a look, and what is counted and averaged of them."""

from __future__ import annotations

import json
from types import MappingProxyType

import numpy as np
import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.processing.processors.quality import psd
from pygama_gui.data.density import count_density, full_frame
from pygama_gui.data.noise import noise_spectrum
from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import (
    Look,
    OfRun,
    Shaped,
    baseline_stretch,
    calibration_of,
    energy_source,
    shape,
)
from pygama_gui.session.state import DEFAULT_CHAIN, Step

EDGES = (1000, 1100.5)
HEIGHTS = (500.0, 2000.0)
CHAIN = (Step("fit_baseline"), Step("bl_subtract"), Step("trap_filter"), Step("trap_max"))


def steps_at(edges: tuple[float, ...] = EDGES, *, period_ns: float = 10.0) -> Bunch:
    """Give steps on a baseline of 100; half a sample is a sample at half the height."""
    position = np.arange(2000)
    rise = np.clip(position[None, :] - np.array(edges)[:, None] + 0.5, 0, 1)
    waveforms = 100.0 + np.array(HEIGHTS)[: len(edges), None] * rise
    n = len(edges)
    return Bunch(waveforms, {"period_ns": np.full(n, period_ns), "channel": np.arange(n)})


def test_raw_counts_stay_as_they_are() -> None:
    bunch = steps_at()
    shaped = shape(bunch, DEFAULT_CHAIN, Look(is_above_baseline=False))
    assert (shaped.heights == bunch.waveforms).all()
    assert shaped.starts.tolist() == [0, 0]


def test_the_baseline_of_the_chain_is_taken_off() -> None:
    shaped = shape(steps_at(), DEFAULT_CHAIN, Look())
    assert shaped.heights[:, :500] == pytest.approx(0, abs=1e-9)
    assert shaped.heights[:, -1] == pytest.approx(HEIGHTS)


def test_a_chain_that_cannot_run_still_gives_a_baseline() -> None:
    shaped = shape(steps_at(), (Step("trap_max"),), Look())
    assert shaped.heights[:, -1] == pytest.approx(HEIGHTS)


@pytest.mark.parametrize("chain", [CHAIN, (*CHAIN, Step("time_points"))])
def test_steps_are_aligned_by_half_their_height(chain: tuple[Step, ...]) -> None:
    shaped = shape(steps_at(), chain, Look(aligned_by="tp_50"))
    assert shaped.starts == pytest.approx(EDGES)


def test_a_waveform_without_the_time_is_left_out() -> None:
    bunch = steps_at()
    bunch.waveforms[0] = 100.0
    shaped = shape(bunch, CHAIN, Look(aligned_by="tp_50"))
    assert (len(shaped), shaped.n_left_out) == (1, 1)
    assert shaped.starts == pytest.approx(EDGES[1:])


def test_normalised_waveforms_are_equally_high() -> None:
    shaped = shape(steps_at(), CHAIN, Look(is_normalised=True))
    assert shaped.heights.max(axis=1) == pytest.approx([1, 1])


def test_calibrated_waveforms_reach_their_energy(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [(0, [1.0, 2.0]), (1, [0.0, 0.5])]
    table = [{"crate": 0, "card": 5, "channel": channel, "energy": line} for channel, line in lines]
    (tmp_path / "table.json").write_text(json.dumps(table))
    chain = (*CHAIN, Step("calibrate", MappingProxyType({"table": "table.json"})))
    assert calibration_of(chain) == ("energy_kev", "trap_max")
    bunch = steps_at()
    place = {"crate": np.zeros(2, int), "card": np.full(2, 5), "channel": np.arange(2)}
    shaped = shape(Bunch(bunch.waveforms, {**bunch.numbers, **place}), chain, Look(is_calibrated=True))
    assert shaped.heights[:, -1] == pytest.approx([1.0 + 2.0 * 500.0, 0.5 * 2000.0])


def line(offset: float, slope: float) -> ChannelCalibration:
    return ChannelCalibration(Curve((offset, slope), np.zeros((2, 2))))


def test_a_calibration_of_the_run_gives_the_energy_where_the_chain_does_not() -> None:
    known = Calibration("trap_max", channels={"0/0/0": line(1.0, 2.0), "0/0/1": line(0.0, 0.5)})
    look = Look(is_calibrated=True, calibrations=(Calibration("tail_slope"), known))
    assert energy_source(CHAIN, look.calibrations) == ("trap_max_kev", "trap_max")
    shaped = shape(steps_at(), CHAIN, look)
    assert shaped.heights[:, -1] == pytest.approx([1.0 + 2.0 * 500.0, 0.5 * 2000.0])


@pytest.mark.parametrize("sub_run", [0, 1])
def test_each_waveform_of_a_data_set_has_the_energy_of_its_own_run(sub_run: int) -> None:
    first, second = (
        Calibration("trap_max", channels={"0/0/0": line(0.0, slope), "0/0/1": line(0.0, slope)})
        for slope in (2.0, 0.5)
    )
    other = 7 if sub_run else 8
    of_runs = (OfRun(7, 0, (first,)), OfRun(other, sub_run, (second,)))
    look = Look(is_calibrated=True, calibrations=(first,), of_runs=of_runs)
    bunch = steps_at()
    places = {"run": np.array([other, 7]), "sub_run": np.array([sub_run, 0])}
    shaped = shape(Bunch(bunch.waveforms, {**bunch.numbers, **places}), CHAIN, look)
    assert shaped.heights[:, -1] == pytest.approx([0.5 * 500.0, 2.0 * 2000.0])


def test_a_channel_without_calibration_is_left_out() -> None:
    look = Look(
        is_calibrated=True, calibrations=(Calibration("trap_max", channels={"0/0/1": line(0.0, 0.5)}),)
    )
    shaped = shape(steps_at(), CHAIN, look)
    assert (shaped.rows_of_bunch.tolist(), shaped.n_left_out) == ([1], 1)


def test_no_calibration_is_known_without_a_step_that_gives_kev() -> None:
    assert calibration_of(CHAIN) is None
    assert calibration_of((*CHAIN, Step("calibrate", enabled=False))) is None


def test_the_stretch_of_the_baseline_is_that_of_the_chain() -> None:
    def with_end(end: object) -> tuple[Step, ...]:
        return (Step("fit_baseline", MappingProxyType({"i_end": end})),)

    assert baseline_stretch(with_end(800), 2000, 10.0) == (0, 800)
    assert baseline_stretch(with_end("4 us"), 2000, 10.0) == (0, 400)
    assert baseline_stretch(with_end("nonsense"), 2000, 10.0) == (0, 500)
    assert baseline_stretch((), 300, 10.0) == (0, 300)


def test_every_sample_within_the_frame_is_counted_once() -> None:
    rng = np.random.default_rng(1)
    shaped = Shaped(rng.normal(size=(300, 1000)), rng.uniform(0, 50, 300), 10.0)
    density = count_density(shaped, *full_frame(shaped), (400, 200))
    assert density.counts.shape == (400, 200)
    assert density.counts.sum() == 300 * 1000


def test_a_density_counts_the_same_as_a_two_dimensional_histogram() -> None:
    rng = np.random.default_rng(2)
    heights, starts = rng.normal(size=(700, 400)), rng.integers(-50, 50, 700).astype(float)
    density = count_density(Shaped(heights, starts, 10.0), (99.5, 199.5), (-1.0, 2.0), (50, 30))
    x = np.arange(400) - starts[:, None]
    edges = (np.linspace(99.5, 199.5, 51), np.linspace(-1, 2, 31))
    assert (density.counts == np.histogram2d(x.ravel(), heights.ravel(), edges)[0]).all()


def test_no_column_of_a_density_is_narrower_than_a_sample() -> None:
    shaped = Shaped(np.zeros((3, 400)), np.zeros(3), 10.0)
    density = count_density(shaped, (99.5, 119.5), (-1.0, 1.0), (800, 10))
    assert density.counts.shape == (20, 10)
    assert (density.counts.sum(axis=1) == 3).all()


def test_values_that_are_not_finite_are_not_counted() -> None:
    shaped = Shaped(np.array([[1.0, np.nan, np.inf, 2.0]]), np.zeros(1), 10.0)
    density = count_density(shaped, *full_frame(shaped), (4, 10))
    assert density.counts.sum() == 2


def test_an_aligned_step_is_one_edge() -> None:
    shaped = shape(steps_at((1000, 1200)), CHAIN, Look(aligned_by="tp_50", is_normalised=True))
    density = count_density(shaped, (-100.0, 100.0), (-0.15, 1.05), (200, 12))
    before, after = density.counts[:99], density.counts[102:]
    assert (before.argmax(axis=1) == 1).all() and (before.max(axis=1) == 2).all()
    assert (after.max(axis=1) == 2).all()
    assert len(np.unique(after.argmax(axis=1))) == 1


def test_the_noise_spectrum_is_the_mean_of_the_chains_own() -> None:
    rng = np.random.default_rng(3)
    bunch = Bunch(rng.normal(0, 5, (40, 1000)), {"period_ns": np.full(40, 10.0)})
    found = noise_spectrum(bunch, CHAIN, is_whole_record=False)
    assert found.power == pytest.approx(psd(bunch.waveforms, 10.0).mean(axis=0))
    assert (found.stretch, found.n_waveforms, found.taper) == ((0, 500), 40, "none")
    assert found.frequencies[-1] == pytest.approx(50.0)
    # The area of the spectrum is the mean square of the samples about their mean.
    stretch = bunch.waveforms[:, :500]
    area = found.power.sum() * (found.frequencies[1] - found.frequencies[0])
    assert area == pytest.approx(stretch.var(axis=1).mean())
    assert found.heights(is_amplitude=True) ** 2 == pytest.approx(found.power)


def test_a_pulse_in_the_baseline_is_no_noise_and_a_loud_channel_is() -> None:
    waves = np.random.default_rng(3).normal(0, 5, (40, 1000))
    waves[20:] *= 4  # the second channel: 16 times the mean square of the first
    waves[7, 250:] += 1000
    bunch = Bunch(waves, {"channel": np.repeat([0, 1], 20)})
    found = noise_spectrum(bunch, CHAIN, is_whole_record=False)
    assert (found.n_waveforms, found.n_loud) == (39, 1)
    assert found.power == pytest.approx(psd(np.delete(waves, 7, axis=0), 1000.0).mean(axis=0))
    assert noise_spectrum(bunch, CHAIN, is_whole_record=True).n_waveforms == 40


def test_the_noise_of_the_whole_record_is_tapered() -> None:
    bunch = Bunch(np.random.default_rng(4).normal(size=(3, 1000)), {"period_ns": np.full(3, 10.0)})
    found = noise_spectrum(bunch, CHAIN, is_whole_record=True)
    assert (found.stretch, found.taper) == ((0, 1000), "hann")


def test_noise_without_a_period_is_in_cycles_a_sample() -> None:
    bunch = Bunch(np.random.default_rng(5).normal(size=(3, 1000)), {})
    found = noise_spectrum(bunch, CHAIN, is_whole_record=False)
    assert not found.is_period_known
    assert found.frequencies[-1] == pytest.approx(0.5)


def test_a_waveform_with_nan_is_left_out_of_the_mean() -> None:
    waves = np.random.default_rng(6).normal(size=(3, 1000))
    waves[1, 10] = np.nan
    found = noise_spectrum(Bunch(waves, {}), CHAIN, is_whole_record=False)
    assert found.n_waveforms == 2
    assert found.power == pytest.approx(psd(waves[[0, 2]], 1000.0).mean(axis=0))
