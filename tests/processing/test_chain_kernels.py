"""The compiled kernels give what the plain functions give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.block import Block
from pygama.processing.chain import Chain
from pygama.processing.kernels import chain as kernels
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


def pulses(rng: np.random.Generator, n_rows: int, n_samples: int, heights: tuple[int, ...]) -> np.ndarray:
    """Make noise on a baseline of 1000, with a step of one of the heights somewhere in each row."""
    begins = rng.integers(0, n_samples + 1, (n_rows, 1))
    steps = rng.choice(heights, (n_rows, 1)) * (np.arange(n_samples) >= begins)
    return rng.integers(-5, 6, (n_rows, n_samples)) + 1000 + steps


@st.composite
def waves(draw: st.DrawFn) -> np.ndarray:
    sample_type = np.dtype(draw(st.sampled_from(["u2", "i2"])))
    shape = draw(st.integers(1, 20)), draw(st.integers(1, 900))
    limits = np.iinfo(sample_type)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["any", "pulse", "mixed", "extreme"]))
    if kind == "any":
        made = rng.integers(limits.min, limits.max + 1, shape)
    elif kind == "extreme":
        made = rng.choice([limits.min, limits.max], shape)
    else:
        made = pulses(rng, *shape, (30000,) if kind == "pulse" else (30000, 3, 0, -3, -900))
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


@given(st.data())
@settings(deadline=None, max_examples=120)
def test_the_kernel_of_the_whole_chain_equals_its_plain_twin(data):
    waveforms = data.draw(waves().filter(lambda made: made.shape[1] > 1))
    n_samples = waveforms.shape[1]
    end = data.draw(st.integers(2, n_samples))
    steps = [Step("fit_baseline", {"i_end": end, "order": data.draw(st.integers(0, 1))}), Step("bl_subtract")]
    if data.draw(st.booleans()):
        steps.append(Step("pole_zero", {"tau": data.draw(st.floats(500, 1e6))}))
    shape = {"rise": data.draw(st.integers(1, n_samples)), "flat": data.draw(st.integers(0, n_samples))}
    steps += [Step("trap_filter", shape), Step("trap_max")]
    block = block_of(waveforms)
    fused, plain = both(steps, block)
    assert len(Chain(steps).plan(block, None).operations) == 1
    # The line runs on beyond the stretch that it was fitted to, and rounding with it.
    reach = 1e-9 * 65536 * n_samples / end
    assert {name: array.shape for name, array in fused.items()} == dict.fromkeys(plain, (len(waveforms),))
    for name in plain:
        assert np.allclose(fused[name], plain[name], rtol=0, atol=reach), name


@pytest.mark.parametrize("between", [[], [Step("pole_zero")]], ids=["plain", "pole_zero"])
def test_a_row_gets_the_same_to_the_last_bit_whichever_rows_lie_beside_it(between):
    made = pulses(np.random.default_rng(5), 37, 700, (20000, 50, 0, -50)).astype(np.uint16)
    steps = [Step("fit_baseline", {"i_end": 150}), Step("bl_subtract"), *between]
    chain = Chain([*steps, Step("trap_filter", {"rise": 60, "flat": 30}), Step("trap_max")])
    together = chain.run(block_of(made))
    for row in range(len(made)):
        alone = chain.run(block_of(made[row : row + 1]))
        assert {name: array[0] for name, array in alone.items()} == {
            name: array[row] for name, array in together.items()
        }


@pytest.mark.parametrize(
    "begin, height",
    [(0, 5000), (150, 5000), (250, 5000), (600, 5000), (600, 1), (600, 0), (600, -500), (250, -500)],
)
def test_the_maximum_is_found_wherever_the_pulse_begins_and_whatever_its_height(begin, height):
    rng = np.random.default_rng(11)
    made = rng.integers(0, 3, (9, 800)) + 2000
    made[4, begin:] += height
    made[:, :] += np.arange(800) // 40
    steps = [Step("fit_baseline", {"i_end": 140}), Step("bl_subtract")]
    steps += [Step("trap_filter", {"rise": 100, "flat": 50}), Step("trap_max")]
    assert_equal(steps, block_of(made.astype(np.uint16)))


@pytest.mark.parametrize(
    "stretches, level, slope",
    [([(400, 600, 100)], -1000.0, 0.0), ([(200, 250, 1010), (250, 600, 900)], 1000.0, -0.02)],
    ids=["below_the_samples", "falling"],
)
def test_a_maximum_that_the_baseline_makes_at_the_start_of_the_record_is_found(stretches, level, slope):
    made = np.full((3, 600), max(level, 0), np.uint16)
    for begin, end, height in stretches:
        made[:, begin:end] = height
    line = {"bl_int": np.full(3, level), "bl_slope": np.full(3, slope)}
    steps = [Step("bl_subtract"), Step("trap_filter", {"rise": 100, "flat": 50}), Step("trap_max")]
    assert_equal(steps, block_of(made, **line))


@pytest.mark.parametrize("sample_type", ["u2", "i2"])
def test_sums_are_exact(sample_type):
    limits = np.iinfo(sample_type)
    rng = np.random.default_rng(3)
    made = rng.choice([limits.min, limits.max, limits.max], (9, 32001)).astype(sample_type)
    means = Chain([Step("avg_baseline", {"i_start": 1, "i_end": 32000})]).run(block_of(made))["bl_avg"]
    assert np.array_equal(means, made[:, 1:32000].sum(axis=1, dtype=np.int64) / 31999)


@pytest.mark.parametrize("sample_type", ["u2", "i2"])
def test_the_longest_rise_of_the_largest_samples_fits(sample_type):
    limits = np.iinfo(sample_type)
    made = np.full((2, 70000), limits.min, sample_type)
    made[0, 35000:] = limits.max
    line = {"bl_int": np.full(2, float(limits.min)), "bl_slope": np.zeros(2)}
    steps = [Step("bl_subtract"), Step("trap_filter", {"rise": 32767, "flat": 0}), Step("trap_max")]
    fused, _ = both(steps, block_of(made, **line))
    assert np.array_equal(fused["trap_max"], [65535.0, 0.0])


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


def test_rows_in_any_order_and_one_row_many_times_are_read_right():
    made = pulses(np.random.default_rng(2), 13, 300, (4000,)).astype(np.int16)
    steps = [Step("fit_baseline", {"i_end": 40}), Step("bl_subtract")]
    steps += [Step("trap_filter", {"rise": 30, "flat": 10}), Step("trap_max")]
    for waveforms in (made[::-1], made[::3], np.broadcast_to(made[4], (11, 300))):
        assert_equal(steps, block_of(waveforms))


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


@pytest.mark.parametrize(
    "n_table, n_line, rise, expected",
    [
        (9, 1, 2, "its entry in the tables"),
        (10, 0, 2, "its baseline"),
        (10, 1, 11, "no longer than the waveforms"),
        (10, 1, 0, "from 1 to 32767"),
    ],
)
def test_the_trapezoid_kernel_refuses_what_would_lead_it_out_of_its_arrays(n_table, n_line, rise, expected):
    assert kernels.compiled is not None
    table, line = np.zeros(n_table), np.zeros(n_line)
    with pytest.raises(ValueError, match=expected):
        kernels.compiled.trapezoid_maxima(np.zeros((1, 10), "u2"), line, line, rise, 1, table, table, 0.0)


@pytest.mark.parametrize(
    "begin, end, order, expected",
    [(0, 11, 1, "inside the waveforms"), (-1, 5, 1, "inside"), (5, 5, 0, "inside"), (4, 5, 1, "the order")],
)
def test_the_baseline_kernel_refuses_a_stretch_outside_the_waveforms(begin, end, order, expected):
    assert kernels.compiled is not None
    with pytest.raises(ValueError, match=expected):
        kernels.compiled.baselines(np.zeros((1, 10), "u2"), begin, end, order)
