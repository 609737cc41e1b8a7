import math

import numpy as np
import pytest

from pygama.analysis.lines import GammaLine
from pygama.analysis.matching import Spectrum, _price_of_absences, match_sources, on_off_ratio
from pygama.errors import SettingsError
from pygama.simulate.spectrum import Resolution, draw_energies

GAIN = 3.3


@pytest.fixture
def thorium(source_spectrum):
    return source_spectrum(np.random.default_rng(1), "Th-228", GAIN, 3000)


def test_the_likelihood_ratio_is_that_of_li_and_ma():
    # 20 counts where 10 are expected of the 20 beside: 20 ln 1.5 + 20 ln 0.75
    ratios = on_off_ratio(np.array([20.0, 10.0, 0.0]), np.array([20.0, 20.0, 0.0]), 2.0)
    assert pytest.approx(ratios.tolist()) == [20 * math.log(1.5) + 20 * math.log(0.75), 0.0, 0.0]


def test_a_dip_has_a_ratio_below_zero():
    assert on_off_ratio(np.array([2.0]), np.array([40.0]), 2.0)[0] < 0


@pytest.mark.parametrize("source", ["Th-228", "Co-60", "Ba-133", "Eu-152", "Ra-226", "Th-232"])
@pytest.mark.parametrize("n", [500, 20_000])
def test_the_source_that_was_there_is_found_at_its_gain(source_spectrum, source, n):
    spectrum = Spectrum(source_spectrum(np.random.default_rng(n), source, GAIN, n))
    match = match_sources(spectrum, source)
    assert match.refused == ""
    assert match.best.source == source
    assert pytest.approx(match.best.gain, rel=0.012) == GAIN
    assert match.confidence > 0.99
    assert match.rival is None or abs(match.rival.gain / GAIN - 1) > 0.02


@pytest.mark.parametrize("gain", [0.033, 0.33, 33.0, 3300.0])
def test_the_gain_can_be_anything(thorium, gain):
    match = match_sources(Spectrum(thorium * gain / GAIN), "Th-228")
    assert match.refused == ""
    assert pytest.approx(match.best.gain, rel=0.004) == gain


def test_without_a_source_all_that_are_known_are_tried(source_spectrum):
    match = match_sources(Spectrum(source_spectrum(np.random.default_rng(2), "Eu-152", GAIN, 5000)))
    assert (match.best.source, match.refused) == ("Eu-152", "")


@pytest.mark.parametrize(("n", "seed"), [(1000, 0), (4000, 1), (4000, 2)])
def test_one_line_of_a_source_is_not_enough_where_its_others_would_be_seen(n, seed):
    """The made-up run has the line of Ac-228 at 911 keV alone: more than Th-228, and no Th-232."""
    rng = np.random.default_rng(seed)
    values = GAIN * Resolution().smear(rng, draw_energies(rng, n)[0])
    match = match_sources(Spectrum(values))
    assert (match.best.source, match.refused) == ("Th-228", "")
    assert pytest.approx(match.best.gain, rel=0.004) == GAIN


def absences(*areas, energies=(911.204, 968.971), intensities=(25.8, 15.8)):
    """The price of areas (area, error, background) of lines of one source."""
    lines = [
        GammaLine("Ac-228", energy, intensity=intensity)
        for energy, intensity in zip(energies, intensities, strict=True)
    ]
    return _price_of_absences(lines, np.array(areas))


def test_a_line_that_is_missing_costs_what_its_neighbour_says_it_lacks():
    # 258 counts at 911 keV: 158 · (969/911)^-0.8 = 150 are expected at 969 keV, give or take 16 %
    assert absences((258.0, 17.0, 20.0), (150.0, 14.0, 20.0)) == pytest.approx(0.0, abs=0.01)
    # none, give or take 50: (127 / 50)² / 2 where the prediction is one error too high, and 1 / 2 for that
    assert absences((258.0, 17.0, 20.0), (0.0, 50.0, 20.0)) == pytest.approx(3.74, abs=0.02)
    assert absences((258.0, 17.0, 20.0), (0.0, 5.0, 20.0)) == 12.0


def test_more_counts_than_expected_cost_nothing():
    # there the line at 969 keV says that the other has 0.9 of what it should: within its error
    assert absences((258.0, 17.0, 20.0), (170.0, 14.0, 20.0)) < 0.25


