"""Tests the window of the shift page: it fills itself in, keeps remarks, and goes where it is sent."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from pygama.progress import Failed, Note
from pygama_gui.bridge import Bridge
from pygama_gui.data.headers import Difference
from pygama_gui.data.shift import Check
from pygama_gui.data.shift_page import as_markdown
from pygama_gui.session import changes, saved
from pygama_gui.session.state import DataSet, Member, Run
from pygama_gui.views import madeup
from pygama_gui.views.strip.page import ShiftWindow
from pygama_gui.views.strip.view import StripView
from pygama_gui.widgets.course import CourseLine

WAIT_MS = 30_000


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, strip: StripView) -> StripView:
    for message in (madeup.partial(6000, n_channels=2), madeup.end(6000)):
        run_id = bridge.take(1, message)
    bridge.data_grew.emit({run_id})
    strip.redraw()
    qtbot.waitUntil(lambda: "baseline" in strip._levels and strip._surveyed.n_rows > 0, timeout=WAIT_MS)
    return strip


@pytest.fixture
def window(qtbot: QtBot, view: StripView) -> ShiftWindow:
    view.page_action.trigger()
    page = view._page
    assert page is not None
    qtbot.waitUntil(page.isVisible)
    return page


def test_it_fills_itself_in(window: ShiftWindow) -> None:
    assert window.title.text().startswith("Run 9001 · ")
    assert {"rate", "baseline (bl_int)", "channels", "errors"} <= set(window.remarks)
    assert "There is no earlier run" in window.header.text()
    assert {"rate over the run", "baseline (bl_int) over the run"} <= {
        one.accessibleName() for one in window.findChildren(CourseLine)
    }


def test_all_that_takes_the_focus_has_a_name(window: ShiftWindow) -> None:
    for kind in (QLineEdit, QPushButton):
        for one in window.findChildren(kind):
            assert isinstance(one, QWidget) and one.accessibleName(), one


def test_remarks_are_kept_in_the_session_and_come_back(
    qtbot: QtBot, view: StripView, window: ShiftWindow
) -> None:
    qtbot.keyClicks(window.remarks["rate"], "pump was on")
    qtbot.keyClicks(window.note, "all quiet")
    qtbot.keyClicks(window.who, "J. Doe")
    kept = saved.from_json(saved.to_json(view.session))
    run_id = view.session.selected
    assert kept.notes_on(run_id).remarks == {"rate": "pump was on"}
    assert (kept.notes_on(run_id).note, kept.shifter) == ("all quiet", "J. Doe")
    window.again_button.click()
    assert window.remarks["rate"].text() == "pump was on"
    window.reject()
    view.page_action.trigger()
    assert view._page is not None and view._page is not window
    assert view._page.remarks["rate"].text() == "pump was on"
    assert view._page.note.toPlainText() == "all quiet"


def test_remarks_can_be_taken_back(qtbot: QtBot, view: StripView, window: ShiftWindow) -> None:
    qtbot.keyClicks(window.remarks["rate"], "pump")
    view.bridge.store.undo()
    assert window.remarks["rate"].text() == ""
    assert view.session.shift_notes == ()


def test_a_copy_has_remarks_and_signature(qtbot: QtBot, window: ShiftWindow) -> None:
    qtbot.keyClicks(window.remarks["rate"], "pump was on")
    qtbot.keyClicks(window.who, "J. Doe")
    window.copy_button.click()
    text = QApplication.clipboard().text()
    assert "| pump was on |" in text and text.rstrip().endswith("signed by J. Doe.")


def test_pages_are_saved_and_added_to_a_table(
    qtbot: QtBot, view: StripView, window: ShiftWindow, tmp_path: Path
) -> None:
    page = window.signed()
    assert page is not None
    window.saver.save(page, tmp_path / "page.html")
    for _ in range(2):
        window.add_to(tmp_path / "log.csv")
    qtbot.waitUntil(lambda: view.bridge.threads.are_idle, timeout=WAIT_MS)
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        assert [row["run"] for row in csv.DictReader(file)] == ["Run 9001"] * 2


def test_a_table_of_something_else_is_told_and_left(
    qtbot: QtBot, view: StripView, window: ShiftWindow, tmp_path: Path
) -> None:
    told: list[str] = []
    view.bridge.went_wrong.connect(lambda *words: told.append(" ".join(words)))
    (tmp_path / "log.csv").write_text("a,b\n", encoding="utf-8")
    window.add_to(tmp_path / "log.csv")
    qtbot.waitUntil(lambda: view.bridge.threads.are_idle and bool(told), timeout=WAIT_MS)
    assert "another table" in told[0]
    assert (tmp_path / "log.csv").read_text(encoding="utf-8") == "a,b\n"


def test_without_a_run_there_is_no_page(qtbot: QtBot, bridge: Bridge) -> None:
    view = StripView(bridge)
    qtbot.addWidget(view)
    view.page_action.trigger()
    assert view._page is None


def test_the_page_of_another_run_takes_its_place(
    qtbot: QtBot, view: StripView, window: ShiftWindow, a_run: Callable[..., Run]
) -> None:
    other = a_run(9002)
    view.bridge.change(changes.add_runs, [other])
    view.bridge.change(changes.select_run, other.run_id)
    view.page_action.trigger()
    assert view._page is not None and view._page.run_id == other.run_id
    qtbot.waitUntil(lambda: view._page is not None and view._page.is_header_known, timeout=WAIT_MS)
    assert "could not be compared" in view._page.header.text()  # made-up runs have no files


def test_the_page_itself_says_what_became_of_it(
    qtbot: QtBot, view: StripView, window: ShiftWindow, tmp_path: Path
) -> None:
    page, began = window.signed(), view.bridge.saving_folder()
    assert page is not None
    lacking = tmp_path / "not there"
    window.saver.save(page, lacking / "page.html")
    qtbot.waitUntil(lambda: "page.html could not be written" in window.said.text(), timeout=WAIT_MS)
    assert window.said.text().startswith("✕ ")
    window.add_to(lacking / "log.csv")
    qtbot.waitUntil(lambda: "log.csv could not be added to" in window.said.text(), timeout=WAIT_MS)
    assert view.bridge.saving_folder() == began  # the next one is not begun where nothing can be saved
    window.add_to(tmp_path / "log.csv")
    qtbot.waitUntil(lambda: window.said.text() == f"Added a row to {tmp_path / 'log.csv'}", timeout=WAIT_MS)
    assert view.bridge.saving_folder() == tmp_path
    window.saver.save(page, tmp_path / "page.html")
    qtbot.waitUntil(lambda: window.said.text() == f"Saved {tmp_path / 'page.html'}", timeout=WAIT_MS)


def test_a_page_that_is_closed_while_it_is_written_is_written(
    qtbot: QtBot, view: StripView, window: ShiftWindow, tmp_path: Path
) -> None:
    window.add_to(tmp_path / "log.csv")
    window.reject()
    qtbot.waitUntil(lambda: view.bridge.threads.are_idle, timeout=WAIT_MS)
    assert (tmp_path / "log.csv").exists()


def test_figures_of_a_run_that_is_not_chosen_are_not_taken_anew(
    view: StripView, window: ShiftWindow, a_run: Callable[..., Run]
) -> None:
    mine, other = view.session.selected, a_run(9002)
    view.bridge.change(changes.add_runs, [other])
    view.bridge.change(changes.select_run, other.run_id)
    assert not window.again_button.isEnabled()
    assert window.taken.text().endswith("choose Run 9001 in the list to take them anew")
    assert window.saver.name().startswith("shift_run9001_")
    view.bridge.change(changes.remove_run, mine)
    assert window.taken.text().endswith("the run is not in the list any more")
    view.bridge.store.undo()
    view.bridge.change(changes.select_run, mine)
    assert window.again_button.isEnabled()
    assert window.taken.text().endswith(" UTC")


def test_a_page_has_room_on_a_small_screen(view: StripView, window: ShiftWindow) -> None:
    page = window.page
    assert page is not None
    names = ", ".join(f"Run {number}" for number in range(9001, 9011))
    moved = replace(
        *(one for one in page.checks if one.kind == "baseline"),
        value="8000.09 ± 0.02 ADC, moved by −1.48 ADC (23.3 σ)",
        allowed=f"8000.1 ± 1.9 ADC, from {names}",
    )
    why = "one event of each channel does not tell how it scatters"
    lacking = [Check(f"peak {at}", why, is_known=False) for at in range(9)]
    checks = (*(moved if one.what == moved.what else one for one in page.checks), *lacking)
    window.show_page(replace(page, checks=checks), is_header_known=True)
    window.layout().activate()
    assert window.minimumSizeHint().width() <= 920  # 200 % on 1920 x 1080, with its frame
    assert window.minimumSizeHint().height() <= 500


def test_tab_goes_as_one_reads_also_when_a_line_came_later(qtbot: QtBot, window: ShiftWindow) -> None:
    page = window.page
    assert page is not None
    window.show_page(replace(page, checks=page.checks[2:]), is_header_known=True)
    window.show_page(page, is_header_known=True)
    ends = [window.note, window.who, window.copy_button, window.row_button, window.save_button]
    fields = [window.again_button, *window.remarks.values(), *ends, window.close_button]
    qtbot.waitUntil(lambda: all(one.isVisible() for one in fields))
    fields[0].setFocus()
    passed = []
    for _ in fields:
        passed.append(window.focusWidget())
        window.focusNextPrevChild(True)  # noqa: FBT003
    assert passed == fields
    assert window.focusWidget() is fields[0]


def test_a_remark_stays_under_the_cursor_when_figures_are_taken_anew(
    qtbot: QtBot, window: ShiftWindow
) -> None:
    remark = window.remarks["rate"]
    remark.setFocus()
    qtbot.keyClicks(remark, "pump on")
    remark.setCursorPosition(5)
    window.again_button.click()
    assert window.remarks["rate"] is remark is window.focusWidget()
    qtbot.keyClicks(remark, "was ")
    assert remark.text() == "pump was on"


def test_a_data_set_is_named_by_its_runs_and_compares_the_last_with_the_first(
    qtbot: QtBot, view: StripView, window: ShiftWindow, a_run: Callable[..., Run]
) -> None:
    members = tuple(Member(run, Path(f"t2_run{run.run_number}.h5")) for run in (a_run(9003), a_run(9004)))
    data_set = DataSet("set", Path("t2_run9003.h5"), 9003, name="Runs 9003-9004", members=members)
    view.bridge.change(changes.add_runs, [data_set, after := a_run(9005)])
    view.bridge.change(changes.select_run, data_set.run_id)
    view.page_action.trigger()
    made = view._page
    assert made is not None
    qtbot.waitUntil(lambda: made.is_header_known, timeout=WAIT_MS)
    assert made.title.text() == "Runs 9003-9004 · 2 runs"
    assert made.header.text() == "Header: The header could not be compared with that of Run 9003."
    view.bridge.change(changes.select_run, after.run_id)
    view.page_action.trigger()
    last = view._page
    assert last is not None
    qtbot.waitUntil(lambda: last.is_header_known, timeout=WAIT_MS)
    assert last.header.text().endswith("that of Run 9001.")  # not of the data set before it


def test_the_page_lists_warnings_and_runs_that_failed(
    view: StripView, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pygama_gui.bridge.time.time", lambda: 1_537_871_000.0)
    other = a_run(9002)
    view.bridge.change(changes.add_runs, [other])
    view.bridge.adopt(2, other)
    view.bridge.take(1, Note("3 records were skipped", "warning"))
    view.bridge.take(2, Failed("no room", ""))
    view.page_action.trigger()
    assert view._page is not None and view._page.page is not None
    warned = (("2018-09-25 10:23:20 UTC", "3 records were skipped"), ("", "Run 9002 failed: no room"))
    assert view._page.page.warnings == warned
    assert view._page.warnings.text() == (
        "▲ 2018-09-25 10:23:20 UTC: 3 records were skipped\n▲ Run 9002 failed: no room"
    )


def test_the_page_of_a_data_set_lists_what_its_runs_warned_of_once(
    view: StripView, a_run: Callable[..., Run]
) -> None:
    runs = [replace(a_run(number), start_time=1_538_400_000 + 700 * number) for number in (2, 3, 5)]
    bridge = view.bridge
    bridge.change(changes.add_runs, runs)
    for job, run in enumerate(runs, 2):
        bridge.adopt(job, run)
        bridge.take(job, Note("skipped 3 records of id 99", "warning"))
    bridge.take(4, Note("damage at bytes 7 to 9", "warning"))
    members = tuple(Member(run, Path(f"t2_run{run.run_number}.h5")) for run in runs[1:])
    data_set = DataSet("set", Path("t2_run3.h5"), 3, name="Runs 3, 5", members=members)
    bridge.change(changes.add_runs, [data_set])
    bridge.change(changes.select_run, data_set.run_id)
    view.page_action.trigger()
    assert view._page is not None and (page := view._page.page) is not None
    assert [what for _, what in page.warnings] == [
        "Runs 3, 5: skipped 3 records of id 99",
        "Run 5: damage at bytes 7 to 9",
    ]
    assert page.warnings[0][0] == "" != page.warnings[1][0]
    checks = {one.what: one for one in page.checks}
    assert (checks["errors"].value, checks["errors"].is_ok) == ("▲ 3 warnings", False)
    assert checks["run"].value == "Runs 3, 5, 2 runs, begun 2018-10-01 13:55 to 14:18 UTC"
    assert page.course_head == "over the runs"


@pytest.mark.parametrize(
    ("n", "said"), [(6, ""), (20, "and 14 more, which the saved page has"), (900, "and 894 more, 40 in the")]
)
def test_changes_of_the_header_that_have_no_room_are_counted(window: ShiftWindow, n: int, said: str) -> None:
    assert window.page is not None
    found = tuple(Difference(f"value {at}", "changed", "1", "2") for at in range(n))
    window.show_page(replace(window.page, against="Run 6", found=found), is_header_known=True)
    lines = window.header.text().splitlines()
    assert lines[:2] == ["Header: Changed since Run 6:", "value 0: 1 → 2"]
    assert ("".join(lines[7:])).startswith(said) and len(lines) == 7 + bool(said)


def test_a_remark_on_what_was_not_known_stays_when_it_is(qtbot: QtBot, window: ShiftWindow) -> None:
    page = window.page
    assert page is not None
    place = Check("Tl-208 position", "38 005 ± 2 ADC", kind="position")
    without = tuple(one for one in page.checks if one.what not in ("peak position", place.what))
    unknown = replace(place, what="peak position", is_known=False, kind="")
    window.show_page(replace(page, checks=(*without, unknown)), is_header_known=True)
    qtbot.keyClicks(window.remarks["peak position"], "source not in yet")
    window.show_page(replace(page, checks=(*without, place)), is_header_known=True)
    signed = window.signed()
    assert window.remarks[place.what].text() == "source not in yet"
    assert signed is not None and signed.remark_on(place.what) == "source not in yet"
    assert "source not in yet |" in as_markdown(signed)
    window.remarks[place.what].clear()
    qtbot.keyClicks(window.remarks[place.what], "in")
    assert window._notes().remarks == {place.what: "in"}
