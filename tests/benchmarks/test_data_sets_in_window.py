"""How quickly the window counts a data set from its files, and how much memory that takes.

pytest -m benchmark_suite tests/benchmarks/test_data_sets_in_window.py

One Tier 2 file of 5 million rows is written by the library and taken 20 times: 100 million rows, of which
spectrum, plane and cuts are counted in one pass; and as often as fits into memory. Then the window shows
Spectrum, Trends and Channels, one after the other. PYGAMA_BENCHMARK_RUNS=4 makes it 20 million.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pygama.block import Block
from pygama.storage import TierWriter

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(7200)]

N_RUNS = int(os.environ.get("PYGAMA_BENCHMARK_RUNS", "20"))
ROWS_OF_RUN = 5_000_000
_STEP = 200_000

PROGRAM = """
import sys, time
from pathlib import Path
from PyQt5.QtWidgets import QApplication
app = QApplication([])
from pygama_gui.bridge import Bridge
from pygama_gui.data.linked import Axis, Want
from pygama_gui.session import cut_changes, set_changes
from pygama_gui.session.state import Member, Run
from pygama_gui.session.store import Store

bridge, file, n_runs = Bridge(Store()), Path(sys.argv[1]), int(sys.argv[2])
members = [Member(Run(f"Run{n}", Path(f"Run{n}"), n), file) for n in range(1, n_runs + 1)]
data_set = set_changes.data_set_of(bridge.session, members)
bridge.change(cut_changes.add_cut, "large", "trap_max > 1000 & channel == 3")


def run_until(is_so):
    began = last = time.perf_counter()
    longest = 0.0
    while not is_so():
        app.processEvents()
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        time.sleep(0.001)
    return time.perf_counter() - began, longest


bridge.change(set_changes.make_data_set, data_set)
loaded, blocked = run_until(lambda: (live := bridge.live(data_set.run_id)) is not None and len(live.columns))
x, y = Axis("trap_max", 0.0, 20000.0, 16384), Axis("bl_int", 7900.0, 8100.0, 400)
answers = []
wants = [Want(x), Want(Axis("trap_max", 0.0, 20000.0, 400), y)]


def take(found):
    answers[:] = [found]


bridge.counting.count("views", data_set.run_id, wants, take)
first, _ = run_until(lambda: bool(answers))
rest, longest = run_until(lambda: not bridge.counting.is_busy)
result = answers[-1][0].n_chosen
n_rows = answers[-1][0].n_rows
bridge.close()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(n_rows, result, loaded, first, first + rest, max(blocked, longest), float(peak.split()[1]) / 1024)
"""


WINDOW = """
import sys, time
from pathlib import Path
from PyQt5.QtWidgets import QApplication
app = QApplication([])
from pygama_gui.bridge import Bridge
from pygama_gui.app import TURN_S
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, cut_changes, set_changes
from pygama_gui.session.state import Member, Run

file, n_runs = Path(sys.argv[1]), int(sys.argv[2])
sys.setswitchinterval(TURN_S)  # as the program has it
window = MainWindow(Bridge(), remembers=False)
window.show()
bridge = window.bridge
members = [Member(Run(f"Run{n}", Path(f"Run{n}"), n), file) for n in range(1, n_runs + 1)]
data_set = set_changes.data_set_of(bridge.session, members)


def memory(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name))
    return float(line.split()[1]) / 1024


def run_until(is_so):
    began = last = time.perf_counter()
    longest = 0.0
    while not is_so():
        app.processEvents()
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        time.sleep(0.001)
    return time.perf_counter() - began, longest


def is_still():
    return not bridge.counting.is_busy


def has_figures():
    found = window.channels.surveyed
    return bool(window.channels.tiles) and found.is_whole and not found.is_late


run_until(lambda last=time.perf_counter() + 1: time.perf_counter() > last)
print(memory("VmRSS"))
bridge.change(set_changes.make_data_set, data_set)
bridge.change(changes.choose_tab, 0)
run_until(lambda: (live := bridge.live(data_set.run_id)) is not None and len(live.columns) > 0)
run_until(is_still)
whole = {
    2: lambda: window.spectrum.shown() is not None,
    4: lambda: bool(window.trends.shown) and window.trends.shown[0][1].is_whole,
    5: has_figures,
}
for tab, is_whole in whole.items():
    bridge.change(changes.choose_tab, tab)
    there, blocked = run_until(lambda: is_whole() and is_still())
    print(tab, there, blocked, memory("VmHWM"))
