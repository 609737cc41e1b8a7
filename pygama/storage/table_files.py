"""Writes a table of a Tier 2 file for other programs: CSV, Parquet, LH5 and ROOT.

Rows are read and written block by block, so memory does not grow with the file, and the output stands under
its name only when it is whole. Single-valued columns are written, no waveforms. Parquet needs pyarrow and
ROOT needs uproot; without them a sentence says what to install.
Source of the LH5 layout: the LEGEND data format specification (legend-exp.github.io).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from pygama import __version__
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama.storage.hdf5 import quiet, tables
from pygama.storage.reader import Table, TierFile
from pygama.storage.units import unit_of

BLOCK_ROWS = 65_536
SUFFIXES = (".csv", ".parquet", ".lh5", ".root")
NOTHING: Mapping[str, str] = MappingProxyType({})
_NEEDS = {"pyarrow": "parquet", "uproot": "root"}

Columns = dict[str, np.ndarray]


Adder = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


class Chooser(Protocol):
    """What tells which rows are wanted."""

    @property
    def columns(self) -> Collection[str]:
        """Names of the columns that are read."""

    def mask(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Tell which rows are wanted, (n_rows,) bool."""


@dataclass(frozen=True)
class Source:
    """A Tier file whose table is written, which of its rows (None: all), and what is added to them."""

    path: Path
    chosen: Chooser | None = None
    added: Adder | None = None


