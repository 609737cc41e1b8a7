"""Files of every form and with every damage, read a stretch at a time."""

import bz2
import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.errors import RawFileError
from pygama.orca.packets import RawFile
from pygama.orca.writer import header_bytes, run_header
from pygama.processing.survey import sentences
from pygama.utils import grouped

SHARED = Path(__file__).parents[2] / "../shared/data"
WAVE = 1600
"""Bytes of a record of the `waves` fixture."""


@pytest.fixture(scope="module")
def a_run(start, waves):
    """60 equal waves with a heartbeat after each 10: the bytes and the offsets of all records."""
    stream, run = start()
    offsets = [run.offset]
    run.run_start(72, 1538352000)
    for i in range(60):
        offsets.append(run.offset)
        run.records(5, waves(1, seed=i))
        if i % 10 == 9:
            offsets.append(run.offset)
            run.heartbeat(1538352000 + i)
    return stream.getvalue(), offsets


def test_records_of_a_stretch_carry_number_offset_and_words(start, read_all):
    stream, run = start()
    first = run.offset
    run.record(5, [10, 11])
    run.record(6, [12], form="extended")
    run.record(-33, [0x2AAAAAA], form="short")
    records = read_all(stream.getvalue()).records
    assert [(r.offset - first, r.number, r.key, r.words) for r in records] == [
        (0, 1, 5, (10, 11)),
        (12, 2, 6, (12,)),
        (24, 3, -33, (33 << 26 | 0x2AAAAAA,)),
    ]


forms = st.one_of(
    st.tuples(st.sampled_from([3, 5, 6, 9, 77]), st.just("long"), st.integers(1, 40)),
    st.tuples(st.sampled_from([5, 9, 77]), st.just("extended"), st.integers(1, 40)),
    st.tuples(st.just(-33), st.just("short"), st.just(1)),
    st.just("header"),
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(forms, max_size=30),
    st.sampled_from([16, 100, 1000, 1 << 20]),
    st.booleans(),
    st.sampled_from([bytes, gzip.compress, bz2.compress]),
)
def test_what_is_written_is_read_whatever_the_size_of_a_stretch(
    start, read_all, plist, parts, stretch_bytes, big_endian, pack
):
    stream, run = start(big_endian=big_endian)
    expected, number = [], 0
    for i, part in enumerate(parts):
        number += 1
        if part == "header":
            run.header(plist)
            continue
        key, form, n = part
        words = tuple(i * 1000 + k for k in range(n))
        expected.append((number, run.offset, key, words if key > 0 else (33 << 26 | words[0],)))
        run.record(key, words, form=form)
    read = read_all(pack(stream.getvalue()), stretch_bytes=stretch_bytes)
    assert [(r.number, r.offset, r.key, r.words) for r in read.records] == expected
    assert (read.report.skipped, read.report.cut_short) == ([], None)
    assert read.report.headers == 1 + parts.count("header")
    assert read.report.unknown.get(77, 0) == sum(part[0] == 77 for part in parts)


def test_a_new_header_changes_what_the_ids_mean(start, read_all, tmp_path):
    stream, run = start()
    run.record(5, [1])
    run.header(run_header(run_number=73, start_time=0, record_types={"A": {"B": (5, "NewDecoder")}}))
    run.record(5, [2])
    run.record(6, [3])
    path = tmp_path / "Run72"
    path.write_bytes(stream.getvalue())
    with RawFile(path) as file:
        stretches = [
            (packets.header.run_number, packets.header.decoders[5], len(packets)) for packets in file
        ]
    assert stretches == [(72, "WaveDecoder", 1), (73, "NewDecoder", 2)]
    assert file.report.unknown == {6: 1}
    assert file.header.run_number == 72


