"""Says what an action is called by others, so that it is found by the names that other programs give it.

They stand behind a bar after the words of the action, where it is made: "Search peaks | find". The menu shows
the words alone, and the list of commands finds it by both. What a menu only tells is no command at all.
"""

from __future__ import annotations

from PyQt5.QtWidgets import QAction, QMenu

BAR = " | "
_NAMES, _NOTE = "other_names", "is_note"


def name(action: QAction, words: str) -> QAction:
    """Give an action its words, and the other names that stand behind a bar."""
    shown, _, others = words.partition(BAR)
    action.setText(shown)
    action.setProperty(_NAMES, others)
    return action


def name_menu(menu: QMenu, words: str) -> None:
    """Give a menu its title, and other names by which all that is in it is found."""
    shown, _, others = words.partition(BAR)
    menu.setTitle(shown)
    menu.setProperty(_NAMES, others)


def other_names(one: QAction | QMenu) -> str:
    """Give the other names of an action or a menu, with spaces between them."""
    return one.property(_NAMES) or ""


def add_note(menu: QMenu, text: str) -> None:
    """Add a line that only tells something."""
    note = QAction(text, menu)
    note.setEnabled(False)
    note.setProperty(_NOTE, True)
    menu.addAction(note)


def is_note(action: QAction) -> bool:
    """Tell whether a line of a menu only tells something."""
    return bool(action.property(_NOTE))
