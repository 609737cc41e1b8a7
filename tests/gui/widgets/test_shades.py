"""Tests the bar that explains the colours of counts."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from pygama_gui.data.plane import Scale
from pygama_gui.widgets import theme
from pygama_gui.widgets.shades import ShadeBar


@pytest.mark.usefixtures("themed")
def test_the_bar_says_what_its_numbers_are(qtbot: QtBot) -> None:
    bar = ShadeBar((6, 40))
    qtbot.addWidget(bar)
    bar.setFont(theme.font(theme.SMALL))
    assert bar.quantity == ""
    for is_share, said in ((False, "counts"), (True, "of slice")):
        bar.show_scale(Scale(0.5, is_log=False, is_share=is_share))
        assert bar.quantity == said
        assert bar.fontMetrics().horizontalAdvance(said) <= bar.sizeHint().width() - 4
