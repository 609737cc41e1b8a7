"""Writes the channels as a table and as a picture."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pygama.storage.how_made import how_made
from pygama_gui.data.channel_pictures import ChannelPicture, Tile, csv_text, draw, save
from pygama_gui.data.health import N_BINS, Figures, Health, Peak

GOOD = Tile(
    "GE01",
    Figures(1, 100, 2.5, 0.25, counts=np.arange(N_BINS)),
    Health("ok"),
    Peak(3.0, 0.1),
    "2.5 Hz",
    "keV",
)
DEAD = Tile("GE, 02", Figures(2), Health("dead", "no events"), Peak())


def picture_of(n: int) -> ChannelPicture:
    tiles = tuple([GOOD] * (n - 1) + [DEAD])
    return ChannelPicture(
        tiles, np.linspace(0, 10, N_BINS + 1), "trap_max (ADC)", True, {"title": "Run 1"}, {"view": 1}
    )


def test_each_channel_is_a_row_and_what_is_not_known_is_empty() -> None:
    first, last = csv.DictReader(csv_text(picture_of(2)).splitlines()[1:])
    assert (first["channel"], first["events"], first["rate_hz"], first["fwhm"]) == ("GE01", "100", "2.5", "3")
    assert (last["channel"], last["state"], last["why"], last["rate_hz"]) == (
        "GE, 02",
        "dead",
        "no events",
        "",
    )


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_each_channel_has_a_tile_with_its_state(n: int) -> None:
    figure = draw(picture_of(n))
    seen = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in seen] == ["GE01  ✓ ok"] * (n - 1) + ["GE, 02  ✕ dead"]
    assert {axes.get_yscale() for axes in seen} == {"log"}


@pytest.mark.parametrize("is_log", [True, False])
def test_no_count_is_drawn_behind_the_words(*, is_log: bool) -> None:
    tile = replace(GOOD, words="35.1 ± 0.6 Hz\nbl 8011.2 ± 1.6 ADC\nFWHM 57 ± 2 ADC (Tl-208)")
    figure = draw(replace(picture_of(3), tiles=(tile,) * 3, is_log=is_log))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    (words,) = axes.texts
    top = axes.transData.transform((0.0, GOOD.figures.counts.max()))[1]
    assert top < words.get_window_extent().y0


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_picture_says_how_it_was_made(tmp_path: Path, kind: str) -> None:
    save(picture_of(3), tmp_path / f"one.{kind}")
    assert how_made(tmp_path / f"one.{kind}") == {"view": 1}
