"""Tells the channels of several cards apart: crate, card and channel as one whole number."""

from __future__ import annotations

CARD, CRATE = 1 << 10, 1 << 20
"""What the numbers of a card and a crate count in a code; the channel counts 1."""


def place_of(code: int) -> dict[str, int]:
    """Give the crate, the card and the channel of a code, by the names of their columns."""
    return {"crate": code // CRATE, "card": code % CRATE // CARD, "channel": code % CARD}


def code_at(place: str) -> int:
    """Give the code of a place 'crate/card/channel'."""
    crate, card, channel = map(int, place.split("/"))
    return CRATE * crate + CARD * card + channel
