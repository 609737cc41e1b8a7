"""Lets Python be typed beside the window, with the events and waveforms that are shown."""

from __future__ import annotations

from collections import deque
from itertools import groupby
from os.path import commonprefix

from PyQt5.QtCore import QEvent, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QFont, QKeyEvent, QResizeEvent, QTextCharFormat, QTextCursor
from PyQt5.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QSizePolicy, QToolTip, QVBoxLayout

from pygama_gui.bridge import Bridge
from pygama_gui.data.console import HELP, Console, Shown, is_whole, word_at_end
from pygama_gui.data.cutting import joined
from pygama_gui.data.live_run import tier2_among
from pygama_gui.data.selection import Selection
from pygama_gui.session.state import DataSet
from pygama_gui.views.base import View
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import ToldWhenEmpty, button, label, panel, row

N_LINES = 20_000
MOST_SHOWN = 8
"""Lines of an input that are in sight; the rest is scrolled to."""
MOST_NAMES = 30
EDGES = 10
"""What the frame of the prompt takes of its height, in pixels."""
HEAR_MS = 50
LOW = 220
"""Height, in pixels, below which the title is left out."""
INDENT = "    "
FAMILIES = ["DejaVu Sans Mono", "Menlo", "Consolas", "monospace"]
"""Fonts whose letters are equally wide, the first that there is; that of the system may not be one."""
TOKENS = {"input": "soft", "said": "text", "wrong": "bad"}


