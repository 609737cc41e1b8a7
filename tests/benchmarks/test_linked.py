"""How long a whole window lets a hand wait that drags the edge of a cut among 10 million events.

pytest -m benchmark_suite tests/benchmarks/test_linked.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PyQt5.QtCore import QEventLoop, QTimer
from PyQt5.QtWidgets import QApplication

from pygama_gui.bridge import Bridge
from pygama_gui.data.linked import Want
from pygama_gui.data.selection import passing_of
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, cut_changes
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.widgets import theme

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(1800)]

N_ROWS = 10_000_000
N_STEPS = 20
STEP = 40.0
"""ADC that the edge is moved by at a time: about a pixel."""
N_MOVES, HAND_MS = 100, 16
BEAT_MS = 5
GIVE_UP_S = 60.0
LOW, HIGH, N_BINS = 0.0, 60_000.0, 16_384


@pytest.fixture(scope="module")
def columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    heights = np.concatenate([madeup.heights(1_000_000, seed) for seed in range(N_ROWS // 1_000_000)])
    return {
        "channel": rng.integers(0, 4, N_ROWS),
        "event_number": np.arange(N_ROWS),
        "time_s": np.sort(rng.uniform(0.0, 3600.0, N_ROWS)),
        "bl_int": rng.normal(madeup.BASELINE, 3.1, N_ROWS),
        "bl_slope": rng.normal(0.0, 1e-3, N_ROWS),
        "trap_max": heights,
        "a_over_e": rng.normal(1.0, 0.02, N_ROWS) + 30.0 / (heights + 300.0),
    }


@pytest.fixture
def window(qapp: QApplication, columns: dict[str, np.ndarray]) -> Iterator[MainWindow]:
    theme.apply("light")
    bridge = Bridge()
    made = MainWindow(bridge, remembers=False)
    made.show()
    run = Run("1", Path("Run9001"), 9001)
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.data["1"].take_columns(columns)
    bridge.take(1, madeup.end(N_ROWS))
    bridge.data["1"].tier1 = None
    bridge.data_grew.emit({"1"})
    made.layouts.choose("Inspect")
    made.cuts_dock.raise_()
    bridge.change(cut_changes.add_cut, "steady", "abs(bl_slope) < 2e-3")
    bridge.change(cut_changes.add_cut, "hand", "3000 <= trap_max < 9000")
    wait_for_the_strip(made)
    yield made
    made.close()


def wait_for_the_strip(window: MainWindow) -> None:
    """Wait until nothing is computed any more of what a new run brings with it."""
    strip, calm = window.strip, 0
    while calm < 3:
        done: list[object] = []
        window.bridge.compute(lambda: None, done.append)
        run_until(lambda done=done: bool(done))
        is_busy = any(one._is_busy for one in (strip._following, strip._surveying))
        calm = 0 if is_busy or window.bridge._due else calm + 1


class Rests:
    """The longest time that the window did not get to its events, in ms."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def begin(self) -> None:
        self.longest, self._last = 0.0, time.perf_counter()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, 1e3 * (now - self._last) - BEAT_MS)
        self._last = now


