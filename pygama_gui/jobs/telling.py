"""Carries what the work tells from the worker to the window, no faster than the window hears it.

The pipe speaks both ways. The worker is sent the job first, then 'pause', 'resume', 'stop', 'finish' (end
well: a file is no longer followed) and whole numbers: how many messages the window has heard since. They are
read whenever the work tells something, in the thread that does the work, so a stop is raised where the work
can clean up.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from pygama.errors import PygamaError, Stopped
from pygama.progress import Done, Failed, Message, Note, Partial, Progress, StoppedByRequest, Tell
from pygama_gui.jobs.spec import JobSpec

Ending = Done | Failed | StoppedByRequest
"""The last message of a job is one of these."""
Clock = Callable[[], float]

INTERVAL_S = 0.1
"""Progress and Partials are sent this far apart."""
SIGN_OF_LIFE_S, RARE_SIGN_S = 0.9, 10.0
"""While nothing comes from a file that is followed, the last Progress is sent again after this time."""
SIGN_SHARE = 12
"""The longer nothing came the rarer: a twelfth of that time lies between two signs, within these limits."""
ROOM = 16
"""Messages on their way at most; further Progress is dropped, further Partials are joined."""
PENDING_BYTES = 64 * 2**20
"""Partials that wait, at most; above it the work waits for the window."""
SAMPLE_WAVEFORMS = 32
"""Waveforms of each decoder that a Partial carries at most: the newest."""


def serve(pipe: Connection, target: str) -> None:
    """Import the target, take one job from the pipe, do it and tell how it ended."""
    _warm(target)
    try:
        spec = pipe.recv()
    except (EOFError, OSError):
        return
    if isinstance(spec, JobSpec):
        tell = Teller(pipe)
        with _log_told(tell):
            ending = _do(target, spec, tell)
        tell.end(ending)


def _warm(target: str) -> None:
    try:
        find(target)
    except Exception:  # noqa: BLE001
        return  # the job meets it again and tells


def find(target: str) -> Callable[[JobSpec, Tell], None]:
    """Import what a worker is to do, 'module:function'."""
    module, _, name = target.partition(":")
    function: Callable[[JobSpec, Tell], None] = getattr(importlib.import_module(module), name)
    return function


def _do(target: str, spec: JobSpec, tell: Teller) -> Ending:
    start = time.monotonic()
    try:
        find(target)(spec, tell)
    except Stopped:
        return StoppedByRequest()
    except PygamaError as error:
        return Failed(str(error))
    except MemoryError:
        return Failed(
            f"{spec.path.name} needs more memory than there is; no output was changed. "
            "Close other programs or run fewer jobs at once, and start it again.",
            traceback.format_exc(),
        )
    except Exception as error:  # noqa: BLE001  (whatever it is, the window must hear of it)
        text = f"{spec.path.name}: something unexpected happened, no output was changed"
        return Failed(f"{text} ({type(error).__name__}: {error})", traceback.format_exc())
    return Done((), tell.rows, time.monotonic() - start)


@contextlib.contextmanager
def _log_told(tell: Tell) -> Iterator[None]:
    """Tell what the library writes to its log, which nobody would see in a worker."""
    logger, listener = logging.getLogger("pygama"), _LogTeller(tell)
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)


class _LogTeller(logging.Handler):
    """Passes warnings on as notes; those of other threads are left out, as a Teller is for one thread."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            level = "error" if record.levelno >= logging.ERROR else "warning"
            with contextlib.suppress(Stopped):  # nobody expects it from a log; the next message raises it
                self._tell(Note(record.getMessage(), level))


