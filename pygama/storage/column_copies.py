"""Copies columns from one structured array to another: those that lie side by side in both, in one piece."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def copy_columns(source: np.ndarray, target: np.ndarray, names: tuple[str, ...]) -> None:
    """Copy columns of `source` to those of the same names in `target`, row for row."""
    together, alone = _stretches(source.dtype, target.dtype, names)
    for there, here in together:
        target.view(here)["stretch"] = source.view(there)["stretch"]
    for name in alone:
        target[name] = source[name]


@lru_cache(maxsize=256)
def _stretches(
    source: np.dtype, target: np.dtype, names: tuple[str, ...]
) -> tuple[list[tuple[np.dtype, np.dtype]], list[str]]:
    """Find stretches of columns, as they are seen on both sides, and columns whose types differ."""
    assert source.fields is not None and target.fields is not None
    found: list[list[int]] = []
    alone = []
    for name in names:
        (kind, there, *_), (other, here, *_) = source.fields[name], target.fields[name]
        if kind != other or kind.hasobject:
            alone.append(name)
        elif found and (there, here) == (found[-1][0] + found[-1][2], found[-1][1] + found[-1][2]):
            found[-1][2] += kind.itemsize
        else:
            found.append([there, here, kind.itemsize])
    together = [(_seen(source, there, size), _seen(target, here, size)) for there, here, size in found]
    return together, alone


def _seen(record: np.dtype, offset: int, n_bytes: int) -> np.dtype:
    return np.dtype(
        {
            "names": ["stretch"],
            "formats": [f"V{n_bytes}"],
            "offsets": [offset],
            "itemsize": record.itemsize,
        }
    )
