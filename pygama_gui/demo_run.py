"""Makes the demo run: a simulated detector with known gamma lines. Runs in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

NAME = "DemoRun1"


def make(folder: Path) -> Path:
    """Write the demo run, unless it is there."""
    from pygama.simulate import demo_shape, write_run

    path = folder / NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_run(path, demo_shape())
    return path


if __name__ == "__main__":
    make(Path(sys.argv[1]))
