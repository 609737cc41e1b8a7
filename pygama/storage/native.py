"""Finds functions of HDF5 that PyTables does not hand on, in the library that PyTables has loaded.

They are looked up by name in a module of PyTables and what it was linked with; on Windows only in itself,
where none is found. Who asks has another way then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache
from typing import Any

from pygama.storage.hdf5 import tables

ID = ctypes.c_int64
"""HDF5's number of something open."""

Signature = tuple[Any, tuple[Any, ...]]
"""What a function gives, and what it takes."""


def functions(signatures: Mapping[str, Signature]) -> Any:
    """Give a library with these functions as attributes; None where one of them is not found.

    The interpreter's lock stays held while they work: PyTables may call HDF5 from another thread, and HDF5 is
    not made for two.
    """
    try:
        library = ctypes.PyDLL(_path())
        for name, (gives, takes) in signatures.items():
            function = getattr(library, name)
            function.restype, function.argtypes = gives, takes
    except (AttributeError, OSError):
        return None
    return library


@cache
def address(name: str) -> int | None:
    """Give where a function is, for compiled code; None where it is not found."""
    try:
        function = getattr(ctypes.CDLL(_path()), name)
    except (AttributeError, OSError):
        return None
    return ctypes.cast(function, ctypes.c_void_p).value


def _path() -> str:
    return tables.hdf5extension.__file__
