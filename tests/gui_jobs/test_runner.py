"""Real worker processes: what they tell, how they are stopped, and that none is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from pygama.progress import Done, Failed, Message, Note, Partial, Progress, Started, StoppedByRequest
from pygama_gui.jobs import worker
from pygama_gui.jobs.runner import exit_sentence

Heard = list[tuple[int, Message]]
needs_signals = pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX are needed")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a parent-death signal")


def workers() -> list[psutil.Process]:
    """Give our child processes but for Python's own resource tracker, which ends with us."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_job_tells_its_start_first_and_its_end_last(make_runner, spec, hear_out):
    runner = make_runner("count")
    runner.submit(1, spec(n=20))
    heard = hear_out(runner)
    assert isinstance(heard[0], Started)
    assert isinstance(heard[-1], Done)


def test_all_rows_arrive_once_and_in_order_however_fast_they_are_told(make_runner, spec, hear_out):
    runner = make_runner("count")
    runner.submit(1, spec(n=5000))
    partials = [message for message in hear_out(runner) if isinstance(message, Partial)]
    rows = np.concatenate([partial.columns["number"] for partial in partials])
    np.testing.assert_array_equal(rows, np.arange(50000))
    assert len(partials) < 500


def test_the_last_progress_arrives_before_the_end(make_runner, spec, hear_out):
    runner = make_runner("count")
    runner.submit(1, spec(n=500))
    progress = [message for message in hear_out(runner) if isinstance(message, Progress)]
    assert progress[-1] == Progress(500, 500, 500, 5000)


def test_a_target_that_returns_without_a_word_is_done(make_runner, spec, hear_out):
    runner = make_runner("return_quietly")
    runner.submit(1, spec())
    ending = hear_out(runner)[-1]
    assert isinstance(ending, Done)
    assert ending.rows == 42


def test_a_stopped_job_may_clean_up_and_says_so(make_runner, spec, hear_until, hear_out, tmp_path):
    runner = make_runner("work_until_told")
    runner.submit(1, spec())
    hear_until(runner, lambda heard: bool(heard))
    runner.stop(1)
    heard = hear_out(runner)
    assert Note("cleaned up") in heard
    assert heard[-1] == StoppedByRequest()
    assert (tmp_path / "cleaned up").exists()


def test_a_stopped_job_that_does_not_listen_is_killed(make_runner, spec, hear_until, hear_out, monkeypatch):
    monkeypatch.setattr("pygama_gui.jobs.runner.PATIENCE_S", 0.2)
    runner = make_runner("hold_the_gil")
    runner.submit(1, spec())
    hear_until(runner, lambda heard: bool(heard))
    runner.stop(1)
    assert hear_out(runner) == [StoppedByRequest()]
    assert not workers()


def test_a_paused_job_keeps_its_place_and_goes_on(make_runner, spec, hear_until, hear_out, tmp_path):
    runner = make_runner("work_until_let_go")
    runner.submit(1, spec())
    hear_until(runner, lambda heard: bool(heard))
    runner.pause(1)
    assert runner.running == (1,)
    (tmp_path / "go").touch()
    runner.resume(1)
    assert isinstance(hear_out(runner)[-1], Done)


def test_a_paused_job_can_be_stopped(make_runner, spec, hear_until, hear_out):
    runner = make_runner("work_until_told")
    runner.submit(1, spec())
    hear_until(runner, lambda heard: bool(heard))
    runner.pause(1)
    runner.stop(1)
    assert hear_out(runner)[-1] == StoppedByRequest()


def test_a_known_error_arrives_in_its_own_words(make_runner, spec, hear_out):
    runner = make_runner("fail")
    runner.submit(1, spec(error="known"))
    assert hear_out(runner)[-1] == Failed("Run72: not a raw file; choose another")


