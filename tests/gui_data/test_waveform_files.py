"""Tests what is written of a picture of waveforms."""

from __future__ import annotations

import csv
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pygama_gui.data.density import Density
from pygama_gui.data.waveform_files import Curve, Difference, Picture, csv_text, draw, save

X = np.array([0.0, 0.016, 0.032])
ABOUT = {"title": "Run 9001, event 19", "run": "9001", "chain": '[{"step": "trap_filter"}]'}


@pytest.fixture
def picture() -> Picture:
    return Picture(
        "time (µs)",
        "ADC counts",
        curves=(Curve("waveform", X, np.array([1.0, 2.0, 3.0])), Curve("other", X, X, is_behind=True)),
        columns=(
            ("sample", np.arange(3)),
            ("time_ns", 1000 * X),
            ("waveform", np.array([1.0, 2.5, np.nan])),
        ),
        about=ABOUT,
        levels=(("trap_max 2.5", 2.5),),
        instants=(("tp_50 0.016 µs", 0.016),),
    )


def test_a_table_has_what_it_is_of_then_its_rows(picture: Picture) -> None:
    lines = csv_text(picture).splitlines()
    assert lines[:3] == [
        "# title: Run 9001, event 19",
        "# run: 9001",
        '# chain: [{"step": "trap_filter"}]',
    ]
    assert lines[3:5] == ["# marked: trap_max 2.5 at 2.5", "# marked: tp_50 0.016 µs at 0.016"]
    assert lines[5:] == ["sample,time_ns,waveform", "0,0,1", "1,16,2.5", "2,32,nan"]


def test_names_with_commas_stay_one_name() -> None:
    picture = Picture("x", "y", columns=(('a, "b"', np.array([1])),))
    assert next(csv.reader([csv_text(picture).splitlines()[0]])) == ['a, "b"']


def test_curves_have_the_colours_that_are_given_and_levels_their_points(picture: Picture) -> None:
    curve = replace(picture.curves[0], color="#123456")
    (axes,) = draw(replace(picture, curves=(curve,), points=((0.016, 2.5),))).axes
    assert axes.lines[0].get_color() == "#123456"
    (point,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert (list(point.get_xdata()), list(point.get_ydata())) == ([0.016], [2.5])


def test_a_png_carries_what_it_is_of(picture: Picture, tmp_path: Path) -> None:
    save(picture, tmp_path / "wave.png")
    texts = texts_of((tmp_path / "wave.png").read_bytes())
    assert texts["Title"] == ABOUT["title"]
    assert "trap_filter" in texts["Description"]
    assert texts["Software"].startswith("pygama ")
    assert [path.name for path in tmp_path.iterdir()] == ["wave.png"]


def test_an_svg_keeps_its_words_as_words(picture: Picture, tmp_path: Path) -> None:
    save(picture, tmp_path / "wave.svg")
    text = (tmp_path / "wave.svg").read_text(encoding="utf-8")
    assert "Run 9001, event 19" in text
    assert "trap_filter" in text
    assert "tp_50 0.016 µs" in text


def test_cursors_are_drawn_with_what_lies_between_them(picture: Picture) -> None:
    told = "A 0.000 µs: 1 ADC, B 0.032 µs: 3 ADC, Δt 32 ns, 2 samples"
    figure = draw(replace(picture, cursors=(("A", 0.0), ("B", 0.032)), about=ABOUT | {"cursors": told}))
    (axes,) = figure.axes
    assert {"A", "B"} <= {text.get_text() for text in axes.texts}
    assert {0.0, 0.032} <= {line.get_xdata()[0] for line in axes.lines if line.get_color() == "black"}
    assert figure.get_supxlabel() == told.replace(", Δt", "\nΔt")


def test_a_single_curve_behind_is_named_and_many_are_not(picture: Picture) -> None:
    def names(of: Picture) -> list[str]:
        return draw(of).axes[0].get_legend_handles_labels()[1]

    assert names(picture) == ["other", "waveform"]
    many = replace(picture, curves=(*picture.curves, Curve("third", X, X, is_behind=True)))
    assert names(many) == ["waveform"]


def test_a_density_is_drawn(tmp_path: Path) -> None:
    density = Density(np.eye(5, dtype=int) * 3, (-0.5, 4.5), (0.0, 1.0), 3)
    save(Picture("time (µs)", "ADC counts", density=density, x_per_sample=0.016), tmp_path / "d.png")
    assert (tmp_path / "d.png").stat().st_size > 1000


def test_a_folder_that_is_not_there_is_an_error_and_leaves_nothing(picture: Picture, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="wave"):
        save(picture, tmp_path / "nowhere" / "wave.csv")


def texts_of(png: bytes) -> dict[str, str]:
    """Read the texts of a PNG file, in its three kinds of chunks for them."""
    texts, at = {}, 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data = png[at + 8 : at + 8 + length]
        at += 12 + length
        name, _, rest = data.partition(b"\0")
        if kind == b"tEXt":
            texts[name.decode()] = rest.decode("latin-1")
        elif kind == b"zTXt":
            texts[name.decode()] = zlib.decompress(rest[1:]).decode("latin-1")
        elif kind == b"iTXt":
            texts[name.decode()] = rest[2:].split(b"\0", 2)[2].decode()
    return texts


def test_a_difference_has_its_colours_and_a_bar_that_says_what_they_are() -> None:
    values = np.array([[0.0, -40.0], [10.0, 0.0]])
    difference = Difference(
        values, (-0.5, 1.5), (0.0, 2.0), ("#ff0000", "#0000ff"), "inside less outside (%)"
    )
    axes, bar = draw(Picture("x", "y", difference=difference, x_per_sample=2.0)).axes
    (image,) = axes.images
    assert image.get_extent() == [-1.0, 3.0, 0.0, 2.0]
    assert bar.get_ylabel() == "inside less outside (%)"
    none, most, quarter = image.to_rgba(np.array([0.0, -40.0, 10.0]), bytes=True)
    assert none[:3].tolist() == [255, 255, 255]
    assert most[:3].tolist() == [255, 0, 0]
    assert quarter[:3] == pytest.approx([127, 127, 255], abs=2)  # of a quarter, half the colour
