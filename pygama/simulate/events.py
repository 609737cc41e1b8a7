"""Draws the events of a made-up run: when, where, how much energy, and what is odd about them."""

from __future__ import annotations

import numpy as np

from pygama.simulate.crate import TICK_S
from pygama.simulate.shape import RunShape
from pygama.simulate.spectrum import KINDS, draw_energies

N_SITES = 3
BANK_S = 2.0
"""A card is read out channel by channel each time its memory bank is swapped."""

EVENT = np.dtype(
    [
        ("time_s", "f8"),
        ("timestamp", "i8"),
        ("place", "u2"),
        ("kind", "u1"),
        ("damage", "u1"),
        ("energy_kev", "f8"),
        ("amplitude_adc", "f8"),
        ("t0_sample", "f8"),
        ("drift", "f4", (N_SITES,)),
        ("share", "f4", (N_SITES,)),
        ("baseline_adc", "f4"),
        ("slope", "f4"),
        ("noise_at", "i4"),
        ("earlier_by", "f4"),
        ("earlier_adc", "f4"),
    ]
)
"""place: index in RunShape.places. drift, share: see `pulses.collected`. earlier_by: samples from an earlier
pulse of height earlier_adc, 0 for none."""

_PULSER, _BASELINE = KINDS.index("pulser"), KINDS.index("baseline")
_MULTI_SITE = 0.65
PULSER_DRIFT = 20.0


def draw_events(shape: RunShape, rng: np.random.Generator) -> np.ndarray:
    """Draw all events of a run, (n_events,) of EVENT, in the order in which they are read out."""
    events = _triggers(shape, rng)
    _energies(events, shape, rng)
    _heights(events, shape, rng)
    _collection(events, shape, rng)
    _baselines(events, shape, rng)
    _pile_up(events, shape, rng)
    _move_to_the_edge(events, shape, rng)
    events["damage"] = (rng.random(len(events)) < shape.damaged) * rng.integers(1, 3, len(events))
    bank = np.floor(events["time_s"] / BANK_S)
    return events[np.lexsort((events["time_s"], events["place"], bank))]


def readout_times(events: np.ndarray) -> np.ndarray:
    """Give when each event is written, (n,) s since run start: at the end of its bank."""
    return (np.floor(events["time_s"] / BANK_S) + 1) * BANK_S


def _triggers(shape: RunShape, rng: np.random.Generator) -> np.ndarray:
    n_places = len(shape.places)
    physics = np.cumsum(rng.exponential(1.0 / shape.rate_hz, shape.n_events))
    last = physics[-1] if len(physics) else 0.0
    n_pulser = int(last * shape.pulser_hz)
    pulser = np.repeat(np.arange(1, n_pulser + 1) / shape.pulser_hz if n_pulser else physics[:0], n_places)
    events = np.zeros(len(physics) + len(pulser), EVENT)
    events["time_s"] = np.concatenate([physics, pulser])
    events["place"][: len(physics)] = rng.integers(0, n_places, len(physics))
    events["place"][len(physics) :] = np.tile(np.arange(n_places), n_pulser)
    events["kind"][len(physics) :] = _PULSER
    events["timestamp"] = np.rint(events["time_s"] / TICK_S)
    return events[np.argsort(events["time_s"], kind="stable")][: shape.n_events]


def _energies(events: np.ndarray, shape: RunShape, rng: np.random.Generator) -> None:
    pulser = events["kind"] == _PULSER
    energy, kind = draw_energies(rng, len(events), shape.lines, shape.overflow)
    forced = rng.random(len(events)) < shape.forced
    energy[forced], kind[forced] = 0.0, _BASELINE
    energy[pulser], kind[pulser] = shape.pulser_kev, _PULSER
    events["energy_kev"], events["kind"] = energy, kind


def channel_gains(shape: RunShape) -> np.ndarray:
    """Give ADC counts a keV of each place; the same for equal shapes."""
    gain = shape.kind.gain if shape.gain is None else shape.gain
    spread = np.random.default_rng([shape.seed, 1]).standard_normal(len(shape.places))
    return gain * np.maximum(1.0 + shape.gain_spread * spread, 0.1)


def _heights(events: np.ndarray, shape: RunShape, rng: np.random.Generator) -> None:
    measured = shape.resolution.smear(rng, events["energy_kev"])
    exact = (events["kind"] == _PULSER) | (events["kind"] == _BASELINE)
    measured[exact] = events["energy_kev"][exact]
    events["amplitude_adc"] = np.maximum(measured, 0.0) * channel_gains(shape)[events["place"]]
    if shape.gain_drift and len(events):
        since = events["time_s"] - events["time_s"][0]
        events["amplitude_adc"] *= 1.0 + shape.gain_drift * since / max(float(since[-1]), TICK_S)


def _collection(events: np.ndarray, shape: RunShape, rng: np.random.Generator) -> None:
    n = len(events)
    whole = rng.uniform(*shape.drift, n)
    drift = whole[:, None] * rng.uniform(0.25, 1.0, (n, N_SITES))
    drift[:, 0] = whole
    share = rng.dirichlet((1.0,) * N_SITES, n)
    single = (rng.random(n) >= _MULTI_SITE) | (events["kind"] >= _PULSER)
    share[single] = (1.0, 0.0, 0.0)
    drift[events["kind"] == _PULSER] = PULSER_DRIFT
    events["drift"], events["share"] = drift, share
    events["t0_sample"] = shape.pulse_at + rng.uniform(-1.0, 1.0, n) * shape.pulse_jitter


def _baselines(events: np.ndarray, shape: RunShape, rng: np.random.Generator) -> None:
    n = len(events)
    level = shape.kind.baseline if shape.baseline is None else shape.baseline
    phase = rng.uniform(0, 2 * np.pi, len(shape.places))[events["place"]]
    turns = 2 * np.pi * events["time_s"] / 1800.0
    events["baseline_adc"] = level + shape.baseline_drift * np.sin(turns + phase)
    events["slope"] = shape.baseline_slope * rng.standard_normal(n)
    events["noise_at"] = rng.integers(0, 1 << 31, n)


def _pile_up(events: np.ndarray, shape: RunShape, rng: np.random.Generator) -> None:
    n = len(events)
    piled = (rng.random(n) < shape.pile_up) & (events["kind"] < _PULSER)
    energy, _ = draw_energies(rng, n, shape.lines, 0.0)
    by = rng.uniform(0.02, 1.5, n) * shape.electronics.decay
    events["earlier_by"] = np.where(piled, by, 0.0)
    events["earlier_adc"] = np.where(piled, energy * channel_gains(shape)[events["place"]], 0.0)


def _move_to_the_edge(events: np.ndarray, shape: RunShape, rng: np.random.Generator) -> None:
    rows = rng.permutation(np.flatnonzero(events["kind"] < _PULSER))[: shape.n_edge]
    near = rng.uniform(0.003, 0.022, len(rows)) * shape.n_samples
    events["t0_sample"][rows] = np.where(np.arange(len(rows)) % 2, near, shape.n_samples - near)
    events["earlier_by"][rows] = events["earlier_adc"][rows] = 0.0