def test_a_line_far_off_in_energy_may_be_weak():
    thorium = {"energies": (238.632, 2614.511), "intensities": (43.6, 35.85)}
    near = absences(
        (1000.0, 32.0, 20.0), (40.0, 9.0, 20.0), energies=(238.632, 260.0), intensities=(43.6, 35.85)
    )
    assert absences((1000.0, 32.0, 20.0), (40.0, 9.0, 20.0), **thorium) < 1.5
    assert near == 12.0


def test_a_line_below_the_threshold_is_not_missed(source_spectrum):
    values = source_spectrum(np.random.default_rng(5), "Ba-133", GAIN, 4000)
    match = match_sources(Spectrum(values[values > 150 * GAIN]), "Ba-133")
    assert match.refused == ""
    assert pytest.approx(match.best.gain, rel=0.012) == GAIN


@pytest.mark.parametrize("source", ["Th-228", "Th-232", "Ra-226", "Co-60", "Ba-133", "Eu-152"])
def test_potassium_in_the_background_changes_no_source(source_spectrum, source):
    rng = np.random.default_rng(17)
    values = [source_spectrum(rng, source, GAIN, 3000), source_spectrum(rng, "K-40", GAIN, 500)]
    match = match_sources(Spectrum(np.concatenate(values)))
    assert (match.best.source, match.refused) == (source, "")


@pytest.mark.parametrize("wrong", ["Co-60", "Ba-133", "Eu-152", "Ra-226", "Cs-137"])
def test_a_wrong_source_is_refused_and_the_right_one_named(thorium, wrong):
    match = match_sources(Spectrum(thorium), wrong)
    assert match.refused.startswith(f"this does not look like {wrong}: Th-228 at 3.")


def test_a_single_line_could_stand_anywhere(source_spectrum):
    spectrum = Spectrum(source_spectrum(np.random.default_rng(3), "Cs-137", GAIN, 5000))
    match = match_sources(spectrum, "Cs-137")
    assert match.refused.startswith("only one line of Cs-137 stands out")
    assert match.refused.endswith("take more events, or give an expected gain")


def test_a_refusal_asks_for_no_gain_that_was_given(source_spectrum):
    spectrum = Spectrum(source_spectrum(np.random.default_rng(3), "Cs-137", GAIN, 5000))
    match = match_sources(spectrum, "Co-60", gain_range=(2 * GAIN, 3 * GAIN))
    assert match.refused.endswith(
        f"correct the gain that was expected ({2 * GAIN:.5g} to {3 * GAIN:.5g} units/keV)"
    )
    assert match.confidence < 0.99


def test_a_single_line_is_enough_where_the_gain_is_expected(source_spectrum):
    spectrum = Spectrum(source_spectrum(np.random.default_rng(3), "Cs-137", GAIN, 5000))
    match = match_sources(spectrum, "Cs-137", gain_range=(3.1, 3.5))
    assert match.refused == ""
    assert pytest.approx(match.best.gain, rel=0.004) == GAIN


def test_an_expected_gain_that_is_ten_times_too_high_is_told(thorium):
    match = match_sources(Spectrum(thorium), "Th-228", gain_range=(30, 36), unit="ADC")
    assert match.refused.startswith("the lines of Th-228 stand at 3.")
    assert "0.1 times the gain that was expected (30 to 36 ADC/keV)" in match.refused


def test_two_sources_together_are_one_hypothesis(source_spectrum):
    rng = np.random.default_rng(4)
    both = [source_spectrum(rng, name, GAIN, 3000) for name in ("Cs-137", "Co-60")]
    match = match_sources(Spectrum(np.concatenate(both)), ["Cs-137", "Co-60"])
    assert (match.best.source, match.best.found, match.refused) == (
        "Cs-137 + Co-60",
        (661.657, 1173.228, 1332.492),
        "",
    )


def test_one_strong_peak_of_something_else_does_not_win(source_spectrum):
    rng = np.random.default_rng(7)
    pulser = rng.normal(3000.0 * GAIN, 2.0, 3000)
    values = np.concatenate([source_spectrum(rng, "Th-228", GAIN, 160), pulser])
    match = match_sources(Spectrum(values), "Th-228")
    assert match.refused == ""
    assert pytest.approx(match.best.gain, rel=0.012) == GAIN


