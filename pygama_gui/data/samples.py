"""Keeps waveforms to look at: the newest of a run under way, or any row of a finished Tier 1 file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pygama.progress import Partial
from pygama_gui.data.channels import codes_of

N_KEPT = 300
ROWS_AT_ONCE = 10_000


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

    def __len__(self) -> int:
        return len(self._samples)

    def take(self, partial: Partial) -> None:
        """Keep the sample waveforms of a message."""
        for sample in samples_of(partial):
            self.add(sample)

    def add(self, sample: Sample) -> None:
        """Keep one more; the oldest goes when there are too many."""
        self._samples.append(sample)

    def of(self, channel: int | None) -> list[Sample]:
        """Give the samples of a channel (None: of all), oldest first."""
        return [sample for sample in self._samples if channel is None or sample.channel == channel]


def samples_of(partial: Partial) -> Iterator[Sample]:
    """Take the sample waveforms of a message apart."""
    if partial.waveforms is None:
        return
    for index, waveform in enumerate(partial.waveforms):
        numbers = {name: values[index] for name, values in partial.waveform_rows.items()}
        yield Sample(partial.decoder, waveform, numbers)


def import_readers() -> None:
    """Import what reads Tier files, so that the first one opens at once."""
    import pygama.orca.header
    import pygama.storage  # noqa: F401


class Tier1Waveforms:
    """Rows of the tables with waveforms of a Tier 1 file. Belongs to the one thread that reads files.

    Channels are told by their codes. channels: those of all rows, (n_rows,), where they are known already:
    the columns lie among the waveforms in the file, and reading them means reading everything. They are used
    where the file has one table.
    """

    def __init__(self, path: Path, channels: np.ndarray | None = None) -> None:
        from pygama.storage import TierFile

        self._file = TierFile(path)
        tables = {key: self._file.table(key) for key in self._file.keys}
        self._tables = {
            key: table
            for key, table in tables.items()
            if table.n_samples and not key.endswith(("_Garbage", "_Damaged"))
        }
        self._channels: dict[str, np.ndarray] = {}
        if channels is not None and [table.n_rows for table in self._tables.values()] == [len(channels)]:
            self._channels = dict.fromkeys(self._tables, channels)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def rows_of(self, channel: int | None) -> list[tuple[str, np.ndarray | range]]:
        """Give the rows of a channel (None: all) in each table."""
        return [(key, self._rows(key, channel)) for key in self._tables]

    def count(self, channel: int | None = None) -> int:
        """Count the waveforms of a channel (None: all)."""
        return sum(len(rows) for _, rows in self.rows_of(channel))

    def sample(self, place: int, channel: int | None = None) -> Sample:
        """Read the waveform at a place among those of a channel; raises IndexError beyond the end."""
        at = place
        for key, rows in self.rows_of(channel):
            if at < len(rows):
                return self._read(key, int(rows[at]), place)
            at -= len(rows)
        raise IndexError(place)

    def _read(self, key: str, row: int, place: int) -> Sample:
        table = self._tables[key]
        numbers = table.read(row, row + 1, waveforms=False).rows[0]
        values = {name: numbers[name] for name in numbers.dtype.names if np.isscalar(numbers[name])}
        return Sample(key.strip("/"), np.asarray(table.waveform(row)), values, place)

    def _rows(self, key: str, channel: int | None) -> np.ndarray | range:
        if channel is None:
            return range(self._tables[key].n_rows)
        return np.flatnonzero(self._channel_column(key) == channel)

    def _channel_column(self, key: str) -> np.ndarray:
        if key not in self._channels:
            blocks = self._tables[key].blocks(ROWS_AT_ONCE, waveforms=False)
            codes = [_codes_of_rows(block.rows) for block in blocks]
            self._channels[key] = np.concatenate([np.empty(0, np.int64), *codes])
        return self._channels[key]


def _codes_of_rows(rows: np.ndarray) -> np.ndarray:
    codes = codes_of({name: rows[name] for name in rows.dtype.names or ()})
    return np.full(len(rows), -1) if codes is None else codes
