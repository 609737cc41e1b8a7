"""Lends memory for waveforms and takes it back: fresh memory costs several times what a kernel does with it.

Each thread has its own. What is given back is kept only where nobody else holds the array or a view of it, so
a processor may return its input, or keep it, and nothing is written over. Of a small shape, no more are kept
than were missing once: many a processor makes its arrays itself, and nobody would ever take what comes back.
Of blocks of waveforms more are kept: what is let go of is given to the system, and then asked for anew.
"""

from __future__ import annotations

import sys
import threading

import numpy as np

_MOST_BYTES = 16 << 20
"""Kept for each thread."""
_SMALL_BYTES = 64 << 10
"""A few waveforms, as somebody looks at them; a block that is processed is larger."""


class _Store(threading.local):
    def __init__(self) -> None:
        self.free: dict[tuple[int, ...], list[np.ndarray]] = {}
        self.n_missed: dict[tuple[int, ...], int] = {}
        self.n_bytes = 0


_store = _Store()


def empty(shape: tuple[int, int]) -> np.ndarray:
    """Give an array of float64 with anything in it."""
    kept = _store.free.get(shape)
    if not kept:
        _store.n_missed[shape] = _store.n_missed.get(shape, 0) + 1
        return np.empty(shape)
    array = kept.pop()
    _store.n_bytes -= array.nbytes
    return array


def give_back(arrays: list[np.ndarray]) -> None:
    """Take the arrays out of a list, and keep those that nobody else has for the next who wants such."""
    while arrays:
        array = arrays.pop()
        if _references(array) == _ALONE and _is_plain(array):
            _keep(array)


def forget() -> None:
    """Let go of all that this thread keeps."""
    _store.free.clear()
    _store.n_missed.clear()
    _store.n_bytes = 0


def _keep(array: np.ndarray) -> None:
    n_kept, n_missed = len(_store.free.get(array.shape, ())), _store.n_missed.get(array.shape, 0)
    if n_kept >= n_missed and array.nbytes < _SMALL_BYTES:
        return
    if _store.n_bytes + array.nbytes > _MOST_BYTES:
        forget()
    _store.free.setdefault(array.shape, []).append(array)
    _store.n_bytes += array.nbytes


def _is_plain(array: np.ndarray) -> bool:
    return (
        array.ndim == 2
        and array.dtype == np.float64
        and array.base is None
        and array.flags.c_contiguous
        and 0 < array.nbytes <= _MOST_BYTES // 4
    )


def _references(array: np.ndarray) -> int:
    return sys.getrefcount(array)


def _references_if_alone() -> int:
    """Count as `give_back` does, of an array that nobody else has."""
    arrays = [np.empty(1)]
    array = arrays.pop()
    return _references(array)


_ALONE = _references_if_alone()
