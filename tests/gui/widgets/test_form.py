"""Tests fields made from declarations."""

from __future__ import annotations

from typing import Any

import pytest
from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QApplication, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from pygama.processing.declare import Setting
from pygama_gui.widgets.form import Form, SettingField

RISE = Setting("rise", int, 400, "samples", low=1, about="length of each of the two averages")
TAU = Setting("tau", float, 5000.0, "samples", low=1e-3)
WINDOW = Setting("window", str, "none", choices=("none", "max", "tp"))
LIMIT = Setting("limit", int, None, "samples", low=1, optional=True)


def field_of(qtbot: QtBot, setting: Setting, *, with_slider: bool = False) -> tuple[SettingField, list[Any]]:
    field = SettingField(setting, with_slider=with_slider)
    qtbot.addWidget(field)
    edits: list[Any] = []
    field.edited.connect(lambda name, value: edits.append((name, value)))
    return field, edits


def type_into(qtbot: QtBot, field: SettingField, text: str) -> None:
    assert isinstance(field.control, QLineEdit)
    field.control.selectAll()
    qtbot.keyClicks(field.control, text)


@pytest.mark.usefixtures("themed")
def typed_in(qtbot: QtBot) -> SettingField:
    """Give a field that has the focus and shows what it was given."""
    field, _ = field_of(qtbot, RISE)
    field.edited.connect(lambda _name, value: field.show_value(value))
    field.show()
    field.control.setFocus()
    qtbot.waitUntil(field.control.hasFocus)
    return field


