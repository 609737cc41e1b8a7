"""How soon the window is up, and how smooth it stays: 1000 runs, 100 jobs, a week of log, 200 processed runs.

QT_QPA_PLATFORM=offscreen pytest -m benchmark_suite tests/benchmarks/test_window.py

What counts is the longest time that the event loop was itself at work between two beats: the rest of a block
is the operating system's.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PyQt5.QtCore import QEventLoop, QTimer
from PyQt5.QtWidgets import QApplication

from pygama.simulate import RunShape, write_run
from pygama_gui.bridge import Bridge
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, saved
from pygama_gui.session.state import Run
from pygama_gui.widgets import theme
from pygama_gui.widgets.heartbeat import Heartbeat

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(1800)]

N_STARTS, N_RUNS, N_JOBS, N_LINES, N_PROCESSED = 5, 1000, 100, 20_000, 200


@pytest.fixture
def window(qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    theme.apply("light")
    made = MainWindow(Bridge(), remembers=False)
    made.bridge.change(changes.choose_output_dir, tmp_path)
    made.bridge.change(changes.process_on_add, False)
    for _ in made.rehearse():
        pass
    made.show()
    settle(0.5)
    yield made
    made.close()


def settle(seconds: float) -> None:
    """Run Qt's own loop: only that lets go of what is to be deleted later."""
    loop = QEventLoop()
    QTimer.singleShot(round(1e3 * seconds), loop.quit)
    loop.exec()


def runs(folder: Path, number: int) -> list[Run]:
    shape = RunShape(run_number=1, n_events=20, n_samples=300, pulse_at=150)
    first = write_run(folder / "Run1", shape).read_bytes()
    made = []
    for index in range(1, number + 1):
        path = folder / f"Run{index}"
        path.write_bytes(first)
        made.append(
            Run(f"run{index}", path, index, 0, 1_537_871_000 + 3600 * index, len(first), ("X",), f".{index}")
        )
    return made


def measured(window: MainWindow, seconds: float, act: object) -> tuple[float, Heartbeat]:
    heart = Heartbeat(window)
    heart.start()
    before = time.perf_counter()
    act()  # type: ignore[operator]
    took = 1000 * (time.perf_counter() - before)
    settle(seconds)
    heart.stop()
    return took, heart


def test_the_window_is_up_soon_and_shows_a_run_soon(tmp_path: Path, report) -> None:
    told: dict[str, list[float]] = {}
    for number in range(N_STARTS):
        home = tmp_path / str(number)
        home.mkdir()
        environment = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "pygama_gui", "--measure", "--demo"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            what, _, value = line.partition(": ")
            told.setdefault(what, []).append(float(value.split()[0]))
    for what, values in told.items():
        unit = "ms" if "event loop" in what else "s"
        aim = {"s": "1.5", "ms": "50"}[unit] if "window on" in what or "block" in what else ""
        report.add(what, f"{min(values):.3g}, median {statistics.median(values):.3g} {unit}", "", aim)


def test_a_thousand_runs_stay_smooth(window: MainWindow, tmp_path: Path, report) -> None:
    many = runs(tmp_path, N_RUNS)
    bridge = window.bridge
    took, heart = measured(window, 1.0, lambda: bridge.change(changes.add_runs, many))
    report.add(f"add {N_RUNS} runs", f"{took:.0f} ms at once, {heart.own_ms:.0f} ms afterwards", "", "")

    def walk() -> None:
        for run in many[::50]:
            bridge.change(changes.select_run, run.run_id)
            settle(0.05)

    _, heart = measured(window, 0.5, walk)
    report.add(f"select among {N_RUNS} runs", f"{heart.own_ms:.0f} ms at most", "50 ms", "")
    took, _ = measured(window, 0.0, lambda: saved.save(bridge.session, tmp_path / "s.json"))
    report.add(f"save a session of {N_RUNS} runs", f"{took:.0f} ms, in a thread of its own", "", "")


def test_a_hundred_jobs_in_the_queue_stay_smooth(window: MainWindow, tmp_path: Path, report) -> None:
    many = runs(tmp_path, N_JOBS)
    bridge = window.bridge
    bridge.change(changes.add_runs, many)
    settle(0.5)
    took, heart = measured(window, 3.0, lambda: bridge.start(many, tmp_path))
    report.add(f"{N_JOBS} jobs", f"{took:.0f} ms to start, then {heart.own_ms:.0f} ms at most", "50 ms", "")
    _, heart = measured(window, 1.0, bridge.stop_all)
    report.add(f"stop {N_JOBS} jobs", f"{heart.own_ms:.0f} ms at most", "50 ms", "")
    while bridge.active():
        settle(0.1)


def test_a_week_of_log_stays_smooth(window: MainWindow, report) -> None:
    window.toggle_log()
    settle(0.2)

    def write() -> None:
        for index in range(N_LINES):
            window.bridge.log(f"Run {index}: ✓ done in 3.1 s · 12 000 events")
            if index % 20 == 0:
                QApplication.processEvents()

    _, heart = measured(window, 0.5, write)
    report.add(f"{N_LINES} lines of log, shown", f"{heart.own_ms:.0f} ms at most", "50 ms", "")


def test_memory_is_flat_over_many_processed_runs(window: MainWindow, tmp_path: Path, report) -> None:
    shape = RunShape(n_events=2000, n_samples=1000, pulse_at=400)
    one = write_run(tmp_path / "Run1", replace(shape, run_number=1))
    size = one.stat().st_size
    bridge, process = window.bridge, psutil.Process()
    memory = []
    for index in range(1, N_PROCESSED + 1):
        run = Run(f"run{index}", one, 1, 0, 0, size, ("X",), f".{index}")
        bridge.change(changes.add_runs, [replace(run, path=tmp_path / f"Run1.{index}")])
        (tmp_path / f"Run1.{index}").symlink_to(one)
        bridge.change(changes.select_run, f"run{index}")
        bridge.start([bridge.session.run(f"run{index}")], tmp_path)
        while bridge.active() or not bridge.threads.are_idle:
            settle(0.05)
        for path in tmp_path.glob(f"t?_run1.{index - 20}.h5"):
            path.unlink()
        memory.append(process.memory_info().rss / 2**20)
    shown = ", ".join(f"{memory[at - 1]:.0f}" for at in (1, 20, 50, 100, N_PROCESSED))
    report.add(f"window after 1, 20, 50, 100, {N_PROCESSED} processed runs", f"{shown} MiB", "flat", "")
