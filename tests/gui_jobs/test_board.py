"""What is known of a job after each message."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pygama.progress import CUT_SHORT, Done, Failed, Note, Partial, Progress, Started, StoppedByRequest
from pygama.utils import grouped
from pygama_gui.jobs.board import JobBoard, JobState, as_sentence, duration, state_sentence, told_warnings

RUN = Path("Run72")
STARTED = Started(RUN, 1000, 72, 0, 0, ("Card",), ("Other",))


@pytest.fixture
def board() -> JobBoard:
    made = JobBoard()
    made.add(1, RUN)
    return made


def test_a_new_job_waits(board):
    assert board[1] == JobState(1, RUN, "waiting")


def test_a_job_runs_from_its_first_message(board):
    job = board.apply(1, STARTED, 5.0)
    assert (job.state, job.started_at, job.run_number) == ("running", 5.0, 72)
    assert (job.decoders, job.unsupported) == (("Card",), ("Other",))


def test_the_rate_and_the_time_left_follow_from_progress(board):
    board.apply(1, STARTED, 0.0)
    job = board.apply(1, Progress(250, 1000, 50, 40), 2.0)
    assert (job.bytes_per_s, job.events_per_s) == (125, 20)
    assert (job.fraction, job.eta_s, job.elapsed_s) == (0.25, 6.0, 2.0)


def test_the_rate_follows_a_change_slowly(board):
    board.apply(1, STARTED, 0.0)
    board.apply(1, Progress(100, 1000, 0, 0), 1.0)
    job = board.apply(1, Progress(120, 1000, 0, 0), 1.1)
    assert 100 < job.bytes_per_s < 120


def test_two_messages_at_the_same_moment_leave_the_rate(board):
    board.apply(1, STARTED, 0.0)
    board.apply(1, Progress(100, 1000, 0, 0), 1.0)
    assert board.apply(1, Progress(900, 1000, 0, 0), 1.0).bytes_per_s == 100


def test_a_pause_counts_neither_as_working_time_nor_in_the_rate(board):
    board.apply(1, STARTED, 0.0)
    board.apply(1, Progress(100, 1000, 0, 0), 1.0)
    board.pause(1, 2.0)
    board.resume(1, 102.0)
    job = board.apply(1, Progress(200, 1000, 0, 0), 103.0)
    assert (job.elapsed_s, job.bytes_per_s) == (3.0, 100)


def test_a_late_message_does_not_end_a_pause(board):
    board.apply(1, STARTED, 0.0)
    board.pause(1, 1.0)
    job = board.apply(1, Progress(100, 1000, 0, 0), 1.5)
    assert (job.state, job.elapsed_at(50.0)) == ("paused", 1.0)


def test_a_job_that_is_paused_before_its_worker_told_anything_stays_so(board):
    assert board.pause(1, 1.0, is_starting=True).state == "paused"
    assert board.apply(1, STARTED, 2.0).state == "paused"
    board.resume(1, 50.0)
    assert (board[1].state, board[1].elapsed_at(51.0)) == ("running", 1.0)
    board.add(2, Path("Run2"))
    board.pause(2, 1.0, is_starting=True)
    assert board.resume(2, 50.0).state == "waiting"
    assert board.apply(2, STARTED, 60.0).elapsed_at(61.0) == 1.0


def test_only_a_running_job_can_be_paused(board):
    assert board.pause(1, 0.0).state == "waiting"
    assert board.resume(1, 1.0).state == "waiting"


def test_time_goes_on_between_messages(board):
    assert board.apply(1, STARTED, 10.0).elapsed_at(12.5) == 2.5


def test_a_job_that_is_done_keeps_its_result(board):
    board.apply(1, STARTED, 0.0)
    job = board.apply(1, Done((Path("t2.h5"),), 600, 2.0, {"Card": 600}), 2.1)
    assert (job.state, job.fraction, job.eta_s) == ("done", 1.0, 0.0)
    assert (job.outputs, job.counts, job.rows) == ((Path("t2.h5"),), {"Card": 600}, 600)
    assert (job.elapsed_s, job.events_per_s, job.bytes_per_s) == (2.0, 300, 500)


def test_warnings_are_counted_and_their_words_kept(board):
    board.apply(1, Note("3 records were skipped", "warning"), 0.0)
    board.apply(1, Note("started"), 0.0)
    assert (board[1].warnings, board[1].warned) == (1, ("3 records were skipped",))


def test_warnings_are_told_with_when_they_came(board):
    for n in range(10):
        board.apply(1, Note(f"warning {n}", "warning"), 0.0, 12.0 + n)
    told = told_warnings(board[1])
    assert told[:2] == [("1970-01-01 00:00:12 UTC", "warning 0"), ("1970-01-01 00:00:13 UTC", "warning 1")]
    assert told[-1] == ("", "and 2 more, which the log has")
    assert len(told) == 9
    earlier = board.restore(2, RUN, (Path("t2.h5"),), 600, 60.0, warned=["one"])
    assert told_warnings(earlier) == [("by 1970-01-01 00:01:00 UTC", "one")]
    assert told_warnings(board.apply(2, Note("two", "warning"), 0.0, 90.0))[1] == (
        "1970-01-01 00:01:30 UTC",
        "two",
    )


def test_a_job_of_an_earlier_session_says_when_it_was_done(board):
    job = board.restore(2, RUN, (Path("t2.h5"),), 600, 0.0, 4711)
    assert job.total_bytes == 4711
    assert (job.state, job.rows, job.has_ended) == ("done", 600, True)
    assert state_sentence(job) == "✓ done 1970-01-01 00:00 UTC"


def test_a_job_of_an_earlier_session_tells_what_it_warned_of(board):
    job = board.restore(2, RUN, (Path("t2.h5"),), 600, 0.0, warned=[f"warning {n}" for n in range(9)])
    assert (job.warnings, len(job.warned), job.warned[0]) == (9, 8, "warning 0")
    assert state_sentence(job).startswith("▲ done 19")
    assert state_sentence(job).endswith(", 9 warnings")


def test_a_run_that_ends_in_the_middle_of_what_was_read_out_is_known(board):
    whole = board.restore(2, RUN, (Path("t2.h5"),), 600, 0.0, warned=["3 records were skipped"])
    assert not whole.ends_early
    note = f"{CUT_SHORT} (byte 7, 1 of 2 bytes); everything before it was kept"
    assert board.restore(2, RUN, (Path("t2.h5"),), 600, 0.0, warned=["another"] * 9 + [note]).ends_early
    assert not board.apply(1, Note(note, "warning"), 1.0).ends_early  # it may go on
    assert board.apply(1, Done((Path("t2.h5"),), 600, 2.0), 2.0).ends_early
    board.add(3, RUN)
    assert board.apply(3, StoppedByRequest(), 1.0).ends_early


def test_a_failure_keeps_its_text_and_how_far_it_came(board):
    board.apply(1, Progress(250, 1000, 0, 0), 1.0)
    job = board.apply(1, Failed("Run72: no room", "Traceback"), 2.0)
    assert (job.state, job.text, job.details, job.fraction) == ("failed", "Run72: no room", "Traceback", 0.25)


def test_a_search_tells_how_far_it_has_come(board):
    board.apply(1, Failed("It ended", "", 4711), 1.0)
    assert state_sentence(board.search(1)) == "▶ searching for the record that ended the worker…"
    job = board.search(1, 2078)
    assert state_sentence(job) == "▶ searching for the record that ended the worker: one of 2078…"


def test_nothing_changes_a_job_that_has_ended(board):
    ended = board.apply(1, StoppedByRequest(), 1.0)
    assert board.apply(1, Progress(1, 2, 3, 4), 2.0) == ended


def test_a_job_stopped_before_its_turn_is_stopped(board):
    assert board.apply(1, StoppedByRequest(), 1.0).state == "stopped"


def test_rows_alone_change_nothing_but_the_time(board):
    before = board.apply(1, STARTED, 0.0)
    assert board.apply(1, Partial("Card", {}), 1.0) == replace(before, elapsed_s=1.0)


def test_a_job_that_is_submitted_again_begins_anew(board):
    board.apply(1, Failed("no"), 1.0)
    assert board.add(1, RUN).state == "waiting"
    assert len(board) == 1


def test_jobs_come_in_the_order_in_which_they_were_added(board):
    board.add(0, RUN)
    assert [job.job_id for job in board] == [1, 0]
    board.remove(1)
    assert 1 not in board


RUNNING = JobState(1, RUN, "running", total_bytes=1000, done_bytes=620, bytes_per_s=950, rows=31331)


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (JobState(1, RUN), "■ waiting"),
        (JobState(1, RUN, "running"), "▶ starting"),
        (RUNNING, "▶ processing, 62 %, 0.4 s left"),
        (replace(RUNNING, done_bytes=RUNNING.total_bytes), "▶ processing, 100 %"),
        (replace(RUNNING, bytes_per_s=0.0), "▶ processing, 62 %"),
        (replace(RUNNING, total_bytes=0), "▶ processing, 31\u202f331 events"),
        (replace(RUNNING, state="paused"), "■ paused, 62 %"),
        (replace(RUNNING, state="stopped"), "■ stopped at 62 %"),
        (replace(RUNNING, state="paused", follows=True), "■ paused after 31\u202f331 events"),
        (replace(RUNNING, state="stopped", follows=True, rows=1), "■ stopped after 1 event"),
        (JobState(1, RUN, "stopped"), "■ stopped before it began"),
        (replace(RUNNING, state="done", elapsed_s=1.2), "✓ done in 1.2 s · 31\u202f331 events"),
        (replace(RUNNING, state="done", rows=1, warnings=2), "▲ done in 0.0 s · 1 event, 2 warnings"),
        (replace(RUNNING, state="failed", text="Run72: no room"), "✕ failed: Run72: no room"),
    ],
)
def test_how_a_job_stands_is_a_shape_a_word_and_figures(job, sentence):
    assert state_sentence(job) == sentence


def test_warnings_for_the_log_are_counted_and_plain_lines_are_not(board):
    board.apply(1, Note("hello"), 0.0)
    assert board.apply(1, Note("hm", "warning"), 0.0).warnings == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3900, "1 h 05 min"),
    ],
)
def test_a_time_is_written_as_a_person_says_it(seconds, text):
    assert duration(seconds) == text


def test_thousands_are_grouped_with_thin_spaces():
    assert grouped(1234567) == "1\u202f234\u202f567"


def test_a_sentence_begins_with_a_capital_letter_but_where_a_name_begins_it() -> None:
    assert as_sentence("no events are built: why") == "No events are built: why"
    assert as_sentence("counted, stopped") == "Counted, stopped"
    for told in ("n_channels is known", "t2_run11.h5 is not where it was", "'event' is known later", ""):
        assert as_sentence(told) == told
