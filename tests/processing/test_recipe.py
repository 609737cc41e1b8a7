"""A Tier 2 file tells how it was made: its settings make the same file again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pygama.errors import SettingsError
from pygama.processing import plugins
from pygama.processing.base import Tier1Processor
from pygama.processing.declare import REGISTRY
from pygama.processing.run import process_run
from pygama.processing.settings import read_settings, write_settings
from pygama.processing.tier0 import ProcessTier0
from pygama.processing.tier1 import ProcessTier1
from pygama.processing.windows import Tier0Options
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile

CHAIN = [
    {"step": "fit_baseline", "settings": {"i_end": "4 us"}},
    {"step": "bl_subtract"},
    {"step": "pole_zero", "settings": {"tau": 5000}, "channels": {"1": {"tau": "40 us"}}},
    {"step": "trap_filter", "settings": {"rise": 300, "flat": 100}},
    {"step": "trap_max"},
    {"step": "trap_filter", "settings": {"rise": 50}, "outputs": {"wf_trap": "wf_short"}},
    {"step": "trap_max", "inputs": {"wf_trap": "wf_short"}, "outputs": {"trap_max": "short_max"}},
    {"step": "a_over_e", "inputs": {"a_max": "bl_slope", "trap_max": "channel"}},
    {"step": "avg_baseline", "enabled": False},
]
PLUGIN = '''
from pygama.processing.declare import Values, Waves, calculator


@calculator(first="adc")
def first_sample(waveform: Waves) -> Values:
    """Take the first sample."""
    return waveform[:, 0].astype(float)
'''


@pytest.fixture(scope="module")
def raw_run(tmp_path_factory):
    shape = RunShape(run_number=5, n_events=60, n_samples=2000, seed=3)
    return write_run(tmp_path_factory.mktemp("raw") / "Run5", shape)


@pytest.fixture(scope="module")
def t1_file(raw_run, tmp_path_factory):
    return ProcessTier0(raw_run, output_dir=tmp_path_factory.mktemp("t1"))


def same_content(one, other):
    with TierFile(one) as first, TierFile(other) as second:
        a, b = first.table("data").read(), second.table("data").read()
        assert first.texts("/") == second.texts("/")
    assert a.rows.dtype == b.rows.dtype
    assert a.rows.tobytes() == b.rows.tobytes()
    assert list(a.traces) == list(b.traces)
    return all(np.array_equal(a.traces[name], b.traces[name], equal_nan=True) for name in a.traces)


def made_again(t1_file, t2_file, folder, *, allowed=()):
    settings = read_settings(t2_file, tier0=Tier0Options, plugins=allowed)
    write_settings(folder / "settings.json", **settings)
    settings = read_settings(folder / "settings.json", tier0=Tier0Options)
    chain = Tier1Processor.from_settings(settings)
    return ProcessTier1(
        t1_file, chain, out_dir=folder, out_prefix="again", save_waves=settings.get("save_waves", ())
    )


def test_a_tier_2_file_made_from_its_own_settings_is_the_same(t1_file, tmp_path):
    t2_file = ProcessTier1(t1_file, Tier1Processor.from_chain(CHAIN), out_dir=tmp_path)
    assert same_content(t2_file, made_again(t1_file, t2_file, tmp_path))


def test_outputs_and_saved_waves_come_back(t1_file, tmp_path):
    chain = Tier1Processor.from_settings({"chain": CHAIN, "outputs": ["short_max", "bl_int"]})
    t2_file = ProcessTier1(t1_file, chain, out_dir=tmp_path, save_waves=["wf_trap", "waveform"])
    with TierFile(t2_file) as file:
        table = file.table("data")
        assert [name for name in table.columns if name in ("short_max", "bl_int", "trap_max")] == [
            "short_max",
            "bl_int",
        ]
        assert set(table.traces) == {"wf_trap", "wf_raw"}
    assert same_content(t2_file, made_again(t1_file, t2_file, tmp_path))


def test_a_plugin_must_be_agreed_to_again(t1_file, tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN)
    chain = Tier1Processor(plugins=[plugin])
    chain.add("first_sample")
    t2_file = ProcessTier1(t1_file, chain, out_dir=tmp_path)
    assert read_settings(t2_file)["plugins"] == [{"file": "mine.py", "sha256": plugins.sha256_of(plugin)}]
    plugins._loaded.clear()
    REGISTRY.pop("first_sample")
    with pytest.raises(plugins.PluginNeeded):
        read_settings(t2_file)
    assert same_content(t2_file, made_again(t1_file, t2_file, tmp_path, allowed=[plugin]))


def test_one_pass_writes_the_same_recipe(raw_run, t1_file, tmp_path):
    chain = Tier1Processor.from_settings({"chain": CHAIN, "outputs": ["trap_max", "a_over_e"]})
    done = process_run(raw_run, output_dir=tmp_path, processor=chain)
    assert same_content(done.outputs[-1], made_again(t1_file, done.outputs[-1], tmp_path))


def test_values_that_are_no_numbers_are_counted_in_the_file(t1_file, tmp_path):
    path = ProcessTier1(t1_file, Tier1Processor.from_chain(CHAIN), out_dir=tmp_path)
    with TierFile(path) as file:
        told = json.loads(file.texts("/")["not_finite"])
        rows = file.table("data").read().rows
    assert told == {"a_over_e": {"nan": int(np.isnan(rows["a_over_e"]).sum()), "inf": 0}}
    assert told["a_over_e"]["nan"] > 0


def test_asking_for_a_column_that_the_chain_does_not_give_is_refused(t1_file, tmp_path):
    chain = Tier1Processor(default_list=True, outputs=["trap_mx"])
    with pytest.raises(
        SettingsError, match="outputs: the chain gives no column 'trap_mx'; did you mean trap_max"
    ):
        ProcessTier1(t1_file, chain, out_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_tier_1_file_holds_no_chain_and_says_so(t1_file):
    with pytest.raises(SettingsError, match=r"^t1_run5\.h5: it does not say with which chain it was made"):
        read_settings(t1_file)
