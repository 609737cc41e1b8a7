"""Does work in threads, one for each kind, and hands what comes back over in the main one.

What comes back first is handed over at once, the next in another turn of the event loop: Qt would go on with
what was posted meanwhile, painting too, before it looks at keys, mouse and timers again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, get_args

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

Kind = Literal[
    "read files",
    "compute",
    "look at disk",
    "find record",
    "count",
    "tally cuts",
    "follow hand",
    "find live time",
    "tag hits",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""One thread each: HDF5 files bear no second one, and no kind of work waits long for another."""
AWAITED: tuple[Kind, ...] = ("read files", "follow hand")
"""What a hand waits for."""
FREE: tuple[Kind, ...] = ("follow hand", "look at disk")
"""What leaves the interpreter to others as it works, and so never waits for its turn."""
NICENESS = 10
"""How far the other threads stand back behind the loop, which else waits for a core while they compute."""
TURN_MS = 1
"""Not 0: that would be after all that comes from a hand that moves."""
ALONE_S = 0.3
"""How long work is left alone: what takes longer goes on beside the next."""
AWAITED_S = 0.1
"""How long what a hand waits for lets others be alone."""


def _stand_back() -> None:
    # Elsewhere this would hold for the whole program.
    if sys.platform.startswith("linux"):
        os.nice(NICENESS)


def _thread(kind: Kind) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, kind, initializer=None if kind in AWAITED else _stand_back)


class Turns:
    """Lets work of several threads begin one after the other.

    The loop waits for the interpreter's lock behind every thread that computes, some 5 ms for each.
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._holder = object()
        self._alone_until = 0.0

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Wait until no other work is under way that began less than `ALONE_S` ago.

        patience: how long to wait at most [s].
        """
        mine, wait_until = object(), time.monotonic() + patience
        with self._free:
            while (left := min(self._alone_until, wait_until) - time.monotonic()) > 0:
                self._free.wait(left)
            self._holder, self._alone_until = mine, time.monotonic() + ALONE_S
        try:
            yield
        finally:
            with self._free:
                if self._holder is mine:
                    self._alone_until = 0.0
                self._free.notify_all()


class Threads(QObject):
    """The threads of the window."""

    failed = pyqtSignal(object)
    """The error that work ended with."""
    _came_back = pyqtSignal(object, object, object)

    def __init__(self) -> None:
        super().__init__()
        self._pools = {kind: _thread(kind) for kind in KINDS}
        self._turns = Turns()
        self.is_closed = False
        """Whether the program is ending: nothing is taken any more, and nothing handed over."""
        self._n_under_way = 0
        self.before_end: list[Callable[[], None]] = []
        """What stops work that would not end by itself, called before it is waited for."""
        # Queued: what is done at once must not be handed over in the middle of asking for it.
        self._came_back.connect(  # type: ignore[call-arg]
            lambda *answer: self._line_up(*answer), Qt.ConnectionType.QueuedConnection
        )
        self._answers: deque[tuple[Callable[[Any], None], Callable[[], None], Future[Any]]] = deque()
        self._asked: deque[Callable[[], None]] = deque()
        self._sending = QTimer(self)
        self._sending.setInterval(TURN_MS)
        self._sending.setSingleShot(True)
        self._sending.timeout.connect(self._send_asked)
        self._turn = QTimer(self)
        self._turn.setInterval(TURN_MS)
        self._turn.timeout.connect(self._hand_over)

    def warm_up(self) -> None:
        """Begin all threads: who asks for work first would wait until its thread gets a core."""
        for pool in self._pools.values():
            pool.submit(int)

    @property
    def are_idle(self) -> bool:
        """Whether all work that was asked for is done and handed over."""
        return not self._n_under_way

    def do(
        self,
        kind: Kind,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None] = lambda: None,
    ) -> None:
        """Do work in the thread of its kind, then hand its result to `then` in the main one.

        It begins in the next turn of the loop: what asked for it would be held up, and its painting.
        otherwise: called if the work went wrong, after `failed` has told of it.
        """
        if self.is_closed:
            return
        self._n_under_way += 1
        if kind in FREE:
            self._send(kind, work, then, otherwise)
        else:
            self._asked.append(partial(self._send, kind, partial(self._in_turn, kind, work), then, otherwise))
            if not self._sending.isActive():
                self._sending.start()

    def _send_asked(self) -> None:
        """Give the threads what was asked for."""
        while self._asked:
            self._asked.popleft()()

    def _send(
        self,
        kind: Kind,
        work: Callable[[], Any],
        then: Callable[[Any], None],
        otherwise: Callable[[], None],
    ) -> None:
        future = self._pools[kind].submit(work)
        future.add_done_callback(lambda done: self._came_back.emit(then, otherwise, done))

    def _in_turn(self, kind: Kind, work: Callable[[], Any]) -> Any:
        with self._turns.turn(AWAITED_S if kind in AWAITED else ALONE_S):
            return work()

    def _line_up(
        self, then: Callable[[Any], None], otherwise: Callable[[], None], future: Future[Any]
    ) -> None:
        self._answers.append((then, otherwise, future))
        if not self._turn.isActive():
            self._turn.start()
            self._hand_over()

    def _hand_over(self) -> None:
        """Hand over the answer that came first; end where none has come in this turn."""
        if self._answers:
            self._finish(*self._answers.popleft())
        else:
            self._turn.stop()

    def _finish(
        self, then: Callable[[Any], None], otherwise: Callable[[], None], future: Future[Any]
    ) -> None:
        self._n_under_way -= 1
        if future.cancelled() or self.is_closed:
            return
        if (error := future.exception()) is not None:
            self.failed.emit(error)
            otherwise()
            return
        then(future.result())

    def close(self) -> None:
        """End the threads; what is under way is waited for, what waits is left."""
        self.is_closed = True
        self._turn.stop()
        self._sending.stop()
        self._n_under_way -= len(self._asked)
        self._asked.clear()
        for stop in self.before_end:
            stop()
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
