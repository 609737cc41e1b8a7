"""Lets PyTables read files of other people without running anything that is in them.

A table of pandas carries about ten pickled attributes, and PyTables unpickles them on merely touching the
node. While one of our files is at work (and only then, in that thread) PyTables gets an unpickler that knows
lists, tuples, dicts, text, numbers and None. pandas and everybody else in the process get the usual one.
"""

from __future__ import annotations

import io
import pickle
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pygama.errors import TierFileError
from pygama.storage.hdf5 import tables

_PLAIN_NUMBER = re.compile(r"[biuf][1248]")


class _PerThread(threading.local):
    depth: int = 0
    refused: tuple[str, ...] = ()


_thread = _PerThread()


class _Stateless:
    """A call that a pickle may make, which the pickle cannot change."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a pickle tried to change what it calls")


class _MakeBytes(_Stateless):
    """Stands for _codecs.encode: the way in which protocol 0 writes bytes."""

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise pickle.UnpicklingError(f"bytes written as {encoding!r}")
        return text.encode("latin1")


class _Number:
    """What is needed of a dtype to read one number."""

    def __init__(self, code: str) -> None:
        if not _PLAIN_NUMBER.fullmatch(code):
            raise pickle.UnpicklingError(f"a number of type {code!r}")
        self.code = code
        self.order = "<"

    def __setstate__(self, state: tuple) -> None:
        self.order = ">" if state[1] == ">" else "<"


class _MakeNumberType(_Stateless):
    """Stands for numpy.dtype."""

    def __call__(self, code: str, align: Any = False, copy: Any = True) -> _Number:
        return _Number(code)


class _MakeNumber(_Stateless):
    """Stands for numpy's scalar: labels of columns made by numpy are pickled so."""

    def __call__(self, number: _Number, data: bytes) -> int | float | bool:
        return np.frombuffer(data, np.dtype(number.order + number.code), count=1)[0].item()


_ALLOWED: dict[tuple[str, str], _Stateless] = {
    ("_codecs", "encode"): _MakeBytes(),
    ("numpy", "dtype"): _MakeNumberType(),
    ("numpy.core.multiarray", "scalar"): _MakeNumber(),
    ("numpy._core.multiarray", "scalar"): _MakeNumber(),
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            _thread.refused += (f"{module}.{name}",)
            raise pickle.UnpicklingError(f"{module}.{name} is not plain data") from None


class _PickleOfTables:
    """What PyTables sees as its pickle module."""

    def __getattr__(self, name: str) -> Any:
        return getattr(pickle, name)

    def loads(self, data: bytes, *, encoding: str = "ASCII") -> Any:
        if _thread.depth:
            return _PlainUnpickler(io.BytesIO(data), encoding=encoding).load()
        return pickle.loads(data, encoding=encoding)


@contextmanager
def only_plain_data(file_name: str) -> Iterator[None]:
    """Read with PyTables, and raise TierFileError if the file asks for more than plain data."""
    outer, _thread.refused = _thread.refused, ()
    _thread.depth += 1
    try:
        yield
    except Exception:
        _refuse(file_name)
        raise
    else:
        _refuse(file_name)
    finally:
        _thread.depth -= 1
        _thread.refused = outer


def _refuse(file_name: str) -> None:
    if _thread.refused:
        raise TierFileError(
            f"{file_name}: it holds pickled data that asks Python for '{_thread.refused[0]}', which could "
            "run a program; it was not run and the file is not read. Ask where the file comes from"
        ) from None


def _install() -> None:
    for module in (tables.attributeset, tables.atom):
        if not hasattr(module, "pickle"):
            raise ImportError(
                f"PyTables {tables.__version__} unpickles in a way that is not known, so files cannot be "
                "opened safely; install tables 3.11"
            )
        module.pickle = _PickleOfTables()


_install()
