"""Keeps what a person set: saved soon after each change, and found again however the program ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PyQt5.QtCore import QLockFile, QObject, QTimer, pyqtSignal

from pygama.errors import SettingsError
from pygama_gui.bridge import Bridge
from pygama_gui.session import places, saved
from pygama_gui.session.state import Session

SAVE_AFTER_MS = 700
"""Changes within this time are saved at once; a crash loses no more."""

logger = logging.getLogger("pygama_gui")


def restored() -> tuple[Session, str]:
    """Read the session of last time; gives a new one and the reason where that cannot be.

    A file that is damaged is put aside, so that it is not written over.
    """
    path = places.session_file()
    try:
        return saved.load(path), ""
    except FileNotFoundError:
        return Session(), ""
    except OSError as error:
        return Session(), f"The last session could not be read: {error}"
    except SettingsError as error:
        return Session(), f"The last session could not be restored: {error}. {put_aside()}"


def put_aside() -> str:
    """Put a session that cannot be used where it is not written over; says where."""
    path = places.session_file()
    aside = path.with_name("session.damaged.json")
    try:
        path.replace(aside)
    except OSError as error:
        return f"It could not be put aside: {error}"
    return f"It was put aside as {aside}"


class Keeper(QObject):
    """Saves the session in a thread of its own, if it has changed; the timer rests otherwise."""

    _was_saved = pyqtSignal(object, object)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._saved: Session | None = None
        self._trouble = ""
        self._is_saving = False
        self.is_alone = True
        """Whether no other window keeps its session in the same place; of two, the first one does."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="save the session")
        self._lock = QLockFile(str(places.running_file()))
        self._lock.setStaleLockTime(0)
        self._was_saved.connect(self._end_saving)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER_MS)
        self._timer.timeout.connect(self._save)

    def begin(self) -> bool:
        """Note that the program runs; tells whether it was ended last time before it could close."""
        path = places.running_file()
        if _error_of(lambda: path.parent.mkdir(parents=True, exist_ok=True)):
            return False  # the first attempt to save says why
        was_there = path.exists()
        is_taken = not self._lock.tryLock(0) and self._lock.error() == QLockFile.LockError.LockFailedError
        self.is_alone = not is_taken
        if not self.is_alone:
            return False
        for half in path.parent.glob(f"{places.session_file().name}.*.part"):
            half.unlink(missing_ok=True)
        return was_there

    def save_soon(self) -> None:
        """Save the session once, some time after the first of several changes."""
        if self.is_alone and not self._timer.isActive():
            self._timer.start()

    def end(self) -> None:
        """Save the session now, and note that the program ended as it should. Called once, at the end."""
        self._timer.stop()
        self._pool.shutdown(wait=True)
        if not self.is_alone:
            return
        if error := _error_of(lambda: saved.save(self._bridge.session, places.session_file())):
            logger.error("%s", _not_kept(error))
        self._lock.unlock()

    def _save(self) -> None:
        session = self._bridge.session
        if self._is_saving:
            self._timer.start()
        elif session is not self._saved:
            self._is_saving = True
            path = places.session_file()
            future = self._pool.submit(_error_of, lambda: saved.save(session, path))
            future.add_done_callback(lambda done: self._tell(session, done))

    def _tell(self, session: Session, done: Future[str]) -> None:
        self._was_saved.emit(session, done.result())

    def _end_saving(self, session: Session, error: str) -> None:
        self._is_saving = False
        if error:
            if error != self._trouble:
                self._bridge.log(_not_kept(error), "error")
        else:
            self._saved = session
        self._trouble = error


def _error_of(save: Callable[[], None]) -> str:
    """Do it and give the reason if it fails; what cannot be saved must not keep anybody from working."""
    try:
        save()
    except (OSError, ValueError, TypeError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


def _not_kept(reason: str) -> str:
    folder = places.session_file().parent
    return (
        f"What is set is not kept for the next start, because '{folder}' cannot be written ({reason}); "
        "File > Save session as… keeps it elsewhere"
    )


def missing(session: Session) -> list[Path]:
    """List the raw files of a session that are not where they were."""
    return [run.path for run in session.runs if not run.path.exists()]
