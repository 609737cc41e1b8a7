"""Makes Tier 2 files from Tier 1 files: runs the chain over the waveforms, one row of numbers for each."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.errors import OutputError, SettingsError, TierFileError
from pygama.processing import outputs
from pygama.processing.base import Tier1Processor
from pygama.processing.profile import Profile
from pygama.processing.tier2_rows import fitted, gathered, joint_dtype, merged
from pygama.processing.tier2_sink import KEY, Chain, Tier2Sink, names_of_waves
from pygama.progress import (
    Done,
    Note,
    Partial,
    Progress,
    Started,
    Tell,
    print_progress,
    shows_partials,
    tell_nobody,
)
from pygama.quick_dataclass import dataclass
from pygama.storage import Table, TierFile, TierWriter
from pygama.storage.reader import BLOCKS_AHEAD, WAVEFORM_ARRAY
from pygama.utils import threads_of

_BLOCK_BYTES = 2 << 20
_SHOWN_WAVEFORMS, _MOST_PICKED = 8, 64
"""Waveforms that are picked of a block, and blocks whose pick waits to be told, at most."""
_SHOWN_BYTES = 16 << 20
"""Rows are told with so many bytes of samples behind them, as those of a stretch of a raw file."""
_ROWS_A_WRITE = 2048
_ROWS_AHEAD = 8192
"""Rows of Tier 2 that may wait: work for the pool while a file is begun, in little memory."""


def ProcessTier1(  # noqa: N802  (the name of 2018)
    t1_file: Path | str,
    processor: Tier1Processor,
    digitizers: Sequence[str] | None = None,
    out_prefix: str = "t2",
    out_dir: Path | str | None = None,
    verbose: bool = False,
    multiprocess: bool = True,
    settings: Mapping[str, Any] | None = None,
    *,
    compression: str = "zstd",
    suffix: str = "",
    save_waves: Sequence[str] = (),
    tell: Tell = tell_nobody,
    executor: Executor | None = None,
    profile: Profile | None = None,
    n_threads: int | None = None,
    report: bool = True,
) -> Path:
    """Run the chain over a Tier 1 file, write `<out_prefix>_run<N>.h5` and return its path.

    digitizers: tables or decoders to process, all with waveforms if None. settings: processor name ->
    settings, beaten by those given to `processor.add`. verbose: print a report, in place of telling `tell`.
    multiprocess: use all cores, in threads. save_waves: names of waveforms ("waveform", "wf_blsub", …) to
    keep beside the table, as arrays /data/<name>, one row an event; the raw waveform is called wf_raw there,
    and transformed ones are float32. executor: does the work in place of our threads: processes, or the
    client of a cluster, whose workers see the same files. profile: takes what each step costs. n_threads: all
    cores if None. report: whether `tell` is told the lines of the report, beside what is of note.

    Raises TierFileError, SettingsError or OutputError, StepFailed where a step fails, WorkersLost where the
    executor's workers go; then no output was changed.
    """
    began = time.perf_counter()
    tell = print_progress() if verbose else tell
    if not isinstance(processor, Tier1Processor):
        raise SettingsError(f"processor must be a chain, a Tier1Processor, not {processor!r}")
    waves = names_of_waves(save_waves)
    if profile is not None and executor is not None:
        raise SettingsError("what steps cost is measured in this process alone: leave out the executor")
    with ExitStack() as stack:
        source = stack.enter_context(TierFile(Path(t1_file)))
        texts = _run_texts(source, Path(t1_file))
        processor = processor.with_settings(settings or {}).for_run(int(texts["run_number"]))
        processor.profile = profile
        path = outputs.output_path(out_dir, out_prefix, int(texts["run_number"]), suffix)
        if path.exists() and path.samefile(t1_file):
            raise OutputError(f"{path.name} would be written over itself; give another out_prefix or out_dir")
        tables = digitizer_tables(source, digitizers)
        pool = executor if isinstance(executor, ThreadPoolExecutor) else None
        if multiprocess and executor is None:
            pool = stack.enter_context(ThreadPoolExecutor(threads_of(n_threads)))
        tell(_started(Path(t1_file), texts, tables))
        work = _Work(tables, processor, pool, tell, waves, executor if pool is None else None, report=report)
        work.open(Path(t1_file), is_parallel=pool is not None or executor is not None)
        # The pool works while the output is looked at and begun; if that fails, it need not go on.
        stack.callback(work.end)
        work.begin()
        outputs.claim(path, texts, suffix)
        # Rows of numbers are compressed here while the pool reads; waveforms are too many for one thread.
        writer = TierWriter(path, compression=compression, pool=pool if waves else None)
        stack.enter_context(writer)
        work.go(writer, texts, json.loads(source.texts("/").get("tier0", "{}")))
        told = [*outputs.warnings_in(source.texts("/")), *work.notes()]
        writer.set_texts("/", outputs.warning_texts(told))
    work.close(Done((path,), work.n_rows, time.perf_counter() - began, {"data": work.n_rows}))
    return path


def digitizer_tables(source: TierFile, wanted: Sequence[str] | None) -> list[Table]:
    """Find the tables of a Tier 1 file that hold events of digitizers; `wanted` names tables or decoders."""
    tables = [source.table(key) for key in source.keys if _holds_events(source, key)]
    if wanted is not None:
        unknown = [name for name in wanted if not any(_belongs(table.key, name) for table in tables)]
        if unknown:
            there = ", ".join(table.key for table in tables) or "none"
            raise TierFileError(f"the file has no waveforms of '{unknown[0]}'; it has {there}")
        tables = [table for table in tables if any(_belongs(table.key, name) for name in wanted)]
    if not any(table.n_samples for table in tables):
        if wanted is None and "header" in source.texts("/"):
            raise TierFileError(
                f"{source.path.name} holds no event: there is nothing to run a chain over, "
                "and another try would change nothing"
            )
        raise TierFileError(f"{source.path.name} holds no waveforms: is it a Tier 1 file?")
    return tables


def holds_waveforms(source: TierFile) -> bool:
    """Tell whether a file holds a waveform; that of a run without any event does not."""
    return any(source.table(key).n_samples for key in source.keys if _holds_events(source, key))


def _belongs(key: str, name: str) -> bool:
    return key == name or re.fullmatch(re.escape(name) + r"(_\d+)+", key) is not None


def _holds_events(source: TierFile, key: str) -> bool:
    if outputs.is_aside(key):
        return False
    names = source.names(key)
    if names is not None and names.isdisjoint(("channel", WAVEFORM_ARRAY)):
        return False
    if names is not None and WAVEFORM_ARRAY in names:
        return True
    # Rare, and slow to import.
    from pygama.decoders import DECODERS
    from pygama.decoders.base import Digitizer

    decoder = decoder_of(key)
    if decoder in DECODERS:
        return issubclass(DECODERS[decoder], Digitizer)
    if any(key in known.card_classes for known in DECODERS.values()):
        return False
    try:
        return source.table(key).n_samples > 0
    except TierFileError:
        return False


def decoder_of(key: str) -> str:
    """Give the decoder whose rows a table holds: its key without the lengths behind it."""
    return outputs.shapeless(key)


def _run_texts(source: TierFile, path: Path) -> dict[str, str]:
    """Say which run the file holds; files of other programs say so in their name alone."""
    texts = source.texts("/")
    kept = {name: texts[name] for name in texts if name not in ("header", "tier0", outputs.WARNINGS)}
    if "run_number" not in kept:
        number = outputs.run_number_in(path.name)
        if number is None:
            raise TierFileError(f"{path.name} does not say its run number: name it like t1_run72.h5")
        kept = {"run_number": str(number), "sub_run": "0", "header_sha256": "", **kept}
    return kept


def _started(path: Path, texts: Mapping[str, str], tables: Sequence[Table]) -> Started:
    number, sub_run, start_time = (
        int(text) if (text := texts.get(name, "")).isdecimal() else 0
        for name in ("run_number", "sub_run", "start_time")
    )
    decoders = tuple(sorted({decoder_of(table.key) for table in tables}))
    return Started(path, path.stat().st_size, number, sub_run, start_time, decoders)


@dataclass(frozen=True, slots=True)
class _Picked:
    """A few waveforms of a block, with the numbers of their rows."""

    decoder: str
    waveforms: np.ndarray
    rows: np.ndarray


class _Work:
    """The loop over the tables of a Tier 1 file, and its report."""

    def __init__(
        self,
        tables: list[Table],
        processor: Tier1Processor,
        pool: Executor | None,
        tell: Tell,
        save_waves: tuple[str, ...],
        executor: Executor | None,
        *,
        report: bool,
    ) -> None:
        self._tables = tables
        self._chain = Chain(processor, None, save_waves)
        self._save_waves = save_waves
        self._executor = executor
        self._pool = pool
        self._tell = tell
        self._is_told = report
        self._shows = shows_partials(tell)
        self._picked: deque[_Picked] = deque(maxlen=_MOST_PICKED)
        """Waveforms to look at of rows that are still to come; threads add to it."""
        self._untold: list[np.ndarray] = []
        self._total = sum(table.n_rows for table in tables)
        self._total_bytes = tables[0].path.stat().st_size
        self._total_bytes_of_samples = sum(2 * table.n_samples * table.n_rows for table in tables)
        self._dtypes: dict[str, np.dtype] = {}
        self._columns: tuple[str, ...] = ()
        self._made: Generator[Block] = self._merged(())
        self._first: Block | None = None
        self._n_ahead = 0
        """Rows behind those that are done that the pool may have begun; 0 where that is not known."""
        self.n_rows = 0

    def open(self, path: Path, *, is_parallel: bool) -> None:
        """Tell what is about to be done; draw the steps that ask for it."""
        self._say("Starting pygama Tier 1 processing ...", f"   Input file: {path}")
        for table in self._tables:
            self._say(f"Processing data from digitizer: {table.key}", f"Found {table.n_rows} rows")
        if any(step.test for step in self._chain.processor.steps):
            first = next(table for table in self._tables if table.n_samples)
            self._chain.processor.draw_tests(first.read(0, min(1, first.n_rows)), is_parallel=is_parallel)

    def _say(self, *lines: str) -> None:
        for line in lines if self._is_told else ():
            self._tell(Note(line))

    def begin(self) -> None:
        """Lay out the columns and have the first rows made, and with them those that the pool makes ahead."""
        filled = [table for table in self._tables if table.n_rows]
        if self._save_waves and len(filled) > 1:
            names = ", ".join(table.key for table in filled)
            raise SettingsError(
                f"waveforms can be saved of one table at a time: choose one of {names} as digitizers"
            )
        self._dtypes = {
            decoder_of(table.key): self._chain.run(table.read(0, 0)).rows.dtype for table in filled
        }
        self._made = self._blocks_of(filled[0]) if self._save_waves and filled else self._merged(filled)
        self._first = next(self._made, None)

    def end(self) -> None:
        """Give up what the pool has not begun."""
        self._made.close()

    def _merged(self, filled: Sequence[Table]) -> Generator[Block]:
        """Give the rows of all tables in file order."""
        if filled:
            dtype = joint_dtype(self._dtypes)
            for rows in merged([self._rows_of(table, dtype) for table in filled]):
                yield Block(KEY, rows)

    def go(self, writer: TierWriter, texts: Mapping[str, str], tier0: Mapping[str, object]) -> None:
        """Process all rows in file order."""
        sink = Tier2Sink(writer)
        if self._dtypes:
            self._columns = tuple(sink.expect(self._dtypes).names or ())
        for part in gathered(self._reported(), _ROWS_A_WRITE):
            sink.write(part.rows, part.traces)
        self._chain.check()
        sink.finish(texts, self._chain, tier0)

    def _reported(self) -> Iterator[Block]:
        for part in itertools.chain(() if self._first is None else (self._first,), self._made):
            self.n_rows += len(part)
            if self._shows:
                self._show(part.rows)
            done_bytes = self._total_bytes * self.n_rows // max(self._total, 1)
            begun = min(self.n_rows + self._n_ahead, self._total) if self._n_ahead else 0
            self._tell(Progress(done_bytes, self._total_bytes, self.n_rows, self.n_rows, begun=begun))
            yield part

    def _show(self, rows: np.ndarray) -> None:
        """Tell rows with the waveforms that were picked last, once they are enough or the last ones.

        Cards write channel after channel: of too few rows one could believe that others are silent.
        """
        self._untold.append(rows)
        row_bytes = self._total_bytes_of_samples / max(self._total, 1)
        if sum(map(len, self._untold)) * row_bytes < _SHOWN_BYTES and self.n_rows < self._total:
            return
        rows = np.concatenate(self._untold)
        self._untold.clear()
        columns = {name: rows[name].copy() for name in rows.dtype.names or ()}
        if not self._picked:
            self._tell(Partial(decoder_of(self._tables[0].key), columns))
            return
        one = self._picked.pop()
        self._picked.clear()
        numbers = {name: one.rows[name] for name in one.rows.dtype.names or ()}
        self._tell(Partial(one.decoder, columns, one.waveforms, numbers))

    def _run(self, block: Block) -> Block:
        """Run the chain; the memory of the block is used again, so what is picked of it is copied."""
        made = self._chain.run(block)
        if self._shows and block.waveforms is not None and len(block):
            picked = np.arange(n := min(_SHOWN_WAVEFORMS, len(block))) * len(block) // n
            self._picked.append(
                _Picked(decoder_of(block.decoder), block.waveforms[picked].copy(), made.rows[picked])
            )
        return made

    def _rows_of(self, table: Table, dtype: np.dtype) -> Iterator[np.ndarray]:
        for done in self._blocks_of(table):
            yield fitted(done.rows, decoder_of(table.key), dtype)

    def _blocks_of(self, table: Table) -> Generator[Block]:
        if self._executor is not None:
            yield from self._blocks_from(self._executor, table)
            return
        row_bytes = max(table.n_samples * 2, 256)
        n_rows = max(_BLOCK_BYTES // row_bytes, 64)
        n_ahead = BLOCKS_AHEAD if self._save_waves else _ROWS_AHEAD // n_rows + 1
        if len(self._dtypes) == 1:  # with several tables nobody knows where in the file those of each end
            self._n_ahead = (n_ahead + 2) * table.block_rows(n_rows)  # one is handed over, one is asked for
        for done in table.blocks(n_rows, pool=self._pool, then=self._run, n_ahead=n_ahead):
            self._chain.check()
            yield done

    def _blocks_from(self, executor: Executor, table: Table) -> Iterator[Block]:
        """Let the workers of an executor do what `_blocks_of` does here."""
        from pygama.processing.remote import Recipe, blocks_from

        recipe = Recipe.of(self._chain.processor, self._save_waves)
        for done, told in blocks_from(executor, table.path, table, recipe):
            self._chain.told.join(told)
            self._chain.check()
            yield done

    def notes(self) -> list[str]:
        """Say which rows could not be processed."""
        return self._chain.notes()

    def close(self, done: Done) -> None:
        """Tell what was done."""
        for text in self.notes():
            self._tell(Note(text, "warning"))
        for text in self._chain.remarks():
            self._tell(Note(text))
        path = done.outputs[0]
        self._say(
            "PROGRESS : [####################] 100.000% Done...",
            "Writing Tier 2 File:",
            f"   {path}",
            f"   Entries: {self.n_rows}",
            "   Data columns:",
            *(f"   -- {name}" for name in self._columns),
            f"File size: {path.stat().st_size / 1e6:.3f} MB",
            f"Time elapsed: {done.elapsed_s:.2f} sec  ({done.elapsed_s / max(self.n_rows, 1):.5f} sec/wf)",
            "Done.",
        )
        self._tell(done)
