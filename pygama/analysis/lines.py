"""Names the gamma lines that a germanium spectrum is calibrated with.

Source: Evaluated Nuclear Structure Data File (ENSDF), adopted gammas; escape peaks are the parent less one
or two times 510.999 keV.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GammaLine:
    """A line by its origin and energy."""

    origin: str
    energy_kev: float


GAMMA_LINES = (
    GammaLine("Pb-212", 238.632),
    GammaLine("Pb-214", 295.224),
    GammaLine("Pb-214", 351.932),
    GammaLine("annihilation", 510.999),
    GammaLine("Tl-208", 583.187),
    GammaLine("Bi-214", 609.312),
    GammaLine("Cs-137", 661.657),
    GammaLine("Bi-212", 727.330),
    GammaLine("Tl-208", 860.557),
    GammaLine("Ac-228", 911.204),
    GammaLine("Ac-228", 968.971),
    GammaLine("Bi-214", 1120.287),
    GammaLine("Co-60", 1173.228),
    GammaLine("Co-60", 1332.492),
    GammaLine("K-40", 1460.822),
    GammaLine("Tl-208 double escape", 1592.513),
    GammaLine("Bi-212", 1620.500),
    GammaLine("Bi-214", 1764.494),
    GammaLine("Tl-208 single escape", 2103.512),
    GammaLine("Bi-214", 2204.210),
    GammaLine("Tl-208", 2614.511),
)
"""In order of energy."""
