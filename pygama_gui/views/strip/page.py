"""The page of a shift: a check-list that fills itself in, to be remarked upon, signed and saved."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from PyQt5 import sip
from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from pygama.errors import OutputError
from pygama.utils import local_text
from pygama_gui.data.health import MARKS
from pygama_gui.data.shift import MOST_DIFFERENCES, Check, header_lines
from pygama_gui.data.shift_page import (
    KINDS,
    ShiftPage,
    add_row,
    as_markdown,
    course_of,
    write_page,
)
from pygama_gui.session import changes
from pygama_gui.session.state import Run, ShiftNotes
from pygama_gui.views.base import View
from pygama_gui.views.exporting import Saver
from pygama_gui.widgets import theme
from pygama_gui.widgets.course import CourseLine
from pygama_gui.widgets.dialogs import file_dialog
from pygama_gui.widgets.parts import button, label, room_on_screen, row
from pygama_gui.widgets.scrolled import Scrolled

SIZE = QSize(980, 780)
LEAST_HEIGHT = 220
NOTE_HEIGHT = 66
LEAST_REMARK = 120
NEW_LINES = re.compile(
    rf"(?<=,) (?=moved by |from |as before|missing |less than |begun |[{''.join(MARKS.values())}])"
)
"""Where values and what is allowed are broken."""
MOST_LETTERS = 30
"""In a line of what is allowed: many runs may be named there."""
MOST_LETTERS_OF_WHY = 36
"""In a line of why a value is not known."""
MOST_CHANGES = 6
"""Changes of the header that are shown; the page that is saved has more."""
VALUE, ALLOWED, COURSE, REMARK = 2, 3, 4, 5
VERDICT_TONES = {"look": "warn", "ok": "ok", "part": "soft", "soft": "soft"}
TONES = {True: "ok", False: "warn", None: "soft"}
READING = "Reading the headers…"
LOGBOOK = "shift_log.csv"
GONE = "the run is not in the list any more"


class ShiftWindow(QDialog):
    """A window of its own that stands beside the work. take: makes the page of the run anew."""

    def __init__(self, view: View, run: Run, take: Callable[[], None]) -> None:
        super().__init__(view)
        self._view, self.run, self.run_id = view, run, run.run_id
        self.page: ShiftPage | None = None
        self.is_header_known = False
        self.saver = _PageSaver(view, self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Shift page")
        self.setAccessibleName("Shift page")
        self.title = label(px=theme.LARGE, bold=True)
        self.taken = label(tone="soft", px=theme.SMALL)
        self.verdict = label(bold=True)
        self.verdict.setWordWrap(True)
        self.said = _wrapped("What became of the page")
        self.said.hide()
        self.remarks: dict[str, QLineEdit] = {}
        self._checks = QWidget()
        self._grid = QGridLayout(self._checks)
        self._grid.setContentsMargins(0, 0, 8, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(REMARK, 1)
        self.ill, self.header = _wrapped("Channels that are not well"), _wrapped("What the header changed")
        self.warnings = _wrapped("What was warned of")
        self.note = QPlainTextEdit()
        self.note.setObjectName("field")
        self.note.setAccessibleName("Remarks on the shift")
        self.note.setPlaceholderText("Remarks on the shift")
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(NOTE_HEIGHT)
        self.who = QLineEdit()
        self.who.setAccessibleName("Who signs the page")
        self.who.setPlaceholderText("Your name")
        self.who.setMaximumWidth(220)
        self._lay_out(take)
        self._show_notes()
        self.note.textChanged.connect(self._keep)
        self.who.textEdited.connect(lambda text: view.bridge.change(changes.sign_as, text))
        view.bridge.session_changed.connect(self._on_session)
        self.note.setFocus()
        self.resize(SIZE.boundedTo(room_on_screen()))

    def _lay_out(self, take: Callable[[], None]) -> None:
        self.again_button = button("Take anew", "Take the figures anew; remarks stay")
        self.again_button.clicked.connect(lambda _checked=False: take())
        self.copy_button = button("Copy", "Copy the page as Markdown, for a logbook")
        self.copy_button.clicked.connect(lambda _checked=False: self.copy())
        self.row_button = button(
            "Add to a table…", "Add the page as a row to a table of shifts", "A row of CSV for each page"
        )
        self.row_button.clicked.connect(lambda _checked=False: self.ask_table())
        self.save_button = button("Save page…", "Save the page as HTML or Markdown", primary=True)
        self.save_button.clicked.connect(lambda _checked=False: self.saver.ask())
        self.close_button = button("Close", "Close; remarks are kept")
        self.close_button.clicked.connect(self.reject)
        for one in (
            self.again_button,
            self.copy_button,
            self.row_button,
            self.save_button,
            self.close_button,
        ):
            one.setAutoDefault(False)
        inside = QWidget()
        parts = QVBoxLayout(inside)
        parts.setContentsMargins(0, 0, 0, 0)
        parts.setSpacing(8)
        for part in (self._checks, self.ill, self.warnings, self.header):
            parts.addWidget(part)
        parts.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.verdict)
        column.addLayout(row(self.taken, None, self.again_button))
        column.addWidget(Scrolled(inside, least=LEAST_HEIGHT), 1)
        column.addWidget(self.note)
        column.addWidget(self.said)
        signed = (label("Signed by"), self.who, None)
        column.addLayout(row(*signed, self.copy_button, self.row_button, self.save_button, self.close_button))

    def show_page(self, page: ShiftPage, *, is_header_known: bool) -> None:
        """Show figures; what was remarked stays. is_header_known: whether headers were compared already."""
        self.page, self.is_header_known = page, is_header_known
        self.title.setText(page.heading)
        self.taken.setToolTip(f"{page.taken}\n{local_text(page.made_at)}")
        self._show_standing()
        self.verdict.setText(page.verdict)
        theme.mark(self.verdict, "tone", VERDICT_TONES[page.tone])
        self._fill_checks(page)
        ill = [f"{name} {state}: {why}" for name, state, *_, why in page.channels if why]
        self.ill.setText("\n".join(ill))
        self.ill.setVisible(bool(ill))
        warned = [f"▲ {when}: {what}" if when else f"▲ {what}" for when, what in page.warnings]
        self.warnings.setText("\n".join(warned))
        self.warnings.setVisible(bool(warned))
        lines = header_lines(page.against, page.found) if is_header_known else [READING]
        self.header.setText("Header: " + "\n".join([*lines[: MOST_CHANGES + 1], *_more_changes(page)]))

    def _fill_checks(self, page: ShiftPage) -> None:
        """Write the lines anew; a field for a remark stays, with its cursor."""
        fields = {what: self._kept(what) for what in (check.what for check in page.checks)}
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget not in fields.values():
                widget.hide()  # else Tab goes to it until it is gone
                widget.deleteLater()
        self.remarks = fields
        for at, text in enumerate(("", "", "value", "allowed", page.course_head, "remark")):
            self._grid.addWidget(label(text, tone="soft", px=theme.SMALL), 0, at)
        for line, check in enumerate(page.checks, 1):
            self._fill_line(page, check, line)
        self._order_tabs()
        self._show_notes()

    def _kept(self, what: str) -> QLineEdit:
        """Give the field for a remark; a new one where there is none yet."""
        if what in self.remarks:
            return self.remarks[what]
        remark = QLineEdit(self._checks)
        remark.setMinimumWidth(LEAST_REMARK)
        remark.setAccessibleName(f"Remark on {what}")
        remark.textEdited.connect(lambda _text: self._keep())
        return remark

    def _order_tabs(self) -> None:
        """Have Tab go as one reads: fields that were made later would come last."""
        ends = (self.note, self.who, self.copy_button, self.row_button, self.save_button, self.close_button)
        for one, following in pairwise((self.again_button, *self.remarks.values(), *ends)):
            self.setTabOrder(one, following)

    def _fill_line(self, page: ShiftPage, check: Check, line: int) -> None:
        tone = "" if check.is_known else "soft"
        told = textwrap.fill(check.value, MOST_LETTERS_OF_WHY) if not check.is_known else check.value
        value = label(NEW_LINES.sub("\n", told), tone=tone, bold=check.is_ok is False)
        value.setAccessibleName(f"{check.what}: {check.value}, {check.verdict}")
        self._grid.addWidget(label(check.verdict, tone=TONES[check.is_ok]), line, 0)
        self._grid.addWidget(label(check.what), line, 1)
        self._grid.addWidget(value, line, VALUE)
        parts = (textwrap.fill(part, MOST_LETTERS) for part in NEW_LINES.split(check.allowed))
        self._grid.addWidget(label("\n".join(parts), tone="soft", px=theme.SMALL), line, ALLOWED)
        series = page.courses.get(check.what)
        course = None if series is None else course_of(series, check)
        if course is not None:
            self._grid.addWidget(
                CourseLine(f"{check.what} {page.course_head}", course.points, course.band), line, COURSE
            )
        self._grid.addWidget(self.remarks[check.what], line, REMARK)

    # What a shifter says

    def _keep(self) -> None:
        """Keep the remarks in the session."""
        given = {what: field.text() for what, field in self.remarks.items() if field.text()}
        shown = {name for what in self.remarks for name in (what, self._name_before(what))}
        absent = {what: text for what, text in self._notes().remarks.items() if what not in shown}
        notes = ShiftNotes(self.run_id, MappingProxyType(absent | given), self.note.toPlainText())
        self._view.bridge.change(changes.note_shift, self.run_id, notes, merge=f"shift notes {self.run_id}")

    def _name_before(self, what: str) -> str:
        return what if self.page is None else self.page.name_before(what)

    def _notes(self) -> ShiftNotes:
        return self._view.session.notes_on(self.run_id)

    def _show_notes(self) -> None:
        notes = self._notes()
        for what, field in self.remarks.items():
            before = notes.remarks.get(self._name_before(what), "")
            if field.text() != (text := notes.remarks.get(what, before)):
                field.setText(text)
        if self.note.toPlainText() != notes.note:
            self.note.blockSignals(True)
            self.note.setPlainText(notes.note)
            self.note.blockSignals(False)
        if self.who.text() != self._view.session.shifter:
            self.who.setText(self._view.session.shifter)

    def _on_session(self, old: object, new: object) -> None:
        self._show_notes()
        self._show_standing()

    def _show_standing(self) -> None:
        """Say when the figures were taken, and why they cannot be taken anew."""
        session = self._view.session
        is_there = session.run(self.run_id) is not None
        is_chosen = session.selected == self.run_id
        self.again_button.setEnabled(is_chosen)
        if self.page is None:
            return
        choose = f"choose {self.page.title} in the list to take them anew"
        why = "" if is_chosen else f" · {choose if is_there else GONE}"
        self.taken.setText(f"Figures of {self.page.taken}{why}")

    def say(self, text: str, *, is_amiss: bool = False) -> None:
        """Say what became of the page here too: this window may cover the line at the top of the other."""
        if not sip.isdeleted(self):  # closed while a thread wrote
            self.said.setText(f"✕ {text}" if is_amiss else text)
            theme.mark(self.said, "tone", "bad" if is_amiss else "soft")
            self.said.show()

    def signed(self) -> ShiftPage | None:
        """Give the page with remarks and signature; None as long as there are no figures."""
        if self.page is None:
            return None
        notes = self._notes()
        return replace(self.page, remarks=notes.remarks, note=notes.note, who=self._view.session.shifter)

    # Where it goes

    def copy(self) -> None:
        """Copy the page as Markdown."""
        if (page := self.signed()) is not None:
            QApplication.clipboard().setText(as_markdown(page))
            self._view.bridge.log(f"{page.title}: copied the shift page")
            self.say("Copied as Markdown")

    def ask_table(self) -> None:
        """Ask for the table that gets a row; one that is there is gone on with."""
        dialog = file_dialog(self, "Add the page to a table", self._view.bridge.saving_folder())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Add")
        dialog.setNameFilter("Table (*.csv)")
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(LOGBOOK)
        dialog.fileSelected.connect(lambda name: self.add_to(Path(name)))
        dialog.open()

    def add_to(self, path: Path) -> None:
        """Add a row to a table, in a thread; the log says when it is there."""
        page, bridge = self.signed(), self._view.bridge
        if page is None:
            return

        failed: list[str] = []

        def add() -> None:
            try:
                add_row(page, path)
            except (OutputError, OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or error
                is_told = isinstance(error, OutputError)
                failed.append(str(error) if is_told else f"{path.name} could not be added to: {reason}")
                raise OutputError(failed[0]) from error

        def added(_nothing: None) -> None:
            bridge.note_saved(path)
            bridge.log(f"{page.title}: added a row to {path}")
            self.say(f"Added a row to {path}")

        bridge.compute(add, added, lambda: self.say("".join(failed), is_amiss=True))


class _PageSaver(Saver[ShiftPage]):
    KINDS = KINDS
    TITLE = "Save the shift page"

    def __init__(self, view: View, window: ShiftWindow) -> None:
        super().__init__(view)
        self._window = window

    def picture(self) -> ShiftPage | None:
        return self._window.signed()

    def name(self) -> str:
        page = self._window.page
        day = time.strftime("%Y%m%d", time.gmtime(0 if page is None else page.made_at))
        return f"shift_{self._window.run.stem}_{day}"

    def over(self) -> QWidget:
        return self._window

    def told(self, text: str, *, is_saved: bool) -> None:
        self._window.say(text, is_amiss=not is_saved)

    def write(self, picture: ShiftPage, path: Path) -> None:
        write_page(picture, path)

    def table(self, picture: ShiftPage) -> str:
        return as_markdown(picture)


def _more_changes(page: ShiftPage) -> list[str]:
    """Say how many changes of the header are not shown, and where they stand."""
    n_all = len(page.found or ())
    if n_all <= MOST_CHANGES:
        return []
    where = (
        "which the saved page has" if n_all <= MOST_DIFFERENCES else f"{MOST_DIFFERENCES} in the saved page"
    )
    return [f"and {n_all - MOST_CHANGES} more, {where}"]


def _wrapped(name: str) -> QLabel:
    made = label(px=theme.SMALL)
    made.setAccessibleName(name)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setFrameShape(QFrame.Shape.NoFrame)
    return made
