"""The queue and the disk: order, how many at once, pausing, room. With real workers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.simulate import RunShape, write_run
from pygama_gui.bridge import Bridge
from pygama_gui.jobs import room
from pygama_gui.jobs.remedies import remedies_for
from pygama_gui.jobs.runner import JobRunner
from pygama_gui.jobs.spec import threads_for
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, files
from pygama_gui.session.state import Run
from pygama_gui.session.store import Store
from pygama_gui.views.runs.cards import run_facts, run_pace, run_sentence

sys.path.insert(0, str(Path(__file__).parent.parent / "gui_jobs"))  # for workers too
WAIT_MS = 90_000


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    """Give a window whose jobs work until told."""
    runner = JobRunner(1, "job_targets:work_until_told", warm=False)
    return open_window(Bridge(Store(), runner), output_dir=tmp_path)


@pytest.fixture
def four(qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]) -> list[Run]:
    """Give four runs, the first of which is under way."""
    runs = [a_run(number) for number in (1, 2, 3, 4)]
    window.bridge.change(changes.add_runs, runs)
    window.processing.start(runs)
    qtbot.waitUntil(lambda: state_of(window, runs[0]) == "running", timeout=WAIT_MS)
    return runs


def state_of(window: MainWindow, run: Run) -> str:
    state = window.bridge.state(run.run_id)
    return "" if state is None else state.state


def sentences(window: MainWindow, runs: list[Run]) -> list[str]:
    return [run_sentence(window.bridge.state(run.run_id))[0] for run in runs]


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX are needed")
def test_a_spare_worker_that_was_killed_leaves_no_trace(
    qtbot: QtBot, open_window: Callable[..., MainWindow]
) -> None:
    runner = JobRunner(1, "job_targets:work_until_told")
    window = open_window(Bridge(Store(), runner))
    before = set(psutil.Process().children())
    runner.warm_up()
    (spare,) = {
        one for one in set(psutil.Process().children()) - before if "spawn_main" in str(one.cmdline())
    }
    qtbot.waitUntil(lambda: not window.bridge.timer.isActive(), timeout=WAIT_MS)
    spare.kill()
    qtbot.waitUntil(lambda: not psutil.pid_exists(spare.pid), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.bridge.timer.isActive(), timeout=WAIT_MS)


def test_undoing_leaves_the_runs_that_are_under_way_in_the_list(window: MainWindow, four: list[Run]) -> None:
    window.bridge.stop(four[3].run_id)
    window.bridge.tick()
    assert window.bridge.store.undo_label == "add runs"
    window.menus.undo_action.trigger()
    assert window.bridge.session.runs == tuple(four[:3])
    assert window.bridge.session.selected_run == four[0]
    window.menus.redo_action.trigger()
    assert window.bridge.session.runs == tuple(four)


def test_what_many_jobs_tell_at_once_is_taken_bit_by_bit(
    qtbot: QtBot, window: MainWindow, four: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pygama_gui.bridge.HEAR_S", 0.0)
    window.bridge.timer.stop()
    window.bridge.stop_all()
    stopped = []
    for _ in range(3):
        window.bridge.tick()
        stopped.append([state_of(window, run) for run in four[1:]].count("stopped"))
    assert stopped == [1, 2, 3]
    window.bridge.timer.start()
    qtbot.waitUntil(lambda: not window.bridge.active(), timeout=WAIT_MS)
    assert {state_of(window, run) for run in four} == {"stopped"}


def test_runs_that_wait_say_their_place(window: MainWindow, four: list[Run]) -> None:
    assert sentences(window, four)[1:] == ["■ waiting, next", "■ waiting, 2nd", "■ waiting, 3rd"]


def test_many_runs_that_start_are_told_to_the_views_at_once(
    window: MainWindow, a_run: Callable[..., Run], tmp_path: Path
) -> None:
    told: list[set[str]] = []
    window.bridge.data_grew.connect(told.append)
    runs = [a_run(number) for number in range(1, 6)]
    window.bridge.change(changes.add_runs, runs)
    window.bridge.start(runs, tmp_path)
    assert told == [{run.run_id for run in runs}]


def test_a_waiting_run_is_processed_next_by_its_action(window: MainWindow, four: list[Run]) -> None:
    window.bridge.change(changes.select_run, four[3].run_id)
    window.runs.next_action.trigger()
    assert window.bridge.queue() == [four[3].run_id, four[1].run_id, four[2].run_id]
    assert [run.run_number for run in window.runs.model.runs] == [1, 4, 2, 3]
    window.runs.later_action.trigger()
    assert [run.run_number for run in window.runs.model.runs] == [1, 2, 4, 3]
    assert window.bridge.session.selected == four[3].run_id
    window.runs.earlier_action.trigger()
    assert sentences(window, four)[3] == "■ waiting, next"


def test_runs_that_wait_stand_together_below_the_others(
    qtbot: QtBot, window: MainWindow, four: list[Run]
) -> None:
    qtbot.waitUntil(lambda: state_of(window, four[0]) == "running", timeout=WAIT_MS)
    window.bridge.place_in_queue(four[3].run_id, 0)
    window.bridge.stop(four[0].run_id)
    qtbot.waitUntil(lambda: state_of(window, four[3]) == "running", timeout=WAIT_MS)
    assert [run.run_number for run in window.runs.model.runs] == [1, 4, 2, 3]


def test_a_waiting_card_is_dragged_to_another_place(
    qtbot: QtBot, window: MainWindow, four: list[Run], move_mouse: Callable[..., None]
) -> None:
    cards, viewport = window.runs.list, window.runs.list.viewport()
    start = cards.visualRect(window.runs.model.index(3)).center()
    end = cards.visualRect(window.runs.model.index(1)).topLeft() + QPoint(40, 4)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    move_mouse(viewport, start - QPoint(0, 15))
    move_mouse(viewport, end)
    assert cards._line == 1
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)
    assert window.bridge.queue() == [four[3].run_id, four[1].run_id, four[2].run_id]
    assert cards._line is None


def test_more_jobs_at_once_share_the_cores(qtbot: QtBot, window: MainWindow, four: list[Run]) -> None:
    window.bridge.change(changes.allow_jobs, 3)
    qtbot.waitUntil(
        lambda: [state_of(window, run) for run in four] == ["running"] * 3 + ["waiting"], timeout=WAIT_MS
    )


def test_cores_are_shared_out_and_one_is_left_to_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [threads_for(n_jobs) for n_jobs in (1, 2, 3, 4)] == [7, 3, 2, 1]
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert [threads_for(n_jobs) for n_jobs in (1, 4)] == [1, 1]


def test_all_are_paused_and_go_on_together(qtbot: QtBot, window: MainWindow, four: list[Run]) -> None:
    window.bridge.change(changes.allow_jobs, 2)
    both = four[:2]
    qtbot.waitUntil(lambda: [state_of(window, run) for run in both] == ["running"] * 2, timeout=WAIT_MS)
    window.runs.pause_all_action.trigger()
    assert [state_of(window, run) for run in both] == ["paused", "paused"]
    window.runs.pause_all_action.trigger()
    assert [state_of(window, run) for run in both] == ["running", "running"]


def test_a_run_that_ends_while_all_are_paused_lets_no_other_begin(
    qtbot: QtBot, window: MainWindow, four: list[Run]
) -> None:
    runs = window.runs
    runs.pause_all_action.trigger()
    window.bridge.stop(four[0].run_id)  # it ends although it was paused, as one does that is as good as done
    qtbot.waitUntil(lambda: state_of(window, four[0]) == "stopped", timeout=WAIT_MS)
    assert [state_of(window, run) for run in four[1:]] == ["waiting"] * 3
    assert runs.pause_button.text() == "Go on"
    runs.pause_button.click()
    qtbot.waitUntil(lambda: state_of(window, four[1]) == "running", timeout=WAIT_MS)
    assert runs.pause_button.text() == "Pause"


def test_one_run_that_goes_on_lets_the_others_follow(
    qtbot: QtBot, window: MainWindow, four: list[Run]
) -> None:
    window.runs.pause_all_action.trigger()
    window.runs.pause_button.click()
    window.bridge.stop(four[0].run_id)
    qtbot.waitUntil(lambda: state_of(window, four[1]) == "running", timeout=WAIT_MS)


def test_a_run_is_paused_before_its_worker_told_anything(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run], tmp_path: Path
) -> None:
    run = a_run(1)
    window.bridge.change(changes.add_runs, [run])
    window.bridge.start([run], tmp_path)
    assert (state_of(window, run), window.runs.process_button.text()) == ("waiting", "Processing…")
    window.runs.pause_button.click()
    assert (state_of(window, run), window.runs.pause_button.text()) == ("paused", "Go on")
    assert window.runs.process_button.text() == "Paused"
    window.runs.pause_button.click()
    qtbot.waitUntil(lambda: state_of(window, run) == "running", timeout=WAIT_MS)


def test_pause_is_for_the_run_under_way_while_a_waiting_one_is_selected(
    qtbot: QtBot, window: MainWindow, four: list[Run]
) -> None:
    runs = window.runs
    qtbot.waitUntil(lambda: state_of(window, four[0]) == "running", timeout=WAIT_MS)
    window.bridge.change(changes.select_run, four[2].run_id)
    runs.pause_button.click()
    assert state_of(window, four[0]) == "paused"
    assert (runs.pause_button.text(), runs.process_button.text()) == ("Go on", "Paused")
    runs.pause_button.click()
    assert (runs.pause_button.text(), runs.process_button.text()) == ("Pause", "Processing…")
    runs.stop_button.click()
    qtbot.waitUntil(lambda: state_of(window, four[2]) == "stopped", timeout=WAIT_MS)
    assert state_of(window, four[0]) == "running"


def test_progress_tells_rate_bytes_and_time_left(bridge: Bridge, a_run: Callable[..., Run]) -> None:
    from pygama.progress import Progress, Started

    run = a_run(5)
    bridge.adopt(1, run)
    bridge.board.apply(1, Started(run.path, 4_000_000, 5, 0, 0, ()), 10.0)
    state = bridge.board.apply(1, Progress(1_000_000, 4_000_000, 500, 500), 12.0)
    assert run_facts(run, state) == "1.00 of 4.00 MB · 500 events"
    assert run_pace(state) == "250 events/s · 500 kB/s"
    assert run_sentence(state)[0] == "▶ processing, 25 %, 6.0 s left"


def test_a_followed_run_has_one_rate_and_is_read(bridge: Bridge, a_run: Callable[..., Run]) -> None:
    from pygama.progress import Progress, Started

    run = a_run(5)
    bridge.adopt(1, run, follows=True)
    bridge.board.apply(1, Started(run.path, 4_000_000, 5, 0, 0, ()), 10.0)
    state = bridge.board.apply(1, Progress(1_000_000, 4_000_000, 500, 500), 12.0)
    assert run_pace(state) == "read at 500 kB/s"


def test_too_little_room_is_told_before_the_start(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=201_000_000))
    run = a_run(7)
    window.bridge.change(changes.add_runs, [run])
    window.processing.start([run])
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.words.text() == (
        "Run 7 may need 3.75 MB (if Tier 1 and Tier 2 take as much room as the raw data), "
        "and 201 MB is free on the output disk, of which 200 MB is to stay free."
    )
    assert [one.text() for one in window.banner.act_buttons] == ["Start all the same", "Choose a folder…"]
    assert state_of(window, run) == ""
    window.banner.act_buttons[0].click()
    assert state_of(window, run) == "waiting"
    assert not window.banner.isVisible()


def test_what_runs_made_so_far_tells_what_others_need(tmp_path: Path) -> None:
    (tmp_path / "t1.h5").write_bytes(bytes(300))
    (tmp_path / "t2.h5").write_bytes(bytes(100))
    need = room.need_of(5000, [(1000, (tmp_path / "t1.h5", tmp_path / "t2.h5"))])
    assert (need.n_bytes, need.is_measured) == (2000, True)
    assert room.need_of(5000).n_bytes == 5000


def test_tier_2_of_a_tier_1_file_is_a_small_part_of_it(tmp_path: Path) -> None:
    unknown = room.need_of(0, (), 5000)
    assert (unknown.n_bytes, unknown.basis) == (500, "if Tier 2 takes a tenth of the room of Tier 1")
    (tmp_path / "t2.h5").write_bytes(bytes(30))
    done = [(1000, (tmp_path / "t2.h5",))]
    known = room.need_of(0, (), 5000, done)
    assert (known.n_bytes, known.is_measured) == (150, True)
    both = room.need_of(2000, (), 5000, done)
    assert (both.n_bytes, both.is_measured) == (2150, False)
    assert both.basis == "if Tier 1 and Tier 2 take as much room as the raw data"


def test_jobs_halt_before_the_disk_is_full(
    qtbot: QtBot, window: MainWindow, four: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=150_000_000))
    qtbot.waitUntil(lambda: state_of(window, four[0]) == "paused", timeout=WAIT_MS)
    told = "paused: 150 MB left on the output disk; make room, then go on"
    assert sentences(window, four)[0] == f"■ {told}"
    assert window.banner.words.text() == f"Run 1: {told}"
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=10**12))
    window.banner.act_buttons[0].click()
    assert state_of(window, four[0]) == "running"
    assert not window.banner.isVisible()
    assert sentences(window, four)[0].startswith("▶")


def test_jobs_halt_where_their_output_folder_is_gone(
    qtbot: QtBot, window: MainWindow, four: list[Run]
) -> None:
    folder = window.bridge.session.output_dir
    folder.rename(away := folder.with_name("away"))
    qtbot.waitUntil(lambda: state_of(window, four[0]) == "paused", timeout=WAIT_MS)
    told = window.banner.words.text()
    assert told.startswith(f"Run 1: paused: the output folder '{folder}' is not there any more; bring it")
    away.rename(folder)
    window.banner.act_buttons[0].click()
    assert state_of(window, four[0]) == "running"


def test_the_strip_hears_of_room_as_soon_as_anybody_looked(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    told: list[int | None] = []
    window.bridge.room.known.connect(told.append)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=201_000_000))
    run = a_run(7)
    window.bridge.change(changes.add_runs, [run])
    window.processing.start([run])
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert told[-1:] == [201_000_000]


def test_the_strip_tells_the_room_that_is_there_once_all_jobs_have_ended(
    qtbot: QtBot, window: MainWindow, four: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int | None] = []
    window.bridge.room.known.connect(told.append)
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=4711))
    with qtbot.waitSignal(window.bridge.all_ended, timeout=WAIT_MS):
        for run in four:
            window.bridge.stop(run.run_id)
    qtbot.waitUntil(lambda: told[-1] == 4711, timeout=WAIT_MS)


def test_a_full_disk_ends_in_a_sentence(qtbot: QtBot, themed: object, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tiny], capture_output=True)
    if mounted.returncode:
        pytest.skip("only the super-user may mount a small disk")
    bridge = Bridge(Store())
    try:
        raw = write_run(tmp_path / "Run3", RunShape(run_number=3, n_events=3000, n_samples=1000))
        run = files.read_run(raw)
        bridge.change(changes.add_runs, [run])
        bridge.start([run], tiny)
        bridge.room.watch = lambda: None  # type: ignore[method-assign]
        job = lambda: bridge.state(run.run_id)  # noqa: E731
        qtbot.waitUntil(lambda: job() is not None and job().state == "failed", timeout=WAIT_MS)
        assert "No space left on device; make room or choose another folder" in job().text
        assert list(tiny.iterdir()) == []
        assert [one.words for one in remedies_for(job())] == ["Run again", "Choose a folder…"]
    finally:
        bridge.close()
        subprocess.run(["umount", tiny], check=True)


def test_a_window_that_was_closed_starts_nothing(
    qtbot: QtBot, window: MainWindow, a_run: Callable[..., Run]
) -> None:
    run = a_run(7)
    window.bridge.change(changes.add_runs, [run])
    window.processing.start([run])
    window.close()
    QApplication.processEvents()  # the answer about the disk, if it has come already
    assert state_of(window, run) == ""
