import math

import numpy as np
import pytest

from pygama.analysis.peaks import match_lines
from pygama.analysis.search import find_peaks, li_ma
from pygama.errors import SettingsError
from pygama.processing.run import process_run
from pygama.simulate.spectrum import LINES, Resolution, compton_density, draw_energies
from pygama.storage import TierFile

EDGES = np.linspace(0, 4000, 16_385)
CENTRES = 0.5 * (EDGES[1:] + EDGES[:-1])
FWHM = Resolution().fwhm


def compton(n):
    """Counts on average of a Compton continuum with its edge at 2381.7 keV, as a detector smears it."""
    smear = np.exp(-0.5 * ((np.arange(61) - 30) / 5.3) ** 2)
    shape = np.convolve(compton_density(CENTRES, 2614.511), smear, mode="same")
    return n * shape / shape.sum()


BACKGROUNDS = {
    "empty": np.full(16_384, 0.02),
    "sparse": np.full(16_384, 1.0),
    "flat": np.full(16_384, 100.0),
    "falling": 200 * np.exp(-CENTRES / 350),
    "step": np.where(CENTRES < 2000, 50.0, 10.0),
    "compton": compton(1e6),
}


@pytest.mark.parametrize("kind", BACKGROUNDS)
@pytest.mark.parametrize("fwhm", [None, FWHM], ids=["any width", "known width"])
def test_backgrounds_hold_hardly_any_peaks(kind, fwhm):
    rng = np.random.default_rng(17)
    found = [find_peaks(rng.poisson(BACKGROUNDS[kind]), EDGES, fwhm=fwhm) for _ in range(15)]
    # Fewer than one in three spectra of 16384 bins; five in 15 happen by chance once in 150 at 2.
    assert sum(len(peaks) for peaks in found) <= 5


@pytest.mark.parametrize("n_events", [3000, 100_000])
@pytest.mark.parametrize("fwhm", [None, FWHM], ids=["any width", "known width"])
def test_all_lines_of_a_spectrum_are_found_with_the_escape_peaks(n_events, fwhm):
    rng = np.random.default_rng(18)
    energies = Resolution().smear(rng, draw_energies(rng, n_events)[0])
    found = find_peaks(*np.histogram(energies, EDGES), fwhm=fwhm)
    for line in LINES:
        near = [peak for peak in found if abs(peak.position - line.energy_kev) < 5 * peak.position_error]
        assert len(near) == 1, line.name
        assert near[0].fwhm == pytest.approx(FWHM(line.energy_kev), rel=0.5 if n_events < 10_000 else 0.12)
    assert len(found) <= len(LINES) + 1


@pytest.mark.parametrize(("n_peak", "mean"), [(100, 1.0), (1000, 5.0), (100, 10.0)])
@pytest.mark.parametrize("fwhm", [None, 7.0])
def test_positions_lie_around_the_truth_by_their_error(n_peak, mean, fwhm):
    rng = np.random.default_rng(19)
    pulls, counts = [], []
    for _ in range(150):
        values = [rng.normal(500.3, 7 / 2.3548, rng.poisson(n_peak)), rng.uniform(0, 1000, 1000 * int(mean))]
        found = find_peaks(*np.histogram(np.concatenate(values), 1000, (0, 1000)), fwhm=fwhm)
        near = [peak for peak in found if abs(peak.position - 500.3) < 7]
        pulls += [(peak.position - 500.3) / peak.position_error for peak in near]
        counts += [peak.counts for peak in near]
    assert len(pulls) > 140
    assert abs(np.mean(pulls)) < 0.3
    assert 0.7 < np.std(pulls) < 1.5
    # 1.25 FWHM hold 86 % of a Gaussian; where the width is not known, what lies high is taken for wide.
    assert np.mean(counts) == pytest.approx(0.86 * n_peak, rel=0.1 if fwhm else 0.2)


def test_a_weak_line_beside_a_strong_one_is_found_where_the_width_is_known():
    rng = np.random.default_rng(20)
    values = [rng.normal(500, 0.7, 20_000), rng.normal(505, 0.7, 1500), rng.uniform(400, 600, 4000)]
    found = find_peaks(*np.histogram(np.concatenate(values), 800, (400, 600)), fwhm=1.65)
    assert [peak.position for peak in found] == pytest.approx([500, 505], abs=0.15)


def test_peaks_that_run_into_each_other_are_told_apart_by_the_width_of_others():
    rng = np.random.default_rng(22)
    lines = [(300, 3000), (500, 3000), (507.5, 2000), (700, 500)]
    values = [rng.normal(at, 4 / 2.3548, n) for at, n in lines]
    found = find_peaks(
        *np.histogram(np.concatenate([*values, rng.exponential(400, 20_000)]), 2000, (0, 1000))
    )
    assert [peak.position for peak in found] == pytest.approx([300, 500, 507.5, 700], abs=0.7)


