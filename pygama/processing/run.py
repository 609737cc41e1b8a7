"""Takes a raw run down the whole road: raw file to Tier 1 and Tier 2, in one pass.

Each stretch of the file is framed, decoded, cut, written and run through the chain before the next one is
looked at, so memory is bounded by the stretch and a spectrum grows from the first second.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.decoders import DECODERS
from pygama.decoders.base import DataLoader, Decoded
from pygama.errors import SettingsError
from pygama.orca.header import Header
from pygama.orca.packets import Packets, RawFile
from pygama.processing import outputs
from pygama.processing.backends import compiled_kernels
from pygama.processing.base import Tier1Processor
from pygama.processing.steps import nearest
from pygama.processing.survey import sentences
from pygama.processing.tier1_sink import Tier1Sink
from pygama.processing.tier2_sink import Chain, Tier2Sink, names_of_waves
from pygama.processing.windows import Cut, Misfits, Tier0Options, cut_windows, idle_options, read_options
from pygama.progress import (
    Done,
    KeepsWarnings,
    Note,
    Partial,
    Progress,
    Started,
    Tell,
    shows_partials,
    tell_nobody,
)
from pygama.quick_dataclass import dataclass
from pygama.storage import TierWriter
from pygama.utils import grouped, plural, threads_of, whole_number

_SHOWN_WAVEFORMS = 8


def process_run(
    raw_file: Path | str,
    *,
    output_dir: Path | str | None = None,
    tier0: Tier0Options | Mapping[str, Any] | None = None,
    processor: Tier1Processor | None = None,
    n_max: float | None = None,
    tell: Tell = tell_nobody,
    multiprocess: bool = True,
    n_threads: int | None = None,
    compression: str = "zstd",
    suffix: str = "",
    tiers: tuple[int, ...] = (1, 2),
    prefixes: tuple[str, str] = ("t1", "t2"),
    decoders: Sequence[str] | None = None,
    channels: Sequence[int] | None = None,
    follow: Callable[[], bool] | None = None,
    skip: Collection[int] = (),
    within: tuple[int, int] | None = None,
    save_waves: Sequence[str] = (),
) -> Done:
    """Process one raw file into `t1_run<N>.h5` and `t2_run<N>.h5`.

    tier0: window options. processor: the chain, the default list if none is given. n_max: packets to read.
    tell: takes the messages of pygama.progress; it may raise Stopped. multiprocess: work in threads,
    `n_threads` or, if None, as many as there are cores. suffix: goes behind the run number in the file names.
    tiers: which files are written; with none, all the work is done and thrown away. decoders, channels: keep
    only these. follow: asked at the end of a file that still grows; False ends the run. skip: byte offsets of
    records to leave out, which the files tell. within: byte offsets of the first record to take and of the
    first behind. save_waves: names of waveforms ("waveform", "wf_blsub", …) to keep beside the Tier 2 table,
    as `ProcessTier1` keeps them; of one digitizer and one length.

    Raises RawFileError, SettingsError, OutputError or Stopped; then no output was changed.
    """
    began = time.perf_counter()
    tell = warned = tell if isinstance(tell, KeepsWarnings) else KeepsWarnings(tell)
    options, waves = read_options(tier0), names_of_waves(save_waves)
    _check_tiers(tiers)
    n_workers = threads_of(n_threads)
    _tell_if_slow(tell)
    with ExitStack() as stack:
        raw = stack.enter_context(RawFile(raw_file, n_max=_packet_limit(n_max), follow=follow))
        choice = _Choice.of(options, decoders, channels, raw.header, skip, within)
        pool = stack.enter_context(ThreadPoolExecutor(n_workers)) if multiprocess else None
        processor = _chain_of(processor).for_run(raw.header.run_number)
        texts = outputs.run_texts(raw.header, Path(raw_file).name)
        road = _Road(raw, choice, pool, tell)
        paths = [
            outputs.output_path(output_dir, prefixes[tier - 1], raw.header.run_number, suffix)
            for tier in tiers
        ]
        tell(_started(raw, Path(raw_file), road.runs))
        for text in filter(None, (idle_options(tier0), choice.idle_window(raw.header))):
            tell(Note(text, "warning"))
        is_overwriting = [outputs.claim(path, texts, suffix) for path in paths]
        writers = {
            tier: stack.enter_context(TierWriter(path, compression=compression, pool=pool))
            for tier, path in zip(tiers, paths, strict=True)
        }
        if any(is_overwriting):
            tell(Note("Overwriting existing file..."))
        chain = Chain(processor, pool, waves)
        counts = road.go(writers, chain, texts)
        if 2 in writers and not road.n_rows:
            outputs.refuse_old_tier2(writers[2].path, paths[0], suffix)
            paths.remove(writers[2].path)
            writers.pop(2).abandon()
            tell(Note("no Tier 2 file was written, because there is no waveform for it", "warning"))
        of_chain = chain.notes()
        for tier, writer in writers.items():
            told = [text for text in warned.texts if tier == 2 or text not in of_chain]
            writer.set_texts("/", outputs.warning_texts(told))
            writer.complete()
    done = Done(tuple(paths), road.n_rows, time.perf_counter() - began, counts)
    tell(done)
    return done


def _check_tiers(tiers: tuple[int, ...]) -> None:
    if not isinstance(tiers, Sequence) or len({*tiers} & {1, 2}) < len(tiers):
        raise SettingsError(f"tiers are some of (1, 2), each once, or none, not {tiers!r}")


def _chain_of(processor: Tier1Processor | None) -> Tier1Processor:
    if processor is None:
        return Tier1Processor(default_list=True)
    if not isinstance(processor, Tier1Processor):
        raise SettingsError(f"processor must be a Tier1Processor, or None for the default, not {processor!r}")
    return processor


def _offsets_of(skip: Collection[int]) -> tuple[int, ...]:
    if isinstance(skip, str) or not isinstance(skip, Collection):
        raise SettingsError(f"skip is a list of byte offsets, as [98304], not {skip!r}")
    return tuple(sorted(whole_number(offset, "a byte offset to skip") for offset in skip))


def _packet_limit(n_max: float | None) -> int | None:
    if n_max is None or n_max == float("inf"):
        return None
    if not (n_max >= 0 and n_max == int(n_max)):
        raise SettingsError(f"n_max must be a whole number of packets, 0 or more, not {n_max}")
    return int(n_max)


def _tell_if_slow(tell: Tell) -> None:
    slow = [name for name, is_compiled in compiled_kernels().items() if not is_compiled]
    if slow:
        names = ", ".join(slow)
        tell(Note(f"the kernels for {names} are not compiled: NumPy does the work, slowly", "warning"))


@dataclass(frozen=True, slots=True)
class _Choice:
    """What of a raw file is wanted."""

    options: Tier0Options
    decoders: frozenset[str] | None
    channels: Sequence[int] | None
    skip: tuple[int, ...] = ()
    within: tuple[int, int] | None = None

    @classmethod
    def of(
        cls,
        options: Tier0Options,
        decoders: Sequence[str] | None,
        channels: Sequence[int] | None,
        header: Header,
        skip: Collection[int],
        within: tuple[int, int] | None,
    ) -> _Choice:
        """Check the names of decoders, and put the first of a decoder's names for the others."""
        named = [*(decoders or ()), *([options.digitizer] if options.digitizer else [])]
        for name in named:
            if name not in DECODERS and name not in header.decoders.values():
                known = sorted({*map(_first_name, DECODERS), *header.decoders.values()})
                raise SettingsError(f"there is no decoder {name!r}; {nearest(name, known)}")
        if options.digitizer:
            options = dataclasses.replace(options, digitizer=_first_name(options.digitizer))
        wanted = None if decoders is None else frozenset(map(_first_name, decoders))
        return cls(options, wanted, channels, _offsets_of(skip), within)

    def of_records(self, packets: Packets, beside: Collection[int]) -> Packets:
        """Leave out the records that are not wanted; beside: keys of those that tell how others are read."""
        if not self.skip and self.within is None:
            return packets
        wanted = ~np.isin(packets.offset, self.skip)
        if self.within is not None:
            is_within = (packets.offset >= self.within[0]) | np.isin(packets.key, list(beside))
            wanted &= is_within & (packets.offset < self.within[1])
        return packets[wanted]

    def is_behind(self, packets: Packets) -> bool:
        """Tell whether nothing more is wanted from these records on."""
        return self.within is not None and len(packets) > 0 and int(packets.offset[0]) >= self.within[1]

    def skipped(self, packets: Packets) -> list[int]:
        """Give the byte offsets of records that are left out one by one."""
        return packets.offset[np.isin(packets.offset, self.skip)].tolist() if self.skip else []

    def runs(self, decoder: str) -> bool:
        return decoder in DECODERS and (self.decoders is None or _first_name(decoder) in self.decoders)

    def idle_window(self, header: Header) -> str:
        """Say that the window is for a digitizer which the run does not have; "" if all is well."""
        name = self.options.digitizer
        there = {_first_name(decoder) for decoder in header.decoders.values()}
        if self.options.window == "none" or name is None or name in there:
            return ""
        return f"the window is for {name}, which this run does not have: no windows are cut"


