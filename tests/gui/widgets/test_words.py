"""Tests how numbers are written and read."""

from __future__ import annotations

import math

import pytest
from PyQt5.QtGui import QTextLayout

from pygama_gui.widgets import words


def test_thousands_are_grouped() -> None:
    assert words.count(1_234_567) == "1\u202f234\u202f567"


@pytest.mark.usefixtures("qapp")
def test_no_line_is_broken_within_a_number() -> None:
    layout = QTextLayout(f"pieces of {words.count(1_234_567)} rows")
    layout.beginLayout()
    lines = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(1.0)
        lines.append(layout.text()[line.textStart() :][: line.textLength()].strip())
    layout.endLayout()
    assert lines == ["pieces", "of", words.count(1_234_567), "rows"]


def test_a_number_is_read_as_it_is_written() -> None:
    assert words.number(" 1\u202f234,5 ") == 1234.5


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(None, "—"), (1, "1 byte"), (12, "12 bytes"), (3_746_840, "3.75 MB"), (2_010_030_000, "2.01 GB")],
)
def test_sizes_are_in_peoples_units(n_bytes: float | None, text: str) -> None:
    assert words.size(n_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0.4 s"), (42, "42 s"), (95, "1 min 35 s"), (7260, "2 h 1 min"), (math.inf, "—")],
)
def test_times_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [(8162.43, 0.52, "8162.4 ± 0.5"), (48.0, 8.0, "48 ± 8"), (226.2, 14.1, "226 ± 14"), (5.0, 0.0, "5")],
)
def test_the_error_says_how_many_digits_count(value: float, error: float, text: str) -> None:
    assert words.with_error(value, error) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (38461.25, "38\u202f461.2"),
        (37290.0, "37\u202f290"),
        (2614.511, "2614.51"),
        (1234567.8, "1\u202f234\u202f568"),
        (-0.25, "−0.25"),
    ],
)
def test_a_place_without_an_error_is_grouped_like_one_with(value: float, text: str) -> None:
    assert words.with_error(value, 0.0) == text


def test_samples_become_time_where_the_period_is_known() -> None:
    assert words.time_of(400, 16.0) == "6.4 µs"
    assert words.time_of(400, None) == ""


def test_a_young_file_that_is_followed_is_said_to_grow_first() -> None:
    assert words.waiting_for("events", follows=False) == "Waiting for the first events…"
    assert "Following the file" in words.waiting_for("events", follows=True)


@pytest.mark.parametrize(
    ("value", "uneven", "text"),
    [
        (36.2, (5.7, 6.3), "36 ± 6"),
        (3.152, (0.51, 0.72), "3.2 +0.7 −0.5"),
        (53.69, (8.4, 8.9), "54 ± 9"),
        (53.69, (8.4, 9.6), "54 +10 −8"),
        (-0.0123, (0.0015, 0.004), "−0.0123 +0.0040 −0.0015"),
        (1.28, None, "1.3 ± 0.6"),
        (0.0, (0.0, 0.3), "0.0 +0.3 −0.0"),
    ],
)
def test_errors_that_differ_are_said_upwards_and_downwards(
    value: float, uneven: tuple[float, float] | None, text: str
) -> None:
    assert words.with_errors(value, 0.6, uneven) == text


@pytest.mark.parametrize("typed", ["4 us", "4 µs", "4 μs", " 4   us "])  # noqa: RUF001  (Greek and micro)
def test_a_time_is_shown_with_its_sign_and_stored_in_letters(typed: str) -> None:
    assert words.as_stored(typed) == "4 us"
    assert words.shown(words.as_stored(typed)) == "4 µs"


@pytest.mark.parametrize("text", ["bonus", "4 ns", "us", "wf_us"])
def test_what_is_no_time_is_shown_as_it_is(text: str) -> None:
    assert words.shown(text) == words.as_stored(text) == text


def test_a_number_and_its_unit_stay_on_one_line() -> None:
    told = words.together("Reaches 10 and 99 % of it, 400 samples or 4 µs later; 5 more, 3 stages")
    assert told == "Reaches 10 and 99\u202f% of it, 400\u202fsamples or 4\u202fµs later; 5 more, 3 stages"
    assert words.together("17.5 MB on disk, 1 byte") == "17.5\u202fMB on disk, 1\u202fbyte"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("8162.4 ± 0.5 ADC", "8162.4 ADC"),
        ("37\u202f290.2 ± 1\u202f603.1 ADC", "37\u202f290.2 ADC"),
        ("▲ 245.2 ± 1.3 Hz", "▲ 245.2 Hz"),
        ("FWHM 3.51 ± 0.12 keV", "FWHM 3.51 keV"),
        ("1 234", "1 234"),
        ("—", "—"),
    ],
)
def test_an_error_is_left_out_with_its_sign_alone(text: str, rest: str) -> None:
    assert words.without_error(text) == rest


def test_a_value_that_rounds_to_zero_has_no_sign() -> None:
    assert words.with_error(-0.04, 0.2) == "0.0 ± 0.2"
    assert words.level(-0.01) == "0.0"


def test_a_number_is_not_parted_from_its_error_and_its_unit() -> None:
    assert words.together("offset 0.03 ± 0.02 keV, χ²") == "offset 0.03\u202f±\u202f0.02\u202fkeV, χ²"
