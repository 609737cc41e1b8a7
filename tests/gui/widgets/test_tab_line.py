"""Tests that tabs stand closer before their words are cut."""

import pytest
from pytestqt.qtbot import QtBot

from pygama_gui.widgets import theme
from pygama_gui.widgets.tab_line import CLOSE, PADDING, TabLine

NAMES = ("Overview", "Waveforms", "Spectrum", "Plane", "Trends", "Channels")


@pytest.fixture
def tabs(qtbot: QtBot) -> TabLine:
    theme.apply("light")
    made = TabLine(NAMES)
    qtbot.addWidget(made)
    made.show()
    return made


def texts_fit(tabs: TabLine) -> bool:
    """Tell whether each tab is as wide as its words in bold at least."""
    advance = tabs.fontMetrics().horizontalAdvance
    return all(tabs.tabRect(at).width() >= advance(name) for at, name in enumerate(NAMES))


def test_tabs_stand_closer_before_their_words_are_cut(tabs: TabLine) -> None:
    tabs.resize(tabs.wanted_width, 40)
    wide = tabs.tabRect(len(NAMES) - 1).right()
    tabs.resize(tabs.wanted_width - 80, 40)
    assert tabs.tabRect(len(NAMES) - 1).right() < min(wide, tabs.width())
    assert texts_fit(tabs)
    tabs.resize(tabs.wanted_width + 10, 40)
    assert tabs.tabRect(len(NAMES) - 1).right() == wide


def test_tabs_are_written_smaller_before_their_words_are_cut(tabs: TabLine) -> None:
    tabs.resize(1000, 40)
    usual = tabs.fontInfo().pixelSize()
    tabs.resize(tabs.wanted_width - 2 * (PADDING - CLOSE) * len(NAMES) - 8, 40)
    assert tabs.fontInfo().pixelSize() < usual
    assert texts_fit(tabs)
    assert tabs.tabRect(len(NAMES) - 1).right() < tabs.width()
    tabs.resize(1000, 40)
    assert tabs.fontInfo().pixelSize() == usual
