"""Tests the rows that fits are written as."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from pygama.analysis.fit_request import FitRequest
from pygama.analysis.fits import fit_region
from pygama.analysis.region_fit import FittedPeak
from pygama.analysis.trust import Doubt
from pygama_gui.data.fit_rows import COLUMNS, FitRow, as_csv, as_text, drift_words
from pygama_gui.session.state import Fit
from pygama_gui.views.spectrum.fit_curves import peak_words

FIT = Fit("8670 ADC", "trap_max", FitRequest(8500.0, 8800.0, (8670.0,)))


def a_row() -> FitRow:
    rng = np.random.default_rng(3)
    counts, edges = np.histogram(rng.normal(8670, 20, 3000), bins=100, range=(8500, 8800))
    return FitRow("Run 1", FIT, "", fit_region(counts, edges, FIT.request))


def test_a_table_of_fits_can_be_read_again() -> None:
    row = a_row()
    (read,) = csv.DictReader(io.StringIO(as_csv([row])))
    assert tuple(read) == COLUMNS
    assert float(read["position"]) == float(f"{row.peak.position:.8g}")
    assert float(read["area"]) == float(f"{row.peak.area:.8g}")
    assert (read["run"], read["fit"], read["peak"], read["shape"]) == ("Run 1", "8670 ADC", "1", "gauss")


def test_uneven_errors_are_written_as_the_table_shows_them() -> None:
    uneven = FittedPeak(
        3956.12, 0.05, 0.80, 0.09, 1.45, 0.17, 92.0, 9.6, fwhm_errors=(0.061, 0.064), area_errors=(9.0, 10.0)
    )
    row = a_row()
    assert row.found is not None
    row = replace(row, found=replace(row.found, peaks=(uneven,)))
    (read,) = csv.DictReader(io.StringIO(as_csv([row])))
    assert (read["fwhm_error_down"], read["fwhm_error_up"]) == ("0.061", "0.064")
    assert (read["area_error_down"], read["area_error_up"]) == ("9", "10")
    assert (read["position_error_down"], read["position_error_up"]) == ("", "")
    assert peak_words(uneven, "keV") == "3956.12 ± 0.05 keV\nFWHM 0.80 ± 0.06 keV"


@pytest.mark.parametrize(
    ("code", "about", "is_doubtful"),
    [
        ("asymmetric", ("area_1", "sigma"), False),  # both errors are shown
        ("at_limit", ("slope",), False),  # few counts of background
        ("at_limit", ("slope", "sigma"), True),
        ("no_interval", ("position_1",), True),
        ("misfit", (), True),
    ],
)
def test_a_mark_is_for_doubts_about_the_peak(code: str, about: tuple[str, ...], is_doubtful: bool) -> None:
    row = a_row()
    assert row.found is not None
    assert not row.is_doubtful
    doubts = (Doubt(code, about, "said"),)
    row = replace(row, found=replace(row.found, doubts=doubts), note="said")
    assert row.is_doubtful == is_doubtful


def test_a_peak_that_does_not_stand_out_is_marked_however_its_errors_are_told() -> None:
    row = a_row()
    assert row.found is not None
    weak = replace(row.found.peaks[0], area=4.0, area_error=2.0)
    row = replace(row, found=replace(row.found, peaks=(weak,)))
    assert row.is_doubtful


def test_a_fit_that_found_nothing_says_why() -> None:
    row = FitRow("Run 1", FIT, "", note="3 counts: too few, really")
    (read,) = csv.DictReader(io.StringIO(as_csv([row])))
    assert (read["position"], read["note"]) == ("", "3 counts: too few, really")


def test_text_has_a_tab_between_values() -> None:
    assert as_text([]).strip().split("\t") == list(COLUMNS)


def test_a_drift_is_said_with_its_error_and_how_sure_it_is() -> None:
    here = FittedPeak(2000.0, 0.3, 50.0, 3.0, 91.0, 1.0, 100.0, 10.0)
    there = FittedPeak(2004.0, 0.4, 49.0, 4.0, 91.0, 1.0, 100.0, 10.0)
    said = drift_words(here, there, ("Run 2", "Run 1"), "ADC")
    assert said == (
        "Run 2 against Run 1: position −4.0 ± 0.5 ADC (−2.00 ‰, 8.0 σ), "
        "FWHM +1 ± 5 ADC (the same within errors)"
    )
