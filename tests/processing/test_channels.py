"""Settings that differ by channel."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import pytest

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.base import Tier1Processor
from pygama.processing.chain import Chain
from pygama.processing.steps import Step
from pygama.processing.tier2_sink import Chain as Work

PLACES = [(0, 5, 0), (0, 5, 1), (0, 6, 0), (1, 5, 0)]


def block_of(n_rows: int = 12, period_ns: object = 10.0) -> Block:
    """Rows of four channels in turn; sample k of row i is 100 * i + k."""
    rows = np.zeros(n_rows, [("crate", "i8"), ("card", "i8"), ("channel", "i8"), ("period_ns", "f8")])
    for row in range(n_rows):
        rows["crate"][row], rows["card"][row], rows["channel"][row] = PLACES[row % 4]
    rows["period_ns"] = period_ns
    waves = 100 * np.arange(n_rows)[:, None] + np.arange(64)
    return Block("made_up", rows, waves.astype(np.uint16))


def ends_seen(step: Step, block: Block | None = None) -> list[float]:
    """Give the length of the stretch whose mean each of the first four rows got."""
    block = block or block_of()
    means = Chain([step]).run(block)["bl_avg"] - 100 * np.arange(len(block))
    return (2 * means[:4] + 1).tolist()


def mean_of_ten(channels: dict) -> Step:
    return Step("avg_baseline", {"i_end": 10}, channels=channels)


def test_a_channel_gets_its_own_setting_and_the_others_keep_theirs():
    assert ends_seen(mean_of_ten({"0/5/1": {"i_end": 20}})) == [10, 20, 10, 10]


def test_the_place_that_says_more_is_stronger():
    channels = {"0/5/0": {"i_end": 40}, "5/0": {"i_end": 30}, "0": {"i_end": 20}}
    assert ends_seen(mean_of_ten(channels)) == [40, 10, 20, 30]
    assert ends_seen(mean_of_ten(dict(reversed(channels.items())))) == [40, 10, 20, 30]


def test_rows_keep_their_order():
    block = block_of(50)
    means = Chain([mean_of_ten({"1": {"i_end": 20}})]).run(block)["bl_avg"]
    expected = 100 * np.arange(50) + np.where(np.arange(50) % 4 == 1, 9.5, 4.5)
    assert np.array_equal(means, expected)


def test_a_time_of_a_channel_becomes_samples_by_its_own_period():
    period = np.resize([10.0, 20.0, 10.0, 5.0], 12)
    step = mean_of_ten({"5/1": {"i_end": "400 ns"}, "1/5/0": {"i_end": "0.2 us"}})
    assert ends_seen(step, block_of(12, period)) == [10, 20, 10, 40]


def test_channels_with_the_same_settings_share_a_plan():
    chain = Chain([mean_of_ten({"0/5/1": {"i_end": 20}, "0/6/0": {"i_end": 20}})])
    chain.run(block_of())
    assert len(chain._plans) == 2


def test_rows_without_a_channel_are_refused():
    block = block_of()
    message = "^step 1, avg_baseline, has settings by channel, but the rows have no column channel$"
    with pytest.raises(SettingsError, match=message):
        Chain([mean_of_ten({"1": {"i_end": 20}})]).run(
            Block("X", block.rows[["crate", "period_ns"]], block.waveforms)
        )


def test_rows_without_crate_and_card_know_their_channel():
    block = block_of()
    only = Block("X", block.rows[["channel"]].copy(), block.waveforms)
    assert ends_seen(mean_of_ten({"1": {"i_end": 20}, "0/5/0": {"i_end": 30}}), only) == [10, 20, 10, 10]


@pytest.mark.parametrize(
    ("channels", "told"),
    [
        ({"x": {}}, "a channel is given as crate/card/channel, card/channel or channel, not 'x'"),
        ({"1/2/3/4": {}}, "not '1/2/3/4'"),
        ({"0/5/2": {"i_end": -1}}, "channel 0/5/2: i_end must be 0 samples or more, not -1"),
        ({"2": {"rise": 1}}, "channel 2: avg_baseline has no setting 'rise'"),
        ({"0/2": {}, "0/02": {}}, "'0/2' and '0/02' are one channel; leave one of them out"),
        ({"2": 7}, "channel 2: settings must be names and values in braces, not 7"),
        ([1], r"channels must be places and their settings in braces, not \[1\]"),
    ],
)
def test_what_is_wrong_names_step_and_channel(channels, told):
    with pytest.raises(SettingsError, match=f"^step 1(, avg_baseline)?: .*{told}"):
        Tier1Processor.from_chain([{"step": "avg_baseline", "channels": channels}])


def test_settings_of_channels_go_through_a_settings_file():
    entry = {"step": "avg_baseline", "settings": {"i_end": 10}, "channels": {"0/5/1": {"i_end": 20}}}
    processor = Tier1Processor.from_chain([entry])
    assert processor.to_chain() == [entry]
    assert ends_seen(processor.steps[0]) == [10, 20, 10, 10]


def test_add_takes_them_and_they_beat_all_others():
    processor = Tier1Processor({"avg_baseline": {"i_end": 8}})
    processor.add("avg_baseline", {"i_end": 10}, channels={"1": {"i_end": 20}})
    assert ends_seen(processor.steps[0]) == [10, 20, 10, 10]


def test_a_table_of_channels_is_read_into_the_step(tmp_path):
    table = tmp_path / "channels.json"
    table.write_text(json.dumps([{"crate": 0, "card": 5, "channel": 1, "i_end": 20, "other": 1}]))
    processor = Tier1Processor.from_chain(
        [{"step": "avg_baseline", "settings": {"i_end": 10}, "channels": str(table)}]
    )
    table.unlink()
    assert processor.to_chain()[0]["channels"] == {"0/5/1": {"i_end": 20}}
    assert ends_seen(processor.steps[0]) == [10, 20, 10, 10]


def test_a_table_may_be_a_database(tmp_path):
    base = sqlite3.connect(tmp_path / "channels.db")
    base.execute("CREATE TABLE channels (crate INT, card INT, channel INT, i_end TEXT)")
    base.execute("INSERT INTO channels VALUES (0, 6, 0, '300 ns')")
    base.commit()
    base.close()
    processor = Tier1Processor()
    processor.add("avg_baseline", {"i_end": 10}, channels=str(tmp_path / "channels.db"))
    assert ends_seen(processor.steps[0]) == [10, 10, 30, 10]


def test_a_table_with_nothing_for_the_step_is_refused(tmp_path):
    table = tmp_path / "channels.json"
    table.write_text(json.dumps([{"crate": 0, "card": 5, "channel": 1, "tau": 20}]))
    with pytest.raises(SettingsError, match="no channel has a setting of avg_baseline: i_start, i_end$"):
        Tier1Processor().add("avg_baseline", channels=str(table))


def test_settings_of_a_channel_that_does_not_come_are_told():
    processor = Tier1Processor()
    processor.add("avg_baseline", {"i_end": 10}, channels={"0/5/1": {"i_end": 20}, "9": {}, "7/0": {}})
    work = Work(processor, None)
    work.run(block_of())
    assert work.remarks() == ["settings are given for channel 9, 7/0, which did not come"]


def test_fused_kernels_take_each_channel_with_its_own_settings():
    names = ("fit_baseline", "bl_subtract", "trap_filter", "trap_max")
    settings = {"fit_baseline": {"i_end": 20}, "trap_filter": {"rise": 8, "flat": 4}}
    own = {"trap_filter": {"0/5/1": {"rise": 16}}}
    steps = [Step(name, settings.get(name, {}), channels=own.get(name, {})) for name in names]
    noise = np.random.default_rng(1).integers(0, 50, (40, 64))
    block = Block("X", block_of(40).rows, (1000 + noise).astype(np.uint16))
    fused, plain = (Chain(steps, fused=fused).run(block) for fused in (True, False))
    assert np.allclose(fused["trap_max"], plain["trap_max"], rtol=0, atol=1e-6)
    alike = Chain([Step(name, settings.get(name, {})) for name in names]).run(block)["trap_max"]
    differs = np.abs(plain["trap_max"] - alike) > 1e-6
    assert np.array_equal(differs, np.arange(40) % 4 == 1)
