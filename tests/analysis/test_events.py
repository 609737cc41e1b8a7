from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis import events
from pygama.analysis.events import accidentals, build_events, window_starts
from pygama.errors import SettingsError
from pygama.simulate import RunShape
from pygama.simulate.events import draw_events

US = 1e-6


def events_one_by_one(times: list[float], window: float, *, sliding: bool) -> list[int]:
    """Number the events of sorted times by the rule, hit by hit."""
    numbers: list[int] = []
    opened = -np.inf
    for place, time in enumerate(times):
        if place == 0 or time > opened + window:
            numbers.append(numbers[-1] + 1 if numbers else 0)
            opened = time
        else:
            numbers.append(numbers[-1])
            opened = time if sliding else opened
    return numbers


@settings(max_examples=300)
@given(
    times=st.lists(st.integers(0, 60), max_size=40),
    window=st.integers(0, 12),
    sliding=st.booleans(),
    is_float=st.booleans(),
)
def test_windows_open_as_the_rule_says(times, window, sliding, is_float):
    values = np.sort(np.array(times, float if is_float else int))
    start = window_starts(values, window, sliding=sliding)
    found = np.repeat(np.arange(len(start) - 1), np.diff(start)).tolist()
    assert found == events_one_by_one(values.tolist(), window, sliding=sliding)


def test_a_stretch_that_is_gone_through_in_pieces_is_parted_by_the_same_rule(monkeypatch):
    monkeypatch.setattr(events, "_AT_ONCE", 7)
    times = np.sort(np.random.default_rng(3).uniform(0, 100, 1000))
    start = window_starts(times, 0.35)
    found = np.repeat(np.arange(len(start) - 1), np.diff(start)).tolist()
    assert found == events_one_by_one(times.tolist(), 0.35, sliding=False)
    assert len(start) < 300


@pytest.mark.parametrize("rate", [0.1, 1.0, 5.0])
def test_many_stretches_side_by_side_are_parted_by_the_same_rule(rate):
    times = np.sort(np.random.default_rng(1).uniform(0, 5000 / rate, 5000))
    start = window_starts(times, 1.0)
    found = np.repeat(np.arange(len(start) - 1), np.diff(start)).tolist()
    assert found == events_one_by_one(times.tolist(), 1.0, sliding=False)


@settings(max_examples=100)
@given(
    hits=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), st.integers(0, 1000)), max_size=60),
    window=st.integers(0, 20),
    sliding=st.booleans(),
)
def test_a_table_of_events_sums_what_its_hits_have(hits, window, sliding):
    time_s, channel, energy = (np.array([hit[i] for hit in hits], float) for i in range(3))
    columns = {"time_s": time_s, "channel": channel.astype(int), "energy": energy}
    built = build_events(columns, window, sliding=sliding, summed="energy")
    for event in range(len(built)):
        row = {name: values[event] for name, values in built.table.items()}
        members = built.event == event
        assert row["multiplicity"] == members.sum() == built.multiplicity[members][0]
        assert row["time_s"] == time_s[members].min()
        assert row["duration_s"] == np.ptp(time_s[members])
        assert row["n_channels"] == len(set(channel[members])) == len(built.channels_of(event))
        assert row["sum"] == energy[members].sum()
        assert row["greatest"] == energy[members].max()
        assert set(built.hits_of(event)) == set(np.flatnonzero(members))
    assert built.table["multiplicity"].sum() == len(hits)
    assert (np.diff(built.table["time_s"]) > window).all() or len(built) < 2


def columns_of(*hits: tuple[float, int], card: int = 0) -> dict[str, np.ndarray]:
    return {
        "time_s": np.array([time for time, _ in hits]),
        "channel": np.array([channel for _, channel in hits]),
        "card": np.full(len(hits), card),
    }


def test_a_hit_at_the_very_end_of_the_window_belongs_to_it():
    built = build_events(columns_of((1.0, 0), (1.5, 1), (2.5, 2)), 0.5)
    assert built.event.tolist() == [0, 0, 1]


def test_a_fixed_window_ends_where_a_sliding_one_goes_on():
    columns = columns_of((0.0, 0), (0.75, 1), (1.5, 2))
    assert build_events(columns, 1.0).event.tolist() == [0, 0, 1]
    assert build_events(columns, 1.0, sliding=True).event.tolist() == [0, 0, 0]


def test_hits_of_a_bank_come_channel_by_channel_and_are_put_in_order():
    built = build_events(columns_of((0.0, 0), (5.0, 0), (1e-6, 1), (5.0, 1)), 2 * US)
    assert built.event.tolist() == [0, 1, 0, 1]
    assert built.multiplicity.tolist() == [2, 2, 2, 2]
    assert built.channels_of(0) == ("0/0/0", "0/0/1")


