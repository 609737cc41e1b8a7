"""Draws 1000 regions of each kind for pulls and coverage, and measures times of fits and false peaks.

pytest -m benchmark_suite tests/benchmarks/test_pulls.py

A pull is (value - truth) / error: mean 0 and width 1 where values are unbiased and errors right; coverage is
how many lie within one error, 68.3 % for a Gaussian. Errors are those that the fit states: symmetrical, or
where it doubts them the side of the interval that looks towards the truth. The second figures are those of
`interval` of all parameters.

With few counts some means lie beyond 0.1 whatever the errors: the likeliest width of 150 counts is too small
by 0.13 of its error and the background by 0.10, which is a bias of the likeliest value, by one part in the
number of counts, and not of its error: widths of the pulls and coverage are as they should be. A shape that
is held near what is usual is as far off as the truth lies from that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from pygama.analysis.fit_request import FitRequest
from pygama.analysis.fits import fit_region, fit_values, interval
from pygama.analysis.region_fit import RegionFit
from pygama.analysis.search import find_peaks
from pygama.analysis.shapes import Shape
from pygama.simulate import RegionTruth, draw_region
from pygama.simulate.spectrum import Resolution, compton_density, draw_energies

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(1800)]

N_DRAWN = 1000
N_INTERVALS = 200
LOW, HIGH = 900.0, 1100.0
ONE = FitRequest(LOW, HIGH, (1000.0,), n_bins=100)
TWO = replace(ONE, positions=(988.0, 1010.0))
GAUSS = RegionTruth(LOW, HIGH, ((5000, 1000.0),), 6.0, background=10.0, slope=-0.3)
FEW = replace(GAUSS, peaks=((150, 1000.0),), background=0.5)
HPGE = replace(GAUSS, peaks=((50_000, 1000.0),), step=0.01, tail_fraction=0.25, tail_slope=12.0)
KNOWN_SHAPE = {"tail_fraction": 0.25, "tail_slope": 12.0, "step": 0.01}


@dataclass(frozen=True)
class Case:
    """A kind of region, how it is fitted, and whether its pulls must hold to 0.1."""

    truth: RegionTruth
    request: FitRequest
    is_high: bool = True


CASES = {
    "gauss, 5000 counts": Case(GAUSS, ONE),
    "gauss, 150 counts": Case(FEW, ONE, False),
    "step, 20000 counts": Case(
        replace(GAUSS, peaks=((20_000, 1000.0),), step=0.02), replace(ONE, background="step")
    ),
    "step, 150 counts": Case(replace(FEW, step=0.02), replace(ONE, background="step"), False),
    "hpge, 50000 counts": Case(HPGE, replace(ONE, shape="hpge")),
    "hpge, 10000 counts": Case(replace(HPGE, peaks=((10_000, 1000.0),)), replace(ONE, shape="hpge"), False),
    "hpge, 500 counts, shape free": Case(
        replace(HPGE, peaks=((500, 1000.0),), background=0.5), replace(ONE, shape="hpge"), False
    ),
    "hpge, 200 counts, shape known": Case(
        replace(HPGE, peaks=((200, 1000.0),), background=0.5),
        replace(ONE, shape="hpge", fixed=KNOWN_SHAPE),
        False,
    ),
    "doublet, 5000 and 2500": Case(replace(GAUSS, peaks=((5000, 990.0), (2500, 1008.0))), TWO),
    "doublet, 200 and 120": Case(replace(FEW, peaks=((200, 990.0), (120, 1008.0))), TWO, False),
}


def truths(truth: RegionTruth) -> dict[str, float]:
    shape = Shape(truth.sigma, truth.tail_fraction, truth.tail_slope, truth.step)
    known = {name: getattr(truth, name) for name in ("sigma", *KNOWN_SHAPE, "background", "slope")}
    for i, (area, at) in enumerate(truth.peaks, 1):
        known |= {f"area_{i}": area, f"position_{i}": at}
    return known | {"fwhm": shape.width(0.5), "fwtm": shape.width(0.1)}


def estimates(fit: RegionFit) -> dict[str, tuple[float, tuple[float, float]]]:
    """Give values and errors, down and up, of what was fitted and of the widths of the first peak."""
    found = {
        name: (one.value, one.errors or (one.error, one.error))
        for name, one in fit.parameters.items()
        if one.error > 0
    }
    peak = fit.peaks[0]
    fwhm, fwtm = peak.fwhm_errors or (peak.fwhm_error,) * 2, peak.fwtm_errors or (peak.fwtm_error,) * 2
    return found | {"fwhm": (peak.fwhm, fwhm), "fwtm": (peak.fwtm, fwtm)}


def stated_pull(value: float, errors: tuple[float, float], true: float) -> float:
    """Give how far the truth lies off, in errors on its side; an interval that ends there holds it."""
    side = errors[1] if true > value else errors[0]
    return (value - true) / side if side > 0 else 0.0 if value == true else math.copysign(3.0, value - true)


def likely_pull(fit: RegionFit, name: str, true: float) -> float:
    """Give how far the truth lies off, in units of the side of the interval that looks towards it."""
    low, high = interval(fit, name)
    value = fit.parameters[name].value
    side = high - value if true > value else value - low
    return (value - true) / side if side > 0 else math.copysign(2.0, value - true)


@pytest.mark.parametrize("name", CASES)
def test_pulls_and_coverage(report: Any, name: str) -> None:
    case = CASES[name]
    rng, known = np.random.default_rng(2018), truths(case.truth)
    pulls: dict[str, list[float]] = {}
    likely: dict[str, list[float]] = {}
    n_good, n_at_limit, probabilities, seconds = 0, 0, [], 0.0
    for i in range(N_DRAWN):
        values = draw_region(rng, case.truth)
        began = time.process_time()
        fit = fit_values(values, case.request)
        seconds += time.process_time() - began
        n_good += fit.converged
        if not fit.converged:
            continue
        n_at_limit += any(one.is_at_limit for one in fit.parameters.values())
        probabilities.append(fit.p_value)
        for one, (value, errors) in estimates(fit).items():
            pulls.setdefault(one, []).append(stated_pull(value, errors, known[one]))
            if not case.is_high and i < N_INTERVALS and one in fit.parameters:
                likely.setdefault(one, []).append(likely_pull(fit, one, known[one]))
    report.notes.append(
        f"{name}: {n_good} of {N_DRAWN} fits converged, {n_at_limit} with a parameter at a limit; "
        f"p-value below 0.05 in {100 * np.mean(np.array(probabilities) < 0.05):.1f} %; "
        f"{1e3 * seconds / N_DRAWN:.1f} ms a fit"
    )
    for one, all_pulls in pulls.items():
        report.notes.append(line(one, np.array(all_pulls), np.array(likely.get(one, []))))
    assert n_good > 0.98 * N_DRAWN
    if case.is_high:
        for one, all_pulls in pulls.items():
            assert abs(np.mean(all_pulls)) < 0.1, one
            assert abs(np.std(all_pulls) - 1) < 0.1, one


def line(name: str, pulls: np.ndarray, likely: np.ndarray) -> str:
    words = f"    {name:<14} {figures(pulls)}"
    return words if not len(likely) else f"{words}   interval: {figures(likely[np.isfinite(likely)])}"


def figures(pulls: np.ndarray) -> str:
    inside = 100 * np.mean(np.abs(pulls) <= 1)
    return f"mean {np.mean(pulls):+.3f}  width {np.std(pulls):.3f}  within one error {inside:.1f} %"


def quickest_ms(run: Callable[[], Any], n: int = 60) -> float:
    times = []
    for _ in range(n):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return 1e3 * min(times)


def test_times(report: Any) -> None:
    rng = np.random.default_rng(3)
    for name in ("gauss, 5000 counts", "step, 20000 counts", "hpge, 50000 counts", "doublet, 5000 and 2500"):
        case = CASES[name]
        counts, edges = np.histogram(draw_region(rng, case.truth), 100, (LOW, HIGH))
        spent = quickest_ms(lambda c=counts, e=edges, r=case.request: fit_region(c, e, r))
        report.add(f"one fit of {name}, 100 bins", f"{spent:.1f} ms")
    for n_events in (3000, 1_000_000):
        energies = Resolution().smear(rng, draw_energies(rng, n_events)[0])
        counts, edges = np.histogram(energies, 16_384, (0, 4000))
        for words, fwhm in (("any width", None), ("known width", Resolution().fwhm)):
            spent = quickest_ms(lambda c=counts, e=edges, f=fwhm: find_peaks(c, e, fwhm=f))
            report.add(f"search of 16384 bins, {n_events} events, {words}", f"{spent:.1f} ms", "20 ms")


def test_false_peaks(report: Any) -> None:
    edges = np.linspace(0, 4000, 16_385)
    x = 0.5 * (edges[1:] + edges[:-1])
    smear = np.exp(-0.5 * ((np.arange(61) - 30) / 5.3) ** 2)
    edge = np.convolve(compton_density(x, 2614.511), smear, mode="same")
    backgrounds = {
        "flat, 0.1 a bin": np.full(len(x), 0.1),
        "flat, 1 a bin": np.full(len(x), 1.0),
        "flat, 100 a bin": np.full(len(x), 100.0),
        "falling": 200 * np.exp(-x / 350),
        "Compton, 1e5 counts": 1e5 * edge / edge.sum(),
        "Compton, 1e6 counts": 1e6 * edge / edge.sum(),
        "Compton, 1e7 counts": 1e7 * edge / edge.sum(),
    }
    for name, mean in backgrounds.items():
        rng = np.random.default_rng(4)
        drawn = [rng.poisson(mean) for _ in range(60)]
        rates = [
            sum(len(find_peaks(counts, edges, fwhm=fwhm)) for counts in drawn) / len(drawn)
            for fwhm in (None, Resolution().fwhm)
        ]
        report.add(f"false peaks a spectrum: {name}", f"{rates[0]:.2f} / {rates[1]:.2f} known")
