"""Lays figures side by side in one line, and says which give way where there is no room."""

from __future__ import annotations

from functools import partial

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import label

SIGN = "▲"
"""What stands before all that is not as it should be."""
NOT_FOUND = "?"
"""Stands for a value that is looked for, or could not be found."""
CAPTIONS = (
    *("RUN", "STATE", "RATE", "LIVE TIME", "EVENTS", "BASELINE", "PEAK", "CHANNELS", "ERRORS"),
    *("QUEUE", "DISK"),
)
DISPENSABLE = (
    *("RUN", "LIVE TIME", "ERRORS", "DISK", "QUEUE", "RATE", "PEAK", "BASELINE", "STATE"),
    *("CHANNELS", "EVENTS"),
)
"""Figures in the order in which they give up their remarks where there is no room."""
WITH_ERROR = ("BASELINE", "RATE", "PEAK")
"""Figures in the order in which they then give up their errors, which stay under the mouse."""
LESSER = ("EVENTS", "LIVE TIME", "QUEUE", "RUN", "DISK", "RATE", "BASELINE")
"""Figures in the order in which they go where even that is too much."""
LOG = "log"
LEADS = {
    **dict.fromkeys(("RATE", "BASELINE", "PEAK"), "Trends"),
    "EVENTS": "Spectrum",
    "CHANNELS": "Channels",
    "ERRORS": LOG,
}
"""Where a click on a figure leads: to a view, by the words of its tab, or to the log."""
_SIDE, _SPACING, _TIGHT, _REMARK_GAP = 14, 18, 12, 5


