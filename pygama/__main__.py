"""Runs pygama from the command line: from raw files to tiers and spectra; `pygama --help` lists the commands.

Exit status 0: done; 1: an error, said in one sentence on stderr; 2: the command was not understood.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygama import __version__
from pygama.errors import PygamaError, SettingsError

if TYPE_CHECKING:
    from pygama.processing.base import Tier1Processor


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for and return the exit status."""
    _spare_the_process()
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


def _spare_the_process() -> None:
    """Save a sixth of a short command's time, where the process is ours alone.

    NumPy's OpenBLAS starts a thread for each core, which at first turns on the spot and which nothing here
    needs; and what an ending process holds need not be searched for circles.
    """
    if "numpy" not in sys.modules:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        atexit.register(gc.freeze)


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
    tier1.add_argument("--settings", type=Path, metavar="FILE", help=_SETTINGS_HELP)
    _add_plugins(tier1)
    tier1.add_argument("--outputs", nargs="+", metavar="NAME", help="columns that are wanted, as trap_max")
    tier1.add_argument("--save-waves", nargs="+", metavar="NAME", help="waveforms to keep, as wf_blsub")
    tier1.add_argument("--profile", action="store_true", help="say what each step of the chain costs")

    run = _command(commands, "run", _run, "raw files to Tier 1 and Tier 2 in one pass")
    run.add_argument("files", type=Path, nargs="+", metavar="FILE")
    _add_output(run)
    _add_window(run)
    run.add_argument(
        "--skip",
        type=int,
        action="append",
        default=[],
        metavar="BYTE",
        help="leave out the record that begins at this byte; may be given several times",
    )

    _add_tune(commands)
    _add_select(commands)
    _add_physics(commands)
    _add_calibrate(commands)

    settings = _command(commands, "settings", _settings_of, "print the settings that a file holds, checked")
    settings.add_argument("file", type=Path, help=_SETTINGS_HELP)
    _add_plugins(settings)

    schema = _command(commands, "schema", _schema, "print the JSON schema of settings files, for editors")
    _add_plugins(schema)

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


def _add_tune(commands: Any) -> None:
    tune = _command(commands, "tune", _tune, "find the settings of the chain that make a line sharpest")
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
    _add_plugins(tune)
    tune.add_argument(
        "--sample", type=int, default=10000, metavar="N", help="waveforms (default %(default)s)"
    )
    tune.add_argument("--channel", type=int, help="take waveforms of this channel alone")
    tune.add_argument("--json", action="store_true", help="print JSON")
    tune.add_argument(
        "--save", type=Path, metavar="FILE.json", help="write the settings with the best values"
    )


def _add_select(commands: Any) -> None:
    select = _command(
        commands, "select", _select, "write the waveforms of events that pass a cut into a new Tier 1 file"
    )
    select.add_argument("t1", type=Path, metavar="T1FILE")
    select.add_argument("t2", type=Path, metavar="T2FILE", help="the Tier 2 file of the same run")
    select.add_argument(
        "--cut", required=True, metavar="TEXT", help="which events, as 'trap_max > 100 & channel == 1'"
    )
    select.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="file to make")
    select.add_argument(
        "--compression", default="zstd", help="zstd (default), lz4 (quicker, larger), zlib or none"
    )


def _add_physics(commands: Any) -> None:
    live = _command(commands, "live", _live, "find the pulser, and the real and live time of each channel")
    live.add_argument("t2", type=Path, metavar="T2FILE")
    live.add_argument("--tier1", type=Path, metavar="T1FILE", help="file with the run records of the run")
    live.add_argument(
        "--column", default="trap_max", help="height by which the pulser is found (default %(default)s)"
    )

    events = _command(commands, "events", _events, "put hits of several channels together, and count them")
    events.add_argument("t2", type=Path, metavar="T2FILE")
    events.add_argument("--window", type=float, required=True, metavar="SECONDS", help="as 1e-6")
    events.add_argument("--sliding", action="store_true", help="each hit opens the window anew")
    events.add_argument("--same-clock", action="store_true", help="one clock drives all cards")