def test_an_unexpected_error_arrives_with_its_traceback(make_runner, spec, hear_out):
    runner = make_runner("fail")
    runner.submit(1, spec(error="unknown"))
    ending = hear_out(runner)[-1]
    assert isinstance(ending, Failed)
    assert "unexpected" in ending.text
    assert "ZeroDivisionError: division by zero" in ending.text
    assert "Traceback" in ending.details


def test_want_of_memory_is_told_as_such(make_runner, spec, hear_out):
    runner = make_runner("fail")
    runner.submit(1, spec(error="memory"))
    assert "needs more memory than there is" in hear_out(runner)[-1].text


def test_a_target_that_cannot_be_imported_fails_the_job_and_not_the_runner(make_runner, spec, hear_out):
    runner = make_runner("no_such_function")
    runner.submit(1, spec())
    assert "no_such_function" in hear_out(runner)[-1].text


@needs_signals
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_a_worker_that_dies_by_a_signal_says_which_and_where(make_runner, spec, hear_out, name):
    runner = make_runner("die")
    runner.submit(1, spec(signal=name))
    ending = hear_out(runner)[-1]
    assert isinstance(ending, Failed)
    assert f"({name})" in ending.text
    assert "near byte 123\u202f456 of Run72; no output was changed" in ending.text


def test_a_worker_that_dies_in_the_first_stretch_is_not_said_to_have_come_to_no_record(
    make_runner, spec, hear_out
):
    runner = make_runner("die")
    runner.submit(1, spec(exit=3, early=True))
    assert "exit code 3 at the beginning of Run72; no output" in hear_out(runner)[-1].text


def test_a_worker_that_dies_says_after_which_record(make_runner, spec, hear_out):
    runner = make_runner("die")
    runner.submit(1, spec(signal="SIGSEGV"))
    assert hear_out(runner)[-1].ended_after == 123456


def test_a_worker_that_dies_on_a_tier_1_file_says_after_which_row(make_runner, spec, hear_out):
    runner = make_runner("die")
    runner.submit(1, replace(spec(exit=3), is_tier1=True))
    failed = hear_out(runner)[-1]
    assert "exit code 3 after row 5 of Run72; no output" in failed.text
    assert failed.text.endswith("if it ends there once more, check Run72 in the panel Files.")
    assert failed.ended_after is None  # no record to be searched for


def test_a_worker_that_dies_on_a_tier_1_file_says_which_rows_were_begun(make_runner, spec, hear_out):
    runner = make_runner("die")
    runner.submit(1, replace(spec(exit=3, begun=900), is_tier1=True))
    assert "exit code 3 in rows 6 to 900 of Run72; no output" in hear_out(runner)[-1].text


def test_a_worker_that_exits_without_a_word_says_its_exit_code(make_runner, spec, hear_out):
    runner = make_runner("die")
    runner.submit(1, spec(exit=3))
    assert hear_out(runner)[-1].text.startswith(
        "The worker ended with exit code 3 near byte 123\u202f456 of Run72"
    )


@needs_signals
def test_a_killed_worker_is_told_once_and_the_next_job_runs(make_runner, spec, hear_until, hear_out):
    runner = make_runner("work_until_told")
    runner.submit(1, spec())
    runner.submit(2, spec())
    hear_until(runner, lambda heard: bool(heard))
    workers()[0].kill()
    heard = hear_until(runner, lambda heard: runner.running == (2,) and 2 in dict(heard))
    assert [job for job, message in heard if isinstance(message, Failed)] == [1]
    runner.stop(2)
    hear_out(runner)


@needs_signals
def test_the_unfinished_file_of_a_killed_worker_is_removed(make_runner, spec, hear_out, tmp_path):
    runner = make_runner("die")
    runner.submit(1, spec(signal="SIGKILL", host=socket.gethostname()))
    hear_out(runner)
    assert list(tmp_path.iterdir()) == []


@needs_signals
def test_a_lock_of_another_machine_is_left_alone(make_runner, spec, hear_out, tmp_path):
    runner = make_runner("die")
    runner.submit(1, spec(signal="SIGKILL", host="elsewhere"))
    hear_out(runner)
    assert len(list(tmp_path.iterdir())) == 2


