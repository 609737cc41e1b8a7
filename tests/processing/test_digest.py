"""The digest of a column tells whether other steps or settings made it, and nothing else."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from pygama.processing.base import Tier1Processor
from pygama.processing.digest import column_digest, differing, file_digests
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run

CHAIN: list[dict[str, Any]] = [
    {"step": "fit_baseline", "settings": {"i_end": 200}},
    {"step": "bl_subtract"},
    {"step": "pole_zero", "settings": {"tau": 5000}},
    {"step": "trap_filter", "settings": {"rise": 150}},
    {"step": "trap_max"},
]


def changed(place: int, **entry: Any) -> list[dict[str, Any]]:
    chain = copy.deepcopy(CHAIN)
    chain[place] |= entry
    return chain


@pytest.mark.parametrize(
    "chain",
    [
        changed(0, settings={"i_end": 300}),
        changed(2, settings={"tau": 5001}),
        changed(2, enabled=False),
        changed(3, settings={"rise": 151}),
        changed(3, settings={"rise": "4 us"}),
        changed(3, inputs={"wf_blsub": "wf_blsub"}),
        changed(3, channels={"2": {"rise": 99}}),
    ],
)
def test_what_reaches_the_column_matters(chain: list[dict[str, Any]]) -> None:
    assert column_digest(chain, "trap_max", "0/5/2") != column_digest(CHAIN, "trap_max", "0/5/2")


@pytest.mark.parametrize(
    "chain",
    [
        changed(3, settings={"rise": 150.0, "flat": 200}),
        changed(3, outputs={"wf_trap": "wf_other"})[:4]
        + [{"step": "trap_max", "inputs": {"wf_trap": "wf_other"}}],
        changed(3, channels={"3": {"rise": 99}}),
        [*CHAIN, {"step": "avg_baseline"}],
        changed(4, channels={}),
    ],
)
def test_what_does_not_reach_it_does_not(chain: list[dict[str, Any]]) -> None:
    assert column_digest(chain, "trap_max", "0/5/2") == column_digest(CHAIN, "trap_max", "0/5/2") != ""


def test_a_column_of_the_card_has_the_same_digest_whatever_the_chain() -> None:
    assert column_digest(CHAIN, "energy") == column_digest([], "energy") != column_digest([], "timestamp")


def test_what_an_unknown_step_makes_is_not_known() -> None:
    assert column_digest([{"step": "of_a_plugin"}, *CHAIN], "trap_max") == ""


def test_places_differ_only_where_both_are_known() -> None:
    before = {"0/0/0": "a", "0/0/1": "a", "0/0/2": "", "0/0/3": "a"}
    now = {"0/0/0": "a", "0/0/1": "b", "0/0/2": "b", "0/0/3": ""}
    assert differing(before, now) == ["0/0/1"]


def test_a_file_tells_the_digest_of_the_chain_that_made_it(tmp_path: Path) -> None:
    shape = RunShape(run_number=7, n_events=20, n_samples=1200, pulse_at=400)
    raw = write_run(tmp_path / "Run7", shape)
    process_run(raw, processor=Tier1Processor.from_chain(CHAIN), output_dir=tmp_path)
    made = file_digests([tmp_path / "t2_run7.h5"], "trap_max", ["0/8/0"])
    assert made == {"0/8/0": column_digest(CHAIN, "trap_max")}
    assert file_digests([tmp_path / "t2_run7.h5", raw], "trap_max", ["0/8/0"]) == {"0/8/0": ""}