class TestOneField:
    def test_a_number_that_fits_is_given_on(self, qtbot: QtBot) -> None:
        field, edits = field_of(qtbot, RISE)
        type_into(qtbot, field, "25")
        assert edits[-1] == ("rise", 25)

    @pytest.mark.parametrize("text", ["2,5", "2.5"])
    def test_a_comma_is_as_good_as_a_dot(self, qtbot: QtBot, text: str) -> None:
        field, edits = field_of(qtbot, TAU)
        type_into(qtbot, field, text)
        assert edits[-1] == ("tau", 2.5)

    @pytest.mark.parametrize("text", ["0", "-3", "1,5", "many"])
    def test_what_does_not_fit_is_never_given_on(self, qtbot: QtBot, text: str) -> None:
        field, edits = field_of(qtbot, RISE)
        field.control.clear()  # type: ignore[attr-defined]
        type_into(qtbot, field, text)
        assert all(value >= 1 for _, value in edits)
        assert field.error.startswith("rise must be")

    @pytest.mark.parametrize("typed", ["1 h", "25"])
    def test_esc_takes_back_what_was_typed(self, qtbot: QtBot, typed: str) -> None:
        field, edits = field_of(qtbot, RISE)
        field.edited.connect(lambda _name, value: field.show_value(value))
        field.show_value(300)
        field.show()
        field.control.setFocus()
        qtbot.waitUntil(field.control.hasFocus)
        type_into(qtbot, field, typed)
        assert field.value != 300
        qtbot.keyClick(field.control, Qt.Key.Key_Escape)
        assert edits[-1] == ("rise", 300)
        assert (field.value, field.error) == (300, "")
        assert field.control.text() == "300"  # type: ignore[attr-defined]

    def test_what_cannot_be_used_leaves_the_value_as_it_was(self, qtbot: QtBot) -> None:
        field = typed_in(qtbot)
        type_into(qtbot, field, "1 h")
        qtbot.keyClick(field.control, Qt.Key.Key_Return)
        assert (field.value, field.error) == (400, "")
        assert field.control.text() == "400"  # type: ignore[attr-defined]

    def test_esc_takes_back_no_more_than_since_return(self, qtbot: QtBot) -> None:
        field = typed_in(qtbot)
        type_into(qtbot, field, "25")
        qtbot.keyClick(field.control, Qt.Key.Key_Return)
        type_into(qtbot, field, "30")
        qtbot.keyClick(field.control, Qt.Key.Key_Escape)
        assert field.value == 25

    @pytest.mark.parametrize("with_slider", [True, False])
    def test_what_is_allowed_stands_beside_the_field(self, qtbot: QtBot, *, with_slider: bool) -> None:
        field, _ = field_of(qtbot, RISE, with_slider=with_slider)
        field.show()
        assert (field.range_label.text(), field.range_label.isVisible()) == ("≥ 1", True)
        order, _ = field_of(qtbot, Setting("order", int, 1, "", low=0, high=8))
        assert order.range_label.text() == "0 to 8"
        assert order.control.accessibleDescription() == "0 to 8"
        window, _ = field_of(qtbot, WINDOW)
        window.show()
        assert not window.range_label.isVisible()

    def test_bounds_in_samples_do_not_stand_beside_a_time_of_unknown_length(self, qtbot: QtBot) -> None:
        field, _ = field_of(qtbot, RISE)
        field.show()
        field.show_value("4 us")
        assert (field.unit_label.text(), field.range_label.isVisible()) == ("time", False)
        field.show_value("4 us", period_ns=10.0)
        assert (field.unit_label.text(), field.range_label.isVisible()) == ("= 400 samples", True)

    def test_a_time_stays_a_time_and_is_shown_in_samples(self, qtbot: QtBot) -> None:
        field, edits = field_of(qtbot, RISE)
        field.show_value(400, period_ns=16.0)
        type_into(qtbot, field, "4 us")
        assert edits[-1] == ("rise", "4 us")
        field.show_value("4 us")
        assert field.unit_label.text() == "= 250 samples"

    def test_a_time_out_of_range_is_never_given_on(self, qtbot: QtBot) -> None:
        field, edits = field_of(qtbot, RISE)
        field.show_value(400, period_ns=16.0)
        field.control.clear()  # type: ignore[attr-defined]
        type_into(qtbot, field, "1 ns")
        assert ("rise", "1 ns") not in edits
        assert field.error.startswith("rise must be 1 sample or more")

    def test_a_click_on_the_unit_goes_to_the_other_one_and_back(self, qtbot: QtBot) -> None:
        field, edits = field_of(qtbot, RISE)
        field.show_value(400, period_ns=16.0)
        qtbot.mouseClick(field.unit_label, Qt.MouseButton.LeftButton)
        assert edits[-1] == ("rise", "6.4 us")
        field.show_value("6.4 us")
        qtbot.mouseClick(field.unit_label, Qt.MouseButton.LeftButton)
        assert edits[-1] == ("rise", 400)
        field.show_value(400)
        assert field.control.text() == "400"  # type: ignore[attr-defined]

    def test_a_slider_moves_a_time_as_a_time(self, qtbot: QtBot) -> None:
        field, edits = field_of(qtbot, RISE, with_slider=True)
        field.show_value("4 us", period_ns=16.0, scale=2000)
        assert field.slider is not None
        assert field.slider.value() == 250
        field.slider.setValue(500)
        assert edits == [("rise", "8 us")]

    def test_a_time_without_a_known_period_has_no_slider(self, qtbot: QtBot) -> None:
        field, _ = field_of(qtbot, RISE, with_slider=True)
        field.show_value("4 us")
        assert field.slider is not None
        assert field.slider.isHidden()
        assert field.control.text() == "4 µs"  # type: ignore[attr-defined]

    def test_the_unit_shows_samples_and_time(self, qtbot: QtBot) -> None:
        field, _ = field_of(qtbot, RISE)
        field.show_value(400, period_ns=16.0)
        assert field.unit_label.text() == "samples · 6.4 µs"

    def test_a_changed_value_is_marked_and_can_be_reset(self, qtbot: QtBot) -> None:
        field, _ = field_of(qtbot, RISE)
        field.show_value(300)
        assert not field.changed_mark.isHidden()
        with qtbot.waitSignal(field.reset_asked) as asked:
            field.changed_mark.click()
        assert asked.args == ["rise"]
        field.show_value(400)
        assert field.changed_mark.isHidden()

    def test_a_changed_mark_takes_no_room_away(self, qtbot: QtBot) -> None:
        field, _ = field_of(qtbot, RISE, with_slider=True)
        before = field.minimumSizeHint().width()
        field.show_value(300)
        assert field.minimumSizeHint().width() == before

    @pytest.mark.parametrize(("text", "is_ours"), [("300", False), ("many", True)])
    def test_undo_is_the_windows_unless_the_text_is_wrong(
        self, qtbot: QtBot, text: str, is_ours: bool
    ) -> None:
        field, _ = field_of(qtbot, RISE)
        type_into(qtbot, field, text)
        event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        event.ignore()
        QApplication.sendEvent(field.control, event)
        assert event.isAccepted() == is_ours

    def test_a_slider_gives_on_whole_samples(self, qtbot: QtBot) -> None:
        field, edits = field_of(qtbot, RISE, with_slider=True)
        field.show_value(400, scale=2000)
        assert field.slider is not None
        assert (field.slider.minimum(), field.slider.maximum()) == (1, 2000)
        field.slider.setValue(150)
        assert edits == [("rise", 150)]

    def test_choices_are_offered_as_a_list(self, qtbot: QtBot) -> None:
        field, edits = field_of(qtbot, WINDOW)
        assert isinstance(field.control, QComboBox)
        field.control.activated.emit(1)
        assert edits == [("window", "max")]

    def test_an_optional_field_may_be_left_empty(self, qtbot: QtBot) -> None:
        field, edits = field_of(qtbot, LIMIT)
        type_into(qtbot, field, "7")
        field.show_value(7)
        field.control.clear()  # type: ignore[attr-defined]
        field.control.textEdited.emit("")  # type: ignore[attr-defined]
        assert edits == [("limit", 7), ("limit", None)]
        assert field.error == ""

    def test_a_wrong_text_goes_back_to_the_value_when_left(self, qtbot: QtBot) -> None:
        field, _ = field_of(qtbot, RISE)
        type_into(qtbot, field, "many")
        field.control.editingFinished.emit()  # type: ignore[attr-defined]
        assert field.control.text() == "400"  # type: ignore[attr-defined]
        assert field.error == ""


@pytest.mark.usefixtures("themed")
def test_a_form_shows_defaults_where_nothing_is_set(qtbot: QtBot) -> None:
    form = Form((RISE, TAU), with_sliders=True)
    qtbot.addWidget(form)
    form.show_values({"rise": 25})
    assert (form.fields["rise"].value, form.fields["tau"].value) == (25, 5000.0)
    assert form.is_fine


@pytest.mark.usefixtures("themed")
def test_every_field_has_a_name_for_screen_readers(qtbot: QtBot) -> None:
    form = Form((RISE, TAU, WINDOW, LIMIT), with_sliders=True)
    qtbot.addWidget(form)
    assert [field.control.accessibleName() for field in form.fields.values()] == [
        "rise in samples",
        "tau in samples",
        "window",
        "limit in samples",
    ]
