"""Says in a sentence which record ended a worker, from the words at its head alone.

No decoder runs on the record: it is the one thing that must not be worked on again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pygama.decoders import DECODERS
from pygama.decoders.base import Bits
from pygama.errors import PygamaError
from pygama.orca.header import HEAD_BYTES, HeaderExtent, record_key
from pygama.orca.packets import read_header
from pygama.utils import grouped
from pygama_gui.jobs.board import counted
from pygama_gui.jobs.culprit import Culprit, find_culprit, open_raw
from pygama_gui.jobs.runner import exit_sentence
from pygama_gui.jobs.spec import JobSpec

NO_CULPRIT = (
    "the worker ended, but no single record ends one by itself; perhaps memory ran out or somebody ended it. "
    "Start it again, or save a crash bundle to have it looked at."
)
_PLACE = ("crate", "card", "channel")
_LENGTH = 0x3FFFF
_N_WORDS = 16
"""Words of a record that are looked at; the place of a card stands within them."""


class FoundRecord(NamedTuple):
    """What a search came to: the record, if there is one, and a sentence."""

    culprit: Culprit | None
    text: str


def search(
    spec: JobSpec,
    after: int,
    is_stopped: Callable[[], bool],
    tell_left: Callable[[int], None],
    target: str,
) -> FoundRecord | None:
    """Search the record that ends a worker and say what was found; None where the search was stopped.

    tell_left: told how many records it may still be. Takes seconds: call it from a thread. Raises
    RawFileError where the file cannot be read.
    """
    culprit = find_culprit(spec, after, is_stopped=is_stopped, tell_left=tell_left, target=target)
    if is_stopped():
        return None
    if culprit is None:
        return FoundRecord(None, NO_CULPRIT)
    return FoundRecord(culprit, culprit_sentence(spec.path, culprit))


def culprit_sentence(path: Path, culprit: Culprit) -> str:
    """Name the record that ends its worker: where it begins, how long it is, of which card and channel."""
    facts = ", ".join(filter(None, (counted(culprit.n_bytes, "byte"), record_about(path, culprit))))
    if culprit.exit_code is None:
        how = "Its worker never came to an end with it."
    else:
        how = exit_sentence(culprit.exit_code) + "."
    return f"the record at byte {grouped(culprit.offset)} ends its worker ({facts}). {how}"


def record_about(path: Path, culprit: Culprit) -> str:
    """Say what a record is by its head: decoder, crate, card, channel; "" where it cannot be told."""
    try:
        decoders = read_header(path).decoders
        words = _words_of(culprit.read(path), _byte_order(path))
    except (PygamaError, OSError, EOFError):
        return ""
    decoder = decoders.get(record_key(words[0]), "") if words else ""
    return " ".join([decoder, *_place(decoder, words)]).strip()


def _byte_order(path: Path) -> str:
    with open_raw(path) as file:
        extent = HeaderExtent.sniff(file.read(HEAD_BYTES))
    return "big" if extent is not None and extent.big_endian else "little"


def _words_of(record: bytes, order: str) -> list[int]:
    """Read the first words, numbered as in the long form: the extended form has its length as word 1."""
    n = min(len(record) // 4, _N_WORDS)
    is_big = order == "big"
    words = [int.from_bytes(record[4 * i : 4 * i + 4], "big" if is_big else "little") for i in range(n)]
    is_extended = bool(words) and words[0] >> 31 == 0 and words[0] & _LENGTH == 0
    return [words[0], *words[2:]] if is_extended else words


def _place(decoder: str, words: list[int]) -> list[str]:
    if decoder not in DECODERS:
        return []
    bits = {one.name: one for one in DECODERS[decoder].fields}
    return [
        f"{name} {_value(bits[name], words)}"
        for name in _PLACE
        if name in bits and all(0 <= word < len(words) for word, _, _ in bits[name].parts)
    ]


def _value(bits: Bits, words: list[int]) -> int:
    value = shift = 0
    for word, low, width in bits.parts:
        value |= (words[word] >> low & (1 << width) - 1) << shift
        shift += width
    return value
