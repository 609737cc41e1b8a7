"""Writes the pages, and the pictures where a run is named, into a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pygama.errors import PygamaError
from pygama.reference import write


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the reference into the folder that is named."""
    parser = argparse.ArgumentParser(prog="python -m pygama.reference", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pages go; pictures go into 'pictures' below it")
    parser.add_argument(
        "--pulse", type=Path, metavar="RAWFILE", help="draw the pictures, of this run's pulses"
    )
    parser.add_argument("--made-up", action="store_true", help="draw the pictures, of made-up pulses")
    given = parser.parse_args(arguments)
    try:
        write(given.folder)
        if given.pulse is not None or given.made_up:
            _draw(given.folder / "pictures", given.pulse)
    except (PygamaError, OSError) as problem:
        sys.stderr.write(f"pygama.reference: {problem}\n")
        return 1
    return 0


def _draw(folder: Path, raw_file: Path | None) -> None:
    from pygama.reference.pictures import draw_all
    from pygama.reference.pulses import made_up_pulses, real_pulses

    draw_all(folder, made_up_pulses() if raw_file is None else real_pulses(raw_file))


if __name__ == "__main__":
    sys.exit(main())
