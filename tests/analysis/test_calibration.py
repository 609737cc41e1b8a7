"""Calibrations of made-up channels whose gain is known, and of a real run."""

import dataclasses
import hashlib
import math
import re
from types import MappingProxyType

import numpy as np
import pytest

from pygama.analysis import calibration as calib
from pygama.analysis.calibration import Calibration, ChannelCalibration, Recipe, apply, calibrate
from pygama.analysis.curves import Curve, chi2_probability
from pygama.analysis.line_fits import MatchedLine, _Expected, _not_of_another, _Sought
from pygama.analysis.lines import lines_of
from pygama.analysis.peaks import fit_peak, fit_peak_counts
from pygama.errors import SettingsError
from pygama.processing.run import process_run
from pygama.simulate import RunShape, demo_shape, write_run
from pygama.simulate.events import channel_gains, draw_events

THORIUM = Recipe(source=("Th-228",))
GAIN = 3.3


def run_columns(seed, n_events=9000):
    """The heights that a made-up run puts in, channel by channel, and the true gains by place."""
    shape = RunShape(seed=seed, n_events=n_events, channels=(0, 1, 5))
    events = draw_events(shape, np.random.default_rng([seed, 0]))
    card, channel = np.array(shape.places)[events["place"]].T
    columns = {
        "crate": np.zeros(len(card), int),
        "card": card,
        "channel": channel,
        "trap_max": events["amplitude_adc"],
    }
    gains = {
        f"0/{card}/{channel}": gain
        for (card, channel), gain in zip(shape.places, channel_gains(shape), strict=True)
    }
    return columns, gains


def two_channels():
    """A calibration by hand: channel 0/8/0 has E = 1 + x / 2, channel 0/8/1 none."""
    curve = Curve((1.0, 0.5), ((0.01, 0.0), (0.0, 1e-6)), 1.0, 1)
    channels = {"0/8/0": ChannelCalibration(curve=curve), "0/8/1": ChannelCalibration(refused="empty")}
    return Calibration("trap_max", channels=MappingProxyType(channels))


def test_gains_of_made_up_runs_lie_within_their_errors():
    pulls, energies = [], []
    for seed in range(8):
        columns, gains = run_columns(seed)
        made = calib.calibrate_channels(columns, THORIUM)
        assert set(made.channels) == set(gains)
        for place, one in made.channels.items():
            assert one.curve is not None, one.refused
            pulls.append((one.curve.gain - gains[place]) / one.curve.gain_error)
            at = 1500.0 * gains[place]
            energies.append((float(one.curve.energy(at)) - 1500.0) / float(one.curve.energy_error(at)))
    for each in (pulls, energies):
        assert abs(np.mean(each)) < 0.65
        assert 0.6 < np.std(each) < 1.5


@pytest.mark.parametrize("source", ["Co-60", "Ba-133", "Eu-152", "Ra-226"])
def test_energies_of_other_sources_come_out_right(source_spectrum, source):
    values = source_spectrum(np.random.default_rng(1), source, GAIN, 20_000)
    one = calibrate(values, Recipe(source=(source,)))
    middle = np.median([line.energy_kev for line in one.lines if line.is_used])
    error = float(one.curve.energy_error(middle * GAIN))
    assert float(one.curve.energy(middle * GAIN)) == pytest.approx(middle, abs=4 * error)
    assert error < 0.2


def test_the_resolution_of_the_detector_is_found(source_spectrum):
    one = calibrate(source_spectrum(np.random.default_rng(2), "Ra-226", GAIN, 30_000), Recipe(("Ra-226",)))
    assert one.resolution.fwhm(1000.0) == pytest.approx(math.sqrt(0.49 + 3.6), rel=0.04)


def test_the_real_run_is_calibrated_by_its_three_lines(real_run, tmp_path):
    run = real_run("2018-9-25-Th228Run9001")
    files = process_run(run, output_dir=tmp_path).outputs
    columns = calib.read_columns(files[1])
    made = calib.calibrate_channels(columns, THORIUM, made_from=[files[1].name])
    (one,) = made.channels.values()
    assert one.confidence > 0.9999
    assert [line.energy_kev for line in one.lines if line.is_used] == [238.632, 583.187, 2614.511]
    assert one.curve.gain == pytest.approx(14.71, abs=0.03)
    worst = max(abs(line.residual_kev) for line in one.lines if line.is_used)
    assert worst < 1.0


