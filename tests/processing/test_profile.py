"""What each step costs."""

import numpy as np

from pygama.block import Block
from pygama.processing.chain import Chain
from pygama.processing.profile import Profile
from pygama.processing.steps import Step

STEPS = [Step("fit_baseline"), Step("bl_subtract"), Step("trap_filter"), Step("trap_max")]


def profile_of(*, fused: bool, n_rows: int = 300) -> Profile:
    profile = Profile()
    rows = np.zeros(n_rows, [("channel", "i8")])
    block = Block("X", rows, np.full((n_rows, 1200), 500, np.uint16))
    Chain(STEPS, fused=fused, profile=profile).run(block)
    return profile


def test_each_step_is_measured_over_all_rows():
    costs = profile_of(fused=False).costs
    assert [cost.label for cost in costs] == [f"step {n}, {step.name}" for n, step in enumerate(STEPS, 1)]
    assert {cost.rows for cost in costs} == {300}
    assert all(cost.cpu_ns > 0 and cost.us_a_row > 0 for cost in costs)


def test_what_a_step_writes_is_counted_in_bytes_a_row():
    costs = profile_of(fused=False).costs
    assert [cost.bytes_a_row for cost in costs] == [16, 9600, 9600, 8]


def test_the_table_has_a_line_for_each_step_and_one_for_all():
    lines = profile_of(fused=False).lines()
    assert len(lines) == 1 + 4 + 1
    assert lines[1].startswith("step 1, fit_baseline")
    assert lines[-1].endswith("(300 rows)")


def test_nothing_run_gives_a_table_without_steps():
    assert len(Profile().lines()) == 1
