"""Finds where all chunks of a table lie, in one walk through HDF5's index of them.

PyTables can only be asked for one chunk at a time, and HDF5 then goes through its index from the beginning:
of ten thousand chunks that takes seconds. HDF5 can do the walk at once, and `_chunk_walk`, which calls its
function, needs the interpreter for none of it.

Source: HDF5 reference manual, H5Dchunk_iter (since 1.14.0).
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from pygama.storage import native
from pygama.storage.hdf5 import tables

_SINCE = (1, 14)

Place = tuple[int, int, int]
"""Filters that were left out (bits), offset in the file, bytes."""


def _import_compiled() -> ModuleType | None:
    try:
        return import_module("pygama.storage._chunk_walk")
    except ImportError:
        return None


compiled = _import_compiled()


def places_of_chunks(leaf: Any) -> dict[int, Place] | None:
    """Give first row -> place of the chunks of a PyTables leaf whose chunks hold whole rows.

    Chunks that are not stored are left out. None where this HDF5 cannot say it all at once, or where the walk
    is not compiled.
    """
    function = _function()
    if compiled is None or function is None:
        return None
    found = compiled.walk(function, leaf._v_objectid)
    if found is None:
        return None
    rows = np.frombuffer(found, np.int64).reshape(-1, 4).tolist()
    return {first: (left_out, offset, n_bytes) for first, left_out, offset, n_bytes in rows}


def _function() -> int | None:
    """Find where H5Dchunk_iter is in the library that PyTables has loaded."""
    if tuple(int(part) for part in tables.hdf5_version.split(".")[:2]) < _SINCE:
        return None
    return native.address("H5Dchunk_iter")
