"""Whole-process time and memory of each part of the road on a 2 GB run, beside a plain read of the file.

pytest -m benchmark_suite tests/benchmarks
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pygama.block import Block
from pygama.processing.base import Tier1Processor
from pygama.processing.tier1 import ProcessTier1
from pygama.storage import TierFile, TierWriter

pytestmark = [pytest.mark.benchmark_suite, pytest.mark.timeout(1800)]

WINDOW = ("--window", "max", "--n-samp", "2000")
DECODER = "ORSIS3302DecoderForEnergy"
ROWS = 31331


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="session")
def tier0(big_run, folder, measure):
    return measure("tier0", str(big_run), "-o", str(folder), *WINDOW)


def test_a_plain_read_is_the_floor(big_run, plain_read, report):
    seconds = min(plain_read(big_run) for _ in range(3))
    report.add("plain read of the 2.01 GB run, warm", f"{seconds:.2f} s")


def test_tier_0(tier0, folder, report):
    report.add(
        "Tier 0, whole process, 2.01 GB",
        f"{tier0.wall_s:.2f} s ({tier0.cpu_s:.2f} cpu)",
        "1.3-1.8 s",
        "0.8 s",
    )
    report.add("Tier 0 peak memory", f"{tier0.peak_mib:.0f} MiB", "200 MiB", "120 MiB")
    path = folder / "t1_run72.h5"
    report.add("Tier 1 file", f"{path.stat().st_size / 1e6:.1f} MB", "52 MB", "47 MB")
    with TierFile(path) as file:
        assert file.table(DECODER).n_rows == ROWS
        assert file.table(f"{DECODER}_Garbage").n_rows == 52


def test_tier_1(tier0, folder, measure, report):
    measured = measure("tier1", str(folder / "t1_run72.h5"), "-o", str(folder))
    report.add(
        "Tier 1 to Tier 2, whole process",
        f"{measured.wall_s:.2f} s ({measured.cpu_s:.2f} cpu)",
        "0.65 s",
        "0.35 s",
    )
    report.add("Tier 1 peak memory", f"{measured.peak_mib:.0f} MiB", "100 MiB", "60 MiB")
    report.add("Tier 2 file", f"{(folder / 't2_run72.h5').stat().st_size / 1e6:.2f} MB", "2.6 MB", "0.6 MB")
    small = measure("tier1", str(folder / "t1_run72.h5"), "-o", str(folder), "--compact", "--suffix", ".c")
    compact = f"{(folder / 't2_run72.c.h5').stat().st_size / 1e6:.2f} MB ({small.wall_s:.2f} s)"
    report.add("Tier 2 file, compact", compact, "2.6 MB", "0.6 MB")


@pytest.mark.parametrize("threads", [1, 2])
def test_tier_1_without_the_start(tier0, folder, report, threads):
    """In-call: what a script that has imported everything waits for; the best of several calls."""
    times, cpu_times = [], []
    for _ in range(9):
        processor = Tier1Processor(default_list=True)
        began, cpu_began = time.perf_counter(), time.process_time()
        ProcessTier1(folder / "t1_run72.h5", processor, out_dir=folder, multiprocess=threads > 1)
        times.append(time.perf_counter() - began)
        cpu_times.append(time.process_time() - cpu_began)
    report.add(
        f"Tier 1 to Tier 2, in-call, {'all cores' if threads > 1 else 'one core'}",
        f"{min(times) / ROWS * 1e6:.1f} us/wf ({min(cpu_times) / ROWS * 1e6:.1f} cpu)",
        *(("6 us", "3 us") if threads > 1 else ()),
    )


def test_reading_tier_1(tier0, folder, report):
    """Files, HDF5 and decompression alone, on one core: no chain, no output."""
    times = []
    for _ in range(5):
        with TierFile(folder / "t1_run72.h5") as file:
            began = time.process_time()
            for _ in file.table(DECODER).blocks(512, then=lambda block: Block(block.decoder, block.rows)):
                pass
            times.append(time.process_time() - began)
    report.add("reading and decompressing Tier 1, one core", f"{min(times) / ROWS * 1e6:.1f} us/wf cpu")


def test_the_start_of_tier_1(tier0, folder, measure, report, tmp_path):
    """A file of a few rows: what is left is the start of Python and the imports."""
    with TierFile(folder / "t1_run72.h5") as file, TierWriter(tmp_path / "t1_run1.h5") as writer:
        writer.write(DECODER, file.table(DECODER).read(0, 10))
    start = measure("tier1", str(tmp_path / "t1_run1.h5"), "-o", str(tmp_path))
    report.add(
        "Tier 1 to Tier 2 of ten rows, whole process",
        f"{start.wall_s:.2f} s ({start.cpu_s:.2f} cpu)",
        "0.5 s",
    )


def test_one_pass(big_run, tier0, folder, measure, report):
    measured = measure("run", str(big_run), "-o", str(folder), *WINDOW)
    ratio = measured.wall_s / tier0.wall_s
    report.add("raw to Tier 1 and Tier 2 in one pass / Tier 0 alone", f"{ratio:.2f}", "1.25", "1.1")


def test_info(big_run, measure, report):
    report.add(
        "pygama info, header only", f"{measure('info', '--quick', str(big_run)).wall_s:.2f} s", "0.3 s"
    )
    report.add("pygama info, with packet counts", f"{measure('info', str(big_run)).wall_s:.2f} s", "0.6 s")


@pytest.mark.parametrize("threads", [1, 2])
def test_the_default_chain(threads, report):
    rng = np.random.default_rng(1)
    waves = rng.integers(8000, 8020, (20000, 2000)).astype(np.uint16)
    waves[:, 1000:] += 20000
    rows = np.zeros(len(waves), [("period_ns", "f8")])
    block = Block(DECODER, rows, waves)
    processor = Tier1Processor(default_list=True)
    with ThreadPoolExecutor(threads) as pool:
        times = []
        for _ in range(7):
            began = time.perf_counter()
            processor.run(block, pool=pool if threads > 1 else None)
            times.append(time.perf_counter() - began)
    must, aim = ("1.5 us", "1.0 us") if threads == 1 else ("0.8 us", "0.5 us")
    report.add(
        f"default chain, 2000 samples, {threads} thread(s)",
        f"{min(times) / len(waves) * 1e6:.2f} us/wf",
        must,
        aim,
    )


def test_one_waveform_for_display(tier0, folder, report):
    with TierFile(folder / "t1_run72.h5") as file:
        table = file.table(DECODER)
        rows = np.random.default_rng(2).integers(0, table.n_rows, 50)
        began = time.perf_counter()
        for row in rows.tolist():
            table.waveform(row)
        seconds = (time.perf_counter() - began) / len(rows)
    report.add("one waveform for display, from disk", f"{1e3 * seconds:.2f} ms", "2 ms", "0.6 ms")
