"""Words that the library makes of numbers."""

import math

import pytest

from pygama.utils import group_ticks, grouped, grouped_text, number_text, plural, signed_text


def test_thousands_of_whole_numbers_stand_apart():
    assert grouped(1_103_211_008) == "1\u202f103\u202f211\u202f008"
    assert (grouped(9999), grouped(10_000), grouped(-10_000)) == ("9999", "10\u202f000", "-10\u202f000")
    assert plural(12_345, "record") == "12\u202f345 records"
    assert plural(1, "record") == "1 record"


def test_thousands_of_rounded_numbers_stand_apart_alike():
    assert (grouped(9999.94, 1), grouped(9999.96, 1)) == ("9999.9", "10\u202f000.0")
    assert (grouped(-0.04, 1), grouped(38_860.4)) == ("0.0", "38\u202f860")
    assert grouped(2**60 + 1) == "1\u202f152\u202f921\u202f504\u202f606\u202f846\u202f977"
    assert (grouped(math.nan, 1), grouped(math.inf)) == ("nan", "inf")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (38_860.52, 6, "38\u202f860.5"),
        (900.0, 6, "900"),
        (8670.25, 6, "8670.25"),
        (1_234_567.0, 6, "1\u202f234\u202f567"),
        (12_345.0, 3, "12\u202f345"),
        (-25.77, 3, "-25.8"),
        (0.0, 6, "0"),
        (math.nan, 6, "nan"),
    ],
)
def test_a_number_has_the_digits_that_count_and_no_exponent(value, digits, text):
    assert number_text(value, digits) == text


def test_a_sign_stands_before_a_number_in_any_case():
    assert [signed_text(value, 2) for value in (220.0, 0.031, -0.8)] == ["+220", "+0.031", "−0.8"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("9000", "9000"),
        ("60000", "60\u202f000"),
        ("-200000", "-200\u202f000"),
        ("−200000", "−200\u202f000"),
        ("12345.5", "12345.5"),
        ("10:30", "10:30"),
        ("nan", "nan"),
        ("", ""),
    ],
)
def test_whole_numbers_on_an_axis_are_grouped_with_the_sign_that_they_have(text, told):
    assert grouped_text(text) == told


def test_linear_axes_of_a_figure_are_grouped_and_logarithmic_ones_stay():
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    axes.set(xlim=(0, 60_000), yscale="log", ylim=(1, 1e6))
    group_ticks(axes)
    figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_xticklabels()][:3] == ["0", "10\u202f000", "20\u202f000"]
    assert any("10^" in label.get_text() for label in axes.get_yticklabels())
