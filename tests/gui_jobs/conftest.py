"""Gives a runner with targets of the tests' own, and a way to wait for what it tells."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pygama.progress import Done, Failed, Message, StoppedByRequest
from pygama_gui.jobs.runner import JobRunner, JobSpec

sys.path.insert(0, str(Path(__file__).parent))  # spawned workers get it too and find job_targets

LONG_S = 60.0
Wait = Callable[[JobRunner, Callable[[list[tuple[int, Message]]], bool]], list[tuple[int, Message]]]


@pytest.fixture
def make_runner() -> Iterator[Callable[..., JobRunner]]:
    """Make runners of a function in job_targets, closed at the end; without a spare unless asked for."""
    runners = []

    def make(target: str, *, limit: int = 1, warm: bool = False) -> JobRunner:
        runners.append(JobRunner(limit, f"job_targets:{target}", warm=warm))
        return runners[-1]

    yield make
    for runner in runners:
        runner.close()


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., JobSpec]:
    """Make a job on Run72 with options, its output in the test's own folder."""

    def make(**options: object) -> JobSpec:
        return JobSpec(tmp_path / "Run72", tmp_path, tier0=options)

    return make


@pytest.fixture
def hear_until() -> Wait:
    """Hear a runner until what was heard so far fulfils a condition; give all of it."""

    def wait(
        runner: JobRunner, condition: Callable[[list[tuple[int, Message]]], bool]
    ) -> list[tuple[int, Message]]:
        heard: list[tuple[int, Message]] = []
        end = time.monotonic() + LONG_S
        while not condition(heard):
            assert time.monotonic() < end, f"heard only {heard[-5:]}"
            heard += runner.hear()
            threading.Event().wait(0.005)
        return heard

    return wait


@pytest.fixture
def hear_out(hear_until: Wait) -> Callable[[JobRunner], list[Message]]:
    """Hear a runner until it is idle; give the messages without their jobs."""

    def hear(runner: JobRunner) -> list[Message]:
        heard: list[tuple[int, Message]] = []
        heard += hear_until(runner, lambda _: not runner.busy)
        return [message for _, message in heard]

    return hear


@pytest.fixture
def has_ended() -> Callable[[list[tuple[int, Message]]], bool]:
    """Say whether an ending is among what was heard."""
    return lambda heard: any(isinstance(message, Done | Failed | StoppedByRequest) for _, message in heard)
