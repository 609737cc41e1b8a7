"""Everything that happened, as lines."""

from __future__ import annotations

import time

import pytest
from PyQt5.QtCore import QEvent, QPoint
from PyQt5.QtGui import QHelpEvent
from PyQt5.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.session import places
from pygama_gui.views.log import LastLineView, LogView
from pygama_gui.widgets import theme


def test_another_theme_recolours_all_lines_at_once(qtbot: QtBot, bridge: Bridge) -> None:
    view = LogView(bridge)
    qtbot.addWidget(view)
    for n in range(40):
        bridge.log(f"Run {n}: done", ("info", "error")[n % 2])
    before = view.text.toPlainText()
    assert before.count("\n") == 39
    edits: list[int] = []
    view.text.textChanged.connect(lambda: edits.append(1))
    theme.apply("dark")
    view.recolor()
    assert view.text.toPlainText() == before
    assert len(edits) == 1
    document = view.text.document()
    assert document is not None
    colors = []
    for block in (document.firstBlock(), document.lastBlock()):
        colors.append(block.begin().fragment().charFormat().foreground().color().name().lower())
    assert colors == [theme.current().tokens[token].lower() for token in ("soft", "bad")]
    theme.apply("light")


def test_an_empty_log_says_where_that_of_earlier_stands(qtbot: QtBot, bridge: Bridge) -> None:
    view = LogView(bridge)
    qtbot.addWidget(view)
    assert str(places.log_file()) in view.text.placeholderText()
    view.show()
    qtbot.waitExposed(view)
    image = view.text.viewport().grab().toImage()
    drawn = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert theme.current().color("soft").rgb() in drawn  # it is to be read, and no hint


@pytest.mark.usefixtures("in_tokyo")
def test_lines_have_their_time_in_utc_and_that_on_the_wall_under_the_mouse(
    qtbot: QtBot, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_537_871_000.0)
    view, last = LogView(bridge), LastLineView(bridge)
    qtbot.addWidget(view)
    qtbot.addWidget(last)
    bridge.log("it broke", "error")
    assert view.text.toPlainText() == last.line.text() == "10:23:20 UTC  ✕ it broke"
    assert bridge.lines[-1] == "2018-09-25 10:23:20 UTC error: it broke"
    local = "2018-09-25 19:23:20 JST (local time)"
    assert last.line.toolTip() == f"10:23:20 UTC  ✕ it broke\n{local}"
    port = view.text.viewport()
    assert port is not None
    at = port.rect().topLeft() + QPoint(9, 9)
    QApplication.sendEvent(port, QHelpEvent(QEvent.Type.ToolTip, at, port.mapToGlobal(at)))
    assert QToolTip.text() == local
    QToolTip.hideText()
