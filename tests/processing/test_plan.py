"""Binding, pruning, fusing and running of chains."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.chain import Chain
from pygama.processing.declare import (
    REGISTRY,
    PeriodNs,
    RecordTooShort,
    Span,
    Values,
    Waves,
    calculator,
    transform,
)
from pygama.processing.plan import StepFailed, bind
from pygama.processing.steps import Step

DEFAULT = [Step("fit_baseline"), Step("bl_subtract"), Step("trap_filter"), Step("trap_max")]


def block_of(
    n_rows: int = 20, n_samples: int = 1200, sample_type: str = "u2", period_ns: object = 10.0
) -> Block:
    rng = np.random.default_rng(7)
    waveforms = rng.integers(990, 1010, (n_rows, n_samples))
    waveforms[:, n_samples * 2 // 3 :] += rng.integers(0, 3000, (n_rows, 1))
    rows = np.zeros(n_rows, [("channel", "i8"), ("energy", "i8"), ("period_ns", "f8")])
    rows["channel"] = np.arange(n_rows)
    rows["period_ns"] = period_ns
    return Block("made_up", rows, waveforms.astype(sample_type))


def labels(chain: Chain, block: Block | None = None, period_ns: float | None = None) -> list[str]:
    return [operation.label for operation in chain.plan(block or block_of(), period_ns).operations]


def message(steps: list[Step], **keywords: object) -> str:
    with pytest.raises(SettingsError) as caught:
        bind(steps, block_of(), **keywords)
    return str(caught.value)


@pytest.fixture
def registry() -> Iterator[None]:
    """Let a test declare processors of its own."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


# binding: what is refused, and in which words


def test_a_step_without_its_input_says_which_step_would_give_it():
    text = "step 1, trap_max, reads 'wf_trap', which nothing before it writes; put trap_filter before it"
    assert message([Step("trap_max")]) == text


def test_a_step_that_comes_too_early_says_which_one_to_move():
    steps = [Step("fit_baseline"), Step("trap_filter"), Step("bl_subtract")]
    assert message(steps) == (
        "step 2, trap_filter, reads 'wf_blsub', which nothing before it writes; "
        "move step 3, bl_subtract, before it"
    )


def test_a_step_whose_source_is_switched_off_says_which_one_to_switch_on():
    steps = [Step("fit_baseline"), Step("bl_subtract", enabled=False), Step("trap_filter")]
    assert message(steps) == (
        "step 3, trap_filter, reads 'wf_blsub', which nothing before it writes; "
        "switch step 2, bl_subtract, on"
    )


def test_a_name_that_nobody_writes_brings_the_near_ones():
    steps = [Step("trap_max", inputs={"wf_trap": "wafeform"})]
    assert message(steps) == (
        "step 1, trap_max, reads 'wafeform', which no step writes and the rows do not have; "
        "did you mean waveform?"
    )


def test_steps_that_wait_for_each_other_are_named():
    steps = [
        Step("trap_filter", inputs={"wf_blsub": "wf_pz"}),
        Step("bl_subtract", inputs={"waveform": "wf_trap", "bl_int": "energy", "bl_slope": "energy"}),
        Step("pole_zero"),
    ]
    assert message(steps) == (
        "step 1, trap_filter, reads 'wf_pz', which comes from step 3, pole_zero, which waits for "
        "step 2, bl_subtract, which waits for step 1, trap_filter: they wait for each other; "
        "give one another input"
    )


def test_a_step_cannot_read_what_it_writes():
    steps = [Step("trap_filter", inputs={"wf_blsub": "wf_trap"})]
    assert message(steps) == (
        "step 1, trap_filter, reads 'wf_trap', which it writes itself; give it another input"
    )


def test_a_single_value_is_no_waveform():
    steps = [Step("trap_max", inputs={"wf_trap": "energy"})]
    assert message(steps) == "step 1, trap_max, reads waveforms, but 'energy' is one number a row"


def test_an_unknown_processor_brings_the_near_ones():
    assert message([Step("trap_mx")]).startswith(
        "step 1, trap_mx: there is no processor 'trap_mx'; did you mean trap_max"
    )


