"""Each compiled twin gives what its plain function gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.chain import Chain
from pygama.processing.declare import REGISTRY, Values, calculator
from pygama.processing.kernels import twins
from pygama.processing.steps import Step

compiled_only = pytest.mark.skipif(not twins.COMPILED, reason="the twins are not compiled here")
PERIOD_NS = 10.0
TYPES = ["f8", "f8", "u2", "i2", "f4", ">f8", "i4"]


def plain(name: str, arrays: list[np.ndarray], given: dict[str, Any]) -> tuple[np.ndarray, ...]:
    arguments: list[Any] = list(arrays)
    for place, (_, kind) in enumerate(REGISTRY[name].reads):
        if kind == "period":
            arguments.insert(place, PERIOD_NS)
    made = REGISTRY[name].function(*arguments, **REGISTRY[name].check(given))
    return made if isinstance(made, tuple) else (made,)


def twin(name: str, arrays: list[np.ndarray], given: dict[str, Any]) -> tuple[np.ndarray, ...] | None:
    call = twins.twin(name, REGISTRY[name].check(given), arrays, PERIOD_NS)
    if call is None:
        return None
    made = call(*arrays)
    return made if isinstance(made, tuple) else (made,)


def assert_same(name: str, arrays: list[np.ndarray], given: dict[str, Any], *, reach: float = 0.0) -> None:
    """Compare a twin with its plain function: to the last bit, or to 1e-9 of `reach`."""
    made, expected = twin(name, arrays, given), plain(name, arrays, given)
    assert made is not None
    assert len(made) == len(expected)
    for one, other in zip(made, expected, strict=True):
        assert one.dtype == other.dtype
        assert one.flags.c_contiguous
        assert np.array_equal(np.isnan(one), np.isnan(other))
        if reach:
            assert np.allclose(one, other, rtol=0, atol=1e-9 * reach, equal_nan=True)
        else:
            assert np.array_equal(one, other, equal_nan=True)


def largest(waves: np.ndarray) -> float:
    finite = np.abs(waves[np.isfinite(waves)].astype(float))
    return max(float(finite.max(initial=0.0)), 1.0)


@st.composite
def waves(
    draw: st.DrawFn, *, types: list[str] = TYPES, n_samples: tuple[int, int] = (1, 700), broken: bool = True
) -> np.ndarray:
    """Make noise, pulses or levels of any type, laid out in any way, now and then with NaN and infinity."""
    sample_type = np.dtype(draw(st.sampled_from(types)))
    n_rows, length = draw(st.integers(1, 20)), draw(st.integers(*n_samples))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["noise", "pulse", "whole", "level", "few"]))
    made = rng.normal(0, 3, (n_rows, length))
    if kind == "pulse":
        begin = rng.integers(0, length + 1, (n_rows, 1))
        since = np.arange(length) - begin
        made += 1000 + np.where(since >= 0, 5000 * np.exp(-np.maximum(since, 0) / 200), 0)
    elif kind == "level":
        made[...] = rng.normal(0, 100, (n_rows, 1))
    elif kind == "few":
        made = rng.integers(0, 3, (n_rows, length)).astype(float)
    if kind == "whole" or sample_type.kind in "iu":
        made = np.rint(made * 10)
    if sample_type.kind == "u":
        made = np.abs(made)
    made = made.astype(sample_type)
    if broken and sample_type.kind == "f" and draw(st.booleans()):
        for value in draw(st.lists(st.sampled_from([np.nan, np.inf, -np.inf]), min_size=1, max_size=3)):
            made[rng.integers(n_rows), rng.integers(length)] = value
    return _laid_out(draw(st.sampled_from(["tight", "apart", "backwards", "scattered"])), made)


def _laid_out(way: str, made: np.ndarray) -> np.ndarray:
    if way == "apart":
        wide = np.zeros((len(made), made.shape[1] + 5), made.dtype)
        wide[:, 2:-3] = made
        made = wide[:, 2:-3]
    elif way == "backwards":
        made = made[::-1]
    elif way == "scattered":
        made = np.repeat(made, 2, axis=1)[:, ::2]
    made.flags.writeable = False
    return made


def _rows(draw: st.DrawFn, n_rows: int, low: float, high: float) -> np.ndarray:
    values = draw(st.sampled_from(["f8", "f4"]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    made = rng.uniform(low, high, n_rows).astype(values)
    if draw(st.booleans()):
        made[rng.integers(n_rows)] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    return made


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_the_baseline_is_taken_away_to_the_last_bit(data):
    made = data.draw(waves())
    lines = [_rows(data.draw, len(made), -9000, 9000), _rows(data.draw, len(made), -1, 1)]
    assert_same("bl_subtract", [made, *lines], {})


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=80)
def test_trapezoids_are_the_same_to_the_last_bit(data):
    made = data.draw(waves())
    n_samples = made.shape[1]
    shape = {"rise": data.draw(st.integers(1, n_samples)), "flat": data.draw(st.integers(0, 2 * n_samples))}
    assert_same("trap_filter", [made], shape)


@compiled_only
@given(waves(), st.floats(1e-3, 1e6))
@settings(deadline=None, max_examples=60)
def test_pole_zero_is_the_same_to_the_last_bit(made, tau):
    assert_same("pole_zero", [made], {"tau": tau})


@compiled_only
@given(waves(n_samples=(1, 200)), st.floats(1e-3, 1e5), st.floats(1e-3, 1e5), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_double_pole_zero_is_the_same_to_the_last_bit(made, tau, tau2, fraction):
    assert_same("double_pole_zero", [made], {"tau": tau, "tau2": tau2, "fraction": fraction})


@compiled_only
@pytest.mark.parametrize("name", ["trap_max", "a_max"])
@given(waves(types=["f8"]))
@settings(deadline=None, max_examples=40)
def test_maxima_are_the_same(name, made):
    assert_same(name, [made], {})


@compiled_only
@pytest.mark.parametrize("name", ["wf_max", "wf_min"])
@given(waves())
@settings(deadline=None, max_examples=60)
def test_extremes_and_their_times_are_the_same(name, made):
    assert_same(name, [made], {})


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=80)
def test_asymmetric_trapezoids_are_the_same_to_the_last_bit(data):
    made = data.draw(waves())
    lengths = st.integers(1, made.shape[1])
    shape = {"rise": data.draw(lengths), "fall": data.draw(lengths)}
    assert_same("asym_trap_filter", [made], {**shape, "flat": data.draw(st.integers(0, 2 * made.shape[1]))})


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_moving_windows_are_the_same_to_the_last_bit(data):
    made = data.draw(waves(n_samples=(1, 300)))
    shape = {"length": data.draw(st.integers(1, made.shape[1])), "passes": data.draw(st.integers(1, 4))}
    assert_same("moving_window", [made], shape)


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_smoothing_is_the_same(data):
    made = data.draw(waves(n_samples=(1, 200)))
    length = data.draw(st.integers(0, (made.shape[1] - 1) // 2)) * 2 + 1
    order = data.draw(st.integers(0, min(length - 1, 8)))
    assert_same("savitzky_golay", [made], {"length": length, "order": order}, reach=largest(made))


@compiled_only
@given(waves(), st.data())
@settings(deadline=None, max_examples=60)
def test_the_derivative_and_the_current_are_the_same_to_the_last_bit(made, data):
    assert_same("derivative", [made], {})
    assert_same("current", [made], {"length": data.draw(st.integers(1, made.shape[1]))})


@st.composite
def stretches(draw: st.DrawFn, n_samples: int, least: int = 1) -> dict[str, Any]:
    begin = draw(st.integers(0, n_samples - least))
    return {"i_start": begin, "i_end": draw(st.integers(begin + least, n_samples))}


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_means_and_noise_are_the_same_to_the_last_bit(data):
    made = data.draw(waves(types=["f8"]))
    stretch = data.draw(stretches(made.shape[1]))
    assert_same("avg_baseline", [made], stretch)
    assert_same("noise_rms", [made], stretch)


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=80)
def test_fits_of_the_baseline_are_the_same(data):
    made = data.draw(waves())
    stretch = data.draw(stretches(made.shape[1]))
    n_fitted = stretch["i_end"] - stretch["i_start"]
    fit = {**stretch, "order": data.draw(st.integers(0, min(n_fitted - 1, 8)))}
    # A polynomial runs away beyond the stretch that it was fitted to.
    reach = largest(made) * (1 + 2 * stretch["i_end"] / n_fitted) ** fit["order"] * n_fitted
    assert_same("fit_baseline", [made], fit, reach=reach)
    if fit["order"] < n_fitted - 1:
        assert_same("baseline_rms", [made], fit, reach=largest(made))


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_polynomials_are_taken_away_in_the_same_way(data):
    made = data.draw(waves())
    n_samples = made.shape[1]
    stretch = data.draw(stretches(n_samples))
    n_fitted = stretch["i_end"] - stretch["i_start"]
    fit = {**stretch, "order": data.draw(st.integers(0, min(n_fitted - 1, 3)))}
    reach = largest(made) * (1 + 2 * n_samples / n_fitted) ** fit["order"]
    assert_same("bl_subtract_polynomial", [made], fit, reach=reach)


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_robust_baselines_are_the_same(data):
    made = data.draw(waves(n_samples=(16, 400)))
    stretch = data.draw(stretches(made.shape[1], least=16))
    fit = {**stretch, "n_sigma": data.draw(st.floats(0, 10))}
    reach = largest(made) * (1 + made.shape[1] / (stretch["i_end"] - stretch["i_start"]))
    assert_same("robust_baseline", [made], fit, reach=reach)


@compiled_only
@given(waves(types=["u2", "i2", "f8"]), st.data())
@settings(deadline=None, max_examples=80)
def test_samples_at_the_ends_of_the_range_are_counted_alike(made, data):
    bounds = st.one_of(st.none(), st.integers(-3, 3), st.integers(-70000, 70000))
    assert_same("saturation", [made], {"low": data.draw(bounds), "high": data.draw(bounds)})


@compiled_only
def test_a_record_longer_than_a_counter_is_counted_whole():
    made = np.zeros((2, 100_000), np.uint16)
    made[1, :70_000] = 65535
    low, high, _ = twin("saturation", [made], {}) or ()
    assert low.tolist() == [100_000, 30_000]
    assert high.tolist() == [0, 70_000]


@compiled_only
@given(waves(types=["f8", "u2", "i2"]), st.floats(0, 8), st.integers(1, 900))
@settings(deadline=None, max_examples=80)
def test_pulses_are_counted_alike(made, n_sigma, gap):
    assert_same("count_pulses", [made], {"n_sigma": n_sigma, "gap": gap})


@compiled_only
@given(waves())
@settings(deadline=None, max_examples=80)
def test_time_points_are_the_same_to_the_last_bit(made):
    assert_same("time_points", [made], {})


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=80)
def test_the_beginning_is_found_alike(data):
    made = data.draw(waves())
    stretch = data.draw(stretches(made.shape[1]))
    assert_same("t0", [made], {**stretch, "n_sigma": data.draw(st.floats(0, 9))})


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_heights_and_tails_after_a_time_are_the_same(data):
    made = data.draw(waves())
    n_samples = made.shape[1]
    times = _rows(data.draw, len(made), -PERIOD_NS, n_samples * PERIOD_NS).astype("f8")
    assert_same("fixed_time_pickoff", [made, times], {"delay": data.draw(st.integers(0, n_samples))})
    length = data.draw(st.integers(1, max(n_samples // 3, 1)))
    tail = {"delay": data.draw(st.integers(0, n_samples // 3)), "length": length}
    assert_same("tail_slope", [made, times], tail, reach=largest(made))


@compiled_only
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_spoils_the_same_tails_wherever_it_lies(value):
    made = np.random.default_rng(8).normal(0, 1, (40, 40))
    np.fill_diagonal(made, value)
    times = np.full(40, 5 * PERIOD_NS)
    assert_same("tail_slope", [made, times], {"delay": 4, "length": 8}, reach=10)


@compiled_only
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_ratios_are_the_same(data):
    pairs = [_rows(data.draw, 7, -5, 100).astype("f8"), _rows(data.draw, 7, -5, 100)]
    assert_same("a_over_e", pairs, {})


@compiled_only
@given(st.integers(1, 900), st.integers(0, 2**32 - 1), st.sampled_from(["noise", "few", "sorted", "heavy"]))
@settings(deadline=None, max_examples=150)
def test_medians_are_those_of_numpy(n_samples, seed, kind):
    rng = np.random.default_rng(seed)
    made = rng.normal(0, 1, (2, n_samples))
    if kind == "few":
        made = np.rint(made)
    elif kind == "sorted":
        made.sort(axis=1)
    elif kind == "heavy":
        made[:, : n_samples * 2 // 3] = 0.25
    middle = np.median(made, axis=1)
    noise = 1.4826 * np.median(np.abs(made - middle[:, None]), axis=1)
    # No sample is above 0 times the noise over the median but those above the median.
    for n_sigma in (0.0, 1.0):
        expected = (made > (middle + n_sigma * noise)[:, None]).astype(float)
        begins = np.diff(expected, axis=1, prepend=0) > 0
        found = twin("count_pulses", [made], {"n_sigma": n_sigma, "gap": 1})
        assert found is not None
        assert found[0].tolist() == begins.sum(axis=1).tolist()


@compiled_only
def test_of_whole_numbers_the_maximum_keeps_its_type():
    assert twin("trap_max", [np.ones((2, 5), np.uint16)], {}) is None


@compiled_only
@pytest.mark.parametrize("name", ["cusp_filter", "zac_filter"])
@given(st.data())
@settings(deadline=None, max_examples=80)
def test_cusps_are_the_same(name, data):
    made = data.draw(waves())
    n_samples = made.shape[1]
    shortest = 1 if name == "cusp_filter" else 2
    if n_samples < shortest:
        return
    rise = data.draw(st.integers(shortest, n_samples))
    flat = data.draw(st.integers(0, 2 * n_samples))
    sigma = data.draw(st.floats(1e-3, 50.0 * rise))
    assert_same(name, [made], {"rise": rise, "flat": flat, "sigma": sigma}, reach=largest(made))


@compiled_only
def test_a_cusp_with_nearly_straight_flanks_is_left_to_the_plain_function():
    made = np.zeros((3, 90))
    assert twin("cusp_filter", [made], {"rise": 10, "flat": 2, "sigma": 501.0}) is None
    assert twin("cusp_filter", [made], {"rise": 10, "flat": 2, "sigma": 500.0}) is not None


@compiled_only
def test_a_row_gets_the_same_whichever_rows_lie_beside_it():
    made = np.random.default_rng(4).normal(0, 50, (13, 333))
    cusp = {"rise": 40, "flat": 9, "sigma": 12.0}
    for name, given_settings in [
        ("trap_filter", {"rise": 40, "flat": 9}),
        ("double_pole_zero", {}),
        ("cusp_filter", cusp),
        ("zac_filter", cusp),
    ]:
        together = twin(name, [made], given_settings)
        for row in range(len(made)):
            alone = twin(name, [made[row : row + 1]], given_settings)
            assert np.array_equal(alone[0][0], together[0][row])


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("trap_filter", {"rise": 51}),
    ("asym_trap_filter", {"rise": 5, "fall": 51}),
    ("asym_trap_filter", {"rise": 51, "fall": 5}),
    ("cusp_filter", {"rise": 51}),
    ("zac_filter", {"rise": 51}),
    ("moving_window", {"length": 51}),
    ("current", {"length": 51}),
    ("savitzky_golay", {"length": 4}),
    ("savitzky_golay", {"length": 3, "order": 3}),
    ("savitzky_golay", {"length": 51}),
    ("avg_baseline", {"i_end": 51}),
    ("fit_baseline", {"i_start": 9, "i_end": 9}),
    ("fit_baseline", {"i_start": 8, "i_end": 9, "order": 1}),
    ("baseline_rms", {"i_start": 7, "i_end": 9, "order": 1}),
    ("robust_baseline", {"i_end": 15}),
    ("noise_rms", {"i_end": 51}),
    ("t0", {"i_end": 51}),
    ("bl_subtract_polynomial", {"i_end": 51}),
    ("bl_subtract_polynomial", {"i_end": 2, "order": 2}),
]


@compiled_only
def test_a_twin_refuses_what_its_plain_function_refuses_in_the_same_words():
    made = np.ones((2, 50))
    for name, wrong in WRONG:
        with pytest.raises(SettingsError) as expected:
            plain(name, [made], wrong)
        with pytest.raises(type(expected.value)) as caught:
            twin(name, [made], wrong)
        assert str(caught.value) == str(expected.value)


def test_without_compiled_twins_there_are_none(monkeypatch):
    monkeypatch.setattr(twins, "COMPILED", False)
    assert twin("trap_filter", [np.ones((2, 50))], {"rise": 5}) is None


@compiled_only
def test_samples_that_are_no_numbers_are_left_to_the_plain_function():
    for sample_type in ("O", "c16", "g", "?"):
        assert twin("trap_filter", [np.ones((2, 50), sample_type)], {"rise": 5}) is None


@compiled_only
def test_a_processor_of_ones_own_under_a_known_name_has_no_twin():
    before = dict(REGISTRY)

    @calculator(trap_max="adc")
    def trap_max(wf_trap: Values) -> Values:
        return wf_trap

    try:
        assert twins.twin("trap_max", {}, [np.ones((2, 5))]) is None
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)


@compiled_only
def test_a_chain_uses_twins_where_nothing_is_fused():
    rows = np.zeros(9, [("period_ns", "f8")])
    steps = [Step("fit_baseline", {"i_end": 50}), Step("bl_subtract"), Step("trap_filter", {"rise": 20})]
    block = Block("made_up", rows, np.arange(900, dtype=np.uint16).reshape(9, 100))
    chain = Chain([*steps, Step("trap_max")], keep=["wf_blsub", "wf_trap"])
    used = [operation.call.__module__ for operation in chain.plan(block, None).operations]
    assert used[1:] == [twins.__name__] * 3
    expected = Chain(chain.steps, keep=["wf_blsub", "wf_trap"], fused=False).run(block)
    for name, array in chain.run(block).items():
        assert np.allclose(array, expected[name], rtol=0, atol=1e-9 * 900), name


@compiled_only
@pytest.mark.parametrize(
    "waves_given", [np.ones((2, 8, 2)), np.ones(8), np.ones((2, 0)), np.ones((2, 8), "i4")]
)
def test_the_kernels_refuse_what_would_lead_them_out_of_their_arrays(waves_given):
    with pytest.raises(ValueError):
        twins.compiled.trapezoids(waves_given, 2, 2)


@compiled_only
def test_the_kernels_refuse_too_few_values_and_too_long_a_rise():
    with pytest.raises(ValueError, match="each row"):
        twins.compiled.subtract_lines(np.ones((2, 8)), np.ones(1), np.ones(2))
    with pytest.raises(ValueError, match="no longer"):
        twins.compiled.trapezoids(np.ones((2, 8)), 9, 0)
