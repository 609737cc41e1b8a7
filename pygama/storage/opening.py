"""Opens HDF5 files to be read, so that damage in them is an error and does not end the process.

PyTables asks HDF5 for the names of nodes and attributes, and for the version of its own format, and uses
what it gets unseen: a name that is no UTF-8, or a version that cannot be read, is an access to address 0.
About one in twenty files with a few wrong bytes outside of the samples is such a file. HDF5 is asked here
first. Where its functions are not found by name (Windows), PyTables is left as it is.

Source: HDF5 reference manual, H5Aget_name_by_idx, H5Lget_name_by_idx, H5Aexists, H5Aopen, H5Aread.
"""

from __future__ import annotations

import ctypes
import logging
import pickle
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pygama.storage import native
from pygama.storage.hdf5 import DamageFound, tables

_log = logging.getLogger(__name__)

_TEXT = 3
"""HDF5's number of the class of text."""
_BY_NAME, _AS_IT_COMES = 0, 2
"""In which order names are gone through."""
_LONGEST_VERSION = 64

DAMAGE: tuple[type[Exception], ...] = (
    tables.HDF5ExtError,
    tables.NodeError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
"""What PyTables and NumPy raise over files that are damaged, or made to."""

_BY_INDEX = (native.ID, ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_uint64)
_NAME_BY_INDEX = (*_BY_INDEX, ctypes.c_void_p, ctypes.c_size_t, native.ID)
_LONGEST_NAME = 4096

_SIGNATURES: dict[str, native.Signature] = {
    "H5Aget_num_attrs": (ctypes.c_int, (native.ID,)),
    "H5Gget_num_objs": (ctypes.c_int, (native.ID, ctypes.c_void_p)),
    "H5Aget_name_by_idx": (ctypes.c_ssize_t, _NAME_BY_INDEX),
    "H5Lget_name_by_idx": (ctypes.c_ssize_t, _NAME_BY_INDEX),
    "H5Aexists": (ctypes.c_int, (native.ID, ctypes.c_char_p)),
    "H5Aopen": (native.ID, (native.ID, ctypes.c_char_p, native.ID)),
    "H5Aget_type": (native.ID, (native.ID,)),
    "H5Aget_storage_size": (ctypes.c_uint64, (native.ID,)),
    "H5Aread": (ctypes.c_int, (native.ID, native.ID, ctypes.c_void_p)),
    "H5Aclose": (ctypes.c_int, (native.ID,)),
    "H5Tget_class": (ctypes.c_int, (native.ID,)),
    "H5Tget_size": (ctypes.c_size_t, (native.ID,)),
    "H5Tis_variable_str": (ctypes.c_int, (native.ID,)),
    "H5Tclose": (ctypes.c_int, (native.ID,)),
}


def open_to_read(path: Path) -> Any:
    """Open a file with PyTables. Raises what PyTables raises, and then nothing of it stays open."""
    _make_careful()
    _tell_of_threads()
    before = set(_open_files())
    try:
        return tables.open_file(str(path), "r")
    except BaseException:
        for half in set(_open_files()) - before:
            close(half)
        raise


def close(file: Any) -> None:
    """Close a file of PyTables, whatever is damaged in it."""
    try:
        file.close()
    except DAMAGE:
        # a damaged node stands in the way of the file, which PyTables closes last; no node may try again
        nodes = [*file._node_manager.registry.values(), file.__dict__.get("root")]
        for node in filter(None, nodes):
            node.__dict__["_v_isopen"] = False
        with suppress(*DAMAGE):
            file._close_file()
        with suppress(LookupError, AttributeError):
            tables.file._open_files.remove(file)


def _open_files() -> Iterable[Any]:
    registry = getattr(tables.file, "_open_files", None)
    return () if registry is None else registry.handlers


@cache
def _make_careful() -> None:
    """Let PyTables ask here first, in this process, from now on."""
    library = _library()
    if library is None:
        return
    listed = tables.group.Group._g_list_group

    def names_of_attributes(_attributes: Any, node: Any) -> list[str]:
        n_names = library.H5Aget_num_attrs(node._v_objectid)
        return _names(library.H5Aget_name_by_idx, n_names, node, "an attribute")

    def nodes_inside(group: Any, parent: Any) -> Any:
        n_names = ctypes.c_uint64(0)
        is_told = library.H5Gget_num_objs(group._v_objectid, ctypes.byref(n_names)) >= 0
        _names(library.H5Lget_name_by_idx, n_names.value if is_told else -1, group, "a node")
        return listed(group, parent)

    tables.attributeset.AttributeSet._g_list_attr = names_of_attributes
    tables.group.Group._g_list_group = nodes_inside
    tables.utilsextension.read_f_attr = _version


@cache
def _tell_of_threads() -> None:
    if not native.bears_threads():
        _log.warning(native.NO_THREADS)


@cache
def _library() -> Any:
    return native.functions(_SIGNATURES)


def _names(name_of: Callable[..., int], n_names: int, node: Any, what: str) -> list[str]:
    """List the names of attributes or nodes in a node; raises HDF5ExtError where they cannot be read.

    n_names: below 0 where they cannot be counted.

    One by one: HDF5 could call back for each, but holds a lock of its own then, and Python may go on with
    another thread meanwhile. If that asks HDF5 something, it waits for ever, and so do we.
    """
    found: list[bytes] = []
    text = ctypes.create_string_buffer(_LONGEST_NAME)
    for at in range(n_names):
        if name_of(node._v_objectid, b".", _BY_NAME, _AS_IT_COMES, at, text, len(text), 0) < 0:
            break
        found.append(text.value)
    if len(found) != n_names:
        raise DamageFound(f"what {node._v_pathname} holds cannot be listed")
    try:
        return [name.decode() for name in found]
    except UnicodeDecodeError as error:
        raise DamageFound(f"the name of {what} in {node._v_pathname} is damaged") from error


def _version(place: int, name: str) -> str | None:
    """Read a short text of an attribute; None where there is none."""
    library = _library()
    if library.H5Aexists(place, name.encode()) <= 0:
        return None
    attribute = library.H5Aopen(place, name.encode(), 0)
    kind = library.H5Aget_type(attribute)
    try:
        n_bytes = library.H5Tget_size(kind)
        is_short = 0 < n_bytes == library.H5Aget_storage_size(attribute) <= _LONGEST_VERSION
        if not is_short or library.H5Tget_class(kind) != _TEXT or library.H5Tis_variable_str(kind) != 0:
            return None
        text = ctypes.create_string_buffer(n_bytes + 1)
        if library.H5Aread(attribute, kind, text) < 0:
            return None
        return text.value.decode("ascii", "replace")
    finally:
        library.H5Tclose(kind)
        library.H5Aclose(attribute)
