import numpy as np
import pytest

from pygama.analysis.peaks import match_lines
from pygama.simulate import LINES, demo_shape, write_run


@pytest.fixture(scope="module")
def match(tmp_path_factory, records_of):
    """The lines in the maxima of a trapezoid of rise 400 and gap 200, by its definition."""
    path = write_run(tmp_path_factory.mktemp("demo") / "Run1", demo_shape(4000))
    samples = np.array([words[6:-4].view("<u2") for key, words in records_of(path) if key == 1])
    above = samples.astype(float) - samples[:, :500].mean(axis=1, keepdims=True)
    running = np.cumsum(above, axis=1)
    mean = (running[:, 400:] - running[:, :-400]) / 400
    return match_lines((mean[:, 600:] - mean[:, :-600]).max(axis=1), [line.energy_kev for line in LINES])


def test_all_lines_of_the_demo_are_found(match):
    assert match.n_found == len(LINES)


def test_lines_of_the_demo_stand_at_their_energies(match):
    for energy, fit in zip(match.energies_kev, match.fits, strict=True):
        assert fit.position / match.scale == pytest.approx(
            energy, abs=max(0.4, 4 * fit.position_error / match.scale)
        )


def test_the_highest_line_of_the_demo_is_below_5_kev_wide(match):
    assert match.fits[-1].fwhm / match.scale < 5
