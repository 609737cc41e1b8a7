"""Tests the changes of a session."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from pygama_gui.session import changes
from pygama_gui.session.state import Arrangement, Run, Session, Step


def run(number: int) -> Run:
    return Run(f"run{number}", Path(f"/data/Run{number}"), number)


def test_added_runs_stand_in_the_order_of_their_numbers() -> None:
    session = changes.add_runs(Session(), [run(72), run(9)])
    assert [run.run_number for run in session.runs] == [9, 72]


def test_a_run_is_added_only_once() -> None:
    once = changes.add_runs(Session(), [run(72)])
    assert changes.add_runs(once, [run(72)]) is once


def test_the_first_run_that_is_added_is_selected() -> None:
    assert changes.add_runs(Session(), [run(72), run(9)]).selected == "run72"


def test_added_runs_are_the_newest_of_the_recent_files() -> None:
    session = changes.add_runs(changes.add_runs(Session(), [run(1)]), [run(2)])
    assert session.recent == (Path("/data/Run2"), Path("/data/Run1"))


def test_removing_the_selected_run_selects_another() -> None:
    session = changes.add_runs(Session(), [run(1), run(2)])
    assert changes.remove_run(session, "run1").selected == "run2"


def test_a_changed_setting_is_kept_and_a_reset_one_is_gone() -> None:
    changed = changes.set_setting(Session(), 2, "rise", 300)
    assert changed.chain[2] == Step("trap_filter", {"rise": 300})
    assert changes.reset_setting(changed, 2, "rise").chain == Session().chain


def test_a_new_step_comes_behind_the_selected_one() -> None:
    session = changes.add_step(Session(), "pole_zero")
    assert [step.step for step in session.chain][2:4] == ["trap_filter", "pole_zero"]
    assert session.step == 3


def test_a_moved_step_stays_selected() -> None:
    session = changes.move_step(Session(), 2, 0)
    assert session.chain[0].step == "trap_filter"
    assert session.step == 0


@pytest.mark.parametrize("to", [-1, 99])
def test_a_step_moved_beyond_an_end_stops_there(to: int) -> None:
    session = changes.move_step(Session(), 1, to)
    assert session.chain[0 if to < 0 else -1].step == "bl_subtract"


def test_removing_the_last_step_leaves_none_selected() -> None:
    session = Session(chain=(Step("trap_max"),), step=0)
    assert changes.remove_step(session, 0).step is None


def test_a_chain_is_given_as_settings_files_hold_it() -> None:
    session = changes.enable_step(changes.set_setting(Session(), 0, "i_end", 800), 1, False)
    assert session.to_chain()[:2] == [
        {"step": "fit_baseline", "settings": {"i_end": 800}},
        {"step": "bl_subtract", "enabled": False},
    ]


def test_every_change_has_words_for_the_edit_menu() -> None:
    labels = [changes.label(change) for change in all_changes()]
    assert all(labels)
    assert "change a Tier 0 option" in labels
    assert "open a session" in labels
    assert [words for words in labels if ";" in words or len(words) > 60] == []


def test_opening_a_session_keeps_the_runs_that_are_under_way() -> None:
    present = changes.add_runs(Session(), [run(1), run(2)])
    other = changes.add_runs(changes.set_tier0(Session(), "n_samp", 9), [run(3)])
    opened = changes.open_session(present, other, ["run2"])
    assert [one.run_number for one in opened.runs] == [2, 3]
    assert (opened.selected, dict(opened.tier0)) == ("run3", {"n_samp": 9})


def test_opening_a_session_without_an_output_folder_keeps_the_present_one() -> None:
    present = changes.choose_output_dir(Session(), Path("/out"))
    assert changes.open_session(present, Session()).output_dir == Path("/out")
    other = changes.choose_output_dir(Session(), Path("/else"))
    assert changes.open_session(present, other).output_dir == Path("/else")


def test_the_command_line_beats_the_session(tmp_path: Path) -> None:
    session = changes.overrule(Session(output_dir=Path("/out")), tmp_path, "dark")
    assert (session.output_dir, session.theme) == (tmp_path, "dark")
    assert changes.overrule(session, None, None) == session


def test_each_layout_keeps_its_own_arrangement() -> None:
    session = changes.arrange(Session(), "g", Arrangement("a"))
    session = changes.arrange(changes.choose_layout(session, "Tune"), "g", Arrangement("b"))
    assert session.arrangements == {"Process": Arrangement("a"), "Tune": Arrangement("b")}
    assert changes.arrange(session, "g", None).arrangements == {"Process": Arrangement("a")}


def all_changes() -> list[Callable[..., Session]]:
    return [
        function
        for name, function in inspect.getmembers(changes, inspect.isfunction)
        if function.__module__ == changes.__name__
        and not name.startswith("_")
        and name not in ("label", "on_view")
    ]