held = window.channels._surveying._held
print(5, *run_until(lambda: held.counted is None), memory("VmHWM"))
before = window.channels.surveyed
bridge.change(cut_changes.add_cut, "large", "trap_max > 1000 & channel != 3")
print(5, *run_until(lambda: window.channels.surveyed is not before and has_figures()), memory("VmHWM"))
sys.stdout.flush()
import os
os._exit(0)
"""


COLUMNS = (
    *(("channel", "i8"), ("energy", "i8"), ("energy_first", "i8"), ("event_number", "i8")),
    *(("timestamp", "i8"), ("bl_int", "f8"), ("bl_slope", "f8"), ("trap_max", "f8"), ("crate", "i8")),
    *(("card", "i8"), ("pile_up", "i8"), ("retrigger", "i8"), ("fast_triggers", "i8"), ("time_s", "f8")),
    ("period_ns", "f8"),
)
"""Those of Tier 2 with the default chain, of a SIS3302."""


def rows_of(first: int, n: int) -> np.ndarray:
    """Make rows whose values compress as those of a real run do."""
    rng = np.random.default_rng(first)
    rows = np.zeros(n, list(COLUMNS))
    rows["event_number"] = np.arange(first, first + n)
    rows["channel"] = rng.integers(0, 8, n)
    rows["trap_max"] = rng.exponential(3000, n)
    rows["energy"] = 400 * rows["trap_max"]
    rows["time_s"] = rows["event_number"] / 1000
    rows["timestamp"] = rows["event_number"] * 100_000
    rows["bl_int"] = rng.normal(8000, 30, n)
    rows["bl_slope"] = rng.normal(0, 0.01, n)
    return rows


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 5 million rows."""
    path = tmp_path_factory.mktemp("runs") / "t2_run1.h5"
    with ThreadPoolExecutor(os.cpu_count()) as pool, TierWriter(path, pool=pool) as writer:
        for first in range(0, ROWS_OF_RUN, _STEP):
            writer.write("data", Block("data", rows_of(first, _STEP)), queryable=True)
        writer.set_texts("/", {"run_number": "1"})
    return path


@pytest.mark.parametrize("n_runs", [2, N_RUNS], ids=["in memory", "from the files"])
def test_a_data_set_is_counted(file: Path, n_runs: int, report: Any) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", PROGRAM, str(file), str(n_runs)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    numbers = [float(one) for one in done.stdout.split()]
    n_rows, n_chosen, loaded, first, counted, longest, peak = numbers
    report.notes.append(
        f"{n_rows / 1e6:.0f} million rows: there after {loaded:.1f} s, first histograms {first:.2f} s later, "
        f"all counted after {counted:.1f} s; {peak:.0f} MiB; loop blocked {1000 * longest:.0f} ms at most"
    )
    assert n_rows == n_runs * ROWS_OF_RUN
    assert 0 < n_chosen < n_rows


def test_the_views_of_a_data_set_are_counted_from_its_files(file: Path, report: Any) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", WINDOW, str(file), str(N_RUNS)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    own, *lines = done.stdout.splitlines()
    rows = [[float(one) for one in line.split()] for line in lines]
    names = ("Spectrum", "Trends", "Channels", "their peaks", "Channels under a cut")
    parts = [
        f"{name} {seconds:.1f} s (loop blocked {1000 * blocked:.0f} ms at most)"
        for name, (_, seconds, blocked, _) in zip(names, rows, strict=True)
    ]
    peak = rows[-1][-1]
    report.notes.append(
        f"views of {N_RUNS * ROWS_OF_RUN / 1e6:.0f} million rows from the files: {', '.join(parts)}; "
        f"at most {peak:.0f} MiB, {peak - float(own):.0f} above those of the empty window"
    )
    assert len(rows) == len(names)
