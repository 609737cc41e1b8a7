"""Writes made-up runs with known answers: a raw file as ORCA would have it, and its truth beside it.

The waveforms are made and written batch by batch, so memory does not grow with their number or length; the
truth, about 100 bytes an event, is held to the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pygama.orca.header import Header, parse_header
from pygama.orca.writer import RunWriter, header_bytes
from pygama.progress import Progress, Tell, tell_nobody
from pygama.simulate.asides import Aside, draw_asides
from pygama.simulate.cards import spoil
from pygama.simulate.crate import ENERGY_PEAKING, header_plist
from pygama.simulate.events import PULSER_DRIFT, channel_gains, draw_events, readout_times
from pygama.simulate.pulses import Pulses, WaveformMaker, digitise
from pygama.simulate.shape import RunShape
from pygama.simulate.spectrum import KINDS

_BATCH_SAMPLES = 1 << 20


def write_run(path: Path | str, shape: RunShape | None = None, *, tell: Tell = tell_nobody) -> Path:
    """Write a made-up run to `path`, and its truth to `truth_path(path)`; returns the path.

    Both stand there only when they are whole. Equal shapes give equal files. `tell` hears how far it is and
    may raise `errors.Stopped`.
    """
    path, shape = Path(path), shape or RunShape()
    part, truth_part = (p.with_name(p.name + ".part") for p in (path, truth_path(path)))
    try:
        truth = _Run(shape, tell).write(part)
        with truth_part.open("wb") as file:
            np.savez_compressed(file, **truth)
        truth_part.replace(truth_path(path))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
        truth_part.unlink(missing_ok=True)
    return path


def truth_path(path: Path | str) -> Path:
    """Say where the truth of a made-up run lies."""
    path = Path(path)
    return path.with_name(path.name + ".truth.npz")


def read_truth(path: Path | str) -> dict[str, np.ndarray]:
    """Read the truth of the made-up run at `path`.

    One row a record of the digitizer, in file order: packet, card, channel, timestamp, energy_kev (left in
    the detector), amplitude_adc (height of the charge step), t0_sample, rise_samples, baseline_adc, kind
    (place in `kinds`), damage (0: good), is_pulser, is_coincident (two channels saw it, whether or not both
    recorded it), is_pile_up, is_saturated, earlier_by and earlier_adc. Of the run: run_number, decay_samples,
    lines_kev, gains_adc_per_kev and live_s by place, other_packet and other_key of the records that are no
    waveforms. live_s: until the last hit of the run.
    """
    with np.load(truth_path(path), allow_pickle=False) as file:
        return dict(file)


class _Run:
    def __init__(self, shape: RunShape, tell: Tell) -> None:
        self.shape, self.tell = shape, tell
        self.plist = header_plist(shape)
        self.header: Header = parse_header(header_bytes(self.plist))
        self.events = draw_events(shape, np.random.default_rng([shape.seed, 0]))
        rng = np.random.default_rng([shape.seed, 2])
        self.asides, self.last = draw_asides(shape, self.header, self.events, rng)
        times = np.array([aside.at_s for aside in self.asides])
        self.aside_before = np.searchsorted(readout_times(self.events), times, side="right")
        n = np.arange(len(self.events))
        self.packets = 1 + n + np.searchsorted(self.aside_before, n, side="right")
        self.maker = WaveformMaker(
            np.random.default_rng([shape.seed, 3]),
            shape.n_samples,
            shape.electronics,
            longest_drift=max(shape.drift[1], PULSER_DRIFT),
        )
        self.decoder = shape.kind.decoder(self.header)
        self.gains = channel_gains(shape)
        self.saturated = np.zeros(len(self.events), bool)

    def write(self, path: Path) -> dict[str, Any]:
        """Write the raw file; returns its truth."""
        done = 0
        with RunWriter(path, self.plist) as writer:
            for aside, before in zip(self.asides, self.aside_before.tolist(), strict=True):
                self._write_events(writer, done, before)
                done = max(done, before)
                _write_aside(writer, aside)
            self._write_events(writer, done, len(self.events))
            for aside in self.last:
                _write_aside(writer, aside)
        return self._truth()

    def _write_events(self, writer: RunWriter, start: int, stop: int) -> None:
        n_batch = max(1, _BATCH_SAMPLES // self.shape.n_samples)
        for first in range(start, stop, n_batch):
            rows = slice(first, min(first + n_batch, stop))
            records = self._records(rows)
            writer.records(self.shape.kind.key, records)
            n_bytes = 4 * records.shape[1]
            n_all = len(self.events)
            self.tell(
                Progress(n_bytes * rows.stop, n_bytes * n_all, int(self.packets[rows.stop - 1]), rows.stop)
            )

    def _records(self, rows: slice) -> np.ndarray:
        """Make the records of some events, (n, n_words) uint32 with w0 free."""
        kind, events = self.shape.kind, self.events[rows]
        waves = self.maker.baselines(events["baseline_adc"], events["slope"], events["noise_at"])
        drift, share, start = events["drift"], events["share"], events["t0_sample"]
        whole = np.ones((len(events), 1))
        earlier = Pulses(start - events["earlier_by"], events["earlier_adc"], drift[:, :1], whole)
        self.maker.add(waves, earlier)
        self.maker.add(waves, Pulses(start, events["amplitude_adc"], drift, share))
        samples, self.saturated[rows] = digitise(waves, kind.sample_type, kind.low, kind.high)
        records = self.decoder.encode_events(self._columns(events), samples)
        spoil(kind, records, events["damage"])
        return records

    def _columns(self, events: np.ndarray) -> dict[str, np.ndarray]:
        card, channel = self._card_and_channel(events)
        return {
            "crate": np.zeros(len(events), int),
            "card": card,
            "channel": channel,
            "board_id": card,
            "timestamp": events["timestamp"],
            "energy": np.rint(events["amplitude_adc"] * ENERGY_PEAKING),
            "energy_first": np.zeros(len(events), int),
            "pile_up": events["earlier_adc"] > 0,
            "fast_triggers": 1 + (events["earlier_adc"] > 0),
        }

    def _card_and_channel(self, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places = np.array(self.shape.places)[events["place"]]
        return places[:, 0], places[:, 1]

    def _other_packets(self) -> np.ndarray:
        n_events = len(self.events)
        before = np.concatenate([self.aside_before, np.full(len(self.last), n_events)])
        return 1 + np.arange(len(before)) + before

    def _live_s(self) -> np.ndarray:
        """Give how long each place could record, (n_places,) s, from the start to the last hit of the run."""
        end, dead_s = self.events["time_s"].max(initial=0.0), self.shape.dead_time_s
        live = np.full(len(self.shape.places), end)
        np.subtract.at(live, self.events["place"], np.minimum(dead_s, end - self.events["time_s"]))
        return live

    def _truth(self) -> dict[str, Any]:
        events, shape = self.events, self.shape
        card, channel = self._card_and_channel(events)
        named = ("timestamp", "energy_kev", "amplitude_adc", "t0_sample", "baseline_adc", "kind", "damage")
        return {
            "packet": self.packets,
            "card": card,
            "channel": channel,
            **{name: events[name] for name in (*named, "earlier_by", "earlier_adc")},
            "rise_samples": np.where(events["share"] > 0, events["drift"], 0).max(axis=1),
            "is_pulser": events["kind"] == KINDS.index("pulser"),
            "is_coincident": events["is_coincident"],
            "is_pile_up": events["earlier_adc"] > 0,
            "is_saturated": self.saturated,
            "kinds": np.array(KINDS),
            "run_number": shape.run_number,
            "decay_samples": shape.electronics.decay,
            "lines_kev": np.array([line.energy_kev for line in shape.lines]),
            "gains_adc_per_kev": self.gains,
            "live_s": self._live_s(),
            "other_packet": self._other_packets(),
            "other_key": np.array([aside.key for aside in (*self.asides, *self.last)]),
        }


def _write_aside(writer: RunWriter, aside: Aside) -> None:
    writer.record(aside.key, aside.payload)
