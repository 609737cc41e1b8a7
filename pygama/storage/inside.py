"""Looks inside any HDF5 file: what is in it, some rows, a column. Nothing in it is ever run (see `safe`).

Our own files, frames of pandas in both of its forms, groups of arrays as LH5 has them, and whatever PyTables
reads. A part that is damaged, too large, or pickled beyond plain data has a sentence in its place, and the
rest of the file is there. Links are told, not followed. Every read is bounded, whatever sizes a file claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from pygama.errors import FileGone, TierFileError
from pygama.quick_dataclass import dataclass
from pygama.storage.as_text import as_text
from pygama.storage.hdf5 import heard, may_be_hdf5, quiet, reason_of, tables, what_happened
from pygama.storage.inside_rows import Column, Columns, Source, find_source
from pygama.storage.opening import DAMAGE, close, open_to_read
from pygama.storage.safe import plain_data_or_nothing, refusal_of
from pygama.storage.text_sums import LONG_TEXTS

MOST_NODES = 10_000
DEEPEST = 16
"""Groups within groups; a group may hold itself."""
MOST_ROWS = 10_000
"""Rows that `rows` gives at once."""
LONGEST_TEXT = 16 * 1024 * 1024
"""Bytes of one stored text."""


@dataclass(frozen=True)
class Attribute:
    """Something said of a node, as text. refused: why it is not shown; empty where it is."""

    name: str
    text: str
    refused: str = ""


@dataclass(frozen=True)
class Node:
    """One group, table or array.

    path: begins with '/', which by itself is the file.
    kind: 'file', 'group', 'table', 'frame' (of pandas, in its fixed form), 'columns' (a group of arrays of
        one length), 'array', 'ragged' (arrays of varying length, row for row), 'objects' (pickled ones),
        'link' or 'unknown'.
    n_rows: None where it has none; shape and dtype: of arrays.
    stored_bytes: what it takes on disk, with all that belongs to it.
    packing: how its data are compressed, in words; chunk: the shape of what is compressed at once.
    trouble: why its rows cannot be read; empty where they can.
    """

    path: str
    kind: str
    n_rows: int | None = None
    shape: tuple[int, ...] = ()
    dtype: str = ""
    columns: tuple[Column, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    stored_bytes: int = 0
    packing: str = ""
    chunk: tuple[int, ...] = ()
    trouble: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> str:
        """The path of the group that it is in; empty for the file."""
        return "" if self.path == "/" else self.path.rpartition("/")[0] or "/"

    @property
    def has_rows(self) -> bool:
        """Whether its rows can be read."""
        return self.n_rows is not None and not self.trouble


@dataclass(frozen=True)
class FileContents:
    """What is in a file: groups before what is in them, each level by name.

    refused: sentences that say what was not read, and where.
    """

    path: Path
    n_bytes: int
    nodes: tuple[Node, ...]
    refused: tuple[str, ...] = ()

    def node(self, path: str) -> Node:
        """Find a node by its path; raises TierFileError if there is none."""
        wanted = "/" + path.strip("/")
        for node in self.nodes:
            if node.path == wanted:
                return node
        raise TierFileError(f"{self.path.name}: there is nothing named '{wanted}' in it")

    def inside(self, path: str) -> tuple[Node, ...]:
        """Give the nodes directly inside of a group."""
        return tuple(node for node in self.nodes if node.parent == path)


def look_inside(path: Path) -> FileContents:
    """Tell all that is in a file. Raises TierFileError if it is not there or not HDF5."""
    with InsideFile(path) as file:
        return file.contents()


def read_rows(
    path: Path, key: str, start: int = 0, stop: int | None = None, columns: Sequence[str] | None = None
) -> Columns:
    """Read rows start..stop of a table or an array: name of the column -> its values, one a row.

    Samples are one entry, (n_rows, n_samples); pickled and varying ones are lists. No more than MOST_ROWS
    rows, and 64 MB, come at once. columns: their names; None for all.
    Raises TierFileError if there is no such table or column, or if it cannot be read.
    """
    with InsideFile(path) as file:
        return file.rows(key, start, stop, columns)


def read_column(path: Path, key: str, column: str, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Read one column of rows start..stop, as far as 64 MB go. Raises what `read_rows` does."""
    with InsideFile(path) as file:
        return file.column(key, column, start, stop)


def keep_quiet() -> None:
    """Keep HDF5 from writing its own account of every error to the terminal, in the present thread."""
    tables.silence_hdf5_messages()


