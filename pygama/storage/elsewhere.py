"""Tells whether the values of a dataset lie in another file: opening one file must read no other.

HDF5 lets a dataset name any file of this computer, a device too, as the place of its bytes, and reads it
without a word. PyTables does not say so, therefore HDF5 is asked.

Source: HDF5 reference manual, H5Pget_external and H5Pget_virtual_filename.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from pygama.storage import native

LONGEST_NAME = 4096


def file_of_values(leaf: Any) -> str | None:
    """Name the other file that holds the values of a PyTables leaf; None where they are in its own."""
    library = _library()
    if library is None:
        return None
    made = library.H5Dget_create_plist(leaf._v_objectid)
    if made < 0:
        return None
    try:
        name = ctypes.create_string_buffer(LONGEST_NAME)
        if library.H5Pget_external_count(made) > 0:
            library.H5Pget_external(made, 0, LONGEST_NAME - 1, name, None, None)
            return name.value.decode(errors="replace")
        n_pieces = ctypes.c_size_t(0)
        if library.H5Pget_layout(made) != _VIRTUAL or library.H5Pget_virtual_count(made, n_pieces) < 0:
            return None
        for piece in range(n_pieces.value):
            library.H5Pget_virtual_filename(made, piece, name, LONGEST_NAME - 1)
            if name.value != b".":  # "." is the file itself
                return name.value.decode(errors="replace")
        return None
    finally:
        library.H5Pclose(made)


_VIRTUAL = 3
_SIGNATURES: dict[str, native.Signature] = {
    "H5Dget_create_plist": (native.ID, (native.ID,)),
    "H5Pclose": (ctypes.c_int, (native.ID,)),
    "H5Pget_external_count": (ctypes.c_int, (native.ID,)),
    "H5Pget_external": (
        ctypes.c_int,
        (native.ID, ctypes.c_uint, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p),
    ),
    "H5Pget_layout": (ctypes.c_int, (native.ID,)),
    "H5Pget_virtual_count": (ctypes.c_int, (native.ID, ctypes.POINTER(ctypes.c_size_t))),
    "H5Pget_virtual_filename": (
        ctypes.c_ssize_t,
        (native.ID, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t),
    ),
}


@cache
def _library() -> Any:
    return native.functions(_SIGNATURES)
