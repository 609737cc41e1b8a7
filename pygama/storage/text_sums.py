"""Guards names and texts of a Tier file, as the checksums of chunks guard its rows.

What tables and columns are called, how they are laid out, the settings and the header of a run lie in HDF5's
own places, which nothing guards. One CRC-32 over all of it stands with the file, as a number: readers that
look for texts pass over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from pygama.storage.hdf5 import quiet, tables
from pygama.storage.sample_chunks import crc32

NAME = "texts_crc32"
"""The attribute of the file."""
LONG_TEXTS = "_texts"
"""The group beside a table, or in the root, that holds texts too long to be attributes."""

_SAID_TWICE = re.compile("FIELD_[0-9]")
"""Attributes of PyTables that say what the type of the rows says: nobody reads by them."""


def write_sum(file: Any) -> None:
    """Put the checksum into a file of PyTables that is about to be closed; nothing may be added behind it."""
    with quiet():
        file.root._v_attrs[NAME] = np.uint32(_sum_of(file))


def sum_fits(file: Any) -> bool | None:
    """Tell whether names and texts are those that were written; None in a file without the checksum.

    file: of PyTables, under a guard of `safe`. Raises what PyTables raises where they cannot be read.
    """
    with quiet():
        if NAME not in file.root._v_attrs._f_list("all"):
            return None
        said = file.root._v_attrs._g_getattr(file.root, NAME)
        return isinstance(said, np.uint32) and int(said) == _sum_of(file)


def _sum_of(file: Any) -> int:
    total = 0
    for part in _parts(file):
        total = crc32(part, total)
    return total


def _parts(file: Any) -> Iterator[bytes]:
    """Give all that is guarded, in an order that does not hang on that of the file."""
    nodes = {node._v_pathname: node for node in file.walk_nodes("/")}
    for path in sorted(nodes):
        node = nodes[path]
        yield f"\0{path}\0{type(node).__name__}".encode("utf-8", "replace")
        if isinstance(node, tables.Leaf):
            yield f"\0{_layout(node.dtype)}{tuple(map(int, node.shape[1:]))}".encode("utf-8", "replace")
            if node._v_parent._v_name == LONG_TEXTS:
                yield node.read().tobytes()
        if isinstance(node, tables.Leaf | tables.Group):
            yield from _attributes(node)


def _layout(kind: np.dtype) -> str:
    """Write down the type of rows in our own words: those of NumPy are others in another version."""
    base, shape = kind.base, ",".join(map(str, kind.shape))
    if base.names is None or base.fields is None:
        return f"{base.str}({shape})"
    fields = [f"{name}:{_layout(base.fields[name][0])}@{base.fields[name][1]}" for name in base.names]
    return f"[{' '.join(fields)}]({shape})"


def _attributes(node: Any) -> Iterator[bytes]:
    """Give names and values of the attributes as they lie in the file, pickled or not."""
    attributes = node._v_attrs
    for name in sorted(attributes._f_list("all")):
        if name == NAME or _SAID_TWICE.match(name):
            continue
        value = attributes._g_getattr(node, name)
        if isinstance(value, str):
            yield f"\0{name}\0{value}".encode("utf-8", "replace")
        elif isinstance(value, bytes):
            yield f"\0{name}\0".encode("utf-8", "replace") + value
        else:
            array = np.asarray(value)
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            said = f"\0{name}\0{little.dtype.str}{little.shape}"
            yield said.encode("utf-8", "replace") + little.tobytes()
