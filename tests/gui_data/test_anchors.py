"""Tests that the peak to follow is found and fitted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pygama.analysis.peaks import FWHM_PER_SIGMA, PeakFit
from pygama_gui.data.anchors import (
    THALLIUM,
    Anchor,
    FineCounts,
    Fits,
    at_line,
    find_anchor,
    peak_of,
    series_of_fits,
)
from pygama_gui.data.slices import Slices
from pygama_gui.data.trends import Asked, Trender


def test_the_peak_has_position_and_width_with_errors() -> None:
    rng = np.random.default_rng(3)
    rows = {"time_s": rng.uniform(0.0, 100.0, 20_000), "trap_max": rng.normal(700.0, 2.0, 20_000)}
    asked = Asked(width=10.0, line=(680.0, 720.0), peak_column="trap_max")
    trends = Trender().follow("run", rows, None, asked)
    position, width = trends.of("position"), trends.of("width")
    assert position is not None
    assert width is not None
    assert np.abs((position.values - 700.0) / position.errors).max() < 4
    assert position.errors == pytest.approx(2.0 / math.sqrt(2000), rel=0.1)
    assert np.abs(width.values - 2.0 * FWHM_PER_SIGMA).max() < 4 * width.errors.max()


def test_the_thallium_line_is_known_by_its_chain() -> None:
    rng = np.random.default_rng(5)
    lines = [rng.normal(14.7 * kev, 12.0, 400) for kev in (238.632, 583.187, 911.204, 2614.511)]
    values = np.concatenate([*lines, rng.uniform(500.0, 42_000.0, 3000)])
    anchor = find_anchor(values, "trap_max")
    assert anchor is not None
    assert anchor.name == THALLIUM
    assert anchor.low < 14.7 * 2614.511 < anchor.high


def test_a_chosen_line_of_heights_that_is_thallium_has_its_name() -> None:
    rng = np.random.default_rng(5)
    lines = [rng.normal(14.7 * kev, 12.0, 400) for kev in (238.632, 583.187, 911.204, 2614.511)]
    values = np.concatenate([*lines, rng.uniform(500.0, 42_000.0, 3000)])
    places = {kev: (14.7 * kev - 300, 14.7 * kev + 300) for kev in (583.187, 2614.511)}
    names = [getattr(at_line(values, "trap_max", place), "name", None) for place in places.values()]
    assert names == ["", THALLIUM]
    fine = FineCounts(*np.histogram(values, 40_000, (0.0, 50_000.0))[:1], 0.0, 50_000.0)
    anchor = fine.find_anchor("trap_max", places[2614.511])
    assert anchor is not None
    assert anchor.name == THALLIUM


def test_a_peak_that_no_chain_explains_has_no_name() -> None:
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.normal(9000.0, 10.0, 2000), rng.uniform(500.0, 12_000.0, 3000)])
    anchor = find_anchor(values, "trap_max")
    assert anchor is not None
    assert anchor.name == ""
    assert anchor.low < 9000.0 < anchor.high


@pytest.mark.parametrize(
    ("column", "at", "name"),
    [
        ("trap_max_kev", 1460.5, "K-40 1460.8 keV"),
        ("trap_max_kev", 2614.8, "Tl-208 2614.5 keV"),
        ("trap_max_kev", 1500.0, ""),
        ("trap_max", 1460.5, ""),
    ],
)
def test_a_chosen_line_of_energies_has_the_name_of_a_usual_line(column: str, at: float, name: str) -> None:
    values = np.random.default_rng(1).normal(at, 1.3, 2000)
    anchor = at_line(values, column, (at - 15, at + 15))
    assert anchor is not None
    assert anchor.name == name


def test_a_chosen_line_of_a_few_dozen_events_is_followed() -> None:
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(9000.0, 20.0, 35), rng.exponential(2000.0, 230)])
    assert at_line(values, "trap_max", (8760.0, 9240.0)) == Anchor("trap_max", 8760.0, 9240.0)


def test_a_window_that_is_far_wider_than_its_peak_is_narrowed_so_that_slices_tell_the_width() -> None:
    values = np.random.default_rng(3).normal(43_640.0, 2.0, 1400)
    anchor = at_line(values, "trap_max", (43_440.0, 43_840.0))
    assert anchor is not None
    assert anchor.low < 43_630.0
    assert anchor.high > 43_650.0
    slices = Slices(np.linspace(0.0, 10.0, 1400, endpoint=False), 1.0, (0.0, 10.0), is_growing=False)
    _, width = peak_of(slices, values, anchor, "ADC", Fits())
    assert np.median(width.values[:10]) == pytest.approx(2.0 * 2.355, rel=0.1)


def test_a_chosen_line_where_nothing_stands_out_is_not_followed() -> None:
    values = np.random.default_rng(2).uniform(8000.0, 10_000.0, 2000)
    assert at_line(values, "trap_max", (8760.0, 9240.0)) is None


def test_a_chosen_line_of_counted_energies_has_the_name_of_a_usual_line() -> None:
    counts, edges = np.histogram(np.random.default_rng(1).normal(1460.8, 1.3, 2000), 8000, (0.0, 3000.0))
    fine = FineCounts(counts[None, :], float(edges[0]), float(edges[-1]))
    anchor = fine.total().find_anchor("trap_max_kev", (1446.0, 1476.0))
    assert anchor is not None
    assert anchor.name == "K-40 1460.8 keV"


def test_a_width_whose_error_is_as_large_as_a_third_of_it_is_not_told() -> None:
    anchor = Anchor("trap_max", 660.0, 740.0)
    slices = Slices(np.array([0.5, 1.5]), 1.0, (0.0, 2.0), is_growing=True)
    fits = [
        PeakFit((660.0, 740.0), 40, 700.0, 4.0, 31.0, 14.0, 12.0, 4.0, converged=True),
        PeakFit((660.0, 740.0), 40, 701.0, 3.0, 20.0, 5.0, 30.0, 6.0, converged=True),
    ]
    position, width = series_of_fits(slices, 1, fits, anchor, "ADC")
    assert position.values.tolist() == [700.0, 701.0]
    assert np.isnan(width.values[0])
    assert width.values[1] == 20.0
    _, width = series_of_fits(slices, 2, fits[:1], anchor, "ADC")
    assert width.note == "too few events to tell the width"
