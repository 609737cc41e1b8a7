"""Tests which peak the sandbox takes from the spectrum, and from run to run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pygama_gui.bridge import Bridge
from pygama_gui.sandbox import Sandbox, is_narrow
from pygama_gui.session import changes
from pygama_gui.session.state import Run


@pytest.mark.parametrize(
    ("region", "is_of_a_peak"),
    [((950.0, 1050.0), True), ((890.0, 1110.0), False), ((0.0, 40_000.0), False), ((5.0, 5.0), False)],
)
def test_only_a_narrow_region_is_that_of_a_peak(region: tuple[float, float], is_of_a_peak: bool) -> None:
    assert is_narrow(region) == is_of_a_peak


def test_a_wide_region_leaves_the_peak_as_it_is(bridge: Bridge, a_run: Callable[..., Run]) -> None:
    sandbox = Sandbox.of(bridge)
    bridge.change(changes.add_runs, [a_run()])
    bridge.change(changes.mark_region, (8600.0, 8740.0))
    assert sandbox.session.line == (8600.0, 8740.0)
    bridge.change(changes.mark_region, (1000.0, 30_000.0))
    assert sandbox.session.line == (8600.0, 8740.0)
