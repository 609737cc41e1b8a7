"""Covers the window while files are held over it, and says that they may be let go."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QFrame, QVBoxLayout, QWidget

from pygama_gui.widgets.parts import label


class DropVeil(QFrame):
    """A frame over the whole of its parent."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropVeil")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QVBoxLayout(self)
        column.addWidget(label("Drop to add the runs", px=22, bold=True), 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def cover(self) -> None:
        """Show over all of the parent."""
        self.setGeometry(self.parentWidget().rect().adjusted(6, 6, -6, -6))
        self.raise_()
        self.show()