def test_a_value_out_of_bounds_names_step_setting_bound_and_value():
    steps = [*DEFAULT[:2], Step("trap_filter", {"rise": 0})]
    assert message(steps) == "step 3, trap_filter: rise must be 1 sample or more, not 0"


def test_an_output_written_twice_names_both_steps():
    assert message([*DEFAULT, Step("trap_max")]) == (
        "step 5, trap_max, writes 'trap_max', which step 4, trap_max, writes already; "
        "give it another name in its outputs"
    )


def test_an_output_must_not_take_the_name_of_a_column():
    steps = [Step("avg_baseline", outputs={"bl_avg": "energy"})]
    assert message(steps) == (
        "step 1, avg_baseline, writes 'energy', which the rows have already; "
        "give it another name in its outputs"
    )


def test_an_input_that_the_processor_does_not_have_is_refused():
    assert message([Step("trap_max", inputs={"wf": "waveform"})]) == (
        "step 1, trap_max: trap_max reads no 'wf'; it has wf_trap"
    )


def test_an_end_beyond_the_waveform_is_refused_with_bound_and_value():
    with pytest.raises(RecordTooShort) as caught:
        bind([Step("fit_baseline", {"i_end": 8000})], block_of())
    assert str(caught.value) == (
        "step 1, fit_baseline: i_end must be 1200 or less, the length of the waveforms, not 8000"
    )


def test_an_end_beyond_the_waveform_does_no_harm_where_nobody_asks():
    steps = [Step("fit_baseline", {"i_end": 8000}), Step("avg_baseline")]
    assert list(Chain(steps, outputs=["bl_avg"]).run(block_of())) == ["bl_avg"]


def test_a_step_that_is_switched_off_is_not_looked_at():
    steps = [Step("fit_baseline", {"i_end": 8000}, enabled=False), Step("avg_baseline")]
    assert list(Chain(steps).run(block_of())) == ["bl_avg"]


def test_asking_for_what_the_chain_does_not_give_is_refused():
    assert message(DEFAULT, outputs=["trap_maxx"]) == "the chain gives no 'trap_maxx'; did you mean trap_max?"


def test_rows_without_waveforms_are_refused_before_anything_runs():
    block = block_of()
    with pytest.raises(SettingsError, match="^step 1, avg_baseline, reads 'waveform', which no step writes"):
        Chain([Step("avg_baseline")]).run(Block("slow", block.rows))


# names


def test_after_pole_zero_the_filter_reads_the_corrected_waveform():
    steps = [*DEFAULT[:2], Step("pole_zero"), *DEFAULT[2:]]
    plan = bind(steps, block_of(), fused=False)
    assert plan.operations[3].reads == ("wf_pz",)


def test_a_step_before_pole_zero_reads_the_waveform_as_it_was():
    steps = [*DEFAULT[:3], Step("pole_zero"), DEFAULT[3]]
    assert bind(steps, block_of(), fused=False).operations[2].reads == ("wf_blsub",)


def test_a_second_pole_zero_goes_on_from_the_first():
    second = Step("pole_zero", {"tau": 300}, outputs={"wf_pz": "wf_pz2"})
    plan = bind([*DEFAULT[:2], Step("pole_zero"), second, *DEFAULT[2:]], block_of(), fused=False)
    assert [plan.operations[place].reads for place in (2, 3, 4)] == [("wf_blsub",), ("wf_pz",), ("wf_pz2",)]


def test_pole_zero_of_another_branch_does_not_change_what_is_read_by_default():
    fast = [
        Step("bl_subtract", outputs={"wf_blsub": "wf_fast"}),
        Step("pole_zero", inputs={"wf_blsub": "wf_fast"}),
    ]
    plan = bind([*DEFAULT[:2], *fast, *DEFAULT[2:]], block_of(), keep=["wf_pz"], fused=False)
    assert plan.operations[4].reads == ("wf_blsub",)


def test_inputs_say_which_waveform_is_meant():
    same = Step("trap_filter", inputs={"wf_blsub": "wf_blsub"})
    plan = bind([*DEFAULT[:2], Step("pole_zero"), same, DEFAULT[3]], block_of(), fused=False)
    assert plan.operations[2].reads == ("wf_blsub",)


