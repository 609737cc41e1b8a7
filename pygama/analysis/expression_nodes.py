"""Holds the parts that a parsed expression is made of; each can give its values and its text.

Values are of three kinds: numbers, yes or no, and text. Whole numbers are compared as they are; all
arithmetic, and a comparison with a number that is not whole, is done in float64, so that nothing wraps round
and a float32 column is compared by its exact values. A comparison with NaN is False, `!=` as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import reduce
from typing import Any, ClassVar

import numpy as np

from pygama.analysis import counting
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

NUMBERS, YES_NO, TEXT = "numbers", "yes or no", "text"
OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 10)
"""How tightly each part binds."""
RESERVED = frozenset({"and", "or", "not", "true", "false", "True", "False"})
_EXACT_WHOLE = 2.0**53
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")


class ExpressionError(SettingsError):
    """A mistake in an expression: `sentence` says what, `position` is the character where, from 0.

    where: what the expression belongs to, such as a cut; it comes first in the message.
    """

    def __init__(self, text: str, position: int, sentence: str, where: str = "") -> None:
        super().__init__(text, position, sentence, where)
        self.text = text
        self.position = position
        self.sentence = sentence
        self.where = where

    def __str__(self) -> str:
        begin = f"{self.where}: " if self.where else ""
        return f"{begin}{self.sentence} (character {self.position + 1})"

    def pointed(self) -> str:
        """Give the expression with a mark under the character, as two lines."""
        shown = self.text.replace("\n", " ").replace("\t", " ")
        return f"{shown}\n{' ' * self.position}^"

    def inside(self, where: str) -> ExpressionError:
        """Say what the expression belongs to."""
        return ExpressionError(self.text, self.position, self.sentence, where)


@dataclass(frozen=True)
class Scope:
    """Some rows of the columns that an expression reads, and the text that errors point into."""

    text: str
    columns: Mapping[str, np.ndarray]
    rows: slice

    def error(self, node: Node, sentence: str) -> ExpressionError:
        return ExpressionError(self.text, node.at, sentence)

    def numbers(self, node: Node, what: str) -> Any:
        """Give the values of a part that must be numbers; yes and no are 1 and 0. what: who asks."""
        value = node.value(self)
        if kind_of(value) == TEXT:
            raise self.error(node, f"{what} takes numbers, and {node.shown()} is text")
        return value

    def yes_no(self, node: Node, what: str) -> Any:
        """Give the values of a part that must be yes or no."""
        value = node.value(self)
        kind = kind_of(value)
        if kind != YES_NO:
            remedy = f"write '{node.bound(SUM)} != 0'" if kind == NUMBERS else "compare it with something"
            raise self.error(node, f"{what} takes yes or no, and {node.shown()} is {kind}; {remedy}")
        return value


@dataclass(frozen=True)
class Node:
    """A part of an expression, which begins at a character of its text."""

    at: int = field(compare=False)
    level: ClassVar[int] = ATOM

    def value(self, scope: Scope) -> Any:
        """Give an array of the rows of the scope, or one value for all."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """The part written in the one way that the house writes it."""
        raise NotImplementedError

    def parts(self) -> tuple[Node, ...]:
        """Give what it is made of."""
        return ()

    def bound(self, level: int) -> str:
        """Give its text, in parentheses where it would fall apart among parts that bind at `level`."""
        return self.text if self.level >= level else f"({self.text})"

    def shown(self) -> str:
        """Give its text for a message."""
        return f"'{self.text}'" if len(self.text) <= 40 else f"'{self.text[:37]}...'"

    def walk(self) -> Iterator[Node]:
        """Give it and all it is made of."""
        yield self
        for part in self.parts():
            yield from part.walk()


@dataclass(frozen=True)
class Number(Node):
    number: int | float

    @property
    def level(self) -> int:  # type: ignore[override]
        return SIGN if math.copysign(1, self.number) < 0 else ATOM

    def value(self, scope: Scope) -> Any:
        return self.number

    @property
    def text(self) -> str:
        return number_text(self.number)


@dataclass(frozen=True)
class Text(Node):
    words: str

    def value(self, scope: Scope) -> Any:
        return np.str_(self.words)

    @property
    def text(self) -> str:
        return "'" + self.words.replace("\\", "\\\\").replace("'", "\\'") + "'"


@dataclass(frozen=True)
class Truth(Node):
    is_true: bool

    def value(self, scope: Scope) -> Any:
        return np.bool_(self.is_true)

    @property
    def text(self) -> str:
        return "true" if self.is_true else "false"


@dataclass(frozen=True)
class Column(Node):
    name: str

    def value(self, scope: Scope) -> Any:
        return scope.columns[self.name][scope.rows]

    @property
    def text(self) -> str:
        return name_text(self.name)


@dataclass(frozen=True)
class Through(Column):
    """Whether a waveform passes through a box: a column that `pygama.boxes` makes, named by its own text.

    numbers: first and last sample, lowest and highest height; above: names of the columns of the baseline.
    """

    numbers: tuple[float, float, float, float]
    above: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.name


@dataclass(frozen=True)
class Negative(Node):
    operand: Node
    level: ClassVar[int] = SIGN

    def value(self, scope: Scope) -> Any:
        return np.negative(scope.numbers(self.operand, "'-'"), dtype=np.float64)

    @property
    def text(self) -> str:
        return "-" + self.operand.bound(SIGN + 1)

    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True)
class Not(Node):
    operand: Node
    level: ClassVar[int] = NOT

    def value(self, scope: Scope) -> Any:
        return np.logical_not(scope.yes_no(self.operand, "'~'"))

    @property
    def text(self) -> str:
        return "~" + self.operand.bound(SUM)

    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: Node
    level: ClassVar[int] = POWER

    def value(self, scope: Scope) -> Any:
        base, exponent = scope.numbers(self.base, "'**'"), scope.numbers(self.exponent, "'**'")
        return np.power(base, exponent, dtype=np.float64)

    @property
    def text(self) -> str:
        return f"{self.base.bound(ATOM)} ** {self.exponent.bound(SIGN)}"

    def parts(self) -> tuple[Node, ...]:
        return (self.base, self.exponent)


@dataclass(frozen=True)
class Series(Node):
    """Operands with operators between them, which are of one level."""

    operands: tuple[Node, ...]
    operators: tuple[str, ...]

    @property
    def text(self) -> str:
        words = [self.operands[0].bound(self.level + 1)]
        for operator, operand in zip(self.operators, self.operands[1:], strict=True):
            words += [operator, operand.bound(self.level + 1)]
        return " ".join(words)

    def parts(self) -> tuple[Node, ...]:
        return self.operands


@dataclass(frozen=True)
class Arithmetic(Series):
    """A sum or a product, reckoned from left to right."""

    @property
    def level(self) -> int:  # type: ignore[override]
        return SUM if self.operators[0] in "+-" else PRODUCT

    def value(self, scope: Scope) -> Any:
        total = scope.numbers(self.operands[0], f"'{self.operators[0]}'")
        for operator, operand in zip(self.operators, self.operands[1:], strict=True):
            total = _REDUCE[operator](total, scope.numbers(operand, f"'{operator}'"), dtype=np.float64)
        return total


@dataclass(frozen=True)
class Joined(Series):
    """Conditions that must all hold, or one of which must."""

    @property
    def level(self) -> int:  # type: ignore[override]
        return AND if self.operators[0] == "&" else OR

    def value(self, scope: Scope) -> Any:
        join = np.logical_and if self.operators[0] == "&" else np.logical_or
        what = f"'{self.operators[0]}'"
        return reduce(join, [scope.yes_no(operand, what) for operand in self.operands])


@dataclass(frozen=True)
class Comparison(Series):
    """Comparisons one after another, `a <= x < b`, all of which must hold."""

    level: ClassVar[int] = COMPARE

    def value(self, scope: Scope) -> Any:
        values = [operand.value(scope) for operand in self.operands]
        pairs = zip(self.operators, values, values[1:], self.operands[1:], strict=False)
        return reduce(np.logical_and, [_compared(scope, *pair) for pair in pairs])


@dataclass(frozen=True)
class Call(Node):
    function: str
    arguments: tuple[Node, ...]

    def value(self, scope: Scope) -> Any:
        return FUNCTIONS[self.function].value(scope, self)

    @property
    def text(self) -> str:
        return f"{self.function}({', '.join(argument.text for argument in self.arguments)})"

    def parts(self) -> tuple[Node, ...]:
        return self.arguments


@dataclass(frozen=True)
class Function:
    """A function of the language: how many arguments it takes (most: None = any number), and its values."""

    least: int
    most: int | None
    value: Callable[[Scope, Call], Any]
    about: str

    def takes(self) -> str:
        """Say how many arguments it takes."""
        if self.least == self.most:
            return f"{self.least} argument" + "s" * (self.least > 1)
        return (
            f"{self.least} arguments or more"
            if self.most is None
            else f"{self.least} to {self.most} arguments"
        )


def kind_of(value: Any) -> str:
    """Say of which kind values are."""
    letter = np.asarray(value).dtype.kind
    return YES_NO if letter == "b" else TEXT if letter in "US" else NUMBERS


def number_text(number: float) -> str:
    """Write a number as short as it is still the same number."""
    is_whole = isinstance(number, float) and number.is_integer() and abs(number) < _EXACT_WHOLE
    is_minus_zero = number == 0 and math.copysign(1, number) < 0
    return f"{number:.0f}" if is_whole and not is_minus_zero else repr(number)


def name_text(name: str) -> str:
    """Write the name of a column, in backquotes where it is not a plain word."""
    return name if _PLAIN_NAME.fullmatch(name) and name not in RESERVED else f"`{name}`"


def _compared(scope: Scope, operator: str, left: Any, right: Any, at: Node) -> Any:
    kinds = {kind_of(left), kind_of(right)}
    if TEXT not in kinds:
        return _compare_numbers(operator, left, right)
    if kinds != {TEXT}:
        raise scope.error(at, f"'{operator}' compares text with {(kinds - {TEXT}).pop()}")
    if operator not in ("==", "!="):
        raise scope.error(at, f"'{operator}' compares numbers; text can be compared with '==' and '!='")
    return _COMPARE[operator](_as_words(left), _as_words(right))


def _compare_numbers(operator: str, left: Any, right: Any) -> Any:
    if _is_whole(left) and _is_whole(right):
        return _COMPARE[operator](left, right)
    if operator == "!=":  # NaN is neither below nor above
        below = np.less(left, right, signature="dd->?")
        return np.logical_or(below, np.greater(left, right, signature="dd->?"))
    return _COMPARE[operator](left, right, signature="dd->?")


def _is_whole(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "iub"


def _as_words(value: Any) -> Any:
    array = np.asarray(value)
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array


def _of_numbers(ufunc: Any) -> Callable[[Scope, Call], Any]:
    def value(scope: Scope, call: Call) -> Any:
        values = [scope.numbers(argument, f"'{call.function}'") for argument in call.arguments]
        if len(values) == 1:
            return ufunc(np.asarray(values[0]).astype(np.float64, copy=False))
        return reduce(lambda one, other: ufunc(one, other, dtype=np.float64), values)

    return value


def _where(scope: Scope, call: Call) -> Any:
    condition = scope.yes_no(call.arguments[0], "'where'")
    chosen, other = (argument.value(scope) for argument in call.arguments[1:])
    kinds = {kind_of(chosen), kind_of(other)}
    if TEXT in kinds and len(kinds) > 1:
        raise scope.error(call.arguments[2], "'where' chooses between two numbers or between two texts")
    if TEXT in kinds:
        return np.where(condition, _as_words(chosen), _as_words(other))
    result = np.where(condition, chosen, other)
    return result if kinds == {YES_NO} else result.astype(np.float64, copy=False)


def _inside(scope: Scope, call: Call) -> Any:
    x, y = (np.asarray(scope.numbers(argument, "'inside'"), np.float64) for argument in call.arguments[:2])
    return points_inside(x, y, corners_of(call))


def _through(scope: Scope, call: Call) -> Any:
    raise scope.error(call, "'through' needs waveforms")  # the parser makes a column of each


def corners_of(call: Call) -> np.ndarray:
    """Give the corners of `inside`, (n, 2)."""
    numbers = [corner.number for corner in call.arguments[2:] if isinstance(corner, Number)]
    return np.array(numbers, np.float64).reshape(-1, 2)


def points_inside(x: np.ndarray, y: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Say which points lie in a polygon of corners (n, 2), by the even-odd rule.

    A point on an edge is inside if the inside lies to its right, or above it where the edge is level: of
    polygons that share an edge each point has exactly one, and a rectangle holds low <= x < high. NaN is
    outside.
    """
    return points_left_of(x, y, sides_of(corners))


