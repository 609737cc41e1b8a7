"""Tests which peaks of channels are shared by views."""

from __future__ import annotations

import gc
import weakref

from pygama_gui.data.health import Peak
from pygama_gui.data.hit_tags import Told
from pygama_gui.data.known_peaks import KnownPeaks
from pygama_gui.data.live_run import LiveRun


def test_views_share_the_peaks_of_a_run_and_column() -> None:
    known, live = KnownPeaks(), LiveRun()
    known.of(live, "trap_max")[3] = (100, Peak(2.0))
    assert known.of(live, "trap_max") == {3: (100, Peak(2.0))}
    assert known.of(live, "energy") == {}
    assert known.of(LiveRun(), "trap_max") == {}


def test_what_is_told_of_hits_leaves_peaks_as_they_are_but_other_calibrations_do_not() -> None:
    known, live = KnownPeaks(), LiveRun()
    known.of(live, "trap_max_kev")[3] = (100, Peak(2.0))
    assert known.of(live.with_tags({}, Told()), "trap_max_kev") != {}
    live.calibrations = ("another",)
    assert known.of(live, "trap_max_kev") == {}


def test_peaks_go_with_their_run() -> None:
    known, live = KnownPeaks(), LiveRun()
    known.of(live, "trap_max")[3] = (100, Peak(2.0))
    ring = weakref.ref(live.samples)
    del live
    gc.collect()
    assert ring() is None
