"""The documentation in the window."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QPoint, Qt, QUrl
from PyQt5.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from pygama.processing.steps import REGISTRY
from pygama_gui.bridge import Bridge
from pygama_gui.main_window import MainWindow
from pygama_gui.widgets import theme
from pygama_gui.widgets.manual import PAGES, Manual, found, read_manual, sections_of
from pygama_gui.widgets.palette import entries_of

KEY = re.compile(r"`((?:Ctrl|Shift|Alt)\+[^`]+|\?|[A-Z])`")


@pytest.fixture
def manual(qtbot: QtBot, themed: object) -> Iterator[Manual]:
    made = Manual()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


def top(manual: Manual) -> str:
    """Give the first line of the page that is in sight."""
    return manual.text.cursorForPosition(QPoint(30, 26)).block().text()


def test_a_page_is_parted_by_its_headings_and_code_has_none() -> None:
    parts = sections_of("x.md", "# The `x`\nwords\n```\n# no heading\n```\n## Below\nmore")
    assert [(one.title, one.level, one.at) for one in parts] == [("The x", 1, 0), ("Below", 2, 1)]
    assert "no heading" in parts[0].text


def test_every_processor_has_its_section() -> None:
    titles = {one.title for one in read_manual() if one.page == "reference/processors.md"}
    of_library = (one for one in REGISTRY.values() if one.function.__module__.startswith("pygama."))
    assert {one.name for one in of_library} <= titles


def test_sections_named_by_the_words_come_first() -> None:
    first, *others = found("trap_filter", read_manual())
    assert first.title == "trap_filter"
    assert "trap_max" in [one.title for one in others]


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        text = theme.resource(f"docs/{page}").read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#]+)", text):
            if "://" not in link:
                assert (theme.resource(f"docs/{page}").parent / link).exists(), f"{page}: {link}"


def test_what_is_found_is_shown_at_its_heading(qtbot: QtBot, manual: Manual) -> None:
    assert top(manual) == "The window"
    qtbot.keyClicks(manual.field, "pole_zero undo decay")
    assert manual.list.currentItem().text().strip() == "pole_zero"
    assert top(manual) == "pole_zero"
    qtbot.keyClick(manual.field, Qt.Key.Key_Down)
    assert top(manual) == "double_pole_zero"
    manual.field.setText("xyzzy")
    assert manual.list.item(0).text() == "Nothing of this name"


def test_links_go_to_pages_and_sections(manual: Manual) -> None:
    manual.text.anchorClicked.emit(QUrl("cuts.md"))
    assert top(manual) == "Cuts"
    manual.text.anchorClicked.emit(QUrl("reference/processors.md#t0"))
    assert top(manual) == "t0"
    manual.text.anchorClicked.emit(QUrl("#trap_filter"))
    assert top(manual) == "trap_filter"


def test_pictures_are_found(manual: Manual) -> None:
    manual.text.anchorClicked.emit(QUrl("reference/processors.md#trap_filter"))
    name = QUrl("pictures/trap_filter.png")
    picture = manual.text.document().resource(QTextDocument.ResourceType.ImageResource, name)
    assert not picture.isNull()


def test_the_page_on_the_window_names_only_what_the_menus_have(qtbot: QtBot, themed: object) -> None:
    window = MainWindow(Bridge(), remembers=False)
    qtbot.addWidget(window)
    entries = entries_of(window.menuBar())
    menus = {entry.place for entry in entries}
    whole = {f"{entry.place} › {entry.words}".partition(":")[0] for entry in entries}
    keys = {key.toString() for entry in entries for key in entry.action.shortcuts()}
    text = theme.resource("docs/window.md").read_text(encoding="utf-8")
    named = [one.replace("\n", " ").replace(" > ", " › ") for one in re.findall(r"\*([^*]+)\*", text)]
    assert len(named) > 20
    assert [one for one in named if one not in whole | menus and one not in ("Trends", "Channels")] == []
    named_keys = KEY.findall(text)
    assert len(named_keys) > 8
    assert [key for key in named_keys if key not in keys] == []
    window.close()
