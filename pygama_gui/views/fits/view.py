"""Lists the fits with what they gave on the selected run; below, the chosen one can be changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QSignalBlocker, Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QFileDialog,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pygama.analysis.fit_request import FitRequest
from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts, fit_rows
from pygama_gui.data.fit_rows import FitRow
from pygama_gui.machine.fitting import Outcome
from pygama_gui.session import changes, fit_changes
from pygama_gui.session.saved import write_whole
from pygama_gui.session.state import Fit, Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.fits.calibration import CalibrationPanel
from pygama_gui.views.fits.form import FitForm, in_words
from pygama_gui.views.fits.regions import RegionTable
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.dialogs import file_dialog
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import label
from pygama_gui.widgets.plot import Entry, plot_actions
from pygama_gui.widgets.scrolled import Scrolled
from pygama_gui.widgets.table import RowTable, error_below, quiet_table, unit_below

HEADS = ("Fit", "Position", "FWHM", "Area", "χ²/ndof", "p", "FWTM")
OF_COLUMN = (1, 2, 6)
"""Those in the unit of the column that was fitted."""
AREA = 3
DISPENSABLE = (6, 5, 4)
"""Columns that go where there is no room; the form says the same of the chosen fit."""
LEAST_HEIGHT = 80
USE, SAVE, FORGET = "&Use the proposed calibration", "&Save the calibration…", "F&orget the calibration"
N_OF_FITS = 4
"""The first of the entries are of fits, the others of the calibration."""
EMPTY = (
    "No fits yet. Double-click on a peak of the spectrum, or mark a region and press Shift+F. "
    "Fits are kept in the session and redone on every run."
)


class FitsView(View):
    """The fits and what they gave."""

    TITLE = "Fits"
    HELP = (
        "Fitted regions with position, width and area of their peaks on the selected run. The chosen fit can "
        "be given another shape or background, and its parameters can be fixed or limited. Below, the "
        "column is calibrated: its peaks are matched to the lines of a source."
    )
    SHORTCUTS = (
        ("Return", "Look at the fit in the spectrum"),
        ("F2", "Rename the fit"),
        ("Del", "Remove the fit"),
        ("Ctrl+C", "Copy the table as text"),
        ("Shift+A", "Fit everything again"),
        ("Shift+K", "Calibrate what the spectrum shows"),
    )

    look_asked = pyqtSignal(object)
    """A fit or a region that somebody wants to see in the spectrum."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.table = self._make_table()
        self.hint = label(EMPTY, tone="soft", px=theme.SMALL)
        self.hint.setWordWrap(True)
        self.form = FitForm(self._change, self._rename)
        self.regions = RegionTable(bridge, self.look_asked.emit)
        self.calibration = CalibrationPanel(bridge, self.redraw_soon)
        self.drift = label(tone="soft", px=theme.SMALL)
        self.drift.setWordWrap(True)
        self._rows: list[FitRow] = []
        self._is_answered = False
        self.calibration.answered.connect(self._note_answer)
        self._actions = [
            *plot_actions(self.table, self._of_table(), self.come_to_sight),
            *plot_actions(self, self._entries(), self.come_to_sight),
        ]
        self._actions_of_fits = self._actions[: len(self._of_table()) + N_OF_FITS]
        self._enable_actions()
        everywhere = Qt.ShortcutContext.WindowShortcut
        next(one for one in self._actions if "all c&hannels" in one.text()).setShortcutContext(everywhere)
        self.table.addActions(self._actions)  # for its own menu
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        regions = Menu("Re&gions", self)
        regions.addActions(self.regions.actions_of)
        self._region_menu = regions
        self._actions += [action for action in [regions.menuAction()] if action is not None]
        self._lay_out()
        bridge.fitting.fitted.connect(self._fitted)
        bridge.fitting.due.connect(self.redraw_soon)

    @classmethod
    def demo(cls) -> FitsView:
        """Show fits of a made-up spectrum."""
        view = cls(Bridge())
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001)
        view.bridge.change(changes.add_runs, [run])
        view.bridge.adopt(1, run)
        for message in madeup.messages(run.path):
            view.bridge.take(1, message)
        requests = [FitRequest(at - 400, at + 400, (at,)) for at, _ in madeup.LINES[:2]]
        fits = [Fit(f"{one.positions[0]:.0f} ADC", "trap_max", one) for one in requests]
        view.bridge.change(fit_changes.add_fits, fits)
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with the fits."""
        return self._actions

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [self.table, *self.form.stops(), *self.regions.stops(), *self.calibration.stops()]

    def _of_table(self) -> list[Entry]:
        """Give what is done with keys that mean something else in a field."""
        return [
            ("&Look at the fit in the spectrum | show zoom", "Return", self.look),
            ("Re&name the fit", "F2", self.form.name_field.setFocus),
            ("&Remove the fit | delete", "Del", self.remove),
            ("&Copy the table as text", "Ctrl+C", lambda: self._copy(fit_rows.as_text(self._rows))),
        ]

    def _entries(self) -> list[Entry]:
        return [
            ("Fit everything &again | refit update", "Shift+A", self.bridge.fitting.forget),
            ("R&emove all fits | delete clear", "", lambda: self.bridge.change(fit_changes.remove_all_fits)),
            ("Copy the table as CS&V", "Ctrl+Shift+X", lambda: self._copy(fit_rows.as_csv(self._rows))),
            ("E&xport the table as CSV… | save results fits peaks", "", self.ask_export),
            None,
            (
                "Calibrate &what the spectrum shows | energy calibration kev automatic lines",
                "Shift+K",
                self.calibration.calibrate_shown,
            ),
            ("Calibrate with the &fitted peaks | energy calibration kev", "", self.calibrate_with_fits),
            (
                "Calibrate all c&hannels | energy calibration kev detectors automatic lines",
                "Ctrl+Shift+K",
                self._calibrate_all,
            ),
            (f"{USE} | apply accept", "", self.calibration.use),
            (f"{SAVE} | export energy json", "", self.calibration.ask_save),
            ("&Take a calibration… | load open import energy json", "", self.calibration.ask_load),
            (f"{FORGET} | remove delete energy", "", self.calibration.forget),
        ]

    def _enable_actions(self) -> None:
        """Offer what is done with fits, or with a calibration, only where there is one."""
        for action in self._actions_of_fits:
            action.setEnabled(bool(self.session.fits))
        offers = {
            USE: self.calibration.has_proposal,
            SAVE: self.calibration.held is not None,
            FORGET: self.calibration.can_forget,
        }
        for action in self._actions:
            if action.text() in offers:
                action.setEnabled(offers[action.text()])

    def _calibrate_all(self) -> None:
        self.come_to_sight()  # its key works everywhere
        self.calibration.calibrate()

    def _make_table(self) -> RowTable:
        table = quiet_table("Fitted peaks", HEADS, DISPENSABLE)
        table.currentCellChanged.connect(lambda row, *_: self._choose(row))
        table.cellDoubleClicked.connect(lambda *_: self.look())
        return table

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label("Fits", bold=True))
        column.addWidget(self.hint)
        inside = QWidget()
        inner = QVBoxLayout(inside)
        inner.setContentsMargins(0, 0, 6, 0)
        inner.addWidget(self.table)
        inner.addWidget(self.drift)
        inner.addWidget(self.form)
        inner.addWidget(self.regions)
        inner.addWidget(self.calibration)
        inner.addStretch(1)
        self.form_area = Scrolled(inside, least=LEAST_HEIGHT)
        column.addWidget(self.form_area, 1)

    # What the session and the fits bring

    def on_session(self, old: Session, new: Session) -> None:
        """Show what changed."""
        self._enable_actions()
        self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Fit anew what grew."""
        if run_ids & {self.session.selected, *self.session.spectrum.others}:
            self.redraw_soon()

    def _fitted(self, run_id: str) -> None:
        if run_id in (self.session.selected, *self.session.spectrum.others):
            self.redraw_soon()

    def redraw(self) -> None:
        """Show the table and the chosen fit."""
        self._enable_actions()
        session = self.session
        for run_id in (session.selected, *session.spectrum.others[:1]):
            self.bridge.fitting.ask(run_id)
        rows = [row for fit in session.fits for row in self._rows_of(session.selected, fit)]
        if rows or self._rows:
            self._rows = rows
            self._fill()
        fit = session.chosen_fit
        self.table.setVisible(bool(session.fits))
        self.hint.setVisible(not session.fits)
        self.form.setVisible(fit is not None)
        self.drift.setText(self._drift(fit))
        self.drift.setVisible(bool(self.drift.text()))
        if fit is not None:
            outcome = self.bridge.fitting.outcome(session.selected, fit.name)
            found = None if outcome is None or outcome.found is None else outcome.found
            note = "" if outcome is None else outcome.problem or _note(outcome)
            told = figures(*(row for row in self._rows if row.fit.name == fit.name))
            self.form.show_fit(fit, found, note, told)
        self.regions.show_present()
        self.calibration.show_present()
        if self._is_answered:
            self._is_answered = False
            QTimer.singleShot(0, self._bring_answer)  # once all has its place
        self.drawn.emit()

    def _note_answer(self) -> None:
        self._is_answered = True
        self.redraw_soon()

    def _bring_answer(self) -> None:
        """Bring into view what the calibration says, which may lie below many fits, and its buttons."""
        for part in (self.calibration.words, self.calibration.calibrate_button):
            self.form_area.ensureWidgetVisible(part)

    def _rows_of(self, run_id: str, fit: Fit) -> list[FitRow]:
        channel = "" if fit.channel is None else self.bridge.channel_name(fit.channel, run_id)
        plain = FitRow(self.bridge.name_of(run_id), fit, channel)
        outcome = self.bridge.fitting.outcome(run_id, fit.name)
        if outcome is None:
            return [replace(plain, note="…")]
        if outcome.why_not or outcome.found is None:
            return [replace(plain, note=outcome.why_not)]
        found = outcome.found
        return [replace(plain, found=found, index=i, note=_note(outcome)) for i in range(len(found.peaks))]

    def _drift(self, fit: Fit | None) -> str:
        """Say how the chosen fit's first peak stands against the first other run."""
        others = self.session.spectrum.others
        if fit is None or not others:
            return ""
        pair = [self._rows_of(run_id, fit)[0] for run_id in (self.session.selected, others[0])]
        here, there = pair[0].peak, pair[1].peak
        if here is None or there is None or self.session.selected == others[0]:
            return ""
        unit = chain_facts.unit_of(fit.column)
        return fit_rows.drift_words(here, there, (pair[0].run, pair[1].run), unit)

    def _fill(self) -> None:
        with QSignalBlocker(self.table):
            self.table.setRowCount(len(self._rows))
            self.table.clearSpans()
            unit = _common_unit(self._rows)
            self.table.setHorizontalHeaderLabels(_heads(unit))
            chosen = -1
            for at, row in enumerate(self._rows):
                self._fill_row(at, row, is_unit_above=unit is not None)
                chosen = at if row.fit.name == self.session.fit and chosen < 0 else chosen
            self.table.make_room()
            present = self.table.currentRow()
            is_right = 0 <= present < len(self._rows) and self._rows[present].fit.name == self.session.fit
            if not is_right:
                self.table.setCurrentCell(chosen, 0)
                self.table.selectRow(chosen) if chosen >= 0 else self.table.clearSelection()

    def _fill_row(self, at: int, row: FitRow, *, is_unit_above: bool) -> None:
        name = row.fit.name if row.index == 0 else ""
        texts = [name, *cells(row, "" if is_unit_above else chain_facts.unit_of(row.fit.column))]
        for place, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(
                "\n".join(part for part in (row.fit.name, figures(row), in_words(row.note)) if part)
            )
            self.table.setItem(at, place, item)
        if row.peak is None:
            self.table.setSpan(at, 1, 1, len(HEADS) - 1)
        elif row.is_doubtful:
            self.table.item(at, 0).setText(f"▲ {name}")

    # What a person does

    def _choose(self, at: int) -> None:
        if 0 <= at < len(self._rows):
            self.bridge.change(fit_changes.choose_fit, self._rows[at].fit.name)

    def look(self) -> None:
        """Look at the chosen fit in the spectrum."""
        if (fit := self.session.chosen_fit) is not None:
            self.look_asked.emit(fit)

    def remove(self) -> None:
        """Remove the chosen fit."""
        self.bridge.change(fit_changes.remove_fit, self.session.fit)

    def calibrate_with_fits(self) -> None:
        """Calibrate the column of the spectrum with the peaks that were fitted in it."""
        session, column = self.session, self.calibration.column
        channel = session.spectrum.channel
        rows = [row for row in self._rows if (row.fit.column, row.fit.channel) == (column, channel)]
        peaks = [row.peak for row in rows if row.peak is not None]
        if peaks:
            self.calibration.calibrate(None if channel is None else [channel], peaks)
        else:
            self.bridge.log(f"No peaks of {column} were fitted; its lines are found instead")
            self.calibration.calibrate_shown()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.calibration.recolor()
        self.redraw_soon()

    def _change(self, request: FitRequest) -> None:
        self.bridge.change(fit_changes.change_fit, self.session.fit, request)

    def _rename(self, name: str) -> None:
        self.bridge.change(fit_changes.rename_fit, self.session.fit, name)

    def _copy(self, text: str) -> None:
        QApplication.clipboard().setText(text)
        self.bridge.log(f"Copied {len(self._rows)} rows of fits")

    def ask_export(self) -> None:
        """Ask where to write the table."""
        dialog = file_dialog(self, "Export the fits", self.bridge.saving_folder())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Comma-separated values (*.csv)")
        dialog.setDefaultSuffix("csv")
        run = self.session.selected_run
        dialog.selectFile("fits.csv" if run is None else f"fits_{run.stem}.csv")
        dialog.fileSelected.connect(lambda name: self.export(Path(name)))
        dialog.open()

    def export(self, path: Path) -> None:
        """Write the table as CSV."""
        try:
            write_whole(path, fit_rows.as_csv(self._rows))
        except OSError as error:
            self.bridge.went_wrong.emit(
                f"{path.name} could not be written: {error.strerror}", repr(error), ""
            )
            return
        self.bridge.note_saved(path)
        self.bridge.log(f"Saved the fits as {path}")


