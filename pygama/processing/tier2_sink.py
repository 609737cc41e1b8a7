"""Runs the chain over the waveforms of a run and writes one Tier 2 row for each."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property

import numpy as np

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.base import Tier1Processor
from pygama.processing.channels import Place, idle_places, place_of, places_of
from pygama.processing.declare import RecordTooShort
from pygama.processing.not_finite import NotFinite
from pygama.processing.tier2_rows import fitted, in_file_order, joint_dtype, tier2_columns
from pygama.storage import TierFile, TierWriter

KEY = "data"
_COPY_ROWS = 65536
_SAVED_AS = {"waveform": "wf_raw"}


class Told:
    """What came up while the chain ran; several can be joined."""

    def __init__(self) -> None:
        self.too_short: dict[tuple[str, int], tuple[str, int]] = {}
        """(decoder, samples) -> (what was wrong, rows)."""
        self.not_finite = NotFinite()
        self.worked = False
        """Whether there were waveforms that are long enough."""
        self.places: set[Place] = set()
        """Channels that came; only kept where settings differ by channel."""

    def add_too_short(self, block: Block, problem: str, n_rows: int) -> None:
        """Count rows that the chain could not take."""
        key = block.decoder, block.n_samples
        self.too_short[key] = problem, self.too_short.get(key, ("", 0))[1] + n_rows

    def join(self, other: Told) -> None:
        """Take in what another one has."""
        for key, (problem, rows) in other.too_short.items():
            self.too_short[key] = problem, self.too_short.get(key, ("", 0))[1] + rows
        self.not_finite.join(other.not_finite)
        self.worked = self.worked or other.worked
        self.places |= other.places


def names_of_waves(names: Sequence[str]) -> tuple[str, ...]:
    """Take the names of waveforms to save; raises SettingsError for a text, which would be taken letter by
    letter, and for what is no name.
    """
    is_list = isinstance(names, Sequence) and not isinstance(names, str)
    if not is_list or not all(isinstance(name, str) for name in names):
        raise SettingsError(f"save_waves is a list of names, as ['wf_blsub'], not {names!r}")
    return tuple(names)


class Chain:
    """Applies a processor to blocks; rows that are too short for it get NaN, and are counted."""

    def __init__(
        self, processor: Tier1Processor, pool: Executor | None, save_waves: tuple[str, ...] = ()
    ) -> None:
        self.processor = processor
        self._pool = pool
        self._save_waves = save_waves
        self._channels = processor.channels
        self._counting = threading.Lock()
        self.told = Told()

    def run(self, block: Block) -> Block:
        """Give the Tier 2 columns of a block as rows, and the waveforms to be saved as traces."""
        told, columns = Told(), self._columns
        outputs: Mapping[str, np.ndarray] | None = None
        if self._channels:
            told.places = {place_of(place) for place in np.unique(places_of(block.rows), axis=0)}
        if block.n_samples:
            try:
                outputs = self.processor.run(block, pool=self._pool, keep=self._save_waves)
                told.worked = True
            except RecordTooShort as problem:
                told.add_too_short(block, str(problem), len(block))
        outputs = self._nothing(len(block)) if outputs is None else outputs
        waves = {
            _SAVED_AS.get(name, name): _compact(outputs[name]) for name in self._save_waves if name in outputs
        }
        numbers = {name: outputs[name] for name in columns}
        if told.worked:
            told.not_finite.count({**numbers, **waves}, len(block))
        with self._counting:
            self.told.join(told)
        rows = tier2_columns(block.rows, numbers, is_compact=self.processor.is_compact)
        return Block(block.decoder, rows, None, waves)

    def _nothing(self, n_rows: int) -> dict[str, np.ndarray]:
        return {name: np.full(n_rows, np.nan) for name in self._columns}

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        return tuple(self.processor.columns)

    def to_texts(self) -> dict[str, str]:
        """Tell how the columns are made, and how many values are no numbers."""
        texts = {**self.processor.to_texts(), "not_finite": json.dumps(self.told.not_finite.counts)}
        return {**texts, "save_waves": json.dumps(self._save_waves)} if self._save_waves else texts

    def check(self) -> None:
        """Raise RecordTooShort if waveforms came, but none was long enough for the chain."""
        if self.told.too_short and not self.told.worked:
            raise RecordTooShort(next(iter(self.told.too_short.values()))[0])

    def notes(self) -> list[str]:
        """Say which rows could not be processed."""
        return [
            f"{rows} rows of {decoder} with {n_samples} samples have no values (NaN): {text}"
            for (decoder, n_samples), (text, rows) in self.told.too_short.items()
        ]

    def remarks(self) -> list[str]:
        """Say which columns have values that are no numbers, and which settings by channel had no effect."""
        idle = idle_places(self._channels, self.told.places)
        told = self.told.not_finite.sentences()
        return (
            [*told, f"settings are given for channel {', '.join(idle)}, which did not come"] if idle else told
        )


def _compact(waves: np.ndarray) -> np.ndarray:
    """Keep raw samples as they are and transformed ones as float32: seven digits, half the room."""
    return waves.astype(np.float32) if waves.dtype.kind == "f" else waves


def _of_waves(found: tuple[str, dict[str, int]]) -> str:
    decoder, lengths = found
    return f"{decoder} with {max(lengths.values())} samples" if lengths else f"{decoder} without any"


class Tier2Sink:
    """Writes rows of all digitizers into /data; the table is laid out anew when another decoder turns up."""

    def __init__(self, writer: TierWriter) -> None:
        self._writer = writer
        self._dtypes: dict[str, np.dtype] = {}
        self._dtype: np.dtype | None = None
        self._waves: tuple[str, dict[str, int]] | None = None
        """Whose rows have waveforms beside them, and how long these are."""
        self.n_rows = 0

    def take(self, made: Iterable[Block]) -> None:
        """Write what the chain made of a stretch of the file: Tier 2 columns, and waveforms to be saved."""
        blocks = [block for block in made if len(block)]
        if not blocks:
            return
        for block in blocks:
            self._check_waves(block)
        if self._waves is not None and self._waves[1]:
            self.expect({blocks[0].decoder: blocks[0].rows.dtype})
            for block in blocks:
                self.write(block.rows, block.traces)
            return
        filled = [(block.decoder, block.rows) for block in blocks]
        self.expect({decoder: rows.dtype for decoder, rows in filled})
        dtype = self._dtype
        assert dtype is not None
        joint = in_file_order([fitted(rows, decoder, dtype) for decoder, rows in filled])
        self.write(joint)

    def _check_waves(self, block: Block) -> None:
        """Raise SettingsError where waveforms beside the rows would not be of one decoder and one length."""
        found = block.decoder, {name: array.shape[1] for name, array in block.traces.items()}
        if self._waves is None:
            self._waves = found
        elif found != self._waves and (found[1] or self._waves[1]):
            raise SettingsError(
                "waveforms can be saved of one digitizer and one length at a time, "
                f"but {_of_waves(found)} came beside {_of_waves(self._waves)}: "
                "choose one decoder, or save them from the Tier 1 file"
            )

    def expect(self, dtypes: Mapping[str, np.dtype]) -> np.dtype:
        """Lay out the table for rows of these decoders too, and give its dtype."""
        new = {decoder: dtype for decoder, dtype in dtypes.items() if decoder not in self._dtypes}
        if new:
            known = tuple(self._dtypes)
            self._dtypes.update(new)
            self._dtype = joint_dtype(self._dtypes)
            if self.n_rows:
                self._lay_out_anew(known[0])
        assert self._dtype is not None
        return self._dtype

    def write(self, rows: np.ndarray, waves: Mapping[str, np.ndarray] | None = None) -> None:
        """Append rows of the joint table, and the waveforms that lie beside it."""
        self._writer.write(KEY, Block(KEY, rows, None, dict(waves or {})), queryable=True)
        self.n_rows += len(rows)

    def _lay_out_anew(self, first_decoder: str) -> None:
        assert self._dtype is not None
        written = self._writer.start_over()
        with TierFile(written) as file:
            table = file.table(KEY)
            for start in range(0, table.n_rows, _COPY_ROWS):
                rows = table.read(start, min(start + _COPY_ROWS, table.n_rows)).rows
                self._writer.write(KEY, Block(KEY, fitted(rows, first_decoder, self._dtype)), queryable=True)
        written.unlink()

    def finish(self, texts: Mapping[str, str], chain: Chain, tier0: Mapping[str, object]) -> None:
        """Write down, in plain text, what made the file, and how many of its values are no numbers."""
        made_by = {**texts, "tier0": json.dumps(tier0), **chain.to_texts()}
        if self.n_rows:
            self._writer.set_texts(KEY, made_by)
        self._writer.set_texts("/", made_by)
