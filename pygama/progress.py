"""Says what the work has done so far: one stream of messages for script, command line, window and tests.

Whoever starts work may pass `tell`, a function of one message. A script gets a progress bar, a worker
process a pipe, a test a list. `tell` may raise `errors.Stopped`: the work then cleans up and ends.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import field
from pathlib import Path

import numpy as np

from pygama.quick_dataclass import dataclass

CUT_SHORT = "the last record is cut short"
"""How the note of a raw file begins that ends within a record: hits that were read out last are missing."""


@dataclass(frozen=True, slots=True)
class Started:
    """Work on one file begins; what its header says."""

    path: Path
    total_bytes: int
    run_number: int
    sub_run: int
    start_time: int
    decoders: tuple[str, ...]
    """Names of the decoders that will run."""
    unsupported: tuple[str, ...] = ()
    """Names of the record types in the header that no decoder reads yet."""
    records: tuple[tuple[int, str], ...] = ()
    """All record types of the header: (id, decoder name), by name."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is. Bytes are of the file that is read, raw or Tier 1."""

    done_bytes: int
    total_bytes: int
    packets: int
    rows: int
    offset: int = 0
    """Byte offset of the record reached, for a crash report."""
    begun: int = 0
    """Rows that may have been begun, from the first on, for a crash report; 0 where that is not known."""

    @property
    def fraction(self) -> float:
        """0 to 1; 0 where the total is unknown."""
        return min(self.done_bytes / self.total_bytes, 1.0) if self.total_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Partial:
    """New rows, for live plots: small, sent a few times a second.

    columns: name -> (n_rows,) of all Tier 2 columns of the rows since the last Partial.
    waveforms: a few sample waveforms (k, n_samples) with their own columns in `waveform_rows`.
    """

    decoder: str
    columns: dict[str, np.ndarray]
    waveforms: np.ndarray | None = None
    waveform_rows: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the log. level: 'info', 'warning' or 'error'."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Done:
    """The work is finished and its files are whole."""

    outputs: tuple[Path, ...]
    rows: int
    elapsed_s: float
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of each table."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The work ended with an error; no output was changed."""

    text: str
    details: str = ""
    ended_after: int | None = None
    """Byte offset of the last record told of, 0 for none, where the process ended without a word."""


@dataclass(frozen=True, slots=True)
class StoppedByRequest:
    """The work was stopped; no output was changed."""


Message = Started | Progress | Partial | Note | Done | Failed | StoppedByRequest
Tell = Callable[[Message], None]


def tell_nobody(message: Message) -> None:
    """Take a message and do nothing."""


def shows_partials(tell: Tell) -> bool:
    """Tell whether someone looks at Partials; a `tell` with an attribute `partials = False` does not."""
    return tell is not tell_nobody and getattr(tell, "partials", True)


class KeepsWarnings:
    """Passes all messages on, and keeps the text of each warning: for the file that is made."""

    def __init__(self, tell: Tell) -> None:
        self.texts: list[str] = []
        self.partials = shows_partials(tell)
        self._tell = tell

    def __call__(self, message: Message) -> None:
        if isinstance(message, Note) and message.level != "info":
            self.texts.append(message.text)
        self._tell(message)


class print_progress:  # noqa: N801  (used like a function)
    """Print progress as a bar on a terminal, as plain lines at each tenth in a log.

    Pass an instance as `tell`.
    """

    WIDTH = 20
    partials = False

    def __init__(self) -> None:
        # A program without a console has no stdout.
        self._is_terminal = sys.stdout is not None and sys.stdout.isatty()
        self._tenth = -1
        self._last = 0.0
        self._open_line = False

    def __call__(self, message: Message) -> None:
        if isinstance(message, Progress):
            self._progress(message)
        elif isinstance(message, Note):
            self.end_line()
            stream = sys.stdout if message.level == "info" else sys.stderr
            print(message.text, file=stream, flush=True)

    def _progress(self, message: Progress) -> None:
        bar = "#" * round(message.fraction * self.WIDTH)
        percent = f"{100 * message.fraction:.3f}% done."
        text = f"PROGRESS : [{bar:<{self.WIDTH}}] {percent}  last packet ID: {message.packets}"
        if self._is_terminal:
            now = time.monotonic()
            if now - self._last > 0.1 or message.fraction == 1.0:
                self._last = now
                print("\r" + text, end="", flush=True)
                self._open_line = True
        elif int(message.fraction * 10) > self._tenth:
            self._tenth = int(message.fraction * 10)
            print(text, flush=True)

    def end_line(self) -> None:
        """End a bar that is still being drawn, before other text."""
        if self._open_line:
            print()
            self._open_line = False
