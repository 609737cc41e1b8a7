"""Saves and copies what the spectrum shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.cuts import Cut
from pygama.storage.spectrum_files import read_spectrum
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes, cut_changes
from pygama_gui.session.pictured import view_of
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.spectrum.view import SpectrumView

WAIT_MS = 60_000


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> SpectrumView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = SpectrumView(bridge)
    qtbot.addWidget(made)
    made.resize(700, 420)
    made.show()
    qtbot.waitExposed(made)
    return made


def feed(view: SpectrumView, n: int = 3000) -> None:
    run_id = view.bridge.take(1, madeup.partial(n))
    view.bridge.data_grew.emit({run_id})
    view.redraw()


def shown(view: SpectrumView):  # type: ignore[no-untyped-def]
    picture = view.exporter.picture()
    assert picture is not None
    return picture


def saved(qtbot: QtBot, view: SpectrumView, path: Path) -> Path:
    view.exporter.save(shown(view), path)
    qtbot.waitUntil(path.exists, timeout=WAIT_MS)
    return path


def test_an_empty_spectrum_has_nothing_to_save(view: SpectrumView) -> None:
    view.exporter.ask()
    view.exporter.copy()
    view.exporter.copy_picture()
    assert [line.endswith("There is no spectrum to save yet") for line in view.bridge.lines] == [True] * 3


def test_a_spe_file_holds_every_event_of_the_run(qtbot: QtBot, view: SpectrumView, tmp_path: Path) -> None:
    feed(view)
    read = read_spectrum(saved(qtbot, view, tmp_path / "one.spe"))
    edges, _ = view.fine_bins()
    expected, _ = np.histogram(madeup.partial(3000).columns["trap_max"], edges)
    assert len(expected) > len(shown(view).main.counts)
    assert read.counts.tolist() == expected.tolist()
    assert read.counts.sum() == 3000
    width, low = float(edges[1] - edges[0]), float(edges[0])
    assert read.remarks["bins"] == f"{len(expected)} of {width!r} ADC from {low!r}"
    assert view.exporter.name() == "run9001_trap_max"


def test_a_file_for_other_programs_has_the_bins_that_were_chosen(
    qtbot: QtBot, view: SpectrumView, tmp_path: Path
) -> None:
    feed(view)
    view.rebin(2.0)
    view.redraw()
    read = read_spectrum(saved(qtbot, view, tmp_path / "one.spe"))
    assert read.counts.tolist() == shown(view).main.counts.tolist()


def test_the_picture_has_what_is_on_screen(qtbot: QtBot, view: SpectrumView) -> None:
    feed(view)
    view.choose(is_log=True, roi=(8000.0, 9000.0), markers=(5000.0,))
    view.look_at(3000, 10_000)
    view.redraw()
    picture = shown(view)
    assert (picture.x_range, picture.is_log) == ((3000.0, 10_000.0), True)
    assert picture.y_range[1] == pytest.approx(10 ** view.plot.box.viewRange()[1][1])
    assert picture.x_label == "trap_max (ADC counts)"
    assert picture.marks == ((5000.0, "5000.0 ADC"),)
    assert picture.regions[0].words == view.region.words.toPlainText()


def test_what_the_cuts_take_away_is_a_column_of_its_own(qtbot: QtBot, view: SpectrumView) -> None:
    feed(view)
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000", "#0072B2")
    view.redraw()
    n = int((madeup.partial(3000).columns["trap_max"] > 5000).sum())
    qtbot.waitUntil(lambda: shown(view).main.counts.sum() == n, timeout=WAIT_MS)
    picture = shown(view)
    assert [(one.name, one.counts.sum()) for one in picture.others] == [("all events", 3000)]
    assert picture.about["cut high"] == "trap_max > 5000"
    view.exporter.copy()
    text = QApplication.clipboard().text()
    assert "counts,counts of all events" in text
    assert f"Copied {len(picture.main.counts)} rows as CSV" in view.bridge.lines[-1]


def test_a_picture_carries_the_view_and_its_zoom(qtbot: QtBot, view: SpectrumView, tmp_path: Path) -> None:
    feed(view)
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000", "#0072B2")
    view.look_at(3000, 10_000)
    view.redraw()
    found = view_of(saved(qtbot, view, tmp_path / "one.png"))
    assert [cut.name for cut in found.session.cuts] == ["high"]
    assert found.session.cuts[0] == Cut("high", "trap_max > 5000", color="#0072B2")
    assert found.zooms == {"spectrum": ((3000.0, 10_000.0), None)}


def test_a_name_of_no_known_end_becomes_a_png(qtbot: QtBot, view: SpectrumView, tmp_path: Path) -> None:
    feed(view)
    view.exporter.save(shown(view), tmp_path / "run.1")
    qtbot.waitUntil((tmp_path / "run.1.png").exists, timeout=WAIT_MS)


def test_a_file_that_cannot_be_written_is_told_in_words(
    qtbot: QtBot, view: SpectrumView, tmp_path: Path
) -> None:
    feed(view)
    told: list[str] = []
    view.bridge.went_wrong.connect(lambda sentence, *_: told.append(sentence))
    view.exporter.save(shown(view), tmp_path / "nowhere" / "one.csv")
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    assert told == ["one.csv could not be written: No such file or directory"]


def test_the_picture_is_copied(qtbot: QtBot, view: SpectrumView) -> None:
    feed(view)
    QApplication.clipboard().clear()
    view.exporter.copy_picture()
    qtbot.waitUntil(lambda: not QApplication.clipboard().image().isNull(), timeout=WAIT_MS)
    assert QApplication.clipboard().image().width() == 1200


def test_of_channels_apart_the_sum_is_stored_and_each_is_a_column(qtbot: QtBot, view: SpectrumView) -> None:
    run_id = view.bridge.take(1, madeup.partial(900, n_channels=3))
    view.bridge.data_grew.emit({run_id})
    view.bridge.change(changes.show_spectrum, replace(view.choice, is_apart=True))
    view.redraw()
    picture = shown(view)
    assert not picture.is_main_drawn
    assert [one.name for one in picture.drawn] == ["channel 0", "channel 1", "channel 2"]
    assert sum(one.counts for one in picture.others).tolist() == picture.main.counts.tolist()
