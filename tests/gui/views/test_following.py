"""Keeps what was followed of runs, and forgets what nobody looks at any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.outputs import Outputs
from pygama_gui.session.state import Run
from pygama_gui.views import following as module
from pygama_gui.views.following import Following
from pygama_gui.views.log import LastLineView


def test_rows_read_for_the_bands_of_many_runs_are_let_go_the_oldest_first(
    qtbot: QtBot, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def note(path: Path) -> LiveRun:
        read.append(path)
        return LiveRun()

    monkeypatch.setattr(module, "_read", note)
    monkeypatch.setattr(module, "MOST_READ", 2)
    runs = [Run(str(n), Path(f"Run{n}"), n) for n in range(3)]
    bridge.restore([(run, Outputs(None, Path(f"t2_run{run.run_id}.h5"), 10, 0.0)) for run in runs])
    owner = LastLineView(bridge)
    qtbot.addWidget(owner)
    following = Following(owner)

    def has_read(run_id: str) -> bool:
        return following.table_of(run_id) is not None

    for run_id in ("0", "1", "0", "2"):
        qtbot.waitUntil(lambda run_id=run_id: has_read(run_id), timeout=10_000)  # type: ignore[misc]
    assert [path.name for path in read] == ["t2_run0.h5", "t2_run1.h5", "t2_run2.h5"]
    assert has_read("0")
    assert not has_read("1")
