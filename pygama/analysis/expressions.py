"""Gives the values of a typed expression over columns, without ever running it as Python.

`8300 <= trap_max < 9050 & ~is_short` is an expression: columns, numbers, text, arithmetic, comparisons, and,
or, not, a few functions. Comparisons bind tighter than `&`, `|` and `~`. A comparison with NaN is False, `!=`
as well, and `~` turns the answer round: a NaN passes `~(x < 3)`. What is wrong is told with its character.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from pygama.analysis.expression_nodes import (
    FUNCTIONS,
    YES_NO,
    Column,
    ExpressionError,
    Node,
    Scope,
    kind_of,
)
from pygama.analysis.expression_parser import did_you_mean, parse_text

__all__ = ["Expression", "ExpressionError", "parse"]

BLOCK = 32768
"""Rows at a time: few enough that what lies between stays in the processor's cache."""
_READABLE = "biufUSO"


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """Read an expression; raises ExpressionError, which points at the character."""
    return Expression(text, parse_text(text))


class Expression:
    """A parsed expression; two are equal if they say the same."""

    def __init__(self, source: str, node: Node) -> None:
        self.source = source
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.node == other.node

    def __hash__(self) -> int:
        return hash(self.node)

    def __repr__(self) -> str:
        return f"parse({self.source!r})"

    @cached_property
    def text(self) -> str:
        """The expression in the one way that the house writes it; reading it again gives the same."""
        return self.node.text

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names that it reads, each once, in the order in which they first stand there."""
        return tuple(dict.fromkeys(part.name for part in self.node.walk() if isinstance(part, Column)))

    def evaluate(
        self,
        columns: Mapping[str, Any],
        *,
        n_rows: int | None = None,
        keep_on: Callable[[], object] | None = None,
    ) -> np.ndarray:
        """Give the values, (n_rows,) bool, numbers or text.

        columns: name -> (n_rows,), a data frame will do. n_rows: of the result, where no column is read;
        None: as many as the columns have. keep_on: is called after each block of rows, and may raise to
        stop. Raises ExpressionError if a column is not there, or of the wrong kind.
        """
        read = self._read(columns)
        n_rows = self._n_rows(read, columns, n_rows)
        first = self._block(read, slice(0, min(BLOCK, n_rows)))
        out = np.empty(n_rows, np.asarray(first).dtype)
        out[:BLOCK] = first
        for start in range(BLOCK, n_rows, BLOCK):
            if keep_on is not None:
                keep_on()
            out[start : start + BLOCK] = self._block(read, slice(start, start + BLOCK))
        return out

    def mask(
        self,
        columns: Mapping[str, Any],
        *,
        n_rows: int | None = None,
        keep_on: Callable[[], object] | None = None,
    ) -> np.ndarray:
        """Give the values of an expression that must say yes or no, (n_rows,) bool; see `evaluate`."""
        values = self.evaluate(columns, n_rows=n_rows, keep_on=keep_on)
        if values.dtype != np.bool_:
            kind = kind_of(values)
            sentence = f"a cut says yes or no of each row, and this gives {kind}; compare it with something"
            raise ExpressionError(self.source, self.node.at, sentence)
        return values

    def check(self, columns: Mapping[str, Any]) -> str:
        """Raise ExpressionError if it could not be evaluated; give 'numbers', 'yes or no' or 'text'.

        No row is looked at, so it is quick.
        """
        return kind_of(self._block(self._read(columns, slice(0, 0)), slice(0, 0)))

    def is_cut(self, columns: Mapping[str, Any]) -> bool:
        """Say whether it gives yes or no; raises ExpressionError as `check`."""
        return self.check(columns) == YES_NO

    def _block(self, read: Mapping[str, np.ndarray], rows: slice) -> Any:
        with np.errstate(all="ignore"):
            return self.node.value(Scope(self.source, read, rows))

    def _read(self, columns: Mapping[str, Any], rows: slice | None = None) -> dict[str, np.ndarray]:
        read: dict[str, np.ndarray] = {}
        for part in self.node.walk():
            if isinstance(part, Column) and part.name not in read:
                read[part.name] = self._column(part, columns, rows)
        return read

    def _column(self, part: Column, columns: Mapping[str, Any], rows: slice | None) -> np.ndarray:
        if part.name not in columns:
            raise ExpressionError(self.source, part.at, _why_no_column(part.name, columns))
        values = np.asarray(columns[part.name])
        if values.ndim != 1 or values.dtype.kind not in _READABLE:
            what = f"an array of shape {values.shape}" if values.ndim != 1 else f"of type {values.dtype}"
            sentence = f"column '{part.name}' is {what}, not one number or text a row"
            raise ExpressionError(self.source, part.at, sentence)
        values = values if rows is None else values[rows]
        return values if values.dtype.kind != "O" else self._of_objects(part, values)

    def _of_objects(self, part: Column, values: np.ndarray) -> np.ndarray:
        words = ["" if value is None or value != value else value for value in values.tolist()]
        if all(isinstance(word, str) for word in words):
            return np.array(words, np.str_)
        sentence = f"column '{part.name}' holds other things than text"
        raise ExpressionError(self.source, part.at, sentence)

    def _n_rows(self, read: Mapping[str, np.ndarray], columns: Mapping[str, Any], n_rows: int | None) -> int:
        if not read:
            if n_rows is not None:
                return n_rows
            return next((len(columns[name]) for name in columns), 0)
        lengths = {name: len(values) for name, values in read.items()}
        expected = n_rows if n_rows is not None else next(iter(lengths.values()))
        for part in self.node.walk():
            if isinstance(part, Column) and lengths[part.name] != expected:
                sentence = f"column '{part.name}' has {lengths[part.name]} rows, not {expected}"
                raise ExpressionError(self.source, part.at, sentence)
        return expected


def _why_no_column(name: str, columns: Mapping[str, Any]) -> str:
    if name.startswith("through("):
        return f"'{name}' asks for waveforms, and they were not looked through"
    if name in FUNCTIONS:
        return f"'{name}' is a function; write '{name}(...)'"
    if name.lower() == "nan":
        return "nothing equals NaN; write 'isnan(...)'"
    return f"column '{name}' is not there" + did_you_mean(name, [str(column) for column in columns])
