"""Expressions over columns, against NumPy and pandas doing the same, and what is said of mistakes."""

from __future__ import annotations

import pickle
from functools import reduce

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis import counting
from pygama.analysis.expression_nodes import FUNCTIONS, points_inside, points_inside_plainly, sides_of
from pygama.analysis.expressions import BLOCK, ExpressionError, parse

NAN, INF = np.nan, np.inf
TABLE = {
    "energy": np.array([1.0, 5.0, NAN, INF, -2.0]),
    "channel": np.array([1, 2, 3, 4, 5], np.uint16),
    "is_short": np.array([True, False, False, True, False]),
    "card": np.array(["a", "b", "a", "", "c"]),
    "odd name": np.array([0.0, 1.0, 2.0, 3.0, 4.0]),
}


def values(text, columns=TABLE):
    return parse(text).evaluate(columns).tolist()


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ([True, True, False, False, False], "0 <= energy < 9"),
        ([False, True, False, True, False], "energy > 2"),
        ([True, True, False, True, True], "energy != 3"),
        ([False, False, False, True, False], "energy == energy & energy > 1e300"),
        ([False, True, False, False, False], "energy > 2 & ~is_short"),
        ([False, True, False, False, False], "energy > 2 and not is_short"),
        ([True, True, False, True, False], "is_short | energy > 2"),
        ([True, True, False, True, True], "is_short or energy > 2 or energy < 0"),
        ([False, False, True, False, True], "card == 'a' & ~is_short | card == \"c\""),
        ([True, False, True, True, True], "card != 'b'"),
        ([False, False, False, True, True], "`odd name` >= 3"),
        ([-1.0, -2.0, -3.0, -4.0, -5.0], "-channel"),
        ([-4.0, -3.0, -2.0, -1.0, 0.0], "channel - 5"),
        ([-1.0, -4.0, -9.0, -16.0, -25.0], "-channel ** 2"),
        ([0.5, 1.0, 1.5, 2.0, 2.5], "channel ** 2 / channel / 2"),
        ([1.0, 0.0, 1.0, 0.0, 1.0], "channel % 2"),
        ([7.0, 8.0, 9.0, 10.0, 11.0], "1 + 2 * 3 + channel - 1"),
        ([1.0, 2.0, 2.5, 2.5, 2.5], "min(channel, 2.5)"),
        ([3.0, 3.0, 3.0, 4.0, 5.0], "max(1, channel, 3)"),
        ([1.0, 2.0, 0.0, 4.0, 0.0], "where(is_short | channel == 2, channel, 0)"),
        ([False, False, True, False, False], "isnan(energy)"),
        ([True, True, False, False, True], "isfinite(energy)"),
        ([2.0, 1.0, 2.0, 2.0, 1.0], "1 + (is_short == true) + isnan(energy)"),
        ([0.0, 1.0, 1.0, 2.0, 2.0], "floor(channel / 2)"),
        ([0.0, 1.0, 2.0, 2.0, 2.0], "round(channel / 2)"),
        ([3.0] * 5, "3.0"),
        ([False] * 5, "1 > 2"),
    ],
)
def test_an_expression_gives(expected, text):
    assert values(text) == expected


def test_a_nan_passes_no_comparison_but_the_opposite_of_one():
    for operator in ("<", "<=", ">", ">=", "==", "!="):
        assert values(f"energy {operator} 1")[2] is False
        assert values(f"~(energy {operator} 1)")[2] is True


def test_comparisons_bind_tighter_than_and_or_not():
    assert parse("a > 1 & b < 2 | ~c == 3") == parse("((a > 1) & (b < 2)) | (~(c == 3))")


def test_whole_numbers_are_compared_to_the_last_digit():
    columns = {"stamp": np.array([2**60, 2**60 + 1]), "top": np.array([2**63, 2**64 - 1], np.uint64)}
    assert values(f"stamp > {2**60}", columns) == [False, True]
    assert values(f"top == {2**64 - 1}", columns) == [False, True]
    assert values(f"stamp > -{2**63}", columns) == [True, True]
    assert values("stamp < top", columns) == [True, True]


def test_small_whole_numbers_do_not_wrap_round():
    assert values("channel - 3 < 0") == [True, True, False, False, False]
    assert values("channel * 70000 > 70000")[1]