def test_two_filters_stand_side_by_side():
    wide = [
        Step("trap_filter", {"rise": 100}, outputs={"wf_trap": "wf_fast"}),
        Step("trap_max", inputs={"wf_trap": "wf_fast"}, outputs={"trap_max": "fast_max"}),
    ]
    chain = Chain([*DEFAULT, *wide])
    results = chain.run(block_of())
    assert list(results) == ["bl_int", "bl_slope", "trap_max", "fast_max"]
    alone = Chain([*DEFAULT[:2], Step("trap_filter", {"rise": 100}), DEFAULT[3]]).run(block_of())
    assert np.array_equal(results["fast_max"], alone["trap_max"])


def test_a_filter_may_read_the_raw_waveform():
    steps = [Step("trap_filter", inputs={"wf_blsub": "waveform"}), Step("trap_max")]
    block = block_of()
    rough = Chain(steps).run(block)["trap_max"]
    assert np.allclose(rough, 1000, atol=3000)


# pruning and fusing


def test_what_nobody_asks_for_is_left_out():
    plan = bind(DEFAULT[:3], block_of(), fused=False)
    assert [operation.label for operation in plan.operations] == ["step 1, fit_baseline"]


def test_a_wave_that_is_kept_is_computed():
    plan = bind(DEFAULT[:3], block_of(), keep=["wf_trap"])
    assert plan.outputs == ("bl_int", "bl_slope", "wf_trap")


def test_the_default_chain_is_fused():
    assert labels(Chain(DEFAULT)) == ["step 1, fit_baseline, to step 4, trap_max"]


def test_pole_zero_is_fused_with_the_trapezoid():
    assert labels(Chain([*DEFAULT[:2], Step("pole_zero"), *DEFAULT[2:]])) == [
        "step 1, fit_baseline, to step 5, trap_max"
    ]


def test_a_fit_that_the_kernel_cannot_do_is_not_fused_with_the_trapezoid():
    steps = [Step("fit_baseline", {"order": 2}), *DEFAULT[1:]]
    assert labels(Chain(steps)) == ["step 1, fit_baseline", "step 2, bl_subtract, to step 4, trap_max"]


def test_a_trapezoid_over_a_column_of_the_rows_is_fused_without_the_fit():
    steps = [DEFAULT[0], Step("bl_subtract", inputs={"bl_int": "channel"}), *DEFAULT[2:]]
    assert labels(Chain(steps)) == ["step 1, fit_baseline", "step 2, bl_subtract, to step 4, trap_max"]


def test_a_baseline_that_another_step_reads_before_the_trapezoid_is_there_for_it():
    other = Step("bl_subtract", outputs={"wf_blsub": "wf_saved"})
    steps = [DEFAULT[0], other, *DEFAULT[1:]]
    fused, plain = (Chain(steps, keep=["wf_saved"], fused=fused) for fused in (True, False))
    assert "step 1, fit_baseline, to step 5, trap_max" in [
        operation.label for operation in fused.plan(block_of(), None).operations
    ]
    expected = plain.run(block_of())
    for name, array in fused.run(block_of()).items():
        assert np.allclose(array, expected[name], rtol=0, atol=1e-6), name


def test_the_kernel_goes_where_the_wave_that_its_last_step_reads_is_wanted():
    assert len(labels(Chain(DEFAULT, keep=["wf_trap"]))) == 4


def test_the_kernel_stays_beside_a_wave_on_its_way_that_is_wanted():
    assert labels(Chain(DEFAULT, keep=["wf_blsub"])) == [
        "step 1, fit_baseline",
        "step 2, bl_subtract",
        "step 1, fit_baseline, to step 4, trap_max",
    ]


def test_the_default_chain_is_fused_around_other_steps():
    steps = [DEFAULT[0], Step("avg_baseline"), *DEFAULT[1:]]
    assert labels(Chain(steps)) == ["step 2, avg_baseline", "step 1, fit_baseline, to step 5, trap_max"]


def test_a_filter_that_two_read_is_fused_for_both():
    second = Step("trap_max", outputs={"trap_max": "again"})
    assert labels(Chain([*DEFAULT, second])) == [
        "step 1, fit_baseline, to step 4, trap_max",
        "step 1, fit_baseline, to step 5, trap_max",
    ]


