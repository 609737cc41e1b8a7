"""Tests the list of runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.progress import Done, Failed, Note
from pygama_gui.bridge import Bridge
from pygama_gui.jobs.board import JobState
from pygama_gui.jobs.remedies import AGAIN, remedies_for
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.runs.cards import (
    button_places,
    in_room,
    run_details,
    run_facts,
    run_sentence,
    run_title,
)
from pygama_gui.views.runs.view import RunsView


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> RunsView:
    made = RunsView(bridge)
    qtbot.addWidget(made)
    made.resize(300, 700)
    made.show()
    qtbot.waitExposed(made)
    bridge.change(changes.add_runs, [a_run(72), a_run(73)])
    return made


def text_of(view: RunsView, row: int) -> str:
    return str(view.model.index(row).data(Qt.ItemDataRole.AccessibleTextRole))


def test_a_card_says_number_size_and_state(view: RunsView) -> None:
    assert text_of(view, 0) == (
        "Run 72 · 2018-9-25-Th228Run72, 3.75 MB · 2018-09-25 10:23 UTC, ■ not processed"
    )


def test_a_sub_run_is_part_of_the_name() -> None:
    assert run_title(Run("a", Path("Run7"), 7, 3)) == "Run 7.3 · Run7"


def test_the_facts_of_a_run_without_a_start_time_are_its_size() -> None:
    assert run_facts(Run("a", Path("Run7"), 7, size_bytes=2_010_030_000), None) == "2.01 GB"


def test_the_process_button_counts_what_is_to_be_done(view: RunsView, bridge: Bridge) -> None:
    assert view.process_button.text() == "Process 2"
    assert view.process_button.toolTip().startswith("2 runs, 7.49 MB of raw data")
    bridge.adopt(1, bridge.session.runs[0])
    for message in (*madeup.messages(Path("Run72"), n_partials=1), madeup.end()):
        bridge.take(1, message)
    bridge.jobs_changed.emit({bridge.session.runs[0].run_id})
    assert view.process_button.text() == "Process 1"


def test_process_asks_for_all_runs_that_have_not_been(qtbot: QtBot, view: RunsView) -> None:
    with qtbot.waitSignal(view.process_asked) as asked:
        view.process_button.click()
    assert [run.run_number for run in asked.args[0]] == [72, 73]


def test_a_failed_run_can_be_run_again_from_its_card(qtbot: QtBot, view: RunsView, bridge: Bridge) -> None:
    run = bridge.session.runs[0]
    bridge.adopt(1, run)
    bridge.take(1, Failed("The worker was ended by signal 9 (SIGKILL)"))
    bridge.jobs_changed.emit({run.run_id})
    assert "✕ failed: The worker was ended by signal 9" in text_of(view, 0)
    area = view.list.visualRect(view.model.index(0)).adjusted(10, 10, -10, -18)
    at = button_places(area, (AGAIN,))[0][1].center()
    with qtbot.waitSignal(view.mend_asked) as asked:
        qtbot.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert asked.args[0] == run


def test_a_click_on_a_card_that_changes_the_list_leaves_the_run_marked(
    qtbot: QtBot, view: RunsView, bridge: Bridge
) -> None:
    run = bridge.session.runs[0]
    view.mend_asked.connect(lambda run, _what: bridge.change(changes.skip_record, run.run_id, 4711))
    bridge.adopt(1, run)
    bridge.take(1, Failed("The worker was ended by signal 9 (SIGKILL)"))
    bridge.jobs_changed.emit({run.run_id})
    area = view.list.visualRect(view.model.index(0)).adjusted(10, 10, -10, -18)
    at = button_places(area, (AGAIN,))[0][1].center()
    qtbot.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert bridge.session.runs[0].skip == (4711,)
    assert [index.row() for index in view.list.selectionModel().selectedIndexes()] == [0]


def test_a_click_beside_the_cards_leaves_the_run_marked(qtbot: QtBot, view: RunsView, bridge: Bridge) -> None:
    view.resize(300, 900)
    at = view.list.viewport().rect().bottomLeft() + QPoint(20, -5)
    assert not view.list.indexAt(at).isValid()
    qtbot.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    marked = [index.row() for index in view.list.selectionModel().selectedIndexes()]
    assert marked == [view.model.place_of(bridge.session.selected).row()]


@pytest.mark.usefixtures("in_tokyo")
def test_the_start_is_told_in_utc_on_the_card_and_in_local_time_on_hover(view: RunsView) -> None:
    tip = view.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert "began 2018-09-25 19:23:20 JST (local time)" in tip
    assert "2018-09-25 10:23 UTC" in text_of(view, 0)


@pytest.mark.usefixtures("in_tokyo")
def test_when_it_was_done_is_told_in_utc_and_in_local_time_on_hover() -> None:
    state = JobState(1, Path("Run72"), "done", made_on=1_537_871_000.0)
    assert run_sentence(state)[0] == "✓ done 2018-09-25 10:23 UTC"
    assert "done 2018-09-25 19:23:20 JST (local time)" in run_details(state)


def test_a_click_selects_a_run(qtbot: QtBot, view: RunsView, bridge: Bridge) -> None:
    at = view.list.visualRect(view.model.index(1)).topLeft() + QPoint(20, 20)
    qtbot.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert bridge.session.selected_run is not None
    assert bridge.session.selected_run.run_number == 73


def test_a_click_with_ctrl_asks_for_a_run_beside_the_selected_one(
    qtbot: QtBot, view: RunsView, bridge: Bridge
) -> None:
    before = bridge.session.selected
    at = view.list.visualRect(view.model.index(1)).topLeft() + QPoint(20, 20)
    with qtbot.waitSignal(view.beside_asked) as asked:
        qtbot.mouseClick(
            view.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at
        )
    assert asked.args == [view.model.runs[1].run_id]
    assert bridge.session.selected == before
    assert view.list.currentIndex() == view.model.place_of(before)


def test_files_that_cannot_be_taken_say_why_in_place(view: RunsView) -> None:
    view.show_refused(((Path("/data/notes.txt"), "notes.txt: this is no ORCA file"),))
    assert view.refusals.text() == "▲ notes.txt: this is no ORCA file"
    view.show_refused(())
    assert not view.refusals.isVisible()


def test_a_long_reason_is_cut_to_what_it_says_first(view: RunsView) -> None:
    reason = "notes is not ORCA data: it begins with 'hello'; expected was a header record"
    view.show_refused(
        ((Path("/data/notes"), reason), (Path("/data/my run"), "my run: cut short: only 2 bytes"))
    )
    assert view.refusals.text() == "▲ notes is not ORCA data\n▲ my run: cut short"
    assert "it begins with 'hello'" in view.refusals.toolTip()
    view.dismiss_link.click()
    assert not view.refusals.isVisible()


def test_a_refusal_offers_another_name(view: RunsView, bridge: Bridge) -> None:
    bridge.adopt(1, bridge.session.runs[0])
    text = "t1_run72.h5 is there already. Move it away, or write t1_run72.1.h5 with suffix '.1'"
    bridge.take(1, Failed(text))
    assert [one.words for one in remedies_for(bridge.state(bridge.session.runs[0].run_id))] == [
        "Write t1_run72.1.h5"
    ]


def test_warnings_are_told_one_by_one_in_the_tooltip(view: RunsView, bridge: Bridge) -> None:
    bridge.adopt(1, bridge.session.runs[0])
    for message in (Note("3 records were skipped", "warning"), madeup.end(1)):
        bridge.take(1, message)
    assert run_facts(bridge.session.runs[0], bridge.board[1]).endswith("1 event")
    assert text_of(view, 0).endswith("▲ done in 1.2 s · 1 warning")
    tip = view.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("▲ 3 records were skipped")


def test_when_all_is_done_the_button_is_for_the_selected_run(
    qtbot: QtBot, view: RunsView, bridge: Bridge
) -> None:
    for job_id, run in enumerate(bridge.session.runs, start=1):
        bridge.adopt(job_id, run)
        bridge.take(job_id, Done((Path(f"t2_run{run.run_number}.h5"),), 10, 1.2))
    bridge.jobs_changed.emit({run.run_id for run in bridge.session.runs})
    assert view.process_button.text() == "Process again"
    with qtbot.waitSignal(view.process_asked) as asked:
        view.process_button.click()
    assert asked.args[0] == [bridge.session.selected_run]


def test_a_run_under_way_is_not_removed(view: RunsView, bridge: Bridge) -> None:
    run = bridge.session.runs[0]
    bridge.adopt(1, run)
    view._remove()
    assert run in bridge.session.runs


def test_no_button_is_squeezed_by_what_could_not_be_taken_in_a_low_panel(
    qtbot: QtBot, view: RunsView
) -> None:
    view.setMinimumSize(1, 1)
    view.resize(220, 280)
    view.show_refused(((Path("/data/notes.txt"), "notes.txt is not ORCA data, whatever it is called"),))
    QApplication.processEvents()
    assert view.refusals.isVisible()
    for button in (view.process_button, view.pause_button, view.stop_button):
        assert button.height() >= button.sizeHint().height()
    assert not view.drop_zone.isVisible()
    view.resize(220, 700)
    assert view.drop_zone.isVisible()


def test_a_narrow_card_keeps_what_tells_most(view: RunsView) -> None:
    told = "▲ done in 2.8 s · 3 warnings"
    assert in_room(told, 1000) == told
    assert in_room(told, 100) == "▲ 3 warnings"
    assert in_room("✓ done in 2.8 s", 20) == "✓ done in 2.8 s"
    assert in_room("✓ done 2018-09-25 10:23 UTC", 150) == "✓ done 2018-09-25"
    assert in_room("▶ processing, 35 %, 5.5 s left", 100) == "▶ 35 %, 5.5 s left"


def test_a_narrow_card_tells_the_warnings_of_a_run_that_was_made_earlier() -> None:
    sentence, tone = run_sentence(JobState(1, Path("Run5"), "done", made_on=1_537_871_000.0, warnings=3))
    assert (sentence, tone) == ("▲ done 2018-09-25 10:23 UTC · 3 warnings", "warn")
    assert in_room(sentence, 200) == "▲ 3 warnings"


def test_a_run_that_grew_tells_the_size_it_has_now() -> None:
    run = Run("1", Path("Run5"), 5, size_bytes=14_000_000)
    done = JobState(1, Path("Run5"), "done", rows=14_838, total_bytes=60_000_000)
    assert run_facts(run, done).startswith("60.0 MB · ")
    assert run_facts(run, JobState(1, Path("Run5"), "done", rows=14_838)).startswith("14.0 MB · ")