def test_a_column_of_float32_is_compared_by_its_exact_values():
    columns = {"x": np.array([0.1, 0.5], np.float32)}
    assert values("x == 0.1", columns) == [False, False]
    assert values("x == 0.5", columns) == [False, True]


def test_columns_of_bytes_and_of_objects_are_text():
    columns = {"b": np.array([b"adc", b"x"]), "o": np.array(["adc", None], object)}
    assert values("b == 'adc' & o == b", columns) == [True, False]
    assert values("o == ''", columns) == [False, True]


def test_a_data_frame_is_as_good_as_a_dict():
    frame = pd.DataFrame(TABLE)
    assert parse("energy > 2 & card == 'b'").evaluate(frame).tolist() == values("energy > 2 & card == 'b'")


def test_many_rows_are_as_few_rows_one_after_the_other():
    x = np.random.default_rng(1).normal(size=2 * BLOCK + 7)
    asked = []
    got = parse("0 < x + 1 < 2 | x > 2.5").evaluate({"x": x}, keep_on=lambda: asked.append(1))
    assert (got == ((x + 1 > 0) & (x + 1 < 2) | (x > 2.5))).all()
    assert len(asked) == 2


def test_what_it_is_asked_to_keep_on_by_may_stop_it():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parse("x > 0").evaluate({"x": np.zeros(BLOCK + 1)}, keep_on=stop)


def test_names_are_told_once_in_their_order():
    assert parse("b > a & `odd name` < b + min(c, 1)").columns == ("b", "a", "odd name", "c")


def test_the_result_is_no_view_of_the_column():
    column = np.zeros(3)
    parse("x").evaluate({"x": column})[:] = 1
    assert not column.any()


@pytest.mark.parametrize(
    ("position", "part", "text"),
    [
        (4, "ends too early", "a > "),
        (0, "ends too early", ""),
        (4, "is expected before '*'", "a + * b"),
        (4, "is not closed", "1 + (a > 3"),
        (5, "closes nothing", "a > 3)"),
        (2, "operator is missing before 'b'", "a b > 3"),
        (1, "operator is missing between '3'", "3keV < a"),
        (3, "operator is missing between '3.4'", "3.4.5 < a"),
        (2, "write '=='", "a = 3"),
        (0, "write '~'", "!a"),
        (3, "write '&'", "a && b"),
        (3, "write '!='", "a <> b"),
        (2, "'**'", "a ^ 2"),
        (2, "write '<='", "a ≤ 2"),
        (4, "has no meaning here", "a > @"),
        (0, "'abz'; did you mean 'abs'?", "abz(a)"),
        (0, "there is no function '__import__'", "__import__('os')"),
        (1, "backquotes", "a.b"),
        (0, "'sqrt' takes 1 argument, not 2", "sqrt(a, b)"),
        (0, "'where' takes 3 arguments, not 1", "where(a)"),
        (0, "'min' takes 2 arguments or more, not 1", "min(a)"),
        (0, "'inside' takes 8 arguments or more, not 4", "inside(x, y, 1, 2)"),
        (31, "an x but no y", "inside(x, y, 1, 2, 3, 4, 5, 6, 7)"),
        (13, "must be numbers", "inside(x, y, a, 2, 3, 4, 5, 6)"),
        (5, "does not end", "a == 'b"),
        (4, "too large", "a > 1e999"),
        (3, "comma has a meaning between arguments only", "(a , b)"),
        (4, "parentheses", "a + ~b"),
        (2, "small letters", "a AND b"),
        (6, "'not' has no meaning here", "a > 3 not b"),
    ],
)
def test_a_mistake_is_pointed_at(position, part, text):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.position == position
    assert part in str(caught.value)
    assert str(caught.value).endswith(f"(character {caught.value.position + 1})")


