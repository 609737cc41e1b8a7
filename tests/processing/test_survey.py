"""What is said of a raw file before it is processed."""

import json

import pytest

from pygama.orca.writer import RUN_RECORDS, RunWriter, run_header
from pygama.processing.survey import survey

WAVES = {"Digitizer": {"Wave": (5, "WaveDecoder")}}


@pytest.fixture
def write(tmp_path):
    """Begin a raw file and give its writer and its path."""

    def begin():
        path = tmp_path / "Run72"
        record_types = {**RUN_RECORDS, **WAVES}
        header = run_header(run_number=72, start_time=1538352000, record_types=record_types)
        return RunWriter(path, header), path

    return begin


def test_records_are_counted_under_the_name_that_their_own_header_gives(write):
    run, path = write()
    with run:
        run.record(5, [1])
        other = {**RUN_RECORDS, "Digitizer": {"Wave": (6, "WaveDecoder")}, "Other": {"X": (5, "XDecoder")}}
        run.header(run_header(run_number=72, start_time=0, record_types=other))
        run.record(6, [2])
        run.record(5, [3])
    told = survey(path).as_dict()
    counts = {(record["id"], record["decoder"]): record["count"] for record in told["records"]}
    assert counts == {
        (1, "ORRunDecoderForRun"): 0,
        (5, "WaveDecoder"): 1,
        (5, "XDecoder"): 1,
        (6, "WaveDecoder"): 1,
    }
    assert (told["packets"], told["headers"]) == (4, 2)


def test_a_short_id_is_called_so(write):
    run, path = write()
    with run:
        for i in range(6):
            run.record(5, range(1000 * i, 1000 * i + 150))
        run.record(-33, [7], form="short")
        for i in range(6):
            run.record(5, range(2000 * i, 2000 * i + 150))
    assert "             1  short id 33  not declared in the header, skipped" in survey(path).lines()


def test_of_many_damaged_stretches_the_first_are_named_and_all_are_in_the_json(write):
    run, path = write()
    with run:
        for i in range(100):
            for k in range(5):
                run.record(5, range(1000 * i + k, 1000 * i + k + 150))
            run.raw(bytes(20))
    found = survey(path)
    assert len(found.problems) == 21
    assert found.problems[-1].startswith("skipped 80 more stretches up to byte ")
    skipped = json.loads(json.dumps(found.as_dict()))["skipped"]
    assert len(skipped) == 100
    assert sum(part["end"] - part["start"] for part in skipped) == 2000


@pytest.mark.parametrize("time", [0, -1, 10**15, 2.0**200])
def test_an_impossible_start_time_is_unknown(tmp_path, time):
    plist = run_header(run_number=72, start_time=0, record_types=RUN_RECORDS)
    plist["ObjectInfo"]["DataChain"][0]["Run Control"]["startTime"] = time
    with RunWriter(tmp_path / "Run72", plist):
        pass
    assert "Start:    unknown" in survey(tmp_path / "Run72").lines()
