"""Tests undo and redo."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama_gui.session import changes
from pygama_gui.session.state import (
    Arrangement,
    ChannelMap,
    ChannelsChoice,
    PlaneChoice,
    Run,
    Session,
    ShiftNotes,
    SpectrumChoice,
    Step,
    TrendsChoice,
    WaveformChoice,
    consistent,
)
from pygama_gui.session.store import Store


def test_undoing_a_move_puts_the_step_back() -> None:
    store = Store()
    store.change(changes.move_step, 2, 0)
    store.undo()
    assert store.session.chain == Session().chain


def test_the_edit_menu_names_what_is_undone() -> None:
    store = Store()
    store.change(changes.set_tier0, "window", "max")
    assert store.undo_label == "change a Tier 0 option (window)"
    store.undo()
    assert (store.undo_label, store.redo_label) == ("", "change a Tier 0 option (window)")


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (changes.set_setting, (2, "rise", 300), "change a setting of a step (rise of trap_filter)"),
        (changes.enable_step, (1, False), "switch a step (bl_subtract)"),
        (changes.add_step, ("pole_zero",), "add a step (pole_zero)"),
        (changes.move_step, (3, 0), "move a step (trap_max)"),
        (changes.remove_run, ("run1",), "remove run from the list (run 1)"),
        (changes.mark_region, ((1.0, 2.0),), "mark a region of the spectrum"),
        (changes.set_band, (3.0, 2), "choose the reference band of the trends"),
        (changes.watch_folder, (Path("/raw"),), "choose the folder that is watched for new runs"),
        (changes.allow_jobs, (2,), "choose how many runs are processed at once"),
    ],
)
def test_what_is_undone_says_what_it_is_about(
    change: Callable[..., Session], arguments: tuple[Any, ...], words: str
) -> None:
    store = Store(changes.add_runs(Session(), [run(1)]))
    store.change(change, *arguments)
    assert store.undo_label == words


def test_a_drag_is_undone_as_one() -> None:
    store = Store()
    for rise in (410, 420, 430):
        store.change(changes.set_setting, 2, "rise", rise, merge="2 rise")
    store.undo()
    assert store.session.chain == Session().chain


def test_two_drags_are_undone_one_by_one() -> None:
    store = Store()
    store.change(changes.set_setting, 2, "rise", 410, merge="2 rise")
    store.settle()
    store.change(changes.set_setting, 2, "rise", 420, merge="2 rise")
    store.undo()
    assert store.session.chain[2].settings == {"rise": 410}


def test_what_is_only_looked_at_is_not_undone() -> None:
    store = Store()
    store.change(changes.choose_theme, "dark")
    assert store.undo_label == ""


def test_undo_leaves_alone_what_is_only_looked_at() -> None:
    store = Store()
    store.change(changes.set_tier0, "window", "max")
    store.change(changes.choose_theme, "dark")
    store.undo()
    assert (dict(store.session.tier0), store.session.theme) == ({}, "dark")


def test_listeners_hear_the_old_and_the_new_session() -> None:
    store = Store()
    heard = []
    store.listeners.append(lambda old, new: heard.append((old.output_dir, new.output_dir)))
    store.change(changes.choose_output_dir, Path("/out"))
    assert heard == [(None, Path("/out"))]


def test_a_change_that_changes_nothing_is_not_heard() -> None:
    store = Store()
    heard = []
    store.listeners.append(lambda old, new: heard.append(new))
    store.change(changes.choose_tab, 0)
    assert heard == []


def test_a_drag_with_a_look_elsewhere_in_it_is_undone_as_one_and_the_look_stays() -> None:
    store = Store()
    store.change(changes.set_setting, 2, "rise", 410, merge="2 rise")
    store.change(changes.choose_tab, 2)
    store.change(changes.set_setting, 2, "rise", 420, merge="2 rise")
    store.undo()
    assert (store.session.chain, store.session.tab) == (Session().chain, 2)
    assert store.undo_label == ""


def test_undoing_a_region_leaves_the_channel_that_was_chosen_since() -> None:
    store = Store()
    store.change(changes.mark_region, (1.0, 2.0))
    store.change(changes.show_spectrum, replace(store.session.spectrum, channel=3))
    store.undo()
    assert (store.session.spectrum.roi, store.session.spectrum.channel) == (None, 3)


def test_undoing_the_band_of_the_trends_leaves_the_column_that_was_chosen_since() -> None:
    store = Store()
    store.change(changes.set_band, 3.0, 2)
    store.change(changes.show_trends, replace(store.session.trends, column="bl_int"))
    store.undo()
    trends = store.session.trends
    assert (trends.k, trends.n_reference, trends.column) == (TrendsChoice().k, 0, "bl_int")


def test_undoing_the_addition_of_the_selected_run_selects_one_that_is_there() -> None:
    store = Store(changes.add_runs(Session(), [run(1)]))
    store.change(changes.add_runs, [run(2)])
    store.change(changes.select_run, "run2")
    store.undo()
    assert store.session.selected == "run1"
    assert store.session.recent[0] == run(2).path


def test_undoing_the_opening_of_a_session_brings_all_of_the_old_one_back() -> None:
    old = changes.set_tier0(changes.add_runs(Session(theme="dark"), [run(1)]), "n_samp", 9)
    store = Store(old)
    store.change(changes.open_session, Session(layout="Tune"))
    assert store.undo_label == "open a session"
    store.undo()
    assert store.session == old


def run(number: int) -> Run:
    return Run(f"run{number}", Path(f"/data/Run{number}"), number)


few = st.integers(0, 3)
settings = st.tuples(few, st.sampled_from(["rise", "flat"]), st.integers(1, 3))
outputs = st.dictionaries(st.just("trap_max"), st.just("top"), max_size=1)
ends = st.tuples(st.floats(0, 1), st.floats(2, 3))
steps = st.sampled_from(["trap_max", "pole_zero"])
choices = st.builds(SpectrumChoice, column=st.sampled_from(["trap_max", "energy"]), roi=st.none() | ends)
places = st.none() | st.builds(Arrangement, st.sampled_from("ab"))
ARGUMENTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "add_runs": st.lists(few.map(run), max_size=3).map(lambda runs: (runs,)),
    "open_tier_files": st.lists(few.map(run), max_size=3).map(lambda runs: (runs,)),
    "take_tier1": few.map(lambda number: (f"run{number}", Path("t1.h5"))),
    "take_tier_files": st.tuples(
        few.map("run{}".format), st.none() | st.just(Path("t1.h5")), st.just(Path("t2.h5"))
    ),
    "take_raw": st.tuples(few.map("run{}".format), few.map(run)),
    "take_new_place": st.tuples(few.map("run{}".format), few.map(run)),
    "redo_runs": st.lists(few.map("run{}".format)).map(lambda ids: (ids,)),
    "remove_run": few.map(lambda number: (f"run{number}",)),
    "write_aside": st.tuples(few.map("run{}".format), st.sampled_from(["", ".1"])),
    "skip_record": st.tuples(few.map("run{}".format), few),
    "select_run": few.map(lambda number: (f"run{number}",)),
    "set_tier0": st.tuples(st.sampled_from(["window", "n_samp"]), st.integers(0, 2)),
    "reset_tier0": st.sampled_from(["window", "n_samp"]).map(lambda name: (name,)),
    "set_setting": settings,
    "reset_setting": settings.map(lambda drawn: drawn[:2]),
    "enable_step": st.tuples(few, st.booleans()),
    "add_step": steps.map(lambda name: (name,)),
    "reset_step": few.map(lambda index: (index,)),
    "insert_steps": st.tuples(few, st.lists(steps.map(Step), max_size=2)),
    "duplicate_step": st.tuples(few, outputs),
    "rename_output": st.tuples(few, st.just("trap_max"), st.sampled_from(["trap_max", "top"])),
    "choose_input": st.tuples(few, st.just("wf_trap"), st.sampled_from(["", "wf_fast"])),
    "set_channels": st.tuples(few, st.dictionaries(st.sampled_from("12"), outputs, max_size=2)),
    "adopt_settings": st.just(([(0, "i_end", 3)],)),
    "remove_step": few.map(lambda index: (index,)),
    "move_step": st.tuples(few, st.integers(-1, 5)),
    "set_chain": st.lists(steps.map(Step), max_size=3).map(lambda chain: (chain,)),
    "keep_columns": st.lists(st.sampled_from(["trap_max", "bl_int"]), max_size=2).map(lambda names: (names,)),
    "keep_waves": st.lists(st.sampled_from(["waveform", "wf_trap"]), max_size=2).map(lambda names: (names,)),
    "set_compact": st.booleans().map(lambda is_compact: (is_compact,)),
    "take_chain": st.lists(steps.map(Step), max_size=3).map(lambda chain: (chain,)),
    "take_channel_map": st.builds(ChannelMap, st.none() | st.just(Path("/map.csv"))).map(lambda one: (one,)),
    "forget_channel_map": st.just(()),
    "choose_channel": (st.none() | few).map(lambda channel: (channel,)),
    "choose_line": (st.none() | ends).map(lambda line: (line,)),
    "watch_folder": st.sampled_from([None, Path("/raw")]).map(lambda folder: (folder,)),
    "allow_jobs": st.integers(1, 4).map(lambda number: (number,)),
    "select_step": few.map(lambda index: (index,)),
    "choose_output_dir": st.sampled_from("ab").map(lambda name: (Path(name),)),
    "process_on_add": st.booleans().map(lambda is_wanted: (is_wanted,)),
    "choose_size": st.integers(50, 300).map(lambda percent: (percent,)),
    "choose_theme": st.sampled_from(["light", "dark"]).map(lambda name: (name,)),
    "choose_tab": st.integers(0, 2).map(lambda tab: (tab,)),
    "show_spectrum": choices.map(lambda choice: (choice,)),
    "mark_region": (st.none() | ends).map(lambda roi: (roi,)),
    "set_markers": st.lists(st.floats(0, 3), max_size=3).map(lambda markers: (markers,)),
    "show_plane": st.builds(PlaneChoice, y=st.sampled_from(["", "bl_int"])).map(lambda choice: (choice,)),
    "show_trends": st.builds(
        TrendsChoice,
        channel=few,
        is_apart=st.booleans(),
        width=st.none() | st.just(10.0),
        window=st.none() | ends,
    ).map(lambda choice: (choice,)),
    "set_band": st.tuples(st.sampled_from([3.0, 4.0]), few),
    "show_channels": st.builds(ChannelsChoice, column=st.sampled_from(["trap_max", "bl_int"])).map(
        lambda choice: (choice,)
    ),
    "show_waveforms": st.builds(WaveformChoice, overlay=few).map(lambda choice: (choice,)),
    "bring_back": st.builds(Session, runs=st.lists(few.map(run), max_size=2).map(tuple)).map(
        lambda session: (consistent(session),)
    ),
    "open_session": st.builds(Session, runs=st.lists(few.map(run), max_size=2).map(tuple)).map(
        lambda session: (consistent(session),)
    ),
    "overrule": st.tuples(st.none(), st.sampled_from([None, "dark"])),
    "sign_as": st.sampled_from(["", "J. Doe"]).map(lambda name: (name,)),
    "note_shift": st.tuples(st.sampled_from(["1", "2"]), st.sampled_from(["", "all quiet"])).map(
        lambda given: (given[0], ShiftNotes(given[0], MappingProxyType({"rate": given[1]})))
    ),
    "choose_layout": st.sampled_from(["Process", "Tune"]).map(lambda name: (name,)),
    "arrange": st.tuples(st.sampled_from("gh"), places),
}
"""Change -> what it may be given. Steps are counted from the first; there may be fewer than four."""
OF_A_STEP = {
    name for name in ARGUMENTS if name.endswith(("_step", "_setting", "_output", "_input", "_channels"))
}
OF_A_STEP -= {"add_step", "select_step", "show_channels"}
one_change = st.sampled_from(sorted(ARGUMENTS)).flatmap(
    lambda name: st.tuples(st.just(name), ARGUMENTS[name], st.sampled_from(["", "drag"]))
)


def test_the_random_changes_are_all_that_there_are() -> None:
    names = {
        name
        for name, function in inspect.getmembers(changes, inspect.isfunction)
        if function.__module__ == changes.__name__ and not name.startswith("_")
    }
    assert set(ARGUMENTS) == names - {"label", "on_view"}


def make(store: Store, name: str, arguments: tuple[Any, ...], merge: str) -> None:
    is_possible = name not in OF_A_STEP or arguments[0] < len(store.session.chain)
    if name == "adopt_settings":
        is_possible = bool(store.session.chain)
    if name == "select_run":
        is_possible = store.session.run(arguments[0]) is not None
    if name == "select_step":
        is_possible = arguments[0] < len(store.session.chain)
    if is_possible:
        store.change(getattr(changes, name), *arguments, merge=merge and f"{name} {merge}")


def test_a_run_that_was_processed_anew_is_that_again_after_undo_and_redo() -> None:
    store = Store()
    store.change(changes.add_runs, [Run("r", Path("Run7"), 7)])
    store.change(changes.take_tier_files, "r", None, Path("t2_run7.h5"))
    store.change(changes.redo_runs, ["r"])
    before = store.session
    store.undo()
    store.undo()
    assert store.session.runs == ()
    store.redo()
    store.redo()
    assert store.session.runs == before.runs


def test_a_drag_that_is_given_up_leaves_nothing_to_undo_and_what_there_was_to_redo() -> None:
    store = Store()
    store.change(changes.mark_region, (1.0, 2.0))
    store.change(changes.mark_region, (3.0, 4.0))
    store.undo()
    store.settle()
    store.give_up()
    assert store.session.spectrum.roi == (1.0, 2.0), "there is no drag"
    for end in (5.0, 6.0, 7.0):
        store.change(changes.mark_region, (1.0, end), merge="region")
    store.give_up()
    assert store.session.spectrum.roi == (1.0, 2.0)
    store.redo()
    assert store.session.spectrum.roi == (3.0, 4.0)
    store.undo()
    store.undo()
    assert store.undo_label == ""


@given(st.lists(one_change, max_size=25))
def test_undoing_everything_gives_the_first_session_and_redoing_it_the_last(
    drawn: list[tuple[str, tuple[Any, ...], str]],
) -> None:
    store = Store()
    for name, arguments, merge in drawn:
        if name not in changes.VIEW_ONLY:
            make(store, name, arguments, merge)
    last = store.session
    while store.undo_label:
        store.undo()
    assert store.session == replace(Session(), recent=last.recent)
    while store.redo_label:
        store.redo()
    assert store.session == last


@given(st.lists(one_change, max_size=25))
def test_undoing_everything_leaves_only_what_was_looked_at(
    drawn: list[tuple[str, tuple[Any, ...], str]],
) -> None:
    store = Store()
    for name, arguments, merge in drawn:
        make(store, name, arguments, merge)
    last = store.session
    while store.undo_label:
        store.undo()
    first = Session()
    done = ("runs", "tier0", "chain", "output_dir", "process_on_add")
    assert {name: getattr(store.session, name) for name in done} == {
        name: getattr(first, name) for name in done
    }
    while store.redo_label:
        store.redo()
    assert {name: getattr(store.session, name) for name in done} == {
        name: getattr(last, name) for name in done
    }
    assert store.session == consistent(store.session)
