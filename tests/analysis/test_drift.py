from types import MappingProxyType

import numpy as np
import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration, MatchedLine, Recipe, calibrate
from pygama.analysis.curves import Curve
from pygama.analysis.drift import Drift, compare, report
from pygama.errors import SettingsError


def at(position, error=0.3, *, slope=0.5, is_used=True):
    curve = Curve((0.0, slope), ((0.0, 0.0), (0.0, (1e-4 * slope) ** 2)))
    line = MatchedLine("Tl-208", 2614.511, 0.01, position=position, position_error=error, is_used=is_used)
    return ChannelCalibration(curve=curve, lines=(line,))


def calibration(column="trap_max", **channels):
    places = {name.replace("_", "/")[1:]: one for name, one in channels.items()}
    return Calibration(column, channels=MappingProxyType(places))


def test_a_line_moves_by_the_ratio_of_its_positions():
    old, new = calibration(c0_8_2=at(5000.0, 0.3)), calibration(c0_8_2=at(4995.0, 0.4))
    (line,) = [drift for drift in compare(old, new) if drift.energy_kev]
    assert line.shift == pytest.approx(-0.001)
    assert line.error == pytest.approx(1e-4, rel=2e-3)  # 0.5 of 5000
    assert line.significance == pytest.approx(10, rel=2e-3)


def test_the_gain_is_compared_as_well():
    (gain, _) = compare(calibration(c0_8_2=at(5000.0)), calibration(c0_8_2=at(5000.0, slope=0.5 / 1.002)))
    assert gain.energy_kev is None
    assert gain.shift == pytest.approx(0.002)
    assert gain.error == pytest.approx(1e-4 * 2**0.5, rel=3e-3)


def test_a_shift_is_said_in_words():
    drift = Drift("0/8/2", 2614.511, "Tl-208", -0.0011, 0.0002)
    assert drift.words() == "channel 0/8/2: 2614.5 keV (Tl-208) moved by -0.11 % ± 0.02 (5.5 sigma)"
    assert drift.words("V01").startswith("V01: 2614.5 keV")
    assert Drift("0/8/2", None, "gain", 0.01, 0.002).words() == (
        "channel 0/8/2: the gain moved by +1.0 % ± 0.2 (5.0 sigma)"
    )


def test_lines_that_a_curve_was_not_fitted_to_are_not_compared():
    old, new = calibration(c0_8_2=at(5000.0)), calibration(c0_8_2=at(4000.0, is_used=False))
    assert [drift.energy_kev for drift in compare(old, new)] == [None]


def test_the_report_says_what_moved_and_what_could_not_be_compared():
    refused = ChannelCalibration(refused="no lines")
    old = calibration(c0_8_0=at(5000.0), c0_8_1=at(5000.0), c0_8_2=refused)
    new = calibration(c0_8_0=at(4990.0), c0_8_2=refused, c0_8_3=at(5000.0))
    assert list(report(old, new)) == [
        "channel 0/8/0: 2614.5 keV (Tl-208) moved by -0.200 % ± 0.008 (23.6 sigma)",
        "channel 0/8/1: not compared: calibrated only before",
        "channel 0/8/2: not compared: not calibrated",
        "channel 0/8/3: not compared: calibrated only after",
        "1 channel compared, 2 positions and gains; 1 moved by 3 sigma or more",
    ]


@pytest.mark.parametrize("sigma", [float("nan"), -1.0, float("inf")])
def test_a_significance_that_is_none_is_refused(sigma):
    old = calibration(c0_8_0=at(5000.0))
    with pytest.raises(SettingsError, match=f"the least significance is 0 sigma or more, not {sigma:g}"):
        list(report(old, old, min_sigma=sigma))
    assert "2 moved by 0 sigma or more" in list(report(old, old, min_sigma=0))[-1]


def test_calibrations_of_different_columns_are_not_compared():
    with pytest.raises(SettingsError, match="'trap_max' and of 'energy' cannot be compared"):
        compare(calibration(), calibration(column="energy"))


def test_a_drift_that_was_put_in_is_found_and_none_where_there_was_none(source_spectrum):
    rng, recipe = np.random.default_rng(1), Recipe(("Ra-226",))
    runs = [
        calibrate(source_spectrum(rng, "Ra-226", gain, 20_000), recipe) for gain in (3.3, 3.3, 3.3 * 1.002)
    ]
    first, same, moved = (calibration(c0_8_0=one) for one in runs)
    assert all(drift.significance < 4 for drift in compare(first, same))
    for drift in compare(first, moved)[1:]:
        assert abs(drift.shift - 0.002) < 4 * drift.error
