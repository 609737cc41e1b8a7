"""Measures how long the event loop is blocked, and when something first stands on the screen."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

from PyQt5.QtCore import QEvent, QObject, Qt, QTimer
from PyQt5.QtWidgets import QWidget

BEAT_MS = 5


class Heartbeat(QObject):
    """A timer that should fire every 5 ms; whatever it is late by, the loop was blocked."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.longest_ms = 0.0
        self.at_s = 0.0
        """Seconds after the start at which the longest block ended."""
        self.own_ms = 0.0
        """Longest time between two beats that the loop itself was at work; the rest it waited for a core."""
        self.n_late = 0
        """Blocks longer than 50 ms."""
        self._worked = time.thread_time()
        self._began = self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin to measure."""
        self.longest_ms, self.own_ms, self.n_late = 0.0, 0.0, 0
        self._worked = time.thread_time()
        self._began = self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """End it."""
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        late_ms = 1000 * (now - self._last) - BEAT_MS
        self._last = now
        worked = time.thread_time()
        self.own_ms = max(self.own_ms, 1000 * (worked - self._worked))
        self._worked = worked
        self.n_late += late_ms > 50
        if late_ms > self.longest_ms:
            self.longest_ms, self.at_s = late_ms, now - self._began


def program_began() -> float:
    """Give when this program was started, in the seconds of `time.perf_counter`; NaN where nobody tells."""
    try:
        told = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        after_boot = int(told[19]) / os.sysconf("SC_CLK_TCK")
        return time.perf_counter() - (time.clock_gettime(time.CLOCK_BOOTTIME) - after_boot)
    except (OSError, AttributeError, ValueError, IndexError):
        return math.nan


class FirstPaint(QObject):
    """Notes when a widget is first painted after its data were put into it."""

    def __init__(self, viewport: QWidget) -> None:
        super().__init__(viewport)
        self.at: float | None = None
        self._has_data = False
        viewport.installEventFilter(self)

    def reset(self) -> None:
        """Wait for the next first time."""
        self.at, self._has_data = None, False

    def data_came(self) -> None:
        """Note that the next painting shows data."""
        self._has_data = True

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Watch for the painting; it takes place after this, so its end is noted."""
        if self._has_data and self.at is None and event is not None and event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._note)
        return False

    def _note(self) -> None:
        if self.at is None:
            self.at = time.perf_counter()
