"""Writes spectra as pictures, tables and files of other programs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pygama.storage.how_made import how_made
from pygama.storage.spectrum_files import read_spectrum
from pygama_gui.data.spectrum_pictures import (
    Below,
    FitCurve,
    Histogram,
    Region,
    SpectrumPicture,
    csv_text,
    draw,
    save,
)

EDGES = np.arange(5.0) * 2
PICTURE = SpectrumPicture(
    EDGES,
    Histogram("Run 1", np.array([1, 0, 7, 3])),
    "trap_max_kev",
    "keV",
    "trap_max_kev (keV)",
    "counts / 2 keV",
    others=(Histogram("Run 2 × 1.5", np.array([2, 4, 0, 0]), factor=1.5),),
    x_range=(0.0, 8.0),
    y_range=(0.0, 10.0),
    real_time_s=60.0,
    about={"title": "Run 1, trap_max_kev", "cut good": "bl_rms < 5"},
    made={"view": {"a": 1}},
)


def test_the_table_has_a_column_of_whole_counts_for_each_histogram() -> None:
    lines = csv_text(PICTURE).splitlines()
    assert "# cut good: bl_rms < 5" in lines
    assert "# Run 2 × 1.5, drawn times: 1.5" in lines
    rows = [line for line in lines if not line.startswith("#")]
    assert rows[0] == "low_keV,high_keV,counts,counts of Run 2 × 1.5"
    assert rows[1:] == ["0.0,2.0,1,2", "2.0,4.0,0,4", "4.0,6.0,7,0", "6.0,8.0,3,0"]


@pytest.mark.parametrize("suffix", [".spe", ".csv"])
def test_a_spectrum_alone_is_read_again_with_its_energies(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"one{suffix}"
    save(replace(PICTURE, others=()), path)
    read = read_spectrum(path)
    assert read.counts.tolist() == [1, 0, 7, 3]
    assert (read.low, read.width, read.unit) == (0.0, 2.0, "keV")
    assert read.real_time_s == 60.0


def test_a_live_time_is_never_made_up(tmp_path: Path) -> None:
    save(replace(PICTURE, real_time_s=math.nan), tmp_path / "one.spe")
    assert "$MEAS_TIM" not in (tmp_path / "one.spe").read_text()
    save(PICTURE, tmp_path / "one.n42")
    assert "the live time is not known" in (tmp_path / "one.n42").read_text()


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_picture_says_how_it_was_made_and_leaves_nothing_else(tmp_path: Path, kind: str) -> None:
    save(PICTURE, tmp_path / f"one.{kind}")
    assert how_made(tmp_path / f"one.{kind}") == {"view": {"a": 1}}
    assert [path.name for path in tmp_path.iterdir()] == [f"one.{kind}"]


def test_the_picture_has_the_axes_names_and_words_that_are_on_screen() -> None:
    curve = np.array([0.0, 8.0]), np.array([1.0, 1.0])
    figure = draw(
        replace(
            PICTURE,
            is_log=True,
            y_range=(0.5, 100.0),
            fits=(FitCurve(*curve, curve, ((5.0, 7.0, "5.0 keV"),), is_chosen=True),),
            regions=(Region(1.0, 2.0, "gross 1"),),
            marks=((7.0, "here"),),
            below=Below(EDGES, np.array([0.1, np.nan, 1.0, 0.0]), np.ones(4), 0.0, "pull (σ)"),
        )
    )
    top, below = figure.axes
    assert (top.get_yscale(), top.get_xlim(), top.get_ylim()) == ("log", (0.0, 8.0), (0.5, 100.0))
    assert (top.get_ylabel(), below.get_xlabel()) == ("counts / 2 keV", "trap_max_kev (keV)")
    assert below.get_ylabel() == "pull (σ)"
    assert [text.get_text() for text in top.get_legend().get_texts()] == ["Run 1", "Run 2 × 1.5"]
    assert [text.get_text() for text in top.texts] == ["5.0 keV", "gross 1", "here"]


def test_words_that_would_lie_over_others_are_left_out() -> None:
    tops = tuple((5.0 + at / 100, 7.0, f"peak {at} keV") for at in range(9))
    x = np.array([0.0, 8.0])
    figure = draw(replace(PICTURE, fits=(FitCurve(x, x, (x, x), tops),)))
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert 0 < len(boxes) < len(tops)
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])
