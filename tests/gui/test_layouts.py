"""Tests the named layouts: what each shows, that what was moved is remembered, and the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5 import sip
from PyQt5.QtCore import QEvent, QRect, Qt
from PyQt5.QtWidgets import QApplication, QDockWidget
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.layouts import BY_NAME, LAYOUTS, fitted_in
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes
from pygama_gui.session.state import Arrangement, Session
from pygama_gui.session.store import Store

TEN_SECONDS = 10_000


@pytest.fixture
def show(open_window: Callable[..., MainWindow]) -> Callable[[Session], MainWindow]:
    """Open a window that begins with a session."""
    return lambda session: open_window(Bridge(Store(session)))


@pytest.fixture
def window(show: Callable[[Session], MainWindow]) -> MainWindow:
    return show(Session())


def seen(window: MainWindow) -> set[str]:
    docks = window.findChildren(QDockWidget)
    return {dock.objectName().lower() for dock in docks if dock.isVisible()}


@pytest.mark.parametrize("name", [layout.name for layout in LAYOUTS])
def test_a_layout_shows_its_panels_that_are_there(window: MainWindow, name: str) -> None:
    there = {dock.objectName().lower() for dock in window.findChildren(QDockWidget)}
    window.menus.layout_actions[name].trigger()
    assert seen(window) == set(BY_NAME[name].docks) & there
    assert window.menus.layout_actions[name].isChecked()
    assert window.bridge.session.layout == name


def test_a_layout_gives_its_panels_their_sizes(qtbot: QtBot, window: MainWindow) -> None:
    window.layouts.choose("Tune")
    qtbot.waitUntil(lambda: window.settings_dock.width() == BY_NAME["Tune"].docks["settings"])


def test_the_first_panel_of_a_layout_is_in_front_whatever_was_before(window: MainWindow) -> None:
    window.layouts.choose("Inspect")
    window.layouts.choose("Process")
    window.fits_dock.show()
    window.fits_dock.raise_()
    window.layouts.choose("Inspect")
    assert not window.cuts.visibleRegion().isEmpty()
    assert window.fits.visibleRegion().isEmpty()


def test_a_panel_behind_another_is_idle_and_drawn_when_it_comes_up(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.layouts.choose("Inspect")
    window.cuts_dock.raise_()
    qtbot.waitUntil(lambda: window.fits.visibleRegion().isEmpty())
    drawn: list[str] = []
    monkeypatch.setattr(window.fits, "redraw", lambda: drawn.append("fits"))
    monkeypatch.setattr(window.runs, "redraw", lambda: drawn.append("runs"))
    window.fits.redraw_soon()
    window.runs.redraw_soon()
    qtbot.waitUntil(lambda: "runs" in drawn)
    window.bridge.tick()
    assert drawn == ["runs"]
    window.fits_dock.raise_()
    qtbot.waitUntil(lambda: "fits" in drawn)


def test_a_panel_behind_another_comes_to_the_front_for_what_is_shown_in_it(window: MainWindow) -> None:
    window.layouts.choose("Inspect")
    window.fits_dock.raise_()
    window.cuts_dock.raise_()
    window.spectrum.calibrate_asked.emit()
    assert not window.fits.visibleRegion().isEmpty()
    window.show_cuts()
    assert not window.cuts.visibleRegion().isEmpty()


def test_the_first_layout_is_the_one_at_the_first_start(window: MainWindow) -> None:
    assert seen(window) == set(LAYOUTS[0].docks)


def test_what_was_moved_in_a_layout_is_there_when_it_is_chosen_again(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.layouts.note()
    window.log_dock.show()
    window.resizeDocks([window.runs_dock], [400], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: window.runs_dock.width() == 400)
    window.layouts.choose("Tune")
    window.layouts.choose("Process")
    assert seen(window) == {"runs", "settings", "log"}
    qtbot.waitUntil(lambda: window.runs_dock.width() == 400)


def test_a_moved_panel_is_noted_without_being_asked(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.layouts._timer.isActive(), timeout=TEN_SECONDS)
    window.log_dock.show()
    qtbot.waitUntil(lambda: "Process" in window.bridge.session.arrangements, timeout=TEN_SECONDS)
    assert window.bridge.session.geometry
    assert window.bridge.store.undo_label == ""


def test_what_nobody_moved_is_not_noted(qtbot: QtBot, window: MainWindow) -> None:
    window.layouts.choose("Inspect")
    qtbot.waitUntil(lambda: not window.layouts._timer.isActive(), timeout=TEN_SECONDS)
    assert dict(window.bridge.session.arrangements) == {}


def test_a_panel_that_is_opened_right_after_the_start_is_noted(qtbot: QtBot, window: MainWindow) -> None:
    window.files_dock.show()
    qtbot.waitUntil(lambda: not window.layouts._timer.isActive(), timeout=TEN_SECONDS)
    assert "Process" in window.bridge.session.arrangements


def test_reset_puts_every_panel_back_and_forgets_what_was_moved(qtbot: QtBot, window: MainWindow) -> None:
    window.layouts.note()
    window.runs_dock.setFloating(True)
    window.settings_dock.hide()
    window.layouts.note()
    assert "Process" in window.bridge.session.arrangements
    window.layouts.reset()
    assert (seen(window), window.runs_dock.isFloating()) == ({"runs", "settings"}, False)
    assert dict(window.bridge.session.arrangements) == {}


def test_another_window_begins_as_the_last_one_was_left(
    window: MainWindow, show: Callable[[Session], MainWindow]
) -> None:
    window.layouts.choose("On shift")
    window.layouts.note()
    window.runs_dock.hide()
    window.resize(1200, 800)
    QApplication.processEvents()
    window.layouts.note()
    other = show(window.bridge.session)
    assert seen(other) == {"log"}
    assert other.size() == window.size()


@pytest.mark.parametrize("held", ["", "no base64 at all", "aGVsbG8="])
def test_an_arrangement_that_is_none_gives_the_layout_as_it_is_made(
    show: Callable[[Session], MainWindow], held: str
) -> None:
    session = changes.arrange(Session(), held, Arrangement(held, held))
    window = show(session)
    assert seen(window) == {"runs", "settings"}


def test_a_layout_of_a_newer_version_is_shown_as_the_first_one(
    show: Callable[[Session], MainWindow],
) -> None:
    window = show(Session(layout="Moon base"))
    assert seen(window) == set(LAYOUTS[0].docks)


def test_what_moves_after_the_window_is_gone_is_let_be(qtbot: QtBot, themed: object) -> None:
    window = MainWindow(Bridge(Store(Session())), remembers=False)
    layouts, bridge = window.layouts, window.bridge
    sip.delete(window)
    assert layouts.eventFilter(None, QEvent(QEvent.Type.Show)) is False
    bridge.close()


@pytest.mark.parametrize(
    ("place", "fitted"),
    [
        (QRect(100, 100, 600, 400), QRect(100, 100, 600, 400)),
        (QRect(100, 100, 1480, 900), QRect(4, 32, 1016, 732)),
        (QRect(900, 700, 600, 400), QRect(420, 364, 600, 400)),
        (QRect(-50, -50, 600, 400), QRect(4, 32, 600, 400)),
    ],
)
def test_a_window_is_never_larger_than_its_screen_nor_beside_it(place: QRect, fitted: QRect) -> None:
    assert fitted_in(place, QRect(0, 0, 1024, 768)) == fitted
