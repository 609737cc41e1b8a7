"""Tests the changes of data sets, and that a session keeps them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pygama_gui.session import changes, saved
from pygama_gui.session.calibration_changes import calibrations_of
from pygama_gui.session.pictured import brought_back, made_of
from pygama_gui.session.set_changes import (
    data_set_of,
    make_data_set,
    missing_files,
    remove_data_set,
    rename_data_set,
)
from pygama_gui.session.state import Member, Run, Session, ranges_of
from pygama_gui.session.store import Store


def member(number: int, *, tier1: bool = True) -> Member:
    raw = Path(f"raw/Run{number}")
    return Member(
        Run(str(raw), raw, number),
        Path(f"out/t2_run{number}.h5"),
        Path(f"out/t1_run{number}.h5") if tier1 else None,
    )


def session_with(*numbers: int) -> Session:
    made = Session()
    return make_data_set(made, data_set_of(made, [member(number) for number in numbers]))


@pytest.mark.parametrize(
    ("numbers", "text"), [((72,), "72"), ((80, 72, 73, 74), "72-74, 80"), ((5, 5, 7), "5, 7"), ((), "")]
)
def test_numbers_are_written_as_ranges(numbers: tuple[int, ...], text: str) -> None:
    assert ranges_of(numbers) == text


def test_a_data_set_is_named_by_its_runs_in_order_and_is_selected() -> None:
    session = session_with(80, 72, 73)
    (made,) = session.data_sets
    assert made.title == "Runs 72-73, 80"
    assert [one.run.run_number for one in made.members] == [72, 73, 80]
    assert session.selected_run is made
    assert (made.stem, made.raw_names) == ("runs72-73_80", ("Run72", "Run73", "Run80"))


def test_one_run_is_no_data_set() -> None:
    with pytest.raises(ValueError, match="two runs or more, not of 1"):
        data_set_of(Session(), [member(72)])


def test_two_files_of_one_run_and_sub_run_are_refused() -> None:
    with pytest.raises(ValueError, match=r"both hold run 72, sub-run 0: .* leave one of them out"):
        data_set_of(Session(), [member(72), member(73), member(72)])


def test_sub_runs_of_one_run_make_a_data_set() -> None:
    later = replace(member(72), run=replace(member(72).run, sub_run=1))
    made = data_set_of(Session(), [later, member(72)])
    assert [one.run.sub_run for one in made.members] == [0, 1]


def test_no_two_have_the_same_id_or_name() -> None:
    session = session_with(72, 73)
    session = make_data_set(session, data_set_of(session, [member(72), member(73)]))
    first, second = session.data_sets
    assert first.run_id != second.run_id
    assert second.name == "Runs 72-73 (2)"


def test_a_data_set_can_be_renamed_and_the_name_taken_back() -> None:
    store = Store(session_with(72, 73))
    run_id = store.session.selected
    store.change(rename_data_set, run_id, "  Th-228   calibration ")
    assert store.session.data_sets[0].name == "Th-228 calibration"
    assert store.undo_label == "rename data set (runs 72-73)"
    store.undo()
    assert store.session.data_sets[0].name == "Runs 72-73"


def test_runs_and_data_sets_are_found_by_their_ids_after_a_change_too() -> None:
    session = changes.add_runs(session_with(1, 2), [member(1).run, member(2).run])
    assert session.run(session.data_sets[0].run_id) is session.data_sets[0]
    assert session.run(session.runs[1].run_id) is session.runs[1]
    fewer = changes.remove_run(session, session.runs[1].run_id)
    assert fewer.run(session.runs[1].run_id) is None
    assert fewer.run(session.runs[0].run_id) is session.runs[0]


def test_an_empty_name_is_none() -> None:
    session = session_with(72, 73)
    assert rename_data_set(session, session.selected, "  ") is session


def test_a_run_that_leaves_the_list_stays_in_its_data_sets() -> None:
    session = changes.add_runs(session_with(72, 73), [member(72).run])
    session = changes.remove_run(session, member(72).run.run_id)
    assert len(session.data_sets[0].members) == 2


def test_what_is_left_is_selected_when_a_data_set_is_removed() -> None:
    session = changes.add_runs(session_with(72, 73), [member(72).run])
    left = remove_data_set(session, session.data_sets[0].run_id)
    assert left.data_sets == ()
    assert left.selected == member(72).run.run_id


def test_a_session_file_keeps_data_sets() -> None:
    session = session_with(72, 73, 80)
    again = saved.from_json(json.loads(json.dumps(saved.to_json(session))))
    assert again.data_sets == session.data_sets
    assert again.selected == session.selected


def test_files_that_are_not_there_are_listed(tmp_path: Path) -> None:
    there = tmp_path / "t2_run72.h5"
    there.touch()
    one, two = member(72), member(73)
    made = data_set_of(Session(), [Member(one.run, there), two])
    assert missing_files(made) == [two.tier2]


def test_a_picture_brings_its_data_set_back_once() -> None:
    session = session_with(72, 73)
    other = saved.from_json(json.loads(json.dumps(made_of(session)["view"])))
    desk = brought_back(Session(), other)
    assert [one.members for one in desk.data_sets] == [session.data_sets[0].members]
    assert desk.selected == desk.data_sets[0].run_id
    assert len(brought_back(desk, other).data_sets) == 1


def test_no_calibration_is_made_up_for_a_data_set() -> None:
    session = session_with(72, 73)
    assert calibrations_of(session, session.selected_run) == ()
