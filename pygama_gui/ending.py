"""Ends the program as it should when the system asks for it: SIGTERM, a terminal that closes, Ctrl+C."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType

from PyQt5.QtCore import QObject, QSocketNotifier

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name))


class Ending(QObject):
    """Calls `then` in Qt's loop at the first such signal; the second ends the program at once.

    Python sees a signal only when it runs, and Qt's loop may rest for hours; a byte in a socket wakes it.
    """

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._notifier = QSocketNotifier(
            self._read.fileno(),  # type: ignore[arg-type]  # an int will do
            QSocketNotifier.Type.Read,
            self,
        )
        self._notifier.activated.connect(self._wake)
        self._woke_before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._end) for number in SIGNALS}

    def close(self) -> None:
        """Let signals do again what they did before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._woke_before)
        for number, before in self._before.items():
            signal.signal(number, before)
        self._read.close()
        self._write.close()

    def _wake(self, _socket: int) -> None:
        """Empty the socket; Python runs, so that the signal is heard."""
        self._read.recv(64)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        self._then()
