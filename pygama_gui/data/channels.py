"""Tells the channels of several cards apart: crate, card and channel as one whole number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pygama.channel_map import Channel
from pygama_gui.session.codes import CARD, CRATE, place_of

CODE = "_channel"
"""Name of the column of codes among those of a run; never shown."""
CLOCK = "_clock"
"""Name of the column of times of data taking, s, that go on from run to run of a data set; never shown."""

_PLACE = re.compile(r"(?:crate (\d+) )?(?:card (\d+) )?channel (\d+)")


def codes_of(columns: Mapping[str, Any]) -> np.ndarray | None:
    """Give the code of each row, (n_rows,) int64, -1 where a row has no channel; None without channels."""
    if "channel" not in columns:
        return None
    channel = np.asarray(columns["channel"], np.float64)
    code = np.zeros(channel.shape)
    for name, weight in (("crate", CRATE), ("card", CARD)):
        if name in columns:
            code += weight * np.nan_to_num(np.asarray(columns[name], np.float64))
    return np.where(np.isfinite(channel), code + np.nan_to_num(channel), -1).astype(np.int64)


def code_of(channel: Channel) -> int:
    """Give the code of a channel of a map."""
    return CRATE * channel.crate + CARD * channel.card + channel.channel


def card_of(code: int) -> int:
    """Give the code of channel 0 of the card that a channel is on."""
    return code - code % CARD


def names_of(codes: Iterable[int], detectors: Iterable[Channel] = ()) -> list[str]:
    """Name channels by their detectors, others as shortly as tells them apart.

    'channel 3', or 'card 8 channel 3' of several cards.
    """
    codes = list(codes)
    known = {code_of(one): one.name for one in detectors}
    return [known.get(code, place) for code, place in zip(codes, _places_of(codes), strict=True)]


def short_name(name: str) -> str:
    """Write the place of a channel shortly: '1/0/2' for 'crate 1 card 0 channel 2'; detectors as they are."""
    numbers = _PLACE.fullmatch(name)
    return "/".join(number for number in numbers.groups() if number) if numbers else name


def without_ignored(codes: Iterable[int], detectors: Iterable[Channel]) -> list[int]:
    """Leave out the channels that the map says to ignore."""
    ignored = {code_of(one) for one in detectors if one.ignore}
    return [code for code in codes if code not in ignored]


def _places_of(codes: list[int]) -> list[str]:
    places = [tuple(place_of(code).values()) for code in codes]
    has_crates = len({crate for crate, _, _ in places}) > 1
    has_cards = has_crates or len({card for _, card, _ in places}) > 1
    return [
        (f"crate {crate} " if has_crates else "")
        + (f"card {card} " if has_cards else "")
        + f"channel {channel}"
        for crate, card, channel in places
    ]
