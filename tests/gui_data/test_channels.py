"""Tests how channels of several cards are told apart and named."""

from __future__ import annotations

import numpy as np
import pytest

from pygama_gui.data.channels import codes_of, names_of, short_name


def test_the_same_channel_of_two_cards_has_two_codes():
    codes = codes_of({"crate": [0, 0], "card": [8, 9], "channel": [3, 3]})
    assert codes is not None
    assert len(set(codes.tolist())) == 2


def test_channels_of_one_card_are_named_by_their_number():
    codes = codes_of({"crate": [0, 0], "card": [8, 8], "channel": [0, 3]})
    assert names_of(codes) == ["channel 0", "channel 3"]


def test_channels_of_several_cards_are_named_with_their_card():
    codes = codes_of({"crate": [0, 0], "card": [8, 9], "channel": [3, 3]})
    assert names_of(codes) == ["card 8 channel 3", "card 9 channel 3"]


def test_channels_of_several_crates_are_named_in_full():
    codes = codes_of({"crate": [0, 1], "card": [8, 8], "channel": [3, 3]})
    assert names_of(codes) == ["crate 0 card 8 channel 3", "crate 1 card 8 channel 3"]


def test_a_row_without_a_channel_has_no_code():
    codes = codes_of({"channel": np.array([2.0, np.nan])})
    assert codes is not None
    assert codes.tolist() == [2, -1]


def test_columns_without_channels_have_no_codes():
    assert codes_of({"time_s": [1.0]}) is None


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("crate 1 card 0 channel 2", "1/0/2"),
        ("card 5 channel 12", "5/12"),
        ("channel 3", "3"),
        ("P42574A", "P42574A"),
    ],
)
def test_a_place_is_written_shortly_where_there_is_no_room(name: str, short: str) -> None:
    assert short_name(name) == short
