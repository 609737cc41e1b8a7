"""Shows one step as a card: what it reads and writes, what it does to a waveform, its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QMouseEvent
from PyQt5.QtWidgets import (
    QAction,
    QCheckBox,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pygama.quick_dataclass import dataclass
from pygama_gui.data import chain_facts
from pygama_gui.data.preview import Facts
from pygama_gui.data.wiring import Mend, Wire
from pygama_gui.jobs.board import counted
from pygama_gui.session.state import Step
from pygama_gui.views.chain.channel_settings import ChannelTable
from pygama_gui.views.chain.step_names import NamesForm
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.card_column import Card
from pygama_gui.widgets.form import Form
from pygama_gui.widgets.handle import Handle
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import Elided, button, give_menu, label, link, row
from pygama_gui.widgets.thumbnail import Pictured, Thumbnail

Traces = Mapping[str, Any]
DEAR_US = 20.0
"""A step that costs more than this for a waveform says so in another tone."""


@dataclass(frozen=True)
class Shown:
    """All that a card shows of its step but the step itself."""

    wire: Wire
    place: int = 0
    period_ns: float | None = None
    n_samples: int | None = None
    facts: Facts | None = None
    traces: Traces | None = None
    refused: str = ""
    """Why the waveforms of the run cannot take the step, where no facts tell."""


class StepCard(Card):
    """One step; the selected one shows its settings."""

    switched = pyqtSignal(bool)
    edited = pyqtSignal(str, object)
    reset_asked = pyqtSignal(str)
    settled = pyqtSignal()
    mend_asked = pyqtSignal(object)
    input_chosen = pyqtSignal(str, str)
    renamed = pyqtSignal(str, str)
    channels_asked = pyqtSignal()
    """The settings of single channels are to be shown."""
    channels_edited = pyqtSignal(object)
    names_asked = pyqtSignal()
    """The names of inputs and outputs are to be shown."""
    event_asked = pyqtSignal(int)
    """The waveform of an event is to be shown."""
    moved_on = pyqtSignal(int)
    """An arrow key asks for the card that many places on."""

    def __init__(self, step: Step, actions: Sequence[QAction] = ()) -> None:
        super().__init__()
        self.step = step
        self.name = step.step
        self.known = chain_facts.processor(step.step)
        self.form: Form | None = None
        self.names: NamesForm | None = None
        self.channels: ChannelTable | None = None
        self.mends: list[QPushButton] = []
        self._mends_shown: tuple[Mend, ...] = ()
        self._pictured_of: tuple[Any, ...] = ()
        self._make_parts(actions)
        self._lay_out()
        self.setToolTip("" if self.known is None else words.together(self.known.summary))
        self.show_step(step, Shown(chain_facts.wires((step,))[0]))

    def _make_parts(self, actions: Sequence[QAction]) -> None:
        self.handle = Handle("Drag to move the step (Ctrl+Up, Ctrl+Down)")
        self.on_box = QCheckBox("on")
        self.on_box.setFont(theme.font(theme.SMALL))
        self.on_box.setAccessibleName(f"{self.name} on")
        self.on_box.setToolTip("Do the step, or leave it out (Ctrl+Return)")
        self.on_box.toggled.connect(self.switched)
        self.cost = label(tone="soft", px=theme.SMALL)
        self.more = QToolButton()
        self.more.setObjectName("quiet")
        self.more.setText("⋯")
        self.more.setAccessibleName(f"More for {self.name}")
        self.more.setToolTip("Duplicate, rename, move, remove…")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = Menu("", self)
        menu.addActions(list(actions))
        menu.aboutToShow.connect(self.chosen)
        give_menu(self.more, menu)
        self.wiring = Elided()
        self.thumbnail = Thumbnail()
        self.amiss = label(tone="bad", px=theme.SMALL)
        self.amiss.setWordWrap(True)
        self.amiss.hide()
        self.worry = label(tone="warn", px=theme.SMALL)
        self.worry.setWordWrap(True)
        self.worry.hide()
        self._nan_event = 0
        self.nan_link = link(
            "Show it",
            f"Show the first waveform that {self.name} gives no value for",
            lambda: self.event_asked.emit(self._nan_event),
        )
        self.nan_link.hide()
        self.own = link("", f"Settings of single channels of {self.name}", self.channels_asked.emit)
        self.own.hide()
        self.effect = label(px=theme.SMALL, tone="soft")
        self.effect.setWordWrap(True)
        self.effect.hide()
        self.names_link = link(
            "Inputs and outputs…", f"Rename what {self.name} writes", self.names_asked.emit
        )
        self.names_link.hide()

    def _lay_out(self) -> None:
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(10, 8, 8, 9)
        self._column.setSpacing(3)
        title = label(self.name, bold=True)
        head = row(self.handle, title, None, self.cost, self.on_box, self.more, spacing=7)
        self._column.addLayout(head)
        for part in (self.wiring, self.thumbnail, self.amiss):
            self._column.addWidget(part)
        self._mend_lines = QVBoxLayout()
        self._mend_lines.setContentsMargins(0, 0, 0, 0)
        self._mend_lines.setSpacing(4)
        self._column.addLayout(self._mend_lines)
        self._column.addWidget(self.worry)
        self._column.addLayout(row(self.nan_link, None))
        self._column.addWidget(self.own, 0, Qt.AlignmentFlag.AlignLeft)
        self._n_above = self._column.count()
        self._column.addWidget(self.effect)
        self._column.addWidget(self.names_link, 0, Qt.AlignmentFlag.AlignLeft)

    def select(self, *, is_selected: bool) -> None:
        """Show the settings, or no longer."""
        theme.mark(self, "selected", is_selected)
        self.names_link.setVisible(is_selected and self.known is not None and self.names is None)
        if is_selected and self.form is None and self.known is not None and self.known.settings:
            self.form = Form(self.known.settings, with_sliders=True)
            self.form.edited.connect(self.edited)
            self.form.reset_asked.connect(self.reset_asked)
            self.form.settled.connect(self.settled)
            self._column.insertWidget(self._n_above, self.form)
        elif not is_selected:
            self._drop(self.form)
            self._drop(self.names)
            self._drop(self.channels)
            self.form, self.names, self.channels = None, None, None

    def _drop(self, part: QWidget | None) -> None:
        if part is not None:
            self._column.removeWidget(part)
            part.hide()
            part.deleteLater()

    def toggle_names(self) -> None:
        """Show the names of inputs and outputs, or no longer."""
        if self.names is not None:
            self._drop(self.names)
            self.names = None
        elif self.known is not None:
            self.names = NamesForm(self.known)
            self.names.input_chosen.connect(self.input_chosen)
            self.names.renamed.connect(self.renamed)
            self._column.addWidget(self.names)
        self.names_link.setVisible(self.names is None)

    def toggle_channels(self) -> None:
        """Show the settings of single channels, or no longer."""
        if self.channels is not None:
            self._drop(self.channels)
            self.channels = None
        elif self.known is not None and self.known.settings:
            self.channels = ChannelTable(self.known)
            self.channels.changed.connect(self.channels_edited)
            self.channels.show_channels(self.step.channels)
            self._column.addWidget(self.channels)

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        fields = self.form.fields.values() if self.form is not None else ()
        names = self.names.stops() if self.names is not None else [self.names_link]
        inner = [stop for field in fields for stop in field.stops()]
        table = [self.channels.table] if self.channels is not None else []
        return [self, self.on_box, self.more, *self.mends, self.nan_link, self.own, *inner, *names, *table]

    def show_step(self, step: Step, shown: Shown) -> None:
        """Show the settings, and all that is known of the step."""
        self.step = step
        with QSignalBlocker(self.on_box):
            self.on_box.setChecked(step.enabled)
        self.wiring.setText(shown.wire.words)
        self.setAccessibleName(f"Step {shown.place + 1}, {step.step}: {shown.wire.words}")
        self._show_state(step, shown)
        self._show_own(step)
        self._picture(step, shown)
        if self.form is not None:
            self.form.show_values(step.settings, period_ns=shown.period_ns, scale=shown.n_samples)
        if self.names is not None:
            self.names.show_wire(shown.wire)
        if self.channels is not None:
            self.channels.show_channels(step.channels)

    def show_effect(self, text: str) -> None:
        """Say what the settings of this step do to the peak; nothing where they are not what was moved."""
        self.effect.setText(text)
        self.effect.setVisible(bool(text))

    def _show_state(self, step: Step, shown: Shown) -> None:
        facts, place = shown.facts, shown.place
        failed = facts.failed.get(place, "") if facts is not None and step.enabled else ""
        amiss = re.sub(rf"^{re.escape(step.step)}[:,] ", "", shown.wire.amiss or failed or shown.refused)
        n_nan = facts.n_nan.get(place, 0) if facts is not None and step.enabled else 0
        worry = ""
        if facts is not None and n_nan and not amiss:
            of = f"{words.count(n_nan)} of {counted(facts.n_rows, 'waveform')}"
            worry = f"▲ {of} without a value: {facts.first_nan.get(place, '')}".rstrip(": ")
        early = facts.early.get(place, "") if facts is not None and step.enabled and not amiss else ""
        self.amiss.setText(f"▲ {amiss}" if amiss else "")
        self.amiss.setVisible(bool(amiss))
        worries = [one for one in (early and f"▲ {early}", worry) if one]
        self.worry.setText("\n".join(worries))
        self.worry.setVisible(bool(worries))
        event = facts.nan_event.get(place) if facts is not None and worry else None
        self._nan_event = event or 0
        self.nan_link.setVisible(event is not None)
        theme.mark(self, "broken", "bad" if amiss else "warn" if worries else "")
        self._show_cost(facts, place, is_on=step.enabled)
        self._show_mends(shown.wire.mends)

    def _show_cost(self, facts: Facts | None, place: int, *, is_on: bool) -> None:
        cost = facts.costs.get(place) if facts is not None and is_on else None
        self.cost.setText("" if cost is None else f"{cost:.1f} µs" if cost < 100 else f"{cost:.0f} µs")
        theme.mark(self.cost, "tone", "warn" if cost is not None and cost > DEAR_US else "soft")
        if facts is not None and cost is not None:
            self.cost.setToolTip(
                f"Processor time for a waveform, the step for itself, measured on {facts.n_rows} of them; "
                "steps that are joined in one kernel cost less together"
            )

    def _show_mends(self, mends: tuple[Mend, ...]) -> None:
        if mends == self._mends_shown:
            return
        self._mends_shown = mends
        for old in self.mends:
            self._mend_lines.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.mends = []
        for mend in mends:
            made = button(mend.words, mend.words, mend.about or mend.words)
            made.setObjectName("compact")
            made.setFont(theme.font(theme.SMALL))
            made.clicked.connect(lambda _checked=False, mend=mend: self.mend_asked.emit(mend))
            # However long its words are, the panel stays as wide as it was.
            made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._mend_lines.addWidget(made)
            self.mends.append(made)

    def _show_own(self, step: Step) -> None:
        n = len(step.channels)
        self.own.setVisible(n > 0)
        if n:
            have = "channel has its" if n == 1 else "channels have their"
            self.own.setText(f"{n} {have} own settings")
            lines = (
                f"{place}: {', '.join(f'{name} {value}' for name, value in own.items())}"
                for place, own in step.channels.items()
            )
            self.own.setToolTip("crate/card/channel, card/channel or channel\n" + "\n".join(lines))

    def _picture(self, step: Step, shown: Shown) -> None:
        wanted = (id(shown.traces), step, shown.wire.reads, shown.period_ns)
        if wanted != self._pictured_of:
            self._pictured_of = wanted
            self.thumbnail.picture(pictured(step, shown.wire, shown.traces, shown.period_ns))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose the step."""
        self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose the step with Return, switch it with Space, go on with the arrows."""
        if event is None:
            return
        arrows = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        elif event.key() == Qt.Key.Key_Space:
            self.on_box.toggle()
        elif event.key() in arrows and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.moved_on.emit(arrows[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)


def pictured(step: Step, wire: Wire, traces: Traces | None, period_ns: float | None) -> Pictured | None:
    """Choose what a thumbnail shows of a step; None where nothing is known."""
    if not traces or wire.known is None or not step.enabled:
        return None
    waves = [traces[read.source] for read in wire.reads if read.source in traces and read.kind == "waves"]
    before = np.asarray(waves[0], np.float64) if waves else None
    if wire.known.writes_waves:
        after = traces.get(wire.writes[0])
        if before is None:
            return None
        return Pictured(before, None if after is None else np.asarray(after, np.float64))
    units = dict(wire.known.writes)
    level = at = None
    lines = []
    for (name, unit), output in zip(units.items(), wire.writes, strict=True):
        if output not in traces:
            continue
        value = float(traces[output])
        lines.append(f"{output} {value_words(value, unit)}")
        if unit == "adc" and name != "bl_rms" and level is None:
            level = value
        if unit == "ns" and name.startswith(("tp", "t0")) and period_ns:
            at = value / period_ns if at is None or name == "tp_50" else at
    return Pictured(before, None, level, at, tuple(lines)) if lines or before is not None else None


def value_words(value: float, unit: str) -> str:
    """Write a number that a step gave."""
    if not np.isfinite(value):
        return "NaN"
    shown = chain_facts.UNITS.get(unit, unit)
    text = words.level(value) if abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} {shown}".strip().replace("-", "−", 1)
