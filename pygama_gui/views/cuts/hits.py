"""Asks how the pulser is tagged and how hits become events, and shows what was found in the selected run."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QDialog,
    QLabel,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pygama.analysis.pulser import PulseTrain
from pygama_gui.bridge import Bridge
from pygama_gui.data.hit_tags import SAME_CLOCK, Told
from pygama_gui.jobs.board import as_sentence
from pygama_gui.session import tag_changes
from pygama_gui.session.codes import code_at, place_of
from pygama_gui.session.state import DataSet, Session
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.checklist import CheckList, Item
from pygama_gui.widgets.parts import button, choice_box, label, room_on_screen, row
from pygama_gui.widgets.table import error_below, quiet_table
from pygama_gui.widgets.typed_line import TypedLine

HEADS = ("channel", "period (s)", "amplitude", "pulses", "tagged", "false")
ABOUT = (
    "",
    "Time from pulse to pulse, with its error",
    "Height, with the spread of single pulses",
    "How many were recorded, of those that the period lets expect from the first to the last",
    "Estimate of the part of the recorded pulses that is tagged",
    "Expected rate of tagged hits that are no pulses",
)
SIZE = QSize(620, 460)
UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
SUGGESTED = ("1", "µs")
ALL = "all channels"
N_NAMED = 3
"""Channels that are named on the button; more are counted."""
USE = "Cuts and all views then know the columns is_pulser, event, multiplicity and n_channels."


class HitsDialog(QDialog):
    """The pulser and the events of the selected run; what is chosen is done at once, and can be undone."""

    def __init__(self, bridge: Bridge, parent: QWidget) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.setWindowTitle("Pulser and events")
        self.setModal(False)
        self._make_pulser()
        self._make_events()
        self._lay_out()
        self._show_window()
        self.resize(SIZE.boundedTo(room_on_screen()))
        bridge.session_changed.connect(self._on_session)
        bridge.hit_tags.told.connect(self._on_told)
        bridge.data_grew.connect(self._on_data)
        self.show_all()

    def _make_pulser(self) -> None:
        self.pulser_box = QCheckBox("Tag the pulser in")
        self.pulser_box.setAccessibleName("Tag the pulser")
        self.pulser_box.toggled.connect(self._tag)
        self.channels = CheckList(ALL, "Channels in which the pulser is tagged")
        self.channels.toggled_one.connect(self._choose_channel)
        self.pulser_words = _words("What was found of the pulser")
        self.table = quiet_table("Pulses of each channel", HEADS, dispensable=(5, 2))
        for at, about in enumerate(ABOUT):
            self.table.horizontalHeaderItem(at).setToolTip(about)

    def _make_events(self) -> None:
        self.window_field = TypedLine()
        self.window_field.setAccessibleName("Window in which hits are one event")
        self.window_field.setMaximumWidth(90)
        self.unit_box = choice_box("Unit of the window", *UNITS)
        self.sliding_box = QCheckBox("Each hit opens the window anew")
        self.sliding_box.setToolTip("An event ends at the first pause that is longer than the window")
        self.clock_box = QCheckBox(SAME_CLOCK)
        self.clock_box.setToolTip("Without it, hits of several cards are not put together")
        self.build_button = button("Build", "Build events", primary=True)
        self.forget_button = button("Build no longer", "Build events no longer")
        self.events_words = _words("What was found of events")
        self.window_field.returnPressed.connect(self.build)
        self.build_button.clicked.connect(self.build)
        self.forget_button.clicked.connect(lambda: self._bridge.change(tag_changes.forget_events))
        for box in (self.sliding_box, self.clock_box):
            box.setAccessibleName(box.text())
            box.clicked.connect(self._build_again)
        self.unit_box.activated.connect(lambda _at: self._build_again())

    def _lay_out(self) -> None:
        self.close_button = button("Close", "Close")
        self.close_button.clicked.connect(self.reject)
        for one in (self.build_button, self.forget_button, self.close_button):
            one.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(label("Pulser", bold=True))
        column.addLayout(row(self.pulser_box, self.channels, None))
        column.addWidget(self.pulser_words)
        column.addWidget(self.table)
        column.addSpacing(8)
        column.addWidget(label("Events", bold=True))
        column.addLayout(
            row(
                label("Hits are one event within"),
                self.window_field,
                self.unit_box,
                self.build_button,
                self.forget_button,
                None,
            )
        )
        column.addLayout(row(self.sliding_box, self.clock_box, None))
        column.addWidget(self.events_words)
        column.addStretch(1)
        use = label(USE, tone="soft", px=theme.SMALL)
        use.setWordWrap(True)
        foot = row()
        foot.addWidget(use, 1)
        foot.addWidget(self.close_button)
        column.addLayout(foot)

    def open_for_events(self) -> None:
        """Show the dialog, ready for the window to be typed."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.window_field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.window_field.selectAll()

    def open_for_pulser(self) -> None:
        """Show the dialog with what is found of the pulser."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.pulser_box.setFocus(Qt.FocusReason.OtherFocusReason)

    # What a person does

    def _tag(self, is_wanted: bool) -> None:  # noqa: FBT001  (Qt's signal)
        if is_wanted:
            self._bridge.change(tag_changes.tag_pulser, self._bridge.session.tagging.pulser_in)
        else:
            self._bridge.change(tag_changes.leave_pulser)
            self.show_all()

    def _choose_channel(self, place: str) -> None:
        """Tag the pulser in one channel more or less; in all where none or each of them is left."""
        places = [one for one, _ in self._places()]
        chosen = set(self._bridge.session.tagging.pulser_in or places) ^ {place}
        wanted = tuple(one for one in places if one in chosen)
        self._bridge.change(tag_changes.tag_pulser, () if len(wanted) == len(places) else wanted)
        self._fill_channels()

    def build(self) -> None:
        """Build events with what is set; say what is wrong with a window that is none."""
        try:
            window_s = words.number(self.window_field.text()) * UNITS[self.unit_box.currentText()]
        except ValueError:
            window_s = -1.0
        if not 0 <= window_s < float("inf"):
            self._say(self.events_words, "A window is a number, 0 or more, as 1.5", "bad")
            return
        window_s = float(f"{window_s:.12g}")
        is_sliding, same_clock = self.sliding_box.isChecked(), self.clock_box.isChecked()
        self._bridge.change(tag_changes.build_events, window_s, is_sliding, same_clock)
        self.show_all()

    def _build_again(self) -> None:
        if self._bridge.session.tagging.window_s is not None:
            self.build()

    # What is shown

    def _on_session(self, old: Session, new: Session) -> None:
        if old.tagging != new.tagging:
            self._show_window()
        if self.isVisible():
            self.show_all()

    def _on_told(self, run_id: str) -> None:
        if run_id == self._bridge.session.selected and self.isVisible():
            self.show_all()

    def _on_data(self, run_ids: set[str]) -> None:
        if self._bridge.session.selected in run_ids and self.isVisible():
            self._fill_channels()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show what is known now."""
        super().showEvent(event)
        self.show_all()

    def show_all(self) -> None:
        """Show what is asked for, and what was found."""
        session = self._bridge.session
        wanted, is_named = self._bridge.hit_tags.wanted, tag_changes.is_pulser_named(session)
        self.pulser_box.blockSignals(True)  # noqa: FBT003
        self.pulser_box.setChecked(wanted.has_pulser)
        self.pulser_box.blockSignals(False)  # noqa: FBT003
        self.pulser_box.setEnabled(not (is_named and not session.tagging.has_pulser))
        self.pulser_box.setToolTip("A cut names is_pulser" if is_named else "")
        self.forget_button.setVisible(session.tagging.window_s is not None)
        self.build_button.setText("Build" if session.tagging.window_s is None else "Build anew")
        self._fill_channels()
        self._show_found()
        self._make_room()

    def _make_room(self) -> None:
        """Grow with what was found; else the parts of the dialog lie over each other."""
        layout = self.layout()
        assert layout is not None
        layout.activate()
        needed = layout.totalHeightForWidth(self.width())
        if needed > self.height():
            self.resize(self.width(), needed)

    def _show_window(self) -> None:
        """Write the window of the session, or one to begin with."""
        tagging = self._bridge.session.tagging
        if tagging.window_s is None:
            text, unit = SUGGESTED
        else:
            unit = next((one for one, s in reversed(UNITS.items()) if tagging.window_s >= s), "ns")
            text = f"{tagging.window_s / UNITS[unit]:.9g}"
        self.window_field.setText(text)
        self.unit_box.setCurrentText(unit)
        self.sliding_box.setChecked(tagging.is_sliding)
        self.clock_box.setChecked(tagging.same_clock)

    def _places(self) -> list[tuple[str, str]]:
        """Give the channels of the run, and others that were chosen: place and name."""
        live = self._bridge.live(self._bridge.session.selected)
        codes = [] if live is None else live.channels
        places = ["/".join(map(str, place_of(code).values())) for code in codes]
        others = [one for one in self._bridge.session.tagging.pulser_in if one not in places]
        return [*zip(places, self._bridge.names(codes), strict=True), *((one, one) for one in others)]

    def _fill_channels(self) -> None:
        places, chosen = self._places(), self._bridge.session.tagging.pulser_in
        self.channels.set_items(
            [Item(place, name, not chosen or place in chosen, kind="plain") for place, name in places]
        )
        names = [name for place, name in places if place in chosen]
        told = ", ".join(names) if len(names) <= N_NAMED else f"{len(names)} of {len(places)} channels"
        self.channels.setText(f"{told or ALL} ▾")

    def _show_found(self) -> None:
        tags, run_id = self._bridge.hit_tags, self._bridge.session.selected
        wanted, told = tags.wanted, tags.of(run_id)
        waits = self._why_waiting(told)
        trains = [] if told is None or not wanted.has_pulser else list(self._trains(told))
        self._fill_table(trains)
        if not wanted.has_pulser:
            self._say(self.pulser_words, "")
        elif waits:
            self._say(self.pulser_words, waits)
        elif told is not None:
            words_of, tone = _pulser_words(told)
            self._say(self.pulser_words, words_of + self._so_far(told), tone)
        if wanted.window_s is None:
            self._say(self.events_words, "")
        elif waits:
            self._say(self.events_words, waits)
        elif told is not None:
            words_of, tone = _event_words(told, self._runs())
            self._say(self.events_words, words_of + self._so_far(told), tone)

    def _why_waiting(self, told: Told | None) -> str:
        live = self._bridge.live(self._bridge.session.selected)
        if live is None or not len(live.columns):
            return "There are no hits yet."
        far = self._bridge.hit_tags.how_far(self._bridge.session.selected)
        return f"Looking at all hits{far}…" if told is None else ""

    def _so_far(self, told: Told) -> str:
        """Say of a run that grows how many of its hits were looked at."""
        return "" if told.is_whole else f"\nThat is of the first {words.count(told.n_rows)} hits; more follow"

    def _runs(self) -> list[str]:
        """Name the runs of a data set; of a run alone, no name is needed."""
        run = self._bridge.session.selected_run
        return [f"{one.run.title}, " for one in run.members] if isinstance(run, DataSet) else [""]

    def _trains(self, told: Told) -> Iterator[tuple[str, PulseTrain | str]]:
        """Give the pulses of each channel of each run, or why there are none."""
        for run, found in zip(self._runs(), told.found, strict=False):
            both: dict[str, PulseTrain | str] = {**found.trains, **found.without}
            places = sorted(both, key=code_at)
            names = self._bridge.names(map(code_at, places))
            for name, place in zip(names, places, strict=True):
                yield f"{run}{name}", both[place]

    def _fill_table(self, rows: list[tuple[str, PulseTrain | str]]) -> None:
        self.table.clearSpans()
        self.table.setRowCount(len(rows))
        for at, (name, train) in enumerate(rows):
            texts = (name, train) if isinstance(train, str) else (name, *_figures(train))
            for place, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text.replace("\n", " "))
                self.table.setItem(at, place, item)
            if isinstance(train, str):
                self.table.setSpan(at, 1, 1, len(HEADS) - 1)
        self.table.setVisible(bool(rows))
        self.table.make_room()

    def _say(self, where: QLabel, text: str, tone: str = "soft") -> None:
        where.setText(text)
        where.setVisible(bool(text))
        theme.mark(where, "tone", tone)


