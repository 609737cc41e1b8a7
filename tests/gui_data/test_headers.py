"""Headers side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pygama.errors import TierFileError
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.data.headers import CHANGES_EACH_RUN, differences, read_plist, values_of
from pygama_gui.session.files import read_run
from pygama_gui.session.tier_files import kind_of


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


def test_what_each_run_changes_is_left_out(tmp_path: Path) -> None:
    shape = RunShape(run_number=7, n_events=20, n_samples=900, pulse_at=400)
    later = replace(shape, run_number=1234, start_time=shape.start_time + 7200)
    before, after = (
        read_plist(read_run(write_run(tmp_path / f"Run{one.run_number}", one))) for one in (shape, later)
    )
    assert any("RunNumber" in one.place for one in differences(before, after))
    assert differences(before, after, CHANGES_EACH_RUN) == []


def test_an_entry_of_the_same_name_elsewhere_is_not_left_out() -> None:
    found = differences({"Card": {"date": 1}}, {"Card": {"date": 2}}, CHANGES_EACH_RUN)
    assert [one.sentence for one in found] == ["Card · date: 1 → 2"]


def test_of_a_table_that_stands_as_text_the_first_line_that_differs_is_told() -> None:
    before, after = "serial,slot\nB1,3\nB2,4\nB3,5", "serial,slot\nB1,3\nB2,6\nB3,7\nB4,8"
    (found,) = differences({"map": before}, {"map": after})
    assert found.sentence == "map, line 3: B2,4 → B2,6 and 2 more lines"
    (found,) = differences({}, {"map": "a" * 100})
    assert found.sentence == f"map: added, {'a' * 79}…"


def test_the_header_of_a_run_is_in_its_tier_1_file_too(tmp_path: Path) -> None:
    raw = write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=20, n_samples=900, pulse_at=400))
    tier1, tier2 = process_run(raw, output_dir=tmp_path).outputs
    of_tier2 = kind_of(tier2).run
    wanted = read_plist(read_run(raw))
    assert differences(wanted, read_plist(kind_of(tier1).run)) == []
    assert differences(wanted, read_plist(replace(of_tier2, tier1=tier1))) == []
    with pytest.raises(TierFileError, match="t2_run7.h5 is of Tier 2, and has no header"):
        read_plist(of_tier2)
    with pytest.raises(TierFileError, match="t2_run7.h5 holds no header of a run"):
        read_plist(replace(of_tier2, tier1=tier2, tier2=None))
