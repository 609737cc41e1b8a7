"""Everything that happened, as lines."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.views.log import LogView
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
