"""Runs pygama from the command line: info, tier0, tier1, run and demo.

Exit status 0: done; 1: an error, said in one sentence on stderr; 2: the command was not understood.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygama import __version__
from pygama.errors import PygamaError

if TYPE_CHECKING:
    from pygama.processing.base import Tier1Processor


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for and return the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        return options.act(options)
    except PygamaError as problem:
        print(f"pygama: {problem}", file=sys.stderr)
    except BrokenPipeError:
        _leave_the_pipe()
    except OSError as problem:
        print(
            f"pygama: {problem.strerror or problem}: {problem.filename or ''}".rstrip(": "), file=sys.stderr
        )
    except KeyboardInterrupt:
        print("pygama: stopped; no output was changed", file=sys.stderr)
    return 1


def _leave_the_pipe() -> None:
    """Say nothing more: who read our output, as `head` does, has gone."""
    with suppress(AttributeError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="pygama", description="From raw ORCA files to waveforms and spectra."
    )
    parser.add_argument("--version", action="version", version=f"pygama {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    info = _command(commands, "info", _info, "say what a raw file holds")
    info.add_argument("file", type=Path)
    info.add_argument("--json", action="store_true", help="print JSON")
    info.add_argument("--quick", action="store_true", help="read the header alone, count nothing")

    tier0 = _command(commands, "tier0", _tier0, "raw files to Tier 1: waveforms and numbers")
    tier0.add_argument("files", type=Path, nargs="+", metavar="FILE")
    _add_output(tier0)
    _add_window(tier0)

    tier1 = _command(commands, "tier1", _tier1, "Tier 1 files to Tier 2: one row of numbers an event")
    tier1.add_argument("files", type=Path, nargs="+", metavar="T1FILE")
    _add_output(tier1)
    tier1.add_argument("--settings", type=Path, metavar="FILE.json", help="settings file with the chain")
    tier1.add_argument(
        "--save-waves", nargs="+", default=(), metavar="NAME", help="waveforms to keep, as wf_blsub"
    )

    run = _command(commands, "run", _run, "raw files to Tier 1 and Tier 2 in one pass")
    run.add_argument("files", type=Path, nargs="+", metavar="FILE")
    _add_output(run)
    _add_window(run)

    demo = _command(commands, "demo", _demo, "make a run with known gamma lines, process it, find the lines")
    demo.add_argument("-o", "--output-dir", type=Path, metavar="DIR")
    demo.add_argument("--events", type=int, default=12000, help="events to make (default %(default)s)")
    demo.add_argument("--seed", type=int, default=72, help="seed of the random numbers (default %(default)s)")

    _command(commands, "about", _about, "say the version and whether the compiled kernels are in use")
    return parser


def _command(commands: Any, name: str, act: Any, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about[0].upper() + about[1:]
    )
    parser.set_defaults(act=act)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output-dir", type=Path, metavar="DIR", help="default: the working directory")
    parser.add_argument("--suffix", default="", help="goes behind the run number in the file name, as .1")
    parser.add_argument(
        "--compression", default="zstd", help="zstd (default), lz4 (quicker, larger), zlib or none"
    )
    parser.add_argument("--single", action="store_true", help="use one core")


def _add_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings", type=Path, metavar="FILE.json", help="settings file; options here beat it"
    )
    parser.add_argument("--digitizer", metavar="DECODER", help="decoder that the window is for")
    parser.add_argument("--window", choices=("none", "max", "tp"), help="where the window is centred")
    parser.add_argument("--n-samp", type=int, metavar="N", help="samples in the window")
    parser.add_argument("--n-blsamp", type=int, metavar="N", help="samples of the baseline, for window tp")
    parser.add_argument("--n-max", type=float, default=float("inf"), metavar="N", help="packets to read")


def _window(options: argparse.Namespace) -> dict[str, Any]:
    """Join the Tier 0 options of the settings file and of the command line."""
    joined = dict(_settings(options).get("tier0", {}))
    for name in ("digitizer", "window", "n_samp", "n_blsamp"):
        if getattr(options, name) is not None:
            joined[name] = getattr(options, name)
    return joined


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    if options.settings is None:
        return {}
    from pygama.processing.settings import read_settings
    from pygama.processing.windows import Tier0Options

    return read_settings(options.settings, tier0=Tier0Options)


def _processor(options: argparse.Namespace) -> Tier1Processor:
    from pygama.processing.base import Tier1Processor

    chain = _settings(options).get("chain")
    return Tier1Processor(default_list=True) if chain is None else Tier1Processor.from_chain(chain)


def _for_each(files: Sequence[Path], act: Any) -> int:
    """Do the same for each file; one that fails does not keep the others from being done."""
    status = 0
    for file in files:
        try:
            act(file)
        except PygamaError as problem:
            print(f"pygama: {problem}", file=sys.stderr)
            status = 1
    return status


def _tier0(options: argparse.Namespace) -> int:
    from pygama.processing.tier0 import ProcessTier0

    settings = _window(options)
    return _for_each(
        options.files,
        lambda file: ProcessTier0(
            file,
            n_max=options.n_max,
            verbose=True,
            output_dir=options.output_dir,
            settings=settings,
            compression=options.compression,
            suffix=options.suffix,
            multiprocess=not options.single,
        ),
    )


def _tier1(options: argparse.Namespace) -> int:
    from pygama.processing.tier1 import ProcessTier1

    processor = _processor(options)
    return _for_each(
        options.files,
        lambda file: ProcessTier1(
            file,
            processor,
            out_dir=options.output_dir,
            verbose=True,
            compression=options.compression,
            suffix=options.suffix,
            save_waves=options.save_waves,
            multiprocess=not options.single,
        ),
    )


def _run(options: argparse.Namespace) -> int:
    settings, processor = _window(options), _processor(options)
    return _for_each(options.files, lambda file: _run_one(file, options, settings, processor))


def _run_one(
    file: Path, options: argparse.Namespace, settings: dict[str, Any], processor: Tier1Processor
) -> None:
    from pygama.processing.run import process_run
    from pygama.progress import print_progress

    tell = print_progress()
    done = process_run(
        file,
        output_dir=options.output_dir,
        tier0=settings,
        processor=processor,
        n_max=options.n_max,
        tell=tell,
        compression=options.compression,
        suffix=options.suffix,
        multiprocess=not options.single,
    )
    tell.end_line()
    for path in done.outputs:
        print(f"Wrote {path} ({path.stat().st_size / 1e6:.3f} MB)")
    print(f"{done.rows} events in {done.elapsed_s:.2f} s")


def _info(options: argparse.Namespace) -> int:
    from pygama.processing.survey import survey

    found = survey(options.file, count=not options.quick)
    print(json.dumps(found.as_dict(), indent=2) if options.json else "\n".join(found.lines()))
    return 0


def _demo(options: argparse.Namespace) -> int:
    from pygama.demo import run_demo

    for line in run_demo(options.output_dir or Path.cwd(), n_events=options.events, seed=options.seed):
        print(line, flush=True)
    return 0


def _about(options: argparse.Namespace) -> int:
    from pygama.processing.backends import compiled_kernels

    print(f"pygama {__version__}")
    slow = [name for name, is_compiled in compiled_kernels().items() if not is_compiled]
    if slow:
        print(
            f"The {', '.join(slow)} kernels are not compiled: pygama works, but slower, with NumPy. "
            "Install a C compiler and the Python headers, then install pygama again."
        )
    else:
        print("compiled kernels in use")
    return 0


if __name__ == "__main__":
    sys.exit(main())
