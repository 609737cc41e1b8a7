"""Draws energies as a germanium detector sees them without a source: lines of natural radioactivity on their
Compton continua and a falling background.

Energies of the lines: Evaluated Nuclear Structure Data File. Shares are made up so that a run of some
thousand events already shows every line.
"""

from __future__ import annotations

import numpy as np

from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

ELECTRON_KEV = 510.999
THRESHOLD_KEV = 40.0


@dataclass(frozen=True, slots=True)
class Line:
    """A peak of the spectrum."""

    name: str
    energy_kev: float
    share: float
    """Part of all events that lie in the peak."""
    is_escape: bool = False
    """A peak without a gamma of its own, and so without a Compton continuum."""


LINES = (
    Line("Pb-212", 238.632, 0.10),
    Line("annihilation", 510.999, 0.02),
    Line("Tl-208", 583.187, 0.08),
    Line("Ac-228", 911.204, 0.03),
    Line("K-40", 1460.822, 0.10),
    Line("Tl-208 double escape", 1592.513, 0.015, is_escape=True),
    Line("Tl-208 single escape", 2103.512, 0.02, is_escape=True),
    Line("Tl-208", 2614.511, 0.08),
)

COMPTON_SHARE = 0.30
FALLING_KEV = 350.0
OVERFLOW_KEV = (4000.0, 9000.0)

KINDS = ("line", "compton", "continuum", "overflow", "pulser", "baseline")
"""What an event is; the truth of a run holds the place in this list."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Width of the peaks: FWHM² = noise² + slope · E, all in keV."""

    noise_kev: float = 0.7
    slope_kev: float = 0.0036

    def fwhm(self, energy_kev: np.ndarray | float) -> np.ndarray:
        """Give the full width at half maximum in keV; 2.3 keV at 1332 keV as it stands."""
        return np.sqrt(self.noise_kev**2 + self.slope_kev * np.asarray(energy_kev, float))

    def smear(self, rng: np.random.Generator, energy_kev: np.ndarray) -> np.ndarray:
        """Give the energies as measured."""
        return energy_kev + rng.standard_normal(len(energy_kev)) * self.fwhm(energy_kev) / FWHM_PER_SIGMA


FWHM_PER_SIGMA = float(2 * np.sqrt(2 * np.log(2)))


def compton_edge(energy_kev: float) -> float:
    """Give the highest energy that one scattering leaves in the detector, in keV."""
    ratio = 2 * energy_kev / ELECTRON_KEV
    return energy_kev * ratio / (1 + ratio)


def compton_density(deposit_kev: np.ndarray, energy_kev: float) -> np.ndarray:
    """Give the Klein-Nishina density of the energy deposited, up to a factor; 0 above the edge.

    Source: O. Klein, Y. Nishina, Z. Phys. 52 (1929) 853.
    """
    alpha = energy_kev / ELECTRON_KEV
    deposit = np.asarray(deposit_kev, float)
    s = deposit / energy_kev
    ratio = s / np.maximum(1 - s, 1e-12)
    density = 2 + (ratio / alpha) ** 2 + ratio * (s - 2 / alpha)
    return np.where(deposit <= compton_edge(energy_kev), density, 0.0)


def draw_compton(rng: np.random.Generator, n: int, energy_kev: float) -> np.ndarray:
    """Draw energies, (n,) keV, between the threshold and the Compton edge."""
    grid = np.linspace(THRESHOLD_KEV, compton_edge(energy_kev), 2001)
    density = compton_density(grid, energy_kev)
    total = np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))
    return np.interp(rng.random(n), total / total[-1], grid)


def draw_energies(
    rng: np.random.Generator, n: int, lines: tuple[Line, ...] = LINES, overflow: float = 0.003
) -> tuple[np.ndarray, np.ndarray]:
    """Draw what `n` events leave in the detector.

    overflow: part of the events that lie far above the lines: muons and alphas. Returns energies, (n,) keV,
    and their place in KINDS, (n,) uint8.
    """
    origin = _origins(rng, n, lines, overflow)
    energy = np.empty(n)
    kind = np.full(n, KINDS.index("continuum"), np.uint8)
    n_lines = len(lines)
    falling, far = origin == 2 * n_lines, origin == 2 * n_lines + 1
    energy[falling] = THRESHOLD_KEV + rng.exponential(FALLING_KEV, int(falling.sum()))
    energy[far] = rng.uniform(*OVERFLOW_KEV, int(far.sum()))
    kind[far] = KINDS.index("overflow")
    for i, line in enumerate(lines):
        energy[origin == i] = line.energy_kev
        compton = origin == n_lines + i
        energy[compton] = draw_compton(rng, int(compton.sum()), line.energy_kev)
    kind[origin < n_lines] = KINDS.index("line")
    kind[(origin >= n_lines) & (origin < 2 * n_lines)] = KINDS.index("compton")
    return energy, kind


def _origins(rng: np.random.Generator, n: int, lines: tuple[Line, ...], overflow: float) -> np.ndarray:
    """Draw where events come from: 0… the lines, then their Compton continua, the falling part, far above."""
    peaks = np.array([line.share for line in lines])
    gammas = np.array([0.0 if line.is_escape else line.share for line in lines])
    compton = COMPTON_SHARE * gammas / gammas.sum()
    rest = 1.0 - peaks.sum() - compton.sum() - overflow
    if rest < 0:
        raise SettingsError(f"the shares of lines and overflow leave '{rest:.3g}' for the falling background")
    bounds = np.cumsum(np.concatenate([peaks, compton, [rest, overflow]]))
    return np.searchsorted(bounds / bounds[-1], rng.random(n), side="right")
