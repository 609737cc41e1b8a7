"""Shows the chain as cards, one a step: what it reads and writes, on or off, and its settings as sliders."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QEvent, QObject, QPoint, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QCheckBox,
    QFrame,
    QLabel,
    QMenu,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.bridge import Bridge
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session, Step
from pygama_gui.views import chain_facts, madeup
from pygama_gui.views.base import View
from pygama_gui.widgets import theme
from pygama_gui.widgets.form import Form
from pygama_gui.widgets.parts import Elided, label, row
from pygama_gui.widgets.plot import plot_actions

SCROLL_BAR = 10


class Handle(QLabel):
    """The dots by which a card is dragged; tells where the mouse is, as a point on the screen."""

    dragged = pyqtSignal(QPoint)
    dropped = pyqtSignal(QPoint)

    def __init__(self) -> None:
        super().__init__("⋮⋮")
        self.setFont(theme.font())
        self.setProperty("tone", "faint")
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to move the step (Ctrl+Up, Ctrl+Down)")
        self._pressed_at: QPoint | None = None
        self._is_dragging = False

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Begin."""
        if event is not None:
            self._pressed_at, self._is_dragging = event.globalPos(), False

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Go on, once the mouse has moved enough not to be a click."""
        if event is None or self._pressed_at is None:
            return
        moved = (event.globalPos() - self._pressed_at).manhattanLength()
        self._is_dragging |= moved >= QApplication.startDragDistance()
        if self._is_dragging:
            self.dragged.emit(event.globalPos())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """End."""
        if event is not None and self._is_dragging:
            self.dropped.emit(event.globalPos())
        self._pressed_at, self._is_dragging = None, False


class StepCard(QFrame):
    """One step; the selected one shows its settings."""

    chosen = pyqtSignal()
    switched = pyqtSignal(bool)
    edited = pyqtSignal(str, object)
    reset_asked = pyqtSignal(str)
    settled = pyqtSignal()

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Step {step.step}: {chain_facts.reads_and_writes(step)}")
        self.setProperty("selected", False)
        self.name = step.step
        self.words = words_of(step)
        self.on_box = QCheckBox("on")
        self.on_box.setFont(theme.font(theme.SMALL))
        self.on_box.setAccessibleName(f"{step.step} on")
        self.on_box.toggled.connect(self.switched)
        self.amiss = label(tone="bad", px=theme.SMALL)
        self.amiss.setWordWrap(True)
        self.amiss.hide()
        self.form: Form | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(10, 8, 10, 9)
        self._column.setSpacing(3)
        self.handle = Handle()
        self._column.addLayout(row(self.handle, label(step.step, bold=True), None, self.on_box))
        self._column.addWidget(Elided(self.words[1]))
        self._column.addWidget(self.amiss)
        known = chain_facts.processor(step.step)
        self.setToolTip("" if known is None else known.summary)
        self.show_step(step, "", None, None)

    def select(self, *, is_selected: bool) -> None:
        """Show the settings, or no longer."""
        theme.mark(self, "selected", is_selected)
        known = chain_facts.processor(self.name)
        if is_selected and self.form is None and known is not None and known.settings:
            self.form = Form(known.settings, with_sliders=True)
            self.form.edited.connect(self.edited)
            self.form.reset_asked.connect(self.reset_asked)
            self.form.settled.connect(self.settled)
            self._column.addWidget(self.form)
        elif not is_selected and self.form is not None:
            form, self.form = self.form, None
            self._column.removeWidget(form)
            form.hide()
            form.deleteLater()

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        fields = self.form.fields.values() if self.form is not None else ()
        return [self, self.on_box, *(stop for field in fields for stop in field.stops())]

    def show_step(self, step: Step, amiss: str, period_ns: float | None, n_samples: int | None) -> None:
        """Show the settings, and what is amiss."""
        with QSignalBlocker(self.on_box):
            self.on_box.setChecked(step.enabled)
        self.amiss.setText(f"▲ {amiss}" if amiss else "")
        self.amiss.setVisible(bool(amiss))
        theme.mark(self, "broken", bool(amiss))
        if self.form is not None:
            self.form.show_values(step.settings, period_ns=period_ns, scale=n_samples)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose the step."""
        self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose the step with Return, switch it with Space."""
        if event is None:
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        elif event.key() == Qt.Key.Key_Space:
            self.on_box.toggle()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose the step that Tab reaches."""
        super().focusInEvent(event)
        if event is not None and event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        ):
            self.chosen.emit()


