"""Makes fields for settings from their declarations: type, unit, range, default and help come from there.

A field only ever gives on values that its declaration accepts; what is wrong with a text stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from PyQt5.QtCore import QEvent, QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from pygama.errors import SettingsError
from pygama.processing.declare import Setting
from pygama_gui.widgets import theme
from pygama_gui.widgets.own_keys import is_for_the_window
from pygama_gui.widgets.parts import Yielding, label, link, row
from pygama_gui.widgets.words import as_stored, shown, time_of, together

N_FLOAT_STEPS = 1000
NAME_WIDTH = 84
MARK_WIDTH = 16
AUTOMATIC = "automatic"
TIME_MARK = " · "
"""Between a unit and the time that it stands for."""


class SettingField(QWidget):
    """One setting: its name, a dot that resets a changed one, a control, the unit, and what is wrong."""

    edited = pyqtSignal(str, object)
    reset_asked = pyqtSignal(str)
    settled = pyqtSignal()

    def __init__(self, setting: Setting, *, with_slider: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setting = setting
        self.value: Any = setting.default
        self.period_ns: float | None = None
        self.scale: float | None = None
        """A length that gives the slider its end, such as the samples of a waveform."""
        self.name_label = label(setting.name, px=theme.SMALL, tone="" if with_slider else "soft")
        self.range_label = label(allowed(setting), px=theme.SMALL, tone="soft")
        if not self.range_label.text():
            self.range_label.hide()
        self.unit_label = _UnitLabel()
        self.unit_label.clicked.connect(self.change_unit)
        self.error_label = label(px=theme.SMALL, tone="bad")
        self.error_label.setWordWrap(True)
        self.error_label.setAccessibleName(f"What is wrong with {setting.name}")
        self.error_label.hide()
        self.changed_mark = link(
            "●", f"{setting.name} is changed: reset it", lambda: self.reset_asked.emit(setting.name)
        )
        self.changed_mark.setProperty("tone", "accent")
        self.changed_mark.setFixedWidth(MARK_WIDTH)
        keeps_place = self.changed_mark.sizePolicy()
        keeps_place.setRetainSizeWhenHidden(True)  # else everything beside it would jump
        self.changed_mark.setSizePolicy(keeps_place)
        self._before: Any = setting.default
        """What the field gave when it was entered."""
        self.slider = self._make_slider() if with_slider and self._is_number else None
        self.control = self._make_control()
        self._name_things()
        self._lay_out()
        self.show_value(setting.default)

    @property
    def _is_number(self) -> bool:
        return self.setting.type in (int, float)

    @property
    def error(self) -> str:
        """What is wrong with the text in the field; empty where it is fine."""
        return self.error_label.text()

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        stops: list[QWidget | None] = [self.control, self.slider, self.changed_mark]
        return [stop for stop in stops if stop is not None]

    def show_value(self, value: Any, *, period_ns: float | None = None, scale: float | None = None) -> None:
        """Show a value. A text that is being typed and is wrong is left to be mended."""
        self.value = value
        if not self.control.hasFocus():
            self._begin()
        self.period_ns = period_ns or self.period_ns
        self.scale = scale or self.scale
        if not (self.error and self.control.hasFocus()):
            self._fill(value)
            self._complain("")
        self._move_slider(value)
        self._show_unit(value)
        self.changed_mark.setVisible(value != self.setting.default)

    def _make_control(self) -> QWidget:
        setting = self.setting
        if setting.type is bool:
            box = QCheckBox("on")
            box.toggled.connect(self._take)
            return box
        if setting.choices:
            combo = _CalmComboBox()
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            offered: list[Any] = [None, *setting.choices] if setting.optional else list(setting.choices)
            combo.addItems([choice or AUTOMATIC for choice in offered])
            combo.activated.connect(lambda index: self._take(offered[index]))
            return combo
        field = _Field()
        field.setAcceptDrops(False)
        field.begun.connect(self._begin)
        field.textEdited.connect(self._take)
        field.given_up.connect(self._give_up)
        field.editingFinished.connect(self._finish)
        if setting.optional:
            field.setPlaceholderText("auto" if self._is_number else AUTOMATIC)
        return field

    def _make_slider(self) -> QSlider:
        slider = _CalmSlider(Qt.Orientation.Horizontal)
        slider.setPageStep(10)
        slider.valueChanged.connect(lambda at: self._take(self._value_at(at)))
        slider.sliderReleased.connect(self.settled)
        return slider

    def _name_things(self) -> None:
        setting = self.setting
        unit = f" in {setting.unit}" if setting.unit else ""
        help_text = f"<p>{together(setting.about or setting.name)}</p><p>{_range_text(setting)}</p>"
        for widget in (self, self.name_label, self.range_label, self.control, self.slider):
            if widget is not None:
                widget.setToolTip(help_text)
        self.control.setAccessibleName(f"{setting.name}{unit}")
        self.control.setAccessibleDescription(" · ".join(filter(None, (setting.about, allowed(setting)))))
        if self.slider is not None:
            self.slider.setAccessibleName(f"{setting.name} slider")
        self.name_label.setBuddy(self.control)
        default = shown(setting.default) or AUTOMATIC
        self.changed_mark.setToolTip(f"Changed; click to go back to {default}")

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        if self.slider is not None:
            self._fit_to_number()
            line.addWidget(self.name_label)
            line.addWidget(self.changed_mark)
            line.addStretch(1)
            line.addWidget(self.range_label)
            line.addWidget(self.control)
            line.addWidget(self.unit_label)
        else:
            left = QWidget()
            left.setMinimumWidth(NAME_WIDTH)
            left.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
            left.setLayout(row(self.name_label, self.changed_mark, None, spacing=0))
            line.addWidget(left)
            line.addWidget(self.control, 1)
            line.addWidget(self.range_label)
            line.addWidget(self.unit_label)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(line)
        if self.slider is not None:
            column.addWidget(self.slider)
        column.addWidget(self.error_label)

    def _fit_to_number(self) -> None:
        if isinstance(self.control, QLineEdit):
            self.control.setFixedWidth(62)
            self.control.setFont(theme.font(theme.SMALL))
            self.control.setAlignment(Qt.AlignmentFlag.AlignRight)

    @property
    def is_time(self) -> bool:
        """Whether the value is a length that may be given as a time as well."""
        return self._is_number and self.setting.unit == "samples"

    def number_of(self, value: Any) -> float | None:
        """Give a value as a number, a time in samples; None where the sampling period is not known."""
        if isinstance(value, str):
            try:
                value = self.setting.check(value, self.period_ns) if self.period_ns else None
            except SettingsError:
                return None
        return value if isinstance(value, int | float) else None

    def change_unit(self) -> None:
        """Give a length in µs from now on, or in samples again."""
        number = self.number_of(self.value)
        if not self.is_time or not self.period_ns or number is None:
            return
        is_text = isinstance(self.value, str)
        self.edited.emit(self.setting.name, number if is_text else _time_text(number, self.period_ns))
        self.settled.emit()

    def _fill(self, value: Any) -> None:
        with QSignalBlocker(self.control):
            if isinstance(self.control, QCheckBox):
                self.control.setChecked(bool(value))
            elif isinstance(self.control, QComboBox):
                self.control.setCurrentIndex(
                    self.control.findText(AUTOMATIC if value is None else str(value))
                )
            elif isinstance(self.control, QLineEdit) and not self._says(self.control.text(), value):
                self.control.setText(shown(value))

    def _says(self, text: str, value: Any) -> bool:
        if isinstance(value, str) and self._is_number:
            return as_stored(text) == value
        try:
            if self.is_time and isinstance(self.setting.check(text), str):
                return False  # a time, as it was before an undo; its length may be the same
            return self.setting.check(text, self.period_ns) == value and bool(text.strip()) == (
                value is not None
            )
        except SettingsError:
            return False

    def _take(self, value: Any) -> None:
        try:
            checked = self.setting.check(value, self.period_ns)
            if self.is_time and isinstance(value, str) and isinstance(self.setting.check(value), str):
                checked = as_stored(value)  # a time stays one: channels may differ in their period
        except SettingsError as error:
            self._complain(str(error))
            return
        self._complain("")
        if checked != self.value:
            self.edited.emit(self.setting.name, checked)

    def _begin(self) -> None:
        self._before = self.value

    def _give_up(self) -> None:
        """Take back what was typed since the field was entered, or since Return."""
        self._take_back()
        self._finish()

    def _take_back(self) -> None:
        self._complain("")
        if self.value != self._before:
            self.edited.emit(self.setting.name, self._before)

    def _finish(self) -> None:
        if self.error:
            self._take_back()  # or the first digits of what cannot be used would stay
        self._fill(self.value)
        if isinstance(self.control, QLineEdit):
            self.control.setText(shown(self.value))
        self._begin()
        self.settled.emit()

    def refuse(self, why: str) -> None:
        """Say that the value just given does not go together with others, and keep the text to be mended."""
        self._complain(why)

    def _complain(self, text: str) -> None:
        self.error_label.setText(text)
        self.error_label.setVisible(bool(text))
        theme.mark(self.control, "wrong", bool(text))

    def _show_unit(self, value: Any) -> None:
        unit = self.setting.unit
        number = self.number_of(value)
        if self.is_time and isinstance(value, str):
            unit = "time" if number is None else f"= {shown(float(number))} samples"
        elif unit == "samples" and number is not None and (time := time_of(number, self.period_ns)):
            unit = f"{unit}{TIME_MARK}{time}"
        self.unit_label.setText(unit)
        # Bounds are in samples: beside a time that is not known in samples they would be read as times.
        self.range_label.setVisible(bool(self.range_label.text()) and unit != "time")
        can_change = self.is_time and bool(self.period_ns) and number is not None
        self.unit_label.offer("samples" if isinstance(value, str) else "µs", can_change=can_change)
        if self.slider is None:
            self.unit_label.setVisible(bool(unit))

    @property
    def _ends(self) -> tuple[float, float]:
        value = self.number_of(self.value) or 0
        low = self.setting.low if self.setting.low is not None else min(0, value)
        length = self.scale if self.setting.unit == "samples" else None
        reach = length or 4 * abs(self.setting.default or 25)
        high = self.setting.high if self.setting.high is not None else max(reach, value)
        return low, max(high, low + 1)

    def _value_at(self, position: int) -> Any:
        low, high = self._ends
        number: float = position
        if self.setting.type is not int:
            number = float(f"{low + (high - low) * position / N_FLOAT_STEPS:.4g}")
        if isinstance(self.value, str) and self.period_ns:
            return _time_text(number, self.period_ns)
        return number

    def _move_slider(self, value: Any) -> None:
        if self.slider is None:
            return
        low, high = self._ends
        number = self.number_of(value)
        with QSignalBlocker(self.slider):
            self.slider.setVisible(number is not None)
            if self.setting.type is int:
                self.slider.setRange(math.ceil(low), math.floor(high))
                self.slider.setValue(int(number or 0))
            else:
                self.slider.setRange(0, N_FLOAT_STEPS)
                self.slider.setValue(round(N_FLOAT_STEPS * ((number or 0) - low) / (high - low)))


class Form(QWidget):
    """Fields for a number of settings, one below the other."""

    edited = pyqtSignal(str, object)
    reset_asked = pyqtSignal(str)
    settled = pyqtSignal()

    def __init__(
        self, settings: tuple[Setting, ...], *, with_sliders: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.fields: dict[str, SettingField] = {}
        self._with_sliders = with_sliders
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4 if with_sliders else 6)
        for setting in settings:
            self._column.addWidget(self._make_field(setting))

    def _make_field(self, setting: Setting) -> SettingField:
        field = SettingField(setting, with_slider=self._with_sliders)
        field.edited.connect(self.edited)
        field.reset_asked.connect(self.reset_asked)
        field.settled.connect(self.settled)
        self.fields[setting.name] = field
        return field

    def renew_field(self, setting: Setting) -> None:
        """Make the field of a setting anew, because its choices are others."""
        old = self.fields[setting.name]
        new = self._make_field(setting)
        self._column.replaceWidget(old, new)
        for before, after in pairwise([old.control, *new.stops()]):
            QWidget.setTabOrder(before, after)  # Tab comes to it where the old one was
        old.hide()
        old.deleteLater()

    def show_values(
        self, values: Mapping[str, Any], *, period_ns: float | None = None, scale: float | None = None
    ) -> None:
        """Show the given values, and the defaults of all others."""
        for name, field in self.fields.items():
            field.show_value(values.get(name, field.setting.default), period_ns=period_ns, scale=scale)
        labels = [field.unit_label for field in self.fields.values() if field.slider is not None]
        width = max((item.needed() for item in labels if item.text()), default=0)
        if any(TIME_MARK in item.text() for item in labels):
            width = max(width, labels[0].fontMetrics().horizontalAdvance(f"samples{TIME_MARK}88.8 µs"))
        for item in labels:
            item.share(width)
            item.setVisible(width > 0)

    @property
    def is_fine(self) -> bool:
        """Whether no field holds a text that cannot be used."""
        return not any(field.error for field in self.fields.values())


class _Field(QLineEdit):
    """A line to type in that leaves undo to the window: what is typed is in the session at once.

    A text that cannot be used is not, so its undo is the line's own.
    """

    begun = pyqtSignal()
    given_up = pyqtSignal()
    """Esc was pressed after something had been typed."""

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  (Qt's name)
        super().focusInEvent(event)
        self.begun.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        if event is not None and event.key() == Qt.Key.Key_Escape and self.isModified():
            self.given_up.emit()
            return
        super().keyPressEvent(event)

    def event(self, event: QEvent | None) -> bool:
        if event is not None and is_for_the_window(event):
            event.ignore()
            return False
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            standard = QKeySequence.StandardKey
            is_undo = event.matches(standard.Undo) or event.matches(standard.Redo)
            if is_undo and not self.property("wrong"):
                event.ignore()
                return False
        return super().event(event)


class _UnitLabel(Yielding):
    """The unit beside a field; a click gives a length in the other one."""

    clicked = pyqtSignal()

    def offer(self, other: str, *, can_change: bool) -> None:
        """Say that the other unit is a click away, or nothing."""
        self.setToolTip(f"Click to give it in {other}" if can_change else "")
        if can_change:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.unsetCursor()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        self.clicked.emit()


class _CalmSlider(QSlider):
    """A slider that the wheel does not move by accident while somebody scrolls past."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802  (Qt's name)
        if event is not None:
            event.ignore()


class _CalmComboBox(QComboBox):
    """A list of choices that the wheel does not change by accident."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802  (Qt's name)
        if event is not None:
            event.ignore()


def _time_text(samples: float, period_ns: float) -> str:
    """400 samples at 16 ns -> '6.4 us', as settings files have it."""
    return f"{samples * period_ns / 1000:.6g} us"


def allowed(setting: Setting) -> str:
    """Say shortly which values are allowed: '≥ 1', '0 to 8'; nothing where all are."""
    low, high = setting.low, setting.high
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"≥ {low:g}" if low is not None else f"≤ {high:g}" if high is not None else ""


def _range_text(setting: Setting) -> str:
    parts = [f"unit: {setting.unit}"] if setting.unit else []
    if setting.unit == "samples" and setting.type in (int, float):
        parts = ["in samples, or as a time: 4 µs"]
    if setting.low is not None or setting.high is not None:
        low = "" if setting.low is None else f"from {setting.low:g} "
        high = "" if setting.high is None else f"to {setting.high:g}"
        parts.append(f"{low}{high}".strip())
    parts.append(f"default: {shown(setting.default) or 'automatic'}")
    return together(" · ".join(parts))