def test_jobs_beyond_the_limit_wait_in_their_order(make_runner, spec, hear_until):
    runner = make_runner("count")
    for job_id in (5, 3, 4):
        runner.submit(job_id, spec(n=1))
    assert runner.running == (5,)
    assert runner.waiting == (3, 4)
    heard = hear_until(runner, lambda _: not runner.busy)
    assert [job for job, message in heard if isinstance(message, Done)] == [5, 3, 4]


def test_two_jobs_run_at_once_where_two_are_allowed(make_runner, spec, hear_until, tmp_path):
    runner = make_runner("work_until_let_go", limit=2)
    runner.submit(1, spec())
    runner.submit(2, spec())
    hear_until(runner, lambda heard: {job for job, _ in heard} == {1, 2})
    (tmp_path / "go").touch()
    heard = hear_until(runner, lambda _: not runner.busy)
    assert sorted(job for job, message in heard if isinstance(message, Done)) == [1, 2]


def test_a_waiting_job_can_be_put_before_others(make_runner, spec, hear_until):
    runner = make_runner("work_until_told")
    for job_id in (1, 2, 3, 4):
        runner.submit(job_id, spec())
    hear_until(runner, lambda heard: bool(heard))
    runner.move(4, 0)
    runner.move(1, 2)
    assert (runner.running, runner.waiting) == ((1,), (4, 2, 3))
    runner.move(4, 9)
    assert runner.waiting == (2, 3, 4)


def test_more_jobs_start_when_more_are_allowed(make_runner, spec):
    runner = make_runner("work_until_told")
    for job_id in (1, 2, 3):
        runner.submit(job_id, spec())
    assert runner.running == (1,)
    runner.allow(2)
    assert (runner.running, runner.waiting) == ((1, 2), (3,))
    with pytest.raises(ValueError, match="one job or more"):
        runner.allow(0)


def test_no_job_begins_while_the_queue_is_held(make_runner, spec, hear_until):
    runner = make_runner("count")
    for job_id in (1, 2, 3):
        runner.submit(job_id, spec(n=1))
    runner.hold()
    hear_until(runner, lambda heard: any(isinstance(message, Done) for _, message in heard))
    assert (runner.running, runner.waiting, runner.is_held) == ((), (2, 3), True)
    runner.let_go()
    assert (runner.running, runner.waiting) == ((2,), (3,))


def test_a_queue_that_is_held_is_let_go_when_nothing_is_left(make_runner, spec, hear_out):
    runner = make_runner("count")
    runner.submit(1, spec(n=1))
    runner.hold()
    hear_out(runner)
    assert not runner.is_held
    runner.hold()
    runner.submit(2, spec(n=1))
    assert runner.running == (2,)


def test_a_waiting_job_can_be_taken_out_of_the_queue(make_runner, spec, hear_until):
    runner = make_runner("count")
    runner.submit(1, spec(n=1))
    runner.submit(2, spec(n=1))
    runner.stop(2)
    heard = hear_until(runner, lambda _: not runner.busy)
    assert [message for job, message in heard if job == 2] == [StoppedByRequest()]


def test_a_job_that_has_not_ended_cannot_be_submitted_again(make_runner, spec):
    runner = make_runner("count")
    runner.submit(1, spec(n=1))
    with pytest.raises(ValueError, match="job 1 has not ended"):
        runner.submit(1, spec(n=1))


def test_stopping_a_job_that_has_ended_does_nothing(make_runner, spec, hear_out):
    runner = make_runner("count")
    runner.submit(1, spec(n=1))
    hear_out(runner)
    runner.stop(1)
    runner.pause(1)
    runner.resume(1)
    assert runner.hear() == []


def test_a_job_takes_the_spare_worker(make_runner, spec, hear_until, tmp_path):
    runner = make_runner("work_until_let_go", warm=True)
    runner.warm_up()
    spare = workers()[0].pid
    runner.submit(1, spec())
    heard = hear_until(runner, lambda heard: bool(heard))
    assert heard[0] == (1, Note(f"started {spare}"))