def test_pulses_of_a_simulated_run_are_coincidences_of_all_channels():
    drawn = draw_events(RunShape(seed=3, n_events=20_000, rate_hz=50.0), np.random.default_rng(3))
    columns = {"time_s": drawn["timestamp"] * 1e-8, "channel": drawn["place"].astype(int)}
    built = build_events(columns, 1 * US)
    is_pulse = drawn["kind"] == 4
    assert (built.table["n_channels"][built.event[is_pulse]] == 3).all()
    assert built.coincidences() == is_pulse.sum() / 3
    chance = built.accidentals(float(columns["time_s"].max()))
    assert chance.expected < 1


def two_cards() -> dict[str, np.ndarray]:
    parts = [columns_of((1.0, 0), card=8), columns_of((1.25, 0), card=9)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def test_cards_that_count_time_for_themselves_are_refused():
    with pytest.raises(SettingsError, match=r"the cards 0/8, 0/9 may each count time for itself"):
        build_events(two_cards(), 0.5)


def test_cards_on_one_clock_and_cards_with_offsets_are_built():
    assert len(build_events(two_cards(), 0.5, same_clock=True)) == 1
    assert len(build_events(two_cards(), 0.0, offsets_s={"0/8": 0.25, "0/9": 0.0})) == 1
    assert len(build_events(two_cards(), 0.5, offsets_s={"0/8": -1.0, "0/9": 0.0})) == 2


def test_an_offset_that_is_missing_is_named():
    with pytest.raises(SettingsError, match="says nothing of card 0/9"):
        build_events(two_cards(), 0.5, offsets_s={"0/8": 0.25})


@pytest.mark.parametrize("window_s", [-1.0, np.nan, np.inf])
def test_a_window_that_is_none_is_refused(window_s):
    with pytest.raises(SettingsError, match="a window is 0 s or longer"):
        build_events(columns_of((1.0, 0)), window_s)


def test_hits_without_a_time_are_refused():
    with pytest.raises(SettingsError, match="1 hits have no time"):
        build_events(columns_of((np.nan, 0), (1.0, 1)), 1.0)


@pytest.mark.parametrize("sliding", [False, True])
@pytest.mark.parametrize("rates", [(50.0, 50.0), (200.0, 20.0, 5.0)])
def test_chance_makes_as_many_coincidences_as_estimated(rates, sliding):
    real_s, window_s = 500.0, 2e-3
    rng = np.random.default_rng(7)
    parts = [rng.uniform(0, real_s, rng.poisson(rate * real_s)) for rate in rates]
    columns = {
        "time_s": np.concatenate(parts),
        "channel": np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
    }
    built = build_events(columns, window_s, sliding=sliding)
    chance = built.accidentals(real_s)
    assert built.coincidences() == pytest.approx(chance.expected, abs=4 * chance.error)
    assert chance.expected > 1000


def test_two_slow_channels_meet_by_chance_at_twice_the_product_of_their_rates():
    assert accidentals([1000, 2000], 1000.0, 1e-6).rate_hz == pytest.approx(2 * 1.0 * 2.0 * 1e-6, rel=1e-4)


def test_no_hits_make_no_events():
    built = build_events({"time_s": np.zeros(0), "channel": np.zeros(0, int)}, 1.0)
    assert len(built) == 0
    assert built.accidentals(1.0).expected == 0


def test_hits_of_a_clock_that_starts_anew_are_not_put_together():
    times = np.linspace(0, 10, 200)
    columns = {"time_s": np.concatenate([times, times]), "channel": np.zeros(400, int)}
    with pytest.raises(SettingsError, match="0/0/0: the clock goes back by 10 s at row 200"):
        build_events(columns, 1e-6)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"time_s": [1.0, 2.0], "channel": [1, 2, 3]}, "one length, not 'time_s' 2, 'channel' 3 rows"),
        ({"time_s": [1.0, 2.0], "channel": [1, 2], "e": [5.0]}, "'time_s' 2, 'channel' 2, 'e' 1 rows"),
        ({"time_s": [1.0, 2.0], "channel": [1, 2], "card": [1]}, "'card' has 1 rows, and 'channel' 2"),
        ({"time_s": [1.0, 2.0], "channel": [1, np.nan]}, "1 hits have no channel .NaN., "),
    ],
)
def test_columns_that_do_not_tell_each_hit_are_refused(columns, told):
    with pytest.raises(SettingsError, match=told):
        build_events(columns, 1e-6, summed="e" if "e" in columns else None)