def _note(outcome: Outcome) -> str:
    """Say what is to be known of a fit, above all why its errors are not to be taken as they stand."""
    found = outcome.found
    told = "" if found is None else found.verdict if found.doubts else found.note
    if outcome.left is None:
        return told
    low, high = map(words.level, outcome.left)
    unit = chain_facts.unit_of(outcome.fit.column)
    cut = f"a cut leaves of its window what lies from {low} to {high} {unit}".rstrip()
    return f"{cut}; {told}" if told else cut


def _common_unit(rows: Sequence[FitRow]) -> str | None:
    """Give the unit of all rows; None where they have several, as those of ADC counts and energies."""
    units = {chain_facts.unit_of(row.fit.column) for row in rows}
    return units.pop() if len(units) == 1 else None


def _heads(unit: str | None) -> list[str]:
    """Give the heads of the table with their units; those of cells that say it themselves have none."""
    units = dict.fromkeys(OF_COLUMN, unit or "") | {AREA: "counts"}
    return [unit_below(head, units.get(at, "")) for at, head in enumerate(HEADS)]


def cells(row: FitRow, unit: str = "") -> list[str]:
    """Give the words of a row, from the position on; unit: said of the position, for its widths as well."""
    peak, found = row.peak, row.found
    if peak is None or found is None:
        return [in_words(row.note)]

    def said(name: str, unit: str) -> str:
        errors = getattr(peak, f"{name}_error"), getattr(peak, f"{name}_errors")
        return error_below(f"{words.with_errors(getattr(peak, name), *errors)} {unit}".rstrip())

    return [
        said("position", unit),
        said("fwhm", ""),
        said("area", ""),
        f"{found.chi2:.0f}/{found.ndof}",
        words.p_value(found.p_value),
        said("fwtm", ""),
    ]


def figures(*rows: FitRow) -> str:
    """Say what a narrow table leaves out of a fit: 'FWTM 213 +49 −53 ADC · χ²/ndof 12/14 · p 0.61'."""
    fit = next((row.found for row in rows if row.found is not None), None)
    peaks = [row.peak for row in rows if row.peak is not None]
    if fit is None or not peaks:
        return ""
    fwtm = dict.fromkeys(words.with_errors(one.fwtm, one.fwtm_error, one.fwtm_errors) for one in peaks)
    unit = f" {unit}" if (unit := chain_facts.unit_of(rows[0].fit.column)) else ""
    return (
        f"FWTM {', '.join(fwtm)}{unit} · χ²/ndof {fit.chi2:.0f}/{fit.ndof} · p {words.p_value(fit.p_value)}"
    )