class ConsoleView(View):
    """A prompt, and above it what was typed and what came out."""

    TITLE = "Console"
    HELP = "Python beside the window: rows(), waveforms() and data() give what is shown."
    SHORTCUTS = (
        ("Return", "Run what is typed; in a block, begin the next line"),
        ("Ctrl+Return", "Run what is typed, whatever it is"),
        ("Up, Down", "Earlier and later inputs"),
        ("Tab", "Complete a name; with nothing typed, and Shift+Tab: leave the prompt"),
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.console = Console()
        self.text = ToldWhenEmpty()
        _set_up(self.text, "What was typed and what came out")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setMaximumBlockCount(N_LINES)
        self.text.setPlaceholderText(HELP)
        self.prompt = Prompt(self.console)
        self.prompt.entered.connect(self.run)
        self.stop_button = button("Stop", "Stop what runs in the console")
        self.stop_button.clicked.connect(self.console.stop)
        self.stop_button.setEnabled(False)
        self.state = label("", tone="soft", px=theme.SMALL)
        clear_button = button("Clear", "Clear the console; what was defined stays")
        clear_button.clicked.connect(self._clear)
        frame, column = panel(margin=10, spacing=4)
        self.title = label(self.TITLE, bold=True)
        column.addWidget(self.title)
        column.addWidget(self.text, 1)
        column.addSpacing(4)
        column.addLayout(self._prompt_row(clear_button))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._heard: deque[tuple[str, str]] = deque()
        self._pieces: list[tuple[str, str]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(HEAR_MS)
        self._timer.timeout.connect(self._write_heard)
        bridge.threads.before_end.append(self.console.stop)

    @classmethod
    def demo(cls) -> ConsoleView:
        """Show an input and what it gave."""
        view = cls(Bridge())
        view._write(">>> rows('trap_max').describe()\n", "input")
        view._write("           trap_max\ncount  31331.000000\nmean    5218.731066\n", "said")
        return view

    def _prompt_row(self, clear_button: QPushButton) -> QHBoxLayout:
        """Lay the buttons beside the prompt, where they take no line from what came out."""
        line = row(self.prompt, self.state, self.stop_button, clear_button)
        line.setStretch(0, 1)
        for one in (self.state, self.stop_button, clear_button):
            line.setAlignment(one, Qt.AlignmentFlag.AlignBottom)
        return line

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave the title out where there is little room: the prompt says what this is."""
        super().resizeEvent(event)
        self.title.setVisible(self.height() >= LOW)

    @property
    def is_running(self) -> bool:
        """Whether an input runs, or waits until files are read."""
        return self._timer.isActive()

    def run(self, text: str) -> None:
        """Run an input beside the window; its answer comes when it comes."""
        if self.is_running:
            return
        lines = text.splitlines() or [""]
        self._write("".join(f"{'... ' if i else '>>> '}{line}\n" for i, line in enumerate(lines)), "input")
        shown = self._shown()
        self._timer.start()
        self.stop_button.setEnabled(True)
        self.prompt.setEnabled(False)
        self.state.setText("running…")
        heard = self._heard
        self.bridge.in_background(
            lambda: self.console.run(text, shown, lambda *piece: heard.append(piece)),
            lambda _is_right: self._show_end(),
            self._show_end,
        )

    def _shown(self) -> Shown:
        """Say what is shown now: the run that is chosen, and the cuts that are on."""
        run = self.session.run(self.session.selected) if self.session.selected else None
        live = None if run is None else self.bridge.live(run.run_id)
        if run is None or live is None:
            return Shown()
        passing = joined(self.session.cuts)
        if isinstance(run, DataSet):
            files = tuple(member.tier2 for member in run.members)
        else:
            state = self.bridge.state(run.run_id)
            tier2 = None if state is None or state.state != "done" else tier2_among(state.outputs, run)
            files = () if tier2 is None else (tier2,)
        columns = live.columns
        return Shown(
            run.title,
            {name: columns.column(name) for name in columns.names if not name.startswith("_")},
            passing,
            files,
            live.is_on_disk,
            self.bridge.loading.reader(run.run_id),
            Selection(passing=passing),
        )

    def _show_end(self) -> None:
        self._timer.stop()
        self._write_heard()
        self.stop_button.setEnabled(False)
        self.prompt.setEnabled(True)
        self.state.setText("")
        if self.isVisible() and self.window().focusWidget() in (None, self.stop_button, self.prompt):
            self.prompt.setFocus()

    def _write_heard(self) -> None:
        pieces = [self._heard.popleft() for _ in range(len(self._heard))]
        for kind, group in groupby(pieces, key=lambda piece: piece[1]):
            self._write("".join(text for text, _ in group), kind)

    def _write(self, text: str, kind: str) -> None:
        self._pieces.append((text, kind))
        del self._pieces[:-N_LINES]
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text, _look(kind))
        self._go_to_end()

    def _clear(self) -> None:
        self._pieces.clear()
        self.text.clear()

    def _go_to_end(self) -> None:
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def recolor(self) -> None:
        """Write all again in the colours of the present theme, in one edit."""
        self.text.color_words()
        cursor = QTextCursor(self.text.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
        for text, kind in self._pieces:
            cursor.insertText(text, _look(kind))
        cursor.endEditBlock()
        self._go_to_end()


class Prompt(QPlainTextEdit):
    """Takes an input of one line or more."""

    entered = pyqtSignal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        _set_up(self, "Python input")
        self.setObjectName("prompt")
        self.setPlaceholderText("Python: rows().describe(), then Return; help says what there is")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._console = console
        self._inputs: list[str] = []
        self._place = 0
        self._begun = ""
        self.textChanged.connect(self._suit_height)
        self._suit_height()

    def event(self, event: QEvent | None) -> bool:
        """Take keys before the window's actions do: letters are for the input."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
            if plain and (event.text() or event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down)):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Run, complete, or go through what was typed before."""
        if event is None:
            return
        key, text, cursor = event.key(), self.toPlainText(), self.textCursor()
        is_return = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and (event.modifiers() & Qt.KeyboardModifier.ControlModifier or self._can_run(text)):
            self._enter(text)
        elif is_return and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            cursor.insertText("\n" + _indent_after(text[: cursor.position()]))
        elif key == Qt.Key.Key_Tab and text[: cursor.position()].rpartition("\n")[2].strip():
            self._complete()
        elif key == Qt.Key.Key_Tab and text:
            cursor.insertText(INDENT)
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._leave(key == Qt.Key.Key_Tab)
        elif key == Qt.Key.Key_Up and cursor.blockNumber() == 0:
            self._go(-1)
        elif key == Qt.Key.Key_Down and cursor.blockNumber() == self.blockCount() - 1:
            self._go(1)
        else:
            super().keyPressEvent(event)

    def _leave(self, is_forward: bool) -> None:  # noqa: FBT001
        self.setTabChangesFocus(True)  # else the prompt keeps Tab for itself
        self.focusNextPrevChild(is_forward)
        self.setTabChangesFocus(False)

    def _can_run(self, text: str) -> bool:
        return self.textCursor().atEnd() and bool(text.strip()) and is_whole(text)

    def _enter(self, text: str) -> None:
        if not text.strip():
            return
        text = text.rstrip()
        if self._inputs[-1:] != [text]:
            self._inputs.append(text)
        self._place, self._begun = len(self._inputs), ""
        self.clear()
        self.entered.emit(text)

    def _go(self, by: int) -> None:
        """Show an earlier or a later input; what was begun comes after the last."""
        place = min(max(self._place + by, 0), len(self._inputs))
        if place == self._place:
            return
        if self._place == len(self._inputs):
            self._begun = self.toPlainText()
        self._place = place
        self.setPlainText([*self._inputs, self._begun][place])
        self.moveCursor(QTextCursor.MoveOperation.End)

    def _complete(self) -> None:
        """Complete the name before the cursor as far as is sure; several ways to go on stand in the tip."""
        cursor = self.textCursor()
        before = self.toPlainText()[: cursor.position()]
        found = self._console.completions(before)
        word = word_at_end(before)
        sure = commonprefix(found)
        if len(sure) > len(word):
            cursor.insertText(sure[len(word) :])
        several = [one.rpartition(".")[2] for one in found] if len(found) > 1 else []
        if several:
            place = self.mapToGlobal(self.cursorRect().topLeft())
            QToolTip.showText(place, "\n".join(several[:MOST_NAMES]), self)

    def _suit_height(self) -> None:
        lines = min(max(self.blockCount(), 1), MOST_SHOWN)
        edges = 2 * round(self.document().documentMargin()) + EDGES
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + edges)


def _look(kind: str) -> QTextCharFormat:
    look = QTextCharFormat()
    look.setForeground(theme.current().color(TOKENS[kind]))
    return look


def _set_up(field: QPlainTextEdit, name: str) -> None:
    field.setAccessibleName(name)
    field.setAcceptDrops(False)
    field.setMinimumHeight(32)
    font = theme.font(theme.SMALL)
    font.setFamilies(FAMILIES)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    field.setFont(font)


def _indent_after(text: str) -> str:
    """Give the indentation of the line that comes after a text."""
    line = text.rpartition("\n")[2]
    indent = line[: len(line) - len(line.lstrip())]
    return indent + INDENT if line.rstrip().endswith(":") else indent
