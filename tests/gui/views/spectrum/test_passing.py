"""Tests that the spectrum, its fits and its regions are of the events that pass the cuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.data.linked import Rows
from pygama_gui.machine import counting, fitting
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.spectrum import passing as spectrum_passing
from pygama_gui.views.spectrum import view as spectrum
from pygama_gui.views.spectrum.view import SpectrumView
from pygama_gui.widgets import words
from pygama_gui.widgets.parts import LEAST_INFO

WAIT_MS = 60_000


@dataclass(frozen=True)
class Above:
    """Passes events whose height is above a level."""

    level: float

    @property
    def columns(self) -> frozenset[str]:
        return frozenset({"trap_max"})

    def mask(self, columns: Rows) -> np.ndarray:
        return np.asarray(columns["trap_max"] > self.level)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[Above | None], None]:
    """Give a way to put a cut on."""

    def put_on(cuts: Above | None) -> None:
        for module in (counting, fitting, spectrum, spectrum_passing):
            monkeypatch.setattr(module, "passing_of", lambda _session: cuts)

    return put_on


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> SpectrumView:
    for job_id, number in ((1, 9001), (2, 72)):
        run = a_run(number)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(job_id, run)
        bridge.take(job_id, madeup.partial(20_000, seed=job_id))
    bridge.change(changes.select_run, "2018-9-25-Th228Run9001")
    made = SpectrumView(bridge)
    qtbot.addWidget(made)
    made.resize(800, 420)
    made.show()
    qtbot.waitExposed(made)
    made.redraw()
    return made


def n_above(view: SpectrumView, run_id: str, level: float) -> int:
    return int((view.bridge.live(run_id).columns.column("trap_max") > level).sum())


def wait_for(qtbot: QtBot, view: SpectrumView, n_passing: int) -> None:
    qtbot.waitUntil(lambda: view.redraw() or view.picture.counts.sum() == n_passing, timeout=WAIT_MS)


def test_events_that_pass_are_drawn_before_all(
    qtbot: QtBot, view: SpectrumView, cut: Callable[[Above | None], None]
) -> None:
    cut(Above(6000.0))
    wait_for(qtbot, view, n_above(view, view.session.selected, 6000.0))
    assert view.picture.of_all.sum() == 20_000
    assert len(view.drawing.all_curve.getData()[0]) > 0
    assert "of 20\u202f000 events pass" in view.controls.info.text()
    cut(None)
    view.redraw()
    assert view.picture.of_all is None
    assert view.picture.counts.sum() == 20_000


def test_how_many_pass_is_told_shorter_where_the_row_is_full(
    qtbot: QtBot, view: SpectrumView, cut: Callable[[Above | None], None]
) -> None:
    cut(Above(6000.0))
    n = n_above(view, view.session.selected, 6000.0)
    wait_for(qtbot, view, n)
    info = view.controls.info
    info.resize(LEAST_INFO, info.height())
    assert info.shown == f"{words.count(n)} of 20\u202f000 pass here"
    info.resize(2 * LEAST_INFO, info.height())
    assert info.shown == info.toolTip() == f"{words.count(n)} of 20\u202f000 events pass and lie here"


def test_bins_stay_as_they_are_when_a_cut_is_switched(
    qtbot: QtBot, view: SpectrumView, cut: Callable[[Above | None], None]
) -> None:
    before = view.picture.edges
    cut(Above(9000.0))
    wait_for(qtbot, view, n_above(view, view.session.selected, 9000.0))
    assert view.picture.edges.tolist() == before.tolist()


def test_another_cut_and_new_rows_are_counted_anew(
    qtbot: QtBot, view: SpectrumView, cut: Callable[[Above | None], None]
) -> None:
    for level in (6000.0, 9000.0):
        cut(Above(level))
        wait_for(qtbot, view, n_above(view, view.session.selected, level))
    view.bridge.take(1, madeup.partial(500, seed=9))
    view.bridge.data_grew.emit({view.session.selected})
    wait_for(qtbot, view, n_above(view, view.session.selected, 9000.0))


def test_other_runs_are_cut_as_well(
    qtbot: QtBot, view: SpectrumView, cut: Callable[[Above | None], None]
) -> None:
    other = "2018-9-25-Th228Run72"
    view.lay_beside(other)
    cut(Above(6000.0))
    wanted = n_above(view, other, 6000.0)
    qtbot.waitUntil(lambda: view.redraw() or view.picture.over[0].counts.sum() == wanted, timeout=WAIT_MS)


def test_fits_are_of_the_events_that_pass(
    qtbot: QtBot, view: SpectrumView, cut: Callable[[Above | None], None]
) -> None:
    view.peaks.fit_at(8670.0)
    qtbot.waitUntil(lambda: view.redraw() or view.peaks.chosen() is not None, timeout=WAIT_MS)
    before = view.peaks.chosen().counts.sum()
    cut(Above(8670.0))
    view.redraw()
    qtbot.waitUntil(
        lambda: (
            view.redraw()
            or view.bridge.fitting.outcome(view.session.selected, view.session.fit).found.counts.sum()
            < 0.8 * before
        ),
        timeout=WAIT_MS,
    )
