"""Adds the commands about chains and their settings: tune, settings and schema."""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pygama.commands.parts import (
    SETTINGS_HELP,
    add_plugins,
    command,
    processor_of,
    settings_of,
)
from pygama.errors import OutputError

_WIDTH = 0.03
"""Of the window of a line, where none is given: part of its position."""


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    _add_tune(commands)

    settings = command(commands, "settings", _print_settings, "print the settings that a file holds, checked")
    settings.add_argument("file", type=Path, help=SETTINGS_HELP)
    add_plugins(settings)

    schema = command(commands, "schema", _schema, "print the JSON schema of settings files, for editors")
    add_plugins(schema)


def _add_tune(commands: Any) -> None:
    tune = command(commands, "tune", _tune, "find the settings of the chain that make a line sharpest")
    tune.add_argument("file", type=Path, metavar="T1FILE")
    tune.add_argument(
        "--scan",
        action="append",
        required=True,
        metavar="STEP.SETTING=VALUES",
        help="what to try, as trap_filter.rise=200:600:50 or pole_zero.tau='40 us,50 us'; "
        "given twice, all pairs are tried",
    )
    tune.add_argument("--line", type=float, required=True, metavar="ADC", help="where the line is now")
    tune.add_argument(
        "--width", type=float, metavar="ADC", help="of the window of the fit (default: 3 %% of the line)"
    )
    tune.add_argument("--column", default="trap_max", help="column that has the line (default %(default)s)")
    tune.add_argument("--settings", type=Path, metavar="FILE", help="chain to start from")
    add_plugins(tune)
    tune.add_argument(
        "--sample", type=int, default=10000, metavar="N", help="waveforms (default %(default)s)"
    )
    tune.add_argument("--channel", type=int, help="take waveforms of this channel alone")
    tune.add_argument("--json", action="store_true", help="print JSON")
    tune.add_argument(
        "--save", type=Path, metavar="FILE.json", help="write the settings with the best values"
    )


def _tune(options: argparse.Namespace) -> int:
    from pygama.processing.settings import write_settings
    from pygama.tuning import Line, Tuner, read_axes, read_sample

    settings = settings_of(options)
    if options.save is not None:
        _check_saving(options.save)
    axes = read_axes(options.scan)
    sample = read_sample(options.file, options.sample, channel=options.channel)
    width = _WIDTH * abs(options.line) if options.width is None else options.width
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        line = Line(options.line, width, options.column)
        tuner = Tuner(sample, processor_of(settings, options), line, pool=pool)
        if not options.json:
            print(f"{len(sample)} waveforms of {sample.decoder}, {tuner.n_events} of them in the line")
        scan = tuner.scan(axes)
    print(json.dumps(scan.as_dict(), indent=2) if options.json else "\n".join(scan.lines()))
    if options.save is not None:
        write_settings(options.save, **{**settings, "chain": tuner.with_settings(scan.best.settings)})
    return 0


def _check_saving(path: Path) -> None:
    """Raise OutputError where settings cannot be written, or would take the place of something else."""
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "you may not write there" if folder.is_dir() else "there is no such folder"
        raise OutputError(f"{path.name} cannot be written to '{folder}': {why}; choose another")
    if path.exists() and not _holds_settings(path):
        raise OutputError(
            f"{path.name} is there already and is no settings file; it is left as it is. Move it away, "
            "or give another name"
        )


def _holds_settings(path: Path) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and not found.keys().isdisjoint(("chain", "tier0"))


def _print_settings(options: argparse.Namespace) -> int:
    from pygama.processing.settings import read_settings, settings_text
    from pygama.processing.windows import Tier0Options

    found = read_settings(options.file, tier0=Tier0Options, plugins=options.allow_plugin)
    print(settings_text(found), end="")
    return 0


def _schema(options: argparse.Namespace) -> int:
    from pygama.processing.plugins import load_plugins
    from pygama.processing.settings import schema
    from pygama.processing.windows import Tier0Options

    load_plugins(options.allow_plugin)
    print(json.dumps(schema(tier0=Tier0Options), indent=2, ensure_ascii=False))
    return 0
