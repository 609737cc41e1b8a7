"""A quick dataclass is the standard library's in all that anybody sees of it."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama import quick_dataclass

OPTIONS = [
    {"frozen": True, **more}
    for more in ({}, {"slots": True}, {"eq": False}, {"kw_only": True}, {"slots": True, "kw_only": True})
]


def declared(decorator: Callable[..., Any], options: dict[str, bool]) -> type:
    """Declare a class with one of everything that a field can be."""

    @decorator(**options)
    class Peak:
        """A peak."""

        position: float
        name: str = "a line"
        tags: list[str] = field(default_factory=list)
        secret: int = field(default=3, repr=False)
        remark: str = field(default="", compare=False)
        marked: str = field(default="", hash=False)
        twice: float = field(init=False, default=0.0)
        places: tuple[int, ...] = field(default=(), kw_only=True)

        def __post_init__(self) -> None:
            object.__setattr__(self, "twice", 2 * self.position)

    return Peak


def both(options: dict[str, bool]) -> tuple[type, type]:
    return declared(quick_dataclass.dataclass, options), declared(dataclasses.dataclass, options)


def told(call: Callable[[], Any]) -> Any:
    """Give what a call gives, or what kind of error it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  (whatever it is, both must raise the same)
        return type(error)


values = st.fixed_dictionaries(
    {"position": st.floats(allow_nan=False, width=32)},
    optional={
        "name": st.text(max_size=3),
        "tags": st.lists(st.text(max_size=2), max_size=2),
        "secret": st.integers(0, 2),
        "remark": st.text(max_size=2),
        "marked": st.text(max_size=2),
        "places": st.tuples(st.integers(0, 1)),
    },
)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@given(one=values, other=values)
def test_it_is_made_written_and_compared_like_the_standard_one(
    options: dict[str, bool], one: dict[str, Any], other: dict[str, Any]
) -> None:
    quick, standard = both(options)
    assert repr(quick(**one)) == repr(standard(**one))
    assert dataclasses.asdict(quick(**one)) == dataclasses.asdict(standard(**one))
    is_same = quick(**one) == quick(**other), quick(**one) != quick(**other)
    assert is_same == (standard(**one) == standard(**other), standard(**one) != standard(**other))
    changed = [dataclasses.replace(kind(**one), name="new") for kind in (quick, standard)]
    assert repr(changed[0]) == repr(changed[1])
    copied = copy.deepcopy(quick(**one))
    assert repr(copied) == repr(quick(**one))
    if options.get("eq", True):
        hashable = {**one, "tags": ()}
        assert hash(quick(**hashable)) == hash(standard(**hashable))
        assert told(lambda: hash(quick(**one))) == told(lambda: hash(standard(**one))) is TypeError


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_its_signature_is_that_of_the_standard_one(options: dict[str, bool]) -> None:
    quick, standard = both(options)
    assert str(inspect.signature(quick)) == str(inspect.signature(standard))
    assert quick.__match_args__ == standard.__match_args__
    assert quick.__doc__ == standard.__doc__
    assert hasattr(quick(position=1.0), "__dict__") == hasattr(standard(position=1.0), "__dict__")
    for wrong in ((), (1.0, 2, 3, 4, 5, 6, 7, 8, 9)):
        assert (
            told(lambda wrong=wrong: quick(*wrong)) == told(lambda wrong=wrong: standard(*wrong)) is TypeError
        )


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_nothing_of_it_can_be_changed(options: dict[str, bool]) -> None:
    quick, _ = both(options)
    peak = quick(position=1.0)
    with pytest.raises(FrozenInstanceError, match="position"):
        peak.position = 2.0
    with pytest.raises(FrozenInstanceError, match="position"):
        del peak.position
    with pytest.raises(FrozenInstanceError, match="other"):
        peak.other = 2.0
    assert (peak.position, peak.twice) == (1.0, 2.0)


def test_each_object_has_a_list_of_its_own() -> None:
    quick, _ = both({"frozen": True})
    first, second = quick(1.0), quick(1.0)
    first.tags.append("mine")
    assert second.tags == []


def test_methods_that_a_class_writes_itself_stay() -> None:
    @quick_dataclass.dataclass(frozen=True)
    class Whole:
        number: int

        def __repr__(self) -> str:
            return "mine"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    assert (repr(Whole(1)), Whole(1) == Whole(2), hash(Whole(1))) == ("mine", True, 7)


def test_a_class_that_may_change_is_the_standard_library_s() -> None:
    @quick_dataclass.dataclass
    class Counter:
        number: int = 0

    counter = Counter()
    counter.number += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)


@quick_dataclass.dataclass(frozen=True, slots=True)
class Sent:
    """A value that goes to another process."""

    number: int
    name: str = "a"


@quick_dataclass.dataclass(frozen=True)
class Heir(Sent):
    """Has one thing more."""

    more: str = "b"


@pytest.mark.parametrize("value", [Sent(3), Heir(3, more="c")])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_it_comes_back_from_another_process(value: Sent, protocol: int) -> None:
    assert pickle.loads(pickle.dumps(value, protocol)) == value


def test_an_heir_has_the_fields_of_both_and_is_not_the_same() -> None:
    assert [one.name for one in dataclasses.fields(Heir)] == ["number", "name", "more"]
    assert Heir(3) != Sent(3)
    assert repr(Heir(3)) == "Heir(number=3, name='a', more='b')"
