"""Decides at the end of a file that still grows whether more is expected."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from pygama.errors import PygamaError
from pygama.orca.header import HEAD_BYTES, RUN_DECODER, RUN_RECORD_WORDS, HeaderExtent, record_key
from pygama.orca.packets import read_header
from pygama.progress import Note, Tell
from pygama_gui.jobs.spec import JobSpec

PATIENCE_S = 600.0
"""A run from which nothing came for so long is taken for finished."""
PROOF_S = 60.0
"""A run of which nobody knows whether it grows is taken for finished after so long without anything new."""
_MARKS = 0b111001
"""Start, heartbeat, end and start of a sub-run; a run record without any of them is the stop."""


class Follower:
    """Asked whenever the end of the file is reached: True while more is expected.

    It ends with the record of the run's stop, after `follow_s` without anything new, and when it is told to.
    A file that has not grown yet is given `proof_s` from the time it was written to last, if that is set.
    """

    def __init__(
        self,
        spec: JobSpec,
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
        goes_on: Callable[[], bool] | None = None,
    ) -> None:
        self._path = spec.path
        self._patience_s, self._proof_s = spec.follow_s or PATIENCE_S, spec.proof_s
        self._tell, self._clock = tell, clock
        self._goes_on = goes_on or cast("Callable[[], bool]", getattr(tell, "goes_on", lambda: True))
        self._is_over = False
        self._size = -1
        self._grown_at = clock()

    def __call__(self) -> bool:
        if self._is_over:
            return False  # what had come before the answer was read meanwhile
        note = self._reason_to_end()
        if note is not None:
            self._is_over = True
            self._tell(note)
        return note is None

    def _reason_to_end(self) -> Note | None:
        if not self._goes_on():
            return Note("no longer followed, on request; what came so far is kept")
        about, now = self._path.stat(), self._clock()
        if about.st_size != self._size:
            self._grown_at = now
            if self._size >= 0:
                self._proof_s = None
            elif self._proof_s is not None:
                self._grown_at -= max(time.time() - about.st_mtime, 0.0)
            self._size = about.st_size
            if ends_with_stop(self._path):
                return Note("the run was stopped; all of it is there")
        if self._proof_s is not None and now - self._grown_at >= self._proof_s:
            return Note("its file has not grown: the run is taken for finished")
        if self._proof_s is None and now - self._grown_at >= self._patience_s:
            minutes = f"{self._patience_s / 60:.3g} min"
            return Note(f"nothing came for {minutes}: the run is taken for finished", "warning")
        return None


def ends_with_stop(path: Path) -> bool:
    """Tell whether the last record of a raw file that is not compressed says that the run was stopped."""
    try:
        keys = read_header(path).keys_of(RUN_DECODER)
        with path.open("rb") as file:
            extent = HeaderExtent.sniff(file.read(HEAD_BYTES))
            file.seek(-4 * RUN_RECORD_WORDS, 2)
            record = file.read()
    except (PygamaError, OSError):
        return False
    if extent is None or len(record) != 4 * RUN_RECORD_WORDS:
        return False
    w0, w1 = (int.from_bytes(record[at : at + 4], "big" if extent.big_endian else "little") for at in (0, 4))
    return record_key(w0) in keys and w0 & 0x3FFFF == RUN_RECORD_WORDS and not w1 & _MARKS
