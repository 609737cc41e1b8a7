"""Tests undo and redo."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pygama_gui.session import changes
from pygama_gui.session.state import Session
from pygama_gui.session.store import Store


def test_undoing_a_move_puts_the_step_back() -> None:
    store = Store()
    store.change(changes.move_step, 2, 0)
    store.undo()
    assert store.session.chain == Session().chain


def test_the_edit_menu_names_what_is_undone() -> None:
    store = Store()
    store.change(changes.set_tier0, "window", "max")
    assert store.undo_label == "change a tier 0 option"
    store.undo()
    assert (store.undo_label, store.redo_label) == ("", "change a tier 0 option")


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


moves = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 5)), max_size=12)


@given(moves)
def test_undoing_everything_gives_the_first_session(pairs: list[tuple[int, int]]) -> None:
    store = Store()
    for index, to in pairs:
        store.change(changes.move_step, index, to)
    last = store.session
    while store.undo_label:
        store.undo()
    assert store.session.chain == Session().chain
    while store.redo_label:
        store.redo()
    assert store.session == last
