"""Lets PyTables read files of other people without running anything that is in them.

A table of pandas carries about ten pickled attributes, and PyTables unpickles them on merely touching the
node. While one of our files is at work (and only then, in that thread) PyTables gets an unpickler that knows
lists, tuples, dicts, text, numbers and None. pandas and everybody else in the process get the usual one.
A pickle may also fill the memory: the place at which an object is remembered is any number that it likes, and
Python makes room up to there. What PyTables writes is recognised at a glance, all else is looked through.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pygama.errors import TierFileError
from pygama.storage.hdf5 import tables

RUNS = "could run a program"
FILLS = "could fill the memory"

_PLAIN_NUMBER = re.compile(r"[biuf][1248]")
_TEXT_PICKLE = re.compile(
    rb"(?:[()dltsuae.N0]|[IFLV][^\n]*+\n|S[^\n]*+\n|[pg]\d{1,6}\n"
    rb"|c(?:_codecs\nencode|numpy\ndtype|numpy\.(?:_core|core)\.multiarray\nscalar)\n|[Rb])*+"
)
"""Pickles of protocol 0, which is what PyTables writes, with places below a million."""


class _PerThread(threading.local):
    depth: int = 0
    takes_arrays: bool = False
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


class _Array:
    """What is needed of an array to read what is in it: `items` are its values, in one list."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.items: list[Any] = []

    def __setstate__(self, state: tuple) -> None:
        _version, shape, kind, is_by_column, data = state
        is_listed = isinstance(data, list)  # objects come row by row, whatever their order in memory was
        items = data if is_listed else _unpack_numbers(kind, data)
        self.shape = tuple(map(int, shape))
        if math.prod(self.shape) != len(items):
            raise pickle.UnpicklingError(f"an array of {self.shape} with {len(items)} values")
        if is_by_column and not is_listed and len(self.shape) == 2:
            n_rows, n_columns = self.shape
            items = [items[column * n_rows + row] for row in range(n_rows) for column in range(n_columns)]
        self.items = items


def _unpack_numbers(kind: Any, data: Any) -> list[Any]:
    if not isinstance(kind, _Number) or not isinstance(data, bytes):
        raise pickle.UnpicklingError("an array of what is not known")
    return np.frombuffer(data, np.dtype(kind.order + kind.code)).tolist()


class _MakeArrayType(_Stateless):
    """Stands for numpy.dtype where arrays may hold objects; these come as a list of plain data."""

    def __call__(self, code: str, align: Any = False, copy: Any = True) -> _Number | _Objects:
        return _Objects() if code in ("O", "O8", "O4") else _Number(code)


class _Objects(_Stateless):
    def __setstate__(self, state: Any) -> None:
        """Take what goes with the type of objects, none of which matters."""


class _MakeArray(_Stateless):
    """Stands for numpy's _reconstruct, which makes the array that the state is then put into."""

    def __call__(self, kind: Any, shape: Any, code: Any) -> _Array:
        return _Array()


class _MakeArrayOfBytes(_Stateless):
    """Stands for numpy's _frombuffer, which makes arrays of numbers in pickles of protocol 5."""

    def __call__(self, data: Any, kind: Any, shape: Any, order: str) -> _Array:
        if not isinstance(data, bytes | bytearray):
            raise pickle.UnpicklingError("an array of what is no data")
        array = _Array()
        array.__setstate__((1, shape, kind, order == "F", bytes(data)))
        return array


_ALLOWED_IN_ARRAYS: dict[tuple[str, str], _Stateless] = {
    ("numpy", "dtype"): _MakeArrayType(),
    ("numpy", "ndarray"): _Stateless(),
    ("numpy.core.multiarray", "_reconstruct"): _MakeArray(),
    ("numpy._core.multiarray", "_reconstruct"): _MakeArray(),
    ("numpy.core.numeric", "_frombuffer"): _MakeArrayOfBytes(),
    ("numpy._core.numeric", "_frombuffer"): _MakeArrayOfBytes(),
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if _thread.takes_arrays and (module, name) in _ALLOWED_IN_ARRAYS:
            return _ALLOWED_IN_ARRAYS[module, name]
        try:
            return _ALLOWED[module, name]
        except KeyError:
            _refuse(f"asks Python for '{module}.{name}', which {RUNS}")
            raise pickle.UnpicklingError(f"{module}.{name} is not plain data") from None

    def persistent_load(self, pid: Any) -> Any:
        _refuse("asks for an object from outside of the file")
        raise pickle.UnpicklingError("an object from outside of the file")


def _refuse(words: str) -> None:
    if words not in _thread.refused:
        _thread.refused += (words,)


def _check_places(data: bytes) -> None:
    """Raise UnpicklingError for a pickle that would have Python make room for more than it can hold."""
    if _TEXT_PICKLE.fullmatch(data):
        return
    for code, place, _ in pickletools.genops(data):
        if code.name in ("PUT", "LONG_BINPUT") and int(place or 0) > len(data):
            _refuse(f"wants room for {place} things, which {FILLS}")
            raise pickle.UnpicklingError("a place beyond the end of the pickle")


def _as_file(data: bytes) -> io.BufferedReader:
    """Let pickle look ahead: line by line, as old protocols want it, a list takes five times as long."""
    return io.BufferedReader(io.BytesIO(data), max(len(data), 1))


class _PickleOfTables:
    """What PyTables sees as its pickle module."""

    def __getattr__(self, name: str) -> Any:
        return getattr(pickle, name)

    def loads(self, data: bytes, *, encoding: str = "ASCII") -> Any:
        if _thread.depth:
            _check_places(data)
            return _PlainUnpickler(_as_file(data), encoding=encoding).load()
        return pickle.loads(data, encoding=encoding)


@contextmanager
def only_plain_data(file_name: str) -> Iterator[None]:
    """Read with PyTables, and raise TierFileError if the file asks for more than plain data."""
    with plain_data_or_nothing() as refused:
        try:
            yield
        except Exception:
            _raise_refused(file_name, refused())
            raise
        _raise_refused(file_name, refused())


@contextmanager
def plain_data_or_nothing(*, arrays: bool = False) -> Iterator[Callable[[], tuple[str, ...]]]:
    """Read with PyTables; what asks for more than plain data stays unread, as the bytes that it is.

    The function given tells what was asked for so far. arrays: arrays of numbers and of plain data may be
    among it, which then come as `items_of` takes them.
    """
    outer = _thread.refused, _thread.takes_arrays
    _thread.refused, _thread.takes_arrays = (), arrays
    _thread.depth += 1
    try:
        yield lambda: _thread.refused
    finally:
        _thread.depth -= 1
        _thread.refused, _thread.takes_arrays = outer


def items_of(value: Any) -> tuple[list[Any], tuple[int, ...]] | None:
    """Give the values and the shape of an array that was unpickled; None for all else."""
    return (value.items, value.shape) if isinstance(value, _Array) else None


def refusal_of(data: bytes) -> str:
    """Say what a pickle asks for beyond plain data; empty where there is nothing, or it is none."""
    with plain_data_or_nothing(arrays=True) as refused:
        try:
            _PickleOfTables().loads(bytes(data))
        except Exception:  # noqa: BLE001  (any text that ends with a dot is tried)
            return "; ".join(refused())
        return ""


def _raise_refused(file_name: str, refused: tuple[str, ...]) -> None:
    if refused:
        raise TierFileError(
            f"{file_name}: it holds pickled data that {refused[0]}; it was not run and the file is not read. "
            "Ask where the file comes from"
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
