from __future__ import annotations

from types import MappingProxyType

import numpy as np

from pygama.analysis.calibration import Calibration, ChannelCalibration, Recipe
from pygama.analysis.curves import Curve
from pygama.analysis.tagging import Tagging
from pygama_gui.data.hit_tags import Told
from pygama_gui.data.live_run import LiveRun


def rows(first: int, last: int) -> dict[str, np.ndarray]:
    n = np.arange(first, last)
    return {"time_s": n / 10, "channel": np.zeros(len(n), int), "trap_max": n * 2.0}


def told_of(n: int, *, is_whole: bool = False) -> tuple[dict[str, np.ndarray], Told]:
    told = Told(Tagging(has_pulser=True), n, ("is_pulser",), is_whole=is_whole)
    return {"is_pulser": np.arange(n) % 2 == 0}, told


def growing() -> LiveRun:
    """Make a run of 10 rows that were told of, and 5 that wait."""
    live = LiveRun()
    live.take_columns(rows(0, 10))
    live = live.with_tags(*told_of(10))
    live.take_columns(rows(10, 15))
    return live


def test_rows_wait_until_they_were_told_of():
    live = growing()
    assert (len(live.columns), live.n_waiting) == (10, 5)
    assert live.columns.column("trap_max").tolist() == [2.0 * n for n in range(10)]
    more = live.with_tags(*told_of(13))
    assert (len(more.columns), more.n_waiting) == (13, 2)
    assert more.columns.column("is_pulser").tolist() == [n % 2 == 0 for n in range(13)]
    whole = more.with_tags(*told_of(15, is_whole=True))
    assert (len(whole.columns), whole.n_waiting) == (15, 0)
    whole.columns.append({**rows(15, 16), "is_pulser": np.array([True])})
    assert len(more.columns) == 13  # what was handed out before stays as it was


def test_rows_that_came_too_late_for_a_whole_run_still_wait():
    live = growing().with_tags(*told_of(12, is_whole=True))
    assert (len(live.columns), live.n_waiting) == (12, 3)


def test_energies_are_made_of_rows_that_wait_as_well():
    one = ChannelCalibration(Curve((0.0, 0.5), ((1e-4, 0.0), (0.0, 1e-10)), 4.5, 3), source="Th-228")
    made = Calibration("trap_max", Recipe(("Th-228",)), (), MappingProxyType({"0/0/0": one}))
    live = growing()
    energies = {"trap_max_kev": live.columns.column("trap_max") * 0.5}
    live = live.calibrated((made,), energies, 10)
    assert (len(live.columns), live.n_waiting) == (10, 5)
    assert "is_pulser" in live.columns
    live.take_columns(rows(15, 17))
    live = live.with_tags(*told_of(17, is_whole=True))
    assert live.columns.column("trap_max_kev").tolist() == [float(n) for n in range(17)]


def test_a_run_that_is_calibrated_while_its_first_rows_come_has_their_energies():
    one = ChannelCalibration(curve=Curve((0.0, 2.0), ((0.0, 0.0), (0.0, 0.0))))
    wanted = (Calibration("trap_max", channels={"0/0/0": one}),)
    live = LiveRun()
    energies = live.energies(wanted, live.snapshot(wanted), None)
    live.take_columns(rows(0, 3))  # while the energies of no rows are made
    made = live.calibrated(wanted, energies, 0)
    assert made.columns.column("trap_max_kev").tolist() == [0.0, 4.0, 8.0]
