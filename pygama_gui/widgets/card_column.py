"""Shows cards below each other in a column that scrolls, with a line where a dragged card would go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PyQt5 import sip
from PyQt5.QtCore import QPoint, QRect, QRectF, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from pygama_gui.widgets import theme

SPACING, LINE_HEIGHT = 8, 2
LEAST_COLUMN = 80
"""Height, in pixels, below which a column that scrolls does not go."""
EDGE, MOST_PULL, SCROLL_EVERY_MS = 24, 16, 25
"""A dragged card that is held so near to an edge, in pixels, scrolls by as many at most, so often."""


RADIUS, RING = 6.0, 2.0
"""Corners of a card, and the line around one that has the focus, in pixels."""


class Card(QFrame):
    """A card that Tab reaches and chooses; a second line around it says that it has the focus."""

    chosen = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("selected", False)

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose the card that Tab reaches."""
        super().focusInEvent(event)
        self.update()
        if event is not None and event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        ):
            self.chosen.emit()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take the line away."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw the card, and the line over it: a border would take room from what is inside."""
        super().paintEvent(event)
        if not self.hasFocus():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.current().color("accent"), RING))
        half = RING / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), RADIUS, RADIUS)
        painter.end()


class CardColumn(QScrollArea):
    """Cards in an order that a person may change by dragging."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = QWidget()
        self.inside.setObjectName("inside")
        self.list = QVBoxLayout(self.inside)
        self.list.setContentsMargins(0, 0, 0, 0)
        self.list.setSpacing(SPACING)
        self.drop_line = QFrame(self.inside)
        self.drop_line.setObjectName("dropLine")
        self.drop_line.hide()
        self.is_whole = False
        self._brought: QWidget | None = None
        """The card that was brought into view, or a part of one, which may still grow; until `leave`."""
        if (bar := self.verticalScrollBar()) is not None:
            bar.rangeChanged.connect(lambda _low, _high: self._bring_again())
            bar.actionTriggered.connect(lambda _action: self.leave())
        self._dragged_at: QPoint | None = None
        self._scroller = QTimer(self)
        self._scroller.setInterval(SCROLL_EVERY_MS)
        self._scroller.timeout.connect(self._scroll_on)
        self.setWidgetResizable(True)
        self.setWidget(self.inside)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        self.inside.setAutoFillBackground(False)

    @property
    def extra_height(self) -> int:
        """What the column asks for more than one that scrolls, in pixels."""
        if not self.is_whole:
            return 0
        return max(self.inside.sizeHint().height() + 2 * self.frameWidth() - LEAST_COLUMN, 0)

    def be_whole(self, *, is_whole: bool) -> None:
        """Show all cards below each other, where something around scrolls, or scroll on its own."""
        if is_whole == self.is_whole:
            return
        self.is_whole = is_whole
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(policy.ScrollBarAlwaysOff if is_whole else policy.ScrollBarAsNeeded)
        self.updateGeometry()

    def cards(self) -> list[QWidget]:
        """Give the cards from top to bottom."""
        items = (self.list.itemAt(at) for at in range(self.list.count()))
        found = (item.widget() for item in items if item is not None)
        return [card for card in found if card is not None]

    def show_cards(self, cards: Sequence[QWidget], gone: Iterable[QWidget]) -> None:
        """Put the cards in this order, and let those go that are gone."""
        while self.list.takeAt(0) is not None:
            pass
        for card in gone:
            card.hide()
            card.deleteLater()
        for card in cards:
            self.list.addWidget(card)
        self.list.addStretch(1)

    def scroll_to(self, card: QWidget) -> None:
        """Bring a card into view, its head at least."""
        self._brought = card
        area = self._what_scrolls()
        bar, room, inside = area.verticalScrollBar(), area.viewport().height(), area.widget()
        if bar is None or inside is None:
            return
        place = QRect(card.mapTo(inside, QPoint()), card.size())
        if place.top() < bar.value() or place.height() >= room:
            bar.setValue(place.top())
        elif place.bottom() >= bar.value() + room:
            bar.setValue(place.bottom() + 1 - room)

    def bring(self, part: QWidget) -> None:
        """Bring a part of a card into view once it has its place, after what was to be brought before."""

        def begin() -> None:
            self._brought = part
            self._bring_again()

        QTimer.singleShot(0, begin)

    def _bring_again(self) -> None:
        brought, area = self._brought, self._what_scrolls()
        inside = area.widget()
        if brought is None or sip.isdeleted(brought) or inside is None:
            return
        if brought not in self.cards():
            if inside.isAncestorOf(brought):
                _lay_out_around(brought, inside)
                _bring_all_of(brought, area)
        elif not self.is_whole:
            self.scroll_to(brought)

    def leave(self) -> None:
        """Bring nothing back into view by itself: somebody scrolls, or works at what would move away."""
        self._brought = None

    def _what_scrolls(self) -> QScrollArea:
        around = self.parentWidget()
        while self.is_whole and around is not None:
            if isinstance(around, QScrollArea):
                return around
            around = around.parentWidget()
        return self

    def gap_at(self, at: QPoint) -> int:
        """Give the number of the gap between cards that is nearest to a point on the screen."""
        y = self.inside.mapFromGlobal(at).y()
        return sum(card.geometry().center().y() < y for card in self.cards())

    def drag_to(self, at: QPoint) -> None:
        """Follow a card that is dragged to a point on the screen: draw the line, scroll near an edge."""
        self.leave()
        self._dragged_at = at
        self.show_drop(self.gap_at(at))
        if self._pull(at):
            self._scroller.start()
        else:
            self._scroller.stop()

    def _pull(self, at: QPoint) -> int:
        """Give by how many pixels the cards are to move now, down or up, for a point near or past an edge."""
        room = self._what_scrolls().viewport()
        y = room.mapFromGlobal(at).y()
        above, below = EDGE - y, y - (room.height() - EDGE)
        return min(max(below, 0), MOST_PULL) - min(max(above, 0), MOST_PULL)

    def _scroll_on(self) -> None:
        bar = self._what_scrolls().verticalScrollBar()
        if bar is not None and self._dragged_at is not None:
            bar.setValue(bar.value() + self._pull(self._dragged_at))
            self.show_drop(self.gap_at(self._dragged_at))

    def show_drop(self, gap: int) -> None:
        """Draw the line where a card that is let go now would go."""
        cards = self.cards()
        last = cards[-1].geometry()
        y = cards[gap].y() - 5 if gap < len(cards) else last.bottom() + 3
        lowest = self.inside.height() - LINE_HEIGHT
        self.drop_line.setGeometry(last.x(), min(max(y, 0), lowest), last.width(), LINE_HEIGHT)
        self.drop_line.raise_()
        self.drop_line.show()

    def hide_drop(self) -> None:
        """Draw the line no longer."""
        self._dragged_at = None
        self._scroller.stop()
        self.drop_line.hide()


def _lay_out_around(part: QWidget, inside: QWidget) -> None:
    """Give a part its place now, which it else gets a little after the column was told of its height."""
    around = part.parentWidget()
    while around is not None:
        if (layout := around.layout()) is not None:
            layout.activate()
        around = None if around is inside else around.parentWidget()


def _bring_all_of(part: QWidget, area: QScrollArea) -> None:
    """Scroll until all of a part is seen, its head at least; Qt would do so for its cursor alone."""
    bar, room, inside = area.verticalScrollBar(), area.viewport().height(), area.widget()
    if bar is None or inside is None:
        return
    top = part.mapTo(inside, QPoint()).y()
    least = top + part.height() + SPACING - room
    bar.setValue(min(max(bar.value(), least), top))
