"""Keeps waveforms to look at: the newest of a run under way, or any row of a finished Tier 1 file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pygama.progress import Partial
from pygama.quick_dataclass import dataclass
from pygama.utils import threads_of
from pygama_gui.data.channels import CODE, codes_of
from pygama_gui.data.loudness import Loudness
from pygama_gui.data.selection import Columns, Selection

if TYPE_CHECKING:
    from pygama.storage.reader import Columns as StoredColumns

N_KEPT = 300
ROWS_AT_ONCE = 1000
"""Few enough to stay in the processor's cache, or near it, with their waveforms."""
KEYS = ("event_number", "crate", "card", "channel")
"""What tells a row from all others."""
AT_ONCE = 50
"""Waveforms that are read together of those that are spread over a file."""
GAP_ROWS = 32
"""Rows that are read along with those wanted on both sides of them."""
GOLDEN = 0.6180339887498949
EVERYTHING = Selection()


@dataclass(frozen=True)
class Sample:
    """One waveform with its numbers. place: its number among all rows; None where that is not known."""

    decoder: str
    waveform: np.ndarray
    numbers: Mapping[str, float] = field(default_factory=dict)
    place: int | None = None

    @property
    def channel(self) -> int | None:
        """The code of the channel; None where it is not known."""
        code = codes_of(self.numbers)
        return None if code is None or code < 0 else int(code)

    @property
    def period_ns(self) -> float | None:
        """The sampling period; None where it is not known."""
        period = self.numbers.get("period_ns")
        return float(period) if period and np.isfinite(period) else None


class SampleRing:
    """The newest sample waveforms of one run."""

    def __init__(self, n_kept: int = N_KEPT) -> None:
        self._samples: deque[Sample] = deque(maxlen=n_kept)
        self._kept: deque[Sample] = deque(maxlen=n_kept)
        """The newest of one channel, of which as many are kept as of all."""
        self._of: int | None = None
        """That channel."""
        self.loudness = Loudness()
        """Of those that came one after the other, as the run went on."""

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def n_bytes(self) -> int:
        """What the waveforms take in memory."""
        kept = {id(sample): sample.waveform.nbytes for sample in (*self._samples, *self._kept)}
        return sum(kept.values())

    def take(self, partial: Partial) -> None:
        """Keep the sample waveforms of a message."""
        for sample in samples_of(partial):
            self.add(sample)
            if sample.channel is not None:
                self.loudness.take(sample.channel, sample.waveform)

    def add(self, sample: Sample) -> None:
        """Keep one more; the oldest goes when there are too many."""
        self._samples.append(sample)
        if self._of is not None and sample.channel == self._of:
            self._kept.append(sample)

    def gather(self, channel: int) -> list[Sample]:
        """Give the newest of a channel, oldest first, and keep as many of it from now on as of all."""
        if channel != self._of:
            self._of = channel
            self._kept.clear()
            self._kept.extend(self.of(channel))
        return list(self._kept)

    @property
    def record(self) -> tuple[float | None, int | None]:
        """The sampling period in ns and the length of the newest waveform, where there is one."""
        samples = self.of(None)
        return (samples[-1].period_ns, len(samples[-1].waveform)) if samples else (None, None)

    def of(self, channel: int | None) -> list[Sample]:
        """Give the samples of a channel (None: of all), oldest first."""
        return self.selected(Selection(channel))

    def selected(self, selection: Selection) -> list[Sample]:
        """Give the samples that are selected, oldest first."""
        samples = list(self._samples)
        chosen = selection.chosen_of([sample.numbers for sample in samples])
        return [sample for sample, is_chosen in zip(samples, chosen, strict=True) if is_chosen]


def samples_of(partial: Partial) -> Iterator[Sample]:
    """Take the sample waveforms of a message apart."""
    if partial.waveforms is None:
        return
    for index, waveform in enumerate(partial.waveforms):
        numbers = {name: values[index] for name, values in partial.waveform_rows.items()}
        yield Sample(partial.decoder, waveform, numbers)


def import_readers() -> None:
    """Import what reads Tier files and fits their peaks, so that the first one opens at once."""
    import iminuit  # noqa: F401
    import numcodecs.zstd  # noqa: F401

    import pygama.analysis.live_time
    import pygama.orca.header
    import pygama.storage.reader  # noqa: F401


@dataclass(frozen=True, eq=False)
class Bunch:
    """Waveforms of one length. waveforms: (n, n_samples), numbers: name -> (n,)."""

    waveforms: np.ndarray
    numbers: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.waveforms)

    @property
    def period_ns(self) -> float | None:
        """The sampling period of the first; None where it is not known."""
        period = self.numbers.get("period_ns")
        return float(period[0]) if period is not None and len(period) and period[0] > 0 else None