def points_left_of(x: np.ndarray, y: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Say which points have an odd number of sides, as `sides_of` gives them, to their right."""
    if counting.compiled is None or x.ndim != 1 or y.ndim != 1 or not len(sides):
        return points_inside_plainly(x, y, sides)
    is_inside = np.empty(len(x), np.bool_)
    x, y = np.ascontiguousarray(x, np.float64), np.ascontiguousarray(y, np.float64)
    counting.compiled.inside(x, y, sides, is_inside.view(np.uint8))
    return is_inside


def points_inside_plainly(x: np.ndarray, y: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Count the sides to the right of each point, in plain NumPy."""
    is_inside = np.zeros(np.broadcast(x, y).shape, np.bool_)
    for x1, y1, y2, slope in sides:
        is_inside ^= (y >= y1) & (y < y2) & (x < x1 + (y - y1) * slope)
    return is_inside


def sides_of(corners: np.ndarray) -> np.ndarray:
    """Give the sides that are not level as x1, y1, y2 and dx/dy, (n, 4); y1 is the lower end.

    So a side is the same to the last bit in whichever direction it is gone along.
    """
    ends = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)
    order = np.argsort(ends[:, :, 1], axis=1, kind="stable")
    ends = np.take_along_axis(ends, order[:, :, None], axis=1)
    (x1, y1), (x2, y2) = ends[:, 0].T, ends[:, 1].T
    with np.errstate(all="ignore"):
        slope = (x2 - x1) / (y2 - y1)
    return np.ascontiguousarray(np.stack([x1, y1, y2, slope], axis=1)[y1 != y2])


