"""Greets whoever opens the window for the first time with the two things that can be done."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PyQt5.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.views.base import View
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import label, panel
from pygama_gui.widgets.scrolled import Scrolled

PADDING, LEAST_HEIGHT = 18, 120
LEAST, NARROW = 260, 412
"""Less wide than `NARROW`, in pixels, the choices stand below each other."""


class Choice(QFrame):
    """A large button: a picture, a name and what it does."""

    def __init__(self, icon: str, name: str, about: str, act: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("choice")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name)
        self.setAccessibleDescription(about)
        self.title = label(name, px=theme.LARGE, bold=True)
        self.setMinimumSize(QSize(max(168, self.title.sizeHint().width() + 2 * PADDING + 2), 212))
        self.setMaximumSize(QSize(236, 212))
        self._icon, self._act = icon, act
        self._picture = QLabel()
        words = label(about, tone="soft", px=theme.SMALL)
        words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING, 22, PADDING, 18)
        column.setSpacing(6)
        column.addWidget(self._picture)
        column.addSpacing(10)
        column.addWidget(self.title)
        column.addWidget(words)
        column.addStretch(1)
        self.recolor()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self._picture.setPixmap(theme.icon(self._icon, "accent").pixmap(QSize(36, 36)))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Act."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._act()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Act on Return and Space."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._act()
        else:
            super().keyPressEvent(event)


class WelcomeView(View):
    """What is seen while there is no run."""

    TITLE = "Welcome"
    HELP = "Open raw files, or try the demo run."

    open_asked = pyqtSignal()
    demo_asked = pyqtSignal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.open_choice = Choice(
            "open",
            "Open raw files",
            "ORCA runs, one or many, or whole folders. You can also drop them, or Tier files, anywhere here.",
            self.open_asked.emit,
        )
        self.demo_choice = Choice(
            "demo",
            "Try the demo run",
            "A simulated germanium detector: pulses, noise and gamma lines whose true energies are known.",
            self.demo_asked.emit,
        )
        frame, around = panel()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch(2)
        title = label("No run yet", px=20, bold=True)
        column.addWidget(title, 0, Qt.AlignmentFlag.AlignHCenter)
        self._title = title
        self.hint = label(
            "Watch waveforms and spectra grow while raw data become Tier 1 and Tier 2 files.", tone="soft"
        )
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.hint)
        column.addSpacing(18)
        self._choices = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._choices.setSpacing(18)
        self._choices.addWidget(self.open_choice, 100)
        self._choices.addWidget(self.demo_choice, 100)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addLayout(self._choices, 100)
        line.addStretch(1)
        column.addLayout(line)
        column.addStretch(3)
        around.addWidget(Scrolled(inside, least=LEAST_HEIGHT))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Ask for the width of one choice: the other one goes below it."""
        return QSize(LEAST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Put the choices below each other where they have no room side by side."""
        super().resizeEvent(event)
        way = QBoxLayout.Direction
        self._choices.setDirection(way.TopToBottom if self.width() < NARROW else way.LeftToRight)

    @classmethod
    def demo(cls) -> WelcomeView:
        """Show the two choices."""
        return cls(Bridge())

    def show_busy(self, words: str) -> None:
        """Say what is being done; empty: nothing."""
        self._title.setText(words or "No run yet")
        self.demo_choice.setEnabled(not words)

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.open_choice.recolor()
        self.demo_choice.recolor()
