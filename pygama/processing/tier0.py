"""Makes Tier 1 files: tables of waveforms and numbers, one for each decoder of a raw run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pygama.processing.outputs import is_aside, shapeless
from pygama.processing.run import process_run
from pygama.progress import (
    Done,
    Message,
    Note,
    Progress,
    Started,
    Tell,
    print_progress,
    shows_partials,
    tell_nobody,
)


def ProcessTier0(  # noqa: N802  (the name of 2018)
    t0_file: Path | str,
    output_prefix: str = "t1",
    chan_list: Sequence[int] | None = None,
    n_max: float = float("inf"),
    verbose: bool = False,
    output_dir: Path | str | None = None,
    decoders: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    compression: str = "zstd",
    suffix: str = "",
    multiprocess: bool = True,
    tell: Tell = tell_nobody,
) -> Path:
    """Turn a raw file into `<output_prefix>_run<N>.h5` and return its path.

    chan_list: channels to keep, all if None. n_max: packets to read, decoded or not. verbose: print a
    report, in place of telling `tell`. decoders: names of the decoders to run, all that there are if None.
    settings: window options (see pygama.processing.windows.Tier0Options). suffix: goes behind the run number
    in the file's name.

    Raises RawFileError, SettingsError or OutputError; then no output was changed.
    """
    report = Tier0Report(print_progress() if verbose else tell)
    done = process_run(
        t0_file,
        output_dir=output_dir,
        tier0=settings,
        n_max=n_max,
        tell=report,
        multiprocess=multiprocess,
        compression=compression,
        suffix=suffix,
        tiers=(1,),
        prefixes=(output_prefix, "t2"),
        decoders=decoders,
        channels=chan_list,
    )
    return done.outputs[0]


class Tier0Report:
    """Words the messages of the work as the printed report of Tier 0."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._has_begun = False
        self.partials = shows_partials(tell)

    def __call__(self, message: Message) -> None:
        if isinstance(message, Progress | Done) and not self._has_begun:
            self._has_begun = True
            self._tell(Note("Beginning Tier 0 processing ..."))
        if isinstance(message, Started):
            self._lines(self._opening(message))
        elif isinstance(message, Done):
            self._lines(self._closing(message))
            self._tell(message)
        else:
            self._tell(message)

    def _lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._tell(Note(line))

    @staticmethod
    def _opening(message: Started) -> list[str]:
        run = [(key, name) for key, name in message.records if name in message.decoders]
        return [
            "Starting pygama Tier 0 processing ...",
            f"  Input file: {message.path}",
            f"Total file size: {message.total_bytes / 1e6:.3f} MB",
            f"Run number: {message.run_number}",
            "Data IDs present in this header are:",
            *(f"    {key}: {name}" for key, name in message.records),
            "pygama will run these decoders:",
            *(f"    {key}: {name}" for key, name in run),
        ]

    @staticmethod
    def _closing(message: Done) -> list[str]:
        lines = []
        for key in message.counts:
            if key.endswith("_Garbage"):
                garbage = _rows_of(key, message.counts)
                good = _rows_of(key.removesuffix("_Garbage"), message.counts)
                lines.append(f"Saving garbage: {garbage} of {good + garbage} total events")
            elif not is_aside(key):
                lines.append(f"Writing {key}")
        path = message.outputs[0]
        return [
            *lines,
            "PROGRESS : [####################] 100.000% Done...",
            "Wrote: Tier 1 File:",
            f"    {path}",
            "FILE INFO:",
            str([f"/{key}" for key in sorted(message.counts)]),
            f"File size: {path.stat().st_size / 1e6:.3f} MB",
            f"Time elapsed: {message.elapsed_s:.2f} sec",
            "Done.",
        ]


def _rows_of(name: str, counts: Mapping[str, int]) -> int:
    """Count the rows of a table and of those beside it that differ in length only."""
    return sum(n for key, n in counts.items() if shapeless(key) == name)
