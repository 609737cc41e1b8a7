"""Decodes slow control: the MJD preamplifier's voltages and the iSeg high-voltage cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.decoders.base import Bits, Poller, Rule

if TYPE_CHECKING:
    from pygama.orca.packets import Packets

_N_ADCS = 16


class MJDPreAmp(Poller):
    """16 voltages of a preamplifier controller; columns adc_0 … adc_15 and enabled_0 … enabled_15."""

    name = "ORMJDPreAmpDecoderForAdc"
    card_classes = ("ORMJDPreAmpModel",)
    min_words = 4 + _N_ADCS
    fields = (
        *(
            Bits(f"adc_{i}", 4 + i, unit="V", real=True, about=f"reading of input {i}")
            for i in range(_N_ADCS)
        ),
        *(Bits(f"enabled_{i}", 3, i, 1, about=f"input {i} is read out") for i in range(_N_ADCS)),
        Bits("timestamp", 2, unit="s", about="Unix time of the reading"),
        Bits("device_id", 1, 0, 12, about="preampID of the controller in the header"),
    )

    def more_columns(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Add time since run start."""
        return self.unix_time(columns)


class ISegHV(Poller):
    """Voltage (a magnitude; `polarity` has its sign) and current of each channel of a high-voltage card."""

    name = "ORiSegHVCardDecoderForHV"
    also = (
        "OREHQ8060nDecoderForHV",
        "OREHS8240nDecoderForHV",
        "OREHS8260pDecoderForHV",
        "OREHSF040nDecoderForHV",
    )
    card_classes = (
        "OREHQ8060nModel",
        "OREHS8240nModel",
        "OREHS8260pModel",
        "OREHSF040nModel",
        "ORiSegHVCard",
    )
    min_words = 5
    fields = (
        Bits("timestamp", 4, unit="s", about="Unix time of the reading"),
        Bits("crate", 1, 20, 4, about="number of the crate"),
        Bits("card", 1, 16, 4, about="slot of the card in its crate"),
        Bits("polarity", 1, 0, 1, about="1: positive"),
        Bits("_on", 2),
        Bits("_n_channels", 1, 4, 5),
    )

    def rules(self) -> Sequence[Rule]:
        """A voltage and a current for each channel."""
        return (Rule("odd number of readings", lambda records: (records.size - 5) % 2 == 0),)

    def group(self, packets: Packets) -> np.ndarray:
        """Cards with different numbers of channels make tables of their own."""
        return (packets.size - 5) // 2

    def more_columns(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Add voltage_i (V), current_i (A) and enabled_i of each channel, and time since run start.

        Channels that a card does not have are NaN here and left out of its table.
        """
        more = self.unix_time(columns)
        n_channels = (packets.size - 5) // 2
        for channel in range(int(n_channels.max(initial=0))):
            there = n_channels > channel
            voltage, current = np.full(len(packets), np.nan), np.full(len(packets), np.nan)
            rows = packets[there]
            voltage[there] = Bits("", 5 + 2 * channel, real=True).decode(rows)
            current[there] = Bits("", 6 + 2 * channel, real=True).decode(rows)
            more[f"voltage_{channel}"] = voltage
            more[f"current_{channel}"] = current
            more[f"enabled_{channel}"] = columns["_on"] >> min(channel, 63) & 1
        return more

    def encode_readings(
        self, columns: Mapping[str, Any], voltages: np.ndarray, currents: np.ndarray
    ) -> np.ndarray:
        """Write records, (n, 5 + 2 n_channels) uint32 with w0 free, of readings (n, n_channels)."""
        n_channels = voltages.shape[1]
        records = self.encode({**columns, "_n_channels": n_channels}, 5 + 2 * n_channels)
        records[:, 5::2] = np.asarray(voltages, np.float32).view(np.uint32)
        records[:, 6::2] = np.asarray(currents, np.float32).view(np.uint32)
        return records