@pytest.mark.parametrize(
    ("position", "part", "text"),
    [
        (0, "column 'enrgy' is not there; did you mean 'energy'?", "enrgy > 3"),
        (8, "column 'Channel' is not there; did you mean 'channel'?", "1 < 2 & Channel > 3"),
        (4, "'sqrt' is a function; write 'sqrt(...)'", "3 < sqrt"),
        (10, "write 'isnan(...)'", "energy == nan"),
        (0, "'&' takes yes or no, and 'energy' is numbers; write 'energy != 0'", "energy & is_short"),
        (1, "'~' takes yes or no, and 'channel' is numbers", "~channel"),
        (0, "'+' takes numbers, and 'card' is text", "card + 1"),
        (8, "'==' compares text with numbers", "card == 1"),
        (7, "text can be compared with '==' and '!='", "card < 'b'"),
        (5, "'sqrt' takes numbers, and 'card' is text", "sqrt(card)"),
        (24, "between two numbers or between two texts", "where(is_short, energy, card)"),
    ],
)
def test_a_mistake_that_the_columns_show_is_pointed_at(position, part, text):
    for act in (parse(text).evaluate, parse(text).check):
        with pytest.raises(ExpressionError) as caught:
            act(TABLE)
        assert caught.value.position == position
        assert part in str(caught.value)


def test_a_cut_must_say_yes_or_no():
    assert parse("energy > 3").mask(TABLE).tolist() == [False, True, False, True, False]
    with pytest.raises(ExpressionError, match=r"this gives numbers; compare it with something"):
        parse("energy + 3").mask(TABLE)


def test_columns_that_are_no_numbers_or_not_of_one_length_are_refused():
    with pytest.raises(ExpressionError, match=r"array of shape \(2, 3\)"):
        parse("w > 3").evaluate({"w": np.zeros((2, 3))})
    with pytest.raises(ExpressionError, match="complex"):
        parse("w > 3").evaluate({"w": np.zeros(2, complex)})
    with pytest.raises(ExpressionError, match="column 'b' has 3 rows, not 2"):
        parse("a > b").evaluate({"a": np.zeros(2), "b": np.zeros(3)})
    with pytest.raises(ExpressionError, match="holds other things than text"):
        parse("a == 'b'").evaluate({"a": np.array(["b", [1]], object)})


def test_an_error_goes_through_a_pipe_and_shows_the_place():
    with pytest.raises(ExpressionError) as caught:
        parse("a > * 3")
    again = pickle.loads(pickle.dumps(caught.value.inside("cut 'low'")))
    assert str(again) == "cut 'low': a number, a column or '(' is expected before '*' (character 5)"
    assert again.pointed() == "a > * 3\n    ^"


@pytest.mark.parametrize("text", ["(" * 10000 + "1" + ")" * 10000, "-" * 10000 + "1", "2" + "**2" * 10000])
def test_what_lies_too_deep_is_refused_in_words(text):
    with pytest.raises(ExpressionError, match="inside one another"):
        parse(text)


def test_what_is_nested_as_deep_as_allowed_can_be_read_written_and_evaluated():
    text = "1 < 2 | 3 < 4 & 5 < 1 + 2 * (" * 28 + "1" + ")" * 28
    assert parse(parse(text).text).evaluate({}, n_rows=1).tolist() == [True]


def test_a_long_sum_is_no_deep_one():
    text = " + ".join(["x"] * 10000) + " > 1"
    assert values(text, {"x": np.array([1.0])}) == [True]
    assert parse(" & ".join(["x > 0"] * 10000)).evaluate({"x": np.array([1.0])}).tolist() == [True]


def test_a_tower_of_powers_is_infinite_at_once():
    assert values("9 ** 9 ** 9 ** 9 > 1", {"x": np.zeros(1)}) == [True]


def test_too_long_a_text_is_refused():
    with pytest.raises(ExpressionError, match="100000 characters at most"):
        parse("1" * 100001)


def test_every_function_says_what_it_is():
    assert all(function.about for function in FUNCTIONS.values())


SQUARE = "inside(x, y, 0, 0, 2, 0, 2, 2, 0, 2)"
ARROW = "inside(x, y, 0, 0, 4, 0, 4, 4, 2, 1, 0, 4)"


def test_a_polygon_holds_its_low_edges_and_not_its_high_ones():
    x, y = np.meshgrid([-1.0, 0.0, 1.0, 2.0, NAN, INF, -INF], [-1.0, 0.0, 1.0, 2.0, NAN, INF, -INF])
    got = parse(SQUARE).evaluate({"x": x.ravel(), "y": y.ravel()})
    assert got.tolist() == ((x >= 0) & (x < 2) & (y >= 0) & (y < 2)).ravel().tolist()


