"""The record that ends its worker: found, skipped and packed."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from pygama.orca.packets import RawFile
from pygama.simulate import RunShape, write_run
from pygama_gui.jobs.bundle import write_bundle
from pygama_gui.jobs.culprit import Culprit, find_culprit
from pygama_gui.jobs.record_words import record_about
from pygama_gui.jobs.spec import JobSpec

TARGET = "job_targets:die_at_records"
N_EVENTS = 30


@pytest.fixture
def raw_run(tmp_path):
    return write_run(tmp_path / "Run5", RunShape(run_number=5, n_events=N_EVENTS, n_samples=200, seed=3))


@pytest.fixture
def offsets(raw_run):
    with RawFile(raw_run) as raw:
        return np.concatenate([packets.offset for packets in raw]).tolist()


def spec_of(raw_run, *deadly: int, **more) -> JobSpec:
    return JobSpec(raw_run, raw_run.parent, tier0={"deadly": list(deadly)}, **more)


def test_the_record_that_ends_its_worker_is_found(raw_run, offsets):
    found = find_culprit(spec_of(raw_run, offsets[17]), offsets[4], target=TARGET)
    assert found is not None
    assert (found.offset, found.n_bytes, found.exit_code) == (offsets[17], offsets[18] - offsets[17], -11)
    assert len(found.read(raw_run)) == found.n_bytes
    assert raw_run.read_bytes()[found.offset :].startswith(found.read(raw_run))


def test_a_search_tells_how_many_records_it_may_still_be(raw_run, offsets):
    left: list[int] = []
    assert find_culprit(spec_of(raw_run, offsets[-1]), offsets[-16], tell_left=left.append, target=TARGET)
    assert left == [16, 16, 8, 4, 2]  # those behind the last that was told of, then halves


def test_a_search_leaves_no_process_behind(raw_run, offsets):
    before = multiprocessing.active_children()
    assert find_culprit(spec_of(raw_run, offsets[6]), offsets[4], target=TARGET)
    assert multiprocessing.active_children() == before


def test_of_two_the_first_is_found_and_with_it_skipped_the_second(raw_run, offsets):
    spec = spec_of(raw_run, offsets[6], offsets[9])
    first = find_culprit(spec, offsets[4], target=TARGET)
    assert first is not None
    assert first.offset == offsets[6]
    second = find_culprit(replace(spec, skip=(first.offset,)), offsets[4], target=TARGET)
    assert second is not None
    assert second.offset == offsets[9]


def test_where_no_record_ends_its_worker_alone_none_is_named(raw_run, offsets):
    assert find_culprit(spec_of(raw_run), offsets[20], target=TARGET) is None
    assert find_culprit(spec_of(raw_run), offsets[-1] + 1, target=TARGET) is None


def test_a_search_can_be_stopped(raw_run, offsets):
    spec = spec_of(raw_run, offsets[6])
    assert find_culprit(spec, offsets[0], is_stopped=lambda: True, target=TARGET) is None


def test_the_real_work_is_tried_without_writing_anything(raw_run, offsets):
    before = sorted(raw_run.parent.iterdir())
    assert find_culprit(JobSpec(raw_run, raw_run.parent), offsets[-2]) is None
    assert sorted(raw_run.parent.iterdir()) == before


def test_a_search_follows_no_file(raw_run, offsets):
    spec = JobSpec(raw_run, raw_run.parent, follow_s=1e6)
    assert find_culprit(spec, offsets[-2]) is None


def test_a_record_of_a_compressed_file_is_read_from_its_decompressed_bytes(raw_run, offsets, tmp_path):
    packed = tmp_path / "Run5.gz"
    packed.write_bytes(gzip.compress(raw_run.read_bytes()))
    culprit = Culprit(offsets[3], offsets[4] - offsets[3], -11)
    assert culprit.read(packed) == culprit.read(raw_run)
    assert record_about(packed, culprit) == record_about(raw_run, culprit) != ""


def test_a_bundle_holds_what_is_needed_to_mend_a_crash(raw_run, offsets, tmp_path):
    culprit = Culprit(offsets[3], offsets[4] - offsets[3], -11)
    plugins = ((tmp_path / "mine.py", "ab12"),)
    spec = JobSpec(raw_run, tmp_path, chain=[{"step": "avg_baseline"}], skip=(offsets[1],), plugins=plugins)
    path = tmp_path / "crash.zip"
    write_bundle(path, spec, "It ended", details="Traceback", culprit=culprit, log=["first", "second"])
    with zipfile.ZipFile(path) as bundle:
        assert bundle.read("record.bin") == culprit.read(raw_run)
        assert json.loads(bundle.read("record.json"))["exit_code"] == -11
        options = json.loads(bundle.read("options.json"))
        assert (options["run"], options["chain"], options["skip"]) == ("Run5", spec.chain, [offsets[1]])
        assert options["plugins"] == [{"file": "mine.py", "sha256": "ab12"}]
        assert "dataDescription" in json.loads(bundle.read("header.json"))
        assert bundle.read("what_happened.txt").decode() == "It ended\n\nTraceback\n"
        assert bundle.read("log.txt").decode() == "first\nsecond\n"
        assert "numpy" in json.loads(bundle.read("versions.json"))
        everything = b"".join(bundle.read(name) for name in bundle.namelist() if name != "record.bin")
    assert str(tmp_path).encode() not in everything


def test_a_bundle_of_a_file_that_cannot_be_read_is_written_all_the_same(tmp_path):
    raw = tmp_path / "Run6"
    raw.write_bytes(b"not a run")
    path = write_bundle(tmp_path / "crash.zip", JobSpec(raw, tmp_path), "It ended")
    with zipfile.ZipFile(path) as bundle:
        assert "cannot be read" in json.loads(bundle.read("header.json"))
        assert "record.bin" not in bundle.namelist()
