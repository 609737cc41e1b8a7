"""Says what a made-up run shall be like."""

from __future__ import annotations

from dataclasses import field

from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama.simulate.cards import CardKind, card_kind
from pygama.simulate.pulses import Electronics
from pygama.simulate.spectrum import LINES, Line, Resolution

_N_SLOTS = 32

START_TIME = 1538352000
"""1 October 2018, 00:00 UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShape:
    """A run to be made up. Lengths in samples, heights in ADC counts; parts are of all events, 0 to 1.

    Equal shapes give equal files, byte for byte. Raises SettingsError for what no card can record.
    """

    run_number: int = 1
    start_time: int = START_TIME
    """Unix time of the run start, s."""
    seed: int = 1
    n_events: int = 10_000
    """Records of the digitizer, damaged ones included."""
    n_samples: int = 2000
    """Samples of each waveform; a Gretina4M has 2018, always."""
    digitizer: str = "SIS3302"
    cards: tuple[int, ...] = (8,)
    """Slots of the cards in crate 0."""
    channels: tuple[int, ...] = (0, 1, 2)
    """Channels in use, the same on each card."""
    rate_hz: float = 100.0
    """Triggers a second, of all channels together, the pulser apart."""
    dead_time_s: float = 0.0
    """So long a channel records nothing after each hit that it recorded."""
    coincident: float = 0.0
    """Part of the triggers that a second channel sees at the same time; not counted in `rate_hz`."""

    pulse_at: float = 900.0
    pulse_jitter: float = 2.0
    """Each pulse starts at most this far from `pulse_at`."""
    drift: tuple[float, float] = (30.0, 120.0)
    """Least and greatest time in which all charge is collected."""
    electronics: Electronics = field(default_factory=Electronics)
    resolution: Resolution = field(default_factory=Resolution)
    lines: tuple[Line, ...] = LINES
    gain: float | None = None
    """ADC counts a keV; None: what suits the card."""
    gain_spread: float = 0.03
    """Standard deviation of the channels' gains, relative."""
    gain_drift: float = 0.0
    """By how much the gain of all channels grows from the first event to the last, relative."""
    baseline: float | None = None
    baseline_drift: float = 15.0
    """How far the baseline wanders in the course of the run."""
    baseline_slope: float = 2e-4
    """Standard deviation of the baseline's slope, ADC a sample."""

    pulser_hz: float = 1.0
    pulser_kev: float = 3000.0
    pile_up: float = 0.02
    """Part of the pulses that ride on the tail of an earlier one."""
    forced: float = 0.005
    """Part of the triggers that hold no pulse."""
    overflow: float = 0.003
    """Part of the triggers far above the lines; most go over the card's range."""
    n_edge: int = 0
    """Pulses that lie at the beginning or the end of the record."""
    damaged: float = 0.001
    """Part of the digitizer's records that do not hold together."""
    slow_control: bool = True
    """Preamplifier and high-voltage records."""
    undeclared: int = 3
    """Records of an id that the header does not declare."""
    lost_data: int = 2
    """Records of a type that is declared and has no decoder yet; a SIS3302 only."""
    histograms: bool = True
    """A histogram of each channel before the run stop, also without a decoder."""

    def __post_init__(self) -> None:
        self._check_card()
        parts = ("coincident", "pile_up", "forced", "overflow", "damaged")
        for name in parts:
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is a part of the events, 0 to 1, not '{getattr(self, name)}'")
        if not 0 <= self.drift[0] <= self.drift[1]:
            raise SettingsError(f"drift is the least and the greatest time, not '{self.drift}'")
        if self.n_events < 0:
            raise SettingsError(f"a run has 0 events or more, not '{self.n_events}'")
        if self.seed < 0:
            raise SettingsError(f"seed is a whole number, 0 or more, not '{self.seed}'")
        if not self.rate_hz > 0:
            raise SettingsError(f"rate_hz must be above 0, not '{self.rate_hz}'")
        if not self.dead_time_s >= 0:
            raise SettingsError(f"dead_time_s is 0 s or more, not '{self.dead_time_s}'")
        if self.coincident and len(self.places) < 2:
            raise SettingsError("coincidences need two channels or more")

    def _check_card(self) -> None:
        kind = self.kind
        least, most, step = kind.lengths
        if not least <= self.n_samples <= most or self.n_samples % step:
            raise SettingsError(
                f"a {kind.name} records {least} to {most} samples in steps of {step}; "
                f"set n_samples so, not to '{self.n_samples}'"
            )
        _check_numbers("channels", self.channels, kind.n_channels)
        _check_numbers("cards", self.cards, _N_SLOTS)

    @property
    def kind(self) -> CardKind:
        """The digitizer and its bounds."""
        return card_kind(self.digitizer)

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """(card, channel) of each channel in use."""
        return tuple((card, channel) for card in self.cards for channel in self.channels)


def _check_numbers(name: str, numbers: tuple[int, ...], end: int) -> None:
    if not numbers or len(set(numbers)) < len(numbers) or not all(0 <= number < end for number in numbers):
        raise SettingsError(f"{name} are one or more different numbers from 0 to {end - 1}, not '{numbers}'")


def demo_shape(n_events: int = 12_000, *, run_number: int = 1, seed: int = 1) -> RunShape:
    """Give a run whose lines stand sharp in a spectrum of `trap_max` with the default chain.

    The baseline is flat to sample 900, and the decay is long, so that the height of the trapezoid hardly
    depends on the drift time; all channels have one gain.
    """
    return RunShape(
        run_number=run_number,
        n_events=n_events,
        seed=seed,
        gain_spread=0.0,
        drift=(30.0, 70.0),
        electronics=Electronics(decay=20_000.0),
        baseline_slope=1e-4,
    )


def benchmark_shape(n_events: int = 31_383, n_samples: int = 32_000, *, seed: int = 72) -> RunShape:
    """Give run 72 of the 2018 demo: 31383 events and 21 run records, 52 pulses at an edge, 2 GB.

    With a window of 2000 samples around the maximum, the pulses at an edge go to the garbage. The noise is
    such that the windowed samples compress as those of the runs that speeds were measured with.
    """
    return RunShape(
        run_number=72,
        n_events=n_events,
        n_samples=n_samples,
        seed=seed,
        rate_hz=56.5,
        pulse_at=n_samples / 2,
        electronics=Electronics(white_noise=2.4),
        pile_up=0.01,
        n_edge=round(n_events * 52 / 31_383),
        pulser_hz=0.0,
        forced=0.0,
        damaged=0.0,
        slow_control=False,
        undeclared=0,
        lost_data=0,
        histograms=False,
    )
