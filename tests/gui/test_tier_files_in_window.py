"""Tests what becomes of Tier files that are given to the window, with real files and real workers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from PyQt5.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from pygama.processing.base import Tier1Processor
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.bridge import Bridge
from pygama_gui.desks.tier_arrivals import look_at_tiers
from pygama_gui.jobs.remedies import remedies_for
from pygama_gui.jobs.room import Need
from pygama_gui.jobs.watch import NewRun
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, saved, set_changes
from pygama_gui.session.files import read_run
from pygama_gui.session.state import DataSet, Member, Session
from pygama_gui.session.store import Store
from pygama_gui.session.tier_files import kind_of
from pygama_gui.views.runs.cards import run_sentence

WAIT_MS = 60_000
N = 300


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make raw and Tier files of runs 7 and 8, of 300 events each, and of run 9 without any event."""
    folder = tmp_path_factory.mktemp("made")
    for number in (7, 8, 9):
        shape = RunShape(run_number=number, seed=number, n_events=N, n_samples=1500, damaged=0)
        raw = write_run(folder / f"Run{number}", shape)
        process_run(raw, output_dir=folder, channels=None if number < 9 else [99])
    return folder


@pytest.fixture
def given(made: Path, tmp_path: Path) -> Callable[..., list[Path]]:
    """Copy files into a folder where nothing else lies."""

    def copy(*names: str) -> list[Path]:
        (folder := tmp_path / "given").mkdir(exist_ok=True)
        return [Path(shutil.copy(made / name, folder / name)) for name in names]

    return copy


@pytest.fixture
def window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    return open_window(output_dir=tmp_path / "out")


def wait_for(qtbot: QtBot, window: MainWindow, n_rows: int = N, run_id: str = "") -> None:
    """Wait until the rows of a run, by default the selected one, have been read."""

    def is_read() -> bool:
        live = window.bridge.live(run_id or window.bridge.session.selected)
        return live is not None and len(live.columns) == n_rows

    qtbot.waitUntil(is_read, timeout=WAIT_MS)


def state_of(window: MainWindow, run_id: str) -> str:
    state = window.bridge.state(run_id)
    return "" if state is None else state.state


def is_done(window: MainWindow) -> bool:
    return state_of(window, window.bridge.session.selected) == "done"


