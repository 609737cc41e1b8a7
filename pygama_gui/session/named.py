"""Finds, changes and takes out what has a name among others: cuts, fits, regions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar


class Named(Protocol):
    """Anything with a name, as a frozen dataclass."""

    @property
    def name(self) -> str: ...


One = TypeVar("One", bound=Named)


def named(those: Sequence[One], name: str) -> One | None:
    """Give the one of that name; None where there is none."""
    return next((one for one in those if one.name == name), None)


def changed(those: tuple[One, ...], name: str, /, **facts: Any) -> tuple[One, ...]:
    """Change the one of that name; the very tuple comes back where nothing is different."""
    new = tuple(replace(one, **facts) if one.name == name else one for one in those)  # type: ignore[type-var]
    return those if new == those else new


def taken_out(those: tuple[One, ...], name: str, chosen: str) -> tuple[tuple[One, ...], str]:
    """Take out the one of that name; where it was the chosen one, its neighbour is from then on."""
    one = named(those, name)
    if one is None:
        return those, chosen
    at = those.index(one)
    left = those[:at] + those[at + 1 :]
    if chosen == name:
        chosen = left[min(at, len(left) - 1)].name if left else ""
    return left, chosen


def free_name(name: str, taken: Collection[str]) -> str:
    """Give the name, with a number behind it where it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
