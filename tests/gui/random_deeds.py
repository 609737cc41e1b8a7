"""Does random deeds in the window, as a hand that knows nothing on a bad day: `random_deeds.py SEED NUMBER`.

A seed always makes the same choices, though what the workers told by then may differ. It prints each error
with the deeds before it, and ends with 1 if there was any; where the window hangs, it traces its threads.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from PyQt5 import sip
from PyQt5.QtCore import QEvent, QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PyQt5.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QMouseEvent, QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractScrollArea,
    QAbstractSlider,
    QAction,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QWidget,
)

from pygama.simulate import RunShape, write_run
from pygama_gui import app as program
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes
from pygama_gui.session.state import Session
from pygama_gui.widgets.palette import Palette

Kind = TypeVar("Kind", bound=QWidget)

HANGS_S = 60.0
"""A deed that takes longer is a window that hangs."""
TOLD_BEFORE = 6
"""Deeds that are told with an error."""
SIZES = ((1000, 600), (1280, 720), (1280, 800), (1480, 900), (1920, 1080))
MODIFIERS = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
KEYS = (
    *range(Qt.Key.Key_0, Qt.Key.Key_9 + 1),
    *range(Qt.Key.Key_A, Qt.Key.Key_Z + 1),
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End),
    *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Escape),
    *(Qt.Key.Key_Delete, Qt.Key.Key_Tab, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Question),
    *(Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight, Qt.Key.Key_F5, Qt.Key.Key_F11),
)
TEXTS = (
    *("", "0", "-1", "1e9", "400", "2.5", "nan", "1 us", "abc", "(", "1/0", "x" * 300, "é∆"),
    *("trap_max", "trap_max > 1000", "trap_max > 1000 and bl_int < 9000", "bl_slope**2"),
)
ENDS = ("quit", "exit")
"""Words of actions that are left out: they would end the window."""


class Deeds:
    """What is done to a window; `done` names all of it."""

    def __init__(self, window: MainWindow, raw: list[Path], litter: Path, rng: random.Random) -> None:
        self.done: list[str] = []
        self._window, self._raw, self._litter, self._rng = window, raw, litter, rng
        self._weighed: tuple[tuple[Callable[[], None], float], ...] = (
            (self.trigger, 10),
            (self.click, 10),
            (self.click_twice, 2),
            (self.drag, 8),
            (self.wheel, 4),
            (self.press, 12),
            (self.type, 4),
            (self.choose, 4),
            (self.slide, 2),
            (self.undo, 2),
            (self.resize, 0.5),
            (self.select, 1),
            (self.drop, 4),
            (self.process, 2),
            (self.grow, 1),
            (self.kill, 0.6),
            (self.remove, 0.3),
        )

    def any(self) -> None:
        """Do one of them."""
        deeds, weights = zip(*self._weighed, strict=True)
        self._rng.choices(deeds, weights)[0]()

    def _note(self, deed: str) -> None:
        self.done.append(deed)

    def _seen(self, kind: type[Kind]) -> list[Kind]:
        """Give the widgets that a hand could reach."""
        tops = [top for top in QApplication.topLevelWidgets() if top.isVisible()]
        found = [one for top in tops for one in (top, *top.findChildren(kind)) if isinstance(one, kind)]
        return [one for one in found if one.isVisible() and one.isEnabled()]

    def _place(self, widget: QWidget) -> QPoint:
        return QPoint(
            self._rng.randrange(max(widget.width(), 1)), self._rng.randrange(max(widget.height(), 1))
        )

    def _actions(self) -> list[QAction]:
        found: list[QAction] = []

        def walk(menu: QMenu) -> None:
            menu.aboutToShow.emit()
            for action in menu.actions():
                text = action.text().lower().replace("&", "")
                if (inner := action.menu()) is not None:
                    walk(inner)
                elif action.isEnabled() and not action.isSeparator() and not any(end in text for end in ENDS):
                    found.append(action)

        for action in self._window.menuBar().actions():
            if (menu := action.menu()) is not None:
                walk(menu)
        return found

    def trigger(self) -> None:
        """Take an action of a menu."""
        if not self._seen(Palette):
            action = self._rng.choice(self._actions())
            self._note(f"action {action.text()}")
            action.trigger()

    def click(self) -> None:
        """Click something."""
        widget = self._rng.choice(self._seen(QWidget))
        button = self._rng.choice([Qt.MouseButton.LeftButton] * 4 + [Qt.MouseButton.RightButton])
        self._note(f"click {_name(widget)} {button}")
        QTest.mouseClick(widget, button, self._rng.choice(MODIFIERS), self._place(widget))

    def click_twice(self) -> None:
        """Double-click something."""
        widget = self._rng.choice(self._seen(QWidget))
        self._note(f"double click {_name(widget)}")
        QTest.mouseDClick(
            widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, self._place(widget)
        )

    def drag(self) -> None:
        """Drag over something, pictures first of all."""
        areas = [area.viewport() for area in self._seen(QAbstractScrollArea)]
        widget = self._rng.choice(areas if areas and self._rng.random() < 0.8 else self._seen(QWidget))
        left, others = Qt.MouseButton.LeftButton, (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton)
        button, held = self._rng.choice([left, left, left, *others]), self._rng.choice(MODIFIERS)
        self._note(f"drag {_name(widget.parentWidget() or widget)} {button}")
        QTest.mousePress(widget, button, held, self._place(widget))
        for _ in range(self._rng.randrange(1, 8)):
            if sip.isdeleted(widget):
                return
            at = self._place(widget)
            event = QMouseEvent(
                QEvent.Type.MouseMove,
                QPointF(at),
                QPointF(widget.mapToGlobal(at)),
                Qt.MouseButton.NoButton,
                button,
                held,
            )
            QApplication.sendEvent(widget, event)
            spin(self._rng.choice([0, 5, 20]))
        if not sip.isdeleted(widget):
            QTest.mouseRelease(widget, button, held, self._place(widget))

    def wheel(self) -> None:
        """Turn the wheel over something."""
        widget = self._rng.choice(self._seen(QWidget))
        self._note(f"wheel {_name(widget)}")
        at, turned = self._place(widget), QPoint(0, self._rng.choice([-120, 120, -480, 480]))
        event = QWheelEvent(
            QPointF(at),
            QPointF(widget.mapToGlobal(at)),
            QPoint(0, 0),
            turned,
            Qt.MouseButton.NoButton,
            self._rng.choice(MODIFIERS),
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    def press(self) -> None:
        """Press a key where the focus is."""
        widget, key, held = (
            QApplication.focusWidget() or self._window,
            self._rng.choice(KEYS),
            self._rng.choice(MODIFIERS),
        )
        if key != Qt.Key.Key_Q:
            self._note(f"key {key} {int(held)} on {_name(widget)}")
            QTest.keyClick(widget, key, held)

    def type(self) -> None:
        """Type something into a field, wise or not."""
        if fields := self._seen(QLineEdit):
            field, text = self._rng.choice(fields), self._rng.choice(TEXTS)
            self._note(f"type {text[:20]!r} into {_name(field)}")
            field.setFocus()
            field.selectAll()
            field.insert(text)
            if not sip.isdeleted(field):
                QTest.keyClick(
                    field, self._rng.choice([Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Escape])
                )

    def choose(self) -> None:
        """Choose from a list."""
        if boxes := [box for box in self._seen(QComboBox) if box.count()]:
            box = self._rng.choice(boxes)
            at = self._rng.randrange(box.count())
            self._note(f"choose {box.itemText(at)!r} in {_name(box)}")
            box.setCurrentIndex(at)
            box.activated.emit(at)

    def slide(self) -> None:
        """Move a slider or a scroll bar."""
        if sliders := self._seen(QAbstractSlider):
            slider = self._rng.choice(sliders)
            self._note(f"slide {_name(slider)}")
            slider.setValue(self._rng.randint(slider.minimum(), slider.maximum()))

    def undo(self) -> None:
        """Undo or redo."""
        held = Qt.KeyboardModifier.ControlModifier
        if self._rng.random() < 0.5:
            held |= Qt.KeyboardModifier.ShiftModifier
        self._note(f"undo or redo, {int(held)}")
        QTest.keyClick(self._window, Qt.Key.Key_Z, held)

    def resize(self) -> None:
        """Make the window larger or smaller."""
        size = self._rng.choice(SIZES)
        self._note(f"resize to {size}")
        self._window.resize(*size)

    def select(self) -> None:
        """Go to another run; add the runs again where there is none."""
        if runs := self._window.bridge.session.runs:
            run = self._rng.choice(runs)
            self._note(f"select {run.path.name}")
            self._window.bridge.change(changes.select_run, run.run_id)
        else:
            self._note("add the runs again")
            self._window.arrivals.add_paths(self._raw, process=True)

    def drop(self) -> None:
        """Drop some files, of which most are broken."""
        paths = self._rng.sample(sorted(self._litter.iterdir()), self._rng.randrange(1, 4))
        self._note(f"drop {', '.join(path.name for path in paths)}")
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        target = self._window if self._rng.random() < 0.6 else self._rng.choice(self._seen(QWidget))
        at = self._place(target)
        entering = QDragEnterEvent(
            at,
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(target, entering)
        if entering.isAccepted():
            dropping = QDropEvent(
                QPointF(at),
                Qt.DropAction.CopyAction,
                data,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
            QApplication.sendEvent(target, dropping)

    def process(self) -> None:
        """Process the selected runs."""
        self._note("process")
        self._window.processing.start_selected()

    def grow(self) -> None:
        """Let a run that was cut short grow."""
        self._note("grow")
        whole = self._raw[0].read_bytes()
        with (self._litter / "Run77").open("ab") as file:
            start = len(whole) // 2
            file.write(whole[start : start + self._rng.randrange(20_000)])

    def kill(self) -> None:
        """Kill a worker."""
        if workers := list(self._window.bridge.runner._running.values()):
            self._note("kill a worker")
            self._rng.choice(workers).process.kill()

    def remove(self) -> None:
        """Remove a file that was made."""
        if files := sorted(self._raw[0].parent.glob("t?_run*.h5")):
            file = self._rng.choice(files)
            self._note(f"remove {file.name}")
            file.unlink()


def _name(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.accessibleName() or widget.objectName()}".strip()


def spin(milliseconds: int) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def strew(folder: Path, whole: Path, made: list[Path], rng: random.Random) -> None:
    """Make files that are cut, hurt, of another kind or of no kind, beside some that are good."""
    raw = whole.read_bytes()
    (folder / "Run77").write_bytes(raw[: len(raw) // 2])
    (folder / "Run78").write_bytes(hurt(raw, rng, 200, start=4000))
    (folder / "junk.bin").write_bytes(rng.randbytes(5000))
    (folder / "empty").write_bytes(b"")
    (folder / "odd.json").write_text('{"chain": [{"name": "trap_max"}]}')
    (folder / "broken.json").write_text('{"a": [1,2}')
    (folder / "map.csv").write_text("crate,card,channel,name\n0,1,0,P1\n0,1,1,P2\n")
    (folder / "map.json").write_text(json.dumps([{"crate": 0, "card": 1, "channel": 0, "name": "D1"}]))
    (folder / "bad.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + rng.randbytes(3000))
    for path in made:
        shutil.copy(path, folder / f"copy_{path.name}")
        (folder / f"hurt_{path.name}").write_bytes(hurt(path.read_bytes(), rng, 30))


def hurt(data: bytes, rng: random.Random, n: int, start: int = 0) -> bytes:
    """Change some bytes."""
    changed = bytearray(data)
    for _ in range(n):
        changed[rng.randrange(start, len(changed))] = rng.randrange(256)
    return bytes(changed)


def main(seed: int, number: int) -> int:
    """Do them, and tell how many errors there were."""
    faulthandler.enable()
    rng, folder = random.Random(seed), Path.cwd()
    QDesktopServices.openUrl = lambda _url: True  # type: ignore[method-assign,assignment]
    runs = [RunShape(run_number=run, n_events=900, n_samples=800, pulse_at=300) for run in (12, 13)]
    raw = [write_run(folder / f"Run{run.run_number}", run) for run in runs]
    application = program.make_app()
    options = program.parser().parse_args(["--output", str(folder), "--theme", rng.choice(["light", "dark"])])
    window = program.make_window(options, (Session(), ""), remembers=False)
    deeds, errors = Deeds(window, raw, Path(tempfile.mkdtemp(dir=folder)), rng), []

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        errors.append(text)
        print(f"error after {deeds.done[-TOLD_BEFORE:]}:\n{text}", flush=True)

    class Telling(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1] is not None:
                tell(type(record.exc_info[1]), record.exc_info[1], record.exc_info[2])

    def unexpected(error: Any) -> None:
        from pygama.errors import PygamaError

        if not isinstance(error, PygamaError | OSError):
            tell(type(error), error, error.__traceback__)

    sys.excepthook = tell
    logging.getLogger().addHandler(Telling())
    window.bridge.threads.failed.connect(unexpected)
    window.resize(*rng.choice(SIZES))
    window.show()
    window.arrivals.add_paths(raw, process=True)
    end = time.monotonic() + HANGS_S
    while time.monotonic() < end and (window.bridge.active() or not window.bridge.threads.are_idle):
        spin(20)
    strew(deeds._litter, raw[0], sorted(folder.glob("t?_run*.h5")), rng)

    def close_what_waits() -> None:
        waiting = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if waiting is not None and rng.random() < 0.5:
            waiting.close()

    closing = QTimer()
    closing.timeout.connect(close_what_waits)
    closing.start(150)
    while len(deeds.done) < number and window.isVisible():
        faulthandler.dump_traceback_later(HANGS_S, exit=True)
        try:
            deeds.any()
        except RuntimeError as error:
            if "has been deleted" not in str(error):  # what was under the hand went away meanwhile
                tell(type(error), error, error.__traceback__)
        spin(rng.choice([0, 1, 5, 20]))
    print(f"seed {seed}: {len(deeds.done)} deeds, {len(errors)} errors", flush=True)
    closing.stop()
    window.bridge.close()
    application.closeAllWindows()
    faulthandler.cancel_dump_traceback_later()
    return 1 if errors or len(deeds.done) < number else 0


if __name__ == "__main__":
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="random-deeds-", ignore_cleanup_errors=True) as own:
        os.chdir(own)  # what is saved without a folder comes to lie there too
        code = main(int(sys.argv[1]), int(sys.argv[2]))
        os.chdir(here)
    sys.stdout.flush()
    os._exit(code)