def test_a_wave_that_another_step_reads_too_is_not_shaped_twice():
    other = Step("trap_max", inputs={"wf_trap": "wf_trap"}, outputs={"trap_max": "highest"})
    lowest = Step("wf_min", inputs={"wf_blsub": "wf_trap"})
    assert len(labels(Chain([*DEFAULT, lowest]), period_ns=10.0)) == 5
    assert labels(Chain([*DEFAULT, other])) == [
        "step 1, fit_baseline, to step 4, trap_max",
        "step 1, fit_baseline, to step 5, trap_max",
    ]


@st.composite
def chains(draw: st.DrawFn) -> list[Step]:
    """Build a chain at random that can be bound: each step's inputs are there before it.

    A step reads what it reads by itself, or any other waveform of the length of the record.
    """
    names = draw(st.lists(st.sampled_from(list(REGISTRY)), min_size=1, max_size=24))
    there = {"waveform"}
    waves = ["waveform"]
    steps = []
    for name in ["fit_baseline", *names]:
        processor = REGISTRY[name]
        inputs = {
            read: draw(st.sampled_from(waves))
            for read, kind in processor.reads
            if kind == "waves" and read not in there
        }
        step = Step(
            name,
            _drawn_settings(draw, name),
            inputs=inputs,
            enabled=draw(st.booleans()) or name == "fit_baseline",
        )
        reads = {read for read, kind in processor.reads if kind != "period"}
        writes = {written for written, _ in processor.writes}
        if reads - inputs.keys() <= there and not writes & there:
            steps.append(step)
            there |= writes if step.enabled else set()
            if step.enabled and processor.writes_waves and name != "psd":
                waves.extend(writes)
    return steps


def _drawn_settings(draw: st.DrawFn, name: str) -> dict[str, object]:
    drawn: dict[str, object] = {}
    for item in REGISTRY[name].settings:
        if item.name in ("i_end", "rise", "fall"):
            drawn[item.name] = draw(st.integers(30, 100))
        elif item.name == "order":
            drawn[item.name] = draw(st.integers(0, 2))
    return drawn


@given(chains(), st.sampled_from(["u2", "i2", "f4", "f8"]), st.data())
@settings(deadline=None, max_examples=100)
def test_pruning_and_fusing_never_change_results(steps, sample_type, data):
    block = block_of(5, 120, sample_type)
    written = [name for step in steps if step.enabled for name in step.writes]
    everything = Chain(steps, outputs=written, fused=False).run(block)
    wanted = data.draw(st.lists(st.sampled_from(written), unique=True))
    for outputs in (None, wanted):
        for name, array in Chain(steps, outputs=outputs).run(block).items():
            assert np.allclose(array, everything[name], rtol=0, atol=1e-9 * 4000, equal_nan=True), name