def test_records_are_counted_by_what_the_header_in_force_calls_them(start, read_all):
    stream, run = start()
    run.record(5, [1])
    run.header(run_header(run_number=72, start_time=0, record_types={"A": {"B": (6, "WaveDecoder")}}))
    run.record(5, [2])
    run.record(6, [3])
    report = read_all(stream.getvalue()).report
    assert report.kinds == {(5, "WaveDecoder"): 1, (5, None): 1, (6, "WaveDecoder"): 1}
    assert report.counts == {5: 2, 6: 1}


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("form", ["long", "extended"])
def test_records_can_be_had_as_they_stand_in_the_file(start, tmp_path, form, big_endian):
    stream, run = start(big_endian=big_endian)
    first = run.offset
    run.record(5, [1, 2, 0xDEADBEEF], form=form)
    end = run.offset
    run.record(5, [4], form="long")
    data = stream.getvalue()
    (tmp_path / "Run72").write_bytes(data)
    with RawFile(tmp_path / "Run72") as file:
        packets = next(file.stretches())
        stored = [part.tobytes() for part in packets.stored(1 << 16)]
        assert stored == [data[first:end], data[end:]]
        assert packets.stored_bytes.tolist() == [end - first, 8]
        assert packets.stored(8)[0].tobytes() == data[first : first + 8]


def test_packets_of_some_keys_stay_in_file_order(start, tmp_path):
    stream, run = start()
    for key in (5, 9, 6, 5):
        run.record(key, [key])
    (tmp_path / "Run72").write_bytes(stream.getvalue())
    with RawFile(tmp_path / "Run72") as file:
        packets = next(file.stretches())
        both = packets.of({5, 6})
        assert both.number.tolist() == [1, 3, 4]
        assert both[1:].key.tolist() == [6, 5]
        assert both[both.key == 6].words[both[both.key == 6].start + 1].tolist() == [6]


def test_a_record_larger_than_the_buffer_makes_it_grow(start, read_all):
    stream, run = start()
    run.record(9, np.arange(100_000), form="extended")
    read = read_all(stream.getvalue(), stretch_bytes=1000)
    assert read.records[0].words == tuple(range(100_000))


def test_n_max_counts_packets(a_run, read_all):
    data, offsets = a_run
    read = read_all(data, n_max=7, stretch_bytes=5000)
    assert read.offsets == offsets[:7]
    assert read.report.packets == 7


def test_a_header_counts_as_a_packet(start, plist, read_all):
    stream, run = start()
    run.record(5, [1])
    run.header(plist)
    run.record(5, [2])
    assert [r.number for r in read_all(stream.getvalue()).records] == [1, 3]
    assert [r.number for r in read_all(stream.getvalue(), n_max=2).records] == [1]


def test_the_position_ends_at_the_size_of_the_file(a_run, tmp_path):
    for data in (a_run[0], gzip.compress(a_run[0])):
        (tmp_path / "Run1").write_bytes(data)
        with RawFile(tmp_path / "Run1", stretch_bytes=10_000) as file:
            positions = [file.position for _ in file]
            assert positions == sorted(positions)
            assert (file.position, file.size_bytes) == (len(data), len(data))


@pytest.mark.parametrize("n_lost", [1, 2, 4, 700, WAVE - 4, WAVE - 3])
def test_a_last_record_cut_short_is_reported_and_all_before_is_kept(a_run, read_all, n_lost):
    data, offsets = a_run
    data = data[: offsets[-1]]
    read = read_all(data[:-n_lost], stretch_bytes=10_000)
    have = WAVE - n_lost
    assert read.offsets == offsets[:-2]
    assert read.report.cut_short == (offsets[-2], have, WAVE if have >= 4 else 4)
    assert read.report.skipped == []


def test_a_gzip_file_that_ends_early_gives_what_it_has(a_run, read_all):
    data, offsets = a_run
    read = read_all(gzip.compress(data)[:-5000])
    assert read.offsets == offsets[: len(read.offsets)]
    assert len(read.offsets) > 30
    assert read.report.failure == "the compressed data end early"


def test_gzip_members_follow_each_other(a_run, read_all):
    data, offsets = a_run
    middle = offsets[30] + 5
    packed = gzip.compress(data[:middle]) + gzip.compress(data[middle:])
    assert read_all(packed).offsets == offsets


