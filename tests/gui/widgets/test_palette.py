"""Tests the list of commands: what is found by which letters, and that all goes by keys."""

from __future__ import annotations

import pytest
from PyQt5 import sip
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAction, QLineEdit, QMainWindow, QMenu
from pytestqt.qtbot import QtBot

from pygama_gui.widgets import menu_words
from pygama_gui.widgets.palette import Entry, Palette, entries_of, found


@pytest.fixture
def window(qtbot: QtBot, themed: object) -> QMainWindow:
    made = QMainWindow()
    qtbot.addWidget(made)
    made.setCentralWidget(QLineEdit())
    made.done = []  # type: ignore[attr-defined]
    for name, inside in (("&File", ["&Save session", "Save settings…", "&Quit"]), ("&View", ["Dark theme"])):
        menu = made.menuBar().addMenu(name)
        for words in inside:
            _add(made, menu, words)
    inner = made.menuBar().actions()[1].menu().addMenu("&Layout")
    _add(made, inner, "&Tune").setEnabled(False)
    recent = made.menuBar().actions()[0].menu().addMenu("Recent")
    recent.aboutToShow.connect(lambda: (recent.clear(), _add(made, recent, "Run 72")))
    made.resize(800, 600)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    return made


def _add(window: QMainWindow, menu: QMenu, words: str) -> QAction:
    action = menu.addAction(words)
    action.triggered.connect(lambda: window.done.append(words))  # type: ignore[attr-defined]
    return action


def words_found(window: QMainWindow, query: str) -> list[str]:
    return [entry.words for entry in found(query, entries_of(window.menuBar()))]


def test_every_action_of_every_menu_is_listed_and_menus_are_filled_for_it(window: QMainWindow) -> None:
    assert words_found(window, "") == [
        "Save session",
        "Save settings…",
        "Quit",
        "Run 72",
        "Dark theme",
        "Tune",
    ]
    assert [entry.place for entry in entries_of(window.menuBar())][3:] == [
        "File › Recent",
        "View",
        "View › Layout",
    ]


def test_commands_come_before_what_lies_deep_in_menus(window: QMainWindow) -> None:
    kinds = window.menuBar().actions()[0].menu().addMenu("Add a step").addMenu("Lookup")
    _add(window, kinds, "calibrate")
    _add(window, window.menuBar().actions()[1].menu(), "Calibrate all channels")
    assert words_found(window, "calibrate") == ["Calibrate all channels", "calibrate"]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("sess", "Save session"),
        ("set save", "Save settings…"),
        ("SAVE", "Save session"),
        ("layout", "Tune"),
        ("drk", "Dark theme"),
        ("72", "Run 72"),
    ],
)
def test_a_few_letters_find_a_command(window: QMainWindow, query: str, first: str) -> None:
    assert words_found(window, query)[0] == first


def test_every_word_must_fit(window: QMainWindow) -> None:
    assert words_found(window, "save moon") == []


def test_words_that_only_fill_a_sentence_need_not_fit(window: QMainWindow) -> None:
    assert words_found(window, "how do i save the session") == ["Save session"]
    assert words_found(window, "the") == ["Dark theme"]


def test_words_that_stand_together_in_a_name_come_first(window: QMainWindow) -> None:
    saving, settings, quitting = window.menuBar().actions()[0].menu().actions()[:3]
    saving.setText("Save the session and all settings")
    menu_words.name(quitting, "&Quit | leave settings save")
    assert words_found(window, "save settings") == ["Save settings…", saving.text(), "Quit"]
    settings.setText("Settings, to be saved")
    menu_words.name(quitting, "&Quit | leave save settings")
    assert words_found(window, "save settings")[0] == "Quit"


def test_what_undo_takes_back_does_not_name_it(window: QMainWindow) -> None:
    edit = window.menuBar().addMenu("Edit")
    _add(window, edit, "Undo: save session")
    assert words_found(window, "save session") == ["Save session", "Undo: save session"]
    assert words_found(window, "undo save") == ["Undo: save session"]


def test_a_command_is_found_by_a_name_that_it_has_elsewhere_after_those_that_have_it_here(
    window: QMainWindow,
) -> None:
    quitting = window.menuBar().actions()[0].menu().actions()[2]
    assert words_found(window, "exit") == []
    menu_words.name(quitting, "&Quit | exit dark")
    assert words_found(window, "exit") == ["Quit"]
    assert words_found(window, "dark") == ["Dark theme", "Quit"]