class Teller:
    """A `tell` that sends to the window and obeys it; called from one thread.

    Raises Stopped at the first message after a stop, and blocks while the job is paused.
    """

    def __init__(self, pipe: Connection, clock: Clock = time.monotonic) -> None:
        self.rows = 0
        self._pipe = pipe
        self._clock = clock
        self._unheard = 0
        self._is_paused = False
        self._is_stopped = False
        self._has_ended = False
        self._is_finishing = False
        self._newest: Progress | None = None
        self._progress: Progress | None = None
        self._progress_due = -math.inf
        self._came_at = math.inf
        self._partials = WaitingPartials()
        self._partials_due = -math.inf

    def __call__(self, message: Message) -> None:
        """Send a message, now or with the next ones of its kind."""
        if isinstance(message, Ending):
            self.end(message)
            return
        if isinstance(message, Note) and self._is_stopped:
            self._send(message)
            return
        self._obey()
        if isinstance(message, Progress):
            self._progress = self._newest = message
            self._came_at = self._clock()
            self.rows = message.rows
        elif isinstance(message, Partial):
            self._partials.add(message)
        else:
            self._wait_until(self._has_room)
            self._send(message)
        self._send_what_is_due()
        self._wait_until(self._is_light)

    def goes_on(self) -> bool:
        """Say while a file is followed whether it still should be; sends a sign of life.

        Raises Stopped after a stop, and blocks while the job is paused.
        """
        self._obey()
        now = self._clock()
        pause_s = min(max((now - self._came_at) / SIGN_SHARE, SIGN_OF_LIFE_S), RARE_SIGN_S)
        if now >= self._progress_due + pause_s:
            self._progress = self._newest
        self._send_what_is_due()
        return not self._is_finishing

    def end(self, message: Ending) -> None:
        """Send all that waits and then the ending; nothing is sent after the first ending."""
        if self._has_ended:
            return
        self._has_ended = True
        with contextlib.suppress(Stopped):
            self._send_what_waits()
            self._send(message)

    def _obey(self) -> None:
        while not self._is_stopped and self._has_mail():
            self._read()
        if self._is_paused:
            self._send_what_waits()
        self._wait_until(lambda: not self._is_paused)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        while not self._is_stopped and not condition():
            self._read()
            self._send_what_is_due()
        if self._is_stopped:
            raise Stopped("The work was stopped on request.")

    def _has_mail(self) -> bool:
        try:
            return self._pipe.poll()
        except OSError:
            self._is_stopped = True
            return False

    def _read(self) -> None:
        try:
            word = self._pipe.recv()
        except (EOFError, OSError):
            word = "stop"
        if isinstance(word, int):
            self._unheard -= word
        elif word == "stop":
            self._is_stopped = True
        elif word == "finish":
            self._is_finishing, self._is_paused = True, False
        else:
            self._is_paused = word == "pause"

    def _has_room(self) -> bool:
        return self._unheard < ROOM

    def _is_light(self) -> bool:
        return self._partials.n_bytes <= PENDING_BYTES

    def _send_what_is_due(self) -> None:
        now = self._clock()
        if self._progress and now >= self._progress_due and self._has_room():
            self._send_progress()
            self._progress_due = now + INTERVAL_S
        if self._partials and (now >= self._partials_due or not self._is_light()) and self._has_room():
            self._send_partials()
            self._partials_due = now + INTERVAL_S

    def _send_what_waits(self) -> None:
        self._send_partials()
        self._send_progress()

    def _send_progress(self) -> None:
        if self._progress:
            self._send(self._progress)
            self._progress = None

    def _send_partials(self) -> None:
        for partial in self._partials.take():
            self._send(partial)

    def _send(self, message: Message) -> None:
        try:
            self._pipe.send(message)
        except OSError as error:
            self._is_stopped = True
            raise Stopped("The window that started the work is gone.") from error
        self._unheard += 1


@dataclass(slots=True)
class _Pile:
    """Partials of one decoder with the same columns."""

    columns: list[dict[str, np.ndarray]]
    waveforms: np.ndarray | None
    waveform_rows: dict[str, np.ndarray]

    def joined(self, decoder: str) -> Partial:
        columns = {name: np.concatenate([part[name] for part in self.columns]) for name in self.columns[0]}
        return Partial(decoder, columns, self.waveforms, self.waveform_rows)


class WaitingPartials:
    """Partials that wait to be sent: rows joined, of the sample waveforms the newest kept.

    Arrays are copied, so the work may use its own again.
    """

    def __init__(self) -> None:
        self.n_bytes = 0
        self._piles: dict[tuple[str, ...], _Pile] = {}

    def __bool__(self) -> bool:
        return bool(self._piles)

    def add(self, partial: Partial) -> None:
        """Keep a Partial; one that carries nothing is dropped."""
        columns = {name: np.array(values) for name, values in partial.columns.items()}
        if not any(map(len, columns.values())) and partial.waveforms is None:
            return
        pile = self._piles.setdefault((partial.decoder, *sorted(columns)), _Pile([], None, {}))
        pile.columns.append(columns)
        self.n_bytes += sum(values.nbytes for values in columns.values())
        if partial.waveforms is not None:
            _add_waveforms(pile, partial.waveforms, partial.waveform_rows)

    def take(self) -> list[Partial]:
        """Give what waits, joined, and start anew."""
        piles, self._piles, self.n_bytes = self._piles, {}, 0
        return [pile.joined(key[0]) for key, pile in piles.items()]


def _add_waveforms(pile: _Pile, waveforms: np.ndarray, rows: dict[str, np.ndarray]) -> None:
    old, old_rows = pile.waveforms, pile.waveform_rows
    if old is None or old.shape[1:] != waveforms.shape[1:] or old_rows.keys() != rows.keys():
        old, old_rows = waveforms[:0], {name: values[:0] for name, values in rows.items()}
    pile.waveforms = _newest(old, waveforms)
    pile.waveform_rows = {name: _newest(old_rows[name], values) for name, values in rows.items()}


def _newest(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    return np.concatenate([old, new[-SAMPLE_WAVEFORMS:]])[-SAMPLE_WAVEFORMS:]
