"""Paints runs as cards: number, size, how the job stands, progress, and buttons for what can be done.

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
from PyQt5.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from pygama.utils import local_text
from pygama_gui.bridge import Bridge
from pygama_gui.jobs.board import JobState, age_tone, counted, date_of, state_sentence
from pygama_gui.jobs.remedies import Remedy, remedies_for
from pygama_gui.machine.data_sets import Standing
from pygama_gui.session import set_changes
from pygama_gui.session.state import DataSet, Run
from pygama_gui.widgets import theme, words

GAP, PADDING, LINE, BUTTON, BUTTON_GAP = 8, 10, 18, 24, 6
MOST_LINES = 5
"""Lines that the sentence about a failure takes at most; all of it is in the tooltip."""
_TIME_OF_DAY = re.compile(r" \d\d:\d\d UTC$")
MOST_LISTED = 30
"""Runs of a data set that its tooltip lists, at most."""
LEAST_WIDTH = 120
MANY_ROWS = 8
RUN_ROLE = Qt.ItemDataRole.UserRole + 1
STATE_ROLE = Qt.ItemDataRole.UserRole + 2
SET_ROLE = Qt.ItemDataRole.UserRole + 3
"""How a data set stands; None of a run."""
BESIDE_ROLE = Qt.ItemDataRole.UserRole + 4
"""Place of a run among those laid beside the selected one in the spectrum, from 1; 0 where it is not."""
BESIDE = "beside"


def run_name(run: Run) -> str:
    """Name a run by its number, and a data set as a person did."""
    return run.title + (f".{run.sub_run}" if run.sub_run and not isinstance(run, DataSet) else "")


def run_title(run: Run) -> str:
    """Name a run by its number and its file."""
    return f"{run_name(run)} · {run_source(run)}"


def run_source(run: Run) -> str:
    """Say what a run is read from: its file; of a data set, how many runs."""
    return counted(len(run.members), "run") if isinstance(run, DataSet) else run.path.name


def run_facts(run: Run, state: JobState | None) -> str:
    """Say how large a run is and how much of it is done, and when it began or how many events were found."""
    if isinstance(run, DataSet):
        events = [counted(state.rows, "event")] if state is not None else []
        numbers = f"runs {run.numbers}"
        is_said = run.name.lower() == numbers
        return " · ".join([*([] if is_said else [numbers]), *events]) or numbers
    is_known = state is not None and state.state in ("running", "paused", "done")
    if state is not None and state.state in ("running", "paused") and state.done_bytes and state.total_bytes:
        facts = [_part_of(state.done_bytes, state.total_bytes)]
    else:
        grown = 0 if state is None else state.total_bytes  # since the run was added
        facts = [words.size(max(run.size_bytes, grown))]
    if state is not None and is_known and (state.rows or state.has_ended):
        facts.append(counted(state.rows, "event"))
    elif run.start_time > 0:
        facts.append(time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.start_time)))
    return " · ".join(facts)


def _part_of(done_bytes: int, total_bytes: int) -> str:
    """Write '1.20 of 2.01 GB', or both units where they differ."""
    done, total = words.size(done_bytes), words.size(total_bytes)
    number, _, unit = done.rpartition(" ")
    return f"{number if total.endswith(f' {unit}') else done} of {total}"


def run_pace(state: JobState | None) -> str:
    """Say how quickly a run under way is processed; "" where nothing is known.

    One that is followed is read as it grows, and its events come at the rate of the strip.
    """
    if state is None or state.state != "running" or not state.bytes_per_s or not state.rows:
        return ""
    if state.follows:
        return f"read at {words.size(state.bytes_per_s)}/s"
    return f"{words.count(state.events_per_s)} events/s · {words.size(state.bytes_per_s)}/s"


def local_start(run: Run) -> str:
    """Give the start of a run in local time; "" where it is not known."""
    if run.start_time <= 0:
        return ""
    return f"began {local_text(run.start_time)}"


def run_sentence(state: JobState | None, run: Run | None = None) -> tuple[str, str]:
    """Say how a run stands, and in which tone."""
    if state is None:
        return ("■ not read" if run is not None and run.is_given else "■ not processed"), "soft"
    tone = {"running": "accent", "done": "ok", "failed": "bad"}.get(state.state, "soft")
    if state.search == "under way":
        tone = "accent"
    if state.state == "running" and state.follows:
        tone = age_tone(state.age_s)
    if state.state == "paused" and state.halted:
        tone = "warn"
    if state.state == "done" and state.warnings:
        tone = "warn"
    if state.state != "done" or (state.made_on is not None and not state.warnings):
        return state_sentence(state), tone
    warned = counted(state.warnings, "warning")
    when = f"in {words.duration(state.elapsed_s)}" if state.made_on is None else date_of(state.made_on)
    took = f"done {when}"
    return (f"▲ {took} · {warned}" if state.warnings else f"✓ {took}"), tone


def set_sentence(standing: Standing, state: JobState | None) -> tuple[str, str]:
    """Say how a data set stands, and in which tone."""
    progress = standing.progress
    if standing.trouble:
        return f"✕ {standing.trouble}", "bad"
    if progress is not None:
        return (f"■ {progress.words}", "warn") if progress.is_stopped else (f"▶ {progress.words}", "accent")
    if state is None:
        return "■ looking for its files", "soft"
    return ("✓ counted from its files" if standing.is_large else "✓ its files are there"), "ok"


def set_remedies(standing: Standing) -> tuple[Remedy, ...]:
    """Give what can be done about a data set."""
    progress = standing.progress
    if standing.trouble or (progress is not None and progress.is_stopped):
        return (Remedy("Read again", "read"),)
    return () if progress is None else (Remedy("Stop", "stop reading"),)


def set_details(data_set: DataSet, sentence: str) -> str:
    """List the runs of a data set with their files."""
    lines = [f"{run_name(one.run)}: {one.tier2}" for one in data_set.members[:MOST_LISTED]]
    more = len(data_set.members) - len(lines)
    return "\n".join([sentence, *lines, *([f"and {more} more"] if more > 0 else [])])


def run_details(state: JobState | None, run: Run | None = None) -> str:
    """Say how a run stands in all words: the whole message of a failure, the warnings one by one."""
    if state is None:
        return run_sentence(state, run)[0]
    is_earlier = state.made_on is not None
    sentence = state_sentence(state) if is_earlier else run_sentence(state)[0]
    lines = [sentence]
    if state.made_on is not None:
        lines.append(f"done {local_text(state.made_on)}")
    lines += (f"▲ {text}" for text in state.warned)
    if state.earlier:
        lines.append(f"earlier: {state.earlier}")
    if state.warnings > len(state.warned):
        lines.append(f"and {state.warnings - len(state.warned)} more, see the log")
    return "\n".join(lines)


def refusal(path: Path, reason: str) -> str:
    """Say why a file was not taken, with its name."""
    return f"▲ {reason}" if path.name in reason else f"▲ {path.name}: {reason}"


def in_short(path: Path, reason: str) -> str:
    """Keep the first statement of a reason: 'notes: no run: it begins …' becomes 'notes: no run'."""
    name, rest = reason.partition(path.name)[1:] if reason.startswith(path.name) else (path.name, reason)
    rest = rest.removeprefix(": ")
    first = re.split(r"[:;.] ", rest, maxsplit=1)[0]
    return f"▲ {name}{first}" if first.startswith(" ") else f"▲ {name}: {first}"


def earlier_line(state: JobState | None) -> str:
    """Say why the last attempt failed, until the new one has succeeded."""
    if state is None or not state.earlier or state.state in ("done", "failed"):
        return ""
    return f"tried again; earlier: {state.earlier}"


def shows_bar(state: JobState) -> bool:
    """Tell whether a card shows how much is done; of a file that still grows nobody knows."""
    return state.state in ("running", "paused") and not state.follows


def in_queue_order(runs: tuple[Run, ...], bridge: Bridge) -> tuple[Run, ...]:
    """Give the runs; several that wait come last, in the order in which they will be processed."""
    queue = bridge.queue()
    if len(queue) < 2:
        return runs
    waiting = set(queue)
    by_id = {run.run_id: run for run in runs}
    others = (run for run in runs if run.run_id not in waiting)
    return (*others, *(by_id[run_id] for run_id in queue if run_id in by_id))


_PLAIN_SIZE = QSize(100, 2 * PADDING + 3 * LINE + 2 + GAP)


class RunModel(QAbstractListModel):
    """The runs of the session with their jobs."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.runs: tuple[Run, ...] = self._in_order()
        self._places = {run.run_id: at for at, run in enumerate(self.runs)}

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
        if role == SET_ROLE:
            return self._of_set(run)
        if role == BESIDE_ROLE:
            return self._place_beside(run)
        if role == Qt.ItemDataRole.DisplayRole:
            return run_title(run)
        if role == Qt.ItemDataRole.EditRole:
            return run_name(run)
        if isinstance(run, DataSet):
            return self._set_words(run, state, role)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            told = (run_title(run), run_facts(run, state), run_sentence(state, run)[0], run_pace(state))
            beside = "laid beside the selected run" if self._place_beside(run) else ""
            return ", ".join(filter(None, (*told, earlier_line(state), beside)))
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (str(run.path), local_start(run), run_details(state, run))))
        return None

    def _of_set(self, run: Run) -> Standing | None:
        return self._bridge.data_sets.standing(run) if isinstance(run, DataSet) else None

    def _place_beside(self, run: Run) -> int:
        session = self._bridge.session
        others = session.spectrum.others
        is_beside = run.run_id in others and run.run_id != session.selected
        return others.index(run.run_id) + 1 if is_beside else 0

    def _set_words(self, data_set: DataSet, state: JobState | None, role: int) -> Any:
        sentence = set_sentence(self._bridge.data_sets.standing(data_set), state)[0]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join((run_title(data_set), run_facts(data_set, state), sentence))
        return set_details(data_set, sentence) if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        """Let data sets be renamed in their place."""
        flags = super().flags(index)
        is_set = index.isValid() and isinstance(self.runs[index.row()], DataSet)
        return flags | Qt.ItemFlag.ItemIsEditable if is_set else flags

    def setData(  # noqa: N802  (Qt's name)
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Rename a data set."""
        if role != Qt.ItemDataRole.EditRole or not isinstance(self.runs[index.row()], DataSet):
            return False
        self._bridge.change(set_changes.rename_data_set, self.runs[index.row()].run_id, str(value))
        return True

    def _in_order(self) -> tuple[Run, ...]:
        session = self._bridge.session
        return (*session.data_sets, *in_queue_order(session.runs, self._bridge))

    def refresh(self) -> None:
        """Take the list of the session."""
        self.beginResetModel()
        self._take(self._in_order())
        self.endResetModel()

    def sort_waiting(self) -> bool:
        """Show the runs that wait in the order of the queue; tells whether any card moved."""
        runs = self._in_order()
        if runs == self.runs:
            return False
        self.layoutAboutToBeChanged.emit()
        before, old = self.persistentIndexList(), self.runs
        self._take(runs)
        after = [self.place_of(old[index.row()].run_id) for index in before]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()
        return True

    def waiting_rows(self) -> list[int]:
        """Give the rows of the runs that wait, in order."""
        return sorted(self._places[run_id] for run_id in self._bridge.queue() if run_id in self._places)

    def renew(self, run_ids: set[str]) -> None:
        """Draw some cards again."""
        rows = [self._places[run_id] for run_id in run_ids if run_id in self._places]
        if len(rows) > MANY_ROWS:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))
            return
        for at in rows:
            self.dataChanged.emit(self.index(at), self.index(at))

    def is_plain(self, row: int) -> bool:
        """Tell whether a card has three lines and nothing else, as most of a long list."""
        run = self.runs[row]
        if isinstance(run, DataSet):
            return False
        state = self._bridge.state(run.run_id)
        return state is None or (state.state in ("waiting", "done") and not earlier_line(state))

    def place_of(self, run_id: str) -> QModelIndex:
        """Find a run."""
        at = self._places.get(run_id)
        return QModelIndex() if at is None else self.index(at)

    def _take(self, runs: tuple[Run, ...]) -> None:
        self.runs = runs
        self._places = {run.run_id: at for at, run in enumerate(runs)}


class RunCard(QStyledItemDelegate):
    """Paints a run as a card."""

    mend_asked = pyqtSignal(object, str)
    """A run, and the act of the remedy that was chosen."""
    log_asked = pyqtSignal()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802  (Qt's name)
        """Leave room for three lines, the pace, an earlier failure, a bar and buttons."""
        model = index.model()
        if isinstance(model, RunModel) and model.is_plain(index.row()):
            return _PLAIN_SIZE
        state = index.data(STATE_ROLE)
        viewport = None if option.widget is None else option.widget.viewport()
        width = max((300 if viewport is None else viewport.width()) - 2 * PADDING - 1, LEAST_WIDTH)
        if (of_set := index.data(SET_ROLE)) is not None:
            return self._size_of_set(of_set, state, width)
        height = 2 * PADDING + 2 * LINE + 2 + sentence_height(state, width)
        if state is not None and state.state == "running":
            height += LINE
        if state is not None and shows_bar(state):
            height += 8
        if earlier_line(state):
            height += LINE
        if rows := button_rows(remedies_for(state), width):
            height += 6 + len(rows) * (BUTTON + BUTTON_GAP) - BUTTON_GAP
        return QSize(100, height + GAP)

    def _size_of_set(self, standing: Standing, state: JobState | None, width: int) -> QSize:
        progress = standing.progress
        height = 2 * PADDING + 2 * LINE + 2
        height += words_height(set_sentence(standing, state)[0], width)
        height += 8 if progress is not None and not progress.is_stopped else 0
        if rows := button_rows(set_remedies(standing), width):
            height += 6 + len(rows) * (BUTTON + BUTTON_GAP) - BUTTON_GAP
        return QSize(100, height + GAP)

    def createEditor(  # noqa: N802  (Qt's name)
        self, parent: QWidget | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QWidget:
        """Give a field for the name of a data set."""
        field = QLineEdit(parent)
        field.setAccessibleName("Name of the data set")
        field.setMaxLength(80)
        return field

    def updateEditorGeometry(  # noqa: N802  (Qt's name)
        self, editor: QWidget | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Put the field where the name stands."""
        if editor is not None:
            area = option.rect
            editor.setGeometry(area.left() + 4, area.top() + 3, area.width() - 9, LINE + 12)

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
            for remedy, place in button_places(area, _remedies(index)):
                if place.contains(event.pos()):
                    self.mend_asked.emit(index.data(RUN_ROLE), remedy.act)
                    return True
            is_run = index.data(SET_ROLE) is None
            if is_run and run_sentence(state)[1] == "warn" and sentence_line(area).contains(event.pos()):
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
        if place_beside := index.data(BESIDE_ROLE):
            line.setRight(self._draw_beside(painter, line, place_beside))
        used = write(painter, line, run_name(run), present.color("text"), bold=True, px=theme.NORMAL)
        write(painter, line.adjusted(used + 7, 0, 0, 0), run_source(run), present.color("soft"))
        line = QRect(area.left(), area.top() + LINE + 1, area.width(), LINE)
        write(painter, line, run_facts(run, state), present.color("soft"))
        if (of_set := index.data(SET_ROLE)) is not None:
            self._write_set(painter, area, index, of_set)
            return
        sentence, tone = run_sentence(state, index.data(RUN_ROLE))
        tall = sentence_height(state, area.width())
        if tall == LINE:
            sentence = in_room(sentence, area.width())
        place = sentence_line(area)
        write(painter, place, sentence, present.color(tone), height=tall)
        place.translate(0, tall)
        if earlier := earlier_line(state):
            write(painter, place, earlier, present.color("warn"))
            place.translate(0, LINE)
        if state is not None and state.state == "running":
            write(painter, place, run_pace(state), present.color("soft"))
        if state is not None and shows_bar(state):
            self._draw_bar(painter, QRect(area.left(), area.bottom() - 4, area.width(), 4), state.fraction)
        for remedy, at in button_places(area, remedies_for(state)):
            self._draw_button(painter, at, remedy.words)

    def _write_set(self, painter: QPainter, area: QRect, index: QModelIndex, standing: Standing) -> None:
        """Write how a data set stands, how far its reading is, and what can be done."""
        progress = standing.progress
        sentence, tone = set_sentence(standing, index.data(STATE_ROLE))
        tall = words_height(sentence, area.width())
        write(painter, sentence_line(area), sentence, theme.current().color(tone), height=tall)
        if progress is not None and not progress.is_stopped:
            top = sentence_line(area).top() + tall + 2
            self._draw_bar(painter, QRect(area.left(), top, area.width(), 4), progress.fraction)
        for remedy, at in button_places(area, _remedies(index)):
            self._draw_button(painter, at, remedy.words)

    def _draw_beside(self, painter: QPainter, line: QRect, place: int) -> int:
        """Write at the right that a run is laid beside, under its curve's colour; gives where that begins."""
        width = QFontMetrics(theme.font(theme.SMALL)).horizontalAdvance(BESIDE)
        words_at = QRect(line.right() - width, line.top(), width + 1, LINE)
        write(painter, words_at, BESIDE, theme.current().color("soft"))
        painter.setPen(QPen(QColor(theme.current().series(place)), 2))
        painter.drawLine(words_at.left(), words_at.bottom() + 1, words_at.right(), words_at.bottom() + 1)
        return words_at.left() - GAP

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


def _remedies(index: QModelIndex) -> tuple[Remedy, ...]:
    """Give what a card offers to do."""
    of_set = index.data(SET_ROLE)
    return remedies_for(index.data(STATE_ROLE)) if of_set is None else set_remedies(of_set)


def sentence_height(state: JobState | None, width: int) -> int:
    """Give the height of the sentence about a job: a line, more for what went wrong."""
    if state is None or not (state.state == "failed" or state.halted):
        return LINE
    return words_height(run_sentence(state)[0], width)


def in_room(sentence: str, width: int) -> str:
    """Keep of a sentence its shape and what tells most, where not all of it has room."""
    if QFontMetrics(theme.font(theme.SMALL)).horizontalAdvance(sentence) <= width:
        return sentence
    first, dot, last = sentence.rpartition(" · ")
    if dot:
        return f"{first[0]} {last}"
    return _TIME_OF_DAY.sub("", sentence.replace(" processing,", ""))


def words_height(sentence: str, width: int) -> int:
    """Give the height of a sentence in as many lines as it needs, up to `MOST_LINES`."""
    metrics = QFontMetrics(theme.font(theme.SMALL))
    flags = int(Qt.TextFlag.TextWordWrap)
    needed = metrics.boundingRect(0, 0, width, 10_000, flags, sentence).height()
    n_lines = min(max(round(needed / metrics.lineSpacing()), 1), MOST_LINES)
    return LINE + (n_lines - 1) * metrics.lineSpacing()


def sentence_line(area: QRect) -> QRect:
    """Give the place of the first line of the sentence about a job on a card."""
    return QRect(area.left(), area.top() + 2 * LINE + 1, area.width(), LINE)


def button_rows(remedies: tuple[Remedy, ...], width: int) -> list[list[tuple[Remedy, int]]]:
    """Share buttons out to rows of this width: each with the width that it takes."""
    if not remedies:
        return []
    metrics = QFontMetrics(theme.font(theme.SMALL))
    rows: list[list[tuple[Remedy, int]]] = []
    left = 0
    for remedy in remedies:
        needed = min(metrics.horizontalAdvance(remedy.words) + 14, width)
        if not rows or needed > left:
            rows.append([])
            left = width
        rows[-1].append((remedy, needed))
        left -= needed + BUTTON_GAP
    return rows


def button_places(area: QRect, remedies: tuple[Remedy, ...]) -> list[tuple[Remedy, QRect]]:
    """Give the places of the buttons at the foot of a card."""
    rows = button_rows(remedies, area.width())
    places = []
    top = area.bottom() + 1 - len(rows) * (BUTTON + BUTTON_GAP) + BUTTON_GAP
    for at, row in enumerate(rows):
        left = area.left()
        for remedy, width in row:
            places.append((remedy, QRect(left, top + at * (BUTTON + BUTTON_GAP), width, BUTTON)))
            left += width + BUTTON_GAP
    return places


def write(
    painter: QPainter,
    area: QRect,
    text: str,
    color: QColor,
    *,
    bold: bool = False,
    px: int = theme.SMALL,
    height: int = LINE,
) -> int:
    """Write a text, cut with '…' where it does not fit; gives the width that it takes."""
    font = theme.font(px, bold=bold)
    painter.setFont(font)
    painter.setPen(color)
    metrics = QFontMetrics(font)
    if height <= LINE:
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)
        return metrics.horizontalAdvance(text)
    n_lines = 1 + round((height - LINE) / metrics.lineSpacing())
    if n_lines >= MOST_LINES:
        room = (n_lines - 0.3) * area.width()  # words are not broken, so lines are not filled
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, round(room))
    tall = QRect(area.left(), area.top() + 1, area.width(), height)
    painter.drawText(tall, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), text)
    return area.width()
