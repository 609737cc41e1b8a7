"""The chain in the workers of other executors: processes and a cluster."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from pygama.errors import OutputError, SettingsError
from pygama.processing import remote
from pygama.processing.base import Tier1Processor
from pygama.processing.profile import Profile
from pygama.processing.remote import WorkersLost
from pygama.processing.tier0 import ProcessTier0
from pygama.processing.tier1 import ProcessTier1
from pygama.progress import Note
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile

DECODER = "ORSIS3302DecoderForEnergy"

PLUGIN = '''
import os
from pygama.processing.declare import Values, Waves, calculator


@calculator(made_by="")
def process_id(waveform: Waves) -> Values:
    """Tell which process did the work."""
    return waveform[:, 0] * 0.0 + os.getpid()


@calculator(gone="")
def gone(channel: Values) -> Values:
    """End the process."""
    if len(channel) > 1:
        os._exit(1)
    return channel
'''


@pytest.fixture(scope="module")
def t1_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    raw = write_run(folder / "Run5", RunShape(run_number=5, n_events=700, n_samples=2000, seed=3))
    return ProcessTier0(raw, output_dir=folder)


@pytest.fixture(scope="module")
def workers():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def small_tasks(monkeypatch):
    """Make several tasks of a small file."""
    monkeypatch.setattr(remote, "_TASK_BYTES", 100 * 4000)


def chain_with(*names: str, **keywords) -> Tier1Processor:
    chain = Tier1Processor(default_list=True, **keywords)
    for name in names:
        chain.add(name)
    return chain


def rows_of(path):
    with TierFile(path) as file:
        return file.table("data").read().rows


def test_processes_write_the_same_file_as_threads(t1_file, workers, small_tasks, tmp_path):
    alone = ProcessTier1(t1_file, chain_with(), out_dir=tmp_path, out_prefix="alone")
    shared = ProcessTier1(t1_file, chain_with(), out_dir=tmp_path, out_prefix="shared", executor=workers)
    assert alone.read_bytes() == shared.read_bytes()


def test_the_work_is_done_in_the_workers_with_their_plugins(t1_file, workers, small_tasks, tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN)
    chain = chain_with("process_id", plugins=[plugin])
    made_by = rows_of(ProcessTier1(t1_file, chain, out_dir=tmp_path, executor=workers))["made_by"]
    assert 1 <= len(set(made_by.tolist())) <= 2
    assert os.getpid() not in made_by


def test_saved_waves_come_back_too(t1_file, workers, small_tasks, tmp_path):
    path = ProcessTier1(t1_file, chain_with(), out_dir=tmp_path, executor=workers, save_waves=["wf_trap"])
    with TierFile(path) as file, TierFile(t1_file) as tier1:
        table = file.table("data")
        assert table.traces == {"wf_trap": 2000}
        block = table.read(300, 303)
        raw = tier1.table(DECODER).read(300, 303)
    expected = chain_with().run(raw, keep=["wf_trap"])["wf_trap"]
    assert np.allclose(block.traces["wf_trap"], expected, rtol=1e-6, atol=1e-3)


def test_a_pool_of_threads_shares_the_work_in_this_process(t1_file, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        path = ProcessTier1(t1_file, chain_with(), out_dir=tmp_path, executor=pool)
    assert len(rows_of(path)) == 700


def test_an_executor_of_other_threads_is_refused_in_words(t1_file, tmp_path):
    class AtOnce(Executor):
        def submit(self, work, /, *given, **named):
            future: Future = Future()
            try:
                future.set_result(work(*given, **named))
            except SettingsError as problem:
                future.set_exception(problem)
            return future

    with pytest.raises(SettingsError, match="pass a ThreadPoolExecutor, or an executor of processes"):
        ProcessTier1(t1_file, chain_with(), out_dir=tmp_path, executor=AtOnce())
    assert list(tmp_path.glob("t2*")) == []


def test_a_worker_that_dies_leaves_no_output_and_says_what_to_do(t1_file, tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN)
    chain = chain_with("gone", plugins=[plugin])
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context) as pool,
        pytest.raises(WorkersLost, match=r"a worker ended while it processed t1_run5\.h5"),
    ):
        ProcessTier1(t1_file, chain, out_dir=tmp_path, executor=pool)
    assert list(tmp_path.glob("t2*")) == []


def test_a_step_that_fails_in_a_worker_is_named_with_its_event(t1_file, workers, tmp_path):
    plugin = tmp_path / "picky.py"
    plugin.write_text(
        "from pygama.processing.declare import Values, calculator\n\n\n"
        '@calculator(odd="")\ndef picky(event_number: Values) -> Values:\n'
        '    """Refuse one event."""\n'
        "    if (event_number == 100).any():\n        raise ValueError('not this one')\n"
        "    return event_number\n"
    )
    with pytest.raises(Exception, match=r"step 5, picky, failed: ValueError: not this one \(event 100"):
        ProcessTier1(t1_file, chain_with("picky", plugins=[plugin]), out_dir=tmp_path, executor=workers)


def test_what_is_too_short_or_no_number_is_told_as_without_workers(t1_file, workers, small_tasks, tmp_path):
    chain = Tier1Processor()
    chain.add("avg_baseline", outputs={"bl_avg": "level"})
    chain.add("a_over_e", inputs={"a_max": "level", "trap_max": "channel"})
    told: list[list[str]] = []
    for executor in (None, workers):
        messages: list = []
        ProcessTier1(t1_file, chain, out_dir=tmp_path, executor=executor, tell=messages.append)
        told.append([note.text for note in messages if isinstance(note, Note) and "NaN" in note.text])
    with TierFile(t1_file) as file:
        n_without = int((file.table(DECODER).column("channel") == 0).sum())
    assert told[0] == told[1] == [f"of 700 rows, a_over_e {n_without} have no value (NaN)"]


def test_what_steps_cost_is_not_measured_elsewhere(t1_file, workers, tmp_path):
    with pytest.raises(SettingsError, match="leave out the executor"):
        ProcessTier1(t1_file, chain_with(), out_dir=tmp_path, executor=workers, profile=Profile())


def test_the_client_of_a_cluster_does_it_too(t1_file, tmp_path):
    pytest.importorskip("distributed", reason="install the extra [dask]")
    script = tmp_path / "on_a_cluster.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            from distributed import Client, LocalCluster
            from pygama import ProcessTier1, Tier1Processor

            if __name__ == "__main__":
                with (
                    LocalCluster(
                        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
                    ) as cluster,
                    Client(cluster) as client,
                ):
                    chain = Tier1Processor(default_list=True)
                    ProcessTier1(
                        sys.argv[1], chain, out_dir=sys.argv[2], out_prefix="dask",
                        executor=client.get_executor(),
                    )
            """
        )
    )
    subprocess.run(
        [sys.executable, str(script), str(t1_file), str(tmp_path)], check=True, cwd=tmp_path, timeout=120
    )
    alone = ProcessTier1(t1_file, chain_with(), out_dir=tmp_path)
    assert (tmp_path / "dask_run5.h5").read_bytes() == alone.read_bytes()


class FirstAlone(ThreadPoolExecutor):
    """Does the first call at once, and does not come to the others."""

    def __init__(self):
        super().__init__(1)
        self.asked: list[Future] = []

    def submit(self, work, /, *arguments, **named):
        self.asked.append(Future())
        if len(self.asked) == 1:
            self.asked[0].set_result(work(*arguments, **named))
        return self.asked[-1]


def test_what_the_pool_has_not_begun_is_given_up_where_the_output_is_refused(t1_file, tmp_path, monkeypatch):
    monkeypatch.setattr("pygama.processing.tier1._BLOCK_BYTES", 1)
    (tmp_path / "t2_run5.h5").write_text("of somebody else")
    pool = FirstAlone()
    with pytest.raises(OutputError, match="not known as a file of pygama"):
        ProcessTier1(t1_file, chain_with(), out_dir=tmp_path, executor=pool)
    assert len(pool.asked) > 2
    assert all(one.cancelled() for one in pool.asked[1:])
    assert (tmp_path / "t2_run5.h5").read_text() == "of somebody else"
