"""Holds what several commands have in common: options, settings, and doing the same for each file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygama.errors import PygamaError, SettingsError

if TYPE_CHECKING:
    from pygama.analysis.tagging import Tagging
    from pygama.processing.base import Tier1Processor

OUTPUT_HELP = "made where it is not there (default: the working directory)"
SETTINGS_HELP = "settings file, or a Tier 2 file to do as it was done; options here beat it"


def command(commands: Any, name: str, act: Any, about: str) -> argparse.ArgumentParser:
    """Add a command; `act` takes what was given and returns the exit status."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about[0].upper() + about[1:]
    )
    parser.set_defaults(act=act, of=parser)
    return parser


def unit_of_column(column: str) -> str:
    """Give the unit of a column that a processor writes; empty where it has none, or none writes it."""
    from pygama.processing.declare import REGISTRY
    from pygama.processing.steps import Step  # noqa: F401  (it knows all processors)

    units = {name: unit for known in REGISTRY.values() for name, unit in known.writes}
    return units.get(column, "").replace("adc", "ADC")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is written."""
    parser.add_argument("-o", "--output-dir", type=Path, metavar="DIR", help=OUTPUT_HELP)
    parser.add_argument("--suffix", default="", help="goes behind the run number in the file name, as .1")
    parser.add_argument(
        "--compression", default="zstd", help="zstd (default), lz4 (quicker, larger), zlib or none"
    )
    parser.add_argument("--single", action="store_true", help="use one core")


def make_output(options: argparse.Namespace) -> None:
    """Make the folder of what is written, where one is named; raises OutputError."""
    if options.output_dir is not None:
        from pygama.processing.outputs import make_folder

        make_folder(options.output_dir)


def add_plugins(parser: argparse.ArgumentParser) -> None:
    """Add the option that allows plug-ins."""
    parser.add_argument(
        "--allow-plugin",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.py",
        help="run this Python file, which declares more processors; may be given several times",
    )


def add_window(parser: argparse.ArgumentParser) -> None:
    """Add the options of Tier 0."""
    parser.add_argument("--settings", type=Path, metavar="FILE", help=SETTINGS_HELP)
    add_plugins(parser)
    parser.add_argument("--digitizer", metavar="DECODER", help="decoder that the window is for")
    parser.add_argument("--window", choices=("none", "max", "tp"), help="where the window is centred")
    parser.add_argument("--n-samp", metavar="N", help="length of the window: samples, or a time as '4 us'")
    parser.add_argument("--n-blsamp", metavar="N", help="length of the baseline, for window tp")
    parser.add_argument("--n-max", type=float, default=float("inf"), metavar="N", help="packets to read")


def add_calibration(parser: argparse.ArgumentParser, about: str) -> None:
    """Add the option that names a calibration file."""
    parser.add_argument("--calibration", type=Path, metavar="FILE.json", help=about)


def add_tagging(parser: argparse.ArgumentParser, *, is_needed: bool = False) -> None:
    """Add the options by which hits belong together."""
    about = "hits so close in time are one event, as 1e-6" + (
        "" if is_needed else "; a cut may then name event, multiplicity and n_channels"
    )
    parser.add_argument("--window", type=float, required=is_needed, metavar="SECONDS", help=about)
    parser.add_argument("--sliding", action="store_true", help="each hit opens the window anew")
    parser.add_argument("--same-clock", action="store_true", help="one clock drives all cards")
    parser.add_argument(
        "--pulser-in",
        nargs="+",
        default=[],
        metavar="PLACE",
        help="look for the pulser in these channels alone, as 0/8/3: crate, card and channel",
    )


def tagging_of(options: argparse.Namespace) -> Tagging:
    """Give what the options say of how hits belong together."""
    from pygama.analysis.tagging import Tagging

    return Tagging(
        window_s=options.window,
        is_sliding=options.sliding,
        same_clock=options.same_clock,
        pulser_in=tuple(options.pulser_in),
    )


def window_of(options: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """Join the Tier 0 options of the settings file and of the command line."""
    joined = dict(settings.get("tier0", {}))
    for name in ("digitizer", "window", "n_samp", "n_blsamp"):
        if getattr(options, name) is not None:
            joined[name] = getattr(options, name)
    _refuse_idle(options, joined.get("window") or "none")
    return joined


def _refuse_idle(options: argparse.Namespace, window: str) -> None:
    """Raise SettingsError for options of a window that have no effect with the one that is chosen."""
    if options.n_blsamp is not None and window != "tp":
        raise SettingsError(
            f"--n-blsamp is for --window tp, and the window is '{window}': give that, or leave it out"
        )
    idle = [
        f"--{name.replace('_', '-')}"
        for name in ("n_samp", "digitizer")
        if getattr(options, name) is not None
    ]
    if idle and window == "none":
        raise SettingsError(
            f"{' and '.join(idle)}: whole waveforms are kept, so there is no window for it; "
            "add --window max or --window tp"
        )


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """Read the settings that the options name; {} where they name none."""
    if options.settings is None:
        if options.allow_plugin:
            raise SettingsError(
                "a plug-in adds steps that a chain may have: name the chain as well, with --settings FILE"
            )
        return {}
    from pygama.processing.settings import read_settings
    from pygama.processing.windows import Tier0Options

    return read_settings(options.settings, tier0=Tier0Options, plugins=options.allow_plugin)


def processor_of(settings: dict[str, Any], options: argparse.Namespace) -> Tier1Processor:
    """Make the chain that settings hold, or the default one."""
    from pygama.processing.base import Tier1Processor

    source = "" if options.settings is None else options.settings.name
    return Tier1Processor.from_settings(settings, source=source)


def for_each(files: Sequence[Path], act: Any) -> int:
    """Do the same for each file; one that fails does not keep the others from being done."""
    status = 0
    for file in files:
        try:
            act(file)
        except PygamaError as problem:
            print(f"pygama: {problem}", file=sys.stderr)
            status = 1
    return status
