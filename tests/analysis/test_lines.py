import json
from pathlib import Path

import pytest

from pygama import resources
from pygama.analysis.lines import GAMMA_LINES, lines_of, source_of, sources
from pygama.errors import SettingsError


def energies(*names, **options):
    return [line.energy_kev for line in lines_of(names, **options)]


def test_lines_come_in_order_of_energy():
    energies = [line.energy_kev for line in GAMMA_LINES]
    assert sorted(energies) == energies
    assert len(set(energies)) == len(energies)


def test_the_sources_that_laboratories_use_are_known():
    names = {source.name for source in sources()}
    assert {
        "Th-228",
        "Co-60",
        "Ba-133",
        "Cs-137",
        "K-40",
        "Eu-152",
        "Ra-226",
        "annihilation",
        "pulser",
    } <= names


def test_every_line_says_where_it_is_from_and_how_well_it_is_known():
    for line in GAMMA_LINES:
        assert line.reference.startswith(("ENSDF, ", "DDEP, ", "CODATA, ")), line
        is_weak = line.intensity is not None and line.intensity < 0.1
        assert 0 < line.energy_error_kev <= (0.5 if is_weak else 0.2), line
        assert line.intensity is None or 0 < line.intensity_error < line.intensity < 101, line


def stored_lines():
    nuclides = json.loads(Path(resources.__path__[0], "lines.json").read_text())["nuclides"]
    return [(name, line) for name, nuclide in nuclides.items() for line in nuclide["lines"]]


def test_a_second_evaluation_lies_within_the_error():
    n_compared = 0
    for name, line in stored_lines():
        for what in ("energy_kev", "intensity"):
            second, error = line.get(f"second_{what}"), f"{what.replace('_kev', '')}_error"
            error += "_kev" if what == "energy_kev" else ""
            if second is not None:
                n_compared += 1
                assert abs(line[what] - second) <= line[error] + 1e-9, (name, line)
    assert n_compared > 90


def test_a_level_of_bismuth_212_gives_the_line_that_leads_from_it():
    # 893.408 keV leads from the level at 1620.738 keV to that at 727.330 keV.
    (line,) = [line for line in lines_of("Th-228") if 1600 < line.energy_kev < 1650]
    assert pytest.approx(line.energy_kev, abs=0.01) == 893.408 + 727.330


@pytest.mark.parametrize(
    ("source", "near"),
    [
        ("Ba-133", 79.6142),
        ("Eu-152", 1089.737),
        ("Th-232", 964.766),
        ("Th-232", 1588.2),
        ("Ra-226", 1401.515),
    ],
)
def test_neighbours_that_disturb_a_line_are_known(source, near):
    assert near in energies(source)


def test_intensities_of_a_chain_are_of_decays_of_its_head():
    # 85.0 in 100 decays of Tl-208, which 35.94 of 100 decays lead to
    (line,) = [line for line in lines_of("Th-228") if line.energy_kev == 583.187]
    assert pytest.approx(line.intensity) == 85.0 * 0.3594


def test_escape_peaks_are_computed_and_not_stored():
    stored = Path(resources.__path__[0], "lines.json").read_text()
    assert "1592.5" not in stored
    (double,) = [line for line in lines_of("Th-228") if line.escapes == 2]
    assert (double.origin, double.energy_kev, double.intensity) == ("Tl-208 double escape", 1592.513, None)


def test_weak_lines_are_left_out_where_that_is_asked_for():
    assert energies("Co-60", min_intensity=1.0) == [1173.228, 1332.492]
    assert energies("Ba-133", min_intensity=10.0) == [80.9979, 302.8508, 356.0129]


def test_lines_that_two_sources_share_come_once():
    assert energies("Th-228", "Th-232") == energies("Th-232")


def test_a_pulser_has_no_line_of_its_own():
    assert source_of("pulser").lines == ()


def test_a_source_is_found_however_it_is_capitalised():
    assert source_of(" co-60").name == "Co-60"


def test_an_unknown_source_is_refused_with_those_that_are_known():
    with pytest.raises(SettingsError, match="'Co-57' is not known; known are Th-228"):
        lines_of("Co-57")


def test_the_file_of_lines_ships_with_the_program():
    project = Path(resources.__path__[0]).parent / "pyproject.toml"
    if not project.exists():
        pytest.skip("this is no checkout")
    assert '"lines.json"' in project.read_text()
    assert json.loads(Path(resources.__path__[0], "lines.json").read_text())["version"] == 1
