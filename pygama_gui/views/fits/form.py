"""Makes the form of one fit: its name, shape and background, and what each parameter may be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from PyQt5.QtCore import QSignalBlocker, Qt
from PyQt5.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from pygama.analysis.fit_request import FitRequest, parameter_names
from pygama.analysis.region_fit import Parameter, RegionFit
from pygama_gui.data import chain_facts
from pygama_gui.session.state import Fit
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import Controls, Wrapped, choice_box, label, row
from pygama_gui.widgets.typed_line import TypedLine

SHAPES = {"gauss": "Gaussian", "hpge": "Gaussian with tail and step"}
BACKGROUNDS = {"linear": "straight background", "step": "background with step"}
FREE, FIXED, LIMITED = "free", "fixed", "limited"
WANTED = {FIXED: "type the value", LIMITED: "type both ends"}
"""What is asked for where the fit neither found nor began with a value."""
FIELD_WIDTH = 92
LINES_OF_VALUE = 5
"""A value with uneven errors, its unit, and where it comes from stand in so many lines at most."""
WORDS = {
    "area": "area",
    "position": "position",
    "sigma": "sigma",
    "tail_fraction": "tail share",
    "tail_slope": "tail length",
    "step": "step share",
    "background": "background",
    "slope": "slope",
}
OF_COLUMN = ("position", "sigma", "tail_slope")
"""Parameters in the unit of the column."""
WHAT_P = (
    "p: how often counts that follow this curve agree with it no better. It holds for few counts too, where "
    "χ² is far less than ndof"
)
_NAMES = re.compile(r"\b(?:(?:area|position|sigma)_\d+|tail_fraction|tail_slope)\b")


class FitForm(QWidget):
    """Fields of one fit. `changed` is given a new request, `renamed` a new name."""

    def __init__(self, changed: Callable[[FitRequest], None], renamed: Callable[[str], None]) -> None:
        super().__init__()
        self._changed, self._renamed = changed, renamed
        self._fit: Fit | None = None
        self._n_peaks = 1
        self.name_field = TypedLine()
        self.name_field.setAccessibleName("Name of the fit")
        self.name_field.setToolTip("Name of the fit (F2)")
        self.name_field.setAcceptDrops(False)  # files are for the window
        self.name_field.editingFinished.connect(self._rename)
        self.shape_box = choice_box("Shape of the peaks", *SHAPES.values())
        self.background_box = choice_box("Background of the fit", *BACKGROUNDS.values())
        self.width_box = QCheckBox("one width for all peaks")
        self.width_box.setAccessibleName("One width for all peaks")
        self.shape_box.activated.connect(lambda at: self._change(shape=list(SHAPES)[at]))
        self.background_box.activated.connect(lambda at: self._change(background=list(BACKGROUNDS)[at]))
        self.width_box.toggled.connect(lambda is_one: self._change(share_width=is_one))
        self.places_field = TypedLine()
        self.places_field.setAccessibleName("Where peaks are fitted")
        self.places_field.setToolTip("Where peaks are fitted, one for each number: 21235; 21291.5")
        self.places_field.setPlaceholderText("wherever they are found")
        self.places_field.setAcceptDrops(False)  # files are for the window
        self.places_field.editingFinished.connect(self._place)
        self.figures = label(tone="soft", px=theme.SMALL)
        self.note = label(tone="soft", px=theme.SMALL)
        for told in (self.figures, self.note):
            told.setWordWrap(True)
        self.figures.setToolTip(WHAT_P)
        self.rows: dict[str, ParameterRow] = {}
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.name_field)
        column.addWidget(Controls((self.shape_box, self.background_box), QWidget(), margins=(0, 0, 0, 0)))
        column.addLayout(row(label("peaks near", tone="soft"), self.places_field))
        column.addWidget(self.width_box)
        column.addWidget(self.figures)
        column.addWidget(self.note)
        self._parameters = QVBoxLayout()
        self._parameters.setSpacing(4)
        column.addLayout(self._parameters)

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        rows = [stop for row in self.rows.values() for stop in row.stops()]
        boxes = [self.shape_box, self.background_box]
        return [self.name_field, *boxes, self.places_field, self.width_box, *rows]

    def show_fit(self, fit: Fit, found: RegionFit | None, note: str, figures: str = "") -> None:
        """Show a fit and what it gave. figures: what the table may have no room for."""
        if self._fit is None or self._fit.name != fit.name:
            for one in self.rows.values():
                one.forget()
        self._fit = fit
        request = fit.request
        n_peaks = len(request.positions) or (len(found.peaks) if found is not None else 0) or 1
        self._n_peaks = n_peaks
        if not self.name_field.hasFocus():
            self.name_field.setText(fit.name)
        if not self.places_field.isModified():
            self.places_field.setText("; ".join(f"{at:.7g}" for at in request.positions))
            self.places_field.setCursorPosition(0)
            theme.mark(self.places_field, "tone", "")
        self.shape_box.setCurrentIndex(list(SHAPES).index(request.shape) if request.shape in SHAPES else 0)
        at = list(BACKGROUNDS).index(request.background) if request.background in BACKGROUNDS else 0
        self.background_box.setCurrentIndex(at)
        self.background_box.setEnabled(request.shape != "hpge")
        with QSignalBlocker(self.width_box):
            self.width_box.setChecked(request.share_width)
        self.width_box.setVisible(n_peaks > 1)
        for told, text in ((self.figures, figures), (self.note, in_words(note))):
            told.setText(text)
            told.setVisible(bool(text))
        names = parameter_names(request, n_peaks)
        if tuple(self.rows) != names:
            self._make_rows(names)
        known = {} if found is None else found.parameters
        unit = chain_facts.unit_of(fit.column)
        is_found = found is not None and found.converged
        begun = {} if found is None else found.start
        for name, one in self.rows.items():
            held = request.fixed.get(name), request.limits.get(name)
            one.begun = None if is_found else begun.get(name)
            one.is_found = is_found
            one.show_value(known.get(name), *held, unit_of_parameter(name, unit))

    def _make_rows(self, names: tuple[str, ...]) -> None:
        for one in self.rows.values():
            self._parameters.removeWidget(one)
            one.deleteLater()
        self.rows = {name: ParameterRow(name, self._hold) for name in names}
        before: QWidget = self.width_box
        for one in self.rows.values():
            self._parameters.addWidget(one)
            for stop in one.stops():
                self.setTabOrder(before, stop)
                before = stop

    def _rename(self) -> None:
        name = self.name_field.text().strip()
        if self._fit is not None and name and name != self._fit.name:
            self._renamed(name)

    def _place(self) -> None:
        """Fit peaks at the places that were typed; each is a number, with others behind semicolons."""
        if self._fit is None:
            return
        try:
            typed = [words.number(text) for text in self.places_field.text().split(";") if text.strip()]
        except ValueError:
            theme.mark(self.places_field, "tone", "bad")
            return
        theme.mark(self.places_field, "tone", "")
        shown = [float(f"{at:.7g}") for at in self._fit.request.positions]
        if sorted(typed) != shown:
            self._change(positions=tuple(sorted(typed)))

    def _change(self, **values: Any) -> None:
        if self._fit is None:
            return
        request = replace(self._fit.request, **values)
        known = parameter_names(request, len(request.positions) or self._n_peaks)
        fixed = {name: value for name, value in request.fixed.items() if name in known}
        limits = {name: ends for name, ends in request.limits.items() if name in known}
        request = replace(request, fixed=MappingProxyType(fixed), limits=MappingProxyType(limits))
        if request != self._fit.request:
            self._changed(request)

    def _hold(self, name: str, fixed: float | None, limits: tuple[float, float] | None) -> None:
        """Fix or limit a parameter, or let it free."""
        if self._fit is None:
            return
        request = self._fit.request
        all_fixed = {key: value for key, value in request.fixed.items() if key != name}
        all_limits = {key: value for key, value in request.limits.items() if key != name}
        if fixed is not None:
            all_fixed[name] = fixed
        if limits is not None:
            all_limits[name] = limits
        self._change(fixed=MappingProxyType(all_fixed), limits=MappingProxyType(all_limits))


class ParameterRow(QWidget):
    """One parameter: its name and value, whether it is free, fixed or limited, and the fields for that."""

    def __init__(
        self, name: str, hold: Callable[[str, float | None, tuple[float, float] | None], None]
    ) -> None:
        super().__init__()
        self.name, self._hold = name, hold
        self._known: Parameter | None = None
        self.is_found = False
        """Whether the fit came to an end, so that its values are some to hold."""
        self.begun: float | None = None
        """What the fit began with, where it came to none."""
        self._at_start: float | None = None
        """The value that is held since a fit which failed began with it."""
        self._unit = ""
        self._wanted = ""
        """How the parameter is to be held as soon as a number is typed."""
        said = parameter_words(name)
        self.name_label = label(said, tone="soft", px=theme.SMALL)
        self.value_label = Wrapped(tone="")
        self.value_label.most_lines = LINES_OF_VALUE
        self.box = choice_box(f"{said}: free, fixed or limited", FREE, FIXED, LIMITED)
        self.box.activated.connect(lambda _at: self._chosen())
        self.fixed_field = self._field(f"Value that {said} is fixed at")
        self.low_field = self._field(f"Least {said}")
        self.high_field = self._field(f"Greatest {said}")
        self.to_label = label("to", tone="soft", px=theme.SMALL)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.name_label, 0, 0)
        grid.addWidget(self.value_label, 0, 1)
        grid.addWidget(self.box, 0, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, 84)
        fields = QHBoxLayout()
        fields.addStretch(1)
        for widget in (self.fixed_field, self.low_field, self.to_label, self.high_field):
            fields.addWidget(widget)
        grid.addLayout(fields, 1, 0, 1, 3)

    def _field(self, name: str) -> QLineEdit:
        field = TypedLine()
        field.setAccessibleName(name)
        field.setToolTip(name)
        field.setFixedWidth(FIELD_WIDTH)
        field.setAcceptDrops(False)  # files are for the window
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.editingFinished.connect(self._edited)
        field.hide()
        return field

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [self.box, self.fixed_field, self.low_field, self.high_field]

    def show_value(
        self,
        known: Parameter | None,
        fixed: float | None,
        limits: tuple[float, float] | None,
        unit: str = "",
    ) -> None:
        """Show the value that was found with its unit, and how the parameter is held."""
        self._known = known
        if fixed is not None or limits is not None:
            self._wanted = ""
        self._at_start = self._at_start if fixed == self._at_start else None
        kind = FIXED if fixed is not None else LIMITED if limits is not None else self._wanted or FREE
        self._show_fields(kind)
        self._unit = unit
        told = self._asked or value_words(known, unit)
        self.value_label.setText(told if self._at_start is None else f"{told}, where the fit began")
        shown = [(self.fixed_field, fixed)]
        if limits is not None:
            shown += [(self.low_field, limits[0]), (self.high_field, limits[1])]
        for field, value in shown:
            if value is not None and not field.hasFocus():
                field.setText(f"{value:.8g}")
                field.setCursorPosition(0)  # a long number shows where it begins
            theme.mark(field, "tone", "")

    def forget(self) -> None:
        """Forget what was begun with the parameter: another fit is shown."""
        self._at_start, self._wanted = None, ""

    def _show_fields(self, kind: str) -> None:
        self.box.setCurrentText(kind)
        self.fixed_field.setVisible(kind == FIXED)
        for widget in (self.low_field, self.to_label, self.high_field):
            widget.setVisible(kind == LIMITED)

    def _chosen(self) -> None:
        """Hold the parameter as was chosen: at what was found, or else at what the fit began with.

        Where neither is known, a number has to be typed.
        """
        kind = self.box.currentText()
        self.forget()
        value, error = self.begun, 0.0
        if self._known is not None and self.is_found:
            value, error = self._known.value, self._known.error
        if kind == FREE or value is None:
            self._wanted = "" if kind == FREE else kind
            self._show_fields(kind)
            self._hold(self.name, None, None)
            self._ask()
            return
        half = 5 * error if error > 0 else max(0.1 * abs(value), 1e-3)
        fixed = float(f"{value:.8g}") if kind == FIXED else None
        limits = (float(f"{value - half:.6g}"), float(f"{value + half:.6g}")) if kind == LIMITED else None
        self._at_start = None if self.is_found else fixed
        self._hold(self.name, fixed, limits)

    @property
    def _asked(self) -> str:
        """What is asked for, with its unit: 'type the value in ADC'; empty where nothing is."""
        what = WANTED.get(self._wanted, "")
        return f"{what} in {self._unit}" if what and self._unit else what

    def _ask(self) -> None:
        """Ask for the numbers that are wanted."""
        if self._wanted:
            fields = [self.fixed_field] if self._wanted == FIXED else [self.low_field, self.high_field]
            for field in fields:
                field.clear()
            self.value_label.setText(self._asked)
            fields[0].setFocus()

    def _edited(self) -> None:
        """Take what was typed, if it is what was asked for."""
        try:
            if self.box.currentText() == FIXED:
                self._hold(self.name, words.number(self.fixed_field.text()), None)
            elif self.box.currentText() == LIMITED:
                ends = (words.number(self.low_field.text()), words.number(self.high_field.text()))
                self._hold(self.name, None, ends)
        except ValueError:
            for field in (self.fixed_field, self.low_field, self.high_field):
                theme.mark(field, "tone", "" if _is_number(field.text()) else "bad")


def parameter_words(name: str) -> str:
    """Say what a parameter is: 'position 1' for position_1."""
    if name in WORDS:
        return WORDS[name]
    kind, _, number = name.rpartition("_")
    return f"{WORDS.get(kind, kind)} {number}"


def in_words(sentence: str) -> str:
    """Name the parameters in a sentence as the rows below it do."""
    return _NAMES.sub(lambda found: parameter_words(found[0]), sentence)


def unit_of_parameter(name: str, unit: str) -> str:
    """Give the unit of a parameter of a fit to a column of this unit; slopes and shares have none."""
    kind = name.rpartition("_")[0] if name not in WORDS else name
    if kind == "area":
        return "counts"
    if kind == "background":
        return f"counts / {unit}" if unit else "counts per unit"
    return unit if kind in OF_COLUMN else ""


def value_words(known: Parameter | None, unit: str = "") -> str:
    """Say what a parameter came out as."""
    if known is None:
        return "—"
    if known.is_at_limit and not math.isfinite(known.error):
        return "not told by the counts"
    if known.is_fixed or known.is_at_limit:
        value = f"{words.plain(known.value)} {unit}".rstrip()
        return value if known.is_fixed else f"{value}, at its limit"
    return f"{words.with_errors(known.value, known.error, known.errors)} {unit}".rstrip()


def _is_number(text: str) -> bool:
    try:
        words.number(text)
    except ValueError:
        return False
    return True
