"""Shows the chain as cards, one a step, and lets a person build it: add, move, duplicate, rename, mend."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QResizeEvent, QShowEvent
from PyQt5.QtWidgets import (
    QAction,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.refusals import too_long_for
from pygama_gui.data.samples import Sample
from pygama_gui.data.wiring import Mend, free_outputs, inputs_behind, outputs_of, readers_after, wires
from pygama_gui.sandbox import Sandbox
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session, Step
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.chain.effect import effect_words
from pygama_gui.views.chain.kept import KeptLine
from pygama_gui.views.chain.step_card import Shown, StepCard
from pygama_gui.views.chain.step_library import StepLibrary
from pygama_gui.widgets import menu_words
from pygama_gui.widgets.card_column import LEAST_COLUMN, CardColumn
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import label, row
from pygama_gui.widgets.plot import plot_actions
from pygama_gui.widgets.words import together

SCROLL_BAR = 10
CARDS, LIBRARY = 0, 1


class WideEnough(CardColumn):
    """A column that asks for the width of what it holds; Qt's own would cut the cards."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the width of the widest card, with room for the scroll bar."""
        inside = self.widget()
        width = 0 if inside is None else inside.minimumSizeHint().width() + SCROLL_BAR
        return QSize(width, LEAST_COLUMN + self.extra_height)

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
        ("Ctrl+I", "Add a step"),
        ("Ctrl+D", "Duplicate the step"),
        ("F2", "Rename what the step reads and writes"),
        ("Shift+F2", "Give single channels settings of their own"),
        ("Ctrl+M", "Mend what is amiss"),
        ("Ctrl+Up", "Move the step up"),
        ("Ctrl+Down", "Move the step down"),
        ("Ctrl+Return", "Switch the step on or off"),
        ("Ctrl+Del", "Remove the step"),
        ("Ctrl+G", "Scan two settings"),
    )

    scan_asked = pyqtSignal()
    library_shown = pyqtSignal(bool)
    """The library of steps stands in place of the cards, or no longer."""
    """Somebody wants a grid of two settings."""
    event_asked = pyqtSignal(int)
    """Somebody wants to see the waveform of an event."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.sandbox = Sandbox.of(bridge)
        self.cards: list[StepCard] = []
        self._shape: tuple[Any, ...] = ()
        self._is_renewing = False
        self._moved: Step | None = None
        """The step that was changed last."""
        self._stops: list[QWidget] = []
        self.add_button = QToolButton()
        self.add_button.setObjectName("button")
        self.add_button.setText("Add step")
        self.add_button.setCheckable(True)
        self.add_button.setAccessibleName("Add a step to the chain")
        self.add_button.setToolTip("Find a step in the library and add it behind the selected one (Ctrl+I)")
        self.add_button.clicked.connect(lambda is_on: self.open_library() if is_on else self.close_library())
        self.scan_button = QToolButton()
        self.scan_button.setObjectName("button")
        self.scan_button.setText("Scan…")
        self.scan_button.setAccessibleName("Scan two settings")
        self.scan_button.setToolTip("Try a grid of two settings and see where the peak is sharpest (Ctrl+G)")
        self.scan_button.clicked.connect(lambda: self.scan_asked.emit())
        self.kept = KeptLine(bridge)
        self.library = StepLibrary()
        self.library.chosen.connect(self.add_step)
        self.library.closed.connect(self.close_library)
        self.add_menu = Menu("Add a step by &kind", self)
        self.add_menu.setToolTipsVisible(True)
        self.add_menu.aboutToShow.connect(self._fill_add_menu)
        self._actions = plot_actions(
            self,
            [
                ("&Add a step… | new processor filter insert chain", "Ctrl+I", self.open_library),
                ("&Mend what is amiss | fix repair", "Ctrl+M", self.mend),
                None,
                ("&Duplicate the step", "Ctrl+D", self.duplicate),
                ("Re&name inputs and outputs", "F2", self._toggle_names),
                ("Settings of single &channels | per detector", "Shift+F2", self._toggle_channels),
                ("Move the step &up", "Ctrl+Up", lambda: self._move(-1)),
                ("Move the step do&wn", "Ctrl+Down", lambda: self._move(1)),
                ("Switch the step &on / off | enable disable toggle", "Ctrl+Return", self._switch),
                ("Rese&t all settings of the step | default", "", self._reset),
                ("&Remove the step | delete", "Ctrl+Del", self._remove),
                None,
                (
                    "&Scan two settings… | optimise optimize tune filter grid",
                    "Ctrl+G",
                    self.scan_asked.emit,
                ),
                (
                    "Take the chain that the run was made wit&h | as processed tier 2 file back",
                    "",
                    self.take_made_with,
                ),
            ],
            self.come_to_sight,
        )
        self._lay_out()
        self._fill_add_menu()
        self.sandbox.watch(self)
        self.sandbox.facts_known.connect(lambda _facts: self._show())
        self.sandbox.traced.connect(self._show_traces)
        self.sandbox.compared.connect(lambda _found: self._show_effect())
        self.sandbox.sample_changed.connect(self._show)
        self._show()

    def take_made_with(self) -> None:
        """Take the chain that the rows of the run were made with."""
        live = self.bridge.live(self.session.selected)
        made_with = (() if live is None else live.chain) or self.sandbox.reference
        if chain_facts.written_out(made_with) == chain_facts.written_out(self.session.chain):
            self.bridge.log("No other chain is known that the run was made with")
        else:
            self.bridge.change(changes.take_chain, made_with)

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
        self.column = WideEnough()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.column)
        self.pages.addWidget(self.library)
        self.pages.currentChanged.connect(lambda at: self.library_shown.emit(at == LIBRARY))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row(label(self.TITLE, bold=True), None, self.scan_button, self.add_button))
        column.addWidget(self.pages, 1)
        column.addWidget(self.kept)

    # What the session and the sandbox bring

    def on_session(self, old: Session, new: Session) -> None:
        """Show the chain of the session; what somebody sets stays under the mouse."""
        if old.chain is not new.chain:
            self.column.leave()
            anew = [step for step in new.chain if not any(step is one for one in old.chain)]
            self._moved = anew[0] if len(anew) == 1 else None
        if old.chain is not new.chain or old.step != new.step or old.selected != new.selected:
            self._show()
        elif old.keeps() != new.keeps():
            self.kept.show_kept(new)
        elif old.spectrum.column != new.spectrum.column or old.calibrations is not new.calibrations:
            self._show_effect()

    def on_data(self, run_ids: set[str]) -> None:
        """Learn the length of the waveforms and their sampling period from the first that come."""
        if self.session.selected in run_ids and self._record() != self._last_record:
            self._show()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Let the sandbox work while the cards are seen."""
        super().showEvent(event)
        self.sandbox.look()
        QTimer.singleShot(0, self._keep_in_view)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Keep the selected card in view."""
        super().resizeEvent(event)
        QTimer.singleShot(0, self._keep_in_view)

    def show_waveform(self, sample: Sample | None) -> None:
        """Show this waveform before and after each step."""
        self.sandbox.show_waveform(sample)

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        for card in self.cards:
            card.thumbnail.update()
        self.kept.button.recolor()

    def _show(self) -> None:
        chain = self.session.chain
        known = [chain_facts.processor(step.step) for step in chain]
        shape = (self._places(), known, self.session.step)
        if shape != self._shape:
            self._shape = shape
            self._renew()
        self._last_record = self._record()
        facts = self.sandbox.facts
        if facts is not None and tuple(step.step for step in facts.chain) != self._places():
            facts = None
        refused = {} if facts is not None else self._refused()
        for index, (card, step, wire) in enumerate(zip(self.cards, chain, wires(chain), strict=True)):
            shown = Shown(wire, index, *self._last_record, facts, self.sandbox.traces, refused.get(index, ""))
            card.show_step(step, shown)
        self._show_effect()
        self.kept.show_kept(self.session)
        self._order_tabs()

    def _order_tabs(self) -> None:
        """Let Tab go through the cards from top to bottom, whatever came and went on them."""
        of_cards = (stop for card in self.cards for stop in card.stops())
        stops = [self.scan_button, self.add_button, *of_cards, self.kept.button]
        if stops != self._stops:
            self._stops = stops
            for before, after in pairwise(stops):
                QWidget.setTabOrder(before, after)

    def _show_traces(self, _traces: object) -> None:
        """Show the waveform on the cards; the first makes them higher."""
        was_high = any(card.thumbnail.pictured is not None for card in self.cards)
        self._show()
        if not was_high:
            QTimer.singleShot(0, self._scroll_to_selected)

    def _places(self) -> tuple[str, ...]:
        return tuple(step.step for step in self.session.chain)

    def _effect(self) -> tuple[int | None, str]:
        """Give the step whose change is felt at the peak, and what it does there."""
        last = self.sandbox.last
        if (
            last is None
            or last.problem
            or not self.sandbox.is_changed
            or last.asked.chain is not self.session.chain
        ):
            return None, ""
        reference = chain_facts.written_out(last.asked.reference)
        steps = enumerate(chain_facts.written_out(last.asked.chain))
        changed = [index for index, step in steps if step not in reference]
        if not changed:
            return None, ""
        moved = [index for index in changed if self.session.chain[index] is self._moved]
        words = effect_words(last, self.sandbox.measure_of(last.asked.column)).short
        return [*moved, *changed][0], words + (", all changes together" if len(changed) > 1 else "")

    def _show_effect(self) -> None:
        """Say it on the card of the step; while it is computed anew what was said stays, else cards jump."""
        last, chain = self.sandbox.last, self.session.chain
        if (
            last is not None
            and last.asked.chain is not chain
            and len(last.asked.chain) == len(chain)
            and self.sandbox.is_changed
        ):
            return
        of, effect = self._effect()
        for index, card in enumerate(self.cards):
            card.show_effect(effect if index == of else "")

    def _renew(self) -> None:
        """Make the cards anew where there are other steps, and show the settings of the selected one."""
        focused = self.focusWidget()
        had_focus = focused is not None and focused.hasFocus() and self.column.inside.isAncestorOf(focused)
        self._is_renewing = True  # what goes hands the focus to the next card, which is not a choice
        self._order_cards()
        for index, card in enumerate(self.cards):
            card.select(is_selected=index == self.session.step)
        has_lost_it = had_focus and self.focusWidget() is not focused
        if has_lost_it and self.session.step is not None:
            self.cards[self.session.step].setFocus(Qt.FocusReason.OtherFocusReason)
        self._is_renewing = False
        QTimer.singleShot(0, self._scroll_to_selected)

    def _keep_in_view(self) -> None:
        if not self.column.is_whole:  # what is above the chain would go out of sight
            self._scroll_to_selected()

    def _scroll_to_selected(self) -> None:
        """Bring the selected card into view, its head at least."""
        index = self.session.step
        if index is not None and index < len(self.cards):
            self.column.scroll_to(self.cards[index])

    def _order_cards(self) -> None:
        """Put the cards in the order of the steps; make new ones, let those go whose steps are gone."""
        left, self.cards = self.cards, []
        known = {step.step: chain_facts.processor(step.step) for step in self.session.chain}
        left = [card for card in left if self._may_stay(card, known)]
        gone = [card for card in self.column.cards() if card not in left]
        same = {id(card.step): card for card in left}
        kept = {id(step): same[id(step)] for step in self.session.chain if id(step) in same}
        free = [card for card in left if card not in kept.values()]
        for step in self.session.chain:
            card = kept.pop(id(step), None) or next((one for one in free if one.name == step.step), None)
            if card is None:
                card = StepCard(step, self._actions)
                self._connect(card)
            elif card in free:
                free.remove(card)
            self.cards.append(card)
        self.column.show_cards(self.cards, (*gone, *(card for card in left if card not in self.cards)))

    def _may_stay(self, card: StepCard, known: dict[str, Any]) -> bool:
        """Tell whether a card still fits a processor, which a changed plug-in may declare anew."""
        return card.name in known and known[card.name] is card.known

    def _connect(self, card: StepCard) -> None:
        change = self.bridge.change
        card.chosen.connect(lambda: self._choose(card))
        card.switched.connect(lambda is_on: change(changes.enable_step, self.cards.index(card), is_on))
        card.edited.connect(lambda name, value: self._edit(self.cards.index(card), name, value))
        card.reset_asked.connect(lambda name: change(changes.reset_setting, self.cards.index(card), name))
        card.settled.connect(self.bridge.store.settle)
        card.mend_asked.connect(self._apply_mend)
        card.input_chosen.connect(
            lambda name, source: change(changes.choose_input, self.cards.index(card), name, source)
        )
        card.renamed.connect(lambda name, new: self.rename(self.cards.index(card), name, new))
        card.channels_asked.connect(lambda: self._choose(card))
        card.channels_asked.connect(self._toggle_channels)
        card.channels_edited.connect(
            lambda channels: change(changes.set_channels, self.cards.index(card), channels)
        )
        card.names_asked.connect(self._toggle_names)
        card.event_asked.connect(self.event_asked)
        card.moved_on.connect(lambda by: self._go_to(self.cards.index(card) + by))
        card.handle.dragged.connect(self.column.drag_to)
        card.handle.dropped.connect(lambda at: self._drop(self.cards.index(card), self.column.gap_at(at)))
        card.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        card.addActions(self._actions)

    def renew_library(self) -> None:
        """Take processors that were added, or that are others than before."""
        self._fill_add_menu()
        self.library.renew()
        self.sandbox.forget_results()
        self._show()

    # What a person does

    def open_library(self) -> None:
        """Show the library in place of the cards."""
        self.add_button.setChecked(True)
        self.pages.setCurrentIndex(LIBRARY)
        self.library.begin()

    def close_library(self) -> None:
        """Show the cards again."""
        self.add_button.setChecked(False)
        self.pages.setCurrentIndex(CARDS)
        if self.session.step is not None and self.session.step < len(self.cards):
            self.cards[self.session.step].setFocus(Qt.FocusReason.OtherFocusReason)
            QTimer.singleShot(0, self._scroll_to_selected)

    def show_step(self, index: int) -> None:
        """Show the settings of a step, where the keyboard goes on."""
        self.come_to_sight()
        if self.pages.currentIndex() == LIBRARY:
            self.close_library()
        if index < len(self.cards):
            self.bridge.change(changes.select_step, index)
            self.cards[index].setFocus(Qt.FocusReason.OtherFocusReason)
            QTimer.singleShot(0, self._scroll_to_selected)

    def add_step(self, name: str) -> None:
        """Add a step behind the selected one; what would be written twice gets another name."""
        self.bridge.change(changes.add_step, name, free_outputs(self.session.chain, Step(name)))
        self.close_library()

    def duplicate(self) -> None:
        """Put a copy of the selected step behind it: it reads the same, and writes under other names."""
        if (index := self.session.step) is not None:
            chain = self.session.chain
            outputs = {**chain[index].outputs, **free_outputs(chain, chain[index])}
            self.bridge.change(changes.duplicate_step, index, outputs, inputs_behind(chain, index))

    def rename(self, index: int, name: str, new: str) -> None:
        """Rename what a step writes; the steps that read it follow."""
        old = self.session.chain[index].outputs.get(name, name)
        readers = tuple(readers_after(self.session.chain, index, old))
        self.bridge.change(changes.rename_output, index, name, new, readers)

    def mend(self) -> None:
        """Do the first thing that helps the selected step, or else the first step that cannot run."""
        found = wires(self.session.chain)
        order = [self.session.step] if self.session.step is not None else []
        for index in (*order, *range(len(found))):
            if found[index].mends:
                self._apply_mend(found[index].mends[0])
                return
        self.bridge.log("No step needs mending")

    def _apply_mend(self, mend: Mend) -> None:
        self.bridge.change(mend.change, *mend.args)

    def _toggle_names(self) -> None:
        if (index := self.session.step) is not None:
            card = self.cards[index]
            card.toggle_names()
            self._show()
            if card.names is not None:
                taken = {name for at, step in enumerate(self.session.chain) for name in outputs_of(step)}
                card.names.is_taken = lambda name: name in taken
                line = next(iter(card.names.lines.values()))
                line.setFocus()
                line.selectAll()
                self.column.bring(card.names)

    def _toggle_channels(self) -> None:
        if (index := self.session.step) is not None:
            card = self.cards[index]
            card.toggle_channels()
            self._show()
            if card.channels is not None:
                card.channels.table.setFocus()
                self.column.bring(card.channels.table)

    def _choose(self, card: StepCard) -> None:
        if not self._is_renewing and card in self.cards:
            self.bridge.change(changes.select_step, self.cards.index(card))

    def _go_to(self, index: int) -> None:
        if 0 <= index < len(self.cards):
            self.cards[index].setFocus(Qt.FocusReason.TabFocusReason)

    def _edit(self, index: int, name: str, value: Any) -> None:
        self.bridge.change(changes.set_setting, index, name, value, merge=f"{index} {name}")

    def _drop(self, index: int, gap: int) -> None:
        self.column.hide_drop()
        self.bridge.change(changes.move_step, index, gap if gap <= index else gap - 1)

    def _refused(self) -> dict[int, str]:
        """Say which step the waveforms of the selected run are too short for, where no sample tells."""
        found = too_long_for(self.session, self.bridge.live(self.session.selected))
        return {} if found is None else dict([found])

    def _record(self) -> tuple[float | None, int | None]:
        """The sampling period and the length of the waveforms of the selected run, where they are known."""
        live = self.bridge.live(self.session.selected)
        return (None, None) if live is None else live.samples.record

    def _fill_add_menu(self) -> None:
        for inner in self.add_menu.findChildren(QMenu):
            inner.deleteLater()
        self.add_menu.clear()
        for kind, processors in chain_facts.processors_by_kind().items():
            menu = Menu(kind, self.add_menu)
            self.add_menu.addMenu(menu)
            menu.setToolTipsVisible(True)
            for known in processors:
                settings = " ".join(one.name for one in known.settings)
                action = menu_words.name(QAction(menu), f"{known.name} | {settings}")
                menu.addAction(action)
                action.setToolTip(together(known.summary))
                action.triggered.connect(lambda _checked=False, name=known.name: self.add_step(name))

    def _move(self, by: int) -> None:
        if (index := self.session.step) is not None:
            self.bridge.change(changes.move_step, index, index + by)

    def _switch(self) -> None:
        if (index := self.session.step) is not None:
            self.bridge.change(changes.enable_step, index, not self.session.chain[index].enabled)

    def _reset(self) -> None:
        if (index := self.session.step) is not None:
            self.bridge.change(changes.reset_step, index)

    def _remove(self) -> None:
        if (index := self.session.step) is not None:
            self.bridge.change(changes.remove_step, index)
