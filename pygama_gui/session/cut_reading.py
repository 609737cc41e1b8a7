"""Parts the cuts of a session in those that can be read and those that cannot, with what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pygama.analysis.cuts import Cut, CutSet
from pygama.analysis.expression_nodes import ExpressionError
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass


@dataclass(frozen=True)
class Problem:
    """Why a cut is not applied. position: the character of its text; None where it is no single one.

    is_of_run: the text is sound, but the run has not what it needs.
    """

    sentence: str
    position: int | None = None
    is_of_run: bool = False


@lru_cache(maxsize=64)
def readable(cuts: tuple[Cut, ...]) -> tuple[CutSet, Mapping[str, Problem]]:
    """Part cuts in those that can be read and the problems of the others, by their names."""
    good: list[Cut] = []
    problems: dict[str, Problem] = {}
    for cut in cuts:
        try:
            CutSet([*good, cut])
        except ExpressionError as error:
            problems[cut.name] = Problem(error.sentence, error.position)
        except SettingsError as error:
            problems[cut.name] = Problem(str(error).removeprefix(f"cut '{cut.name}': "))
        else:
            good.append(cut)
    return CutSet(good), problems
