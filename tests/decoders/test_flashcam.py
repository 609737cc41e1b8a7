"""FlashCam waveforms against a real record start."""

import numpy as np
import pytest

from pygama.decoders import FlashCamADC

REAL = """000c0c95 34464081 00080000 6286930b 00030327 6286930b 00030327 00030327 00000000 000be738
          00000000 00000000 00000000 00000000 0ee6b27f 00000000 00000000 0bb850ef 0ee6b27f 00005653
          55f75774"""


def real_record():
    head = [int(word, 16) for word in REAL.split()]
    return np.array(head + [0] * (3221 - len(head)), np.uint32)


def test_a_real_record_gives_place_length_baseline_and_time(header_with, packets_of):
    header = header_with()
    decoded = FlashCamADC(header).decode(packets_of(header, [real_record()]))
    row = decoded.rows[0]
    assert (row["crate"], row["card"], row["card_address"], row["channel"]) == (0, 0, 0x20, 0)
    assert (row["fc_baseline"], row["energy"], row["event_type"]) == (22099, 0, 1)
    assert row["timestamp"] == 0x0BB850EF
    offset = 0x6286930B - 1538352000 + 0x00030327 * 1e-6
    assert row["time_s"] == pytest.approx(offset + 0x0BB850EF / 250e6, abs=1e-6)
    assert decoded.samples.count[0] == 6402
    assert decoded.samples.source[decoded.samples.first[0]] == 0x5774


def test_a_record_whose_number_of_samples_is_wrong_is_kept_apart(header_with, packets_of):
    header = header_with()
    decoded = FlashCamADC(header).decode(packets_of(header, [real_record()[:-1]]))
    assert decoded.damaged.reason == ["number of samples disagrees with the record's length"]


def test_a_header_only_event_is_a_row_without_samples(header_with, packets_of):
    header = header_with()
    record = FlashCamADC(header).encode_events({"channel": [5]}, np.zeros((1, 0), np.uint16))
    decoded = FlashCamADC(header).decode(packets_of(header, list(record)))
    assert decoded.rows["channel"].tolist() == [5]
    assert decoded.samples.count.tolist() == [0]
