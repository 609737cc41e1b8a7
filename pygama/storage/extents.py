"""Counts the rows of datasets without making PyTables' nodes of them.

A node of PyTables reads each attribute of a table, about a hundred here: several times as long as all
else in checking a file that was just written. HDF5 itself is asked for the extent instead.

Source: HDF5 reference manual, H5Dopen2, H5Dget_space, H5Sget_simple_extent_dims.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from pygama.storage import native

_MOST_DIMENSIONS = 32


def n_rows_in(group: Any, name: str) -> int:
    """Count the rows of a dataset in a PyTables group: its first extent.

    Raises LookupError if it is not there or cannot be opened.
    """
    library = _library()
    if library is None:
        return int(group[name].nrows)
    leaf = library.H5Dopen2(group._v_objectid, name.encode(), 0)
    if leaf < 0:
        raise LookupError(f"{group._v_pathname}/{name} cannot be opened")
    space = library.H5Dget_space(leaf)
    try:
        extents = (ctypes.c_uint64 * _MOST_DIMENSIONS)()
        n_dimensions = library.H5Sget_simple_extent_dims(space, extents, None)
        if n_dimensions < 1:
            raise LookupError(f"{group._v_pathname}/{name} has no rows")
        return int(extents[0])
    finally:
        library.H5Sclose(space)
        library.H5Dclose(leaf)


_SIGNATURES: dict[str, native.Signature] = {
    "H5Dopen2": (native.ID, (native.ID, ctypes.c_char_p, native.ID)),
    "H5Dget_space": (native.ID, (native.ID,)),
    "H5Sget_simple_extent_dims": (ctypes.c_int, (native.ID, ctypes.c_void_p, ctypes.c_void_p)),
    "H5Sclose": (ctypes.c_int, (native.ID,)),
    "H5Dclose": (ctypes.c_int, (native.ID,)),
}


@cache
def _library() -> Any:
    return native.functions(_SIGNATURES)
