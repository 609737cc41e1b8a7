"""Lays rows out as pandas does in an appendable `frame_table`, and finds them again in tables of pandas.

A record is the row number (`index`) followed by blocks: arrays of the columns of one type, the samples last
and by themselves; or, for tables to be queried, by one field a column. Attributes beside it name the columns
of each block and the order in which to show them. Columns with whole numbers for names are samples.
The attributes are those of pandas 0.15.2 to 3.1, which all of these read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from pygama.errors import OutputError, TierFileError
from pygama.quick_dataclass import dataclass
from pygama.storage.column_copies import copy_columns

WIDEST_WAVEFORM = 8192
"""Samples: longer waveforms go to an array beside the table (an HDF5 attribute holds 64 kB of labels)."""

PANDAS_NAMES = frozenset(
    {
        *("pandas_type", "pandas_version", "table_type", "index_cols", "values_cols", "non_index_axes"),
        *("data_columns", "nan_rep", "encoding", "errors", "levels", "info", "metadata"),
        *("data_col_nan_rep", "mi_level_nan_rep"),
    }
)
"""Attributes of a table's group that belong to pandas."""

_RESERVED = re.compile(r"_[cfgv]_")
"""How names begin that PyTables keeps for itself, also those of attributes made of them."""

Label = str | int


@dataclass(frozen=True)
class Field:
    """One field of the stored record and the columns in it. alone: one column, as a field of its own."""

    name: str
    type: np.dtype
    labels: tuple[Label, ...]
    alone: bool = False

    @property
    def record_entry(self) -> tuple:
        return (self.name, self.type) if self.alone else (self.name, self.type, (len(self.labels),))


