"""Runs what a person types in Python, beside the columns, waveforms and files of the run that is shown."""

from __future__ import annotations

import ast
import codeop
import contextlib
import ctypes
import io
import linecache
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.cutting import Passing

MOST_TEXT = 200_000
"""Characters that one input may say; the rest is counted."""
HELP = """\
rows()          the events shown that pass the cuts, a pandas DataFrame
                rows("trap_max", "channel"): some columns alone
                rows(passing=False): those that fail as well
waveforms(10)   the first waveforms that pass: (n, n_samples) samples,
                and a DataFrame of their numbers
data()          its Tier 2 files as a pygama.DataSet, read in blocks
run, cuts       the name of what is shown, and the cuts that are on
np, pd, pygama  NumPy, pandas and the library
analysis        pygama.analysis
_               what came out last
What is typed runs while the window goes on; it cannot change
what the files hold."""


@dataclass(frozen=True)
class Shown:
    """What is shown when something is typed. columns: (n_rows,) each, read-only; files: of Tier 2.

    read: gives its waveforms, in the thread that reads files; None without a finished Tier 1 file.
    """

    name: str = ""
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    passing: Passing | None = None
    files: tuple[Path, ...] = ()
    is_sample: bool = False
    """Whether the columns hold some of the rows alone, as those of a large data set do."""
    read: Callable[[], Any] | None = None
    selection: Any = None
    """The events that pass, for `read`."""


class NothingShownError(Exception):
    """What is asked for is not there; the sentence says what to do."""


Say = Callable[[str, str], None]
"""Takes a piece of text, and what it is: 'said' or 'wrong'."""


class Console:
    """Runs inputs one after another; what they define stays. To be used in one thread, but for `stop`."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {}
        self._shown = Shown()
        self._numbers = count(1)
        self._guard = threading.Lock()
        self._thread: int | None = None

    def run(self, text: str, shown: Shown, say: Say) -> bool:
        """Run an input and tell what it says, piece by piece; gives whether it ended well.

        A last line that is an expression is evaluated, and what it gives is told and kept as `_`.
        """
        self._shown = shown
        # a stop may come when all is over
        with contextlib.suppress(KeyboardInterrupt), self._held(), _said_by_this_thread(say):
            return self._run(text, say)
        return False

    def _run(self, text: str, say: Say) -> bool:
        name = f"<input {next(self._numbers)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        try:
            self._prepare()
            body = ast.parse(text, name).body
            last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
            exec(compile(ast.Module(body, []), name, "exec"), self._names)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), name, "eval"), self._names)
                if value is not None:
                    self._names["_"] = value
                    sys.stdout.write(f"{value!r}\n")
        except NothingShownError as error:
            say(f"{error}\n", "wrong")
        except KeyboardInterrupt:
            say("Stopped.\n", "wrong")
        except SystemExit:
            say("The window is left by File > Quit.\n", "wrong")
        except BaseException as error:  # noqa: BLE001  (whatever a person's input raises is told)
            say(_told(error), "wrong")
        else:
            return True
        return False

    def stop(self) -> None:
        """Stop what runs, at its next step in Python; from any thread."""
        with self._guard:
            if self._thread is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread), ctypes.py_object(KeyboardInterrupt)
                )

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Let `stop` reach this thread meanwhile, and not later."""
        own = threading.get_ident()
        with self._guard:
            self._thread = own
        try:
            yield
        finally:
            with self._guard:
                self._thread = None
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(own), None)

    def completions(self, text: str) -> list[str]:
        """Give what the name at the end of a text may become, in order; this calls nothing."""
        word = word_at_end(text)
        *owners, start = word.split(".")
        names: Sequence[str] = [*self._names, *NAMES] if not owners else self._within(owners)
        found = {name for name in names if name.startswith(start) and (start or not name.startswith("_"))}
        return sorted(".".join([*owners, name]) for name in found)

    def _within(self, owners: Sequence[str]) -> Sequence[str]:
        known = self._names.get(owners[0])
        for name in owners[1:]:
            known = vars(known).get(name) if hasattr(known, "__dict__") else None
        return [] if known is None else dir(known)

    def _prepare(self) -> None:
        if not self._names:
            import pandas as pd

            import pygama
            from pygama import analysis

            self._names |= {"__name__": "__console__", "np": np, "pd": pd, "pygama": pygama}
            self._names |= {"analysis": analysis, "rows": self.rows, "waveforms": self.waveforms}
            self._names |= {"data": self.data, "help": _Help()}
        self._names |= {
            "run": self._shown.name,
            "cuts": "" if self._shown.passing is None else self._shown.passing.words,
        }

    # What is offered

    def rows(self, *columns: str, passing: bool = True) -> Any:
        """Give the events that are shown, one a row: those that pass the cuts or all, all columns or some."""
        import pandas as pd

        shown = self._shown
        if not shown.columns:
            raise NothingShownError("No run with events is shown: process one, or choose one in the list.")
        if shown.is_sample:
            raise NothingShownError(
                "The rows of so large a data set stay on disk; data() reads them in blocks."
            )
        if unknown := [name for name in columns if name not in shown.columns]:
            raise NothingShownError(
                f"There is no column {unknown[0]!r}; there are {', '.join(shown.columns)}."
            )
        wanted = {name: shown.columns[name] for name in columns or shown.columns}
        if shown.passing is None or not passing:
            return pd.DataFrame(wanted)
        places = np.flatnonzero(shown.passing.mask(shown.columns))
        return pd.DataFrame({name: values[places] for name, values in wanted.items()}, index=places)

    def waveforms(self, n: int = 10) -> tuple[np.ndarray, Any]:
        """Give the first waveforms that pass the cuts, (n, n_samples) of one length, and their numbers."""
        import pandas as pd

        if self._shown.read is None:
            raise NothingShownError(
                "There is no finished Tier 1 file of what is shown: process a run, or choose one."
            )
        file, selection = self._shown.read(), self._shown.selection
        bunch = file.bunch(range(min(n, file.count(selection))), selection)
        if bunch is None:
            raise NothingShownError("No waveform passes.")
        return bunch.waveforms, pd.DataFrame(dict(bunch.numbers))

    def data(self) -> Any:
        """Give the Tier 2 files of what is shown as a `pygama.DataSet`."""
        from pygama import DataSet

        if not self._shown.files:
            raise NothingShownError(
                "There is no finished Tier 2 file of what is shown: process a run, or choose one."
            )
        return DataSet(self._shown.files)


