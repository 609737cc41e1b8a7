"""Finds where all chunks of a table lie, in one walk through HDF5's index of them.

PyTables can only be asked for one chunk at a time, and HDF5 then goes through its index from the beginning:
of ten thousand chunks that takes seconds. The library that PyTables has loaded can do the walk at once, but
PyTables does not hand that function on, so it is called there by its name.

Source: HDF5 reference manual, H5Dchunk_iter (since 1.14.0).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from pygama.storage.hdf5 import tables

_SINCE = (1, 14)

Place = tuple[int, int, int]
"""Filters that were left out (bits), offset in the file, bytes."""

_Call = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.c_uint,
    ctypes.c_uint64,
    ctypes.c_uint64,
    ctypes.c_void_p,
)


def places_of_chunks(leaf: Any) -> dict[int, Place] | None:
    """Give first row -> place of the chunks of a PyTables leaf whose chunks hold whole rows.

    Chunks that are not stored are left out. None where this HDF5 cannot say it all at once.
    """
    walk = _walk()
    if walk is None:
        return None
    places: dict[int, Place] = {}

    def take(start: Any, left_out: int, offset: int, n_bytes: int, _: Any) -> int:
        places[start[0]] = (left_out, offset, n_bytes)
        return 0

    return None if walk(leaf._v_objectid, 0, _Call(take), None) < 0 else places


@cache
def _walk() -> Callable[..., int] | None:
    """Find H5Dchunk_iter in the library that PyTables has loaded."""
    if tuple(int(part) for part in tables.hdf5_version.split(".")[:2]) < _SINCE:
        return None
    try:
        # Names are looked up in what a module of PyTables was linked with too; on Windows only in itself.
        function = ctypes.CDLL(tables.hdf5extension.__file__).H5Dchunk_iter
    except (AttributeError, OSError):
        return None
    function.argtypes = [ctypes.c_int64, ctypes.c_int64, _Call, ctypes.c_void_p]
    function.restype = ctypes.c_int
    return function
