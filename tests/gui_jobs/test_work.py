"""The real work, done by a real worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pygama.progress import Done, Failed, Partial, Progress, Started
from pygama_gui.jobs.runner import JobRunner, JobSpec

SHARED = Path(__file__).parents[3] / "shared/data"
RUN = SHARED / "2018-9-25-Th228Run9001"


@pytest.mark.skipif(not RUN.exists(), reason="the real runs are not beside the project")
def test_a_real_run_becomes_two_files_and_its_rows_arrive(tmp_path, hear_out):
    with JobRunner(warm=False) as runner:
        runner.submit(1, JobSpec(RUN, tmp_path, n_max=500))
        heard = hear_out(runner)
    assert isinstance(heard[0], Started)
    assert isinstance(heard[-1], Done)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t1_run9001.h5", "t2_run9001.h5"]
    rows = [len(message.columns["channel"]) for message in heard if isinstance(message, Partial)]
    progress = [message for message in heard if isinstance(message, Progress)]
    assert sum(rows) == progress[-1].rows == heard[-1].rows > 0


def test_a_file_that_is_not_raw_data_fails_in_a_sentence(tmp_path, hear_out):
    path = tmp_path / "Run1"
    path.write_bytes(b"not a raw file" * 10)
    with JobRunner(warm=False) as runner:
        runner.submit(1, JobSpec(path, tmp_path))
        ending = hear_out(runner)[-1]
    assert isinstance(ending, Failed)
    assert "Run1" in ending.text
    assert not ending.details


@pytest.mark.parametrize("module", ["pandas", "PyQt5", "matplotlib"])
def test_a_worker_does_without_heavy_imports(module):
    code = f"import sys, pygama_gui.jobs.work; sys.exit('{module}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("module", ["numpy", "PyQt5"])
def test_the_limits_on_threads_are_set_before_numpy_is_imported(module):
    code = f"import sys, pygama_gui.jobs.worker; sys.exit('{module}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