def _words(name: str) -> QLabel:
    made = label(tone="soft", px=theme.SMALL)
    made.setWordWrap(True)
    made.setAccessibleName(name)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def _figures(train: PulseTrain) -> tuple[str, ...]:
    part, error = train.recorded_fraction
    return (
        f"{train.period_s:.9g}\n± {train.period_error_s:.2g}",
        error_below(words.with_error(train.amplitude, train.amplitude_sigma)),
        f"{train.n_recorded} of {train.n_expected}\n{words.with_error(100 * part, 100 * error)} %",
        f"{100 * train.efficiency:.2f} %",
        f"{train.false_rate_hz:.2g} Hz",
    )


def _pulser_words(told: Told) -> tuple[str, str]:
    """Say how many pulses there are, or why none; with the tone of it."""
    if (why := told.missing.get("is_pulser")) is not None:
        return f"▲ {as_sentence(why)}", "warn"
    if without := [one.why_no_pulser for one in told.found if one.why_no_pulser]:
        more = "" if len(told.found) == 1 else f"{len(without)} of {len(told.found)} runs: "
        return f"▲ {more}{as_sentence(without[0])}", "warn"
    trains = [train for one in told.found for train in one.trains.values()]
    n = sum(train.n_recorded for train in trains)
    return f"{n} pulses in {len(trains)} {'channel' if len(trains) == 1 else 'channels'}", "soft"


def _event_words(told: Told, runs: list[str]) -> tuple[str, str]:
    if (why := told.missing.get("event")) is not None:
        return f"▲ {as_sentence(why)}", "warn"
    each = [f"{run}{_joined(found.events)}" for run, found in zip(runs, told.found, strict=False)]
    return "\n".join(each), "soft"


def _joined(lines: tuple[str, ...]) -> str:
    """Put the numbers of events of one channel, of two and so on into a line."""
    inner = "; ".join(line.strip() for line in lines if line.startswith(" ") and not line.endswith(": 0"))
    outer = [line for line in lines if not line.startswith(" ")]
    return "\n".join([outer[0], inner, *outer[1:]]) if outer else ""