def test_a_polygon_may_be_hollow_on_a_side():
    columns = {"x": np.array([2.0, 2.0, 0.5, 3.5]), "y": np.array([0.5, 2.0, 2.0, 2.0])}
    assert values(ARROW, columns) == [True, False, True, True]


@given(st.lists(st.tuples(*[st.integers(-4, 4)] * 2), min_size=3, max_size=7), st.randoms())
def test_a_polygon_is_the_same_from_any_corner_and_either_way_round(corners, random):
    x, y = (values.ravel() for values in np.meshgrid(np.arange(-5, 5, 0.25), np.arange(-5, 5, 0.25)))
    expected = points_inside(x, y, np.array(corners, float))
    turn = random.randrange(len(corners))
    for other in (corners[turn:] + corners[:turn], corners[::-1]):
        assert (points_inside(x, y, np.array(other, float)) == expected).all()


@pytest.mark.skipif(counting.compiled is None, reason="the compiled counting is not built")
@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 2), min_size=3, max_size=12), st.integers(0, 3000))
def test_compiled_polygons_are_plain_polygons(corners, n):
    rng = np.random.default_rng(n)
    x, y = rng.choice([*np.array(corners).ravel(), NAN, INF, -INF, 0.5], (2, n))
    x, y = np.concatenate([x, rng.uniform(-1e3, 1e3, n)]), np.concatenate([y, rng.uniform(-1e3, 1e3, n)])
    with np.errstate(all="ignore"):
        expected = points_inside_plainly(x, y, sides_of(np.array(corners)))
    assert points_inside(x, y, np.array(corners)).tolist() == expected.tolist()


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_two_polygons_with_a_common_edge_share_no_point_and_miss_none(a, b):
    x, y = (values.ravel() for values in np.meshgrid(np.arange(-4, 4, 0.25), np.arange(-4, 4, 0.25)))
    low, high = np.array([a, -4.0]), np.array([b, 3.5])
    left = points_inside(x, y, np.array([[-4, -4], low, high, [-4, 3.5]]))
    right = points_inside(x, y, np.array([low, [3.5, -4], [3.5, 3.5], high]))
    whole = (x >= -4) & (x < 3.5) & (y >= -4) & (y < 3.5)
    assert (left ^ right == whole).all()
    assert not (left & right).any()


# What follows makes expressions at random, together with NumPy doing the same.

NUMBERS = st.one_of(st.integers(-1000, 2**40), st.floats(allow_nan=False, allow_infinity=False), st.just(0.0))


@st.composite
def tables(draw):
    n = draw(st.integers(0, 12))

    def column(elements, dtype):
        return np.array(draw(st.lists(elements, min_size=n, max_size=n)), dtype)

    floats = st.one_of(st.floats(), st.sampled_from([NAN, INF, -INF, 0.0, -0.0, 1.0, 2.0]))
    return {
        "f": column(floats, np.float64),
        "g": column(st.one_of(st.floats(width=32), st.just(NAN)), np.float32),
        "i": column(st.integers(-(2**63), 2**63 - 1), np.int64),
        "u": column(st.integers(0, 255), np.uint8),
        "p": column(st.booleans(), np.bool_),
        "q": column(st.booleans(), np.bool_),
    }


def _number(number):
    shown = repr(number) if number >= 0 else f"({number!r})"
    return shown, lambda columns: np.float64(number)


def _column(name):
    return name, lambda columns: columns[name].astype(np.float64)


def _compared(operator, left, right):
    if operator == "!=":
        return (left < right) | (left > right)
    operators = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal}
    return operators[operator](left, right)


def _in_twos(draw, inner):
    (a, left), (b, right) = draw(inner), draw(inner)
    operator = draw(st.sampled_from("+-*/%"))
    ufunc = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.remainder}[operator]
    return f"({a} {operator} {b})", lambda columns: ufunc(left(columns), right(columns))