def write_table(
    source: Path | str,
    path: Path | str,
    *,
    key: str = "data",
    columns: Sequence[str] | None = None,
    chosen: Chooser | None = None,
    added: Adder | None = None,
    about: Mapping[str, str] = NOTHING,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write a table of a Tier file as what the end of `path` says; returns the number of rows written.

    columns: those that are wanted, in this order; None: all that hold one number or text a row. chosen: which
    rows; None: all. Raises SettingsError for names that are not there, an end that is not known, or a
    package that is missing.
    added: makes further columns of a block of rows, name -> (n,), which `chosen` may read too and which are
    written last. LH5 and ROOT get numbers only. about: what the file tells of how it was made beside its
    source, the version and units; a CSV file has no place for that. on_rows: told after each block how many
    rows are done and how many there are; what it raises ends the writing, and no file is left.
    """
    return write_tables(
        [Source(Path(source), chosen, added)], path, key=key, columns=columns, about=about, on_rows=on_rows
    )


def write_tables(
    sources: Sequence[Source],
    path: Path | str,
    *,
    key: str = "data",
    columns: Sequence[str] | None = None,
    about: Mapping[str, str] = NOTHING,
    on_rows: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write the tables of several Tier files one behind the other, as `write_table` does with one.

    A column that some of them lack is NaN there, or empty text; so it is for their `chosen`, too. Files of
    runs without any row have no such table and are passed over.
    """
    path = Path(path)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise SettingsError(f"{path.name}: tables are written as {', '.join(SUFFIXES)}")
    if len(sources) > 1:
        sources = [source for source in sources if _has(source.path, key)]
    looks = [_look(source, key) for source in sources]
    kinds = _kinds_of(looks)
    names = _names(sources, columns, kinds, looks)
    total = sum(look.n_rows for look in looks)
    made = {"source": ", ".join(source.path.name for source in sources), "table": key}
    made |= {"made by": f"pygama {__version__}", **{name: text for name, text in about.items() if text}}
    part = path.with_name(path.name + ".part")
    try:
        n_rows = write(part, _all_blocks(sources, looks, key, names, kinds, total, on_rows), about=made)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return n_rows


@dataclass(frozen=True)
class _Look:
    """What one source holds. own, further: columns of its table and those that are added -> type."""

    n_rows: int
    own: Mapping[str, np.dtype]
    further: Mapping[str, np.dtype]

    @property
    def kinds(self) -> dict[str, np.dtype]:
        return {**self.own, **self.further}


def _has(path: Path, key: str) -> bool:
    with TierFile(path) as file:
        return key in file.keys


def _look(source: Source, key: str) -> _Look:
    with TierFile(source.path) as file:
        table = file.table(key)
        rows = table.read(0, 0, waveforms=False).rows
        own = {name: rows.dtype[name] for name in _single_valued(rows)}
        added = {} if source.added is None else _with(source.added, rows)
        return _Look(len(table), own, {name: values.dtype for name, values in added.items()})


def _kinds_of(looks: Sequence[_Look]) -> dict[str, np.dtype]:
    """Give the type of each column in the order of their first appearance, those that are added last."""
    order = [
        *(name for look in looks for name in look.own),
        *(name for look in looks for name in look.further),
    ]
    last = {name for look in looks for name in look.further if name not in look.own}
    ordered = sorted(dict.fromkeys(order), key=lambda name: name in last)
    return {name: _joint_kind([look.kinds.get(name) for look in looks]) for name in ordered}


def _joint_kind(kinds: Sequence[np.dtype | None]) -> np.dtype:
    """Give a type that holds the values of all, and says that there is none where a type is missing."""
    there = [kind for kind in kinds if kind is not None]
    joint = there[0] if all(kind == there[0] for kind in there) else np.result_type(*there)
    return np.dtype(np.float64) if None in kinds and joint.kind in "iub" else joint


def _names(
    sources: Sequence[Source],
    columns: Sequence[str] | None,
    kinds: Mapping[str, np.dtype],
    looks: Sequence[_Look],
) -> tuple[str, ...]:
    further = dict.fromkeys(name for look in looks for name in look.further)
    names = tuple(kinds) if columns is None else tuple(dict.fromkeys([*columns, *further]))
    for source in sources:
        for name in (*names, *(() if source.chosen is None else sorted(source.chosen.columns))):
            if name not in kinds:
                raise SettingsError(
                    f"{source.path.name} has no column '{name}'; there are {', '.join(kinds)}"
                )
    return names


def _all_blocks(
    sources: Sequence[Source],
    looks: Sequence[_Look],
    key: str,
    names: Sequence[str],
    kinds: Mapping[str, np.dtype],
    total: int,
    on_rows: Callable[[int, int], None],
) -> Iterator[Columns]:
    before = 0
    for source, look in zip(sources, looks, strict=True):
        with TierFile(source.path) as file:
            for block, n_done in _blocks(file.table(key), names, source, kinds):
                yield block
                on_rows(before + n_done, total)
        before += look.n_rows


def _single_valued(columns: np.ndarray) -> Iterator[str]:
    dtype = columns.dtype
    return (name for name in dtype.names or () if dtype[name].shape == ())


def _blocks(
    table: Table, names: Sequence[str], source: Source, kinds: Mapping[str, np.dtype]
) -> Iterator[tuple[Columns, int]]:
    chosen = source.chosen
    read = dict.fromkeys([*names, *(() if chosen is None else chosen.columns)])
    for start in range(0, max(len(table), 1), BLOCK_ROWS):
        end = min(start + BLOCK_ROWS, len(table))
        rows = table.read(start, end, waveforms=False).rows
        further = {} if source.added is None else _with(source.added, rows)
        own = rows.dtype.names or ()
        known = {
            name: further[name]
            if name in further
            else rows[name]
            if name in own
            else _absent(kinds[name], end - start)
            for name in read
        }
        passes: Any = slice(None)
        if chosen is not None:
            passes = chosen.mask({name: known[name] for name in chosen.columns})
        yield (
            {
                name: np.ascontiguousarray(known[name][passes].astype(kinds[name], copy=False))
                for name in names
            },
            end,
        )


def _absent(kind: np.dtype, n: int) -> np.ndarray:
    """Give what stands for values that are not there: NaN or empty text, (n,)."""
    return np.zeros(n, kind) if kind.kind in "SU" else np.full(n, np.nan, kind)


def _with(added: Adder, rows: np.ndarray) -> Columns:
    return dict(added({name: rows[name] for name in _single_valued(rows)}))


def _of(package: str) -> Any:
    try:
        return import_module(package)
    except ImportError:
        extra = _NEEDS[package.partition(".")[0]]
        raise SettingsError(
            f"this needs the package {package.partition('.')[0]}: pip install 'pygama-gui[{extra}]'"
        ) from None


def _csv(path: Path, blocks: Iterator[Columns], about: Mapping[str, str]) -> int:
    n_rows = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for index, block in enumerate(blocks):
            if not index:
                writer.writerow(block)
            rows = list(zip(*(_texts(values) for values in block.values()), strict=True))
            writer.writerows(rows)
            n_rows += len(rows)
    return n_rows


def _texts(values: np.ndarray) -> list[Any]:
    """Give values as CSV shall have them: numbers that read back equal, nothing for NaN."""
    if values.dtype.kind == "S":
        return [value.decode("utf-8", "replace") for value in values.tolist()]
    if values.dtype.kind == "f":
        shortest = values.astype(object) if values.dtype == np.float32 else values.tolist()
        return ["" if value != value else str(value) for value in shortest]
    return values.tolist()


def _parquet(path: Path, blocks: Iterator[Columns], about: Mapping[str, str]) -> int:
    arrow, parquet = _of("pyarrow"), _of("pyarrow.parquet")
    n_rows, writer = 0, None
    try:
        for block in blocks:
            arrays = {name: arrow.array(_plain(values)) for name, values in block.items()}
            fields = [
                arrow.field(name, array.type, metadata={"unit": unit} if (unit := unit_of(name)) else None)
                for name, array in arrays.items()
            ]
            page = arrow.table(list(arrays.values()), schema=arrow.schema(fields, metadata=dict(about)))
            if writer is None:
                writer = parquet.ParquetWriter(path, page.schema)
            writer.write_table(page)
            n_rows += page.num_rows
    finally:
        if writer is not None:
            writer.close()
    return n_rows


def _plain(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "replace")
    return values.astype(values.dtype.newbyteorder("="))


def _lh5(path: Path, blocks: Iterator[Columns], about: Mapping[str, str]) -> int:
    n_rows = 0
    with quiet(), tables.open_file(str(path), "w", pytables_sys_attrs=False) as file:
        for index, block in enumerate(blocks):
            numbers = {name: values for name, values in block.items() if values.dtype.kind in "biuf"}
            if not index:
                group = file.create_group("/", about["table"])
                group._v_attrs["datatype"] = f"table{{{','.join(numbers)}}}"
                group._v_attrs["about"] = json.dumps(about)
                for name, values in numbers.items():
                    array = file.create_earray(group, name, tables.Atom.from_dtype(values.dtype), (0,))
                    array.attrs["datatype"] = f"array<1>{{{'bool' if values.dtype == bool else 'real'}}}"
                    if unit := unit_of(name):
                        array.attrs["units"] = unit
            for name, values in numbers.items():
                file.get_node(group, name).append(values)
            n_rows += len(next(iter(block.values()), ()))
    return n_rows


def _root(path: Path, blocks: Iterator[Columns], about: Mapping[str, str]) -> int:
    uproot = _of("uproot")
    n_rows = 0
    with uproot.recreate(path) as file:
        tree = None
        for block in blocks:
            numbers = {name: _plain(values) for name, values in block.items() if values.dtype.kind in "biuf"}
            if tree is None:
                kinds = {name: values.dtype for name, values in numbers.items()}
                tree = file.mktree(about["table"], kinds, title=json.dumps(about))
            tree.extend(numbers)
            n_rows += len(next(iter(block.values()), ()))
    return n_rows


_WRITERS: dict[str, Callable[..., int]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".lh5": _lh5,
    ".root": _root,
}
