"""Adds the commands that make tiers of raw files and look after them: info, tier0, tier1, run and check."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygama.commands.parts import (
    SETTINGS_HELP,
    add_output,
    add_plugins,
    add_window,
    command,
    for_each,
    make_output,
    processor_of,
    settings_of,
    window_of,
)

if TYPE_CHECKING:
    from pygama.processing.base import Tier1Processor

COMMANDS = ("info", "tier0", "tier1", "run", "check")


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    info = command(commands, "info", _info, "say what a raw file holds")
    info.add_argument("file", type=Path)
    info.add_argument("--json", action="store_true", help="print JSON")
    info.add_argument("--quick", action="store_true", help="read the header alone, count nothing")

    tier0 = command(commands, "tier0", _tier0, "raw files to Tier 1: waveforms and numbers")
    tier0.add_argument("files", type=Path, nargs="+", metavar="FILE")
    add_output(tier0)
    add_window(tier0)

    tier1 = command(commands, "tier1", _tier1, "Tier 1 files to Tier 2: one row of numbers an event")
    tier1.add_argument("files", type=Path, nargs="+", metavar="T1FILE")
    add_output(tier1)
    tier1.add_argument("--settings", type=Path, metavar="FILE", help=SETTINGS_HELP)
    add_plugins(tier1)
    tier1.add_argument("--outputs", nargs="+", metavar="NAME", help="columns that are wanted, as trap_max")
    _add_kept(tier1)
    tier1.add_argument("--profile", action="store_true", help="say what each step of the chain costs")

    run = command(commands, "run", _run, "raw files to Tier 1 and Tier 2 in one pass")
    run.add_argument("files", type=Path, nargs="+", metavar="FILE")
    add_output(run)
    add_window(run)
    _add_kept(run)
    run.add_argument(
        "--skip",
        type=int,
        action="append",
        default=[],
        metavar="BYTE",
        help="leave out the record that begins at this byte; may be given several times",
    )

    check = command(
        commands, "check", _check, "read Tier 1 and Tier 2 files whole: are their bytes as written?"
    )
    check.add_argument("files", type=Path, nargs="+", metavar="TIERFILE")


def _add_kept(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save-waves", nargs="+", metavar="NAME", help="waveforms to keep, as wf_blsub")
    parser.add_argument(
        "--compact",
        action="store_true",
        help="round the columns far below what noise moves them by: Tier 2 is half as large",
    )


def _take_kept(options: argparse.Namespace, settings: dict[str, Any]) -> None:
    """Let what is asked for here beat the settings file."""
    if options.save_waves is not None:
        settings["save_waves"] = options.save_waves
    if options.compact:
        settings["compact"] = True


def _check(options: argparse.Namespace) -> int:
    from pygama.storage.checking import check_file

    n_damaged = 0

    def check(file: Path) -> None:
        nonlocal n_damaged
        checked = check_file(file)
        print("\n  ".join((f"{file.name}: {checked.summary()}", *checked.damaged)), flush=True)
        n_damaged += len(checked.damaged)

    return for_each(options.files, check) or int(n_damaged > 0)


def _info(options: argparse.Namespace) -> int:
    from pygama.processing.survey import survey

    found = survey(options.file, count=not options.quick)
    print(json.dumps(found.as_dict(), indent=2) if options.json else "\n".join(found.lines()))
    return 0


def _tier0(options: argparse.Namespace) -> int:
    from pygama.processing.tier0 import ProcessTier0

    settings = window_of(options, settings_of(options))
    make_output(options)
    return for_each(
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
    settings = settings_of(options)
    if options.outputs is not None:
        settings["outputs"] = options.outputs
    _take_kept(options, settings)
    processor = processor_of(settings, options)
    make_output(options)
    return for_each(options.files, lambda file: _tier1_one(file, options, settings, processor))


def _tier1_one(
    file: Path, options: argparse.Namespace, settings: dict[str, Any], processor: Tier1Processor
) -> None:
    from pygama.processing.profile import Profile
    from pygama.processing.tier1 import ProcessTier1

    profile = Profile() if options.profile else None
    ProcessTier1(
        file,
        processor,
        out_dir=options.output_dir,
        verbose=True,
        compression=options.compression,
        suffix=options.suffix,
        save_waves=settings.get("save_waves", ()),
        multiprocess=not options.single,
        profile=profile,
    )
    for line in profile.lines() if profile is not None else ():
        print(line)


def _run(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    _take_kept(options, settings)
    window, processor = window_of(options, settings), processor_of(settings, options)
    waves = settings.get("save_waves", ())
    make_output(options)
    return for_each(options.files, lambda file: _run_one(file, options, window, processor, waves))


def _run_one(
    file: Path,
    options: argparse.Namespace,
    settings: dict[str, Any],
    processor: Tier1Processor,
    save_waves: Sequence[str],
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
        skip=options.skip,
        save_waves=save_waves,
    )
    tell.end_line()
    for path in done.outputs:
        print(f"Wrote {path} ({path.stat().st_size / 1e6:.3f} MB)")
    print(f"{done.rows} events in {done.elapsed_s:.2f} s")
