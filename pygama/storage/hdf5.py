"""Opens HDF5 files the way this program needs them.

Names of attributes and nodes come from cards and settings and need not be Python names, so PyTables' advice
about them is muted; locking by HDF5 itself is asked for but not insisted upon (it fails on many NFS mounts,
and our own lock files do not). PyTables' tests, which it imports with itself, wait until somebody runs them.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from pygama.errors import OutputError
from pygama.utils import grouped

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "BEST_EFFORT")


def _import_tables() -> ModuleType:
    """Import PyTables without its tests: a tenth of a start of the command."""
    name = "tables.tests"
    if "tables" in sys.modules:
        return import_module("tables")
    sys.modules[name] = stand_in = ModuleType(name)
    for function in ("print_versions", "test"):
        setattr(stand_in, function, _of_tests(function))
    try:
        return import_module("tables")
    finally:
        del sys.modules[name]


def _of_tests(function: str) -> Callable[..., Any]:
    """Make a function that imports PyTables' tests when it is called, and calls theirs."""

    def call(*arguments: Any, **settings: Any) -> Any:
        return getattr(import_module("tables.tests"), function)(*arguments, **settings)

    return call


tables: Any = _import_tables()


def _remember_names() -> None:
    """Let PyTables work out once for each name whether an attribute is its own: it asks again and again."""
    attributes = tables.attributeset
    if hasattr(attributes, "issysattrname"):
        attributes.issysattrname = lru_cache(maxsize=4096)(attributes.issysattrname)


_remember_names()

_COLUMNS = {"b": "BoolCol", "i": "Int{}Col", "u": "UInt{}Col", "f": "Float{}Col", "S": "StringCol"}
"""Kind of a type of NumPy -> PyTables' class of such columns, for types of so many bits."""
_SYSTEM_MESSAGE = re.compile(r"error message = '([^']*)'")
_TRUNCATED = re.compile(r"truncated file: eof = (\d+).*stored_eof = (\d+)")


WAY_OUT = "copy it anew or process the raw file again"
"""What to do about a file that is damaged."""


class _PerThread(threading.local):
    depth: int = 0
    heard: list[type[Warning]] | None = None


_thread = _PerThread()
_ADVICE = (tables.NaturalNameWarning, tables.PerformanceWarning, tables.exceptions.DataTypeWarning)
_UNREAD = re.compile("leaf .* is of an unsupported type|problems loading leaf")


@contextmanager
def quiet() -> Iterator[None]:
    """Mute PyTables' advice about names, sizes and types that it does not read, in this thread.

    Python's own filters are those of all threads: who puts them back would take them from another.
    """
    _thread.depth += 1
    try:
        yield
    finally:
        _thread.depth -= 1


@contextmanager
def heard() -> Iterator[list[type[Warning]]]:
    """Take all that PyTables warns of in this thread; gives the list of its kinds."""
    outer, _thread.heard = _thread.heard, []
    try:
        yield _thread.heard
    finally:
        _thread.heard = outer


class _WarningsOfTables:
    """What PyTables sees as the module `warnings`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)

    def warn(
        self,
        message: Warning | str,
        category: type[Warning] | None = None,
        stacklevel: int = 1,
        source: object = None,
    ) -> None:
        kind = type(message) if isinstance(message, Warning) else category or UserWarning
        is_advice = issubclass(kind, _ADVICE) or _UNREAD.match(str(message)) is not None
        if _thread.heard is not None:
            _thread.heard.append(kind)
        elif not (_thread.depth and is_advice):
            warnings.warn(message, category, stacklevel + 1, source)


def _hear_warnings() -> None:
    shown = _WarningsOfTables()
    for name, module in tuple(sys.modules.items()):
        if name.startswith("tables.") and module.__dict__.get("warnings") is warnings:
            module.__dict__["warnings"] = shown


_hear_warnings()


def may_be_hdf5(path: Path) -> bool:
    """Tell whether a file has HDF5's signature, or cannot be asked."""
    try:
        return bool(tables.is_hdf5_file(str(path)))
    except (OSError, tables.HDF5ExtError):
        return True


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong in writing `path` into one OutputError that a person can act on."""
    try:
        yield
    except (OSError, tables.HDF5ExtError) as error:
        raise OutputError(
            f"{path.name} could not be written to '{path.parent}': {reason_of(error)}; "
            "make room or choose another folder, and start again"
        ) from error


def reason_of(error: BaseException) -> str:
    """Find the system's own words in an error of Python or of HDF5."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error)
    if found := _SYSTEM_MESSAGE.search(_trace_of(error)):
        return found[1]
    if found := _TRUNCATED.search(text):
        have, whole = (grouped(int(number)) for number in found.groups())
        return f"it is cut short, or still being written: {have} of {whole} bytes are there"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _trace_of(error: BaseException) -> str:
    """Give all that HDF5 said: its text has lost all lines of a message but the first from Python 3.13 on."""
    said: Iterable[tuple[str, int, str, str]] = getattr(error, "h5backtrace", None) or ()
    return "\n".join([str(error), *(text for *_, text in said)])


class DamageFound(tables.HDF5ExtError):
    """Damage that we found ourselves and say in our own words."""


def what_happened(error: BaseException) -> str:
    """Say why a file cannot be read and what to do; HDF5's own words for damage tell nobody either.

    They stay in the error that is passed on.
    """
    reason, text = reason_of(error), str(error)
    if isinstance(error, DamageFound) or _TRUNCATED.search(text):
        return f"{reason}; {WAY_OUT}"
    is_of_system = (isinstance(error, OSError) and error.strerror) or _SYSTEM_MESSAGE.search(_trace_of(error))
    if is_of_system or "already opened" in text:
        return f"{reason}; try again, or look at its disk and its rights"
    return f"its content is damaged, as by a disk or a copy that failed; {WAY_OUT}"


def create_file(path: Path) -> Any:
    """Make an empty HDF5 file, or raise OutputError."""
    with output_errors(path), quiet():
        return tables.open_file(str(path), "w")


def description(record: np.dtype) -> Any:
    """Describe records of plain fields as PyTables would by itself, which takes ten times as long."""
    assert record.fields is not None
    columns = {}
    for name, (kind, offset, *_) in record.fields.items():
        base, shape = kind.base, kind.shape
        column = getattr(tables, _COLUMNS[base.kind].format(8 * base.itemsize))
        size = {"itemsize": base.itemsize} if base.kind == "S" else {}
        columns[name] = column(**size, shape=shape, pos=offset)
    return columns
