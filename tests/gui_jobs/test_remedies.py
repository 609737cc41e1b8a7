"""What the window offers after a failure, from the words that the library really says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygama.errors import OutputError
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama.storage.publish import Draft
from pygama_gui.jobs.remedies import needs_folder, other_name


@pytest.fixture
def refusal(tmp_path: Path) -> str:
    """Give the words for a run whose name another one has."""
    for name, channels in (("Run7a", (0, 1)), ("Run7b", (0, 1, 2))):
        write_run(tmp_path / name, RunShape(run_number=7, n_events=20, n_samples=1000, channels=channels))
    process_run(tmp_path / "Run7a", output_dir=tmp_path)
    with pytest.raises(OutputError) as refused:
        process_run(tmp_path / "Run7b", output_dir=tmp_path)
    return str(refused.value)


def test_another_name_is_offered_where_the_name_is_taken(refusal):
    assert other_name(refusal) == ("t1_run7.1.h5", ".1")
    assert not needs_folder(refusal)


def test_a_folder_is_asked_for_where_it_is_gone(tmp_path):
    raw = write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=20, n_samples=1000))
    with pytest.raises(OutputError) as refused:
        process_run(raw, output_dir=tmp_path / "gone")
    assert needs_folder(str(refused.value))


def test_a_folder_is_asked_for_where_nothing_can_be_written():
    with pytest.raises(OutputError) as refused:
        Draft(Path("/proc/t1_run7.h5"))
    assert needs_folder(str(refused.value))


def test_nothing_is_offered_for_a_worker_that_was_killed():
    text = "The worker was ended by signal 9 (SIGKILL) near byte 512 of Run7; no output was changed."
    assert other_name(text) is None
    assert not needs_folder(text)
