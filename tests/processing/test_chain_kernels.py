"""The compiled kernels give what the plain functions give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.block import Block
from pygama.processing.kernels import chain as kernels
from pygama.processing.plan import Chain
from pygama.processing.steps import Step

pytestmark = pytest.mark.skipif(not kernels.COMPILED, reason="the kernels are not compiled here")


def block_of(waveforms: np.ndarray, **columns: np.ndarray) -> Block:
    rows = np.zeros(len(waveforms), [("event_number", "i8"), *((name, "f8") for name in columns)])
    for name, values in columns.items():
        rows[name] = values
    return Block("made_up", rows, waveforms)


def strided(waveforms: np.ndarray, gap: int, shift: int) -> np.ndarray:
    """Lay rows into a larger buffer, `gap` bytes apart, from an address that is `shift` bytes off."""
    n_rows, n_samples = waveforms.shape
    stride = n_samples * 2 + gap
    buffer = np.zeros(n_rows * stride + shift + 8, np.uint8)
    view = np.ndarray(waveforms.shape, waveforms.dtype, buffer, offset=shift, strides=(stride, 2))
    view[...] = waveforms
    buffer.flags.writeable = False
    return np.ndarray(waveforms.shape, waveforms.dtype, buffer, offset=shift, strides=(stride, 2))


def both(steps: list[Step], block: Block) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    fused = Chain(steps).plan(block, None)
    assert any(operation.call.__module__ == kernels.__name__ for operation in fused.operations)
    return fused.run(block), Chain(steps, fused=False).run(block)


def assert_equal(steps: list[Step], block: Block) -> None:
    fused, plain = both(steps, block)
    assert block.waveforms is not None
    largest = max(float(np.abs(block.waveforms.astype(float)).max()), 1.0)
    assert list(fused) == list(plain)
    for name in plain:
        assert np.allclose(fused[name], plain[name], rtol=0, atol=1e-9 * largest, equal_nan=True), name


@st.composite
def waves(draw: st.DrawFn) -> np.ndarray:
    sample_type = np.dtype(draw(st.sampled_from(["u2", "i2"])))
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 300))
    limits = np.iinfo(sample_type)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["any", "pulse", "extreme"]))
    if kind == "any":
        made = rng.integers(limits.min, limits.max + 1, shape)
    elif kind == "extreme":
        made = rng.choice([limits.min, limits.max], shape)
    else:
        made = rng.integers(-5, 6, shape) + 1000
        made[:, shape[1] // 2 :] += rng.integers(0, 30000, (shape[0], 1))
    return strided(made.astype(sample_type), draw(st.integers(0, 9)), draw(st.integers(0, 3)))


@st.composite
def stretches(draw: st.DrawFn, n_samples: int) -> dict[str, int]:
    begin = draw(st.integers(0, n_samples - 1))
    return {"i_start": begin, "i_end": draw(st.integers(begin + 1, n_samples))}


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_baseline_kernels_equal_their_plain_twins(data):
    waveforms = data.draw(waves())
    stretch = data.draw(stretches(waveforms.shape[1]))
    order = data.draw(st.integers(0, min(1, stretch["i_end"] - stretch["i_start"] - 1)))
    steps = [Step("avg_baseline", stretch), Step("fit_baseline", {**stretch, "order": order})]
    fused, plain = both(steps, block_of(waveforms))
    reach = waveforms.shape[1] / (stretch["i_end"] - stretch["i_start"])
    assert np.allclose(fused["bl_avg"], plain["bl_avg"], rtol=0, atol=1e-9)
    assert np.allclose(fused["bl_int"], plain["bl_int"], rtol=0, atol=1e-9 * 65535 * reach)
    assert np.allclose(fused["bl_slope"], plain["bl_slope"], rtol=0, atol=1e-9 * 65535 * reach)


@given(st.data())
@settings(deadline=None, max_examples=120)
def test_the_trapezoid_kernel_equals_its_plain_twin(data):
    waveforms = data.draw(waves())
    n_samples = waveforms.shape[1]
    steps = [Step("bl_subtract")]
    if data.draw(st.booleans()):
        steps.append(Step("pole_zero", {"tau": data.draw(st.floats(5, 1e6))}))
    shape = {"rise": data.draw(st.integers(1, n_samples)), "flat": data.draw(st.integers(0, 2 * n_samples))}
    steps += [Step("trap_filter", shape), Step("trap_max")]
    values = st.floats(-66000, 66000)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    line = {
        "bl_int": np.full(len(waveforms), data.draw(values)) + rng.normal(0, 1, len(waveforms)),
        "bl_slope": rng.normal(0, 1, len(waveforms)),
    }
    fused, plain = both(steps, block_of(waveforms, **line))
    assert len(Chain(steps).plan(block_of(waveforms, **line), None).operations) == 1
    reach = 65535 + 66000 + 10 * n_samples
    if len(steps) == 4:
        reach *= 1 + n_samples / 5
    assert np.allclose(fused["trap_max"], plain["trap_max"], rtol=0, atol=1e-9 * reach)


@pytest.mark.parametrize("sample_type", ["u2", "i2"])
@pytest.mark.parametrize("n_samples", [2000, 32000, 40000])
@pytest.mark.parametrize("between", [[], [Step("pole_zero")]], ids=["plain", "pole_zero"])
def test_long_waveforms_of_the_largest_samples_do_not_overflow(sample_type, n_samples, between):
    largest = np.iinfo(sample_type).max
    waveforms = np.full((2, n_samples), largest, sample_type)
    waveforms[1, : n_samples // 2] = np.iinfo(sample_type).min
    rise = n_samples // 4
    steps = [
        Step("fit_baseline", {"i_end": n_samples // 2}),
        Step("bl_subtract"),
        *between,
        Step("trap_filter", {"rise": rise}),
        Step("trap_max"),
    ]
    assert_equal(steps, block_of(waveforms))


def test_a_rise_beyond_what_the_kernel_can_sum_is_left_to_the_plain_functions():
    waveforms = np.full((1, 40000), 65535, np.uint16)
    columns = {"bl_int": np.zeros(1), "bl_slope": np.zeros(1)}
    steps = [Step("bl_subtract"), Step("trap_filter", {"rise": 32768}), Step("trap_max")]
    plan = Chain(steps).plan(block_of(waveforms, **columns), None)
    assert len(plan.operations) == 3
    assert plan.run(block_of(waveforms, **columns))["trap_max"] == [65535.0]


def test_a_flat_top_of_any_length_is_no_more_than_one_beyond_the_record():
    steps = [Step("fit_baseline", {"i_end": 50}), Step("bl_subtract")]
    steps += [Step("trap_filter", {"rise": 20, "flat": 10**30}), Step("trap_max")]
    assert_equal(steps, block_of(np.arange(200, dtype=np.uint16).reshape(2, 100) ** 2))


def test_a_baseline_that_is_not_a_number_gives_a_maximum_that_is_not():
    waveforms = np.ones((3, 50), np.uint16)
    line = {"bl_int": np.array([1.0, np.nan, 1.0]), "bl_slope": np.array([0.0, 0.0, np.nan])}
    steps = [Step("bl_subtract"), Step("trap_filter", {"rise": 5, "flat": 2}), Step("trap_max")]
    fused, plain = both(steps, block_of(waveforms, **line))
    assert np.array_equal(np.isnan(fused["trap_max"]), [False, True, True])
    assert np.array_equal(np.isnan(plain["trap_max"]), [False, True, True])


def test_samples_that_do_not_follow_one_another_are_read_right():
    waveforms = np.arange(600, dtype=np.uint16).reshape(3, 200)[:, ::2]
    assert_equal([Step("avg_baseline", {"i_end": 100})], block_of(waveforms))


@pytest.mark.parametrize("sample_type", [">u2", "f4", "i4", "u1"])
def test_other_sample_types_are_left_to_the_plain_functions(sample_type):
    waveforms = np.full((2, 100), 7, sample_type)
    steps = [Step("avg_baseline", {"i_end": 100})]
    plan = Chain(steps).plan(block_of(waveforms), None)
    assert plan.operations[0].call.__module__ != kernels.__name__
    assert np.array_equal(plan.run(block_of(waveforms))["bl_avg"], [7.0, 7.0])


def test_the_kernel_refuses_tables_that_are_too_short():
    assert kernels.compiled is not None
    short, line = np.zeros(9), np.zeros(1)
    with pytest.raises(ValueError, match="its entry in the tables"):
        kernels.compiled.trapezoid_maxima(np.zeros((1, 10), "u2"), line, line, 2, 1, short, short, 0.0)