class InsideFile:
    """A file that is being looked into; use it in a `with` statement or close it. For one thread at a time.

    Raises TierFileError if the file is not there or not HDF5.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._file: Any = None
        self._sources: dict[str, Source] = {}
        if not self.path.is_file():
            raise FileGone(self.path)
        if not may_be_hdf5(self.path):
            raise TierFileError(f"{self.path.name} is not an HDF5 file, so there is nothing to look into")
        with self._reading(self.path.name):
            self._file = open_to_read(self.path)

    def __enter__(self) -> InsideFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            file, self._file = self._file, None
            self._sources = {}
            with plain_data_or_nothing():
                close(file)

    @contextmanager
    def _reading(self, where: str) -> Iterator[None]:
        """Let nothing be run, and turn what goes wrong into a sentence."""
        with plain_data_or_nothing(arrays=True) as refused, quiet():
            try:
                yield
            except TierFileError:
                raise
            except DAMAGE as error:
                is_whole = self._file is None
                reason = "; ".join(refused()) or _short((what_happened if is_whole else reason_of)(error))
                raise TierFileError(f"{where} cannot be read: {_sentence(reason)}") from error

    def contents(self) -> FileContents:
        """Tell all that is in the file."""
        if self._file is None:
            raise TierFileError(f"{self.path.name} is closed; open it again to look into it")
        refused: list[str] = []
        nodes: list[Node] = []
        for node in self._walk("/", 0, refused):
            nodes.append(node)
            refused += [
                f"{node.path}: attribute '{one.name}' {one.refused}" for one in node.attributes if one.refused
            ]
            if node.trouble and node.trouble not in refused:
                refused.append(node.trouble)
            if len(nodes) >= MOST_NODES:
                refused.append(f"There is more in the file than the first {MOST_NODES} entries shown")
                break
        return FileContents(self.path, self.path.stat().st_size, tuple(nodes), tuple(refused))

    def _walk(self, path: str, depth: int, refused: list[str]) -> Iterator[Node]:
        node, inside = self._look_at(path)
        yield node
        if depth >= DEEPEST and inside:
            refused.append(f"{path}: what lies deeper than {DEEPEST} groups is not shown")
            return
        for name in inside:
            yield from self._walk(f"{path.rstrip('/')}/{name}", depth + 1, refused)

    def _look_at(self, path: str) -> tuple[Node, tuple[str, ...]]:
        """Give a node and the names of what is in it that stands for itself."""
        kind = "file" if path == "/" else "unknown"
        try:
            with self._reading(path):
                found = self._file.get_node(path)
                if isinstance(found, tables.link.Link):
                    return Node(path, "link", trouble=_link_words(path, found)), ()
                kind = _kind_of(path, found)
                attributes = _attributes_of(found)
        except TierFileError as error:
            return Node(path, kind, trouble=str(error)), ()
        trouble, source = "", None
        facts: dict[str, Any] = {}
        try:
            source = self._source(path)
            if source is not None and kind != "file":
                kind = source.kind
        except TierFileError as error:
            trouble = str(error)
        try:
            with self._reading(path):
                inside = _names_inside(found, kind)
                facts = _facts_of(found)
        except TierFileError as error:
            inside, trouble = (), trouble or str(error)
        n_rows, columns = (None, ()) if source is None else (source.n_rows, source.columns)
        return Node(
            path, kind, n_rows, columns=columns, attributes=attributes, trouble=trouble, **facts
        ), inside

    def _source(self, path: str) -> Source | None:
        """Find what reads the rows of a node; None for a group that has none."""
        path = "/" + path.strip("/")
        if path not in self._sources:
            with self._reading(f"{self.path.name}: {path}"):
                found = find_source(self._file.get_node(path), self.path)
            if found is None:
                return None
            self._sources[path] = found
        return self._sources[path]

    def _rows_of(self, key: str) -> Source:
        if self._file is None:
            raise TierFileError(f"{self.path.name} is closed; open it again to read from it")
        source = self._source(key)
        if source is None:
            raise TierFileError(f"{self.path.name}: '{key}' holds no rows; choose a table or an array")
        return source

    def rows(
        self, key: str, start: int = 0, stop: int | None = None, columns: Sequence[str] | None = None
    ) -> Columns:
        """Read rows as `read_rows` does."""
        source = self._rows_of(key)
        first, last, _ = slice(start, stop).indices(source.n_rows)
        last = min(max(first, last), first + MOST_ROWS)
        names = [column.name for column in source.columns] if columns is None else list(columns)
        for name in names:
            source.check(name)
        with self._reading(f"{self.path.name}: {key}"):
            return source.read(first, last, names)

    def column(self, key: str, column: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Read a column as `read_column` does."""
        return self.some_columns(key, [column], start, stop)[column]

    def some_columns(
        self, key: str, columns: Sequence[str], start: int = 0, stop: int | None = None
    ) -> dict[str, np.ndarray]:
        """Read several columns at a time: name -> its values; no more than 64 MB in all."""
        source = self._rows_of(key)
        for name in columns:
            source.check(name)
        first, last, _ = slice(start, stop).indices(source.n_rows)
        with self._reading(f"{self.path.name}: {key}"):
            return source.read_columns(columns, first, max(first, last))