def test_another_strong_peak_at_a_gain_that_nobody_expects_hardly_counts(source_spectrum):
    rng = np.random.default_rng(8)
    both = [source_spectrum(rng, name, GAIN, 3000) for name in ("Cs-137", "K-40")]
    spectrum = Spectrum(np.concatenate(both))
    assert match_sources(spectrum, "Cs-137").refused != ""
    assert match_sources(spectrum, "Cs-137", gain_range=(3.1, 3.5)).refused == ""


def test_a_background_without_lines_is_refused():
    values = np.random.default_rng(5).exponential(1000.0, 20_000)
    match = match_sources(Spectrum(values), "Th-228")
    assert match.refused.startswith("no lines of Th-228 stand out")


def test_too_few_values_are_refused_in_words():
    assert match_sources(Spectrum(np.ones(29)), "Co-60").refused.startswith("29 values above 0: too few")
    assert match_sources(Spectrum(np.ones(1)), "Co-60").refused.startswith("1 value above 0: too few")


def test_what_is_accepted_of_faint_spectra_is_right(source_spectrum):
    rng = np.random.default_rng(6)
    accepted = wrong = 0
    for i in range(48):
        source = ("Th-228", "Co-60", "Ba-133", "Eu-152", "K-40", "Ra-226")[i % 6]
        gain = 10 ** rng.uniform(-1, 2)
        values = source_spectrum(rng, source, gain, int(rng.uniform(80, 400)), background=rng.uniform(0, 1))
        match = match_sources(Spectrum(values), source if i % 4 else None)
        accepted += not match.refused
        wrong += not match.refused and abs(match.best.gain / gain - 1) > 0.015
    assert accepted > 15
    assert wrong <= 1


def test_a_histogram_is_matched_as_its_values_are(thorium):
    counts, edges = np.histogram(thorium, bins=10_000, range=(0, 10_000))
    one, other = match_sources(Spectrum(thorium), "Th-228"), match_sources(Spectrum(counts, edges), "Th-228")
    assert other.best.gain == pytest.approx(one.best.gain, rel=0.002)
    assert other.best.found == one.best.found


@pytest.mark.parametrize("edges", [None, np.linspace(0, 200, 41)])
def test_counts_below_even_places_are_those_below_each(edges):
    values = np.random.default_rng(3).exponential(40.0, 500)
    spectrum = Spectrum(values) if edges is None else Spectrum(np.histogram(values, edges)[0], edges)
    places = np.exp(1.0 + 0.01 * np.arange(450))
    assert spectrum.below_evenly(1.0, 0.01, 450).tolist() == spectrum.below(places).tolist()


def test_a_histogram_gives_its_bins_as_they_are():
    spectrum = Spectrum(np.arange(10.0), np.arange(11.0))
    counts, edges = spectrum.window(1.5, 5.5, 60)
    assert (counts.tolist(), edges.tolist()) == ([2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0])
    assert spectrum.n == 45
    assert spectrum.below(np.array([3.5])).tolist() == [0 + 1 + 2 + 1.5]


@pytest.mark.parametrize(
    ("counts", "edges", "message"),
    [
        (np.ones(10), np.arange(10.0), "one edge more"),
        (np.ones(10), np.zeros(11), "numbers that rise"),
        (-np.ones(10), np.arange(11.0), "0 or more"),
        (np.full(10, math.nan), np.arange(11.0), "0 or more"),
    ],
)
def test_what_is_no_histogram_is_refused(counts, edges, message):
    with pytest.raises(SettingsError, match=message):
        Spectrum(counts, edges)


@pytest.mark.parametrize("gain_range", [(0, 1), (2, 1), (1, math.inf), (math.nan, 1)])
def test_an_expected_gain_that_is_none_is_refused(thorium, gain_range):
    with pytest.raises(SettingsError, match="expected gain"):
        match_sources(Spectrum(thorium), "Th-228", gain_range=gain_range)


def test_a_pulser_cannot_be_matched(thorium):
    with pytest.raises(SettingsError, match="'pulser' has no line of a known energy"):
        match_sources(Spectrum(thorium), ["Th-228", "pulser"])
