"""Lists the cuts: named expressions that events have to pass, each with how many do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pygama.analysis.cuts import MARK, Cut, CutSet, load_cuts, range_cut, save_cuts
from pygama.analysis.expression_nodes import FUNCTIONS
from pygama.analysis.tagging import NAMES as TAGS
from pygama.boxes import boxes_among
from pygama.errors import PygamaError, SettingsError
from pygama_gui.bridge import Bridge
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.cut_peaks import peaks_of
from pygama_gui.data.cutting import Problem, applicable, free_name, readable
from pygama_gui.data.tally import Figures, Peak
from pygama_gui.jobs.board import counted
from pygama_gui.session import changes, cut_changes, tag_changes
from pygama_gui.session.state import Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.cuts import cut_words
from pygama_gui.views.cuts.card import COLORS, CutCard
from pygama_gui.views.cuts.hits import HitsDialog
from pygama_gui.views.cuts.table import CutTable, SurvivalTable
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.card_column import CardColumn
from pygama_gui.widgets.dialogs import ask_open, ask_save
from pygama_gui.widgets.expression_field import ExpressionField
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import Wrapped, button, give_menu, label, link, row
from pygama_gui.widgets.plot import plot_actions
from pygama_gui.widgets.scrolled import Scrolled

KIND = "Cuts (*.json)"
SETTLE_MS = 200
"""So long after its figures came a chosen card is kept in view."""
LEAST_TABLES = 64
"""Height that is left to the tables at least, in pixels; they scroll."""
EMPTY = (
    "No cuts yet. Type one below, such as {example}, "
    "or mark a region in the spectrum (Shift-drag) and take it (Ctrl+U)."
)
BEGINNING = 200
"""Bytes of a cut file in which its mark stands."""
OF_A_CUT = slice(3, 11)
"""What is done with a cut, and with all of them, among the actions."""
GROWING_MS = 300
"""While a run grows, its figures are counted anew this often."""


class CutsView(View):
    """The cuts."""

    TITLE = "Cuts"
    HELP = "What events have to pass, in words: all pictures follow. Cuts are kept apart from the data."
    SHORTCUTS = (
        ("Ctrl+I", "Add a cut"),
        ("Ctrl+D", "Duplicate the cut"),
        ("F2", "Rename the cut"),
        ("Ctrl+Up", "Move the cut up"),
        ("Ctrl+Down", "Move the cut down"),
        ("Ctrl+Return", "Switch the cut on or off"),
        ("Ctrl+Alt+I", "Turn the cut round"),
        ("Del", "Remove the cut"),
        ("Ctrl+U", "Take the region of the spectrum, wherever the focus is"),
        ("Ctrl+Shift+U", "Leave out of the spectrum what the cuts take away"),
        ("Ctrl+B", "Show or hide the table"),
        ("Ctrl+Alt+C", "Copy the table"),
        ("Ctrl+Alt+G", "Tag the pulser, wherever the focus is"),
        ("Ctrl+Alt+E", "Build events, wherever the focus is"),
        ("Ctrl+Space", "Offer names that fit"),
    )

    region_taken = pyqtSignal()
    """The region of the spectrum has become a cut."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.cards: list[CutCard] = []
        self._hits: HitsDialog | None = None
        self.found: Figures | None = None
        self._stops: list[QWidget] = []
        self._renamed = ("", "")
        self._is_to_be_seen = False
        """The old and the new name of a cut that is being renamed, whose card stays."""
        self._growing = QTimer(self)
        self._growing.setSingleShot(True)
        self._growing.setInterval(GROWING_MS)
        self._growing.timeout.connect(self.redraw_soon)
        bridge.fitting.fitted.connect(self._fitted)
        bridge.boxes.changed.connect(self._boxes_changed)
        bridge.hit_tags.told.connect(self._boxes_changed)
        self._actions = self._make_actions()
        self._make_parts()
        self._lay_out()
        self._show()

    @classmethod
    def demo(cls) -> CutsView:
        """Show three cuts of a made-up run."""
        view = cls(Bridge())
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001)
        view.bridge.change(changes.add_runs, [run])
        view.bridge.adopt(1, run)
        for message in madeup.messages(run.path):
            view.bridge.take(1, message)
        for name, text in (("peak", "8300 <= trap_max < 9050"), ("steady", "abs(bl_slope) < 2e-3")):
            view.add(text, name)
        view.add("~peak & trap_max > 200", "others")
        view.bridge.change(cut_changes.switch_cut, "others", False)
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with cuts."""
        return self._actions

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        cards = [stop for card in self.cards for stop in card.stops()]
        tables = (self.table, self.survival_table)
        return [self.region_button, self.more, *cards, self.table_link, *tables, self.new_field]

    # Making

    def _make_actions(self) -> list[QAction]:
        actions = plot_actions(
            self,
            [
                (
                    "&Add a cut… | new filter select gate condition",
                    "Ctrl+I",
                    lambda: self.new_field.setFocus(Qt.FocusReason.ShortcutFocusReason),
                ),
                ("Take the &region of the spectrum | roi gate cut range", "Ctrl+U", self.take_region),
                None,
                ("Re&name the cut", "F2", self.rename),
                ("&Duplicate the cut", "Ctrl+D", self.duplicate),
                ("Move the cut &up", "Ctrl+Up", lambda: self._move(-1)),
                ("Move the cut do&wn", "Ctrl+Down", lambda: self._move(1)),
                ("Switch the cut &on / off | enable disable toggle", "Ctrl+Return", self._switch),
                ("&Turn the cut round | invert not negate", "Ctrl+Alt+I", self._invert),
                ("Remo&ve the cut | delete", "Del", self._remove),
                (
                    "Remove all cuts | delete clear",
                    "",
                    lambda: self.bridge.change(cut_changes.remove_all_cuts),
                ),
                None,
                ("Spectrum of &passing events alone", "Ctrl+Shift+U", self._toggle_only_passing),
                ("Show / hide the ta&ble | efficiency survival cuts", "Ctrl+B", self.toggle_table),
                ("&Copy the table | efficiency survival cuts clipboard", "Ctrl+Alt+C", self.copy_table),
                None,
                ("Ta&g the pulser | dead time livetime", "Ctrl+Alt+G", self.tag_pulser),
                (
                    "Build &events… | coincidence anti-coincidence anticoincidence multiplicity veto",
                    "Ctrl+Alt+E",
                    self.build_events,
                ),
                None,
                ("&Load cuts… | open import", "", self._ask_load),
                ("&Save cuts… | export", "", self._ask_save),
            ],
            self.come_to_sight,
        )
        self.region_action = actions[1]
        everywhere = Qt.ShortcutContext.WindowShortcut
        for part in ("region", "passing events", "pulser", "events…"):
            next(one for one in actions if part in one.text()).setShortcutContext(everywhere)
        self.only_passing = next(one for one in actions if "passing events" in one.text())
        self.only_passing.setCheckable(True)
        return actions

    def _make_parts(self) -> None:
        self.region_button = button(
            "From region",
            "Take the region of the spectrum as a cut",
            "Take the region of the spectrum as a cut (Ctrl+U)",
        )
        self.region_button.setObjectName("compact")
        self.region_button.clicked.connect(self.take_region)
        self.more = QToolButton()
        self.more.setObjectName("quiet")
        self.more.setText("⋯")
        self.more.setAccessibleName("More for cuts")
        self.more.setToolTip("Load, save, copy the table…")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = Menu("", self)
        menu.addActions(self._actions[-10:])
        give_menu(self.more, menu)
        self.hint = label(EMPTY.format(example=cut_words.EXAMPLE), tone="soft", px=theme.SMALL)
        self.hint.setWordWrap(True)
        self.summary = Wrapped()
        self.summary.setAccessibleName("Events that pass all cuts")
        self.table_link = link("Table ▾", "Show the table of efficiencies (Ctrl+B)", self.toggle_table)
        self.table, self.survival_table = CutTable(), SurvivalTable()
        self.new_field = ExpressionField("New cut", self._words)
        self.new_field.setPlaceholderText("New cut: type it, then Return")
        self.new_field.textEdited.connect(self._check_new)
        self.new_field.returnPressed.connect(self._take_new)
        self.new_field.given_up.connect(self._give_up_new)
        self.new_problem = label(tone="bad", px=theme.SMALL)
        self.new_problem.setWordWrap(True)
        self.new_problem.hide()

    def _lay_out(self) -> None:
        self.column = CardColumn()
        bar = self.column.verticalScrollBar()
        assert bar is not None
        bar.rangeChanged.connect(lambda *_: self._scroll_to_chosen())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row(label(self.TITLE, bold=True), None, self.region_button, self.more))
        column.addWidget(self.hint)
        column.addWidget(self.column, 1)
        summary = row()
        summary.addWidget(self.summary, 1)
        summary.addWidget(self.table_link)
        column.addLayout(summary)
        tables = QWidget()
        inner = QVBoxLayout(tables)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addWidget(self.table)
        inner.addWidget(self.survival_table)
        self.tables = Scrolled(tables, least=LEAST_TABLES)
        self.tables.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.tables.hide()
        column.addWidget(self.tables)
        column.addWidget(self.new_problem)
        column.addWidget(self.new_field)

    # What the session and the jobs bring

    def on_session(self, old: Session, new: Session) -> None:
        """Show the cuts of the session."""
        if (
            old.cuts is not new.cuts
            or old.cut != new.cut
            or old.selected != new.selected
            or old.calibrations is not new.calibrations
        ):
            self._show()
            self._show_table()
        if old.cut != new.cut:
            self._is_to_be_seen = True
            self._scroll_to_chosen()
        if old.selected != new.selected:
            self.found = None
        if old.selected != new.selected or _shown(old) != _shown(new):
            self.redraw_soon()
        if old.spectrum != new.spectrum:
            self._show_actions()

    def on_data(self, run_ids: set[str]) -> None:
        """Count new rows, now and then."""
        if self.session.selected in run_ids and not self._growing.isActive():
            self._growing.start()

    def redraw(self) -> None:
        """Have the figures counted."""
        self._show_problems()
        run_id = self.session.selected
        if self.bridge.live(run_id) is None or not self.session.cuts:
            self._show_figures(None)
            return
        self.bridge.fitting.ask(run_id)  # whose peaks are wanted, whether another view shows them or not
        self.bridge.counting.tally(
            run_id, self._peaks(), self.session.spectrum.column, lambda found: self._take(run_id, found)
        )

    def _peaks(self) -> tuple[Peak, ...]:
        """Give the peaks whose survival is shown: what is known of the selected run's."""
        session, live = self.session, self.bridge.live(self.session.selected)
        outcomes = [(fit, self.bridge.fitting.fullest(session.selected, fit)) for fit in session.fits]
        fitted = [(fit, found) for fit, found in outcomes if found is not None]
        return peaks_of(session, fitted, () if live is None else live.columns.names)

    def _fitted(self, run_id: str) -> None:
        if run_id == self.session.selected and self.session.cuts:
            self.redraw_soon()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        for card in self.cards:
            card.recolor()

    def _take(self, run_id: str, found: Figures) -> None:
        if run_id == self.session.selected:
            self._show_figures(found)
            if self._is_to_be_seen:  # until the lines that came to it have their room
                QTimer.singleShot(SETTLE_MS, self._leave_scrolling)
            self.drawn.emit()

    # Showing

    def _show(self) -> None:
        cuts = self.session.cuts
        if [card.cut.name for card in self.cards] != [cut.name for cut in cuts]:
            self._order_cards()
        for card, cut in zip(self.cards, cuts, strict=True):
            card.show_cut(cut)
            card.select(is_selected=cut.name == self.session.cut)
        self.hint.setText(EMPTY.format(example=cut_words.example(self.session)))
        self.hint.setVisible(not cuts)
        self._show_problems()
        self._show_actions()
        stops = self.stops()
        if stops != self._stops:
            self._stops = stops
            for before, after in pairwise(stops):
                QWidget.setTabOrder(before, after)

    def _order_cards(self) -> None:
        """Put the cards in the order of the cuts; make new ones, let those go whose cuts are gone."""
        focused = QApplication.focusWidget()
        had_focus = any(card is focused or card.isAncestorOf(focused) for card in self.cards if focused)
        before, after = self._renamed
        known = {after if card.cut.name == before else card.cut.name: card for card in self.cards}
        self.cards = [
            known.pop(cut.name) if cut.name in known else self._new_card(cut) for cut in self.session.cuts
        ]
        self.column.show_cards(self.cards, known.values())
        chosen = self._chosen_card
        if had_focus and chosen is not None:
            QTimer.singleShot(0, self._focus_chosen)

    def _focus_chosen(self) -> None:
        if (card := self._chosen_card) is not None:
            card.setFocus(Qt.FocusReason.OtherFocusReason)

    def _scroll_to_chosen(self) -> None:
        if self._is_to_be_seen and (card := self._chosen_card) is not None:
            self.column.scroll_to(card)

    def _leave_scrolling(self) -> None:
        self._scroll_to_chosen()
        self._is_to_be_seen = False

    def _new_card(self, cut: Cut) -> CutCard:
        card = CutCard(cut, self._words, self._actions[OF_A_CUT][:-1])
        change = self.bridge.change
        card.chosen.connect(lambda: change(cut_changes.choose_cut, card.cut.name))
        card.switched.connect(lambda is_on: change(cut_changes.switch_cut, card.cut.name, is_on))
        card.inverted.connect(lambda is_on: change(cut_changes.invert_cut, card.cut.name, is_on))
        card.colored.connect(lambda color: change(cut_changes.color_cut, card.cut.name, color))
        card.edited.connect(lambda text: self._edit(card, text))
        card.settled.connect(lambda text: self._settle(card, text))
        card.given_up.connect(lambda: self._give_up(card))
        card.renamed.connect(lambda name: self._rename(card, name))
        card.looking_asked.connect(self._act_on_boxes)
        card.moved_on.connect(lambda by: self._go_to(self.cards.index(card) + by))
        card.handle.dragged.connect(self.column.drag_to)
        card.handle.dropped.connect(lambda at: self._drop(card, self.column.gap_at(at)))
        return card

    def _show_problems(self) -> None:
        """Say of each cut that is not applied why not, unless another text is being typed there."""
        problems = self._problems(self.session.cuts)
        for card in self.cards:
            if not card.field.isModified():
                card.show_problem(problems.get(card.cut.name))
                card.show_looking(self._looking(card.cut))

    def _problems(self, cuts: tuple[Cut, ...]) -> dict[str, Problem]:
        known, problems = readable(cuts)
        found = dict(problems)
        if (rows := self._columns()) is not None:
            found |= {
                name: self._made_here(known, name, problem)
                for name, problem in applicable(known, rows)[1].items()
            }
        return found

    def _made_here(self, cuts: CutSet, name: str, problem: Problem) -> Problem:
        """Say of a cut that reads boxes, or what is told of hits, what there is to say of these."""
        bridge, run_id, reads = self.bridge, self.session.selected, cuts.reads(name)
        why = [why for box in boxes_among(reads) if (why := bridge.boxes.why(run_id, box))]
        why += [told for one in reads if (told := bridge.hit_tags.why(run_id, one))]
        return replace(problem, sentence=why[0], position=None) if why else problem

    def _looking(self, cut: Cut) -> str:
        """Say what can be done about the boxes of a cut: 'stop', 'look again' or nothing."""
        cuts, _ = readable(self.session.cuts)
        names = boxes_among(cuts.reads(cut.name)) if cut.name in cuts.names else {}
        boxes, run_id = self.bridge.boxes, self.session.selected
        if any(boxes.is_looking(run_id, name) for name in names):
            return "stop"
        return "look again" if any(boxes.can_look_again(run_id, name) for name in names) else ""

    def _boxes_changed(self, run_id: str) -> None:
        if run_id == self.session.selected:
            self._show_problems()

    def _act_on_boxes(self, what: str) -> None:
        run_id = self.session.selected
        if what == "stop":
            self.bridge.boxes.stop(run_id)
            self._show_problems()
        else:
            self.bridge.boxes.look_again(run_id)

    def _columns(self) -> dict[str, Any] | None:
        """Give the columns of the run, without rows; None where none are known yet."""
        live = self.bridge.live(self.session.selected)
        if live is None or not live.columns.names:
            return None
        names = (*live.columns.names, *live.columns.hidden)
        return {name: live.columns.column(name)[:0] for name in names if name not in (CODE, CLOCK)}

    def _show_figures(self, found: Figures | None) -> None:
        self.found = found
        by_name = {} if found is None else {one.name: one for one in found.table.rows}
        for card in self.cards:
            name = card.cut.name
            card.show_figures(by_name.get(name), None if found is None else found.curves.get(name))
        so_far = "" if found is None or found.is_whole else "so far: "
        if found is not None and found.n_sampled:
            so_far = f"{words.sampled(found.n_sampled)}: "
        self.summary.setText("" if found is None else so_far + cut_words.total(found.table))
        if found is not None:
            so_far = "sample: " if found.n_sampled else so_far
            self.summary.short = so_far + cut_words.total(found.table, cut_words.short_share)
        self.table_link.setVisible(found is not None)
        self._show_table()

    def _show_table(self) -> None:
        is_wanted = self.found is not None and self.table_link.text() == "Table ▴"
        has_peaks = self.found is not None and bool(self.found.peaks) and bool(self.found.table.rows)
        if is_wanted and self.found is not None:
            self.table.show_figures(self.found)
            self.survival_table.show_figures(self.found, self.session.cut)
        self.survival_table.setVisible(has_peaks)
        self.tables.setVisible(is_wanted)

    def _show_actions(self) -> None:
        has_region = self.session.spectrum.roi is not None
        self.region_button.setEnabled(has_region)
        self.region_action.setEnabled(has_region)
        self.only_passing.setChecked(self.session.spectrum.is_only_passing)
        for action in self._actions[OF_A_CUT]:
            action.setEnabled(bool(self.session.cuts))

    def _words(self) -> list[str]:
        """Give the names that an expression may hold: columns of the run, cuts and functions."""
        columns = self._columns() or {}
        told = [name for name in TAGS if name not in columns]
        return [*(cut.name for cut in self.session.cuts), *columns, *told, *FUNCTIONS]

    # What a person does

    def add(self, expression: str, name: str = "") -> None:
        """Add a cut."""
        names = [cut.name for cut in self.session.cuts]
        self.bridge.change(
            cut_changes.add_cut, free_name(names, name or "cut"), expression, self._free_color()
        )

    def take_region(self) -> None:
        """Take the region of the spectrum as a cut."""
        spectrum = self.session.spectrum
        if spectrum.roi is not None:
            low, high = (float(f"{end:.6g}") for end in spectrum.roi)
            expression = range_cut(spectrum.column, low, high)
            same = next((cut for cut in self.session.cuts if cut.expression == expression), None)
            if same is None:
                self.add(expression)
            else:
                self.bridge.change(cut_changes.choose_cut, same.name)
                self.bridge.log(f"The region is the cut {same.name} already")
            self.region_taken.emit()

    def tag_pulser(self) -> None:
        """Tag the pulser, and show what is found."""
        self.bridge.change(tag_changes.tag_pulser, self.session.tagging.pulser_in)
        self.hits.open_for_pulser()

    def build_events(self) -> None:
        """Ask in which window hits are one event."""
        self.hits.open_for_events()

    @property
    def hits(self) -> HitsDialog:
        """What asks for the pulser and for events; made when it is first wanted."""
        if self._hits is None:
            self._hits = HitsDialog(self.bridge, self)
        return self._hits

    def toggle_table(self) -> None:
        """Show the table of efficiencies, or no longer."""
        is_open = self.table_link.text() == "Table ▴"
        self.table_link.setText("Table ▾" if is_open else "Table ▴")
        self._show_table()

    def copy_table(self) -> None:
        """Copy the table as text."""
        if self.found is not None:
            QApplication.clipboard().setText(cut_words.text(self.found))
            self.bridge.log("Copied the table of efficiencies")

    def rename(self) -> None:
        """Let another name be typed for the chosen cut."""
        if (card := self._chosen_card) is not None:
            card.begin_renaming()

    def duplicate(self) -> None:
        """Put a copy of the chosen cut behind it."""
        if (card := self._chosen_card) is not None:
            names = [cut.name for cut in self.session.cuts]
            new = free_name(names, card.cut.name)
            self.bridge.change(cut_changes.duplicate_cut, card.cut.name, new, self._free_color())

    def load(self, path: Path) -> None:
        """Take the cuts of a file in the place of those that are there."""
        try:
            cuts = load_cuts(path)
        except SettingsError as error:
            self.bridge.not_taken.emit(str(error), "")
            return
        except OSError as error:
            self.bridge.not_taken.emit(f"{path.name} cannot be read: {error.strerror}", repr(error))
            return
        colors = list(COLORS)
        colored = [
            cut
            if cut.color
            else Cut(cut.name, cut.expression, colors[at % len(colors)], cut.enabled, cut.inverted)
            for at, cut in enumerate(cuts)
        ]
        self.bridge.change(cut_changes.take_cuts, colored)
        self.bridge.log(f"Took {counted(len(cuts), 'cut')} of {path.name}")

    def save(self, path: Path) -> None:
        """Write the cuts to a file."""
        try:
            save_cuts(CutSet(self.session.cuts), path)
        except PygamaError as error:
            self.bridge.went_wrong.emit(str(error), "", "")
            return
        self.bridge.note_saved(path)
        self.bridge.log(f"Saved {counted(len(self.session.cuts), 'cut')} as {path}")

    def _ask_load(self) -> None:
        ask_open(self, "Load cuts", self.bridge.saving_folder(), KIND, self._open)

    def _open(self, path: Path) -> None:
        self.bridge.opening.emit()
        self.load(path)

    def _ask_save(self) -> None:
        ask_save(self, "Save cuts", self.bridge.saving_folder() / "cuts.json", KIND, self.save)

    def _toggle_only_passing(self) -> None:
        self.bridge.change(cut_changes.show_only_passing, not self.session.spectrum.is_only_passing)

    def _free_color(self) -> str:
        """Give the colour that the fewest cuts have."""
        return theme.free_color([cut.color for cut in self.session.cuts])

    @property
    def _chosen_card(self) -> CutCard | None:
        return next((card for card in self.cards if card.cut.name == self.session.cut), None)

    def _edit(self, card: CutCard, text: str) -> None:
        """Apply what is typed as soon as it makes sense; say what is wrong where it does not."""
        problem = self._problem_of(card.cut.name, text)
        card.show_typed(problem)
        if problem is None:
            self._apply(card, text)

    def _settle(self, card: CutCard, text: str) -> None:
        """Apply what was typed where it can be read, even if this run has no such column."""
        problem = self._problem_of(card.cut.name, text)
        if problem is None or problem.is_of_run:
            self._apply(card, text)
            self._show_problems()
            self.bridge.store.settle()
            card.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            card.field.go_to_problem()

    def _apply(self, card: CutCard, text: str) -> None:
        card.field.setModified(False)
        self.bridge.change(cut_changes.edit_cut, card.cut.name, text, merge=f"cut {card.cut.name}")

    def _give_up(self, card: CutCard) -> None:
        card.give_up()
        self._show_problems()
        card.setFocus(Qt.FocusReason.OtherFocusReason)

    def _problem_of(self, name: str, text: str) -> Problem | None:
        """Say what would be wrong with another text of a cut, or with a new cut ('')."""
        cuts: Sequence[Cut] = self.session.cuts
        if name:
            others = [cut for cut in cuts if cut.name != name]
            tried = next(cut for cut in cuts if cut.name == name)
        else:
            others, tried = list(cuts), Cut(free_name([cut.name for cut in cuts]), "")
        trial = Cut(tried.name, text, "", tried.enabled, tried.inverted)
        return self._problems((*others, trial)).get(trial.name)

    def _rename(self, card: CutCard, name: str) -> None:
        names = [cut.name for cut in self.session.cuts]
        why = name_problem(name, names)
        if why:
            self.bridge.went_wrong.emit(f"The cut {card.cut.name} cannot be named '{name}': {why}", "", "")
            return
        self._renamed = (card.cut.name, name)
        self.bridge.change(cut_changes.rename_cut, card.cut.name, name)
        self._renamed = ("", "")

    def _check_new(self, text: str) -> None:
        problem = self._problem_of("", text) if text.strip() else None
        words = "" if problem is None else cut_words.problem(problem)
        self.new_field.show_problem(words, None if problem is None else problem.position)
        self.new_problem.setText(words)
        self.new_problem.setVisible(bool(words))
        level = "warn" if problem is not None and problem.is_of_run else "bad"
        theme.mark(self.new_problem, "tone", level)

    def _take_new(self) -> None:
        text = self.new_field.text().strip()
        problem = self._problem_of("", text) if text else None
        if not text or (problem is not None and not problem.is_of_run):
            self.new_field.go_to_problem()
            return
        self.new_field.clear()
        self._check_new("")
        self.add(text)

    def _give_up_new(self) -> None:
        self.new_field.clear()
        self._check_new("")

    def _go_to(self, at: int) -> None:
        if 0 <= at < len(self.cards):
            self.cards[at].setFocus(Qt.FocusReason.TabFocusReason)
            self.column.ensureWidgetVisible(self.cards[at])

    def _drop(self, card: CutCard, gap: int) -> None:
        self.column.hide_drop()
        at = self.cards.index(card)
        self.bridge.change(cut_changes.move_cut, card.cut.name, gap if gap <= at else gap - 1)

    def _move(self, by: int) -> None:
        if (card := self._chosen_card) is not None:
            self.bridge.change(cut_changes.move_cut, card.cut.name, max(self.cards.index(card) + by, 0))

    def _switch(self) -> None:
        if (card := self._chosen_card) is not None:
            self.bridge.change(cut_changes.switch_cut, card.cut.name, not card.cut.enabled)

    def _invert(self) -> None:
        if (card := self._chosen_card) is not None:
            self.bridge.change(cut_changes.invert_cut, card.cut.name, not card.cut.inverted)

    def _remove(self) -> None:
        if self.session.cut:
            self.bridge.change(cut_changes.remove_cut, self.session.cut)


def is_cuts(path: Path) -> bool:
    """Tell a cut file by how it begins."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".json" and f'"{MARK}"'.encode() in file.read(BEGINNING)
    except OSError:
        return False


def name_problem(name: str, names: Sequence[str]) -> str:
    """Say why a cut cannot have a name; empty where it can."""
    if name in names:
        return "another cut has that name"
    if name.startswith("_"):
        return "a name begins with a letter"
    try:
        CutSet([Cut(name, "true")])
    except SettingsError as error:
        return str(error).partition(": ")[2]
    return ""


def _shown(session: Session) -> tuple[object, ...]:
    """Give what the figures depend on."""
    spectrum = session.spectrum
    return session.cuts, spectrum.roi, spectrum.column, session.fits, session.calibrations
