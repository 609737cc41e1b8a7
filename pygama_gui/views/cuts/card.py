"""Shows one cut as a card: its colour, name and expression, and how many events pass it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QIcon, QKeyEvent, QMouseEvent, QPainter, QPixmap
from PyQt5.QtWidgets import QAction, QCheckBox, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from pygama.analysis.cuts import Cut
from pygama.analysis.efficiency import CutEfficiency
from pygama_gui.data.cutting import Problem
from pygama_gui.data.tally import CurveCounts
from pygama_gui.views.cuts import cut_words
from pygama_gui.views.cuts.survival import SurvivalLine
from pygama_gui.widgets import theme
from pygama_gui.widgets.card_column import Card
from pygama_gui.widgets.expression_field import ExpressionField
from pygama_gui.widgets.handle import Handle
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import Elided, give_menu, label, link, row

COLORS = {
    "#009E73": "green",
    "#CC79A7": "pink",
    "#E69F00": "orange",
    "#D55E00": "red",
    "#56B4E9": "light blue",
    "#0072B2": "blue",
}
SWATCH_PX = 12


class CutCard(Card):
    """One cut."""

    switched = pyqtSignal(bool)
    inverted = pyqtSignal(bool)
    edited = pyqtSignal(str)
    """The expression, while it is typed."""
    settled = pyqtSignal(str)
    """The expression, when Return is pressed."""
    given_up = pyqtSignal()
    renamed = pyqtSignal(str)
    colored = pyqtSignal(str)
    looking_asked = pyqtSignal(str)
    """'stop' or 'look again': what is to be done about the boxes of the cut."""
    moved_on = pyqtSignal(int)
    """An arrow key asks for the card that many places on."""

    def __init__(self, cut: Cut, words: Callable[[], Sequence[str]], actions: Sequence[QAction] = ()) -> None:
        super().__init__()
        self.cut = cut
        self._is_made = False
        self._swatch_of: tuple[str, bool] | None = None
        self._make_parts(words, actions)
        self._lay_out()
        self.show_cut(cut)

    def _make_parts(self, words: Callable[[], Sequence[str]], actions: Sequence[QAction]) -> None:
        self.handle = Handle("Drag to move the cut (Ctrl+Up, Ctrl+Down)")
        self.swatch = _quiet()
        self.swatch.setIconSize(QSize(SWATCH_PX, SWATCH_PX))
        self.swatch.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        colors = Menu("", self)
        colors.aboutToShow.connect(lambda: self._fill_colors(colors))
        give_menu(self.swatch, colors)
        self.title = Elided(tone="", px=theme.NORMAL, bold=True)
        self.name_field = QLineEdit()
        self.name_field.setAcceptDrops(False)
        self.name_field.setAccessibleName("Name of the cut")
        self.name_field.editingFinished.connect(self._end_renaming)
        self.name_field.hide()
        self.not_box = QCheckBox("not")
        self.on_box = QCheckBox("on")
        for box, signal in ((self.not_box, self.inverted), (self.on_box, self.switched)):
            box.setFont(theme.font(theme.SMALL))
            box.clicked.connect(signal)
        self.not_box.setToolTip("Turn the cut round: events that it refuses pass (Ctrl+Alt+I)")
        self.on_box.setToolTip("Apply the cut, or not (Ctrl+Return)")
        self.more = _quiet()
        self.more.setText("⋯")
        self.more.setToolTip("Duplicate, rename, move, remove…")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = Menu("", self)
        menu.addActions(list(actions))
        menu.aboutToShow.connect(self.chosen)
        give_menu(self.more, menu)
        self.field = ExpressionField("", words)
        self.field.textEdited.connect(self.edited)
        self.field.returnPressed.connect(lambda: self.settled.emit(self.field.text()))
        self.field.given_up.connect(self.given_up)
        self.figures = Elided()
        self.survival = SurvivalLine()
        self.lost = Elided()
        self.lost.hide()
        self.amiss = label(tone="bad", px=theme.SMALL)
        self.amiss.setWordWrap(True)
        self.amiss.hide()
        self.looking = link("Stop", "Stop looking through the waveforms", self._ask_looking)
        self.looking.hide()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 7, 8, 8)
        column.setSpacing(4)
        head = row(self.handle, self.swatch, spacing=4)
        head.addWidget(self.title, 1)
        head.addWidget(self.name_field, 1)
        head.addSpacing(4)
        for widget in (self.not_box, self.on_box, self.more):
            head.addWidget(widget)
        column.addLayout(head)
        column.addWidget(self.field)
        column.addWidget(self.figures)
        below = row(spacing=6)
        below.addWidget(self.lost, 1)
        below.addWidget(self.survival)
        column.addLayout(below)
        amiss = row()
        amiss.addWidget(self.amiss, 1)
        amiss.addWidget(self.looking)
        column.addLayout(amiss)

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [
            self,
            self.swatch,
            self.name_field,
            self.not_box,
            self.on_box,
            self.more,
            self.field,
            self.looking,
            self.survival,
        ]

    def select(self, *, is_selected: bool) -> None:
        """Show whether it is the chosen one."""
        theme.mark(self, "selected", is_selected)

    def show_cut(self, cut: Cut) -> None:
        """Show what the session says."""
        if self._is_made and cut == self.cut and self.field.text() == cut.expression:
            return
        self._is_made = True
        is_other = cut.expression != self.cut.expression
        self.cut = cut
        for box, is_on in ((self.not_box, cut.inverted), (self.on_box, cut.enabled)):
            with QSignalBlocker(box):
                box.setChecked(is_on)
        self.title.setText(cut.name)
        theme.mark(self.title, "tone", "" if cut.enabled else "soft")
        if not self.field.isModified() or is_other:
            self._write(cut.expression)
        self._name_parts(cut)
        if self._swatch_of != (cut.color, cut.enabled):
            self.recolor()

    def _write(self, expression: str) -> None:
        """Write the expression where it is another one, and leave the cursor where it is."""
        if self.field.text() != expression:
            at = self.field.cursorPosition()
            self.field.setText(expression)
            self.field.setCursorPosition(at if self.field.hasFocus() else 0)

    def _name_parts(self, cut: Cut) -> None:
        self.setAccessibleName(f"Cut {cut.name}: {'not ' if cut.inverted else ''}{cut.expression}")
        self.swatch.setAccessibleName(f"Colour of {cut.name}: {COLORS.get(cut.color, cut.color or 'none')}")
        self.swatch.setToolTip(self.swatch.accessibleName())
        self.not_box.setAccessibleName(f"{cut.name} turned round")
        self.on_box.setAccessibleName(f"{cut.name} on")
        self.more.setAccessibleName(f"More for {cut.name}")
        self.field.setAccessibleName(f"Expression of {cut.name}")

    def show_problem(self, found: Problem | None) -> None:
        """Say why the cut is not applied; None: it is."""
        text = "" if found is None else cut_words.problem(found)
        self.amiss.setText(text)
        self.amiss.setVisible(bool(text))
        theme.mark(self.amiss, "tone", "warn" if found is not None and found.is_of_run else "bad")
        level = "" if found is None else "warn" if found.is_of_run else "bad"
        theme.mark(self, "broken", level)
        self.field.show_problem(text, None if found is None else found.position)
        self.figures.setVisible(found is None)
        self.lost.setVisible(found is None and bool(self.lost.text()))

    def show_looking(self, what: str) -> None:
        """Offer to 'stop' looking through waveforms, to 'look again', or nothing."""
        is_stop = what == "stop"
        words = "Stop" if is_stop else "Look again"
        about = "Stop looking through the waveforms" if is_stop else "Look through the waveforms again"
        self.looking.setText(words)
        self.looking.setToolTip(about)
        self.looking.setAccessibleName(about)
        self.looking.setVisible(bool(what))

    def _ask_looking(self) -> None:
        self.looking_asked.emit("stop" if self.looking.text() == "Stop" else "look again")

    def show_figures(self, found: CutEfficiency | None, curve: CurveCounts | None = None) -> None:
        """Say how many events pass the cut by itself, and what it alone takes away; curve: what survives."""
        self.survival.show_curve(self.cut.name, curve)
        words = "—" if found is None else cut_words.passing(found.alone)
        self.figures.setText(words)
        self.lost.setText("" if found is None else cut_words.lost(found))
        self.lost.setVisible(found is not None and not self.figures.isHidden())
        if found is not None:
            parts = [f"{words}: of all events, by this cut alone"]
            if found.in_order is not None:
                parts.append(f"{cut_words.passing(found.in_order)}: of those that passed the cuts above")
            parts.append(cut_words.lost(found))
            self.figures.setToolTip("\n".join(parts))
            self.setAccessibleDescription("; ".join(parts))

    def show_typed(self, found: Problem | None) -> None:
        """Say what is wrong with what is being typed; None: nothing is."""
        self.show_problem(found)

    def give_up(self) -> None:
        """Write the expression of the session again."""
        self.field.setModified(False)
        self._write(self.cut.expression)

    def begin_renaming(self) -> None:
        """Let a name be typed."""
        self.title.hide()
        self.name_field.setText(self.cut.name)
        self.name_field.show()
        self.name_field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.name_field.selectAll()

    def _end_renaming(self) -> None:
        if self.name_field.isHidden():
            return
        self.name_field.hide()
        self.title.show()
        if (name := self.name_field.text().strip()) != self.cut.name:
            self.renamed.emit(name)

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self._swatch_of = (self.cut.color, self.cut.enabled)
        self.swatch.setIcon(swatch(self.cut.color, is_on=self.cut.enabled))
        self.survival.update()

    def _fill_colors(self, menu: QMenu) -> None:
        menu.clear()
        for color, name in COLORS.items():
            action = menu.addAction(swatch(color), name)
            action.setCheckable(True)
            action.setChecked(color == self.cut.color)
            action.triggered.connect(lambda _checked=False, color=color: self.colored.emit(color))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose the cut."""
        self.chosen.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Rename the cut."""
        self.begin_renaming()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Edit the cut with Return, switch it with Space, go on with the arrows."""
        if event is None:
            return
        arrows = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        is_plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if self.name_field.hasFocus() and event.key() == Qt.Key.Key_Escape:
            self.name_field.setText(self.cut.name)
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        elif self.name_field.hasFocus() or self.field.hasFocus():
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and is_plain:
            self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        elif event.key() == Qt.Key.Key_Space:
            self.on_box.click()
        elif event.key() in arrows and is_plain:
            self.moved_on.emit(arrows[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)


def swatch(color: str, *, is_on: bool = True) -> QIcon:
    """Draw a square of a colour; only its outline for a cut that is off."""
    pixmap = QPixmap(2 * SWATCH_PX, 2 * SWATCH_PX)
    pixmap.fill(Qt.GlobalColor.transparent)
    shown = QColor(color) if QColor.isValidColor(color) else theme.current().color("faint")
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(theme.thin_pen(shown))
    if is_on:
        painter.setBrush(shown)
    painter.drawRoundedRect(2, 2, 2 * SWATCH_PX - 4, 2 * SWATCH_PX - 4, 5, 5)
    painter.end()
    return QIcon(pixmap)


def _quiet() -> QToolButton:
    made = QToolButton()
    made.setObjectName("quiet")
    return made
