"""Makes the 2 GB run of the benchmarks, measures whole processes, and prints what was measured."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pygama.simulate import benchmark_shape, write_run

REPEATS = 3


@dataclass(frozen=True)
class Measured:
    """Medians of whole-process runs."""

    wall_s: float
    cpu_s: float
    peak_mib: float


@dataclass
class Report:
    """Rows that are printed when all benchmarks are done."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    pairs: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, figure: str, measured: str, must: str = "", aim: str = "") -> None:
        self.rows.append((figure, measured, must, aim))

    def pair(self, figure: str, ours: str, theirs: str = "", ratio: str = "", note: str = "") -> None:
        """Add a figure of ours beside the peer's; ratio: ours over theirs."""
        self.pairs.append((figure, ours, theirs, ratio, note))

    def lines(self) -> Iterator[str]:
        if self.rows:
            for figure, measured, must, aim in [("figure", "measured", "must", "aim"), *self.rows]:
                yield f"{figure:<58} {measured:>22} {must:>16} {aim:>14}"
        if self.pairs:
            head = ("figure", "ours", "peer", "ours/peer", "")
            for figure, ours, theirs, ratio, note in [head, *self.pairs]:
                yield f"{figure:<46} {ours:>26} {theirs:>44} {ratio:>13}  {note}".rstrip()
        yield from self.notes

    def markdown(self) -> Iterator[str]:
        """Give the figures beside the peer's as the table of resources/docs/benchmarks.md."""
        for row in [("figure", "ours", "dspeed", "ours/dspeed", ""), ("---",) * 5, *self.pairs]:
            yield "| " + " | ".join(row) + " |"


_report = Report()


@pytest.fixture(scope="session")
def report() -> Report:
    """Collect rows for the closing table."""
    return _report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _report.rows or _report.pairs or _report.notes:
        terminalreporter.section("figures")
        for line in _report.lines():
            terminalreporter.write_line(line)
    if "PYGAMA_FIGURES" in os.environ:
        Path(os.environ["PYGAMA_FIGURES"]).write_text("\n".join(_report.markdown()) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def big_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make run 72: 31383 records of 32000 samples, 2 GB, in the page cache."""
    path = write_run(tmp_path_factory.mktemp("big") / "2018-9-30-BackgroundRun72", benchmark_shape())
    plain_read_s(path)
    return path


def plain_read_s(path: Path) -> float:
    """Read a file once into one small buffer and give the time: the floor for all that reads it."""
    buffer = bytearray(1 << 20)
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    return time.perf_counter() - began


@pytest.fixture(scope="session")
def plain_read() -> Callable[[Path], float]:
    """Give the function that reads a file and nothing else."""
    return plain_read_s


@pytest.fixture(scope="session")
def as_installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Let Python keep what it compiles, as an installed program has it; the first run of each fills it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**environment, "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled"))}


@pytest.fixture(scope="session")
def measure(as_installed: dict[str, str]) -> Callable[..., Measured]:
    """Run a command of pygama several times and give the medians."""

    def run(*arguments: str) -> Measured:
        once = [_one(pygama_command(*arguments), as_installed) for _ in range(REPEATS + 1)][1:]
        return Measured(*(statistics.median(values) for values in zip(*once, strict=True)))

    return run


@pytest.fixture(scope="session")
def measure_once(as_installed: dict[str, str]) -> Callable[[list[str]], Measured]:
    """Run any command once; what ends its standard error is its peak memory in KiB, if that is a number."""
    return lambda command: Measured(*_one(command, as_installed))


@pytest.fixture(scope="session")
def pygama_command_line() -> Callable[..., list[str]]:
    """Give the function that makes a command of pygama which tells its peak memory."""
    return pygama_command


def pygama_command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", _MAIN, *arguments]


# The peak of a started process counts that of the one it was forked from; its own is in /proc alone.
_MAIN = """
import sys
from pygama.__main__ import main
status = main(sys.argv[1:])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1], file=sys.stderr)
sys.exit(status)
"""


def _one(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        told = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    seconds = time.perf_counter() - began
    words = told.split()
    peak_kib = float(words[-1]) if words and words[-1].isdigit() else math.nan
    return seconds, usage.ru_utime + usage.ru_stime, peak_kib / 1024