def _first_name(decoder: str) -> str:
    return DECODERS[decoder].name if decoder in DECODERS else decoder


def _started(raw: RawFile, path: Path, runs: Callable[[str], bool]) -> Started:
    header = raw.header
    names = sorted({record.decoder for record in header.record_types})
    return Started(
        path=path,
        total_bytes=raw.size_bytes,
        run_number=header.run_number,
        sub_run=header.sub_run,
        start_time=header.start_time,
        decoders=tuple(name for name in names if runs(name)),
        unsupported=tuple(name for name in names if name not in DECODERS),
        records=tuple(
            (record.key, record.decoder) for record in sorted(header.record_types, key=lambda r: r.decoder)
        ),
    )


class _Road:
    """The loop over the stretches of a file, with a sink for each tier."""

    def __init__(self, raw: RawFile, choice: _Choice, pool: Executor | None, tell: Tell) -> None:
        self._raw = raw
        self._choice = choice
        self._options = choice.options
        self.runs = choice.runs
        self._pool = pool
        self._tell = tell
        self._shows = shows_partials(tell)
        self._header: Header | None = None
        self._tier1: Tier1Sink | None = None
        self._loaders: list[DataLoader] = []
        self._packets = 0
        self._misfits = Misfits(choice.options.n_samp)
        self._left_out: set[int] = set()
        self.n_rows = 0

    def go(self, writers: Mapping[int, TierWriter], chain: Chain, texts: Mapping[str, str]) -> dict[str, int]:
        """Process the whole file; returns the rows of each table."""
        first = self._raw.header
        tier1 = self._tier1 = Tier1Sink(writers[1]) if 1 in writers else None
        self._meet(first)
        tier2 = Tier2Sink(writers[2]) if 2 in writers else None
        for packets in self._raw:
            if self._choice.is_behind(packets):
                break
            parts: list[Block] = []
            for decoded, cut in self._decoded(packets):
                if tier1 is not None:
                    tier1.take(decoded.decoder, cut, decoded.damaged)
                if decoded.samples is not None:
                    parts += self._processed(cut, chain if tier2 is not None or not writers else None)
            if tier2 is not None:
                chain.check()
                tier2.take(parts)
            self._report(packets)
        tier0 = dataclasses.asdict(self._options)
        if self._left_out:
            texts = {**texts, "skipped_records": json.dumps(sorted(self._left_out))}
        if tier1 is not None:
            tier1.finish()
            writers[1].set_texts(
                "/", {**texts, "tier0": json.dumps(tier0), "header": outputs.header_text(first)}
            )
            self._tell_losses(tier1)
        if tier2 is not None:
            tier2.finish(texts, chain, tier0)
        for text in self._misfits.sentences():
            self._tell(Note(text, "warning"))
        self._tell_framing()
        self._tell_left_out()
        for text in chain.notes():
            self._tell(Note(text, "warning"))
        for text in chain.remarks():
            self._tell(Note(text))
        return {key: writer.rows(key) for writer in writers.values() for key in writer.keys}

    def _decoded(self, packets: Packets) -> Iterator[tuple[Decoded, Cut]]:
        """Decode the records of a stretch, decoder by decoder, and cut the wanted samples."""
        for loader, keys in self._loaders_for(packets.header):
            found = packets.of(keys)
            self._left_out.update(self._choice.skipped(found))
            records = self._choice.of_records(found, _keys_named(loader.beside, packets.header))
            if len(records):
                decoded = loader.decode(records)
                if decoded.samples is not None and self._choice.channels is not None:
                    decoded = decoded[np.isin(decoded.rows["channel"], self._choice.channels)]
                cut = cut_windows(decoded, self._options, self._pool)
                self._misfits.take(decoded, cut)
                yield decoded, cut

    def _loaders_for(self, header: Header) -> list[tuple[DataLoader, tuple[int, ...]]]:
        if header is not self._header:
            self._meet(header)
        return [(loader, _keys_of(loader, header)) for loader in self._loaders]

    def _meet(self, header: Header) -> None:
        """Make the decoders that a header asks for."""
        self._header = header
        names = sorted({name for name in header.decoders.values() if self.runs(name)})
        self._loaders = [loader(header) for loader in dict.fromkeys(DECODERS[name] for name in names)]
        if self._tier1 is not None:
            self._tier1.meet(header, names)

    def _processed(self, cut: Cut, chain: Chain | None) -> list[Block]:
        parts = []
        for block in cut.blocks.values():
            made = Block(block.decoder, block.rows) if chain is None else chain.run(block)
            parts.append(made)
            self.n_rows += len(block)
            if self._shows and len(block):
                self._tell(_partial(block, made.rows))
        return parts

    def _report(self, packets: Packets) -> None:
        if len(packets):
            self._packets = int(packets.number[-1])
            self._tell(
                Progress(
                    self._raw.position,
                    self._raw.size_bytes,
                    self._packets,
                    self.n_rows,
                    int(packets.offset[-1]),
                )
            )

    def _tell_losses(self, tier1: Tier1Sink) -> None:
        for (decoder, reason), count in sorted(tier1.damaged.items()):
            records = plural(count, "damaged record")
            self._tell(Note(f"kept apart {records} of {decoder}: {reason}", "warning"))

    def _tell_left_out(self) -> None:
        if self._left_out:
            places = ", ".join(map(grouped, sorted(self._left_out)))
            self._tell(Note(f"left out on request: the records at bytes {places}", "warning"))
        if absent := [place for place in self._choice.skip if place not in self._left_out]:
            places = ", ".join(map(grouped, absent))
            text = f"nothing was left out at bytes {places}: no record that is decoded begins there"
            self._tell(Note(text, "warning"))

    def _tell_framing(self) -> None:
        report = self._raw.report
        skipped: Counter[str] = Counter()
        for (_, decoder), count in sorted(report.kinds.items(), key=lambda kind: kind[0][0]):
            if decoder is not None and decoder not in DECODERS:
                skipped[decoder] += count
        for decoder, count in skipped.items():
            records = plural(count, "record")
            self._tell(Note(f"skipped {records} of {decoder}: there is no decoder for them yet"))
        for text in sentences(report):
            self._tell(Note(text, "warning"))


def _keys_of(loader: DataLoader, header: Header) -> tuple[int, ...]:
    return _keys_named((loader.name, *loader.also, *loader.beside), header)


def _keys_named(names: Collection[str], header: Header) -> tuple[int, ...]:
    return tuple(key for key, decoder in header.decoders.items() if decoder in names)


def _partial(block: Block, rows: np.ndarray) -> Partial:
    """Pick a few waveforms of a block, evenly, beside all of its numbers."""
    columns = {name: rows[name].copy() for name in rows.dtype.names or ()}
    if not block.n_samples or block.waveforms is None:
        return Partial(block.decoder, columns)
    n_shown = min(_SHOWN_WAVEFORMS, len(block))
    picked = np.arange(n_shown) * len(block) // n_shown
    return Partial(
        block.decoder,
        columns,
        block.waveforms[picked].copy(),
        {name: rows[name][picked] for name in rows.dtype.names or ()},
    )
