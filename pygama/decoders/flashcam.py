"""Decodes FlashCam waveforms as ORCA wrote them until 2024: 16 bits, 62.5 MS/s, one record a channel.

Source: real records of 2022 and ORCA's writer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pygama.decoders.base import Bits, Digitizer, Rule, Samples, word_of
from pygama.orca.header import Card

if TYPE_CHECKING:
    from pygama.orca.packets import Packets

ORCA_WORDS = 3
FLASHCAM_WORDS = 17
HEAD_WORDS = ORCA_WORDS + FLASHCAM_WORDS


class FlashCamADC(Digitizer):
    """First-generation waveform records; their time is the crate's pulse-per-second and tick counters."""

    name = "ORFlashCamADCWaveformDecoder"
    card_classes = ("ORFlashCamADCModel", "ORFlashCamADCStdModel")
    min_words = HEAD_WORDS
    fields: ClassVar[tuple[Bits, ...]] = (
        Bits("_orca_words", 1, 28, 4),
        Bits("_flashcam_words", 1, 22, 6),
        Bits("_n_samples", 1, 6, 16),
        Bits("event_type", 1, 0, 6, about="FlashCam's type of the event"),
        Bits("crate", 2, 27, 5, about="number of the crate"),
        Bits("card", 2, 22, 5, about="slot of the card in its crate"),
        Bits("card_address", 2, 14, 8, about="bits of the card's address"),
        Bits("channel", 2, 10, 4, about="input of the card"),
        Bits("trace_index", 2, 0, 10, about="place in FlashCam's map of traces"),
        Bits("_master_s", 3, signed=True),
        Bits("_master_us", 4, signed=True),
        Bits("_to_master_s", 5, signed=True),
        Bits("fc_event", 15, about="FlashCam's own event number"),
        Bits("_pps", 16, unit="s"),
        Bits("_ticks", 17),
        Bits("_max_ticks", 18),
        Bits("fc_baseline", 19, 0, 16, "adc", "baseline from the firmware"),
        Bits("energy", 19, 16, 16, about="energy from the firmware"),
    )
    first_columns = ("channel", "energy", "event_number", "timestamp", "crate", "card")

    def rules(self) -> Sequence[Rule]:
        """The told lengths must make up the record."""
        return (
            Rule("header lengths are not 3 and 17 words", self._head_is_known),
            Rule("number of samples disagrees with the record's length", self._samples_fit),
        )

    @staticmethod
    def _head_is_known(records: Packets) -> np.ndarray:
        return word_of(records, 1) >> 22 == (ORCA_WORDS << 6 | FLASHCAM_WORDS)

    @staticmethod
    def _samples_fit(records: Packets) -> np.ndarray:
        n_samples = (word_of(records, 1) >> 6 & 0xFFFF).astype(np.int64)
        return records.size == HEAD_WORDS + (n_samples + 1) // 2

    def more_columns(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Add the timestamp in ticks since FlashCam's start, time since run start and the period."""
        per_second = columns["_max_ticks"] + 1
        offset = columns["_master_s"] - self.header.start_time + 1e-6 * columns["_master_us"]
        return {
            "timestamp": columns["_pps"] * per_second + columns["_ticks"],
            "time_s": offset + columns["_pps"] + columns["_ticks"] / per_second,
            "period_ns": np.full(len(packets), self.period_ns(None)),
        }

    def period_ns(self, card: Card | None) -> float:
        """16 ns: 62.5 MS/s."""
        return 16.0

    def samples(self, packets: Packets, columns: dict[str, np.ndarray]) -> Samples:
        """Unsigned samples from w20."""
        first = 2 * (packets.start + HEAD_WORDS)
        return Samples(packets.words.view("<u2"), first, columns["_n_samples"])

    def encode_events(self, columns: Mapping[str, Any], waveforms: np.ndarray) -> np.ndarray:
        """Write records, (n, 20 + n_samples / 2) uint32 with w0 free, of waveforms (n, n_samples)."""
        n_samples = waveforms.shape[1]
        lengths = {"_orca_words": ORCA_WORDS, "_flashcam_words": FLASHCAM_WORDS, "_n_samples": n_samples}
        records = self.encode({**columns, **lengths}, HEAD_WORDS + n_samples // 2)
        records[:, HEAD_WORDS:] = np.ascontiguousarray(waveforms, "<u2").view(np.uint32)
        return records


class FlashCamWaveform(FlashCamADC):
    """The later name of the same records; the channel has one bit more, the index of the trace one less."""

    name = "ORFlashCamWaveformDecoder"
    fields = tuple(
        {
            "channel": Bits("channel", 2, 9, 5, about="input of the card"),
            "trace_index": Bits("trace_index", 2, 0, 9, about="place in FlashCam's map of traces"),
        }.get(bits.name, bits)
        for bits in FlashCamADC.fields
    )