class Answers:
    """Who asked for counts and got them, and whether all is drawn."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._asked, self._at = set[str](), dict[str, float]()
        self._count = bridge.counting.count
        bridge.counting.count = self._noted  # type: ignore[method-assign]

    def begin(self) -> None:
        self._asked, self._at = set(), {}

    def _noted(
        self, owner: str, run_id: str, wants: list[Want], then: Callable[..., None], **named: bool
    ) -> None:
        def take(counts: object) -> None:
            then(counts)
            self._at[owner] = time.perf_counter()

        self._asked.add(owner)
        self._count(owner, run_id, wants, take, **named)

    def drawn(self, which: str) -> bool:
        """Whether all whose names begin so have been answered, and nothing waits to be drawn."""
        asked = {owner for owner in self._asked if owner.startswith(which)}
        return bool(asked) and asked <= self._at.keys() and not self._bridge._due


def run_until(is_done: Callable[[], bool]) -> float:
    began = time.perf_counter()
    loop = QEventLoop()
    while not is_done():
        # Waiting as a window does; turning round and round would keep the counting thread from its work.
        loop.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        assert time.perf_counter() - began < GIVE_UP_S
    return 1e3 * (time.perf_counter() - began)


def is_idle(window: MainWindow) -> bool:
    bridge = window.bridge
    is_busy = window.trends._following.is_busy or window.channels._surveying.is_busy
    return not (window.spectrum.shown() is None or bridge._due or bridge.counting.is_busy or is_busy)


def follows(window: MainWindow, tab: str) -> bool:
    """Tell whether a tab shows the present cuts, and waits for nothing but what comes at rest."""
    bridge, view = window.bridge, window.trends if tab == "Trends" else window.channels
    if id(view) in bridge._due:
        return False
    cuts = passing_of(bridge.session)
    if tab == "Channels":
        held = window.channels._surveying._held
        return held is not None and held.state.cuts == cuts and view.surveyed is held.survey
    held = window.trends._following._held.values()
    return {id(one) for one, of in held if of == cuts} >= {id(one) for _, one in window.trends.shown}


def shown(taken: list[float]) -> str:
    return f"{statistics.median(taken):.0f} ms (longest {max(taken):.0f})"


@pytest.mark.parametrize("tab", ["Overview", "Plane", "Trends", "Channels"])
def test_a_dragged_edge_is_followed_in_the_window(
    tab: str, window: MainWindow, report: object, columns: dict[str, np.ndarray]
) -> None:
    bridge = window.bridge
    bridge.change(changes.show_plane, replace(bridge.session.plane, x="trap_max", y="a_over_e"))
    answers, rests = Answers(bridge), Rests()
    window.go_to_tab(["Overview", "Waveforms", "Spectrum", "Plane", "Trends", "Channels"].index(tab))
    run_until(lambda: is_idle(window))
    wait_for_the_strip(window)  # and for what Trends sorts, and counts of it once
    run_until(lambda: is_idle(window))
    hand, everything, longest = [], [], []
    which = "spectrum" if tab == "Overview" else ""
    bridge.counting.serve_first("spectrum")
    for at in range(N_STEPS):
        answers.begin()
        rests.begin()
        text = f"3000 <= trap_max < {9000 + STEP * (at + 1):g}"
        began = time.perf_counter()
        bridge.change(cut_changes.edit_cut, "hand", text, merge="cut hand")
        if not answers._asked and not bridge._due:
            pytest.skip(f"nothing of the tab {tab} follows the cuts")
        is_at_rest = tab in ("Trends", "Channels")
        if is_at_rest:
            run_until(lambda: follows(window, tab))
        else:
            run_until(lambda: answers.drawn(which) or is_idle(window))
        hand.append(1e3 * (time.perf_counter() - began))
        if not is_at_rest:  # else the hand moves on, or what comes at rest would begin
            run_until(lambda: is_idle(window))
        everything.append(1e3 * (time.perf_counter() - began))
        longest.append(rests.longest)
    rests.begin()
    began = time.perf_counter()
    bridge.counting.serve_first("")
    run_until(lambda: is_idle(window))
    at_rest = 1e3 * (time.perf_counter() - began)
    say = report.add  # type: ignore[attr-defined]
    what = "spectrum" if tab == "Overview" else tab.lower()
    limit = "50 ms" if tab == "Overview" else "250 ms"
    say(f"10 M rows, window, {what} follows the hand", shown(hand), limit)
    if tab not in ("Trends", "Channels"):
        say(f"10 M rows, window, {tab}: figures of the cuts as well", shown(everything), "250 ms")
    say(f"10 M rows, window, {tab}: longest block of the event loop", f"{max(longest):.0f} ms")
    if tab in ("Trends", "Channels"):
        say(f"10 M rows, window, {tab}: at rest, with fits", f"{at_rest:.0f} ms")
        say(f"10 M rows, window, {tab}: longest block at rest", f"{rests.longest:.0f} ms")


def test_a_dragged_polygon_is_followed_in_the_window(window: MainWindow, report: object) -> None:
    bridge = window.bridge
    bridge.change(cut_changes.remove_cut, "hand")
    bridge.change(changes.show_plane, replace(bridge.session.plane, x="trap_max", y="a_over_e"))
    bridge.change(cut_changes.add_cut, "gate", polygon(0))
    answers, rests = Answers(bridge), Rests()
    window.go_to_tab(3)
    run_until(lambda: is_idle(window))
    hand, everything, longest = [], [], []
    bridge.counting.serve_first("plane")
    for at in range(N_STEPS):
        answers.begin()
        rests.begin()
        began = time.perf_counter()
        bridge.change(cut_changes.edit_cut, "gate", polygon(at + 1), merge="gate gate")
        run_until(lambda: answers.drawn("plane") or is_idle(window))
        hand.append(1e3 * (time.perf_counter() - began))
        run_until(lambda: is_idle(window))
        everything.append(1e3 * (time.perf_counter() - began))
        longest.append(rests.longest)
    bridge.counting.serve_first("")
    say = report.add  # type: ignore[attr-defined]
    say("10 M rows, window, plane shows the moved polygon", shown(hand), "50 ms")
    say("10 M rows, window, the same with projections and figures", shown(everything), "250 ms")
    say("10 M rows, window, the same, longest block of the event loop", f"{max(longest):.0f} ms")


def polygon(step: int) -> str:
    """Give a gate around much of the plane, one corner of which was moved by so many steps."""
    return f"inside(trap_max, a_over_e, 1000, 0.95, 30000, 0.96, {30000 + STEP * step:g}, 1.04, 1200, 1.06)"


def test_the_spectrum_keeps_up_with_a_hand_that_does_not_wait(window: MainWindow, report: object) -> None:
    bridge = window.bridge
    drawn: list[float] = []
    run_until(lambda: is_idle(window))
    rests = Rests()
    bridge.counting.serve_first("spectrum")
    window.spectrum.drawn.connect(lambda: drawn.append(time.perf_counter()))
    moves = iter(range(N_MOVES))
    hand = QTimer()
    hand.setInterval(HAND_MS)

    def move() -> None:
        if (at := next(moves, None)) is None:
            hand.stop()
        else:
            text = f"3000 <= trap_max < {9000 + STEP * at:g}"
            bridge.change(cut_changes.edit_cut, "hand", text, merge="cut hand")

    hand.timeout.connect(move)
    hand.start()
    rests.begin()
    run_until(lambda: not hand.isActive() and is_idle(window))
    bridge.counting.serve_first("")
    gaps = [1e3 * (after - before) for before, after in pairwise(drawn)]
    say = report.add  # type: ignore[attr-defined]
    say(f"10 M rows, edge moved every {HAND_MS} ms, from picture to picture", shown(gaps), "50 ms")
    say("10 M rows, the same, longest block of the event loop", f"{rests.longest:.0f} ms")


def test_numpy_and_pandas_count_the_same(report: object, columns: dict[str, np.ndarray]) -> None:
    frame = pd.DataFrame(columns)
    x, slope = columns["trap_max"], columns["bl_slope"]

    def with_numpy() -> np.ndarray:
        passing = (np.abs(slope) < 2e-3) & (x >= 3000) & (x < 9040)
        return np.histogram(x[passing], N_BINS, (LOW, HIGH))[0]

    def with_pandas() -> np.ndarray:
        chosen = frame.query("abs(bl_slope) < 2e-3 and 3000 <= trap_max < 9040")
        return np.histogram(chosen["trap_max"], N_BINS, (LOW, HIGH))[0]

    for name, act in (("numpy.histogram", with_numpy), ("pandas query", with_pandas)):
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            act()
            taken.append(1e3 * (time.perf_counter() - began))
        report.add(f"10 M rows, the same with {name}", shown(taken))  # type: ignore[attr-defined]
    assert with_numpy().sum() == with_pandas().sum() > 0
