"""Tests the small parts that views are put together from."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QCursor, QHelpEvent, QWheelEvent
from PyQt5.QtWidgets import (
    QApplication,
    QLineEdit,
    QMenu,
    QPushButton,
    QStyle,
    QStyleOptionComboBox,
    QToolButton,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import (
    LEAST_BOX,
    LOW,
    MOST_OF_BOX,
    Controls,
    Elided,
    Wrapped,
    button,
    choice_box,
    give_menu,
    icon_button,
)


@pytest.mark.usefixtures("themed")
def test_an_icon_takes_the_colour_of_another_theme(qtbot: QtBot) -> None:
    view = QWidget()
    qtbot.addWidget(view)
    shown = icon_button("next", "Next", lambda: None)
    shown.setParent(view)

    def brightness() -> float:
        image = shown.icon().pixmap(16).toImage()
        drawn = (image.pixelColor(x, y) for x in range(16) for y in range(16))
        return max((one.lightnessF() for one in drawn if one.alphaF() > 0.9), default=-1.0)

    dark_on_light = brightness()
    theme.apply("dark")
    light_on_dark = brightness()
    theme.apply("light")
    assert 0.0 <= dark_on_light < 0.5 < light_on_dark
    assert brightness() == dark_on_light


@pytest.mark.usefixtures("themed")
def test_words_without_room_give_way_to_shorter_ones_before_they_are_cut(qtbot: QtBot) -> None:
    line = Elided("1 755 of 11 992 pass all · 14.63 % (14.31–14.96)")
    line.short = "1 755 of 11 992 pass all · 14.6 ± 0.3 %"
    qtbot.addWidget(line)
    wide, narrow = (line.fontMetrics().horizontalAdvance(text) + 2 for text in (line.text(), line.short))
    line.resize(wide, 20)
    assert line.shown == line.text()
    line.resize(narrow, 20)
    assert line.shown == line.short
    line.resize(narrow // 2, 20)
    assert line.shown.startswith("1 755 of") and line.shown.endswith("…")
    line.setText("No cut is on, and nothing is left out of all that was recorded in this run")
    assert line.shown.startswith("No cut")


@pytest.mark.usefixtures("themed")
def test_words_go_above_the_controls_where_they_have_no_room_beside_them(qtbot: QtBot) -> None:
    info, before, after = (
        Elided("of 12 000 events · channel 1 · event 3 · 0.816 s"),
        QPushButton("before"),
        QPushButton("after"),
    )
    controls = Controls([before], info, [after])
    qtbot.addWidget(controls)
    controls.resize(800, 60)
    controls.show()
    qtbot.waitExposed(controls)
    assert before.x() < info.x() < after.x()
    assert info.y() < before.geometry().bottom()
    controls.resize(260, 60)
    qtbot.waitUntil(lambda: info.geometry().bottom() < before.y())
    assert info.width() > 200
    controls.resize(800, 60)
    qtbot.waitUntil(lambda: before.x() < info.x() < after.x())


@pytest.mark.usefixtures("themed")
def test_words_that_go_on_from_a_control_are_whole_where_they_stand_alone(qtbot: QtBot) -> None:
    info, number = Elided("of 12 000 · channel 1"), QLineEdit("3")
    info.lead = "3 "
    controls = Controls([number], info, [QPushButton("after")])
    qtbot.addWidget(controls)
    controls.resize(800, 60)
    controls.show()
    qtbot.waitExposed(controls)
    assert info.shown == "of 12 000 · channel 1"
    controls.resize(260, 60)
    qtbot.waitUntil(lambda: info.shown == "3 of 12 000 · channel 1")
    info.setText("newest")
    assert info.shown == "newest"


@pytest.mark.usefixtures("themed")
def test_a_control_that_comes_sends_the_words_above(qtbot: QtBot) -> None:
    info, after = (
        Elided("of 12 000 events · channel 1 · event 3 · 0.816 s"),
        QPushButton("a button that needs a good deal of room"),
    )
    after.hide()
    controls = Controls([QPushButton("before")], info, [after])
    qtbot.addWidget(controls)
    controls.resize(400, 60)
    controls.show()
    qtbot.waitExposed(controls)
    assert not controls.is_above
    after.show()
    qtbot.waitUntil(lambda: controls.is_above)
    after.hide()
    qtbot.waitUntil(lambda: not controls.is_above)


@pytest.mark.usefixtures("themed")
def test_controls_stand_in_two_lines_where_one_has_no_room(qtbot: QtBot) -> None:
    buttons = [QPushButton(text) for text in ("one", "two", "three", "four")]
    hidden = QPushButton("not shown")
    hidden.hide()
    controls = Controls([*buttons, hidden], Elided("of 12 000 events"))
    qtbot.addWidget(controls)
    controls.resize(800, 60)
    controls.show()
    qtbot.waitExposed(controls)
    assert len({one.y() for one in buttons}) == 1
    assert controls.minimumSizeHint().width() < sum(one.sizeHint().width() for one in buttons)
    controls.resize(controls.minimumSizeHint().width(), 90)
    qtbot.waitUntil(lambda: buttons[1].geometry().bottom() < buttons[2].y())
    assert all(one.geometry().right() < controls.width() for one in buttons)
    assert (buttons[0].x(), buttons[0].y()) == (buttons[2].x(), buttons[1].y())
    controls.resize(800, 60)
    qtbot.waitUntil(lambda: len({one.y() for one in buttons}) == 1)
    assert [one.x() for one in buttons] == sorted(one.x() for one in buttons)


@pytest.mark.usefixtures("themed")
def test_a_low_view_has_one_line_of_controls_of_which_the_last_give_way(qtbot: QtBot) -> None:
    buttons = [QPushButton(text) for text in ("one", "two", "three", "four")]
    info = Elided("of 12 000 events")
    controls = Controls(buttons, info)
    qtbot.addWidget(controls)
    controls.resize(controls.minimumSizeHint().width(), 90)
    controls.show()
    qtbot.waitExposed(controls)
    assert all(one.isVisible() for one in (*buttons, info))
    controls.suit_height(LOW - 1)
    qtbot.waitUntil(lambda: [one.isVisible() for one in buttons] == [True, True, False, False])
    assert not info.isVisible()
    controls.suit_height(LOW)
    qtbot.waitUntil(lambda: all(one.isVisible() for one in (*buttons, info)))
    controls.suit_height(LOW - 1)
    controls.resize(800, 60)
    qtbot.waitUntil(lambda: all(one.isVisible() for one in (*buttons, info)))


@pytest.mark.usefixtures("themed")
def test_a_choice_that_is_cut_is_told_whole(qtbot: QtBot) -> None:
    box = choice_box("Background of the fit", "straight background", "background with step")
    qtbot.addWidget(box)
    box.resize(box.sizeHint())
    assert box.whole_words() == "Background of the fit"
    box.resize(80, box.height())
    assert box.whole_words() == "Background of the fit: straight background"


@pytest.mark.usefixtures("themed")
def test_a_button_with_a_menu_is_as_high_as_one_without(qtbot: QtBot) -> None:
    plain, with_menu = button("Load…", "Load"), QToolButton()
    with_menu.setObjectName("button")
    with_menu.setText("Presets")
    for one in (plain, with_menu):
        qtbot.addWidget(one)
        one.ensurePolished()
    assert with_menu.sizeHint().height() == plain.sizeHint().height()


def test_a_button_whose_menu_was_left_does_not_look_as_if_the_mouse_were_over_it(qtbot: QtBot) -> None:
    owner, menu = QToolButton(), QMenu()
    qtbot.addWidget(owner)
    qtbot.addWidget(menu)
    give_menu(owner, menu)
    menu.addAction("Remove")
    owner.show()
    for at, is_over in ((owner.rect().center(), True), (QPoint(900, 700), False)):
        owner.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, True)
        menu.popup(owner.mapToGlobal(QPoint(0, owner.height())))
        QCursor.setPos(owner.mapToGlobal(at))
        menu.close()
        assert owner.underMouse() == is_over


@pytest.mark.parametrize("kind", [Elided, Wrapped])
def test_words_are_told_under_the_mouse_where_they_are_cut_alone(qtbot: QtBot, kind: type[Elided]) -> None:
    line = kind()
    qtbot.addWidget(line)
    line.setText("baseline steady · median 8163.3 ± 1.9 ADC")
    line.show()
    qtbot.waitExposed(line)
    whole = line.fontMetrics().horizontalAdvance(line.text())
    told = []
    for width in (whole + 1, whole // 5):
        line.resize(width, 20)
        QToolTip.hideText()
        QApplication.sendEvent(
            line, QHelpEvent(QEvent.Type.ToolTip, QPoint(2, 2), line.mapToGlobal(QPoint(2, 2)))
        )
        told.append(QToolTip.text())
    QToolTip.hideText()
    assert told == ["", line.text()]


def test_words_go_on_in_further_lines_and_are_cut_in_the_last_alone(qtbot: QtBot) -> None:
    line = Wrapped()
    qtbot.addWidget(line)
    line.setText("baseline +1.48 ADC over 110 s (23.3 σ) · median 8000.09 ± 0.02 ADC")
    whole = line.fontMetrics().horizontalAdvance(line.text())
    one = line.fontMetrics().lineSpacing()
    assert line.lines(whole) == (line.text(),)
    assert line.lines(4 * whole // 5) == (
        "baseline +1.48 ADC over 110 s (23.3 σ) ·",
        "median 8000.09 ± 0.02 ADC",
    )
    assert [words.endswith("…") for words in line.lines(whole // 4)] == [False, False, True]
    for width, n_lines in ((whole, 1), (4 * whole // 5, 2), (whole // 4, 3)):
        line.resize(width, one)
        assert line.sizeHint().height() - n_lines * one in (
            2,
            3,
        )  # below the last there is room for an underscore


def test_a_number_is_not_parted_from_its_error_and_its_unit(qtbot: QtBot) -> None:
    line = Wrapped()
    qtbot.addWidget(line)
    line.setText("baseline +1.48 ADC over 110 s (23.3 σ) and 8000.09 ± 0.02 ADC of height")
    line.most_lines = 20
    least = line.fontMetrics().horizontalAdvance("8000.09 ± 0.02 ADC")
    for width in range(least, 400):
        for told in line.lines(width):
            first, last = told.split(" ")[0], told.split(" ")[-1]
            assert first not in ("ADC", "±", "s", "σ)") and not last.endswith(("±", "23.3", "0.02"))


def test_a_number_without_room_beside_its_error_is_parted_from_it(qtbot: QtBot) -> None:
    line = Wrapped()
    qtbot.addWidget(line)
    line.setText("38459.2 ± 9.1 ADC")
    metrics = line.fontMetrics()
    assert line.lines(metrics.horizontalAdvance("± 9.1 ADC 9")) == ("38459.2", "± 9.1 ADC")
    line.setText("−0.0007 counts / ADC")
    assert "…" not in "".join(line.lines(metrics.horizontalAdvance("−0.0007 counts")))


def test_words_take_as_many_lines_as_they_are_allowed(qtbot: QtBot) -> None:
    line = Wrapped()
    qtbot.addWidget(line)
    line.setText("gain −3.1 % since 14:32 (6.2 σ) · gains may be unequal: choose one or each channel")
    width = line.fontMetrics().horizontalAdvance(line.text()) // 4
    assert line.lines(width)[-1].endswith("…")
    line.most_lines = 12
    assert " ".join(line.lines(width)) == line.text()


def test_wrapped_words_give_way_to_shorter_ones_before_they_take_another_line(qtbot: QtBot) -> None:
    line = Wrapped()
    qtbot.addWidget(line)
    line.setText("1 755 of 11 992 pass all · 14.63 % (14.31–14.96)")
    line.short = "1 755 of 11 992 pass all · 14.6 ± 0.3 %"
    whole, short = (line.fontMetrics().horizontalAdvance(text) for text in (line.text(), line.short))
    assert line.lines(whole) == (line.text(),)
    assert line.lines(short) == (line.short,)
    assert line.lines(short - 1) == ("1 755 of 11 992 pass all ·", "14.6 ± 0.3 %")


def test_the_wheel_scrolls_past_a_box_and_changes_nothing(qtbot: QtBot) -> None:
    box, chosen = choice_box("Shape", "one", "two", "three"), []
    box.activated.connect(chosen.append)
    qtbot.addWidget(box)
    box.show()
    at = QPointF(box.rect().center())
    down, none = QPoint(0, -120), QPoint()
    phase, button = Qt.ScrollPhase.NoScrollPhase, Qt.MouseButton.NoButton
    modifier = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(at, box.mapToGlobal(at.toPoint()), none, down, button, modifier, phase, False)
    QApplication.sendEvent(box, event)
    assert (box.currentIndex(), chosen) == (0, [])
    assert not event.isAccepted()
    assert box.focusPolicy() == Qt.FocusPolicy.StrongFocus


@pytest.mark.usefixtures("themed")
def test_a_box_among_controls_keeps_what_is_chosen_whole(qtbot: QtBot) -> None:
    box = choice_box("A choice", "bl", "trap_max", "a name of a detector that is longer than any box can be")
    assert box.minimumSizeHint().width() <= LEAST_BOX
    controls = Controls([box], Elided())
    qtbot.addWidget(controls)
    least = []
    for at in range(3):
        box.setCurrentIndex(at)
        least.append(box.minimumSizeHint().width())
        box.resize(least[-1], box.sizeHint().height())
        assert (box.whole_words() == "A choice") == (at < 2)
    assert least[0] < least[1] < least[2] == MOST_OF_BOX < box.sizeHint().width()


@pytest.mark.usefixtures("themed")
def test_the_longest_choice_is_shown_whole(qtbot: QtBot) -> None:
    for text in ("no further column", "band of this run", "straight background", "any source"):
        box = choice_box("A choice", text)
        qtbot.addWidget(box)
        box.resize(box.sizeHint())
        option = QStyleOptionComboBox()
        box.initStyleOption(option)
        part, control = QStyle.SubControl.SC_ComboBoxEditField, QStyle.ComplexControl.CC_ComboBox
        room = box.style().subControlRect(control, option, part, box).width()
        assert box.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room) == text