# running


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("n_rows", [0, 1, 7, 8, 9, 600])
def test_each_row_gets_its_own_result_however_many_there_are(n_rows, fused):
    chain = Chain(DEFAULT, fused=fused)
    block = block_of(n_rows)
    results = chain.run(block)
    assert {name: array.shape for name, array in results.items()} == dict.fromkeys(results, (n_rows,))
    for row in {0, n_rows // 2, n_rows - 1} if n_rows else ():
        assert chain.run(block[row : row + 1])["trap_max"] == results["trap_max"][row]


@pytest.mark.parametrize("first", [[], [Step("avg_baseline")]], ids=["read_once", "read_twice"])
def test_threads_give_the_same_in_the_same_order(first):
    block = block_of(4000, 600)
    chain = Chain([*first, *DEFAULT], keep=["waveform"])
    alone = chain.run(block)
    with ThreadPoolExecutor(3) as pool:
        shared = chain.run(block, pool=pool)
    assert all(np.array_equal(alone[name], shared[name]) for name in alone)


def test_waveforms_that_one_kernel_alone_reads_are_worked_on_in_larger_blocks():
    read_twice = bind([Step("avg_baseline"), *DEFAULT], block_of())
    assert bind(DEFAULT, block_of()).block_rows > read_twice.block_rows


def test_the_raw_waveform_and_columns_can_be_asked_for():
    block = block_of()
    results = Chain(DEFAULT, outputs=["channel", "waveform"]).run(block)
    assert np.array_equal(results["channel"], block.rows["channel"])
    assert np.array_equal(results["waveform"], block.waveforms)


def test_saved_waves_are_those_of_all_rows():
    block = block_of(70)
    waves = Chain(DEFAULT, keep=["wf_blsub"]).run(block)["wf_blsub"]
    assert waves.shape == (70, 1200)
    assert waves.dtype == np.float64
    assert np.allclose(waves[:, :500].mean(axis=1), 0, atol=1e-9)


def test_a_trace_beside_the_waveform_can_be_read():
    block = block_of(4)
    block.traces["energy_waveform"] = np.arange(40, dtype=np.uint32).reshape(4, 10)
    steps = [Step("trap_max", inputs={"wf_trap": "energy_waveform"}, outputs={"trap_max": "top"})]
    assert np.array_equal(Chain(steps).run(block)["top"], [9, 19, 29, 39])


@pytest.mark.parametrize("fused", [True, False])
def test_values_that_are_no_numbers_pass_through_without_a_warning(fused):
    block = block_of(3, 1200)
    rows = np.zeros(3, [("level", "f8"), ("slope", "f8")])
    rows["level"] = [np.nan, np.inf, 1000]
    steps = [Step("bl_subtract", inputs={"bl_int": "level", "bl_slope": "slope"}), *DEFAULT[2:]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = Chain(steps, fused=fused).run(Block("made_up", rows, block.waveforms))
    assert np.array_equal(np.isnan(results["trap_max"]), [True, True, False])


def test_a_chain_takes_rows_of_another_length_and_type_after_the_first():
    chain = Chain([Step("avg_baseline", {"i_end": 100})])
    for block in (block_of(3, 1200), block_of(3, 600, "i2"), block_of(3, 600, "f8")):
        assert block.waveforms is not None
        assert np.allclose(chain.run(block)["bl_avg"], block.waveforms[:, :100].mean(axis=1))


# time


def test_a_time_becomes_samples_by_the_period_of_each_row():
    block = block_of(20, 1200, period_ns=np.where(np.arange(20) % 3, 10.0, 20.0))
    timed = [*DEFAULT[:2], Step("trap_filter", {"rise": "2 us", "flat": "1 us"}), DEFAULT[3]]
    results = Chain(timed).run(block)["trap_max"]
    for period_ns, rise in ((10.0, 200), (20.0, 100)):
        rows = block.rows["period_ns"] == period_ns
        steps = [*DEFAULT[:2], Step("trap_filter", {"rise": rise, "flat": rise // 2}), DEFAULT[3]]
        assert np.array_equal(results[rows], Chain(steps).run(block[rows])["trap_max"])


def test_a_time_needs_rows_that_say_their_sampling_period():
    block = block_of()
    rows = block.rows[["channel"]]
    with pytest.raises(
        SettingsError, match="^step 1, avg_baseline: i_end is '4 us', but the sampling period is unknown"
    ):
        Chain([Step("avg_baseline", {"i_end": "4 us"})]).run(Block("made_up", rows, block.waveforms))


def test_no_rows_give_no_results_whatever_their_period_would_be():
    steps = [*DEFAULT[:2], Step("trap_filter", {"rise": "4 us"}), DEFAULT[3]]
    results = Chain(steps, keep=["wf_trap"]).run(block_of(0))
    shapes = {name: array.shape for name, array in results.items()}
    assert shapes == {"bl_int": (0,), "bl_slope": (0,), "trap_max": (0,), "wf_trap": (0, 1200)}


def test_a_time_that_is_less_than_a_sample_is_refused():
    steps = [*DEFAULT[:2], Step("trap_filter", {"rise": "4 ns"}), DEFAULT[3]]
    with pytest.raises(
        SettingsError, match="^step 3, trap_filter: rise must be 1 sample or more, not '4 ns'$"
    ):
        Chain(steps).run(block_of())


def test_without_times_rows_of_all_periods_are_worked_on_together():
    block = block_of(20, 1200, period_ns=np.arange(1.0, 21.0))
    chain = Chain(DEFAULT)
    chain.run(block)
    assert len(chain._plans) == 1


def test_a_processor_may_read_the_sampling_period(registry):
    @calculator(length="ns")
    def length_of(waveform: Waves, period: PeriodNs) -> Values:
        return np.full(len(waveform), waveform.shape[1] * period)

    block = block_of(2, 1200, period_ns=[10.0, 40.0])
    assert np.array_equal(Chain([Step("length_of")]).run(block)["length"], [12000.0, 48000.0])
    with pytest.raises(SettingsError, match="^step 1, length_of, needs the sampling period"):
        Chain([Step("length_of")]).run(Block("made_up", block.rows[["channel"]], block.waveforms))


# processors from elsewhere


def test_a_step_that_raises_is_named(registry):
    @calculator(bad="adc")
    def fails(waveform: Waves, *, width: Span = 3) -> Values:
        raise ZeroDivisionError("no width")

    with pytest.raises(StepFailed, match="^step 2, fails, failed: ZeroDivisionError: no width$") as caught:
        Chain([Step("avg_baseline"), Step("fails")]).run(block_of())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def numbered(block: Block) -> Block:
    rows = np.zeros(len(block), [*block.rows.dtype.descr, ("event_number", "i8")])
    for name in block.rows.dtype.names or ():
        rows[name] = block.rows[name]
    rows["event_number"] = 100 + np.arange(len(block))
    return Block(block.decoder, rows, block.waveforms)


def test_a_step_that_raises_names_the_event_that_it_cannot_take(registry):
    @calculator(bad="adc")
    def picky(channel: Values) -> Values:
        if (channel == 13).any():
            raise ValueError("thirteen")
        return channel

    with pytest.raises(
        StepFailed, match=r"^step 1, picky, failed: ValueError: thirteen \(event 113, channel 13\)$"
    ):
        Chain([Step("picky")]).run(numbered(block_of()))


def test_a_step_that_fails_for_several_rows_only_names_the_block(registry):
    @calculator(bad="adc")
    def lonely(channel: Values) -> Values:
        if len(channel) > 1:
            raise ValueError("too many")
        return channel

    with pytest.raises(StepFailed, match=r"too many \(events 100 to 119 together\)$"):
        Chain([Step("lonely")]).run(numbered(block_of()))


def test_a_step_that_cannot_take_a_made_up_row_still_runs(registry):
    @calculator(size="adc")
    def picky(energy: Values) -> Values:
        return np.array([{0: 5.0}[int(value)] for value in energy])

    block = block_of(3)
    assert np.array_equal(Chain([Step("picky"), *DEFAULT]).run(block)["size"], [5.0, 5.0, 5.0])


def test_a_step_that_gives_the_wrong_shape_is_named_before_anything_runs(registry):
    @calculator(size="adc")
    def wrong(waveform: Waves) -> Values:
        return waveform

    with pytest.raises(StepFailed, match=r"^step 1, wrong, gave size of shape \(1, 1200\), not \(1,\)$"):
        bind([Step("wrong")], block_of())


def test_a_step_that_gives_too_few_arrays_is_named(registry):
    @calculator(one="adc", two="adc")
    def half(waveform: Waves) -> Values:
        return waveform[:, 0]

    with pytest.raises(StepFailed, match="^step 1, half, gave 1 arrays, not the 2 it declares$"):
        bind([Step("half")], block_of())


def test_a_transform_may_change_the_length(registry):
    @transform(wf_short="adc")
    def shorten(waveform: Waves) -> Waves:
        return waveform[:, ::4].astype(np.float64)

    steps = [Step("shorten"), Step("avg_baseline", {"i_end": 301}, inputs={"waveform": "wf_short"})]
    with pytest.raises(RecordTooShort, match="^step 2, avg_baseline: i_end must be 300 or less"):
        bind(steps, block_of())


def test_an_error_in_a_thread_reaches_the_caller(registry):
    @calculator(bad="adc")
    def late(energy: Values) -> Values:
        if (energy == 7).any():
            raise KeyError("late")
        return energy

    block = block_of(9000, 16)
    block.rows["energy"][8999] = 7
    with (
        ThreadPoolExecutor(2) as pool,
        pytest.raises(StepFailed, match="^step 1, late, failed: KeyError: 'late'$"),
    ):
        Chain([Step("late")]).run(block, pool=pool)
