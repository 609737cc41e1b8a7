"""Adds the commands about the program itself: demo and about."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pygama import __version__
from pygama.commands.parts import OUTPUT_HELP, command


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    demo = command(commands, "demo", _demo, "make a run with known gamma lines, process it, find the lines")
    demo.add_argument("-o", "--output-dir", type=Path, metavar="DIR", help=OUTPUT_HELP)
    demo.add_argument("--events", type=int, default=12000, help="events to make (default %(default)s)")
    demo.add_argument("--seed", type=int, default=72, help="seed of the random numbers (default %(default)s)")

    command(commands, "about", _about, "say the version and whether the compiled kernels are in use")


def _demo(options: argparse.Namespace) -> int:
    from pygama.demo import run_demo

    for line in run_demo(options.output_dir or Path.cwd(), n_events=options.events, seed=options.seed):
        print(line, flush=True)
    return 0


def _about(options: argparse.Namespace) -> int:
    from pygama.analysis import counting, region_sums
    from pygama.processing.backends import compiled_kernels
    from pygama.storage import native

    kernels = {
        **compiled_kernels(),
        "counting": counting.compiled is not None,
        "peak fits": region_sums.compiled is not None,
    }
    print(f"pygama {__version__}")
    slow = [name for name, is_compiled in kernels.items() if not is_compiled]
    if slow:
        print(
            f"The {', '.join(slow)} kernels are not compiled: pygama works, but slower, with NumPy. "
            "Install a C compiler and the Python headers, then install pygama again."
        )
    else:
        print(f"compiled kernels in use: {', '.join(kernels)}")
    if not native.bears_threads():
        print(native.NO_THREADS)
    return 0
