"""Walks all controls and actions of the window: named, in a menu, reached by Tab, one key for one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractScrollArea,
    QAbstractSpinBox,
    QAction,
    QApplication,
    QComboBox,
    QDockWidget,
    QLineEdit,
    QMenu,
    QMenuBar,
    QScrollBar,
    QToolBar,
    QWidget,
    QWidgetAction,
)
from pyqtgraph import GraphicsScene
from pytestqt.qtbot import QtBot

from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.layouts import LAYOUTS
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes
from pygama_gui.widgets import menu_words
from pygama_gui.widgets.palette import Palette, entries_of

WAIT_MS = 60_000
MOST_TABS = 400


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    """A window that shows a run that was processed, and all its panels."""
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=60, n_samples=1200, pulse_at=500))
    process_run(raw, output_dir=tmp_path)
    made = open_window(output_dir=tmp_path, size=(1600, 1200))
    made.bridge.change(changes.process_on_add, False)
    made.arrivals.add_paths([raw])
    for dock in made.findChildren(QDockWidget):
        dock.show()
    qtbot.waitUntil(lambda: made.spectrum.shown() is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: made.waveforms.bar.channel.isVisible(), timeout=WAIT_MS)
    made.banner.say("Something to read", "and its details", remedies=[("Mend", lambda: None)])
    made.runs.show_refused(((tmp_path / "notes", "not a run"),))
    made.activateWindow()
    QApplication.processEvents()
    return made


def is_ours(widget: QWidget) -> bool:
    """Leave out what Qt makes for itself inside its own controls, and what hands its focus on."""
    outside, is_inner = widget.parentWidget(), widget.objectName().startswith("qt_")
    while outside is not None:
        is_inner |= isinstance(outside, QComboBox | QAbstractSpinBox)
        outside = outside.parentWidget()
    is_viewport = isinstance(widget.parentWidget(), QAbstractScrollArea) and not widget.accessibleName()
    return not is_inner and not is_viewport and not isinstance(widget, QMenu | QMenuBar | QScrollBar)


def focusable(window: MainWindow) -> list[QWidget]:
    widgets = [widget for widget in window.findChildren(QWidget) if is_ours(widget)]
    return [widget for widget in widgets if widget.focusPolicy() != Qt.FocusPolicy.NoFocus]


def test_every_control_has_a_name_for_screen_readers(window: MainWindow) -> None:
    controls = focusable(window)
    assert len(controls) > 40
    assert [_seen(widget) for widget in controls if not widget.accessibleName().strip()] == []


def _seen(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName()!r} in {type(widget.parentWidget()).__name__}"


def actions_in_menus(menu_bar: QMenuBar) -> list[QAction]:
    return [entry.action for entry in entries_of(menu_bar)]


def test_every_action_is_in_a_menu(window: MainWindow) -> None:
    in_menus = actions_in_menus(window.menuBar())
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # what was in menus before
    of_fixed_bars = [bar.toggleViewAction() for bar in window.findChildren(QToolBar)]
    # Of panels that lie on each other, the menu has what brings them to the front.
    of_fixed_bars += [dock.toggleViewAction() for dock in window.bottom_docks]
    menus = [menu.menuAction() for menu in window.findChildren(QMenu)]
    others = [
        action.text()
        for action in window.findChildren(QAction)
        if action.text()
        and not action.isSeparator()
        and not menu_words.is_note(action)
        and not isinstance(action, QWidgetAction)
        and not any(action is known for known in (*in_menus, *of_fixed_bars, *menus))
        and not isinstance(action.parent(), QLineEdit | GraphicsScene)  # their own menus, never shown
    ]
    assert others == []


def test_no_two_entries_of_a_menu_have_the_same_words_or_letter(window: MainWindow) -> None:
    def menus(menu: QMenu) -> Iterator[QMenu]:
        yield menu
        for action in menu.actions():
            if action.menu() is not None:
                yield from menus(action.menu())

    for top in window.menuBar().actions():
        for menu in menus(top.menu()):
            entries = [action for action in menu.actions() if not action.isSeparator()]
            words = Counter(action.text() for action in entries)
            assert [text for text, n in words.items() if n > 1] == []
            letters = Counter(mnemonic(action.text()) for action in entries)
            assert [(menu.title(), letter) for letter, n in letters.items() if letter and n > 1] == []


def mnemonic(text: str) -> str:
    at = text.replace("&&", "  ").find("&")
    return text[at + 1].lower() if at >= 0 else ""


def test_no_key_means_two_things_wherever_the_focus_is(window: MainWindow) -> None:
    everywhere = [
        action
        for action in actions_in_menus(window.menuBar())
        if action.shortcutContext() == Qt.ShortcutContext.WindowShortcut
    ]
    for widget in focusable(window):
        here = list(everywhere)
        place: QWidget | None = widget
        while place is not None:
            here += [
                action
                for action in place.actions()
                if action.shortcutContext() == Qt.ShortcutContext.WidgetWithChildrenShortcut
            ]
            place = place.parentWidget()
        keys = Counter(
            key.toString()
            for action in {id(action): action for action in here}.values()
            for key in action.shortcuts()
        )
        assert [(_seen(widget), key) for key, n in keys.items() if n > 1] == []


@pytest.mark.parametrize("layout", [layout.name for layout in LAYOUTS])
def test_tab_reaches_every_control_that_can_be_used(qtbot: QtBot, window: MainWindow, layout: str) -> None:
    """By name: the fields of a step are made anew when Tab comes to its card."""
    window.layouts.choose(layout)
    QApplication.processEvents()
    wanted = {
        widget.accessibleName()
        for widget in focusable(window)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled()
    }
    reached = {widget.accessibleName() for widget in go_round(qtbot, window)}
    assert sorted(wanted - reached) == []
    assert len(wanted) > 10


def test_tab_goes_through_the_options_in_their_order(qtbot: QtBot, window: MainWindow) -> None:
    reached = [widget.accessibleName() for widget in go_round(qtbot, window)]
    assert reached.index("window") == reached.index("digitizer") + 1


def go_round(qtbot: QtBot, window: MainWindow) -> Iterator[QWidget]:
    """Press Tab until the focus is where it began."""
    window.tabs.setFocus()
    qtbot.waitUntil(window.tabs.hasFocus, timeout=WAIT_MS)
    yield window.tabs
    for _ in range(MOST_TABS):
        at = QApplication.focusWidget()
        QTest.keyClick(at, Qt.Key.Key_Tab)
        QApplication.processEvents()  # fields of a step that was chosen come
        now = QApplication.focusWidget()
        assert now is not at, f"Tab stays in {_seen(at)}"
        if now is window.tabs:
            return
        yield now
    raise AssertionError("Tab never comes back")


def test_the_palette_opens_from_a_field_too(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(window.waveforms.bar.place.isEnabled, timeout=WAIT_MS)
    window.waveforms.bar.place.setFocus()
    qtbot.waitUntil(window.waveforms.bar.place.hasFocus, timeout=WAIT_MS)
    QTest.keyClick(window.waveforms.bar.place, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    (palette,) = window.findChildren(Palette)
    qtbot.waitUntil(palette.field.hasFocus, timeout=WAIT_MS)
    qtbot.keyClicks(palette.field, "on shift")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.bridge.session.layout == "On shift"


def test_the_palette_knows_every_action_and_every_key(window: MainWindow) -> None:
    entries = entries_of(window.menuBar())
    listed = {key for entry in entries for key in entry.keys.split(", ") if key}
    written = {
        action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        for action in window.findChildren(QAction)
        if not action.shortcut().isEmpty()
    }
    assert written == listed | {","}
    assert any(entry.words == "trap_filter" and entry.place.startswith("Chain") for entry in entries)
