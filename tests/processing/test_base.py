"""The processor list as the 2018 demo uses it."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.base import Tier1Processor
from pygama.processing.declare import RecordTooShort

T1_OPTIONS = {43243: {"fit_baseline": {"i_end": 500}}, 72: {"fit_baseline": {"i_end": 8000}}}
NAMES = ["fit_baseline", "bl_subtract", "trap_filter", "trap_max"]


def demo_processor() -> Tier1Processor:
    proc = Tier1Processor(T1_OPTIONS)
    proc.add("fit_baseline", {"i_end": 800})
    proc.add("bl_subtract")
    proc.add("trap_filter")
    proc.add("trap_max", {"test": False})
    return proc


def step_block(n_samples: int = 3000) -> Block:
    waveforms = np.full((3, n_samples), 200, np.uint16)
    waveforms[:, 1000:] += 1000
    rows = np.zeros(3, [("channel", "i8"), ("period_ns", "f8")])
    rows["period_ns"] = 10.0
    return Block("ORSIS3302DecoderForEnergy", rows, waveforms)


def test_the_demo_gives_its_three_columns_with_units():
    assert demo_processor().columns == {"bl_int": "adc", "bl_slope": "adc/sample", "trap_max": "adc"}


def test_a_step_of_1000_adc_has_a_trapezoid_of_1000():
    results = demo_processor().for_run(72).with_settings(T1_OPTIONS[72]).run(step_block())
    assert np.allclose(results["trap_max"], 1000, rtol=0, atol=1e-9)
    assert np.allclose(results["bl_int"], 200, rtol=0, atol=1e-9)


def test_what_is_added_beats_the_settings_of_the_run():
    assert demo_processor().for_run(72).steps[0].settings == {"i_end": 800}


def test_settings_of_the_run_beat_plain_ones_and_these_the_defaults():
    settings = {"fit_baseline": {"i_end": 300, "order": 0}, 72: {"fit_baseline": {"i_end": 400}}}
    proc = Tier1Processor(settings, default_list=True)
    assert proc.steps[0].settings == {"i_end": 300, "order": 0}
    assert proc.for_run(72).steps[0].settings == {"i_end": 400, "order": 0}
    assert proc.for_run(73).steps[0].settings == {"i_end": 300, "order": 0}


def test_later_settings_beat_earlier_ones():
    proc = Tier1Processor({"fit_baseline": {"i_end": 300}}, default_list=True)
    assert proc.with_settings({"fit_baseline": {"i_end": 400}}).steps[0].settings == {"i_end": 400}


def test_settings_given_after_the_run_is_known_leave_it_in_force():
    proc = Tier1Processor({72: {"trap_filter": {"rise": 10}}}, default_list=True).for_run(72)
    later = proc.with_settings({"fit_baseline": {"i_end": 400}, 72: {"fit_baseline": {"order": 0}}})
    assert [step.settings for step in later.steps[:3]] == [{"i_end": 400, "order": 0}, {}, {"rise": 10}]


def test_runs_as_a_json_file_spells_them_are_runs_too():
    proc = Tier1Processor({"72": {"trap_filter": {"rise": 10}}}, default_list=True)
    assert proc.for_run(72).steps[2].settings == {"rise": 10}


def test_settings_of_other_runs_are_not_looked_at():
    proc = Tier1Processor({43243: {"no_such": {"x": 1}}}, default_list=True)
    assert proc.for_run(72).steps[0].settings == {}


def test_the_default_list_is_that_of_the_demo():
    assert [step.name for step in Tier1Processor(default_list=True).steps] == NAMES


def test_settings_that_do_not_fit_the_record_are_refused_where_they_are_used():
    proc = Tier1Processor(T1_OPTIONS, default_list=True).for_run(72)
    with pytest.raises(
        RecordTooShort, match="^step 1, fit_baseline: i_end must be 2000 or less, .* not 8000$"
    ):
        proc.run(step_block(2000))


def test_settings_for_a_known_processor_that_is_not_in_the_chain_do_no_harm():
    assert len(Tier1Processor({"pole_zero": {"tau": 300}}, default_list=True).steps) == 4


def test_settings_for_an_unknown_processor_are_refused():
    with pytest.raises(SettingsError, match="^settings are given for 'fit_bl', which is no processor; "):
        Tier1Processor({"fit_bl": {"i_end": 5}})


def test_settings_of_this_run_for_an_unknown_processor_are_refused():
    with pytest.raises(SettingsError, match="'trap_fliter', which is no processor; did you mean trap_filter"):
        Tier1Processor({72: {"trap_fliter": {}}}).for_run(72)


def test_an_unknown_step_is_refused_when_it_is_added():
    with pytest.raises(
        SettingsError, match="^step 1, trap_fliter: there is no processor 'trap_fliter'; did you mean"
    ):
        Tier1Processor().add("trap_fliter")


def test_a_wrong_setting_is_refused_when_it_is_added():
    proc = Tier1Processor()
    with pytest.raises(SettingsError, match="^step 1, trap_filter: rise must be 1 sample or more, not 0$"):
        proc.add("trap_filter", {"rt": 0})
    assert proc.steps == ()


def test_old_names_of_settings_mean_the_same_wherever_they_are_given():
    proc = Tier1Processor({"trap_filter": {"rt": 100, "ft": 50, "dt": 0}})
    proc.add("trap_filter", {"rise": 300})
    assert proc.steps[0].settings == {"rise": 300, "flat": 50}


def test_a_copy_for_a_run_leaves_the_original_alone():
    proc = Tier1Processor(T1_OPTIONS, default_list=True)
    proc.for_run(72).add("avg_baseline")
    assert [step.name for step in proc.steps] == NAMES
    assert proc.steps[0].settings == {}


def test_settings_are_copied_when_they_are_given():
    own = {"i_end": 800}
    proc = Tier1Processor()
    proc.add("fit_baseline", own)
    own["i_end"] = 1
    assert proc.steps[0].settings == {"i_end": 800}


def test_a_step_added_after_a_run_is_in_the_next():
    proc = Tier1Processor(default_list=True)
    proc.run(step_block())
    proc.add("avg_baseline")
    assert list(proc.run(step_block())) == ["bl_int", "bl_slope", "trap_max", "bl_avg"]


def test_waves_are_kept_on_request():
    results = Tier1Processor(default_list=True).run(step_block(), keep=("waveform", "wf_trap"))
    assert results["waveform"].dtype == np.uint16
    assert results["wf_trap"].shape == (3, 3000)


def test_the_chain_goes_through_json_unchanged():
    chain = [
        {"step": "fit_baseline", "settings": {"i_end": 800}},
        {"step": "bl_subtract"},
        {"step": "pole_zero", "settings": {"tau": "50 us"}, "enabled": False},
        {"step": "trap_filter", "inputs": {"wf_blsub": "waveform"}, "outputs": {"wf_trap": "wf_fast"}},
        {"step": "trap_max", "settings": {"test": True}, "inputs": {"wf_trap": "wf_fast"}},
    ]
    assert Tier1Processor.from_chain(json.loads(json.dumps(chain))).to_chain() == chain


def test_the_chain_can_be_written_with_its_defaults():
    assert Tier1Processor(default_list=True).to_chain(defaults=True)[2] == {
        "step": "trap_filter",
        "settings": {"rise": 400, "flat": 200},
    }


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"seting": {}}, "did you mean settings?"),
        ({"a": 1}, "there are step, settings, inputs, outputs, enabled, channels"),
        ({"rise": 4}, 'settings stand in braces of their own: "settings": {"rise": …}'),
        ({"rt": 4}, 'settings stand in braces of their own: "settings": {"rise": …}'),
    ],
)
def test_a_wrong_entry_of_a_chain_names_the_step_and_says_what_to_write(entry, said):
    with pytest.raises(SettingsError) as caught:
        Tier1Processor.from_chain([{"step": "trap_max"}, {"step": "trap_filter", **entry}])
    assert str(caught.value).endswith(said)
    assert str(caught.value).startswith(f"step 2: unknown entry '{next(iter(entry))}' in a step; ")


def test_a_trace_gives_every_array_and_value_of_one_waveform():
    block = step_block()
    assert block.waveforms is not None
    trace = demo_processor().trace(block.waveforms[0], 10.0)
    assert list(trace) == ["bl_int", "bl_slope", "wf_blsub", "wf_trap", "trap_max"]
    assert trace["trap_max"] == pytest.approx(1000)
    assert np.shape(trace["wf_trap"]) == (3000,)
    assert isinstance(trace["bl_int"], float)


def test_a_trace_may_use_times_and_columns():
    proc = Tier1Processor()
    proc.add("bl_subtract", inputs={"bl_int": "level", "bl_slope": "level"})
    proc.add("trap_filter", {"rise": "1 us"})
    trace = proc.trace(np.ones(500), 20.0, {"level": 0.0})
    assert np.asarray(trace["wf_trap"]).max() == 1.0
    assert np.argmax(trace["wf_trap"]) == 49


def test_a_step_to_be_tested_is_drawn_for_one_waveform(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    proc = Tier1Processor({"trap_max": {"test": True}})
    for name in NAMES:
        proc.add(name, {"test": True} if name == "trap_filter" else None)
    figures = proc.draw_tests(step_block())
    titles = [figure.axes[0].get_title() for figure in figures]
    lines = [[line.get_label() for line in figure.axes[0].lines] for figure in figures]
    pyplot.close("all")
    assert titles == ["step 3, trap_filter", "step 4, trap_max, trap_max = 1000"]
    assert lines == [["wf_blsub", "wf_trap"], ["wf_trap"]]


def test_nothing_is_drawn_in_parallel_and_the_log_says_so_once(caplog):
    proc = Tier1Processor(default_list=True)
    proc.add("avg_baseline", {"test": True})
    with caplog.at_level(logging.WARNING):
        assert proc.draw_tests(step_block(), is_parallel=True) == []
    assert [record.getMessage() for record in caplog.records] == [
        "step 5, avg_baseline: not drawn, because work is done in parallel"
    ]
