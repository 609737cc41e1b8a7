"""Tests how loud a channel is told to be beside its calmest time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pygama.progress import Partial
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.loudness import N_JUST_NOW, N_STRETCH, Loudness, noise_of


def waveforms(n: int, rms: float, rng: np.random.Generator) -> np.ndarray:
    """Give records of a baseline of 8000 ADC that falls, with white noise."""
    return np.rint(8000.0 - 0.05 * np.arange(2000) + rng.normal(0.0, rms, (n, 2000))).astype(np.uint16)


def fed(*stretches: np.ndarray) -> Loudness:
    made = Loudness()
    for waveform in np.concatenate(stretches):
        made.take(7, waveform)
    return made


def test_the_noise_of_a_record_is_that_of_its_beginning() -> None:
    (record,) = waveforms(1, 3.0, np.random.default_rng(1))
    record[250:] += 30_000
    assert noise_of(record) == pytest.approx(3.0, rel=0.15)
    assert math.isnan(noise_of(record[:100]))


def test_a_channel_that_grew_loud_is_so_beside_its_calmest_time() -> None:
    rng = np.random.default_rng(2)
    calm, loud = waveforms(N_STRETCH, 3.0, rng), waveforms(N_JUST_NOW, 12.0, rng)
    assert fed(calm).ratios()[7] == pytest.approx(1.0, abs=0.1)
    assert fed(calm, loud).ratios()[7] == pytest.approx(4.0, rel=0.1)
    assert fed(calm, *[loud] * 20).ratios()[7] == pytest.approx(4.0, rel=0.1)


def test_one_loud_waveform_makes_no_loud_channel() -> None:
    rng = np.random.default_rng(3)
    assert fed(waveforms(40, 3.0, rng), waveforms(1, 300.0, rng)).ratios()[7] == pytest.approx(1.0, abs=0.15)


def test_waveforms_of_a_run_under_way_tell_how_loud_its_channels_are() -> None:
    records = waveforms(N_STRETCH, 3.0, np.random.default_rng(5))
    live = LiveRun()
    live.take(Partial("D", {}, records, {"channel": np.full(N_STRETCH, 3)}))
    (ratio,) = live.samples.loudness.ratios().values()
    assert ratio == pytest.approx(1.0, abs=0.1)


def test_too_few_waveforms_tell_nothing() -> None:
    assert fed(waveforms(N_STRETCH - 1, 3.0, np.random.default_rng(4))).ratios() == {}
    assert fed(np.full((N_STRETCH, 2000), 8000, np.uint16)).ratios() == {}
