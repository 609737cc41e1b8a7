"""Gives tests of the window a bridge with its jobs, closed at the end, and the light theme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.session.store import Store
from pygama_gui.widgets import theme


@pytest.fixture(autouse=True)
def no_widgets_left() -> Iterator[None]:
    """Let go of the widgets of a test at its end; style sheets grow slow with every one that stays."""
    yield
    app = QApplication.instance()
    if app is not None:
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def themed(qapp: QApplication) -> QApplication:
    """Give the application in the light theme."""
    theme.apply("light")
    return qapp


@pytest.fixture
def bridge(themed: QApplication) -> Iterator[Bridge]:
    """Give a bridge whose workers and reading thread end with the test."""
    made = Bridge(Store())
    yield made
    made.close()


@pytest.fixture
def open_window(qtbot: QtBot, themed: QApplication) -> Iterator[Callable[..., MainWindow]]:
    """Open windows that remember nothing, with their files in a folder if one is given; closed at the end."""
    opened: list[MainWindow] = []

    def make(
        bridge: Bridge | None = None,
        *,
        output_dir: Path | None = None,
        size: tuple[int, int] | None = None,
        shows: bool = True,
    ) -> MainWindow:
        made = MainWindow(Bridge() if bridge is None else bridge, remembers=False)
        opened.append(made)
        qtbot.addWidget(made)
        if output_dir is not None:
            output_dir.mkdir(exist_ok=True)
            made.bridge.change(changes.choose_output_dir, output_dir)
        if size is not None:
            made.resize(*size)
        if shows:
            made.show()
            qtbot.waitExposed(made)
        return made

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def a_run() -> Callable[..., Run]:
    """Make runs that exist only as a row."""

    def make(number: int = 9001, name: str = "") -> Run:
        path = Path(name or f"2018-9-25-Th228Run{number}")
        return Run(str(path), path, number, 0, 1537871000, 3_746_840, ("ORSIS3302DecoderForEnergy",))

    return make


@pytest.fixture
def move_mouse(qapp: QApplication) -> Callable[..., None]:
    """Give a way to move the mouse with its left button held."""
    left = Qt.MouseButton.LeftButton

    def move(widget: QWidget, at: QPoint, modifier: Qt.KeyboardModifier | None = None) -> None:
        keys = modifier or Qt.KeyboardModifier.NoModifier
        place = QPointF(widget.mapToGlobal(at))
        event = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), place, left, left, keys)
        QApplication.sendEvent(widget, event)

    return move
