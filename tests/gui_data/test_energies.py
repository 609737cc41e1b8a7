"""Tests that energies are those of each channel's curve, and that fitted peaks calibrate."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration, Recipe
from pygama.analysis.curves import Curve
from pygama.analysis.lines import lines_of
from pygama.analysis.region_fit import FittedPeak
from pygama_gui.data.channels import codes_of
from pygama_gui.data.energies import CHUNK, all_energies, calibrated, energies, from_peaks

NO_ERRORS = ((0.0, 0.0), (0.0, 0.0))
CALIBRATION = Calibration(
    "trap_max",
    channels=MappingProxyType(
        {
            "0/5/0": ChannelCalibration(Curve((1.0, 2.0), NO_ERRORS)),
            "0/5/1": ChannelCalibration(Curve((0.0, 3.0), NO_ERRORS)),
            "0/5/2": ChannelCalibration(refused="too faint"),
        }
    ),
)


def test_each_row_gets_the_curve_of_its_channel() -> None:
    values = np.array([1.0, 1.0, 1.0, np.nan, 2.0])
    codes = codes_of({"card": np.full(5, 5), "channel": np.array([0, 1, 2, 0, np.nan])})
    assert energies(CALIBRATION, values, codes)[:2].tolist() == [3.0, 3.0]
    assert np.isnan(energies(CALIBRATION, values, codes)[2:]).all()


def test_many_rows_are_worked_on_in_pieces() -> None:
    n = CHUNK + 77
    values, channel = np.arange(n, dtype=float), np.arange(n) % 2
    found = energies(CALIBRATION, values, codes_of({"card": np.full(n, 5), "channel": channel}))
    assert (found == np.where(channel == 0, 1.0 + 2.0 * values, 3.0 * values)).all()


def test_a_run_that_does_not_tell_channels_apart_takes_the_only_curve() -> None:
    curve = ChannelCalibration(Curve((0.0, 2.0), NO_ERRORS))
    alone = Calibration("x", channels=MappingProxyType({"0/0/0": curve}))
    assert energies(alone, np.array([1.5]), None).tolist() == [3.0]
    assert np.isnan(energies(CALIBRATION, np.array([1.5]), None)).all()


def test_columns_that_are_not_there_give_no_energies() -> None:
    assert all_energies((CALIBRATION,), {"bl_int": np.zeros(3)}, None) == {}


def thorium(gain: float, n: int = 60_000, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    lines = [line for line in lines_of("Th-228") if line.intensity]
    share = np.array([line.intensity * np.exp(-line.energy_kev / 900) for line in lines])
    true = np.array([line.energy_kev for line in lines])[
        rng.choice(len(lines), n // 3, p=share / share.sum())
    ]
    peaks = rng.normal(true, np.sqrt(0.8 + 0.0022 * true) / 2.355)
    return gain * np.concatenate([peaks, rng.exponential(500, n // 2) + 20, rng.uniform(20, 2600, n // 6)])


def test_channels_are_calibrated_each_by_itself() -> None:
    values = np.concatenate([thorium(14.7), thorium(19.1, seed=2)])
    codes = np.repeat([5 * 1024, 5 * 1024 + 1], 60_000)
    found = calibrated(
        values, codes, [5 * 1024, 5 * 1024 + 1], Recipe(("Th-228",)), column="trap_max", made_from=("Run1",)
    )
    gains = [one.curve.gain for one in found.channels.values()]
    assert list(found.channels) == ["0/5/0", "0/5/1"]
    assert gains == pytest.approx([14.7, 19.1], rel=5e-4)


def test_peaks_that_were_fitted_carry_the_curve() -> None:
    found = calibrated(
        thorium(14.7), None, [0], Recipe(("Th-228",)), column="trap_max", made_from=()
    ).channels["0/0/0"]
    places = [
        (line, 14.7 * line.energy_kev) for line in found.lines if line.is_used and line.energy_kev > 200
    ][:4]
    peaks = [FittedPeak(at, 0.5, 20.0, 0.6, 36.0, 1.0, 1000.0, 40.0) for _, at in places]
    stray = FittedPeak(14.7 * 1234.5, 0.5, 20.0, 0.6, 36.0, 1.0, 50.0, 9.0)
    anew = from_peaks(found, [*peaks, stray], Recipe(("Th-228",)))
    assert [line.energy_kev for line in anew.lines] == [line.energy_kev for line, _ in places]
    assert anew.curve.gain == pytest.approx(14.7, rel=1e-6)
    assert anew.resolution is not None


def test_too_few_fitted_peaks_are_refused_in_words() -> None:
    found = calibrated(
        thorium(14.7), None, [0], Recipe(("Th-228",)), column="trap_max", made_from=()
    ).channels["0/0/0"]
    peak = FittedPeak(14.7 * 2614.511, 0.5, 20.0, 0.6, 36.0, 1.0, 1000.0, 40.0)
    assert "1 of the fitted peaks" in from_peaks(found, [peak], Recipe(("Th-228",))).refused
