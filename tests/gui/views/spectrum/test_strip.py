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