class Figure(QWidget):
    """A caption with a value and a remark."""

    clicked = pyqtSignal()
    """Of those that lead to a view."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self.caption = label(caption, tone="soft", px=theme.CAPTION, bold=True)
        self.has_value = True
        self.value = label(words.UNKNOWN, px=theme.LARGE, bold=True)
        self.remark = label(tone="soft", px=theme.SMALL)
        line = QHBoxLayout()
        line.setSpacing(_REMARK_GAP)
        line.addWidget(self.value)
        line.addWidget(self.remark)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.caption)
        column.addLayout(line)
        self.whole = ""
        """The value with its error."""
        self._tones = ("", "soft")
        self._has_remark = self._has_error = True
        self.width_with_remark = self.width_alone = self.width_short = 0
        self._leads = caption in LEADS
        if self._leads:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_value(words.UNKNOWN)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take the button, so that its release comes here, too."""
        if event is not None and self._leads and event.button() == Qt.MouseButton.LeftButton:
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Lead to the view that shows more."""
        is_left = event is not None and event.button() == Qt.MouseButton.LeftButton
        if event is not None and is_left and self._leads and self.rect().contains(event.pos()):
            self.clicked.emit()
        else:
            super().mouseReleaseEvent(event)

    def show_value(self, value: str, remark: str = "", tone: str = "", remark_tone: str = "soft") -> None:
        """Show a value."""
        self.whole, self._tones = value, (tone, remark_tone)
        self.remark.setText(remark)
        theme.mark(self.remark, "tone", remark_tone)
        self.setAccessibleName(f"{self.caption.text()}: {value} {remark}".strip())
        self.setToolTip(f"{value} {remark}".strip())
        self._take_room()

    @property
    def is_bad(self) -> bool:
        """Whether the value itself tells of something bad."""
        return self._tones[0] == "bad"

    @property
    def is_known(self) -> bool:
        """Whether there is a value."""
        return self.whole not in (words.UNKNOWN, NOT_FOUND)

    @property
    def warns(self) -> bool:
        """Whether the remark alone tells that something is not as it should be."""
        return self.remark.text().startswith(SIGN)

    @property
    def matters(self) -> bool:
        """Whether the remark tells of something that is not as it should be."""
        return bool(self.remark.text()) and self._tones[1] in ("warn", "bad")

    def forget_room(self) -> None:
        """Take no more room than the present value needs."""
        self.width_with_remark = self.width_alone = self.width_short = 0
        self._take_room()

    def _take_room(self) -> None:
        """Note the room that is needed; it only grows, so that no figure jumps while another one counts."""
        remark = _REMARK_GAP + self.remark.sizeHint().width() if self.remark.text() else 0
        least = self.caption.sizeHint().width()
        self.width_short = max(self.width_short, least, self._width_of(has_remark=False, has_error=False))
        self.width_alone = max(self.width_alone, least, self._width_of(has_remark=False, has_error=True))
        both = self._width_of(has_remark=True, has_error=True) + remark
        self.width_with_remark = max(self.width_with_remark, both, self.width_alone)
        self._write()

    def _width_of(self, *, has_remark: bool, has_error: bool) -> int:
        self.value.setText(self._text(has_remark, has_error))
        return self.value.sizeHint().width()

    def _text(self, has_remark: bool, has_error: bool) -> str:
        """Give what is written as the value; it takes over the sign of a remark that warns and is hidden."""
        sign = f"{SIGN} " if self.warns and not has_remark else ""
        return sign + (self.whole if has_error else words.without_error(self.whole))

    def _write(self) -> None:
        self.value.setText(self._text(self._has_remark, self._has_error))
        tone, remark_tone = self._tones
        theme.mark(self.value, "tone", remark_tone if self.warns and not self._has_remark else tone)

    def show_parts(self, *, has_remark: bool, has_error: bool) -> None:
        """Show or hide the remark and the error of the value, and take the room for them."""
        self._has_remark, self._has_error = has_remark, has_error
        self.remark.setVisible(has_remark and bool(self.remark.text()))
        self._write()
        width = self.width_with_remark if has_remark else self.width_alone
        width = width if has_error else self.width_short
        if width != self.minimumWidth():
            self.setMinimumWidth(width)


class FigureLine(QFrame):
    """Figures by their captions; may be narrower than what is in it."""

    view_asked = pyqtSignal(str)
    """One of LEADS."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.figures = {caption: Figure(caption) for caption in CAPTIONS}
        self._line = line = QHBoxLayout(self)
        line.setContentsMargins(_SIDE, 6, _SIDE, 7)
        line.setSpacing(_SPACING)
        for caption, figure in self.figures.items():
            line.addWidget(figure)
            if caption in LEADS:
                figure.clicked.connect(partial(self.view_asked.emit, LEADS[caption]))
        line.addStretch(1)
        self._button: QPushButton | None = None

    def add_button(self, button: QPushButton) -> None:
        """Put a button behind the figures, which leave it its room."""
        self._button = button
        self._line.addWidget(button)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Ask for the height alone."""
        return QSize(200, super().minimumSizeHint().height())

    def fit(self, width: int) -> None:
        """Hide remarks, the least important ones first, then errors, then values, until the rest has room."""
        shown = {caption: figure for caption, figure in self.figures.items() if figure.has_value}
        room = width - 2 * _SIDE - _SPACING * (len(shown) - 1)
        if self._button is not None and not self._button.isHidden():
            room -= 2 * _SPACING + self._button.sizeHint().width()
        needed = sum(figure.width_with_remark for figure in shown.values())
        remarks = {name: one.width_with_remark - one.width_alone for name, one in shown.items()}
        quiet: list[str] = []
        for caption in sorted(DISPENSABLE, key=lambda caption: self.figures[caption].matters):
            if needed <= room:
                break
            if caption in shown:
                needed -= remarks[caption]
                quiet.append(caption)
        # Where a long remark had to go in the end, shorter ones may stay.
        for caption in reversed(quiet[:-1]):
            if needed + remarks[caption] <= room:
                needed += remarks[caption]
                quiet.remove(caption)
        is_tight = needed > room
        room += (_SPACING - _TIGHT) * (len(shown) - 1) if is_tight else 0
        short: set[str] = set()
        for caption in WITH_ERROR:
            if needed <= room:
                break
            if caption in shown:
                needed -= shown[caption].width_alone - shown[caption].width_short
                short.add(caption)
        for caption in LESSER:
            if needed <= room:
                break
            if caption in shown:
                figure = shown.pop(caption)
                needed -= figure.width_short if caption in short else figure.width_alone
                room += _TIGHT
        self._line.setSpacing(_TIGHT if is_tight else _SPACING)
        for caption, figure in self.figures.items():
            figure.show_parts(has_remark=caption not in quiet, has_error=caption not in short)
            figure.setVisible(caption in shown)
        self._line.activate()  # else what was written is painted first in the places of before