def damaged(data: bytes, start: int, end: int, kind: str) -> tuple[bytes, int]:
    """Damage data[start:end]; returns the bytes and by how many the rest has moved up."""
    noise = np.random.default_rng(start).bytes(end - start)
    if kind == "lost":
        return data[:start] + data[end:], end - start
    return data[:start] + (noise if kind == "random" else bytes(end - start)) + data[end:], 0


@settings(deadline=None, max_examples=60)
@given(
    st.integers(5, 55),
    st.integers(-WAVE, WAVE),
    st.integers(1, 5000),
    st.sampled_from(["zero", "random", "lost"]),
    st.sampled_from([3000, 20_000, 1 << 20]),
)
def test_records_around_damage_are_kept_and_what_is_skipped_is_told(
    a_run, read_all, record, shift, size, kind, stretch_bytes
):
    data, offsets = a_run
    start = offsets[record] + shift
    end = min(start + size, offsets[-2])
    bad, moved = damaged(data, start, end, kind)
    read = read_all(bad, stretch_bytes=stretch_bytes)
    before = [offset for offset, behind in zip(offsets, offsets[1:], strict=False) if behind <= start]
    after = [offset - moved for offset in offsets if offset >= end]
    assert set(before) <= set(read.offsets)
    assert set(after) - swallowed(offsets, start, after) <= set(read.offsets)
    extra = set(read.offsets) - set(before) - set(after)
    assert extra <= {offset for offset in offsets if offset < end}
    assert_tiled(read, len(bad), offsets[0])


def swallowed(offsets, start, after):
    """Records that the damaged one takes for its own: the bytes it lost are as many as theirs.

    It ends where another begins then, and nothing tells it from a whole one.
    """
    hit = max(offset for offset in offsets if offset <= start)
    end = offsets[offsets.index(hit) + 1]
    return {offset for offset in after if offset < end} if end in after else set()


def assert_tiled(read, n_bytes, first):
    """Records and skipped ranges follow each other without a gap."""
    sizes = {400 - 1: WAVE, 3: 16}
    parts = [(r.offset, r.offset + sizes[len(r.words)]) for r in read.records]
    parts = sorted(parts + [(start, end) for start, end, _ in read.report.skipped])
    assert parts[0][0] == first
    assert all(end == start for (_, end), (start, _) in zip(parts, parts[1:], strict=False))
    assert parts[-1][1] == n_bytes


def test_a_zeroed_head_costs_exactly_its_record(a_run, read_all):
    data, offsets = a_run
    bad, _ = damaged(data, offsets[20], offsets[20] + 8, "zero")
    read = read_all(bad)
    assert read.offsets == offsets[:20] + offsets[21:]
    assert [(start, end) for start, end, _ in read.report.skipped] == [(offsets[20], offsets[21])]
    assert read.report.skipped[0][2] == "no head of a record: 0x00000000"


