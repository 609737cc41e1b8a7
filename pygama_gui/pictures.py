"""Takes a picture of the window and of every view, in both themes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QPoint
from PyQt5.QtGui import QPixmap, QRegion
from PyQt5.QtWidgets import QApplication, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes
from pygama_gui.views.files.view import PAGES
from pygama_gui.views.welcome import WelcomeView
from pygama_gui.widgets import theme

SETTLE_S, LONGEST_S = 0.35, 60.0
"""A picture is taken so long after the last thread has ended its work, or after the longest time at last."""


def take_pictures(app: QApplication, window: MainWindow, folder: Path) -> None:
    """Save `window_light.png`, `window_dark.png` and the same for every view."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in theme.NAMES:  # before the views, which leave fits and cuts behind
        _choose(app, window, name)
        _save(window, folder / f"window_{name}.png")
    for name in theme.NAMES:
        _choose(app, window, name)
        _take_views(app, window, folder, name)


def _choose(app: QApplication, window: MainWindow, name: str) -> None:
    window.bridge.change(changes.choose_tab, 0)
    window.bridge.change(changes.choose_theme, name)
    settle(app, window.bridge)


def settle(app: QApplication, bridge: Bridge, until: Callable[[], bool] = lambda: False) -> None:
    """Let all that is due be counted and drawn, until something is there or nothing more is due."""
    began = busy_at = time.monotonic()
    while busy_at + SETTLE_S > (now := time.monotonic()) and now - began < LONGEST_S and not until():
        app.processEvents()
        time.sleep(0.01)
        if not bridge.threads.are_idle:
            busy_at = time.monotonic()  # not of before: one pass may draw for long


def _take_views(app: QApplication, window: MainWindow, folder: Path, name: str) -> None:
    for tab, view in enumerate(("waveforms", "spectrum", "plane", "trends", "channels"), 1):
        window.bridge.change(changes.choose_tab, tab)
        settle(app, window.bridge)
        _save(window.views[view], folder / f"{view}_{name}.png")
    window.bridge.change(changes.choose_tab, 0)
    window.log_dock.show()
    settle(app, window.bridge)
    _save(window, folder / f"window_with_log_{name}.png")
    for view in ("status", "runs", "options", "chain", "preview", "log", "last_line"):
        _save(window.views[view], folder / f"{view}_{name}.png")
    window.log_dock.hide()
    _take_files(app, window, folder, name)
    _take_console(app, window, folder, name)
    _take_inspect(app, window, folder, name)
    _take_welcome(window, folder / f"welcome_{name}.png")


def _take_files(app: QApplication, window: MainWindow, folder: Path, name: str) -> None:
    window.toggle_files()
    for number, page in enumerate(PAGES):
        window.files.go_to_page(number)
        settle(app, window.bridge)
        _save(window.files, folder / f"files_{page.lower()}_{name}.png")
    _save(window, folder / f"window_with_files_{name}.png")
    window.toggle_files()


def _take_console(app: QApplication, window: MainWindow, folder: Path, name: str) -> None:
    window.toggle_console()
    window.console.run("rows().describe().iloc[:, :6].round(1)")
    settle(app, window.bridge, lambda: not window.console.is_running)
    _save(window.console, folder / f"console_{name}.png")
    _save(window, folder / f"window_with_console_{name}.png")
    window.toggle_console()


def _take_inspect(app: QApplication, window: MainWindow, folder: Path, name: str) -> None:
    before = window.bridge.session.layout
    window.layouts.choose("Inspect")
    _fit_peaks(app, window)
    for dock, view in ((window.fits_dock, "fits"), (window.cuts_dock, "cuts")):
        dock.raise_()
        settle(app, window.bridge)
        _save(window.views[view], folder / f"{view}_{name}.png")
        _save(window, folder / f"window_with_{view}_{name}.png")
    window.layouts.choose(before)


def _fit_peaks(app: QApplication, window: MainWindow) -> None:
    """Fit the peaks of the spectrum, so that there is something to see of fits."""
    bridge = window.bridge
    if not bridge.session.fits:
        window.spectrum.peaks.fit_found()
        settle(app, bridge, lambda: bool(bridge.session.fits))
    settle(app, bridge, lambda: bool(window.spectrum.peaks.shown_fits()))


def _take_welcome(window: MainWindow, path: Path) -> None:
    view = WelcomeView(window.bridge)
    view.resize(window.stack.size())
    _save(view, path)
    view.deleteLater()


def _save(widget: QWidget, path: Path) -> None:
    picture = widget.grab() if widget.isWindow() else _on_panel(widget)
    if picture.isNull() or not picture.save(str(path)):
        raise OSError(f"the picture {str(path)!r} could not be written")


def _on_panel(widget: QWidget) -> QPixmap:
    """Draw a view on the ground that it has in the window."""
    ratio = widget.devicePixelRatioF()
    picture = QPixmap(widget.size() * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(theme.current().color("panel"))
    widget.render(picture, QPoint(), QRegion(), QWidget.RenderFlags(QWidget.RenderFlag.DrawChildren))
    return picture
