"""Carries rows of one decoder from a source to the sinks.

Everything the program does is one source of blocks and some sinks for them. A block is a few tens of
megabytes at most, so memory is bounded by the block and never by the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class Block:
    """Rows of one decoder, in file order.

    rows: structured array, shape (n_rows,), of single-valued columns; integers are int64, times float64.
    waveforms: (n_rows, n_samples) in ADC counts in the card's own sample type; None for slow control.
    traces: further arrays row for row, such as {"energy_waveform": (n_rows, n_energy)}.
    """

    decoder: str
    rows: np.ndarray
    waveforms: np.ndarray | None = None
    traces: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_samples(self) -> int:
        """Samples of each waveform; 0 where there are none."""
        return 0 if self.waveforms is None else self.waveforms.shape[1]

    def __getitem__(self, rows: slice | np.ndarray) -> Block:
        """Take some rows, as a slice, indices or a mask."""
        return Block(
            self.decoder,
            self.rows[rows],
            None if self.waveforms is None else self.waveforms[rows],
            {name: array[rows] for name, array in self.traces.items()},
        )