def test_an_independent_fit_of_the_real_run_gives_the_same_curve(real_run, tmp_path):
    """Positions by an unbinned likelihood (scipy.stats, simplex), the line through them by curve_fit."""
    files = process_run(real_run("2018-9-25-Th228Run9001"), output_dir=tmp_path).outputs
    (one,) = calib.calibrate_channels(calib.read_columns(files[1]), THORIUM).channels.values()
    positions = {238.632: (3510.44, 1.09), 583.187: (8572.13, 2.43), 2614.511: (38458.76, 9.16)}
    for energy_kev, (position, error) in positions.items():
        line = the_line(one, energy_kev)
        assert line.position == pytest.approx(position, abs=0.25 * error)
        assert line.position_error == pytest.approx(error, rel=0.08)
    offset, slope = one.curve.coefficients
    assert slope == pytest.approx(0.06799942, abs=0.15 * 1.6e-5)
    assert offset == pytest.approx(-0.0226, abs=0.15 * 0.103)
    # no pole-zero correction: the widths grow faster than by statistics, and the report says so
    assert "FWHM(E) is not to be trusted" in one.note


@pytest.mark.parametrize("wrong", ["Co-60", "Ba-133", "Cs-137", "Eu-152", "K-40", "Ra-226"])
def test_the_real_run_is_not_taken_for_another_source(real_run, tmp_path, wrong):
    files = process_run(real_run("2018-9-25-Th228Run9001"), output_dir=tmp_path).outputs
    (one,) = calib.calibrate_channels(calib.read_columns(files[1]), Recipe((wrong,))).channels.values()
    assert one.curve is None
    assert "Th-228 at 14.7" in one.refused


def test_a_processed_run_gets_energies_beside_its_columns_and_stays_as_it_is(tmp_path):
    shape = dataclasses.replace(demo_shape(1500, run_number=3), channels=(0,))
    file = process_run(write_run(tmp_path / "Run3", shape), output_dir=tmp_path).outputs[1]
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    made = calib.calibrate_channels(calib.read_columns(file), THORIUM)
    columns = calib.read_calibrated(file, made)
    energy = columns["trap_max_kev"]
    assert energy.dtype == np.float64
    assert len(energy) == len(columns["energy"])
    assert "energy_kev" not in columns
    near = energy[np.abs(energy - 1460.8) < 4]
    assert len(near) > 80
    assert np.median(near) == pytest.approx(1460.8, abs=0.4)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


def test_energies_are_not_known_of_channels_without_a_curve():
    columns = {
        "crate": np.zeros(4, int),
        "card": np.full(4, 8),
        "channel": np.array([0, 1, 0, 2]),
        "trap_max": np.array([100, 100, math.nan, 100]),
    }
    energies = apply(two_channels(), columns)
    assert list(energies) == ["trap_max_kev"]
    assert energies["trap_max_kev"].tolist()[:1] == [51.0]
    assert np.isnan(energies["trap_max_kev"]).tolist() == [False, True, True, True]


@pytest.mark.parametrize("missing", ["crate", "card", "channel", "trap_max"])
def test_a_missing_column_is_named(missing):
    columns = {name: np.zeros(2, int) for name in ("crate", "card", "channel", "trap_max") if name != missing}
    with pytest.raises(SettingsError, match=f"'{missing}'"):
        apply(two_channels(), columns)
    with pytest.raises(SettingsError, match=f"'{missing}'"):
        calib.calibrate_channels(columns)


def test_the_place_of_a_channel_is_crate_card_and_channel():
    codes = calib.codes_of({"crate": [1, 0], "card": [12, 8], "channel": [1023, 2]})
    assert [calib.place_text(code) for code in codes.tolist()] == ["1/12/1023", "0/8/2"]


def test_a_channel_that_cannot_be_told_does_not_keep_the_others_from_it(source_spectrum):
    thorium = source_spectrum(np.random.default_rng(3), "Th-228", GAIN, 3000)
    dead = np.full(10, 5.0)
    columns = {
        "crate": np.zeros(len(thorium) + 10, int),
        "card": np.full(len(thorium) + 10, 8),
        "channel": np.repeat([0, 1], [len(thorium), 10]),
        "trap_max": np.concatenate([thorium, dead]),
    }
    made = calib.calibrate_channels(columns, THORIUM)
    assert made.channels["0/8/0"].curve is not None
    assert made.channels["0/8/1"].refused.startswith("10 values above 0: too few")


