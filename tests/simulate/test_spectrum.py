import numpy as np
import pytest

from pygama.analysis.lines import GAMMA_LINES
from pygama.errors import SettingsError
from pygama.simulate.spectrum import (
    KINDS,
    LINES,
    THRESHOLD_KEV,
    Line,
    Resolution,
    compton_density,
    compton_edge,
    draw_compton,
    draw_energies,
)


def test_the_compton_edge_of_the_caesium_line_lies_at_477_kev():
    assert pytest.approx(compton_edge(661.657), abs=0.1) == 477.3


def test_no_compton_electron_lies_above_the_edge():
    assert compton_edge(2614.511) >= draw_compton(np.random.default_rng(1), 10_000, 2614.511).max()


def test_the_compton_density_is_that_of_klein_and_nishina():
    # alpha = 1, half of the energy given: 2 + 1 + (0.5 - 2) = 1.5; nothing given: 2
    assert pytest.approx(compton_density(np.array([255.4995, 0.0]), 510.999).tolist()) == [1.5, 2.0]


def test_escape_peaks_stand_511_and_1022_kev_below_their_line():
    energy = {line.name: line.energy_kev for line in LINES if "escape" in line.name}
    assert pytest.approx(energy["Tl-208 single escape"], abs=1e-3) == 2614.511 - 510.999
    assert pytest.approx(energy["Tl-208 double escape"], abs=1e-3) == 2614.511 - 2 * 510.999


def test_every_line_stands_in_the_table_that_spectra_are_calibrated_with():
    known = {(line.origin, line.energy_kev) for line in GAMMA_LINES}
    assert set() == {(line.name, line.energy_kev) for line in LINES} - known


def test_each_line_gets_its_share_of_the_events():
    energy, kind = draw_energies(np.random.default_rng(2), 100_000)
    for line in LINES:
        n_found = np.count_nonzero(energy == line.energy_kev)
        assert 100_000 * line.share == pytest.approx(n_found, abs=5 * np.sqrt(100_000 * line.share))
    assert sum(line.share for line in LINES) == pytest.approx((kind == KINDS.index("line")).mean(), abs=0.01)


def test_no_event_lies_below_the_threshold():
    energy, _ = draw_energies(np.random.default_rng(3), 20_000)
    assert energy.min() >= THRESHOLD_KEV


def test_a_peak_at_1332_kev_is_2_3_kev_wide():
    assert pytest.approx(float(Resolution().fwhm(1332.5)), abs=0.01) == 2.3


def test_smearing_widens_a_line_to_its_resolution():
    smeared = Resolution().smear(np.random.default_rng(4), np.full(50_000, 1332.5))
    assert pytest.approx(2.3548 * smeared.std(), rel=0.02) == 2.3


def test_lines_that_leave_no_room_for_the_rest_are_refused():
    with pytest.raises(SettingsError, match="shares of lines"):
        draw_energies(np.random.default_rng(5), 10, (Line("one", 1000.0, 0.9),))
