"""Puts the rows of all digitizers of a run into one Tier 2 table, in file order.

The columns of the 2018 demo come first, in its order, then the outputs of the chain, then the rest. Where
several decoders share a file, the table has all their columns and one more, `decoder`; what a decoder does
not have is NaN in its rows. The order of columns depends on the set of decoders alone, not on which came
first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from pygama.block import Block
from pygama.processing.compact import TIME, TIME_STEP_S, left_out, rounded
from pygama.storage.column_copies import copy_columns
from pygama.storage.reader import joined_blocks

FIRST = ("board_id", "channel", "energy", "energy_first", "event_number", "timestamp", "ts_hi")
_NAME_BYTES = "S48"


def tier2_columns(
    rows: np.ndarray, outputs: Mapping[str, np.ndarray], *, is_compact: bool = False
) -> np.ndarray:
    """Join the single-valued columns of a block with what the chain made of it, (n_rows,) structured.

    is_compact: leave out what is said twice, and round the time; what the chain gave is rounded already.
    """
    dtype, kept = _tier2_dtype(rows.dtype, tuple(outputs), is_compact)
    table = np.empty(len(rows), dtype)
    copy_columns(rows, table, kept)
    for name, values in outputs.items():
        table[name] = values
    if is_compact and TIME in kept:
        table[TIME] = rounded(rows[TIME], TIME_STEP_S)
    return table


@lru_cache(maxsize=64)
def _tier2_dtype(
    rows: np.dtype, outputs: tuple[str, ...], is_compact: bool
) -> tuple[np.dtype, tuple[str, ...]]:
    """Lay out the columns, and tell which of them are those of the block."""
    names = rows.names or ()
    if is_compact:
        names = tuple(name for name in names if name not in left_out(names))
    first = [name for name in FIRST if name in names]
    rest = [name for name in names if name not in first and name not in outputs]
    fields = [(name, rows[name]) for name in first]
    fields += [(name, np.dtype(np.float64)) for name in outputs]
    fields += [(name, rows[name]) for name in rest]
    return np.dtype(fields), (*first, *rest)


def joint_dtype(dtypes: Mapping[str, np.dtype]) -> np.dtype:
    """Give the dtype of the table that holds rows of all these decoders."""
    if len(dtypes) == 1:
        return next(iter(dtypes.values()))
    kinds: dict[str, list[np.dtype]] = {}
    for decoder in sorted(dtypes):
        for name in dtypes[decoder].names or ():
            kinds.setdefault(name, []).append(dtypes[decoder][name])
    order = [name for name in FIRST if name in kinds]
    order += [name for name in kinds if name not in order]
    fields: list[tuple[str, np.dtype]] = []
    for name in order:
        everywhere = len(kinds[name]) == len(dtypes)
        fields.append((name, np.result_type(*kinds[name]) if everywhere else np.dtype(np.float64)))
    return np.dtype([*fields, ("decoder", np.dtype(_NAME_BYTES))])


def fitted(rows: np.ndarray, decoder: str, dtype: np.dtype) -> np.ndarray:
    """Put rows of one decoder into the columns of the joint table; what they lack is NaN."""
    if rows.dtype == dtype:
        return rows
    table = np.empty(len(rows), dtype)
    for name in dtype.names or ():
        if name in (rows.dtype.names or ()):
            table[name] = rows[name]
        else:
            table[name] = decoder.encode() if name == "decoder" else np.nan
    return table


def in_file_order(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Join parts of equal dtype, sorted by event number; rows of one record keep their order."""
    if len(parts) == 1:
        return parts[0]
    joint = np.concatenate(parts)
    return joint[np.argsort(joint["event_number"], kind="stable")]


def merged(streams: Sequence[Iterable[np.ndarray]]) -> Iterator[np.ndarray]:
    """Merge streams of rows, each in file order, into one in file order; holds one part of each."""
    sources = [iter(stream) for stream in streams]
    held: list[np.ndarray | None] = [_next_filled(source) for source in sources]
    while any(part is not None for part in held):
        limit = min(part["event_number"][-1] for part in held if part is not None)
        ready = []
        for place, part in enumerate(held):
            if part is None:
                continue
            end = int(np.searchsorted(part["event_number"], limit, side="right"))
            ready.append(part[:end])
            held[place] = part[end:] if end < len(part) else _next_filled(sources[place])
        yield in_file_order(ready)


def gathered(parts: Iterable[Block], n_rows: int) -> Iterator[Block]:
    """Join parts without waveforms until they have `n_rows` or more: what each costs is paid less often.

    Parts with traces, which are large, are passed on as they come.
    """
    waiting: list[Block] = []
    for part in parts:
        waiting.append(part)
        if part.traces or sum(map(len, waiting)) >= n_rows:
            yield joined_blocks(waiting)
            waiting = []
    if waiting:
        yield joined_blocks(waiting)


def _next_filled(source: Iterator[np.ndarray]) -> np.ndarray | None:
    return next((part for part in source if len(part)), None)
