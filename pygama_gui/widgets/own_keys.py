"""Lets buttons, lists and the menu bar have the keys they are used with, though a plot has these as well.

A key of a view works wherever the focus is in it, and Qt asks the keys first: Space on a button would freeze
the picture, and Down in an open list would bring the next waveform.
"""

from __future__ import annotations

from PyQt5.QtCore import QCoreApplication, QEvent, QObject, Qt
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QMenu, QMenuBar, QWidget

from pygama_gui.widgets import menu_words

_KEYS = Qt.Key
OF_BUTTONS = frozenset({_KEYS.Key_Space, _KEYS.Key_Select})
OF_CHOICES = OF_BUTTONS | {
    _KEYS.Key_Up,
    _KEYS.Key_Down,
    _KEYS.Key_PageUp,
    _KEYS.Key_PageDown,
    _KEYS.Key_Home,
    _KEYS.Key_End,
    _KEYS.Key_F4,
}
OF_OPEN_LISTS = frozenset({_KEYS.Key_Return, _KEYS.Key_Enter, _KEYS.Key_Escape, _KEYS.Key_F4})
"""Keys by which Qt closes an open list at the very moment that it is asked about them."""


class OwnKeys(QObject):
    """Keeps keys for the controls of a view, and the focus on its plot when a control is clicked.

    plot: what has the keys of the view; None where controls keep the focus that a click gives them.
    """

    def __init__(self, view: QWidget, plot: QWidget | None) -> None:
        super().__init__(view)
        self._plot = plot
        for control in (*view.findChildren(QAbstractButton), *view.findChildren(QComboBox)):
            if control.focusPolicy() == Qt.FocusPolicy.NoFocus:
                continue
            control.installEventFilter(self)
            if plot is not None:
                control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            if isinstance(control, QComboBox) and (choices := control.view()) is not None:
                choices.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Take a key before the view's actions do."""
        asks = QEvent.Type.ShortcutOverride
        if isinstance(event, QKeyEvent) and event.type() == asks and _uses(watched, event):
            event.accept()
            return not (isinstance(watched, QAbstractItemView) and event.key() in OF_OPEN_LISTS)
        is_press = event is not None and event.type() == QEvent.Type.MouseButtonPress
        if is_press and self._plot is not None and not isinstance(watched, QAbstractItemView):
            self._plot.setFocus(Qt.FocusReason.MouseFocusReason)
        return False


class Menu(QMenu):
    """A menu whose letters choose from it, though views have the same keys; words as of `menu_words`."""

    def __init__(self, words: str, parent: QWidget) -> None:
        super().__init__(parent)
        menu_words.name_menu(self, words)

    def event(self, event: QEvent | None) -> bool:
        """Take a letter before the views' actions do."""
        asks = QEvent.Type.ShortcutOverride
        if isinstance(event, QKeyEvent) and event.type() == asks and is_plain(event):
            event.accept()
            return True
        return super().event(event)


class MenuBarKeys(QObject):
    """Keeps letters and arrows for the menu bar while it has the keyboard; Esc in a menu gives it back.

    All actions lie in its menus, so that Qt would take a letter there for the key of any view, or of two. And
    after Esc in a menu Qt leaves the keyboard to the bar until Esc is pressed once more.
    """

    def __init__(self, bar: QMenuBar) -> None:
        super().__init__(bar)
        self._bar = bar
        bar.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Take a key before the views' actions do; leave the bar when a menu is left."""
        if not isinstance(event, QKeyEvent):
            return False
        if watched is self._bar:
            if event.type() == QEvent.Type.ShortcutOverride and is_plain(event):
                event.accept()
                return True
        elif isinstance(watched, QMenu) and event.type() == QEvent.Type.KeyPress and _is_escape(event):
            again = QKeyEvent(event.type(), event.key(), event.modifiers())
            QCoreApplication.postEvent(self._bar, again)  # once Qt has given it the keyboard
        return False


def is_plain(event: QKeyEvent) -> bool:
    """Tell whether a key is pressed alone or with Shift, and is none of F1 to F35."""
    held = event.modifiers() & ~Qt.KeyboardModifiers(Qt.KeyboardModifier.KeypadModifier)
    is_function = _KEYS.Key_F1 <= event.key() <= _KEYS.Key_F35
    return held in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier) and not is_function


def _is_escape(event: QKeyEvent) -> bool:
    return event.key() == _KEYS.Key_Escape


def _uses(control: QObject | None, event: QKeyEvent) -> bool:
    held = event.modifiers() & ~Qt.KeyboardModifiers(Qt.KeyboardModifier.KeypadModifier)
    if isinstance(control, QAbstractItemView):  # the open list: letters choose what begins with them
        return held in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
    keys = OF_CHOICES if isinstance(control, QComboBox) else OF_BUTTONS
    return held == Qt.KeyboardModifier.NoModifier and event.key() in keys


def is_for_the_window(event: QEvent | None) -> bool:
    """Tell whether a line of text is asked for Ctrl+E: Qt goes to its end by that too, as End does."""
    if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
        return False
    return event.key() == Qt.Key.Key_E and event.modifiers() == Qt.KeyboardModifier.ControlModifier
