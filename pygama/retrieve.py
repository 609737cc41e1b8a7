"""Writes the waveforms of all events that pass a cut into a new Tier 1 file.

The new file is laid out as ProcessTier0 lays it out, so that ProcessTier1 and pandas read it as any other. It
says in its texts from which files, by which cut and by which version it was made, and each row says in
`source_row` which row of the Tier 1 table it was. Both files are read block for block; of what passes, a
number a row is held in memory.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np

from pygama.analysis.calibration import Calibration, apply
from pygama.analysis.calibration_file import calibration_text, read_calibration
from pygama.analysis.cutting import Cut, Selection, selection_of
from pygama.analysis.tagging import NAMES as TAGS
from pygama.analysis.tagging import Tagging, tags_of, wanted_by
from pygama.block import Block
from pygama.boxes import Numbering, boxes_among, rows_through
from pygama.errors import OutputError, SettingsError, TierFileError
from pygama.processing import outputs
from pygama.processing.digest import differing, file_digests, other_chain_words
from pygama.processing.tier1 import digitizer_tables
from pygama.processing.tier2_sink import KEY
from pygama.progress import Done, Note, Progress, Tell, tell_nobody
from pygama.storage import Table, TierFile, TierWriter
from pygama.storage.reader import Columns

SOURCE_ROW = "source_row"
"""Column of the new file: number of the row in the table of the same name of the Tier 1 file."""

_BLOCK_BYTES = 8 << 20
_STEP = 32_768


def select_events(
    t1_file: Path | str,
    t2_file: Path | str,
    cut: Cut,
    output: Path | str,
    *,
    compression: str = "zstd",
    tagging: Tagging | None = None,
    calibration: Path | str | None = None,
    multiprocess: bool = True,
    tell: Tell = tell_nobody,
) -> Path:
    """Write the Tier 1 rows of the Tier 2 rows that pass `cut` to `output`, and return its path.

    Slow control, run records and the parameters of the cards go along; garbage and damaged records do not.
    tagging: in which window hits belong together, where the cut asks for 'event', 'multiplicity' or
    'n_channels'; 'is_pulser' needs nothing. calibration: file, by which the cut may ask for '<column>_kev'.
    multiprocess: use all cores, in threads. `tell` may raise errors.Stopped.

    Raises TierFileError for files that do not belong together, SettingsError for a cut that is none or that
    nothing passes, OutputError where the file cannot be written; then no output was changed.
    """
    began = time.perf_counter()
    selection = selection_of(cut)
    held = None if calibration is None else read_calibration(calibration)
    path = Path(output)
    with ExitStack() as stack:
        t1 = stack.enter_context(TierFile(Path(t1_file)))
        t2 = stack.enter_context(TierFile(Path(t2_file)))
        named = {} if held is None or calibration is None else _named(Path(calibration), held)
        texts = _texts(t1, t2, selection, tagging, named)
        _check_output(path, t1, t2, texts)
        pool = stack.enter_context(ThreadPoolExecutor(os.cpu_count() or 1)) if multiprocess else None
        boxes = boxes_among(selection.columns)
        made = rows_through(t1.path, t2.path, boxes, pool=pool) if boxes else {}
        made |= _tags(t2, selection, tagging, tell)
        if held is not None and held.energy_column in selection.columns:
            _tell_other_chain(t2.path, held, tell)
            made[held.energy_column] = _energies(t2.table(KEY), held, pool)
        wanted = _passing(t2.table(KEY), selection, made, pool)
        tables = digitizer_tables(t1, None)
        writer = stack.enter_context(TierWriter(path, compression=compression, pool=pool))
        n_rows = _copy_events(tables, wanted, writer, pool, tell)
        if n_rows != len(wanted):
            raise TierFileError(
                f"{t2.path.name} has {len(wanted)} rows that pass, but {t1.path.name} only {n_rows} of "
                "these; they are not of one run: process the raw run again"
            )
        _copy_others(t1, {table.key for table in tables}, writer)
        writer.set_texts("/", texts)
        counts = {key: writer.rows(key) for key in writer.keys}
    tell(Done((path,), n_rows, time.perf_counter() - began, counts))
    return path


def _tags(t2: TierFile, selection: Selection, tagging: Tagging | None, tell: Tell) -> dict[str, np.ndarray]:
    """Make what the cut asks for that only all hits together tell, (n_rows,) each; tell what is not there."""
    wanted = [name for name in selection.columns if name in TAGS and name not in t2.table(KEY).columns]
    if not wanted:
        return {}
    tagged = tags_of(t2.path, wanted_by(wanted, tagging or Tagging()))
    for line in tagged.missing:
        tell(Note(f"{t2.path.name}: {line}", "warning"))
    return tagged.columns


def _tell_other_chain(tier2: Path, calibration: Calibration, tell: Tell) -> None:
    """Say of which channels the energies are those of another chain."""
    made = calibration.digests
    others = differing(made, file_digests([tier2], calibration.column, made))
    if others:
        tell(Note(f"{tier2.name}: {other_chain_words(calibration.column, others)}", "warning"))


def _energies(table: Table, calibration: Calibration, pool: Executor | None) -> np.ndarray:
    """Give the energies of all rows of Tier 2, (n_rows,)."""

    def energy(first: int, columns: Columns) -> np.ndarray:
        return apply(calibration, columns)[calibration.energy_column]

    return np.concatenate([*table.map_columns(energy, _STEP, pool=pool), np.zeros(0)])


def _named(path: Path, calibration: Calibration) -> dict[str, str]:
    """Say which calibration a cut was made by: the name of its file, and what tells it from another."""
    # It brings OpenSSL, which most selections can do without.
    import hashlib

    text = calibration_text(calibration)
    return {"calibration": path.name, "calibration_sha256": hashlib.sha256(text.encode()).hexdigest()}


def _chosen_in(tagging: Tagging) -> dict[str, Any]:
    """Give what somebody chose of how hits are tagged."""
    fresh = Tagging()
    names = ("window_s", "is_sliding", "same_clock", "amplitude", "pulser_in")
    return {name: value for name in names if (value := getattr(tagging, name)) != getattr(fresh, name)}


def _texts(
    t1: TierFile,
    t2: TierFile,
    selection: Selection,
    tagging: Tagging | None,
    calibration: Mapping[str, str],
) -> dict[str, str]:
    """Say what the new file is, with all that the Tier 1 file says of itself."""
    from pygama import __version__

    of_t1, of_t2 = t1.texts("/"), t2.texts("/")
    for name in outputs.IDENTITY:
        if name in of_t1 and name in of_t2 and of_t1[name] != of_t2[name]:
            raise TierFileError(
                f"{t1.path.name} and {t2.path.name} are not of one run: "
                f"their {name.replace('_', ' ')} differs"
            )
    made = {
        "cut": selection.text,
        "tier1": t1.path.name,
        "tier2": t2.path.name,
        "chain": json.loads(of_t2.get("chain", "null")),
        "pygama_version": __version__,
        **_chosen_in(tagging or Tagging()),
        **calibration,
        "before": json.loads(of_t1.get(outputs.SELECTION, "null")),
    }
    return {**of_t1, outputs.SELECTION: json.dumps(made, sort_keys=True)}


def _check_output(path: Path, t1: TierFile, t2: TierFile, texts: Mapping[str, str]) -> None:
    """Raise OutputError rather than write over a file that is not the same selection."""
    if not path.exists():
        return
    if path.samefile(t1.path) or path.samefile(t2.path):
        raise OutputError(f"{path.name} would be written over itself; give another name")
    with suppress(TierFileError), TierFile(path) as there:
        if there.texts("/").get(outputs.SELECTION) == texts[outputs.SELECTION]:
            return
    raise OutputError(
        f"{path.name} is there already and is not this selection; it is left as it is. Move it away, or give "
        "another name"
    )


class _Both(Mapping[str, np.ndarray]):
    """Columns that were made, before those of the file; each of these is read when it is asked for."""

    def __init__(self, made: Mapping[str, np.ndarray], stored: Columns) -> None:
        self._made, self._stored = made, stored

    def __getitem__(self, name: str) -> np.ndarray:
        return self._made[name] if name in self._made else self._stored[name]

    def __iter__(self) -> Iterator[str]:
        yield from (*self._made, *self._stored)

    def __len__(self) -> int:
        return len(self._made) + len(self._stored)


def _passing(
    table: Table, selection: Selection, made: Mapping[str, np.ndarray], pool: Executor | None
) -> np.ndarray:
    """Give a number for each row of Tier 2 that passes, rising: of its record and of the row in it.

    made: what the cut names that is in no column of the file, name -> (n_rows,).
    """
    there = (*table.columns, *made)
    lacking = [name for name in ("event_number", *selection.columns) if name not in there]
    if lacking:
        if lacking[0].endswith("_kev"):
            raise SettingsError(
                f"{table.path.name} has no column {lacking[0]!r}; energies need a calibration of that "
                "column: give its file (--calibration FILE.json)"
            )
        raise SettingsError(
            f"{table.path.name} has no column {lacking[0]!r}; it has {', '.join(table.columns)}"
        )

    def pick(first: int, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(first, first + columns.n_rows)
        read = {name: values[rows] for name, values in made.items()}
        mask = selection.mask(_Both(read, columns), columns.n_rows)
        return np.array(columns["event_number"]), np.array(mask)

    numbering = Numbering(table)
    passing = [numbering.of(events)[mask] for events, mask in table.map_columns(pick, _STEP, pool=pool)]
    wanted = np.concatenate(passing) if passing else np.zeros(0, np.int64)
    if not len(wanted):
        raise SettingsError(
            f"no event of {table.n_rows} passes the cut {selection.text!r}; nothing was written"
        )
    return wanted


def _copy_events(
    tables: list[Table], wanted: np.ndarray, writer: TierWriter, pool: Executor | None, tell: Tell
) -> int:
    total = sum(table.n_rows * table.row_bytes for table in tables)
    n_rows = done_bytes = seen = 0
    for table in tables:
        for block in _passing_blocks(table, wanted, pool):
            part, n_seen = block
            writer.write(table.key, part)
            n_rows += len(part)
            seen += n_seen
            done_bytes += n_seen * table.row_bytes
            tell(Progress(done_bytes, total, seen, n_rows))
    return n_rows


def _passing_blocks(table: Table, wanted: np.ndarray, pool: Executor | None) -> Iterator[tuple[Block, int]]:
    """Give the rows of a table that are wanted, and of how many each block was picked."""
    numbering, first = Numbering(table), 0
    n_rows = max(_BLOCK_BYTES // max(table.row_bytes, 2 * table.n_samples), 1)
    for block in table.blocks(n_rows, pool=pool):
        numbers = numbering.of(block.rows["event_number"])
        at = np.searchsorted(wanted, numbers)
        at[at == len(wanted)] = 0
        rows = np.flatnonzero(wanted[at] == numbers)
        yield _with_source_row(block[rows], first + rows), len(block)
        first += len(block)


def _with_source_row(block: Block, numbers: np.ndarray) -> Block:
    """Add the column with the row in the source; the first source counts where there was one before."""
    if SOURCE_ROW in (block.rows.dtype.names or ()):
        return block
    rows = np.empty(len(block), [*block.rows.dtype.descr, (SOURCE_ROW, "<i8")])
    for name in block.rows.dtype.names or ():
        rows[name] = block.rows[name]
    rows[SOURCE_ROW] = numbers
    return Block(block.decoder, rows, block.waveforms, block.traces)


def _copy_others(t1: TierFile, copied: set[str], writer: TierWriter) -> None:
    for key in t1.keys:
        if key in copied or outputs.is_aside(key):
            continue
        table = t1.table(key)
        for block in table.blocks(_STEP):
            writer.write(key, block)
