"""Reads frames that pandas stored in its 'fixed' form, as far as they are plain numbers.

The demo of 2018 wrote card settings and garbage so. Where pandas pickled something (text, lists), reading it
could run a program: it is refused, and pandas can read it for those who trust the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pygama.errors import TierFileError
from pygama.storage.frame_layout import Field, FrameLayout, Label
from pygama.storage.hdf5 import tables


def read_fixed_frame(group: Any, where: str) -> tuple[FrameLayout, np.ndarray]:
    """Read a whole frame: its layout and its rows, (n_rows,) records.

    Raises TierFileError naming `where` if any of it is pickled.
    """
    columns: dict[Label, np.ndarray] = {}
    for number in range(int(group._v_attrs["nblocks"])):
        labels = _read_labels(group[f"block{number}_items"], where)
        values = _read_plain(group[f"block{number}_values"], where)
        columns.update(zip(labels, values.T, strict=True))
    shown = tuple(_read_labels(group["axis0"], where))
    fields = tuple(
        Field(f"f{place}", columns[label].dtype, (label,), alone=True) for place, label in enumerate(shown)
    )
    n_rows = len(columns[shown[0]]) if shown else 0
    records = np.empty(n_rows, np.dtype([field.record_entry for field in fields]))
    for field in fields:
        records[field.name] = columns[field.labels[0]]
    return FrameLayout(fields, shown, records.dtype), records


def _read_labels(node: Any, where: str) -> list[Label]:
    labels = _read_plain(node, where)
    if labels.dtype.kind == "S":
        return [label.decode("utf-8", "replace") for label in labels.tolist()]
    return [int(label) for label in labels]


def _read_plain(node: Any, where: str) -> np.ndarray:
    if isinstance(node, tables.VLArray) or not isinstance(node, tables.Array):
        raise TierFileError(
            f"{where} is pickled in part, which could run a program, and is not read; "
            "pandas.read_hdf reads it, if you trust the file"
        )
    return node.read()
