"""Decodes the Struck SIS3302: 8 channels, 16 bits, 100 MS/s, one record a trigger and channel.

Source: ORCA's read-out code and OrcaROOT, which agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.decoders.base import Bits, Digitizer, Rule, Samples, Trace, located, word_of
from pygama.orca.header import Card

if TYPE_CHECKING:
    from pygama.orca.packets import Packets

FOOTER = 0xDEADBEEF
_PERIOD_NS = {0: 10.0, 1: 20.0, 2: 40.0, 3: 100.0, 4: 1000.0, 7: 10.0}


class SIS3302(Digitizer):
    """Energy-mode records, with the buffer-wrap mode and the energy filter's own trace."""

    name = "ORSIS3302DecoderForEnergy"
    also = ("ORSIS3302Decoder",)
    card_classes = ("ORSIS3302Model",)
    min_words = 10
    fields = (
        *located(),
        Bits("_wraps", 1, 0, 1, about="the samples are a ring buffer"),
        Bits("_n_raw", 2, unit="words", about="length of the waveform, two samples a word"),
        Bits("_n_energy", 3, unit="words", about="length of the energy filter's trace"),
        Bits("timestamp", 5, 0, 32, "ticks", "time of the trigger", above=((4, 16, 16),)),
        Bits("energy", -4, about="maximum of the card's energy filter"),
        Bits("energy_first", -3, about="energy filter at the start of its gate"),
        Bits("pile_up", -2, 31, 1, about="the card saw pile-up"),
        Bits("retrigger", -2, 30, 1, about="the card triggered again"),
        Bits("fast_triggers", -2, 24, 4, about="counter of fast triggers"),
        Bits("_footer", -1),
    )
    first_columns = ("channel", "energy", "energy_first", "event_number", "timestamp", "crate", "card")

    def rules(self) -> Sequence[Rule]:
        """Footer and lengths must agree."""
        return (
            Rule("no footer 0xDEADBEEF", lambda records: word_of(records, -1) == FOOTER),
            Rule("lengths disagree", self._lengths_agree),
            Rule("ring start or length beyond the waveform", self._ring_fits),
        )

    @staticmethod
    def _lengths_agree(records: Packets) -> np.ndarray:
        wraps = word_of(records, 1) & 1
        told = word_of(records, 2).astype(np.int64) + word_of(records, 3) + np.where(wraps, 12, 10)
        return told == records.size

    @staticmethod
    def _ring_fits(records: Packets) -> np.ndarray:
        wraps = (word_of(records, 1) & 1).astype(bool)
        fits = np.ones(len(records), bool)
        ring = records[wraps]
        fits[wraps] = word_of(ring, 6) <= 2 * word_of(ring, 2).astype(np.int64)
        return fits

    def more_columns(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Add time and sampling period."""
        return self.timing(columns)

    def period_ns(self, card: Card | None) -> float:
        """Follow the card's clock source; NaN for an external clock."""
        source = 0 if card is None else card.parameters.get("clockSource", 0)
        return _PERIOD_NS.get(source, float("nan")) if isinstance(source, int) else float("nan")

    def samples(self, packets: Packets, columns: dict[str, np.ndarray]) -> Samples:
        """Behind a header of 6 words, or 8 where the samples are a ring."""
        wraps = columns["_wraps"].astype(bool)
        first = 2 * (packets.start + np.where(wraps, 8, 6))
        samples = Samples(packets.words.view("<u2"), first, 2 * columns["_n_raw"])
        if wraps.any():
            samples.valid = np.where(wraps, 0, samples.count)
            samples.oldest = np.full(len(packets), -1)
            ring = packets[wraps]
            samples.valid[wraps] = word_of(ring, 6)
            oldest = word_of(ring, 7).astype(np.int64)
            samples.oldest[wraps] = np.where(oldest < samples.valid[wraps], oldest, 0)
        return samples

    def traces(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, Trace]:
        """The energy filter's trace, one 32-bit value a word."""
        if not columns["_n_energy"].any():
            return {}
        header = np.where(columns["_wraps"], 8, 6)
        first = packets.start + header + columns["_n_raw"]
        return {"energy_waveform": Trace(packets.words, first, columns["_n_energy"])}

    def encode_events(
        self,
        columns: Mapping[str, Any],
        waveforms: np.ndarray,
        energy_waveforms: np.ndarray | None = None,
        oldest: int | None = None,
    ) -> np.ndarray:
        """Write records, (n, size) uint32 with w0 free.

        waveforms: (n, n_samples) with an even number of samples. energy_waveforms: (n, n_energy).
        oldest: index of the oldest sample in the ring, to write in buffer-wrap mode.
        """
        n_rows, n_samples = waveforms.shape
        n_energy = 0 if energy_waveforms is None else energy_waveforms.shape[1]
        head = 6 if oldest is None else 8
        columns = {**columns, "_n_raw": n_samples // 2, "_n_energy": n_energy, "_footer": FOOTER}
        columns["_wraps"] = 0 if oldest is None else 1
        columns.setdefault("timestamp", np.zeros(n_rows))
        records = self.encode(columns, head + n_samples // 2 + n_energy + 4)
        records[:, 4] |= np.asarray(columns["channel"], np.uint32) & 7
        if oldest is not None:
            records[:, 6], records[:, 7] = n_samples, oldest
            waveforms = np.roll(waveforms, oldest, axis=1)
        words = np.ascontiguousarray(waveforms, "<u2").view(np.uint32)
        records[:, head : head + n_samples // 2] = words
        if energy_waveforms is not None:
            records[:, head + n_samples // 2 : -4] = energy_waveforms
        return records
