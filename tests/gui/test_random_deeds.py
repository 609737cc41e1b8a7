"""Tests that no series of random deeds breaks the window; see `random_deeds.py`, which makes longer ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("random_deeds.py")
NUMBER = 120
LONGEST_S = 300.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_deeds_break_nothing(seed: int, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    places = {name: str(home / name) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(seed), str(NUMBER)],
        cwd=tmp_path,
        env=os.environ | places | {"HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
