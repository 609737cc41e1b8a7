"""Takes a cut in any of its forms: a text, an expression, a set of cuts, or a function of the columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pygama.analysis.expressions import parse
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

ColumnValues = Mapping[str, np.ndarray]


@runtime_checkable
class Expression(Protocol):
    """What is computed from columns, and says which."""

    @property
    def columns(self) -> Iterable[str]: ...

    def evaluate(self, columns: Any, /) -> Any: ...


@runtime_checkable
class Masking(Protocol):
    """A set of cuts, which picks rows."""

    def mask(self, columns: Any, /) -> Any: ...


Cut = str | Expression | Masking | Callable[[ColumnValues], Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """A cut, ready to pick rows. text: what it says, for the record; columns: that it needs, if it tells."""

    text: str
    columns: tuple[str, ...]
    _pick: Callable[[ColumnValues], Any]

    def mask(self, columns: ColumnValues, n_rows: int) -> np.ndarray:
        """Say which rows pass, (n_rows,) bool; raises SettingsError if the cut says anything else."""
        try:
            passed = np.asarray(self._pick(columns))
        except KeyError as error:
            raise SettingsError(
                f"the cut {self.text!r} asks for the column {error}, which is not there"
            ) from None
        if passed.dtype != bool or passed.shape not in ((n_rows,), ()):
            raise SettingsError(
                f"the cut {self.text!r} must say true or false for each of {n_rows} rows, "
                f"not {passed.dtype} of shape {passed.shape}"
            )
        return np.broadcast_to(passed, (n_rows,))


def selection_of(cut: Cut) -> Selection:
    """Make a cut ready. Raises SettingsError for a text that is no expression, or a thing that is no cut."""
    if isinstance(cut, str):
        return _of_expression(parse(cut), cut)
    if isinstance(cut, Expression):
        return _of_expression(cut, str(getattr(cut, "text", cut)))
    if isinstance(cut, Masking):
        return Selection(str(getattr(cut, "text", cut)), tuple(getattr(cut, "columns", ())), cut.mask)
    if callable(cut):
        return Selection(str(getattr(cut, "__name__", cut)), (), cut)
    raise SettingsError(f"a cut is a text as 'trap_max > 100', or a function of the columns, not {cut!r}")


def _of_expression(expression: Expression, text: str) -> Selection:
    return Selection(text, tuple(expression.columns), expression.evaluate)