def _add_calibrate(commands: Any) -> None:
    calibrate = _command(
        commands, "calibrate", _calibrate, "find the lines of a source in Tier 2 files: ADC counts to keV"
    )
    calibrate.add_argument("files", type=Path, nargs="+", metavar="T2FILE", help="taken as one run")
    calibrate.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME",
        help="as Th-228; may be given several times; without it, all that are known are tried",
    )
    calibrate.add_argument("--column", default="trap_max", help="column to calibrate (default %(default)s)")
    calibrate.add_argument(
        "--gain", type=float, metavar="ADC", help="ADC counts a keV that are expected, to 10 %%"
    )
    calibrate.add_argument("--quadratic", action="store_true", help="fit a parabola, not a straight line")
    calibrate.add_argument("--through-zero", action="store_true", help="0 ADC counts are 0 keV")
    calibrate.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.json",
        help="write the calibration; it is applied when files are read, and changes none",
    )

    drift = _command(commands, "drift", _drift, "say how lines and gains moved between two calibrations")
    drift.add_argument("old", type=Path, metavar="OLD.json")
    drift.add_argument("new", type=Path, metavar="NEW.json")
    drift.add_argument(
        "--sigma", type=float, default=3.0, help="least significance to report (default %(default)s)"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output-dir", type=Path, metavar="DIR", help="default: the working directory")
    parser.add_argument("--suffix", default="", help="goes behind the run number in the file name, as .1")
    parser.add_argument(
        "--compression", default="zstd", help="zstd (default), lz4 (quicker, larger), zlib or none"
    )
    parser.add_argument("--single", action="store_true", help="use one core")


_SETTINGS_HELP = "settings file, or a Tier 2 file to do as it was done; options here beat it"


def _add_plugins(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-plugin",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.py",
        help="run this Python file, which declares more processors; may be given several times",
    )


def _add_window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", type=Path, metavar="FILE", help=_SETTINGS_HELP)
    _add_plugins(parser)
    parser.add_argument("--digitizer", metavar="DECODER", help="decoder that the window is for")
    parser.add_argument("--window", choices=("none", "max", "tp"), help="where the window is centred")
    parser.add_argument("--n-samp", type=int, metavar="N", help="samples in the window")
    parser.add_argument("--n-blsamp", type=int, metavar="N", help="samples of the baseline, for window tp")
    parser.add_argument("--n-max", type=float, default=float("inf"), metavar="N", help="packets to read")


def _window(options: argparse.Namespace, settings: dict[str, Any]) -> dict[str, Any]:
    """Join the Tier 0 options of the settings file and of the command line."""
    joined = dict(settings.get("tier0", {}))
    for name in ("digitizer", "window", "n_samp", "n_blsamp"):
        if getattr(options, name) is not None:
            joined[name] = getattr(options, name)
    return joined


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    if options.settings is None:
        if options.allow_plugin:
            raise SettingsError(
                "a plug-in adds steps that a chain may have: name the chain as well, with --settings FILE"
            )
        return {}
    from pygama.processing.settings import read_settings
    from pygama.processing.windows import Tier0Options

    return read_settings(options.settings, tier0=Tier0Options, plugins=options.allow_plugin)


def _processor(settings: dict[str, Any]) -> Tier1Processor:
    from pygama.processing.base import Tier1Processor

    return Tier1Processor.from_settings(settings)


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

    settings = _window(options, _settings(options))
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
    settings = _settings(options)
    if options.outputs is not None:
        settings["outputs"] = options.outputs
    if options.save_waves is not None:
        settings["save_waves"] = options.save_waves
    processor = _processor(settings)
    return _for_each(options.files, lambda file: _tier1_one(file, options, settings, processor))


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
    settings = _settings(options)
    if settings.get("save_waves"):
        raise SettingsError(
            "waveforms are saved from a Tier 1 file: leave save_waves out, then use 'pygama tier1' for them"
        )
    window, processor = _window(options, settings), _processor(settings)
    return _for_each(options.files, lambda file: _run_one(file, options, window, processor))


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
        skip=options.skip,
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


def _tune(options: argparse.Namespace) -> int:
    from pygama.processing.settings import write_settings
    from pygama.tuning import Line, Tuner, read_axes, read_sample

    settings = _settings(options)
    axes = read_axes(options.scan)
    sample = read_sample(options.file, options.sample, channel=options.channel)
    width = options.width or 0.03 * options.line
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tuner = Tuner(sample, _processor(settings), Line(options.line, width, options.column), pool=pool)
        if not options.json:
            print(f"{len(sample)} waveforms of {sample.decoder}, {tuner.n_events} of them in the line")
        scan = tuner.scan(axes)
    print(json.dumps(scan.as_dict(), indent=2) if options.json else "\n".join(scan.lines()))
    if options.save is not None:
        write_settings(options.save, **{**settings, "chain": tuner.with_settings(scan.best.settings)})
    return 0


def _select(options: argparse.Namespace) -> int:
    from pygama.progress import Done, Message, print_progress
    from pygama.retrieve import select_events

    tell, rows = print_progress(), 0

    def listen(message: Message) -> None:
        nonlocal rows
        tell(message)
        rows = message.rows if isinstance(message, Done) else rows

    path = select_events(
        options.t1, options.t2, options.cut, options.output, compression=options.compression, tell=listen
    )
    tell.end_line()
    print(f"Wrote {path} ({path.stat().st_size / 1e6:.3f} MB), {rows} events")
    return 0


def _columns_of(path: Path, *names: str) -> dict[str, Any]:
    from pygama.storage import TierFile

    with TierFile(path) as file:
        table = file.table("data")
        wanted = [name for name in ("time_s", "channel", "card", "crate", *names) if name in table.columns]
        return {name: table.column(name) for name in wanted}


def _live(options: argparse.Namespace) -> int:
    from pygama.analysis.live_time import live_times

    columns = _columns_of(options.t2, options.column)
    found = live_times(columns, tier1=options.tier1, amplitude=options.column)
    print("\n".join([*(found.tag.lines() if found.tag is not None else ()), *found.lines()]))
    return 0


def _events(options: argparse.Namespace) -> int:
    import numpy as np

    from pygama.analysis.events import build_events

    columns = _columns_of(options.t2)
    built = build_events(columns, options.window, sliding=options.sliding, same_clock=options.same_clock)
    print(f"{len(built.event)} hits of {len(built.places)} channels make {len(built)} events")
    for channels, count in enumerate(np.bincount(built.table["n_channels"])[1:].tolist(), start=1):
        print(f"  {channels} channel{'s' if channels > 1 else ''}: {count}")
    real_s = float(np.ptp(columns["time_s"])) if len(built) else 0.0
    if real_s > 0:
        chance = built.accidentals(real_s)
        print(f"by chance: {chance.expected:.3g} ± {chance.error:.2g} of them have two channels or more")


def _calibrate(options: argparse.Namespace) -> int:
    from pygama.analysis.calibration import PLACE, Recipe, calibrate_channels, read_together, report
    from pygama.analysis.calibration_file import write_calibration

    gain_range = None if options.gain is None else (0.9 * options.gain, 1.1 * options.gain)
    recipe = Recipe(tuple(options.source), gain_range, options.quadratic, options.through_zero)
    columns = read_together(options.files, [*PLACE, options.column])
    calibration = calibrate_channels(
        columns, recipe, column=options.column, made_from=[file.name for file in options.files]
    )
    for line in report(calibration):
        print(line)
    if all(one.curve is None for one in calibration.channels.values()):
        raise SettingsError("no channel could be calibrated; nothing was written")
    if options.output is not None:
        write_calibration(options.output, calibration)
        print(f"\nWrote {options.output}")
    return 0


def _drift(options: argparse.Namespace) -> int:
    from pygama.analysis.calibration_file import read_calibration
    from pygama.analysis.drift import report

    for line in report(read_calibration(options.old), read_calibration(options.new), min_sigma=options.sigma):
        print(line)
    return 0


def _settings_of(options: argparse.Namespace) -> int:
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
