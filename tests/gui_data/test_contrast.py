"""Tests how waveforms inside and outside of a cut are set against each other."""

from __future__ import annotations

import numpy as np
import pytest

from pygama_gui.data.contrast import contrast
from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import Look

RAW = Look(is_above_baseline=False)
SIZE = (100, 50)


def bunch(*rows: list[float]) -> Bunch:
    return Bunch(np.array(rows), {"period_ns": np.full(len(rows), 10.0)})


def compared(inside: Bunch | None, outside: Bunch | None):  # noqa: ANN201
    return contrast(inside, outside, (), RAW, (None, None), SIZE)


def test_the_difference_is_positive_where_the_inside_lies_and_sums_to_zero() -> None:
    found = compared(bunch([8.0, 8.0], [8.0, 8.0]), bunch([2.0, 2.0]))
    assert found is not None
    assert found.inside is not None and found.outside is not None
    assert (found.inside.n_waveforms, found.outside.n_waveforms) == (2, 1)
    difference = found.difference
    assert difference is not None
    high, low = difference[:, 25:], difference[:, :25]
    assert high.max() == pytest.approx(1) and high.min() == 0
    assert low.min() == pytest.approx(-1) and low.max() == 0
    assert difference.sum() == pytest.approx(0)


def test_equal_sides_do_not_differ() -> None:
    found = compared(bunch([1.0, 5.0], [2.0, 3.0]), bunch([1.0, 5.0], [2.0, 3.0]))
    assert found is not None
    assert found.difference is not None
    assert not found.difference.any()


def test_both_sides_have_one_frame() -> None:
    found = compared(bunch([0.0, 10.0]), bunch([-10.0, 0.0]))
    assert found is not None
    assert found.inside is not None and found.outside is not None
    assert found.inside.density.y_range == found.outside.density.y_range == found.frame[1]
    assert found.frame[1][0] < -10 < 10 < found.frame[1][1]


def test_a_side_without_waveforms_is_none() -> None:
    found = compared(bunch([0.0, 1.0]), None)
    assert found is not None
    assert found.outside is None
    assert found.difference is None
    assert compared(None, None) is None
