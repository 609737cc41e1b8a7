"""Runs pygama from the command line: from raw files to tiers and spectra; `pygama --help` lists the commands.

Exit status 0: done; 1: an error, said in one sentence on stderr; 2: the command was not understood.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pygama import __version__
from pygama.commands import about, analysing, chains, exporting, processing
from pygama.errors import PygamaError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for and return the exit status."""
    _spare_the_process()
    given = sys.argv[1:] if arguments is None else arguments
    options = _parsed(given)
    try:
        return options.act(options)
    except PygamaError as problem:
        print(f"pygama: {problem}", file=sys.stderr)
    except BrokenPipeError:
        _leave_the_pipe()
    except OSError as problem:
        print(f"pygama: {_told(problem, given)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("pygama: stopped; no output was changed", file=sys.stderr)
    return 1


def _told(problem: OSError, given: Sequence[str]) -> str:
    """Say what the system refused, of the file that was asked for and not of the draft beside it."""
    name = str(problem.filename or "")
    reason = problem.strerror or str(problem)
    path = Path(re.sub(r"(\.\d+)?\.part$", "", name))
    if str(path) == name or name in given:
        return f"{reason}: {name}".rstrip(": ")
    return (
        f"{path.name} cannot be written to '{path.parent}': {reason}; "
        "choose a folder that exists and that you may write to"
    )


def _parsed(given: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; what a command does not know is refused with the usage of that command."""
    parser = build_parser(*given[:1])
    options, unknown = parser.parse_known_args(given)
    if unknown:
        options.of.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def _spare_the_process() -> None:
    """Save a sixth of a short command's time, where the process is ours alone.

    NumPy's OpenBLAS starts a thread for each core, which at first turns on the spot and which nothing here
    needs; what is imported stays, and what an ending process holds goes, without a search for circles.
    """
    if "numpy" not in sys.modules:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        gc.set_threshold(20_000, 20, 20)
        atexit.register(gc.freeze)


def _leave_the_pipe() -> None:
    """Say nothing more: who read our output, as `head` does, has gone."""
    with suppress(AttributeError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Describe the command line; where a command for runs is named, only those, which is quicker."""
    parser = argparse.ArgumentParser(
        prog="pygama", description="From raw ORCA files to waveforms and spectra."
    )
    parser.add_argument("--version", action="version", version=f"pygama {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    others = () if command in processing.COMMANDS else (chains, analysing, exporting, about)
    for group in (processing, *others):
        group.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
