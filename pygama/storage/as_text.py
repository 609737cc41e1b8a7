"""Writes values that came out of somebody else's file as text, however large or deep or odd they are.

A few bytes of pickle can stand for a list that would fill the memory when written out, so there is a limit
to the length, and nothing that the file made is asked to describe itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from pygama.storage.safe import items_of

MOST_TEXT = 4_000_000
"""Characters of a text; run headers have some 100 000."""
MOST_WRITTEN = 4_000
"""Characters of lists and the like."""
DEEPEST = 8
CUT = "…"

_BIG = 10**300


def as_text(value: Any, most: int = MOST_WRITTEN) -> str:
    """Write a value: text as it is, lists and dicts as Python does, up to about `most` characters."""
    if isinstance(value, str):
        return _cut(str(value), MOST_TEXT)
    if isinstance(value, bytes):
        return _cut(bytes(value[:MOST_TEXT]).decode("utf-8", "replace"), MOST_TEXT)
    written: list[str] = []
    room = most
    for piece in _pieces(value, 0):
        if len(piece) > room:
            return "".join([*written, piece[:room], CUT])
        written.append(piece)
        room -= len(piece)
    return "".join(written)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + CUT


def _pieces(value: Any, depth: int) -> Iterator[str]:
    found = items_of(value)
    if found is not None:
        value = found[0]
    if isinstance(value, np.ndarray):
        value = _listed(value)
    if depth > DEEPEST:
        yield CUT
    elif isinstance(value, dict):
        yield from _row("{", (_entry(pair, depth) for pair in value.items()), "}")
    elif isinstance(value, list):
        yield from _row("[", (_pieces(item, depth + 1) for item in value), "]")
    elif isinstance(value, tuple):
        yield from _row("(", (_pieces(item, depth + 1) for item in value), ",)" if len(value) == 1 else ")")
    else:
        yield _single(value)


def _listed(value: np.ndarray) -> Any:
    """Give as many values of an array as could be written."""
    if not value.ndim:
        return value[()]
    return value[:MOST_WRITTEN].tolist() if value.ndim == 1 else list(value[:MOST_WRITTEN])


def _entry(pair: tuple[Any, Any], depth: int) -> Iterator[str]:
    yield from _pieces(pair[0], depth + 1)
    yield ": "
    yield from _pieces(pair[1], depth + 1)


def _row(begin: str, items: Iterable[Iterator[str]], end: str) -> Iterator[str]:
    yield begin
    for number, pieces in enumerate(items):
        if number:
            yield ", "
        yield from pieces
    yield end


def _single(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bytes):
        return repr(value[:MOST_WRITTEN])
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < _BIG else f"a number of {value.bit_length()} bits"
    if isinstance(value, float | complex):
        return repr(value)
    return f"({type(value).__name__})"
