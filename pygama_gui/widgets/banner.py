"""Shows what went wrong above the picture, without stopping anybody's work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QKeyEvent, QResizeEvent
from PyQt5.QtWidgets import (
    QApplication,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pygama.quick_dataclass import dataclass
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import button, label

SPACING, MARGINS = 8, 24
MARKS = {"error": ("✕", "bad"), "warning": ("▲", "warn"), "offer": ("●", "accent")}
"""Shape and tone of each level."""
NARROW = 700
"""Less wide, in pixels, the buttons go below the words."""


@dataclass(frozen=True)
class _Message:
    """What is said. n_before: messages that were not closed before it."""

    words: str
    details: str
    level: str
    remedies: tuple[tuple[str, Callable[[], object]], ...]
    about: str
    n_before: int

    @property
    def is_passing(self) -> bool:
        """Whether nothing was lost and nothing is to be answered."""
        return self.level != "error" and not self.remedies


class Banner(QFrame):
    """One sentence with what can be done about it, [Details], [Copy] and [Close].

    Further messages are counted, never stacked; but one that stays until it is closed comes back from below a
    passing one.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName("Message")
        self._message: _Message | None = None
        self._below: _Message | None = None
        """One that stays, below a passing one."""
        self._mark = label("▲", tone="warn", bold=True)
        self.words = label()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.act_buttons = [button("", "Mend it"), button("", "Mend it in another way")]
        self.details_button = button("Details", "Show the details")
        self.details_button.setCheckable(True)
        self.copy_button = button("Copy", "Copy the message with its details")
        self.close_button = button("Close", "Close the message")
        self._others = [self.details_button, self.copy_button, self.close_button]
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setAcceptDrops(False)
        self.details.setAccessibleName("Details of the message")
        self.details.setMaximumHeight(150)
        self.details.hide()
        self._lay_out()
        for place, one in enumerate(self.act_buttons):
            one.clicked.connect(partial(self._mend, place))
        self.details_button.toggled.connect(self.details.setVisible)
        self.copy_button.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.dismiss)
        self.hide()

    def say(
        self,
        words: str,
        details: str = "",
        level: str = "error",
        *,
        remedies: Sequence[tuple[str, Callable[[], object]]] = (),
        about: str = "",
    ) -> None:
        """Show a message. remedies: words and acts of up to two buttons.

        level: 'error', 'warning' or 'offer', which nobody needs to answer.
        """
        n_before = 0 if self._message is None else self._message.n_before + 1
        message = _Message(words, details, level, tuple(remedies), about, n_before)
        if not message.is_passing:
            self._below = None
        elif self._message is not None and not self._message.is_passing:
            self._below = self._message
        self._show(message)

    def _show(self, message: _Message) -> None:
        self._message = message
        remedies = message.remedies
        for place, one in enumerate(self.act_buttons):
            one.setVisible(place < len(remedies))
            if place < len(remedies):
                one.setText(remedies[place][0])
                one.setAccessibleName(remedies[place][0])
                one.setToolTip(remedies[place][0])
        words = message.words + (f"  ({message.n_before} earlier in the log)" if message.n_before else "")
        mark, tone = MARKS[message.level]
        self._mark.setText(mark)
        theme.mark(self._mark, "tone", tone)
        theme.mark(self, "level", message.level)
        self.words.setText(words)
        self.words.setAccessibleName(words)
        self.details.setPlainText(message.details)
        self.details_button.setVisible(bool(message.details))
        self.details_button.setChecked(False)
        self._place_buttons()
        self.show()

    def dismiss(self) -> None:
        """Close the message; one that stays comes back from below a passing one."""
        below, self._message, self._below = self._below, None, None
        if below is not None:
            self._show(below)
        else:
            self.hide()

    def dismiss_about(self, about: set[str]) -> None:
        """Close the message if it is about one of these."""
        if self._below is not None and self._below.about in about:
            self._below = None
        if self._message is not None and self._message.about in about:
            self.dismiss()

    def let_go(self) -> None:
        """Close what the next deed makes stale: a warning that offers nothing.

        What tells of a loss or is to be answered stays until it is closed.
        """
        if self._message is not None and self._message.is_passing:
            self.dismiss()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Put the buttons below the words where these would be squeezed into many short lines."""
        super().resizeEvent(event)
        way = QBoxLayout.Direction
        is_narrow = self.width() < NARROW
        self._line.setDirection(way.TopToBottom if is_narrow else way.LeftToRight)
        self._place_buttons()

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Ask for the width of the longest line of buttons where what mends has a line each."""
        width = max(_width_of(self._others), *(_width_of([one]) for one in self.act_buttons))
        return QSize(width + MARGINS, super().minimumSizeHint().height())

    def _place_buttons(self) -> None:
        """Put what mends in a line of its own, or each in one, where not all have room in one."""
        way = QBoxLayout.Direction
        everything = [*self.act_buttons, *self._others]
        for line, buttons in ((self._buttons, everything), (self._act_line, self.act_buttons)):
            has_room = _width_of(buttons) + MARGINS <= self.width()
            line.setDirection(way.LeftToRight if has_room else way.TopToBottom)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Close with Esc."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def _lay_out(self) -> None:
        told = QHBoxLayout()
        told.setSpacing(8)
        told.addWidget(self._mark)
        told.addWidget(self.words, 1)
        self._act_line, others, self._buttons = (QBoxLayout(QBoxLayout.Direction.LeftToRight) for _ in "123")
        for line, widgets in ((self._act_line, self.act_buttons), (others, self._others)):
            line.addStretch(1)
            for widget in widgets:
                line.addWidget(widget, 0, Qt.AlignmentFlag.AlignRight)
            self._buttons.addLayout(line)
        for line in (self._act_line, others, self._buttons):
            line.setSpacing(SPACING)
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._line.setSpacing(8)
        self._line.addLayout(told, 1)
        self._line.addLayout(self._buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.addLayout(self._line)
        column.addWidget(self.details)

    def _mend(self, place: int, _is_checked: bool = False) -> None:  # noqa: FBT001, FBT002
        if self._message is not None:
            self._message.remedies[place][1]()

    def _copy(self) -> None:
        QApplication.clipboard().setText(f"{self.words.text()}\n\n{self.details.toPlainText()}".strip())


def _width_of(buttons: Sequence[QPushButton]) -> int:
    """Give the width of those that are shown, side by side."""
    widths = [one.sizeHint().width() for one in buttons if not one.isHidden()]
    return sum(widths) + SPACING * max(len(widths) - 1, 0)
