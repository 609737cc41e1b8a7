"""Tests calibrating in the window: proposed, used, there as a column as rows come, kept in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration_file import read_calibration
from pygama.analysis.curves import Curve
from pygama.analysis.fit_request import FitRequest
from pygama.analysis.lines import lines_of
from pygama.block import Block
from pygama.channel_map import Channel
from pygama.progress import Partial
from pygama.storage import TierWriter
from pygama_gui.bridge import Bridge
from pygama_gui.data import live_set
from pygama_gui.data.energies import fine_range
from pygama_gui.sandbox import Sandbox
from pygama_gui.session import changes, cut_changes, fit_changes, set_changes
from pygama_gui.session.state import ChannelMap, Fit, Member, Run
from pygama_gui.views.fits.calibration import gain_words
from pygama_gui.views.fits.view import FitsView
from pygama_gui.views.spectrum.view import SpectrumView

GAIN = 14.7
WAIT_MS = 60_000


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


def test_what_is_proposed_comes_into_view_below_many_fits(
    qtbot: QtBot, view: FitsView, taken: Bridge
) -> None:
    fits = [Fit(f"{at}", "trap_max", FitRequest(at - 50, at + 50, (at,))) for at in range(3000, 9000, 500)]
    taken.change(fit_changes.add_fits, fits)
    view.resize(340, 420)
    qtbot.waitUntil(lambda: view.calibration.calibrate_button.visibleRegion().isEmpty())
    propose(qtbot, view)
    button, words = view.calibration.use_button, view.calibration.words
    qtbot.waitUntil(lambda: button.visibleRegion().boundingRect().height() == button.height())
    assert not words.visibleRegion().isEmpty()


def propose(qtbot: QtBot, view: FitsView) -> None:
    panel = view.calibration
    panel.calibrate_shown()
    qtbot.waitUntil(lambda: panel.proposal is not None, timeout=WAIT_MS)
    view.redraw()


def test_a_single_line_is_calibrated_where_the_gain_is_expected(
    qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    rng = np.random.default_rng(1)
    energy = np.concatenate([rng.normal(661.657, 0.8, 900), rng.exponential(500, 3000) + 30])
    columns = {"channel": np.zeros(3900, int), "time_s": np.arange(3900.0), "trap_max": GAIN * energy}
    bridge.take(1, Partial("ORSIS3302DecoderForEnergy", columns, None, {}))
    view = FitsView(bridge)
    qtbot.addWidget(view)
    panel = view.calibration
    panel.source_box.setCurrentText("Cs-137")
    panel.zero_box.setChecked(True)
    propose(qtbot, view)
    (one,) = panel.proposal.channels.values()
    assert "give an expected gain" in one.refused
    panel.gain_field.setText(f"{1.05 * GAIN:.2f}".replace(".", ","))
    propose(qtbot, view)
    (one,) = panel.proposal.channels.values()
    assert one.curve is not None
    assert one.curve.energy(GAIN * 661.657) == pytest.approx(661.657, abs=0.2)


@pytest.mark.parametrize("typed", ["much", "-3", "0", "nan"])
def test_what_is_no_gain_is_marked_and_not_used(view: FitsView, typed: str) -> None:
    view.calibration.gain_field.setText(typed)
    view.calibration.gain_field.editingFinished.emit()
    assert view.calibration.gain_field.property("tone") == "bad"
    assert view.calibration.recipe.gain_range is None


def use(qtbot: QtBot, view: FitsView) -> None:
    propose(qtbot, view)
    view.calibration.use()
    run_id = view.session.selected
    qtbot.waitUntil(lambda: "trap_max_kev" in view.bridge.live(run_id).columns, timeout=WAIT_MS)
    view.redraw()


def test_residuals_and_widths_name_their_quantity_and_unit_in_a_panel_of_usual_width(
    qtbot: QtBot, view: FitsView
) -> None:
    propose(qtbot, view)
    panel = view.calibration
    for plot, quantity in ((panel.residuals, "residual (keV)"), (panel.widths, "FWHM (keV)")):
        plot.resize(300, plot.height())
        assert plot.y_axis.label.isVisible()
        assert plot.y_axis.label.toPlainText().strip() == quantity
        assert plot._written["left"] == quantity


def test_the_wheel_over_the_residuals_scrolls_the_panel(qtbot: QtBot, view: FitsView) -> None:
    view.resize(340, 400)
    propose(qtbot, view)
    plot, bar = view.calibration.residuals, view.form_area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 100, timeout=WAIT_MS)
    view.form_area.ensureWidgetVisible(plot)
    shown, at = plot.box.viewRange(), bar.value()
    down, still = QPoint(0, -120), QPoint()
    middle = QPointF(plot.viewport().rect().center())
    turned = QWheelEvent(
        *(middle, QPointF(plot.viewport().mapToGlobal(middle.toPoint())), still, down),
        *(Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False),
    )
    bar.setValue(at - 60)
    QApplication.sendEvent(plot.viewport(), turned)
    assert plot.box.viewRange() == shown
    assert bar.value() > at - 60


def test_a_proposal_says_how_sure_it_is_and_what_comes_second(qtbot: QtBot, view: FitsView) -> None:
    propose(qtbot, view)
    said = view.calibration.words.text().replace("\u202f", " ")
    assert "2 of 2 channels calibrated" in said
    assert "channel 0: proposed: Th-228, over 99.99 % sure" in said
    gain, rival = said.partition("Second best:")[::2]
    assert "ADC/keV" in gain and "ADC/keV" in rival
    assert view.calibration.gain_unit.text() == "ADC/keV"
    assert view.calibration.use_button.isVisible()
    assert view.calibration.residuals.isVisible() and view.calibration.widths.isVisible()
    assert view.session.calibrations == ()
    view.calibration.drop()
    view.redraw()
    assert not view.calibration.use_button.isVisible()


def test_what_was_chosen_of_the_spectrum_goes_along_to_the_energies(qtbot: QtBot, view: FitsView) -> None:
    change = view.bridge.change
    change(changes.choose_channel, view.bridge.live(view.session.selected).channels[0])
    change(changes.mark_region, (580 * GAIN, 590 * GAIN))
    change(changes.set_markers, (2614.5 * GAIN,))
    change(cut_changes.show_only_passing, True)
    use(qtbot, view)
    shown = view.session.spectrum
    assert shown.column == "trap_max_kev"
    assert shown.roi == pytest.approx((580, 590), abs=0.5)
    assert shown.markers == pytest.approx((2614.5,), abs=0.5)
    assert shown.is_only_passing


def test_what_is_not_sure_is_refused_in_words(
    qtbot: QtBot, view: FitsView, a_run: Callable[..., Run]
) -> None:
    run = a_run(5)
    view.bridge.change(changes.add_runs, [run])
    view.bridge.adopt(3, run)
    view.bridge.take(3, thorium(40))
    view.bridge.change(changes.select_run, run.run_id)
    propose(qtbot, view)
    assert "▲ channel 0 refused:" in view.calibration.words.text()
    view.bridge.change(changes.take_channel_map, ChannelMap(channels=(Channel(0, 5, 0, "V01"),)))
    propose(qtbot, view)
    assert "V01 refused:" in view.calibration.words.text()
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


def test_whose_calibration_a_run_borrows_is_said_with_its_energies(
    qtbot: QtBot, view: FitsView, taken: Bridge
) -> None:
    use(qtbot, view)
    assert view.calibration.state.text() == "trap_max of 2018-9-25-Th228Run9001"
    spectrum = SpectrumView(taken)
    qtbot.addWidget(spectrum)
    other = next(run for run in taken.session.runs if run.run_number == 72)
    qtbot.waitUntil(lambda: "trap_max_kev" in taken.live(other.run_id).columns, timeout=WAIT_MS)
    taken.change(changes.select_run, other.run_id)
    told = "calibrated by 2018-9-25-Th228Run9001, the only calibration"
    assert taken.session.spectrum.column == "trap_max_kev"
    view.redraw()
    assert view.calibration.state.text() == f"trap_max: no calibration of its own, {told}"
    view.calibration.state.resize(200, 60)
    assert view.calibration.state.shown.replace("\n", " ") == view.calibration.state.text()
    spectrum.redraw()
    qtbot.waitUntil(lambda: f"▲ {told}" in spectrum.controls.info.text(), timeout=WAIT_MS)


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


def test_errors_of_a_curve_that_lies_off_its_lines_are_larger_and_said_to_be() -> None:
    held = ((1e-2, 0.0), (0.0, 1e-10))
    good, bad = Curve((0.5, 0.07), held, 3.0, 3), Curve((0.5, 0.07), held, 27.0, 3)
    assert "offset 0.50 ± 0.10 keV, χ²/ndof 3.0/3" in gain_words(good, "ADC")
    assert "offset 0.5 ± 0.3 keV, χ²/ndof 27.0/3, errors × 3" in gain_words(bad, "ADC")


def test_what_is_done_with_a_calibration_is_offered_where_there_is_one(qtbot: QtBot, view: FitsView) -> None:
    def offered() -> list[str]:
        ours = ("&Use the proposed", "&Save the calibration", "F&orget the calibration")
        return [one.text() for one in view.view_actions() if one.text().startswith(ours) and one.isEnabled()]

    assert offered() == []
    propose(qtbot, view)
    assert offered() == ["&Use the proposed calibration"]
    view.calibration.use()
    view.redraw()
    assert offered() == ["&Save the calibration…", "F&orget the calibration"]
    view.calibration.forget()
    assert offered() == []


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
    view.bridge.not_taken.connect(lambda sentence, *_: told.append(sentence))
    view.calibration.load(path)
    assert told and told[0].startswith("other.json")


@pytest.mark.parametrize("others", [("2018-9-25-Th228Run9001",), ()], ids=["beside it", "before it"])
def test_the_drift_between_two_runs_is_said(qtbot: QtBot, view: FitsView, others: tuple[str, ...]) -> None:
    use(qtbot, view)
    view.bridge.change(changes.select_run, "2018-9-25-Th228Run72")
    view.bridge.change(changes.show_spectrum, view.session.spectrum.__class__(others=others))
    propose(qtbot, view)
    said = view.calibration.words.text().replace("\u202f", " ")
    moved = re.findall(r"Against 2018-9-25-Th228Run9001: (.*) moved by ([+.0-9]+) % ± ([.0-9]+)", said)
    assert [what for what, *_ in moved] == ["channel 0: the gain", "channel 0: 2614.5 keV (Tl-208)"]
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
    assert spectrum.plot.labels["bottom"] == "trap_max_kev (keV)"
    assert spectrum.picture is None


def test_settings_are_judged_by_the_same_peak_when_energies_are_shown(qtbot: QtBot, view: FitsView) -> None:
    Sandbox.of(view.bridge)
    view.bridge.change(changes.mark_region, (8000.0, 9000.0))
    assert view.session.line == (8000.0, 9000.0)
    use(qtbot, view)
    assert view.session.line == pytest.approx((8000.0, 9000.0))
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


@pytest.fixture
def on_disk(qtbot: QtBot, bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FitsView:
    """The fits of a data set of two runs that is counted from its files, with a sample of 2000 rows."""
    monkeypatch.setattr(live_set, "MOST_ROWS", 1000)
    monkeypatch.setattr(live_set, "SAMPLE_ROWS", 2000)
    members = []
    for number in (72, 73):
        columns = thorium(40_000, seed=number).columns
        rows = np.zeros(40_000, [(name, values.dtype) for name, values in columns.items()])
        for name, values in columns.items():
            rows[name] = values
        path = tmp_path / f"t2_run{number}.h5"
        with TierWriter(path, chunk_rows=4096) as writer:
            writer.write("data", Block("data", rows), queryable=True)
            writer.set_texts("/", {"run_number": str(number)})
        raw = tmp_path / f"Run{number}"
        members.append(Member(Run(str(raw), raw, number), path))
    data_set = set_changes.data_set_of(bridge.session, members)
    bridge.change(set_changes.make_data_set, data_set)
    qtbot.waitUntil(lambda: len(getattr(bridge.live(data_set.run_id), "columns", ())) > 0, timeout=WAIT_MS)
    made = FitsView(bridge)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_a_data_set_on_disk_is_calibrated_by_the_counts_of_all_its_rows(
    qtbot: QtBot, on_disk: FitsView
) -> None:
    live = on_disk.bridge.live(on_disk.session.selected)
    assert live is not None and live.is_on_disk and len(live.columns) < 3000
    propose(qtbot, on_disk)
    found = on_disk.calibration.proposal
    assert found is not None
    assert [place for place, one in found.channels.items() if one.curve is not None] == ["0/5/0", "0/5/1"]
    for place, gain in (("0/5/0", GAIN), ("0/5/1", 1.3 * GAIN)):
        one = found.channels[place]
        assert one.curve is not None
        assert one.curve.gain == pytest.approx(gain, rel=5e-4)
        top = max(one.lines, key=lambda line: line.energy_kev)
        assert top.energy_kev == pytest.approx(2614.5, abs=0.1)
        # of all 80 000 rows, not of the sample: the area is that of the peak in the files
        rows = np.concatenate(
            [thorium(40_000, seed=number).columns["trap_max"][int(place[-1]) :: 2] for number in (72, 73)]
        )
        near = np.abs(rows / gain - 2614.5) < 6
        assert top.area == pytest.approx(near.sum(), rel=0.1)
    assert found.made_from == ("Run72", "Run73")


def test_a_calibration_of_counts_ends_when_they_are_stopped(qtbot: QtBot, on_disk: FitsView) -> None:
    bridge, run_id = on_disk.bridge, on_disk.session.selected
    panel = on_disk.calibration
    panel.calibrate_shown()
    bridge.data_sets.stop(run_id)
    qtbot.waitUntil(lambda: not panel._is_busy, timeout=WAIT_MS)
    assert panel.proposal is None
    panel.calibrate_shown()
    assert not panel._is_busy
    assert "was stopped: press 'Read again'" in bridge.lines[-1]


def test_a_calibration_of_counts_is_given_up_with_its_data_set(qtbot: QtBot, on_disk: FitsView) -> None:
    panel = on_disk.calibration
    panel.calibrate_shown()
    on_disk.bridge.data_sets.look_again(on_disk.session.selected)
    on_disk.redraw()
    assert not panel._is_busy


def test_a_fit_on_disk_is_that_of_all_rows(qtbot: QtBot, on_disk: FitsView) -> None:
    bridge, run_id = on_disk.bridge, on_disk.session.selected
    low, high = 2604 * GAIN, 2625 * GAIN
    live = bridge.live(run_id)
    assert live is not None
    request = FitRequest(low, high, positions=(2614.5 * GAIN,))
    fit = Fit("Tl-208", "trap_max", request, live.channels[0])
    bridge.change(fit_changes.add_fits, [fit])
    rows = np.concatenate([thorium(40_000, seed=one).columns["trap_max"][::2] for one in (72, 73)])
    n = int(((rows > low) & (rows < high)).sum())

    def is_whole() -> bool:
        outcome = bridge.fitting.outcome(run_id, "Tl-208")
        return outcome is not None and outcome.found is not None and outcome.found.counts.sum() == n

    bridge.fitting.ask(run_id)
    qtbot.waitUntil(is_whole, timeout=WAIT_MS)
    outcome = bridge.fitting.outcome(run_id, "Tl-208")
    assert outcome is not None and outcome.found is not None
    assert outcome.found.peaks[0].position == pytest.approx(2614.5 * GAIN, rel=2e-4)


def test_the_fine_range_holds_all_but_what_lies_far_beyond() -> None:
    values = np.r_[np.linspace(0, 100, 10_000), 250.0, 1e9, np.nan]
    low, high = fine_range(values)
    assert (low, high) == (0.0, pytest.approx(250, rel=1e-3))
    assert high > 250
    assert fine_range(np.array([np.nan])) == (0.0, 1.0)


def test_channels_of_several_cards_are_named_as_elsewhere(qtbot: QtBot, view: FitsView) -> None:
    propose(qtbot, view)
    found = view.calibration.proposal
    assert found is not None
    two = replace(found, channels={**found.channels, "0/8/0": found.channels["0/5/0"]})
    assert view.calibration._names_of_places(two)["0/8/0"] == "card 8 channel 0"
