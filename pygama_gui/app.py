"""Starts the window: reads the command line, restores the session, and catches what nobody caught."""

from __future__ import annotations

import argparse
import faulthandler
import gc
import logging
import math
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from pygama_gui.session import changes, places
from pygama_gui.session.state import SIZES, Session
from pygama_gui.session.store import Store

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QApplication

    from pygama_gui.main_window import MainWindow

logger = logging.getLogger("pygama_gui")

SCALE = "QT_SCALE_FACTOR"
REHEARSE_MS, WARM_UP_MS = 100, 300
"""After so long the window, which is on the screen then, draws made-up data unseen, and starts a worker."""
MEASURE_AFTER_MS = 2500
"""With --measure the files come when the worker is warm."""
SETTLE_MS = 400
STUCK_MS = 600_000
TURN_S = 0.0005
"""How long a thread that computes keeps the interpreter when the window wants it. Python's 5 ms hold up every
one of the many steps of a painting."""


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(
        prog="pygama-gui", description="Process raw ORCA runs and watch their waveforms and spectra grow."
    )
    made.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="raw runs, folders, Tier files, settings files or a session",
    )
    made.add_argument("--demo", action="store_true", help="make a simulated run and process it")
    made.add_argument(
        "--output", type=Path, metavar="DIR", help="folder for Tier 1 and Tier 2 files; made if need be"
    )
    made.add_argument("--theme", choices=("light", "dark"), help="look of the window")
    made.add_argument(
        "--screenshot",
        type=Path,
        metavar="DIR",
        help="process the files, save a picture of every view, and exit",
    )
    made.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the window; gives the exit status."""
    gc.disable()  # what is made until the window is up stays
    options = parser().parse_args(arguments)
    if options.screenshot is not None and not (options.files or options.demo):
        parser().error("--screenshot needs files or --demo")
    if options.output is not None:
        _make_folder(options.output)
    has_screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if options.screenshot is not None and sys.platform.startswith("linux") and not has_screen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    _write_log()
    remembers = options.screenshot is None and not options.measure
    restored = _restored(remembers=remembers)
    app = make_app(restored[0].size_percent)
    passing = None
    if options.output is None and not remembers:
        passing = tempfile.TemporaryDirectory(prefix="pygama-gui-")
        options.output = Path(passing.name)
    window = make_window(options, restored, remembers=remembers)
    _catch_all(window)
    sys.setswitchinterval(TURN_S)
    if remembers:
        window.layouts.keep_on_screen()
    window.show()
    status = Show(app, window, options).run()
    if passing is not None:
        passing.cleanup()
    return status


def _make_folder(folder: Path) -> None:
    from pygama.errors import OutputError
    from pygama.processing.outputs import make_folder

    try:
        make_folder(folder)
    except OutputError as problem:
        parser().error(str(problem))


def make_app(size_percent: int = 100) -> QApplication:
    """Make Qt's application, ready for screens of any resolution.

    size_percent: of all that is drawn, on top of what the environment says.
    """
    from PyQt5.QtCore import Qt
    from PyQt5.QtWidgets import QApplication

    for attribute in (
        Qt.ApplicationAttribute.AA_EnableHighDpiScaling,
        Qt.ApplicationAttribute.AA_UseHighDpiPixmaps,
    ):
        QApplication.setAttribute(attribute)
    if size_percent != 100:
        percent = min(max(size_percent, SIZES[0]), SIZES[-1])
        os.environ[SCALE] = str(_scale_asked() * percent / 100)
    app = QApplication.instance() or QApplication([sys.argv[0] or "pygama-gui"])
    assert isinstance(app, QApplication)
    app.setApplicationName("pygama-gui")
    app.setDesktopFileName("pygama-gui")
    return app


def _scale_asked() -> float:
    try:
        return float(os.environ.get(SCALE, "1"))
    except ValueError:
        return 1.0


def _restored(*, remembers: bool) -> tuple[Session, str]:
    """Give the session of last time, and what was wrong with it."""
    from pygama_gui import keeping

    return keeping.restored() if remembers else (Session(), "")


def make_window(
    options: argparse.Namespace, restored: tuple[Session, str] | None = None, *, remembers: bool
) -> MainWindow:
    """Make the window with the restored session and what the command line says."""
    from pygama_gui import keeping
    from pygama_gui.bridge import Bridge
    from pygama_gui.main_window import MainWindow
    from pygama_gui.widgets import theme

    session, problem = restored or _restored(remembers=remembers)
    session = changes.overrule(session, options.output, options.theme)
    with theme.applied_at_the_end(session.theme):
        try:
            window = MainWindow(Bridge(Store(session)), remembers=remembers)
        except Exception as error:  # noqa: BLE001  (whatever is wrong with the last session, the window must open)
            logger.exception("the last session")
            problem = (
                f"The last session could not be shown ({type(error).__name__}: {error}); "
                f"here is an empty one. {keeping.put_aside()}"
            )
            session = Session(output_dir=session.output_dir, theme=session.theme, recent=session.recent)
            window = MainWindow(Bridge(Store(session)), remembers=remembers)
    if problem:
        window.bridge.log(problem, "warning")
    if window.keeper is not None and window.keeper.begin():
        window.bridge.log(
            "The window was ended last time before it could close; everything that was set is as it was. "
            "A run that was under way must be processed again",
            "warning",
        )
    if window.keeper is not None:
        window.keeper.save_soon()  # what the command line says, if nothing else is changed
    if window.keeper is not None and not window.keeper.is_alone:
        window.bridge.log(
            "Another window is open and is the one that is remembered: save this one as a session (Ctrl+S)",
            "warning",
        )
    return window


class Show:
    """One run of the program: warms up, takes the files, measures and takes pictures where asked."""

    def __init__(self, app: QApplication, window: MainWindow, options: argparse.Namespace) -> None:
        from pygama_gui.widgets.heartbeat import FirstPaint, Heartbeat

        self.app, self.window, self.options = app, window, options
        self.status = 0
        self._dropped_at = 0.0
        self._asked: list[Path] = []
        self._demo: DemoMaker | None = None
        self._rehearsal = window.rehearse()
        self._has_files = bool(options.files) or options.demo
        window.demo_asked = self.start_demo
        if options.measure:
            self._heart = Heartbeat(window)
            self._first = FirstPaint(window.welcome)
            self._first.data_came()
            self._paints = {
                "waveform": FirstPaint(window.waveforms.plot.viewport()),
                "spectrum": FirstPaint(window.spectrum.plot.viewport()),
            }
            window.waveforms.drawn.connect(self._paints["waveform"].data_came)
            window.spectrum.drawn.connect(self._paints["spectrum"].data_came)

    def run(self) -> int:
        """Run Qt's loop to its end."""
        from PyQt5.QtCore import QTimer

        from pygama_gui.ending import Ending

        ending = Ending(self.window.quitting.end)
        QTimer.singleShot(REHEARSE_MS, self._rehearse)
        QTimer.singleShot(WARM_UP_MS, self.window.bridge.warm_up)
        QTimer.singleShot(MEASURE_AFTER_MS if self.options.measure else 0, self._begin)
        if self.options.screenshot is not None or self.options.measure:
            self.window.bridge.all_ended.connect(lambda: QTimer.singleShot(SETTLE_MS, self._all_ended))
            self.window.arrivals.opened.connect(lambda: QTimer.singleShot(0, self._opened))
        if self.options.screenshot is not None:
            # Not at once: pictures wait for answers of threads, and this may come with one of these.
            self.window.arrivals.refused.connect(lambda: QTimer.singleShot(0, self._refused))
            QTimer.singleShot(STUCK_MS, lambda: self._end(1))
        self.app.exec()
        ending.close()
        if self._demo is not None:
            self._demo.end()
        return self.status

    def _begin(self) -> None:
        if self.options.demo:
            self.start_demo()
        if self.options.files:
            self._take([path.resolve() for path in self.options.files])
            self.window.bridge.change(changes.overrule, self.options.output, self.options.theme)

    def _rehearse(self) -> None:
        """Go a step further with drawing made-up data; after the last look for garbage a last time."""
        from PyQt5.QtCore import QTimer

        if next(self._rehearsal, False) is None:
            QTimer.singleShot(0, self._rehearse)
        else:
            gc.enable()
            gc.collect()
            gc.freeze()  # what is here now stays; looking through it again and again would block the window

    def start_demo(self) -> None:
        """Make the demo run if it is not there, and process it."""
        self._demo = DemoMaker(self.window, lambda path: self._take([path]))

    def _take(self, paths: list[Path]) -> None:
        if self.options.measure:
            self._heart.start()
            for paint in self._paints.values():
                paint.reset()
        self._dropped_at = time.perf_counter()
        self._asked += paths
        self.window.arrivals.add_paths(paths, process=True)

    def _refused(self) -> None:
        """End a picture run in which no file could be taken; note the failure in any case."""
        self.status = 1
        if not self.window.bridge.active():
            self._all_ended()

    def _opened(self) -> None:
        """End when the files have been read that nobody needs to process."""
        from pygama_gui.pictures import settle

        settle(self.app, self.window.bridge)
        if not self.window.bridge.active():
            self._all_ended()

    def _all_ended(self) -> None:
        if self.options.measure:
            self._report()
        if self.options.screenshot is not None:
            from pygama_gui.pictures import take_pictures

            runs = self.window.bridge.session.runs
            states = [self.window.bridge.state(run.run_id) for run in runs]
            is_fine = bool(states) and all(state is not None and state.state == "done" for state in states)
            self.status = self.status if is_fine else 1
            take_pictures(self.app, self.window, self.options.screenshot)
        if self.options.screenshot is not None or self._has_files:
            self._end(self.status)

    def _end(self, status: int) -> None:
        self.status = status
        self.window.close()
        self.app.quit()

    def _report(self) -> None:
        from pygama_gui.widgets.heartbeat import program_began

        self._heart.stop()
        heart = self._heart
        up_s = math.nan if self._first.at is None else self._first.at - program_began()
        longest = f"longest block of the event loop: {heart.longest_ms:.1f} ms (at {heart.at_s:.2f} s)"
        lines = [
            f"from the start of the program to the window on screen: {up_s:.3f} s",
            f"{longest}, {heart.n_late} longer than 50 ms",
            f"longest work of the event loop at a stretch: {heart.own_ms:.1f} ms",
        ]
        for name, paint in self._paints.items():
            took = "never" if paint.at is None else f"{paint.at - self._dropped_at:.3f} s"
            lines.append(f"from drop to first {name} on screen: {took}")
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


