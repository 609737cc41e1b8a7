"""Offers to load, save and drag out the settings, and to take a preset."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl, pyqtSignal
from PyQt5.QtGui import QDrag, QMouseEvent
from PyQt5.QtWidgets import QApplication, QHBoxLayout, QToolButton, QWidget

from pygama_gui.widgets import menu_words, theme
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import button, give_menu, label

ABOUT = {
    "default": "Baseline, trapezoid and its maximum",
    "energy": "Energy at a fixed time, with pole-zero, noise and saturation",
    "pulse_shape": "Rise and drift times, A/E and the tail",
}


def presets() -> list[Path]:
    """Give the settings files that ship with the program."""
    return sorted(theme.resource("presets").glob("*.json"))


class DragHandle(QWidget):
    """A chip that can be dragged out of the window as a settings file."""

    def __init__(self, text_of: Callable[[], str], name_of: Callable[[], str]) -> None:
        super().__init__()
        self._text_of, self._name_of = text_of, name_of
        self._pressed_at: QPoint | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag the settings out as a file: to a folder, a mail, another window")
        self.setAccessibleName("Settings as a file, to be dragged")
        line = QHBoxLayout(self)
        line.setContentsMargins(4, 0, 0, 0)
        line.addWidget(label("⋮⋮ file", tone="soft", px=theme.SMALL))

    def mime(self) -> QMimeData:
        """Give the settings as a file and as text."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="pygama-settings-")
        path = Path(self._folder.name) / self._name_of()
        path.write_text(self._text_of(), encoding="utf-8")
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        data.setText(path.read_text(encoding="utf-8"))
        return data

    def let_go(self) -> None:
        """Remove the file that was dragged."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Begin."""
        self._pressed_at = None if event is None else event.pos()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Drag, once the mouse has moved enough not to be a click."""
        if event is None or self._pressed_at is None:
            return
        if (event.pos() - self._pressed_at).manhattanLength() >= QApplication.startDragDistance():
            self._pressed_at = None
            drag = QDrag(self)
            drag.setMimeData(self.mime())
            drag.exec(Qt.DropAction.CopyAction)


class SettingsBar(QWidget):
    """Load, presets, save, and the chip to drag."""

    load_asked = pyqtSignal()
    save_asked = pyqtSignal()
    preset_chosen = pyqtSignal(Path)

    def __init__(self, text_of: Callable[[], str], name_of: Callable[[], str]) -> None:
        super().__init__()
        self.load_button = button("Load…", "Load settings from a file")
        self.load_button.clicked.connect(lambda: self.load_asked.emit())
        self.save_button = button("Save…", "Save the settings as a file")
        self.save_button.clicked.connect(lambda: self.save_asked.emit())
        for one in (self.load_button, self.save_button):
            one.setObjectName("compact")
        self.presets_menu = Menu("&Presets | recipe template default config", self)
        self.presets_menu.setToolTipsVisible(True)
        for path in presets():
            action = self.presets_menu.addAction(path.stem.replace("_", " ").capitalize())
            action.setToolTip(ABOUT.get(path.stem, path.name))
            action.triggered.connect(lambda _checked=False, path=path: self.preset_chosen.emit(path))
        self.presets_menu.addSeparator()
        menu_words.add_note(self.presets_menu, "A chain each: the options of Tier 0 stay")
        self.presets_button = QToolButton()
        self.presets_button.setObjectName("button")
        self.presets_button.setText("Presets")
        self.presets_button.setAccessibleName("Take a preset")
        self.presets_button.setToolTip("Take a chain that ships with the program; the options of Tier 0 stay")
        self.presets_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        give_menu(self.presets_button, self.presets_menu)
        self.handle = DragHandle(text_of, name_of)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self.load_button)
        line.addWidget(self.presets_button)
        line.addStretch(1)
        line.addWidget(self.handle)
        line.addWidget(self.save_button)
