"""Tests what the strip below the spectrum has room for."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from pygama_gui.data.spectra import Compared
from pygama_gui.views.spectrum.strip import Strip


def test_the_farthest_pull_is_in_view(qtbot: QtBot, themed: object) -> None:
    strip = Strip()
    qtbot.addWidget(strip)
    pulls = np.zeros(240)
    pulls[[60, 180]] = 6.0, -5.0
    strip.draw(np.arange(241.0), Compared(pulls, np.zeros(240)), (0.0, 240.0), level=0.0, label="pull (σ)")
    low, high = strip.box.viewRange()[1]
    assert low < -5.0
    assert high > 6.0


def test_a_ratio_of_few_counts_does_not_squeeze_the_others(qtbot: QtBot) -> None:
    strip = Strip()
    qtbot.addWidget(strip)
    ratios, errors = np.ones(240), np.full(240, 0.1)
    ratios[7], errors[7] = 60.0, 60.0
    strip.draw(np.arange(241.0), Compared(ratios, errors), (0.0, 240.0), level=1.0, label="ratio")
    assert strip.box.viewRange()[1][1] < 2.0
    errors[7] = 10.0
    strip.draw(np.arange(241.0), Compared(ratios, errors), (0.0, 240.0), level=1.0, label="ratio")
    assert strip.box.viewRange()[1][1] > 20.0


def test_the_highest_difference_is_in_view(qtbot: QtBot) -> None:
    strip = Strip()
    qtbot.addWidget(strip)
    differences, errors = np.zeros(1001), np.full(1001, 1.4)
    differences[500:504], errors[500:504] = 340.0, 26.0
    strip.draw(np.arange(1002.0), Compared(differences, errors), (0.0, 1000.0), level=0.0, label="difference")
    assert strip.box.viewRange()[1][1] > 340.0
