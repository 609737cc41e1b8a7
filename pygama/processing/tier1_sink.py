"""Writes decoded rows, garbage, damaged records and card parameters into a Tier 1 file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.decoders import DECODERS
from pygama.decoders.base import Damaged
from pygama.orca.header import Card, Header
from pygama.processing.windows import Cut
from pygama.storage import TierWriter

_MAX_CARD_COLUMNS = 1000


class Tier1Sink:
    """Takes the rows of a run stretch by stretch.

    While the run is read, each shape of a decoder's rows has a table of its own; at the end the most frequent
    shape becomes `<decoder>`, the others stay `<decoder>_<n>`.
    """

    def __init__(self, writer: TierWriter) -> None:
        self._writer = writer
        self._rows: dict[str, Counter[tuple[int, ...]]] = {}
        self._cards: dict[str, list[Card]] = {}
        self.damaged: Counter[tuple[str, str]] = Counter()
        """(decoder, reason) -> records."""

    def take(self, decoder: str, cut: Cut, damaged: Damaged) -> None:
        """Write what a decoder made of a stretch."""
        self._take_blocks(decoder, cut.blocks)
        self._take_blocks(decoder + "_Garbage", cut.garbage)
        if len(damaged):
            self._take_damaged(decoder, damaged)

    def _take_blocks(self, key: str, blocks: Mapping[tuple[int, ...], Block]) -> None:
        for shape, block in blocks.items():
            if len(block):
                self._rows.setdefault(key, Counter())[shape] += len(block)
                self._writer.write(_working_key(key, shape), block)

    def _take_damaged(self, decoder: str, damaged: Damaged) -> None:
        self.damaged.update((decoder, reason) for reason in damaged.reason)
        rows = np.empty(
            len(damaged), [("event_number", "i8"), ("offset", "i8"), ("n_bytes", "i8"), ("reason", "S96")]
        )
        rows["event_number"], rows["offset"] = damaged.number, damaged.offset
        rows["n_bytes"] = damaged.n_bytes
        rows["reason"] = [reason.encode() for reason in damaged.reason]
        key = decoder + "_Damaged"
        self._writer.write(key, Block(key, rows))
        self._writer.write_ragged(key, "raw", damaged.raw)

    def meet(self, header: Header, decoders: Iterable[str]) -> None:
        """Take note of the cards of these decoders; of a card that came before, nothing is changed."""
        for decoder in decoders:
            groups = (kind.group for kind in header.record_types if kind.decoder == decoder)
            for name in dict.fromkeys((*DECODERS[decoder].card_classes, *groups)):
                known = self._cards.setdefault(name, [])
                known += [card for card in header.cards_of(name) if not _is_among(card, known)]

    def finish(self) -> None:
        """Name the tables and add the parameters of the cards."""
        for decoder, shapes in self._rows.items():
            for old, new in _final_keys(decoder, shapes).items():
                if old != new:
                    self._writer.rename(old, new)
        for class_name, cards in self._cards.items():
            if cards:
                self._writer.write(class_name, Block(class_name, card_table(cards)))


def _is_among(card: Card, known: Sequence[Card]) -> bool:
    """Whether a card is known: by its place, or by all of its parameters where it is outside of crates."""
    if card.crate < 0:
        return card in known
    return (card.crate, card.card) in {(other.crate, other.card) for other in known}


def _working_key(decoder: str, shape: tuple[int, ...]) -> str:
    return f"{decoder}_" + "_".join(str(length) for length in shape)


def _final_keys(decoder: str, shapes: Counter[tuple[int, ...]]) -> dict[str, str]:
    """Name the tables of a decoder's shapes; of equally frequent ones the first seen counts as the first."""
    names: dict[str, str] = {}
    for shape, _ in shapes.most_common():
        working = _working_key(decoder, shape)
        for name in (decoder, f"{decoder}_{shape[0]}", working):
            if name not in names.values():
                names[working] = name
                break
    return names


def card_table(cards: Sequence[Card]) -> np.ndarray:
    """Lay the parameters of cards of one class side by side: lists become numbered columns, (n_cards,).

    What has no plain form (dicts, mixed or nested lists) is kept as JSON text; parameters that a card lacks
    are NaN or empty.
    """
    spread = [_spread(card.parameters) for card in cards]
    if len({name for row in spread for name in row}) > _MAX_CARD_COLUMNS:
        spread = [{name: _plain(value) for name, value in card.parameters.items()} for card in cards]
    columns: dict[str, np.ndarray] = {
        "Crate": np.array([card.crate for card in cards]),
        "Card": np.array([card.card for card in cards]),
    }
    for name in dict.fromkeys(name for row in spread for name in row):
        columns.setdefault(name, _column([row.get(name) for row in spread]))
    table = np.empty(len(cards), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        table[name] = values
    return table


def _spread(parameters: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in sorted(parameters):
        value = parameters[name]
        if name == "Card":
            continue
        if isinstance(value, list) and value and all(isinstance(part, bool | int | float) for part in value):
            row.update({f"{name}_{place}": part for place, part in enumerate(value)})
        else:
            row[name] = _plain(value)
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, sort_keys=True, default=str)


def _column(values: list[Any]) -> np.ndarray:
    """Make one column: text as soon as one value is text, floats where a value is missing or too large."""
    if any(isinstance(value, str) for value in values):
        texts = ["" if value is None else str(value) for value in values]
        return np.array(
            [text.encode() for text in texts], dtype=f"S{max(len(t.encode()) for t in texts) or 1}"
        )
    fits = all(value is not None and not isinstance(value, float) and abs(value) < 2**63 for value in values)
    if fits:
        return np.array([int(value) for value in values], dtype=np.int64)
    return np.array([np.nan if value is None else float(value) for value in values])
