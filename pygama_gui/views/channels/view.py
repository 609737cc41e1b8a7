"""Shows a small spectrum, figures and the state of each channel: a grid of tiles, or a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAction,
    QCheckBox,
    QHeaderView,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.health import MARKS, STATES, Survey
from pygama_gui.data.live_run import LiveRun
from pygama_gui.jobs.board import as_sentence, counted
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import raw_column
from pygama_gui.session.state import SORTS, ChannelsChoice, Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.channels.export import ChannelExporter
from pygama_gui.views.channels.tiles import Tile, TileGrid
from pygama_gui.views.figure_words import baseline_words, fwhm_words, rate_words
from pygama_gui.views.following import EARLIER
from pygama_gui.views.surveying import Surveying
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import Controls, Elided, choice_box, label, row
from pygama_gui.widgets.plot import Entry, plot_actions

HIDDEN_COLUMNS = ("period_ns", "crate", "card", "channel", "event_number", CODE, CLOCK)
NOISE = "Noise (ADC)"
COLUMNS = ("Channel", "State", "Why", "Events", "Rate", "Baseline", NOISE, "FWHM", "At end of range")
SORTED_BY = {"Channel": "name", "State": "state", "Rate": "rate", "Events": "rate", NOISE: "noise"}
WHY, MOST_OF_WHY = COLUMNS.index("Why"), 0.4
"""Why a channel is not well stands beside its state, in so much of the width at most."""
DIGITS = re.compile(r"(\d+)")
BETWEEN = 6
"""Pixels between the figures of two columns."""
N_NAMED = 4
"""Channels that the summary names."""
SPECTRUM_TAB = 2
ENDS = {"failed": "failed", "stopped": "was stopped"}


class ChannelTable(QAbstractTableModel):
    """The figures of the channels as rows of text."""

    def __init__(self) -> None:
        super().__init__()
        self.tiles: Sequence[Tile] = ()

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show channels, in their order; rows stay where there are as many as before."""
        if len(tiles) != len(self.tiles):
            self.beginResetModel()
            self.tiles = tiles
            self.endResetModel()
            return
        self.tiles = tiles
        if tiles:
            self.dataChanged.emit(self.index(0, 0), self.index(len(tiles) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802  (Qt's name)
        """Count the channels."""
        return 0 if parent.isValid() else len(self.tiles)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802  (Qt's name)
        """Count the figures."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802
        """Name the figures."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Write a figure."""
        if not index.isValid():
            return None
        tile = self.tiles[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return row_of(tile)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and COLUMNS[index.column()] == "State":
            return theme.current().color("soft" if tile.is_late or tile.is_all_late else tile.health.tone)
        return None


def row_of(tile: Tile) -> tuple[str, ...]:
    """Write the figures of a channel, in the order of COLUMNS."""
    figures = tile.figures
    # Late, the two numbers are of different cuts.
    is_shared = figures.n_events and not (tile.is_late or tile.is_all_late)
    share = f"{100 * figures.saturated / figures.n_events:.2g} %" if is_shared else ""
    noise = figures.noise if figures.noise == figures.noise else figures.baseline_rms
    return (
        tile.name,
        tile.late(tile.health.words),
        tile.late(tile.health.why),
        tile.counted(words.count(figures.n_events)),
        tile.counted(rate_words(figures)) if figures.rate == figures.rate else words.UNKNOWN,
        tile.late(baseline_words(figures).removeprefix("bl ")) or words.UNKNOWN,
        tile.late(words.three_digits(noise)) if noise == noise else words.UNKNOWN,
        tile.late(fwhm_words(tile.peak, tile.unit).removeprefix("FWHM ")) or words.UNKNOWN,
        share or words.UNKNOWN,
    )


class Table(QTableView):
    """The table of channels; Enter and a click choose, a double click opens."""

    chosen = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Table of the channels")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        for corner in self.findChildren(QAbstractButton):
            corner.setAccessibleName("Corner of the table of the channels")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(24)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def make_room(self) -> None:
        """Widen columns that are narrower than what is in them; none gets narrower while numbers change."""
        header = self.horizontalHeader()
        for at in range(header.count() - 1):
            needed = max(header.sectionSizeHint(at), self.sizeHintForColumn(at) + BETWEEN)
            if at == WHY:
                needed = min(needed, int(MOST_OF_WHY * self.viewport().width()))
            self.setColumnWidth(at, max(self.columnWidth(at), needed))


class ChannelsView(View):
    """All channels at a glance."""

    TITLE = "Channels"
    HELP = (
        "A small spectrum, the figures and the state of each channel. Click, or press Enter, to have all "
        "views show a channel; double-click to open its spectrum."
    )
    SHORTCUTS = (
        ("l", "Logarithmic or linear"),
        (".", "Next channel"),
        (",", "Previous channel"),
        ("Ctrl+Alt+S", "Save as picture or table"),
        ("Ctrl+C", "Copy as CSV"),
        ("Enter", "Show this channel in all views"),
        ("Arrows", "Go to another channel"),
        ("Esc", "Show all channels in all views"),
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._surveying = Surveying(self)
        self._columns: tuple[str, ...] = ()
        self.tiles: list[Tile] = []
        self._make_parts()
        self._lay_out()
        self.exporter = ChannelExporter(self)
        self._actions = plot_actions(self, self._entries())
        self._mark_actions()

    @classmethod
    def demo(cls) -> ChannelsView:
        """Show made-up channels."""
        bridge = Bridge()
        view = cls(bridge)
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(1, run)
        for seed in range(1, 4):
            bridge.take(1, madeup.partial(4000, seed=seed, n_channels=6))
        view.redraw_soon()
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with the channels."""
        return self._actions

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [self.grid, self.table, self.column_box, self.sort_box, self.log_box, self.table_box]

    def _entries(self) -> list[Entry]:
        return [
            ("&Open the spectrum of the channel", "", lambda: self.open_spectrum(self._current())),
            ("Show this channel in all &views", "", lambda: self._choose(self._current())),
            ("Show &all channels in all views", "Esc", lambda: self._choose(None)),
            None,
            ("&Next channel", ".", lambda: self._step(1)),
            ("&Previous channel", ",", lambda: self._step(-1)),
            None,
            *((sort_words(sort), "", self._sorter(sort)) for sort in SORTS),
            None,
            ("&Logarithmic / linear | scale lin", "L", lambda: self._change(is_log=not self.choice.is_log)),
            ("As a &table", "", lambda: self._change(is_table=not self.choice.is_table)),
            None,
            (
                "Save t&he channels… | export picture image figure screenshot print pdf png csv",
                "Ctrl+Alt+S",
                self.exporter.ask,
            ),
            ("Copy as CSV | clipboard export data table", "Ctrl+C", self.exporter.copy),
        ]

    def _sorter(self, sort: str) -> Callable[[], None]:
        return lambda: self._change(sort=sort)

    def _mark_actions(self) -> None:
        by_words = {action.text(): action for action in self._actions}
        self._sort_actions = {sort: by_words[sort_words(sort)] for sort in SORTS}
        self._table_action = by_words["As a &table"]
        for action in (*self._sort_actions.values(), self._table_action):
            action.setCheckable(True)

    def _make_parts(self) -> None:
        self.summary = Elided(px=theme.NORMAL, tone="")
        self.hint = label(tone="soft")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.grid = TileGrid("Grid of the channels")
        self.grid.chosen.connect(self._choose)
        self.grid.opened.connect(self.open_spectrum)
        self.grid.menu_asked.connect(self._show_menu)
        self.model = ChannelTable()
        self.table = Table()
        self.table.setModel(self.model)
        self.table.clicked.connect(lambda index: self._choose(self.tiles[index.row()].code))
        self.table.activated.connect(lambda index: self._choose(self.tiles[index.row()].code))
        self.table.doubleClicked.connect(lambda index: self.open_spectrum(self.tiles[index.row()].code))
        self.table.horizontalHeader().sectionClicked.connect(self._sort_by_section)
        for at in range(len(COLUMNS)):
            self.table.setColumnWidth(at, self.table.horizontalHeader().minimumSectionSize())
        self.column_box = choice_box("Column of the small spectra", self.choice.column)
        self.column_box.activated.connect(lambda at: self._change(column=self.column_box.itemText(at)))
        self.sort_box = choice_box("Order of the channels", *(f"by {sort}" for sort in SORTS))
        self.sort_box.activated.connect(lambda at: self._change(sort=SORTS[at]))
        self.log_box, self.table_box = QCheckBox("log"), QCheckBox("table")
        for box, name in ((self.log_box, "Logarithmic counts (L)"), (self.table_box, "Channels as a table")):
            box.setAccessibleName(name)
            box.setToolTip(name)
        self.log_box.clicked.connect(lambda is_on: self._change(is_log=is_on))
        self.table_box.clicked.connect(lambda is_on: self._change(is_table=is_on))
        self.info = Elided()

    def _lay_out(self) -> None:
        boxes = (self.column_box, self.sort_box, self.log_box, self.table_box)
        controls = Controls(boxes, self.info, margins=(8, 2, 8, 6))
        top = row(self.summary)
        top.setContentsMargins(8, 4, 8, 2)
        self.pages = QStackedWidget()
        for page in (self.hint, self.grid, self.table):
            self.pages.addWidget(page)
        middle = row(self.pages)
        middle.setContentsMargins(8, 0, 8, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(middle, 1)
        column.addWidget(controls)

    # What the session and the jobs bring

    @property
    def choice(self) -> ChannelsChoice:
        """What the session says is to be shown."""
        return self.session.channel_grid

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change brings."""
        self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Say why there is nothing to see; look at the last rows of a run that ended."""
        state = self.bridge.state(self.session.selected)
        if self.session.selected in run_ids and (not self.tiles or (state is not None and state.has_ended)):
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Look at new rows."""
        if self.session.selected in run_ids:
            self.redraw_soon()

    # What a person does

    def open_spectrum(self, code: int | None) -> None:
        """Show the spectrum of a channel."""
        if code is not None:
            self._choose(code)
            choice = replace(self.session.spectrum, column=self.surveyed.column or self.choice.column)
            self.bridge.change(changes.show_spectrum, choice)
            self.bridge.change(changes.choose_tab, SPECTRUM_TAB)

    def _choose(self, code: int | None) -> None:
        self.bridge.change(changes.choose_channel, code)

    def _current(self) -> int | None:
        if not self.tiles:
            return None
        if self.choice.is_table and self.table.currentIndex().isValid():
            return self.tiles[self.table.currentIndex().row()].code
        return self.tiles[min(self.grid.current, len(self.tiles) - 1)].code

    def _step(self, by: int) -> None:
        codes = [tile.code for tile in self.tiles]
        if codes:
            chosen = self.choice.chosen
            at = codes.index(chosen) + by if chosen in codes else (0 if by > 0 else -1)
            self._choose(codes[at % len(codes)])

    def _change(self, **values: Any) -> None:
        self.bridge.change(changes.show_channels, replace(self.choice, **values))

    def _sort_by_section(self, section: int) -> None:
        self._change(sort=SORTED_BY.get(COLUMNS[section], SORTS[0]))

    def _show_menu(self, at: Any) -> None:
        menu = Menu("", self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self._actions)
        menu.popup(at)

    # Drawing

    def _column_of(self, live: LiveRun) -> str:
        """Give the chosen column, or what it is made of where it has no value in any event of the run."""
        column = self.choice.column
        has_none = column in live.columns and not live.columns.has_values(column)
        return raw_column(self.session, column) if has_none else column

    surveyed = Survey()
    """What the tiles were made of."""

    def redraw(self) -> None:
        """Draw what is known, and have looked at what is not."""
        run, live = self.session.selected_run, self.bridge.live(self.session.selected)
        found = None
        if run is not None and live is not None and CODE in live.columns:
            found = self._surveying.want(run, live, self._column_of(live))
        self.surveyed = found or Survey()
        self.tiles = self._sorted(self._tiles_of(self.surveyed))
        self._show_controls(live)
        if not self.tiles:
            self.pages.setCurrentWidget(self.hint)
            self.hint.setText(self._why_empty(live))
            self.summary.setText("")
            self.info.setText("")
            return
        self.pages.setCurrentWidget(self.table if self.choice.is_table else self.grid)
        if self.choice.is_table:
            self.model.show_tiles(self.tiles)
            self.table.make_room()
            self._select_row()
        else:
            self.grid.show_tiles(self.tiles, self.choice.chosen, is_log=self.choice.is_log)
        self.summary.setText(self._summary())
        self._show_info()
        self.drawn.emit()

    def _summary(self) -> str:
        """Say how the channels do, of which cuts, and how far they were counted of a data set on disk."""
        found, told = self.surveyed, summary_of(self.tiles)
        if found.is_recounted or found.is_late:
            told = f"({EARLIER}) {told}"
        far = "" if found.is_whole and not found.is_late else self._how_far()
        return f"{far} · {told}" if far else told

    def _how_far(self) -> str:
        return self.bridge.data_sets.how_far(self.session.selected)

    def _tiles_of(self, found: Survey) -> list[Tile]:
        names = self.bridge.names(found.codes)
        unit, run = chain_facts.unit_of(found.column), self.session.selected_run
        health = found.health if run is None else self._surveying.health(run, found)
        late = (found.is_recounted, found.is_late)
        return [
            Tile(one.code, name, one, its, self._surveying.peak(one.code), unit, *late)
            for one, name, its in zip(found.figures, names, health, strict=True)
        ]

    def _sorted(self, tiles: list[Tile]) -> list[Tile]:
        return sorted(tiles, key=KEYS[self.choice.sort])

    def _select_row(self) -> None:
        places = [place for place, tile in enumerate(self.tiles) if tile.code == self.choice.chosen]
        if not places:
            self.table.clearSelection()
        elif self.table.currentIndex().row() != places[0]:
            self.table.selectRow(places[0])

    def _show_info(self) -> None:
        edges, unit = self.surveyed.edges, chain_facts.unit_of(self.surveyed.column)
        ends = " to ".join(words.three_digits(float(edge)) for edge in (edges[0], edges[-1]))
        span = f"{self.surveyed.column} from {ends} {unit}".rstrip()
        is_late = self.surveyed.is_recounted or self.surveyed.is_late
        late = f"in brackets: {EARLIER}" if is_late else ""
        self.info.setText(" · ".join(one for one in (span if self.surveyed.column else "", late) if one))

    def _show_controls(self, live: LiveRun | None) -> None:
        columns = (
            ()
            if live is None
            else tuple(
                name
                for name in live.columns.names
                if name not in HIDDEN_COLUMNS and live.columns.column(name).dtype.kind in "iuf"
            )
        )
        if columns and columns != self._columns:
            self._columns = columns
            self.column_box.clear()
            self.column_box.addItems(columns)
        self.column_box.setCurrentIndex(self.column_box.findText(self.surveyed.column or self.choice.column))
        self.sort_box.setCurrentIndex(SORTS.index(self.choice.sort))
        self.log_box.setChecked(self.choice.is_log)
        self.table_box.setChecked(self.choice.is_table)
        self._table_action.setChecked(self.choice.is_table)
        for sort, action in self._sort_actions.items():
            action.setChecked(sort == self.choice.sort)

    def _why_empty(self, live: LiveRun | None) -> str:
        state = self.bridge.state(self.session.selected)
        if (run := self.session.selected_run) is None:
            return "The channels of the selected run appear here."
        data_sets, selected = self.bridge.data_sets, self.session.selected
        if why := data_sets.why_empty(selected):
            return why
        if state is None:
            return self.bridge.gone.why_unread(run) or "No channels yet. Process the run to see them."
        if live is not None and len(live.columns):
            if CODE not in live.columns:
                return "The events of this run carry no channel."
            if live.is_on_disk and (far := self._how_far()):
                return f"{as_sentence(far)}."
            return "Looking at the channels…"
        if not state.has_ended:
            return words.waiting_for("events", follows=state.follows)
        if state.state != "done":
            return f"No channels: the run {ENDS[state.state]}."
        return "Reading the events…" if state.made_on is not None and state.rows else "No events in this run."

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.grid.viewport().update()
        self.redraw_soon()


def sort_words(sort: str) -> str:
    """Name an order for the menu."""
    letters = {"place": "pla&ce", "name": "na&me", "rate": "&rate", "noise": "no&ise", "state": "&state"}
    return f"Sort by {letters[sort]}"


def _noise_of(tile: Tile) -> float:
    figures = tile.figures
    known = figures.noise if figures.noise == figures.noise else figures.baseline_rms
    return known if known == known else -1.0


KEYS: dict[str, Callable[[Tile], Any]] = {
    "place": lambda tile: tile.code,
    "name": lambda tile: [part.zfill(8) if part.isdigit() else part for part in DIGITS.split(tile.name)],
    "rate": lambda tile: (-tile.figures.n_events, tile.code),
    "noise": lambda tile: (-_noise_of(tile), tile.code),
    "state": lambda tile: (STATES.index(tile.health.state), tile.code),
}
"""How channels are sorted: rate and noise from the highest down, states from the worst."""


def summary_of(tiles: Sequence[Tile]) -> str:
    """Say how many channels are well and name the others: '6 channels: 5 ok · ▲ channel 2 noisy'."""
    n_ok = sum(tile.health.state == "ok" for tile in tiles)
    parts = [f"{n_ok} ok"]
    for state in STATES[:-1]:
        named = [tile.name for tile in tiles if tile.health.state == state]
        if named:
            told = ", ".join(named[:N_NAMED]) + (
                f" and {len(named) - N_NAMED} more" if len(named) > N_NAMED else ""
            )
            parts.append(f"{MARKS[state]} {told} {state}")
    return f"{counted(len(tiles), 'channel')}: {' · '.join(parts)}"