def test_one_line_gives_no_offset(source_spectrum):
    values = source_spectrum(np.random.default_rng(4), "Cs-137", GAIN, 5000)
    recipe = Recipe(("Cs-137",), gain_range=(3.1, 3.5))
    assert calibrate(values, recipe).refused.startswith(
        "1 line has a peak that can be fitted, but a line needs 2"
    )
    one = calibrate(values, dataclasses.replace(recipe, is_through_zero=True))
    assert one.curve.coefficients[0] == 0.0
    assert one.curve.gain == pytest.approx(GAIN, abs=4 * one.curve.gain_error)


def test_a_parabola_is_not_laid_through_two_lines(source_spectrum):
    values = source_spectrum(np.random.default_rng(5), "Co-60", GAIN, 5000)
    refused = calibrate(values, Recipe(("Co-60",), is_quadratic=True)).refused
    assert refused.startswith("2 lines have a peak that can be fitted, but a parabola needs 3")


def test_a_spectrum_that_bends_is_told_and_mended_by_a_parabola(source_spectrum):
    energy = source_spectrum(np.random.default_rng(6), "Eu-152", 1.0, 20_000)
    values = GAIN * energy * (1 + 2e-6 * energy)
    straight = calibrate(values, Recipe(("Eu-152",)))
    assert "the lines scatter more than their errors" in straight.note
    assert "a parabola gives" in straight.note
    bent = calibrate(values, Recipe(("Eu-152",), is_quadratic=True))
    assert bent.note == ""
    assert bent.curve.coefficients[2] == pytest.approx(-2e-6 / GAIN**2, rel=0.15)


def the_line(one, energy_kev):
    (line,) = [line for line in one.lines if line.energy_kev == energy_kev]
    return line


def test_a_weak_neighbour_is_held_at_its_distance(source_spectrum):
    one = calibrate(source_spectrum(np.random.default_rng(7), "Th-228", GAIN, 20_000), THORIUM)
    lead, radium = the_line(one, 238.632), the_line(one, 240.986)
    assert lead.is_used
    assert (lead.fitted_with, lead.disturbed_kev) == ((240.986,), 0.0)
    assert (radium.is_used, radium.note) == (False, "held at its distance from 238.6 keV")
    # 4.12 photons of 240.986 keV to 43.6 of 238.632 keV
    assert radium.area / lead.area == pytest.approx(4.12 / 43.6, abs=4 * radium.area_error / lead.area)


def pulls_of_positions(source, energy_kev, make, n):
    """Positions of a line against the truth, in errors: as calibrated, and fitted as if it stood alone."""
    together, alone = [], []
    for seed in range(n):
        values = make(np.random.default_rng([seed, 5]), source, GAIN, 100_000)
        line = the_line(calibrate(values, Recipe((source,))), energy_kev)
        single = fit_peak(values, GAIN * energy_kev, 9 * GAIN * line.fwhm_kev, n_bins=60)
        together.append((line.position - GAIN * energy_kev) / line.position_error)
        alone.append((single.position - GAIN * energy_kev) / line.position_error)
    return np.array(together), np.array(alone)


@pytest.mark.parametrize(
    ("source", "energy_kev", "least_bias"),
    [
        ("Ba-133", 80.9979, 1.5),
        ("Th-232", 964.766, 20.0),
        ("Ra-226", 1401.515, 20.0),
        ("Th-232", 1592.513, 5.0),
    ],
)
def test_neighbours_fitted_together_pull_no_line(source_spectrum, source, energy_kev, least_bias):
    n = 3
    together, alone = pulls_of_positions(source, energy_kev, source_spectrum, n)
    assert abs(together.mean()) < 3.0 / math.sqrt(n)
    assert abs(together).max() < 4.0
    assert abs(alone.mean()) > least_bias


def test_two_strong_neighbours_have_a_position_each(source_spectrum):
    values = source_spectrum(np.random.default_rng(12), "Th-232", GAIN, 60_000)
    one = calibrate(values, Recipe(("Th-232",)))
    first, second = the_line(one, 964.766), the_line(one, 968.971)
    assert first.is_used and second.is_used
    assert first.energy_kev in second.fitted_with
    # the width they share counts once
    assert (first.is_width_used, second.is_width_used) == (False, True)