class DemoMaker:
    """Makes the demo run in a process of its own and hands it over."""

    def __init__(self, window: MainWindow, then: object) -> None:
        from PyQt5.QtCore import QProcess

        from pygama_gui import demo_run

        assert callable(then)
        self._window, self._then = window, then
        self._path = places.demo_folder() / demo_run.NAME
        self._process = QProcess(window)
        if self._path.exists():
            then(self._path)
            return
        window.bridge.log("Making the demo run…")
        window.welcome.show_busy("Making the demo run…")
        self._process.finished.connect(self._finished)
        self._process.start(sys.executable, ["-m", "pygama_gui.demo_run", str(places.demo_folder())])

    def end(self) -> None:
        """End the process if it still runs."""
        from PyQt5.QtCore import QProcess

        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.finished.disconnect()
            self._process.kill()
            self._process.waitForFinished(1000)

    def _finished(self, code: int) -> None:
        self._window.welcome.show_busy("")
        if code == 0 and self._path.exists():
            self._then(self._path)
        else:
            details = bytes(self._process.readAllStandardError()).decode(errors="replace")
            self._window.bridge.log("The demo run could not be made", "error")
            self._window.banner.say("The demo run could not be made", details)


def _write_log() -> None:
    """Write the log into its file, or to the terminal where the disk takes none."""
    path = places.log_file()
    handler: logging.Handler
    trouble = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=2_000_000, backupCount=3, encoding="utf-8")
    except OSError as error:
        handler = logging.StreamHandler()
        trouble = f"{path} cannot be written ({error.strerror or error}): the log goes to the terminal"
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S UTC")
    form.converter = time.gmtime
    handler.setFormatter(form)
    logger.addHandler(handler)
    logging.getLogger("pygama").addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if trouble:
        logger.warning(trouble)
    faulthandler.enable()


def _catch_all(window: MainWindow) -> None:
    """Show what nobody caught in the banner; without this PyQt5 would abort."""

    def caught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        details = "".join(traceback.format_exception(kind, error, trace))
        logger.error(details)
        window.banner.say(f"Something unexpected happened: {error or kind.__name__}", details)

    sys.excepthook = caught
