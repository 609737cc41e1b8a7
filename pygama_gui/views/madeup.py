"""Makes up pulses and the messages of a job, for the demo of each view and for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pygama.progress import Done, Message, Note, Partial, Progress, Started

N_SAMPLES = 1836
PERIOD_NS = 16.0
BASELINE = 8162.0
DECODER = "ORSIS3302DecoderForEnergy"
LINES = ((3550.0, 0.11), (8670.0, 0.052), (38860.0, 0.036))


def heights(n: int, seed: int = 1) -> np.ndarray:
    """Draw pulse heights from a falling background with three lines, in ADC counts."""
    rng = np.random.default_rng(seed)
    made = rng.exponential(5000.0, n) + 60.0
    kind = rng.random(n)
    for position, share in LINES:
        is_line = (kind >= 0.0) & (kind < share)
        made[is_line] = rng.normal(position, 12.0 + position / 900.0, is_line.sum())
        kind = kind - share
    return np.minimum(made, 50_000.0)


def pulse(height: float, *, seed: int = 1) -> np.ndarray:
    """Make one pulse: a rise of about a microsecond on a flat baseline, then a slow decay. uint16."""
    rng = np.random.default_rng(seed)
    t = np.arange(N_SAMPLES) - 905.0 - rng.uniform(-4, 4)
    rise = 1.0 / (1.0 + np.exp(-t / rng.uniform(4.0, 9.0)))
    decay = np.exp(-np.maximum(t, 0.0) / 5130.0)
    noise = rng.normal(0.0, 6.0, N_SAMPLES)
    return np.clip(BASELINE + height * rise * decay + noise, 0, 65535).astype(np.uint16)


def partial(n: int, *, seed: int = 1, n_waveforms: int = 4, n_channels: int = 1) -> Partial:
    """Make the message that a worker sends for n new rows."""
    rng = np.random.default_rng(seed)
    trap_max = heights(n, seed)
    columns = {
        "channel": rng.integers(0, n_channels, n),
        "event_number": np.arange(n) + seed * n,
        "time_s": np.sort(rng.uniform(seed, seed + 1.0, n)),
        "period_ns": np.full(n, PERIOD_NS),
        "bl_int": rng.normal(BASELINE, 3.1, n),
        "bl_slope": rng.normal(0.0, 1e-3, n),
        "trap_max": trap_max,
    }
    k = min(n, n_waveforms)
    waveforms = np.stack([pulse(trap_max[i], seed=seed * 100 + i) for i in range(k)])
    return Partial(DECODER, columns, waveforms, {name: values[:k] for name, values in columns.items()})


def shaped_partial(n: int, *, seed: int = 1, n_channels: int = 2) -> Partial:
    """Make the message for n new rows that have A/E: a band of single-site events, and others below it."""
    made = partial(n, seed=seed, n_channels=n_channels)
    rng = np.random.default_rng(seed + 1000)
    energy = made.columns["trap_max"]
    width = 0.004 + 40.0 / np.maximum(energy, 500.0)
    below = np.where(rng.random(n) < 0.4, rng.exponential(0.15, n), 0.0)
    made.columns["a_over_e"] = 1.0 + width * rng.normal(size=n) - np.minimum(below, 0.7)
    return made


def messages(path: Path, *, n_partials: int = 10, n_rows: int = 400) -> Iterator[Message]:
    """Tell the story of one run, without its end."""
    total = 4_000_000
    yield Started(path, total, 9001, 0, 1537871000, (DECODER,), ("ORSIS3302DecoderForMca",))
    yield Note(f"{path.name}: started")
    for i in range(n_partials):
        done = total * (i + 1) // (n_partials + 6)
        yield Progress(done, total, (i + 1) * n_rows, (i + 1) * n_rows, done)
        yield partial(n_rows, seed=i + 1)


def end(n_rows: int = 4000) -> Done:
    """Tell that the run is done."""
    return Done((Path("t1_run9001.h5"), Path("t2_run9001.h5")), n_rows, 1.2, {DECODER: n_rows})
