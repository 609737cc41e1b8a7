"""Small parts that the views are put together from: panels, headings, labels, buttons."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PyQt5.QtCore import QEvent, QSize, Qt
from PyQt5.QtGui import (
    QCursor,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PyQt5.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.widgets import theme

LEAST_BOX, MOST_OF_BOX = 74, 180
"""Width, in pixels, to which a list of choices yields, whatever is chosen; in a row of controls it keeps what
that needs, up to the second."""
LOW = 200
"""A view that is lower, in pixels, has one line of controls."""
LEAST_INFO = 220
"""A line of words beside controls goes above them where it has less room than this, and needs more."""
SHARE_OF_SCREEN = 0.95
MOST_LINES = 3
"""Words that are wrapped take so many lines at most."""
_BREAK = re.compile(r"(?<!±) (?!(?:±|σ|%|ADC|keV|Hz|s|min|h)(?![\w/]))")
"""A space at which words may be parted."""
_BEFORE_ERROR = r" (?=±)"


def room_on_screen() -> QSize:
    """Give the most that a window beside the main one may take, so that all of it can be reached."""
    return QApplication.primaryScreen().availableSize() * SHARE_OF_SCREEN


def give_menu(owner: QToolButton, menu: QMenu) -> None:
    """Let a button open a menu, and look as if the mouse were over it no longer than that is so.

    Qt tells a button nothing of a mouse that leaves it while its menu is open.
    """

    def look() -> None:
        is_over = owner.rect().contains(owner.mapFromGlobal(QCursor.pos()))
        owner.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, is_over)
        owner.update()

    owner.setMenu(menu)
    menu.aboutToHide.connect(look)


def panel(*, margin: int = 12, spacing: int = 8) -> tuple[QFrame, QVBoxLayout]:
    """Give a panel with a thin line around it, and the column inside."""
    frame = QFrame()
    frame.setObjectName("panel")
    column = QVBoxLayout(frame)
    column.setContentsMargins(margin, margin, margin, margin)
    column.setSpacing(spacing)
    return frame, column


def label(text: str = "", *, tone: str = "", px: int = theme.NORMAL, bold: bool = False) -> QLabel:
    """Give a label in one of the tones of the look."""
    made = QLabel(text)
    made.setFont(theme.font(px, bold=bold))
    if tone:
        made.setProperty("tone", tone)
    return made


def button(text: str, name: str, about: str = "", *, primary: bool = False) -> QPushButton:
    """Give a button with its accessible name and tooltip."""
    made = QPushButton(text)
    made.setAccessibleName(name)
    made.setToolTip(about or name)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if primary:
        made.setObjectName("primary")
    return made


def link(text: str, name: str, act: Callable[[], None]) -> QPushButton:
    """Give a quiet button that looks like words."""
    made = QPushButton(text)
    made.setObjectName("link")
    made.setFont(theme.font(theme.SMALL))
    made.setAccessibleName(name)
    made.setToolTip(name)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.clicked.connect(lambda _checked=False: act())
    return made


def choice_box(name: str, *choices: str) -> QComboBox:
    """Give a list of choices that is wide enough for what it says, and yields where there is no room."""
    made = _ChoiceBox()
    made.setAccessibleName(name)
    made.setToolTip(name)
    made.addItems(choices)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return made


class _ChoiceBox(QComboBox):
    """A list of choices that the wheel leaves alone, since it may pass by while a panel is scrolled.

    is_whole: whether it yields no further than to what is chosen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_whole = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # Qt's own takes the focus by the wheel
        self.currentIndexChanged.connect(lambda _at: self.updateGeometry())

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give a hair more than Qt, which rounds the longest text down and then has it cut."""
        return super().sizeHint() + QSize(2, 0)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the width that it yields to."""
        most = MOST_OF_BOX if self.is_whole else LEAST_BOX
        return QSize(min(self._needed(), most), super().minimumSizeHint().height())

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave the wheel to what is scrolled."""
        if event is not None:
            event.ignore()

    def _needed(self) -> int:
        """Give the width at which what is chosen is not cut."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        metrics, kind = self.fontMetrics(), QStyle.ContentsType.CT_ComboBox
        text = QSize(metrics.horizontalAdvance(self.currentText()), metrics.height())
        needed = self.style().sizeFromContents(kind, option, text, self).width()
        return min(needed + 2, self.sizeHint().width())

    def event(self, event: QEvent | None) -> bool:
        """Say with the name what is chosen, where its text is cut."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.whole_words(), self)
            return True
        return super().event(event)

    def whole_words(self) -> str:
        """Give the name, and what is chosen where there is no room for all of it."""
        is_cut = self.width() < self._needed()
        return f"{self.toolTip()}: {self.currentText()}" if is_cut else self.toolTip()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw as much of the text as fits; Qt's own would be cut in the middle of a letter."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        area = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self)
        elide = Qt.TextElideMode.ElideRight
        option.currentText = self.fontMetrics().elidedText(option.currentText, elide, area.width())
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class IconButton(QToolButton):
    """A button of one icon, in the colour of the present theme."""

    def __init__(self, icon: str) -> None:
        super().__init__()
        self.setObjectName("iconButton")
        self.setIconSize(QSize(14, 14))
        self.icon_name = ""
        self.show_icon(icon)

    def show_icon(self, name: str) -> None:
        """Show an icon by its name."""
        if name != self.icon_name:
            self.icon_name = name
            self.setIcon(theme.icon(name, "text"))

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take the colour of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self.setIcon(theme.icon(self.icon_name, "text"))


def icon_button(icon: str, name: str, act: Callable[[], None]) -> IconButton:
    """Give a button of one icon that everybody knows."""
    made = IconButton(icon)
    made.setAccessibleName(name)
    made.setToolTip(name)
    made.clicked.connect(lambda _checked=False: act())
    return made


def row(*widgets: QWidget | None, spacing: int = 8) -> QHBoxLayout:
    """Lay widgets side by side; None stands for the room between."""
    line = QHBoxLayout()
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(spacing)
    for widget in widgets:
        if widget is None:
            line.addStretch(1)
        else:
            line.addWidget(widget)
    return line


class Yielding(QLabel):
    """A short text that several lines of a form give the same room; it is cut where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setFont(theme.font(theme.SMALL))
        self.setProperty("tone", "soft")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._shared = 0

    def needed(self) -> int:
        """The width of the text."""
        return self.fontMetrics().horizontalAdvance(self.text()) + 1

    def share(self, width: int) -> None:
        """Ask for a width, whatever the text is."""
        if width != self._shared:
            self._shared = width
            self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the shared width, or that of the text."""
        return QSize(max(self._shared, self.needed()), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the width of the first word."""
        first = self.text().partition(" ")[0]
        return QSize(self.fontMetrics().horizontalAdvance(first) + 1, super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw as much as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter), text)


