"""Makes up spectra of sources whose gain is known."""

import numpy as np
import pytest

from pygama.analysis.lines import lines_of
from pygama.simulate.spectrum import FWHM_PER_SIGMA, Resolution, draw_compton


@pytest.fixture
def source_spectrum():
    """Give what makes a spectrum: lines by intensity and efficiency, Compton continua, a background."""

    def make(rng, source, gain, n, *, background=0.3, offset_kev=0.0):
        lines = lines_of(source)
        weights = np.array([_weight(line) for line in lines])
        n_peak = rng.multinomial(int(0.35 * n), weights / weights.sum())
        parts = [40 + rng.exponential(350.0, int(background * n)), rng.uniform(3000, 9000, n // 500)]
        for line, k in zip(lines, n_peak.tolist(), strict=True):
            sigma = Resolution().fwhm(line.energy_kev) * (1.6 if line.is_broad else 1.0) / FWHM_PER_SIGMA
            parts.append(rng.normal(line.energy_kev, sigma, k))
            if not line.escapes:
                parts.append(draw_compton(rng, int(1.2 * k), line.energy_kev))
        return gain * (np.concatenate(parts) + offset_kev)

    return make


def _weight(line):
    intensity = line.intensity or (1.5 if line.escapes else 5.0)
    return intensity * min((line.energy_kev / 150) ** 2, 1.0) * (line.energy_kev / 500) ** -0.8
