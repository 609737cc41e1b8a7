import numpy as np
import pytest

from pygama.analysis.places import card_of, places_of
from pygama.errors import SettingsError


def test_places_are_named_and_numbered_in_order():
    columns = {"crate": [0, 0, 1, 0], "card": [9, 8, 2, 9], "channel": [1, 5, 0, 1]}
    number, names = places_of(columns, "this")
    assert names == ("0/8/5", "0/9/1", "1/2/0")
    assert number.tolist() == [1, 0, 2, 1]


def test_levels_that_are_not_given_count_as_0():
    assert places_of({"channel": [3, 1]}, "this")[1] == ("0/0/1", "0/0/3")


def test_numbers_far_apart_are_told_apart_too():
    columns = {"card": [0, 5_000_000, 0], "channel": [7, 7, 9_000_000]}
    number, names = places_of(columns, "this")
    assert names == ("0/0/7", "0/0/9000000", "0/5000000/7")
    assert number.tolist() == [0, 2, 1]


def test_no_rows_have_no_places():
    number, names = places_of({"channel": np.zeros(0, int)}, "this")
    assert (len(number), names) == (0, ())


def test_channels_are_needed():
    with pytest.raises(SettingsError, match="this needs the column 'channel'"):
        places_of({"card": [1]}, "this")


def test_a_card_is_a_place_without_its_channel():
    assert card_of("0/8/5") == "0/8"
