"""Joins the cuts of a session, and says of each that cannot be applied why not; no view fails by one.

A cut that cannot be read, or whose columns a run does not have, is not applied there, and its row says so.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np

from pygama.analysis.cuts import Cut, CutSet
from pygama.analysis.expression_nodes import ExpressionError
from pygama.quick_dataclass import dataclass
from pygama_gui.data.dragged import Shape, shape_of
from pygama_gui.session.cut_reading import Problem, readable

Rows = Mapping[str, np.ndarray]
INSIDE = "_inside"
"""Name of the cut that stands for one side of others; a person's cuts never begin with '_'."""


def applicable(cuts: CutSet, rows: Rows) -> tuple[CutSet, Mapping[str, Problem]]:
    """Part cuts in those that a run has the columns for and the problems of the others; looks at no row."""
    problems: dict[str, Problem] = {}
    few = {name: values[:0] for name, values in rows.items()}
    for cut in cuts:
        try:
            cuts.masks(few, only=[cut.name], n_rows=0)
        except ExpressionError as error:
            is_own = error.text == cut.expression
            problems[cut.name] = Problem(error.sentence, error.position if is_own else None, is_of_run=True)
    if not problems:
        return cuts, problems
    # What names a cut that is left out reads its columns as well, and is left out with it.
    return CutSet(cut for cut in cuts if cut.name not in problems), problems


@dataclass(frozen=True)
class Passing:
    """Cuts that are on, with those that they name; equal ones let the same rows pass."""

    cuts: tuple[Cut, ...]

    @cached_property
    def _set(self) -> CutSet:
        return CutSet(self.cuts)

    @property
    def words(self) -> str:
        """The cuts that are on, by name, with what they say."""
        on = (cut for cut in self.cuts if cut.enabled)
        return "; ".join(f"{'not ' if cut.inverted else ''}{cut.name}: {cut.expression}" for cut in on)

    @cached_property
    def columns(self) -> frozenset[str]:
        """Names of the columns that are read."""
        return frozenset(self._set.columns)

    def mask(self, rows: Rows) -> np.ndarray:
        """Tell which rows pass, (n_rows,) bool; a cut that these rows have not the columns for lets all."""
        cuts, _ = applicable(self._set, rows)
        return cuts.mask(rows, n_rows=_n_of(rows))

    def parts(self, rows: Rows) -> dict[Hashable, Part]:
        """Give the cuts that can be applied and are on, each by itself, by what its answer depends on."""
        cuts, _ = applicable(self._set, rows)
        return {_key(cuts, cut): Part(cuts, cut.name) for cut in cuts if cut.enabled}


@dataclass(frozen=True)
class Part:
    """One cut of a set."""

    cuts: CutSet
    name: str

    def mask(self, rows: Rows) -> np.ndarray:
        """Tell which rows pass this cut by itself, (n_rows,) bool."""
        return self.cuts.masks(rows, only=[self.name], n_rows=_n_of(rows))[self.name]

    def shape(self, rows: Rows) -> Shape | None:
        """Give the interval of a column, or the polygon over two, that it is; None where it is neither."""
        return None if self.cuts.needs(self.name) else shape_of(self.cuts[self.name], rows)


def _key(cuts: CutSet, cut: Cut) -> Hashable:
    named = tuple((name, _key(cuts, cuts[name])) for name in cuts.needs(cut.name))
    return cut.expression, cut.inverted, named


def part_of(cuts: CutSet, name: str) -> tuple[Hashable, Part]:
    """Give a cut of a set by itself, with what its answer depends on."""
    return _key(cuts, cuts[name]), Part(cuts, name)


@lru_cache(maxsize=64)
def joined(cuts: tuple[Cut, ...]) -> Passing | None:
    """Join the cuts that are on and can be read; None where there are none.

    Neither colours nor the order of cuts make a difference.
    """
    known, _ = readable(cuts)
    wanted = {cut.name for cut in known if cut.enabled}
    wanted |= {other for name in wanted for other in known.needs(name)}
    used = sorted((cut for cut in known if cut.name in wanted), key=lambda cut: cut.name)
    return (
        Passing(tuple(replace(cut, color="") for cut in used)) if any(cut.enabled for cut in used) else None
    )


def sides(cuts: tuple[Cut, ...], chosen: str) -> tuple[Passing, Passing] | None:
    """Give what passes a cut and what does not, of the rows that pass all other cuts that are on.

    chosen: name of the cut; where there is none of it, all cuts that are on together. None without cuts.
    """
    known, _ = readable(cuts)
    names = [chosen] if chosen in known.names else [cut.name for cut in known if cut.enabled]
    if not names:
        return None
    others = tuple(replace(cut, enabled=cut.enabled and cut.name not in names) for cut in known)
    both = " & ".join(names)
    inside, outside = (joined((*others, Cut(INSIDE, text))) for text in (both, f"~({both})"))
    assert inside is not None and outside is not None
    return inside, outside


def free_name(names: Collection[str], wanted: str = "cut") -> str:
    """Give a name that no cut has: the wanted one, or with a number behind it."""
    if wanted not in names and wanted != "cut":
        return wanted
    stem = wanted.rstrip("0123456789") or "cut"
    return next(name for n in range(1, len(names) + 2) if (name := f"{stem}{n}") not in names)


def _n_of(rows: Rows) -> int:
    return len(next(iter(rows.values()))) if rows else 0
