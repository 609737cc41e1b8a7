"""Writes trends as a table and as a picture."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pygama.storage.how_made import how_made
from pygama_gui.data.moves import Band
from pygama_gui.data.slices import Series
from pygama_gui.data.trend_pictures import LINE, Panel, TrendPicture, csv_text, draw, save

TIMES = np.array([30.0, 90.0, 150.0])
RATE = Series(
    "rate",
    "rate",
    "Hz",
    TIMES,
    np.full(3, 30.0),
    np.array([10.0, 99.0, np.nan]),
    np.array([1.0, 2.0, np.nan]),
)
BAND = Band(10.0, 5.0, 4.0, 3)
PICTURE = TrendPicture(
    (Panel("rate", "Hz", (("channel 0", RATE),), (BAND,), "rate steady", (0.0, 120.0)),) * 2,
    start=86_400.0,
    x_range=(0.0, 180.0),
    window=(60.0, 120.0),
    about={"title": "Run 1, trends"},
    made={"view": 1},
)


def test_each_value_is_a_row_that_tells_whether_it_is_outside() -> None:
    rows = list(csv.DictReader(csv_text(PICTURE).splitlines()[1:]))
    assert len(rows) == 6
    told = [(row["time_s"], row["value"], row["error"], row["outside"]) for row in rows[:3]]
    assert told == [("30", "10", "1", "no"), ("90", "99", "2", "yes"), ("150", "nan", "nan", "no")]


def test_the_axis_is_the_time_of_day_where_it_is_known() -> None:
    figure = draw(PICTURE)
    figure.draw_without_rendering()
    assert figure.axes[-1].get_xlabel() == "UTC, 1970-01-02"
    assert figure.axes[-1].get_xlim() == pytest.approx((1.0, 1.0 + 180 / 86_400))
    assert "00:01:00" in [tick.get_text() for tick in figure.axes[-1].get_xticklabels()]
    assert figure.axes[0].get_ylim() == (0.0, 120.0)


def test_the_day_is_that_of_the_first_event_and_not_of_the_margin_before_it() -> None:
    figure = draw(replace(PICTURE, x_range=(-3.0, 180.0)))
    assert figure.axes[-1].get_xlabel() == "UTC, 1970-01-02"


def test_what_is_said_of_a_trend_goes_on_in_another_line() -> None:
    words = " · ".join(["gain steady, median 38 005.6 ± 1.0 ADC, band 38 006 ± 17 ADC"] * 3)
    figure = draw(replace(PICTURE, panels=(replace(PICTURE.panels[0], words=words),)))
    lines = figure.axes[0].get_title(loc="left").split("\n")
    assert " ".join(lines) == f"rate: {words}"
    assert max(map(len, lines)) <= LINE < len(words)


def test_without_a_start_the_axis_is_the_clock_of_the_run() -> None:
    figure = draw(TrendPicture(PICTURE.panels, None, (0.0, 180.0)))
    assert (figure.axes[-1].get_xlabel(), figure.axes[-1].get_xlim()) == ("run clock (s)", (0.0, 180.0))


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_picture_says_how_it_was_made(tmp_path: Path, kind: str) -> None:
    save(PICTURE, tmp_path / f"one.{kind}")
    assert how_made(tmp_path / f"one.{kind}") == {"view": 1}
