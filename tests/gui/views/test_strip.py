"""Tests the status strip: what it says of channels, and that it fits."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.channel_map import Channel
from pygama.progress import Failed, Message, Note, Partial, Progress, Started
from pygama_gui.bridge import Bridge
from pygama_gui.data import health
from pygama_gui.data.run_times import RunTimes, Spell
from pygama_gui.jobs.board import JobState
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import take_calibration
from pygama_gui.session.codes import code_at
from pygama_gui.session.state import DEFAULT_LAYOUT, SHIFT_LAYOUT, ChannelMap, Run, Step
from pygama_gui.views import madeup
from pygama_gui.views.strip import telling
from pygama_gui.views.strip import view as strip_view
from pygama_gui.views.strip.figures import FigureLine
from pygama_gui.views.strip.telling import (
    channels_words,
    first_reason,
    live_time_tip,
    live_time_words,
    mean_and_spread,
    reasons,
    state_age_tone,
    state_remark,
    state_words,
)
from pygama_gui.views.strip.view import StripView

WAIT_MS = 60_000


@pytest.fixture
def view(strip: StripView) -> StripView:
    return strip


def channels(qtbot: QtBot, view: StripView, *codes: np.ndarray) -> tuple[str, str]:
    for part in codes:
        partial = madeup.partial(len(part), n_waveforms=1)
        partial.columns["channel"] = part
        run_id = view.bridge.take(1, partial)
    n_rows = len(view.bridge.data[run_id].columns)
    view.bridge.data_grew.emit({run_id})
    view.redraw()
    qtbot.waitUntil(lambda: view._surveyed.n_rows == n_rows, timeout=WAIT_MS)
    figure = view.figures["CHANNELS"]
    return figure.value.text(), figure.remark.text()


def ended(n: int = 6000, *, step: float = 0.0, seed: int = 1) -> list[Message]:
    """Tell of a run of ten minutes, of which the baseline moves by `step` half-way."""
    rng = np.random.default_rng(seed)
    partial = madeup.partial(n, seed=seed, n_channels=2)
    partial.columns["time_s"] = np.sort(rng.uniform(0.0, 600.0, n))
    partial.columns["bl_int"] = rng.normal(8000.0, 3.0, n) + step * (partial.columns["time_s"] > 300.0)
    return [partial, madeup.end(n)]


def show(qtbot: QtBot, view: StripView, messages: list[Message]) -> None:
    for message in messages:
        run_id = view.bridge.take(1, message)
    view.bridge.jobs_changed.emit({run_id})
    view.bridge.data_grew.emit({run_id})
    qtbot.waitUntil(lambda: "baseline" in view._levels and view._surveyed.n_rows > 0, timeout=WAIT_MS)


@pytest.mark.parametrize(("end", "told"), [(500, False), (1200, True)])
def test_a_baseline_that_reaches_into_the_pulses_is_told_beside_it(
    qtbot: QtBot, view: StripView, end: int, told: bool
) -> None:
    run_id = view.bridge.take(1, madeup.partial(600, n_waveforms=20))
    view.bridge.data[run_id].chain = (Step("fit_baseline", {"i_end": end}),)
    view.bridge.data_grew.emit({run_id})
    view.redraw()
    qtbot.waitUntil(lambda: view._surveyed.n_rows == 600, timeout=WAIT_MS)
    view.redraw()
    figure = view.figures["BASELINE"]
    assert (figure.remark.text() == "pulses within it") == told
    assert figure.value.text().startswith("▲ ") == told, "where a narrow strip has no room for the remark"
    assert ("set i_end to" in figure.toolTip()) == told
    assert any(one.what == "baseline until" for one in view.checks()) == told


def test_one_event_of_each_channel_is_no_scatter_of_0(qtbot: QtBot, view: StripView) -> None:
    partial = madeup.partial(60, n_waveforms=1)
    partial.columns["channel"] = np.arange(60)
    show(qtbot, view, [partial, madeup.end(60)])
    qtbot.waitUntil(lambda: view.bridge.threads.are_idle, timeout=WAIT_MS)
    noise = next(one for one in view.checks() if one.what == "noise")
    assert (noise.is_known, noise.value) == (False, "one event of each channel does not tell how it scatters")
    assert {one.kind for one in view.checks()} >= {"baseline"}
    assert "noise" not in {one.kind for one in view.checks()}


def test_channels_that_all_have_events_are_well(qtbot: QtBot, view: StripView) -> None:
    assert channels(qtbot, view, np.arange(6000) % 4) == ("✓ 4", "all ok")


def test_a_channel_without_new_events_is_silent_which_is_an_alarm(qtbot: QtBot, view: StripView) -> None:
    told = channels(qtbot, view, np.arange(6000) % 4, np.arange(3000) % 3)
    assert told == ("✕ 1 not ok", "✕ channel 3 SILENT")
    why = view.figures["CHANNELS"].toolTip()
    assert why == "channel 3 silent: none of the newest events, where 429 were expected"
    (check,) = (one for one in view.checks() if one.what == "channels")
    assert check.value == "3 of 4 ok, ✕ channel 3 SILENT"


def test_a_channel_with_far_more_events_than_the_others_is_noisy(qtbot: QtBot, view: StripView) -> None:
    codes = np.full(4000, 2)
    codes[::40] = np.arange(100) % 5
    assert channels(qtbot, view, codes) == ("▲ 1 not ok", "▲ channel 2 NOISY")


def test_a_channel_that_is_not_well_in_a_run_under_way_is_logged_once(qtbot: QtBot, view: StripView) -> None:
    logged: list[tuple[str, str]] = []
    view.bridge.logged.connect(lambda text, level: logged.append((level, text)))
    partials = []
    for codes in (np.arange(6000) % 4, np.arange(3000) % 3, np.arange(900) % 3):
        partials.append(madeup.partial(len(codes), n_waveforms=1))
        partials[-1].columns["channel"] = codes
    for partial in partials:
        view.bridge.take(1, partial)
        view.bridge.data_grew.emit({view.session.selected})
    qtbot.waitUntil(
        lambda: view.redraw() or view.figures["CHANNELS"].value.text() == "✕ 1 not ok", timeout=WAIT_MS
    )
    view.redraw()
    (level, text) = logged[-1]
    assert level == "warning"
    assert ": channel 3 is silent: none of the newest events, where " in text
    assert len([one for one in logged if "channel 3" in one[1]]) == 1


def test_many_channels_that_are_not_well_are_counted() -> None:
    ill = tuple(health.Health("drifting", f"baseline +{code}") for code in range(12))
    found = health.Survey(health=(*ill, health.Health("ok"), health.Health("quiet", "none of late")))
    names = [f"channel {code}" for code in range(14)]
    value, remark, *_ = channels_words(found, names)
    assert (value, remark) == ("▲ 13 not ok", "▽ channel 13 QUIET, ◆ 12 channels DRIFTING")
    told = reasons(found, names)
    assert told[0] == "channel 0 drifting: baseline +0"
    assert (len(told), told[-1]) == (11, "and 3 more: see Channels")


def test_a_channel_that_is_rare_is_not_called_quiet(qtbot: QtBot, view: StripView) -> None:
    codes = np.zeros(8000, int)
    codes[0] = 1
    assert channels(qtbot, view, codes) == ("✓ 2", "all ok")


def test_a_channel_that_should_be_there_is_dead(qtbot: QtBot, view: StripView) -> None:
    view.bridge.change(changes.take_channel_map, ChannelMap(channels=(Channel(0, 0, 9, "V02160A"),)))
    assert channels(qtbot, view, np.arange(6000) % 3) == ("✕ 1 not ok", "✕ V02160A DEAD")


def test_a_channel_whose_gain_drifts_is_named(qtbot: QtBot, view: StripView) -> None:
    n, rng = 8000, np.random.default_rng(8)
    partial = madeup.partial(n, n_waveforms=1)
    codes, times = rng.permutation(np.arange(n) % 2), np.linspace(0.0, 3600.0, n)
    peak = rng.normal(6000.0 + 8.0 * ((codes == 1) & (times > 1800.0)), 5.0)
    heights = np.where(rng.random(n) < 0.3, peak, rng.uniform(100.0, 9000.0, n))
    partial.columns.update(channel=codes, time_s=times, trap_max=heights)
    show(qtbot, view, [partial, madeup.end(n)])
    figure = view.figures["CHANNELS"]
    qtbot.waitUntil(lambda: figure.remark.text() == "◆ channel 1 DRIFTING", timeout=WAIT_MS)
    assert figure.value.text() == "▲ 1 not ok"


def test_the_baseline_is_told_beside_what_it_was(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended())
    assert view.figures["BASELINE"].value.text() == "8000.0 ± 3.0 ADC"
    assert view.figures["BASELINE"].remark.text() == "steady"
    assert "± how single events scatter" in view.figures["BASELINE"].toolTip()


def test_since_when_a_baseline_moved_is_told_under_the_mouse(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended(step=10.0))
    view.redraw()
    assert re.search(
        r"\nBaseline \+[\d.]+ ADC since 10:28.* UTC \(.* σ\): Trends shows it\n",
        view.figures["BASELINE"].toolTip(),
    )


def test_a_baseline_that_moved_is_marked(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended(step=6.0))
    assert re.fullmatch(r"▲ moved \+\d\.\d+ ADC", view.figures["BASELINE"].remark.text())


def test_a_baseline_that_moved_by_less_than_events_scatter_is_told_without_alarm(
    qtbot: QtBot, view: StripView
) -> None:
    show(qtbot, view, ended(step=1.5))
    figure = view.figures["BASELINE"]
    assert re.fullmatch(r"moved \+1\.\d+ ADC", figure.remark.text())
    assert figure.value.text() == "8000.7 ± 3.1 ADC"
    assert "\nThat is less than single events scatter\n" in figure.toolTip()


def test_levels_are_not_found_anew_while_nothing_came(
    qtbot: QtBot, view: StripView, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(qtbot, view, ended())
    qtbot.waitUntil(lambda: "width" in view._levels, timeout=WAIT_MS)
    view.redraw()
    before = view.figures["BASELINE"].value.text()
    monkeypatch.setattr(strip_view, "level_of", None)
    monkeypatch.setattr(telling, "median_and_scatter", None)
    view.redraw()
    assert view.figures["BASELINE"].value.text() == before
    choice = replace(view.session.trends, k=view.session.trends.k + 1)
    view.bridge.store.change(changes.show_trends, choice)
    with pytest.raises(TypeError, match="not callable"):
        view.redraw()


def test_the_peak_that_is_followed_is_told_with_its_width(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended())
    qtbot.waitUntil(lambda: "width" in view._levels, timeout=WAIT_MS)
    view.redraw()
    assert view.figures["PEAK"].isVisible()
    assert view.figures["PEAK"].value.text().startswith("FWHM ")
    assert re.match(r"FWHM .+ ± .+ ADC at .+ ± .+ ADC\n", view.figures["PEAK"].toolTip())
    assert re.search(r"\nMedian of \d+ fits to slices of time of \S", view.figures["PEAK"].toolTip())


def test_the_strip_says_whose_peak_it_follows(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended())
    qtbot.waitUntil(lambda: "width" in view._levels, timeout=WAIT_MS)
    view.redraw()
    assert view.figures["PEAK"].caption.text() == "PEAK · channel 0"
    assert "as in Trends where that channel is chosen" in view.figures["PEAK"].toolTip()
    view.bridge.change(changes.show_trends, replace(view.session.trends, channel=view._surveyed.codes[1]))
    qtbot.waitUntil(
        lambda: view.redraw() or view.figures["PEAK"].caption.text().endswith(" · channel 1"),
        timeout=WAIT_MS,
    )
    assert "as in Trends;" in view.figures["PEAK"].toolTip()
    view.bridge.change(changes.remove_run, view.session.selected)
    qtbot.waitUntil(lambda: view.redraw() or view.figures["PEAK"].caption.text() == "PEAK", timeout=WAIT_MS)


def test_a_peak_that_is_there_no_more_is_no_steady_gain(qtbot: QtBot, view: StripView) -> None:
    partial, end = ended(40_000)
    late = partial.columns["time_s"] > 300.0
    partial.columns["trap_max"][late] *= 1.3
    view.bridge.change(changes.choose_line, (3450.0, 3650.0))
    show(qtbot, view, [partial, end])
    qtbot.waitUntil(lambda: "position" in view._levels, timeout=WAIT_MS)
    view.redraw()
    figure = view.figures["PEAK"]
    assert figure.whole.startswith("▲ FWHM ")
    assert re.search(r"\nNo peak since 10:2\d.* UTC: Trends shows it\n", figure.toolTip())
    place = next(one for one in view.checks() if one.kind == "position")
    assert place.value.endswith(", missing at the end") and place.is_ok is False


def test_a_peak_of_too_few_events_has_a_place_but_no_width(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended())
    qtbot.waitUntil(lambda: "width" in view._levels, timeout=WAIT_MS)
    assert view._trends is not None
    width = view._trends.of("width")
    assert width is not None
    del view._levels["width"]
    lost = replace(width, values=np.full_like(width.values, np.nan), note="too few events to tell the width")
    others = tuple(one for one in view._trends.series if one.kind != "width")
    view._trends = replace(view._trends, series=(*others, lost))
    view._show_peak()
    assert view.figures["PEAK"].value.text() == "FWHM —"
    assert "Too few events to tell the width" in view.figures["PEAK"].toolTip()


def test_the_strip_says_that_the_chosen_peak_is_not_there(qtbot: QtBot, view: StripView) -> None:
    view.bridge.change(changes.choose_line, (20_000.0, 20_400.0))
    show(qtbot, view, ended())
    qtbot.waitUntil(lambda: "width" in view._levels, timeout=WAIT_MS)
    view.redraw()
    assert "No clear peak is where the preview has one" in view.figures["PEAK"].toolTip()


def test_the_rate_now_stands_beside_the_mean_while_the_run_is_under_way(
    qtbot: QtBot, view: StripView
) -> None:
    partial, _ = ended()
    view.bridge.take(1, Started(Path("Run"), 10, 9001, 0, 0, (madeup.DECODER,), ()))
    view.bridge.take(1, partial)
    view.redraw()
    mean = view.figures["RATE"].remark.text().removeprefix("mean ")
    assert float(mean) == pytest.approx(10.0, abs=0.2)
    view.bridge.take(1, madeup.end())
    view.redraw()
    assert view.figures["RATE"].value.text() == "10 Hz"


@pytest.mark.parametrize(
    ("age", "value", "remark", "tone"),
    [
        (2.0, "● LIVE", "newest 2.0 s old", "soft"),
        (24.0, "● LIVE", "▲ no event for 24 s", "warn"),
        (84.0, "■ FROZEN", "no event for 1 min 24 s", "bad"),
    ],
)
def test_a_run_that_is_followed_says_how_old_its_newest_event_is(
    age: float, value: str, remark: str, tone: str
) -> None:
    state = JobState(1, Path("Run"), "running", follows=True, newest_at=100.0, heard_at=100.0 + age)
    assert state_words(state)[0] == value
    assert state_remark(state) == remark
    assert state_age_tone(state) == tone


@pytest.fixture
def followed(view: StripView) -> Callable[[float], None]:
    """Have the selected run be followed, with events that came 600 s long; give a way to let time pass."""
    run = view.session.selected_run
    assert run is not None
    view.bridge.adopt(2, run, follows=True)
    view.bridge.take(2, Started(run.path, 1000, 9001, 0, 0, (madeup.DECODER,), ()))
    view.bridge.take(2, ended()[0])
    view.bridge.board.apply(2, Progress(1000, 1000, 6000, 6000), 100.0)

    def wait(age: float, rows: int = 6000) -> None:
        view.bridge.board.apply(2, Progress(1000, 1000, rows, rows), 100.0 + age)
        view.redraw()

    return wait


def test_a_run_that_stands_still_has_no_rate_now(view: StripView, followed: Callable[[float], None]) -> None:
    followed(2.0)
    assert not view.figures["RATE"].whole.startswith("▲")
    followed(24.0)
    assert view.figures["RATE"].whole == "▲ 0 Hz"
    assert next(one for one in view.checks() if one.what == "rate").is_ok is False


def test_an_old_event_is_told_in_a_narrow_strip_too(
    view: StripView, followed: Callable[[float], None]
) -> None:
    followed(24.0)
    view.resize(640, 60)
    assert not view.figures["STATE"].remark.isVisible()
    assert view.figures["STATE"].value.text() == "▲ ● LIVE"
    assert view.figures["STATE"].value.property("tone") == "warn"


def test_the_log_says_when_a_run_stands_still_and_goes_on(
    view: StripView, followed: Callable[..., None]
) -> None:
    logged: list[tuple[str, str]] = []
    view.bridge.logged.connect(lambda text, level: logged.append((level, text)))
    for age, rows in ((24.0, 6000), (70.0, 6000), (71.0, 6000), (80.0, 6001), (81.0, 6002)):
        followed(age, rows)
    name = view.bridge.name_of(view.session.selected)
    assert logged == [("warning", f"{name}: no event for a minute"), ("info", f"{name}: events come again")]


def test_the_peak_of_one_channel_is_followed_as_long_as_it_keeps_up(qtbot: QtBot, view: StripView) -> None:
    def whose(*counts: int) -> str:
        codes = np.repeat(np.arange(len(counts)), counts)
        channels(qtbot, view, codes)
        channel = view._channel(view.bridge.data[view.session.selected])
        assert channel is not None
        return view.bridge.names([channel])[0]

    assert whose(1000, 900) == "channel 0"
    assert whose(0, 300) == "channel 0"
    assert whose(0, 400) == "channel 1"
    view.bridge.take(1, madeup.end())
    assert whose(700, 0) == "channel 0"


def test_warnings_and_runs_that_failed_are_counted(view: StripView, a_run: Callable[..., Run]) -> None:
    view.redraw()
    assert view.figures["ERRORS"].value.text() == "0"
    assert view.figures["QUEUE"].isHidden()
    other = a_run(72)
    view.bridge.change(changes.add_runs, [other])
    view.bridge.adopt(2, other)
    view.bridge.take(1, Note("something odd", "warning"))
    view.redraw()
    assert view.figures["ERRORS"].value.text() == "▲ 1"  # a narrow strip has room for no more
    assert view.figures["ERRORS"].remark.text() == "warning"
    view.bridge.take(2, Failed("it broke", ""))
    view.redraw()
    assert view.figures["ERRORS"].value.text() == "✕ 1"
    assert view.figures["ERRORS"].remark.text() == "run failed · ▲ 1 warning"
    tip = view.figures["ERRORS"].toolTip().splitlines()
    assert re.fullmatch(r"20.* UTC: something odd", tip[0])
    assert tip[1:] == ["Run 72 failed: it broke", "The log (Ctrl+L) says more"]


def test_the_shift_report_is_copied_with_values_and_channels(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended(step=6.0))
    view.report_action.trigger()
    text = QApplication.clipboard().text()
    assert text.startswith("# Run 9001 · 2018-9-25-Th228Run9001")
    assert "| baseline (bl_int) | 800" in text
    assert "▲ look" in text
    assert "| channel 1 | ✓ ok |" in text
    assert "There is no earlier run in the list" in text


def test_nothing_is_clipped_at_1280_pixels(qtbot: QtBot, view: StripView) -> None:
    view.resize(1280 - 2 * 10, 60)
    show(qtbot, view, ended(step=6.0))
    view.bridge.room.known.emit(212_000_000_000)
    view.redraw()
    QApplication.processEvents()
    for figure in view.figures.values():
        if figure.isVisible():
            assert figure.width() >= figure.minimumWidth()
            assert figure.geometry().right() <= view.width()
            assert figure.value.width() >= figure.value.sizeHint().width()


def test_a_narrow_strip_keeps_all_values_and_drops_remarks(
    qtbot: QtBot, view: StripView, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A peak, which may be found or not by then, needs room.
    monkeypatch.setattr(view, "_show_peak", lambda: None)
    view.figures["PEAK"].has_value = False
    channels(qtbot, view, np.arange(6000) % 4)
    qtbot.waitUntil(lambda: view.bridge.threads.are_idle)
    view.bridge.room.known.emit(None)
    for figure in view.figures.values():
        figure.forget_room()  # of what was told while the answers came

    def missing() -> list[str]:
        figures = view.figures.items()
        return [name for name, figure in figures if figure.has_value and not figure.value.isVisible()]

    view.resize(1700, 60)
    assert view.figures["RUN"].remark.isVisible()
    view.resize(700, 60)
    assert not view.figures["RUN"].remark.isVisible()
    assert all(
        figure.value.isVisible()
        for name, figure in view.figures.items()
        if name not in ("DISK", "QUEUE", "PEAK")
    )
    view.bridge.room.known.emit(68_000_000_000)
    view.resize(1700, 60)
    assert view.figures["RUN"].remark.isVisible()
    assert missing() == []
    assert "±" in view.figures["BASELINE"].value.text()
    view.resize(770, 60)
    assert not view.figures["RUN"].remark.isVisible()
    assert missing() == []
    assert re.fullmatch(r"[\d.\u202f]+ ADC", view.figures["BASELINE"].value.text())
    assert "±" in view.figures["BASELINE"].whole
    assert "±" in view.figures["BASELINE"].toolTip()
    view.resize(700, 60)
    assert missing() == ["EVENTS"]  # the card of the run tells them too


def test_a_remark_that_warns_stays_longest_and_leaves_its_sign_behind(qtbot: QtBot, view: StripView) -> None:
    channels(qtbot, view, np.arange(6000) % 4)
    qtbot.waitUntil(lambda: view.bridge.threads.are_idle)
    baseline, state = view.figures["BASELINE"], view.figures["STATE"]
    value = baseline.whole
    baseline.show_value(value, "▲ moved +3.1 ADC", "", "warn")
    state.show_value(state.whole, "in 0.4 s", "ok")
    seen = set()
    for width in range(1700, 690, -10):
        view.resize(width, 60)
        seen.add((baseline.remark.isVisible(), state.remark.isVisible()))
        warns = baseline.remark if baseline.remark.isVisible() else baseline.value
        assert warns.text().startswith("▲ ")
        assert warns.property("tone") == "warn"
        assert (baseline.value.property("tone") == "warn") != baseline.remark.isVisible()
    assert seen == {(True, True), (True, False), (False, True), (False, False)}
    view.resize(1700, 60)
    assert baseline.value.text() == value
    assert baseline.whole == value


def test_of_remarks_that_warn_that_of_the_channels_stays_longest(qtbot: QtBot, themed: object) -> None:
    line = FigureLine()
    qtbot.addWidget(line)
    line.figures["BASELINE"].show_value("8000.0 ± 1.0 ADC", "▲ moved +2.05 ADC", "", "warn")
    line.figures["CHANNELS"].show_value("✕ 1 not ok", "✕ channel 2 SILENT", "bad", "bad")

    def widest_without(caption: str) -> int:
        """Give the greatest width at which a remark has no room."""
        return max(
            width
            for width in range(300, 2400, 10)
            if line.fit(width) or line.figures[caption].remark.isHidden()
        )

    assert widest_without("CHANNELS") < widest_without("BASELINE")


def test_a_button_leads_to_the_shift_page_on_shift(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended(step=6.0))
    view.resize(1000, 60)
    assert not view.page_button.isVisible()
    view.bridge.change(changes.choose_layout, SHIFT_LAYOUT)
    assert view.page_button.isVisible()
    for width in (1000, 700, 500):
        view.resize(width, 60)
        QApplication.processEvents()
        shown = [figure for figure in view.figures.values() if figure.isVisible()]
        assert max(figure.geometry().right() for figure in shown) < view.page_button.geometry().left()
        assert view.page_button.geometry().right() <= view.width()
    view.page_button.click()
    assert view._page is not None
    view._page.reject()
    view.bridge.change(changes.choose_layout, DEFAULT_LAYOUT)
    assert not view.page_button.isVisible()


def test_no_figure_lies_over_another_however_narrow_the_strip(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended(step=6.0))
    view.bridge.room.known.emit(212_000_000_000)
    for width in (932, 800, 700, 600, 500, 400):
        view.resize(width, 60)
        QApplication.processEvents()
        shown = [figure for figure in view.figures.values() if figure.isVisible()]
        assert {view.figures["STATE"], view.figures["CHANNELS"], view.figures["ERRORS"]} <= set(shown)
        for figure in shown:
            assert figure.value.width() >= figure.value.sizeHint().width()
            assert figure.geometry().right() <= view.width()
        edges = [(figure.geometry().left(), figure.geometry().right()) for figure in shown]
        assert all(right < left for (_, right), (left, _) in pairwise(edges))


def test_figures_have_their_places_as_soon_as_they_are_written(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended())
    view.resize(1480, view.height())
    view.redraw()
    view.figures["STATE"].show_value("▶ PROCESSING", "55 %, 12 min 34 s left")
    view._fit()
    shown = [figure for figure in view.figures.values() if figure.isVisible()]
    for one, other in pairwise(shown):
        assert one.geometry().right() < other.geometry().left()
        assert one.width() >= one.sizeHint().width()


def test_a_run_without_events_says_none(view: StripView) -> None:
    view.bridge.take(1, madeup.end(0))
    view.redraw()
    assert view.figures["EVENTS"].value.text() == "0"


def test_no_figure_jumps_while_another_counts(qtbot: QtBot, view: StripView) -> None:
    channels(qtbot, view, np.arange(2000) % 4)
    before = view.figures["RATE"].minimumWidth()
    view.figures["RATE"].show_value("1 Hz")
    view._fit()
    assert view.figures["RATE"].minimumWidth() == before


def spell(live_s: float, note: str = "28 of 29 pulses recorded") -> Spell:
    return Spell(10.0, live_s, 0.01, "pulser" if live_s > 0 else "", note)


def name(code: int) -> str:
    return f"channel {code}"


FEW, NO_TRAIN = "11 hits are too few for a fit; 50 are needed", "the hits do not come at random: alike"


@pytest.mark.parametrize(
    ("spells", "channel", "words"),
    [
        ([9.872], None, ("98.72 %", "by pulser", "", "soft")),
        ([8.3], None, ("83.00 %", "▲ low, by pulser", "", "warn")),
        ([8.995], None, ("89.95 %", "by pulser", "", "soft")),  # within the error
        ([9.9, 6.0, 9.8, 9.9, 9.9, 8.0], None, ("89.17 %", "▲ low, by pulser", "", "warn")),
        ([9.9, 8.0, 9.9, 9.9], None, ("94.25 %", "▲ channel 1 80 %", "", "warn")),
        ([9.9, 8.0, 7.0, 9.9, 9.9, 9.9], None, ("91.00 %", "▲ channel 2 70 % and 1 more", "", "warn")),
        ([9.9, 8.0, 9.9, 9.9], 0, ("99.00 %", "by pulser", "", "soft")),
        ([FEW], None, ("?", "11 hits are too few for a fit", "", "soft")),
        ([9.9, FEW], None, ("?", "not of channel 1: 11 hits are too few for a fit", "", "soft")),
        ([9.9, FEW, NO_TRAIN], 2, ("?", NO_TRAIN, "", "soft")),
        ([FEW, FEW], None, ("?", "not of any channel: 11 hits are too few for a fit", "", "soft")),
    ],
)
def test_the_part_of_the_time_that_was_live_is_told_with_how_it_was_found_or_why_not(
    spells: list[float | str], channel: int | None, words: tuple[str, str, str, str]
) -> None:
    found = {
        code: spell(math.nan, one) if isinstance(one, str) else spell(one) for code, one in enumerate(spells)
    }
    times = RunTimes(2, found, None, ("the library says why",))
    assert live_time_words(times, channel, name) == words
    tip = live_time_tip(times, channel, name)
    assert ("found by pulser" in tip) == (words[0] != "?")
    assert ("is not known" in tip) == ("A pulser would tell it" in tip) == (words[0] == "?")
    assert ("Less than 90 % is low" in tip) == (words[3] == "warn")


def test_under_the_mouse_stands_how_it_was_found_and_which_channels_are_low() -> None:
    assert "28 of 29 pulses recorded" in live_time_tip(RunTimes(2, {0: spell(9.9)}), None, name)
    low = live_time_tip(RunTimes(2, {0: spell(8.5), 1: spell(7.0), 2: spell(9.9)}), None, name)
    assert low.splitlines()[-2:] == ["channel 1: 70.00 %", "channel 0: 85.00 %"]


def test_a_live_time_that_is_low_is_to_be_looked_at(qtbot: QtBot, view: StripView) -> None:
    show(qtbot, view, ended())
    live = view.bridge.live(view.session.selected)
    assert live is not None
    live.times = RunTimes(6000, {code: spell(8.3) for code in live.channels})
    view.redraw()
    (check,) = (one for one in view.checks() if one.what == "live time")
    assert (check.value, check.allowed, check.verdict) == ("83.00 % low, by pulser", "90 % or more", "▲ look")
    live.times = RunTimes(6000, {code: spell(math.nan, FEW) for code in live.channels})
    view.redraw()
    (check,) = (one for one in view.checks() if one.what == "live time")
    assert (check.is_known, check.value) == (
        False,
        "not of any channel: 11 hits are too few for a fit",
    )


def test_a_low_live_time_is_named_with_its_card_where_there_are_several(
    qtbot: QtBot, view: StripView
) -> None:
    show(qtbot, view, ended())
    live = view.bridge.live(view.session.selected)
    assert live is not None
    codes = [code_at("0/5/0"), code_at("0/8/0")]
    live.channels = codes
    live.times = RunTimes(6000, dict(zip(codes, (spell(9.9), spell(8.3)), strict=True)))
    view.redraw()
    assert "card 8 channel 0" in view.figures["LIVE TIME"].toolTip()


def test_a_reason_that_is_told_of_many_channels_is_cut_between_two() -> None:
    reason = tuple(f"0/0/{channel}: 11 hits are too few for a fit of intervals" for channel in range(60))
    told, *_ = live_time_tip(RunTimes(2, {}, None, reason), None, name).splitlines()
    assert len(told) < 400
    assert told.endswith("too few for a fit of intervals; …")


def test_a_reason_on_the_check_list_names_no_channels() -> None:
    note = "pulser: no channel has a pulser (0/0/0, 0/0/1: too few); 0/0/0: timestamps: 12 hits are too few"
    assert first_reason(note) == "pulser: no channel has a pulser"
    assert first_reason("") == ""


def test_a_run_shows_its_live_time(qtbot: QtBot, bridge: Bridge) -> None:
    view = StripView(bridge)
    qtbot.addWidget(view)
    view.show()
    run = Run("1", Path("Run1"), 1)
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    times = np.sort(np.random.default_rng(1).uniform(0, 100, 5000))
    kept = times[np.concatenate([[True], np.diff(times) > 1e-3])]
    columns = {"time_s": kept, "channel": np.zeros(len(kept)), "trap_max": np.ones(len(kept))}
    bridge.take(1, Partial("decoder", columns))
    with qtbot.waitSignal(bridge.timing.known, timeout=30_000):
        view.redraw()
    view.redraw()
    figure = view.figures["LIVE TIME"]
    assert 90 < float(figure.value.text().removesuffix(" %")) < 99.9
    assert figure.remark.text() == "by time stamps"
    assert "dead time a hit" in figure.toolTip()


@pytest.mark.parametrize(("place", "unit"), [("0/0/0", "keV"), ("0/0/1", "ADC"), ("5/1/7", "ADC")])
def test_the_peak_is_told_in_energies_where_its_channel_has_some(
    qtbot: QtBot, view: StripView, place: str, unit: str
) -> None:
    for message in ended():
        run_id = view.bridge.take(1, message)
    view.bridge.change(changes.show_trends, replace(view.session.trends, channel=0))
    made = {place: ChannelCalibration(Curve((0.0, 0.07), np.zeros((2, 2))))}
    view.bridge.change(take_calibration, Calibration("trap_max", made_from=("Run1",), channels=made))
    view.bridge.change(changes.show_spectrum, replace(view.session.spectrum, column="trap_max_kev"))
    view.bridge.data_grew.emit({run_id})
    qtbot.waitUntil(lambda: "trap_max_kev" in view.bridge.data[run_id].columns, timeout=WAIT_MS)

    def told() -> str:
        view.redraw()
        return view._levels["position"][0].unit if "position" in view._levels else ""

    qtbot.waitUntil(lambda: told() == unit, timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([20468.7, 20468.7], "20\u202f468.7"),
        ([20460.0, 20468.0, 20476.0], "20\u202f468.0 ± "),
        ([8162.4], "8162.4"),
    ],
)
def test_a_baseline_is_grouped_and_has_a_scatter_where_events_tell_it(values: list[float], told: str) -> None:
    said, unit = mean_and_spread(np.array(values))
    assert said.startswith(told) and unit == "ADC"
    assert ("±" in said) == ("±" in told)


def test_a_run_that_failed_is_to_be_looked_at(
    bridge: Bridge, a_run: Callable[..., Run], qtbot: QtBot
) -> None:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    view = StripView(bridge)
    qtbot.addWidget(view)
    view.redraw()
    assert next(one for one in view.checks() if one.what == "state").is_ok is None
    bridge.take(1, Failed("it broke", ""))
    view.redraw()
    assert next(one for one in view.checks() if one.what == "state").is_ok is False


@pytest.mark.usefixtures("in_tokyo")
def test_when_a_run_was_done_is_told_in_utc_and_in_local_time_on_hover(view: StripView) -> None:
    run = view.session.selected_run
    assert run is not None
    view.bridge.restore_rows(run, (), 600, 1_537_871_000.0)
    view.redraw()
    figure = view.figures["STATE"]
    assert (figure.whole, figure.remark.text()) == ("✓ DONE", "on 2018-09-25 10:23 UTC")
    told = "✓ DONE on 2018-09-25 10:23 UTC\n2018-09-25 19:23:20 JST (local time)"
    assert figure.toolTip() == told
    assert "2018-09-25 19:23:20 JST (local time)" in view.figures["RUN"].toolTip()


def test_the_check_list_of_a_set_that_is_still_counted_says_so(
    qtbot: QtBot, view: StripView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view.bridge.data_sets, "how_far", lambda _run_id: "counted 3 of 9 rows")
    for message in (madeup.partial(60, n_waveforms=1), madeup.end(60)):
        view.bridge.take(1, message)
    view.redraw()
    unknown = {one.what: one.value for one in view.checks() if not one.is_known}
    told = "not all is counted yet: counted 3 of 9 rows"
    assert [unknown[name] for name in ("baseline", "peak width", "channels")] == [told] * 3


def test_the_check_list_says_what_is_not_known_and_why(qtbot: QtBot, view: StripView) -> None:
    partial = madeup.partial(60, n_waveforms=1)
    partial.columns["channel"] = np.arange(60)
    del partial.columns["time_s"]
    show_rows = [partial, madeup.end(60)]
    for message in show_rows:
        run_id = view.bridge.take(1, message)
    view.bridge.data_grew.emit({run_id})
    view.redraw()
    unknown = {one.what: one for one in view.checks() if not one.is_known}
    assert {"rate", "live time", "noise", "peak position", "peak width"} <= set(unknown)
    assert unknown["rate"].value == "the events carry no time"
    assert unknown["rate"].verdict == "? not known"
    assert [one.what for one in view.checks()][:5] == ["run", "state", "rate", "events", "live time"]
