"""Turns the text of an expression into its parts, or says at which character it goes wrong.

Nothing is ever given to Python to run: the text is cut into words, and operators take their operands by how
tightly they bind. Comparisons bind tighter than `&`, `|` and `~`, as a person reads them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from difflib import get_close_matches

from pygama.analysis.expression_nodes import (
    AND,
    COMPARE,
    FUNCTIONS,
    NOT,
    OR,
    PRODUCT,
    SIGN,
    SUM,
    Arithmetic,
    Call,
    Column,
    Comparison,
    ExpressionError,
    Joined,
    Negative,
    Node,
    Not,
    Number,
    Power,
    Text,
    Through,
    Truth,
)
from pygama.quick_dataclass import dataclass

MOST_CHARACTERS = 100_000
MOST_NESTED = 30
"""Parentheses, signs and powers inside one another."""
_LARGEST_WHOLE, _LARGEST_NEGATIVE = 2**64 - 1, 2**63

_WORD = re.compile(
    r"""(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[^\W\d]\w*)
    | `(?P<quoted>[^`\n]+)`
    | (?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | (?P<sign>\*\*|<=|>=|==|!=|[-+*/%<>&|~(),])""",
    re.VERBOSE,
)
_LEVELS = {
    **dict.fromkeys(("|",), OR),
    **dict.fromkeys(("&",), AND),
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), COMPARE),
    **dict.fromkeys(("+", "-"), SUM),
    **dict.fromkeys(("*", "/", "%"), PRODUCT),
}
_SPELT = {"and": "&", "or": "|", "not": "~"}
_TRUTHS = {"true": True, "True": True, "false": False, "False": False}
_SERIES: dict[int, type[Arithmetic] | type[Comparison] | type[Joined]] = {
    OR: Joined,
    AND: Joined,
    COMPARE: Comparison,
    SUM: Arithmetic,
    PRODUCT: Arithmetic,
}
_MEANT = {
    "=": "to compare, write '=='",
    "!": "for 'not', write '~'",
    "^": "a power is written '**'",
    "≤": "write '<='",
    "≥": "write '>='",
    "≠": "write '!='",
    "'": "this text does not end; put ' at its end",
    '"': 'this text does not end; put " at its end',
    "`": "this name does not end; put ` at its end",
    ".": "a column whose name has a dot goes in backquotes: `a.b`",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an expression. kind: 'number', 'name', 'quoted', 'text', 'sign' or 'end'."""

    kind: str
    value: str
    at: int


def parse_text(text: str) -> Node:
    """Give the parts of an expression; raises ExpressionError."""
    return _Parser(text).whole()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Give '; did you mean ...?' where a known name is close, else ''."""
    folded = {one.lower(): one for one in known}
    close = get_close_matches(name.lower(), folded, 1, 0.6)
    return f"; did you mean '{folded[close[0]]}'?" if close else ""


def _words_of(text: str) -> list[Word]:
    words, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _WORD.match(text, at)
        if match is None:
            raise ExpressionError(text, at, _why_no_word(text, at))
        kind = match.lastgroup or ""
        value = match[kind]
        if kind == "name" and value in _SPELT:
            kind, value = "sign", _SPELT[value]
        words.append(Word(kind, value, at))
        at = match.end()
    return [*words, Word("end", "", len(text))]


def _why_no_word(text: str, at: int) -> str:
    meant = _MEANT.get(text[at])
    return f"'{text[at]}' has no meaning here" + (f": {meant}" if meant else "")


def _negative(at: int, number: int | float) -> Number:
    is_small = abs(number) <= _LARGEST_NEGATIVE
    return Number(at, -number if is_small else -float(number))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > MOST_CHARACTERS:
            raise self.error(
                MOST_CHARACTERS, f"an expression has {MOST_CHARACTERS} characters at most, not {len(text)}"
            )
        self.words = _words_of(text)
        self.next = 0
        self.nested = 0

    def error(self, at: int, sentence: str) -> ExpressionError:
        return ExpressionError(self.text, at, sentence)

    @property
    def word(self) -> Word:
        return self.words[self.next]

    def spelt(self, word: Word) -> str:
        match = _WORD.match(self.text, word.at)
        return match[0] if match else ""

    def take(self) -> Word:
        self.next += 1
        return self.words[self.next - 1]

    def is_sign(self, *signs: str) -> bool:
        return self.word.kind == "sign" and self.word.value in signs

    def whole(self) -> Node:
        node = self.expression(OR)
        if self.word.kind != "end":
            raise self.error(self.word.at, self._why_not_the_end())
        return node

    def _why_not_the_end(self) -> str:
        word = self.word
        if word.kind == "sign":
            closes = ")" in word.value
            return "this ')' closes nothing" if closes else f"'{self.spelt(word)}' has no meaning here"
        before = self.words[self.next - 1]
        if before.kind == "name" and word.kind in ("name", "number") and before.value.lower() in _SPELT:
            return f"write '{before.value.lower()}' in small letters"
        if word.kind == "name" and word.value.lower() in _SPELT:
            return f"write '{word.value.lower()}' in small letters"
        return f"an operator is missing before '{self.spelt(word)}'"

    def expression(self, level: int) -> Node:
        """Read what binds at `level` or tighter."""
        left = self.prefix(level)
        while (at_level := self.level()) >= level:
            operands, operators = [left], []
            while self.level() == at_level:
                operators.append(self.take().value)
                operands.append(self.expression(at_level + 1))
            left = _SERIES[at_level](left.at, tuple(operands), tuple(operators))
        return left

    def level(self) -> int:
        """Say how tightly the next word binds; 0 if it is no operator."""
        return _LEVELS.get(self.word.value, 0) if self.word.kind == "sign" else 0

    def prefix(self, level: int) -> Node:
        if self.is_sign("-", "+"):
            sign = self.take()
            operand = self.within(sign, SIGN)
            if sign.value == "+":
                return operand
            if isinstance(operand, Number):
                return _negative(sign.at, operand.number)
            return Negative(sign.at, operand)
        if self.is_sign("~"):
            sign = self.take()
            if level > NOT:
                raise self.error(
                    sign.at, f"put parentheses around what begins with this '{self.spelt(sign)}'"
                )
            return Not(sign.at, self.within(sign, NOT))
        return self.power()

    def within(self, opening: Word, level: int) -> Node:
        """Read a part that lies inside another."""
        self.nested += 1
        if self.nested > MOST_NESTED:
            raise self.error(
                opening.at,
                f"more than {MOST_NESTED} parentheses, signs or powers lie inside one another here",
            )
        node = self.prefix(SIGN) if level == SIGN else self.expression(level)
        self.nested -= 1
        return node

    def power(self) -> Node:
        base = self.atom()
        if not self.is_sign("**"):
            return base
        return Power(base.at, base, self.within(self.take(), SIGN))

    def atom(self) -> Node:
        word = self.take()
        if word.kind == "number":
            return self._number(word)
        if word.kind == "text":
            return Text(word.at, re.sub(r"""\\(['"\\])""", r"\1", word.value[1:-1]))
        if word.kind == "quoted":
            return Column(word.at, word.value)
        if word.kind == "name":
            return self._name(word)
        if word.kind == "sign" and word.value == "(":
            node = self.within(word, OR)
            self._close(word)
            return node
        self.next -= 1
        raise self.error(word.at, self._why_no_operand(word))

    def _number(self, word: Word) -> Node:
        following = self.word
        if following.at == word.at + len(word.value) and following.kind in ("name", "number", "quoted"):
            raise self.error(following.at, f"an operator is missing between '{word.value}' and what follows")
        if word.value.isdigit() and len(word.value) <= 20 and int(word.value) <= _LARGEST_WHOLE:
            return Number(word.at, int(word.value))
        number = float(word.value)
        if math.isinf(number):
            raise self.error(word.at, "this number is too large")
        return Number(word.at, number)

    def _name(self, word: Word) -> Node:
        if self.is_sign("("):
            return self._call(word)
        if word.value in _TRUTHS:
            return Truth(word.at, _TRUTHS[word.value])
        return Column(word.at, word.value)

    def _call(self, word: Word) -> Node:
        function = FUNCTIONS.get(word.value)
        if function is None:
            hint = did_you_mean(word.value, FUNCTIONS) or "; there are " + ", ".join(FUNCTIONS)
            raise self.error(word.at, f"there is no function '{word.value}'{hint}")
        call = Call(word.at, word.value, self._arguments())
        count, most = len(call.arguments), function.most
        if count < function.least or (most is not None and count > most):
            raise self.error(word.at, f"'{word.value}' takes {function.takes()}, not {count}")
        if word.value == "through":
            return self._box(call)
        return self._polygon(call) if word.value == "inside" else call

    def _arguments(self) -> tuple[Node, ...]:
        opening = self.take()
        arguments: list[Node] = []
        while not (self.is_sign(")") and not arguments):
            arguments.append(self.within(opening, OR))
            if not self.is_sign(","):
                break
            self.take()
        self._close(opening)
        return tuple(arguments)

    def _polygon(self, call: Call) -> Call:
        for corner in call.arguments[2:]:
            if not isinstance(corner, Number):
                raise self.error(corner.at, "the corners of 'inside' must be numbers: x1, y1, x2, y2, ...")
        if len(call.arguments) % 2:
            raise self.error(call.arguments[-1].at, "the last corner of 'inside' has an x but no y")
        return call

    def _box(self, call: Call) -> Through:
        numbers = [float(one.number) for one in call.arguments[:4] if isinstance(one, Number)]
        for at, argument in enumerate(call.arguments):
            if at < 4 and not isinstance(argument, Number):
                raise self.error(argument.at, "'through' begins with numbers: first sample, last, low, high")
            if at >= 4 and type(argument) is not Column:
                raise self.error(argument.at, "a baseline of 'through' must be a column, such as bl_int")
        first, last, low, high = numbers
        if not (first.is_integer() and last.is_integer() and 0 <= first <= last):
            raise self.error(
                call.arguments[0].at, "the samples of 'through' must be whole numbers from 0 up, in order"
            )
        if not low < high:
            raise self.error(call.arguments[2].at, "the heights of 'through' must be in order, low first")
        above = tuple(one.name for one in call.arguments[4:] if isinstance(one, Column))
        return Through(call.at, call.text, (first, last, low, high), above)

    def _close(self, opening: Word) -> None:
        if self.is_sign(")"):
            self.take()
        elif self.word.kind == "end":
            raise self.error(opening.at, "this '(' is not closed")
        else:
            raise self.error(self.word.at, self._why_not_closed())

    def _why_not_closed(self) -> str:
        return (
            "a comma has a meaning between arguments only" if self.is_sign(",") else self._why_not_the_end()
        )

    def _why_no_operand(self, word: Word) -> str:
        if word.kind == "end":
            return "the expression ends too early: a number, a column or '(' is missing"
        before = self.words[self.next - 1].value if self.next else ""
        if (before, word.value) in (("&", "&"), ("|", "|"), ("<", ">"), (">", "=")):
            return f"write '{ {'&': '&', '|': '|', '<': '!=', '>': '>='}[before] }'"
        return f"a number, a column or '(' is expected before '{self.spelt(word)}'"