def bunch_of(samples: Iterable[Sample]) -> Bunch | None:
    """Put waveforms of the length of the last one, of its decoder and period, together; None of none."""
    samples = list(samples)
    if not samples:
        return None
    last = samples[-1]
    kind = (last.decoder, last.period_ns, len(last.waveform))
    alike = [one for one in samples if (one.decoder, one.period_ns, len(one.waveform)) == kind]
    names = set.intersection(*(set(one.numbers) for one in alike))
    numbers = {name: np.array([one.numbers[name] for one in alike]) for name in names}
    return Bunch(np.stack([one.waveform for one in alike]), numbers)


def joined(bunches: Iterable[Bunch]) -> Bunch:
    """Join bunches; those of another length or period than the first are left out."""
    first, *others = bunches
    like = (first.waveforms.shape[1], first.period_ns)
    alike = [first, *(one for one in others if (one.waveforms.shape[1], one.period_ns) == like)]
    names = set.intersection(*(set(one.numbers) for one in alike))
    numbers = {name: np.concatenate([one.numbers[name] for one in alike]) for name in names}
    return Bunch(np.concatenate([one.waveforms for one in alike]), numbers)


def spread(n: int, n_wanted: int, at_once: int = AT_ONCE) -> list[np.ndarray]:
    """Choose places among n, evenly spread in stretches that lie together in the file.

    Gives groups of places, each twice as large as the one before it and each from all over the file, so that
    the first ones show roughly what all of them will.
    """
    n_stretches = -(-n // at_once)
    n_chosen = min(-(-n_wanted // at_once), n_stretches)
    firsts = np.arange(n_chosen) * n_stretches // max(n_chosen, 1) * at_once
    order = np.argsort(np.arange(len(firsts)) * GOLDEN % 1.0, kind="stable")
    stretches = [np.arange(first, min(first + at_once, n)) for first in firsts[order]]
    groups, start, size = [], 0, 2
    while start < len(stretches):
        groups.append(np.sort(np.concatenate(stretches[start : start + size])))
        start, size = start + size, 2 * size
    return groups


class Tier1Waveforms:
    """Rows of the tables with waveforms of a Tier 1 file. Belongs to the one thread that reads files.

    columns: those of all rows, in the order of Tier 2, where they are known already: in the file they lie
    among the waveforms, and reading them means reading everything. Cuts need them.
    """

    def __init__(self, path: Path, columns: Columns | None = None) -> None:
        from pygama.storage import TierFile

        self._file = TierFile(path)
        try:
            tables = {key: self._file.table(key) for key in self._file.keys}
        except BaseException:
            self._file.close()
            raise
        self._tables = {
            key: table
            for key, table in tables.items()
            if table.n_samples and not key.endswith(("_Garbage", "_Damaged"))
        }
        self._columns = columns if columns is not None and len(columns) else None
        self._keys: dict[str, np.ndarray] = {}
        self._selected: tuple[Selection, list[tuple[str, np.ndarray | range]]] | None = None

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    @property
    def n_samples(self) -> int:
        """Samples of the longest waveforms; 0 where there are none."""
        return max((table.n_samples for table in self._tables.values()), default=0)

    def rows_of(self, selection: Selection = EVERYTHING) -> list[tuple[str, np.ndarray | range]]:
        """Give the rows in each table that are selected."""
        if self._selected is None or self._selected[0] != selection:
            self._selected = (selection, [(key, self._rows(key, selection)) for key in self._tables])
        return self._selected[1]

    def count(self, selection: Selection = EVERYTHING) -> int:
        """Count the waveforms that are selected."""
        return sum(len(rows) for _, rows in self.rows_of(selection))

    def first_places(self) -> list[int]:
        """Give the place of the first waveform of each table."""
        counts = [table.n_rows for table in self._tables.values()]
        return [sum(counts[:at]) for at, count in enumerate(counts) if count]

    def some_codes(self, n_looked_at: int = 64) -> np.ndarray:
        """Give the codes of the channels of rows from all over the file, or of all where there are few, (n,).

        n_looked_at: places in each table that are looked at, of each all rows that lie in a chunk with it.
        """
        codes: list[np.ndarray] = [np.empty(0, np.int64)]
        for table in self._tables.values():
            step = table.block_rows(1)
            n_chunks = -(-table.n_rows // step)
            for chunk in np.unique(np.linspace(0, n_chunks - 1, min(n_looked_at, n_chunks)).astype(np.intp)):
                rows = table.read(int(chunk) * step, (int(chunk) + 1) * step, waveforms=False).rows
                codes.append(_keys_of_rows(rows)[:, 1])
        found = np.concatenate(codes)
        return found[found >= 0]

    def sample(self, place: int, selection: Selection = EVERYTHING) -> Sample:
        """Read the waveform at a place among those selected; raises IndexError beyond the end."""
        return self._read(*self._at(place, selection), place)

    def place_of(self, event_number: int, selection: Selection = EVERYTHING) -> int | None:
        """Find the first waveform of an event among those selected; None where it is not."""
        before = 0
        for key, rows in self.rows_of(selection):
            found = np.flatnonzero(self._event_numbers(key)[rows] == event_number)
            if len(found):
                return before + int(found[0])
            before += len(rows)
        return None

    def bunch(self, places: Iterable[int], selection: Selection = EVERYTHING) -> Bunch | None:
        """Read the waveforms at places among those selected; those unlike the first are left out."""
        wanted = np.sort(np.fromiter(places, np.intp))
        parts, before = [], 0
        for key, rows in self.rows_of(selection):
            here = wanted[(wanted >= before) & (wanted < before + len(rows))] - before
            its = here + rows.start if isinstance(rows, range) else rows[here]
            parts += [self._read_many(key, part) for part in _stretches(its)]
            before += len(rows)
        return joined(parts) if parts else None

    def _read_many(self, key: str, rows: np.ndarray) -> Bunch:
        """Read rows that lie near each other."""
        block = self._tables[key].read(int(rows[0]), int(rows[-1]) + 1)
        assert block.waveforms is not None
        picked = rows - rows[0]
        names = block.rows.dtype.names or ()
        return Bunch(block.waveforms[picked], {name: block.rows[name][picked] for name in names})

    def _at(self, place: int, selection: Selection) -> tuple[str, int]:
        at = place
        for key, rows in self.rows_of(selection):
            if at < len(rows):
                return key, int(rows[at])
            at -= len(rows)
        raise IndexError(place)

    def _read(self, key: str, row: int, place: int) -> Sample:
        table = self._tables[key]
        numbers = table.read(row, row + 1, waveforms=False).rows[0]
        values = {name: numbers[name] for name in numbers.dtype.names if np.isscalar(numbers[name])}
        return Sample(key.strip("/"), np.asarray(table.waveform(row)), values, place)

    def _rows(self, key: str, selection: Selection) -> np.ndarray | range:
        """Give the rows of a table that are selected.

        The only table has the rows of Tier 2; of several tables, rows are told by event and channel.
        """
        n_rows = self._tables[key].n_rows
        if selection == EVERYTHING:
            return range(n_rows)
        if (columns := self._columns_of_the_only_table) is not None:
            return np.flatnonzero(selection.mask(columns))
        chosen = np.ones(n_rows, bool)
        if selection.channel is not None:
            chosen &= self._row_keys(key)[:, 1] == selection.channel
        if selection.is_cut:
            chosen &= self._passes_elsewhere(key, selection)
        return np.flatnonzero(chosen)

    def _passes_elsewhere(self, key: str, selection: Selection) -> np.ndarray:
        """Tell which rows of a table have an event and a channel that pass in Tier 2."""
        columns = self._columns
        if columns is None or "event_number" not in columns or CODE not in columns:
            return np.zeros(self._tables[key].n_rows, bool)
        passing = selection.passes_cuts(columns)
        events, codes = columns.column("event_number")[passing], columns.column(CODE)[passing]
        own = self._row_keys(key)
        return np.isin(_joint(own[:, 0], own[:, 1]), _joint(events, codes))

    def _event_numbers(self, key: str) -> np.ndarray:
        columns = self._columns_of_the_only_table
        if columns is not None and "event_number" in columns:
            return columns.column("event_number")
        return self._row_keys(key)[:, 0]

    @property
    def _columns_of_the_only_table(self) -> Columns | None:
        is_alone = [table.n_rows for table in self._tables.values()] == [
            len(self._columns if self._columns is not None else ())
        ]
        return self._columns if is_alone else None

    def _row_keys(self, key: str) -> np.ndarray:
        """Read event numbers and codes of the channels, (n_rows, 2)."""
        if key not in self._keys:
            with ThreadPoolExecutor(threads_of(None)) as pool:  # a hand waits for it
                keys = list(self._tables[key].map_columns(_keys_of_columns, ROWS_AT_ONCE, pool=pool))
            self._keys[key] = np.concatenate([np.empty((0, 2), np.int64), *keys])
        return self._keys[key]


def _stretches(rows: np.ndarray) -> list[np.ndarray]:
    """Part rows, in order, where there is a gap that is not worth reading."""
    return [part for part in np.split(rows, np.flatnonzero(np.diff(rows) > GAP_ROWS) + 1) if len(part)]


def _keys_of_rows(rows: np.ndarray) -> np.ndarray:
    return _keys_of({name: rows[name] for name in rows.dtype.names or ()}, len(rows))


def _keys_of_columns(_first: int, columns: StoredColumns) -> np.ndarray:
    return _keys_of({name: columns[name] for name in KEYS if name in columns}, columns.n_rows)


def _keys_of(columns: Mapping[str, np.ndarray], n_rows: int) -> np.ndarray:
    """Give event numbers and codes of the channels, (n_rows, 2), -1 where there are none."""
    codes = codes_of(columns)
    keys = np.full((n_rows, 2), -1, np.int64)
    if "event_number" in columns:
        keys[:, 0] = columns["event_number"]
    if codes is not None:
        keys[:, 1] = codes
    return keys


def _joint(events: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return (events.astype(np.int64) << 32) + codes
