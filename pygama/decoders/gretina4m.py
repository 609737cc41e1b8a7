"""Decodes the Gretina4M with the MAJORANA firmware: 10 channels, 14 bits signed, 100 MS/s.

A record holds packets of 1024 words, one in practice. Samples start at the 16th word of a packet, as ORCA
and OrcaROOT have it; the first dozen and the last two are unreliable.

Where `FtCnt` is set, the end of the trace is pre-summed: each of its last FtCnt samples is the sum of
`presum_rate` samples divided by `presum_divisor`, and spans presum_rate times the sampling period. The
columns `presum_start`, `presum_rate` and `presum_divisor` say so row by row; the true start can lie some
samples off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.decoders.base import Bits, Digitizer, Rule, Samples, by_place, word_of
from pygama.orca.header import Card

if TYPE_CHECKING:
    from pygama.orca.packets import Packets

MARKER = 0xAAAAAAAA
PACKET_WORDS = 1024
N_SAMPLES = 2018
_N_CHANNELS = 10
_RATES = {0: 2, 1: 4, 2: 8, 3: 10}


class Gretina4M(Digitizer):
    """Waveform records, with notes on the pre-summed tail."""

    name = "ORGretina4MWaveformDecoder"
    card_classes = ("ORGretina4MModel",)
    min_words = 2 + PACKET_WORDS
    fields = (
        Bits("crate", 1, 21, 4, about="number of the crate"),
        Bits("card", 1, 16, 5, about="slot of the card in its crate"),
        Bits("fifo_flags", 1, 30, 2, about="1: read-out FIFO half full, 2: almost full"),
        Bits("channel", 3, 0, 4, about="channel of the card"),
        Bits("board_id", 3, 4, 12, about="number of the board"),
        Bits("timestamp", 4, 0, 32, "ticks", "time of the trigger", above=((5, 0, 16),)),
        Bits("energy", 5, 16, 16, about="the card's own energy", above=((6, 0, 9),), signed=True),
        Bits("_marker", 2),
    )
    first_columns = ("board_id", "channel", "energy", "event_number", "timestamp", "crate", "card")

    def rules(self) -> Sequence[Rule]:
        """Each packet starts with its marker."""
        return (
            Rule(
                "no packet marker 0xAAAAAAAA",
                lambda records: word_of(records, 2) == MARKER,
            ),
            Rule(
                "not a whole number of 1024-word packets: written by a pre-sorting program?",
                lambda records: (records.size - 2) % PACKET_WORDS == 0,
            ),
        )

    def unpack(self, packets: Packets) -> tuple[Packets, Packets]:
        """Give each packet of a record its own row."""
        n_packets = (packets.size - 2) // PACKET_WORDS
        if (n_packets == 1).all():
            return packets, packets
        heads = packets[np.repeat(np.arange(len(packets)), n_packets)]
        bodies = heads[:]
        step = np.concatenate([np.arange(n) for n in n_packets.tolist()])
        bodies.start = heads.start + step * PACKET_WORDS
        bodies.size = np.full(len(heads), 2 + PACKET_WORDS)
        return heads, bodies

    def more_columns(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Add time, sampling period and the notes on the pre-summed tail."""
        return {**self.timing(columns), **self._presum(columns)}

    def _presum(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        n_rows = len(columns["channel"])
        start, rate, divisor = (np.full(n_rows, value) for value in (N_SAMPLES, 1, 1))
        for place, rows in by_place(columns):
            card = self.cards.get(place)
            if card is None:
                continue
            channel = columns["channel"][rows]
            tail = _per_channel(card, "FtCnt", 0)[channel]
            summed = tail > 0
            start[rows] = np.clip(N_SAMPLES - tail, 0, N_SAMPLES)
            codes = _per_channel(card, "Mrpsrt", 0)[channel] & 3
            rate[rows] = np.where(summed, np.array(list(_RATES.values()))[codes], 1)
            divisor[rows] = np.where(summed, 1 << (_per_channel(card, "Mrpsdv", 0)[channel] & 3), 1)
        return {"presum_start": start, "presum_rate": rate, "presum_divisor": divisor}

    def period_ns(self, card: Card | None) -> float:
        """10 ns, times the card's 'Down Sample' factor."""
        code = 0 if card is None else card.parameters.get("Down Sample", 0)
        return 10.0 * 2.0 ** (code if isinstance(code, int) and 0 <= code <= 4 else 0)

    def tick_ns(self, card: Card | None) -> float:
        """The timestamp counts 10 ns, whatever the down-sampling."""
        return 10.0

    def samples(self, packets: Packets, columns: dict[str, np.ndarray]) -> Samples:
        """2018 signed samples from w17."""
        first = 2 * (packets.start + 17)
        return Samples(packets.words.view("<i2"), first, np.full(len(packets), N_SAMPLES))

    def encode_events(self, columns: Mapping[str, Any], waveforms: np.ndarray) -> np.ndarray:
        """Write records, (n, 1026) uint32 with w0 free, of waveforms (n, 2018) int16."""
        records = self.encode({**columns, "_marker": MARKER}, 2 + PACKET_WORDS)
        records[:, 17:] = np.ascontiguousarray(waveforms, "<i2").view(np.uint32)
        return records


def _per_channel(card: Card, name: str, default: int) -> np.ndarray:
    """Read a per-channel list of a card; 16 entries, so that any 4-bit channel can be looked up."""
    values = np.full(16, default)
    listed = card.parameters.get(name, [])
    if isinstance(listed, list):
        for channel, value in enumerate(listed[:_N_CHANNELS]):
            is_code = isinstance(value, int | float) and abs(value) < 1 << 31
            values[channel] = int(value) if is_code else default
    return values
