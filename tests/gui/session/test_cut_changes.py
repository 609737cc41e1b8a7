"""Tests the changes of cuts."""

from __future__ import annotations

import pytest

from pygama.analysis.cuts import Cut
from pygama_gui.data.selection import passing_of
from pygama_gui.session import cut_changes, saved
from pygama_gui.session.state import Session
from pygama_gui.session.store import Store


@pytest.fixture
def session() -> Session:
    return Session(cuts=(Cut("low", "x > 1"), Cut("high", "x < 9"), Cut("both", "low & high")), cut="high")


def test_an_added_cut_stands_last_and_is_chosen() -> None:
    once = cut_changes.add_cut(Session(), "a", "x > 1", "#fff")
    assert once.cuts == (Cut("a", "x > 1", "#fff"),)
    assert once.cut == "a"
    assert cut_changes.add_cut(once, "a", "x > 2") is once


def test_renaming_a_cut_renames_it_where_others_name_it(session: Session) -> None:
    renamed = cut_changes.rename_cut(session, "low", "floor")
    assert [cut.expression for cut in renamed.cuts] == ["x > 1", "x < 9", "floor & high"]
    assert cut_changes.rename_cut(session, "low", "high") is session


def test_renaming_leaves_longer_words_and_backquotes_alone() -> None:
    assert cut_changes.renamed("low & lower > 1 | `low`", "low", "a") == "a & lower > 1 | a"
    assert cut_changes.renamed("low &", "low", "a") == "low &"


def test_removing_the_chosen_cut_chooses_the_one_behind_it(session: Session) -> None:
    assert cut_changes.remove_cut(session, "high").cut == "both"
    assert cut_changes.remove_cut(session, "low").cut == "high"
    assert cut_changes.remove_all_cuts(session).cut == ""


def test_a_moved_cut_stands_at_its_new_place(session: Session) -> None:
    moved = cut_changes.move_cut(session, "low", 2)
    assert [cut.name for cut in moved.cuts] == ["high", "both", "low"]
    assert moved.cut == "low"


def test_a_copy_stands_behind_the_cut(session: Session) -> None:
    copied = cut_changes.duplicate_cut(session, "low", "low1", "red")
    assert copied.cuts[1] == Cut("low1", "x > 1", "red")


def test_dragging_an_edge_is_undone_in_one_and_named() -> None:
    store = Store(Session(cuts=(Cut("a", "0 <= x < 1"),)))
    for high in (2, 3, 4):
        store.change(cut_changes.edit_cut, "a", f"0 <= x < {high}", merge="cut")
    assert store.undo_label == "change cut (a)"
    store.undo()
    assert store.session.cuts[0].expression == "0 <= x < 1"


def test_choosing_a_cut_is_not_undone() -> None:
    store = Store(Session(cuts=(Cut("a", "x > 1"),)))
    store.change(cut_changes.choose_cut, "a")
    assert store.undo_label == ""


def test_switching_and_inverting_change_what_passes(session: Session) -> None:
    seen = {passing_of(session)}
    seen.add(passing_of(cut_changes.switch_cut(session, "high", False)))
    seen.add(passing_of(cut_changes.invert_cut(session, "high", True)))
    assert len(seen) == 3
    assert passing_of(cut_changes.color_cut(session, "high", "red")) in seen


def test_cuts_are_saved_and_read_with_the_session(session: Session) -> None:
    assert saved.from_json(saved.to_json(session)).cuts == session.cuts


def test_a_session_without_cuts_of_an_earlier_version_is_read(session: Session) -> None:
    plain = saved.to_json(session)
    del plain["cuts"], plain["cut"]
    plain["waveforms"] = {"is_only_roi": True}
    read = saved.from_json(plain)
    assert read.cuts == ()
    assert read.waveforms.is_only_roi
    assert read.waveforms.is_only_passing


def test_of_cuts_with_one_name_a_session_file_keeps_the_first(session: Session) -> None:
    plain = saved.to_json(session)
    plain["cuts"] = [*plain["cuts"], {"name": "low", "expression": "x > 5"}]
    assert saved.from_json(plain).cuts == session.cuts
