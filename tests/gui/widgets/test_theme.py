"""Tests that everything that must be read can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product

import pytest
from PyQt5.QtCore import QEvent, QObject
from PyQt5.QtGui import QColor, QImage
from PyQt5.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from pygama_gui.widgets import theme
from pygama_gui.widgets.shades import color_table

READ = ("text", "soft", "accent", "ok", "warn", "bad", "trace", "marker")
GROUNDS = ("bg", "panel", "raised", "accent_soft")


class StylesHeard(QObject):
    """Counts how often each object hears that its style is another one."""

    def __init__(self, app: QApplication) -> None:
        super().__init__()
        self.times: Counter[QObject] = Counter()
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.StyleChange:
            self.times[watched] += 1
        return False


@pytest.fixture
def in_light(themed: QApplication) -> Iterator[QApplication]:
    yield themed
    theme.apply("light")


def nested(*inside: QWidget) -> QWidget:
    """Put widgets four frames deep."""
    held = QWidget()
    column = QVBoxLayout(held)
    for widget in inside:
        column.addWidget(widget)
    for _ in range(3):
        outer = QWidget()
        QVBoxLayout(outer).addWidget(held)
        held = outer
    return held


def controls() -> QWidget:
    box = QComboBox()
    box.addItems(["one", "two"])
    return nested(QPushButton("press"), QLineEdit("words"), QCheckBox("tick"), box)


def picture(widget: QWidget) -> QImage:
    return widget.grab().toImage()


def luminance(color: QColor) -> float:
    """Relative luminance after WCAG 2."""
    parts = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in color.getRgbF()[:3]
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, other: QColor) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("name", "token", "ground"), list(product(theme.NAMES, READ, GROUNDS)))
def test_what_is_read_stands_out_from_its_ground(name: str, token: str, ground: str) -> None:
    colors = theme.theme(name)
    assert contrast(colors.color(token), colors.color(ground)) >= 4.5


@pytest.mark.parametrize("name", theme.NAMES)
def test_words_on_the_accent_can_be_read(name: str) -> None:
    assert contrast(theme.theme(name).color("on_accent"), theme.theme(name).color("accent")) >= 4.5


@pytest.mark.parametrize("name", theme.NAMES)
def test_the_style_sheet_has_no_gaps(name: str) -> None:
    assert "$" not in theme.theme(name).style_sheet()


def test_both_themes_have_the_same_tokens() -> None:
    assert theme.theme("light").tokens.keys() == theme.theme("dark").tokens.keys()


def test_pens_are_one_pixel_wide(themed: QApplication) -> None:
    pen = theme.current().pen("trace")
    assert (pen.width(), pen.isCosmetic()) == (1, True)


def hues_apart(one: QColor, other: QColor) -> int:
    """Degrees on the circle of colours."""
    apart = abs(one.hsvHue() - other.hsvHue())
    return min(apart, 360 - apart)


@pytest.mark.parametrize("name", theme.NAMES)
def test_curves_have_another_colour_than_what_marks_them(name: str) -> None:
    colors = theme.theme(name)
    curves = [QColor(colors.series(at)) for at in range(5)]
    assert min(hues_apart(curve, colors.color("marker")) for curve in curves) >= 25
    assert len({curve.name() for curve in curves}) == len(curves)


@pytest.mark.parametrize("name", theme.NAMES)
def test_curves_are_seen_on_their_ground(name: str) -> None:
    colors = theme.theme(name)
    assert min(contrast(QColor(colors.series(at)), colors.color("panel")) for at in range(7)) >= 2


def test_an_icon_is_drawn_in_the_colour_of_the_theme(themed: QApplication) -> None:
    image = theme.icon("stop", "accent").pixmap(16, 16).toImage()
    assert image.pixelColor(8, 8) == theme.current().color("accent")


@pytest.mark.parametrize("name", theme.NAMES)
def test_a_single_count_of_a_plane_is_seen_on_its_ground(name: str) -> None:
    single = QColor(*color_table(name)[1].tolist())
    assert contrast(single, theme.theme(name).color("panel")) >= 2


def test_a_box_that_cannot_be_ticked_has_fainter_words(in_light: QApplication, qtbot) -> None:
    tick = QCheckBox("in region")
    qtbot.addWidget(tick)
    pictures = []
    for is_enabled in (True, False):
        tick.setEnabled(is_enabled)
        image = picture(tick)
        words = [image.pixelColor(x, y) for x in range(24, image.width()) for y in range(image.height())]
        pictures.append(max(contrast(color, theme.current().color("bg")) for color in words))
    assert pictures[0] > 10
    assert pictures[1] < 4.5


def test_each_widget_is_styled_once_however_deep_it_lies(in_light: QApplication, qtbot) -> None:
    button = QPushButton("press")
    outside = nested(button)
    qtbot.addWidget(outside)
    with qtbot.waitExposed(outside):
        outside.show()
    heard = StylesHeard(in_light)
    theme.apply("dark")
    assert [heard.times[one] for one in (outside, *outside.findChildren(QWidget))] == [1] * 5


def test_what_is_there_takes_the_same_look_as_what_is_made_in_a_theme(in_light: QApplication, qtbot) -> None:
    made_in_light = controls()
    qtbot.addWidget(made_in_light)
    before = picture(made_in_light)
    theme.apply("dark")
    made_in_dark = controls()
    qtbot.addWidget(made_in_dark)
    assert picture(made_in_light) == picture(made_in_dark) != before


def test_a_widget_has_its_first_look_again_after_another_theme(in_light: QApplication, qtbot) -> None:
    there = controls()
    qtbot.addWidget(there)
    before = picture(there)
    theme.apply("dark")
    picture(there)
    theme.apply("light")
    assert picture(there) == before