@dataclass(frozen=True)
class FrameLayout:
    """Where each column lies in a stored record.

    labels: names of columns (text) and of samples (whole numbers), in the order to show them.
    record: the stored dtype.
    """

    fields: tuple[Field, ...]
    labels: tuple[Label, ...]
    record: np.dtype

    @cached_property
    def _samples_field(self) -> Field | None:
        """The field that holds all samples one behind the other, numbered from 0: that of every file of ours.

        It spares looking at each of thousands of samples. None where they lie otherwise, or there are none.
        """
        holding = [field for field in self.fields if any(not isinstance(one, str) for one in field.labels)]
        is_plain = len(holding) == 1 and holding[0].labels == tuple(range(len(holding[0].labels)))
        return holding[0] if is_plain else None

    @cached_property
    def _places(self) -> dict[Label, tuple[np.dtype, int]]:
        """Type and offset of each column, and of each sample unless `_samples_field` tells them all."""
        assert self.record.fields is not None
        places: dict[Label, tuple[np.dtype, int]] = {}
        for field in self.fields:
            if field is self._samples_field:
                continue
            start = self.record.fields[field.name][1]
            for number, label in enumerate(field.labels):
                places[label] = (field.type, start + number * field.type.itemsize)
        return places

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the single-valued columns."""
        return tuple(label for label in self.labels if isinstance(label, str))

    @cached_property
    def samples(self) -> tuple[int, ...]:
        """Labels of the samples, ascending."""
        if self._samples_field is not None:
            return tuple(range(len(self._samples_field.labels)))
        return tuple(sorted(label for label in self.labels if isinstance(label, int)))

    @cached_property
    def sample_type(self) -> np.dtype | None:
        """Type of the samples; None where there are none."""
        if self._samples_field is not None:
            return np.result_type(self._samples_field.type)
        return np.result_type(*{self._places[label][0] for label in self.samples}) if self.samples else None

    @cached_property
    def rows_type(self) -> np.dtype:
        """dtype of `Block.rows`."""
        return np.dtype([(name, self._places[name][0]) for name in self.columns])

    @cached_property
    def _rows_in_record(self) -> np.dtype:
        types, offsets = zip(*(self._places[name] for name in self.columns), strict=True)
        return np.dtype(
            {"names": self.columns, "formats": types, "offsets": offsets, "itemsize": self.record.itemsize}
        )

    def rows(self, records: np.ndarray) -> np.ndarray:
        """Copy the single-valued columns out of records, into `rows_type`."""
        rows = np.empty(len(records), self.rows_type)
        if self.columns:
            copy_columns(records.view(self._rows_in_record), rows, self.columns)
        return rows

    def column(self, records: np.ndarray, name: str) -> np.ndarray:
        """View one single-valued column of records."""
        return records.view(self._rows_in_record)[name]

    @cached_property
    def _even_samples(self) -> tuple[int, int] | None:
        """Offset of the first sample in a record and the step to the next; None if they lie scattered."""
        if self._samples_field is not None:
            assert self.record.fields is not None
            return self.record.fields[self._samples_field.name][1], self._samples_field.type.itemsize
        types, offsets = zip(*(self._places[label] for label in self.samples), strict=True)
        steps = set(np.diff(offsets).tolist()) or {types[0].itemsize}
        return (offsets[0], steps.pop()) if len(set(types)) == 1 and len(steps) == 1 else None

    def waveforms(self, records: np.ndarray) -> np.ndarray | None:
        """View the samples of contiguous records as (n_rows, n_samples); None where there are none."""
        if self.sample_type is None:
            return None
        shape = (len(records), len(self.samples))
        if not len(records):
            return np.empty(shape, self.sample_type)
        if self._even_samples is None:
            return self._gather(records)
        offset, step = self._even_samples
        data = records.view(np.uint8)
        return np.ndarray(shape, self.sample_type, data, offset, (self.record.itemsize, step))

    def _gather(self, records: np.ndarray) -> np.ndarray:
        waveforms = np.empty((len(records), len(self.samples)), self.sample_type)
        for number, label in enumerate(self.samples):
            kind, offset = self._places[label]
            waveforms[:, number] = np.ndarray(
                len(records), kind, records.view(np.uint8), offset, self.record.itemsize
            )
        return waveforms

    def fill(self, records: np.ndarray, first: int, rows: np.ndarray, waveforms: np.ndarray | None) -> None:
        """Write rows, numbered from `first`, into contiguous records of the same length."""
        records["index"] = np.arange(first, first + len(records))
        if self.columns:
            copy_columns(rows, records.view(self._rows_in_record), self.columns)
        if waveforms is not None and self.samples:
            records[self.fields[-1].name] = waveforms

    def group_attributes(self) -> dict[str, Any]:
        """What pandas wants to find on the group."""
        return {
            "pandas_type": "frame_table",
            "pandas_version": "0.15.2",
            "table_type": "appendable_frame",
            "index_cols": [(0, "index")],
            "values_cols": [field.name for field in self.fields],
            "non_index_axes": [(1, list(self.labels))],
            "data_columns": [field.name for field in self.fields if field.alone],
            "nan_rep": "nan",
            "encoding": "UTF-8",
            "errors": "strict",
            "levels": 1,
            "info": {1: {"names": [None], "type": "Index"}, "index": {}},
        }

    def table_attributes(self) -> dict[str, Any]:
        """What pandas wants to find on the table."""
        attributes: dict[str, Any] = {"index_kind": "integer"}
        for field in self.fields:
            attributes[f"{field.name}_kind"] = list(field.labels)
            attributes[f"{field.name}_dtype"] = field.type.name
            if field.type.kind == "S":
                attributes[f"{field.name}_meta"] = "str"
        return attributes


def plan_layout(rows: np.dtype, samples: np.dtype | None, n_samples: int, *, queryable: bool) -> FrameLayout:
    """Lay out new rows of the given dtype, with `n_samples` columns of samples after them.

    Raises OutputError for a column that a table cannot hold.
    """
    columns = {name: _storable(name, rows[name]) for name in rows.names or ()}
    fields = _alone(columns) if queryable else _by_type(columns)
    if n_samples and samples is not None:
        fields.append(
            Field(f"values_block_{len(fields)}", _storable("samples", samples), tuple(range(n_samples)))
        )
    record = np.dtype([("index", np.dtype("<i8")), *(field.record_entry for field in fields)])
    return FrameLayout(tuple(fields), (*columns, *range(n_samples)), record)


def _storable(name: str, kind: np.dtype) -> np.dtype:
    if kind.shape or kind.kind not in "biufS" or not kind.itemsize:
        raise OutputError(
            f"column {name!r} of type {kind} cannot be stored; "
            "give whole numbers, floats, true/false or bytes ('S'), one value a row"
        )
    return little_endian(kind)


def little_endian(kind: np.dtype) -> np.dtype:
    """Give the type as it is stored, spelled as PyTables compares types."""
    return np.dtype(kind.newbyteorder("<").str)


def _alone(columns: Mapping[str, np.dtype]) -> list[Field]:
    if taken := {"index", f"values_block_{len(columns)}"} & columns.keys():
        raise OutputError(f"column {taken.pop()!r} has a name that the table itself needs; give it another")
    if reserved := [name for name in columns if _RESERVED.match(name)]:
        raise OutputError(
            f"column {reserved[0]!r} begins as names that PyTables keeps for itself; give it another name"
        )
    return [Field(name, kind, (name,), alone=True) for name, kind in columns.items()]


def _by_type(columns: Mapping[str, np.dtype]) -> list[Field]:
    labels: dict[np.dtype, list[str]] = {}
    for name, kind in columns.items():
        labels.setdefault(kind, []).append(name)
    return [
        Field(f"values_block_{number}", kind, tuple(names))
        for number, (kind, names) in enumerate(labels.items())
    ]


def read_layout(
    group: Mapping[str, Any], table: Mapping[str, Any], record: np.dtype, where: str
) -> FrameLayout:
    """Find the columns of a stored table from its attributes.

    Raises TierFileError naming `where` if they do not fit together.
    """
    try:
        alone = set(group.get("data_columns") or ())
        fields = tuple(_read_field(name, table, record, name in alone) for name in group["values_cols"])
        stored = [label for field in fields for label in field.labels]
        shown = plain_labels(group["non_index_axes"][0][1])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise TierFileError(
            f"{where}: the names of its columns are missing or damaged ({error!r}); "
            "process the raw file again"
        ) from error
    if not len(stored) == len(shown) == len(set(stored)) or set(stored) != set(shown):
        raise TierFileError(f"{where}: its columns and their names do not agree; process the raw file again")
    return FrameLayout(fields, shown, record)


def _read_field(name: str, table: Mapping[str, Any], record: np.dtype, alone: bool) -> Field:
    kind = record[name]
    base = kind.base
    if not kind.shape:
        return Field(name, base, (name,), alone=True)
    labels = plain_labels(table[f"{name}_kind"])
    if kind.shape != (len(labels),):
        raise ValueError(f"{name} holds {kind.shape} values for {len(labels)} names")
    return Field(name, base, labels, alone)


def plain_labels(labels: Iterable[Any]) -> tuple[Label, ...]:
    """Make names and whole numbers of what Python and pandas of any year wrote as labels."""
    given = tuple(labels)
    return given if {*map(type, given)} <= {int, str} else tuple(map(_plain_label, given))


def _plain_label(label: Any) -> Label:
    if isinstance(label, int | np.integer) and not isinstance(label, bool):
        return int(label)
    return label.decode() if isinstance(label, bytes) else str(label)