def words_of(step: Step) -> tuple[str, str]:
    """Give what a card says of its step, whatever its settings."""
    return step.step, chain_facts.reads_and_writes(step)


class WideEnough(QScrollArea):
    """A scroll area that asks for the width of what it holds; Qt's own would cut the cards."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the width of the widest card, with room for the scroll bar."""
        inside = self.widget()
        return QSize(0 if inside is None else inside.minimumSizeHint().width() + SCROLL_BAR, 80)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Ask again when the cards changed."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class ChainView(View):
    """The steps from the waveform to the numbers."""

    TITLE = "Chain"
    HELP = "The steps that turn a waveform into numbers. Changes are seen at once in the waveform view."
    SHORTCUTS = (
        ("Ctrl+Up", "Move the step up"),
        ("Ctrl+Down", "Move the step down"),
        ("Ctrl+Del", "Remove the step"),
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.cards: list[StepCard] = []
        self._shape: tuple[Any, ...] = ()
        self._is_renewing = False
        self.add_button = QToolButton()
        self.add_button.setObjectName("button")
        self.add_button.setText("Add step")
        self.add_button.setAccessibleName("Add a step to the chain")
        self.add_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.add_menu = QMenu("&Add a step", self)
        self.add_menu.setToolTipsVisible(True)
        self.add_menu.aboutToShow.connect(self._fill_add_menu)
        self.add_button.setMenu(self.add_menu)
        self._actions = plot_actions(
            self,
            [
                ("Move the step &up", "Ctrl+Up", lambda: self._move(-1)),
                ("Move the step &down", "Ctrl+Down", lambda: self._move(1)),
                ("Switch the step &on / off", "Ctrl+Return", self._switch),
                ("&Remove the step", "Ctrl+Del", self._remove),
            ],
        )
        self._lay_out()
        self._fill_add_menu()
        self._show()

    @classmethod
    def demo(cls) -> ChainView:
        """Show the usual chain with one setting changed."""
        bridge = Bridge()
        view = cls(bridge)
        run = Run("1", Path("Run9001"), 9001)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(1, run)
        bridge.data[run.run_id].take(madeup.partial(4))
        bridge.change(changes.set_setting, 2, "flat", 150)
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with steps."""
        return self._actions

    def _lay_out(self) -> None:
        inside = QWidget()
        inside.setObjectName("inside")
        self.list = QVBoxLayout(inside)
        self.list.setContentsMargins(0, 0, 0, 0)
        self.list.setSpacing(8)
        self._drop_line = QFrame(inside)
        self._drop_line.setObjectName("dropLine")
        self._drop_line.hide()
        scroll = WideEnough()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row(label(self.TITLE, bold=True), None, self.add_button))
        column.addWidget(scroll, 1)

    def on_session(self, old: Session, new: Session) -> None:
        """Show the chain of the session."""
        if old.chain is not new.chain or old.step != new.step or old.selected != new.selected:
            self._show()

    def on_data(self, run_ids: set[str]) -> None:
        """Learn the length of the waveforms and their sampling period from the first that come."""
        if self.session.selected in run_ids and self._record() != self._last_record:
            self._show()

    def _show(self) -> None:
        chain = self.session.chain
        shape = (tuple(words_of(step) for step in chain), self.session.step)
        if shape != self._shape:
            self._shape = shape
            self._renew()
        self._last_record = self._record()
        amiss = chain_facts.what_is_amiss(chain)
        for index, (card, step) in enumerate(zip(self.cards, chain, strict=True)):
            card.show_step(step, amiss.get(index, ""), *self._last_record)

    def _renew(self) -> None:
        """Make the cards anew where there are other steps, and show the settings of the selected one."""
        focused = self.focusWidget()
        had_focus = (
            focused is not None and focused.hasFocus() and self.list.parentWidget().isAncestorOf(focused)
        )
        self._is_renewing = True  # what goes hands the focus to the next card, which is not a choice
        if [card.words for card in self.cards] != [words_of(step) for step in self.session.chain]:
            self._order_cards()
        for index, card in enumerate(self.cards):
            card.select(is_selected=index == self.session.step)
        stops = [self.add_button, *(stop for card in self.cards for stop in card.stops())]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)
        has_lost_it = had_focus and self.focusWidget() is not focused
        if has_lost_it and self.session.step is not None:
            self.cards[self.session.step].setFocus(Qt.FocusReason.OtherFocusReason)
        self._is_renewing = False

    def _order_cards(self) -> None:
        """Put the cards in the order of the steps; make new ones, let those go whose steps are gone."""
        left, self.cards = self.cards, []
        for step in self.session.chain:
            card = next((card for card in left if card.words == words_of(step)), None)
            if card is None:
                card = StepCard(step)
                self._connect(card)
            else:
                left.remove(card)
            self.cards.append(card)
        while self.list.takeAt(0) is not None:
            pass
        for card in left:
            card.hide()
            card.deleteLater()
        for card in self.cards:
            self.list.addWidget(card)
        self.list.addStretch(1)

    def _connect(self, card: StepCard) -> None:
        change = self.bridge.change
        card.chosen.connect(lambda: self._choose(card))
        card.switched.connect(lambda is_on: change(changes.enable_step, self.cards.index(card), is_on))
        card.edited.connect(lambda name, value: self._edit(self.cards.index(card), name, value))
        card.reset_asked.connect(lambda name: change(changes.reset_setting, self.cards.index(card), name))
        card.settled.connect(self.bridge.store.settle)
        card.handle.dragged.connect(lambda at: self._show_drop(self._gap_at(at)))
        card.handle.dropped.connect(lambda at: self._drop(self.cards.index(card), self._gap_at(at)))
        card.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        card.addActions(self._actions)

    def _choose(self, card: StepCard) -> None:
        if not self._is_renewing and card in self.cards:
            self.bridge.change(changes.select_step, self.cards.index(card))

    def _edit(self, index: int, name: str, value: Any) -> None:
        self.bridge.change(changes.set_setting, index, name, value, merge=f"{index} {name}")

    def _gap_at(self, at: QPoint) -> int:
        """Give the number of the gap between cards that is nearest to a point on the screen."""
        y = self.list.parentWidget().mapFromGlobal(at).y()
        return sum(card.geometry().center().y() < y for card in self.cards)

    def _show_drop(self, gap: int) -> None:
        last = self.cards[-1].geometry()
        y = self.cards[gap].y() - 5 if gap < len(self.cards) else last.bottom() + 3
        self._drop_line.setGeometry(last.x(), max(y, 0), last.width(), 2)
        self._drop_line.raise_()
        self._drop_line.show()

    def _drop(self, index: int, gap: int) -> None:
        self._drop_line.hide()
        self.bridge.change(changes.move_step, index, gap if gap <= index else gap - 1)

    def _record(self) -> tuple[float | None, int | None]:
        """The sampling period and the length of the waveforms of the selected run, where they are known."""
        live = self.bridge.live(self.session.selected)
        samples = [] if live is None else live.samples.of(None)
        return (samples[-1].period_ns, len(samples[-1].waveform)) if samples else (None, None)

    def _fill_add_menu(self) -> None:
        for inner in self.add_menu.findChildren(QMenu):
            inner.deleteLater()
        self.add_menu.clear()
        for kind, processors in chain_facts.processors_by_kind().items():
            menu = self.add_menu.addMenu(kind)
            menu.setToolTipsVisible(True)
            for known in processors:
                action = menu.addAction(known.name)
                action.setToolTip(known.summary)
                action.triggered.connect(
                    lambda _checked=False, name=known.name: self.bridge.change(changes.add_step, name)
                )

    def _move(self, by: int) -> None:
        if (index := self.session.step) is not None:
            self.bridge.change(changes.move_step, index, index + by)

    def _switch(self) -> None:
        if (index := self.session.step) is not None:
            self.bridge.change(changes.enable_step, index, not self.session.chain[index].enabled)

    def _remove(self) -> None:
        if (index := self.session.step) is not None:
            self.bridge.change(changes.remove_step, index)
