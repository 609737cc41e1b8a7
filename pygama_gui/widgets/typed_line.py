"""A line to type in that keeps undo for what is being typed, and leaves it to the window otherwise.

What was typed and entered is in the session; Ctrl+Z is then to take back the change, not the letters.
"""

from __future__ import annotations

from PyQt5.QtCore import QEvent
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QLineEdit


class TypedLine(QLineEdit):
    """A line whose text is taken when it is entered or left."""

    def __init__(self) -> None:
        super().__init__()
        self.editingFinished.connect(self._settle)

    def event(self, event: QEvent | None) -> bool:
        """Let the window have undo and redo while nothing is half typed."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            standard = QKeySequence.StandardKey
            is_undo = event.matches(standard.Undo) or event.matches(standard.Redo)
            if is_undo and not self.isModified():
                event.ignore()
                return False
        return super().event(event)

    def _settle(self) -> None:
        self.setModified(False)
