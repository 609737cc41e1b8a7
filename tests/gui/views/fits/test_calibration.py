"""Tests calibrating in the window: proposed, used, there as a column as rows come, kept in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration_file import read_calibration
from pygama.analysis.lines import lines_of
from pygama.progress import Partial
from pygama_gui.bridge import Bridge
from pygama_gui.sandbox import Sandbox
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views.fits.view import FitsView
from pygama_gui.views.spectrum.view import SpectrumView

GAIN = 14.7
WAIT_MS = 30_000


def thorium(n: int, *, seed: int = 1, gain: float = GAIN) -> Partial:
    """Rows of two channels of a card; the second one has a gain that is 1.3 times as large."""
    rng = np.random.default_rng(seed)
    lines = [line for line in lines_of("Th-228") if line.intensity]
    share = np.array([line.intensity * np.exp(-line.energy_kev / 900) for line in lines])
    places = np.array([line.energy_kev for line in lines])
    energy = places[rng.choice(len(lines), n, p=share / share.sum())]
    energy = rng.normal(energy, np.sqrt(0.8 + 0.0022 * energy) / 2.355)
    energy = np.where(rng.random(n) < 0.4, energy, rng.exponential(500, n) + 20)
    channel = np.arange(n) % 2
    columns = {
        "crate": np.zeros(n, int),
        "card": np.full(n, 5),
        "channel": channel,
        "time_s": np.sort(rng.uniform(seed, seed + 1, n)),
        "trap_max": energy * gain * np.where(channel, 1.3, 1.0),
    }
    return Partial("ORSIS3302DecoderForEnergy", columns, None, {})


@pytest.fixture
def taken(bridge: Bridge, a_run: Callable[..., Run]) -> Bridge:
    for job_id, number in ((1, 9001), (2, 72)):
        run = a_run(number)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(job_id, run)
        bridge.take(job_id, thorium(40_000, seed=job_id, gain=GAIN * (1 + 0.002 * (job_id - 1))))
    bridge.change(changes.select_run, "2018-9-25-Th228Run9001")
    return bridge


@pytest.fixture
def view(qtbot: QtBot, taken: Bridge) -> FitsView:
    made = FitsView(taken)
    qtbot.addWidget(made)
    made.resize(340, 800)
    made.show()
    qtbot.waitExposed(made)
    return made


def propose(qtbot: QtBot, view: FitsView) -> None:
    panel = view.calibration
    panel.calibrate_shown()
    qtbot.waitUntil(lambda: panel.proposal is not None, timeout=WAIT_MS)
    view.redraw()


def use(qtbot: QtBot, view: FitsView) -> None:
    propose(qtbot, view)
    view.calibration.use()
    run_id = view.session.selected
    qtbot.waitUntil(lambda: "trap_max_kev" in view.bridge.live(run_id).columns, timeout=WAIT_MS)
    view.redraw()


def test_a_proposal_says_how_sure_it_is_and_what_comes_second(qtbot: QtBot, view: FitsView) -> None:
    propose(qtbot, view)
    said = view.calibration.words.text()
    assert "2 of 2 channels calibrated" in said
    assert "Proposed: Th-228, over 99.99 % sure" in said
    assert "ADC a keV" in said and "Second best:" in said
    assert view.calibration.use_button.isVisible()
    assert view.calibration.residuals.isVisible() and view.calibration.widths.isVisible()
    assert view.session.calibrations == ()
    view.calibration.drop()
    view.redraw()
    assert not view.calibration.use_button.isVisible()


def test_what_is_not_sure_is_refused_in_words(
    qtbot: QtBot, view: FitsView, a_run: Callable[..., Run]
) -> None:
    run = a_run(5)
    view.bridge.change(changes.add_runs, [run])
    view.bridge.adopt(3, run)
    view.bridge.take(3, thorium(40))
    view.bridge.change(changes.select_run, run.run_id)
    propose(qtbot, view)
    assert "refused:" in view.calibration.words.text()
    assert not view.calibration.use_button.isVisible()
    view.calibration.use()
    assert view.session.calibrations == ()


def test_energies_are_a_column_like_any_other(qtbot: QtBot, view: FitsView) -> None:
    use(qtbot, view)
    live = view.bridge.live(view.session.selected)
    energy, raw = live.columns.column("trap_max_kev"), live.columns.column("trap_max")
    channel = live.columns.column("channel")
    assert len(energy) == 40_000
    assert energy == pytest.approx(raw / np.where(channel, 1.3, 1.0) / GAIN, abs=0.6)
    assert view.session.spectrum.column == "trap_max_kev"
    assert "trap_max_kev" in view.bridge.rows_of(view.session.selected, ["trap_max_kev"])


def test_energies_come_with_new_rows_and_in_other_runs(qtbot: QtBot, view: FitsView) -> None:
    use(qtbot, view)
    view.bridge.take(1, thorium(1000, seed=7))
    live = view.bridge.live("2018-9-25-Th228Run9001")
    assert len(live.columns.column("trap_max_kev")) == 41_000
    assert np.isfinite(live.columns.column("trap_max_kev", 40_000)).all()
    qtbot.waitUntil(
        lambda: "trap_max_kev" in view.bridge.live("2018-9-25-Th228Run72").columns, timeout=WAIT_MS
    )
    assert len(view.bridge.live("2018-9-25-Th228Run72").columns.column("trap_max_kev")) == 40_000


def test_undoing_takes_the_energies_away(qtbot: QtBot, view: FitsView) -> None:
    use(qtbot, view)
    view.bridge.store.undo()
    qtbot.waitUntil(
        lambda: "trap_max_kev" not in view.bridge.live(view.session.selected).columns, timeout=WAIT_MS
    )
    assert len(view.bridge.live(view.session.selected).columns.column("trap_max")) == 40_000


def test_rows_that_come_while_energies_are_computed_have_them_too(qtbot: QtBot, view: FitsView) -> None:
    propose(qtbot, view)
    view.calibration.use()
    view.bridge.take(1, thorium(500, seed=8))
    run_id = view.session.selected
    qtbot.waitUntil(lambda: "trap_max_kev" in view.bridge.live(run_id).columns, timeout=WAIT_MS)
    energy = view.bridge.live(run_id).columns.column("trap_max_kev")
    assert len(energy) == 40_500
    assert np.isfinite(energy).all()


def test_one_channel_is_calibrated_and_the_others_keep_theirs(qtbot: QtBot, view: FitsView) -> None:
    use(qtbot, view)
    code = view.bridge.live(view.session.selected).channels[1]
    view.bridge.change(changes.show_spectrum, view.session.spectrum.__class__(channel=code))
    view.redraw()
    assert view.calibration.calibrate_button.text() == "Calibrate channel"
    propose(qtbot, view)
    assert list(view.calibration.proposal.channels) == ["0/5/1"]
    view.calibration.use()
    (held,) = view.session.calibrations
    assert sorted(held.channels) == ["0/5/0", "0/5/1"]


def test_a_calibration_is_saved_and_taken_again(qtbot: QtBot, view: FitsView, tmp_path: Path) -> None:
    use(qtbot, view)
    path = tmp_path / "calibration.json"
    view.calibration.save(path)
    assert read_calibration(path) == view.session.calibrations[0]
    view.calibration.forget()
    assert view.session.calibrations == ()
    assert view.session.spectrum.column == "trap_max"
    view.calibration.load(path)
    assert len(view.session.calibrations) == 1


def test_a_file_that_is_no_calibration_is_told(view: FitsView, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}", encoding="utf-8")
    told: list[str] = []
    view.bridge.went_wrong.connect(lambda sentence, *_: told.append(sentence))
    view.calibration.load(path)
    assert told and told[0].startswith("other.json")


def test_the_drift_between_two_runs_is_said(qtbot: QtBot, view: FitsView) -> None:
    use(qtbot, view)
    view.bridge.change(changes.select_run, "2018-9-25-Th228Run72")
    view.bridge.change(
        changes.show_spectrum, view.session.spectrum.__class__(others=("2018-9-25-Th228Run9001",))
    )
    propose(qtbot, view)
    said = view.calibration.words.text()
    moved = re.findall(r"Against 2018-9-25-Th228Run9001: (.*) moved by ([+.0-9]+) % ± ([.0-9]+)", said)
    assert [what for what, *_ in moved] == ["channel 0/5/0: the gain", "channel 0/5/0: 2614.5 keV (Tl-208)"]
    for _, shift, error in moved:
        assert float(shift) == pytest.approx(0.2, abs=4 * float(error))


def test_fitted_peaks_calibrate(qtbot: QtBot, view: FitsView) -> None:
    spectrum = SpectrumView(view.bridge)
    qtbot.addWidget(spectrum)
    spectrum.show()
    code = view.bridge.live(view.session.selected).channels[0]
    view.bridge.change(changes.show_spectrum, view.session.spectrum.__class__(channel=code))
    spectrum.redraw()
    for energy in (238.632, 583.187, 2614.511):
        spectrum.peaks.fit_at(GAIN * energy)
    qtbot.waitUntil(lambda: len(view.session.fits) == 3, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view.redraw() or all(row.peak for row in view._rows), timeout=WAIT_MS)
    view.calibrate_with_fits()
    qtbot.waitUntil(lambda: view.calibration.proposal is not None, timeout=WAIT_MS)
    (one,) = view.calibration.proposal.channels.values()
    assert [round(line.energy_kev) for line in one.lines] == [239, 583, 2615]
    assert one.curve.gain == pytest.approx(GAIN, rel=1e-3)


def test_gamma_lines_stand_where_they_are_with_their_names(qtbot: QtBot, view: FitsView) -> None:
    use(qtbot, view)
    spectrum = SpectrumView(view.bridge)
    qtbot.addWidget(spectrum)
    spectrum.show()
    qtbot.waitUntil(lambda: spectrum.redraw() or spectrum.picture is not None, timeout=WAIT_MS)
    assert spectrum.plot.labels["bottom"] == "trap_max_kev (keV)"
    places = dict(spectrum.peaks.gamma_lines())
    assert places[2614.511] == "Tl-208 2614.5"
    spectrum.choose_column("trap_max")
    places = [at for at, name in spectrum.peaks.gamma_lines() if name == "Tl-208 2614.5"]
    assert places == pytest.approx([GAIN * 2614.511], rel=1e-3)
    spectrum.peaks.toggle_lines()
    assert spectrum.peaks.gamma_lines() == []


def test_energies_of_channels_without_calibration_are_not_drawn_as_an_empty_axis(
    qtbot: QtBot, view: FitsView, a_run: Callable[..., Run]
) -> None:
    use(qtbot, view)
    spectrum = SpectrumView(view.bridge)
    qtbot.addWidget(spectrum)
    spectrum.choose_column("trap_max_kev")
    run, rows = a_run(6), thorium(500)
    view.bridge.change(changes.add_runs, [run])
    view.bridge.adopt(3, run)
    view.bridge.take(3, replace(rows, columns={**rows.columns, "card": np.full(500, 7)}))
    spectrum.redraw()
    assert spectrum.plot._hint.text() == ""
    view.bridge.change(changes.select_run, run.run_id)
    qtbot.waitUntil(lambda: "trap_max_kev" in view.bridge.live(run.run_id).columns, timeout=WAIT_MS)
    spectrum.redraw()
    assert spectrum.plot._hint.text() == (
        "trap_max is not calibrated for these channels.\nChoose trap_max, or calibrate it in Fits."
    )
    assert spectrum.controls.info.text() == "500 events · 500 without a value"
    assert spectrum.picture is None


def test_settings_are_judged_by_the_same_peak_when_energies_are_shown(qtbot: QtBot, view: FitsView) -> None:
    Sandbox.of(view.bridge)
    view.bridge.change(changes.mark_region, (8000.0, 9000.0))
    assert view.session.line == (8000.0, 9000.0)
    use(qtbot, view)
    assert view.session.line == (8000.0, 9000.0)
    view.bridge.change(changes.mark_region, (575.0, 590.0))
    assert view.session.line == pytest.approx((GAIN * 575.0, GAIN * 590.0), rel=1e-3)


def test_the_raw_column_is_shown_again_when_a_calibration_is_undone(qtbot: QtBot, view: FitsView) -> None:
    spectrum = SpectrumView(view.bridge)
    qtbot.addWidget(spectrum)
    spectrum.show()
    use(qtbot, view)
    qtbot.waitUntil(lambda: spectrum.redraw() or spectrum.picture is not None, timeout=WAIT_MS)
    assert spectrum.choice.column == "trap_max_kev"
    view.bridge.store.undo()
    qtbot.waitUntil(lambda: spectrum.redraw() or spectrum.choice.column == "trap_max", timeout=WAIT_MS)
    spectrum.redraw()
    assert spectrum.picture is not None
