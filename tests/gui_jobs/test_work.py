"""The real work, done by a real worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pygama.processing.run import process_run
from pygama.progress import Done, Failed, Partial, Progress, Started
from pygama.simulate import RunShape, write_run
from pygama_gui.jobs.runner import JobRunner, JobSpec

SHARED = Path(__file__).parents[3] / "shared/data"
CHAIN = [{"step": name} for name in ("fit_baseline", "bl_subtract", "trap_filter", "trap_max")]
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


def test_of_a_tier_1_file_tier_2_alone_is_made(tmp_path, hear_out):
    (out := tmp_path / "out").mkdir()
    raw = write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=300, n_samples=1500))
    t1 = process_run(raw, output_dir=tmp_path, tiers=(1,)).outputs[0]
    before = t1.read_bytes()
    with JobRunner(warm=False) as runner:
        runner.submit(1, JobSpec(t1, out, chain=CHAIN, is_tier1=True))
        heard = hear_out(runner)
    assert isinstance(heard[0], Started)
    assert isinstance(heard[-1], Done)
    partials = [one for one in heard if isinstance(one, Partial)]
    assert sum(len(one.columns["channel"]) for one in partials) == heard[-1].rows > 0
    assert any(one.waveforms is not None for one in partials)
    progress = [one for one in heard if isinstance(one, Progress)]
    assert all(one.rows < one.begun for one in progress[:-1])
    assert progress[-1].begun == progress[-1].rows == heard[-1].rows
    assert heard[-1].outputs == (t1, out / "t2_run7.h5")
    assert [path.name for path in out.iterdir()] == ["t2_run7.h5"]
    assert t1.read_bytes() == before


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