_COMPARE: dict[str, Any] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_REDUCE: dict[str, Any] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.remainder,
}
FUNCTIONS: dict[str, Function] = {
    "abs": Function(1, 1, _of_numbers(np.abs), "size without sign"),
    "sqrt": Function(1, 1, _of_numbers(np.sqrt), "square root; NaN below 0"),
    "log": Function(1, 1, _of_numbers(np.log), "natural logarithm; NaN below 0"),
    "log10": Function(1, 1, _of_numbers(np.log10), "logarithm to base 10; NaN below 0"),
    "exp": Function(1, 1, _of_numbers(np.exp), "e to the power of the argument"),
    "min": Function(
        2, None, _of_numbers(np.minimum), "least of the arguments in each row; NaN if one is NaN"
    ),
    "max": Function(
        2, None, _of_numbers(np.maximum), "greatest of the arguments in each row; NaN if one is NaN"
    ),
    "round": Function(1, 1, _of_numbers(np.rint), "nearest whole number; halves go to the even one"),
    "floor": Function(1, 1, _of_numbers(np.floor), "next whole number below"),
    "isfinite": Function(1, 1, _of_numbers(np.isfinite), "whether it is a number, not NaN and not infinite"),
    "isnan": Function(1, 1, _of_numbers(np.isnan), "whether it is NaN"),
    "where": Function(3, 3, _where, "the second argument where the first is true, else the third"),
    "inside": Function(
        8, None, _inside, "whether the point x, y lies in the polygon of the corners that follow"
    ),
    "through": Function(
        4,
        6,
        _through,
        "whether the waveform passes, from the first sample to the last that are given, between the two "
        "heights that follow; above the columns of its baseline, if they are named",
    ),
}