def _in_function(draw, inner):
    (a, one), (b, other) = draw(inner), draw(inner)
    return draw(
        st.sampled_from(
            [
                (f"abs({a})", lambda columns: np.abs(one(columns))),
                (f"sqrt({a})", lambda columns: np.sqrt(one(columns))),
                (f"log10({a})", lambda columns: np.log10(one(columns))),
                (f"(-{a})", lambda columns: -one(columns)),
                (f"({a} ** {b})", lambda columns: one(columns) ** other(columns)),
                (f"min({a}, {b})", lambda columns: np.minimum(one(columns), other(columns))),
                (f"where({a} < {b}, {a}, {b})", lambda c: np.where(one(c) < other(c), one(c), other(c))),
            ]
        )
    )


ARITHMETIC = st.recursive(
    st.one_of(NUMBERS.map(_number), st.sampled_from("fgiupq").map(_column)),
    lambda inner: st.one_of(
        st.composite(lambda draw: _in_twos(draw, inner))(),
        st.composite(lambda draw: _in_function(draw, inner))(),
    ),
    max_leaves=6,
)


@st.composite
def comparisons(draw):
    parts = draw(st.lists(ARITHMETIC, min_size=2, max_size=3))
    # A sum makes float64 of whole columns, as NumPy does here.
    parts = [(f"{text} + 0.0", lambda c, v=value: v(c) + 0.0) for text, value in parts]
    operators = draw(st.lists(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), min_size=2, max_size=2))[
        : len(parts) - 1
    ]
    text = parts[0][0] + "".join(f" {o} {part[0]}" for o, part in zip(operators, parts[1:], strict=True))

    def value(columns):
        found = [part[1](columns) for part in parts]
        pairs = zip(operators, found, found[1:], strict=False)
        return reduce(np.logical_and, [_compared(*pair) for pair in pairs])

    return text, value


@st.composite
def _joined(draw, inner):
    (a, one), (b, other) = draw(inner), draw(inner)
    spelt = draw(st.sampled_from(["&", "and", "|", "or"]))
    join = np.logical_and if spelt in ("&", "and") else np.logical_or
    negated = draw(st.sampled_from(["", "~", "not "]))
    text = f"{negated}({a}) {spelt} ({b})"
    if negated:
        return text, lambda columns: join(~one(columns), other(columns))
    return text, lambda columns: join(one(columns), other(columns))


CUTS = st.recursive(
    st.one_of(comparisons(), st.sampled_from("pq").map(lambda name: (name, lambda c: c[name]))),
    _joined,
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(tables(), CUTS)
def test_a_random_expression_gives_what_numpy_gives(columns, made):
    text, plain = made
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(plain(columns), len(columns["f"]))
    got = parse(text).mask(columns)
    assert got.tolist() == expected.tolist()
    again = parse(parse(text).text)
    assert again == parse(text)
    assert again.text == parse(text).text
    assert again.mask(columns).tolist() == expected.tolist()


WORDS = [
    "f",
    "i",
    "p",
    "1",
    "2.5",
    "<",
    "<=",
    "==",
    "&",
    "|",
    "~",
    "(",
    ")",
    "+",
    "*",
    "-",
    "**",
    "and",
    "not",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*WORDS, "min", "inside", ",", "'a'", "`", "or", "%", "where"]), max_size=12))
def test_random_words_are_read_or_refused_in_words(words):
    _read_or_refused(" ".join(words))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_random_text_is_read_or_refused_in_words(text):
    _read_or_refused(text)


def _read_or_refused(text):
    columns = {name: np.ones(2, kind) for name, kind in {"f": "f8", "i": "i4", "p": "?"}.items()}
    try:
        expression = parse(text)
        assert parse(expression.text) == expression
        assert len(expression.evaluate(columns)) == 2
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
        assert error.sentence


@settings(max_examples=100, deadline=None)
@given(
    tables(),
    st.lists(st.sampled_from(["f > 1", "i < u", "p", "g >= 0.5", "u == 3", "q"]), min_size=3, max_size=3),
    st.data(),
)
def test_and_or_not_bind_as_in_a_pandas_query(columns, parts, data):
    a, b, c = parts
    one, other = data.draw(st.tuples(*[st.sampled_from(["and", "or"])] * 2))
    text = f"{data.draw(st.sampled_from(['', 'not ']))}{a} {one} {b} {other} {c}"
    frame = pd.DataFrame(columns)
    expected = frame.query(text, engine="python").index.tolist() if len(frame) else []
    assert np.flatnonzero(parse(text).mask(columns)).tolist() == expected