def test_what_cannot_be_told_from_a_line_is_stated_as_its_error(source_spectrum):
    values = source_spectrum(np.random.default_rng(12), "Th-232", GAIN, 60_000)
    one = calibrate(values, Recipe(("Th-232",)))
    bismuth = the_line(one, 727.33)
    # 0.62 photons of 726.863 keV to 6.67 of 727.33 keV, a quarter of a width beside it
    assert bismuth.disturbed_kev == pytest.approx((727.33 - 726.863) * 0.62 / (6.67 + 0.62), rel=1e-3)
    assert 726.863 not in [line.energy_kev for line in one.lines]  # too faint to be asked for by itself


def test_the_peak_of_potassium_is_not_taken_for_a_faint_line_of_thorium(source_spectrum):
    thorium = source_spectrum(np.random.default_rng(13), "Th-232", GAIN, 20_000)
    potassium = source_spectrum(np.random.default_rng(14), "K-40", GAIN, 2_000)
    one = calibrate(np.concatenate([thorium, potassium]), Recipe(("Th-232",)))
    assert one.curve is not None
    # Ac-228 has a line of 0.8 photons at 1459.1 keV, 1.7 keV below that of K-40
    assert not [line for line in one.lines if 1455 < line.energy_kev < 1465]


def test_annihilation_and_what_stands_beside_it_is_no_sharp_line(source_spectrum):
    values = source_spectrum(np.random.default_rng(7), "Th-228", GAIN, 60_000)
    one = calibrate(values, Recipe(("Th-228", "annihilation")))
    for line in one.lines:
        if 505 < line.energy_kev < 515:
            assert (line.is_used, line.is_width_used, line.note) == (False, False, "broad"), line


def test_widths_of_escape_peaks_count_only_where_asked(source_spectrum):
    values = source_spectrum(np.random.default_rng(7), "Th-228", GAIN, 60_000)
    plain = calibrate(values, THORIUM)
    asked = calibrate(values, dataclasses.replace(THORIUM, with_escapes=True))
    for one, is_double_used in ((plain, False), (asked, True)):
        double, single = the_line(one, 1592.513), the_line(one, 2103.512)
        assert double.is_used and single.is_used  # their positions are as good as any
        assert (double.is_width_used, single.is_width_used) == (is_double_used, False)
    assert asked.resolution.ndof == plain.resolution.ndof + 1
    assert single.fwhm_kev > 1.2 * float(asked.resolution.fwhm(2103.5))


@pytest.mark.parametrize("source", ["Th-228", "Ra-226", "Eu-152"])
def test_the_lines_lie_on_the_curve_as_their_errors_say(source_spectrum, source):
    chi2 = ndof = 0.0
    for seed in range(4):
        one = calibrate(source_spectrum(np.random.default_rng(seed), source, GAIN, 60_000), Recipe((source,)))
        chi2, ndof = chi2 + one.curve.chi2, ndof + one.curve.ndof
        assert chi2_probability(one.resolution.chi2, one.resolution.ndof) > 1e-4
    assert chi2_probability(chi2, int(ndof)) > 1e-3
    assert chi2 > 0.5 * ndof


def test_a_peak_that_is_not_the_line_is_left_out(source_spectrum):
    def moved(counts, edges):
        found = fit_peak_counts(counts, edges)
        is_it = found.converged and abs(found.position / GAIN - 1764.5) < 5
        return dataclasses.replace(found, position=found.position + 2.5 * GAIN) if is_it else found

    values = source_spectrum(np.random.default_rng(8), "Ra-226", GAIN, 20_000)
    one = calibrate(values, Recipe(("Ra-226",)), fit=moved)
    (line,) = [line for line in one.lines if line.energy_kev == 1764.494]
    assert not line.is_used
    assert line.note.endswith("keV off the others: left out")
    assert one.curve.gain == pytest.approx(GAIN, abs=5 * one.curve.gain_error)


def test_a_line_with_a_small_error_does_not_put_the_others_off(source_spectrum):
    """Of five lines one is off by 1.5 keV and claims to be known best: without it the rest agrees."""

    def moved(counts, edges):
        found = fit_peak_counts(counts, edges)
        is_it = found.converged and abs(found.position / GAIN - 1460.8) < 5
        return (
            dataclasses.replace(found, position=found.position + 1.5 * GAIN, position_error=0.01)
            if is_it
            else found
        )

    rng = np.random.default_rng(8)
    values = [source_spectrum(rng, source, GAIN, 6000) for source in ("Cs-137", "Co-60", "K-40")]
    one = calibrate(np.concatenate(values), Recipe(("Cs-137", "Co-60", "K-40")), fit=moved)
    assert [line.energy_kev for line in one.lines if line.is_used] == [661.657, 1173.228, 1332.492]
    line = the_line(one, 1460.822)
    assert line.residual_kev == pytest.approx(1.5, abs=0.3)
    assert "K-40 1460.8 keV (+1." in one.note
    assert one.note.endswith("keV off the others: left out)")
    assert any("K-40" in words and "+1." in words and "not used" in words for words in report_of(one))