class ToldWhenEmpty(QPlainTextEdit):
    """A text that says something while it is empty, in the tone of what must be read and not of a hint."""

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Colour the words, which the style sheet makes a mere hint when it is first seen."""
        super().showEvent(event)
        self.color_words()

    def color_words(self) -> None:
        """Take the colour of the present theme."""
        colors = self.palette()
        colors.setColor(QPalette.ColorRole.PlaceholderText, theme.current().color("soft"))
        self.setPalette(colors)


class Elided(QLabel):
    """A line of text that is cut with '…' where there is no room, and then shown whole as its tooltip.

    short: another text for less room, which is cut in its place; lead: what comes first where the line stands
    alone, apart from the controls that it goes on from. Both until another text is set.
    """

    short = lead = ""
    is_alone = False

    def __init__(
        self, text: str = "", *, tone: str = "soft", px: int = theme.SMALL, bold: bool = False
    ) -> None:
        super().__init__(text)
        self.setFont(theme.font(px, bold=bold))
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(20)

    def setText(self, text: str | None) -> None:  # noqa: N802  (Qt's name)
        """Show a text."""
        self.short = self.lead = ""
        super().setText(text)
        self.setToolTip(text or "")

    @property
    def is_cut(self) -> bool:
        """Whether there is no room for all of the text."""
        return not self.shown.endswith(self.text())

    def event(self, event: QEvent | None) -> bool:
        """Tell the text under the mouse where not all of it is seen; other words always."""
        is_tip = event is not None and event.type() == QEvent.Type.ToolTip
        if is_tip and self.toolTip() == self.text() and not self.is_cut:
            return True
        return super().event(event)

    @property
    def shown(self) -> str:
        """What there is room for."""
        metrics, text = self.fontMetrics(), (self.lead if self.is_alone else "") + self.text()
        if self.short and metrics.horizontalAdvance(text) > self.width():
            text = self.short
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, self.width())

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw as much as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment()), self.shown)


class Wrapped(Elided):
    """Words in up to three lines where one has no room; what has none in the last is cut with '…'.

    most_lines: another limit. short: another text, for where all of it has no room in one line.
    It is as high as its present width asks for: a height for each width Qt's scroll areas get wrong.
    """

    most_lines = MOST_LINES

    def setText(self, text: str | None) -> None:  # noqa: N802  (Qt's name)
        """Show a text, in as many lines as it needs."""
        if text != self.text():
            super().setText(text)
            self.updateGeometry()

    def lines(self, width: int) -> tuple[str, ...]:
        """Give what stands in each line of a width; where it can be, a line begins a part of its own.

        A number is not parted from its error and its unit, unless a line has no room for them together.
        """
        metrics, words = self.fontMetrics(), _BREAK.split(self.text())
        lines: list[list[str]] = []

        def has_room(some: list[str]) -> bool:
            return metrics.horizontalAdvance(" ".join(some)) <= width

        if self.short and not has_room(words):
            words = _BREAK.split(self.short)
        for space in (_BEFORE_ERROR, " "):
            words = [
                part for word in words for part in ([word] if has_room([word]) else re.split(space, word))
            ]
        while not has_room(words) and len(lines) < self.most_lines - 1:
            n = 1
            while has_room(words[: n + 1]):
                n += 1
            parts = [at for at in range(1, n) if words[at - 1][-1:] in ("·", ";") and has_room(words[at:])]
            n = max(parts, default=n)
            lines.append(words[:n])
            words = words[n:]
        told = [" ".join(line) for line in (*lines, words) if line]
        cut = Qt.TextElideMode.ElideRight  # Qt rounds, and would cut what just has room
        return tuple(
            one if metrics.horizontalAdvance(one) <= width else metrics.elidedText(one, cut, width)
            for one in told
        )

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the height of as many lines as the words need."""
        n_lines = max(len(self.lines(self.width())), 1)
        metrics = self.fontMetrics()
        # An underscore may reach a pixel below what the font says.
        return QSize(self.minimumWidth(), (n_lines - 1) * metrics.lineSpacing() + metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the height of as many lines as the words need."""
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Ask for the height that the new width needs."""
        super().resizeEvent(event)
        self.updateGeometry()

    @property
    def shown(self) -> str:
        """What there is room for."""
        return "\n".join(self.lines(self.width()))

    @property
    def is_cut(self) -> bool:
        """Whether there is no room for all of the text."""
        return " ".join(self.lines(self.width())) != self.text()


class Controls(QWidget):
    """A row of controls with a line of words among them, which goes above them where it has no room.

    Where the controls themselves have none, the second half of them goes below the first; in a low view
    (`suit_height`) there is one line alone.
    """

    def __init__(
        self,
        before: Sequence[QWidget],
        info: QWidget,
        after: Sequence[QWidget] = (),
        *,
        margins: tuple[int, int, int, int] = (8, 2, 8, 4),
    ) -> None:
        super().__init__()
        self._info, self._place, self.is_above = info, len(before), False
        self._before, self._after = tuple(before), tuple(after)
        for box in (*before, *after):
            if isinstance(box, _ChoiceBox):
                box.is_whole = True
        self.below: tuple[QWidget, ...] = ()
        """Controls that stand in the second line."""
        self._is_low = self._was_low = False
        self._line, self._below = row(*before), row(None)
        self._without_room = QWidget(self)
        self._spare = QHBoxLayout(self._without_room)
        self._without_room.hide()
        self._line.addWidget(info, 1)
        for widget in after:
            self._line.addWidget(widget)
        self._column = QVBoxLayout(self)
        self._column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._column.setContentsMargins(*margins)
        self._column.setSpacing(2)
        self._column.addLayout(self._line)
        self._column.addLayout(self._below)

    def suit_height(self, height: int) -> None:
        """Keep to one line in a view that is low; what has no room in it is in the menu as well."""
        if (height < LOW) != self._is_low:
            self._is_low = height < LOW
            self._place_all()

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the width of the wider of two lines, into which the controls can be put."""
        margins = self._column.contentsMargins()
        width = max(self._least(part) for part in self._halves())
        return QSize(width + margins.left() + margins.right(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Put words and controls where there is room."""
        super().resizeEvent(event)
        self._place_all()

    def event(self, event: QEvent | None) -> bool:
        """Look again when a control came or went."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._place_all()
        return super().event(event)

    def _halves(self) -> tuple[tuple[QWidget, ...], tuple[QWidget, ...]]:
        """Part the controls that are there into two lines of about the same width, in their order."""
        shown = [one for one in (*self._before, *self._after) if not one.isHidden()]
        parts = [(tuple(shown[:at]), tuple(shown[at:])) for at in range(1, len(shown) + 1)] or [((), ())]
        return min(parts, key=lambda part: max(self._least(part[0]), self._least(part[1])))

    def _least(self, widgets: Sequence[QWidget]) -> int:
        """Give the width that widgets need side by side."""
        widths = (max(one.minimumSizeHint().width(), one.minimumWidth()) for one in widgets)
        return sum(widths) + self._line.spacing() * max(len(widgets) - 1, 0)

    def _place_all(self) -> None:
        margins = self._column.contentsMargins()
        shown = tuple(one for one in (*self._before, *self._after) if not one.isHidden())
        room = self.width() - margins.left() - margins.right()
        if room >= self._least(shown):
            below: tuple[QWidget, ...] = ()
        elif self._is_low:
            fitting = (at for at in range(len(shown), 0, -1) if self._least(shown[:at]) <= room)
            below = shown[next(fitting, 0) :]
        else:
            below = self._halves()[1]
        if (below, self._is_low) != (self.below, self._was_low):
            self.below, self._was_low = below, self._is_low
            self._fold(below)
        self._place_info()
        self._info.setHidden(self._is_low and self.is_above)

    def _fold(self, below: Sequence[QWidget]) -> None:
        """Put some of the controls into a second line, or out of sight; all others into the first."""
        second = self._spare if self._is_low else self._below
        for line in (self._line, self._below, self._spare):
            while line.count():
                line.takeAt(0)
        for one in self._before:
            (second if one in below else self._line).addWidget(one)
        if self.is_above:
            self._line.addStretch(1)
        else:
            self._line.addWidget(self._info, 1)
        for one in self._after:
            (second if one in below else self._line).addWidget(one)
        self._below.addStretch(1)
        self._place = sum(one not in below for one in self._before)

    def _place_info(self) -> None:
        items = (self._line.itemAt(at) for at in range(self._line.count()))
        widgets = [widget for item in items if item is not None and (widget := item.widget()) is not None]
        others = [one for one in widgets if one is not self._info and not one.isHidden()]
        margins = self._column.contentsMargins()
        taken = sum(one.sizeHint().width() + self._line.spacing() for one in others)
        # Once above they stay there until any words have room, or they would jump with every text.
        needed = LEAST_INFO if self.is_above else min(self._info.sizeHint().width(), LEAST_INFO)
        is_above = self.width() - margins.left() - margins.right() - taken < needed
        if is_above == self.is_above:
            return
        self.is_above = is_above
        if isinstance(self._info, Elided):
            self._info.is_alone = is_above
        if is_above:
            self._line.removeWidget(self._info)
            self._line.insertStretch(self._place, 1)
            self._column.insertWidget(0, self._info)
        else:
            self._column.removeWidget(self._info)
            self._line.takeAt(self._place)
            self._line.insertWidget(self._place, self._info, 1)