def _kind_of(path: str, found: Any) -> str:
    if path == "/":
        return "file"
    return "group" if isinstance(found, tables.Group) else "unknown"


def _link_words(path: str, link: Any) -> str:
    target = as_text(link.__dict__.get("target", ""), 300)
    if isinstance(link, tables.link.ExternalLink):
        return f"{path} is a link to another file, '{target}', and is not followed; open that file itself"
    return f"{path} is a link to '{target}' in this file, and is not followed"


def _attributes_of(found: Any) -> tuple[Attribute, ...]:
    attributes = [*_own_attributes(found, "")]
    if isinstance(found, tables.Group):
        if "pandas_type" in found._v_attrs and "table" in found:
            attributes += _own_attributes(found._f_get_child("table"), "table: ")
        if LONG_TEXTS in found:
            attributes += _long_texts(found._f_get_child(LONG_TEXTS))
    return tuple(attributes)


def _own_attributes(found: Any, prefix: str) -> Iterator[Attribute]:
    attributes = found._v_attrs
    for name in attributes._f_list("user"):
        value = attributes.__dict__[name]
        refused = ""
        if isinstance(value, bytes) and value.endswith(b"."):
            refused = refusal_of(value)
        elif value is None and _is_of_unknown_type(found, name):
            refused = "is of a type that is not known here"
        words = f"not shown: it {refused}" if refused else as_text(value)
        yield Attribute(prefix + str(name), words, _sentence(refused) if refused else "")


def _is_of_unknown_type(found: Any, name: str) -> bool:
    """Tell an attribute that PyTables cannot read from one that holds None: it gives None for both."""
    with heard() as kinds:
        found._v_attrs._g_getattr(found, name)
    return any(issubclass(kind, tables.exceptions.DataTypeWarning) for kind in kinds)


def _long_texts(group: Any) -> Iterator[Attribute]:
    for name in group._v_children:
        node = group._f_get_child(name)
        if isinstance(node, tables.Array) and node.dtype == np.uint8 and node.ndim == 1:
            data = np.asarray(node.read(0, min(int(node.nrows), LONGEST_TEXT)), np.uint8)
            yield Attribute(str(name), as_text(data.tobytes()))


def _names_inside(found: Any, kind: str) -> tuple[str, ...]:
    if not isinstance(found, tables.Group) or kind == "frame":
        return ()
    hidden = {LONG_TEXTS} | ({"table"} if kind == "table" else set())
    return tuple(sorted(name for name in found._v_children if name not in hidden))


def _facts_of(found: Any) -> dict[str, Any]:
    """Tell shape, type, size and packing."""
    if isinstance(found, tables.Group):
        leaves = [leaf for leaf in found._f_iter_nodes("Leaf") if not isinstance(leaf, tables.UnImplemented)]
        facts = _facts_of(found._f_get_child("table")) if _is_a_frame(found) and "table" in found else {}
        facts["stored_bytes"] = sum(_stored_bytes(leaf) for leaf in leaves)
        return {name: value for name, value in facts.items() if name not in ("shape", "dtype")}
    if isinstance(found, tables.UnImplemented) or not isinstance(found, tables.Leaf):
        return {}
    filters = found.filters
    words = filters.complib if filters.complevel else "none"
    shuffled = ", shuffled" if filters.complevel and (filters.shuffle or filters.bitshuffle) else ""
    return {
        "shape": tuple(int(size) for size in found.shape),
        "dtype": _dtype_words(found),
        "stored_bytes": _stored_bytes(found),
        "packing": words + shuffled,
        "chunk": tuple(int(size) for size in found.chunkshape or ()),
    }


def _dtype_words(leaf: Any) -> str:
    is_typed = not isinstance(leaf, tables.Table) and isinstance(leaf.atom, tables.Atom)
    return str(leaf.atom.dtype.base) if is_typed else ""


def _stored_bytes(leaf: Any) -> int:
    """Tell what HDF5 has set aside; where rows vary in length, their sum."""
    if isinstance(leaf, tables.VLArray):
        return int(leaf.size_in_memory)
    return int(leaf.size_on_disk)


def _is_a_frame(group: Any) -> bool:
    return "pandas_type" in group._v_attrs


def _sentence(reason: str) -> str:
    return f"{reason}; it was not run" if "asks Python" in reason else reason


def _short(reason: str) -> str:
    return reason if len(reason) < 300 else reason[:300] + "…"
