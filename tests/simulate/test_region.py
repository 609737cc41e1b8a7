import numpy as np
import pytest

from pygama.errors import SettingsError
from pygama.simulate import RegionTruth, draw_region

RNG = np.random.default_rng


def test_a_tail_moves_the_mean_and_the_background_its_share():
    truth = RegionTruth(0, 200, ((40_000, 100.0),), 3.0, tail_fraction=0.25, tail_slope=8.0)
    values = draw_region(RNG(1), truth)
    assert len(values) == pytest.approx(40_000, abs=800)
    # a quarter comes 8 too low on average
    assert values.mean() == pytest.approx(98.0, abs=0.12)


def test_a_background_falls_by_its_slope():
    values = draw_region(RNG(2), RegionTruth(0, 100, (), 1.0, background=500.0, slope=-0.6))
    # 500 a unit: 25000 below the middle times 1 + 0.6/2, and above times 1 - 0.6/2
    assert np.histogram(values, (0, 50, 100))[0] == pytest.approx([32_500, 17_500], abs=800)


def test_a_step_lies_below_its_peak():
    truth = RegionTruth(0, 200, ((10_000, 150.0),), 2.0, step=0.05)
    values = draw_region(RNG(3), truth)
    # 0.05 of the height 10000 / (2 sqrt(2π)) = 1994.7 a unit
    assert (values < 100).sum() == pytest.approx(9974, abs=400)
    assert not (values > 162).any()


def test_a_background_below_nothing_is_refused():
    with pytest.raises(SettingsError, match="between -1 and 1, not at '1.5'"):
        draw_region(RNG(4), RegionTruth(0, 1, (), 1.0, background=5.0, slope=1.5))
