"""Lists the runs, and takes what a person wants done with them: drops, order, buttons, menus."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QItemSelectionModel, QModelIndex, QPoint, QRect, QSize, Qt, QUrl, pyqtSignal
from PyQt5.QtGui import QDesktopServices, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QAction,
    QApplication,
    QBoxLayout,
    QHBoxLayout,
    QListView,
    QMenu,
    QPushButton,
    QVBoxLayout,
)

from pygama_gui.bridge import Bridge
from pygama_gui.data.selection import passing_of
from pygama_gui.jobs.cost import cost_words, seconds_for
from pygama_gui.jobs.remedies import AGAIN, has_no_events, remedies_for
from pygama_gui.session import changes, set_changes
from pygama_gui.session.state import DataSet, Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.runs.cards import RunCard, RunModel, in_short, refusal, run_title
from pygama_gui.views.runs.headers import compare_headers, show_header
from pygama_gui.views.runs.set_making import RangeDialog, has_several_members, make_set
from pygama_gui.widgets import menu_words, theme, words
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import button, label, link, panel, row

PROCESS = "Process the runs"
N_REFUSED = 4
N_COMPARED = 15
LEAST, NARROW, LOW = QSize(212, 176), 274, 270
"""Less wide than `NARROW`, in pixels, the buttons stand below each other; in a panel that is lower than `LOW`
there is no place to drop: the whole window is one."""


class RunList(QListView):
    """The cards; one that waits can be dragged to another place among those that wait."""

    beside_asked = pyqtSignal(int)
    """A card was clicked with Ctrl."""
    moved = pyqtSignal(int, int)
    """A waiting card was dragged: its row, and the row before which it was let go."""

    def __init__(self, model: RunModel) -> None:
        super().__init__()
        self.setModel(model)
        self._runs = model
        self._pressed: tuple[QPoint, int] | None = None
        self._line: int | None = None
        """Row before which a dragged card would be put."""

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Note where a drag may begin; with Ctrl ask for the run beside the selected one."""
        if event is not None and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self._pressed = None
            if (at := self.indexAt(event.pos()).row()) >= 0 and event.button() == Qt.MouseButton.LeftButton:
                self.beside_asked.emit(at)
            return
        super().mousePressEvent(event)
        self._keep_chosen()
        self._pressed = None
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            at = self.indexAt(event.pos()).row()
            if at in self._runs.waiting_rows():
                self._pressed = (event.pos(), at)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show where a dragged card would be put; dragging over other cards selects nothing."""
        if event is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        if self._pressed is None:
            return
        far = (event.pos() - self._pressed[0]).manhattanLength() >= QApplication.startDragDistance()
        if far or self._line is not None:
            self._show_line(self._row_before(event.pos()))
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Put a dragged card where it was let go."""
        pressed, line = self._pressed, self._line
        self._pressed = None
        self._show_line(None)
        self.viewport().unsetCursor()
        if pressed is not None and line is not None:
            self.moved.emit(pressed[1], line)
            return
        super().mouseReleaseEvent(event)
        self._keep_chosen()

    def _keep_chosen(self) -> None:
        """Mark the chosen run again, which Qt unmarks beside the cards and where a click changed the list."""
        model, chosen = self.selectionModel(), self.currentIndex()
        if chosen.isValid() and not model.hasSelection():
            model.select(chosen, QItemSelectionModel.SelectionFlag.Select)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw the cards, and the place of one that is dragged."""
        super().paintEvent(event)
        if self._line is not None:
            place = self._place_of_line(self._line)
            painter = QPainter(self.viewport())
            painter.setPen(QPen(theme.current().color("accent"), 3))
            painter.drawLine(place.left() + 2, place.top(), place.right() - 2, place.top())
            painter.end()

    def _row_before(self, at: QPoint) -> int:
        """Find the row before which a card let go here belongs: that of a waiting one, or behind the last."""
        waiting = self._runs.waiting_rows()
        for place in waiting:
            if at.y() < self.visualRect(self._runs.index(place)).center().y():
                return place
        return waiting[-1] + 1 if waiting else 0

    def _place_of_line(self, row: int) -> QRect:
        if row < self._runs.rowCount():
            return self.visualRect(self._runs.index(row)).translated(0, -5)
        last = self.visualRect(self._runs.index(row - 1))
        return last.translated(0, last.height() - 5)

    def _show_line(self, row: int | None) -> None:
        if row != self._line:
            self._line = row
            self.viewport().update()


class RunsView(View):
    """The list of runs, and what is done with them."""

    TITLE = "Runs"
    HELP = "Runs to process. Drop raw files, Tier files or folders here, or open them with Ctrl+O."
    SHORTCUTS = (
        ("Return", "Show the run"),
        ("Ctrl+click", "Lay a run beside the selected one in the spectrum, or take it away"),
        ("Shift+click", "Select all runs up to this one, for a data set"),
        ("Del", "Remove the run from the list"),
    )

    open_asked = pyqtSignal()
    process_asked = pyqtSignal(object)
    """Runs to process."""
    mend_asked = pyqtSignal(object, str)
    """A run that failed or was stopped, and what to do about it: the act of a remedy."""
    follow_asked = pyqtSignal(object)
    """A run to follow while its file grows, or no longer."""
    next_asked = pyqtSignal(object)
    """A run to process before all others."""
    beside_asked = pyqtSignal(str)
    """A run to show beside the selected one in the spectrum, or no longer."""
    log_asked = pyqtSignal()
    table_asked = pyqtSignal(object, bool)
    """A run whose table is to be saved, and whether only the rows that pass the cuts."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.model = RunModel(bridge)
        self.card = RunCard()
        self._kinds: dict[str, str] = {}
        self.list = RunList(self.model)
        self.list.setItemDelegate(self.card)
        self.list.setAccessibleName("List of runs")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.open_button = button("Open…", "Open raw files", "Open raw files (Ctrl+O)")
        self.drop_zone, zone = panel(margin=0, spacing=0)
        self.drop_zone.setObjectName("dropZone")
        hint = label("Drop raw or Tier files here", tone="soft", px=theme.SMALL)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.setFixedHeight(42)
        zone.addWidget(hint)
        self.refusals = label(tone="warn", px=theme.SMALL)
        self.refusals.setWordWrap(True)
        self.refusals.setAccessibleName("Files that could not be taken")
        self.refusals.hide()
        self.dismiss_link = link("Dismiss", "Take these lines away", lambda: self.show_refused(()))
        self.dismiss_link.hide()
        self.process_button = button("Process", PROCESS, primary=True)
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
        """Show a run under way, one that is done, one that crashed, one that is live and one that is new."""
        from pygama.progress import Failed, Progress

        bridge = Bridge()
        view = cls(bridge)
        runs = [
            Run(str(n), Path(f"2018-9-30-BackgroundRun{n}"), n, 0, 1538300000, 2_010_030_000)
            for n in (72, 73, 74, 75, 76)
        ]
        bridge.change(changes.add_runs, runs)
        for job_id, run in enumerate(runs[:4], start=1):
            bridge.adopt(job_id, run, follows=job_id == 4)
        for message in madeup.messages(runs[0].path):
            bridge.take(1, message)
        bridge.take(1, Progress(2_500_000, 4_000_000, 5000, 5000))
        for message in (*madeup.messages(runs[1].path, n_partials=1), madeup.end()):
            bridge.take(2, message)
        crash = "The worker was ended by signal 11 (SIGSEGV) near byte 1\u202f103\u202f211\u202f008 of Run74"
        bridge.take(3, Failed(crash, ended_after=1103211008))
        for message in madeup.messages(runs[3].path, n_partials=2):
            bridge.take(4, message)
        bridge.jobs_changed.emit({run.run_id for run in runs})
        return view

    def _make_actions(self) -> None:
        def _action(words: str, key: str) -> QAction:
            action = menu_words.name(QAction(self), words)
            action.setShortcut(key)
            return action

        self.process_action = _action("&Process all | start run go begin", "Ctrl+R")
        self.again_action = _action(
            "Process &selected run | start again reprocess rerun redo begin", "Ctrl+Shift+R"
        )
        self.next_action = _action("Process &next | start first priority", "Ctrl+Shift+N")
        self.follow_action = _action("&Follow the run | live growing online tail", "Ctrl+Space")
        self.earlier_action = _action("&Earlier in the queue | priority move up sooner order", "Alt+Up")
        self.later_action = _action("&Later in the queue | priority move down order", "Alt+Down")
        self.retry_action = _action("&Retry failed | restart again rerun errors", "Ctrl+Alt+R")
        self.pause_action = _action("P&ause / go on | resume continue hold", "Ctrl+P")
        self.pause_all_action = _action("Pause all / all go on | resume continue hold", "Ctrl+Shift+P")
        self.stop_action = _action("S&top | cancel abort kill end", "Ctrl+.")
        self.stop_all_action = _action("Stop all | cancel abort kill end", "Ctrl+Shift+.")
        self.table_action = _action("Sa&ve the table… | export csv parquet root lh5 rows data", "Ctrl+Alt+T")
        self.passing_action = _action(
            "Save the rows that pass the cuts… | export csv parquet root lh5 table data filter", ""
        )
        self.header_action = _action("Sho&w the header | plist metadata info about run compare", "Ctrl+H")
        self.reveal_action = _action("Show in the file mana&ger | reveal open folder explorer finder", "")
        self.copy_path_action = _action("Cop&y the path | clipboard file name", "Ctrl+Alt+P")
        self.set_action = _action(
            "Make a data set of the selected runs | look at as one merge combine join sum add several",
            "Ctrl+Alt+D",
        )
        self.range_action = _action(
            "Make a data set of runs… | look at as one merge combine join sum add several",
            "Ctrl+Alt+Shift+D",
        )
        self.rename_action = _action("Rename the data set", "F2")
        self.rename_action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.addAction(self.rename_action)
        self.remove_action = _action("Re&move from the list | delete run clear", "Del")
        self.remove_action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.addAction(self.remove_action)

    def view_actions(self) -> list[QAction]:
        """Give what can be done with runs."""
        return [
            self.process_action,
            self.again_action,
            self.next_action,
            self.follow_action,
            self.earlier_action,
            self.later_action,
            self.retry_action,
            self.pause_action,
            self.pause_all_action,
            self.stop_action,
            self.stop_all_action,
            self.header_action,
            self.table_action,
            self.passing_action,
            self.reveal_action,
            self.copy_path_action,
            self.set_action,
            self.range_action,
            self.rename_action,
            self.remove_action,
        ]

    def _lay_out(self) -> None:
        frame, column = panel(margin=12, spacing=8)
        column.addLayout(row(label("Runs", bold=True), None, self.open_button))
        column.addWidget(self.drop_zone)
        column.addWidget(self.refusals)
        column.addWidget(self.dismiss_link, 0, Qt.AlignmentFlag.AlignRight)
        column.addWidget(self.list, 1)
        others = QHBoxLayout()
        others.addWidget(self.pause_button, 1)
        others.addWidget(self.stop_button, 1)
        self._buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._buttons.addWidget(self.process_button, 1)
        self._buttons.addLayout(others)
        for line in (others, self._buttons):
            line.setSpacing(8)
        column.addLayout(self._buttons)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Ask for the width of one button, below which the others go, and for no place to drop files."""
        return LEAST

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Put the buttons below each other in a narrow panel; leave out the place to drop in a low one."""
        super().resizeEvent(event)
        way = QBoxLayout.Direction
        self._buttons.setDirection(way.TopToBottom if self.width() < NARROW else way.LeftToRight)
        self._show_drop_zone()

    def _show_drop_zone(self) -> None:
        refused = self.refusals.heightForWidth(self.width()) + self.dismiss_link.sizeHint().height() + 16
        needed = LOW + (0 if self.refusals.isHidden() else refused)
        self.drop_zone.setVisible(self.height() >= needed)

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
        self.next_action.triggered.connect(self._process_next)
        self.follow_action.triggered.connect(self._follow)
        self.table_action.triggered.connect(lambda: self._ask_table(only_passing=False))
        self.passing_action.triggered.connect(lambda: self._ask_table(only_passing=True))
        self.header_action.triggered.connect(self._show_header)
        self.reveal_action.triggered.connect(self._reveal)
        self.copy_path_action.triggered.connect(self._copy_path)
        self.earlier_action.triggered.connect(lambda: self.bridge.move_in_queue(self.session.selected, -1))
        self.later_action.triggered.connect(lambda: self.bridge.move_in_queue(self.session.selected, 1))
        self.retry_action.triggered.connect(lambda: self.process_asked.emit(self._failed()))
        self.pause_all_action.triggered.connect(self.bridge.pause_all)
        self.list.moved.connect(self._move)
        self.list.beside_asked.connect(lambda row: self.beside_asked.emit(self.model.runs[row].run_id))
        self.remove_action.triggered.connect(self._remove)
        self.set_action.triggered.connect(self._make_set)
        self.range_action.triggered.connect(self.ask_range)
        self.rename_action.triggered.connect(self._rename)
        self.card.mend_asked.connect(self.mend_asked)
        self.card.log_asked.connect(self.log_asked)
        self.list.selectionModel().currentChanged.connect(self._selected)
        self.list.selectionModel().selectionChanged.connect(self._enable_set_actions)
        self.list.customContextMenuRequested.connect(self._show_menu)

    def on_session(self, old: Session, new: Session) -> None:
        """Show the runs and the selection of the session."""
        is_other_list = old.runs is not new.runs or old.data_sets is not new.data_sets
        if is_other_list:
            self.model.refresh()
        if is_other_list or old.selected != new.selected:
            self._show_selection()
            self._show_buttons()
        elif old.cuts is not new.cuts:
            self._enable_table_actions()
        if old.spectrum.others != new.spectrum.others:
            self.list.viewport().update()
            self._enable_set_actions()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Show how the jobs stand."""
        kinds_change = [self._is_new_kind(run_id) for run_id in run_ids]
        self.model.renew(run_ids)
        if any(kinds_change):
            if not self.model.sort_waiting():
                self.model.layoutChanged.emit()
        elif any(self.bridge.is_waiting(run_id) for run_id in run_ids):
            self.model.sort_waiting()
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
        self._show_drop_zone()

    def highlight(self, *, is_over: bool) -> None:
        """Show that a drop would be taken."""
        theme.mark(self.drop_zone, "over", is_over)

    def process(self) -> None:
        """Ask to process all runs that have not been; all again where each has been."""
        self.process_asked.emit(self._unprocessed() or list(self.session.runs))

    def _process_shown(self) -> None:
        """Do what the button says: process what has not been, or the selected run again."""
        selected = self.session.selected_run
        is_there = selected is not None and selected.can_be_processed
        self.process_asked.emit(self._unprocessed() or ([selected] if is_there else []))

    def _process_selected(self) -> None:
        if (run := self.session.selected_run) is not None:
            self.process_asked.emit([run])

    def _unprocessed(self) -> list[Run]:
        return [run for run in self.session.runs if self._is_unprocessed(run)]

    def _is_unprocessed(self, run: Run) -> bool:
        state = self.bridge.state(run.run_id)
        is_open = state is None or state.state in ("failed", "stopped")
        return is_open and run.can_be_processed and (state is not None or not run.is_given)

    def _is_new_kind(self, run_id: str) -> bool:
        state = self.bridge.state(run_id)
        kind = "" if state is None else f"{state.state} {state.search} {state.halted} {state.earlier}"
        progress = self.bridge.data_sets.progress(run_id)
        kind += self.bridge.data_sets.trouble(run_id)
        kind += "" if progress is None else f" {progress.what} {progress.is_stopped}"
        is_new = self._kinds.get(run_id) != kind
        self._kinds[run_id] = kind
        return is_new

    def _target(self) -> str | None:
        """The run that Stop is for: the selected one if it is active, else the one under way."""
        active = self.bridge.active()
        if self.session.selected in active:
            return self.session.selected
        return active[0] if active else None

    def _under_way(self) -> str | None:
        """The run that Pause is for: the selected one if it has begun, else the first that has."""
        begun = [run_id for run_id in self.bridge.active() if self.bridge.has_begun(run_id)]
        return self.session.selected if self.session.selected in begun else next(iter(begun), None)

    def _state_of(self, run_id: str) -> str:
        state = self.bridge.state(run_id)
        return "" if state is None else state.state

    def _pause(self) -> None:
        if (run_id := self._under_way()) is not None:
            self.bridge.pause(run_id)
        elif self.bridge.is_held:
            self.bridge.pause_all()

    def _stop(self) -> None:
        if (run_id := self._target()) is not None:
            self.bridge.stop(run_id)

    def _process_next(self) -> None:
        if (run := self.session.selected_run) is not None:
            self.next_asked.emit(run)

    def _follow(self) -> None:
        if (run := self.session.selected_run) is not None:
            self.follow_asked.emit(run)

    def _is_followed(self, run_id: str) -> bool:
        state = self.bridge.state(run_id)
        return state is not None and state.follows and not state.has_ended

    def _failed(self) -> list[Run]:
        states = ((run, self.bridge.state(run.run_id)) for run in self.session.runs)
        failed = ((run, state) for run, state in states if state is not None and state.state == "failed")
        return [run for run, state in failed if not has_no_events(state.text)]

    def _move(self, row: int, before: int) -> None:
        """Put the waiting card of a row before that of another row."""
        rows = self.model.waiting_rows()
        place = sum(other < before for other in rows)
        self.bridge.place_in_queue(self.model.runs[row].run_id, place - (row < before))

    def _remove(self) -> None:
        run_id = self.session.selected
        if isinstance(self.session.selected_run, DataSet):
            self.bridge.change(set_changes.remove_data_set, run_id)
        elif run_id and not self.bridge.is_active(run_id):
            self.bridge.change(changes.remove_run, run_id)

    def marked_runs(self) -> list[Run]:
        """Give the runs that are selected, with Shift, or laid beside that one, with Ctrl; no data sets."""
        marked = {index.row() for index in self.list.selectionModel().selectedIndexes()}
        places = map(self.model.place_of, self.session.spectrum.others)
        marked |= {place.row() for place in places if place.isValid()}
        return [run for row in sorted(marked) if not isinstance(run := self.model.runs[row], DataSet)]

    def _make_set(self) -> None:
        if why := make_set(self.bridge, self.marked_runs()):
            self.bridge.log(why, "warning")

    def ask_range(self) -> None:
        """Ask which runs a data set is to be made of."""
        dialog = RangeDialog(self.bridge, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _rename(self) -> None:
        index = self.model.place_of(self.session.selected)
        if index.isValid():
            self.list.edit(index)

    def _selected(self, index: QModelIndex) -> None:
        if index.isValid():
            self.bridge.change(changes.select_run, self.model.runs[index.row()].run_id)

    def _show_selection(self) -> None:
        index = self.model.place_of(self.session.selected)
        if index.isValid() and index != self.list.currentIndex():
            self.list.setCurrentIndex(index)

    def _show_buttons(self) -> None:
        runs, waiting = self.session.runs, self._unprocessed()
        target, under_way = self._target(), self._under_way()
        is_held = under_way is None and self.bridge.is_held
        is_paused = is_held or (under_way is not None and self._state_of(under_way) == "paused")
        self.process_button.setText(self._process_words(len(waiting), is_active=target is not None))
        selected = self.session.selected_run
        has_header = selected is not None and not isinstance(selected, DataSet)
        has_header = has_header and (selected.is_raw or selected.tier1 is not None)
        can_again = any(run.can_be_processed for run in runs) and target is None
        can_selected = selected is not None and selected.can_be_processed
        self._enable(self.process_button, bool(waiting) or (can_again and can_selected))
        self.process_action.setEnabled(bool(waiting) or can_again)
        self._show_cost(waiting or [run for run in runs if run.run_id == self.session.selected])
        self._enable_queue_actions()
        self.pause_button.setText("Go on" if is_paused else "Pause")
        self._enable(self.pause_button, under_way is not None or is_held)
        self.pause_action.setEnabled(under_way is not None or is_held)
        self._enable(self.stop_button, target is not None)
        for action in (self.stop_action, self.stop_all_action):
            action.setEnabled(target is not None)
        self.pause_all_action.setEnabled(target is not None)
        self.retry_action.setEnabled(bool(self._failed()))
        self.header_action.setEnabled(has_header)
        for action in (self.reveal_action, self.copy_path_action):
            action.setEnabled(bool(self.session.selected))
        self._enable_set_actions()
        self.remove_action.setEnabled(bool(self.session.selected))
        self._enable_table_actions()

    def _enable_set_actions(self) -> None:
        self.set_action.setEnabled(len(self.marked_runs()) > 1)
        self.range_action.setEnabled(has_several_members(self.bridge, self.session.runs))
        self.rename_action.setEnabled(isinstance(self.session.selected_run, DataSet))

    def _enable_table_actions(self) -> None:
        state = self.bridge.state(self.session.selected)
        has_table = state is not None and state.state == "done" and bool(state.outputs)
        self.table_action.setEnabled(has_table)
        self.passing_action.setEnabled(has_table and passing_of(self.session) is not None)

    def _enable_queue_actions(self) -> None:
        selected, queue = self.session.selected, self.bridge.queue()
        run = self.session.selected_run
        is_idle = run is not None and run.can_be_processed and not self.bridge.is_active(selected)
        self.again_action.setEnabled(is_idle)
        is_followed = self._is_followed(selected)
        self.follow_action.setText("Stop &following" if is_followed else "&Follow the run")
        self.follow_action.setEnabled(is_followed or (is_idle and run is not None and run.is_raw))
        self.next_action.setEnabled(self.again_action.isEnabled() or selected in queue[1:])
        self.earlier_action.setEnabled(selected in queue[1:])
        self.later_action.setEnabled(selected in queue[:-1])

    def _enable(self, one: QPushButton, is_wanted: bool) -> None:  # noqa: FBT001
        """Enable a button or not; one that had the focus gives it to the list, not to whatever is next."""
        if not is_wanted and one.hasFocus():
            self.list.setFocus()
        one.setEnabled(is_wanted)

    def _show_cost(self, runs: list[Run]) -> None:
        """Say under the mouse, and to screen readers, what a click on the button would cost."""
        kinds = {run.is_raw for run in runs}
        alike = [run for run in self.session.runs if {run.is_raw} == kinds]  # Tier 1 takes another time
        states = filter(None, (self.bridge.state(run.run_id) for run in alike))
        n_bytes, n_jobs = sum(run.size_bytes for run in runs), self.session.n_jobs
        seconds = seconds_for(n_bytes, len(runs), states, n_jobs)
        what = "raw data" if kinds == {True} else "Tier 1" if kinds == {False} else "raw data and Tier 1"
        told = cost_words(len(runs), words.size(n_bytes), seconds, what) or PROCESS
        if told != self.process_button.toolTip():
            self.process_button.setToolTip(told)
            self.process_button.setAccessibleDescription(told)

    def _process_words(self, n_waiting: int, *, is_active: bool) -> str:
        if n_waiting:
            return f"Process {n_waiting}"
        if is_active:
            states = {self._state_of(run_id) for run_id in self.bridge.active()}
            is_paused = self.bridge.is_held or "paused" in states
            return "Paused" if is_paused and "running" not in states else "Processing…"
        return "Process again" if self.session.runs else "Process"

    def menu_for(self, run: Run) -> QMenu:
        """Make the menu of a run, which is the selected one."""
        menu = Menu("", self)
        menu.setToolTipsVisible(True)
        if isinstance(run, DataSet):
            menu.addActions([self.rename_action, self.reveal_action, self.copy_path_action])
            menu.addSeparator()
            menu.addActions([self.table_action, self.passing_action])
            menu.addSeparator()
            menu.addAction(self.remove_action)
            return menu
        menu.addActions([self.again_action, self.next_action, self.follow_action, self.retry_action])
        menu.addSeparator()
        menu.addActions([self.pause_action, self.stop_action, self.earlier_action, self.later_action])
        menu.addSeparator()
        for remedy in remedies_for(self.bridge.state(run.run_id)):
            if remedy != AGAIN:
                act = menu.addAction(remedy.words)
                act.triggered.connect(partial(self._mend, run, remedy.act))
        menu.addActions([self.header_action])
        menu.addMenu(self._compare_menu(run, menu))
        menu.addSeparator()
        menu.addActions([self.table_action, self.passing_action])
        menu.addSeparator()
        menu.addActions([self.reveal_action, self.copy_path_action])
        menu.addSeparator()
        menu.addActions([self.set_action, self.range_action])
        menu.addSeparator()
        menu.addAction(self.remove_action)
        return menu

    def _show_menu(self, at: Any) -> None:
        index = self.list.indexAt(at)
        if index.isValid():
            menu = self.menu_for(self.model.runs[index.row()])
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.list.viewport().mapToGlobal(at))

    def _mend(self, run: Run, act: str, _is_checked: bool = False) -> None:  # noqa: FBT001, FBT002
        self.mend_asked.emit(run, act)

    def _compare_menu(self, run: Run, parent: QMenu) -> QMenu:
        """Offer the runs beside this one, the nearest numbers first."""
        menu = Menu("&Compare the header with", parent)
        others = [other for other in self.session.runs if other.run_id != run.run_id]
        others.sort(key=lambda other: abs(other.run_number - run.run_number))
        for other in others[:N_COMPARED]:
            act = menu.addAction(run_title(other))
            act.setToolTip(str(other.path))
            act.triggered.connect(partial(self._compare, run, other))
        menu.setEnabled(bool(others))
        return menu

    def _compare(self, run: Run, other: Run, _is_checked: bool = False) -> None:  # noqa: FBT001, FBT002
        compare_headers(self, self.bridge, run, other)

    def _ask_table(self, *, only_passing: bool) -> None:
        if (run := self.session.selected_run) is not None:
            self.table_asked.emit(run, only_passing)

    def _show_header(self) -> None:
        if (run := self.session.selected_run) is not None:
            show_header(self, self.bridge, run)

    def _reveal(self) -> None:
        """Show the file's folder; which program does that is the system's choice."""
        if (run := self.session.selected_run) is not None:
            folder = QUrl.fromLocalFile(str(run.path.parent))
            if not QDesktopServices.openUrl(folder):
                self.bridge.log(f"No program shows folders here; the file is {run.path}", "warning")

    def _copy_path(self) -> None:
        if (run := self.session.selected_run) is not None:
            QApplication.clipboard().setText(str(run.path))
