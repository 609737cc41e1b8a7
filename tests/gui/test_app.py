"""Tests the command line of the window."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication

from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui import app, keeping
from pygama_gui.session import places, saved
from pygama_gui.session.state import Session
from pygama_gui.widgets import theme


def run_gui(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "pygama_gui", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_screenshots_are_taken_of_every_view_in_both_themes(tmp_path: Path) -> None:
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=300, n_samples=1000))
    out = tmp_path / "out"
    out.mkdir()
    done = run_gui("--screenshot", tmp_path / "pictures", "--output", out, "--measure", raw)
    assert done.returncode == 0, done.stderr
    names = {path.stem for path in (tmp_path / "pictures").iterdir()}
    assert {"window_light", "window_dark", "waveforms_light", "spectrum_dark", "chain_light"} <= names
    assert "longest block of the event loop:" in done.stdout
    assert "from drop to first spectrum on screen:" in done.stdout
    assert "never" not in done.stdout
    assert {path.name for path in out.iterdir()} == {"t1_run12.h5", "t2_run12.h5"}


def test_threads_that_compute_give_way_to_the_window(tmp_path: Path) -> None:
    code = (
        "import sys; from pygama_gui import app; "
        "app.Show.run = lambda show: print(sys.getswitchinterval() < 0.001) or 0; sys.exit(app.main([]))"
    )
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "True", done.stderr


def test_a_home_that_takes_no_files_does_not_keep_the_window_from_opening(tmp_path: Path) -> None:
    (home := tmp_path / "home").write_bytes(b"")  # nothing can be put below a file, whoever asks
    code = (
        "import sys; from pygama_gui import app; "
        "app.Show.run = lambda show: print(show.window.keeper.is_alone) or 0; sys.exit(app.main([]))"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"
    assert "pygama-gui.log cannot be written" in done.stderr


def test_lines_of_the_log_file_are_stamped_in_utc() -> None:
    code = (
        "import sys; from pygama_gui import app; "
        "app.Show.run = lambda show: app.logger.warning('shown') or 0; sys.exit(app.main([]))"
    )
    began = datetime.now(UTC).replace(microsecond=0)
    away = os.environ | {"QT_QPA_PLATFORM": "offscreen", "TZ": "JST-9"}  # nine hours east of Greenwich
    subprocess.run([sys.executable, "-c", code], env=away, timeout=120, check=True)
    lines = places.log_file().read_text().splitlines()
    stamps = [line.removesuffix(" WARNING shown") for line in lines if line.endswith(" WARNING shown")]
    stamp = datetime.strptime(*stamps, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    assert began <= stamp <= datetime.now(UTC)


def test_a_file_that_is_no_run_gives_exit_status_1(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no run at all, but long enough to be looked at")
    assert run_gui("--screenshot", tmp_path / "pictures", tmp_path / "notes").returncode == 1


def test_screenshots_are_taken_of_a_tier_2_file(tmp_path: Path) -> None:
    raw = write_run(tmp_path / "Run3", RunShape(run_number=3, n_events=200, n_samples=900, pulse_at=400))
    tier2 = process_run(raw, output_dir=tmp_path).outputs[1]
    assert run_gui("--screenshot", tmp_path / "pictures", tier2).returncode == 0
    assert (tmp_path / "pictures" / "spectrum_light.png").exists()


def test_screenshots_of_nothing_are_a_mistake_on_the_command_line() -> None:
    with pytest.raises(SystemExit, match="2"):
        app.main(["--screenshot", "pictures"])


def test_a_file_for_the_output_folder_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes"
    file.touch()
    with pytest.raises(SystemExit, match="2"):
        app.main(["--output", str(file)])
    assert f"the output folder '{file}' is a file: choose another" in capsys.readouterr().err


def test_the_last_session_is_restored(qapp: QApplication) -> None:
    saved.save(replace(Session(), theme="dark", tab=2), places.session_file())
    window = app.make_window(app.parser().parse_args([]), remembers=True)
    try:
        assert window.bridge.session.tab == 2
        assert theme.current().name == "dark"
    finally:
        window.close()
        theme.apply("light")


def test_text_is_drawn_in_the_size_that_was_chosen_last_time() -> None:
    saved.save(replace(Session(), size_percent=150), places.session_file())
    code = (
        "import sys; from pygama_gui import app; from PyQt5.QtWidgets import QApplication; "
        "app.Show.run = lambda show: print(show.window.devicePixelRatioF()) or 0; sys.exit(app.main([]))"
    )
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["3.0"], done.stderr


def test_a_damaged_session_is_told_and_left_behind(qapp: QApplication) -> None:
    places.session_file().parent.mkdir(parents=True, exist_ok=True)
    places.session_file().write_text("{")
    session, problem = keeping.restored()
    assert session == Session()
    assert problem.startswith("The last session could not be restored: session.json")
    assert places.session_file().with_name("session.damaged.json").read_text() == "{"


def test_a_session_that_cannot_be_shown_gives_an_empty_window(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pygama_gui.views.chain.view import ChainView

    shown = ChainView._show

    def fail_once(view: ChainView) -> None:
        monkeypatch.setattr(ChainView, "_show", shown)
        raise KeyError("a step of another planet")

    saved.save(replace(Session(), tab=2, output_dir=tmp_path), places.session_file())
    monkeypatch.setattr(ChainView, "_show", fail_once)
    window = app.make_window(app.parser().parse_args([]), remembers=True)
    try:
        assert (window.bridge.session.tab, window.bridge.session.output_dir) == (0, tmp_path)
        assert "a step of another planet" in window.log.text.toPlainText()
    finally:
        window.close()


def test_the_command_line_beats_the_session(qapp: QApplication, tmp_path: Path) -> None:
    saved.save(replace(Session(), theme="dark"), places.session_file())
    options = app.parser().parse_args(["--theme", "light", "--output", str(tmp_path)])
    window = app.make_window(options, remembers=True)
    try:
        assert window.bridge.session.theme == "light"
        assert window.bridge.session.output_dir == tmp_path
    finally:
        window.close()


def test_the_window_starts_without_what_reads_files_and_draws_for_print() -> None:
    code = (
        "import sys, pygama_gui.main_window; print(*{'tables', 'matplotlib', 'pandas'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
