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
def bears_threads() -> bool:
    """Tell whether HDF5 was built to be called by several threads; it ends the process at random where not.

    The wheels of PyTables are, from 3.11 on. Source: HDF5 reference manual, H5is_library_threadsafe.
    """
    library = functions({"H5is_library_threadsafe": (ctypes.c_int, (ctypes.POINTER(ctypes.c_bool),))})
    answer = ctypes.c_bool(True)
    return library is None or library.H5is_library_threadsafe(ctypes.byref(answer)) < 0 or answer.value


@cache
def address(name: str) -> int | None:
    """Give where a function is, for compiled code; None where it is not found."""
    try:
        function = getattr(ctypes.CDLL(_path()), name)
    except (AttributeError, OSError):
        return None
    return ctypes.cast(function, ctypes.c_void_p).value


NO_THREADS = (
    "PyTables was installed with an HDF5 that does not bear threads, so the window may end suddenly; "
    "install PyTables 3.11 or newer with pip, or an HDF5 that was built with --enable-threadsafe"
)
"""What to say where `bears_threads` is False."""


def _path() -> str:
    return tables.hdf5extension.__file__
