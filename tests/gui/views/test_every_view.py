"""Tests what all views have in common: words, a demo, and a picture that shows something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtGui import QColor, QImage
from PyQt5.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSlider, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.views.base import View
from pygama_gui.views.chain.preview import PreviewView
from pygama_gui.views.chain.view import ChainView
from pygama_gui.views.channels.view import ChannelsView
from pygama_gui.views.cuts.view import CutsView
from pygama_gui.views.files.view import FilesView
from pygama_gui.views.fits.view import FitsView
from pygama_gui.views.log import LastLineView, LogView
from pygama_gui.views.options import OptionsView
from pygama_gui.views.plane.view import PlaneView
from pygama_gui.views.runs.view import RunsView
from pygama_gui.views.spectrum.view import SpectrumView
from pygama_gui.views.strip.view import StripView
from pygama_gui.views.trends.view import TrendsView
from pygama_gui.views.waveforms.view import WaveformView
from pygama_gui.views.welcome import WelcomeView
from pygama_gui.widgets import theme

VIEWS = [
    ChainView,
    ChannelsView,
    CutsView,
    FilesView,
    FitsView,
    LastLineView,
    LogView,
    OptionsView,
    PlaneView,
    PreviewView,
    RunsView,
    SpectrumView,
    StripView,
    TrendsView,
    WaveformView,
    WelcomeView,
]
every_view = pytest.mark.parametrize("kind", VIEWS, ids=lambda kind: kind.__name__)


@pytest.fixture
def show(qtbot: QtBot, themed: object) -> Iterator[Callable[[type[View]], View]]:
    shown: list[View] = []

    def make(kind: type[View]) -> View:
        view = kind.demo()
        shown.append(view)
        qtbot.addWidget(view)
        view.resize(700, 420)
        view.show()
        qtbot.waitExposed(view)
        view.draw_if_due()
        return view

    yield make
    for view in shown:
        view.bridge.close()


def colors_of(image: QImage) -> set[int]:
    return {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}


@every_view
def test_a_view_says_what_it_is(kind: type[View]) -> None:
    assert kind.TITLE
    assert kind.HELP.endswith(".")


@every_view
@pytest.mark.parametrize("name", theme.NAMES)
def test_the_picture_of_a_view_is_not_blank(
    kind: type[View], name: str, show: Callable[[type[View]], View], tmp_path: Path
) -> None:
    theme.apply(name)
    view = show(kind)
    view.recolor()
    view.draw_if_due()
    picture = view.grab()
    path = tmp_path / f"{kind.__name__}_{name}.png"
    assert picture.save(str(path))
    image = QImage(str(path))
    grounds = {QColor(theme.theme(name).tokens[token]).rgb() for token in ("panel", "raised")}
    assert grounds & colors_of(image)
    assert len(colors_of(image)) > 8


@every_view
def test_every_control_has_a_name_for_screen_readers(
    kind: type[View], show: Callable[[type[View]], View]
) -> None:
    view = show(kind)
    controls: list[QWidget] = []
    for sort in (QAbstractButton, QComboBox, QLineEdit, QSlider):
        controls += view.findChildren(sort)
    nameless = [control for control in controls if not control.accessibleName() and _is_ours(control)]
    assert nameless == []


def _is_ours(control: QWidget) -> bool:
    """Leave out what Qt makes for itself, such as the field inside a list of choices."""
    return not control.objectName().startswith("qt_") and not isinstance(control.parentWidget(), QComboBox)


def test_a_hidden_view_draws_only_when_it_is_shown(qtbot: QtBot, show: Callable[[type[View]], View]) -> None:
    view = show(SpectrumView)
    view.hide()
    drawn: list[bool] = []
    view.drawn.connect(lambda: drawn.append(True))
    view.redraw_soon()
    view.bridge.tick()
    assert drawn == []
    view.show()
    assert drawn == [True]