def test_the_spare_worker_is_replaced_once_the_job_has_shown_something(make_runner, spec, hear_out):
    runner = make_runner("count", warm=True)
    runner.submit(1, spec(n=1))
    hear_out(runner)
    assert len(workers()) == 1


@needs_signals
def test_a_spare_worker_that_died_is_cleared_away_without_a_job(make_runner, hear_until):
    runner = make_runner("tell_pid", warm=True)
    woken = threading.Event()
    runner.woken = woken.set
    runner.warm_up()
    (spare,) = workers()
    assert not runner.busy
    spare.kill()
    assert woken.wait(10)
    assert runner.busy
    hear_until(runner, lambda _heard: not runner.busy)
    assert not psutil.pid_exists(spare.pid)


def test_a_spare_worker_that_died_is_not_given_a_job(make_runner, spec, hear_out):
    runner = make_runner("count", warm=True)
    runner.warm_up()
    spare = workers()[0]
    spare.kill()
    psutil.wait_procs([spare], timeout=10)  # takes the exit code away, too
    runner.submit(1, spec(n=1))
    assert isinstance(hear_out(runner)[-1], Done)


@needs_signals
def test_a_worker_stands_back_and_is_out_of_reach_of_the_terminal(make_runner, spec, hear_out):
    runner = make_runner("describe_process")
    runner.submit(1, spec())
    notes = {message.text for message in hear_out(runner) if isinstance(message, Note)}
    assert notes == {
        "leads its group: True",
        "ignores Ctrl+C: True",
        "threads: 1",
        f"niceness: {min(os.nice(0) + worker.NICENESS, 19)}",
    }


def test_closing_leaves_no_process_behind(make_runner, spec, hear_until):
    runner = make_runner("work_until_told", limit=2, warm=True)
    for job_id in range(4):
        runner.submit(job_id, spec())
    runner.warm_up()
    hear_until(runner, lambda heard: {job for job, _ in heard} == {0, 1})
    runner.close()
    assert workers() == []
    assert not runner.busy


def test_closing_ends_a_worker_that_does_not_listen(make_runner, spec, hear_until):
    runner = make_runner("hold_the_gil")
    runner.submit(1, spec())
    hear_until(runner, lambda heard: bool(heard))
    runner.close()
    assert workers() == []


def test_a_closed_runner_takes_no_jobs(make_runner, spec):
    runner = make_runner("count")
    runner.close()
    runner.close()
    with pytest.raises(RuntimeError, match="closed"):
        runner.submit(1, spec(n=1))


@needs_linux
@pytest.mark.parametrize("target", ["work_until_let_go", "hold_the_gil"])
def test_workers_end_with_a_window_that_is_killed(target, tmp_path):
    program = Path(__file__).with_name("parent_program.py")
    command = [sys.executable, str(program), f"job_targets:{target}", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        try:
            busy = int(parent.stdout.readline().split()[-1])
            pids = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        finally:
            parent.send_signal(signal.SIGKILL)
    assert busy in pids
    assert len(pids) == 3  # the busy worker, the spare one, Python's resource tracker
    assert wait_until_gone(pids)


def wait_until_gone(pids: list[int]) -> bool:
    alive = [psutil.Process(pid) for pid in pids if not is_gone(pid)]
    return all(is_gone(one.pid) for one in psutil.wait_procs(alive, timeout=10)[1])


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (1, "The worker ended with exit code 1"),
        (-11, "The worker was ended by signal 11 (SIGSEGV)"),
        (-9, "The worker was ended by signal 9 (SIGKILL), as the system does when memory runs out,"),
        (-77, "The worker was ended by signal 77 (unknown to Python)"),
        (None, "The worker ended"),
    ],
)
@needs_signals
def test_the_end_of_a_process_is_a_sentence(code, sentence):
    assert exit_sentence(code) == sentence