def test_a_hump_among_lines_is_no_line():
    rng = np.random.default_rng(23)
    energies = Resolution().smear(rng, draw_energies(rng, 100_000)[0])
    found = find_peaks(*np.histogram(np.append(energies, rng.normal(1800, 5.5, 1200)), EDGES))
    assert not [peak for peak in found if abs(peak.position - 1800) < 25]
    assert len(found) >= len(LINES)


def test_fewer_peaks_reach_a_higher_threshold():
    rng = np.random.default_rng(21)
    histogram = np.histogram(Resolution().smear(rng, draw_energies(rng, 3000)[0]), EDGES)
    strong = find_peaks(*histogram, fwhm=FWHM, threshold=15.0)
    assert 0 < len(strong) < len(find_peaks(*histogram, fwhm=FWHM))
    assert min(peak.significance for peak in strong) >= 15


def test_the_significance_is_that_of_li_and_ma():
    # Their equation 17 for 20 counts on 10 of the same exposure: sqrt(2 (20 ln(4/3) + 10 ln(2/3)))
    expected = math.sqrt(2 * (20 * math.log(4 / 3) + 10 * math.log(2 / 3)))
    assert li_ma(np.array([20.0]), np.array([10.0]), np.array([1.0]))[0] == pytest.approx(expected)


def test_an_empty_spectrum_holds_nothing():
    assert find_peaks(np.zeros(1000), np.arange(1001)) == ()
    assert find_peaks(np.ones(5), np.arange(6)) == ()


@pytest.mark.parametrize("at", [0, 1, 998, 999])
def test_a_full_bin_at_the_end_is_no_trouble(at):
    counts = np.full(1000, 2.0)
    counts[at] = 5000
    assert len(find_peaks(counts, np.arange(1001))) <= 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"threshold": 0.0}, "threshold must be above 0"),
        ({"fwhm": -1.0}, "fwhm must be above 0"),
        ({"fwhm": lambda x: x - 500}, "fwhm must be above 0"),
    ],
)
def test_settings_without_sense_are_refused(settings, words):
    with pytest.raises(SettingsError, match=words):
        find_peaks(np.ones(1000), np.arange(1001), **settings)


def test_the_lines_of_a_real_thorium_run_are_found(real_run, tmp_path):
    done = process_run(real_run("2018-9-25-Th228Run9001"), output_dir=tmp_path)
    with TierFile(done.outputs[1]) as file:
        trap_max = file.table("data").column("trap_max")
    found = find_peaks(*np.histogram(trap_max, 4096, (0, 45_000)))
    match = match_lines(trap_max, [238.632, 583.187, 2614.511])
    assert match.n_found == 3
    for line, fit in zip((238.632, 583.187, 2614.511), match.fits, strict=True):
        near = [peak for peak in found if abs(peak.position / match.scale - line) < 0.004 * line]
        assert len(near) == 1, line
        assert near[0].counts == pytest.approx(fit.area, abs=4 * fit.area_error)
        assert near[0].significance > 6
    assert len(found) <= 6


@pytest.mark.parametrize("bin_width", [4, 5, 8, 10, 16, 20])
def test_a_peak_with_stray_counts_and_no_background_is_found_in_bins_of_any_width(bin_width):
    # Each width takes in a stray count more, so that no width is ever less significant than the one before.
    rng = np.random.default_rng(20)
    stray = 38_470 + np.array([-480, -400, -330, -270, -220, 210, 260, 310, 380, 460])
    values = np.concatenate((rng.normal(38_470, 56, 30), stray))
    found = find_peaks(*np.histogram(values, np.arange(0, 60_000 + bin_width, bin_width)))
    assert [peak.position for peak in found] == [pytest.approx(38_470, abs=60)]


@pytest.mark.parametrize("n_bins", [2048, 4096, 8192])
def test_without_background_a_peak_is_where_its_counts_are(n_bins):
    rng = np.random.default_rng(3)
    at = (8000.0, 9000.0, 11_000.0)
    counts, edges = np.histogram(
        np.concatenate([rng.normal(one, 16.4, 800) for one in at]), n_bins, (0.0, 50_000.0)
    )
    found = find_peaks(counts, edges)
    assert [peak.position for peak in found] == pytest.approx(at, abs=6)
    assert all(peak.counts > 600 for peak in found)


@pytest.mark.parametrize("fwhm", [1.0, 1e9, 1e300])
def test_a_peak_wider_than_the_spectrum_is_not_found(fwhm):
    counts = np.random.default_rng(1).poisson(3, 2000)
    assert find_peaks(counts, np.linspace(0, 1e-8, 2001), fwhm=fwhm) == ()