@pytest.mark.parametrize("bit", range(18))
def test_a_flipped_bit_in_a_length_costs_exactly_its_record(a_run, read_all, bit):
    data, offsets = a_run
    bad = bytearray(data)
    bad[offsets[20] + bit // 8] ^= 1 << bit % 8
    read = read_all(bytes(bad))
    assert read.offsets == offsets[:20] + offsets[21:]
    assert [(start, end) for start, end, _ in read.report.skipped] == [(offsets[20], offsets[21])]


def test_bytes_lost_inside_a_record_cost_that_record_and_no_other(a_run, read_all):
    data, offsets = a_run
    bad, _ = damaged(data, offsets[20] + 100, offsets[20] + 103, "lost")
    read = read_all(bad)
    assert read.offsets == offsets[:20] + [offset - 3 for offset in offsets[21:]]
    assert [(start, end) for start, end, _ in read.report.skipped] == [(offsets[20], offsets[21] - 3)]


@pytest.mark.parametrize("baseline", [0.0, 6.0, 12.0, 20.0])
@pytest.mark.parametrize("seed", range(10))
def test_samples_near_zero_are_not_taken_for_small_records(start, waves, read_all, baseline, seed):
    stream, run = start()
    run.run_start(72, 0)
    run.heartbeat(0)
    first = run.offset
    run.records(5, waves(30, baseline, seed))
    data = stream.getvalue()
    bad, _ = damaged(data, first + 10 * WAVE - 202, first + 11 * WAVE + 60, "lost")
    read = read_all(bad)
    n_lost = WAVE + 262
    kept = [first + i * WAVE for i in range(10)] + [first + i * WAVE - n_lost for i in range(12, 30)]
    assert read.offsets[2:] == kept


def test_samples_that_do_not_change_are_not_taken_for_records(start, read_all):
    stream, run = start()
    first = run.offset
    samples = np.full((20, 800), 12, np.int16)
    samples[:, 400:500] += np.arange(100, dtype=np.int16)
    run.records(5, samples.view(np.uint32))
    bad, _ = damaged(stream.getvalue(), first + 100, first + WAVE + 40, "zero")
    assert read_all(bad).offsets == [first + i * WAVE for i in range(2, 20)]


def test_damage_of_many_pieces_is_one_range(a_run, read_all):
    data, offsets = a_run
    middle = offsets[30]
    bad = data[:middle] + bytes(300_000) + data[middle:]
    read = read_all(bad, stretch_bytes=10_000)
    assert [(start, end) for start, end, _ in read.report.skipped] == [(middle, middle + 300_000)]
    assert read.offsets == offsets[:30] + [offset + 300_000 for offset in offsets[30:]]


def test_a_broken_header_in_the_middle_is_skipped(start, plist, read_all):
    stream, run = start()
    run.record(5, [1, 2])
    begin = run.offset
    run.raw(header_bytes(plist).replace(b"</plist>", b"</plost>"))
    end = run.offset
    run.record(5, [3, 4])
    read = read_all(stream.getvalue())
    assert [r.words for r in read.records] == [(1, 2), (3, 4)]
    assert [(s[0], s[1]) for s in read.report.skipped] == [(begin, end)]


def test_a_stranger_between_good_records_is_taken_by_its_length(start, waves, read_all):
    stream, run = start()
    run.records(5, waves(5))
    run.record(4000, range(50))
    run.record(4001, range(70), form="extended")
    run.records(5, waves(5))
    report = read_all(stream.getvalue()).report
    assert (report.counts, report.unknown) == ({5: 10, 4000: 1, 4001: 1}, {4000: 1, 4001: 1})
    assert report.skipped == []


def test_following_waits_for_what_is_still_being_written(start, waves, tmp_path):
    stream, run = start()
    run.records(5, waves(20))
    data, path = stream.getvalue(), tmp_path / "Run72"
    path.write_bytes(data[:-20_000])
    parts = [data[-20_000:-9_001], data[-9_001:-3], data[-3:]]

    def more_expected() -> bool:
        if not parts:
            return False
        with path.open("ab") as growing:
            growing.write(parts.pop(0))
        return True

    seen = []
    with RawFile(path, follow=more_expected) as file:
        for packets in file:
            seen.append((len(parts), packets.number.tolist()))
    assert [number for _, numbers in seen for number in numbers] == list(range(1, 21))
    assert seen[0][0] == 3
    assert file.report.cut_short is None


def test_what_was_written_before_the_last_answer_is_read(start, waves, tmp_path):
    stream, run = start()
    run.records(5, waves(4))
    data, path = stream.getvalue(), tmp_path / "Run72"
    path.write_bytes(data[:-2000])

    def run_has_just_ended() -> bool:
        path.write_bytes(data)
        return False

    with RawFile(path, follow=run_has_just_ended) as file:
        assert sum(len(packets) for packets in file) == 4


def test_a_big_endian_file_that_lost_bytes_is_read_on(start, waves, read_all):
    stream, run = start(big_endian=True)
    first = run.offset
    words = waves(20)
    run.records(5, words.copy())
    bad, _ = damaged(stream.getvalue(), first + 5 * WAVE + 10, first + 6 * WAVE + 13, "lost")
    read = read_all(bad)
    assert len(read.records) == 18
    assert read.records[-1].words == tuple(words[-1, 1:].tolist())


def test_words_are_native_in_big_endian_files_and_text_is_not_swapped(start, plist, read_all):
    stream, run = start(big_endian=True)
    run.record(5, [0x01020304])
    run.header(plist)
    run.record(5, [0x05060708])
    assert [r.words for r in read_all(stream.getvalue()).records] == [(0x01020304,), (0x05060708,)]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is empty"),
        (b"abc", r"not ORCA data: it begins with 'abc'; expected was a header record"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file, such as our Tier 1 and Tier 2"),
        (bytes(1000), "not ORCA data: it begins with the bytes 00 00 00 00 00 00 00 00; expected"),
        (b"PK\x03\x04" + bytes(100), "not ORCA data: it is a zip archive, which must be unpacked first"),
        (gzip.compress(b"no run", mtime=0), "not ORCA data: it begins with 'no run'"),
        (b"\x1f\x8b damaged", "is empty"),
        (header_bytes(run_header(run_number=1, start_time=0))[:500], "the header is cut short"),
    ],
)
def test_what_is_no_run_is_refused_with_what_was_found(tmp_path, data, text):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(RawFileError, match=text):
        RawFile(path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(RawFileError, match="is a folder"):
        RawFile(tmp_path)
    with pytest.raises(RawFileError, match="there is no such file"):
        RawFile(tmp_path / "none")


def test_a_header_alone_is_a_run_without_records(start, read_all):
    stream, _ = start()
    assert read_all(stream.getvalue()).records == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real runs in ../shared/data")
@pytest.mark.parametrize("stretch_bytes", [5000, 16 << 20])
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("L200-comm-20220519-phy-geds.orca", {7: 2, 4: 1, 3: 67}),
        ("l200-p13-r007-aph-20250101T003931Z.orca", {3: 3, 6: 1, 8: 497, 7: 1}),
        ("2018-9-25-Th228Run9001", {1: 1000, 5: 3}),
    ],
)
def test_real_runs_are_walked_to_their_end(read_file, name, counts, stretch_bytes):
    read = read_file(SHARED / name, stretch_bytes=stretch_bytes)
    assert Counter(record.key for record in read.records) == counts
    assert (read.report.skipped, read.report.cut_short, read.report.unknown) == ([], None, {})


