"""Lists the runs as cards: number, size, how the job stands, progress, and what can be done with it.

Cards are painted by a delegate, so that a thousand runs cost no more than those in view.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from PyQt5.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    pyqtSignal,
)
from PyQt5.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPen
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QAction,
    QHBoxLayout,
    QListView,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from pygama_gui.bridge import Bridge
from pygama_gui.jobs import remedies
from pygama_gui.jobs.board import JobState, counted, state_sentence
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import button, label, link, panel, row

GAP, PADDING, LINE, WRAPPED_LINE = 8, 10, 18, 15
N_REFUSED = 4
RUN_ROLE = Qt.ItemDataRole.UserRole + 1
STATE_ROLE = Qt.ItemDataRole.UserRole + 2


def run_name(run: Run) -> str:
    """Name a run by its number."""
    return f"Run {run.run_number}" + (f".{run.sub_run}" if run.sub_run else "")


def run_title(run: Run) -> str:
    """Name a run by its number and its file."""
    return f"{run_name(run)} · {run.path.name}"


def run_facts(run: Run, state: JobState | None) -> str:
    """Say how large a run is, and when it began or how many events were found."""
    facts = [words.size(run.size_bytes)]
    if state is not None and state.state in ("running", "paused", "done") and (state.rows or state.has_ended):
        facts.append(counted(state.rows, "event"))
        facts += [f"{words.count(state.events_per_s)} / s"] if state.state == "running" else []
    elif run.start_time > 0:
        facts.append(time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.start_time)))
    return " · ".join(facts)


def run_sentence(state: JobState | None) -> tuple[str, str]:
    """Say how a run stands, and in which tone."""
    if state is None:
        return "■ not processed", "soft"
    tone = {"running": "accent", "done": "ok", "failed": "bad"}.get(state.state, "soft")
    if state.state != "done" or state.made_on is not None:
        return state_sentence(state), tone
    took = f"done in {words.duration(state.elapsed_s)}"
    if not state.warnings:
        return f"✓ {took}", tone
    return f"▲ {took} · {counted(state.warnings, 'warning')}", "warn"


def run_details(state: JobState | None) -> str:
    """Say how a run stands in all words: the whole message of a failure, the warnings one by one."""
    if state is None or not (state.text or state.warned):
        return run_sentence(state)[0]
    lines = [run_sentence(state)[0], *(f"▲ {text}" for text in state.warned)]
    if state.warnings > len(state.warned):
        lines.append(f"and {state.warnings - len(state.warned)} more, see the log")
    return "\n".join(lines)


def remedy_words(state: JobState | None) -> str:
    """Say what can be done about a run that failed or was stopped."""
    text = "" if state is None else state.text
    if (other := remedies.other_name(text)) is not None:
        return f"Write {other[0]}"
    return "Choose a folder…" if remedies.needs_folder(text) else "Run again"


def refusal(path: Path, reason: str) -> str:
    """Say why a file was not taken, with its name."""
    return f"▲ {reason}" if path.name in reason else f"▲ {path.name}: {reason}"


def in_short(path: Path, reason: str) -> str:
    """Keep the first statement of a reason: 'notes: no run: it begins …' becomes 'notes: no run'."""
    name, rest = reason.partition(path.name)[1:] if reason.startswith(path.name) else (path.name, reason)
    rest = rest.removeprefix(": ")
    first = re.split(r"[:;.] ", rest, maxsplit=1)[0]
    return f"▲ {name}{first}" if first.startswith(" ") else f"▲ {name}: {first}"


def can_run_again(state: JobState | None) -> bool:
    """Tell whether a card offers to run again."""
    return state is not None and state.state in ("failed", "stopped")


class RunModel(QAbstractListModel):
    """The runs of the session with their jobs."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.runs: tuple[Run, ...] = bridge.session.runs

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802  (Qt's name)
        """Count the runs."""
        return 0 if parent is not None and parent.isValid() else len(self.runs)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a card shows, and the same as words."""
        run = self.runs[index.row()]
        state = self._bridge.state(run.run_id)
        if role == RUN_ROLE:
            return run
        if role == STATE_ROLE:
            return state
        if role == Qt.ItemDataRole.DisplayRole:
            return run_title(run)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{run_title(run)}, {run_facts(run, state)}, {run_sentence(state)[0]}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{run.path}\n{run_details(state)}"
        return None

    def refresh(self, runs: tuple[Run, ...]) -> None:
        """Take a new list of runs."""
        self.beginResetModel()
        self.runs = runs
        self.endResetModel()

    def renew(self, run_ids: set[str]) -> None:
        """Draw some cards again."""
        for at, run in enumerate(self.runs):
            if run.run_id in run_ids:
                self.dataChanged.emit(self.index(at), self.index(at))

    def place_of(self, run_id: str) -> QModelIndex:
        """Find a run."""
        for at, run in enumerate(self.runs):
            if run.run_id == run_id:
                return self.index(at)
        return QModelIndex()


class RunCard(QStyledItemDelegate):
    """Paints a run as a card."""

    mend_asked = pyqtSignal(object)
    log_asked = pyqtSignal()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802  (Qt's name)
        """Leave room for three lines, a bar and a button."""
        state = index.data(STATE_ROLE)
        height = 2 * PADDING + 3 * LINE + 2
        if state is not None and state.state in ("running", "paused"):
            height += 8
        if can_run_again(state):
            height += 30
        height += (n_sentence_lines(state) - 1) * WRAPPED_LINE
        return QSize(100, height + GAP)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the card."""
        if painter is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        has_focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        area = option.rect.adjusted(0, 0, -1, -GAP)
        self._draw_card(painter, area, is_selected=is_selected, has_focus=has_focus)
        self._write(painter, area.adjusted(PADDING, PADDING - 1, -PADDING, -PADDING), index)
        painter.restore()

    def editorEvent(  # noqa: N802  (Qt's name)
        self,
        event: QEvent | None,
        model: QAbstractItemModel | None,
        option: QStyleOptionViewItem,
        index: QModelIndex,
    ) -> bool:
        """Take a click on the button, or on warnings to see them in the log."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            state = index.data(STATE_ROLE)
            area = option.rect.adjusted(PADDING, PADDING - 1, -PADDING - 1, -PADDING - GAP)
            if can_run_again(state) and again_button(area, remedy_words(state)).contains(event.pos()):
                self.mend_asked.emit(index.data(RUN_ROLE))
                return True
            if run_sentence(state)[1] == "warn" and sentence_line(area).contains(event.pos()):
                self.log_asked.emit()
        return super().editorEvent(event, model, option, index)

    def _draw_card(self, painter: QPainter, area: QRect, *, is_selected: bool, has_focus: bool) -> None:
        present = theme.current()
        painter.setPen(
            QPen(present.color("accent" if is_selected else "line"), 2 if has_focus and is_selected else 1)
        )
        painter.setBrush(present.color("accent_soft" if is_selected else "raised"))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _write(self, painter: QPainter, area: QRect, index: QModelIndex) -> None:
        run, state = index.data(RUN_ROLE), index.data(STATE_ROLE)
        present = theme.current()
        line = QRect(area.left(), area.top(), area.width(), LINE)
        used = write(painter, line, run_name(run), present.color("text"), bold=True, px=theme.NORMAL)
        write(painter, line.adjusted(used + 7, 0, 0, 0), run.path.name, present.color("soft"))
        line.translate(0, LINE + 1)
        write(painter, line, run_facts(run, state), present.color("soft"))
        sentence, tone = run_sentence(state)
        write(painter, sentence_line(area), sentence, present.color(tone), n_lines=n_sentence_lines(state))
        if state is not None and state.state in ("running", "paused"):
            self._draw_bar(painter, QRect(area.left(), area.bottom() - 4, area.width(), 4), state.fraction)
        if can_run_again(state):
            text = remedy_words(state)
            self._draw_button(painter, again_button(area, text), text)

    def _draw_bar(self, painter: QPainter, area: QRect, fraction: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().color("line"))
        painter.drawRoundedRect(QRectF(area), 2, 2)
        painter.setBrush(theme.current().color("accent"))
        painter.drawRoundedRect(QRectF(area.left(), area.top(), area.width() * fraction, area.height()), 2, 2)

    def _draw_button(self, painter: QPainter, area: QRect, text: str) -> None:
        painter.setPen(QPen(theme.current().color("line"), 1))
        painter.setBrush(theme.current().color("panel"))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.setPen(theme.current().color("text"))
        painter.setFont(theme.font(theme.SMALL))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


def n_sentence_lines(state: JobState | None) -> int:
    """Give the lines that the sentence about a job takes."""
    return 3 if state is not None and state.state == "failed" else 1


def sentence_line(area: QRect) -> QRect:
    """Give the place of the first line of the sentence about a job on a card."""
    return QRect(area.left(), area.top() + 2 * LINE + 1, area.width(), LINE)


def again_button(area: QRect, text: str) -> QRect:
    """Give the place of the button on a card that failed."""
    width = QFontMetrics(theme.font(theme.SMALL)).horizontalAdvance(text) + 24
    return QRect(area.left(), area.bottom() - 23, width, 24)


def write(
    painter: QPainter,
    area: QRect,
    text: str,
    color: QColor,
    *,
    bold: bool = False,
    px: int = theme.SMALL,
    n_lines: int = 1,
) -> int:
    """Write a text, cut with '…' where it does not fit; gives the width that it takes."""
    font = theme.font(px, bold=bold)
    painter.setFont(font)
    painter.setPen(color)
    metrics = QFontMetrics(font)
    if n_lines == 1:
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)
        return metrics.horizontalAdvance(text)
    room = (n_lines - 0.3) * area.width()  # words are not broken, so lines are not filled
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, round(room))
    tall = area.adjusted(0, 2, 0, (n_lines - 1) * LINE)
    painter.drawText(tall, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), text)
    return area.width()


class RunsView(View):
    """The list of runs, and what is done with them."""

    TITLE = "Runs"
    HELP = "Runs to process. Drop raw files or folders here, or open them with Ctrl+O."
    SHORTCUTS = (("Return", "Show the run"), ("Del", "Remove the run from the list"))

    open_asked = pyqtSignal()
    process_asked = pyqtSignal(object)
    """Runs to process."""
    mend_asked = pyqtSignal(object)
    """A run that failed or was stopped, to be processed again in a way that works."""
    log_asked = pyqtSignal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.model = RunModel(bridge)
        self.card = RunCard()
        self._kinds: dict[str, str] = {}
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(self.card)
        self.list.setAccessibleName("List of runs")
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.open_button = button("Open…", "Open raw files", "Open raw files (Ctrl+O)")
        self.drop_zone, zone = panel(margin=0, spacing=0)
        self.drop_zone.setObjectName("dropZone")
        hint = label("Drop raw files or folders here", tone="soft", px=theme.SMALL)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.setFixedHeight(42)
        zone.addWidget(hint)
        self.refusals = label(tone="warn", px=theme.SMALL)
        self.refusals.setWordWrap(True)
        self.refusals.setAccessibleName("Files that could not be taken")
        self.refusals.hide()
        self.dismiss_link = link("Dismiss", "Take these lines away", lambda: self.show_refused(()))
        self.dismiss_link.hide()
        self.process_button = button("Process", "Process the runs", primary=True)
        self.pause_button = button("Pause", "Pause the run, or let it go on")
        self.stop_button = button("Stop", "Stop the run")
        for one in (self.pause_button, self.stop_button):
            one.setObjectName("compact")
        self._make_actions()
        self._lay_out()
        self._connect()
        self._show_selection()
        self._show_buttons()

    @classmethod
    def demo(cls) -> RunsView:
        """Show a run under way, one that is done and one that failed."""
        from pygama.progress import Failed, Progress

        bridge = Bridge()
        view = cls(bridge)
        runs = [
            Run(str(n), Path(f"2018-9-30-BackgroundRun{n}"), n, 0, 1538300000, 2_010_030_000)
            for n in (72, 73, 74, 75)
        ]
        bridge.change(changes.add_runs, runs)
        for job_id, run in enumerate(runs[:3], start=1):
            bridge.adopt(job_id, run)
        for message in madeup.messages(runs[0].path):
            bridge.take(1, message)
        bridge.take(1, Progress(2_500_000, 4_000_000, 5000, 5000))
        for message in (*madeup.messages(runs[1].path, n_partials=1), madeup.end()):
            bridge.take(2, message)
        bridge.take(3, Failed("The worker was ended by signal 11 (SIGSEGV) near byte 1103211008 of Run74"))
        bridge.jobs_changed.emit({run.run_id for run in runs})
        return view

    def _make_actions(self) -> None:
        def _action(words: str, key: str) -> QAction:
            action = QAction(words, self)
            action.setShortcut(key)
            return action

        self.process_action = _action("&Process all", "Ctrl+R")
        self.again_action = _action("Process &selected run", "Ctrl+Shift+R")
        self.pause_action = _action("P&ause / go on", "Ctrl+P")
        self.stop_action = _action("S&top", "Ctrl+.")
        self.stop_all_action = _action("Stop a&ll", "Ctrl+Shift+.")
        self.remove_action = _action("Re&move from the list", "Del")
        self.remove_action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.addAction(self.remove_action)

    def view_actions(self) -> list[QAction]:
        """Give what can be done with runs."""
        return [
            self.process_action,
            self.again_action,
            self.pause_action,
            self.stop_action,
            self.stop_all_action,
            self.remove_action,
        ]

    def _lay_out(self) -> None:
        frame, column = panel(margin=12, spacing=8)
        column.addLayout(row(label("Runs", bold=True), None, self.open_button))
        column.addWidget(self.drop_zone)
        column.addWidget(self.refusals)
        column.addWidget(self.dismiss_link, 0, Qt.AlignmentFlag.AlignRight)
        column.addWidget(self.list, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.process_button, 1)
        buttons.addWidget(self.pause_button)
        buttons.addWidget(self.stop_button)
        column.addLayout(buttons)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def _connect(self) -> None:
        self.open_button.clicked.connect(self.open_asked)
        self.process_button.clicked.connect(self._process_shown)
        self.process_action.triggered.connect(self.process)
        self.again_action.triggered.connect(self._process_selected)
        self.pause_button.clicked.connect(self._pause)
        self.pause_action.triggered.connect(self._pause)
        self.stop_button.clicked.connect(self._stop)
        self.stop_action.triggered.connect(self._stop)
        self.stop_all_action.triggered.connect(self.bridge.stop_all)
        self.remove_action.triggered.connect(self._remove)
        self.card.mend_asked.connect(self.mend_asked)
        self.card.log_asked.connect(self.log_asked)
        self.list.selectionModel().currentChanged.connect(self._selected)
        self.list.customContextMenuRequested.connect(self._show_menu)

    def on_session(self, old: Session, new: Session) -> None:
        """Show the runs and the selection of the session."""
        if old.runs is not new.runs:
            self.model.refresh(new.runs)
        if old.runs is not new.runs or old.selected != new.selected:
            self._show_selection()
            self._show_buttons()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Show how the jobs stand."""
        sizes_change = any(self._is_new_kind(run_id) for run_id in run_ids)
        self.model.renew(run_ids)
        if sizes_change:
            self.model.layoutChanged.emit()
        self._show_buttons()

    def recolor(self) -> None:
        """Paint the cards in the colours of the present theme."""
        self.list.viewport().update()

    def show_refused(self, refused: tuple[tuple[Path, str], ...]) -> None:
        """Say which files could not be taken, and why."""
        lines = [in_short(path, reason) for path, reason in refused[:N_REFUSED]]
        if len(refused) > N_REFUSED:
            lines.append(f"and {len(refused) - N_REFUSED} more, see the log")
        self.refusals.setText("\n".join(lines))
        self.refusals.setToolTip("\n".join(refusal(path, reason) for path, reason in refused))
        for thing in (self.refusals, self.dismiss_link):
            thing.setVisible(bool(lines))

    def highlight(self, *, is_over: bool) -> None:
        """Show that a drop would be taken."""
        theme.mark(self.drop_zone, "over", is_over)

    def process(self) -> None:
        """Ask to process all runs that have not been; all again where each has been."""
        self.process_asked.emit(self._unprocessed() or list(self.session.runs))

    def _process_shown(self) -> None:
        """Do what the button says: process what has not been, or the selected run again."""
        selected = self.session.selected_run
        self.process_asked.emit(self._unprocessed() or ([] if selected is None else [selected]))

    def _process_selected(self) -> None:
        if (run := self.session.selected_run) is not None:
            self.process_asked.emit([run])

    def _unprocessed(self) -> list[Run]:
        return [run for run in self.session.runs if self._is_unprocessed(run)]

    def _is_unprocessed(self, run: Run) -> bool:
        state = self.bridge.state(run.run_id)
        return state is None or state.state in ("failed", "stopped")

    def _is_new_kind(self, run_id: str) -> bool:
        state = self.bridge.state(run_id)
        kind = "" if state is None else state.state
        is_new = self._kinds.get(run_id) != kind
        self._kinds[run_id] = kind
        return is_new

    def _target(self) -> str | None:
        """The run that Pause and Stop are for: the selected one if it is active, else the one under way."""
        active = self.bridge.active()
        if self.session.selected in active:
            return self.session.selected
        return active[0] if active else None

    def _pause(self) -> None:
        if (run_id := self._target()) is not None:
            self.bridge.pause(run_id)

    def _stop(self) -> None:
        if (run_id := self._target()) is not None:
            self.bridge.stop(run_id)

    def _remove(self) -> None:
        run_id = self.session.selected
        if run_id and not self.bridge.is_active(run_id):
            self.bridge.change(changes.remove_run, run_id)

    def _selected(self, index: QModelIndex) -> None:
        if index.isValid():
            self.bridge.change(changes.select_run, self.model.runs[index.row()].run_id)

    def _show_selection(self) -> None:
        index = self.model.place_of(self.session.selected)
        if index.isValid() and index != self.list.currentIndex():
            self.list.setCurrentIndex(index)

    def _show_buttons(self) -> None:
        runs, waiting = self.session.runs, self._unprocessed()
        target = self._target()
        state = None if target is None else self.bridge.state(target)
        is_paused = state is not None and state.state == "paused"
        self.process_button.setText(self._process_words(len(waiting), is_active=target is not None))
        self._enable(self.process_button, bool(waiting) or (bool(runs) and target is None))
        self.process_action.setEnabled(self.process_button.isEnabled())
        self.again_action.setEnabled(
            bool(self.session.selected) and not self.bridge.is_active(self.session.selected)
        )
        self.pause_button.setText("Go on" if is_paused else "Pause")
        is_under_way = state is not None and state.state in ("running", "paused")
        self._enable(self.pause_button, is_under_way)
        self.pause_action.setEnabled(is_under_way)
        self._enable(self.stop_button, target is not None)
        for action in (self.stop_action, self.stop_all_action):
            action.setEnabled(target is not None)
        self.remove_action.setEnabled(bool(self.session.selected))

    def _enable(self, one: QPushButton, is_wanted: bool) -> None:  # noqa: FBT001
        """Enable a button or not; one that had the focus gives it to the list, not to whatever is next."""
        if not is_wanted and one.hasFocus():
            self.list.setFocus()
        one.setEnabled(is_wanted)

    def _process_words(self, n_waiting: int, *, is_active: bool) -> str:
        if n_waiting:
            return f"Process {n_waiting}"
        if is_active:
            return "Processing…"
        return "Process again" if self.session.runs else "Process"

    def _show_menu(self, at: Any) -> None:
        if not self.list.indexAt(at).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self.again_action, self.pause_action, self.stop_action, self.stop_all_action])
        menu.addSeparator()
        menu.addAction(self.remove_action)
        menu.popup(self.list.viewport().mapToGlobal(at))
