"""Decodes run records: start, heartbeats, sub-runs and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pygama.decoders.base import Bits, Poller

if TYPE_CHECKING:
    from pygama.orca.packets import Packets


class RunRecords(Poller):
    """One row a run record. A heartbeat carries the seconds to the next one in place of the run number."""

    name = "ORRunDecoderForRun"
    min_words = 4
    fields = (
        Bits("_number", 2),
        Bits("sub_run", 1, 16, 16, about="sub-run number"),
        Bits("timestamp", 3, unit="s", about="Unix time"),
        Bits("is_start", 1, 0, 1, about="the run starts"),
        Bits("is_quick_start", 1, 1, 1, about="started without initialising the hardware"),
        Bits("is_remote", 1, 2, 1, about="started by remote control"),
        Bits("is_heartbeat", 1, 3, 1, about="sign of life, every 30 s"),
        Bits("is_subrun_end", 1, 4, 1, about="a sub-run ends"),
        Bits("is_subrun_start", 1, 5, 1, about="a sub-run starts"),
    )
    first_columns = ("event_number", "run_number", "sub_run", "timestamp")

    def more_columns(self, packets: Packets, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Add is_stop, the run number (-1 for a heartbeat) and time since run start."""
        heartbeat = columns["is_heartbeat"].astype(bool)
        marks = columns["is_start"] | columns["is_heartbeat"]
        marks |= columns["is_subrun_end"] | columns["is_subrun_start"]
        return {
            "is_stop": 1 - marks,
            "run_number": np.where(heartbeat, -1, columns["_number"]),
            "next_heartbeat_s": np.where(heartbeat, columns["_number"], -1),
            **self.unix_time(columns),
        }