def test_a_long_row_of_strangers_is_taken_by_its_lengths(start, read_all):
    stream, run = start()
    run.run_start(72, 0)
    words = np.arange(4 * 3000, dtype=np.uint32).reshape(-1, 4)
    run.records(700, words)
    run.run_stop(1)
    report = read_all(stream.getvalue(), stretch_bytes=5000).report
    assert (report.counts, report.skipped) == ({3: 2, 700: 3000}, [])


@pytest.mark.parametrize("samples", [(8000, 8001), (39000, 39500)])
def test_a_long_row_of_samples_is_no_row_of_strangers(start, waves, read_all, samples):
    stream, run = start()
    first = run.offset
    words = waves(20)
    rng = np.random.default_rng(2)
    words.view(np.uint16)[:, 2:] = rng.choice(samples, (20, 798), p=(0.98, 0.02))
    run.records(5, words)
    bad, _ = damaged(stream.getvalue(), first + 4 * WAVE + 400, first + 5 * WAVE + 800, "lost")
    read = read_all(bad)
    kept = [first + i * WAVE for i in range(4)] + [first + i * WAVE - WAVE - 400 for i in range(6, 20)]
    assert read.offsets == kept


def test_the_run_start_is_kept_though_damage_follows(start, waves, read_all):
    stream, run = start()
    start_of_run = run.offset
    run.run_start(72, 0)
    run.raw(bytes(40))
    first = run.offset
    run.records(5, waves(10))
    assert read_all(stream.getvalue()).offsets == [start_of_run] + [first + i * WAVE for i in range(10)]