def test_all_in_a_menu_is_found_by_another_name_of_the_menu(window: QMainWindow) -> None:
    menu = window.menuBar().actions()[1].menu()
    menu_words.name_menu(menu, "&View | appearance")
    assert words_found(window, "appearance") == ["Dark theme", "Tune"]
    assert words_found(window, "appearance dark") == ["Dark theme"]


def test_letters_scattered_over_several_words_find_nothing(window: QMainWindow) -> None:
    assert words_found(window, "drk") == ["Dark theme"]
    assert words_found(window, "dthm") == []


def test_what_a_menu_only_tells_is_no_command(window: QMainWindow) -> None:
    menu_words.add_note(window.menuBar().actions()[0].menu(), "nothing moonlit yet")
    assert words_found(window, "moonlit") == []


def test_the_command_of_the_view_with_the_focus_comes_first(window: QMainWindow) -> None:
    view = window.menuBar().actions()[1].menu()
    zooms = [QAction("Zoom", window), QAction("Zoom", window.centralWidget())]
    view.addActions(zooms)
    near = found("zoom", entries_of(window.menuBar()), window.centralWidget())
    assert [entry.action for entry in near] == zooms[::-1]
    assert [entry.action for entry in found("zoom", entries_of(window.menuBar()))] == zooms


def test_of_what_fits_equally_well_that_which_cannot_be_done_now_stands_last(window: QMainWindow) -> None:
    assert words_found(window, "t")[:2] == ["Dark theme", "Tune"]
    assert words_found(window, "tune")[0] == "Tune"


def open_palette(window: QMainWindow, qtbot: QtBot) -> Palette:
    window.centralWidget().setFocus()
    qtbot.waitUntil(window.centralWidget().hasFocus)
    palette = Palette(window, window.menuBar())
    palette.open()
    qtbot.waitUntil(palette.field.hasFocus)
    return palette


def test_return_does_what_is_chosen_and_gives_the_focus_back(qtbot: QtBot, window: QMainWindow) -> None:
    palette = open_palette(window, qtbot)
    qtbot.keyClicks(palette.field, "save")
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    with qtbot.waitSignal(palette.destroyed):
        qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.done == ["Save settings…"]  # type: ignore[attr-defined]
    assert window.centralWidget().hasFocus()


def test_escape_closes_it_and_does_nothing(qtbot: QtBot, window: QMainWindow) -> None:
    palette = open_palette(window, qtbot)
    with qtbot.waitSignal(palette.destroyed):
        qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert window.done == []  # type: ignore[attr-defined]
    assert window.centralWidget().hasFocus()


def test_it_closes_when_the_focus_goes_elsewhere(qtbot: QtBot, window: QMainWindow) -> None:
    palette = open_palette(window, qtbot)
    window.centralWidget().setFocus()
    assert not palette.isVisible()


def test_a_command_that_cannot_be_done_now_is_not_done(qtbot: QtBot, window: QMainWindow) -> None:
    palette = open_palette(window, qtbot)
    qtbot.keyClicks(palette.field, "tune")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    assert window.done == []  # type: ignore[attr-defined]
    palette.leave()


def test_a_menu_that_is_filled_anew_takes_its_commands_out_of_the_open_list(
    qtbot: QtBot, window: QMainWindow
) -> None:
    palette = open_palette(window, qtbot)
    qtbot.keyClicks(palette.field, "run")
    assert [entry.words for entry in palette.shown] == ["Run 72"]
    palette.shown[0].action.parent().clear()
    assert not palette.grab().isNull()
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.done == []  # type: ignore[attr-defined]
    qtbot.keyClicks(palette.field, " 72")
    assert palette.shown == []
    palette.leave()


def test_it_closes_where_what_had_the_focus_is_gone(qtbot: QtBot, window: QMainWindow) -> None:
    palette = open_palette(window, qtbot)
    sip.delete(window.takeCentralWidget())
    with qtbot.waitSignal(palette.destroyed):
        qtbot.keyClick(palette.field, Qt.Key.Key_Escape)


def test_nothing_found_does_nothing(qtbot: QtBot, window: QMainWindow) -> None:
    palette = open_palette(window, qtbot)
    qtbot.keyClicks(palette.field, "zzz")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.shown == []
    assert palette.list.item(0).text() == "Nothing can be done by this name"
    assert palette.isVisible()
    palette.leave()


def test_an_ampersand_in_a_name_is_kept(qtbot: QtBot, window: QMainWindow) -> None:
    _add(window, window.menuBar().actions()[0].menu(), "Cut && paste")
    entry: Entry = found("cut", entries_of(window.menuBar()))[0]
    assert entry.words == "Cut & paste"