def test_a_tier_2_file_alone_is_shown_in_the_views(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    (path,) = given("t2_run7.h5")
    window.arrivals.add_paths([path])
    wait_for(qtbot, window)
    qtbot.waitUntil(lambda: window.spectrum._histogram is not None, timeout=WAIT_MS)
    assert window.spectrum._histogram.n_values > 0
    assert not window.runs.header_action.isEnabled()
    words = "There is no Tier 1 file beside t2_run7.h5. Drop it here as well to see its waveforms."
    assert window.waveforms.telling.why_empty() == words
    assert not window.files_dock.isVisible()
    assert not window.bridge.active()
    assert not window.runs.process_button.isEnabled()
    assert not window.runs.follow_action.isEnabled()
    window.toggle_files()
    qtbot.waitUntil(lambda: [one.path for one in window.files.model.files] == [path], timeout=WAIT_MS)


def test_tier_files_that_are_opened_by_the_menu_and_again_are_runs(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    (path,) = given("t2_run7.h5")
    window.arrivals.ask_open_tier()
    (dialog,) = window.findChildren(QFileDialog)
    dialog.filesSelected.emit([str(path)])
    dialog.close()
    wait_for(qtbot, window)
    assert window.bridge.session.recent == (path,)
    window.documents.copy_commands(window.bridge.session.runs)
    said = "No command makes t2_run7.h5: it is of Tier 2, and there is no Tier 1 file of it"
    assert window.banner.words.text() == said


def test_a_tier_1_file_that_comes_while_its_tier_2_file_is_looked_for_is_not_lost(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    tier2, tier1 = given("t2_run7.h5", "t1_run7.h5")
    run = kind_of(tier2).run
    window.bridge.change(changes.add_runs, [replace(run, tier2=tier2)])
    window.bridge.change(changes.take_tier1, run.run_id, tier1)  # before the first answer
    wait_for(qtbot, window)
    live = window.bridge.live(run.run_id)
    assert live is not None and live.tier1 == tier1


def test_its_waveforms_are_shown_once_the_tier_1_file_is_given_too(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], made: Path, tmp_path: Path
) -> None:
    (tier2,) = given("t2_run7.h5")
    window.arrivals.add_paths([tier2])
    wait_for(qtbot, window)
    tier1 = Path(shutil.copy(made / "t1_run7.h5", tmp_path / "t1_elsewhere.h5"))
    window.arrivals.add_paths([tier1])
    qtbot.waitUntil(lambda: window.waveforms.sample is not None, timeout=WAIT_MS)
    (run,) = window.bridge.session.runs
    assert (run.tier1, run.tier2) == (tier1, tier2)
    assert window.bridge.store.undo_label.startswith("take the Tier 1 file of a run")
    window.bridge.store.undo()
    qtbot.waitUntil(lambda: window.waveforms.sample is None, timeout=WAIT_MS)
    wait_for(qtbot, window)


def test_waveforms_come_from_the_tier_1_file_beside_it(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    tier1, tier2 = given("t1_run7.h5", "t2_run7.h5")
    window.arrivals.add_paths([tier2])
    wait_for(qtbot, window)
    qtbot.waitUntil(lambda: window.waveforms.sample is not None, timeout=WAIT_MS)
    window.waveforms.go_to(250)
    qtbot.waitUntil(lambda: window.waveforms.bar.place.text() == "251", timeout=WAIT_MS)
    assert window.bridge.live(window.bridge.session.selected).tier1 == tier1
    assert not window.bridge.active()


def test_a_tier_1_file_alone_is_processed_and_left_as_it_is(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = given("t1_run7.h5")
    before = path.read_bytes()
    window.arrivals.add_paths([path])
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    wait_for(qtbot, window)
    qtbot.waitUntil(lambda: window.waveforms.bar.info.text().startswith(f"of {N}"), timeout=WAIT_MS)
    state = window.bridge.state(window.bridge.session.selected)
    assert state.outputs == (path, tmp_path / "out" / "t2_run7.h5")
    assert path.read_bytes() == before
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["t2_run7.h5"]
    assert window.runs.process_button.isEnabled()
    assert not window.runs.follow_action.isEnabled()


def test_all_waveforms_of_a_tier_1_file_are_there_after_its_job_was_stopped_or_failed(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = given("t1_run7.h5")
    (tmp_path / "out" / "t2_run7.h5").write_bytes(b"not ours")  # so that the job is refused
    window.arrivals.add_paths([path])
    run_id = str(path)
    qtbot.waitUntil(lambda: state_of(window, run_id) == "failed", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.waveforms.bar.info.text().startswith(f"of {N}"), timeout=WAIT_MS)
    (remedy,) = remedies_for(window.bridge.state(run_id))
    assert remedy.words == "Write t2_run7.1.h5"
    window.processing.mend(window.bridge.session.selected_run, remedy.act)
    qtbot.waitUntil(lambda: state_of(window, run_id) == "done", timeout=WAIT_MS)
    assert window.bridge.state(run_id).outputs == (path, tmp_path / "out" / "t2_run7.1.h5")
    wait_for(qtbot, window)


def test_the_waveforms_of_a_tier_1_file_are_there_before_it_is_processed(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    window.bridge.change(changes.process_on_add, False)
    (path,) = given("t1_run7.h5")
    window.arrivals.add_paths([path])
    qtbot.waitUntil(lambda: window.waveforms.bar.info.text().startswith(f"of {N}"), timeout=WAIT_MS)
    channels = window.bridge.live(str(path)).channels
    assert len(channels) > 1
    window.waveforms.go_to(17)
    qtbot.waitUntil(lambda: window.waveforms.bar.place.text() == "18", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.preview.found is not None, timeout=WAIT_MS)
    assert window.preview.sandbox.words in [f"waveforms of {name}" for name in window.bridge.names(channels)]
    for tab in range(6):
        window.go_to_tab(tab)
    assert window.runs.process_button.text() == "Process 1"
    window.runs.process_button.click()
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    wait_for(qtbot, window)


def test_a_tier_1_file_that_was_processed_before_is_shown_and_not_processed_again(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], made: Path, tmp_path: Path
) -> None:
    (path,) = given("t1_run7.h5")
    shutil.copy(made / "t2_run7.h5", tmp_path / "out")
    window.arrivals.add_paths([path])
    wait_for(qtbot, window)
    qtbot.waitUntil(lambda: window.waveforms.sample is not None, timeout=WAIT_MS)
    assert not window.bridge.active()
    assert window.bridge.state(str(path)).made_on is not None
    tier2 = tmp_path / "out" / "t2_run7.h5"
    said = f"t1_run7.h5 is shown with {tier2}, made of it before"
    assert any(line.endswith(said) for line in window.bridge.lines)


def test_a_given_tier_2_file_stays_when_the_run_is_processed_again(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    tier1, tier2 = given("t1_run7.h5", "t2_run7.h5")
    before = tier2.read_bytes()
    window.arrivals.add_paths([tier2])
    wait_for(qtbot, window)
    window.runs.process_button.click()
    qtbot.waitUntil(lambda: (tmp_path / "out" / "t2_run7.h5").exists() and is_done(window), timeout=WAIT_MS)
    assert tier2.read_bytes() == before
    (run,) = window.bridge.session.runs
    assert run.is_redone
    assert window.bridge.state(run.run_id).outputs == (tier1, tmp_path / "out" / "t2_run7.h5")


def test_several_tier_2_files_can_be_looked_at_as_one(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    window.arrivals.add_paths(given("t2_run7.h5", "t2_run8.h5"))
    wait_for(qtbot, window)
    assert window.banner.words.text() == "2 Tier 2 files were opened, each as a run for itself."
    qtbot.waitUntil(lambda: all(window.bridge.state(one.run_id) for one in window.bridge.session.runs))
    window.banner.act_buttons[0].click()
    assert isinstance(window.bridge.session.selected_run, DataSet)
    wait_for(qtbot, window, 2 * N)
    assert not window.banner.isVisible()


def test_a_folder_with_tier_files_alone_gives_a_run_of_each_pair(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    files = given("t1_run7.h5", "t2_run7.h5", "t1_run8.h5", "t2_run8.h5")
    window.arrivals.add_paths([files[0].parent])
    wait_for(qtbot, window)
    runs = window.bridge.session.runs
    assert [(run.run_number, run.tier1, run.tier2) for run in runs] == [(7, *files[:2]), (8, *files[2:])]
    assert window.runs.refusals.isHidden()
    assert not window.bridge.active()


def test_undo_takes_tier_files_back_and_redo_brings_them_again(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    window.arrivals.add_paths(given("t2_run7.h5", "t2_run8.h5"))
    wait_for(qtbot, window)
    assert window.bridge.store.undo_label == "open Tier files"
    assert window.banner.isVisible()
    window.bridge.store.undo()
    assert window.bridge.session.runs == ()
    assert not window.banner.isVisible()
    assert window.stack.currentWidget() is window.welcome
    window.bridge.store.redo()
    assert len(window.bridge.session.runs) == 2
    wait_for(qtbot, window, run_id=window.bridge.session.runs[0].run_id)


def test_undo_of_a_drop_whose_tier_1_file_is_being_processed_keeps_nothing_half(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = given("t1_run7.h5")
    window.arrivals.add_paths([path])
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    window.bridge.store.undo()
    assert window.bridge.session.runs == ()
    window.arrivals.add_paths([path])
    wait_for(qtbot, window)


def test_a_raw_file_and_its_own_tier_files_are_one_run_that_is_not_processed_anew(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    raw, tier1, tier2 = given("Run7", "t1_run7.h5", "t2_run7.h5")
    window.arrivals.add_paths([raw, tier1, tier2])
    wait_for(qtbot, window)
    (run,) = window.bridge.session.runs
    assert (run.path, run.tier1, run.tier2) == (raw, tier1, tier2)
    assert not window.bridge.active()
    window.runs.process_button.click()
    qtbot.waitUntil(lambda: (tmp_path / "out" / "t1_run7.h5").exists() and is_done(window), timeout=WAIT_MS)
    assert window.bridge.state(run.run_id).outputs[0] == tmp_path / "out" / "t1_run7.h5"


def test_tier_files_that_come_with_the_raw_file_of_a_run_in_the_list_are_its_own(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    raw, tier1, tier2 = given("Run7", "t1_run7.h5", "t2_run7.h5")
    window.arrivals.add_paths([raw], process=False)
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 1, timeout=WAIT_MS)
    window.arrivals.add_paths([raw, tier1, tier2])
    wait_for(qtbot, window)
    (run,) = window.bridge.session.runs
    assert (run.path, run.tier1, run.tier2) == (raw, tier1, tier2)
    assert not window.bridge.active()
    assert window.bridge.store.undo_label.startswith("take the Tier files of a run")
    window.bridge.store.undo()
    assert window.bridge.session.runs[0].tier2 is None


@pytest.mark.parametrize("has_raw", [True, False])
def test_tier_files_of_a_run_whose_job_failed_or_was_stopped_are_its_own(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path, has_raw: bool
) -> None:
    raw, tier1, tier2 = given("Run7", "t1_run7.h5", "t2_run7.h5")
    (tmp_path / "out" / "t2_run7.h5").write_bytes(b"not ours")  # so that the job is refused
    window.arrivals.add_paths([raw])
    qtbot.waitUntil(lambda: state_of(window, str(raw)) == "failed", timeout=WAIT_MS)
    window.arrivals.add_paths([*([raw] if has_raw else []), tier1, tier2])
    wait_for(qtbot, window)
    (run,) = window.bridge.session.runs
    assert (run.path, run.tier1, run.tier2) == (raw, tier1, tier2)
    assert window.bridge.state(run.run_id).outputs == (tier1, tier2)


def test_tier_files_are_of_the_run_of_their_raw_file_in_whatever_order_they_come(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    raw, tier2 = given("Run7", "t2_run7.h5")
    window.arrivals.add_paths([tier2])
    wait_for(qtbot, window)
    window.arrivals.add_paths([raw])
    qtbot.waitUntil(lambda: window.bridge.session.runs[0].path == raw, timeout=WAIT_MS)
    assert not window.bridge.active()
    assert window.bridge.store.undo_label.startswith("take the raw file of a run")
    (tier1,) = given("t1_run7.h5")
    window.arrivals.add_paths([tier1])
    qtbot.waitUntil(lambda: window.bridge.session.runs[0].tier1 == tier1, timeout=WAIT_MS)
    wait_for(qtbot, window)
    (run,) = window.bridge.session.runs
    assert (run.path, run.tier1, run.tier2, run.is_raw, run.is_given) == (raw, tier1, tier2, True, True)
    window.runs.process_button.click()
    qtbot.waitUntil(lambda: (tmp_path / "out" / "t1_run7.h5").exists() and is_done(window), timeout=WAIT_MS)
    assert window.bridge.state(run.run_id).outputs[0] == tmp_path / "out" / "t1_run7.h5"


def test_the_raw_file_that_comes_into_a_watched_folder_joins_the_run_of_its_tier_2_file(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], made: Path, tmp_path: Path
) -> None:
    (tier2,) = given("t2_run7.h5")
    window.arrivals.add_paths([tier2])
    wait_for(qtbot, window)
    (folder := tmp_path / "watched").mkdir()
    come = [Path(shutil.copy(made / name, folder / name)) for name in ("Run7", "Run8")]
    window.arrivals.take_new([NewRun(read_run(path), is_growing=False) for path in come])
    qtbot.waitUntil(lambda: state_of(window, str(come[1])) == "done", timeout=WAIT_MS)
    assert [run.path for run in window.bridge.session.runs] == come
    first = window.bridge.session.runs[0]
    assert (first.run_id, first.tier2, state_of(window, first.run_id)) == (str(tier2), tier2, "done")
    assert any("Run7 is the raw file of Run 7" in line for line in window.bridge.lines)
    assert not (tmp_path / "out" / "t2_run7.h5").exists()


def test_tier_files_of_a_run_that_was_processed_are_told_as_a_run_of_their_own(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    raw, tier2 = given("Run7", "t2_run7.h5")
    window.arrivals.add_paths([raw])
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    words = "t2_run7.h5 is a run of its own: Run 7 has its files already"
    with qtbot.waitSignal(
        window.bridge.logged, timeout=WAIT_MS, check_params_cb=lambda text, _: text == words
    ):
        window.arrivals.add_paths([raw, tier2])
    assert [run.path for run in window.bridge.session.runs] == [raw, tier2]


def test_the_same_tier_file_twice_is_one_run(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    (path,) = given("t2_run7.h5")
    window.arrivals.add_paths([path, path])
    wait_for(qtbot, window)
    with qtbot.waitSignal(
        window.bridge.logged, check_params_cb=lambda text, _: "in the list already" in text
    ):
        window.arrivals.add_paths([path])
    assert len(window.bridge.session.runs) == 1


def test_the_own_tier_file_of_a_run_in_the_list_selects_it(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    raw, other = given("Run7", "t2_run8.h5")
    window.arrivals.add_paths([raw])
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    window.arrivals.add_paths([other])
    qtbot.waitUntil(lambda: window.bridge.session.selected == str(other), timeout=WAIT_MS)
    window.arrivals.add_paths([tmp_path / "out" / "t2_run7.h5"])
    qtbot.waitUntil(lambda: window.bridge.session.selected == str(raw), timeout=WAIT_MS)
    assert len(window.bridge.session.runs) == 2


def test_a_tier_2_file_that_is_gone_is_told_and_read_when_it_is_back(
    qtbot: QtBot, open_window: Callable[..., MainWindow], given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = given("t2_run7.h5")
    run = kind_of(path).run
    path.rename(away := tmp_path / "away.h5")
    window = open_window(Bridge(Store(Session(runs=(run,), selected=run.run_id))))
    window.bridge.warm_up()
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert str(path) in window.banner.words.text()
    assert run_sentence(None, run) == ("■ not read", "soft")
    assert window.runs.process_button.text() == "Process again"
    assert not window.runs.process_button.isEnabled()
    for number, view in enumerate((window.waveforms, window.spectrum, window.plane), 1):
        window.go_to_tab(number)
        view.redraw()
        said = "t2_run7.h5 is not where it was. Bring it back, or open it where it is now."
        assert view.plot._hint.text() == said
    away.rename(path)
    window.bridge.gone.found([path])
    wait_for(qtbot, window)
    assert not window.banner.isVisible()


def test_a_file_that_was_moved_is_the_same_run_in_its_new_place(
    qtbot: QtBot, open_window: Callable[..., MainWindow], given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    path, _, other = given("t2_run7.h5", "t1_run7.h5", "t2_run8.h5")
    run, second = kind_of(path).run, kind_of(other).run
    members = (Member(run, path), Member(second, other))
    data_set = DataSet("data set 1", path, 7, name="Runs 7-8", members=members)
    (folder := tmp_path / "moved").mkdir()
    for one in (path, path.with_name("t1_run7.h5")):
        one.rename(folder / one.name)
    session = Session(runs=(run, second), data_sets=(data_set,), selected=run.run_id, shifter="J. Doe")
    window = open_window(Bridge(Store(saved.from_json(saved.to_json(session)))))
    window.bridge.warm_up()
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    window.arrivals.add_paths([folder / path.name])
    wait_for(qtbot, window)
    assert [one.run_id for one in window.bridge.session.runs] == [run.run_id, second.run_id]
    now = window.bridge.session.selected_run
    assert now is not None and now.run_id == run.run_id
    assert (now.path, now.tier1, now.tier2) == (
        folder / path.name,
        folder / "t1_run7.h5",
        folder / path.name,
    )
    assert not window.banner.isVisible()
    assert any(
        f"is read from {folder / path.name} now: it is not in {path.parent} any more" in line
        for line in window.bridge.lines
    )
    (kept,) = window.bridge.session.data_sets
    assert [one.tier2 for one in kept.members] == [folder / path.name, other]
    assert kept.members[0].run.run_id == run.run_id
    window.bridge.store.undo()
    assert window.bridge.session.selected_run == run


def test_a_copy_of_a_file_that_is_there_is_told_in_place_and_selects_its_run(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = given("t2_run7.h5")
    window.arrivals.add_paths([path])
    wait_for(qtbot, window)
    (folder := tmp_path / "copied").mkdir()
    copy = Path(shutil.copy(path, folder / "copy_of_run7.h5"))
    with qtbot.waitSignal(window.arrivals.refused, timeout=WAIT_MS):
        window.arrivals.add_paths([copy, Path(shutil.copy(path, folder))])
    (run,) = window.bridge.session.runs
    assert (run.path, window.bridge.session.selected) == (path, run.run_id)
    said = f"copy_of_run7.h5 is in the list as Run 7 · t2_run7.h5, in {path.parent}: a copy of it"
    assert any(said in line for line in window.bridge.lines)


def test_a_file_of_the_same_run_that_another_chain_made_is_a_run_of_its_own(
    qtbot: QtBot, window: MainWindow, made: Path, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = given("t2_run7.h5")
    (folder := tmp_path / "other").mkdir()
    chain = Tier1Processor()
    chain.add("avg_baseline")
    process_run(made / "Run7", output_dir=folder, processor=chain)
    window.arrivals.add_paths([path, folder / "t2_run7.h5"])
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 2, timeout=WAIT_MS)
    first, second = (kind_of(one).run for one in (path, folder / "t2_run7.h5"))
    path.unlink()
    assert look_at_tiers([second.path], [], [first], None).moved == {}


def test_two_copies_of_a_file_are_one_run(given: Callable[..., list[Path]], tmp_path: Path) -> None:
    (path,) = given("t2_run7.h5")
    copy = Path(shutil.copy(path, tmp_path / "t2_run7.h5"))
    found = look_at_tiers([path, copy], [], [], None)
    assert [one.path for one in found.runs] == [path]
    assert [(one, run.path) for one, run in found.copies] == [(copy, path)]
    listed = replace(kind_of(path).run, path=tmp_path / "gone.h5", tier2=tmp_path / "gone.h5")
    found = look_at_tiers([path, copy], [], [listed], None)
    assert [run.path for run in found.moved.values()] == [path]
    assert ([one for one, _ in found.copies], found.runs) == ([copy], ())


def test_the_moved_file_of_a_raw_run_is_its_own(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    raw, other = given("Run7", "t2_run8.h5")
    window.arrivals.add_paths([raw])
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    (run,) = window.bridge.session.runs
    members = (Member(run, tmp_path / "out" / "t2_run7.h5"), Member(kind_of(other).run, other))
    data_set = DataSet("data set 1", members[0].tier2, 7, name="Runs 7-8", members=members)
    window.bridge.change(set_changes.make_data_set, data_set)
    window.bridge.change(changes.select_run, run.run_id)
    (folder := tmp_path / "moved").mkdir()
    for name in ("t1_run7.h5", "t2_run7.h5"):
        (tmp_path / "out" / name).rename(folder / name)
    window.arrivals.add_paths([folder / "t2_run7.h5"])
    qtbot.waitUntil(lambda: window.bridge.session.runs[0].tier2 is not None, timeout=WAIT_MS)
    wait_for(qtbot, window)
    (run,) = window.bridge.session.runs
    assert (run.path, run.tier2) == (raw, folder / "t2_run7.h5")
    (kept,) = window.bridge.session.data_sets
    assert [one.tier2 for one in kept.members] == [folder / "t2_run7.h5", other]


def test_a_file_in_the_place_that_another_was_moved_from_has_an_id_of_its_own(
    given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    path, other = given("t2_run7.h5", "t2_run8.h5")
    before = kind_of(path).run
    path.rename(tmp_path / "t2_run7.h5")
    (after,) = look_at_tiers([tmp_path / "t2_run7.h5"], [], [before], None).moved.values()
    moved = replace(after, run_id=before.run_id)
    other.rename(path)
    (new,) = look_at_tiers([path], [], [moved], None).runs
    assert new.path == path and new.run_id != before.run_id


def test_the_waveforms_of_a_tier_1_file_that_was_gone_are_shown_when_it_is_back(
    qtbot: QtBot, open_window: Callable[..., MainWindow], given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = given("t1_run7.h5")
    run = kind_of(path).run
    path.rename(away := tmp_path / "away.h5")
    window = open_window(Bridge(Store(Session(runs=(run,), selected=run.run_id))))
    window.bridge.warm_up()
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    said = "t1_run7.h5 is not where it was. Bring it back, or open it where it is now."
    assert window.waveforms.telling.why_empty() == said
    away.rename(path)
    window.bridge.gone.found([path])
    qtbot.waitUntil(lambda: window.waveforms.bar.info.text().startswith(f"of {N}"), timeout=WAIT_MS)


def test_a_damaged_tier_file_goes_to_the_files_with_the_reason(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    (path,) = given("t2_run7.h5")
    path.write_bytes(path.read_bytes()[:3000])
    window.arrivals.add_paths([path])
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    said = window.banner.words.text()
    assert said.startswith("Only the panel Files shows t2_run7.h5. t2_run7.h5 cannot be read as a Tier file")
    assert window.files_dock.isVisible()
    assert window.bridge.session.runs == ()


def test_a_table_without_channels_goes_to_the_files_and_what_is_whole_is_shown(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (path,) = given("t2_run7.h5")
    pd.DataFrame({"energy": [1.0, 2.0]}).to_hdf(lacks := tmp_path / "t2_run5.h5", key="data", format="table")
    window.arrivals.add_paths([lacks, path])
    wait_for(qtbot, window)
    assert "t2_run5.h5 has no column 'channel'" in window.banner.words.text()
    assert [run.path for run in window.bridge.session.runs] == [path]
    qtbot.waitUntil(lambda: {one.path for one in window.files.model.files} == {lacks, path}, timeout=WAIT_MS)


def test_a_table_of_another_program_is_shown_with_a_height_that_it_has(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    frame = pd.DataFrame(
        {"channel": [0, 1, 0, 1], "energy": [5.0, 6.0, 6.5, 7.0], "time": [1.0, 2.0, 3.0, 4.0]}
    )
    frame.to_hdf(path := tmp_path / "t2_run72.h5", key="data", format="table")
    window.arrivals.add_paths([path])
    wait_for(qtbot, window, 4)
    assert window.bridge.session.spectrum.column == "energy"
    qtbot.waitUntil(lambda: window.spectrum._histogram is not None, timeout=WAIT_MS)
    window.spectrum.choose_column("trap_max")
    qtbot.waitUntil(lambda: window.spectrum._histogram is None, timeout=WAIT_MS)
    said = "There is no trap_max in t2_run72.h5. Choose another column below."
    assert window.spectrum._why_empty(window.bridge.live(str(path))) == said


def test_what_is_no_run_is_told_above_the_offer_that_comes_back(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    pd.DataFrame({"energy": [1.0, 2.0]}).to_hdf(lacks := tmp_path / "t2_run5.h5", key="data", format="table")
    files = given("t2_run7.h5", "t2_run8.h5")
    window.arrivals.add_paths([*files, lacks])
    wait_for(qtbot, window)
    assert "t2_run5.h5 has no column 'channel'" in window.banner.words.text()
    window.banner.dismiss()
    assert window.banner.words.text().startswith("2 Tier 2 files were opened")
    window.arrivals.add_paths([files[0]])
    assert not window.banner.isVisible()


def test_a_tier_1_file_without_events_is_done_and_says_so(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    window.arrivals.add_paths(given("t1_run9.h5"))
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.waveforms.telling.why_empty() == "No waveforms in this run.")
    assert window.bridge.lines[-1].endswith("t1_run9.h5 holds no event")
    assert not window.bridge.active()


def test_tier_files_of_a_saved_session_are_there_again(
    qtbot: QtBot, open_window: Callable[..., MainWindow], given: Callable[..., list[Path]], tmp_path: Path
) -> None:
    tier1, tier2 = given("t1_run7.h5", "t2_run7.h5")
    first = open_window(output_dir=tmp_path / "out")
    first.arrivals.add_paths([tier2])
    wait_for(qtbot, first)
    saved.save(first.bridge.session, tmp_path / "mine.pygama-session.json")
    session = saved.load(tmp_path / "mine.pygama-session.json")
    assert session.runs == first.bridge.session.runs
    second = open_window(Bridge(Store(session)))
    second.bridge.warm_up()
    wait_for(qtbot, second)
    qtbot.waitUntil(lambda: second.waveforms.sample is not None, timeout=WAIT_MS)


def test_a_tier_1_file_without_events_that_is_processed_says_that_there_is_none(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    (tier1,) = given("t1_run9.h5")
    window.arrivals.add_paths([tier1])
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    window.runs.process_button.click()
    (run,) = window.bridge.session.runs
    qtbot.waitUntil(lambda: state_of(window, run.run_id) == "failed", timeout=WAIT_MS)
    assert "t1_run9.h5 holds no event: there is nothing" in window.bridge.state(run.run_id).text
    assert window.banner.words.text().startswith("Run 9: t1_run9.h5 holds no event")
    assert "another try would change nothing" in window.banner.words.text()
    assert remedies_for(window.bridge.state(run.run_id)) == ()
    assert not window.runs.retry_action.isEnabled()


def test_of_a_tier_1_file_only_room_for_tier_2_is_asked_for(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    first, second = given("t1_run7.h5", "t1_run8.h5")
    needs: list[Need] = []

    def ask() -> None:
        run = window.bridge.session.runs[-1]
        window.bridge.room.look_for([run], first.parent, lambda _free, need: needs.append(need))

    window.arrivals.add_paths([first], process=False)
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 1, timeout=WAIT_MS)
    assert window.runs.process_button.toolTip().endswith(" of Tier 1")
    ask()
    qtbot.waitUntil(lambda: len(needs) == 1, timeout=WAIT_MS)
    assert needs[0].n_bytes == round(0.1 * first.stat().st_size)
    window.runs.process_button.click()
    qtbot.waitUntil(lambda: is_done(window), timeout=WAIT_MS)
    (made,) = (path for path in window.bridge.state(str(first)).outputs if path != first)
    window.arrivals.add_paths([second], process=False)
    qtbot.waitUntil(lambda: len(window.bridge.session.runs) == 2, timeout=WAIT_MS)
    ask()
    qtbot.waitUntil(lambda: len(needs) == 2, timeout=WAIT_MS)
    share = made.stat().st_size / first.stat().st_size
    assert (needs[1].n_bytes, needs[1].is_measured) == (round(share * second.stat().st_size), True)


def test_the_chain_of_a_tier_2_file_is_offered_and_can_be_given_back(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    mine = window.bridge.session.chain[:1]
    window.bridge.change(changes.take_chain, mine)
    window.arrivals.add_paths(given("t2_run7.h5"))
    wait_for(qtbot, window)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.words.text() == "t2_run7.h5 was made with another chain than the one beside it."
    assert window.bridge.session.chain == mine
    window.banner.act_buttons[0].click()
    chain = window.bridge.live(window.bridge.session.selected).chain
    assert len(chain) > 1 and window.bridge.session.chain == chain
    assert not window.banner.isVisible()
    window.bridge.store.undo()
    assert window.bridge.session.chain == mine
    window.chain.take_made_with()
    assert window.bridge.session.chain == chain
    with qtbot.waitSignal(window.bridge.logged, check_params_cb=lambda text, _: "No other chain" in text):
        window.chain.take_made_with()


def test_the_same_chain_is_not_offered_and_an_offer_goes_with_its_run(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    first, second = given("t2_run7.h5", "t2_run8.h5")
    window.arrivals.add_paths([first])
    wait_for(qtbot, window)
    assert not window.banner.isVisible()  # made with the chain that a new session has
    window.bridge.change(changes.take_chain, ())
    window.arrivals.add_paths([second])
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    window.bridge.change(changes.select_run, str(first))
    assert not window.banner.isVisible()


def test_a_channel_of_a_tier_1_file_is_chosen_before_it_is_processed(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    window.bridge.change(changes.process_on_add, False)
    (path,) = given("t1_run7.h5")
    window.arrivals.add_paths([path])
    sandbox = window.preview.sandbox
    qtbot.waitUntil(lambda: window.preview.found is not None, timeout=WAIT_MS)
    live = window.bridge.live(str(path))
    most = max(live.channels, key=lambda code: int((live.some_codes == code).sum()))
    other = next(code for code in live.channels if code != most)
    assert sandbox.words == f"waveforms of {window.bridge.names([most])[0]}"
    window.bridge.change(changes.choose_channel, other)
    words = f"waveforms of {window.bridge.names([other])[0]}"
    qtbot.waitUntil(lambda: sandbox.words == words, timeout=WAIT_MS)


def test_while_waveforms_of_a_channel_are_looked_for_no_other_is_told_as_one_of_it(
    qtbot: QtBot, window: MainWindow, given: Callable[..., list[Path]]
) -> None:
    window.bridge.change(changes.process_on_add, False)
    (path,) = given("t1_run7.h5")
    window.arrivals.add_paths([path])
    qtbot.waitUntil(lambda: window.waveforms.bar.info.text().startswith(f"of {N}"), timeout=WAIT_MS)
    shown = window.waveforms.browser.sample.channel
    other = next(code for code in window.bridge.live(str(path)).channels if code != shown)
    window.waveforms.choose(channel=other)
    assert window.waveforms.telling.info() == f"looking for waveforms of channel {other % 1024}…"
    qtbot.waitUntil(lambda: window.waveforms.browser.sample.channel == other, timeout=WAIT_MS)
    assert window.waveforms.telling.info().startswith("of ")