NAMES = ("rows", "waveforms", "data", "run", "cuts", "np", "pd", "pygama", "analysis", "help")


def word_at_end(text: str) -> str:
    """Give the name, with those before its points, that a text ends with; empty where it does not."""
    found = re.search(r"[\w.]*$", text)
    return found[0] if found else ""


def is_whole(text: str) -> bool:
    """Tell whether an input can be run: no bracket and no block is open, or it can never become right."""
    lines = text.split("\n")
    if len(lines) > 1 and lines[-1].strip() and lines[-1][:1].isspace():
        return False  # in a block: an empty line ends it
    try:
        return codeop.compile_command(text, "<input>", "exec" if len(lines) > 1 else "single") is not None
    except (SyntaxError, ValueError, OverflowError):
        return True


class _Help:
    """Says what is offered; of a thing, what its own docstring says."""

    def __repr__(self) -> str:
        return HELP

    def __call__(self, thing: Any = None) -> None:
        import pydoc

        words = HELP if thing is None else pydoc.plain(pydoc.render_doc(thing, "%s"))
        sys.stdout.write(f"{words}\n")


class _ByThread(io.TextIOBase):
    """Tells what one thread writes, up to a length, and sends on what others write."""

    def __init__(self, say: Say, kind: str, others: Any) -> None:
        super().__init__()
        self._thread, self._say, self._kind, self._others = threading.get_ident(), say, kind, others
        self._left = MOST_TEXT

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if threading.get_ident() != self._thread:
            return self._others.write(text) if self._others is not None else len(text)
        if self._left > 0:
            self._say(text[: self._left], self._kind)
            self._left -= len(text)
            if self._left <= 0:
                self._say("\n… and more, which is not shown.\n", "wrong")
        return len(text)

    def flush(self) -> None:
        if self._others is not None and not getattr(self._others, "closed", False):
            self._others.flush()  # this is also called when it is collected, perhaps long after the others


@contextlib.contextmanager
def _said_by_this_thread(say: Say) -> Iterator[None]:
    with (
        contextlib.redirect_stdout(_ByThread(say, "said", sys.stdout)),
        contextlib.redirect_stderr(_ByThread(say, "wrong", sys.stderr)),
    ):
        yield


def _told(error: BaseException) -> str:
    """Write an error as Python does, from the input on."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))
