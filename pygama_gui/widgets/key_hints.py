"""Says which key does what somebody has chosen from a menu again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from PyQt5.QtCore import QObject, QTimer
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QMenu, QMenuBar

from pygama_gui.widgets.palette import plain

TIMES = 3
"""So often something is chosen from a menu before its key is told, once."""


class KeyHints(QObject):
    """Counts what is chosen from the menus of a bar, by mouse or by the arrow keys."""

    def __init__(self, menu_bar: QMenuBar, tell: Callable[[str], None]) -> None:
        super().__init__(menu_bar)
        self._tell = tell
        self._chosen: Counter[str] = Counter()
        self._has_just_closed = False
        for top in menu_bar.actions():
            menu = top.menu()
            if menu is not None:
                self._watch(menu)

    def _watch(self, menu: QMenu) -> None:
        menu.aboutToHide.connect(self._note_closing)
        menu.triggered.connect(self._note_choice)

    def _note_closing(self) -> None:
        """Remember for this turn of the event loop: a menu closes, then does what was chosen there."""
        self._has_just_closed = True
        QTimer.singleShot(0, self._forget_closing)

    def _forget_closing(self) -> None:
        self._has_just_closed = False

    def _note_choice(self, action: QAction) -> None:
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        if not self._has_just_closed or not keys:
            return
        name = plain(action.text()).removesuffix("…")
        self._chosen[name] += 1
        if self._chosen[name] == TIMES:
            self._tell(f"{name}: {keys} does it too")
