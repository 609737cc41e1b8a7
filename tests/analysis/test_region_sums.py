import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis import region_sums
from pygama.analysis.fit_request import FitRequest, parameter_names
from pygama.analysis.goodness import deviances
from pygama.analysis.region_model import RegionModel
from pygama.analysis.region_sums import sums_of, sums_plainly

needs_compiled = pytest.mark.skipif(region_sums.compiled is None, reason="the extensions are not built")
LOW, HIGH, N_BINS = 900.0, 1100.0, 40
VALUES = {
    "area": (0.0, 5e4),
    "position": (880.0, 1120.0),
    "sigma": (0.5, 90.0),
    "tail_fraction": (0.0, 1.0),
    "tail_slope": (20.0, 300.0),
    "step": (0.0, 0.5),
    "background": (0.0, 200.0),
    "slope": (-1.0, 1.0),
}


@st.composite
def cases(draw):
    """A model of one to three peaks of any kind, counts, and values within what fits allow."""
    n = draw(st.integers(1, 3))
    request = FitRequest(
        LOW,
        HIGH,
        positions=tuple(np.linspace(950, 1050, n).tolist()),
        shape=draw(st.sampled_from(["gauss", "hpge"])),
        background=draw(st.sampled_from(["linear", "step"])),
        share_width=draw(st.booleans()),
    )
    model = RegionModel(parameter_names(request), np.linspace(LOW, HIGH, N_BINS + 1))
    limits = [VALUES[name.rstrip("_123")] for name in model.names]
    values = np.array([draw(st.floats(*each)) for each in limits])
    counts = np.random.default_rng(draw(st.integers(0, 99))).poisson(draw(st.floats(0, 50)), N_BINS)
    return model, counts.astype(float), values


@needs_compiled
@settings(max_examples=60, deadline=None)
@given(cases())
def test_compiled_sums_are_the_plain_ones(case):
    model, counts, values = case
    quick, plain = sums_of(model, counts)(values), sums_plainly(model, counts, values)
    assert quick.chi2 == pytest.approx(plain.chi2, rel=1e-9, abs=1e-9)
    # each sum is as sure as the largest of its terms, which may take each other away
    expected, gradient = model.expected_and_gradient(values)
    terms = np.abs(gradient * (1 - counts / expected)).max(axis=1)
    assert (np.abs(quick.slope - plain.slope) <= 1e-9 * (terms + 1)).all()
    assert quick.reach == pytest.approx(plain.reach, rel=1e-9, abs=1e-9)
    size = np.sqrt(np.diag(plain.curvature)) + 1e-6
    assert (np.abs(quick.curvature - plain.curvature) <= 1e-9 * np.outer(size, size)).all()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_slope_is_that_of_the_likelihood_ratio(case):
    model, counts, values = case
    sums = sums_plainly(model, counts, values)
    assert sums.chi2 == pytest.approx(deviances(counts, model.expected(values)).sum(), rel=1e-12)
    at = model.names.index("background")  # the ratio is smooth in it
    step = 1e-4 * (1 + values[at])
    ends = [values.copy(), values.copy()]
    ends[0][at] += step
    ends[1][at] += 2 * step
    risen = [sums_plainly(model, counts, one) for one in (values, *ends)]
    by_hand = (risen[2].chi2 - risen[0].chi2) / (2 * step)
    assert min(one.slope[at] for one in risen) - 1e-3 <= by_hand * (1 + 1e-6) + 1e-3
    assert by_hand <= max(one.slope[at] for one in risen) + 1e-3 + 1e-6 * abs(by_hand)


@needs_compiled
def test_values_of_another_model_are_refused():
    names = ("area_1", "position_1", "sigma", "background", "slope")
    model = RegionModel(names, np.linspace(LOW, HIGH, N_BINS + 1))
    with pytest.raises(ValueError, match="5 values are asked for, not 4"):
        sums_of(model, np.ones(N_BINS))(np.ones(4))
    with pytest.raises(ValueError, match="do not belong together"):
        sums_of(model, np.ones(N_BINS - 1))
