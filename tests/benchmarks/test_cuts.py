"""What cuts and histograms of 10 million rows cost, beside NumPy and pandas.

pytest -m benchmark_suite tests/benchmarks/test_cuts.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pygama.analysis.counting import Axis, Columns, Wanted
from pygama.analysis.cuts import Cut, CutSet
from pygama.analysis.efficiency import efficiency_table
from pygama.analysis.expressions import parse
from pygama.analysis.histograms import histograms

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(1800)]

N_ROWS = 10_000_000
ENERGY = Axis("energy", 0, 3000, 3000)
HAND = [Wanted(ENERGY)]
OTHERS = [
    Wanted(Axis("channel", 0, 60, 60)),
    Wanted(Axis("time", 0, 86400, 1000)),
    Wanted(Axis("energy", 0, 3000, 400), Axis("shape", 0.5, 1.5, 400)),
    Wanted(Axis("time", 0, 86400, 400), Axis("energy", 0, 3000, 400)),
]
LOOSE = Cut("loose", "shape > 0.6 & baseline < 3")


@pytest.fixture(scope="module")
def columns() -> dict[str, np.ndarray]:
    """Half the events in ten lines on a falling background, the others anywhere."""
    rng = np.random.default_rng(6)
    lines = rng.choice(rng.uniform(200, 2700, 10), N_ROWS // 2) + rng.normal(0, 1.5, N_ROWS // 2)
    energy = np.concatenate([lines, rng.exponential(600, N_ROWS - len(lines))])
    rng.shuffle(energy)
    return {
        "energy": energy,
        "shape": rng.normal(1, 0.1, N_ROWS),
        "baseline": rng.normal(0, 1, N_ROWS).astype(np.float32),
        "channel": rng.integers(0, 60, N_ROWS).astype(np.uint16),
        "time": np.sort(rng.uniform(0, 86400, N_ROWS)),
    }


def seconds(act: Callable[[], object], repeats: int = 3) -> list[float]:
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return taken


def shown(taken: list[float]) -> str:
    return f"{1e3 * statistics.median(taken):.1f} ms ({1e3 * min(taken):.1f} best)"


def test_all_is_counted_afresh(columns, report):
    ready = Columns(columns)
    mask = parse(LOOSE.expression).mask(columns)
    report.add(
        "10 M rows, view under the hand, afresh", shown(seconds(lambda: histograms(ready, HAND, mask=mask)))
    )
    report.add("10 M rows, four others, afresh", shown(seconds(lambda: histograms(ready, OTHERS, mask=mask))))


def test_cuts_are_evaluated(columns, report):
    text = "500 <= energy < 1400 & shape > 0.6 & baseline < 3"
    frame = pd.DataFrame(columns)
    ours = seconds(lambda: parse(text).mask(columns))
    plain = seconds(
        lambda: (
            (columns["energy"] >= 500)
            & (columns["energy"] < 1400)
            & (columns["shape"] > 0.6)
            & (columns["baseline"] < 3)
        )
    )
    query = seconds(lambda: frame.eval(text))
    report.pair(
        "10 M rows, three cuts", shown(ours), f"NumPy {shown(plain)}", f"{min(ours) / min(plain):.2f}"
    )
    report.pair(
        "10 M rows, three cuts", shown(ours), f"pandas {shown(query)}", f"{min(ours) / min(query):.2f}"
    )
    cuts = CutSet([LOOSE, Cut("low", "energy > 500"), Cut("high", "energy < 1400")])
    report.add(
        "10 M rows, efficiency table of three cuts",
        shown(seconds(lambda: efficiency_table(cuts, columns), 2)),
    )


def test_histograms_beside_numpy_and_pandas(columns, report):
    ready, frame = Columns(columns), pd.DataFrame(columns)
    plane = OTHERS[2]
    for n_threads in (1, None):
        how = "one thread" if n_threads else "all threads"
        ours = seconds(lambda n=n_threads: histograms(ready, HAND, n_threads=n), 5)
        theirs = seconds(lambda: np.histogram(columns["energy"], 3000, (0, 3000)))
        report.pair(
            f"10 M rows, 3000 bins, {how}",
            shown(ours),
            f"NumPy {shown(theirs)}",
            f"{min(ours) / min(theirs):.2f}",
        )
        ours = seconds(lambda n=n_threads: histograms(ready, [plane], n_threads=n), 5)
        theirs = seconds(
            lambda: np.histogram2d(columns["energy"], columns["shape"], (400, 400), ((0, 3000), (0.5, 1.5))),
            2,
        )
        report.pair(
            f"10 M rows, 400 x 400, {how}",
            shown(ours),
            f"NumPy {shown(theirs)}",
            f"{min(ours) / min(theirs):.2f}",
        )
    whole = np.arange(0.0, 3001.0)
    ours = seconds(lambda: histograms(ready, HAND), 3)
    theirs = seconds(lambda: pd.cut(frame["energy"], whole, right=False).value_counts(sort=False), 2)
    report.pair(
        "10 M rows, 3000 bins", shown(ours), f"pandas.cut {shown(theirs)}", f"{min(ours) / min(theirs):.2f}"
    )
