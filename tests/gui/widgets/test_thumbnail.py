"""Tests the small waveforms on the cards of steps."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt5.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from pygama_gui.widgets import theme
from pygama_gui.widgets.thumbnail import GAP, MOST_AFTER, Pictured, Thumbnail


def test_numbers_have_the_room_they_need_before_the_waveform_has_half(qtbot: QtBot) -> None:
    thumbnail = Thumbnail()
    qtbot.addWidget(thumbnail)
    words = "bl_slope −0.00107 ADC"
    needed = QFontMetricsF(theme.font(theme.SMALL)).horizontalAdvance(words)
    thumbnail.resize(round(needed / 0.6) + GAP, 34)
    wave, room = np.arange(10.0), float(thumbnail.width() - GAP)
    assert thumbnail.room_after(Pictured(wave, wave)) == room / 2
    assert thumbnail.room_after(Pictured(wave, words=("1",))) == room / 2
    assert needed < thumbnail.room_after(Pictured(wave, words=("1", words))) < 0.62 * room
    assert thumbnail.room_after(Pictured(wave, words=(words * 3,))) == pytest.approx(MOST_AFTER * room)
