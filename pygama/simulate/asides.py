"""Makes the records of a made-up run that are no waveforms: run marks, slow control, and odd ones."""

from __future__ import annotations

import numpy as np

from pygama.decoders.slow_control import ISegHV, MJDPreAmp
from pygama.orca.header import Header
from pygama.quick_dataclass import dataclass
from pygama.simulate import crate
from pygama.simulate.crate import KEYS
from pygama.simulate.events import channel_gains
from pygama.simulate.shape import RunShape

HEARTBEAT_S = 30
PREAMP_S = 20
HV_S = 60


@dataclass(frozen=True, slots=True)
class Aside:
    """A record, and when it is written."""

    at_s: float
    key: int
    payload: np.ndarray
    """Words from w1 on, uint32."""


def draw_asides(
    shape: RunShape, header: Header, events: np.ndarray, rng: np.random.Generator
) -> tuple[list[Aside], list[Aside]]:
    """Make all records beside the waveforms: those of the run in order of time, and the last ones."""
    end_s = float(events["time_s"].max(initial=0.0))
    asides = [run_mark(shape, 0.0, 0x21)]
    asides += [run_mark(shape, t, 0x8) for t in np.arange(0.0, end_s, HEARTBEAT_S).tolist()]
    if shape.slow_control:
        asides += _hv(shape, header, end_s, rng) + _preamp(shape, header, end_s, rng)
    asides += _odd(shape, end_s, rng)
    asides.sort(key=lambda aside: aside.at_s)
    last = _histograms(shape, events) if shape.histograms else []
    return asides, [*last, run_mark(shape, np.ceil(end_s), 0x0)]


def run_mark(shape: RunShape, at_s: float, flags: int) -> Aside:
    """Make a run record: start 0x21, heartbeat 0x8 or stop 0x0."""
    number = HEARTBEAT_S if flags == 0x8 else shape.run_number
    return Aside(at_s, KEYS["run"], np.array([flags, number, shape.start_time + int(at_s)], np.uint32))


def _hv(shape: RunShape, header: Header, end_s: float, rng: np.random.Generator) -> list[Aside]:
    at_s = np.arange(0.0, max(end_s, 1.0), HV_S)
    size = (len(at_s), len(crate.HV_VOLTS))
    columns = {
        "crate": crate.HV_CRATE,
        "card": crate.HV_CARD,
        "polarity": 1,
        "_on": (1 << len(crate.HV_VOLTS)) - 1,
        "timestamp": shape.start_time + at_s.astype(int),
    }
    voltages = crate.HV_VOLTS + rng.normal(0, 0.05, size)
    records = ISegHV(header).encode_readings(columns, voltages, rng.normal(1e-9, 2e-11, size))
    return [Aside(t, KEYS["hv"], record[1:]) for t, record in zip(at_s.tolist(), records, strict=True)]


def _preamp(shape: RunShape, header: Header, end_s: float, rng: np.random.Generator) -> list[Aside]:
    at_s = np.arange(PREAMP_S, end_s, PREAMP_S)
    fixed = {5: 12.0, 6: -12.0, 7: 31.0, 13: 24.0, 14: -24.0, 15: 29.0}
    columns = {
        "timestamp": shape.start_time + at_s.astype(int),
        "device_id": np.full(len(at_s), crate.PREAMP_ID),
        **{f"enabled_{i}": np.ones(len(at_s), int) for i in range(16)},
    }
    for i in range(16):
        columns[f"adc_{i}"] = fixed.get(i, -1.5 + 0.1 * i) + rng.normal(0, 0.01, len(at_s))
    records = MJDPreAmp(header).encode(columns, 20)
    return [Aside(t, KEYS["preamp"], record[1:]) for t, record in zip(at_s.tolist(), records, strict=True)]


def _odd(shape: RunShape, end_s: float, rng: np.random.Generator) -> list[Aside]:
    times = rng.uniform(0.0, end_s, shape.undeclared + shape.lost_data).tolist()
    words = rng.integers(0, 1 << 32, (shape.undeclared, 5), np.uint32)
    odd = [Aside(t, crate.UNDECLARED_KEY, row) for t, row in zip(times, words, strict=False)]
    if shape.kind is crate.SIS3302_KIND:
        card, channel = shape.places[0]
        lost = np.array([card << 16 | channel << 8, 42], np.uint32)
        odd += [Aside(t, KEYS["lost_data"], lost) for t in times[shape.undeclared :]]
    return odd


def _histograms(shape: RunShape, events: np.ndarray) -> list[Aside]:
    amplitude = events["amplitude_adc"] / channel_gains(shape)[events["place"]]
    made = []
    for place, (card, channel) in enumerate(shape.places):
        counts, _ = np.histogram(amplitude[events["place"] == place], bins=1024, range=(0, 4096))
        name = f"Final/Energy/Crate  0/Card{card:3d}/Channel{channel:3d}".encode()
        n_words = (len(name) + 1 + 4) // 4
        text = np.frombuffer(name.ljust(4 * n_words, b"\0"), "<u4")
        words = np.concatenate([[n_words], text, [len(counts)], counts]).astype(np.uint32)
        made.append(Aside(0.0, KEYS["histogram"], words))
    return made