def test_good_records_between_strangers_are_found_after_damage(start, read_all):
    stream, run = start()
    run.run_start(72, 0)
    offsets = []
    rng = np.random.default_rng(3)
    for i in range(60):
        offsets.append(run.offset)
        run.record(5, rng.integers(7000, 9000, 20) << 16 | 8000)
        if i % 5 == 4:
            run.record(700, [i, 2, 3])
    bad, _ = damaged(stream.getvalue(), offsets[2] + 8, offsets[3] + 24, "zero")
    found = set(read_all(bad).offsets)
    assert set(offsets[5:]) <= found


def test_small_records_are_kept_after_damage_to_one_of_the_first(start, read_all):
    stream, run = start()
    run.run_start(72, 0)
    offsets = []
    for i in range(40):
        offsets.append(run.offset)
        run.record(5, [i, 2, 3, 4, 5, 6, 7, 8, 0xDEADBEEF])
    run.run_stop(1)
    bad, _ = damaged(stream.getvalue(), offsets[3], offsets[3] + 4, "zero")
    assert set(offsets[4:]) <= set(read_all(bad).offsets)


def test_a_record_of_an_absurd_length_is_told_with_its_length(start, waves, read_all):
    stream, run = start()
    run.records(5, waves(5))
    run.record(700, [0] * 3, form="extended")
    data = bytearray(stream.getvalue())
    data[-16:-12] = (75_000_000).to_bytes(4, "little")
    stream, run = start()
    run.records(5, waves(5))
    ((_, _, why),) = read_all(bytes(data) + stream.getvalue()[run.offset - 5 * WAVE :]).report.skipped
    assert "id 700 in the extended form with a length of 75000000 words" in why


def test_a_stranger_at_the_end_is_not_searched_for_records_at_odd_bytes(start, read_all):
    stream, run = start()
    for i in range(6):
        run.record(-33, [i], form="short")
    run.record(77, range(6000, 6023), form="extended")
    report = read_all(stream.getvalue()).report
    assert (report.counts, report.skipped) == ({-33: 6, 77: 1}, [])


def test_a_wave_that_lost_as_much_as_a_heartbeat_has_takes_it_for_its_own(a_run, read_all):
    data, offsets = a_run
    at = next(
        i
        for i, (one, other) in enumerate(zip(offsets[1:], offsets[2:], strict=False), 1)
        if other - one == 16
    )
    start = offsets[at - 1] + 312
    bad, _ = damaged(data, start, start + 16, "lost")
    read = read_all(bad)
    assert read.offsets == [*offsets[:at], *(offset - 16 for offset in offsets[at + 1 :])]
    assert read.report.skipped == []


def test_a_file_that_became_shorter_while_it_was_read_is_reported(a_run, tmp_path):
    data, _ = a_run
    path = tmp_path / "Run72"
    path.write_bytes(data)
    with RawFile(path, stretch_bytes=4096) as raw:
        stretches = raw.stretches()
        next(stretches)
        with path.open("r+b") as file:
            file.truncate(5000)
        assert raw.report.shrunk is None
        assert sum(map(len, stretches)) < 60
    assert raw.report.shrunk == (len(data), 5000)
    assert sentences(raw.report)[-1] == (
        f"the file became shorter while it was read, from {grouped(len(data))} to {grouped(5000)} bytes, "
        "so events are missing; bring the whole file back and process it again"
    )


def test_a_file_that_grew_while_it_was_read_is_none_that_became_shorter(a_run, tmp_path):
    data, _ = a_run
    path = tmp_path / "Run72"
    path.write_bytes(data[:60_000])
    with RawFile(path, stretch_bytes=4096) as raw:
        stretches = raw.stretches()
        next(stretches)
        path.write_bytes(data)
        assert sum(map(len, stretches)) > 0
    assert raw.report.shrunk is None
