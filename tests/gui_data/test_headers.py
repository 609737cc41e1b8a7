"""Headers side by side."""

from __future__ import annotations

from typing import Any

from pygama_gui.data.headers import differences, values_of


def header(**card: Any) -> dict[str, Any]:
    entry = {"Class Name": "ORSIS3302Model", "Card": 8, **card}
    return {"ObjectInfo": {"Crates": [{"CrateNumber": 1, "Cards": [entry]}]}, "run type": 3}


def test_a_value_of_a_card_is_named_by_its_channel() -> None:
    found = differences(header(threshold=[100, 100, 100, 120]), header(threshold=[100, 100, 100, 180]))
    assert [one.sentence for one in found] == ["crate 1 · ORSIS3302Model card 8 · threshold ch 3: 120 → 180"]


def test_what_is_added_and_removed_is_told() -> None:
    found = differences(header(gain=2), header(filter="on"))
    assert [(one.kind, one.place.rpartition(" · ")[2], one.before, one.after) for one in found] == [
        ("added", "filter", "", "on"),
        ("removed", "gain", "2", ""),
    ]


def test_a_card_is_the_same_wherever_it_stands_in_the_list() -> None:
    one, other = ({"Class Name": "Card", "Card": slot, "gain": slot} for slot in (3, 4))
    assert differences({"Cards": [one, other]}, {"Cards": [other, one]}) == []


def test_every_value_is_there_once() -> None:
    places = [place for place, _ in values_of({"a": [{"b": 1}, {"b": 2}], "c": {"d": [1.5, True]}})]
    assert places == [("a", "[0]", "b"), ("a", "[1]", "b"), ("c", "d", "[0]"), ("c", "d", "[1]")]
    assert differences(header(), header()) == []
