"""How quickly a data set counts and cuts, beside pandas doing the same; how much memory it takes.

pytest -m benchmark_suite tests/benchmarks/test_dataset.py

10 million rows in 4 runs, written by the library; PYGAMA_BENCHMARK_ROWS=1e8 makes it 100 million. Pandas
reads a run at a time, as its users do.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pygama.block import Block
from pygama.storage import TierWriter

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(7200)]

N_ROWS = int(float(os.environ.get("PYGAMA_BENCHMARK_ROWS", "1e7")))
N_RUNS = 4
_STEP = 200_000

COLUMNS = (
    *(("channel", "i8"), ("energy", "i8"), ("energy_first", "i8"), ("event_number", "i8")),
    *(("timestamp", "i8"), ("bl_int", "f8"), ("bl_slope", "f8"), ("trap_max", "f8"), ("crate", "i8")),
    *(("card", "i8"), ("pile_up", "i8"), ("retrigger", "i8"), ("fast_triggers", "i8"), ("time_s", "f8")),
    ("period_ns", "f8"),
)
"""Those of Tier 2 with the default chain, of a SIS3302."""

WORK = {
    "histogram": (
        "data.hist('trap_max', 0, 20000, 2000, tell=tell)[0].sum()",
        "np.histogram(pd.read_hdf(path)['trap_max'], 2000, (0, 20000))[0].sum()",
    ),
    "histogram of a cut": (
        "data.hist('trap_max', 0, 20000, 2000, cut, tell=tell)[0].sum()",
        "np.histogram(cut_frame(pd.read_hdf(path))['trap_max'], 2000, (0, 20000))[0].sum()",
    ),
    "two columns": (
        "data.hist2d(('trap_max', 0, 20000, 500), ('bl_int', 7900, 8100, 200), tell=tell)[0].sum()",
        "plane(pd.read_hdf(path)).sum()",
    ),
    "count of a cut": (
        "data.count(cut, tell=tell)",
        "len(cut_frame(pd.read_hdf(path)))",
    ),
}
"""What is done: by the data set, and by pandas for each file, to be added up."""

OURS = """
import sys, time
from pygama import DataSet

def cut(columns):
    return (columns["trap_max"] > 1000) & (columns["channel"] == 3)

told = []
tell = told.append
data = DataSet(sys.argv[1])
began, worked = time.perf_counter(), time.process_time()
result = {work}
seconds, worked = time.perf_counter() - began, time.process_time() - worked
assert told[-1].fraction == 1.0
"""

THEIRS = """
import sys, time
from pathlib import Path
import numpy as np
import pandas as pd

def cut_frame(frame):
    return frame[(frame["trap_max"] > 1000) & (frame["channel"] == 3)]

def plane(frame):
    bins, ends = (500, 200), ((0, 20000), (7900, 8100))
    return np.histogram2d(frame["trap_max"], frame["bl_int"], bins, ends)[0]

paths = sorted(Path(sys.argv[1]).glob("*.h5"))
began, worked = time.perf_counter(), time.process_time()
result = sum({work} for path in paths)
seconds, worked = time.perf_counter() - began, time.process_time() - worked
"""

TOLD = """
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
open(sys.argv[2], "w").write(f"{float(result)} {seconds} {worked} {float(peak.split()[1]) / 1024}")
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the runs; values are such that they compress as those of a real run do."""
    folder = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for run in range(1, N_RUNS + 1):
            with TierWriter(folder / f"t2_run{run}.h5", pool=pool) as writer:
                for first in range(0, N_ROWS // N_RUNS, _STEP):
                    n = min(_STEP, N_ROWS // N_RUNS - first)
                    writer.write("data", Block("data", rows_of(run, first, n)), queryable=True)
                writer.set_texts("/", {"run_number": str(run), "sub_run": "0", "header_sha256": str(run)})
    return folder


def rows_of(run: int, first: int, n: int) -> np.ndarray:
    rng = np.random.default_rng([run, first])
    rows = np.zeros(n, list(COLUMNS))
    rows["event_number"] = np.arange(first, first + n)
    rows["channel"] = rng.integers(0, 8, n)
    rows["trap_max"] = rng.exponential(3000, n)
    rows["energy"] = 400 * rows["trap_max"]
    rows["time_s"] = rows["event_number"] / 1000
    rows["timestamp"] = np.rint(1e8 * rows["time_s"])
    rows["bl_int"], rows["bl_slope"] = rng.normal(8000, 3, n), rng.normal(0, 1, n)
    rows["card"], rows["fast_triggers"], rows["period_ns"] = 8, 1, 10
    return rows


@pytest.mark.parametrize("name", WORK)
def test_a_data_set_is_counted_quicker_than_by_pandas(name, runs, tmp_path, measure_once: Callable, report):
    figures = {}
    for who, frame, work in zip(("ours", "pandas"), (OURS, THEIRS), WORK[name], strict=True):
        figures[who] = best_of(frame.format(work=work) + TOLD, runs, tmp_path / "told", measure_once)
    (ours, our_s, our_cpu_s, our_mib), (theirs, their_s, their_cpu_s, their_mib) = figures.values()
    assert ours == theirs
    report.pair(
        f"{name}, {N_ROWS:.0e} rows of {N_RUNS} runs",
        f"{N_ROWS / our_s / 1e6:.2f} Mrows/s, {our_mib:.0f} MiB",
        f"{N_ROWS / their_s / 1e6:.2f} Mrows/s, {their_mib:.0f} MiB",
        f"{our_s / their_s:.3f}",
        f"peer: pandas; CPU {our_cpu_s:.1f} and {their_cpu_s:.1f} s",
    )


def best_of(code: str, runs: Path, told: Path, measure_once: Callable) -> tuple[float, ...]:
    """Run a program twice, the files in the page cache; gives its result, best times and peak MiB."""
    figures = []
    for _ in range(2):
        measure_once([sys.executable, "-c", textwrap.dedent(code), str(runs), str(told)])
        figures.append(tuple(map(float, told.read_text().split())))
    result, seconds, worked, peak = zip(*figures, strict=True)
    return result[0], min(seconds), min(worked), max(peak)