def report_of(one):
    return list(calib.report(Calibration("trap_max", channels=MappingProxyType({"0/0/0": one}))))


def test_a_peak_is_not_taken_for_a_line_whose_neighbour_is_nearer():
    """An escape peak at 1592.5 keV stands where a window around 1588.2 keV holds it."""
    thorium = {line.energy_kev: line for line in lines_of("Th-232")}
    members = [_Sought(thorium[energy], is_main=False, is_asked=True) for energy in (1588.2, 1592.513)]
    expected = _Expected(lambda energy: GAIN * energy, lambda _: GAIN * 2.4, GAIN)
    for energy, is_used in ((1588.9, True), (1592.2, False)):
        found = MatchedLine("Ac-228", 1588.2, 0.1, position=GAIN * energy, is_used=True)
        assert _not_of_another(found, members, expected).is_used == is_used
    assert _not_of_another(found, members, expected).note == "the peak there is that of 1592.5 keV"


def test_a_peak_elsewhere_in_the_window_is_not_taken_for_the_line(source_spectrum):
    def elsewhere(counts, edges):
        found = fit_peak_counts(counts, edges)
        is_it = found.converged and abs(found.position / GAIN - 1238.1) < 5
        return dataclasses.replace(found, position=found.position + 8 * GAIN) if is_it else found

    values = source_spectrum(np.random.default_rng(8), "Ra-226", GAIN, 20_000)
    one = calibrate(values, Recipe(("Ra-226",)), fit=elsewhere)
    (line,) = [line for line in one.lines if line.energy_kev == 1238.11]
    assert (line.is_used, line.note) == (False, "not where it is expected")


def test_a_histogram_gives_the_gain_that_its_values_give(source_spectrum):
    values = source_spectrum(np.random.default_rng(9), "Ra-226", GAIN, 20_000)
    counts, edges = np.histogram(values, bins=12_000, range=(0, 12_000))
    of_counts = calibrate(counts, Recipe(("Ra-226",)), edges=edges).curve
    of_values = calibrate(values, Recipe(("Ra-226",))).curve
    assert of_counts.gain == pytest.approx(of_values.gain, abs=2 * of_values.gain_error)


def test_bins_too_wide_for_a_peak_are_refused_in_words(source_spectrum):
    values = source_spectrum(np.random.default_rng(9), "Ra-226", GAIN, 20_000)
    counts, edges = np.histogram(values, bins=600, range=(0, 12_000))
    assert calibrate(counts, Recipe(("Ra-226",)), edges=edges).refused != ""


def test_the_report_says_lines_widths_confidence_and_rival(source_spectrum):
    values = source_spectrum(np.random.default_rng(10), "Th-228", GAIN, 20_000)
    one = calibrate(values, THORIUM)
    channels = MappingProxyType({"0/8/0": one, "0/8/1": ChannelCalibration(refused="no lines")})
    text = "\n".join(calib.report(Calibration("trap_max", THORIUM, ("run 3",), channels)))
    assert "trap_max_kev of run 3" in text
    assert "channel 0/8/0: Th-228, confidence over 99.99 %" in text
    assert "  Tl-208                    2614.51" in text
    assert re.search(r"FWHM² = \(0\.\d+ ± 0\.\d+\) \+ \(0\.00\d+ ± .*\) E keV², χ² .* of \d+ \(p ", text)
    assert re.search(r"second best: .* at .* trap_max/keV", text)
    assert re.search(r"; 3\.30\d* ± [\d.e-]+ trap_max/keV", text)
    in_counts = "\n".join(calib.report(Calibration("trap_max", THORIUM, ("run 3",), channels), "ADC"))
    assert re.search(r"; 3\.30\d* ± [\d.e-]+ ADC/keV", in_counts)
    assert "          trap_max ADC" in in_counts
    assert "channel 0/8/1: refused: no lines" in text


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.99999, "over 99.99 %"), (0.9952, "99.52 %"), (0.5, "50.00 %")]
)
def test_no_confidence_is_rounded_up_to_certainty(confidence, words):
    assert calib.confidence_words(confidence) == words
