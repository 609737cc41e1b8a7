"""Asks in place whether a plug-in may be run: which file, what it holds, and what that means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QFontDatabase, QKeyEvent
from PyQt5.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import button, label, row

MOST_SHOWN = 200_000
"""Characters of the file that are shown."""


class ConsentSheet(QFrame):
    """One question above the picture; work goes on meanwhile, and nothing runs until it is answered."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName("May a plug-in be run?")
        self._agree: Callable[[], object] = lambda: None
        self._path = Path()
        self.words = label(bold=True)
        self.words.setWordWrap(True)
        self.facts = label(tone="soft", px=theme.SMALL)
        self.facts.setWordWrap(True)
        self.facts.setAccessibleName("Path and fingerprint of the plug-in")
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.run_button = button("Run this file", "Run this plug-in, now and in future while it is unchanged")
        self.look_button = button("Look at it", "Show what the file holds")
        self.look_button.setCheckable(True)
        self.later_button = button("Not now", "Do not run the plug-in", primary=True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAcceptDrops(False)
        self.text.setAccessibleName("What the plug-in holds")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setMinimumHeight(180)
        self.text.hide()
        self.run_button.clicked.connect(self._run)
        self.look_button.toggled.connect(self._look)
        self.later_button.clicked.connect(self.dismiss)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 10)
        column.setSpacing(6)
        column.addWidget(self.words)
        column.addWidget(self.facts)
        column.addLayout(row(self.run_button, self.look_button, None, self.later_button))
        column.addWidget(self.text)
        self.hide()

    def ask(self, words: str, path: Path, sha256: str, agree: Callable[[], object]) -> None:
        """Ask whether a file may be run; `agree` is called where it may."""
        self._path, self._agree = path, agree
        self.words.setText(f"▲ {words}")
        self.facts.setText(
            f"A plug-in is a program: it can do whatever you can. Run it only if you know where it is from.\n"
            f"{path}\nSHA-256 {sha256}"
        )
        self.look_button.setChecked(False)
        self.show()
        self.later_button.setFocus()

    def dismiss(self) -> None:
        """Run nothing."""
        self._agree = lambda: None
        self.hide()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Run nothing with Esc."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def _run(self) -> None:
        agree = self._agree
        self.dismiss()
        agree()

    def _look(self, is_wanted: bool) -> None:  # noqa: FBT001
        if is_wanted:
            try:
                self.text.setPlainText(self._path.read_text(encoding="utf-8", errors="replace")[:MOST_SHOWN])
            except OSError as error:
                self.text.setPlainText(error.strerror or str(error))
        self.text.setVisible(is_wanted)
