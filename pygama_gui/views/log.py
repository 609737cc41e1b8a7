"""Shows the log: the last line at the bottom of the window, all of it in a panel."""

from __future__ import annotations

import html
import time
from collections.abc import Callable

from PyQt5.QtCore import QEvent, QTimer, pyqtSignal
from PyQt5.QtGui import QHelpEvent, QResizeEvent, QTextCharFormat, QTextCursor
from PyQt5.QtWidgets import QApplication, QFrame, QHBoxLayout, QToolTip, QVBoxLayout

from pygama.utils import local_text
from pygama_gui.bridge import Bridge
from pygama_gui.session import places
from pygama_gui.views.base import View
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import Elided, ToldWhenEmpty, button, label, link, panel, row

N_LINES = 10_000
LEAST_TEXT = 32
"""Height of two lines, in pixels."""
MARKS = {"info": "", "warning": "▲ ", "error": "✕ "}
TOKENS = {"info": "soft", "warning": "warn", "error": "bad"}


class LogView(View):
    """Everything that happened."""

    TITLE = "Log"
    HELP = "What happened and what was kept, line by line."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.text = _Lines(self._when)
        self.text.setReadOnly(True)
        self.text.setAcceptDrops(False)
        self.text.setMaximumBlockCount(N_LINES)
        self.text.setAccessibleName("Log")
        file = places.log_file()
        self.text.setPlaceholderText(f"Nothing has happened yet. What was told before is in {file}.")
        self.text.setFont(theme.font(theme.SMALL))
        self._lines: list[tuple[str, str]] = []
        self._times: list[float] = []
        copy_button = button("Copy", f"Copy the whole log; it is in {file} as well")
        copy_button.clicked.connect(lambda: QApplication.clipboard().setText(self.text.toPlainText()))
        self.text.setMinimumHeight(LEAST_TEXT)
        frame, column = panel(margin=10, spacing=4)
        column.addLayout(row(label(self.TITLE, bold=True), None, copy_button))
        column.addWidget(self.text, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        bridge.logged.connect(self._add)

    @classmethod
    def demo(cls) -> LogView:
        """Show a few lines."""
        view = cls(Bridge())
        view.bridge.log("Run 72: done in 1.2 s · 31 331 events")
        view.bridge.log("Run 73: the last record is cut short; everything before it was kept.", "warning")
        view.bridge.log(
            "Run 74: the worker was ended by signal 11 (SIGSEGV); no output was changed.", "error"
        )
        return view

    def recolor(self) -> None:
        """Write all lines again in the colours of the present theme, in one edit: there may be thousands."""
        self.text.color_words()
        looks = {level: QTextCharFormat() for level in TOKENS}
        for level, look in looks.items():
            look.setForeground(theme.current().color(TOKENS[level]))
        cursor = QTextCursor(self.text.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        for place, (line, level) in enumerate(self._lines):
            if place:
                cursor.insertBlock()
            cursor.insertText(line, looks[level])
        cursor.endEditBlock()
        self._go_to_end()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Keep the last line in sight."""
        super().resizeEvent(event)
        QTimer.singleShot(0, self._go_to_end)

    def _go_to_end(self) -> None:
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _add(self, text: str, level: str) -> None:
        now = time.time()
        line = _line(now, text, level)
        self._lines.append((line, level))
        self._times.append(now)
        del self._lines[:-N_LINES], self._times[:-N_LINES]
        self._write(line, level)

    def _when(self, place: int) -> str:
        """Say when a line was written, by the clock on the wall."""
        return local_text(self._times[place]) if place < len(self._times) else ""

    def _write(self, line: str, level: str) -> None:
        color = theme.current().tokens[TOKENS[level]]
        words = html.escape(line).replace("  ", "&nbsp; ")
        self.text.appendHtml(f'<span style="color:{color}">{words}</span>')


class _Lines(ToldWhenEmpty):
    """Lines with words under the mouse. tip: gives those of the line at a place."""

    def __init__(self, tip: Callable[[int], str]) -> None:
        super().__init__()
        self._tip = tip

    def viewportEvent(self, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Show the words of the line under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self._tip(self.cursorForPosition(event.pos()).blockNumber()))
            return True
        return super().viewportEvent(event)


def _line(unix_s: float, text: str, level: str) -> str:
    return f"{time.strftime('%H:%M:%S UTC', time.gmtime(unix_s))}  {MARKS[level]}{text}"


class LastLineView(View):
    """The last line of the log, with the way to the rest."""

    TITLE = "Last line of the log"
    HELP = "What happened last."

    log_asked = pyqtSignal()
    keys_asked = pyqtSignal()
    find_asked = pyqtSignal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.line = Elided()
        frame = QFrame()
        frame.setObjectName("bar")
        inside = QHBoxLayout(frame)
        inside.setContentsMargins(14, 3, 8, 3)
        inside.setSpacing(6)
        inside.addWidget(self.line, 1)
        self.log_link = link("Log ▴", "Show the log (Ctrl+L)", self.log_asked.emit)
        inside.addWidget(self.log_link)
        self.keys_link = link("? keys", "Show all keys (?)", self.keys_asked.emit)
        inside.addWidget(self.keys_link)
        self.find_link = link("Ctrl+K", "Find a command (Ctrl+K)", self.find_asked.emit)
        inside.addWidget(self.find_link)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        bridge.logged.connect(self._show)

    @classmethod
    def demo(cls) -> LastLineView:
        """Show a line."""
        view = cls(Bridge())
        view.bridge.log("Run 73: the last record is cut short; everything before it was kept.", "warning")
        return view

    def show_open(self, is_open: bool) -> None:  # noqa: FBT001
        """Show whether a click opens the log or closes it."""
        self.log_link.setText("Log ▾" if is_open else "Log ▴")
        words = f"{'Hide' if is_open else 'Show'} the log (Ctrl+L)"
        self.log_link.setToolTip(words)
        self.log_link.setAccessibleName(words)

    def hint(self, text: str) -> None:
        """Show what is no news and stands in no log, until something happens."""
        self.line.setText(text)
        theme.mark(self.line, "tone", TOKENS["info"])

    def _show(self, text: str, level: str) -> None:
        now = time.time()
        line = _line(now, text, level)
        self.line.setText(line)
        self.line.setToolTip(f"{line}\n{local_text(now)}")
        theme.mark(self.line, "tone", TOKENS[level])
